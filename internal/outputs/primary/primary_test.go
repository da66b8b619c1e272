package primary

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/sharedtest"
)

// of makes a contribution from what single contributors give.
func of(x []float64, w []float64) Contribution {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] > x[b]:
			return -1
		case x[a] < x[b]:
			return 1
		}
		return 0
	})
	c := Contribution{N: len(x)}
	for _, i := range order {
		weight := 1.0
		if w != nil {
			weight = w[i]
			c.Weights = append(c.Weights, weight)
		}
		c.Largest = append(c.Largest, x[i])
		c.Total += weight * x[i]
	}
	return c
}

func TestDominanceCase(t *testing.T) {
	var in struct {
		Input struct {
			Cell         []string
			Contribution []float64
			Weights      []float64 `json:"weights_sw2"`
		}
		Params   struct{ N, K float64 }
		Expected struct {
			Cells      []string
			Unweighted []bool `json:"unweighted_primary"`
			Weighted   []bool `json:"weighted_default_primary"`
			Argus      []bool `json:"weighted_tauargus_primary"`
			PPercent   struct {
				P  []float64
				By [][]bool `json:"primary_by_p"`
			} `json:"p_percent"`
		}
	}
	sharedtest.Case(t, "table_dominance_rule_unit", &in)
	cell := func(name string, weighted bool) Contribution {
		var x, w []float64
		for i, c := range in.Input.Cell {
			if c == name {
				x = append(x, in.Input.Contribution[i])
				if weighted {
					w = append(w, in.Input.Weights[i])
				}
			}
		}
		return of(x, w)
	}
	rule := Dominance{int(in.Params.N), in.Params.K}
	for _, tt := range []struct {
		name, why string
		got       func(cell string) bool
		want      []bool
	}{
		{"unweighted", "the tool flags equality (80+10 of 100 at k = 90)", func(c string) bool { return rule.Unsafe(cell(c, false), WeightedTotal, OnLimitUnsafe) }, in.Expected.Unweighted},
		{"weighted", "largest unweighted against the weighted total", func(c string) bool { return rule.Unsafe(cell(c, true), WeightedTotal, OnLimitUnsafe) }, in.Expected.Weighted},
		{"repeated", "tau-Argus repeats a contribution", func(c string) bool { return rule.Unsafe(cell(c, true), Repeated, OnLimitUnsafe) }, in.Expected.Argus},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []bool
			for _, c := range in.Expected.Cells {
				got = append(got, tt.got(c))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, d)
			}
		})
	}
	for i, p := range in.Expected.PPercent.P {
		var got []bool
		for _, c := range in.Expected.Cells {
			got = append(got, PPercent{P: p}.Unsafe(cell(c, false), WeightedTotal, OnLimitSafe))
		}
		if d := cmp.Diff(in.Expected.PPercent.By[i], got); d != "" {
			t.Errorf("p = %v (-want +got):\n%s", p, d)
		}
	}
}

func TestEquality(t *testing.T) {
	on := of([]float64{80, 10, 10}, nil)
	for _, tt := range []struct {
		name, why string
		e         Equality
		want      bool
	}{
		{"handbook", "90 is not more than 90 % of 100", OnLimitSafe, false},
		{"other tools", "at the limit counts as beyond it", OnLimitUnsafe, true},
	} {
		if got := (Dominance{2, 90}).Unsafe(on, WeightedTotal, tt.e); got != tt.want {
			t.Errorf("%s: %v, want %v: %s", tt.name, got, tt.want, tt.why)
		}
	}
	for _, e := range []Equality{OnLimitSafe, OnLimitUnsafe} {
		if (Dominance{2, 90}).Unsafe(Contribution{}, WeightedTotal, e) || (PPercent{P: 10}).Unsafe(Contribution{}, WeightedTotal, e) {
			t.Error("an empty cell discloses nobody, whatever the convention")
		}
	}
}

func TestHandbookRules(t *testing.T) {
	sharedtest.Path(t, "cases/table_rules_handbook.json") // the figures below are its examples
	two := func(total float64, x ...float64) Contribution {
		return Contribution{Total: total, Largest: x, N: 4}
	}
	strict := func(r interface {
		Unsafe(Contribution, Weighting, Equality) bool
	}, c Contribution) bool {
		return r.Unsafe(c, WeightedTotal, OnLimitSafe)
	}
	got := map[string]any{
		"example 1":            strict(Dominance{1, 90}, two(100_000, 50_000, 49_000)),
		"example 2 by p%":      strict(PPercent{P: 10}, two(110_000, 52_000, 50_000)),
		"example 2 by (2,k)":   strict(Dominance{2, KOfP(10)}, two(110_000, 52_000, 50_000)),
		"example 4":            strict(Dominance{1, 85}, two(330, 300, 20, 10)),
		"example 4 protection": Dominance{1, 85}.Protection(two(330, 300, 20, 10), WeightedTotal),
		"k of p = 10":          KOfP(10),
		"p of k = 80":          POfK(80),
		"p of k = 95":          POfK(95),
		"pq is p% of 100p/q":   strict(PPercent{P: 10, Q: 50}, of([]float64{70, 10, 10, 3}, nil)),
	}
	want := map[string]any{
		"example 1": false, "example 2 by p%": false, "example 2 by (2,k)": true, "example 4": true,
		"example 4 protection": 22.941176470588232, "k of p = 10": 90.9090909090909, "p of k = 80": 25.0, "p of k = 95": 5.2631578947368425,
		"pq is p% of 100p/q": true,
	}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if p := (PPercent{P: 10}).Protection(of([]float64{90, 10}, nil), WeightedTotal); p != 9 {
		t.Errorf("p%% protection is %v, want p/100 x1 = 9", p)
	}
}

func TestFrequencyHandbook(t *testing.T) {
	var in struct {
		Cases []struct {
			Name  string
			Table [][]int64
			Ones  [][2]int
		}
	}
	sharedtest.Case(t, "table_frequency_handbook", &in)
	for _, c := range in.Cases {
		switch c.Name {
		case "identification":
			var got [][2]int
			for i, row := range c.Table {
				for j, n := range row {
					if (Frequency{2}).Unsafe(n) {
						got = append(got, [2]int{i, j})
					}
				}
			}
			if d := cmp.Diff(c.Ones, got); d != "" {
				t.Errorf("cells of one (-want +got):\n%s", d)
			}
		case "group":
			for i, want := range []struct{ group, within bool }{{true, true}, {false, true}, {false, false}} {
				row := c.Table[i]
				margin, group, within := row[0]+row[1], false, false
				for _, n := range row {
					group = group || (Group{0}).Unsafe(n, margin)
					within = within || (Group{1}).Unsafe(n, margin) && n > 1
				}
				if group != want.group || within != want.within {
					t.Errorf("row %d: group %v, within %v, want %v", i, group, within, want)
				}
			}
		}
	}
}

func TestContributors(t *testing.T) {
	r := Contributors{Employers: 3, Workers: 10, LargestShare: 0.5}
	for _, tt := range []struct {
		name      string
		employers int
		workers   int64
		largest   float64
		want      bool
		why       string
	}{
		{"empty", 0, 0, 0, false, "nobody is disclosed"},
		{"two employers", 2, 100, 50, true, "each subtracts itself and has the other"},
		{"nine workers", 3, 9, 3, true, "too few workers"},
		{"half", 3, 10, 5, false, "on the limit"},
		{"more than half", 3, 10, 6, true, "one employer is most of the cell"},
	} {
		if got := r.Unsafe(tt.employers, tt.workers, tt.largest, OnLimitSafe) != ""; got != tt.want {
			t.Errorf("%s: unsafe is %v: %s", tt.name, got, tt.why)
		}
	}
}

func TestQuantile(t *testing.T) {
	for _, tt := range []struct {
		q    float64
		n    int64
		want bool
	}{{0.5, 20, true}, {0.5, 19, false}, {0.9, 100, true}, {0.99, 100, false}, {0, 1e6, false}, {math.NaN(), 1e6, false}} {
		if got := Quantile(tt.q, tt.n, 10); got != tt.want {
			t.Errorf("quantile %v of %d: %v", tt.q, tt.n, got)
		}
	}
}
