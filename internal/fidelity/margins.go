package fidelity

import (
	"context"
	"math"

	"scramblelab/internal/metric"
)

// table is a weighted table over level x field: staff and wages.
type table struct{ staff, wages []float64 }

// levelField adds up the cells by level x field, each weighted by its design
// weight and, in a resample, by how often its unit was drawn.
func (s *setting) levelField(v *view, weight, drawn []float64) table {
	fields := int32(1)
	if d := s.fields(); d > 0 {
		fields = int32(d + 1)
	}
	n := (s.levels.Len() + 1) * int(fields)
	t := table{make([]float64, n), make([]float64, n)}
	c := &v.cells
	for i := range c.unit {
		w := weight[i] * c.workers[i]
		if drawn != nil {
			w *= drawn[c.unit[i]]
		}
		k := (c.level[i]+1)*fields + (c.field[i]+1)%fields
		t.staff[k] += w
		if c.wage.Dict != nil && !c.wage.Missing(i) {
			t.wages[k] += float64(w * c.wage.Value(i))
		}
	}
	return t
}

func (s *setting) fields() int {
	if c, ok := s.Fragment.Cells.Lookup("field"); ok {
		return c.Dict.Len()
	}
	return 0
}

// totalVariation is half the sum of absolute differences of shares, in [0,1].
func totalVariation(a, b table) float64 {
	na, nb := sum(a.staff), sum(b.staff)
	if na == 0 || nb == 0 {
		return math.NaN()
	}
	d := 0.0
	for k := range a.staff {
		d += abs(a.staff[k]/na - b.staff[k]/nb)
	}
	return d / 2
}

// wageError is the mean absolute difference of the log mean wage of a level x
// field, weighted by the staff of a.
func wageError(a, b table) float64 {
	d, n := 0.0, 0.0
	for k := range a.staff {
		if a.wages[k] > 0 && b.wages[k] > 0 {
			d += float64(a.staff[k] * abs(math.Log(b.wages[k]/b.staff[k])-math.Log(a.wages[k]/a.staff[k])))
			n += a.staff[k]
		}
	}
	return d / n
}

// compare is a distance between two versions of a table, with the interval of
// its resamples and its noise floor.
func (s *setting) compare(name, unit, method string, distance func(a, b table) float64) []metric.Metric {
	wf, wr := s.fragment.weightOfCell(), s.release.weightOfCell()
	fragment, release := s.levelField(s.fragment, wf, nil), s.levelField(s.release, wr, nil)
	drawn := make([]table, s.Draws)
	for b := range drawn {
		drawn[b] = s.levelField(s.fragment, wf, s.draws[b])
	}
	floor, _ := spread(s.Draws, func(b int) float64 { return distance(fragment, drawn[b]) })
	_, sd := spread(s.Draws, func(b int) float64 {
		return distance(drawn[b], s.levelField(s.release, wr, s.draws[b]))
	})
	const how = " Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."
	out := []metric.Metric{{
		Name: "fidelity." + name, Better: metric.Lower, Unit: unit, Method: method + " Release against unscrambled fragment." + how,
		Row: within(s.around(distance(fragment, release), sd, floor, s.fragment.units), 0, math.Inf(1)),
	}}
	if s.population != nil {
		whole := s.levelField(s.population, s.population.weightOfCell(), nil)
		_, sd := spread(s.Draws, func(b int) float64 { return distance(whole, drawn[b]) })
		row := within(s.around(distance(whole, fragment), sd, floor, s.fragment.units), 0, math.Inf(1))
		row.M = int64(s.population.units)
		out = append(out, metric.Metric{Name: "fidelity.fragment." + nameTail(name), Better: metric.Lower, Unit: unit,
			Method: method + " Unscrambled fragment against the whole selection: the error of drawing a fragment at all." + how, Row: row})
	}
	return out
}

func margins(_ context.Context, s *setting) (Result, error) {
	return Result{Metrics: s.compare("margins.level-field-tv", "share",
		"Total variation distance of the shares of level x field in all staff, weighted by the design.", totalVariation)}, nil
}

func wagesByLevel(_ context.Context, s *setting) (Result, error) {
	if s.fragment.cells.wage.Dict == nil {
		return Result{Metrics: []metric.Metric{{Name: "fidelity.wages.level-field-error", Better: metric.Lower, Unit: "log points",
			Method: "Mean absolute difference of log mean wages by level x field.", Row: metric.Missing("", "the release has no wages")}}}, nil
	}
	return Result{Metrics: s.compare("wages.level-field-error", "log points",
		"Mean absolute difference of the log mean wage (class midpoints) by level x field, weighted by staff.", wageError)}, nil
}

func sum(x []float64) float64 {
	t := 0.0
	for _, v := range x {
		t += v
	}
	return t
}
