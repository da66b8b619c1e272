package estimate

import (
	"math"
)

// tally is a coefficient in the making: sums over its treated rows, and by unit
// what they lose when the unit is left out.
type tally struct {
	s, m, w    float64   // Σw·y, Σw·predicted, Σw
	ds, dm, dw []float64 // by unit
	linear     []float64 // by unit: dm to first order, without leverage
	share      []float64 // by unit: by how much an error of the unit moves m-s, for the working model
	treated    []bool
	control    []bool
	residual   float64 // sums of squares of controls and treated about their predictions
	total      float64
	lone       bool // rests on one control
	rows       int
}

func newTally(units int) *tally {
	return &tally{
		ds: make([]float64, units), dm: make([]float64, units), dw: make([]float64, units), linear: make([]float64, units), share: make([]float64, units),
		treated: make([]bool, units), control: make([]bool, units),
	}
}

// effect returns the estimate from the three sums.
func (d *layout) effect(s, m, w float64) float64 {
	if d.o.Form == Ratio {
		return math.Log(s / m)
	}
	return (s - m) / w
}

// add takes a solved stack into a tally.
func (t *tally) add(s *stack) {
	pull := make([]float64, len(s.kept)) // Σ over treated of lever·centred x
	weight := make([]float64, s.groups)  // Σ of lever
	for i, u := range s.treated.unit {
		w, fit := s.treated.w[i], s.treated.fit[i]
		sy, sm := float64(w*s.treated.y[i]), float64(w*fit)
		t.rows++
		t.treated[u] = true
		t.s, t.m, t.w = t.s+sy, t.m+sm, t.w+w
		t.ds[u] += sy
		t.dm[u] += sm
		t.linear[u] += sm
		t.dw[u] += w
		lever, gap, y := w, s.treated.y[i]-fit, s.treated.y[i]
		if s.d.o.Form == Ratio { // an error is a share of what was expected
			lever, gap, y = sm, gap/fit, y/fit
		}
		t.residual += float64(lever * float64(gap*gap))
		t.total += float64(lever * float64(y*y))
		t.share[u] -= lever
		weight[s.treated.group[i]] += lever
		for a, j := range s.kept {
			pull[a] += float64(lever * s.treated.z[j][i])
		}
	}
	t.total += s.total
	b := s.f.solve(pull)
	lever := make([]float64, len(s.control.unit)) // what a unit of residual adds to m
	for i, g := range s.control.group {
		if s.size[g] > 0 {
			lever[i] = weight[g] / s.size[g]
		}
	}
	for a, j := range s.kept {
		for i, v := range s.control.z[j] {
			lever[i] += float64(b[a] * v)
		}
	}
	for i, u := range s.control.unit {
		lever[i] *= s.hess[i]
		t.residual += float64(s.hess[i] * float64(s.e[i]*s.e[i]))
		t.control[u] = true
		t.share[u] += lever[i]
	}
	h := s.newHat()
	s.byUnit(func(rows []int32) {
		e, ok := h.leftOut(rows)
		for a, i := range rows {
			t.linear[s.control.unit[i]] += float64(lever[i] * s.e[i])
			if ok {
				t.dm[s.control.unit[i]] += float64(lever[i] * e[a])
			} else if math.Abs(lever[i]) > 1e-9*t.w {
				t.lone = true
			}
		}
	})
}

// byUnit calls f with the rows of each control.
func (s *stack) byUnit(f func(rows []int32)) {
	n := len(s.control.unit)
	order := make([]int32, n)
	if len(s.cells) == 1 {
		for i := range order {
			order[i] = int32(i)
			f(order[i : i+1])
		}
		return
	}
	start := make([]int32, len(s.d.units)+1)
	for _, u := range s.control.unit {
		start[u+1]++
	}
	for u := range s.d.units {
		start[u+1] += start[u]
	}
	at := append([]int32(nil), start...)
	for i, u := range s.control.unit {
		order[at[u]] = int32(i)
		at[u]++
	}
	for u := range s.d.units {
		if start[u] < start[u+1] {
			f(order[start[u]:start[u+1]])
		}
	}
}

// hat computes blocks of the hat matrix of a stack's controls.
type hat struct {
	s       *stack
	inverse [][]float64
	x, z    []float64
	e       []float64
	a       [][]float64
}

func (s *stack) newHat() *hat {
	k := len(s.kept)
	h := &hat{s: s, inverse: make([][]float64, k), x: make([]float64, k), z: make([]float64, k)}
	for j := range k {
		unit := make([]float64, k)
		unit[j] = 1
		h.inverse[j] = s.f.solve(unit)
	}
	return h
}

// leftOut returns the residuals that the rows of a unit would have, were the
// regression fitted without them: (I-H)⁻¹e, H their block of the hat matrix; not
// ok where they alone carry a parameter. The slice is good until the next call.
func (h *hat) leftOut(rows []int32) (e []float64, ok bool) {
	s, m := h.s, len(rows)
	for len(h.a) < m {
		h.a, h.e = append(h.a, nil), append(h.e, 0)
	}
	for r, i := range rows {
		if cap(h.a[r]) < m+1 {
			h.a[r] = make([]float64, m+1)
		}
		a := h.a[r][:m+1]
		h.a[r] = a
		for c, j := range s.kept {
			h.x[c] = s.control.z[j][i]
		}
		for c, row := range h.inverse {
			h.z[c] = dot(row, h.x)
		}
		g := s.control.group[i]
		for q, l := range rows {
			v := 0.0
			if g == s.control.group[l] && s.size[g] > 0 {
				v = 1 / s.size[g]
			}
			for c, j := range s.kept {
				v += float64(h.z[c] * s.control.z[j][l])
			}
			a[q] = -v * s.hess[l]
		}
		a[r]++
		a[m] = s.e[i]
	}
	return h.e[:m], eliminate(h.a[:m], h.e[:m])
}

// eliminate solves m equations, right-hand side in the last column, by
// elimination with row pivots; false where they are singular.
func eliminate(a [][]float64, x []float64) bool {
	m := len(a)
	for c := range m {
		best := c
		for r := c + 1; r < m; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[best][c]) {
				best = r
			}
		}
		a[c], a[best] = a[best], a[c]
		if math.Abs(a[c][c]) < 1e-8 {
			return false
		}
		for r := c + 1; r < m; r++ {
			f := a[r][c] / a[c][c]
			for q := c; q <= m; q++ {
				a[r][q] -= float64(f * a[c][q])
			}
		}
	}
	for c := m - 1; c >= 0; c-- {
		v := a[c][m]
		for q := c + 1; q < m; q++ {
			v -= float64(a[c][q] * x[q])
		}
		x[c] = v / a[c][c]
	}
	return true
}

// influence returns by unit what it does to the estimate, halfway between the
// influence function and the jackknife (the estimate less the one without the
// unit): e·½(1+1/(1-h)) is e/√(1-h) up to the square of the leverage h, so that
// squares have the right mean under equal errors (CR2). reason says why there is
// none.
func (t *tally) influence(d *layout) (psi []float64, reason string) {
	theta := d.effect(t.s, t.m, t.w)
	n := 0
	for _, is := range t.treated {
		if is {
			n++
		}
	}
	switch {
	case n < 2:
		return nil, fewTreated(n)
	case t.lone:
		return nil, "no standard error: it rests on a single control"
	case t.residual <= perfect*t.total:
		return nil, "no standard error: outcome held exactly by the covariates, all residuals are zero"
	}
	psi = make([]float64, len(d.units))
	for u := range psi {
		if !t.treated[u] && !t.control[u] {
			continue
		}
		s, m, w := t.s-t.ds[u], t.m-t.dm[u], t.w-t.dw[u]
		without := theta - d.effect(s, m, w)
		first := (t.ds[u] - t.linear[u] - float64(theta*t.dw[u])) / t.w
		if d.o.Form == Ratio {
			first = t.ds[u]/t.s - t.linear[u]/t.m
		}
		psi[u] = (without + first) / 2
		if !(math.Abs(psi[u]) <= math.MaxFloat64) {
			return nil, "no standard error: without one of the units there is no estimate"
		}
	}
	return psi, ""
}

func fewTreated(n int) string {
	if n == 1 {
		return "no standard error: one treated unit"
	}
	return "no treated unit"
}

// freedom returns the Satterthwaite degrees of freedom of a sum of squares with
// these expectations, one of them spent on the mean.
func freedom(share []float64) float64 {
	var sum, squares float64
	for _, a := range share {
		q := a * a
		sum += q
		squares += q * q
	}
	return max(1, sum*sum/squares-1)
}

// kurtosisFreedom returns the degrees of freedom that the jackknife values
// themselves allow: 3(Σψ²)²/Σψ⁴, which is the number of values where they are
// normal of equal size.
func kurtosisFreedom(psi []float64) float64 {
	return 3*(freedom(psi)+1) - 1
}
