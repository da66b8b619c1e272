package estimate_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/estimate"
	"scramblelab/internal/infer"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

func TestDifferenceCase(t *testing.T) {
	var c struct {
		Input struct {
			Units struct{ Treated, Control [][]float64 }
		}
		Expected struct {
			Treated float64 `json:"treated_change"`
			Control float64 `json:"control_change"`
			DiD     float64
		}
	}
	sharedtest.Case(t, "utility_did_small", &c)
	var p estimate.Panel
	unit := int32(0)
	for _, treated := range []bool{true, false} {
		units := c.Input.Units.Control
		if treated {
			units = c.Input.Units.Treated
		}
		for _, ys := range units {
			for time, y := range ys {
				p.Y, p.Unit, p.Time = append(p.Y, y), append(p.Unit, unit), append(p.Time, int32(time))
				p.Treated, p.Post = append(p.Treated, treated), append(p.Post, time == 1)
			}
			unit++
		}
	}
	d, err := estimate.Difference(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{c.Expected.Treated, c.Expected.Control, c.Expected.DiD}
	if diff := cmp.Diff(want, []float64{d.TreatedChange, d.ControlChange, d.DiD.Estimate}, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f, err := estimate.DiD(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	// In a balanced panel of two periods both are the difference of changes, and
	// the clustered standard error that of a difference of means, but for CR1:
	// variances of changes (2, 3) and (1, 1.5), Σd²/n² = .5/4 + .125/4.
	within := math.Sqrt(.5/4 + .125/4)
	for _, got := range []struct {
		c estimate.Coefficient
		k float64
	}{{d.DiD, 4}, {f.Coef[0], 3}} {
		se := within * math.Sqrt(4.0/3*7/(8-got.k))
		if math.Abs(got.c.Estimate-1.25) > 1e-12 || math.Abs(got.c.StdErr-se) > 1e-12 {
			t.Errorf("%v ± %v, want 1.25 ± %v", got.c.Estimate, got.c.StdErr, se)
		}
	}
}

// panel draws 120 units over 8 years with an effect that starts in years from
// start on and grows by grow a year.
func panel(grow float64, starts ...int32) (p estimate.Panel, event []int32) {
	for u := range int32(120) {
		g := rng.Sim(6).Stream(1, uint64(u))
		effect := 3 * g.Normal()
		start := starts[int(u)%len(starts)]
		treated := u < 50
		for y := range int32(8) {
			if g.Bool(.1) {
				continue
			}
			k := y - start
			v := effect + float64(y*y)/5
			if treated && k >= 0 {
				v += 1 + grow*float64(k)
			}
			p.Y, p.Unit, p.Time = append(p.Y, v+0.01*g.Normal()), append(p.Unit, u), append(p.Time, 2003+y)
			p.Treated, p.Post = append(p.Treated, treated), append(p.Post, k >= 0)
			if !treated {
				k = estimate.NeverTreated
			}
			event = append(event, k)
		}
	}
	return p, event
}

func TestDiDAndEventStudyRecoverPlantedEffects(t *testing.T) {
	p, _ := panel(0, 4)
	f, err := estimate.DiD(ctx, p)
	if err != nil || len(f.Warnings) > 0 {
		t.Fatal(err, f.Warnings)
	}
	if c := f.Coef[0]; math.Abs(c.Estimate-1) > .005 || c.StdErr > .002 || f.Clusters != 120 {
		t.Errorf("did %+v in %d clusters, want 1", c, f.Clusters)
	}
	p, event := panel(.5, 4)
	if f, err = estimate.EventStudy(ctx, p, event, -4, 3); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"k-4": 0, "k-3": 0, "k-2": 0, "k0": 1, "k1": 1.5, "k2": 2, "k3": 2.5}
	if len(f.Coef) != len(want) {
		t.Errorf("%d coefficients, want %d", len(f.Coef), len(want))
	}
	for _, c := range f.Coef {
		if math.Abs(c.Estimate-want[c.Name]) > .01 {
			t.Errorf("%s is %v, want %v", c.Name, c.Estimate, want[c.Name])
		}
	}
	p, _ = panel(.5, 3, 5)
	if f, err = estimate.DiD(ctx, p); err != nil || !strings.Contains(strings.Join(f.Warnings, " "), "in 2 periods") {
		t.Errorf("staggered treatment: warnings %q (%v)", f.Warnings, err)
	}
}

func TestPanelRefusals(t *testing.T) {
	p, event := panel(0, 4)
	if _, err := estimate.EventStudy(ctx, p, event, -1, 3); err == nil {
		t.Error("no period before: want an error")
	}
	if _, err := estimate.EventStudy(ctx, p, event[1:], -3, 3); err == nil {
		t.Error("event times of other length: want an error")
	}
	for i := range p.Treated {
		p.Treated[i] = true
	}
	if _, err := estimate.Difference(ctx, p); !errors.Is(err, estimate.ErrNoComparison) {
		t.Errorf("nobody to compare with: %v", err)
	}
	p.Treated[3] = false
	if _, err := estimate.DiD(ctx, p); err == nil {
		t.Error("treated changes within a unit: want an error")
	}
}

func TestOneWayCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Groups  [][]float64
			Between float64 `json:"between_ss"`
			Within  float64 `json:"within_ss"`
			Eta2    float64
			ICC     float64 `json:"icc_anova"`
		}
	}
	sharedtest.Case(t, "utility_bivariate_small", &c)
	for _, tc := range c.Cases {
		var y []float64
		var g []int32
		for k, group := range tc.Groups {
			for _, v := range group {
				y, g = append(y, v), append(g, int32(k))
			}
		}
		if y == nil {
			continue
		}
		y, g = append(y, math.NaN(), 5), append(g, 0, -1) // left out
		a, err := estimate.AnalyseOneWay(y, g)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]float64{tc.Between, tc.Within, tc.Eta2, tc.ICC}, []float64{a.BetweenSS, a.WithinSS, a.Eta2, a.ICC}, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestVarianceComponents(t *testing.T) {
	// Unbalanced: between variance 2, within 1; tolerance 4 standard errors of a
	// simulation at this seed (2·√(2/2000)·… ≈ .07).
	var y []float64
	var group []int32
	for k := range int32(2000) {
		g := rng.Sim(5).Stream(1, uint64(k))
		e := math.Sqrt2 * g.Normal()
		for range 1 + g.IntN(9) {
			y, group = append(y, 1e6+e+g.Normal()), append(group, 7*k)
		}
	}
	b, w, icc, err := estimate.VarianceComponents(y, group)
	if err != nil || math.Abs(b-2) > .3 || math.Abs(w-1) > .06 || math.Abs(icc-2.0/3) > .04 {
		t.Errorf("components %.3f and %.3f, correlation %.3f (%v); want 2, 1 and 2/3", b, w, icc, err)
	}
	for name, bad := range map[string][]int32{"one group": {1, 1, 1}, "singletons": {1, 2, 3}} {
		if _, _, _, err := estimate.VarianceComponents([]float64{1, 2, 3}, bad); !errors.Is(err, estimate.ErrNoVariation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, _, err := estimate.VarianceComponents([]float64{.1, .1, .1}, []int32{0, 0, 1}); !errors.Is(err, estimate.ErrNoVariation) {
		t.Errorf("flat: %v", err)
	}
}

// TestSwapAttenuation: a random across-employer swap of a share s of the
// workers sends the intraclass correlation to (1-s)² of what it was and the
// employer contrast to 1-s (METHODS: laws of swapping 1 and 4). Mean of 60
// replications, tolerance .02 as in the reference case.
func TestSwapAttenuation(t *testing.T) {
	if testing.Short() {
		t.Skip("simulation")
	}
	var c struct{ Cases []struct{ S float64 } }
	sharedtest.Case(t, "utility_swap_attenuation", &c)
	const runs, employers, size = 60, 400, 25
	for _, tc := range c.Cases {
		var ratio, contrast float64
		for r := range runs {
			g := rng.Sim(21).Stream(1, uint64(r))
			y, group, treated := make([]float64, employers*size), make([]int32, employers*size), make([]float64, employers*size)
			for i := range y {
				if i%size == 0 {
					y[i] = g.Normal()
				} else {
					y[i] = y[i-i%size]
				}
				group[i] = int32(i / size)
			}
			for i := range y {
				if group[i] < 120 {
					treated[i] = 1
				}
				y[i] += g.Normal() + .5*treated[i]
			}
			before, _ := estimate.AnalyseOneWay(y, group)
			rows := make([]int, len(y))
			for i := range rows {
				rows[i] = i
			}
			touched := rng.Sample(g, rows, int(tc.S*float64(len(y))))
			if len(touched) > 0 {
				first := y[touched[0]]
				for k := range len(touched) - 1 {
					y[touched[k]] = y[touched[k+1]]
				}
				y[touched[len(touched)-1]] = first
			}
			after, err := estimate.AnalyseOneWay(y, group)
			if err != nil {
				t.Fatal(err)
			}
			ratio += after.ICC / before.ICC / runs
			f, err := estimate.OLS(ctx, estimate.Spec{Y: y, X: [][]float64{treated}, Names: []string{"treated"}, Cluster: group})
			if err != nil {
				t.Fatal(err)
			}
			contrast += f.Coef[0].Estimate / runs
		}
		t.Logf("s=%v: ICC ratio %.4f, contrast %.4f", tc.S, ratio, contrast)
		// The contrast itself has a standard error of about .014 over the runs.
		if math.Abs(ratio-(1-tc.S)*(1-tc.S)) > .02 || math.Abs(contrast-.5*(1-tc.S)) > .05 {
			t.Errorf("s=%v: ICC ratio %.4f, want %.4f; contrast %.4f, want %.4f", tc.S, ratio, (1-tc.S)*(1-tc.S), contrast, .5*(1-tc.S))
		}
	}
}

func TestOverlapCase(t *testing.T) {
	var c struct {
		Cases []struct {
			O, S     [2]float64
			Expected float64
		}
	}
	sharedtest.Case(t, "utility_ci_overlap_small", &c)
	iv := func(p [2]float64) infer.Interval { return infer.Interval{Low: p[0], High: p[1]} }
	for _, tc := range c.Cases {
		if got := estimate.Overlap(iv(tc.O), iv(tc.S)); math.Abs(got-tc.Expected) > 1e-12 {
			t.Errorf("%v and %v overlap by %v, want %v", tc.O, tc.S, got, tc.Expected)
		}
	}
	for _, bad := range [][2]float64{{1, 1}, {math.NaN(), 2}, {math.Inf(-1), 2}} {
		if got := estimate.Overlap(iv(bad), iv([2]float64{0, 2})); !math.IsNaN(got) {
			t.Errorf("overlap with %v is %v, want NaN", bad, got)
		}
	}
}

func TestCompare(t *testing.T) {
	at := func(b, p float64) estimate.Coefficient { return estimate.Coefficient{Estimate: b, P: p} }
	none := estimate.Coefficient{Estimate: math.NaN(), P: math.NaN(), Dropped: true}
	untested := estimate.Coefficient{Estimate: 1, P: math.NaN()}
	tests := []struct {
		why                string
		original, released estimate.Coefficient
		want               estimate.Verdict
	}{
		{"equal", at(1, .01), at(1, .01), estimate.Same},
		{"grown is no loss", at(1, .01), at(3, .01), estimate.Same},
		{"exactly four fifths is the same", at(1, .01), at(.8, .01), estimate.Same},
		{"below four fifths", at(-1, .01), at(-.79, .01), estimate.Weaker},
		{"no longer significant", at(1, .01), at(.9, .05), estimate.Lost},
		{"other sign, not significant", at(1, .01), at(-.2, .5), estimate.Lost},
		{"other sign, significant", at(1, .01), at(-.2, .01), estimate.Flipped},
		{"never significant", at(1, .2), at(-1, .2), estimate.Same},
		{"significant by the scramble", at(1, .2), at(-1, .01), estimate.Gained},
		{"regressor dropped", at(1, .01), none, estimate.Lost},
		{"nothing there, nothing left", at(1, .2), none, estimate.Same},
		{"nothing to compare with", none, at(1, .01), estimate.Unknown},
		{"no test on the release", at(1, .01), untested, estimate.Unknown},
	}
	for _, tc := range tests {
		if got := estimate.Compare(tc.original, tc.released); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.why, got, tc.want)
		}
	}
}
