package frame

import (
	"fmt"
	"math"
	"slices"
)

// Kind says how a column is stored and what its numbers mean.
type Kind uint8

// Kinds of columns.
const (
	Category Kind = iota + 1 // int32 codes of a dictionary without order
	Ordinal                  // int32 codes of a dictionary whose order means something
	Int                      // int32; with Decimals, a fixed-point number
	Long                     // int64, for amounts over two thousand million
	Float                    // float64
	Date                     // int32 days since 1970-01-01
)

func (k Kind) String() string {
	names := [...]string{"none", "category", "ordinal", "integer", "long", "float", "date"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Missing values of each storage type. A missing float is NaN.
const (
	NoCode = int32(-1)
	NoInt  = int32(math.MinInt32)
	NoLong = int64(math.MinInt64)
)

// Dict is the codebook of a coded column: its labels in codebook order, which
// never depends on the order of rows, and for ordinal columns a number that
// stands for each label (the midpoint of an interval).
type Dict struct {
	labels []string
	values []float64
	index  map[string]int32
}

// NewDict makes a dictionary of distinct labels. values is nil, or as long as
// labels.
func NewDict(labels []string, values []float64) (*Dict, error) {
	if values != nil && len(values) != len(labels) {
		return nil, fmt.Errorf("frame: %d labels with %d values", len(labels), len(values))
	}
	d := &Dict{labels: labels, values: values, index: make(map[string]int32, len(labels))}
	for i, l := range labels {
		if _, twice := d.index[l]; twice {
			return nil, fmt.Errorf("frame: label %q stands twice in a codebook", l)
		}
		d.index[l] = int32(i)
	}
	return d, nil
}

// MustDict is NewDict for labels that the program itself wrote.
func MustDict(labels ...string) *Dict {
	d, err := NewDict(labels, nil)
	if err != nil {
		panic(err)
	}
	return d
}

// Len returns the number of labels.
func (d *Dict) Len() int { return len(d.labels) }

// Label returns the label of a code, "" for a missing one.
func (d *Dict) Label(code int32) string {
	if code < 0 {
		return ""
	}
	return d.labels[code]
}

// Labels returns all labels in codebook order; the caller must not change them.
func (d *Dict) Labels() []string { return d.labels }

// Code returns the code of a label.
func (d *Dict) Code(label string) (int32, bool) {
	c, ok := d.index[label]
	return c, ok
}

// HasValues reports whether labels stand for numbers.
func (d *Dict) HasValues() bool { return d.values != nil }

// Value returns the number that a code stands for, NaN where there is none.
func (d *Dict) Value(code int32) float64 {
	if code < 0 || d.values == nil {
		return math.NaN()
	}
	return d.values[code]
}

// Column is a named vector. Exactly one of I, L and F is set: I for codes,
// integers and dates, L for long integers, F for floats. Columns are values;
// the vectors behind them are shared and never written after construction.
type Column struct {
	Name     string
	Kind     Kind
	Decimals uint8 // Int and Long only: the stored integer is the value times 10^Decimals
	Dict     *Dict // Category and Ordinal only
	I        []int32
	L        []int64
	F        []float64
}

// Codes makes a category column.
func Codes(name string, d *Dict, codes []int32) Column {
	return Column{Name: name, Kind: Category, Dict: d, I: codes}
}

// Ordered makes an ordinal column.
func Ordered(name string, d *Dict, codes []int32) Column {
	return Column{Name: name, Kind: Ordinal, Dict: d, I: codes}
}

// Ints makes an integer column.
func Ints(name string, v []int32) Column { return Column{Name: name, Kind: Int, I: v} }

// Fixed makes a fixed-point column: v holds the value times 10^decimals.
func Fixed(name string, decimals uint8, v []int32) Column {
	return Column{Name: name, Kind: Int, Decimals: decimals, I: v}
}

// Longs makes a column of long integers.
func Longs(name string, v []int64) Column { return Column{Name: name, Kind: Long, L: v} }

// Floats makes a column of floats.
func Floats(name string, v []float64) Column { return Column{Name: name, Kind: Float, F: v} }

// Dates makes a column of days since 1970-01-01.
func Dates(name string, v []int32) Column { return Column{Name: name, Kind: Date, I: v} }

// Strings makes a category column from labels; its codebook is sorted, so that
// it says nothing of the order of rows. An empty label is missing.
func Strings(name string, v []string) Column {
	labels := slices.Clone(v)
	slices.Sort(labels)
	labels = slices.Compact(labels)
	if len(labels) > 0 && labels[0] == "" {
		labels = labels[1:]
	}
	d := MustDict(labels...)
	codes := make([]int32, len(v))
	for i, s := range v {
		if c, ok := d.Code(s); ok {
			codes[i] = c
		} else {
			codes[i] = NoCode
		}
	}
	return Codes(name, d, codes)
}

// Len returns the number of rows.
func (c Column) Len() int { return max(len(c.I), len(c.L), len(c.F)) }

// Coded reports whether the column holds codes of a dictionary.
func (c Column) Coded() bool { return c.Kind == Category || c.Kind == Ordinal }

// Missing reports whether row i has no value.
func (c Column) Missing(i int) bool {
	switch {
	case c.Kind == Float:
		return math.IsNaN(c.F[i])
	case c.Kind == Long:
		return c.L[i] == NoLong
	case c.Coded():
		return c.I[i] < 0
	}
	return c.I[i] == NoInt
}

// Value returns row i as a number: the fixed-point value, or the number that a
// code stands for, or the code itself where its dictionary has no numbers; NaN
// where it is missing.
func (c Column) Value(i int) float64 {
	switch {
	case c.Missing(i):
		return math.NaN()
	case c.Kind == Float:
		return c.F[i]
	case c.Kind == Long:
		return float64(c.L[i]) / pow10[c.Decimals]
	case c.Coded() && c.Dict.HasValues():
		return c.Dict.Value(c.I[i])
	}
	return float64(c.I[i]) / pow10[c.Decimals]
}

var pow10 = [...]float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// Renamed returns the same column under another name.
func (c Column) Renamed(name string) Column {
	c.Name = name
	return c
}

// Take returns the rows named, in that order.
func (c Column) Take(rows []int32) Column {
	switch c.Kind {
	case Float:
		c.F = take(c.F, rows)
	case Long:
		c.L = take(c.L, rows)
	default:
		c.I = take(c.I, rows)
	}
	return c
}

func take[T any](v []T, rows []int32) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = v[r]
	}
	return out
}

// Compare orders rows i and j: missing first, then by code or number. -0 and 0
// are equal, so who reads floats must store 0, or ties would not be identical.
func (c Column) Compare(i, j int) int {
	switch c.Kind {
	case Float:
		return compareFloat(c.F[i], c.F[j])
	case Long:
		return order(c.L[i], c.L[j])
	}
	return order(c.I[i], c.I[j])
}

func compareFloat(a, b float64) int {
	if an, bn := math.IsNaN(a), math.IsNaN(b); an || bn {
		switch {
		case an && bn:
			return 0
		case an:
			return -1
		}
		return 1
	}
	return order(a, b)
}

func order[T int32 | int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// check names what is wrong with a column's shape.
func (c Column) check() error {
	switch {
	case c.Name == "":
		return fmt.Errorf("frame: a column has no name")
	case c.Coded() && c.Dict == nil:
		return fmt.Errorf("frame: column %q is %v but has no codebook", c.Name, c.Kind)
	case c.Kind == Float && (c.I != nil || c.L != nil),
		c.Kind == Long && (c.I != nil || c.F != nil),
		c.Kind != Float && c.Kind != Long && (c.L != nil || c.F != nil):
		return fmt.Errorf("frame: column %q is %v but stored as something else", c.Name, c.Kind)
	case int(c.Decimals) >= len(pow10):
		return fmt.Errorf("frame: column %q has %d decimals, want at most 9", c.Name, c.Decimals)
	}
	return nil
}
