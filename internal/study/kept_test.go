package study

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

// steps are the rows of the second table in docs/scrambles.md: what is no swap
// of attributes within a year, as a plan writes it.
var steps = []struct{ name, yaml, protects string }{
	{"job spells, to other employers", "{method: random-swap, unit: spell, bundle: [employer], rate: 0.6}", "who works where; head counts by year stay"},
	{"whole trajectories, levels and fields of a lifetime", "{method: random-swap, unit: person, bundle: [level, field], rate: 0.6}", "counts, over the years alike"},
	{"regions of employers", "{method: random-swap, unit: employer-region, bundle: [region], rate: 0.8}", "where an employer is; no count"},
	{"recode levels", "{method: recode, column: level, file: shipped:level.csv, depth: 1}", "what told apart the levels that are now one"},
	{"sample workers, 80 %", "{method: sample-workers, rate: 0.8}", "head counts and their paths"},
	{"sample employers, 80 %", "{method: sample-employers, rate: 0.8}", "whether an employer is in the release"},
	{"merge employers under 10", "{method: merge-small-employers, minimum: 10}", "small employers, not those above"},
	{"fresh serials", "{method: fresh-serials}", "the path over the years; no year by itself"},
	{"top-code wages, the bound", "{method: top-code, column: wage, above: 60000}", "wages beyond the bound"},
	{"top-code wages, the mean", "{method: top-code, column: wage, above: 60000, replace: mean}", "wages beyond the bound"},
	{"noise on wages, 5 %", "{method: noise, column: wage, sd: 0.05, kind: multiplicative}", "exact wages"},
	{"noise on wages, sums by employer kept", "{method: noise, column: wage, sd: 0.05, kind: multiplicative, zero_sum: true, by: [employer, year]}", "exact wages; the wage bill stays exact"},
	{"invariant PRAM of levels", "{method: pram, column: level, stay: 0.8, by: [year]}", "levels and the counts made of them"},
	{"microaggregate wages by employer, k = 3", "{method: microaggregate, columns: [wage], k: 3, by: [employer, year]}", "exact wages; the wage bill stays exact"},
	{"coarsen head counts", "{method: coarsen-counts, classes: [1, 3, 5, 10, 20, 50]}", "exact head counts"},
	{"jitter head counts", "{method: jitter-counts, variance: 2, reach: 3}", "exact head counts, and their sums"},
	{"round head counts to 3", "{method: round-counts, base: 3}", "exact head counts"},
	{"fold cells under 3", "{method: suppress-cells, minimum: 3}", "small cells"},
}

// numbers are those of one table by the labels of its cells.
type numbers map[string]int64

// exact reports whether every number that is there is that of the truth.
func (n numbers) exact(truth numbers) bool {
	for k, v := range n {
		if truth[k] != v {
			return false
		}
	}
	return true
}

func headsBy(f *frame.Frame, heads func(i int) int64, columns ...string) numbers {
	out := numbers{}
	for i := range f.Rows() {
		var key []string
		for _, n := range append([]string{linked.Year}, columns...) {
			c := f.Col(n)
			label := "missing"
			switch {
			case c.Missing(i):
			case c.Coded():
				label = c.Dict.Label(c.I[i])
			default:
				label = fmt.Sprint(c.I[i])
			}
			key = append(key, label)
		}
		out[strings.Join(key, "|")] += heads(i)
	}
	return out
}

// keptColumns are the columns of the table, from the cells published and from
// the jobs behind them.
var keptColumns = []struct {
	name string
	of   func(cells, jobs *frame.Frame) numbers
}{
	{"heads by employer", ofCells(linked.Employer)},
	{"level × field by employer", ofCells(linked.Employer, linked.Level, linked.Field)},
	{"level by employer", ofCells(linked.Employer, linked.Level)},
	{"level × field, all", ofCells(linked.Level, linked.Field)},
	{"wage bill by employer", ofWages(linked.Employer)},
	{"wages by level × field, all", ofWages(linked.Level, linked.Field)},
	{"distribution of wages", func(_, jobs *frame.Frame) numbers {
		return headsBy(jobs, func(int) int64 { return 1 }, linked.Wage)
	}},
}

func ofCells(columns ...string) func(cells, jobs *frame.Frame) numbers {
	return func(cells, _ *frame.Frame) numbers {
		workers := cells.Col(publish.Workers)
		return headsBy(cells, func(i int) int64 {
			if workers.Coded() {
				return -1 // a class is no number
			}
			return int64(workers.I[i])
		}, columns...)
	}
}

func ofWages(columns ...string) func(cells, jobs *frame.Frame) numbers {
	return func(_, jobs *frame.Frame) numbers {
		return headsBy(jobs, func(i int) int64 { return int64(jobs.Col(linked.Wage).I[i]) }, columns...)
	}
}

// TestWhatStepsKeep measures the second table of docs/scrambles.md on a small
// population: every number that a release shows is compared with the truth.
// UPDATE_DOCS=1 writes the table.
func TestWhatStepsKeep(t *testing.T) {
	if testing.Short() {
		t.Skip("a release per step")
	}
	const base = "data: {generate: {employers: 300, from: 2019, to: 2021}}\nrelease: {count_on: any, records: 100, firm_columns: [group, region]}\n"
	raw := parsed(t, base)
	data, err := Load(t.Context(), raw, newKeys(seeded(3)).sim, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := distinct(data.Firms.Col(linked.Employer).I)
	var b strings.Builder
	b.WriteString("| step |")
	for _, c := range keptColumns {
		fmt.Fprintf(&b, " %s |", c.name)
	}
	b.WriteString(" protects |\n|" + strings.Repeat("---|", len(keptColumns)+2) + "\n")
	for _, step := range steps {
		p := parsed(t, base+"scramble: {keep: [], steps: ["+step.yaml+"]}\n")
		d, err := recode(p, data)
		if err != nil {
			t.Fatal(err)
		}
		s, err := scramble(t.Context(), p, d, rng.SecretFromSeed(4))
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		o, err := s.publishOptions()
		if err != nil {
			t.Fatal(err)
		}
		shown := s.sample.Employers
		if !strings.Contains(step.yaml, plan.SampleEmployers) {
			shown = all // promises hold on the frame that the step acts on
		}
		v, err := publish.Publish(t.Context(), s.published(), shown, o)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		o.Merge, o.Counts, o.Cells = nil, nil, publish.Protection{}
		truth, err := publish.Publish(t.Context(), data, all, o)
		if err != nil {
			t.Fatal(err)
		}
		before, after := data.Jobs, ofEmployers(s.published().Jobs, shown)
		if s.merge != nil { // jobs are published under the first of the merged employers
			code := after.Col(linked.Employer)
			merged := make([]int32, after.Rows())
			for i, e := range code.I {
				merged[i] = s.merge[e]
			}
			after = after.With(frame.Codes(linked.Employer, code.Dict, merged))
		}
		fmt.Fprintf(&b, "| %s |", step.name)
		for _, c := range keptColumns {
			mark := " |"
			if c.of(v.Cells, after).exact(c.of(truth.Cells, before)) {
				mark = " ✔ |"
			}
			b.WriteString(mark)
		}
		fmt.Fprintf(&b, " %s |\n", step.protects)
	}
	sharedtest.Measured(t, filepath.Join("..", "..", "docs", "scrambles.md"), "measured steps", b.String())
}

func ofEmployers(jobs *frame.Frame, employers []int32) *frame.Frame {
	in := map[int32]bool{}
	for _, e := range employers {
		in[e] = true
	}
	employer := jobs.Col(linked.Employer).I
	return jobs.Filter(func(i int) bool { return in[employer[i]] })
}
