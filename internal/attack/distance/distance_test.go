package distance_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/attack/distance"
	"scramblelab/internal/rng"
)

func TestRanks(t *testing.T) {
	got := distance.Ranks([]float64{3, 1, 3, 7})
	if diff := cmp.Diff([]float64{2.5, 1, 2.5, 4}, got); diff != "" {
		t.Errorf("ties share their ranks (-want +got):\n%s", diff)
	}
}

// draws are records of two attributes.
func draws(n int) [][]float64 {
	s := rng.Sim(4).Stream(1, 0)
	out := [][]float64{make([]float64, n), make([]float64, n)}
	for i := range n {
		out[0][i], out[1][i] = s.Normal(), s.Normal()
	}
	return out
}

// permuted exchanges the values of a share of the records.
func permuted(v []float64, share float64, id uint64) []float64 {
	s := rng.Sim(5).Stream(2, id)
	out := append([]float64(nil), v...)
	var touched []int
	for i := range v {
		if s.Bool(share) {
			touched = append(touched, i)
		}
	}
	values := make([]float64, len(touched))
	for k, i := range touched {
		values[k] = v[i]
	}
	rng.Shuffle(s, values)
	for k, i := range touched {
		out[i] = values[k]
	}
	return out
}

// Nothing is hidden from who knows the original: unpermuted records are all
// linked, a full permutation leaves chance (one fixed point is expected), and
// more permutation never helps him. A random permutation moves ranks by a third
// of the records; its mean over 500 has a standard error of 0.007.
func TestMaximumKnowledge(t *testing.T) {
	original := draws(500)
	last := math.Inf(1)
	for _, share := range []float64{0, 0.25, 0.5, 1} {
		released := [][]float64{permuted(original[0], share, 0), permuted(original[1], share, 1)}
		right, err := distance.Link(original, released)
		if err != nil {
			t.Fatal(err)
		}
		if right > last {
			t.Errorf("share %v: %.1f right, more than with less permutation (%.1f)", share, right, last)
		}
		last = right
		p, err := distance.Displace(original[0], released[0])
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(p.Mean-share*share/3) > 0.03+share/3 {
			t.Errorf("share %v: displacement %v", share, p.Mean)
		}
		switch {
		case share == 0 && (right != 500 || p.Mean != 0 || p.Moved != 0):
			t.Errorf("unpermuted: %v right, displacement %+v", right, p)
		case share == 1 && (right > 8 || math.Abs(p.Mean-1.0/3) > 0.03): // P(Poisson(1) > 8) < 2e-6
			t.Errorf("a full permutation: %v right, displacement %v, want about 1 and 1/3", right, p.Mean)
		}
	}
	if _, err := distance.Displace([]float64{math.NaN()}, []float64{1}); err == nil {
		t.Error("no record with both values: want an error")
	}
}
