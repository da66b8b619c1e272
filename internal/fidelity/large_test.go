package fidelity

import (
	"math"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/metric"
)

// TestLargeFiles: with resamples of a part of the employers every value is as it
// is with resamples of all, but for what only resamples give, and floors and
// intervals are about as wide.
func TestLargeFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("resamples twice")
	}
	w := small()
	in := w.input(w.swapped(t, 0.2, 5))
	direct := measured(t, in)
	in.Null = make([]Distinction, 2)
	in.MostCells = w.fragment.Cells.Rows() * 9 / 10 // resamples of about 22 % of the cells
	scaled := measured(t, in)
	if k := slices.IndexFunc(scaled.Metrics, func(m metric.Metric) bool { return m.Name == "fidelity.propensity.same-method" }); k < 0 || scaled.Metrics[k].Reason == "" {
		t.Error("copies by the same method are left out without a reason")
	} else {
		scaled.Metrics = slices.Delete(scaled.Metrics, k, k+1)
	}
	if len(direct.Metrics) != len(scaled.Metrics) {
		t.Fatalf("%d metrics with all, %d with a part", len(direct.Metrics), len(scaled.Metrics))
	}
	var floors, widths []float64
	for i, a := range direct.Metrics {
		b := scaled.Metrics[i]
		if a.Name != b.Name {
			t.Fatalf("%s stands where %s stood", b.Name, a.Name)
		}
		resampled := strings.HasPrefix(a.Name, "fidelity.did.") && (strings.HasSuffix(a.Name, "noise-se") || strings.HasSuffix(a.Name, "systematic-se") || strings.HasSuffix(a.Name, "subsample")) || grownOnPart(a.Name) || a.Name == "fidelity.propensity.pmse-ratio"
		if !resampled && !(a.Value.Equal(b.Value) || math.Abs(float64(a.Value-b.Value)) < 1e-9) {
			t.Errorf("%s is %v with all, %v with a part", a.Name, a.Value, b.Value)
		}
		if resampled && a.Value.Valid() != b.Value.Valid() {
			t.Errorf("%s is %v with all, %v (%s) with a part", a.Name, a.Value, b.Value, b.Reason)
		}
		at := 0.0
		switch {
		case a.Name == "fidelity.marginals.nist-score":
			at = 1000
		case a.Better == metric.Higher:
			at = 1
		}
		if x, y := math.Abs(float64(a.Baseline)-at), math.Abs(float64(b.Baseline)-at); !resampled && x > 1e-9 && y > 0 && x != y {
			floors = append(floors, math.Log(y/x))
			t.Logf("%s: floor %.4g with all, %.4g with a part", a.Name, float64(a.Baseline), float64(b.Baseline))
			if math.Abs(math.Log(y/x)) > math.Log(1.25) {
				t.Errorf("%s: floor %v with all, %v with a part", a.Name, a.Baseline, b.Baseline)
			}
		}
		if x, y := float64(a.High-a.Low), float64(b.High-b.Low); !resampled && x > 1e-9 && y > 0 && x != y {
			widths = append(widths, math.Log(y/x))
		}
	}
	for name, x := range map[string][]float64{"floor": floors, "interval": widths} {
		slices.Sort(x)
		middle := math.Exp(x[len(x)/2])
		t.Logf("%s: %d compared, with a part %.2f times (median) as wide, from %.2f to %.2f", name, len(x), middle, math.Exp(x[0]), math.Exp(x[len(x)-1]))
		if middle < .85 || middle > 1.2 {
			t.Errorf("%s: the middle one is %v times that of all", name, middle)
		}
	}
	said := func(r *Result) (out []string) {
		for _, x := range r.words {
			out = append(out, x.what)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	if a, b := said(direct), said(scaled); !slices.Equal(a, b) && len(b) < len(a)-2 {
		t.Errorf("words on %q with all, on %q with a part", a, b)
	}
}

// TestPartIsARandomSample: of employers, whole, within the number of cells.
func TestPartIsARandomSample(t *testing.T) {
	w := tiny()
	in := w.input(w.fragment)
	s, err := newSetting(withDefaults(in))
	if err != nil {
		t.Fatal(err)
	}
	all := len(s.fragment.cells.unit)
	p, err := s.drawPart(all / 3)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.fragment.cells.unit); n > all*2/3 || n < all/8 || p.units != s.fragment.units/3 || p.all != s.fragment.units {
		t.Errorf("%d of %d cells, %d of %d employers", n, all, p.units, p.all)
	}
	full, some, weight := 0, 0, 0.0
	for _, x := range s.parts(all / 3) {
		weight += x * x
		full += int(indicator(x == 1))
		some += int(indicator(x > 1))
	}
	if full == 0 || some == 0 || math.Abs(weight-float64(p.all)) > 1e-9 {
		t.Errorf("%d employers count in full, %d for others, together for %v of %d", full, some, weight, p.all)
	}
	in.MostCells = -1
	if in.Validate() == nil {
		t.Error("-1 cells were taken")
	}
}
