package swap

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"scramblelab/internal/frame"
	"scramblelab/internal/rng"
)

func validateShuffle(o Options, f *frame.Frame) error {
	if o.Scope == AcrossEmployers {
		return fmt.Errorf("swap: %s deals values to anybody in the stratum: scope is %v, want %v or %v", o.Method, o.Scope, Any, WithinEmployer)
	}
	if o.Method != ConditionalShuffle {
		return nil
	}
	if len(o.Given) == 0 {
		return fmt.Errorf("swap: given is empty: name the columns whose relation with the bundle is kept, or use method %s", FullShuffle)
	}
	for _, n := range o.Given {
		if slices.Contains(o.Bundle, n) {
			return fmt.Errorf("swap: %q stands in bundle and in given: take it out of one", n)
		}
		if f != nil && !f.Has(n) {
			return fmt.Errorf("swap: given names %q, which is not among %q: take it out", n, f.Names())
		}
	}
	return ranked(f, ConditionalShuffle, slices.Concat(o.Bundle, o.Given))
}

// shuffle deals the values of the units drawn to these units, uniformly.
func shuffle(g *stratum, s *rng.Stream) drawn {
	to := g.pick(s)
	g.keys = append(g.keys[:0], to...)
	rng.Shuffle(s, g.keys)
	return dealt(to, g.keys)
}

// dealt says what a shuffle did: who keeps the own value is not touched.
func dealt(to, from []int32) drawn {
	d := drawn{to: to, from: from}
	for i := range to {
		if to[i] != from[i] {
			d.expected++
		}
	}
	return d
}

// prepareConditional estimates the Gaussian copula of the bundle given other
// columns. Ranks are taken inside strata and the correlation is pooled over
// them, so that small strata do not make it up.
func prepareConditional(ctx context.Context, e *engine, cols []string) (drawer, error) {
	bundle := e.o.bundle(e.f)
	names := slices.Concat(bundle, e.o.Given)
	values := make([]ranking, len(names))
	for i, n := range names {
		values[i] = order(e.f.Col(n))
	}
	rho, err := e.spearman(ctx, values)
	if err != nil {
		return nil, err
	}
	c := copulaOf(rho, len(bundle))
	own := slices.Index(bundle, cols[0])
	given := values[len(bundle):]
	return func(g *stratum, s *rng.Stream) drawn {
		to := g.pick(s)
		n := len(to)
		y, at := make([]float64, n), make([]int32, n)
		for i := range y {
			for k := range bundle { // the noise of all columns, so that they are drawn together
				y[i] += float64(c.noise.At(own, k) * s.Normal())
			}
			at[i] = int32(i)
		}
		for k, v := range given {
			g.normalScores(v, to, c.slope.At(own, k), y)
		}
		slices.SortFunc(at, func(a, b int32) int { return cmp.Or(cmp.Compare(y[a], y[b]), cmp.Compare(a, b)) })
		for k, a := range at { // from places to units, in place
			at[k] = to[a]
		}
		return dealt(at, g.sorted(values[own], to))
	}, nil
}

// normalScores adds slope times the normal scores of units to y.
func (g *stratum) normalScores(values ranking, units []int32, slope float64, y []float64) {
	g.partner = slices.Grow(g.partner[:0], len(units))[:len(units)]
	g.sorts.midRanks(g.keysOf(values, units), g.partner)
	for i, r := range g.partner {
		y[i] += float64(slope * distuv.UnitNormal.Quantile((float64(r)+1)/float64(2*len(units))))
	}
}

// spearman pools the rank covariances of strata and makes correlations of them.
func (e *engine) spearman(ctx context.Context, values []ranking) (*mat.SymDense, error) {
	k := len(values)
	sums, err := e.eachStratum(ctx, func(g *stratum, sum []float64) {
		ranks := make([][]int32, k)
		for i, v := range values {
			ranks[i] = make([]int32, g.n)
			g.sorts.midRanks(g.keysOf(v, nil), ranks[i])
		}
		// A rank less the mean of all of them, as a share of the ranks.
		centred := func(twice int32) float64 { return float64(twice-int32(g.n-1)) / float64(2*g.n) }
		for a := range k {
			for b := range a + 1 {
				for i := range g.n {
					sum[a*k+b] += float64(centred(ranks[a][i]) * centred(ranks[b][i]))
				}
			}
		}
	}, k*k)
	if err != nil {
		return nil, err
	}
	rho := mat.NewSymDense(k, nil)
	for a := range k {
		for b := range a + 1 {
			r := 0.0
			if d := math.Sqrt(float64(sums[a*k+a] * sums[b*k+b])); d > 0 {
				r = sums[a*k+b] / d
			}
			if a == b {
				r = 1 // a constant column correlates with nothing, but with itself
			}
			rho.SetSym(a, b, r)
		}
	}
	return rho, nil
}

// copula draws the normal scores of the bundle given those of other columns:
// slope times theirs plus noise times independent normals.
type copula struct{ slope, noise *mat.Dense }

// copulaOf turns Spearman correlations, those of the bundle's x columns first,
// into Pearson correlations of normal scores, 2 sin(pi rho/6), and conditions.
func copulaOf(rho *mat.SymDense, x int) copula {
	k := rho.SymmetricDim()
	r := mat.NewSymDense(k, nil)
	for a := range k {
		for b := range a + 1 {
			r.SetSym(a, b, 2*math.Sin(math.Pi*rho.At(a, b)/6))
		}
	}
	r = nearestCorrelation(r)
	xx, xs, ss := r.SliceSym(0, x), mat.DenseCopyOf(r).Slice(0, x, x, k), r.SliceSym(x, k)
	var inverse mat.Dense
	pseudoInverse(&inverse, ss)
	var c copula
	c.slope, c.noise = &mat.Dense{}, &mat.Dense{}
	c.slope.Mul(xs, &inverse)
	var explained mat.Dense
	explained.Mul(c.slope, xs.T())
	rest := mat.NewSymDense(x, nil)
	for a := range x {
		for b := range a + 1 {
			rest.SetSym(a, b, xx.At(a, b)-(explained.At(a, b)+explained.At(b, a))/2)
		}
	}
	squareRoot(c.noise, rest)
	return c
}

// eigenvalues below this share of the largest are noise of the arithmetic.
const nullEigenvalue = 1e-10

// spectral replaces the eigenvalues of a symmetric matrix.
func spectral(to *mat.Dense, m mat.Symmetric, f func(value, largest float64) float64) {
	var e mat.EigenSym
	if !e.Factorize(m, true) {
		panic("swap: a symmetric matrix of finite numbers has no eigenvalues")
	}
	values := e.Values(nil)
	var v, scaled mat.Dense
	e.VectorsTo(&v)
	largest := values[len(values)-1]
	scaled.Apply(func(_, j int, x float64) float64 { return x * f(values[j], largest) }, &v)
	to.Mul(&scaled, v.T())
}

func squareRoot(to *mat.Dense, m mat.Symmetric) {
	spectral(to, m, func(v, _ float64) float64 { return math.Sqrt(max(0, v)) })
}

func pseudoInverse(to *mat.Dense, m mat.Symmetric) {
	spectral(to, m, func(v, largest float64) float64 {
		if v <= nullEigenvalue*largest {
			return 0
		}
		return 1 / v
	})
}

// nearestCorrelation clips negative eigenvalues, which the sine map can make,
// and scales the diagonal back to one (Higham 2002 iterates this; one pass is
// within the error of the correlations).
func nearestCorrelation(r *mat.SymDense) *mat.SymDense {
	var d mat.Dense
	spectral(&d, r, func(v, _ float64) float64 { return max(0, v) })
	out := mat.NewSymDense(r.SymmetricDim(), nil)
	for a := range r.SymmetricDim() {
		for b := range a + 1 {
			out.SetSym(a, b, d.At(a, b)/math.Sqrt(float64(d.At(a, a)*d.At(b, b))))
		}
	}
	return out
}
