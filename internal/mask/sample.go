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
// deviation sqrt(n(1-share)/share). A worker who is left out is so in every
// year, so that stacking years tells no more than the staff's turnover does.
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
		ids := distinct(worker.I)
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

// SampleEmployers keeps each unit of publication with probability share in
// [0, 1], and returns whether it is kept, in the order of the units.
//
// Units are drawn independently, so that nobody is certain to be in a release,
// and so that a release tells the number of units behind it only up to a
// binomial error. The units kept are exactly as exposed as before once an
// intruder knows that they are there.
func SampleEmployers(units int, share float64, key rng.Secret, step int) ([]bool, Report, error) {
	r := Report{Step: StepSampleEmployers, Unit: "records", Units: int64(units),
		Protects: "whether an employer is in the release at all; not those who are known to be",
		NotKept:  []string{"totals (design weights are divided by the share)", "precision: every standard error grows"}}
	if !(share >= 0 && share <= 1) {
		return nil, r, fmt.Errorf("mask: share is %v, want a share of employers kept in [0, 1]", share)
	}
	if err := checkKey(key); err != nil {
		return nil, r, err
	}
	s := key.Derive("mask step "+strconv.Itoa(step)).Stream(StepSampleEmployers, 0)
	keep := make([]bool, units)
	for u := range keep {
		if keep[u] = s.Bool(share); !keep[u] {
			r.Touched++
		}
	}
	if r.Touched == r.Units {
		return nil, r, fmt.Errorf("mask: share %v kept none of %d employers: nothing is left to release; keep a larger share", share, units)
	}
	return keep, r, nil
}

// dense reports whether a table from low to high is worth its room.
func dense(low, high int32, n int) bool { return int64(high)-int64(low) <= 8*int64(n)+1<<16 }

// distinct returns the identifiers that occur, rising.
func distinct(v []int32) []int32 {
	if len(v) == 0 {
		return nil
	}
	low, high := slices.Min(v), slices.Max(v)
	if !dense(low, high, len(v)) {
		ids := slices.Clone(v)
		slices.Sort(ids)
		return slices.Compact(ids)
	}
	there := make([]bool, int64(high)-int64(low)+1)
	for _, id := range v {
		there[int64(id)-int64(low)] = true
	}
	var ids []int32
	for k, yes := range there {
		if yes {
			ids = append(ids, int32(int64(low)+int64(k)))
		}
	}
	return ids
}

// finder returns the position of an identifier among sorted ones, by table
// where they lie close together.
func finder(ids []int32) func(int32) int {
	if len(ids) == 0 {
		return nil
	}
	low, high := ids[0], ids[len(ids)-1]
	if !dense(low, high, len(ids)) {
		return func(id int32) int {
			k, _ := slices.BinarySearch(ids, id)
			return k
		}
	}
	table := make([]int32, int64(high)-int64(low)+1)
	for k, id := range ids {
		table[int64(id)-int64(low)] = int32(k)
	}
	return func(id int32) int { return int(table[int64(id)-int64(low)]) }
}
