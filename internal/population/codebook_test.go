package population

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"scramblelab/internal/calibration"
)

// Every column and every code has a text in English, Dutch and French.
func TestCodebookSpeaksThreeLanguages(t *testing.T) {
	whole := func(what string, l label) {
		if l.EN == "" || l.NL == "" || l.FR == "" {
			t.Errorf("%s has the label %+v, want en, nl and fr: add it to codebook_words.go, or to the labels of belgium.yaml", what, l)
		}
	}
	for _, table := range tableNames {
		for _, c := range columnsOf(calibration.Belgium(), table) {
			whole(table+"."+c.Name, c.Label)
			for _, code := range c.Codes {
				whole(table+"."+c.Name+" "+code.Code, code.Label)
			}
		}
	}
}

// The scripts of a folder load it: as many rows as were written, the labels of
// the levels, and the sum of the wages.
func TestReadScripts(t *testing.T) {
	p, err := Generate(context.Background(), Options{Employers: MinEmployers, From: 2015, To: 2016, Seed: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "pop")
	if err := p.Write(context.Background(), dir, WriteOptions{Format: "csv"}, nil); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for i, w := range p.Jobs.Col("wage").I {
		if !p.Jobs.Col("wage").Missing(i) {
			sum += int(w)
		}
	}
	want := fmt.Sprintln(p.Employers.Rows(), p.Accounts.Rows(), p.Suppliers.Rows(), p.Jobs.Rows(), sum)
	for _, c := range []struct {
		program string
		args    []string
	}{
		{"python3", []string{"-E", "-S", "-c", `from read import *
print(*[len(t["year" if "year" in t else "nace"]) for t in (employers, accounts, suppliers, jobs)], sum(w for w in jobs["wage"] if w is not None))
assert "L11 professional bachelor" in jobs["level"], sorted(set(jobs["level"]))`}},
		{"python3", []string{"-c", `try:
  import pandas
except ImportError:
  raise SystemExit(77)
from read import *
print(*[len(t) for t in (employers, accounts, suppliers, jobs)], jobs["wage"].sum())
assert "L11 professional bachelor" in set(jobs["level"])`}},
		{"Rscript", []string{"--vanilla", "-e", `source("read.R"); cat(nrow(employers), nrow(accounts), nrow(suppliers), nrow(jobs), format(sum(as.numeric(jobs$wage), na.rm = TRUE), scientific = FALSE), "\n"); stopifnot("L11 professional bachelor" %in% jobs$level)`}},
	} {
		path, err := exec.LookPath(c.program)
		if err != nil {
			continue // not installed
		}
		cmd := exec.Command(path, c.args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 77 {
			continue // no pandas
		}
		if got := strings.Join(strings.Fields(string(out)), " ") + "\n"; err != nil || got != want {
			t.Errorf("%s: %v: printed %q, want %q", c.program, err, got, want)
		}
	}
}
