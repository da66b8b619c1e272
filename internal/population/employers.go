package population

import (
	"math"

	"scramblelab/internal/rng"
)

// Stages of the random streams. Their numbers are part of what a seed means.
const (
	stageEmployer rng.Stage = iota + 1
	stageSize
	stageInitial
	stageSeparation
	stageOpening
	stageMarket
	stageWorker
	stageEffect
	stageYear
	stageSpell
	stageAccounts
	stageNetwork
	stageEvent
	stageFirmEffect
	stageNumbers
	stageWorkerID
	stageReport
	stageTakeover
	stageSmallLinks
	stageBooks
	stageSecond
	stageAbility
)

// entityYear is the address of an employer's or a worker's year.
func entityYear(id int32, year int) uint64 { return uint64(id)<<12 | uint64(year) }

// employer is one legal person of the skeleton. Year-ends with staff run from
// first to last; exit is the year in which it closes, 0 if it does not.
type employer struct {
	sector, region uint8
	first, last    int16
	exit           int16
	event          int16 // year of the automation event, 0 for none
	heir           int32 // employer that continues it under a new number, -1 for none
	founded        int16
	born           int16     // year since which it exists, under whatever number
	province       uint8     // NUTS 2 area, by place among those of all regions
	class4         uint16    // four-digit class, by place among those of the section
	heads          float32   // u of the rounding, constant
	psi            float32   // firm effect at its first year-end, log wage
	effects        []float32 // firm effect by year of the window since its first year-end, before the premium of size
	ageShift       float32   // preferred mean age against the sector's
	sales          float32   // log turnover per head against the sector's
	latent         []float32 // latent size by year-end first..last
	staff          []int32   // planted head count by year-end first..last
}

func (e *employer) size(year int) float64 { return float64(e.latent[year-int(e.first)]) }

func (e *employer) present(year int) bool { return year >= int(e.first) && year <= int(e.last) }

func (e *employer) count(year int) int {
	if !e.present(year) {
		return 0
	}
	return int(e.staff[year-int(e.first)])
}

// drawEmployers draws the paths of all employers: sizes, births, exits, breaks of
// identifiers and takeovers. The number present at year-end grows as the
// calibration says, with the mean over the window that was asked for.
func (s *skeleton) drawEmployers() {
	from, to := s.o.From, s.o.To
	s.law = newSizeLaw(s.c.Size, s.o.Employers)
	s.lives = newLives(s.law, s.c)
	bySize := s.sectorsBySize()
	s.classCum = s.classesOfSectors()
	var r rng.Stream
	s.key.Reseed(&r, stageEmployer, 0)
	n := s.presentIn(from - 1)
	s.employers = make([]employer, 0, int(float64(n)*(1.1+float64(s.lives.entryRate*float64(to-from+1)))))
	ranks := make([]int32, n)
	for i := range ranks {
		ranks[i] = int32(i)
	}
	rng.Shuffle(&r, ranks)
	start := r.Float64()
	for i := range n {
		// Systematic quantiles keep the class shares at any number of employers.
		size := s.law.quantile((float64(ranks[i]) + r.Float64()) / float64(n))
		s.add(size, from-1, bySize, spaced(start, int(ranks[i])), nil)
	}
	start = r.Float64()
	born := 0
	living := make([]int32, n)
	for i := range living {
		living[i] = int32(i)
	}
	var ending endings
	for year := from; year <= to; year++ {
		keep := living[:0]
		ending.clear()
		for _, id := range living {
			e := &s.employers[id]
			s.key.Reseed(&r, stageSize, entityYear(id, year))
			size, age := e.size(year-1), year-int(e.born)
			if r.Bool(s.lives.hazard(size, age-1)) {
				e.exit = int16(year)
				ending.add(id, s.law.class(size), s.c.Exits, &r)
				continue
			}
			e.latent = append(e.latent, float32(s.lives.grow(size, age-1, &r)))
			e.last = int16(year)
			keep = append(keep, id)
			if size >= s.c.Takeovers.PartFrom && r.Bool(s.c.Takeovers.PartRate) {
				ending.split = append(ending.split, id)
			}
		}
		first := int32(len(s.employers))
		for _, id := range ending.renamed {
			old := s.employers[id]
			s.key.Reseed(&r, stageSize, entityYear(id, year)+1<<60)
			s.employers[id].heir = s.add(s.lives.grow(old.size(year-1), year-1-int(old.born), &r), year, bySize, 0, &old)
		}
		s.key.Reseed(&r, stageEmployer, uint64(year))
		for want := s.presentIn(year) - len(keep) + int(first); len(s.employers) < want; {
			s.add(s.lives.entrant(&r), year, bySize, spaced(start, born), nil)
			born++
		}
		s.takeOver(year, keep, &ending)
		living = keep
		for id := first; id < int32(len(s.employers)); id++ {
			living = append(living, id)
		}
	}
	s.bookSales()
}

// presentIn is the number of employers at a year-end: it grows by a fixed rate,
// with the mean over the window that was asked for.
func (s *skeleton) presentIn(year int) int {
	sum := 0.0
	for y := s.o.From; y <= s.o.To; y++ {
		sum += math.Pow(1+s.c.Size.Growth, float64(y-s.o.From))
	}
	years := float64(s.o.To - s.o.From + 1)
	return int(math.Round(float64(s.o.Employers) * years / sum * math.Pow(1+s.c.Size.Growth, float64(year-s.o.From))))
}

// spaced is the k-th of points in [0, 1) of which any run is evenly spread
// (Weyl 1916, with the golden ratio). Sectors are drawn by them, along sizes for
// the employers with which the window opens and along births, so that even fifty
// employers have the sectors' shares but for rounding.
func spaced(start float64, k int) float64 {
	const golden = 0.6180339887498949
	_, u := math.Modf(start + float64(golden*float64(k)))
	return u
}

// add makes an employer whose first year-end is given and whose sector stands at
// a place in [0, 1) of those of its size; heirs keep the traits of the one they
// continue.
func (s *skeleton) add(size float64, first int, bySize [][]float64, place float64, of *employer) int32 {
	id := int32(len(s.employers))
	e := employer{first: int16(first), last: int16(first), heir: -1, founded: int16(first), born: int16(first), latent: make([]float32, 1, s.o.To-first+1)}
	e.latent[0] = float32(size)
	var r rng.Stream
	s.key.Reseed(&r, stageEmployer, uint64(id)+1<<32)
	e.heads = float32(r.Float64())
	if first < s.o.From {
		e.founded -= int16(s.lives.age(size, s.c.Exits.Founded, &r))
		e.born = e.founded
	}
	if of != nil {
		e.sector, e.region, e.psi, e.ageShift, e.sales, e.heads = of.sector, of.region, of.psi, of.ageShift, of.sales, of.heads
		e.born, e.province, e.class4 = of.born, of.province, of.class4
	} else {
		e.sector = uint8(pick(bySize[min(s.law.class(size), len(bySize)-1)], place))
		e.region = uint8(pick(s.regionCum, r.Float64()))
		e.psi = float32(s.c.Wage.FirmSD * r.Normal())
		e.ageShift = float32(s.c.Age.FirmSD * r.Normal())
		e.sales = float32(s.c.Accounts.SalesSD*r.Normal() - s.c.Accounts.SalesSD*s.c.Accounts.SalesSD/2)
		e.province = s.province(e.region, r.Float64())
		e.class4 = uint16(pick(s.classCum[e.sector], r.Float64()))
	}
	s.employers = append(s.employers, e)
	return id
}

// drawFirmEffects draws the path of every employer's wage effect: first-order
// autoregressive with constant variance. An heir goes on where the one it
// continues stopped.
func (s *skeleton) drawFirmEffects() {
	x := &s.c.Wage
	sd := x.FirmSD * math.Sqrt(1-x.FirmAR*x.FirmAR)
	total := 0
	for id := range s.employers {
		total += int(s.employers[id].last) - max(int(s.employers[id].first), s.o.From) + 1
	}
	all := make([]float32, 0, total)
	var r rng.Stream
	for id := range s.employers { // an heir comes after the one it continues
		e := &s.employers[id]
		s.key.Reseed(&r, stageFirmEffect, uint64(id))
		psi, begin := float64(e.psi), len(all)
		for range int(e.last) - max(int(e.first), s.o.From) + 1 {
			all = append(all, float32(psi))
			psi = float64(x.FirmAR*psi) + float64(sd*r.QuickNormal())
		}
		e.effects = all[begin:]
		if e.heir >= 0 {
			s.employers[e.heir].psi = float32(psi)
		}
	}
}

// effect is an employer's wage effect in a year, that of the nearest year where it
// has no year-end with staff.
func (s *skeleton) effect(e *employer, year int) float64 {
	k := min(max(0, year-max(int(e.first), s.o.From)), len(e.effects)-1)
	if k < 0 {
		return float64(e.psi)
	}
	return float64(e.effects[k])
}

// province draws a NUTS 2 area within a region: its place in the list of all.
func (s *skeleton) province(region uint8, u float64) uint8 {
	at := 0
	for _, r := range s.c.Regions[:region] {
		at += max(1, len(r.Provinces))
	}
	list := s.c.Regions[region].Provinces
	for k, p := range list {
		if u -= p.P; u < 0 || k == len(list)-1 {
			return uint8(at + k)
		}
	}
	return uint8(at)
}

// classesOfSectors returns, by section, the cumulative shares of its four-digit
// classes: proportional to the rank in the calibration's list to a power.
func (s *skeleton) classesOfSectors() [][]float64 {
	var out [][]float64
	for _, x := range s.c.Sectors {
		w := make([]float64, max(1, len(s.c.Classes[x.Code])))
		for k := range w {
			w[k] = math.Pow(float64(k+1), -s.c.Size.ClassZipf)
		}
		out = append(out, cumulate(w))
	}
	return out
}

// pick returns the first index whose cumulative weight exceeds u times the total.
func pick(cum []float64, u float64) int {
	return firstAbove(cum, u*cum[len(cum)-1], 0, len(cum)-1)
}

// firstAbove returns the first index from lo on whose cumulative weight exceeds x,
// hi where none below it does.
func firstAbove(cum []float64, x float64, lo, hi int) int {
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); cum[mid] > x {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// guided are cumulative weights of which some bounds are known, so that [guided.pick]
// looks at few (Chen and Asau 1974).
type guided struct {
	cum    []float64
	bounds []int32 // what pick returns for each multiple of one part, and at the end
}

func guide(cum []float64) guided {
	parts := 1 // a power of two: its multiples are exact
	for parts < len(cum) {
		parts *= 2
	}
	g := guided{cum, make([]int32, parts+1)}
	k := 0
	for i := range g.bounds {
		for k < len(cum)-1 && cum[k] <= float64(i)/float64(parts)*cum[len(cum)-1] {
			k++
		}
		g.bounds[i] = int32(k)
	}
	return g
}

// pick returns what [pick] of the weights does.
func (g *guided) pick(u float64) int {
	k := int(u * float64(len(g.bounds)-1))
	return firstAbove(g.cum, u*g.cum[len(g.cum)-1], int(g.bounds[k]), int(g.bounds[k+1]))
}

func cumulate(w []float64) []float64 {
	out, t := make([]float64, len(w)), 0.0
	for i, x := range w {
		t += x
		out[i] = t
	}
	return out
}

// sectorsBySize returns the cumulative shares of sectors within each size
// class, such that both the employers and the staff of a sector have their
// margin: shares a_s * exp(b_s * log size), fitted to the two.
func (s *skeleton) sectorsBySize() [][]float64 {
	f, mid := s.c.Sectors, float64(s.o.From+s.o.To)/2
	n := len(f)
	employers, staff := make([]float64, n), make([]float64, n)
	var te, ts float64
	for i, x := range f {
		employers[i], staff[i] = x.Employers, s.c.Window.Line(x.Staff03, x.Staff21, mid)
		te, ts = te+employers[i], ts+staff[i]
	}
	classes := len(s.law.mass)
	mean := make([]float64, classes)
	total := 0.0
	for c := range mean {
		mean[c] = s.law.mean(c)
		total += s.law.mass[c] * mean[c]
	}
	a, b := make([]float64, n), make([]float64, n)
	shares := make([][]float64, classes)
	for range 400 {
		gotE, gotS := make([]float64, n), make([]float64, n)
		for c := range shares {
			shares[c] = make([]float64, n)
			sum := 0.0
			for i := range f {
				shares[c][i] = math.Exp(a[i] + float64(b[i]*math.Log(mean[c]/5)))
				sum += shares[c][i]
			}
			for i := range f {
				shares[c][i] /= sum
				gotE[i] += s.law.mass[c] * shares[c][i]
				gotS[i] += s.law.mass[c] * mean[c] * shares[c][i] / total
			}
		}
		for i := range f {
			a[i] += math.Log(employers[i] / te / gotE[i])
			b[i] = min(2, max(-2, b[i]+.1*math.Log(staff[i]/ts*gotE[i]/(employers[i]/te)/gotS[i])))
		}
	}
	for c := range shares {
		shares[c] = cumulate(shares[c])
	}
	return shares
}
