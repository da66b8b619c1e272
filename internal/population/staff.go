package population

import (
	"context"
	"math"
	"time"

	"scramblelab/internal/calibration"
	"scramblelab/internal/par"
	"scramblelab/internal/progress"
	"scramblelab/internal/rng"
)

// spell is one worker's uninterrupted stay with one employer, in days since
// 1970-01-01, both included.
type spell struct{ worker, from, to int32 }

const stillThere = int32(math.MaxInt32)

// skeleton is all that crosses employers: their paths, events, links, spells,
// and who fills which opening. Traits, wages and accounts are emitted from it
// employer by employer.
type skeleton struct {
	o     Options
	c     *calibration.Figures
	key   rng.Sim
	world world
	law   *sizeLaw
	lives *lives
	cells *cellTables

	regionCum []float64
	price     []float64   // log wage index by year since FirstYear
	days      []int32     // 1 January by year since firstDay
	sectorHaz []float64   // sector: factor on separation hazards
	tenures   [][]float64 // sector: cumulative distribution of tenures of a stock

	employers []employer
	takeovers []takeover  // by year
	classCum  [][]float64 // sector: cumulative shares of its four-digit classes
	links     []link
	exposure  [][][5]float64 // employer x year since first: sales shares by event time of the buyer

	spells [][]spell
	active [][]int32 // employer: indices of spells that last
	tilted []*[tilts]float64
	heirs  []bool // employers that continue another

	birth  []int16 // by worker
	cell   []uint16
	woman  []bool
	origin []int32 // first employer
	lately []int32 // last employer
	hired  []int16 // year of the last hire
}

func newSkeleton(o Options) *skeleton {
	c := o.Figures
	s := &skeleton{o: o, c: c, key: rng.Sim(rng.Mix(o.Seed, 0x706f70)), world: worldOf(o.World), cells: newCellTables(c)}
	shares := make([]float64, len(c.Regions))
	for i, r := range c.Regions {
		shares[i] = r.Share
	}
	s.regionCum = cumulate(shares)
	level, drift := 0.0, 0.0
	for y := 2003; y <= 2022; y++ {
		if d, ok := c.Wage.Drift[y]; ok {
			drift = d
		}
		if y > 2003 && y <= 2021 {
			level += math.Log(1+c.Wage.Index[y]/100) + drift/100
		}
		s.price = append(s.price, level)
	}
	for y := firstDay; y <= o.To+1; y++ {
		s.days = append(s.days, int32(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).Unix()/86400))
	}
	mean, total := 0.0, 0.0
	for _, x := range c.Sectors {
		mean, total = mean+float64(x.Hires*(x.Staff03+x.Staff21)), total+x.Staff03+x.Staff21
	}
	for _, x := range c.Sectors {
		f := math.Pow(x.Hires/(mean/total), c.Flows.SectorPow)
		s.sectorHaz = append(s.sectorHaz, f)
		survive, w := 1.0, make([]float64, 45)
		for k := range w {
			w[k] = survive
			survive *= 1 - min(.85, f*c.Flows.Separation[min(k, 11)])
		}
		s.tenures = append(s.tenures, cumulate(w))
	}
	return s
}

// priceOf is the log index of wages and prices, 0 in the first year.
func (s *skeleton) priceOf(year int) float64 { return s.price[max(FirstYear, year)-FirstYear] }

// day1 is 1 January of a year in days since 1970-01-01.
func (s *skeleton) day1(year int) int32 { return s.days[year-firstDay] }

// firstDay is a year before which no spell began.
const firstDay = FirstYear - 60

// opening is a job to be filled in the course of a year.
type opening struct {
	employer, day, to int32
	cell              uint16
	young             bool
}

// leaver is a worker who left in the course of a year.
type leaver struct{ worker, employer, day int32 }

// batch collects what a block of employers sends to the markets.
type batch struct {
	openings []opening
	leavers  []leaver
}

const staffChunk = 512

// drawStaff fills all jobs of all years: first the staff at the start, then
// year by year separations and openings employer by employer, and the markets
// that match them.
func (s *skeleton) drawStaff(ctx context.Context, tell progress.Func) error {
	n := len(s.employers)
	s.spells, s.active, s.tilted = make([][]spell, n), make([][]int32, n), make([]*[tilts]float64, n)
	s.heirs = make([]bool, n)
	for id := range s.employers {
		if h := s.employers[id].heir; h >= 0 {
			s.heirs[h] = true
		}
	}
	if err := s.drawInitial(ctx); err != nil {
		return err
	}
	m := newMarkets(s)
	years := s.o.To - s.o.From + 1
	for year := s.o.From; year <= s.o.To; year++ {
		batches, err := par.Map(ctx, par.Count(n, staffChunk), func(chunk int) (*batch, error) {
			b := &batch{}
			for id := chunk * staffChunk; id < min(n, (chunk+1)*staffChunk); id++ {
				s.passYear(int32(id), year, b)
			}
			return b, nil
		})
		if err != nil {
			return err
		}
		m.clear(year, batches)
		tell.Step("staff", year-s.o.From+1, years)
	}
	return nil
}

// drawInitial creates the workers present when the window opens.
func (s *skeleton) drawInitial(ctx context.Context) error {
	start := []int32{0}
	for id := range s.employers {
		k := 0
		if s.employers[id].present(s.o.From - 1) {
			k = s.employers[id].count(s.o.From - 1)
		}
		start = append(start, start[id]+int32(k))
	}
	s.grow(int(start[len(start)-1]))
	return par.Chunks(ctx, len(s.employers), staffChunk, func(_, lo, hi int) error {
		var r, w rng.Stream
		for id := lo; id < hi; id++ {
			count := int(start[id+1] - start[id])
			if count == 0 {
				continue
			}
			e := &s.employers[id]
			s.key.Reseed(&r, stageInitial, uint64(id))
			spells, active := make([]spell, count, count+count/2+2), make([]int32, count)
			for i := range spells {
				worker := start[id] + int32(i)
				s.key.Reseed(&w, stageWorker, uint64(worker))
				age := s.stockAge(e, s.o.From-1, &w)
				birth := s.o.From - 1 - age
				cell := s.cells.draw(e.sector, birth, &r)
				if c := s.concentration(count); r.Float64() >= c/(c+float64(i)) { // Polya urn: Dirichlet-multinomial
					for range s.c.Cluster.Tries {
						other := start[id] + int32(r.IntN(i))
						cell = s.cell[other]
						if s.cells.follows(cell, birth, int(s.birth[other]), &r) {
							break
						}
					}
				}
				age = max(age, s.c.Levels[s.cells.level(cell)].MinAge)
				s.settle(worker, int32(id), cell, s.o.From-1-age, e, &w)
				cum := s.tenures[e.sector]
				limit := min(age-17, s.o.From-int(e.founded), len(cum))
				tenure := pick(cum[:max(1, limit)], r.Float64())
				day := s.day1(s.o.From-1-tenure) + int32(1+r.IntN(362))
				spells[i], active[i] = spell{worker, day, stillThere}, int32(i)
			}
			s.spells[id], s.active[id] = spells, active
		}
		return nil
	})
}

// grow makes room for n more workers.
func (s *skeleton) grow(n int) {
	s.birth = append(s.birth, make([]int16, n)...)
	s.cell = append(s.cell, make([]uint16, n)...)
	s.woman = append(s.woman, make([]bool, n)...)
	s.origin = append(s.origin, make([]int32, n)...)
	s.lately = append(s.lately, make([]int32, n)...)
	s.hired = append(s.hired, make([]int16, n)...)
}

func (s *skeleton) settle(worker, employer int32, cell uint16, birth int, e *employer, w *rng.Stream) {
	s.birth[worker], s.cell[worker] = int16(birth), cell
	s.woman[worker] = w.Bool(s.cells.women[e.sector][s.cells.field(cell)])
	s.origin[worker], s.lately[worker] = employer, employer
}

// concentration is that of the Dirichlet-multinomial by which the staff of an
// employer of that size resembles itself.
func (s *skeleton) concentration(staff int) float64 {
	c := s.c.Cluster
	return min(c.Large, c.Small+float64(c.PerLog*math.Log(float64(staff))))
}

// stockAge draws the age of somebody employed in a year.
func (s *skeleton) stockAge(e *employer, year int, w *rng.Stream) int {
	a := s.c.Age
	cum := make([]float64, 5)
	t := 0.0
	for i := range cum {
		t += between(a.Y03[i], a.Y12[i], a.Y21[i], float64(year))
		cum[i] = t
	}
	b := pick(cum, w.Float64())
	age := float64(a.Bands[b]) + float64(w.Float64()*float64(a.Bands[b+1]-a.Bands[b]))
	return int(min(64, max(18, age+s.ageShift(e, year))))
}

func (s *skeleton) ageShift(e *employer, year int) float64 {
	x := s.c.Sectors[e.sector]
	mean := between(37.8, 40, 41.3, float64(year))
	return interpolate([][2]float64{{2003, x.Age03}, {2021, x.Age21}}, float64(year)) - mean + float64(e.ageShift)
}

// passYear lets an employer lose, close, and ask for staff in a year.
func (s *skeleton) passYear(id int32, year int, b *batch) {
	e := &s.employers[id]
	switch {
	case int(e.exit) == year:
		s.closeDown(id, year, b)
	case int(e.first) == year && !s.heirs[id]: // an heir opens when the other closes
		s.open(id, year, e.count(year), b)
	case e.present(year) && int(e.first) < year:
		s.turnOver(id, year, b)
	}
}

// closeDown ends all jobs on one day; an heir takes everybody over on the next.
func (s *skeleton) closeDown(id int32, year int, b *batch) {
	var r rng.Stream
	s.key.Reseed(&r, stageSeparation, entityYear(id, year))
	e := &s.employers[id]
	day := s.day1(year) + 30 + int32(r.IntN(300))
	for _, k := range s.active[id] {
		s.spells[id][k].to = day
		if e.heir < 0 {
			b.leavers = append(b.leavers, leaver{s.spells[id][k].worker, id, day})
		}
	}
	if e.heir >= 0 {
		heir, want := e.heir, s.employers[e.heir].count(year)
		for i, k := range s.active[id] {
			worker := s.spells[id][k].worker
			if i >= want {
				b.leavers = append(b.leavers, leaver{worker, id, day})
				continue
			}
			s.spells[heir] = append(s.spells[heir], spell{worker, day + 1, stillThere})
			s.active[heir] = append(s.active[heir], int32(i))
			s.lately[worker], s.hired[worker] = heir, int16(year)
		}
		if more := want - len(s.active[heir]); more > 0 {
			s.openFrom(heir, year, more, int(day-s.day1(year))+1, b)
		}
	}
	s.active[id] = nil
}

// turnOver draws separations by tenure and age, layoffs down to the year-end
// head count, and openings up to it.
func (s *skeleton) turnOver(id int32, year int, b *batch) {
	e := &s.employers[id]
	var r rng.Stream
	s.key.Reseed(&r, stageSeparation, entityYear(id, year))
	factor, extra := s.sectorHaz[e.sector], 0.0
	if k, ok := at(year, int(e.event)); ok {
		factor, extra = factor*s.world.factor[k], s.world.separation[k]
	}
	start, spells := s.day1(year), s.spells[id]
	leave := func(k int32) {
		spells[k].to = start + 1 + int32(r.IntN(362))
		b.leavers = append(b.leavers, leaver{spells[k].worker, id, spells[k].to})
	}
	stay := s.active[id][:0]
	for _, k := range s.active[id] {
		tenure := int(start-spells[k].from) / 365
		h := factor*s.c.Flows.Separation[min(tenure, 11)] + extra + s.retirement(year-int(s.birth[spells[k].worker]))
		if r.Float64() < h {
			leave(k)
		} else {
			stay = append(stay, k)
		}
	}
	want := e.count(year)
	for len(stay) > want { // the shorter tenure of two goes first
		i, j := r.IntN(len(stay)), r.IntN(len(stay))
		if spells[stay[j]].from > spells[stay[i]].from {
			i = j
		}
		leave(stay[i])
		stay = append(stay[:i], stay[i+1:]...)
	}
	s.active[id] = stay
	s.open(id, year, want-len(stay), b)
}

func (s *skeleton) retirement(age int) float64 {
	switch h := s.c.Age.Retire; {
	case age < 55:
		return 0
	case age < 60:
		return h[0]
	case age < 62:
		return h[1]
	case age < 65:
		return h[2]
	default:
		return h[3]
	}
}

func (s *skeleton) open(id int32, year, count int, b *batch) { s.openFrom(id, year, count, 1, b) }

// openFrom announces openings on days of the year from the one given on. The
// wanted cell is the sector's with probability c/(c+n), else a colleague's: a
// Moran process, whose stationary composition is Dirichlet-multinomial with
// concentration c.
func (s *skeleton) openFrom(id int32, year, count, first int, b *batch) {
	if count == 0 {
		return
	}
	e := &s.employers[id]
	var r rng.Stream
	s.key.Reseed(&r, stageOpening, entityYear(id, year))
	stayers := len(s.active[id])
	shift, peak := s.tiltHires(id, year, stayers, count)
	young := 0.0
	if k, ok := at(year, int(e.event)); ok {
		young = s.world.youngHires[k] / (1 - s.c.Age.YoungShare)
	}
	conc := s.concentration(stayers + count)
	short := r.Poisson(float64(count) * s.c.Flows.Short)
	begun := len(b.openings)
	for i := range count + short {
		day := s.day1(year) + int32(min(362, first+r.IntN(max(1, 363-first))))
		to := stillThere
		if i >= count {
			to = min(day+7+int32(r.IntN(120)), s.day1(year)+363)
			day = min(day, to)
		}
		cell := uint16(0)
		for range 12 {
			cell = s.wantedCell(id, e, year, conc, stayers, b.openings[begun:], &r)
			if shift == nil || r.Float64() < math.Exp(shift[s.cells.tilt[cell]]-peak) {
				break
			}
		}
		b.openings = append(b.openings, opening{id, day, to, cell, young > 0 && r.Bool(young)})
	}
}

// wantedCell copies a stayer, or an opening of the same year, or draws anew.
func (s *skeleton) wantedCell(id int32, e *employer, year int, conc float64, stayers int, sofar []opening, r *rng.Stream) uint16 {
	birth := year - s.c.Age.HireAge
	have := stayers + len(sofar)
	if have == 0 || r.Float64() < conc/(conc+float64(have)) {
		return s.cells.draw(e.sector, birth, r)
	}
	var cell uint16
	for range s.c.Cluster.Tries {
		i := r.IntN(have)
		if i >= stayers {
			return sofar[i-stayers].cell
		}
		worker := s.spells[id][s.active[id][i]].worker
		cell = s.cell[worker]
		if s.cells.follows(cell, birth, int(s.birth[worker]), r) {
			break
		}
	}
	return cell
}

// tiltHires returns by how much an automated employer's hires must lean towards
// each class of cells so that its stock has the planted tilt at this event
// time, and the largest of these. What the stock has already is remembered.
func (s *skeleton) tiltHires(id int32, year, stayers, hires int) (*[tilts]float64, float64) {
	k, ok := at(year, int(s.employers[id].event))
	if !ok {
		return nil, 0
	}
	have := s.tilted[id]
	if have == nil {
		have = &[tilts]float64{}
		s.tilted[id] = have
	}
	var shift [tilts]float64
	peak := math.Inf(-1)
	m, h := float64(stayers), float64(hires)
	copies := m / (m + s.concentration(stayers+hires))
	for c, want := range s.world.tiltWeights(k) {
		lean := min(1.5, max(-1.5, (float64(want*(m+h))-float64(have[c]*m))/h))
		shift[c] = lean - float64(copies*have[c]) // who copies a stayer leans already
		have[c] = (float64(have[c]*m) + float64(lean*h)) / (m + h)
		peak = max(peak, shift[c])
	}
	return &shift, peak
}
