package outputs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStatements: what the rules file says and nothing proves stands in the report
// and in the ledger, with who says so and why.
func TestStatements(t *testing.T) {
	const rules = `
project: p
population: staff 2022
supervisor: A. Peeters
accept: exactly-safe
rules: {minimum-frequency: {n: 5}}
dimensions: [{name: level, not: [grade], because: levels are of schools}, {name: sex, was: [gender]}]
populations: [{name: staff 2022, apart-from: [staff 2021], because: another year}]
tables:
  - {file: counts.csv, dimensions: [level, sex], tolerance: 0.5, because: printed to one decimal, measures: [{column: workers, is: count}]}
estimates: [{file: s.csv, kind: summary, counts: workers, variables: [wage], design: other, reviewed: seen by AP}]
`
	w := newWorld(t, map[string]string{"counts.csv": counts, "s.csv": "statistic,variable,value,n\nmean,wage,2400,155\nskewness,bonus,3,155\n", "rules.yaml": rules})
	r, err := w.run("out", "counts.csv", "s.csv")
	if err != nil || !r.Released {
		t.Fatal(err, r.Held)
	}
	const who = "A. Peeters"
	want := []Statement{
		{"exactly safe is enough: 0 suppressed rows whose interval could not be bounded do not hold the release back", "accept", who, noReason},
		{"no microdata: counts, employers and largest contributions of the tables are as the files say", "microdata", who, noReason},
		{"level is not grade, though it looks like it: the two are not subtracted", "dimensions[0].not", who, "levels are of schools"},
		{"sex is what was called gender", "dimensions[1].was", who, noReason},
		{`nobody of "staff 2022" is of staff 2021: their results are not subtracted`, "populations[0].apart-from", who, "another year"},
		{"counts.csv: sums may be off by 0.5 a cell", "tables[0].tolerance", who, "printed to one decimal"},
		{"s.csv: wage are numbers of more than two values, no categories", "estimates[0].variables", who, noReason},
		{"s.csv: some regressor is no dummy, and the outcome no category", "estimates[0].design", who, noReason},
		{"s.csv: rows that could not be judged leave all the same: row 2 (statistic=skewness, variable=bonus)", "estimates[0].reviewed", who, "seen by AP"},
	}
	if d := cmp.Diff(want, r.Statements); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, file := range []string{"out/internal/report.md", "out/internal/report.json", "ledger.jsonl"} {
		if text := w.read(file); !strings.Contains(text, "another year") || !strings.Contains(text, who) {
			t.Errorf("%s lacks a statement", file)
		}
	}
	w.write(map[string]string{"rules.yaml": strings.Replace(rules, "supervisor: A. Peeters\n", "", 1)})
	if r, err = w.run("nobody", "counts.csv", "s.csv"); err != nil || !strings.Contains(strings.Join(r.Warnings, "\n"), "nobody answers for them") {
		t.Errorf("%v, warnings %q", err, r.Warnings)
	}
}

// TestStatedWrongly: the microdata contradict what the rules say of populations.
func TestStatedWrongly(t *testing.T) {
	const head = `
project: p
population: all
microdata: {file: DIR/rows.csv, employer: employer}
rules: {minimum-frequency: {n: 2}}
dimensions: [{name: level}]
`
	const tables = `tables:
  - {file: a.csv, population: a, where: [{column: x, is: ["1", "2"]}], dimensions: [level], measures: [{column: workers, is: count}]}
  - {file: b.csv, population: b, where: [{column: x, is: ["2", "3"]}], dimensions: [level], measures: [{column: workers, is: count}]}
`
	for _, tt := range []struct{ say, want string }{
		{"populations: [{name: a, apart-from: [b]}]\n", `populations "a" and "b" are said to be apart, and 2 rows of`},
		{"populations: [{name: a, within: b}]\n", `population "a" is said to be within "b", and 2 of its rows of`},
	} {
		w := newWorld(t, map[string]string{
			"rows.csv": "employer,x,level\n1,1,L1\n2,1,L1\n3,2,L1\n4,2,L1\n5,3,L1\n6,3,L1\n", "a.csv": "level,workers\nTotal,4\nL1,4\n", "b.csv": "level,workers\nTotal,4\nL1,4\n",
			"rules.yaml": head + tt.say + tables,
		})
		if _, err := w.run("out", "a.csv", "b.csv"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}
