package attack

import (
	"math"
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

// The optimal transparent intruder knows less the more is swapped at random, up
// to his prior; where partners must differ he is fooled best at half.
func TestMoreSwappingIsNotAlwaysSafer(t *testing.T) {
	prior := []float64{0.5, 0.5}
	sure := func(of func(float64, []float64, []float64, int) ([]float64, error), s float64) float64 {
		p, err := of(s, prior, prior, 0)
		if err != nil {
			t.Fatal(err)
		}
		return max(p[0], p[1])
	}
	last := 1.0
	for _, s := range []float64{0, 0.2, 0.5, 0.8, 1} {
		got := sure(SwapPosterior, s)
		if got > last {
			t.Errorf("random swap at %v: %v sure, more than with less swapping", s, got)
		}
		last = got
	}
	if last != 0.5 {
		t.Errorf("all swapped at random: %v sure, want the prior", last)
	}
	for _, tt := range []struct {
		s, want float64
		why     string
	}{{0, 1, "nobody is touched"}, {0.5, 0.5, "touched or not is a coin"}, {1, 1, "everybody shows the other value: it is read off with certainty"}} {
		if got := sure(ChangedPosterior, tt.s); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("partners must differ, s=%v: %v sure, want %v (%s)", tt.s, got, tt.want, tt.why)
		}
	}
	// The mean over what may be observed is right: nobody's belief drifts from the
	// prior. P(observed a) = (1-s)·p_a + Σ_b p_b·s·q_a/(1-q_b).
	q := []float64{0.5, 0.3, 0.2}
	const s = 0.4
	back := make([]float64, 3)
	for a := range q {
		seen := (1 - s) * q[a]
		for b := range q {
			if b != a {
				seen += q[b] * s * q[a] / (1 - q[b])
			}
		}
		p, err := ChangedPosterior(s, q, q, a)
		if err != nil {
			t.Fatal(err)
		}
		for b := range p {
			back[b] += seen * p[b]
		}
	}
	for b := range q {
		if math.Abs(back[b]-q[b]) > 1e-12 {
			t.Errorf("the mean posterior of %d is %v, want the prior %v", b, back[b], q[b])
		}
	}
}

// Null: cells of another population tell no more of a wage than the guess
// without them: hits minus guesses stay within three standard errors, which are
// at most 1/sqrt(2,000) each (a false alarm of 0.3 %).
func TestCellsOfAnotherPopulationTellNothing(t *testing.T) {
	d := world(31, 400, 3)
	claims, wage, _ := disclose(t, d, released(t, world(32, 400, 3), 100, publish.Options{}), "")
	got, base, n := rate(claims, wage, func(WorkerClaim) bool { return true })
	if got > base+3/math.Sqrt(float64(n)) {
		t.Errorf("%.3f of %d right by cells of another population, %.3f without", got, n, base)
	}
}

// METHODS 2.5: a cell that goes from one to two gives the joiner's wage within
// 5,000 euro in 87 %, against 29 % without. Here wages stay as they are and the
// claim is off by the classes alone.
func TestYearDifference(t *testing.T) {
	d := world(41, 400, 4)
	r := released(t, d, 100, publish.Options{})
	claims, err := YearDifference(r)
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ serial, year, level, field int32 }
	jobs := d.Jobs
	there, wages := map[[2]int32]bool{}, map[key][]float64{}
	level, field := codes(jobs, linked.Level), codes(jobs, linked.Field)
	year, worker, employer := jobs.Col(linked.Year).I, jobs.Col(linked.Worker).I, jobs.Col(linked.Employer).I
	for i := range jobs.Rows() {
		there[[2]int32{worker[i], year[i]}] = true
	}
	for i := range jobs.Rows() {
		if !there[[2]int32{worker[i], year[i] - 1}] {
			k := key{serialFor(employer[i]), year[i], level(i), field(i)}
			wages[k] = append(wages[k], jobs.Col(linked.Wage).Value(i))
		}
	}
	n, near := 0, 0
	for _, c := range claims {
		if w := wages[key{c.Serial, c.Year, c.Level, c.Field}]; len(w) == 1 {
			n++
			if math.Abs(w[0]-c.Wage) <= 5000 {
				near++
			}
		}
	}
	t.Logf("%d of %d within 5,000 euro", near, n)
	if n < 50 || float64(near) < 0.75*float64(n) {
		t.Errorf("%d of %d joiners' wages within 5,000 euro, want three in four of at least 50", near, n)
	}
	r.Method.CountClasses = true
	if claims, err := YearDifference(r); err != nil || claims != nil {
		t.Errorf("classes of counts: %v claims, %v; want none", len(claims), err)
	}
}
