package mask

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// Merger says which employers are merged into one unit of publication.
type Merger struct {
	Minimum int      // head count that every unit has, mean over its years; 0 and 1 merge nobody
	By      []string // firm columns on which merged employers agree, constant over years
}

// Validate checks the merger against the firms it is for.
func (m Merger) Validate(firms *frame.Frame) error {
	if m.Minimum < 0 {
		return fmt.Errorf("mask: minimum is %d, want a head count of 0 or more", m.Minimum)
	}
	for _, n := range m.By {
		c, ok := firms.Lookup(n)
		switch {
		case !ok:
			return fmt.Errorf("mask: by names %q, which is not among %q", n, firms.Names())
		case c.Kind == frame.Float || c.Kind == frame.Long:
			return fmt.Errorf("mask: by names %q, which is %v, want a coded or integer column", n, c.Kind)
		case n == linked.Employer || n == linked.Year:
			return fmt.Errorf("mask: by names %q: no two employers agree on it for good; take it out", n)
		}
	}
	return nil
}

// Merged are the units of publication.
type Merged struct {
	Group   []int32   // by employer code: its unit; -1 where it is not among the firms
	Members [][]int32 // by unit: employer codes, rising
	Below   []int32   // units that stay below the minimum, since their stratum has nobody left to join
	Report  Report
}

// MergeSmallEmployers merges employers whose head count (jobs per year, mean
// over the years in which they have any) is below the minimum. Within strata of
// By, in keyed random order, employers are put together until the unit has the
// minimum (jobs per year in which any member has one); an incomplete rest joins
// the unit before it. Larger employers stay alone, and so does the rest of a
// stratum that has no unit: it is named in Below. Units are numbered by their
// first member.
//
// It protects small employers: their head count, their path over the years and
// their cells of one or two are no longer published as theirs, and a match
// finds a unit of several employers. Employers at or above the minimum are
// exactly as exposed as before.
func MergeSmallEmployers(firms, jobs *frame.Frame, m Merger, key rng.Secret, step int) (Merged, error) {
	out := Merged{Report: Report{Step: StepMergeSmallEmployers, Unit: "employers",
		Protects: "employers below the minimum, their paths and their small cells; not those above it",
		NotKept:  []string{"anything about a single small employer", "between-employer variance among small employers", "the number of employers"}}}
	if err := m.Validate(firms); err != nil {
		return out, err
	}
	if err := checkKey(key); err != nil {
		return out, err
	}
	staff, err := countStaff(jobs)
	if err != nil {
		return out, err
	}
	firstRow, err := firstRows(firms, m.By)
	if err != nil {
		return out, err
	}
	if d := firms.Col(linked.Employer).Dict; d != jobs.Col(linked.Employer).Dict {
		return out, fmt.Errorf("mask: firms and jobs must share one codebook of employers")
	}

	cols := make([]frame.Column, len(m.By))
	for i, n := range m.By {
		cols[i] = firms.Col(n)
	}
	var strata [][]int32 // small employers
	position := map[uint64]int{}
	var units [][]int32
	for e, row := range firstRow {
		if row < 0 {
			continue
		}
		out.Report.Units++
		if staff[e].reaches(m.Minimum) {
			units = append(units, []int32{int32(e)})
			continue
		}
		a := address(cols, int(row))
		k, ok := position[a]
		if !ok {
			k = len(strata)
			position[a] = k
			strata = append(strata, nil)
		}
		strata[k] = append(strata[k], int32(e))
	}
	key = key.Derive("mask step " + strconv.Itoa(step))
	var below [][]int32
	for _, small := range strata {
		s := key.Stream(StepMergeSmallEmployers, address(cols, int(firstRow[small[0]])))
		rng.Shuffle(s, small)
		done, rest := pack(small, staff, m.Minimum)
		units = append(units, done...)
		if rest != nil {
			units, below = append(units, rest), append(below, rest)
		}
	}
	out.number(units, len(firstRow))
	for _, rest := range below {
		out.Below = append(out.Below, out.Group[rest[0]])
	}
	slices.Sort(out.Below)
	if len(out.Below) > 0 {
		out.Report.Warnings = append(out.Report.Warnings, fmt.Sprintf(
			"%d merged units stay below %d workers, since nobody in their stratum of %q is left to join: use fewer columns in by", len(out.Below), m.Minimum, m.By))
	}
	return out, nil
}

// pack fills units in order; the rest is what no unit could take up.
func pack(small []int32, staff []headCount, minimum int) (units [][]int32, rest []int32) {
	var total headCount
	for _, e := range small {
		rest, total = append(rest, e), total.with(staff[e])
		if total.reaches(minimum) {
			units, rest, total = append(units, rest), nil, headCount{}
		}
	}
	// The rest may bring years in which the unit it joins has nobody, and so
	// lower its mean: then units are joined until the minimum is reached.
	for rest != nil && len(units) > 0 {
		last := len(units) - 1
		rest, units = append(units[last], rest...), units[:last]
		total = headCount{}
		for _, e := range rest {
			total = total.with(staff[e])
		}
		if total.reaches(minimum) {
			units, rest = append(units, rest), nil
		}
	}
	return units, rest
}

// number sorts units by their first member and fills Group.
func (out *Merged) number(units [][]int32, employers int) {
	for _, u := range units {
		slices.Sort(u)
		if len(u) > 1 {
			out.Report.Touched += int64(len(u))
		}
	}
	slices.SortFunc(units, func(a, b []int32) int { return int(a[0] - b[0]) })
	out.Members = units
	out.Group = make([]int32, employers)
	for e := range out.Group {
		out.Group[e] = -1
	}
	for k, u := range units {
		for _, e := range u {
			out.Group[e] = int32(k)
		}
	}
}

// headCount is the jobs of an employer or unit and the years in which it has
// any.
type headCount struct {
	jobs  int64
	years uint64
}

func (h headCount) with(o headCount) headCount { return headCount{h.jobs + o.jobs, h.years | o.years} }

// reaches compares the mean over years with a minimum, in integers.
func (h headCount) reaches(minimum int) bool {
	return minimum <= 1 || h.jobs > 0 && h.jobs >= int64(minimum)*int64(bits.OnesCount64(h.years))
}

func countStaff(jobs *frame.Frame) ([]headCount, error) {
	employer, year := jobs.Col(linked.Employer), jobs.Col(linked.Year).I
	staff := make([]headCount, employer.Dict.Len())
	if len(year) == 0 {
		return staff, nil
	}
	first := slices.Min(year)
	if last := slices.Max(year); int64(last)-int64(first) > 63 {
		return nil, fmt.Errorf("mask: years %d to %d, want at most 64 years", first, last)
	}
	for i, e := range employer.I {
		if e >= 0 {
			staff[e] = staff[e].with(headCount{1, 1 << (year[i] - first)})
		}
	}
	return staff, nil
}

// firstRows returns the first row of each employer, -1 where it has none, and
// refuses strata that change over its years.
func firstRows(firms *frame.Frame, by []string) ([]int32, error) {
	employer := firms.Col(linked.Employer)
	first := make([]int32, employer.Dict.Len())
	for e := range first {
		first[e] = -1
	}
	for i, e := range employer.I {
		if e < 0 {
			continue
		}
		if first[e] < 0 {
			first[e] = int32(i)
			continue
		}
		for _, n := range by {
			if firms.Col(n).Compare(int(first[e]), i) != 0 {
				return nil, fmt.Errorf("mask: by names %q, which changes over the years of an employer: use a column that is constant, such as %q", n, linked.Group)
			}
		}
	}
	return first, nil
}
