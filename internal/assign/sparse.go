package assign

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Edge is a candidate of a row: a column and what the pair costs.
type Edge struct {
	Col  int32
	Cost float64
}

// Sparse gives rows with short candidate lists columns of their own at the
// least total cost, where a row may stay without one (-1) at the cost
// unmatched. Only pairs in the lists may be chosen; a pair that costs more than
// unmatched never is. edges has one list per row, rows in total, in any order;
// of two edges to one column the cheaper counts; +Inf forbids, NaN and -Inf
// are refused. With unmatched = +Inf every row must find a column, or the error
// is [ErrInfeasible]. There may be more rows than columns.
//
// The total is exact up to rounding: shortest augmenting paths with a heap,
// which never leave the connected component of their row, so that time is
// about rows times the edges that a search touches: well under a second for
// 3,000 rows of 200 candidates among 3,000 columns, several where all of them
// want the same columns in the same order. Among ties the choice
// depends on the order of rows and on column numbers, never on the order within
// a list. The input is not changed.
func Sparse(rows, cols int, edges [][]Edge, unmatched float64) (colOf []int32, total float64, err error) {
	if len(edges) != rows || cols < 0 || cols > math.MaxInt32-rows {
		return nil, 0, fmt.Errorf("assign: %d candidate lists for %d rows and %d columns, want a list per row", len(edges), rows, cols)
	}
	if math.IsNaN(unmatched) || math.IsInf(unmatched, -1) {
		return nil, 0, fmt.Errorf("assign: the cost of staying unmatched is %v, want a number or +Inf", unmatched)
	}
	s := &sparse{
		start: make([]int, 1, rows+1),
		u:     make([]float64, rows), v: make([]float64, cols+rows),
		rowOf: make([]int32, cols+rows), colOf: make([]int32, rows),
		dist: make([]float64, cols+rows), from: make([]int32, cols+rows), seen: make([]int32, cols+rows),
	}
	for row, list := range edges {
		if err := s.add(row, cols, list, unmatched); err != nil {
			return nil, 0, err
		}
	}
	s.greedy()
	for row := range rows {
		if s.colOf[row] < 0 && !s.augment(int32(row)) {
			return nil, 0, fmt.Errorf("assign: row %d: %w; give it more candidates or a finite cost of staying unmatched", row, ErrInfeasible)
		}
	}
	for row, col := range s.colOf {
		for _, e := range s.list(int32(row)) {
			if e.Col == col {
				total += e.Cost
			}
		}
		if int(col) >= cols {
			s.colOf[row] = -1
		}
	}
	return s.colOf, total, nil
}

// sparse is the state of the augmentation over candidate lists in one array.
// Column cols+r stands for "row r stays unmatched".
type sparse struct {
	start        []int
	edges        []Edge
	u, v         []float64 // prices: cost - u - v >= 0, = 0 on assigned pairs
	rowOf, colOf []int32   // -1 where free
	dist         []float64 // of columns seen in this search
	from         []int32
	seen         []int32 // number of the search that saw a column, from 1
	search       int32
	heap         []reach
	reached      []int32
}

type reach struct {
	dist float64
	col  int32
}

func (s *sparse) list(row int32) []Edge { return s.edges[s.start[row]:s.start[row+1]] }

// add appends the list of a row in the order of columns, without the pairs that
// can never be chosen.
func (s *sparse) add(row, cols int, list []Edge, unmatched float64) error {
	first := len(s.edges)
	for _, e := range list {
		switch {
		case e.Col < 0 || int(e.Col) >= cols:
			return fmt.Errorf("assign: row %d names column %d, want 0 to %d", row, e.Col, cols-1)
		case math.IsNaN(e.Cost) || math.IsInf(e.Cost, -1):
			return fmt.Errorf("assign: cost of row %d and column %d is %v, want a number, or +Inf for a forbidden pair", row, e.Col, e.Cost)
		case e.Cost <= unmatched && !math.IsInf(e.Cost, 1):
			s.edges = append(s.edges, e)
		}
	}
	own := s.edges[first:]
	slices.SortFunc(own, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.Col, b.Col), cmp.Compare(a.Cost, b.Cost))
	})
	own = slices.CompactFunc(own, func(a, b Edge) bool { return a.Col == b.Col })
	s.edges = s.edges[:first+len(own)]
	if !math.IsInf(unmatched, 1) {
		s.edges = append(s.edges, Edge{int32(cols + row), unmatched})
	}
	s.start = append(s.start, len(s.edges))
	return nil
}

// greedy starts with the prices u = cheapest candidate, v = 0 and the pairs
// that they allow; they are dual feasible, so augmenting can go on from there.
func (s *sparse) greedy() {
	for c := range s.rowOf {
		s.rowOf[c] = -1
	}
	for row := range s.colOf {
		s.colOf[row] = -1
		list := s.list(int32(row))
		if len(list) == 0 {
			continue
		}
		best := list[0]
		for _, e := range list {
			if e.Cost < best.Cost {
				best = e
			}
		}
		s.u[row] = best.Cost
		if s.rowOf[best.Col] < 0 {
			s.rowOf[best.Col], s.colOf[row] = int32(row), best.Col
		}
	}
}

// augment assigns one more row along the shortest alternating path (Dijkstra on
// reduced costs) and says whether there is one.
func (s *sparse) augment(start int32) bool {
	s.search++
	s.heap, s.reached = s.heap[:0], s.reached[:0]
	row, length := start, 0.0
	bound := math.Inf(1) // length of the best path to a free column so far
	for {
		for _, e := range s.list(row) {
			d := length + max(0, e.Cost-s.u[row]-s.v[e.Col])
			if s.seen[e.Col] == s.search && d >= s.dist[e.Col] || d > bound {
				continue
			}
			s.seen[e.Col], s.dist[e.Col], s.from[e.Col] = s.search, d, row
			if s.rowOf[e.Col] < 0 {
				bound = d
			}
			s.push(reach{d, e.Col})
		}
		next, ok := s.pop()
		if !ok {
			return false
		}
		length = next.dist
		if s.rowOf[next.col] < 0 {
			s.settle(start, next.col, length)
			return true
		}
		s.reached = append(s.reached, next.col)
		row = s.rowOf[next.col]
	}
}

// settle moves the prices and flips the path that ends in a free column.
func (s *sparse) settle(start, last int32, length float64) {
	s.u[start] += length
	for _, c := range s.reached {
		s.u[s.rowOf[c]] += length - s.dist[c]
		s.v[c] -= length - s.dist[c]
	}
	for c := last; ; {
		row := s.from[c]
		s.rowOf[c] = row
		s.colOf[row], c = c, s.colOf[row]
		if row == start {
			return
		}
	}
}

func (r reach) before(o reach) bool { return r.dist < o.dist || r.dist == o.dist && r.col < o.col }

func (s *sparse) push(r reach) {
	s.heap = append(s.heap, r)
	h := s.heap
	i := len(h) - 1
	for ; i > 0 && r.before(h[(i-1)/2]); i = (i - 1) / 2 {
		h[i] = h[(i-1)/2]
	}
	h[i] = r
}

// pop returns the nearest column that was not reached by a shorter path since
// it was pushed.
func (s *sparse) pop() (reach, bool) {
	for len(s.heap) > 0 {
		h := s.heap
		top, last := h[0], h[len(h)-1]
		h = h[:len(h)-1]
		s.heap = h
		i := 0
		for {
			c := 2*i + 1
			if c >= len(h) {
				break
			}
			if c+1 < len(h) && h[c+1].before(h[c]) {
				c++
			}
			if !h[c].before(last) {
				break
			}
			h[i] = h[c]
			i = c
		}
		if len(h) > 0 {
			h[i] = last
		}
		if top.dist == s.dist[top.col] {
			return top, true
		}
	}
	return reach{}, false
}
