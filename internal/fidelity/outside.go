package fidelity

import (
	"context"
	"math"

	"scramblelab/internal/estimate"
	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
)

// Outside is what the researchers' own program found on the unscrambled fragment
// and on the release: coefficients by name, with standard errors. See
// [Outsider].
type Outside struct {
	Fragment, Release []estimate.Coefficient
	// Missing says why there is nothing to compare, "" where there is.
	Missing string
	Note    string // how it ran
}

// Outsider makes a coefficient of an estimate and its standard error, as
// researchers do who read nothing but these: a normal test and interval. NaN
// stands for what the program did not give.
func Outsider(name string, value, stderr, level float64) estimate.Coefficient {
	if math.IsNaN(value) {
		return unestimated(name, "the program gives no estimate of it")
	}
	c := unestimated(name, "")
	c.Estimate, c.Dropped = value, false
	if !(stderr > 0) {
		c.Reason = "the program gives no standard error of it"
		return c
	}
	half := infer.Quantile(level) * stderr
	c.StdErr, c.T, c.Low, c.High = stderr, value/stderr, value-half, value+half
	c.P = infer.TTail(math.Inf(1), c.T)
	return c
}

var outsideNames = modelNames{
	overlap: "fidelity.program.overlap", bias: "fidelity.program.bias-se", prefix: "fidelity.program.", closed: true,
	what: "The researchers' own program",
}

// outsideProgram compares what the researchers' own program found. Where none
// was named there is no such measure.
func outsideProgram(_ context.Context, s *setting) (Result, error) {
	p := s.Program
	if p == nil {
		return Result{}, nil
	}
	kept := metric.Metric{Name: "fidelity.program.terms-kept", Better: metric.Higher, Unit: "share",
		Method: "Share of the coefficients that the researchers' own program estimates on the unscrambled fragment and also on the release, with a standard error on both."}
	names := outsideNames
	without := *s // the program ran on fragment and release alone
	without.population = nil
	if p.Missing != "" {
		kept.Row = metric.Missing("", p.Missing)
		return Result{Metrics: append([]metric.Metric{kept}, without.judge(names, nil, "", p.Missing)...), words: []word{{"The researchers' own program", p.Missing + "."}}}, nil
	}
	var terms []*term
	both, all := 0, 0
	for _, f := range p.Fragment {
		t := &term{name: f.Name, fragment: f, release: unestimated(f.Name, "the program did not write this term on the release"), clusters: s.units}
		for _, r := range p.Release {
			if r.Name == f.Name {
				t.release = r
			}
		}
		if estimated(f) {
			all++
			both += int(indicator(estimated(t.release)))
		}
		terms = append(terms, t)
	}
	for _, r := range p.Release {
		known := false
		for _, f := range p.Fragment {
			known = known || f.Name == r.Name
		}
		if !known {
			terms = append(terms, &term{name: r.Name, fragment: unestimated(r.Name, "the program wrote this term on the release alone"), release: r, clusters: s.units})
		}
	}
	kept.Row = exactly(float64(both)/float64(max(1, all)), all, 1)
	if all == 0 {
		kept.Row = metric.Missing("", "the program gives no estimate with a standard error on the unscrambled fragment")
	}
	ms := append([]metric.Metric{kept}, without.judge(names, terms, "", "")...)
	t := metric.Table{Name: "program", Title: "The researchers' own program, before and after", Note: p.Note}
	words := append(verdictWords("The researchers' own program", terms), s.equivalentWords("The researchers' own program: coefficients together", ms)...)
	return Result{Metrics: ms, Tables: []metric.Table{coefficients(t, "term", terms)}, words: words}, nil
}
