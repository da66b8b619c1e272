package frame_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/frame"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var dict = frame.MustDict("low", "middle", "high")

// anyFrame draws a frame with a column of every kind, missing values and ties.
func anyFrame(t *rapid.T) *frame.Frame {
	n := rapid.IntRange(0, 12).Draw(t, "rows")
	ints := func(name string, g *rapid.Generator[int32]) []int32 {
		return rapid.SliceOfN(g, n, n).Draw(t, name)
	}
	small := rapid.OneOf(rapid.Int32Range(-2, 2), rapid.Just(frame.NoInt))
	return frame.Must(
		frame.Codes("category", dict, ints("category", rapid.Int32Range(-1, 2))),
		frame.Ordered("ordinal", dict, ints("ordinal", rapid.Int32Range(-1, 2))),
		frame.Ints("int", ints("int", small)),
		frame.Fixed("fixed", 2, ints("fixed", small)),
		frame.Longs("long", rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(-1, 1), rapid.Just(frame.NoLong)), n, n).Draw(t, "long")),
		frame.Floats("float", rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-1, 1), rapid.Just(math.NaN()), rapid.Just(0.0)), n, n).Draw(t, "float")),
		frame.Dates("date", ints("date", small)),
	)
}

// text is a row as a text, for comparing multisets.
func text(f *frame.Frame, row int) string {
	var b strings.Builder
	for _, c := range f.Columns() {
		if c.Missing(row) {
			b.WriteString("-|")
		} else {
			fmt.Fprintf(&b, "%v|", c.Value(row)+0) // -0 is 0
		}
	}
	return b.String()
}

func texts(f *frame.Frame) []string {
	out := make([]string, f.Rows())
	for i := range out {
		out[i] = text(f, i)
	}
	return out
}

// snapshot fails the test at its end if f was written into.
func snapshot(t *rapid.T, f *frame.Frame) func() {
	before, names := texts(f), f.Names()
	return func() {
		if !slices.Equal(before, texts(f)) || !slices.Equal(names, f.Names()) {
			t.Fatalf("the input changed from %v %v to %v %v", names, before, f.Names(), texts(f))
		}
	}
}

// shares reports whether two columns have one vector behind them.
func shares(a, b frame.Column) bool {
	return a.Len() == b.Len() && (a.Len() == 0 ||
		len(a.I) > 0 && len(b.I) > 0 && &a.I[0] == &b.I[0] ||
		len(a.L) > 0 && len(b.L) > 0 && &a.L[0] == &b.L[0] ||
		len(a.F) > 0 && len(b.F) > 0 && &a.F[0] == &b.F[0])
}

func TestTake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame(t)
		defer snapshot(t, f)()
		var rows []int32
		if f.Rows() > 0 {
			rows = rapid.SliceOfN(rapid.Int32Range(0, int32(f.Rows()-1)), 0, 20).Draw(t, "rows taken")
		}
		got := f.Take(rows)
		if got.Rows() != len(rows) || !slices.Equal(got.Names(), f.Names()) {
			t.Fatalf("took %d rows of %q, got %d of %q", len(rows), f.Names(), got.Rows(), got.Names())
		}
		for i, r := range rows {
			if text(got, i) != text(f, int(r)) {
				t.Fatalf("row %d is %s, want row %d, %s", i, text(got, i), r, text(f, int(r)))
			}
		}
		for _, c := range got.Columns() {
			if c.Len() > 0 && shares(c, f.Col(c.Name)) {
				t.Fatalf("column %q of the rows taken is the original's own vector", c.Name)
			}
			if o := f.Col(c.Name); c.Kind != o.Kind || c.Dict != o.Dict || c.Decimals != o.Decimals {
				t.Fatalf("column %q changed its kind, codebook or decimals", c.Name)
			}
		}
	})
}

func TestFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame(t)
		keep := rapid.SliceOfN(rapid.Bool(), f.Rows(), f.Rows()).Draw(t, "keep")
		var want []string
		for i, s := range texts(f) {
			if keep[i] {
				want = append(want, s)
			}
		}
		if diff := cmp.Diff(want, texts(f.Filter(func(i int) bool { return keep[i] })), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestOrderIsStableAndSorts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame(t)
		defer snapshot(t, f)()
		by := rapid.SliceOfNDistinct(rapid.SampledFrom(f.Names()), 0, 3, rapid.ID).Draw(t, "by")
		order := f.Order(by...)
		if got := slices.Sorted(slices.Values(order)); len(got) != f.Rows() {
			t.Fatalf("order has %d rows, want %d", len(got), f.Rows())
		} else {
			for i, r := range got {
				if int(r) != i {
					t.Fatalf("order %v is no permutation", order)
				}
			}
		}
		for k := 1; k < len(order); k++ {
			a, b := int(order[k-1]), int(order[k])
			d := 0
			for _, n := range by {
				if d = f.Col(n).Compare(a, b); d != 0 {
					break
				}
			}
			if d > 0 || d == 0 && a > b {
				t.Fatalf("rows %d and %d stand in the wrong order by %q: equal rows must keep theirs", a, b, by)
			}
		}
		sorted := f.Sorted(by...)
		if diff := cmp.Diff(texts(f.Take(order)), texts(sorted)); diff != "" {
			t.Fatalf("Sorted is not Take(Order) (-want +got):\n%s", diff)
		}
		if again := sorted.Sorted(by...); again != sorted {
			t.Fatal("a sorted frame was copied, want the frame itself")
		}
		runs := sorted.Runs(by...)
		checkRuns(t, sorted, by, runs)
	})
}

func checkRuns(t *rapid.T, f *frame.Frame, by []string, bounds []int32) {
	key := func(i int) string { return text(f.Select(by...).Take([]int32{int32(i)}), 0) }
	if bounds[0] != 0 || int(bounds[len(bounds)-1]) != f.Rows() {
		t.Fatalf("bounds %v do not cover %d rows", bounds, f.Rows())
	}
	seen := map[string]bool{}
	for k := 1; k < len(bounds); k++ {
		lo, hi := int(bounds[k-1]), int(bounds[k])
		if lo >= hi {
			t.Fatalf("run %d of %v is empty", k-1, bounds)
		}
		if seen[key(lo)] {
			t.Fatalf("key %s has two runs in %v", key(lo), bounds)
		}
		seen[key(lo)] = true
		for i := lo; i < hi; i++ {
			if key(i) != key(lo) {
				t.Fatalf("run [%d, %d) holds %s and %s", lo, hi, key(lo), key(i))
			}
		}
	}
}

func TestCompareIsAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame(t)
		if f.Rows() == 0 {
			return
		}
		row := rapid.IntRange(0, f.Rows()-1)
		i, j, k := row.Draw(t, "i"), row.Draw(t, "j"), row.Draw(t, "k")
		for _, c := range f.Columns() {
			if c.Compare(i, j) != -c.Compare(j, i) || c.Compare(i, i) != 0 {
				t.Fatalf("column %q: rows %d and %d compare as %d and %d", c.Name, i, j, c.Compare(i, j), c.Compare(j, i))
			}
			if c.Compare(i, j) <= 0 && c.Compare(j, k) <= 0 && c.Compare(i, k) > 0 {
				t.Fatalf("column %q: %d <= %d <= %d but not %d <= %d", c.Name, i, j, k, i, k)
			}
			if c.Missing(i) && c.Compare(i, j) > 0 {
				t.Fatalf("column %q: missing row %d comes after row %d, want missing first", c.Name, i, j)
			}
		}
	})
}

func TestWithSharesWhatItDoesNotTouch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame(t)
		defer snapshot(t, f)()
		fresh := make([]int32, f.Rows())
		name := rapid.SampledFrom(append(f.Names(), "new")).Draw(t, "name")
		got := f.With(frame.Ints(name, fresh))
		want := f.Names()
		if name == "new" {
			want = append(want, "new")
		}
		if diff := cmp.Diff(want, got.Names()); diff != "" {
			t.Fatalf("a replaced column keeps its place, a new one comes last (-want +got):\n%s", diff)
		}
		for _, c := range got.Columns() {
			switch {
			case c.Name == name && !shares(c, frame.Ints(name, fresh)):
				t.Fatalf("column %q was not replaced", name)
			case c.Name != name && !shares(c, f.Col(c.Name)):
				t.Fatalf("column %q was copied, want it shared", c.Name)
			}
		}
		for _, c := range f.Without(name).Columns() {
			if c.Name == name || !shares(c, f.Col(c.Name)) {
				t.Fatalf("Without(%q) kept or copied column %q", name, c.Name)
			}
		}
		if s := f.Select("float", "absent", "int"); !slices.Equal(s.Names(), []string{"float", "int"}) || s.Rows() != f.Rows() || !shares(s.Col("int"), f.Col("int")) {
			t.Fatalf("Select gives %q with %d rows", s.Names(), s.Rows())
		}
	})
}

func TestConcat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, g := anyFrame(t), anyFrame(t)
		defer snapshot(t, f)()
		defer snapshot(t, g)()
		got, err := frame.Concat(f, g, f)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Concat(texts(f), texts(g), texts(f))
		if diff := cmp.Diff(want, texts(got), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		for _, c := range got.Columns() {
			if c.Len() > 0 && f.Rows() > 0 && &anyVector(c)[0] == &anyVector(f.Col(c.Name))[0] {
				t.Fatalf("column %q of the join writes into the first table", c.Name)
			}
		}
	})
}

// anyVector is the codes or integers of a column, or a vector of its own.
func anyVector(c frame.Column) []int32 {
	if len(c.I) > 0 {
		return c.I
	}
	return make([]int32, 1)
}

func TestConcatErrors(t *testing.T) {
	other := frame.MustDict("low", "middle", "high")
	base := frame.Must(frame.Ints("a", []int32{1}), frame.Codes("b", dict, []int32{0}))
	tests := []struct {
		name, why string
		frames    []*frame.Frame
		want      string // part of the error, "" for none
	}{
		{"none", "nothing of nothing", nil, ""},
		{"itself", "", []*frame.Frame{base, base}, ""},
		{"other order", "columns are found by name", []*frame.Frame{base, base.Select("b", "a")}, ""},
		{"column missing", "", []*frame.Frame{base, base.Select("a")}, "cannot join"},
		{"column too many", "", []*frame.Frame{base.Select("a"), base}, "cannot join"},
		{"column of another name", "", []*frame.Frame{base, frame.Must(frame.Ints("a", []int32{1}), frame.Ints("c", []int32{1}))}, "cannot join"},
		{"no columns at all", "rows must never get lost in silence", []*frame.Frame{{}, base}, "cannot join"},
		{"other kind", "", []*frame.Frame{base, base.With(frame.Longs("a", []int64{1}))}, "differs in kind"},
		{"ordinal and category", "", []*frame.Frame{base, base.With(frame.Ordered("b", dict, []int32{0}))}, "differs in kind"},
		{"other decimals", "cents and euro", []*frame.Frame{base, base.With(frame.Fixed("a", 2, []int32{1}))}, "differs in kind"},
		{"other codebook", "equal labels are not one codebook: codes of the next one may differ", []*frame.Frame{base, base.With(frame.Codes("b", other, []int32{0}))}, "codebook"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := frame.Concat(tt.frames...)
			checkError(t, err, tt.want, tt.why)
		})
	}
}

func checkError(t *testing.T, err error, want, why string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error is %v, want none: %s", err, why)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error is %v, want one with %q: %s", err, want, why)
	}
}

func TestNewErrors(t *testing.T) {
	a := frame.Ints("a", []int32{1, 2})
	tests := []struct {
		name string
		cols []frame.Column
		want string
	}{
		{"no columns", nil, ""},
		{"empty columns", []frame.Column{frame.Ints("a", nil), frame.Floats("b", nil)}, ""},
		{"no name", []frame.Column{frame.Ints("", []int32{1})}, "no name"},
		{"two lengths", []frame.Column{a, frame.Floats("b", []float64{1})}, `"b" has 1 rows, "a" has 2`},
		{"two of one name", []frame.Column{a, a}, `named "a"`},
		{"no codebook", []frame.Column{frame.Codes("a", nil, []int32{0})}, "no codebook"},
		{"floats stored as integers", []frame.Column{{Name: "a", Kind: frame.Float, I: []int32{1}}}, "something else"},
		{"integers stored as longs", []frame.Column{{Name: "a", Kind: frame.Int, L: []int64{1}}}, "something else"},
		{"longs stored as floats", []frame.Column{{Name: "a", Kind: frame.Long, F: []float64{1}}}, "something else"},
		{"decimals", []frame.Column{frame.Fixed("a", 10, []int32{1})}, "at most 9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := frame.New(tt.cols...)
			checkError(t, err, tt.want, "")
		})
	}
}

func TestStringsCodebookSaysNothingOfRowOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOf(rapid.SampledFrom([]string{"", "b", "a", "ä", "B", "c,d", " a"})).Draw(t, "labels")
		w := rapid.Permutation(v).Draw(t, "permuted")
		a, b := frame.Strings("x", v), frame.Strings("x", w)
		if diff := cmp.Diff(a.Dict.Labels(), b.Dict.Labels(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("codebooks of permuted rows differ (-first +second):\n%s", diff)
		}
		if !slices.IsSorted(a.Dict.Labels()) {
			t.Fatalf("codebook %q is not sorted", a.Dict.Labels())
		}
		for i, s := range v {
			if got := a.Dict.Label(a.I[i]); got != s || a.Missing(i) != (s == "") {
				t.Fatalf("row %d reads %q, missing %v, want %q", i, got, a.Missing(i), s)
			}
		}
	})
}

func TestDict(t *testing.T) {
	if _, err := frame.NewDict([]string{"a", "b", "a"}, nil); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("a label that stands twice gives %v, want an error that names it", err)
	}
	if _, err := frame.NewDict([]string{"a"}, []float64{1, 2}); err == nil {
		t.Error("more values than labels are accepted")
	}
	d, err := frame.NewDict([]string{"[0,10)", "[10,)"}, []float64{5, 12})
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := d.Code("[10,)"); !ok || c != 1 || d.Label(c) != "[10,)" || d.Value(c) != 12 {
		t.Errorf("code %d, %v", c, ok)
	}
	if _, ok := d.Code("[20,)"); ok {
		t.Error("a label that is not there has a code")
	}
	if d.Label(frame.NoCode) != "" || !math.IsNaN(d.Value(frame.NoCode)) || !math.IsNaN(dict.Value(0)) {
		t.Error("a missing code must have no label and no value, nor a label without number")
	}
}

func TestValue(t *testing.T) {
	mid, err := frame.NewDict([]string{"[0,10)", "[10,20)"}, []float64{5, 15})
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	tests := []struct {
		name, why string
		col       frame.Column
		want      []float64
	}{
		{"category", "without numbers the code itself", frame.Codes("x", dict, []int32{0, 2, frame.NoCode}), []float64{0, 2, nan}},
		{"ordinal", "midpoints", frame.Ordered("x", mid, []int32{0, 1, frame.NoCode}), []float64{5, 15, nan}},
		{"integer", "-1 is a number, not a missing code", frame.Ints("x", []int32{-1, 0, frame.NoInt}), []float64{-1, 0, nan}},
		{"fixed", "hundredths", frame.Fixed("x", 2, []int32{50, -125, frame.NoInt}), []float64{0.5, -1.25, nan}},
		{"long", "", frame.Longs("x", []int64{1 << 40, frame.NoLong}), []float64{1 << 40, nan}},
		{"float", "", frame.Floats("x", []float64{0.5, nan}), []float64{0.5, nan}},
		{"date", "days", frame.Dates("x", []int32{-1, frame.NoInt}), []float64{-1, nan}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make([]float64, tt.col.Len())
			for i := range got {
				got[i] = tt.col.Value(i)
				if tt.col.Missing(i) != math.IsNaN(got[i]) {
					t.Errorf("row %d: Missing says %v, Value %v", i, tt.col.Missing(i), got[i])
				}
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
		})
	}
}

func TestEmptyFrame(t *testing.T) {
	var f frame.Frame
	if f.Rows() != 0 || len(f.Names()) != 0 || f.Has("a") || len(f.Order()) != 0 {
		t.Error("the zero frame is not empty")
	}
	if diff := cmp.Diff([]int32{0}, f.Runs()); diff != "" {
		t.Errorf("no rows, no runs (-want +got):\n%s", diff)
	}
}

func TestPanics(t *testing.T) {
	f := frame.Must(frame.Ints("a", []int32{1}))
	for name, call := range map[string]func(){
		"Col of a column that is not there": func() { f.Col("b") },
		"Order by one that is not there":    func() { f.Order("b") },
		"With another length":               func() { f.With(frame.Ints("b", []int32{1, 2})) },
		"Must of a broken column":           func() { frame.Must(frame.Ints("", nil)) },
		"MustDict of a repeated label":      func() { frame.MustDict("a", "a") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic, want one: this is a programmer's error")
				}
			}()
			call()
		})
	}
}
