package suppress

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// programs bounds the cells that moves did not decide, block by block, by linear
// programming: the least and the largest value among all tables that agree with
// what is published and have no negative cell.
func (c *checker) programs(ctx context.Context, block []int32, sizes []int) error {
	open := map[int32][]int{}
	var order []int32
	for i := range c.v.Findings {
		f := &c.v.Findings[i]
		if f.Safety != ExactlySafe {
			continue
		}
		b := block[c.p.Needs[i].Cell]
		if sizes[b] > c.o.Block {
			f.Reason += fmt.Sprintf("; its block of %d cells is too large for a linear program", sizes[b])
			continue
		}
		if open[b] == nil {
			order = append(order, b)
		}
		open[b] = append(open[b], i)
	}
	if order == nil {
		return nil
	}
	members := map[int32][]int32{}
	for cell, b := range block {
		if b >= 0 && open[b] != nil {
			members[b] = append(members[b], int32(cell))
		}
	}
	timed, cancel := context.WithTimeout(ctx, c.o.Program)
	defer cancel()
	for _, b := range order {
		if c.programsOf(timed, members[b], open[b]); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// programsOf bounds the open cells of one block.
func (c *checker) programsOf(ctx context.Context, cells []int32, open []int) {
	var programs []*program
	var err error
	for _, values := range c.p.Values {
		var g *program
		if g, err = newProgram(ctx, c.p.System, c.hidden, cells, values); err != nil {
			break
		}
		programs = append(programs, g)
	}
	for _, i := range open {
		f := &c.v.Findings[i]
		if err == nil {
			err = c.bound(f, programs)
		}
		switch {
		case errors.Is(err, errStopped) || errors.Is(err, context.DeadlineExceeded):
			f.Reason += "; no time was left for a linear program"
		case err != nil: // numerical trouble is no proof of anything
			f.Safety, f.Reason = Narrow, fmt.Sprintf("its linear program failed (%v), which counts as unsafe", err)
		}
	}
}

// bound runs the linear programs of one sensitive cell.
func (c *checker) bound(f *Finding, programs []*program) error {
	n := c.p.Needs[f.Need]
	f.Low, f.High = make([]float64, len(programs)), make([]float64, len(programs))
	wide, whole := true, true
	for m, g := range programs {
		v := c.p.Values[m][n.Cell]
		if g == nil || math.IsNaN(v) || n.Up[m] == 0 && n.Down[m] == 0 {
			f.Low[m], f.High[m] = math.NaN(), math.NaN()
			continue
		}
		low, high, integral, err := g.interval(n.Cell)
		c.v.Programs += 2
		if err != nil {
			return err
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
	return nil
}

// program holds the relations of one block for one magnitude.
type program struct {
	column map[int32]int
	scale  float64
	free   bool // no relation bounds the block
	t      *tableau
}

// newProgram sets up a block. It is nil where the magnitude is not published for
// some cell of the block, so that nothing is known of its sums.
func newProgram(ctx context.Context, s *System, hidden []bool, cells []int32, values []float64) (*program, error) {
	g := &program{column: make(map[int32]int, len(cells)), scale: 1}
	for j, c := range cells {
		g.column[c] = j
		if math.IsNaN(values[c]) {
			return nil, nil
		}
		g.scale = max(g.scale, values[c])
	}
	rows, err := independent(ctx, s, hidden, cells)
	if err != nil {
		return nil, err
	}
	if g.free = len(rows) == 0; g.free {
		return g, nil
	}
	a, b := make([]float64, len(rows)*len(cells)), make([]float64, len(rows))
	for i, r := range rows {
		for k, c := range s.cells[s.start[r]:s.start[r+1]] {
			if j, ok := g.column[c]; ok {
				sign := 1.0
				if k == 0 {
					sign = -1
				}
				a[i*len(cells)+j] = sign
				b[i] += sign * values[c]
			}
		}
		b[i] /= g.scale
	}
	g.t, err = newTableau(len(rows), len(cells), a, b, ctx.Done())
	return g, err
}

// interval returns the least and the largest value of a cell among the
// solutions, and whether both are reached by whole numbers.
func (g *program) interval(cell int32) (low, high float64, integral bool, err error) {
	if g.free {
		return 0, math.Inf(1), true, nil
	}
	integral = true
	whole := func(x []float64) {
		for _, v := range x {
			integral = integral && math.Abs(v*g.scale-math.Round(v*g.scale)) < 1e-6
		}
	}
	low, x, err := g.t.minimise(g.column[cell], 1)
	if err != nil {
		return 0, 0, false, err
	}
	whole(x)
	high, x, err = g.t.minimise(g.column[cell], -1)
	switch {
	case errors.Is(err, errUnbounded):
		return low * g.scale, math.Inf(1), integral, nil
	case err != nil:
		return 0, 0, false, err
	}
	whole(x)
	return low * g.scale, -high * g.scale, integral, nil
}

// independent returns relations of a block that are linearly independent and
// imply the others.
func independent(ctx context.Context, s *System, hidden []bool, cells []int32) ([]int32, error) {
	only := make([]bool, s.N)
	for _, c := range cells {
		only[c] = hidden[c]
	}
	e, err := Eliminate(ctx, s, only, 1)
	if err != nil {
		return nil, err
	}
	return e.rows, nil
}
