package tabio

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/sharedtest"
)

// contents compares frames by what they hold; codebooks by labels and numbers.
func contents(f *frame.Frame) []map[string]any {
	var out []map[string]any
	for _, c := range f.Columns() {
		m := map[string]any{"name": c.Name, "kind": c.Kind.String(), "decimals": c.Decimals, "rows": c.Len()}
		switch {
		case c.Coded():
			m["labels"] = append([]string{}, c.Dict.Labels()...)
			if c.Dict.HasValues() {
				values := []float64{}
				for k := range c.Dict.Len() {
					values = append(values, c.Dict.Value(int32(k)))
				}
				m["values"] = values
			}
			m["data"] = append([]int32{}, c.I...)
		case c.Kind == frame.Float:
			bits := []uint64{}
			for _, v := range c.F {
				if v != v {
					v = math.NaN()
				}
				bits = append(bits, math.Float64bits(v))
			}
			m["data"] = bits
		case c.Kind == frame.Long:
			m["data"] = append([]int64{}, c.L...)
		default:
			m["data"] = append([]int32{}, c.I...)
		}
		out = append(out, m)
	}
	return out
}

func diff(want, got *frame.Frame) string {
	return cmp.Diff(contents(want), contents(got), cmp.Comparer(func(a, b float64) bool {
		return a == b || math.IsNaN(a) && math.IsNaN(b)
	}))
}

// example has every kind, missing values, and labels that trouble CSV.
func example() *frame.Frame {
	bands, err := IntervalDict([]string{"(39,49]", "(29,39]", "[150000,)"})
	if err != nil {
		panic(err)
	}
	return frame.Must(
		frame.Strings("name", []string{"a,b", `say "x"`, "", "two\nlines", " blank ", "NA"}),
		frame.Ordered("age band", bands, []int32{0, 1, 2, frame.NoCode, 1, 0}),
		frame.Ints("wage", []int32{0, -5, math.MaxInt32, math.MinInt32 + 1, frame.NoInt, 30000}),
		frame.Fixed("fte", 2, []int32{100, 5, -5, frame.NoInt, math.MaxInt32, 80}),
		frame.Longs("turnover", []int64{math.MaxInt64, math.MinInt64 + 1, 0, frame.NoLong, 1, 2}),
		frame.Column{Name: "amount", Kind: frame.Long, Decimals: 3, L: []int64{999999999999999999, -1, 0, frame.NoLong, 1, 2}},
		frame.Floats("share", []float64{0.1, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e300}),
		frame.Dates("hired", []int32{0, -1, frame.NoInt, 18993, firstDay, lastDay}),
		frame.Codes("nothing", frame.MustDict(), []int32{-1, -1, -1, -1, -1, -1}),
	)
}

func TestWrittenIsReadBack(t *testing.T) {
	want := example()
	for _, name := range []string{"t.csv", "t.csv.gz", "t.parquet"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			if err := Write(context.Background(), path, want); err != nil {
				t.Fatal(err)
			}
			got, err := Read(context.Background(), path, SchemaOf(want))
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(want, got); d != "" {
				t.Errorf("frame (-want +got):\n%s", d)
			}
		})
	}
}

func TestCSVText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := Write(context.Background(), path, example().Select("name", "age band", "fte", "share", "hired")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `name,age band,fte,share,hired
"a,b","(29,39]",1.00,0.1,1970-01-01
"say ""x""","(39,49]",0.05,,1969-12-31
,"[150000,)",-0.05,+Inf,
"two
lines",,,-Inf,2022-01-01
" blank ","(39,49]",21474836.47,-0,0000-01-01
NA,"(29,39]",0.80,1e+300,9999-12-31
`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("file (-want +got):\n%s", d)
	}
}

// genFrame draws a frame of any kinds.
func genFrame(t *rapid.T) *frame.Frame {
	rows := rapid.IntRange(0, 30).Draw(t, "rows")
	kinds := rapid.SliceOfN(rapid.IntRange(1, 6), 1, 6).Draw(t, "kinds")
	cols := make([]frame.Column, len(kinds))
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z]([ ,"é_\n0-9a-z]{0,4}[a-z0-9])?`), len(kinds), len(kinds), rapid.ID[string]).Draw(t, "names")
	i32 := func(none int32) *rapid.Generator[int32] {
		return rapid.OneOf(rapid.Int32(), rapid.Just(none), rapid.Int32Range(-100, 100))
	}
	for k, kind := range kinds {
		c := frame.Column{Name: names[k], Kind: frame.Kind(kind)}
		switch c.Kind {
		case frame.Category, frame.Ordinal:
			labels := rapid.SliceOfNDistinct(rapid.OneOf(rapid.StringN(1, 6, -1), rapid.SampledFrom([]string{"NA", "1", "007", `"`, ",", " ", "\n", "NaN"})), 0, 8, rapid.ID[string]).
				Filter(func(l []string) bool { return !strings.ContainsAny(strings.Join(l, ""), "\r\x00") }).Draw(t, "labels")
			c.Dict = frame.MustDict(labels...)
			c.I = rapid.SliceOfN(rapid.Int32Range(-1, int32(len(labels))-1), rows, rows).Draw(t, "codes")
		case frame.Int:
			c.Decimals = uint8(rapid.IntRange(0, 9).Draw(t, "decimals"))
			c.I = rapid.SliceOfN(i32(frame.NoInt), rows, rows).Draw(t, "ints")
		case frame.Long:
			c.Decimals = uint8(rapid.IntRange(0, 9).Draw(t, "decimals"))
			most := int64(math.MaxInt64)
			if c.Decimals > 0 {
				most = 1e18 - 1
			}
			c.L = rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(-most, most), rapid.Just(frame.NoLong), rapid.Int64Range(-100, 100)), rows, rows).Draw(t, "longs")
		case frame.Float:
			c.F = rapid.SliceOfN(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), 0, 0.1, 1e21, 1e-7})), rows, rows).Draw(t, "floats")
		case frame.Date:
			c.I = rapid.SliceOfN(rapid.OneOf(rapid.Int32Range(firstDay, lastDay), rapid.Just(frame.NoInt)), rows, rows).Draw(t, "dates")
		}
		cols[k] = c
	}
	return frame.Must(cols...)
}

func TestRoundTripProperty(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		want := genFrame(t)
		for _, name := range []string{"t.csv", "t.csv.gz", "t.parquet"} {
			path := filepath.Join(dir, name)
			if err := Write(ctx, path, want); err != nil {
				t.Fatal(err)
			}
			got, err := Read(ctx, path, SchemaOf(want))
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(want, got); d != "" {
				t.Fatalf("%s: frame (-want +got):\n%s", name, d)
			}
		}
	})
}

func TestSameBytesAlways(t *testing.T) {
	f := wide11(70_000)
	dir := t.TempDir()
	for _, ext := range Extensions() {
		var first []byte
		for _, procs := range []int{1, 2, 5} {
			old := runtime.GOMAXPROCS(procs)
			path := filepath.Join(dir, "t"+ext)
			err := Write(context.Background(), path, f)
			runtime.GOMAXPROCS(old)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(first, b) {
				t.Errorf("%s: other bytes with %d processors", ext, procs)
			}
		}
	}
}

func TestSharedData(t *testing.T) {
	ses, err := Read(context.Background(), sharedtest.Path(t, "data/ses.csv.gz"), Schema{})
	if err != nil {
		t.Fatal(err)
	}
	if ses.Rows() != 15691 || len(ses.Columns()) != 27 {
		t.Errorf("ses has %d rows and %d columns, want 15691 and 27", ses.Rows(), len(ses.Columns()))
	}
	kinds := map[string]string{}
	for _, c := range ses.Columns() {
		kinds[c.Name] = c.Kind.String()
	}
	want := map[string]string{
		"location": "category", "NACE1": "category", "size": "category", "economicFinanc": "category", "payAgreement": "category",
		"IDunit": "integer", "sex": "category", "age": "ordinal", "education": "category", "occupation": "integer",
		"contract": "category", "fullPart": "category", "lengthService": "ordinal", "weeks": "float", "hoursPaid": "float",
		"overtimeHours": "float", "shareNormalHours": "float", "holiday": "float", "notPaid": "float", "earningsOvertime": "float",
		"paymentsShiftWork": "float", "earningsMonth": "float", "earnings": "float", "earningsHour": "float",
		"weightsEmployers": "float", "weightsEmployees": "integer", "weights": "float",
	}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Errorf("inferred kinds (-want +got):\n%s", d)
	}
	age := ses.Col("age")
	t.Logf("age: %q", age.Dict.Labels())
	if code, ok := age.Dict.Code("(39,49]"); !ok || age.Dict.Value(code) != 44 {
		t.Errorf("(39,49] stands for %v, want 44", age.Dict.Value(code))
	}
	eia, err := Read(context.Background(), sharedtest.Path(t, "data/EIA.csv"), Schema{})
	if err != nil {
		t.Fatal(err)
	}
	if eia.Rows() != 4092 || len(eia.Columns()) != 15 {
		t.Errorf("EIA has %d rows and %d columns, want 4092 and 15", eia.Rows(), len(eia.Columns()))
	}
	for _, f := range []*frame.Frame{ses, eia} {
		path := filepath.Join(t.TempDir(), "t.parquet")
		if err := Write(context.Background(), path, f); err != nil {
			t.Fatal(err)
		}
		got, err := Read(context.Background(), path, Schema{})
		if err != nil {
			t.Fatal(err)
		}
		if d := diff(f, got); d != "" {
			t.Errorf("CSV and Parquet are inferred differently (-csv +parquet):\n%s", d[:min(len(d), 2000)])
		}
	}
}
