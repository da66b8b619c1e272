package attack

import (
	"math"
	"slices"
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/rng"
)

func TestMethodKeepsSwapsApart(t *testing.T) {
	levels := Swap{Rate: 0.9, Bundle: []string{linked.Level, linked.Field}}
	wagesWithin := Swap{Rate: 0.5, Bundle: []string{linked.Wage}, Within: true}
	wagesAcross := Swap{Rate: 0.5, Bundle: []string{linked.Wage}}
	whole := Swap{Rate: 0.3, Bundle: []string{linked.Employer}}
	apart := Swap{Rate: 0.2, Bundle: []string{linked.Level, linked.Field}, Apart: true}
	tests := []struct {
		name, why          string
		swaps              []Swap
		level, wage, moved float64
	}{
		{"levels alone", "wages stay with their employer", []Swap{levels}, 0.9, 0, 0.9},
		{"wages within", "an employer's wage bill is exact, but a cell may hold a colleague's wage", []Swap{levels, wagesWithin}, 0.9, 0, 0.95},
		{"wages across", "rates of different attributes do not mix", []Swap{levels, wagesAcross}, 0.9, 0.5, 0.95},
		{"twice", "two swaps touch one minus the share that neither touched", []Swap{wagesAcross, wagesAcross}, 0, 0.75, 0.75},
		{"whole workers", "with the employer everything moves", []Swap{whole}, 0.3, 0.3, 0.3},
		{"a pairing each", "level and field are drawn separately", []Swap{apart}, 0.2, 0, 0.36},
		{"none", "nothing moved", nil, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Method{Swaps: tt.swaps}
			got := [3]float64{m.touched(linked.Level, metric.KnowsParameters), m.touched(linked.Wage, metric.KnowsParameters), m.displaced(metric.KnowsParameters)}
			for i, want := range [3]float64{tt.level, tt.wage, tt.moved} {
				if math.Abs(got[i]-want) > 1e-12 {
					t.Errorf("%s: level, wage, displaced are %v, want %v", tt.why, got, [3]float64{tt.level, tt.wage, tt.moved})
				}
			}
			if m.touched(linked.Level, metric.KnowsNothing) != 0 {
				t.Error("who knows nothing of the method takes every value at its face")
			}
		})
	}
}

// TestMovedFirmColumns: two swaps of regions in a row leave a quarter where they
// were, for an intruder who knows the rates.
func TestMovedFirmColumns(t *testing.T) {
	m := Method{Swaps: []Swap{{Rate: .5, Bundle: []string{linked.Region}}, {Rate: .9, Bundle: []string{linked.Level}}, {Rate: .5, Bundle: []string{linked.Region}}}}
	for knowledge, want := range map[string]float64{metric.KnowsParameters: .75, metric.KnowsNothing: 0} {
		if got := m.moved(linked.Region, knowledge); got != want {
			t.Errorf("knowledge %s: %v of the regions moved, want %v", knowledge, got, want)
		}
	}
	if got := m.moved(linked.Sector, metric.KnowsParameters); got != 0 {
		t.Errorf("%v of the sectors moved, want none", got)
	}
}

// The median is that of the values in order, whatever their order and ties.
func TestMedian(t *testing.T) {
	s := rng.Sim(8).Stream(stageWorld, 3)
	for n := 1; n < 40; n++ {
		for range 20 {
			v := make([]float64, n)
			for i := range v {
				v[i] = float64(s.IntN(n))
			}
			want := slices.Sorted(slices.Values(v))
			if got := median(v); got != (want[(n-1)/2]+want[n/2])/2 {
				t.Fatalf("the median of %v is %v, got %v", want, (want[(n-1)/2]+want[n/2])/2, got)
			}
		}
	}
}
