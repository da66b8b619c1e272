package study

import (
	"context"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/fidelity"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
)

// facts are the structural facts of DESIGN 3 that a first release can show,
// each with this run's own numbers. They hold for every scramble that permutes
// attributes, whatever its key.
func (s *scrambled) facts(ctx context.Context, v *versions, use *fidelity.Result, key rng.Secret) ([]metric.Fact, error) {
	var out []metric.Fact
	for _, f := range []func(context.Context, *versions, *fidelity.Result, rng.Secret) (metric.Fact, error){
		s.headCountFact, s.withinFact, s.wageBillFact, s.smallCellFact, s.signFact, s.marginFact,
	} {
		fact, err := f(ctx, v, use, key)
		if err != nil {
			return nil, fmt.Errorf("structural facts: %w", err)
		}
		out = append(out, fact)
	}
	return out, nil
}

// headCountFact: head counts survive every attribute permutation, and their
// path over the years identifies.
func (s *scrambled) headCountFact(_ context.Context, v *versions, _ *fidelity.Result, _ rng.Secret) (metric.Fact, error) {
	one := func(int) int64 { return 1 }
	same, all := kept(totals(s.swappedFrom, one), totals(s.permuted, one))
	text := fmt.Sprintf(s.after()+" %s of %s employer-years have the head count that they had before.", count(same), count(all))
	if paths := uniquePaths(v.population); len(paths) > 1 {
		k := min(5, len(paths))
		text += fmt.Sprintf(" That number alone, over %d years, is a path that no other employer of the selection has for %s of employers", k, percent(paths[k-1].share()))
		if len(paths) > k {
			text += fmt.Sprintf("; over %d years for %s", len(paths), percent(paths[len(paths)-1].share()))
		}
		text += "."
	}
	return metric.Fact{ID: "1", Title: "No attribute swap touches the head count", Sentence: text, Holds: same == all}, nil
}

// after says what the facts look back on.
func (s *scrambled) after() string {
	if len(s.steps) == 0 {
		return "Without any swap"
	}
	return "After the swap"
}

// withinFact: a joint swap inside employers protects no count.
func (s *scrambled) withinFact(ctx context.Context, v *versions, _ *fidelity.Result, key rng.Secret) (metric.Fact, error) {
	bundle := s.levelField()
	jobs := s.data.Jobs.Take(s.fragmentRows())
	r, err := swap.Run(ctx, jobs, swap.Options{Unit: swap.Row, Bundle: bundle, Joint: true, Rate: 1, Same: []string{linked.Year}, Scope: swap.WithinEmployer}, key.Derive("fact 2"), 0)
	if err != nil {
		return metric.Fact{}, err
	}
	err = swap.Check(ctx, jobs, r.Frame, []swap.Promise{{Columns: append([]string{linked.Employer, linked.Year}, bundle...)}})
	return metric.Fact{ID: "2", Title: "Swapping inside the employer protects no count", Holds: err == nil,
		Sentence: fmt.Sprintf("A swap of every job's %s with a colleague's leaves all %s cells of the fragment with the head count that they had.", listed(bundle), count(v.fragment.Cells.Rows()))}, nil
}

// wageBillFact: swapping education across employers keeps wage bills; the
// release shows them up to its classes.
func (s *scrambled) wageBillFact(_ context.Context, v *versions, _ *fidelity.Result, _ rng.Secret) (metric.Fact, error) {
	f := metric.Fact{ID: "3", Title: "Swapping education leaves every wage bill in place"}
	if !s.data.Jobs.Has(linked.Wage) {
		f.Sentence = "The data have no wages, so there is no wage bill."
		return f, nil
	}
	same, all := kept(totals(s.swappedFrom, amounts(s.swappedFrom.Col(linked.Wage))), totals(s.permuted, amounts(s.permuted.Col(linked.Wage))))
	n, miss := 0, 0.0
	truth, shown := s.cellWageBills(v)
	for k := range truth {
		if truth[k] > 0 && shown[k] > 0 {
			miss += math.Abs(shown[k]/truth[k] - 1)
			n++
		}
	}
	f.Holds = same == all
	f.Sentence = fmt.Sprintf("The swap left the wage bill of %s of %s employer-years exactly as it was.", count(same), count(all))
	if n > 0 {
		f.Sentence += fmt.Sprintf(" Whoever adds up the midpoints of the published wage classes of an unscrambled fragment misses it by %s on average.", percent(miss/float64(n)))
	}
	return f, nil
}

// cellWageBills returns, for each employer-year of the fragment, the wage bill
// in the data and the one that midpoints of classes give.
func (s *scrambled) cellWageBills(v *versions) (truth, shown []float64) {
	cells := v.fragment.Cells
	class, ok := cells.Lookup(publish.WageClass)
	if !ok || s.plan.Release.CountOn == publish.CountAverage {
		return nil, nil // average staff times a mean wage is no sum of yearly wages
	}
	type key struct{ employer, year int32 }
	bill := map[key]float64{}
	jobs := s.drawn(s.data).Jobs
	employer, year, wage := jobs.Col(linked.Employer), jobs.Col(linked.Year), jobs.Col(linked.Wage)
	left, dated := jobs.Lookup(linked.Left)
	for i := range jobs.Rows() {
		if v.counts31 && dated && !left.Missing(i) || wage.Missing(i) {
			continue
		}
		e := employer.I[i]
		if s.merge != nil {
			e = s.merge[e]
		}
		bill[key{e, year.I[i]}] += wage.Value(i)
	}
	at, when, workers := cells.Col(linked.Employer), yearsOf(cells), cells.Col(publish.Workers)
	for i := 0; i < cells.Rows(); {
		k, total := key{at.I[i], when[i]}, 0.0
		for ; i < cells.Rows() && at.I[i] == k.employer && when[i] == k.year; i++ {
			if !class.Missing(i) {
				total += workers.Value(i) * class.Value(i)
			}
		}
		truth, shown = append(truth, bill[k]), append(shown, total)
	}
	return truth, shown
}

// smallCellFact: small employers are made of small cells.
func (s *scrambled) smallCellFact(_ context.Context, v *versions, _ *fidelity.Result, _ rng.Secret) (metric.Fact, error) {
	small, all := smallCells(v.population)
	share := func(class string) string {
		c, _ := linked.SizeDict.Code(class)
		if all[c] == 0 {
			return "none there"
		}
		return percent(float64(small[c]) / float64(all[c]))
	}
	one, total := 0, 0
	for c := range all {
		one, total = one+small[c], total+all[c]
	}
	sizes := fmt.Sprintf(": %s at 1-4 staff, %s at 20-49, %s at 200-499", share("1-4"), share("20-49"), share("200-499"))
	if s.data.SampledWithin {
		sizes = " (their rows are samples of the staff, so sizes are not told apart)"
	}
	return metric.Fact{ID: "4", Title: "Small employers are made of small cells", Holds: total > 0 && 2*one > total,
		Sentence: fmt.Sprintf("Cells of one or two people are %s of all cells of the selection%s. A cell of one publishes that person's wage class and FTE class, without any linkage.",
			percent(float64(one)/float64(max(1, total))), sizes)}, nil
}

// smallCells counts cells of one or two, and all cells, by size class.
func smallCells(t *publish.Tables) (small, all []int) {
	small, all = make([]int, linked.SizeDict.Len()), make([]int, linked.SizeDict.Len())
	cells := t.Cells
	at, when, workers := cells.Col(linked.Employer), yearsOf(cells), cells.Col(publish.Workers)
	for i := 0; i < cells.Rows(); {
		first, head := i, int32(0)
		for ; i < cells.Rows() && at.I[i] == at.I[first] && when[i] == when[first]; i++ {
			head += workers.I[i]
		}
		c := linked.SizeCode(head)
		for k := first; k < i; k++ {
			all[c]++
			if workers.I[k] <= 2 {
				small[c]++
			}
		}
	}
	return small, all
}

// signFact: swapping pulls head counts by level toward the pool's mix, so an
// effect by level can change sign while the total stays.
func (s *scrambled) signFact(_ context.Context, _ *versions, use *fidelity.Result, _ rng.Secret) (metric.Fact, error) {
	f := metric.Fact{ID: "6", Title: "An effect on head counts by level can change sign"}
	if len(use.Effects) == 0 {
		f.Sentence = "No employer panel could be followed in this release, so there is no effect to compare."
		return f, nil
	}
	for _, e := range use.Effects {
		text := fmt.Sprintf(" %s: %+.4f before, %+.4f after", e.Outcome, e.Fragment.Estimate, e.Release.Estimate)
		if e.Predicted != nil {
			text += fmt.Sprintf(" (the law of swapping predicts %+.4f)", e.Predicted.Estimate)
		}
		if e.Share < 1 && e.Fragment.Estimate*e.Release.Estimate < 0 {
			// Near zero a sign also changes by the luck of the draw.
			if e.Predicted != nil && e.Predicted.Estimate*e.Release.Estimate > 0 {
				text += ", a changed sign"
				f.Holds = true
			} else {
				text += ", a changed sign that the law does not explain"
			}
		}
		f.Sentence += text + "."
	}
	if s.law != nil {
		f.Sentence += fmt.Sprintf(" A swap of share s turns an effect b on a level into (1-s) b + s q B, q the level's share and B the effect on all staff; here s = %.2f.", s.law.Rate)
	}
	f.Sentence = "Effect of an automation event, in shares of the employer's mean head count." + f.Sentence
	return f, nil
}

// marginFact: one-way margins are exact whatever the damage.
func (s *scrambled) marginFact(ctx context.Context, _ *versions, use *fidelity.Result, _ rng.Secret) (metric.Fact, error) {
	var promises []swap.Promise
	for _, c := range s.levelField() {
		promises = append(promises, swap.Promise{Columns: []string{c}})
	}
	err := swap.Check(ctx, s.swappedFrom, s.permuted, promises)
	f := metric.Fact{ID: "7", Title: "One-way margins say perfect whatever the damage", Holds: err == nil}
	f.Sentence = fmt.Sprintf("Inside the donor pool the totals by %s are exactly as before", listed(s.levelField()))
	for _, m := range use.Metrics {
		if m.Name == "fidelity.cells.share-exact" && m.Value.Valid() {
			f.Sentence += fmt.Sprintf(", yet only %s of the fragment's cells are as they were", percent(float64(m.Value)))
		}
	}
	f.Sentence += ". A score built on one-way margins would call this release perfect."
	return f, nil
}

// total is a sum over the jobs of one employer in one year.
type total struct {
	jobs int
	sum  int64
}

// totals adds up an amount by employer and year, whatever the order of rows.
func totals(jobs *frame.Frame, amount func(i int) int64) []total {
	employer, year := jobs.Col(linked.Employer), jobs.Col(linked.Year).I
	if len(year) == 0 {
		return nil
	}
	first, years := slices.Min(year), int(slices.Max(year)-slices.Min(year))+1
	out := make([]total, employer.Dict.Len()*years)
	for i, e := range employer.I {
		t := &out[int(e)*years+int(year[i]-first)]
		t.jobs, t.sum = t.jobs+1, t.sum+amount(i)
	}
	return out
}

// kept counts the employer-years with staff before, and those of them whose
// total is as it was. A permutation keeps the years, so both have one shape.
func kept(before, after []total) (same, all int) {
	for i, t := range before {
		if t.jobs == 0 {
			continue
		}
		all++
		if i < len(after) && after[i].sum == t.sum {
			same++
		}
	}
	return same, all
}

// amounts reads an integer column, missing values as 0.
func amounts(c frame.Column) func(i int) int64 {
	return func(i int) int64 {
		if c.I[i] == frame.NoInt {
			return 0
		}
		return int64(c.I[i])
	}
}

// path counts the employers whose head counts over the first years of the
// window nobody else shares.
type path struct{ unique, employers int }

func (p path) share() float64 { return float64(p.unique) / float64(max(1, p.employers)) }

// uniquePaths returns, for the first 1, 2, … years of the window, how many of
// the employers with staff in it have a head-count path of their own.
func uniquePaths(t *publish.Tables) []path {
	cells := t.Cells
	at, when, workers := cells.Col(linked.Employer), yearsOf(cells), cells.Col(publish.Workers)
	years := distinct(when)
	hash := make([]uint64, at.Dict.Len())
	var out []path
	head := make(map[int32][]int32, len(years)) // year -> head count by employer
	for _, y := range years {
		head[y] = make([]int32, at.Dict.Len())
	}
	for i := range cells.Rows() {
		head[when[i]][at.I[i]] += workers.I[i]
	}
	ever := make([]bool, len(hash))
	for _, y := range years {
		times := make(map[uint64]int32, len(hash))
		for e, n := range head[y] {
			ever[e] = ever[e] || n > 0
			hash[e] = rng.Mix(hash[e], uint64(n))
			if ever[e] {
				times[hash[e]]++
			}
		}
		var p path
		for e := range hash {
			if ever[e] {
				p.employers++
				if times[hash[e]] == 1 {
					p.unique++
				}
			}
		}
		out = append(out, p)
	}
	return out
}
