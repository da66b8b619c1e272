package estimate

import (
	"fmt"
	"math"
	"slices"
)

// Limits of a panel laid out by period and unit.
const (
	maxPeriods = 1000
	maxCells   = 1 << 28 // periods x units
	maxColumns = 200     // covariates, with dummies of categories
)

// layout is a panel by period, then unit, units in the order of their codes, so
// that no sum depends on the order of rows.
type layout struct {
	o       StaggeredOptions
	units   []int32 // codes
	cohort  []int32
	first   int32 // period
	periods int
	cohorts []int32 // ever treated, within reach of the panel

	y      [][]float64   // by period, unit; NaN: absent
	w      [][]float64   // nil: 1
	x      [][][]float64 // by column, period, unit
	group  [][]int32     // the category that is absorbed; nil: none
	groups int
	base   [][]bool    // may serve as a base period
	clean  [][]bool    // nil: all
	stayed [][]float64 // log of the chance of no treatment up to a period; nil: not asked for
	dummy  []bool      // columns that stand for a category

	names    []string // of the columns of x
	warnings []string
}

func (p Staggered) validate() error {
	n := len(p.Y)
	if len(p.Unit) != n || len(p.Time) != n || len(p.Cohort) != n {
		return fmt.Errorf("estimate: a panel of %d outcomes has %d units, %d times and %d cohorts", n, len(p.Unit), len(p.Time), len(p.Cohort))
	}
	if p.Weights != nil && len(p.Weights) != n {
		return fmt.Errorf("estimate: %d weights for %d rows", len(p.Weights), n)
	}
	if p.Clean != nil && len(p.Clean) != n {
		return fmt.Errorf("estimate: %d marks of clean controls for %d rows", len(p.Clean), n)
	}
	seen := map[string]bool{}
	for _, c := range p.Covariates {
		if seen[c.Name] {
			return fmt.Errorf("estimate: two covariates are named %q", c.Name)
		}
		seen[c.Name] = true
		if (c.Values == nil) == (c.Codes == nil) || len(c.Values)+len(c.Codes) != n {
			return fmt.Errorf("estimate: covariate %q has %d numbers and %d codes, want %d of one of them", c.Name, len(c.Values), len(c.Codes), n)
		}
	}
	for i, w := range p.Weights {
		if w < 0 || math.IsInf(w, 0) {
			return fmt.Errorf("estimate: weight of row %d is %v, want a finite number >= 0", i, w)
		}
	}
	return nil
}

// layOut arranges the rows.
func (p Staggered) layOut(o StaggeredOptions) (*layout, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	d := &layout{o: o}
	place, err := d.place(p)
	if err != nil {
		return nil, err
	}
	d.y = d.numbers(place, p.Y)
	if p.Weights != nil {
		d.w = d.numbers(place, p.Weights)
	}
	d.base = grid[bool](d)
	for i, at := range place {
		if at >= 0 {
			y := p.Y[i]
			ok := y-y == 0 && (p.Weights == nil || p.Weights[i] > 0)
			for _, c := range p.Covariates {
				ok = ok && (c.Codes != nil && c.Codes[i] >= 0 || c.Values != nil && c.Values[i]-c.Values[i] == 0)
			}
			if o.Form == Ratio {
				if y < 0 {
					return nil, fmt.Errorf("estimate: outcome of row %d is %v, and a ratio wants outcomes >= 0", i, y)
				}
				ok = ok && y > 0
			}
			d.base[at/len(d.units)][at%len(d.units)] = ok
		}
	}
	if p.Clean != nil {
		d.clean = grid[bool](d)
		for i, at := range place {
			if at >= 0 {
				d.clean[at/len(d.units)][at%len(d.units)] = p.Clean[i]
			}
		}
	}
	return d, d.covariates(place, p.Covariates)
}

// place numbers units and periods and returns where each row goes: -1 for rows
// without a unit.
func (d *layout) place(p Staggered) ([]int, error) {
	lo, hi := int32(math.MaxInt32), int32(math.MinInt32)
	for i, t := range p.Time {
		if p.Unit[i] >= 0 {
			lo, hi = min(lo, t), max(hi, t)
		}
	}
	if lo > hi {
		return nil, fmt.Errorf("estimate: of %d rows, %w", len(p.Y), ErrNoRows)
	}
	codes, units := rank(p.Unit)
	d.units, d.first = units, lo
	if int64(hi)-int64(lo) >= maxPeriods || (int64(hi)-int64(lo)+1)*int64(len(units)) > maxCells {
		return nil, fmt.Errorf("estimate: %d units over periods %d to %d are too many to lay out; want at most %d periods, numbered in steps of 1", len(units), lo, hi, maxPeriods)
	}
	d.periods = int(hi-lo) + 1
	d.cohort = make([]int32, len(units))
	row := make([]int32, d.periods*len(units)) // row+1 of a cell
	known := make([]int32, len(units))         // row+1 that told the cohort
	place := make([]int, len(p.Y))
	for i, u := range codes {
		if place[i] = -1; u < 0 {
			continue
		}
		at := int(p.Time[i]-lo)*len(units) + int(u)
		if k := row[at]; k > 0 {
			return nil, fmt.Errorf("estimate: rows %d and %d are both unit %d in period %d; want one row per unit and period", k-1, i, p.Unit[i], p.Time[i])
		}
		if k := known[u]; k > 0 && d.cohort[u] != p.Cohort[i] {
			return nil, fmt.Errorf("estimate: unit %d is of cohort %d in row %d but of %d in row %d; the cohort is the first period treated, in all rows", p.Unit[i], d.cohort[u], k-1, p.Cohort[i], i)
		}
		row[at], known[u], d.cohort[u], place[i] = int32(i)+1, int32(i)+1, p.Cohort[i], at
	}
	early := 0
	for _, g := range d.cohort {
		switch {
		case g == NeverTreated || g > hi:
		case g <= lo:
			early++
		case !slices.Contains(d.cohorts, g):
			d.cohorts = append(d.cohorts, g)
		}
	}
	slices.Sort(d.cohorts)
	if early > 0 {
		d.warnings = append(d.warnings, fmt.Sprintf("%d units are treated from the first period on: they have no period before and are left out", early))
	}
	return place, nil
}

// rank numbers codes >= 0 from 0 in their own order; codes below 0 become -1.
func rank(codes []int32) (out, values []int32) {
	known := make([]int32, 0, len(codes))
	for _, c := range codes {
		if c >= 0 {
			known = append(known, c)
		}
	}
	seen, n := number(known)
	firsts := make([]int32, n)
	for k, c := range seen {
		firsts[c] = known[k]
	}
	values = slices.Clone(firsts)
	slices.Sort(values)
	to := make([]int32, n)
	for k, v := range firsts {
		at, _ := slices.BinarySearch(values, v)
		to[k] = int32(at)
	}
	out = make([]int32, len(codes))
	k := 0
	for i, c := range codes {
		if out[i] = -1; c >= 0 {
			out[i] = to[seen[k]]
			k++
		}
	}
	return out, values
}

func grid[T any](d *layout) [][]T {
	all := make([]T, d.periods*len(d.units))
	out := make([][]T, d.periods)
	for t := range out {
		out[t] = all[t*len(d.units) : (t+1)*len(d.units)]
	}
	return out
}

func (d *layout) numbers(place []int, v []float64) [][]float64 {
	out := grid[float64](d)
	for _, x := range out {
		for u := range x {
			x[u] = math.NaN()
		}
	}
	for i, at := range place {
		if at >= 0 {
			if x := v[i]; x-x == 0 {
				out[at/len(d.units)][at%len(d.units)] = x
			}
		}
	}
	return out
}

// covariates lays out numbers as columns and categories as dummies, but for the
// one with most levels, whose intercepts are absorbed where cohorts have
// regressions of their own.
func (d *layout) covariates(place []int, list []Covariate) error {
	type category struct {
		codes  []int32
		levels []int32
	}
	cats := make([]category, len(list))
	absorbed := -1
	for k, c := range list {
		if c.Codes != nil {
			codes, levels := rank(c.Codes)
			cats[k] = category{codes, levels}
			if d.o.Adjust != Pooled && (absorbed < 0 || len(levels) > len(cats[absorbed].levels)) {
				absorbed = k
			}
		}
	}
	d.groups = 1
	for k, c := range list {
		switch {
		case c.Values != nil:
			d.x, d.names, d.dummy = append(d.x, d.numbers(place, c.Values)), append(d.names, c.Name), append(d.dummy, false)
		case k == absorbed:
			d.groups = max(1, len(cats[k].levels))
			d.group = grid[int32](d)
			for i, at := range place {
				if at >= 0 {
					d.group[at/len(d.units)][at%len(d.units)] = max(cats[k].codes[i], 0)
				}
			}
		default:
			if len(cats[k].levels) > maxColumns {
				return fmt.Errorf("estimate: covariate %q has %d categories, want at most %d where another category is absorbed or slopes are pooled", c.Name, len(cats[k].levels), maxColumns)
			}
			for l, level := range cats[k].levels {
				dummy := make([]float64, len(place))
				for i, code := range cats[k].codes {
					if code == int32(l) {
						dummy[i] = 1
					}
				}
				d.x, d.names, d.dummy = append(d.x, d.numbers(place, dummy)), append(d.names, fmt.Sprintf("%s=%d", c.Name, level)), append(d.dummy, true)
			}
		}
	}
	if len(d.x) > maxColumns {
		return fmt.Errorf("estimate: covariates make %d columns, want at most %d; merge categories", len(d.x), maxColumns)
	}
	return nil
}

func (d *layout) weight(t, u int) float64 {
	if d.w == nil {
		return 1
	}
	return d.w[t][u]
}
