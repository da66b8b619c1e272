package tune

import (
	"cmp"
	"fmt"
	"slices"
)

// Result is what a search found, and what it recommends.
type Result struct {
	Axes   []Axis   `json:"axes"`
	Checks []string `json:"checks"`
	Losses []string `json:"losses"` // metrics whose mean is the loss
	Map    *Map     `json:"map"`
	// Tried are the points that were measured again, in the order of the search;
	// the last one is recommended if it held.
	Tried []Verified `json:"tried"`
	// Neighbours are the points next to the recommended one on the front, measured
	// again as it was.
	Neighbours []Verified `json:"neighbours"`
	// Recommended is the number of the point, -1 where none held.
	Recommended int `json:"recommended"`
	// Ablation is the recommended plan without one of its steps at a time.
	Ablation []Ablated `json:"ablation,omitempty"`
	// Seed fixed population, order of the plans and keys, and Shard says which part of
	// them was raced, as K/N; empty for all.
	Seed  uint64 `json:"seed"`
	Shard string `json:"shard,omitempty"`
	// Why says in sentences what binds, what the next plan would cost, or why
	// there is none.
	Why []string `json:"why"`
}

// Verified is a point that was measured again, on keys and, where it can be, on a
// population that the search has not seen.
type Verified struct {
	Search Summary `json:"search"`
	Fresh  Summary `json:"fresh"`
	Held   bool    `json:"held"`
}

// Ablated is a plan without one of its steps, measured on the same keys as With,
// the whole plan.
type Ablated struct {
	Step    int     `json:"step"` // from 1
	Name    string  `json:"name"` // the step as the plan writes it
	With    Summary `json:"with"`
	Without Summary `json:"without"`
}

// String says what the step buys and what it costs: in risk the mean success of
// the check that suffers most without it, in loss the mean.
func (a Ablated) String() string {
	lead := fmt.Sprintf("Step %d (%s)", a.Step, a.Name)
	if a.Without.Reason != "" {
		return fmt.Sprintf("%s cannot be left out: %s.", lead, a.Without.Reason)
	}
	most, at := 0.0, -1
	for i, c := range a.Without.Checks {
		if i < len(a.With.Checks) && c.Attack && (at < 0 || c.Value-a.With.Checks[i].Value > most) {
			most, at = c.Value-a.With.Checks[i].Value, i
		}
	}
	dLoss := a.With.Loss - a.Without.Loss
	price := fmt.Sprintf("costs %.3f of loss", dLoss)
	switch {
	case dLoss < -.0005:
		price = fmt.Sprintf("lowers the loss by %.3f", -dLoss)
	case dLoss < .0005:
		price = "costs no loss that is measured"
	}
	if at < 0 {
		return fmt.Sprintf("%s %s.", lead, price)
	}
	c := a.Without.Checks[at]
	buys := fmt.Sprintf("buys %.1f percentage points of %s, which stands at %.1f %% without it and at %.1f %% with it", 100*most, c.Name, 100*c.Value, 100*a.With.Checks[at].Value)
	if most < .0005 {
		buys = "lowers no attack that is gated by as much as 0.05 percentage points"
	}
	over := ""
	if a.With.Share <= 1 && a.Without.Share > 1 {
		over = "; without it the plan is over its limits"
	}
	return fmt.Sprintf("%s %s, and %s%s.", lead, buys, price, over)
}

// Neighbours are the points of the front next to one by risk: the less and the
// more risky one, where there are such.
func (m *Map) Neighbours(id int) []Summary {
	var f []Summary
	for _, s := range m.Final() {
		if s.Front || s.Point.ID == id {
			f = append(f, s)
		}
	}
	slices.SortStableFunc(f, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Risk, b.Risk), cmp.Compare(b.Loss, a.Loss), cmp.Compare(a.Point.ID, b.Point.ID))
	})
	var out []Summary
	i := slices.IndexFunc(f, func(s Summary) bool { return s.Point.ID == id })
	if i > 0 {
		out = append(out, f[i-1])
	}
	if i >= 0 && i+1 < len(f) {
		out = append(out, f[i+1])
	}
	return out
}

// WhatWouldChange says what binds the recommended point, what the next best of
// those allowed costs, and what a percentage point of risk is worth.
func (r *Result) WhatWouldChange(allowed []Summary) []string {
	v := r.Tried[len(r.Tried)-1]
	why := []string{
		fmt.Sprintf("Plan %d is recommended: on %d fresh keys its worst attack succeeds in at most %.1f %% (%s), and analysis loses %.3f.", r.Recommended, v.Fresh.Keys, 100*v.Fresh.Risk, v.Fresh.Worst, v.Fresh.Loss),
		fmt.Sprintf("What binds it is %s, at %.0f %% of its limit.", v.Fresh.Binding, 100*v.Fresh.Share),
	}
	for _, s := range allowed {
		if !slices.ContainsFunc(r.Tried, func(t Verified) bool { return t.Search.Point.ID == s.Point.ID }) {
			why = append(why, fmt.Sprintf("The next best allowed plan is %d (%s): it loses %.3f more.", s.Point.ID, s.Point, s.Loss-v.Search.Loss))
			break
		}
	}
	for _, n := range r.Neighbours {
		dRisk, dLoss := n.Fresh.Risk-v.Fresh.Risk, n.Fresh.Loss-v.Fresh.Loss
		if dRisk != 0 && (dRisk < 0) == (dLoss > 0) {
			why = append(why, fmt.Sprintf("Towards plan %d a percentage point of risk is worth %.4f of loss.", n.Search.Point.ID, -dLoss/dRisk/100))
		}
	}
	return why
}
