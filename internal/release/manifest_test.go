package release

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(`{"version": 1, "format": "csv", "files": [{"name": "../x", "rows": -1}]}`))
	f.Add([]byte(`{"version": 1, "format": "../../etc"}`))
	f.Add([]byte(`[]`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, ManifestName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if man, err := ReadManifest(dir); err == nil && Verify(dir, man) == nil {
			t.Errorf("%q verifies a folder without tables", b)
		}
	})
}

// Scripts escape what would end a string or be expanded in their language.
func TestScripts(t *testing.T) {
	tabs, _ := serialised(t, data(6, 1), 1, false)
	tests := []struct {
		name, why, format, file string
		want                    []string
	}{
		{"R", "labels in codebook order, quotes and line ends escaped", CSV, "read.R",
			[]string{`levels = c("ISCED 3 and 4", "tertiary, \"long\"\n\u00e9nd"), ordered = TRUE`, `na.strings = ""`}},
		{"Python", "NA is a label, an empty field is missing", CSV, "read.py",
			[]string{`categories=["a,b", "NA"], ordered=False`, `keep_default_na=False`, `Path(__file__).parent`}},
		{"Stata", "compound quotes", CSV, "read.do", []string{"label define level 1 `\"ISCED 3 and 4\"', add", "import delimited using \"cells.csv\""}},
		{"Stata cannot read Parquet", "the remedy is named", Parquet, "read.do", []string{"--format csv", "exit 601"}},
		{"R with Parquet", "the package is named", Parquet, "read.R", []string{`install.packages(\"arrow\")`, "call. = FALSE", `arrow::read_parquet("cells.parquet")`}},
		{"Python with Parquet", "the package is named", Parquet, "read.py", []string{"read.py needs pyarrow", "--format csv", `pd.read_parquet(here / "cells.parquet")`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(scripts(tabs, tt.format)[tt.file])
			for _, w := range tt.want {
				if !strings.Contains(got, w) {
					t.Errorf("%s: %q is not in\n%s", tt.why, w, got)
				}
			}
		})
	}
	if got := stataQuote("a`b$c\nd"); got != "`\"a\\`b\\$c d\"'" {
		t.Errorf("stata label %s", got)
	}
}

// Where a package is missing, read.py says so in one sentence and fails. Python
// runs without site packages, so that it is missing on every machine.
func TestPythonWithoutPackages(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	tabs, _ := serialised(t, data(6, 1), 1, false)
	tests := []struct {
		name, why, format string
		with              []string // modules that are there, empty
		want              []string
	}{
		{"CSV", "Python itself reads CSV", CSV, nil, []string{"needs pandas", "pip install pandas", "employers.csv", "with the csv module"}},
		{"compressed CSV", "csv alone does not unpack", CSVGzip, nil, []string{"needs pandas", "employers.csv.gz", "gzip and csv modules"}},
		{"Parquet", "both are missing", Parquet, nil, []string{"needs pandas", "pip install pandas pyarrow", "--format csv"}},
		{"Parquet with pandas", "pandas alone reads no Parquet", Parquet, []string{"pandas"}, []string{"needs pyarrow", "pip install pyarrow", "--format csv"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			script := filepath.Join(dir, "read.py")
			if err := os.WriteFile(script, scripts(tabs, tt.format)["read.py"], 0o600); err != nil {
				t.Fatal(err)
			}
			for _, m := range tt.with {
				if err := os.WriteFile(filepath.Join(dir, m+".py"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := exec.Command(python, "-m", "py_compile", script).CombinedOutput(); err != nil {
				t.Fatalf("read.py does not compile: %v\n%s", err, out)
			}
			out, err := exec.Command(python, "-E", "-S", script).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Fatalf("%s: got %v, want exit status 1\n%s", tt.why, err, out)
			}
			got := strings.TrimSpace(string(out))
			if strings.Contains(got, "\n") {
				t.Errorf("%s: want one line, got\n%s", tt.why, got)
			}
			for _, w := range tt.want {
				if !strings.Contains(got, w) {
					t.Errorf("%s: %q is not in %q", tt.why, w, got)
				}
			}
		})
	}
}
