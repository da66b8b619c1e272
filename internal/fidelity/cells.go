package fidelity

import (
	"context"

	"scramblelab/internal/frame"
	"scramblelab/internal/infer"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
)

// pair is a cell that stands in the fragment, the release, or both; -1 marks
// absence.
type pair struct{ original, released int32 }

// match joins the cells of two views that are sorted by the same key.
func match(a, b *cells) []pair {
	less := func(i, j int) int {
		for _, d := range [...]int32{a.unit[i] - b.unit[j], a.year[i] - b.year[j], a.level[i] - b.level[j], a.field[i] - b.field[j]} {
			if d != 0 {
				return int(d)
			}
		}
		return 0
	}
	pairs := make([]pair, 0, len(a.unit)+len(b.unit)/4)
	i, j := 0, 0
	for i < len(a.unit) || j < len(b.unit) {
		d := 0
		switch {
		case i == len(a.unit):
			d = 1
		case j == len(b.unit):
			d = -1
		default:
			d = less(i, j)
		}
		switch {
		case d < 0:
			pairs, i = append(pairs, pair{int32(i), -1}), i+1
		case d > 0:
			pairs, j = append(pairs, pair{-1, int32(j)}), j+1
		default:
			pairs, i, j = append(pairs, pair{int32(i), int32(j)}), i+1, j+1
		}
	}
	return pairs
}

// ratio is a ratio of sums over units, whole and by size class: its interval
// comes from the variation between units (infer.MeanCluster).
type ratio struct {
	sum, count []float64
	size       [][2][]float64
}

func newRatio(units int) *ratio {
	r := &ratio{sum: make([]float64, units), count: make([]float64, units), size: make([][2][]float64, linked.SizeDict.Len())}
	for k := range r.size {
		r.size[k] = [2][]float64{make([]float64, units), make([]float64, units)}
	}
	return r
}

func (r *ratio) add(unit, size int32, x, weight float64) {
	r.sum[unit] += x
	r.count[unit] += weight
	if size >= 0 {
		r.size[size][0][unit] += x
		r.size[size][1][unit] += weight
	}
}

func (r *ratio) row(group string, sum, count []float64, level float64) metric.Row {
	n := 0.0
	for _, c := range count {
		n += c
	}
	if n == 0 {
		return metric.Missing(group, "no such cells in the fragment")
	}
	iv, err := infer.MeanCluster(sum, count, level)
	if err != nil {
		return metric.Missing(group, err.Error())
	}
	return metric.Row{Group: group, Value: metric.Number(iv.Value), Low: metric.Number(iv.Low), High: metric.Number(iv.High),
		Level: metric.Number(level), N: int64(n), Baseline: metric.None}
}

// metric makes the metric; floor is its value on an unscrambled release.
func (r *ratio) metric(name string, better metric.Direction, unit, method string, level, floor float64) metric.Metric {
	m := metric.Metric{Name: name, Better: better, Unit: unit, Method: method, Row: r.row("", r.sum, r.count, level)}
	m.Baseline = metric.Number(floor)
	top := 1.0
	if unit != "share" {
		top = 1e300
	}
	m.Row = within(m.Row, 0, top)
	for k, l := range linked.SizeDict.Labels() {
		row := within(r.row("size "+l, r.size[k][0], r.size[k][1], level), 0, top)
		row.Baseline = metric.Number(floor)
		m.By = append(m.By, row)
	}
	return m
}

// cellErrors compares the released cells with the same employers' true cells.
// These measures are paired, so an unscrambled release has no error: that is
// their floor.
func cellErrors(_ context.Context, s *setting) (Result, error) {
	a, b := &s.fragment.cells, &s.release.cells
	size := sizeOfCells(s.fragment)
	sizeReleased := sizeOfCells(s.release)
	exact, mae := newRatio(s.fragment.units), newRatio(s.fragment.units)
	zero, nonzero := newRatio(s.fragment.units), newRatio(s.fragment.units)
	wage, fte := newRatio(s.fragment.units), newRatio(s.fragment.units)
	for _, p := range match(a, b) {
		i, j := p.original, p.released
		switch {
		case j < 0:
			exact.add(a.unit[i], size[i], 0, 1)
			mae.add(a.unit[i], size[i], a.workers[i], 1)
			zero.add(a.unit[i], size[i], 1, 1)
		case i < 0:
			exact.add(b.unit[j], sizeReleased[j], 0, 1)
			mae.add(b.unit[j], sizeReleased[j], b.workers[j], 1)
			nonzero.add(b.unit[j], sizeReleased[j], 1, 1)
		default:
			same := a.workers[i] == b.workers[j] && agree(a.wage, i, b.wage, j) && agree(a.fte, i, b.fte, j)
			exact.add(a.unit[i], size[i], indicator(same), 1)
			mae.add(a.unit[i], size[i], abs(a.workers[i]-b.workers[j]), 1)
			zero.add(a.unit[i], size[i], 0, 1)
			nonzero.add(a.unit[i], size[i], 0, 1)
			wage.add(a.unit[i], size[i], indicator(agree(a.wage, i, b.wage, j)), 1)
			fte.add(a.unit[i], size[i], indicator(agree(a.fte, i, b.fte, j)), 1)
		}
	}
	const paired = " Paired with the same employer's true cell; interval from the variation between employers."
	ms := []metric.Metric{
		exact.metric("fidelity.cells.share-exact", metric.Higher, "share", "Share of cells (employer x year x level x field, true or released) whose count and classes are all as in the unscrambled fragment."+paired, s.Level, 1),
		mae.metric("fidelity.cells.workers-mae", metric.Lower, "workers", "Mean absolute error of the head count of a cell; a class counts as its midpoint."+paired, s.Level, 0),
		zero.metric("fidelity.cells.false-zero-share", metric.Lower, "share", "Share of true cells that the release lacks."+paired, s.Level, 0),
		nonzero.metric("fidelity.cells.false-nonzero-share", metric.Lower, "share", "Share of released cells that do not exist in truth."+paired, s.Level, 0),
	}
	if a.wage.Dict != nil {
		ms = append(ms, wage.metric("fidelity.cells.wage-class-agreement", metric.Higher, "share", "Share of cells present in both whose wage class is the true one."+paired, s.Level, 1))
	}
	if a.fte.Dict != nil {
		ms = append(ms, fte.metric("fidelity.cells.fte-class-agreement", metric.Higher, "share", "Share of cells present in both whose FTE class is the true one."+paired, s.Level, 1))
	}
	return Result{Metrics: append(ms, ageAgreement(s)...)}, nil
}

// ageAgreement compares the age class of employers, row by row.
func ageAgreement(s *setting) []metric.Metric {
	a, b := &s.fragment.firms, &s.release.firms
	r := newRatio(s.fragment.units)
	known := false
	j := 0
	for i := range a.unit {
		for j < len(b.unit) && (b.unit[j] < a.unit[i] || b.unit[j] == a.unit[i] && b.year[j] < a.year[i]) {
			j++
		}
		if j == len(b.unit) || b.unit[j] != a.unit[i] || b.year[j] != a.year[i] || a.age[i] < 0 {
			continue
		}
		known = true
		r.add(a.unit[i], linked.SizeCode(int32(a.head[i])), indicator(a.age[i] == b.age[j]), 1)
	}
	if !known {
		return nil
	}
	return []metric.Metric{r.metric("fidelity.employers.age-class-agreement", metric.Higher, "share",
		"Share of employer-years whose class of mean age is the true one. Paired; interval from the variation between employers.", s.Level, 1)}
}

func sizeOfCells(v *view) []int32 {
	out := make([]int32, len(v.cells.unit))
	k := 0
	for i := range v.firms.unit {
		code := linked.SizeCode(int32(v.firms.head[i]))
		for ; k < len(out) && v.cells.unit[k] == v.firms.unit[i] && v.cells.year[k] == v.firms.year[i]; k++ {
			out[k] = code
		}
	}
	return out
}

func agree(a frame.Column, i int32, b frame.Column, j int32) bool {
	if a.Dict == nil || b.Dict == nil {
		return a.Dict == b.Dict
	}
	return a.I[i] == b.I[j]
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}
