package estimate_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/estimate"
	"scramblelab/internal/rng"
)

// counts draws a Poisson model with slopes .3 and -.2 and effects of groups.
func counts(seed uint64, n, groups int) estimate.Count {
	var c estimate.Count
	c.X, c.Names = make([][]float64, 2), []string{"a", "b"}
	var set []int32
	for i := range n {
		g := rng.Sim(seed).Stream(1, uint64(i))
		k := g.IntN(groups)
		a, b := g.Normal()+float64(k%3), g.Normal()
		mu := math.Exp(.5 + .3*a - .2*b + float64(k%5)/4)
		c.X[0], c.X[1] = append(c.X[0], a), append(c.X[1], b)
		c.Y = append(c.Y, float64(g.Poisson(mu)))
		set = append(set, int32(k))
	}
	c.Absorb, c.Cluster = [][]int32{set}, set
	return c
}

func TestPPMLSolvesTheScores(t *testing.T) {
	c := counts(1, 900, 30)
	c.KeepResiduals = true
	f, err := estimate.PPML(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	var score [2]float64
	sums := make([]float64, 30)
	for i, e := range f.Residuals {
		score[0] += e * c.X[0][i]
		score[1] += e * c.X[1][i]
		sums[c.Absorb[0][i]] += e
	}
	for _, s := range append(score[:], sums...) {
		if math.Abs(s) > 1e-6 {
			t.Errorf("scores %v and sums by group %v, want 0", score, sums)
			break
		}
	}
	if b := f.Coef; math.Abs(b[0].Estimate-.3) > 4*b[0].StdErr || math.Abs(b[1].Estimate+.2) > 4*b[1].StdErr {
		t.Errorf("slopes %+v, want .3 and -.2", b)
	}
	// The standard error is the sandwich of the weighted regression with dummies.
	s := c.Spec
	s.Weights = make([]float64, len(s.Y))
	z := make([]float64, len(s.Y))
	level := groupLevels(f, c)
	for i, y := range c.Y {
		mu := y - f.Residuals[i]
		s.Weights[i] = mu
		z[i] = f.Coef[0].Estimate*c.X[0][i] + f.Coef[1].Estimate*c.X[1][i] + level[c.Absorb[0][i]] + (y-mu)/mu
	}
	s.Y, s.Absorb = z, nil
	b, se := dense(s, c.Absorb)
	want := []float64{f.Coef[0].Estimate, f.Coef[1].Estimate, se[0] * small(f.Fit), se[1] * small(f.Fit)}
	got := []float64{b[0], b[1], f.Coef[0].StdErr, f.Coef[1].StdErr}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-6, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func groupLevels(f estimate.CountFit, c estimate.Count) map[int32]float64 {
	out := map[int32]float64{}
	for i, g := range c.Absorb[0] {
		out[g] = math.Log(c.Y[i]-f.Residuals[i]) - f.Coef[0].Estimate*c.X[0][i] - f.Coef[1].Estimate*c.X[1][i]
	}
	return out
}

// TestPPMLEqualsTheRatio: with one cohort, two periods and no covariates PPML
// with unit and period effects, the ratio of sums and the ratio form of the
// event study are one number.
func TestPPMLEqualsTheRatio(t *testing.T) {
	p := rows([]float64{1, 10, 33}, []float64{1, 20, 27}, []float64{-1, 5, 6}, []float64{-1, 10, 12}, []float64{-1, 7, 0})
	d := make([]float64, len(p.Y))
	for i := range d {
		if p.Cohort[i] == 1 && p.Time[i] == 1 {
			d[i] = 1
		}
	}
	f, err := estimate.PPML(ctx, estimate.Count{Spec: estimate.Spec{Y: p.Y, X: [][]float64{d}, Names: []string{"did"}, Absorb: [][]int32{p.Unit, p.Time}, Cluster: p.Unit}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := estimate.EventStudyStaggered(ctx, p, estimate.StaggeredOptions{Form: estimate.Ratio})
	if err != nil {
		t.Fatal(err)
	}
	k0, _ := e.Get(0)
	want := math.Log(60.0 / 30 / (18.0 / 22))
	if math.Abs(f.Coef[0].Estimate-want) > 1e-9 || math.Abs(k0.Estimate-want) > 1e-9 {
		t.Errorf("PPML %v and event study %v, want %v", f.Coef[0].Estimate, k0.Estimate, want)
	}
}

func TestPPMLLaws(t *testing.T) {
	c := counts(4, 600, 20)
	f, err := estimate.PPML(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	scaled := c
	scaled.Y, scaled.Offset = nil, nil
	for i, y := range c.Y {
		scaled.Y = append(scaled.Y, y*7*math.Exp(.1*float64(i%4)))
		scaled.Offset = append(scaled.Offset, .1*float64(i%4))
	}
	unscaled := c
	unscaled.Weights = make([]float64, len(c.Y))
	for i := range c.Y {
		unscaled.Weights[i] = math.Exp(-.1 * float64(i%4))
	}
	a, err := estimate.PPML(ctx, unscaled)
	if err != nil {
		t.Fatal(err)
	}
	unscaled.Y, unscaled.Offset = scaled.Y, scaled.Offset
	for i := range unscaled.Weights {
		unscaled.Weights[i] *= math.Exp(-.1 * float64(i%4))
	}
	b, err := estimate.PPML(ctx, unscaled)
	if err != nil {
		t.Fatal(err)
	}
	for k := range f.Coef {
		if math.Abs(a.Coef[k].Estimate-b.Coef[k].Estimate) > 1e-8 || math.Abs(a.Coef[k].StdErr-b.Coef[k].StdErr) > 1e-8 {
			t.Errorf("exposure: %+v, want %+v", b.Coef[k], a.Coef[k])
		}
	}
}

func TestPPMLSeparation(t *testing.T) {
	c := counts(2, 400, 10)
	for i, k := range c.Absorb[0] {
		if k == 3 {
			c.Y[i] = 0 // an employer without staff throughout
		}
	}
	flag := make([]float64, len(c.Y))
	marked := 0
	for i := range flag {
		if i%50 == 0 && c.Absorb[0][i] != 3 {
			flag[i], c.Y[i] = 1, 0 // marked rows never have staff
			marked++
		}
	}
	plain, err := estimate.PPML(ctx, without(c, flag))
	if err != nil {
		t.Fatal(err)
	}
	c.X, c.Names = append(c.X, flag), append(c.Names, "flag")
	f, err := estimate.PPML(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Separated) != 2 || f.Separated[0].By != "absorbed set 0" || f.Separated[1].Rows != marked || !strings.Contains(f.Separated[1].By, "flag") {
		t.Errorf("separated %+v, want set 0 and %d rows by flag", f.Separated, marked)
	}
	if c, _ := f.Get("flag"); !c.Dropped {
		t.Errorf("%+v: what separates cannot be estimated", c)
	}
	for k := range plain.Coef {
		if math.Abs(f.Coef[k].Estimate-plain.Coef[k].Estimate) > 1e-7 {
			t.Errorf("%s is %v, without the separated rows %v", f.Coef[k].Name, f.Coef[k].Estimate, plain.Coef[k].Estimate)
		}
	}
}

// without leaves out the rows marked.
func without(c estimate.Count, flag []float64) (out estimate.Count) {
	out.Names, out.X, out.Absorb = c.Names, make([][]float64, len(c.X)), make([][]int32, 1)
	for i := range flag {
		if flag[i] == 0 {
			out.Y, out.Absorb[0] = append(out.Y, c.Y[i]), append(out.Absorb[0], c.Absorb[0][i])
			for j := range c.X {
				out.X[j] = append(out.X[j], c.X[j][i])
			}
		}
	}
	out.Cluster = out.Absorb[0]
	return out
}

func TestPPMLRefusals(t *testing.T) {
	for name, change := range map[string]func(c *estimate.Count){
		"negative": func(c *estimate.Count) { c.Y[0] = -1 },
		"offset":   func(c *estimate.Count) { c.Offset = []float64{1} },
		"all zero": func(c *estimate.Count) { clear(c.Y) },
		"nothing": func(c *estimate.Count) {
			for i := range c.Y {
				c.Y[i] = math.NaN()
			}
		},
	} {
		c := counts(3, 50, 5)
		change(&c)
		if _, err := estimate.PPML(ctx, c); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}
