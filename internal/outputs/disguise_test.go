package outputs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCountsInDisguise: a sum or mean of zeros and ones is a count.
func TestCountsInDisguise(t *testing.T) {
	micro := "serial,level,female,bonus\n"
	for i := range 100 {
		level, female, bonus := "L1", 0, 0.0
		if i >= 40 {
			level = "L2"
		}
		if i == 0 || i >= 70 {
			female, bonus = 1, 2.5
		}
		micro += fmt.Sprintf("%d,%s,%d,%v\n", i, level, female, bonus)
	}
	const dims = "dimensions: [{name: level}]\ntables: [{file: t.csv, dimensions: [level], measures: ["
	for _, tt := range []struct {
		name, why, micro, measures, table string
		want                              []string
	}{
		{"sum", "1 woman at L1", "", "{column: workers, is: count}, {column: female, is: sum}", "level,workers,female\nL1,40,1\nL2,60,30\nTotal,100,31\n",
			[]string{"level=L1: minimum-frequency: female counts units, and has 1, want at least 10"}},
		{"all but few", "1 man at L1", "", "{column: workers, is: count}, {column: female, is: sum}", "level,workers,female\nL1,40,39\nL2,60,30\nTotal,100,69\n",
			[]string{"level=L1: minimum-frequency: female counts units, and leaves 1, want at least 10"}},
		{"mean", "a share with its count", "", "{column: workers, is: count}, {column: share, is: mean, over: workers}", "level,workers,share\nL1,40,0.025\nL2,60,0.5\nTotal,100,0.31\n",
			[]string{"level=L1: minimum-frequency: share counts units, and has 1, want at least 10"}},
		{"mean of unknown", "nobody says of how many", "", "{column: share, is: mean}, {column: workers, is: count}", "level,workers,share\nL1,40,0.025\nL2,60,0.5\nTotal,100,0.31\n",
			[]string{"level=L1: minimum-frequency: share counts units, and has 1, want at least 10; suppressed, and the room of the sum of share was not checked: a mean without its count does not add up, name the count with over"}},
		{"microdata, no count", "the rows say that it is 0 or 1", "microdata: {file: DIR/m.csv, employer: serial}\n", "{column: female, is: sum, of: female}", "level,female\nL1,1\nL2,30\nTotal,31\n",
			[]string{"level=L1: minimum-frequency: female counts units, and has 1, want at least 10"}},
		{"wages", "more than the count", "", "{column: workers, is: count}, {column: wages, is: sum}", "level,workers,wages\nL1,40,1\nL2,60,300\nTotal,100,301\n", nil},
		{"fractions", "no whole number", "", "{column: workers, is: count}, {column: hours, is: sum}", "level,workers,hours\nL1,40,1.5\nL2,60,30\nTotal,100,31.5\n", nil},
	} {
		w := newWorld(t, map[string]string{"m.csv": micro, "t.csv": tt.table, "rules.yaml": "project: p\npopulation: staff\nrules: {minimum-frequency: {n: 10}}\n" + tt.micro + dims + tt.measures + "]}]\n"})
		r, err := w.run("out", "t.csv")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if d := cmp.Diff(tt.want, cells(r)); d != "" {
			t.Errorf("%s: %s, held %q (-want +got):\n%s", tt.name, tt.why, r.Held, d)
		}
		if tt.want != nil && r.Released && !strings.Contains(w.read("out/release/t.csv"), "L1,,") {
			t.Errorf("%s: %s: it left", tt.name, tt.why)
		}
	}
}

// TestDummiesOfOther: design: other says that some regressor is no dummy, and not
// that none is.
func TestDummiesOfOther(t *testing.T) {
	micro := "serial,sector,tr1\n"
	for i := range 100 {
		sector, one := "C", 0
		if i < 3 {
			sector = "A"
		} else if i < 15 {
			sector = "B"
		}
		if i == 20 {
			one = 1
		}
		micro += fmt.Sprintf("%d,%s,%d\n", i, sector, one)
	}
	const rules = `
project: p
population: staff
microdata: {file: DIR/m.csv, employer: serial}
rules: {minimum-frequency: {n: 10}, degrees-of-freedom: {n: 10}}
dimensions: [{name: sector}]
tables: [{file: t.csv, dimensions: [sector], measures: [{column: workers, is: count}]}]
estimates: [{file: r.csv, kind: regression, counts: workers, design: other}]
`
	for _, tt := range []struct{ name, text, gone, kept string }{
		{"the sensitive category is the reference", "term,estimate,n,dof\n(Intercept),913.2,100,97\nsector=B,-500,100,97\nsector=C,-400,100,97\n", "913.2", ""},
		{"beside a regressor", "term,estimate,n,dof\n(Intercept),913.2,100,96\nage,1.25,100,96\nsector=A,-500,100,96\nsector=C,-400,100,96\n", "-500", ""},
		{"a bare category", "term,estimate,n,dof\nage,1.25,100,96\nA,-500,100,96\n", "-500", ""},
		{"one person of the microdata", "term,estimate,n,dof\nage,1.25,100,96\ntr1,-500,100,96\n", "-500", "1.25"},
		{"no dummy", "term,estimate,n,dof\nage,1.25,100,96\n", "", "1.25"},
	} {
		w := newWorld(t, map[string]string{"m.csv": micro, "t.csv": sectorTable, "r.csv": tt.text, "rules.yaml": rules})
		r, err := w.run("out", "t.csv", "r.csv")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		left := ""
		if r.Released {
			left = w.read("out/release/r.csv")
		}
		if tt.gone != "" && strings.Contains(left, tt.gone) || !strings.Contains(left, tt.kept) {
			t.Errorf("%s: held %q, left\n%s", tt.name, r.Held, left)
		}
	}
}

// TestTextOfEstimates: a column of words that nobody described says what it likes.
func TestTextOfEstimates(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"words", "statistic,variable,value,n,note\nsd,age,100,40,3 women at A\n", `column "note" is category, and no rule covers it`},
		{"a day", "statistic,variable,value,n,born\nsd,age,100,40,1961-02-03\n", `column "born" is`},
		{"known", "statistic,variable,value,n\nsd,age,100,40\n", ""},
	} {
		w := newWorld(t, map[string]string{"s.csv": tt.text, "rules.yaml": "project: p\nrules: {minimum-frequency: {n: 3}}\nestimates: [{file: s.csv, kind: summary, counts: workers}]\n"})
		_, err := w.run("out", "s.csv")
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
