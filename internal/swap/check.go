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
	years, err := byWorker(ctx, e.f, linked.Year)
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

// verify checks what every method promises: a bijection that keeps rows in
// their strata and obeys the scope.
func (e *engine) verify(ctx context.Context, p Permutation) error {
	if !p.IsBijection() {
		return fmt.Errorf("swap: internal error: the draw is no bijection; please report it with the plan")
	}
	codes, employer := e.rowCodes.codes, e.employer
	return par.Chunks(ctx, len(p), chunkRows, func(_, lo, hi int) error {
		// Loops without branches on what they load fetch many distant rows at
		// once; only what is wrong is looked at row by row.
		wrong := uint32(0)
		if e.rowCodes.k > 1 {
			own := codes[lo:hi]
			for i, j := range p[lo:hi] {
				wrong |= own[i] ^ codes[j]
			}
		}
		switch own := employer[lo:hi]; e.o.Scope {
		case WithinEmployer:
			for i, j := range p[lo:hi] {
				wrong |= uint32(own[i] ^ employer[j])
			}
		case AcrossEmployers:
			for i, j := range p[lo:hi] {
				wrong |= nonzero(uint32(lo+i)^uint32(j)) &^ nonzero(uint32(own[i]^employer[j]))
			}
		}
		if wrong == 0 {
			return nil
		}
		for i := lo; i < hi; i++ {
			j := p[i]
			if codes[i] != codes[j] {
				return fmt.Errorf("swap: internal error: rows %d and %d lie in different strata; please report it with the plan", i, j)
			}
			together := employer[i] == employer[j]
			if int(j) != i && together && e.o.Scope == AcrossEmployers || !together && e.o.Scope == WithinEmployer {
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
	changed := make([]bool, n)
	var moved []frame.Column
	for _, name := range cols {
		was := e.f.Col(name)
		now, rows, err := move(ctx, was, p, changed)
		if err != nil {
			return nil, err
		}
		moved = append(moved, now)
		pr.RowsChanged = append(pr.RowsChanged, ColumnChange{name, rows})
	}
	type tally struct{ rows, touched, changed int64 }
	parts := make([]tally, par.Count(e.units.n, chunkRows))
	err := par.Chunks(ctx, e.units.n, chunkRows, func(k, lo, hi int) error {
		var t tally
		if e.units.start == nil {
			for i, j := range p[lo:hi] {
				t.touched += int64(nonzero(uint32(lo+i) ^ uint32(j)))
			}
			for _, differs := range changed[lo:hi] {
				if differs {
					t.changed++
				}
			}
			t.rows, parts[k] = t.touched, t
			return nil
		}
		var one [1]int32
		for u := lo; u < hi; u++ {
			touched, differs := false, false
			for _, r := range e.rowsOf(int32(u), &one) {
				if p[r] != r {
					touched = true
					t.rows++
				}
				differs = differs || changed[r]
			}
			if touched {
				t.touched++
			}
			if differs {
				t.changed++
			}
		}
		parts[k] = t
		return nil
	})
	for _, t := range parts {
		pr.RowsTouched, pr.Touched, pr.Changed = pr.RowsTouched+t.rows, pr.Touched+t.touched, pr.Changed+t.changed
	}
	return moved, err
}

// move applies p to a column, marks the rows whose value differs and returns
// their number.
func move(ctx context.Context, c frame.Column, p Permutation, changed []bool) (frame.Column, int64, error) {
	n := len(p)
	type tally struct {
		rows    int64
		balance uint64 // hash of values gone minus hash of values come
	}
	parts := make([]tally, par.Count(n, 1<<13))
	now := c
	var step func(lo, hi int) tally
	switch c.Kind {
	case frame.Float:
		now.F = make([]float64, n)
		step = func(lo, hi int) tally {
			var t tally
			gather(now.F, c.F, p, lo, hi)
			for i := lo; i < hi; i++ {
				if a, b := math.Float64bits(c.F[i]), math.Float64bits(now.F[i]); a != b {
					changed[i] = true
					t.rows, t.balance = t.rows+1, t.balance+rng.Mix(1, a)-rng.Mix(1, b)
				}
			}
			return t
		}
	case frame.Long:
		now.L = make([]int64, n)
		step = func(lo, hi int) tally {
			var t tally
			gather(now.L, c.L, p, lo, hi)
			for i := lo; i < hi; i++ {
				if a, b := c.L[i], now.L[i]; a != b {
					changed[i] = true
					t.rows, t.balance = t.rows+1, t.balance+rng.Mix(1, uint64(a))-rng.Mix(1, uint64(b))
				}
			}
			return t
		}
	default:
		now.I = make([]int32, n)
		step = func(lo, hi int) tally {
			var t tally
			gather(now.I, c.I, p, lo, hi)
			for i := lo; i < hi; i++ {
				if a, b := c.I[i], now.I[i]; a != b {
					changed[i] = true
					t.rows, t.balance = t.rows+1, t.balance+rng.Mix(1, uint64(uint32(a)))-rng.Mix(1, uint64(uint32(b)))
				}
			}
			return t
		}
	}
	err := par.Chunks(ctx, n, 1<<13, func(k, lo, hi int) error {
		parts[k] = step(lo, hi)
		return nil
	})
	if err != nil {
		return c, 0, err
	}
	var all tally
	for _, t := range parts {
		all.rows, all.balance = all.rows+t.rows, all.balance+t.balance
	}
	if all.balance != 0 {
		return c, 0, fmt.Errorf("swap: internal error: column %q lost values; please report it with the plan", c.Name)
	}
	return now, all.rows, nil
}

// gather is a loop of its own, without a branch on what it loads, so that many
// distant rows are fetched at once.
func gather[T any](to, from []T, p Permutation, lo, hi int) {
	to, p = to[lo:hi], p[lo:hi]
	for i, j := range p {
		to[i] = from[j]
	}
}
