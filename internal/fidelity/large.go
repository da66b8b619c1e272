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
	all int // employers of whom it is a sample
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
	return &part{p, len(order)}, nil
}

// parts say how much of the variation of each employer between resamples counts in
// tables, so that few rows are read: the largest employers, with half of the cells
// asked for, count in full, since they hold most of what varies; of the others a
// random share f, who stand for all of them, 1/√f times, and the rest not at all.
// The variance of a total is then that of resamples of all.
func (s *setting) parts(cells int) []float64 {
	f := s.fragment
	staff, rows := make([]float64, f.units), make([]int, f.units)
	for i, w := range f.staff(nil) {
		staff[f.cells.unit[i]] += w
		rows[f.cells.unit[i]]++
	}
	order := make([]int32, f.units)
	for u := range order {
		order[u] = int32(u)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(staff[b], staff[a]) })
	out := make([]float64, f.units)
	large, read := 0, 0
	for large < len(order) && read+rows[order[large]] <= cells/2 {
		read += rows[order[large]]
		out[order[large]] = 1
		large++
	}
	rest, left := order[large:], 0
	for _, u := range rest {
		left += rows[u]
	}
	if len(rest) == 0 {
		return out
	}
	at := s.Key.At(stagePart)
	slices.SortFunc(rest, func(a, b int32) int { return cmp.Compare(at.Uint64(uint64(a)), at.Uint64(uint64(b))) })
	n := min(len(rest), max(2, int(float64(len(rest))*float64(cells/2)/float64(left))))
	for _, u := range rest[:min(n, len(rest))] {
		out[u] = math.Sqrt(float64(len(rest)) / float64(n))
	}
	return out
}

// complete gives what was measured on every row what only the part has: trees, and
// intervals of the difference-in-differences, which are measured in standard errors
// and vary by as many of them on any number of employers.
func (p *part) complete(full, sample *Result) {
	for i := range full.Metrics {
		m := &full.Metrics[i]
		k := slices.IndexFunc(sample.Metrics, func(x metric.Metric) bool { return x.Name == m.Name })
		if k < 0 {
			continue
		}
		from := sample.Metrics[k]
		switch {
		case grownOnPart(m.Name):
			m.Row = from.Row
			m.Method += p.note("Grown")
		case m.Name == didNames.prefix+"noise-se":
			m.Row = from.Row
			m.Method += p.note("From resamples")
		case !strings.HasPrefix(m.Name, didNames.prefix):
			m.Method += " Resamples take the largest employers and a random share of the others, who stand for all of them."
		case m.Name == didNames.overlap || m.Name == didNames.bias:
			if !p.interval(&m.Row, from.Row) {
				continue
			}
			for j := range m.By {
				if r := slices.IndexFunc(from.By, func(x metric.Row) bool { return x.Group == m.By[j].Group }); r >= 0 {
					p.interval(&m.By[j], from.By[r])
				}
			}
			m.Method += p.note("Interval from resamples")
		}
	}
	p.derive(full.Metrics, sample.Metrics)
}

func (p *part) note(what string) string {
	return fmt.Sprintf(" %s of %d of the %d employers, drawn at random.", what, p.units, p.all)
}

func grownOnPart(name string) bool {
	return name == "fidelity.propensity.auc" || name == "fidelity.propensity.cart-pmse"
}

// interval gives a row an interval as wide as that of the part.
func (p *part) interval(to *metric.Row, from metric.Row) bool {
	if !to.Value.Valid() || to.Low.Valid() || !from.Low.Valid() || !from.High.Valid() {
		return false
	}
	half := max(from.High-from.Value, from.Value-from.Low)
	to.Low, to.High, to.Level, to.Reason = to.Value-half, to.Value+half, from.Level, ""
	if from.Low >= 0 {
		to.Low = max(0, to.Low)
	}
	if to.Value <= 1 && from.High <= 1 {
		to.High = min(1, to.High)
	}
	return true
}

// derive computes what rests on several completed numbers.
func (p *part) derive(full, sample []metric.Metric) {
	of := func(ms []metric.Metric, name string) *metric.Metric {
		if k := slices.IndexFunc(ms, func(m metric.Metric) bool { return m.Name == name }); k >= 0 {
			return &ms[k]
		}
		return nil
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
