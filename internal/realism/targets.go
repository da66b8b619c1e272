package realism

import (
	_ "embed"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"scramblelab/internal/strictyaml"
)

// builtin are the figures for Belgium, 2003-2021.
//
//go:embed targets.yaml
var builtin []byte

// Targets is a file of targets.
type Targets struct {
	Month    Month     `yaml:"month"`
	Sections []Section `yaml:"sections"`
}

// Month says how a gross monthly wage becomes the gross taxable wage of a year:
// payments per year, less the worker's own social contributions.
type Month struct {
	Payments      float64 `yaml:"payments"`      // months' wages per year, premiums included
	Contributions float64 `yaml:"contributions"` // share of the gross wage, in [0, 1)
}

// Section is a group of targets under a title.
type Section struct {
	Title   string   `yaml:"title"`
	Targets []Target `yaml:"targets"`
}

// Target is a figure that a population should show.
type Target struct {
	Name    string             `yaml:"name"`    // what it is, in words
	Measure string             `yaml:"measure"` // how it is computed
	Year    int                `yaml:"year"`    // 0 for measures that read all years
	Group   string             `yaml:"group"`   // of the measure: a sector, a size class
	Series  map[string]float64 `yaml:"series"`  // of the measure: figures by group or year
	Value   *float64           `yaml:"value"`   // the figure
	Range   []float64          `yaml:"range"`   // or its bounds
	Unit    string             `yaml:"unit"`    // % for shares; others are shown as they are
	Abs     float64            `yaml:"abs"`     // tolerance, in the unit of the value
	Rel     float64            `yaml:"rel"`     // or as a share of the value
	Status  string             `yaml:"status"`  // S, S*, D, Eh, Em, El, A, or C for rules of structure
	Source  string             `yaml:"source"`
	Frame   string             `yaml:"frame"`  // ours (default), adopted or context
	Reason  string             `yaml:"reason"` // of a miss that is known, or what the context is
	// Conflict says why a sourced figure cannot hold together with another
	// one, with the arithmetic; a miss is then shown but fails nothing.
	Conflict string `yaml:"conflict"`
	Least    int    `yaml:"least"` // employers a year below which it is not judged
}

// Frames of a target: figures of account-filing employers; of a wider Belgian
// frame, which the population takes over as its own; of another frame, which
// is shown beside and never judged.
const (
	Ours    = "ours"
	Adopted = "adopted"
	Context = "context"
)

var (
	frames   = []string{Ours, Adopted, Context}
	statuses = []string{"S", "S*", "D", "Eh", "Em", "El", "A", "C"}
)

// sourced reports whether a miss fails the check.
func (t Target) sourced() bool {
	return t.Frame != Context && t.Conflict == "" && slices.Contains([]string{"S", "S*", "D", "C"}, t.Status)
}

// bounds returns the figure as a range, equal bounds for a single value.
func (t Target) bounds() (low, high float64) {
	if t.Value != nil {
		return *t.Value, *t.Value
	}
	return t.Range[0], t.Range[1]
}

// tolerance is how far outside the range still counts as met.
func (t Target) tolerance() float64 {
	low, high := t.bounds()
	return t.Abs + t.Rel*math.Max(math.Abs(low), math.Abs(high))
}

// names returns the names of the series in order.
func (t Target) names() []string {
	out := make([]string, 0, len(t.Series))
	for k := range t.Series {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Builtin returns the text of the built-in targets, to start a file of one's
// own from.
func Builtin() []byte { return slices.Clone(builtin) }

// Default returns the built-in targets.
func Default() *Targets {
	t, err := Parse("targets.yaml", builtin)
	if err != nil {
		panic(err)
	}
	return t
}

// Parse reads a file of targets, called name in errors. The error holds
// everything that is wrong, each with line and column.
func Parse(name string, b []byte) (*Targets, error) {
	d, err := strictyaml.Parse(name, "file of targets", b)
	if err != nil {
		return nil, err
	}
	t := &Targets{}
	d.Decode(t)
	if len(d.Bad) == 0 {
		t.validate(d.Fail)
	}
	if err := d.Err(name); err != nil {
		return nil, err
	}
	for i := range t.Sections {
		for k := range t.Sections[i].Targets {
			if one := &t.Sections[i].Targets[k]; one.Frame == "" {
				one.Frame = Ours
			}
		}
	}
	return t, nil
}

// validate reports what is wrong, by path.
func (t *Targets) validate(fail func(path, format string, args ...any)) {
	if !(t.Month.Payments > 0) || !(t.Month.Contributions >= 0 && t.Month.Contributions < 1) {
		fail("month", "month is %v payments and %v contributions, want more than 0 and a share in [0, 1), such as {payments: 13.92, contributions: 0.1307}",
			t.Month.Payments, t.Month.Contributions)
	}
	if len(t.Sections) == 0 {
		fail("sections", "there are no sections: want at least one with a title and targets")
	}
	seen := map[string]bool{}
	for i, s := range t.Sections {
		at := "sections" + index(i)
		if s.Title == "" || len(s.Targets) == 0 {
			fail(at, "a section needs a title and targets")
		}
		for k, one := range s.Targets {
			one.validate(at+".targets"+index(k), fail)
			if seen[one.Name] {
				fail(at+".targets"+index(k)+".name", "two targets are named %q: say what tells them apart", one.Name)
			}
			seen[one.Name] = true
		}
	}
}

func (t Target) validate(at string, fail func(path, format string, args ...any)) {
	m, known := measureNamed(t.Measure)
	path := func(key string) string { return at + "." + key }
	switch {
	case t.Name == "":
		fail(at, "a target needs a name")
	case !known:
		fail(path("measure"), "there is no measure %q%s", t.Measure, strictyaml.Suggest(t.Measure, measureNames()))
		return
	case t.Source == "":
		fail(at, "target %q needs a source", t.Name)
	}
	if !slices.Contains(statuses, t.Status) {
		fail(path("status"), "status is %q, want one of %s", t.Status, strings.Join(statuses, ", "))
	}
	if t.Frame != "" && !slices.Contains(frames, t.Frame) {
		fail(path("frame"), "frame is %q, want one of %s", t.Frame, strings.Join(frames, ", "))
	}
	if (t.Value == nil) == (len(t.Range) == 0) || len(t.Range) != 0 && (len(t.Range) != 2 || !(t.Range[0] <= t.Range[1])) {
		fail(at, "target %q needs a value, or a range of two numbers in order", t.Name)
	} else if low, high := t.bounds(); math.IsNaN(low+high) || math.IsInf(low, 0) || math.IsInf(high, 0) {
		fail(at, "the figure of %q is not a number: write one out", t.Name)
	}
	if !(t.Abs >= 0 && t.Abs < math.Inf(1)) || !(t.Rel >= 0 && t.Rel < 10) {
		fail(at, "tolerance of %q is abs %v and rel %v, want numbers of at least 0", t.Name, t.Abs, t.Rel)
	}
	if m.pooled != (t.Year == 0) {
		if m.pooled {
			fail(path("year"), "measure %s reads all years: remove year", t.Measure)
		} else {
			fail(at, "measure %s needs a year", t.Measure)
		}
	}
	series := strings.HasPrefix(m.what, "series")
	switch {
	case series && len(t.Series) == 0:
		fail(at, "measure %s needs a series (%s)", t.Measure, m.what)
	case !series && len(t.Series) > 0:
		fail(path("series"), "measure %s takes no series: remove it", t.Measure)
	case m.what == "" && t.Group != "" || series && t.Group != "":
		fail(path("group"), "measure %s takes no group: remove it", t.Measure)
	case m.what != "" && !series && t.Group == "":
		fail(at, "measure %s needs a group (%s)", t.Measure, m.what)
	}
	if t.Least < 0 {
		fail(path("least"), "least is %d, want employers a year, at least 0", t.Least)
	}
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }
