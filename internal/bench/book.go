package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"scramblelab/internal/ledger"
)

// Kinds of entries of a book.
const (
	kindBench    = "bench"
	kindMeasured = "measured"
)

// book keeps what a run under way has measured, so that one that was cut off goes
// on. It is a ledger: a book that was changed is refused. One of another build of
// the program is begun anew, since its figures are what is being judged.
type book struct {
	mu   sync.Mutex
	to   *ledger.Ledger // nil: in memory only
	path string
	done map[slot]Replication
}

// slot is a scenario, by its digest, on a seed.
type slot struct {
	digest string
	seed   int
}

type entry struct {
	Scenario string      `json:"scenario"`
	Digest   string      `json:"digest"`
	Seed     int         `json:"seed"`
	Measured Replication `json:"measured"`
}

type head struct {
	Build string `json:"build"`
}

func openBook(path, build string) (*book, error) {
	b := &book{path: path, done: map[slot]Replication{}}
	if path == "" {
		return b, nil
	}
	l, err := ledger.Open(path)
	if err != nil {
		return nil, fmt.Errorf("bench: %w (or remove it to begin anew)", err)
	}
	entries := l.Entries()
	var h head
	if len(entries) > 0 {
		if entries[0].Kind != kindBench || json.Unmarshal(entries[0].Body, &h) != nil {
			return nil, fmt.Errorf("bench: %s is no record of benchmarks: name another output", path)
		}
		if h.Build != build {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("bench: %w", err)
			}
			if l, err = ledger.Open(path); err != nil {
				return nil, err
			}
			entries = nil
		}
	}
	b.to = l
	if len(entries) == 0 {
		_, err := l.Append(kindBench, time.Now(), head{build})
		return b, err
	}
	for _, e := range entries[1:] {
		var m entry
		if e.Kind != kindMeasured || json.Unmarshal(e.Body, &m) != nil {
			return nil, fmt.Errorf("bench: %s: entry %d is no measurement: remove the file to begin anew", path, e.Seq)
		}
		b.done[slot{m.Digest, m.Seed}] = m.Measured
	}
	return b, nil
}

func (b *book) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.done)
}

func (b *book) get(digest string, seed int) (Replication, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.done[slot{digest, seed}]
	return r, ok
}

func (b *book) put(scenario, digest string, seed int, r Replication) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done[slot{digest, seed}] = r
	if b.to == nil {
		return nil
	}
	_, err := b.to.Append(kindMeasured, time.Now(), entry{scenario, digest, seed, r})
	return err
}

// remove ends a book whose run is finished.
func (b *book) remove() error {
	if b.path == "" {
		return nil
	}
	if err := os.Remove(b.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}
