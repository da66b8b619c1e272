package outputs

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// doubtDimensions holds back tables by two dimensions that look like one thing cut
// in two ways, where no microdata tell which of their categories have anybody in
// common.
func (c *check) doubtDimensions() {
	type figure struct {
		counted
		today, hidden bool
	}
	var all []figure
	covered := map[string]bool{} // populations of which there are microdata
	for _, t := range c.tables {
		names, values, counts := t.additive()
		all = append(all, figure{counted{filepath.Base(t.path), t.spec.Population, t.dims, t.nodes, names, values, counts, nil, len(t.rows)}, true, slices.ContainsFunc(t.rows, func(v verdict) bool { return v.status != Safe })})
		covered[t.spec.Population] = c.micro != nil
	}
	for _, p := range c.before {
		if p.comparable {
			all = append(all, figure{p.counted(), false, slices.Contains(p.hidden, true)})
		}
	}
	for _, g := range c.groups {
		if g.kin != "" && slices.Contains(g.pattern.Suppressed, true) {
			c.report.hold("%s, so that what is suppressed may follow from both: needs review; show one of the two dimensions alone", g.kin)
		}
	}
	said := map[[2]int]bool{}
	for i, p := range all {
		for _, q := range all[:i] {
			if p.population != q.population || !p.today && !q.today {
				continue
			}
			for _, a := range c.splits(p.counted) {
				for _, b := range c.splits(q.counted) {
					key := [2]int{min(a.d, b.d), max(a.d, b.d)}
					if slices.Contains(q.dims, a.d) || slices.Contains(p.dims, b.d) || said[key] || c.toldApart(a.d, b.d) {
						continue
					}
					why := ""
					if covered[p.population] {
						why = c.unknownTo(a.d, b.d, p.hidden || q.hidden)
					} else {
						why = c.akin(p.counted, q.counted, a, b)
					}
					if why == "" {
						continue
					}
					said[key] = true
					x, y := c.dims[a.d].Name, c.dims[b.d].Name
					c.report.hold("%s by %s and %s by %s: %s, so that one may tell what the other keeps back: needs review; make one dimension of the two with groups, give the microdata with a column for each, or say not: [%s] at %s if they are different things", p.name, x, q.name, y, why, y, x)
				}
			}
		}
	}
}

// unknownTo says which of two dimensions the microdata lack, while something by
// either is suppressed.
func (c *check) unknownTo(a, b int, hidden bool) string {
	for _, d := range [2]int{a, b} {
		if hidden && !slices.ContainsFunc(c.columnsOf(d), c.micro.f.Has) {
			return fmt.Sprintf("the microdata have no column for %s, and nobody can tell whether the two hang together", c.dims[d].Name)
		}
	}
	return ""
}

// toldApart reports whether the rules say that a dimension is not another one.
func (c *check) toldApart(a, b int) bool {
	says := func(a, b int) bool {
		return a < len(c.rules.Dimensions) && slices.Contains(c.rules.Dimensions[a].Not, c.dims[b].Name)
	}
	return says(a, b) || says(b, a)
}

// akin says why two dimensions look like one thing, "" if they do not.
func (c *check) akin(p, q counted, a, b split) string {
	switch {
	case a.looksLike(b, 1):
		return fmt.Sprintf("both split the total into %d categories of the same sizes", len(a.counts))
	case c.blocks(p, q, a, b) || c.blocks(q, p, b, a):
		return "the categories of one add up to those of the other, in order"
	}
	x, y := c.intervals(p, a.d), c.intervals(q, b.d)
	switch {
	case x == nil || y == nil:
	case sameWord(c.dims[a.d].Name, c.dims[b.d].Name):
		return "both are classes of numbers, and their names begin alike"
	case oneScale(x, y):
		return "both are classes of numbers, and may be of the same ones"
	}
	return ""
}

// blocks reports whether the finest categories of a, in the order of their labels,
// fall into consecutive blocks with the sizes of the categories of b.
func (c *check) blocks(p, q counted, a, b split) bool {
	if len(b.counts) < 2 || len(a.counts) <= len(b.counts) || len(b.counts) > 64 {
		return false
	}
	large := 0
	for _, n := range b.counts {
		if n >= 3*float64(c.rules.Differencing.N) {
			large++
		}
	}
	if large < 2 {
		return false
	}
	fine := c.byLabel(p, a)
	left := slices.Clone(b.counts)
	sum := 0.0
	for _, n := range fine {
		sum += n
		if i := slices.Index(left, sum); i >= 0 {
			left, sum = slices.Delete(left, i, i+1), 0
		}
	}
	return sum == 0 && len(left) == 0
}

// byLabel returns the sizes of the finest categories of a split in the order of
// their labels.
func (c *check) byLabel(t counted, s split) (out []float64) {
	type category struct {
		label string
		n     float64
	}
	var all []category
	k, m := slices.Index(t.dims, s.d), slices.Index(t.counts, true)
rows:
	for i := range t.rows {
		for j := range t.dims {
			if n := t.nodes[j][i]; j == k && !slices.Contains(s.nodes, n) || j != k && n != 0 {
				continue rows
			}
		}
		all = append(all, category{c.dims[s.d].Labels[t.nodes[k][i]], t.values[m][i]})
	}
	slices.SortFunc(all, func(x, y category) int { return strings.Compare(x.label, y.label) })
	for _, x := range all {
		out = append(out, x.n)
	}
	return out
}

// class is a category that is a range of numbers, with its size.
type class struct{ low, n float64 }

var digits = regexp.MustCompile(`\d+(?:\.\d+)?`)

// intervals reads the finest categories of a dimension as classes of numbers, in
// their order; nil where most are none.
func (c *check) intervals(t counted, d int) (out []class) {
	k, m := slices.Index(t.dims, d), slices.Index(t.counts, true)
	if k < 0 || m < 0 {
		return nil
	}
	inner := map[int32]bool{}
	for _, n := range t.nodes[k] {
		for p := c.dims[d].Parent[n]; p >= 0; p = c.dims[d].Parent[p] {
			inner[p] = true
		}
	}
	all := 0
rows:
	for i := range t.rows {
		for j := range t.dims {
			if n := t.nodes[j][i]; j == k && inner[n] || j != k && n != 0 {
				continue rows
			}
		}
		all++
		label := c.dims[d].Labels[t.nodes[k][i]]
		number := digits.FindString(label)
		if number == "" || strings.IndexFunc(label, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }) == 0 {
			continue // a code, such as L1
		}
		low, _ := strconv.ParseFloat(number, 64)
		if before, _, _ := strings.Cut(label, number); strings.Contains(before, "<") {
			low = math.Inf(-1)
		}
		out = append(out, class{low, t.values[m][i]})
	}
	if len(out) < 2 || 5*len(out) < 4*all {
		return nil
	}
	slices.SortFunc(out, func(x, y class) int { return cmp.Compare(x.low, y.low) })
	return out
}

// sameWord reports whether the letters of one name begin with those of the other.
func sameWord(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return -1
		}, strings.ToLower(s))
	}
	a, b = letters(a), letters(b)
	return a != "" && b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// oneScale reports whether two sets of classes may be of the same numbers: below
// every limit are at least as many as below each lower limit of the other, and
// there is a limit between those of the other.
func oneScale(x, y []class) bool {
	type limit struct{ at, below float64 }
	limits := func(c []class) (out []limit) {
		sum := 0.0
		for _, k := range c {
			if sum > 0 {
				out = append(out, limit{k.low, sum})
			}
			sum += k.n
		}
		return out
	}
	a, b := limits(x), limits(y)
	between := false
	for _, p := range a {
		low, high := false, false
		for _, q := range b {
			if p.at < q.at && p.below > q.below || p.at > q.at && p.below < q.below || p.at == q.at && p.below != q.below {
				return false
			}
			low, high = low || q.at <= p.at, high || q.at >= p.at
		}
		between = between || low && high
	}
	return between
}
