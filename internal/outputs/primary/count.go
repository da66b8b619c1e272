package primary

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/par"
)

// Layout says to which cells a combination of finest categories contributes:
// itself and all its totals. Combination l contributes to
// Cells[Start[l]:Start[l+1]].
type Layout struct {
	N     int     // cells
	Start []int32 // one longer than there are combinations
	Cells []int32
}

// Rows are contributing rows, all slices equally long.
type Rows struct {
	Combination []int32     // of finest categories, an index into the layout; -1 is in no cell
	Contributor []int32     // 0 to Contributors-1: the employer, or its holding
	Values      [][]float64 // one slice per magnitude; may be empty
	Weights     []float64   // sampling weights; nil means 1
}

// Tally holds, cell by cell, what the rules ask for.
type Tally struct {
	Depth     int       // largest contributions kept of each magnitude
	Rows      []int64   // rows, such as workers
	Employers []int32   // distinct contributors
	Most      []int64   // rows of the contributor with most of them
	Only      []int32   // the contributor of a cell that has one, else -1
	Magnitude []Largest // per magnitude
}

// Largest holds the contributions to one magnitude.
type Largest struct {
	Total    []float64 // weighted
	Nonzero  []int32   // contributors whose contribution is not zero
	Negative []bool    // a contributor's own sum is negative
	top      []float64 // cells x depth, descending
	weight   []float64 // the same, nil without weights
	depth    int
}

// Contribution returns what the rules must know of a cell.
func (l *Largest) Contribution(cell int) Contribution {
	at := cell * l.depth
	n := min(l.depth, int(l.Nonzero[cell]))
	c := Contribution{Total: l.Total[cell], Largest: l.top[at : at+n], N: int(l.Nonzero[cell])}
	if l.weight != nil {
		c.Weights = l.weight[at : at+n]
	}
	return c
}

// shards is fixed so that sums of floats do not depend on the processors.
const shards = 4

// Count tallies contributors. Each contributor's rows are added up cell by cell
// before they are compared, so that an employer with many workers counts once.
// contributors is their number, depth how many of the largest are kept.
func Count(ctx context.Context, l Layout, r Rows, contributors, depth int) (*Tally, error) {
	n := len(r.Combination)
	if len(r.Contributor) != n || n > math.MaxInt32 {
		return nil, fmt.Errorf("primary: %d rows with %d contributors, want as many, and at most 2^31", n, len(r.Contributor))
	}
	start, rows := byContributor(r.Contributor, contributors)
	bounds := make([]int, shards+1)
	for s, c := 1, 0; s <= shards; s++ {
		for c < contributors && int(start[c]) < s*n/shards {
			c++
		}
		bounds[s] = c
	}
	bounds[shards] = contributors
	parts := make([]*Tally, shards)
	err := par.Do(ctx, shards, func(s int) error {
		parts[s] = newTally(l.N, len(r.Values), depth, r.Weights != nil)
		return parts[s].add(ctx, l, r, start, rows, bounds[s], bounds[s+1])
	})
	if err != nil {
		return nil, err
	}
	return parts[0], par.Chunks(ctx, l.N, 1<<16, func(_, lo, hi int) error {
		for _, p := range parts[1:] {
			parts[0].merge(p, lo, hi)
		}
		return nil
	})
}

// byContributor lists the rows of each contributor; rows is nil where they
// stand in that order already.
func byContributor(contributor []int32, n int) (start, rows []int32) {
	start = make([]int32, n+1)
	sorted, last := true, int32(0)
	for _, c := range contributor {
		start[c+1]++
		sorted, last = sorted && c >= last, c
	}
	for c := range n {
		start[c+1] += start[c]
	}
	if sorted {
		return start, nil
	}
	next := append([]int32(nil), start[:n]...)
	rows = make([]int32, len(contributor))
	for i, c := range contributor {
		rows[next[c]] = int32(i)
		next[c]++
	}
	return start, rows
}

func newTally(cells, magnitudes, depth int, weighted bool) *Tally {
	t := &Tally{
		Depth: depth, Rows: make([]int64, cells), Employers: make([]int32, cells),
		Most: make([]int64, cells), Only: make([]int32, cells), Magnitude: make([]Largest, magnitudes),
	}
	for m := range t.Magnitude {
		l := &t.Magnitude[m]
		*l = Largest{
			Total: make([]float64, cells), Nonzero: make([]int32, cells), Negative: make([]bool, cells),
			top: make([]float64, cells*depth), depth: depth,
		}
		if weighted {
			l.weight = make([]float64, cells*depth)
		}
	}
	return t
}

// sums is a scratch array with the entries that are not zero.
type sums struct {
	rows     []int64
	plain    [][]float64
	weighted [][]float64
	touched  []int32
}

func newSums(n, magnitudes int, weighted bool) *sums {
	s := &sums{rows: make([]int64, n), plain: make([][]float64, magnitudes), weighted: make([][]float64, magnitudes)}
	for m := range magnitudes {
		s.plain[m] = make([]float64, n)
		if weighted {
			s.weighted[m] = make([]float64, n)
		}
	}
	return s
}

// add adds the contributors lo to hi.
func (t *Tally) add(ctx context.Context, l Layout, r Rows, start, rows []int32, lo, hi int) error {
	weighted := r.Weights != nil
	fine := newSums(len(l.Start)-1, len(r.Values), weighted)
	cell := newSums(l.N, len(r.Values), weighted)
	for c := lo; c < hi; c++ {
		if (c-lo)%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for k := start[c]; k < start[c+1]; k++ {
			i := k
			if rows != nil {
				i = rows[k]
			}
			f := r.Combination[i]
			if f < 0 {
				continue
			}
			if fine.rows[f] == 0 {
				fine.touched = append(fine.touched, f)
			}
			fine.rows[f]++
			for m, v := range r.Values {
				fine.plain[m][f] += v[i]
				if weighted {
					fine.weighted[m][f] += float64(v[i] * r.Weights[i])
				}
			}
		}
		for _, f := range fine.touched {
			for _, k := range l.Cells[l.Start[f]:l.Start[f+1]] {
				if cell.rows[k] == 0 {
					cell.touched = append(cell.touched, k)
				}
				cell.rows[k] += fine.rows[f]
				for m := range r.Values {
					cell.plain[m][k] += fine.plain[m][f]
					if weighted {
						cell.weighted[m][k] += fine.weighted[m][f]
					}
				}
			}
			fine.clear(f)
		}
		fine.touched = fine.touched[:0]
		for _, k := range cell.touched {
			t.contribute(k, int32(c), cell, weighted)
			cell.clear(k)
		}
		cell.touched = cell.touched[:0]
	}
	return nil
}

func (s *sums) clear(i int32) {
	s.rows[i] = 0
	for m := range s.plain {
		s.plain[m][i] = 0
		if s.weighted[m] != nil {
			s.weighted[m][i] = 0
		}
	}
}

// contribute adds one contributor to one cell.
func (t *Tally) contribute(k, contributor int32, s *sums, weighted bool) {
	t.Rows[k] += s.rows[k]
	t.Most[k] = max(t.Most[k], s.rows[k])
	t.Employers[k]++
	t.Only[k] = contributor
	for m := range t.Magnitude {
		l := &t.Magnitude[m]
		x := s.plain[m][k]
		total, w := x, 1.0
		if weighted {
			if total = s.weighted[m][k]; x != 0 {
				w = total / x
			}
		}
		l.Total[k] += total
		switch {
		case x < 0:
			l.Negative[k] = true
			l.Nonzero[k]++
		case x > 0:
			l.Nonzero[k]++
			l.insert(int(k), x, w)
		case x != x:
			l.Negative[k] = true
		}
	}
}

// insert keeps the largest contributions of a cell in descending order.
func (l *Largest) insert(cell int, x, w float64) {
	top := l.top[cell*l.depth : (cell+1)*l.depth]
	i := len(top)
	for i > 0 && x > top[i-1] {
		i--
	}
	if i == len(top) {
		return
	}
	copy(top[i+1:], top[i:])
	top[i] = x
	if l.weight != nil {
		weight := l.weight[cell*l.depth : (cell+1)*l.depth]
		copy(weight[i+1:], weight[i:])
		weight[i] = w
	}
}

// merge adds cells lo to hi of another shard.
func (t *Tally) merge(o *Tally, lo, hi int) {
	for k := lo; k < hi; k++ {
		if o.Employers[k] == 0 {
			continue
		}
		t.Rows[k] += o.Rows[k]
		t.Employers[k] += o.Employers[k]
		t.Most[k] = max(t.Most[k], o.Most[k])
		t.Only[k] = o.Only[k]
		for m := range t.Magnitude {
			a, b := &t.Magnitude[m], &o.Magnitude[m]
			a.Total[k] += b.Total[k]
			a.Negative[k] = a.Negative[k] || b.Negative[k]
			a.Nonzero[k] += b.Nonzero[k]
			for i := range b.depth {
				x, w := b.top[k*b.depth+i], 1.0
				if x == 0 {
					break
				}
				if b.weight != nil {
					w = b.weight[k*b.depth+i]
				}
				a.insert(k, x, w)
			}
		}
	}
}

// Single returns the contributor of a cell that has exactly one, else -1.
func (t *Tally) Single(cell int) int32 {
	if t.Employers[cell] == 1 {
		return t.Only[cell]
	}
	return -1
}
