package attack

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// search holds what is the same for all serials. Adversaries who read the same
// columns of the same file are searched for together: they differ in the firm
// columns that they compare, one traits each.
type search struct {
	*modeller
	traits []*traits
	tables []yearTable // by year slot; nil where every serial has several years
	max    int
	slack  float64
	pow    *powers
}

func newSearch(m *modeller, t []*traits, units []unit, most int) *search {
	s := &search{modeller: m, traits: t, max: most, slack: math.Log(float64(len(m.c.employer)) / lostMass), pow: newPowers()}
	for _, u := range units {
		if len(u.years) == 1 && s.tables == nil {
			s.tables = newYearTables(m.c, t)
		}
	}
	return s
}

// lane is one of the adversaries of a search.
type lane struct {
	tally
	kind  []int32   // combination of traits by candidate
	kinds []float64 // log chance of the traits, by combination
	most  float64   // the largest
	times []int     // scratch space by combination, zero
}

// scan is the state of scoring a serial.
type scan struct {
	*search
	lanes  []lane
	models []yearModel
	tail   []float64 // the most that the models after each can add
	order  []reach
	bounds []float64 // of the log likelihood without traits, by leaf

	// Of candidates who filed the years of mask: see ready.
	mask     uint64
	base     float64      // what years without a comparison add
	filed    []*yearModel // the years that are compared
	rest     []float64    // the most that what follows the head count of each of them can add
	after    []float64    // and what follows its features
	features float64      // the most that all features can add
	all      float64      // the most that everything can add
	mean     form         // of mean rows: see profiled
	kinds    []int32      // scratch space
}

// reach is the largest log likelihood in a part of the candidates.
type reach struct {
	leaf  int // or block of a table
	bound float64
}

// abreast is how many serials are scored side by side: few enough that what is
// known of all of them stays in the cache of a processor beside a leaf.
const abreast = 16

// units scores the candidates of some serials for every adversary. Serials that
// are alike should stand together: they are compared with the same candidates,
// which are then fetched from memory once for all of them. scans is scratch
// space.
func (s *search) units(us []unit, scans []scan) [][]Unit {
	out := make([][]Unit, len(us))
	for lo := 0; lo < len(us); lo += len(scans) {
		some := us[lo:min(lo+len(scans), len(us))]
		var sweep []*scan
		for i, u := range some {
			sc := &scans[i]
			out[lo+i] = make([]Unit, len(s.traits))
			for a := range s.traits {
				out[lo+i][a] = Unit{Serial: u.serial, Staff: u.staff()}
			}
			sc.search = s
			switch sc.begin(u); {
			case !sc.comparable():
			case len(sc.models) == 1 && s.tables != nil:
				sc.year(&sc.models[0], &s.tables[sc.models[0].slot])
			default:
				sweep = append(sweep, sc)
			}
		}
		s.sweep(sweep)
		for i := range some {
			if scans[i].comparable() {
				for a := range s.traits {
					scans[i].lanes[a].sum(&out[lo+i][a])
				}
			}
		}
	}
	return out
}

// unit is units for one serial.
func (s *search) unit(u unit) []Unit { return s.units([]unit{u}, make([]scan, 1))[0] }

// begin prepares a scan for a serial.
func (sc *scan) begin(u unit) {
	sc.models = sc.prepare(u)
	if !sc.comparable() {
		return
	}
	if sc.lanes == nil {
		sc.lanes = make([]lane, len(sc.traits))
		for i, t := range sc.traits {
			sc.lanes[i] = lane{kind: t.kind, tally: tally{employer: sc.c.employer, max: sc.max, slack: sc.slack, pow: sc.pow}}
		}
	}
	n := len(sc.models)
	sc.tail = slices.Grow(sc.tail[:0], n)[:n]
	most := 0.0
	for i := n - 1; i >= 0; i-- {
		sc.tail[i] = most
		m := &sc.models[i]
		filed := m.filed
		if m.staff {
			filed = m.headMost + m.features
		}
		most += max(m.absent, filed)
	}
	for i, t := range sc.traits {
		l := &sc.lanes[i]
		l.reset(u.serial)
		l.kinds, l.most = t.of(u, sc.modeller, l.kinds)
	}
}

// comparable reports whether anything is released that an intruder could
// compare.
func (sc *scan) comparable() bool { return len(sc.models) > 0 && sc.models[0].staff }

// room is by how much a log likelihood without traits may be negative and still
// count for some adversary.
func (sc *scan) room() float64 {
	v := math.Inf(-1)
	for i := range sc.lanes {
		v = max(v, sc.lanes[i].most-sc.lanes[i].limit)
	}
	return v
}

// roomOf is room for one candidate.
func (sc *scan) roomOf(k int32) float64 {
	v := math.Inf(-1)
	for i := range sc.lanes {
		l := &sc.lanes[i]
		v = max(v, l.kinds[l.kind[k]]-l.limit)
	}
	return v
}

// count adds a candidate for the adversaries to whom it counts.
func (sc *scan) count(ll float64, k int32) {
	for i := range sc.lanes {
		l := &sc.lanes[i]
		if v := ll + l.kinds[l.kind[k]]; v >= l.limit {
			l.add(v, k)
		}
	}
}

// ahead is how many leaves a serial looks at before it joins the others.
const ahead = 8

// sweep scores candidates by several years, leaf by leaf in the order of the
// best that any of the serials can reach in them. Every serial starts with the
// leaves that promise most to it: they set the limit for the others.
func (s *search) sweep(scans []*scan) {
	var near []reach
	for i := range s.c.leaves {
		near = append(near, reach{i, math.Inf(-1)})
	}
	for _, sc := range scans {
		sc.bounds, sc.order = slices.Grow(sc.bounds[:0], len(near))[:len(near)], sc.order[:0]
		sc.ready(0)
		for i := range near {
			b, loose := sc.bound(i)
			sc.bounds[i] = b
			if loose {
				b -= usualCost
			}
			sc.order = promising(sc.order, reach{i, b})
		}
		for _, r := range sc.order {
			if sc.bounds[r.leaf]+sc.room() >= 0 {
				sc.leaf(r.leaf)
			}
			sc.bounds[r.leaf] = math.Inf(-1) // done
		}
		room := sc.room()
		for i := range near {
			near[i].bound = max(near[i].bound, sc.bounds[i]+room)
		}
	}
	near = slices.DeleteFunc(near, func(r reach) bool { return !(r.bound >= 0) })
	slices.SortStableFunc(near, func(a, b reach) int { return cmp.Compare(b.bound, a.bound) })
	for _, r := range near {
		for _, sc := range scans {
			if sc.bounds[r.leaf]+sc.room() >= 0 {
				sc.leaf(r.leaf)
			}
		}
	}
}

// promising keeps the largest bounds in order.
func promising(list []reach, r reach) []reach {
	if len(list) == ahead {
		if r.bound <= list[ahead-1].bound {
			return list
		}
		list = list[:ahead-1]
	}
	list = append(list, r)
	for i := len(list) - 1; i > 0 && list[i].bound > list[i-1].bound; i-- {
		list[i], list[i-1] = list[i-1], list[i]
	}
	return list
}

// usualCost is about what features beside head counts take off the likelihood of
// the right employer.
const usualCost = 20

// bound is the largest log likelihood, without traits, of the candidates of a
// leaf. It is loose where features beside head counts could not be compared.
func (sc *scan) bound(i int) (most float64, loose bool) {
	l, years := &sc.c.leaves[i], len(sc.c.years)
	boxes := sc.c.headBoxes[i*years : (i+1)*years]
	if l.all == l.any && l.all != sc.mask {
		sc.ready(l.all)
		sc.profiled()
	}
	if l.all == l.any {
		v := sc.base + sc.features
		for _, m := range sc.filed {
			v += m.head.within(&boxes[m.slot])
		}
		if l.even && sc.mean.base > 0 {
			low, high := sc.c.profileBox(i)
			return v - apart(low, high, sc.mean.at, sc.mean.curve), false
		}
		return v, true
	}
	v := 0.0
	for k := range sc.models {
		m := &sc.models[k]
		filed := m.filed
		if m.staff && l.any>>m.slot&1 == 1 {
			filed = m.features + m.head.within(&boxes[m.slot])
		}
		switch {
		case l.any>>m.slot&1 == 0:
			v += m.absent
		case l.all>>m.slot&1 == 1:
			v += filed
		default:
			v += max(m.absent, filed)
		}
	}
	return v, true
}

// leaf scores the candidates of a leaf.
func (sc *scan) leaf(i int) {
	l := &sc.c.leaves[i]
	if l.all != l.any {
		for k := l.lo; k < l.hi; k++ {
			sc.alone(k)
		}
		return
	}
	if l.all != sc.mask {
		sc.ready(l.all)
		sc.profiled()
	}
	if len(sc.filed) > 0 {
		sc.pairs(l.lo, l.hi)
	} else if sc.base+sc.room() >= 0 {
		sc.unlike(l.lo, l.hi)
	}
}

// alone scores one candidate of a leaf in which not all filed the same years.
func (sc *scan) alone(k int32) {
	years, stride, filed := len(sc.c.years), sc.c.stride, sc.c.filed[k]
	row, room := int(k)*years, sc.room()
	ll, features := 0.0, 0.0
	for i := range sc.models {
		m := &sc.models[i]
		switch {
		case filed>>m.slot&1 == 0:
			ll += m.absent
		case !m.staff:
			ll += m.filed
		default:
			ll += m.head.tied(sc.c.logHead[row+m.slot], &sc.c.flows[row+m.slot])
			features += m.features
		}
		if ll+features+sc.tail[i]+room < 0 {
			return
		}
	}
	room = sc.roomOf(k)
	for i := range sc.models {
		m := &sc.models[i]
		if filed>>m.slot&1 == 0 || !m.staff || m.bare {
			continue
		}
		at := row + m.slot
		ll += m.forms[sc.c.pattern[at]].log(sc.c.cell[at*stride : (at+1)*stride])
		if features -= m.features; ll+features+room < 0 {
			return
		}
	}
	sc.count(ll, k)
}

// unlike counts candidates who filed in none of the years of the serial: they
// differ in traits only.
func (sc *scan) unlike(lo, hi int32) {
	for i := range sc.lanes {
		l := &sc.lanes[i]
		kinds := sc.kinds[:0]
		l.times = slices.Grow(l.times, len(l.kinds))[:len(l.kinds)]
		for _, kind := range l.kind[lo:hi] {
			if l.times[kind] == 0 {
				kinds = append(kinds, kind)
			}
			l.times[kind]++
		}
		for _, kind := range kinds {
			if ll := sc.base + l.kinds[kind]; ll >= l.limit {
				l.weigh(ll, l.times[kind])
			}
			l.times[kind] = 0
		}
		sc.kinds = kinds
		for k, kind := range l.kind[lo:hi] {
			if ll := sc.base + l.kinds[kind]; ll >= l.limit && ll >= l.worst {
				l.offer(ll, lo+int32(k))
			}
		}
	}
}

// ready prepares the comparison with candidates who filed some years.
func (sc *scan) ready(filed uint64) {
	sc.mask, sc.base, sc.mean.base = filed, 0, 0
	sc.filed = sc.filed[:0]
	for i := range sc.models {
		switch m := &sc.models[i]; {
		case filed>>m.slot&1 == 0:
			sc.base += m.absent
		case m.staff:
			sc.filed = append(sc.filed, m)
		default:
			sc.base += m.filed
		}
	}
	n := len(sc.filed)
	sc.rest, sc.after = slices.Grow(sc.rest[:0], n)[:n], slices.Grow(sc.after[:0], n)[:n]
	features, heads := 0.0, 0.0
	for i := n - 1; i >= 0; i-- {
		sc.after[i] = features
		features += sc.filed[i].features
	}
	for i := n - 1; i >= 0; i-- {
		sc.rest[i] = features + heads
		heads += sc.filed[i].headMost
	}
	sc.features, sc.all = features, features+heads
}

// profiled prepares the comparison of mean rows. With the same years on both
// sides, d the differences and c their weights, Σ c·d² is at least (smallest
// c)·(Σ d)²/T: a candidate whose mean is far off need not be looked at year by
// year. Where a span filed in a year in which the serial has no staff there is
// no such bound.
func (sc *scan) profiled() {
	f := &sc.mean
	if len(sc.filed) < 2 || len(sc.filed) != bits.OnesCount64(sc.mask) || sc.filed[0].bare {
		return
	}
	f.at, f.curve = slices.Grow(f.at[:0], sc.c.stride)[:sc.c.stride], slices.Grow(f.curve[:0], sc.c.stride)[:sc.c.stride]
	f.base = 1
	years := float64(len(sc.filed))
	for j := range f.at {
		sum, least := 0.0, math.Inf(1)
		for _, m := range sc.filed {
			year := &m.forms[sc.c.usual]
			sum += float64(year.at[j])
			least = min(least, float64(year.curve[j]))
		}
		f.at[j], f.curve[j] = float32(sum/years), float32(least*years*(1-1e-4))
	}
}

// beyond reports whether a head count is too far away for anybody with it, or
// further away, to count. An equal count that is still to come always counts.
func (sc *scan) beyond(h *headTerm, x float32, besides float64) bool {
	d := float64(x) - h.at
	besides += sc.room()
	top := h.top
	if h.flow == h.flow {
		top = max(top, h.lost, h.missed)
		if math.Abs(d) < h.reach && h.change+besides >= 0 {
			return false
		}
	}
	if math.Abs(d) <= nearby || top-float64(h.curve*d*d)+besides >= 0 {
		return false
	}
	equal := float64(h.n) - h.at // NaN where none is equal
	return !(float64(equal*d) > 0 && math.Abs(equal) >= math.Abs(d))
}

// pairs scores candidates one by one and gives each up as soon as it can: first
// by mean rows, then by the head counts of all years, then by everything else.
func (sc *scan) pairs(lo, hi int32) {
	years, stride := len(sc.c.years), sc.c.stride
	logHead, flows, pattern, cell := sc.c.logHead, sc.c.flows, sc.c.pattern, sc.c.cell
	filed := sc.filed
	rest := sc.rest[:len(filed)]
	means, most := sc.mean.base > 0, sc.room()
next:
	for k := lo; k < hi; k++ {
		ll, room := sc.base, most
		if means && sc.c.even[k] {
			room -= squares(sc.c.profile[int(k)*stride:(int(k)+1)*stride], sc.mean.at, sc.mean.curve)
			if ll+sc.all+room < 0 {
				continue
			}
		}
		row := int(k) * years
		logs, ties := logHead[row:row+years], flows[row:row+years]
		for i, m := range filed {
			h := &m.head
			if h.flow == h.flow {
				ll += h.tied(logs[m.slot], &ties[m.slot])
			} else {
				ll += h.log(logs[m.slot])
			}
			if ll+rest[i]+room < 0 {
				continue next
			}
		}
		room = sc.roomOf(k)
		for i, m := range filed {
			if m.bare {
				continue
			}
			at := row + m.slot
			ll += m.forms[pattern[at]].log(cell[at*stride : (at+1)*stride])
			if ll+sc.after[i]+room < 0 {
				continue next
			}
		}
		sc.count(ll, k)
	}
}
