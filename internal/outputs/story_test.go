package outputs

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"scramblelab/internal/rng"
)

// lattice is all cells of level by sex by region by membership, with their sums:
// what an intruder reasons about who has every release of a project.
type lattice struct {
	labels [4][]string
	parent [4][]int
	truth  []int
	sums   [][]int
}

func (l *lattice) at(n [4]int) int {
	i := 0
	for d := range n {
		i = i*len(l.labels[d]) + n[d]
	}
	return i
}

func (l *lattice) node(d int, label string) int { return slices.Index(l.labels[d], label) }

func (l *lattice) name(c int) string {
	s := ""
	for d := 3; d >= 0; d-- {
		s = l.labels[d][c%len(l.labels[d])] + " " + s
		c /= len(l.labels[d])
	}
	return s
}

// newLattice draws a population; members are a part of it.
func newLattice(s *rng.Stream) *lattice {
	l := &lattice{
		labels: [4][]string{{"Total", "low", "high", "A", "B", "C", "D", "E"}, {"Total", "f", "m"}, {"Total", "N", "S"}, {"all", "rest", "members"}},
		parent: [4][]int{{-1, 0, 0, 1, 1, 2, 2, 2}, {-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}},
	}
	size := 1
	for d := range l.labels {
		size *= len(l.labels[d])
	}
	l.truth = make([]int, size)
	var walk func(d int, n [4]int)
	walk = func(d int, n [4]int) {
		if d < 4 {
			for k := range l.labels[d] {
				n[d] = k
				walk(d+1, n)
			}
			return
		}
		leaf := true
		for d := range n {
			kids := []int{l.at(n)}
			for k, p := range l.parent[d] {
				if p == n[d] {
					m := n
					m[d] = k
					kids = append(kids, l.at(m))
				}
			}
			if len(kids) > 1 {
				leaf = false
				l.sums = append(l.sums, kids)
			}
		}
		if leaf && s.IntN(4) > 0 {
			l.truth[l.at(n)] = s.IntN(8)
			if n[3] == 1 { // the rest is small
				l.truth[l.at(n)] = max(0, s.IntN(8)-4)
			}
		}
	}
	walk(0, [4]int{})
	for _, d := range []int{0, 1, 2, 3} { // add up one dimension after another
		var up func(e int, n [4]int)
		up = func(e int, n [4]int) {
			if e == d {
				e++
			}
			if e < 4 {
				for k := range l.labels[e] {
					n[e] = k
					up(e+1, n)
				}
				return
			}
			for k := len(l.parent[d]) - 1; k > 0; k-- {
				from, to := n, n
				from[d], to[d] = k, l.parent[d][k]
				l.truth[l.at(to)] += l.truth[l.at(from)]
			}
		}
		up(0, [4]int{})
	}
	return l
}

// TestStory attacks whole projects: two tables of a population, a table of a part
// of it, and statistics about random cells and sums of cells, released one after
// the other with a ledger. From all that left, by whole-number search, no small
// count of a table, and none of what the part leaves, may be kept from reaching
// the threshold. The intruder reasons about all crossings of all dimensions,
// those that no table shows too.
func TestStory(t *testing.T) {
	const threshold = 4
	trials, steps := 10, 300
	if testing.Short() {
		trials = 4
	}
	hard := []uint64{34, 20, 16, 3} // each found something once
	dims := "dimensions: [{name: level, groups: {low: [A, B], high: [C, D, E]}}, {name: sex, groups: {Total: [f, m]}}, {name: region, groups: {Total: [N, S]}}]\n"
	attacked, undecided, released, told := 0, 0, 0, 0
	for trial := range trials {
		seed := uint64(trial)
		if trial < len(hard) {
			seed = hard[trial]
		}
		s := rng.Sim(seed).Stream(78, 0)
		l := newLattice(s)
		x := &intruder{sums: l.sums, low: make([]int, len(l.truth)), high: slices.Repeat([]int{400}, len(l.truth))}
		w := newWorld(t, nil)
		var secret []int
		left := map[string]bool{}
		note := func(c int) {
			if n := l.truth[c]; n > 0 && n < threshold && !slices.Contains(secret, c) {
				secret = append(secret, c)
			}
		}
		for step, table := range []struct{ dims, population string }{{"level,sex", "all"}, {"level,region", "all"}, {"level,sex", "some"}} {
			member := 0
			if table.population == "some" {
				member = 2
			}
			other := 1
			if table.dims == "level,region" {
				other = 2
			}
			var b strings.Builder
			fmt.Fprintf(&b, "%s,workers\n", table.dims)
			for k := range l.labels[0] {
				for j := range l.labels[other] {
					n := [4]int{k, 0, 0, member}
					n[other] = j
					fmt.Fprintf(&b, "%s,%s,%d\n", l.labels[0][k], l.labels[other][j], l.truth[l.at(n)])
				}
			}
			stats := "statistic,variable,level,sex,region,value,n\n"
			for range 3 {
				n := [4]int{s.IntN(8), s.IntN(3), s.IntN(3), member}
				v := l.truth[l.at(n)]
				if m := n; s.Bool(0.5) && n[1] == 0 { // a share of women
					m[1] = 1
					stats += fmt.Sprintf("count,sex=f,%s,%s,%s,%d,%d\n", l.labels[0][n[0]], "Total", l.labels[2][n[2]], l.truth[l.at(m)], v)
				} else {
					stats += fmt.Sprintf("mean,wage,%s,%s,%s,2400,%d\n", l.labels[0][n[0]], l.labels[1][n[1]], l.labels[2][n[2]], v)
				}
			}
			two := [2]int{3 + s.IntN(5), 3 + s.IntN(5)}
			sex := s.IntN(3)
			sum := 0
			union := []int{}
			for _, k := range slices.Compact(two[:]) {
				c := l.at([4]int{k, sex, 0, member})
				sum += l.truth[c]
				union = append(union, c)
			}
			cell := fmt.Sprintf("{level: [%s, %s]", l.labels[0][two[0]], l.labels[0][two[1]])
			if sex > 0 {
				cell += fmt.Sprintf(", sex: [%s]", l.labels[1][sex])
			}
			w.write(map[string]string{
				"t.csv": b.String(), "s.csv": stats, "u.csv": fmt.Sprintf("statistic,variable,value,n\nmean,wage,2500,%d\n", sum),
				"rules.yaml": "project: p\npopulation: " + table.population + "\npopulations: [{name: some, within: all}]\nrules: {minimum-frequency: {n: 4}}\n" + dims +
					"tables: [{file: t.csv, dimensions: [" + table.dims + "], measures: [{column: workers, is: count}]}]\n" +
					"estimates: [{file: s.csv, kind: summary, variables: [wage, age], counts: workers, dimensions: [level, sex, region]}, {file: u.csv, kind: summary, variables: [wage, age], counts: workers, cell: " + cell + "}}]\n",
			})
			out := fmt.Sprint("out", step)
			r, err := w.run(out, "t.csv", "s.csv", "u.csv")
			if err != nil {
				t.Fatalf("trial %d: %v", trial, err)
			}
			if !r.Released {
				continue
			}
			released++
			publish := func(c, n int) {
				if n != l.truth[c] {
					t.Fatalf("trial %d: %d left for %d", trial, n, l.truth[c])
				}
				x.low[c], x.high[c] = n, n
			}
			for k := range l.labels[0] {
				for j := range l.labels[other] {
					for m := range 3 {
						n := [4]int{k, 0, 0, m}
						n[other] = j
						if m == member || m == 1 && member == 2 && (left[table.dims] || j == 0 && len(left) > 0) {
							note(l.at(n)) // of the rest as far as both tables show it
						}
					}
				}
			}
			if member == 0 {
				left[table.dims] = true
			}
			lines := func(file string) [][]string {
				b, err := os.ReadFile(w.path(out + "/release/" + file))
				if err != nil {
					t.Fatal(err)
				}
				var rows [][]string
				for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
					if line != "" {
						rows = append(rows, strings.Split(line, ","))
					}
				}
				return rows
			}
			for _, f := range lines("t.csv") {
				if f[3] != "yes" {
					n := [4]int{l.node(0, f[0]), 0, 0, member}
					n[other] = l.node(other, f[1])
					v, _ := strconv.Atoi(f[2])
					publish(l.at(n), v)
				}
			}
			for _, f := range lines("s.csv") {
				n := [4]int{l.node(0, f[2]), l.node(1, f[3]), l.node(2, f[4]), member}
				v, _ := strconv.Atoi(f[6])
				publish(l.at(n), v)
				told++
				if f[0] == "count" {
					n[1] = 1
					v, _ := strconv.Atoi(f[5])
					publish(l.at(n), v)
				}
			}
			if rows := lines("u.csv"); len(rows) > 0 && len(union) == 2 {
				v, _ := strconv.Atoi(rows[0][3])
				c := len(x.low)
				x.low, x.high = append(x.low, v), append(x.high, v)
				x.sums = append(x.sums, append([]int{c}, union...))
				told++
			}
		}
		for _, c := range secret {
			low, high := slices.Clone(x.low), slices.Clone(x.high)
			low[c] = threshold
			attacked++
			if low[c] > high[c] {
				t.Errorf("trial %d: %d left itself", trial, l.truth[c])
				continue
			}
			x.steps = steps
			switch found, decided := x.possible(low, high); {
			case !decided:
				undecided++
			case !found:
				t.Errorf("trial %d: a count of %d at %s is known to be below %d", trial, l.truth[c], l.name(c), threshold)
			}
		}
	}
	t.Logf("%d outputs of %d released, %d numbers of statistics told, %d small counts attacked, %d undecided", released, 3*trials, told, attacked, undecided)
	if attacked < 5*trials || undecided > attacked/5 || released < trials || told < trials {
		t.Error("the attack shows too little")
	}
}
