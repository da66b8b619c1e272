package tally

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrEmpty says that a distance was asked of nothing: no counts, or nothing but
// missing values.
var ErrEmpty = errors.New("no values to compare")

// shares checks two vectors of counts or probabilities over the same cells and
// returns their sums.
func shares(p, q []float64) (sp, sq float64, err error) {
	if len(p) != len(q) {
		return 0, 0, fmt.Errorf("tally: %d cells against %d", len(p), len(q))
	}
	for i := range p {
		if !(p[i] >= 0 && q[i] >= 0) || math.IsInf(p[i], 0) || math.IsInf(q[i], 0) {
			return 0, 0, fmt.Errorf("tally: cell %d holds %v and %v, want numbers >= 0", i, p[i], q[i])
		}
		sp += p[i]
		sq += q[i]
	}
	if sp == 0 || sq == 0 {
		return 0, 0, fmt.Errorf("tally: %w", ErrEmpty)
	}
	return sp, sq, nil
}

// TotalVariation returns ½Σ|p-q| in [0, 1] of two distributions, given as
// counts or probabilities over the same cells; each is divided by its sum.
func TotalVariation(p, q []float64) (float64, error) {
	sp, sq, err := shares(p, q)
	if err != nil {
		return 0, err
	}
	var d float64
	for i := range p {
		d += math.Abs(p[i]/sp - q[i]/sq)
	}
	return d / 2, nil
}

// Hellinger returns √(1-Σ√(pq)) in [0, 1]; arguments as in [TotalVariation].
// It is computed as √(½Σ(√p-√q)²), the same without cancellation.
func Hellinger(p, q []float64) (float64, error) {
	sp, sq, err := shares(p, q)
	if err != nil {
		return 0, err
	}
	var d float64
	for i := range p {
		x := math.Sqrt(p[i]/sp) - math.Sqrt(q[i]/sq)
		d += float64(x * x)
	}
	return math.Sqrt(d / 2), nil
}

// JensenShannon returns the divergence ½KL(p‖m)+½KL(q‖m), m = (p+q)/2, in bits:
// in [0, 1] (Lin 1991). It is not the distance, which is its root. Arguments as
// in [TotalVariation].
func JensenShannon(p, q []float64) (float64, error) {
	sp, sq, err := shares(p, q)
	if err != nil {
		return 0, err
	}
	var d float64
	for i := range p {
		a, b := p[i]/sp, q[i]/sq
		m := (a + b) / 2
		d += term(a, m) + term(b, m)
	}
	return max(0, d/2/math.Ln2), nil
}

// term is a·ln(a/m), 0 for a = 0.
func term(a, m float64) float64 {
	if a == 0 {
		return 0
	}
	return float64(a * math.Log(a/m))
}

// sorted returns the values present, in order.
func sorted(v []float64) ([]float64, error) {
	out := make([]float64, 0, len(v))
	for _, x := range v {
		if math.IsInf(x, 0) {
			return nil, fmt.Errorf("tally: a value is %v, want finite numbers", x)
		}
		if !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("tally: %w", ErrEmpty)
	}
	slices.Sort(out)
	return out, nil
}

// steps walks the distribution functions F and G of two samples from left to
// right and calls f on every interval between neighbouring values.
func steps(a, b []float64, f func(width, fa, fb float64)) error {
	a, err := sorted(a)
	if err != nil {
		return err
	}
	if b, err = sorted(b); err != nil {
		return err
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		x := math.Inf(1)
		if i < len(a) {
			x = a[i]
		}
		if j < len(b) {
			x = min(x, b[j])
		}
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		next := math.Inf(1)
		if i < len(a) {
			next = a[i]
		}
		if j < len(b) {
			next = min(next, b[j])
		}
		width := next - x
		if math.IsInf(next, 1) {
			width = 0
		}
		f(width, float64(i)/float64(len(a)), float64(j)/float64(len(b)))
	}
	return nil
}

// KolmogorovSmirnov returns sup|F-G| in [0, 1] of two samples of any sizes;
// missing values (NaN) are left out.
func KolmogorovSmirnov(a, b []float64) (float64, error) {
	var d float64
	err := steps(a, b, func(_, fa, fb float64) { d = max(d, math.Abs(fa-fb)) })
	return d, err
}

// Wasserstein returns ∫|F-G|, the first Wasserstein distance of two samples of
// any sizes, in the unit of the values; missing values (NaN) are left out.
func Wasserstein(a, b []float64) (float64, error) {
	var d float64
	err := steps(a, b, func(w, fa, fb float64) { d += float64(w * math.Abs(fa-fb)) })
	return d, err
}

// Gini returns the Gini coefficient Σ(2i-n-1)x_i/(nΣx) of values >= 0, in [0, 1)
// and without the small-sample factor n/(n-1). Missing values (NaN) are left
// out; a sum of 0 is an error.
func Gini(x []float64) (float64, error) {
	s, err := sorted(x)
	if err != nil {
		return 0, err
	}
	if s[0] < 0 {
		return 0, fmt.Errorf("tally: the Gini coefficient of a negative value, %v, is not defined", s[0])
	}
	n := float64(len(s))
	var sum, ranked float64
	for i, v := range s {
		sum += v
		ranked += float64((2*float64(i+1) - n - 1) * v)
	}
	if sum == 0 {
		return 0, fmt.Errorf("tally: the Gini coefficient of nothing but zeros is not defined")
	}
	return ranked / (n * sum), nil
}

// Association describes the dependence of a two-way table.
type Association struct {
	Chi2   float64 // Pearson's Σ(o-e)²/e
	G2     float64 // likelihood ratio 2Σo·ln(o/e)
	DF     int     // (rows-1)(columns-1) over the categories that occur
	V      float64 // Cramér's √(χ²/(n·min(rows-1, columns-1))), in [0, 1]
	Mutual float64 // information in nats, G²/2n
	N      int64
}

// Associate returns the association of the two axes of a table. Categories that
// nobody has are left out. Where one axis has a single category that occurs,
// there is no dependence to measure and V is NaN.
func Associate(t *Table) (Association, error) {
	if len(t.Radices) != 2 {
		return Association{}, fmt.Errorf("tally: association wants a table of 2 axes, got %d; take a marginal", len(t.Radices))
	}
	rows, cols := t.Marginal(0).Counts, t.Marginal(1).Counts
	a := Association{N: t.Total()}
	if a.N <= 0 {
		return Association{}, fmt.Errorf("tally: %w", ErrEmpty)
	}
	n := float64(a.N)
	for i, r := range rows {
		for j, c := range cols {
			o := float64(t.Counts[i*len(cols)+j])
			if o < 0 {
				return Association{}, fmt.Errorf("tally: a cell holds %v, want counts >= 0", o)
			}
			if r == 0 || c == 0 {
				continue
			}
			e := float64(r) / n * float64(c)
			a.Chi2 += float64((o - e) * (o - e) / e)
			a.G2 += 2 * term(o, e)
		}
	}
	a.G2 = max(0, a.G2)
	a.Mutual = a.G2 / (2 * n)
	r, c := occur(rows)-1, occur(cols)-1
	a.DF = r * c
	a.V = math.NaN()
	if a.DF > 0 {
		a.V = min(1, math.Sqrt(a.Chi2/(n*float64(min(r, c)))))
	}
	return a, nil
}

func occur(counts []int64) (n int) {
	for _, c := range counts {
		if c != 0 {
			n++
		}
	}
	return n
}
