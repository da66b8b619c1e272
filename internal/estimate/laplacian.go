package estimate

import (
	"context"
	"slices"
)

// laplacian is the matrix of the normal equations of employer effects once worker
// effects are concentrated out: employers hang together by the workers who moved
// between them. Its rows sum to 0.
type laplacian struct {
	bounds   []int32 // of the entries of an employer
	other    []int32
	weight   []float64 // off the diagonal, as positive numbers
	diagonal []float64
}

// flows adds up moves by pair of employers: a worker with n_a rows at a and n_b at
// b, of n in all, ties them with n_a·n_b/n.
func (g *graph) flows() *laplacian {
	l := &laplacian{bounds: make([]int32, g.employers+1), diagonal: make([]float64, g.employers)}
	each := func(f func(a, b int32, weight float64)) {
		for w := range g.workers {
			lo, hi := g.byWorker[w], g.byWorker[w+1]
			for p := lo; p < hi; p++ {
				for q := lo; q < hi; q++ {
					if p != q {
						f(g.pairEmployer[p], g.pairEmployer[q], float64(g.weight[p]*g.weight[q])/g.workerRows[w])
					}
				}
			}
		}
	}
	count := make([]int32, g.employers+1)
	each(func(a, _ int32, _ float64) { count[a+1]++ })
	for e := range g.employers {
		count[e+1] += count[e]
	}
	type tie struct {
		other  int32
		weight float64
	}
	ties, at := make([]tie, count[g.employers]), slices.Clone(count)
	each(func(a, b int32, weight float64) {
		ties[at[a]] = tie{b, weight}
		at[a]++
	})
	for e := range g.employers {
		own := ties[count[e]:count[e+1]]
		slices.SortStableFunc(own, func(x, y tie) int { return int(x.other) - int(y.other) })
		for i, t := range own {
			if i > 0 && own[i-1].other == t.other {
				l.weight[len(l.weight)-1] += t.weight
			} else {
				l.other, l.weight = append(l.other, t.other), append(l.weight, t.weight)
			}
			l.diagonal[e] += t.weight
		}
		l.bounds[e+1] = int32(len(l.other))
	}
	return l
}

// lanes is the number of right-hand sides that are solved for together: the
// matrix is read once for all.
const lanes = 8

// block holds a vector per lane, by employer.
type block [][lanes]float64

// apply sets out = L·in and returns the products in'·out of each lane.
func (l *laplacian) apply(in, out block) (curve [lanes]float64) {
	for e := range out {
		own := &in[e]
		var sum [lanes]float64
		for k := l.bounds[e]; k < l.bounds[e+1]; k++ {
			w, x := l.weight[k], &in[l.other[k]]
			for c := range sum {
				sum[c] += float64(w * x[c])
			}
		}
		d := l.diagonal[e]
		for c := range sum {
			sum[c] = float64(d*own[c]) - sum[c]
			curve[c] += float64(own[c] * sum[c])
		}
		out[e] = sum
	}
	return curve
}

// solve overwrites r, whose lanes each add up to 0, by L⁺r up to a constant in each lane:
// conjugate gradients with the diagonal as preconditioner, until the residual of
// every lane is tolerance of what it was.
func (l *laplacian) solve(ctx context.Context, r block, tolerance float64) (iterations int, converged bool, err error) {
	n := len(r)
	x, u, v := make(block, n), make(block, n), make(block, n)
	var rz, start [lanes]float64
	for e := range r {
		for c, y := range r[e] {
			z := y / l.diagonal[e]
			u[e][c] = z
			rz[c] += float64(y * z)
		}
	}
	start = rz
	open := func() bool {
		for c := range rz {
			if rz[c] > tolerance*tolerance*start[c] {
				return true
			}
		}
		return false
	}
	for ; iterations < 5000 && open(); iterations++ {
		if err := ctx.Err(); err != nil {
			return iterations, false, err
		}
		curve := l.apply(u, v)
		var step, next, ratio [lanes]float64
		for c := range step {
			if curve[c] > 0 {
				step[c] = rz[c] / curve[c]
			}
		}
		for e := range r {
			d := 1 / l.diagonal[e]
			re, xe, ue, ve := &r[e], &x[e], &u[e], &v[e]
			for c := range step {
				xe[c] += float64(step[c] * ue[c])
				y := re[c] - float64(step[c]*ve[c])
				re[c] = y
				next[c] += float64(float64(y*y) * d)
			}
		}
		for c := range ratio {
			if rz[c] > 0 {
				ratio[c] = next[c] / rz[c]
			}
		}
		for e := range u {
			d := 1 / l.diagonal[e]
			re, ue := &r[e], &u[e]
			for c := range ratio {
				ue[c] = float64(re[c]*d) + float64(ratio[c]*ue[c])
			}
		}
		rz = next
	}
	converged = !open()
	copy(r, x)
	return iterations, converged, nil
}
