package fidelity

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/population"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
)

// world is a generated selection with a fragment of it: every k-th employer.
type world struct {
	data      *linked.Data
	employers []int32
	options   publish.Options
	whole     *publish.Tables
	fragment  *publish.Tables
}

func newWorld(tb testing.TB, employers, every int) *world {
	tb.Helper()
	p, err := population.Generate(context.Background(), population.Options{Employers: employers, From: 2012, To: 2021, Seed: 7}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{}
	if w.data, err = p.Linked(); err != nil {
		tb.Fatal(err)
	}
	for e := 0; e < w.data.Employers(); e += every {
		w.employers = append(w.employers, int32(e))
	}
	w.options = publish.Options{
		FirmColumns: []string{linked.Group, linked.EventYear, linked.DesignWeight},
		Wage:        classes(tb, publish.Spec{Width: 5000, Top: 150000}),
		FTE:         classes(tb, publish.Spec{Width: 0.1, Top: 1}),
		Age:         classes(tb, publish.Spec{Width: 5, From: 20, Top: 65}),
		Weight:      func(int32, int32) (float64, bool) { return float64(every), true },
	}
	w.fragment = w.publish(tb, w.data, w.employers)
	open := w.options
	open.Weight = nil
	if w.whole, err = publish.Publish(context.Background(), w.data, nil, open); err != nil {
		tb.Fatal(err)
	}
	return w
}

func classes(tb testing.TB, s publish.Spec) publish.Classes {
	tb.Helper()
	c, err := publish.NewClasses(s)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (w *world) publish(tb testing.TB, d *linked.Data, employers []int32) *publish.Tables {
	tb.Helper()
	t, err := publish.Publish(context.Background(), d, employers, w.options)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// swapped is the release after a plain random swap of level and field together
// across employers within years, with donors from the whole selection.
func (w *world) swapped(tb testing.TB, rate float64, key uint64) *publish.Tables {
	tb.Helper()
	return w.publish(tb, swapLevels(tb, w.data, rate, key), w.employers)
}

func swapLevels(tb testing.TB, d *linked.Data, rate float64, key uint64) *linked.Data {
	tb.Helper()
	bundle := []string{linked.Level}
	if d.Jobs.Has(linked.Field) {
		bundle = append(bundle, linked.Field)
	}
	r, err := swap.Run(context.Background(), d.Jobs, swap.Options{Bundle: bundle, Joint: true, Rate: rate,
		Same: []string{linked.Year}, Scope: swap.AcrossEmployers}, rng.SecretFromSeed(key), 1)
	if err != nil {
		tb.Fatal(err)
	}
	out := *d
	out.Jobs = r.Frame
	return &out
}

// small holds so many employers that the effects of the fragment can be estimated
// at any seed: among 300 they often cannot.
var small = sync.OnceValue(func() *world { return newWorld(failer{}, 900, 2) })

// tiny is for what does not hang on figures.
var tiny = sync.OnceValue(func() *world { return newWorld(failer{}, 160, 2) })

// failer lets a world be built once for all tests.
type failer struct{ testing.TB }

func (failer) Helper()           {}
func (failer) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func measured(tb testing.TB, in Input) *Result {
	tb.Helper()
	r, err := Measure(context.Background(), in)
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range r.Metrics {
		if err := m.Validate(); err != nil {
			tb.Error(err)
		}
	}
	return r
}

func (r *Result) get(tb testing.TB, name string) metric.Metric {
	tb.Helper()
	for _, m := range r.Metrics {
		if m.Name == name {
			return m
		}
	}
	tb.Fatalf("there is no metric %s", name)
	return metric.Metric{}
}

func (w *world) input(release *publish.Tables) Input {
	return Input{Release: release, Fragment: w.fragment, Population: w.whole, Periods: true, Key: 1}
}

// TestUnscrambledIsPerfect: the fragment against itself has no scramble error,
// and its floors say what another fragment would show.
func TestUnscrambledIsPerfect(t *testing.T) {
	if testing.Short() {
		t.Skip("all measures")
	}
	w := small()
	in := w.input(w.fragment)
	in.Swap = &SwapLaw{Rate: 0, Strata: []string{linked.Year}}
	r := measured(t, in)
	for _, tt := range []struct {
		name  string
		want  float64
		floor bool // is expected to be away from the perfect value
	}{
		{"fidelity.cells.share-exact", 1, false},
		{"fidelity.cells.workers-mae", 0, false},
		{"fidelity.cells.false-zero-share", 0, false},
		{"fidelity.cells.false-nonzero-share", 0, false},
		{"fidelity.cells.wage-class-agreement", 1, false},
		{"fidelity.cells.fte-class-agreement", 1, false},
		{"fidelity.employers.age-class-agreement", 1, false},
		{"fidelity.structure.columns-same", 1, false},
		{"fidelity.structure.key-unique", 1, false},
		{"fidelity.structure.references-found", 1, false},
		{"fidelity.structure.missing-tv", 0, true},
		{"fidelity.structure.panel-length-tv", 0, true},
		{"fidelity.structure.employer-years-kept", 1, false},
		{"fidelity.structure.codes-met", 1, false},
		{"fidelity.structure.codes-strange", 0, false},
		{"fidelity.distribution.tv", 0, true},
		{"fidelity.distribution.wasserstein", 0, true},
		{"fidelity.marginals.two-way-tv", 0, true},
		{"fidelity.marginals.three-way-tv", 0, true},
		{"fidelity.marginals.nist-score", 1000, true},
		{"fidelity.dependence.association-error", 0, true},
		{"fidelity.dependence.mutual-information-error", 0, true},
		{"fidelity.margins.level-field-tv", 0, true},
		{"fidelity.wages.level-field-error", 0, true},
		{"fidelity.regression.wage-overlap", 1, true},
		{"fidelity.regression.wage-bias-se", 0, true},
		{"fidelity.did.overlap", 1, true},
		{"fidelity.did.bias-se", 0, true},
	} {
		m := r.get(t, tt.name)
		if math.Abs(float64(m.Value)-tt.want) > 1e-9 {
			t.Errorf("%s of the fragment against itself is %v, want %v", tt.name, m.Value, tt.want)
		}
		if away := math.Abs(float64(m.Baseline) - tt.want); tt.floor != (away > 1e-3) {
			t.Errorf("%s has floor %v, %v away from perfect", tt.name, m.Baseline, away)
		}
	}
	for _, e := range r.Effects {
		if e.Predicted != nil && math.Abs(e.Predicted.Estimate-e.Fragment.Estimate) > 1e-9 {
			t.Errorf("%s: a swap of nobody is predicted to move %v to %v", e.Outcome, e.Fragment.Estimate, e.Predicted.Estimate)
		}
	}
	if len(r.Effects) != 5 {
		t.Errorf("effects of %d outcomes, want head count, three bands and wage", len(r.Effects))
	}
}

// TestErrorsGrowWithTheRate: every scramble error grows with the rate of a
// plain random swap, and a full one lies far beyond the noise floor.
func TestErrorsGrowWithTheRate(t *testing.T) {
	if testing.Short() {
		t.Skip("measures four releases")
	}
	w := small()
	rates := []float64{0.05, 0.2, 0.6, 1}
	var results []*Result
	for _, rate := range rates {
		results = append(results, measured(t, w.input(w.swapped(t, rate, 3))))
	}
	for _, tt := range []struct {
		name string
		sign float64 // of growing damage
		far  float64 // distance of the full shuffle from perfect, in floors; 0: not asked
		from float64
	}{
		{"fidelity.cells.share-exact", -1, 0, 1},
		{"fidelity.cells.workers-mae", 1, 0, 0},
		{"fidelity.cells.false-zero-share", 1, 0, 0},
		{"fidelity.cells.false-nonzero-share", 1, 0, 0},
		{"fidelity.cells.wage-class-agreement", -1, 0, 1},
		{"fidelity.margins.level-field-tv", 1, 0, 0},
		{"fidelity.wages.level-field-error", 1, 1.5, 0},
		{"fidelity.marginals.three-way-tv", 1, 0, 0},
		{"fidelity.dependence.association-error", 1, 0, 0},
		{"fidelity.dependence.mutual-information-error", 1, 0, 0},
		{"fidelity.regression.wage-overlap", -1, 2, 1},
		{"fidelity.regression.wage-bias-se", 1, 2, 0},
	} {
		values := make([]float64, len(rates))
		for k, r := range results {
			m := r.get(t, tt.name)
			values[k] = float64(m.Value)
			if k > 0 && !(tt.sign*(values[k]-values[k-1]) > 0) {
				t.Errorf("%s is %v at rates %v: want it to get worse", tt.name, values[:k+1], rates[:k+1])
			}
		}
		floor := float64(results[0].get(t, tt.name).Baseline)
		t.Logf("%-40s %.4f, floor %.4f", tt.name, values, floor)
		if d := math.Abs(values[3] - tt.from); tt.far > 0 && !(d > tt.far*math.Abs(floor-tt.from)) {
			t.Errorf("%s: a full shuffle is %v from perfect, the floor %v: want it %v times as far", tt.name, d, math.Abs(floor-tt.from), tt.far)
		}
	}
	for _, n := range []string{"fidelity.did.overlap", "fidelity.did.bias-se", "fidelity.fragment.level-field-tv", "fidelity.fragment.level-field-error",
		"fidelity.fragment.wage-bias-se", "fidelity.fragment.did-bias-se", "fidelity.employers.age-class-agreement"} {
		m := results[2].get(t, n)
		t.Logf("%-40s %.3f [%.3f, %.3f] floor %.3f at rate 0.6", n, m.Value, m.Low, m.High, m.Baseline)
	}
	for _, x := range results[1].Tables {
		for _, r := range x.Rows {
			t.Log(x.Name, r)
		}
	}
}
