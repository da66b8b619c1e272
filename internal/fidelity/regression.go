package fidelity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"scramblelab/internal/estimate"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
)

var wageNames = modelNames{
	overlap: "fidelity.regression.wage-overlap", bias: "fidelity.regression.wage-bias-se", fragment: "fidelity.fragment.wage-bias-se", prefix: "fidelity.regression.wage-",
	what: "Regression of log cell wage on level with field x year absorbed, weighted, clustered by employer",
}

// mostLevels is the number of levels in use up to which each is a regressor.
const mostLevels = 100

// wageModel is the regression of the log of a cell's wage class midpoint on
// level, with field x year absorbed, weighted by staff x design weight.
type wageModel struct {
	levels  []int32 // regressors: the levels of the fragment but for the largest
	column  []int32 // of a level code: its regressor, -1 for the reference, -2 for levels not in the fragment
	missing string  // why it cannot be fitted
	note    string
}

// wageRows are the cells of a version that the regression uses. All its
// variables but the wage are codes, so cells of one level, field and year are a
// group within which only the mean of the wage counts.
type wageRows struct {
	view  *view
	rows  []int32
	log   []float64 // of the wage
	group []int32

	column, effect []int32 // by group: regressor, and number of its field x year
}

func (s *setting) newWageModel() wageModel {
	m := wageModel{missing: s.noWages(), column: make([]int32, s.levels.Len())}
	staff := make([]float64, s.levels.Len())
	for i, l := range s.fragment.cells.level {
		if l >= 0 && s.fragment.cells.wage[i] > 0 {
			staff[l] += s.fragment.cells.workers[i]
		}
	}
	reference, used := 0, 0
	for l, n := range staff {
		if n > 0 {
			used++
			if n > staff[reference] {
				reference = l
			}
		}
	}
	switch {
	case m.missing != "":
	case s.levels.Len() == 0:
		m.missing = "the data have no education level"
	case used < 2:
		m.missing = "fewer than two levels have wages in the fragment"
	case used > mostLevels:
		m.missing = fmt.Sprintf("%d levels are in use, more than the %d that a regression takes one by one: group them", used, mostLevels)
	}
	if m.missing != "" {
		return m
	}
	for l, n := range staff {
		switch {
		case l == reference:
			m.column[l] = -1
		case n == 0:
			m.column[l] = -2
		default:
			m.column[l] = int32(len(m.levels))
			m.levels = append(m.levels, int32(l))
		}
	}
	m.note = "Reference level: " + s.levels.Label(int32(reference)) + ". " + wageNames.what + "."
	return m
}

func (m wageModel) rowsOf(v *view) wageRows {
	r := wageRows{view: v}
	c := &v.cells
	type fieldYear struct{ field, year int32 }
	type cell struct{ column, effect int32 }
	effects, groups := map[fieldYear]int32{}, map[cell]int32{}
	for i, l := range c.level {
		if l < 0 || m.column[l] == -2 || !(c.wage[i] > 0) {
			continue
		}
		e, ok := effects[fieldYear{c.field[i], c.year[i]}]
		if !ok {
			e = int32(len(effects))
			effects[fieldYear{c.field[i], c.year[i]}] = e
		}
		g, ok := groups[cell{m.column[l], e}]
		if !ok {
			g = int32(len(groups))
			groups[cell{m.column[l], e}] = g
			r.column, r.effect = append(r.column, m.column[l]), append(r.effect, e)
		}
		r.rows, r.log, r.group = append(r.rows, int32(i)), append(r.log, math.Log(c.wage[i])), append(r.group, g)
	}
	return r
}

// spec is the model of n rows, row k of which belongs to group(k).
func (m wageModel) spec(r wageRows, n int, group func(k int) int32) estimate.Spec {
	spec := estimate.Spec{X: make([][]float64, len(m.levels)), Absorb: [][]int32{make([]int32, n)}}
	for k := range m.levels {
		spec.X[k] = make([]float64, n)
		spec.Names = append(spec.Names, strconv.Itoa(k))
	}
	for k := range n {
		g := group(k)
		spec.Absorb[0][k] = r.effect[g]
		if x := r.column[g]; x >= 0 {
			spec.X[x][k] = 1
		}
	}
	return spec
}

// fit estimates the model on all cells, clustered by employer.
func (m wageModel) fit(ctx context.Context, r wageRows, level float64) ([]estimate.Coefficient, int, error) {
	spec := m.spec(r, len(r.rows), func(k int) int32 { return r.group[k] })
	spec.Level, spec.Y = level, r.log
	spec.Weights, spec.Cluster = make([]float64, len(r.rows)), make([]int32, len(r.rows))
	staff := r.view.staff(nil)
	for k, i := range r.rows {
		spec.Weights[k], spec.Cluster[k] = staff[i], r.view.cells.unit[i]
	}
	return m.ols(ctx, spec)
}

// slopes estimates the model on the means of groups: the same slopes, without
// standard errors.
func (m wageModel) slopes(ctx context.Context, r wageRows, drawn []float64) ([]estimate.Coefficient, error) {
	spec := m.spec(r, len(r.column), func(k int) int32 { return int32(k) })
	spec.Y, spec.Weights = make([]float64, len(r.column)), make([]float64, len(r.column))
	staff := r.view.staff(drawn)
	for k, i := range r.rows {
		spec.Weights[r.group[k]] += staff[i]
		spec.Y[r.group[k]] += float64(staff[i] * r.log[k])
	}
	for g, w := range spec.Weights {
		if w > 0 {
			spec.Y[g] /= w
		}
	}
	c, _, err := m.ols(ctx, spec)
	for k := range c {
		c[k] = withoutTest(c[k])
	}
	return c, err
}

func (m wageModel) ols(ctx context.Context, spec estimate.Spec) ([]estimate.Coefficient, int, error) {
	f, err := estimate.OLS(ctx, spec)
	if errors.Is(err, estimate.ErrNoRows) {
		for k := range m.levels {
			f.Coef = append(f.Coef, unestimated(strconv.Itoa(k), "no wages to compare levels by"))
		}
		err = nil
	}
	return f.Coef, f.Clusters, err
}

// expectedSlopes estimates the model on what the swap law expects of the
// fragment: a job keeps its wage, and with chance s the level and field of a
// donor of its stratum take the place of its own (METHODS 3.1, law 1). nil where
// the law does not say what becomes of level, field and wage.
func (s *setting) expectedSlopes(ctx context.Context, m wageModel, r wageRows) ([]estimate.Coefficient, error) {
	l := s.Swap
	if l == nil || !slices.Contains(l.Bundle, linked.Level) || slices.Contains(l.Bundle, linked.Wage) ||
		s.fields.Len() > 0 && !slices.Contains(l.Bundle, linked.Field) {
		return nil, nil
	}
	donors := s.fragment
	if !l.Closed && s.population != nil {
		donors = s.population
	}
	of, ok := l.strata(donors)
	if !ok {
		return nil, nil
	}
	own, _ := l.strata(s.fragment)
	type education struct{ level, field int32 }
	type pool struct {
		staff float64
		of    map[education]float64
	}
	pools := map[stratum]*pool{}
	weight := donors.staff(nil)
	if l.Closed {
		weight = donors.cells.workers
	}
	for i, w := range weight {
		h := of[donors.cells.firm[i]]
		if pools[h] == nil {
			pools[h] = &pool{of: map[education]float64{}}
		}
		pools[h].staff += w
		pools[h].of[education{donors.cells.level[i], donors.cells.field[i]}] += w
	}
	// Groups of the fragment, and those that only donors bring.
	type fieldYear struct{ field, year int32 }
	type group struct{ column, effect int32 }
	effects, number := map[fieldYear]int32{}, map[group]int32{}
	out := wageRows{view: r.view}
	var sums, weights []float64
	add := func(e education, year int32, w, y float64) {
		if e.level < 0 || m.column[e.level] == -2 {
			return
		}
		at := fieldYear{e.field, year}
		if _, ok := effects[at]; !ok {
			effects[at] = int32(len(effects))
		}
		k := group{m.column[e.level], effects[at]}
		g, ok := number[k]
		if !ok {
			g = int32(len(number))
			number[k] = g
			out.column, out.effect = append(out.column, k.column), append(out.effect, k.effect)
			sums, weights = append(sums, 0), append(weights, 0)
		}
		sums[g] += y
		weights[g] += w
	}
	type market struct {
		stratum
		year int32
	}
	received := map[market]*[2]float64{}
	var markets []market
	c := &s.fragment.cells
	staff := s.fragment.staff(nil)
	for i, w := range staff {
		if !(c.wage[i] > 0) {
			continue
		}
		y := float64(w * math.Log(c.wage[i]))
		add(education{c.level[i], c.field[i]}, c.year[i], float64((1-l.Rate)*w), float64((1-l.Rate)*y))
		k := market{own[c.firm[i]], c.year[i]}
		if received[k] == nil {
			if pools[k.stratum] == nil {
				return nil, nil // the donors lack a stratum of the fragment
			}
			received[k] = &[2]float64{}
			markets = append(markets, k)
		}
		received[k][0] += w
		received[k][1] += y
	}
	for _, k := range markets {
		p := pools[k.stratum]
		all := make([]education, 0, len(p.of))
		for e := range p.of {
			all = append(all, e)
		}
		slices.SortFunc(all, func(a, b education) int {
			return cmp.Or(cmp.Compare(a.level, b.level), cmp.Compare(a.field, b.field))
		})
		for _, e := range all {
			q := float64(l.Rate * p.of[e] / p.staff)
			add(e, k.year, float64(q*received[k][0]), float64(q*received[k][1]))
		}
	}
	spec := m.spec(out, len(out.column), func(k int) int32 { return int32(k) })
	spec.Y, spec.Weights = sums, weights
	for g, w := range weights {
		if w > 0 {
			spec.Y[g] /= w
		}
	}
	coef, _, err := m.ols(ctx, spec)
	return coef, err
}

// withoutTest keeps the estimate of a coefficient alone.
func withoutTest(c estimate.Coefficient) estimate.Coefficient {
	bare := unestimated(c.Name, c.Reason)
	bare.Estimate, bare.Dropped = c.Estimate, c.Dropped
	return bare
}

func wageRegression(ctx context.Context, s *setting) (Result, error) {
	m := s.newWageModel()
	if m.missing != "" {
		return Result{Metrics: s.judge(wageNames, nil, "", m.missing)}, nil
	}
	terms, err := s.wageTerms(ctx, m)
	if err != nil {
		return Result{}, err
	}
	t := metric.Table{Name: "wage-regression", Title: "Wage regression: log wage by education level", Note: m.note + notPositive("fragment", s.fragment) + notPositive("release", s.release)}
	ms := s.judge(wageNames, terms, "", "")
	return Result{Metrics: ms, Tables: []metric.Table{coefficients(t, "term", terms)},
		words: append(verdictWords("Wage regression by education level", terms), s.equivalentWords("Wage regression: coefficients together", ms)...)}, nil
}

// notPositive says how many cells of a version have a wage without a logarithm.
func notPositive(name string, v *view) string {
	n := 0
	for _, w := range v.cells.wage {
		n += int(indicator(w <= 0))
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" %d cells of the %s whose wage class stands for no positive number are left out.", n, name)
}

// wageTerms fits the model on all versions. The whole selection gives a number
// without a standard error: nothing was drawn.
func (s *setting) wageTerms(ctx context.Context, m wageModel) ([]*term, error) {
	fragment, release := m.rowsOf(s.fragment), m.rowsOf(s.release)
	onF, clusters, err := m.fit(ctx, fragment, s.Level)
	if err != nil {
		return nil, err
	}
	onR, _, err := m.fit(ctx, release, s.Level)
	if err != nil {
		return nil, err
	}
	var all []estimate.Coefficient
	if s.population != nil {
		all, _, err = recallCoefficients(s.Statistics, "wages", [2][]int32{m.levels, m.column}, func() ([]estimate.Coefficient, int, error) {
			c, err := m.slopes(ctx, m.rowsOf(s.population), nil)
			return c, 0, err
		})
		if err != nil {
			return nil, err
		}
	}
	drawn, err := par.Map(ctx, 2*s.Draws, func(i int) ([]estimate.Coefficient, error) {
		return m.slopes(ctx, []wageRows{fragment, release}[i%2], s.draws[i/2])
	})
	if err != nil {
		return nil, err
	}
	expected, err := s.expectedSlopes(ctx, m, fragment)
	if err != nil {
		return nil, err
	}
	terms := make([]*term, len(m.levels))
	for k, l := range m.levels {
		t := &term{name: s.levels.Label(l), fragment: onF[k], release: onR[k], clusters: clusters}
		if expected != nil && !math.IsNaN(expected[k].Estimate) {
			t.predicted = &expected[k]
		}
		if all != nil {
			t.population = &all[k]
		}
		for d := range s.Draws {
			t.drawnF, t.drawnR = append(t.drawnF, drawn[2*d][k].Estimate), append(t.drawnR, drawn[2*d+1][k].Estimate)
		}
		terms[k] = t
	}
	return terms, nil
}
