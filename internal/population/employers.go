package population

import (
	"math"
	"sort"

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
	heads          float32   // u of the rounding, constant
	psi            float32   // firm effect at its first year-end, log wage
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

// employers draws the paths of all employers: sizes, births, exits, breaks of
// identifiers. The number present at every year-end is the one asked for.
func (s *skeleton) drawEmployers() {
	n, from, to := s.o.Employers, s.o.From, s.o.To
	law := newSizeLaw(s.c.Size, n)
	s.law = law
	bySize := s.sectorsBySize()
	var r rng.Stream
	s.key.Reseed(&r, stageEmployer, 0)
	ranks := make([]int32, n)
	for i := range ranks {
		ranks[i] = int32(i)
	}
	rng.Shuffle(&r, ranks)
	for i := range n {
		// Systematic quantiles keep the class shares at any number of employers.
		size := law.quantile((float64(ranks[i]) + r.Float64()) / float64(n))
		s.add(size, from-1, bySize, nil)
	}
	living := make([]int32, n)
	for i := range living {
		living[i] = int32(i)
	}
	for year := from; year <= to; year++ {
		keep := living[:0]
		births, heirs := 0, []int32(nil)
		for _, id := range living {
			e := &s.employers[id]
			s.key.Reseed(&r, stageSize, entityYear(id, year))
			size := e.size(year - 1)
			if r.Bool(s.c.Exits.Hazard[law.class(size)]) {
				e.exit = int16(year)
				births++
				if size >= s.c.Exits.BreakFrom && r.Bool(s.c.Exits.BreakRate) {
					heirs = append(heirs, id)
				}
				continue
			}
			e.latent = append(e.latent, float32(law.grow(size, &r)))
			e.last = int16(year)
			keep = append(keep, id)
		}
		for _, id := range heirs {
			old := s.employers[id]
			s.employers[id].heir = s.add(old.size(year-1), year, bySize, &old)
		}
		s.key.Reseed(&r, stageEmployer, uint64(year))
		for range births - len(heirs) {
			s.add(s.entrantSize(&r), year, bySize, nil)
		}
		living = keep
		for id := len(s.employers) - births; id < len(s.employers); id++ {
			living = append(living, int32(id))
		}
	}
}

// entrantSize draws a size from the distribution of those who exit without an
// heir, so that births replace them and the size law stays.
func (s *skeleton) entrantSize(r *rng.Stream) float64 {
	x := s.c.Exits
	for {
		size := s.law.quantile(r.Float64())
		p := x.Hazard[s.law.class(size)] / x.Hazard[0]
		if size >= x.BreakFrom {
			p *= 1 - x.BreakRate
		}
		if r.Bool(p) {
			return size
		}
	}
}

// add makes an employer whose first year-end is given; heirs keep the traits of
// the one they continue.
func (s *skeleton) add(size float64, first int, bySize [][]float64, of *employer) int32 {
	id := int32(len(s.employers))
	e := employer{first: int16(first), last: int16(first), heir: -1, founded: int16(first), latent: make([]float32, 1, s.o.To-first+1)}
	e.latent[0] = float32(size)
	var r rng.Stream
	s.key.Reseed(&r, stageEmployer, uint64(id)+1<<32)
	e.heads = float32(r.Float64())
	if first < s.o.From {
		e.founded -= int16(min(120, r.Exp()*s.c.Exits.Founded))
	}
	if of != nil {
		e.sector, e.region, e.psi, e.ageShift, e.sales, e.heads = of.sector, of.region, of.psi, of.ageShift, of.sales, of.heads
	} else {
		e.sector = uint8(pick(bySize[min(s.law.class(size), len(bySize)-1)], r.Float64()))
		e.region = uint8(pick(s.regionCum, r.Float64()))
		e.psi = float32(s.c.Wage.FirmSD * r.Normal())
		e.ageShift = float32(s.c.Age.FirmSD * r.Normal())
		e.sales = float32(s.c.Accounts.SalesSD * r.Normal())
	}
	s.employers = append(s.employers, e)
	return id
}

// pick returns the first index whose cumulative weight exceeds u times the total.
func pick(cum []float64, u float64) int {
	return sort.Search(len(cum)-1, func(i int) bool { return cum[i] > u*cum[len(cum)-1] })
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
		mean[c] = powerMean(s.law.bounds[c], s.law.bounds[c+1], s.law.alpha[c])
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
