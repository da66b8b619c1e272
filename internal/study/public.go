package study

import (
	"slices"

	"scramblelab/internal/attack"
	"scramblelab/internal/fidelity"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
)

// public is what a plan says of its own method, and an intruder therefore
// knows: everything but the key.
type public struct {
	method  attack.Method
	counts  []int              // lower bounds of head-count classes, nil for exact counts
	cells   publish.Protection // of head counts, without its key
	perYear bool               // a fresh serial every year
	law     *fidelity.SwapLaw  // of a swap of levels across employers, nil without one
}

// describe reads the method from the plan's steps.
func describe(p plan.Plan) public {
	d := public{method: attack.Method{WorkerShare: 1, CountOn: p.Release.CountOn}}
	for _, s := range p.Scramble.Steps {
		if s.Method == plan.RankSwap {
			continue // values of about the same rank: to an intruder what is released is about true
		}
		if s.Permutes() {
			d.method.Swaps = append(d.method.Swaps, attack.Swap{
				Rate: s.Rate, Bundle: s.Bundle, Apart: !s.Together(), Within: s.Scope == "within-employer", Strata: s.Same,
				Lasting: s.Unit == "person" || s.Unit == "spell",
			})
			continue
		}
		switch s.Method {
		case "sample-workers":
			d.method.WorkerShare *= s.Rate
		case "coarsen-counts":
			d.counts, d.method.CountClasses = s.Classes, true
		case "merge-small-employers":
			d.method.MergedMinimum = max(d.method.MergedMinimum, s.Minimum)
		case "fresh-serials":
			d.perYear = true
		case plan.JitterCounts:
			d.cells = publish.Protection{Variance: s.Variance, Reach: s.Reach}
		case plan.RoundCounts:
			d.cells = publish.Protection{Base: s.Base, Nearest: s.Rounding == "nearest"}
		case plan.SuppressCells:
			d.cells, d.method.CountFloor = publish.Protection{Suppress: s.Minimum}, s.Minimum
		case plan.PRAM:
			// Without the data the shares are unknown: staying is then by the
			// diagonal alone. The run itself says the true share.
			d.method.Swaps = append(d.method.Swaps, attack.Swap{Rate: s.Alpha * (1 - s.Stay*s.Stay), Bundle: []string{s.Column}, Strata: s.By, Redrawn: true})
		case plan.Noise:
			if s.Kind == "additive" {
				d.method.Values = append(d.method.Values, attack.Value{Attribute: s.Column, RMS: s.SD})
			}
		}
	}
	d.method.CountNoise, d.method.CountReach = d.cells.Noise()
	d.law = swapLaw(d.method.Swaps)
	return d
}

// swapLaw is the law of the swaps that carry levels from employer to employer.
// Two swaps in a row touch one minus the share that neither touched; where they
// differ in strata there is no one law.
func swapLaw(swaps []attack.Swap) *fidelity.SwapLaw {
	var law *fidelity.SwapLaw
	for _, w := range swaps {
		if w.Redrawn && slices.Contains(w.Bundle, linked.Level) {
			return nil // draws levels by another law
		}
		if w.Within || !slices.Contains(w.Bundle, linked.Level) {
			continue
		}
		if law == nil {
			law = &fidelity.SwapLaw{Rate: w.Rate, Strata: w.Strata, Bundle: w.Bundle}
			continue
		}
		if !slices.Equal(law.Bundle, w.Bundle) {
			law.Bundle = nil
		}
		if !slices.Equal(law.Strata, w.Strata) {
			return nil
		}
		law.Rate = 1 - (1-law.Rate)*(1-w.Rate)
	}
	return law
}
