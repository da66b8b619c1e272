package fidelity

import (
	"errors"
	"math"

	"scramblelab/internal/infer"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
)

// ratio is a ratio of sums over units, whole and by size class of the
// employer: a share or a mean whose interval comes from the variation between
// units.
type ratio struct {
	share  bool
	all    sums
	bySize []sums
}

type sums struct{ sum, count []float64 } // by unit

func newSums(units int) sums { return sums{make([]float64, units), make([]float64, units)} }

func (s sums) add(unit int32, x float64) {
	s.sum[unit] += x
	s.count[unit]++
}

func newRatio(units int, share bool) *ratio {
	r := &ratio{share: share, all: newSums(units), bySize: make([]sums, linked.SizeDict.Len())}
	for k := range r.bySize {
		r.bySize[k] = newSums(units)
	}
	return r
}

func (r *ratio) add(unit, size int32, x float64) {
	r.all.add(unit, x)
	if size >= 0 {
		r.bySize[size].add(unit, x)
	}
}

// row is a share with Wilson's interval for clustered trials, or a mean with a
// linearised one. It never divides by nothing.
func (r *ratio) row(group string, s sums, level, floor float64) metric.Row {
	n := sum(s.count)
	if n == 0 {
		return metric.Missing(group, "nothing to compare in these employers")
	}
	of := infer.MeanCluster
	if r.share {
		of = infer.ClusterWilson
	}
	iv, err := of(s.sum, s.count, level)
	row := metric.Row{Group: group, Value: metric.Number(iv.Value), Low: metric.Number(iv.Low), High: metric.Number(iv.High),
		Level: metric.Number(level), N: int64(n), Baseline: metric.Number(floor)}
	switch {
	case errors.Is(err, infer.ErrOneCluster):
		row.Value, row.Low, row.High, row.Reason = metric.Number(sum(s.sum)/n), metric.None, metric.None, oneUnit
	case err != nil:
		return metric.Missing(group, err.Error())
	}
	return within(row, 0, math.Inf(1))
}

// metric makes the metric; floor is its value on an unscrambled release.
func (r *ratio) metric(m metric.Metric, level, floor float64) metric.Metric {
	m.Row = r.row("", r.all, level, floor)
	for k, l := range linked.SizeDict.Labels() {
		m.By = append(m.By, r.row("size "+l, r.bySize[k], level, floor))
	}
	return m
}
