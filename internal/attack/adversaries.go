package attack

import (
	"fmt"
	"slices"

	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
)

// Adversary says what an intruder knows about employers, and how much of the
// method.
type Adversary struct {
	Name  string // part of a metric's name, [a-z0-9-]+
	Knows string // one sentence for a reader
	About string // whom he knows it of

	Columns []Known  // of the public file
	Traits  []string // firm columns that are compared
	// Delivered says that he handed these firm columns over himself and knows
	// them as they are; others recompute group and event year from the accounts.
	Delivered bool
	// Method is how much of the method the headline grants him: a constant of
	// package metric; empty means method and parameters, since only the key is
	// secret (Kerckhoffs). Other states stand beside it.
	Method string
}

// Known is a column of the public file as an adversary has it. The zero value
// of its numbers means: as filed, of everybody, of every year.
type Known struct {
	Column   string  // one of the constants Column…
	Noise    float64 // errors against those of the accounts: 0.25 is four times as exact; 0 means 1
	Coverage float64 // share of the employers of whom he knows it, drawn at random; 0 means all
	Years    int     // how many of the latest years he knows; 0 means all
	Learned  bool    // the file lacks it and he knows it from elsewhere; so far the mean age
}

func (k Known) plain() bool {
	return (k.Noise == 0 || k.Noise == 1) && (k.Coverage == 0 || k.Coverage == 1) && k.Years == 0 && !k.Learned
}

// Columns of a public file.
const (
	ColumnHead         = "head"          // staff at the closing date, on average where that is missing
	ColumnFlow         = "flow"          // entries less exits, which tie head counts of two years together
	ColumnFTE          = "fte"           // full-time equivalents
	ColumnPartTime     = "part-time"     // staff by working time
	ColumnWageBill     = "wage-bill"     // personnel cost
	ColumnEducation    = "education"     // staff by study level
	ColumnEducationFTE = "education-fte" // full-time equivalents by study level
	ColumnStatus       = "status"        // managers, employees, manual workers
	ColumnAge          = "age"           // mean age, which accounts do not tell
	ColumnSector       = "sector"        // of the public register: it colours the fields of education
)

// accounts are the columns of the annual accounts as they were filed, and the
// public register; the mean age stands in files that a plan derives.
func accounts() []Known {
	var out []Known
	for _, c := range []string{ColumnHead, ColumnFlow, ColumnFTE, ColumnPartTime, ColumnWageBill, ColumnEducation, ColumnEducationFTE, ColumnStatus, ColumnAge, ColumnSector} {
		out = append(out, Known{Column: c})
	}
	return out
}

var register = []string{linked.Sector, linked.Region}

// Adversaries is the list of presets. Adding one is adding an entry.
func Adversaries() []Adversary {
	selection := "every employer of the selection, all years as filed"
	project := slices.Concat(register, []string{linked.Group, linked.EventYear, linked.SupplierShare, linked.Size, linked.SizeClass})
	payroll := accounts()
	for i := range payroll {
		switch payroll[i].Column {
		case ColumnHead, ColumnFlow, ColumnFTE, ColumnPartTime, ColumnWageBill:
			payroll[i].Noise = 0.25
		case ColumnAge:
			payroll[i].Learned = true
		}
	}
	return []Adversary{
		{
			Name:  "outsider",
			Knows: "the public accounts of the whole selection (staff, entries and exits, working time, FTE, personnel cost, staff and FTE by study level, status, years filed), sector and region from the public register",
			About: selection, Columns: accounts(), Traits: register,
		},
		{
			Name:    "competitor",
			Knows:   "what the outsider knows, and from payroll surveys and shared customers head counts, working time and wage bill four times as exactly, the mean age within a year, and who sells to automating buyers",
			About:   selection + "; an upper bound: everybody is taken to have a competitor who knows this much",
			Columns: payroll, Traits: slices.Concat(register, []string{linked.SupplierShare}),
		},
		{
			Name:  "research-team",
			Knows: "what the outsider knows, and the firm columns that came with the project: group and event year recomputed from the accounts, supplier share and size class",
			About: selection, Columns: accounts(), Traits: project,
		},
		{
			Name:  "source-holder",
			Knows: "what the research team knows, and group and event year as they were delivered: the institution that selected the employers and has the supplier links. Only the warehouse should be able to relink",
			About: selection, Columns: accounts(), Traits: project, Delivered: true,
		},
		{
			Name:  "head-count-only",
			Knows: "the number of staff and the years with staff, and nothing else: what no exchange of attributes can take away",
			About: selection, Columns: []Known{{Column: ColumnHead}},
		},
	}
}

// Uses reports whether the adversary knows a column of the public file.
func (a Adversary) Uses(column string) bool {
	_, ok := a.column(column)
	return ok
}

func (a Adversary) column(name string) (Known, bool) {
	for _, k := range a.Columns {
		if k.Column == name {
			if k.Noise == 0 {
				k.Noise = 1
			}
			return k, true
		}
	}
	return Known{Noise: 1}, false
}

func (a Adversary) noise(column string) float64 {
	k, _ := a.column(column)
	return k.Noise
}

// same reports whether two adversaries read the same columns of the same file,
// so that they differ in firm columns only.
func (a Adversary) same(b Adversary) bool {
	return slices.Equal(a.Columns, b.Columns)
}

// Validate names the field that is out of range.
func (a Adversary) Validate() error {
	for _, k := range a.Columns {
		if !(k.Noise >= 0 && k.Noise <= 10) || !(k.Coverage >= 0 && k.Coverage <= 1) || k.Years < 0 {
			return fmt.Errorf("attack: %s knows %s with noise %v, coverage %v and years %d: want a factor in [0, 10], a share in [0, 1] and a number from 0", a.Name, k.Column, k.Noise, k.Coverage, k.Years)
		}
	}
	if a.Method != "" && !slices.Contains(Knowledge, a.Method) {
		return fmt.Errorf("attack: %s knows %q of the method, want one of %q", a.Name, a.Method, Knowledge)
	}
	return nil
}

func (a Adversary) method(asked string) string {
	switch {
	case asked != "":
		return asked
	case a.Method != "":
		return a.Method
	}
	return metric.KnowsParameters
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
