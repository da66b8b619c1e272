package fidelity

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
)

// mostAxes is the number of columns that three-way tables are made of: the cells'
// own first, then age, year, group, size and sector.
const mostAxes = 8

// tablesAndDependence compares tables of one, two and three columns and the
// dependence between columns.
func tablesAndDependence(ctx context.Context, s *setting) (Result, error) {
	out, err := s.overSheet(ctx, s.newSheet())
	if err != nil {
		return out, err
	}
	same, err := s.sameMethod(ctx)
	out.Metrics, out.Tables = append(out.Metrics, same.Metrics...), append(out.Tables, same.Tables...)
	return out, err
}

// overSheet measures all that hangs on tables of columns.
func (s *setting) overSheet(ctx context.Context, t *sheet) (Result, error) {
	var out Result
	ms, err := s.distributions(ctx, t)
	if err != nil {
		return out, err
	}
	out.Metrics = ms
	pairs, largePairs, err := overTables(ctx, t, len(t.axes), 2, func(c counts) marginal { return t.marginal(c) })
	if err != nil {
		return out, err
	}
	triples, largeTriples, err := overTables(ctx, t, mostAxes, 3, func(c counts) marginal { return t.marginal(c) })
	if err != nil {
		return out, err
	}
	out.Metrics = append(out.Metrics, s.marginalMetrics(t, pairs, triples, largePairs, largeTriples)...)
	if len(pairs) > 0 {
		out.Tables = append(out.Tables, worstMarginals(slices.Concat(pairs, triples)))
	}
	dependence := s.dependence(t, pairs)
	out.Metrics, out.Tables, out.words = append(out.Metrics, dependence.Metrics...), append(out.Tables, dependence.Tables...), dependence.words
	told, err := s.propensity(ctx, t, pairs)
	if err != nil {
		return out, err
	}
	out.Metrics = append(out.Metrics, told...)
	if !s.large {
		out.words = append(out.words, toldWords(told[2])...)
	}
	return out, nil
}

// toldWords say how well a tree tells release from original.
func toldWords(auc metric.Metric) []word {
	if !auc.Value.Valid() {
		return nil
	}
	return []word{{"Telling release from original", fmt.Sprintf("a tree that has seen half of the employers places %.0f %% of pairs of the others' cells rightly, 50 %% being a guess.", 100*float64(auc.Value))}}
}

// apartness is a distance on all pairs of versions that a metric needs.
type apartness struct {
	value, fragment       float64   // fragment and release, selection and fragment
	floor, drawn, between []float64 // by resample: fragment and its resample, both resampled, selection and resample
}

// marginal is what is kept of a table of several columns.
type marginal struct {
	axes       []int
	tv, pmse   apartness
	worstCell  string // where the difference of shares is largest
	worstShare [2]float64
	in         [2][]apartness // within each size class and sector, of tables that have one of the two
	dependent  [versions]association
	drawnF     []association
	drawnR     []association
}

// apart measures a distance on all pairs of versions; shares says which part of
// a table it looks at.
func (c *counts) apart(d func(a, b []float64) float64) apartness {
	out := apartness{value: d(c.of[atFragment], c.of[atRelease]), fragment: math.NaN()}
	if c.of[atPopulation] != nil {
		out.fragment = d(c.of[atPopulation], c.of[atFragment])
	}
	for i := range c.drawnF {
		out.floor = append(out.floor, d(c.of[atFragment], c.drawnF[i]))
		out.drawn = append(out.drawn, d(c.drawnF[i], c.drawnR[i]))
		if c.of[atPopulation] != nil {
			out.between = append(out.between, d(c.of[atPopulation], c.drawnF[i]))
		}
	}
	return out
}

func (t *sheet) marginal(c counts) marginal {
	m := marginal{axes: c.axes, tv: c.apart(totalVariationOf)}
	a, b := c.of[atFragment], c.of[atRelease]
	na, nb := sum(a), sum(b)
	at, most := 0, -1.0
	for k := range a {
		if d := math.Abs(a[k]/na - b[k]/nb); d > most {
			at, most = k, d
		}
	}
	if len(a) > 0 && na > 0 && nb > 0 {
		m.worstCell, m.worstShare = t.cellLabel(c, at), [2]float64{a[at] / na, b[at] / nb}
	}
	if len(c.axes) == 2 {
		m.pmse = c.apart(pairPMSE)
		m.dependent, m.drawnF, m.drawnR = t.associations(c)
	}
	if len(c.axes) == 3 {
		for g, axis := range t.groupings() {
			if j := slices.Index(c.axes, axis); j >= 0 {
				m.in[g] = t.within(c, j)
			}
		}
	}
	return m
}

// groupings are the columns within whose values tables are also compared.
var groupings = [2]struct {
	word    string
	columns []string
}{{"size", []string{linked.SizeClass, linked.Size}}, {"sector", []string{linked.Sector}}}

// groupings returns the column of each grouping, -1 where there is none.
func (t *sheet) groupings() (out [len(groupings)]int) {
	for g, grouping := range groupings {
		out[g] = slices.IndexFunc(t.axes, func(a axis) bool { return slices.Contains(grouping.columns, a.name) })
	}
	return out
}

// within measures the distance inside each category of one of a table's columns.
func (t *sheet) within(c counts, j int) []apartness {
	after := 1
	for _, r := range c.radices[j+1:] {
		after *= r
	}
	out := make([]apartness, c.radices[j])
	for g := range out {
		out[g] = c.apart(func(a, b []float64) float64 {
			na, nb, d := 0.0, 0.0, 0.0
			each := func(f func(k int)) {
				for k := g * after; k < len(a); k += after * c.radices[j] {
					for i := k; i < k+after; i++ {
						f(i)
					}
				}
			}
			each(func(i int) { na, nb = na+a[i], nb+b[i] })
			if !(na > 0) || !(nb > 0) {
				return math.NaN()
			}
			each(func(i int) { d += math.Abs(a[i]/na - b[i]/nb) })
			return min(1, d/2)
		})
	}
	return out
}

// over averages an apartness over tables and makes a row of it.
func (s *setting) over(all []apartness, undefined string) metric.Row {
	return s.fromDraws(all, func(a apartness) float64 { return a.value }, func(a apartness, i int) float64 { return a.drawn[i] }, undefined)
}

func (s *setting) fromDraws(all []apartness, value func(a apartness) float64, drawn func(a apartness, i int) float64, undefined string) metric.Row {
	mean := func(f func(a apartness) float64) float64 {
		total, n := 0.0, 0.0
		for _, a := range all {
			if x := f(a); !math.IsNaN(x) {
				total, n = total+x, n+1
			}
		}
		return total / n
	}
	floor, _ := spread(s.Draws, func(i int) float64 { return mean(func(a apartness) float64 { return a.floor[i] }) })
	_, sd := spread(s.Draws, func(i int) float64 { return mean(func(a apartness) float64 { return drawn(a, i) }) })
	return within(s.around(mean(value), sd, floor, s.units, undefined), 0, math.Inf(1))
}

func (s *setting) marginalMetrics(t *sheet, pairs, triples []marginal, largePairs, largeTriples int) []metric.Metric {
	const none = "fewer columns vary than such a table has"
	var out []metric.Metric
	for _, k := range []struct {
		name  string
		ways  int
		all   []marginal
		large int
	}{{"two-way", 2, pairs, largePairs}, {"three-way", 3, triples, largeTriples}} {
		what := fmt.Sprintf("Total variation distance, averaged over all %d tables of %d columns of the cells and their employers, staff weighted by the design.", len(k.all), k.ways)
		if k.ways == 3 && len(t.axes) > mostAxes {
			what += fmt.Sprintf(" The first %d columns take part.", mostAxes)
		}
		if k.large > 0 {
			what += fmt.Sprintf(" %d tables of more than %d cells are left out.", k.large, mostCells)
		}
		const how = " Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."
		var tv []apartness
		for _, m := range k.all {
			tv = append(tv, m.tv)
		}
		m := metric.Metric{Name: "fidelity.marginals." + k.name + "-tv", Better: metric.Lower, Unit: "share", Method: what + " Release against unscrambled fragment." + how, Row: s.over(tv, none)}
		if k.ways == 3 {
			m.By = s.withinGroups(t, k.all)
			m.Method += " Rows by size and sector: the same distance inside employers of that kind."
		}
		out = append(out, m)
		if t.version[atPopulation] != nil {
			f := metric.Metric{Name: "fidelity.fragment." + k.name + "-tv", Better: metric.Lower, Unit: "share", Method: what + " Unscrambled fragment against the whole selection." + how,
				Row: s.fromDraws(tv, func(a apartness) float64 { return a.fragment }, func(a apartness, i int) float64 { return a.between[i] }, none)}
			f.M = int64(s.populationUnits)
			out = append(out, f)
		}
		if k.ways == 2 {
			out = append(out, nistScore(m))
		}
	}
	return out
}

// nistScore is the two-way distance on the scale of SDNist: 1000 is perfect.
func nistScore(m metric.Metric) metric.Metric {
	score := func(n metric.Number) metric.Number { return metric.Number(1000 * (1 - float64(n))) }
	out := metric.Metric{Name: "fidelity.marginals.nist-score", Better: metric.Higher, Unit: "points of 1000", Row: m.Row,
		Method: "The k-marginal score of SDNist, (2-mean Σ|p-q|)·500 over all tables of two columns: 1000 is perfect. The same number as the two-way distance on the scale of that tool. Columns that no scramble touches raise it."}
	out.Value, out.Low, out.High, out.Baseline = score(m.Value), score(m.High), score(m.Low), score(m.Baseline)
	return out
}

// withinGroups averages the three-way distances inside size classes and sectors.
func (s *setting) withinGroups(t *sheet, triples []marginal) []metric.Row {
	var out []metric.Row
	for g, k := range t.groupings() {
		if k < 0 {
			continue
		}
		for c := range t.axes[k].grouped() {
			var in []apartness
			for _, m := range triples {
				if len(m.in[g]) > c {
					in = append(in, m.in[g][c])
				}
			}
			if len(in) > 0 {
				r := s.over(in, "fragment or release has nobody there")
				r.Group = groupings[g].word + " " + t.axes[k].groupLabel(c)
				out = append(out, r)
			}
		}
	}
	return out
}

// worstMarginals lists the tables that moved most beyond their noise floor.
func worstMarginals(all []marginal) metric.Table {
	t := metric.Table{Name: "worst-marginals", Title: "Tables that the scramble changed most",
		Columns: []string{"cell that is off most", "distance of its table", "noise floor", "share before", "share after"},
		Note:    "The tables of two and three columns with the largest total variation distance between release and unscrambled fragment, in order of the distance over its noise floor, and in each the cell whose share of the staff is off most."}
	times := func(m marginal) float64 {
		floor := meanOf(m.tv.floor)
		if !(m.tv.value > 0) || !(floor > 0) {
			return 0
		}
		return m.tv.value / floor
	}
	all = slices.Clone(all)
	sort.SliceStable(all, func(i, j int) bool { return times(all[i]) > times(all[j]) })
	for _, m := range all[:min(10, len(all))] {
		if times(m) > 0 {
			t.Rows = append(t.Rows, []string{m.worstCell, fmt.Sprintf("%.3f", m.tv.value), fmt.Sprintf("%.3f", meanOf(m.tv.floor)),
				fmt.Sprintf("%.2f %%", 100*m.worstShare[0]), fmt.Sprintf("%.2f %%", 100*m.worstShare[1])})
		}
	}
	return t
}

func meanOf(x []float64) float64 { return sum(x) / float64(len(x)) }
