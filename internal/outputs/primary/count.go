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
	r *records
	m int
}

// Total returns the weighted total of a cell.
func (l Largest) Total(cell int) float64 { return l.r.of(cell)[l.r.magnitude(l.m)+atTotal] }

// Negative reports whether some contributor's own sum is negative or missing.
func (l Largest) Negative(cell int) bool { return l.r.of(cell)[l.r.magnitude(l.m)+atNegative] != 0 }

// Contribution returns what the rules must know of a cell.
func (l Largest) Contribution(cell int) Contribution {
	v := l.r.of(cell)[l.r.magnitude(l.m):]
	n := int(v[atNonzero])
	k := min(l.r.depth, n)
	c := Contribution{Total: v[atTotal], Largest: v[atTop : atTop+k], N: n}
	if l.r.weighted {
		c.Weights = v[atTop+l.r.depth : atTop+l.r.depth+k]
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
	g, err := r.group(ctx, contributors, len(l.Start)-1)
	if err != nil {
		return nil, err
	}
	bounds := make([]int, shards+1)
	for s, c, rows := 1, 0, 0; s <= shards; s++ {
		for ; c < len(g.order) && rows < s*n/shards; c++ {
			rows += int(g.start[g.order[c]+1] - g.start[g.order[c]])
		}
		bounds[s] = c
	}
	bounds[shards] = len(g.order)
	parts := make([]*records, shards)
	err = par.Do(ctx, shards, func(s int) error {
		parts[s] = newRecords(l.N, len(r.Values), depth, r.Weights != nil)
		return parts[s].add(ctx, l, g, g.order[bounds[s]:bounds[s+1]])
	})
	if err != nil {
		return nil, err
	}
	err = par.Chunks(ctx, l.N, 1<<16, func(_, lo, hi int) error {
		for _, p := range parts[1:] {
			parts[0].merge(p, lo, hi)
		}
		return nil
	})
	return parts[0].tally(), err
}

// records keeps one run of numbers per cell, so that a contribution touches
// one or two cache lines: whole numbers below 2^53 are exact in them.
type records struct {
	v                         []float64
	stride, magnitudes, depth int
	weighted                  bool
}

// Where the numbers of a cell stand, and those of a magnitude.
const (
	atRows = iota
	atMost
	atEmployers
	atOnly
	atMagnitudes

	atTotal    = 0
	atNonzero  = 1
	atNegative = 2
	atTop      = 3
)

func newRecords(cells, magnitudes, depth int, weighted bool) *records {
	t := &records{magnitudes: magnitudes, depth: depth, weighted: weighted}
	t.stride = t.magnitude(magnitudes)
	t.v = make([]float64, cells*t.stride)
	return t
}

func (t *records) magnitude(m int) int {
	each := atTop + t.depth
	if t.weighted {
		each += t.depth
	}
	return atMagnitudes + m*each
}

func (t *records) of(cell int) []float64 { return t.v[cell*t.stride : (cell+1)*t.stride] }

// tally hands the records out by name.
func (t *records) tally() *Tally {
	n := len(t.v) / t.stride
	out := &Tally{Depth: t.depth, Rows: make([]int64, n), Employers: make([]int32, n), Most: make([]int64, n), Only: make([]int32, n)}
	for k := range n {
		v := t.of(k)
		out.Rows[k], out.Most[k], out.Employers[k], out.Only[k] = int64(v[atRows]), int64(v[atMost]), int32(v[atEmployers]), -1
		if v[atEmployers] == 1 {
			out.Only[k] = int32(v[atOnly])
		}
	}
	for m := range t.magnitudes {
		out.Magnitude = append(out.Magnitude, Largest{t, m})
	}
	return out
}

// scratch adds up one contributor: per entry its rows, then each magnitude, then
// each weighted.
type scratch struct {
	v       []float64
	stride  int
	touched []int32
}

func newScratch(n, stride int) *scratch {
	return &scratch{v: make([]float64, n*stride), stride: stride}
}

func (s *scratch) of(i int32) []float64 { return s.v[int(i)*s.stride : (int(i)+1)*s.stride] }

// add adds some contributors.
func (t *records) add(ctx context.Context, l Layout, r grouped, contributors []int32) error {
	stride := 1 + len(r.Values)
	if t.weighted {
		stride += len(r.Values)
	}
	fine, cell := newScratch(len(l.Start)-1, stride), newScratch(l.N, stride)
	for n, c := range contributors {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for i := r.start[c]; i < r.start[c+1]; i++ {
			f := r.Combination[i]
			if f < 0 {
				continue
			}
			v := fine.of(f)
			if v[0] == 0 {
				fine.touched = append(fine.touched, f)
			}
			v[0]++
			for m, x := range r.Values {
				v[1+m] += x[i]
				if t.weighted {
					v[1+len(r.Values)+m] += float64(x[i] * r.Weights[i])
				}
			}
		}
		for _, f := range fine.touched {
			from := fine.of(f)
			for _, k := range l.Cells[l.Start[f]:l.Start[f+1]] {
				v := cell.of(k)
				if v[0] == 0 {
					cell.touched = append(cell.touched, k)
				}
				for j, x := range from {
					v[j] += x
				}
			}
			clear(from)
		}
		fine.touched = fine.touched[:0]
		for _, k := range cell.touched {
			v := cell.of(k)
			t.contribute(int(k), int(c), v)
			clear(v)
		}
		cell.touched = cell.touched[:0]
	}
	return nil
}

// contribute adds one contributor to one cell.
func (t *records) contribute(k, contributor int, sum []float64) {
	v := t.of(k)
	v[atRows] += sum[0]
	v[atMost] = max(v[atMost], sum[0])
	v[atEmployers]++
	v[atOnly] = float64(contributor)
	for m := range t.magnitudes {
		x := sum[1+m]
		total, w := x, 1.0
		if t.weighted {
			if total = sum[1+t.magnitudes+m]; x != 0 {
				w = total / x
			}
		}
		g := v[t.magnitude(m):]
		g[atTotal] += total
		switch {
		case x > 0:
			g[atNonzero]++
			t.insert(g, x, w)
		case x < 0:
			g[atNonzero]++
			g[atNegative] = 1
		case x != x:
			g[atNegative] = 1
		}
	}
}

// insert keeps the largest contributions in descending order.
func (t *records) insert(g []float64, x, w float64) {
	top := g[atTop : atTop+t.depth]
	i := len(top)
	for i > 0 && x > top[i-1] {
		i--
	}
	if i == len(top) {
		return
	}
	copy(top[i+1:], top[i:])
	top[i] = x
	if t.weighted {
		weight := g[atTop+t.depth : atTop+2*t.depth]
		copy(weight[i+1:], weight[i:])
		weight[i] = w
	}
}

// merge adds cells lo to hi of another shard.
func (t *records) merge(o *records, lo, hi int) {
	for k := lo; k < hi; k++ {
		a, b := t.of(k), o.of(k)
		if b[atEmployers] == 0 {
			continue
		}
		a[atRows] += b[atRows]
		a[atEmployers] += b[atEmployers]
		a[atMost] = max(a[atMost], b[atMost])
		a[atOnly] = b[atOnly]
		for m := range t.magnitudes {
			to, from := a[t.magnitude(m):], b[t.magnitude(m):]
			to[atTotal] += from[atTotal]
			to[atNonzero] += from[atNonzero]
			to[atNegative] = max(to[atNegative], from[atNegative])
			for i, x := range from[atTop : atTop+t.depth] {
				w := 1.0
				if x == 0 {
					break
				}
				if t.weighted {
					w = from[atTop+t.depth+i]
				}
				t.insert(to, x, w)
			}
		}
	}
}

// Single returns the contributor of a cell that has exactly one, else -1.
func (t *Tally) Single(cell int) int32 {
	return t.Only[cell]
}
