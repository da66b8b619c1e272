package population

import (
	"math"
	"testing"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

func TestSizeLawHasItsMargins(t *testing.T) {
	f := calibration.Belgium().Size
	l := newSizeLaw(f, 90000)
	const n = 400000
	var count [9]float64
	var sum1 float64
	for i := range n {
		s := l.quantile((float64(i) + .5) / n)
		c := l.class(s)
		count[c]++
		if c == 0 {
			sum1 += s
		}
	}
	for c := range count {
		if got := count[c] / n; math.Abs(got-f.Shares[c]) > 1e-4 {
			t.Errorf("class %d has share %.5f, want %.5f", c, got, f.Shares[c])
		}
	}
	if got := sum1 / count[0]; math.Abs(got-f.Mean1) > .01 {
		t.Errorf("mean size in class 1-4 is %.3f, want %.2f", got, f.Mean1)
	}
}

// Growth leaves the law where it is: 40,000 sizes after 30 years. The tolerance
// is 4.4 binomial standard errors, one false alarm in ten thousand per class.
func TestGrowthIsStationary(t *testing.T) {
	f := calibration.Belgium().Size
	l := newSizeLaw(f, 90000)
	const n, years = 40000, 30
	var r rng.Stream
	var count [9]float64
	still := 0
	for i := range n {
		rng.Sim(1).Reseed(&r, stageSize, uint64(i))
		s := l.quantile((float64(i) + .5) / n)
		for range years {
			next := l.grow(s, &r)
			if next == s {
				still++
			}
			s = next
		}
		count[l.class(s)]++
	}
	for c := range count {
		p := f.Shares[c]
		if got := count[c] / n; math.Abs(got-p) > 4.4*math.Sqrt(p*(1-p)/n) {
			t.Errorf("class %d has share %.4f after %d years, want %.4f", c, got, years, p)
		}
	}
	t.Logf("share of years without growth: %.3f", float64(still)/n/years)
}

func TestGrowthSpreadFallsWithSize(t *testing.T) {
	l := newSizeLaw(calibration.Belgium().Size, 90000)
	var r rng.Stream
	for _, c := range []struct{ size, want float64 }{{5, .35}, {50, .20}, {500, .12}} {
		var sum, sum2 float64
		const n = 20000
		for i := range n {
			rng.Sim(2).Reseed(&r, stageSize, uint64(i))
			g := math.Log(l.grow(c.size, &r) / c.size)
			sum, sum2 = sum+g, sum2+g*g
		}
		sd := math.Sqrt(sum2/n - sum/n*sum/n)
		if math.Abs(sd/c.want-1) > .25 {
			t.Errorf("sd of log growth at %v staff is %.3f, want %.2f within a quarter", c.size, sd, c.want)
		}
	}
}

func TestCapFallsWithEmployers(t *testing.T) {
	last := math.Inf(1)
	for _, n := range []int{90000, 5000, 500, 50} {
		l := newSizeLaw(calibration.Belgium().Size, n)
		if c := l.bounds[len(l.bounds)-1]; c > last {
			t.Errorf("%d employers: largest size %.0f, more than %.0f for more employers", n, c, last)
		} else {
			last = c
		}
	}
}
