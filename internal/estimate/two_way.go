package estimate

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/par"
)

// TwoWay is a model of n rows, one per worker and employer (and period), with an
// effect for each worker and each employer:
//
//	y_it = α_i + ψ_j(i,t) + x_it'b + e_it
//
// (Abowd, Kramarz and Margolis 1999). Its slices are read, never written.
type TwoWay struct {
	Y                []float64   // log wage; NaN is left out
	Worker, Employer []int32     // codes >= 0; below 0 is missing
	X                [][]float64 // regressors; periods and powers of age centred on 40, say
	Names            []string    // of the regressors
}

// Shares takes the variance of the outcome apart; the parts add up to 1.
type Shares struct {
	Worker, Employer, Sorting       float64 // Var α, Var ψ, 2Cov(α,ψ)
	Observables, WithEffects, Error float64 // Var x'b, 2Cov(x'b,α+ψ), Var e (and what rounding leaves)
}

// TwoWayFit is an estimated [TwoWay]. Effects and residuals have one entry per
// row, NaN where a row is not in it.
type TwoWayFit struct {
	Coef                              []Coefficient // of X
	WorkerEffect, EmployerEffect      []float64     // employer effects have mean 0 over the rows used
	Residual                          []float64
	Variance                          float64 // of the outcome
	Shares                            Shares
	Correlation                       float64 // of worker and employer effects over rows
	R2                                float64
	N, Workers, Employers             int // in the largest connected set
	Movers                            int // workers with more than one employer in it
	AllRows, AllWorkers, AllEmployers int // usable rows and who is in them before restricting to it
	Iterations                        int
	Warnings                          []string
}

// TwoWayEffects fits a model with worker and employer effects on the largest
// connected set: the employers that moves of workers link, most rows first.
// Other rows are left out, since effects of unconnected employers cannot be
// compared.
//
// Regressors are fitted by [OLS] with both sets absorbed, standard errors
// clustered by worker. Rows are then collapsed to worker-employer pairs, worker
// effects concentrated out, and the employer effects solved for by conjugate
// gradients with the diagonal as preconditioner, to a relative residual of 1e-12
// (Guimarães and Portugal 2010; Abowd, Creecy and Kramarz 2002).
//
// The shares are plug-in: noise in the estimated effects adds to their variances
// and takes from their covariance, the more the fewer movers an employer has
// (Andrews et al. 2008). The warning that says so is always there.
// [TwoWayComponents] corrects for it.
func TwoWayEffects(ctx context.Context, t TwoWay) (TwoWayFit, error) {
	f, g, net, err := t.start(ctx)
	f.Correlation, f.R2 = math.NaN(), math.NaN()
	if err != nil {
		return f, err
	}
	y := g.column(t.Y)
	xb := make([]float64, g.n)
	for i := range xb {
		xb[i] = y[i] - net[i]
	}
	alpha, psi, err := g.effects(ctx, net, &f)
	if err != nil {
		return f, err
	}
	g.describe(&f, y, xb, alpha, psi)
	f.Warnings = append(f.Warnings, fmt.Sprintf("plug-in variance shares: with %d movers for %d employers those of workers and employers are too large and sorting is too small", f.Movers, f.Employers))
	return f, nil
}

// observables fits the regressors with both sets absorbed and returns x'b.
func (t TwoWay) observables(ctx context.Context, g *graph, y []float64, f *TwoWayFit) ([]float64, error) {
	xb := make([]float64, g.n)
	if len(t.X) == 0 {
		return xb, nil
	}
	sub := Spec{Y: y, Names: t.Names, Absorb: [][]int32{g.worker, g.employer}, Cluster: g.worker}
	for _, x := range t.X {
		sub.X = append(sub.X, g.column(x))
	}
	fit, err := OLS(ctx, sub)
	if err != nil {
		return nil, err
	}
	f.Coef = fit.Coef
	for k, c := range fit.Coef {
		if !c.Dropped {
			for i, x := range sub.X[k] {
				xb[i] += float64(c.Estimate * x)
			}
		}
	}
	return xb, nil
}

// graph is the largest connected set, collapsed to pairs of worker and employer.
type graph struct {
	rows               []int32
	n, all             int
	worker, employer   []int32 // by row used
	workers, employers int
	pair               []int32 // by row used
	pairWorker         []int32
	pairEmployer       []int32
	weight             []float64 // rows of a pair
	byWorker           []int32   // bounds of the pairs of a worker: they are sorted by it
	byEmployer         []int32   // bounds in order
	order              []int32   // pairs by employer
	workerRows         []float64
	employerRows       []float64
}

func (g *graph) column(v []float64) []float64 {
	out := make([]float64, g.n)
	for k, r := range g.rows {
		out[k] = v[r]
	}
	return out
}

func (t TwoWay) connect(f *TwoWayFit, s Spec) (*graph, error) {
	m := &model{spec: s}
	var rows []int32
	for i := range t.Y {
		if m.present(i) {
			rows = append(rows, int32(i))
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("estimate: of %d rows, %w", len(t.Y), ErrNoRows)
	}
	take := func(codes []int32, rows []int32) ([]int32, int) {
		out := make([]int32, len(rows))
		for k, r := range rows {
			out[k] = codes[r]
		}
		ranked, values := rank(out)
		return ranked, len(values)
	}
	w, workers := take(t.Worker, rows)
	e, employers := take(t.Employer, rows)
	f.AllRows, f.AllWorkers, f.AllEmployers = len(rows), workers, employers
	part, _ := joined(w, workers, e, employers)
	size := make([]int, workers)
	best := int32(0)
	for _, i := range w {
		size[part[i]]++
	}
	for p, k := range size {
		if k > size[best] {
			best = int32(p)
		}
	}
	g := &graph{all: len(t.Y)}
	for k, r := range rows {
		if part[w[k]] == best {
			g.rows = append(g.rows, r)
		}
	}
	g.n = len(g.rows)
	g.worker, g.workers = take(t.Worker, g.rows)
	g.employer, g.employers = take(t.Employer, g.rows)
	g.collapse()
	f.N, f.Workers, f.Employers = g.n, g.workers, g.employers
	for i := range g.workers {
		if g.byWorker[i+1]-g.byWorker[i] > 1 {
			f.Movers++
		}
	}
	return g, nil
}

// collapse sorts rows by worker, then employer, into pairs.
func (g *graph) collapse() {
	byEmployer, _ := bucket(nil, g.employer, g.employers)
	order, _ := bucket(byEmployer, g.worker, g.workers)
	g.pair = make([]int32, g.n)
	g.workerRows, g.employerRows = make([]float64, g.workers), make([]float64, g.employers)
	for _, r := range order {
		w, e := g.worker[r], g.employer[r]
		if k := len(g.weight); k == 0 || g.pairWorker[k-1] != w || g.pairEmployer[k-1] != e {
			g.pairWorker, g.pairEmployer, g.weight = append(g.pairWorker, w), append(g.pairEmployer, e), append(g.weight, 0)
		}
		g.pair[r] = int32(len(g.weight) - 1)
		g.weight[g.pair[r]]++
		g.workerRows[w]++
		g.employerRows[e]++
	}
	_, g.byWorker = bucket(nil, g.pairWorker, g.workers)
	g.order, g.byEmployer = bucket(nil, g.pairEmployer, g.employers)
}

// bucket sorts positions (nil: all, in order) by code, stably, and returns the
// bounds of each code.
func bucket(positions, codes []int32, n int) (order, bounds []int32) {
	bounds = make([]int32, n+1)
	for _, c := range codes {
		bounds[c+1]++
	}
	for c := range n {
		bounds[c+1] += bounds[c]
	}
	at := append([]int32(nil), bounds...)
	order = make([]int32, len(codes))
	for k := range codes {
		i := int32(k)
		if positions != nil {
			i = positions[k]
		}
		order[at[codes[i]]] = i
		at[codes[i]]++
	}
	return order, bounds
}

// chunkUnits is the run of workers or employers handled together.
const chunkUnits = 1 << 14

// workerMeans returns, by worker, the mean over rows of values by pair.
func (g *graph) workerMeans(ctx context.Context, value func(p int32) float64, out []float64) error {
	return par.Chunks(ctx, g.workers, chunkUnits, func(_, lo, hi int) error {
		for w := lo; w < hi; w++ {
			sum := 0.0
			for p := g.byWorker[w]; p < g.byWorker[w+1]; p++ {
				sum += float64(g.weight[p] * value(p))
			}
			out[w] = sum / g.workerRows[w]
		}
		return nil
	})
}

// effects solves the normal equations of the employer effects.
func (g *graph) effects(ctx context.Context, net []float64, f *TwoWayFit) (alpha, psi []float64, err error) {
	mean := make([]float64, len(g.weight)) // by pair
	for i, p := range g.pair {
		mean[p] += net[i] / g.weight[p]
	}
	alpha, psi = make([]float64, g.workers), make([]float64, g.employers)
	if err := g.workerMeans(ctx, func(p int32) float64 { return mean[p] }, alpha); err != nil {
		return nil, nil, err
	}
	byEmployer := func(value func(p int32) float64, out []float64) error {
		return par.Chunks(ctx, g.employers, chunkUnits, func(_, lo, hi int) error {
			for e := lo; e < hi; e++ {
				sum := 0.0
				for _, p := range g.order[g.byEmployer[e]:g.byEmployer[e+1]] {
					sum += float64(g.weight[p] * value(p))
				}
				out[e] = sum
			}
			return nil
		})
	}
	r, diagonal := make([]float64, g.employers), make([]float64, g.employers)
	if err := byEmployer(func(p int32) float64 { return mean[p] - alpha[g.pairWorker[p]] }, r); err != nil {
		return nil, nil, err
	}
	if err := byEmployer(func(p int32) float64 { return 1 - g.weight[p]/g.workerRows[g.pairWorker[p]] }, diagonal); err != nil {
		return nil, nil, err
	}
	for e, d := range diagonal {
		diagonal[e] = max(d, 1e-9*g.employerRows[e])
	}
	z, u, v, w := make([]float64, g.employers), make([]float64, g.employers), make([]float64, g.employers), make([]float64, g.workers)
	precondition := func() float64 {
		for e, x := range r {
			z[e] = x / diagonal[e]
		}
		return dot(r, z)
	}
	rz := precondition()
	start := rz
	copy(u, z)
	for ; f.Iterations < 5000 && rz > 1e-24*start; f.Iterations++ {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err := g.workerMeans(ctx, func(p int32) float64 { return u[g.pairEmployer[p]] }, w); err != nil {
			return nil, nil, err
		}
		if err := byEmployer(func(p int32) float64 { return u[g.pairEmployer[p]] - w[g.pairWorker[p]] }, v); err != nil {
			return nil, nil, err
		}
		curve := dot(u, v)
		if !(curve > 0) {
			break
		}
		step := rz / curve
		for e := range psi {
			psi[e] += float64(step * u[e])
			r[e] -= float64(step * v[e])
		}
		next := precondition()
		ratio := next / rz
		for e := range u {
			u[e] = z[e] + float64(ratio*u[e])
		}
		rz = next
	}
	if rz > 1e-18*start {
		f.Warnings = append(f.Warnings, "the employer effects did not converge")
	}
	var centre float64
	for e, x := range psi {
		centre += float64(g.employerRows[e] * x)
	}
	centre /= float64(g.n)
	for e := range psi {
		psi[e] -= centre
	}
	err = g.workerMeans(ctx, func(p int32) float64 { return mean[p] - psi[g.pairEmployer[p]] }, alpha)
	return alpha, psi, err
}

// describe fills in effects by row and the shares.
func (g *graph) describe(f *TwoWayFit, y, xb, alpha, psi []float64) {
	nan := math.NaN()
	f.WorkerEffect, f.EmployerEffect, f.Residual = make([]float64, g.all), make([]float64, g.all), make([]float64, g.all)
	for i := range g.all {
		f.WorkerEffect[i], f.EmployerEffect[i], f.Residual[i] = nan, nan, nan
	}
	a, p, both, e := make([]float64, g.n), make([]float64, g.n), make([]float64, g.n), make([]float64, g.n)
	for k, r := range g.rows {
		a[k], p[k] = alpha[g.worker[k]], psi[g.employer[k]]
		both[k] = a[k] + p[k]
		e[k] = y[k] - both[k] - xb[k]
		f.WorkerEffect[r], f.EmployerEffect[r], f.Residual[r] = a[k], p[k], e[k]
	}
	f.Variance = covariance(y, y)
	if !(f.Variance > 0) {
		f.Shares = Shares{nan, nan, nan, nan, nan, nan}
		return
	}
	share := func(u, v []float64, times float64) float64 { return times * covariance(u, v) / f.Variance }
	f.Shares = Shares{
		Worker: share(a, a, 1), Employer: share(p, p, 1), Sorting: share(a, p, 2),
		Observables: share(xb, xb, 1), WithEffects: share(xb, both, 2),
	}
	s := f.Shares
	f.R2 = 1 - share(e, e, 1)
	f.Shares.Error = 1 - s.Worker - s.Employer - s.Sorting - s.Observables - s.WithEffects
	if va, vp := covariance(a, a), covariance(p, p); va > 0 && vp > 0 {
		f.Correlation = covariance(a, p) / math.Sqrt(va*vp)
	}
}

// covariance of two columns of equal length, divided by it.
func covariance(a, b []float64) float64 {
	var ma, mb float64
	for i := range a {
		ma += a[i]
		mb += b[i]
	}
	n := float64(len(a))
	ma, mb = ma/n, mb/n
	var sum float64
	for i := range a {
		sum += float64((a[i] - ma) * (b[i] - mb))
	}
	return sum / n
}
