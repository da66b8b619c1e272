package fidelity

import (
	"fmt"
	"math"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// units numbers the published units 0 … n-1 in the order of their key.
type units struct {
	index []int32 // employer code -> unit, -1 for employers outside
	n     int
}

func newUnits(t *publish.Tables) (units, error) {
	key, ok := t.Employers.Lookup(linked.Employer)
	if !ok || !key.Coded() {
		return units{}, fmt.Errorf("employers have no key %q: compare tables before serials are drawn", linked.Employer)
	}
	u := units{index: make([]int32, key.Dict.Len())}
	for i := range u.index {
		u.index[i] = -1
	}
	for i, e := range key.I {
		if e < 0 || i > 0 && e < key.I[i-1] {
			return units{}, fmt.Errorf("row %d of employers has no key or is out of order: sort by employer and year", i+1)
		}
		if u.index[e] < 0 {
			u.index[e] = int32(u.n)
			u.n++
		}
	}
	return u, nil
}

// view is a pair of release tables as vectors. Counts and class means are
// numbers: the midpoint where the release gives a class.
type view struct {
	units int
	cells cells
	firms firms
}

// cells has one entry per unit, year, level and field with staff, in this
// order.
type cells struct {
	firm           []int32 // row of firms
	unit, year     []int32
	level, field   []int32 // -1 where missing or the data have none
	workers        []float64
	bounds         []float64 // of the classes of head counts, nil where they are exact
	count          []int32   // class of head count, nil where they are exact
	wageClass, fte frame.Column
	wage           []float64 // midpoint of the wage class, NaN where there is none
}

// firms has one entry per unit and year with staff, in this order.
type firms struct {
	row             []int32 // of the table of employers
	unit, year, age []int32
	group, event    []int32 // event: frame.NoInt where there was none
	weight          []float64
	head            []float64 // staff, summed over the cells
	paid, wages     []float64 // staff with a wage, and their class midpoints summed
}

func newView(t *publish.Tables, u units) (*view, error) {
	v := &view{units: u.n}
	if err := v.fillCells(t.Cells, u); err != nil {
		return nil, err
	}
	return v, v.fillFirms(t.Employers, u)
}

func (v *view) fillCells(f *frame.Frame, u units) error {
	key, ok := f.Lookup(linked.Employer)
	workers, counted := f.Lookup(publish.Workers)
	if !ok || !counted {
		return fmt.Errorf("cells have no column %q or %q", linked.Employer, publish.Workers)
	}
	n := f.Rows()
	c := &v.cells
	c.unit, c.workers, c.wage = make([]int32, n), make([]float64, n), make([]float64, n)
	c.year = intsOr(f, linked.Year, 0)
	c.level = intsOr(f, linked.Level, frame.NoCode)
	c.field = intsOr(f, linked.Field, frame.NoCode)
	c.wageClass, _ = f.Lookup(publish.WageClass)
	c.fte, _ = f.Lookup(publish.FTEClass)
	for _, class := range []frame.Column{c.wageClass, c.fte} {
		if class.Len() > 0 && !class.Coded() {
			return fmt.Errorf("%q is a %v: want classes, as they are published", class.Name, class.Kind)
		}
	}
	if workers.Coded() {
		if c.bounds, ok = publish.Contiguous(workers.Dict.Labels()); !ok || !workers.Dict.HasValues() {
			return fmt.Errorf("classes of %q stand for no numbers: want labels such as [3,5)", publish.Workers)
		}
		c.count = workers.I
	}
	paid := numeric(c.wageClass)
	for i := range n {
		e := key.I[i]
		if e < 0 || int(e) >= len(u.index) || u.index[e] < 0 {
			return fmt.Errorf("a cell belongs to employer %q, who is not among the units compared", key.Dict.Label(e))
		}
		c.unit[i], c.workers[i], c.wage[i] = u.index[e], workers.Value(i), math.NaN()
		if !(c.workers[i] > 0) || math.IsInf(c.workers[i], 0) {
			return fmt.Errorf("a cell of employer %q has a head count of %v: want cells with staff only", key.Dict.Label(e), c.workers[i])
		}
		if paid {
			if w := c.wageClass.Value(i); !math.IsInf(w, 0) {
				c.wage[i] = w
			}
		}
		if i > 0 && !(c.compare(i-1, c, i) < 0) {
			return fmt.Errorf("cells of employer %q are out of order or stand twice: sort by employer, year, level and field", key.Dict.Label(e))
		}
	}
	return nil
}

// numeric reports whether a column stands for numbers; class labels without
// midpoints do not.
func numeric(c frame.Column) bool { return c.Len() > 0 && c.Dict.HasValues() }

// compare orders cell i and cell j of b by unit, year, level and field.
func (c *cells) compare(i int, b *cells, j int) int {
	switch {
	case c.unit[i] != b.unit[j]:
		return int(c.unit[i]) - int(b.unit[j])
	case c.year[i] != b.year[j]:
		return int(c.year[i]) - int(b.year[j])
	case c.level[i] != b.level[j]:
		return int(c.level[i]) - int(b.level[j])
	}
	return int(c.field[i]) - int(b.field[j])
}

// says reports whether the head count that cell i gives is true of n workers:
// the same number, or a class that holds it.
func (c *cells) says(i int, n float64) bool {
	if c.count == nil {
		return c.workers[i] == n
	}
	k := c.count[i]
	return c.bounds[k] <= n && n < c.bounds[k+1]
}

// fillFirms lines up the employer rows with the cells; both are sorted by
// employer and year.
func (v *view) fillFirms(e *frame.Frame, u units) error {
	f, c := &v.firms, &v.cells
	key, year := e.Col(linked.Employer), intsOr(e, linked.Year, 0)
	age := intsOr(e, publish.AgeClass, frame.NoCode)
	group, event := intsOr(e, linked.Group, frame.NoCode), eventYears(e)
	weight, weighted := e.Lookup(linked.DesignWeight)
	c.firm = make([]int32, len(c.unit))
	k := 0
	for i := range e.Rows() {
		code := key.I[i]
		if code < 0 || int(code) >= len(u.index) || u.index[code] < 0 {
			continue // has no cells: fillCells would have refused them
		}
		unit, first := u.index[code], k
		var head, paid, wages float64
		for ; k < len(c.unit) && c.unit[k] == unit && c.year[k] == year[i]; k++ {
			c.firm[k] = int32(len(f.unit))
			head += c.workers[k]
			if !math.IsNaN(c.wage[k]) {
				paid += c.workers[k]
				wages += float64(c.workers[k] * c.wage[k])
			}
		}
		if k == first {
			continue
		}
		w := 1.0
		if weighted {
			if w = weight.Value(i); !(w > 0) {
				return fmt.Errorf("employer %q has staff in year %d but no design weight above 0", key.Dict.Label(code), year[i])
			}
		}
		f.row = append(f.row, int32(i))
		f.unit, f.year, f.age = append(f.unit, unit), append(f.year, year[i]), append(f.age, age[i])
		f.group, f.event = append(f.group, group[i]), append(f.event, event[i])
		f.weight, f.head = append(f.weight, w), append(f.head, head)
		f.paid, f.wages = append(f.paid, paid), append(f.wages, wages)
	}
	if k < len(c.unit) {
		return fmt.Errorf("cells in year %d have no row among the employers, or the employers are not sorted by employer and year", c.year[k])
	}
	return nil
}

// eventYears reads the year of the event, whose labels may be years.
func eventYears(e *frame.Frame) []int32 {
	c, ok := e.Lookup(linked.EventYear)
	if !ok || !c.Coded() {
		return intsOr(e, linked.EventYear, frame.NoInt)
	}
	years := make([]int32, c.Dict.Len())
	for k, l := range c.Dict.Labels() {
		years[k] = frame.NoInt
		if y, err := strconv.ParseInt(l, 10, 32); err == nil {
			years[k] = int32(y)
		}
	}
	out := make([]int32, len(c.I))
	for i, k := range c.I {
		out[i] = frame.NoInt
		if k >= 0 {
			out[i] = years[k]
		}
	}
	return out
}

// staffIn returns, for every firm row, the staff in a group of levels.
func (v *view) staffIn(b Band, levels *frame.Dict) []float64 {
	in := make([]bool, levels.Len())
	for _, l := range b.Codes {
		in[l] = true
	}
	out := make([]float64, len(v.firms.unit))
	for k, l := range v.cells.level {
		if l >= 0 && in[l] {
			out[v.cells.firm[k]] += v.cells.workers[k]
		}
	}
	return out
}

// staff returns the weight of every cell in a table of the staff: workers
// times design weight times how often the unit was drawn, nil for once.
func (v *view) staff(drawn []float64) []float64 {
	out := make([]float64, len(v.cells.unit))
	for i, f := range v.cells.firm {
		out[i] = v.cells.workers[i] * v.firms.weight[f]
		if drawn != nil {
			out[i] *= drawn[v.cells.unit[i]]
		}
	}
	return out
}

func intsOr(f *frame.Frame, name string, otherwise int32) []int32 {
	if c, ok := f.Lookup(name); ok {
		return c.I
	}
	out := make([]int32, f.Rows())
	for i := range out {
		out[i] = otherwise
	}
	return out
}

const stageResample rng.Stage = 0x46494401

// resamples draws units with replacement: how often each unit stands in each
// resample. Release and fragment share it, for they share their units.
func resamples(key rng.Sim, units, draws int) [][]float64 {
	out := make([][]float64, draws)
	for b := range out {
		s := key.Stream(stageResample, uint64(b))
		out[b] = make([]float64, units)
		for range units {
			out[b][s.IntN(units)]++
		}
	}
	return out
}
