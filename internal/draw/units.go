package draw

import (
	"cmp"
	"fmt"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// firmYear is one published unit in one year.
type firmYear struct {
	unit, year int32
	staff      int32   // rows of jobs
	members    []int32 // employers
	values     []int32 // codes of the firm columns that stratify; size_class is filled in later
}

// units lists what may be drawn: units and unit-years that have a firm row, or
// workers. It says which stratification columns the data lack.
func units(d *linked.Data, o Options) (*universe, []string) {
	if o.Stratify == nil {
		o.Stratify = []string{linked.Group, linked.SizeClass}
	}
	u := &universe{}
	var cols []*frame.Column // nil: computed size class
	var warnings []string
	for _, name := range o.Stratify {
		if name == linked.SizeClass {
			cols = append(cols, nil)
			u.dicts = append(u.dicts, linked.SizeDict)
		} else if c, ok := d.Firms.Lookup(name); ok {
			cols = append(cols, &c)
			u.dicts = append(u.dicts, c.Dict)
		} else {
			warnings = append(warnings, fmt.Sprintf("the data have no column %q: the draw is not stratified by it", name))
			continue
		}
		u.names = append(u.names, name)
	}
	years := firmYears(d, o.Merge, cols)
	switch o.Unit {
	case UnitEmployerYear:
		u.employerYears(years, cols, o.Merge != nil)
	case UnitWorker:
		u.workers(d, byUnit(years, cols))
	default:
		u.employers(byUnit(years, cols))
	}
	return u, warnings
}

// firmYears returns units x years in order, with head counts. A firm column of
// a merged unit is missing where its members differ.
func firmYears(d *linked.Data, mergeTo []int32, cols []*frame.Column) []firmYear {
	unit := func(e int32) int32 {
		if mergeTo == nil {
			return e
		}
		return mergeTo[e]
	}
	firmEmp, firmYr := d.Firms.Col(linked.Employer).I, d.Firms.Col(linked.Year).I
	jobEmp, jobYr := d.Jobs.Col(linked.Employer).I, d.Jobs.Col(linked.Year).I
	out := make([]firmYear, 0, len(firmEmp))
	j := 0
	for i, e := range firmEmp {
		for j < len(jobEmp) && (jobEmp[j] < e || jobEmp[j] == e && jobYr[j] < firmYr[i]) {
			j++
		}
		fy := firmYear{unit: unit(e), year: firmYr[i], members: []int32{e}, values: make([]int32, len(cols))}
		for ; j < len(jobEmp) && jobEmp[j] == e && jobYr[j] == firmYr[i]; j++ {
			fy.staff++
		}
		for k, c := range cols {
			if c != nil {
				fy.values[k] = c.I[i]
			}
		}
		out = append(out, fy)
	}
	if mergeTo == nil {
		return out
	}
	slices.SortStableFunc(out, func(a, b firmYear) int {
		return cmp.Or(cmp.Compare(a.unit, b.unit), cmp.Compare(a.year, b.year))
	})
	return joinRuns(out, cols, func(a, b firmYear) bool { return a.unit == b.unit && a.year == b.year }, missingIfDifferent)
}

func missingIfDifferent(c *frame.Column, a, b int32) int32 {
	switch {
	case a == b:
		return a
	case c.Coded():
		return frame.NoCode
	}
	return frame.NoInt
}

// firstKnown keeps the value of the earliest year that has one.
func firstKnown(c *frame.Column, a, b int32) int32 {
	if c.Coded() && a == frame.NoCode || !c.Coded() && a == frame.NoInt {
		return b
	}
	return a
}

func joinRuns(in []firmYear, cols []*frame.Column, same func(a, b firmYear) bool, join func(c *frame.Column, a, b int32) int32) []firmYear {
	out := in[:0]
	for _, fy := range in {
		if n := len(out); n > 0 && same(out[n-1], fy) {
			last := &out[n-1]
			last.staff += fy.staff
			last.members = append(last.members, fy.members...)
			for k, c := range cols {
				if c != nil {
					last.values[k] = join(c, last.values[k], fy.values[k])
				}
			}
			continue
		}
		out = append(out, fy)
	}
	return out
}

// byUnit folds the years of each unit: firm columns as first known, size_class
// by the mean head count over the years with staff.
func byUnit(years []firmYear, cols []*frame.Column) []firmYear {
	withStaff := map[int32]int32{}
	for _, fy := range years {
		if fy.staff > 0 {
			withStaff[fy.unit]++
		}
	}
	out := joinRuns(slices.Clone(years), cols, func(a, b firmYear) bool { return a.unit == b.unit }, firstKnown)
	for i := range out {
		slices.Sort(out[i].members)
		out[i].members = slices.Compact(out[i].members)
		if n := withStaff[out[i].unit]; n > 0 {
			out[i].staff /= n
		}
		setSize(&out[i], cols)
	}
	return out
}

func setSize(fy *firmYear, cols []*frame.Column) {
	for k, c := range cols {
		if c == nil {
			fy.values[k] = linked.SizeCode(fy.staff)
		}
	}
}

func (u *universe) employers(units []firmYear) {
	for _, fy := range units {
		u.keys = append(u.keys, fy.values)
	}
	u.collect = func(s *Sample, weight []float64) {
		type drawn struct {
			employer int32
			weight   float64
		}
		var all []drawn
		for i, w := range weight {
			if w > 0 {
				for _, e := range units[i].members {
					all = append(all, drawn{e, w})
				}
			}
		}
		slices.SortFunc(all, func(a, b drawn) int { return cmp.Compare(a.employer, b.employer) })
		for _, x := range all {
			s.Employers = append(s.Employers, x.employer)
			s.Weight = append(s.Weight, x.weight)
		}
	}
}

// employerYears lists the years with staff.
func (u *universe) employerYears(years []firmYear, cols []*frame.Column, merged bool) {
	var kept []firmYear
	for _, fy := range years {
		if fy.staff > 0 {
			setSize(&fy, cols)
			kept = append(kept, fy)
			u.keys = append(u.keys, fy.values)
		}
	}
	u.collect = func(s *Sample, weight []float64) {
		type drawn struct {
			pair   [2]int32
			weight float64
		}
		var all []drawn
		for i, w := range weight {
			if w > 0 {
				for _, e := range kept[i].members {
					all = append(all, drawn{[2]int32{e, kept[i].year}, w})
				}
			}
		}
		if merged {
			slices.SortFunc(all, func(a, b drawn) int { return comparePair(a.pair, b.pair) })
		}
		for _, x := range all {
			s.EmployerYears = append(s.EmployerYears, x.pair)
			s.Weight = append(s.Weight, x.weight)
			s.Employers = append(s.Employers, x.pair[0])
		}
		s.Employers = slices.Compact(s.Employers)
	}
}

// workers lists persons, or rows where the row is the unit. A person belongs to
// the stratum of the employer of the earliest year.
func (u *universe) workers(d *linked.Data, units []firmYear) {
	key := make([][]int32, d.Employers())
	for _, fy := range units {
		for _, e := range fy.members {
			key[e] = fy.values
		}
	}
	employer := d.Jobs.Col(linked.Employer).I
	rows := make([]int32, len(employer))
	for i := range rows {
		rows[i] = int32(i)
	}
	person := rows // where the row is the unit
	if w, ok := d.Jobs.Lookup(linked.Worker); ok {
		rows = d.Jobs.Order(linked.Worker, linked.Year, linked.Employer)
		person = make([]int32, len(rows))
		n := int32(-1)
		for i, r := range rows {
			if i == 0 || w.Compare(int(rows[i-1]), int(r)) != 0 {
				n++
				u.keys = append(u.keys, key[employer[r]])
			}
			person[i] = n
		}
	} else {
		for _, e := range employer {
			u.keys = append(u.keys, key[e])
		}
	}
	u.collect = func(s *Sample, weight []float64) {
		byRow := make([]float64, len(rows))
		for i, r := range rows {
			byRow[r] = weight[person[i]]
		}
		for r, w := range byRow {
			if w > 0 {
				s.Rows = append(s.Rows, int32(r))
				s.Weight = append(s.Weight, w)
				s.Employers = append(s.Employers, employer[r])
			}
		}
		s.Employers = slices.Compact(s.Employers)
	}
}
