package fidelity

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"

	"scramblelab/internal/frame"
)

const (
	// mostValues is the number of different numbers up to which a column is
	// taken number by number; beyond, in as many groups of about equal weight.
	mostValues = 1000
	// mostGroups is the number of categories that a column of numbers has in a
	// table of several columns.
	mostGroups = 20
)

// axis is a column of several versions of the data as codes 0 … n-1 that mean
// the same in all.
type axis struct {
	name    string
	labels  []string
	values  []float64 // what the labels stand for, NaN where nothing; nil for names
	ordered bool
	missing int32   // code of "missing", -1 where no version lacks a value
	group   []int32 // of a code in a table of several columns; nil: the code itself
	groups  int
}

// size is the number of codes.
func (a *axis) size() int { return len(a.labels) }

// grouped is the number of categories in a table of several columns.
func (a *axis) grouped() int {
	if a.group == nil {
		return len(a.labels)
	}
	return a.groups
}

// newAxis joins the column of each version, nil where a version is not there,
// into one axis and returns the codes of each.
func newAxis(name string, columns []*frame.Column) (axis, [][]int32) {
	for _, c := range columns {
		if c != nil && !c.Coded() {
			return numberAxis(name, columns)
		}
	}
	a := axis{name: name, missing: -1}
	code := map[string]int32{}
	numbers := false
	var values []float64
	for _, c := range columns {
		if c == nil {
			continue
		}
		a.ordered = a.ordered || c.Kind == frame.Ordinal
		numbers = numbers || c.Dict.HasValues()
		for k, l := range c.Dict.Labels() {
			if _, known := code[l]; !known {
				code[l] = int32(len(a.labels))
				a.labels = append(a.labels, l)
				values = append(values, c.Dict.Value(int32(k)))
			}
		}
	}
	if numbers {
		a.values = values
	}
	out := make([][]int32, len(columns))
	for v, c := range columns {
		if c == nil {
			continue
		}
		at := make([]int32, c.Dict.Len())
		for k, l := range c.Dict.Labels() {
			at[k] = code[l]
		}
		out[v] = make([]int32, len(c.I))
		for i, k := range c.I {
			if k < 0 {
				out[v][i] = a.lack()
				continue
			}
			out[v][i] = at[k]
		}
	}
	a.gather(out)
	return a, out
}

// lack is the code of a missing value.
func (a *axis) lack() int32 {
	if a.missing < 0 {
		a.missing = int32(len(a.labels))
		a.labels = append(a.labels, "missing")
		if a.values != nil {
			a.values = append(a.values, math.NaN())
		}
	}
	return a.missing
}

// numberAxis is an axis over numbers: each number where there are few, groups
// of about equal size otherwise, which stand for the mean of their ends.
func numberAxis(name string, columns []*frame.Column) (axis, [][]int32) {
	a := axis{name: name, ordered: true, missing: -1, values: []float64{}}
	var all []float64
	for _, c := range columns {
		if c == nil {
			continue
		}
		all = slices.Grow(all, c.Len())
		for i := range c.Len() {
			if x := c.Value(i); !math.IsNaN(x) && !math.IsInf(x, 0) {
				all = append(all, x)
			}
		}
	}
	slices.Sort(all)
	distinct := slices.Compact(slices.Clone(all))
	upper := distinct // largest number of each code
	if len(distinct) > mostValues {
		upper = upper[:0]
		for k := 1; k <= mostValues; k++ {
			x := all[k*len(all)/mostValues-1]
			if len(upper) == 0 || x > upper[len(upper)-1] {
				upper = append(upper, x)
			}
		}
	}
	sums, counts := make([]float64, len(upper)), make([]float64, len(upper))
	k := 0
	for _, x := range all {
		for upper[k] < x {
			k++
		}
		sums[k] += x
		counts[k]++
	}
	for k := range upper {
		v := sums[k] / counts[k]
		if len(upper) == len(distinct) {
			v = upper[k]
		}
		a.values = append(a.values, v)
		a.labels = append(a.labels, strconv.FormatFloat(v, 'g', -1, 64))
	}
	out := make([][]int32, len(columns))
	for v, c := range columns {
		if c == nil {
			continue
		}
		out[v] = make([]int32, c.Len())
		for i := range c.Len() {
			if x := c.Value(i); math.IsNaN(x) || math.IsInf(x, 0) {
				out[v][i] = a.lack()
			} else {
				out[v][i] = int32(sort.SearchFloat64s(upper, x))
			}
		}
	}
	a.gather(out)
	return a, out
}

// gather groups the codes of a long numeric axis, in their order and by the
// rows of the first version that has it, for tables of several columns.
func (a *axis) gather(codes [][]int32) {
	a.groups = len(a.labels)
	if a.values == nil || len(a.labels) <= 2*mostGroups {
		return
	}
	count, n := make([]int, len(a.labels)), 0
	for _, c := range codes {
		if c == nil {
			continue
		}
		for _, k := range c {
			if k != a.missing {
				count[k]++
				n++
			}
		}
		break
	}
	a.group = make([]int32, len(a.labels))
	below := 0
	for k := range a.labels {
		if int32(k) != a.missing {
			a.group[k] = int32(min(mostGroups-1, (2*below+count[k])*mostGroups/max(1, 2*n)))
			below += count[k]
		}
	}
	a.groups = mostGroups
	if a.missing >= 0 {
		a.group[a.missing] = mostGroups
		a.groups++
	}
}

// groupValues are the numbers that the categories of a table of several columns
// stand for: the plain mean of those of their codes.
func (a *axis) groupValues() []float64 {
	if a.values == nil || a.group == nil {
		return a.values
	}
	sums, n := make([]float64, a.groups), make([]float64, a.groups)
	for k, g := range a.group {
		sums[g] += a.values[k]
		n[g]++
	}
	for g := range sums {
		sums[g] /= n[g]
	}
	return sums
}

// groupLabel names a category of a table of several columns.
func (a *axis) groupLabel(g int) string {
	if a.group == nil {
		return a.labels[g]
	}
	first, last := "", ""
	for k, h := range a.group {
		if int(h) == g {
			if first == "" {
				first = a.labels[k]
			}
			last = a.labels[k]
		}
	}
	if first == last {
		return first
	}
	return fmt.Sprintf("%s to %s", first, last)
}
