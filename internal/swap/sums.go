package swap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// SumPromise is a sum of a number by the cells of some columns that a scramble
// keeps, exactly or within a tolerance, such as wages by employer within 1 %.
type SumPromise struct {
	Column string
	By     []string
	Within int64 // tolerance in millionths of the original sum of the cell, from 0
}

// Million is a tolerance of the whole sum.
const Million = 1_000_000

func (p SumPromise) String() string {
	s := fmt.Sprintf("sum(%s) by [%s]", p.Column, strings.Join(p.By, ", "))
	if p.Within > 0 {
		s += fmt.Sprintf(" within %g%%", float64(p.Within)/(Million/100))
	}
	return s
}

// limit is how far a sum may be from the original one.
func (p SumPromise) limit(original int64) int64 {
	original = max(original, -original)
	return original/Million*p.Within + original%Million*p.Within/Million
}

// KeepsSum reports whether a step keeps a sum, whatever the data, and otherwise
// says what to change. A step that keeps the table of the column by the cells
// keeps its sums. One that exchanges the column between cells keeps them within
// a tolerance, because [Run] takes back every pair that would leave it; it must
// exchange pairs of rows or person-years, and leave the cells where they are.
func KeepsSum(o Options, p SumPromise) (ok bool, why string) {
	exact, why := Keeps(o, Promise{Columns: append(slices.Clone(p.By), p.Column)})
	if exact || p.Within == 0 {
		return exact, why
	}
	m, err := lookupMethod(o.Method)
	switch {
	case err != nil:
		return false, err.Error()
	case !slices.Contains(o.Bundle, p.Column):
		return false, why // the cells move, and a pair moves whole rows from cell to cell
	case !m.Pairs:
		return false, fmt.Sprintf("%s deals values to no pairs that could be taken back: use %s, %s or %s", m.Name, RankSwap, NearestSwap, RandomSwap)
	case o.Unit.overYears():
		return false, fmt.Sprintf("unit %v moves on a cycle, of which no pair can be taken back: use unit %v or %v", o.Unit, Row, PersonYear)
	}
	moves := func(n string) bool {
		return slices.Contains(o.Bundle, n) || slices.Contains(o.Bundle, linked.Employer) && slices.Contains(linked.FirmAttributes, n)
	}
	if slices.ContainsFunc(p.By, moves) {
		return false, fmt.Sprintf("the step also moves columns of [%s]: take them out of the bundle", strings.Join(p.By, ", "))
	}
	return true, "pairs that would leave the tolerance are taken back"
}

// ledger is the state of one promise while pairs are accepted.
type ledger struct {
	cell  []uint32 // of each row
	value []int32
	off   []int64 // by cell: sum now minus original sum
	limit []int64
	none  int32
}

func newLedger(ctx context.Context, original, f *frame.Frame, p SumPromise) (*ledger, error) {
	c, err := encode(ctx, []*frame.Frame{original, f}, p.By)
	if err != nil {
		return nil, fmt.Errorf("swap: promised %v: %w", p, err)
	}
	for _, t := range []*frame.Frame{original, f} {
		if x, ok := t.Lookup(p.Column); !ok || x.Kind != frame.Int {
			return nil, fmt.Errorf("swap: promised %v: want a whole or fixed-point number in column %q among %q", p, p.Column, t.Names())
		}
	}
	was, now := original.Col(p.Column).I, f.Col(p.Column).I
	l := &ledger{cell: c.codes[len(was):], value: now, off: make([]int64, c.k), limit: make([]int64, c.k), none: frame.NoInt}
	for i, k := range c.codes[:len(was)] {
		l.limit[k] += l.of(was[i])
	}
	for k, sum := range l.limit {
		l.off[k], l.limit[k] = -sum, p.limit(sum)
	}
	for i, k := range l.cell {
		l.off[k] += l.of(now[i])
	}
	return l, nil
}

// of is a value in a sum; a missing one adds nothing.
func (l *ledger) of(v int32) int64 {
	if v == l.none {
		return 0
	}
	return int64(v)
}

// exchange lets rows a and b change places in the sums.
func (l *ledger) exchange(a, b int32) {
	d := l.of(l.value[b]) - l.of(l.value[a])
	l.off[l.cell[a]] += d
	l.off[l.cell[b]] -= d
}

// holds reports whether the cell of a row is within its limit.
func (l *ledger) holds(row int32) bool {
	k := l.cell[row]
	return max(l.off[k], -l.off[k]) <= l.limit[k]
}

// keepSums takes back pairs until every promised sum holds. Pairs are looked at
// in random order and accepted where all sums hold with them; those refused are
// looked at twice more, since others may have made room. The order is drawn from
// the key, so that it tells nothing of rows.
func (e *engine) keepSums(ctx context.Context, p Permutation, cols []string, pr *PairingReport, key rng.Secret, stage string) error {
	var ledgers []*ledger
	for _, s := range e.o.Sums {
		if !slices.Contains(cols, s.Column) {
			continue
		}
		if exact, _ := Keeps(e.o, Promise{Columns: append(slices.Clone(s.By), s.Column)}); exact {
			continue
		}
		original := e.o.Original
		if original == nil {
			original = e.f
		}
		l, err := newLedger(ctx, original, e.f, s)
		if err != nil {
			return err
		}
		ledgers = append(ledgers, l)
	}
	if len(ledgers) == 0 {
		return nil
	}
	var pairs [][2]int32 // units
	var one, two [1]int32
	unitOf := func(row int32) int32 { return row }
	if e.units.start != nil {
		at := make([]int32, e.f.Rows())
		for u := range int32(e.units.n) {
			for _, r := range e.units.of(u) {
				at[r] = u
			}
		}
		unitOf = func(row int32) int32 { return at[row] }
	}
	for u := range int32(e.units.n) {
		if v := unitOf(p[e.rowsOf(u, &one)[0]]); v > u {
			pairs = append(pairs, [2]int32{u, v})
		}
	}
	rng.Shuffle(key.Stream(stage+" sums", 0), pairs)
	exchange := func(rows []int32) {
		for _, l := range ledgers {
			for _, r := range rows {
				l.exchange(r, p[r])
			}
		}
	}
	refused := pairs
	for range 3 {
		again := refused[:0]
		for _, q := range refused {
			a, b := e.rowsOf(q[0], &one), e.rowsOf(q[1], &two)
			exchange(a)
			holds := true
			for _, l := range ledgers {
				for k := range a {
					holds = holds && l.holds(a[k]) && l.holds(b[k])
				}
			}
			if !holds {
				exchangeBack(ledgers, p, a)
				again = append(again, q)
			}
		}
		if refused = again; len(refused) == 0 {
			break
		}
	}
	for _, q := range refused {
		for _, r := range e.rowsOf(q[0], &one) {
			b := p[r]
			p[r], p[b] = r, b
		}
	}
	taken := int64(2 * len(refused))
	pr.unswappable(SumTooFar, taken)
	pr.Expected = max(0, pr.Expected-share(taken, pr.Units))
	return nil
}

func exchangeBack(ledgers []*ledger, p Permutation, rows []int32) {
	for _, l := range ledgers {
		for _, r := range rows {
			d := l.of(l.value[p[r]]) - l.of(l.value[r])
			l.off[l.cell[r]] -= d
			l.off[l.cell[p[r]]] += d
		}
	}
}

// CheckSums verifies that each promised sum holds from one frame to the other,
// in whole units, and names the first cell in which one does not.
func CheckSums(ctx context.Context, before, after *frame.Frame, promises []SumPromise) error {
	for _, p := range promises {
		l, err := newLedger(ctx, before, after, p)
		if err != nil {
			return err
		}
		c, err := encode(ctx, []*frame.Frame{before, after}, p.By)
		if err != nil {
			return err
		}
		for i, k := range c.codes {
			if max(l.off[k], -l.off[k]) <= l.limit[k] {
				continue
			}
			row, f := i, before
			if i >= before.Rows() {
				row, f = i-before.Rows(), after
			}
			return fmt.Errorf("swap: promised %v is not kept: cell (%s) is off by %d units of %s, at most %d are allowed", p, cell(f, p.By, row), l.off[k], p.Column, l.limit[k])
		}
	}
	return nil
}
