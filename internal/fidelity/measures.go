package fidelity

import (
	"context"
	"math"

	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
)

// measure is one family of measures. To add one, write it in a file of its own
// and add a line here.
type measure struct {
	name string
	run  func(ctx context.Context, s *setting) (Result, error)
}

func measures() []measure {
	return []measure{
		{"structure", structure},
		{"cells", cellErrors},
		{"margins and wages", marginsAndWages},
		{"tables and dependence", tablesAndDependence},
		{"inequality and sums", inequality},
		{"wage regression", wageRegression},
		{"worker and employer effects", workerEffects},
		{"head counts", headCounts},
		{"difference-in-differences", panelEffects},
		{"event studies", eventStudies},
		{"program", outsideProgram},
	}
}

// spread is the mean and standard deviation of a statistic over resamples;
// draws on which it is not defined are left out, and fewer than two give NaN.
func spread(draws int, statistic func(draw int) float64) (mean, sd float64) {
	var x []float64
	for b := range draws {
		if v := statistic(b); !math.IsNaN(v) && !math.IsInf(v, 0) {
			x = append(x, v)
		}
	}
	n := float64(len(x))
	if n < 2 {
		return math.NaN(), math.NaN()
	}
	mean = sum(x) / n
	squares := 0.0
	for _, v := range x {
		squares += float64((v - mean) * (v - mean))
	}
	return mean, math.Sqrt(squares / (n - 1))
}

const oneUnit = "one employer, so nothing is known of the variation between employers"

// around makes a row of a value with the normal interval of its resampling
// standard deviation; n counts the employers behind it. A value that is not
// defined is missing for the reason given.
func (s *setting) around(value, sd, floor float64, n int, undefined string) metric.Row {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return metric.Missing("", undefined)
	}
	r := metric.Row{Value: metric.Number(value), Low: metric.None, High: metric.None,
		Level: metric.Number(s.Level), N: int64(n), Baseline: metric.Number(floor)}
	switch {
	case n < 2:
		r.Baseline, r.Reason = metric.None, oneUnit
	case math.IsNaN(sd):
		r.Reason = "no interval: it is defined on fewer than two resamples of the employers"
	default:
		half := infer.TQuantile(float64(s.Draws-1), 0.5+s.Level/2) * sd
		r.Low, r.High = metric.Number(value-half), metric.Number(value+half)
	}
	return r
}

// within cuts an interval at the ends of the measure's range.
func within(r metric.Row, low, high float64) metric.Row {
	if r.Low.Valid() {
		r.Low, r.High = metric.Number(math.Max(low, float64(r.Low))), metric.Number(math.Min(high, float64(r.High)))
	}
	return r
}
