package swap

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/frame"
)

func TestDisplace(t *testing.T) {
	p, err := Pairs(6, [][2]int32{{0, 5}, {1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	tests := []struct {
		name, why string
		column    frame.Column
		want      Displacement
	}{
		{"number", "ranks 0 and 5 change places, and 1 and 2 are equal, hence both 1.5: (5+5+0+0)/4 of 6 ranks",
			frame.Ints("x", []int32{10, 20, 20, 30, 40, 60}), Displacement{"x", 4, 2.5 / 6, 5. / 6, 0.5}},
		{"missing", "a pair of which one misses has no ranks and distance 1",
			frame.Ints("x", []int32{10, 20, 40, 30, 60, frame.NoInt}), Displacement{"x", 4, 2. / 6, 2. / 6, (1 + 1 + 0.4 + 0.4) / 4}},
		{"category", "has no ranks; another code is distance 1",
			frame.Codes("x", fieldDict, []int32{0, 1, 1, 2, 3, 4}), Displacement{"x", 4, nan, nan, 0.5}},
		{"ordinal", "codes are ranked",
			frame.Ordered("x", levelDict, []int32{0, 1, 2, 2, 2, 3}), Displacement{"x", 4, (5 + 5 + 2 + 2) / 4. / 6, 5. / 6, 2. / 3}},
		{"all equal", "nothing to bridge", frame.Ints("x", make([]int32, 6)), Displacement{"x", 4, 0, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Result{Pairings: []Pairing{{Columns: []string{"x"}, Perm: p}}, Report: Report{Pairings: make([]PairingReport, 1)}}
			if err := r.Displace(t.Context(), frame.Must(tt.column)); err != nil {
				t.Fatal(err)
			}
			want := []Displacement{tt.want}
			if d := cmp.Diff(want, r.Report.Pairings[0].Displacements, cmpopts.EquateApprox(0, 1e-12), cmpopts.EquateNaNs()); d != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, d)
			}
		})
	}
}

// TestRankSwapStaysInItsWindow reads the promise of the window off the report.
func TestRankSwapStaysInItsWindow(t *testing.T) {
	wage := make([]int32, 2000)
	for i := range wage {
		wage[i] = int32(i*i%7919 + 10000*(i%3))
	}
	f := frame.Must(frame.Strings("employer", make([]string, 2000)), frame.Ints("year", make([]int32, 2000)), frame.Ints("wage", wage))
	r := must(t, f, Options{Method: RankSwap, Bundle: []string{"wage"}, Rate: 1, Window: 0.05})
	if err := r.Displace(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	d := r.Report.Pairings[0].Displacements[0]
	if d.Farthest > 0.05 || d.Ranks <= 0.01 || d.Ranks > d.Farthest || d.Rows < 1900 {
		t.Errorf("displacement %+v, want at most 0.05 of the ranks", d)
	}
}

// TestRateExceeded: a targeted swap in which k goes first says that it went
// beyond the rate.
func TestRateExceeded(t *testing.T) {
	f := population(3, 60, 2, 20)
	o := Options{Method: TargetedSwap, Unit: Row, Bundle: []string{"level", "field"}, Joint: true, Rate: 0.05, Same: []string{"year"},
		Hierarchy: []string{"employer"}, Risk: []string{"level", "field", "sex"}, K: 3}
	for _, tt := range []struct {
		name string
		p    Priority
		want int
	}{{"k first", KWins, 1}, {"rate first", RateWins, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			o.Priority = tt.p
			r := must(t, f, o)
			if len(r.Report.Warnings) != tt.want {
				t.Errorf("warnings %q, want %d; touched %.3f of %.3f wanted", r.Report.Warnings, tt.want, r.Report.Pairings[0].TouchedShare(), o.Rate)
			}
		})
	}
}

// TestAnybodyLast: an empty last profile finds a partner for who has none alike.
func TestAnybodyLast(t *testing.T) {
	f := population(4, 40, 1, 12)
	o := Options{Method: TargetedSwap, Unit: Row, Bundle: []string{"level", "field"}, Joint: true, Rate: 0.1, Same: []string{"year"},
		Hierarchy: []string{"employer"}, Risk: []string{"level", "field", "sex"}, K: 3, Profiles: [][]string{{"wage"}}}
	alike := must(t, f, o).Report.Pairings[0]
	o.Profiles = append(o.Profiles, nil)
	anybody := must(t, f, o).Report.Pairings[0]
	if alike.Without(NoPartnerNear) == 0 || anybody.Without(NoPartnerNear) > 1 {
		t.Errorf("%d of %d without a partner alike, %d without anybody", alike.Without(NoPartnerNear), alike.Units, anybody.Without(NoPartnerNear))
	}
	o.Profiles = [][]string{{}, {"wage"}}
	if err := o.Validate(f); err == nil {
		t.Error("an empty profile before another one: want an error")
	}
}
