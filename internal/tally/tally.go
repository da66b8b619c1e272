// Package tally counts records in the cells of a contingency table and compares
// tables and samples. A table is a dense array with one mixed-radix number per
// cell, the last axis running fastest; counts are integers, so tables of parts
// add up to the table of the whole in any order.
//
// It refuses tables above [MaxCells] cells and says which columns to leave out.
package tally

import (
	"fmt"
	"slices"
)

// MaxCells is the largest table that is counted: 2^28 cells, 2 GiB.
const MaxCells = 1 << 28

// Table holds counts by cell. The cell of codes (c0, c1, …) with radices (r0,
// r1, …) has the number (c0·r1 + c1)·r2 + …
type Table struct {
	Radices []int   // categories of each axis
	Counts  []int64 // by cell number; writable
	Axes    []Axis  // what the axes mean; nil where the table was made by New
	Dropped int64   // records left out because a column was missing
}

// New makes an empty table with the given numbers of categories, each >= 1. A
// table without axes has one cell.
func New(radices []int) (*Table, error) {
	cells := 1
	for k, r := range radices {
		if r < 1 {
			return nil, fmt.Errorf("tally: axis %d has %d categories, want at least 1", k, r)
		}
		if r > MaxCells/cells {
			return nil, fmt.Errorf("tally: a table of %v categories has more than %d cells; count fewer columns at once or coarsen them", radices, MaxCells)
		}
		cells *= r
	}
	return &Table{Radices: slices.Clone(radices), Counts: make([]int64, cells)}, nil
}

// Add counts one record. It panics if the codes do not fit the axes; see
// [Table.AddN].
func (t *Table) Add(codes ...int32) { t.AddN(1, codes...) }

// AddN counts n records, and takes them away where n is negative. It panics if
// there is not one code per axis, each in [0, radix).
func (t *Table) AddN(n int64, codes ...int32) { t.Counts[t.Cell(codes...)] += n }

// At returns the count of a cell.
func (t *Table) At(codes ...int32) int64 { return t.Counts[t.Cell(codes...)] }

// Cell returns the number of a cell. It panics where the codes do not fit.
func (t *Table) Cell(codes ...int32) int {
	if len(codes) != len(t.Radices) {
		panic(fmt.Sprintf("tally: %d codes for %d axes", len(codes), len(t.Radices)))
	}
	cell := 0
	for k, c := range codes {
		if c < 0 || int(c) >= t.Radices[k] {
			panic(fmt.Sprintf("tally: code %d on axis %d of %d categories", c, k, t.Radices[k]))
		}
		cell = cell*t.Radices[k] + int(c)
	}
	return cell
}

// Codes returns the codes of a cell, the inverse of [Table.Cell].
func (t *Table) Codes(cell int) []int32 {
	codes := make([]int32, len(t.Radices))
	for k := len(codes) - 1; k >= 0; k-- {
		codes[k] = int32(cell % t.Radices[k])
		cell /= t.Radices[k]
	}
	return codes
}

// Total returns the number of records counted.
func (t *Table) Total() int64 {
	var n int64
	for _, c := range t.Counts {
		n += c
	}
	return n
}

// Merge adds the counts of other, which has the same shape.
func (t *Table) Merge(other *Table) error {
	if !slices.Equal(t.Radices, other.Radices) {
		return fmt.Errorf("tally: cannot add a table of %v categories to one of %v", other.Radices, t.Radices)
	}
	for cell, n := range other.Counts {
		t.Counts[cell] += n
	}
	t.Dropped += other.Dropped
	return nil
}

// Marginal returns the table over the axes named by position, in that order;
// no axis gives the total. It panics if an axis is out of range or stands
// twice.
func (t *Table) Marginal(axes ...int) *Table {
	out := &Table{Dropped: t.Dropped}
	weight := make([]int, len(t.Radices)) // of each of our axes in the new cell number
	cells := 1
	for k := len(axes) - 1; k >= 0; k-- {
		a := axes[k]
		if a < 0 || a >= len(t.Radices) || weight[a] != 0 {
			panic(fmt.Sprintf("tally: marginal over axes %v of %d", axes, len(t.Radices)))
		}
		weight[a] = cells
		cells *= t.Radices[a]
	}
	for _, a := range axes {
		out.Radices = append(out.Radices, t.Radices[a])
		if t.Axes != nil {
			out.Axes = append(out.Axes, t.Axes[a])
		}
	}
	out.Counts = make([]int64, cells)
	codes := make([]int, len(t.Radices))
	to := 0
	for _, n := range t.Counts {
		out.Counts[to] += n
		// One step of a mixed-radix counter, carrying along the target cell.
		for k := len(codes) - 1; k >= 0; k-- {
			codes[k]++
			to += weight[k]
			if codes[k] < t.Radices[k] {
				break
			}
			to -= weight[k] * t.Radices[k]
			codes[k] = 0
		}
	}
	return out
}

// Floats returns the counts as floats, for the distances of this package.
func (t *Table) Floats() []float64 {
	out := make([]float64, len(t.Counts))
	for i, n := range t.Counts {
		out[i] = float64(n)
	}
	return out
}
