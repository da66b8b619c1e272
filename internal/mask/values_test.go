package mask

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

// people is a table of one employer with wages, FTE, ages and levels.
func people(n int, seed uint64) *frame.Frame {
	s := rng.Sim(seed).Stream(1, 0)
	wage, fte, age, level, year := make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range n {
		wage[i], fte[i], age[i] = int32(15000+20000*s.Exp()), int32(10+s.IntN(91)), int32(18+s.IntN(48))
		level[i], year[i] = int32(s.IntN(5))-1, int32(2010+3*i/n)
		if s.IntN(50) == 0 {
			wage[i] = frame.NoInt
		}
	}
	return frame.Must(frame.Codes(linked.Employer, frame.MustDict("a"), make([]int32, n)), frame.Ints(linked.Year, year),
		frame.Ints(linked.Wage, wage), frame.Fixed(linked.FTE, 2, fte), frame.Ints(linked.Age, age),
		frame.Ordered(linked.Level, frame.MustDict("low", "mid", "high", "top"), level))
}

func total(c frame.Column, in func(i int) bool) (sum int64) {
	for i, v := range c.I {
		if !c.Missing(i) && in(i) {
			sum += int64(v)
		}
	}
	return sum
}

func TestTopCode(t *testing.T) {
	f := frame.Must(frame.Ints(linked.Wage, []int32{10, 20, frame.NoInt, 30, 41}), frame.Fixed(linked.FTE, 2, []int32{20, 50, 100, 120, 130}))
	many := make([]int32, 21)
	for i := range many {
		many[i] = int32(i)
	}
	tests := []struct {
		name, why string
		f         *frame.Frame
		o         TopCoder
		want      []int32
		warnings  int
	}{
		{"top", "the bound itself is not beyond it", f, TopCoder{Column: linked.Wage, Above: 30}, []int32{10, 20, frame.NoInt, 30, 30}, 0},
		{"both", "", f, TopCoder{Column: linked.Wage, Above: 30, Below: 15}, []int32{15, 20, frame.NoInt, 30, 30}, 0},
		{"hundredths", "bounds are in the unit of the column", f, TopCoder{Column: linked.FTE, Above: 1, Below: 0.3}, []int32{30, 50, 100, 100, 100}, 0},
		{"few behind a mean", "the mean of one value would tell it", f, TopCoder{Column: linked.Wage, Above: 30, Mean: true}, []int32{10, 20, frame.NoInt, 30, 30}, 1},
		{"nothing beyond", "a step without effect says so", f, TopCoder{Column: linked.Wage, Above: 99}, []int32{10, 20, frame.NoInt, 30, 41}, 1},
		{"mean", "of 11 … 20", frame.Must(frame.Ints(linked.Wage, many)), TopCoder{Column: linked.Wage, Above: 10, Mean: true},
			append(slices.Clone(many[:11]), slices.Repeat([]int32{16}, 10)...), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, r, err := TopCode(tt.f, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got.Col(tt.o.Column).I); d != "" || len(r.Warnings) != tt.warnings {
				t.Errorf("%s: warnings %q (-want +got):\n%s", tt.why, r.Warnings, d)
			}
		})
	}
	for _, bad := range []TopCoder{{Column: linked.Wage}, {Column: "x", Above: 1}, {Column: linked.Wage, Above: 2, Below: 2}, {Column: linked.Wage, Above: math.NaN()}} {
		if _, _, err := TopCode(f, bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

// TestNoiseLaws: bounds hold, missing values and values at a bound stay, and with
// zero_sum the sum of every stratum is exact.
func TestNoiseLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := people(rapid.IntRange(1, 200).Draw(t, "n"), rapid.Uint64().Draw(t, "seed"))
		o := Noise{Column: rapid.SampledFrom([]string{linked.Wage, linked.FTE, linked.Age}).Draw(t, "column"),
			SD: rapid.Float64Range(0.01, 50).Draw(t, "sd"), Relative: rapid.Bool().Draw(t, "relative"), ZeroSum: rapid.Bool().Draw(t, "zero sum")}
		if rapid.Bool().Draw(t, "by") {
			o.By = []string{linked.Year, linked.Level}
		}
		if o.Column == linked.FTE {
			o.Most = 1
		}
		got, _, err := AddNoise(t.Context(), f, o, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		was, now := f.Col(o.Column), got.Col(o.Column)
		for i, v := range now.I {
			switch {
			case was.Missing(i) != now.Missing(i):
				t.Fatalf("row %d was %d, is %d", i, was.I[i], v)
			case now.Missing(i):
			case v < 0 || o.Most > 0 && v > 100, o.Most > 0 && was.I[i] == 100 && v != 100:
				t.Fatalf("row %d was %d, is %d: beyond its bounds or moved from one", i, was.I[i], v)
			}
		}
		if !o.ZeroSum {
			return
		}
		for i := range f.Rows() {
			same := func(j int) bool {
				return o.By == nil || f.Col(linked.Year).I[i] == f.Col(linked.Year).I[j] && f.Col(linked.Level).I[i] == f.Col(linked.Level).I[j]
			}
			if a, b := total(was, same), total(now, same); a != b {
				t.Fatalf("the stratum of row %d had %d, has %d", i, a, b)
			}
		}
	})
}

// TestNoiseHasItsMoments: mean zero within 5 standard errors and the standard
// deviation asked for within 5 %, at n = 20,000 wages far from their bound.
func TestNoiseHasItsMoments(t *testing.T) {
	f := people(20000, 1)
	for _, o := range []Noise{{Column: linked.Wage, SD: 500}, {Column: linked.Wage, SD: 0.05, Relative: true}} {
		got, r, err := AddNoise(t.Context(), f, o, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		was, now := f.Col(linked.Wage), got.Col(linked.Wage)
		n, mean, square := 0.0, 0.0, 0.0
		for i := range was.I {
			if was.Missing(i) {
				continue
			}
			e := float64(now.I[i] - was.I[i])
			if o.Relative {
				e /= float64(was.I[i])
			}
			n, mean, square = n+1, mean+e, square+e*e
		}
		mean, sd := mean/n, math.Sqrt(square/n)
		if math.Abs(mean) > 5*o.SD/math.Sqrt(n) || math.Abs(sd/o.SD-1) > 0.05 {
			t.Errorf("%+v: mean %v, sd %v", o, mean, sd)
		}
		if len(r.Changes) != 1 || r.Changes[0].Rows == 0 || r.TouchedShare() < 0.9 {
			t.Errorf("report %+v", r)
		}
	}
}

func TestPRAMCase(t *testing.T) {
	var c struct {
		Input struct {
			P      []float64
			DiagPd []float64 `json:"diag_pd"`
			Alpha  float64
		}
		Expected struct{ R, Rs [][]float64 }
	}
	sharedtest.Case(t, "swap_pram_invariant", &c)
	for _, want := range []struct {
		alpha float64
		m     [][]float64
	}{{1, c.Expected.R}, {c.Input.Alpha, c.Expected.Rs}} {
		if d := cmp.Diff(want.m, Invariant(c.Input.P, c.Input.DiagPd, want.alpha), cmpopts.EquateApprox(0, 1e-12)); d != "" {
			t.Errorf("alpha %v (-want +got):\n%s", want.alpha, d)
		}
	}
}

// TestInvariantMatrix: rows add up to one, the shares are invariant, and the
// matrix is reversible.
func TestInvariantMatrix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "categories")
		p, stay, sum := make([]float64, n), make([]float64, n), 0.0
		for i := range n {
			p[i], stay[i] = rapid.Float64Range(0.01, 1).Draw(t, "p"), rapid.Float64Range(0, 1).Draw(t, "stay")
			sum += p[i]
		}
		for i := range p {
			p[i] /= sum
		}
		m := Invariant(p, stay, rapid.Float64Range(0.01, 1).Draw(t, "alpha"))
		for j := range n {
			row, col := 0.0, 0.0
			for i := range n {
				row, col = row+m[j][i], col+p[i]*m[i][j]
				if math.Abs(p[i]*m[i][j]-p[j]*m[j][i]) > 1e-12 || m[i][j] < -1e-15 {
					t.Fatalf("%v is not reversible at %d, %d", m, i, j)
				}
			}
			if math.Abs(row-1) > 1e-12 || math.Abs(col-p[j]) > 1e-12 {
				t.Fatalf("row %d adds up to %v; share %v becomes %v", j, row, p[j], col)
			}
		}
	})
}

// TestPram: counts by stratum stay within 5 standard deviations (n = 30,000,
// bounded by sqrt(n/4)), missing values stay, nobody leaves the categories of
// the stratum.
func TestPram(t *testing.T) {
	f := people(30000, 2)
	got, r, err := Pram(t.Context(), f, PRAM{Column: linked.Level, By: []string{linked.Year}, Stay: 0.6, Alpha: 0.5}, key, 1)
	if err != nil {
		t.Fatal(err)
	}
	was, now := f.Col(linked.Level).I, got.Col(linked.Level).I
	var before, after [4]int
	for i, v := range now {
		if (v < 0) != (was[i] < 0) {
			t.Fatalf("row %d was %d, is %d", i, was[i], v)
		}
		if v >= 0 {
			before[was[i]]++
			after[v]++
		}
	}
	for k := range before {
		if math.Abs(float64(before[k]-after[k])) > 5*math.Sqrt(30000.0/4) {
			t.Errorf("category %d had %d, has %d", k, before[k], after[k])
		}
	}
	// With four equal shares the diagonal of R is 0.6² + 3·(0.4/3)² = 0.41333,
	// so half of 0.58667 is changed.
	if share := r.TouchedShare(); math.Abs(share-0.5*0.58667) > 0.02 {
		t.Errorf("%.3f changed, want about 0.293", share)
	}
	if math.Abs(r.Redrawn-0.5*0.58667/0.75) > 0.02 {
		t.Errorf("redrawn is %.3f, want about 0.391", r.Redrawn)
	}
}

// slowMDAV is the definition, by scans.
func slowMDAV(v [][]int32, k int) [][]int32 {
	t := newPoints(v) // for its coordinates
	left := make([]int32, len(v[0]))
	for i := range left {
		left[i] = int32(i)
	}
	centroid := func() []float64 {
		at := make([]float64, len(v))
		for c := range v {
			sum := int64(0)
			for _, i := range left {
				sum += int64(v[c][i])
			}
			at[c] = float64(sum) / float64(len(left)) * t.scale[c]
		}
		return at
	}
	best := func(q []float64, sign float64) int32 {
		found := left[0]
		for _, i := range left[1:] {
			if sign*distance(q, t.at(i)) < sign*distance(q, t.at(found)) {
				found = i
			}
		}
		return found
	}
	var out [][]int32
	around := func(q []float64, n int) {
		var cluster []int32
		for range n {
			i := best(q, 1)
			cluster = append(cluster, i)
			left = slices.DeleteFunc(left, func(j int32) bool { return j == i })
		}
		slices.Sort(cluster)
		out = append(out, cluster)
	}
	for len(left) >= 3*k {
		r := t.at(best(centroid(), -1))
		around(r, k)
		around(t.at(best(r, -1)), k)
	}
	if len(left) >= 2*k {
		around(t.at(best(centroid(), -1)), k)
	}
	if len(left) > 0 {
		around(centroid(), len(left))
	}
	return out
}

// TestMDAVIsExact compares the tree with the definition, with many ties.
func TestMDAVIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, k := rapid.IntRange(1, 120).Draw(t, "n"), rapid.IntRange(2, 6).Draw(t, "k")
		v := make([][]int32, rapid.IntRange(1, 3).Draw(t, "columns"))
		top := rapid.SampledFrom([]int32{1, 5, 100000}).Draw(t, "top")
		for c := range v {
			v[c] = rapid.SliceOfN(rapid.Int32Range(-top, top), n, n).Draw(t, "values")
		}
		var got [][]int32
		if err := mdav(t.Context(), v, k, func(cluster []int32) {
			c := slices.Clone(cluster)
			slices.Sort(c)
			got = append(got, c)
		}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(slowMDAV(v, k), got); d != "" {
			t.Fatalf("clusters (-want +got):\n%s", d)
		}
	})
}

func TestMicroaggregate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := people(rapid.IntRange(1, 300).Draw(t, "n"), rapid.Uint64().Draw(t, "seed"))
		o := Microaggregation{Columns: []string{linked.Wage, linked.Age}, K: rapid.IntRange(2, 10).Draw(t, "k")}
		if rapid.Bool().Draw(t, "by") {
			o.By = []string{linked.Year}
		}
		got, r, err := Microaggregate(t.Context(), f, o, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range o.Columns {
			was, now := f.Col(n), got.Col(n)
			for _, y := range []int32{2010, 2011, 2012} {
				in := func(i int) bool { return f.Col(linked.Year).I[i] == y || o.By == nil }
				if a, b := total(was, in), total(now, in); a != b {
					t.Fatalf("%s in %d adds up to %d, was %d", n, y, b, a)
				}
			}
			for i := range now.I {
				if was.Missing(i) != now.Missing(i) {
					t.Fatalf("row %d of %s was %d, is %d", i, n, was.I[i], now.I[i])
				}
			}
		}
		if len(r.Changes) != 2 || !(r.Changes[0].Variance <= 1+1e-9 || math.IsNaN(r.Changes[0].Variance)) {
			t.Fatalf("report %+v", r)
		}
	})
}

func TestValueStepsRefuse(t *testing.T) {
	f := people(10, 1)
	for name, tt := range map[string]struct {
		run  func() error
		want string
	}{
		"classes": {func() error {
			_, _, err := AddNoise(t.Context(), f, Noise{Column: linked.Level, SD: 1}, key, 1)
			return err
		}, "needs numbers"},
		"no deviation": {func() error { _, _, err := AddNoise(t.Context(), f, Noise{Column: linked.Age}, key, 1); return err }, "sd is 0"},
		"bounds": {func() error {
			_, _, err := AddNoise(t.Context(), f, Noise{Column: linked.Age, SD: 1, Least: 5, Most: 5}, key, 1)
			return err
		}, "least below the most"},
		"no key": {func() error {
			_, _, err := AddNoise(t.Context(), f, Noise{Column: linked.Age, SD: 1}, rng.Secret{}, 1)
			return err
		}, "no key"},
		"numbers": {func() error {
			_, _, err := Pram(t.Context(), f, PRAM{Column: linked.Age, Alpha: 1}, key, 1)
			return err
		}, "redraws categories"},
		"alpha": {func() error { _, _, err := Pram(t.Context(), f, PRAM{Column: linked.Level}, key, 1); return err }, "alpha is 0"},
		"by itself": {func() error {
			_, _, err := Pram(t.Context(), f, PRAM{Column: linked.Level, Alpha: 1, By: []string{linked.Level}}, key, 1)
			return err
		}, "take it out"},
		"unknown by": {func() error {
			_, _, err := Pram(t.Context(), f, PRAM{Column: linked.Level, Alpha: 1, By: []string{"x"}}, key, 1)
			return err
		}, `by names "x"`},
		"k": {func() error {
			_, _, err := Microaggregate(t.Context(), f, Microaggregation{Columns: []string{linked.Age}, K: 1}, key, 1)
			return err
		}, "at least 2"},
		"nothing": {func() error { _, _, err := Microaggregate(t.Context(), f, Microaggregation{K: 3}, key, 1); return err }, "columns is empty"},
		"column twice": {func() error {
			_, _, err := Microaggregate(t.Context(), f, Microaggregation{Columns: []string{linked.Age}, By: []string{linked.Age}, K: 3}, key, 1)
			return err
		}, "named twice"},
	} {
		if err := tt.run(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func BenchmarkMicroaggregate(b *testing.B) {
	f := people(100000, 1)
	for _, columns := range [][]string{{linked.Wage}, {linked.Wage, linked.FTE, linked.Age}} {
		b.Run(joined(columns), func(b *testing.B) {
			cpu := cpuSeconds()
			for b.Loop() {
				if _, _, err := Microaggregate(b.Context(), f, Microaggregation{Columns: columns, K: 3}, key, 1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds()-cpu)/float64(b.N), "cpu-s/op")
			b.ReportMetric(1e5*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// TestTransitionIsTheMatrix: drawing by stages has the chances of the matrix
// (60,000 draws a category; within 5 standard deviations).
func TestTransitionIsTheMatrix(t *testing.T) {
	sizes := []int64{1, 40, 7, 2}
	p, stays := make([]float64, len(sizes)), make([]float64, len(sizes))
	for _, stay := range []float64{0, 0.3, 1} {
		for i, n := range sizes {
			p[i], stays[i] = float64(n)/50, stay
		}
		for _, alpha := range []float64{0.4, 1} {
			want, got := Invariant(p, stays, alpha), newTransition(sizes, stay, alpha)
			s := key.Stream("transition", 1)
			for i := range sizes {
				if math.Abs(got.diagonal(i)-want[i][i]) > 1e-12 {
					t.Errorf("stay %v, alpha %v: category %d stays with %v, want %v", stay, alpha, i, got.diagonal(i), want[i][i])
				}
				counts := make([]float64, len(sizes))
				const draws = 60000
				for range draws {
					counts[got.draw(s, i)]++
				}
				for j, n := range counts {
					q := want[i][j]
					if math.Abs(n/draws-q) > 5*math.Sqrt(q*(1-q)/draws)+1e-12 {
						t.Errorf("stay %v, alpha %v: from %d to %d with %v, want %v", stay, alpha, i, j, n/draws, q)
					}
				}
			}
		}
	}
}

// TestPramManyCategories: 100,000 categories once took a matrix of 80 GB.
func TestPramManyCategories(t *testing.T) {
	const k = 100000
	names, code := make([]string, k), make([]int32, 2*k)
	for i := range names {
		names[i] = fmt.Sprintf("c%06d", i)
	}
	for i := range code {
		code[i] = int32(i % k)
	}
	f := frame.Must(frame.Codes(linked.Field, frame.MustDict(names...), code))
	_, r, err := Pram(t.Context(), f, PRAM{Column: linked.Field, Stay: 0.8, Alpha: 1}, key, 1)
	if err != nil {
		t.Fatal(err)
	}
	// Equal shares: R has the diagonal 0.8² + 0.2²/(k-1).
	if share := r.TouchedShare(); math.Abs(share-0.36) > 0.01 {
		t.Errorf("%.3f changed, want about 0.36", share)
	}
}
