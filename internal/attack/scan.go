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
}

// scan is the state of scoring one serial after the other.
type scan struct {
	*search
	lanes []lane
	order []reach
	heads []headTerm // of the years that a span filed
	rest  []float64  // the most that what follows each of them can add
	all   float64    // the most that everything can add
	after []float64  // and what follows the features of each year
	filed []*yearModel
	mean  form // of the mean rows of a span: see profiled
}

// reach is the largest log likelihood in a part of the candidates.
type reach struct {
	part  int
	bound float64
}

// unit scores the candidates of one serial for every adversary.
func (sc *scan) unit(u unit) []Unit {
	out := make([]Unit, len(sc.traits))
	for i := range out {
		out[i] = Unit{Serial: u.serial, Staff: u.staff()}
	}
	models := sc.prepare(u)
	if len(models) == 0 || !models[0].staff {
		return out // nothing released that an intruder could compare
	}
	if sc.lanes == nil {
		sc.lanes = make([]lane, len(sc.traits))
		for i, t := range sc.traits {
			sc.lanes[i] = lane{kind: t.kind, tally: tally{employer: sc.c.employer, max: sc.max, slack: sc.slack, pow: sc.pow}}
		}
	}
	for i, t := range sc.traits {
		l := &sc.lanes[i]
		l.reset(u.serial)
		l.kinds, l.most = t.of(u, sc.modeller, l.kinds)
	}
	if len(models) == 1 && sc.tables != nil {
		sc.year(&models[0], &sc.tables[models[0].slot])
	} else {
		sc.years(models)
	}
	for i := range sc.lanes {
		sc.lanes[i].sum(&out[i])
	}
	return out
}

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

// years scores candidates by several years, span by span in the order of the
// best that they can reach.
func (sc *scan) years(models []yearModel) {
	sc.order = sc.order[:0]
	for i := range sc.c.spans {
		b := 0.0
		for k := range models {
			if sc.c.spans[i].filed>>models[k].slot&1 == 1 {
				b += models[k].bound
			} else {
				b += models[k].absent
			}
		}
		sc.order = append(sc.order, reach{i, b})
	}
	slices.SortStableFunc(sc.order, func(a, b reach) int { return cmp.Compare(b.bound, a.bound) })
	for _, r := range sc.order {
		if r.bound+sc.room() < 0 {
			break
		}
		sc.span(&sc.c.spans[r.part], models, r.bound)
	}
}

// chunk is how many neighbours are scored between looks at the bound.
const chunk = 16

// nearby keeps a scan from ending before the equal counts, whatever rounding
// does.
const nearby = 1e-5

// span scores a run of candidates with the same years filed: outward from the
// released head count in the most telling of those years, on both sides, until
// even a perfect rest would not do. bound is the largest value that there can
// be.
func (sc *scan) span(sp *span, models []yearModel, bound float64) {
	base := 0.0
	sc.filed, sc.heads = sc.filed[:0], sc.heads[:0]
	for i := range models {
		switch m := &models[i]; {
		case sp.filed>>m.slot&1 == 0:
			base += m.absent
		case m.staff:
			sc.filed, sc.heads = append(sc.filed, m), append(sc.heads, m.head)
		default:
			base += m.filed
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
		heads += sc.heads[i].most()
	}
	sc.all = features + heads
	if n == 0 {
		for k := sp.lo; k < sp.hi; k++ {
			sc.count(base, k)
		}
		return
	}
	sc.profiled(sp)
	first := &sc.heads[0]
	list, logs := sp.byHead[first.slot], sp.heads[first.slot]
	besides := bound - first.most()
	up, _ := slices.BinarySearch(logs, float32(first.at-nearby))
	down := up
	for up < len(logs) || down > 0 {
		if up < len(logs) {
			if sc.beyond(first, logs[up], besides) {
				up = len(logs)
			}
			to := min(up+chunk, len(logs))
			sc.pairs(list[up:to], base)
			up = to
		}
		if down > 0 {
			if sc.beyond(first, logs[down-1], besides) {
				down = 0
			}
			to := max(down-chunk, 0)
			sc.pairs(list[to:down], base)
			down = to
		}
	}
	if first.blank+besides+sc.room() >= 0 {
		sc.pairs(sp.others[first.slot], base)
	}
}

// profiled prepares the comparison of mean rows. With the same years on both
// sides, d the differences and c their weights, Σ c·d² is at least (smallest
// c)·(Σ d)²/T: a candidate whose mean is far off need not be looked at year by
// year. Where a span filed in a year in which the serial has no staff there is
// no such bound.
func (sc *scan) profiled(sp *span) {
	f := &sc.mean
	f.base = 0
	if len(sc.filed) < 2 || len(sc.filed) != bits.OnesCount64(sp.filed) || sc.filed[0].bare {
		return
	}
	f.at, f.curve = append(f.at[:0], make([]float32, sc.c.stride)...), append(f.curve[:0], make([]float32, sc.c.stride)...)
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
// the head counts of all years, then everything else.
func (sc *scan) pairs(list []int32, base float64) {
	years, stride := len(sc.c.years), sc.c.stride
	logHead, flows, pattern, cell := sc.c.logHead, sc.c.flows, sc.c.pattern, sc.c.cell
	heads := sc.heads
	rest := sc.rest[:len(heads)]
	means := sc.mean.base > 0
next:
	for _, k := range list {
		ll, full := base, sc.roomOf(k)
		room := full
		if means && sc.c.even[k] {
			room -= squares(sc.c.profile[int(k)*stride:(int(k)+1)*stride], sc.mean.at, sc.mean.curve)
			if ll+sc.all+room < 0 {
				continue
			}
		}
		row := int(k) * years
		logs, ties := logHead[row:row+years], flows[row:row+years]
		for i := range heads {
			h := &heads[i]
			if h.flow == h.flow {
				ll += h.tied(logs[h.slot], &ties[h.slot])
			} else {
				ll += h.log(logs[h.slot])
			}
			if ll+rest[i]+room < 0 {
				continue next
			}
		}
		for i, m := range sc.filed {
			if m.bare {
				continue
			}
			at := row + m.slot
			ll += m.forms[pattern[at]].log(cell[at*stride : (at+1)*stride])
			if ll+sc.after[i]+full < 0 {
				continue next
			}
		}
		sc.count(ll, k)
	}
}
