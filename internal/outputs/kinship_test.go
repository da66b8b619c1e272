package outputs

import (
	"strings"
	"testing"
)

// TestOneThingTwice: without microdata, two dimensions that look like one thing
// are left to a supervisor.
func TestOneThingTwice(t *testing.T) {
	for _, tt := range []struct{ name, a, b, want string }{
		{"other names for the same", "level,workers\nTotal,155\nL1,60\nL2,62\nL3,33\n", "grade,workers\nTotal,155\n1st,62\n2nd,33\n3rd,60\n", "3 categories of the same sizes"},
		{"sectors of branches", "nace,workers\nTotal,165\nA,23\nB,40\nC,50\nD,12\nE,40\n", "sector,workers\nTotal,165\nind,63\nser,102\n", "add up to those of the other, in order"},
		{"classes of age", "age10,workers\nTotal,200\n15-24,60\n25-34,80\n35-44,60\n", "age_days,workers\nTotal,200\n5475-7299,57\n7300-10949,63\n10950-16424,80\n", "their names begin alike"},
		{"classes of the same numbers", "years,workers\nTotal,200\n15-24,60\n25-34,80\n35-44,60\n", "cohort,workers\nTotal,200\n15-19,57\n20-29,63\n30-44,80\n", "may be of the same ones"},
		{"classes of other numbers", "years,workers\nTotal,200\n15-24,60\n25-34,80\n35-44,60\n", "size,workers\nTotal,200\n1-9,30\n10-19,83\n20-99,47\n100+,40\n", ""},
		{"other things", "level,workers\nTotal,155\nL1,60\nL2,62\nL3,33\n", "region,workers\nTotal,155\nN,76\nS,79\n", ""},
	} {
		a, _, _ := strings.Cut(tt.a, ",")
		b, _, _ := strings.Cut(tt.b, ",")
		rules := "project: p\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: " + a + "}, {name: " + b + "}]\ntables:\n" +
			"  - {file: a.csv, dimensions: [" + a + "], measures: [{column: workers, is: count}]}\n" +
			"  - {file: b.csv, dimensions: [" + b + "], measures: [{column: workers, is: count}]}\n"
		w := newWorld(t, map[string]string{"a.csv": tt.a, "b.csv": tt.b, "rules.yaml": rules})
		r, err := w.run("out", "a.csv", "b.csv")
		if err != nil || r.Released != (tt.want == "") || !strings.Contains(strings.Join(r.Held, "\n"), tt.want) {
			t.Errorf("%s: %v, held %q, want %q", tt.name, err, r.Held, tt.want)
		}
		w.write(map[string]string{"rules.yaml": strings.Replace(rules, "{name: "+a+"}", "{name: "+a+", not: ["+b+"]}", 1)})
		if r, err = w.run("not", "a.csv", "b.csv"); err != nil || !r.Released {
			t.Errorf("%s, told apart: %v, held %q", tt.name, err, r.Held)
		}
	}
}
