package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/tabio"
)

// InitResult is a first plan for files that were never seen before.
type InitResult struct {
	Plan    plan.Plan
	Columns []Guess // in the order of the file
	above   map[string][]string
	head    []string
}

// Guess is the role that was guessed for a column.
type Guess struct {
	Column string
	Role   plan.Role
	Why    string // what the guess rests on
	Check  string // what a person should look at; may be empty
}

// Infer guesses a plan from the user's file: roles from names (English, Dutch,
// French, German), from values, and from which columns are constant within
// which. A folder is taken for a population. Where no column can be the
// employer or the level there is no plan, and the error says how to write the
// schema by hand.
//
// Every guess is to be checked by a person: names lie.
func Infer(ctx context.Context, paths []string) (InitResult, error) {
	switch len(paths) {
	case 0:
		return InitResult{}, errors.New("source: no file to infer a plan from: name one")
	case 1:
	default:
		return InitResult{}, fmt.Errorf("source: %d files: a plan takes one table of jobs with the employer's columns beside the worker's; join the files first", len(paths))
	}
	path := paths[0]
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return population(path)
	}
	raw, err := tabio.Read(ctx, path, tabio.Schema{})
	if err != nil {
		return InitResult{}, err
	}
	if raw.Rows() == 0 {
		return InitResult{}, fmt.Errorf("source: %s has a header and no rows", path)
	}
	g := guesser{path: path, rows: raw.Rows(), guess: map[string]Guess{}, taken: map[string]string{}}
	for _, c := range raw.Columns() {
		g.columns = append(g.columns, profileOf(c))
	}
	if err := ctx.Err(); err != nil {
		return InitResult{}, err
	}
	g.employer()
	g.period()
	g.workers()
	for _, place := range []string{linked.Wage, linked.FTE, linked.Level, linked.Field, linked.Sex, linked.Age, linked.Weight} {
		g.attribute(place)
	}
	for _, place := range []string{linked.Sector, linked.Region, linked.Size, linked.Group, linked.EventYear} {
		g.firm(place)
	}
	g.rest()
	return g.result()
}

func population(path string) (InitResult, error) {
	if !slices.ContainsFunc(tabio.Extensions(), func(ext string) bool {
		_, err := os.Stat(path + "/jobs" + ext)
		return err == nil
	}) {
		return InitResult{}, fmt.Errorf("source: the folder %s holds no table of jobs: name a file, or a folder written by synth population", path)
	}
	p := plan.Default()
	p.Data = plan.Data{Population: path}
	return InitResult{Plan: p, head: []string{"The built-in plan on a population."}}, nil
}

// A guesser gives every column one role and every place one column.
type guesser struct {
	path     string
	rows     int
	columns  []profile
	guess    map[string]Guess  // by column
	taken    map[string]string // column by place
	firms    partition         // rows by employer
	firmYear partition         // rows by employer and period
}

func (g *guesser) take(c profile, place string, role plan.Role, why, check string) {
	g.taken[place] = c.Name
	g.guess[c.Name] = Guess{Column: c.Name, Role: role, Why: why, Check: check}
}

// ignore notes why a column that could be meant is not used.
func (g *guesser) ignore(c profile, why string) {
	if _, done := g.guess[c.Name]; !done {
		g.guess[c.Name] = Guess{Column: c.Name, Role: plan.Role{Role: "ignore"}, Why: why}
	}
}

// best returns the columns without a role whose names fit a place, best first.
func (g *guesser) named(place string) []profile {
	var out []profile
	for _, c := range g.columns {
		if _, done := g.guess[c.Name]; !done && nameScore(c.Name, place) > 0 {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b profile) int { return nameScore(b.Name, place) - nameScore(a.Name, place) })
	return out
}

// employer looks for a column whose values repeat and within which others are
// constant.
func (g *guesser) employer() {
	const telling = 3 // columns constant within one whose name says nothing
	best, bestScore := -1, 0
	var bestOf partition
	var bestConstant []string
	for i, c := range g.columns {
		name := nameScore(c.Name, linked.Employer)
		switch {
		case c.Kind == frame.Float, c.Kind == frame.Date, c.intervals, c.distinct < 2, c.missing*100 > g.rows,
			nameScore(c.Name, linked.Worker) > name: // in a panel all is constant within a worker, the employer too
			continue
		}
		of := c.classes()
		repeated, groups := 0, 0
		for _, n := range of.counts() {
			if n > 1 {
				repeated, groups = repeated+n, groups+1
			}
		}
		if groups < 2 {
			continue
		}
		var constant []string
		for _, o := range g.columns {
			if o.Name != c.Name && o.distinct > 1 && o.distinct < c.distinct && of.varying(o.Column) == 0 {
				constant = append(constant, o.Name)
			}
		}
		if name == 0 && (len(constant) < telling || c.distinct < 10 || repeated*2 < g.rows) {
			continue
		}
		score := name + min(len(constant), 99)
		if name > 0 && len(constant) > 0 {
			score += 1000 // a name that the values bear out
		}
		if score > bestScore {
			best, bestScore, bestOf, bestConstant = i, score, of, constant
		}
	}
	if best < 0 {
		return
	}
	c := g.columns[best]
	why := fmt.Sprintf("%d values in %d rows", c.distinct, g.rows)
	if len(bestConstant) > 0 {
		why += "; constant within them: " + strings.Join(bestConstant, ", ")
	}
	g.take(c, linked.Employer, plan.Role{Role: "employer"}, why, "one value must be one employer, not one establishment or team")
	g.firms, g.firmYear = bestOf, bestOf
}

func (g *guesser) period() {
	for _, c := range g.named(linked.Year) {
		if c.Kind != frame.Int || !c.number(0, 2100) || c.distinct > 100 || c.missing > 0 {
			g.ignore(c, "named like a year, but its values are no years")
			continue
		}
		g.take(c, linked.Year, plan.Role{Role: "period"}, fmt.Sprintf("named like a year, %v to %v", c.low, c.high), "a row must be a worker's year, not a month or a quarter")
		if g.taken[linked.Employer] != "" {
			g.firmYear = g.firms.refined(c.classes())
		}
		return
	}
}

func (g *guesser) workers() {
	if g.taken[linked.Employer] == "" {
		return
	}
	for _, c := range g.named(linked.Worker) {
		switch key := g.firmYear.refined(c.classes()); {
		case c.Kind == frame.Float || c.missing > 0 || c.distinct*20 < g.rows:
			continue // a count or a weight of workers
		case key.n < g.rows:
			g.ignore(c, "named like a worker, but several rows share one worker, employer and period: add them up and write {role: worker}")
		default:
			g.take(c, linked.Worker, plan.Role{Role: "worker"}, fmt.Sprintf("named like a worker, %d values; unique within employer and period", c.distinct), "")
			return
		}
	}
}

// attribute guesses the column of an attribute of workers.
func (g *guesser) attribute(place string) {
	for _, c := range g.named(place) {
		role, check, ok := g.fits(c, place)
		if !ok {
			continue
		}
		g.take(c, place, role, g.reason(c, place), check)
		return
	}
}

func (g *guesser) reason(c profile, place string) string {
	why := fmt.Sprintf("named like %s", article[place])
	switch {
	case c.intervals:
		why += fmt.Sprintf("; %d classes, which stand for their midpoints", c.distinct)
	case c.Coded(), place == linked.Level, place == linked.Field:
		why += fmt.Sprintf("; %d values", c.distinct)
	default:
		why += fmt.Sprintf("; numbers from %.4g to %.4g", c.low, c.high)
	}
	if c.missing > 0 {
		why += fmt.Sprintf("; missing in %d rows", c.missing)
	}
	return why
}

var article = map[string]string{
	linked.Level: "an education level", linked.Field: "a field of education or an occupation", linked.Sex: "a sex", linked.Age: "an age",
	linked.Wage: "a yearly wage", linked.FTE: "a full-time equivalent", linked.Weight: "a weight", linked.Sector: "a sector",
	linked.Region: "a region", linked.Size: "a size class", linked.Group: "a study group", linked.EventYear: "the year of an event",
}

// fits says whether the values of a column can be what its name says.
func (g *guesser) fits(c profile, place string) (role plan.Role, check string, ok bool) {
	switch place {
	case linked.Wage:
		whole, _ := normalise(c.Name)
		for _, part := range notYearly {
			if strings.Contains(whole, part) {
				return role, "", false
			}
		}
		return plan.Role{Role: "number", As: place, Sensitive: true, Released: true},
			"gross taxable, euro, for the whole year; classes of 5,000 must suit it", c.number(0, 1<<31-1) && c.distinct > 20
	case linked.FTE:
		role = plan.Role{Role: "number", As: place, Released: true, Unit: "fraction"}
		if c.high > maxFTE {
			role.Unit = "percent"
		}
		return role, "1 (or 100 percent) must be full time", c.number(0, 100*maxFTE)
	case linked.Level:
		role = plan.Role{Role: "ordinal", As: place, Known: true, Released: true}
		if c.Coded() && c.distinct <= 20 {
			role.Order = c.Dict.Labels()
		}
		return role, "the order must run from low to high", c.codes(2, 60)
	case linked.Field:
		return plan.Role{Role: "category", As: place, Known: true, Released: true},
			"an occupation stands in for the field where the data have none", c.codes(2, 1000)
	case linked.Sex:
		return plan.Role{Role: "category", As: place, Known: true}, "", c.codes(2, 4)
	case linked.Age:
		if c.intervals {
			return plan.Role{Role: "ordinal", As: place, Known: true, Released: true},
				"an open or very wide outer class counts as wide as its neighbour", true
		}
		return plan.Role{Role: "number", As: place, Known: true, Released: true}, "", c.Kind == frame.Int && c.number(0, maxAge)
	}
	return plan.Role{Role: "weight"}, "must be the weight of the row, not of the employer", c.number(0, 1e12) && c.high > 0
}

// firm guesses the column of an attribute of employers, which must be constant
// within them.
func (g *guesser) firm(place string) {
	if g.taken[linked.Employer] == "" {
		return
	}
	for _, c := range g.named(place) {
		role := plan.Role{Role: "category", As: place, Known: true, Released: place != linked.Region}
		within, check := g.firms, ""
		switch place {
		case linked.Size:
			within, role.Role = g.firmYear, "ordinal"
		case linked.Region:
			check = "not released: with the sector and the size it would single out many employers"
		case linked.EventYear:
			role.Role = "number"
			if c.Kind != frame.Int || !c.number(1900, 2100) {
				continue
			}
		}
		if place != linked.EventYear && !c.codes(2, 1000) {
			continue
		}
		if place == linked.Size && !c.Coded() && c.distinct > maxSizes {
			g.ignore(c, "named like a size class, but it looks like an exact head count, which would identify the employer")
			continue
		}
		if n := within.varying(c.Column); n > 0 {
			g.ignore(c, fmt.Sprintf("named like %s, but %d employers have several values", article[place], n))
			continue
		}
		if role.Role == "ordinal" && c.Coded() && c.distinct <= 20 {
			role.Order = bySize(c.Dict.Labels())
		}
		g.take(c, place, role, g.reason(c, place)+"; constant within the employer", check)
		return
	}
}

// rest ignores what was not understood.
func (g *guesser) rest() {
	for _, c := range g.columns {
		why := "not understood from its name"
		for _, place := range []string{linked.Wage, linked.Weight, linked.Level, linked.Field, linked.FTE} {
			if other := g.taken[place]; other != "" && nameScore(c.Name, place) > 0 {
				why = fmt.Sprintf("named like %s, but %s fits better", article[place], other)
				break
			}
		}
		if c.distinct <= 1 {
			why = "the same in every row"
		}
		g.ignore(c, why)
	}
}
