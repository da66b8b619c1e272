package outputs

import (
	"fmt"
	"maps"
	"slices"

	"scramblelab/internal/outputs/primary"
	"scramblelab/internal/strictyaml"
)

// Rules is a rules file: what the results are, and what is asked of them.
type Rules struct {
	Project      string          `yaml:"project" jsonschema:"all outputs of a project share a ledger and one perturbation"`
	Population   string          `yaml:"population" jsonschema:"whom the results are about; results on one population, and on parts of it, are linked"`
	Accept       string          `yaml:"accept" jsonschema:"interval-safe (default), or exactly-safe to release cells whose interval could not be bounded"`
	Supervisor   string          `yaml:"supervisor" jsonschema:"who answers for what the rules file states and nothing proves, such as apart-from, not, variables, reviewed and tolerance; the report and the ledger repeat it"`
	Because      string          `yaml:"because" jsonschema:"why accept is exactly-safe"`
	Microdata    *Microdata      `yaml:"microdata" jsonschema:"the rows behind the tables, so that contributors can be counted"`
	Rules        RuleSet         `yaml:"rules"`
	Dimensions   []DimensionSpec `yaml:"dimensions"`
	Tables       []TableSpec     `yaml:"tables"`
	Estimates    []EstimateSpec  `yaml:"estimates"`
	Populations  []Population    `yaml:"populations"`
	Differencing Differencing    `yaml:"differencing"`
	Alternatives Alternatives    `yaml:"alternatives"`
}

// Microdata is the file of contributing rows.
type Microdata struct {
	File     string   `yaml:"file"`
	Employer string   `yaml:"employer" jsonschema:"column of the contributor"`
	Holding  string   `yaml:"holding" jsonschema:"column of the group that the employer belongs to; empty cells stand alone"`
	Worker   string   `yaml:"worker" jsonschema:"column of the worker; without it every row is one"`
	Weight   string   `yaml:"weight" jsonschema:"column of sampling weights"`
	Where    []Filter `yaml:"where" jsonschema:"rows that the population consists of"`
}

// Filter keeps rows whose column has one of some values.
type Filter struct {
	Column string   `yaml:"column" json:"column"`
	Is     []string `yaml:"is" json:"is"`
}

// RuleSet holds the primary rules; each is applied only if it is there.
type RuleSet struct {
	Norm         string            `yaml:"norm" jsonschema:"where the parameters come from"`
	Equality     string            `yaml:"equality" jsonschema:"on the limit: safe (handbook, default) or unsafe (ACRO, GaussSuppression)"`
	Weights      string            `yaml:"weights" jsonschema:"total (default) or repeated (tau-Argus)"`
	Frequency    *FrequencyRule    `yaml:"minimum-frequency"`
	Contributors *ContributorsRule `yaml:"contributors"`
	Dominance    []DominanceRule   `yaml:"dominance"`
	PPercent     *PPercentRule     `yaml:"p-percent"`
	PQ           *PQRule           `yaml:"pq"`
	Group        *GroupRule        `yaml:"group-disclosure"`
	AllInOne     *AllInOneRule     `yaml:"all-in-one-category"`
	Zeros        *ZerosRule        `yaml:"zeros"`
	Freedom      *FreedomRule      `yaml:"degrees-of-freedom"`
	Quantiles    *QuantilesRule    `yaml:"quantiles"`
	Extremes     *ExtremesRule     `yaml:"extremes"`
	SafetyRange  float64           `yaml:"safety-range" jsonschema:"percent of its value by which an intruder must be unsure of a magnitude that is unsafe by counts alone; default 10"`
}

// FrequencyRule is the minimum-frequency rule.
type FrequencyRule struct {
	N    int    `yaml:"n" jsonschema:"a count from 1 to n-1 is unsafe"`
	Norm string `yaml:"norm"`
}

// ContributorsRule asks for enough employers and workers.
type ContributorsRule struct {
	Employers    int     `yaml:"employers"`
	Workers      int     `yaml:"workers"`
	LargestShare float64 `yaml:"largest-share" jsonschema:"largest employer's share of the workers, a fraction"`
	Norm         string  `yaml:"norm"`
}

// DominanceRule is the (n,k) rule.
type DominanceRule struct {
	N    int     `yaml:"n"`
	K    float64 `yaml:"k" jsonschema:"percent"`
	Norm string  `yaml:"norm"`
}

// PPercentRule is the p% rule.
type PPercentRule struct {
	P    float64 `yaml:"p" jsonschema:"percent"`
	Norm string  `yaml:"norm"`
}

// PQRule is the pq rule.
type PQRule struct {
	P    float64 `yaml:"p" jsonschema:"percent"`
	Q    float64 `yaml:"q" jsonschema:"percent known beforehand"`
	Norm string  `yaml:"norm"`
}

// GroupRule is the rule of group disclosure.
type GroupRule struct {
	K     int      `yaml:"k" jsonschema:"units of a margin that may be outside a cell and still disclose it: 0 or 1"`
	Along []string `yaml:"along" jsonschema:"dimensions that tell something about a person; default all"`
	Norm  string   `yaml:"norm"`
}

// AllInOneRule refuses margins whose units are all in one category.
type AllInOneRule struct {
	Along []string `yaml:"along"`
	Norm  string   `yaml:"norm"`
}

// ZerosRule refuses empty cells of margins that are not empty.
type ZerosRule struct {
	Along []string `yaml:"along"`
	Norm  string   `yaml:"norm"`
}

// FreedomRule asks for residual degrees of freedom of a model.
type FreedomRule struct {
	N    int    `yaml:"n"`
	Norm string `yaml:"norm"`
}

// QuantilesRule asks for units at either side of a quantile.
type QuantilesRule struct {
	N    int    `yaml:"n"`
	Norm string `yaml:"norm"`
}

// ExtremesRule asks how many units share a minimum or maximum; 0 refuses them.
type ExtremesRule struct {
	N    int    `yaml:"n" jsonschema:"units that must share it; 0 refuses every minimum and maximum"`
	Norm string `yaml:"norm"`
}

// DimensionSpec is a classification that tables use.
type DimensionSpec struct {
	Name      string              `yaml:"name"`
	Column    string              `yaml:"column" jsonschema:"in the tables; default the name"`
	Microdata string              `yaml:"microdata" jsonschema:"in the microdata; default the column"`
	Total     string              `yaml:"total" jsonschema:"label of the total; default Total"`
	Groups    map[string][]string `yaml:"groups" jsonschema:"subtotals: label of the group, and what it consists of"`
	Hierarchy string              `yaml:"hierarchy" jsonschema:"or a CSV file with the columns code and parent"`
	Was       []string            `yaml:"was" jsonschema:"names that it had in earlier outputs of the project"`
	Not       []string            `yaml:"not" jsonschema:"other dimensions that it is not, though it looks like them"`
	Because   string              `yaml:"because" jsonschema:"how that is known; the report and the ledger repeat it"`
}

// Population says how a population stands to others.
type Population struct {
	Name    string   `yaml:"name"`
	Within  string   `yaml:"within" jsonschema:"the population of which every unit of this one is a part; what the two leave is derived exactly"`
	Apart   []string `yaml:"apart-from" jsonschema:"populations that are about other people, though they look alike, such as another year; not compared"`
	Because string   `yaml:"because" jsonschema:"how that is known; the report and the ledger repeat it"`
}

// TableSpec describes one table.
type TableSpec struct {
	File       string        `yaml:"file"`
	Dimensions []string      `yaml:"dimensions"`
	Measures   []MeasureSpec `yaml:"measures"`
	Population string        `yaml:"population" jsonschema:"where it differs from the file's"`
	Where      []Filter      `yaml:"where" jsonschema:"rows of the microdata that it is about; with a population of its own"`
	Tolerance  float64       `yaml:"tolerance" jsonschema:"how far a total may be from its parts, per part, because of rounding"`
	Because    string        `yaml:"because" jsonschema:"why there is a tolerance; the report and the ledger repeat it"`
}

// MeasureSpec says what a column of a table is.
type MeasureSpec struct {
	Column string `yaml:"column"`
	Is     string `yaml:"is" jsonschema:"count, sum, mean, employers, largest, second or ignore"`
	Of     string `yaml:"of" jsonschema:"what is added up or averaged: a column of the microdata; of a count, where a row stands for several units, the column with their number"`
	Over   string `yaml:"over" jsonschema:"of a mean: the column with its count"`
}

// Kinds of measures.
const (
	isCount     = "count"
	isSum       = "sum"
	isMean      = "mean"
	isEmployers = "employers"
	isLargest   = "largest"
	isSecond    = "second"
	isIgnored   = "ignore"
)

// EstimateSpec describes a tidy file of estimates.
type EstimateSpec struct {
	File string `yaml:"file"`
	Kind string `yaml:"kind" jsonschema:"regression (term, estimate, std.error, n, dof) or summary (statistic, value, n, and q for a quantile)"`

	// What links the rows with the tables on the same population.
	Population string              `yaml:"population" jsonschema:"where it differs from the file's"`
	Counts     string              `yaml:"counts" jsonschema:"what n counts: the of, else the column, of a count in the tables, or employers"`
	Dimensions []string            `yaml:"dimensions" jsonschema:"dimensions with a column in the file that says which cell a row is about"`
	Cell       map[string][]string `yaml:"cell" jsonschema:"whom all rows are about: dimension, and its categories; a dimension that is not named is not restricted"`
	Design     string              `yaml:"design" jsonschema:"of a regression: dummies (all regressors are dummies of dimensions, so that coefficients are means of cells) or other"`
	Variables  []string            `yaml:"variables" jsonschema:"variables whose means between 0 and 1 are no shares of a category"`
	Because    string              `yaml:"because" jsonschema:"how variables and design are known; the report and the ledger repeat it"`
	Reviewed   string              `yaml:"reviewed" jsonschema:"why rows that cannot be linked with the tables may leave: a supervisor's sentence, which the report and the ledger repeat"`
}

// Differencing says what is compared with what was released before.
type Differencing struct {
	N        int    `yaml:"n" jsonschema:"populations that differ by fewer units disclose them; default that of minimum-frequency, or 10"`
	Fragment string `yaml:"fragment" jsonschema:"release folder of phase one"`
}

// Alternatives are proposed beside suppression, with their loss.
type Alternatives struct {
	Base  int    `yaml:"base" jsonschema:"of rounding; default 5"`
	Noise int    `yaml:"noise" jsonschema:"largest change of a count by cell key; default 2"`
	Key   string `yaml:"key" jsonschema:"file with the project's secret; made where it does not exist"`
}

// Parse reads a rules file; name stands before the positions in errors. The
// error is a [*strictyaml.Error] that holds everything that is wrong.
func Parse(name string, b []byte) (Rules, error) {
	d, err := strictyaml.Parse(name, "rules file", b)
	if err != nil {
		return Rules{}, err
	}
	var r Rules
	d.Decode(&r)
	if len(d.Bad) == 0 {
		r.complete()
		r.validate(d.Fail)
	}
	return r, d.Err(name)
}

// complete fills in defaults.
func (r *Rules) complete() {
	set := func(s *string, to string) {
		if *s == "" {
			*s = to
		}
	}
	set(&r.Population, "all")
	set(&r.Accept, "interval-safe")
	set(&r.Rules.Equality, "safe")
	set(&r.Rules.Weights, "total")
	if r.Rules.SafetyRange == 0 {
		r.Rules.SafetyRange = 10
	}
	if r.Differencing.N == 0 {
		r.Differencing.N = 10
		if r.Rules.Frequency != nil {
			r.Differencing.N = r.Rules.Frequency.N
		}
	}
	if r.Alternatives.Base == 0 {
		r.Alternatives.Base = 5
	}
	if r.Alternatives.Noise == 0 {
		r.Alternatives.Noise = 2
	}
	for i := range r.Dimensions {
		d := &r.Dimensions[i]
		set(&d.Column, d.Name)
		set(&d.Microdata, d.Column)
		set(&d.Total, "Total")
	}
	for i := range r.Tables {
		set(&r.Tables[i].Population, r.Population)
	}
	for i := range r.Estimates {
		set(&r.Estimates[i].Population, r.Population)
	}
}

type failing func(path, format string, args ...any)

func oneOf(fail failing, path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		fail(path, "%s is %q%s", strictyaml.LastKey(path), value, strictyaml.Suggest(value, allowed))
	}
}

func (r *Rules) validate(fail failing) {
	if r.Project == "" {
		fail("", "no project: name one, such as project: automation and employment; outputs of one project are checked against each other")
	}
	oneOf(fail, "accept", r.Accept, "interval-safe", "exactly-safe")
	r.Rules.validate(fail)
	if m := r.Microdata; m != nil {
		if m.File == "" || m.Employer == "" {
			fail("microdata", "microdata want a file and the column of the employer")
		}
	}
	names := map[string]bool{}
	for i, d := range r.Dimensions {
		path := fmt.Sprintf("dimensions[%d]", i)
		switch {
		case d.Name == "":
			fail(path, "a dimension has no name")
		case names[d.Name]:
			fail(path, "dimension %q stands twice: remove one", d.Name)
		case d.Groups != nil && d.Hierarchy != "":
			fail(path, "dimension %q has groups and a hierarchy file: keep one", d.Name)
		}
		names[d.Name] = true
	}
	if len(r.Tables)+len(r.Estimates) == 0 {
		fail("", "no tables and no estimates: describe each file under tables: or estimates:")
	}
	files := map[string]bool{}
	file := func(path, name string) {
		if name == "" || files[name] {
			fail(path, "file %q is missing or described twice", name)
		}
		files[name] = true
	}
	for i := range r.Tables {
		path := fmt.Sprintf("tables[%d]", i)
		file(path, r.Tables[i].File)
		r.Tables[i].validate(fail, path, r)
	}
	for i, e := range r.Estimates {
		path := fmt.Sprintf("estimates[%d]", i)
		file(path, e.File)
		e.validate(fail, path, r)
	}
	r.validatePopulations(fail)
	if r.Differencing.N < 1 {
		fail("differencing.n", "n is %d, want at least 1", r.Differencing.N)
	}
	if r.Alternatives.Base < 2 || r.Alternatives.Noise < 1 {
		fail("alternatives", "want a base of at least 2 and a noise of at least 1")
	}
}

func (e *EstimateSpec) validate(fail failing, path string, r *Rules) {
	oneOf(fail, path+".kind", e.Kind, "regression", "summary")
	if e.Design != "" {
		oneOf(fail, path+".design", e.Design, "dummies", "other")
	}
	var known []string
	for _, d := range r.Dimensions {
		known = append(known, d.Name)
	}
	for i, d := range e.Dimensions {
		if !slices.Contains(known, d) {
			fail(fmt.Sprintf("%s.dimensions[%d]", path, i), "no dimension %q%s", d, strictyaml.Suggest(d, known))
		}
	}
	for _, d := range slices.Sorted(maps.Keys(e.Cell)) {
		switch {
		case !slices.Contains(known, d):
			fail(path+".cell", "no dimension %q%s", d, strictyaml.Suggest(d, known))
		case slices.Contains(e.Dimensions, d):
			fail(path+".cell", "dimension %q is a column as well: keep one", d)
		case len(e.Cell[d]) == 0:
			fail(path+".cell", "dimension %q has no categories", d)
		}
	}
}

func (r *Rules) validatePopulations(fail failing) {
	within := map[string]string{}
	for i, p := range r.Populations {
		path := fmt.Sprintf("populations[%d]", i)
		_, twice := within[p.Name]
		switch {
		case p.Name == "" || twice:
			fail(path, "population %q is missing or stands twice", p.Name)
		case p.Within != "" && slices.Contains(p.Apart, p.Within):
			fail(path, "population %q is within %q and apart from it", p.Name, p.Within)
		}
		within[p.Name] = p.Within
	}
	for i, p := range r.Populations {
		for up, steps := p.Within, 0; up != ""; up, steps = within[up], steps+1 {
			if up == p.Name || steps > len(r.Populations) {
				fail(fmt.Sprintf("populations[%d].within", i), "population %q is within itself", p.Name)
				break
			}
		}
	}
}

func (t *TableSpec) validate(fail failing, path string, r *Rules) {
	var known []string
	for _, d := range r.Dimensions {
		known = append(known, d.Name)
	}
	for i, d := range t.Dimensions {
		if !slices.Contains(known, d) {
			fail(fmt.Sprintf("%s.dimensions[%d]", path, i), "no dimension %q%s", d, strictyaml.Suggest(d, known))
		}
	}
	if len(t.Measures) == 0 {
		fail(path, "table %s has no measures: say what its columns are", t.File)
	}
	if t.Population == r.Population && len(t.Where) > 0 {
		fail(path+".where", "a table about some of the rows is about another population: name it under population")
	}
	if t.Tolerance < 0 {
		fail(path+".tolerance", "tolerance is %v, want at least 0", t.Tolerance)
	}
	columns, totals := map[string]string{}, 0
	for i, m := range t.Measures {
		at := fmt.Sprintf("%s.measures[%d]", path, i)
		oneOf(fail, at+".is", m.Is, isCount, isSum, isMean, isEmployers, isLargest, isSecond, isIgnored)
		if m.Column == "" || columns[m.Column] != "" {
			fail(at, "column %q is missing or stands twice", m.Column)
		}
		columns[m.Column] = m.Is
		if m.Is == isSum || m.Is == isMean {
			totals++
		}
	}
	for i, m := range t.Measures {
		if (m.Is == isLargest || m.Is == isSecond) && m.Of == "" && totals > 1 {
			fail(fmt.Sprintf("%s.measures[%d]", path, i), "column %q is the %s of which total? say so with of, there and at the sum", m.Column, m.Is)
		}
		if m.Is == isMean && m.Over != "" && columns[m.Over] != isCount {
			fail(fmt.Sprintf("%s.measures[%d].over", path, i), "over is %q, want a column that is a count", m.Over)
		}
	}
}

func (s *RuleSet) validate(fail failing) {
	oneOf(fail, "rules.equality", s.Equality, "safe", "unsafe")
	oneOf(fail, "rules.weights", s.Weights, "total", "repeated")
	check := func(path string, err error) {
		if err != nil {
			fail(path, "%v", err)
		}
	}
	if s.Frequency != nil && s.Frequency.N < 2 {
		fail("rules.minimum-frequency", "n is %d, want at least 2", s.Frequency.N)
	}
	if c := s.Contributors; c != nil && (c.Employers < 0 || c.Workers < 0 || !(c.LargestShare >= 0 && c.LargestShare < 1)) {
		fail("rules.contributors", "want employers and workers of at least 0 and a largest-share in [0, 1)")
	}
	for i, d := range s.Dominance {
		check(fmt.Sprintf("rules.dominance[%d]", i), primary.Dominance{N: d.N, K: d.K}.Validate())
	}
	if s.PPercent != nil {
		check("rules.p-percent", primary.PPercent{P: s.PPercent.P}.Validate())
	}
	if s.PQ != nil {
		check("rules.pq", primary.PPercent{P: s.PQ.P, Q: s.PQ.Q}.Validate())
	}
	if s.Group != nil && (s.Group.K < 0 || s.Group.K > 100) {
		fail("rules.group-disclosure", "k is %d, want 0 (group) or 1 (within the group)", s.Group.K)
	}
	least := func(path string, given bool, n func() int) {
		if given && n() < 0 {
			fail("rules."+path, "n is %d, want at least 0", n())
		}
	}
	least("degrees-of-freedom", s.Freedom != nil, func() int { return s.Freedom.N })
	least("quantiles", s.Quantiles != nil, func() int { return s.Quantiles.N })
	least("extremes", s.Extremes != nil, func() int { return s.Extremes.N })
	if !(s.SafetyRange > 0 && s.SafetyRange <= 100) {
		fail("rules.safety-range", "safety-range is %v, want a percentage in (0, 100]", s.SafetyRange)
	}
}

func (s *RuleSet) equality() primary.Equality {
	if s.Equality == "unsafe" {
		return primary.OnLimitUnsafe
	}
	return primary.OnLimitSafe
}

func (s *RuleSet) weighting() primary.Weighting {
	if s.Weights == "repeated" {
		return primary.Repeated
	}
	return primary.WeightedTotal
}

// depth is how many of the largest contributions the rules need.
func (s *RuleSet) depth() int {
	n := 2
	for _, d := range s.Dominance {
		n = max(n, d.N)
	}
	return n
}

// byMagnitude reports whether some rule looks at contributions to a magnitude.
func (s *RuleSet) byMagnitude() bool { return len(s.Dominance) > 0 || s.PPercent != nil || s.PQ != nil }
