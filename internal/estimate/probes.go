package estimate

import (
	"context"
	"math"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

const (
	stageLeverage rng.Stage = 0x45535401
	stageTrace    rng.Stage = 0x45535402
)

// signs draws a random sign for every item and lane, a bit each.
func signs(key rng.Sim, stage rng.Stage, block, n int) []uint8 {
	s := key.Stream(stage, uint64(block))
	out := make([]uint8, n)
	for i := 0; i < n; i += 8 {
		bits := s.Uint64()
		for k := i; k < min(n, i+8); k++ {
			out[k] = uint8(bits)
			bits >>= 8
		}
	}
	return out
}

func sign(bits uint8, lane int) float64 {
	return float64(int(bits>>lane&1)*2 - 1)
}

// moments are sums over probes by match: of the squares a of what the employer
// effects leave of a random outcome, within workers, of the squares b of what they
// explain, and of what they carry over to p'ΠL⁺d.
type moments struct {
	a, b, aa, ab, cross []float64
	iterations          int
	converged           bool
}

func newMoments(n int) moments {
	return moments{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), 0, true}
}

// leverages estimates 1/(1-P) of every match.
func (l *leaveOut) leverages(ctx context.Context, key rng.Sim, f *Components) error {
	halves := [2]moments{newMoments(len(l.pairs)), newMoments(len(l.pairs))}
	blocks := f.Probes / lanes
	err := par.InOrder(ctx, blocks, func(k int) (moments, error) {
		return l.probe(ctx, signs(key, stageLeverage, k, len(l.pairs)))
	}, func(k int, found moments) error {
		l.note(f, found.iterations, found.converged)
		h := halves[k%2]
		for _, x := range [][2][]float64{{h.a, found.a}, {h.b, found.b}, {h.aa, found.aa}, {h.ab, found.ab}, {h.cross, found.cross}} {
			for m, v := range x[1] {
				x[0][m] += v
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	n := float64(f.Probes / 2)
	for k, h := range halves {
		l.inverse[k], l.cross[k] = h.a, h.cross // written over
		l.each(func(lo, hi int, total float64) {
			for m := lo; m < hi; m++ {
				_, rows := l.at(m)
				a, b := max(h.a[m]/n, 1e-9), h.b[m]/n
				spread := max(0, h.aa[m]/n-a*a) / (n - 1)
				with := (h.ab[m]/n - a*b) / (n - 1)
				ratio := b/a + with/(a*a) - b*spread/(a*a*a)
				l.inverse[k][m] = (1 + max(0, ratio)) / (1 - rows/total)
				l.cross[k][m] = h.cross[m] / n
			}
		})
	}
	return nil
}

// probe projects random outcomes on the employer effects.
func (l *leaveOut) probe(ctx context.Context, random []uint8) (moments, error) {
	out := newMoments(len(l.pairs))
	u := make(block, l.g.employers)
	means := func(lo, hi int, n float64) (mean [lanes]float64) { // of √rows·sign over the rows of a worker
		for m := lo; m < hi; m++ {
			_, rows := l.at(m)
			root := math.Sqrt(rows) / n
			for c := range mean {
				mean[c] += root * sign(random[m], c)
			}
		}
		return mean
	}
	l.each(func(lo, hi int, n float64) {
		mean := means(lo, hi, n)
		for m := lo; m < hi; m++ {
			e, rows := l.at(m)
			root := math.Sqrt(rows)
			for c := range mean {
				u[e][c] += float64(root*sign(random[m], c)) - float64(rows*mean[c])
			}
		}
	})
	var err error
	if out.iterations, out.converged, err = l.l.solve(ctx, u, probeTolerance); err != nil {
		return out, err
	}
	var centre [lanes]float64
	for e := range u {
		share := l.g.employerRows[e] / float64(l.g.n)
		for c := range centre {
			centre[c] += float64(share * u[e][c])
		}
	}
	l.each(func(lo, hi int, n float64) {
		mean := means(lo, hi, n)
		var level [lanes]float64
		for m := lo; m < hi; m++ {
			e, rows := l.at(m)
			for c := range level {
				level[c] += float64(rows * u[e][c] / n)
			}
		}
		for m := lo; m < hi; m++ {
			e, rows := l.at(m)
			root := math.Sqrt(rows)
			for c := range mean {
				gap := u[e][c] - level[c]
				b := root * gap
				a := sign(random[m], c) - float64(root*mean[c]) - b
				a, b = a*a, b*b
				out.a[m] += a
				out.b[m] += b
				out.aa[m] += float64(a * a)
				out.ab[m] += float64(a * b)
				out.cross[m] += float64(float64(rows*rows) * float64((level[c]-centre[c])*gap))
			}
		}
	})
	return out, nil
}

// probeTolerance is the relative residual to which a probe is solved for: its
// square is far below what the randomness of a probe adds.
const probeTolerance = 1e-5

// weights estimates, by match, its weight in the variance of employer effects.
func (l *leaveOut) weights(ctx context.Context, key rng.Sim, f *Components) error {
	g, n := l.g, float64(l.g.n)
	l.weight = make([]float64, len(l.pairs))
	type traces struct {
		weight     []float64
		total      [lanes]float64
		iterations int
		converged  bool
	}
	var totals []float64
	err := par.InOrder(ctx, f.Probes/lanes, func(k int) (traces, error) {
		random := signs(key, stageTrace, k, g.employers)
		x := make(block, g.employers)
		var sum [lanes]float64
		for e := range x {
			root := math.Sqrt(g.employerRows[e])
			for c := range sum {
				x[e][c] = root * sign(random[e], c)
				sum[c] += x[e][c]
			}
		}
		for e := range x {
			for c := range sum {
				x[e][c] = (x[e][c] - g.employerRows[e]*sum[c]/n) / math.Sqrt(n)
			}
		}
		out := traces{weight: make([]float64, len(l.pairs))}
		var err error
		if out.iterations, out.converged, err = l.l.solve(ctx, x, probeTolerance); err != nil {
			return out, err
		}
		l.each(func(lo, hi int, all float64) {
			var level [lanes]float64
			for m := lo; m < hi; m++ {
				e, rows := l.at(m)
				for c := range level {
					level[c] += float64(rows * x[e][c] / all)
				}
			}
			for m := lo; m < hi; m++ {
				e, rows := l.at(m)
				noise := l.error[m] * (l.inverse[0][m] + l.inverse[1][m]) / 2
				for c := range level {
					v := rows * (x[e][c] - level[c])
					v *= v
					out.weight[m] += v
					out.total[c] += float64(v * noise)
				}
			}
		})
		return out, nil
	}, func(_ int, found traces) error {
		l.note(f, found.iterations, found.converged)
		for m, v := range found.weight {
			l.weight[m] += v / float64(f.Probes)
		}
		totals = append(totals, found.total[:]...)
		return nil
	})
	if err != nil {
		return err
	}
	f.ProbeStdErr = math.Sqrt(covariance(totals, totals) / float64(len(totals)-1))
	return nil
}
