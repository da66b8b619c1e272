package outputs

import (
	"context"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/outputs/suppress"
)

const countsEmployers = "employers"

// cellAt returns the cell of a population at some categories, and its place.
func (c *check) cellAt(g *group, s *suppress.System, population string, node []int32) (cell int32, at []int32) {
	at = make([]int32, len(g.dims))
	copy(at, node)
	for _, d := range c.membersOf(g, population) {
		at[d] = members
	}
	return s.At(at), at
}

// alone makes a table of one cell for each cell that estimates tell and no table
// shows, so that its sums with others are found.
func (c *check) alone(g *group, s *suppress.System) (out []suppress.Table) {
	seen := map[string]bool{}
	add := func(name, population string, regions []region) {
		for _, r := range regions {
			for _, node := range r.parts(len(c.dims)) {
				cell, at := c.cellAt(g, s, population, node)
				if key := keyOf(at); cell < 0 && !seen[key] {
					seen[key] = true
					t := suppress.Table{Name: name}
					for d, n := range at {
						if n != 0 {
							t.Dims, t.Nodes = append(t.Dims, d), append(t.Nodes, []int32{n})
						}
					}
					out = append(out, t)
				}
			}
		}
	}
	for _, p := range g.pastStats {
		add(p.name, p.population, p.tells)
	}
	for _, e := range g.others {
		for row := range e.shown {
			if r := &e.shown[row]; r.why == "" {
				add(e.path, e.spec.Population, r.tells)
				add(e.path, e.spec.Population, r.model)
			}
		}
	}
	return out
}

// cellsOf returns the cells that make up a region.
func (c *check) cellsOf(g *group, population string, r region) (cells []int32) {
	for _, node := range r.parts(len(c.dims)) {
		cell, _ := c.cellAt(g, g.system, population, node)
		cells = append(cells, cell)
	}
	return cells
}

// gatherEstimates puts what earlier and today's estimates count into the cells,
// and compares it with what tables show of them.
func (c *check) gatherEstimates(g *group) {
	told := map[int32]bool{}
	for _, p := range g.pastStats {
		for i, r := range p.tells {
			cells := c.cellsOf(g, p.population, r)
			if len(cells) != 1 {
				continue
			}
			told[cells[0]] = true
			g.fixed[cells[0]] = g.fixed[cells[0]] || !p.hidden
			if p.hidden && !g.today[cells[0]] && !g.fixed[cells[0]] {
				g.hidden[cells[0]] = true
			}
			for k, v := range [2]float64{p.n, p.exact} {
				if (k == 0) != (i == 0) || math.IsNaN(v) {
					continue
				}
				if known := g.known(p.counts, cells[0]); !math.IsNaN(known) && known != v {
					c.report.hold("%s: %s of %s was %v in an estimate then and is %v now: a population that changes is another one, name it so", p.name, p.counts, g.system.Name(cells[0]), v, known)
				} else {
					g.put(p.counts, cells[0], v)
				}
			}
		}
	}
	for _, e := range g.others {
		if e.spec.Counts != "" && e.spec.Counts != countsEmployers {
			if known := c.countsOf(e.spec.Population); known != nil && !slices.Contains(known, e.spec.Counts) {
				for row := range e.shown {
					e.shown[row].why = or(e.shown[row].why, fmt.Sprintf("counts is %q, which no table on the population counts (they count %q)", e.spec.Counts, known))
				}
			}
		}
		for row := range e.shown {
			if r := &e.shown[row]; r.why == "" {
				c.gatherRow(g, e, row, told)
			}
		}
	}
	for cell := range int32(g.system.N) {
		if !g.today[cell] && !g.fixed[cell] && !told[cell] {
			if t := g.shownBy(cell); t >= g.firstRest {
				g.hidden[cell] = true // a part of a sum that nobody tells by itself
			}
		}
	}
	c.needFew(g)
}

// shownBy returns the first table that shows a cell.
func (g *group) shownBy(cell int32) int {
	if g.firstTable == nil {
		g.firstTable = slices.Repeat([]int32{-1}, g.system.N)
		for t := len(g.system.Tables) - 1; t >= 0; t-- {
			for _, x := range g.system.Tables[t].Cells {
				g.firstTable[x] = int32(t)
			}
		}
	}
	return int(g.firstTable[cell])
}

// gatherRow puts what one row counts into its cells.
func (c *check) gatherRow(g *group, e *estimates, row int, told map[int32]bool) {
	s := &e.shown[row]
	for i, r := range s.tells {
		cells := c.cellsOf(g, e.spec.Population, r)
		v := s.exact
		if i == 0 {
			v = s.n
		}
		if len(cells) == 1 {
			told[cells[0]] = true
		}
		if math.IsNaN(v) || i > 0 && i < len(s.tells)-1 {
			continue
		}
		known := 0.0
		for _, cell := range cells {
			known += g.known(e.spec.Counts, cell)
		}
		if len(cells) > 1 && e.spec.Counts == countsEmployers {
			continue // an employer may be in several
		}
		if len(cells) > 1 && math.IsNaN(known) {
			s.why = fmt.Sprintf("it is about a sum of cells (%s) that no table shows one by one: give the table as well", c.regionName(r))
			return
		}
		who := ""
		if len(cells) == 1 && math.IsNaN(known) {
			if known = c.unitsIn(g, e, r); !math.IsNaN(known) {
				who = " in the microdata"
				g.put(e.spec.Counts, cells[0], known)
			}
		}
		switch d := math.Abs(v - known); {
		case math.IsNaN(d):
			if len(cells) == 1 {
				g.put(e.spec.Counts, cells[0], v)
			}
		case d == 0:
		case d < float64(c.rules.Differencing.N) || e.spec.Counts == countsEmployers && d < c.fewEmployers():
			e.primary(row, fmt.Sprintf("complement: it is about %v %s of %s, of which there are %v%s: %v are in one and not in the other", v, e.spec.Counts, c.regionName(r), known, who, d))
		default:
			s.why = fmt.Sprintf("it is about %v %s and %s has %v%s: say with cell, dimensions or a population of its own whom it is about", v, e.spec.Counts, c.regionName(r), known, who)
			return
		}
	}
}

// primary marks a row as sensitive.
func (e *estimates) primary(row int, reason string) {
	v := &e.rows[row]
	if v.status == Primary {
		reason = v.reason + "; " + reason
	}
	v.status, v.reason = Primary, reason
}

// known returns how many a cell has, NaN where nobody says so.
func (g *group) known(counts string, cell int32) float64 {
	if counts == countsEmployers {
		return g.staff[cell]
	}
	if m := slices.Index(g.names, "count of "+counts); m >= 0 {
		return g.values[m][cell]
	}
	return math.NaN()
}

func (g *group) put(counts string, cell int32, v float64) {
	switch {
	case v < 0 || v != math.Trunc(v): // weighted, or no count at all
	case counts == countsEmployers:
		g.staff[cell] = v
	default:
		g.magnitude("count of "+counts, true)[cell] = v
	}
}

// needFew makes the cells sensitive that estimates alone tell, where they are of
// few: nobody may derive them from others.
func (c *check) needFew(g *group) {
	s := &c.rules.Rules
	for cell := range int32(g.system.N) {
		if g.today[cell] || g.shownBy(cell) < g.firstCross+len(g.crossings) {
			continue
		}
		for m, name := range g.names {
			if n := g.values[m][cell]; s.Frequency != nil && g.counts[m] && n > 0 && n < float64(s.Frequency.N) {
				g.want(cell, fmt.Sprintf("minimum-frequency%s: %v in an estimate, want at least %d", norm(s, s.Frequency.Norm), n, s.Frequency.N),
					map[string][2]float64{name: {float64(s.Frequency.N) - n, 0}})
			}
		}
		if n := g.staff[cell]; s.Contributors != nil && n > 0 && n < float64(s.Contributors.Employers) {
			g.want(cell, fmt.Sprintf("contributors%s: %v employers in an estimate, want at least %d", norm(s, s.Contributors.Norm), n, s.Contributors.Employers), nil)
		}
	}
}

// linkPastSums adds the sums of several cells that earlier estimates told.
func (c *check) linkPastSums(g *group) {
	for _, p := range g.pastStats {
		if p.hidden {
			continue
		}
		for _, r := range p.tells {
			if cells := c.cellsOf(g, p.population, r); len(cells) > 1 {
				g.linkSum(p.name+", "+c.regionName(r), cells)
			}
		}
	}
}

// linkSum adds a published sum to the system of a group.
func (g *group) linkSum(name string, cells []int32) {
	g.system.Link(name, cells)
	g.extend(func(values []float64) float64 { return sumAt(values, cells) }, true)
}

// linkBound adds what parts leave of a total that they do not make up: nobody
// shows it, but it is not negative.
func (g *group) linkBound(total int32, parts []int32) {
	g.system.Bound("what is left of "+g.system.Name(total), total, parts)
	g.extend(func(values []float64) float64 {
		return max(0, values[total]-sumAt(values, parts))
	}, false)
}

func sumAt(values []float64, cells []int32) float64 {
	sum := 0.0
	for _, cell := range cells {
		sum += values[cell]
	}
	return sum
}

// extend gives a new cell its values, and fixes or hides it.
func (g *group) extend(value func(of []float64) float64, fixed bool) {
	for m, values := range g.values {
		g.values[m] = append(values, value(values))
	}
	g.staff = append(g.staff, value(g.staff))
	g.fixed, g.hidden, g.today = append(g.fixed, fixed), append(g.hidden, !fixed), append(g.today, false)
}

// boundAlone bounds cells that only estimates tell by the nearest cells around
// them that differ in several dimensions; Across finds those that differ in one.
func (c *check) boundAlone(g *group) {
	s := g.system
	for cell := range int32(len(g.firstTable)) {
		if g.shownBy(cell) < g.firstCross+len(g.crossings) {
			continue
		}
		seen := map[string]bool{}
		var up func(node []int32, steps int)
		up = func(node []int32, steps int) {
			for d, n := range node {
				for p := g.dims[d].Parent[n]; p >= 0; p = g.dims[d].Parent[p] {
					node := slices.Clone(node)
					node[d] = p
					key := keyOf(node)
					if seen[key] {
						break
					}
					seen[key] = true
					if total := s.At(node); total >= 0 {
						if steps > 0 {
							g.linkBound(total, []int32{cell})
						}
						break
					}
					up(node, steps+1)
				}
			}
		}
		up(slices.Clone(s.Coordinates(cell)), 0)
	}
}

// Sums of cells of today's estimates are tried one by one where the system is at
// most this large and they are at most that many; else those that touch a
// suppressed cell are taken out.
const (
	mostSums  = 40
	sumsCells = 20_000
)

// releaseSums decides which sums over several cells may leave beside the pattern:
// those of published cells, and those after which every sensitive cell is as safe
// as before.
func (c *check) releaseSums(ctx context.Context, g *group, o suppress.Options) error {
	tried := map[string]string{}
	for _, e := range g.others {
		for row := range e.shown {
			r := &e.shown[row]
			if r.why != "" || e.rows[row].status != Safe {
				continue
			}
			for _, reg := range slices.Concat(r.tells, r.model) {
				cells := c.cellsOf(g, e.spec.Population, reg)
				if len(cells) == 1 || !slices.ContainsFunc(cells, func(x int32) bool { return g.pattern.Suppressed[x] }) {
					continue
				}
				key := fmt.Sprint(cells)
				reason, done := tried[key]
				if !done {
					var err error
					if reason, err = c.trySum(ctx, g, o, c.regionName(reg), cells, len(tried)); err != nil {
						return err
					}
					tried[key] = reason
				}
				if reason != "" {
					e.rows[row].status, e.rows[row].reason = Secondary, reason
				}
			}
		}
	}
	return nil
}

// trySum publishes a sum if that reveals nothing; else reason says what.
func (c *check) trySum(ctx context.Context, g *group, o suppress.Options, name string, cells []int32, tried int) (reason string, err error) {
	if tried >= mostSums || g.system.N > sumsCells {
		return "it is a sum over suppressed cells (" + name + ")", nil
	}
	before := g.verdict
	g.linkSum(name, cells)
	p := *g.problem
	p.Values, p.Fixed, p.Hidden = g.values, g.fixed, g.hidden
	p.Cost = append(slices.Clone(p.Cost), 1)
	p.Single = append(slices.Clone(p.Single), -1)
	hidden := append(slices.Clone(g.pattern.Suppressed), false)
	after, err := suppress.Check(ctx, &p, hidden, o)
	if err != nil {
		return "", err
	}
	for i, f := range after.Findings {
		if f.Safety < before.Findings[i].Safety {
			reason = fmt.Sprintf("it is the sum %s, from which a sensitive cell would follow: %s, %s", name, g.system.Name(p.Needs[f.Need].Cell), f.Reason)
			break
		}
	}
	if reason != "" {
		g.system.Unlink()
		n := g.system.N
		for m := range g.values {
			g.values[m] = g.values[m][:n]
		}
		g.staff, g.fixed, g.hidden, g.today = g.staff[:n], g.fixed[:n], g.hidden[:n], g.today[:n]
		return reason, nil
	}
	g.problem, g.verdict, g.pattern.Suppressed = &p, after, hidden
	return "", nil
}

// settleEstimates takes out the rows that tell of suppressed cells, and leaves
// those that could not be linked to a supervisor.
func (c *check) settleEstimates() {
	for _, e := range c.others {
		for row := range e.rows {
			v, s := &e.rows[row], &e.shown[row]
			if v.status != Safe {
				continue
			}
			if s.why != "" {
				if v.status, v.reason = Review, "not linked with the tables: "+s.why; e.spec.Reviewed != "" {
					v.status, v.reason = Safe, ""
					e.passed = append(e.passed, row)
				}
				continue
			}
			if v.status, v.reason = c.told(e, s); v.status == Safe && s.doubt != "" {
				if v.status, v.reason = Review, s.doubt; e.spec.Reviewed != "" {
					v.status, v.reason = Safe, ""
					e.passed = append(e.passed, row)
				}
			}
		}
		if passed := len(e.passed); passed > 0 {
			c.report.warn("%s: %d rows need review and leave all the same, because: %s", e.path, passed, e.spec.Reviewed)
		}
	}
}

// hiddenAround returns a suppressed cell that contains one that no table shows, or
// -1. Such a statistic bounds cells of crossings that are in no table, which the
// relations do not know.
func (g *group) hiddenAround(cell int32) int32 {
	if g.shownBy(cell) < g.firstCross+len(g.crossings) {
		return -1
	}
	found := int32(-1)
	node := slices.Clone(g.system.Coordinates(cell))
	var up func(d int)
	up = func(d int) {
		if d == len(node) {
			if at := g.system.At(node); at >= 0 && g.pattern.Suppressed[at] && found < 0 {
				found = at
			}
			return
		}
		own := node[d]
		for n := own; n >= 0; n = g.dims[d].Parent[n] {
			node[d] = n
			up(d + 1)
		}
		node[d] = own
	}
	up(0)
	return found
}

// told says whether what a row tells is suppressed.
func (c *check) told(e *estimates, s *shown) (Status, string) {
	g := e.group
	for i, r := range slices.Concat(s.tells, s.model) {
		cells := c.cellsOf(g, e.spec.Population, r)
		if len(cells) != 1 {
			continue
		}
		switch cell := cells[0]; {
		case g.fixed[cell] && g.needs[cell] != nil:
			return Secondary, fmt.Sprintf("it tells of %s: %s", c.regionName(r), g.needs[cell].reason)
		case !g.pattern.Suppressed[cell]:
			if around := g.hiddenAround(cell); around >= 0 {
				return Secondary, fmt.Sprintf("it tells of %s, which no table shows, and %s around it is suppressed", c.regionName(r), g.system.Name(around))
			}
		case i < len(s.tells):
			return Secondary, fmt.Sprintf("it tells of %s, which is suppressed", c.regionName(r))
		default:
			return Secondary, fmt.Sprintf("its model tells of %s, which is suppressed", c.regionName(r))
		}
	}
	return Safe, ""
}
