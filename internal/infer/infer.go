// Package infer puts intervals and acceptance bands around shares and means:
// Wilson intervals with and without clusters, the control-adjusted risk of an
// attack, exact binomial bands for tests with a stated false-alarm rate.
//
// The value of a share is always successes over trials; the Wilson centre is
// only the middle of its interval. A percentile bootstrap is deliberately not
// here: at zero successes it says [0, 0]. An interval that the data cannot give
// is an error that says which datum is lacking.
package infer

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is an estimate with the bounds that cover the truth with
// probability Level, a share in [0, 1]. Value lies in [Low, High].
type Interval struct{ Value, Low, High, Level float64 }

// Quantile returns z such that a standard normal variable lies in [-z, z] with
// probability level: 1.96 for 0.95, +Inf for 1, NaN outside [0, 1].
func Quantile(level float64) float64 {
	if !(level >= 0 && level <= 1) {
		return math.NaN()
	}
	return math.Sqrt2 * math.Erfinv(level)
}

// TQuantile returns the p-quantile, p in (0, 1), of Student's t distribution
// with df > 0 degrees of freedom: 2.228 for df = 10 and p = 0.975. An infinite
// df gives the normal quantile, an argument out of range NaN.
func TQuantile(df, p float64) float64 {
	switch {
	case !(df > 0) || !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0.5:
		return 0
	case p == 0 || p == 1:
		return math.Inf(int(2*p) - 1)
	case p < 0.5:
		return -TQuantile(df, 1-p)
	case math.IsInf(df, 1):
		return Quantile(2*p - 1)
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}

// TTail returns the two-sided p-value of |t| under Student's t with df > 0
// degrees of freedom.
func TTail(df, t float64) float64 {
	if !(df > 0) || math.IsNaN(t) {
		return math.NaN()
	}
	if math.IsInf(df, 1) {
		return math.Erfc(math.Abs(t) / math.Sqrt2)
	}
	if math.IsInf(t, 0) {
		return 0
	}
	return mathext.RegIncBeta(df/2, 0.5, df/(df+t*t))
}

// Wilson returns the share of successes among n independent trials, n > 0 and
// possibly fractional, with the score interval of Wilson 1927. Level 0 gives an
// interval of no width, level 1 gives [0, 1].
func Wilson(successes, n, level float64) (Interval, error) {
	centre, half, err := WilsonCentre(successes, n, level)
	if err != nil {
		return Interval{}, err
	}
	share := successes / n
	if level == 1 {
		return Interval{share, 0, 1, level}, nil
	}
	low, high := max(0, min(centre-half, share)), min(1, max(centre+half, share))
	// Where nobody or everybody succeeds the bound is the end of the scale;
	// rounding must not leave a crumb there.
	if successes == 0 {
		low = 0
	}
	if successes == n {
		high = 1
	}
	return Interval{share, low, high, level}, nil
}

// WilsonCentre returns the centre (s+z²/2)/(n+z²) of the score interval and its
// half-width z/(n+z²)·√(s(n-s)/n+z²/4), the two numbers that Anonymeter calls
// rate and error. Level 1 gives 1/2 and 1/2, the limit.
func WilsonCentre(successes, n, level float64) (centre, half float64, err error) {
	switch {
	case !(level >= 0 && level <= 1):
		return 0, 0, fmt.Errorf("infer: level is %v, want a share in [0, 1]", level)
	case !(n > 0) || math.IsInf(n, 0):
		return 0, 0, fmt.Errorf("infer: a share of n = %v trials has no value; report the attempt as missing", n)
	case !(successes >= 0 && successes <= n):
		return 0, 0, fmt.Errorf("infer: %v successes among %v trials, want 0 to n", successes, n)
	case level == 1:
		return 0.5, 0.5, nil
	}
	z := Quantile(level)
	zz := float64(z * z)
	centre = (successes + zz/2) / (n + zz)
	half = z / (n + zz) * math.Sqrt(float64(successes*(n-successes))/n+zz/4)
	return centre, half, nil
}

// ResidualRisk returns what an attack gains over a control group that the
// release cannot have told anything about: R = (a-c)/(1-c), clipped to [0, 1]
// (Giomi et al. 2023, Anonymeter). Each bound combines the distances of a and c
// from their own bounds that push R that way, scaled by the derivatives
// 1/(1-c) and (a-1)/(1-c)² (Zou and Donner 2008); with symmetric intervals this
// is Anonymeter's propagation of errors. The bounds are clipped after they are
// put around the unclipped R, the value last: so the value can be 0 although
// the attack did worse than its control.
//
// Where the control always succeeds R is undefined and value and bounds are
// NaN. The level is the smaller one of the two.
func ResidualRisk(attack, control Interval) Interval {
	level := min(attack.Level, control.Level)
	if !(control.Value < 1) || math.IsNaN(attack.Value) {
		nan := math.NaN()
		return Interval{nan, nan, nan, level}
	}
	rest := 1 - control.Value
	r := (attack.Value - control.Value) / rest
	byAttack, byControl := 1/rest, (1-attack.Value)/float64(rest*rest)
	down := math.Hypot(byAttack*(attack.Value-attack.Low), byControl*(control.High-control.Value))
	up := math.Hypot(byAttack*(attack.High-attack.Value), byControl*(control.Value-control.Low))
	return Interval{clip(r), clip(r - down), clip(r + up), level}
}

func clip(x float64) float64 { return max(0, min(1, x)) }

// RuleOfThree returns 3/n, at most 1: the upper bound of the 95 % interval of a
// rate that was never seen in n independent trials (Hanley and Lippman-Hand
// 1983). Without trials it is 1.
func RuleOfThree(n float64) float64 {
	if !(n > 3) {
		return 1
	}
	return 3 / n
}

// BinomialBand returns the exact equal-tailed acceptance region of a binomial
// count: P(X < lo) <= alpha/2 and P(X > hi) <= alpha/2, each as tight as can be.
// A test that fails outside [lo, hi] has a false-alarm rate of at most alpha.
// It panics if n < 0 or p or alpha are outside [0, 1].
func BinomialBand(n int, p, alpha float64) (lo, hi int) {
	if n < 0 || !(p >= 0 && p <= 1) || !(alpha >= 0 && alpha <= 1) {
		panic(fmt.Sprintf("infer: binomial band of n=%d, p=%v, alpha=%v", n, p, alpha))
	}
	switch p {
	case 0:
		return 0, 0
	case 1:
		return n, n
	}
	// Each tail is computed by itself, for 1 minus a sum would lose a tiny one.
	below := func(k int) float64 { // P(X < k)
		if k <= 0 {
			return 0
		}
		return mathext.RegIncBeta(float64(n-k+1), float64(k), 1-p)
	}
	above := func(k int) float64 { // P(X > k)
		if k >= n {
			return 0
		}
		return mathext.RegIncBeta(float64(k+1), float64(n-k), p)
	}
	lo = largest(0, n, func(k int) bool { return below(k) <= alpha/2 })
	hi = n - largest(0, n, func(k int) bool { return above(n-k) <= alpha/2 })
	return lo, max(lo, hi)
}

// largest returns the largest k in [lo, hi] that holds, where lo holds and
// holding never comes back.
func largest(lo, hi int, holds func(k int) bool) int {
	for lo < hi {
		mid := lo + (hi-lo+1)/2
		if holds(mid) {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}
