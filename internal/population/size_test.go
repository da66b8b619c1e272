package population

import (
	"math"
	"testing"

	"scramblelab/internal/calibration"
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
