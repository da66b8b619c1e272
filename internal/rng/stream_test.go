package rng_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"scramblelab/internal/rng"

	"pgregory.net/rapid"
)

var nan = math.NaN()

// Quantiles of chi-square at 1 - 1e-6, by degrees of freedom: each test below
// has a false alarm of one in a million draws of the seed, and a fixed seed.
var chi2Limit = map[int]float64{6: 38.26, 9: 44.81, 11: 48.87, 15: 56.49, 23: 70.55, 99: 180.79}

// uniform fails unless the counts look like equally likely cells.
func uniform(t *testing.T, counts []int) {
	t.Helper()
	total := 0
	for _, c := range counts {
		total += c
	}
	want := float64(total) / float64(len(counts))
	x := 0.0
	for _, c := range counts {
		x += (float64(c) - want) * (float64(c) - want) / want
	}
	if limit := chi2Limit[len(counts)-1]; !(x < limit) {
		t.Errorf("chi-square of %d equally likely cells is %.1f, want below %.1f: %v", len(counts), x, limit, counts)
	}
}

// repeated skips a test of many draws where time is short: under the race
// detector, which has nothing to find in one goroutine.
func repeated(t *testing.T) {
	if testing.Short() {
		t.Skip("a statistical test of many draws")
	}
}

// streams are one of each kind: every algorithm must work on both.
func streams() map[string]*rng.Stream {
	return map[string]*rng.Stream{
		"secret":     rng.SecretFromSeed(1).Stream("test", 0),
		"simulation": rng.Sim(1).Stream(0, 0),
	}
}

func TestIntNIsUniform(t *testing.T) {
	repeated(t)
	for name, s := range streams() {
		for _, n := range []int{7, 10, 100} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				counts := make([]int, n)
				for range 100_000 {
					counts[s.IntN(n)]++
				}
				uniform(t, counts)
			})
		}
	}
}

// With a bound of 3 * 2^61, reducing 64 bits without rejection would hit the
// first two of three thirds 3 to 2: bias that small bounds cannot show.
func TestIntNIsUnbiasedAtLargeBounds(t *testing.T) {
	repeated(t)
	const n = 3 << 61
	for name, s := range streams() {
		t.Run(name, func(t *testing.T) {
			counts := make([]int, 12)
			for range 120_000 {
				v := s.IntN(n)
				if v < 0 || v >= n {
					t.Fatalf("IntN(%d) = %d", n, v)
				}
				counts[v/(n/12)]++
			}
			uniform(t, counts)
			parity := make([]int, 7)
			for range 70_000 {
				parity[s.IntN(n)%7]++
			}
			uniform(t, parity)
		})
	}
}

// The first draw of each entity is what sampling and sorting by key use.
func TestFirstDrawsAreUniformOverEntities(t *testing.T) {
	repeated(t)
	secret := rng.SecretFromSeed(5)
	for name, first := range map[string]func(id uint64) uint64{
		"secret":            func(id uint64) uint64 { return secret.Stream("s", id).Uint64() },
		"simulation":        func(id uint64) uint64 { return rng.Sim(5).Stream(1, id).Uint64() },
		"simulation, seeds": func(id uint64) uint64 { return rng.Sim(id).Stream(1, 1).Uint64() },
		"hash":              func(id uint64) uint64 { return rng.Sim(5).Uint64(1, id) },
	} {
		t.Run(name, func(t *testing.T) {
			high, low, pairs := make([]int, 16), make([]int, 16), make([]int, 16)
			before := uint64(0)
			seen := map[uint64]bool{}
			for id := range uint64(32_000) {
				v := first(id)
				high[v>>60]++
				low[v&15]++
				pairs[v>>62<<2|before>>62]++
				before = v
				seen[v] = true
			}
			uniform(t, high)
			uniform(t, low)
			uniform(t, pairs)
			if len(seen) != 32_000 {
				t.Errorf("%d entities share their first draw with another", 32_000-len(seen))
			}
		})
	}
}

func TestShuffleIsUniform(t *testing.T) {
	repeated(t)
	for name, s := range streams() {
		t.Run(name, func(t *testing.T) {
			counts := map[[4]int]int{}
			for range 48_000 {
				v := [4]int{0, 1, 2, 3}
				rng.Shuffle(s, v[:])
				counts[v]++
			}
			if len(counts) != 24 {
				t.Fatalf("%d of the 24 orders of four came up", len(counts))
			}
			var c []int
			for _, n := range counts {
				c = append(c, n)
			}
			uniform(t, c)
		})
	}
}

func TestSampleIsUniform(t *testing.T) {
	for name, s := range streams() {
		t.Run(name, func(t *testing.T) {
			counts := make([]int, 12) // ordered pairs of four
			for range 24_000 {
				v := rng.Sample(s, []int{0, 1, 2, 3}, 2)
				second := v[1]
				if second > v[0] {
					second--
				}
				counts[v[0]*3+second]++
			}
			uniform(t, counts)
		})
	}
}

func TestShuffleAndSampleKeepTheElements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOf(rapid.IntRange(0, 5)).Draw(t, "xs")
		k := rapid.IntRange(0, len(xs)).Draw(t, "k")
		s := rng.Sim(rapid.Uint64().Draw(t, "seed")).Stream(0, 0)
		want := slices.Sorted(slices.Values(xs))
		rng.Shuffle(s, xs)
		if got := slices.Sorted(slices.Values(xs)); !slices.Equal(want, got) {
			t.Fatalf("shuffling made %v of %v", got, want)
		}
		if n := len(rng.Sample(s, xs, k)); n != k {
			t.Fatalf("a sample of %d has %d elements", k, n)
		}
		if got := slices.Sorted(slices.Values(xs)); !slices.Equal(want, got) {
			t.Fatalf("sampling made %v of %v", got, want)
		}
	})
}

// Mean and variance of n draws, against theory. The limit of 4.9 standard
// errors is passed by chance once in a million seeds, for each moment.
func TestMoments(t *testing.T) {
	repeated(t)
	tests := []struct {
		name, why                string
		draw                     func(s *rng.Stream) float64
		mean, variance, kurtosis float64 // kurtosis: fourth central moment over squared variance
	}{
		{"Float64", "uniform", func(s *rng.Stream) float64 { return s.Float64() }, 0.5, 1.0 / 12, 1.8},
		{"Bool(0.3)", "Bernoulli", func(s *rng.Stream) float64 { return indicator(s.Bool(0.3)) }, 0.3, 0.21, 1/0.21 - 3},
		{"Normal", "", func(s *rng.Stream) float64 { return s.Normal() }, 0, 1, 3},
		{"Normal beyond 2", "the tail: 2 * (1 - Phi(2))", func(s *rng.Stream) float64 { return indicator(math.Abs(s.Normal()) > 2) },
			0.0455003, 0.0434300, 1/0.0434300 - 3},
		{"Exp", "", func(s *rng.Stream) float64 { return s.Exp() }, 1, 1, 9},
		{"Laplace(3)", "the argument is the standard deviation, not the scale", func(s *rng.Stream) float64 { return s.Laplace(3) }, 0, 9, 6},
		{"Gamma(0.3)", "below 1 by boosting", func(s *rng.Stream) float64 { return s.Gamma(0.3) }, 0.3, 0.3, 3 + 6/0.3},
		{"Gamma(1)", "the border", func(s *rng.Stream) float64 { return s.Gamma(1) }, 1, 1, 9},
		{"Gamma(7.5)", "", func(s *rng.Stream) float64 { return s.Gamma(7.5) }, 7.5, 7.5, 3 + 6/7.5},
		{"Poisson(0)", "a mean of 0 gives 0", func(s *rng.Stream) float64 { return float64(s.Poisson(0)) }, 0, 0, 3},
		{"Poisson(0.4)", "", func(s *rng.Stream) float64 { return float64(s.Poisson(0.4)) }, 0.4, 0.4, 3 + 1/0.4},
		{"Poisson(30)", "the last mean by inversion", func(s *rng.Stream) float64 { return float64(s.Poisson(30)) }, 30, 30, 3 + 1.0/30},
		{"Poisson(200)", "a rounded normal, whose rounding adds 1/12 to the variance", func(s *rng.Stream) float64 { return float64(s.Poisson(200)) },
			200, 200 + 1.0/12, 3},
		{"Round(2.3)", "keeps the expectation", func(s *rng.Stream) float64 { return float64(s.Round(2.3)) }, 2.3, 0.21, 1/0.21 - 3},
		{"Round(-2.3)", "below zero too", func(s *rng.Stream) float64 { return float64(s.Round(-2.3)) }, -2.3, 0.21, 1/0.21 - 3},
	}
	const n = 100_000
	for _, tt := range tests {
		for kind, s := range streams() {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				sum, square := 0.0, 0.0
				for range n {
					d := tt.draw(s) - tt.mean
					sum += d
					square += d * d
				}
				shift, spread := sum/n, square/n
				if se := math.Sqrt(tt.variance / n); math.Abs(shift) > 4.9*se {
					t.Errorf("mean is off by %.5f, %.1f standard errors: %s", shift, shift/se, tt.why)
				}
				if se := tt.variance * math.Sqrt((tt.kurtosis-1)/n); math.Abs(spread-tt.variance) > 4.9*se+1e-12 {
					t.Errorf("variance is %.5f, want %.5f +- %.5f: %s", spread, tt.variance, se, tt.why)
				}
			})
		}
	}
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestRanges(t *testing.T) {
	repeated(t)
	for name, s := range streams() {
		t.Run(name, func(t *testing.T) {
			for range 100_000 {
				if u := s.Float64(); u < 0 || u >= 1 {
					t.Fatalf("Float64 = %v, want [0, 1)", u)
				}
				if x := s.Exp(); !(x >= 0) || math.IsInf(x, 0) {
					t.Fatalf("Exp = %v, want a finite number that is not negative", x)
				}
				if x := s.Poisson(31); x < 0 {
					t.Fatalf("Poisson = %d, want no negative", x)
				}
				if s.Bool(0) || !s.Bool(1) {
					t.Fatal("Bool(0) or Bool(1) is not certain")
				}
				if s.IntN(1) != 0 || s.Round(4) != 4 {
					t.Fatal("IntN(1) or Round(4) is not certain")
				}
			}
		})
	}
}

// The law of QuickExp: quantiles and the tail beyond the last layer. Bands are
// five standard errors wide.
func TestQuickExp(t *testing.T) {
	s, n := rng.Sim(1).Stream(1, 0), 2_000_000
	var below [12]int
	sum := 0.0
	for range n {
		x := s.QuickExp()
		sum += x
		for k := range below {
			if x < float64(k)*.75 {
				below[k]++
			}
		}
	}
	if mean := sum / float64(n); math.Abs(mean-1) > 5/math.Sqrt(float64(n)) {
		t.Errorf("mean %.5f, want 1", mean)
	}
	for k, b := range below {
		p := 1 - math.Exp(-float64(k)*.75)
		if got := float64(b) / float64(n); math.Abs(got-p) > 5*math.Sqrt(p*(1-p)/float64(n)) {
			t.Errorf("P(x < %.2f) = %.5f, want %.5f", float64(k)*.75, got, p)
		}
	}
}

// The law of QuickNormal: quantiles on both sides, the tail beyond the last
// layer, and the first four moments. Bands are five standard errors wide.
func TestQuickNormal(t *testing.T) {
	s, n := rng.Sim(1).Stream(1, 0), 2_000_000
	var below [17]int
	var moments [4]float64
	for range n {
		x := s.QuickNormal()
		p := 1.0
		for k := range moments {
			p *= x
			moments[k] += p
		}
		for k := range below {
			if x < float64(k-8)/2 {
				below[k]++
			}
		}
	}
	for k, variance := range [4]float64{1, 2, 15, 96} {
		want := float64(k % 2 * k) // 0, 1, 0, 3
		if got := moments[k] / float64(n); math.Abs(got-want) > 5*math.Sqrt(variance/float64(n)) {
			t.Errorf("mean of the power %d is %.5f, want %.0f", k+1, got, want)
		}
	}
	for k, b := range below {
		z := float64(k-8) / 2
		p := .5 * math.Erfc(-z/math.Sqrt2)
		if got := float64(b) / float64(n); math.Abs(got-p) > 5*math.Sqrt(p*(1-p)/float64(n)) {
			t.Errorf("P(x < %.1f) = %.6f, want %.6f", z, got, p)
		}
	}
}
