package plan

import (
	"fmt"
	"slices"
	"strings"

	"scramblelab/internal/linked"
)

// keep checks that every table promised is one that the swaps can keep: a swap
// keeps a table that holds none of its bundle, and otherwise one whose other
// columns partners agree on (METHODS 1.9).
func (c *checker) keep() {
	for k, table := range c.plan.Scramble.Keep {
		path := fmt.Sprintf("scramble.keep[%d]", k)
		if table.isSum() {
			c.keepSum(path, table)
			continue
		}
		if len(table) == 0 {
			c.fail(path, "a table of no columns: name the columns that span it, such as [year, level]")
		}
		before := len(c.bad)
		c.columns(path, table, categories)
		if len(c.bad) > before {
			continue
		}
		for i, s := range c.plan.Scramble.Steps {
			if s.Permutes() && s.Rate > 0 {
				c.kept(path, table, i, s)
			}
			c.replaced(path, table, i, s)
		}
	}
}

// replaced refuses a table that holds a column whose values a step replaces.
func (c *checker) replaced(path string, table []string, i int, s Step) {
	what, remedy, fail := "", "take the table out", c.fail
	if !c.given("scramble.keep", true) {
		path, what, remedy, fail = fmt.Sprintf("scramble.steps[%d]", i), "the default keep ", "set scramble.keep: []", c.failLast
	}
	columns, _ := s.ReplacesValues()
	for _, column := range columns {
		if slices.Contains(table, column) {
			fail(path, "%s[%s] cannot be kept: steps[%d] (%s) replaces values of %s; take the step out, or %s",
				what, strings.Join(table, ", "), i, s.Method, column, remedy)
		}
	}
}

func (c *checker) kept(path string, table []string, i int, s Step) {
	what, remedy, fail := "", "take the table out", c.fail
	if !c.given("scramble.keep", true) {
		// The promise stands in no line of the file; the step that breaks it does.
		path, what, remedy = fmt.Sprintf("scramble.steps[%d]", i), "the default keep ", "set scramble.keep: []"
		fail = c.failLast
	}
	if s.Unit == EmployerRegion {
		for _, column := range table {
			if slices.Contains(s.Bundle, column) {
				fail(path, "%s[%s] cannot be kept: steps[%d] moves %s between employers with other workers; %s", what, strings.Join(table, ", "), i, column, remedy)
				return
			}
		}
	}
	var moved, missing []string
	for _, column := range table {
		switch {
		case slices.Contains(s.Bundle, column),
			slices.Contains(s.Bundle, linked.Employer) && slices.Contains(linked.FirmAttributes, column): // travels along
			moved = append(moved, column)
		case !agreed(s, column):
			missing = append(missing, column)
		}
	}
	joint := s.Together()
	switch {
	case len(moved) == 0:
	case len(missing) > 0:
		fail(path, "%s[%s] cannot be kept: steps[%d] moves %s between units that differ in %s; add that to its same, or %s",
			what, strings.Join(table, ", "), i, strings.Join(moved, ", "), strings.Join(missing, ", "), remedy)
	case len(moved) > 1 && !joint:
		fail(path, "%s[%s] cannot be kept: steps[%d] moves %s independently; use joint: true, or %s",
			what, strings.Join(table, ", "), i, strings.Join(moved, " and "), remedy)
	}
}

// agreed reports whether partners of a swap agree on a column.
func agreed(s Step, column string) bool {
	employer := s.Scope == "within-employer" || slices.Contains(s.Same, linked.Employer)
	year := s.Unit == "person" || s.Unit == "spell" || slices.Contains(s.Same, linked.Year) // persons are aligned by year
	firm := slices.Contains(linked.FirmAttributes, column)
	return slices.Contains(s.Same, column) ||
		column == linked.Employer && employer ||
		column == linked.Year && year ||
		firm && employer && year
}
