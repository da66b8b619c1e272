package outputs

import (
	"fmt"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/outputs/suppress"
	"scramblelab/internal/rng"
)

// BenchmarkContributors counts who stands behind every cell of a table of three
// hierarchical dimensions (46^3 cells) and applies every primary rule, from rows
// in memory: 90,000 employers, workers in random order.
func BenchmarkContributors(b *testing.B) {
	for _, rows := range []int{1e6, 4e7} {
		b.Run(fmt.Sprintf("rows=%.0e", float64(rows)), func(b *testing.B) {
			c := benchCheck(b, rows)
			b.ResetTimer()
			for range b.N {
				t := c.tables[0]
				t.tally, t.micro, t.rows = nil, nil, make([]verdict, len(t.rows))
				if err := c.tallyTable(ctx, t); err != nil {
					b.Fatal(err)
				}
				c.bad = nil // the table shows no true counts
				if err := c.judge(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func benchCheck(b *testing.B, rows int) *check {
	const groups, leaves = 5, 8
	rules := Rules{
		Project: "bench", Microdata: &Microdata{File: "memory", Employer: "employer"},
		Rules: RuleSet{
			Frequency: &FrequencyRule{N: 10}, Contributors: &ContributorsRule{Employers: 3, Workers: 10, LargestShare: 0.9},
			Dominance: []DominanceRule{{N: 1, K: 85}, {N: 2, K: 90}}, PPercent: &PPercentRule{P: 10}, Group: &GroupRule{}, SafetyRange: 10,
		},
	}
	s := rng.Sim(1).Stream(1, 0)
	c := &check{rules: &rules, report: &Report{}}
	var cols []frame.Column
	labels := []string{"Total"}
	parent := []int32{-1}
	for g := range groups {
		labels, parent = append(labels, fmt.Sprintf("g%d", g)), append(parent, 0)
	}
	var fine []string
	for g := range groups {
		for l := range leaves {
			fine = append(fine, fmt.Sprintf("g%d.%d", g, l))
			labels, parent = append(labels, fine[len(fine)-1]), append(parent, int32(g+1))
		}
	}
	employer, wage := make([]int32, rows), make([]int32, rows)
	for i := range rows {
		employer[i], wage[i] = int32(s.IntN(90_000)), int32(20_000+s.IntN(60_000))
	}
	for d, name := range []string{"sector", "region", "level"} {
		rules.Dimensions = append(rules.Dimensions, DimensionSpec{Name: name, Microdata: name})
		c.dims = append(c.dims, suppress.Dimension{Name: name, Labels: labels, Parent: parent})
		codes := make([]int32, rows)
		for i := range codes {
			if codes[i] = int32(s.IntN(len(fine))); d < 2 { // of the employer
				codes[i] = int32(rng.Mix(uint64(d), uint64(employer[i])) % uint64(len(fine)))
			}
		}
		cols = append(cols, frame.Codes(name, frame.MustDict(fine...), codes))
	}
	cols = append(cols, frame.Ints("wage", wage))
	c.micro = &microdata{f: frame.Must(cols...), contributor: employer, contributors: 90_000}
	n := len(labels)
	t := &table{spec: &TableSpec{File: "t.csv", Measures: []MeasureSpec{{Column: "n", Is: isCount}, {Column: "wages", Is: isSum, Of: "wage"}}}, dims: []int{0, 1, 2}, nodes: make([][]int32, 3)}
	for i := range n * n * n {
		for k, x := range []int{i % n, i / n % n, i / n / n} {
			t.nodes[k] = append(t.nodes[k], int32(x))
		}
	}
	zero := make([]int32, n*n*n)
	t.f, t.rows = frame.Must(frame.Ints("n", zero), frame.Ints("wages", zero)), make([]verdict, n*n*n)
	c.tables = []*table{t}
	if err := c.link(ctx); err != nil || c.bad != nil {
		b.Fatal(err, c.bad)
	}
	return c
}
