package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
	"scramblelab/internal/tabio"
)

// jobsFile is a user's file of 30 employers over two years.
func jobsFile() []string {
	rows := []string{"firm,person,year,school,pay"}
	for e := range 30 {
		for w := range 1 + e%5 {
			for year := 2019; year <= 2020; year++ {
				rows = append(rows, fmt.Sprintf("E%02d,W%02d%d,%d,S%d,%d", e, e, w, year, (e+w)%3, 20_000+1000*w+100*e))
			}
		}
	}
	return rows
}

const jobsPlan = `data: {jobs: jobs.csv}
schema:
  firm:   {role: employer}
  person: {role: worker}
  year:   {role: period, released: true}
  school: {role: ordinal, as: level, known: true, released: true}
  pay:    {role: number, as: wage, sensitive: true, released: true}
release: {records: 10}
adversaries: [head-count-only]
attack: {targets: 20}
`

// called runs the command in this process.
func called(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, &out, &err)
	return status, out.String(), err.String()
}

// entries lists everything below the working directory.
func entries(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func packed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRefusals: bad input gets a message that names the place and the remedy,
// exit status 1, and leaves everything as it was.
func TestRefusals(t *testing.T) {
	const runPlan = "run plan.yaml -o out"
	replace := func(old, by string) func(t *testing.T) {
		return func(t *testing.T) {
			if !strings.Contains(jobsPlan, old) {
				t.Fatalf("no %q in the plan", old)
			}
			write(t, "plan.yaml", []byte(strings.Replace(jobsPlan, old, by, 1)))
		}
	}
	lines := func(change func(rows []string) []string) func(t *testing.T) {
		return func(t *testing.T) {
			write(t, "jobs.csv", []byte(strings.Join(change(jobsFile()), "\n")+"\n"))
		}
	}
	other := func(name string, b func(t *testing.T) []byte) func(t *testing.T) {
		return func(t *testing.T) {
			replace("jobs.csv", name)(t)
			write(t, name, b(t))
		}
	}
	both := func(all ...func(*testing.T)) func(*testing.T) {
		return func(t *testing.T) {
			for _, f := range all {
				f(t)
			}
		}
	}
	step := func(s string) func(*testing.T) {
		return replace("adversaries:", "scramble: {keep: [], steps: ["+s+"]}\nadversaries:")
	}
	must := func(args string) func(*testing.T) {
		return func(t *testing.T) {
			if status, _, stderr := called(t, strings.Fields(args)...); status != exitDone {
				t.Fatalf("%s: status %d: %s", args, status, stderr)
			}
		}
	}
	change := func(path string, edit func([]byte) []byte) func(*testing.T) {
		return func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, edit(b))
		}
	}
	flip := func(path string) func(*testing.T) {
		return change(path, func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	}
	cut := func(b []byte) []byte { return b[:len(b)*2/3] }
	parquet := func(t *testing.T) []byte {
		ints := make([]int32, 2000)
		for i := range ints {
			ints[i] = int32(i * i)
		}
		path := filepath.Join(t.TempDir(), "t.parquet")
		if err := tabio.Write(t.Context(), path, frame.Must(frame.Ints("firm", ints))); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	long := func() []byte {
		rows := jobsFile()
		for i := range 5000 {
			rows = append(rows, fmt.Sprintf("E99,X%d,2020,S%d,%d", i, i%3, 20_000+i*i%7919))
		}
		return []byte(strings.Join(rows, "\n") + "\n")
	}

	tests := []struct {
		name, why string
		prepare   func(t *testing.T)
		args      string
		want      []string // on standard error
	}{
		{"no plan", "", nil, "run nothing.yaml -o out", []string{"nothing.yaml: no such file"}},
		{"no file", "", replace("jobs.csv", "nothing.csv"), runPlan, []string{"nothing.csv: file does not exist: check the name and the working directory"}},
		{"missing column", "the names that are there help", replace("school:", "schol:"), runPlan, []string{"jobs.csv", `no column "schol"`, `did you mean "school"?`}},
		{"unknown role", "", replace("role: worker", "role: wroker"), runPlan, []string{`plan.yaml:4:18: role is "wroker", want employer, worker, period`, `did you mean "worker"?`}},
		{"wrong type in line 7", "file, line and column are named", lines(func(r []string) []string { r[6] = "E02,W021,2020,S0,twenty"; return r }), runPlan, []string{`jobs.csv: line 7, column "pay"`, `"twenty"`}},
		{"wrong year in line 7", "", lines(func(r []string) []string { r[6] = "E02,W021,20x0,S0,20000"; return r }), runPlan, []string{`jobs.csv: line 7, column "year"`, `"20x0"`}},
		{"too few cells in line 7", "", lines(func(r []string) []string { r[6] = "E02,W021,2020"; return r }), runPlan, []string{"jobs.csv: line 7", "3", "5"}},
		{"no employer in line 7", "", lines(func(r []string) []string { r[6] = ",W021,2020,S0,20000"; return r }), runPlan, []string{`jobs.csv: line 7, column "firm"`, "the employer is missing", "drop the row, or map another column"}},
		{"duplicate keys", "both lines are named", lines(func(r []string) []string { return append(r, r[6]) }), runPlan, []string{"jobs.csv: line 7 and line 182: worker", "stands twice at employer", "keep one row for each worker, employer and year"}},
		{"header twice", "", lines(func(r []string) []string { r[0] = "firm,person,year,school,pay,pay"; return r }), runPlan, []string{`jobs.csv: line 1: columns 5 and 6 are both named "pay": rename one`}},
		{"empty file", "", func(t *testing.T) { write(t, "jobs.csv", nil) }, runPlan, []string{"jobs.csv", "is empty"}},
		{"header alone", "", lines(func(r []string) []string { return r[:1] }), runPlan, []string{"jobs.csv has a header and no rows"}},
		{"truncated gzip", "half a file is no file", other("jobs.csv.gz", func(t *testing.T) []byte { return cut(packed(t, long())) }), runPlan, []string{"jobs.csv.gz: ends too early: the file was cut off, copy it again"}},
		{"damaged gzip", "its checksum is looked at", other("jobs.csv.gz", func(t *testing.T) []byte {
			b := packed(t, []byte(strings.Join(jobsFile(), "\n")+"\n"))
			b[len(b)-6] ^= 1
			return b
		}), runPlan, []string{"jobs.csv.gz: is damaged", "copy it again"}},
		{"no gzip", "", other("jobs.csv.gz", func(*testing.T) []byte { return long() }), runPlan, []string{"jobs.csv.gz", "gzip"}},
		{"truncated parquet", "", other("jobs.parquet", func(t *testing.T) []byte { return cut(parquet(t)) }), runPlan, []string{"jobs.parquet: ends too early: the file was cut off, copy it again"}},
		{"no parquet", "", other("jobs.parquet", func(*testing.T) []byte { return long() }), runPlan, []string{"jobs.parquet"}},
		{"unknown extension", "", other("jobs.xlsx", func(*testing.T) []byte { return long() }), runPlan, []string{"jobs.xlsx", ".csv", ".parquet"}},
		{"misspelt key", "line and column, and the key that was meant", replace("records: 10", "recrods: 10"), runPlan, []string{`plan.yaml:8:11: unknown key "recrods" (did you mean "records"?)`}},
		{"misspelt key of a column", "", replace("sensitive: true", "sensitiv: true"), runPlan, []string{`plan.yaml:7:36: unknown key "sensitiv" (did you mean "sensitive"?)`}},
		{"rate of 2", "", step("{method: random-swap, bundle: [level], rate: 2}"), runPlan, []string{"plan.yaml:9:", "rate is 2, want a share in [0, 1]"}},
		{"rate NaN", "", step("{method: random-swap, bundle: [level], rate: .nan}"), runPlan, []string{"plan.yaml:9:", "rate is NaN, want a share in [0, 1]"}},
		{"plan cut off", "", change("plan.yaml", func(b []byte) []byte { return b[:60] }), runPlan, []string{"plan.yaml:"}},
		{"plan empty", "", change("plan.yaml", func([]byte) []byte { return nil }), runPlan, []string{"plan.yaml:1:1: the plan is empty"}},
		{"plan is data", "", nil, "run jobs.csv -o out", []string{"jobs.csv:"}},
		{"no policy", "it is looked for before the work", replace("adversaries:", "gates: strict.yaml\nadversaries:"), runPlan, []string{"strict.yaml: no such file", "built-in policies: ema-0070"}},
		{"firm column of accounts", "", replace("records: 10", "records: 10, firm_columns: [turnover]"), runPlan, []string{"plan.yaml:8:", "identifies the employer at once"}},

		{"output is the input", "it would be replaced", nil, "run plan.yaml -o jobs.csv --force", []string{"jobs.csv is also an input: name another output"}},
		{"output holds the input", "", func(t *testing.T) {
			replace("jobs.csv", "data/jobs.csv")(t)
			if err := os.Mkdir("data", 0o755); err != nil {
				t.Fatal(err)
			}
			lines(slices.Clone[[]string])(t)
			if err := os.Rename("jobs.csv", "data/jobs.csv"); err != nil {
				t.Fatal(err)
			}
		}, "run plan.yaml -o data --force", []string{"data contains the input data/jobs.csv: name another output"}},
		{"output exists", "", func(t *testing.T) { write(t, "out", nil) }, runPlan, []string{"out is a file, want a folder: name another output"}},
		{"output folder exists", "", func(t *testing.T) {
			if err := os.Mkdir("out", 0o755); err != nil {
				t.Fatal(err)
			}
		}, runPlan, []string{"out exists already: name another output, or --force replaces it"}},
		{"escrow exists", "who loses an escrow can never check the release", func(t *testing.T) { write(t, "out.escrow", []byte("precious")) }, runPlan, []string{"out.escrow exists, and out does not: a run was cut off before its release had a name", "remove it or add --force, otherwise name another output"}},
		{"not a folder", "", nil, "run plan.yaml -o jobs.csv/out", []string{"jobs.csv/out: not a directory"}},
		{"working directory", "", nil, "run plan.yaml -o . --force", []string{"contains the "}},
		{"release exists", "", must("release plan.yaml -o out"), "release plan.yaml -o out", []string{"out exists already, with its escrow: name another output, or --force replaces both"}},
		{"release over the input", "", nil, "release plan.yaml -o jobs.csv --force", []string{"jobs.csv is also an input: name another output"}},

		{"report damaged", "", func(t *testing.T) { write(t, "r.json", []byte("{\n \"version\": 1,\n \"metrics\": [\n")) }, "gate r.json", []string{"r.json: line ", "not a report"}},
		{"report of another version", "", func(t *testing.T) { write(t, "r.json", []byte(`{"version": 2}`)) }, "report r.json -o r.html", []string{"r.json: report: version is 2, this program reads version 1"}},
		{"report empty", "", func(t *testing.T) { write(t, "r.json", nil) }, "report r.json -o r.html", []string{"r.json: line 1: not a report"}},
		{"report is no report", "", nil, "report jobs.csv -o r.html", []string{"jobs.csv: line 1: not a report"}},

		{"flipped byte", "", both(must("release plan.yaml -o out"), flip("out/cells.parquet")), "attack plan.yaml --release out -o claims", []string{"the checksum of out/cells.parquet differs from the manifest's", "copy the release again"}},
		{"release cut off", "", both(must("release plan.yaml -o out"), change("out/employers.parquet", cut)), "fidelity plan.yaml --release out --escrow out.escrow -o f", []string{"out/employers.parquet has", "the manifest says", "copy the release again"}},
		{"file taken away", "", both(must("release plan.yaml -o out"), func(t *testing.T) { os.Remove("out/codebook.json") }), "attack plan.yaml --release out -o claims", []string{"out lacks codebook.json: the release is not whole"}},
		{"manifest taken away", "", both(must("release plan.yaml -o out"), func(t *testing.T) { os.Remove("out/manifest.json") }), "audit out", []string{"out is no release, or half a one: it has no manifest.json"}},
		{"escrow damaged", "", both(must("release plan.yaml -o out"), flip("out.escrow")), "fidelity plan.yaml --release out --escrow out.escrow -o f", []string{"out.escrow: it is damaged or cut off, copy it again"}},
		{"escrow cut off", "", both(must("release plan.yaml -o out"), change("out.escrow", cut)), "audit out --escrow out.escrow", []string{"out.escrow: it is damaged or cut off, copy it again"}},
		{"escrow of another release", "the plan and the data are the same", both(must("release plan.yaml -o out"), must("release plan.yaml -o two")), "fidelity plan.yaml --release out --escrow two.escrow -o f", []string{"two.escrow and out: the key makes another release: name the escrow that was written beside this one"}},
		{"escrow of another plan", "", both(must("release plan.yaml -o out"), replace("records: 10", "records: 9"), must("release plan.yaml -o two"), replace("records: 10", "records: 10")), "fidelity plan.yaml --release out --escrow two.escrow -o f", []string{"two.escrow belongs to another plan than out"}},
		{"another plan", "", both(must("release plan.yaml -o out"), replace("records: 10", "records: 9")), "attack plan.yaml --release out -o a", []string{"out was made from another plan", "name the plan it was made from"}},
		{"other data", "", both(must("release plan.yaml -o out"), lines(func(r []string) []string { r[6] = strings.Replace(r[6], "S", "S9", 1); return r })), "attack plan.yaml --release out --escrow out.escrow -o a", []string{"out.escrow was made from other data than this plan reads now"}},
		{"no escrow there", "", must("release plan.yaml -o out"), "fidelity plan.yaml --release out --escrow no.escrow -o f", []string{"no.escrow does not exist: name the file that scramble release wrote"}},
		{"escrow is no escrow", "", must("release plan.yaml -o out"), "audit out --escrow jobs.csv", []string{"jobs.csv: this is no escrow of scramblelab"}},
		{"recipient is no key", "before the work, and nothing is left", nil, "release plan.yaml -o out --escrow-recipient ssh-rsa", []string{"recipient", "want age1"}},
		{"measures over the release", "", must("release plan.yaml -o out"), "fidelity plan.yaml --release out --escrow out.escrow -o out --force", []string{"out is also an input: name another output"}},
		{"report over the data", "json goes to a file that is taken", must("run plan.yaml -o first --policy ok.yaml"), "report first/internal/report.json -o jobs.csv", []string{"jobs.csv", "--force replaces it"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "jobs.csv", []byte(strings.Join(jobsFile(), "\n")+"\n"))
			write(t, "plan.yaml", []byte(jobsPlan))
			write(t, "ok.yaml", []byte("name: ok\nabout: passes\ngates: [{metric: fidelity.margins.level-field-tv, max: 1, why: a distance, remedy: none}]\n"))
			if tt.prepare != nil {
				tt.prepare(t)
			}
			before := entries(t)
			status, stdout, stderr := called(t, strings.Fields(tt.args)...)
			if status != exitError || stdout != "" {
				t.Errorf("exit status %d, want 1; standard output %q", status, stdout)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("%s\nwant %q in: %s", tt.why, want, stderr)
				}
			}
			if !strings.HasPrefix(stderr, "scramble: ") {
				t.Errorf("the message does not say who speaks: %s", stderr)
			}
			if diff := cmp.Diff(before, entries(t)); diff != "" {
				t.Errorf("what stands in the folder (-before +after):\n%s", diff)
			}
		})
	}
}
