package fidelity

import (
	"fmt"
	"math"
)

// InfoLoss is how far the cells of a table moved, inner cells and margins but for
// the grand total, each counting once: |o-s|, |o-s|/o and |√o-√s| of original and
// released counts (Templ et al. 2015, sdcMicro's infoLoss). A cell that was empty
// has no relative distance: it counts as 0 there and as a false non-zero.
type InfoLoss struct {
	Cells                   int // of the inner table and its margins
	Same                    int // of them, those that are as they were
	FalseZeros, FalseCounts int // inner cells that became empty, and that were
	Absolute                []float64
	Relative                []float64
	Root                    []float64 // of square roots
}

// NewInfoLoss compares two tables of counts over the same columns: radices are the
// numbers of categories of each, the last one running fastest.
func NewInfoLoss(radices []int, original, released []float64) (InfoLoss, error) {
	n := 1
	for k, r := range radices {
		if r < 1 || n > mostCells/r {
			return InfoLoss{}, fmt.Errorf("fidelity: column %d has %d categories, want from 1 to %d cells in all", k+1, r, mostCells)
		}
		n *= r
	}
	if len(radices) == 0 || len(original) != n || len(released) != n {
		return InfoLoss{}, fmt.Errorf("fidelity: tables of %d and %d cells, want %d as the categories say", len(original), len(released), n)
	}
	for i := range original {
		if !(original[i] >= 0) || !(released[i] >= 0) || math.IsInf(original[i]+released[i], 0) {
			return InfoLoss{}, fmt.Errorf("fidelity: cell %d counts %v and %v, want numbers from 0 on", i, original[i], released[i])
		}
	}
	var out InfoLoss
	for i, o := range original {
		s := released[i]
		out.FalseZeros += int(indicator(o > 0 && s == 0))
		out.FalseCounts += int(indicator(o == 0 && s > 0))
	}
	for set := 1; set < 1<<len(radices); set++ { // of the columns that are not summed over
		a, b := marginOf(radices, original, set), marginOf(radices, released, set)
		for i, o := range a {
			s := b[i]
			if o == 0 && s == 0 {
				continue
			}
			d, relative := math.Abs(o-s), 0.0
			if o > 0 {
				relative = d / o
			}
			out.Cells++
			out.Same += int(indicator(d == 0))
			out.Absolute, out.Relative, out.Root = append(out.Absolute, d), append(out.Relative, relative), append(out.Root, math.Abs(math.Sqrt(o)-math.Sqrt(s)))
		}
	}
	return out, nil
}

// marginOf sums a table over the columns that are not in a set.
func marginOf(radices []int, counts []float64, set int) []float64 {
	size := 1
	for k, r := range radices {
		if set>>k&1 == 1 {
			size *= r
		}
	}
	out := make([]float64, size)
	for i, x := range counts {
		at, step := 0, 1
		for k := len(radices) - 1; k >= 0; k-- {
			code := i % radices[k]
			i /= radices[k]
			if set>>k&1 == 1 {
				at += code * step
				step *= radices[k]
			}
		}
		out[at] += x
	}
	return out
}
