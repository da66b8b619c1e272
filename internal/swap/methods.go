package swap

import (
	"fmt"
	"slices"

	"scramblelab/internal/rng"
)

// RandomSwap pairs units at random within strata.
const RandomSwap = "random-swap"

// Method draws the partners inside one stratum. Every method obeys the same
// contract (TestMethodContract): partners lie in the stratum and obey the scope,
// and the draw depends on the stream alone.
type Method struct {
	Name  string
	About string // one sentence with its source
	// pair returns disjoint pairs of the units 0 … n-1 of a stratum.
	pair func(g *stratum, s *rng.Stream) drawn
}

// methods is the one list of methods. Adding one is adding a file and a line.
var methods = []Method{
	{RandomSwap, "Disjoint pairs drawn uniformly within strata exchange the bundle (Dalenius and Reiss 1982; METHODS 1.2).", randomPairs},
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
