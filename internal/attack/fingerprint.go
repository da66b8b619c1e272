package attack

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// Options says how an intruder goes to work. The zero value knows method and
// parameters and meets the public file as it is.
type Options struct {
	// NoiseScale multiplies the errors of the public file and the intruder's
	// belief about them: 0.5 asks what if accounts were twice as good. 0 means
	// 1. A file made by hand has no exact values to be scaled around; then only
	// the belief changes.
	NoiseScale float64
	// Exact asks for a public file without errors: a noise scale of zero.
	Exact bool
	// Knowledge of the method: one of the constants of package metric; empty
	// means method and parameters.
	Knowledge string
	// MaxCandidates is how many candidates of a serial are kept for the
	// one-to-one claims and the top five; 0 means 64. Posterior mass and
	// anonymity set always count all of them.
	MaxCandidates int
	// Years restricts the attack to some years; empty means all.
	Years []int32
}

// Validate names the field that is out of range.
func (o Options) Validate() error {
	if !(o.NoiseScale >= 0 && o.NoiseScale <= 10) {
		return fmt.Errorf("attack: noise scale is %v, want a factor in (0, 10], or 0 for 1", o.NoiseScale)
	}
	if o.MaxCandidates < 0 {
		return fmt.Errorf("attack: max candidates is %d, want a positive number, or 0 for 64", o.MaxCandidates)
	}
	if o.Knowledge != "" && !slices.Contains(Knowledge, o.Knowledge) {
		return fmt.Errorf("attack: knowledge is %q, want one of %q", o.Knowledge, Knowledge)
	}
	return nil
}

func (o Options) filled() Options {
	if o.NoiseScale == 0 {
		o.NoiseScale = 1
	}
	if o.Exact {
		o.NoiseScale = 0
	}
	if o.Knowledge == "" {
		o.Knowledge = metric.KnowsParameters
	}
	if o.MaxCandidates == 0 {
		o.MaxCandidates = 64
	}
	return o
}

// Candidate is an employer that a serial may be.
type Candidate struct {
	Employer      int32
	LogLikelihood float64
	Posterior     float64 // among all employers of the file, each serial by itself
}

// Unit is one serial (with a fresh serial per year: one serial-year) and the
// employers it may be.
type Unit struct {
	Serial int32
	Year   int32   // 0 where the serial stands for all years
	Staff  float64 // mean released head count over the years with staff
	// Candidates are the best ones, best first. Equally likely ones stand in an
	// order drawn from serial and employer, which says nothing.
	Candidates   []Candidate
	Ties         int     // candidates as likely as the best
	Kept         int     // candidates within the slack
	AnonymitySet float64 // 2^entropy of the posterior over all candidates
	elsewhere    float64 // likelihood of kept candidates beyond Candidates, relative to the best
}

// Fingerprints is what an intruder found out about every serial of a release.
type Fingerprints struct {
	Adversary  Adversary
	Knowledge  string
	NoiseScale float64
	M          int // employers of the public file
	Units      []Unit
	Notes      []string
	perYear    bool
}

// lostMass bounds the posterior mass of the pairs that are given up early.
const lostMass = 1e-6

// Fingerprint matches every serial of a release to the employers of a public
// file. The likelihood of a pair is the product over years and over the
// features that the adversary knows (METHODS 2.5):
//
//   - head count: equal with a chance that depends on size, else log-normal;
//     where it is a sum of classes or a sample of workers, log-normal with the
//     variance that this adds;
//   - FTE and wage bill: the released sum at class midpoints, uniform inside
//     each class, against a log-normal public amount;
//   - staff by study level, blurred by misreporting and, for an intruder who
//     knows of it, by the swap;
//   - the years with an account, and the firm columns.
//
// Years whose errors persist count for less. What an employer left out of its
// accounts is replaced by the law of all employers.
//
// All employers of the file are candidates, released or not. A pair is given up
// as soon as even a perfect rest would leave it so far behind the best that all
// such pairs together have posterior mass below 1e-6. A gross change, such as a
// takeover or a merger of small units, makes the true pair unlikely: the
// intruder has no model for it.
func Fingerprint(ctx context.Context, r Release, p *Public, a Adversary, o Options) (*Fingerprints, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if p == nil || len(p.Employer) == 0 {
		return nil, fmt.Errorf("attack: the public file is empty; give accounts or derive it from the original")
	}
	o = o.filled()
	units, err := observe(r, o.Years)
	if err != nil {
		return nil, err
	}
	file := p.atNoise(o.NoiseScale)
	if file == p && o.NoiseScale != 1 {
		q := *p
		q.Noise = p.Noise.scaled(o.NoiseScale)
		file = &q
	}
	c, err := newCandidates(file)
	if err != nil {
		return nil, err
	}
	s := &search{
		modeller: newModeller(c, file, a, r, o.Knowledge, units), max: o.MaxCandidates,
		slack: math.Log(float64(len(c.employer)) / lostMass), compares: a.FTE || a.WageBill || a.Age || a.Education,
	}
	s.traits = newTraits(file, a, r.Tables.Employers, c, units)
	f := &Fingerprints{Adversary: a, Knowledge: o.Knowledge, NoiseScale: o.NoiseScale, M: p.Employers, Notes: p.Notes, perYear: r.SerialPerYear, Units: make([]Unit, len(units))}
	err = par.Chunks(ctx, len(units), 64, func(_, lo, hi int) error {
		var found []scored
		for i := lo; i < hi; i++ {
			f.Units[i], found = s.unit(units[i], found[:0])
			if f.perYear && len(units[i].years) > 0 {
				f.Units[i].Year = units[i].years[0].year
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (m NoiseModel) scaled(by float64) NoiseModel {
	for _, e := range []*ErrorModel{&m.Head, &m.HeadAverage, &m.FTE, &m.WageBill, &m.Age} {
		e.Base, e.Root = max(leastBase, e.Base*by), max(leastRoot, e.Root*by)
	}
	m.Misreported = min(1, m.Misreported*by)
	return m
}

// traits compares firm columns, which are constant within an employer.
type traits struct {
	names []string
	codes [][]int32              // [trait][candidate] code of what the intruder thinks
	table []map[string][]float64 // [trait] released label -> log chance by code
	label [][]string             // [trait][unit] released label, by row of the employers
}

// newTraits prepares the firm columns that are released and that the adversary
// knows.
func newTraits(p *Public, a Adversary, emp *frame.Frame, c *candidates, units []unit) *traits {
	t := &traits{}
	exact := len(units) > 0
	for _, u := range units {
		for _, o := range u.years {
			exact = exact && (o.exact || o.n == 0)
		}
	}
	for _, tr := range p.Traits {
		col, released := emp.Lookup(tr.Name)
		// An exact head count says all that a class of it says.
		if !released || !slices.Contains(a.Traits, tr.Name) || tr.Name == linked.SizeClass && exact {
			continue
		}
		codeOf, labels := map[string]int32{}, []string{}
		codes := make([]int32, len(c.employer))
		for k, e := range c.employer {
			l := tr.Label[e]
			code, ok := codeOf[l]
			if !ok {
				code = int32(len(labels))
				codeOf[l] = code
				labels = append(labels, l)
			}
			codes[k] = code
		}
		table := map[string][]float64{}
		for i := range emp.Rows() {
			got := labelOf(col, i)
			if table[got] != nil {
				continue
			}
			chance := make([]float64, len(labels))
			for code, l := range labels {
				chance[code] = math.Log(tr.Truth[[2]string{l, got}] + tr.Floor)
			}
			table[got] = chance
		}
		shown := make([]string, emp.Rows())
		for i := range shown {
			shown[i] = labelOf(col, i)
		}
		t.names, t.codes, t.table, t.label = append(t.names, tr.Name), append(t.codes, codes), append(t.table, table), append(t.label, shown)
	}
	return t
}

// of returns for every trait the log chances of a serial's released label, from
// the first year in which it has one, and the sum of the largest.
func (t *traits) of(u unit) (chance [][]float64, bound float64) {
	for k := range t.names {
		label := ""
		for _, o := range u.years { // never empty: see observe
			if label = t.label[k][o.row]; label != "" {
				break
			}
		}
		v := t.table[k][label]
		chance = append(chance, v)
		bound += slices.Max(v)
	}
	return chance, bound
}

type search struct {
	*modeller
	compares bool // features beside head counts
	traits   *traits
	max      int
	slack    float64
}

type scored struct {
	ll   float64
	cand int32
}

// scan is the state of scoring one serial.
type scan struct {
	*search
	chance [][]float64 // of traits
	found  []scored
	best   float64
}

// unit scores the candidates of one serial. found is scratch space.
func (s *search) unit(u unit, found []scored) (Unit, []scored) {
	out := Unit{Serial: u.serial, Staff: u.staff()}
	models := s.prepare(u)
	if len(models) == 0 || !models[0].staff {
		return out, found // nothing released that an intruder could compare
	}
	chance, traitBound := s.traits.of(u)
	// Spans of candidates in the order of the best that they can reach.
	type reach struct {
		span  int
		bound float64
	}
	order := make([]reach, len(s.c.spans))
	for i := range s.c.spans {
		order[i] = reach{i, traitBound}
		for k := range models {
			if s.c.spans[i].filed>>models[k].slot&1 == 1 {
				order[i].bound += models[k].bound
			} else {
				order[i].bound += models[k].absent
			}
		}
	}
	slices.SortStableFunc(order, func(a, b reach) int { return cmp.Compare(b.bound, a.bound) })
	sc := scan{search: s, chance: chance, found: found, best: math.Inf(-1)}
	for _, r := range order {
		if r.bound < sc.best-s.slack {
			break
		}
		sc.span(&s.c.spans[r.span], models, r.bound)
	}
	s.sum(&out, sc.found, sc.best)
	return out, sc.found
}

// span scores a run of candidates with the same years filed: outward from the
// released head count in the most telling of those years, on both sides, until
// even a perfect rest would not do. bound is the largest value that there can
// be.
func (sc *scan) span(sp *span, models []yearModel, bound float64) {
	base := 0.0
	var filed []*yearModel
	for i := range models {
		if sp.filed>>models[i].slot&1 == 1 {
			filed = append(filed, &models[i])
		} else {
			base += models[i].absent
		}
	}
	// The most that the years after each can add: by head counts with all
	// features, and by features alone.
	heads, features := make([]float64, len(filed)), make([]float64, len(filed)+1)
	for i := len(filed) - 1; i >= 0; i-- {
		features[i] = features[i+1] + filed[i].features
	}
	for i := len(filed) - 2; i >= 0; i-- {
		heads[i] = heads[i+1] + filed[i+1].bound - filed[i+1].features
	}
	for i := range heads {
		heads[i] += features[0]
	}
	if len(filed) == 0 || !filed[0].staff {
		for k := sp.lo; k < sp.hi; k++ {
			sc.try(k, base, filed, heads, features)
		}
		return
	}
	first := filed[0]
	list, logs := sp.byHead[first.slot], sp.heads[first.slot]
	// The scan must not end before the equal counts, whatever rounding does.
	const near = 1e-5
	besides := bound - first.bound + first.filed + first.features
	up, _ := slices.BinarySearch(logs, float32(first.head.at-near))
	down := up - 1
	away := func(i int) float64 {
		if i < 0 || i >= len(list) {
			return math.Inf(1)
		}
		return math.Abs(float64(logs[i]) - first.head.at)
	}
	du, dd := away(up), away(down)
	for {
		d := min(du, dd)
		if math.IsInf(d, 1) || d > near && first.head.top-float64(first.head.curve*d*d)+besides < sc.best-sc.slack {
			break
		}
		if du <= dd {
			sc.try(list[up], base, filed, heads, features)
			up++
			du = away(up)
		} else {
			sc.try(list[down], base, filed, heads, features)
			down--
			dd = away(down)
		}
	}
	if first.head.blank+besides >= sc.best-sc.slack {
		for _, k := range sp.others[first.slot] {
			sc.try(k, base, filed, heads, features)
		}
	}
}

// try scores one candidate, or gives it up: first the head counts of all years,
// then everything else. heads and features bound what is still to come.
func (sc *scan) try(k int32, ll float64, filed []*yearModel, heads, features []float64) {
	for i := range sc.chance {
		ll += sc.chance[i][sc.traits.codes[i][k]]
	}
	limit := sc.best - sc.slack
	years := len(sc.c.years)
	logs := sc.c.logHead[int(k)*years : (int(k)+1)*years]
	for i, m := range filed {
		ll += m.headLog(logs[m.slot])
		if ll+heads[i] < limit {
			return
		}
	}
	if sc.compares {
		for i, m := range filed {
			if !m.staff {
				continue
			}
			at := (int(k)*years + m.slot) * sc.c.stride
			ll += m.featureLog(sc.c.cell[at : at+sc.c.stride])
			if ll+features[i+1] < limit {
				return
			}
		}
	}
	sc.best = max(sc.best, ll)
	sc.found = append(sc.found, scored{ll, k})
}

// sum turns the scores of a serial into posterior, anonymity set and the list
// of best candidates.
func (s *search) sum(out *Unit, found []scored, best float64) {
	var mass, moment, listed float64
	list := make([]ranked, 0, min(2*s.max, len(found)))
	cut := func() {
		slices.SortFunc(list, byRank)
		list = list[:min(len(list), s.max)]
	}
	worst := ranked{ll: math.Inf(-1)}
	for _, f := range found {
		d := f.ll - best
		if d < -s.slack {
			continue
		}
		e := math.Exp(d)
		mass += e
		moment += float64(e * d)
		out.Kept++
		if d == 0 {
			out.Ties++
		}
		employer := s.c.employer[f.cand]
		r := ranked{f.ll, rng.Mix(uint64(uint32(out.Serial)), uint64(uint32(employer))), employer}
		if byRank(r, worst) >= 0 {
			continue
		}
		if list = append(list, r); len(list) >= 2*s.max {
			cut()
			worst = list[len(list)-1]
		}
	}
	cut()
	out.Candidates = make([]Candidate, len(list))
	for i, r := range list {
		e := math.Exp(r.ll - best)
		listed += e
		out.Candidates[i] = Candidate{r.employer, r.ll, e / mass}
	}
	out.elsewhere = max(0, mass-listed)
	if out.elsewhere < 1e-12 || out.Kept == len(list) {
		out.elsewhere = 0
	}
	out.AnonymitySet = math.Exp(math.Log(mass) - moment/mass)
}

type ranked struct {
	ll       float64
	hash     uint64
	employer int32
}

func byRank(a, b ranked) int {
	if c := cmp.Compare(b.ll, a.ll); c != 0 {
		return c
	}
	return cmp.Compare(a.hash, b.hash)
}
