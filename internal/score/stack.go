package score

import (
	"fmt"

	"scramblelab/internal/metric"
)

// PlacedCase is one employer-year of which an intruder restored the cells.
type PlacedCase struct {
	Employer                     int32
	Staff                        float64 // who are there in truth
	Restored, Released, Baseline float64 // of them, listed in the cell where they belong
	Groups                       []Group
}

// Placed scores restored cells: the metric
// attack.worker.stacked-years.<adversary>.placed, with a row for the release as
// it stands.
func Placed(adversary, knowledge string, cases []PlacedCase, m int) metric.Metric {
	add := func(keep func(PlacedCase) bool, value func(PlacedCase) float64) metric.Row {
		at := map[int32]int{}
		var hits, all []float64
		base := 0.0
		for _, c := range cases {
			if !keep(c) || c.Staff == 0 {
				continue
			}
			k, ok := at[c.Employer]
			if !ok {
				k = len(all)
				at[c.Employer] = k
				hits, all = append(hits, 0), append(all, 0)
			}
			hits[k] += min(c.Staff, value(c))
			all[k] += c.Staff
			base += c.Baseline
		}
		total := 0.0
		for _, n := range all {
			total += n
		}
		return clustered(hits, all, m, base/max(1, total), "no employer-year whose cells could be restored")
	}
	restored := func(c PlacedCase) float64 { return c.Restored }
	out := metric.Metric{
		Name: fmt.Sprintf("attack.worker.%s.%s.placed", StackedYears, adversary), Row: add(func(PlacedCase) bool { return true }, restored),
		Better: metric.Lower, Unit: "share", Knowledge: knowledge,
		Method: "Share of the staff whom an intruder counts in the right cell after he stacked the years of every serial (hidden Markov chain of head counts, METHODS 2.7), the employer being known; the row \"as released\" is the release at its face, baseline the best guess by the head count and the pool's mix of diplomas. Lower is safer.",
	}
	face := add(func(PlacedCase) bool { return true }, func(c PlacedCase) float64 { return c.Released })
	face.Group = "as released"
	out.By = append(out.By, face)
	groups := map[Group]bool{}
	for _, c := range cases {
		for _, g := range c.Groups {
			groups[g] = true
		}
	}
	for _, g := range sortedGroups(groups) {
		r := add(func(c PlacedCase) bool {
			for _, h := range c.Groups {
				if h == g {
					return true
				}
			}
			return false
		}, restored)
		r.Group = g.Name
		out.By = append(out.By, r)
	}
	return out
}

// SuspectCase is a released cell of one and how suspect it is.
type SuspectCase struct {
	Employer        int32 // whose cells are suspect together
	ByWage, ByYears float64
	Swapped         bool // nobody of that level and field works there
}

// Suspected scores how well swapped cells of one are told from genuine ones: the
// metric attack.worker.plausibility.<adversary>.auc, with a row for the wage
// class alone.
func Suspected(adversary, knowledge string, cases []SuspectCase, m int) metric.Metric {
	var in, out, inWage, outWage []float64
	var inOf, outOf []int32
	for _, c := range cases {
		if c.Swapped {
			in, inWage, inOf = append(in, c.ByYears), append(inWage, c.ByWage), append(inOf, c.Employer)
		} else {
			out, outWage, outOf = append(out, c.ByYears), append(outWage, c.ByWage), append(outOf, c.Employer)
		}
	}
	row, wage := clusteredArea(in, out, inOf, outOf), clusteredArea(inWage, outWage, inOf, outOf)
	if len(in) == 0 || len(out) == 0 {
		row = metric.Missing("", "there are no swapped or no genuine cells of one to tell apart")
		wage = row
	}
	row.M, wage.M, wage.Group = int64(m), int64(m), "by wage class alone"
	return metric.Metric{
		Name: "attack.worker.plausibility." + adversary + ".auc", Row: row, By: []metric.Row{wage}, Better: metric.Lower, Unit: "share", Knowledge: knowledge,
		Method: "How well an intruder tells cells of one in which a swap put a stranger from genuine ones, by a wage class that people of that diploma hardly have and by the years in which the cell is there: area under the curve, 0.5 is guessing; interval of Obuchowski 1997, for cells of one employer are suspect together. Lower is safer.",
	}
}
