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

var measures = []measure{
	{"cells", cellErrors},
	{"margins", margins},
	{"wages", wagesByLevel},
	{"wage regression", wageRegression},
	{"difference-in-differences", panelEffects},
}

// spread is the mean and standard deviation of a statistic over resamples;
// draws on which it is not defined are left out.
func spread(draws int, statistic func(draw int) float64) (mean, sd float64) {
	n, sum, squares := 0.0, 0.0, 0.0
	for b := range draws {
		if x := statistic(b); !math.IsNaN(x) {
			n, sum, squares = n+1, sum+x, squares+float64(x*x)
		}
	}
	if n < 2 {
		return math.NaN(), math.NaN()
	}
	mean = sum / n
	return mean, math.Sqrt(math.Max(0, (squares-n*mean*mean)/(n-1)))
}

// around makes a row of a value with the normal interval of its resampling
// standard deviation.
func (s *setting) around(value, sd, floor float64, n int) metric.Row {
	if math.IsNaN(value) {
		return metric.Missing("", "not defined on these data")
	}
	r := metric.Row{Value: metric.Number(value), Level: metric.Number(s.Level), N: int64(n), Baseline: metric.Number(floor)}
	if math.IsNaN(sd) {
		r.Low, r.High, r.Reason = metric.None, metric.None, "too few employers for an interval"
		return r
	}
	half := infer.TQuantile(float64(max(1, s.Draws-1)), 0.5+s.Level/2) * sd
	r.Low, r.High = metric.Number(value-half), metric.Number(value+half)
	return r
}

// within cuts an interval at the ends of the measure's range.
func within(r metric.Row, low, high float64) metric.Row {
	if r.Low.Valid() {
		r.Low, r.High = metric.Number(math.Max(low, float64(r.Low))), metric.Number(math.Min(high, float64(r.High)))
	}
	return r
}
