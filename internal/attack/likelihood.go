package attack

import (
	"cmp"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
)

// term is minus half a squared distance on top of a constant, or, where the
// public file lacks the feature, the log density of the released value among
// all employers: who left a feature out neither gains nor loses by it.
type term struct {
	at, top, curve float64 // top - curve·(x - at)²
	blank          float64
}

func gauss(at, variance, weight float64, among ratio) term {
	all := among.variance + variance
	d := at - among.mean
	return term{
		at: at, curve: weight / (2 * variance), top: -weight * math.Log(2*math.Pi*variance) / 2,
		blank: -weight * (math.Log(2*math.Pi*all)/2 + float64(d*d)/(2*all)),
	}
}

// headTerm compares log head counts: a row where they agree exactly, where
// they do not (top - curve·(x - at)²) and where the row has none. Where entries
// and exits are known it depends on whether they predict the released count
// from that of the year before (see FlowLaw).
type headTerm struct {
	n          float32 // log head count, as candidates store it; NaN where none is equal
	slot       int32
	equal      float64
	top, curve float64
	at         float64
	blank      float64
	few        uint64 // bit of n: see headBox

	before, flow  float32 // released count of the year before and change since; NaN unknown
	agree, differ float64 // equal, and the flow says so too, or something else
	change        float64 // not equal, but the flow says so
	lost, missed  float64 // neither: on top of the quad where the two predictions agree, and where they do not
	reach         float64 // change counts within this distance only: beyond it, it is another employer
}

// tied is log for a row with entries and exits.
func (h *headTerm) tied(x float32, f *tie) float64 {
	if h.flow != h.flow || f.flow != f.flow || x != x {
		return h.log(x)
	}
	if x == h.n {
		if f.before == h.before {
			return h.agree
		}
		return h.differ
	}
	d := float64(x) - h.at
	if f.flow == h.flow && math.Abs(d) < h.reach {
		return h.change
	}
	if f.before == h.before {
		return h.lost - float64(h.curve*d*d)
	}
	return h.missed - float64(h.curve*d*d)
}

func (h *headTerm) log(x float32) float64 {
	if x == h.n {
		return h.equal
	}
	if x != x {
		return h.blank
	}
	d := float64(x) - h.at
	return h.top - float64(h.curve*d*d)
}

// most is the largest value of log.
func (h *headTerm) most() float64 {
	v := max(h.top, h.blank)
	if h.n == h.n {
		v = max(v, h.equal)
	}
	if h.flow == h.flow {
		v = max(v, h.agree, h.differ, h.change, h.lost, h.missed)
	}
	return v
}

// rise adds to every value.
func (h *headTerm) rise(by float64) {
	for _, v := range []*float64{&h.equal, &h.top, &h.blank, &h.agree, &h.differ, &h.change, &h.lost, &h.missed} {
		*v += by
	}
}

// quad takes curve·(x - at)² off, x being a column of a candidate's row.
type quad struct {
	col       int32
	at, curve float64
}

// form is the log likelihood of the features of a row beside the head count,
// for rows in which the same features are known: base minus the quads, which lie
// along the row; curve is 0 where there is none.
type form struct {
	base      float64
	at, curve []float32
}

func (f *form) log(row []float32) float64 { return f.base - squares(row, f.at, f.curve) }

// squares is Σ curve·(x - at)² over rows of a multiple of eight numbers. Four
// sums run beside each other: it is the inner loop of the attack.
func squares(x, at, curve []float32) float64 {
	var s0, s1, s2, s3 float32
	for len(x) >= 8 && len(at) >= 8 && len(curve) >= 8 {
		a, b, c := (*[8]float32)(x), (*[8]float32)(at), (*[8]float32)(curve)
		d0, d1, d2, d3 := a[0]-b[0], a[1]-b[1], a[2]-b[2], a[3]-b[3]
		s0 += float32(c[0] * d0 * d0)
		s1 += float32(c[1] * d1 * d1)
		s2 += float32(c[2] * d2 * d2)
		s3 += float32(c[3] * d3 * d3)
		d0, d1, d2, d3 = a[4]-b[4], a[5]-b[5], a[6]-b[6], a[7]-b[7]
		s0 += float32(c[4] * d0 * d0)
		s1 += float32(c[5] * d1 * d1)
		s2 += float32(c[6] * d2 * d2)
		s3 += float32(c[7] * d3 * d3)
		x, at, curve = x[8:], at[8:], curve[8:]
	}
	return float64(s0) + float64(s1) + float64(s2) + float64(s3)
}

// yearModel is one released year, prepared for comparison with candidates.
type yearModel struct {
	slot   int
	staff  bool
	heads  float64
	filed  float64 // log chance that an employer in this state filed an account
	absent float64 // log likelihood of a candidate without a row

	head     headTerm // of a row: filed included
	headMost float64  // its largest value
	bare     bool     // no feature beside the head count
	forms    []form   // by what is known of a row: candidates.patterns
	terms    []feature
	features float64 // largest value of any form
}

// modeller prepares released years for one adversary.
type modeller struct {
	c         *candidates
	p         *Public
	a         Adversary
	method    Method
	knowledge string
	slot      map[int32]int
	levelMap  []int8 // of the release's own level codes
	levelCode []int32
	poolWage  ratio // log wage per head in the release
	poolFTE   ratio
	filed     [5]float64 // chance of a row by state of the release; last: unknown
}

func newModeller(c *candidates, p *Public, a Adversary, r Release, knowledge string, units []unit) *modeller {
	m := &modeller{c: c, p: p, a: a, method: r.Method, knowledge: knowledge, slot: map[int32]int{}}
	for t, y := range c.years {
		m.slot[y] = t
	}
	level := r.Tables.Cells.Col(linked.Level)
	m.levelMap, m.levelCode = mapLevels(level.Dict, p)
	var wage, fte []float64
	for _, u := range units {
		for _, o := range u.years {
			if o.wageN > 0 && o.wage > 0 {
				wage = append(wage, math.Log(o.wage/o.wageN))
			}
			if o.fteN > 0 && o.fte > 0 {
				fte = append(fte, math.Log(o.fte/o.fteN))
			}
		}
	}
	m.poolWage, m.poolFTE = normalOf(wage), normalOf(fte)
	gap := max(0.005, p.Noise.Gap)
	m.filed = [5]float64{1 - gap, 0.3, 0.02, 0.01, 0.5}
	return m
}

// mapLevels carries the map of study levels over to the codes of the release.
func mapLevels(d *frame.Dict, p *Public) (study []int8, code []int32) {
	if d == nil || p.Levels == nil {
		return nil, nil
	}
	study, code = make([]int8, d.Len()), make([]int32, d.Len())
	for c, label := range d.Labels() {
		study[c], code[c] = -1, -1
		if k, ok := p.Levels.Code(label); ok {
			study[c], code[c] = p.LevelMap[k], k
		}
	}
	return study, code
}

// prepare builds the models of one serial, the most telling year first.
func (m *modeller) prepare(u unit) []yearModel {
	var models []yearModel
	years := 0.0
	for _, o := range u.years {
		if _, ok := m.slot[o.year]; ok && o.n > 0 {
			years++
		}
	}
	for _, o := range u.years {
		if slot, ok := m.slot[o.year]; ok {
			models = append(models, m.year(o, slot, years))
		}
	}
	// Years with a large staff come first: few employers are as large.
	slices.SortStableFunc(models, func(a, b yearModel) int { return cmp.Compare(b.heads, a.heads) })
	return models
}

func (m *modeller) year(o observed, slot int, years float64) yearModel {
	state := o.state
	if state < 0 || int(state) >= len(m.filed)-1 {
		state = int32(len(m.filed) - 1)
	}
	if o.n > 0 {
		state = 0
	}
	y := yearModel{slot: slot, staff: o.n > 0, heads: o.n, filed: math.Log(m.filed[state]), absent: math.Log(1 - m.filed[state])}
	if !y.staff {
		return y
	}
	y.head = m.heads(o)
	y.absent += y.head.blank
	y.head.slot = int32(slot)
	y.head.rise(y.filed)
	var terms []feature
	if m.a.Uses(ColumnFTE) && o.fte > 0 {
		terms = append(terms, m.amount(o.fte, o.fteVar, o.fteN, o, linked.FTE, m.p.Noise.FTE, m.poolFTE, m.c.fteRatio, 0.35, years, m.p.Noise.FTEPerHead).of(atLogFTE, knowsFTE))
	}
	if m.a.Uses(ColumnWageBill) && o.wage > 0 {
		terms = append(terms, m.amount(o.wage, o.wageVar, o.wageN, o, linked.Wage, m.p.Noise.WageBill, m.poolWage, m.c.wageRatio, 0.5, years, false).of(atLogWage, knowsWage))
	}
	if m.a.Uses(ColumnPartTime) && o.fteN > 0 {
		terms = append(terms, m.partTime(o, years))
	}
	if m.a.Uses(ColumnAge) && !math.IsNaN(o.age) && o.age > 0 {
		v := m.p.Noise.Age.variance(o.n) + o.ageVar/float64(o.age*o.age) + m.method.spread(linked.Age)/float64(o.n*o.age*o.age)
		terms = append(terms, gauss(math.Log(o.age)+m.p.Noise.Age.Bias, v, weight(m.p.Noise.Age.Persistence, years), m.c.ageRatio).of(atAge, knowsAge))
	}
	if m.levelMap != nil && m.c.k > 1 {
		for _, x := range []struct {
			column string
			build  func(observed, float64) (feature, bool)
		}{{ColumnEducation, m.education}, {ColumnEducationFTE, m.educationFTE}, {ColumnStatus, m.status}} {
			if !m.a.Uses(x.column) {
				continue
			}
			if f, ok := x.build(o, years); ok {
				terms = append(terms, f)
			}
		}
	}
	for _, f := range terms {
		y.absent += f.blank
	}
	y.terms = terms
	y.forms, y.features = formsOf(terms, m.c.patterns, m.c.stride)
	y.bare = len(terms) == 0
	y.headMost = y.head.most()
	return y
}

// feature is what is compared of one feature: top minus quads where the row
// has it, blank where not.
type feature struct {
	bit        uint8
	top, blank float64
	quads      []quad
}

func (t term) of(col int32, bit uint8) feature {
	return feature{bit, t.top, t.blank, []quad{{col, t.at, t.curve}}}
}

// formsOf sums features up, pattern by pattern of what is known of a row.
func formsOf(features []feature, patterns []uint8, stride int) ([]form, float64) {
	forms, most := make([]form, len(patterns)), math.Inf(-1)
	room := make([]float32, 2*stride*len(patterns))
	for i, p := range patterns {
		forms[i].at, forms[i].curve = room[:stride:stride], room[stride:2*stride:2*stride]
		room = room[2*stride:]
		for _, f := range features {
			if p&f.bit == 0 {
				forms[i].base += f.blank
				continue
			}
			forms[i].base += f.top
			for _, q := range f.quads {
				forms[i].at[q.col], forms[i].curve[q.col] = float32(q.at), float32(q.curve)
			}
		}
		most = max(most, forms[i].base)
	}
	return forms, most
}

// weight tempers years whose errors are alike: T equally correlated errors tell
// as much as T/(1+(T-1)·r) independent ones.
func weight(persistence, years float64) float64 {
	return 1 / (1 + max(0, years-1)*persistence)
}

// heads compares head counts: where they are exact, equal counts have a chance
// and others a density, which is one of a count and not of its logarithm.
func (m *modeller) heads(o observed) headTerm {
	share := m.method.share()
	n := o.n / share
	noise := m.p.Noise.Head
	v := noise.variance(n) + o.nVar/float64(o.n*o.n)
	if share < 1 {
		v += (1 - share) / o.n // binomial
	}
	nan := float32(math.NaN())
	h := headTerm{
		before: nan, flow: nan,
		n: float32(math.NaN()), equal: math.Inf(-1), at: math.Log(n) + noise.Bias, curve: 1 / (2 * v),
		top: -math.Log(2*math.Pi*v)/2 - math.Log(n), blank: math.Log(m.c.headMass(n)),
	}
	if o.exact {
		equal := m.p.Noise.HeadEqual[linked.SizeCode(int32(min(1e9, n)))]
		density := h.top
		h.top += math.Log(max(1e-6, 1-equal))
		if h.equal = math.Log(max(1e-6, equal)); h.equal > h.top {
			h.n, h.few = float32(math.Log(o.n)), fewBit(o.n)
		}
		if m.a.Uses(ColumnFlow) && !math.IsNaN(o.before) && h.n == h.n {
			law := m.p.Noise.Flow[linked.SizeCode(int32(min(1e9, n)))]
			h.before, h.flow = float32(o.before), float32(o.n-o.before)
			h.agree, h.differ, h.change = math.Log(law.Agree), math.Log(law.Head), math.Log(law.Change)
			h.lost, h.missed = density+math.Log(max(1e-6, 1-law.Agree)), density+math.Log(max(1e-6, 1-law.Head-law.Change))
			h.reach = 4 * math.Sqrt(v)
		}
	}
	return h
}

// amount compares a released sum with a public one. Where the tables cover
// everybody the sums themselves are compared; where they are a sample, or head
// counts are classes, the mean per head times the likeliest head count, with
// the variance of sampling. A swapped amount is drawn to the pool.
func (m *modeller) amount(sum, sumVar, covered float64, o observed, attribute string, noise ErrorModel, pool, among ratio, spread, years float64, perHead bool) term {
	share := m.method.share()
	total := o.n / share
	released := sum / covered * total // cells without a class are like the others
	v := noise.variance(total) + sumVar/float64(sum*sum)
	if share < 1 {
		v += float64(spread*spread) * (1 - share) / o.n
	}
	if !o.exact {
		v += o.nVar/float64(o.n*o.n) + (1-share)/o.n
	}
	if spread := m.method.spread(attribute); spread > 0 {
		mean := sum / covered
		v += spread / float64(mean*mean*covered)
	}
	at := math.Log(released)
	if s := m.method.touched(attribute, m.knowledge); s > 0 && s < 1 {
		// E[released mean] = (1-s)·own + s·pool: turned round for own.
		own := (sum/covered - float64(s*math.Exp(pool.mean))) / (1 - s)
		own = max(own, 0.2*sum/covered)
		v += float64(s*spread*spread) / (o.n * (1 - s) * (1 - s))
		at = math.Log(own * total)
	} else if s == 1 {
		v += pool.variance
	}
	w := weight(noise.Persistence, years)
	if attribute == linked.FTE && m.p.PartTime != nil && m.a.Uses(ColumnPartTime) {
		w *= overlap
	}
	if perHead {
		return gauss(at-math.Log(total)+noise.Bias, v, w, among)
	}
	return gauss(at+noise.Bias, v, w, ratio{among.mean + math.Log(total), among.variance})
}

// education prepares the comparison of staff by study level: every person was
// misreported or swapped with chance redrawn, and then carries a level drawn
// from the whole (METHODS 2.5, independent touching). The variance is taken at
// what the released counts themselves suggest, so that it is the same for all
// candidates and largest values are exact.
func (m *modeller) education(o observed, years float64) (f feature, ok bool) {
	k := m.c.k
	count, n := make([]float64, k), 0.0
	for level, v := range o.levels {
		if c := m.levelMap[level]; c >= 0 {
			count[c] += v
			n += v
		}
	}
	if n == 0 {
		return f, false
	}
	kept := (1 - min(0.999, m.p.Noise.Misreported)) * (1 - min(0.999, m.method.touched(linked.Level, m.knowledge)))
	redrawn := 1 - kept
	extra := o.nVar
	if share := m.method.share(); share < 1 {
		extra += n * (1 - share)
	}
	if m.method.CountFloor > 1 {
		extra += max(0, o.n-n) / 4 // who was folded into a row without a level
	}
	misreported := min(0.999, m.p.Noise.Misreported)
	slope := n * kept
	f.bit = knowsShares
	for c := range k {
		q := m.c.q[c]
		own := max(0, min(n, (count[c]-float64(redrawn*n*q))/kept))
		own = (n*own + 2*n*q) / (n + 2) // a small count says little of its own variance
		_, v := mixed(own, n, q, redrawn)
		v += extra * q
		// What is misreported stays from year to year, what is swapped or sampled
		// is drawn afresh; the counts add up to n.
		_, stays := mixed(own, n, q, misreported)
		w := weight(m.p.Noise.EducationPersistence*min(1, stays/v), years) * float64(k-1) / float64(k)
		want := count[c] - float64(redrawn*n*q)
		f.top -= w * math.Log(2*math.Pi*v) / 2
		// (want - slope·share)²·curve, written for the share.
		f.quads = append(f.quads, quad{int32(atShares + c), want / slope, w / (2 * v) * float64(slope*slope)})
		all := v + 0.5*float64(n*n)*q*(1-q)
		d := want - float64(slope*q)
		f.blank -= w * (math.Log(2*math.Pi*all)/2 + float64(d*d)/(2*all))
	}
	return f, true
}

// overlap is the weight of a feature that says much of what another has said:
// FTE beside the part-timers, status beside study levels. It was chosen on
// generated populations, where 0.1 to 0.5 name about as many.
const overlap = 0.3

// partTime prepares the comparison of the share of part-timers.
func (m *modeller) partTime(o observed, years float64) feature {
	noise := m.p.Noise.PartTime
	share := o.part / o.fteN
	v := noise.variance(o.n) + o.partVar/float64(o.fteN*o.fteN) + 1/float64(12*o.n*o.n)
	if r := m.method.share(); r < 1 {
		v += share * (1 - share) * (1 - r) / o.n
	}
	if s := m.method.touched(linked.FTE, m.knowledge); s > 0 {
		v += s * m.c.part.variance / max(0.01, 1-s)
	}
	return gauss(share+noise.Bias, v, weight(noise.Persistence, years), m.c.part).of(atPart, knowsPart)
}

// educationFTE compares FTE by study level beyond the mean of all staff. Under a
// swap of levels its expectation is (1-s) times what it was: FTE stays with the
// employer, and whoever carries a level from elsewhere has the employer's mean.
func (m *modeller) educationFTE(o observed, years float64) (f feature, ok bool) {
	k := m.c.k
	if len(m.c.excess) == 0 || o.fteN == 0 {
		return f, false
	}
	count, fte, n, all := make([]float64, k), make([]float64, k), 0.0, 0.0
	for level, v := range o.levels {
		if c := m.levelMap[level]; c >= 0 {
			count[c] += v
			fte[c] += o.levelFTE[level]
			n, all = n+v, all+o.levelFTE[level]
		}
	}
	if n == 0 || o.fteN < 0.99*n {
		return f, false // cells without a class would pass for few hours
	}
	kept := m.kept()
	noise := m.p.Noise.EducationFTE
	w := weight(noise.Persistence, years) * float64(k-1) / float64(k)
	f.bit = knowsExcess
	for c := range k {
		share := (count[c] + 0.5) / (n + 1)
		v := noise.variance(o.n) + o.fteVar/float64(n*n)*share + hours*share*(1-float64(kept*kept))/n
		want := (fte[c] - all/n*count[c]) / n
		if r := m.method.share(); r < 1 {
			v += hours * share * (1 - r) / o.n
		}
		f.add(int32(atShares+k+c), want, kept, v, w, m.c.excess[c])
	}
	return f, true
}

// hours is the variance of FTE between people.
const hours = 0.06

// status compares managers and employees beyond what study levels tell.
func (m *modeller) status(o observed, years float64) (f feature, ok bool) {
	if !m.p.status.known() {
		return f, false
	}
	kept, n := m.kept(), 0.0
	var want, binomial [2]float64
	for level, v := range o.levels {
		c, code := m.levelMap[level], m.levelCode[level]
		if c < 0 || code < 0 {
			continue
		}
		n += v
		for s := range 2 {
			p := m.p.status.level[s][code]
			want[s] += v * (p - m.p.status.study[s][c])
			binomial[s] += v * p * (1 - p)
		}
	}
	if n == 0 {
		return f, false
	}
	noise := m.p.Noise.Status
	f.bit = knowsStatus
	for s := range 2 {
		v := max(noise.variance(o.n), binomial[s]/float64(n*n)) + (1-float64(kept*kept))*m.c.rest[s].variance/n
		f.add(int32(atStatus+s), want[s]/n, kept, v, weight(noise.Persistence, years)*overlap, ratio{0, m.c.rest[s].variance})
	}
	return f, true
}

// kept is the share of the staff who carry a level of their own.
func (m *modeller) kept() float64 { return 1 - min(0.999, m.method.touched(linked.Level, m.knowledge)) }

// add compares want, normal around kept·x with variance v, with column col.
func (f *feature) add(col int32, want, kept, v, w float64, among ratio) {
	f.top -= w * math.Log(2*math.Pi*v) / 2
	f.quads = append(f.quads, quad{col, want / kept, w / (2 * v) * float64(kept*kept)})
	all := v + float64(kept*kept)*among.variance
	d := want - kept*among.mean
	f.blank -= w * (math.Log(2*math.Pi*all)/2 + float64(d*d)/(2*all))
}

// Knowledge lists the states of knowledge of the method, from less to more.
var Knowledge = []string{metric.KnowsNothing, metric.KnowsMethod, metric.KnowsParameters}
