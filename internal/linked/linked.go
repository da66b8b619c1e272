// Package linked is the one vocabulary that every stage speaks: jobs, firms and
// public accounts of linked employer-worker data under fixed column names and
// in canonical order, whatever the user's own files called them.
//
// Canonical order (employer, year, worker, then every other column) is what
// makes a release independent of the order of the user's rows: rows that still
// tie are identical and may change places.
package linked

import (
	"fmt"
	"slices"

	"scramblelab/internal/frame"
)

// Names of columns. A table has those that its source has; Employer and Year
// are always there (Year is 0 throughout where the data have no periods).
const (
	Employer = "employer" // category: the original identifier; codes run over the whole selection
	Year     = "year"     // integer
	Worker   = "worker"   // category or integer; absent where the row is the unit
	Level    = "level"    // ordinal or category: education level
	Field    = "field"    // category: education field
	Sex      = "sex"      // category
	Age      = "age"      // integer years, or ordinal with midpoints
	Wage     = "wage"     // integer euro per year, gross taxable
	FTE      = "fte"      // fixed point, two decimals: full-time equivalent
	Weight   = "weight"   // float: design weight of the row
	Hired    = "hired"    // date, missing if before the year
	Left     = "left"     // date, missing if after the year

	Sector        = "sector"               // category, constant within an employer
	Region        = "region"               // category, constant within an employer
	Size          = "size"                 // category: size class as the source has it
	Group         = "group"                // category: intervention, control, both
	EventYear     = "event_year"           // integer: the employer's own automation event, missing if none
	SupplierShare = "supplier_share_class" // ordinal: share of sales to automating buyers
	SizeClass     = "size_class"           // ordinal: RSZ class of the head count
	DesignWeight  = "design_weight"        // fixed point, two decimals: inverse probability of being drawn
	Present       = "present"              // category: staff, none, closed, no accounts
)

// Attributes are the columns of jobs that describe a worker and may be
// scrambled.
var Attributes = []string{Level, Field, Sex, Age, Wage, FTE}

// FirmAttributes are constant within an employer (and year).
var FirmAttributes = []string{Sector, Region, Size, Group, EventYear, SupplierShare, SizeClass}

// Data is one selection of employers with their workers.
type Data struct {
	// Jobs has one row per worker, employer and year, in canonical order.
	Jobs *frame.Frame
	// Firms has one row per employer and year of the selection, sorted by
	// employer and year, with Present and the firm attributes. It shares the
	// Employer dictionary of Jobs.
	Firms *frame.Frame
	// Accounts are the public annual accounts: employer, year, and the
	// columns of a population folder's accounts; nil where there are none.
	// They share the Employer dictionary of Jobs.
	Accounts *frame.Frame

	Periods   bool // false: one cross-section, Year is 0 throughout
	Simulated bool // true: a generated population, of which everything may be said
	// SampledWithin is true where the workers are a sample of their
	// employer's staff, so that a match on counts is no match on reality.
	SampledWithin bool
	// Notes are remarks on the input that every report must show.
	Notes []string
}

// Employers returns the number of employers in the selection.
func (d *Data) Employers() int { return d.Jobs.Col(Employer).Dict.Len() }

// Years returns the years of the selection in order.
func (d *Data) Years() []int32 {
	years := slices.Clone(d.Firms.Col(Year).I)
	slices.Sort(years)
	return slices.Compact(years)
}

// Validate checks the promises that other packages rely on.
func (d *Data) Validate() error {
	if d.Jobs == nil || d.Jobs.Rows() == 0 {
		return fmt.Errorf("linked: no jobs: want at least one row with an employer")
	}
	for _, name := range []string{Employer, Year} {
		if !d.Jobs.Has(name) || d.Firms == nil || !d.Firms.Has(name) {
			return fmt.Errorf("linked: jobs and firms both need a column %q", name)
		}
	}
	for _, f := range []*frame.Frame{d.Jobs, d.Firms, d.Accounts} {
		if f == nil {
			continue // no accounts
		}
		if !f.Has(Employer) || !f.Has(Year) {
			return fmt.Errorf("linked: accounts need columns %q and %q", Employer, Year)
		}
		if !f.Col(Employer).Coded() || f.Col(Year).Kind != frame.Int {
			return fmt.Errorf("linked: want %q as codes of one codebook and %q as integers", Employer, Year)
		}
	}
	if d.Jobs.Col(Employer).Dict != d.Firms.Col(Employer).Dict {
		return fmt.Errorf("linked: jobs and firms must share one codebook of employers")
	}
	if d.Accounts != nil && d.Jobs.Col(Employer).Dict != d.Accounts.Col(Employer).Dict {
		return fmt.Errorf("linked: jobs and accounts must share one codebook of employers")
	}
	order := []string{Employer, Year}
	if d.Jobs.Has(Worker) {
		order = append(order, Worker)
	}
	if !isSorted(d.Jobs, order) || !isSorted(d.Firms, []string{Employer, Year}) {
		return fmt.Errorf("linked: rows are not in canonical order %q", order)
	}
	return nil
}

func isSorted(f *frame.Frame, by []string) bool {
	for i, r := range f.Order(by...) {
		if int(r) != i {
			return false
		}
	}
	return true
}

// Canonical sorts a table by employer, year and worker and then by every other
// column that it has.
func Canonical(f *frame.Frame) *frame.Frame {
	by := []string{Employer, Year}
	if f.Has(Worker) {
		by = append(by, Worker)
	}
	for _, n := range f.Names() {
		if !slices.Contains(by, n) {
			by = append(by, n)
		}
	}
	return f.Sorted(by...)
}

// SizeClasses are the nine classes of the Belgian social security office (RSZ)
// for the head count of an employer: lower bounds and labels.
var (
	SizeBounds = []int32{1, 5, 10, 20, 50, 100, 200, 500, 1000}
	SizeDict   = frame.MustDict("1-4", "5-9", "10-19", "20-49", "50-99", "100-199", "200-499", "500-999", "1000+")
)

// SizeCode returns the RSZ class of a head count, missing for none.
func SizeCode(staff int32) int32 {
	code := frame.NoCode
	for _, b := range SizeBounds {
		if staff >= b {
			code++
		}
	}
	return code
}

// GroupDict and PresentDict are the codebooks of two columns that the product
// itself writes.
var (
	GroupDict   = frame.MustDict("control", "intervention", "both")
	PresentDict = frame.MustDict("staff", "none", "closed", "no accounts")
)
