package attack

import (
	"cmp"
	"math"
	"slices"
)

// search holds what is the same for all serials.
type search struct {
	*modeller
	traits *traits
	tables []yearTable // by year slot; nil where every serial has several years
	max    int
	slack  float64
	pow    *powers
}

func newSearch(m *modeller, t *traits, units []unit, most int) *search {
	s := &search{modeller: m, traits: t, max: most, slack: math.Log(float64(len(m.c.employer)) / lostMass), pow: newPowers()}
	for _, u := range units {
		if len(u.years) == 1 && s.tables == nil {
			s.tables = newYearTables(m.c, t)
		}
	}
	return s
}

// scan is the state of scoring one serial after the other.
type scan struct {
	*search
	tally
	kinds []float64 // log chance of the traits, by combination
	most  float64   // the largest
	order []reach
	heads []headTerm // of the years that a span filed
	rest  []float64  // the most that what follows each of them can add
	after []float64  // and what follows the features of each year
	filed []*yearModel
}

// reach is the largest log likelihood in a part of the candidates.
type reach struct {
	part  int
	bound float64
}

// unit scores the candidates of one serial.
func (sc *scan) unit(u unit) Unit {
	out := Unit{Serial: u.serial, Staff: u.staff()}
	models := sc.prepare(u)
	if len(models) == 0 || !models[0].staff {
		return out // nothing released that an intruder could compare
	}
	if sc.employer == nil {
		sc.tally = tally{employer: sc.c.employer, max: sc.search.max, slack: sc.search.slack, pow: sc.search.pow}
	}
	sc.reset(u.serial)
	sc.kinds, sc.most = sc.traits.of(u, sc.kinds)
	if len(models) == 1 && sc.tables != nil {
		sc.year(&models[0], &sc.tables[models[0].slot])
	} else {
		sc.years(models)
	}
	sc.sum(&out)
	return out
}

// years scores candidates by several years, span by span in the order of the
// best that they can reach.
func (sc *scan) years(models []yearModel) {
	sc.order = sc.order[:0]
	for i := range sc.c.spans {
		b := sc.most
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
		if r.bound < sc.limit {
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
	if n == 0 {
		for k := sp.lo; k < sp.hi; k++ {
			if ll := base + sc.kinds[sc.traits.kind[k]]; ll >= sc.limit {
				sc.add(ll, k)
			}
		}
		return
	}
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
	if first.blank+besides >= sc.limit {
		sc.pairs(sp.others[first.slot], base)
	}
}

// beyond reports whether a head count is too far away for anybody with it, or
// further away, to count. An equal count that is still to come always counts.
func (sc *scan) beyond(h *headTerm, x float32, besides float64) bool {
	d := float64(x) - h.at
	if math.Abs(d) <= nearby || h.top-float64(h.curve*d*d)+besides >= sc.limit {
		return false
	}
	equal := float64(h.n) - h.at // NaN where none is equal
	return !(float64(equal*d) > 0 && math.Abs(equal) >= math.Abs(d))
}

// pairs scores candidates one by one and gives each up as soon as it can: first
// the head counts of all years, then everything else.
func (sc *scan) pairs(list []int32, base float64) {
	years, stride := len(sc.c.years), sc.c.stride
	kind, logHead, pattern, cell := sc.traits.kind, sc.c.logHead, sc.c.pattern, sc.c.cell
	heads := sc.heads
	rest := sc.rest[:len(heads)]
next:
	for _, k := range list {
		ll := base + sc.kinds[kind[k]]
		row := int(k) * years
		logs := logHead[row : row+years]
		for i := range heads {
			h := &heads[i]
			ll += h.log(logs[h.slot])
			if ll+rest[i] < sc.limit {
				continue next
			}
		}
		for i, m := range sc.filed {
			at := row + m.slot
			f := &m.forms[pattern[at]]
			if len(f.quads) == 0 {
				ll += f.base
			} else {
				ll = f.log(ll+f.base, cell[at*stride:(at+1)*stride])
			}
			if ll+sc.after[i] < sc.limit {
				continue next
			}
		}
		sc.add(ll, k)
	}
}
