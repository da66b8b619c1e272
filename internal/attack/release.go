// Package attack holds intruders. An intruder has a release, a public file and
// as much of the method as an [Adversary] says, and makes claims: this serial
// number is that employer, this person earns in that class. Whether a claim is
// right is for package score, which alone may know; nothing here reads an
// escrow, a key or a permutation.
//
// Two intruders are built. [Fingerprint] matches serials to the public annual
// accounts of the whole selection (METHODS 2.5): one likelihood per feature and
// year, summed over the years. [CellDisclosure] reads what the cells of an
// employer give away about one of its workers (METHODS 1.2 and 2, A9, A16).
package attack

import (
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
)

// Release is what the intruder holds: the published tables, and what the
// manifest and the description of the method say.
type Release struct {
	Tables        *publish.Tables
	SerialPerYear bool // a fresh serial number for every year
	Periods       bool // the tables have a year column
	Method        Method
}

// Method is what is public about the scramble (Kerckhoffs: only the key is
// secret). How much of it an attack uses is its state of knowledge.
type Method struct {
	Swaps         []Swap  // in the order of the plan
	WorkerShare   float64 // share of the workers that the tables cover, in (0, 1]; 0 means all
	CountClasses  bool    // head counts of cells are classes
	MergedMinimum int     // employers below this head count were merged; 0 none
	CountNoise    float64 // variance of the noise of a cell's head count; 0 none
	CountReach    int     // by how much a head count may be changed; 0 not at all
	CountFloor    int     // cells below this head count were folded into one, employer-years below it have none; 0 none
	Values        []Value // numbers that were replaced
	CountOn       string  // what a head count is: a constant of package publish; "" means 31-12
}

// Swap is one exchange of attributes.
type Swap struct {
	Rate   float64  // share of workers touched, in [0, 1]
	Bundle []string // attributes exchanged; with the employer, whole workers move
	Apart  bool     // a pairing of its own for every attribute
	Within bool     // partners work for the same employer
	// Lasting says that a unit has the same partner in all its years, so that
	// stacking years does not undo the exchange.
	Lasting bool
	Strata  []string // columns on which partners agree
	// Redrawn says that values were drawn anew (PRAM) rather than exchanged: the
	// rate is then the share of values that would be drawn from the strata for as
	// many changes, an approximation of the true law.
	Redrawn bool
}

// Value says that a number of a worker was replaced by one nearby.
type Value struct {
	Attribute string
	RMS       float64 // root mean squared change of one worker's value, in its unit
}

// AsItStands returns the method of an intruder who takes at their face the
// values for which the likelihood knows noise approximately only: changed head
// counts, replaced numbers, redrawn categories. ok is false where there are
// none. Neither reading is always the better one, so that who measures risk
// tries both.
func (m Method) AsItStands() (plain Method, ok bool) {
	plain = m
	plain.CountNoise, plain.CountReach, plain.Values, plain.Swaps = 0, 0, nil, nil
	for _, w := range m.Swaps {
		if !w.Redrawn {
			plain.Swaps = append(plain.Swaps, w)
		}
	}
	return plain, m.CountNoise > 0 || m.CountReach > 0 || len(m.Values) > 0 || len(plain.Swaps) < len(m.Swaps)
}

// spread is the variance of what was done to one worker's value.
func (m Method) spread(attribute string) float64 {
	v := 0.0
	for _, x := range m.Values {
		if x.Attribute == attribute {
			v += float64(x.RMS * x.RMS)
		}
	}
	return v
}

// Validate names the field that is out of range.
func (m Method) Validate() error {
	for _, w := range m.Swaps {
		if !(w.Rate >= 0 && w.Rate <= 1) {
			return fmt.Errorf("attack: swap rate is %v, want a share in [0, 1]", w.Rate)
		}
	}
	if !(m.WorkerShare >= 0 && m.WorkerShare <= 1) {
		return fmt.Errorf("attack: share of workers is %v, want a share in (0, 1], or 0 for all", m.WorkerShare)
	}
	if !(m.CountNoise >= 0) || m.CountReach < 0 || m.CountFloor < 0 {
		return fmt.Errorf("attack: head counts with noise of variance %v, reach %d and floor %d: want numbers from 0", m.CountNoise, m.CountReach, m.CountFloor)
	}
	for _, v := range m.Values {
		if !(v.RMS >= 0) {
			return fmt.Errorf("attack: %s changed by %v, want a root mean square from 0", v.Attribute, v.RMS)
		}
	}
	if !slices.Contains([]string{"", publish.CountYearEnd, publish.CountAny, publish.CountAverage}, m.CountOn) {
		return fmt.Errorf("attack: head counts are on %q, want 31-12, any or average", m.CountOn)
	}
	return nil
}

func (m Method) share() float64 {
	if m.WorkerShare == 0 {
		return 1
	}
	return m.WorkerShare
}

func (w Swap) moves(attribute string) bool {
	return slices.Contains(w.Bundle, attribute) || slices.Contains(w.Bundle, linked.Employer)
}

// rate is what the intruder takes the rate to be.
func (w Swap) rate(knowledge string) float64 {
	switch {
	case knowledge == metric.KnowsNothing || w.Rate == 0:
		return 0
	case knowledge == metric.KnowsMethod:
		return assumedRate
	}
	return w.Rate
}

// assumedRate is the swap rate that an intruder assumes who knows that workers
// were swapped but not how many.
const assumedRate = 0.2

// touched is the share of workers of an employer that the intruder takes to
// carry somebody else's attribute from elsewhere.
//
// Swaps in a row touch one minus the share that none of them touched; a swap
// inside employers leaves every employer with its own.
func (m Method) touched(attribute, knowledge string) float64 {
	stay := 1.0
	for _, w := range m.Swaps {
		if !w.Within && w.moves(attribute) {
			stay *= 1 - w.rate(knowledge)
		}
	}
	return 1 - stay
}

// displaced is the share of workers who are not listed where they belong, as
// the intruder sees it: level, field or wage were exchanged, with somebody
// elsewhere or with a colleague.
func (m Method) displaced(knowledge string) float64 {
	stay := 1.0
	for _, w := range m.Swaps {
		moved := 0
		for _, a := range []string{linked.Level, linked.Field, linked.Wage} {
			if w.moves(a) {
				moved++
			}
		}
		if moved > 0 && !w.Apart {
			moved = 1
		}
		for range moved {
			stay *= 1 - w.rate(knowledge)
		}
	}
	return 1 - stay
}

// observed is one serial in one year.
type observed struct {
	year      int32 // calendar year, 0 without periods
	state     int32 // code of linked.PresentDict
	exact     bool  // the head count is a count of everybody
	cells     int
	n         float64   // head count, or its expectation where it is a class
	nVar      float64   // variance of that expectation
	fte, wage float64   // sums at class midpoints, over cells that have a class
	fteVar    float64   // variance of the sum, uniform inside each class
	wageVar   float64   //
	fteN      float64   // workers in those cells
	wageN     float64   //
	levels    []float64 // workers by level code of the release
	fields    []float64 // workers by field code of the release; nil without fields
	levelFTE  []float64 // FTE by level code, of cells that have a class
	part      float64   // expected part-timers in those cells
	partVar   float64
	before    float64 // exact head count of the year before; NaN unknown
	age       float64 // midpoint of the class of the mean age, NaN
	ageVar    float64
	row       int32 // row of Tables.Employers
}

// unit is one serial with its years.
type unit struct {
	serial int32
	years  []observed
}

// staff is the mean head count over the years with staff.
func (u unit) staff() float64 {
	sum, k := 0.0, 0.0
	for _, o := range u.years {
		if o.n > 0 {
			sum += o.n
			k++
		}
	}
	if k == 0 {
		return 0
	}
	return sum / k
}

// observe reads the released tables, serial by serial. keep, if not empty,
// names the years that count.
func observe(r Release, keep []int32) ([]unit, error) {
	if r.Tables == nil || r.Tables.Employers == nil || r.Tables.Cells == nil {
		return nil, fmt.Errorf("attack: the release has no tables; read or publish them first")
	}
	if err := r.Method.Validate(); err != nil {
		return nil, err
	}
	emp, cells := r.Tables.Employers, r.Tables.Cells
	for _, f := range []*frame.Frame{emp, cells} {
		if !f.Has(publish.Serial) {
			return nil, fmt.Errorf("attack: a released table lacks the column %q; draw serials before attacking", publish.Serial)
		}
	}
	for _, name := range []string{publish.Workers, linked.Level} {
		if !cells.Has(name) {
			return nil, fmt.Errorf("attack: the released cells lack the column %q", name)
		}
	}
	units, index := listUnits(emp, keep)
	if err := addCells(r, cells, units, index); err != nil {
		return nil, err
	}
	hideSmall(r.Method, units)
	for _, u := range units {
		for t := 1; t < len(u.years); t++ {
			if a, b := &u.years[t-1], &u.years[t]; a.exact && b.exact && a.n > 0 && b.year == a.year+1 {
				b.before = a.n
			}
		}
	}
	out := units[:0]
	for _, u := range units {
		if len(u.years) > 0 {
			out = append(out, u)
		}
	}
	return out, nil
}

// hideSmall gives employer-years that have staff and no cell a head count
// between one and the floor.
func hideSmall(m Method, units []unit) {
	if m.CountFloor < 2 {
		return
	}
	staff, _ := linked.PresentDict.Code("staff")
	most := float64(m.CountFloor - 1)
	for _, u := range units {
		for t := range u.years {
			if o := &u.years[t]; o.n == 0 && o.state == staff {
				o.n, o.nVar = (1+most)/2, float64(most*most)/12
			}
		}
	}
}

type place struct{ unit, year int }

type serialYear struct{ serial, year int32 }

func listUnits(emp *frame.Frame, keep []int32) ([]unit, map[serialYear]place) {
	serial := emp.Col(publish.Serial)
	year, periods := emp.Lookup(linked.Year)
	present, hasPresent := emp.Lookup(linked.Present)
	age, hasAge := emp.Lookup(publish.AgeClass)
	var ages classes
	if hasAge {
		ages = classesOf(age.Dict, false)
	}
	at := map[int32]int{}
	index := make(map[serialYear]place, emp.Rows())
	var units []unit
	for i := range emp.Rows() {
		s := serial.I[i]
		k, known := at[s]
		if !known {
			k = len(units)
			at[s] = k
			units = append(units, unit{serial: s})
		}
		o := observed{row: int32(i), state: -1, age: math.NaN(), before: math.NaN()}
		if periods {
			o.year = year.I[i]
		}
		if len(keep) > 0 && !slices.Contains(keep, o.year) {
			continue
		}
		if hasPresent && present.I[i] >= 0 {
			if c, ok := linked.PresentDict.Code(present.Dict.Label(present.I[i])); ok {
				o.state = c
			}
		}
		if hasAge && age.I[i] >= 0 {
			c := age.I[i]
			o.age, o.ageVar = ages.mid[c], ages.variance(c)
		}
		index[serialYear{s, o.year}] = place{k, len(units[k].years)}
		units[k].years = append(units[k].years, o)
	}
	return units, index
}

func addCells(r Release, cells *frame.Frame, units []unit, index map[serialYear]place) error {
	serial, level, workers := cells.Col(publish.Serial), cells.Col(linked.Level), cells.Col(publish.Workers)
	if !level.Coded() {
		return fmt.Errorf("attack: released column %q is %v, want codes", linked.Level, level.Kind)
	}
	year, periods := cells.Lookup(linked.Year)
	wage, fte := optional(cells, publish.WageClass), optional(cells, publish.FTEClass)
	count := classes{}
	if workers.Coded() {
		count = classesOf(workers.Dict, true)
	}
	share := r.Method.share()
	field, hasField := cells.Lookup(linked.Field)
	hasField = hasField && field.Coded()
	for i := range cells.Rows() {
		key := serialYear{serial: serial.I[i]}
		if periods {
			key.year = year.I[i]
		}
		p, ok := index[key]
		if !ok {
			continue
		}
		o := &units[p.unit].years[p.year]
		if o.levels == nil {
			o.levels, o.levelFTE = make([]float64, level.Dict.Len()), make([]float64, level.Dict.Len())
			if hasField {
				o.fields = make([]float64, field.Dict.Len())
			}
			o.exact = !workers.Coded() && share == 1 && r.Method.CountNoise == 0
			o.nVar = r.Method.CountNoise // of a cell that noise has made disappear
		}
		n, v := workers.Value(i), r.Method.CountNoise
		if workers.Coded() {
			if workers.I[i] < 0 {
				continue
			}
			n, v = count.mid[workers.I[i]], v+count.variance(workers.I[i])
		}
		if math.IsNaN(n) || n <= 0 {
			continue
		}
		o.cells++
		o.n += n
		o.nVar += v
		if c := level.I[i]; c >= 0 {
			o.levels[c] += n
		}
		if hasField && field.I[i] >= 0 {
			o.fields[field.I[i]] += n
		}
		if c := wage.code(i); c >= 0 {
			o.wage += float64(n * wage.mid[c])
			o.wageVar += float64(n*n) * wage.variance(c)
			o.wageN += n
		}
		if c := fte.code(i); c >= 0 {
			o.fte += float64(n * fte.mid[c])
			o.fteVar += float64(n*n) * fte.variance(c)
			o.fteN += n
			if l := level.I[i]; l >= 0 {
				o.levelFTE[l] += float64(n * fte.mid[c])
			}
			part, v := partTimers(n, fte.lo[c], fte.mid[c], fte.variance(c))
			o.part += part
			o.partVar += v
		}
	}
	return nil
}

// partTimers is how many of n workers with a class of the mean FTE work
// part-time, and the variance of that. A class that starts at full time holds
// none, any other at least one.
func partTimers(n, lo, mid, spread float64) (part, variance float64) {
	if lo > 0.994 {
		return 0, 0
	}
	if n <= 1 {
		return n, 0
	}
	part = max(1, min(n, n*(1-mid)/(1-usualPart)))
	// The hours of part-timers differ by a fifth of full time, and the class is
	// as wide as it is.
	variance = (0.04*part + float64(n*n)*spread) / float64((1-usualPart)*(1-usualPart))
	return part, min(variance, float64((n-1)*(n-1))/4)
}

// usualPart is the mean FTE of a part-timer.
const usualPart = 0.6

// classed is a column of classes that may be absent.
type classed struct {
	classes
	col frame.Column
	has bool
}

func optional(f *frame.Frame, name string) classed {
	c, ok := f.Lookup(name)
	if !ok || !c.Coded() {
		return classed{}
	}
	return classed{classes: classesOf(c.Dict, false), col: c, has: true}
}

// code is the class of row i, -1 where there is none or it has no bounds.
func (c classed) code(i int) int32 {
	if !c.has || c.col.I[i] < 0 || math.IsNaN(c.mid[c.col.I[i]]) {
		return -1
	}
	return c.col.I[i]
}
