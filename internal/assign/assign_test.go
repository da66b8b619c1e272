package assign_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"scramblelab/internal/assign"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

func table(c [][]float64) func(int, int) float64 {
	return func(i, j int) float64 { return c[i][j] }
}

// brute is the least total over all ways to give rows a column of their own, or
// none at the cost unmatched.
func brute(c [][]float64, cols int, unmatched float64) float64 {
	used := make([]bool, cols)
	var walk func(int) float64
	walk = func(i int) float64 {
		if i == len(c) {
			return 0
		}
		best := unmatched + walk(i+1)
		for j := range cols {
			if !used[j] && !math.IsInf(c[i][j], 1) {
				used[j] = true
				best = min(best, c[i][j]+walk(i+1))
				used[j] = false
			}
		}
		return best
	}
	return walk(0)
}

func TestSolveCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Cost     [][]float64
			Expected float64 `json:"expected_total"`
		}
	}
	sharedtest.Case(t, "linkage_assignment_small", &c)
	for _, tc := range c.Cases {
		n := len(tc.Cost)
		colOf, total, err := assign.Solve(table(tc.Cost), n, n)
		if err != nil || total != tc.Expected {
			t.Errorf("%v: total %v (%v), want %v", tc.Cost, total, err, tc.Expected)
		}
		slices.Sort(colOf)
		for i, c := range colOf {
			if i != c {
				t.Errorf("%v is not one to one", colOf)
			}
		}
	}
}

// costs draws a small table with ties, negative numbers and forbidden pairs.
func costs(t *rapid.T) (c [][]float64, rows, cols int) {
	rows = rapid.IntRange(0, 6).Draw(t, "rows")
	cols = rapid.IntRange(0, 7).Draw(t, "cols")
	one := rapid.OneOf(rapid.Map(rapid.IntRange(-3, 6), func(i int) float64 { return float64(i) }),
		rapid.Float64Range(-10, 10), rapid.Just(math.Inf(1)))
	for range rows {
		c = append(c, rapid.SliceOfN(one, cols, cols).Draw(t, "row"))
	}
	return c, rows, cols
}

func TestSolveAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, rows, cols := costs(t)
		if rows > cols {
			t.Skip()
		}
		want := brute(c, cols, math.Inf(1))
		colOf, total, err := assign.Solve(table(c), rows, cols)
		if math.IsInf(want, 1) {
			if !errors.Is(err, assign.ErrInfeasible) {
				t.Fatalf("%v: %v, %v: want %v", c, colOf, err, assign.ErrInfeasible)
			}
			return
		}
		if err != nil || math.Abs(total-want) > 1e-9 {
			t.Fatalf("%v: total %v (%v), want %v", c, total, err, want)
		}
		oneToOne(t, colOf)
	})
}

func oneToOne[T int | int32](t *rapid.T, colOf []T) {
	seen := map[T]bool{}
	for _, c := range colOf {
		if c >= 0 && seen[c] {
			t.Fatalf("column %d twice in %v", c, colOf)
		}
		seen[c] = true
	}
}

func TestSparseAgainstBruteForceAndSolve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, rows, cols := costs(t)
		unmatched := rapid.OneOf(rapid.Just(math.Inf(1)), rapid.Just(2.0), rapid.Float64Range(-5, 12)).Draw(t, "unmatched")
		edges := make([][]assign.Edge, rows)
		for i, row := range c {
			for j, x := range row {
				if !math.IsInf(x, 1) || j%2 == 0 {
					edges[i] = append(edges[i], assign.Edge{Col: int32(j), Cost: x})
				}
			}
		}
		want := brute(c, cols, unmatched)
		colOf, total, err := assign.Sparse(rows, cols, edges, unmatched)
		if math.IsInf(want, 1) {
			if !errors.Is(err, assign.ErrInfeasible) {
				t.Fatalf("%v: %v, %v: want %v", c, colOf, err, assign.ErrInfeasible)
			}
			return
		}
		if err != nil || math.Abs(total-want) > 1e-9 {
			t.Fatalf("%v at %v: total %v (%v), want %v", c, unmatched, total, err, want)
		}
		oneToOne(t, colOf)
		var sum float64
		for i, j := range colOf {
			if j < 0 {
				sum += unmatched
			} else {
				sum += c[i][j]
			}
		}
		if math.Abs(sum-total) > 1e-9 {
			t.Fatalf("pairs cost %v, total says %v", sum, total)
		}
		// The order within a list is of no account, nor is a dearer double.
		for i := range edges {
			slices.Reverse(edges[i])
			if len(edges[i]) > 0 {
				e := edges[i][0]
				edges[i] = append(edges[i], assign.Edge{Col: e.Col, Cost: e.Cost + 1})
			}
		}
		again, _, err := assign.Sparse(rows, cols, edges, unmatched)
		if diff := cmp.Diff(colOf, again); diff != "" || err != nil {
			t.Fatalf("%v, reversed lists (-want +got):\n%s", err, diff)
		}
		// Solve with a column per row for staying unmatched.
		if !math.IsInf(unmatched, 1) {
			_, dense, err := assign.Solve(func(i, j int) float64 {
				switch {
				case j < cols:
					return c[i][j]
				case j == cols+i:
					return unmatched
				}
				return math.Inf(1)
			}, rows, cols+rows)
			if err != nil || math.Abs(dense-total) > 1e-9 {
				t.Fatalf("Solve says %v (%v), Sparse %v", dense, err, total)
			}
		}
	})
}

// lists draws candidate lists like those of a fingerprint attack: near
// neighbours on a line with integer sizes, so that ties abound.
func lists(rows, cols, k int) [][]assign.Edge {
	edges := make([][]assign.Edge, rows)
	for i := range edges {
		g := rng.Sim(3).Stream(1, uint64(i))
		at := g.IntN(cols)
		for range k {
			d := g.IntN(4 * k)
			edges[i] = append(edges[i], assign.Edge{Col: int32((at + d) % cols), Cost: float64(d/8) + math.Floor(4*g.Float64())})
		}
	}
	return edges
}

// TestSparseAgainstSolve: the same total on lists as an attack has them, where
// ties abound and paths are long.
func TestSparseAgainstSolve(t *testing.T) {
	for _, tc := range []struct {
		rows, cols, k int
		unmatched     float64
	}{{300, 900, 10, 500}, {300, 310, 20, 500}, {300, 300, 40, 3}, {300, 150, 20, 6}} {
		edges := lists(tc.rows, tc.cols, tc.k)
		_, got, err := assign.Sparse(tc.rows, tc.cols, edges, tc.unmatched)
		if err != nil {
			t.Fatal(err)
		}
		cost := make([]map[int]float64, tc.rows)
		for i, list := range edges {
			cost[i] = map[int]float64{}
			for _, e := range list {
				if c, ok := cost[i][int(e.Col)]; !ok || e.Cost < c {
					cost[i][int(e.Col)] = e.Cost
				}
			}
		}
		_, want, err := assign.Solve(func(i, j int) float64 {
			if c, ok := cost[i][j]; ok {
				return c
			}
			if j == tc.cols+i {
				return tc.unmatched
			}
			return math.Inf(1)
		}, tc.rows, tc.cols+tc.rows)
		if err != nil || got != want {
			t.Errorf("%+v: Sparse %v, Solve %v (%v)", tc, got, want, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name, why string
		do        func() error
	}{
		{"NaN", "no order with NaN", func() error { _, _, err := assign.Solve(table([][]float64{{1, nan}}), 1, 2); return err }},
		{"-Inf", "no total with -Inf", func() error { _, _, err := assign.Solve(table([][]float64{{math.Inf(-1)}}), 1, 1); return err }},
		{"tall", "more rows than columns", func() error { _, _, err := assign.Solve(nil, 2, 1); return err }},
		{"lists", "a list per row", func() error { _, _, err := assign.Sparse(2, 2, nil, 1); return err }},
		{"column", "column out of range", func() error { _, _, err := assign.Sparse(1, 2, [][]assign.Edge{{{2, 1}}}, 1); return err }},
		{"edge NaN", "no order with NaN", func() error { _, _, err := assign.Sparse(1, 2, [][]assign.Edge{{{1, nan}}}, 1); return err }},
		{"unmatched NaN", "no order with NaN", func() error { _, _, err := assign.Sparse(0, 2, nil, nan); return err }},
		{"tau", "no temperature", func() error { _, err := assign.Sinkhorn([][]float64{{1}}, 0, 0, 0); return err }},
		{"ragged", "rows of one length", func() error { _, err := assign.Sinkhorn([][]float64{{1, 2}, {1}}, 1, 0, 0); return err }},
		{"forbidden row", "a row without a column", func() error { _, err := assign.Sinkhorn([][]float64{{math.Inf(1)}}, 1, 0, 0); return err }},
		{"contended", "two rows share their only column", func() error {
			inf := math.Inf(1)
			_, err := assign.Sinkhorn([][]float64{{1, inf, 1}, {1, inf, inf}, {1, 1, inf}}, 1, 0, 50)
			_, err2 := assign.Sinkhorn([][]float64{{1, inf}, {1, inf}}, 1, 0, 50)
			if err != nil {
				return fmt.Errorf("feasible: %w", err)
			}
			return err2
		}},
	}
	for _, tc := range tests {
		if err := tc.do(); err == nil {
			t.Errorf("%s: no error: %s", tc.name, tc.why)
		}
	}
}

func TestFingerprintToy(t *testing.T) {
	var c struct {
		Expected struct {
			Cost     [][]float64
			Total    float64     `json:"assignment_total"`
			Sinkhorn [][]float64 `json:"sinkhorn_tau_0_05"`
		}
	}
	sharedtest.Case(t, "attack_employer_fingerprint_toy", &c)
	colOf, total, err := assign.Solve(table(c.Expected.Cost), 4, 4)
	if diff := cmp.Diff([]int{2, 1, 3, 0}, colOf); diff != "" || err != nil || math.Abs(total-c.Expected.Total) > 1e-12 {
		t.Errorf("total %v, want %v (%v); pairs (-want +got):\n%s", total, c.Expected.Total, err, diff)
	}
	post, err := assign.Sinkhorn(c.Expected.Cost, 0.05, 1e-9, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Expected.Sinkhorn, post, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSinkhornMargins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 5).Draw(t, "rows")
		cols := rows + rapid.IntRange(0, 4).Draw(t, "more")
		cost := make([][]float64, rows)
		for i := range cost {
			cost[i] = rapid.SliceOfN(rapid.Float64Range(-3, 3), cols, cols).Draw(t, "row")
		}
		post, err := assign.Sinkhorn(cost, 1, 1e-10, 0)
		if err != nil {
			t.Fatal(err)
		}
		colSum := make([]float64, cols)
		for _, row := range post {
			var s float64
			for j, p := range row {
				s += p
				colSum[j] += p
			}
			if math.Abs(s-1) > 1e-9 {
				t.Fatalf("row sums to %v", s)
			}
		}
		for j, s := range colSum {
			if s > 1+1e-8 || rows == cols && s < 1-1e-8 {
				t.Fatalf("column %d sums to %v", j, s)
			}
		}
	})
}

func BenchmarkSolve(b *testing.B) {
	for _, n := range []int{500, 1000, 2000} {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			for b.Loop() {
				assign.Solve(func(i, j int) float64 { return float64(rng.Sim(1).Uint64(2, uint64(i*n+j)) >> 40) }, n, n)
			}
		})
	}
}

func BenchmarkSparse(b *testing.B) {
	for _, tc := range []struct{ rows, cols, k int }{{3000, 9000, 50}, {3000, 3200, 200}, {3000, 90000, 200}} {
		edges := lists(tc.rows, tc.cols, tc.k)
		b.Run(fmt.Sprintf("rows=%d/cols=%d/candidates=%d", tc.rows, tc.cols, tc.k), func(b *testing.B) {
			for b.Loop() {
				assign.Sparse(tc.rows, tc.cols, edges, 500)
			}
		})
	}
	// Everybody wants the same columns, and everybody must have one.
	edges := make([][]assign.Edge, 3000)
	for i := range edges {
		g := rng.Sim(3).Stream(2, uint64(i))
		for range 200 {
			c := g.IntN(3000)
			edges[i] = append(edges[i], assign.Edge{Col: int32(c), Cost: float64(c)/100 + g.Float64()})
		}
	}
	b.Run("rows=3000/cols=3000/contended", func(b *testing.B) {
		for b.Loop() {
			assign.Sparse(3000, 3000, edges, 1e9)
		}
	})
}
