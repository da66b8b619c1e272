package publish

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/par"
)

// What head count means when people come and go.
const (
	CountYearEnd = "31-12"   // jobs that go on after 31 December
	CountAny     = "any"     // every job of the year
	CountAverage = "average" // days employed over days in the year, rounded, at least 1 in a cell; means are weighted by days
)

// FirmColumns may be published with an employer. Exact variables of the
// accounts are not among them: the intruder holds the same accounts.
var FirmColumns = []string{linked.Group, linked.EventYear, linked.SupplierShare, linked.SizeClass,
	linked.DesignWeight, linked.Sector, linked.Region, linked.Size}

// Options says what is published. The zero value publishes head counts per cell
// and nothing else.
type Options struct {
	CountOn     string   // 31-12 (also ""), any or average
	FirmColumns []string // of FirmColumns; those that the data lack are left out
	// Classes of the cell's mean wage and mean FTE and of the employer's mean
	// age. Without classes the column is left out: exact means never leave.
	Wage, FTE, Age Classes
	Counts         []int // lower bounds of classes of head counts; nil publishes them exactly
	// Cells changes head counts on their way into the table.
	Cells Protection
	// Merge maps an employer's code to the unit it is published in (the code of
	// one of its members); nil where each stands alone. A firm column of a
	// merged unit is kept in a year where all members agree, else missing.
	Merge []int32
	// Weight is the design weight of an employer in a year, for the firm column
	// design_weight; nil leaves the column out.
	Weight func(employer, year int32) (float64, bool)
}

// Validate names the field that is wrong and what to write instead.
func (o Options) Validate() error {
	if !slices.Contains([]string{"", CountYearEnd, CountAny, CountAverage}, o.CountOn) {
		return fmt.Errorf("publish: count_on is %q, want 31-12, any or average", o.CountOn)
	}
	for i, c := range o.FirmColumns {
		if !slices.Contains(FirmColumns, c) {
			return fmt.Errorf("publish: firm column %q cannot be released: want some of %s", c, strings.Join(FirmColumns, ", "))
		}
		if slices.Contains(o.FirmColumns[:i], c) {
			return fmt.Errorf("publish: firm column %q is named twice", c)
		}
	}
	if err := o.Cells.Validate(); err != nil {
		return err
	}
	_, err := newCountClasses(o.Counts)
	return err
}

// Warnings says what the choice of columns gives away.
func (o Options) Warnings() []string {
	if o.Weight != nil && slices.Contains(o.FirmColumns, linked.DesignWeight) && !slices.Contains(o.FirmColumns, linked.SizeClass) {
		return []string{"design_weight is released without size_class: the weight differs by stratum of the draw and so tells the size class all the same"}
	}
	return nil
}

// Publish makes the two tables of the employers named (codes; nil for all),
// sorted by employer, year, level and field.
//
// Head counts, size_class and present are those of the jobs handed in: where
// workers were sampled or employers merged, the original's would give away what
// was hidden. present is staff exactly where a cell is published, and another
// value of the firm table is kept only where none is. With Options.Cells they
// are those of the head counts published, so that no sum tells a cell; where
// small cells are folded they are those of all jobs, and an employer-year all of
// whose staff is below the minimum is present with staff, and without a cell.
func Publish(ctx context.Context, d *linked.Data, employers []int32, o Options) (*Tables, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Merge != nil && len(o.Merge) != d.Employers() {
		return nil, fmt.Errorf("publish: merge has %d entries for %d employers", len(o.Merge), d.Employers())
	}
	in, err := chosen(d, employers, o.Merge)
	if err != nil {
		return nil, err
	}
	firms, err := firmGroups(d, in, o.Merge)
	if err != nil {
		return nil, err
	}
	jobs := jobGroups(d, in, o.Merge)
	c, err := newCounter(d, o)
	if err != nil {
		return nil, err
	}
	const size = 2048 // groups
	parts := make([]part, par.Count(len(jobs), size))
	err = par.Chunks(ctx, len(jobs), size, func(k, lo, hi int) error {
		parts[k] = c.count(jobs[lo:hi])
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all part
	all.grow(parts)
	for _, p := range parts {
		all.append(p)
	}
	emp, err := employersTable(d, o, firms, jobs, all)
	if err != nil {
		return nil, err
	}
	return &Tables{Employers: emp, Cells: c.cellsTable(d, all), Protected: all.did}, nil
}

// chosen marks the employers that are published. Merged units are published
// whole or not at all.
func chosen(d *linked.Data, employers, merge []int32) ([]bool, error) {
	in := make([]bool, d.Employers())
	for i := range in {
		in[i] = employers == nil
	}
	for _, e := range employers {
		if e < 0 || int(e) >= len(in) {
			return nil, fmt.Errorf("publish: employer code %d: want codes from 0 to %d", e, len(in)-1)
		}
		in[e] = true
	}
	for e, u := range merge {
		if u < 0 || int(u) >= len(in) || merge[u] != u {
			return nil, fmt.Errorf("publish: employer code %d is merged into %d, which is no unit of its own", e, u)
		}
		if in[e] != in[u] {
			return nil, fmt.Errorf("publish: a merged unit is drawn in part: draw units whole (draw.Options.Merge)")
		}
	}
	return in, nil
}

// group is one published unit in one year with its rows.
type group struct {
	unit, year int32
	runs       [][2]int32 // runs of rows, one per member
}

// groups cuts a table in canonical order into published units and years.
func groups(f *frame.Frame, in []bool, merge []int32) []group {
	emp, year := f.Col(linked.Employer).I, f.Col(linked.Year).I
	type run struct{ unit, year, lo, hi int32 }
	var runs []run
	for lo := 0; lo < len(emp); {
		hi := lo + 1
		for hi < len(emp) && emp[hi] == emp[lo] && year[hi] == year[lo] {
			hi++
		}
		if e := emp[lo]; e >= 0 && in[e] {
			u := e
			if merge != nil {
				u = merge[e]
			}
			runs = append(runs, run{u, year[lo], int32(lo), int32(hi)})
		}
		lo = hi
	}
	if merge != nil {
		slices.SortStableFunc(runs, func(a, b run) int {
			return cmp.Or(cmp.Compare(a.unit, b.unit), cmp.Compare(a.year, b.year))
		})
	}
	bounds := make([][2]int32, len(runs)) // one block of memory for all groups
	out := make([]group, 0, len(runs))
	for i, r := range runs {
		bounds[i] = [2]int32{r.lo, r.hi}
		if n := len(out); n > 0 && out[n-1].unit == r.unit && out[n-1].year == r.year {
			first := i - len(out[n-1].runs)
			out[n-1].runs = bounds[first : i+1 : i+1]
			continue
		}
		out = append(out, group{r.unit, r.year, bounds[i : i+1 : i+1]})
	}
	return out
}

func jobGroups(d *linked.Data, in []bool, merge []int32) []group { return groups(d.Jobs, in, merge) }

func firmGroups(d *linked.Data, in []bool, merge []int32) ([]group, error) {
	out := groups(d.Firms, in, merge)
	for _, g := range out {
		for _, r := range g.runs {
			if r[1]-r[0] > 1 {
				return nil, fmt.Errorf("publish: an employer has %d firm rows in year %d: want one", r[1]-r[0], g.year)
			}
		}
	}
	return out, nil
}

// employersTable has one row per unit and year of the firm table.
func employersTable(d *linked.Data, o Options, firms, jobs []group, all part) (*frame.Frame, error) {
	n := len(firms)
	unit, year := make([]int32, n), make([]int32, n)
	staff, age, present := make([]int32, n), make([]int32, n), make([]int32, n)
	status, hasStatus := d.Firms.Lookup(linked.Present)
	j := 0
	for i, g := range firms {
		unit[i], year[i], age[i] = g.unit, g.year, frame.NoCode
		if j < len(jobs) && jobs[j].unit == g.unit && jobs[j].year == g.year {
			staff[i], age[i] = all.staff[j], all.age[j]
			j++
		}
		said := ""
		if hasStatus {
			said = status.Dict.Label(common(status, g))
		}
		switch {
		case staff[i] > 0 && said != "no accounts":
			said = "staff"
		case staff[i] == 0 && said != "closed" && said != "no accounts":
			said = "none"
		}
		present[i], _ = linked.PresentDict.Code(said)
	}
	if j < len(jobs) {
		return nil, fmt.Errorf("publish: jobs of %d employer-years have no row in the firm table: want one row per employer and year", len(jobs)-j)
	}
	cols := []frame.Column{frame.Codes(linked.Employer, d.Firms.Col(linked.Employer).Dict, unit)}
	if d.Periods {
		cols = append(cols, frame.Ints(linked.Year, year))
	}
	cols = append(cols, frame.Codes(linked.Present, linked.PresentDict, present))
	if o.Age.dict != nil && d.Jobs.Has(linked.Age) {
		cols = append(cols, frame.Ordered(AgeClass, o.Age.dict, age))
	}
	for _, name := range o.FirmColumns {
		c, ok, err := firmColumn(d, o, name, firms, staff)
		if err != nil {
			return nil, err
		}
		if ok {
			cols = append(cols, c)
		}
	}
	return frame.New(cols...)
}

func firmColumn(d *linked.Data, o Options, name string, firms []group, staff []int32) (frame.Column, bool, error) {
	v := make([]int32, len(firms))
	switch name {
	case linked.SizeClass:
		for i := range v {
			v[i] = linked.SizeCode(staff[i])
		}
		return frame.Ordered(name, linked.SizeDict, v), true, nil
	case linked.DesignWeight:
		if o.Weight == nil {
			return frame.Column{}, false, nil
		}
		for i, g := range firms {
			v[i] = frame.NoInt
			if w, ok := o.Weight(g.unit, g.year); ok {
				v[i] = int32(math.Round(w * 100))
			}
		}
		return frame.Fixed(name, 2, v), true, nil
	}
	c, ok := d.Firms.Lookup(name)
	if !ok {
		return c, false, nil
	}
	if !c.Coded() && !(name == linked.EventYear && c.Kind == frame.Int) {
		return c, false, fmt.Errorf("publish: firm column %q is a %v: want a category, so that nothing exact is released", name, c.Kind)
	}
	for i, g := range firms {
		v[i] = common(c, g)
	}
	c.I = v
	return c, true, nil
}

// common is the value on which all members agree, else missing.
func common(c frame.Column, g group) int32 {
	v := c.I[g.runs[0][0]]
	for _, r := range g.runs[1:] {
		if c.I[r[0]] != v {
			if c.Coded() {
				return frame.NoCode
			}
			return frame.NoInt
		}
	}
	return v
}
