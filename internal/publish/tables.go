// Package publish turns jobs into the two tables that leave the building: one
// row per employer and year, one per non-empty cell of education level x field,
// with wages, FTE and ages in classes. The same code writes the scrambled
// fragment of phase one and the full layout of phase two.
package publish

import "scramblelab/internal/frame"

// Names of the columns that publishing adds to those of package linked.
const (
	Serial    = "serial"     // integer: the meaningless number that stands for an employer
	Workers   = "workers"    // integer, or ordinal classes [1,3) where counts are coarsened
	WageClass = "wage_class" // ordinal classes of the cell's mean wage, euro per year
	FTEClass  = "fte_class"  // ordinal classes of the cell's mean FTE
	AgeClass  = "age_class"  // ordinal classes of the employer's mean age
)

// Tables are the two tables of a release. Before serials are drawn the first
// column of both is linked.Employer, afterwards it is Serial; where the data
// have no periods there is no year column.
type Tables struct {
	Employers *frame.Frame // serial, [year], present, [age_class], firm columns
	Cells     *frame.Frame // serial, [year], level, [field], workers, [wage_class], [fte_class]
	Protected Protected    // what was done to head counts; not part of a release
}
