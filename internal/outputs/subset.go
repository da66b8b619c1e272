package outputs

import (
	"math"
	"path/filepath"
	"slices"
)

// sorted is how a table splits the total of its population, as far as it shows it.
type sorted struct {
	name       string
	population string
	today      bool
	dimension  string
	counts     []float64
	hidden     []bool
}

// whole is a count of a whole population.
type whole struct {
	name       string
	population string
	today      bool
	n          float64
}

// doubtSums holds back a population, other than by where, whose count is that of
// one or two categories of another population, or of all but one or two, where
// one of the two sides has a suppressed cell: it may consist of them.
func (c *check) doubtSums(chosen map[string][]string) {
	splits, wholes := c.splitsAndWholes()
	said := map[string]bool{}
	for _, p := range wholes {
		if chosen[p.population] != nil || said[p.population] {
			continue
		}
		for _, s := range splits {
			if s.population == p.population || !s.today && !p.today || c.relatives.apart[[2]string{s.population, p.population}] || !s.reveals(p.n) {
				continue
			}
			said[p.population] = true
			c.report.hold("%s: population %q has as many units (%v) as some categories of %s in %s, one of which is suppressed: it may consist of them; needs review: give its results the population %q and the dimension, or say apart-from if it is about other people",
				p.name, p.population, p.n, s.dimension, s.name, s.population)
			break
		}
	}
}

// reveals reports whether n is the sum of one or two categories, or of all but
// those, of which one is suppressed.
func (s sorted) reveals(n float64) bool {
	total := 0.0
	for _, v := range s.counts {
		total += v
	}
	if !slices.Contains(s.hidden, true) || n == total {
		return false
	}
	for i, a := range s.counts {
		if s.hidden[i] && (n == a || n == total-a) {
			return true
		}
		for k, b := range s.counts[:i] {
			if (s.hidden[i] || s.hidden[k]) && (n == a+b || n == total-a-b) {
				return true
			}
		}
	}
	return false
}

func (c *check) splitsAndWholes() (splits []sorted, wholes []whole) {
	add := func(t counted, hidden []bool, today bool) {
		m := slices.Index(t.counts, true)
		if m < 0 {
			return
		}
		for k, d := range t.dims {
			s := sorted{name: t.name, population: t.population, today: today, dimension: c.dims[d].Name}
		rows:
			for i := range t.rows {
				for j := range t.dims {
					if n := t.nodes[j][i]; j != k && n != 0 || j == k && c.dims[d].Parent[n] != 0 {
						continue rows
					}
				}
				s.counts, s.hidden = append(s.counts, t.values[m][i]), append(s.hidden, hidden[i])
			}
			splits = append(splits, s)
		}
		if i, ok := c.margin(t, nil)[""]; ok && !hidden[i] {
			wholes = append(wholes, whole{t.name, t.population, today, t.values[m][i]})
		}
	}
	for _, t := range c.tables {
		names, values, counts := t.additive()
		hidden := make([]bool, len(t.rows))
		for i, v := range t.rows {
			hidden[i] = v.status != Safe
		}
		add(counted{filepath.Base(t.path), t.spec.Population, t.dims, t.nodes, names, values, counts, nil, len(t.rows)}, hidden, true)
	}
	for _, p := range c.before {
		if p.comparable {
			add(p.counted(), p.hidden, false)
		}
	}
	everybody := func(r region) bool { return !slices.ContainsFunc(r, func(n []int32) bool { return n != nil }) }
	for _, e := range c.others {
		for row, s := range e.shown {
			if e.spec.Reviewed == "" && e.rows[row].status == Safe && everybody(s.about) && !math.IsNaN(s.n) && e.spec.Counts != countsEmployers {
				wholes = append(wholes, whole{filepath.Base(e.path), e.spec.Population, true, s.n})
			}
		}
	}
	for _, p := range c.stats {
		if !p.reviewed && !p.hidden && p.about != nil && everybody(p.about) && !math.IsNaN(p.n) && p.counts != countsEmployers {
			wholes = append(wholes, whole{p.name, p.population, false, p.n})
		}
	}
	return splits, wholes
}
