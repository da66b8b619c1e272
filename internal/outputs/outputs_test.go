package outputs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/sharedtest"
)

var (
	ctx  = context.Background()
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// world is a folder with the files of one check.
type world struct {
	t   testing.TB
	dir string
}

func newWorld(t testing.TB, files map[string]string) world {
	t.Helper()
	w := world{t, t.TempDir()}
	w.write(files)
	return w
}

func (w world) write(files map[string]string) {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(strings.TrimLeft(text, "\n")), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w world) path(name string) string { return filepath.Join(w.dir, name) }

// run checks files by rules.yaml into out, with a ledger.
func (w world) run(out string, files ...string) (*Report, error) {
	o := Options{Rules: w.path("rules.yaml"), Out: w.path(out), Ledger: w.path("ledger.jsonl"), Now: noon, Tool: "test"}
	for _, f := range files {
		o.Files = append(o.Files, w.path(f))
	}
	b, err := os.ReadFile(o.Rules)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(map[string]string{"rules.yaml": strings.ReplaceAll(string(b), "DIR/", w.dir+"/")})
	return Run(ctx, o)
}

func (w world) read(name string) string {
	b, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

const counts = `
level,sex,workers
Total,Total,155
Total,f,81
Total,m,74
L1,Total,60
L1,f,33
L1,m,27
L2,Total,62
L2,f,45
L2,m,17
L3,Total,33
L3,f,3
L3,m,30
`

const countRules = `
project: test
population: everybody
rules: {minimum-frequency: {n: 5, norm: house}}
dimensions: [{name: level}, {name: sex}]
tables:
  - {file: counts.csv, dimensions: [level, sex], measures: [{column: workers, is: count}]}
`

func TestRelease(t *testing.T) {
	w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
	r, err := w.run("out", "counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !r.Released || r.Files[0].Primary != 1 || r.Files[0].Secondary != 3 {
		t.Errorf("%+v: want one sensitive cell (3 women at L3), three partners and a release", r.Files[0])
	}
	got := w.read("out/release/counts.csv")
	want := `level,sex,workers,suppressed
Total,Total,155,
Total,f,81,
Total,m,74,
L1,Total,60,
L1,f,,yes
L1,m,,yes
L2,Total,62,
L2,f,45,
L2,m,17,
L3,Total,33,
L3,f,,yes
L3,m,,yes
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the partners that lose least (-want +got):\n%s", d)
	}
	for _, words := range []string{"minimum-frequency (house): 3, want at least 5", "partner of a sensitive cell", "count of workers up 30 down 3"} {
		if !strings.Contains(w.read("out/internal/verdicts.csv"), words) {
			t.Errorf("verdicts.csv does not say %q", words)
		}
	}
	if _, err := w.run("out", "counts.csv"); err == nil {
		t.Error("an output was overwritten without force")
	}
}

func TestNothingUnjudgedLeaves(t *testing.T) {
	for _, tt := range []struct{ name, why, rules, files, want string }{
		{"no contributors", "dominance cannot be evaluated without them",
			strings.NewReplacer("house}", "house}, dominance: [{n: 2, k: 90}]", "is: count", "is: sum").Replace(countRules), "", "nobody says who contributes"},
		{"no count", "a frequency rule on a table of sums",
			strings.Replace(countRules, "is: count", "is: sum", 1), "", "no column is a count"},
		{"magnitudes alone", "p% says nothing of a table of counts",
			strings.Replace(countRules, "minimum-frequency: {n: 5, norm: house}", "p-percent: {p: 10}", 1), "", "say nothing of counts"},
		{"empty contributors", "a rule that asks for nobody asks for nothing",
			strings.Replace(countRules, "minimum-frequency: {n: 5, norm: house}", "contributors: {norm: house}", 1), "", "nothing says what is too few"},
	} {
		w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": tt.rules})
		r, err := w.run("out", "counts.csv")
		if err != nil {
			t.Fatal(err)
		}
		if r.Released || !strings.Contains(strings.Join(r.Held, "\n"), tt.want) {
			t.Errorf("%s: released %v, held %q: %s", tt.name, r.Released, r.Held, tt.why)
		}
		if _, err := os.Stat(w.path("out/release")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: there is a release folder", tt.name)
		}
	}
}

func TestBadInput(t *testing.T) {
	for _, tt := range []struct{ name, why, old, new, want string }{
		{"total", "a total that is not the sum of its parts", "L1,Total,60", "L1,Total,61", "row 4 (level=L1): count of workers does not add up: the total is 61, its parts differ by 1"},
		{"twice", "a cell stands twice", "L3,m,30", "L3,f,30", "row 12 (level=L3, sex=f): stands twice"},
		{"negative", "a negative count", "L3,m,30", "L3,m,-30", "row 12 (level=L3, sex=m): workers is -30"},
		{"fraction", "half a worker", "L3,m,30", "L3,m,30.5", "workers is 30.5, want a whole number"},
		{"empty", "no value", "L3,m,30", "L3,m,", "row 12 (level=L3, sex=m): workers has no value"},
		{"no total", "a total that is left out", "L3,Total,33\n", "", "row 10 (level=L3, sex=f): its total is missing: level=L3 (sex)"},
		{"no label", "a category without name", "L3,m,30", ",m,30", `level is empty`},
		{"extra", "a column that nobody described", "level,sex,workers\nTotal,Total,155\n", "level,sex,workers,name\nTotal,Total,155,x\n", `column "name" is not described`},
	} {
		text := strings.Replace(counts, tt.old, tt.new, 1)
		if tt.name == "extra" {
			text = "level,sex,workers,name\nTotal,Total,155,x\n"
		}
		w := newWorld(t, map[string]string{"counts.csv": text, "rules.yaml": countRules})
		_, err := w.run("out", "counts.csv")
		var bad *BadInput
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %q: %s", tt.name, err, tt.want, tt.why)
		}
		if _, err := os.Stat(w.path("out")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: an output was left behind", tt.name)
		}
	}
	hierarchy := strings.Replace(countRules, "{name: level}", "{name: level, groups: {low: [L1, L2]}}", 1)
	w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": hierarchy})
	if _, err := w.run("out", "counts.csv"); err == nil || !strings.Contains(err.Error(), `level is "L3", which is not in the hierarchy of level`) {
		t.Errorf("a category outside the hierarchy: %v", err)
	}
}

func TestRulesFile(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"misspelt", "project: p\ntabels: []\n", `rules.yaml:2:1: unknown key "tabels" (did you mean "tables"?)`},
		{"parameter", strings.Replace(countRules, "n: 5", "n: 1", 1), "n is 1, want at least 2"},
		{"dimension", strings.Replace(countRules, "[level, sex]", "[levl, sex]", 1), `no dimension "levl" (did you mean "level"?)`},
		{"kind", strings.Replace(countRules, "is: count", "is: cuont", 1), `is is "cuont" (did you mean "count"?)`},
		{"dominance", strings.Replace(countRules, "house}", "house}, dominance: [{n: 0, k: 90}]", 1), "n is 0, want at least 1 contributor"},
	} {
		_, err := Parse("rules.yaml", []byte(strings.TrimLeft(tt.text, "\n")))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestDifferencingCase(t *testing.T) {
	var in struct {
		Input    map[string]map[string]float64
		Expected struct {
			Exact map[string]float64 `json:"exact_employer"`
			Small []string           `json:"small_cells"`
			Moved float64            `json:"scramble_moved_lower_bound"`
		}
	}
	sharedtest.Case(t, "attack_differencing_releases_toy", &in)
	levels := []string{"L1", "L2", "L3"}
	of := func(m map[string]float64) (out []float64) {
		for _, l := range levels {
			out = append(out, m[l])
		}
		return out
	}
	exact, small := Complement(of(in.Input["phase2_total"]), of(in.Input["phase2_without_employer"]), 3)
	if d := cmp.Diff(of(in.Expected.Exact), exact); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var names []string
	for _, i := range small {
		names = append(names, levels[i])
	}
	if d := cmp.Diff(in.Expected.Small, names); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := Moved(exact, of(in.Input["phase1_scrambled_employer"])); got != in.Expected.Moved {
		t.Errorf("at least %v moved, want %v", got, in.Expected.Moved)
	}

	// The same through the command's own way: two outputs, a month apart.
	table := func(m map[string]float64) string {
		text, sum := "", 0.0
		for _, l := range levels {
			text += fmt.Sprintf("%s,%v\n", l, m[l])
			sum += m[l]
		}
		return "level,workers\nTotal," + fmt.Sprint(sum) + "\n" + text
	}
	rules := "project: p\npopulation: everybody\nrules: {minimum-frequency: {n: 3}}\ndimensions: [{name: level}]\n" +
		"tables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}]}]\n"
	w := newWorld(t, map[string]string{"t.csv": table(in.Input["phase2_total"]), "rules.yaml": rules})
	if r, err := w.run("first", "t.csv"); err != nil || !r.Released || len(r.Differences) > 0 {
		t.Fatalf("the first output: %v %+v", err, r)
	}
	w.write(map[string]string{"t.csv": table(in.Input["phase2_without_employer"]), "rules.yaml": strings.Replace(rules, "population: everybody", "population: without employer 7\npopulations: [{name: without employer 7, within: everybody}]", 1)})
	r, err := w.run("second", "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range r.Differences {
		got = append(got, fmt.Sprintf("%s %v", d.Cell, d.Units))
	}
	if d := cmp.Diff([]string{"level=L1 2", "level=L3 1"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if r.Files[0].Secondary != 2 {
		t.Errorf("%+v: L1 and L3 must be suppressed, so that the difference is not known", r.Files[0])
	}
	if strings.Contains(w.read("second/release/t.csv"), "118") {
		t.Error("118 left, from which 120 was published before")
	}
}

// TestLinkedOverTime: what was kept back stays secret after the next output on
// the same population.
func TestLinkedOverTime(t *testing.T) {
	w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
	if r, err := w.run("first", "counts.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	// Women by level, which the first output kept back for two levels.
	women := "level,sex,women\nTotal,f,81\nL1,f,33\nL2,f,45\nL3,f,3\n"
	rules := strings.NewReplacer("counts.csv", "women.csv", "column: workers, is: count", "column: women, is: count, of: workers", "n: 5", "n: 2").Replace(countRules)
	w.write(map[string]string{"women.csv": women, "rules.yaml": rules})
	r, err := w.run("second", "women.csv")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(r.Held, "\n")
	for _, f := range r.Findings {
		text += f.Cell + " " + f.Status + "\n"
	}
	if !strings.Contains(text, "level=L3, sex=f suppressed (sensitive)") || !strings.Contains(text, "level=L1, sex=f suppressed") {
		t.Errorf("a laxer rule let out what was kept back before:\n%s", text)
	}
	// What is out is out: a stricter rule cannot take it back, and must say so.
	w.write(map[string]string{"rules.yaml": strings.Replace(rules, "n: 2", "n: 50", 1)})
	if r, err = w.run("stricter", "women.csv"); err != nil || r.Released || !strings.Contains(fmt.Sprint(r.Findings), "released before, which no suppression undoes") {
		t.Errorf("%v, released %v: 45 women at L2 were released before", err, r)
	}
	w.write(map[string]string{"rules.yaml": rules})
	// A changed figure for the same population is a difference of its own.
	w.write(map[string]string{"women.csv": strings.NewReplacer("L1,f,33", "L1,f,34", "Total,f,81", "Total,f,82").Replace(women)})
	if r, err = w.run("third", "women.csv"); err != nil || r.Released {
		t.Errorf("%v, released %v: 33 was released before for the same people", err, r)
	}
}

func TestEstimates(t *testing.T) {
	w := newWorld(t, map[string]string{
		"model.csv":   "term,estimate,std.error,n,dof\nintercept,1.5,0.1,500,490\ngroup,0.2,0.05,500,490\nvillage,0.9,0.4,4,2\n",
		"summary.csv": "statistic,variable,value,n,ties\nmean,wage,30000,400,\nmedian,wage,28000,400,\np99,wage,90000,400,\nmax,wage,200000,400,1\nmin,age,18,400,15\n",
		"rules.yaml": `
project: p
rules: {norm: ACRO, minimum-frequency: {n: 10}, degrees-of-freedom: {n: 10}, quantiles: {n: 10}, extremes: {n: 10}}
estimates: [{file: model.csv, kind: regression, counts: workers, design: other}, {file: summary.csv, kind: summary, variables: [wage], counts: workers, population: paid}]
`})
	r, err := w.run("out", "model.csv", "summary.csv")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Cell+": "+f.Reason)
	}
	want := []string{
		"term=village: degrees-of-freedom (ACRO): 2, want at least 10",
		"statistic=p99, variable=wage: quantiles (ACRO): 400 units at 0.99 leave fewer than 10 at one side",
		"statistic=max, variable=wage: extremes (ACRO): 1 units share it, want at least 10",
	}
	if d := cmp.Diff(want, got); d != "" || !r.Released {
		t.Errorf("released %v (-want +got):\n%s", r.Released, d)
	}
	if text := w.read("out/release/summary.csv"); strings.Contains(text, "200000") || !strings.Contains(text, "28000") {
		t.Errorf("the cleaned file:\n%s", text)
	}
	w.write(map[string]string{"summary.csv": "statistic,value,n\nmode,3,400\n"})
	if r, err := w.run("unknown", "model.csv", "summary.csv"); err != nil || r.Released {
		t.Errorf("%v: a statistic that no rule covers left", err)
	}
}

// TestMicrodata: contributors are counted in the rows, holdings once, and a table
// that the rows contradict is refused.
func TestMicrodata(t *testing.T) {
	rows := "employer,holding,sector,wage\n"
	for i := range 40 {
		rows += fmt.Sprintf("%d,,A,%d\n", 100+i/4, 30000+i)
	}
	rows += strings.Repeat("1,h,B,20000\n", 12) + strings.Repeat("2,h,B,20000\n", 12) + strings.Repeat("3,,B,20000\n", 12)
	for i := range 30 {
		rows += fmt.Sprintf("%d,,C,%d\n", 200+i/3, 40000)
	}
	rules := `
project: p
microdata: {file: DIR/rows.csv, employer: employer, holding: holding}
rules: {contributors: {employers: 3, norm: KSZ}, p-percent: {p: 10}}
dimensions: [{name: sector}]
tables: [{file: t.csv, dimensions: [sector], measures: [{column: n, is: count}, {column: wages, is: sum, of: wage}]}]
`
	table := "sector,n,wages\nTotal,106,3120780\nA,40,1200780\nB,36,720000\nC,30,1200000\n"
	w := newWorld(t, map[string]string{"rows.csv": rows, "t.csv": table, "rules.yaml": rules})
	r, err := w.run("out", "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != 2 || !strings.Contains(r.Findings[0].Reason+r.Findings[1].Reason, "2 employers, want at least 3") {
		t.Errorf("%+v: sector B has three employers, two of one holding", r.Findings)
	}
	w.write(map[string]string{"t.csv": strings.NewReplacer("A,40,", "A,41,", "Total,106", "Total,107").Replace(table)})
	if _, err := w.run("out2", "t.csv"); err == nil || !strings.Contains(err.Error(), "n is 41, the microdata say 40") {
		t.Errorf("a table on other people: %v", err)
	}
}

func TestPerturb(t *testing.T) {
	key, _, err := (&check{rules: &Rules{Project: "p"}}).projectKey()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[float64]bool{}
	for i := range 200 {
		cell := fmt.Sprint("cell ", i)
		a := Perturb(key, cell, 10, 2)
		if b := Perturb(key, cell, 10, 2); a != b || a < 8 || a > 12 {
			t.Fatalf("%s is %v, then %v: want the same noise of at most 2", cell, a, b)
		}
		seen[a] = true
	}
	if len(seen) != 5 || Perturb(key, "x", 0, 2) != 0 {
		t.Errorf("noise takes %d values, want 5, and zeros stay", len(seen))
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte(countRules))
	f.Add([]byte("project: p\nrules: {dominance: [{n: 1, k: 85}], pq: {p: 1, q: 2}}\nestimates: [{file: a, kind: summary}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse("rules.yaml", b)
		if err == nil && (r.Project == "" || len(r.Tables)+len(r.Estimates) == 0) {
			t.Fatal("rules without project or files were accepted")
		}
	})
}

// FuzzTable: whatever a table holds, it is checked or refused; what leaves has
// no small count.
func FuzzTable(f *testing.F) {
	f.Add(strings.TrimLeft(counts, "\n"))
	f.Add("level,sex,workers\nTotal,Total,0\n")
	f.Add("level,sex,workers\nTotal,f,9\nL1,f,3\nL2,f,6\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 {
			return
		}
		w := newWorld(t, map[string]string{"counts.csv": text, "rules.yaml": countRules})
		r, err := w.run("out", "counts.csv")
		if err != nil || !r.Released {
			return
		}
		for i, line := range strings.Split(strings.TrimSpace(w.read("out/release/counts.csv")), "\n") {
			for _, n := range []string{",1,", ",2,", ",3,", ",4,"} {
				if i > 0 && strings.HasSuffix(line, n) {
					t.Fatalf("a count below 5 left: %s", line)
				}
			}
		}
	})
}
