package swap

import (
	"cmp"
	"math"
	"slices"

	"scramblelab/internal/rng"
)

// stratum is what a method sees of a stratum: how many units, their rows, the
// rate, and across employers the employer of each unit.
type stratum struct {
	n        int
	rate     float64
	across   bool
	employer []int32
	members  []int32 // number of each unit
	first    []int32 // first row of each unit
	whole    bool    // unit u is row u, and there are neither members nor first
	firsts   []int32 // room for first
	complete []int32 // room for members
	room     []int32 // for the order of units
	partner  []int32 // room for their partners
	keys     []int32 // room for what they are sorted by, and then for the draw
	sorts    sortRoom
}

// reset makes room for units that begin with these rows.
func (g *stratum) reset(members, first []int32) {
	g.n, g.members, g.first, g.whole = len(first), members, first, false
}

// index returns the units in their order; the next call overwrites it.
func (g *stratum) index() []int32 {
	g.room = slices.Grow(g.room[:0], g.n)[:g.n]
	for i := range g.room {
		g.room[i] = int32(i)
	}
	return g.room
}

// row returns the row that speaks for a unit.
func (g *stratum) row(u int32) int32 {
	if g.whole {
		return u
	}
	return g.first[u]
}

// pick draws the units that take part, in random order.
func (g *stratum) pick(s *rng.Stream) []int32 {
	return rng.Sample(s, g.index(), s.Round(g.rate*float64(g.n)))
}

// exchange writes the draw of a stratum of rows into p, in the order of rows.
func (g *stratum) exchange(p Permutation, d drawn) {
	members := g.members
	if g.whole {
		for i := 0; i+1 < len(d.pairs); i += 2 {
			a, b := d.pairs[i], d.pairs[i+1]
			p[a], p[b] = b, a
		}
		for i, u := range d.to {
			p[u] = d.from[i]
		}
		return
	}
	if 4*len(d.pairs) < len(members) && len(d.to) == 0 { // few of them: not by way of all
		for i := 0; i+1 < len(d.pairs); i += 2 {
			a, b := members[d.pairs[i]], members[d.pairs[i+1]]
			p[a], p[b] = b, a
		}
		return
	}
	g.partner = append(g.partner[:0], members...)
	for i := 0; i+1 < len(d.pairs); i += 2 {
		a, b := d.pairs[i], d.pairs[i+1]
		g.partner[a], g.partner[b] = members[b], members[a]
	}
	for i, u := range d.to {
		g.partner[u] = members[d.from[i]]
	}
	for i, r := range members {
		p[r] = g.partner[i]
	}
}

// drawn are the donors of a stratum and what stood in their way: pairs for
// methods that exchange, from and to for those that deal.
type drawn struct {
	pairs        []int32 // units 2k and 2k+1 are partners
	to, from     []int32 // unit to[i] receives the bundle of unit from[i]
	odd, outside int64   // units without a partner at any rate
	atRisk       int64   // units that a targeted swap is to protect
	far          int64   // units drawn that found no partner near enough
	expected     float64 // units touched, on average over keys where that is known
}

// Repairs that are tried at random before all admissible ones are listed, and
// the number of pairs below which pairings are mixed further.
const (
	tries    = 32
	mixBelow = 64
)

// randomPairs draws rate·n/2 pairs, rounded to a neighbouring integer with that
// expectation and capped by what is feasible: half the units, or across
// employers the units outside an employer that holds more than half.
//
// Without a constraint the draw is uniform. Across employers, units are drawn
// uniformly (with units of an employer that fills more than half of the draw
// replaced by others), paired uniformly, and a pair of colleagues is resolved by
// exchanging partners with a random pair that has no third colleague. That is
// uniform among admissible pairings where only one employer has several units,
// by symmetry; otherwise the frequency of pairs between middling employers
// deviates a little, and in strata of fewer than 64 pairs, where this could
// matter, a chain of random exchanges with the uniform distribution as its
// stationary one is run on top. Time is linear in n.
func randomPairs(g *stratum, s *rng.Stream) drawn {
	most, index := g.n/2, g.index()
	d := drawn{odd: int64(g.n % 2)}
	if g.across {
		if _, count := majority(g.employer, index); 2*count > g.n {
			most = g.n - count
			d.odd, d.outside = 0, int64(g.n-2*most)
		}
	}
	want := g.rate * float64(g.n) / 2
	low := int(math.Floor(want))
	up := want - float64(low)
	d.expected = 2 * (float64((1-up)*float64(min(low, most))) + float64(up*float64(min(low+1, most))))
	m := min(s.Round(want), most)
	if m == 0 {
		return d
	}
	picked := rng.Sample(s, index, 2*m)
	if g.across {
		g.spread(s, index, m)
		g.resolve(s, picked)
	}
	d.pairs = picked
	return d
}

// majority returns the only employer that can hold more than half of the units,
// and how many it holds (Boyer and Moore 1981).
func majority(employer, units []int32) (candidate int32, count int) {
	votes := 0
	for _, u := range units {
		switch e := employer[u]; {
		case votes == 0:
			candidate, votes = e, 1
		case e == candidate:
			votes++
		default:
			votes--
		}
	}
	for _, u := range units {
		if employer[u] == candidate {
			count++
		}
	}
	return candidate, count
}

// spread replaces units of an employer that fills more than half of the first
// 2m units of the index by units of others, drawn from the rest.
func (g *stratum) spread(s *rng.Stream, index []int32, m int) {
	big, count := majority(g.employer, index[:2*m])
	if count <= m {
		return
	}
	rest := index[2*m:]
	var others []int32 // positions in rest
	for k, u := range rest {
		if g.employer[u] != big {
			others = append(others, int32(k))
		}
	}
	surplus := count - m
	others = rng.Sample(s, others, surplus)
	// The index is in random order, so its first units of the employer are
	// random ones.
	for i := 0; surplus > 0; i++ {
		if g.employer[index[i]] == big {
			surplus--
			k := others[surplus]
			index[i], rest[k] = rest[k], index[i]
		}
	}
	rng.Shuffle(s, index[:2*m])
}

// resolve removes pairs of colleagues. p[2k] and p[2k+1] are partners, and no
// employer has more than half of p, so that each such pair finds another one
// without a third colleague.
func (g *stratum) resolve(s *rng.Stream, p []int32) {
	m := len(p) / 2
	e := func(i int) int32 { return g.employer[p[i]] }
	colleagues := func(k int) bool { return e(2*k) == e(2*k+1) }
	// Pair k of colleagues takes the partners of pair j and gives it its own.
	fits := func(k, j int) bool { return e(2*j) != e(2*k) && e(2*j+1) != e(2*k) }
	join := func(k, j int) { p[2*k+1], p[2*j] = p[2*j], p[2*k+1] }
	var left []int32
	found := false
	for k := range m {
		if !colleagues(k) {
			continue
		}
		found = true
		done := false
		for range tries {
			if j := s.IntN(m); fits(k, j) {
				join(k, j)
				done = true
				break
			}
		}
		if !done {
			left = append(left, int32(k))
		}
	}
	g.resolveLeft(left, e, colleagues, func(k int32) []int32 {
		var fit []int32
		for j := range m {
			if fits(int(k), j) {
				fit = append(fit, int32(j))
			}
		}
		return fit
	}, func(k, j int32) { join(int(k), int(j)) }, s)
	if found && m < mixBelow && m > 1 {
		mixPairs(s, p, g.employer)
	}
}

// resolveLeft settles the pairs that random trials did not, employer by
// employer: each admissible pair is used once, so one list serves them all.
func (g *stratum) resolveLeft(left []int32, e func(int) int32, colleagues func(int) bool, list func(int32) []int32, join func(k, j int32), s *rng.Stream) {
	slices.SortStableFunc(left, func(a, b int32) int { return cmp.Compare(e(int(2*a)), e(int(2*b))) })
	for len(left) > 0 {
		emp := e(int(2 * left[0]))
		end := 1
		for end < len(left) && e(int(2*left[end])) == emp {
			end++
		}
		fit := list(left[0])
		rng.Shuffle(s, fit)
		for _, k := range left[:end] {
			if !colleagues(int(k)) {
				continue // resolved as another pair's helper
			}
			join(k, fit[0])
			fit = fit[1:]
		}
		left = left[end:]
	}
}

// mixPairs exchanges partners between random pairs wherever no colleagues meet:
// a symmetric chain, hence uniform over the pairings it can reach.
func mixPairs(s *rng.Stream, p []int32, employer []int32) {
	m := len(p) / 2
	for range 8 * m {
		x, y := s.IntN(m), s.IntN(m)
		if x == y {
			continue
		}
		a, b := 2*x+1, 2*y+int(s.Uint64()&1)
		c := 2*y + 1 - b&1
		if employer[p[2*x]] != employer[p[b]] && employer[p[a]] != employer[p[c]] {
			p[a], p[b] = p[b], p[a]
		}
	}
}
