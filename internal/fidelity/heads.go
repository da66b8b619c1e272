package fidelity

import (
	"context"
	"errors"
	"math"

	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
)

var headNames = modelNames{
	overlap: "fidelity.heads.overlap", bias: "fidelity.heads.bias-se", fragment: "fidelity.fragment.heads-bias-se", prefix: "fidelity.heads.", closed: true,
	what: "Poisson regression of an employer's head count in a group of levels on the log of its whole head count and on having an automation event, year absorbed, weighted by the design, clustered by employer",
}

// Terms of the head-count regression.
const (
	sizeTerm = "log head count"
	ownTerm  = "automating"
)

// headModel is a head-count regression on one version: a row per employer-year
// with staff.
func headModel(v *view, y []float64, events bool, level float64) estimate.Count {
	f := &v.firms
	logs, own := make([]float64, len(f.head)), make([]float64, len(f.head))
	for i, n := range f.head {
		logs[i], own[i] = math.Log(n), indicator(f.event[i] != frame.NoInt)
	}
	c := estimate.Count{Spec: estimate.Spec{Y: y, X: [][]float64{logs}, Names: []string{sizeTerm}, Weights: f.weight,
		Absorb: [][]int32{f.year}, Cluster: f.unit, Level: level}}
	if events {
		c.X, c.Names = append(c.X, own), append(c.Names, ownTerm)
	}
	return c
}

// headCounts are regressions of head counts by group of levels: what employers
// of another size or with automation employ.
func headCounts(ctx context.Context, s *setting) (Result, error) {
	missing := ""
	switch {
	case s.levels.Len() == 0:
		missing = "the data have no education level"
	case len(s.Bands) < 2:
		missing = "all staff are in one group of levels"
	}
	if missing != "" {
		return Result{Metrics: s.judge(headNames, nil, "", missing)}, nil
	}
	events := true
	for _, v := range []*view{s.fragment, s.release} {
		some := false
		for _, y := range v.firms.event {
			some = some || y != frame.NoInt
		}
		events = events && some
	}
	names := []string{sizeTerm}
	if events {
		names = append(names, ownTerm)
	}
	type job struct {
		view *view
		y    []float64
	}
	var jobs []job // by band: fragment, release, expected, selection
	const each, whole = 4, 3
	for _, b := range s.Bands {
		of := func(v *view) job {
			if v == nil {
				return job{}
			}
			return job{v, v.staffIn(b, s.levels)}
		}
		f := of(s.fragment)
		e := job{}
		if expected, ok := s.expected(b, f.y); ok {
			e = job{s.fragment, expected}
		}
		jobs = append(jobs, f, of(s.release), e, of(s.population))
	}
	fits, err := par.Map(ctx, len(jobs), func(i int) (estimate.CountFit, error) {
		if jobs[i].view == nil {
			return estimate.CountFit{}, nil
		}
		var f estimate.CountFit
		var err error
		if run := func() ([]estimate.Coefficient, int, error) {
			f, err = estimate.PPML(ctx, headModel(jobs[i].view, jobs[i].y, events, s.Level))
			return f.Coef, f.Clusters, err
		}; i%each == whole {
			f.Coef, f.Clusters, err = recallCoefficients(s.Statistics, "heads", struct {
				Levels []int32
				Events bool
				Level  float64
			}{s.Bands[i/each].Codes, events, s.Level}, run)
		} else {
			_, _, err = run()
		}
		if errors.Is(err, estimate.ErrNoRows) {
			for _, n := range names {
				f.Coef = append(f.Coef, unestimated(n, "nobody is employed at these levels"))
			}
			err = nil
		}
		return f, err
	})
	if err != nil {
		return Result{}, err
	}
	var terms []*term
	for k, b := range s.Bands {
		of := fits[each*k : each*k+each]
		for _, n := range names {
			at := func(f estimate.CountFit) estimate.Coefficient {
				if c, ok := f.Get(n); ok {
					return c
				}
				return unestimated(n, "the regressor does not vary")
			}
			t := &term{name: b.Name + ": " + n, fragment: at(of[0]), release: at(of[1]), clusters: of[0].Clusters}
			if c := at(of[2]); jobs[each*k+2].view != nil && estimated(c) {
				t.predicted = &c
			}
			if jobs[each*k+3].view != nil {
				c := at(of[3])
				t.population = &c
			}
			terms = append(terms, t)
		}
	}
	t := metric.Table{Name: "heads", Title: "Head counts by education: who employs whom", Note: headNames.what + "." + s.bandNote()}
	return Result{Metrics: s.judge(headNames, terms, "", ""), Tables: []metric.Table{coefficients(t, "term", terms)},
		words: append(verdictWords("Head-count regressions by level", terms), flipWords(terms)...)}, nil
}
