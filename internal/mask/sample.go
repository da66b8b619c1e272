package mask

import (
	"fmt"
	"slices"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// SampleWorkers keeps each worker, with all jobs and years, with probability
// share in [0, 1]; without a worker column it keeps rows. jobs is in canonical
// order, and so is the result.
//
// Workers are drawn independently (Bernoulli sampling, Särndal, Swensson and
// Wretman 1992, 3.2). A fixed number per employer would be more precise and
// would give the head count away: round(share·n) tells n to within 1/share.
// With independent draws a count k leaves an intruder n = k/share with standard
// deviation sqrt(n(1-share)/share), and one sample over all years leaves the
// path of head counts as uncertain as a single year: years cannot be averaged.
//
// Counts scale by share, so the share is published; employers all of whose
// workers are left out have no rows.
func SampleWorkers(jobs *frame.Frame, share float64, key rng.Secret, step int) (*frame.Frame, Report, error) {
	r := Report{Step: StepSampleWorkers, Unit: "workers",
		Protects: "head counts and their paths: an intruder sees a binomial count",
		NotKept:  []string{"head counts and totals (divide by the share for an unbiased estimate)", "employers of whom nobody was drawn", "cells of few workers"}}
	if !(share >= 0 && share <= 1) {
		return nil, r, fmt.Errorf("mask: share is %v, want a share of workers kept in [0, 1]", share)
	}
	if err := checkKey(key); err != nil {
		return nil, r, err
	}
	s := key.Derive("mask step "+strconv.Itoa(step)).Stream(StepSampleWorkers, 0)
	n := jobs.Rows()
	worker, ok := jobs.Lookup(linked.Worker)
	if !ok {
		r.Unit = "jobs"
	} else if worker.Kind == frame.Float || worker.Kind == frame.Long {
		return nil, r, fmt.Errorf("mask: column %q is %v, want a category or an integer", linked.Worker, worker.Kind)
	}
	rows := make([]int32, 0, n)
	if !ok {
		for i := range n {
			if s.Bool(share) {
				rows = append(rows, int32(i))
			}
		}
		r.Units, r.Touched = int64(n), int64(n-len(rows))
	} else {
		// One draw per worker in the order of identifiers, whatever the order
		// of rows; rows without a worker come last, each with its own draw.
		ids := slices.Clone(worker.I)
		slices.Sort(ids)
		ids = slices.Compact(ids)
		keep := make([]bool, len(ids))
		missing := -1
		for k, id := range ids {
			if id == frame.NoInt || worker.Coded() && id < 0 {
				missing = k
				continue
			}
			r.Units++
			if keep[k] = s.Bool(share); !keep[k] {
				r.Touched++
			}
		}
		at := finder(ids)
		for i, id := range worker.I {
			k := at(id)
			stays := keep[k]
			if k == missing {
				r.Units++
				if stays = s.Bool(share); !stays {
					r.Touched++
				}
			}
			if stays {
				rows = append(rows, int32(i))
			}
		}
	}
	if len(rows) == 0 && n > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("share %v kept none of %d %s: nothing is left to release", share, r.Units, r.Unit))
	}
	if len(rows) == n {
		return jobs, r, nil
	}
	return jobs.Take(rows), r, nil
}

// finder returns the position of an identifier among sorted ones, by table
// where they lie close together.
func finder(ids []int32) func(int32) int {
	if len(ids) == 0 {
		return nil
	}
	low, high := int64(ids[0]), int64(ids[len(ids)-1])
	if high-low > 8*int64(len(ids))+1<<16 {
		return func(id int32) int {
			k, _ := slices.BinarySearch(ids, id)
			return k
		}
	}
	table := make([]int32, high-low+1)
	for k, id := range ids {
		table[int64(id)-low] = int32(k)
	}
	return func(id int32) int { return int(table[int64(id)-low]) }
}
