package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"scramblelab/internal/linked"
	"scramblelab/internal/strictyaml"
)

func (c *checker) steps() {
	for i, s := range c.plan.Scramble.Steps {
		path := fmt.Sprintf("scramble.steps[%d]", i)
		if s.Method == "" {
			c.fail(path, "steps[%d] has no method, want %s", i, strings.Join(methods, ", "))
			continue
		}
		if !c.oneOf(path+".method", s.Method, methods) {
			continue
		}
		c.stepKeys(path, s)
		switch s.Method {
		case RandomSwap, RankSwap, TargetedSwap, NearestSwap, ConditionalShuffle, FullShuffle:
			c.permutation(path, s)
			c.first(path, i)
		case SampleWorkers, SampleEmployers:
			c.rate(path, s.Rate)
			if s.Rate == 0 && c.given(path+".rate", true) {
				c.fail(path+".rate", "rate is 0, and nobody would be left: want the share of %s kept", strings.TrimPrefix(s.Method, "sample-"))
			}
			if s.Method == SampleEmployers && c.plan.Release.Unit == "worker" {
				c.fail(path+".method", "sample-employers leaves out employers, and release.unit is worker: use sample-workers, or unit employer or employer-year")
			}
		case Recode:
			c.recode(path, i, s)
		case CoarsenCounts:
			c.countClasses(path+".classes", s.Classes)
		case MergeSmallEmployers:
			c.atLeast(path+".minimum", s.Minimum, 2)
			c.columns(path+".by", s.By, mergeBy)
			if c.plan.Release.Unit == "worker" {
				c.fail(path+".method", "merge-small-employers merges employers, and release.unit is worker, which draws single jobs: use unit employer or employer-year, or take the step out")
			}
		case TopCode, Noise, PRAM, Microaggregate:
			c.valueStep(path, s)
		case JitterCounts, RoundCounts, SuppressCells:
			c.countStep(path, i, s)
		case FreshSerials:
			if !c.plan.has(linked.Year) {
				c.fail(path, "fresh-serials draws a serial for every year, and the data have no year: take the step out")
			}
		}
	}
}

// stepKeys refuses keys that the method would silently ignore.
func (c *checker) stepKeys(path string, s Step) {
	for _, k := range []struct {
		key string
		set bool
	}{
		{"unit", s.Unit != ""}, {"bundle", s.Bundle != nil}, {"joint", s.Joint != nil}, {"rate", s.Rate != 0},
		{"same", s.Same != nil}, {"scope", s.Scope != ""}, {"classes", s.Classes != nil},
		{"minimum", s.Minimum != 0}, {"by", s.By != nil}, {"missing", s.Missing != ""}, {"window", s.Window != 0}, {"law", s.Law != ""},
		{"hierarchy", s.Hierarchy != nil}, {"risk", s.Risk != nil}, {"k", s.K != 0}, {"profiles", s.Profiles != nil}, {"priority", s.Priority != ""},
		{"near", s.Near != nil}, {"caliper", s.Caliper != 0}, {"min_difference", s.MinDifference != 0}, {"given", s.Given != nil},
		{"column", s.Column != ""}, {"above", s.Above != 0}, {"below", s.Below != 0}, {"replace", s.Replace != ""}, {"sd", s.SD != 0}, {"kind", s.Kind != ""},
		{"zero_sum", s.ZeroSum}, {"least", s.Least != 0}, {"most", s.Most != 0}, {"stay", s.Stay != 0}, {"alpha", s.Alpha != 0}, {"columns", s.Columns != nil},
		{"file", s.File != ""}, {"depth", s.Depth != 0}, {"variance", s.Variance != 0}, {"reach", s.Reach != 0}, {"base", s.Base != 0}, {"rounding", s.Rounding != ""},
	} {
		if takes := methodKeys[s.Method]; !slices.Contains(takes, k.key) && c.given(path+"."+k.key, k.set) {
			what := "no other key"
			if len(takes) > 0 {
				what = strings.Join(takes, ", ")
			}
			c.fail(path+"."+k.key, "%s takes no %s: it takes %s", s.Method, k.key, what)
		}
	}
}

func (c *checker) rate(path string, rate float64) {
	switch {
	case c.given(path, true) && !c.given(path+".rate", true): // a default step has its rate
		c.fail(path, "rate is missing, want a share in [0, 1]")
	case !(rate >= 0 && rate <= 1):
		c.fail(path+".rate", "rate is %v, want a share in [0, 1]", rate)
	}
}

// permutation checks the keys that all permutations share, and then those of
// the method.
func (c *checker) permutation(path string, s Step) {
	c.rate(path, s.Rate)
	if c.oneOf(path+".unit", s.Unit, swapUnits) && (s.Unit == "person" || s.Unit == "spell") {
		switch {
		case !c.plan.has(linked.Worker):
			c.fail(path+".unit", "unit is %s, and the data do not tell workers apart: use row, or map a column (role: worker)", s.Unit)
		case s.Method != RandomSwap:
			c.fail(path+".unit", "unit is %s, which only %s can move: use row or person-year", s.Unit, RandomSwap)
		}
	}
	if s.Missing != "" {
		c.oneOf(path+".missing", s.Missing, missing)
	}
	if len(s.Bundle) == 0 {
		c.fail(path+".bundle", "bundle is empty: name the attributes exchanged, such as [level, field]")
	}
	if s.Unit == EmployerRegion {
		c.firmwise(path, s)
	} else {
		c.columns(path+".bundle", s.Bundle, bundles)
	}
	if slices.Contains(s.Bundle, linked.Employer) {
		switch {
		case s.Scope == "within-employer":
			c.fail(path+".scope", "bundle holds employer: partners within an employer exchange nothing")
		case s.Unit != "person" && s.Unit != "spell" && c.plan.has(linked.Year) && !slices.Contains(s.Same, linked.Year):
			c.fail(path+".bundle", "bundle holds employer without year in same: workers would land in years without that employer; add year to same")
		}
	}
	c.columns(path+".same", s.Same, categories)
	for i, name := range s.Same {
		at := fmt.Sprintf("%s.same[%d]", path, i)
		switch {
		case slices.Contains(s.Bundle, name):
			c.fail(at, "%s stands in same and in bundle: partners who agree on it exchange nothing", name)
		case name == linked.Employer && s.Scope == "across-employers":
			c.fail(at, "partners cannot have the same employer with scope across-employers")
		}
	}
	c.oneOf(path+".scope", s.Scope, scopes)
	switch s.Method {
	case RankSwap:
		if s.Unit != EmployerRegion {
			c.columns(path+".bundle", s.Bundle, ranked)
		}
		if !(s.Window > 0 && s.Window <= 1) {
			c.fail(path+".window", "window is %v, want a share of the ranks in (0, 1], such as 0.05", s.Window)
		}
		c.oneOf(path+".law", s.Law, laws)
		c.inOrder(path+".bundle", s.Bundle)
	case TargetedSwap:
		c.targeted(path, s)
	case NearestSwap:
		c.listed(path+".near", s.Near, alike, "the columns by which partners are alike, such as [age, wage]")
		c.apart(path+".near", s.Near, s.Bundle)
		if !(s.Caliper >= 0 && s.Caliper <= 1) {
			c.fail(path+".caliper", "caliper is %v, want a mean distance in [0, 1], 0 for none", s.Caliper)
		}
		if !(s.MinDifference >= 0 && s.MinDifference <= maxBound) {
			c.fail(path+".min_difference", "min_difference is %v, want at least 0", s.MinDifference)
		}
	case ConditionalShuffle:
		if s.Unit != EmployerRegion {
			c.columns(path+".bundle", s.Bundle, ranked)
		}
		c.listed(path+".given", s.Given, ranked, "the columns whose relation with the bundle is kept, such as [age, fte]")
		c.apart(path+".given", s.Given, s.Bundle)
		c.inOrder(path+".bundle", s.Bundle)
		c.inOrder(path+".given", s.Given)
		fallthrough
	case FullShuffle:
		if s.Scope == "across-employers" {
			c.fail(path+".scope", "%s deals values to anybody in the stratum, colleagues included: use scope any or within-employer", s.Method)
		}
	}
}

// firmwise checks a step that exchanges properties of employers.
func (c *checker) firmwise(path string, s Step) {
	if s.Method == RankSwap || s.Method == ConditionalShuffle {
		c.fail(path+".unit", "unit is %s, and %s ranks values of workers: use %s, %s, %s or %s", s.Unit, s.Method, RandomSwap, TargetedSwap, NearestSwap, FullShuffle)
		return
	}
	c.columns(path+".bundle", s.Bundle, movable)
	lists := map[string][]string{"same": s.Same, "near": s.Near, "hierarchy": s.Hierarchy, "risk": s.Risk}
	for i, p := range s.Profiles {
		lists[fmt.Sprintf("profiles[%d]", i)] = p
	}
	for _, key := range slices.Sorted(maps.Keys(lists)) {
		for i, n := range lists[key] {
			if !slices.Contains(firmwise, n) && slices.Contains(categories, n) {
				c.fail(fmt.Sprintf("%s.%s[%d]", path, key, i), "unit is %s, and %s is no property of an employer: want %s", s.Unit, n, strings.Join(firmwise, ", "))
			}
		}
	}
	if s.Scope == "within-employer" {
		c.fail(path+".scope", "unit is %s, and no two of them are of one employer: use scope any", s.Unit)
	}
}

// recode checks a step that makes codes broader. Everything else works on the
// broader codes, so it stands first.
func (c *checker) recode(path string, at int, s Step) {
	switch {
	case s.Column == "":
		c.fail(path, "recode has no column, want one of %s", strings.Join(recoded, ", "))
	case slices.Contains(amounts, s.Column) && !slices.Contains(recoded, s.Column):
		c.fail(path+".column", "recode cannot replace values of %s, want one of %s", s.Column, strings.Join(recoded, ", "))
	default:
		c.column(path+".column", s.Column, recoded)
	}
	if strings.TrimSpace(s.File) == "" {
		c.fail(path, "recode has no file: name one whose lines are code;broader;broader still")
	}
	c.atLeast(path+".depth", s.Depth, 1)
	for i, before := range c.plan.Scramble.Steps[:at] {
		switch {
		case before.Method != Recode:
			c.fail(path, "recode stands after steps[%d] (%s): everything works on the broader codes, so put it first", i, before.Method)
			return
		case before.Column == s.Column:
			c.fail(path+".column", "steps[%d] recodes %s already: keep one of them, with the depth you want", i, s.Column)
		}
	}
}

// inOrder refuses columns that have no order in the data of the plan: the levels
// of a population are kinds of diplomas, and the user's own may be categories.
func (c *checker) inOrder(path string, list []string) {
	for i, n := range list {
		column, mapped := c.plan.Place(n)
		switch at := fmt.Sprintf("%s[%d]", path, i); {
		case c.plan.Data.Jobs == "" && n == linked.Level:
			c.fail(at, "the levels of a population have no order, and this method ranks values: use another method for level")
		case mapped && c.plan.Schema[column].Role == "category":
			c.fail(at, "column %q is a category without an order, and this method ranks values: declare it ordinal (role: ordinal, order: [...]), or use another method", column)
		}
	}
}

func (c *checker) targeted(path string, s Step) {
	c.listed(path+".hierarchy", s.Hierarchy, categories, "nested regions from large to small, such as [region, sector, employer]")
	c.listed(path+".risk", s.Risk, categories, "the columns by which somebody may be singled out, such as [level, field, age]")
	for i, p := range s.Profiles {
		if len(p) == 0 && i == len(s.Profiles)-1 {
			continue // anybody
		}
		c.listed(fmt.Sprintf("%s.profiles[%d]", path, i), p, categories, "columns on which partners agree, such as [size_class, year]; only the last profile may be empty, which is anybody")
	}
	if s.K < 2 {
		c.fail(path+".k", "k is %d, want at least 2: who agrees on risk with fewer than k in a region is at risk", s.K)
	}
	c.oneOf(path+".priority", s.Priority, priorities)
	if s.Scope == "within-employer" {
		c.fail(path+".scope", "targeted-swap looks for partners in other regions: use scope any or across-employers")
	}
}

// listed checks a list of columns that may not be empty.
func (c *checker) listed(path string, list, known []string, what string) {
	if len(list) == 0 {
		c.fail(path, "%s is empty: name %s", strictyaml.LastKey(path), what)
	}
	c.columns(path, list, known)
}

// apart refuses columns that the bundle exchanges.
func (c *checker) apart(path string, list, bundle []string) {
	for i, n := range list {
		if slices.Contains(bundle, n) {
			c.fail(fmt.Sprintf("%s[%d]", path, i), "%s stands in %s and in bundle: take it out of one", n, strictyaml.LastKey(path))
		}
	}
}

func (c *checker) countClasses(path string, classes []int) {
	if len(classes) == 0 {
		c.fail(path, "classes is empty: give lower bounds of head counts, such as [1, 3, 5, 10, 20, 50]")
		return
	}
	for i, b := range classes {
		switch {
		case i == 0 && b != 1:
			c.fail(path+"[0]", "the first class starts at %d, want 1, the least head count of a cell", b)
		case i > 0 && b <= classes[i-1]:
			c.fail(fmt.Sprintf("%s[%d]", path, i), "classes are not increasing: %d comes after %d", b, classes[i-1])
		}
	}
}
