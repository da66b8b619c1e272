package tune

import (
	"cmp"
	"math"
	"slices"

	"scramblelab/internal/infer"
)

// Summary is a point as it stands on the map, over the keys it was measured on.
type Summary struct {
	Point Point `json:"point"`
	Keys  int   `json:"keys"`
	// Risk is the largest simultaneous upper bound over attacks, in [0, 1], and
	// Worst the attack that it belongs to.
	Risk  float64 `json:"risk"`
	Worst string  `json:"worst"`
	// Expected is the largest mean success over attacks.
	Expected float64 `json:"expected"`
	// Share is the largest upper bound of all checks as a share of its limit:
	// above 1 the point is not allowed. Binding is the check that it belongs to.
	Share   float64 `json:"share_of_limit"`
	Binding string  `json:"binding"`
	// Loss is the mean over keys, in [0, 1], and LossLow to LossHigh its interval.
	Loss     float64 `json:"loss"`
	LossLow  float64 `json:"loss_low"`
	LossHigh float64 `json:"loss_high"`
	// Checks are all gates with their bounds.
	Checks []Bound `json:"checks"`
	// Front says that no other point has less risk and less loss.
	Front bool `json:"front"`
	// Reason says why a point could not be measured.
	Reason string `json:"reason,omitempty"`

	// What a race goes by: bounds without the spread between keys, which two or
	// three keys leave far too wide to choose by.
	raceRisk, raceShare float64
}

// Bound is the expectation over keys of one check, and its simultaneous upper
// bound.
type Bound struct {
	Name   string  `json:"name"`
	Attack bool    `json:"attack"`
	Value  float64 `json:"value"`
	Upper  float64 `json:"upper"`
	Limit  float64 `json:"limit"`
}

// Allowed says that the point was measured and all its checks are under their
// limits.
func (s Summary) Allowed() bool { return s.Reason == "" && s.Keys > 0 && s.Share <= 1 }

// Summarise sums up what was measured of a point. Upper bounds hold together for
// all checks at the level (Bonferroni): they add the spread between keys
// (Student) and the error within a key, which a sample of targets leaves.
func Summarise(p Point, all []Scores, level float64) Summary {
	s := Summary{Point: p, Keys: len(all)}
	if len(all) == 0 {
		return s
	}
	n := float64(len(all))
	checks := len(all[0].Checks)
	tail := (1 - level) / float64(max(1, checks))
	for a := range checks {
		values := make([]float64, len(all))
		half := 0.0
		for k := range all {
			values[k] = all[k].Checks[a].Value
			half += all[k].Checks[a].Half / n
		}
		m, sd := meanSD(values)
		// Half is at 95 % for one key; keys share their targets at worst.
		within := half * infer.Quantile(1-2*tail) / infer.Quantile(.95)
		between := 0.0
		if len(all) > 1 {
			between = infer.TQuantile(n-1, 1-tail) * sd / math.Sqrt(n)
		}
		first := all[0].Checks[a]
		b := Bound{first.Name, first.Attack, m, m + math.Hypot(within, between), first.Limit}
		if b.Attack {
			b.Upper = min(1, b.Upper)
			if s.Worst == "" || b.Upper > s.Risk {
				s.Risk, s.Worst = b.Upper, b.Name
			}
			s.Expected, s.raceRisk = max(s.Expected, m), max(s.raceRisk, m+half)
		}
		s.Checks = append(s.Checks, b)
		share := shareOf(b.Upper, b.Limit)
		if s.Binding == "" || share > s.Share {
			s.Share, s.Binding = share, b.Name
		}
		s.raceShare = max(s.raceShare, shareOf(m+half, b.Limit))
	}
	losses := make([]float64, len(all))
	for k := range all {
		losses[k] = all[k].Loss
	}
	m, sd := meanSD(losses)
	s.Loss, s.LossLow, s.LossHigh = m, m, m
	if len(all) > 1 {
		h := infer.TQuantile(n-1, (1+level)/2) * sd / math.Sqrt(n)
		s.LossLow, s.LossHigh = max(0, m-h), min(1, m+h)
	}
	return s
}

// shareOf is a bound as a share of its limit; a limit of 0 or less allows that and
// nothing above.
func shareOf(bound, limit float64) float64 {
	switch {
	case limit > 0:
		return bound / limit
	case bound <= limit:
		return 1
	}
	return 1 + bound - limit
}

func meanSD(xs []float64) (mean, sd float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	if len(xs) < 2 {
		return mean, 0
	}
	for _, x := range xs {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / float64(len(xs)-1))
}

// dominates says that a is no worse than b on both counts and better on one.
func dominates(aRisk, aLoss, bRisk, bLoss float64) bool {
	return aRisk <= bRisk && aLoss <= bLoss && (aRisk < bRisk || aLoss < bLoss)
}

// MarkFront marks the points that no other one dominates. Points that could not
// be measured are on no front.
func MarkFront(all []Summary) {
	for i := range all {
		all[i].Front = all[i].Reason == "" && all[i].Keys > 0 && !slices.ContainsFunc(all, func(o Summary) bool {
			return o.Reason == "" && o.Keys > 0 && dominates(o.Risk, o.Loss, all[i].Risk, all[i].Loss)
		})
	}
}

// front returns the marked points by ascending risk, one of each place.
func front(all []Summary) []Summary {
	var f []Summary
	for _, s := range all {
		if s.Front {
			f = append(f, s)
		}
	}
	slices.SortStableFunc(f, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Risk, b.Risk), cmp.Compare(a.Point.ID, b.Point.ID))
	})
	return slices.CompactFunc(f, func(a, b Summary) bool { return a.Risk == b.Risk && a.Loss == b.Loss })
}

// Hypervolume is the area that the front dominates, up to a risk and a loss of 1:
// 0 for no point, 1 for a plan without risk and loss.
func Hypervolume(all []Summary) float64 {
	area, loss := 0.0, 1.0
	for _, s := range front(all) { // losses fall while risks rise
		if s.Risk < 1 && s.Loss < loss {
			area += (1 - s.Risk) * (loss - s.Loss)
			loss = s.Loss
		}
	}
	return area
}

// Knee is the point of the front that lies farthest below the line between its
// ends, both counts scaled to [0, 1]; ok is false with fewer than three points.
func Knee(all []Summary) (p Summary, ok bool) {
	f := front(all)
	if len(f) < 3 {
		return p, false
	}
	a, b := f[0], f[len(f)-1]
	best := 0.0
	for _, s := range f[1 : len(f)-1] {
		x, y := (s.Risk-a.Risk)/(b.Risk-a.Risk), (a.Loss-s.Loss)/(a.Loss-b.Loss)
		if d := y - x; d > best { // below the chord from (0, 1) to (1, 0)
			best, p, ok = d, s, true
		}
	}
	return p, ok
}

// Ranking orders allowed points by loss, the least first, and returns behind them
// the others by how far their binding attack exceeds its limit.
func Ranking(all []Summary) (allowed, others []Summary) {
	for _, s := range all {
		switch {
		case s.Allowed():
			allowed = append(allowed, s)
		case s.Reason == "" && s.Keys > 0:
			others = append(others, s)
		}
	}
	slices.SortStableFunc(allowed, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Loss, b.Loss), cmp.Compare(a.Risk, b.Risk), cmp.Compare(a.Point.ID, b.Point.ID))
	})
	slices.SortStableFunc(others, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Share, b.Share), cmp.Compare(a.Loss, b.Loss), cmp.Compare(a.Point.ID, b.Point.ID))
	})
	return allowed, others
}

// order sorts points for the next round of a race: layers of the front from the
// inside out (Deb et al. 2002), where a point over its limits comes after those
// under them within a layer, the farther the later.
func order(all []Summary) []Summary {
	rest := slices.DeleteFunc(slices.Clone(all), func(s Summary) bool { return s.Reason != "" || s.Keys == 0 })
	var out []Summary
	for len(rest) > 0 {
		var layer, below []Summary
		for _, s := range rest {
			if slices.ContainsFunc(rest, func(o Summary) bool { return dominates(o.raceRisk, o.Loss, s.raceRisk, s.Loss) }) {
				below = append(below, s)
			} else {
				layer = append(layer, s)
			}
		}
		slices.SortStableFunc(layer, func(a, b Summary) int {
			return cmp.Or(cmp.Compare(max(1, a.raceShare), max(1, b.raceShare)), cmp.Compare(a.Loss, b.Loss), cmp.Compare(a.Point.ID, b.Point.ID))
		})
		out, rest = append(out, layer...), below
	}
	return out
}
