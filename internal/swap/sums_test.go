package swap

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/linked"
)

// TestSumsAreKept: whatever the frame, method and unit, a sum that a step says
// it keeps is within its tolerance afterwards, also over two steps.
func TestSumsAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := linked.Canonical(drawFrame(t, true))
		p := SumPromise{Column: linked.Wage, By: rapid.SampledFrom([][]string{{linked.Employer}, {linked.Employer, linked.Year}, {linked.Level}, {linked.Year}}).Draw(t, "by"),
			Within: rapid.SampledFrom([]int64{0, 1000, 50_000, 300_000, Million}).Draw(t, "within")}
		o := Options{Method: rapid.SampledFrom([]string{RandomSwap, RankSwap, NearestSwap}).Draw(t, "method"), Unit: rapid.SampledFrom([]Unit{Row, PersonYear}).Draw(t, "unit"),
			Bundle: []string{linked.Wage}, Rate: 1, Sums: []SumPromise{p}, Window: 0.3, Near: []string{linked.FTE}}
		if o.Method != RankSwap {
			o.Window = 0
		}
		if o.Method != NearestSwap {
			o.Near = nil
		}
		if rapid.Bool().Draw(t, "same year") {
			o.Same = []string{linked.Year}
		}
		if ok, _ := KeepsSum(o, p); !ok {
			if p.Within > 0 {
				t.Fatalf("%v of %s refused", p, o.Method)
			}
			if _, err := Run(t.Context(), f, o, seed, 1); err == nil {
				t.Fatalf("%v was accepted", p)
			}
			return
		}
		now := f
		for step := range 2 {
			o.Original = f
			r, err := Run(t.Context(), now, o, seed, step)
			if err != nil {
				t.Fatal(err)
			}
			now = r.Frame
		}
		if err := CheckSums(t.Context(), f, now, o.Sums); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSumTolerance(t *testing.T) {
	f := population(1, 60, 3, 30)
	run := func(o Options) *Result {
		t.Helper()
		r, err := Run(t.Context(), f, o, seed, 1)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	base := Options{Method: RankSwap, Bundle: []string{linked.Wage}, Rate: 1, Window: 0.05, Same: []string{linked.Year}}
	kept := base
	kept.Sums = []SumPromise{{Column: linked.Wage, By: []string{linked.Employer, linked.Year}, Within: 20_000}}
	free, bound := run(base), run(kept)
	err := CheckSums(t.Context(), f, free.Frame, kept.Sums)
	if err == nil || !strings.Contains(err.Error(), "sum(wage) by [employer, year] within 2% is not kept") {
		t.Errorf("without the promise: %v", err)
	}
	if err := CheckSums(t.Context(), f, bound.Frame, kept.Sums); err != nil {
		t.Error(err)
	}
	p := bound.Report.Pairings[0]
	if p.TouchedShare() < 0.5 || p.Without(SumTooFar) == 0 || len(bound.Report.Warnings) == 0 {
		t.Errorf("touched %.2f, taken back %d, warnings %q: want most pairs kept, and those taken back named", p.TouchedShare(), p.Without(SumTooFar), bound.Report.Warnings)
	}
}

func TestKeepsSum(t *testing.T) {
	wage := Options{Bundle: []string{linked.Wage}, Rate: 1, Same: []string{linked.Year}}
	with := func(change func(*Options)) Options {
		o := wage
		change(&o)
		return o
	}
	exact := SumPromise{Column: linked.Wage, By: []string{linked.Employer, linked.Year}}
	within := SumPromise{Column: linked.Wage, By: []string{linked.Employer}, Within: 10_000}
	tests := []struct {
		name, why string
		o         Options
		p         SumPromise
		want      string // "" is kept
	}{
		{"by year", "partners agree on it", wage, SumPromise{Column: linked.Wage, By: []string{linked.Year}}, ""},
		{"within employers", "colleagues", with(func(o *Options) { o.Scope = WithinEmployer }), exact, ""},
		{"levels alone", "wages stay", with(func(o *Options) { o.Bundle = []string{linked.Level} }), exact, ""},
		{"across", "nothing exact", wage, exact, `"wage" moves between rows that differ in "employer"`},
		{"across with tolerance", "pairs are taken back", wage, within, ""},
		{"cells move", "rows change cells", with(func(o *Options) { o.Bundle = []string{linked.Level} }), SumPromise{Column: linked.Wage, By: []string{linked.Level}, Within: 1}, `"level" moves`},
		{"both move", "", with(func(o *Options) { o.Bundle, o.Joint = []string{linked.Wage, linked.Level}, true }), SumPromise{Column: linked.Wage, By: []string{linked.Level, linked.Employer}, Within: 1}, "take them out of the bundle"},
		{"both move together", "the table travels", with(func(o *Options) { o.Bundle, o.Joint = []string{linked.Wage, linked.Level}, true }), SumPromise{Column: linked.Wage, By: []string{linked.Level}}, ""},
		{"shuffle", "no pairs", with(func(o *Options) { o.Method = FullShuffle }), within, "deals values to no pairs"},
		{"persons", "a cycle", with(func(o *Options) { o.Unit = Person }), within, "moves on a cycle"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ok, why := KeepsSum(tt.o, tt.p)
			if ok != (tt.want == "") || !strings.Contains(why, tt.want) {
				t.Errorf("%s: %v, %q, want %q", tt.why, ok, why, tt.want)
			}
		})
	}
}
