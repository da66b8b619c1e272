// Package primary decides which cells of a table are sensitive in themselves:
// the rules of statistical disclosure control that look at one cell and at who
// contributes to it.
//
// Definitions are those of the Handbook on Statistical Disclosure Control
// (Hundepool et al., chapters 4 and 5). Where its inequality is strict and other
// tools flag equality (GaussSuppression, ACRO), [Equality] chooses; an empty cell
// discloses no contributor under either.
package primary

import (
	"fmt"
	"math"
)

// Equality says what happens on the limit of a rule. The zero value is the
// handbook's: a cell on the limit is safe.
type Equality uint8

// The conventions.
const (
	OnLimitSafe   Equality = iota // handbook: unsafe only strictly beyond the limit
	OnLimitUnsafe                 // GaussSuppression 0.8, ACRO: unsafe on the limit too
)

// beyond reports whether x is past limit.
func (e Equality) beyond(x, limit float64) bool {
	return x > limit || e == OnLimitUnsafe && x == limit
}

// Weighting says how sampling weights enter the rules for magnitudes.
type Weighting uint8

// The conventions.
const (
	WeightedTotal Weighting = iota // largest contributions unweighted, against the weighted total
	Repeated                       // tau-Argus: a contribution counts as often as its weight says
)

// Contribution is what a rule for magnitudes must know of a cell: its total and
// its largest contributions, none of them negative.
type Contribution struct {
	Total   float64   // weighted where there are weights
	Largest []float64 // contributions in descending order, as many as the rules need
	Weights []float64 // of Largest; nil means 1
	N       int       // contributors with a contribution other than zero
}

// sumOfLargest returns the sum of the n largest contributions.
func (c Contribution) sumOfLargest(n int, w Weighting) float64 {
	if w != Repeated || c.Weights == nil {
		sum := 0.0
		for _, x := range c.Largest[:min(n, len(c.Largest))] {
			sum += x
		}
		return sum
	}
	sum, left := 0.0, float64(n)
	for i, x := range c.Largest {
		copies := min(c.Weights[i], left)
		sum += float64(copies * x)
		if left -= copies; left <= 0 {
			break
		}
	}
	return sum
}

// Dominance is the (n,k) rule: a cell is unsafe if its N largest contributions
// are more than K percent of its total.
type Dominance struct {
	N int     // contributors, at least 1
	K float64 // percent of the total, in (0, 100]
}

// Validate names the parameter that cannot hold.
func (d Dominance) Validate() error {
	switch {
	case d.N < 1:
		return fmt.Errorf("dominance: n is %d, want at least 1 contributor", d.N)
	case !(d.K > 0 && d.K <= 100):
		return fmt.Errorf("dominance: k is %v, want a percentage in (0, 100]", d.K)
	}
	return nil
}

// Unsafe applies the rule. A cell of one contributor is always dominated.
func (d Dominance) Unsafe(c Contribution, w Weighting, e Equality) bool {
	if c.Total <= 0 {
		return false
	}
	if c.N == 1 {
		return true
	}
	return e.beyond(100*c.sumOfLargest(d.N, w), d.K*c.Total)
}

// Protection returns by how much the upper end of the interval that an intruder
// can derive must exceed the total: (100/k) * sum of the n largest - total.
func (d Dominance) Protection(c Contribution, w Weighting) float64 {
	return max(0, 100/d.K*c.sumOfLargest(d.N, w)-c.Total)
}

// PPercent is the p% rule: a cell is unsafe if the second largest contributor
// can estimate the largest to within P percent. Q is what everybody knows of
// everybody else beforehand, in percent; 100, or 0 for short, is the p% rule
// itself and anything less the pq rule, which equals p% with 100 P / Q.
type PPercent struct {
	P float64 // percent, above 0
	Q float64 // percent, in (P, 100]; 0 means 100
}

// Validate names the parameter that cannot hold.
func (p PPercent) Validate() error {
	switch {
	case !(p.P > 0 && p.P <= 1000):
		return fmt.Errorf("p-percent: p is %v, want a percentage above 0", p.P)
	case p.Q != 0 && !(p.Q > p.P && p.Q <= 100):
		return fmt.Errorf("pq: q is %v, want a percentage above p (%v) and at most 100", p.Q, p.P)
	}
	return nil
}

// effective returns the p of the equivalent p% rule.
func (p PPercent) effective() float64 {
	if p.Q == 0 {
		return p.P
	}
	return 100 * p.P / p.Q
}

// Unsafe applies the rule: total - x1 - x2 < p/100 x1.
func (p PPercent) Unsafe(c Contribution, w Weighting, e Equality) bool {
	if c.Total <= 0 {
		return false
	}
	x1 := c.sumOfLargest(1, w)
	return e.beyond(p.effective()*x1, 100*(c.Total-c.sumOfLargest(2, w)))
}

// Protection returns by how much the upper end of the interval that an intruder
// can derive must exceed the total: p/100 x1 - (total - x1 - x2).
func (p PPercent) Protection(c Contribution, w Weighting) float64 {
	x1 := c.sumOfLargest(1, w)
	return max(0, p.effective()/100*x1-(c.Total-c.sumOfLargest(2, w)))
}

// KOfP returns the k of the (1,k) or (2,k) rule that protects at least as well as
// p%: 100 * 100/(100+p).
func KOfP(p float64) float64 { return 100 * 100 / (100 + p) }

// POfK returns the p of the p% rule that (2,k) amounts to: 100 (100-k)/k.
func POfK(k float64) float64 { return 100 * (100 - k) / k }

// Frequency is the minimum-frequency rule: fewer than N units, and at least one,
// are too few.
type Frequency struct{ N int64 }

// Unsafe applies the rule to a count.
func (f Frequency) Unsafe(count int64) bool { return count > 0 && count < f.N }

// Protection returns how much higher the cell must possibly be: up to N.
func (f Frequency) Protection(count int64) float64 { return float64(f.N - count) }

// Group is the rule of group disclosure (Antal, Shlomo and Elliot): of the units
// of a published margin at most K are outside the cell. With K = 0 everybody of
// the margin is in it; with K = 1 the one who is not learns it of the others.
type Group struct{ K int64 }

// Unsafe applies the rule to a count and a margin that it is part of.
func (g Group) Unsafe(count, margin int64) bool { return count > 0 && margin-g.K <= count }

// Protection returns how much lower the cell must possibly be, so that K+1 units
// may be outside.
func (g Group) Protection(count, margin int64) float64 { return float64(g.K + 1 - (margin - count)) }

// Contributors asks for enough units behind a cell, at the level of employers
// and of workers. Fields of 0 ask for nothing.
type Contributors struct {
	Employers    int     // distinct employers; a holding counts as one where it is known
	Workers      int64   // rows
	LargestShare float64 // largest employer's share of the workers, in (0, 1)
}

// Unsafe says which limit a cell misses, "" for none. Empty cells miss none.
func (r Contributors) Unsafe(employers int, workers int64, largest float64, e Equality) string {
	switch {
	case workers == 0 && employers == 0:
		return ""
	case employers < r.Employers:
		return fmt.Sprintf("%d employers, want at least %d", employers, r.Employers)
	case workers < r.Workers:
		return fmt.Sprintf("%d workers, want at least %d", workers, r.Workers)
	case r.LargestShare > 0 && e.beyond(largest, float64(r.LargestShare*float64(workers))):
		return fmt.Sprintf("the largest employer has %.0f %% of the workers, want at most %.0f %%",
			math.Floor(100*largest/float64(workers)), 100*r.LargestShare)
	}
	return ""
}

// Quantile reports whether a quantile at probability q over n units stands on at
// least k units at either side of it.
func Quantile(q float64, n, k int64) bool {
	const rounding = 1e-9 // 1-0.9 is a little less than 0.1
	return q > 0 && q < 1 && min(q, 1-q)*float64(n) >= float64(k)*(1-rounding)
}
