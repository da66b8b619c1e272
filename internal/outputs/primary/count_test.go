package primary

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

// TestMagnitudeCase applies the rules of the GaussSuppression vignette to its
// table: who is primary must agree exactly.
func TestMagnitudeCase(t *testing.T) {
	type row struct {
		Sector  string `json:"sector4"`
		Geo     string
		Company string
		Value   float64
		Freq    int64
		Primary bool
		NAll    int32
	}
	var in struct {
		Input    struct{ Micro []row }
		Expected map[string][]row
	}
	sharedtest.Case(t, "table_gauss_magnitude1", &in)
	rules := map[string]func(c Contribution, n int32) bool{
		"few_contributors_maxN1": func(_ Contribution, n int32) bool { return (Frequency{2}).Unsafe(int64(n)) },
		"dominance_1_80":         func(c Contribution, _ int32) bool { return Dominance{1, 80}.Unsafe(c, WeightedTotal, OnLimitUnsafe) },
		"dominance_2_90":         func(c Contribution, _ int32) bool { return Dominance{2, 90}.Unsafe(c, WeightedTotal, OnLimitUnsafe) },
		"p_percent_10":           func(c Contribution, _ int32) bool { return PPercent{P: 10}.Unsafe(c, WeightedTotal, OnLimitSafe) },
	}
	for name, unsafe := range rules {
		cells := in.Expected[name]
		l := Layout{N: len(cells), Start: []int32{0}}
		var r Rows
		r.Values = [][]float64{nil}
		for i, m := range in.Input.Micro {
			for k, c := range cells {
				if (c.Sector == "Total" || c.Sector == m.Sector) && (c.Geo == "Total" || c.Geo == m.Geo) {
					l.Cells = append(l.Cells, int32(k))
				}
			}
			l.Start = append(l.Start, int32(len(l.Cells)))
			r.Combination = append(r.Combination, int32(i))
			r.Contributor = append(r.Contributor, int32(m.Company[0]-'A'))
			r.Values[0] = append(r.Values[0], m.Value)
		}
		tally, err := Count(context.Background(), l, r, 4, 2)
		if err != nil {
			t.Fatal(err)
		}
		for k, c := range cells {
			if tally.Rows[k] != c.Freq {
				t.Errorf("%s: %s/%s has %d rows, want %d", name, c.Sector, c.Geo, tally.Rows[k], c.Freq)
			}
			if got := unsafe(tally.Magnitude[0].Contribution(k), tally.Employers[k]); got != c.Primary {
				t.Errorf("%s: %s/%s primary is %v, want %v", name, c.Sector, c.Geo, got, c.Primary)
			}
		}
	}
}

// TestCountAgreesWithDefinition compares with a count that follows the words.
func TestCountAgreesWithDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "rows")
		weighted := rapid.Bool().Draw(t, "weighted")
		const combinations, contributors, depth = 4, 5, 3
		l := Layout{N: 6, Start: []int32{0, 2, 4, 6, 8}, Cells: []int32{0, 4, 1, 4, 2, 5, 3, 5}} // four leaves, two totals
		r := Rows{Values: [][]float64{make([]float64, n)}}
		if weighted {
			r.Weights = make([]float64, n)
		}
		for i := range n {
			r.Combination = append(r.Combination, int32(rapid.IntRange(-1, combinations-1).Draw(t, "combination")))
			r.Contributor = append(r.Contributor, int32(rapid.IntRange(0, contributors-1).Draw(t, "contributor")))
			r.Values[0][i] = float64(rapid.IntRange(0, 9).Draw(t, "value"))
			if weighted {
				r.Weights[i] = float64(rapid.IntRange(1, 4).Draw(t, "weight"))
			}
		}
		got, err := Count(context.Background(), l, r, contributors, depth)
		if err != nil {
			t.Fatal(err)
		}
		for k := range l.N {
			sum, rows, total := [contributors]float64{}, [contributors]int64{}, 0.0
			for i, f := range r.Combination {
				if f >= 0 && slices.Contains(l.Cells[l.Start[f]:l.Start[f+1]], int32(k)) {
					w := 1.0
					if weighted {
						w = r.Weights[i]
					}
					sum[r.Contributor[i]] += r.Values[0][i]
					rows[r.Contributor[i]]++
					total += w * r.Values[0][i]
				}
			}
			var largest []float64
			employers, all := int32(0), int64(0)
			for c := range sum {
				if rows[c] > 0 {
					employers++
				}
				all += rows[c]
				if sum[c] > 0 {
					largest = append(largest, sum[c])
				}
			}
			slices.SortFunc(largest, func(a, b float64) int { return int(b - a) })
			c := got.Magnitude[0].Contribution(k)
			if c.Total != total || got.Employers[k] != employers || got.Rows[k] != all || c.N != len(largest) || got.Most[k] != slices.Max(rows[:]) {
				t.Fatalf("cell %d: total %v employers %d rows %d, want %v %d %d", k, c.Total, got.Employers[k], got.Rows[k], total, employers, all)
			}
			if d := cmp.Diff(append([]float64{}, largest[:min(depth, len(largest))]...), append([]float64{}, c.Largest...)); d != "" {
				t.Fatalf("cell %d (-want +got):\n%s", k, d)
			}
		}
	})
}

// BenchmarkCount: rows in random order, three hierarchical dimensions (2 levels
// of totals each), 1e5 cells, an employer column of 90,000.
func BenchmarkCount(b *testing.B) {
	for _, n := range []int{1e6, 4e7} {
		for _, sorted := range []bool{true, false} {
			b.Run(fmt.Sprintf("rows=%.0e/sorted=%v", float64(n), sorted), func(b *testing.B) {
				l, r := benchRows(n, sorted)
				b.ResetTimer()
				for range b.N {
					t, err := Count(context.Background(), l, r, 90_000, 2)
					if err != nil {
						b.Fatal(err)
					}
					unsafe := 0
					for k := range l.N {
						c := t.Magnitude[0].Contribution(k)
						if (Frequency{10}).Unsafe(t.Rows[k]) || (Dominance{2, 90}).Unsafe(c, WeightedTotal, OnLimitSafe) || (PPercent{P: 10}).Unsafe(c, WeightedTotal, OnLimitSafe) {
							unsafe++
						}
					}
					b.ReportMetric(float64(unsafe), "unsafe")
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func benchRows(n int, sorted bool) (Layout, Rows) {
	const side, groups = 40, 5 // 40 leaves, 5 groups, 1 total per dimension: 46^3 cells
	node := side + groups + 1
	l := Layout{N: node * node * node, Start: []int32{0}}
	up := func(x int) [3]int { return [3]int{x, side + x%groups, side + groups} }
	for a := range side {
		for b := range side {
			for c := range side {
				for _, i := range up(a) {
					for _, j := range up(b) {
						for _, k := range up(c) {
							l.Cells = append(l.Cells, int32((i*node+j)*node+k))
						}
					}
				}
				l.Start = append(l.Start, int32(len(l.Cells)))
			}
		}
	}
	r := Rows{Combination: make([]int32, n), Contributor: make([]int32, n), Values: [][]float64{make([]float64, n)}}
	s := rng.Sim(1).Stream(1, 1)
	for i := range n {
		e := s.IntN(90_000)
		if sorted {
			e = i * 90_000 / n
		}
		// An employer has one sector and place, its workers a third dimension.
		r.Combination[i] = int32((e%side*side+e/side%side)*side + s.IntN(side))
		r.Contributor[i] = int32(e)
		r.Values[0][i] = float64(20_000 + s.IntN(60_000))
	}
	return l, r
}
