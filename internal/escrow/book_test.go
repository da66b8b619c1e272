package escrow

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/rng"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// people are employers first to last of a population.
func people(first, last int) Population {
	p := Population{Digest: fmt.Sprintf("digest of %d-%d", first, last)}
	for e := first; e <= last; e++ {
		p.Employers = append(p.Employers, fmt.Sprintf("04%08d", e))
	}
	return p
}

func drawing(key uint64, recipient string, p Population, approved ...string) Drawing {
	return Drawing{Command: "release", Key: Fingerprint(rng.SecretFromSeed(key)), Scramble: "swap", Population: p.Digest, Phase: "one",
		Recipient: recipient, Binds: true, ApprovedBy: approved}
}

func TestSecondKey(t *testing.T) {
	all := people(1, 500)
	otherwise := drawing(1, "A University", all)
	otherwise.Scramble = "another swap"
	loose := drawing(2, "A University", all)
	loose.Binds = false
	tests := []struct {
		name, why string
		d         Drawing
		p         Population
		refused   string // part of the message, "" where it goes through
		shared    int
		approved  bool // the approvals are kept
	}{
		{"first of another", "nobody has anything of these people under this name", drawing(2, "B University", all), all, "", 0, false},
		{"same key again", "the same scramble tells nothing more", drawing(1, "A University", all), all, "", 0, false},
		{"second key", "two scrambles average out", drawing(2, "A University", all), all, "under another key", 500, false},
		{"spelt otherwise", "blanks and capitals make no other recipient", drawing(2, "  a  UNIVERSITY ", all), all, "under another key", 500, false},
		{"part of them", "an extract of the same people under another digest", drawing(2, "A University", people(400, 410)), people(400, 410), "under another key", 11, false},
		{"one of them", "one is enough", drawing(2, "A University", people(500, 900)), people(500, 900), "has a release of 1 of these employers", 1, false},
		{"others", "no one in common", drawing(2, "A University", people(501, 900)), people(501, 900), "", 0, false},
		{"same key, another scramble", "two scrambles again", otherwise, all, "scrambled otherwise under the same key", 500, false},
		{"only recorded", "a run or a seed", loose, all, "", 0, false},
		{"one approval", "two are needed", drawing(2, "A University", all, "Jan"), all, "one name was given", 500, false},
		{"one approval twice", "the same person", drawing(2, "A University", all, "Jan", " JAN "), all, "two different ones", 500, false},
		{"two approvals", "two people decided", drawing(2, "A University", all, "Jan", "Mia"), all, "", 0, true},
		{"needless approvals", "nothing was approved", drawing(2, "B University", all, "Jan", "Mia"), all, "", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), BookName)
			b, err := OpenBook(path)
			if err != nil {
				t.Fatal(err)
			}
			first := drawing(1, "A University", all)
			first.Delivery = 1
			if _, err := b.Record(noon, first, all); err != nil {
				t.Fatal(err)
			}
			tt.d.Delivery = b.NextDelivery(tt.d.Key, tt.d.Phase, tt.d.Recipient)
			_, err = b.Record(noon, tt.d, tt.p)
			var second *SecondKeyError
			if tt.refused == "" && err != nil || tt.refused != "" && (!errors.As(err, &second) || !strings.Contains(err.Error(), tt.refused) || second.Shared != tt.shared) {
				t.Fatalf("%s: got %v, want %q and %d shared", tt.why, err, tt.refused, tt.shared)
			}
			if err != nil {
				if !strings.Contains(err.Error(), "--reuse") || !strings.Contains(err.Error(), "--approve") {
					t.Errorf("the refusal does not say how to go on: %v", err)
				}
				return
			}
			if b, err = OpenBook(path); err != nil {
				t.Fatal(err)
			}
			last := b.keys[len(b.keys)-1]
			if got := len(last.ApprovedBy) == 2 && len(last.Overlaps) == 1; got != tt.approved {
				t.Errorf("%s: approvals %q over entries %v were recorded", tt.why, last.ApprovedBy, last.Overlaps)
			}
			if tt.approved { // and its deliveries need no further approval
				again := tt.d
				again.ApprovedBy, again.Delivery = nil, b.NextDelivery(again.Key, again.Phase, again.Recipient)
				if _, err := b.Record(noon, again, tt.p); err != nil {
					t.Errorf("an approved key was refused later: %v", err)
				}
			}
		})
	}
}

// The ledger is private, keeps no identifier in plain, enters a population once,
// and a release that was never made binds nobody.
func TestBookFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), BookName)
	b, err := OpenBook(path)
	if err != nil {
		t.Fatal(err)
	}
	all := people(1, 50)
	var entries []int
	for key := range uint64(3) {
		d := drawing(key, fmt.Sprint("recipient ", key), all)
		d.Delivery = 1
		n, err := b.Record(noon, d, all)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, n)
	}
	if diff := cmp.Diff([]int{2, 3, 4}, entries); diff != "" {
		t.Errorf("entries: the population stands in the first (-want +got):\n%s", diff)
	}
	if got := b.Drawn("swap", all.Digest); got != 3 {
		t.Errorf("%d keys drawn, want 3", got)
	}
	if err := b.Withdraw(noon, entries[0], "test"); err != nil {
		t.Fatal(err)
	}
	d := drawing(9, "recipient 0", all)
	if d.Delivery = b.NextDelivery(d.Key, d.Phase, d.Recipient); d.Delivery != 1 {
		t.Errorf("delivery %d after a release that was never made, want 1", d.Delivery)
	}
	if _, err := b.Record(noon, d, all); err != nil {
		t.Errorf("a release that was never made binds: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range all.Employers {
		if strings.Contains(string(text), id) {
			t.Fatalf("the ledger names employer %s", id)
		}
	}
	// A figure that was changed later is seen.
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), `"recipient 1"`, `"recipient 7"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBook(path); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a ledger that was changed was opened: %v", err)
	}
	if _, err := OpenBook(filepath.Join(t.TempDir(), "release", "l.jsonl"), filepath.Dir(path)); err != nil {
		t.Error(err)
	}
	inside := filepath.Join(t.TempDir(), "release")
	if _, err := OpenBook(filepath.Join(inside, BookName), inside); err == nil || !strings.Contains(err.Error(), "inside the release") {
		t.Errorf("a ledger inside the release: %v", err)
	}
}

// The same identifiers in two generated worlds are different people.
func TestWorlds(t *testing.T) {
	b, err := OpenBook(filepath.Join(t.TempDir(), BookName))
	if err != nil {
		t.Fatal(err)
	}
	for key := range uint64(2) {
		p := people(1, 50)
		p.Digest = fmt.Sprint("world ", key)
		p.World = p.Digest
		d := drawing(key, "A University", p)
		d.Delivery = b.NextDelivery(d.Key, d.Phase, d.Recipient)
		if _, err := b.Record(noon, d, p); err != nil {
			t.Error(err)
		}
	}
}

// Several programs enter keys at the same time; none is lost.
func TestRecordTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), BookName)
	all := people(1, 20)
	var group sync.WaitGroup
	for key := range uint64(8) {
		group.Add(1)
		go func() {
			defer group.Done()
			b, err := OpenBook(path)
			if err == nil {
				d := drawing(key, "A University", all)
				d.Binds, d.Delivery = false, 1
				_, err = b.Record(noon, d, all)
			}
			if err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	b, err := OpenBook(path)
	if err != nil || len(b.keys) != 8 {
		t.Errorf("%d of 8 keys were entered: %v", len(b.keys), err)
	}
	populations := 0
	for _, e := range b.l.Entries() {
		if e.Kind == kindPopulation {
			populations++
		}
	}
	if populations != 1 {
		t.Errorf("the population was entered %d times", populations)
	}
}

func TestPack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOf(rapid.Uint64Range(0, 1<<(8*memberBytes)-1)).Draw(t, "members")
		slices.Sort(v)
		v = slices.Compact(v)
		got, err := unpack(pack(v))
		if err != nil || !slices.Equal(v, got) {
			t.Fatalf("got %v, %v, want %v", got, err, v)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack([]uint64{1, 2, 3}))
	f.Fuzz(func(_ *testing.T, s string) { _, _ = unpack(s) })
}

// Keys are told apart by what does not give them away.
func TestFingerprint(t *testing.T) {
	key := rng.NewSecret()
	b, err := json.Marshal(Drawing{Key: Fingerprint(key)})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), fmt.Sprintf("%x", key.Bytes()[:8])) || Fingerprint(key) == Fingerprint(rng.NewSecret()) {
		t.Errorf("fingerprint %s", b)
	}
}
