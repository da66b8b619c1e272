package fidelity

import (
	"context"
	"math"
	"testing"
)

// TestDistinguish: nothing tells a fragment from itself, and the more is swapped
// the better a release is told; a release by the same method lies among its
// copies, one by another does not.
func TestDistinguish(t *testing.T) {
	w := tiny()
	distinguish := func(rate float64, key uint64) Distinction {
		t.Helper()
		in := w.input(w.fragment)
		if rate > 0 {
			in.Release = w.swapped(t, rate, key)
		}
		d, err := Distinguish(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := distinguish(0, 1); d.Pairs != 0 || d.OutOfSample != 0 || d.Tree > 1e-20 || d.Area != 0.5 {
		t.Errorf("the fragment against itself: %+v", d)
	}
	little, much := distinguish(.1, 1), distinguish(.6, 1)
	if !(little.Pairs < much.Pairs) || !(little.OutOfSample < much.OutOfSample) || !(little.Area < much.Area) {
		t.Errorf("at a tenth %+v, at six tenths %+v", little, much)
	}
	var null []Distinction
	for key := range uint64(8) {
		null = append(null, distinguish(.2, 10+key))
	}
	at := func(rate float64) float64 {
		in := w.input(w.swapped(t, rate, 3))
		in.Null, in.Only, in.Draws = null, []string{"tables and dependence"}, 2
		return float64(measured(t, in).get(t, "fidelity.propensity.same-method").Value)
	}
	// Student's t of 7 degrees of freedom, a ninth more spread: 6 is a false alarm
	// in a thousand.
	if z := at(.2); math.Abs(z) > 6 {
		t.Errorf("a release by the same method is %v standard deviations from its like", z)
	}
	if z := at(.6); !(z > 10) {
		t.Errorf("a release of another rate is %v standard deviations from the others", z)
	}
	in := w.input(w.fragment)
	in.Null = null[:1]
	if in.Validate() == nil {
		t.Error("one copy was taken for a distribution")
	}
}
