package outputs

import (
	"context"
	"fmt"
	"maps"
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
	system     *suppress.System
	names      []string // of the magnitudes that add up
	values     [][]float64
	counts     []bool
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
	g.staff = slices.Repeat([]float64{math.NaN()}, s.N)
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
			c.fault("%s: %s does not add up: the total is %v, its parts differ by %v", g.where(total), g.names[m], g.values[m][total], by[i])
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
		for _, cell := range g.system.Tables[i].Cells {
			if !seen[cell] || t.spec.Tolerance < out[cell] {
				out[cell], seen[cell] = t.spec.Tolerance, true
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
	tolerance := t.spec.Tolerance
	if count {
		tolerance = 0
	}
	for row, cell := range cells {
		v, old := values[row], all[cell]
		if !math.IsNaN(old) && math.Abs(old-v) > tolerance+1e-9*math.Abs(old) {
			c.faultAt(t, row, "%s is %v here and %v in another table on the same population", name, v, old)
		}
		all[cell] = v
	}
}

// protect finds and checks the pattern of every population.
func (c *check) protect(ctx context.Context) error {
	for _, g := range c.groups {
		if g.system == nil {
			continue
		}
		if err := c.protectGroup(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) protectGroup(ctx context.Context, g *group) error {
	s := g.system
	p := &suppress.Problem{System: s, Values: g.values, Counts: g.counts, Cost: make([]float64, s.N), Fixed: g.fixed, Hidden: g.hidden, Single: c.singles(g)}
	for cell := range s.N {
		p.Cost[cell] = 1
		for m := range g.values {
			if v := g.values[m][cell]; !math.IsNaN(v) {
				p.Cost[cell] = 1 + v
				break
			}
		}
	}
	cells := make([]int32, 0, len(g.needs))
	for cell := range g.needs {
		if !g.fixed[cell] { // else it is out, and no pattern brings it back
			cells = append(cells, cell)
		}
	}
	slices.Sort(cells)
	for _, cell := range cells {
		n := suppress.Need{Cell: cell, Up: make([]float64, len(g.names)), Down: make([]float64, len(g.names))}
		for m, name := range g.names {
			room := g.needs[cell].room[name]
			n.Up[m], n.Down[m] = room[0], min(room[1], max(0, g.values[m][cell]))
			if math.IsNaN(g.values[m][cell]) {
				n.Up[m], n.Down[m] = 0, 0
			}
			if g.counts[m] {
				n.Up[m], n.Down[m] = math.Ceil(n.Up[m]), math.Ceil(n.Down[m])
			}
		}
		p.Needs = append(p.Needs, n)
	}
	var err error
	if g.pattern, err = suppress.Find(ctx, p, c.o.Suppress); err != nil {
		return err
	}
	o := c.o.Suppress
	o.Proofs = g.pattern.Proofs
	if g.verdict, err = suppress.Check(ctx, p, g.pattern.Suppressed, o); err != nil {
		return err
	}
	g.problem = p
	if err := c.releaseSums(ctx, g, o); err != nil {
		return err
	}
	finding := map[int32]*suppress.Finding{}
	for i := range g.verdict.Findings {
		f := &g.verdict.Findings[i]
		finding[p.Needs[f.Need].Cell] = f
		for _, name := range slices.Sorted(maps.Keys(g.needs[p.Needs[f.Need].Cell].room)) {
			if room := g.needs[p.Needs[f.Need].Cell].room[name]; f.Safety == suppress.IntervalSafe && room != [2]float64{} && name != employersAdd && !slices.Contains(g.names, name) {
				f.Safety, f.Reason = suppress.ExactlySafe, fmt.Sprintf("the room of the %s was not checked: a mean without its count does not add up, name the count with over", name)
			}
		}
	}
	for i, t := range g.tables {
		for row, cell := range s.Tables[i].Cells {
			v := &t.rows[row]
			switch f := finding[cell]; {
			case v.status == Unevaluated:
			case g.fixed[cell] && g.needs[cell] != nil:
				v.status, v.reason = Unsafe, g.needs[cell].reason+"; but it was released before, which no suppression undoes"
			case f != nil:
				c.settle(g, v, g.needs[cell], f)
			case g.pattern.Suppressed[cell]:
				v.status, v.reason = Secondary, "partner of a sensitive cell, which could be derived from it"
			}
		}
	}
	for _, n := range p.Needs {
		if f := finding[n.Cell]; !g.today[n.Cell] && !c.safeEnough(f) {
			c.report.hold("%s: %s", g.needs[n.Cell].reason, f.Reason)
		}
	}
	return nil
}

// safeEnough reports whether a sensitive cell may be relied on to stay secret.
func (c *check) safeEnough(f *suppress.Finding) bool {
	return f.Safety == suppress.IntervalSafe || f.Safety == suppress.ExactlySafe && c.rules.Accept == "exactly-safe"
}

// settle writes what a check found of a sensitive cell into its row.
func (c *check) settle(g *group, v *verdict, n *need, f *suppress.Finding) {
	v.reason = n.reason
	switch {
	case c.safeEnough(f):
		v.status = Primary
	case f.Safety == suppress.ExactlySafe:
		v.status, v.reason = Review, n.reason+"; suppressed, and "+f.Reason
	default:
		v.status, v.reason = Unsafe, n.reason+"; suppressed, but "+f.Reason
	}
	for i, m := range f.Moves {
		if i > 0 {
			v.move += "; "
		}
		v.move += moveInWords(g, m)
	}
	for m := range f.Low {
		if !math.IsNaN(f.Low[m]) {
			v.move += fmt.Sprintf(" [%s between %.6g and %.6g]", g.names[m], f.Low[m], f.High[m])
		}
	}
}

// moveInWords writes a move as what goes up, what goes down, and how far.
func moveInWords(g *group, m suppress.Move) string {
	text := ""
	for side, cells := range [2][]int32{m.Plus, m.Minus} {
		for _, c := range cells {
			text += string("+-"[side]) + "(" + g.system.Name(c) + ") "
		}
	}
	for k, values := range g.values {
		up, down := m.Room(values)
		if k > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s up %.6g down %.6g", g.names[k], up, down)
	}
	return text
}

// singles returns who is alone in each cell: the contributor, where the
// microdata, a column or an earlier release say so; else one nobody in each cell
// of one, the same in a cell and in the total that is nothing but it.
func (c *check) singles(g *group) []int32 {
	s := g.system
	out := slices.Repeat([]int32{-1}, s.N)
	who := map[string]int32{} // numbered after the cells
	put := func(cell int32, name string) {
		switch {
		case name == "":
		case name == unknown:
			if out[cell] < 0 {
				out[cell] = cell
			}
		default:
			if _, ok := who[name]; !ok {
				who[name] = int32(s.N + len(who))
			}
			out[cell] = who[name]
		}
	}
	for i, p := range g.past {
		for row, name := range p.table.Single {
			put(s.Tables[len(g.tables)+i].Cells[row], name)
		}
	}
	for i, t := range g.tables {
		for row, name := range c.singleOf(t) {
			put(s.Tables[i].Cells[row], name)
		}
	}
	for changed := true; changed; {
		changed = false
		for r := range s.Relations() {
			rel := s.Relation(r)
			if out[rel.Total] < 0 {
				continue
			}
			for _, part := range rel.Parts {
				own := out[part]
				if own < 0 || own == out[rel.Total] {
					continue
				}
				// A name wins over a number, and the lower of two numbers.
				same := min(own, out[rel.Total])
				if max(own, out[rel.Total]) >= int32(s.N) {
					same = max(own, out[rel.Total])
				}
				if min(own, out[rel.Total]) >= int32(s.N) {
					continue // two names: their parts are others' zeros
				}
				out[rel.Total], out[part], changed = same, same, true
			}
		}
	}
	return out
}
