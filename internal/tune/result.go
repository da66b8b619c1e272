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
