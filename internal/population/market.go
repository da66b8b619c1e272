package population

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"

	"scramblelab/internal/calibration"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// markets match openings to workers. A market is a sector, a region and a group
// of levels; each is cleared once a year by a stream of its own.
type markets struct {
	s    *skeleton
	pool [][]leaver // by market: workers without a job

	openings []placed // of the year, sorted by market
	leavers  []leaver
	hires    []stay // by place of the opening among all batches
	free     chan *bench
}

// placed is an opening and its place among all openings of the year.
type placed struct {
	opening
	place int32
}

func newMarkets(s *skeleton) *markets {
	return &markets{s: s, pool: make([][]leaver, s.marketCount()), free: make(chan *bench, runtime.GOMAXPROCS(0))}
}

func (s *skeleton) marketCount() int { return len(s.c.Sectors) * len(s.c.Regions) * calibration.Groups }

func (s *skeleton) marketOf(sector, region uint8, cell uint16) int {
	group := s.c.Levels[s.cells.level(cell)].Group
	return (int(sector)*len(s.c.Regions)+int(region))*calibration.Groups + int(group)
}

// seek decides whether a leaver looks for another job, in which market and from
// when on.
func (s *skeleton) seek(l *leaver, r *rng.Stream) bool {
	year := int(l.year)
	if year-int(l.birth) >= s.c.Age.LastMove {
		return false
	}
	again := l.from >= s.day1(year)
	at := workerYear(l.address, year)
	if again {
		at |= 1 << 63 // may have left another employer this year
	}
	s.key.Reseed(r, stageSpell, at)
	if !r.Bool(s.c.Flows.IntoPool) {
		return false
	}
	e := &s.employers[l.employer]
	sector := e.sector
	if !r.Bool(s.c.Flows.SameSector) {
		sector = uint8(pick(s.staffCum[sexOf(s.workers[l.worker].woman)], r.Float64()))
	}
	l.market, l.effect = int16(s.marketOf(sector, e.region, l.cell)), s.workers[l.worker].effect
	if again { // at most two employers a year
		l.day = s.day1(year + 1)
	}
	return true
}

// clear routes the leavers of a year to the market in which they look for work
// and fills the openings of each market.
func (m *markets) clear(ctx context.Context, year int, batches []batch) error {
	leaverAt, openingAt, err := m.sort(ctx, batches)
	if err != nil {
		return err
	}
	order := make([]int, len(m.pool)) // the largest first, so that none is waited for
	for k := range order {
		order[k] = k
	}
	size := func(k int) int { return len(m.pool[k]) + leaverAt[k+1] - leaverAt[k] + openingAt[k+1] - openingAt[k] }
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(size(b)-size(a), a-b) })
	return par.Do(ctx, len(m.pool), func(i int) error {
		k := order[i]
		m.expire(k, year)
		var b *bench
		select {
		case b = <-m.free:
		default:
			b = &bench{}
		}
		b.seat(m.s, m.pool[k], m.leavers[leaverAt[k]:leaverAt[k+1]])
		openings := b.line(m.openings[openingAt[k]:openingAt[k+1]])
		for i := range openings {
			o := &openings[i]
			m.hires[o.place] = b.fill(m.s, &o.opening, year)
		}
		m.pool[k] = b.rest(m.pool[k][:0])
		select {
		case m.free <- b:
		default:
		}
		return nil
	})
}

// bench is the pool of a market in the order in which openings look through it:
// a circle of workers, each at a place of the worker's own. An opening begins at
// a place of its own too, so that one more or fewer of either moves the matches
// next to it and no other. Its memory serves one market after the other.
type bench struct {
	places  []seat
	buckets buckets
	next    []int32 // the next place on which somebody sits, at or after this one; path-compressed
	left    int

	keys   []uint64
	queue  []placed
	queued buckets
}

type seat struct {
	at uint64
	leaver
}

// buckets sort n things by keys that are spread evenly over all words, about one
// thing to a bucket.
type buckets struct {
	begin []int32 // by bucket: its first place; one more at the end
	n     int
}

func (b *buckets) of(key uint64) int {
	k, _ := bits.Mul64(key, uint64(b.n))
	return int(k)
}

// sort calls put with the place of every key, in the order of keys: those of one
// bucket are neighbours and yet to be sorted.
func (b *buckets) sort(keys []uint64, put func(i int, place int32)) {
	b.n, b.begin = len(keys), sized(b.begin, len(keys)+2)
	clear(b.begin)
	for _, key := range keys {
		b.begin[b.of(key)+2]++
	}
	for k := range len(keys) {
		b.begin[k+2] += b.begin[k+1]
	}
	for i, key := range keys {
		next := &b.begin[b.of(key)+1]
		put(i, *next)
		*next++
	}
}

// finish sorts what stands in buckets.
func finish[T any](v []T, less func(a, b *T) bool) {
	for i := 1; i < len(v); i++ {
		if !less(&v[i], &v[i-1]) {
			continue
		}
		x, k := v[i], i
		for ; k > 0 && less(&x, &v[k-1]); k-- {
			v[k] = v[k-1]
		}
		v[k] = x
	}
}

// seat fills the bench.
func (b *bench) seat(s *skeleton, old, fresh []leaver) {
	n := len(old) + len(fresh)
	b.left, b.places, b.keys, b.next = n, sized(b.places, n), sized(b.keys, n), sized(b.next, n)
	of := func(i int) *leaver {
		if i < len(old) {
			return &old[i]
		}
		return &fresh[i-len(old)]
	}
	for i := range b.keys {
		b.keys[i] = s.key.Uint64(stageMarket, of(i).address|1<<63)
	}
	b.buckets.sort(b.keys, func(i int, place int32) { b.places[place] = seat{b.keys[i], *of(i)} })
	finish(b.places, func(a, b *seat) bool {
		if a.at != b.at {
			return a.at < b.at
		}
		return a.address < b.address || a.address == b.address && a.day < b.day
	})
	for i := range b.next {
		b.next[i] = int32(i)
	}
}

// line returns the openings of a market by rank.
func (b *bench) line(openings []placed) []placed {
	b.keys, b.queue = sized(b.keys, len(openings)), sized(b.queue, len(openings))
	for i := range openings {
		b.keys[i] = openings[i].rank
	}
	b.queued.sort(b.keys, func(i int, place int32) { b.queue[place] = openings[i] })
	finish(b.queue, func(a, b *placed) bool { return a.rank < b.rank })
	return b.queue
}

// from returns the first place at or after a key, around the circle.
func (b *bench) from(key uint64) int32 {
	i := int(b.buckets.begin[b.buckets.of(key)])
	for i < len(b.places) && b.places[i].at < key {
		i++
	}
	if i == len(b.places) {
		return 0
	}
	return int32(i)
}

// find returns the first place at or after i, around the circle, on which
// somebody sits; there must be one.
func (b *bench) find(i int32) int32 {
	root := i
	for b.next[root] != root {
		root = b.next[root]
	}
	for b.next[i] != root {
		i, b.next[i] = b.next[i], root
	}
	return root
}

func (b *bench) take(i int32) {
	b.places[i].market = gone
	if b.left--; b.left > 0 {
		b.next[i] = b.find((i + 1) % int32(len(b.places)))
	}
}

const gone = -2 // market of somebody who found a job

// sort puts leavers and openings in the order of markets, within a market in
// the order of batches, and returns where each market begins.
func (m *markets) sort(ctx context.Context, batches []batch) (leaverAt, openingAt []int, err error) {
	s, n := m.s, len(m.pool)
	of := func(o *opening) int {
		e := &s.employers[o.employer]
		return s.marketOf(e.sector, e.region, o.cell)
	}
	// counts of batch b are at [b*n, (b+1)*n); they become places.
	leavers, openings := make([]int32, len(batches)*n), make([]int32, len(batches)*n)
	err = par.Do(ctx, len(batches), func(b int) error {
		for i := range batches[b].leavers {
			leavers[b*n+int(batches[b].leavers[i].market)]++
		}
		for i := range batches[b].openings {
			openings[b*n+of(&batches[b].openings[i])]++
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	starts := func(counts []int32) []int {
		at, total := make([]int, n+1), 0
		for k := range n {
			at[k] = total
			for b := range batches {
				c := counts[b*n+k]
				counts[b*n+k] = int32(total)
				total += int(c)
			}
		}
		at[n] = total
		return at
	}
	leaverAt, openingAt = starts(leavers), starts(openings)
	m.leavers, m.openings = sized(m.leavers, leaverAt[n]), sized(m.openings, openingAt[n])
	m.hires = sized(m.hires, openingAt[n])
	first := 0
	for b := range batches {
		x := &batches[b]
		x.first, x.hires = first, m.hires[first:first+len(x.openings)]
		first += len(x.openings)
	}
	return leaverAt, openingAt, par.Do(ctx, len(batches), func(b int) error {
		x := &batches[b]
		for i := range x.leavers {
			to := &leavers[b*n+int(x.leavers[i].market)]
			m.leavers[*to] = x.leavers[i]
			*to++
		}
		for i := range x.openings {
			to := &openings[b*n+of(&x.openings[i])]
			m.openings[*to] = placed{x.openings[i], int32(x.first + i)}
			*to++
		}
		return nil
	})
}

// sized returns a vector of n elements, in the memory of v where it suffices.
func sized[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n, n+n/8)
	}
	return v[:n]
}

func (m *markets) expire(k, year int) {
	keep := m.pool[k][:0]
	for _, c := range m.pool[k] {
		if year-int(c.year) < m.s.c.Flows.PoolYears {
			keep = append(keep, c)
		}
	}
	m.pool[k] = keep
}

// fill gives an opening to somebody on the bench with the wanted cell, else with
// the wanted field, and takes that worker from it; worker -1 is somebody new.
func (b *bench) fill(s *skeleton, o *opening, year int) stay {
	latest := o.day
	if o.to == stillThere {
		latest = s.day1(year+1) - 1
	}
	u := rng.Mix(o.rank, 1)
	if b.left == 0 || float64(u>>11)*0x1p-53 < s.c.Flows.Fresh {
		return stay{worker: -1}
	}
	n, field := int32(len(b.places)), s.cells.field(o.cell)
	best, i := int32(-1), b.find(b.from(rng.Mix(o.rank, 2)))
	wanted, nearest, exact := o.wanted, float32(math.MaxFloat32), false
	from := 0 // least age
	for range min(s.c.Flows.Tries, b.left) {
		c := &b.places[i]
		if same := c.cell == o.cell; (same || !exact && s.cells.field(c.cell) == field) && s.takes(o, &c.leaver, latest) {
			if o.under != 0 {
				age := year - int(c.birth)
				if age >= int(o.under) && int(o.under) >= s.c.Age.OldFrom {
					from = s.c.Age.YoungHire // in place of the old no more of the young than there would be
				}
				if age >= int(o.under) || age < from {
					i = b.find((i + 1) % n)
					continue
				}
			}
			off := c.effect - wanted
			if off < 0 {
				off = -off
			}
			if same && !exact || off < nearest {
				best, nearest, exact = i, off, same
			}
			if exact && off < s.near {
				break
			}
		}
		i = b.find((i + 1) % n)
	}
	if best < 0 {
		return stay{worker: -1}
	}
	h := b.places[best].stay
	h.from = max(o.day, b.places[best].day+1)
	b.take(best)
	return h
}

// takes reports whether an employer can take somebody of any age for an opening.
func (s *skeleton) takes(o *opening, c *leaver, latest int32) bool {
	if c.day >= latest || c.employer == o.employer {
		return false
	}
	if !c.moonlights {
		return true
	}
	if other, has := s.seconds[c.worker]; has && other == o.employer {
		return false // has or had a second job there this year
	}
	return !c.second || o.to == stillThere
}

// rest appends those who found nothing, in their order.
func (b *bench) rest(pool []leaver) []leaver {
	for i := range b.places {
		if c := &b.places[i]; c.market != gone && !c.second {
			pool = append(pool, c.leaver)
		}
	}
	return pool
}

// newcomer makes a worker who was never seen: from school, or from elsewhere
// (public sector, self-employment, abroad, no work).
func (s *skeleton) newcomer(h *stay, o *opening, year, ordinal int, w *rng.Stream) {
	x := &s.workers[h.worker]
	x.origin, x.entry = o.employer, s.entryOf(year, ordinal)
	s.key.Reseed(w, stageWorker, x.address())
	e, a := &s.employers[o.employer], &s.c.Age
	youngest := s.c.Levels[s.cells.level(o.cell)].MinAge
	age := 0.0
	switch {
	case year == s.o.From && w.Bool(s.c.Flows.Unseen):
		age = float64(s.stockAge(s.stockCum, s.ageShift(e, year), w))
	case w.Bool(s.c.Flows.FromSchool):
		age = float64(youngest) + float64(a.School*w.Exp())
	default:
		for range s.c.Cluster.Tries {
			u := math.Pow(w.Float64(), a.ReenterPow)
			age = a.Reenter[0] + float64((a.Reenter[1]-a.Reenter[0])*u) + s.ageShift(e, year)
			if s.cells.suits(o.cell, year-int(age), w) {
				break
			}
		}
	}
	if o.under > 0 && age >= float64(o.under) {
		from := youngest
		if int(o.under) >= a.OldFrom { // no more of the young than are asked for
			from = max(from, min(a.YoungHire, a.OldFrom-1))
		}
		age = float64(from) + float64(w.Float64()*float64(int(o.under)-from))
	}
	s.settle(x, o.cell, year-min(a.Oldest, max(youngest, int(age))), e, w)
	h.address, h.birth, h.cell, h.from, h.moonlights = x.address(), s.birth(x), x.cell, o.day, s.moonlights(x.address())
}
