// Package distance is the intruder who knows the original file in full and wants
// to know which released record is which (Domingo-Ferrer, Sánchez and
// Soria-Comas 2016): whatever a method does to the values of one attribute is a
// permutation of their ranks and a small change of their sizes, so that he
// compares ranks. What he cannot link nobody can who knows less, which makes him
// the upper bound of every attack on records.
package distance

import (
	"fmt"
	"math"
	"slices"
)

// Ranks returns the mid-ranks of values, from 1; equal values share the mean of
// their ranks. A NaN has rank NaN.
func Ranks(v []float64) []float64 {
	values := slices.DeleteFunc(slices.Clone(v), math.IsNaN)
	slices.Sort(values)
	var last []float64 // the place of the last of each value
	distinct := values[:0]
	for i, x := range values {
		if n := len(distinct); n > 0 && distinct[n-1] == x {
			last[n-1] = float64(i + 1)
			continue
		}
		distinct, last = append(distinct, x), append(last, float64(i+1))
	}
	out := make([]float64, len(v))
	for i, x := range v {
		if math.IsNaN(x) {
			out[i] = x
			continue
		}
		k, _ := slices.BinarySearch(distinct, x)
		before := 0.0
		if k > 0 {
			before = last[k-1]
		}
		out[i] = (before + 1 + last[k]) / 2
	}
	return out
}

// Permutation is how far one attribute was permuted.
type Permutation struct {
	Records int     // with a value in both
	Mean    float64 // mean displacement of ranks as a share of the records, in [0, 1]; 1/3 is a random permutation
	Moved   float64 // share of records whose rank changed
}

// Displace compares an attribute of the same records in the original and in the
// release. Records without a value in either are left out.
func Displace(original, released []float64) (Permutation, error) {
	var p Permutation
	if len(original) != len(released) {
		return p, fmt.Errorf("distance: %d original and %d released values: want the same records", len(original), len(released))
	}
	var a, b []float64
	for i, x := range original {
		if !math.IsNaN(x) && !math.IsNaN(released[i]) {
			a, b = append(a, x), append(b, released[i])
		}
	}
	p.Records = len(a)
	if p.Records == 0 {
		return p, fmt.Errorf("distance: no record has a value in both files")
	}
	ra, rb := Ranks(a), Ranks(b)
	for i := range ra {
		d := math.Abs(ra[i] - rb[i])
		p.Mean += d
		if d > 0 {
			p.Moved++
		}
	}
	p.Mean /= float64(p.Records) * float64(p.Records)
	p.Moved /= float64(p.Records)
	return p, nil
}

// Link lets the intruder take for every released record the nearest original one
// by the largest displacement over the attributes, and returns the expected
// number of right links, where row i of both files is the same record; equally
// near ones share it. attributes hold one column each, without missing values.
// The cost is records² x attributes.
func Link(original, released [][]float64) (right float64, err error) {
	if len(original) == 0 || len(original) != len(released) {
		return 0, fmt.Errorf("distance: %d and %d attributes, want the same ones and at least one", len(original), len(released))
	}
	n := len(original[0])
	a, b := make([][]float64, len(original)), make([][]float64, len(original))
	for k := range original {
		if len(original[k]) != n || len(released[k]) != n {
			return 0, fmt.Errorf("distance: attribute %d has another number of records", k)
		}
		for i := range n {
			if math.IsNaN(original[k][i]) || math.IsNaN(released[k][i]) {
				return 0, fmt.Errorf("distance: attribute %d of record %d is missing: leave the record out", k, i)
			}
		}
		// Ranks of both files on one scale: those of the released values among
		// the original ones would do as well.
		a[k], b[k] = Ranks(original[k]), Ranks(released[k])
	}
	for i := range n {
		best, ties, own := math.Inf(1), 0, false
		for j := range n {
			d := 0.0
			for k := range a {
				d = max(d, math.Abs(a[k][j]-b[k][i]))
			}
			if d < best {
				best, ties, own = d, 0, false
			}
			if d == best {
				ties++
				own = own || j == i
			}
		}
		if own {
			right += 1 / float64(ties)
		}
	}
	return right, nil
}
