package suppress

import (
	"errors"
	"math"
)

// Why a linear program has no answer.
var (
	errUnbounded  = errors.New("it is unbounded")
	errInfeasible = errors.New("no table agrees with what is published")
	errSteps      = errors.New("it took too many steps")
	errStopped    = errors.New("it was stopped")
)

// tableau is a linear program in standard form, minimise c x with A x = b and
// x >= 0, kept as a dense simplex tableau. Library solvers (gonum's Simplex) start
// each program anew, spend most of it on a first solution, and cannot be stopped
// when they cycle on degenerate tables; here one first solution serves all
// programs of a block, and Bland's rule (1977) ends cycles. It can be interrupted:
// closing stop, as the end of a context does, ends any call within a few pivots,
// with errStopped.
type tableau struct {
	rows, cols int
	a          []float64 // rows x (cols+1), the last column is b
	basis      []int     // the column that each row solves for; cols+i is artificial
	stop       <-chan struct{}
}

const tiny = 1e-9

// newTableau solves the first phase. The rows must be linearly independent.
func newTableau(rows, cols int, a []float64, b []float64, stop <-chan struct{}) (*tableau, error) {
	w := cols + 1
	t := &tableau{rows: rows, cols: cols, a: make([]float64, rows*w), basis: make([]int, rows), stop: stop}
	cost := make([]float64, w)
	for i := range rows {
		sign := 1.0
		if b[i] < 0 {
			sign = -1
		}
		for j := range cols {
			t.a[i*w+j] = sign * a[i*cols+j]
			cost[j] -= t.a[i*w+j]
		}
		t.a[i*w+cols] = sign * b[i]
		cost[cols] -= t.a[i*w+cols]
		t.basis[i] = cols + i
	}
	if err := t.descend(cost); err != nil {
		return nil, err
	}
	for i := range rows {
		if t.basis[i] < cols {
			continue
		}
		if t.a[i*w+cols] > 1e-7 {
			return nil, errInfeasible
		}
		// Exchange an artificial column that stayed at zero for a real one.
		best := -1
		for j := range cols {
			if x := math.Abs(t.a[i*w+j]); x > tiny && (best < 0 || x > math.Abs(t.a[i*w+best])) {
				best = j
			}
		}
		if best < 0 {
			return nil, errInfeasible
		}
		t.pivot(i, best, cost)
	}
	return t, nil
}

// minimise returns the least value of sign times one column, and the solution.
func (t *tableau) minimise(target int, sign float64) (float64, []float64, error) {
	w := t.cols + 1
	cost := make([]float64, w)
	cost[target] = sign
	for i, c := range t.basis {
		if c == target {
			for j := range w {
				cost[j] -= sign * t.a[i*w+j]
			}
		}
	}
	if err := t.descend(cost); err != nil {
		return 0, nil, err
	}
	x := make([]float64, t.cols)
	for i, c := range t.basis {
		if c < t.cols {
			x[c] = max(0, t.a[i*w+t.cols])
		}
	}
	return sign * x[target], x, nil
}

// descend pivots until no reduced cost is negative: on the most negative one,
// and by Bland's rule after steps that gained nothing.
func (t *tableau) descend(cost []float64) error {
	w := t.cols + 1
	stuck := 0
	for step := 0; ; step++ {
		if step > 50*(t.rows+t.cols) {
			return errSteps
		}
		select {
		case <-t.stop:
			return errStopped
		default:
		}
		enter := -1
		for j := range t.cols {
			if cost[j] < -tiny && (enter < 0 || stuck < 20 && cost[j] < cost[enter]) {
				enter = j
			}
		}
		if enter < 0 {
			return nil
		}
		leave, ratio := -1, math.Inf(1)
		for i := range t.rows {
			if x := t.a[i*w+enter]; x > tiny {
				r := t.a[i*w+t.cols] / x
				if r < ratio-tiny || r < ratio+tiny && (leave < 0 || t.basis[i] < t.basis[leave]) {
					leave, ratio = i, min(r, ratio)
				}
			}
		}
		if leave < 0 {
			return errUnbounded
		}
		if stuck++; ratio > tiny {
			stuck = 0
		}
		t.pivot(leave, enter, cost)
	}
}

// pivot solves row i for column j.
func (t *tableau) pivot(i, j int, cost []float64) {
	w := t.cols + 1
	row := t.a[i*w : (i+1)*w]
	f := 1 / row[j]
	for k := range row {
		row[k] *= f
	}
	row[j] = 1
	clearOf := func(other []float64) {
		g := other[j]
		if g == 0 {
			return
		}
		for k, x := range row {
			if x != 0 {
				other[k] -= float64(g * x)
			}
		}
		other[j] = 0
	}
	for r := range t.rows {
		if r != i {
			clearOf(t.a[r*w : (r+1)*w])
		}
	}
	clearOf(cost)
	t.basis[i] = j
}
