package fidelity

import (
	"context"
	"errors"
	"math"
	"slices"

	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
)

var didNames = modelNames{
	overlap: "fidelity.did.overlap", bias: "fidelity.did.bias-se", fragment: "fidelity.fragment.did-bias-se", prefix: "fidelity.did.",
	what: "Difference-in-differences of automating employers against the control group, employer and year effects, clustered by employer",
}

const (
	postTerm = "post x automating"
	control  = "control" // label of the group without automating employers and their suppliers
)

// noPanel says why there is no panel of employers to estimate effects on, ""
// where there is one.
func (s *setting) noPanel() string {
	switch {
	case !s.Periods:
		return "the data have no periods, so there is no employer panel"
	case s.NoPanel != "":
		return s.NoPanel
	}
	for _, v := range []struct {
		name      string
		employers *frame.Frame
		*view
	}{{"fragment", s.Fragment.Employers, s.fragment}, {"release", s.Release.Employers, s.release}} {
		group, grouped := v.employers.Lookup(linked.Group)
		switch {
		case !grouped || !v.employers.Has(linked.EventYear):
			return "the " + v.name + " does not carry group and event year, so nobody can estimate the effect of an event"
		case !group.Coded() || !hasLabel(group.Dict, control):
			return "no group of employers is labelled " + control
		case !slices.ContainsFunc(v.firms.event, func(y int32) bool { return y != frame.NoInt }):
			return "no employer of the " + v.name + " has an automation event"
		}
	}
	return ""
}

func hasLabel(d *frame.Dict, label string) bool {
	_, ok := d.Code(label)
	return ok
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
	if s.noWages() == "" {
		out = append(out, outcome{name: "mean-wage", wage: true})
	}
	return out
}

// outcomeSettings say what is estimated on an outcome.
func (s *setting) outcomeSettings(o outcome) any {
	x := struct {
		Outcome string
		Levels  []int32
		Level   float64
	}{o.name, nil, s.Level}
	if o.band != nil {
		x.Levels = o.band.Codes
	}
	return x
}

// panel holds the firm rows of a version that enter: employers with an event of
// their own and employers of the control group; suppliers of the intervention
// group are neither.
type panel struct {
	view       *view
	rows       []int32
	unit, year []int32
	weight     []float64
	post       []float64 // 1 from the event on
	mean       []float64 // head count of the employer, mean over its years with staff
}

func (s *setting) newPanel(v *view) panel {
	f := &v.firms
	base, years := make([]float64, v.units), make([]float64, v.units)
	for i, u := range f.unit {
		base[u] += f.head[i]
		years[u]++
	}
	controls, _ := s.Fragment.Employers.Col(linked.Group).Dict.Code(control)
	p := panel{view: v}
	for i, u := range f.unit {
		treated := f.event[i] != frame.NoInt
		if !treated && f.group[i] != controls {
			continue
		}
		p.rows, p.unit, p.year = append(p.rows, int32(i)), append(p.unit, u), append(p.year, f.year[i])
		p.weight, p.mean = append(p.weight, f.weight[i]), append(p.mean, base[u]/years[u])
		p.post = append(p.post, indicator(treated && f.year[i] >= f.event[i]))
	}
	return p
}

// outcome returns the outcome of the panel's rows: staff as a share of the
// employer's mean head count, or the log of the mean wage, NaN where that is
// not positive.
func (s *setting) outcome(p panel, o outcome) []float64 {
	f := &p.view.firms
	if o.wage {
		y := make([]float64, len(p.rows))
		for k, i := range p.rows {
			y[k] = math.NaN()
			if f.wages[i] > 0 {
				y[k] = math.Log(f.wages[i] / f.paid[i])
			}
		}
		return y
	}
	staff := f.head
	if o.band != nil {
		staff = p.view.staffIn(*o.band, s.levels)
	}
	return p.share(staff)
}

func (p panel) share(staff []float64) []float64 {
	y := make([]float64, len(p.rows))
	for k, i := range p.rows {
		y[k] = staff[i] / p.mean[k]
	}
	return y
}

// fit estimates the effect on an outcome.
func (p panel) fit(ctx context.Context, y []float64, level float64) (estimate.Coefficient, int, error) {
	f, err := estimate.OLS(ctx, estimate.Spec{
		Y: y, X: [][]float64{p.post}, Names: []string{postTerm}, Weights: p.weight,
		Absorb: [][]int32{p.unit, p.year}, Cluster: p.unit, Level: level,
	})
	if errors.Is(err, estimate.ErrNoRows) {
		return unestimated(postTerm, "no employer is seen in two years in which others are"), 0, nil
	}
	if err != nil {
		return estimate.Coefficient{}, 0, err
	}
	return f.Coef[0], f.Clusters, nil
}

// slopes estimates the effects on several outcomes in a resample. By the
// theorem of Frisch and Waugh they are all Σ w·d·y / Σ w·d², where d is what
// the employer and year effects leave of post, so that outcomes known for the
// same rows share one projection.
func (p panel) slopes(ctx context.Context, drawn []float64, outcomes [][]float64) ([]float64, error) {
	weight := make([]float64, len(p.rows))
	for k, u := range p.unit {
		weight[k] = p.weight[k] * drawn[u]
	}
	shared, err := p.residual(ctx, weight)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(outcomes))
	for k, y := range outcomes {
		d, w := shared, weight
		if slices.ContainsFunc(y, math.IsNaN) {
			w = slices.Clone(weight)
			for i, v := range y {
				if math.IsNaN(v) {
					w[i] = 0
				}
			}
			if d, err = p.residual(ctx, w); err != nil {
				return nil, err
			}
		}
		out[k] = p.slope(w, d, y)
	}
	return out, nil
}

// residual is what employer and year effects leave of post; NaN in rows that
// say nothing.
func (p panel) residual(ctx context.Context, weight []float64) ([]float64, error) {
	f, err := estimate.OLS(ctx, estimate.Spec{Y: p.post, Weights: weight, Absorb: [][]int32{p.unit, p.year}, KeepResiduals: true})
	if errors.Is(err, estimate.ErrNoRows) {
		return nil, nil
	}
	return f.Residuals, err
}

func (p panel) slope(weight, residual, y []float64) float64 {
	top, bottom, all := 0.0, 0.0, 0.0
	for i, d := range residual {
		if w := weight[i]; w > 0 && !math.IsNaN(d) {
			top += float64(float64(w*d) * y[i])
			bottom += float64(float64(w*d) * d)
			all += float64(w * p.post[i])
		}
	}
	if !(bottom > 1e-9*all) {
		return math.NaN()
	}
	return top / bottom
}

// panelEffects: two-way fixed effects difference-in-differences of automating
// employers against controls, one outcome at a time.
func panelEffects(ctx context.Context, s *setting) (Result, error) {
	if why := s.noPanel(); why != "" {
		return Result{Metrics: s.judge(didNames, nil, "", why)}, nil
	}
	s = s.valuesOnly()
	outcomes := s.outcomes()
	terms, err := s.panelTerms(ctx, outcomes)
	if err != nil {
		return Result{}, err
	}
	effects, err := s.effects(ctx, outcomes, terms)
	if err != nil {
		return Result{}, err
	}
	t := metric.Table{
		Name: "did", Title: "Difference-in-differences: effect of an automation event",
		Note: didNames.what + ". Head counts as a share of the employer's mean head count; wage in log points." + s.bandNote(),
	}
	ms := s.judge(didNames, terms, "outcome", "")
	words := verdictWords("Difference-in-differences of automation", terms)
	if !s.large {
		words = append(words, s.equivalentWords(didWords, ms)...)
	}
	return Result{
		Metrics: ms,
		words:   append(words, flipWords(terms)...),
		Tables:  []metric.Table{coefficients(t, "outcome", terms)},
		Effects: effects,
	}, nil
}

// panelTerms estimates every outcome on all versions and resamples.
func (s *setting) panelTerms(ctx context.Context, outcomes []outcome) ([]*term, error) {
	terms := make([]*term, len(outcomes))
	for k, o := range outcomes {
		terms[k] = &term{name: o.name}
	}
	panels := map[*view]panel{}
	values := map[*view][][]float64{}
	for _, v := range []*view{s.fragment, s.release, s.population} {
		if v == nil {
			continue
		}
		p := s.newPanel(v)
		panels[v] = p
		for _, o := range outcomes {
			values[v] = append(values[v], s.outcome(p, o))
		}
	}
	err := par.Do(ctx, len(outcomes), func(k int) (err error) {
		t := terms[k]
		if t.fragment, t.clusters, err = panels[s.fragment].fit(ctx, values[s.fragment][k], s.Level); err != nil {
			return err
		}
		if t.release, _, err = panels[s.release].fit(ctx, values[s.release][k], s.Level); err != nil {
			return err
		}
		if s.population != nil {
			c, _, err := recallCoefficients(s.Statistics, "did", s.outcomeSettings(outcomes[k]), func() ([]estimate.Coefficient, int, error) {
				c, n, err := panels[s.population].fit(ctx, values[s.population][k], s.Level)
				return []estimate.Coefficient{c}, n, err
			})
			if err == nil {
				t.population = &c[0]
			}
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	drawn, err := par.Map(ctx, 2*s.Draws, func(i int) ([]float64, error) {
		v := []*view{s.fragment, s.release}[i%2]
		return panels[v].slopes(ctx, s.draws[i/2], values[v])
	})
	if err != nil {
		return nil, err
	}
	for k, t := range terms {
		for d := range s.Draws {
			t.drawnF, t.drawnR = append(t.drawnF, drawn[2*d][k]), append(t.drawnR, drawn[2*d+1][k])
		}
	}
	return terms, nil
}

// effects lists the terms that the fragment gives, with what the swap law
// predicts for them.
func (s *setting) effects(ctx context.Context, outcomes []outcome, terms []*term) ([]Effect, error) {
	total := sum(s.fragment.staff(nil))
	p := s.newPanel(s.fragment)
	var out []Effect
	for k, t := range terms {
		if !estimated(t.fragment) {
			continue
		}
		e := Effect{Outcome: t.name, Fragment: t.fragment, Release: t.release, Share: 1}
		if t.population != nil && estimated(*t.population) {
			e.Population = t.population
		}
		if band := outcomes[k].band; band != nil {
			staff := s.fragment.staffIn(*band, s.levels)
			e.Share = 0
			for i, n := range staff {
				e.Share += float64(n*s.fragment.firms.weight[i]) / total
			}
			if expected, ok := s.expected(*band, staff); ok {
				c, _, err := p.fit(ctx, p.share(expected), s.Level)
				if err != nil {
					return nil, err
				}
				if estimated(c) {
					e.Predicted, t.predicted = &c, &c
				}
			}
		}
		out = append(out, e)
	}
	return out, nil
}
