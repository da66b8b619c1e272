// Package tune searches a space of plans for the one that loses least while its
// worst attack stays under its limit.
//
// Points of the space are spread by a low-discrepancy sequence and raced
// (successive halving, Karnin, Koren and Somekh 2013; Li et al. 2018): every
// point is measured on one key, the better half by rank on the risk-utility map
// on more keys, until few are left that are measured on all. The same keys serve
// every point (common random numbers), so that points differ by their plans and
// not by luck.
//
// What survives is a map of risk and loss with intervals (Duncan, Keller-McNulty
// and Stokes 2001), its Pareto front, the area it dominates, its knee, and an
// order in which to try plans: the least loss first among those whose
// simultaneous upper bound over all attacks is under the limits. A maximum over
// attacks and plans is optimistic, so the first plans of that order must be
// measured again, on fresh keys and a fresh population, before one is
// recommended.
//
// The package knows no plan: points are settings, and the caller measures them.
package tune

import (
	"context"
	"fmt"
	"math"
)

// Measure measures a point on a key, numbered from 0. The same point and key
// must give the same scores. A point that cannot be measured (a step that
// cannot keep its promise) returns an error of type [Unusable].
type Measure func(ctx context.Context, p Point, key int) (Scores, error)

// Scores are what was measured of one point on one key.
type Scores struct {
	// Checks are the gates of a policy, the same ones in the same order for every
	// point.
	Checks []Check `json:"checks"`
	// Loss is what analysis lost, in [0, 1].
	Loss float64 `json:"loss"`
}

// Check is one gate: a number that may not exceed its limit.
type Check struct {
	Name string `json:"name"`
	// Attack says that the number is a share of successes, in [0, 1], and counts
	// for the risk of a point; others bound what analysis loses.
	Attack bool    `json:"attack"`
	Value  float64 `json:"value"`
	Half   float64 `json:"half"`  // from the value to its upper bound at 95 %, for this key alone
	Limit  float64 `json:"limit"` // of the upper bound
}

// Unusable says why a point cannot be measured.
type Unusable struct{ Reason string }

func (u Unusable) Error() string { return u.Reason }

// Options of a search. The zero value searches nothing.
type Options struct {
	Points int     // how many are started with
	Keys   int     // how many the survivors are measured on
	Keep   float64 // share that survives a round, in (0, 1); 0 means 1/2
	Level  float64 // of simultaneous bounds; 0 means 0.95
}

// Validate names the first option that cannot be.
func (o Options) Validate() error {
	switch {
	case o.Points < 1:
		return fmt.Errorf("tune: %d points, want at least 1", o.Points)
	case o.Keys < 2:
		return fmt.Errorf("tune: %d keys a point, want at least 2: one says nothing of the next", o.Keys)
	case !(o.Keep >= 0 && o.Keep < 1):
		return fmt.Errorf("tune: %v of the points survive a round, want a share in (0, 1), such as 0.5", o.Keep)
	case !(o.Level >= 0 && o.Level < 1):
		return fmt.Errorf("tune: level is %v, want a number in (0, 1), such as 0.95", o.Level)
	}
	return nil
}

func (o Options) normal() Options {
	if o.Keep == 0 {
		o.Keep = .5
	}
	if o.Level == 0 {
		o.Level = .95
	}
	return o
}

// round is a round of a race: how many points run in it, and on how many keys
// they stand at its end.
type round struct{ points, keys int }

// rounds plans a race. Keys double while points are halved, so that every round
// costs about the same; the last one has all keys.
func (o Options) rounds() []round {
	o = o.normal()
	out := []round{{o.Points, 1}}
	for last := out[0]; last.keys < o.Keys; last = out[len(out)-1] {
		points := max(min(last.points, 3), int(math.Ceil(float64(last.points)*o.Keep)))
		out = append(out, round{points, min(o.Keys, max(last.keys+1, int(math.Round(float64(last.keys)/o.Keep))))})
	}
	return out
}
