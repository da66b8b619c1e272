package outputs

import (
	"fmt"
	"strings"
	"testing"

	"scramblelab/internal/ledger"
)

// TestWeightedCountsCompared: a weighted count is compared with the weights of
// the microdata, to the rounding.
func TestWeightedCountsCompared(t *testing.T) {
	rows := "employer,level,w\n"
	for i := range 20 {
		rows += fmt.Sprintf("%d,L1,2.02\n%d,L2,4\n%d,L3,4\n", i, i, i)
	}
	rules := strings.NewReplacer("[level, sex]", "[level]", "rules:", "microdata: {file: DIR/rows.csv, employer: employer, weight: w}\nrules:").Replace(countRules)
	w := newWorld(t, map[string]string{"counts.csv": "level,workers\nTotal,200\nL1,40\nL2,80\nL3,80\n", "rows.csv": rows, "rules.yaml": rules})
	if r, err := w.run("out", "counts.csv"); err != nil || !r.Released {
		t.Fatalf("%v: 40.4 is 40", err)
	}
	w.write(map[string]string{"counts.csv": "level,workers\nTotal,201\nL1,41\nL2,80\nL3,80\n"})
	if _, err := w.run("wrong", "counts.csv"); err == nil || !strings.Contains(err.Error(), "row 2 (level=L1): workers is 41, the microdata say 40.4") {
		t.Errorf("%v: a weighted count that the weights contradict", err)
	}
}

// TestLargeCount: whole numbers beyond 2^53 are not exact, so that sums of them
// prove nothing.
func TestLargeCount(t *testing.T) {
	rules := strings.Replace(countRules, "[level, sex]", "[level]", 1)
	w := newWorld(t, map[string]string{"counts.csv": "level,workers\nTotal,9007199254740994\nL1,9007199254740984\nL2,10\n", "rules.yaml": rules})
	_, err := w.run("out", "counts.csv")
	if err == nil || !strings.Contains(err.Error(), "row 1 (level=Total): workers is 9.007199254740994e+15, which is no count of units") {
		t.Errorf("%v", err)
	}
}

// TestMeanWithoutCount: nobody can say how wide the interval of a mean is whose
// count is not there, so that a sensitive one needs review.
func TestMeanWithoutCount(t *testing.T) {
	rules := strings.NewReplacer("[level, sex]", "[level]", "{column: workers, is: count}", "{column: workers, is: count}, {column: wage, is: mean}").Replace(countRules)
	table := "level,workers,wage\nTotal,160,30\nL1,60,30\nL2,62,30\nL3,3,30\nL4,35,30\n"
	w := newWorld(t, map[string]string{"counts.csv": table, "rules.yaml": rules})
	r, err := w.run("out", "counts.csv")
	if err != nil || r.Released || r.Files[0].Review != 1 || !strings.Contains(fmt.Sprint(r.Findings), "the room of the sum of wage was not checked") {
		t.Errorf("%v, released %v: %+v", err, r.Released, r.Findings)
	}
	w.write(map[string]string{"rules.yaml": strings.Replace(rules, "is: mean", "is: mean, over: workers", 1)})
	if r, err = w.run("over", "counts.csv"); err != nil || !r.Released {
		t.Errorf("%v, held %q: with its count it is a sum", err, r.Held)
	}
}

// TestEmployersInterval: where employers add up they are a count of their own,
// and a cell of too few must keep room in them as well.
func TestEmployersInterval(t *testing.T) {
	rules := strings.NewReplacer("[level, sex]", "[level]", "minimum-frequency: {n: 5, norm: house}", "contributors: {employers: 4}", "{column: workers, is: count}", "{column: workers, is: count}, {column: employers, is: employers}").Replace(countRules)
	// L1 has one employer. Were L2 its partner, both would have at most 2: L3 must be.
	w := newWorld(t, map[string]string{"rules.yaml": rules, "counts.csv": "level,workers,employers\nTotal,1170,14\nL1,50,1\nL2,60,4\nL3,1000,3\nL4,60,6\n"})
	r, err := w.run("out", "counts.csv")
	if err != nil || !r.Released {
		t.Fatal(err, r)
	}
	if text := w.read("out/internal/verdicts.csv"); !strings.Contains(text, "employers up") {
		t.Errorf("the employers of a cell are not bounded:\n%s", text)
	}
	// An employer in two cells: they do not add up, and are no magnitude.
	w.write(map[string]string{"counts.csv": "level,workers,employers\nTotal,1170,10\nL1,50,1\nL2,60,4\nL3,1000,3\nL4,60,6\n"})
	if _, err = w.run("several", "counts.csv"); err != nil {
		t.Fatal(err)
	}
	if text := w.read("several/internal/verdicts.csv"); strings.Contains(text, "employers up") {
		t.Errorf("employers in several cells were added up:\n%s", text)
	}
}

// TestRoomKept: the room that a cell needed stands in the ledger, and a later
// output with a laxer rule keeps it.
func TestRoomKept(t *testing.T) {
	w := newWorld(t, map[string]string{"counts.csv": counts, "rules.yaml": countRules})
	if r, err := w.run("first", "counts.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	rules, err := Parse("rules.yaml", []byte(strings.Replace(countRules, "n: 5", "n: 2", 1)))
	if err != nil {
		t.Fatal(err)
	}
	c := &check{rules: &rules, o: Options{Files: []string{w.path("counts.csv")}, Ledger: w.path("ledger.jsonl")}, report: &Report{}}
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	if err := c.read(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.link(ctx); err != nil {
		t.Fatal(err)
	}
	found := 0
	for cell, n := range c.groups[0].needs {
		found++
		if name := c.groups[0].system.Name(cell); name != "level=L3, sex=f" || n.room["count of workers"] != [2]float64{2, 0} {
			t.Errorf("%s wants %v, want room of 2 upwards at level=L3, sex=f: from 3 up to the 5 of then", name, n.room)
		}
	}
	if found != 1 {
		t.Errorf("%d cells stayed sensitive, want 1", found)
	}
	if _, err := ledger.Open(w.path("ledger.jsonl")); err != nil {
		t.Error(err)
	}
}
