package fidelity

import (
	"context"
	"errors"
	"fmt"

	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
)

var (
	eventNames = modelNames{
		overlap: "fidelity.event-study.overlap", bias: "fidelity.event-study.bias-se", fragment: "fidelity.fragment.event-study-bias-se", prefix: "fidelity.event-study.", closed: true,
		what: "Event study of automation, robust to staggered timing (Callaway and Sant'Anna 2021), compared with employers not yet or never automating, clustered by employer",
	}
	twoWayNames = modelNames{
		overlap: "fidelity.event-study-twoway.overlap", bias: "fidelity.event-study-twoway.bias-se", fragment: "fidelity.fragment.event-study-twoway-bias-se", prefix: "fidelity.event-study-twoway.", closed: true,
		what: "Event study of automation with employer and year effects, clustered by employer: biased where effects differ between cohorts, and much in use",
	}
)

const firstEvent, lastEvent = -3, 4

// staggered is the panel of an outcome as an event study wants it.
func (p panel) staggered(y []float64) estimate.Staggered {
	f := &p.view.firms
	out := estimate.Staggered{Y: y, Unit: p.unit, Time: p.year, Weights: p.weight, Cohort: make([]int32, len(p.rows))}
	for k, i := range p.rows {
		out.Cohort[k] = estimate.NeverTreated
		if f.event[i] != frame.NoInt {
			out.Cohort[k] = f.event[i]
		}
	}
	return out
}

// eventTerms are the coefficients of one event study.
type eventTerms func(ctx context.Context, p estimate.Staggered, level float64) ([]estimate.Coefficient, int, error)

func robustEvents(ctx context.Context, p estimate.Staggered, level float64) ([]estimate.Coefficient, int, error) {
	f, err := estimate.EventStudyStaggered(ctx, p, estimate.StaggeredOptions{First: firstEvent, Last: lastEvent, PoolFirst: true, PoolLast: true, Level: level})
	if err != nil {
		return nil, 0, err
	}
	var out []estimate.Coefficient
	for _, c := range f.Coef {
		out = append(out, c.Coefficient)
	}
	return append(out, f.Average), f.Units, nil
}

func twoWayEvents(ctx context.Context, p estimate.Staggered, level float64) ([]estimate.Coefficient, int, error) {
	f, err := p.NaiveEventStudy(ctx, firstEvent, lastEvent, level)
	return f.Coef, f.Clusters, err
}

// eventStudies follow automating employers over the years around their event, by
// both estimators.
func eventStudies(ctx context.Context, s *setting) (Result, error) {
	var out Result
	for _, e := range []struct {
		names modelNames
		table string
		title string
		fit   eventTerms
	}{
		{eventNames, "event-study", "Event study, robust to staggered timing", robustEvents},
		{twoWayNames, "event-study-twoway", "Event study, employer and year effects", twoWayEvents},
	} {
		missing := s.noPanel()
		var terms []*term
		if missing == "" {
			var err error
			if terms, missing, err = s.eventTerms(ctx, e.table, e.fit); err != nil {
				return out, err
			}
		}
		if missing != "" {
			out.Metrics = append(out.Metrics, s.judge(e.names, nil, "", missing)...)
			continue
		}
		out.Metrics = append(out.Metrics, s.judge(e.names, terms, "", "")...)
		t := metric.Table{Name: e.table, Title: e.title, Note: e.names.what + ". Years since the event; the outermost stand for all beyond. Outcomes as in the difference-in-differences." + s.bandNote()}
		out.Tables = append(out.Tables, coefficients(t, "outcome and year", terms))
		out.words = append(append(out.words, verdictWords(e.title, terms)...), flipWords(terms)...)
	}
	return out, nil
}

// eventTerms fits an event study of every outcome on all versions, and on what
// the swap law expects; missing says why none could be fitted.
func (s *setting) eventTerms(ctx context.Context, name string, fit eventTerms) (terms []*term, missing string, err error) {
	type job struct {
		panel panel
		y     []float64
	}
	var jobs []job
	const each, whole = 4, 3
	outcomes := s.outcomes()
	views := [each]*view{s.fragment, s.release, s.fragment, s.population}
	var panels [each]panel
	for v, w := range views {
		if w != nil {
			panels[v] = s.newPanel(w)
		}
	}
	for _, o := range outcomes {
		for v, w := range views {
			j := job{}
			switch {
			case w == nil:
			case v != 2:
				j = job{panels[v], s.outcome(panels[v], o)}
			case o.band != nil:
				if expected, ok := s.expected(*o.band, w.staffIn(*o.band, s.levels)); ok {
					j = job{panels[v], panels[v].share(expected)}
				}
			}
			jobs = append(jobs, j)
		}
	}
	type fitted struct {
		coef   []estimate.Coefficient
		units  int
		reason string
	}
	fits, err := par.Map(ctx, len(jobs), func(i int) (fitted, error) {
		if jobs[i].y == nil {
			return fitted{}, nil
		}
		run := func() ([]estimate.Coefficient, int, error) {
			return fit(ctx, jobs[i].panel.staggered(jobs[i].y), s.Level)
		}
		if i%each == whole {
			again := run
			run = func() ([]estimate.Coefficient, int, error) {
				return recallCoefficients(s.Statistics, name, s.outcomeSettings(outcomes[i/each]), again)
			}
		}
		c, n, err := run()
		if err != nil && ctx.Err() == nil { // a design without a single comparison is a finding
			return fitted{reason: err.Error()}, nil
		}
		return fitted{coef: c, units: n}, err
	})
	if err != nil {
		return nil, "", err
	}
	for k, o := range outcomes {
		of := fits[each*k : each*k+each]
		if of[0].reason != "" {
			missing = of[0].reason
			continue
		}
		for _, c := range of[0].coef {
			at := func(f fitted) estimate.Coefficient {
				for _, x := range f.coef {
					if x.Name == c.Name {
						return x
					}
				}
				if f.reason == "" {
					f.reason = "this event time has no coefficient"
				}
				return unestimated(c.Name, f.reason)
			}
			t := &term{name: fmt.Sprintf("%s %s", o.name, c.Name), fragment: c, release: at(of[1]), clusters: of[0].units}
			if x := at(of[2]); estimated(x) {
				t.predicted = &x
			}
			if s.population != nil {
				x := at(of[3])
				t.population = &x
			}
			terms = append(terms, t)
		}
	}
	if len(terms) > 0 {
		missing = ""
	} else if missing == "" {
		missing = errors.New("no outcome has a coefficient").Error()
	}
	return terms, missing, nil
}
