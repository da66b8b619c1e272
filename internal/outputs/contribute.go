package outputs

import (
	"context"
	"math"
	"slices"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/outputs/primary"
	"scramblelab/internal/tabio"
)

// microdata are the contributing rows.
type microdata struct {
	f            *frame.Frame
	contributor  []int32
	contributors int
	worker       []int32 // nil: every row is one
	workers      int
	weights      []float64
	keep         []bool         // nil: all
	rowOf        []int32        // some row of each contributor; made when asked for
	counted      int            // rows gone through for the units of estimates
	values       map[string]int // of each variable, up to three; made when asked for
}

// readMicro reads the microdata.
func (c *check) readMicro(ctx context.Context) error {
	spec := c.rules.Microdata
	if spec == nil {
		return nil
	}
	c.o.Progress.Step("read", 0, 0)
	var s tabio.Schema
	for _, d := range c.rules.Dimensions {
		if !slices.ContainsFunc(s.Columns, func(k tabio.ColumnSpec) bool { return k.Name == d.Microdata }) {
			s.Columns = append(s.Columns, tabio.ColumnSpec{Name: d.Microdata, Kind: frame.Category, Missing: []string{}})
		}
	}
	f, err := tabio.Read(ctx, spec.File, s)
	if err != nil {
		return err
	}
	m := &microdata{f: f}
	need := func(name string) (frame.Column, bool) {
		col, ok := f.Lookup(name)
		if !ok {
			c.fault("%s: there is no column %q (columns are %q)", spec.File, name, f.Names())
		}
		return col, ok
	}
	if col, ok := need(spec.Employer); ok {
		m.contributor, m.contributors = dense(col)
		if i := slices.Index(m.contributor, -1); i >= 0 {
			c.fault("%s: row %d has no %s: a row without contributor cannot be counted", spec.File, i+1, spec.Employer)
		}
	}
	if spec.Holding != "" {
		if col, ok := need(spec.Holding); ok && c.bad == nil {
			group, n := dense(col)
			for i, g := range group {
				if g >= 0 {
					m.contributor[i] = int32(m.contributors) + g
				}
			}
			m.contributors += n
		}
	}
	if spec.Worker != "" {
		if col, ok := need(spec.Worker); ok {
			if m.worker, m.workers = dense(col); slices.Contains(m.worker, -1) {
				c.fault("%s: row %d has no %s: a row without worker cannot be counted; fill it in, or take worker out of the rules and count rows", spec.File, slices.Index(m.worker, -1)+1, spec.Worker)
			}
		}
	}
	if spec.Weight != "" {
		if col, ok := need(spec.Weight); ok {
			m.weights = valuesOf(col)
			for i, w := range m.weights {
				if !(w >= 0) || math.IsInf(w, 1) {
					c.fault("%s: row %d has the %s %v, want a weight of at least 0", spec.File, i+1, spec.Weight, w)
				}
			}
		}
	}
	m.keep = c.filter(spec.File, f, spec.Where)
	if c.bad != nil {
		return nil
	}
	c.micro = m
	c.checkStated()
	return nil
}

// count counts who stands behind each cell.
func (c *check) count(ctx context.Context) error {
	if c.micro == nil {
		return nil
	}
	c.o.Progress.Step("contributors", 0, len(c.tables))
	for i, t := range c.tables {
		if err := c.tallyTable(ctx, t); err != nil {
			return err
		}
		c.o.Progress.Step("contributors", i+1, len(c.tables))
	}
	return nil
}

// dense numbers the values of a column from 0; -1 is missing.
func dense(col frame.Column) (code []int32, n int) {
	if col.Coded() {
		return slices.Clone(col.I), col.Dict.Len()
	}
	code = make([]int32, col.Len())
	if col.Kind == frame.Int {
		low, high := int64(math.MaxInt32), int64(math.MinInt32)
		for _, v := range col.I {
			if v != frame.NoInt {
				low, high = min(low, int64(v)), max(high, int64(v))
			}
		}
		if high-low < 4*int64(len(code))+1<<20 {
			for i, v := range col.I {
				if code[i] = -1; v != frame.NoInt {
					code[i] = int32(int64(v) - low)
				}
			}
			return code, int(max(0, high-low+1))
		}
	}
	at := map[float64]int32{}
	for i := range code {
		v := col.Value(i)
		if math.IsNaN(v) {
			code[i] = -1
			continue
		}
		k, ok := at[v]
		if !ok {
			k = int32(len(at))
			at[v] = k
		}
		code[i] = k
	}
	return code, len(at)
}

// filter returns which rows pass all filters, nil for all.
func (c *check) filter(file string, f *frame.Frame, where []Filter) []bool {
	if len(where) == 0 {
		return nil
	}
	keep := slices.Repeat([]bool{true}, f.Rows())
	for _, w := range where {
		col, ok := f.Lookup(w.Column)
		if !ok {
			c.fault("%s: there is no column %q to filter by (columns are %q)", file, w.Column, f.Names())
			continue
		}
		pass := map[int32]bool{}
		for i := range keep {
			if !keep[i] {
				continue
			}
			if !col.Coded() {
				keep[i] = slices.Contains(w.Is, strconv.FormatFloat(col.Value(i), 'f', -1, 64))
				continue
			}
			ok, seen := pass[col.I[i]]
			if !seen {
				ok = slices.Contains(w.Is, col.Dict.Label(col.I[i]))
				pass[col.I[i]] = ok
			}
			keep[i] = ok
		}
	}
	return keep
}

// tallyTable counts the contributors of one table and compares the counts and
// sums that the table shows with those of the rows.
func (c *check) tallyTable(ctx context.Context, t *table) error {
	m, spec := c.micro, c.rules.Microdata
	layout, combination, ok := c.layout(t)
	if !ok {
		return nil
	}
	rows := primary.Rows{Combination: combination, Contributor: m.contributor, Weights: m.weights}
	for _, of := range t.spec.Measures {
		if (of.Is != isSum && of.Is != isMean && of.Is != isCount) || of.Of == "" || slices.Contains(t.micro, of.Of) {
			continue
		}
		col, ok := m.f.Lookup(of.Of)
		if !ok {
			c.fault("%s: there is no column %q, which %s of %s is about", spec.File, of.Of, of.Column, t.path)
			return nil
		}
		v := valuesOf(col)
		for i, x := range v {
			if (x < 0 || math.IsInf(x, 0)) && combination[i] >= 0 {
				c.fault("%s: row %d has the %s %v: rules for magnitudes are not defined for negative or infinite contributions", spec.File, i+1, of.Of, x)
			}
			if math.IsNaN(x) {
				v[i] = 0
			}
		}
		t.micro, rows.Values = append(t.micro, of.Of), append(rows.Values, v)
	}
	if c.bad != nil {
		return nil
	}
	if m.weights != nil { // the sum of weights, which a weighted count shows
		t.micro, rows.Values = append(t.micro, weightedRows), append(rows.Values, slices.Repeat([]float64{1}, m.f.Rows()))
	}
	var err error
	if t.tally, err = primary.Count(ctx, layout, rows, m.contributors, c.rules.Rules.depth()); err != nil {
		return err
	}
	if m.worker != nil { // distinct workers, not rows
		by, err := primary.Count(ctx, layout, primary.Rows{Combination: combination, Contributor: m.worker}, m.workers, 0)
		if err != nil {
			return err
		}
		for k, n := range by.Employers {
			t.tally.Rows[k] = int64(n)
		}
	}
	c.compare(t)
	for k, name := range t.micro {
		if name == weightedRows || !slices.ContainsFunc(t.spec.Measures, func(of MeasureSpec) bool { return of.Of == name && of.Is != isCount }) {
			continue
		}
		switch low, high, ok := twoValues(rows.Values[k], combination); {
		case ok && low == 0 && high == 1:
			c.disguises["sum of "+name] = true
		case ok:
			c.report.hold("%s: %s takes the values %v and %v alone, so that its sum or mean counts units; needs review: give a variable that is 0 or 1, or a count", t.path, name, low, high)
		}
	}
	return nil
}

// weightedRows is the magnitude of a tally that is one in every row.
const weightedRows = "\x00rows"

// keepOf returns which rows of the microdata a table is about, nil for all.
func (c *check) keepOf(t *table) []bool {
	m := c.micro
	if len(t.spec.Where) == 0 {
		return m.keep
	}
	keep := slices.Clone(c.filter(c.rules.Microdata.File, m.f, t.spec.Where))
	for i := range keep {
		keep[i] = keep[i] && (m.keep == nil || m.keep[i])
	}
	return keep
}

// layout says to which rows of a table each microdata row contributes.
func (c *check) layout(t *table) (primary.Layout, []int32, bool) {
	m, spec := c.micro, c.rules.Microdata
	s := t.group.system
	n := m.f.Rows()
	keep := c.keepOf(t)
	key := make([]int64, n)
	size := int64(1)
	for _, d := range t.dims {
		var column string
		for _, ds := range c.rules.Dimensions {
			if ds.Name == c.dims[d].Name {
				column = ds.Microdata
			}
		}
		col, ok := m.f.Lookup(column)
		if !ok {
			c.fault("%s: there is no column %q for the dimension %s", spec.File, column, c.dims[d].Name)
			return primary.Layout{}, nil, false
		}
		// A category that no table shows counts in the total alone.
		code := c.codes(d, col.Dict)
		for i, v := range col.I {
			if v >= 0 && code[v] > 0 {
				key[i] += int64(code[v]) * size
			}
		}
		size *= int64(len(c.dims[d].Labels))
	}
	row := make([]int32, s.N)
	for c := range row {
		row[c] = -1
	}
	for i, cell := range s.Tables[t.index].Cells {
		row[cell] = int32(i)
	}
	combination := make([]int32, n)
	layout := primary.Layout{N: t.f.Rows(), Start: []int32{0}}
	number := numbering(size)
	for i := range combination {
		if combination[i] = -1; keep != nil && !keep[i] {
			continue
		}
		k, isNew := number.of(key[i])
		combination[i] = k
		if !isNew {
			continue
		}
		rest := key[i]
		at := make([]int32, len(t.dims))
		for j, d := range t.dims {
			at[j] = int32(rest % int64(len(c.dims[d].Labels)))
			rest /= int64(len(c.dims[d].Labels))
		}
		layout.Cells = c.above(t, row, at, 0, layout.Cells)
		layout.Start = append(layout.Start, int32(len(layout.Cells)))
	}
	return layout, combination, true
}

// above appends the rows that show a combination or one of its totals.
func (c *check) above(t *table, row, at []int32, k int, out []int32) []int32 {
	if k == len(at) {
		if cell := t.cell(at); cell >= 0 {
			out = append(out, row[cell])
		}
		return out
	}
	own := at[k]
	for n := own; n >= 0; n = c.dims[t.dims[k]].Parent[n] {
		if t.group.system.Shows(t.index, k, n) {
			at[k] = n
			out = c.above(t, row, at, k+1, out)
		}
	}
	at[k] = own
	return out
}

// numberer numbers keys in the order in which they come.
type numberer struct {
	dense  []int32
	sparse map[int64]int32
	n      int32
}

func numbering(size int64) *numberer {
	if size <= 1<<26 {
		return &numberer{dense: make([]int32, size)}
	}
	return &numberer{sparse: map[int64]int32{}}
}

func (x *numberer) of(key int64) (number int32, isNew bool) {
	if x.dense != nil {
		if k := x.dense[key]; k > 0 {
			return k - 1, false
		}
		x.n++
		x.dense[key] = x.n
		return x.n - 1, true
	}
	if k, ok := x.sparse[key]; ok {
		return k, false
	}
	x.n++
	x.sparse[key] = x.n - 1
	return x.n - 1, true
}

// compare names the rows of a table that the microdata contradict: then the
// rules would be applied to other people than the table is about.
func (c *check) compare(t *table) {
	check := func(name string, table []float64, micro func(i int) float64, tolerance float64) {
		for i, v := range table {
			if want := micro(i); !(math.Abs(v-want) <= tolerance+1e-6*math.Abs(want)) {
				c.faultAt(t, i, "%s is %v, the microdata say %v: is the population the same?", name, v, want)
			}
		}
	}
	ones := slices.Index(t.micro, weightedRows)
	for _, m := range t.spec.Measures {
		col := t.f.Col(m.Column)
		k := slices.Index(t.micro, m.Of)
		switch {
		case m.Is == isCount && m.Of == "" && ones >= 0: // rounded to whole units
			check(m.Column, valuesOf(col), func(i int) float64 { return t.tally.Magnitude[ones].Total(i) }, 0.5)
		case m.Is == isCount && m.Of == "":
			check(m.Column, valuesOf(col), func(i int) float64 { return float64(t.tally.Rows[i]) }, 0)
		case m.Is == isEmployers && c.rules.Microdata.Holding == "":
			check(m.Column, valuesOf(col), func(i int) float64 { return float64(t.tally.Employers[i]) }, 0)
		case m.Is == isCount && k >= 0:
			off := 0.0
			if c.micro.weights != nil { // rounded to whole units
				off = 0.5
			}
			check(m.Column, valuesOf(col), func(i int) float64 { return t.tally.Magnitude[k].Total(i) }, off)
		case m.Is == isSum && k >= 0:
			check(m.Column, valuesOf(col), func(i int) float64 { return t.tally.Magnitude[k].Total(i) }, t.spec.Tolerance+0.5)
		}
	}
}
