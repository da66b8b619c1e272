package attack

import (
	"fmt"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

// ageBands are lower bounds of the bands in which a neighbour guesses an age.
var ageBands = []float64{0, 25, 30, 35, 40, 50, 60}

// AgeBand returns the band of an age in years, -1 for none.
func AgeBand(age float64) int32 {
	band := int32(-1)
	for _, b := range ageBands {
		if age >= b {
			band++
		}
	}
	return band
}

// AgeBandLabel names a band, such as "25-29".
func AgeBandLabel(band int32) string {
	if int(band) == len(ageBands)-1 {
		return fmt.Sprintf("%v+", ageBands[band])
	}
	return fmt.Sprintf("%v-%v", ageBands[band], ageBands[band+1]-1)
}

// AgePrior is the best guess without the release of somebody who knows a
// person's level, age and employer's sector and not the field: wages outside
// the fragment by level x age band x sector, and where that has fewer than 20
// workers by level x age band, by level, over all.
type AgePrior struct {
	levels, sectors, bands, classes int
	shares                          [4][]float64
	totals                          [4][]float64
}

// NewAgePrior counts as [NewPrior] does.
func NewAgePrior(d *linked.Data, wageClass *frame.Dict, outside func(employer int32) bool) (*AgePrior, error) {
	wage, ok := d.Jobs.Lookup(linked.Wage)
	if !ok || wageClass == nil {
		return nil, fmt.Errorf("attack: the jobs or the release have no wages; there is nothing to guess")
	}
	c := classesOf(wageClass, false)
	level, sector := codes(d.Jobs, linked.Level), SectorOf(d)
	age, hasAge := d.Jobs.Lookup(linked.Age)
	p := &AgePrior{bands: len(ageBands) + 1, classes: wageClass.Len(), levels: 1, sectors: 1}
	if l, ok := d.Jobs.Lookup(linked.Level); ok && l.Coded() {
		p.levels = l.Dict.Len() + 1
	}
	for _, s := range sector {
		p.sectors = max(p.sectors, int(s)+2)
	}
	for k := range p.shares {
		cells := p.at(k, int32(p.levels-2), int32(p.bands-2), int32(p.sectors-2)) + 1
		p.shares[k], p.totals[k] = make([]float64, cells*p.classes), make([]float64, cells)
	}
	for i, e := range d.Jobs.Col(linked.Employer).I {
		if wage.Missing(i) || e < 0 || outside != nil && !outside(e) {
			continue
		}
		band := int32(-1)
		if hasAge && !age.Missing(i) {
			band = AgeBand(age.Value(i))
		}
		w := c.of(wage.Value(i))
		if w < 0 {
			continue
		}
		for k := range p.shares {
			at := p.at(k, level(i), band, sector[e])
			p.shares[k][at*p.classes+int(w)]++
			p.totals[k][at]++
		}
	}
	if p.totals[3][0] == 0 {
		return nil, fmt.Errorf("attack: no wage outside the fragment: the guess without the release is undefined; leave some employers out of the fragment")
	}
	for k := range p.shares {
		for at, n := range p.totals[k] {
			for i := range p.classes {
				p.shares[k][at*p.classes+i] /= max(1, n)
			}
		}
	}
	return p, nil
}

// at is the place of a group in table k, from the narrowest to everybody.
func (p *AgePrior) at(k int, level, band, sector int32) int {
	l, b, s := int(level)+1, int(band)+1, int(sector)+1
	switch k {
	case 0:
		return (l*p.bands+b)*p.sectors + s
	case 1:
		return l*p.bands + b
	case 2:
		return l
	}
	return 0
}

// WageClass returns the shares of the wage classes; the caller must not change
// them.
func (p *AgePrior) WageClass(level int32, age float64, sector int32) []float64 {
	for k := range p.shares {
		at := p.at(k, level, AgeBand(age), sector)
		if p.totals[k][at] >= leastWorkers || k == len(p.shares)-1 {
			return p.shares[k][at*p.classes : (at+1)*p.classes]
		}
	}
	return nil
}

// LevelDisclosure claims a wage class for every target from all cells of the
// level at the employer: what a neighbour can say who knows where somebody
// works, the age and the level, and not the field. The cells count by their
// workers; each is read as [CellDisclosure] reads it. ages are those of the
// targets in years, NaN unknown.
func LevelDisclosure(r Release, knowledge string, serialOf func(employer, year int32) (serial int32, ok bool), targets []Target, ages []float64, prior *AgePrior) ([]WorkerClaim, error) {
	if r.Tables == nil || r.Tables.Cells == nil || !r.Tables.Cells.Has(publish.Serial) {
		return nil, fmt.Errorf("attack: the release has no cells with serials; publish and draw serials first")
	}
	wageCol, ok := r.Tables.Cells.Lookup(publish.WageClass)
	if !ok || prior == nil || len(ages) != len(targets) {
		return nil, fmt.Errorf("attack: no column %q to attack, no prior, or %d ages for %d targets", publish.WageClass, len(ages), len(targets))
	}
	cells, pool := indexCells(r)
	byLevel := map[cellKey][]cellKey{}
	for k := range cells {
		at := cellKey{k.serial, k.year, k.level, 0}
		byLevel[at] = append(byLevel[at], k)
	}
	for _, list := range byLevel { // whatever the order of the map was
		slices.SortFunc(list, func(a, b cellKey) int { return int(a.field - b.field) })
	}
	wages := classesOf(wageCol.Dict, false)
	stay := r.Method.share() * (1 - r.Method.displaced(knowledge))
	out := make([]WorkerClaim, len(targets))
	for i, t := range targets {
		p := prior.WageClass(t.Level, ages[i], t.Sector)
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
		post := make([]float64, len(p))
		for _, k := range byLevel[cellKey{serial, year, t.Level, 0}] {
			c := cells[k]
			if c.wage < 0 {
				continue
			}
			c.n = max(min(c.n, 1), c.n-float64(r.Method.CountReach))
			out[i].Found = true
			out[i].CellSize += c.n
			for b, v := range inCell(p, pool, wages, c, stay) {
				post[b] += float64(c.n * v)
			}
		}
		if out[i].Found {
			out[i].WageClass = mode(post)
			out[i].Confidence = post[out[i].WageClass] / out[i].CellSize
		}
	}
	return out, nil
}
