package attack

import (
	"fmt"

	"scramblelab/internal/linked"
)

// Adversary says what an intruder knows about employers.
type Adversary struct {
	Name  string // part of a metric's name, [a-z0-9-]+
	Knows string // one sentence for a reader

	Head, FTE, WageBill, Education, Age bool
	Traits                              []string // firm columns that are compared
}

// Adversaries is the list of presets. Adding one is adding an entry.
func Adversaries() []Adversary {
	return []Adversary{
		{
			Name:  "outsider",
			Knows: "the public accounts of the whole selection (staff, FTE, personnel cost, staff by study level, years filed), sector and region from the public register",
			Head:  true, FTE: true, WageBill: true, Education: true, Age: true,
			Traits: []string{linked.Sector, linked.Region},
		},
		{
			Name:  "research-team",
			Knows: "what the outsider knows, and the firm columns that came with the project: group and event year recomputed from the accounts, supplier share and size class",
			Head:  true, FTE: true, WageBill: true, Education: true, Age: true,
			Traits: []string{linked.Sector, linked.Region, linked.Group, linked.EventYear, linked.SupplierShare, linked.Size, linked.SizeClass},
		},
		{
			Name:  "head-count-only",
			Knows: "the number of staff and the years with staff, and nothing else: what no exchange of attributes can take away",
			Head:  true,
		},
	}
}

// Find returns the preset of that name.
func Find(name string) (Adversary, error) {
	var names []string
	for _, a := range Adversaries() {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Adversary{}, fmt.Errorf("attack: no adversary is called %q; there are %q", name, names)
}
