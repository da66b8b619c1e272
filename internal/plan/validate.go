package plan

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/linked"
	"scramblelab/internal/strictyaml"
)

// A checker collects what is wrong with a plan. at holds the positions of what
// the file gave; it is nil for a plan made by a program.
type checker struct {
	plan Plan
	at   map[string]strictyaml.Position
	bad  []strictyaml.Problem
	last []strictyaml.Problem // with defaults that the file does not say: after what it says
}

func (c *checker) fail(path, format string, args ...any) {
	c.bad = append(c.bad, c.problem(path, format, args...))
}

func (c *checker) failLast(path, format string, args ...any) {
	c.last = append(c.last, c.problem(path, format, args...))
}

func (c *checker) problem(path, format string, args ...any) strictyaml.Problem {
	p := strictyaml.Problem{Path: path, Message: fmt.Sprintf(format, args...)}
	if c.at != nil {
		at := strictyaml.Place(c.at, path)
		p.Line, p.Column = at.Line, at.Column
	}
	return p
}

// given reports whether the plan says a key; set stands in for that where there
// is no file.
func (c *checker) given(path string, set bool) bool {
	if c.at == nil {
		return set
	}
	_, ok := c.at[path]
	return ok
}

func (c *checker) oneOf(path, value string, known []string) bool {
	if slices.Contains(known, value) {
		return true
	}
	c.fail(path, "%s is %q, want %s%s", strictyaml.LastKey(path), value, strings.Join(known, ", "), meant(value, known))
	return false
}

func meant(value string, known []string) string {
	if s := strictyaml.Suggest(value, known); strings.Contains(s, "did you mean") {
		return s
	}
	return ""
}

func (c *checker) atLeast(path string, value, least int) {
	if value < least {
		c.fail(path, "%s is %d, want at least %d", strictyaml.LastKey(path), value, least)
	}
}

func (c *checker) check() {
	c.project()
	c.data()
	c.schema()
	if len(c.bad) > 0 {
		return // whether a column exists is not known
	}
	c.release()
	if c.oneOf("scramble.donors", c.plan.Scramble.Donors, donors) {
		c.steps()
		c.keep()
	}
	c.attack()
	c.fidelity()
	if strings.TrimSpace(c.plan.Gates) == "" {
		c.fail("gates", "gates is empty, want ksz or a policy file")
	}
	if len(c.bad) == 0 {
		c.tune()
	}
}

func (c *checker) project() {
	p := c.plan.Project
	switch _, ok := c.plan.DestroyBy(); {
	case !ok && datePattern.MatchString(p.DestroyWhen):
		c.fail("project.destroy_when", "destroy_when %q: there is no such day", p.DestroyWhen)
	case !ok:
		c.fail("project.destroy_when", "destroy_when is %q, want a sentence that ends in a date such as 2027-12-31", p.DestroyWhen)
	}
	for path, text := range map[string]string{"project.purpose": p.Purpose, "project.recipient": p.Recipient} {
		if strings.TrimSpace(text) == "" {
			c.fail(path, "%s is empty: the manifest of a release must say it", strictyaml.LastKey(path))
		}
	}
}

func (c *checker) data() {
	d := c.plan.Data
	var sources []string
	for _, s := range []struct {
		name string
		set  bool
	}{{"generate", d.Generate != nil}, {"population", d.Population != ""}, {"jobs", d.Jobs != ""}} {
		if s.set {
			sources = append(sources, s.name)
		}
	}
	switch {
	case len(sources) == 0:
		c.fail("data", "data names no source, want generate, population or jobs")
	case len(sources) > 1:
		c.fail("data."+sources[1], "data has %s: want one source", strings.Join(sources, " and "))
	}
	if g := d.Generate; g != nil {
		c.atLeast("data.generate.employers", g.Employers, 1)
		if g.Employers > 10_000_000 {
			c.fail("data.generate.employers", "employers is %d, want at most 10000000", g.Employers)
		}
		for path, year := range map[string]int{"data.generate.from": g.From, "data.generate.to": g.To} {
			if year < 1900 || year > 2100 {
				c.fail(path, "%s is %d, want a year from 1900 to 2100", strictyaml.LastKey(path), year)
			}
		}
		if g.From > g.To {
			c.fail("data.generate.to", "from %d to %d: the years are reversed", g.From, g.To)
		}
		c.oneOf("data.generate.world", g.World, worlds)
	}
	if d.Jobs == "" {
		if len(c.plan.Schema) > 0 {
			c.fail("schema", "a schema maps the columns of data.jobs, which is not given: a population needs none")
		}
		if d.SampledWithin {
			c.fail("data.sampled_within", "sampled_within is for data.jobs: a population holds all staff")
		}
	}
}

func (c *checker) schema() {
	if c.plan.Data.Jobs == "" {
		return
	}
	taken := map[string]string{}
	// In the order of the file, so that it is the second one that is too many.
	names := slices.Sorted(maps.Keys(c.plan.Schema))
	slices.SortStableFunc(names, func(a, b string) int {
		return c.at[strictyaml.Element("schema", a)].Line - c.at[strictyaml.Element("schema", b)].Line
	})
	for _, name := range names {
		c.role(name, taken)
	}
	for _, need := range []struct{ place, why string }{
		{linked.Employer, "map the column that tells employers apart: COLUMN: {role: employer}"},
		{linked.Level, "the release counts workers by level: COLUMN: {role: ordinal, as: level, released: true}"},
	} {
		if _, ok := taken[need.place]; !ok {
			c.fail("schema", "schema has no %s: %s", need.place, need.why)
		}
	}
	if _, ok := taken[linked.Level]; ok && !c.plan.Releases(linked.Level) {
		name, _ := c.plan.Place(linked.Level)
		c.fail(strictyaml.Element("schema", name), "column %q is the level but not released: the release counts workers by level; add released: true", name)
	}
}

func (c *checker) role(name string, taken map[string]string) {
	r, path := c.plan.Schema[name], strictyaml.Element("schema", name)
	if r.Role == "" {
		c.fail(path, "column %q has no role, want %s", name, strings.Join(roles, ", "))
		return
	}
	if !c.oneOf(path+".role", r.Role, roles) {
		return
	}
	allowed := places[r.Role]
	switch {
	case allowed == nil && r.As != "":
		c.fail(path+".as", "column %q has the role %s, which has its own place: leave as out", name, r.Role)
		return
	case allowed != nil && r.As == "":
		c.fail(path, "column %q has no place: add as: %s, or write role: ignore", name, strings.Join(allowed, " | "))
		return
	case allowed != nil && !c.oneOf(path+".as", r.As, allowed):
		return
	}
	if place := r.place(); place != "" {
		if first, twice := taken[place]; twice {
			c.fail(path, "columns %q and %q are both mapped to %s: keep one and write role: ignore for the other", first, name, place)
			return
		}
		taken[place] = name
	}
	if r.Released && (r.Role == "employer" || r.Role == "worker" || r.Role == "ignore") {
		c.fail(path+".released", "column %q has the role %s, which is never released: leave released out", name, r.Role)
	}
	switch known := map[string][]string{linked.FTE: {"fraction", "percent"}, linked.Wage: {"euro"}}[r.As]; {
	case known != nil:
		c.oneOf(path+".unit", r.Unit, known)
	case r.Unit != "":
		c.fail(path+".unit", "column %q takes no unit: only fte and wage do", name)
	}
	if len(r.Order) > 0 && r.Role != "ordinal" {
		c.fail(path+".order", "column %q has the role %s, want ordinal where order is given", name, r.Role)
	}
	c.twice(path+".order", r.Order)
}

func (c *checker) twice(path string, list []string) {
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			c.fail(fmt.Sprintf("%s[%d]", path, i), "%q stands twice in %s: remove one", s, strictyaml.LastKey(path))
		}
	}
}

// columns checks a list of columns against those that may stand there and those
// that the data have.
func (c *checker) columns(path string, list, known []string) {
	c.twice(path, list)
	for i, name := range list {
		c.column(fmt.Sprintf("%s[%d]", path, i), name, known)
	}
}

func (c *checker) column(path, name string, known []string) {
	list := path
	if strings.HasSuffix(path, "]") {
		list = path[:strings.LastIndex(path, "[")]
	}
	switch {
	case !slices.Contains(known, name) && slices.Contains(categories, name):
		c.fail(path, "column %q cannot stand in %s, want %s", name, strictyaml.LastKey(list), strings.Join(known, ", "))
	case !slices.Contains(known, name):
		c.fail(path, "unknown column %q in %s%s", name, strictyaml.LastKey(list), strictyaml.Suggest(name, known))
	case c.plan.has(name):
	case name == linked.SizeClass:
		c.fail(path, "size_class is made from head counts, and the rows are a sample of them (sampled_within): take it out, or map a size class of the source (as: size)")
	case c.plan.Data.Jobs == "":
		c.fail(path, "a population has no column %q: use size_class", name)
	case name == "wage_bill":
		c.fail(path, "wage_bill needs a wage: map a column (as: wage), or take it out")
	case name == linked.Year:
		c.fail(path, "the data have no year: map a column (role: period), or take it out")
	case name == linked.SupplierShare:
		c.fail(path, "supplier_share_class comes with a population only: take it out")
	default:
		c.fail(path, "no column of the schema is mapped to %s: map one (as: %s), or take it out", name, name)
	}
}

func (c *checker) release() {
	r := c.plan.Release
	if c.oneOf("release.unit", r.Unit, units) && r.Unit == "employer-year" && !c.plan.has(linked.Year) {
		c.fail("release.unit", "unit is employer-year, and the data have no year: use employer")
	}
	c.atLeast("release.records", r.Records, 1)
	if c.oneOf("release.count_on", r.CountOn, countOn) && r.CountOn != "any" && c.plan.Data.Jobs != "" {
		c.fail("release.count_on", "count_on is %s, which needs dates of hiring and leaving that a schema cannot map: use any", r.CountOn)
	}
	c.columns("release.stratify", r.Stratify, strata)
	c.twice("release.firm_columns", r.FirmColumns)
	for i, name := range r.FirmColumns {
		path := fmt.Sprintf("release.firm_columns[%d]", i)
		switch {
		case slices.Contains(accounts, name):
			c.fail(path, "%q is refused: an exact accounts variable identifies the employer at once; use size_class", name)
		case slices.Contains(identifiers, name):
			c.fail(path, "%q is refused: it names the employer; a release carries a serial number", name)
		default:
			before := len(c.bad)
			c.column(path, name, firmColumns)
			if len(c.bad) == before && !c.plan.leaves(name) {
				from, _ := c.plan.Place(name)
				c.fail(path, "%s is column %q, which the schema does not release: add released: true there, or take it out", name, from)
			}
		}
	}
	c.class("release.classes.wage", r.Classes.Wage)
	c.class("release.classes.fte", r.Classes.FTE)
	c.class("release.classes.age", r.Classes.Age)
}

const (
	maxClasses = 10_000
	maxBound   = 1e12
)

func (c *checker) class(path string, k Class) {
	finite := func(key string, v float64) bool {
		if !(math.Abs(v) <= maxBound) {
			c.fail(path+key, "%s is %v, want a number", strictyaml.LastKey(path+key), v)
			return false
		}
		return true
	}
	if k.Quantiles != 0 {
		switch {
		case k.Width != 0 || k.From != 0 || k.Top != 0 || len(k.Bounds) > 0:
			c.fail(path+".quantiles", "%s has quantiles and a width or bounds: want one of them", strictyaml.LastKey(path))
		case k.Quantiles < 2 || k.Quantiles > 100:
			c.fail(path+".quantiles", "quantiles is %d, want from 2 to 100 classes", k.Quantiles)
		}
		return
	}
	if len(k.Bounds) > 0 {
		if k.Width != 0 || k.From != 0 || k.Top != 0 {
			c.fail(path, "%s has bounds and a width: want one of the two", strictyaml.LastKey(path))
		}
		for i, b := range k.Bounds {
			key := fmt.Sprintf(".bounds[%d]", i)
			if finite(key, b) && i > 0 && !(b > k.Bounds[i-1]) {
				c.fail(path+key, "bounds are not increasing: %v comes after %v", b, k.Bounds[i-1])
			}
		}
		return
	}
	if !finite(".width", k.Width) || !finite(".from", k.From) || !finite(".top", k.Top) {
		return
	}
	n := (k.Top - k.From) / k.Width
	switch {
	case !(k.Width > 0):
		c.fail(path+".width", "width is %v, want more than 0 (or give bounds)", k.Width)
	case !(k.Top > k.From):
		c.fail(path+".top", "top is %v, want more than from, which is %v", k.Top, k.From)
	case n > maxClasses:
		c.fail(path+".width", "width %v makes %.0f classes, want at most %d", k.Width, n, maxClasses)
	case math.Abs(n-math.Round(n)) > 1e-6:
		c.fail(path+".top", "top is %v, want a whole number of widths of %v above %v", k.Top, k.Width, k.From)
	}
}

// longestAnalysis is how many minutes a program may ask for.
const longestAnalysis = 24 * 60

func (c *checker) fidelity() {
	f := c.plan.Fidelity
	if f == nil {
		return
	}
	if f.Models != "" {
		c.oneOf("fidelity.models", f.Models, []string{"default"})
	}
	a := f.Analysis
	if a == nil {
		return
	}
	if len(a.Command) == 0 || a.Command[0] == "" {
		c.fail("fidelity.analysis.command", "command is empty, want the program and its arguments, such as [Rscript, analysis.R, \"{data}\", \"{out}\"]")
		return
	}
	for _, p := range []string{"{data}", "{out}"} {
		if !strings.Contains(strings.Join(a.Command[1:], " "), p) {
			c.fail("fidelity.analysis.command", "no argument holds %s: the program must be told where the data are and where to write", p)
		}
	}
	if !(a.Minutes >= 0 && a.Minutes <= longestAnalysis) {
		c.fail("fidelity.analysis.minutes", "minutes is %v, want from 0 (which means 10) to %d", a.Minutes, longestAnalysis)
	}
}

func (c *checker) attack() {
	for i, a := range c.plan.Adversaries {
		c.oneOf(fmt.Sprintf("adversaries[%d]", i), a, adversaries)
	}
	c.twice("adversaries", c.plan.Adversaries)
	a := c.plan.Attack
	c.columns("attack.public.columns", a.Public.Columns, publicColumns)
	if !(a.Public.Noise >= 0 && a.Public.Noise <= 2) {
		c.fail("attack.public.noise", "noise is %v, want a standard deviation of log errors in [0, 2]", a.Public.Noise)
	}
	c.atLeast("attack.targets", a.Targets, 1)
}
