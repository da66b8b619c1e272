package escrow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

func example() *Escrow {
	p := make([]int32, 1000)
	for i := range p {
		p[i] = int32(i)
	}
	rng.Shuffle(rng.Sim(1).Stream(1, 1), p[200:600])
	return &Escrow{
		Key: rng.SecretFromSeed(7), Simulation: true, Seeded: true, Tool: "scramblelab 0", GOARCH: "amd64", PlanDigest: "p", DataDigest: "d", Scramble: "s", Unit: "employer",
		Phase: "one", Recipient: "a university", Delivery: 2,
		Serials:      []Serial{{Employer: "BE-1"}, {Employer: "BE-2", Year: 2010}, {Employer: "BE-3", Members: []string{"BE-3", "BE-4"}}},
		Permutations: []Permutation{Sparse("random-swap", []string{"level", "field"}, p), {Name: "nothing", Rows: 5}},
		Design:       json.RawMessage(`{"strata":2}`),
	}
}

var compareKeys = cmp.Comparer(func(a, b rng.Secret) bool { return a == b })

func TestLoadReadsWhatSaveWrote(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mine, theirs, junk := file("mine", id.String()+"\n"), file("theirs", other.String()), file("junk", "AGE-SECRET-KEY-1QQ")
	tests := []struct {
		name, why  string
		recipients []string
		identities []string
		want       string // of the error
	}{
		{"plain", "no recipient, no encryption", nil, nil, ""},
		{"plain with identity", "an identity too many does no harm", nil, []string{mine}, ""},
		{"encrypted", "the identity opens it", []string{id.Recipient().String()}, []string{mine}, ""},
		{"two recipients", "either opens it", []string{id.Recipient().String(), other.Recipient().String()}, []string{theirs}, ""},
		{"no identity", "the refusal says what to give", []string{id.Recipient().String()}, nil, "--identity"},
		{"wrong identity", "somebody else's", []string{id.Recipient().String()}, []string{theirs}, "encrypted to somebody else"},
		{"no identity in file", "the error does not quote the key", []string{id.Recipient().String()}, []string{junk}, "no age identities"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, fmt.Sprint(i, ".escrow"))
			if err := Save(path, example(), Options{Recipients: tt.recipients}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if encrypted := strings.HasPrefix(string(b), ageMagic); encrypted != (tt.recipients != nil) {
				t.Errorf("encrypted: %v", encrypted)
			}
			got, err := Load(path, tt.identities...)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "AGE-SECRET-KEY-1QQ") {
					t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(example(), got, compareKeys); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
		})
	}
	if err := Save(filepath.Join(dir, "x"), example(), Options{Recipients: []string{"age1nobody"}}); err == nil {
		t.Error("a recipient that is none was accepted")
	}
}

func TestSaveIsPrivateAndOutside(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"release/sub", "real"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"release/manifest.json", "release/codebook.json"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "release"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	loose := filepath.Join(dir, "loose.escrow")
	if err := os.WriteFile(loose, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, why, path string
		o               Options
		want            string
	}{
		{"beside", "where it belongs", "release.escrow", Options{Releases: []string{filepath.Join(dir, "release")}}, ""},
		{"inside", "it would leave the building", "release/a.escrow", Options{}, "inside the release"},
		{"deep inside", "in a folder of the release", "release/sub/a.escrow", Options{}, "inside the release"},
		{"by a link", "links are followed", "link/a.escrow", Options{}, "inside the release"},
		{"before it exists", "the release is written later", "later/a.escrow", Options{Releases: []string{filepath.Join(dir, "later")}}, "inside the release"},
		{"exists", "nothing is overwritten", "loose.escrow", Options{}, "already"},
		{"force", "a new file takes the place of a world-readable one", "loose.escrow", Options{Force: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.path)
			err := Save(path, example(), tt.o)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode is %o, want 600", tt.why, info.Mode().Perm())
			}
		})
	}
	if err := Save(filepath.Join(dir, "zero"), &Escrow{}, Options{}); err == nil {
		t.Error("an escrow without a key was saved")
	}
}

func TestLoadRefusesDamage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.escrow")
	if err := Save(path, example(), Options{}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if _, err := decode(bytes.NewReader(whole[:n])); err == nil {
			t.Fatalf("an escrow cut off at byte %d of %d was read", n, len(whole))
		}
	}
	for _, at := range []int{0, 40, len(whole) / 2, len(whole) - 5} {
		b := bytes.Clone(whole)
		b[at] ^= 0x10
		if _, err := decode(bytes.NewReader(b)); err == nil {
			t.Errorf("an escrow with byte %d changed was read", at)
		}
	}
	if _, err := Load(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := example().encode(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := decode(bytes.NewReader(b)); err == nil && e.Key.IsZero() && e.Tool == "" && len(b) == 0 {
			t.Error("nothing was read as an escrow")
		}
	})
}

func TestSparsePermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := make([]int32, rapid.IntRange(0, 200).Draw(t, "n"))
		for i := range p {
			p[i] = int32(i)
		}
		lo := rapid.IntRange(0, len(p)).Draw(t, "lo")
		rng.Shuffle(rng.Sim(rapid.Uint64().Draw(t, "seed")).Stream(1, 1), p[lo:])
		s := Sparse("x", nil, p)
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, s.Dense()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		for i, at := range s.At {
			if s.From[i] == at {
				t.Fatalf("row %d is kept although it was not touched", at)
			}
		}
	})
	if err := (Permutation{Rows: 3, At: []int32{0, 1}, From: []int32{1, 1}}).Validate(); err == nil {
		t.Error("a map that takes one row twice was accepted")
	}
}

func TestDigest(t *testing.T) {
	make := func(wage int32) *linked.Data {
		d := frame.MustDict("A")
		return &linked.Data{Jobs: frame.Must(frame.Codes(linked.Employer, d, []int32{0}), frame.Ints(linked.Wage, []int32{wage})),
			Firms: frame.Must(frame.Codes(linked.Employer, d, []int32{0}))}
	}
	first, again, other := Digest(make(1)), Digest(make(1)), Digest(make(2))
	if first != again || first == other {
		t.Error("the digest does not follow the data")
	}
}

func TestKeyIsNeverPrinted(t *testing.T) {
	e := example()
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, e); !strings.Contains(s, "hidden") {
			t.Errorf("%s prints %s", format, s)
		}
	}
}
