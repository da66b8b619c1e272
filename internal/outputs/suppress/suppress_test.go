package suppress

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
	"pgregory.net/rapid"

	"scramblelab/internal/sharedtest"
)

var ctx = context.Background()

func TestNew(t *testing.T) {
	dims := []Dimension{tree("nace", 2, 2), flat("level", 2)}
	one, _ := cross(dims, []int{0}, func([]int32) float64 { return 1 })
	two, _ := cross(dims, []int{0, 1}, func([]int32) float64 { return 1 })
	s := must(dims, one, two)
	if s.N != 21 {
		t.Errorf("%d cells, want 21: the table by nace is the margin of the other", s.N)
	}
	// 3 sums of nace for each of 1+3 columns (once more in the margin), 7 sums of level.
	if s.Relations() != 3+3*3+7 {
		t.Errorf("%d relations, want 19", s.Relations())
	}

	for _, tt := range []struct {
		name, why string
		spoil     func(*Table)
		want      []Fault
	}{
		{"twice", "a cell with two values has none", func(t *Table) { t.Nodes[0][6], t.Nodes[1][6] = 5, 0 },
			[]Fault{{0, 6, "stands twice: nace=2.1"}}},
		{"missing total", "a relation without its total cannot be checked", func(t *Table) {
			for k := range t.Nodes {
				t.Nodes[k] = slices.Delete(slices.Clone(t.Nodes[k]), 1, 2)
			}
		}, []Fault{
			{0, 2, "its total is missing: nace=1 (nace)"}, {0, 3, "its total is missing: nace=1 (nace)"},
			{0, 7, "its total is missing: nace=1 (level)"}, {0, 14, "its total is missing: nace=1 (level)"},
		}},
	} {
		spoilt := Table{Name: "spoilt", Dims: two.Dims, Nodes: [][]int32{slices.Clone(two.Nodes[0]), slices.Clone(two.Nodes[1])}}
		tt.spoil(&spoilt)
		_, got, err := New(dims, []Table{spoilt})
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b Fault) int { return a.Row - b.Row })
		if tt.name == "missing total" {
			got = got[:min(len(got), 4)]
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.name, tt.why, d)
		}
	}
}

func TestDiscrepancies(t *testing.T) {
	dims := []Dimension{flat("level", 2)}
	tab, v := cross(dims, []int{0}, func([]int32) float64 { return 5 })
	s := must(dims, tab)
	if at, _ := s.Discrepancies(v, 0); at != nil {
		t.Errorf("10 = 5 + 5 is wrong at %v", at)
	}
	v[0] = 12
	if at, d := s.Discrepancies(v, 0.5); len(at) != 1 || d[0] != 2 {
		t.Errorf("12 = 5 + 5 passes: %v %v", at, d)
	}
}

// TestHandbookInterval is example 3 of the handbook: a 2 x 2 block between
// published margins.
func TestHandbookInterval(t *testing.T) {
	var in struct {
		Cases []struct {
			Name     string
			Expected map[string][2]float64
		}
	}
	sharedtest.Case(t, "table_rules_handbook", &in)
	dims := []Dimension{flat("row", 3), flat("column", 2)}
	leaf := [][]float64{{5, 2}, {1, 2}, {3, 3}}
	tab, v := cross(dims, []int{0, 1}, func(n []int32) float64 { return leaf[n[0]-1][n[1]-1] })
	s := must(dims, tab)
	hidden := make([]bool, s.N)
	var cells []int32
	at := map[string]int32{}
	for c := range int32(s.N) {
		n := s.Coordinates(c)
		if (n[0] == 1 || n[0] == 2) && n[1] > 0 {
			hidden[c] = true
			cells = append(cells, c)
			at[fmt.Sprintf("x%d%d", n[0], n[1])] = c
		}
	}
	for _, c := range in.Cases {
		for name, want := range c.Expected {
			g, err := newProgram(ctx, s, hidden, cells, v)
			if err != nil {
				t.Fatal(err)
			}
			low, high, _, err := g.interval(at[name])
			if d := cmp.Diff(want, [2]float64{low, high}, cmpopts.EquateApprox(0, 1e-9)); d != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
			}
		}
	}
}

// TestSimplexAgreesWithGonum compares with another solver where that finds an
// answer: it fails on some degenerate tables, and cycles on others.
func TestSimplexAgreesWithGonum(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		s, v := draw(t)
		hidden := make([]bool, s.N)
		for c := range hidden {
			hidden[c] = v[c] > 0 && rapid.IntRange(0, 2).Draw(t, "suppressed") > 0
		}
		block, sizes := blocks(s, hidden)
		for b, n := range sizes {
			var cells []int32
			for c := range hidden {
				if block[c] == int32(b) {
					cells = append(cells, int32(c))
				}
			}
			rows, _ := independent(ctx, s, hidden, cells)
			if n > 14 || len(rows) == 0 || len(rows) >= n {
				continue
			}
			g, err := newProgram(ctx, s, hidden, cells, v)
			if err != nil {
				t.Fatal(err)
			}
			low, high, _, err := g.interval(cells[0])
			if err != nil {
				t.Fatal(err)
			}
			if truth := v[cells[0]]; low > truth+1e-6 || high < truth-1e-6 {
				t.Fatalf("the true value %v is not in [%v, %v]", truth, low, high)
			}
			a, rhs := mat.NewDense(len(rows), n, nil), make([]float64, len(rows))
			for i, r := range rows {
				for k, c := range s.cells[s.start[r]:s.start[r+1]] {
					if j := slices.Index(cells, c); j >= 0 {
						sign := 1.0
						if k == 0 {
							sign = -1
						}
						a.Set(i, j, sign)
						rhs[i] += sign * v[c]
					}
				}
			}
			for _, sign := range []float64{1, -1} {
				cost := make([]float64, n)
				cost[0] = sign
				got, _, err := lp.Simplex(cost, a, rhs, 1e-9, nil)
				want := low
				if sign < 0 {
					want = high
				}
				switch {
				case err == lp.ErrUnbounded && !math.IsInf(want, 1):
					t.Fatalf("%v, gonum says unbounded", want)
				case err == nil && math.Abs(sign*got-want) > 1e-6:
					t.Fatalf("%v, gonum says %v", want, sign*got)
				case err == nil:
					compared++
				}
			}
		}
	})
	t.Logf("%d programs compared", compared)
}

// TestSimplexStops: a program of the largest block that is solved ends soon after
// its context does, and what it leaves open is not called safe.
func TestSimplexStops(t *testing.T) {
	dims := []Dimension{flat("a", 22), flat("b", 22)}
	tab, v := cross(dims, []int{0, 1}, func(n []int32) float64 { return float64(1 + (n[0]*7+n[1]*13)%11) })
	s := must(dims, tab)
	hidden := make([]bool, s.N)
	var cells []int32
	for c := range int32(s.N) {
		if n := s.Coordinates(c); n[0] > 0 && n[1] > 0 {
			hidden[c] = true
			cells = append(cells, c)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	g, err := newProgram(stopped, s, hidden, cells, v)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if _, _, _, err := g.interval(cells[0]); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(begin)
	cancel()
	begin = time.Now()
	if _, _, _, err = g.interval(cells[1]); !errors.Is(err, errStopped) {
		t.Errorf("%v, want %v", err, errStopped)
	}
	if _, err := newProgram(stopped, s, hidden, cells, v); err == nil {
		t.Error("a program was set up after its context ended")
	}
	t.Logf("%d cells: %v to solve, %v to stop", len(cells), whole, time.Since(begin))
	p := &Problem{System: s, Values: [][]float64{v}, Counts: []bool{true}, Cost: v, Needs: []Need{{Cell: cells[0], Up: []float64{1e6}, Down: []float64{0}}}}
	verdict, err := Check(ctx, p, hidden, Options{Program: 1})
	if err != nil {
		t.Fatal(err)
	}
	if f := verdict.Findings[0]; f.Safety != ExactlySafe || !strings.Contains(f.Reason, "no time was left") {
		t.Errorf("%v: %s", f.Safety, f.Reason)
	}
}

// draw makes linked hierarchical tables with small counts.
func draw(t *rapid.T) (*System, []float64) {
	shape := func(name string) Dimension {
		if rapid.Bool().Draw(t, name+" is a tree") {
			return tree(name, rapid.IntRange(1, 2).Draw(t, "groups"), rapid.IntRange(1, 3).Draw(t, "leaves"))
		}
		return flat(name, rapid.IntRange(1, 4).Draw(t, "categories"))
	}
	dims := []Dimension{shape("a"), shape("b"), shape("c")}
	full := map[[3]int32]float64{}
	value := func(n [3]int32) float64 {
		if _, ok := full[n]; !ok {
			full[n] = float64(rapid.SampledFrom([]int{0, 1, 1, 2, 3, 5, 9}).Draw(t, "count"))
		}
		return full[n]
	}
	_, cube := cross(dims, []int{0, 1, 2}, func(n []int32) float64 { return value([3]int32(n)) })
	margin := func(node []int32, use []int) float64 {
		var n [3]int32
		for k, d := range use {
			n[d] = node[k]
		}
		return cube[int(n[0])+len(dims[0].Parent)*(int(n[1])+len(dims[1].Parent)*int(n[2]))]
	}
	var tables []Table
	var values [][]float64
	for _, use := range rapid.SampledFrom([][][]int{{{0}}, {{0, 1}}, {{0, 1}, {0, 2}}, {{0, 1}, {1, 2}, {0, 2}}, {{0, 1, 2}}, {{0, 1, 2}, {0}}}).Draw(t, "tables") {
		tab, v := cross(dims, use, func(n []int32) float64 { return margin(n, use) })
		tables, values = append(tables, tab), append(values, v)
	}
	s := must(dims, tables...)
	all := make([]float64, s.N)
	for k, tab := range s.Tables {
		for i, c := range tab.Cells {
			all[c] = values[k][i]
		}
	}
	return s, all
}

// rational decides derivability over the rational numbers, by the definition.
func rational(s *System, hidden []bool) (derivable map[int32]bool) {
	var cells []int32
	column := map[int32]int{}
	for c := range int32(s.N) {
		if hidden[c] {
			column[c] = len(cells)
			cells = append(cells, c)
		}
	}
	var rows [][]*big.Rat
	for r := range s.Relations() {
		row := make([]*big.Rat, len(cells))
		for j := range row {
			row[j] = new(big.Rat)
		}
		rel := s.Relation(r)
		if j, ok := column[rel.Total]; ok {
			row[j].SetInt64(-1)
		}
		for _, c := range rel.Parts {
			if j, ok := column[c]; ok {
				row[j].SetInt64(1)
			}
		}
		rows = append(rows, row)
	}
	lead := 0
	for j := range cells { // reduced row echelon form
		p := slices.IndexFunc(rows[lead:], func(r []*big.Rat) bool { return r[j].Sign() != 0 })
		if p < 0 {
			continue
		}
		rows[lead], rows[lead+p] = rows[lead+p], rows[lead]
		f := new(big.Rat).Inv(rows[lead][j])
		for k := range cells {
			rows[lead][k].Mul(rows[lead][k], f)
		}
		for i := range rows {
			if i != lead && rows[i][j].Sign() != 0 {
				f := new(big.Rat).Set(rows[i][j])
				for k := range cells {
					rows[i][k].Sub(rows[i][k], new(big.Rat).Mul(f, rows[lead][k]))
				}
			}
		}
		if lead++; lead == len(rows) {
			break
		}
	}
	derivable = map[int32]bool{}
	for _, row := range rows[:lead] {
		only := -1
		for j, x := range row {
			if x.Sign() != 0 {
				if only >= 0 {
					only = -2
					break
				}
				only = j
			}
		}
		if only >= 0 {
			derivable[cells[only]] = true
		}
	}
	return derivable
}

func TestEliminationIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := draw(t)
		hidden := make([]bool, s.N)
		share := rapid.IntRange(1, 9).Draw(t, "tenths suppressed")
		for c := range hidden {
			hidden[c] = rapid.IntRange(0, 9).Draw(t, "suppressed") < share
		}
		e, err := Eliminate(ctx, s, hidden, 3)
		if err != nil {
			t.Fatal(err)
		}
		want := rational(s, hidden)
		for c := range int32(s.N) {
			if hidden[c] && e.Derivable(c) != want[c] {
				t.Fatalf("%s: derivable is %v, want %v", s.Name(c), e.Derivable(c), want[c])
			}
		}
		// What somebody knows is as good as published.
		known := int32(slices.Index(hidden, true))
		if known < 0 {
			return
		}
		without := slices.Clone(hidden)
		without[known] = false
		told := rational(s, without)
		for c := range int32(s.N) {
			if hidden[c] && c != known {
				if got, ok := e.Reveals([]int32{known}, c); !ok || got != (told[c] || want[c]) {
					t.Fatalf("with %s known, %s is revealed: %v, want %v", s.Name(known), s.Name(c), got, told[c])
				}
			}
		}
	})
}

// solutions calls f with every table of whole non-negative numbers that agrees
// with what is published, at most most of them; false if there are more.
func solutions(s *System, hidden []bool, truth []float64, most int, f func([]int)) bool {
	value := make([]int, s.N)
	known := make([]bool, s.N)
	grand := 0
	var cells []int32
	for c := range s.N {
		if hidden[c] {
			cells = append(cells, int32(c))
		} else {
			value[c], known[c] = int(truth[c]), true
		}
		grand = max(grand, int(truth[c]))
	}
	limit := grand + 4 // an open total may grow: far enough to see every protection
	steps := 0
	// infer fixes what follows at once and reports a contradiction.
	infer := func(trail *[]int32) bool {
		for changed := true; changed; {
			changed = false
			for r := range s.Relations() {
				rel := s.Relation(r)
				open, sum, last := 0, 0, int32(-1)
				for _, c := range rel.Parts {
					if known[c] {
						sum += value[c]
					} else {
						open++
						last = c
					}
				}
				switch {
				case known[rel.Total] && open == 0 && sum != value[rel.Total]:
					return false
				case known[rel.Total] && sum > value[rel.Total]:
					return false
				case known[rel.Total] && open == 1:
					value[last], known[last] = value[rel.Total]-sum, true
					*trail = append(*trail, last)
					changed = true
				case !known[rel.Total] && open == 0:
					value[rel.Total], known[rel.Total] = sum, true
					*trail = append(*trail, rel.Total)
					changed = true
				}
			}
		}
		return true
	}
	var try func() bool
	try = func() bool {
		if steps++; steps > most {
			return false
		}
		var trail []int32
		defer func() {
			for _, c := range trail {
				known[c] = false
			}
		}()
		if !infer(&trail) {
			return true
		}
		next := int32(-1)
		for _, c := range cells {
			if !known[c] {
				next = c
				break
			}
		}
		if next < 0 {
			f(value)
			return true
		}
		for v := 0; v <= limit; v++ {
			value[next], known[next] = v, true
			ok := try()
			known[next] = false
			if !ok {
				return false
			}
		}
		return true
	}
	return try()
}

// TestExhaustiveAttacker: an intruder who goes through all tables of whole
// numbers never narrows a cell that is called interval safe below its rule, and
// never pins down one that is called exactly safe unless positivity does it.
func TestExhaustiveAttacker(t *testing.T) {
	tried, safe := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s, v := draw(t)
		p := frequencies(s, v, 3, rapid.Bool().Draw(t, "singles"))
		pattern, err := Find(ctx, p, Options{Starts: 2})
		if err != nil {
			t.Fatal(err)
		}
		verdict, err := Check(ctx, p, pattern.Suppressed, Options{Proofs: pattern.Proofs})
		if err != nil {
			t.Fatal(err)
		}
		low, high := slices.Repeat([]int{math.MaxInt}, s.N), slices.Repeat([]int{math.MinInt}, s.N)
		if !solutions(s, pattern.Suppressed, v, 4_000, func(x []int) {
			for c, y := range x {
				low[c], high[c] = min(low[c], y), max(high[c], y)
			}
		}) {
			return // too many tables to go through
		}
		tried++
		for _, f := range verdict.Findings {
			n := p.Needs[f.Need]
			truth := int(v[n.Cell])
			for _, m := range f.Moves {
				if !m.Holds(s, pattern.Suppressed) {
					t.Fatalf("%s: the move printed as proof breaks a sum", s.Name(n.Cell))
				}
			}
			if f.Safety == IntervalSafe {
				safe++
				if float64(high[n.Cell]-truth) < n.Up[0] || float64(truth-low[n.Cell]) < n.Down[0] {
					t.Fatalf("%s = %d is called interval safe but lies in [%d, %d]", s.Name(n.Cell), truth, low[n.Cell], high[n.Cell])
				}
			}
			if f.Safety < ExactlySafe && f.Safety != Known {
				t.Fatalf("%s is %v: %s", s.Name(n.Cell), f.Safety, f.Reason)
			}
		}
	})
	t.Logf("%d tables gone through, %d cells interval safe", tried, safe)
}

// TestTimeLimit: with no time at all the pattern is larger, and as valid.
func TestTimeLimit(t *testing.T) {
	dims := []Dimension{tree("a", 3, 3), tree("b", 3, 3), tree("c", 3, 3)}
	tab, v := cross(dims, []int{0, 1, 2}, sparse(3))
	p := frequencies(must(dims, tab), v, 5, false)
	slow, err := Find(ctx, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	fast, err := Find(ctx, p, Options{Search: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []*Pattern{slow, fast} {
		v, err := Check(ctx, p, q.Suppressed, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if v.Worst() < ExactlySafe {
			t.Errorf("hurried %v: worst is %v", q.HurriedOn, v.Worst())
		}
	}
	if !fast.HurriedOn || fast.Loss < slow.Loss {
		t.Errorf("a search of no time loses %v, one of ten seconds %v", fast.Loss, slow.Loss)
	}
}
