package suppress

import (
	"slices"
	"testing"

	"scramblelab/internal/outputs/primary"
	"scramblelab/internal/sharedtest"
)

type caseRow struct {
	Sector     string `json:"sector4"`
	Geo        string
	Company    string
	Value      float64
	Primary    bool
	Suppressed bool
}

// magnitudeCase builds the problem of one rule of table_gauss_magnitude1: the
// tool's primary cells, the room that our rules ask for, and who is alone in a
// cell.
func magnitudeCase(t *testing.T, rule string, micro, rows []caseRow) (p *Problem, theirs []bool) {
	t.Helper()
	dims := []Dimension{{Name: "sector", Labels: []string{"Total"}, Parent: []int32{-1}}, {Name: "geo", Labels: []string{"Total"}, Parent: []int32{-1}}}
	code := func(d int, label string) int32 {
		if i := slices.Index(dims[d].Labels, label); i >= 0 {
			return int32(i)
		}
		dims[d].Labels, dims[d].Parent = append(dims[d].Labels, label), append(dims[d].Parent, 0)
		return int32(len(dims[d].Labels) - 1)
	}
	tab := Table{Dims: []int{0, 1}, Nodes: make([][]int32, 2)}
	for _, r := range rows {
		tab.Nodes[0], tab.Nodes[1] = append(tab.Nodes[0], code(0, r.Sector)), append(tab.Nodes[1], code(1, r.Geo))
	}
	s := must(dims, tab)
	p = &Problem{System: s, Values: [][]float64{make([]float64, s.N)}, Counts: []bool{false}, Cost: make([]float64, s.N), Single: make([]int32, s.N)}
	theirs = make([]bool, s.N)
	for i, r := range rows {
		c := s.Tables[0].Cells[i]
		by := map[string]float64{}
		for _, m := range micro {
			if (r.Sector == "Total" || r.Sector == m.Sector) && (r.Geo == "Total" || r.Geo == m.Geo) {
				by[m.Company] += m.Value
			}
		}
		con := primary.Contribution{Total: r.Value, N: len(by)}
		for _, v := range by {
			con.Largest = append(con.Largest, v)
		}
		slices.SortFunc(con.Largest, func(a, b float64) int { return int(1e6 * (b - a)) })
		p.Values[0][c], p.Cost[c], theirs[c] = r.Value, r.Value, r.Suppressed
		if p.Single[c] = -1; len(by) == 1 {
			for company := range by {
				p.Single[c] = int32(company[0])
			}
		}
		if !r.Primary {
			continue
		}
		room := 0.0
		switch rule {
		case "dominance_1_80":
			room = primary.Dominance{N: 1, K: 80}.Protection(con, primary.WeightedTotal)
		case "dominance_2_90":
			room = primary.Dominance{N: 2, K: 90}.Protection(con, primary.WeightedTotal)
		case "p_percent_10":
			room = primary.PPercent{P: 10}.Protection(con, primary.WeightedTotal)
		}
		p.Needs = append(p.Needs, Need{Cell: c, Up: []float64{room}, Down: []float64{min(room, r.Value)}})
	}
	return p, theirs
}

// TestPatternsOfOthers compares with the patterns that GaussSuppression 0.8.8
// chose: validity counts, not identity. Ours must be valid and lose no more; the
// table in docs/outputs.md is what -v prints.
func TestPatternsOfOthers(t *testing.T) {
	var in struct {
		Input    struct{ Micro []caseRow }
		Expected map[string][]caseRow
	}
	sharedtest.Case(t, "table_gauss_magnitude1", &in)
	t.Logf("%-22s  %-16s  %-16s  %5s  %8s", "rule", "pattern", "validity", "cells", "lost sum")
	for _, rule := range []string{"few_contributors_maxN1", "dominance_1_80", "dominance_2_90", "p_percent_10"} {
		p, theirs := magnitudeCase(t, rule, in.Input.Micro, in.Expected[rule])
		found, err := Find(ctx, p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var cells [2]int
		var sum [2]float64
		for i, hidden := range [][]bool{theirs, found.Suppressed} {
			v, err := Check(ctx, p, hidden, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for c, h := range hidden {
				if h {
					cells[i]++
					sum[i] += p.Values[0][c]
				}
			}
			for _, f := range v.Findings {
				if f.Safety != IntervalSafe {
					t.Errorf("%s, pattern %d: %s is %v: %s", rule, i, p.System.Name(p.Needs[f.Need].Cell), f.Safety, f.Reason)
				}
			}
			t.Logf("%-22s  %-16s  %-16v  %5d  %8.1f", rule, []string{"GaussSuppression", "ours"}[i], v.Worst(), cells[i], sum[i])
		}
		if cells[1] > cells[0] || sum[1] > sum[0]+1e-9 {
			t.Errorf("%s: ours takes %d cells and loses %.1f, theirs %d and %.1f", rule, cells[1], sum[1], cells[0], sum[0])
		}
	}
}
