package attack

import (
	"fmt"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

// Target is what an intruder knows of a person whose wage he wants. Codes are
// those of the released columns; -1 or frame.NoInt where he does not know.
type Target struct {
	Employer, Year, Level, Field, Age int32
	Sector                            int32 // of the employer, a code of the data's sector column
}

// WorkerClaim says in which class a person earns and works.
type WorkerClaim struct {
	Target     int     // index of the target
	Serial     int32   // of the employer; -1 where it was not found
	Found      bool    // there is a released cell of the person's level and field
	WageClass  int32   // code of the released wage_class; -1 without a guess
	FTEClass   int32   // code of the released fte_class; -1 without a cell
	Confidence float64 // posterior of the wage class, in [0, 1]
	CellSize   float64 // workers in the cell, 0 without a cell
	Baseline   int32   // the class that the same intruder guesses without the release
}

// SwapPosterior is what an intruder who knows the swap believes of a person's
// attribute after seeing a value where that person is listed (METHODS 1.2). s is
// the share of workers touched, prior his belief p without the release, pool
// the shares q of the values among which partners are drawn:
//
//	P(a | observed a) = p_a((1-s) + s·q_a) / D
//	P(b | observed a) = p_b·s·q_a / D,  D = (1-s)·p_a + s·q_a
//
// With prior = pool this is (1-s) + s·q_a and s·q_b, the case of an intruder who
// knows nothing of the person. It is exact in an infinite stratum and for
// partners drawn without regard to their value. Where the observed value is
// impossible (D = 0) the prior comes back.
func SwapPosterior(s float64, prior, pool []float64, observed int) ([]float64, error) {
	if !(s >= 0 && s <= 1) {
		return nil, fmt.Errorf("attack: swap rate is %v, want a share in [0, 1]", s)
	}
	if len(prior) != len(pool) || observed < 0 || observed >= len(pool) {
		return nil, fmt.Errorf("attack: observed value %d of %d prior and %d pool shares", observed, len(prior), len(pool))
	}
	out := make([]float64, len(prior))
	if s == 0 && prior[observed] == 0 {
		out[observed] = 1 // who sees the truth need not have expected it
		return out, nil
	}
	total := 0.0
	for b, p := range prior {
		out[b] = p * s * pool[observed]
		if b == observed {
			out[b] += p * (1 - s)
		}
		total += out[b]
	}
	for b := range out {
		if out[b] /= total; total == 0 {
			out[b] = prior[b]
		}
	}
	return out, nil
}

// ChangedPosterior is [SwapPosterior] for a swap that rejects partners of the
// same value: who is touched surely shows another value than his own,
//
//	P(a | observed a) = p_a(1-s) / D
//	P(b | observed a) = p_b·s·q_a/(1-q_b) / D
//
// so that more swapping is not always safer: of two values swapped everywhere
// the one shown is certainly the wrong one.
func ChangedPosterior(s float64, prior, pool []float64, observed int) ([]float64, error) {
	if _, err := SwapPosterior(s, prior, pool, observed); err != nil {
		return nil, err
	}
	out, total := make([]float64, len(prior)), 0.0
	for b, p := range prior {
		switch {
		case b == observed:
			out[b] = p * (1 - s)
		case pool[b] < 1:
			out[b] = p * s * pool[observed] / (1 - pool[b])
		}
		total += out[b]
	}
	if total == 0 {
		copy(out, prior)
		return out, nil
	}
	for b := range out {
		out[b] /= total
	}
	return out, nil
}

// Prior is the best guess without the release: how wages of workers outside the
// fragment spread over the released classes, by level x field x sector, and
// where that has fewer than 20 workers by level x sector, by level, over all.
type Prior struct {
	dict   *frame.Dict
	shares map[priorKey][]float64
}

type priorKey struct{ level, field, sector int32 }

const (
	anything     = int32(-2)
	leastWorkers = 20
)

// NewPrior counts the wages of the jobs of employers for which outside is true
// (statistics about the population that the fragment does not enter; nil: all)
// in the classes of the release.
func NewPrior(d *linked.Data, wageClass *frame.Dict, outside func(employer int32) bool) (*Prior, error) {
	if wageClass == nil {
		return nil, fmt.Errorf("attack: the release has no wage classes; there is nothing to guess")
	}
	wage, ok := d.Jobs.Lookup(linked.Wage)
	if !ok {
		return nil, fmt.Errorf("attack: the jobs have no column %q", linked.Wage)
	}
	p := &Prior{dict: wageClass, shares: map[priorKey][]float64{}}
	c := classesOf(wageClass, false)
	employer, level, field := d.Jobs.Col(linked.Employer).I, codes(d.Jobs, linked.Level), codes(d.Jobs, linked.Field)
	sector := SectorOf(d)
	narrow := map[priorKey][]float64{}
	for i := range d.Jobs.Rows() {
		e := employer[i]
		if wage.Missing(i) || e < 0 || outside != nil && !outside(e) {
			continue
		}
		w := c.of(wage.Value(i))
		if w < 0 {
			continue
		}
		k := priorKey{level(i), field(i), sector[e]}
		v := narrow[k]
		if v == nil {
			v = make([]float64, wageClass.Len())
			narrow[k] = v
		}
		v[w]++
	}
	for k, v := range narrow { // sums of whole numbers: their order does not matter
		for _, wide := range back(k.level, k.field, k.sector) {
			if p.shares[wide] == nil {
				p.shares[wide] = make([]float64, len(v))
			}
			for i, n := range v {
				p.shares[wide][i] += n
			}
		}
	}
	if len(p.shares) == 0 {
		return nil, fmt.Errorf("attack: no wage outside the fragment: the guess without the release is undefined; leave some employers out of the fragment")
	}
	for k, v := range p.shares {
		total := sum(v)
		if total < leastWorkers && k != (priorKey{anything, anything, anything}) {
			delete(p.shares, k)
			continue
		}
		for i := range v {
			v[i] /= total
		}
	}
	return p, nil
}

// back lists the groups of a person from the narrowest to everybody.
func back(level, field, sector int32) [4]priorKey {
	return [4]priorKey{{level, field, sector}, {level, anything, sector}, {level, anything, anything}, {anything, anything, anything}}
}

// WageClass returns the shares of the wage classes; the caller must not change
// them.
func (p *Prior) WageClass(level, field, sector int32) []float64 {
	for _, k := range back(level, field, sector) {
		if v := p.shares[k]; v != nil {
			return v
		}
	}
	return nil
}

// SectorOf returns the sector code by employer, -1 where it is unknown.
func SectorOf(d *linked.Data) []int32 {
	out := make([]int32, d.Employers())
	for i := range out {
		out[i] = -1
	}
	for _, f := range []*frame.Frame{d.Firms, d.Jobs} {
		if c, ok := f.Lookup(linked.Sector); ok && c.Coded() {
			employer := f.Col(linked.Employer).I
			for i, e := range employer {
				if e >= 0 && out[e] < 0 {
					out[e] = c.I[i]
				}
			}
		}
	}
	return out
}

func codes(f *frame.Frame, name string) func(i int) int32 {
	c, ok := f.Lookup(name)
	if !ok || c.I == nil {
		return func(int) int32 { return -1 }
	}
	return func(i int) int32 { return c.I[i] }
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

// cellAt is one released cell.
type cellAt struct {
	n         float64
	wage, fte int32
}

type cellKey struct{ serial, year, level, field int32 }

// CellDisclosure claims a wage class and an FTE class for every target from the
// cell of its level and field at its employer. serialOf names the employer's
// serial in a year, and whether the intruder has one: from knowing it, or from
// claims. Without a serial or a cell the claim is the guess without the release.
//
// In a cell of one the class is that person's own unless level and field were
// swapped; in a larger one it is that of a mean of which the person is a part.
// The intruder combines both with the prior, at the swap rate that the state of
// knowledge gives him, and with the share of workers that the tables cover. A
// head count that the method may have changed he takes for the smallest one that
// it can have been; see [Method.AsItStands].
func CellDisclosure(r Release, knowledge string, serialOf func(employer, year int32) (serial int32, ok bool), targets []Target, prior *Prior) ([]WorkerClaim, error) {
	if r.Tables == nil || r.Tables.Cells == nil || !r.Tables.Cells.Has(publish.Serial) {
		return nil, fmt.Errorf("attack: the release has no cells with serials; publish and draw serials first")
	}
	wageCol, ok := r.Tables.Cells.Lookup(publish.WageClass)
	if !ok || prior == nil {
		return nil, fmt.Errorf("attack: the released cells have no column %q to attack", publish.WageClass)
	}
	cells, pool := indexCells(r)
	wages := classesOf(wageCol.Dict, false)
	stay := r.Method.share() * (1 - r.Method.displaced(knowledge))
	out := make([]WorkerClaim, len(targets))
	for i, t := range targets {
		p := prior.WageClass(t.Level, t.Field, t.Sector)
		out[i] = WorkerClaim{Target: i, Serial: -1, WageClass: mode(p), FTEClass: -1, Baseline: mode(p)}
		out[i].Confidence = p[out[i].WageClass]
		serial, known := serialOf(t.Employer, t.Year)
		if !known {
			continue
		}
		out[i].Serial = serial
		year := t.Year
		if !r.Periods {
			year = 0
		}
		c, found := cells[cellKey{serial, year, t.Level, t.Field}]
		if !found && r.Method.CountFloor > 1 {
			c, found = cells[cellKey{serial, year, -1, -1}] // small cells were folded into this one
		}
		if !found || c.wage < 0 {
			continue
		}
		// A count that may have been changed stands for the smallest one possible.
		c.n = max(min(c.n, 1), c.n-float64(r.Method.CountReach))
		out[i].Found, out[i].CellSize, out[i].FTEClass = true, c.n, c.fte
		post := inCell(p, pool, wages, c, stay)
		out[i].WageClass = mode(post)
		out[i].Confidence = post[out[i].WageClass]
	}
	return out, nil
}

func indexCells(r Release) (map[cellKey]cellAt, []float64) {
	f := r.Tables.Cells
	serial, workers := f.Col(publish.Serial), f.Col(publish.Workers)
	wage, fte := f.Col(publish.WageClass), codes(f, publish.FTEClass)
	level, field, year := codes(f, linked.Level), codes(f, linked.Field), codes(f, linked.Year)
	var counts classes
	if workers.Coded() {
		counts = classesOf(workers.Dict, true)
	}
	out := make(map[cellKey]cellAt, f.Rows())
	pool := make([]float64, wage.Dict.Len())
	for i := range f.Rows() {
		n := workers.Value(i)
		if workers.Coded() && workers.I[i] >= 0 {
			n = counts.mid[workers.I[i]]
		}
		if !(n > 0) {
			continue
		}
		y := int32(0)
		if r.Periods {
			y = year(i)
		}
		out[cellKey{serial.I[i], y, level(i), field(i)}] = cellAt{n, wage.I[i], fte(i)}
		if w := wage.I[i]; w >= 0 {
			pool[w] += n
		}
	}
	total := max(1, sum(pool))
	for i := range pool {
		pool[i] /= total
	}
	return out, pool
}

// inCell is the posterior of a person's wage class, given the class of the mean
// of the cell and the chance that the person is in it.
func inCell(prior, pool []float64, wages classes, c cellAt, stay float64) []float64 {
	if c.n < 1.5 {
		post, err := SwapPosterior(1-stay, prior, pool, int(c.wage))
		if err != nil {
			panic(err) // classes and rates were checked
		}
		return post
	}
	mean, square := 0.0, 0.0
	for b, p := range prior {
		mean += float64(p * wages.mid[b])
		square += float64(p * wages.mid[b] * wages.mid[b])
	}
	spread := max(square-float64(mean*mean), wages.variance(c.wage))
	others := c.n - 1
	sd := math.Sqrt(others*spread+wages.variance(c.wage)) / c.n
	lo, hi := wages.lo[c.wage], wages.hi[c.wage]
	post, total := make([]float64, len(prior)), 0.0
	for b, p := range prior {
		at := (wages.mid[b] + float64(others*mean)) / c.n
		seen := (math.Erf((hi-at)/(sd*math.Sqrt2)) - math.Erf((lo-at)/(sd*math.Sqrt2))) / 2
		post[b] = p * (float64(stay*seen) + float64((1-stay)*pool[c.wage]))
		total += post[b]
	}
	if !(total > 1e-12) {
		// The prior never saw such a mean: the class itself is the best guess.
		clear(post)
		post[c.wage], total = 1, 1
	}
	for b := range post {
		post[b] /= total
	}
	return post
}

func mode(p []float64) int32 {
	best := int32(0)
	for i, v := range p {
		if v > p[best] {
			best = int32(i)
		}
	}
	return best
}
