// Package assign links two lists one to one at the least total cost: serials of
// a release to employers of a public file. [Solve] takes a full cost table,
// [Sparse] short candidate lists, [Sinkhorn] turns costs into a posterior.
//
// A least total cost is unique, the pairs that reach it need not be: among ties
// the choice depends on the order of rows and columns, and on nothing else. A
// global assignment can be worse than the nearest neighbour (Herranz et al.
// 2015, example 2), so an attack reports both. All of it runs on one machine
// and one processor; the methods do not cut into parts.
package assign

import (
	"errors"
	"fmt"
	"math"
)

// ErrInfeasible says that the forbidden pairs leave some row without a partner.
var ErrInfeasible = errors.New("no one-to-one assignment avoids the forbidden pairs")

// denseLimit is the number of costs that Solve keeps in memory (256 MB); above
// it every cost is asked anew whenever it is needed.
const denseLimit = 1 << 25

// Solve gives every row a column of its own, rows <= cols, at the least total
// cost: colOf[row] is the column, total the sum of the costs in row order.
// Costs may be negative; +Inf forbids a pair; NaN and -Inf are refused. Where
// forbidden pairs leave a row without a column the error is [ErrInfeasible].
//
// The method is the shortest augmenting path with dual prices of Jonker and
// Volgenant 1987, exact up to rounding, in time O(rows²·cols). cost must always
// answer the same; beyond 2^25 pairs it is asked O(rows) times for each.
func Solve(cost func(row, col int) float64, rows, cols int) (colOf []int, total float64, err error) {
	if rows < 0 || rows > cols {
		return nil, 0, fmt.Errorf("assign: %d rows for %d columns, want 0 <= rows <= columns; swap the two sides", rows, cols)
	}
	if cost, err = checked(cost, rows, cols); err != nil {
		return nil, 0, err
	}
	s := newDense(cols)
	for row := range rows {
		if !s.augment(cost, row) {
			return nil, 0, fmt.Errorf("assign: row %d: %w", row, ErrInfeasible)
		}
	}
	for row, col := range s.colOf {
		total += cost(row, col)
	}
	return s.colOf, total, nil
}

// checked looks at every cost once and keeps them where they fit.
func checked(cost func(row, col int) float64, rows, cols int) (func(row, col int) float64, error) {
	var kept []float64
	if rows*cols <= denseLimit {
		kept = make([]float64, 0, rows*cols)
	}
	for row := range rows {
		for col := range cols {
			c := cost(row, col)
			if math.IsNaN(c) || math.IsInf(c, -1) {
				return nil, fmt.Errorf("assign: cost of row %d and column %d is %v, want a number, or +Inf for a forbidden pair", row, col, c)
			}
			if cap(kept) > 0 {
				kept = append(kept, c)
			}
		}
	}
	if len(kept) == 0 {
		return cost, nil
	}
	return func(row, col int) float64 { return kept[row*cols+col] }, nil
}

// dense is the state of the augmentation: prices u of rows and v of columns
// with cost - u - v >= 0 everywhere and = 0 on assigned pairs.
type dense struct {
	u, v  []float64
	rowOf []int     // of a column, -1 where it is free
	colOf []int     // of a row
	dist  []float64 // length of the shortest alternating path to a column
	from  []int     // row before the column on that path
	open  []int     // columns not yet reached
}

func newDense(cols int) *dense {
	s := &dense{v: make([]float64, cols), rowOf: make([]int, cols), dist: make([]float64, cols), from: make([]int, cols), open: make([]int, cols)}
	for c := range s.rowOf {
		s.rowOf[c] = -1
	}
	return s
}

// augment assigns one more row along the shortest alternating path and says
// whether there is one.
func (s *dense) augment(cost func(row, col int) float64, start int) bool {
	s.u, s.colOf = append(s.u, 0), append(s.colOf, -1)
	open := s.open[:len(s.v)]
	for c := range open {
		open[c], s.dist[c], s.from[c] = c, math.Inf(1), -1
	}
	row, length, last := start, 0.0, -1
	var reached []int
	for last < 0 {
		best := -1
		for k, c := range open {
			d := length + (cost(row, c) - s.u[row] - s.v[c])
			if d < s.dist[c] {
				s.dist[c], s.from[c] = d, row
			}
			// Among equals a free column ends the search.
			if best < 0 || s.dist[c] < s.dist[open[best]] || s.dist[c] == s.dist[open[best]] && s.rowOf[c] < 0 && s.rowOf[open[best]] >= 0 {
				best = k
			}
		}
		if best < 0 || math.IsInf(s.dist[open[best]], 1) {
			return false
		}
		c := open[best]
		length = s.dist[c]
		open[best] = open[len(open)-1]
		open = open[:len(open)-1]
		if s.rowOf[c] < 0 {
			last = c
		} else {
			reached = append(reached, c)
			row = s.rowOf[c]
		}
	}
	s.u[start] += length
	for _, c := range reached {
		s.u[s.rowOf[c]] += length - s.dist[c]
		s.v[c] -= length - s.dist[c]
	}
	for c := last; ; {
		row := s.from[c]
		s.rowOf[c] = row
		s.colOf[row], c = c, s.colOf[row]
		if row == start {
			return true
		}
	}
}
