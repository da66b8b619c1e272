package population

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestExp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-710, 710).Draw(t, "x")
		got, want := exp(x), math.Exp(x)
		if math.Abs(got-want) > 3*(math.Nextafter(want, math.Inf(1))-want) {
			t.Errorf("exp(%v) is %v, want %v to two units in the last place", x, got, want)
		}
	})
	for _, x := range []float64{math.Inf(1), math.Inf(-1), 0, 1000, -1000} {
		if got, want := exp(x), math.Exp(x); got != want {
			t.Errorf("exp(%v) is %v, want %v", x, got, want)
		}
	}
	if x := exp(math.NaN()); x == x {
		t.Errorf("exp(NaN) is %v, want NaN", x)
	}
}

func TestRounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(rapid.Float64Range(0, 1e9), rapid.Map(rapid.IntRange(0, 1e9), func(k int) float64 { return float64(k) / 2 })).Draw(t, "x")
		for _, x := range []float64{x, math.Nextafter(x, 0), math.Nextafter(x, 2e9)} {
			if got, want := rounded(x), int32(math.Round(x)); got != want {
				t.Errorf("rounded(%v) is %d, want %d", x, got, want)
			}
		}
	})
}

func BenchmarkExp(b *testing.B) {
	for name, f := range map[string]func(float64) float64{"table": exp, "math": math.Exp} {
		b.Run(name, func(b *testing.B) {
			x := 10.
			for b.Loop() {
				x = 10 + 1e-9*f(x)
			}
		})
	}
}
