package tune

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"scramblelab/internal/ledger"
)

// Kinds of entries of a book.
const (
	kindSearch   = "tune"
	kindMeasured = "measured"
)

// Book keeps what was measured, entry by entry, so that a search that was cut off
// goes on where it stopped. It is a ledger: a book that was changed or that
// belongs to another search is refused, never trusted. A book holds figures of
// the confidential original and is confidential itself.
type Book struct {
	mu   sync.Mutex
	to   *ledger.Ledger // nil: in memory only
	done map[slot]measured
}

// slot is a point on a key.
type slot struct{ point, key int }

// measured is one entry.
type measured struct {
	Point    Point   `json:"point"`
	Key      int     `json:"key"`
	Scores   *Scores `json:"scores,omitempty"`
	Unusable string  `json:"unusable,omitempty"`
}

// search is the first entry.
type search struct {
	Digest string `json:"digest"`
}

// NewBook returns a book in memory.
func NewBook() *Book { return &Book{done: map[slot]measured{}} }

// OpenBook opens the book of a search, or begins it. Digest names the search:
// plan, space, data, options and the program's version. The errors say what to do
// next.
func OpenBook(path, digest string) (*Book, error) {
	to, err := ledger.Open(path)
	if err != nil {
		return nil, err
	}
	b := NewBook()
	b.to = to
	entries := to.Entries()
	if len(entries) == 0 {
		_, err := to.Append(kindSearch, time.Now(), search{digest})
		return b, err
	}
	if got, err := b.read(path, entries); err != nil {
		return nil, err
	} else if got != digest {
		return nil, fmt.Errorf("tune: %s holds another search (other plan, space, data, options or version): name another output, or remove the file to begin anew", path)
	}
	return b, nil
}

// ReadBook reads the book of a finished or unfinished search and the digest of
// that search.
func ReadBook(path string) (*Book, string, error) {
	l, err := ledger.Open(path)
	if err != nil {
		return nil, "", err
	}
	b := NewBook()
	digest, err := b.read(path, l.Entries())
	return b, digest, err
}

// read takes over entries and returns the digest of their search.
func (b *Book) read(path string, entries []ledger.Entry) (digest string, err error) {
	if len(entries) == 0 || entries[0].Kind != kindSearch {
		return "", fmt.Errorf("tune: %s is no record of a search", path)
	}
	var s search
	if err := json.Unmarshal(entries[0].Body, &s); err != nil {
		return "", fmt.Errorf("tune: %s: %w", path, err)
	}
	for _, e := range entries[1:] {
		var m measured
		if e.Kind != kindMeasured {
			return "", fmt.Errorf("tune: %s: entry %d is of kind %q, want %q", path, e.Seq, e.Kind, kindMeasured)
		}
		if err := json.Unmarshal(e.Body, &m); err != nil {
			return "", fmt.Errorf("tune: %s: entry %d: %w", path, e.Seq, err)
		}
		if (m.Scores == nil) == (m.Unusable == "") {
			return "", fmt.Errorf("tune: %s: entry %d has neither scores nor a reason, or both", path, e.Seq)
		}
		b.done[slot{m.Point.ID, m.Key}] = m
	}
	return s.Digest, nil
}

// Join adds what another part of the same search measured.
func (b *Book) Join(other *Book) {
	for k, m := range other.done {
		if _, ok := b.done[k]; !ok {
			b.done[k] = m
		}
	}
}

// Recall returns a measure that takes from the book what it holds, and measures
// the rest.
func (b *Book) Recall(measure Measure) Measure {
	return func(ctx context.Context, p Point, key int) (Scores, error) {
		m, ok := b.get(slot{p.ID, key})
		switch {
		case !ok:
			return measure(ctx, p, key)
		case m.Unusable != "":
			return Scores{}, Unusable{m.Unusable}
		}
		return *m.Scores, nil
	}
}

// Len returns the number of measurements.
func (b *Book) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.done)
}

func (b *Book) get(s slot) (measured, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.done[s]
	return m, ok
}

func (b *Book) put(m measured) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done[slot{m.Point.ID, m.Key}] = m
	if b.to == nil {
		return nil
	}
	_, err := b.to.Append(kindMeasured, time.Now(), m)
	return err
}

// summary sums up the keys 0, 1, … that a point was measured on.
func (b *Book) summary(p Point, keys int, level float64) Summary {
	var all []Scores
	for k := range keys {
		m, ok := b.get(slot{p.ID, k})
		if !ok {
			break
		}
		if m.Unusable != "" {
			return Summary{Point: p, Keys: k, Reason: m.Unusable}
		}
		all = append(all, *m.Scores)
	}
	return Summarise(p, all, level)
}
