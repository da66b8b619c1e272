package tally

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
)

// Axis says what the categories of a table's axis are: the codes of a
// dictionary, or the whole numbers (stored fixed-point numbers, days) Base,
// Base+1, …; with Missing, the last category is "no value".
type Axis struct {
	Name    string
	Dict    *frame.Dict // nil for numbers
	Base    int32
	Size    int // categories without the missing one
	Missing bool
}

// Radix returns the number of categories.
func (a Axis) Radix() int {
	if a.Missing {
		return a.Size + 1
	}
	return a.Size
}

// Label returns the name of a category, "" for the missing one.
func (a Axis) Label(code int32) string {
	switch {
	case int(code) >= a.Size:
		return ""
	case a.Dict != nil:
		return a.Dict.Label(code)
	}
	return fmt.Sprint(a.Base + code)
}

// Axes returns the axes on which the columns of all the frames can be counted,
// so that their tables can be compared cell by cell: dictionaries must be
// shared or list the same labels, numbers span the range over all frames.
// Coded columns, integers and dates are counted; floats and long integers are
// refused: class them first. With missing, records without a value count in a
// last category of their own, otherwise they are left out.
func Axes(columns []string, missing bool, frames ...*frame.Frame) ([]Axis, error) {
	axes := make([]Axis, len(columns))
	for k, name := range columns {
		a := Axis{Name: name, Missing: missing}
		low, high := int64(1), int64(0)
		for i, f := range frames {
			c, ok := f.Lookup(name)
			if !ok {
				return nil, fmt.Errorf("tally: no column %q among %q", name, f.Names())
			}
			if c.Kind == frame.Float || c.Kind == frame.Long {
				return nil, fmt.Errorf("tally: column %q is %v, which has no categories; class it first", name, c.Kind)
			}
			if i == 0 {
				a.Dict = c.Dict
			}
			if !sameLabels(a.Dict, c.Dict) {
				return nil, fmt.Errorf("tally: column %q has another codebook in table %d", name, i+1)
			}
			if a.Dict == nil {
				low, high = span(c.I, low, high)
			}
		}
		if a.Dict != nil {
			a.Size = a.Dict.Len()
		} else {
			a.Base, a.Size = int32(low), int(high-low+1)
		}
		if a.Radix() == 0 {
			a.Size = 1 // nothing but missing values, all left out
		}
		axes[k] = a
	}
	return axes, nil
}

func sameLabels(a, b *frame.Dict) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a == b || slices.Equal(a.Labels(), b.Labels())
}

// span widens [low, high], empty where low > high, to hold the values present.
func span(v []int32, low, high int64) (int64, int64) {
	const sign = 1 << 31
	least, most := uint32(math.MaxUint32), uint32(0) // in the order of values, a missing one being 0
	for _, x := range v {
		u := uint32(x) ^ sign
		least, most = min(least, u-1), max(most, u) // below the missing one is the top
	}
	if most == 0 {
		return low, high
	}
	first, last := int64(int32((least+1)^sign)), int64(int32(most^sign))
	if low > high {
		return first, last
	}
	return min(low, first), max(high, last)
}

// Options says how records without a value are counted. The zero value leaves
// them out and counts them in [Table.Dropped].
type Options struct {
	Missing bool // give each axis a last category for missing values
}

// Count counts the records of a frame by the columns named. For two frames that
// are to be compared use [Axes] over both and [CountOn].
func Count(ctx context.Context, f *frame.Frame, columns []string, o Options) (*Table, error) {
	axes, err := Axes(columns, o.Missing, f)
	if err != nil {
		return nil, err
	}
	return CountOn(ctx, f, axes)
}

// CountOn counts the records of a frame on given axes. A value outside its axis
// is an error that names row and column.
func CountOn(ctx context.Context, f *frame.Frame, axes []Axis) (*Table, error) {
	radices, names := make([]int, len(axes)), make([]string, len(axes))
	cols := make([][]int32, len(axes))
	for k, a := range axes {
		c, ok := f.Lookup(a.Name)
		if !ok {
			return nil, fmt.Errorf("tally: no column %q among %q", a.Name, f.Names())
		}
		if c.Kind == frame.Float || c.Kind == frame.Long || !sameLabels(a.Dict, c.Dict) {
			return nil, fmt.Errorf("tally: column %q does not have the categories of its axis", a.Name)
		}
		radices[k], names[k], cols[k] = a.Radix(), a.Name, c.I
	}
	total, err := New(radices)
	if err != nil {
		return nil, fmt.Errorf("counting %q: %w", names, err)
	}
	total.Axes = slices.Clone(axes)
	// Counts are integers: how the rows are shared out cannot show. A large
	// table is counted in one go rather than kept once per processor.
	parts := min(runtime.GOMAXPROCS(0), 1+f.Rows()/(1<<16))
	if len(total.Counts) > 1<<22 {
		parts = 1
	}
	tables, err := par.Map(ctx, parts, func(p int) (*Table, error) {
		t := total
		if p > 0 {
			t = &Table{Radices: radices, Counts: make([]int64, len(total.Counts))}
		}
		return t, t.count(ctx, axes, cols, f.Rows()*p/parts, f.Rows()*(p+1)/parts)
	})
	if err != nil {
		return nil, err
	}
	for _, t := range tables[1:] {
		if err := total.Merge(t); err != nil {
			return nil, err
		}
	}
	return total, nil
}

const blockRows = 4096

// count adds rows [lo, hi), a block of rows and one column at a time.
func (t *Table) count(ctx context.Context, axes []Axis, cols [][]int32, lo, hi int) error {
	var cells [blockRows]int32
	for ; lo < hi; lo += blockRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(blockRows, hi-lo)
		if t.countWhole(axes, cols, lo, cells[:n]) {
			continue
		}
		if err := t.countSome(axes, cols, lo, cells[:n]); err != nil {
			return err
		}
	}
	return nil
}

// countWhole counts a block of rows that all have a cell, without a branch for
// every value; it reports false, and has counted nothing, where one has none.
func (t *Table) countWhole(axes []Axis, cols [][]int32, lo int, cells []int32) bool {
	clear(cells)
	for k, a := range axes {
		missing, size, radix, base := frame.NoInt, uint32(a.Size), int32(a.Radix()), uint32(a.Base)
		if a.Dict != nil {
			missing = frame.NoCode
		}
		most, gaps := uint32(0), 0
		for i, x := range cols[k][lo : lo+len(cells)] {
			code, gap := uint32(x)-base, 0
			if x == missing {
				code, gap = 0, 1
			}
			most, gaps = max(most, code), gaps+gap
			cells[i] = cells[i]*radix + int32(code+uint32(gap)*size)
		}
		if most >= size || gaps > 0 && !a.Missing {
			return false
		}
	}
	for _, c := range cells {
		t.Counts[c]++
	}
	return true
}

// countSome counts a block in which some rows may have no cell.
func (t *Table) countSome(axes []Axis, cols [][]int32, lo int, cells []int32) error {
	clear(cells) // cell numbers so far, -1 once a value is missing
	for k, a := range axes {
		absent := int32(-1)
		if a.Missing {
			absent = int32(a.Size)
		}
		radix := int32(a.Radix())
		for i, x := range cols[k][lo : lo+len(cells)] {
			code := int64(x) - int64(a.Base)
			if a.Dict != nil && x < 0 || a.Dict == nil && x == frame.NoInt {
				code = int64(absent)
			} else if code < 0 || code >= int64(a.Size) {
				return fmt.Errorf("tally: row %d: column %q has a value outside its axis of %d categories", lo+i, a.Name, a.Size)
			}
			if cells[i] < 0 || code < 0 {
				cells[i] = -1
			} else {
				cells[i] = cells[i]*radix + int32(code)
			}
		}
	}
	for _, c := range cells {
		if c < 0 {
			t.Dropped++
		} else {
			t.Counts[c]++
		}
	}
	return nil
}
