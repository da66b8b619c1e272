package score_test

import (
	"math"
	"testing"

	"scramblelab/internal/attack"
	"scramblelab/internal/infer"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/population"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
	"scramblelab/internal/score"
)

// The null release of METHODS 2 for the attacks beside the fingerprint: a
// fragment of an independent population, scrambled, behind the public file of
// another one. Whoever says which employers are in the fragment, restores cells by
// stacking the years, reads wages in them, or tells swapped cells from genuine
// ones must not beat the baseline that the report gives: p-values by the reported
// interval are stochastically at least uniform, so that among 200 populations no
// more than a share a of them is at most a. False alarm about 2e-4 for each of
// the attacks and levels.
func TestNullRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("200 populations")
	}
	const worlds = 200
	low := map[string][]float64{}
	first := generated(t, 0)
	for w, d := 0, first; w < worlds; w++ {
		other := first // every population is the public one once, and the released one once
		if w+1 < worlds {
			other = generated(t, uint64(w)+1)
		}
		for _, m := range nullMetrics(t, rng.Sim(w), d, other) {
			low[m.Name] = append(low[m.Name], pValue(m))
		}
		d = other
	}
	if len(low) != 3+3 {
		t.Errorf("%d attacks were tried, want membership by three presets and three that undo swaps", len(low))
	}
	for name, ps := range low {
		for _, level := range []float64{0.01, 0.05, 0.2, 0.5} {
			got := 0
			for _, p := range ps {
				if p <= level {
					got++
				}
			}
			if _, most := infer.BinomialBand(worlds, level, 4e-4); got > most {
				t.Errorf("%s: %d of %d p-values are at most %v, want no more than %d", name, got, len(ps), level, most)
			}
		}
	}
}

// pValue is the one-sided p-value of a metric against its baseline, by the width
// of its interval above it; 1 where there is nothing to test.
func pValue(m metric.Metric) float64 {
	if !m.Value.Valid() || m.Value <= m.Baseline {
		return 1
	}
	se := float64(m.Value-m.Low) / infer.Quantile(0.95)
	return math.Erfc(float64(m.Value-m.Baseline)/se/math.Sqrt2) / 2
}

func generated(t *testing.T, seed uint64) *linked.Data {
	t.Helper()
	p, err := population.Generate(t.Context(), population.Options{Employers: 50, From: 2018, To: 2021, Seed: 10000 + seed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Linked()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const stageNull rng.Stage = 0x57c0e

// exchanged gives a share of the workers of every year each other's diplomas.
func exchanged(d *linked.Data, seed rng.Sim, rate float64) *linked.Data {
	s := seed.Stream(stageNull, 0)
	byYear, from := map[int32][]int32{}, make([]int32, d.Jobs.Rows())
	for i, y := range d.Jobs.Col(linked.Year).I {
		byYear[y], from[i] = append(byYear[y], int32(i)), int32(i)
	}
	for _, y := range d.Years() {
		touched := rng.Sample(s, byYear[y], int(rate*float64(len(byYear[y])))/2*2)
		for i := 0; i < len(touched); i += 2 {
			from[touched[i]], from[touched[i+1]] = touched[i+1], touched[i]
		}
	}
	out := *d
	for _, name := range []string{linked.Level, linked.Field} {
		out.Jobs = out.Jobs.With(d.Jobs.Col(name).Take(from))
	}
	return &out
}

// someEmployers draws n employers of d.
func someEmployers(d *linked.Data, n int, seed rng.Sim, id uint64) []int32 {
	all := make([]int32, d.Employers())
	for e := range all {
		all[e] = int32(e)
	}
	return rng.Sample(seed.Stream(stageNull, id), all, n)
}

// nullMetrics lets the attacks loose on a fragment of other, as if it were one
// of d.
func nullMetrics(t *testing.T, seed rng.Sim, d, other *linked.Data) []metric.Metric {
	t.Helper()
	const n, rate = 20, 0.2
	other = exchanged(other, seed, rate)
	wage, err := publish.NewClasses(publish.Spec{Width: 5000, Top: 100000})
	if err != nil {
		t.Fatal(err)
	}
	tables, err := publish.Publish(t.Context(), other, someEmployers(other, n, seed, 1), publish.Options{Wage: wage})
	if err != nil {
		t.Fatal(err)
	}
	tables, _, err = release.Serialise(tables, rng.SecretFromSeed(uint64(seed)), release.Delivery{}, false)
	if err != nil {
		t.Fatal(err)
	}
	truth, drawn := score.Truth{}, make([]bool, d.Employers()) // whom the serials would be
	for i, e := range someEmployers(d, n, seed, 2) {
		truth[score.Key{Serial: int32(i) + 1}], drawn[e] = []int32{e}, true
	}
	held := attack.Release{Tables: tables, Periods: true, Method: attack.Method{Swaps: []attack.Swap{{Rate: rate, Bundle: []string{linked.Level, linked.Field}}}}}

	public, err := attack.FromAccounts(d)
	if err != nil {
		t.Fatal(err)
	}
	var presets []attack.Adversary
	for _, a := range attack.Adversaries() {
		switch a.Name {
		case "outsider", "competitor", "head-count-only": // without firm columns the others are the outsider
			presets = append(presets, a)
		}
	}
	found, err := attack.FingerprintAll(t.Context(), held, public, presets, attack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out []metric.Metric
	for _, f := range found {
		var inside, outside []float64
		for e, p := range f.Membership(d.Employers()) {
			if drawn[e] {
				inside = append(inside, p)
			} else {
				outside = append(outside, p)
			}
		}
		out = append(out, score.Membership("fingerprint", f.Adversary.Name, "", "", inside, outside, f.M)[0])
	}

	paths, err := attack.NewStaffPaths(held, metric.KnowsParameters, nil)
	if err != nil {
		t.Fatal(err)
	}
	stacked, cells := paths.Stack(), cellsOf(d)
	out = append(out, score.Placed("colleague", "", placed(stacked, cells, truth), d.Jobs.Rows()))

	dict := tables.Cells.Col(publish.WageClass).Dict
	prior, err := attack.NewPrior(d, dict, func(e int32) bool { return !drawn[e] })
	if err != nil {
		t.Fatal(err)
	}
	serialOf, right := truth.SerialOf()
	employer := d.Jobs.Col(linked.Employer).I
	rows := attack.DrawTargets(d.Jobs, func(i int) bool { return drawn[employer[i]] }, 300, seed)
	targets := attack.TargetsOf(d, rows)
	claims, err := attack.StackedDisclosure(held, metric.KnowsParameters, serialOf, targets, stacked, prior)
	if err != nil {
		t.Fatal(err)
	}
	ms, err := score.Workers(score.StackedYears, "colleague", "", claims, score.WorkerTruth{WageClass: attack.WageClasses(d.Jobs, rows, dict), Targets: targets}, d.Jobs.Rows(), right)
	if err != nil {
		t.Fatal(err)
	}
	out = append(out, ms[0])

	suspects, err := attack.Suspect(held, metric.KnowsParameters, prior, stacked)
	if err != nil {
		t.Fatal(err)
	}
	var cases []score.SuspectCase
	for _, c := range suspects {
		e := truth[score.Key{Serial: c.Serial}][0]
		cases = append(cases, score.SuspectCase{Employer: e, ByWage: c.ByWage, ByYears: c.ByYears, Swapped: cells[e][cell{c.Year, c.Level, c.Field}] == 0})
	}
	return append(out, score.Suspected("colleague", "", cases, d.Jobs.Rows()))
}

type cell struct{ year, level, field int32 }

// cellsOf counts the staff of every employer by cell.
func cellsOf(d *linked.Data) []map[cell]float64 {
	out := make([]map[cell]float64, d.Employers())
	year, level, field := d.Jobs.Col(linked.Year).I, d.Jobs.Col(linked.Level).I, d.Jobs.Col(linked.Field).I
	left, dated := d.Jobs.Lookup(linked.Left)
	for i, e := range d.Jobs.Col(linked.Employer).I {
		if dated && !left.Missing(i) {
			continue
		}
		if out[e] == nil {
			out[e] = map[cell]float64{}
		}
		out[e][cell{year[i], level[i], field[i]}]++
	}
	return out
}

// placed compares restored cells with those of the employers that serials would
// be.
func placed(stacked []attack.StackedCell, cells []map[cell]float64, truth score.Truth) []score.PlacedCase {
	pool, all := map[cell]float64{}, 0.0
	var diplomas []cell
	for _, c := range stacked {
		k := cell{0, c.Level, c.Field}
		if pool[k] == 0 && c.Released > 0 {
			diplomas = append(diplomas, k)
		}
		pool[k] += c.Released
		all += c.Released
	}
	shares := make([]float64, len(diplomas))
	for i, k := range diplomas {
		shares[i] = pool[k] / all
	}
	var out []score.PlacedCase
	last := [2]int32{}
	for _, c := range stacked {
		e := truth[score.Key{Serial: c.Serial}][0]
		if at := [2]int32{c.Serial, c.Year}; at != last || len(out) == 0 {
			last = at
			p := score.PlacedCase{Employer: e}
			for k, n := range cells[e] {
				if k.year == c.Year {
					p.Staff += n
				}
			}
			for i, n := range attack.GuessCells(int(p.Staff), shares) {
				p.Baseline += min(n, cells[e][cell{c.Year, diplomas[i].level, diplomas[i].field}])
			}
			out = append(out, p)
		}
		p, n := &out[len(out)-1], cells[e][cell{c.Year, c.Level, c.Field}]
		p.Restored += min(n, c.Restored)
		p.Released += min(n, c.Released)
	}
	return out
}
