package fidelity

import (
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/metric"
)

// Lambda is Młodak's loss of information between two columns matched row by row,
// in [0, 1]: 1 where names differ, |Δ|/(r-1) of an ordered column of r codes,
// (2/π)·atan|Δ| of numbers, averaged over the rows (Młodak 2020; the handbook of
// statistical disclosure control prints the rule for names the wrong way round).
// A value that only one of the two lacks counts as different. NaN without rows,
// or where the columns are not matched.
func Lambda(a, b frame.Column) float64 {
	if a.Len() != b.Len() || a.Len() == 0 || a.Coded() != b.Coded() {
		return math.NaN()
	}
	axis, codes := newAxis(a.Name, []*frame.Column{&a, &b})
	span := float64(max(1, len(axis.labels)-1))
	if axis.missing >= 0 {
		span = float64(max(1, len(axis.labels)-2))
	}
	total := 0.0
	for i, x := range codes[0] {
		y := codes[1][i]
		switch {
		case x == axis.missing || y == axis.missing:
			total += indicator(x != y)
		case !a.Coded():
			total += 2 / math.Pi * math.Atan(math.Abs(a.Value(i)-b.Value(i)))
		case a.Kind == frame.Ordinal:
			total += math.Abs(float64(x-y)) / span
		default:
			total += indicator(x != y)
		}
	}
	return total / float64(a.Len())
}

// lambdas compare two files record by record, which only files in one order of
// rows allow.
func (f Files) lambdas(names []string) metric.Metric {
	m := metric.Metric{Name: "fidelity.records.lambda", Better: metric.Lower, Unit: "points of 1",
		Method: "Młodak's λ, averaged over columns: mean distance of a record from the same record before, 1 where names differ, share of the range of an ordered column, (2/π)·atan|Δ| of numbers, which depends on their unit. Paired by position; exact."}
	n := f.Original.Rows()
	if n == 0 || n != f.Released.Rows() {
		m.Row = metric.Missing("", "the files have no rows or different numbers of them, so records cannot be matched")
		return m
	}
	total, k := 0.0, 0
	for _, name := range names {
		if x := Lambda(f.Original.Col(name), f.Released.Col(name)); !math.IsNaN(x) {
			r := exactly(x, n, 0)
			r.Group = "column " + name
			m.By = append(m.By, r)
			total, k = total+x, k+1
		}
	}
	if k == 0 {
		m.Row = metric.Missing("", "there is no column to compare")
		return m
	}
	m.Row = exactly(total/float64(k), n, 0)
	return m
}
