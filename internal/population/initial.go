package population

import (
	"context"
	"math"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// drawInitial creates the workers present when the window opens.
func (s *skeleton) drawInitial(ctx context.Context) error {
	start := []int32{0}
	for id := range s.employers {
		start = append(start, start[id]+int32(s.employers[id].count(s.o.From-1)))
	}
	s.workers = make([]worker, start[len(start)-1])
	return par.Chunks(ctx, len(s.employers), staffChunk, func(_, lo, hi int) error {
		var r, w rng.Stream
		for id := lo; id < hi; id++ {
			count := int(start[id+1] - start[id])
			if count == 0 {
				continue
			}
			e := &s.employers[id]
			s.key.Reseed(&r, stageInitial, uint64(id))
			shift, conc, cum := s.ageShift(e, s.o.From-1), s.concentration(count), s.tenures[e.sector]
			staff := s.active[id]
			for i := range count {
				number := start[id] + int32(i)
				x := &s.workers[number]
				x.origin, x.entry = int32(id), s.entryOf(s.o.From-1, i)
				s.key.Reseed(&w, stageWorker, x.address())
				age := s.stockAge(s.stockCum, shift, &w)
				birth := s.o.From - 1 - age
				cell := s.cells.draw(e.sector, birth, &r)
				if r.Float64() >= conc/(conc+float64(i)) { // Polya urn: Dirichlet-multinomial
					for range s.c.Cluster.Tries {
						other := &staff[r.IntN(i)]
						cell = other.cell
						if s.cells.follows(cell, birth, int(other.birth), &r) {
							break
						}
					}
				}
				age = max(age, s.c.Levels[s.cells.level(cell)].MinAge)
				s.settle(x, cell, s.o.From-1-age, e, &w)
				limit := min(age-s.c.Age.Limits[0]+1, len(cum)) // a firm may be older than its number
				tenure := pick(cum[:max(1, limit)], r.Float64())
				day := s.day1(s.o.From-1-tenure) + int32(1+r.IntN(362))
				staff = append(staff, stay{x.address(), number, day, s.birth(x), x.cell, 0, false, s.moonlights(x.address())})
			}
			s.active[id] = staff
		}
		return nil
	})
}

// settle fixes what a worker keeps; w is the worker's stream, and free to use afterwards.
func (s *skeleton) settle(x *worker, cell uint16, birth int, e *employer, w *rng.Stream) {
	x.age, x.cell = uint8(s.since(x)-birth), cell
	x.woman = w.Bool(s.cells.women[e.sector][cell])
	x.effect = s.effectOf(x, w)
}

// concentration is that of the Dirichlet-multinomial by which the staff of an
// employer of that size resembles itself.
func (s *skeleton) concentration(staff int) float64 {
	c := s.c.Cluster
	return min(c.Large, c.Small+float64(c.PerLog*math.Log(float64(staff))))
}

// stockAges returns the cumulative shares of age bands among those employed in
// a year.
func (s *skeleton) stockAges(year int) []float64 {
	a := s.c.Age
	shares := make([]float64, len(a.Y03))
	for i := range shares {
		shares[i] = s.c.Window.Between(a.Y03[i], a.Y12[i], a.Y21[i], float64(year))
	}
	return cumulate(shares)
}

// stockAge draws the age of somebody employed; shift is what the employer
// differs by.
func (s *skeleton) stockAge(cum []float64, shift float64, w *rng.Stream) int {
	bands := &s.c.Age.Bands
	b := pick(cum, w.Float64())
	age := float64(bands[b]) + float64(w.Float64()*float64(bands[b+1]-bands[b]))
	limits := s.c.Age.Limits
	return int(min(float64(limits[1]), max(float64(limits[0]), age+shift)))
}

func (s *skeleton) ageShift(e *employer, year int) float64 {
	x := s.c.Sectors[e.sector]
	w, m := s.c.Window, s.c.Age.Mean
	return w.Line(x.Age03, x.Age21, float64(year)) - w.Between(m[0], m[1], m[2], float64(year)) + float64(e.ageShift)
}
