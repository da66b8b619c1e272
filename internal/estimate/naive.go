package estimate

import (
	"context"
	"math"
)

// NaiveDiD is the static two-way fixed effects regression on a staggered panel:
// unit and period effects and one indicator of being under treatment; its
// coefficient is "did". It compares newly treated units with units treated
// earlier: where effects grow with exposure the weights of some effects are
// negative, and the coefficient can miss every single effect
// (de Chaisemartin and D'Haultfœuille 2020; Goodman-Bacon 2021). It is here to
// be seen to fail; covariates are not used.
func (p Staggered) NaiveDiD(ctx context.Context, level float64) (Fit, error) {
	if err := p.validate(); err != nil {
		return Fit{}, err
	}
	panel, _ := p.panel(level)
	return DiD(ctx, panel)
}

// NaiveEventStudy is the dynamic two-way fixed effects regression on a staggered
// panel, see [EventStudy]: event times before first and after last count with
// the outermost. Where effects differ between cohorts, coefficients mix effects
// of other event times (Sun and Abraham 2021).
func (p Staggered) NaiveEventStudy(ctx context.Context, first, last int32, level float64) (Fit, error) {
	if err := p.validate(); err != nil {
		return Fit{}, err
	}
	panel, event := p.panel(level)
	return EventStudy(ctx, panel, event, first, last)
}

// panel is the same panel for two-way fixed effects.
func (p Staggered) panel(level float64) (Panel, []int32) {
	out := Panel{Y: p.Y, Unit: p.Unit, Time: p.Time, Weights: p.Weights, Level: level, Treated: make([]bool, len(p.Y)), Post: make([]bool, len(p.Y))}
	event := make([]int32, len(p.Y))
	low := int32(math.MaxInt32)
	for _, t := range p.Time {
		low = min(low, t)
	}
	if low < 0 { // DiD reads periods below 0 as missing
		out.Time = make([]int32, len(p.Time))
		for i, t := range p.Time {
			out.Time[i] = t - low
		}
	}
	for i, g := range p.Cohort {
		if event[i] = NeverTreated; g != NeverTreated {
			out.Treated[i], out.Post[i], event[i] = true, p.Time[i] >= g, p.Time[i]-g
		}
	}
	return out, event
}
