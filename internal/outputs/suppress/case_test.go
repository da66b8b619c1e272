package suppress

import (
	"fmt"
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
// chose: validity counts, not identity. Ours must be valid, and lose less.
func TestPatternsOfOthers(t *testing.T) {
	var in struct {
		Input    struct{ Micro []caseRow }
		Expected map[string][]caseRow
	}
	sharedtest.Case(t, "table_gauss_magnitude1", &in)
	for _, rule := range []string{"few_contributors_maxN1", "dominance_1_80", "dominance_2_90", "p_percent_10"} {
		t.Run(rule, func(t *testing.T) {
			p, theirs := magnitudeCase(t, rule, in.Input.Micro, in.Expected[rule])
			found, err := Find(ctx, p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for name, hidden := range map[string][]bool{"theirs": theirs, "ours": found.Suppressed} {
				v, err := Check(ctx, p, hidden, Options{})
				if err != nil {
					t.Fatal(err)
				}
				cells, sum := 0, 0.0
				for c, h := range hidden {
					if h {
						cells++
						sum += p.Values[0][c]
					}
				}
				tally := map[Safety]int{}
				for _, f := range v.Findings {
					tally[f.Safety]++
					if f.Safety != IntervalSafe {
						t.Logf("%s %s: %v: %s", name, p.System.Name(p.Needs[f.Need].Cell), f.Safety, f.Reason)
					}
				}
				t.Logf("%s: %d cells, lost sum %.1f, worst %v, %s", name, cells, sum, v.Worst(), fmt.Sprint(tally))
				if name == "ours" && v.Worst() < ExactlySafe {
					t.Errorf("our pattern is %v", v.Worst())
				}
			}
		})
	}
}
