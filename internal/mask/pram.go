package mask

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// PRAM says how the categories of a column are redrawn.
type PRAM struct {
	Column string
	By     []string // strata, coded or integer columns; none is one stratum
	Stay   float64  // diagonal of the first matrix: chance to stay in it, in [0, 1]
	Alpha  float64  // weight of the invariant matrix against staying, in (0, 1]
}

// Invariant is the transition matrix of invariant PRAM for categories with
// shares p > 0 that add up to 1, by the two-stage construction (Kooiman,
// Willenborg and Gouweleeuw 1997; METHODS 1.7): with P the matrix with diagonal
// stay and equal chances elsewhere, Q_kj = P_jk·p_j/Σ_j p_j·P_jk and R = PQ,
// the result is alpha·R + (1-alpha)·I. Rows add up to 1 and p is invariant.
func Invariant(p, stay []float64, alpha float64) [][]float64 {
	n := len(p)
	if n == 1 {
		return [][]float64{{1}}
	}
	first, second := square(n), square(n)
	for i := range n {
		for j := range n {
			first[i][j] = (1 - stay[i]) / float64(n-1)
		}
		first[i][i] = stay[i]
	}
	for k := range n {
		sum := 0.0
		for j := range n {
			sum += float64(p[j] * first[j][k])
		}
		for j := range n {
			if sum > 0 {
				second[k][j] = first[j][k] * p[j] / sum
			}
		}
	}
	out := square(n)
	for i := range n {
		for j := range n {
			r := 0.0
			for k := range n {
				r += float64(first[i][k] * second[k][j])
			}
			out[i][j] = float64(alpha * r)
		}
		out[i][i] += 1 - alpha
	}
	return out
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

// Pram redraws every category by the invariant matrix of its stratum. A missing
// value stays missing.
//
// Counts of the column in a stratum are kept in expectation only: count k has
// variance Σ_i n_i·R_ik(1-R_ik). Every table that crosses the column with
// something else is drawn towards independence inside strata, and single rows
// no longer fit together (a doctor with a primary school level). The exact
// counterpart is a random swap, which keeps the counts.
func Pram(ctx context.Context, jobs *frame.Frame, o PRAM, key rng.Secret, step int) (*frame.Frame, Report, error) {
	r := Report{Step: StepPRAM, Unit: "jobs", Protects: "the " + o.Column + " of any one worker, and counts by " + o.Column,
		NotKept: []string{"counts by " + o.Column + ", which are kept in expectation only", "its relation with every other column"}}
	c, ok := jobs.Lookup(o.Column)
	switch {
	case !ok:
		return nil, r, fmt.Errorf("mask: no column %q among %q", o.Column, jobs.Names())
	case !c.Coded():
		return nil, r, fmt.Errorf("mask: column %q is %v: PRAM redraws categories; for numbers use %s", o.Column, c.Kind, StepNoise)
	case !(o.Stay >= 0 && o.Stay <= 1):
		return nil, r, fmt.Errorf("mask: stay is %v, want a chance in [0, 1]", o.Stay)
	case !(o.Alpha > 0 && o.Alpha <= 1):
		return nil, r, fmt.Errorf("mask: alpha is %v, want a weight in (0, 1]", o.Alpha)
	case slices.Contains(o.By, o.Column):
		return nil, r, fmt.Errorf("mask: by names %q, the column that is redrawn: take it out", o.Column)
	}
	if err := checkKey(key); err != nil {
		return nil, r, err
	}
	groups, err := strataBy(jobs, o.By, func(i int) bool { return c.I[i] >= 0 })
	if err != nil {
		return nil, r, err
	}
	key = key.Derive("mask step " + strconv.Itoa(step))
	now := c
	now.I = append([]int32(nil), c.I...)
	type tally struct {
		changed           int64
		expected, largest float64 // rows changed on average; and if every draw were from the shares
	}
	tallies, err := par.Map(ctx, groups.len(), func(k int) (tally, error) {
		rows := groups.of(k)
		var t tally
		counts := make([]int64, c.Dict.Len())
		for _, i := range rows {
			counts[c.I[i]]++
		}
		var codes []int32
		var p, stay []float64
		at := make([]int32, len(counts))
		for code, n := range counts {
			if n > 0 {
				at[code] = int32(len(codes))
				codes, p, stay = append(codes, int32(code)), append(p, float64(n)/float64(len(rows))), append(stay, o.Stay)
			}
		}
		m := Invariant(p, stay, o.Alpha)
		for i := range m {
			t.expected += float64(counts[codes[i]]) * (1 - m[i][i])
			t.largest += float64(counts[codes[i]]) * (1 - p[i])
		}
		s := key.Stream(StepPRAM, groups.address[k])
		for _, i := range rows {
			if to := codes[pickFrom(s, m[at[c.I[i]]])]; to != c.I[i] {
				now.I[i] = to
				t.changed++
			}
		}
		return t, nil
	})
	if err != nil {
		return nil, r, err
	}
	change := Change{Column: o.Column, Of: int64(len(groups.rows)), Mean: math.NaN(), RMS: math.NaN(), Variance: math.NaN()}
	expected, largest := 0.0, 0.0
	for _, t := range tallies {
		change.Rows += t.changed
		expected, largest = expected+t.expected, largest+t.largest
	}
	r.Units, r.Touched, r.Changes = int64(len(groups.rows)), change.Rows, []Change{change}
	if largest > 0 {
		r.Redrawn = min(1, expected/largest)
	}
	if change.Rows == 0 && len(groups.rows) > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("no %s changed: the step protects nothing; use a smaller stay, a larger alpha, or fewer columns in by", o.Column))
	}
	return jobs.With(now), r, nil
}

// pickFrom draws a position with the chances given, which add up to 1.
func pickFrom(s *rng.Stream, chances []float64) int {
	u := s.Float64()
	last := 0
	for i, p := range chances {
		if p <= 0 {
			continue
		}
		if last = i; u < p {
			return i
		}
		u -= p
	}
	return last
}
