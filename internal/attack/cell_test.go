package attack

import (
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

func disclose(tb testing.TB, d *linked.Data, r Release, knowledge string) ([]WorkerClaim, []int32, []int32) {
	tb.Helper()
	dict := r.Tables.Cells.Col(publish.WageClass).Dict
	prior, err := NewPrior(d, dict, func(e int32) bool { return e >= 100 })
	if err != nil {
		tb.Fatal(err)
	}
	employer := d.Jobs.Col(linked.Employer).I
	rows := DrawTargets(d.Jobs, func(i int) bool { return employer[i] < 100 }, 2000, 3)
	known := func(e, _ int32) (int32, bool) { return serialFor(e), true }
	claims, err := CellDisclosure(r, knowledge, known, TargetsOf(d, rows), prior)
	if err != nil {
		tb.Fatal(err)
	}
	return claims, WageClasses(d.Jobs, rows, dict), FTEClasses(d.Jobs, rows, r.Tables.Cells.Col(publish.FTEClass).Dict)
}

func rate(claims []WorkerClaim, truth []int32, keep func(WorkerClaim) bool) (share, baseline float64, n int) {
	for i, c := range claims {
		if !keep(c) {
			continue
		}
		n++
		if c.WageClass == truth[i] {
			share++
		}
		if c.Baseline == truth[i] {
			baseline++
		}
	}
	return share / float64(max(1, n)), baseline / float64(max(1, n)), n
}

func alone(c WorkerClaim) bool { return c.Found && c.CellSize == 1 }

// Fact 4: a cell of one publishes that person's classes.
func TestCellsOfOneTellAll(t *testing.T) {
	d := world(11, 400, 4)
	claims, wage, fte := disclose(t, d, released(t, d, 100, publish.Options{}), "")
	single := 0
	for i, c := range claims {
		if !c.Found {
			t.Fatalf("target %d has no cell in an unscrambled release", i)
		}
		if !alone(c) {
			continue
		}
		single++
		if c.WageClass != wage[i] || c.FTEClass != fte[i] || c.Confidence != 1 {
			t.Fatalf("alone in a cell, target %d gets wage class %d and FTE class %d with confidence %v, want %d, %d and 1", i, c.WageClass, c.FTEClass, c.Confidence, wage[i], fte[i])
		}
	}
	if single < 100 {
		t.Fatalf("only %d targets are alone in a cell: the test shows nothing", single)
	}
	all, base, _ := rate(claims, wage, func(WorkerClaim) bool { return true })
	if all < base+0.1 {
		t.Errorf("cells give %.3f right, the guess without them %.3f", all, base)
	}
}

// The optimal intruder of METHODS 1.2 is never worse than the guess without
// the release, and gains less the more is swapped.
func TestCellsOfSwappedWorkers(t *testing.T) {
	d := world(12, 400, 4)
	last := 1.1
	for _, s := range []float64{0, 0.3, 0.6, 0.9} {
		r := released(t, swapped(d, 5, s, linked.Level, linked.Field), 100, publish.Options{})
		r.Method = Method{Swaps: []Swap{{Rate: s, Bundle: []string{linked.Level, linked.Field}}}}
		claims, wage, _ := disclose(t, d, r, "method+parameters")
		got, base, n := rate(claims, wage, func(WorkerClaim) bool { return true })
		if got < base-0.02 { // two standard deviations of a paired difference of 2,000
			t.Errorf("s=%v: %.3f of %d right, below the %.3f without the release", s, got, n, base)
		}
		if got > last {
			t.Errorf("s=%v: %.3f right, more than with less swapping (%.3f)", s, got, last)
		}
		last = got
	}
}

func TestWithoutASerialTheGuessRemains(t *testing.T) {
	d := world(13, 200, 2)
	r := released(t, d, 50, publish.Options{})
	prior, err := NewPrior(d, r.Tables.Cells.Col(publish.WageClass).Dict, nil)
	if err != nil {
		t.Fatal(err)
	}
	targets := TargetsOf(d, []int32{0, 1, 2})
	claims, err := CellDisclosure(r, "", func(int32, int32) (int32, bool) { return 0, false }, targets, prior)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if c.Serial != -1 || c.Found || c.WageClass != c.Baseline {
			t.Errorf("claim %+v, want the guess without the release", c)
		}
	}
	if _, err := NewPrior(d, r.Tables.Cells.Col(publish.WageClass).Dict, func(int32) bool { return false }); err == nil {
		t.Error("a prior of nobody is accepted")
	}
}
