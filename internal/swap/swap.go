// Package swap holds the scrambles that are permutations: some properties of
// one person are given to another, and nobody's are lost.
//
// A step permutes units (a job, a worker's year, a worker) within strata; the
// permutation of rows follows from it, v'[i] = v[p[i]]. From that one
// representation come exact margins, composition, inversion for the audit, the
// true rate and the effective rate (Dalenius and Reiss 1982, J. Stat. Planning
// and Inference 6, 73-85; random swap within strata as in the SDC handbook).
//
// After every step the package verifies what it says: p is a bijection, p keeps
// every unit in its stratum and obeys the scope, and each column keeps its
// multiset of values. What a step cannot reach it reports; it never overrides a
// rate silently.
package swap

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// Unit is what changes places.
type Unit uint8

const (
	// Row is one job: a worker at an employer in a year.
	Row Unit = iota
	// PersonYear is all jobs of a worker in a year. Partners have equally many
	// jobs, matched one to one. Without a worker column it is [Row].
	PersonYear
	// Person is all years of a worker. One random cycle through the persons
	// drawn is used, in each year and stratum, as its first-return map on the
	// persons present there: a bijection in every cell, and the same donor until
	// one of the two leaves or somebody who stands between them on the cycle
	// comes. It is no pair swap: the donor's donor is somebody else.
	Person
	// Spell is all years of a worker at one employer; spells take each other's
	// place as persons do.
	Spell
	// EmployerRegion is all years of an employer with the same values of the
	// bundle, such as those in one region, in a table of firms with one row per
	// employer and year. What moves are properties of the employer. Partners
	// exist in the same years, so that each year keeps its multiset and nobody
	// changes his region from year to year.
	EmployerRegion
)

// overYears says that a unit has rows in several years.
func (u Unit) overYears() bool { return u == Person || u == Spell }

var unitNames = []string{"row", "person-year", "person", "spell", "employer-region"}

func (u Unit) String() string { return nameOf(unitNames, int(u), "Unit") }

// ParseUnit reads the name of a unit as a plan writes it; "" is [Row].
func ParseUnit(s string) (Unit, error) {
	i, err := parseName(unitNames, s, "unit")
	return Unit(i), err
}

// Scope says where partners work.
type Scope uint8

// The scopes.
const (
	Any             Scope = iota // wherever
	AcrossEmployers              // at different employers
	WithinEmployer               // at the same employer
)

var scopeNames = []string{"any", "across-employers", "within-employer"}

func (s Scope) String() string { return nameOf(scopeNames, int(s), "Scope") }

// ParseScope reads the name of a scope as a plan writes it; "" is [Any].
func ParseScope(s string) (Scope, error) {
	i, err := parseName(scopeNames, s, "scope")
	return Scope(i), err
}

func nameOf(names []string, i int, kind string) string {
	if i < len(names) {
		return names[i]
	}
	return kind + "(" + strconv.Itoa(i) + ")"
}

func parseName(names []string, s, what string) (int, error) {
	if s == "" {
		return 0, nil
	}
	if i := slices.Index(names, s); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("swap: %s is %q, want one of %q", what, s, names)
}

// Options says how units are swapped. The zero value swaps nobody.
type Options struct {
	Method string   // name of a method of [Methods]; "" is [RandomSwap]
	Unit   Unit     // what changes places
	Bundle []string // columns exchanged; with the employer, the firm attributes travel
	Joint  bool     // one pairing for the whole bundle; false: one pairing per column
	Rate   float64  // share of units touched in each stratum, in [0, 1]; a pair touches two
	Same   []string // coded or integer columns on which partners agree, missing being a value
	Scope  Scope    // where partners work
	// FixMissing leaves units alone that miss a value of the bundle; otherwise a
	// missing value travels like any other.
	FixMissing bool

	Window        float64    // rank-swap: reach, as a share of the ranks of a stratum, in (0, 1]
	Law           Law        // rank-swap: how the distance in ranks is drawn
	Near          []string   // nearest-swap: columns by which partners are alike
	Caliper       float64    // nearest-swap: largest mean distance over Near, in [0, 1]; 0 is none
	MinDifference float64    // nearest-swap: partners differ at least so much in the bundle's first column
	Hierarchy     []string   // targeted-swap: nested regions, the largest first; donors lie in another one
	Risk          []string   // targeted-swap: columns by which somebody may be singled out
	K             int        // targeted-swap: who agrees on Risk with fewer than K in a region is at risk
	Profiles      [][]string // targeted-swap: columns on which partners agree, the first list that finds one wins; none, or an empty last list, is anybody
	Priority      Priority   // targeted-swap: whether K or Rate wins
	Given         []string   // conditional-shuffle: columns whose relation with the bundle is kept

	// Sums are kept: pairs that would take one out of its tolerance are taken
	// back. Original is what they are compared with, nil the frame itself.
	Sums     []SumPromise
	Original *frame.Frame
}

// Validate checks the options and, where f is not nil, whether f has what they
// name.
func (o Options) Validate(f *frame.Frame) error {
	if !(o.Rate >= 0 && o.Rate <= 1) { // also refuses NaN
		return fmt.Errorf("swap: rate is %v, want a share in [0, 1]", o.Rate)
	}
	if int(o.Unit) >= len(unitNames) || int(o.Scope) >= len(scopeNames) {
		return fmt.Errorf("swap: %v or %v is unknown, want one of %q and of %q", o.Unit, o.Scope, unitNames, scopeNames)
	}
	m, err := lookupMethod(o.Method)
	if err != nil {
		return err
	}
	if len(o.Bundle) == 0 && o.Rate > 0 {
		return fmt.Errorf("swap: bundle is empty, name the columns to exchange, such as %q and %q", linked.Level, linked.Field)
	}
	for i, n := range o.Bundle {
		switch {
		case n == linked.Worker || n == linked.Year || n == linked.Weight:
			return fmt.Errorf("swap: bundle holds %q, which identifies or weights a row: take it out (to move whole workers, bundle %q)", n, linked.Employer)
		case o.Unit == EmployerRegion && !slices.Contains(linked.FirmAttributes, n):
			return fmt.Errorf("swap: unit is %v, which exchanges properties of employers, and %q is none: use unit %v", o.Unit, n, PersonYear)
		case o.Unit != EmployerRegion && slices.Contains(linked.FirmAttributes, n) && !slices.Contains(o.Bundle, linked.Employer):
			return fmt.Errorf("swap: bundle holds %q, a property of the employer: bundle %q, and it travels along", n, linked.Employer)
		case slices.Contains(o.Bundle[:i], n):
			return fmt.Errorf("swap: bundle holds %q twice, name it once", n)
		case slices.Contains(o.Same, n):
			return fmt.Errorf("swap: %q stands in bundle and in same: partners who agree on it exchange nothing; take it out of one", n)
		}
	}
	if o.Unit == EmployerRegion && (o.Scope == WithinEmployer || slices.Contains(o.Same, linked.Employer)) {
		return fmt.Errorf("swap: unit is %v, and no two of them are of one employer: use scope %v and take %q out of same", o.Unit, Any, linked.Employer)
	}
	if slices.Contains(o.Same, linked.Employer) && o.Scope == AcrossEmployers {
		return fmt.Errorf("swap: %q stands in same but scope is %v: no two units can do both; take one out", linked.Employer, o.Scope)
	}
	if slices.Contains(o.Bundle, linked.Employer) {
		if o.Scope == WithinEmployer {
			return fmt.Errorf("swap: bundle holds %q but scope is %v: such partners exchange nothing", linked.Employer, o.Scope)
		}
		if !o.Unit.overYears() && !slices.Contains(o.Same, linked.Year) {
			return fmt.Errorf("swap: bundle holds %q without %q in same: workers would land in years without that employer; add it to same", linked.Employer, linked.Year)
		}
	}
	for _, p := range o.Sums {
		if p.Within < 0 || p.Within > Million {
			return fmt.Errorf("swap: promised %v: want a tolerance from 0 to 100%%", p)
		}
		if ok, why := KeepsSum(o, p); !ok {
			return fmt.Errorf("swap: %v cannot be kept: %s", p, why)
		}
	}
	if f != nil {
		if err := o.validateColumns(f); err != nil {
			return err
		}
	}
	if o.Rate == 0 {
		return nil
	}
	return m.check(o, f)
}

func (o Options) validateColumns(f *frame.Frame) error {
	for _, n := range append([]string{linked.Employer, linked.Year}, o.Bundle...) {
		if !f.Has(n) {
			return fmt.Errorf("swap: no column %q among %q", n, f.Names())
		}
	}
	for _, n := range o.Same {
		c, ok := f.Lookup(n)
		if !ok {
			return fmt.Errorf("swap: same names %q, which is not among %q: join it in or take it out", n, f.Names())
		}
		if c.Kind == frame.Float || c.Kind == frame.Long {
			return fmt.Errorf("swap: same names %q, which is %v: partners agree on classes; cut it into classes first", n, c.Kind)
		}
	}
	if o.Unit.overYears() && !f.Has(linked.Worker) {
		return fmt.Errorf("swap: unit is %v but there is no column %q: use unit %v", o.Unit, linked.Worker, Row)
	}
	return checkOrder(f)
}

// bundle returns the columns that move: those named, and with the employer its
// own attributes.
func (o Options) bundle(f *frame.Frame) []string {
	cols := slices.Clone(o.Bundle)
	if slices.Contains(cols, linked.Employer) {
		for _, n := range linked.FirmAttributes {
			if f.Has(n) && !slices.Contains(cols, n) {
				cols = append(cols, n)
			}
		}
	}
	return cols
}

// groups returns the columns of each pairing.
func (o Options) groups(f *frame.Frame) [][]string {
	all := o.bundle(f)
	if o.Joint {
		return [][]string{all}
	}
	var out [][]string
	withEmployer := slices.Contains(all, linked.Employer)
	for _, n := range all {
		switch {
		case n == linked.Employer:
			firm := []string{n}
			for _, a := range all {
				if slices.Contains(linked.FirmAttributes, a) {
					firm = append(firm, a)
				}
			}
			out = append(out, firm)
		case withEmployer && slices.Contains(linked.FirmAttributes, n):
		default:
			out = append(out, []string{n})
		}
	}
	return out
}

// Pairing is one permutation of rows and the columns it moved.
type Pairing struct {
	Columns []string
	Perm    Permutation
}

// Result is a scrambled frame and how it came about. The permutations undo the
// scramble and therefore belong in the escrow.
type Result struct {
	Frame    *frame.Frame // bundle columns permuted, all others shared
	Pairings []Pairing    // one for the bundle, or one per column
	Report   Report
}

// Run swaps one step. f is in canonical order (see [linked.Canonical]) and is
// not changed; draws depend on the key, the step and the labels of a stratum,
// never on threads or on the order in which rows were read. A swap of employers
// returns a frame that is no longer in canonical order.
func Run(ctx context.Context, f *frame.Frame, o Options, key rng.Secret, step int) (*Result, error) {
	if err := o.Validate(f); err != nil {
		return nil, err
	}
	if key.IsZero() {
		return nil, fmt.Errorf("swap: no key: draw one with rng.NewSecret")
	}
	m, err := lookupMethod(o.Method)
	if err != nil {
		return nil, err
	}
	res := &Result{Frame: f, Report: Report{
		Step: step, Method: m.Name, Unit: o.Unit, Scope: o.Scope,
		Same: slices.Clone(o.Same), Wanted: o.Rate, Rows: int64(f.Rows()),
	}}
	if o.Rate == 0 || f.Rows() == 0 {
		return res, nil
	}
	if err := checkClosure(f, o); err != nil {
		return nil, err
	}
	e, err := newEngine(ctx, f, o)
	if err != nil {
		return nil, err
	}
	key = key.Derive("swap step " + strconv.Itoa(step))
	groups := o.groups(f)
	for k, cols := range groups {
		stage := "joint"
		if !o.Joint && !m.Together {
			stage = "column " + cols[0]
		}
		p, pr, err := e.draw(ctx, m, cols, key, stage)
		if err != nil {
			return nil, err
		}
		if k == len(groups)-1 { // room for the columns that move
			e.rowCodes, e.codes, e.strata, e.rooms = coding{}, coding{}, buckets{}, &rooms{}
		}
		moved, err := e.apply(ctx, p, cols, pr)
		if err != nil {
			return nil, err
		}
		res.Frame = res.Frame.With(moved...)
		res.Pairings = append(res.Pairings, Pairing{Columns: cols, Perm: p})
		res.Report.Pairings = append(res.Report.Pairings, *pr)
	}
	if m.Name == TargetedSwap {
		if err := e.riskLeft(ctx, res); err != nil {
			return nil, err
		}
	}
	res.Report.warn()
	if f.Has(linked.Weight) {
		res.Report.Warnings = append(res.Report.Warnings, fmt.Sprintf(
			"step %d: rows carry a weight that stays in place: head counts of rows are kept, weighted counts only on average", step))
	}
	return res, nil
}
