package estimate

import (
	"math"

	"scramblelab/internal/infer"
)

// Overlap returns how far two confidence intervals overlap,
//
//	½[(U-L)/(Uo-Lo) + (U-L)/(Us-Ls)], L the larger lower bound, U the smaller upper bound
//
// (Karr et al. 2006): 1 for equal intervals, negative for intervals apart. It
// is NaN where an interval is missing, infinite or has no width.
func Overlap(original, released infer.Interval) float64 {
	wide := func(iv infer.Interval) float64 { return iv.High - iv.Low }
	wo, ws := wide(original), wide(released)
	if !(wo > 0 && ws > 0) || math.IsInf(wo, 0) || math.IsInf(ws, 0) {
		return math.NaN()
	}
	common := min(original.High, released.High) - max(original.Low, released.Low)
	return (common/wo + common/ws) / 2
}

// Verdict says what became of a coefficient.
type Verdict string

// The verdicts, see [Compare].
const (
	Same    Verdict = "same"
	Weaker  Verdict = "weaker"
	Lost    Verdict = "lost"
	Gained  Verdict = "gained"
	Flipped Verdict = "flipped"
	Unknown Verdict = "unknown" // one of the two has no test
)

// WeakerBelow is the ratio of released to original size below which a
// coefficient that is still significant counts as weaker.
const WeakerBelow = 0.8

// Compare judges a coefficient estimated on a release against the one on the
// original. "Significant" is p < 0.05, whatever the level of the intervals. The
// first rule that holds decides:
//
//  1. the original has no p-value, or the released one has none though its
//     regressor was not dropped: unknown;
//  2. significant in the original: lost if the released one was dropped or is
//     not significant, flipped if it is significant with the other sign, weaker
//     if |b_s|/|b_o| < [WeakerBelow], same otherwise, however large it grew;
//  3. not significant in the original: gained if the released one is
//     significant, same otherwise, whatever the signs.
func Compare(original, released Coefficient) Verdict {
	if math.IsNaN(original.P) || math.IsNaN(released.P) && !released.Dropped {
		return Unknown
	}
	was, is := original.P < 0.05, released.P < 0.05 && !released.Dropped
	switch {
	case was && !is:
		return Lost
	case was && math.Signbit(original.Estimate) != math.Signbit(released.Estimate):
		return Flipped
	case was && math.Abs(released.Estimate) < WeakerBelow*math.Abs(original.Estimate):
		return Weaker
	case !was && is:
		return Gained
	}
	return Same
}
