package tabio

import (
	"bytes"
	"compress/gzip"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
)

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func parquetBytes(t testing.TB, f *frame.Frame) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.parquet")
	if err := Write(context.Background(), path, f); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRefusals(t *testing.T) {
	wage := func(k frame.Kind) Schema { return Schema{Columns: []ColumnSpec{{Name: "wage", Kind: k}}} }
	sector := Schema{Columns: []ColumnSpec{{Name: "sector", Kind: frame.Category, Dict: frame.MustDict("industry", "services")}}}
	good := parquetBytes(t, example())
	ordinal := Schema{Columns: []ColumnSpec{{Name: "age", Kind: frame.Ordinal}}}
	long := strings.Repeat("a,b\n", 50_000)
	tests := []struct {
		name, why, file, text string
		s                     Schema
		want                  string
	}{
		{"empty", "an empty file is most often a failed export", "t.csv", "", Schema{}, "has no header line"},
		{"empty gzip", "likewise", "t.csv.gz", "", Schema{}, "has no header line"},
		{"gzip of nothing", "likewise", "t.csv.gz", zipped(""), Schema{}, "has no header line"},
		{"cut gzip", "a copy was interrupted", "t.csv.gz", zipped(long)[:100], Schema{}, "ends too early: the file was cut off, copy it again"},
		{"cut gzip header", "likewise, after a few bytes", "t.csv.gz", zipped(long)[:5], Schema{}, "ends too early"},
		{"damaged gzip", "the checksum tells", "t.csv.gz", strings.Replace(zipped("a\nhello\n"), "hello", "hellx", 1) + "x", Schema{}, "copy it again"},
		{"not gzip", "the name lies", "t.csv.gz", "a,b\n1,2\n", Schema{}, "name it .csv"},
		{"gzip", "the name lies", "t.csv", zipped("a\n1\n"), Schema{}, "name it .csv.gz"},
		{"Parquet as CSV", "the name lies", "t.csv", good, Schema{}, "name it .parquet"},
		{"spreadsheet", "people rename .xlsx to .csv", "t.csv", "PK\x03\x04 sheet", Schema{}, "spreadsheet"},
		{"UTF-16", "Excel's \"Unicode text\"", "t.csv", "\xff\xfea\x00,\x00", Schema{}, "UTF-8"},
		{"binary", "no text has zero bytes", "t.csv", "a,b\n\x00\x01", Schema{}, "is not text"},
		{"semicolons", "what Excel writes in Belgium", "t.csv", "a;b\n1;2\n", Schema{}, "separate columns with commas"},
		{"Latin-1", "old exports", "t.csv", "name,x\nb\xe9atrice,1\n", Schema{}, "UTF-8"},
		{"no name", "R writes row names so", "t.csv", "\"\",a\n1,2\n", Schema{}, "column 1 of 2 has no name"},
		{"twice", "one of them would be lost", "t.csv", "a,b,a\n1,2,3\n", Schema{}, `columns 1 and 3 are both named "a"`},
		{"ragged", "a stray comma shifts every value", "t.csv", "a,b\n1,2\n1,2,3\n", Schema{}, "line 3 has 3 fields, the header has 2"},
		{"short row", "likewise", "t.csv", "a,b\n1\n", Schema{}, "line 2 has 1 field, the header has 2"},
		{"ragged after newlines", "lines are those of the file, not rows", "t.csv", "a,b\n\"x\ny\nz\",2\n1\n", Schema{}, "line 5 has 1 field"},
		{"bare quote", "quotes inside need quotes outside", "t.csv", "a,b\nx\"y,2\n", Schema{}, "line 2: a quote stands inside"},
		{"open quote", "the rest of the file would be one field", "t.csv", "a,b\n1,2\n\"x,2\n3,4\n", Schema{}, "begins on line 3"},
		{"not whole", "the contract's example", "t.csv", "id,wage\n1,1\n2,2\n3,3\n4,4\n5,5\n6,abc\n", wage(frame.Int), `line 7, column "wage": "abc" is not a whole number`},
		{"real line", "an earlier field holds two newlines", "t.csv", "id,wage\n\"a\nb\nc\",1\n2,abc\n", wage(frame.Int), `line 5, column "wage"`},
		{"real line in the row", "the field itself begins on the second line of its row", "t.csv", "id,wage\n\"a\nb\",abc\n", wage(frame.Int), `line 3, column "wage"`},
		{"fraction", "nothing is rounded", "t.csv", "wage\n1.5\n", wage(frame.Int), "is not a whole number"},
		{"too large", "32 bits", "t.csv", "wage\n3000000000\n", wage(frame.Int), "read it as long"},
		{"reserved", "the smallest integer stands for missing", "t.csv", "wage\n-2147483648\n", wage(frame.Int), "too large"},
		{"decimals", "nothing is rounded", "t.csv", "wage\n0.125\n", Schema{Columns: []ColumnSpec{{Name: "wage", Kind: frame.Int, Decimals: 2}}}, "has more decimals than the column (2)"},
		{"decimal comma", "how Belgians write", "t.csv", "wage\n\"1,5\"\n", wage(frame.Float), "write the decimal point as a point"},
		{"hexadecimal", "strconv would take it", "t.csv", "wage\n0x10p0\n", wage(frame.Float), "is not a number"},
		{"no such day", "2021 was no leap year", "t.csv", "wage\n2021-02-29\n", wage(frame.Date), "is not a date"},
		{"unknown label", "a typing error, or another codebook", "t.csv", "sector\nindustry\nservises\n", sector, `line 3, column "sector": "servises" is not a label of the codebook: did you mean "services"? (labels are "industry", "services")`},
		{"half intervals", "an order would have to be invented", "t.csv", "age\n\"(1,2]\"\nold\n", ordinal, `not all labels are intervals like (39,49]: "old"`},
		{"required", "the plan needs it", "t.csv", "wages\n1\n", Schema{Columns: []ColumnSpec{{Name: "wage", Required: true}}}, `there is no column "wage": did you mean "wages"?`},
		{"strict", "nothing may slip in", "t.csv", "wage,name\n1,x\n", Schema{Strict: true, Columns: []ColumnSpec{{Name: "wage"}}}, `column "name" is not expected`},
		{"same name", "renaming must not collide", "t.csv", "a,b\n1,2\n", Schema{Columns: []ColumnSpec{{Name: "a", As: "b"}}}, `would both be named "b"`},
		{"bad schema", "a codebook for a number", "t.csv", "a\n1\n", Schema{Columns: []ColumnSpec{{Name: "a", Kind: frame.Int, Dict: frame.MustDict("x")}}}, "only category and ordinal"},
		{"cut Parquet", "a copy was interrupted", "t.parquet", good[:len(good)-20], Schema{}, "ends too early: the file was cut off, copy it again"},
		{"cut to the magic", "likewise", "t.parquet", "PAR1", Schema{}, "ends too early"},
		{"empty Parquet", "likewise", "t.parquet", "", Schema{}, "is empty"},
		{"not Parquet", "the name lies", "t.parquet", "a,b\n1,2\n", Schema{}, "is not a Parquet file"},
		{"hollow Parquet", "footer of nothing", "t.parquet", "PAR1\x00\x00\x00\x00\x00\x00\x00\x00PAR1", Schema{}, "copy it again"},
		{"Parquet label", "rows, for want of lines", "t.parquet", good, Schema{Columns: []ColumnSpec{{Name: "name", Kind: frame.Category, Dict: frame.MustDict("a,b", "say 'x'")}}}, `column "name": row 2: "say \"x\"" is not a label`},
		{"Parquet type", "a date is no number", "t.parquet", good, Schema{Columns: []ColumnSpec{{Name: "hired", Kind: frame.Int}}}, `column "hired": row 1: "1970-01-01" is a date, not a number`},
		{"unknown format", "nothing is guessed", "t.xlsx", "PK", Schema{}, "name the file .parquet, .csv or .csv.gz"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, tt.file, tt.text)
			_, err := Read(context.Background(), path, tt.s)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v\nwant one that says %s: %s", err, tt.want, tt.why)
			}
		})
	}
	t.Run("places", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "d.csv"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"d.csv": "is a folder", "no.csv": "does not exist"} {
			if _, err := Read(context.Background(), filepath.Join(dir, name), Schema{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one that says %q", err, want)
			}
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for _, name := range []string{"t.csv", "t.parquet"} {
			path := filepath.Join(t.TempDir(), name)
			if err := Write(ctx, path, example()); err != context.Canceled {
				t.Errorf("writing: error %v, want %v", err, context.Canceled)
			}
			if _, err := os.Stat(path); err == nil {
				t.Errorf("%s is there after an interruption", name)
			}
		}
	})
}

func TestWriteRefusals(t *testing.T) {
	one := []int32{0}
	tests := []struct {
		name, why, file string
		c               frame.Column
		want            string
	}{
		{"empty label", "it would read back as missing", "t.csv", frame.Codes("x", frame.MustDict(""), one), "stands for missing"},
		{"empty label", "equal in both formats", "t.parquet", frame.Codes("x", frame.MustDict(""), one), "stands for missing"},
		{"line end", "CSV readers change it", "t.csv", frame.Codes("x", frame.MustDict("a\r\nb"), one), "Windows line end"},
		{"Latin-1", "other programs refuse the file", "t.parquet", frame.Codes("x", frame.MustDict("\xe9"), one), "UTF-8"},
		{"year 10000", "ISO dates have four digits", "t.csv", frame.Dates("x", []int32{lastDay + 1}), "outside the years"},
		{"19 digits", "Parquet's limit", "t.parquet", frame.Column{Name: "x", Kind: frame.Long, Decimals: 1, L: []int64{1e18}}, "more than 18 digits"},
		{"code", "a code beyond the codebook is a programming error elsewhere", "t.csv", frame.Codes("x", frame.MustDict("a"), []int32{1}), "codebook has 1 labels"},
		{"blank name", "the reader trims names", "t.csv", frame.Ints(" x", one), "rename it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.file)
			err := Write(context.Background(), path, frame.Must(tt.c))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q: %s", err, tt.want, tt.why)
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("a refused table left a file")
			}
		})
	}
}

func TestReading(t *testing.T) {
	tests := []struct {
		name, why, text string
		s               Schema
		want            *frame.Frame
	}{
		{"inference", "every kind at once", "a,b,c,d,e,f\n1,3000000000,1.5,2021-12-31,x,007\n,1,2,NA,,01\n", Schema{}, frame.Must(
			frame.Ints("a", []int32{1, frame.NoInt}), frame.Longs("b", []int64{3e9, 1}), frame.Floats("c", []float64{1.5, 2}),
			frame.Dates("d", []int32{18992, frame.NoInt}), frame.Strings("e", []string{"x", ""}), frame.Strings("f", []string{"007", "01"}))},
		{"Windows", "a byte-order mark and CR LF", "\xef\xbb\xbfa,b\r\n1,\"x\r\ny\"\r\n", Schema{}, frame.Must(
			frame.Ints("a", []int32{1}), frame.Strings("b", []string{"x\ny"}))},
		{"no rows", "a header alone is a table", "a,b\n", Schema{}, frame.Must(frame.Codes("a", frame.MustDict(), nil), frame.Codes("b", frame.MustDict(), nil))},
		{"no line end", "the last line counts", "a\n1", Schema{}, frame.Must(frame.Ints("a", []int32{1}))},
		{"R's hundred thousand", "R writes 1e+05", "a\n1\n1e+05\n", Schema{}, frame.Must(frame.Ints("a", []int32{1, 100000}))},
		{"whole fractions", "pandas writes integers so beside missing ones", "a\n1.0\n\n2.00\n", Schema{Columns: []ColumnSpec{{Name: "a", Kind: frame.Int}}}, frame.Must(frame.Ints("a", []int32{1, 2}))},
		{"blanks", "padded numbers", "a,b\n 1, x\n", Schema{}, frame.Must(frame.Ints("a", []int32{1}), frame.Strings("b", []string{" x"}))},
		{"tokens", "a column's own tokens win", "a,b\n-9,-9\n", Schema{MissingTokens: []string{"-9"}, Columns: []ColumnSpec{{Name: "b", Missing: []string{}}}}, frame.Must(
			frame.Codes("a", frame.MustDict(), []int32{-1}), frame.Ints("b", []int32{-9}))},
		{"renamed", "As names it in the frame", "a\n1\n", Schema{Columns: []ColumnSpec{{Name: "a", As: "wage"}}}, frame.Must(frame.Ints("wage", []int32{1}))},
		{"numbers in order", "an ordinal of numbers is sorted by number", "a\n10\n9\n", Schema{Columns: []ColumnSpec{{Name: "a", Kind: frame.Ordinal}}}, frame.Must(
			frame.Ordered("a", must(frame.NewDict([]string{"9", "10"}, []float64{9, 10})), []int32{1, 0}))},
		{"intervals", "found without being told", "a\n\"[150000,)\"\n\"[25000,30000)\"\n", Schema{}, frame.Must(
			frame.Ordered("a", must(frame.NewDict([]string{"[25000,30000)", "[150000,)"}, []float64{27500, 187500})), []int32{1, 0}))},
		{"big identifiers", "64 bits are not enough: a label, no rounding", "a\n99999999999999999999999\n", Schema{Columns: []ColumnSpec{{Name: "a", Kind: frame.Category}}}, frame.Must(frame.Strings("a", []string{"99999999999999999999999"}))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(context.Background(), write(t, "t.csv", tt.text), tt.s)
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(tt.want, got); d != "" {
				t.Errorf("%s: frame (-want +got):\n%s", tt.why, d)
			}
		})
	}
}

func must(d *frame.Dict, err error) *frame.Dict {
	if err != nil {
		panic(err)
	}
	return d
}

func TestParquetOtherKinds(t *testing.T) {
	path := write(t, "t.parquet", parquetBytes(t, frame.Must(
		frame.Ints("id", []int32{10, 9, frame.NoInt}), frame.Fixed("fte", 2, []int32{50, 100, frame.NoInt}),
		frame.Floats("share", []float64{0.29, 1, math.NaN()}), frame.Strings("text", []string{"3", "", "4"}),
		frame.Dates("day", []int32{0, 1, frame.NoInt}))))
	got, err := Read(context.Background(), path, Schema{Columns: []ColumnSpec{
		{Name: "id", Kind: frame.Ordinal}, {Name: "fte", Kind: frame.Float}, {Name: "share", Kind: frame.Long, Decimals: 2},
		{Name: "text", Kind: frame.Int}, {Name: "day", Kind: frame.Category}}})
	if err != nil {
		t.Fatal(err)
	}
	want := frame.Must(
		frame.Ordered("id", must(frame.NewDict([]string{"9", "10"}, []float64{9, 10})), []int32{1, 0, -1}),
		frame.Floats("fte", []float64{0.5, 1, math.NaN()}),
		frame.Column{Name: "share", Kind: frame.Long, Decimals: 2, L: []int64{29, 100, frame.NoLong}},
		frame.Ints("text", []int32{3, frame.NoInt, 4}), frame.Strings("day", []string{"1970-01-01", "1970-01-02", ""}))
	if d := diff(want, got); d != "" {
		t.Errorf("frame (-want +got):\n%s", d)
	}
}

func TestIntervals(t *testing.T) {
	type interval struct {
		Lo, Hi             float64
		LoClosed, HiClosed bool
		OK                 bool
	}
	inf := math.Inf(1)
	tests := map[string]interval{
		"(39,49]": {39, 49, false, true, true}, "[25000,30000)": {25000, 30000, true, false, true},
		"[150000,)": {150000, inf, true, false, true}, "(-1,0]": {-1, 0, false, true, true}, "(60, Inf]": {60, inf, false, false, true},
		"[-Inf,5)": {math.Inf(-1), 5, false, false, true}, "[5,5]": {5, 5, true, true, true}, "[1e3,2.5e3)": {1000, 2500, true, false, true},
		"": {}, "(,)": {}, "(5,5]": {}, "(9,3]": {}, "39-49": {}, "(a,b]": {}, "(1,2": {}, "(1,2,3]": {}, "(NaN,1]": {}, "(Inf,)": {}, "[,": {},
	}
	for label, want := range tests {
		lo, hi, lc, hc, ok := ParseInterval(label)
		if d := cmp.Diff(want, interval{lo, hi, lc, hc, ok}); d != "" {
			t.Errorf("%q (-want +got):\n%s", label, d)
		}
	}
	d, err := IntervalDict([]string{"[100,)", "(9,10]", "(,5]", "(10,100)", "[5,9]"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"(,5]", "[5,9]", "(9,10]", "(10,100)", "[100,)"}, d.Labels()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for code, want := range []float64{2.5, 7, 9.5, 55, 125} {
		if got := d.Value(int32(code)); got != want {
			t.Errorf("%s stands for %v, want %v", d.Label(int32(code)), got, want)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,x\n", "a\n\"(1,2]\"\n", "\xef\xbb\xbfa\r\n2021-12-31\r\n", "a,b\n1e+05,\"x\ny\"\nNA,\n", "a\n1\n1.5\n"} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "t.csv")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := Read(context.Background(), path, Schema{})
		if err != nil {
			return
		}
		if err := Write(context.Background(), path, got); err != nil {
			return // names and labels that CSV does not keep
		}
		again, err := Read(context.Background(), path, SchemaOf(got))
		if err != nil {
			t.Fatal(err)
		}
		if d := diff(got, again); d != "" {
			t.Errorf("frame (-first +second):\n%s", d)
		}
	})
}

func FuzzParseInterval(f *testing.F) {
	for _, seed := range []string{"(39,49]", "[150000,)", "(-1,0]", "(,5)", "[1e308,)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, label string) {
		lo, hi, _, _, ok := ParseInterval(label)
		if ok && !(lo <= hi) {
			t.Errorf("%q has bounds %v and %v", label, lo, hi)
		}
		if d, err := IntervalDict([]string{label}); (err == nil) != ok {
			t.Errorf("%q: codebook %v, error %v, but ok is %v", label, d, err, ok)
		}
	})
}

func FuzzReadParquet(f *testing.F) {
	good := parquetBytes(f, example())
	f.Add(good, uint32(0), byte(0), uint32(0), byte(0))
	for at := uint32(0); int(at) < len(good); at += 97 {
		f.Add(good, at, byte(0xff), at/2, byte(1))
	}
	path := filepath.Join(f.TempDir(), "t.parquet")
	f.Fuzz(func(t *testing.T, data string, at uint32, flip byte, at2 uint32, flip2 byte) {
		b := []byte(data)
		if len(b) > 0 {
			b[int(at)%len(b)] ^= flip
			b[int(at2)%len(b)] ^= flip2
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(context.Background(), path, Schema{}); err == nil && got.Rows() > 1<<20 {
			t.Errorf("%d rows out of %d bytes", got.Rows(), len(b))
		}
	})
}

// TestDamagedParquet changes every third byte of a file: whatever happens, it is an
// error or a table, not a panic.
func TestDamagedParquet(t *testing.T) {
	good := []byte(parquetBytes(t, example()))
	path := filepath.Join(t.TempDir(), "t.parquet")
	errs := 0
	for at := 0; at < len(good); at += 3 {
		b := bytes.Clone(good)
		b[at] ^= byte(1 + at%255)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := Read(context.Background(), path, Schema{})
		if err != nil {
			errs++
		} else if got.Rows() != 6 {
			t.Errorf("byte %d changed: %d rows, want 6 or an error", at, got.Rows())
		}
	}
	if errs < len(good)/6 {
		t.Errorf("%d of %d changes were noticed, want most: checksums cover the pages", errs, len(good)/3)
	}
}

func TestDataPackage(t *testing.T) {
	f := frame.Must(frame.Strings("level", []string{"high", "low"}), frame.Ints("year", []int32{1, 2}), frame.Fixed("fte", 2, []int32{1, 2}), frame.Dates("hired", []int32{1, 2}))
	got, err := DataPackage("population", []File{{Path: "jobs.csv.gz", Frame: f, Description: map[string]string{"fte": "share of full time"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "profile": "tabular-data-package",
  "name": "population",
  "resources": [
    {
      "name": "jobs",
      "path": "jobs.csv.gz",
      "profile": "tabular-data-resource",
      "format": "csv",
      "mediatype": "text/csv",
      "compression": "gz",
      "encoding": "utf-8",
      "schema": {
        "fields": [
          {
            "name": "level",
            "type": "string",
            "format": "default",
            "constraints": {
              "enum": [
                "high",
                "low"
              ]
            }
          },
          {
            "name": "year",
            "type": "integer",
            "format": "default"
          },
          {
            "name": "fte",
            "type": "number",
            "format": "default",
            "description": "share of full time"
          },
          {
            "name": "hired",
            "type": "date",
            "format": "default"
          }
        ],
        "missingValues": [
          ""
        ]
      }
    }
  ]
}
`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("datapackage.json (-want +got):\n%s", d)
	}
	for _, path := range []string{"/abs/jobs.csv", "../jobs.csv", "a b.csv", "jobs.txt"} {
		if _, err := DataPackage("p", []File{{Path: path, Frame: f}}); err == nil {
			t.Errorf("path %q is accepted", path)
		}
	}
	sum, size, err := Checksum(write(t, "x", "abc"))
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; err != nil || sum != want || size != 3 {
		t.Errorf("checksum %s of %d bytes, %v; want %s (FIPS 180-4) of 3", sum, size, err, want)
	}
}
