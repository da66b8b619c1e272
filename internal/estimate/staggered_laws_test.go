package estimate_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"scramblelab/internal/estimate"
	"scramblelab/internal/rng"
)

// TestInfluenceIsWhatUnitsDo: the variance is close to the jackknife's by brute
// force, refitting without each unit.
func TestInfluenceIsWhatUnitsDo(t *testing.T) {
	if testing.Short() {
		t.Skip("refits")
	}
	d := grown
	d.units, d.gaps = 100, 0
	for _, o := range []estimate.StaggeredOptions{
		// Not doubly robust: without some units a cohort cannot be tilted.
		{Last: 2}, {Last: 2, Adjust: estimate.Pooled}, {Last: 2, Form: estimate.Ratio},
	} {
		s := d.draw(8)
		if o.Form == estimate.Ratio {
			s.p.Y = s.size
		}
		f, err := estimate.EventStudyStaggered(ctx, s.p, o)
		if err != nil {
			t.Fatal(err)
		}
		squares := make([]float64, len(f.Coef))
		for u := range int32(d.units) {
			q := s.p
			q.Clean = make([]bool, len(q.Y))
			q.Unit = slices.Clone(q.Unit)
			for i := range q.Unit {
				if q.Clean[i] = true; q.Unit[i] == u {
					q.Unit[i] = -1
				}
			}
			g, err := estimate.EventStudyStaggered(ctx, q, o)
			if err != nil {
				t.Fatal(err)
			}
			for k, c := range g.Coef {
				squares[k] += (c.Estimate - f.Coef[k].Estimate) * (c.Estimate - f.Coef[k].Estimate)
			}
		}
		for k, c := range f.Coef {
			brute := math.Sqrt(squares[k] * float64(d.units-1) / float64(d.units))
			t.Logf("%s %s %s: %.4f, by brute force %.4f", o.Adjust, o.Form, c.Name, c.StdErr, brute)
			if r := c.StdErr / brute; r < .85 || r > 1.1 {
				t.Errorf("%s %s %s: standard error %v, jackknife %v", o.Adjust, o.Form, c.Name, c.StdErr, brute)
			}
		}
	}
}

func TestStaggeredLaws(t *testing.T) {
	if testing.Short() {
		t.Skip("many draws")
	}
	s := grown.draw(21)
	o := estimate.StaggeredOptions{First: -4, Last: 4, PoolLast: true, StayWeights: true, Keep: true}
	fit := func(p estimate.Staggered, o estimate.StaggeredOptions) estimate.StaggeredFit {
		t.Helper()
		f, err := estimate.EventStudyStaggered(ctx, p, o)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, adjust := range []estimate.Adjustment{estimate.Regression, estimate.Pooled, estimate.DoublyRobust} {
		o.Adjust = adjust
		want := fit(s.p, o)
		t.Run(string(adjust)+"/order of rows", func(t *testing.T) {
			order := make([]int, len(s.p.Y))
			for i := range order {
				order[i] = i
			}
			rng.Shuffle(rng.Sim(1).Stream(1, 1), order)
			if diff := cmp.Diff(want, fit(taken(s.p, order), o), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
		t.Run(string(adjust)+"/processors", func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(5))
			if diff := cmp.Diff(want, fit(s.p, o), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
		t.Run(string(adjust)+"/unit and period constants, scale", func(t *testing.T) {
			p := s.p
			p.Y = slices.Clone(p.Y)
			for i := range p.Y {
				p.Y[i] = 3 * (p.Y[i] + 5*float64(p.Unit[i]%17) + math.Sin(float64(p.Time[i])))
			}
			got := fit(p, o)
			for k, c := range got.Coef {
				w := want.Coef[k]
				if math.Abs(c.Estimate-3*w.Estimate) > 1e-9 || math.Abs(c.StdErr-3*w.StdErr) > 1e-9 {
					t.Errorf("%s: %v ± %v, want %v ± %v", c.Name, c.Estimate, c.StdErr, 3*w.Estimate, 3*w.StdErr)
				}
			}
		})
		t.Run(string(adjust)+"/rescaled and repeated covariates", func(t *testing.T) {
			p := s.p
			twice := slices.Clone(p.Covariates[1].Values)
			for i := range twice {
				twice[i] = 7 - 100*twice[i]
			}
			p.Covariates = append(slices.Clone(p.Covariates), estimate.Covariate{Name: "again", Values: twice})
			oo := o
			oo.StayWeights = false
			a, b := fit(s.p, oo), fit(p, oo)
			for k, c := range b.Coef {
				if math.Abs(c.Estimate-a.Coef[k].Estimate) > 1e-8 {
					t.Errorf("%s: %v, want %v: what is said twice counts once", c.Name, c.Estimate, a.Coef[k].Estimate)
				}
			}
		})
	}
}

func taken(p estimate.Staggered, order []int) (q estimate.Staggered) {
	q.Covariates = slices.Clone(p.Covariates)
	for j := range q.Covariates {
		q.Covariates[j].Values, q.Covariates[j].Codes = nil, nil
	}
	for _, i := range order {
		q.Y, q.Unit, q.Time, q.Cohort = append(q.Y, p.Y[i]), append(q.Unit, p.Unit[i]), append(q.Time, p.Time[i]), append(q.Cohort, p.Cohort[i])
		for j, c := range p.Covariates {
			if c.Values != nil {
				q.Covariates[j].Values = append(q.Covariates[j].Values, c.Values[i])
			} else {
				q.Covariates[j].Codes = append(q.Covariates[j].Codes, c.Codes[i])
			}
		}
	}
	return q
}

// TestStaggeredNumberOrReason: whatever the panel, no panic, and each
// coefficient has all its numbers, in order, or says why not.
func TestStaggeredNumberOrReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Map(rapid.IntRange(0, 3), func(i int) float64 { return float64(i) }), rapid.Float64Range(0, 1e6), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), 1e12}))
		var p estimate.Staggered
		units, periods := rapid.IntRange(1, 14).Draw(t, "units"), rapid.IntRange(1, 5).Draw(t, "periods")
		var x []float64
		var c, c2 []int32
		for u := range units {
			g := rapid.SampledFrom([]int32{never, 0, 1, 2, 3, 9}).Draw(t, "cohort")
			for y := range periods {
				if rapid.IntRange(0, 6).Draw(t, "gap") == 0 {
					continue
				}
				p.Y, p.Unit, p.Time, p.Cohort = append(p.Y, value.Draw(t, "y")), append(p.Unit, int32(u)), append(p.Time, int32(y)), append(p.Cohort, g)
				p.Weights, p.Clean = append(p.Weights, rapid.SampledFrom([]float64{0, 1, .3, 50, math.NaN()}).Draw(t, "w")), append(p.Clean, rapid.IntRange(0, 8).Draw(t, "clean") > 0)
				x, c, c2 = append(x, value.Draw(t, "x")), append(c, rapid.Int32Range(-1, 2).Draw(t, "c")), append(c2, rapid.Int32Range(0, 1).Draw(t, "c2"))
			}
		}
		p.Covariates = []estimate.Covariate{{Name: "x", Values: x}, {Name: "c", Codes: c}, {Name: "c2", Codes: c2}}[:rapid.IntRange(0, 3).Draw(t, "covariates")]
		for i := range p.Covariates {
			if len(p.Y) == 0 {
				p.Covariates[i].Values = []float64{}
			}
		}
		o := estimate.StaggeredOptions{
			First: -2, Last: 2, PoolLast: rapid.Bool().Draw(t, "pool"), MinControls: rapid.IntRange(1, 3).Draw(t, "min"), StayWeights: rapid.Bool().Draw(t, "stay"),
			Adjust: rapid.SampledFrom([]estimate.Adjustment{"", estimate.Pooled, estimate.DoublyRobust}).Draw(t, "adjust"),
			Base:   rapid.SampledFrom([]estimate.BasePeriod{"", estimate.Varying}).Draw(t, "base"),
		}
		if o.Adjust != estimate.DoublyRobust && rapid.Bool().Draw(t, "ratio") {
			o.Form = estimate.Ratio
		}
		f, err := estimate.EventStudyStaggered(ctx, p, o)
		if errors.Is(err, estimate.ErrNoRows) || errors.Is(err, estimate.ErrNoComparison) || len(p.Y) == 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Coef {
			finite := true
			for _, v := range []float64{c.Estimate, c.StdErr, c.T, c.P, c.Low, c.High, c.DF} {
				finite = finite && !math.IsNaN(v) && !math.IsInf(v, 0)
			}
			if finite != (c.Reason == "") || finite && !(c.Low <= c.Estimate && c.Estimate <= c.High && c.StdErr > 0) {
				t.Fatalf("%+v", c)
			}
			if c.Dropped != math.IsNaN(c.Estimate) {
				t.Fatalf("%+v: dropped and estimated", c)
			}
		}
	})
}

// BenchmarkEventStudyStaggered: 19 years, 13 cohorts, event times -5 to 4+, a
// category and two numbers as covariates.
func BenchmarkEventStudyStaggered(b *testing.B) {
	run := func(name string, employers int, o estimate.StaggeredOptions) {
		b.Run(fmt.Sprintf("%s/employers=%d", name, employers), func(b *testing.B) {
			d := grown
			d.units, d.hazard = employers, .004
			s := d.draw(1)
			if o.Form == estimate.Ratio {
				s.p.Y = s.size
			}
			o.First, o.Last, o.PoolLast = -5, 4, true
			b.ResetTimer()
			for b.Loop() {
				if _, err := estimate.EventStudyStaggered(ctx, s.p, o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(s.p.Y))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	for _, n := range []int{3_000, 20_000, 90_000} {
		run("regression", n, estimate.StaggeredOptions{})
	}
	run("stay-weights", 20_000, estimate.StaggeredOptions{StayWeights: true})
	run("pooled", 20_000, estimate.StaggeredOptions{Adjust: estimate.Pooled})
	run("doubly-robust", 20_000, estimate.StaggeredOptions{Adjust: estimate.DoublyRobust})
	run("ratio", 20_000, estimate.StaggeredOptions{Form: estimate.Ratio})
}
