package outputs

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cells lists the sensitive rows of a report and why.
func cells(r *Report) (out []string) {
	for _, f := range r.Findings {
		if !strings.Contains(f.Reason, "partner of") {
			out = append(out, f.Cell+": "+f.Reason)
		}
	}
	return out
}

func TestRulesOfMargins(t *testing.T) {
	const table = `
level,sex,workers
Total,Total,120
Total,f,60
Total,m,60
L1,Total,40
L1,f,40
L1,m,0
L2,Total,40
L2,f,10
L2,m,30
L3,Total,40
L3,f,10
L3,m,30
`
	for _, tt := range []struct {
		name, why, rule string
		want            []string
	}{
		{"zeros", "that none of the 40 at L1 is a man is told of all of them", "zeros: {along: [sex], norm: N}",
			[]string{"level=L1, sex=m: zeros (N): nobody of the 40 of the margin over sex is here"}},
		{"zeros along another", "of the men none is at L1", "zeros: {along: [level]}",
			[]string{"level=L1, sex=m: zeros: nobody of the 60 of the margin over level is here"}},
		{"all in one", "all at L1 are women", "all-in-one-category: {along: [sex], norm: N}",
			[]string{"level=L1, sex=f: all-in-one-category (N): all 40 of the margin over sex are here"}},
		{"all in one, other way", "no level has all of a sex", "all-in-one-category: {along: [level]}", nil},
		{"group", "the same as all in one", "group-disclosure: {k: 0, along: [sex]}",
			[]string{"level=L1, sex=f: group-disclosure: 40 of the 40 of the margin over sex are here"}},
	} {
		w := newWorld(t, map[string]string{"counts.csv": table, "rules.yaml": strings.Replace(countRules, "norm: house}", "norm: house}, "+tt.rule, 1)})
		r, err := w.run("out", "counts.csv")
		if err != nil || !r.Released {
			t.Fatalf("%s: %v, held %v", tt.name, err, r.Held)
		}
		if d := cmp.Diff(tt.want, cells(r)); d != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.name, tt.why, d)
		}
	}
}

// TestLargestColumns: p%, pq and dominance from a table's own columns, on the
// limit both ways.
func TestLargestColumns(t *testing.T) {
	// L1: 100-60-30 = 10, p* x1 = 12 at p* = 20; L2 on the limit: 112-60-40 = 12.
	const table = "level,wages,x1,x2,note\nTotal,512,60,60,a\nL1,100,60,30,b\nL2,112,60,40,c\nL3,300,60,60,d\n"
	rules := func(rule string) string {
		return `
project: p
rules: {` + rule + `}
dimensions: [{name: level}]
tables: [{file: t.csv, dimensions: [level], measures: [{column: wages, is: sum}, {column: x1, is: largest}, {column: x2, is: second}, {column: note, is: ignore}]}]
`
	}
	for _, tt := range []struct {
		name, rule string
		want       []string
	}{
		{"p% on the limit is safe", "p-percent: {p: 20}", []string{"level=L1"}},
		{"p% on the limit is unsafe", "p-percent: {p: 20}, equality: unsafe", []string{"level=L1", "level=L2"}},
		{"pq is p% with 100 p/q", "pq: {p: 10, q: 50}", []string{"level=L1"}},
		{"pq on the limit is unsafe", "pq: {p: 10, q: 50}, equality: unsafe", []string{"level=L1", "level=L2"}},
		{"pq with less known beforehand", "pq: {p: 10, q: 40}", []string{"level=L1", "level=L2"}},
		{"dominance on the limit is safe", "dominance: [{n: 2, k: 90}]", nil},
		{"dominance on the limit is unsafe", "dominance: [{n: 2, k: 90}], equality: unsafe", []string{"level=L1"}},
	} {
		w := newWorld(t, map[string]string{"t.csv": table, "rules.yaml": rules(tt.rule)})
		r, err := w.run("out", "t.csv")
		if err != nil || !r.Released {
			t.Fatalf("%s: %v %+v", tt.name, err, r)
		}
		var got []string
		for _, c := range cells(r) {
			got = append(got, c[:len("level=L1")])
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if head, _, _ := strings.Cut(w.read("out/release/t.csv"), "\n"); head != "level,wages,suppressed" {
			t.Errorf("%s: the columns %s left: somebody's own values, and what nobody judged", tt.name, head)
		}
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"not given", "L1,100,60,30", "L1,100,,", "row 2 (level=L1): wages is 100, and its largest contribution is not given"},
		{"second not given", "L1,100,60,30", "L1,100,60,", "the second largest is not given"},
		{"exchanged", "L1,100,60,30", "L1,100,30,60", "they cannot be"},
		{"too large", "L1,100,60,30", "L1,100,60,50", "they cannot be"},
	} {
		w := newWorld(t, map[string]string{"t.csv": strings.Replace(table, tt.old, tt.new, 1), "rules.yaml": rules("p-percent: {p: 20}")})
		if _, err := w.run("out", "t.csv"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestEveryCount: a second count of a row is judged as the first is.
func TestEveryCount(t *testing.T) {
	rules := strings.Replace(countRules, "[level, sex], measures: [{column: workers, is: count}", "[level], measures: [{column: workers, is: count}, {column: women, is: count}", 1)
	w := newWorld(t, map[string]string{"counts.csv": "level,workers,women\nTotal,155,38\nL1,60,1\nL2,62,20\nL3,33,17\n", "rules.yaml": rules})
	r, err := w.run("out", "counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"level=L1: minimum-frequency (house): 1 of count of women, want at least 5"}, cells(r)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestWeightedCount: one respondent of weight 40 is one.
func TestWeightedCount(t *testing.T) {
	rows := "employer,level,w\n1,L1,40\n"
	for i := range 20 {
		rows += fmt.Sprintf("%d,L2,4\n%d,L3,4\n", i+2, i+2)
	}
	rules := strings.NewReplacer("[level, sex]", "[level]", "rules:", "microdata: {file: DIR/rows.csv, employer: employer, weight: w}\nrules:").Replace(countRules)
	w := newWorld(t, map[string]string{"counts.csv": "level,workers\nTotal,200\nL1,40\nL2,80\nL3,80\n", "rows.csv": rows, "rules.yaml": rules})
	r, err := w.run("out", "counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"level=L1: minimum-frequency (house): 1 rows of the microdata, want at least 5"}, cells(r)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestAcross: sums that run over two files are relations as well.
func TestAcross(t *testing.T) {
	two := func(dims, a, b string) string {
		return `
project: p
rules: {minimum-frequency: {n: 5}}
dimensions: ` + dims + `
tables:
  - {file: a.csv, dimensions: [` + a + `], measures: [{column: workers, is: count}]}
  - {file: b.csv, dimensions: [` + b + `], measures: [{column: workers, is: count}]}
`
	}
	plain := two("[{name: level}, {name: sex}]", "level, sex", "level")
	parts := "level,sex,workers\nTotal,f,81\nTotal,m,74\nL1,f,33\nL1,m,27\nL2,f,45\nL2,m,17\nL3,f,3\nL3,m,30\n"
	totals := "level,workers\nTotal,155\nL1,60\nL2,62\nL3,33\n"

	w := newWorld(t, map[string]string{"a.csv": parts, "b.csv": totals, "rules.yaml": plain})
	r, err := w.run("out", "a.csv", "b.csv")
	if err != nil {
		t.Fatal(err)
	}
	if r.Released && strings.Contains(w.read("out/release/a.csv"), "L3,m,30") && strings.Contains(w.read("out/release/b.csv"), "L3,33") {
		t.Error("3 women at L3 follow from 33 in one file and 30 in the other")
	}
	w.write(map[string]string{"b.csv": strings.NewReplacer("L3,33", "L3,34", "Total,155", "Total,156").Replace(totals)})
	if _, err := w.run("wrong", "a.csv", "b.csv"); err == nil || !strings.Contains(err.Error(), "does not add up over several tables: the total is 34, its parts differ by 1") {
		t.Errorf("a total of another file that is not the sum: %v", err)
	}
	w = newWorld(t, map[string]string{"a.csv": "level,sex,workers\nL1,f,33\nL1,m,27\n", "b.csv": "level,workers\nTotal,60\n", "rules.yaml": plain})
	if _, err := w.run("untold", "a.csv", "b.csv"); err == nil || !strings.Contains(err.Error(), "is in no table") {
		t.Errorf("a total that other tables may tell: %v", err)
	}
	// A total that was released before.
	w = newWorld(t, map[string]string{"a.csv": parts, "b.csv": totals})
	w.write(map[string]string{"rules.yaml": strings.Replace(plain, "  - {file: a.csv, dimensions: [level, sex], measures: [{column: workers, is: count}]}\n", "", 1)})
	if r, err := w.run("first", "b.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	w.write(map[string]string{"rules.yaml": strings.Replace(plain, "  - {file: b.csv, dimensions: [level], measures: [{column: workers, is: count}]}\n", "", 1)})
	if r, err = w.run("second", "a.csv"); err != nil {
		t.Fatal(err)
	}
	if r.Released && strings.Contains(w.read("second/release/a.csv"), "L3,m,30") {
		t.Error("3 women at L3 follow from 33, released before, and 30")
	}
	// Women alone, beside the total: the men are the complement.
	w = newWorld(t, map[string]string{"a.csv": "level,sex,workers\nTotal,f,81\nL1,f,33\nL2,f,18\nL3,f,30\n", "b.csv": totals, "rules.yaml": plain})
	if r, err = w.run("out", "a.csv", "b.csv"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(cells(r), "\n"), "complement: count of workers of level=L3 leaves 3 beside what tables show of it") {
		t.Errorf("%v: 3 men follow from 33 and 30 women", cells(r))
	}
}

// TestOtherNames: two populations that cannot be subtracted, because no count has
// one name in both, keep the release back; so does an employer of many workers.
func TestOtherNames(t *testing.T) {
	const rules = `
project: p
population: all
rules: {minimum-frequency: {n: 5}, contributors: {employers: 3}}
dimensions: [{name: level}]
tables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}, {column: employers, is: employers}]}]
`
	const table = "level,workers,employers\nTotal,155,20\nL1,60,10\nL2,62,12\nL3,33,9\n"
	w := newWorld(t, map[string]string{"t.csv": table, "rules.yaml": rules})
	if r, err := w.run("first", "t.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	other := strings.Replace(rules, "population: all", "population: without one", 1)
	w.write(map[string]string{"rules.yaml": strings.ReplaceAll(other, "column: workers", "column: persons"), "t.csv": strings.NewReplacer("workers", "persons", "155", "153", "60", "58").Replace(table)})
	r, err := w.run("renamed", "t.csv")
	if err != nil || r.Released || !strings.Contains(strings.Join(r.Held, "\n"), "no count in common") {
		t.Errorf("%v, released %v: a column with another name is not compared", err, r)
	}
	w.write(map[string]string{"rules.yaml": other, "t.csv": "level,workers,employers\nTotal,115,19\nL1,20,9\nL2,62,12\nL3,33,9\n"})
	if r, err = w.run("large", "t.csv"); err != nil {
		t.Fatal(err)
	}
	if len(r.Differences) != 2 || !strings.Contains(r.Differences[0].Sentence, "40 units are in one and not in the other, of 1 employers") {
		t.Errorf("%+v: the 40 workers are those of one employer", r.Differences)
	}
}

// TestFragment: the exact table less the scrambled release of phase one.
func TestFragment(t *testing.T) {
	files := map[string]string{
		"t.csv": "level,workers\nTotal,155\nL1,60\nL2,62\nL3,33\n",
		"rules.yaml": `
project: p
rules: {minimum-frequency: {n: 5}}
dimensions: [{name: level}]
tables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}]}]
differencing: {fragment: DIR/phase1}
`}
	w := newWorld(t, files)
	if err := os.Mkdir(w.path("phase1"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.write(map[string]string{
		"phase1/employers.csv": "serial,year\n1,2021\n2,2021\n",
		"phase1/cells.csv":     "serial,year,level,workers\n1,2021,L1,30\n1,2021,L2,40\n2,2021,L1,28\n2,2021,L2,10\n2,2021,L3,33\n",
	})
	r, err := w.run("out", "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range r.Differences {
		got = append(got, fmt.Sprintf("%s %v %v", d.Cell, d.Units, d.Exact))
	}
	// 60 less 58 at L1; 62 less 50 is 12; L3 and the total differ by none and 14.
	if d := cmp.Diff([]string{"level=L1 2 false"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !r.Released || strings.Contains(w.read("out/release/t.csv"), "60") {
		t.Errorf("held %v: 60 must not leave beside 58", r.Held)
	}
	for name, files := range map[string]map[string]string{
		"want a column serial":             {"phase1/employers.csv": "id,year\n1,2021\n"},
		"an employer that employers lacks": {"phase1/employers.csv": "serial,year\n1,2021\n"},
	} {
		w.write(files)
		if _, err := w.run("bad", "t.csv"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
	w.write(map[string]string{
		"phase1/employers.csv": "serial,year\n1,2021\n2,2021\n",
		"phase1/cells.csv":     "serial,year,level,workers\n1,2021,L1,10-19\n",
	})
	if r, err = w.run("classes", "t.csv"); err != nil || !strings.Contains(strings.Join(r.Warnings, "\n"), "head counts are in classes") {
		t.Errorf("%v %v: classes cannot be subtracted", err, r)
	}
}

// TestStatisticsOfFew: what a summary or a model discloses though it rests on many.
func TestStatisticsOfFew(t *testing.T) {
	w := newWorld(t, map[string]string{
		"s.csv": "statistic,variable,value,n,q\ncount,trait=women,3,400,\nshare,trait:men,0.9925,400,\nshare,trait[tall],0.5,400,\ncount,traitnobody,0,400,\n",
		"rules.yaml": "project: p\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: trait, groups: {Total: [women, men, tall, nobody]}}]\n" +
			"estimates: [{file: s.csv, kind: summary, counts: persons}]\n",
	})
	r, err := w.run("out", "s.csv")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"statistic=count, variable=trait=women: minimum-frequency: it rests on 3 units, want at least 10",
		"statistic=share, variable=trait:men: minimum-frequency: it rests on 3 units, want at least 10",
	}
	if d := cmp.Diff(want, cells(r)); d != "" || !r.Released {
		t.Errorf("held %v (-want +got):\n%s", r.Held, d)
	}
	for _, tt := range []struct{ name, file, text, rules, want string }{
		{"saturated", "regression", "term,estimate,n,dof\na,1,4,0\n", "minimum-frequency: {n: 3}", "no rule degrees-of-freedom"},
		{"dominance", "summary", "statistic,value,n\nsum,100,40\n", "minimum-frequency: {n: 3}, p-percent: {p: 10}", "nobody says who contributes"},
		{"no rule", "summary", "statistic,value,n\nsd,100,40\n", "extremes: {n: 0}", "no rule minimum-frequency"},
		{"column", "summary", "statistic,value,n,biggest\nsd,100,40,99\n", "minimum-frequency: {n: 3}", `column "biggest" is not one of a summary`},
	} {
		w.write(map[string]string{"s.csv": tt.text, "rules.yaml": "project: p\nrules: {" + tt.rules + "}\nestimates: [{file: s.csv, kind: " + tt.file + "}]\n"})
		r, err := w.run("held", "s.csv")
		text := fmt.Sprint(err)
		if err == nil {
			text = strings.Join(r.Held, "\n")
			if r.Released {
				t.Errorf("%s: it was released", tt.name)
			}
			os.RemoveAll(w.path("held"))
		}
		if !strings.Contains(text, tt.want) {
			t.Errorf("%s: %s, want %q", tt.name, text, tt.want)
		}
	}
}

// TestPatternsOfTwoPopulations: a population less one person has another pattern,
// and what it publishes of the partners of the first must not give that away.
func TestPatternsOfTwoPopulations(t *testing.T) {
	other := strings.NewReplacer("L2,m,17", "L2,m,16", "L2,Total,62", "L2,Total,61", "Total,m,74", "Total,m,73", "Total,Total,155", "Total,Total,154").Replace(counts)
	same := counts
	for name, second := range map[string]string{"less one": other, "the same under another name": same} {
		w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
		if r, err := w.run("first", "counts.csv"); err != nil || !r.Released {
			t.Fatal(err, r)
		}
		w.write(map[string]string{"counts.csv": second, "rules.yaml": strings.NewReplacer("everybody", "others", "n: 5", "n: 2").Replace(countRules)})
		r, err := w.run("second", "counts.csv")
		if err != nil {
			t.Fatal(err)
		}
		check := func(dir string) {
			t.Helper()
			text := w.read(dir)
			for _, cell := range []string{"L1,f,33", "L1,m,27", "L3,f,3", "L3,m,30"} {
				if strings.Contains(text, cell) {
					t.Errorf("%s: %s left, and 3 women at L3 follow from what was released before", name, cell)
				}
			}
		}
		if r.Released {
			check("second/release/counts.csv")
		}
		// Both in one run.
		w = newWorld(t, map[string]string{"counts.csv": counts, "b.csv": second, "rules.yaml": countRules +
			"  - {file: b.csv, population: others, dimensions: [level, sex], measures: [{column: workers, is: count}]}\n"})
		if r, err = w.run("both", "counts.csv", "b.csv"); err != nil {
			t.Fatal(err)
		}
		if r.Released {
			check("both/release/b.csv")
		}
	}
}
