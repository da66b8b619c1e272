package assign

import (
	"errors"
	"fmt"
	"math"
)

// ErrNotConverged says that Sinkhorn's scaling ran out of rounds.
var ErrNotConverged = errors.New("the posterior did not converge")

// Sinkhorn returns the posterior that row i is column j when links are one to
// one: the matrix exp(-cost/tau) scaled so that every row sums to 1 and every
// column to 1, or to at most 1 where there are more columns than rows (Sinkhorn
// 1967; Cuturi 2013). tau > 0 is 1 where the costs are minus log likelihoods;
// smaller is bolder. +Inf forbids a pair.
//
// With rows < columns the columns left over go to cols-rows further rows of
// equal costs, which stand for public units that were not released.
//
// Scaling is in logarithms and stops when no row sum is further than tol from
// 1 while the columns fit exactly (tol 0 means 1e-9); the rows are normalised
// last. After maxIter rounds (0 means 10,000) the posterior so far is returned
// together with [ErrNotConverged], as it is where forbidden pairs allow no
// assignment at all.
func Sinkhorn(cost [][]float64, tau, tol float64, maxIter int) (posterior [][]float64, err error) {
	rows := len(cost)
	if rows == 0 {
		return nil, nil
	}
	cols := len(cost[0])
	if !(tau > 0) || math.IsInf(tau, 1) {
		return nil, fmt.Errorf("assign: tau is %v, want a positive number", tau)
	}
	if rows > cols {
		return nil, fmt.Errorf("assign: %d rows for %d columns, want rows <= columns; swap the two sides", rows, cols)
	}
	if !(tol > 0) {
		tol = 1e-9
	}
	if maxIter <= 0 {
		maxIter = 10000
	}
	logK, err := kernel(cost, cols, tau)
	if err != nil {
		return nil, err
	}
	f, g := make([]float64, rows), make([]float64, cols)
	spare, h := cols-rows, math.Inf(-1) // log scale of the rows left over
	if spare > 0 {
		h = 0
	}
	peak, sum := make([]float64, cols), make([]float64, cols)
	worst := math.Inf(1)
	for it := 0; it < maxIter && worst > tol; it++ {
		// Columns: g_j = -log(Σ_i exp(f_i+logK_ij) + exp(h)).
		for j := range cols {
			peak[j], sum[j] = h, 0
		}
		for i, row := range logK {
			for j, k := range row {
				peak[j] = max(peak[j], f[i]+k)
			}
		}
		for i, row := range logK {
			for j, k := range row {
				sum[j] += math.Exp(f[i] + k - peak[j])
			}
		}
		for j := range cols {
			if math.IsInf(peak[j], -1) {
				return nil, fmt.Errorf("assign: column %d is forbidden to every row: %w", j, ErrInfeasible)
			}
			g[j] = -(peak[j] + math.Log(sum[j]+math.Exp(h-peak[j])))
		}
		// Rows: how far they are from 1, then f and h.
		worst = 0
		for i, row := range logK {
			s := logSum(row, g)
			worst = max(worst, math.Abs(math.Expm1(f[i]+s)))
			f[i] = -s
		}
		if spare > 0 {
			s := logSum(nil, g)
			worst = max(worst, math.Abs(math.Expm1(h+s-math.Log(float64(spare)))))
			h = math.Log(float64(spare)) - s
		}
	}
	posterior = make([][]float64, rows)
	for i, row := range logK {
		posterior[i] = make([]float64, cols)
		for j, k := range row {
			posterior[i][j] = math.Exp(f[i] + k + g[j])
		}
	}
	if worst > tol {
		return posterior, fmt.Errorf("assign: a row sum is %.3g from 1 after %d rounds: %w; raise tau or the number of rounds", worst, maxIter, ErrNotConverged)
	}
	return posterior, nil
}

// kernel returns -cost/tau.
func kernel(cost [][]float64, cols int, tau float64) ([][]float64, error) {
	out := make([][]float64, len(cost))
	for i, row := range cost {
		if len(row) != cols {
			return nil, fmt.Errorf("assign: row %d has %d costs, row 0 has %d", i, len(row), cols)
		}
		out[i] = make([]float64, cols)
		open := false
		for j, c := range row {
			if math.IsNaN(c) || math.IsInf(c, -1) {
				return nil, fmt.Errorf("assign: cost of row %d and column %d is %v, want a number, or +Inf for a forbidden pair", i, j, c)
			}
			out[i][j] = -c / tau
			open = open || !math.IsInf(out[i][j], -1)
		}
		if !open {
			return nil, fmt.Errorf("assign: row %d: %w", i, ErrInfeasible)
		}
	}
	return out, nil
}

// logSum returns log Σ_j exp(k_j + g_j); without k every k_j is 0.
func logSum(k, g []float64) float64 {
	at := func(j int) float64 {
		if k == nil {
			return g[j]
		}
		return k[j] + g[j]
	}
	peak := math.Inf(-1)
	for j := range g {
		peak = max(peak, at(j))
	}
	var sum float64
	for j := range g {
		sum += math.Exp(at(j) - peak)
	}
	return peak + math.Log(sum)
}
