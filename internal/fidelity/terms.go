package fidelity

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/estimate"
	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
)

// term is one coefficient of a researcher's model on the versions of the data
// and on resamples of two of them.
//
// A resample gives an estimate only. Its standard error is taken to be that of
// the version resampled: an employer drawn twice is two clusters, which weights
// cannot say.
type term struct {
	name              string
	population        *estimate.Coefficient // nil where there is no population
	fragment, release estimate.Coefficient
	predicted         *estimate.Coefficient // on the data that the swap law expects, nil where it says nothing
	drawnF, drawnR    []float64             // NaN where not estimated; nil where the floor has a closed form
	clusters          int                   // of the fragment
}

// estimated reports whether a coefficient has a value and a test.
func estimated(c estimate.Coefficient) bool {
	return !c.Dropped && !math.IsNaN(c.Estimate) && c.StdErr > 0
}

// unestimated is the coefficient of a model that could not be fitted.
func unestimated(name, reason string) estimate.Coefficient {
	nan := math.NaN()
	return estimate.Coefficient{Name: name, Estimate: nan, StdErr: nan, T: nan, P: nan, Low: nan, High: nan, Dropped: true, Reason: reason}
}

// moved is a coefficient at another estimate, its interval shifted along.
func moved(c estimate.Coefficient, to float64) estimate.Coefficient {
	by := to - c.Estimate
	c.Estimate, c.Low, c.High = to, c.Low+by, c.High+by
	return c
}

// comparison is a number that says how far the second coefficient is from the
// first; NaN where it is not defined.
type comparison func(a, b estimate.Coefficient) float64

func overlap(a, b estimate.Coefficient) float64 {
	if !estimated(a) || !estimated(b) {
		return math.NaN()
	}
	return estimate.Overlap(a.Interval(0), b.Interval(0))
}

// biasSE is the shift of an estimate in standard errors of the original.
func biasSE(a, b estimate.Coefficient) float64 {
	if !estimated(a) || !estimated(b) {
		return math.NaN()
	}
	return math.Abs(b.Estimate-a.Estimate) / a.StdErr
}

// fragmentSE is the distance of a fragment's estimate b from that of the whole
// selection, in standard errors of the fragment.
func fragmentSE(a, b estimate.Coefficient) float64 {
	if !estimated(b) {
		return math.NaN()
	}
	return math.Abs(b.Estimate-a.Estimate) / b.StdErr
}

// version picks a term's coefficient on a version of the data.
type version func(t *term) estimate.Coefficient

func onFragment(t *term) estimate.Coefficient { return t.fragment }
func onRelease(t *term) estimate.Coefficient  { return t.release }
func onPopulation(t *term) estimate.Coefficient {
	if t.population == nil {
		return unestimated(t.name, "")
	}
	return *t.population
}

func onDrawnFragment(d int) version {
	return func(t *term) estimate.Coefficient { return moved(t.fragment, t.drawnF[d]) }
}

func onDrawnRelease(d int) version {
	return func(t *term) estimate.Coefficient { return moved(t.release, t.drawnR[d]) }
}

// mean averages a comparison over the terms on which it is defined, NaN where
// there are none.
func mean(terms []*term, c comparison, a, b version) float64 {
	total, n := 0.0, 0.0
	for _, t := range terms {
		if x := c(a(t), b(t)); !math.IsNaN(x) {
			total, n = total+x, n+1
		}
	}
	return total / n
}

// judgement is one metric of a model: a comparison of two versions, averaged
// over terms, with its range.
type judgement struct {
	name, unit, method string
	better             metric.Direction
	compare            comparison
	a, b               version
	drawnA, drawnB     func(d int) version
	low, high          float64
	closed             float64 // floor of an estimate that is off by a standard normal number of standard errors
}

// row judges some terms.
func (s *setting) row(j judgement, terms []*term) metric.Row {
	floor, sd := j.closed, math.NaN()
	if len(terms) == 0 || terms[0].drawnF != nil {
		floor, _ = spread(s.Draws, func(d int) float64 { return mean(terms, j.compare, onFragment, onDrawnFragment(d)) })
		_, sd = spread(s.Draws, func(d int) float64 { return mean(terms, j.compare, j.drawnA(d), j.drawnB(d)) })
	}
	clusters := 0
	for _, t := range terms {
		clusters = max(clusters, t.clusters)
	}
	r := within(s.around(mean(terms, j.compare, j.a, j.b), sd, floor, clusters, reasons(terms, j.a, j.b)), j.low, j.high)
	if len(terms) > 0 && terms[0].drawnF == nil && r.Value.Valid() && clusters > 1 {
		r.Reason = "no interval: the model was not run on resamples; its floor has a closed form"
	}
	return r
}

// reasons says why no term was estimated on both versions.
func reasons(terms []*term, versions ...version) string {
	var all []string
	for _, t := range terms {
		for _, v := range versions {
			if r := v(t).Reason; r != "" && !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	if len(all) == 0 {
		all = append(all, "the data leave no coefficient to estimate")
	}
	return "no coefficient was estimated on both: " + strings.Join(all, "; ")
}

// modelNames are the metrics of one model.
type modelNames struct {
	overlap, bias, fragment, what string
	prefix                        string // of the measures that take the error apart
	closed                        bool   // floors have a closed form, and there are no resamples
}

// judgements are the metrics of a model, in the order of the report.
func (s *setting) judgements(n modelNames) []judgement {
	floor := " Noise floor: the fragment against resamples of its own employers."
	half := infer.Quantile(s.Level)
	shift := math.Sqrt(2 / math.Pi) // mean of the absolute value of a standard normal number
	if n.closed {
		floor = " Noise floor in closed form: what the estimate on another fragment of this size shows, whose error is normal with the standard error estimated."
	}
	out := []judgement{
		{
			name: n.overlap, unit: "share", better: metric.Higher, compare: overlap, low: math.Inf(-1), high: 1, closed: 1 - shift/(2*half),
			method: n.what + fmt.Sprintf(": mean overlap of %g %% intervals, release against unscrambled fragment (Karr et al. 2006; negative when they are apart).", 100*s.Level) + floor,
			a:      onFragment, b: onRelease, drawnA: onDrawnFragment, drawnB: onDrawnRelease,
		},
		{
			name: n.bias, unit: "standard errors", better: metric.Lower, compare: biasSE, high: math.Inf(1), closed: shift,
			method: n.what + ": mean shift of a coefficient in its standard errors, release against unscrambled fragment." + floor,
			a:      onFragment, b: onRelease, drawnA: onDrawnFragment, drawnB: onDrawnRelease,
		},
	}
	if s.population != nil && n.fragment != "" {
		out = append(out, judgement{
			name: n.fragment, unit: "standard errors", better: metric.Lower, compare: fragmentSE, high: math.Inf(1), closed: shift,
			method: n.what + ": mean distance between the unscrambled fragment and the whole selection, in standard errors of the fragment: the error of drawing a fragment at all." + floor,
			a:      onPopulation, b: onFragment, drawnA: func(int) version { return onPopulation }, drawnB: onDrawnFragment,
		})
	}
	return out
}

// judge makes the metrics of a model; where by is set, with a row for every
// term. missing says why there is no model, "" where there is one.
func (s *setting) judge(n modelNames, terms []*term, by, missing string) []metric.Metric {
	var out []metric.Metric
	for _, j := range s.judgements(n) {
		m := metric.Metric{Name: j.name, Better: j.better, Unit: j.unit, Method: j.method}
		if missing != "" {
			m.Row = metric.Missing("", missing)
			out = append(out, m)
			continue
		}
		m.Row = s.row(j, terms)
		if by != "" {
			for _, t := range terms {
				r := s.row(j, []*term{t})
				r.Group = by + " " + t.name
				m.By = append(m.By, r)
			}
		}
		if j.name == n.fragment {
			m.M = int64(s.population.units)
		}
		out = append(out, m)
	}
	if n.prefix != "" && missing != "" {
		ms := s.apartMetrics(n.prefix, n.what, loss{squared: math.NaN()}, 0, missing)
		if n.closed {
			ms = ms[2:]
		}
		out = append(out, ms...)
	} else if n.prefix != "" {
		clusters := 0
		for _, t := range terms {
			clusters = max(clusters, t.clusters)
		}
		ms := s.apartMetrics(n.prefix, n.what, lossOfTerms(terms, s.Draws), clusters, reasons(terms, onFragment, onRelease))
		if n.closed { // without resamples bias and noise cannot be told apart
			ms = ms[2:]
			ms[0].By = nil
		}
		out = append(out, ms...)
	}
	return out
}

// coefficients lists what each version says, with the verdict.
func coefficients(t metric.Table, head string, terms []*term) metric.Table {
	t.Columns = []string{head, "whole selection", "fragment", "predicted", "release", "overlap", "verdict"}
	for _, x := range terms {
		row := []string{x.name, "-", show(x.fragment), "-", show(x.release), "-", "not estimated"}
		if x.predicted != nil {
			row[3] = fmt.Sprintf("%+.3f", x.predicted.Estimate)
		}
		if x.population != nil {
			row[1] = show(*x.population)
		}
		if o := overlap(x.fragment, x.release); !math.IsNaN(o) {
			row[5] = fmt.Sprintf("%.2f", o)
		}
		if estimated(x.fragment) {
			row[6] = string(estimate.Compare(x.fragment, x.release))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func show(c estimate.Coefficient) string {
	switch {
	case math.IsNaN(c.Estimate):
		return "not estimated"
	case !(c.StdErr > 0):
		return fmt.Sprintf("%+.3f", c.Estimate)
	}
	return fmt.Sprintf("%+.3f (%.3f)", c.Estimate, c.StdErr)
}
