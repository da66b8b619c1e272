package fidelity

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/estimate"
)

func origin() Origin { return Origin{Tool: "tool", Arch: "amd64", Plan: "plan", Data: "data"} }

func written(tb testing.TB, s *Statistics) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := s.Encode(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// TestStatisticsChangeNothing: a release measured with what was saved of another
// one of the same selection gives the same report, bit by bit, even where its
// fragment and its grouping of levels are others.
func TestStatisticsChangeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("measures twice")
	}
	w := tiny()
	first := w.input(w.swapped(t, 0.3, 2))
	second := w.input(w.swapped(t, 0.1, 3))
	other := &world{data: w.data, options: w.options, whole: w.whole}
	for e := 1; e < w.data.Employers(); e += 3 {
		other.employers = append(other.employers, int32(e))
	}
	other.fragment = other.publish(t, w.data, other.employers)
	third := other.input(other.swapped(t, 0.2, 4))
	third.Bands = []Band{{"low", []int32{0, 1, 2}}, {"rest", []int32{3, 4, 5, 6, 7}}}

	store := NewStatistics(origin())
	first.Statistics = store
	measured(t, first)
	if store.Len() < 20 {
		t.Errorf("%d statistics were kept", store.Len())
	}
	releases := []Input{second, third}
	if testing.Short() {
		releases = releases[:1]
	}
	for k, in := range releases {
		want := measured(t, in)
		kept, err := ReadStatistics(bytes.NewReader(written(t, store)), origin())
		if err != nil {
			t.Fatal(err)
		}
		before := kept.Len()
		in.Statistics = kept
		got := measured(t, in)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Result{}, word{}), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("release %d without (-) and with (+) saved statistics:\n%s", k, diff)
		}
		if k == 0 && kept.Len() != before {
			t.Errorf("%d statistics were computed again", kept.Len()-before)
		}
	}
	if a, b := written(t, store), written(t, store); !bytes.Equal(a, b) {
		t.Error("written twice the files differ")
	}
	// What is kept is what was computed, not what is computed now.
	empty := NewStatistics(origin())
	second.Statistics = empty
	measured(t, second)
	if diff := cmp.Diff(string(written(t, store)), string(written(t, empty))); diff != "" {
		t.Error("two releases keep other statistics of one selection")
	}
}

func someStatistics(tb testing.TB) *Statistics {
	tb.Helper()
	s := NewStatistics(origin())
	c := unestimated("x", "why")
	c.Estimate = 1 / 3.
	_, _, err := recallCoefficients(s, "did", 1, func() ([]estimate.Coefficient, int, error) { return []estimate.Coefficient{c}, 7, nil })
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := recallTable(s, "table", nil, func() []float64 { return []float64{0, .1, 0, 1e300, 0} }); err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestStatisticsRoundTrip(t *testing.T) {
	s, err := ReadStatistics(bytes.NewReader(written(t, someStatistics(t))), origin())
	if err != nil {
		t.Fatal(err)
	}
	never := func() ([]estimate.Coefficient, int, error) { t.Error("computed again"); return nil, 0, nil }
	want := unestimated("x", "why")
	want.Estimate = 1 / 3.
	c, n, err := recallCoefficients(s, "did", 1, never)
	if err != nil || n != 7 || cmp.Diff([]estimate.Coefficient{want}, c, cmpopts.EquateNaNs()) != "" {
		t.Errorf("%v, %d, %v", c, n, err)
	}
	x, err := recallTable(s, "table", nil, func() []float64 { t.Error("computed again"); return nil })
	if diff := cmp.Diff([]float64{0, .1, 0, 1e300, 0}, x); err != nil || diff != "" {
		t.Error(err, diff)
	}
	fresh := 0
	if _, _, err := recallCoefficients(s, "did", 2, func() ([]estimate.Coefficient, int, error) { fresh++; return nil, 0, nil }); err != nil || fresh != 1 {
		t.Error("with other settings it was not computed", err)
	}
	if x := keep([]float64{math.NaN()}).floats(); !math.IsNaN(x[0]) {
		t.Error("a missing number came back as", x[0])
	}
}

func TestStatisticsAreRefused(t *testing.T) {
	good := string(written(t, someStatistics(t)))
	tests := []struct {
		name, why, text string
		from            Origin
		want            string
	}{
		{"another plan", "its classes are others", good, Origin{"tool", "amd64", "other", "data"}, "another plan"},
		{"other data", "", good, Origin{"tool", "amd64", "plan", "other"}, "another original"},
		{"another program", "its estimators may be others", good, Origin{"new tool", "amd64", "plan", "data"}, "another program"},
		{"another processor", "last digits differ", good, Origin{"tool", "arm64", "plan", "data"}, "another processor"},
		{"changed", "one digit", strings.Replace(good, "0.333", "0.334", 1), origin(), "checksum"},
		{"cut off", "", good[:len(good)/2], origin(), "damaged"},
		{"empty", "", "", origin(), "damaged"},
		{"a report", "some other JSON", `{"version":1,"metrics":[]}`, origin(), "damaged"},
		{"a later version", "", strings.Replace(good, `"version":1`, `"version":2`, 1), origin(), "version 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadStatistics(strings.NewReader(tt.text), tt.from)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "--save-statistics") {
				t.Errorf("%v, want %q and what to do next: %s", err, tt.want, tt.why)
			}
		})
	}
}

func FuzzReadStatistics(f *testing.F) {
	f.Add(written(f, someStatistics(f)))
	f.Add([]byte(`{"version":1,"statistics":null,"sha256":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadStatistics(bytes.NewReader(b), origin())
		if err != nil {
			return
		}
		if _, err := ReadStatistics(bytes.NewReader(written(t, s)), origin()); err != nil {
			t.Errorf("what was read is refused when written: %v", err)
		}
	})
}
