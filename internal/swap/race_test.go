package swap

import (
	"math"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// TestPoolDrawsByRisk: a donor is drawn in proportion to risk from those of
// other regions, by rejection and by the race behind it (20,000 draws each,
// within 5 standard deviations).
func TestPoolDrawsByRisk(t *testing.T) {
	// Region 0 holds the receiver; in region 1 risks are one over 1, 2, 3 and 5.
	var region, risk []int32
	for kind, n := range []int{1, 2, 3, 5} {
		for range n {
			region, risk = append(region, 1), append(risk, int32(kind))
		}
	}
	region, risk = append(region, 0, 0), append(risk, 0, 0)
	n := len(region)
	f := frame.Must(frame.Ints(linked.Employer, Identity(n)), frame.Ints(linked.Year, make([]int32, n)),
		frame.Ints("region", region), frame.Ints("risk", risk), frame.Ints("v", Identity(n)))
	o := Options{Method: TargetedSwap, Bundle: []string{"v"}, Rate: 1, Hierarchy: []string{"region"}, Risk: []string{"risk"}, K: 9}
	e, err := newEngine(t.Context(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prepareTargeted(t.Context(), e, nil); err != nil {
		t.Fatal(err)
	}
	g := &stratum{}
	e.gather(g, 0)
	regions := e.targeted.region[0].codes
	for _, by := range []string{"rejection", "race"} {
		const draws = 20000
		counts, s := make([]float64, n), seed.Stream(by, 0)
		for range draws {
			r := newRace(e.targeted, g, s)
			q := r.pool(0, e.targeted.profile[0]())
			var v int32
			if by == "race" {
				l := &line{}
				for u := range int32(n) {
					l.units = append(l.units, waiting{float32(s.QuickExp()) * float32(e.targeted.countOf(0, g, u)), u})
				}
				v = l.take(r, regions, regions[n-1])
			} else {
				v = q.draw(r, q.cell(g, int32(n-1)), regions, regions[n-1])
			}
			counts[v]++
		}
		for u, k := range []float64{1, 2, 2, 3, 3, 3, 5, 5, 5, 5, 5} {
			p := 1 / k / 4 // four kinds, each with risk 1 in all
			if got := counts[u] / draws; math.Abs(got-p) > 5*math.Sqrt(p*(1-p)/draws) {
				t.Errorf("%s: unit %d of %v alike is drawn with %.4f, want %.4f", by, u, k, got, p)
			}
		}
		if counts[n-1]+counts[n-2] > 0 {
			t.Errorf("%s: a donor of the own region", by)
		}
	}
}
