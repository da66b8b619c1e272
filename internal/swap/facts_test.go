package swap

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// The tests below show structural facts of the design on a small population.

// TestFact1HeadCountsAreInvariant: no attribute permutation moves a head count
// per employer and year, whatever unit, scope and rate: it stays an exact
// fingerprint.
func TestFact1HeadCountsAreInvariant(t *testing.T) {
	f := population(11, 300, 5, 60)
	for _, unit := range []Unit{Row, PersonYear, Person} {
		for _, scope := range []Scope{Any, AcrossEmployers, WithinEmployer} {
			o := Options{Unit: unit, Scope: scope, Rate: 1, Joint: true, Bundle: []string{linked.Level, linked.Field, linked.Sex, linked.Wage, linked.FTE}}
			r := must(t, f, o)
			if r.Report.Pairings[0].ChangedShare() < 0.3 {
				t.Fatalf("%v %v changed %v of the units: the test shows nothing", unit, scope, r.Report.Pairings[0].ChangedShare())
			}
			if err := Check(t.Context(), f, r.Frame, []Promise{{[]string{linked.Employer, linked.Year}}}); err != nil {
				t.Errorf("%v %v: %v", unit, scope, err)
			}
		}
	}
	paths := map[string]int{}
	counts := map[int32][5]int{}
	for i, e := range f.Col(linked.Employer).I {
		p := counts[e]
		p[f.Col(linked.Year).I[i]-2010]++
		counts[e] = p
	}
	for _, p := range counts {
		paths[fmt.Sprint(p)]++
	}
	unique := 0
	for _, k := range paths {
		if k == 1 {
			unique++
		}
	}
	t.Logf("%d of %d head-count paths are unique", unique, len(counts))
}

// TestFact2WithinEmployerProtectsNoCount: swapping (level, field) jointly inside
// an employer and year changes who is what, and leaves the released counts.
func TestFact2WithinEmployerProtectsNoCount(t *testing.T) {
	f := population(12, 300, 3, 60)
	o := Options{Scope: WithinEmployer, Rate: 1, Joint: true, Bundle: []string{linked.Level, linked.Field}, Same: []string{linked.Year}}
	r := must(t, f, o)
	cells := []string{linked.Employer, linked.Year, linked.Level, linked.Field}
	if err := Check(t.Context(), f, r.Frame, []Promise{{cells}}); err != nil {
		t.Error(err)
	}
	if share := r.Report.Pairings[0].ChangedShare(); share < 0.3 {
		t.Errorf("only %.2f of the workers changed: the test shows nothing", share)
	}
	if cmp.Equal(sums(f, linked.Wage, cells...), sums(r.Frame, linked.Wage, cells...)) {
		t.Error("the cells' wages are the same, want them moved")
	}
}

// TestFact3AcrossEmployersKeepsWageBills: swapping (level, field) across
// employers leaves every employer's wage bill and FTE exact.
func TestFact3AcrossEmployersKeepsWageBills(t *testing.T) {
	f := population(13, 300, 3, 60)
	r := must(t, f, Options{Scope: AcrossEmployers, Rate: 1, Joint: true, Bundle: []string{linked.Level, linked.Field}, Same: []string{linked.Year}})
	for _, of := range []string{linked.Wage, linked.FTE} {
		if d := cmp.Diff(sums(f, of, linked.Employer, linked.Year), sums(r.Frame, of, linked.Employer, linked.Year)); d != "" {
			t.Errorf("%s by employer and year (-want +got):\n%s", of, d)
		}
	}
	if keeps(t, f, r.Frame, linked.Employer, linked.Year, linked.Level) {
		t.Error("counts by level are the same, want them moved")
	}
}

// TestFact7OneWayMarginsSayPerfect: at rate 1, with every column paired apart,
// each one-way margin of the pool is exact while the joint table is far off.
func TestFact7OneWayMarginsSayPerfect(t *testing.T) {
	f := population(17, 300, 3, 60)
	cols := []string{linked.Level, linked.Field, linked.Sex, linked.Wage, linked.FTE}
	r := must(t, f, Options{Rate: 1, Bundle: cols, Same: []string{linked.Year}})
	for _, n := range cols {
		if err := Check(t.Context(), f, r.Frame, []Promise{{[]string{linked.Year, n}}}); err != nil {
			t.Error(err)
		}
	}
	// Wages rise with the level; afterwards they do not.
	rise := func(f *frame.Frame) float64 {
		s, n := sums(f, linked.Wage, linked.Level), map[string]float64{}
		for i := range f.Rows() {
			n[cell(f, []string{linked.Level}, i)]++
		}
		return s["level university"]/n["level university"] - s["level primary"]/n["level primary"]
	}
	before, after := rise(f), rise(r.Frame)
	t.Logf("university premium %.0f euro before, %.0f after", before, after)
	if after > before/5 {
		t.Errorf("the premium of %.0f euro is still %.0f", before, after)
	}
}
