package outputs

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"scramblelab/internal/frame"
)

// Statistics that tell the share of a category exactly where their variable is a
// dummy, whatever its two codes are.
var moments = []string{"mean", "sum", "sd", "variance", "skewness", "kurtosis", "gini", "correlation"}

var between = regexp.MustCompile(`\s*[,;:*~|&/]\s*|\s+(?:and|with|by|x)\s+`)

// notNumber says what keeps a moment of a variable from being judged by its n
// alone: it may be the share of a category in disguise, unless the microdata show
// more than two values, a table adds it up, or the rules answer for it.
func (c *check) notNumber(e *estimates, row int) string {
	name := strings.ToLower(text(e.f.Col("statistic"), row))
	variable := ""
	if col, ok := e.f.Lookup("variable"); ok {
		variable = text(col, row)
	}
	if _, category := c.dummies(variable); category && name != "correlation" && name != "skewness" && name != "kurtosis" && name != "gini" || !slices.Contains(moments, name) {
		return ""
	}
	names := []string{variable}
	if name == "correlation" && c.valuesIn(variable) == 0 && !c.isVariable(e, variable) {
		names = between.Split(variable, -1)
	}
	for _, v := range names {
		switch n := c.valuesIn(v); {
		case n == 1 || n == 2:
			return fmt.Sprintf("%s of %q, which takes %d values in the microdata, tells how many units have each: write it as a count of a category", name, v, n)
		case n < 0:
			return fmt.Sprintf("%s of %q, which is no number in the microdata", name, v)
		case n > 2 || c.isVariable(e, v):
		case v == "":
			return fmt.Sprintf("%s of what? give the file a column variable, and name those under variables that are no categories", name)
		default:
			return fmt.Sprintf("%s of %q tells a share where that has two values, and nobody says that it has more: name it under variables if it is no category, or give microdata with a column of that name", name, v)
		}
	}
	return ""
}

// valuesIn returns how many values a variable has in the microdata, up to three;
// 0 where they lack it, and -1 where it is no number.
func (c *check) valuesIn(variable string) int {
	if c.micro == nil {
		return 0
	}
	if n, ok := c.micro.values[variable]; ok {
		return n
	}
	col, ok := c.micro.f.Lookup(variable)
	if !ok {
		return 0
	}
	n := -1
	if !col.Coded() && col.Kind != frame.Date {
		n = len(c.rowsByValue(col))
	}
	if c.micro.values == nil {
		c.micro.values = map[string]int{}
	}
	c.micro.values[variable] = n
	return n
}

// rowsByValue counts the rows of each value of a column; it stops at three values.
func (c *check) rowsByValue(col frame.Column) map[float64]int {
	of := map[float64]int{}
	for i := range col.Len() {
		if v := col.Value(i); (c.micro.keep == nil || c.micro.keep[i]) && !math.IsNaN(v) {
			if of[v]++; len(of) > 2 {
				break
			}
		}
	}
	return of
}

// allAlike applies the rules of margins to a statistic that says that all of its
// units, or all but a few, or none have something.
func (c *check) allAlike(e *estimates, row int, name string, n float64) string {
	s, v := &c.rules.Rules, e.number("value", row)
	if !(n > 0) {
		return ""
	}
	variable := ""
	if col, ok := e.f.Lookup("variable"); ok {
		variable = text(col, row)
	}
	levels, category := c.dummies(variable)
	applies := func(along []string) bool {
		return len(along) == 0 || category && slices.ContainsFunc(levels, func(l level) bool { return slices.Contains(along, c.dims[l.dim].Name) })
	}
	have := v
	switch name {
	case "sd", "variance":
		if v != 0 {
			return ""
		}
		have = n // all have the same value
	case "share":
		have = math.Round(v * n)
	case "mean", "sum":
		if !category {
			return ""
		}
		if name == "mean" {
			have = math.Round(v * n)
		}
	case "count":
		if !category {
			return ""
		}
	default:
		return ""
	}
	switch {
	case s.AllInOne != nil && applies(s.AllInOne.Along) && have == n:
		return fmt.Sprintf("all-in-one-category%s: all %v are alike in %s", norm(s, s.AllInOne.Norm), n, or(variable, name))
	case s.Group != nil && applies(s.Group.Along) && have > 0 && n-have <= float64(s.Group.K):
		return fmt.Sprintf("group-disclosure%s: %v of %v are alike in %s", norm(s, s.Group.Norm), have, n, or(variable, name))
	case s.Zeros != nil && applies(s.Zeros.Along) && have == 0:
		return fmt.Sprintf("zeros%s: none of %v has %s", norm(s, s.Zeros.Norm), n, or(variable, name))
	}
	return ""
}

// plausible names numbers of estimates that cannot be.
func (c *check) plausible(e *estimates) {
	terms := e.models()
	first := map[string]int{} // row of each model that gave n
	for row := range e.rows {
		wrong := func(format string, args ...any) {
			c.fault("%s: row %d (%s): %s", e.path, row+1, e.label(row), fmt.Sprintf(format, args...))
		}
		n, dof := e.number("n", row), e.number("dof", row)
		for _, name := range []string{"n", "dof", "ties", "std.error"} {
			if v := e.number(name, row); v < 0 || math.IsInf(v, 0) {
				wrong("%s is %v, want a number that is not negative", name, v)
			}
		}
		if year := e.number("year", row); year != math.Trunc(year) && !math.IsNaN(year) || year < 1800 || year > 2200 {
			wrong("year is %v, want a year", year)
		}
		if ties := e.number("ties", row); ties > n {
			wrong("ties is %v of n %v", ties, n)
		}
		middle := "value"
		if e.spec.Kind == "regression" {
			middle = "estimate"
		}
		v := e.number(middle, row)
		if low, high := e.number("conf.low", row), e.number("conf.high", row); low > v || high < v {
			wrong("%s is %v, outside of its interval from %v to %v", middle, v, low, high)
		}
		if e.spec.Kind == "regression" {
			if p := e.number("p.value", row); p < 0 || p > 1 {
				wrong("p.value is %v, want a probability", p)
			}
			// To as many digits as are printed.
			if z, t := e.number("statistic", row), v/e.number("std.error", row); math.Abs(z-t) > 0.5+math.Abs(t)/4 && !math.IsInf(t, 0) {
				wrong("statistic is %v, want the estimate over its standard error, %.4g", z, t)
			}
			model := e.model(row)
			if k := float64(terms[model]); dof+k > n {
				wrong("dof is %v and there are %v terms, which makes %v units, and n is %v: correct one of them", dof, k, dof+k, n)
			}
			if math.IsNaN(n) {
				continue
			}
			if k, ok := first[model]; !ok {
				first[model] = row
			} else if was := e.number("n", k); was != n {
				wrong("n is %v here and %v in row %d of the same model: correct one, or give the two models two names", n, was, k+1)
			}
			continue
		}
		if q := e.number("q", row); q < 0 || q > 1 {
			wrong("q is %v, want a probability between 0 and 1", q)
		}
		low, high := math.Inf(-1), math.Inf(1)
		switch strings.ToLower(text(e.f.Col("statistic"), row)) {
		case "share", "r.squared":
			low, high = 0, 1
		case "gini":
			low, high = 0, 1
		case "correlation":
			low, high = -1, 1
		case "count", "n", "sd", "variance":
			low = 0
		}
		if v < low || v > high {
			wrong("value is %v, want a number from %v to %v", v, low, high)
		}
	}
}
