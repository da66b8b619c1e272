package fidelity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
)

// model is an estimator that a researcher would run on a pair of release
// tables. drawn says how often each unit stands in a resample, nil for once.
type model struct {
	name string
	fit  func(ctx context.Context, v *view, drawn []float64) (estimate.Fit, error)
}

// fits is one model on the three versions and on the resamples of two.
type fits struct {
	fragment, release estimate.Fit
	population        *estimate.Fit
	drawnF, drawnR    []estimate.Fit
}

func (s *setting) fitAll(ctx context.Context, m model) (*fits, error) {
	f := &fits{drawnF: make([]estimate.Fit, s.Draws), drawnR: make([]estimate.Fit, s.Draws)}
	// A version too small for the model estimates nothing, which is no error.
	fit := func(v *view, drawn []float64) (estimate.Fit, error) {
		got, err := m.fit(ctx, v, drawn)
		if errors.Is(err, estimate.ErrNoRows) {
			return estimate.Fit{}, nil
		}
		return got, err
	}
	jobs := []func() error{
		func() (err error) { f.fragment, err = fit(s.fragment, nil); return },
		func() (err error) { f.release, err = fit(s.release, nil); return },
	}
	if s.population != nil {
		jobs = append(jobs, func() error {
			p, err := fit(s.population, nil)
			f.population = &p
			return err
		})
	}
	for b := range s.Draws {
		jobs = append(jobs,
			func() (err error) { f.drawnF[b], err = fit(s.fragment, s.draws[b]); return },
			func() (err error) { f.drawnR[b], err = fit(s.release, s.draws[b]); return })
	}
	err := par.Do(ctx, len(jobs), func(i int) error { return jobs[i]() })
	return f, err
}

// coefficient finds an estimated coefficient by name.
func coefficient(f estimate.Fit, name string) (estimate.Coefficient, bool) {
	i := slices.IndexFunc(f.Coef, func(c estimate.Coefficient) bool { return c.Name == name })
	if i < 0 || f.Coef[i].Dropped || math.IsNaN(f.Coef[i].Estimate) || !(f.Coef[i].StdErr > 0) {
		return estimate.Coefficient{}, false
	}
	return f.Coef[i], true
}

// meanOver averages a comparison of two fits over the coefficients that both
// estimated.
func meanOver(a, b estimate.Fit, compare func(a, b estimate.Coefficient) float64) (mean float64, n int) {
	total := 0.0
	for _, c := range a.Coef {
		ca, ok := coefficient(a, c.Name)
		cb, both := coefficient(b, c.Name)
		if ok && both {
			total += compare(ca, cb)
			n++
		}
	}
	return total / float64(n), n
}

func overlap(a, b estimate.Coefficient) float64 {
	return estimate.Overlap(a.Interval(0), b.Interval(0))
}

// biasSE is the shift of an estimate in standard errors of the original.
func biasSE(a, b estimate.Coefficient) float64 { return abs(b.Estimate-a.Estimate) / a.StdErr }

// judged makes the overlap and bias metrics of one model.
func (s *setting) judged(family string, f *fits, what string) []metric.Metric {
	const floor = " Noise floor: the fragment against resamples of its own employers."
	make1 := func(name string, better metric.Direction, unit, method string, a, b estimate.Fit, compare func(a, b estimate.Coefficient) float64, drawnB []estimate.Fit) metric.Metric {
		value, n := meanOver(a, b, compare)
		base, _ := spread(s.Draws, func(d int) float64 { v, _ := meanOver(f.fragment, f.drawnF[d], compare); return v })
		_, sd := spread(s.Draws, func(d int) float64 {
			if drawnB == nil {
				v, _ := meanOver(a, f.drawnF[d], compare)
				return v
			}
			v, _ := meanOver(f.drawnF[d], drawnB[d], compare)
			return v
		})
		row := s.around(value, sd, base, a.Clusters)
		if n == 0 {
			row = metric.Missing("", "no coefficient was estimated on both: "+reasons(a, b))
		}
		row.N = int64(a.Clusters)
		return metric.Metric{Name: name, Better: better, Unit: unit, Method: method + floor, Row: row}
	}
	out := []metric.Metric{
		make1("fidelity."+family+"-overlap", metric.Higher, "share", what+": mean overlap of 95 % intervals, release against unscrambled fragment (Karr et al. 2006; negative when they are apart).", f.fragment, f.release, overlap, f.drawnR),
		make1("fidelity."+family+"-bias-se", metric.Lower, "standard errors", what+": mean shift of a coefficient in its standard errors, release against unscrambled fragment.", f.fragment, f.release, biasSE, f.drawnR),
	}
	for i := range out {
		if i == 1 {
			out[i].Row = within(out[i].Row, 0, math.Inf(1))
		} else {
			out[i].Row = within(out[i].Row, math.Inf(-1), 1)
		}
	}
	if f.population != nil {
		inFragmentSE := func(a, b estimate.Coefficient) float64 { return abs(b.Estimate-a.Estimate) / b.StdErr }
		m := make1("fidelity.fragment."+nameTail(family)+"-bias-se", metric.Lower, "standard errors", what+": mean distance between the unscrambled fragment and the whole selection, in standard errors of the fragment: the error of drawing a fragment at all.", *f.population, f.fragment, inFragmentSE, nil)
		m.Row = within(m.Row, 0, math.Inf(1))
		m.M = int64(s.population.units)
		out = append(out, m)
	}
	return out
}

func reasons(fits ...estimate.Fit) string {
	var all []string
	for _, f := range fits {
		for _, c := range f.Coef {
			if c.Dropped && c.Reason != "" && !slices.Contains(all, c.Reason) {
				all = append(all, c.Reason)
			}
		}
	}
	if len(all) == 0 {
		return "too few employers"
	}
	return strings.Join(all, "; ")
}

func nameTail(family string) string { return family[strings.LastIndexByte(family, '.')+1:] }

// wageRegression: log of the cell's wage class midpoint on level, with field x
// year absorbed, weighted by staff x design weight, clustered by employer.
func wageRegression(ctx context.Context, s *setting) (Result, error) {
	const family, what = "regression.wage", "Regression of log cell wage on level with field x year absorbed, weighted, clustered by employer"
	if s.fragment.cells.wage.Dict == nil {
		return Result{Metrics: []metric.Metric{{Name: "fidelity." + family + "-overlap", Better: metric.Higher, Unit: "share", Method: what + ".",
			Row: metric.Missing("", "the release has no wages")}}}, nil
	}
	reference := s.largestLevel()
	m := model{"wage", func(ctx context.Context, v *view, drawn []float64) (estimate.Fit, error) {
		return s.fitWages(ctx, v, drawn, reference)
	}}
	f, err := s.fitAll(ctx, m)
	if err != nil {
		return Result{}, err
	}
	return Result{Metrics: s.judged(family, f, what), Tables: []metric.Table{
		coefficients("wage-regression", "Wage regression: log wage by education level", "Reference level: "+s.levels.Label(reference)+". "+what+".", f),
	}}, nil
}

func (s *setting) fitWages(ctx context.Context, v *view, drawn []float64, reference int32) (estimate.Fit, error) {
	c := &v.cells
	design := v.weightOfCell()
	var rows []int32
	for i := range c.unit {
		if !c.wage.Missing(i) && c.level[i] >= 0 && (drawn == nil || drawn[c.unit[i]] > 0) {
			rows = append(rows, int32(i))
		}
	}
	spec := estimate.Spec{Level: s.Level, Y: make([]float64, len(rows)), Weights: make([]float64, len(rows)), Cluster: make([]int32, len(rows))}
	absorb := make([]int32, len(rows))
	fields, firstYear := int32(s.fields()+1), slices.Min(append([]int32{math.MaxInt32}, c.year...))
	column := make([]int, s.levels.Len())
	for l := range column {
		column[l] = -1
		if int32(l) != reference {
			column[l] = len(spec.X)
			spec.X = append(spec.X, make([]float64, len(rows)))
			spec.Names = append(spec.Names, s.levels.Label(int32(l)))
		}
	}
	for k, i := range rows {
		spec.Y[k] = math.Log(c.wage.Value(int(i)))
		spec.Weights[k] = c.workers[i] * design[i]
		spec.Cluster[k] = c.unit[i]
		if drawn != nil {
			spec.Weights[k] *= drawn[c.unit[i]]
		}
		absorb[k] = (c.year[i]-firstYear)*fields + c.field[i] + 1
		if x := column[c.level[i]]; x >= 0 {
			spec.X[x][k] = 1
		}
	}
	spec.Absorb = [][]int32{absorb}
	return estimate.OLS(ctx, spec)
}

func (s *setting) largestLevel() int32 {
	staff := make([]float64, s.levels.Len())
	for i, l := range s.fragment.cells.level {
		if l >= 0 {
			staff[l] += s.fragment.cells.workers[i]
		}
	}
	best := 0
	for l := range staff {
		if staff[l] > staff[best] {
			best = l
		}
	}
	return int32(best)
}

// coefficients lists what each version says, with the verdict.
func coefficients(name, title, note string, f *fits) metric.Table {
	t := metric.Table{Name: name, Title: title, Note: note,
		Columns: []string{"term", "whole selection", "fragment", "release", "overlap", "verdict"}}
	for _, c := range f.fragment.Coef {
		row := coefficientRow(c.Name, f)
		t.Rows = append(t.Rows, row)
	}
	return t
}

func coefficientRow(name string, f *fits) []string {
	show := func(fit *estimate.Fit) string {
		if fit == nil {
			return "-"
		}
		if c, ok := coefficient(*fit, name); ok {
			return fmt.Sprintf("%+.3f (%.3f)", c.Estimate, c.StdErr)
		}
		return "not estimated"
	}
	row := []string{name, show(f.population), show(&f.fragment), show(&f.release), "-", "not estimated"}
	o, ok := coefficient(f.fragment, name)
	r, both := coefficient(f.release, name)
	if ok && both {
		row[4], row[5] = fmt.Sprintf("%.2f", overlap(o, r)), string(estimate.Compare(o, r))
	}
	return row
}

// panelEffects: two-way fixed effects difference-in-differences of automating
// employers against controls, one outcome at a time.
func panelEffects(ctx context.Context, s *setting) (Result, error) {
	const what = "Difference-in-differences of automating employers against the control group, employer and year effects, clustered by employer"
	if why := s.noPanel(); why != "" {
		var out []metric.Metric
		for _, n := range []string{"fidelity.did.overlap", "fidelity.did.bias-se"} {
			better := metric.Higher
			if strings.HasSuffix(n, "se") {
				better = metric.Lower
			}
			out = append(out, metric.Metric{Name: n, Better: better, Method: what + ".", Row: metric.Missing("", why)})
		}
		return Result{Metrics: out}, nil
	}
	var r Result
	var all []*fits
	total := 0.0
	for i := range s.fragment.cells.workers {
		total += s.fragment.cells.workers[i]
	}
	tab := metric.Table{Name: "did", Title: "Difference-in-differences: effect of an automation event", Columns: []string{"outcome", "whole selection", "fragment", "release", "overlap", "verdict"},
		Note: what + ". Head counts as a share of the employer's mean head count; wage in log points. " + s.bandNote()}
	for _, o := range s.outcomes() {
		f, err := s.fitAll(ctx, model{o.name, func(ctx context.Context, v *view, drawn []float64) (estimate.Fit, error) {
			return s.fitDiD(ctx, v, drawn, o)
		}})
		if err != nil {
			return Result{}, err
		}
		all = append(all, f)
		row := coefficientRow(postTerm, f)
		row[0] = o.name
		tab.Rows = append(tab.Rows, row)
		if c, ok := coefficient(f.fragment, postTerm); ok {
			e := Effect{Outcome: o.name, Fragment: c, Share: 1}
			e.Release, _ = coefficient(f.release, postTerm)
			if f.population != nil {
				if p, ok := coefficient(*f.population, postTerm); ok {
					e.Population = &p
				}
			}
			if o.band != nil {
				staff := s.fragment.staffIn(*o.band, s.levels)
				e.Share = sum(staff) / total
				if expected, ok := s.expected(staff); ok {
					fit, err := s.did(ctx, s.fragment, nil, o, expected)
					if err != nil {
						return Result{}, err
					}
					if p, ok := coefficient(fit, postTerm); ok {
						e.Predicted = &p
					}
				}
			}
			r.Effects = append(r.Effects, e)
		}
	}
	r.Tables = append(r.Tables, tab)
	r.Metrics = s.judged("did.effect", merged(all, s.outcomes()), what)
	for i := range r.Metrics {
		r.Metrics[i].Name = strings.Replace(r.Metrics[i].Name, "did.effect-", "did.", 1)
		r.Metrics[i].Name = strings.Replace(r.Metrics[i].Name, "fragment.effect-", "fragment.did-", 1)
	}
	for i, o := range s.outcomes() {
		for k, compare := range []func(a, b estimate.Coefficient) float64{overlap, biasSE} {
			a, ok := coefficient(all[i].fragment, postTerm)
			b, both := coefficient(all[i].release, postTerm)
			row := metric.Missing("outcome "+o.name, "not estimated on both: "+reasons(all[i].fragment, all[i].release))
			if ok && both {
				_, sd := spread(s.Draws, func(d int) float64 { v, _ := meanOver(all[i].drawnF[d], all[i].drawnR[d], compare); return v })
				base, _ := spread(s.Draws, func(d int) float64 {
					v, _ := meanOver(all[i].fragment, all[i].drawnF[d], compare)
					return v
				})
				row = s.around(compare(a, b), sd, base, all[i].fragment.Clusters)
				row.Group = "outcome " + o.name
				if k == 1 {
					row = within(row, 0, math.Inf(1))
				}
			}
			r.Metrics[k].By = append(r.Metrics[k].By, row)
		}
	}
	return r, nil
}

// merged puts the coefficients of several outcomes into one fit, so that they
// are judged together.
func merged(all []*fits, outcomes []outcome) *fits {
	join := func(pick func(*fits) *estimate.Fit) *estimate.Fit {
		var out *estimate.Fit
		for i, f := range all {
			p := pick(f)
			if p == nil {
				return nil
			}
			if out == nil {
				out = &estimate.Fit{N: p.N, Clusters: p.Clusters, DF: p.DF}
			}
			for _, c := range p.Coef {
				c.Name = outcomes[i].name
				out.Coef = append(out.Coef, c)
			}
		}
		return out
	}
	m := &fits{
		fragment:   *join(func(f *fits) *estimate.Fit { return &f.fragment }),
		release:    *join(func(f *fits) *estimate.Fit { return &f.release }),
		population: join(func(f *fits) *estimate.Fit { return f.population }),
	}
	for b := range all[0].drawnF {
		m.drawnF = append(m.drawnF, *join(func(f *fits) *estimate.Fit { return &f.drawnF[b] }))
		m.drawnR = append(m.drawnR, *join(func(f *fits) *estimate.Fit { return &f.drawnR[b] }))
	}
	return m
}

func (s *setting) noPanel() string {
	switch {
	case !s.Periods:
		return "the data have no periods, so there is no employer panel"
	case s.NoPanel != "":
		return s.NoPanel
	case !s.Release.Employers.Has(linked.EventYear) || !s.Release.Employers.Has(linked.Group):
		return "the release does not carry group and event year, so nobody can estimate the effect of an event"
	case !slices.ContainsFunc(s.fragment.firms.event, func(y int32) bool { return y != frame.NoInt }):
		return "no employer of the fragment has an automation event"
	}
	return ""
}

// outcome is what the difference-in-differences explains.
type outcome struct {
	name string
	band *Band // head count in a band
	wage bool  // log mean wage
}

func (s *setting) outcomes() []outcome {
	out := []outcome{{name: "head-count"}}
	for i := range s.Bands {
		out = append(out, outcome{name: "head-count-" + s.Bands[i].Name, band: &s.Bands[i]})
	}
	if s.fragment.cells.wage.Dict != nil {
		out = append(out, outcome{name: "mean-wage", wage: true})
	}
	return out
}

func (s *setting) bandNote() string {
	var parts []string
	for _, b := range s.Bands {
		labels := make([]string, len(b.Codes))
		for i, c := range b.Codes {
			labels[i] = s.levels.Label(c)
		}
		parts = append(parts, b.Name+" = "+strings.Join(labels, ", "))
	}
	return "Levels: " + strings.Join(parts, "; ") + "."
}

const postTerm = "post x automating"

// fitDiD keeps employers with an event of their own and employers of the
// control group; suppliers of the intervention group are neither.
func (s *setting) fitDiD(ctx context.Context, v *view, drawn []float64, o outcome) (estimate.Fit, error) {
	staff := v.firms.head
	if o.band != nil {
		staff = v.staffIn(*o.band, s.levels)
	}
	return s.did(ctx, v, drawn, o, staff)
}

func (s *setting) did(ctx context.Context, v *view, drawn []float64, o outcome, staff []float64) (estimate.Fit, error) {
	f := &v.firms
	base, years := make([]float64, v.units), make([]float64, v.units)
	for i := range f.unit {
		base[f.unit[i]] += f.head[i]
		years[f.unit[i]]++
	}
	control, _ := linked.GroupDict.Code("control")
	if g, ok := s.Fragment.Employers.Lookup(linked.Group); ok {
		if c, ok := g.Dict.Code("control"); ok {
			control = c
		}
	}
	spec := estimate.Spec{Level: s.Level, Names: []string{postTerm}, X: [][]float64{nil}, Absorb: make([][]int32, 2)}
	for i := range f.unit {
		u := f.unit[i]
		treated := f.event[i] != frame.NoInt
		if (!treated && f.group[i] != control) || (drawn != nil && drawn[u] == 0) {
			continue
		}
		y := staff[i] / (base[u] / years[u])
		if o.wage {
			if f.wageSum[i] <= 0 {
				continue
			}
			y = math.Log(f.wageSum[i] / f.head[i])
		}
		w := f.weight[i]
		if drawn != nil {
			w *= drawn[u]
		}
		spec.Y, spec.Weights = append(spec.Y, y), append(spec.Weights, w)
		spec.X[0] = append(spec.X[0], indicator(treated && f.year[i] >= f.event[i]))
		spec.Cluster = append(spec.Cluster, u)
		spec.Absorb[0], spec.Absorb[1] = append(spec.Absorb[0], u), append(spec.Absorb[1], f.year[i])
	}
	return estimate.OLS(ctx, spec)
}

// expected is the staff of a band, firm row by firm row, that the swap law
// expects in the release.
func (s *setting) expected(staff []float64) ([]float64, bool) {
	if s.Swap == nil {
		return nil, false
	}
	f := &s.fragment.firms
	columns := map[string][]int32{linked.Year: f.year, linked.Group: f.group, linked.EventYear: f.event}
	type stratum [3]int32
	key := make([]stratum, len(f.unit))
	for k, name := range s.Swap.Strata {
		values, ok := columns[name]
		if !ok || k >= len(stratum{}) {
			return nil, false
		}
		for i := range key {
			key[i][k] = values[i]
		}
	}
	band, all := map[stratum]float64{}, map[stratum]float64{}
	for i, k := range key {
		band[k] += f.weight[i] * staff[i]
		all[k] += f.weight[i] * f.head[i]
	}
	out := make([]float64, len(staff))
	for i, k := range key {
		out[i] = (1-s.Swap.Rate)*staff[i] + s.Swap.Rate*band[k]/all[k]*f.head[i]
	}
	return out, true
}
