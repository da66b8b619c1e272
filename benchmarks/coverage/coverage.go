// Package coverage asks whether the right answer is found where it is known: it
// draws many populations with planted events, estimates their effect on head
// counts as a researcher would, and counts how often the confidence interval
// holds the effect that was computed on that very population.
//
// The estimator that conditions on what is published of an employer before the
// event must cover; two-way fixed effects must miss where they are known to be
// wrong, and a test for pre-trends must reject where trends differ.
package coverage

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"scramblelab/internal/calibration"
	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/population"
)

// Sample is one population as a researcher sees it: a panel of employers with
// the covariates on which trends are parallel, and the truth.
type Sample struct {
	Panel estimate.Staggered
	Staff []int32 // head counts by row
	Truth []population.Computed
	// Employers ever seen, with an event, and clean controls.
	Ever, Treated, Clean int
}

// Options returns the population of the coverage test: n employers a year, and
// events as often as the calibration has them, times a factor, up to a share of
// .8 in a size class.
func Options(n int, world string, times float64, seed uint64) population.Options {
	c := *calibration.Belgium()
	for k, share := range c.Adopt.BySize {
		c.Adopt.BySize[k] = min(.8, times*share)
	}
	return population.Options{Employers: n, World: world, Seed: seed, Figures: &c}
}

// TrendOptions returns a population in which a test for pre-trends has power: the
// spread of growth is a third of the calibrated one, events are four times as
// frequent and do not follow growth, and nothing spills over.
func TrendOptions(n int, world string, seed uint64) population.Options {
	o := alone(Options(n, world, 4, seed))
	o.Figures.Size.GrowthSD /= 3
	o.Figures.Adopt.Growth = 0
	return o
}

// Draw draws a population without its workers and lays it out. Rows of controls
// count as clean until the first year in which somebody else's event acts on
// them: to leave out their earlier years too would select on the future.
func Draw(ctx context.Context, o population.Options) (*Sample, error) {
	h, err := population.DrawHeadCounts(ctx, o)
	if err != nil {
		return nil, err
	}
	clean := func(row int) bool {
		x := h.ExposedFrom[h.Employer[row]]
		return x == frame.NoInt || h.Year[row] < x
	}
	return layOut(h.Employer, h.Year, h.Staff, h.Event, h.Sector, clean, h.Truth.Effects), nil
}

// layOut makes a panel of rows sorted by employer and year; event and sector
// have an entry per employer.
func layOut(employer, year, staff, event, sector []int32, clean func(row int) bool, truth []population.Computed) *Sample {
	n := len(staff)
	p := estimate.Staggered{Unit: employer, Time: year, Y: make([]float64, n), Cohort: make([]int32, n), Clean: make([]bool, n)}
	s := &Sample{Staff: staff, Truth: truth, Ever: len(event)}
	for _, g := range event {
		if g != frame.NoInt {
			s.Treated++
		}
	}
	size, sectors := make([]int32, n), make([]int32, n)
	growth, cross := make([]float64, n), make([]float64, n)
	for i, heads := range staff {
		e := employer[i]
		p.Y[i] = math.Log(float64(heads))
		if p.Cohort[i] = estimate.NeverTreated; event[e] != frame.NoInt {
			p.Cohort[i] = event[e]
		}
		p.Clean[i] = clean(i)
		if last := i+1 == n || employer[i+1] != e; last && p.Clean[i] && event[e] == frame.NoInt {
			s.Clean++
		}
		size[i], sectors[i], growth[i] = linked.SizeCode(heads), sector[e], math.NaN()
		if i > 0 && employer[i-1] == e {
			growth[i] = max(-.7, min(.7, p.Y[i]-p.Y[i-1]))
		}
		cross[i] = growth[i] * p.Y[i]
	}
	p.Covariates = []estimate.Covariate{
		{Name: "size class", Codes: size}, {Name: "log size", Values: slices.Clone(p.Y)},
		{Name: "growth", Values: growth}, {Name: "growth x log size", Values: cross}, {Name: "sector", Codes: sectors},
	}
	s.Panel = p
	return s
}

// EventStudy is the estimator under test, with placebos from first on: additive
// in log head counts, every employer counting once, or the log of a ratio of
// head counts. Lagged growth, a covariate, holds the placebo of event time -2 all
// but exactly, so that it says nothing.
func (s *Sample) EventStudy(ctx context.Context, first int32, form estimate.Form) (estimate.StaggeredFit, error) {
	p := s.Panel
	if form == estimate.Ratio {
		p.Y = make([]float64, len(s.Staff))
		for i, heads := range s.Staff {
			p.Y[i] = float64(heads)
		}
	}
	return estimate.EventStudyStaggered(ctx, p, estimate.StaggeredOptions{First: first, Last: 4, Adjust: estimate.Pooled, Form: form})
}

// TrueOf is what EventStudy estimates in that form at an event time.
func (s *Sample) TrueOf(form estimate.Form, k int) (float64, error) {
	if form == estimate.Ratio {
		x, err := True(s.Truth, k, k, "ratio", "worker", "with")
		return math.Log1p(x), err
	}
	return True(s.Truth, k, k, "log", "employer", "with")
}

// True returns the effect that a comparison with the year before the event
// estimates, over event times from..through.
func True(truth []population.Computed, from, through int, form, weighting, spillovers string) (float64, error) {
	for _, c := range truth {
		if c.Group == "automating" && c.Outcome == "head count" && c.Of == "" && c.From == from && c.Through == through &&
			c.Form == form && c.Weighting == weighting && c.Spillovers == spillovers {
			return *c.SinceBase, nil
		}
	}
	return 0, fmt.Errorf("coverage: no truth at event times %d to %d for %s, %s, %s", from, through, form, weighting, spillovers)
}

// Trend tests whether placebos lie on a line through the base year: the slope in
// log points a year by generalised least squares on their covariance, and its
// standard error. It has more power against a differential trend than the joint
// test that all placebos are zero.
func Trend(f estimate.StaggeredFit) (slope, stdErr float64) {
	var at []int
	for i, c := range f.Coef {
		if c.Event < -2 && !math.IsNaN(c.StdErr) {
			at = append(at, i)
		}
	}
	n := len(at)
	// Solve V a = x by elimination; V is a small covariance matrix.
	m := make([][]float64, n)
	x := make([]float64, n)
	for i, a := range at {
		x[i] = float64(f.Coef[a].Event + 1)
		for _, b := range at {
			m[i] = append(m[i], f.Covariance[a][b])
		}
		m[i] = append(m[i], x[i])
	}
	for k := range n {
		p := k
		for i := k; i < n; i++ {
			if math.Abs(m[i][k]) > math.Abs(m[p][k]) {
				p = i
			}
		}
		m[k], m[p] = m[p], m[k]
		for i := range n {
			if i != k {
				q := m[i][k] / m[k][k]
				for j := k; j <= n; j++ {
					m[i][j] -= float64(q * m[k][j])
				}
			}
		}
	}
	information := 0.0
	for k := range n {
		a := m[k][n] / m[k][k]
		information += float64(a * x[k])
		slope += float64(a * f.Coef[at[k]].Estimate)
	}
	return slope / information, 1 / math.Sqrt(information)
}

// Observe lays a whole population out as its tables show it: head counts from
// the jobs, events as the accounts show them, which is neither all of those that
// were planted nor only those. Controls are clean as the truth has it.
func Observe(p *population.Population) (*Sample, error) {
	d, err := p.Linked()
	if err != nil {
		return nil, err
	}
	exposed := p.Employers.Col("exposed_from").I
	firms := d.Firms
	unit, year, detected, sectors := firms.Col(linked.Employer), firms.Col(linked.Year).I, firms.Col(linked.EventYear).I, firms.Col(linked.Sector).I
	heads := make(map[[2]int32]int32)
	worker, when, left := d.Jobs.Col(linked.Employer).I, d.Jobs.Col(linked.Year).I, d.Jobs.Col("left").I
	for i, e := range worker {
		if left[i] == frame.NoInt {
			heads[[2]int32{e, when[i]}]++
		}
	}
	n := unit.Dict.Len()
	event, sector, from := make([]int32, n), make([]int32, n), make([]int32, n)
	var employer, years, staff []int32
	for i, e := range unit.I {
		event[e], sector[e] = detected[i], sectors[i]
		id, err := strconv.Atoi(unit.Dict.Label(e))
		if err != nil {
			return nil, fmt.Errorf("coverage: %w", err)
		}
		from[e] = exposed[id-1]
		if k := heads[[2]int32{e, year[i]}]; k > 0 {
			employer, years, staff = append(employer, e), append(years, year[i]), append(staff, k)
		}
	}
	clean := func(row int) bool {
		x := from[employer[row]]
		return x == frame.NoInt || years[row] < x
	}
	return layOut(employer, years, staff, event, sector, clean, p.Truth.Effects), nil
}
