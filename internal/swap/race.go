package swap

import (
	"math"
	"math/bits"
	"slices"

	"scramblelab/internal/rng"
)

// race draws units one after another in proportion to their risk.
type race struct {
	t     *targeted
	g     *stratum
	s     *rng.Stream
	used  []uint64  // by unit: a bit
	class [][]uint8 // by level and unit: the whole part of the binary logarithm of its count; nil before the first use
	pools []*pool   // by level and profile; nil before the first use
}

func newRace(t *targeted, g *stratum, s *rng.Stream) *race {
	return &race{t: t, g: g, s: s, used: make([]uint64, (g.n+63)/64), class: make([][]uint8, len(t.region)), pools: make([]*pool, len(t.region)*len(t.profile))}
}

func (r *race) taken(u int32) bool { return r.used[u>>6]>>(u&63)&1 == 1 }

func (r *race) take(u int32) { r.used[u>>6] |= 1 << (u & 63) }

// pair gives u a donor of another region, or says that there is none.
func (r *race) pair(h int, u int32, d *drawn) bool {
	r.take(u)
	regions := r.t.region[h].codes
	for p, profile := range r.t.profile {
		q := &r.pools[h*len(r.t.profile)+p]
		if *q == nil {
			*q = r.pool(h, profile())
		}
		if v := (*q).draw(r, (*q).cell(r.g, u), regions, regions[r.g.row(u)]); v >= 0 {
			r.take(v)
			d.pairs = append(d.pairs, u, v)
			return true
		}
	}
	return false
}

// fill swaps units beyond those at risk: in each of the smallest regions its
// share of the pairs wanted, less those begun there, with probabilities
// proportional to risk. Regions come in random order; each is drawn from the
// units that are free by then, none of which can be a donor to another one.
func (r *race) fill(want int, d *drawn) {
	if len(d.pairs) >= 2*want {
		return
	}
	last := len(r.t.region) - 1
	region := r.t.region[last]
	begun := make([]int32, region.k)
	for i := 0; i < len(d.pairs); i += 2 {
		begun[region.codes[r.g.row(d.pairs[i])]]++
	}
	q := r.pool(last, region.codes)
	var cells []uint32
	for c := range uint32(q.cells()) {
		if len(q.of(c)) > 0 {
			cells = append(cells, c)
		}
	}
	rng.Shuffle(r.s, cells)
	carry := r.s.Float64()
	var chosen []int32
	for _, c := range cells {
		units := q.of(c)
		carry += r.g.rate * float64(len(units)) / 2
		share := int(carry)
		carry -= float64(share)
		n := min(share-int(begun[region.codes[r.g.row(units[0])]]), want-len(d.pairs)/2)
		chosen = chosen[:0]
		for range n {
			u := q.draw(r, c, region.codes, anywhere)
			if u < 0 {
				break
			}
			r.take(u)
			chosen = append(chosen, u)
		}
		for _, u := range chosen {
			if !r.pair(last, u, d) {
				d.far++
			}
		}
	}
}

// anywhere is no region.
const anywhere = math.MaxUint32

// pool lists the units of every cell of a profile by classes of their counts: a
// class holds counts from a power of two up to the next one, so that drawing a
// class by its room, a unit in it evenly and accepting it by its own risk takes
// two trials at most on average, however unequal risks are.
type pool struct {
	level   int
	codes   []uint32 // cells by row
	own     []uint32 // cells by unit, where codes are too many to list units by; else nil
	units   []int32  // by cell and class
	start   []int32
	classes int
	low     int // binary logarithm of the least count of the first class
	lines   map[uint32]*line
}

func (r *race) pool(h int, codes []uint32) *pool {
	g := r.g
	q := &pool{level: h, codes: codes, classes: 1, lines: map[uint32]*line{}}
	top := uint32(0)
	for u := range int32(g.n) {
		top = max(top, codes[g.row(u)])
	}
	most := 2*g.n + 64
	if int(top) > most { // most cells would be empty
		top = q.number(g)
	}
	class, seen := r.classes(h)
	q.low = bits.TrailingZeros32(seen)
	if k := bits.Len32(seen) - q.low; k*(int(top)+1) <= 2*most {
		q.classes = k
	}
	bin := func(u int32) int {
		if q.classes == 1 {
			return int(q.cell(g, u))
		}
		return int(q.cell(g, u))*q.classes + int(class[u]) - q.low
	}
	q.start = make([]int32, (int(top)+1)*q.classes+1)
	for u := range int32(g.n) {
		q.start[bin(u)]++
	}
	sum := int32(0)
	for i, n := range q.start { // each begins at the end of its list and moves to its front
		sum += n
		q.start[i] = sum
	}
	q.units = make([]int32, g.n)
	for u := int32(g.n) - 1; u >= 0; u-- {
		i := bin(u)
		q.start[i]--
		q.units[q.start[i]] = u
	}
	return q
}

// classes returns the class of every unit's count at a level, and which ones
// there are.
func (r *race) classes(h int) (class []uint8, seen uint32) {
	if r.class[h] == nil {
		class = make([]uint8, r.g.n)
		for u := range class {
			class[u] = uint8(bits.Len32(uint32(r.t.countOf(h, r.g, int32(u)))) - 1)
		}
		r.class[h] = class
	}
	for _, c := range r.class[h] {
		seen |= 1 << c
	}
	return r.class[h], seen
}

// number gives the cells that occur in the stratum numbers of their own, and
// returns the last one.
func (q *pool) number(g *stratum) uint32 {
	keys := make([]int32, g.n)
	for u := range keys {
		keys[u] = int32(q.codes[g.row(int32(u))])
	}
	own, last := make([]uint32, g.n), uint32(0)
	at := sortedPositions(keys)
	for i, u := range at {
		if i > 0 && keys[u] != keys[at[i-1]] {
			last++
		}
		own[u] = last
	}
	q.own = own
	return last
}

func (q *pool) cell(g *stratum, u int32) uint32 {
	if q.own != nil {
		return q.own[u]
	}
	return q.codes[g.row(u)]
}

func (q *pool) cells() int { return (len(q.start) - 1) / q.classes }

// of returns the units of a cell.
func (q *pool) of(cell uint32) []int32 {
	at := int(cell) * q.classes
	return q.units[q.start[at]:q.start[at+q.classes]]
}

// draw returns a free unit of a cell outside a region in proportion to risk, -1
// if there is none: by rejection, and after some vain tries by a race of the
// units that are left, which has the same probabilities.
func (q *pool) draw(r *race, cell uint32, regions []uint32, region uint32) int32 {
	start := q.start[int(cell)*q.classes : (int(cell)+1)*q.classes+1]
	last := len(start) - 2
	room := 0
	for b := range last + 1 {
		room += int(start[b+1]-start[b]) << (last - b)
	}
	for range tries {
		x, b := r.s.IntN(room), 0
		for n := int(start[1]-start[0]) << last; x >= n; n = int(start[b+1]-start[b]) << (last - b) {
			x -= n
			b++
		}
		u := q.units[int(start[b])+x>>(last-b)]
		if r.taken(u) || regions[r.g.row(u)] == region {
			continue
		}
		if n := int(r.t.countOf(q.level, r.g, u)); n == 1<<(q.low+b) || r.s.IntN(n) < 1<<(q.low+b) {
			return u
		}
	}
	l := q.lines[cell]
	if l == nil {
		l = &line{}
		for _, u := range q.of(cell) {
			if !r.taken(u) {
				l.units = append(l.units, waiting{float32(r.s.QuickExp()) * float32(r.t.countOf(q.level, r.g, u)), u})
			}
		}
		q.lines[cell] = l
	}
	return l.take(r, regions, region)
}

// waiting is a unit and when its turn comes.
type waiting struct {
	turn float32
	unit int32
}

// line is a queue of units from which a region can be left out. It is sorted
// only as far as it was read. head is the first free unit; every free unit
// between head and other lies in the region of head.
type line struct {
	units       []waiting
	sorted      int
	head, other int
}

// take returns the first free unit outside a region, -1 if there is none. Both
// places only move forward, so that all calls together take linear time.
func (l *line) take(r *race, regions []uint32, region uint32) int32 {
	for l.has(l.head) && r.taken(l.units[l.head].unit) {
		l.head++
	}
	if !l.has(l.head) {
		return -1
	}
	if u := l.units[l.head].unit; regions[r.g.row(u)] != region {
		return u
	}
	for l.other = max(l.other, l.head+1); l.has(l.other); l.other++ {
		if u := l.units[l.other].unit; !r.taken(u) && regions[r.g.row(u)] != region {
			return u
		}
	}
	return -1
}

// has reports whether there is a unit at place i, which is sorted then.
func (l *line) has(i int) bool {
	for i >= l.sorted && l.sorted < len(l.units) {
		rest := l.units[l.sorted:]
		k := min(len(rest), max(64, l.sorted, len(l.units)/16))
		selectBy(rest, k-1, func(w waiting) float32 { return w.turn })
		slices.SortFunc(rest[:k], func(a, b waiting) int {
			switch {
			case a.turn < b.turn:
				return -1
			case a.turn > b.turn:
				return 1
			}
			return int(a.unit - b.unit)
		})
		l.sorted += k
	}
	return i < len(l.units)
}
