package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/policy"
	"scramblelab/internal/progress"
	"scramblelab/internal/rng"
	"scramblelab/internal/tune"
)

// Tuning says how a space of plans is searched.
type Tuning struct {
	Seed uint64 // of population, sequence of plans and keys
	// Until ends the search; the zero time leaves it to end by itself.
	Until time.Time
	// Shard and Shards race only every Shards-th plan, from 1; 0 means all.
	Shard, Shards int
	// Merge names the books of shards, whose measurements are taken over; the result
	// is that of a search that was not cut into shards.
	Merge []string
	// Verify is the number of fresh keys on which the recommended plan is measured
	// again; 0 means twice those of the search.
	Verify   int
	Progress progress.Func
}

// freshKeys separates the keys of the verification from those of the search.
const freshKeys = 1 << 20

// mostTried bounds how many plans are measured again before the search gives up.
const mostTried = 5

// tuner is a search under way.
type tuner struct {
	base   plan.Plan
	policy policy.Policy
	o      Tuning
	losses []string
	axes   []tune.Axis
	points []tune.Point
	search tune.Options
}

func newTuner(p plan.Plan, pol policy.Policy, o Tuning) (*tuner, error) {
	if p.Tune == nil {
		return nil, errors.New("the plan does not say what may vary: add a section tune, such as\ntune:\n  points: 40\n  seeds: 5\n  space:\n    steps.0.rate: {from: 0.02, to: 0.6, scale: log}")
	}
	t := &tuner{base: p, policy: pol, o: o, losses: losses(pol), search: tune.Options{Points: p.Tune.Points, Keys: p.Tune.Seeds}}
	for _, v := range p.Tune.Space {
		r, err := v.Range()
		if err != nil {
			return nil, err
		}
		a := tune.Axis{Path: v.Path, From: r.From, To: r.To, Log: r.Scale == "log", Choices: r.Choices}
		if err := a.Validate(); err != nil {
			return nil, err
		}
		t.axes = append(t.axes, a)
	}
	for _, g := range pol.Gates {
		if strings.HasPrefix(g.Metric, "attack.") && g.Max == nil {
			return nil, fmt.Errorf("policy %s: %s has a min: a search can keep attacks under a max only", pol.Name, g.Metric)
		}
	}
	t.points = tune.Spread(t.axes, p.Tune.Points, rng.Sim(o.Seed))
	return t, nil
}

// losses are the metrics of use that a policy gates by name, or those of the
// built-in one.
func losses(pol policy.Policy) []string {
	var out []string
	for _, g := range pol.Gates {
		if strings.HasPrefix(g.Metric, "fidelity.") && !strings.Contains(g.Metric, "*") && !slices.Contains(out, g.Metric) {
			out = append(out, g.Metric)
		}
	}
	if out == nil {
		out = []string{"fidelity.margins.level-field-tv", "fidelity.wages.level-field-error", "fidelity.did.overlap"}
	}
	return out
}

// digest names the search: whatever changes it, changes the digest.
func (t *tuner) digest(data string) string {
	text := fmt.Appendf(nil, "%s\n%s\n%+v\n%d %d\n", Tool(), data, t.search, t.o.Seed, len(t.points))
	for _, g := range t.policy.Gates {
		text = fmt.Appendln(text, g.Metric, g.Group, g.At, g.Bound(), g.IfMissing)
	}
	sum := sha256.Sum256(append(text, t.base.YAML()...))
	return hex.EncodeToString(sum[:])
}

// screenRecords is the largest fragment that a search draws. How often a record
// is named hardly depends on how many others there are, and what is recommended
// is measured again in full.
const screenRecords = 1000

// measure measures a point on a key of a lab, on the plan's own fragment or on a
// smaller one.
func (t *tuner) measure(lab *Lab, offset uint64, records int) tune.Measure {
	return func(ctx context.Context, p tune.Point, key int) (tune.Scores, error) {
		q, err := t.base.With(settings(p))
		if err != nil {
			return tune.Scores{}, tune.Unusable{Reason: err.Error()}
		}
		q.Release.Records = min(q.Release.Records, records)
		r, err := lab.Screen(ctx, q, t.policy, t.o.Seed+offset+uint64(key), t.losses)
		switch {
		case ctx.Err() != nil:
			return tune.Scores{}, ctx.Err()
		case err != nil:
			return tune.Scores{}, tune.Unusable{Reason: err.Error()}
		}
		out := t.scores(r)
		if t.recodes() {
			lost, err := lab.DetailLost(q)
			if err != nil {
				return tune.Scores{}, err
			}
			n := float64(len(t.losses))
			out.Loss = (float64(out.Loss*n) + lost) / (n + 1)
		}
		return out, nil
	}
}

// recodes says that plans of the space may recode columns, so that detail is
// something to lose.
func (t *tuner) recodes() bool {
	return slices.ContainsFunc(t.base.Scramble.Steps, func(s plan.Step) bool { return s.Method == plan.Recode })
}

// detailLost is the name of what recoding takes away among the losses of a
// search; see [Lab.DetailLost].
const detailLost = "detail of level and field lost to recoding"

func settings(p tune.Point) []plan.Setting {
	out := make([]plan.Setting, len(p.Settings))
	for i, s := range p.Settings {
		out[i] = plan.Setting{Path: s.Path, Value: s.Value}
	}
	return out
}

// scores reads a report: every gate as a check, and the loss as the mean over
// what analysis loses. What cannot be measured under a plan is lost altogether,
// and an attack that cannot be measured counts as a success unless the policy
// says skip.
func (t *tuner) scores(r *metric.Report) tune.Scores {
	var s tune.Scores
	for i, g := range t.policy.Gates {
		judged := r.Gates[i]
		c := tune.Check{Name: g.Metric, Attack: strings.HasPrefix(g.Metric, "attack."), Limit: g.Bound()}
		if g.Group != "" {
			c.Name += " [" + g.Group + "]"
		}
		low := g.Max == nil // the larger the better: turned over, so that a check is a maximum
		if low {
			c.Limit = 1 - c.Limit
		}
		row := rowOf(r, judged.Metric, judged.Group) // of a pattern: the worst that it means
		switch {
		case judged.Verdict == metric.Skip:
		case !judged.Got.Valid() || !row.Value.Valid():
			c.Value = max(1, 2*c.Limit)
		default:
			c.Value, c.Half = float64(row.Value), float64(judged.Got-row.Value)
			if low {
				c.Value, c.Half = 1-c.Value, -c.Half
			}
			c.Half = max(0, c.Half)
		}
		s.Checks = append(s.Checks, c)
	}
	for _, name := range t.losses {
		lost := 1.0
		if m, ok := r.Metric(name); ok && m.Value.Valid() {
			if lost = float64(m.Value); m.Better == metric.Higher {
				lost = 1 - lost
			}
		}
		s.Loss += min(1, max(0, lost)) / float64(len(t.losses))
	}
	return s
}

func rowOf(r *metric.Report, name, group string) metric.Row {
	if m, ok := r.Metric(name); ok {
		if row, ok := m.RowOf(group); ok {
			return row
		}
	}
	return metric.Missing(group, "the report has no such number")
}

// verify measures a point on fresh keys.
func (t *tuner) verify(ctx context.Context, lab *Lab, s tune.Summary) (tune.Verified, error) {
	n := t.o.Verify
	if n == 0 {
		n = 2 * t.search.Keys
	}
	m, err := tune.Race(ctx, []tune.Point{s.Point}, tune.Options{Points: 1, Keys: max(2, n)}, tune.NewBook(), time.Time{}, t.measure(lab, freshKeys, math.MaxInt), t.o.Progress)
	if err != nil {
		return tune.Verified{}, err
	}
	fresh := m.Points[0]
	return tune.Verified{Search: s, Fresh: fresh, Held: fresh.Allowed()}, nil
}

// Tune searches the space of a plan for the one that loses least while every gate
// of the policy holds, and measures what it recommends again, on fresh keys and,
// where the data are generated, a fresh population. What was measured stands in
// the book, from which a search that was cut off goes on.
func Tune(ctx context.Context, p plan.Plan, book string, o Tuning) (*tune.Result, *tune.Book, error) {
	pol, err := loadPolicy(p.Gates)
	if err != nil {
		return nil, nil, err
	}
	t, err := newTuner(p, pol, o)
	if err != nil {
		return nil, nil, err
	}
	lab, err := OpenLab(ctx, p, o.Seed, o.Progress)
	if err != nil {
		return nil, nil, err
	}
	b, err := tune.OpenBook(book, t.digest(lab.Digest()))
	if err != nil {
		return nil, nil, err
	}
	points := t.points
	if o.Shards > 1 {
		points = slices.DeleteFunc(slices.Clone(points), func(p tune.Point) bool { return p.ID%o.Shards != o.Shard-1 })
	}
	measure, err := t.recalled(lab, o.Merge)
	if err != nil {
		return nil, b, err
	}
	m, err := tune.Race(ctx, points, t.search, b, o.Until, measure, o.Progress)
	if err != nil {
		return nil, b, err
	}
	out := &tune.Result{Seed: o.Seed, Axes: t.axes, Losses: t.losses, Map: m, Recommended: -1, Tried: []tune.Verified{}, Neighbours: []tune.Verified{}}
	if t.recodes() {
		out.Losses = append(slices.Clone(t.losses), detailLost)
	}
	for _, g := range pol.Gates {
		out.Checks = append(out.Checks, g.Metric)
	}
	if o.Shards > 1 {
		out.Shard = fmt.Sprintf("%d/%d", o.Shard, o.Shards)
		return out, b, nil
	}
	return out, b, t.recommend(ctx, lab, out)
}

// recalled measures on the keys of the search, and takes what shards measured
// from their books.
func (t *tuner) recalled(lab *Lab, books []string) (tune.Measure, error) {
	measure := t.measure(lab, 0, screenRecords)
	if len(books) == 0 {
		return measure, nil
	}
	all := tune.NewBook()
	for _, path := range books {
		b, digest, err := tune.ReadBook(path)
		if err != nil {
			return nil, err
		}
		if want := t.digest(lab.Digest()); digest != want {
			return nil, fmt.Errorf("tune: %s is of another search (other plan, space, data, seed or version): merge the shards of one", path)
		}
		all.Join(b)
	}
	return all.Recall(measure), nil
}

// recommend tries the plans of a map in their order, on fresh keys, until one
// holds.
func (t *tuner) recommend(ctx context.Context, lab *Lab, out *tune.Result) error {
	fresh := lab
	if t.base.Data.Generate != nil {
		var err error
		if fresh, err = OpenLab(ctx, t.base, t.o.Seed+freshKeys, t.o.Progress); err != nil {
			return err
		}
	} else {
		out.Why = append(out.Why, "The data are the user's own: plans were measured again on fresh keys and fragments, and on the same population.")
	}
	allowed, others := tune.Ranking(out.Map.Final())
	for _, s := range allowed[:min(len(allowed), mostTried)] {
		v, err := t.verify(ctx, fresh, s)
		if err != nil {
			return err
		}
		out.Tried = append(out.Tried, v)
		if v.Held {
			out.Recommended = s.Point.ID
			break
		}
		out.Why = append(out.Why, fmt.Sprintf("Plan %d looked allowed and did not hold on fresh keys: %s at %.3f of its limit.", s.Point.ID, v.Fresh.Binding, v.Fresh.Share))
	}
	if out.Recommended < 0 {
		out.Why = append(out.Why, t.whyNone(out, allowed, others, lab.raw.Employers())...)
		return nil
	}
	for _, s := range out.Map.Neighbours(out.Recommended) {
		v, err := t.verify(ctx, fresh, s)
		if err != nil {
			return err
		}
		out.Neighbours = append(out.Neighbours, v)
	}
	out.Why = append(out.Why, out.WhatWouldChange(allowed)...)
	return t.ablate(ctx, fresh, out)
}

// whyNone proves with the search's own figures that no plan of the space is
// allowed: the checks that every plan misses, and by how much the best one does,
// or that attacks and use cannot be kept within their limits together.
func (t *tuner) whyNone(out *tune.Result, allowed, others []tune.Summary, employers int) []string {
	if len(allowed) > 0 {
		return []string{fmt.Sprintf("None of the %d best plans that looked allowed held on fresh keys: measure with more seeds, or leave a margin under the limits.", len(out.Tried))}
	}
	if len(others) == 0 {
		return []string{"No plan of the space can be carried out: " + reason(out.Map)}
	}
	why := []string{fmt.Sprintf("No plan of the space is allowed; the nearest is %d (%s), whose %s stands at %.1f times its limit.", others[0].Point.ID, others[0].Point, others[0].Binding, others[0].Share)}
	var facts []string
	for i, c := range others[0].Checks {
		best, at := others[0], c.Upper
		for _, s := range out.Map.Points {
			if len(s.Checks) > i && s.Checks[i].Upper < at {
				best, at = s, s.Checks[i].Upper
			}
		}
		if at <= c.Limit {
			continue
		}
		why = append(why, fmt.Sprintf("Every plan misses %s: at best %.3f on average and up to %.3f (plan %d) against %.3f.", c.Name, best.Checks[i].Value, at, best.Point.ID, c.Limit))
		if f := t.fact(c.Name, employers); f != "" && !slices.Contains(facts, f) {
			facts = append(facts, f)
		}
	}
	if len(why) == 1 {
		why = append(why, conflict(out.Map.Final()))
	}
	return append(why, facts...)
}

// conflict says how far plans that keep every attack under its limit fall short in
// use, and the other way round.
func conflict(all []tune.Summary) string {
	most := func(s tune.Summary, attacks bool) (share float64, name string) {
		for _, c := range s.Checks {
			if x := c.Upper / max(c.Limit, 1e-9); c.Attack == attacks && x > share {
				share, name = x, c.Name
			}
		}
		return share, name
	}
	side := func(attacks bool) (within int, nearest float64, name string) {
		for _, s := range all {
			if mine, _ := most(s, attacks); mine > 1 {
				continue
			}
			other, n := most(s, !attacks)
			if within++; within == 1 || other < nearest {
				nearest, name = other, n
			}
		}
		return within, nearest, name
	}
	safe, dull, use := side(true)
	useful, leak, attack := side(false)
	text := fmt.Sprintf("Each limit is kept by some plan, and all of them by none: of %d plans measured on all keys, %d keep every attack under its limit and %d every measure of use.", len(all), safe, useful)
	if safe > 0 {
		text += fmt.Sprintf(" Of the former the best has %s at %.1f times its limit.", use, dull)
	}
	if useful > 0 {
		text += fmt.Sprintf(" Of the latter the best has %s at %.1f times its limit.", attack, leak)
	}
	return text
}

// fact names the structural fact (DESIGN 3) that keeps a check from being met.
func (t *tuner) fact(check string, employers int) string {
	remedies := []string{plan.CoarsenCounts, plan.JitterCounts, plan.RoundCounts, plan.SampleWorkers, plan.MergeSmallEmployers, plan.FreshSerials}
	tried := slices.ContainsFunc(t.base.Scramble.Steps, func(s plan.Step) bool { return slices.Contains(remedies, s.Method) })
	switch {
	case strings.HasPrefix(check, "attack.employer.") && tried:
		return fmt.Sprintf("Linkage risk falls with the size of the file: here %d employers are all there are, and what is left after the head counts are blurred still tells them apart. Draw from a larger selection, or let the space recode columns and release fewer of them.", employers)
	case strings.HasPrefix(check, "attack.employer."):
		return "A permutation of attributes leaves every head count as it was, and the path of head counts is a fingerprint: let the space coarsen or jitter counts, sample workers, merge employers or give a fresh serial every year."
	case strings.HasPrefix(check, "attack.worker."):
		return "A cell of one person publishes that person's class without any linkage: let the space widen classes, suppress cells or merge small employers."
	}
	return ""
}

func reason(m *tune.Map) string {
	for _, s := range m.Points {
		if s.Reason != "" {
			return s.Reason
		}
	}
	return "nothing was measured"
}
