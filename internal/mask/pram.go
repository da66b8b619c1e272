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
		codes, sizes := occurring(counts)
		m := newTransition(sizes, o.Stay, o.Alpha)
		for i, n := range sizes {
			t.expected += float64(n) * (1 - m.diagonal(i))
			t.largest += float64(n) * (1 - float64(n)/float64(len(rows)))
		}
		at := make([]int32, len(counts))
		for i, code := range codes {
			at[code] = int32(i)
		}
		s := key.Stream(StepPRAM, groups.address[k])
		for _, i := range rows {
			if to := codes[m.draw(s, int(at[c.I[i]]))]; to != c.I[i] {
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

// occurring returns the codes with counts above zero, and these counts.
func occurring(counts []int64) (codes []int32, sizes []int64) {
	for code, n := range counts {
		if n > 0 {
			codes, sizes = append(codes, int32(code)), append(sizes, n)
		}
	}
	return codes, sizes
}

// transition draws from the matrix of [Invariant] with one chance to stay for
// all categories, stage by stage: room and time do not grow with the square of
// the number of categories.
type transition struct {
	below       []int64 // rows in categories before each one, and at the end all
	stay, alpha float64
	other       float64   // chance of each other category in the first stage
	back        []float64 // by category: chance that the second stage stays there
	inverse     []float64 // by category: one over its share after the first stage
	sum         float64   // of inverse
}

func newTransition(sizes []int64, stay, alpha float64) *transition {
	n := len(sizes)
	t := &transition{below: make([]int64, n+1), stay: stay, alpha: alpha, back: make([]float64, n), inverse: make([]float64, n)}
	for i, size := range sizes {
		t.below[i+1] = t.below[i] + size
	}
	if n < 2 {
		return t
	}
	t.other = (1 - stay) / float64(n-1)
	for k := range sizes {
		p := t.share(k)
		after := float64(stay*p) + float64(t.other*(1-p))
		t.back[k], t.inverse[k] = stay*p/after, 1/after
		t.sum += t.inverse[k]
	}
	return t
}

func (t *transition) share(i int) float64 {
	return float64(t.below[i+1]-t.below[i]) / float64(t.below[len(t.below)-1])
}

// diagonal is the chance that category i stays.
func (t *transition) diagonal(i int) float64 {
	if len(t.back) < 2 {
		return 1
	}
	r := float64(t.stay*t.back[i]) + float64(t.other*t.other*t.share(i)*(t.sum-t.inverse[i]))
	return 1 - t.alpha + float64(t.alpha*r)
}

// draw returns what category i becomes. The second stage leaves a category for
// the others in proportion to their rows, hence for that of a random row.
func (t *transition) draw(s *rng.Stream, i int) int {
	n := len(t.back)
	if n < 2 || t.alpha < 1 && !s.Bool(t.alpha) {
		return i
	}
	k := i
	if !s.Bool(t.stay) {
		if k = s.IntN(n - 1); k >= i {
			k++
		}
	}
	if s.Bool(t.back[k]) {
		return k
	}
	own := t.below[k+1] - t.below[k]
	row := int64(s.IntN(int(t.below[n] - own)))
	if row >= t.below[k] {
		row += own
	}
	at, found := slices.BinarySearch(t.below, row)
	if !found {
		at--
	}
	return at
}
