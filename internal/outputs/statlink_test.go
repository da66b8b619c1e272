package outputs

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestStatisticsOfPartners: counts has 3 women at L3, which its partners L1 f, L1
// m and L3 m protect. A statistic about a partner gives the women away; of every
// kind it must stay inside, and one about a published cell must not.
func TestStatisticsOfPartners(t *testing.T) {
	for _, tt := range []struct{ name, kind, spec, text, leaves, stays string }{
		{"count", "summary", "dimensions: [level, sex]", "statistic,level,sex,value,n\ncount,L3,m,30,30\ncount,L2,m,17,17\n", "L2", "L3"},
		{"count of a category", "summary", "dimensions: [level]", "statistic,variable,level,value,n\ncount,sex=m,L1,27,60\ncount,sex=m,L2,17,62\n", "L2", "L1"},
		{"share of a category", "summary", "dimensions: [level]", "statistic,variable,level,value,n\nshare,sex:m,L1,0.45,60\nshare,sex:m,L2,0.2742,62\n", "L2", "L1"},
		{"mean of a dummy", "summary", "dimensions: [level]", "statistic,variable,level,value,n\nmean,sex=m,L1,0.45,60\nmean,sex=m,L2,0.2742,62\n", "L2", "L1"},
		{"mean of a dummy that all have", "summary", "dimensions: [level]", "statistic,variable,level,value,n\nmean,level=L3,L3,1,33\nmean,sex=m,L1,1,60\nmean,sex=m,L2,.5,62\n", "L2", "L1"},
		{"sum of a dummy", "summary", "dimensions: [level]", "statistic,variable,level,value,n\nsum,sex=m,L1,27,60\nsum,sex=m,L2,17,62\n", "L2", "L1"},
		{"deviation of a dummy", "summary", "dimensions: [level]", "statistic,variable,level,value,n\nsd,sex=m,L1,.497,60\nsd,sex=m,L2,.446,62\n", "L2", "L1"},
		{"n of a mean", "summary", "dimensions: [level, sex]", "statistic,variable,level,sex,value,n\nmean,wage,L3,m,2800,30\nmean,wage,L2,m,2500,17\n", "L2", "L3"},
		{"n of a sum", "summary", "dimensions: [level, sex]", "statistic,variable,level,sex,value,n\nsum,wage,L1,f,92400,33\nsum,wage,L2,f,92400,45\n", "L2", "L1"},
		{"n of a median", "summary", "dimensions: [level, sex]", "statistic,variable,level,sex,value,n\nmedian,wage,L1,f,2400,33\nmedian,wage,L2,f,2400,45\n", "L2", "L1"},
		{"n of a regression", "regression", "cell: {sex: [m]}, dimensions: [level], design: other", "term,level,estimate,n,dof\nage,L3,1.2,30,28\nage,L2,1.1,17,15\n", "L2", "L3"},
		{"dof of a regression", "regression", "cell: {sex: [m]}, dimensions: [level], design: other", "term,model,level,estimate,dof\nage,a,L3,1.2,29\nage,b,L2,1.1,16\n", "L2", "L3"},
		{"n of two categories that follows anyway", "summary", "cell: {level: [L1, L3], sex: [f]}", "statistic,variable,value,n\nmean,wage,2400,36\n", "2400", ""},
		{"coefficients that are means", "regression", "cell: {sex: [m]}", "term,estimate,n,dof\nlevel=L1,1.2,74,71\nlevel=L2,1.1,74,71\nlevel=L3,1.4,74,71\n", "L2", "L3"},
		{"the reference category is a mean", "regression", "cell: {sex: [m]}", "term,estimate,n,dof\n(Intercept),1.2,74,71\nlevel=L2,1.1,74,71\nlevel=L3,1.4,74,71\n", "", "L2"},
		{"two sets of dummies tell margins", "regression", "cell: {}", "term,estimate,n,dof\n(Intercept),1.2,155,151\nlevelL2,1.1,155,151\nlevelL3,1.4,155,151\nsexm,.3,155,151\n", "levelL2", ""},
		{"an interaction tells cells", "regression", "cell: {}", "term,estimate,n,dof\nlevelL1:sexm,1.2,155,149\nlevelL2:sexm,1.2,155,149\nlevelL3:sexm,1.1,155,149\n", "", "L2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := strings.Replace(countRules, "house}", "house}, quantiles: {n: 2}, degrees-of-freedom: {n: 5}", 1) +
				"estimates: [{file: s.csv, kind: " + tt.kind + ", counts: workers, variables: [wage], " + tt.spec + "}]\n"
			w := newWorld(t, map[string]string{"counts.csv": counts, "s.csv": tt.text, "rules.yaml": rules})
			check := func(out string, r *Report, err error) {
				t.Helper()
				if err != nil || !r.Released {
					t.Fatalf("%v, held %q", err, r.Held)
				}
				text := w.read(out + "/release/s.csv")
				if tt.leaves != "" && !strings.Contains(text, tt.leaves) {
					t.Errorf("what is about a published cell was taken out:\n%s\n%+v", text, r.Findings)
				}
				if tt.stays != "" && strings.Contains(text, tt.stays) {
					t.Errorf("what gives 3 women away was released:\n%s", text)
				}
			}
			r, err := w.run("out", "counts.csv", "s.csv")
			check("out", r, err)

			// The same a month apart: the table first, then the statistic.
			os.Remove(w.path("ledger.jsonl"))
			w.write(map[string]string{"rules.yaml": countRules})
			if r, err := w.run("first", "counts.csv"); err != nil || !r.Released {
				t.Fatal(err, r)
			}
			tables := strings.Index(rules, "tables:")
			estimates := strings.Index(rules, "estimates:")
			groups := strings.Replace(rules[:tables], "{name: level}, {name: sex}", "{name: level, groups: {Total: [L1, L2, L3]}}, {name: sex, groups: {Total: [f, m]}}", 1)
			w.write(map[string]string{"rules.yaml": groups + rules[estimates:]})
			r, err = w.run("second", "s.csv")
			check("second", r, err)
		})
	}
}

// TestSumsOverCells: 3, 3 and 4 people are suppressed. The n of two of them gives
// the third away, that of all three is the total less the rest.
func TestSumsOverCells(t *testing.T) {
	rules := strings.Replace(countRules, "[level, sex]", "[level]", 1) +
		"estimates: [{file: two.csv, kind: summary, variables: [wage, age], counts: workers, cell: {level: [L1, L2]}}, {file: three.csv, kind: summary, variables: [wage, age], counts: workers, cell: {level: [L3, L1, L2]}}]\n"
	const mean = "statistic,variable,value,n\nmean,wage,2400,"
	w := newWorld(t, map[string]string{
		"counts.csv": "level,workers\nTotal,60\nL1,3\nL2,3\nL3,4\nL4,50\n", "two.csv": mean + "6\n", "three.csv": mean + "10\n", "rules.yaml": rules,
	})
	r, err := w.run("out", "counts.csv", "two.csv", "three.csv")
	if err != nil || !r.Released {
		t.Fatalf("%v, held %q", err, r.Held)
	}
	if r.Files[1].Safe != 0 || !strings.Contains(w.read("out/internal/verdicts.csv"), "it is the sum level=L1+L2, from which a sensitive cell would follow: level=L3") {
		t.Errorf("10 less the 6 of the statistic is 4: %+v", r.Findings)
	}
	if r.Files[2].Safe != 1 {
		t.Errorf("60 less 50 is 10 already: %+v", r.Findings)
	}
	if r, err = w.run("again", "counts.csv", "two.csv", "three.csv"); err != nil || !r.Released || r.Files[1].Safe != 0 || r.Files[2].Safe != 1 {
		t.Errorf("%v, held %q: the same again: %+v", err, r.Held, r.Files)
	}
	// Were the sum of two released before, the third could not be kept back.
	w = newWorld(t, map[string]string{"counts.csv": "level,workers\nTotal,60\nL1,3\nL2,3\nL3,4\nL4,50\n", "two.csv": mean + "6\n", "three.csv": mean + "10\n",
		"rules.yaml": strings.Replace(rules, "n: 5", "n: 2", 1)})
	if r, err := w.run("lax", "counts.csv", "two.csv", "three.csv"); err != nil || !r.Released || r.Files[1].Safe != 1 {
		t.Fatalf("%v, %+v", err, r)
	}
	w.write(map[string]string{"rules.yaml": rules})
	if r, err := w.run("strict", "counts.csv", "two.csv", "three.csv"); err != nil || r.Released {
		t.Errorf("%v: what was released before cannot be suppressed", err)
	}
}

// TestStatisticFirst: what a statistic told is published, and a later table must
// protect its small cells with it.
func TestStatisticFirst(t *testing.T) {
	rules := strings.Replace(countRules, "{name: level}, {name: sex}", "{name: level, groups: {Total: [L1, L2, L3]}}, {name: sex, groups: {Total: [f, m]}}", 1)
	head, _, _ := strings.Cut(rules, "tables:")
	w := newWorld(t, map[string]string{"counts.csv": counts, "s.csv": "statistic,level,sex,value,n\ncount,L3,m,30,30\n",
		"rules.yaml": head + "estimates: [{file: s.csv, kind: summary, variables: [wage, age], counts: workers, dimensions: [level, sex]}]\n"})
	if r, err := w.run("first", "s.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	w.write(map[string]string{"rules.yaml": rules})
	r, err := w.run("second", "counts.csv")
	if err != nil || !r.Released {
		t.Fatalf("%v, held %q, and another pattern would do", err, r.Held)
	}
	if text := w.read("second/release/counts.csv"); strings.Contains(text, "L3,Total,33") {
		t.Errorf("33 less the 30 of the statistic is 3:\n%s", text)
	}
}

// TestNotLinked: where nobody says whom a statistic is about, a supervisor must
// look, and nothing leaves before.
func TestNotLinked(t *testing.T) {
	for _, tt := range []struct{ name, kind, spec, text, want string }{
		{"no counts", "summary", "dimensions: [level]", "statistic,level,value,n\ncount,L2,62,62\n", "nobody says what n counts"},
		{"another count", "summary", "counts: persons, dimensions: [level]", "statistic,level,value,n\ncount,L2,62,62\n", `counts is "persons", which no table on the population counts`},
		{"other units", "summary", "counts: workers, dimensions: [level]", "statistic,level,value,n\ncount,L2,40,40\n", "it is about 40 workers and level=L2 has 62"},
		{"a part without name", "summary", "counts: workers, dimensions: [level]", "statistic,variable,level,value,n\ncount,married,L2,40,62\n", `"married" does not say of which`},
		{"a sum that is a count", "summary", "counts: workers, dimensions: [level]", "statistic,variable,level,value,n\nsum,female,L2,45,62\n", "or name it under variables if it is no category"},
		{"a population under another name", "summary", "population: others, counts: workers, dimensions: [level, sex]", "statistic,variable,level,sex,value,n\nmean,wage,L3,m,2400,30\n", "it is about as many workers as counts.csv"},
		{"a population and a count under other names", "summary", "population: others, counts: persons, dimensions: [level, sex]", "statistic,variable,level,sex,value,n\nmean,wage,L3,m,2400,30\n", "it is about as many persons as counts.csv"},
		{"a mean that is a share", "summary", "counts: workers, dimensions: [level]", "statistic,variable,level,value,n\nmean,female,L2,0.7,62\n", "or name it under variables if it is no category"},
		{"terms of some kind", "regression", "counts: workers", "term,estimate,n,dof\nage,1.2,155,150\n", "say design: other"},
	} {
		rules := strings.Replace(countRules, "house}", "house}, degrees-of-freedom: {n: 5}", 1) + "estimates: [{file: s.csv, kind: " + tt.kind + ", " + tt.spec + "}]\n"
		w := newWorld(t, map[string]string{"counts.csv": counts, "s.csv": tt.text, "rules.yaml": rules})
		r, err := w.run("out", "counts.csv", "s.csv")
		if err != nil || r.Released || !strings.Contains(strings.Join(r.Held, "\n"), tt.want) {
			t.Errorf("%s: %v, released %v, held %q, want %q", tt.name, err, r.Released, r.Held, tt.want)
		}
		w.write(map[string]string{"rules.yaml": strings.Replace(rules, "kind: ", "reviewed: seen by AB, kind: ", 1)})
		r, err = w.run("reviewed", "counts.csv", "s.csv")
		if err != nil || !r.Released || !strings.Contains(fmt.Sprint(r.Warnings), "leave all the same, because: seen by AB") {
			t.Errorf("%s: %v, held %q, warnings %q: a supervisor may let it pass", tt.name, err, r.Held, r.Warnings)
		}
	}
}

// TestFewMissing: a statistic about all but a few of a cell tells those few.
func TestFewMissing(t *testing.T) {
	for _, tt := range []struct{ name, rules, text string }{
		{"beside the table", "dimensions: [level]", "statistic,variable,level,value,n\nmean,wage,L2,2400,60\n"},
		{"beside another statistic", "dimensions: [level, sex, hours]", "statistic,variable,level,sex,hours,value,n\nmean,wage,L2,f,Total,2400,45\nmean,age,L2,f,full,40,42\n"},
		{"beside a statistic of the same units", "dimensions: [level, hours]", "statistic,variable,level,hours,value,n\nmean,wage,L2,full,2400,45\nmean,age,L2,full,40,42\n"},
	} {
		rules := strings.Replace(countRules, "{name: sex}", "{name: sex}, {name: hours, groups: {Total: [full, part]}}", 1) + "estimates: [{file: s.csv, kind: summary, variables: [wage, age], counts: workers, " + tt.rules + "}]\n"
		w := newWorld(t, map[string]string{"counts.csv": counts, "s.csv": tt.text, "rules.yaml": rules})
		r, err := w.run("out", "counts.csv", "s.csv")
		if err != nil {
			t.Fatal(err)
		}
		last := r.Files[1].Rows
		if r.Files[1].Safe == last {
			t.Errorf("%s: nothing was found in %s\n%+v", tt.name, tt.text, r.Findings)
		}
	}
}
