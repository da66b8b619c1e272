package study

import (
	"context"
	"fmt"

	"scramblelab/internal/draw"
	"scramblelab/internal/fidelity"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// publish makes the three versions of the release tables.
func (s *scrambled) publish(ctx context.Context) (*versions, error) {
	o, err := s.publishOptions()
	if err != nil {
		return nil, err
	}
	v, err := s.publishOriginals(ctx)
	if err != nil {
		return nil, err
	}
	published := s.shown(s.drawn(s.published()))
	if v.release, err = publish.Publish(ctx, published, s.sample.Employers, o); err != nil || o.Counts == nil && o.Cells == (publish.Protection{}) {
		return v, err
	}
	o.Counts, o.Cells = nil, publish.Protection{}
	exact, err := publish.Publish(ctx, published, s.sample.Employers, o)
	if err != nil {
		return nil, err
	}
	v.counted = exact.Cells.Col(publish.Workers).I
	return v, nil
}

// publishOriginals makes the two unscrambled versions, with exact counts.
func (s *scrambled) publishOriginals(ctx context.Context) (*versions, error) {
	o, err := s.publishOptions()
	if err != nil {
		return nil, err
	}
	o.Counts, o.Cells = nil, publish.Protection{}
	v := &versions{counts31: s.plan.Release.CountOn != "any" && s.plan.Release.CountOn != "average"}
	if v.fragment, err = publish.Publish(ctx, s.shown(s.drawn(s.data)), s.sample.Employers, o); err != nil {
		return nil, err
	}
	o.Merge, o.Weight = nil, nil
	if v.population, err = publish.Publish(ctx, s.shown(s.data), nil, o); err != nil {
		return nil, err
	}
	return v, nil
}

// shown leaves out the attributes that the user's schema does not release.
func (s *scrambled) shown(d *linked.Data) *linked.Data {
	out := *d
	for _, c := range []string{linked.Field, linked.Wage, linked.FTE, linked.Age} {
		if out.Jobs.Has(c) && !s.plan.Releases(c) {
			out.Jobs = out.Jobs.Without(c)
		}
	}
	return &out
}

// drawn restricts data to the workers or employer-years that were drawn; drawn
// employers are chosen by publishing.
func (s *scrambled) drawn(d *linked.Data) *linked.Data {
	out := *d
	switch s.sample.Unit {
	case draw.UnitWorker:
		drawn := make([]bool, s.data.Jobs.Rows())
		for _, r := range s.sample.Rows {
			drawn[r] = true
		}
		row := func(i int) int32 { return int32(i) }
		if c, scrambled := d.Jobs.Lookup(jobRow); scrambled {
			row = func(i int) int32 { return c.I[i] }
		}
		out.Jobs = d.Jobs.Filter(func(i int) bool { return drawn[row(i)] })
	case draw.UnitEmployerYear:
		return s.sample.Restrict(d)
	}
	return &out
}

func (s *scrambled) publishOptions() (publish.Options, error) {
	r := s.plan.Release
	o := publish.Options{CountOn: r.CountOn, FirmColumns: r.FirmColumns, Counts: s.counts, Merge: s.merge, Weight: s.designWeight(), Cells: s.cells}
	if s.cells != (publish.Protection{}) && !s.key.IsZero() {
		o.Cells.Key = s.key.Derive("publish")
	}
	for _, c := range []struct {
		to    *publish.Classes
		from  plan.Class
		what  string
		there bool
	}{
		{&o.Wage, r.Classes.Wage, "wage", s.data.Jobs.Has(linked.Wage) && s.plan.Releases(linked.Wage)},
		{&o.FTE, r.Classes.FTE, "fte", s.data.Jobs.Has(linked.FTE) && s.plan.Releases(linked.FTE)},
		{&o.Age, r.Classes.Age, "age", s.data.Jobs.Has(linked.Age) && s.plan.Releases(linked.Age)},
	} {
		if !c.there {
			continue
		}
		var top float64
		if c.from.Quantiles > 0 {
			var err error
			if c.from.Bounds, top, err = quantiles(s.data.Jobs.Col(c.what), c.from.Quantiles); err != nil {
				return o, fmt.Errorf("release.classes.%s: %w", c.what, err)
			}
		}
		classes, err := publish.NewClasses(publish.Spec{Width: c.from.Width, From: c.from.From, Top: c.from.Top, Bounds: c.from.Bounds})
		if err != nil {
			return o, fmt.Errorf("release.classes.%s: %w", c.what, err)
		}
		if c.from.Quantiles > 0 {
			if classes, err = classes.WithTop(top); err != nil {
				return o, fmt.Errorf("release.classes.%s: %w", c.what, err)
			}
		}
		if c.what == "wage" && c.from.Top > 0 {
			// The mean above a high limit is about a quarter higher: a Pareto
			// tail with exponent 5 (and the same rule as for intervals read).
			if classes, err = classes.WithTop(1.25 * c.from.Top); err != nil {
				return o, fmt.Errorf("release.classes.wage: %w", err)
			}
		}
		*c.to = classes
	}
	return o, nil
}

// designWeight returns the weight of an employer's record.
func (s *scrambled) designWeight() func(employer, year int32) (float64, bool) {
	if s.sample.Unit == draw.UnitWorker {
		return nil // weights belong to workers, who are not in the tables
	}
	return s.sample.WeightOf
}

// input is what the fidelity measures compare.
func (v *versions) input(s *scrambled, key rng.Sim) fidelity.Input {
	in := fidelity.Input{
		Release: v.release, Fragment: v.fragment, Population: v.population, Periods: s.data.Periods,
		Bands: bands(s.data.Jobs), Swap: s.law, Key: key,
	}
	switch {
	case s.perYear:
		in.NoPanel = "the plan gives a fresh serial every year, so employers cannot be followed"
	case s.sample.Unit == draw.UnitEmployerYear:
		in.NoPanel = "the records are single employer-years, so employers cannot be followed"
	}
	if in.NoPanel == "" && s.data.Periods {
		in.Workers, in.NoWorkers = s.workers()
	}
	return in
}

// workers are the records of workers behind fragment and release, or why there are
// none to follow.
func (s *scrambled) workers() (*fidelity.Workers, string) {
	needed := []string{linked.Employer, linked.Year, linked.Worker, linked.Wage}
	for _, c := range needed {
		if !s.data.Jobs.Has(c) {
			return nil, fmt.Sprintf("the data have no %s, so nobody can be followed from one employer to another", c)
		}
	}
	if !s.plan.Releases(linked.Wage) {
		return nil, "wages are not released"
	}
	inside := make([]bool, s.data.Employers())
	for _, e := range s.sample.Employers {
		inside[e] = true
	}
	of := func(d *linked.Data) *frame.Frame {
		jobs := s.drawn(d).Jobs
		employer := jobs.Col(linked.Employer).I
		out := jobs.Select(needed...).Filter(func(i int) bool { return inside[s.unit(employer[i])] })
		if s.merge == nil {
			return out
		}
		c := out.Col(linked.Employer)
		units := make([]int32, len(c.I))
		for i, e := range c.I {
			units[i] = s.unit(e)
		}
		return out.With(frame.Codes(linked.Employer, c.Dict, units))
	}
	return &fidelity.Workers{Fragment: of(s.data), Release: of(s.published())}, ""
}

// unit is the published unit of an employer.
func (s *scrambled) unit(e int32) int32 {
	if s.merge == nil {
		return e
	}
	return s.merge[e]
}

// bands groups the levels of the Belgian codebook (L01-L15) as the literature
// does; other codebooks are cut in thirds of the staff by package fidelity.
func bands(jobs *frame.Frame) []fidelity.Band {
	c, ok := jobs.Lookup(linked.Level)
	if !ok {
		return nil
	}
	cut := []struct{ name, from, to string }{{"low", "L01", "L05"}, {"mid", "L06", "L09"}, {"high", "L10", "L15"}}
	var out []fidelity.Band
	for _, b := range cut {
		lo, okLo := c.Dict.Code(b.from)
		hi, okHi := c.Dict.Code(b.to)
		if !okLo || !okHi || lo > hi {
			return nil
		}
		band := fidelity.Band{Name: b.name}
		for code := lo; code <= hi; code++ {
			band.Codes = append(band.Codes, code)
		}
		out = append(out, band)
	}
	return out
}
