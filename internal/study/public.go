package study

import (
	"slices"

	"scramblelab/internal/attack"
	"scramblelab/internal/fidelity"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
)

// public is what a plan says of its own method, and an intruder therefore
// knows: everything but the key.
type public struct {
	method  attack.Method
	counts  []int             // lower bounds of head-count classes, nil for exact counts
	perYear bool              // a fresh serial every year
	law     *fidelity.SwapLaw // of a swap of levels across employers, nil without one
}

// describe reads the method from the plan's steps. Two swaps in a row touch one
// minus the share that neither touched.
func describe(p plan.Plan) public {
	d := public{method: attack.Method{WorkerShare: 1, CountOn: p.Release.CountOn}}
	both := func(a, b float64) float64 { return 1 - (1-a)*(1-b) }
	for _, s := range p.Scramble.Steps {
		switch s.Method {
		case "random-swap":
			across := s.Scope != "within-employer"
			d.method.Bundle = append(d.method.Bundle, s.Bundle...)
			if !across {
				continue
			}
			d.method.AcrossEmployers, d.method.Strata = true, s.Same
			d.method.SwapRate = both(d.method.SwapRate, s.Rate)
			if slices.Contains(s.Bundle, linked.Level) {
				before := 0.0
				if d.law != nil {
					before = d.law.Rate
				}
				d.law = &fidelity.SwapLaw{Rate: both(before, s.Rate), Strata: s.Same}
			}
		case "sample-workers":
			d.method.WorkerShare *= s.Rate
		case "coarsen-counts":
			d.counts, d.method.CountClasses = s.Classes, true
		case "merge-small-employers":
			d.method.MergedMinimum = max(d.method.MergedMinimum, s.Minimum)
		case "fresh-serials":
			d.perYear = true
		}
	}
	return d
}
