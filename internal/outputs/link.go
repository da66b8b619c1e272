package outputs

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"scramblelab/internal/outputs/suppress"
)

// group is the tables on one population and its parts, linked.
type group struct {
	population string // the widest
	dims       []suppress.Dimension
	member     map[string]int // dimension of membership of each part
	tables     []*table
	others     []*estimates
	past       []*past // earlier releases on the same population, linked as well
	pastStats  []*pastStat
	rest       []complement
	firstRest  int // its first table in the system
	crossings  []crossing
	firstCross int
	kin        string // dimensions that hang together across a population and its part
	system     *suppress.System
	names      []string // of the magnitudes that add up
	values     [][]float64
	counts     []bool
	slack      []float64 // by how much values of a cell that are no counts may be off by rounding
	staff      []float64 // employers behind each cell, NaN where no table or statistic says so
	needs      map[int32]*need
	fixed      []bool // published before
	hidden     []bool // kept back before, or told by nobody, and in no table of today
	today      []bool // in a table of today
	firstTable []int32
	pattern    *suppress.Pattern
	verdict    *suppress.Verdict
	problem    *suppress.Problem
}

// need is a sensitive cell.
type need struct {
	reason string
	room   map[string][2]float64
}

// link makes one system of the tables and estimates of each population and its
// parts.
func (c *check) link(context.Context) error {
	c.relate()
	of := func(population string) *group {
		root := c.relatives.root(population)
		i := slices.IndexFunc(c.groups, func(g *group) bool { return g.population == root })
		if i < 0 {
			i = len(c.groups)
			c.groups = append(c.groups, &group{population: root, needs: map[int32]*need{}})
		}
		return c.groups[i]
	}
	for _, t := range c.tables {
		t.group = of(t.spec.Population)
		t.index = len(t.group.tables)
		t.group.tables = append(t.group.tables, t)
	}
	for _, e := range c.others {
		e.group = of(e.spec.Population)
		e.group.others = append(e.group.others, e)
		c.regard(e)
	}
	if c.bad != nil {
		return nil
	}
	for _, g := range c.groups {
		if err := c.linkGroup(g); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) linkGroup(g *group) error {
	var populations []string
	for _, t := range g.tables {
		populations = append(populations, t.spec.Population)
	}
	for _, e := range g.others {
		populations = append(populations, e.spec.Population)
	}
	for _, p := range c.before {
		if c.relatives.root(p.population) == g.population && p.comparable {
			g.past = append(g.past, p)
			populations = append(populations, p.population)
		}
	}
	for _, p := range c.stats {
		if c.relatives.root(p.population) == g.population && p.about != nil {
			g.pastStats = append(g.pastStats, p)
			populations = append(populations, p.population)
		}
	}
	c.membership(g, populations)
	var tables []suppress.Table
	var all []counted
	for _, t := range g.tables {
		names, values, counts := t.additive()
		all = append(all, counted{filepath.Base(t.path), t.spec.Population, t.dims, t.nodes, names, values, counts, t.contributors(), len(t.rows)})
		tables = append(tables, c.placed(g, t.spec.Population, t.path, t.dims, t.nodes, len(t.rows), members))
	}
	for _, p := range g.past {
		all = append(all, p.counted())
		tables = append(tables, c.placed(g, p.population, p.name, p.dims, p.nodes, p.table.rows(), members))
	}
	g.rest, g.firstRest = c.complements(all), len(tables)
	if c.bad != nil {
		return nil
	}
	for _, r := range g.rest {
		tables = append(tables, c.placed(g, r.population, r.name, r.dims, r.nodes, r.rows, rest))
	}
	g.crossings, g.firstCross = c.crossings(g, all), len(tables)
	tables = c.placeCrossings(g, tables)
	s, err := c.newSystem(g, tables)
	if err != nil || s == nil {
		return err
	}
	if single := c.alone(g, s); single != nil {
		if s, err = c.newSystem(g, append(tables, single...)); err != nil || s == nil {
			return err
		}
	}
	g.system = s
	g.fixed, g.hidden, g.today = make([]bool, s.N), make([]bool, s.N), make([]bool, s.N)
	g.staff, g.slack = slices.Repeat([]float64{math.NaN()}, s.N), make([]float64, s.N)
	for i, t := range g.tables {
		names, values, counts := t.additive()
		for m := range names {
			c.gather(g, t, s.Tables[i].Cells, names[m], values[m], counts[m])
		}
		employers := or2(t.column(isEmployers, ""), t.contributors())
		for row, cell := range s.Tables[i].Cells {
			g.today[cell] = true
			if employers != nil {
				g.staff[cell] = employers[row]
			}
		}
	}
	slack := g.tolerances()
	for m := range g.names {
		at, by := s.Discrepancies(g.values[m], 0)
		for i, r := range at {
			rel := s.Relation(r)
			total := rel.Total
			if !g.counts[m] && math.Abs(by[i]) <= slack[total]+sumAt(slack, rel.Parts) {
				continue
			}
			c.fault("%s: %s does not add up: the total is %v, its parts differ by %v%s", g.where(total), g.names[m], g.values[m][total], by[i], remedy(g.counts[m]))
		}
	}
	if c.bad != nil {
		return nil
	}
	for i, p := range g.past {
		c.gatherPast(g, p, s.Tables[len(g.tables)+i].Cells)
	}
	for i, r := range g.rest {
		cells := s.Tables[g.firstRest+i].Cells
		for m, name := range r.names {
			values := g.magnitude(name, r.counts[m])
			for row, cell := range cells {
				values[cell] = r.values[m][row]
			}
		}
		for _, cell := range cells {
			g.hidden[cell] = true
		}
	}
	c.needComplements(g)
	c.gatherCrossings(g)
	c.gatherEstimates(g)
	c.across(g)
	c.linkPastSums(g)
	c.addEmployers(g)
	return nil
}

// remedy says what to do about sums that do not add up.
func remedy(count bool) string {
	if count {
		return "; counts add up exactly: give them as they are, before rounding"
	}
	return "; correct it, or say tolerance where values are rounded"
}

// addEmployers makes a magnitude of the employers where they add up along every
// sum. Where an employer stands in several cells they do not, and a sum with a
// suppressed partner bounds none of its parts below the total.
func (c *check) addEmployers(g *group) {
	if !slices.ContainsFunc(g.tables, func(t *table) bool { return t.column(isEmployers, "") != nil }) {
		return
	}
	if at, _ := g.system.Discrepancies(g.staff, 0); at != nil {
		return
	}
	g.names, g.values, g.counts = append(g.names, employersAdd), append(g.values, slices.Clone(g.staff)), append(g.counts, true)
}

// newSystem links tables and names what is wrong with them; it is nil then.
func (c *check) newSystem(g *group, tables []suppress.Table) (*suppress.System, error) {
	s, faults, err := suppress.New(g.dims, tables)
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		if f.Table < len(g.tables) {
			c.faultAt(g.tables[f.Table], f.Row, "%s", f.Message)
		} else {
			c.fault("%s, row %d: %s", tables[f.Table].Name, f.Row+1, f.Message)
		}
	}
	if faults != nil {
		return nil, nil //nolint:nilnil // the faults say why
	}
	return s, nil
}

func or2(a, b []float64) []float64 {
	if a != nil {
		return a
	}
	return b
}

// across adds the sums that run over several tables, names those that do not add
// up, and makes cells sensitive whose complement in a published total is small.
func (c *check) across(g *group) {
	k, slack := float64(c.rules.Differencing.N), g.tolerances()
	type bound struct {
		total int32
		parts []int32
	}
	var bounds []bound
	g.system.Across(func(total int32, parts []int32, complete bool) (holds bool) {
		defer func() {
			if !holds {
				bounds = append(bounds, bound{total, slices.Clone(parts)})
			}
		}()
		adds, told := true, false
		for m, values := range g.values {
			rest, sum := values[total], 0.0
			for _, p := range parts {
				sum += values[p]
			}
			rest -= sum
			told = told || !math.IsNaN(rest)
			tolerance := 0.0
			if !g.counts[m] {
				tolerance = slack[total] + sumAt(slack, parts)
			}
			if math.IsNaN(rest) || math.Abs(rest) <= tolerance+1e-9*math.Abs(sum) {
				continue
			}
			adds = false
			switch {
			case complete:
				c.fault("%s: %s does not add up over several tables: the total is %v, its parts differ by %v", g.where(total), g.names[m], values[total], rest)
			case g.counts[m] && rest > 0 && rest < k:
				c.complement(g, g.names[m], total, parts, rest, k)
			}
		}
		return adds && (told || complete)
	})
	for _, b := range bounds {
		g.linkBound(b.total, b.parts)
	}
	c.boundAlone(g)
}

// tolerances returns, cell by cell, how far a value may be off because the tables
// that show it are rounded: what the strictest of them states. Counts are exact.
func (g *group) tolerances() []float64 {
	out := make([]float64, g.system.N)
	seen := make([]bool, g.system.N)
	for i, t := range g.tables {
		for row, cell := range g.system.Tables[i].Cells {
			if off := t.spec.Tolerance + t.rounding(row); !seen[cell] || off < out[cell] {
				out[cell], seen[cell] = off, true
			}
		}
	}
	return out
}

// complement makes a cell sensitive because a published total tells how few
// units are not in it.
func (c *check) complement(g *group, name string, total int32, parts []int32, rest, k float64) {
	cell := total
	for _, p := range parts {
		if !g.fixed[p] {
			cell = p
		}
	}
	sentence := fmt.Sprintf("complement: %s of %s leaves %v beside what tables show of it", name, g.system.Name(total), rest)
	if g.fixed[cell] {
		c.report.hold("%s, and all of them were released before", sentence)
		return
	}
	room := [2]float64{0, k - rest}
	if cell == total {
		room = [2]float64{k - rest, 0}
	}
	g.want(cell, sentence, map[string][2]float64{name: room})
}

// where names a cell with the table that shows it.
func (g *group) where(cell int32) string {
	for i, t := range g.system.Tables {
		if row := slices.Index(t.Cells, cell); row >= 0 {
			if i < len(g.tables) {
				return fmt.Sprintf("%s: row %d (%s)", t.Name, row+1, g.system.Name(cell))
			}
			return fmt.Sprintf("%s: %s", t.Name, g.system.Name(cell))
		}
	}
	return g.system.Name(cell)
}

// magnitude returns the values of a magnitude, NaN where no table shows it.
func (g *group) magnitude(name string, count bool) []float64 {
	i := slices.Index(g.names, name)
	if i < 0 {
		i = len(g.names)
		g.names, g.counts = append(g.names, name), append(g.counts, count)
		v := make([]float64, g.system.N)
		for c := range v {
			v[c] = math.NaN()
		}
		g.values = append(g.values, v)
	}
	return g.values[i]
}

// gather puts the values of a table in the cells, and names cells that two
// tables show differently.
func (c *check) gather(g *group, t *table, cells []int32, name string, values []float64, count bool) {
	all := g.magnitude(name, count)
	for row, cell := range cells {
		tolerance := 0.0
		if !count {
			tolerance = t.spec.Tolerance + t.rounding(row) + g.slack[cell]
			g.slack[cell] = max(g.slack[cell], t.spec.Tolerance+t.rounding(row))
		}
		v, old := values[row], all[cell]
		if !math.IsNaN(old) && math.Abs(old-v) > tolerance+1e-9*math.Abs(old) {
			c.faultAt(t, row, "%s is %v here and %v in another table on the same population", name, v, old)
		}
		all[cell] = v
	}
}
