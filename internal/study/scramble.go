package study

import (
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/attack"
	"scramblelab/internal/draw"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/mask"
	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
)

// jobRow is a column beside those of the data: the row of the original job whose
// worker a scrambled row is. It follows the worker through every step.
const jobRow = "job row"

// scrambled is the data after the plan's steps, with everything that the later
// stages need to know of what was done.
type scrambled struct {
	plan   plan.Plan
	data   *linked.Data // original, whole selection
	sample *draw.Sample

	swappedFrom *frame.Frame // the jobs that were permuted: all, or the fragment's
	permuted    *frame.Frame // the same after all swaps
	firms       *frame.Frame // after swaps of properties of employers; nil without one
	jobs        *frame.Frame // after every step that works on jobs
	steps       []swapStep
	masks       []maskStep // every other step that worked on jobs, in the order of the plan
	key         rng.Secret // zero where a release is opened without its escrow

	entry    *entry // in the ledger; nil where nothing is released
	delivery release.Delivery

	merge   []int32           // employer code -> published unit, nil
	members map[int32][]int32 // published unit -> employers, merged ones only
	cabinet *attack.Cabinet   // what was searched in, once intruders have
	public
}

// swapStep is a permutation step and what it did.
type swapStep struct {
	number int // in the plan, from 1
	result *swap.Result
}

// maskStep is a step that is no permutation and what it did.
type maskStep struct {
	number int // in the plan, from 1
	report mask.Report
}

// scramble draws the fragment and applies the plan's steps in order. Merging
// comes before the draw, because units are drawn whole.
func scramble(ctx context.Context, p plan.Plan, d *linked.Data, key rng.Secret) (*scrambled, error) {
	s := &scrambled{plan: p, data: d, public: describe(p), key: key}
	for i, step := range p.Scramble.Steps {
		if step.Method == "merge-small-employers" {
			if err := s.mergeEmployers(step, i+1, key); err != nil {
				return nil, stepError(step, i, err)
			}
		}
	}
	var err error
	s.sample, err = draw.Draw(d, draw.Options{Unit: p.Release.Unit, Records: p.Release.Records, Stratify: present(d.Firms, p.Release.Stratify), Merge: s.merge}, key.Derive("draw"))
	if err != nil {
		return nil, err
	}
	if s.sample.Unit == draw.UnitWorker { // who draws workers publishes a share of each employer's
		s.method.WorkerShare *= float64(s.sample.Records) / float64(s.sample.Population)
	}
	for i, step := range p.Scramble.Steps {
		if step.Method == plan.SampleEmployers {
			if err := s.sampleEmployers(step, i+1, key); err != nil {
				return nil, stepError(step, i, err)
			}
		}
	}
	s.swappedFrom = d.Jobs
	all := make([]int32, d.Jobs.Rows())
	for i := range all {
		all[i] = int32(i)
	}
	s.swappedFrom = d.Jobs.With(frame.Ints(jobRow, all))
	if p.Scramble.Donors == "fragment" {
		s.swappedFrom = s.swappedFrom.Take(s.fragmentRows())
	}
	s.permuted = s.swappedFrom
	for i, step := range p.Scramble.Steps {
		if err := s.apply(ctx, step, i+1, key); err != nil {
			return nil, stepError(step, i, err)
		}
	}
	if err := s.checkPromises(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func stepError(step plan.Step, i int, err error) error {
	return fmt.Errorf("step %d (%s): %w", i+1, step.Method, err)
}

// apply does one step. Swaps act on the permuted frame; sampling of workers
// comes on top of it, so that promises are checked on a permutation.
func (s *scrambled) apply(ctx context.Context, step plan.Step, number int, key rng.Secret) error {
	if step.Permutes() {
		return s.swap(ctx, step, number, key)
	}
	switch step.Method {
	case plan.SampleWorkers, plan.TopCode, plan.Noise, plan.PRAM, plan.Microaggregate:
		return s.mask(ctx, step, number, key)
	case plan.CoarsenCounts, plan.JitterCounts, plan.RoundCounts, plan.SuppressCells, plan.FreshSerials: // done when the tables are published
	case plan.MergeSmallEmployers, plan.Recode: // done before the draw
	case plan.SampleEmployers: // done with the draw
	default:
		return fmt.Errorf("no such method")
	}
	return nil
}

func (s *scrambled) swap(ctx context.Context, step plan.Step, number int, key rng.Secret) error {
	if s.jobs != nil {
		return fmt.Errorf("a swap after sample-workers would permute another frame than the promises name: put swaps first")
	}
	o, err := swapOptions(step)
	if err != nil {
		return err
	}
	if !s.data.Periods && slices.Contains(o.Bundle, linked.Employer) && !slices.Contains(o.Same, linked.Year) {
		o.Same = append(slices.Clone(o.Same), linked.Year) // all of one year: whole workers land where they can
	}
	if o.Unit == swap.EmployerRegion {
		return s.swapFirms(ctx, o, step, number, key)
	}
	// Partners may have to agree on attributes of their employers.
	names := slices.Concat(append([][]string{o.Same, o.Near, o.Hierarchy, o.Risk}, o.Profiles...)...)
	jobs, joined, err := withFirmColumns(s.permuted, s.currentFirms(), names)
	if err != nil {
		return err
	}
	tables, sums, names := s.promises()
	for _, p := range tables {
		if ok, why := swap.Keeps(o, p); !ok {
			return fmt.Errorf("cannot keep %v: %s", p.Columns, why)
		}
	}
	if o.Sums = sums; len(sums) > 0 {
		var more []string
		if jobs, more, err = withFirmColumns(jobs, s.currentFirms(), names); err != nil {
			return err
		}
		joined = append(joined, more...)
		if o.Original, _, err = withFirmColumns(s.swappedFrom, s.data.Firms, names); err != nil {
			return err
		}
	}
	r, err := swap.Run(ctx, jobs, o, key.Derive("swap"), number)
	if err != nil {
		return err
	}
	if err := r.Displace(ctx, jobs); err != nil {
		return err
	}
	s.permuted = r.Frame.Without(joined...)
	if slices.Contains(step.Bundle, linked.Employer) {
		s.permuted = linked.Canonical(s.permuted) // whole workers moved
	}
	s.steps = append(s.steps, swapStep{number, r})
	s.tell(step, number, r.Report)
	return nil
}

// tell lets the intruder know how many units a step touched where its rate does
// not say so, as that of a targeted swap, which swaps everybody at risk: who
// knows the method and the public tables can work it out.
func (s *scrambled) tell(step plan.Step, number int, r swap.Report) {
	if step.Method == plan.RandomSwap || step.Method == plan.RankSwap {
		return
	}
	share := 0.0
	for _, p := range r.Pairings {
		share = max(share, p.TouchedShare())
	}
	at := 0
	for _, before := range s.plan.Scramble.Steps[:number-1] {
		if before.Permutes() && before.Method != plan.RankSwap {
			at++
		}
	}
	s.method.Swaps[at].Rate = share
	s.law = swapLaw(s.method.Swaps)
}

func swapOptions(step plan.Step) (swap.Options, error) {
	unit, err := swap.ParseUnit(step.Unit)
	if err != nil {
		return swap.Options{}, err
	}
	scope, err := swap.ParseScope(step.Scope)
	if err != nil {
		return swap.Options{}, err
	}
	law, err := swap.ParseLaw(step.Law)
	if err != nil {
		return swap.Options{}, err
	}
	priority, err := swap.ParsePriority(step.Priority)
	if err != nil {
		return swap.Options{}, err
	}
	return swap.Options{
		Method: step.Method, Unit: unit, Scope: scope, Bundle: step.Bundle, Joint: step.Together(), Rate: step.Rate, Same: step.Same,
		FixMissing: step.Missing == "keep", Window: step.Window, Law: law,
		Hierarchy: step.Hierarchy, Risk: step.Risk, K: step.K, Profiles: step.Profiles, Priority: priority,
		Near: step.Near, Caliper: step.Caliper, MinDifference: step.MinDifference, Given: step.Given,
	}, nil
}

func (s *scrambled) mergeEmployers(step plan.Step, number int, key rng.Secret) error {
	m, err := mask.MergeSmallEmployers(s.data.Firms, s.data.Jobs, mask.Merger{Minimum: step.Minimum, By: step.By}, key, number)
	if err != nil {
		return err
	}
	s.masks = append(s.masks, maskStep{number, m.Report})
	// A unit is published under the code of its first member.
	s.setUnits(m.Members)
	return nil
}

// setUnits publishes the members of each unit together.
func (s *scrambled) setUnits(units [][]int32) {
	s.merge, s.members = make([]int32, s.data.Employers()), map[int32][]int32{}
	for e := range s.merge {
		s.merge[e] = int32(e)
	}
	for _, m := range units {
		for _, e := range m {
			s.merge[e] = m[0]
		}
		if len(m) > 1 {
			s.members[m[0]] = m
		}
	}
}

// checkPromises verifies every table that the plan promised to keep, on the
// frame that was permuted.
func (s *scrambled) checkPromises(ctx context.Context) error {
	promises, sums, names := s.promises()
	if len(promises)+len(sums) == 0 || len(s.steps) == 0 {
		return nil
	}
	before, _, err := withFirmColumns(s.swappedFrom, s.data.Firms, names)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	after, _, err := withFirmColumns(s.permuted, s.currentFirms(), names)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	if err := swap.Check(ctx, before, after, promises); err != nil {
		return fmt.Errorf("keep: a promised table changed: %w", err)
	}
	if err := swap.CheckSums(ctx, before, after, sums); err != nil {
		return fmt.Errorf("keep: a promised sum changed: %w", err)
	}
	return nil
}

// promises are the tables and sums that the plan keeps, and the columns that
// they name.
func (s *scrambled) promises() (tables []swap.Promise, sums []swap.SumPromise, names []string) {
	for _, k := range s.plan.Scramble.Keep {
		sum, ok, _ := k.Sum() // the plan was checked
		if !ok {
			tables, names = append(tables, swap.Promise{Columns: k}), append(names, k...)
			continue
		}
		sums = append(sums, swap.SumPromise{Column: sum.Column, By: sum.By, Within: sum.Within})
		names = append(append(names, sum.By...), sum.Column)
	}
	return tables, sums, names
}

// published are the jobs that the release is made from, as linked data.
func (s *scrambled) published() *linked.Data {
	d := *s.data
	d.Jobs, d.Firms = s.permuted, s.currentFirms()
	if s.jobs != nil {
		d.Jobs = s.jobs
	}
	return &d
}

// fragmentRows are the rows of jobs of the employers drawn.
func (s *scrambled) fragmentRows() []int32 {
	if s.sample.Rows != nil {
		return s.sample.Rows
	}
	in := make([]bool, s.data.Employers())
	for _, e := range s.sample.Employers {
		in[e] = true
	}
	var rows []int32
	for i, e := range s.data.Jobs.Col(linked.Employer).I {
		if in[e] {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// levelField names those of level and field that the data have.
func (s *scrambled) levelField() []string {
	return present(s.data.Jobs, []string{linked.Level, linked.Field})
}

// withFirmColumns joins to jobs those of the columns named that only the firms
// table has, by employer and year; it returns the names that it joined.
func withFirmColumns(jobs, firms *frame.Frame, names []string) (*frame.Frame, []string, error) {
	var joined []string
	var cols []frame.Column
	var rows []int32
	for _, n := range names {
		if jobs.Has(n) || slices.Contains(joined, n) {
			continue
		}
		c, ok := firms.Lookup(n)
		if !ok {
			return nil, nil, fmt.Errorf("no column %q in jobs or firms: the data have %q and %q", n, jobs.Names(), firms.Names())
		}
		if rows == nil {
			rows = firmRows(jobs, firms)
		}
		joined, cols = append(joined, n), append(cols, c.Take(rows))
	}
	return jobs.With(cols...), joined, nil
}

// firmRows returns, for each job, the row of its employer and year in firms.
// Both are sorted by employer and year, and every job has a firm row.
func firmRows(jobs, firms *frame.Frame) []int32 {
	je, jy := jobs.Col(linked.Employer).I, jobs.Col(linked.Year).I
	fe, fy := firms.Col(linked.Employer).I, firms.Col(linked.Year).I
	out := make([]int32, len(je))
	k := 0
	for i := range je {
		for k+1 < len(fe) && (fe[k] < je[i] || fe[k] == je[i] && fy[k] < jy[i]) {
			k++
		}
		out[i] = int32(k)
	}
	return out
}

// present returns those of the names that are columns of f.
func present(f *frame.Frame, names []string) []string {
	out := []string{}
	for _, n := range names {
		if f.Has(n) {
			out = append(out, n)
		}
	}
	return out
}

// versions are the tables of one study: what leaves, the same units
// unscrambled, and the whole selection.
type versions struct {
	release, fragment, population *publish.Tables
	counted                       []int32 // staff of the released cells where they are published in classes
	counts31                      bool    // head counts are those of 31 December
}
