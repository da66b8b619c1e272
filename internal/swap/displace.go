package swap

import (
	"context"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
)

// Displacement says how far the values of one column went.
type Displacement struct {
	Column string
	Rows   int64 // touched rows
	// Ranks is the mean difference of the ranks of a touched row's value before
	// and after, as a share of all ranks, in [0, 1], equal values having the mean
	// of their ranks; a third is a random permutation. Farthest is the largest
	// one. Both are NaN for a category, which has no order, and where nobody was
	// touched. Rows that miss a value before or after are left out.
	Ranks, Farthest float64
	// Distance is the mean Gower distance of the two values over touched rows, in
	// [0, 1]: the difference as a share of the range; 1 for other categories and
	// where one of the two is missing. NaN where nobody was touched.
	Distance float64
}

// Displace measures how far a step moved values and adds it to its report;
// before is the frame that was permuted.
func (r *Result) Displace(ctx context.Context, before *frame.Frame) error {
	for k, pairing := range r.Pairings {
		for _, name := range pairing.Columns {
			d, err := displacement(ctx, before.Col(name), pairing.Perm)
			if err != nil {
				return err
			}
			d.Column = name
			r.Report.Pairings[k].Displacements = append(r.Report.Pairings[k].Displacements, d)
		}
	}
	return nil
}

func displacement(ctx context.Context, c frame.Column, p Permutation) (Displacement, error) {
	type tally struct {
		rows, both, ranks, farthest int64
		distance                    float64
	}
	var place []int32 // by row: twice the rank among all values
	low, high := math.Inf(1), math.Inf(-1)
	if c.Kind != frame.Category {
		place = make([]int32, len(p))
		new(sortRoom).midRanks(order(c), place) // that of a missing value says nothing
	}
	value := func(i int32) float64 {
		if c.Coded() {
			return float64(c.I[i])
		}
		return c.Value(int(i))
	}
	if place != nil {
		for i := range p {
			if !c.Missing(i) {
				v := value(int32(i))
				low, high = min(low, v), max(high, v)
			}
		}
	}
	parts := make([]tally, par.Count(len(p), chunkRows))
	err := par.Chunks(ctx, len(p), chunkRows, func(k, lo, hi int) error {
		var t tally
		for i := int32(lo); i < int32(hi); i++ {
			j := p[i]
			if i == j {
				continue
			}
			t.rows++
			a, b := c.Missing(int(i)), c.Missing(int(j))
			switch {
			case a || b:
				if a != b {
					t.distance++
				}
			case place == nil:
				if c.I[i] != c.I[j] {
					t.distance++
				}
			default:
				d := int64(place[i]) - int64(place[j])
				d = max(d, -d)
				t.both, t.ranks, t.farthest = t.both+1, t.ranks+d, max(t.farthest, d)
				if high > low {
					t.distance += math.Abs(value(i)-value(j)) / (high - low)
				}
			}
		}
		parts[k] = t
		return nil
	})
	var all tally
	for _, t := range parts {
		all.rows, all.both, all.ranks = all.rows+t.rows, all.both+t.both, all.ranks+t.ranks
		all.farthest, all.distance = max(all.farthest, t.farthest), all.distance+t.distance
	}
	d := Displacement{Rows: all.rows, Ranks: math.NaN(), Farthest: math.NaN(), Distance: math.NaN()}
	if all.rows > 0 {
		d.Distance = all.distance / float64(all.rows)
	}
	if all.both > 0 {
		n := 2 * float64(len(p))
		d.Ranks, d.Farthest = float64(all.ranks)/n/float64(all.both), float64(all.farthest)/n
	}
	return d, err
}
