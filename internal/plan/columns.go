package plan

import (
	"maps"
	"slices"

	"scramblelab/internal/linked"
)

// Methods of steps.
const (
	RandomSwap          = "random-swap"
	RankSwap            = "rank-swap"
	TargetedSwap        = "targeted-swap"
	NearestSwap         = "nearest-swap"
	ConditionalShuffle  = "conditional-shuffle"
	FullShuffle         = "full-shuffle"
	SampleWorkers       = "sample-workers"
	CoarsenCounts       = "coarsen-counts"
	MergeSmallEmployers = "merge-small-employers"
	FreshSerials        = "fresh-serials"
	TopCode             = "top-code"
	Noise               = "noise"
	PRAM                = "pram"
	Microaggregate      = "microaggregate"
	JitterCounts        = "jitter-counts"
	RoundCounts         = "round-counts"
	SuppressCells       = "suppress-cells"
	SampleEmployers     = "sample-employers"
	Recode              = "recode"
)

// Methods of steps, and the keys that each takes beside method.
var (
	permutations = []string{RandomSwap, RankSwap, TargetedSwap, NearestSwap, ConditionalShuffle, FullShuffle}
	values       = []string{TopCode, Noise, PRAM, Microaggregate} // replace values of single jobs
	onCounts     = []string{CoarsenCounts, JitterCounts, RoundCounts, SuppressCells}
	methods      = slices.Concat(permutations, []string{Recode, SampleWorkers, SampleEmployers, CoarsenCounts, MergeSmallEmployers, FreshSerials}, values, onCounts[1:])
	swapKeys     = []string{"unit", "bundle", "rate", "same", "scope", "missing"}
	methodKeys   = map[string][]string{
		RandomSwap:          append([]string{"joint"}, swapKeys...),
		RankSwap:            append([]string{"window", "law"}, swapKeys...),
		TargetedSwap:        append([]string{"joint", "hierarchy", "risk", "k", "profiles", "priority"}, swapKeys...),
		NearestSwap:         append([]string{"joint", "near", "caliper", "min_difference"}, swapKeys...),
		ConditionalShuffle:  append([]string{"given"}, swapKeys...),
		FullShuffle:         append([]string{"joint"}, swapKeys...),
		Recode:              {"column", "file", "depth"},
		SampleWorkers:       {"rate"},
		SampleEmployers:     {"rate"},
		CoarsenCounts:       {"classes"},
		MergeSmallEmployers: {"minimum", "by"},
		FreshSerials:        {},
		TopCode:             {"column", "above", "below", "replace"},
		Noise:               {"column", "sd", "kind", "zero_sum", "by", "least", "most"},
		PRAM:                {"column", "stay", "alpha", "by"},
		Microaggregate:      {"columns", "k", "by"},
		JitterCounts:        {"variance", "reach"},
		RoundCounts:         {"base", "rounding"},
		SuppressCells:       {"minimum"},
	}
)

// Methods lists the methods that a step may have.
func Methods() []string { return slices.Clone(methods) }

// EmployerRegion is the unit that moves properties of employers.
const EmployerRegion = "employer-region"

// Values that a key may have.
var (
	worlds      = []string{"productivity", "displacement", "null", "pretrend"}
	units       = []string{"employer", "employer-year", "worker"}
	countOn     = []string{"31-12", "any", "average"}
	donors      = []string{"population", "fragment"}
	swapUnits   = []string{"row", "person-year", "person", "spell", EmployerRegion}
	missing     = []string{"exchange", "keep"}
	laws        = []string{"uniform", "distribution", "buckets"}
	priorities  = []string{"k", "rate"}
	replace     = []string{"bound", "mean"}
	kinds       = []string{"additive", "multiplicative"}
	roundings   = []string{"random", "nearest"}
	scopes      = []string{"any", "across-employers", "within-employer"}
	adversaries = []string{"outsider", "competitor", "research-team", "source-holder", "head-count-only", "colleague", "neighbour", "cv-1", "cv-3", "cv-5"}
	roles       = []string{"employer", "worker", "period", "category", "ordinal", "number", "weight", "ignore"}
	// places are where columns of each role may go.
	places = map[string][]string{
		"category": {linked.Level, linked.Field, linked.Sex, linked.Age, linked.Sector, linked.Region, linked.Size, linked.Group},
		"ordinal":  {linked.Level, linked.Field, linked.Sex, linked.Age, linked.Sector, linked.Region, linked.Size, linked.Group},
		"number":   {linked.Wage, linked.FTE, linked.Age, linked.EventYear},
	}
)

// Columns that a key may name.
var (
	firmColumns = []string{linked.Group, linked.EventYear, linked.SupplierShare, linked.SizeClass, linked.DesignWeight, linked.Sector, linked.Region, linked.Size}
	strata      = []string{linked.Group, linked.SupplierShare, linked.SizeClass, linked.Sector, linked.Region, linked.Size}
	bundles     = append(slices.Clone(linked.Attributes), linked.Employer)     // the employer moves whole workers
	ranked      = []string{linked.Level, linked.Age, linked.Wage, linked.FTE}  // attributes whose values have an order
	amounts     = []string{linked.Wage, linked.FTE, linked.Age}                // numbers
	coded       = []string{linked.Level, linked.Field, linked.Sex, linked.Age} // categories of a worker
	alike       = append(slices.Clone(linked.Attributes), linked.Sector, linked.Region, linked.Size, linked.SizeClass)
	// movable are the properties that employers may exchange; the size class is
	// made from head counts.
	movable  = []string{linked.Sector, linked.Region, linked.Size, linked.Group, linked.EventYear, linked.SupplierShare}
	firmwise = append(slices.Clone(linked.FirmAttributes), linked.Year) // on which employers may agree
	recoded  = []string{linked.Level, linked.Field, linked.Sex, linked.Age, linked.Sector, linked.Region, linked.Size}
	mergeBy  = []string{linked.Group, linked.EventYear, linked.SupplierShare, linked.Sector, linked.Region, linked.Size}
	// categories are the columns on which partners may agree and which may span
	// a table of head counts; amounts are not among them.
	categories = []string{linked.Employer, linked.Year, linked.Level, linked.Field, linked.Sex, linked.Age,
		linked.Sector, linked.Region, linked.Size, linked.Group, linked.EventYear, linked.SupplierShare, linked.SizeClass}
	publicColumns = []string{"head_count", linked.FTE, "wage_bill", linked.Level, linked.Age, linked.Group, linked.EventYear, linked.Sector, linked.Region, linked.Size}
)

// accounts are variables of the public annual accounts. An exact one that rides
// along with a serial number names the employer.
var accounts = []string{"staff_average", "fte_average", "staff_year_end", "full_time", "part_time", "personnel_cost", "hours",
	"men", "women", "staff_primary", "staff_secondary", "staff_higher", "staff_university",
	"fte_primary", "fte_secondary", "fte_higher", "fte_university", "managers", "employees", "workers", "entries", "exits",
	"tangible_assets", "tangible_investment", "machinery_investment", "turnover", "total_assets",
	"head_count", "staff", "wage_bill", "profit", "value_added", "sales"}

// identifiers name the employer outright.
var identifiers = []string{"employer", "employer_id", "enterprise_number", "registration_number", "name", "vat_number"}

// Permutes reports whether a step's method is a permutation.
func (s Step) Permutes() bool { return slices.Contains(permutations, s.Method) }

// ReplacesValues reports whether a step's method replaces values of single jobs,
// and which columns.
func (s Step) ReplacesValues() (columns []string, ok bool) {
	if !slices.Contains(values, s.Method) {
		return nil, false
	}
	if s.Method == Microaggregate {
		return s.Columns, true
	}
	return []string{s.Column}, true
}

// Together reports whether a permutation moves its whole bundle by one draw.
func (s Step) Together() bool {
	return slices.Contains(methodKeys[s.Method], "joint") && (s.Joint == nil || *s.Joint)
}

// has reports whether the data of the plan bring a column of package linked. A
// population brings all of them but the size class of another source.
func (p Plan) has(column string) bool {
	if p.Data.Jobs == "" {
		return column != linked.Size
	}
	switch column {
	case linked.DesignWeight:
		return true
	case linked.SizeClass:
		return !p.Data.SampledWithin // it is made from the head count
	case "head_count":
		return true
	case "wage_bill":
		column = linked.Wage
	}
	_, ok := p.Place(column)
	return ok
}

// Place returns the column of the user's files that is mapped to a column of
// package linked.
func (p Plan) Place(column string) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(p.Schema)) {
		if p.Schema[name].place() == column {
			return name, true
		}
	}
	return "", false
}

// place returns the column of package linked that a role fills, "" for none.
func (r Role) place() string {
	switch r.Role {
	case "employer":
		return linked.Employer
	case "worker":
		return linked.Worker
	case "period":
		return linked.Year
	case "weight":
		return linked.Weight
	case "ignore":
		return ""
	}
	return r.As
}

// Releases reports whether a column of package linked may leave the building: a
// population's may, a user's where its schema says released.
func (p Plan) Releases(column string) bool {
	if p.Data.Jobs == "" {
		return true
	}
	name, ok := p.Place(column)
	return ok && p.Schema[name].Released
}

// For returns the built-in plan fitted to a user's own files: what it names and
// the schema lacks is left out, and partners agree on the sector where there is
// no group to agree on.
func For(data Data, schema map[string]Role) Plan {
	p := Default()
	p.Data, p.Schema = data, schema
	p.Release.CountOn = "any" // a schema has no dates of hiring and leaving
	size := linked.SizeClass
	if !p.has(size) {
		size = linked.Size
	}
	group := linked.Group
	if !p.has(group) {
		group = linked.Sector
	}
	p.Release.Stratify = p.those(p.has, group, size)
	p.Release.FirmColumns = p.those(p.leaves, group, linked.EventYear, size, linked.DesignWeight)
	within := p.those(p.has, linked.Year, group)
	bundle := p.those(p.has, linked.Level, linked.Field)
	p.Scramble.Keep = []Kept{{linked.Employer}, append(slices.Clone(within), p.those(p.has, linked.Level)...)}
	step := &p.Scramble.Steps[0]
	step.Bundle, step.Same, step.Unit = bundle, within, p.unit()
	p.Attack.Public.Columns = p.those(p.known, "head_count", linked.FTE, "wage_bill", linked.Level, linked.Age, group, linked.EventYear, linked.Region, size)
	return p
}

// those returns the columns for which keep is true.
func (p Plan) those(keep func(string) bool, columns ...string) []string {
	var out []string
	for _, c := range columns {
		if keep(c) {
			out = append(out, c)
		}
	}
	return out
}

// leaves reports whether a firm column may stand in a release.
func (p Plan) leaves(column string) bool {
	if !p.has(column) {
		return false
	}
	made := column == linked.SizeClass || column == linked.DesignWeight
	return made || p.Releases(column)
}

// known reports whether an intruder may have a column of the public file. The
// annual accounts publish head count, FTE, personnel cost and education of the
// staff as a whole, whatever an intruder knows of one worker.
func (p Plan) known(column string) bool {
	switch column {
	case "head_count", "wage_bill", linked.FTE, linked.Level:
		return p.has(column)
	}
	name, ok := p.Place(column)
	return ok && p.Schema[name].Known
}
