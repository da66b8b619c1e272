package swap

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// pairings lists all admissible pairings of all units, or of all but those
// that must be left over.
func pairings(employer []int32, pairs int) []string {
	var out []string
	var grow func(from int, used uint, done []string)
	grow = func(from int, used uint, done []string) {
		if len(done) == pairs {
			out = append(out, fmt.Sprint(done))
			return
		}
		for a := from; a < len(employer); a++ {
			for b := a + 1; b < len(employer); b++ {
				if used>>a&1 == 0 && used>>b&1 == 0 && employer[a] != employer[b] {
					grow(a+1, used|1<<a|1<<b, append(slices.Clone(done), fmt.Sprint(a, "-", b)))
				}
			}
		}
	}
	grow(0, 0, nil)
	return out
}

// TestPairingIsCloseToUniform counts n = 40,000 draws against all admissible
// pairings. The total variation distance of uniform draws from k outcomes is
// about sqrt(k/(2πn)) on average and exceeds that by 0.0132 with probability
// exp(-2n·0.0132²) < 1e-6 (McDiarmid).
func TestPairingIsCloseToUniform(t *testing.T) {
	tests := []struct {
		name     string
		employer []int32
		rate     float64
		across   bool
	}{
		{"no constraint", []int32{0, 0, 1, 1, 2, 2}, 1, false},
		{"three of two", []int32{0, 0, 1, 1, 2, 2}, 1, true},
		{"half in one", []int32{0, 0, 0, 1, 2, 2}, 1, true},
		{"more than half in one", []int32{0, 0, 0, 0, 1, 2}, 1, true},
		{"middling", []int32{0, 0, 0, 1, 1, 2, 2, 3}, 1, true},
	}
	const draws = 40000
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen := map[string]int{}
			employer := tt.employer
			g := &stratum{rate: tt.rate, across: tt.across}
			want := 0
			for i := range draws {
				g.reset(Identity(len(employer)), Identity(len(employer)))
				if tt.across {
					g.employer = slices.Clone(employer)
				}
				d := randomPairs(g, seed.Stream("test", uint64(i)))
				want = len(d.pairs) / 2
				var done []string
				for k := 0; k < len(d.pairs); k += 2 {
					a, b := min(d.pairs[k], d.pairs[k+1]), max(d.pairs[k], d.pairs[k+1])
					if tt.across && employer[a] == employer[b] {
						t.Fatalf("colleagues %d and %d are partners", a, b)
					}
					done = append(done, fmt.Sprint(int(a), "-", int(b)))
				}
				slices.Sort(done)
				seen[fmt.Sprint(done)]++
			}
			free := employer
			if !tt.across {
				free = []int32{0, 1, 2, 3, 4, 5}
			}
			all := pairings(free, want)
			distance := 0.0
			for _, p := range all {
				distance += math.Abs(float64(seen[p])/draws-1/float64(len(all))) / 2
			}
			t.Logf("%d outcomes, total variation distance from uniform %.4f", len(all), distance)
			if limit := math.Sqrt(float64(len(all))/(2*math.Pi*draws)) + 0.0132; distance > limit {
				t.Errorf("distance %.4f from uniform over %d pairings, want at most %.4f", distance, len(all), limit)
			}
		})
	}
}

// TestAcrossReachesEverybody: rate 1 is reached whenever no employer has more
// than half of the stratum, and otherwise everybody outside it is paired.
func TestAcrossReachesEverybody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 30), 1, 8).Draw(t, "sizes")
		rate := rapid.SampledFrom([]float64{0.2, 0.5, 0.8, 1}).Draw(t, "rate")
		var employer []int32
		for e, n := range sizes {
			for range n {
				employer = append(employer, int32(e))
			}
		}
		n, big := len(employer), slices.Max(sizes)
		g := &stratum{rate: rate, across: true}
		g.reset(Identity(n), Identity(n))
		g.employer = slices.Clone(employer)
		d := randomPairs(g, seed.Stream("test", uint64(rapid.IntRange(0, 1e6).Draw(t, "stream"))))
		most := min(n/2, n-big)
		want := float64(rate * float64(n) / 2)
		low, high := min(int(math.Floor(want)), most), min(int(math.Ceil(want)), most)
		if got := len(d.pairs) / 2; got < low || got > high {
			t.Fatalf("%d pairs of %v at rate %v, want %d to %d", got, sizes, rate, low, high)
		}
		if int64(n-2*most) != d.odd+d.outside {
			t.Fatalf("%d + %d without a partner, want %d", d.odd, d.outside, n-2*most)
		}
	})
}

// TestColleaguesHaveUnrelatedDonors guards against pairings that carry one
// employer's staff over to another in a block: with 200 employers of 20, the
// donors of colleagues come from nearly as many employers as independent draws
// would give (20·(1-19/(2·199)) = 19.1; standard error of the mean of 200 is
// below 0.1).
func TestColleaguesHaveUnrelatedDonors(t *testing.T) {
	g := &stratum{rate: 1, across: true}
	g.reset(Identity(4000), Identity(4000))
	g.employer = make([]int32, 4000)
	for i := range g.employer {
		g.employer[i] = int32(i / 20)
	}
	d := randomPairs(g, seed.Stream("test", 1))
	partner := make([]int32, 4000)
	for k := 0; k < len(d.pairs); k += 2 {
		partner[d.pairs[k]], partner[d.pairs[k+1]] = d.pairs[k+1], d.pairs[k]
	}
	total := 0
	for e := range 200 {
		from := map[int32]bool{}
		for i := range 20 {
			from[partner[20*e+i]/20] = true
		}
		total += len(from)
	}
	if mean := float64(total) / 200; mean < 18.6 || mean > 19.6 {
		t.Errorf("colleagues' donors come from %.2f employers, want about 19.1", mean)
	}
}

// TestRatesAreFair: the number of pairs is rounded so that its mean is rate·n/2
// (false alarm about 1e-6: 5 standard errors of 20,000 coins).
func TestRatesAreFair(t *testing.T) {
	g := &stratum{rate: 0.25}
	pairs := 0
	for i := range 20000 {
		g.reset(Identity(5), Identity(5)) // 0.625 pairs wanted
		pairs += len(randomPairs(g, seed.Stream("test", uint64(i))).pairs) / 2
	}
	if mean := float64(pairs) / 20000; math.Abs(mean-0.625) > 5*math.Sqrt(0.625*0.375/20000) {
		t.Errorf("%.4f pairs on average, want 0.625", mean)
	}
}

// TestPartnersAreDrawnEvenly: at a rate below 1, units are touched equally often
// wherever no employer can fill more than half of the draw (false alarm about
// 1e-5: 5 standard errors on six shares).
func TestPartnersAreDrawnEvenly(t *testing.T) {
	employer := []int32{0, 0, 1, 1, 2, 3}
	g := &stratum{rate: 2.0 / 3, across: true}
	const draws = 20000
	touched := make([]float64, len(employer))
	for i := range draws {
		g.reset(Identity(len(employer)), Identity(len(employer)))
		g.employer = slices.Clone(employer)
		for _, u := range randomPairs(g, seed.Stream("test", uint64(i))).pairs {
			touched[u] += 1.0 / draws
		}
	}
	for u, got := range touched {
		if math.Abs(got-2.0/3) > 5*math.Sqrt(2.0/9/draws) {
			t.Errorf("unit %d is touched in %.4f of the draws, want 0.6667", u, got)
		}
	}
}

// TestPersonKeepsItsDonor: while a person and its donor both stay, the donor is
// replaced only by somebody who has just come, so that years cannot be
// averaged.
func TestPersonKeepsItsDonor(t *testing.T) {
	f := population(3, 400, 5, 60)
	year, worker := f.Col(linked.Year).I, f.Col(linked.Worker).I
	r := must(t, f, Options{Unit: Person, Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: 1})
	donor := map[[2]int32]int32{} // worker and year: the worker it takes from
	for i, j := range r.Pairings[0].Perm {
		donor[[2]int32{worker[i], year[i]}] = worker[j]
	}
	kept, replaced := 0, 0
	for key, d := range donor {
		next, stays := donor[[2]int32{key[0], key[1] + 1}]
		if _, donorStays := donor[[2]int32{d, key[1] + 1}]; !stays || !donorStays {
			continue
		}
		if next == d {
			kept++
			continue
		}
		replaced++
		if _, old := donor[[2]int32{next, key[1]}]; old {
			t.Fatalf("worker %d takes from %d and a year later from %d, who was there before", key[0], d, next)
		}
	}
	if replaced*4 > kept { // a seventh of the workers is new each year
		t.Errorf("donors who stay were kept %d times and replaced %d times", kept, replaced)
	}
}

func TestPersonYearMovesAllJobs(t *testing.T) {
	f := linked.Canonical(frame.Must(
		frame.Strings(linked.Employer, []string{"a", "b", "c", "d", "a"}), frame.Ints(linked.Year, make([]int32, 5)),
		frame.Ints(linked.Worker, []int32{1, 1, 2, 2, 3}), frame.Strings(linked.Level, []string{"x", "x", "y", "y", "z"})))
	r := must(t, f, Options{Unit: PersonYear, Bundle: []string{linked.Level}, Rate: 1, Scope: AcrossEmployers})
	p := r.Report.Pairings[0]
	if p.Units != 3 || p.Touched != 2 || p.RowsTouched != 4 || p.Without(AloneInStratum) != 1 {
		t.Errorf("report %+v: want workers 1 and 2 exchanged in both jobs and worker 3, the only one with one job, alone", p)
	}
}

// TestWholeWorkersDoNotCollide: a worker who would come to hold one employer
// twice stays.
func TestWholeWorkersDoNotCollide(t *testing.T) {
	f := linked.Canonical(frame.Must(
		frame.Strings(linked.Employer, []string{"a", "b", "a", "b"}), frame.Ints(linked.Year, make([]int32, 4)),
		frame.Ints(linked.Worker, []int32{1, 1, 2, 3}), frame.Ints(linked.Wage, []int32{1, 2, 3, 4})))
	for step := range 40 {
		r, err := Run(t.Context(), f, Options{Bundle: []string{linked.Employer}, Joint: true, Rate: 1, Same: []string{linked.Year}, Scope: AcrossEmployers}, rng.SecretFromSeed(uint64(step)), 1)
		if err != nil {
			t.Fatal(err)
		}
		e, w := r.Frame.Col(linked.Employer).I, f.Col(linked.Worker).I
		for i := range 4 {
			for j := range i {
				if e[i] == e[j] && w[i] == w[j] {
					t.Fatalf("worker %d holds employer %d twice", w[i], e[i])
				}
			}
		}
	}
}

// TestEmployersNearHalf: where one employer holds half of a stratum or more,
// random repairs run dry and the admissible ones are listed: everybody outside
// is still paired, for pairs and for cycles, in linear time.
func TestEmployersNearHalf(t *testing.T) {
	for _, sizes := range [][]int{{2000, 1000, 1000}, {2000, 1999, 1}, {1990, 1980, 30}, {3000, 600, 400}, {3999, 1}, {1334, 1333, 1333}} {
		var employer []int32
		for e, n := range sizes {
			for range n {
				employer = append(employer, int32(e))
			}
		}
		n := len(employer)
		worker, wage := Identity(n), make([]int32, n)
		for i := range wage {
			wage[i] = int32(i)
		}
		f := frame.Must(frame.Codes(linked.Employer, frame.MustDict("a", "b", "c"), employer), frame.Ints(linked.Year, make([]int32, n)),
			frame.Ints(linked.Worker, worker), frame.Ints(linked.Wage, wage))
		most := 2 * min(n/2, n-sizes[0])
		for _, unit := range []Unit{Row, Person} {
			for _, rate := range []float64{0.9, 1} {
				o := Options{Unit: unit, Bundle: []string{linked.Wage}, Rate: rate, Scope: AcrossEmployers}
				r := must(t, f, o)
				checkContract(t, f, o, r)
				got := r.Report.Pairings[0]
				if want := min(most, int(rate*float64(n))); unit == Row && int(got.Touched) != want || rate == 1 && int(got.Touched) != most {
					t.Errorf("%v of %v at rate %v: %d touched, want %d of %d", sizes, unit, rate, got.Touched, want, most)
				}
				if rate == 1 && int(got.Without(NoPartnerOutside)) != n-most {
					t.Errorf("%v of %v: %d without a partner, want %d", sizes, unit, got.Without(NoPartnerOutside), n-most)
				}
			}
		}
	}
}

// TestManyJobsAcross: workers with two jobs are exchanged only where neither
// pair of jobs shares an employer; whole workers never collide, whatever unit.
func TestManyJobsAcross(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "workers")
		var employer, year, worker, wage []int32
		for w := range n {
			first := rapid.Int32Range(0, 4).Draw(t, "first")
			second := rapid.Int32Range(0, 4).Draw(t, "second")
			for y := range int32(2) {
				employer, year, worker, wage = append(employer, first), append(year, y), append(worker, int32(w)), append(wage, int32(2*w))
				if second != first {
					employer, year, worker, wage = append(employer, second), append(year, y), append(worker, int32(w)), append(wage, int32(2*w+1))
				}
			}
		}
		f := linked.Canonical(frame.Must(frame.Codes(linked.Employer, frame.MustDict("a", "b", "c", "d", "e"), employer),
			frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker), frame.Ints(linked.Wage, wage)))
		o := Options{Rate: 1, Joint: true, Same: []string{linked.Year},
			Unit:   Unit(rapid.IntRange(0, 2).Draw(t, "unit")),
			Scope:  rapid.SampledFrom([]Scope{Any, AcrossEmployers}).Draw(t, "scope"),
			Bundle: rapid.SampledFrom([][]string{{linked.Wage}, {linked.Employer}}).Draw(t, "bundle")}
		r, err := Run(t.Context(), f, o, seed, 1)
		if err != nil {
			t.Fatal(err)
		}
		checkContract(t, f, o, r)
	})
}
