// Package estimate fits the models whose fate under a scramble is the question:
// least squares and Poisson regression with absorbed fixed effects and clustered
// standard errors, difference-in-differences on a panel of employers, event
// studies of staggered adoption, worker and employer effects, variance between
// and within employers. It compares an estimate on the original with the one on a
// release.
//
// For effects of staggered adoption use [EventStudyStaggered]; [DiD],
// [EventStudy], [Staggered.NaiveDiD] and [Staggered.NaiveEventStudy] compare with
// units already treated and are right only where all start at once.
//
// It refuses to guess: rows without a value are left out and counted, a
// regressor that cannot be told apart is dropped with the reason, and a
// standard error that the data cannot give is NaN with the reason.
//
// Sums run over fixed chunks of rows, reduced in their order, so every bit of a
// fit is the same at any number of processors.
package estimate

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/infer"
)

// Constant is the name of the intercept that OLS adds where nothing is
// absorbed.
const Constant = "(constant)"

// Spec is a linear model of n rows. Its slices are read, never written.
type Spec struct {
	Y       []float64   // outcome, n
	X       [][]float64 // regressors, each n; no constant among them
	Names   []string    // of the regressors
	Absorb  [][]int32   // sets of fixed effects, each n codes >= 0 in any numbering
	Cluster []int32     // n codes >= 0 within which errors may be correlated; nil: every row is its own
	Weights []float64   // n sampling weights >= 0; nil: 1. Rows of weight 0 are left out
	Level   float64     // of the confidence intervals, in [0, 1); 0 means 0.95

	KeepResiduals bool // fill Fit.Residuals
}

// Coefficient is an estimated number. Where Reason is set, some or all of its
// numbers are NaN and Reason says why.
type Coefficient struct {
	Name                              string
	Estimate, StdErr, T, P, Low, High float64
	Dropped                           bool // not estimated: all numbers are NaN
	Reason                            string
}

// Interval returns estimate and bounds; NaN where there are none.
func (c Coefficient) Interval(level float64) infer.Interval {
	return infer.Interval{Value: c.Estimate, Low: c.Low, High: c.High, Level: level}
}

// Fit is an estimated model.
type Fit struct {
	Coef         []Coefficient // in the order of Spec.Names; the constant, if any, last
	N, Clusters  int           // rows used, clusters among them
	DF           int           // of the t distribution: clusters-1, or N-parameters without clusters
	Parameters   int           // slopes, constant and absorbed effects not nested in clusters
	R2, WithinR2 float64       // share of the outcome's variance explained, before and after absorbing; NaN where it does not vary
	Level        float64       // of the intervals
	Residuals    []float64     // of all n rows, NaN where a row was left out; nil unless asked for
	LeftOut      LeftOut
	Warnings     []string
}

// LeftOut counts the rows that a fit could not use, by the first cause found.
type LeftOut struct {
	Missing    int // a number missing or infinite, or a code below 0
	Unweighted int // weight 0
	Singletons int // alone in an absorbed effect
}

// Get returns the coefficient of that name.
func (f Fit) Get(name string) (Coefficient, bool) {
	for _, c := range f.Coef {
		if c.Name == name {
			return c, true
		}
	}
	return Coefficient{}, false
}

// Validate names the first thing wrong with the shape of a model.
func (s Spec) Validate() error {
	n := len(s.Y)
	if len(s.X) != len(s.Names) {
		return fmt.Errorf("estimate: %d regressors with %d names", len(s.X), len(s.Names))
	}
	seen := map[string]bool{Constant: true}
	for k, x := range s.X {
		if len(x) != n {
			return fmt.Errorf("estimate: regressor %q has %d rows, the outcome %d", s.Names[k], len(x), n)
		}
		if seen[s.Names[k]] {
			return fmt.Errorf("estimate: two regressors are named %q", s.Names[k])
		}
		seen[s.Names[k]] = true
	}
	for k, a := range s.Absorb {
		if len(a) != n {
			return fmt.Errorf("estimate: absorbed set %d has %d rows, the outcome %d", k, len(a), n)
		}
	}
	if s.Cluster != nil && len(s.Cluster) != n {
		return fmt.Errorf("estimate: %d cluster codes for %d rows", len(s.Cluster), n)
	}
	if s.Weights != nil && len(s.Weights) != n {
		return fmt.Errorf("estimate: %d weights for %d rows", len(s.Weights), n)
	}
	for i, w := range s.Weights {
		if w < 0 || math.IsInf(w, 0) {
			return fmt.Errorf("estimate: weight of row %d is %v, want a finite number >= 0", i, w)
		}
	}
	if !(s.Level >= 0 && s.Level < 1) {
		return fmt.Errorf("estimate: level is %v, want a share in [0, 1); 0 means 0.95", s.Level)
	}
	return nil
}

// OLS fits a linear model by weighted least squares and gives it cluster-robust
// standard errors.
//
// Rows with a missing or infinite number, a negative code or weight 0 are left
// out, and so are, again and again, rows alone in an absorbed effect, which say
// nothing of the slopes (Correia 2015). Absorbed effects are projected out:
// exactly for one set, for more by conjugate gradients on symmetric alternating
// projections to a relative change below 1e-10 (Guimarães and Portugal 2010;
// Correia 2017). Where nothing is absorbed a constant is added.
//
// Regressors are taken in order; one that the constant, the absorbed effects
// and the regressors before it explain but for a share of 1e-9 of its variance
// is dropped. Slopes solve the normal equations of standardised columns, with
// two steps of iterative refinement.
//
// The variance is the sandwich over clusters g with scores s_g = Σ w·x·e,
// (X'WX)⁻¹ (Σ s_g s_g') (X'WX)⁻¹, times G/(G-1)·(N-1)/(N-K): CR1 (Liang and
// Zeger 1986). K counts slopes, the constant and absorbed effects, sets nested
// in the clusters as one. t has G-1 degrees of freedom. Without clusters this is HC1
// with N-K degrees of freedom. Fewer than two clusters in all or in effect
// behind a regressor, no degrees of freedom or residuals that are all zero leave
// the standard error NaN with a reason; fewer than five in effect are a warning.
//
// A model without a usable row is an error.
func OLS(ctx context.Context, s Spec) (Fit, error) {
	if err := s.Validate(); err != nil {
		return Fit{}, err
	}
	if s.Level == 0 {
		s.Level = 0.95
	}
	m, err := prepare(s)
	if err != nil {
		return Fit{}, err
	}
	if err := m.absorb(ctx); err != nil {
		return Fit{}, err
	}
	if err := m.solve(ctx); err != nil {
		return Fit{}, err
	}
	v, err := m.sandwich(ctx)
	if err != nil {
		return Fit{}, err
	}
	return m.fit(v), nil
}

// fit puts the numbers into words.
func (m *model) fit(v variance) Fit {
	f := Fit{
		N: m.n, Clusters: m.clusters, DF: v.df, Parameters: v.parameters, Level: m.spec.Level,
		R2: math.NaN(), WithinR2: math.NaN(), LeftOut: m.leftOut, Warnings: m.warnings,
	}
	if m.total > 0 {
		f.R2 = 1 - m.residual/m.total
	}
	if m.within > 0 {
		f.WithinR2 = 1 - m.residual/m.within
	}
	t := infer.TQuantile(float64(v.df), (1+m.spec.Level)/2)
	nan := math.NaN()
	at := 0 // position among the kept regressors
	for k, name := range m.names {
		c := Coefficient{Name: name, Estimate: nan, StdErr: nan, T: nan, P: nan, Low: nan, High: nan}
		if reason := m.dropped[k]; reason != "" {
			c.Dropped, c.Reason = true, reason
			f.Coef = append(f.Coef, c)
			continue
		}
		c.Estimate = m.beta[at]
		if c.Reason = v.reasons[at]; c.Reason == "" {
			c.StdErr = v.stdErr[at]
			c.T = c.Estimate / c.StdErr
			c.P = infer.TTail(float64(v.df), c.T)
			c.Low, c.High = c.Estimate-float64(t*c.StdErr), c.Estimate+float64(t*c.StdErr)
		}
		f.Coef = append(f.Coef, c)
		at++
	}
	if m.spec.KeepResiduals {
		f.Residuals = make([]float64, len(m.spec.Y))
		for i := range f.Residuals {
			f.Residuals[i] = nan
		}
		for k, e := range m.e {
			f.Residuals[m.row(k)] = e
		}
	}
	return f
}
