package fidelity

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/metric"
	"scramblelab/internal/par"
)

// Distinction is how well a release is told from the fragment that it was made
// from, by propensity scores: mean squared errors about ½, 0 to 0.25, and an area
// under the curve.
type Distinction struct {
	Pairs       float64 // saturated in two columns, mean over all pairs
	OutOfSample float64 // the same, scores learnt on one half of the employers and used on the other
	Tree        float64 // of a classification tree on employers it was not grown on
	Area        float64 // of that tree
}

// Distinguish tells a release from its fragment. Done on copies that the same
// method scrambled under other keys, fragments drawn anew, it gives the
// distribution against which a release is to be read: that of independent
// synthesis does not hold for a permutation (METHODS 3). Whole selection, models
// and resamples play no part.
func Distinguish(ctx context.Context, in Input) (Distinction, error) {
	nan := math.NaN()
	out := Distinction{nan, nan, nan, nan}
	if err := in.Validate(); err != nil {
		return out, err
	}
	in.Population, in.Statistics, in.Draws = nil, nil, 2
	s, err := newSetting(withDefaults(in))
	if err != nil {
		return out, fmt.Errorf("fidelity: %w", err)
	}
	t := s.newSheet()
	t.draws = nil
	if len(t.axes) == 0 || t.units < 2 || !(sum(t.version[atFragment].weight) > 0) || !(sum(t.version[atRelease].weight) > 0) {
		return out, nil
	}
	pairs := subsets(len(t.axes), 2)
	found, err := par.Map(ctx, len(pairs), func(i int) ([2]float64, error) {
		c, ok := t.count(pairs[i], false, false)
		if !ok {
			return [2]float64{nan, nan}, nil
		}
		return [2]float64{pairPMSE(c.of[atFragment], c.of[atRelease]), t.outOfSample(pairs[i])}, nil
	})
	if err != nil {
		return out, err
	}
	averaged := func(k int) float64 {
		total, n := 0.0, 0.0
		for _, x := range found {
			if !math.IsNaN(x[k]) {
				total, n = total+x[k], n+1
			}
		}
		return total / n
	}
	out.Pairs, out.OutOfSample = averaged(0), averaged(1)
	told, _, err := t.trees(ctx)
	out.Tree, out.Area = told.pmse, told.auc
	return out, err
}

// outOfSample is the pMSE of a pair of columns with their interaction on
// employers of whom the scores have seen nothing, mean over the two ways to go.
func (t *sheet) outOfSample(axes []int) float64 {
	radices, n, ok := t.cells(axes, false)
	if !ok {
		return math.NaN()
	}
	var tables [2][2][]float64 // by half, then fragment and release
	for h := range tables {
		tables[h] = [2][]float64{make([]float64, n), make([]float64, n)}
	}
	for v := range 2 {
		r := t.version[v]
		for i, k := range t.keys(r, axes, radices, false) {
			tables[int(indicator(firstHalf(r.unit[i])))][v][k] += r.weight[i]
		}
	}
	total := 0.0
	for h := range tables {
		seen, other := tables[h], tables[1-h]
		a, b, c, d := sum(seen[0]), sum(seen[1]), sum(other[0]), sum(other[1])
		if !(a > 0) || !(b > 0) || !(c > 0) || !(d > 0) {
			return math.NaN()
		}
		for k := range n {
			x, y := seen[0][k]/a, seen[1][k]/b
			if x+y > 0 {
				e := y/(x+y) - 0.5
				total += float64((other[0][k]/c + other[1][k]/d) / 2 * e * e)
			}
		}
	}
	return total / 2
}

// sameMethod places the release among copies scrambled by the same method under
// other keys; nothing where there are none.
func (s *setting) sameMethod(ctx context.Context) (Result, error) {
	if len(s.Null) == 0 {
		return Result{}, nil
	}
	n := len(s.Null)
	m := metric.Metric{Name: "fidelity.propensity.same-method", Better: metric.Lower, Unit: "standard deviations between keys",
		Method: fmt.Sprintf("S_pMSE: the two-way pMSE of the release less its mean over %d copies that the same plan scrambled under other keys, each against a fragment of its own draw, over the standard deviation between them. Near 0 this key is like any other, whatever the method does; beyond 2 it is out of the ordinary. Rows: the same pMSE out of sample, and the tree's.", n)}
	if s.large {
		m.Row = metric.Missing("", fmt.Sprintf("the file has more than %d cells: its tree is grown on a part of the employers, those of the copies are not", s.MostCells))
		return Result{Metrics: []metric.Metric{m}}, nil
	}
	own, err := Distinguish(ctx, s.Input)
	if err != nil {
		return Result{}, err
	}
	t := metric.Table{Name: "same-method", Title: "This release among others by the same method", Columns: []string{"told apart by", "this release", fmt.Sprintf("mean of %d keys", n), "sd between keys", "distance in sd"},
		Note: "Copies scrambled under other keys, of fragments drawn anew. That this release is like them says nothing against the method: the noise floor of the pMSE does that."}
	for i, x := range []struct {
		group, what string
		of          func(d Distinction) float64
	}{
		{"", "pairs of columns", func(d Distinction) float64 { return d.Pairs }},
		{"out of sample", "pairs of columns, on other employers", func(d Distinction) float64 { return d.OutOfSample }},
		{"tree", "a tree, on other employers", func(d Distinction) float64 { return d.Tree }},
		{"area under the curve", "area under the tree's curve", func(d Distinction) float64 { return d.Area }},
	} {
		mean, sd := spread(n, func(k int) float64 { return x.of(s.Null[k]) })
		z := (x.of(own) - mean) / sd
		row := metric.Missing(x.group, "told apart on fewer than two copies, or alike on all")
		if !math.IsNaN(z) && !math.IsInf(z, 0) {
			row = metric.Row{Group: x.group, Value: metric.Number(z), Low: metric.None, High: metric.None, Level: metric.None, N: int64(n), Baseline: 0, Reason: "no interval: it is itself a distance in standard deviations"}
			t.Rows = append(t.Rows, []string{x.what, fmt.Sprintf("%.5f", x.of(own)), fmt.Sprintf("%.5f", mean), fmt.Sprintf("%.5f", sd), fmt.Sprintf("%+.1f", z)})
		}
		if i == 0 {
			m.Row = row
		} else {
			m.By = append(m.By, row)
		}
	}
	out := Result{Metrics: []metric.Metric{m}}
	if len(t.Rows) > 0 {
		out.Tables = []metric.Table{t}
	}
	return out, nil
}
