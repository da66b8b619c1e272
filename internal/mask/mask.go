// Package mask holds the steps of a scramble that are no permutations. Sampling
// workers and merging small employers are the remedies for what no permutation
// touches, the head count of an employer; top coding, noise, invariant PRAM and
// microaggregation replace values. Each says in its report what it changed and
// what it does not keep.
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
	StepTopCode             = "top-code"
	StepNoise               = "noise"
	StepPRAM                = "pram"
	StepMicroaggregate      = "microaggregate"
	StepRecode              = "recode"
	StepSampleEmployers     = "sample-employers"
)

// Report says what a step did.
type Report struct {
	Step     string
	Unit     string // what Units and Touched count
	Units    int64
	Touched  int64 // workers left out, employers merged, values replaced
	Protects string
	NotKept  []string // what analysts lose, in words
	Warnings []string

	Changes []Change // by column, for steps that replace values
	// Redrawn is the share of values that a step of categories would have to draw
	// from the shares of the stratum to change as many, in [0, 1].
	Redrawn float64
}

// Change says what became of a column.
type Change struct {
	Column   string
	Rows     int64   // with another value
	Of       int64   // rows that have a value
	Mean     float64 // relative change of the mean over all rows; NaN where there is none
	RMS      float64 // root mean squared change of a value, in its unit; NaN for categories
	Variance float64 // variance after over variance before; NaN where there is none
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
