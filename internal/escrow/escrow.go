// Package escrow keeps what undoes a release: the key, whom each serial stands
// for, and every permutation of the scramble. It is one file beside the
// release, readable by its owner alone, and encrypted to age recipients where
// some are given. It is never written into a release folder.
//
// The file is a line that names the format, then gzip of a JSON header and the
// permutations: pairs of rows in canonical order, touched rows only, as
// differences in variable-length integers.
package escrow

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"filippo.io/age"

	"scramblelab/internal/folder"
	"scramblelab/internal/rng"
)

// Escrow is the secret side of one release.
type Escrow struct {
	Key        rng.Secret
	Simulation bool   // the key was made from a known seed, or the people were generated
	Seeded     bool   // the key was made from a known seed
	Tool       string // software and version that made the release
	GOARCH     string // "" is filled in by Save
	PlanDigest string
	DataDigest string // digest of the original data, see Digest
	Scramble   string // digest of what the plan does to the data, which a key is reused for
	Unit       string // employer, employer-year or worker
	// Phase, Recipient and Delivery are whose serials they are.
	Phase     string
	Recipient string
	Delivery  int
	// Serials says whom each serial stands for: serial s is Serials[s-1].
	Serials      []Serial
	Permutations []Permutation
	// Design is the account of the draw (strata, weights), as the caller
	// writes it.
	Design json.RawMessage
}

// Serial is an original behind a serial number.
type Serial struct {
	Employer string   `json:"employer"`          // original identifier
	Year     int32    `json:"year,omitempty"`    // with fresh serials per year
	Members  []string `json:"members,omitempty"` // all originals of a merged unit
}

// Permutation is one step: row At[i] received the bundle of row From[i], and
// every other row kept its own. Rows are those of the jobs in canonical order, or
// of the firms by employer and year where the bundle is one of their properties.
type Permutation struct {
	Name   string   // of the step
	Bundle []string // columns that were exchanged
	Rows   int32    // rows of the table
	At     []int32  // ascending
	From   []int32
}

// Sparse keeps the touched rows of a permutation p, where row i received the
// bundle of row p[i].
func Sparse(name string, bundle []string, p []int32) Permutation {
	out := Permutation{Name: name, Bundle: bundle, Rows: int32(len(p))}
	for i, j := range p {
		if int32(i) != j {
			out.At, out.From = append(out.At, int32(i)), append(out.From, j)
		}
	}
	return out
}

// Dense returns the whole permutation.
func (p Permutation) Dense() []int32 {
	out := make([]int32, p.Rows)
	for i := range out {
		out[i] = int32(i)
	}
	for i, at := range p.At {
		out[at] = p.From[i]
	}
	return out
}

// Validate checks that the touched rows are exchanged among themselves: a
// bijection that fixes all others.
func (p Permutation) Validate() error {
	if len(p.At) != len(p.From) || p.Rows < 0 {
		return fmt.Errorf("escrow: permutation %q has %d rows from %d", p.Name, len(p.At), len(p.From))
	}
	for i, r := range p.At {
		if r < 0 || r >= p.Rows || i > 0 && r <= p.At[i-1] {
			return fmt.Errorf("escrow: permutation %q is damaged at pair %d", p.Name, i+1)
		}
	}
	from := slices.Clone(p.From)
	slices.Sort(from)
	if !slices.Equal(from, p.At) {
		return fmt.Errorf("escrow: permutation %q is no bijection", p.Name)
	}
	return nil
}

// Options says how an escrow is saved. The zero value encrypts nothing and
// replaces nothing.
type Options struct {
	Force      bool     // replace the file that stands there
	Recipients []string // age recipients (age1…); nil leaves the file in plain
	Releases   []string // folders that the escrow may not lie in, written yet or not
}

const magic = "scramblelab escrow 1\n"
const ageMagic = "age-encryption.org/"

// Save writes the escrow, mode 0600, complete or not at all. It refuses a place
// inside a release folder, existing or about to be written.
func Save(path string, e *Escrow, o Options) error {
	if e.Key.IsZero() {
		return fmt.Errorf("escrow: it has no key: hand over the key of the release")
	}
	for _, p := range e.Permutations {
		if err := p.Validate(); err != nil {
			return err
		}
	}
	if err := outside(path, o.Releases); err != nil {
		return err
	}
	var recipients []age.Recipient
	if len(o.Recipients) > 0 {
		var err error
		if recipients, err = age.ParseRecipients(strings.NewReader(strings.Join(o.Recipients, "\n"))); err != nil {
			return fmt.Errorf("escrow: recipient: %w: want age1… as age-keygen prints it", err)
		}
	}
	write := func(w io.Writer) error {
		if recipients == nil {
			return e.encode(w)
		}
		a, err := age.Encrypt(w, recipients...)
		if err != nil {
			return err
		}
		if err := e.encode(a); err != nil {
			return err
		}
		return a.Close()
	}
	save := folder.WriteNewFile
	if o.Force {
		save = folder.WriteFile
	}
	if err := save(path, 0o600, write); err != nil {
		return fmt.Errorf("escrow: %w", err)
	}
	return nil
}

// outside refuses a path in one of the folders, or below a folder that holds a
// release's manifest.
func outside(path string, releases []string) error {
	file, err := resolve(path)
	if err != nil {
		return fmt.Errorf("escrow: %w", err)
	}
	inside := func(dir string) error {
		return fmt.Errorf("escrow: %s lies inside the release %s and would leave the building with it: name a file beside it", path, dir)
	}
	for _, r := range releases {
		dir, err := resolve(r)
		if err != nil {
			return fmt.Errorf("escrow: %w", err)
		}
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			return inside(r)
		}
	}
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		_, manifest := os.Stat(filepath.Join(dir, "manifest.json"))
		_, codebook := os.Stat(filepath.Join(dir, "codebook.json"))
		if manifest == nil && codebook == nil {
			return inside(dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// resolve makes a path absolute and follows links in the part that exists.
func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest), nil
		}
		if dir == filepath.Dir(dir) {
			return abs, nil
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// header is the JSON part of the file.
type header struct {
	Key          string          `json:"key"`
	Simulation   bool            `json:"simulation"`
	Seeded       bool            `json:"seeded,omitempty"`
	Tool         string          `json:"tool"`
	GOARCH       string          `json:"goarch"`
	PlanDigest   string          `json:"plan_digest"`
	DataDigest   string          `json:"data_digest"`
	Scramble     string          `json:"scramble"`
	Unit         string          `json:"unit"`
	Phase        string          `json:"phase"`
	Recipient    string          `json:"recipient"`
	Delivery     int             `json:"delivery"`
	Serials      []Serial        `json:"serials"`
	Design       json.RawMessage `json:"design,omitempty"`
	Permutations []step          `json:"permutations"`
}

type step struct {
	Name   string   `json:"name"`
	Bundle []string `json:"bundle"`
	Rows   int32    `json:"rows"`
	Pairs  int      `json:"pairs"`
}

func (e *Escrow) encode(w io.Writer) error {
	h := header{Key: base64.StdEncoding.EncodeToString(e.Key.Bytes()), Simulation: e.Simulation, Seeded: e.Seeded, Tool: e.Tool, GOARCH: e.GOARCH,
		PlanDigest: e.PlanDigest, DataDigest: e.DataDigest, Scramble: e.Scramble,
		Unit: e.Unit, Phase: e.Phase, Recipient: e.Recipient, Delivery: e.Delivery, Serials: e.Serials, Design: e.Design}
	if h.GOARCH == "" {
		h.GOARCH = runtime.GOARCH
	}
	for _, p := range e.Permutations {
		h.Permutations = append(h.Permutations, step{p.Name, p.Bundle, p.Rows, len(p.At)})
	}
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, magic); err != nil {
		return err
	}
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	out := bufio.NewWriterSize(z, 1<<16)
	var v [binary.MaxVarintLen64]byte
	out.Write(v[:binary.PutUvarint(v[:], uint64(len(b)))])
	out.Write(b)
	for _, p := range e.Permutations {
		before := int32(-1)
		for i, at := range p.At {
			out.Write(v[:binary.PutUvarint(v[:], uint64(at-before))])
			out.Write(v[:binary.PutVarint(v[:], int64(p.From[i])-int64(at))])
			before = at
		}
	}
	return errors.Join(out.Flush(), z.Close())
}

// Load reads an escrow. identities are age identity files (AGE-SECRET-KEY-1…),
// needed where the escrow is encrypted.
func Load(path string, identities ...string) (*Escrow, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("escrow: %s does not exist: name the file that scramble release wrote beside the release", path)
	}
	if err != nil {
		return nil, fmt.Errorf("escrow: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	if head, _ := r.Peek(len(ageMagic)); string(head) == ageMagic {
		plain, err := decrypt(path, r, identities)
		if err != nil {
			return nil, err
		}
		r = bufio.NewReaderSize(plain, 1<<16)
	}
	e, err := decode(r)
	if err != nil {
		return nil, fmt.Errorf("escrow: %s: %w", path, err)
	}
	return e, nil
}

// Encrypted reports whether an escrow needs an identity, and refuses a file that
// is none. Links are not followed.
func Encrypted(path string) (bool, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return false, fmt.Errorf("escrow: %w", err)
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("escrow: %s is no file, and links are not followed: name the escrow itself", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("escrow: %w", err)
	}
	defer f.Close()
	head := make([]byte, max(len(magic), len(ageMagic)))
	n, _ := io.ReadFull(f, head)
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte(ageMagic)):
		return true, nil
	case bytes.HasPrefix(head, []byte(magic)):
		return false, nil
	}
	return false, fmt.Errorf("escrow: %s is no escrow of scramblelab", path)
}

func decrypt(path string, r io.Reader, files []string) (io.Reader, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("escrow: %s is encrypted: give the age identity file that opens it (--identity FILE)", path)
	}
	var ids []age.Identity
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("escrow: identity: %w", err)
		}
		found, err := age.ParseIdentities(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("escrow: identity %s: no age identities in it: want lines AGE-SECRET-KEY-1…", name) // the cause may quote the key
		}
		ids = append(ids, found...)
	}
	plain, err := age.Decrypt(r, ids...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("escrow: %s is encrypted to somebody else: none of the identities given opens it", path)
	}
	if err != nil {
		return nil, fmt.Errorf("escrow: %s: %w", path, err)
	}
	return plain, nil
}

const (
	maxHeader = 1 << 30
	damaged   = "it is damaged or cut off, copy it again"
)

func decode(r io.Reader) (*Escrow, error) {
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != magic {
		return nil, fmt.Errorf("this is no escrow of scramblelab")
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", damaged, err)
	}
	in := bufio.NewReaderSize(z, 1<<16)
	n, err := binary.ReadUvarint(in)
	if err != nil || n > maxHeader {
		return nil, errors.New(damaged)
	}
	var b bytes.Buffer // grows with what is there, not with what the length claims
	if m, err := io.CopyN(&b, in, int64(n)); err != nil || m != int64(n) {
		return nil, errors.New(damaged)
	}
	var h header
	if err := json.Unmarshal(b.Bytes(), &h); err != nil {
		return nil, fmt.Errorf("%s: %w", damaged, err)
	}
	key, err := base64.StdEncoding.DecodeString(h.Key)
	if err != nil {
		return nil, errors.New(damaged)
	}
	e := &Escrow{Simulation: h.Simulation, Seeded: h.Seeded, Tool: h.Tool, GOARCH: h.GOARCH, PlanDigest: h.PlanDigest, DataDigest: h.DataDigest,
		Scramble: h.Scramble, Unit: h.Unit, Phase: h.Phase, Recipient: h.Recipient, Delivery: h.Delivery, Serials: h.Serials, Design: h.Design}
	if e.Key, err = rng.SecretFromBytes(key); err != nil {
		return nil, errors.New(damaged)
	}
	for _, s := range h.Permutations {
		p := Permutation{Name: s.Name, Bundle: s.Bundle, Rows: s.Rows}
		at := int64(-1)
		for range s.Pairs {
			d, err := binary.ReadUvarint(in)
			from, err2 := binary.ReadVarint(in)
			if err != nil || err2 != nil || d > math.MaxInt32 || from > math.MaxInt32 || from < -math.MaxInt32 {
				return nil, errors.New(damaged)
			}
			at += int64(d)
			if from += at; at > math.MaxInt32 || from < 0 || from > math.MaxInt32 {
				return nil, errors.New(damaged)
			}
			p.At, p.From = append(p.At, int32(at)), append(p.From, int32(from))
		}
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", damaged, err)
		}
		e.Permutations = append(e.Permutations, p)
	}
	if _, err := in.ReadByte(); err != io.EOF { // also checks gzip's checksum
		return nil, errors.New(damaged)
	}
	return e, nil
}
