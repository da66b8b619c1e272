package outputs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/ledger"
	"scramblelab/internal/rng"
)

// lessOne is counts without one man at L2.
var lessOne = strings.NewReplacer("L2,m,17", "L2,m,16", "L2,Total,62", "L2,Total,61", "Total,m,74", "Total,m,73", "Total,Total,155", "Total,Total,154").Replace(counts)

// TestEvasions: what was released before is recognised under other names.
func TestEvasions(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		rules      []string
		want       string // in what holds the release, or warns
	}{
		{"project", lessOne, []string{"project: test", "project: another", "everybody", "less one"}, `releases of project "test": they are compared as well`},
		{"population", lessOne, []string{"everybody", "less one"}, `population "less one" is nearly that of`},
		{"population, not a unit changed", counts, []string{"everybody", "others"}, `population "others" is nearly that of`},
		{"dimension", strings.Replace(lessOne, "level,", "rank,", 1), []string{"level", "rank", "everybody", "less one"}, "dimension rank has the categories that level had"},
		{"dimension beside the old name", strings.Replace(lessOne, "level,", "rank,", 1), []string{"{name: level}", "{name: rank}, {name: level, groups: {Total: [L1, L2, L3]}}", "[level, sex]", "[rank, sex]", "everybody", "less one"}, "dimension rank has the categories that level had"},
		{"codes", strings.NewReplacer("L1", "A", "L2", "B", "L3", "C").Replace(lessOne), []string{"everybody", "less one"}, "splits the total as level did"},
		{"dimension and codes", strings.NewReplacer("level", "rank", "L1", "A", "L2", "B", "L3", "C").Replace(lessOne), []string{"level", "rank", "everybody", "less one"}, "splits the total as level did"},
		{"label of the total", strings.NewReplacer("Total", "All").Replace(lessOne), []string{"{name: level}, {name: sex}", "{name: level, total: All}, {name: sex, total: All}", "everybody", "less one"}, `is nearly that of`},
		{"measure", strings.Replace(lessOne, "workers", "persons", 1), []string{"workers", "persons", "everybody", "less one"}, "no count in common"},
		{"measure of the same population", strings.Replace(lessOne, "workers", "persons", 1), []string{"workers", "persons"}, "no count in common"},
		{"everything", strings.NewReplacer("level", "rank", "sex", "gender", "workers", "persons", "L1", "A", "L2", "B", "L3", "C", ",f,", ",x,", ",m,", ",y,").Replace(lessOne),
			[]string{"level", "rank", "sex", "gender", "workers", "persons", "everybody", "less one", "project: test", "project: other"}, "splits the total as level did"},
	} {
		w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
		if r, err := w.run("first", "counts.csv"); err != nil || !r.Released {
			t.Fatal(err, r)
		}
		w.write(map[string]string{"counts.csv": tt.text, "rules.yaml": strings.NewReplacer(tt.rules...).Replace(countRules)})
		r, err := w.run("second", "counts.csv")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if r.Released || !strings.Contains(strings.Join(append(r.Held, r.Warnings...), "\n"), tt.want) {
			t.Errorf("%s: released %v, held %q, warnings %q: want %q", tt.name, r.Released, r.Held, r.Warnings, tt.want)
		}
	}
}

// TestStatedNames: who states what was renamed, or that it is something else, may
// go on.
func TestStatedNames(t *testing.T) {
	other := "rank,sex,workers\nTotal,Total,400\nTotal,f,300\nTotal,m,100\nL1,Total,100\nL1,f,80\nL1,m,20\nL2,Total,180\nL2,f,140\nL2,m,40\nL3,Total,120\nL3,f,80\nL3,m,40\n"
	for _, tt := range []struct{ name, text, dimension, want string }{
		{"renamed", strings.Replace(counts, "level,", "rank,", 1), "{name: rank, was: [level]}", ""},
		{"something else", other, "{name: rank, not: [level]}", ""},
		{"not said", other, "{name: rank}", "say was: [level] in the rules if it is the same, else not: [level]"},
	} {
		w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
		if r, err := w.run("first", "counts.csv"); err != nil || !r.Released {
			t.Fatal(err, r)
		}
		rules := strings.NewReplacer("{name: level}", tt.dimension, "[level, sex]", "[rank, sex]").Replace(countRules)
		if tt.name != "renamed" {
			rules = strings.Replace(rules, "everybody", "2022", 1) + "populations: [{name: 2022, apart-from: [everybody]}]\n"
		}
		w.write(map[string]string{"counts.csv": tt.text, "rules.yaml": rules})
		r, err := w.run("second", "counts.csv")
		if err != nil || r.Released != (tt.want == "") || !strings.Contains(strings.Join(r.Held, "\n"), tt.want) {
			t.Errorf("%s: %v, released %v, held %q, want %q", tt.name, err, r.Released, r.Held, tt.want)
		}
	}
}

// TestWithin: a part of a population is one system with it. What the two leave is
// derived exactly, and protected by partners in the part.
func TestWithin(t *testing.T) {
	// Leave out 3 at L1, and 20 at L2: the 3 follow from both tables, directly and
	// by way of the total.
	const wide, part = "level,workers\nTotal,300\nL1,100\nL2,100\nL3,100\n", "level,workers\nTotal,277\nL1,97\nL2,80\nL3,100\n"
	rules := strings.Replace(countRules, "[level, sex]", "[level]", 1)
	within := "populations: [{name: some, within: everybody}]\n"
	check := func(name string, r *Report, err error, w world, out string) {
		t.Helper()
		if err != nil || !r.Released {
			t.Fatalf("%s: %v, held %q", name, err, r.Held)
		}
		text := w.read(out)
		if strings.Contains(text, "L1,97") || strings.Contains(text, "L2,80") && strings.Contains(text, "L3,100") && strings.Contains(text, "277") {
			t.Errorf("%s: 3 people at L1 follow:\n%s", name, text)
		}
		if !strings.Contains(fmt.Sprint(r.Differences), "level=L1 counts.csv, released 2026-11-22 (entry 1) 3 true count of workers leaves 3") {
			t.Errorf("%s: %+v", name, r.Differences)
		}
	}
	w := newWorld(t, map[string]string{"counts.csv": wide, "b.csv": part, "rules.yaml": rules + "  - {file: b.csv, population: some, dimensions: [level], measures: [{column: workers, is: count}]}\n" + within})
	r, err := w.run("both", "counts.csv", "b.csv")
	if err != nil || !r.Released {
		t.Fatalf("%v, held %q", err, r.Held)
	}
	a, b := w.read("both/release/counts.csv"), w.read("both/release/b.csv")
	if strings.Contains(a, "L1,100") && strings.Contains(b, "L1,97") {
		t.Errorf("3 people at L1 are the difference:\n%s%s", a, b)
	}

	w = newWorld(t, map[string]string{"counts.csv": wide, "rules.yaml": rules})
	if r, err := w.run("first", "counts.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	w.write(map[string]string{"counts.csv": part, "rules.yaml": strings.Replace(rules, "everybody", "some", 1) + within})
	r, err = w.run("later", "counts.csv")
	check("a month apart", r, err, w, "later/release/counts.csv")

	// The ledger remembers how the two stand to each other: a month later the
	// rules need not say so, and a third output on the part stays as careful.
	w.write(map[string]string{"rules.yaml": strings.Replace(rules, "everybody", "some", 1)})
	r, err = w.run("again", "counts.csv")
	check("a month later still", r, err, w, "again/release/counts.csv")

	w.write(map[string]string{"counts.csv": strings.NewReplacer("277", "281", "L1,97", "L1,101").Replace(part)})
	if _, err := w.run("more", "counts.csv"); err == nil || !strings.Contains(err.Error(), `more than the 100 of`) {
		t.Errorf("%v: a part cannot have more than the whole", err)
	}
}

// TestSingleBefore: who was alone in a cell of an earlier release still knows it.
func TestSingleBefore(t *testing.T) {
	rows := "employer,level,sex\n"
	add := func(level, sex string, n, first, employers int) {
		for i := range n {
			rows += fmt.Sprintf("%d,%s,%s\n", first+i%employers, level, sex)
		}
	}
	add("L1", "f", 33, 1, 9)
	add("L1", "m", 27, 1, 9)
	add("L2", "f", 45, 1, 9)
	add("L2", "m", 17, 1, 9)
	add("L3", "f", 3, 50, 1) // somebody alone
	add("L3", "m", 30, 1, 9)
	rules := strings.Replace(countRules, "rules:", "microdata: {file: DIR/rows.csv, employer: employer}\nrules:", 1)
	w := newWorld(t, map[string]string{"counts.csv": counts, "rows.csv": rows, "rules.yaml": rules})
	if r, err := w.run("first", "counts.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	ledger := w.read("ledger.jsonl")
	if !strings.Contains(ledger, `"single":["","","","","","","","","","","`+digest("employer 50")+`",""]`) {
		t.Errorf("the ledger does not say who is alone at L3:\n%s", ledger)
	}
	if strings.Contains(ledger, `"employer 50"`) {
		t.Error("the ledger names an employer")
	}
}

// TestStrangeLedger puts bodies into a ledger that no run has written: entries
// with numbers, names and lists changed. They are refused or compared, and never
// crash or stop a check.
func TestStrangeLedger(t *testing.T) {
	w := newWorld(t, map[string]string{"counts.csv": counts, "s.csv": "statistic,level,sex,value,n\ncount,L2,m,17,17\n", "rules.yaml": countRules +
		"estimates: [{file: s.csv, kind: summary, counts: workers, dimensions: [level, sex]}]\npopulations: [{name: everybody, within: all}]\n"})
	if r, err := w.run("out", "counts.csv", "s.csv"); err != nil || !r.Released {
		t.Fatal(err)
	}
	l, err := ledger.Open(w.path("ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	trials := 100
	if testing.Short() {
		trials = 25
	}
	refused, released := 0, 0
	for trial := range trials {
		s := rng.Sim(uint64(trial)).Stream(79, 0)
		var body any
		if err := json.Unmarshal(l.Entries()[0].Body, &body); err != nil {
			t.Fatal(err)
		}
		for range 1 + s.IntN(2) {
			body = spoil(s, body)
		}
		w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
		l, err := ledger.Open(w.path("ledger.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append("outputs", noon, body); err != nil {
			t.Fatal(err)
		}
		r, err := w.run("out", "counts.csv")
		switch {
		case err != nil:
			refused++
		case r.Released:
			released++
			if strings.Contains(w.read("out/release/counts.csv"), "L3,f,3") {
				t.Errorf("trial %d: 3 women left", trial)
			}
		}
	}
	t.Logf("%d of %d refused, %d released beside them", refused, trials, released)
}

// spoil changes one value somewhere.
func spoil(s *rng.Stream, v any) any {
	switch x := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(x))
		if k := keys[s.IntN(len(keys))]; s.IntN(12) == 0 {
			delete(x, k)
		} else {
			x[k] = spoil(s, x[k])
		}
		return x
	case []any:
		switch {
		case len(x) == 0:
			return []any{0.0}
		case s.IntN(10) == 0:
			return x[1:]
		}
		i := s.IntN(len(x))
		x[i] = spoil(s, x[i])
		return x
	case float64:
		return []any{-1.0, 0.0, 1.0, 2.0, 99.0, 1e300, nil, "x"}[s.IntN(8)]
	case string:
		return []any{"", "everybody", "all", "level", "sex", "Total", 3.0}[s.IntN(7)]
	case bool:
		return !x
	}
	return []any{nil}
}
