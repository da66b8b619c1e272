package fidelity

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
)

// careers are workers over years who move now and then between the first
// employers of the tiny world, with worker effects of sd .4 and employer effects of
// sd .3.
func careers(workers, employers int) *frame.Frame {
	var employer, year, worker, wage []int32
	for w := range workers {
		s := rng.Sim(3).Stream(1, uint64(w))
		alpha, e := .4*s.Normal(), s.IntN(employers)
		for y := range 6 {
			if s.Bool(.3) {
				e = s.IntN(employers)
			}
			psi := .3 * rng.Sim(3).Stream(2, uint64(e)).Normal()
			employer, year, worker = append(employer, int32(e)), append(year, int32(2012+y)), append(worker, int32(w))
			wage = append(wage, int32(40000*math.Exp(alpha+psi+.1*s.Normal())))
		}
	}
	dict := tiny().fragment.Employers.Col(linked.Employer).Dict
	f := frame.Must(frame.Codes(linked.Employer, dict, employer), frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker), frame.Ints(linked.Wage, wage))
	return linked.Canonical(f)
}

// swapWages gives a share of the workers of a year the wage of one of another
// employer.
func swapWages(t *testing.T, f *frame.Frame, rate float64) *frame.Frame {
	t.Helper()
	r, err := swap.Run(context.Background(), f, swap.Options{Bundle: []string{linked.Wage}, Rate: rate, Same: []string{linked.Year}, Scope: swap.AcrossEmployers}, rng.SecretFromSeed(1), 1)
	if err != nil {
		t.Fatal(err)
	}
	return r.Frame
}

func akmInput(w *Workers) Input {
	in := tiny().input(tiny().fragment)
	in.Only, in.Workers = []string{"worker and employer effects"}, w
	return in
}

// TestComponentsShrinkUnderWageSwaps: of a wage swapped in one pool at rate s the
// effects of worker and employer are 1-s times what they were, and their variances
// (1-s)² (METHODS 3.1, law 4), which the correction sees and the plug-in does not.
// Four standard errors: a false alarm in five thousand for the three together.
func TestComponentsShrinkUnderWageSwaps(t *testing.T) {
	before := careers(4000, 60)
	last := [3]float64{}
	for _, rate := range []float64{0, .15, .3} {
		in := akmInput(&Workers{Fragment: before, Release: swapWages(t, before, rate)})
		s, err := newSetting(withDefaults(in))
		if err != nil {
			t.Fatal(err)
		}
		a, b, _, why, err := s.akm(context.Background())
		if err != nil || why != "" {
			t.Fatal(why, err)
		}
		r := measured(t, in)
		for k, c := range components {
			x, y := c.of(a), c.of(b)
			want := (1 - rate) * (1 - rate) * x.Corrected
			if sd := paired(x, y, a.Codes, b.Codes); math.Abs(y.Corrected-want) > 4*sd+1e-12 {
				t.Errorf("rate %v, %s: %.4f (%.4f), want %.4f", rate, c.what, y.Corrected, sd, want)
			}
			m := r.get(t, "fidelity.akm."+c.name+"-error")
			if got := float64(m.Value); rate == 0 && got != 0 || c.name != "covariance" && got < last[k] {
				t.Errorf("rate %v: %s is %v, at a lower rate %v", rate, m.Name, got, last[k])
			}
			last[k] = float64(m.Value)
		}
		if p, q := a.Worker.PlugIn, b.Worker.PlugIn; rate == .3 && q < .55*p {
			t.Errorf("the plug-in shrinks from %v to %v: it no longer shows why it needs correction", p, q)
		}
	}
}

func TestNoWorkerEffects(t *testing.T) {
	f := careers(400, 20)
	still := f.With(frame.Ints(linked.Worker, func() []int32 {
		own := make([]int32, f.Rows())
		for i := range own {
			own[i] = int32(i)
		}
		return own
	}()))
	flat := f.With(frame.Ints(linked.Wage, make([]int32, f.Rows())))
	one := f.With(frame.Ints(linked.Wage, func() []int32 {
		own := make([]int32, f.Rows())
		for i := range own {
			own[i] = 100
		}
		return own
	}()))
	tests := []struct {
		name, why string
		change    func(in *Input)
		want      string
	}{
		{"one period", "nobody moves", func(in *Input) { in.Periods = false }, "one period"},
		{"fresh serials", "employers cannot be followed", func(in *Input) { in.NoPanel = "the plan gives a fresh serial every year" }, "fresh serial"},
		{"no records", "tables alone", func(in *Input) { in.Workers = nil }, "no records of workers"},
		{"no worker", "the study says why", func(in *Input) { in.Workers, in.NoWorkers = nil, "the data have no worker" }, "no worker"},
		{"no wage", "", func(in *Input) { in.Workers = &Workers{f.Without(linked.Wage), f} }, `no column "wage"`},
		{"no movers", "everybody is seen once", func(in *Input) { in.Workers = &Workers{still, still} }, "no two employers remain linked"},
		{"movers lost", "in the release alone", func(in *Input) { in.Workers = &Workers{f, still} }, "on the release"},
		{"no wage above 0", "no logarithm", func(in *Input) { in.Workers = &Workers{flat, flat} }, "no row has an outcome"},
		{"one wage", "nothing to take apart", func(in *Input) { in.Workers = &Workers{one, one} }, "do not vary"},
		{"no rows", "empty", func(in *Input) { in.Workers = &Workers{f.Slice(0, 0), f.Slice(0, 0)} }, "no row has an outcome"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := akmInput(&Workers{f, f})
			tt.change(&in)
			for _, m := range measured(t, in).Metrics {
				if m.Value.Valid() || !strings.Contains(m.Reason, tt.want) {
					t.Errorf("%s: value %v, reason %q, want %q: %s", m.Name, m.Value, m.Reason, tt.want, tt.why)
				}
			}
		})
	}
}

// TestLargeWorkers: of many rows the corrected components are those of a random
// sample of the employers, and the others of every row.
func TestLargeWorkers(t *testing.T) {
	before := careers(8000, 200)
	in := akmInput(&Workers{Fragment: before, Release: swapWages(t, before, .3)})
	in.MostCells = before.Rows() / 2
	large := measured(t, in).Tables[1]
	in.MostCells = before.Rows()
	all := measured(t, in).Tables[1]
	if len(large.Columns) != len(all.Columns)+2 || !strings.Contains(large.Note, "random sample") {
		t.Fatalf("columns %q, note %q", large.Columns, large.Note)
	}
	for k := range components {
		// Leaving out bridges and workers seen once moves the plug-in a little.
		a, b := all.Rows[k], large.Rows[k]
		var x, y float64
		if _, err := fmt.Sscan(a[1]+" "+b[6], &x, &y); err != nil || math.Abs(x-y) > .02*math.Abs(x)+2e-4 {
			t.Errorf("%s, not corrected: %s of the largest linked set, %s of every row (%v)", a[0], a[1], b[6], err)
		}
	}
}

// TestWorkerCodes: large numbers of workers are followed as small ones are.
func TestWorkerCodes(t *testing.T) {
	f := careers(400, 20)
	long := make([]int64, f.Rows())
	for i, w := range f.Col(linked.Worker).I {
		long[i] = int64(w) + 1<<40
	}
	g := f.With(frame.Longs(linked.Worker, long))
	a, b := measured(t, akmInput(&Workers{f, f})), measured(t, akmInput(&Workers{g, g}))
	if x, y := fmt.Sprint(a.Tables), fmt.Sprint(b.Tables); x != y {
		t.Errorf("%s\nwith large numbers\n%s", x, y)
	}
}
