package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/linked"
)

// Kept is one entry of keep: the columns of a table of head counts, written as a
// list, or one text such as "sum(wage) by [employer, year] within 1%".
type Kept []string

// UnmarshalText takes an entry that is a text.
func (k *Kept) UnmarshalText(b []byte) error {
	*k = Kept{string(b)}
	if !k.isSum() {
		return fmt.Errorf("%q is no table: write columns as a list such as [year, level], or a sum such as sum(wage) by employer within 1%%", b)
	}
	return nil
}

func (k Kept) isSum() bool {
	return len(k) == 1 && strings.HasPrefix(k[0], "sum") && strings.ContainsAny(k[0], "( ")
}

// Sum is a sum of a number by the cells of some columns.
type Sum struct {
	Column string
	By     []string
	Within int64 // tolerance in millionths of the sum of a cell; 0 is exact
}

var sumPattern = regexp.MustCompile(`^sum\(\s*(\w+)\s*\)\s+by\s+(\w+|\[[\w\s,]*\])(?:\s+within\s+([0-9.]+)\s*%)?$`)

// Sum reads an entry that is a sum; ok is false for a table.
func (k Kept) Sum() (s Sum, ok bool, err error) {
	if !k.isSum() {
		return Sum{}, false, nil
	}
	m := sumPattern.FindStringSubmatch(strings.TrimSpace(k[0]))
	if m == nil {
		return Sum{}, true, fmt.Errorf("%q is no sum: write it as sum(wage) by employer, or sum(wage) by [employer, year] within 1%%", k[0])
	}
	s.Column = m[1]
	for _, n := range strings.Split(strings.Trim(m[2], "[]"), ",") {
		if n = strings.TrimSpace(n); n != "" {
			s.By = append(s.By, n)
		}
	}
	if len(s.By) == 0 {
		return s, true, fmt.Errorf("%q has no cells: name columns, such as by employer", k[0])
	}
	if m[3] != "" {
		percent, err := strconv.ParseFloat(m[3], 64)
		if err != nil || !(percent > 0 && percent <= 100) {
			return s, true, fmt.Errorf("%q: the tolerance is %s%%, want more than 0 and at most 100%%", k[0], m[3])
		}
		s.Within = int64(percent*1e4 + 0.5)
		if s.Within == 0 {
			return s, true, fmt.Errorf("%q: the tolerance is %s%%, want at least 0.0001%%, or none for an exact sum", k[0], m[3])
		}
	}
	return s, true, nil
}

// keepSum checks one promised sum against every step: a step keeps it exactly
// where it keeps the table of the number by the cells, and within a tolerance
// where it exchanges the number in pairs that can be taken back.
func (c *checker) keepSum(path string, k Kept) {
	s, _, err := k.Sum()
	if err != nil {
		c.fail(path, "%v", err)
		return
	}
	before := len(c.bad)
	switch {
	case !slices.Contains(amounts, s.Column):
		c.fail(path, "%q sums %s, want one of %s", k[0], s.Column, strings.Join(amounts, ", "))
	default:
		c.column(path, s.Column, amounts)
	}
	for _, n := range s.By {
		c.column(path, n, categories)
	}
	if slices.Contains(s.By, s.Column) {
		c.fail(path, "%q sums %s by itself: take it out of the cells", k[0], s.Column)
	}
	if len(c.bad) > before {
		return
	}
	table := append(slices.Clone(s.By), s.Column)
	for i, step := range c.plan.Scramble.Steps {
		trial := checker{plan: c.plan, at: c.at}
		trial.replaced(path, table, i, step)
		pairs := s.Within > 0 && slices.Contains(step.Bundle, s.Column)
		if step.Permutes() && step.Rate > 0 {
			trial.kept(path, table, i, step)
		}
		if len(trial.bad) == 0 {
			continue // exactly
		}
		if !step.Permutes() || !pairs {
			why := strings.TrimSuffix(strings.SplitN(trial.bad[0].Message, " cannot be kept: ", 2)[1], ", or take the table out")
			if step.Permutes() && slices.Contains(step.Bundle, s.Column) {
				why += ", give a tolerance (within 1%)"
			}
			c.fail(path, "%q cannot be kept: %s, or take the sum out", k[0], why)
			continue
		}
		var moved []string
		for _, n := range s.By {
			if slices.Contains(step.Bundle, n) || slices.Contains(step.Bundle, linked.Employer) && slices.Contains(linked.FirmAttributes, n) {
				moved = append(moved, n)
			}
		}
		switch {
		case len(moved) > 0:
			c.fail(path, "%q cannot be kept: steps[%d] moves %s as well as %s; take one out of its bundle, or take the sum out", k[0], i, strings.Join(moved, " and "), s.Column)
		case step.Method == FullShuffle || step.Method == ConditionalShuffle:
			c.fail(path, "%q cannot be kept: steps[%d] (%s) deals values to no pairs that could be taken back; use %s, %s or %s, or take the sum out", k[0], i, step.Method, RankSwap, NearestSwap, RandomSwap)
		case step.Unit == "person" || step.Unit == "spell":
			c.fail(path, "%q cannot be kept: steps[%d] moves a %s on a cycle, of which no pair can be taken back; use unit row or person-year, or take the sum out", k[0], i, step.Unit)
		}
	}
}
