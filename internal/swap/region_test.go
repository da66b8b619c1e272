package swap

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// drawFirms is a table of firms that come, go and stay away for a year. Some
// move to another region.
func drawFirms(t *rapid.T) *frame.Frame {
	employers := rapid.IntRange(1, 14).Draw(t, "employers")
	names := make([]string, employers)
	var employer, year, region, sector, event []int32
	for e := range names {
		names[e] = fmt.Sprintf("E%02d", e)
		r, s := rapid.Int32Range(-1, 3).Draw(t, "region"), rapid.Int32Range(0, 1).Draw(t, "sector")
		years := rapid.SliceOfNDistinct(rapid.Int32Range(2010, 2013), 1, 4, rapid.ID).Draw(t, "years")
		slices.Sort(years)
		moves := rapid.Int32Range(2008, 2014).Draw(t, "moves")
		for _, y := range years {
			if y == moves {
				r = rapid.Int32Range(0, 3).Draw(t, "new region")
			}
			employer, year, region, sector, event = append(employer, int32(e)), append(year, y), append(region, r), append(sector, s), append(event, 2000+r)
		}
	}
	return frame.Must(frame.Codes(linked.Employer, frame.MustDict(names...), employer), frame.Ints(linked.Year, year),
		frame.Codes(linked.Region, frame.MustDict("n", "e", "s", "w"), region), frame.Codes(linked.Sector, frame.MustDict("a", "b"), sector),
		frame.Ints(linked.EventYear, event))
}

// TestEmployerRegions: employers exchange properties in pairs that exist in the
// same years, so that no year loses a value and nobody moves who did not.
func TestEmployerRegions(t *testing.T) {
	for _, o := range []Options{
		{Bundle: []string{linked.Region}, Rate: 1},
		{Bundle: []string{linked.Region, linked.EventYear}, Joint: true, Rate: 0.6, Same: []string{linked.Sector}},
		{Method: TargetedSwap, Bundle: []string{linked.Region}, Rate: 0.5, Hierarchy: []string{linked.Region}, Risk: []string{linked.Sector}, K: 2},
		{Method: NearestSwap, Bundle: []string{linked.Region}, Rate: 1, Near: []string{linked.Sector}},
		{Method: FullShuffle, Bundle: []string{linked.Region}, Rate: 1},
	} {
		o.Unit = EmployerRegion
		t.Run(fmt.Sprintf("%s %q", o.Method, o.Bundle), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				f := drawFirms(t)
				r, err := Run(t.Context(), f, o, seed, 1)
				if err != nil {
					t.Fatal(err)
				}
				checkContract(t, f, o, r)
				for _, g := range r.Pairings {
					for i, j := range g.Perm {
						if f.Col(linked.Year).I[i] != f.Col(linked.Year).I[j] {
							t.Fatalf("row %d takes the value of another year", i)
						}
					}
				}
				was, now, employer := f.Col(linked.Region).I, r.Frame.Col(linked.Region).I, f.Col(linked.Employer).I
				for i := 1; i < f.Rows(); i++ {
					if employer[i] == employer[i-1] && was[i] == was[i-1] && now[i] != now[i-1] {
						t.Fatalf("employer %d moves from %d to %d and did not", employer[i], now[i-1], now[i])
					}
				}
			})
		})
	}
	if ok, why := Keeps(Options{Unit: EmployerRegion, Bundle: []string{linked.Region}, Rate: 1, Same: []string{linked.Year, linked.Group}}, Promise{[]string{linked.Region, linked.Group}}); ok || !strings.Contains(why, "other workers") {
		t.Errorf("a head count by region: %v, %s", ok, why)
	}
	if ok, _ := Keeps(Options{Unit: EmployerRegion, Bundle: []string{linked.Region}, Rate: 1}, Promise{[]string{linked.Level, linked.Group}}); !ok {
		t.Error("a table without regions is kept")
	}
}

// TestRegionsOfEqualPartners: with everybody there every year, all regions move.
func TestRegionsOfEqualPartners(t *testing.T) {
	f := frame.Must(frame.Strings(linked.Employer, []string{"a", "a", "b", "b"}), frame.Ints(linked.Year, []int32{1, 2, 1, 2}), frame.Strings(linked.Region, []string{"n", "n", "s", "s"}))
	r := must(t, f, Options{Unit: EmployerRegion, Bundle: []string{linked.Region}, Rate: 1})
	if d := cmp.Diff([]int32{1, 1, 0, 0}, r.Frame.Col(linked.Region).I); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if p := r.Report.Pairings[0]; p.Units != 2 || p.Touched != 2 || p.Changed != 2 || p.RowsTouched != 4 {
		t.Errorf("report %+v", p)
	}
}
