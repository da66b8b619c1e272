package outputs

import (
	"math"
	"slices"
)

// sameFigures holds a release back in which a table shows the figures of an
// earlier one under other names: dimensions or codes that were renamed would
// hide that the two are to be subtracted. It compares what each dimension makes
// of the total: as many categories with the same counts, but for a few units, in
// whatever order.
func (c *check) sameFigures() {
	k := float64(c.rules.Differencing.N)
	for _, t := range c.tables {
		names, values, counts := t.additive()
		own := counted{name: t.path, population: t.spec.Population, dims: t.dims, nodes: t.nodes, names: names, values: values, counts: counts, rows: len(t.rows)}
		mine := c.splits(own)
		for _, p := range c.before {
			if !p.comparable || c.relatives.apart[[2]string{t.spec.Population, p.population}] {
				continue
			}
			for _, b := range c.splits(p.counted()) {
				for _, a := range mine {
					if !a.looksLike(b, k) || a.d == b.d && slices.Equal(a.nodes, b.nodes) || c.isNot(a.d, b.d) {
						continue
					}
					was := c.dims[b.d].Name
					c.report.hold("%s: %s splits the total as %s did in %s, into %d categories of the same size: codes or names have changed; use the old ones, with was: [%[3]s] for a dimension with a new name, or say not: [%[3]s] if they are different things",
						t.path, c.dims[a.d].Name, was, p.name, len(a.counts))
				}
			}
		}
	}
}

// split is how a dimension splits the grand total up in its finest categories.
type split struct {
	d      int
	nodes  []int32
	counts []float64 // ascending
}

// looksLike reports whether two splits have the same counts, but for fewer than k
// units each. Few or small ones coincide by chance.
func (a split) looksLike(b split, k float64) bool {
	if len(a.counts) != len(b.counts) || len(a.counts) < 2 {
		return false
	}
	large := 0
	for i, x := range a.counts {
		if math.Abs(x-b.counts[i]) >= k {
			return false
		}
		if x >= 3*k {
			large++
		}
	}
	return large >= 2
}

func (c *check) splits(t counted) (out []split) {
	m := slices.Index(t.counts, true)
	if m < 0 {
		return nil
	}
	for k, d := range t.dims {
		inner := map[int32]bool{}
		for _, n := range t.nodes[k] {
			for p := c.dims[d].Parent[n]; p >= 0; p = c.dims[d].Parent[p] {
				inner[p] = true
			}
		}
		s := split{d: d}
	rows:
		for i := range t.rows {
			for j := range t.dims {
				if n := t.nodes[j][i]; j == k && inner[n] || j != k && n != 0 {
					continue rows
				}
			}
			s.nodes, s.counts = append(s.nodes, t.nodes[k][i]), append(s.counts, t.values[m][i])
		}
		slices.Sort(s.nodes)
		slices.Sort(s.counts)
		out = append(out, s)
	}
	return out
}

// isNot reports whether the rules say that a dimension is not an earlier one, or
// both are today's and so told apart by whoever wrote them.
func (c *check) isNot(a, b int) bool {
	if a >= len(c.rules.Dimensions) {
		return true
	}
	return slices.Contains(c.rules.Dimensions[a].Not, c.dims[b].Name) || a != b && c.uses(b)
}
