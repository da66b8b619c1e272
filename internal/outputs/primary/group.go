package primary

import (
	"context"
	"math"
	"math/bits"
	"slices"

	"scramblelab/internal/par"
)

// grouped are rows of which those of a contributor stand together, in their old
// order.
type grouped struct {
	Rows
	start []int32 // contributor c has the rows start[c] to start[c+1]
	order []int32 // contributors with rows, those of a like combination together
}

// mostRuns is how many runs a first pass spreads the rows over: each is written in
// order, and small enough to be sorted in a processor's cache.
const mostRuns = 512

// group brings the rows of each contributor together. Rows in random order are
// spread over runs of contributors first and sorted run by run, because a single
// pass would wait for memory at every row.
func (r Rows) group(ctx context.Context, contributors, combinations int) (grouped, error) {
	g := grouped{Rows: r, start: make([]int32, contributors+1)}
	least := slices.Repeat([]int32{math.MaxInt32}, contributors)
	sorted, last := true, int32(0)
	for i, c := range r.Contributor {
		g.start[c+1]++
		sorted, last = sorted && c >= last, c
		if f := r.Combination[i]; f >= 0 {
			least[c] = min(least[c], f)
		}
	}
	for c := range contributors {
		g.start[c+1] += g.start[c]
	}
	g.order = byCombination(least, combinations)
	if sorted {
		return g, nil
	}
	return g, g.spread(ctx, contributors)
}

// byCombination orders contributors by the first of their combinations, so that
// one after the other adds to the same cells. Those that are in no cell are left
// out.
func byCombination(least []int32, combinations int) []int32 {
	next := make([]int32, combinations+1)
	n := 0
	for _, f := range least {
		if f != math.MaxInt32 {
			next[f+1]++
			n++
		}
	}
	for f := range combinations {
		next[f+1] += next[f]
	}
	order := make([]int32, n)
	for c, f := range least {
		if f != math.MaxInt32 {
			order[next[f]] = int32(c)
			next[f]++
		}
	}
	return order
}

// spread replaces the rows by a copy in the order of contributors.
func (g *grouped) spread(ctx context.Context, contributors int) error {
	r, n := g.Rows, len(g.Contributor)
	shift := max(0, bits.Len(uint(contributors))-bits.Len(uint(mostRuns))+1)
	runs := (contributors-1)>>shift + 1
	const chunks = 8 // fixed; each writes its own part of every run
	at := make([][]int32, chunks)
	bound := func(k int) int { return k * n / chunks }
	err := par.Do(ctx, chunks, func(k int) error {
		at[k] = make([]int32, runs)
		for _, c := range r.Contributor[bound(k):bound(k+1)] {
			at[k][c>>shift]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for run := range runs {
		next := g.start[run<<shift]
		for k := range at {
			at[k][run], next = next, next+at[k][run]
		}
	}
	out := Rows{Combination: make([]int32, n), Contributor: make([]int32, n), Values: make([][]float64, len(r.Values))}
	for m := range r.Values {
		out.Values[m] = make([]float64, n)
	}
	if r.Weights != nil {
		out.Weights = make([]float64, n)
	}
	err = par.Do(ctx, chunks, func(k int) error {
		next := at[k]
		for i := bound(k); i < bound(k+1); i++ {
			c := r.Contributor[i]
			to := next[c>>shift]
			next[c>>shift]++
			out.Contributor[to], out.Combination[to] = c, r.Combination[i]
			for m, v := range r.Values {
				out.Values[m][to] = v[i]
			}
			if r.Weights != nil {
				out.Weights[to] = r.Weights[i]
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	g.Rows = out
	return par.Do(ctx, runs, func(run int) error {
		g.sortRun(run<<shift, min((run+1)<<shift, contributors))
		return ctx.Err()
	})
}

// sortRun sorts the rows of the contributors lo to hi, which stand together.
func (g *grouped) sortRun(lo, hi int) {
	from, to := g.start[lo], g.start[hi]
	next := make([]int32, hi-lo)
	for c := range next {
		next[c] = g.start[lo+c] - from
	}
	place := make([]int32, to-from)
	for i, c := range g.Contributor[from:to] {
		place[i] = next[int(c)-lo]
		next[int(c)-lo]++
	}
	sortBy(g.Combination[from:to], place)
	for _, v := range g.Values {
		sortBy(v[from:to], place)
	}
	if g.Weights != nil {
		sortBy(g.Weights[from:to], place)
	}
}

func sortBy[T any](v []T, place []int32) {
	old := slices.Clone(v)
	for i, to := range place {
		v[to] = old[i]
	}
}
