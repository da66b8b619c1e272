package outputs

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/outputs/primary"
	"scramblelab/internal/outputs/suppress"
	"scramblelab/internal/tabio"
)

// table is one of the researcher's tables.
type table struct {
	spec  *TableSpec
	path  string
	f     *frame.Frame
	dims  []int // into check.dims, ascending
	nodes [][]int32
	group *group
	index int // among the tables of its group
	tally *primary.Tally
	micro []string // magnitudes of the tally
	rows  []verdict
	half  map[string]float64 // of each mean, half a unit of its last decimal
}

// verdict is what is said of a row.
type verdict struct {
	status Status
	reason string
	move   string
	room   map[string][2]float64 // per magnitude, what a sensitive cell needs: up, down
}

// cell returns the cell that a table shows at some categories, one per dimension
// of its own, or -1.
func (t *table) cell(at []int32) int32 {
	for range len(t.group.system.Tables[t.index].Dims) - len(at) {
		at = append(at[:len(at):len(at)], members)
	}
	return t.group.system.Cell(t.index, at)
}

// column returns the values of a measure, nil if the table lacks it.
func (t *table) column(is, of string) []float64 {
	for _, m := range t.spec.Measures {
		if m.Is == is && (of == "" || m.Of == of || m.Of == "") {
			return valuesOf(t.f.Col(m.Column))
		}
	}
	return nil
}

func valuesOf(c frame.Column) []float64 {
	out := make([]float64, c.Len())
	for i := range out {
		out[i] = c.Value(i)
	}
	return out
}

// rounding is how far the sums behind the means of a row may be off because the
// means are printed with so many decimals.
func (t *table) rounding(row int) float64 {
	off := 0.0
	for _, m := range t.spec.Measures {
		if m.Is != isMean || m.Over == "" {
			continue
		}
		if t.half == nil {
			t.half = map[string]float64{}
		}
		half, ok := t.half[m.Column]
		if !ok {
			half = halfUnit(valuesOf(t.f.Col(m.Column)))
			t.half[m.Column] = half
		}
		off = max(off, float64(half*t.f.Col(m.Over).Value(row)))
	}
	return off
}

// halfUnit is half a unit of the last decimal that some value has, up to the ninth.
func halfUnit(values []float64) float64 {
	unit := 1.0
	for _, v := range values {
		for unit > 1e-9 && math.Abs(v/unit-math.Round(v/unit)) > 1e-7*math.Max(1, math.Abs(v/unit)*1e-6) {
			unit /= 10
		}
	}
	return unit / 2 * 1.001
}

// additive returns the magnitudes of a table that add up, by name. A mean with
// its count is as good as a sum.
func (t *table) additive() (names []string, values [][]float64, counts []bool) {
	for _, m := range t.spec.Measures {
		var name string
		var v []float64
		switch m.Is {
		case isCount:
			name, v = "count of "+or(m.Of, m.Column), valuesOf(t.f.Col(m.Column))
		case isSum:
			name, v = "sum of "+or(m.Of, m.Column), valuesOf(t.f.Col(m.Column))
		case isMean:
			over := m.Over
			if over == "" {
				continue
			}
			n := valuesOf(t.f.Col(over))
			v = valuesOf(t.f.Col(m.Column))
			for i := range v {
				if v[i] *= n[i]; n[i] == 0 {
					v[i] = 0
				}
			}
			name = "sum of " + or(m.Of, m.Column)
		default:
			continue
		}
		if !slices.Contains(names, name) {
			names, values, counts = append(names, name), append(values, v), append(counts, m.Is == isCount)
		}
	}
	return names, values, counts
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// cellName writes a row in words.
func (c *check) cellName(t *table, row int) string {
	var parts []string
	for k, d := range t.dims {
		parts = append(parts, c.dims[d].Name+"="+c.dims[d].Labels[t.nodes[k][row]])
	}
	return strings.Join(parts, ", ")
}

func (c *check) faultAt(t *table, row int, format string, args ...any) {
	if len(c.bad) > maxFaults {
		return
	}
	name := ""
	if t.nodes != nil && len(t.nodes) == len(t.dims) && row >= 0 {
		name = " (" + c.cellName(t, row) + ")"
	}
	c.fault("%s: row %d%s: %s", t.path, row+1, name, fmt.Sprintf(format, args...))
}

// read reads every file and builds the classifications.
func (c *check) read(ctx context.Context) error {
	specs := map[string]DimensionSpec{}
	for _, d := range c.rules.Dimensions {
		specs[d.Name] = d
	}
	for _, t := range c.tables {
		var s tabio.Schema
		for _, d := range t.spec.Dimensions {
			s.Columns = append(s.Columns, tabio.ColumnSpec{Name: specs[d].Column, Kind: frame.Category, Required: true, Missing: []string{}})
		}
		for _, m := range t.spec.Measures {
			s.Columns = append(s.Columns, tabio.ColumnSpec{Name: m.Column, Required: true})
		}
		var err error
		if t.f, err = tabio.Read(ctx, t.path, s); err != nil {
			return err
		}
		for _, col := range t.f.Columns() {
			if !slices.ContainsFunc(s.Columns, func(k tabio.ColumnSpec) bool { return k.Name == col.Name }) {
				c.fault("%s: column %q is not described in the rules: say what it is, or is: ignore", t.path, col.Name)
			}
		}
		if t.f.Rows() == 0 {
			c.fault("%s has no rows", t.path)
		}
	}
	for _, e := range c.others {
		if err := e.read(ctx, c); err != nil {
			return err
		}
	}
	if err := c.faults(); err != nil {
		return err
	}
	for _, spec := range c.rules.Dimensions {
		d, err := c.dimension(ctx, spec)
		if err != nil {
			return err
		}
		c.dims = append(c.dims, d)
	}
	for _, t := range c.tables {
		c.place(t, specs)
	}
	if err := c.faults(); err != nil {
		return err
	}
	for _, t := range c.tables {
		c.checkValues(t)
		if c.bad == nil {
			c.checkTotals(t)
			c.checkLargest(t)
		}
	}
	c.disguises = c.countsInDisguise()
	c.translate()
	return c.faults()
}

// dimension builds the tree of a classification from its specification and, where
// that gives no hierarchy, from the labels in the tables.
func (c *check) dimension(ctx context.Context, spec DimensionSpec) (suppress.Dimension, error) {
	parent := map[string]string{}
	var order []string
	put := func(child, above string) {
		switch old, ok := parent[child]; {
		case child == spec.Total:
			c.fault("dimension %q: the total %q stands inside a group", spec.Name, child)
		case ok && old != above:
			c.fault("dimension %q: %q belongs to %q and to %q", spec.Name, child, old, above)
		case !ok:
			parent[child] = above
			order = append(order, child)
		}
	}
	switch {
	case spec.Hierarchy != "":
		f, err := tabio.Read(ctx, spec.Hierarchy, tabio.Schema{Columns: []tabio.ColumnSpec{
			{Name: "code", Kind: frame.Category, Required: true, Missing: []string{}}, {Name: "parent", Kind: frame.Category, Required: true, Missing: []string{}},
		}})
		if err != nil {
			return suppress.Dimension{}, err
		}
		code, up := f.Col("code"), f.Col("parent")
		for i := range f.Rows() {
			put(code.Dict.Label(code.I[i]), or(up.Dict.Label(up.I[i]), spec.Total))
		}
	case spec.Groups != nil:
		var groups []string
		for g := range spec.Groups {
			groups = append(groups, g)
		}
		slices.Sort(groups)
		for _, g := range groups {
			for _, child := range spec.Groups[g] {
				put(child, g)
			}
		}
		for _, g := range groups {
			if _, ok := parent[g]; !ok && g != spec.Total {
				put(g, spec.Total)
			}
		}
	default:
		seen := map[string]bool{spec.Total: true}
		see := func(labels []string) {
			for _, l := range labels {
				if !seen[l] {
					seen[l] = true
					order = append(order, l)
				}
			}
		}
		for _, t := range c.tables {
			if col, ok := t.f.Lookup(spec.Column); ok && slices.Contains(t.spec.Dimensions, spec.Name) {
				see(col.Dict.Labels())
			}
		}
		for _, e := range c.others {
			if len(seen) > 1 {
				break // the tables say what there is
			}
			if slices.Contains(e.spec.Dimensions, spec.Name) {
				see(e.f.Col(spec.Column).Dict.Labels())
			}
			see(e.spec.Cell[spec.Name])
		}
		slices.Sort(order)
		for _, l := range order {
			parent[l] = spec.Total
		}
	}
	d := suppress.Dimension{Name: spec.Name, Labels: []string{spec.Total}, Parent: []int32{-1}}
	at := map[string]int32{spec.Total: 0}
	for rest := order; len(rest) > 0; { // parents before children
		var later []string
		for _, l := range rest {
			if p, ok := at[parent[l]]; ok {
				at[l] = int32(len(d.Labels))
				d.Labels, d.Parent = append(d.Labels, l), append(d.Parent, p)
			} else {
				later = append(later, l)
			}
		}
		if len(later) == len(rest) {
			where := ""
			if spec.Hierarchy != "" {
				where = spec.Hierarchy + ": "
			}
			c.fault("%sdimension %q: %q hangs below %q, which hangs below nothing or below itself: give %[4]q a row of its own, with an empty parent if it is directly below the total", where, spec.Name, later[0], parent[later[0]])
			break
		}
		rest = later
	}
	return d, nil
}

// place gives the rows of a table their nodes.
func (c *check) place(t *table, specs map[string]DimensionSpec) {
	for d := range c.dims {
		if slices.Contains(t.spec.Dimensions, c.dims[d].Name) {
			t.dims = append(t.dims, d)
		}
	}
	nodes := make([][]int32, len(t.dims))
	for k, d := range t.dims {
		col := t.f.Col(specs[c.dims[d].Name].Column)
		code := c.codes(d, col.Dict)
		nodes[k] = make([]int32, t.f.Rows())
		for i, v := range col.I {
			switch {
			case v < 0:
				c.faultAt(t, i, "%s is empty: write the label of the total, %q, or a category", col.Name, c.dims[d].Labels[0])
			case code[v] < 0:
				c.faultAt(t, i, "%s is %q, which is not in the hierarchy of %s: add it to the groups or the hierarchy file", col.Name, col.Dict.Label(v), c.dims[d].Name)
			default:
				nodes[k][i] = code[v]
			}
		}
	}
	t.nodes = nodes
	t.rows = make([]verdict, t.f.Rows())
}

// codes returns the node of each label of a codebook, -1 for one that the
// classification lacks.
func (c *check) codes(d int, dict *frame.Dict) []int32 {
	at := make(map[string]int32, len(c.dims[d].Labels))
	for n, l := range c.dims[d].Labels {
		at[l] = int32(n)
	}
	code := make([]int32, dict.Len())
	for i, l := range dict.Labels() {
		n, ok := at[l]
		if code[i] = n; !ok {
			code[i] = -1
		}
	}
	return code
}

// checkLargest names rows whose largest contributions cannot be: then no rule for
// magnitudes could be evaluated.
func (c *check) checkLargest(t *table) {
	for _, m := range t.spec.Measures {
		largest, second := t.column(isLargest, m.Of), t.column(isSecond, m.Of)
		if m.Is != isSum || largest == nil || second == nil {
			continue
		}
		for i, total := range valuesOf(t.f.Col(m.Column)) {
			one, two := largest[i], second[i]
			slack := t.spec.Tolerance + 1e-9*total
			switch {
			case total > 0 && !(one > 0):
				c.faultAt(t, i, "%s is %v, and its largest contribution is not given", m.Column, total)
			case math.IsNaN(two) && total > one+slack:
				c.faultAt(t, i, "%s is %v, more than its largest contribution %v, and the second largest is not given", m.Column, total, one)
			case two > one || one+two > total+slack:
				c.faultAt(t, i, "%s is %v, and its largest contributions %v and %v: they cannot be", m.Column, total, one, two)
			}
		}
	}
}

// noNumber names the first cell of a column that is not a number.
func (c *check) noNumber(t *table, column string, col frame.Column) {
	for i := range col.Len() {
		if !col.Coded() {
			break
		}
		label := text(col, i)
		if _, err := strconv.ParseFloat(label, 64); err != nil && label != "" {
			c.faultAt(t, i, "%s is %q, want a number: give the exact figures, suppressed ones too, because what leaves is decided here", column, label)
			return
		}
	}
	c.fault("%s: column %q is %v, want numbers", t.path, column, col.Kind)
}

// checkValues names missing and negative values.
func (c *check) checkValues(t *table) {
	for _, m := range t.spec.Measures {
		if m.Is == isIgnored {
			continue
		}
		col := t.f.Col(m.Column)
		if col.Coded() || col.Kind == frame.Date {
			c.noNumber(t, m.Column, col)
			continue
		}
		var n []float64
		if m.Is == isMean && m.Over != "" {
			n = valuesOf(t.f.Col(m.Over))
		}
		for i := range t.f.Rows() {
			v := col.Value(i)
			switch {
			case math.IsNaN(v) && m.Is == isMean && n != nil && n[i] == 0:
			case math.IsNaN(v) && (m.Is == isLargest || m.Is == isSecond):
			case math.IsNaN(v):
				c.faultAt(t, i, "%s has no value", m.Column)
			case math.IsInf(v, 0):
				c.faultAt(t, i, "%s is infinite", m.Column)
			case v < 0 && m.Is != isMean:
				c.faultAt(t, i, "%s is %v: rules for magnitudes are not defined for negative ones", m.Column, v)
			case v < 0:
				c.faultAt(t, i, "%s is %v: its sum is negative, for which no rule is defined", m.Column, v)
			case v > 1<<53 && m.Is == isCount:
				c.faultAt(t, i, "%s is %v, which is no count of units", m.Column, v)
			case v != math.Trunc(v) && (m.Is == isCount || m.Is == isEmployers):
				c.faultAt(t, i, "%s is %v, want a whole number", m.Column, v)
			}
		}
	}
}
