package estimate_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/estimate"
	"scramblelab/internal/sharedtest"
)

const never = estimate.NeverTreated

// rows builds a panel from one line per unit: cohort, then outcomes by period
// from 0 on.
func rows(lines ...[]float64) (p estimate.Staggered) {
	for u, l := range lines {
		g := never
		if l[0] >= 0 {
			g = int32(l[0])
		}
		for t, y := range l[1:] {
			if !math.IsNaN(y) {
				p.Y, p.Unit, p.Time, p.Cohort = append(p.Y, y), append(p.Unit, int32(u)), append(p.Time, int32(t)), append(p.Cohort, g)
			}
		}
	}
	return p
}

func TestStaggeredCase(t *testing.T) {
	var c struct {
		Input struct {
			Units struct{ Treated, Control [][]float64 }
		}
		Expected struct{ DiD float64 }
	}
	sharedtest.Case(t, "utility_did_small", &c)
	var lines [][]float64
	for _, l := range c.Input.Units.Treated {
		lines = append(lines, append([]float64{1}, l...))
	}
	for _, l := range c.Input.Units.Control {
		lines = append(lines, append([]float64{-1}, l...))
	}
	f, err := estimate.EventStudyStaggered(ctx, rows(lines...), estimate.StaggeredOptions{MinControls: 1})
	if err != nil {
		t.Fatal(err)
	}
	k0, _ := f.Get(0)
	if math.Abs(k0.Estimate-c.Expected.DiD) > 1e-12 || k0.Treated != 2 || k0.Controls != 2 {
		t.Errorf("%+v, want %v", k0, c.Expected.DiD)
	}
	// Changes 2, 3 and 1, 1.5: Σd²/n² is .5/4+.125/4. Halfway between e and
	// e/(1-1/2) is 1.5e, where the exact correction is √2: 6 % more.
	if se := math.Sqrt(.5/4 + .125/4); math.Abs(k0.StdErr-se*1.5*math.Sqrt(3.0/4)) > 1e-12 {
		t.Errorf("standard error %v, want %v", k0.StdErr, se*1.5*math.Sqrt(3.0/4))
	}
}

// TestStaggeredByHand: cohorts 2 and 3, one unit never treated; effects by hand.
func TestStaggeredByHand(t *testing.T) {
	p := rows(
		[]float64{2, 1, 1, 4, 6, 9},
		[]float64{2, 0, 2, 3, 4, 8},
		[]float64{3, 5, 5, 6, 9, 9},
		[]float64{3, 2, 3, 3, 7, 8},
		[]float64{-1, 1, 2, 3, 4, 5},
		[]float64{-1, 4, 4, 5, 5, 6},
	)
	tests := []struct {
		name, why string
		o         estimate.StaggeredOptions
		want      map[string]float64
	}{
		{"not yet", "cohort 3 serves in period 2", estimate.StaggeredOptions{First: -3, Last: 2, MinControls: 1}, map[string]float64{
			// cohort 3, from period 2 to 0: treated -(1+1)/2, never -(2+1)/2
			"k-3": .5,
			// cohort 2 (1 to 0): -1; controls -(0+1+1+0)/4. cohort 3 (2 to 1): -.5; never -1
			"k-2": ((-1 + .5) + (-.5 + 1)) / 2,
			// cohort 2, period 2: (3+1)/2 - (1+0+1+1)/4; cohort 3, period 3: (3+4)/2 - (1+0)/2
			"k0": ((2 - .75) + (3.5 - .5)) / 2,
			// cohort 2, period 3: (5+2)/2 - (2+1)/2; cohort 3, period 4: (3+5)/2 - (2+1)/2
			"k1": ((3.5 - 1.5) + (4 - 1.5)) / 2,
			"k2": (8.0+6)/2 - (3.0+2)/2,
		}},
		{"never", "cohort 3 does not serve", estimate.StaggeredOptions{Last: 0, Controls: estimate.Never, MinControls: 1}, map[string]float64{
			"k0": ((2 - 1) + (3.5 - .5)) / 2,
		}},
		{"pooled", "event times from 0 on in one", estimate.StaggeredOptions{PoolLast: true, MinControls: 1}, map[string]float64{
			"k0+": (2*(2-.75) + 2*(3.5-.5) + 2*(3.5-1.5) + 2*(4-1.5) + 2*4.5) / 10,
		}},
		{"varying", "each placebo compares with the period before", estimate.StaggeredOptions{First: -2, Base: estimate.Varying, MinControls: 1}, map[string]float64{
			// cohort 3 from 0 to 1: (0+1)/2 - (0+2+1+0)/4
			"k-2": -.25,
			// cohort 2 from 0 to 1: 1 - (0+1+1+0)/4; cohort 3 from 1 to 2: .5-1
			"k-1": ((1 - .5) + (.5 - 1)) / 2,
			"k0":  ((2 - .75) + (3.5 - .5)) / 2,
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			f, err := estimate.EventStudyStaggered(ctx, p, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]float64{}
			for _, c := range f.Coef {
				got[c.Name] = c.Estimate
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.why, diff)
			}
		})
	}
}

// TestOneCohortEqualsTwoByTwo: with one cohort and no covariates each effect is
// a weighted difference of changes, and the standard error close to that of the
// regression.
func TestOneCohortEqualsTwoByTwo(t *testing.T) {
	d := grown
	d.gaps = 0
	s := d.draw(3)
	s.p.Covariates = nil
	s.p.Weights = nil
	var p estimate.Staggered
	var two estimate.Panel
	for i, g := range s.p.Cohort {
		if year := s.p.Time[i]; g == never || s.p.Unit[i]%3 == 0 {
			g = never
			if s.p.Unit[i]%3 == 0 {
				g = 2010
			}
			p.Y, p.Unit, p.Time, p.Cohort = append(p.Y, s.p.Y[i]), append(p.Unit, s.p.Unit[i]), append(p.Time, year), append(p.Cohort, g)
			if year == 2009 || year == 2012 {
				two.Y, two.Unit, two.Time = append(two.Y, s.p.Y[i]), append(two.Unit, s.p.Unit[i]), append(two.Time, year)
				two.Treated, two.Post = append(two.Treated, g == 2010), append(two.Post, year == 2012)
			}
		}
	}
	f, err := estimate.EventStudyStaggered(ctx, p, estimate.StaggeredOptions{Last: 4})
	if err != nil {
		t.Fatal(err)
	}
	want, err := estimate.DiD(ctx, two)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := f.Get(2)
	if math.Abs(got.Estimate-want.Coef[0].Estimate) > 1e-10 || math.Abs(got.StdErr/want.Coef[0].StdErr-1) > .02 {
		t.Errorf("%v ± %v, want %v ± %v", got.Estimate, got.StdErr, want.Coef[0].Estimate, want.Coef[0].StdErr)
	}
}

// TestRegressionAdjustmentAgainstQR: an effect is the mean of what treated
// changed beyond the prediction of a dense regression on the controls.
func TestRegressionAdjustmentAgainstQR(t *testing.T) {
	s := grown.draw(11)
	s.p.Weights = s.size
	f, err := estimate.EventStudyStaggered(ctx, s.p, estimate.StaggeredOptions{Last: 3, Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	at := map[[2]int32]int{}
	cohort := map[int32]int32{}
	var units []int32
	for i, u := range s.p.Unit {
		if _, ok := cohort[u]; !ok {
			units = append(units, u)
		}
		at[[2]int32{u, s.p.Time[i]}], cohort[u] = i, s.p.Cohort[i]
	}
	used := map[estimate.CohortTime][]estimate.Use{}
	for _, u := range f.Used {
		key := estimate.CohortTime{Cohort: u.Cohort, Time: u.Time}
		used[key] = append(used[key], u)
	}
	checked := 0
	for _, cell := range f.Cells {
		us := used[estimate.CohortTime{Cohort: cell.Cohort, Time: cell.Time}]
		if len(us) == 0 {
			continue
		}
		count := map[int32]int{}
		pair := func(u int32) (a, b int, ok bool) {
			a, ok1 := at[[2]int32{u, cell.Cohort - 1}]
			b, ok2 := at[[2]int32{u, cell.Time}]
			return a, b, ok1 && ok2
		}
		var controls []int32
		for _, u := range units {
			if _, _, ok := pair(u); ok && (cohort[u] == never || cohort[u] > cell.Time) && cohort[u] != cell.Cohort {
				controls = append(controls, u)
				a, _, _ := pair(u)
				count[s.p.Covariates[0].Codes[a]]++
			}
		}
		var spec estimate.Spec
		spec.X = make([][]float64, 2)
		var sector []int32
		row := func(u int32) (sec int32, x [2]float64, y float64) {
			a, b, _ := pair(u)
			return s.p.Covariates[0].Codes[a], [2]float64{s.p.Covariates[1].Values[a], s.p.Covariates[2].Values[a]}, s.p.Y[b] - s.p.Y[a]
		}
		level := map[int32]int{}
		for _, u := range controls {
			sec, x, y := row(u)
			if count[sec] < 3 {
				continue
			}
			if _, ok := level[sec]; !ok {
				level[sec] = len(level)
			}
			a, _, _ := pair(u)
			spec.Y, spec.Weights, sector = append(spec.Y, y), append(spec.Weights, s.size[a]), append(sector, sec)
			spec.X[0], spec.X[1] = append(spec.X[0], x[0]), append(spec.X[1], x[1])
		}
		b := denseAll(spec, sector)
		var sum, weights float64
		for _, u := range us {
			sec, x, y := row(u.Unit)
			sum += u.Weight * (y - b.slope[0]*x[0] - b.slope[1]*x[1] - b.level[sec])
			weights += u.Weight
		}
		checked++
		if want := sum / weights; math.Abs(cell.Effect-want) > 1e-8 {
			t.Errorf("cohort %d, period %d: %v, want %v", cell.Cohort, cell.Time, cell.Effect, want)
		}
	}
	if checked < 30 {
		t.Errorf("only %d cells checked", checked)
	}
}

type fitted struct {
	slope []float64
	level map[int32]float64
}

// denseAll regresses on slopes and one intercept per sector by the dense solver.
func denseAll(s estimate.Spec, sector []int32) fitted {
	var levels []int32
	for _, c := range sector {
		if !slices.Contains(levels, c) {
			levels = append(levels, c)
		}
	}
	k := len(s.X)
	for _, l := range levels[1:] {
		x := make([]float64, len(sector))
		for i, c := range sector {
			if c == l {
				x[i] = 1
			}
		}
		s.X = append(s.X, x)
	}
	b, _ := dense(s, nil)
	f := fitted{slope: b[:k], level: map[int32]float64{}}
	for i, l := range levels {
		f.level[l] = b[len(b)-1]
		if i > 0 {
			f.level[l] += b[k+i-1]
		}
	}
	return f
}

func TestRatioForm(t *testing.T) {
	// Treated 10 to 33 and 20 to 27; controls 5 to 6 and 10 to 12: 60/30 over
	// 18/15.
	p := rows([]float64{1, 10, 33}, []float64{1, 20, 27}, []float64{-1, 5, 6}, []float64{-1, 10, 12}, []float64{1, 0, 4})
	f, err := estimate.EventStudyStaggered(ctx, p, estimate.StaggeredOptions{Form: estimate.Ratio, MinControls: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := f.Get(0)
	if v, _, _ := c.Ratio(); math.Abs(v-(60.0/30/(18.0/15)-1)) > 1e-12 || c.LeftOut.Base != 1 {
		t.Errorf("ratio %v of %+v, want 2/3 and one unit without staff before left out", v, c)
	}
}

func TestStaggeredEdges(t *testing.T) {
	nan := math.NaN()
	base := [][]float64{
		{2, 1, 1, 4, 6}, {2, 0, 2, 3, 4}, {-1, 1, 2, 3, 4}, {-1, 4, 4, 5, 5}, {-1, 3, 2, 2, 2}, {-1, 1, 0, 1, 3}, {-1, 0, 0, 2, 1},
	}
	tests := []struct {
		name, why string
		change    func(p *estimate.Staggered, o *estimate.StaggeredOptions)
		lines     [][]float64
		reason    string // of k0
		warning   string
		cell      string
		left      estimate.Uncovered
	}{
		{name: "one treated", why: "one unit has no spread", lines: [][]float64{{2, 1, 1, 4, 6}, {-1, 1, 2, 3, 4}, {-1, 4, 4, 5, 5}, {-1, 3, 2, 2, 2}, {-1, 1, 0, 1, 3}}, reason: "one treated unit"},
		{name: "all treated at once", why: "nobody to compare with", lines: [][]float64{{2, 1, 1, 4, 6}, {2, 0, 2, 3, 4}}, reason: "dropped", cell: "0 controls", warning: "lack of controls", left: estimate.Uncovered{Cell: 2}},
		{name: "treated from the start", why: "no period before", lines: append([][]float64{{0, 5, 5, 5, 5}}, base...), warning: "1 units are treated from the first"},
		{name: "closed", why: "the outcome is not observed", lines: append([][]float64{{2, 5, 5, nan, nan}}, base...), left: estimate.Uncovered{Outcome: 1}},
		{name: "born late", why: "the base is not observed", lines: append([][]float64{{2, nan, nan, 1, 1}}, base...), left: estimate.Uncovered{Base: 1}},
		{name: "unmatched category", why: "no control of that sector", lines: append([][]float64{{2, 5, 5, 5, 5}}, base...), left: estimate.Uncovered{Unmatched: 1}, warning: "no controls like them",
			change: func(p *estimate.Staggered, o *estimate.StaggeredOptions) {
				codes := make([]int32, len(p.Y))
				for i, u := range p.Unit {
					if u == 0 {
						codes[i] = 9
					}
				}
				p.Covariates = []estimate.Covariate{{Name: "sector", Codes: codes}}
			}},
		{name: "flat among controls", why: "a slope cannot be learned where nothing varies", lines: append([][]float64{{2, 5, 5, 5, 5}}, base...), left: estimate.Uncovered{Unmatched: 1}, warning: "no controls like them",
			change: func(p *estimate.Staggered, o *estimate.StaggeredOptions) {
				x := make([]float64, len(p.Y))
				for i, u := range p.Unit {
					if x[i] = 3; u == 0 {
						x[i] = 4
					}
				}
				p.Covariates = []estimate.Covariate{{Name: "x", Values: x}}
			}},
		{name: "too few controls", why: "five controls for three parameters, three to spare wanted", lines: base, cell: "5 controls for 3 parameters", reason: "dropped", left: estimate.Uncovered{Cell: 2},
			change: func(p *estimate.Staggered, o *estimate.StaggeredOptions) {
				a, b := make([]float64, len(p.Y)), make([]float64, len(p.Y))
				for i, u := range p.Unit {
					a[i], b[i] = float64(u), float64(u*u)
				}
				p.Covariates = []estimate.Covariate{{Name: "a", Values: a}, {Name: "b", Values: b}}
			}},
		{name: "unclean", why: "controls with spillovers do not serve", lines: base, cell: "2 controls, want 3", reason: "dropped", left: estimate.Uncovered{Cell: 2},
			change: func(p *estimate.Staggered, o *estimate.StaggeredOptions) {
				for _, u := range p.Unit {
					p.Clean = append(p.Clean, u < 4)
				}
			}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p := rows(tc.lines...)
			o := estimate.StaggeredOptions{Last: 1}
			if tc.change != nil {
				tc.change(&p, &o)
			}
			f, err := estimate.EventStudyStaggered(ctx, p, o)
			if err != nil {
				t.Fatal(err)
			}
			c, _ := f.Get(0)
			if tc.reason == "" && (c.Reason != "" || !(c.Low < c.Estimate && c.Estimate < c.High)) || !strings.Contains(c.Reason, tc.reason) {
				t.Errorf("%s: %+v, want the reason %q", tc.why, c, tc.reason)
			}
			if diff := cmp.Diff(tc.left, c.LeftOut); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.why, diff)
			}
			if !strings.Contains(strings.Join(f.Warnings, "\n"), tc.warning) {
				t.Errorf("%s: warnings %q, want %q", tc.why, f.Warnings, tc.warning)
			}
			if tc.cell != "" && !strings.Contains(f.Cells[0].Reason, tc.cell) {
				t.Errorf("%s: cell %+v, want the reason %q", tc.why, f.Cells[0], tc.cell)
			}
		})
	}
}

// TestPlaceboThatCovariatesHold: lagged growth is the change from k-2 to k-1.
func TestPlaceboThatCovariatesHold(t *testing.T) {
	d := grown
	d.gaps = 0
	s := d.draw(2)
	f, err := estimate.EventStudyStaggered(ctx, s.p, estimate.StaggeredOptions{First: -4, Last: 1})
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := f.Get(-2); !strings.Contains(c.Reason, "held exactly") || math.Abs(c.Estimate) > 1e-10 {
		t.Errorf("%+v: want 0 without a standard error", c)
	}
	if f.PreTrend.DF != 2 || f.PreTrend.Reason != "" {
		t.Errorf("pre-trend test %+v, want two placebos in it", f.PreTrend)
	}
}

func TestStaggeredRefusals(t *testing.T) {
	good := rows([]float64{1, 1, 2}, []float64{-1, 1, 2}, []float64{-1, 2, 2})
	for name, change := range map[string]func(p *estimate.Staggered, o *estimate.StaggeredOptions){
		"first":       func(p *estimate.Staggered, o *estimate.StaggeredOptions) { o.First = 1 },
		"last":        func(p *estimate.Staggered, o *estimate.StaggeredOptions) { o.Last = -1 },
		"controls":    func(p *estimate.Staggered, o *estimate.StaggeredOptions) { o.Controls = "all" },
		"adjustment":  func(p *estimate.Staggered, o *estimate.StaggeredOptions) { o.Adjust = "ols" },
		"form":        func(p *estimate.Staggered, o *estimate.StaggeredOptions) { o.Form, o.Adjust = "ratio", "doubly-robust" },
		"level":       func(p *estimate.Staggered, o *estimate.StaggeredOptions) { o.Level = 95 },
		"length":      func(p *estimate.Staggered, o *estimate.StaggeredOptions) { p.Unit = p.Unit[1:] },
		"two cohorts": func(p *estimate.Staggered, o *estimate.StaggeredOptions) { p.Cohort[0] = 7 },
		"two rows":    func(p *estimate.Staggered, o *estimate.StaggeredOptions) { p.Time[0] = 1 },
		"far periods": func(p *estimate.Staggered, o *estimate.StaggeredOptions) { p.Time[0] = -2_000_000_000 },
		"weights":     func(p *estimate.Staggered, o *estimate.StaggeredOptions) { p.Weights = []float64{1, 1, 1, 1, 1, -1} },
		"covariate": func(p *estimate.Staggered, o *estimate.StaggeredOptions) {
			p.Covariates = []estimate.Covariate{{Name: "x", Values: []float64{1}}}
		},
		"negative ratio": func(p *estimate.Staggered, o *estimate.StaggeredOptions) { p.Y[0], o.Form = -1, "ratio" },
	} {
		p := taken(good, []int{0, 1, 2, 3, 4, 5})
		o := estimate.StaggeredOptions{MinControls: 1}
		change(&p, &o)
		if _, err := estimate.EventStudyStaggered(ctx, p, o); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	none := rows([]float64{-1, 1, 2}, []float64{9, 1, 2})
	if _, err := estimate.EventStudyStaggered(ctx, none, estimate.StaggeredOptions{}); !errors.Is(err, estimate.ErrNoComparison) {
		t.Errorf("nobody treated: %v", err)
	}
}
