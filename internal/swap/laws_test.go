package swap

import (
	"fmt"
	"math"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

// These tests simulate the laws of swapping of METHODS 3.1. Seeds are fixed;
// tolerances are about four Monte Carlo standard errors or more.

// world is a panel of equally large employers with outcome
// y = alpha_e + epsilon + effect·treated·(year 1), var(alpha) = icc.
type world struct {
	employers, size, treated, years int
	effect, icc                     float64
}

func (w world) draw(seed uint64) *frame.Frame {
	s := rng.Sim(seed).Stream(2, 0)
	names := make([]string, w.employers)
	n := w.employers * w.size * w.years
	employer, year, worker, group, y := make([]int32, 0, n), make([]int32, 0, n), make([]int32, 0, n), make([]int32, 0, n), make([]float64, 0, n)
	for e := range names {
		names[e] = fmt.Sprintf("E%05d", e)
		alpha := float64(math.Sqrt(w.icc) * s.Normal())
		for t := range w.years {
			for k := range w.size {
				v := alpha + float64(math.Sqrt(1-w.icc)*s.Normal())
				treated := int32(0)
				if e < w.treated {
					treated = 1
					v += float64(w.effect * float64(t))
				}
				employer, year, worker = append(employer, int32(e)), append(year, int32(t)), append(worker, int32(e*w.size+k))
				group, y = append(group, treated), append(y, v)
			}
		}
	}
	return frame.Must(frame.Codes(linked.Employer, frame.MustDict(names...), employer), frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker),
		frame.Codes(linked.Group, linked.GroupDict, group), frame.Floats(linked.Wage, y))
}

// did is the worker-weighted two-by-two difference in differences.
func did(f *frame.Frame) float64 {
	var sum, n [2][2]float64
	for i, y := range f.Col(linked.Wage).F {
		g, t := f.Col(linked.Group).I[i], f.Col(linked.Year).I[i]
		sum[g][t] += y
		n[g][t]++
	}
	mean := func(g, t int) float64 { return sum[g][t] / n[g][t] }
	return mean(1, 1) - mean(1, 0) - mean(0, 1) + mean(0, 0)
}

// icc is the intraclass correlation of year 0 from the analysis of variance.
func icc(f *frame.Frame, size int) float64 {
	means, n, grand, total := map[int32]float64{}, 0.0, 0.0, 0.0
	for i, y := range f.Col(linked.Wage).F {
		if f.Col(linked.Year).I[i] == 0 {
			means[f.Col(linked.Employer).I[i]] += y / float64(size)
			grand, total, n = grand+y, total+y*y, n+1
		}
	}
	grand /= n
	between, k := 0.0, float64(len(means))
	for e := range int32(len(means)) {
		between += float64(size) * (means[e] - grand) * (means[e] - grand)
	}
	within := total - n*grand*grand - between
	msb, msw := between/(k-1), within/(n-k)
	b := (msb - msw) / float64(size)
	return b / (b + msw)
}

// TestLaw4AttenuationCase: employer contrasts x (1-s), ICC x (1-s)², and a swap
// inside treatment arms leaves the two-by-two alone.
func TestLaw4AttenuationCase(t *testing.T) {
	if testing.Short() {
		t.Skip("60 replications of six scrambles")
	}
	var c struct {
		Input struct {
			Employers, Size, Treated, Years int
			PlantedDiD                      float64 `json:"planted_did"`
			ICC                             float64 `json:"icc"`
		}
		Cases []struct {
			S         float64
			ICC       float64 `json:"icc_ratio"`
			TheoryICC float64 `json:"theory_icc"`
			DiD       float64
			TheoryDiD float64 `json:"theory_did"`
			Within    float64 `json:"did_swaps_within_treatment_group"`
		}
	}
	sharedtest.Case(t, "utility_swap_attenuation", &c)
	in := c.Input
	const replications, tolerance = 60, 0.02
	type result struct{ ratio, did, within float64 }
	got := make([]result, len(c.Cases))
	for r := range replications {
		f := world{in.Employers, in.Size, in.Treated, in.Years, in.PlantedDiD, in.ICC}.draw(uint64(r))
		before := icc(f, in.Size)
		for k, tt := range c.Cases {
			o := Options{Bundle: []string{linked.Wage}, Joint: true, Rate: tt.S, Same: []string{linked.Year}, Scope: AcrossEmployers}
			arms := o
			arms.Same = []string{linked.Year, linked.Group}
			key := rng.SecretFromSeed(uint64(r))
			swapped, err := Run(t.Context(), f, o, key, 1)
			if err != nil {
				t.Fatal(err)
			}
			inside, err := Run(t.Context(), f, arms, key, 2)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := did(f), did(inside.Frame); math.Abs(a-b) > 1e-9 {
				t.Fatalf("s=%v: a swap inside arm and year moved the two-by-two from %v to %v", tt.S, a, b)
			}
			got[k].ratio += icc(swapped.Frame, in.Size) / before / replications
			got[k].did += did(swapped.Frame) / replications
			got[k].within += did(inside.Frame) / replications
		}
	}
	for k, tt := range c.Cases {
		t.Logf("s=%v: icc ratio %.4f (law %.4f), did %.4f (law %.4f), inside arms %.4f", tt.S, got[k].ratio, tt.TheoryICC, got[k].did, tt.TheoryDiD, got[k].within)
		for _, d := range []struct {
			name       string
			got, want1 float64
			want2      float64
		}{{"icc ratio", got[k].ratio, tt.ICC, tt.TheoryICC}, {"did", got[k].did, tt.DiD, tt.TheoryDiD}, {"did inside arms", got[k].within, tt.Within, in.PlantedDiD}} {
			if math.Abs(d.got-d.want1) > tolerance || math.Abs(d.got-d.want2) > tolerance {
				t.Errorf("s=%v: %s is %.4f, want %.4f (case) and %.4f (law) to within %v", tt.S, d.name, d.got, d.want1, d.want2, tolerance)
			}
		}
	}
}

// TestLaw1ContrastInStrata: a worker-level contrast shrinks by 1-s(1-R²), R²
// being what the strata explain of the treatment. Eight scrambles of 60,000
// workers: the slope has standard error 0.003.
func TestLaw1ContrastInStrata(t *testing.T) {
	if testing.Short() {
		t.Skip("eight scrambles of 60,000 rows")
	}
	const n, s = 60000, 0.4
	draw := rng.Sim(4).Stream(3, 0)
	employer, treated, level, y := make([]int32, n), make([]int32, n), make([]int32, n), make([]float64, n)
	for i := range n {
		employer[i], level[i] = int32(i), int32(draw.IntN(3))
		if draw.Bool([]float64{0.1, 0.4, 0.8}[level[i]]) {
			treated[i] = 1
		}
		y[i] = float64(treated[i]) + float64(0.5*draw.Normal())
	}
	// Identifiers are wide integers: employers of one.
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("E%06d", i)
	}
	f := frame.Must(frame.Codes(linked.Employer, frame.MustDict(names...), employer), frame.Ints(linked.Year, make([]int32, n)),
		frame.Ordered(linked.Level, levelDict, level), frame.Codes(linked.Group, linked.GroupDict, treated), frame.Floats(linked.Wage, y))
	slope := func(f *frame.Frame) float64 {
		var sum, k [2]float64
		for i, v := range f.Col(linked.Wage).F {
			sum[treated[i]] += v
			k[treated[i]]++
		}
		return sum[1]/k[1] - sum[0]/k[0]
	}
	var by [3][2]float64
	all := [2]float64{}
	for i := range n {
		by[level[i]][0]++
		by[level[i]][1] += float64(treated[i])
		all[0]++
		all[1] += float64(treated[i])
	}
	mean, explained := all[1]/all[0], 0.0
	for _, b := range by {
		explained += b[0] / n * math.Pow(b[1]/b[0]-mean, 2)
	}
	r2 := explained / (mean * (1 - mean))
	for _, tt := range []struct {
		name string
		same []string
		r2   float64
	}{{"one pool", nil, 0}, {"by level", []string{linked.Level}, r2}, {"by arm", []string{linked.Group}, 1}} {
		got := 0.0
		for step := range 8 {
			r, err := Run(t.Context(), f, Options{Bundle: []string{linked.Wage}, Rate: s, Same: tt.same}, seed, step)
			if err != nil {
				t.Fatal(err)
			}
			got += slope(r.Frame) / slope(f) / 8
		}
		want := 1 - float64(s*(1-tt.r2))
		t.Logf("%s: R² %.3f, factor %.4f, law %.4f", tt.name, tt.r2, got, want)
		if math.Abs(got-want) > 0.012 {
			t.Errorf("%s: the contrast shrinks to %.4f, want %.4f", tt.name, got, want)
		}
	}
}

// TestLaw2CohortsAreExact: strata of event cohort x year keep every linear
// worker-weighted estimator of staggered effects: cohort sums are the same.
// Strata of arm x year do not.
func TestLaw2CohortsAreExact(t *testing.T) {
	f := population(6, 200, 5, 50)
	cohort := make([]int32, f.Rows())
	for i, e := range f.Col(linked.Employer).I {
		cohort[i] = []int32{frame.NoInt, 2011, 2012, 2013}[e%4]
	}
	f = f.With(frame.Ints(linked.EventYear, cohort))
	o := Options{Bundle: []string{linked.Wage}, Rate: 0.5, Scope: AcrossEmployers, Same: []string{linked.EventYear, linked.Year}}
	before := sums(f, linked.Wage, linked.EventYear, linked.Year)
	same := func(o Options) bool {
		after := sums(must(t, f, o).Frame, linked.Wage, linked.EventYear, linked.Year)
		for k, v := range before {
			if after[k] != v {
				return false
			}
		}
		return true
	}
	if !same(o) {
		t.Error("strata of event cohort x year moved a cohort's wages")
	}
	o.Same = []string{linked.Group, linked.Year}
	if same(o) {
		t.Error("strata of arm x year kept every cohort's wages: the test shows nothing")
	}
}

// TestLaw3HeadCountsByLevelChangeSign: E ñ_l = (1-s)n_l + s·q_l·N, so an
// employer that loses low-skilled workers while it grows seems to gain them
// (true -0.02, total +0.09). Sums over 400 treated employers and 10 scrambles
// of about 80,000 workers a year: standard error at most 0.0016 (at s=0.5, from
// some 20,000 exchanges in each year).
func TestLaw3HeadCountsByLevelChangeSign(t *testing.T) {
	if testing.Short() {
		t.Skip("ten scrambles of 160,000 rows")
	}
	var employer, year, level []int32
	var names []string
	for e := range 800 {
		names = append(names, fmt.Sprintf("E%05d", e))
		for y := range 2 {
			low, high := 50, 50
			if e < 400 && y == 1 {
				low, high = 49, 60 // log changes -0.0202 and +0.18; total +0.086
			}
			for k := range low + high {
				l := int32(0)
				if k >= low {
					l = 2
				}
				employer, year, level = append(employer, int32(e)), append(year, int32(y)), append(level, l)
			}
		}
	}
	f := frame.Must(frame.Codes(linked.Employer, frame.MustDict(names...), employer), frame.Ints(linked.Year, year), frame.Ordered(linked.Level, levelDict, level))
	effect := func(f *frame.Frame, level int32) float64 {
		var n [2]float64
		for i, e := range f.Col(linked.Employer).I {
			if l := f.Col(linked.Level).I[i]; e < 400 && (level < 0 || l == level) {
				n[f.Col(linked.Year).I[i]]++
			}
		}
		return math.Log(n[1] / n[0])
	}
	share := [2]float64{}
	total := [2]float64{}
	for i, l := range level {
		total[year[i]]++
		if l == 0 {
			share[year[i]]++
		}
	}
	for _, s := range []float64{0, 0.1, 0.25, 0.5} {
		got := 0.0
		for step := range 10 {
			r, err := Run(t.Context(), f, Options{Bundle: []string{linked.Level}, Rate: s, Same: []string{linked.Year}, Scope: AcrossEmployers}, seed, step)
			if err != nil {
				t.Fatal(err)
			}
			got += effect(r.Frame, 0) / 10
			if effect(r.Frame, -1) != effect(f, -1) {
				t.Fatalf("s=%v: total head count moved", s)
			}
		}
		n0, n1 := 400*50.0, 400*49.0
		e0 := (1-s)*n0 + s*share[0]/total[0]*400*100
		e1 := (1-s)*n1 + s*share[1]/total[1]*400*109
		want := math.Log(e1 / e0)
		t.Logf("s=%v: low-skilled head count %+.4f, law %+.4f", s, got, want)
		if math.Abs(got-want) > 0.006 {
			t.Errorf("s=%v: low-skilled head count %+.4f, law %+.4f", s, got, want)
		}
		if s == 0.5 && got <= 0 {
			t.Errorf("at s=0.5 the effect is %+.4f: want the sign changed", got)
		}
	}
}
