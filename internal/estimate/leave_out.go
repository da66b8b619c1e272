package estimate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// ErrNoMovers says that worker and employer effects cannot be told apart.
var ErrNoMovers = errors.New("no two employers remain linked by movers when any one match is left out")

// LeaveOut says how [TwoWayComponents] corrects for noise. Its zero value is
// ready to use.
type LeaveOut struct {
	Probes int     // random vectors per trace; 0 takes 48. Rounded up to a multiple of 16
	Key    rng.Sim // of the probes
}

// Validate names the field that is wrong and what to write instead.
func (o LeaveOut) Validate() error {
	if o.Probes < 0 || o.Probes > 1<<20 {
		return fmt.Errorf("estimate: probes is %d, want at least 1, or 0 for %d", o.Probes, defaultProbes)
	}
	return nil
}

const defaultProbes = 48

// Component is a variance or covariance of effects over rows.
type Component struct {
	PlugIn    float64 // of the estimated effects, noise and all
	Corrected float64 // freed of it; a variance may come out below 0 where there is next to none
	StdErr    float64 // of Corrected: the root of the sum of squares of the next two
	// By employer of Components.Codes: what it adds to Corrected beyond its share,
	// as one draw of many employers, and what the errors of its matches add.
	Draw, Noise []float64
}

// Components takes the variance of the outcome apart into worker and employer
// effects.
type Components struct {
	Worker, Employer, Covariance      Component
	Variance                          float64 // of the outcome over the rows used
	Codes                             []int32 // of the employers, as they were given, ascending
	N, Workers, Employers             int     // of the set
	Movers, Matches                   int     // workers with more than one employer, and the pairs that they make
	AllRows, AllWorkers, AllEmployers int     // usable rows and who is in them
	Probes                            int     // per trace
	ProbeStdErr                       float64 // of Employer.Corrected over the probes of its trace
	Iterations                        int     // of the longest solution
	Warnings                          []string
}

// TwoWayComponents estimates Var(α), Var(ψ) and Cov(α,ψ) of a model with worker
// and employer effects, corrected for the noise in the estimated effects by
// leaving out one match at a time (Kline, Saggio and Sølvsten 2020, eq. 5 and 6):
//
//	θ = θ(plug-in) - Σ_m B_mm σ²_m,   σ²_m = ȳ_m (ȳ_m - α̂_w - ψ̂_j)/(1 - P_mm)
//
// where a match m is all rows of a worker at an employer, ȳ_m their mean about
// the grand mean, P_mm its leverage and B_mm its weight in the quadratic form.
// Errors may differ in variance and be correlated within a match. For workers who
// never move single rows are left out instead, so there errors must be
// independent over periods: otherwise Var(α) comes out too large.
//
// The set is the largest one in which employers stay linked whichever match is
// left out: bridges of the mobility graph, and workers seen once, are dropped. P
// and B are traces, estimated from random signs (Hutchinson 1990), P relative to
// the estimate of 1-P so that it stays below 1, with the ratio's bias of second
// order removed. Regressors are taken out first, by [OLS] with both sets absorbed.
//
// The standard error holds the variation between employers, as independent draws,
// and the noise of the matches, to first order in them. Noisy effects make the
// first too large by part of the second: it errs on the large side.
func TwoWayComponents(ctx context.Context, t TwoWay, o LeaveOut) (Components, error) {
	f := Components{Probes: o.Probes}
	if err := o.Validate(); err != nil {
		return f, err
	}
	if f.Probes == 0 {
		f.Probes = defaultProbes
	}
	f.Probes = 2 * lanes * par.Count(f.Probes, 2*lanes)
	fit, g, net, err := t.start(ctx)
	f.AllRows, f.AllWorkers, f.AllEmployers = fit.AllRows, fit.AllWorkers, fit.AllEmployers
	if err != nil {
		return f, err
	}
	g, net = g.leaveOutSet(net)
	if g.employers < 2 {
		return f, fmt.Errorf("estimate: %d rows of %d workers at %d employers: %w", f.AllRows, f.AllWorkers, f.AllEmployers, ErrNoMovers)
	}
	l := newLeaveOut(g, net)
	f.N, f.Workers, f.Employers, f.Movers, f.Matches = g.n, g.workers, g.employers, len(l.movers), len(l.pairs)
	f.Variance = covariance(net, net)
	f.Codes = make([]int32, g.employers)
	for k, r := range g.rows {
		f.Codes[g.employer[k]] = t.Employer[r]
	}
	if err := l.solve(ctx, &f); err != nil {
		return f, err
	}
	if err := l.leverages(ctx, o.Key, &f); err != nil {
		return f, err
	}
	if err := l.weights(ctx, o.Key, &f); err != nil {
		return f, err
	}
	if err := l.slopes(ctx, &f); err != nil {
		return f, err
	}
	l.components(&f)
	return f, nil
}

// start finds the largest connected set and the outcome net of the regressors.
func (t TwoWay) start(ctx context.Context) (TwoWayFit, *graph, []float64, error) {
	var f TwoWayFit
	n := len(t.Y)
	if len(t.Worker) != n || len(t.Employer) != n {
		return f, nil, nil, fmt.Errorf("estimate: %d outcomes with %d workers and %d employers", n, len(t.Worker), len(t.Employer))
	}
	s := Spec{Y: t.Y, X: t.X, Names: t.Names, Absorb: [][]int32{t.Worker, t.Employer}, Cluster: t.Worker}
	if err := s.Validate(); err != nil {
		return f, nil, nil, err
	}
	g, err := t.connect(&f, s)
	if err != nil {
		return f, nil, nil, err
	}
	net := g.column(t.Y)
	xb, err := t.observables(ctx, g, net, &f)
	if err != nil {
		return f, nil, nil, err
	}
	for i := range net {
		net[i] -= xb[i]
	}
	return f, g, net, nil
}

// leaveOutSet restricts a connected set to the employers that stay linked
// whichever match is left out.
func (g *graph) leaveOutSet(net []float64) (*graph, []float64) {
	part := g.parts()
	rows := make([]float64, g.employers+g.workers)
	for e, p := range part {
		rows[p] += g.employerRows[e]
	}
	best := int32(0)
	for p, n := range rows {
		if n > rows[best] {
			best = int32(p)
		}
	}
	// A worker whom only a bridge ties to the set has one match in it: there he
	// is one who stays.
	seen := make([]int, g.workers)
	inside := func(k int) bool { return part[g.employer[k]] == best }
	for k := range g.n {
		if inside(k) {
			seen[g.worker[k]]++
		}
	}
	out := &graph{all: g.all}
	var kept []float64
	var worker, employer []int32
	for k := range g.n {
		if inside(k) && seen[g.worker[k]] > 1 {
			out.rows, kept = append(out.rows, g.rows[k]), append(kept, net[k])
			worker, employer = append(worker, g.worker[k]), append(employer, g.employer[k])
		}
	}
	out.n = len(kept)
	out.worker, out.workers = renumbered(worker, g.workers)
	out.employer, out.employers = renumbered(employer, g.employers)
	out.collapse()
	return out, kept
}

// renumbered numbers the codes below n that occur from 0, in their order.
func renumbered(codes []int32, n int) ([]int32, int) {
	to := make([]int32, n)
	for _, c := range codes {
		to[c] = 1
	}
	used := int32(0)
	for c, there := range to {
		if to[c] = used; there == 1 {
			used++
		}
	}
	out := make([]int32, len(codes))
	for k, c := range codes {
		out[k] = to[c]
	}
	return out, int(used)
}

// leaveOut is the set made ready. Matches are the pairs of movers, in the order of
// their workers.
type leaveOut struct {
	g      *graph
	l      *laplacian
	movers []int32 // workers
	first  []int32 // bounds of a mover's matches
	pairs  []int32 // of the graph, by match
	mean   []float64
	spread []float64 // by worker who stays: squares of the outcome about his mean

	alpha, psi []float64 // estimated, about their means over rows
	error      []float64 // by match: centred mean times residual
	// Estimates of 1/(1-P) and of p'ΠL⁺d by match, each from a half of the probes.
	inverse, cross [2][]float64
	weight         []float64    // B of the employer variance
	slope          [3][]float64 // of worker and employer variance and covariance in the mean of a match
}

func newLeaveOut(g *graph, net []float64) *leaveOut {
	l := &leaveOut{g: g, l: g.flows(), mean: make([]float64, len(g.weight)), spread: make([]float64, g.workers)}
	grand := 0.0
	for _, y := range net {
		grand += y
	}
	grand /= float64(g.n)
	for i, p := range g.pair {
		l.mean[p] += (net[i] - grand) / g.weight[p]
	}
	for i, p := range g.pair {
		if w := g.worker[i]; g.stays(w) {
			e := net[i] - grand - l.mean[p]
			l.spread[w] += float64(e * e)
		}
	}
	l.first = append(l.first, 0)
	for w := range int32(g.workers) {
		if g.stays(w) {
			continue
		}
		l.movers = append(l.movers, w)
		for p := g.byWorker[w]; p < g.byWorker[w+1]; p++ {
			l.pairs = append(l.pairs, p)
		}
		l.first = append(l.first, int32(len(l.pairs)))
	}
	return l
}

// each calls f for the matches lo..hi of every mover, who has n rows.
func (l *leaveOut) each(f func(lo, hi int, n float64)) {
	for k, w := range l.movers {
		f(int(l.first[k]), int(l.first[k+1]), l.g.workerRows[w])
	}
}

// at is the employer of a match and the number of its rows.
func (l *leaveOut) at(m int) (employer int32, rows float64) {
	p := l.pairs[m]
	return l.g.pairEmployer[p], l.g.weight[p]
}

// solve estimates the effects.
func (l *leaveOut) solve(ctx context.Context, f *Components) error {
	g := l.g
	right := make(block, g.employers)
	l.each(func(lo, hi int, n float64) {
		mean := 0.0
		for m := lo; m < hi; m++ {
			_, rows := l.at(m)
			mean += float64(rows*l.mean[l.pairs[m]]) / n
		}
		for m := lo; m < hi; m++ {
			e, rows := l.at(m)
			right[e][0] += float64(rows * (l.mean[l.pairs[m]] - mean))
		}
	})
	if err := l.invert(ctx, right, 1e-12, f); err != nil {
		return err
	}
	l.psi, l.alpha = make([]float64, g.employers), make([]float64, g.workers)
	centre := 0.0
	for e := range right {
		centre += float64(g.employerRows[e]*right[e][0]) / float64(g.n)
	}
	for e := range right {
		l.psi[e] = right[e][0] - centre
	}
	if err := g.workerMeans(ctx, func(p int32) float64 { return l.mean[p] - l.psi[g.pairEmployer[p]] }, l.alpha); err != nil {
		return err
	}
	l.error = make([]float64, len(l.pairs))
	for m, p := range l.pairs {
		l.error[m] = l.mean[p] * (l.mean[p] - l.alpha[g.pairWorker[p]] - l.psi[g.pairEmployer[p]])
	}
	return nil
}

func (l *leaveOut) invert(ctx context.Context, right block, tolerance float64, f *Components) error {
	n, ok, err := l.l.solve(ctx, right, tolerance)
	l.note(f, n, ok)
	return err
}

func (l *leaveOut) note(f *Components, iterations int, converged bool) {
	const warning = "the employer effects did not converge"
	f.Iterations = max(f.Iterations, iterations)
	if !converged && !slices.Contains(f.Warnings, warning) {
		f.Warnings = append(f.Warnings, warning)
	}
}

// components adds up what was found, by employer.
func (l *leaveOut) components(f *Components) {
	g := l.g
	n := float64(g.n)
	var sum, noise [3][]float64 // worker, employer, covariance; by employer
	for k := range sum {
		sum[k], noise[k] = make([]float64, g.employers), make([]float64, g.employers)
	}
	for p, rows := range g.weight {
		w, e := g.pairWorker[p], g.pairEmployer[p]
		a, b := l.alpha[w], l.psi[e]
		sum[0][e] += float64(rows * a * a)
		sum[1][e] += float64(rows * b * b)
		sum[2][e] += float64(rows * a * b)
		if g.stays(w) {
			noise[0][e] += (1 - rows/n) * l.spread[w] / (rows - 1)
		}
	}
	l.each(func(lo, hi int, total float64) {
		for m := lo; m < hi; m++ {
			e, rows := l.at(m)
			inverse := (l.inverse[0][m] + l.inverse[1][m]) / 2
			variance := l.error[m] * inverse
			fit := (float64(rows*(inverse-1)) - float64(rows*rows/n*inverse)) * l.error[m]
			employer := n * l.weight[m] * variance
			// Each half of the probes for one of two factors, so that their errors
			// are independent.
			product := (float64(l.cross[0][m]*l.inverse[1][m]) + float64(l.cross[1][m]*l.inverse[0][m])) / 2
			both := product*l.error[m] - employer + rows*l.error[m]*((1-rows/total)*inverse-1)
			noise[1][e] += employer
			noise[2][e] += both
			noise[0][e] += fit - 2*both - employer
		}
	})
	scale := math.Sqrt(float64(g.employers) / float64(g.employers-1))
	for k, c := range []*Component{&f.Worker, &f.Employer, &f.Covariance} {
		raw, off := 0.0, 0.0
		for e := range sum[k] {
			raw += sum[k][e]
			off += noise[k][e]
		}
		c.PlugIn, c.Corrected = raw/n, (raw-off)/n
		c.Draw, c.Noise = make([]float64, g.employers), make([]float64, g.employers)
		for m, p := range l.pairs {
			e := l.mean[p] - l.alpha[g.pairWorker[p]] - l.psi[g.pairEmployer[p]]
			inverse := (l.inverse[0][m] + l.inverse[1][m]) / 2
			c.Noise[g.pairEmployer[p]] += float64(l.slope[k][m]*e) * math.Sqrt(inverse)
		}
		squares := 0.0
		for e := range sum[k] {
			c.Draw[e] = scale * (sum[k][e] - noise[k][e] - g.employerRows[e]*c.Corrected) / n
			squares += float64(c.Draw[e]*c.Draw[e]) + float64(c.Noise[e]*c.Noise[e])
		}
		c.StdErr = math.Sqrt(squares)
	}
}

// slopes differentiates the plug-in components by the means of matches.
func (l *leaveOut) slopes(ctx context.Context, f *Components) error {
	g, n := l.g, float64(l.g.n)
	right := make(block, g.employers)
	total := 0.0
	for p, rows := range g.weight {
		w, e := g.pairWorker[p], g.pairEmployer[p]
		mean := l.alpha[w] // of the outcome, once the employer effects are back
		for q := g.byWorker[w]; q < g.byWorker[w+1]; q++ {
			mean += float64(g.weight[q]*l.psi[g.pairEmployer[q]]) / g.workerRows[w]
		}
		right[e][0] += rows * l.psi[e] / n
		right[e][1] += rows * mean
		total += rows * mean
	}
	for e := range right {
		right[e][1] -= g.employerRows[e] * total / n
	}
	if err := l.invert(ctx, right, 1e-8, f); err != nil {
		return err
	}
	for k := range l.slope {
		l.slope[k] = make([]float64, len(l.pairs))
	}
	l.each(func(lo, hi int, all float64) {
		var level, first, second float64
		for m := lo; m < hi; m++ {
			e, rows := l.at(m)
			level += float64(rows*l.psi[e]) / all
			first += float64(rows*right[e][0]) / all
			second += float64(rows*right[e][1]) / all
		}
		for m := lo; m < hi; m++ {
			e, rows := l.at(m)
			fit := 2 * rows * (l.alpha[g.pairWorker[l.pairs[m]]] + l.psi[e]) / n
			employer := 2 * rows * (right[e][0] - first)
			both := (rows*level+rows*(right[e][1]-second)+2*rows*(l.psi[e]-level))/n - employer
			l.slope[0][m], l.slope[1][m], l.slope[2][m] = fit-2*both-employer, employer, both
		}
	})
	return nil
}
