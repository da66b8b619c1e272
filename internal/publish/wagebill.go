package publish

import (
	"fmt"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// Bill bounds the wage bill of one employer in one year, in euro: the sum of
// wages lies in [Lower, Upper).
type Bill struct {
	Unit, Year   int32 // serial (or employer code before serials), year (0 without periods)
	Workers      int32 // heads, at least, behind the bounds
	Lower, Upper float64
	Unknown      int // cells without a wage class: they are in neither bound
}

// RelativeWidth is the width of the interval over its middle; infinite where a
// class is open above.
func (b Bill) RelativeWidth() float64 {
	if math.IsInf(b.Upper, 1) {
		return math.Inf(1)
	}
	return (b.Upper - b.Lower) / ((b.Lower + b.Upper) / 2)
}

// WageBill bounds every employer's wage bill from its released cells, as any
// reader of the release can: the sum over cells of workers times the bounds of
// the class of the mean wage. Wages are taken to be not negative, so the class
// open below starts at 0. Cells must be sorted by employer and year.
func WageBill(cells *frame.Frame) ([]Bill, error) {
	unit, err := UnitColumn(cells)
	if err != nil {
		return nil, err
	}
	workers, ok := cells.Lookup(Workers)
	if !ok {
		return nil, fmt.Errorf("publish: cells have no column %q", Workers)
	}
	wage, ok := cells.Lookup(WageClass)
	if !ok {
		return nil, fmt.Errorf("publish: cells have no column %q: without it there is no wage bill to bound", WageClass)
	}
	bounds, ok := Contiguous(wage.Dict.Labels())
	if !ok {
		return nil, fmt.Errorf("publish: the classes of %q are no adjoining intervals", WageClass)
	}
	var counts []float64
	if workers.Coded() {
		if counts, ok = Contiguous(workers.Dict.Labels()); !ok {
			return nil, fmt.Errorf("publish: the classes of %q are no adjoining intervals", Workers)
		}
	}
	year, hasYear := cells.Lookup(linked.Year)
	var out []Bill
	for i, u := range unit.I {
		y := int32(0)
		if hasYear {
			y = year.I[i]
		}
		if n := len(out); n == 0 || out[n-1].Unit != u || out[n-1].Year != y {
			out = append(out, Bill{Unit: u, Year: y})
		}
		b := &out[len(out)-1]
		lo, hi := float64(0), float64(0)
		if v := workers.I[i]; !workers.Coded() {
			lo, hi = float64(v), float64(v)
		} else if v >= 0 {
			lo, hi = counts[v], counts[v+1]-1
		}
		b.Workers += int32(lo)
		if k := wage.I[i]; k >= 0 {
			b.Lower += float64(lo * max(0, bounds[k]))
			b.Upper += float64(hi * bounds[k+1])
		} else {
			b.Unknown++
		}
	}
	return out, nil
}

// UnitColumn is the first column of a release table: the serial, or before
// serials are drawn the employer.
func UnitColumn(f *frame.Frame) (frame.Column, error) {
	for _, name := range []string{Serial, linked.Employer} {
		if c, ok := f.Lookup(name); ok {
			return c, nil
		}
	}
	return frame.Column{}, fmt.Errorf("publish: a release table needs a column %q", Serial)
}
