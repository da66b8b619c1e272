package outputs

import (
	"strings"
	"testing"
)

const sectorTable = "sector,workers\nA,3\nB,12\nC,85\nTotal,100\n"

// TestPopulationByCategory: a population that consists of categories of a
// dimension shows sums of its cells.
func TestPopulationByCategory(t *testing.T) {
	micro := "serial,sector,level\n"
	for i := range 100 {
		sector := "C"
		if i < 3 {
			sector = "A"
		} else if i < 15 {
			sector = "B"
		}
		micro += string(rune('a'+i%26)) + string(rune('a'+i/26)) + "," + sector + ",L" + string(rune('1'+i%2)) + "\n"
	}
	const head = `
project: p
population: staff
microdata: {file: DIR/wm.csv, employer: serial}
rules: {minimum-frequency: {n: 10}, contributors: {employers: 3}}
dimensions: [{name: sector}, {name: level}]
`
	const first = "  - {file: t2.csv, dimensions: [sector], measures: [{column: workers, is: count}]}\n"
	const second = "  - {file: ac.csv, dimensions: [level], population: A and C, where: [{column: sector, is: [A, C]}], measures: [{column: workers, is: count}]}\n"
	files := map[string]string{"wm.csv": micro, "t2.csv": sectorTable, "ac.csv": "level,workers\nL1,44\nL2,44\nTotal,88\n"}
	// Of the first 3 of A and the last 85 of C every second is at L1.
	within := "populations: [{name: A and C, within: staff}]\n"
	held := func(r *Report, err error) {
		t.Helper()
		if err != nil || r.Released || !strings.Contains(strings.Join(r.Held, "\n"), "is chosen by sector (where)") {
			t.Errorf("%v, %+v: 3 at A follow from 88 and 85", err, r)
		}
	}
	// The second day's microdata are those of A and C alone.
	w := newWorld(t, files)
	w.write(map[string]string{"rules.yaml": head + "tables:\n" + first})
	if r, err := w.run("day1", "t2.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	chosen := strings.NewReplacer("population: staff", "population: A and C", "employer: serial", "employer: serial, where: [{column: sector, is: [A, C]}]", "{name: sector}, ", "").Replace(head)
	w.write(map[string]string{"rules.yaml": chosen + "tables:\n  - {file: ac.csv, dimensions: [level], measures: [{column: workers, is: count}]}\n"})
	held(w.run("day2", "ac.csv"))
	for _, more := range []string{"", within} {
		w := newWorld(t, files)
		w.write(map[string]string{"rules.yaml": head + more + "tables:\n" + first + second})
		held(w.run("both", "t2.csv", "ac.csv"))
		for _, order := range [][2]string{{first, second}, {second, first}} {
			w = newWorld(t, files)
			for day, table := range order {
				file := map[string]string{first: "t2.csv", second: "ac.csv"}[table]
				w.write(map[string]string{"rules.yaml": head + more + "tables:\n" + table})
				r, err := w.run("day"+string(rune('1'+day)), file)
				if day == 1 {
					held(r, err)
				} else if err != nil || !r.Released {
					t.Fatal(err, r)
				}
			}
		}
	}
}

// TestPopulationsWithoutRelation: of three populations that share a dimension two
// may tell what is suppressed in the third.
func TestPopulationsWithoutRelation(t *testing.T) {
	files := map[string]string{
		"all.csv":   "sector,workers\nA,300\nB,40\nC,300\nTotal,640\n",
		"men.csv":   "sector,workers\nA,50\nB,37\nC,250\nTotal,337\n",
		"women.csv": "sector,workers\nA,250\nB,3\nC,50\nTotal,303\n",
	}
	const head = "project: p\npopulation: staff\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: sector}]\ntables:\n"
	const all = "  - {file: all.csv, dimensions: [sector], measures: [{column: workers, is: count}]}\n"
	part := func(name string) string {
		return "  - {file: " + name + ".csv, dimensions: [sector], population: " + name + ", measures: [{column: workers, is: count}]}\n"
	}
	held := func(r *Report, err error) {
		t.Helper()
		if err != nil || r.Released || !strings.Contains(strings.Join(r.Held, "\n"), "nobody says how its population") {
			t.Errorf("%v, %+v: want it held", err, r)
		}
	}
	w := newWorld(t, files)
	w.write(map[string]string{"rules.yaml": head + all + part("men") + part("women")})
	held(w.run("three", "all.csv", "men.csv", "women.csv"))
	w.write(map[string]string{"rules.yaml": head + all + part("men")})
	held(w.run("two", "all.csv", "men.csv"))
	w.write(map[string]string{"rules.yaml": head + all})
	if r, err := w.run("day1", "all.csv"); err != nil || !r.Released {
		t.Fatal(err, r)
	}
	w.write(map[string]string{"rules.yaml": head + part("women")})
	held(w.run("day2", "women.csv"))
	w.write(map[string]string{"rules.yaml": strings.Replace(head, "tables:", "populations: [{name: women, within: staff}]\ntables:", 1) + part("women")})
	if r, err := w.run("stated", "women.csv"); err != nil || !r.Released {
		t.Errorf("%v, %+v: stated, it may leave", err, r)
	}
}

// TestToleranceOfCounts: no rounding excuses missing people.
func TestToleranceOfCounts(t *testing.T) {
	rules := func(tolerance string) string {
		return "project: p\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: sector}, {name: lv}]\ntables:\n" +
			"  - {file: w.csv, dimensions: [sector], " + tolerance + "measures: [{column: workers, is: count}, {column: wage, is: sum}]}\n" +
			"  - {file: c.csv, dimensions: [lv], measures: [{column: workers, is: count}, {column: wage, is: sum}]}\n"
	}
	const w, l = "sector,workers,wage\nS1,114,1100.4\nS2,100,1000.4\nTotal,214,2101\n", "lv,workers,wage\nL1,114,1000\nL2,100,1101\nTotal,214,2101\n"
	for _, tt := range []struct{ name, tolerance, w, l, want string }{
		{"rounded sums", "tolerance: 0.5, ", w, l, ""},
		{"no tolerance", "", w, l, "sum of wage does not add up"},
		{"a person is missing", "tolerance: 0.5, ", strings.Replace(w, "114", "113", 1), l, "w.csv: row 3 (the grand total): count of workers does not add up: the total is 214, its parts differ by 1"},
		{"in the other table", "tolerance: 0.5, ", w, strings.Replace(l, "114", "113", 1), "count of workers does not add up"},
		{"tolerance of the other table", "tolerance: 0.5, ", w, strings.Replace(l, "1000", "999.5", 1), "sum of wage does not add up"},
	} {
		world := newWorld(t, map[string]string{"w.csv": tt.w, "c.csv": tt.l, "rules.yaml": rules(tt.tolerance)})
		_, err := world.run("out", "w.csv", "c.csv")
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestPopulationOfTheSize: the n of an estimate on a population of its own is that
// of two categories.
func TestPopulationOfTheSize(t *testing.T) {
	const head = "project: p\npopulation: staff\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: sector}]\n"
	const table = "tables: [{file: t2.csv, dimensions: [sector], measures: [{column: workers, is: count}]}]\n"
	const estimate = "estimates: [{file: s.csv, kind: summary, variables: [wage, age], counts: workers, population: A and C}]\n"
	for _, within := range []string{"", "populations: [{name: A and C, within: staff}]\n"} {
		for _, tt := range []struct{ name, n, want string }{
			{"A and C", "88", `population "A and C" has as many units (88)`},
			{"others", "60", ""},
		} {
			files := map[string]string{"t2.csv": sectorTable, "s.csv": "statistic,variable,value,n\nsd,age,100," + tt.n + "\n"}
			check := func(r *Report, err error) {
				t.Helper()
				if err != nil || r.Released != (tt.want == "") || !strings.Contains(strings.Join(r.Held, "\n"), tt.want) {
					t.Errorf("%s: %v, %+v", tt.name, err, r)
				}
			}
			w := newWorld(t, files)
			w.write(map[string]string{"rules.yaml": head + within + table + estimate})
			check(w.run("both", "t2.csv", "s.csv"))
			for _, order := range [][2]string{{table, estimate}, {estimate, table}} {
				w := newWorld(t, files)
				for day, part := range order {
					w.write(map[string]string{"rules.yaml": head + within + part})
					r, err := w.run("day"+string(rune('1'+day)), map[string]string{table: "t2.csv", estimate: "s.csv"}[part])
					if day == 1 {
						check(r, err)
					} else if err != nil || !r.Released {
						t.Fatal(err, r)
					}
				}
			}
		}
	}
}
