package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// written makes a ledger of three entries.
func written(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := l.Append("outputs", noon, map[string]any{"cells": i, "name": "a <b> & c"}); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestAppend(t *testing.T) {
	path := written(t)
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range l.Entries() {
		kinds = append(kinds, e.Kind+" "+e.Time)
	}
	want := []string{"outputs 2026-11-22T12:00:00Z", "outputs 2026-11-22T12:00:00Z", "outputs 2026-11-22T12:00:00Z"}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600: a ledger is confidential", info.Mode())
	}
	if !l.Contains(l.Entries()[0].Hash) || l.Contains("00ff") {
		t.Error("a head that was noted must be found, another not")
	}

	// Two programs with the same ledger open: the second must not overwrite.
	m, _ := Open(path)
	if _, err := l.Append("outputs", noon, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Append("outputs", noon, 2); err == nil {
		t.Error("an entry of another program was overwritten")
	}
}

func TestTampering(t *testing.T) {
	path := written(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))[:3]
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	for _, tt := range []struct {
		name, why string
		b         []byte
		line      int // 0: not seen by the chain
	}{
		{"whole", "nothing was changed", whole, 0},
		{"changed", "a figure of the second entry", bytes.Replace(whole, []byte(`"cells":1`), []byte(`"cells":7`), 1), 2},
		{"removed", "an entry in the middle", join(lines[0], lines[2]), 2},
		{"exchanged", "the order", join(lines[1], lines[0], lines[2]), 1},
		{"doubled", "an entry twice", join(lines[0], lines[0], lines[1]), 2},
		{"cut off", "half a line", whole[:len(whole)-5], 3},
		{"padded", "a space changes no value and no hash of the content", bytes.Replace(whole, []byte(`"seq":2,`), []byte(`"seq":2, `), 1), 2},
		{"shortened", "only a head that was noted elsewhere shows it", join(lines[0], lines[1]), 0},
	} {
		_, err := parse("ledger.jsonl", tt.b)
		var broken *BrokenError
		switch {
		case tt.line == 0 && err != nil, tt.line > 0 && (!errors.As(err, &broken) || broken.Line != tt.line):
			t.Errorf("%s: %v, want line %d: %s", tt.name, err, tt.line, tt.why)
		}
	}
	var last Entry
	if err := json.Unmarshal(lines[2], &last); err != nil {
		t.Fatal(err)
	}
	entries, _ := parse("", join(lines[0], lines[1]))
	if (&Ledger{entries: entries}).Contains(last.Hash) {
		t.Error("the head of a shortened ledger was found")
	}
}

// TestEveryByteCounts: no single byte can change without being seen.
func TestEveryByteCounts(t *testing.T) {
	whole, err := os.ReadFile(written(t))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(whole)
		i := rapid.IntRange(0, len(b)-1).Draw(t, "byte")
		b[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "change"))
		if _, err := parse("", b); err == nil {
			t.Fatalf("byte %d was changed unseen", i)
		}
	})
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile(written(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parse("fuzz", b)
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, e := range entries {
			line, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			again.Write(append(line, '\n'))
		}
		if !bytes.Equal(again.Bytes(), b) {
			t.Fatal("a ledger was accepted that is written otherwise")
		}
	})
}
