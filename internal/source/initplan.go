package source

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
)

// A fragment is 3,000 records where there are enough employers to draw them
// from, else a third.
const (
	fragment    = 3000
	fragmentOf  = 3
	fewestFirms = fragment * fragmentOf
)

func (g *guesser) result() (InitResult, error) {
	schema := map[string]plan.Role{}
	var r InitResult
	for _, c := range g.columns {
		guess := g.guess[c.Name]
		schema[c.Name] = guess.Role
		r.Columns = append(r.Columns, guess)
	}
	if err := g.lacking(); err != nil {
		return InitResult{}, err
	}
	sampled, why := g.sampled()
	r.Plan = plan.For(plan.Data{Jobs: g.path, SampledWithin: sampled}, schema)
	r.Plan.Project.Purpose = "state the purpose here"
	r.Plan.Project.Recipient = plan.RecipientToName
	r.Plan.Project.LegalBasis = map[string]string{"data": "state the legal basis here"}
	records := g.records(&r.Plan)
	r.head = []string{
		"A first plan, inferred from the data. Check the schema line by line: names lie.",
		"The comments quote counts of the data: keep this file as you keep the data.",
	}
	r.above = map[string][]string{
		"project":             {"The manifest of a release quotes this."},
		"data.sampled_within": {why},
		"release.unit":        {"A record is an employer with all its workers."},
		"release.records":     {records},
		"release.count_on":    {"Every row counts: the data have no dates of hiring and leaving."},
		"release.stratify":    {"The draw is stratified by these, and its weights are released (design_weight)."},
		"release.firm_columns": {"What travels with the employer. An intruder knows it too: each column narrows the",
			"search, so leave out what the analysis does not need."},
		"release.classes":       {"Public constants; choose them from knowledge, not from these data."},
		"scramble.keep":         {"Tables of head counts that stay exact."},
		"scramble.steps":        {"One worker in five exchanges level and field with a worker of another employer."},
		"attack.public":         {"What an intruder has from public sources, here taken from the original with errors."},
		"attack.public.columns": {"head_count, fte, wage_bill and level stand in annual accounts."},
		"attack.public.noise":   {"Standard deviation of log errors."},
		"gates":                 {"A built-in policy, or a policy file."},
	}
	if r.Plan.Data.SampledWithin {
		r.above["attack.public"] = append(r.above["attack.public"], "The rows are a sample of the staff: a match on them is no match on reality.")
	}
	for _, guess := range r.Columns {
		lines := []string{guess.Why}
		if guess.Check != "" {
			lines = append(lines, "Check: "+guess.Check+".")
		}
		r.above[fmt.Sprintf("schema[%q]", guess.Column)] = lines
	}
	if err := r.Plan.Validate(); err != nil {
		return InitResult{}, fmt.Errorf("source: %s: the inferred plan does not hold, write the schema by hand: %w", g.path, err)
	}
	return r, nil
}

// records sets the number of records and says how it comes about.
func (g *guesser) records(p *plan.Plan) string {
	n := g.firms.n
	if n >= fewestFirms {
		p.Release.Records = fragment
		return fmt.Sprintf("%d employers: a fragment of %d.", n, fragment)
	}
	p.Release.Records = max(1, n/fragmentOf)
	return fmt.Sprintf("%d employers: fewer than %d, so a third, %d.", n, fewestFirms, p.Release.Records)
}

// lacking says what no column can be, and how to go on.
func (g *guesser) lacking() error {
	var missing []string
	if g.taken[linked.Employer] == "" {
		missing = append(missing, "no column tells employers apart (a name such as employer, firm, werkgever, employeur or betrieb, values that repeat, and columns constant within them)")
	}
	if g.taken[linked.Level] == "" {
		missing = append(missing, "no column is an education level (a name such as education, isced, opleiding, niveau or bildung, with 2 to 60 values)")
	}
	if len(missing) == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("source: %s: %s.", g.path, strings.Join(missing, "; and ")),
		"If the data hold them under other names, write the schema by hand, and name the columns that count:"}
	lines = append(lines, fmt.Sprintf("data: {jobs: %s}", strconv.Quote(g.path)), "schema:")
	for _, c := range g.columns {
		lines = append(lines, fmt.Sprintf("  %s: %s", strconv.Quote(c.Name), example(g.guess[c.Name].Role)))
	}
	lines = append(lines, "where one column must be {role: employer}, and one {role: ordinal, as: level, released: true}.")
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

func example(r plan.Role) string {
	parts := []string{"role: " + r.Role}
	if r.As != "" {
		parts = append(parts, "as: "+r.As)
	}
	if r.Released {
		parts = append(parts, "released: true")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// sampled guesses whether the rows are a sample of each employer's staff: from
// size labels that the numbers of rows contradict, or from weights that vary.
func (g *guesser) sampled() (bool, string) {
	if name := g.taken[linked.Size]; name != "" {
		c := g.column(name)
		off, n, example := g.contradicted(c)
		if n > 0 && off*20 > n {
			what := "employers"
			if g.taken[linked.Year] != "" {
				what = "employer-years"
			}
			return true, fmt.Sprintf("Guessed: in %d of %d %s the number of rows contradicts %s, such as %s.", off, n, what, name, example)
		}
	}
	if name := g.taken[linked.Weight]; name != "" {
		if c := g.column(name); c.distinct > 1 {
			return true, fmt.Sprintf("Guessed: the weights in %s vary, so the rows are a sample; false if whole employers were sampled with all their staff.", name)
		}
	}
	return false, ""
}

func (g *guesser) column(name string) profile {
	return g.columns[slices.IndexFunc(g.columns, func(c profile) bool { return c.Name == name })]
}

// contradicted counts the employers whose number of rows lies outside the
// bounds that their size label names.
func (g *guesser) contradicted(c profile) (off, n int, example string) {
	if !c.Coded() {
		return 0, 0, ""
	}
	counts := g.firmYear.counts()
	label := make([]int32, len(counts))
	for i, k := range g.firmYear.of {
		if k >= 0 {
			label[k] = c.I[i]
		}
	}
	for k, rows := range counts {
		low, high, ok := sizeBounds(c.Dict.Label(label[k]))
		if !ok {
			continue
		}
		n++
		if float64(rows) < low || float64(rows) > high {
			if off++; example == "" {
				example = fmt.Sprintf("%d rows at %s", rows, c.Dict.Label(label[k]))
			}
		}
	}
	return off, n, example
}

var digits = regexp.MustCompile(`[0-9]+`)

// sizeBounds reads head counts out of labels such as E10_49, 10-49, 1000+.
func sizeBounds(label string) (low, high float64, ok bool) {
	numbers := digits.FindAllString(label, -1)
	if len(numbers) == 0 || len(numbers) > 2 {
		return 0, 0, false
	}
	low, _ = strconv.ParseFloat(numbers[0], 64)
	high = math.Inf(1)
	if len(numbers) == 2 {
		high, _ = strconv.ParseFloat(numbers[1], 64)
	}
	return low, high, low <= high
}

// bySize sorts size labels by the head counts that they name.
func bySize(labels []string) []string {
	out := slices.Clone(labels)
	low := func(l string) float64 {
		v, _, _ := sizeBounds(l)
		return v
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(low(a), low(b)) })
	return out
}

// YAML writes the plan with a comment for every guess. It loads with
// [plan.Load].
func (r InitResult) YAML() []byte {
	var order []string
	for _, c := range r.Columns {
		order = append(order, c.Column)
	}
	return r.Plan.Annotated(plan.Annotations{Head: r.head, Above: r.above, Schema: order, Sections: true})
}
