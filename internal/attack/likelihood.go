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
	used           bool
	at, top, curve float64 // top - curve·(x - at)²
	blank          float64
}

func gauss(at, variance, weight float64, among ratio) term {
	all := among.variance + variance
	d := at - among.mean
	return term{
		used: true, at: at, curve: weight / (2 * variance), top: -weight * math.Log(2*math.Pi*variance) / 2,
		blank: -weight * (math.Log(2*math.Pi*all)/2 + float64(d*d)/(2*all)),
	}
}

func (t *term) value(x float32) float64 {
	if x != x {
		return t.blank
	}
	d := float64(x) - t.at
	return t.top - float64(t.curve*d*d)
}

func (t *term) bound() float64 {
	if !t.used {
		return 0
	}
	return max(t.top, t.blank)
}

// yearModel is one released year, prepared for comparison with candidates.
type yearModel struct {
	slot  int
	staff bool
	heads float64
	// Heads: equal counts have chance equal, others a log-normal density.
	n      float32 // log head count, as candidates store it; NaN where none is equal
	head   term
	equal  float64 // log chance of an equal count, -Inf where counts are not exact
	filed  float64 // log chance that an employer in this state filed an account
	absent float64 // log likelihood of a candidate without a row
	fte    term
	wage   term
	age    term
	// Study levels: Σ (want - slope·share)²·curve, per level.
	levels     bool
	want       []float64
	curve      []float64
	slope      float64
	levelTop   float64
	levelBlank float64

	bound    float64 // largest value of a row
	features float64 // largest value of featureLog
}

// headLog returns the log likelihood of a candidate's log head count in this
// year, NaN where the row lacks one, and of the row's existence.
func (m *yearModel) headLog(x float32) float64 {
	switch {
	case !m.staff:
		return m.filed
	case x == m.n && m.equal > m.head.top:
		return m.filed + m.equal
	}
	return m.filed + m.head.value(x)
}

// featureLog returns the log likelihood of all other features of a row.
func (m *yearModel) featureLog(row []float32) float64 {
	ll := 0.0
	if m.fte.used {
		ll += m.fte.value(row[atLogFTE])
	}
	if m.wage.used {
		ll += m.wage.value(row[atLogWage])
	}
	if m.age.used {
		ll += m.age.value(row[atAge])
	}
	if m.levels {
		if shares := row[atShares:]; shares[0] != shares[0] {
			ll += m.levelBlank
		} else {
			ll += m.levelTop
			for k, want := range m.want {
				d := want - float64(m.slope*float64(shares[k]))
				ll -= float64(m.curve[k] * d * d)
			}
		}
	}
	return ll
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
	poolWage  ratio  // log wage per head in the release
	poolFTE   ratio
	filed     [5]float64 // chance of a row by state of the release; last: unknown
}

func newModeller(c *candidates, p *Public, a Adversary, r Release, knowledge string, units []unit) *modeller {
	m := &modeller{c: c, p: p, a: a, method: r.Method, knowledge: knowledge, slot: map[int32]int{}}
	for t, y := range c.years {
		m.slot[y] = t
	}
	level := r.Tables.Cells.Col(linked.Level)
	m.levelMap = mapLevels(level.Dict, p)
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
func mapLevels(d *frame.Dict, p *Public) []int8 {
	if d == nil || p.Levels == nil {
		return nil
	}
	out := make([]int8, d.Len())
	for c, label := range d.Labels() {
		out[c] = -1
		if k, ok := p.Levels.Code(label); ok {
			out[c] = p.LevelMap[k]
		}
	}
	return out
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
	y := yearModel{slot: slot, staff: o.n > 0, heads: o.n, filed: math.Log(m.filed[state]), absent: math.Log(1 - m.filed[state]), equal: math.Inf(-1)}
	if !y.staff {
		y.bound = y.filed
		return y
	}
	m.heads(&y, o)
	if m.a.FTE && o.fte > 0 {
		y.fte = m.amount(o.fte, o.fteVar, o.fteN, o, linked.FTE, m.p.Noise.FTE, m.poolFTE, m.c.fteRatio, 0.35, years)
	}
	if m.a.WageBill && o.wage > 0 {
		y.wage = m.amount(o.wage, o.wageVar, o.wageN, o, linked.Wage, m.p.Noise.WageBill, m.poolWage, m.c.wageRatio, 0.5, years)
	}
	if m.a.Age && !math.IsNaN(o.age) && o.age > 0 {
		v := m.p.Noise.Age.variance(o.n) + o.ageVar/float64(o.age*o.age)
		y.age = gauss(math.Log(o.age)+m.p.Noise.Age.Bias, v, weight(m.p.Noise.Age.Persistence, years), m.c.ageRatio)
	}
	if m.a.Education && m.levelMap != nil && m.c.k > 1 {
		m.education(&y, o, years)
	}
	blank := y.head.blank + y.levelBlank
	if y.levels {
		y.features += max(y.levelTop, y.levelBlank)
	}
	for _, t := range []*term{&y.fte, &y.wage, &y.age} {
		if t.used {
			blank += t.blank
			y.features += t.bound()
		}
	}
	y.absent += blank
	y.bound = y.filed + max(y.head.top, y.head.blank, y.equal) + y.features
	return y
}

// weight tempers years whose errors are alike: T equally correlated errors tell
// as much as T/(1+(T-1)·r) independent ones.
func weight(persistence, years float64) float64 {
	return 1 / (1 + max(0, years-1)*persistence)
}

func (m *modeller) heads(y *yearModel, o observed) {
	share := m.method.share()
	n := o.n / share
	noise := m.p.Noise.Head
	v := noise.variance(n) + o.nVar/float64(o.n*o.n)
	if share < 1 {
		v += (1 - share) / o.n // binomial
	}
	mass := m.c.headMass(n)
	if o.exact {
		y.n = float32(math.Log(o.n))
		equal := m.p.Noise.HeadEqual[linked.SizeCode(int32(min(1e9, n)))]
		y.head = gauss(math.Log(n), v, 1, ratio{math.Log(n), 0})
		shift := math.Log(max(1e-6, 1-equal)) - math.Log(n) // density of a count, not of its logarithm
		y.head.top += shift
		y.equal = math.Log(max(1e-6, equal))
	} else {
		y.n = float32(math.NaN())
		y.head = gauss(math.Log(n), v, 1, ratio{math.Log(n), 0})
		y.head.top -= math.Log(n)
	}
	y.head.used, y.head.blank = true, math.Log(mass)
}

// amount compares a released sum with a public one. Where the tables cover
// everybody the sums themselves are compared; where they are a sample, or head
// counts are classes, the mean per head times the likeliest head count, with
// the variance of sampling. A swapped amount is drawn to the pool.
func (m *modeller) amount(sum, sumVar, covered float64, o observed, attribute string, noise ErrorModel, pool, among ratio, spread, years float64) term {
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
	return gauss(at+noise.Bias, v, w, ratio{among.mean + math.Log(total), among.variance})
}

// education prepares the comparison of staff by study level: every person was
// misreported or swapped with chance redrawn, and then carries a level drawn
// from the whole (METHODS 2.5, independent touching). The variance is taken at
// what the released counts themselves suggest, so that it is the same for all
// candidates and largest values are exact.
func (m *modeller) education(y *yearModel, o observed, years float64) {
	k := m.c.k
	count, n := make([]float64, k), 0.0
	for level, v := range o.levels {
		if c := m.levelMap[level]; c >= 0 {
			count[c] += v
			n += v
		}
	}
	if n == 0 {
		return
	}
	kept := (1 - min(0.999, m.p.Noise.Misreported)) * (1 - min(0.999, m.method.touched(linked.Level, m.knowledge)))
	redrawn := 1 - kept
	extra := o.nVar
	if share := m.method.share(); share < 1 {
		extra += n * (1 - share)
	}
	w := weight(m.p.Noise.EducationPersistence, years) * float64(k-1) / float64(k) // the counts add up to n
	y.levels, y.slope = true, n*kept
	for c := range k {
		q := m.c.q[c]
		own := max(0, min(n, (count[c]-float64(redrawn*n*q))/kept))
		own = (n*own + 2*n*q) / (n + 2) // a small count says little of its own variance
		_, v := mixed(own, n, q, redrawn)
		v += extra * q
		want := count[c] - float64(redrawn*n*q)
		y.want = append(y.want, want)
		y.curve = append(y.curve, w/(2*v))
		y.levelTop -= w * math.Log(2*math.Pi*v) / 2
		all := v + 0.5*float64(n*n)*q*(1-q)
		d := want - float64(y.slope*q)
		y.levelBlank -= w * (math.Log(2*math.Pi*all)/2 + float64(d*d)/(2*all))
	}
}

// Knowledge lists the states of knowledge of the method, from less to more.
var Knowledge = []string{metric.KnowsNothing, metric.KnowsMethod, metric.KnowsParameters}
