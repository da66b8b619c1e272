package coverage

import (
	"context"
	"math"
	"slices"

	"scramblelab/internal/calibration"
	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/population"
)

// NaiveOptions returns a population made for two-way fixed effects to miss:
// nobody exits, all employers automate sooner or later, effects grow for four
// years, and sectors with large employers go first. Timing follows the sector
// alone, and nothing spills over, so that without effects they are right.
func NaiveOptions(n int, world string, seed uint64) population.Options {
	c := *calibration.Belgium()
	for k := range c.Adopt.BySize {
		c.Adopt.BySize[k] = 1
	}
	for k := range c.Exits.Hazard {
		c.Exits.Hazard[k] = 1e-5
	}
	c.Adopt.FirmEffect, c.Adopt.Growth, c.Adopt.First, c.Adopt.Last = 0, 0, 2005, 2020
	c.Sectors = slices.Clone(c.Sectors)
	for i := range c.Sectors {
		x := &c.Sectors[i]
		size := (x.Staff03 + x.Staff21) / 2 / x.Employers // against the mean
		x.Automation = max(.7, min(7, 2.8*size*size))
	}
	return alone(population.Options{Employers: n, World: world, Seed: seed, Figures: &c})
}

// alone takes out what events do to suppliers and competitors.
func alone(o population.Options) population.Options {
	c := *o.Figures
	c.Worlds.Planted = slices.Clone(c.Worlds.Planted)
	for i := range c.Worlds.Planted {
		c.Worlds.Planted[i].Rival = 0
	}
	o.Suppliers, o.Figures = "none", &c
	return o
}

// Naive estimates one effect for all years after the event from employers that
// automate and were there from the start, by least squares of log head counts on employer effects and effects
// of the year by size class at the start, and returns it with the mean effect
// on these very employers and years.
func Naive(ctx context.Context, o population.Options) (c estimate.Coefficient, truth float64, err error) {
	h, err := population.DrawHeadCounts(ctx, o)
	if err != nil {
		return c, 0, err
	}
	s := estimate.Spec{X: make([][]float64, 1), Names: []string{"automated"}, Absorb: make([][]int32, 2)}
	start, entered, rows := int32(0), int32(0), 0
	for i, e := range h.Employer {
		if i == 0 || h.Employer[i-1] != e {
			start, entered = linked.SizeCode(h.Staff[i]), h.Year[i]
		}
		g := h.Event[e]
		if g == frame.NoInt || entered > int32(h.Options.From) { // entrants grow fast whatever they do
			continue
		}
		after := 0.0
		if h.Year[i] >= g {
			after = 1
			truth += math.Log(float64(h.OwnOnly[i]) / float64(h.Without[i]))
			rows++
		}
		s.Y, s.X[0] = append(s.Y, math.Log(float64(h.Staff[i]))), append(s.X[0], after)
		s.Absorb[0] = append(s.Absorb[0], e)
		s.Absorb[1] = append(s.Absorb[1], start*10000+h.Year[i])
	}
	s.Cluster = s.Absorb[0]
	f, err := estimate.OLS(ctx, s)
	if err != nil {
		return c, 0, err
	}
	c, _ = f.Get("automated")
	return c, truth / float64(rows), nil
}
