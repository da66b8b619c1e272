package swap

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// Law says how far a rank swap goes.
type Law uint8

const (
	// Uniform draws a partner uniformly among the free ranks that are at most
	// Window of the stratum away.
	Uniform Law = iota
	// Distribution draws the distance in ranks as |N(w/2, w/2)|, w being Window of
	// the stratum: no distance is impossible, so that no interval is certain.
	Distribution
	// Buckets cuts the ranks into 1/Window buckets and draws the partner's bucket
	// with probability 1/2, 1/4, … from the own one upwards.
	Buckets
)

var lawNames = []string{"uniform", "distribution", "buckets"}

func (l Law) String() string { return nameOf(lawNames, int(l), "Law") }

// ParseLaw reads the name of a law as a plan writes it; "" is [Uniform].
func ParseLaw(s string) (Law, error) {
	i, err := parseName(lawNames, s, "law")
	return Law(i), err
}

func validateRank(o Options, f *frame.Frame) error {
	if !(o.Window > 0 && o.Window <= 1) {
		return fmt.Errorf("swap: window is %v, want a share of the ranks in (0, 1], such as 0.05", o.Window)
	}
	if int(o.Law) >= len(lawNames) {
		return fmt.Errorf("swap: law is %v, want one of %q", o.Law, lawNames)
	}
	return ranked(f, RankSwap, o.Bundle)
}

// ranked refuses columns whose values have no order.
func ranked(f *frame.Frame, method string, names []string) error {
	if f == nil {
		return nil
	}
	for _, n := range names {
		if c, ok := f.Lookup(n); ok && c.Kind == frame.Category || n == linked.Employer {
			return fmt.Errorf("swap: %s ranks values, and %q is a category without an order: use another method for it", method, n)
		}
	}
	return nil
}

// ranking tells for every row a number that is larger where the value is; that
// of a missing value is the smallest.
type ranking []int32

func order(c frame.Column) ranking {
	if c.I != nil {
		return c.I // a missing number and a missing code are the smallest
	}
	out := make([]int32, c.Len())
	rows := Identity(c.Len())
	slices.SortStableFunc(rows, func(a, b int32) int { return c.Compare(int(a), int(b)) })
	for k, r := range rows {
		out[r] = int32(k)
		if k > 0 && c.Compare(int(rows[k-1]), int(r)) == 0 {
			out[r] = out[rows[k-1]]
		}
	}
	return out
}

func prepareRank(_ context.Context, e *engine, cols []string) (drawer, error) {
	values, window, law := order(e.f.Col(cols[0])), e.o.Window, e.o.Law
	return func(g *stratum, s *rng.Stream) drawn {
		idx := g.ranked(values, s)
		n := len(idx)
		r := rankPairs{g: g, s: s, idx: idx, used: make([]uint64, (n+63)/64), pairs: g.keys[:0]}
		reach := window * float64(n)
		steps := int(reach + 1e-9)
		for i := range n {
			if r.taken(i) {
				continue
			}
			j := -1
			switch law {
			case Uniform:
				j = r.within(i, i+1, min(n, i+steps+1))
			case Distribution:
				j = r.distant(i, reach)
			case Buckets:
				j = r.bucket(i, max(1, int(math.Round(1/window))))
			}
			if j >= 0 {
				r.used[i>>6] |= 1 << (i & 63)
				r.used[j>>6] |= 1 << (j & 63)
				r.pairs = append(r.pairs, idx[i], idx[j])
			}
		}
		return drawn{pairs: r.pairs, expected: float64(len(r.pairs)), far: int64(n - len(r.pairs))}
	}, nil
}

// rankPairs are the pairs of a stratum whose units stand in the order of their
// values.
type rankPairs struct {
	g     *stratum
	s     *rng.Stream
	idx   []int32
	used  []uint64
	pairs []int32
}

func (r *rankPairs) taken(i int) bool { return r.used[i>>6]>>(i&63)&1 == 1 }

func (r *rankPairs) fits(i, j int) bool {
	return !r.taken(j) && j != i && (!r.g.across || r.g.employer[r.idx[i]] != r.g.employer[r.idx[j]])
}

// within draws uniformly among the ranks in [lo, hi) that fit rank i, -1 if
// there is none: by rejection, and by counting them after some vain tries.
func (r *rankPairs) within(i, lo, hi int) int {
	if lo >= hi {
		return -1
	}
	for range tries {
		if j := lo + r.s.IntN(hi-lo); r.fits(i, j) {
			return j
		}
	}
	free := 0
	for j := lo; j < hi; j++ {
		if r.fits(i, j) {
			free++
		}
	}
	if free == 0 {
		return -1
	}
	for at := r.s.IntN(free); ; lo++ { // a list of them might be long
		if r.fits(i, lo) {
			if at == 0 {
				return lo
			}
			at--
		}
	}
}

// distant draws the rank at a distance |N(w/2, w/2)| above; after some vain
// tries, the nearest one above that fits.
func (r *rankPairs) distant(i int, w float64) int {
	for range tries {
		d := math.Ceil(math.Abs(w/2 + float64(w/2*r.s.Normal())))
		if j := i + int(math.Min(d, 1<<30)); j < len(r.idx) && r.fits(i, j) {
			return j
		}
	}
	for j := i + 1; j < len(r.idx); j++ {
		if r.fits(i, j) {
			return j
		}
	}
	return -1
}

// bucket draws a bucket from the own one upwards with halving probabilities,
// and a rank in it; where the bucket is full, the next one.
func (r *rankPairs) bucket(i, buckets int) int {
	n := len(r.idx)
	own := i * buckets / n
	b := own
	for again := true; again; again = b >= buckets { // a geometric law cut off at the last bucket
		for b = own; r.s.Bool(.5); {
			b++
		}
	}
	for k := range buckets - own {
		at := own + (b-own+k)%(buckets-own)
		lo, hi := (at*n+buckets-1)/buckets, ((at+1)*n+buckets-1)/buckets
		if j := r.within(i, max(lo, i+1), hi); j >= 0 {
			return j
		}
	}
	return -1
}

// ranked draws the units that take part, in the order of the values of their
// rows and equal ones in random order, until the next sort.
func (g *stratum) ranked(values ranking, s *rng.Stream) []int32 {
	k := s.Round(g.rate * float64(g.n))
	if k < g.n {
		return g.sorted(values, rng.Sample(s, g.index(), k))
	}
	idx := g.sorted(values, nil) // all of them: only equal ones are mixed
	for lo, hi := 0, 0; lo < len(idx); lo = hi {
		for hi = lo + 1; hi < len(idx) && g.keys[idx[hi]] == g.keys[idx[lo]]; hi++ {
		}
		rng.Shuffle(s, idx[lo:hi])
	}
	return idx
}

// keysOf writes the numbers of units, nil being all, into the room for them.
func (g *stratum) keysOf(values ranking, units []int32) []int32 {
	n := len(units)
	if units == nil {
		n = g.n
	}
	g.keys = slices.Grow(g.keys[:0], n)[:n]
	for i := range g.keys {
		u := int32(i)
		if units != nil {
			u = units[i]
		}
		g.keys[i] = values[g.row(u)]
	}
	return g.keys
}

// sorted returns units, nil being all, sorted by the values of their rows, until the next sort;
// equal ones keep their order, which is random where it was.
func (g *stratum) sorted(values ranking, units []int32) []int32 {
	at := g.sorts.positions(g.keysOf(values, units))
	if units != nil {
		for k, i := range at {
			at[k] = units[i]
		}
	}
	return at
}

// sortRoom is the memory of a sort, to be used again.
type sortRoom struct{ at, other []int32 }

// positions returns the positions of the keys in their order, equal ones as they
// stand, until the next sort. Long lists are sorted digit by digit.
func (r *sortRoom) positions(keys []int32) []int32 {
	n := len(keys)
	identity := func() []int32 {
		r.at = slices.Grow(r.at[:0], n)[:n]
		for i := range r.at {
			r.at[i] = int32(i)
		}
		return r.at
	}
	if slices.IsSorted(keys) {
		return identity()
	}
	if n < 1<<9 {
		at := identity()
		slices.SortStableFunc(at, func(a, b int32) int { return cmp.Compare(keys[a], keys[b]) })
		return at
	}
	const digit = 11
	low, high := slices.Min(keys), slices.Max(keys)
	if span := int(high) - int(low) + 1; span < 1<<18 && span < n/4 { // one pass
		next := make([]int32, span+1)
		for _, k := range keys {
			next[int(k)-int(low)+1]++
		}
		for v := range span {
			next[v+1] += next[v]
		}
		r.at = slices.Grow(r.at[:0], n)[:n]
		for i, k := range keys {
			r.at[next[int(k)-int(low)]] = int32(i)
			next[int(k)-int(low)]++
		}
		return r.at
	}
	at := identity()
	r.other = slices.Grow(r.other[:0], n)[:n]
	var count [1 << digit]int32
	for shift := 0; shift < 32 && uint32(high-low)>>shift > 0; shift += digit {
		clear(count[:])
		for _, k := range keys {
			count[uint32(k-low)>>shift&(1<<digit-1)]++
		}
		next := int32(0)
		for d, c := range count {
			count[d], next = next, next+c
		}
		for _, i := range at {
			d := uint32(keys[i]-low) >> shift & (1<<digit - 1)
			r.other[count[d]] = i
			count[d]++
		}
		r.at, r.other = r.other, r.at
		at = r.at
	}
	return at
}

// sortedPositions is [sortRoom.positions] for a single sort.
func sortedPositions(keys []int32) []int32 { return new(sortRoom).positions(keys) }

// midRanks writes twice the rank, from 0, of every key, equal ones having the
// mean of their ranks: so it is a whole number.
func (r *sortRoom) midRanks(keys, out []int32) {
	at := r.positions(keys)
	for lo, hi := 0, 0; lo < len(at); lo = hi {
		for hi = lo + 1; hi < len(at) && keys[at[hi]] == keys[at[lo]]; hi++ {
		}
		for _, i := range at[lo:hi] {
			out[i] = int32(lo + hi - 1)
		}
	}
}
