package estimate_test

import (
	"cmp"
	"math"
	"testing"

	"scramblelab/internal/estimate"
	"scramblelab/internal/infer"
	"scramblelab/internal/rng"
)

// design is a simulated panel of employers, 2003-2021, whose log head counts
// follow Δy_t = sector-year shock + reversion·y_{t-1} + momentum·Δy_{t-1} + noise:
// trends are parallel given sector, size and lagged growth of the base year, and
// only then. Units adopt with a hazard that rises with size and lagged growth.
type design struct {
	units       int
	hazard      float64 // yearly, of a mean employer
	never       float64 // share that can never adopt
	effects     []float64
	early       float64 // effects of the first cohort are 1+early as large, falling to 1
	spread      float64 // sd of effects between units, as a share
	sized       bool    // noise falls with size
	pretrend    float64 // yearly, of those who ever adopt
	gaps        float64 // share of rows lacking
	selection   float64 // of size, lagged growth and sector on the log hazard
	sectorNoise float64
	noise       float64 // sd of yearly growth where it does not fall with size; 0: .18
	steady      bool    // sizes are random walks: no sector trends, reversion or momentum
	all         bool    // whoever has not adopted does so in the last cohort
}

type simulated struct {
	p     estimate.Staggered
	size  []float64            // head count by row
	truth map[[2]int32]float64 // by unit, period
}

const (
	firstYear, lastYear = int32(2003), int32(2021)
	firstCohort         = int32(2006)
	lastCohort          = int32(2018)
)

func (d design) draw(seed uint64) simulated {
	years := int(lastYear-firstYear) + 1
	shock := make([][]float64, 8)
	for s := range shock {
		g := rng.Sim(seed).Stream(1, uint64(s))
		for range years {
			shock[s] = append(shock[s], d.sectorNoise*g.Normal())
		}
	}
	out := simulated{truth: map[[2]int32]float64{}}
	var size, growth, weight []float64
	var sector []int32
	for u := range int32(d.units) {
		g := rng.Sim(seed).Stream(2, uint64(u))
		c := min(g.IntN(8), g.IntN(8))
		y := 2.5 + 1.1*g.Normal()
		last := 0.0
		can := !g.Bool(d.never)
		ability := g.Normal()
		cohort := estimate.NeverTreated
		path := make([]float64, years)
		lag := make([]float64, years)
		for t := range years {
			year := firstYear + int32(t)
			if can && cohort == estimate.NeverTreated && year >= firstCohort && year <= lastCohort {
				h := d.hazard * math.Exp(d.selection*(y-2.5+3*last+float64(c%2)))
				if g.Bool(min(1, h)) || d.all && year == lastCohort {
					cohort = year
				}
			}
			sd := cmp.Or(d.noise, .18)
			if d.sized {
				sd = min(.5, .35*math.Exp(-.25*(y-1)))
			}
			noise := g.Laplace(sd)
			if t == 0 {
				path[t], lag[t] = y, 0
				last = 0
				continue
			}
			step := noise
			if !d.steady {
				step += shock[c][t] + .01*float64(c) - .06*(y-2.5) + .3*last
			}
			last = step
			y += step
			path[t], lag[t] = y, step
		}
		for t := range years {
			year := firstYear + int32(t)
			v := path[t]
			if cohort != estimate.NeverTreated {
				v += d.pretrend * float64(t)
				if year >= cohort {
					k := min(int(year-cohort), len(d.effects)-1)
					e := d.effects[k] * (1 + d.early*float64(lastCohort-cohort)/float64(lastCohort-firstCohort)) * (1 + d.spread*ability)
					out.truth[[2]int32{u, year}] = e
					v += e
				}
			}
			if g.Bool(d.gaps) {
				continue
			}
			out.p.Y, out.p.Unit = append(out.p.Y, v), append(out.p.Unit, u)
			out.p.Time, out.p.Cohort = append(out.p.Time, year), append(out.p.Cohort, cohort)
			size, growth, sector = append(size, v), append(growth, lag[t]), append(sector, int32(c))
			weight = append(weight, math.Ceil(math.Exp(v)))
		}
	}
	out.size = weight
	out.p.Covariates = []estimate.Covariate{{Name: "sector", Codes: sector}, {Name: "log size", Values: size}, {Name: "lagged growth", Values: growth}}
	return out
}

// target is the mean of the true effects over what a coefficient used.
func (s simulated) target(f estimate.StaggeredFit, from, to int32) float64 {
	var sum, weights float64
	for _, u := range f.Used {
		if k := u.Time - u.Cohort; k >= from && k <= to {
			sum += u.Weight * s.truth[[2]int32{u.Unit, u.Time}]
			weights += u.Weight
		}
	}
	return sum / weights
}

var grown = design{
	units: 300, hazard: .02, never: .3, effects: []float64{.01, .03, .05, .07, .09}, early: 1, spread: .5,
	sized: true, gaps: .03, selection: .5, sectorNoise: .04,
}

type tallyOf struct{ runs, covered int }

// coverage counts, by coefficient, how often intervals cover the truth in so
// many populations, and how often the pre-trend test passes at 5 %.
func (d design) coverage(tb testing.TB, seed uint64, runs int, worker bool, o estimate.StaggeredOptions) (byEvent map[int32]tallyOf, pre tallyOf) {
	tb.Helper()
	o.Keep = true
	byEvent = map[int32]tallyOf{}
	for r := range runs {
		s := d.draw(seed + uint64(r))
		if worker {
			s.p.Weights = s.size
		}
		f, err := estimate.EventStudyStaggered(ctx, s.p, o)
		if err != nil {
			tb.Fatal(err)
		}
		for _, c := range f.Coef {
			if math.IsNaN(c.StdErr) {
				continue
			}
			truth := 0.0
			if c.Event >= 0 {
				to := c.Event
				if c.Event == o.Last && o.PoolLast {
					to = lastYear
				}
				truth = s.target(f, c.Event, to)
			}
			n := byEvent[c.Event]
			n.runs++
			if c.Low <= truth && truth <= c.High {
				n.covered++
			}
			byEvent[c.Event] = n
		}
		if f.PreTrend.Reason == "" {
			pre.runs++
			if f.PreTrend.FP >= .05 {
				pre.covered++
			}
		}
	}
	return byEvent, pre
}

// covers checks coverage against the exact binomial band at a false-alarm rate
// of 0.1 % for all coefficients together, around 95 %. Tilted controls have few
// effective ones, and their intervals err on the wide side: 95 to 97.5 %.
func covers(tb testing.TB, d design, runs int, worker bool, adjust estimate.Adjustment) {
	tb.Helper()
	o := estimate.StaggeredOptions{First: -4, Last: 4, PoolLast: true, StayWeights: true, Adjust: adjust}
	by, pre := d.coverage(tb, 100_000, runs, worker, o)
	for k := o.First; k <= o.Last; k++ {
		n := by[k]
		if n.runs == 0 {
			continue // held exactly by the covariates
		}
		lo, hi := infer.BinomialBand(n.runs, .95, .001/8)
		if adjust == estimate.DoublyRobust {
			_, hi = infer.BinomialBand(n.runs, .975, .001/8)
		}
		tb.Logf("k%d: covered %d of %d (%.3f), band %d to %d", k, n.covered, n.runs, float64(n.covered)/float64(n.runs), lo, hi)
		if n.covered < lo || n.covered > hi {
			tb.Errorf("k%d: covered %d of %d, want %d to %d", k, n.covered, n.runs, lo, hi)
		}
	}
	lo, _ := infer.BinomialBand(pre.runs, .95, .001/8)
	tb.Logf("pre-trend test passes %d of %d", pre.covered, pre.runs)
	if pre.covered < lo {
		tb.Errorf("pre-trend test passes %d of %d, want at least %d", pre.covered, pre.runs, lo)
	}
}

// TestCoverageOfStaggered: in populations of 300 employers whose adoption
// follows size, sector and lagged growth, with regression to the mean and
// effects that grow with exposure and are larger for early adopters, intervals
// cover the mean effect on the treated.
func TestCoverageOfStaggered(t *testing.T) {
	if testing.Short() {
		covers(t, grown, 25, false, estimate.Regression)
		return
	}
	for _, tc := range coverageCases {
		t.Run(tc.name, func(t *testing.T) { covers(t, grown, 40, tc.worker, tc.adjust) })
	}
}

var coverageCases = []struct {
	name   string
	worker bool
	adjust estimate.Adjustment
}{
	{"employers", false, estimate.Regression},
	{"workers", true, estimate.Regression},
	{"pooled", false, estimate.Pooled},
	{"doubly-robust", false, estimate.DoublyRobust},
}

// BenchmarkCoverageOfStaggered is the same over 1,000 populations.
func BenchmarkCoverageOfStaggered(b *testing.B) {
	for _, tc := range coverageCases {
		b.Run(tc.name, func(b *testing.B) {
			for b.Loop() {
				covers(b, grown, 1000, tc.worker, tc.adjust)
			}
		})
	}
}

// TestNaiveMissesWhereRobustCovers: nobody is never treated, effects grow with
// exposure and are larger for early adopters; adoption is at random, so that
// nothing but the weights of two-way fixed effects is at fault. Static and
// dynamic two-way fixed effects then miss the mean effect on the treated; without
// effects they cover. Bands are exact binomial at 0.1 % for each side.
func TestNaiveMissesWhereRobustCovers(t *testing.T) {
	runs := 40
	if testing.Short() {
		runs = 20
	}
	for _, world := range []struct {
		name    string
		effects []float64
		miss    bool
	}{
		{"productivity", []float64{.01, .03, .05, .07, .09}, true},
		{"displacement", []float64{0, -.02, -.035, -.045, -.05}, true},
		{"null", []float64{0, 0, 0, 0, 0}, false},
	} {
		t.Run(world.name, func(t *testing.T) {
			d := design{units: 300, hazard: .1, effects: world.effects, early: 3, noise: .02, steady: true, all: true}
			var static, dynamic, placebo, robust int
			for r := range runs {
				s := d.draw(uint64(900_000 + r))
				s.p.Covariates = nil
				f, err := estimate.EventStudyStaggered(ctx, s.p, estimate.StaggeredOptions{Last: 4, PoolLast: true, Keep: true})
				if err != nil {
					t.Fatal(err)
				}
				k4, _ := f.Get(4)
				if truth := s.target(f, 4, lastYear); k4.Low <= truth && truth <= k4.High {
					robust++
				}
				var all, late, n, nl float64
				for i, g := range s.p.Cohort {
					if k := s.p.Time[i] - g; k >= 0 {
						e := s.truth[[2]int32{s.p.Unit[i], s.p.Time[i]}]
						if all, n = all+e, n+1; k >= 4 {
							late, nl = late+e, nl+1
						}
					}
				}
				a, err := s.p.NaiveDiD(ctx, 0)
				if err != nil {
					t.Fatal(err)
				}
				if c := a.Coef[0]; c.Low <= all/n && all/n <= c.High {
					static++
				}
				b, err := s.p.NaiveEventStudy(ctx, -5, 4, 0)
				if err != nil {
					t.Fatal(err)
				}
				if c, _ := b.Get("k4"); c.Low <= late/nl && late/nl <= c.High {
					dynamic++
				}
				if c, _ := b.Get("k-5"); c.Low <= 0 && 0 <= c.High {
					placebo++
				}
			}
			t.Logf("of %d: static covers %d, dynamic %d (its placebo -5: %d), robust %d", runs, static, dynamic, placebo, robust)
			lo, _ := infer.BinomialBand(runs, .94, .002)
			if robust < lo {
				t.Errorf("the robust estimator covers %d of %d, want at least %d", robust, runs, lo)
			}
			for name, covered := range map[string]int{"static": static, "dynamic": dynamic, "the placebo of dynamic": placebo} {
				if world.miss && covered >= lo/2 {
					t.Errorf("%s two-way fixed effects cover %d of %d: the design does not show their fault", name, covered, runs)
				}
				if !world.miss && covered < lo {
					t.Errorf("%s two-way fixed effects cover %d of %d without effects, want at least %d", name, covered, runs, lo)
				}
			}
		})
	}
}
