package importer

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
)

func folder(format string) Folder {
	return Folder{What: "release", CSV: "ask for the release with --format csv", Format: format, Tables: []Table{
		{"employers", []Column{
			{Name: "id", Kind: frame.Int},
			{Name: "field", Kind: frame.Category, Codes: []string{"a,b", "NA"}},
			{Name: "number", Kind: frame.Category},
		}},
		{"cells", []Column{
			{Name: "level", Kind: frame.Ordinal, Codes: []string{"L1", "tertiary, \"long\"\nénd", "L3"},
				Texts: map[string][]string{"en": {"none", "", "L3"}, "fr": {"aucun", "", "élevé"}}},
			{Name: "fte", Kind: frame.Int, Decimals: 2},
			{Name: "left", Kind: frame.Date},
		}},
	}}
}

// Scripts escape what would end a string or be expanded in their language.
func TestScripts(t *testing.T) {
	tests := []struct {
		name, why, format, file string
		want                    []string
	}{
		{"R", "codes in codebook order, quotes and line ends escaped", CSV, "read.R",
			[]string{`c("L1", "tertiary, \"long\"\n\u00e9nd", "L3")`, `fr = c("aucun", "", "\u00e9lev\u00e9")), ordered = TRUE`, `na.strings = ""`}},
		{"Python", "NA is a code, an empty field is missing", CSV, "read.py",
			[]string{`"code", ["a,b", "NA"], {}`, `keep_default_na=False`, `Path(__file__).resolve().parent`}},
		{"Stata", "compound quotes; codes are checked before they are labelled", CSV, "read.do",
			[]string{"label define level 1 `\"L1\"', add", "noextend", "label define level 1 `\"L1 none\"', modify", "import delimited using \"cells.csv\""}},
		{"Stata cannot read Parquet", "the remedy is named", Parquet, "read.do", []string{"--format csv", "exit 601"}},
		{"R with Parquet", "the package is named", Parquet, "read.R", []string{`install.packages(\"arrow\")`, "call. = FALSE", `arrow::read_parquet("cells.parquet")`}},
		{"Python with Parquet", "the package is named", Parquet, "read.py", []string{"read.py needs pyarrow", "--format csv", `".parquet"), engine="pyarrow"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(Scripts(folder(tt.format))[tt.file])
			for _, w := range tt.want {
				if !strings.Contains(got, w) {
					t.Errorf("%s: %q is not in\n%s", tt.why, w, got)
				}
			}
			if i := strings.IndexFunc(got, func(r rune) bool { return r > '~' }); i >= 0 && tt.file != "read.do" {
				t.Errorf("not ASCII: %q", got[i:min(len(got), i+20)])
			}
		})
	}
	if got := stataQuote("a`b$c\nd"); got != "`\"a\\`b\\$c d\"'" {
		t.Errorf("stata label %s", got)
	}
}

// write writes the scripts and the tables that they read.
func write(t *testing.T, format, cells string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"employers.csv": "id,field,number\n1,\"a,b\",0123\n,NA,\n3,,9\n",
		"cells.csv":     "level,fte,left\n" + cells,
	}
	for name, b := range Scripts(folder(format)) {
		files[name] = string(b)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const goodCells = "L1,0.80,2020-02-29\n\"tertiary, \"\"long\"\"\nénd\",1.00,\nL3,,2019-12-31\n"

// run returns what a program prints in a folder, and its exit status.
func run(t *testing.T, dir, name string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("no " + name)
	}
	return path
}

// Without site packages, pandas is missing on every machine.
func TestPythonAlone(t *testing.T) {
	python := needs(t, "python3")
	dir := write(t, CSV, goodCells)
	got, status := run(t, dir, python, "-E", "-S", "-c", "import read\nfor t in (read.employers, read.cells):\n  for c, v in t.items(): print(c, ascii(v))")
	want := `id [1, None, 3]
field ['a,b', 'NA', None]
number ['0123', None, '9']
level ['L1 none', 'tertiary, "long"\n\xe9nd', 'L3']
fte [0.8, 1.0, None]
left [datetime.date(2020, 2, 29), None, datetime.date(2019, 12, 31)]
`
	if d := cmp.Diff(want, got); d != "" || status != 0 {
		t.Errorf("status %d (-want +got):\n%s", status, d)
	}
}

// With pandas, where it is.
func TestPythonPandas(t *testing.T) {
	python := needs(t, "python3")
	dir := write(t, CSV, goodCells)
	if _, status := run(t, dir, python, "-c", "import pandas"); status != 0 {
		t.Skip("no pandas")
	}
	got, status := run(t, dir, python, "-c", "import read\nfor t in (read.employers, read.cells):\n  for c in t: print(c, t[c].dtype if str(t[c].dtype) != 'category' else (ascii(list(t[c].cat.categories)), t[c].cat.ordered), t[c].isna().sum())")
	want := `id Int64 1
field ("['a,b', 'NA']", False) 1
number object 1
level ('[\'L1 none\', \'tertiary, "long"\\n\\xe9nd\', \'L3\']', True) 0
fte float64 1
left datetime64[ns] 1
`
	if d := cmp.Diff(want, got); d != "" || status != 0 {
		t.Errorf("status %d (-want +got):\n%s", status, d)
	}
}

func TestR(t *testing.T) {
	r := needs(t, "Rscript")
	dir := write(t, CSV, goodCells)
	program := `source("read.R")
		for (t in list(employers, cells)) for (c in names(t)) {
			v <- t[[c]]
			if (is.factor(v)) v <- paste(levels(v)[v], is.ordered(v))
			cat(c, class(t[[c]])[1], encodeString(format(v)), "\n", sep = "|")
		}`
	if err := os.WriteFile(filepath.Join(dir, "test.R"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	got, status := run(t, dir, r, "--vanilla", "test.R")
	want := `id|integer| 1|NA| 3|
field|factor|a,b FALSE|NA FALSE |NA FALSE |
number|character|0123|NA  |9   |
level|ordered|L1 none TRUE               |tertiary, "long"\nénd TRUE|L3 TRUE                    |
fte|numeric|0.8|1.0| NA|
left|Date|2020-02-29|NA|2019-12-31|
`
	// How R pads and writes accents depends on its version and locale.
	plain := strings.NewReplacer(" ", "", "<NA>", "NA", `\u00e9`, "é", "<U+00E9>", "é", `\351`, "é").Replace
	if d := cmp.Diff(plain(want), plain(got)); d != "" || status != 0 {
		t.Errorf("status %d (-want +got):\n%s", status, d)
	}
}

// A code that the codebook lacks is no missing value.
func TestUnknownCode(t *testing.T) {
	for name, args := range map[string][]string{"python3": {"-E", "-S", "read.py"}, "Rscript": {"--vanilla", "read.R"}} {
		t.Run(name, func(t *testing.T) {
			program := needs(t, name)
			out, status := run(t, write(t, CSV, "L9,1,\n"), program, args...)
			if status != 1 || !strings.Contains(out, "level holds L9, which the codebook lacks") {
				t.Errorf("status %d: %s", status, out)
			}
		})
	}
}

// Where a package is missing, one sentence names the remedy.
func TestParquetWithoutPackages(t *testing.T) {
	for name, args := range map[string][]string{"python3": {"-E", "-S", "read.py"}, "Rscript": {"--vanilla", "read.R"}} {
		t.Run(name, func(t *testing.T) {
			program := needs(t, name)
			if name == "Rscript" {
				if _, status := run(t, ".", program, "-e", `quit(status = !requireNamespace("arrow", quietly = TRUE))`); status == 0 {
					t.Skip("arrow is installed")
				}
			}
			out, status := run(t, write(t, Parquet, ""), program, args...)
			if status != 1 || !strings.Contains(out, "ask for the release with --format csv") {
				t.Errorf("status %d: %s", status, out)
			}
		})
	}
}
