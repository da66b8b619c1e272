package fidelity

import (
	"context"
	"math"

	"scramblelab/internal/metric"
	"scramblelab/internal/par"
)

// pairPMSE is the mean squared error of the propensity score of a logistic model
// with all interactions of a table's columns: it is saturated, so that scores are
// the shares of the second file in each cell. Both files are brought to one
// weight, so c = ½. With counts in place of shares it is VW·c(1-c)²/N of
// synthpop.
func pairPMSE(p, q []float64) float64 {
	np, nq := sum(p), sum(q)
	if !(np > 0) || !(nq > 0) {
		return math.NaN()
	}
	out := 0.0
	for k := range p {
		a, b := p[k]/np, q[k]/nq
		if a+b > 0 {
			e := b/(a+b) - 0.5
			out += float64((a + b) / 2 * e * e)
		}
	}
	return out
}

// PropensityNull is the mean and standard deviation of the pMSE of a logistic
// model of k parameters, the intercept among them, when n1 original and n2
// synthetic records are drawn independently from one law (Snoke et al. 2018).
// It does not hold for permutations, whose margins agree exactly: floors here
// come from resamples of employers.
func PropensityNull(k, n1, n2 int) (mean, sd float64) {
	n := float64(n1 + n2)
	c := float64(n2) / n
	unit := (1 - c) * (1 - c) * c / n
	return float64(k-1) * unit, math.Sqrt(2*float64(k-1)) * unit
}

// propensity asks how well release and fragment are told apart: by pairs of
// columns with their interaction, and by a classification tree on employers that
// it was not grown on. Main effects alone see nothing of a permutation.
func (s *setting) propensity(ctx context.Context, t *sheet, pairs []marginal) ([]metric.Metric, error) {
	var all []apartness
	for _, m := range pairs {
		all = append(all, m.pmse)
	}
	const floor = " Noise floor: the fragment against resamples of its own employers."
	saturated := metric.Metric{Name: "fidelity.propensity.two-way-pmse", Better: metric.Lower, Unit: "points of 0.25",
		Method: "Mean squared error of propensity scores (pMSE, Snoke et al. 2018) of release against unscrambled fragment, averaged over all pairs of columns, each with its interaction; 0 is indistinguishable, 0.25 told apart everywhere. Main effects alone are blind: a permutation keeps them." + floor + " Interval from resamples of both.",
		Row:    s.over(all, "fewer columns vary than such a table has")}
	ratio := metric.Metric{Name: "fidelity.propensity.pmse-ratio", Better: metric.Lower, Unit: "times the floor",
		Method: "The two-way pMSE over its noise floor, what another draw of the fragment shows: below 1 the scramble changes less than drawing another fragment. The null of independent synthesis does not hold for a permutation and is not used.", Row: metric.Missing("", "there is no noise floor to compare with")}
	if r, ok := overFloor(saturated.Row); ok {
		ratio.Row = r
	}
	auc := metric.Metric{Name: "fidelity.propensity.auc", Better: metric.Lower, Unit: "area",
		Method: "Area under the curve of a classification tree (depth 6) that tells the cells of the release from those of the unscrambled fragment, on employers it was not grown on; weighted by staff and design; 0.5 is guessing, and below it means the same." + floor}
	cart := metric.Metric{Name: "fidelity.propensity.cart-pmse", Better: metric.Lower, Unit: "points of 0.25",
		Method: "Mean squared error of the same tree's propensity scores, on employers it was not grown on." + floor}
	const none = "fewer than two employers, or no column varies"
	auc.Row, cart.Row = metric.Missing("", none), metric.Missing("", none)
	if !s.large && len(t.axes) > 0 && t.units > 1 && sum(t.version[atFragment].weight) > 0 && sum(t.version[atRelease].weight) > 0 {
		value, floors, err := t.trees(ctx)
		if err != nil {
			return nil, err
		}
		for _, x := range []struct {
			m  *metric.Metric
			of func(v told) float64
		}{{&auc, func(v told) float64 { return v.auc }}, {&cart, func(v told) float64 { return v.pmse }}} {
			base, _ := spread(len(floors), func(i int) float64 { return x.of(floors[i]) })
			if math.IsNaN(x.of(value)) {
				continue
			}
			r := s.around(x.of(value), math.NaN(), base, s.units, none)
			r.Reason = "no interval: a tree that is grown on resamples is another tree"
			x.m.Row = r
		}
	}
	return []metric.Metric{saturated, ratio, auc, cart}, nil
}

// overFloor is a row in units of its noise floor, where it has one above 0.
func overFloor(r metric.Row) (metric.Row, bool) {
	f := r.Baseline
	if !(f > 0) || !r.Value.Valid() {
		return r, false
	}
	r.Value, r.Baseline = r.Value/f, 1
	if r.Low.Valid() {
		r.Low, r.High = r.Low/f, r.High/f
	}
	return r, true
}

// treeDraws is the number of resamples behind the floor of a tree, which costs
// more than other measures and varies less.
const treeDraws = 6

// trees tells release from fragment, and resamples of the fragment from it.
func (t *sheet) trees(ctx context.Context) (value told, floors []told, err error) {
	radices, ordered := make([]int, len(t.axes)), make([]bool, len(t.axes))
	grouped := func(r *records) [][]int32 {
		out := make([][]int32, len(t.axes))
		for a := range t.axes {
			out[a] = t.keys(r, []int{a}, []int{t.axes[a].grouped()}, false)
		}
		return out
	}
	for a := range t.axes {
		radices[a], ordered[a] = t.axes[a].grouped(), t.axes[a].ordered
	}
	f, r := t.version[atFragment], t.version[atRelease]
	of, or := grouped(f), grouped(r)
	nf, nr := sum(f.weight), sum(r.weight)
	all, err := par.Map(ctx, 1+min(treeDraws, len(t.draws)), func(i int) (told, error) {
		d := labelled{codes: of, unit: f.unit}
		if i > 0 {
			d.w0, d.w1 = make([]float64, len(f.unit)), make([]float64, len(f.unit))
			n := 0.0
			for k, u := range f.unit {
				d.w1[k] = float64(f.weight[k] * t.draws[i-1][u])
				n += d.w1[k]
			}
			for k := range d.w1 {
				d.w0[k], d.w1[k] = f.weight[k]/nf, d.w1[k]/n
			}
			if n == 0 {
				return told{math.NaN(), math.NaN()}, nil
			}
			return tellApart(d, radices, ordered), nil
		}
		d.codes = make([][]int32, len(of))
		for a := range of {
			d.codes[a] = append(append([]int32(nil), of[a]...), or[a]...)
		}
		d.unit = append(append([]int32(nil), f.unit...), r.unit...)
		d.w0, d.w1 = make([]float64, len(d.unit)), make([]float64, len(d.unit))
		for k, w := range f.weight {
			d.w0[k] = w / nf
		}
		for k, w := range r.weight {
			d.w1[len(f.weight)+k] = w / nr
		}
		return tellApart(d, radices, ordered), nil
	})
	if err != nil {
		return told{}, nil, err
	}
	return all[0], all[1:], nil
}
