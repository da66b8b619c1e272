package fidelity

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// mostCellRows is the number of cells up to which resamples take all employers.
// Beyond, values are those of every row, while floors and intervals of what is slow
// to resample come from a random sample of the employers with about a quarter of
// that number.
const mostCellRows = 1_000_000

const stagePart rng.Stage = 0x46494407

// part is a random sample of the employers, on which resamples stand in for those
// of all.
type part struct {
	*setting
	all   int     // employers of whom it is a sample
	share float64 // of their effective number, that of employers of equal size
}

// onPart are the measures whose resamples are taken of a part: many tables, and
// panels. Resamples of the others take few seconds on any file.
var onPart = []string{"tables and dependence", "difference-in-differences"}

const didWords = "Difference-in-differences: effects together"

// measureLarge measures on every row, and takes floors and intervals of what is
// slow to resample from a part of the employers.
func (s *setting) measureLarge(ctx context.Context) (*Result, error) {
	p, err := s.drawPart(s.MostCells / 4)
	if err != nil {
		return nil, err
	}
	s.large = true
	full, err := s.run(ctx, s.Only)
	if err != nil {
		return nil, err
	}
	wanted := slices.DeleteFunc(slices.Clone(onPart), func(n string) bool { return s.Only != nil && !slices.Contains(s.Only, n) })
	sample, err := p.run(ctx, wanted)
	if err != nil {
		return nil, err
	}
	p.complete(full, sample)
	for _, m := range full.Metrics {
		if m.Name == didNames.prefix+"subsample" {
			full.words = append(full.words, s.saidOf(didWords, m)...)
		}
		if m.Name == "fidelity.propensity.auc" {
			full.words = append(full.words, toldWords(m)...)
		}
	}
	return full, nil
}

// valuesOnly is the setting without resamples, for what a part will complete.
func (s *setting) valuesOnly() *setting {
	if !s.large {
		return s
	}
	out := *s
	out.Draws, out.draws = 0, nil
	return &out
}

// drawPart takes so many employers at random as have about the cells asked for.
func (s *setting) drawPart(cells int) (*part, error) {
	key := s.Fragment.Employers.Col(linked.Employer)
	order := make([]int32, s.fragment.units)
	for u := range order {
		order[u] = int32(u)
	}
	at := s.Key.At(stagePart)
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(at.Uint64(uint64(a)), at.Uint64(uint64(b))) })
	// Their number does not look at their size: whoever stops at a large employer
	// leaves it out.
	n := min(len(order), max(2, int(float64(len(order))*float64(cells)/float64(max(1, len(s.fragment.cells.unit))))))
	drawn := make([]bool, len(order))
	for _, u := range order[:n] {
		drawn[u] = true
	}
	in := make([]bool, key.Dict.Len())
	u := int32(-1)
	for i, e := range key.I { // sorted by employer: units are numbered in this order
		if i == 0 || e != key.I[i-1] {
			u++
		}
		in[e] = drawn[u]
	}
	restricted := func(t *publish.Tables) *publish.Tables {
		with := func(f *frame.Frame) *frame.Frame {
			codes := f.Col(linked.Employer).I
			return f.Filter(func(i int) bool { return in[codes[i]] })
		}
		return &publish.Tables{Employers: with(t.Employers), Cells: with(t.Cells)}
	}
	sub := s.Input
	sub.Fragment, sub.Release, sub.Population, sub.Bands = restricted(s.Fragment), restricted(s.Release), nil, s.Bands
	sub.Workers, sub.Program, sub.Null, sub.Statistics = nil, nil, nil, nil
	p, err := newSetting(withDefaults(sub))
	if err != nil {
		return nil, err
	}
	return &part{p, len(order), min(1, p.fragment.effective()/s.fragment.effective())}, nil
}

// effective is the number of employers of equal size whose staff would vary as
// much between draws: (Σw)²/Σw² of their staff times design weight (Kish 1965).
func (v *view) effective() float64 {
	staff := make([]float64, v.units)
	for i, w := range v.staff(nil) {
		staff[v.cells.unit[i]] += w
	}
	squares := 0.0
	for _, w := range staff {
		squares += float64(w * w)
	}
	total := sum(staff)
	return float64(total*total) / squares
}

// complete gives what was measured on every row the floors and intervals of a part
// of the employers. n and N are the effective numbers of employers in part and
// whole, since a few large ones hold most of the staff and, with it, most of what
// varies between draws:
//
//   - intervals are √(n/N) times as wide;
//   - floors are √(n/N) times as far from the perfect value, and n/N times for
//     what is quadratic in small differences: pMSE, Jensen-Shannon divergence,
//     mutual information;
//   - what is measured in standard errors varies by as many of them.
//
// What the part has no row for keeps its reason. Trees are grown on the part.
func (p *part) complete(full, sample *Result) {
	for i := range full.Metrics {
		m := &full.Metrics[i]
		k := slices.IndexFunc(sample.Metrics, func(x metric.Metric) bool { return x.Name == m.Name })
		if k < 0 {
			continue
		}
		from := sample.Metrics[k]
		changed := p.merge(m, &m.Row, from.Row)
		for j := range m.By {
			if r := slices.IndexFunc(from.By, func(x metric.Row) bool { return x.Group == m.By[j].Group }); r >= 0 {
				changed = p.merge(m, &m.By[j], from.By[r]) || changed
			}
		}
		if changed {
			m.Method += p.note()
		}
	}
	p.derive(full.Metrics, sample.Metrics)
}

// derive computes what rests on several completed numbers.
func (p *part) derive(full, sample []metric.Metric) {
	of := func(ms []metric.Metric, name string) *metric.Metric {
		if k := slices.IndexFunc(ms, func(m metric.Metric) bool { return m.Name == name }); k >= 0 {
			return &ms[k]
		}
		return nil
	}
	if r, from := of(full, "fidelity.propensity.pmse-ratio"), of(full, "fidelity.propensity.two-way-pmse"); r != nil && from != nil {
		if ratio, ok := overFloor(from.Row); ok {
			r.Row = ratio
			r.Method += p.note()
		}
	}
	for i := range full {
		prefix, found := strings.CutSuffix(full[i].Name, "subsample")
		bias, noise := of(full, prefix+"systematic-se"), of(sample, prefix+"noise-se")
		if !found || bias == nil || noise == nil || !noise.Value.Valid() || !full[i].Value.Valid() {
			continue
		}
		// The squared error is known on every row, and the noise is
		// taken out of it.
		l := loss{squared: float64(bias.Value * bias.Value), noise: float64(noise.Value * noise.Value)}
		square := l.squared - l.noise
		for j := range full[i].By { // the whole selection
			r := &full[i].By[j]
			group, m := r.Group, r.M
			*r = p.neverRow(metric.Row{Value: metric.Number(l.equivalent(float64(p.all) / float64(m))), Low: metric.None, High: metric.None, Level: metric.None, N: int64(p.all), Baseline: 1, Reason: "no interval: the noise is that of a part of the employers"}, int(m))
			r.Group, r.M = group, m
		}
		bias.Value, bias.Low, bias.High, bias.Reason = metric.Number(math.Sqrt(max(0, square))), metric.None, metric.None, "no interval: the noise taken out of it is that of a part of the employers"
	}
}

func (p *part) note() string {
	return fmt.Sprintf(" Floor and interval from resamples of %d of %d employers, drawn at random, scaled by the root of their effective number (%.2g %%).", p.units, p.all, 100*p.share)
}

func grownOnPart(name string) bool {
	return name == "fidelity.propensity.auc" || name == "fidelity.propensity.cart-pmse"
}

// perfect is the value of a measure where nothing changed.
func perfect(m *metric.Metric) float64 {
	switch {
	case m.Name == "fidelity.propensity.auc":
		return 0.5
	case m.Name == "fidelity.marginals.nist-score":
		return 1000
	case m.Better == metric.Higher:
		return 1
	}
	return 0
}

// merge completes a row by that of the part, and says whether it did.
func (p *part) merge(m *metric.Metric, to *metric.Row, from metric.Row) bool {
	root := math.Sqrt(p.share)
	if strings.HasPrefix(m.Name, didNames.prefix) {
		root = 1 // measured in standard errors
	}
	switch {
	case grownOnPart(m.Name):
		*to = from
		return true
	case strings.HasSuffix(m.Name, "noise-se"):
		to.Value, to.Low, to.High, to.Reason = from.Value, from.Low, from.High, from.Reason
		return true
	case strings.HasSuffix(m.Name, "subsample"), strings.HasSuffix(m.Name, "systematic-se"):
		return false // see derive
	}
	if !to.Value.Valid() || !from.Value.Valid() {
		return false
	}
	done := false
	if from.Low.Valid() && from.High.Valid() && !to.Low.Valid() {
		half := root * math.Max(float64(from.High-from.Value), float64(from.Value-from.Low))
		to.Low, to.High, to.Level, to.Reason = to.Value-metric.Number(half), to.Value+metric.Number(half), from.Level, ""
		if from.Low >= 0 {
			to.Low = max(min(0, to.Value), to.Low)
		}
		if m.Unit == "share" && from.High <= 1 {
			to.High = min(max(1, to.Value), to.High)
		}
		done = true
	}
	if from.Baseline.Valid() && !to.Baseline.Valid() {
		scale := root
		if strings.HasSuffix(m.Name, "pmse") || strings.Contains(m.Name, "mutual-information") || strings.HasSuffix(m.Name, "jensen-shannon") {
			scale = p.share
		}
		at := perfect(m)
		to.Baseline = metric.Number(at + scale*(float64(from.Baseline)-at))
		done = true
	}
	return done
}
