package risk_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/risk"
)

// The closed form is the mean of 1/F under the negative binomial.
func TestIndividualIsAMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.IntRange(1, 12).Draw(t, "f")
		p := rapid.Float64Range(0.02, 0.99).Draw(t, "p")
		got, err := risk.Individual(f, float64(f)/p)
		if err != nil {
			t.Fatal(err)
		}
		term, want := math.Pow(p, float64(f)), 0.0
		for h := f; h < 20000; h++ {
			want += term / float64(h)
			term *= (1 - p) * float64(h) / float64(h-f+1)
		}
		if math.Abs(got-want) > 1e-9*want {
			t.Fatalf("f=%d, p=%v: %v, the mean is %v", f, p, got, want)
		}
	})
}

// Suppressing a value never makes a class smaller, and matching is symmetric.
func TestMissingIsAWildcard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "rows")
		column := func() []int32 {
			out := make([]int32, n)
			for i := range out {
				out[i] = rapid.Int32Range(-1, 2).Draw(t, "code")
			}
			return out
		}
		a, b := column(), column()
		k, _ := risk.NewKeys(a, b)
		f, _, err := risk.Frequencies(k, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			brute := 0
			for j := range n {
				if (a[i] == a[j] || a[i] < 0 || a[j] < 0) && (b[i] == b[j] || b[i] < 0 || b[j] < 0) {
					brute++
				}
			}
			if f[i] != brute {
				t.Fatalf("row %d matches %d, want %d", i, f[i], brute)
			}
		}
		a[rapid.IntRange(0, n-1).Draw(t, "suppressed")] = risk.Missing
		more, _, err := risk.Frequencies(k, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range f {
			if more[i] < f[i] {
				t.Fatalf("row %d: %d matches after suppression, %d before", i, more[i], f[i])
			}
		}
	})
}

func TestEdges(t *testing.T) {
	if _, err := risk.NewKeys(); err == nil {
		t.Error("no keys: want an error")
	}
	if _, err := risk.NewKeys([]int32{1}, []int32{1, 2}); err == nil {
		t.Error("columns of different length: want an error")
	}
	if _, err := risk.Prosecutor(nil); err == nil {
		t.Error("no records: want an error")
	}
	if _, err := risk.Individual(3, 2); err == nil {
		t.Error("a population smaller than the sample: want an error")
	}
	if got := risk.DIS(0.1, 0, 0); !math.IsNaN(got) {
		t.Errorf("no uniques and no pairs: %v, want no value", got)
	}
	if got := risk.Together([]float64{0.5, 0.5}); got != 0.75 {
		t.Errorf("two halves together: %v, want 3/4", got)
	}
	if got := risk.Together(nil); got != 0 {
		t.Errorf("nobody: %v, want 0", got)
	}
}
