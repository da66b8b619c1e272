package attack

import (
	"fmt"
	"math"
)

// Ascend restores the levels of one person over the years from the ones
// released, each of which a swap replaced with probability rate by a draw from
// pool: the likeliest path (Viterbi 1967) of levels that never fall and rise by
// any number with probability rise a year. prior are the shares of the levels
// when he is first seen, in the order of the levels; -1 in released is a year
// without a level. It serves releases that follow persons.
//
// A level that falls is then somebody else's, and so is one that is seen once
// between equals.
func Ascend(released []int32, rate, rise float64, prior, pool []float64) ([]int32, error) {
	n := len(prior)
	if !(rate >= 0 && rate <= 1) || !(rise >= 0 && rise < 1) || len(pool) != n || n == 0 {
		return nil, fmt.Errorf("attack: levels swapped at %v that rise at %v, %d prior and %d pool shares: want probabilities and one share per level", rate, rise, n, len(pool))
	}
	if len(released) == 0 {
		return nil, nil
	}
	score, from := make([]float64, n), make([][]int32, len(released))
	for t, seen := range released {
		if int(seen) >= n {
			return nil, fmt.Errorf("attack: level %d of %d", seen, n)
		}
		next := make([]float64, n)
		from[t] = make([]int32, n)
		for l := range n {
			emit := 1.0
			if seen >= 0 {
				if emit = rate * pool[seen]; int(seen) == l {
					emit += 1 - rate
				}
			}
			best, at := math.Log(prior[l]), int32(-1)
			if t > 0 {
				best = math.Inf(-1)
				for b := 0; b <= l; b++ { // levels below, or the same
					step := 1 - rise
					if b == n-1 {
						step = 1
					}
					if b < l {
						step = rise / float64(n-1-b)
					}
					if v := score[b] + math.Log(step); v > best {
						best, at = v, int32(b)
					}
				}
			}
			next[l], from[t][l] = best+math.Log(emit), at
		}
		score = next
	}
	at := int32(0)
	for l, v := range score {
		if v > score[at] {
			at = int32(l)
		}
	}
	if math.IsInf(score[at], -1) {
		return nil, fmt.Errorf("attack: levels %v cannot come about by a swap at %v: a level has no share or they fall", released, rate)
	}
	out := make([]int32, len(released))
	for t := len(released) - 1; t >= 0; t-- {
		out[t] = at
		at = from[t][at]
	}
	return out, nil
}
