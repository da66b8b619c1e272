package outputs

import (
	"fmt"
	"strings"
	"testing"
)

// TestContributorsWithoutCount: each part of the rule is judged by what is known,
// whatever else the table lacks.
func TestContributorsWithoutCount(t *testing.T) {
	for _, tt := range []struct{ name, why, rule, measure, column, want string }{
		{"employers without count", "one employer has all the wages of L1", "employers: 3", "employers", "1", "contributors: 1 employers, want at least 3"},
		{"workers without employers", "12 workers are too few", "workers: 20", "count", "12", "contributors: 12 workers, want at least 20"},
	} {
		w := newWorld(t, map[string]string{
			"t.csv": "level,wages,n\nTotal,900," + map[string]string{"1": "12", "12": "92"}[tt.column] + "\nL1,300," + tt.column + "\nL2,300," + map[string]string{"1": "5", "12": "40"}[tt.column] + "\nL3,300," + map[string]string{"1": "6", "12": "40"}[tt.column] + "\n",
			"rules.yaml": "project: p\nrules: {contributors: {" + tt.rule + "}}\ndimensions: [{name: level}]\n" +
				"tables: [{file: t.csv, dimensions: [level], measures: [{column: wages, is: sum}, {column: n, is: " + tt.measure + "}]}]\n",
		})
		r, err := w.run("out", "t.csv")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(cells(r), "\n"); !strings.Contains(got, "level=L1: "+tt.want) {
			t.Errorf("%s: %q, want %q: %s", tt.name, got, tt.want, tt.why)
		}
	}
}

// TestWeightsHideNobody: a weight of ten makes no ten workers of one, and dilutes
// no largest employer.
func TestWeightsHideNobody(t *testing.T) {
	rows, total := "employer,level,w\n", 0
	for i := range 50 {
		employer, level := i, "L2"
		switch {
		case i < 11:
			level, employer = "L1", max(0, i-8) // nine of eleven rows are one employer's
		case i < 18:
			level = "L3" // seven rows
		}
		rows += fmt.Sprintf("%d,%s,10\n", employer, level)
		total += 10
	}
	w := newWorld(t, map[string]string{
		"rows.csv": rows, "t.csv": fmt.Sprintf("level,workers\nTotal,%d\nL1,110\nL2,320\nL3,70\n", total),
		"rules.yaml": `
project: p
microdata: {file: DIR/rows.csv, employer: employer, weight: w}
rules: {contributors: {employers: 3, workers: 10, largest-share: 0.5}}
dimensions: [{name: level}]
tables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}]}]
`})
	r, err := w.run("out", "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(cells(r), "\n")
	for _, want := range []string{"level=L1: contributors: the largest employer has 81 % of the workers", "level=L3: contributors: 7 workers, want at least 10"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestSumOfOne: a sum to which one of many employers adds something is that one's.
func TestSumOfOne(t *testing.T) {
	rows, rest := "employer,level,bonus\n", 0
	for i := range 90 {
		bonus, level := 10*i, "L2"
		if i < 40 {
			bonus, level = 0, "L1"
		}
		if i == 7 {
			bonus = 5000
		}
		if level == "L2" {
			rest += bonus
		}
		rows += fmt.Sprintf("%d,%s,%d\n", i, level, bonus)
	}
	w := newWorld(t, map[string]string{
		"rows.csv": rows, "t.csv": fmt.Sprintf("level,workers,bonus\nTotal,90,%d\nL1,40,5000\nL2,50,%d\n", 5000+rest, rest),
		"rules.yaml": `
project: p
microdata: {file: DIR/rows.csv, employer: employer}
rules: {minimum-frequency: {n: 5}, contributors: {employers: 3}}
dimensions: [{name: level}]
tables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}, {column: bonus, is: sum, of: bonus}]}]
`})
	r, err := w.run("out", "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(cells(r), "\n"); !strings.Contains(got, "level=L1: contributors: 1 employers add to the sum of bonus, want at least 3") {
		t.Errorf("%q: 5000 is the bonus of one", got)
	}
}

// TestSameNameTwice: of two files with one name both are checked, or none.
func TestSameNameTwice(t *testing.T) {
	w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
	o := Options{Files: []string{w.path("counts.csv"), w.path("./other/counts.csv")}, Rules: w.path("rules.yaml"), Out: w.path("out")}
	if _, err := Run(ctx, o); err == nil || !strings.Contains(err.Error(), "have one name") {
		t.Errorf("%v: the first would not be looked at", err)
	}
}

// TestPartOfCount: workers and women tell the men.
func TestPartOfCount(t *testing.T) {
	const both = "level,workers,women\nTotal,155,110\nL1,60,42\nL2,62,38\nL3,33,30\n"
	const rules = `
project: p
rules: {minimum-frequency: {n: 5}}
dimensions: [{name: level}]
tables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}, {column: women, is: count}]}]
`
	head, _, _ := strings.Cut(rules, "tables:")
	two := "tables:\n  - {file: t.csv, dimensions: [level], measures: [{column: workers, is: count}]}\n  - {file: u.csv, dimensions: [level], measures: [{column: women, is: count}]}\n"
	for name, files := range map[string]map[string]string{
		"one file": {"t.csv": both, "rules.yaml": rules},
		"two files": {
			"t.csv": "level,workers\nTotal,155\nL1,60\nL2,62\nL3,33\n", "u.csv": "level,women\nTotal,110\nL1,42\nL2,38\nL3,30\n",
			"rules.yaml": head + two,
		},
	} {
		w := newWorld(t, files)
		given := []string{"t.csv"}
		if files["u.csv"] != "" {
			given = append(given, "u.csv")
		}
		r, err := w.run("out", given...)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(cells(r), "\n"); r.Released != (name == "one file") || !strings.Contains(got, "level=L3: minimum-frequency: count of workers less count of women leaves 3, want at least 5") {
			t.Errorf("%s: released %v, %q: 3 men at L3", name, r.Released, got)
		}
	}
}

// TestEmployersUnasked: a number of employers that no rule covers does not leave.
func TestEmployersUnasked(t *testing.T) {
	w := newWorld(t, map[string]string{
		"t.csv":      "level,workers,employers\nTotal,155,12\nL1,60,1\nL2,62,5\nL3,33,6\n",
		"rules.yaml": "project: p\nrules: {minimum-frequency: {n: 5}}\ndimensions: [{name: level}]\ntables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}, {column: employers, is: employers}]}]\n",
	})
	r, err := w.run("out", "t.csv")
	if err != nil || r.Released || !strings.Contains(strings.Join(r.Held, "\n"), "nothing says how few are too few") {
		t.Errorf("%v, %+v: one employer at L1", err, r)
	}
}
