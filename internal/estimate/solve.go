package estimate

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/par"
)

// blockRows is the run of rows that a cross-product keeps in the cache.
const blockRows = 512

// gram returns the cross-products Σ w·a·b of all pairs of columns (upper
// triangle, mirrored) in chunk order.
func gram(ctx context.Context, cols [][]float64, w []float64) ([][]float64, error) {
	k, n := len(cols), 0
	if k > 0 {
		n = len(cols[0])
	}
	parts, err := par.Map(ctx, par.Count(n, chunkRows), func(c int) ([]float64, error) {
		sums := make([]float64, k*k)
		weighted := make([]float64, blockRows)
		for lo := c * chunkRows; lo < min(n, (c+1)*chunkRows); lo += blockRows {
			hi := min(n, (c+1)*chunkRows, lo+blockRows)
			for a := range k {
				left := cols[a][lo:hi]
				if w != nil {
					for i, x := range left {
						weighted[i] = w[lo+i] * x
					}
					left = weighted[:hi-lo]
				}
				for b := a; b < k; b++ {
					sums[a*k+b] += dot(left, cols[b][lo:hi])
				}
			}
		}
		return sums, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([][]float64, k)
	for a := range out {
		out[a] = make([]float64, k)
	}
	for _, p := range parts {
		for a := range k {
			for b := a; b < k; b++ {
				out[a][b] += p[a*k+b]
			}
		}
	}
	for a := range k {
		for b := range a {
			out[a][b] = out[b][a]
		}
	}
	return out, nil
}

// dot keeps four running sums, so that one addition need not wait for another.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += float64(a[i] * b[i])
		s1 += float64(a[i+1] * b[i+1])
		s2 += float64(a[i+2] * b[i+2])
		s3 += float64(a[i+3] * b[i+3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i] * b[i])
	}
	return s0 + s1 + (s2 + s3)
}

// factor is the Cholesky factor of the correlations of the columns that were
// kept, and the scales that were divided out.
type factor struct {
	low   [][]float64
	scale []float64
}

// take adds a column if the ones before do not explain it: cross holds its
// products with the columns taken, then with itself.
func (f *factor) take(cross []float64) bool {
	k := len(f.low)
	scale := math.Sqrt(cross[k])
	row := make([]float64, k+1)
	rest := 1.0
	for j := range k {
		sum := cross[j] / (scale * f.scale[j])
		for i := range j {
			sum -= float64(row[i] * f.low[j][i])
		}
		row[j] = sum / f.low[j][j]
		rest -= float64(row[j] * row[j])
	}
	if !(rest > explained) {
		return false
	}
	row[k] = math.Sqrt(rest)
	f.low, f.scale = append(f.low, row), append(f.scale, scale)
	return true
}

// solve returns (X'WX)⁻¹ v.
func (f *factor) solve(v []float64) []float64 {
	k := len(f.low)
	out := make([]float64, k)
	for j := range k {
		sum := v[j] / f.scale[j]
		for i := range j {
			sum -= float64(f.low[j][i] * out[i])
		}
		out[j] = sum / f.low[j][j]
	}
	for j := k - 1; j >= 0; j-- {
		sum := out[j]
		for i := j + 1; i < k; i++ {
			sum -= float64(f.low[i][j] * out[i])
		}
		out[j] = sum / f.low[j][j]
	}
	for j := range out {
		out[j] /= f.scale[j]
	}
	return out
}

// solve drops what cannot be told apart, estimates the slopes and leaves the
// residuals.
func (m *model) solve(ctx context.Context) error {
	var candidates []int
	var cols [][]float64
	for k, x := range m.x {
		if m.dropped[k] == "" {
			candidates, cols = append(candidates, k), append(cols, x)
		}
	}
	g, err := gram(ctx, append(cols, m.y), m.w)
	if err != nil {
		return err
	}
	f := &factor{}
	var at []int // positions of the kept columns among the candidates
	for c, k := range candidates {
		cross := make([]float64, 0, len(at)+1)
		for _, a := range at {
			cross = append(cross, g[a][c])
		}
		if f.take(append(cross, g[c][c])) {
			at, m.kept = append(at, c), append(m.kept, k)
		} else {
			m.dropped[k] = "dropped: the regressors before it explain it wholly" + m.inEffects()
		}
	}
	right := make([]float64, len(at))
	for j, a := range at {
		right[j] = g[a][len(cols)]
	}
	m.beta = f.solve(right)
	m.inverse = make([][]float64, len(at))
	for j := range at {
		unit := make([]float64, len(at))
		unit[j] = 1
		m.inverse[j] = f.solve(unit)
	}
	m.e = make([]float64, m.n)
	for round := 0; ; round++ {
		right, err := m.residuals(ctx)
		if err != nil || round == 2 {
			return err
		}
		for j, d := range f.solve(right) {
			m.beta[j] += d
		}
	}
}

// residuals fills e = y - Xb and returns X'We; it notes Σwe².
func (m *model) residuals(ctx context.Context) ([]float64, error) {
	k := len(m.kept)
	parts, err := par.Map(ctx, par.Count(m.n, chunkRows), func(c int) ([]float64, error) {
		lo, hi := c*chunkRows, min(m.n, (c+1)*chunkRows)
		e, we := m.e[lo:hi], make([]float64, hi-lo)
		copy(e, m.y[lo:hi])
		for j, x := range m.kept {
			for i, v := range m.x[x][lo:hi] {
				e[i] -= float64(m.beta[j] * v)
			}
		}
		for i, v := range e {
			we[i] = m.weight(lo+i) * v
		}
		sums := make([]float64, k+1)
		for j, x := range m.kept {
			sums[j] = dot(we, m.x[x][lo:hi])
		}
		sums[k] = dot(we, e)
		return sums, nil
	})
	if err != nil {
		return nil, err
	}
	sums := make([]float64, k+1)
	for _, p := range parts {
		for j, v := range p {
			sums[j] += v
		}
	}
	m.residual = sums[k]
	return sums[:k], nil
}

// variance is what a fit says of the precision of its coefficients.
type variance struct {
	df, parameters int
	stdErr         []float64
	reasons        []string // by kept regressor; "" where there is a standard error
}

// sandwich computes the clustered variance; see [OLS]. It also moves the
// constant from the centred to the original regressors.
func (m *model) sandwich(ctx context.Context) (variance, error) {
	k := len(m.kept)
	v := variance{parameters: m.parameters(), stdErr: make([]float64, k), reasons: make([]string, k)}
	v.df = m.n - v.parameters
	if m.cluster != nil {
		v.df = m.clusters - 1
	}
	reason := ""
	switch {
	case m.clusters < 2:
		reason = "no standard error: fewer than two clusters"
	case m.n <= v.parameters:
		reason = fmt.Sprintf("no standard error: %d rows for %d parameters", m.n, v.parameters)
	case m.within == 0:
		reason = "no standard error: the outcome does not vary" + m.inEffects()
	case m.residual <= perfect*m.within:
		reason = "no standard error: the fit is perfect, all residuals are zero"
	}
	lift := m.constant()
	if reason != "" {
		for j := range v.reasons {
			v.reasons[j] = reason
		}
		return v, nil
	}
	meat, effective, err := m.meat(ctx)
	if err != nil {
		return v, err
	}
	factor := float64(m.clusters) / float64(m.clusters-1) * float64(m.n-1) / float64(m.n-v.parameters)
	classical := m.residual / float64(m.n-v.parameters)
	for j := range k {
		b := m.inverse[j] // row of the bread that coefficient j needs
		if lift != nil && m.kept[j] == len(m.x)-1 {
			b = combine(lift, m.inverse)
		}
		var robust, plain float64
		for a := range k {
			for c := range k {
				robust += float64(float64(b[a]*meat[a][c]) * b[c])
			}
		}
		plain = classical * m.inverse[j][j]
		v.stdErr[j] = math.Sqrt(factor * max(0, robust))
		name := m.names[m.kept[j]]
		// One treated cluster has residuals that add up to nothing: its standard
		// error comes out tiny. With few the t test still rejects too often
		// (Carter, Schnepel and Steigerwald 2017).
		switch {
		case !(v.stdErr[j] > 1e-6*math.Sqrt(plain)):
			v.reasons[j] = "no standard error: its scores are zero in every cluster"
		case m.cluster == nil || name == Constant:
		case effective[j] < 2:
			v.reasons[j] = fmt.Sprintf("no standard error: it varies in about %.1f of %d clusters, want at least 2", effective[j], m.clusters)
		case effective[j] < 5:
			m.warnings = append(m.warnings, fmt.Sprintf("%q varies in about %.1f of %d clusters: its standard error is likely too small", name, effective[j], m.clusters))
		}
	}
	if m.cluster != nil && m.clusters <= k {
		m.warnings = append(m.warnings, fmt.Sprintf("%d clusters for %d regressors: joint tests are impossible", m.clusters, k))
	}
	return v, nil
}

// constant turns the coefficient of the ones into the constant of the original
// regressors and returns the weights with which it combines the coefficients;
// nil where there is none.
func (m *model) constant() []float64 {
	if len(m.sets) > 0 {
		return nil
	}
	lift := make([]float64, len(m.kept))
	last := len(m.kept) - 1
	a := m.yMean + m.beta[last]
	for j, k := range m.kept[:last] {
		lift[j] = -m.means[k]
		a -= float64(m.means[k] * m.beta[j])
	}
	lift[last] = 1
	m.beta[last] = a
	return lift
}

func combine(lift []float64, rows [][]float64) []float64 {
	out := make([]float64, len(lift))
	for j, l := range lift {
		for c, x := range rows[j] {
			out[c] += float64(l * x)
		}
	}
	return out
}

// meat returns Σ_g s_g s_g' over the scores of clusters and, by regressor, the
// number of clusters that its variation comes from: (Σv_g)²/Σv_g² of its
// weighted sums of squares v_g by cluster, after absorbing.
func (m *model) meat(ctx context.Context) (meat [][]float64, effective []float64, err error) {
	cols := make([][]float64, len(m.kept))
	for j, k := range m.kept {
		cols[j] = m.x[k]
	}
	if m.cluster == nil {
		square := make([]float64, m.n)
		for i, e := range m.e {
			we := m.weight(i) * e
			square[i] = we * we
		}
		meat, err = gram(ctx, cols, square)
		return meat, nil, err
	}
	scores := make([][]float64, len(cols))
	effective = make([]float64, len(cols))
	err = par.Do(ctx, len(cols), func(j int) error {
		s, spread := make([]float64, m.clusters), make([]float64, m.clusters)
		for i, g := range m.cluster {
			wx := m.weight(i) * cols[j][i]
			s[g] += float64(wx * m.e[i])
			spread[g] += float64(wx * cols[j][i])
		}
		var sum, squares float64
		for _, x := range spread {
			sum += x
			squares += float64(x * x)
		}
		scores[j], effective[j] = s, float64(sum*sum)/squares
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	meat, err = gram(ctx, scores, nil)
	return meat, effective, err
}

// parameters counts slopes, constant and absorbed effects. A set nested in the
// clusters costs nothing more than the constant that it holds; of a second set
// one level per connected component of the two is redundant, of further sets
// one level.
func (m *model) parameters() int {
	k := len(m.kept)
	absorbed := 0
	for i, set := range m.sets {
		own := m.levels[i]
		switch {
		case m.nested(set, m.levels[i]):
			own = 0
		case i == 1:
			_, parts := joined(m.sets[0], m.levels[0], set, own)
			own -= parts
		case i > 1:
			own--
		}
		absorbed += own
	}
	if len(m.sets) > 0 {
		k += max(1, absorbed)
		if len(m.sets) > 1 && m.nested(m.sets[0], m.levels[0]) && absorbed > 0 {
			k++ // the constant that the nested first set holds
		}
	}
	return k
}

// nested says whether every level of a set lies in one cluster.
func (m *model) nested(set []int32, levels int) bool {
	if m.cluster == nil {
		return false
	}
	home := make([]int32, levels)
	for i, c := range set {
		switch g := m.cluster[i] + 1; home[c] {
		case 0:
			home[c] = g
		case g:
		default:
			return false
		}
	}
	return true
}
