package publish

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// counter holds what counting a group of jobs needs. It is read only, and
// shared by all chunks.
type counter struct {
	o            Options
	counts       countClasses
	level, field *frame.Column
	keys         []int32    // cell of each row where cells are too many for a dense product
	cells        [][2]int32 // level and field of each cell
	fields       int32      // cells = levels x fields, missing first
	wage, fte    number64
	age          number64
	hired, left  []int32
	protect      *protector
}

// denseCells is the product of levels and fields up to which cells are an array
// over all of them.
const denseCells = 1 << 16

func newCounter(d *linked.Data, o Options) (*counter, error) {
	c := &counter{o: o}
	c.counts, _ = newCountClasses(o.Counts)
	levels, fields := 1, 1
	for _, x := range []struct {
		name string
		col  **frame.Column
		n    *int
	}{{linked.Level, &c.level, &levels}, {linked.Field, &c.field, &fields}} {
		if col, ok := d.Jobs.Lookup(x.name); ok {
			if !col.Coded() {
				return nil, fmt.Errorf("publish: %s is a %v: want a category, whose labels make the cells", x.name, col.Kind)
			}
			*x.col, *x.n = &col, col.Dict.Len()+1
		}
	}
	c.fields = int32(fields)
	if levels*fields > denseCells {
		c.compress(d.Jobs.Rows())
	} else {
		for l := range levels {
			for f := range fields {
				c.cells = append(c.cells, [2]int32{int32(l) - 1, int32(f) - 1})
			}
		}
	}
	c.protect = newProtector(o.Cells, d.Jobs.Col(linked.Employer).Dict, c)
	var err error
	for _, x := range []struct {
		name    string
		classes Classes
		to      *number64
	}{{linked.Wage, o.Wage, &c.wage}, {linked.FTE, o.FTE, &c.fte}, {linked.Age, o.Age, &c.age}} {
		if col, ok := d.Jobs.Lookup(x.name); ok && x.classes.dict != nil && err == nil {
			*x.to, err = numbers(col)
		}
	}
	if left, ok := d.Jobs.Lookup(linked.Left); ok && d.Periods {
		c.left = left.I
	}
	if hired, ok := d.Jobs.Lookup(linked.Hired); ok && d.Periods {
		c.hired = hired.I
	}
	return c, err
}

// compress numbers the cells that occur.
func (c *counter) compress(rows int) {
	at := func(i int) int64 { return int64(code(c.level, i))<<32 | int64(code(c.field, i)) }
	all := make([]int64, rows)
	for i := range all {
		all[i] = at(i)
	}
	slices.Sort(all)
	if c.o.Cells.Suppress > 1 {
		all = append(all, 0) // the row without level and field
		slices.Sort(all)
	}
	all = slices.Compact(all)
	for _, k := range all {
		c.cells = append(c.cells, [2]int32{int32(k>>32) - 1, int32(k&math.MaxUint32) - 1})
	}
	c.keys = make([]int32, rows)
	for i := range c.keys {
		k, _ := slices.BinarySearch(all, at(i))
		c.keys[i] = int32(k)
	}
}

// code is the code plus one of row i, 0 where it is missing or there is no
// such column.
func code(c *frame.Column, i int) int32 {
	if c == nil {
		return 0
	}
	return max(c.I[i], -1) + 1
}

func (c *counter) cell(i int) int32 {
	if c.keys != nil {
		return c.keys[i]
	}
	return code(c.level, i)*c.fields + code(c.field, i)
}

// number64 reads a column as integers times 10^-decimals.
type number64 struct {
	on       bool
	i        []int32
	l        []int64
	table    []int64 // by code
	decimals uint8
}

// tableDecimals is how fine the numbers behind labels are kept.
const tableDecimals = 3

func numbers(c frame.Column) (number64, error) {
	switch {
	case c.Coded() && c.Dict.HasValues():
		n := number64{on: true, i: c.I, decimals: tableDecimals, table: make([]int64, c.Dict.Len())}
		for k := range n.table {
			n.table[k] = int64(math.Round(c.Dict.Value(int32(k)) * 1e3))
		}
		return n, nil
	case c.Kind == frame.Int:
		return number64{on: true, i: c.I, decimals: c.Decimals}, nil
	case c.Kind == frame.Long:
		return number64{on: true, l: c.L, decimals: c.Decimals}, nil
	}
	return number64{}, fmt.Errorf("publish: %s is a %v without numbers: want integers, fixed-point numbers or labels with midpoints", c.Name, c.Kind)
}

func (n *number64) at(i int) (int64, bool) {
	switch {
	case n.l != nil:
		return n.l[i], n.l[i] != frame.NoLong
	case n.table != nil:
		if n.i[i] < 0 {
			return 0, false
		}
		return n.table[n.i[i]], true
	}
	return int64(n.i[i]), n.i[i] != frame.NoInt
}

// mean is a sum of weight*value with the sum of weights.
type mean struct{ sum, weight int64 }

func (m *mean) add(n *number64, i int, weight int64) {
	if !n.on {
		return
	}
	if v, ok := n.at(i); ok {
		m.sum += v * weight
		m.weight += weight
	}
}

func (m mean) class(c Classes, n *number64) int32 {
	if m.weight == 0 {
		return frame.NoCode
	}
	return c.Mean(m.sum, m.weight, n.decimals)
}

type tally struct {
	weight    int64 // jobs, or days
	wage, fte mean
}

// part is the published content of some groups: cells, and per group the staff
// and the class of the mean age.
type part struct {
	unit, year, cell, workers, wage, fte []int32
	staff, age                           []int32
	did                                  Protected
}

func (p *part) grow(parts []part) {
	cells, groups := 0, 0
	for _, q := range parts {
		cells, groups = cells+len(q.cell), groups+len(q.staff)
	}
	for _, v := range []*[]int32{&p.unit, &p.year, &p.cell, &p.workers, &p.wage, &p.fte} {
		*v = make([]int32, 0, cells)
	}
	p.staff, p.age = make([]int32, 0, groups), make([]int32, 0, groups)
}

func (p *part) append(q part) {
	p.unit, p.year, p.cell = append(p.unit, q.unit...), append(p.year, q.year...), append(p.cell, q.cell...)
	p.workers, p.wage, p.fte = append(p.workers, q.workers...), append(p.wage, q.wage...), append(p.fte, q.fte...)
	p.staff, p.age = append(p.staff, q.staff...), append(p.age, q.age...)
	p.did.add(q.did)
}

// count tallies groups over an array of all cells; a bitmap remembers which
// were touched and lists them in order.
func (c *counter) count(groups []group) part {
	var p part
	tallies := make([]tally, len(c.cells))
	touched := make([]uint64, (len(c.cells)+63)/64)
	var cells []counted
	for _, g := range groups {
		var age mean
		firstDay, days := yearDays(g.year)
		for _, r := range g.runs {
			for i := int(r[0]); i < int(r[1]); i++ {
				w := c.weight(i, firstDay, days)
				if w == 0 {
					continue
				}
				k := c.cell(i)
				touched[k>>6] |= 1 << (k & 63)
				t := &tallies[k]
				t.weight += w
				t.wage.add(&c.wage, i, w)
				t.fte.add(&c.fte, i, w)
				age.add(&c.age, i, w)
			}
		}
		cells = cells[:0]
		for word, bitmap := range touched {
			if bitmap == 0 {
				continue
			}
			touched[word] = 0
			for ; bitmap != 0; bitmap &= bitmap - 1 {
				k := word<<6 + bits.TrailingZeros64(bitmap)
				n := tallies[k].weight
				if c.o.CountOn == CountAverage {
					n = max(1, (2*n+days)/(2*days))
				}
				cells = append(cells, counted{int32(k), int32(n)})
			}
		}
		before := int32(0)
		for _, x := range cells {
			before += x.n
		}
		p.did.Cells, p.did.Workers = p.did.Cells+int64(len(cells)), p.did.Workers+int64(before)
		if c.protect.Suppress > 1 {
			cells = c.protect.fold(cells, tallies, &p.did)
		}
		staff := int32(0)
		for _, x := range cells {
			t := &tallies[x.cell]
			n := c.protect.change(x.n, g.unit, g.year, x.cell)
			switch staff += n; {
			case n == 0:
				p.did.Vanished++
			default:
				if n != x.n {
					p.did.Changed++
				}
				p.unit, p.year, p.cell = append(p.unit, g.unit), append(p.year, g.year), append(p.cell, x.cell)
				p.workers = append(p.workers, n)
				p.wage = append(p.wage, t.wage.class(c.o.Wage, &c.wage))
				p.fte = append(p.fte, t.fte.class(c.o.FTE, &c.fte))
			}
			*t = tally{}
		}
		p.did.After += int64(staff)
		if staff == 0 && c.protect.Suppress > 1 {
			staff = before // hidden, not gone
		} else if staff == 0 {
			age = mean{}
		}
		p.staff, p.age = append(p.staff, staff), append(p.age, age.class(c.o.Age, &c.age))
	}
	return p
}

// weight is the number of heads, or of days under average, that job i stands
// for; 0 where it does not count.
func (c *counter) weight(i int, firstDay, days int64) int64 {
	lastDay := firstDay + days - 1
	switch c.o.CountOn {
	case CountAny:
		return 1
	case CountAverage:
		from, to := firstDay, lastDay
		if c.hired != nil && c.hired[i] != frame.NoInt {
			from = max(from, int64(c.hired[i]))
		}
		if c.left != nil && c.left[i] != frame.NoInt {
			to = min(to, int64(c.left[i]))
		}
		return max(0, to-from+1)
	}
	if c.left == nil || c.left[i] == frame.NoInt || int64(c.left[i]) > lastDay {
		return 1
	}
	return 0
}

// yearDays returns the first day of a year since 1970-01-01 and its length.
func yearDays(year int32) (first, days int64) {
	const day = 24 * 60 * 60
	at := time.Date(int(year), 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	next := time.Date(int(year)+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	return at / day, (next - at) / day
}

func (c *counter) cellsTable(d *linked.Data, p part) *frame.Frame {
	cols := []frame.Column{frame.Codes(linked.Employer, d.Jobs.Col(linked.Employer).Dict, p.unit)}
	if d.Periods {
		cols = append(cols, frame.Ints(linked.Year, p.year))
	}
	for side, col := range []*frame.Column{c.level, c.field} {
		if col == nil {
			continue
		}
		v := make([]int32, len(p.cell))
		for i, k := range p.cell {
			v[i] = c.cells[k][side]
		}
		cols = append(cols, frame.Column{Name: col.Name, Kind: col.Kind, Dict: col.Dict, I: v})
	}
	if c.counts.dict != nil {
		v := make([]int32, len(p.workers))
		for i, n := range p.workers {
			v[i] = c.counts.code(n)
		}
		cols = append(cols, frame.Ordered(Workers, c.counts.dict, v))
	} else {
		cols = append(cols, frame.Ints(Workers, p.workers))
	}
	if c.wage.on {
		cols = append(cols, frame.Ordered(WageClass, c.o.Wage.dict, p.wage))
	}
	if c.fte.on {
		cols = append(cols, frame.Ordered(FTEClass, c.o.FTE.dict, p.fte))
	}
	return frame.Must(cols...)
}
