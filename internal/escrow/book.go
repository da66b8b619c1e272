package escrow

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"scramblelab/internal/ledger"
	"scramblelab/internal/rng"
)

// BookName is the ledger of escrows that stands beside an escrow unless another
// is named.
const BookName = "escrow-ledger.jsonl"

// Kinds of entries in a ledger of escrows.
const (
	kindPopulation = "population"
	kindKey        = "key"
	kindWithdrawn  = "withdrawn"
	kindDestroyed  = "destroyed"
)

// Book is the ledger of escrows: which key was drawn for which population,
// scramble and recipient, and who approved a second one.
//
// Two scrambles of the same people average out, and who draws keys until a gate
// passes has chosen the release by its result. The book therefore refuses a
// recipient a second key over an overlapping population, and counts the keys.
//
// Employers are compared and workers are not: a release shows employers and
// cells of their staff, so that what averages out is about an employer of both.
// Somebody who worked for employers of two populations stands in other cells.
//
// It holds digests of the employers of each population. Whoever has a list of
// employers can look them up in it: it is as confidential as the escrows beside
// which it stands.
type Book struct {
	path string
	l    *ledger.Ledger
	keys []drawn
}

// Drawing is one use of a key.
type Drawing struct {
	Command    string   `json:"command"`    // release or run
	Key        string   `json:"key"`        // see Fingerprint
	Scramble   string   `json:"scramble"`   // digest of what the plan does to the data
	Plan       string   `json:"plan"`       // digest of the plan
	Population string   `json:"population"` // digest of the original, see Digest
	Phase      string   `json:"phase"`
	Recipient  string   `json:"recipient"`
	Delivery   int      `json:"delivery"`             // under these serials, from 1
	Simulation bool     `json:"simulation,omitempty"` // the key was made from a known seed
	Binds      bool     `json:"binds"`                // later keys for this recipient are measured against it
	Reused     bool     `json:"reused,omitempty"`     // the key was that of an earlier escrow
	ApprovedBy []string `json:"approved_by,omitempty"`
	Overlaps   []int    `json:"overlaps,omitempty"` // entries whose recipient and people it shares under another key
}

// Population is whom a scramble acts on.
type Population struct {
	Digest    string   // see Digest
	Employers []string // original identifiers
	// World sets apart employers of the same name: those that one run generates
	// are not those of another.
	World string
}

type population struct {
	Digest    string `json:"population"`
	Employers int    `json:"employers"`
	Salt      string `json:"salt"`
	// Members are the digests of employers, memberBytes each, ascending, as
	// differences in variable-length integers.
	Members string `json:"members"`
}

type drawn struct {
	Drawing
	seq  int
	time string
}

type withdrawn struct {
	Entry int    `json:"entry"`
	Why   string `json:"why"`
}

// OpenBook reads a ledger of escrows and verifies its chain; one that does not
// exist is empty. It may not lie inside a release, written yet or not.
func OpenBook(path string, releases ...string) (*Book, error) {
	if err := outside(path, releases); err != nil {
		return nil, err
	}
	l, err := ledger.Open(path)
	if err != nil {
		return nil, err
	}
	b := &Book{path: path, l: l}
	gone := map[int]bool{}
	for _, e := range l.Entries() {
		var err error
		switch e.Kind {
		case kindKey:
			d := drawn{seq: e.Seq, time: e.Time}
			err = json.Unmarshal(e.Body, &d.Drawing)
			b.keys = append(b.keys, d)
		case kindWithdrawn:
			var w withdrawn
			err = json.Unmarshal(e.Body, &w)
			gone[w.Entry] = true
		}
		if err != nil {
			return nil, fmt.Errorf("escrow: %s, entry %d: %w: this is no ledger of escrows, name another file", path, e.Seq, err)
		}
	}
	b.keys = slices.DeleteFunc(b.keys, func(d drawn) bool { return gone[d.seq] })
	return b, nil
}

// Head is the hash of the last entry.
func (b *Book) Head() string { return b.l.Head() }

// Fingerprint tells keys apart and gives none away, seeds excepted, which can be
// guessed.
func Fingerprint(key rng.Secret) string {
	sum := sha256.Sum256(key.Derive("fingerprint in the ledger of escrows").Bytes())
	return hex.EncodeToString(sum[:16])
}

// same is how names of recipients and approvers are compared.
func same(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// Drawn counts the keys of the system that were drawn for a scramble of a
// population and entered, those of releases that were never made excepted.
func (b *Book) Drawn(scramble, population string) int {
	keys := map[string]bool{}
	for _, d := range b.keys {
		if !d.Simulation && d.Scramble == scramble && d.Population == population {
			keys[d.Key] = true
		}
	}
	return len(keys)
}

// Knows reports whether the key of a drawing was entered before, for the same
// scramble and population.
func (b *Book) Knows(d Drawing) bool {
	return slices.ContainsFunc(b.keys, func(old drawn) bool {
		return old.Key == d.Key && old.Scramble == d.Scramble && old.Population == d.Population
	})
}

// NextDelivery is the number of a recipient's next delivery in a phase: one
// more than there were, and another one than any under the same key.
func (b *Book) NextDelivery(key, phase, recipient string) int {
	releases, last := 0, 0
	for _, d := range b.keys {
		if d.Phase != phase || same(d.Recipient) != same(recipient) {
			continue
		}
		if d.Command == "release" && !d.Simulation {
			releases++
		}
		if d.Key == key {
			last = max(last, d.Delivery)
		}
	}
	return max(releases, last) + 1
}

// SecondKeyError refuses a recipient a second key over people of whom he has a
// release.
type SecondKeyError struct {
	Ledger    string
	Recipient string
	Entry     int    // of the earlier key, from 1
	Time      string // of that entry
	Shared    int    // employers that both populations have
	SameKey   bool   // the earlier key, under another scramble
	Approvals int    // different names given
}

// Error says who has what, and the two ways to go on.
func (e *SecondKeyError) Error() string {
	what := "under another key"
	if e.SameKey {
		what = "scrambled otherwise under the same key"
	}
	s := fmt.Sprintf("escrow: %s has a release of %d of these employers %s (%s, entry %d of %s), and two scrambles of the same people average out: "+
		"deliver again under the key he has, with its own plan (--reuse ESCROW), or let two people approve this one (--approve NAME, twice), which is recorded",
		e.Recipient, e.Shared, what, e.Ledger, e.Entry, e.Time)
	if e.Approvals == 1 {
		s += "; one name was given, and two different ones are needed"
	}
	return s
}

// Check returns the earlier entries that a drawing which binds stands against,
// with the error where the two approvals that this takes are missing.
func (b *Book) Check(d Drawing, p Population) (overlaps []int, err error) {
	if !d.Binds {
		return nil, nil
	}
	approvals := map[string]bool{}
	for _, a := range d.ApprovedBy {
		if same(a) != "" {
			approvals[same(a)] = true
		}
	}
	var refusal *SecondKeyError
	for _, old := range b.keys {
		if !old.Binds || same(old.Recipient) != same(d.Recipient) {
			continue
		}
		shared, err := b.shared(old.Population, p)
		if err != nil {
			return nil, err
		}
		if shared == 0 {
			continue
		}
		if old.Key == d.Key && old.Scramble == d.Scramble {
			return nil, nil // he has it already, or it was approved
		}
		overlaps = append(overlaps, old.seq)
		refusal = &SecondKeyError{Ledger: b.path, Recipient: d.Recipient, Entry: old.seq, Time: old.time, Shared: shared, SameKey: old.Key == d.Key, Approvals: len(approvals)}
	}
	if refusal != nil && len(approvals) < 2 {
		return overlaps, refusal
	}
	return overlaps, nil
}

// shared counts the employers of p that an earlier population has.
func (b *Book) shared(digest string, p Population) (int, error) {
	if digest == p.Digest {
		return max(1, len(p.Employers)), nil
	}
	old, err := b.population(digest)
	if err != nil || old == nil {
		return 0, err
	}
	salt, err1 := base64.StdEncoding.DecodeString(old.Salt)
	members, err2 := unpack(old.Members)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("escrow: %s: population %.12s: %w: restore the ledger from a copy", b.path, digest, err)
	}
	n := 0
	for _, h := range hashed(p, salt) {
		if _, ok := slices.BinarySearch(members, h); ok {
			n++
		}
	}
	return n, nil
}

func (b *Book) population(digest string) (*population, error) {
	for _, e := range b.l.Entries() {
		if e.Kind != kindPopulation {
			continue
		}
		var p population
		if err := json.Unmarshal(e.Body, &p); err != nil {
			return nil, fmt.Errorf("escrow: %s, entry %d: %w", b.path, e.Seq, err)
		}
		if p.Digest == digest {
			return &p, nil
		}
	}
	return nil, nil
}

// memberBytes of SHA-256 are kept of an employer: among two populations of
// 100,000 employers one pair agrees by chance in 30,000 comparisons.
const memberBytes = 6

func hashed(p Population, salt []byte) []uint64 {
	out := make([]uint64, 0, len(p.Employers))
	for _, id := range p.Employers {
		text := fmt.Appendf(slices.Clone(salt), "%d:%s%s", len(p.World), p.World, id)
		sum := sha256.Sum256(text)
		var v [8]byte
		copy(v[8-memberBytes:], sum[:memberBytes])
		out = append(out, binary.BigEndian.Uint64(v[:]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func pack(sorted []uint64) string {
	var b []byte
	last := uint64(0)
	for _, v := range sorted {
		b = binary.AppendUvarint(b, v-last)
		last = v
	}
	return base64.StdEncoding.EncodeToString(b)
}

func unpack(s string) ([]uint64, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	var out []uint64
	last := uint64(0)
	for len(b) > 0 && err == nil {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errors.New("its members are damaged")
		}
		last += d
		out, b = append(out, last), b[n:]
	}
	return out, err
}

const (
	tries = 100
	pause = 100 * time.Millisecond
)

// Record enters a drawing and its population, and returns the number of the
// entry. What another program entered since the book was opened is read first,
// and Check holds for it too. The delivery number must still be free.
func (b *Book) Record(at time.Time, d Drawing, p Population) (int, error) {
	entry := 0
	err := b.retry(func(now *Book) error {
		overlaps, err := now.Check(d, p)
		if err != nil {
			return err
		}
		if d.Binds && now.NextDelivery(d.Key, d.Phase, d.Recipient) != d.Delivery {
			return fmt.Errorf("escrow: another delivery to %s was entered into %s in the meantime: run again", d.Recipient, b.path)
		}
		if d.Overlaps = overlaps; len(overlaps) == 0 {
			d.ApprovedBy = nil // nothing had to be approved
		}
		if known, err := now.population(p.Digest); err != nil {
			return err
		} else if known == nil {
			salt := make([]byte, 16)
			rand.Read(salt) // never fails
			body := population{p.Digest, len(p.Employers), base64.StdEncoding.EncodeToString(salt), pack(hashed(p, salt))}
			if _, err := now.l.Append(kindPopulation, at, body); err != nil {
				return err
			}
		}
		e, err := now.l.Append(kindKey, at, d)
		entry = e.Seq
		return err
	})
	return entry, err
}

// Withdraw notes that nothing was delivered after all.
func (b *Book) Withdraw(at time.Time, entry int, why string) error {
	return b.retry(func(now *Book) error {
		_, err := now.l.Append(kindWithdrawn, at, withdrawn{entry, why})
		return err
	})
}

// Destroyed is what a ledger keeps of the certificate of a release.
type Destroyed struct {
	Release   string `json:"release"`
	Manifest  string `json:"manifest_sha256"`
	Recipient string `json:"recipient"`
	Escrow    string `json:"escrow_state"`
	By        string `json:"destroyed_by,omitempty"`
	Finished  string `json:"finished"`
}

// Destroyed notes that a release was destroyed, once. It frees nobody: whoever
// had the release may have a copy.
func (b *Book) Destroyed(at time.Time, d Destroyed) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return b.retry(func(now *Book) error {
		for _, e := range now.l.Entries() {
			if e.Kind == kindDestroyed && bytes.Equal(e.Body, body) {
				return nil
			}
		}
		_, err := now.l.Append(kindDestroyed, at, d)
		return err
	})
}

// retry does something with the book as it is now, again while others write it.
func (b *Book) retry(do func(now *Book) error) error {
	for i := 0; ; i++ {
		now, err := OpenBook(b.path)
		if err == nil {
			err = do(now)
		}
		if err == nil {
			if now, err = OpenBook(b.path); err == nil {
				*b = *now
			}
			return err
		}
		if !errors.Is(err, ledger.ErrBusy) || i == tries {
			return err
		}
		time.Sleep(pause)
	}
}
