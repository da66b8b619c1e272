package plan

import (
	"fmt"
	"slices"
	"strings"

	"scramblelab/internal/linked"
)

// valueStep checks the keys of a step that replaces values of single jobs.
func (c *checker) valueStep(path string, s Step) {
	known := amounts
	if s.Method == PRAM {
		known = coded
	}
	switch {
	case s.Method == Microaggregate:
		c.listed(path+".columns", s.Columns, amounts, "the numbers to be replaced by means of clusters, such as [wage, age]")
		if s.K < 2 {
			c.fail(path+".k", "k is %d, want clusters of at least 2", s.K)
		}
	case s.Column == "":
		c.fail(path, "%s has no column, want one of %s", s.Method, strings.Join(known, ", "))
	case (slices.Contains(amounts, s.Column) || slices.Contains(coded, s.Column)) && !slices.Contains(known, s.Column):
		c.fail(path+".column", "%s cannot replace values of %s, want one of %s", s.Method, s.Column, strings.Join(known, ", "))
	default:
		c.column(path+".column", s.Column, known)
	}
	c.columns(path+".by", s.By, categories)
	replaced, _ := s.ReplacesValues()
	for i, n := range s.By {
		if slices.Contains(replaced, n) {
			c.fail(fmt.Sprintf("%s.by[%d]", path, i), "by names %s, whose values are replaced: take it out", n)
		}
	}
	if slices.Contains(s.By, linked.Employer) && s.Method == Noise && s.ZeroSum && !slices.Contains(s.By, linked.Year) && c.plan.has(linked.Year) {
		c.fail(path+".by", "by names employer without year: noise that adds up to nothing over all years leaves the yearly sums noisy; add year")
	}
	amount := func(key string, v float64) {
		if !(v >= 0 && v <= maxBound) {
			c.fail(path+"."+key, "%s is %v, want a number from 0", key, v)
		}
	}
	switch s.Method {
	case TopCode:
		amount("above", s.Above)
		amount("below", s.Below)
		switch {
		case s.Above == 0 && s.Below == 0:
			c.fail(path, "top-code has no bound: give above, below or both")
		case s.Above > 0 && s.Below >= s.Above:
			c.fail(path+".below", "below is %v, want less than above, which is %v", s.Below, s.Above)
		}
		c.oneOf(path+".replace", s.Replace, replace)
	case Noise:
		if !(s.SD > 0 && s.SD <= maxBound) {
			c.fail(path+".sd", "sd is %v, want a standard deviation above 0", s.SD)
		}
		c.oneOf(path+".kind", s.Kind, kinds)
		amount("least", s.Least)
		amount("most", s.Most)
		if s.Most > 0 && s.Least >= s.Most {
			c.fail(path+".least", "least is %v, want less than most, which is %v", s.Least, s.Most)
		}
	case PRAM:
		if !(s.Stay >= 0 && s.Stay <= 1) {
			c.fail(path+".stay", "stay is %v, want a chance in [0, 1]", s.Stay)
		}
		if !(s.Alpha > 0 && s.Alpha <= 1) {
			c.fail(path+".alpha", "alpha is %v, want a weight in (0, 1]", s.Alpha)
		}
	}
}

// countStep checks the keys of a step on the head counts of cells, of which a
// plan has one.
func (c *checker) countStep(path string, at int, s Step) {
	for i, o := range c.plan.Scramble.Steps {
		if slices.Contains(onCounts, o.Method) && (i < at || i > at && o.Method == CoarsenCounts) {
			c.fail(path+".method", "%s and steps[%d] (%s) both change the head counts of cells: keep one of them", s.Method, i, o.Method)
			break
		}
	}
	switch s.Method {
	case JitterCounts:
		most := float64(s.Reach*(s.Reach+1)) / 3
		switch {
		case s.Reach < 1 || s.Reach > 20:
			c.fail(path+".reach", "reach is %d, want the largest change of a head count, from 1 to 20", s.Reach)
		case !(s.Variance > 0 && s.Variance <= most):
			c.fail(path+".variance", "variance is %v, want more than 0 and at most %.4g, which is reach·(reach+1)/3", s.Variance, most)
		}
	case RoundCounts:
		if s.Base != 3 && s.Base != 5 {
			c.fail(path+".base", "base is %d, want 3 or 5", s.Base)
		}
		c.oneOf(path+".rounding", s.Rounding, roundings)
	case SuppressCells:
		c.atLeast(path+".minimum", s.Minimum, 2)
	}
}

// first refuses a permutation behind a step that replaces values: promises are
// made and checked on a frame that permutations alone have changed.
func (c *checker) first(path string, i int) {
	for k, before := range c.plan.Scramble.Steps[:i] {
		if _, replaces := before.ReplacesValues(); replaces {
			c.fail(path, "a permutation stands after steps[%d] (%s), which replaces values: put permutations first, so that what they keep can be checked", k, before.Method)
			return
		}
	}
}
