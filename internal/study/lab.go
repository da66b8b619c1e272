package study

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"scramblelab/internal/escrow"
	"scramblelab/internal/fidelity"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/policy"
	"scramblelab/internal/progress"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
)

// Lab holds data that were read once, and measures plans on them in memory.
// Nothing leaves it: it writes no release, keeps no key and enters nothing in a
// ledger. It is safe for concurrent use.
type Lab struct {
	raw    *linked.Data // before any plan recodes columns
	digest string       // of the data as the plan of the lab recodes them
	sim    rng.Sim

	mu      sync.Mutex
	recoded map[string]*linked.Data // by the steps that recode
}

// OpenLab reads or generates the data of a plan. The seed generates them, where
// they are generated, and resamples.
func OpenLab(ctx context.Context, p plan.Plan, seed uint64, show progress.Func) (*Lab, error) {
	raw, err := load(ctx, p, rng.Sim(seed), show)
	if err != nil {
		return nil, err
	}
	l := &Lab{raw: raw, sim: rng.Sim(seed), recoded: map[string]*linked.Data{}}
	data, err := l.dataOf(p)
	if err != nil {
		return nil, err
	}
	l.digest = escrow.Digest(data)
	return l, nil
}

// dataOf returns the data as a plan recodes them: plans of one lab may differ in
// that, too. Columns that are not recoded are shared.
func (l *Lab) dataOf(p plan.Plan) (*linked.Data, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	steps := slices.DeleteFunc(slices.Clone(p.Scramble.Steps), func(s plan.Step) bool { return s.Method != plan.Recode })
	name := ""
	for _, s := range steps {
		name += fmt.Sprintf("%s %s %d\n", s.Column, s.File, s.Depth)
	}
	if d, ok := l.recoded[name]; ok {
		return d, nil
	}
	d, err := recode(p, l.raw)
	if err != nil {
		return nil, err
	}
	l.recoded[name] = d
	return d, nil
}

// Digest is that of the data: confidential, since it confirms a guess.
func (l *Lab) Digest() string { return l.digest }

// DetailLost is the share of what level and field of education tell together, in
// bits, that a plan's recoding takes away: no measure of use sees that, since
// releases are compared with originals in the same codes.
func (l *Lab) DetailLost(p plan.Plan) (float64, error) {
	data, err := l.dataOf(p)
	if err != nil {
		return 0, err
	}
	before := bits(l.raw.Jobs)
	if before == 0 {
		return 0, nil
	}
	return max(0, 1-bits(data.Jobs)/before), nil
}

// bits is the entropy of level and field together.
func bits(jobs *frame.Frame) float64 {
	cell, cells := make([]int, jobs.Rows()), 1
	for _, name := range []string{linked.Level, linked.Field} {
		c, ok := jobs.Lookup(name)
		if !ok || !c.Coded() {
			continue
		}
		codes := c.Dict.Len() + 1 // missing is -1
		for i, code := range c.I {
			cell[i] = cell[i]*codes + int(code) + 1
		}
		cells *= codes
	}
	counts := make([]int, cells)
	for _, k := range cell {
		counts[k]++
	}
	h, n := 0.0, float64(len(cell))
	for _, k := range counts {
		if k > 0 {
			h -= float64(k) / n * math.Log2(float64(k)/n)
		}
	}
	return h
}

// Measure scrambles, publishes, attacks and judges as [Run] does, under the key
// that a number gives. The plan must be of the lab's data; the report has no
// structural facts, no plan, and no word on which features identify.
func (l *Lab) Measure(ctx context.Context, p plan.Plan, pol policy.Policy, key uint64) (*metric.Report, error) {
	return l.measure(ctx, p, pol, key, everything)
}

// Screen is Measure for a search: it leaves out attacks and measures that neither
// a gate nor one of the metrics named asks for. What it measures is the same to
// the last bit.
func (l *Lab) Screen(ctx context.Context, p plan.Plan, pol policy.Policy, key uint64, also []string) (*metric.Report, error) {
	return l.measure(ctx, p, pol, key, wantedBy(pol, also))
}

func (l *Lab) measure(ctx context.Context, p plan.Plan, pol policy.Policy, key uint64, w wanted) (*metric.Report, error) {
	secret := rng.SecretFromSeed(key)
	data, err := l.dataOf(p)
	if err != nil {
		return nil, err
	}
	s, err := scramble(ctx, p, data, secret)
	if err != nil {
		return nil, err
	}
	s.delivery = release.Delivery{Phase: release.PhaseOne, Recipient: p.Project.Recipient, Number: 1}
	v, err := s.publish(ctx)
	if err != nil {
		return nil, err
	}
	tables, serials, err := release.Serialise(v.release, secret, s.delivery, s.perYear)
	if err != nil {
		return nil, err
	}
	held := s.held(&release.Release{Tables: tables, Manifest: release.Manifest{Meta: release.Meta{SerialPerYear: serials.PerYear}}})
	attacked := s.fingerprints
	if w.curve {
		attacked = s.claims
	}
	found, err := attacked(ctx, held, l.sim, nil, nil)
	if err != nil {
		return nil, err
	}
	risk, err := s.score(ctx, held, found, serials, l.sim)
	if err != nil {
		return nil, err
	}
	if w.file {
		if err := s.attackFile(ctx, &risk, held, serials, v.population); err != nil {
			return nil, err
		}
	}
	in := v.input(s, l.sim)
	in.Only = w.families
	use, err := fidelity.Measure(ctx, in)
	if err != nil {
		return nil, err
	}
	r := &metric.Report{
		Version: metric.Version, Tool: Tool(), Simulation: data.Simulated, PlanDigest: p.Digest(), DataDigest: l.digest, N: s.counted(v),
		Metrics: slices.Concat(risk.metrics, use.Metrics, s.swapMetrics(), s.maskMetrics(v)), Warnings: slices.Concat(s.warnings(), risk.warnings),
	}
	if data.SampledWithin {
		sizeless(r.Metrics)
	}
	r.Gates = policy.Judge(pol, r)
	return r, r.Validate()
}

// wanted says what a lab measures beside the attacks on employers and workers.
type wanted struct {
	curve    bool     // what each further year tells
	file     bool     // the risk of the file itself, and of phase two
	families []string // of fidelity; nil for all
}

var everything = wanted{curve: true, file: true}

// families are those of the measures of use that policies name most; whatever
// else is asked for, all are measured.
var families = []struct{ metrics, family string }{
	{"fidelity.margins.level-field-*", "margins and wages"},
	{"fidelity.wages.level-field-*", "margins and wages"},
	{"fidelity.cells.*", "cells"},
	{"fidelity.regression.*", "wage regression"},
	{"fidelity.heads.*", "head counts"},
	{"fidelity.did.*", "difference-in-differences"},
}

func wantedBy(pol policy.Policy, also []string) wanted {
	w := wanted{families: []string{}}
	names := slices.Clone(also)
	for _, g := range pol.Gates {
		names = append(names, g.Metric)
		w.curve = w.curve || mayMean(g.Group, "years=")
	}
	for _, n := range names {
		w.file = w.file || mayMean(n, "attack.file.") || mayMean(n, "attack.employer.phase-two.")
		if !mayMean(n, "fidelity.") {
			continue
		}
		i := slices.IndexFunc(families, func(f struct{ metrics, family string }) bool { return policy.Match(f.metrics, n) })
		switch {
		case i < 0:
			w.families = nil
			return wanted{curve: w.curve, file: true}
		case !slices.Contains(w.families, families[i].family):
			w.families = append(w.families, families[i].family)
		}
	}
	return w
}

// mayMean reports whether a name or pattern can mean something that begins so.
func mayMean(pattern, prefix string) bool {
	start, _, open := strings.Cut(pattern, "*")
	return strings.HasPrefix(start, prefix) || open && strings.HasPrefix(prefix, start)
}
