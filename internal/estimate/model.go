package estimate

import (
	"context"
	"errors"
	"fmt"

	"scramblelab/internal/par"
)

// ErrNoRows says that no row of a model had all its values.
var ErrNoRows = errors.New("no row has an outcome, all regressors and a positive weight")

// chunkRows is the run of rows whose sums are taken together. It is fixed, so
// that sums do not depend on the number of processors.
const chunkRows = 1 << 16

// Shares of a column's sum of squares below which what is left of it counts as
// nothing.
const (
	explained = 1e-9  // by other columns or absorbed effects
	rounding  = 1e-24 // about its mean: a constant
	perfect   = 1e-18 // of the outcome: residuals of a perfect fit
)

// model is a Spec on the way to a Fit: rows chosen, codes numbered from 0,
// columns copied, then centred and freed of absorbed effects in place.
type model struct {
	spec     Spec
	names    []string // regressors, then perhaps the constant
	rows     []int32  // rows used; nil: all
	n        int
	y        []float64
	x        [][]float64 // regressors and, where nothing is absorbed, ones
	w        []float64   // nil: 1
	sets     [][]int32
	levels   []int
	cluster  []int32 // nil: every row is its own
	clusters int
	dropped  []string // reason, by regressor
	kept     []int    // regressors estimated
	means    []float64
	yMean    float64
	beta     []float64 // of kept regressors
	inverse  [][]float64
	e        []float64
	leftOut  LeftOut
	warnings []string

	total, within, residual float64 // sums of squares
}

func (m *model) row(k int) int {
	if m.rows == nil {
		return k
	}
	return int(m.rows[k])
}

func prepare(s Spec) (*model, error) {
	m := &model{spec: s, names: append([]string{}, s.Names...), n: len(s.Y)}
	if len(s.Absorb) == 0 {
		m.names = append(m.names, Constant)
	}
	m.dropped = make([]string, len(m.names))
	m.choose()
	if m.n == 0 {
		return nil, fmt.Errorf("estimate: of %d rows, %w", len(s.Y), ErrNoRows)
	}
	for _, set := range s.Absorb {
		codes, levels := number(m.pick(set))
		m.sets, m.levels = append(m.sets, codes), append(m.levels, levels)
	}
	m.cluster, m.clusters = nil, m.n
	if s.Cluster != nil {
		m.cluster, m.clusters = number(m.pick(s.Cluster))
	}
	if s.Weights != nil {
		m.w = m.column(s.Weights)
	}
	if l := m.leftOut; l != (LeftOut{}) {
		m.warnings = append(m.warnings, fmt.Sprintf("%d of %d rows left out: %d lack a value, %d have weight 0, %d stand alone in an absorbed effect",
			len(s.Y)-m.n, len(s.Y), l.Missing, l.Unweighted, l.Singletons))
	}
	return m, nil
}

// choose finds the rows that can be used.
func (m *model) choose() {
	s := m.spec
	keep := make([]bool, len(s.Y))
	for i := range keep {
		switch {
		case !m.present(i):
			m.leftOut.Missing++
		case s.Weights != nil && s.Weights[i] == 0:
			m.leftOut.Unweighted++
		default:
			keep[i] = true
		}
	}
	m.dropSingletons(keep)
	m.n = len(s.Y) - m.leftOut.Missing - m.leftOut.Unweighted - m.leftOut.Singletons
	if m.n == len(s.Y) {
		return
	}
	m.rows = make([]int32, 0, m.n)
	for i, k := range keep {
		if k {
			m.rows = append(m.rows, int32(i))
		}
	}
}

func (m *model) present(i int) bool {
	s := m.spec
	// x-x is 0 for finite x and NaN otherwise.
	sum := s.Y[i] - s.Y[i]
	for _, x := range s.X {
		sum += x[i] - x[i]
	}
	if s.Weights != nil {
		sum += s.Weights[i] - s.Weights[i]
	}
	for _, a := range s.Absorb {
		if a[i] < 0 {
			return false
		}
	}
	return sum == 0 && (s.Cluster == nil || s.Cluster[i] >= 0)
}

// dropSingletons clears rows that are alone in a level of an absorbed set,
// until none is.
func (m *model) dropSingletons(keep []bool) {
	counts := make([][]int32, len(m.spec.Absorb))
	codes := make([][]int32, len(m.spec.Absorb))
	for k, set := range m.spec.Absorb {
		all := make([]int32, len(set))
		for i, c := range set {
			all[i] = max(c, 0)
		}
		var levels int
		codes[k], levels = number(all)
		counts[k] = make([]int32, levels)
		for i, c := range codes[k] {
			if keep[i] {
				counts[k][c]++
			}
		}
	}
	for again := len(codes) > 0; again; {
		again = false
		for k := range codes {
			for i, c := range codes[k] {
				if !keep[i] || counts[k][c] > 1 {
					continue
				}
				keep[i], again = false, len(codes) > 1
				m.leftOut.Singletons++
				for j := range codes {
					counts[j][codes[j][i]]--
				}
			}
		}
	}
}

// number renumbers codes >= 0 from 0 in the order of their first row.
func number(codes []int32) ([]int32, int) {
	highest := int32(-1)
	for _, c := range codes {
		highest = max(highest, c)
	}
	out := make([]int32, len(codes))
	next := int32(0)
	if int(highest) > 8*len(codes)+1024 {
		seen := make(map[int32]int32, len(codes)/4)
		for i, c := range codes {
			k, ok := seen[c]
			if !ok {
				k = next
				seen[c] = k
				next++
			}
			out[i] = k
		}
		return out, int(next)
	}
	seen := make([]int32, highest+1)
	for i, c := range codes {
		if seen[c] == 0 {
			next++
			seen[c] = next
		}
		out[i] = seen[c] - 1
	}
	return out, int(next)
}

func (m *model) pick(codes []int32) []int32 {
	if m.rows == nil {
		return codes
	}
	out := make([]int32, m.n)
	for k, r := range m.rows {
		out[k] = codes[r]
	}
	return out
}

func (m *model) column(v []float64) []float64 {
	out := make([]float64, m.n)
	if m.rows == nil {
		copy(out, v)
		return out
	}
	for k, r := range m.rows {
		out[k] = v[r]
	}
	return out
}

// spread is what is known of a column before effects are absorbed.
type spread struct {
	mean     float64
	about    float64 // sum of squares about the mean
	raw      float64 // about zero
	rest     float64 // after absorbing
	unsolved bool    // the projections did not converge
}

// absorb copies the columns, centres them and takes the absorbed effects out of
// them, one column at a time per processor.
func (m *model) absorb(ctx context.Context) error {
	weights := make([][]float64, len(m.sets)) // sum of weights by level
	for k, set := range m.sets {
		weights[k] = make([]float64, m.levels[k])
		for i, c := range set {
			weights[k][c] += m.weight(i)
		}
	}
	cols := append([][]float64{m.spec.Y}, m.spec.X...)
	stats, err := par.Map(ctx, len(cols), func(k int) (spread, error) {
		cols[k] = m.column(cols[k])
		st := m.centre(cols[k])
		if st.about <= rounding*st.raw {
			st.about = 0
			clear(cols[k])
			return st, nil
		}
		var err error
		st.unsolved, err = m.project(ctx, cols[k], weights)
		st.rest = m.dot(cols[k], cols[k])
		if k == 0 && st.rest <= perfect*st.about || st.rest <= rounding*st.raw {
			st.rest = 0
			clear(cols[k])
		}
		return st, err
	})
	if err != nil {
		return err
	}
	m.y, m.x = cols[0], cols[1:]
	m.yMean, m.total, m.within = stats[0].mean, stats[0].about, stats[0].rest
	if m.within == 0 {
		m.warnings = append(m.warnings, "the outcome does not vary"+m.inEffects())
	}
	if stats[0].unsolved {
		m.warnings = append(m.warnings, "absorbing the effects from the outcome did not converge")
	}
	for k, st := range stats[1:] {
		m.means = append(m.means, st.mean)
		switch {
		case st.about == 0:
			m.dropped[k] = "dropped: it does not vary"
		case st.rest <= explained*st.about:
			m.dropped[k] = "dropped: it does not vary" + m.inEffects()
		case st.unsolved:
			m.warnings = append(m.warnings, fmt.Sprintf("absorbing the effects from %q did not converge", m.names[k]))
		}
	}
	if len(m.sets) == 0 {
		ones := make([]float64, m.n)
		for i := range ones {
			ones[i] = 1
		}
		m.x, m.means = append(m.x, ones), append(m.means, 0)
	}
	return nil
}

func (m *model) inEffects() string {
	if len(m.sets) == 0 {
		return ""
	}
	return " within the absorbed effects"
}

func (m *model) weight(i int) float64 {
	if m.w == nil {
		return 1
	}
	return m.w[i]
}

// centre takes the mean out of a column, twice, so that a large mean leaves no
// rounding behind.
func (m *model) centre(v []float64) spread {
	var st spread
	var weights, sum float64
	for i, x := range v {
		w := m.weight(i)
		weights += w
		sum += float64(w * x)
		st.raw += float64(float64(w*x) * x)
	}
	first := sum / weights
	sum = 0
	for i := range v {
		v[i] -= first
		sum += float64(m.weight(i) * v[i])
	}
	second := sum / weights
	for i := range v {
		x := v[i] - second
		v[i] = x
		st.about += float64(float64(m.weight(i)*x) * x)
	}
	st.mean = first + second
	return st
}

func (m *model) dot(a, b []float64) float64 {
	var sum float64
	if m.w == nil {
		for i, x := range a {
			sum += float64(x * b[i])
		}
		return sum
	}
	for i, x := range a {
		sum += float64(float64(m.w[i]*x) * b[i])
	}
	return sum
}

// demean takes the weighted means by the levels of one set out of a column.
func (m *model) demean(v []float64, k int, weights, sums []float64) {
	set := m.sets[k]
	clear(sums)
	if m.w == nil {
		for i, c := range set {
			sums[c] += v[i]
		}
	} else {
		for i, c := range set {
			sums[c] += float64(m.w[i] * v[i])
		}
	}
	for c := range sums {
		sums[c] /= weights[c]
	}
	for i, c := range set {
		v[i] -= sums[c]
	}
}

// project takes all absorbed effects out of a column and says whether it gave
// up. With several sets, x - b solves (I-T)b = (I-T)x by conjugate gradients, T
// the symmetric sweep of demeaning by set 1, 2, …, k, …, 2, 1.
func (m *model) project(ctx context.Context, x []float64, weights [][]float64) (unsolved bool, err error) {
	sums := make([][]float64, len(m.sets))
	for k := range sums {
		sums[k] = make([]float64, m.levels[k])
	}
	if len(m.sets) == 0 {
		return false, nil
	}
	if len(m.sets) == 1 {
		m.demean(x, 0, weights[0], sums[0])
		return false, nil
	}
	swept := make([]float64, len(x))
	lost := func(v, to []float64) { // to = (I-T)v
		copy(swept, v)
		for k := range m.sets {
			m.demean(swept, k, weights[k], sums[k])
		}
		for k := len(m.sets) - 2; k >= 0; k-- {
			m.demean(swept, k, weights[k], sums[k])
		}
		for i := range v {
			to[i] = v[i] - swept[i]
		}
	}
	r, v := make([]float64, len(x)), make([]float64, len(x))
	size := m.dot(x, x)
	lost(x, r)
	u := append([]float64(nil), r...)
	rr := m.dot(r, r)
	for range 2000 {
		if rr <= 1e-24*size {
			return false, nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		lost(u, v)
		curve := m.dot(u, v)
		if !(curve > 0) {
			break // rounding is all that is left
		}
		step := rr / curve
		for i := range x {
			x[i] -= float64(step * u[i])
			r[i] -= float64(step * v[i])
		}
		next := m.dot(r, r)
		ratio := next / rr
		for i := range u {
			u[i] = r[i] + float64(ratio*u[i])
		}
		rr = next
	}
	return rr > 1e-20*size, nil
}
