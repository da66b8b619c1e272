package swap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// Promise is a table of head counts that a scramble keeps exactly, on the frame
// that is permuted, such as year x group x level.
type Promise struct {
	Columns []string
}

func (p Promise) String() string { return strings.Join(p.Columns, " x ") }

// Keeps reports whether a step keeps a table exactly, whatever the data, and
// otherwise says what to change. A swap of a bundle keeps a table that contains
// no column of it, or that contains some which travel together between partners
// who agree on all the table's other columns (moves in the Markov basis of the
// table; METHODS 1.9). With the employer travel the firm attributes.
func Keeps(o Options, p Promise) (ok bool, why string) {
	if o.Rate == 0 {
		return true, "rate 0 moves nothing"
	}
	moves := func(n string) bool {
		return slices.Contains(o.Bundle, n) ||
			slices.Contains(o.Bundle, linked.Employer) && slices.Contains(linked.FirmAttributes, n) && !slices.Contains(o.Same, n)
	}
	agree := func(n string) bool {
		within := o.Scope == WithinEmployer || slices.Contains(o.Same, linked.Employer)
		year := o.Unit.overYears() || slices.Contains(o.Same, linked.Year)
		return slices.Contains(o.Same, n) ||
			n == linked.Year && year ||
			n == linked.Employer && within ||
			within && year && slices.Contains(linked.FirmAttributes, n)
	}
	if o.Unit == EmployerRegion {
		for _, n := range p.Columns {
			if slices.Contains(o.Bundle, n) {
				return false, fmt.Sprintf("%q moves between employers with other workers: take the table out", n)
			}
		}
	}
	var inside, open []string
	for _, n := range p.Columns {
		switch {
		case moves(n):
			inside = append(inside, n)
		case !agree(n):
			open = append(open, n)
		}
	}
	if len(inside) == 0 {
		return true, "the table contains no column of the bundle"
	}
	if len(open) > 0 {
		var advice []string
		if same := slices.DeleteFunc(slices.Clone(open), func(n string) bool { return n == linked.Employer }); len(same) > 0 {
			advice = append(advice, fmt.Sprintf("add %s to same", quoted(same)))
		}
		if slices.Contains(open, linked.Employer) {
			advice = append(advice, fmt.Sprintf("set scope to %v", WithinEmployer))
		}
		return false, fmt.Sprintf("%s moves between rows that differ in %s: %s", quoted(inside), quoted(open), strings.Join(advice, " and "))
	}
	if len(inside) > 1 && !o.Joint && !slices.Contains(o.Bundle, linked.Employer) {
		return false, fmt.Sprintf("%s travel apart: set joint to true", quoted(inside))
	}
	if len(inside) > 1 && !o.Joint {
		for _, n := range inside {
			if n != linked.Employer && !slices.Contains(linked.FirmAttributes, n) {
				return false, fmt.Sprintf("%s travel apart: set joint to true", quoted(inside))
			}
		}
	}
	if len(inside) == len(p.Columns) {
		return true, "the whole table travels together"
	}
	return true, "partners agree on the rest of the table"
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, " and ")
}

// Check verifies that each promised table has the same counts in both frames,
// which share their codebooks, and names the first cell that differs.
func Check(ctx context.Context, before, after *frame.Frame, promises []Promise) error {
	for _, p := range promises {
		if err := check(ctx, before, after, p); err != nil {
			return err
		}
	}
	return nil
}

func check(ctx context.Context, before, after *frame.Frame, p Promise) error {
	for _, f := range []*frame.Frame{before, after} {
		for _, n := range p.Columns {
			if !f.Has(n) {
				return fmt.Errorf("swap: promised table %s: no column %q among %q", p, n, f.Names())
			}
		}
	}
	c, err := encode(ctx, []*frame.Frame{before, after}, p.Columns)
	if err != nil {
		return fmt.Errorf("swap: promised table %s: %w", p, err)
	}
	was, now := make([]int32, c.k), make([]int32, c.k)
	for i, v := range c.codes {
		if i < before.Rows() {
			was[v]++
		} else {
			now[v]++
		}
	}
	for v := range was {
		if was[v] == now[v] {
			continue
		}
		row, f := slices.Index(c.codes, uint32(v)), before
		if row >= before.Rows() {
			row, f = row-before.Rows(), after
		}
		return fmt.Errorf("swap: promised table %s is not kept: cell (%s) had %d, has %d", p, cell(f, p.Columns, row), was[v], now[v])
	}
	return nil
}

// cell names the cell of a table in which a row lies.
func cell(f *frame.Frame, cols []string, row int) string {
	var parts []string
	for _, n := range cols {
		c := f.Col(n)
		switch {
		case c.Missing(row):
			parts = append(parts, n+" missing")
		case c.Coded():
			parts = append(parts, fmt.Sprintf("%s %s", n, c.Dict.Label(c.I[row])))
		default:
			parts = append(parts, fmt.Sprintf("%s %d", n, c.I[row]))
		}
	}
	return strings.Join(parts, ", ")
}
