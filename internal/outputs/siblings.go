package outputs

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// nested reports whether one population is a part of the other, at whatever
// remove.
func (r relatives) nested(a, b string) bool {
	return slices.Contains(r.above(a), b) || slices.Contains(r.above(b), a)
}

// above lists the populations that one is a part of, the nearest first.
func (r relatives) above(name string) (out []string) {
	for up := r.within[name]; up != ""; up = r.within[up] {
		out = append(out, up)
	}
	return out
}

// doubtSiblings looks at parts of one population of which neither is within the
// other, such as men and women. What each leaves of the whole is in the system;
// what they leave together is not, so that nothing may be suppressed in any of
// them, and what is left must not be few.
func (c *check) doubtSiblings(all []figures) {
	k := float64(c.rules.Differencing.N)
	hidden, today := map[string]bool{}, map[string]bool{}
	var names []string
	for _, f := range all {
		hidden[f.population] = hidden[f.population] || f.hidden
		today[f.population] = today[f.population] || f.today
		if !slices.Contains(names, f.population) {
			names = append(names, f.population)
		}
	}
	var shown []published
	for i, a := range names {
		for _, b := range names[:i] {
			root := c.relatives.root(a)
			if root != c.relatives.root(b) || a == root || b == root || c.relatives.nested(a, b) || !today[a] && !today[b] && !today[root] {
				continue
			}
			whole := c.commonWhole(a, b)
			if c.relatives.apart[[2]string{a, b}] && !slices.ContainsFunc(append(c.relatives.above(whole), whole), func(up string) bool { return slices.Contains(names, up) }) {
				continue // nobody shows what they are parts of
			}
			if hidden[a] || hidden[b] || hidden[whole] {
				c.report.hold("populations %q and %q are both parts of %q, and something is suppressed in one of the three, which may follow from the others: needs review; give their results the population %q and a dimension that tells the two apart", b, a, whole, whole)
				continue
			}
			if shown == nil {
				shown = c.allPublished()
			}
			if why := leftover(shown, whole, a, b, k); why != "" {
				c.report.hold("populations %q and %q are both parts of %q: %s; give their results the population %q and a dimension that tells the two apart", b, a, whole, why, whole)
			}
		}
	}
}

// commonWhole returns the nearest population that two are parts of.
func (c *check) commonWhole(a, b string) string {
	other := c.relatives.above(b)
	for _, up := range c.relatives.above(a) {
		if slices.Contains(other, up) {
			return up
		}
	}
	return c.relatives.root(a)
}

// leftover says in which cell two parts leave, or have in common, fewer than k.
func leftover(shown []published, whole, a, b string, k float64) string {
	for _, w := range shown {
		for _, p := range shown {
			for _, q := range shown {
				if w.population != whole || p.population != a || q.population != b {
					continue
				}
				for _, name := range sortedKeys(w.counts) {
					for _, cell := range sortedKeys(w.counts[name]) {
						x, ok1 := p.counts[name][cell]
						y, ok2 := q.counts[name][cell]
						if d := math.Abs(w.counts[name][cell] - x - y); ok1 && ok2 && d > 0 && d < k {
							return fmt.Sprintf("%s of some cell leaves %v beside both (%s, %s and %s)", name, d, w.name, q.name, p.name)
						}
					}
				}
			}
		}
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, strings.Compare)
	return out
}

// allPublished is what leaves today and what left before, in tables.
func (c *check) allPublished() (out []published) {
	for _, t := range c.tables {
		names, values, counts := t.additive()
		hidden := make([]bool, len(t.rows))
		for i, v := range t.rows {
			hidden[i] = v.status != Safe
		}
		out = append(out, c.publish(counted{filepath.Base(t.path), t.spec.Population, t.dims, t.nodes, names, values, counts, nil, len(t.rows)}, hidden))
	}
	for _, p := range c.before {
		if p.comparable {
			out = append(out, c.publish(p.counted(), p.hidden))
		}
	}
	return out
}
