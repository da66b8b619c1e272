package outputs

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"scramblelab/internal/outputs/suppress"
)

// crossing is a table of two dimensions that hang together, such as two ways to
// cut ages into classes: nobody publishes it, and everybody knows which of its
// cells are empty. What two tables show of the same people, one by each dimension,
// follows through it.
type crossing struct {
	counted
	table *table   // of today, whose rows of the microdata it counts
	few   []string // why a cell is sensitive, "" if it is not
	alone []string // the only contributor of a cell, "" where there are several
}

// mostCrossed is how many cells of one crossing are linked; beyond it the release
// is held back.
const mostCrossed = 200_000

// expectedAtLeast is how many employers an empty pair of categories must be expected to
// have, were the dimensions independent, to count as impossible rather than as
// chance.
const expectedAtLeast = 8

// mostLookedAt is how many rows of the microdata are asked whether two dimensions
// hang together; of more, those of some employers.
const mostLookedAt = 2_000_000

// crossings finds the dimensions of the tables of a group that hang together in the
// microdata and that two tables on one population show apart from each other.
func (c *check) crossings(g *group, all []counted) (out []crossing) {
	if c.micro == nil {
		return nil
	}
	type pair struct {
		population string
		a, b       int
	}
	depend := map[pair]bool{}
	done := map[string]bool{}
	all = append(slices.Clone(all), c.toldBy(g)...)
	for i, p := range all {
		for _, q := range all[:i] {
			if p.population != q.population {
				c.kinOfParts(g, p, q)
				continue
			}
			at := slices.IndexFunc(g.tables, func(t *table) bool { return t.spec.Population == p.population })
			if at < 0 {
				continue // today's microdata are of others
			}
			for k, d := range p.dims {
				for j, e := range q.dims {
					if slices.Contains(q.dims, d) || slices.Contains(p.dims, e) {
						continue
					}
					x := pair{p.population, min(d, e), max(d, e)}
					yes, known := depend[x]
					if !known {
						yes = c.dependent(g.tables[at], d, e)
						depend[x] = yes
					}
					if !yes {
						continue
					}
					r, ok := c.cross(g, g.tables[at], p, q, k, j)
					key := fmt.Sprint(p.population, r.dims, r.nodes)
					if ok && !done[key] {
						done[key] = true
						out = append(out, r)
					}
				}
			}
		}
	}
	return out
}

// kinOfParts notes dimensions that hang together and stand in tables on a
// population and on a part of it: what the two leave is not linked through their
// crossing.
func (c *check) kinOfParts(g *group, p, q counted) {
	if len(g.kin) > 0 || !c.relatives.nested(p.population, q.population) {
		return
	}
	at := slices.IndexFunc(g.tables, func(t *table) bool { return t.spec.Population == p.population || t.spec.Population == q.population })
	for _, d := range p.dims {
		for _, e := range q.dims {
			if at >= 0 && len(g.kin) == 0 && !slices.Contains(q.dims, d) && !slices.Contains(p.dims, e) && c.dependent(g.tables[at], d, e) {
				g.kin = fmt.Sprintf("%s by %s and %s by %s are about a population and a part of it, and the two dimensions hang together in the microdata", p.name, c.dims[d].Name, q.name, c.dims[e].Name)
			}
		}
	}
}

// toldBy is what estimates of today and of earlier releases tell, as far as it is
// about single cells, as tables.
func (c *check) toldBy(g *group) (out []counted) {
	add := func(name, population string, regions []region) {
		node := [][]int32{make([]int32, len(c.dims))}
		var dims []int
		for _, r := range regions {
			for _, n := range r.parts(len(c.dims)) {
				node = append(node, n)
				for d, x := range n {
					if x != 0 && !slices.Contains(dims, d) {
						dims = append(dims, d)
					}
				}
			}
		}
		if dims == nil {
			return
		}
		slices.Sort(dims)
		t := counted{name: name, population: population, dims: dims, nodes: make([][]int32, len(dims)), rows: len(node)}
		for k, d := range dims {
			for _, n := range node {
				t.nodes[k] = append(t.nodes[k], n[d])
			}
		}
		out = append(out, t)
	}
	for _, e := range g.others {
		var regions []region
		for row := range e.shown {
			if s := &e.shown[row]; s.why == "" {
				regions = append(append(regions, s.tells...), s.model...)
			}
		}
		add(filepath.Base(e.path), e.spec.Population, regions)
	}
	byName := map[string][]region{}
	var order []*pastStat
	for _, p := range g.pastStats {
		key := p.name + "\x00" + p.population
		if byName[key] == nil {
			order = append(order, p)
		}
		byName[key] = append(byName[key], p.tells...)
	}
	for _, p := range order {
		add(p.name, p.population, byName[p.name+"\x00"+p.population])
	}
	return out
}

// nodesOfRows returns the category of every row of the microdata in a dimension, 0
// where it has none, nil where they lack the dimension.
func (c *check) nodesOfRows(d int) []int32 {
	for _, name := range c.columnsOf(d) {
		col, ok := c.micro.f.Lookup(name)
		if !ok || !col.Coded() {
			continue
		}
		code := c.codes(d, col.Dict)
		out := make([]int32, len(col.I))
		for i, v := range col.I {
			if v >= 0 {
				out[i] = max(0, code[v])
			}
		}
		return out
	}
	return nil
}

// columnsOf lists the columns of the microdata that a dimension may be in: that of
// the rules, or what an earlier release called it.
func (c *check) columnsOf(d int) []string {
	name := c.dims[d].Name
	for _, s := range c.rules.Dimensions {
		if s.Name == name {
			return []string{s.Microdata}
		}
	}
	out := []string{name}
	for _, p := range c.before {
		for _, was := range p.table.Dims {
			if was.Name == name {
				out = append(out, was.Columns...)
			}
		}
	}
	return out
}

// dependent reports whether pairs of categories have nobody though the sizes of
// both make one expect somebody: one pair several, or more pairs than chance leaves
// empty.
func (c *check) dependent(t *table, d, e int) bool {
	a, b := c.nodesOfRows(d), c.nodesOfRows(e)
	wide := len(c.dims[e].Labels)
	if a == nil || b == nil || len(c.dims[d].Labels)*wide > 1<<26 {
		return false
	}
	both := make([]float64, len(c.dims[d].Labels)*wide)
	ofA, ofB, n := make([]float64, len(c.dims[d].Labels)), make([]float64, wide), 0.0
	keep := c.keepOf(t)
	type once struct{ who, pair int32 }
	seen := map[once]bool{} // the workers of one employer are alike, so that it counts once
	stride := int32(len(a)/mostLookedAt + 1)
	for i, x := range a {
		y := b[i]
		if keep != nil && !keep[i] || x == 0 || y == 0 || c.micro.contributor[i]%stride != 0 {
			continue
		}
		k := once{c.micro.contributor[i], x*int32(wide) + y}
		if seen[k] {
			continue
		}
		seen[k] = true
		both[k.pair]++
		ofA[x]++
		ofB[y]++
		n++
	}
	empty, mean, variance := 0.0, 0.0, 0.0 // pairs without anybody, and how many chance leaves
	for x, i := range ofA {
		for y, j := range ofB {
			if i == 0 || j == 0 {
				continue
			}
			expected := float64(i*j) / n
			chance := math.Exp(-expected)
			mean, variance = mean+chance, variance+float64(chance*(1-chance))
			if both[x*wide+y] != 0 {
				continue
			}
			if empty++; expected >= expectedAtLeast {
				return true
			}
		}
	}
	return empty > mean+2.5*math.Sqrt(variance)+0.5
}

// tallied is what the microdata have of one cell of a crossing.
type tallied struct {
	node   []int32
	rows   float64
	values []float64
	who    []int32 // some of its contributors, up to as many as are too few
}

// add adds another cell; few is how many contributors are told apart.
func (x *tallied) add(o *tallied, few int) {
	x.rows += o.rows
	for m, v := range o.values {
		x.values[m] += v
	}
	for _, who := range o.who {
		if len(x.who) < few && !slices.Contains(x.who, who) {
			x.who = append(x.who, who)
		}
	}
}

// finest adds the rows of the microdata up by their categories in some dimensions.
func (c *check) finest(t *table, dims []int, nodes [][]int32, columns []func(row int) float64) (out []*tallied) {
	few, size := int(c.fewEmployers()), int64(1)
	for _, d := range dims {
		size *= int64(len(c.dims[d].Labels))
	}
	number, keep := numbering(size), c.keepOf(t)
	for row, who := range c.micro.contributor {
		if keep != nil && !keep[row] {
			continue
		}
		key := int64(0)
		for i, d := range dims {
			key = key*int64(len(c.dims[d].Labels)) + int64(nodes[i][row])
		}
		k, isNew := number.of(key)
		if isNew {
			x := &tallied{node: make([]int32, len(dims)), values: make([]float64, len(columns))}
			for i := range dims {
				x.node[i] = nodes[i][row]
			}
			out = append(out, x)
		}
		x := out[k]
		x.rows++
		for m, v := range columns {
			x.values[m] += v(row)
		}
		if len(x.who) < few && !slices.Contains(x.who, who) {
			x.who = append(x.who, who)
		}
	}
	return out
}

// cross counts the cells of a crossing: the k-th dimension of p by the j-th of q,
// within the categories that both show of others.
func (c *check) cross(g *group, t *table, p, q counted, k, j int) (crossing, bool) {
	d, e := p.dims[k], q.dims[j]
	dims := []int{d, e}
	for _, x := range p.dims {
		if slices.Contains(q.dims, x) {
			dims = append(dims, x)
		}
	}
	slices.Sort(dims)
	out := crossing{counted: counted{name: c.dims[d].Name + " by " + c.dims[e].Name, population: p.population, dims: dims}, table: t}
	names, columns := c.crossedMagnitudes(g, p.population)
	out.names = names
	shows, rows := make([]map[int32]bool, len(dims)), make([][]int32, len(dims))
	for i, x := range dims {
		if rows[i] = c.nodesOfRows(x); rows[i] == nil {
			return out, false
		}
		switch {
		case x == d:
			shows[i] = shownBy(p, x)
		case x == e:
			shows[i] = shownBy(q, x)
		default:
			shows[i] = shownBy(p, x)
			for n := range shownBy(q, x) {
				shows[i][n] = true
			}
		}
		if !shows[i][0] {
			return out, false
		}
	}
	finest := c.finest(t, dims, rows, columns)
	cells := map[string]*tallied{}
	var order []*tallied
	node := make([]int32, len(dims))
	put := func(from *tallied) {
		key := keyOf(node)
		x := cells[key]
		if x == nil {
			x = &tallied{node: slices.Clone(node), values: make([]float64, len(names))}
			cells[key] = x
			order = append(order, x)
		}
		if from != nil {
			x.add(from, int(c.fewEmployers()))
		}
	}
	var walk func(i int, from *tallied)
	walk = func(i int, from *tallied) {
		if i == len(dims) {
			put(from)
			return
		}
		for x := from.node[i]; x >= 0; x = c.dims[dims[i]].Parent[x] {
			if shows[i][x] {
				node[i] = x
				walk(i+1, from)
			}
		}
	}
	for _, x := range finest {
		if walk(0, x); len(order) > mostCrossed {
			c.report.hold("%s and %s hang together in the microdata and cross in more than %d cells, so that tables by each cannot be linked: needs review; show one of the two alone", c.dims[d].Name, c.dims[e].Name, mostCrossed)
			return out, false
		}
	}
	// Cells that a table shows though nobody is in them are no known zeros here.
	for _, s := range []counted{p, q} {
		for row := range s.rows {
			clear(node)
			inside := true
			for i, x := range s.dims {
				if at := slices.Index(dims, x); at >= 0 {
					node[at] = s.nodes[i][row]
					inside = inside && shows[at][node[at]]
				} else {
					inside = inside && s.nodes[i][row] == 0
				}
			}
			if inside {
				put(nil)
			}
		}
	}
	out.nodes = make([][]int32, len(dims))
	out.values = make([][]float64, len(names))
	s := &c.rules.Rules
	for _, x := range order {
		why := ""
		inner := x.node[slices.Index(dims, d)] > 0 && x.node[slices.Index(dims, e)] > 0
		switch {
		case !inner || x.rows == 0:
		case s.Frequency != nil && x.rows < float64(s.Frequency.N):
			why = fmt.Sprintf("minimum-frequency%s: %v, want at least %d", norm(s, s.Frequency.Norm), x.rows, s.Frequency.N)
		case s.Contributors != nil && len(x.who) < s.Contributors.Employers:
			why = fmt.Sprintf("contributors%s: %d employers, want at least %d", norm(s, s.Contributors.Norm), len(x.who), s.Contributors.Employers)
		}
		out.few = append(out.few, why)
		name := ""
		if len(x.who) == 1 {
			name = digest(c.micro.nameOf(c.rules.Microdata, x.who[0]))
		}
		out.alone = append(out.alone, name)
		for i := range dims {
			out.nodes[i] = append(out.nodes[i], x.node[i])
		}
		for m := range names {
			out.values[m] = append(out.values[m], x.values[m])
		}
		out.rows++
	}
	return out, true
}

// crossedMagnitudes lists what the tables on a population add up, with the value of
// a row of the microdata.
func (c *check) crossedMagnitudes(g *group, population string) (names []string, values []func(row int) float64) {
	weight := func(int) float64 { return 1 }
	if w := c.micro.weights; w != nil {
		weight = func(i int) float64 { return w[i] }
	}
	for _, t := range g.tables {
		for _, m := range t.spec.Measures {
			name, value := "", weight
			switch m.Is {
			case isCount:
				name = "count of " + or(m.Of, m.Column)
			case isSum, isMean:
				name = "sum of " + or(m.Of, m.Column)
			}
			if name == "" || t.spec.Population != population || slices.Contains(names, name) || m.Of == "" && m.Is != isCount {
				continue
			}
			if m.Of != "" {
				col, ok := c.micro.f.Lookup(m.Of)
				if !ok {
					continue
				}
				value = func(i int) float64 {
					v := float64(col.Value(i) * weight(i))
					if math.IsNaN(v) {
						return 0
					}
					return v
				}
			}
			names, values = append(names, name), append(values, value)
		}
	}
	return names, values
}

// gatherCrossings puts the crossings into the cells, and makes those of few
// sensitive: nobody shows them, and nobody may derive them.
func (c *check) gatherCrossings(g *group) {
	for i, x := range g.crossings {
		cells := g.system.Tables[g.firstCross+i].Cells
		for m, name := range x.names {
			at := slices.Index(g.names, name)
			if at < 0 {
				continue
			}
			for row, cell := range cells {
				if math.IsNaN(g.values[at][cell]) {
					g.values[at][cell] = x.values[m][row]
				}
			}
		}
		for row, cell := range cells {
			if x.few[row] == "" || g.shownBy(cell) < g.firstCross {
				continue
			}
			room := map[string][2]float64{}
			for m, name := range x.names {
				v := x.values[m][row]
				r := c.rules.Rules.SafetyRange / 100 * v
				if at := slices.Index(g.names, name); at >= 0 && g.counts[at] {
					r = math.Ceil(r)
					if f := c.rules.Rules.Frequency; f != nil && v < float64(f.N) {
						room[name] = [2]float64{float64(f.N) - v, 0}
						continue
					}
				}
				room[name] = [2]float64{r, r}
			}
			g.want(cell, x.few[row]+", at "+g.system.Name(cell)+", which no table shows and "+x.name+" tells", room)
		}
	}
}

// placeCrossings makes tables of the crossings.
func (c *check) placeCrossings(g *group, tables []suppress.Table) []suppress.Table {
	for _, x := range g.crossings {
		tables = append(tables, c.placed(g, x.population, x.name, x.dims, x.nodes, x.rows, members))
	}
	return tables
}
