package fidelity

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"scramblelab/internal/metric"
)

// association is the dependence of two columns in one version.
type association struct {
	strength float64 // in [0, 1]: |correlation|, correlation ratio or Cramér's V, by the kinds of the columns
	signed   float64 // correlation of two columns of numbers, NaN otherwise
	mutual   float64 // information, in bits
	entropy  float64 // of the two together, in bits
}

// associations measure the dependence of the two columns of a table in every
// version and resample. Missing values are left out.
func (t *sheet) associations(c counts) (of [versions]association, drawnF, drawnR []association) {
	a, b := &t.axes[c.axes[0]], &t.axes[c.axes[1]]
	x, y := a.groupValues(), b.groupValues()
	skipA, skipB := a.missing, b.missing
	if a.group != nil && skipA >= 0 {
		skipA = a.group[skipA]
	}
	if b.group != nil && skipB >= 0 {
		skipB = b.group[skipB]
	}
	measure := func(table []float64) association {
		if table == nil {
			return undefinedAssociation
		}
		return associate(table, c.radices[0], c.radices[1], int(skipA), int(skipB), x, y)
	}
	for v := range of {
		of[v] = measure(c.of[v])
	}
	for i := range c.drawnF {
		drawnF, drawnR = append(drawnF, measure(c.drawnF[i])), append(drawnR, measure(c.drawnR[i]))
	}
	return of, drawnF, drawnR
}

var undefinedAssociation = association{math.NaN(), math.NaN(), math.NaN(), math.NaN()}

// associate measures the dependence of rows and columns of a table; x and y are
// the numbers that they stand for, nil where they are names.
func associate(table []float64, rows, cols, skipRow, skipCol int, x, y []float64) association {
	r, c := make([]float64, rows), make([]float64, cols)
	n := 0.0
	each := func(f func(i, j int, w float64)) {
		for i := range rows {
			if i == skipRow {
				continue
			}
			for j := range cols {
				if w := table[i*cols+j]; w > 0 && j != skipCol {
					f(i, j, w)
				}
			}
		}
	}
	each(func(i, j int, w float64) { r[i], c[j], n = r[i]+w, c[j]+w, n+w })
	usedR, usedC := positive(r), positive(c)
	if !(n > 0) || usedR < 2 || usedC < 2 {
		return undefinedAssociation
	}
	out := association{signed: math.NaN()}
	chi := -1.0
	each(func(i, j int, w float64) {
		p := w / n
		out.entropy -= float64(p * math.Log2(p))
		out.mutual += float64(p * math.Log2(w/r[i]*(n/c[j])))
		chi += w / r[i] * (w / c[j])
	})
	out.mutual = max(0, out.mutual)
	switch {
	case x != nil && y != nil:
		out.signed = correlation(each, r, c, n, x, y)
		out.strength = math.Abs(out.signed)
	case x != nil:
		out.strength = correlationRatio(func(f func(g, k int, w float64)) { each(func(i, j int, w float64) { f(j, i, w) }) }, c, r, n, x)
	case y != nil:
		out.strength = correlationRatio(each, r, c, n, y)
	default:
		out.strength = math.Sqrt(min(1, max(0, chi)/float64(min(usedR, usedC)-1)))
	}
	return out
}

func positive(x []float64) (n int) {
	for _, v := range x {
		if v > 0 {
			n++
		}
	}
	return n
}

// moments are the mean and the sum of squares of numbers y with weights c.
func moments(c []float64, n float64, y []float64) (mean, squares float64) {
	for k, w := range c {
		if w > 0 {
			mean += float64(w / n * y[k])
		}
	}
	for k, w := range c {
		if w > 0 {
			squares += float64(w * (y[k] - mean) * (y[k] - mean))
		}
	}
	return mean, squares
}

func correlation(each func(f func(i, j int, w float64)), r, c []float64, n float64, x, y []float64) float64 {
	mx, sx := moments(r, n, x)
	my, sy := moments(c, n, y)
	product := 0.0
	each(func(i, j int, w float64) { product += float64(w * (x[i] - mx) * (y[j] - my)) })
	return max(-1, min(1, product/math.Sqrt(float64(sx*sy))))
}

// correlationRatio is the root of the share of the variance of y between groups.
func correlationRatio(each func(f func(g, k int, w float64)), groups, c []float64, n float64, y []float64) float64 {
	mean, total := moments(c, n, y)
	sums := make([]float64, len(groups))
	each(func(g, k int, w float64) { sums[g] += float64(w * (y[k] - mean)) })
	between := 0.0
	for g, w := range groups {
		if w > 0 {
			between += float64(sums[g] / w * sums[g])
		}
	}
	return math.Sqrt(min(1, between/total))
}

// dependence compares how columns hang together.
func (s *setting) dependence(t *sheet, pairs []marginal) Result {
	var out Result
	for _, d := range []struct {
		name, fragment, unit, method string
		of                           func(a association) float64
	}{
		{"fidelity.dependence.association-error", "fidelity.fragment.association-error", "points of 1", "Mean absolute difference of the strength of association over all pairs of columns: |Pearson correlation| of two columns of numbers, correlation ratio of a number and names, Cramér's V of names.", func(a association) float64 { return a.strength }},
		{"fidelity.dependence.correlation-error", "fidelity.fragment.correlation-error", "points of 1", "Mean absolute difference of the Pearson correlation over all pairs of columns that stand for numbers.", func(a association) float64 { return a.signed }},
		{"fidelity.dependence.mutual-information-error", "fidelity.fragment.mutual-information-error", "bits", "Mean absolute difference of the mutual information over all pairs of columns.", func(a association) float64 { return a.mutual }},
		{"fidelity.dependence.entropy-error", "fidelity.fragment.entropy-error", "bits", "Mean absolute difference of the joint entropy over all pairs of columns.", func(a association) float64 { return a.entropy }},
	} {
		var all []apartness
		for _, m := range pairs {
			far := func(a, b association) float64 { return math.Abs(d.of(a) - d.of(b)) }
			x := apartness{value: far(m.dependent[atFragment], m.dependent[atRelease]), fragment: far(m.dependent[atPopulation], m.dependent[atFragment])}
			for i := range m.drawnF {
				x.floor = append(x.floor, far(m.dependent[atFragment], m.drawnF[i]))
				x.drawn = append(x.drawn, far(m.drawnF[i], m.drawnR[i]))
				x.between = append(x.between, far(m.dependent[atPopulation], m.drawnF[i]))
			}
			all = append(all, x)
		}
		const how = " Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."
		const none = "no pair of columns has such a dependence"
		out.Metrics = append(out.Metrics, metric.Metric{Name: d.name, Better: metric.Lower, Unit: d.unit, Method: d.method + " Release against unscrambled fragment." + how, Row: s.over(all, none)})
		if t.version[atPopulation] != nil {
			f := metric.Metric{Name: d.fragment, Better: metric.Lower, Unit: d.unit, Method: d.method + " Unscrambled fragment against the whole selection." + how,
				Row: s.fromDraws(all, func(a apartness) float64 { return a.fragment }, func(a apartness, i int) float64 { return a.between[i] }, none)}
			f.M = int64(s.populationUnits)
			out.Metrics = append(out.Metrics, f)
		}
	}
	if len(pairs) > 0 {
		out.Tables = append(out.Tables, t.strongest(pairs))
		out.words = t.thinned(pairs)
	}
	return out
}

// strongest lists the associations that a researcher would find in truth, and
// what is left of them.
func (t *sheet) strongest(pairs []marginal) metric.Table {
	out := metric.Table{Name: "associations", Title: "The strongest associations, before and after",
		Columns: []string{"columns", "fragment", "release", "kept"},
		Note:    "Strength from 0 to 1: |Pearson correlation| of numbers, correlation ratio of a number and names, Cramér's V of names. Associations that were near nothing are left out: keeping them is no feat."}
	kept := pairs[:0:0]
	for _, m := range pairs {
		if m.dependent[atFragment].strength > 0.1 {
			kept = append(kept, m)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool {
		return kept[i].dependent[atFragment].strength > kept[j].dependent[atFragment].strength
	})
	for _, m := range kept[:min(15, len(kept))] {
		a, b := m.dependent[atFragment].strength, m.dependent[atRelease].strength
		row := []string{t.axes[m.axes[0]].name + ", " + t.axes[m.axes[1]].name, fmt.Sprintf("%.3f", a), "not defined", "-"}
		if !math.IsNaN(b) {
			row[2], row[3] = fmt.Sprintf("%.3f", b), fmt.Sprintf("%.0f %%", 100*b/a)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// thinned says which associations the scramble thinned out.
func (t *sheet) thinned(pairs []marginal) []word {
	kept := pairs[:0:0]
	for _, m := range pairs {
		a, b := m.dependent[atFragment].strength, m.dependent[atRelease].strength
		if a > 0.1 && b < 0.95*a {
			kept = append(kept, m)
		}
	}
	ratio := func(m marginal) float64 { return m.dependent[atRelease].strength / m.dependent[atFragment].strength }
	sort.SliceStable(kept, func(i, j int) bool { return ratio(kept[i]) < ratio(kept[j]) })
	if len(kept) == 0 {
		return []word{{"Associations", "every association of two columns above 0.1 keeps at least 95 % of its strength."}}
	}
	var parts []string
	for _, m := range kept[:min(4, len(kept))] {
		parts = append(parts, fmt.Sprintf("%s and %s keep %.0f %%", t.axes[m.axes[0]].name, t.axes[m.axes[1]].name, 100*ratio(m)))
	}
	return []word{{"Associations", fmt.Sprintf("%d lose more than 5 %% of their strength; of those most thinned, %s.", len(kept), strings.Join(parts, ", "))}}
}
