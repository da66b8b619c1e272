// Package ledger keeps what was done in a project, in order, so that it can be
// shown later that nothing was changed or left out: a file of one JSON object
// per line, each with the hash of the one before it.
//
// Whoever changes, removes, inserts or exchanges an entry breaks the chain from
// there on, and [Open] names the line. Cutting entries off the end breaks
// nothing that the file itself could show: note the [Ledger.Head] elsewhere (it
// stands in every report) and give it to [Ledger.Contains]. Who may rewrite the
// whole file can forge a whole chain; only a head that was noted elsewhere
// tells.
//
// A ledger is confidential: it holds what was checked as well as what left.
package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"scramblelab/internal/folder"
)

// Entry is one line of a ledger.
type Entry struct {
	Seq  int             `json:"seq"`  // from 1
	Time string          `json:"time"` // RFC 3339, UTC
	Kind string          `json:"kind"` // outputs, release, approval, ...
	Body json.RawMessage `json:"body"`
	Prev string          `json:"prev"` // hash of the entry before, 64 zeros for the first
	Hash string          `json:"hash"` // of all of the above
}

// sum is the hash of an entry. Every field is preceded by its length, so that no
// two entries give the same bytes.
func (e Entry) sum() string {
	h := sha256.New()
	for _, field := range []string{"scramblelab ledger 1", fmt.Sprint(e.Seq), e.Time, e.Kind, e.Prev, string(e.Body)} {
		h.Write(fmt.Appendf(nil, "%d:%s;", len(field), field)) // never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// BrokenError says where a ledger is not what was written.
type BrokenError struct {
	Path string
	Line int // from 1
	Why  string
}

// Error names file and line.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("ledger: %s:%d: %s: the ledger was changed after it was written, nothing can rest on it; restore it from a copy", e.Path, e.Line, e.Why)
}

// Ledger is an open ledger whose chain holds.
type Ledger struct {
	path    string
	entries []Entry
}

// origin is the hash before the first entry.
var origin = strings.Repeat("0", 2*sha256.Size)

// Open reads a ledger and verifies its chain. A file that does not exist is an
// empty ledger, and is made by the first [Ledger.Append]. The error is a
// [*BrokenError] where the chain does not hold.
func Open(path string) (*Ledger, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Ledger{path: path}, nil
	case err != nil:
		return nil, fmt.Errorf("ledger: %w", err)
	}
	entries, err := parse(path, b)
	if err != nil {
		return nil, err
	}
	return &Ledger{path: path, entries: entries}, nil
}

func parse(path string, b []byte) ([]Entry, error) {
	var entries []Entry
	prev := origin
	for line := 1; len(b) > 0; line++ {
		broken := func(format string, args ...any) error {
			return &BrokenError{path, line, fmt.Sprintf(format, args...)}
		}
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			return nil, broken("the last line is cut off")
		}
		text := b[:end]
		b = b[end+1:]
		var e Entry
		if err := json.Unmarshal(text, &e); err != nil {
			return nil, broken("not an entry (%v)", err)
		}
		// Written anew it must be the same bytes: no second key of a name, no
		// field that a reader skips.
		if again, err := json.Marshal(e); err != nil || !bytes.Equal(again, text) {
			return nil, broken("not as this program writes an entry")
		}
		switch {
		case e.Seq != line:
			return nil, broken("entry %d stands where entry %d should", e.Seq, line)
		case e.Prev != prev:
			return nil, broken("it does not follow the entry before it")
		case e.Hash != e.sum():
			return nil, broken("its hash is not that of its content")
		}
		prev = e.Hash
		entries = append(entries, e)
	}
	return entries, nil
}

// Entries returns all entries, the oldest first; the caller must not change
// them.
func (l *Ledger) Entries() []Entry { return l.entries }

// Head returns the hash of the last entry, 64 zeros for an empty ledger.
func (l *Ledger) Head() string {
	if len(l.entries) == 0 {
		return origin
	}
	return l.entries[len(l.entries)-1].Hash
}

// Contains reports whether a head that was noted earlier is in the ledger, that
// is, whether nothing up to it was cut off.
func (l *Ledger) Contains(head string) bool {
	if head == origin {
		return true
	}
	for _, e := range l.entries {
		if e.Hash == head {
			return true
		}
	}
	return false
}

// ErrBusy says that another program writes the ledger, or wrote it since it was
// opened: open it again and look whether the entry still holds.
var ErrBusy = errors.New("another program writes it")

// Append adds an entry and writes the ledger, complete or not at all, mode 0600.
// It refuses, with [ErrBusy], where the file has changed since [Open] or is being
// written.
func (l *Ledger) Append(kind string, at time.Time, body any) (Entry, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return Entry{}, fmt.Errorf("ledger: %w", err)
	}
	e := Entry{Seq: len(l.entries) + 1, Time: at.UTC().Format(time.RFC3339), Kind: kind, Body: raw, Prev: l.Head()}
	e.Hash = e.sum()
	unlock, err := lock(l.path)
	if err != nil {
		return Entry{}, fmt.Errorf("ledger: %s cannot be locked, %w: run again; where %[1]s.lock stands and no other program runs, remove that: %w", l.path, ErrBusy, err)
	}
	defer unlock()
	now, err := Open(l.path)
	switch {
	case err != nil:
		return Entry{}, err
	case now.Head() != l.Head():
		return Entry{}, fmt.Errorf("ledger: %s, %w in the meantime: run again", l.path, ErrBusy)
	}
	all := slices.Concat(l.entries, []Entry{e})
	err = folder.WriteFile(l.path, 0o600, func(w io.Writer) error {
		for _, e := range all {
			b, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := w.Write(append(b, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Entry{}, err
	}
	l.entries = all
	return e, nil
}
