// Package mask holds the steps of a scramble that are no permutations: sampling
// workers and merging small employers. They are the
// remedies for what no permutation touches, the head count of an employer, and
// each says in its report what it does not keep.
package mask

import (
	"fmt"
	"hash/fnv"

	"scramblelab/internal/frame"
	"scramblelab/internal/rng"
)

// Names of the steps as a plan writes them.
const (
	StepSampleWorkers       = "sample-workers"
	StepMergeSmallEmployers = "merge-small-employers"
)

// Report says what a step did.
type Report struct {
	Step     string
	Unit     string // what Units and Touched count
	Units    int64
	Touched  int64 // workers left out, employers merged
	Protects string
	NotKept  []string // what analysts lose, in words
	Warnings []string
}

// TouchedShare is the share of units touched.
func (r Report) TouchedShare() float64 {
	if r.Units == 0 {
		return 0
	}
	return float64(r.Touched) / float64(r.Units)
}

func checkKey(key rng.Secret) error {
	if key.IsZero() {
		return fmt.Errorf("mask: no key: draw one with rng.NewSecret")
	}
	return nil
}

// address hashes the labels or values of a row, so that draws do not depend on
// codes or positions.
func address(cols []frame.Column, row int) uint64 {
	h := uint64(len(cols))
	for _, c := range cols {
		switch {
		case c.Missing(row):
			h = rng.Mix(h, 1)
		case c.Coded():
			f := fnv.New64a()
			f.Write([]byte(c.Dict.Label(c.I[row])))
			h = rng.Mix(rng.Mix(h, 2), f.Sum64())
		default:
			h = rng.Mix(rng.Mix(h, 3), uint64(int64(c.I[row])))
		}
	}
	return h
}
