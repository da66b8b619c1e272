package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/escrow"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
)

const employers = 80

func label(e int) string { return fmt.Sprintf("BE-%07d", e*7919) }

// world is a release before it is written, with what a leak may change.
type world struct {
	data   *linked.Data
	tables *publish.Tables
	meta   release.Meta
	escrow *escrow.Escrow
	format string
	tool   string
	after  func(dir string) error // change of the folder
}

func newWorld(t testing.TB) *world {
	t.Helper()
	labels := make([]string, employers)
	for e := range labels {
		labels[e] = label(e)
	}
	dict := frame.MustDict(labels...)
	var emp, year, worker, level, wage, fte, age, fe, fy []int32
	for e := range int32(employers) {
		for y := int32(2010); y < 2012; y++ {
			fe, fy = append(fe, e), append(fy, y)
			for w := range 1 + e%7 {
				emp, year, worker = append(emp, e), append(year, y), append(worker, 150000+100*e+w)
				level, wage, fte, age = append(level, w%3), append(wage, 20000+w*997+e*131), append(fte, 50+5*w), append(age, 25+w+e%30)
			}
		}
	}
	w := &world{format: release.CSV, tool: "scramblelab 0"}
	w.data = &linked.Data{
		Jobs: frame.Must(frame.Codes(linked.Employer, dict, emp), frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker),
			frame.Ordered(linked.Level, frame.MustDict("low", "mid", "high"), level), frame.Ints(linked.Wage, wage), frame.Fixed(linked.FTE, 2, fte), frame.Ints(linked.Age, age)),
		Firms:   frame.Must(frame.Codes(linked.Employer, dict, fe), frame.Ints(linked.Year, fy)),
		Periods: true,
	}
	o := publish.Options{FirmColumns: []string{linked.SizeClass}}
	for _, x := range []struct {
		to *publish.Classes
		s  publish.Spec
	}{{&o.Wage, publish.Spec{Width: 5000, Top: 150000}}, {&o.FTE, publish.Spec{Width: .1, Top: 1}}, {&o.Age, publish.Spec{Width: 5, From: 20, Top: 60}}} {
		c, err := publish.NewClasses(x.s)
		if err != nil {
			t.Fatal(err)
		}
		*x.to = c
	}
	plain, err := publish.Publish(context.Background(), w.data, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	key := rng.SecretFromSeed(11)
	var m release.SerialMap
	if w.tables, m, err = release.Serialise(plain, key, release.Delivery{}, false); err != nil {
		t.Fatal(err)
	}
	w.escrow = &escrow.Escrow{Key: key, DataDigest: escrow.Digest(w.data)}
	for _, e := range m.Employers {
		w.escrow.Serials = append(w.escrow.Serials, escrow.Serial{Employer: dict.Label(e)})
	}
	w.meta = release.Meta{Purpose: "validation of programs, under decision 12/2026/3", Recipient: "a university", PlanDigest: hash("plan"),
		Tool: "scramblelab 0", DestroyWhen: "no longer needed, at latest 2999-12-31", Unit: "employer", Records: employers}
	return w
}

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func (w *world) audit(t testing.TB) []Finding {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "release")
	if _, err := release.Write(context.Background(), dir, w.tables, w.meta, release.Options{Format: w.format}); err != nil {
		t.Fatal(err)
	}
	if w.after != nil {
		if err := w.after(dir); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Release(context.Background(), dir, Options{Escrow: w.escrow, Original: w.data, Tool: w.tool})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// withManifest changes a file and makes the manifest agree, as a careless
// program would.
func withManifest(name string, change func(string) string) func(dir string) error {
	return func(dir string) error {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b = []byte(change(string(b)))
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
		man, err := release.ReadManifest(dir)
		if err != nil {
			return err
		}
		for i := range man.Files {
			if man.Files[i].Name == name {
				man.Files[i].SHA256, man.Files[i].Bytes = hash(string(b)), int64(len(b))
			}
		}
		if b, err = json.Marshal(man); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, release.ManifestName), b, 0o644)
	}
}

func note(text string) func(*world) {
	return func(w *world) { w.meta.Notes = append(w.meta.Notes, text) }
}

// reserialise numbers employers by another rule.
func reserialise(w *world, serial func(employer int) int) {
	to := make([]int32, employers)
	for s, x := range w.escrow.Serials {
		e := slices.IndexFunc(w.data.Jobs.Col(linked.Employer).Dict.Labels(), func(l string) bool { return l == x.Employer })
		to[s] = int32(serial(e)) + 1
	}
	serials := make([]escrow.Serial, employers)
	for s, x := range w.escrow.Serials {
		serials[to[s]-1] = x
	}
	w.escrow.Serials = serials
	change := func(f *frame.Frame) *frame.Frame {
		v := slices.Clone(f.Col(publish.Serial).I)
		for i, s := range v {
			v[i] = to[s-1]
		}
		return f.With(frame.Ints(publish.Serial, v)).Sorted(publish.Serial, linked.Year)
	}
	w.tables = &publish.Tables{Employers: change(w.tables.Employers), Cells: change(w.tables.Cells)}
}

func TestPlantedLeaks(t *testing.T) {
	tests := []struct {
		name, why string
		check     string
		plant     func(*world)
	}{
		{"extra file", "a file that somebody put beside the tables", "files", func(w *world) {
			w.after = func(dir string) error { return os.WriteFile(filepath.Join(dir, "map.csv"), []byte("x"), 0o600) }
		}},
		{"extra folder", "a folder, whatever it holds", "files", func(w *world) {
			w.after = func(dir string) error { return os.Mkdir(filepath.Join(dir, ".git"), 0o700) }
		}},
		{"changed figure", "a table that is not the one of the manifest", "whole", func(w *world) {
			w.after = func(dir string) error {
				return os.WriteFile(filepath.Join(dir, "cells.csv"), []byte("serial\n"), 0o600)
			}
		}},
		{"label outside the codebook", "a class that only the data have", "whole", func(w *world) {
			w.after = withManifest("cells.csv", func(s string) string { return strings.Replace(s, "[20000,25000)", "[20000,20001)", 1) })
		}},
		{"exact wage", "an exact mean where a class was promised", "columns", func(w *world) {
			w.tables.Cells = w.tables.Cells.With(frame.Ints(linked.Wage, make([]int32, w.tables.Cells.Rows())))
		}},
		{"exact values in a class column", "the name alone is no class", "columns", func(w *world) {
			w.tables.Cells = w.tables.Cells.With(frame.Ints(publish.WageClass, make([]int32, w.tables.Cells.Rows())))
		}},
		{"classes with a gap", "a gap shows where nobody is", "classes", func(w *world) {
			w.tables.Cells = w.tables.Cells.With(frame.Ordered(publish.WageClass, frame.MustDict("(,0)", "[0,20000)", "[25000,)"), make([]int32, w.tables.Cells.Rows())))
		}},
		{"closed classes", "the ends are the smallest and largest wage", "classes", func(w *world) {
			w.tables.Cells = w.tables.Cells.With(frame.Ordered(publish.WageClass, frame.MustDict("[20131,25000)", "[25000,91777)"), make([]int32, w.tables.Cells.Rows())))
		}},
		{"single values as classes", "labels that are numbers", "classes", func(w *world) {
			w.tables.Cells = w.tables.Cells.With(frame.Ordered(publish.FTEClass, frame.MustDict("0.5", "0.55"), make([]int32, w.tables.Cells.Rows())))
		}},
		{"rows not sorted", "rows in the order of the original", "sorted", func(w *world) {
			n := int32(w.tables.Employers.Rows())
			w.tables.Employers = w.tables.Employers.Take(append([]int32{n - 1}, order(n-1)...))
		}},
		{"gap in serials", "a gap may tell who was left out", "sorted", func(w *world) {
			keep := func(f *frame.Frame) *frame.Frame {
				s := f.Col(publish.Serial).I
				return f.Filter(func(i int) bool { return s[i] != 7 })
			}
			w.tables = &publish.Tables{Employers: keep(w.tables.Employers), Cells: keep(w.tables.Cells)}
		}},
		{"serials by size", "no escrow is needed to see it", "size-order", func(w *world) {
			reserialise(w, func(e int) int { return e%7*12 + e/7 - 3*max(0, e%7-3) })
		}},
		{"serials in original order", "the row number under another name", "original-order", func(w *world) {
			reserialise(w, func(e int) int { return e })
		}},
		{"serials in reverse", "reversed is the same order", "original-order", func(w *world) {
			reserialise(w, func(e int) int { return employers - 1 - e })
		}},
		{"seed", "a seed in a note", "words", note("seed: 42")},
		{"key by name", "a key under its name", "words", note(`secret_key = "x"`)},
		{"age identity", "what opens the escrow", "words", note("AGE-SECRET-KEY-1QQQ")},
		{"path", "who worked where", "paths", note("made from /home/jan/ksz/jobs.parquet")},
		{"Windows path", "who worked where", "paths", note(`made from C:\ksz\jobs.parquet`)},
		{"time", "when it was made", "times", note("made on 2026-11-22T17:46:03Z")},
		{"real data under a seed", "anybody can undo it", "simulation", func(w *world) { w.meta.Simulation, w.escrow.Simulation = true, true }},
		{"simulation denied", "manifest and escrow differ", "simulation", func(w *world) { w.escrow.Simulation = true }},
		{"enterprise number in the purpose", "a study of one employer names it", "check-digits", func(w *world) { w.meta.Purpose = "the closure of 0400378485 in 2012" }},
		{"enterprise number with dots", "as it is printed", "check-digits", note("BE 0400.378.485")},
		{"enterprise number on a new line", "JSON writes n before it", "check-digits", note("employers:\n0400378485\t")},
		{"enterprise number in a script", "a comment left behind", "check-digits", func(w *world) {
			w.after = withManifest("read.do", func(s string) string { return s + "* without BE0400378485\n" })
		}},
		{"enterprise number as label", "whatever the original calls the employer", "check-digits", func(w *world) {
			w.tables.Employers = w.tables.Employers.With(frame.Codes(linked.Region, frame.MustDict("0400378485"), make([]int32, w.tables.Employers.Rows())))
		}},
		{"key in base64", "the key itself", "key", func(w *world) { note(base64.StdEncoding.EncodeToString(w.escrow.Key.Bytes()))(w) }},
		{"key in hex", "the key itself", "key", func(w *world) { note(strings.ToUpper(hex.EncodeToString(w.escrow.Key.Bytes())))(w) }},
		{"raw key", "the key in a binary file", "key", func(w *world) {
			key := w.escrow.Key.Bytes()
			w.after = withManifest("read.py", func(s string) string { return s + string(key) })
		}},
		{"digest of the original", "a guess at the original could be confirmed", "key", func(w *world) { note(w.escrow.DataDigest)(w) }},
		{"escrow of another release", "nothing it says holds here", "key", func(w *world) { w.escrow.Serials = w.escrow.Serials[1:] }},
		{"identifier in a note", "an employer named in passing", "identifiers", note("without " + label(3) + ", which closed")},
		{"identifier in a script", "a comment left behind", "identifiers", func(w *world) {
			w.after = withManifest("read.R", func(s string) string { return s + "# check " + label(5) + "\n" })
		}},
		{"identifier as label", "a firm column that identifies", "identifiers", func(w *world) {
			w.tables.Employers = w.tables.Employers.With(frame.Codes(linked.Region, frame.MustDict(label(1), label(2)), make([]int32, w.tables.Employers.Rows())))
		}},
		{"worker as label", "a short number counts where it is a whole label", "identifiers", func(w *world) {
			w.tables.Employers = w.tables.Employers.With(frame.Codes(linked.Region, frame.MustDict("150100"), make([]int32, w.tables.Employers.Rows())))
		}},
		{"hashed identifier", "undone by hashing all identifiers", "identifiers", note(hash(label(9)))},
		{"hashed worker", "short numbers are hashed as well", "identifiers", note(hash("150301"))},
		{"hash in capitals", "as databases write it", "identifiers", note(strings.ToUpper(hash(label(9))))},
		{"hash in base64", "as programs write it", "identifiers", func(w *world) {
			sum := md5.Sum([]byte(label(11)))
			note(base64.StdEncoding.EncodeToString(sum[:]))(w)
		}},
		{"half a hash", "cut to 32 hexadecimals", "identifiers", note(hash(label(12))[:32])},
		{"hash with the recipient as salt", "a salt that everybody knows", "identifiers", note(hash("a university:" + label(13)))},
		{"hash with a word as salt", "a salt that everybody tries", "identifiers", note(hash(label(14) + "salt"))},
		{"check sums", "a CRC-32 is undone at once", "identifiers", note(fmt.Sprintf("%08x and %08x", crc32.ChecksumIEEE([]byte(label(20))), crc32.ChecksumIEEE([]byte(label(21)))))},
		{"hash as label", "a firm column under a hash", "identifiers", func(w *world) {
			w.tables.Employers = w.tables.Employers.With(frame.Codes(linked.Region, frame.MustDict(hash(label(1))), make([]int32, w.tables.Employers.Rows())))
		}},
		{"cell under the minimum", "the plan promises three", "threshold", func(w *world) { w.meta.MinimumCell = 3 }},
		{"class under the minimum", "a class that begins at one", "threshold", func(w *world) {
			w.meta.MinimumCell = 3
			w.tables.Cells = w.tables.Cells.With(frame.Ordered(publish.Workers, frame.MustDict("[1,5)", "[5,)"), make([]int32, w.tables.Cells.Rows())))
		}},
		{"code outside the codebook of a Parquet file", "a label that only the data have", "whole", func(w *world) {
			w.format = release.Parquet
			w.after = withManifest("codebook.json", func(s string) string { return strings.Replace(s, `"[20000,25000)"`, `"[20000,20001)"`, 1) })
		}},
		{"blank lines", "as many as employers were left out", "bytes", func(w *world) {
			w.after = withManifest("employers.csv", func(s string) string { return s + "\n\n\n" })
		}},
		{"second gzip member", "bytes that a reader of one member does not see", "bytes", func(w *world) {
			w.format = release.CSVGzip
			w.after = withManifest("cells.csv.gz", func(s string) string {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				z.Close()
				return s + b.String()
			})
		}},
		{"padding before a Parquet footer", "a size that no table accounts for", "bytes", func(w *world) {
			w.format = release.Parquet
			w.after = withManifest("cells.parquet", func(s string) string {
				footer := len(s) - 8 - int(binary.LittleEndian.Uint32([]byte(s[len(s)-8:])))
				return s[:footer] + strings.Repeat("\x00", 64) + s[footer:]
			})
		}},
		{"script with a comment", "written by no version of the program", "bytes", func(w *world) {
			w.after = withManifest("read.py", func(s string) string { return s + "# 412 employers\n" })
		}},
		{"identifier in compressed CSV", "packed files are unpacked", "identifiers", func(w *world) {
			w.format = release.CSVGzip
			w.tables.Employers = w.tables.Employers.With(frame.Codes(linked.Region, frame.MustDict(label(1)), make([]int32, w.tables.Employers.Rows())))
		}},
		{"bytes behind a Parquet file", "bytes that no reader of the table sees", "identifiers", func(w *world) {
			w.format = release.Parquet
			w.after = withManifest("cells.parquet", func(s string) string { return "PAR1 " + label(4) + " " + s })
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.plant(w)
			for _, f := range w.audit(t) {
				if f.Check == tt.check && f.Severity == Fail && f.Detail != "" && f.Remedy != "" {
					return
				}
			}
			t.Errorf("%s: check %s did not fail", tt.why, tt.check)
		})
	}
}

func order(n int32) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// A clean release passes every check, in every format; without the escrow the
// checks that need it are skipped and say so. Worker numbers such as 150000
// are also class bounds: they must raise no alarm.
func TestCleanRelease(t *testing.T) {
	for _, format := range []string{release.CSV, release.CSVGzip, release.Parquet} {
		w := newWorld(t)
		w.format = format
		got := w.audit(t)
		for _, f := range got {
			if f.Severity != Pass {
				t.Errorf("%s: %s: %s: %s", format, f.Check, f.Severity, f.Detail)
			}
		}
		if len(got) != len(checks) {
			t.Errorf("%d findings of %d checks", len(got), len(checks))
		}
		w.escrow, w.data = nil, nil
		for _, f := range w.audit(t) {
			want := Pass
			if slices.Contains([]string{"key", "identifiers", "original-order"}, f.Check) {
				want = Skipped
			}
			if f.Severity != want {
				t.Errorf("%s without escrow: %s: %s: %s, want %s", format, f.Check, f.Severity, f.Detail, want)
			}
		}
	}
}

func TestOverdueAndNoRelease(t *testing.T) {
	w := newWorld(t)
	w.meta.DestroyWhen = "at latest 2020-12-31"
	got := w.audit(t)
	if i := slices.IndexFunc(got, func(f Finding) bool { return f.Check == "destruction" }); got[i].Severity != Warn || Failed(got) {
		t.Errorf("a release past its day: %+v", got[i])
	}
	if _, err := Release(context.Background(), t.TempDir(), Options{}); err == nil {
		t.Error("an empty folder was audited")
	}
}

// A check that looked for nothing, or for a part, must not read as one that
// looked for all.
func TestIdentifiersLookedFor(t *testing.T) {
	employer := func(format string) func(e int) string { return func(e int) string { return fmt.Sprintf(format, e) } }
	tests := []struct {
		name, why string
		label     func(e int) string
		want      Severity
		detail    string
	}{
		{"none", "F12 stands for anything", employer("F%d"), Warn, "none of 80 original identifiers could be looked for in text (0 were looked for as labels): a text of under 6 characters"},
		{"among labels only", "a number of six digits may be an amount, but is no label", employer("%06d"), Warn, "none of 80 original identifiers could be looked for in text (80 were looked for as labels)"},
		{"some", "the shorter ones are not", func(e int) string { return strings.Repeat("F", 1+e%2*9) + fmt.Sprint(e) }, Pass, "40 of 80 original identifiers looked for in text, 40 as labels; the other 40 were not"},
		{"all", "", label, Pass, "all 80 original identifiers looked for in text, 80 as labels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.data = nil
			for i := range w.escrow.Serials {
				w.escrow.Serials[i].Employer = tt.label(i)
			}
			found := w.audit(t)
			got := found[slices.IndexFunc(found, func(f Finding) bool { return f.Check == "identifiers" })]
			if got.Severity != tt.want || !strings.HasPrefix(got.Detail, tt.detail) {
				t.Errorf("%s: got %s: %s, want %s: %s", tt.why, got.Severity, got.Detail, tt.want, tt.detail)
			}
			if got.Severity == Warn && (got.Remedy == "" || !strings.Contains(got.Detail, got.Remedy)) {
				t.Errorf("the warning does not say what to do: %+v", got)
			}
		})
	}
}

func TestEnterpriseNumber(t *testing.T) {
	tests := []struct {
		name, why, text string
		want            int
	}{
		{"plain", "97 - 4003784 mod 97 = 85", "of 0400378485.", 3},
		{"dots", "as it is printed", "0400.378.485", 0},
		{"spaces", "as it is read out", "nr 0400 378 485,", 3},
		{"after a year", "digits before it belong to a figure of their own", "2012 0400378485", 5},
		{"in a list", "a comma ends a figure", "[1,0400378485]", 3},
		{"VAT number", "the country's letters belong to it", "(BE0400378485)", 3},
		{"VAT number in small letters", "", "be0400378485", 2},
		{"generated", "the range never issued has check digits too", "9000000092", 0},
		{"escaped line end", "the n is no letter of a word", `"x\n0400378485"`, 4},
		{"escaped space", "nor are the digits of an escape", `x\u00a00400378485`, 7},
		{"wrong check digits", "", "0400378486", -1},
		{"eleven digits", "a longer figure", "04003784850", -1},
		{"ten of eleven", "a longer figure", "10400378485", -1},
		{"in a hash", "hexadecimals are a word", "ab0400378485", -1},
		{"after another word", "only the country's letters stand before it", "cube0400378485", -1},
		{"decimals", "a fraction", "0.0400378485", -1},
		{"before decimals", "an amount", "0400378485.50", -1},
		{"mixed", "no way of writing it", "0400.378485", -1},
		{"cut off", "", "0400.378.4", -1},
		{"none", "", "", -1},
	}
	for _, tt := range tests {
		if got := enterpriseNumber(unescaped([]byte(tt.text)), nil); got != tt.want {
			t.Errorf("%s (%s): got byte %d, want %d", tt.name, tt.why, got, tt.want)
		}
	}
	if got := enterpriseNumber([]byte("1000000021"), nil); got != 0 {
		t.Error("a number of a file's size is found where it is none")
	}
	if got := enterpriseNumber([]byte("1000000021"), map[string]bool{"1000000021": true}); got != -1 {
		t.Error("the size of a file of the release is no enterprise number")
	}
}

// Of 100 numbers with the same first eight digits, exactly one has valid check
// digits: the false-alarm rate that the finding states.
func TestEnterpriseNumberFalseAlarms(t *testing.T) {
	for _, eight := range []int{0, 1, 96, 97, 4003784, 10000000, 99999999} {
		n := 0
		for check := range 100 {
			if enterpriseNumber(fmt.Appendf(nil, "%08d%02d", eight, check), nil) == 0 {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of 100 numbers that start with %08d are flagged, want 1", n, eight)
		}
	}
}

func TestSpearman(t *testing.T) {
	tests := []struct {
		name, why string
		x, y      []float64
		want      float64
	}{
		{"same", "any rising relation", []float64{1, 2, 3}, []float64{1, 10, 100}, 1},
		{"reverse", "any falling relation", []float64{1, 2, 3}, []float64{3, 2, 1}, -1},
		{"ties", "ranks 1.5 1.5 3 against 1 2 3: 1.5/sqrt(1.5*2)", []float64{5, 5, 7}, []float64{1, 2, 3}, 1.5 / math.Sqrt(3)},
	}
	for _, tt := range tests {
		if got := spearman(tt.x, tt.y); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s (%s): got %v, want %v", tt.name, tt.why, got, tt.want)
		}
	}
}
