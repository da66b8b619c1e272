package suppress

import (
	"context"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// programs bounds the cells that moves did not decide, block by block, by linear
// programming: the least and the largest value among all tables that agree with
// what is published and have no negative cell.
func (c *checker) programs(ctx context.Context, block []int32, sizes []int, deadline time.Time) error {
	open := map[int32][]int{}
	for i, f := range c.v.Findings {
		if f.Safety == ExactlySafe {
			if b := block[c.p.Needs[i].Cell]; sizes[b] <= c.o.Block {
				open[b] = append(open[b], i)
			}
		}
	}
	if len(open) == 0 {
		return nil
	}
	members := map[int32][]int32{}
	for cell, b := range block {
		if _, ok := open[b]; ok && b >= 0 {
			members[b] = append(members[b], int32(cell))
		}
	}
	for i := range c.v.Findings {
		f := &c.v.Findings[i]
		if f.Safety != ExactlySafe {
			continue
		}
		b := block[c.p.Needs[i].Cell]
		if members[b] == nil {
			f.Reason += fmt.Sprintf("; its block of %d cells is too large for a linear program", sizes[b])
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(deadline) {
			f.Reason += "; no time was left for a linear program"
			continue
		}
		c.bound(f, members[b])
	}
	return nil
}

// bound runs the linear programs of one sensitive cell.
func (c *checker) bound(f *Finding, cells []int32) {
	n := c.p.Needs[f.Need]
	f.Low, f.High = make([]float64, len(c.p.Values)), make([]float64, len(c.p.Values))
	wide, whole := true, true
	for m, values := range c.p.Values {
		v := values[n.Cell]
		if math.IsNaN(v) || n.Up[m] == 0 && n.Down[m] == 0 {
			f.Low[m], f.High[m] = math.NaN(), math.NaN()
			continue
		}
		low, high, integral, err := interval(c.p.System, c.hidden, cells, values, n.Cell)
		c.v.Programs += 2
		if err != nil {
			// Numerical trouble is no proof of anything.
			f.Safety, f.Reason = Narrow, fmt.Sprintf("its linear program failed (%v), which counts as unsafe", err)
			return
		}
		f.Low[m], f.High[m] = low, high
		wide = wide && covers(v, low, high, n.Down[m], n.Up[m])
		whole = whole && (integral || !c.p.Counts[m])
	}
	switch {
	case !wide:
		f.Safety, f.Reason = Narrow, "an intruder who knows that no cell is negative bounds it more tightly than its rule allows"
	case !whole:
		f.Reason = "its interval is wide enough, but not shown to be so for whole numbers"
	default:
		f.Safety, f.Reason = IntervalSafe, "its interval, by linear programming, is as wide as its rule asks"
	}
}

// interval returns the least and the largest value of a cell among non-negative
// solutions of the relations on one block, and whether both are reached by whole
// numbers.
func interval(s *System, hidden []bool, cells []int32, values []float64, target int32) (low, high float64, integral bool, err error) {
	column := make(map[int32]int, len(cells))
	scale := 0.0
	for j, c := range cells {
		column[c] = j
		if math.IsNaN(values[c]) {
			return 0, 0, false, fmt.Errorf("%s has no value", s.Name(c))
		}
		scale = max(scale, values[c])
	}
	if scale == 0 {
		scale = 1
	}
	rows, err := independent(s, hidden, cells)
	if err != nil {
		return 0, 0, false, err
	}
	if len(rows) == 0 { // nothing published bounds it
		return 0, math.Inf(1), true, nil
	}
	if len(rows) >= len(cells) {
		return values[target], values[target], true, nil
	}
	a := mat.NewDense(len(rows), len(cells), nil)
	b := make([]float64, len(rows))
	for i, r := range rows {
		for k, c := range s.cells[s.start[r]:s.start[r+1]] {
			if j, ok := column[c]; ok && hidden[c] {
				sign := 1.0
				if k == 0 {
					sign = -1
				}
				a.Set(i, j, sign)
				b[i] += sign * values[c] / scale
			}
		}
		if math.Abs(b[i]) < 1e-12 {
			b[i] = 0
		}
	}
	integral = true
	for _, sign := range []float64{1, -1} {
		cost := make([]float64, len(cells))
		cost[column[target]] = sign
		opt, at, err := simplex(cost, a, b)
		switch {
		case err == lp.ErrUnbounded:
			if sign > 0 {
				return 0, 0, false, err
			}
			high = math.Inf(1)
			continue
		case err != nil:
			return 0, 0, false, err
		}
		for _, x := range at {
			integral = integral && math.Abs(x*scale-math.Round(x*scale)) < 1e-6
		}
		if sign > 0 {
			low = opt * scale
		} else {
			high = -opt * scale
		}
	}
	return low, high, integral, nil
}

// simplex runs gonum's, which panics on some degenerate problems.
func simplex(cost []float64, a *mat.Dense, b []float64) (opt float64, at []float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("lp: %v", r)
		}
	}()
	return lp.Simplex(cost, a, b, 1e-9, nil)
}

// independent returns relations of a block that are linearly independent and
// imply the others: gonum's Simplex fails on dependent rows.
func independent(s *System, hidden []bool, cells []int32) ([]int32, error) {
	only := make([]bool, s.N)
	for _, c := range cells {
		only[c] = hidden[c]
	}
	e, err := Eliminate(context.Background(), s, only, 1)
	if err != nil {
		return nil, err
	}
	return e.rows, nil
}
