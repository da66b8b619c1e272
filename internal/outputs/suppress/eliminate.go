package suppress

import (
	"context"
	"slices"

	"scramblelab/internal/rng"
)

// Elimination is the null space of the relations on the suppressed cells, modulo
// 2^61-1: for every cell its coordinates in a few random null-space vectors.
//
// A suppressed cell is derivable from the published ones if and only if it is
// zero in every null-space vector. In a random one a cell that is not derivable
// is zero with probability 1/(2^61-1), so that the chance to call any of n cells
// derivable that is not, is below n * 4.4e-19, which is 5e-13 for a million; it
// errs on the safe side. The other way round an error needs the prime to divide
// a minor of the matrix of relations; a [Move] proves non-derivability without.
type Elimination struct {
	Vectors int // null-space vectors
	Rank    int
	column  []int32  // of each cell, -1 for a published one
	value   []uint64 // columns x vectors
	rows    []int32  // relations that are linearly independent and span the others
}

// Derivable reports whether a suppressed cell follows from the published ones.
func (e *Elimination) Derivable(cell int32) bool {
	at := int(e.column[cell]) * e.Vectors
	for _, v := range e.value[at : at+e.Vectors] {
		if v != 0 {
			return false
		}
	}
	return true
}

// Reveals reports whether a suppressed cell follows from the published ones and
// the values of known: whether its row of the null space lies in the span of
// theirs. decided is false where there are too few vectors to tell.
func (e *Elimination) Reveals(known []int32, cell int32) (reveals, decided bool) {
	var basis [][]uint64
	row := func(c int32) []uint64 {
		at := int(e.column[c]) * e.Vectors
		return slices.Clone(e.value[at : at+e.Vectors])
	}
	reduce := func(v []uint64) int {
		for _, b := range basis {
			lead := slices.IndexFunc(b, func(x uint64) bool { return x != 0 })
			if v[lead] != 0 {
				f := neg(mul(v[lead], inverse(b[lead])))
				for i := range v {
					v[i] = add(v[i], mul(f, b[i]))
				}
			}
		}
		return slices.IndexFunc(v, func(x uint64) bool { return x != 0 })
	}
	for _, k := range known {
		if v := row(k); reduce(v) >= 0 {
			if basis = append(basis, v); len(basis) >= e.Vectors {
				return false, false
			}
		}
	}
	return reduce(row(cell)) < 0, true
}

type entry struct {
	col int32
	val uint64
}

type eliminator struct {
	rows    [][]entry // active ones, sorted by column; nil once used
	of      []int32   // the relation that a row began as
	cols    [][]int32 // rows of a column, some of them stale
	degree  []int32
	state   []uint8 // of a column
	buckets [][]int32
	low     int
	pivots  []pivot
	work    int
}

type pivot struct {
	col int32
	row []entry
	of  int32
}

const (
	active uint8 = iota
	pivoted
)

// Eliminate solves the relations for the suppressed cells. vectors is the number
// of random null-space vectors, at least 1; the same suppression gives the same
// vectors. It stops with the context: a caller with a time limit gives one.
func Eliminate(ctx context.Context, s *System, suppressed []bool, vectors int) (*Elimination, error) {
	e := &Elimination{Vectors: vectors, column: make([]int32, s.N)}
	n := int32(0)
	for c := range s.N {
		if e.column[c] = -1; suppressed[c] {
			e.column[c] = n
			n++
		}
	}
	x := newEliminator(s, e.column, int(n))
	if err := x.run(ctx); err != nil {
		return nil, err
	}
	e.Rank = len(x.pivots)
	for _, p := range x.pivots {
		e.rows = append(e.rows, p.of)
	}
	e.value = x.nullVectors(int(n), vectors)
	return e, nil
}

func newEliminator(s *System, column []int32, n int) *eliminator {
	x := &eliminator{cols: make([][]int32, n), degree: make([]int32, n), state: make([]uint8, n)}
	for r := range s.Relations() {
		var row []entry
		for i, c := range s.cells[s.start[r]:s.start[r+1]] {
			if k := column[c]; k >= 0 {
				v := uint64(1)
				if i == 0 {
					v = prime - 1
				}
				row = append(row, entry{k, v})
			}
		}
		if row == nil {
			continue
		}
		slices.SortFunc(row, func(a, b entry) int { return int(a.col) - int(b.col) })
		for _, e := range row {
			x.cols[e.col] = append(x.cols[e.col], int32(len(x.rows)))
			x.degree[e.col]++
		}
		x.rows, x.of = append(x.rows, row), append(x.of, int32(r))
	}
	for c := range n {
		x.push(int32(c))
	}
	return x
}

// push queues a column by the number of rows that it stands in.
func (x *eliminator) push(c int32) {
	d := int(x.degree[c])
	if d == 0 {
		return
	}
	for len(x.buckets) <= d {
		x.buckets = append(x.buckets, nil)
	}
	x.buckets[d] = append(x.buckets[d], c)
	x.low = min(x.low, d)
}

// run pivots on the column that stands in the fewest rows and, of these, on the
// shortest row (Markowitz 1957, with the column chosen first).
func (x *eliminator) run(ctx context.Context) error {
	for steps := 0; ; steps++ {
		if steps%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for x.low < len(x.buckets) && len(x.buckets[x.low]) == 0 {
			x.low++
		}
		if x.low >= len(x.buckets) {
			return nil
		}
		b := x.buckets[x.low]
		c := b[len(b)-1]
		x.buckets[x.low] = b[:len(b)-1]
		if x.state[c] != active || int(x.degree[c]) != x.low {
			continue // stale
		}
		if err := x.eliminate(ctx, c); err != nil {
			return err
		}
	}
}

// find returns the entry of a column in a row, or -1.
func find(row []entry, c int32) int {
	if len(row) <= 16 {
		for i := range row {
			if row[i].col == c {
				return i
			}
		}
		return -1
	}
	i, ok := slices.BinarySearchFunc(row, c, func(e entry, c int32) int { return int(e.col) - int(c) })
	if !ok {
		return -1
	}
	return i
}

// eliminate uses a column as the next pivot.
func (x *eliminator) eliminate(ctx context.Context, c int32) error {
	rows := x.cols[c][:0]
	best := int32(-1)
	slices.Sort(x.cols[c])
	for i, r := range x.cols[c] {
		if i > 0 && r == x.cols[c][i-1] || x.rows[r] == nil || find(x.rows[r], c) < 0 {
			continue
		}
		rows = append(rows, r)
		if best < 0 || len(x.rows[r]) < len(x.rows[best]) {
			best = r
		}
	}
	p := x.rows[best]
	x.rows[best] = nil
	x.state[c] = pivoted
	x.pivots = append(x.pivots, pivot{c, p, x.of[best]})
	for _, e := range p {
		if e.col != c {
			x.degree[e.col]--
		}
	}
	scale := inverse(p[find(p, c)].val)
	for _, r := range rows {
		if r == best {
			continue
		}
		old := x.rows[r]
		x.rows[r] = x.combine(r, old, p, c, neg(mul(old[find(old, c)].val, scale)))
		if x.work += len(old) + len(p); x.work > 1<<16 {
			if x.work = 0; ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	x.cols[c] = nil
	for _, e := range p {
		if e.col != c && x.state[e.col] == active {
			x.push(e.col)
		}
	}
	return nil
}

// combine returns row + f * p without column c, which cancels.
func (x *eliminator) combine(r int32, row, p []entry, c int32, f uint64) []entry {
	out := make([]entry, 0, len(row)+len(p)-2)
	i, j := 0, 0
	for i < len(row) || j < len(p) {
		switch {
		case j == len(p) || i < len(row) && row[i].col < p[j].col:
			out = append(out, row[i])
			i++
		case i == len(row) || p[j].col < row[i].col:
			out = append(out, entry{p[j].col, mul(f, p[j].val)})
			x.cols[p[j].col] = append(x.cols[p[j].col], r)
			x.degree[p[j].col]++
			j++
		default:
			if col := row[i].col; col != c {
				if v := add(row[i].val, mul(f, p[j].val)); v != 0 {
					out = append(out, entry{col, v})
				} else if x.degree[col]--; x.state[col] == active {
					x.push(col)
				}
			}
			i++
			j++
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// nullVectors gives free columns random values and solves for the others, from
// the last pivot to the first.
func (x *eliminator) nullVectors(n, vectors int) []uint64 {
	value := make([]uint64, n*vectors)
	const stage rng.Stage = 0x6e756c6c
	for c := range n {
		if x.state[c] == active {
			for v := range vectors {
				value[c*vectors+v] = rng.Sim(v).Uint64(stage, uint64(c)) % prime
			}
		}
	}
	sum := make([]uint64, vectors)
	for i := len(x.pivots) - 1; i >= 0; i-- {
		p := x.pivots[i]
		clear(sum)
		scale := uint64(0)
		for _, e := range p.row {
			if e.col == p.col {
				scale = neg(inverse(e.val))
				continue
			}
			at := value[int(e.col)*vectors : (int(e.col)+1)*vectors]
			switch e.val {
			case 1:
				for v, y := range at {
					sum[v] = add(sum[v], y)
				}
			default:
				for v, y := range at {
					sum[v] = add(sum[v], mul(e.val, y))
				}
			}
		}
		for v := range sum {
			value[int(p.col)*vectors+v] = mul(scale, sum[v])
		}
	}
	return value
}
