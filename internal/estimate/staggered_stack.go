package estimate

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// side is the treated or the controls of a stack: one row per unit and cell.
type side struct {
	unit, cell, group []int32
	w                 []float64   // how much a row counts
	y                 []float64   // change of the outcome; for a ratio the outcome
	base              []float64   // outcome in the base period; only for a ratio
	x, z              [][]float64 // by column: as read, and centred within groups
	fit               []float64   // predicted y
}

func (s *side) keep(ok []bool) {
	if !slices.Contains(ok, false) {
		return
	}
	s.unit, s.cell, s.group = filter(s.unit, ok), filter(s.cell, ok), filter(s.group, ok)
	s.w, s.y = filter(s.w, ok), filter(s.y, ok)
	if s.base != nil {
		s.base = filter(s.base, ok)
	}
	for j := range s.x {
		s.x[j] = filter(s.x[j], ok)
		if s.z != nil && s.z[j] != nil {
			s.z[j] = filter(s.z[j], ok)
		}
	}
}

func filter[T any](v []T, ok []bool) []T {
	out := v[:0]
	for i, x := range v {
		if ok[i] {
			out = append(out, x)
		}
	}
	return out
}

// stack is a set of cells (cohort, period) whose regressions share slopes: one
// cell, or with pooled slopes all of an event time.
type stack struct {
	d                *layout
	cells            []*cellState
	treated, control side
	groups           int // intercepts

	// of the regression
	score, hess []float64 // weights of the outcome and of the information, by control
	size        []float64 // of groups: sum of hess
	f           *factor
	kept        []int
	e           []float64 // residuals of controls; for a ratio, as a share of the prediction
	total       float64   // variation of the outcome within groups
	reason      string    // why the stack is left out
}

// cellState is a cell at work.
type cellState struct {
	CohortTime
	at        int // its coefficient
	base      int // period
	unmatched int
}

// build fills both sides of a stack.
func (d *layout) build(cells []*cellState) *stack {
	s := &stack{d: d, cells: cells, groups: d.groups}
	pooled := d.o.Adjust == Pooled
	if pooled {
		s.groups = len(cells)
	}
	s.treated.reserve(d, 0)
	s.control.reserve(d, d.eligible(cells))
	for k, c := range cells {
		t := int(c.Time - d.first)
		later := max(t, c.base)
		for u, g := range d.cohort {
			if !d.base[c.base][u] || math.IsNaN(d.y[t][u]) {
				continue
			}
			to := &s.control
			switch {
			case g == c.Cohort:
				to = &s.treated
			case g == NeverTreated:
			case d.o.Controls == Never || int(g-d.first) <= later:
				continue
			}
			w := d.weight(c.base, u)
			if g != c.Cohort {
				if d.clean != nil && !(d.clean[c.base][u] && d.clean[t][u]) {
					continue
				}
				if d.o.EqualControls {
					w = 1
				}
				if d.stayed != nil {
					end := later
					if d.o.Controls == Never {
						end = d.periods - 1
					}
					w *= math.Exp(d.stayed[c.base][u] - d.stayed[end][u])
				}
			}
			group := int32(0)
			if pooled {
				group = int32(k)
			} else if d.group != nil {
				group = d.group[c.base][u]
			}
			to.unit, to.cell, to.group, to.w = append(to.unit, int32(u)), append(to.cell, int32(k)), append(to.group, group), append(to.w, w)
			if d.o.Form == Ratio {
				to.y, to.base = append(to.y, d.y[t][u]), append(to.base, d.y[c.base][u])
			} else {
				to.y = append(to.y, d.y[t][u]-d.y[c.base][u])
			}
			for j, x := range d.x {
				to.x[j] = append(to.x[j], x[c.base][u])
			}
		}
	}
	return s
}

// eligible bounds the number of control rows of cells from above.
func (d *layout) eligible(cells []*cellState) int {
	n := 0
	for _, c := range cells {
		base, y := d.base[c.base], d.y[c.Time-d.first]
		for u, g := range d.cohort {
			if base[u] && y[u] == y[u] && (g == NeverTreated || g > c.Time) {
				n++
			}
		}
	}
	return n
}

// reserve makes room for n rows.
func (s *side) reserve(d *layout, n int) {
	s.unit, s.cell, s.group = make([]int32, 0, n), make([]int32, 0, n), make([]int32, 0, n)
	s.w, s.y = make([]float64, 0, n), make([]float64, 0, n)
	if d.o.Form == Ratio {
		s.base = make([]float64, 0, n)
	}
	s.x = make([][]float64, len(d.x))
	for j := range s.x {
		s.x[j] = make([]float64, 0, n)
	}
}

// solve fits the controls and predicts the treated; reason says why not.
func (s *stack) solve(ctx context.Context) error {
	o := s.d.o
	if n := len(s.control.unit); n < o.MinControls {
		s.reason = fmt.Sprintf("%d controls, want %d", n, o.MinControls)
		return nil
	}
	s.matchGroups()
	if len(s.treated.unit) == 0 {
		return nil
	}
	s.score = s.control.w
	if o.Adjust == DoublyRobust {
		s.hess = s.score // first without tilting, to drop who has no match
		if err := s.design(ctx, true); err != nil || s.reason != "" {
			return err
		}
		if s.tilt(); s.reason != "" {
			return nil
		}
	}
	if o.Form == Ratio {
		return s.poisson(ctx)
	}
	s.hess = s.score
	if err := s.design(ctx, true); err != nil || s.reason != "" {
		return err
	}
	return s.regress(ctx)
}

// matchGroups leaves out groups and categories with too few controls and the
// treated in them, until all have enough.
func (s *stack) matchGroups() {
	for range 1000 {
		before := len(s.control.unit)
		count, positive := make([]int, s.groups), make([]bool, s.groups)
		for i, g := range s.control.group {
			count[g]++
			if s.control.y[i] > 0 {
				positive[g] = true
			}
		}
		// Where no control has a positive outcome a Poisson intercept is minus
		// infinity (separation).
		usable := func(g int32) bool {
			return count[g] >= s.d.o.MinControls && (s.d.o.Form != Ratio || positive[g])
		}
		s.restrict(func(x *side, i int) bool { return usable(x.group[i]) })
		for j, dummy := range s.d.dummy {
			if dummy && s.unitsWith(j) < s.d.o.MinControls {
				s.restrict(func(x *side, i int) bool { return x.x[j][i] == 0 })
			}
		}
		if len(s.control.unit) == before {
			return
		}
	}
}

// unitsWith counts the controls in a category.
func (s *stack) unitsWith(j int) int {
	seen, n := make([]bool, len(s.d.units)), 0
	for i, v := range s.control.x[j] {
		if u := s.control.unit[i]; v != 0 && !seen[u] {
			seen[u] = true
			n++
		}
	}
	return n
}

// restrict keeps the rows for which keep is true.
func (s *stack) restrict(keep func(x *side, i int) bool) {
	ok := make([]bool, len(s.control.unit))
	for i := range ok {
		ok[i] = keep(&s.control, i)
	}
	s.control.keep(ok)
	s.leave(func(i int) bool { return !keep(&s.treated, i) })
}

// leave drops treated rows without a match.
func (s *stack) leave(unmatched func(i int) bool) {
	ok := make([]bool, len(s.treated.unit))
	for i := range ok {
		if ok[i] = !unmatched(i); !ok[i] {
			s.cells[s.treated.cell[i]].unmatched++
		}
	}
	s.treated.keep(ok)
}

// design centres the columns within groups; at the first call it drops those
// that cannot be told apart and the treated for whom they matter.
func (s *stack) design(ctx context.Context, choose bool) error {
	s.size = make([]float64, s.groups)
	var weights float64
	for i, g := range s.control.group {
		s.size[g] += s.hess[i]
		weights += s.hess[i]
	}
	candidates := s.kept
	if choose {
		candidates = nil
		for j := range s.control.x {
			candidates = append(candidates, j)
		}
	}
	p := len(s.control.x)
	s.control.z, s.treated.z = make([][]float64, p), make([][]float64, p)
	cols := make([][]float64, len(candidates))
	for c, j := range candidates {
		s.control.z[j], s.treated.z[j] = slices.Clone(s.control.x[j]), slices.Clone(s.treated.x[j])
		mean := s.centre(s.control.z[j])
		for i, g := range s.treated.group {
			s.treated.z[j][i] -= mean[g]
		}
		cols[c] = s.control.z[j]
	}
	products, err := gram(ctx, cols, s.hess)
	if err != nil {
		return err
	}
	s.f, s.kept = &factor{}, nil
	var at []int // positions of the columns kept
	for c, j := range candidates {
		cross := make([]float64, 0, len(at)+1)
		for _, k := range at {
			cross = append(cross, products[k][c])
		}
		raw := 0.0
		for _, side := range []side{s.control, s.treated} {
			for _, v := range side.x[j] {
				raw = max(raw, math.Abs(v))
			}
		}
		spread := math.Sqrt(products[c][c] / weights)
		if spread > 1e-12*raw && s.f.take(append(cross, products[c][c])) {
			s.kept, at = append(s.kept, j), append(at, c)
			continue
		}
		if !choose {
			s.reason = "the Poisson regression of the controls is not identified"
			return nil
		}
		s.leaveDeviants(j, s.f.solve(cross), float64(1e-3*spread)+float64(1e-9*raw))
	}
	s.spare()
	if choose && s.reason == "" {
		return s.leaveDistant(ctx)
	}
	return nil
}

// leaveDeviants leaves out the treated for whom a dropped column is not what
// the columns kept say it is among controls: they cannot be predicted.
func (s *stack) leaveDeviants(j int, coef []float64, bound float64) {
	s.leave(func(i int) bool {
		v := s.treated.z[j][i]
		for a, k := range s.kept {
			v -= float64(coef[a] * s.treated.z[k][i])
		}
		return math.Abs(v) > bound
	})
}

// leaveDistant leaves out the treated whose prediction would have a larger
// variance than their own outcome, were errors of equal size: controls like them
// are too few, or far, or of little weight.
func (s *stack) leaveDistant(ctx context.Context) error {
	k := len(s.kept)
	square := make([]float64, len(s.hess))
	own := make([]float64, s.groups)
	cross := make([][]float64, s.groups)
	for g := range cross {
		cross[g] = make([]float64, k)
	}
	cols := make([][]float64, k)
	for a, j := range s.kept {
		cols[a] = s.control.z[j]
	}
	for i, g := range s.control.group {
		square[i] = s.hess[i] * s.hess[i]
		own[g] += square[i] / float64(s.size[g]*s.size[g])
		for a, x := range cols {
			cross[g][a] += float64(square[i] / s.size[g] * x[i])
		}
	}
	meat, err := gram(ctx, cols, square)
	if err != nil {
		return err
	}
	z := make([]float64, k)
	s.leave(func(i int) bool {
		for a, j := range s.kept {
			z[a] = s.treated.z[j][i]
		}
		g := s.treated.group[i]
		b := s.f.solve(z)
		v := own[g] + 2*dot(b, cross[g])
		for a, row := range meat {
			v += float64(b[a] * dot(row, b))
		}
		return v > 1
	})
	return nil
}

// spare refuses regressions of too few controls.
func (s *stack) spare() {
	parameters, n := len(s.kept), 0
	for _, w := range s.size {
		if w > 0 {
			parameters++
		}
	}
	for _, w := range s.hess {
		if w > 0 {
			n++
		}
	}
	if n-parameters < s.d.o.MinControls {
		s.reason = fmt.Sprintf("%d controls for %d parameters", n, parameters)
	}
}

// centre takes the weighted group means out of a column of controls and returns
// them.
func (s *stack) centre(x []float64) []float64 {
	mean := make([]float64, s.groups)
	for range 2 { // the second time rounding is taken out
		sum := make([]float64, s.groups)
		for i, g := range s.control.group {
			sum[g] += float64(s.hess[i] * x[i])
		}
		for g := range sum {
			if s.size[g] > 0 {
				sum[g] /= s.size[g]
			}
			mean[g] += sum[g]
		}
		for i, g := range s.control.group {
			x[i] -= sum[g]
		}
	}
	return mean
}

// regress fits by least squares and predicts the treated.
func (s *stack) regress(ctx context.Context) error {
	s.e = slices.Clone(s.control.y)
	level := s.centre(s.e)
	cols := make([][]float64, 0, len(s.kept)+1)
	for _, j := range s.kept {
		cols = append(cols, s.control.z[j])
	}
	products, err := gram(ctx, append(cols, s.e), s.hess)
	if err != nil {
		return err
	}
	k := len(cols)
	s.total = products[k][k]
	beta := s.f.solve(products[k][:k])
	for a, x := range cols {
		for i, v := range x {
			s.e[i] -= float64(beta[a] * v)
		}
	}
	s.treated.fit = make([]float64, len(s.treated.unit))
	for i, g := range s.treated.group {
		v := level[g]
		for a, j := range s.kept {
			v += float64(beta[a] * s.treated.z[j][i])
		}
		s.treated.fit[i] = v
	}
	return nil
}
