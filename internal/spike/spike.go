// Package spike finds automation events in public annual accounts: the year in
// which an employer's investment in machinery (where its schema publishes that
// line, else in all tangible assets) is at least three times the mean of its
// own other years, after the spikes in automation costs of Bessen, Goos,
// Salomons and van den Berge (2023). Anybody who holds the accounts can do it,
// so intruders use the same function as the publisher.
//
// It refuses to judge an employer with fewer than [MinYears] filed years.
package spike

import (
	"slices"

	"scramblelab/internal/frame"
)

const (
	// Threshold is the smallest multiple of the mean of the other years that
	// counts as an event.
	Threshold = 3.0
	// MinYears is the smallest number of years with a published amount.
	MinYears = 4
)

// Series is one employer's investment by year, in euro; frame.NoLong is
// missing. The three slices are equally long.
type Series struct {
	Years     []int32
	Machinery []int64 // acquisitions of plant, machinery and equipment
	Tangible  []int64 // acquisitions of all tangible fixed assets
}

// Detect returns the year of the event: that of the largest multiple at or
// above [Threshold], the earliest of equal ones. Machinery is used where every
// year publishes it, else all tangible investment.
func Detect(s Series) (year int32, ok bool) {
	amounts := s.Machinery
	if len(amounts) == 0 || slices.Contains(amounts, frame.NoLong) {
		amounts = s.Tangible
	}
	var sum float64
	n := 0
	for _, a := range amounts {
		if a != frame.NoLong {
			sum += float64(a)
			n++
		}
	}
	if n < MinYears {
		return 0, false
	}
	best := 0.0
	for i, a := range amounts {
		if a == frame.NoLong || a <= 0 {
			continue
		}
		others := (sum - float64(a)) / float64(n-1)
		if ratio := float64(a) / max(others, 1); ratio >= Threshold && ratio > best {
			best, year, ok = ratio, s.Years[i], true
		}
	}
	return year, ok
}

// Columns names the columns of an accounts table. The zero value names those of
// a population folder.
type Columns struct {
	Employer, Year, Machinery, Tangible string
}

func (c Columns) normal() Columns {
	for _, f := range []struct {
		name *string
		def  string
	}{{&c.Employer, "employer_id"}, {&c.Year, "year"}, {&c.Machinery, "machinery_investment"}, {&c.Tangible, "tangible_investment"}} {
		if *f.name == "" {
			*f.name = f.def
		}
	}
	return c
}

// Event is an employer's detected automation event. Employer is the value or
// code in the employer column.
type Event struct {
	Employer int32
	Year     int32
}

// FromAccounts detects the events of all employers of an accounts table, in
// ascending order of the employer. An employer without an entry does not
// automate. Columns that the table lacks count as missing throughout.
func FromAccounts(accounts *frame.Frame, columns Columns) []Event {
	c := columns.normal()
	accounts = accounts.Sorted(c.Employer, c.Year)
	employer, year := accounts.Col(c.Employer), accounts.Col(c.Year)
	amounts := func(name string) []int64 {
		if col, ok := accounts.Lookup(name); ok && col.Kind == frame.Long {
			return col.L
		}
		return nil
	}
	machinery, tangible := amounts(c.Machinery), amounts(c.Tangible)
	cut := func(v []int64, lo, hi int32) []int64 {
		if v == nil {
			return nil
		}
		return v[lo:hi]
	}
	var events []Event
	runs := accounts.Runs(c.Employer)
	for k := range len(runs) - 1 {
		lo, hi := runs[k], runs[k+1]
		if y, ok := Detect(Series{year.I[lo:hi], cut(machinery, lo, hi), cut(tangible, lo, hi)}); ok {
			events = append(events, Event{employer.I[lo], y})
		}
	}
	return events
}
