package source

import (
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/tabio"
)

// A profile is what the values of a column show.
type profile struct {
	frame.Column
	distinct  int     // values that occur
	missing   int     // rows without one
	low, high float64 // of numbers; NaN for labels
	intervals bool    // all labels are intervals
}

func profileOf(c frame.Column) profile {
	p := profile{Column: c, low: math.NaN(), high: math.NaN()}
	for i := range c.Len() {
		if c.Missing(i) {
			p.missing++
		}
	}
	p.distinct = p.classes().n
	if c.Coded() {
		labels := c.Dict.Labels()
		p.intervals = len(labels) > 0 && !slices.ContainsFunc(labels, func(l string) bool {
			_, _, _, _, ok := tabio.ParseInterval(l)
			return !ok
		})
		return p
	}
	for i := range c.Len() {
		if v := c.Value(i); !math.IsNaN(v) {
			if !(p.low <= v) {
				p.low = v
			}
			if !(p.high >= v) {
				p.high = v
			}
		}
	}
	return p
}

// number reports whether the values are numbers within bounds.
func (p profile) number(low, high float64) bool {
	return !p.Coded() && p.Kind != frame.Date && p.low >= low && p.high <= high
}

// codes reports whether the values are labels, or numbers that may be codes,
// between so many.
func (p profile) codes(least, most int) bool {
	return (p.Coded() || p.Kind == frame.Int) && p.distinct >= least && p.distinct <= most
}

// A partition numbers the rows that agree; rows without a value are -1.
type partition struct {
	of []int32
	n  int
}

func (p profile) classes() partition {
	f := frame.Must(p.Column)
	order := f.Order(p.Name)
	out := partition{of: make([]int32, len(order))}
	before := -1
	for _, r := range order {
		i := int(r)
		if p.Missing(i) {
			out.of[i] = -1
			continue
		}
		if before < 0 || p.Compare(before, i) != 0 {
			out.n++
		}
		out.of[i], before = int32(out.n-1), i
	}
	return out
}

// refined splits the classes of a partition by those of another.
func (a partition) refined(b partition) partition {
	out := partition{of: make([]int32, len(a.of))}
	seen := map[[2]int32]int32{}
	for i := range a.of {
		if a.of[i] < 0 || b.of[i] < 0 {
			out.of[i] = -1
			continue
		}
		key := [2]int32{a.of[i], b.of[i]}
		code, ok := seen[key]
		if !ok {
			code = int32(out.n)
			out.n++
			seen[key] = code
		}
		out.of[i] = code
	}
	return out
}

// counts returns the number of rows in each class.
func (a partition) counts() []int {
	out := make([]int, a.n)
	for _, k := range a.of {
		if k >= 0 {
			out[k]++
		}
	}
	return out
}

// varying returns the number of classes in which a column takes several values.
func (a partition) varying(c frame.Column) int {
	first := make([]int, a.n)
	varies := make([]bool, a.n)
	for k := range first {
		first[k] = -1
	}
	n := 0
	for i, k := range a.of {
		switch {
		case k < 0:
		case first[k] < 0:
			first[k] = i
		case !varies[k] && c.Compare(first[k], i) != 0:
			varies[k] = true
			n++
		}
	}
	return n
}
