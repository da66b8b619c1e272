package population

import (
	"math"

	"scramblelab/internal/rng"
)

// opening is a job to be filled in the course of a year.
type opening struct {
	employer, day, to int32
	cell              uint16
	under             uint8   // age from which nobody is taken, 0 for none
	wanted            float32 // worker effect
	rank              uint64  // its place in the market, and whom it sees there: its own draw, the same in the twin
}

func (s *skeleton) open(id int32, year, count int, b *batch) { s.openFrom(id, year, count, 1, b) }

// openFrom announces openings on days of the year from the one given on, and
// some that end within it. Every opening draws from a stream of its own. The
// wanted cell is the sector's with probability c/(c+n), else a colleague's: a
// Moran process, whose stationary composition is Dirichlet-multinomial with
// concentration c.
func (s *skeleton) openFrom(id int32, year, count, first int, b *batch) {
	if count == 0 {
		return
	}
	e := &s.employers[id]
	var r rng.Stream
	s.key.Reseed(&r, stageOpening, entityYear(id, year)|1<<63)
	stayers := len(s.active[id])
	wish := s.lean(id, year, stayers, count)
	conc := s.concentration(stayers + count)
	short := r.Poisson(float64(count) * s.shorts[e.sector])
	begun := len(b.openings)
	for i := range count + short {
		ordinal := i
		if i >= count {
			ordinal += entryShort - count
		}
		at := addressOf(id, s.entryOf(year, ordinal))
		s.key.Reseed(&r, stageOpening, at)
		to, last := stillThere, 363
		if i >= count {
			to = int32(min(s.c.Flows.ShortDays*r.Exp(), float64(last-first)))
			last -= int(to)
		}
		day := s.day1(year) + int32(first+r.IntN(max(1, last-first)))
		if i >= count {
			to += day
		}
		cell := uint16(0)
		for range 12 {
			cell = s.wantedCell(id, e, year, conc, b.openings[begun:], &r)
			if wish == nil || r.Float64() < math.Exp(wish.shift[s.cells.tilt[cell]]-wish.peak) {
				break
			}
		}
		rank := s.key.Uint64(stageMarket, at)
		b.openings = append(b.openings, opening{id, day, to, cell, wish.under(&s.c.Age, &r), s.wantedEffect(e, year, rank), rank})
	}
}

// wantedCell copies a stayer, or an opening of the same year, or draws anew.
func (s *skeleton) wantedCell(id int32, e *employer, year int, conc float64, sofar []opening, r *rng.Stream) uint16 {
	stayers := len(s.active[id])
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
		other := &s.active[id][i]
		cell = other.cell
		if s.cells.follows(cell, birth, int(other.birth), r) {
			break
		}
	}
	return cell
}
