package outputs

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// region is a set of cells that a number is about: per dimension its categories,
// nil where the dimension is not restricted.
type region [][]int32

// single returns the one cell that a region is.
func (r region) single(dims int) (node []int32, ok bool) {
	node = make([]int32, dims)
	for d, nodes := range r {
		switch {
		case len(nodes) > 1:
			return nil, false
		case len(nodes) == 1:
			node[d] = nodes[0]
		}
	}
	return node, true
}

// parts lists the cells of a region, whose counts and sums make up its own.
func (r region) parts(dims int) [][]int32 {
	out := [][]int32{make([]int32, dims)}
	for d, nodes := range r {
		if nodes == nil {
			continue
		}
		var next [][]int32
		for _, node := range out {
			for _, n := range nodes {
				node = slices.Clone(node)
				node[d] = n
				next = append(next, node)
			}
		}
		out = next
	}
	return out
}

// at narrows a region to one category of some dimensions; ok is false where they
// are not below what it has.
func (c *check) at(r region, to []level) (region, bool) {
	out := slices.Clone(r)
	for _, l := range to {
		inside := out[l.dim] == nil
		for n := l.node; n >= 0 && !inside; n = c.dims[l.dim].Parent[n] {
			inside = slices.Contains(out[l.dim], n)
		}
		if !inside {
			return nil, false
		}
		out[l.dim] = []int32{l.node}
	}
	return out, true
}

func (c *check) regionName(r region) string {
	var parts []string
	for d, nodes := range r {
		var labels []string
		for _, n := range nodes {
			labels = append(labels, c.dims[d].Labels[n])
		}
		if labels != nil {
			parts = append(parts, c.dims[d].Name+"="+strings.Join(labels, "+"))
		}
	}
	if parts == nil {
		return "the whole population"
	}
	return strings.Join(parts, ", ")
}

// level is a category of a dimension.
type level struct {
	dim  int
	node int32
}

// nodesOf finds categories by label, and replaces those that are all there is
// below another one by that.
func (c *check) nodesOf(d int, labels []string) (nodes []int32, unknown string) {
	dim := c.dims[d]
	in := make([]bool, len(dim.Labels))
	for _, l := range labels {
		n := slices.Index(dim.Labels, l)
		if n < 0 {
			return nil, l
		}
		in[n] = true
	}
	kids := make([][]int32, len(in))
	for n, p := range dim.Parent {
		if p >= 0 {
			kids[p] = append(kids[p], int32(n))
		}
	}
	for n := len(in) - 1; n >= 0; n-- {
		all := len(kids[n]) > 0
		for _, k := range kids[n] {
			all = all && in[k]
		}
		in[n] = in[n] || all
	}
	for n := range in {
		if p := dim.Parent[n]; in[n] && (p < 0 || !in[p]) {
			nodes = append(nodes, int32(n))
		} else if p >= 0 && in[p] {
			in[n] = true // below one that is in
		}
	}
	if slices.Equal(nodes, []int32{0}) {
		return nil, ""
	}
	return nodes, ""
}

// shown is what a row of estimates tells of the cells of its population.
type shown struct {
	about region
	tells []region // what its numbers are counts, sums or means of, about first
	model []region // what all rows of its model tell together
	n     float64  // of about; NaN where it is not given
	exact float64  // count of the last of tells, where it is given; else NaN
	why   string   // what keeps it from being linked
	doubt string   // what keeps its value from being judged, linked or not
}

// region reads whom a row is about.
func (c *check) region(e *estimates, row int) (region, bool) {
	r := make(region, len(c.dims))
	for d, dim := range c.dims {
		var labels []string
		if slices.Contains(e.spec.Dimensions, dim.Name) {
			labels = []string{text(e.f.Col(c.column(dim.Name)), row)}
		} else if labels = e.spec.Cell[dim.Name]; labels == nil {
			continue
		}
		nodes, unknown := c.nodesOf(d, labels)
		if unknown != "" {
			c.fault("%s: row %d: %s is %q, which is not in the hierarchy of %[3]s", e.path, row+1, dim.Name, unknown)
			return nil, false
		}
		r[d] = nodes
	}
	return r, true
}

// column returns the column of a dimension.
func (c *check) column(dimension string) string {
	for _, d := range c.rules.Dimensions {
		if d.Name == dimension {
			return d.Column
		}
	}
	return dimension
}

// regard works out what the rows of a file tell.
func (c *check) regard(e *estimates) {
	e.shown = make([]shown, len(e.rows))
	terms := e.models()
	for row := range e.shown {
		about, ok := c.region(e, row)
		if !ok {
			return
		}
		s := shown{about: about, tells: []region{about}, n: e.units(row, terms), exact: math.NaN()}
		switch {
		case e.spec.Counts == "":
			s.why = "nobody says what n counts: say so with counts in the rules, and with cell or dimensions whom it is about"
		case e.spec.Kind == "summary":
			c.regardStatistic(e, row, &s)
		}
		e.shown[row] = s
	}
	if e.spec.Kind == "regression" && e.spec.Counts != "" {
		c.regardModels(e)
	}
}

// regardStatistic adds the cell that a count, a share or the mean of a dummy
// tells beside the one it is about.
func (c *check) regardStatistic(e *estimates, row int, s *shown) {
	name, v, variable := strings.ToLower(text(e.f.Col("statistic"), row)), e.number("value", row), ""
	if col, ok := e.f.Lookup("variable"); ok {
		variable = text(col, row)
	}
	levels, category := c.dummies(variable)
	whole := false // the value is a count of what variable names
	switch name {
	case "count", "n":
		whole = true
		if v == s.n || math.IsNaN(s.n) && (variable == "" || variable == e.spec.Counts) {
			if s.n = v; !category {
				return
			}
		}
	case "share":
	case "sum":
		if whole = true; !category && (!(v <= s.n) || c.isVariable(e, variable)) {
			return
		}
	case "mean", "sd", "variance": // of a dummy they tell its share
		if !category && (!(v >= 0 && v <= 1) || name != "mean" && v > 0.5 || c.isVariable(e, variable)) {
			return
		}
	default:
		return
	}
	if (name == "count" || name == "n" || name == "share") && slices.Contains(c.countsOf(e.spec.Population), variable) {
		return // another count of the same cell, which the tables show or suppress with it
	}
	if !category {
		s.why = fmt.Sprintf("%s %v may be of a part of its units, and %q does not say of which: write variable as dimension=category", name, v, variable)
		if name != "count" && name != "n" && name != "share" {
			s.why += ", or name it under variables if it is no category"
		}
		return
	}
	part, ok := c.at(s.about, levels)
	if !ok {
		s.why = fmt.Sprintf("%q is not a part of %s", variable, c.regionName(s.about))
		return
	}
	s.tells = append(s.tells, part)
	if whole {
		s.exact = v
	}
}

// isVariable reports whether the rules name a variable as something other than
// a category.
func (c *check) isVariable(e *estimates, name string) bool {
	if slices.Contains(e.spec.Variables, name) {
		return true
	}
	for _, t := range c.tables {
		for _, m := range t.spec.Measures {
			if (m.Is == isSum || m.Is == isMean) && or(m.Of, m.Column) == name {
				return true
			}
		}
	}
	return false
}

// countsOf lists what the tables on a population count.
func (c *check) countsOf(population string) (out []string) {
	for _, t := range c.tables {
		for _, m := range t.spec.Measures {
			if name := or(m.Of, m.Column); m.Is == isCount && t.spec.Population == population && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// dummies reads a term or variable as a product of categories: sector=C,
// C(sector)[T.C], sectorC, sector::C, and their interactions with a colon.
func (c *check) dummies(term string) (levels []level, ok bool) {
	term = strings.ReplaceAll(strings.TrimSpace(term), "::", "=")
	if dim, label, found := strings.Cut(term, ":"); found {
		if l, ok := c.dummy(dim + "=" + label); ok {
			return []level{l}, true
		}
	}
	for _, factor := range strings.Split(term, ":") {
		l, ok := c.dummy(strings.TrimSpace(factor))
		if !ok {
			return nil, false
		}
		levels = append(levels, l)
	}
	return levels, true
}

func (c *check) dummy(factor string) (level, bool) {
	for d, dim := range c.dims {
		for _, name := range []string{dim.Name, c.column(dim.Name)} {
			rest, ok := strings.CutPrefix(factor, "C("+name+")")
			if !ok {
				if rest, ok = strings.CutPrefix(factor, name); !ok {
					continue
				}
			}
			for _, cut := range []string{"=", "[T.", "["} {
				rest = strings.TrimPrefix(rest, cut)
			}
			for _, label := range []string{rest, strings.TrimSuffix(rest, "]")} {
				if n := slices.Index(dim.Labels, label); n > 0 {
					return level{d, int32(n)}, true
				}
			}
		}
	}
	return level{}, false
}

var intercepts = []string{"(Intercept)", "Intercept", "intercept", "const", "_cons", "constant"}

// regardModels finds what coefficients tell: where all regressors are dummies of
// one product of dimensions, they are means of its cells, the reference category
// included; where there are several such products, the normal equations give the
// sums of all their categories.
func (c *check) regardModels(e *estimates) {
	of := map[string][]int{}
	var order []string
	for row := range e.rows {
		key := e.model(row)
		if of[key] == nil {
			order = append(order, key)
		}
		of[key] = append(of[key], row)
	}
	for _, key := range order {
		rows := of[key]
		terms, strange := c.termsOf(e, rows)
		switch {
		case e.spec.Design == "other":
			// Beside other regressors a dummy still fits its category exactly.
			if terms = c.dummyTerms(e, rows); len(terms) > 0 {
				c.regardDummies(e, rows, terms)
			}
		case strange != "":
			for _, row := range rows {
				e.shown[row].why = fmt.Sprintf("the term %q is no dummy of a dimension: say design: other if some regressor is none, or write terms as dimension=category", strange)
			}
		default:
			c.regardDummies(e, rows, terms)
		}
	}
}

// termsOf reads the terms of a model; strange is one that is no dummy.
func (c *check) termsOf(e *estimates, rows []int) (terms map[int][]level, strange string) {
	terms = map[int][]level{}
	for _, row := range rows {
		term := text(e.f.Col("term"), row)
		if slices.Contains(intercepts, term) {
			continue
		}
		levels, ok := c.dummies(term)
		if !ok {
			return nil, term
		}
		terms[row] = levels
	}
	return terms, ""
}

// dummyTerms reads the terms of a model that are dummies, a bare category
// included, and passes over the others.
func (c *check) dummyTerms(e *estimates, rows []int) map[int][]level {
	terms := map[int][]level{}
	for _, row := range rows {
		term := text(e.f.Col("term"), row)
		if slices.Contains(intercepts, term) {
			continue
		}
		levels, ok := c.dummies(term)
		for d := 0; d < len(c.dims) && !ok; d++ {
			if n := slices.Index(c.dims[d].Labels, term); n > 0 {
				levels, ok = []level{{d, int32(n)}}, true
			}
		}
		if ok {
			terms[row] = levels
		}
	}
	return terms
}

func (c *check) regardDummies(e *estimates, rows []int, terms map[int][]level) {
	var products []string
	sets := map[string][][]level{}
	for _, row := range rows {
		if levels, ok := terms[row]; ok {
			key := ""
			for _, l := range levels {
				key += fmt.Sprint(l.dim, " ")
			}
			if sets[key] == nil {
				products = append(products, key)
			}
			sets[key] = append(sets[key], levels)
		}
	}
	var model []region
	for _, key := range products {
		for _, levels := range c.sisters(sets[key]) {
			own := len(products) == 1 && slices.ContainsFunc(sets[key], func(l []level) bool { return slices.Equal(l, levels) })
			if r, ok := c.at(e.shown[rows[0]].about, levels); ok && !own {
				model = append(model, r)
			}
		}
	}
	for _, row := range rows {
		s := &e.shown[row]
		s.model = model
		levels, ok := terms[row]
		if !ok {
			continue
		}
		r, ok := c.at(s.about, levels)
		if !ok {
			s.why = fmt.Sprintf("the term %q is about nobody of %s", text(e.f.Col("term"), row), c.regionName(s.about))
			continue
		}
		s.tells = append(s.tells, r)
	}
}

// sisters lists all products of the categories that stand beside those given,
// the same included.
func (c *check) sisters(sets [][]level) [][]level {
	out := [][]level{nil}
	for k := range sets[0] {
		d := sets[0][k].dim
		var nodes []int32
		for n, p := range c.dims[d].Parent {
			if slices.ContainsFunc(sets, func(l []level) bool { return c.dims[d].Parent[l[k].node] == p }) {
				nodes = append(nodes, int32(n))
			}
		}
		var next [][]level
		for _, o := range out {
			for _, n := range nodes {
				next = append(next, append(slices.Clone(o), level{d, n}))
			}
		}
		out = next
	}
	return out
}
