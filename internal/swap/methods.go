package swap

import (
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/rng"
)

// Names of methods.
const (
	RandomSwap         = "random-swap"
	RankSwap           = "rank-swap"
	TargetedSwap       = "targeted-swap"
	NearestSwap        = "nearest-swap"
	ConditionalShuffle = "conditional-shuffle"
	FullShuffle        = "full-shuffle"
)

// Method draws the donors inside one stratum. Every method obeys the same
// contract (TestMethodContract): donors lie in the stratum and obey the scope,
// the draw is a bijection, and it depends on the stream alone.
type Method struct {
	Name  string
	About string // one sentence with its source
	// Pairs says that partners exchange: whose donor I am is my donor.
	Pairs bool
	// ByColumn says that every column has a draw of its own, because the draw
	// looks at its values.
	ByColumn bool
	// Together says that the draws of all columns share a stream: the columns
	// keep their relation with each other.
	Together bool
	// Persons says that the method can move all years of a worker.
	Persons bool

	validate func(o Options, f *frame.Frame) error
	prepare  func(ctx context.Context, e *engine, cols []string) (drawer, error)
}

// drawer draws the donors of the units 0 … n-1 of a stratum.
type drawer func(g *stratum, s *rng.Stream) drawn

// methods is the one list of methods. Adding one is adding a file and a line.
var methods = []Method{
	{
		Name: RandomSwap, Pairs: true, Persons: true, prepare: fixed(randomPairs),
		About: "Disjoint pairs drawn uniformly within strata exchange the bundle (Dalenius and Reiss 1982; METHODS 1.2).",
	},
	{
		Name: RankSwap, Pairs: true, ByColumn: true, validate: validateRank, prepare: prepareRank,
		About: "Values exchange places with others of about the same rank in their stratum, each column by itself (Greenberg 1987; Moore 1996; p-distribution and p-buckets: Nin, Herranz and Torra 2008; METHODS 1.3, 1.4).",
	},
	{
		Name: TargetedSwap, Pairs: true, validate: validateTargeted, prepare: prepareTargeted,
		About: "Units that are few in their region exchange the bundle with alike units of other regions, riskier ones first (targeted record swapping as in the censuses of 2021; METHODS 1.5).",
	},
	{
		Name: NearestSwap, Pairs: true, validate: validateNearest, prepare: prepareNearest,
		About: "Units drawn at random exchange the bundle with the nearest unit by some columns that is free, within a caliper, and whose value differs by at least a minimum.",
	},
	{
		Name: ConditionalShuffle, ByColumn: true, Together: true, validate: validateShuffle, prepare: prepareConditional,
		About: "Values are dealt anew in the order of a draw from their distribution given other columns, a Gaussian copula (Muralidhar and Sarathy 2006; METHODS 1.6).",
	},
	{
		Name: FullShuffle, validate: validateShuffle, prepare: fixed(shuffle),
		About: "A uniform permutation within strata: the strongest scramble that keeps them, a baseline.",
	},
}

// fixed is the preparation of a method that looks at no values.
func fixed(d drawer) func(context.Context, *engine, []string) (drawer, error) {
	return func(context.Context, *engine, []string) (drawer, error) { return d, nil }
}

// Methods returns all methods in the order of the manual.
func Methods() []Method { return slices.Clone(methods) }

func lookupMethod(name string) (Method, error) {
	if name == "" {
		name = RandomSwap
	}
	var names []string
	for _, m := range methods {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Method{}, fmt.Errorf("swap: method is %q, want one of %q", name, names)
}

// check refuses options that the method cannot take.
func (m Method) check(o Options, f *frame.Frame) error {
	switch {
	case o.Unit.overYears() && !m.Persons:
		return fmt.Errorf("swap: unit is %v, which %s cannot move: use unit %v, or method %s", o.Unit, m.Name, PersonYear, RandomSwap)
	case m.ByColumn && o.Joint && len(o.Bundle) > 1:
		return fmt.Errorf("swap: %s draws every column by itself: set joint to false, or bundle one column", m.Name)
	case m.validate == nil:
		return nil
	}
	return m.validate(o, f)
}
