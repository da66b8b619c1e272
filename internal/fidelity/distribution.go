package fidelity

import (
	"context"
	"math"

	"scramblelab/internal/metric"
	"scramblelab/internal/par"
	"scramblelab/internal/tally"
)

// distanceOf is a distance between two tables of one column, NaN where it is not
// defined for the column or one of the two is empty.
type distanceOf func(a *axis, p, q []float64) float64

// withoutMissing clears the count of missing values.
func (a *axis) withoutMissing(p []float64) []float64 {
	if a.missing < 0 {
		return p
	}
	out := append([]float64(nil), p...)
	out[a.missing] = 0
	return out
}

// overShares makes a distance of shares one of columns; missing values are left
// out, as they are in SDMetrics: their pattern is a measure of its own.
func overShares(d func(p, q []float64) (float64, error)) distanceOf {
	return func(a *axis, p, q []float64) float64 { return orNaN(d(a.withoutMissing(p), a.withoutMissing(q))) }
}

// steps walks the two distribution functions of an ordered column and calls f
// with the value reached, the one that follows and the two shares up to it.
func (a *axis) steps(p, q []float64, f func(value, next, fp, fq float64)) bool {
	p, q = a.withoutMissing(p), a.withoutMissing(q)
	np, nq := sum(p), sum(q)
	if !a.ordered || !(np > 0) || !(nq > 0) {
		return false
	}
	fp, fq, last := 0.0, 0.0, -1
	value := func(k int) float64 {
		if a.values == nil {
			return float64(k)
		}
		return a.values[k]
	}
	for k := range p {
		if p[k] == 0 && q[k] == 0 {
			continue
		}
		if last >= 0 {
			f(value(last), value(k), fp/np, fq/nq)
		}
		fp, fq, last = fp+p[k], fq+q[k], k
	}
	return true
}

// kolmogorovSmirnov is sup|F-G| of an ordered column.
func kolmogorovSmirnov(a *axis, p, q []float64) float64 {
	d := 0.0
	if !a.steps(p, q, func(_, _, fp, fq float64) { d = max(d, math.Abs(fp-fq)) }) {
		return math.NaN()
	}
	return d
}

// wasserstein is ∫|F-G| of a column of numbers in standard deviations of p.
func wasserstein(a *axis, p, q []float64) float64 {
	d := 0.0
	if a.values == nil || !a.steps(p, q, func(x, next, fp, fq float64) { d += float64((next - x) * math.Abs(fp-fq)) }) {
		return math.NaN()
	}
	n, mean, squares := 0.0, 0.0, 0.0
	for k, w := range a.withoutMissing(p) {
		if w > 0 {
			n += w
			mean += float64(w * a.values[k])
		}
	}
	mean /= n
	for k, w := range a.withoutMissing(p) {
		if w > 0 {
			squares += float64(w * (a.values[k] - mean) * (a.values[k] - mean))
		}
	}
	return d / math.Sqrt(squares/n) // NaN or infinite where p does not vary: not defined
}

// oneWayNote keeps a reader from the commonest mistake.
const oneWayNote = " A swap keeps one-way distributions inside its donor pool whatever the damage: never read this one alone."

// distributions compare every column on its own. The headline is the column that
// moved most, since a mean over columns hides it among those left alone.
func (s *setting) distributions(ctx context.Context, t *sheet) ([]metric.Metric, error) {
	tables, err := par.Map(ctx, len(t.axes), func(k int) (counts, error) {
		c, _ := t.count([]int{k}, true, true)
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	var out []metric.Metric
	for _, d := range []struct {
		name, unit, method string
		of                 distanceOf
	}{
		{"tv", "share", "Total variation distance ½Σ|p-q| of the distribution of the staff over a column's values.", overShares(tally.TotalVariation)},
		{"ks", "share", "Kolmogorov-Smirnov distance sup|F-G| of the distribution of the staff over an ordered column's values.", kolmogorovSmirnov},
		{"hellinger", "share", "Hellinger distance √(1-Σ√(pq)) of the distribution of the staff over a column's values.", overShares(tally.Hellinger)},
		{"jensen-shannon", "bits", "Jensen-Shannon divergence, in bits, of the distribution of the staff over a column's values.", overShares(tally.JensenShannon)},
		{"wasserstein", "standard deviations", "Wasserstein distance ∫|F-G| of the distribution of the staff over a numeric column, in standard deviations of the original.", wasserstein},
	} {
		out = append(out, s.overColumns(t, tables, "fidelity.distribution."+d.name, "fidelity.fragment.distribution-"+d.name, d.unit, d.method, d.of)...)
	}
	return out, nil
}

// worst is the largest distance over columns for which it is defined.
func worst(n int, of func(k int) float64) float64 {
	out := math.NaN()
	for k := range n {
		if d := of(k); !math.IsNaN(d) && !math.IsInf(d, 0) && !(d <= out) {
			out = d
		}
	}
	return out
}

func (s *setting) overColumns(t *sheet, tables []counts, name, fragmentName, unit, method string, d distanceOf) []metric.Metric {
	of := func(k int, p, q []float64) float64 { return d(&t.axes[k], p, q) }
	row := func(columns []int, a, b func(c *counts) []float64, drawnA, drawnB func(c *counts, i int) []float64) metric.Row {
		over := func(a, b func(c *counts) []float64) float64 {
			return worst(len(columns), func(j int) float64 { return of(columns[j], a(&tables[columns[j]]), b(&tables[columns[j]])) })
		}
		at := func(f func(c *counts, i int) []float64, i int) func(c *counts) []float64 {
			return func(c *counts) []float64 { return f(c, i) }
		}
		floor, _ := spread(len(t.draws), func(i int) float64 { return over(onF, at(drawF, i)) })
		_, sd := spread(len(t.draws), func(i int) float64 { return over(at(drawnA, i), at(drawnB, i)) })
		return within(s.around(over(a, b), sd, floor, t.units, "no column has such a distance: it is constant, all missing, or no number"), 0, math.Inf(1))
	}
	var all, changed []int
	for k := range t.axes {
		all = append(all, k)
		if totalVariationOf(tables[k].of[atFragment], tables[k].of[atRelease]) > 0 {
			changed = append(changed, k)
		}
	}
	if changed == nil {
		changed = all
	}
	const how = " The headline is the column that moved most, among those that the scramble changed. Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."
	m := metric.Metric{Name: name, Better: metric.Lower, Unit: unit, Method: method + " Release against unscrambled fragment." + how + oneWayNote,
		Row: row(changed, onF, onR, drawF, drawR)}
	for k, a := range t.axes {
		if r := row([]int{k}, onF, onR, drawF, drawR); r.Value.Valid() {
			r.Group = "column " + a.name
			m.By = append(m.By, r)
		}
	}
	out := []metric.Metric{m}
	if t.version[atPopulation] != nil {
		f := metric.Metric{Name: fragmentName, Better: metric.Lower, Unit: unit, Method: method + " Unscrambled fragment against the whole selection." + how,
			Row: row(changed, onP, onF, func(c *counts, _ int) []float64 { return onP(c) }, drawF)}
		f.M = int64(s.populationUnits)
		out = append(out, f)
	}
	return out
}

// The version of a table that a comparison reads.
func onF(c *counts) []float64 { return c.of[atFragment] }
func onR(c *counts) []float64 { return c.of[atRelease] }
func onP(c *counts) []float64 { return c.of[atPopulation] }

func drawF(c *counts, i int) []float64 { return c.drawnF[i] }
func drawR(c *counts, i int) []float64 { return c.drawnR[i] }
