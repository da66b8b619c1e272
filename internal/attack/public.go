package attack

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// Public is the intruder's public file: one row per employer and year, for the
// whole selection and not only for the fragment. Unknown values are NaN.
type Public struct {
	Employers int         // employers with at least one row: the M of every risk
	Dict      *frame.Dict // of employers; Employer holds its codes
	Employer  []int32     // sorted, then by Year
	Year      []int32

	Head        []float64   // staff at the closing date
	HeadAverage []float64   // mean staff over the year
	FTE         []float64   // full-time equivalents
	WageBill    []float64   // euro; with accounts the personnel cost, employer's contributions included
	Age         []float64   // mean age
	Education   [][]float64 // [category][row] staff by publicly known study level

	// What follows may be nil: the file then says nothing of it.
	PartTime     []float64    // staff at the closing date who work part-time
	EducationFTE [][]float64  // [category][row] full-time equivalents by study level
	Status       [2][]float64 // managers; other employees who are no manual workers
	Flow         []float64    // entries less exits during the book year

	Levels   *frame.Dict // education levels, for LevelMap
	LevelMap []int8      // level code -> category of Education, -1 none
	Traits   []Trait     // constant within an employer

	// CountOn is the head-count definition of the jobs that the noise model is
	// calibrated on: one of the constants of package publish; "" means 31-12. It
	// must be that of the release: see [Public.Recount].
	CountOn string

	Noise NoiseModel
	Notes []string // what a report must say about this file

	exact  *exactPanel // what the file would say without error; read by atNoise only
	status statusLaw   // of managers and employees by level
	fields *fieldMix   // of fields of education by sector
}

// Trait is a property that is constant within an employer. Label is what the
// intruder thinks, by employer code, in the words of the release; "" is "none".
type Trait struct {
	Name  string // column of the released employers: group, event_year, sector …
	Label []string
	// Truth is how the released value depends on what the intruder thinks: the
	// chance of a released label given his label. Pairs that it lacks have the
	// chance Floor.
	Truth map[[2]string]float64
	Floor float64
	// Exact is the released column itself, by employer code, for who delivered
	// it; nil where nobody did.
	Exact []string
}

// exactPanel holds, row by row of a Public, the same quantities measured on the
// jobs. It stands for the errors of public accounts in experiments that scale
// them, and for an intruder who calibrated his error model on published
// aggregates; no likelihood reads it.
type exactPanel struct {
	head, fte, wage, age, part []float64
	education, educationFTE    [][]float64
}

// accountLevels are the four study levels of the social balance sheet (rows
// 120 and 121).
var accountLevels = []string{"staff_primary", "staff_secondary", "staff_higher", "staff_university"}

// FromAccounts makes the public file out of the annual accounts of the whole
// selection: staff at the closing date and on average, part-timers, entries and
// exits, FTE, personnel cost, staff and FTE by study level, managers and
// employees, and as traits the group and event year recomputed from
// the accounts by the three-times rule, the sector and region of the public
// register, and the two classes that came with the project (supplier share and
// size).
//
// The noise model is calibrated on the difference between accounts and jobs: an
// intruder can do the same on published aggregates, and one who knows the noise
// is the stronger one. The errors are those that the accounts have: in a generated
// population other closing dates and definitions, so that head counts agree for
// nine in ten of the smallest employers and one in ten of the largest. Where
// staff_year_end equals the jobs at 31 December throughout, head counts carry no
// error, and an attack by head counts alone is the same at every noise scale.
func FromAccounts(d *linked.Data) (*Public, error) {
	if d.Accounts == nil {
		return nil, fmt.Errorf("attack: the data have no annual accounts; derive the public file from the original instead")
	}
	acc := d.Accounts.Sorted(linked.Employer, linked.Year)
	p := &Public{
		Dict: acc.Col(linked.Employer).Dict, Employer: acc.Col(linked.Employer).I, Year: acc.Col(linked.Year).I,
		Head: floats(acc, "staff_year_end"), HeadAverage: floats(acc, "staff_average"),
		FTE: floats(acc, "fte_average"), WageBill: floats(acc, "personnel_cost"), Age: unknown(acc.Rows()),
	}
	for _, name := range accountLevels {
		p.Education = append(p.Education, floats(acc, name))
		p.EducationFTE = append(p.EducationFTE, floats(acc, strings.Replace(name, "staff", "fte", 1)))
	}
	p.PartTime = floats(acc, "part_time")
	p.Status = [2][]float64{floats(acc, "managers"), floats(acc, "employees")}
	p.Flow = floats(acc, "entries")
	for i, x := range floats(acc, "exits") {
		p.Flow[i] -= x
	}
	if level, ok := d.Jobs.Lookup(linked.Level); ok && level.Coded() {
		p.Levels = level.Dict
		p.LevelMap = make([]int8, level.Dict.Len())
		found := 0
		for c, label := range level.Dict.Labels() {
			p.LevelMap[c] = StudyLevel(label)
			if p.LevelMap[c] >= 0 {
				found++
			}
		}
		if found == 0 {
			p.Notes = append(p.Notes, "no education level of the release corresponds to a study level of the accounts: education is not used")
		}
	}
	p.status = statusOf(d, p)
	if err := p.finish(d); err != nil {
		return nil, err
	}
	p.fields = fieldsOf(d)
	group, event := recompute(acc, p.Dict.Len())
	p.addTrait(d, linked.Group, group)
	p.addTrait(d, linked.EventYear, event)
	for _, name := range []string{linked.Sector, linked.Region, linked.SupplierShare, linked.Size} {
		p.addTrait(d, name, firmLabels(d, name))
	}
	p.addTrait(d, linked.SizeClass, p.sizeClasses())
	return p, nil
}

// Recount returns the file with its noise calibrated on another definition of
// head counts: 31-12, any or average, as in publish.Options. d must be the data
// that the file was made for. Under another definition than that of the public
// file the counts differ systematically, which Noise.Head.Bias then holds.
func (p *Public) Recount(d *linked.Data, countOn string) (*Public, error) {
	if err := (Method{CountOn: countOn}).Validate(); err != nil {
		return nil, err
	}
	if p.exact != nil && cmp.Or(countOn, publish.CountYearEnd) == cmp.Or(p.CountOn, publish.CountYearEnd) {
		return p, nil
	}
	q := *p
	q.CountOn = countOn
	q.exact = measure(d, &q)
	q.Noise = calibrate(&q)
	return &q, nil
}

// sizeClasses is the class of the mean public head count by employer.
func (p *Public) sizeClasses() []string {
	sum, n := make([]float64, p.Dict.Len()), make([]float64, p.Dict.Len())
	for i, e := range p.Employer {
		if h := p.head(i); e >= 0 && h > 0 {
			sum[e] += h
			n[e]++
		}
	}
	out := make([]string, len(sum))
	for e := range out {
		if n[e] > 0 {
			out[e] = linked.SizeDict.Label(linked.SizeCode(int32(math.Round(sum[e] / n[e]))))
		}
	}
	return out
}

// Derive makes the public file for data without accounts: the columns named, of
// head_count, fte, wage_bill, level, age, group, event_year, sector, region and
// size, measured on the original; counts and amounts with log-normal errors of
// the given standard deviation, education with that share misreported.
func Derive(d *linked.Data, columns []string, noise float64, key rng.Sim) (*Public, error) {
	if !(noise >= 0 && noise <= 2) {
		return nil, fmt.Errorf("attack: noise of the public file is %v, want a standard deviation of log errors in [0, 2]", noise)
	}
	firms := d.Firms
	p := &Public{Dict: firms.Col(linked.Employer).Dict, Employer: firms.Col(linked.Employer).I, Year: firms.Col(linked.Year).I}
	n := firms.Rows()
	p.Head, p.HeadAverage, p.FTE, p.WageBill, p.Age = unknown(n), unknown(n), unknown(n), unknown(n), unknown(n)
	if level, ok := d.Jobs.Lookup(linked.Level); ok && level.Coded() && slices.Contains(columns, "level") {
		p.Levels, p.LevelMap = level.Dict, make([]int8, level.Dict.Len())
		if level.Dict.Len() > 64 {
			return nil, fmt.Errorf("attack: level has %d labels, an intruder's file takes at most 64; coarsen it", level.Dict.Len())
		}
		for c := range p.LevelMap {
			p.LevelMap[c] = int8(c)
			p.Education = append(p.Education, unknown(n))
		}
	}
	exact := measure(d, p)
	stream := &rng.Stream{}
	for i := range n {
		key.Reseed(stream, stageDerive, uint64(p.Employer[i])<<20|uint64(uint32(p.Year[i])&0xfffff))
		off := func(v float64) float64 { return v * math.Exp(noise*stream.Normal()) }
		head := math.Round(off(exact.head[i]))
		fte, wage, age := off(exact.fte[i]), off(exact.wage[i]), exact.age[i]*math.Exp(noise/4*stream.Normal())
		for _, c := range columns {
			switch c {
			case "head_count":
				p.Head[i] = max(head, min(1, exact.head[i]))
			case "fte":
				p.FTE[i] = fte
			case "wage_bill":
				p.WageBill[i] = wage
			case "age":
				p.Age[i] = age
			}
		}
		misreport(stream, min(1, noise), p.Education, exact.education, i)
	}
	if err := p.finish(d); err != nil {
		return nil, err
	}
	for _, name := range []string{linked.Group, linked.EventYear, linked.Sector, linked.Region, linked.Size} {
		if slices.Contains(columns, name) {
			p.addTrait(d, name, firmLabels(d, name))
		}
	}
	if slices.Contains(columns, linked.Sector) {
		p.fields = fieldsOf(d)
	}
	return p, nil
}

const stageDerive rng.Stage = 0xa77ac4

// misreport moves each person of row i to a uniformly drawn category with the
// given chance.
func misreport(s *rng.Stream, share float64, to, from [][]float64, i int) {
	if len(from) == 0 || math.IsNaN(from[0][i]) {
		return
	}
	for c := range to {
		to[c][i] = 0
	}
	for c := range from {
		for range int(from[c][i]) {
			k := c
			if s.Bool(share) {
				k = s.IntN(len(to))
			}
			to[k][i]++
		}
	}
}

// finish checks the file, measures the jobs and calibrates the noise.
func (p *Public) finish(d *linked.Data) error {
	seen := int32(-1)
	for _, e := range p.Employer {
		if e >= 0 && e != seen {
			p.Employers++
			seen = e
		}
	}
	if p.Employers == 0 {
		return fmt.Errorf("attack: the public file names no employer")
	}
	p.exact = measure(d, p)
	p.Noise = calibrate(p)
	return nil
}

// at is element i of a column that a file may lack.
func at(v []float64, i int) float64 {
	if v == nil {
		return math.NaN()
	}
	return v[i]
}

// addTrait adds a trait and calibrates how it relates to the true firm column.
func (p *Public) addTrait(d *linked.Data, name string, label []string) {
	if label == nil {
		return
	}
	truth := firmLabels(d, name)
	if truth == nil {
		return
	}
	t := Trait{Name: name, Label: label, Truth: map[[2]string]float64{}, Exact: truth}
	count, kinds := map[string]float64{}, map[string]bool{}
	known := make([]bool, len(label))
	for _, e := range p.Employer {
		if e >= 0 {
			known[e] = true
		}
	}
	for e := range label {
		if known[e] {
			count[label[e]]++
			t.Truth[[2]string{label[e], truth[e]}]++
			kinds[truth[e]] = true
		}
	}
	// One virtual employer per label, spread over the labels of the truth.
	t.Floor = 1 / float64(len(kinds)+1) / (float64(p.Employers)/float64(max(1, len(count))) + 1)
	for k, v := range t.Truth {
		t.Truth[k] = v / (count[k[0]] + 1)
	}
	p.Traits = append(p.Traits, t)
}

// firmLabels returns the label of a firm column by employer, from its first row
// where it is known; nil where the data have no such column.
func firmLabels(d *linked.Data, name string) []string {
	f := d.Firms
	if !f.Has(name) {
		f = d.Jobs
	}
	c, ok := f.Lookup(name)
	if !ok {
		return nil
	}
	employer := f.Col(linked.Employer)
	out := make([]string, employer.Dict.Len())
	for i := range f.Rows() {
		if e := employer.I[i]; e >= 0 && out[e] == "" {
			out[e] = labelOf(c, i)
		}
	}
	return out
}

// labelOf writes row i of a trait, "" for none.
func labelOf(c frame.Column, i int) string {
	switch {
	case c.Missing(i):
		return ""
	case c.Coded():
		return c.Dict.Label(c.I[i])
	}
	return fmt.Sprint(c.Value(i))
}

func floats(f *frame.Frame, name string) []float64 {
	c, ok := f.Lookup(name)
	out := unknown(f.Rows())
	if ok {
		for i := range out {
			out[i] = c.Value(i)
		}
	}
	return out
}

func unknown(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

// StudyLevel returns the study level of the social balance sheet to which an
// education level belongs: 0 primary, 1 secondary, 2 higher non-university, 3
// university, -1 unknown. It reads ISCED-like labels and the codes L01 to L15 of
// the generated population.
func StudyLevel(label string) int8 {
	s := strings.ToLower(strings.TrimSpace(label))
	var code int
	if n, err := fmt.Sscanf(s, "l%02d", &code); n == 1 && err == nil {
		switch {
		case code <= 2:
			return 0
		case code <= 9:
			return 1
		case code <= 11 || code == 13:
			return 2
		}
		return 3
	}
	for _, rule := range []struct {
		category int8
		words    []string
	}{
		{-1, []string{"unknown"}},
		{1, []string{"non-tertiary"}},
		{2, []string{"short-cycle", "professional bachelor", "higher non-univ", "univ. college", "university college", "5b", "higher"}},
		{3, []string{"universit", "academic", "master", "doctor", "5a", "isced 6"}},
		{0, []string{"no diploma", "primary", "isced 0", "isced 1"}},
		{1, []string{"sec", "isced 2", "isced 3"}},
	} {
		for _, w := range rule.words {
			if strings.Contains(s, w) {
				return rule.category
			}
		}
	}
	return -1
}
