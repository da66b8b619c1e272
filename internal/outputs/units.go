package outputs

import (
	"math"
	"slices"
)

// mostCounted is how many rows of the microdata are gone through for the units of
// estimates that no table shows; what is beyond is left unchecked, with a warning.
const mostCounted = 500_000_000

// unitsIn counts the units of a region in the microdata, NaN where they do not tell:
// rows where a table of the population counts them so, or distinct employers.
func (c *check) unitsIn(g *group, e *estimates, r region) float64 {
	if c.micro == nil || c.micro.weights != nil {
		return math.NaN()
	}
	at := slices.IndexFunc(g.tables, func(t *table) bool { return t.spec.Population == e.spec.Population })
	if at < 0 {
		return math.NaN()
	}
	value := func(int) float64 { return 1 }
	if e.spec.Counts == countsEmployers {
		if c.rules.Microdata.Holding != "" {
			return math.NaN()
		}
	} else {
		names, values := c.crossedMagnitudes(g, e.spec.Population)
		m := slices.Index(names, "count of "+e.spec.Counts)
		if m < 0 || c.micro.worker != nil {
			return math.NaN()
		}
		value = values[m]
	}
	rows := len(c.micro.contributor)
	if c.micro.counted += rows; c.micro.counted > mostCounted {
		if c.micro.counted-rows <= mostCounted {
			c.report.warn("the units of some estimates about cells that no table shows were not counted in the microdata: there are too many of both")
		}
		return math.NaN()
	}
	type filter struct {
		nodes []int32
		in    []bool
	}
	var filters []filter
	for d, nodes := range r {
		if nodes == nil {
			continue
		}
		of := c.nodesOfRows(d)
		if of == nil {
			return math.NaN()
		}
		in := make([]bool, len(c.dims[d].Parent))
		for n, p := range c.dims[d].Parent {
			in[n] = slices.Contains(nodes, int32(n)) || p >= 0 && in[p]
		}
		filters = append(filters, filter{of, in})
	}
	keep, sum, seen := c.keepOf(g.tables[at]), 0.0, map[int32]bool{}
rows:
	for i := range rows {
		if keep != nil && !keep[i] {
			continue
		}
		for _, f := range filters {
			if !f.in[f.nodes[i]] {
				continue rows
			}
		}
		if e.spec.Counts == countsEmployers {
			seen[c.micro.contributor[i]] = true
			continue
		}
		sum += value(i)
	}
	if e.spec.Counts == countsEmployers {
		return float64(len(seen))
	}
	return sum
}
