// Package frame is a table in memory, one vector per column. Frames are values
// in spirit: an operation returns a new frame that shares every column it did
// not touch, and nothing writes into a vector after its frame was built.
//
// Codes are int32 over dictionaries in codebook order, so comparing is integer
// work and a contingency table is an array. Money is integer euro and FTE are
// hundredths, so that sums do not depend on their order.
package frame

import (
	"fmt"
	"slices"
)

// Frame is a table. The zero value has no rows and no columns.
type Frame struct {
	rows int
	cols []Column
}

// New makes a frame of columns that are equally long and differently named.
func New(cols ...Column) (*Frame, error) {
	f := &Frame{cols: slices.Clone(cols)}
	if len(cols) > 0 {
		f.rows = cols[0].Len()
	}
	seen := map[string]bool{}
	for _, c := range cols {
		if err := c.check(); err != nil {
			return nil, err
		}
		if c.Len() != f.rows {
			return nil, fmt.Errorf("frame: column %q has %d rows, %q has %d", c.Name, c.Len(), cols[0].Name, f.rows)
		}
		if seen[c.Name] {
			return nil, fmt.Errorf("frame: two columns are named %q", c.Name)
		}
		seen[c.Name] = true
	}
	return f, nil
}

// Must is New for columns that the program itself built.
func Must(cols ...Column) *Frame {
	f, err := New(cols...)
	if err != nil {
		panic(err)
	}
	return f
}

// Rows returns the number of rows.
func (f *Frame) Rows() int { return f.rows }

// Columns returns the columns in order; the caller must not change the slice.
func (f *Frame) Columns() []Column { return f.cols }

// Names returns the names of the columns in order.
func (f *Frame) Names() []string {
	names := make([]string, len(f.cols))
	for i, c := range f.cols {
		names[i] = c.Name
	}
	return names
}

// Has reports whether there is a column of that name.
func (f *Frame) Has(name string) bool { return f.find(name) >= 0 }

// Lookup returns the column of that name.
func (f *Frame) Lookup(name string) (Column, bool) {
	if i := f.find(name); i >= 0 {
		return f.cols[i], true
	}
	return Column{}, false
}

// Col returns the column of that name and panics where there is none: use it
// for columns whose presence was validated.
func (f *Frame) Col(name string) Column {
	c, ok := f.Lookup(name)
	if !ok {
		panic(fmt.Sprintf("frame: no column %q among %q", name, f.Names()))
	}
	return c
}

func (f *Frame) find(name string) int {
	return slices.IndexFunc(f.cols, func(c Column) bool { return c.Name == name })
}

// With returns a frame in which columns are replaced where the name exists and
// appended where it does not. It panics if a length differs.
func (f *Frame) With(cols ...Column) *Frame {
	out := slices.Clone(f.cols)
	for _, c := range cols {
		if i := slices.IndexFunc(out, func(o Column) bool { return o.Name == c.Name }); i >= 0 {
			out[i] = c
		} else {
			out = append(out, c)
		}
	}
	return Must(out...)
}

// Without returns a frame that lacks the columns named.
func (f *Frame) Without(names ...string) *Frame {
	out := &Frame{rows: f.rows}
	for _, c := range f.cols {
		if !slices.Contains(names, c.Name) {
			out.cols = append(out.cols, c)
		}
	}
	return out
}

// Select returns the columns named, in that order; names without a column are
// left out.
func (f *Frame) Select(names ...string) *Frame {
	out := &Frame{rows: f.rows}
	for _, n := range names {
		if c, ok := f.Lookup(n); ok {
			out.cols = append(out.cols, c)
		}
	}
	return out
}

// Take returns the rows named, in that order.
func (f *Frame) Take(rows []int32) *Frame {
	out := &Frame{rows: len(rows), cols: make([]Column, len(f.cols))}
	for i, c := range f.cols {
		out.cols[i] = c.Take(rows)
	}
	return out
}

// Slice returns rows [lo, hi), sharing their memory.
func (f *Frame) Slice(lo, hi int) *Frame {
	out := &Frame{rows: hi - lo, cols: make([]Column, len(f.cols))}
	for i, c := range f.cols {
		switch c.Kind {
		case Float:
			c.F = c.F[lo:hi:hi]
		case Long:
			c.L = c.L[lo:hi:hi]
		default:
			c.I = c.I[lo:hi:hi]
		}
		out.cols[i] = c
	}
	return out
}

// Filter returns the rows for which keep is true, in their order.
func (f *Frame) Filter(keep func(row int) bool) *Frame {
	var rows []int32
	for i := range f.rows {
		if keep(i) {
			rows = append(rows, int32(i))
		}
	}
	return f.Take(rows)
}

// Order returns the rows sorted by the columns named, the first one leading,
// equal rows in their present order; missing values come first.
func (f *Frame) Order(by ...string) []int32 {
	cols := make([]Column, len(by))
	for i, n := range by {
		cols[i] = f.Col(n)
	}
	compare := func(a, b int32) int {
		for _, c := range cols {
			if d := c.Compare(int(a), int(b)); d != 0 {
				return d
			}
		}
		return 0
	}
	order := make([]int32, f.rows)
	for i := range order {
		order[i] = int32(i)
	}
	if !slices.IsSortedFunc(order, compare) {
		slices.SortStableFunc(order, compare)
	}
	return order
}

// Sorted returns the frame in that order, and the frame itself where it is
// sorted already.
func (f *Frame) Sorted(by ...string) *Frame {
	order := f.Order(by...)
	for i, r := range order {
		if int(r) != i {
			return f.Take(order)
		}
	}
	return f
}

// Runs returns the bounds of runs of rows that agree on the columns named, in
// a frame sorted by them: run k is rows [b[k], b[k+1]).
func (f *Frame) Runs(by ...string) []int32 {
	cols := make([]Column, len(by))
	for i, n := range by {
		cols[i] = f.Col(n)
	}
	bounds := []int32{0}
	for i := 1; i < f.rows; i++ {
		for _, c := range cols {
			if c.Compare(i-1, i) != 0 {
				bounds = append(bounds, int32(i))
				break
			}
		}
	}
	if f.rows > 0 {
		bounds = append(bounds, int32(f.rows))
	}
	return bounds
}

// Concat puts frames of the same columns, kinds and dictionaries below each
// other.
func Concat(frames ...*Frame) (*Frame, error) {
	if len(frames) == 0 {
		return &Frame{}, nil
	}
	first := frames[0]
	cols := slices.Clone(first.cols)
	for k := range cols {
		cols[k].I, cols[k].L, cols[k].F = slices.Clone(cols[k].I), slices.Clone(cols[k].L), slices.Clone(cols[k].F)
	}
	for _, f := range frames[1:] {
		if len(f.cols) != len(cols) {
			return nil, fmt.Errorf("frame: cannot join tables with columns %q and %q", first.Names(), f.Names())
		}
		for k := range cols {
			c, ok := f.Lookup(cols[k].Name)
			if !ok {
				return nil, fmt.Errorf("frame: cannot join tables with columns %q and %q", first.Names(), f.Names())
			}
			if c.Kind != cols[k].Kind || c.Dict != cols[k].Dict || c.Decimals != cols[k].Decimals {
				return nil, fmt.Errorf("frame: column %q differs in kind or codebook between tables", c.Name)
			}
			cols[k].I, cols[k].L, cols[k].F = append(cols[k].I, c.I...), append(cols[k].L, c.L...), append(cols[k].F, c.F...)
		}
	}
	return New(cols...)
}
