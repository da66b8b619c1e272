package outputs

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"scramblelab/internal/outputs/suppress"
)

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
			c.report.hold("%s: %s: %s", g.system.Name(n.Cell), g.needs[n.Cell].reason, f.Reason)
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
		if v.status = Primary; f.Safety == suppress.ExactlySafe {
			c.accepted++
		}
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
	for i, x := range g.crossings {
		for row, name := range x.alone {
			put(s.Tables[g.firstCross+i].Cells[row], name)
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
