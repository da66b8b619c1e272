// Package truth asks what a scramble does to effects that are known: it draws many
// populations with planted events and their twins without, swaps education as the
// ready plans do, estimates the effects on composition and head counts before and
// after, and tallies bias, root mean squared error and coverage of the effects that
// were computed on each population.
//
// What the law of swapping expects of an estimate (METHODS 3.1, law 1) stands
// beside what came of it: the estimator re-run on the expectation of the swapped
// data.
package truth

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"scramblelab/benchmarks/coverage"
	"scramblelab/internal/calibration"
	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/population"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
)

// Scramble is a random swap of level and field together, across employers, on
// the jobs of a year.
type Scramble struct {
	Name string
	Rate float64
	Same []string // columns on which partners agree
}

// Scrambles are those of plans/ksz-default.yaml and plans/did-preserving.yaml.
func Scrambles() []Scramble {
	return []Scramble{
		{"ksz-default", 0.2, []string{linked.Year, linked.Group}},
		{"did-preserving", 0.2, []string{linked.Year, linked.Group, linked.EventYear}},
	}
}

// Outcome is what is explained: the share of a class of workers in the staff, or
// (Ratio) its head count, all employers together.
type Outcome struct {
	Class string // "": all staff, in logs of each employer
	Ratio bool
}

func (o Outcome) String() string {
	switch {
	case o.Class == "":
		return "log head count"
	case o.Ratio:
		return "heads " + o.Class
	}
	return "share " + o.Class
}

// Outcomes are those that are tallied.
func Outcomes() []Outcome {
	return []Outcome{{}, {"low", false}, {"technical", false}, {"masters", false}, {"low", true}, {"masters", true}}
}

// Sample is a population as a researcher sees it who knows the events, with the
// truth.
type Sample struct {
	Truth   []population.Computed
	Treated int // employers with an event
	data    *linked.Data
	classes []calibration.CellClass
	groups  map[string]calibration.Group // by level
	panel   estimate.Staggered           // rows are employer-years with staff; no outcome yet
	staff   []float64
	row     []int32 // by job: its row of the panel, -1 for those who left
}

// Draw writes a population with its twin to a new folder dir and reads it.
func Draw(ctx context.Context, dir string, o population.Options) (*Sample, error) {
	if _, err := population.GenerateTo(ctx, dir, o, population.Shard{}, population.WriteOptions{Counterfactual: true}, nil); err != nil {
		return nil, err
	}
	p, err := population.Read(ctx, dir)
	if err != nil {
		return nil, err
	}
	d, err := p.Linked()
	if err != nil {
		return nil, err
	}
	figures := o.Figures
	if figures == nil {
		figures = calibration.Belgium()
	}
	s := &Sample{Truth: p.Truth.Effects, data: d, classes: figures.Worlds.Classes, groups: map[string]calibration.Group{}}
	for _, l := range figures.Levels {
		s.groups[l.Code] = l.Group
	}
	return s, s.layOut(p)
}

// layOut makes the panel: covariates on which trends are parallel, as package
// coverage has them.
func (s *Sample) layOut(p *population.Population) error {
	jobs, firms := s.data.Jobs, s.data.Firms
	employer, year, left := jobs.Col(linked.Employer), jobs.Col(linked.Year).I, jobs.Col(linked.Left)
	type at struct{ e, year int32 }
	heads := map[at]float64{}
	for i, e := range employer.I {
		if left.Missing(i) {
			heads[at{e, year[i]}]++
		}
	}
	planted, exposed := p.Employers.Col("automation_year").I, p.Employers.Col("exposed_from").I
	t := &s.panel
	number := map[at]int32{}
	var size, sector []int32
	var logs, growth, cross []float64
	seen := map[int32]bool{}
	sectors := firms.Col(linked.Sector).I
	for i, e := range firms.Col(linked.Employer).I {
		k := at{e, firms.Col(linked.Year).I[i]}
		n := heads[k]
		if n == 0 {
			continue
		}
		id, err := strconv.Atoi(employer.Dict.Label(e))
		if err != nil {
			return fmt.Errorf("truth: %w", err)
		}
		cohort := planted[id-1]
		if cohort == frame.NoInt {
			cohort = estimate.NeverTreated
		} else if !seen[e] {
			seen[e] = true
			s.Treated++
		}
		number[k] = int32(len(s.staff))
		s.staff = append(s.staff, n)
		t.Unit, t.Time, t.Cohort = append(t.Unit, e), append(t.Time, k.year), append(t.Cohort, cohort)
		from := exposed[id-1]
		t.Clean = append(t.Clean, from == frame.NoInt || k.year < from)
		y, g := math.Log(n), math.NaN()
		if before, ok := heads[at{e, k.year - 1}]; ok {
			g = max(-.7, min(.7, y-math.Log(before)))
		}
		size, sector = append(size, linked.SizeCode(int32(n))), append(sector, sectors[i])
		logs, growth, cross = append(logs, y), append(growth, g), append(cross, g*y)
	}
	t.Covariates = []estimate.Covariate{
		{Name: "size class", Codes: size}, {Name: "log size", Values: logs},
		{Name: "growth", Values: growth}, {Name: "growth x log size", Values: cross}, {Name: "sector", Codes: sector},
	}
	s.row = make([]int32, len(employer.I))
	for i, e := range employer.I {
		if s.row[i] = -1; left.Missing(i) {
			s.row[i] = number[at{e, year[i]}]
		}
	}
	return nil
}

// Jobs are those of the population, as they are or scrambled.
func (s *Sample) Jobs(ctx context.Context, c *Scramble, key uint64) (*frame.Frame, error) {
	if c == nil {
		return s.data.Jobs, nil
	}
	jobs, err := s.joined(c.Same)
	if err != nil {
		return nil, err
	}
	r, err := swap.Run(ctx, jobs, swap.Options{Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: c.Rate, Same: c.Same, Unit: swap.PersonYear, Scope: swap.AcrossEmployers}, rng.SecretFromSeed(key), 1)
	if err != nil {
		return nil, err
	}
	return r.Frame, nil
}

// joined adds columns of employers to the jobs.
func (s *Sample) joined(names []string) (*frame.Frame, error) {
	jobs, firms := s.data.Jobs, s.data.Firms
	type at struct{ e, year int32 }
	rows := map[at]int32{}
	for i, e := range firms.Col(linked.Employer).I {
		rows[at{e, firms.Col(linked.Year).I[i]}] = int32(i)
	}
	of := make([]int32, jobs.Rows())
	for i, e := range jobs.Col(linked.Employer).I {
		of[i] = rows[at{e, jobs.Col(linked.Year).I[i]}]
	}
	for _, n := range names {
		if !jobs.Has(n) {
			c, ok := firms.Lookup(n)
			if !ok {
				return nil, fmt.Errorf("truth: no column %q", n)
			}
			jobs = jobs.With(c.Take(of))
		}
	}
	return jobs, nil
}

// class says which jobs are in a class of workers: a cell is in the first class
// that it fits.
func (s *Sample) class(jobs *frame.Frame, name string) []bool {
	level, field := jobs.Col(linked.Level), jobs.Col(linked.Field)
	fits := func(l, f int32) bool {
		for _, c := range s.classes {
			if slices.Contains(c.Groups, s.groups[level.Dict.Label(l)]) && (len(c.Fields) == 0 || f >= 0 && slices.Contains(c.Fields, field.Dict.Label(f))) {
				return c.Name == name
			}
		}
		return false
	}
	known := map[[2]int32]bool{}
	out := make([]bool, jobs.Rows())
	for i, l := range level.I {
		k := [2]int32{l, field.I[i]}
		in, ok := known[k]
		if !ok {
			in = l >= 0 && fits(l, field.I[i])
			known[k] = in
		}
		out[i] = in
	}
	return out
}

// heads counts a class of workers by row of the panel.
func (s *Sample) heads(jobs *frame.Frame, class string) []float64 {
	out := make([]float64, len(s.staff))
	for i, in := range s.class(jobs, class) {
		if in && s.row[i] >= 0 {
			out[s.row[i]]++
		}
	}
	return out
}

// expected is heads as the law of swapping expects it: share s of the staff of a
// stratum is the stratum's mix.
func (s *Sample) expected(c Scramble, class string) ([]float64, error) {
	jobs, err := s.joined(c.Same)
	if err != nil {
		return nil, err
	}
	in := s.class(jobs, class)
	type pool struct{ in, all float64 }
	type stratum [4]int32
	if len(c.Same) > len(stratum{}) {
		return nil, fmt.Errorf("truth: partners agree on %d columns, want at most %d", len(c.Same), len(stratum{}))
	}
	strata := make([][]int32, len(c.Same))
	for k, n := range c.Same {
		strata[k] = jobs.Col(n).I
	}
	pools := map[stratum]*pool{}
	of := make([]*pool, len(in))
	for i := range in {
		var h stratum
		for k, codes := range strata {
			h[k] = codes[i]
		}
		p := pools[h]
		if p == nil {
			p = &pool{}
			pools[h] = p
		}
		of[i] = p
		p.all++
		if in[i] {
			p.in++
		}
	}
	out := make([]float64, len(s.staff))
	for i, r := range s.row {
		if r >= 0 {
			own := 0.0
			if in[i] {
				own = 1
			}
			out[r] += float64((1-c.Rate)*own) + c.Rate*of[i].in/of[i].all
		}
	}
	return out, nil
}

// first and last are the event times of the event study.
const (
	first = -4
	last  = 4
)

// Study estimates the effects on an outcome whose head counts by row are given.
func (s *Sample) Study(ctx context.Context, o Outcome, heads []float64) (estimate.StaggeredFit, error) {
	p := s.panel
	p.Y = make([]float64, len(s.staff))
	form := estimate.Additive
	for i, n := range s.staff {
		switch {
		case o.Class == "":
			p.Y[i] = math.Log(n)
		case o.Ratio:
			p.Y[i], form = heads[i], estimate.Ratio
		default:
			p.Y[i] = heads[i] / n
		}
	}
	return estimate.EventStudyStaggered(ctx, p, estimate.StaggeredOptions{First: first, Last: last, Adjust: estimate.Pooled, Form: form})
}

// TrueOf is what Study estimates at an event time.
func (s *Sample) TrueOf(o Outcome, k int) (float64, error) {
	outcome, form, weighting := "share of staff", "level", "employer"
	switch {
	case o.Class == "":
		return coverage.True(s.Truth, k, k, "log", "employer", "with")
	case o.Ratio:
		outcome, form, weighting = "head count", "ratio", "worker"
	}
	for _, c := range s.Truth {
		if c.Group == "automating" && c.Outcome == outcome && c.Of == o.Class && c.From == k && c.Through == k && c.Form == form && c.Weighting == weighting && c.Spillovers == "with" && c.SinceBase != nil {
			if o.Ratio {
				return math.Log1p(*c.SinceBase), nil
			}
			return *c.SinceBase, nil
		}
	}
	return 0, fmt.Errorf("truth: nothing is known of the %s at event time %d", o, k)
}

// Estimates of one outcome and event time on the versions of a population.
type Estimates struct {
	Outcome   Outcome
	Event     int
	Truth     float64
	Original  estimate.Coefficient
	Expected  []float64              // by scramble
	Scrambled []estimate.Coefficient // by scramble
}

// Measure estimates everything on one population.
func (s *Sample) Measure(ctx context.Context, scrambles []Scramble, key uint64) ([]Estimates, error) {
	original := s.data.Jobs
	released := make([]*frame.Frame, len(scrambles))
	for k := range scrambles {
		var err error
		if released[k], err = s.Jobs(ctx, &scrambles[k], rng.Mix(key, uint64(k))); err != nil {
			return nil, err
		}
	}
	var out []Estimates
	for _, o := range Outcomes() {
		on, err := s.Study(ctx, o, s.heads(original, o.Class))
		if err != nil {
			return nil, err
		}
		from := len(out)
		for _, c := range on.Coef {
			if c.Event < 0 {
				continue
			}
			is, err := s.TrueOf(o, int(c.Event))
			if err != nil {
				return nil, err
			}
			out = append(out, Estimates{Outcome: o, Event: int(c.Event), Truth: is, Original: c.Coefficient})
		}
		if o.Class == "" { // swaps of education leave the staff as it is
			for i := from; i < len(out); i++ {
				for range scrambles {
					out[i].Expected, out[i].Scrambled = append(out[i].Expected, out[i].Original.Estimate), append(out[i].Scrambled, out[i].Original)
				}
			}
			continue
		}
		for k, c := range scrambles {
			expected, err := s.expected(c, o.Class)
			if err != nil {
				return nil, err
			}
			for j, heads := range [][]float64{expected, s.heads(released[k], o.Class)} {
				f, err := s.Study(ctx, o, heads)
				if err != nil {
					return nil, err
				}
				at := from
				for _, c := range f.Coef {
					if c.Event < 0 {
						continue
					}
					if j == 0 {
						out[at].Expected = append(out[at].Expected, c.Estimate)
					} else {
						out[at].Scrambled = append(out[at].Scrambled, c.Coefficient)
					}
					at++
				}
			}
		}
	}
	return out, nil
}
