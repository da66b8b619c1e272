package fidelity

import (
	"context"
	"math"
	"slices"

	"scramblelab/internal/metric"
)

// table is a weighted table over level x field.
type table struct {
	staff       []float64
	paid, wages []float64 // staff with a wage, and their class midpoints summed
}

// levelField says for the cells of each version which level x field they
// belong to, numbered 0 … n-1 over those that occur in any.
type levelField struct {
	of map[*view][]int32
	n  int
}

func (s *setting) newLevelField() levelField {
	views := []*view{s.fragment, s.release}
	if s.population != nil {
		views = append(views, s.population)
	}
	fields := int64(s.fields.Len() + 1)
	key := func(v *view, i int) int64 { return int64(v.cells.level[i]+1)*fields + int64(v.cells.field[i]+1) }
	number := make(map[int64]int32)
	for _, v := range views {
		for i := range v.cells.unit {
			number[key(v, i)] = 0
		}
	}
	keys := make([]int64, 0, len(number))
	for k := range number {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		number[k] = int32(i)
	}
	out := levelField{of: map[*view][]int32{}, n: len(keys)}
	for _, v := range views {
		codes := make([]int32, len(v.cells.unit))
		for i := range codes {
			codes[i] = number[key(v, i)]
		}
		out.of[v] = codes
	}
	return out
}

// table adds up the cells of a version, weighted by the design and, in a
// resample, by how often their unit was drawn.
func (l levelField) table(v *view, drawn []float64) table {
	t := table{make([]float64, l.n), make([]float64, l.n), make([]float64, l.n)}
	staff, of := v.staff(drawn), l.of[v]
	for i, w := range staff {
		k := of[i]
		t.staff[k] += w
		if x := v.cells.wage[i]; !math.IsNaN(x) {
			t.paid[k] += w
			t.wages[k] += float64(w * x)
		}
	}
	return t
}

// shares are those of the staff, NaN in an empty table.
func (t table) shares() []float64 {
	n := sum(t.staff)
	out := make([]float64, len(t.staff))
	for k, w := range t.staff {
		out[k] = w / n
	}
	return out
}

// logWages are the logs of mean wages, each times the root of its share of the
// staff of base, so that squares weigh by staff; NaN where there is none.
func (t table) logWages(base table) []float64 {
	out := make([]float64, len(t.paid))
	n := sum(base.paid)
	for k, w := range t.paid {
		out[k] = math.NaN()
		if t.wages[k] > 0 && base.paid[k] > 0 {
			out[k] = math.Sqrt(base.paid[k]/n) * math.Log(t.wages[k]/w)
		}
	}
	return out
}

// totalVariation is half the sum of absolute differences of shares, in [0,1];
// NaN where a table is empty.
func totalVariation(a, b table) float64 {
	na, nb := sum(a.staff), sum(b.staff)
	if na == 0 || nb == 0 {
		return math.NaN()
	}
	d := 0.0
	for k := range a.staff {
		d += math.Abs(a.staff[k]/na - b.staff[k]/nb)
	}
	return min(1, d/2)
}

// wageError is the mean absolute difference of the log mean wage of a level x
// field, weighted by the paid staff of a, over those that both have; NaN where
// there are none.
func wageError(a, b table) float64 {
	d, n := 0.0, 0.0
	for k := range a.paid {
		if a.wages[k] > 0 && b.wages[k] > 0 {
			d += float64(a.paid[k] * math.Abs(math.Log(b.wages[k]/b.paid[k])-math.Log(a.wages[k]/a.paid[k])))
			n += a.paid[k]
		}
	}
	return d / n
}

// tables are those of all versions and of the resamples of two.
type tables struct {
	fragment, release, population table
	drawnF, drawnR                []table
}

func (s *setting) tables() tables {
	l := s.newLevelField()
	t := tables{fragment: l.table(s.fragment, nil), release: l.table(s.release, nil)}
	if s.population != nil {
		t.population = l.table(s.population, nil)
	}
	for _, drawn := range s.draws {
		t.drawnF = append(t.drawnF, l.table(s.fragment, drawn))
		t.drawnR = append(t.drawnR, l.table(s.release, drawn))
	}
	return t
}

// distance is a distance between two versions of a table, of one name for
// scramble error and one for fragment error.
type distance struct {
	name, fragmentName, unit, method string
	between                          func(a, b table) float64
	missing                          string // why it cannot be computed, ""
}

// metrics gives a distance the interval of its resamples and its noise floor.
func (s *setting) metrics(t tables, d distance) []metric.Metric {
	const how = " Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."
	floor, _ := spread(s.Draws, func(b int) float64 { return d.between(t.fragment, t.drawnF[b]) })
	row := func(value float64, drawn func(b int) float64, m int) metric.Row {
		if d.missing != "" {
			return metric.Missing("", d.missing)
		}
		_, sd := spread(s.Draws, drawn)
		r := within(s.around(value, sd, floor, s.fragment.units, "no level x field is in both versions"), 0, math.Inf(1))
		r.M = int64(m)
		return r
	}
	out := []metric.Metric{{
		Name: d.name, Better: metric.Lower, Unit: d.unit, Method: d.method + " Release against unscrambled fragment." + how,
		Row: row(d.between(t.fragment, t.release), func(b int) float64 { return d.between(t.drawnF[b], t.drawnR[b]) }, 0),
	}}
	if s.population != nil {
		out = append(out, metric.Metric{
			Name: d.fragmentName, Better: metric.Lower, Unit: d.unit,
			Method: d.method + " Unscrambled fragment against the whole selection: the error of drawing a fragment at all." + how,
			Row:    row(d.between(t.population, t.fragment), func(b int) float64 { return d.between(t.population, t.drawnF[b]) }, s.population.units),
		})
	}
	return out
}

// marginsAndWages compares the table of staff and mean wages by level x field.
func marginsAndWages(_ context.Context, s *setting) (Result, error) {
	staff := distance{
		name: "fidelity.margins.level-field-tv", fragmentName: "fidelity.fragment.level-field-tv", unit: "share",
		method:  "Total variation distance of the shares of level x field in all staff, weighted by the design.",
		between: totalVariation,
	}
	if s.levels.Len() == 0 && s.fields.Len() == 0 {
		staff.missing = "the data have neither level nor field"
	}
	wages := distance{
		name: "fidelity.wages.level-field-error", fragmentName: "fidelity.fragment.level-field-error", unit: "log points",
		method:  "Mean absolute difference of the log mean wage (class midpoints) by level x field, weighted by staff.",
		between: wageError, missing: s.noWages(),
	}
	t := s.tables()
	out := Result{Metrics: append(s.metrics(t, staff), s.metrics(t, wages)...)}
	for _, x := range []struct {
		prefix, what, word string
		of                 func(t table) []float64
		missing            string
	}{
		{"fidelity.margins.level-field-", "Shares of level x field in all staff", "Totals by level and field", table.shares, staff.missing},
		{"fidelity.wages.level-field-", "Log mean wages by level x field", "Mean wages by level and field", func(x table) []float64 { return x.logWages(t.fragment) }, wages.missing},
	} {
		if x.missing != "" {
			out.Metrics = append(out.Metrics, s.apartMetrics(x.prefix, x.what, loss{squared: math.NaN()}, 0, x.missing)...)
			continue
		}
		all := func(ts []table) (out [][]float64) {
			for _, t := range ts {
				out = append(out, x.of(t))
			}
			return out
		}
		l := lossOfNumbers(x.of(t.fragment), x.of(t.release), all(t.drawnF), all(t.drawnR))
		ms := s.apartMetrics(x.prefix, x.what, l, s.units, "no level x field varies between resamples of the employers")
		out.Metrics, out.words = append(out.Metrics, ms...), append(out.words, s.equivalentWords(x.word, ms)...)
	}
	return out, nil
}

// noWages says why wages cannot be compared, "" where they can.
func (s *setting) noWages() string {
	for _, v := range []struct {
		name string
		*view
	}{{"fragment", s.fragment}, {"release", s.release}} {
		switch {
		case v.cells.wageClass.Len() == 0:
			return "the " + v.name + " has no wages"
		case !numeric(v.cells.wageClass):
			return "the wage classes of the " + v.name + " stand for no numbers"
		}
	}
	return ""
}

func sum(x []float64) float64 {
	t := 0.0
	for _, v := range x {
		t += v
	}
	return t
}
