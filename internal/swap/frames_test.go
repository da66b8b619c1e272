package swap

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

var (
	levelDict = frame.MustDict("primary", "secondary", "higher", "university")
	fieldDict = frame.MustDict("arts", "health", "law", "science", "technology")
	sexDict   = frame.MustDict("f", "m")
)

// population is a small panel in canonical order: employers of 1 to most
// workers, who stay from year to year with probability 0.85.
func population(seed uint64, employers, years, most int) *frame.Frame {
	s := rng.Sim(seed).Stream(1, 0)
	names := make([]string, employers)
	for e := range names {
		names[e] = fmt.Sprintf("E%06d", e)
	}
	var employer, year, worker, level, field, sex, wage, fte, group []int32
	workers := int32(0)
	for e := range employers {
		n := 1 + int(float64(most)*s.Float64()*s.Float64()*s.Float64())
		skill := s.IntN(3)
		for range n {
			id, l, f, x := workers, int32(min(3, s.IntN(3)+s.IntN(2)*skill/2)), int32(s.IntN(5)), int32(s.IntN(2))
			workers++
			for y := range years {
				if y > 0 && s.Bool(0.15) { // replaced by somebody new
					id, l, f, x = workers, int32(min(3, s.IntN(3)+s.IntN(2)*skill/2)), int32(s.IntN(5)), int32(s.IntN(2))
					workers++
				}
				employer, year, worker = append(employer, int32(e)), append(year, int32(2010+y)), append(worker, id)
				level, field, sex = append(level, l), append(field, f), append(sex, x)
				wage = append(wage, 18000+8000*l+int32(4000*skill)+int32(s.IntN(9000)))
				fte = append(fte, int32(50+50*s.IntN(2)))
				group = append(group, int32(e%2))
			}
		}
	}
	d, err := frame.NewDict(names, nil)
	if err != nil {
		panic(err)
	}
	return linked.Canonical(frame.Must(
		frame.Codes(linked.Employer, d, employer), frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker),
		frame.Ordered(linked.Level, levelDict, level), frame.Codes(linked.Field, fieldDict, field), frame.Codes(linked.Sex, sexDict, sex),
		frame.Ints(linked.Wage, wage), frame.Fixed(linked.FTE, 2, fte), frame.Codes(linked.Group, linked.GroupDict, group),
	))
}

// drawFrame is a small frame with everything that is awkward: employers of one,
// workers with two jobs, missing values, few distinct values. Rows are in
// random order. Keys (worker, employer, year) are unique, or there is no worker.
func drawFrame(t *rapid.T, withWorker bool) *frame.Frame {
	n := rapid.IntRange(1, 40).Draw(t, "rows")
	employers := rapid.IntRange(1, 6).Draw(t, "employers")
	workers := rapid.IntRange(1, 40).Draw(t, "workers")
	code := func(name string, k int) []int32 {
		return rapid.SliceOfN(rapid.Int32Range(-1, int32(k-1)), n, n).Draw(t, name)
	}
	number := func(name string, low, high int32) []int32 {
		v := rapid.SliceOfN(rapid.Int32Range(low-1, high), n, n).Draw(t, name)
		for i := range v {
			if v[i] < low {
				v[i] = frame.NoInt
			}
		}
		return v
	}
	names := make([]string, employers)
	for i := range names {
		names[i] = fmt.Sprintf("E%d", i)
	}
	employer := rapid.SliceOfN(rapid.Int32Range(0, int32(employers-1)), n, n).Draw(t, "employer")
	year := rapid.SliceOfN(rapid.Int32Range(2010, 2012), n, n).Draw(t, "year")
	group := make([]int32, n)
	for i, e := range employer {
		group[i] = e % 2
	}
	cols := []frame.Column{
		frame.Codes(linked.Employer, frame.MustDict(names...), employer), frame.Ints(linked.Year, year),
		frame.Ordered(linked.Level, levelDict, code("level", 4)), frame.Codes(linked.Field, fieldDict, code("field", 5)),
		frame.Ints(linked.Wage, number("wage", 20, 25)), frame.Fixed(linked.FTE, 2, number("fte", 1, 2)),
		frame.Codes(linked.Group, linked.GroupDict, group),
	}
	if withWorker {
		cols = append(cols, frame.Ints(linked.Worker, rapid.SliceOfN(rapid.Int32Range(0, int32(workers)), n, n).Draw(t, "worker")))
	}
	f := frame.Must(cols...)
	if !withWorker {
		return f
	}
	seen := map[[3]int32]bool{}
	return f.Filter(func(i int) bool {
		k := [3]int32{f.Col(linked.Worker).I[i], employer[i], year[i]}
		first := !seen[k]
		seen[k] = true
		return first
	})
}

var bundles = [][]string{
	{linked.Level}, {linked.Wage}, {linked.Level, linked.Field}, {linked.Wage, linked.FTE, linked.Level}, {linked.Employer}, {linked.Employer, linked.Level},
}

func drawOptions(t *rapid.T, m Method) Options {
	o := Options{
		Method: m.Name,
		Unit:   Unit(rapid.IntRange(0, int(Spell)).Draw(t, "unit")),
		Bundle: rapid.SampledFrom(bundles).Draw(t, "bundle"),
		Joint:  rapid.Bool().Draw(t, "joint"),
		Rate:   rapid.SampledFrom([]float64{0, 0.1, 0.3, 0.5, 0.9, 1}).Draw(t, "rate"),
		Scope:  Scope(rapid.IntRange(0, 2).Draw(t, "scope")),
	}
	o.FixMissing = rapid.Bool().Draw(t, "fix missing")
	if !m.Persons {
		o.Unit %= 2
	}
	if m.ByColumn && len(o.Bundle) > 1 {
		o.Joint = false
	}
	if !m.Pairs && o.Scope == AcrossEmployers {
		o.Scope = Any
	}
	switch m.Name {
	case RankSwap:
		o.Window = rapid.SampledFrom([]float64{0.01, 0.1, 0.5, 1}).Draw(t, "window")
		o.Law = Law(rapid.IntRange(0, 2).Draw(t, "law"))
	case TargetedSwap:
		o.Hierarchy, o.Risk, o.K = []string{linked.Group, linked.Employer}, []string{linked.Level, linked.Field}, rapid.IntRange(2, 4).Draw(t, "k")
		o.Profiles = rapid.SampledFrom([][][]string{nil, {{linked.FTE}}, {{linked.FTE, linked.Level}, {linked.FTE}}}).Draw(t, "profiles")
		o.Priority = Priority(rapid.IntRange(0, 1).Draw(t, "priority"))
		if o.Scope == WithinEmployer {
			o.Scope = Any
		}
	case NearestSwap:
		o.Near = []string{rapid.SampledFrom([]string{linked.FTE, linked.Field, linked.Group}).Draw(t, "near")}
		o.Caliper = rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(t, "caliper")
		o.MinDifference = rapid.SampledFrom([]float64{0, 1}).Draw(t, "min difference")
	case ConditionalShuffle:
		o.Given = []string{linked.FTE}
	}
	for _, n := range []string{linked.Year, linked.Group, linked.Field, linked.FTE} {
		if rapid.Bool().Draw(t, "same "+n) && !slices.Contains(o.Bundle, n) || n == linked.Year && o.Bundle[0] == linked.Employer {
			o.Same = append(o.Same, n)
		}
	}
	if o.Bundle[0] == linked.Employer && o.Scope == WithinEmployer {
		o.Scope = AcrossEmployers
	}
	return o
}

var seed = rng.SecretFromSeed(7)

func must(t testing.TB, f *frame.Frame, o Options) *Result {
	t.Helper()
	r, err := Run(t.Context(), f, o, seed, 1)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
