package swap

import "fmt"

// Reasons why a unit has no partner at any rate.
const (
	AloneInStratum     = "stratum of one"
	OddOneLeft         = "odd one left"
	NoPartnerOutside   = "no partner outside the employer"
	NoPartnerNear      = "no partner near enough"
	MissingValue       = "value missing"
	SumTooFar          = "a promised sum would leave its tolerance"
	KeyCollision       = "worker would hold one employer twice"
	reachableTolerance = 0.005
)

// Report says what a step really did.
type Report struct {
	Step     int
	Method   string
	Unit     Unit
	Scope    Scope
	Same     []string
	Wanted   float64 // the rate that was asked for
	Rows     int64
	Pairings []PairingReport // one for the bundle, or one per column
	Warnings []string
}

// PairingReport describes one permutation.
type PairingReport struct {
	Columns []string
	Units   int64 // rows, person-years or persons
	Strata  int64 // strata (for persons: cells of year and stratum) with at least one unit
	Touched int64 // units with a donor other than themselves in at least one row
	Changed int64 // units of which at least one value of the bundle really differs

	AtRisk     int64 // targeted-swap: units that shared their risk columns with fewer than k in some region
	AtRiskLeft int64 // rows of which that is so in the smallest region after the swap

	RowsTouched int64
	RowsChanged []ColumnChange // by column
	// Displacements are by column; [Result.Displace] measures them.
	Displacements []Displacement
	// Expected is the share touched on average over keys; it is below the
	// wanted rate where units have no partner.
	Expected    float64
	Unswappable []Unswappable // units without a partner at any rate; key collisions are those of this draw
}

// ColumnChange is the number of rows in which a column holds another value.
type ColumnChange struct {
	Column string
	Rows   int64
}

// Unswappable counts units that could not be swapped, by reason.
type Unswappable struct {
	Reason string
	Units  int64
}

// TouchedShare is the true rate: touched units as a share of all.
func (p PairingReport) TouchedShare() float64 { return share(p.Touched, p.Units) }

// ChangedShare is the effective rate: units with a different value of the
// bundle as a share of all.
func (p PairingReport) ChangedShare() float64 { return share(p.Changed, p.Units) }

// Without returns the number of units that have no partner for that reason.
func (p PairingReport) Without(reason string) int64 {
	for _, u := range p.Unswappable {
		if u.Reason == reason {
			return u.Units
		}
	}
	return 0
}

func (p *PairingReport) unswappable(reason string, units int64) {
	if units > 0 {
		p.Unswappable = append(p.Unswappable, Unswappable{reason, units})
	}
}

func share(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// warn names rates that cannot be reached, with the one that can.
func (r *Report) warn() {
	for _, p := range r.Pairings {
		if p.Expected < r.Wanted-reachableTolerance {
			remedy := "use fewer columns in same, or a wider scope"
			if p.Without(SumTooFar) > 0 {
				remedy = fmt.Sprintf("%d %ss were left alone because %s: widen it, or use %s with a smaller window", p.Without(SumTooFar), r.Unit, SumTooFar, RankSwap)
			}
			r.Warnings = append(r.Warnings, fmt.Sprintf(
				"step %d: rate %.3g of %q is not reached: %.3g of the %d %ss have a partner to touch; %s",
				r.Step, r.Wanted, p.Columns, p.Expected, p.Units, r.Unit, remedy))
		}
		if p.AtRisk > 0 && p.TouchedShare() > r.Wanted+reachableTolerance {
			r.Warnings = append(r.Warnings, fmt.Sprintf(
				"step %d: rate %.3g of %q is exceeded: %.3g of the %d %ss were touched, because k goes first and %d of them are at risk; use priority rate, a smaller k or fewer columns in risk",
				r.Step, r.Wanted, p.Columns, p.TouchedShare(), p.Units, r.Unit, p.AtRisk))
		}
		if p.Touched > 0 && p.Changed == 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf(
				"step %d: %d %ss were touched but no value of %q changed: the step protects nothing", r.Step, p.Touched, r.Unit, p.Columns))
		}
	}
}
