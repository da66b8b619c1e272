package swap

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// undoCollisions takes back swaps of employers after which a worker would hold
// the same employer twice in a year, until none is left.
func (e *engine) undoCollisions(ctx context.Context, p Permutation, pairs bool, pr *PairingReport) error {
	if !e.f.Has(linked.Worker) {
		return nil
	}
	coder, err := newCoder(e.f)
	if err != nil {
		return err
	}
	years, err := byWorker(ctx, coder, linked.Year)
	if err != nil {
		return err
	}
	var inverse Permutation
	if e.o.Unit.overYears() || !pairs {
		inverse = p.Inverse()
	}
	var unitOf []int32
	if !e.o.Unit.overYears() && e.units.start != nil {
		unitOf = make([]int32, e.f.Rows())
		for u := range e.units.n {
			for _, r := range e.units.of(int32(u)) {
				unitOf[r] = int32(u)
			}
		}
	}
	undone := int64(0)
	undo := func(r int32) {
		switch {
		case inverse != nil && unitOf != nil: // a unit leaves its cycle with all its rows
			for _, q := range e.units.of(unitOf[r]) {
				e.bypass(p, inverse, q)
			}
			undone++
		case inverse != nil:
			undone += e.bypass(p, inverse, r)
		case unitOf != nil:
			other := unitOf[p[r]]
			for _, u := range []int32{unitOf[r], other} {
				for _, q := range e.units.of(u) {
					p[q] = q
				}
			}
			undone += 2
		default:
			q := p[r]
			p[q], p[r] = q, r
			undone += 2
		}
	}
	for again := true; again; {
		again = false
		for u := range years.n {
			rows := years.of(int32(u))
			for i, r := range rows {
				for _, q := range rows[:i] {
					for _, x := range []int32{r, q} {
						if p[x] != x && e.employer[p[r]] == e.employer[p[q]] {
							undo(x)
							again = true
						}
					}
				}
			}
		}
	}
	pr.unswappable(KeyCollision, undone)
	return nil
}

// bypass takes row r out of its cycle. Across employers it goes on until the
// rows that become neighbours work at different employers.
func (e *engine) bypass(p, inverse Permutation, r int32) (undone int64) {
	for p[r] != r {
		before, donor := inverse[r], p[r]
		p[before], inverse[donor] = donor, before
		p[r], inverse[r] = r, r
		undone++
		if e.o.Scope != AcrossEmployers || before == donor || e.employer[before] != e.employer[donor] {
			break
		}
		r = before
	}
	return undone
}

// pieceRows is the number of rows that are checked and moved at a time: what
// is touched of them fits the nearest cache.
const pieceRows = 1 << 13

// piece is the room for one.
type piece struct {
	touched [pieceRows]int32
	differs [pieceRows]bool
}

// touchedOf writes the touched rows of [lo, hi) into room, without a branch,
// and returns them. A loop over them fetches many distant rows at once.
func touchedOf(p Permutation, lo, hi int, room *[pieceRows]int32) []int32 {
	n := uint32(0)
	for i, j := range p[lo:hi] {
		room[n&(pieceRows-1)] = int32(lo + i)
		n += nonzero(uint32(lo+i) ^ uint32(j))
	}
	return room[:n]
}

// verify checks what every method promises: a bijection, made of pairs where it
// says so, that keeps rows in their strata and obeys the scope.
func (e *engine) verify(ctx context.Context, p Permutation, pairs bool) error {
	if !pairs && !p.IsBijection() {
		return fmt.Errorf("swap: internal error: the draw is no bijection; please report it with the plan")
	}
	codes, employer, n := e.rowCodes.codes, e.employer, uint32(len(p))
	return par.Chunks(ctx, len(p), pieceRows, func(_, lo, hi int) error {
		var room [pieceRows]int32
		touched := touchedOf(p, lo, hi, &room)
		// Loops without branches on what they load fetch many distant rows at
		// once; only what is wrong is looked at row by row.
		wrong := uint32(0)
		if pairs {
			for _, i := range touched {
				j := p[i]
				if uint32(j) >= n {
					return fmt.Errorf("swap: internal error: row %d has donor %d of %d; please report it with the plan", i, j, n)
				}
				wrong |= uint32(p[j] ^ i)
			}
			if wrong != 0 {
				return fmt.Errorf("swap: internal error: the draw is not made of pairs; please report it with the plan")
			}
		}
		if e.rowCodes.k > 1 {
			for _, i := range touched {
				wrong |= codes[i] ^ codes[p[i]]
			}
		}
		switch e.o.Scope {
		case WithinEmployer:
			for _, i := range touched {
				wrong |= uint32(employer[i] ^ employer[p[i]])
			}
		case AcrossEmployers:
			for _, i := range touched {
				wrong |= 1 &^ nonzero(uint32(employer[i]^employer[p[i]]))
			}
		}
		if wrong == 0 {
			return nil
		}
		for _, i := range touched {
			j := p[i]
			if e.rowCodes.k > 1 && codes[i] != codes[j] {
				return fmt.Errorf("swap: internal error: rows %d and %d lie in different strata; please report it with the plan", i, j)
			}
			together := employer[i] == employer[j]
			if together && e.o.Scope == AcrossEmployers || !together && e.o.Scope == WithinEmployer {
				return fmt.Errorf("swap: internal error: rows %d and %d break scope %v; please report it with the plan", i, j, e.o.Scope)
			}
		}
		return nil
	})
}

// nonzero is 1 where x is not 0.
func nonzero(x uint32) uint32 { return (x | -x) >> 31 }

// apply moves the columns, counts what was touched and what really changed, and
// checks that each column kept its multiset of values.
func (e *engine) apply(ctx context.Context, p Permutation, cols []string, pr *PairingReport) ([]frame.Column, error) {
	n := len(p)
	moved := make([]frame.Column, len(cols))
	moves := make([]func(lo, hi int, touched []int32, differs []bool) columnTally, len(cols))
	for k, name := range cols {
		moved[k], moves[k] = mover(e.f.Col(name), p)
	}
	var changed []bool // by row, where units have several
	if e.units.start != nil {
		changed = make([]bool, n)
	}
	type tally struct {
		touched, changed int64
		columns          []columnTally
	}
	parts := make([]tally, par.Count(n, chunkRows))
	err := par.Chunks(ctx, n, chunkRows, func(c, first, end int) error {
		work := e.work.Get().(*piece)
		defer e.work.Put(work)
		t := tally{columns: make([]columnTally, len(cols))}
		for lo := first; lo < end; lo += pieceRows {
			hi := min(lo+pieceRows, end)
			touched := touchedOf(p, lo, hi, &work.touched)
			t.touched += int64(len(touched))
			differs := work.differs[:hi-lo]
			if changed != nil {
				differs = changed[lo:hi]
			} else {
				clear(differs)
			}
			for k, move := range moves {
				m := move(lo, hi, touched, differs)
				t.columns[k].rows, t.columns[k].balance = t.columns[k].rows+m.rows, t.columns[k].balance+m.balance
			}
			if changed == nil {
				for _, i := range touched {
					if differs[int(i)-lo] {
						t.changed++
					}
				}
			}
		}
		parts[c] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	columns := make([]columnTally, len(cols))
	for _, t := range parts {
		pr.RowsTouched, pr.Changed = pr.RowsTouched+t.touched, pr.Changed+t.changed
		for k, c := range t.columns {
			columns[k].rows, columns[k].balance = columns[k].rows+c.rows, columns[k].balance+c.balance
		}
	}
	for k, name := range cols {
		if columns[k].balance != 0 {
			return nil, fmt.Errorf("swap: internal error: column %q lost values; please report it with the plan", name)
		}
		pr.RowsChanged = append(pr.RowsChanged, ColumnChange{name, columns[k].rows})
	}
	pr.Touched = pr.RowsTouched
	if changed != nil {
		pr.Touched, pr.Changed, err = e.unitsTouched(ctx, p, changed)
	}
	return moved, err
}

// unitsTouched counts units of several rows of which one is touched, or changed.
func (e *engine) unitsTouched(ctx context.Context, p Permutation, changed []bool) (touched, differ int64, err error) {
	parts := make([][2]int64, par.Count(e.units.n, chunkRows))
	err = par.Chunks(ctx, e.units.n, chunkRows, func(k, lo, hi int) error {
		var t [2]int64
		for u := lo; u < hi; u++ {
			moves, differs := false, false
			for _, r := range e.units.of(int32(u)) {
				moves = moves || p[r] != r
				differs = differs || changed[r]
			}
			if moves {
				t[0]++
			}
			if differs {
				t[1]++
			}
		}
		parts[k] = t
		return nil
	})
	for _, t := range parts {
		touched, differ = touched+t[0], differ+t[1]
	}
	return touched, differ, err
}

// columnTally is the number of rows in which a column changed, and a hash of
// the values gone minus one of the values come, 0 where none was lost.
type columnTally struct {
	rows    int64
	balance uint64
}

// mover returns the column that p makes of c, and what fills in its rows from
// lo to hi, of which some are touched, and marks those that differ.
func mover(c frame.Column, p Permutation) (frame.Column, func(lo, hi int, touched []int32, differs []bool) columnTally) {
	switch now := c; c.Kind {
	case frame.Float:
		now.F = make([]float64, len(p))
		return now, fill(now.F, c.F, p, math.Float64bits)
	case frame.Long:
		now.L = make([]int64, len(p))
		return now, fill(now.L, c.L, p, func(v int64) uint64 { return uint64(v) })
	default:
		now.I = make([]int32, len(p))
		return now, fill(now.I, c.I, p, func(v int32) uint64 { return uint64(uint32(v)) })
	}
}

func fill[T int32 | int64 | float64](to, from []T, p Permutation, bits func(T) uint64) func(lo, hi int, touched []int32, differs []bool) columnTally {
	return func(lo, hi int, touched []int32, differs []bool) columnTally {
		var t columnTally
		copy(to[lo:hi], from[lo:hi])
		for _, i := range touched { // a loop without branches, as above
			to[i] = from[p[i]]
		}
		for _, i := range touched {
			if a, b := bits(from[i]), bits(to[i]); a != b {
				differs[int(i)-lo] = true
				t.rows, t.balance = t.rows+1, t.balance+rng.Mix(1, a)-rng.Mix(1, b)
			}
		}
		return t
	}
}
