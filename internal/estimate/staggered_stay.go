package estimate

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// stay estimates by a logistic regression of adopting in a period on the
// covariates of the period before and on the period, over all units not yet
// treated and observed then, what [StaggeredOptions.StayWeights] needs: by
// period and unit the log of the probability of having stayed untreated since
// the first period. Slopes and category effects carry a normal prior of
// variance 1 in units of standard deviations, and periods a wide one about their
// rate, so that a category without adopters does not send them to infinity.
func (d *layout) stay(ctx context.Context) error {
	type cell struct{ t, u int32 }
	var rows []cell
	adopted := func(t, u int) bool { return d.cohort[u] != NeverTreated && int(d.cohort[u]-d.first) == t }
	adopts := make([]int, d.periods)
	for t := 1; t < d.periods; t++ {
		for u := range d.units {
			if adopted(t, u) && d.base[t-1][u] {
				adopts[t]++
			}
		}
	}
	risk := func(t, u int) bool { // untreated up to t-1
		g := d.cohort[u]
		return g == NeverTreated || int64(g)-int64(d.first) >= int64(t)
	}
	year := make([]int, d.periods) // parameter of a period's intercept
	p := len(d.x)
	count := p + d.groups
	for t := 1; t < d.periods; t++ {
		if year[t] = -1; adopts[t] == 0 {
			continue
		}
		year[t] = count
		count++
		for u := range d.units {
			if risk(t, u) && d.base[t-1][u] {
				rows = append(rows, cell{int32(t), int32(u)})
			}
		}
	}
	n := len(rows)
	z := make([][]float64, p)
	for j, x := range d.x {
		z[j] = make([]float64, n)
		for i, r := range rows {
			z[j][i] = x[r.t-1][r.u]
		}
		mean, sd := locate(z[j])
		for i := range z[j] {
			z[j][i] = (z[j][i] - mean) / sd
		}
	}
	category := func(r cell) int {
		if d.group == nil {
			return p
		}
		return p + int(d.group[r.t-1][r.u])
	}
	beta, chance := make([]float64, count), make([]float64, n)
	for t, k := range year {
		if t > 0 && k >= 0 {
			beta[k] = math.Log(float64(adopts[t]) / float64(len(d.units)+adopts[t]))
		}
	}
	prior := slices.Clone(beta)
	precision := func(a int) float64 {
		if a < p+d.groups {
			return 1
		}
		return 0.04 // of a period: where all or nearly none adopt
	}
	value := func(b []float64) (l float64) {
		for a, v := range b {
			l -= precision(a) * (v - prior[a]) * (v - prior[a]) / 2
		}
		for i, r := range rows {
			v := b[category(r)] + b[year[r.t]]
			for j := range p {
				v += float64(b[j] * z[j][i])
			}
			if adopted(int(r.t), int(r.u)) {
				l += v
			}
			l -= max(v, 0) + math.Log1p(math.Exp(-math.Abs(v)))
			chance[i] = 1 / (1 + math.Exp(-v))
		}
		return l
	}
	best := value(beta)
	index, x := make([]int, p+2), make([]float64, p+2)
	for j := range p {
		index[j] = j
	}
	x[p], x[p+1] = 1, 1
	for range 50 {
		if err := ctx.Err(); err != nil {
			return err
		}
		info, right := make([][]float64, count), make([]float64, count)
		for a := range info {
			info[a] = make([]float64, count+1)
			info[a][a] = precision(a)
			right[a] = precision(a) * (prior[a] - beta[a])
		}
		for i, r := range rows {
			for j := range p {
				x[j] = z[j][i]
			}
			index[p], index[p+1] = category(r), year[r.t]
			e := -chance[i]
			if adopted(int(r.t), int(r.u)) {
				e++
			}
			h := chance[i] * (1 - chance[i])
			for a, ia := range index {
				right[ia] += float64(e * x[a])
				hx := h * x[a]
				for b, ib := range index {
					info[ia][ib] += float64(hx * x[b])
				}
			}
		}
		step := make([]float64, count)
		for a := range info {
			info[a][count] = right[a]
		}
		if !eliminate(info, step) {
			return fmt.Errorf("estimate: the regression of adopting on the covariates is singular; estimate without stay weights")
		}
		if dot(step, right) <= 1e-10 {
			break
		}
		for shrink := 1.0; shrink > 1e-6; shrink /= 2 {
			next := append([]float64(nil), beta...)
			for a, v := range step {
				next[a] += float64(shrink * v)
			}
			if v := value(next); v >= best {
				beta, best = next, v
				break
			}
		}
	}
	value(beta)
	// Who is not observed in the period before gets the mean chance.
	d.stayed = grid[float64](d)
	mean, at := make([]float64, d.periods), make([]float64, d.periods)
	for i, r := range rows {
		d.stayed[r.t][r.u] = chance[i]
		mean[r.t] += chance[i]
		at[r.t]++
	}
	for t := 1; t < d.periods; t++ {
		for u := range d.units {
			h := d.stayed[t][u]
			if !d.base[t-1][u] && risk(t, u) && at[t] > 0 {
				h = mean[t] / at[t]
			}
			d.stayed[t][u] = d.stayed[t-1][u] + math.Log1p(-min(h, 0.99))
		}
	}
	return nil
}
