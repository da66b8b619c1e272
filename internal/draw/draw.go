// Package draw takes the stratified sample of records that a release is made
// of: whole employers (the default), single employer-years, or workers.
//
// Allocation is proportional. The number drawn in a stratum is its expected
// number rounded up or down by systematic rounding with one random start
// (Cox 1987, "A constructive procedure for unbiased controlled rounding"), in
// integers, so that the total is hit exactly and every record has the same
// chance of being drawn before the rounding is known. Strata that would expect
// less than one record are merged with a neighbour, so nobody's chance is zero.
// The weight of a record is N/n of its stratum: weights of a stratum add up to
// its population.
//
// A draw depends on the key, the codebooks and the contents of the data, never
// on the order of rows.
package draw

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// Units: what a record is.
const (
	UnitEmployer     = "employer"
	UnitEmployerYear = "employer-year"
	UnitWorker       = "worker"
)

// ThirdBelow is the number of records below which a selection is released by a
// third, so that a release of 3,000 never comes near to the whole selection.
const ThirdBelow = 9000

// Options says what is drawn. The zero value is refused: a draw needs a number.
type Options struct {
	Unit    string // what a record is; "" means employer
	Records int    // how many, at least 1
	// Stratify names firm columns. size_class is computed here: the RSZ class
	// of the mean head count over the years with staff (of the year itself for
	// employer-years). Nil means group and size_class.
	Stratify []string
	// Merge maps an employer's code to the unit it is published in (the code
	// of one of its members); nil where each stands alone. Units are drawn
	// whole.
	Merge []int32
}

// Validate names the field that is wrong and what to write instead.
func (o Options) Validate() error {
	switch {
	case !slices.Contains([]string{"", UnitEmployer, UnitEmployerYear, UnitWorker}, o.Unit):
		return fmt.Errorf("draw: unit is %q, want employer, employer-year or worker", o.Unit)
	case o.Records < 1:
		return fmt.Errorf("draw: records is %d, want at least 1", o.Records)
	case o.Merge != nil && o.Unit == UnitWorker:
		return fmt.Errorf("draw: unit is worker and employers are merged: draw employers, or leave the merging out")
	}
	for _, s := range o.Stratify {
		if !slices.Contains(linked.FirmAttributes, s) {
			return fmt.Errorf("draw: cannot stratify by %q: want some of %s", s, strings.Join(linked.FirmAttributes, ", "))
		}
	}
	return nil
}

// Stratum is one line of the account of a draw.
type Stratum struct {
	Label      string // "group=control, size_class=1-4", merged ones joined by " + "
	Population int
	Drawn      int
}

// Sample is what was drawn. Weight runs along Employers, EmployerYears or Rows,
// whichever is the unit.
type Sample struct {
	Unit          string
	Employers     []int32    // codes of the employers drawn or touched, ascending
	EmployerYears [][2]int32 // employer and year, ascending; unit employer-year only
	Rows          []int32    // rows of jobs, ascending: every job of the workers drawn; unit worker only
	Weight        []float64  // inverse inclusion probability given the allocation, at least 1
	Strata        []Stratum
	Population    int // records there are
	Records       int // records drawn
	Warnings      []string
}

// Draw draws the sample. It refuses a key that was never set.
func Draw(d *linked.Data, o Options, key rng.Secret) (*Sample, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if key.IsZero() {
		return nil, fmt.Errorf("draw: no key: use rng.NewSecret, or a seed for simulations")
	}
	if o.Unit == "" {
		o.Unit = UnitEmployer
	}
	if o.Merge != nil && len(o.Merge) != d.Employers() {
		return nil, fmt.Errorf("draw: merge has %d entries for %d employers", len(o.Merge), d.Employers())
	}
	u, warnings := units(d, o)
	if len(u.keys) == 0 {
		return nil, fmt.Errorf("draw: there is no %s to draw from: check the selection", o.Unit)
	}
	s := &Sample{Unit: o.Unit, Population: len(u.keys), Warnings: warnings}
	var w string
	s.Records, w = number(len(u.keys), o)
	if w != "" {
		s.Warnings = append(s.Warnings, w)
	}
	key = key.Derive("draw " + o.Unit)
	strata := merge(u.strata(), s.Records, s.Population)
	allocate(strata, s.Records, s.Population, key)

	weight := make([]float64, len(u.keys)) // 0: not drawn
	for _, h := range strata {
		s.Strata = append(s.Strata, Stratum{Label: h.label, Population: len(h.members), Drawn: h.drawn})
		w := float64(len(h.members)) / float64(h.drawn)
		for _, m := range rng.Sample(key.Stream(h.label, 1), h.members, h.drawn) {
			weight[m] = w
		}
	}
	u.collect(s, weight)
	return s, nil
}

// number says how many records are drawn, and why fewer than asked for.
func number(population int, o Options) (int, string) {
	third := max(1, population/3)
	switch {
	case population < ThirdBelow && o.Records > third:
		return third, fmt.Sprintf("the selection has %s %ss, fewer than %s: %s are released instead of %s",
			thousands(population), o.Unit, thousands(ThirdBelow), thousands(third), thousands(o.Records))
	case o.Records > population:
		return population, fmt.Sprintf("the selection has %s %ss: all are released instead of %s",
			thousands(population), o.Unit, thousands(o.Records))
	}
	return o.Records, ""
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// stratum is a run of neighbouring strata in the order of their keys.
type stratum struct {
	first, last []int32 // keys at both ends
	label       string
	members     []int32 // ascending
	drawn       int
}

// merge joins strata that expect less than one record with the neighbour that
// agrees with them on most leading columns, the smaller one where both do.
func merge(s []stratum, records, population int) []stratum {
	small := func(h stratum) bool { return int64(len(h.members))*int64(records) < int64(population) }
	for len(s) > 1 {
		at := -1
		for i, h := range s {
			if small(h) && (at < 0 || len(h.members) < len(s[at].members)) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		i := at // join i and i+1
		if at == len(s)-1 {
			i = at - 1
		} else if at > 0 {
			left, right := agree(s[at-1].last, s[at].first), agree(s[at].last, s[at+1].first)
			if left > right || left == right && len(s[at-1].members) <= len(s[at+1].members) {
				i = at - 1
			}
		}
		members := slices.Concat(s[i].members, s[i+1].members)
		slices.Sort(members)
		s[i] = stratum{first: s[i].first, last: s[i+1].last, label: s[i].label + " + " + s[i+1].label, members: members}
		s = slices.Delete(s, i+1, i+2)
	}
	return s
}

func agree(a, b []int32) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// allocate sets the numbers drawn: floor((records*cum_h + U)/population)
// differences with U uniform on 0 … population-1. Each is the expected number
// rounded up or down, and they add up to records.
func allocate(s []stratum, records, population int, key rng.Secret) {
	start := int64(key.Stream("allocation", 0).IntN(population))
	cum, before := int64(0), int64(0)
	for i := range s {
		cum += int64(len(s[i].members))
		upTo := (cum*int64(records) + start) / int64(population)
		s[i].drawn = int(upTo - before)
		before = upTo
	}
}

// universe lists the records that may be drawn, ascending, each with its
// stratum key.
type universe struct {
	names   []string // of the stratification columns
	dicts   []*frame.Dict
	keys    [][]int32 // per record: codes of the stratification columns
	collect func(s *Sample, weight []float64)
}

func (u *universe) strata() []stratum {
	order := make([]int32, len(u.keys))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return slices.Compare(u.keys[a], u.keys[b]) })
	var out []stratum
	for _, r := range order {
		k := u.keys[r]
		if n := len(out); n > 0 && slices.Equal(out[n-1].first, k) {
			out[n-1].members = append(out[n-1].members, r)
			continue
		}
		out = append(out, stratum{first: k, last: k, label: u.label(k), members: []int32{r}})
	}
	return out
}

func (u *universe) label(key []int32) string {
	if len(key) == 0 {
		return "all"
	}
	parts := make([]string, len(key))
	for i, c := range key {
		value := "missing"
		switch {
		case u.dicts[i] == nil && c != frame.NoInt:
			value = fmt.Sprint(c)
		case u.dicts[i] != nil && c >= 0:
			value = u.dicts[i].Label(c)
		}
		parts[i] = u.names[i] + "=" + value
	}
	return strings.Join(parts, ", ")
}

// Restrict returns the data of the records drawn: the jobs and firm rows of the
// employers, employer-years or workers in the sample. Codebooks are shared.
func (s *Sample) Restrict(d *linked.Data) *linked.Data {
	out := *d
	in := make([]bool, d.Employers())
	for _, e := range s.Employers {
		in[e] = true
	}
	keep := func(f *frame.Frame) *frame.Frame {
		emp, year := f.Col(linked.Employer).I, f.Col(linked.Year).I
		return f.Filter(func(i int) bool {
			return in[emp[i]] && (s.Unit != UnitEmployerYear || s.has(emp[i], year[i]))
		})
	}
	out.Firms = keep(d.Firms)
	if s.Unit == UnitWorker {
		out.Jobs = d.Jobs.Take(s.Rows)
	} else {
		out.Jobs = keep(d.Jobs)
	}
	if d.Accounts != nil {
		out.Accounts = keep(d.Accounts)
	}
	return &out
}

// WeightOf returns the design weight of an employer in a year. A sample of
// workers has no weight of an employer.
func (s *Sample) WeightOf(employer, year int32) (float64, bool) {
	switch s.Unit {
	case UnitEmployer:
		if i, ok := slices.BinarySearch(s.Employers, employer); ok {
			return s.Weight[i], true
		}
	case UnitEmployerYear:
		if i, ok := slices.BinarySearchFunc(s.EmployerYears, [2]int32{employer, year}, comparePair); ok {
			return s.Weight[i], true
		}
	}
	return 0, false
}

func (s *Sample) has(employer, year int32) bool {
	_, ok := slices.BinarySearchFunc(s.EmployerYears, [2]int32{employer, year}, comparePair)
	return ok
}

func comparePair(a, b [2]int32) int {
	return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
}
