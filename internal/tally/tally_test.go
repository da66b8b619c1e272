package tally_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/sharedtest"
	"scramblelab/internal/tally"
)

var near = cmpopts.EquateApprox(0, 1e-12)

func sample() *frame.Frame {
	return frame.Must(
		frame.Ordered("level", frame.MustDict("low", "mid", "high"), []int32{0, 0, 2, frame.NoCode, 1, 2}),
		frame.Ints("year", []int32{2003, 2005, 2005, 2003, frame.NoInt, 2005}),
		frame.Floats("wage", make([]float64, 6)),
	)
}

func TestCount(t *testing.T) {
	tests := []struct {
		name, why string
		missing   bool
		radices   []int
		counts    []int64
		dropped   int64
	}{
		{"left out", "two records lack a value; 2004 has a column of zeros", false, []int{3, 3}, []int64{1, 0, 1, 0, 0, 0, 0, 0, 2}, 2},
		{"own category", "missing is the last category of each axis", true, []int{4, 4}, []int64{1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 2, 0, 1, 0, 0, 0}, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tally.Count(context.Background(), sample(), []string{"level", "year"}, tally.Options{Missing: tc.missing})
			if err != nil {
				t.Fatal(err)
			}
			want := &tally.Table{Radices: tc.radices, Counts: tc.counts, Dropped: tc.dropped}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(tally.Table{}, "Axes")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.why, diff)
			}
			if l := got.Axes[1].Label(2); l != "2005" {
				t.Errorf("label of year 2 is %q", l)
			}
		})
	}
}

func TestAxesSpanAllFrames(t *testing.T) {
	a, b := sample(), sample().With(frame.Ints("year", []int32{2001, 2001, 2001, 2001, 2001, 2001}))
	axes, err := tally.Axes([]string{"year"}, false, a, b)
	if err != nil {
		t.Fatal(err)
	}
	x, err := tally.CountOn(context.Background(), a, axes)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Merge(must(tally.CountOn(context.Background(), b, axes))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{6, 0, 2, 0, 3}, x.Counts); diff != "" {
		t.Errorf("2001 to 2005 (-want +got):\n%s", diff)
	}
	if _, err := tally.CountOn(context.Background(), b, must(tally.Axes([]string{"year"}, false, a))); err == nil {
		t.Error("a year outside its axis: want an error")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestRefusals(t *testing.T) {
	wide := frame.Must(frame.Ints("a", []int32{0, 1 << 15}), frame.Ints("b", []int32{0, 1 << 15}))
	for _, tc := range []struct {
		columns []string
		f       *frame.Frame
		want    string
	}{
		{[]string{"nace"}, sample(), `no column "nace"`},
		{[]string{"wage"}, sample(), "class it first"},
		{[]string{"a", "b"}, wide, "count fewer columns"},
	} {
		_, err := tally.Count(context.Background(), tc.f, tc.columns, tally.Options{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: error %v, want %q in it", tc.columns, err, tc.want)
		}
	}
	if _, err := tally.New([]int{2, 0}); err == nil {
		t.Error("an axis without categories: want an error")
	}
}

func TestCountIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	const n = 300_001
	codes := make([]int32, n)
	for i := range codes {
		codes[i] = int32(i*7919%12) - 1
	}
	f := frame.Must(frame.Ints("x", codes), frame.Codes("y", frame.MustDict("a", "b", "c"), codesMod(n)))
	var first *tally.Table
	for _, procs := range []int{1, 2, 8} {
		old := runtime.GOMAXPROCS(procs)
		got := must(tally.Count(context.Background(), f, []string{"x", "y"}, tally.Options{}))
		runtime.GOMAXPROCS(old)
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first.Counts, got.Counts); diff != "" || got.Total() != n {
			t.Errorf("at %d processors, total %d (-want +got):\n%s", procs, got.Total(), diff)
		}
	}
}

func codesMod(n int) []int32 {
	v := make([]int32, n)
	for i := range v {
		v[i] = int32(i % 3)
	}
	return v
}

func TestTableLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		radices := rapid.SliceOfN(rapid.IntRange(1, 4), 0, 4).Draw(t, "radices")
		tab := must(tally.New(radices))
		for cell := range tab.Counts {
			codes := tab.Codes(cell)
			if tab.Cell(codes...) != cell {
				t.Fatalf("cell %d has codes %v of cell %d", cell, codes, tab.Cell(codes...))
			}
			tab.AddN(rapid.Int64Range(0, 9).Draw(t, "n"), codes...)
		}
		axes := rapid.Permutation([]int{0, 1, 2, 3}[:len(radices)]).Draw(t, "axes")
		axes = axes[:rapid.IntRange(0, len(axes)).Draw(t, "kept")]
		m := tab.Marginal(axes...)
		want := map[string]int64{}
		for cell, n := range tab.Counts {
			all := tab.Codes(cell)
			var some []int32
			for _, a := range axes {
				some = append(some, all[a])
			}
			want[fmt.Sprint(some)] += n
		}
		for cell, n := range m.Counts {
			if c := m.Codes(cell); n != want[fmt.Sprint(c[:len(c):len(c)])] {
				t.Fatalf("marginal %v at %v is %d, want %d", axes, c, n, want[fmt.Sprint(c)])
			}
		}
	})
}

func TestUnivariateCase(t *testing.T) {
	var c struct {
		Cases []struct {
			A, B, P, Q, X       []float64
			KS, TV, Gini        float64
			Wasserstein1        float64
			Hellinger, JSDBase2 float64
			JSD                 float64 `json:"jsd_base2"`
		}
	}
	sharedtest.Case(t, "utility_univariate_small", &c)
	for _, tc := range c.Cases {
		var want, got []float64
		switch {
		case tc.A != nil:
			want = []float64{tc.KS, tc.Wasserstein1}
			got = []float64{must(tally.KolmogorovSmirnov(tc.A, tc.B)), must(tally.Wasserstein(tc.A, tc.B))}
		case tc.P != nil:
			want = []float64{tc.TV, tc.Hellinger, tc.JSD}
			got = []float64{must(tally.TotalVariation(tc.P, tc.Q)), must(tally.Hellinger(tc.P, tc.Q)), must(tally.JensenShannon(tc.P, tc.Q))}
		default:
			want, got = []float64{tc.Gini}, []float64{must(tally.Gini(tc.X))}
		}
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestBivariateCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Table    [][]int64
			Chi2, G2 float64
			CramersV float64 `json:"cramers_v"`
		}
	}
	sharedtest.Case(t, "utility_bivariate_small", &c)
	for _, tc := range c.Cases {
		if tc.Table == nil {
			continue // one-way variance components: package estimate
		}
		tab := must(tally.New([]int{len(tc.Table), len(tc.Table[0])}))
		var n float64
		for i, row := range tc.Table {
			for j, x := range row {
				tab.AddN(x, int32(i), int32(j))
				n += float64(x)
			}
		}
		want := tally.Association{Chi2: tc.Chi2, G2: tc.G2, V: tc.CramersV, DF: 2, Mutual: tc.G2 / 2 / n, N: int64(n)}
		if diff := cmp.Diff(want, must(tally.Associate(tab)), near); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestDistanceEdges(t *testing.T) {
	nan := math.NaN()
	if d := must(tally.KolmogorovSmirnov([]float64{1, nan}, []float64{2, 2, nan})); d != 1 {
		t.Errorf("KS of apart samples is %v, want 1", d)
	}
	if d := must(tally.Wasserstein([]float64{0, nan}, []float64{2, 4})); d != 3 {
		t.Errorf("W1 of unequal sizes is %v, want 3", d)
	}
	if d := must(tally.JensenShannon([]float64{1, 0}, []float64{0, 5})); d != 1 {
		t.Errorf("JSD of disjoint distributions is %v, want 1 bit", d)
	}
	if _, err := tally.KolmogorovSmirnov([]float64{nan}, []float64{1}); !errors.Is(err, tally.ErrEmpty) {
		t.Errorf("nothing but missing: %v", err)
	}
	if _, err := tally.TotalVariation([]float64{0, 0}, []float64{1, 1}); !errors.Is(err, tally.ErrEmpty) {
		t.Errorf("no counts: %v", err)
	}
	if _, err := tally.TotalVariation([]float64{-1, 2}, []float64{1, 1}); err == nil {
		t.Error("negative count: want an error")
	}
	if _, err := tally.Gini([]float64{0, 0}); err == nil {
		t.Error("Gini of zeros: want an error")
	}
	flat := must(tally.New([]int{1, 3}))
	flat.AddN(2, 0, 1)
	if a := must(tally.Associate(flat)); !math.IsNaN(a.V) || a.DF != 0 {
		t.Errorf("one category: %+v, want V NaN", a)
	}
}

// TestCountIsThatOfRows: a slow count row by row says the same, with and without
// missing values, for values just outside the axis as well.
func TestCountIsThatOfRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "rows")
		numbers := rapid.SliceOfN(rapid.SampledFrom([]int32{-3, -2, 0, 1, 4, frame.NoInt}), n, n).Draw(t, "numbers")
		codes := rapid.SliceOfN(rapid.Int32Range(-1, 2), n, n).Draw(t, "codes")
		f := frame.Must(frame.Ints("x", numbers), frame.Codes("c", frame.MustDict("a", "b", "c"), codes))
		missing := rapid.Bool().Draw(t, "missing")
		axes := []tally.Axis{
			{Name: "x", Base: rapid.SampledFrom([]int32{-3, -2}).Draw(t, "base"), Size: rapid.SampledFrom([]int{8, 7, 6, 4}).Draw(t, "size"), Missing: missing},
			{Name: "c", Dict: f.Col("c").Dict, Size: 3, Missing: missing},
		}
		want, dropped, outside := make([]int64, axes[0].Radix()*axes[1].Radix()), int64(0), false
		for i, x := range numbers {
			cell, gone := 0, false
			for k, a := range axes {
				code, gap := int(x)-int(a.Base), x == frame.NoInt
				if k == 1 {
					code, gap = int(codes[i]), codes[i] < 0
				}
				switch {
				case gap && missing:
					code = a.Size
				case gap:
					gone = true
				case code < 0 || code >= a.Size:
					outside, code = true, 0
				}
				cell = cell*a.Radix() + code
			}
			switch {
			case gone:
				dropped++
			case !outside:
				want[cell]++
			}
		}
		got, err := tally.CountOn(context.Background(), f, axes)
		if (err != nil) != outside {
			t.Fatalf("error %v, a value outside its axis: %v", err, outside)
		}
		if err == nil && (got.Dropped != dropped || !slices.Equal(got.Counts, want)) {
			t.Fatalf("dropped %d, counts %v, want %d, %v", got.Dropped, got.Counts, dropped, want)
		}
	})
}
