package study

import (
	"context"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/attack"
	"scramblelab/internal/attack/distance"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/risk"
	"scramblelab/internal/score"
)

// Who reads a file: the prosecutor knows employer, level and field of somebody
// in it; the neighbour the employer and the level; the journalist what the firm
// columns, level and field say, and wants anybody.
const (
	prosecutor = "prosecutor"
	journalist = "journalist"
)

// attackFile measures what does not depend on who looks for whom: the risk of
// the file, and what the exact tables of phase two tell somebody who has both.
func (s *scrambled) attackFile(ctx context.Context, out *measured, held attack.Release, serials release.SerialMap, population *publish.Tables) error {
	share := float64(s.sample.Records) / float64(max(1, s.sample.Population))
	steps := []func(*measured) error{
		func(out *measured) error { return s.fileRisk(out, held.Tables, population, share) },
		func(out *measured) error { return s.phaseTwo(ctx, out, held, serials, population) },
		s.permutationDistances,
		func(out *measured) error { return s.subtract(out, held.Tables, population) },
	}
	parts, err := par.Map(ctx, len(steps), func(i int) (part measured, err error) {
		return part, steps[i](&part)
	})
	for _, part := range parts {
		out.add(part)
	}
	return err
}

// phaseTwo compares the fragment with the exact tables of phase two.
func (s *scrambled) phaseTwo(ctx context.Context, out *measured, held attack.Release, serials release.SerialMap, population *publish.Tables) error {
	if !held.Tables.Cells.Has(linked.Level) {
		return nil
	}
	claims, err := attack.PhaseTwo(ctx, held, population)
	if err != nil {
		return err
	}
	out.metrics = append(out.metrics, score.PhaseTwo(s.truth(serials), claims, metric.KnowsParameters, s.data.Employers()))
	return nil
}

// permutationDistances says how far the scramble moved the ranks of each
// attribute of the workers of the fragment, for somebody who knows the original.
func (s *scrambled) permutationDistances(out *measured) error {
	if s.jobs == nil && s.permuted == nil {
		return nil // opened without its escrow
	}
	after := s.jobs
	if after == nil {
		after = s.permuted
	}
	from, ok := after.Lookup(jobRow)
	if !ok {
		return nil
	}
	inside := make([]bool, s.data.Employers())
	for _, e := range s.sample.Employers {
		inside[e] = true
	}
	employer := s.data.Jobs.Col(linked.Employer).I
	for _, name := range []string{linked.Level, linked.Wage, linked.FTE, linked.Age} {
		before, there := s.data.Jobs.Lookup(name)
		now, still := after.Lookup(name)
		if !there || !still || name != linked.Level && before.Kind == frame.Category {
			continue
		}
		var a, b []float64
		for i, r := range from.I {
			if inside[employer[r]] {
				a, b = append(a, valueOf(before, int(r))), append(b, valueOf(now, i))
			}
		}
		p, err := distance.Displace(a, b)
		if err != nil {
			continue // nobody has a value
		}
		m := metric.Metric{Name: "attack.file.permutation.maximum-knowledge." + name, Better: metric.Higher, Unit: "share", Row: metric.Exact(p.Mean, int64(p.Records)),
			Method: "Mean distance between the ranks of a worker's " + name + " before and after the scramble, as a share of the workers: what even somebody who knows the original file has to bridge (permutation paradigm, Domingo-Ferrer et al. 2016); a third is a random permutation, 0 no protection. Higher is safer."}
		m.M = int64(s.data.Jobs.Rows())
		out.metrics = append(out.metrics, m)
	}
	return nil
}

func valueOf(c frame.Column, i int) float64 {
	switch {
	case c.Missing(i):
		return math.NaN()
	case c.Coded():
		return float64(c.I[i])
	}
	return c.Value(i)
}

// fileRisk measures what the cells give away by themselves. Workers of a cell
// share its key; counts in classes are taken at their lower bound.
func (s *scrambled) fileRisk(out *measured, tables, population *publish.Tables, share float64) error {
	cells := tables.Cells
	if !cells.Has(linked.Level) {
		return nil
	}
	n := workersOf(cells)
	total := 0.0
	for _, w := range n {
		total += w
	}
	if total == 0 {
		return nil
	}
	add := func(method, adversary, measure, sentence, unit string, better metric.Direction, value float64) {
		m := metric.Metric{Name: fmt.Sprintf("attack.file.%s.%s.%s", method, adversary, measure), Better: better, Unit: unit, Method: sentence, Row: metric.Exact(value, int64(total+0.5))}
		m.M = int64(s.data.Jobs.Rows())
		out.metrics = append(out.metrics, m)
	}
	least, alone := math.Inf(1), 0.0
	for _, w := range n {
		least = min(least, w)
		if w < 1.5 {
			alone++
		}
	}
	knows := "Who knows a worker's employer, year, level and field: "
	add("k-anonymity", prosecutor, "rate", knows+"the share of workers that he picks out rightly if he links everybody, cells/workers. Lower is safer.", "share", metric.Lower, float64(len(n))/total)
	add("k-anonymity", prosecutor, "uniques", knows+"the share of workers who are alone in their cell. Lower is safer.", "share", metric.Lower, alone/total)
	add("k-anonymity", prosecutor, "k", knows+"the number of workers in the smallest cell, k of k-anonymity. Higher is safer.", "workers", metric.Higher, least)
	if err := s.levelRisk(cells, n, total, add); err != nil {
		return err
	}
	if population == nil {
		return nil
	}
	return s.populationRisk(tables, population, n, total, share, add)
}

type addFunc func(method, adversary, measure, sentence, unit string, better metric.Direction, value float64)

func workersOf(cells *frame.Frame) []float64 {
	c := cells.Col(publish.Workers)
	out := make([]float64, cells.Rows())
	for i := range out {
		switch {
		case c.Missing(i):
			out[i] = 1
		case c.Coded():
			lo, _, err := publish.Interval(c.Dict.Label(c.I[i]))
			if err != nil || lo < 1 {
				lo = 1
			}
			out[i] = lo
		default:
			out[i] = c.Value(i)
		}
	}
	return out
}

// levelRisk looks at all cells of one level at an employer: one field has all of
// the staff of that level, or all but one (group disclosure), or all cells show
// one wage class (homogeneity).
func (s *scrambled) levelRisk(cells *frame.Frame, n []float64, total float64, add addFunc) error {
	by := []string{publish.Serial}
	if cells.Has(linked.Year) {
		by = append(by, linked.Year)
	}
	by = append(by, linked.Level)
	order := cells.Order(by...)
	cols := make([]frame.Column, len(by))
	for i, name := range by {
		cols[i] = cells.Col(name)
	}
	wage, hasWage := cells.Lookup(publish.WageClass)
	group, within, alike := 0.0, 0.0, 0.0
	for lo := 0; lo < len(order); {
		hi, staff := lo, 0.0
		one := true
		for ; hi < len(order) && !slices.ContainsFunc(cols, func(c frame.Column) bool { return c.Compare(int(order[lo]), int(order[hi])) != 0 }); hi++ {
			staff += n[order[hi]]
			one = one && hasWage && wage.I[order[hi]] == wage.I[order[lo]]
		}
		for _, r := range order[lo:hi] {
			if n[r] >= staff {
				group += n[r]
			}
			if n[r] >= staff-1 {
				within += n[r]
			}
		}
		if one {
			alike += staff
		}
		lo = hi
	}
	knows := "Who knows a worker's employer, year and level: "
	if cells.Has(linked.Field) {
		add("group-disclosure", neighbour, "field", knows+"the share of workers whose field follows, because all of that level at the employer have one field. Lower is safer.", "share", metric.Lower, group/total)
		add("group-disclosure", neighbour, "field-within", knows+"the same for an intruder who is the only other one himself: all but one have one field. Lower is safer.", "share", metric.Lower, within/total)
	}
	if hasWage {
		add("l-diversity", neighbour, "homogeneous", knows+"the share of workers for whom all cells of that level show one wage class (distinct l-diversity of 1). Lower is safer.", "share", metric.Lower, alike/total)
		keys, err := risk.KeysOf(by, cells)
		if err != nil {
			return err
		}
		c, err := risk.NewCloseness(keys[0], wage.I)
		if err != nil {
			return err
		}
		add("t-closeness", neighbour, "wage-class", knows+"the largest distance between the wage classes of one employer's cells of a level and those of all cells (ordered t-closeness). Lower is safer.", "distance", metric.Lower, c.Ordered)
	}
	return nil
}

// populationRisk compares workers by firm columns, level and field with the
// whole selection, as it is in phase two.
func (s *scrambled) populationRisk(tables, population *publish.Tables, n []float64, total, share float64, add addFunc) error {
	var firm []string
	for _, name := range []string{linked.Group, linked.EventYear, linked.SupplierShare, linked.SizeClass} {
		if tables.Employers.Has(name) && population.Employers.Has(name) {
			firm = append(firm, name)
		}
	}
	names := append(present(tables.Cells, []string{linked.Year, linked.Level, linked.Field}), firm...)
	inside, outside := withFirms(tables, publish.Serial, firm), withFirms(population, linked.Employer, firm)
	keys, err := risk.KeysOf(names, inside, outside)
	if err != nil {
		return err
	}
	// No event year means no event, and a level that the register lacks is known
	// to be lacking.
	fragment, everybody := keys[0].Plain(), keys[1].Plain()
	_, in, err := risk.Matches(fragment, fragment, n)
	if err != nil {
		return err
	}
	_, all, err := risk.Matches(fragment, everybody, workersOf(population.Cells))
	if err != nil {
		return err
	}
	least, uniques, rate, expected, double := math.Inf(1), 0.0, 0.0, 0.0, 0.0
	for i, w := range n {
		f := max(all[i], 1) // a scramble may show a combination that nobody has
		least = min(least, f)
		rate += w / f
		if f < 1.5 {
			uniques += w
		}
		r, err := risk.IndividualApprox(int(in[i]+0.5), max(in[i]/share, float64(int(in[i]+0.5))))
		if err != nil {
			return err
		}
		expected += float64(w * r)
		if in[i] > 1.5 && in[i] < 2.5 {
			double += w
		}
	}
	sample := 0.0
	for i, w := range n {
		if in[i] < 1.5 {
			sample += w
		}
	}
	knows := "Who knows level, field, year and the firm columns that came with the project, but not whether his target is in the fragment: "
	add("k-map", journalist, "rate", knows+"expected share of workers picked out rightly, mean of 1/F, F the workers of the selection alike (marketer). Lower is safer.", "share", metric.Lower, rate/total)
	add("k-map", journalist, "uniques", knows+"share of workers in the release whose combination at most one worker of the selection has. Lower is safer.", "share", metric.Lower, uniques/total)
	add("k-map", journalist, "k", knows+"the smallest number of workers of the selection alike. Higher is safer.", "workers", metric.Higher, least)
	add("individual", journalist, "rate", knows+"the same as the mean above, estimated from the release alone (Benedetti and Franconi 1998). Lower is safer.", "share", metric.Lower, expected/total)
	if dis := risk.DIS(share, int(sample+0.5), int(double/2+0.5)); !math.IsNaN(dis) {
		add("uniques", journalist, "dis", knows+"the probability that a unique match is the right one (DIS, Skinner and Elliot 2002). Lower is safer.", "share", metric.Lower, dis)
	}
	return nil
}

// withFirms joins firm columns to the cells.
func withFirms(t *publish.Tables, id string, names []string) *frame.Frame {
	type key struct{ unit, year int32 }
	at := map[key]int32{}
	units, years := t.Employers.Col(id).I, yearsOf(t.Employers)
	for i, u := range units {
		at[key{u, years[i]}] = int32(i)
	}
	cu, cy := t.Cells.Col(id).I, yearsOf(t.Cells)
	rows := make([]int32, len(cu))
	for i, u := range cu {
		rows[i] = at[key{u, cy[i]}]
	}
	out := t.Cells
	for _, name := range names {
		out = out.With(t.Employers.Col(name).Take(rows))
	}
	return out
}
