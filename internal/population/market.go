package population

import (
	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// candidate is a worker without a job, free from the day after day.
type candidate struct {
	worker, day int32
	year        int16
}

// markets match openings to workers. A market is a sector, a region and a group
// of levels; each is cleared once a year by a stream of its own.
type markets struct {
	s       *skeleton
	pool    [][]candidate
	sectors []float64 // cumulative staff, for those who change sector
}

func newMarkets(s *skeleton) *markets {
	w := make([]float64, len(s.c.Sectors))
	for i, x := range s.c.Sectors {
		w[i] = x.Staff03 + x.Staff21
	}
	return &markets{s: s, pool: make([][]candidate, len(s.c.Sectors)*len(s.c.Regions)*calibration.Groups), sectors: cumulate(w)}
}

func (m *markets) of(sector, region uint8, cell uint16) int {
	group := m.s.c.Levels[m.s.cells.level(cell)].Group
	return (int(sector)*len(m.s.c.Regions)+int(region))*calibration.Groups + int(group)
}

// clear routes the leavers of a year to the market in which they look for work
// and fills the openings of each market.
func (m *markets) clear(year int, batches []*batch) {
	s := m.s
	var r rng.Stream
	for _, b := range batches {
		for _, l := range b.leavers {
			m.route(l, year, &r)
		}
	}
	byMarket := make([][]opening, len(m.pool))
	sizes := make([]int, len(m.pool))
	for _, b := range batches {
		for _, o := range b.openings {
			e := &s.employers[o.employer]
			sizes[m.of(e.sector, e.region, o.cell)]++
		}
	}
	for k, n := range sizes {
		byMarket[k] = make([]opening, 0, n)
	}
	for _, b := range batches {
		for _, o := range b.openings {
			e := &s.employers[o.employer]
			k := m.of(e.sector, e.region, o.cell)
			byMarket[k] = append(byMarket[k], o)
		}
	}
	var gone []leaver
	for k, openings := range byMarket {
		s.key.Reseed(&r, stageMarket, uint64(k)<<12|uint64(year))
		m.expire(k, year)
		rng.Shuffle(&r, openings)
		for _, o := range openings {
			gone = m.fill(k, o, year, &r, gone)
		}
	}
	for _, l := range gone { // short spells: free again from next year on
		m.route(l, year, &r)
	}
}

// route puts a leaver into the pool of a market, or out of the labour market.
func (m *markets) route(l leaver, year int, r *rng.Stream) {
	s := m.s
	s.key.Reseed(r, stageSpell, uint64(l.worker)<<12|uint64(year))
	age := year - int(s.birth[l.worker])
	if age >= s.c.Age.LastMove || !r.Bool(s.c.Flows.IntoPool) {
		return
	}
	e := &s.employers[l.employer]
	sector, region := e.sector, e.region
	if !r.Bool(s.c.Flows.SameSector) {
		sector = uint8(pick(m.sectors, r.Float64()))
	}
	k := m.of(sector, region, s.cell[l.worker])
	day := l.day
	if int(s.hired[l.worker]) == year { // at most two employers a year
		day = s.day1(year + 1)
	}
	m.pool[k] = append(m.pool[k], candidate{l.worker, day, int16(year)})
}

func (m *markets) expire(k, year int) {
	keep := m.pool[k][:0]
	for _, c := range m.pool[k] {
		if year-int(c.year) < m.s.c.Flows.PoolYears {
			keep = append(keep, c)
		}
	}
	m.pool[k] = keep
}

// fill gives an opening to somebody of the pool with the wanted cell, else with
// the wanted field, else to a new worker.
func (m *markets) fill(k int, o opening, year int, r *rng.Stream, gone []leaver) []leaver {
	s := m.s
	best := -1
	if pool := m.pool[k]; len(pool) > 0 && !r.Bool(s.c.Flows.Fresh) {
		for range s.c.Flows.Tries {
			i := r.IntN(len(pool))
			c := pool[i]
			if c.day >= o.day || s.lately[c.worker] == o.employer ||
				o.young && year-int(s.birth[c.worker]) >= s.c.Age.YoungHire {
				continue
			}
			if s.cell[c.worker] == o.cell {
				best = i
				break
			}
			if s.cells.field(s.cell[c.worker]) == s.cells.field(o.cell) {
				best = i
			}
		}
	}
	var worker int32
	if best >= 0 {
		pool := m.pool[k]
		worker = pool[best].worker
		pool[best] = pool[len(pool)-1]
		m.pool[k] = pool[:len(pool)-1]
	} else {
		worker = m.newcomer(o, year)
	}
	s.lately[worker], s.hired[worker] = o.employer, int16(year)
	s.spells[o.employer] = append(s.spells[o.employer], spell{worker, o.day, o.to})
	if o.to == stillThere {
		s.active[o.employer] = append(s.active[o.employer], int32(len(s.spells[o.employer])-1))
		return gone
	}
	return append(gone, leaver{worker, o.employer, o.to})
}

// newcomer creates a worker who was never seen: from school, or from
// elsewhere (public sector, self-employment, abroad, no work).
func (m *markets) newcomer(o opening, year int) int32 {
	s := m.s
	worker := int32(len(s.birth))
	s.grow(1)
	var w rng.Stream
	s.key.Reseed(&w, stageWorker, uint64(worker))
	e, a := &s.employers[o.employer], s.c.Age
	youngest := s.c.Levels[s.cells.level(o.cell)].MinAge
	age := 0.0
	if w.Bool(s.c.Flows.FromSchool) {
		age = float64(youngest) + float64(a.School*w.Exp())
	} else {
		age = a.Reenter[0] + float64((a.Reenter[1]-a.Reenter[0])*w.Float64()) + s.ageShift(e, year)
	}
	if o.young && age >= float64(a.YoungHire) {
		age = float64(youngest) + float64(w.Float64()*float64(a.YoungHire-youngest))
	}
	s.settle(worker, o.employer, o.cell, year-min(62, max(youngest, int(age))), e, &w)
	return worker
}
