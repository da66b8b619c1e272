package outputs

import (
	"path/filepath"
	"slices"
	"strings"
)

// figures are a file of today or of an earlier release, as far as it matters for
// what is not in the systems of relations.
type figures struct {
	name       string
	population string
	dims       []int
	today      bool
	hidden     bool // something of it is kept back
}

func (c *check) allFigures() (out []figures) {
	for _, t := range c.tables {
		out = append(out, figures{filepath.Base(t.path), t.spec.Population, t.dims, true, slices.ContainsFunc(t.rows, func(v verdict) bool { return v.status != Safe })})
	}
	for _, e := range c.others {
		if e.spec.Reviewed != "" {
			continue // by a supervisor, whose sentence stands in the report
		}
		f := figures{name: filepath.Base(e.path), population: e.spec.Population, today: true}
		for d, dim := range c.dims {
			if slices.Contains(e.spec.Dimensions, dim.Name) || e.spec.Cell[dim.Name] != nil {
				f.dims = append(f.dims, d)
			}
		}
		f.hidden = slices.ContainsFunc(e.rows, func(v verdict) bool { return v.status != Safe })
		out = append(out, f)
	}
	for _, p := range c.before {
		out = append(out, figures{p.name, p.population, p.dims, false, slices.Contains(p.hidden, true)})
	}
	at := map[string]int{}
	for _, p := range c.stats {
		if p.reviewed {
			continue
		}
		k, ok := at[p.name+"\x00"+p.population]
		if !ok {
			k = len(out)
			at[p.name+"\x00"+p.population] = k
			out = append(out, figures{name: p.name, population: p.population})
		}
		out[k].hidden = out[k].hidden || p.hidden
		for _, r := range p.tells {
			for d, nodes := range r {
				if nodes != nil && !slices.Contains(out[k].dims, d) {
					out[k].dims = append(out[k].dims, d)
				}
			}
		}
	}
	return out
}

// doubt holds back what may follow from relations between populations that are in
// no system: a population chosen by a category that tables classify by, and
// populations of which nobody says how they stand to each other.
func (c *check) doubt() {
	all := c.allFigures()
	c.doubtFilters(all)
	c.doubtStrangers(all)
	c.doubtSiblings(all)
	c.doubtDimensions()
}

// doubtFilters looks for populations that consist of categories of a dimension:
// their totals are sums of cells of the tables that classify by it.
func (c *check) doubtFilters(all []figures) {
	filters := map[string][]string{} // columns by population
	put := func(population string, where []Filter) {
		for _, w := range where {
			if !slices.Contains(filters[population], w.Column) {
				filters[population] = append(filters[population], w.Column)
			}
		}
	}
	for _, t := range c.tables {
		put(t.spec.Population, c.chosen(t))
	}
	for _, p := range c.before {
		put(p.population, p.table.Where)
	}
	c.doubtSums(filters)
	for _, f := range all {
	columns:
		for _, column := range filters[f.population] {
			d := c.dimensionOf(column)
			for _, g := range all {
				if g.population == f.population || !f.today && !g.today || !f.hidden && !g.hidden || c.relatives.apart[[2]string{f.population, g.population}] {
					continue
				}
				if slices.ContainsFunc(g.dims, func(x int) bool { return slices.Contains(d, x) }) {
					c.report.hold("%s: population %q is chosen by %s (where), by which %s classifies: its totals are sums of cells of that one, and something is suppressed; needs review: give it the population %q and the dimension instead of where",
						f.name, f.population, column, g.name, g.population)
					continue columns
				}
			}
		}
	}
}

// chosen says how the rows of a table were chosen, by its own where and by that of
// the microdata.
func (c *check) chosen(t *table) []Filter {
	if c.rules.Microdata == nil {
		return t.spec.Where
	}
	return slices.Concat(c.rules.Microdata.Where, t.spec.Where)
}

// dimensionOf lists the dimensions that a column of the microdata may be.
func (c *check) dimensionOf(column string) (out []int) {
	same := func(name string) bool { return strings.EqualFold(name, column) }
	for d, dim := range c.dims {
		if same(dim.Name) {
			out = append(out, d)
			continue
		}
		for _, s := range c.rules.Dimensions {
			if s.Name == dim.Name && (same(s.Column) || same(s.Microdata) || slices.ContainsFunc(s.Was, same)) {
				out = append(out, d)
			}
		}
		for _, p := range c.before {
			for _, was := range p.table.Dims {
				if was.Name == dim.Name && slices.ContainsFunc(was.Columns, same) {
					out = append(out, d)
				}
			}
		}
	}
	return out
}

// doubtStrangers holds a release back while populations that are shown by the
// same dimension have no stated relation and something is suppressed in them: what
// one shows of a cell may follow from two others.
func (c *check) doubtStrangers(all []figures) {
	near := func(a, b figures) bool {
		return c.strangers(a.population, b.population) && c.relatives.root(a.population) != c.relatives.root(b.population) &&
			slices.ContainsFunc(a.dims, func(d int) bool { return slices.Contains(b.dims, d) })
	}
	said := map[string]bool{}
	for i, a := range all {
		if !a.today {
			continue
		}
		for k, b := range all {
			if b.today && k < i || !near(a, b) {
				continue
			}
			hidden := a.hidden || b.hidden
			for _, x := range all {
				hidden = hidden || x.hidden && (x.population == a.population || x.population == b.population || near(x, a) || near(x, b))
			}
			if key := a.population + "\x00" + b.population; hidden && !said[key] {
				said[key] = true
				c.report.hold("%s: nobody says how its population %q stands to %q of %s, both are shown by the same dimension, and something is suppressed that may follow from all of them; needs review: say under populations that one is within the other, or that they are apart-from each other",
					a.name, a.population, b.population, b.name)
			}
		}
	}
}
