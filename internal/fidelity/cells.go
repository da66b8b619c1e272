package fidelity

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
)

// match joins the cells of two views, which are sorted by the same key, and
// calls f for every cell of either; -1 marks absence.
func match(a, b *cells, f func(i, j int)) {
	i, j := 0, 0
	for i < len(a.unit) || j < len(b.unit) {
		d := 0
		switch {
		case i == len(a.unit):
			d = 1
		case j == len(b.unit):
			d = -1
		default:
			d = a.compare(i, b, j)
		}
		switch {
		case d < 0:
			f(i, -1)
			i++
		case d > 0:
			f(-1, j)
			j++
		default:
			f(i, j)
			i, j = i+1, j+1
		}
	}
}

// cellErrors compares the released cells with the same employers' true cells.
// These measures are paired, so an unscrambled release has no error: that is
// their floor.
func cellErrors(_ context.Context, s *setting) (Result, error) {
	a, b := &s.fragment.cells, &s.release.cells
	units := s.fragment.units
	exact, mae := newRatio(units, true), newRatio(units, false)
	falseZero, falseNonzero := newRatio(units, true), newRatio(units, true)
	wage, fte := newRatio(units, true), newRatio(units, true)
	trueSize, size := s.fragment.sizes(), s.release.sizes()
	match(a, b, func(i, j int) {
		switch {
		case j < 0:
			unit, size := a.unit[i], trueSize[a.firm[i]]
			exact.add(unit, size, 0)
			mae.add(unit, size, a.workers[i])
			falseZero.add(unit, size, 1)
		case i < 0:
			unit, size := b.unit[j], size[b.firm[j]]
			exact.add(unit, size, 0)
			mae.add(unit, size, b.workers[j])
			falseNonzero.add(unit, size, 1)
		default:
			unit, size := a.unit[i], trueSize[a.firm[i]]
			sameWage, sameFTE := agree(a.wageClass, i, b.wageClass, j), agree(a.fte, i, b.fte, j)
			exact.add(unit, size, indicator(b.says(j, a.workers[i]) && sameWage && sameFTE))
			mae.add(unit, size, math.Abs(a.workers[i]-b.workers[j]))
			falseZero.add(unit, size, 0)
			falseNonzero.add(unit, size, 0)
			wage.add(unit, size, indicator(sameWage))
			fte.add(unit, size, indicator(sameFTE))
		}
	})
	const paired = " Paired with the same employer's true cell; interval from the variation between employers."
	of := func(name, unit, method string, better metric.Direction) metric.Metric {
		return metric.Metric{Name: "fidelity.cells." + name, Better: better, Unit: unit, Method: method + paired}
	}
	ms := []metric.Metric{
		exact.metric(of("share-exact", "share", "Share of cells (employer x year x level x field, true or released) whose count, or class of counts, and other classes are true of the unscrambled fragment.", metric.Higher), s.Level, 1),
		mae.metric(of("workers-mae", "workers", "Mean absolute error of the head count of a cell, true or released; a class counts as its midpoint.", metric.Lower), s.Level, 0),
		falseZero.metric(of("false-zero-share", "share", "Share of true cells that the release lacks.", metric.Lower), s.Level, 0),
		falseNonzero.metric(of("false-nonzero-share", "share", "Share of released cells that do not exist in truth.", metric.Lower), s.Level, 0),
	}
	for _, class := range []struct {
		name, method string
		r            *ratio
		a, b         frame.Column
	}{
		{"wage-class-agreement", "Share of cells present in both whose wage class is the true one.", wage, a.wageClass, b.wageClass},
		{"fte-class-agreement", "Share of cells present in both whose FTE class is the true one.", fte, a.fte, b.fte},
	} {
		m := of(class.name, "share", class.method, metric.Higher)
		if class.a.Len() > 0 && class.b.Len() > 0 {
			m = class.r.metric(m, s.Level, 1)
		} else {
			m.Row = metric.Missing("", "fragment or release has no such class")
		}
		ms = append(ms, m)
	}
	var words []word
	if ms[0].Value.Valid() && ms[2].Value.Valid() && ms[3].Value.Valid() {
		words = []word{{"Cells by employer", fmt.Sprintf("%.0f %% are exactly as in truth; %.0f %% of the true cells are lacking, and in %.0f %% of the released ones nobody really works.",
			100*float64(ms[0].Value), 100*float64(ms[2].Value), 100*float64(ms[3].Value))}}
	}
	return Result{Metrics: append(ms, ageAgreement(s)), words: words}, nil
}

// ageAgreement compares the age class of employers, row by row.
func ageAgreement(s *setting) metric.Metric {
	m := metric.Metric{Name: "fidelity.employers.age-class-agreement", Better: metric.Higher, Unit: "share",
		Method: "Share of employer-years in both whose class of mean age is the true one. Paired; interval from the variation between employers."}
	if !s.Fragment.Employers.Has(publish.AgeClass) || !s.Release.Employers.Has(publish.AgeClass) {
		m.Row = metric.Missing("", "fragment or release has no class of the mean age")
		return m
	}
	a, b := &s.fragment.firms, &s.release.firms
	r := newRatio(s.fragment.units, true)
	size := s.fragment.sizes()
	j := 0
	for i := range a.unit {
		for j < len(b.unit) && (b.unit[j] < a.unit[i] || b.unit[j] == a.unit[i] && b.year[j] < a.year[i]) {
			j++
		}
		if j < len(b.unit) && b.unit[j] == a.unit[i] && b.year[j] == a.year[i] && a.age[i] >= 0 {
			r.add(a.unit[i], size[i], indicator(a.age[i] == b.age[j]))
		}
	}
	return r.metric(m, s.Level, 1)
}

// sizes returns the size class of every firm row.
func (v *view) sizes() []int32 {
	out := make([]int32, len(v.firms.head))
	for i, n := range v.firms.head {
		out[i] = linked.SizeCode(int32(n))
	}
	return out
}

// agree reports whether two cells have the same class, or neither table has
// classes.
func agree(a frame.Column, i int, b frame.Column, j int) bool {
	if a.Len() == 0 || b.Len() == 0 {
		return a.Len() == b.Len()
	}
	return a.I[i] == b.I[j]
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
