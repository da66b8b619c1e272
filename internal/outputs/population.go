package outputs

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"scramblelab/internal/outputs/suppress"
)

// relatives is how the populations of a project stand to each other, as today's
// rules and earlier entries of the ledger say.
type relatives struct {
	within map[string]string
	apart  map[[2]string]bool
}

// relate gathers how populations stand to each other. A table about some of the
// rows (where) is about a part of the file's population.
func (c *check) relate() {
	c.relatives = relatives{map[string]string{}, map[[2]string]bool{}}
	put := func(name, within, who string) {
		switch old := c.relatives.within[name]; {
		case within == "" || old == within || within == name:
		case old != "":
			c.report.hold("population %q is within %q, and was within %q in %s: one of the two is another population, name it so", name, old, within, who)
		default:
			c.relatives.within[name] = within
		}
	}
	for _, p := range c.rules.Populations {
		put(p.Name, p.Within, "the rules")
		for _, a := range p.Apart {
			c.relatives.apart[[2]string{p.Name, a}], c.relatives.apart[[2]string{a, p.Name}] = true, true
		}
	}
	for _, t := range c.rules.Tables {
		if len(t.Where) > 0 && c.relatives.within[t.Population] == "" {
			put(t.Population, c.rules.Population, "the rules")
		}
	}
	for _, p := range c.before {
		put(p.population, p.table.Within, p.name)
	}
	for _, p := range c.stats {
		put(p.population, p.within, p.name)
	}
	for name := range c.relatives.within {
		for up, steps := c.relatives.within[name], 0; up != ""; up, steps = c.relatives.within[up], steps+1 {
			if steps > len(c.relatives.within) {
				c.fault("population %q is within itself, if earlier releases are right: give it another name", name)
				clear(c.relatives.within)
				return
			}
		}
	}
}

// root returns the widest population that one is declared to be a part of: all
// below it are one system.
func (r relatives) root(name string) string {
	for r.within[name] != "" {
		name = r.within[name]
	}
	return name
}

// Nodes of a dimension of membership.
const (
	rest    = 1
	members = 2
)

// membership gives a group a dimension for every population that is a part of
// another one: all, the rest, and the members.
func (c *check) membership(g *group, populations []string) {
	g.dims = slices.Clone(c.dims)
	g.member = map[string]int{}
	for _, p := range populations {
		for up := p; c.relatives.within[up] != ""; up = c.relatives.within[up] {
			if _, ok := g.member[up]; !ok {
				g.member[up] = -1
			}
		}
	}
	names := make([]string, 0, len(g.member))
	for p := range g.member {
		names = append(names, p)
	}
	slices.Sort(names)
	for _, p := range names {
		g.member[p] = len(g.dims)
		g.dims = append(g.dims, suppress.Dimension{
			Name: "population", Labels: []string{c.relatives.within[p], c.relatives.within[p] + " without " + p, p}, Parent: []int32{-1, 0, 0},
		})
	}
}

// membersOf lists the dimensions of membership in which a population is not the
// total, ascending.
func (c *check) membersOf(g *group, population string) (dims []int) {
	for p := population; c.relatives.within[p] != ""; p = c.relatives.within[p] {
		dims = append(dims, g.member[p])
	}
	slices.Sort(dims)
	return dims
}

// placed extends the dimensions of a table on a population by its membership.
// last replaces "members" in the population's own dimension.
func (c *check) placed(g *group, population string, name string, dims []int, nodes [][]int32, rows int, last int32) suppress.Table {
	t := suppress.Table{Name: name, Dims: slices.Clone(dims), Nodes: slices.Clone(nodes)}
	for _, d := range c.membersOf(g, population) {
		node := int32(members)
		if d == g.member[population] {
			node = last
		}
		t.Dims, t.Nodes = append(t.Dims, d), append(t.Nodes, slices.Repeat([]int32{node}, rows))
	}
	return t
}

// counted is a table of today or of earlier, as far as complements need it.
type counted struct {
	name       string
	population string
	dims       []int
	nodes      [][]int32
	names      []string
	values     [][]float64
	counts     []bool
	staff      []float64 // employers; nil if not known
	rows       int
}

// complement is a table of what a population leaves of a wider one. Nobody
// publishes it; it follows by subtraction.
type complement struct {
	counted
	of, part string // names of the two tables
}

// complements derives the tables of what declared parts leave, one for each pair
// of tables, as far as both show the same categories.
func (c *check) complements(tables []counted) (out []complement) {
	for _, a := range tables {
		for _, q := range tables {
			if wide := c.relatives.within[a.population]; wide != "" && q.population == wide {
				if r, ok := c.leave(q, a); ok {
					out = append(out, r)
				}
			}
		}
	}
	return out
}

// leave subtracts a part from a wider table.
func (c *check) leave(q, a counted) (complement, bool) {
	out := complement{counted: counted{name: q.name + " less " + a.name, population: a.population}, of: q.name, part: a.name}
	for _, d := range a.dims {
		if slices.Contains(q.dims, d) {
			out.dims = append(out.dims, d)
		}
	}
	wide, part := c.margin(q, out.dims), c.margin(a, out.dims)
	common := make([][]int32, len(out.dims))
	for k, d := range out.dims {
		if common[k] = commonNodes(c.dims[d].Parent, shownBy(q, d), shownBy(a, d)); common[k] == nil {
			return out, false
		}
	}
	var pairs [][2]int
	for m, name := range q.names {
		if i := slices.Index(a.names, name); i >= 0 {
			out.names, out.counts = append(out.names, name), append(out.counts, q.counts[m])
			out.values = append(out.values, nil)
			pairs = append(pairs, [2]int{m, i})
		}
	}
	out.nodes = make([][]int32, len(out.dims))
	node := make([]int32, len(c.dims))
	var walk func(k int)
	walk = func(k int) {
		if k < len(out.dims) {
			for _, n := range common[k] {
				node[out.dims[k]] = n
				walk(k + 1)
			}
			node[out.dims[k]] = 0
			return
		}
		key := keyOf(node)
		i, inWide := wide[key]
		j, inPart := part[key]
		if !inWide && !inPart {
			return
		}
		for k, d := range out.dims {
			out.nodes[k] = append(out.nodes[k], node[d])
		}
		out.rows++
		for m, p := range pairs {
			x, y := 0.0, 0.0
			if inWide {
				x = q.values[p[0]][i]
			}
			if inPart {
				y = a.values[p[1]][j]
			}
			if x-y < -1e-6*math.Max(1, math.Abs(x)) {
				c.fault("%s, %s: %s is %v, more than the %v of %s, and %q is said to be within %q", a.name, c.nodeName(node), out.names[m], y, x, q.name, a.population, q.population)
			}
			out.values[m] = append(out.values[m], max(0, x-y))
		}
		staff := math.NaN()
		if q.staff != nil && a.staff != nil {
			staff = 0
			if inWide {
				staff += q.staff[i]
			}
			if inPart {
				staff -= a.staff[j]
			}
		}
		out.staff = append(out.staff, staff)
	}
	walk(0)
	return out, out.rows > 0 && c.bad == nil
}

func (c *check) nodeName(node []int32) string {
	s := ""
	for d, n := range node {
		if n != 0 {
			s += or(map[bool]string{true: ", "}[s != ""], "") + c.dims[d].Name + "=" + c.dims[d].Labels[n]
		}
	}
	return or(s, "the grand total")
}

// margin finds the rows of a table that are totals in all but some dimensions.
func (c *check) margin(t counted, keep []int) map[string]int {
	out := map[string]int{}
	node := make([]int32, len(c.dims))
rows:
	for i := range t.rows {
		clear(node)
		for k, d := range t.dims {
			if n := t.nodes[k][i]; slices.Contains(keep, d) {
				node[d] = n
			} else if n != 0 {
				continue rows
			}
		}
		out[keyOf(node)] = i
	}
	return out
}

func shownBy(t counted, d int) map[int32]bool {
	out := map[int32]bool{}
	for _, n := range t.nodes[slices.Index(t.dims, d)] {
		out[n] = true
	}
	return out
}

// commonNodes lists the categories down to which two tables agree on how a total
// splits up, so that their differences add up. A category that only one of them
// has beside shown sisters is empty in the other.
func commonNodes(parent []int32, wide, part map[int32]bool) (nodes []int32) {
	below := func(shown map[int32]bool, up int32) (out []int32) {
		for n, p := range parent {
			for ; p >= 0 && p != up && !shown[p]; p = parent[p] {
			}
			if p == up && shown[int32(n)] {
				out = append(out, int32(n))
			}
		}
		return out
	}
	var down func(n int32)
	down = func(n int32) {
		nodes = append(nodes, n)
		x, y := below(wide, n), below(part, n)
		if x == nil || y == nil {
			return
		}
		sisters := true
		for _, k := range append(slices.Clone(x), y...) {
			sisters = sisters && parent[k] == n
		}
		if !sisters && !slices.Equal(x, y) {
			return
		}
		for _, k := range y {
			if !slices.Contains(x, k) {
				x = append(x, k)
			}
		}
		slices.Sort(x)
		for _, k := range x {
			down(k)
		}
	}
	if wide[0] && part[0] {
		down(0)
	}
	return nodes
}

// needComplements makes the small cells of complements sensitive.
func (c *check) needComplements(g *group) {
	k := float64(c.rules.Differencing.N)
	for i, r := range g.rest {
		cells := g.system.Tables[g.firstRest+i].Cells
		for row, cell := range cells {
			for m, name := range r.names {
				d, who := r.values[m][row], r.staff[row]
				few := who > 0 && who < c.fewEmployers()
				if !r.counts[m] || !(d > 0 && (d < k || few)) {
					continue
				}
				node := make([]int32, len(c.dims))
				for j, d := range r.dims {
					node[d] = r.nodes[j][row]
				}
				where := c.nodeName(node)
				sentence := fmt.Sprintf("%s leaves %v: %s less %s", name, d, r.of, r.part)
				room := [2]float64{max(0, k-d), 0}
				if d >= k {
					sentence += fmt.Sprintf(", of %v employers", who)
					safe := math.Ceil(c.rules.Rules.SafetyRange / 100 * d)
					room = [2]float64{safe, safe}
				}
				c.report.Differences = append(c.report.Differences, Difference{File: filepath.Base(r.part), Cell: where, Against: r.of, Units: d, Exact: true, Sentence: sentence})
				g.want(cell, "complement at "+where+": "+sentence, map[string][2]float64{name: room})
			}
		}
	}
}
