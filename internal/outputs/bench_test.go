package outputs

import (
	"fmt"
	"math"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/outputs/suppress"
	"scramblelab/internal/rng"
)

// BenchmarkContributors counts who stands behind every cell of a table of three
// hierarchical dimensions (46^3 cells) and applies every primary rule, from rows
// in memory: 90,000 employers. The bar is 10 s for 4e7 rows on two cores.
func BenchmarkContributors(b *testing.B) {
	for _, rows := range []int{1e6, 4e7} {
		for _, sorted := range []bool{false, true} {
			b.Run(fmt.Sprintf("rows=%.0e/sorted=%v", float64(rows), sorted), func(b *testing.B) {
				c := benchCheck(b, rows, sorted)
				begin := processor(b)
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
				reportCPU(b, begin)
			})
		}
	}
}

// BenchmarkRun is a whole check, files included: a frequency table of three
// hierarchical dimensions, threshold 10. The bars are 15 s for 1e5 cells and 60 s
// for 1e6 on two cores.
func BenchmarkRun(b *testing.B) {
	for _, size := range []struct{ groups, leaves int }{{4, 4}, {5, 8}, {9, 10}} {
		nodes := 1 + size.groups + size.groups*size.leaves
		b.Run(fmt.Sprintf("cells=%d", nodes*nodes*nodes), func(b *testing.B) {
			w := newWorld(b, benchTable(size.groups, size.leaves))
			begin := processor(b)
			b.ResetTimer()
			for i := range b.N {
				r, err := w.run(fmt.Sprint("out", i), "t.csv")
				if err != nil {
					b.Fatal(err)
				}
				f, p := r.Files[0], r.Patterns[0]
				b.Logf("%d sensitive, %d partners, review %d, unsafe %d, hurried %v, largest block %d, decided by %s", f.Primary, f.Secondary, f.Review, f.Unsafe, p.Hurried, p.Largest, p.Decided)
			}
			reportCPU(b, begin)
		})
	}
}

// benchTable writes a table with its totals and its rules.
func benchTable(groups, leaves int) map[string]string {
	labels, parent, in := []string{"Total"}, []int{-1}, "{"
	for g := range groups {
		labels, parent = append(labels, fmt.Sprint("g", g)), append(parent, 0)
	}
	for g := range groups {
		in += fmt.Sprintf("g%d: [", g)
		for l := range leaves {
			labels, parent = append(labels, fmt.Sprintf("g%d.%d", g, l)), append(parent, g+1)
			in += labels[len(labels)-1] + ", "
		}
		in += "], "
	}
	n := len(labels)
	values := make([]int, n*n*n)
	s := rng.Sim(7).Stream(1, 0)
	for i := range values {
		if i%n > groups && i/n%n > groups && i/n/n > groups && !s.Bool(0.2) {
			values[i] = int(math.Exp(1.6*s.Normal()*1.2) * 12)
		}
	}
	for stride := 1; stride < len(values); stride *= n {
		for i := len(values) - 1; i >= 0; i-- {
			if c := i / stride % n; parent[c] >= 0 {
				values[i-(c-parent[c])*stride] += values[i]
			}
		}
	}
	text := []byte("a,b,c,workers\n")
	for i, v := range values {
		text = fmt.Appendf(text, "%s,%s,%s,%d\n", labels[i%n], labels[i/n%n], labels[i/n/n], v)
	}
	rules := "project: bench\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: a, groups: " + in + "}}, {name: b, groups: " + in + "}}, {name: c, groups: " + in + "}}]\n" +
		"tables: [{file: t.csv, dimensions: [a, b, c], measures: [{column: workers, is: count}]}]\n"
	return map[string]string{"t.csv": string(text), "rules.yaml": rules}
}

func benchCheck(b *testing.B, rows int, sorted bool) *check {
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
		if sorted {
			employer[i] = int32(i * 90_000 / rows)
		}
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
