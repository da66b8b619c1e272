package fidelity

import (
	"fmt"
	"math"

	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
)

// loss takes the squared error of the release apart, in units of the sampling
// variance of the fragment: what the scramble does again and again, whatever its
// key (bias), and what another key would do otherwise (noise).
//
// One release is one key. That employers are scrambled about independently
// tells the two apart all the same: the variance of the error between resamples
// of the employers is that of the noise, and what the squared error exceeds it
// by is squared bias.
type loss struct {
	squared, noise float64 // mean over the numbers compared, NaN where none is defined
	draws          []float64
}

func (l loss) bias2() float64 { return max(0, l.squared-l.noise) }

// equivalent is the fraction f of the employers whose simple random sample errs
// as much, on average, as the release: a sample of n f of n employers has the
// variance V (1-f)/f, V that of a draw of n (METHODS 3.1, law 6), so that
// f = V/(V+L). With a selection of N employers instead of n, V and the noise
// fall to n/N, while the bias stays.
func (l loss) equivalent(shrink float64) float64 {
	return shrink / (shrink + l.bias2() + float64(l.noise*shrink))
}

// lossOfTerms is that of a model's coefficients, each in its own standard error.
func lossOfTerms(terms []*term, draws int) loss {
	l := loss{draws: make([]float64, draws)}
	n := 0.0
	for _, t := range terms {
		if !estimated(t.fragment) || math.IsNaN(t.release.Estimate) {
			continue
		}
		v := float64(t.fragment.StdErr * t.fragment.StdErr)
		d := t.release.Estimate - t.fragment.Estimate
		l.squared += float64(d*d) / v
		n++
		if t.drawnF == nil { // closed form: the noise is not known
			l.draws = nil
			continue
		}
		_, sd := spread(draws, func(i int) float64 { return t.drawnR[i] - t.drawnF[i] })
		if math.IsNaN(sd) {
			continue
		}
		l.noise += float64(sd*sd) / v
		for i := range draws {
			e := t.drawnR[i] - t.drawnF[i]
			if !math.IsNaN(e) {
				l.draws[i] += float64(e*e) / v
			}
		}
	}
	return l.over(n)
}

// lossOfNumbers is that of numbers that resamples give the sampling variance
// of, such as the shares of a table: together, not one by one.
func lossOfNumbers(f, r []float64, drawnF, drawnR [][]float64) loss {
	draws := len(drawnF)
	l := loss{draws: make([]float64, draws)}
	sampling := 0.0
	for k := range f {
		_, sd := spread(draws, func(i int) float64 { return drawnF[i][k] })
		_, noise := spread(draws, func(i int) float64 { return drawnR[i][k] - drawnF[i][k] })
		if math.IsNaN(sd) || math.IsNaN(noise) || math.IsNaN(f[k]) || math.IsNaN(r[k]) {
			continue
		}
		sampling += float64(sd * sd)
		l.noise += float64(noise * noise)
		l.squared += float64((r[k] - f[k]) * (r[k] - f[k]))
		for i := range draws {
			if e := drawnR[i][k] - drawnF[i][k]; !math.IsNaN(e) {
				l.draws[i] += float64(e * e)
			}
		}
	}
	return l.over(sampling)
}

func (l loss) over(n float64) loss {
	if !(n > 0) {
		nan := math.NaN()
		return loss{squared: nan, noise: nan}
	}
	l.squared, l.noise = l.squared/n, l.noise/n
	for i := range l.draws {
		l.draws[i] /= n
	}
	return l
}

// apartMetrics are bias, noise and sub-sample equivalent, named prefix-…
func (s *setting) apartMetrics(prefix, what string, l loss, clusters int, undefined string) []metric.Metric {
	root := func(x float64) float64 { return math.Sqrt(max(0, x)) }
	bias := metric.Metric{Name: prefix + "systematic-se", Better: metric.Lower, Unit: "standard errors",
		Method: what + ": root mean square of the systematic part of the scramble's error, in standard errors of the unscrambled fragment; squared error less the variance of the error between resamples of the employers. It does not shrink in a larger file."}
	noise := metric.Metric{Name: prefix + "noise-se", Better: metric.Lower, Unit: "standard errors",
		Method: what + ": root mean square of the part of the scramble's error that another key would give another way, in standard errors of the unscrambled fragment: the variation of the error between resamples of the employers. It shrinks in a larger file."}
	equal := metric.Metric{Name: prefix + "subsample", Better: metric.Higher, Unit: "share",
		Method: fmt.Sprintf("%s: the share of the fragment's %d employers whose simple random sample, unscrambled, errs as much as the release: f = V/(V+L), with L the squared error of the release and V (1-f)/f the variance of the sample. Above 0.99 the scramble costs next to nothing.", what, s.units)}
	if math.IsNaN(l.squared) {
		for _, m := range []*metric.Metric{&bias, &noise, &equal} {
			m.Row = metric.Missing("", undefined)
		}
		return []metric.Metric{bias, noise, equal}
	}
	_, sd := spread(len(l.draws), func(i int) float64 { return l.draws[i] })
	half := infer.TQuantile(float64(max(1, len(l.draws)-1)), 0.5+s.Level/2) * sd
	row := func(f func(squared float64) float64, floor float64) metric.Row {
		r := s.around(f(l.squared), math.NaN(), floor, clusters, undefined)
		if len(l.draws) > 1 && !math.IsNaN(half) && clusters > 1 {
			a, b := f(max(0, l.squared-half)), f(l.squared+half)
			r.Low, r.High, r.Reason = metric.Number(min(a, b, float64(r.Value))), metric.Number(max(a, b, float64(r.Value))), ""
		}
		if len(l.draws) == 0 && r.Value.Valid() && clusters > 1 {
			r.Reason = "no interval: resamples of this model would take too long"
		}
		return r
	}
	at := func(shrink float64) func(float64) float64 {
		return func(squared float64) float64 {
			return loss{squared: squared, noise: l.noise}.equivalent(shrink)
		}
	}
	bias.Row = row(func(squared float64) float64 { return root(squared - l.noise) }, 0)
	noise.Row = s.around(root(l.noise), math.NaN(), 0, clusters, undefined)
	if noise.Reason == "" || noise.Value.Valid() {
		noise.Reason = "no interval: it is itself a spread between resamples"
	}
	equal.Row = s.neverRow(row(at(1), 1), s.units)
	if s.populationUnits > s.units {
		r := row(at(float64(s.units)/float64(s.populationUnits)), 1)
		r.Group, r.M = "whole selection", int64(s.populationUnits)
		r = s.neverRow(r, s.populationUnits)
		equal.Method += fmt.Sprintf(" The row of the whole selection says the same of a scramble of all %d employers, where noise and sampling error fall with the number and bias does not.", s.populationUnits)
		equal.By = append(equal.By, r)
	}
	return []metric.Metric{bias, noise, equal}
}

// neverRow says so where no sample that could be drawn errs as much.
func (s *setting) neverRow(r metric.Row, employers int) metric.Row {
	if r.Value.Valid() && float64(r.Value)*float64(employers) < 2 {
		m := metric.Missing(r.Group, fmt.Sprintf("never: not even a sample of two of the %d employers errs as much", employers))
		m.N, m.M = r.N, r.M
		return m
	}
	return r
}

// sampleWords says a sub-sample equivalent as one says it.
func sampleWords(r metric.Row, employers int) string {
	switch {
	case !r.Value.Valid():
		return r.Reason
	case r.Value > 0.99:
		return fmt.Sprintf("as much as analysing more than 99 %% of the %d employers: next to nothing", employers)
	case r.Value < 0.01:
		return fmt.Sprintf("as much as analysing a %.2g %% sample of the %d employers", 100*float64(r.Value), employers)
	}
	return fmt.Sprintf("as much as analysing a %.0f %% sample of the %d employers", 100*float64(r.Value), employers)
}
