package fidelity

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"scramblelab/internal/frame"
	"scramblelab/internal/metric"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

// labels makes a file of names from rows of them.
func labels(rows [][]string) *frame.Frame {
	var cols []frame.Column
	for k := range rows[0] {
		v := make([]string, len(rows))
		for i, r := range rows {
			v[i] = r[k]
		}
		cols = append(cols, frame.Strings(fmt.Sprint("v", k), v))
	}
	return frame.Must(cols...)
}

func compared(tb testing.TB, f Files) *Result {
	tb.Helper()
	r, err := MeasureFiles(context.Background(), f)
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

func near(tb testing.TB, what string, got metric.Number, want float64) {
	tb.Helper()
	if !(math.Abs(float64(got)-want) <= 1e-9) {
		tb.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestNISTCase(t *testing.T) {
	var c struct {
		Input    struct{ Target, Deid [][]string }
		Expected struct{ Score float64 }
	}
	sharedtest.Case(t, "utility_kmarginal_nist", &c)
	r := compared(t, Files{Original: labels(c.Input.Target), Released: labels(c.Input.Deid), Key: 1})
	near(t, "score", r.get(t, "fidelity.marginals.nist-score").Value, c.Expected.Score)
	near(t, "mean distance", r.get(t, "fidelity.marginals.two-way-tv").Value, (1 - c.Expected.Score/1000))
}

func TestTotalVariationCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Real, Syn []*string
			Expected  float64
			Error     string
		}
	}
	sharedtest.Case(t, "utility_tv_complement", &c)
	column := func(v []*string) *frame.Frame {
		s := make([]string, len(v))
		for i, p := range v {
			if p != nil {
				s[i] = *p
			}
		}
		return frame.Must(frame.Strings("x", s))
	}
	for i, tt := range c.Cases {
		m := compared(t, Files{Original: column(tt.Real), Released: column(tt.Syn), Key: 1}).get(t, "fidelity.distribution.tv")
		switch {
		case tt.Error != "" && (m.Value.Valid() || m.Reason == ""):
			t.Errorf("case %d: nothing but missing values give %v (%q), want a reason", i, m.Value, m.Reason)
		case tt.Error == "" && math.Abs(1-float64(m.Value)-tt.Expected) > 1e-9:
			t.Errorf("case %d: distance is %v, want %v", i, m.Value, 1-tt.Expected)
		}
	}
}

func TestUnivariateCase(t *testing.T) {
	a := frame.Must(frame.Ints("x", []int32{1, 2, 3, 4}))
	b := frame.Must(frame.Ints("x", []int32{1, 2, 2, 6}))
	r := compared(t, Files{Original: a, Released: b, Key: 1})
	near(t, "KS", r.get(t, "fidelity.distribution.ks").Value, 0.25)
	near(t, "Wasserstein in standard deviations", r.get(t, "fidelity.distribution.wasserstein").Value, 0.75/math.Sqrt(1.25))
	p := frame.Must(frame.Strings("x", []string{"a", "a", "a", "a", "a", "b", "b", "b", "c", "c"}))
	q := frame.Must(frame.Strings("x", []string{"a", "a", "a", "a", "b", "b", "b", "b", "c", "c"}))
	r = compared(t, Files{Original: p, Released: q, Key: 1})
	near(t, "TV", r.get(t, "fidelity.distribution.tv").Value, 0.1)
	near(t, "Hellinger", r.get(t, "fidelity.distribution.hellinger").Value, 0.07985138061590795)
	near(t, "Jensen-Shannon", r.get(t, "fidelity.distribution.jensen-shannon").Value, 0.009185925460812108)
	if m := r.get(t, "fidelity.distribution.ks"); m.Value.Valid() || m.Reason == "" {
		t.Errorf("names without an order have KS %v (%q), want a reason", m.Value, m.Reason)
	}
}

// TestAssociate: the closed forms of the shared two-way table.
func TestAssociate(t *testing.T) {
	a := associate([]float64{10, 20, 30, 20, 10, 10}, 2, 3, -1, -1, nil, nil)
	near(t, "Cramér's V", metric.Number(a.strength), 0.36324157862838946)
	near(t, "mutual information", metric.Number(a.mutual*math.Ln2), 13.233821636969084/200)
	eta := associate([]float64{1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3}, 2, 10, -1, -1, nil, nil)
	if math.IsNaN(eta.strength) {
		t.Error("a table of 2 x 10 has no association")
	}
	// Groups 1 2 3, 2 4 6, 9 9 9: η² = 78/88.
	values := []float64{1, 2, 3, 4, 6, 9}
	r := associate([]float64{1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 3}, 3, 6, -1, -1, nil, values)
	near(t, "η²", metric.Number(r.strength*r.strength), 78.0/88)
	line := associate([]float64{1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 3, -1, -1, []float64{1, 2, 3}, []float64{6, 4, 2})
	near(t, "correlation", metric.Number(line.signed), -1)
}

// TestFileEdges: whatever the columns hold, every measure has a value or says
// why not.
func TestFileEdges(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name, why          string
		original, released *frame.Frame
	}{
		{"constant", "nothing varies", frame.Must(frame.Strings("x", []string{"a", "a"})), frame.Must(frame.Strings("x", []string{"a", "a"}))},
		{"constant made varied", "", frame.Must(frame.Strings("x", []string{"a", "a"})), frame.Must(frame.Strings("x", []string{"a", "b"}))},
		{"all missing", "", frame.Must(frame.Floats("x", []float64{nan, nan}), frame.Ints("y", []int32{1, 2})), frame.Must(frame.Floats("x", []float64{nan, nan}), frame.Ints("y", []int32{1, 2}))},
		{"missing made", "", frame.Must(frame.Floats("x", []float64{1, 2}), frame.Ints("y", []int32{1, 2})), frame.Must(frame.Floats("x", []float64{nan, nan}), frame.Ints("y", []int32{1, 2}))},
		{"other categories", "in one file only", frame.Must(frame.Strings("x", []string{"a", "b"})), frame.Must(frame.Strings("x", []string{"c", "d"}))},
		{"one row", "", frame.Must(frame.Strings("x", []string{"a"}), frame.Ints("y", []int32{1})), frame.Must(frame.Strings("x", []string{"b"}), frame.Ints("y", []int32{2}))},
		{"no rows", "", frame.Must(frame.Strings("x", []string{}), frame.Ints("y", []int32{})), frame.Must(frame.Strings("x", []string{}), frame.Ints("y", []int32{}))},
		{"no columns", "", frame.Must(), frame.Must()},
		{"more rows", "unpaired", frame.Must(frame.Ints("x", []int32{1, 2, 3}), frame.Ints("y", []int32{1, 2, 9})), frame.Must(frame.Ints("x", []int32{1, 2}), frame.Ints("y", []int32{1, 1}))},
		{"infinite", "counts as missing", frame.Must(frame.Floats("x", []float64{1, math.Inf(1)}), frame.Ints("y", []int32{1, 2})), frame.Must(frame.Floats("x", []float64{1, 2}), frame.Ints("y", []int32{1, 2}))},
	} {
		r := compared(t, Files{Original: tt.original, Released: tt.released, Key: 1})
		if len(r.Metrics) < 10 {
			t.Errorf("%s: %d measures, want all of them: %s", tt.name, len(r.Metrics), tt.why)
		}
	}
	if _, err := MeasureFiles(context.Background(), Files{Original: frame.Must(), Released: frame.Must(), Unit: "u"}); err == nil {
		t.Error("a unit that no file has is no error")
	}
}

// manyRows is a file of 8 columns and the same with one in five values of two
// of them exchanged.
func manyRows(n int) Files {
	s := rng.Sim(1).Stream(1, 0)
	level, field, sex, sector, region := make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	age, wage, fte, unit := make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range n {
		unit[i] = int32(i / 25)
		level[i], field[i], sex[i] = int32(s.IntN(15)), int32(s.IntN(30)), int32(s.IntN(2))
		sector[i], region[i] = unit[i]%20, unit[i]%3
		age[i], fte[i] = int32(20+s.IntN(45)), int32(20+s.IntN(81))
		wage[i] = int32(20000*math.Exp(0.05*float64(level[i])+0.3*s.Normal())) + age[i]*100
	}
	dict := func(k int) *frame.Dict {
		l := make([]string, k)
		for i := range l {
			l[i] = fmt.Sprintf("c%02d", i)
		}
		return frame.MustDict(l...)
	}
	original := frame.Must(frame.Ints("employer", unit), frame.Ordered("level", dict(15), level), frame.Codes("field", dict(30), field),
		frame.Codes("sex", dict(2), sex), frame.Codes("sector", dict(20), sector), frame.Codes("region", dict(3), region),
		frame.Ints("age", age), frame.Ints("wage", wage), frame.Fixed("fte", 2, fte))
	l, f := append([]int32(nil), level...), append([]int32(nil), field...)
	for i := 0; i+9 < n; i += 10 {
		j := s.IntN(n/10)*10 + 5
		if j < n {
			l[i], l[j], f[i], f[j] = l[j], l[i], f[j], f[i]
		}
	}
	released := original.With(frame.Ordered("level", dict(15), l), frame.Codes("field", dict(30), f))
	return Files{Original: original, Released: released, Unit: "employer", Key: 1}
}

// BenchmarkFiles: all measures on files of 8 columns and three sizes.
func BenchmarkFiles(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("rows=%.0e", float64(n)), func(b *testing.B) {
			f := manyRows(n)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			cpu, start := cpuSeconds(), time.Now()
			b.ResetTimer()
			for range b.N {
				if _, err := MeasureFiles(context.Background(), f); err != nil {
					b.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(n)*float64(b.N)/time.Since(start).Seconds(), "rows/s")
			b.ReportMetric((cpuSeconds()-cpu)/float64(b.N), "cpu-s")
			b.ReportMetric(float64(after.HeapSys)/1e6, "heap-MB")
		})
	}
}
