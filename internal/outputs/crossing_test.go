package outputs

import (
	"fmt"
	"strings"
	"testing"
)

// TestCrossings: two dimensions of one thing, in tables apart from each other,
// tell cells that neither shows.
func TestCrossings(t *testing.T) {
	sector := map[string]string{"A": "industry", "B": "industry", "C": "services", "D": "services", "E": "services"}
	micro := "employer,nace,sector,age10,age\n"
	n := 0
	add := func(nace, age10, age string, k int) {
		for range k {
			n++
			micro += fmt.Sprintf("%d,%s,%s,%s,%s\n", n, nace, sector[nace], age10, age)
		}
	}
	for _, x := range []struct {
		nace string
		k    int
	}{{"A", 3}, {"B", 40}, {"C", 50}, {"D", 12}, {"E", 60}} {
		for i := range x.k {
			switch j := (n + i*7) % 55; {
			case j < 19:
				add(x.nace, "15-24", "15-19", 1)
			case j < 37:
				add(x.nace, "25-34", "20-29", 1)
			case j < 46:
				add(x.nace, "25-34", "30-44", 1)
			default:
				add(x.nace, "35-44", "30-44", 1)
			}
		}
	}
	add("E", "15-24", "20-29", 3) // the three of 20 to 24
	table := func(dim string, column int) string {
		of, order, total := map[string]int{}, []string{}, 0
		for _, line := range strings.Split(strings.TrimSpace(micro), "\n")[1:] {
			label := strings.Split(line, ",")[column]
			if of[label] == 0 {
				order = append(order, label)
			}
			of[label]++
			total++
		}
		text := fmt.Sprintf("%s,workers\nTotal,%d\n", dim, total)
		for _, l := range order {
			text += fmt.Sprintf("%s,%d\n", l, of[l])
		}
		return text
	}
	const head = "project: p\nmicrodata: {file: DIR/rows.csv, employer: employer}\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: nace}, {name: sector}, {name: age10}, {name: age}]\ntables:\n"
	line := func(dim string) string {
		return "  - {file: " + dim + ".csv, dimensions: [" + dim + "], measures: [{column: workers, is: count}]}\n"
	}
	files := map[string]string{
		"rows.csv": micro, "nace.csv": table("nace", 1), "sector.csv": table("sector", 2), "age10.csv": table("age10", 3), "age.csv": table("age", 4),
	}
	number := func(file, label string) string {
		for _, l := range strings.Split(files[file], "\n") {
			if strings.HasPrefix(l, label+",") {
				return l + ","
			}
		}
		t.Fatal(file, label)
		return ""
	}
	for _, tt := range []struct {
		name, why string
		a, b      string
		not       [][2]string // file and category: not all of a line leave
	}{
		{"a sector is a sum of its branches", "3 of A are industry less B", "nace", "sector", [][2]string{{"nace.csv", "B"}, {"sector.csv", "industry"}}},
		{"classes overlap", "3 are from 20 to 24: 15-24 less 15-19", "age10", "age", [][2]string{{"age10.csv", "15-24"}, {"age.csv", "15-19"}}},
	} {
		together := func(text ...string) {
			all, leaks := strings.Join(text, "\n"), true
			for _, x := range tt.not {
				leaks = leaks && strings.Contains(all, number(x[0], x[1]))
			}
			if leaks {
				t.Errorf("%s: %s:\n%s", tt.name, tt.why, all)
			}
		}
		w := newWorld(t, files)
		w.write(map[string]string{"rules.yaml": head + line(tt.a) + line(tt.b)})
		r, err := w.run("out", tt.a+".csv", tt.b+".csv")
		if err != nil || !r.Released {
			t.Fatalf("%s: %v, held %q", tt.name, err, r.Held)
		}
		together(w.read("out/release/"+tt.a+".csv"), w.read("out/release/"+tt.b+".csv"))
		// One after the other.
		w = newWorld(t, files)
		w.write(map[string]string{"rules.yaml": head + line(tt.a)})
		if r, err = w.run("first", tt.a+".csv"); err != nil || !r.Released {
			t.Fatal(err, r)
		}
		w.write(map[string]string{"rules.yaml": head + line(tt.b)})
		if r, err = w.run("second", tt.b+".csv"); err != nil {
			t.Fatal(err)
		}
		if r.Released {
			together(w.read("first/release/"+tt.a+".csv"), w.read("second/release/"+tt.b+".csv"))
		}
	}
	// A summary by sector beside a table by branch.
	w := newWorld(t, files)
	summary := "statistic,variable,sector,value,n\n"
	for _, l := range strings.Split(strings.TrimSpace(files["sector.csv"]), "\n")[2:] {
		name, n, _ := strings.Cut(l, ",")
		summary += "mean,wage," + name + ",2400," + n + "\n"
	}
	w.write(map[string]string{"s.csv": summary, "rules.yaml": head + line("nace") + "estimates: [{file: s.csv, kind: summary, counts: workers, dimensions: [sector], variables: [wage]}]\n"})
	r, err := w.run("summary", "nace.csv", "s.csv")
	if err != nil {
		t.Fatal(err)
	}
	if r.Released && strings.Contains(w.read("summary/release/nace.csv"), number("nace.csv", "B")) && strings.Contains(w.read("summary/release/s.csv"), "industry") {
		t.Error("3 of A are the 43 of industry in a summary less B")
	}
	// The second day's rules do not know of branches, and its microdata may not either.
	for name, rows := range map[string]string{"with the column": micro, "without it": strings.ReplaceAll(micro, "nace", "n")} {
		w = newWorld(t, files)
		w.write(map[string]string{"rules.yaml": head + line("nace")})
		if r, err = w.run("first", "nace.csv"); err != nil || !r.Released {
			t.Fatal(err, r)
		}
		w.write(map[string]string{"rows.csv": rows, "rules.yaml": strings.Replace(head, "{name: nace}, ", "", 1) + line("sector")})
		if r, err = w.run("second", "sector.csv"); err != nil {
			t.Fatal(err)
		}
		if r.Released && strings.Contains(w.read("second/release/sector.csv"), number("sector.csv", "industry")) {
			t.Errorf("%s: 3 of A are the 43 of industry less B, which left before", name)
		}
	}
}
