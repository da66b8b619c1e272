package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// takeover moves staff between employers that both exist: all of it where the
// giver closes (a merger), a part where it goes on. A firm that merely gets a
// new number has an heir instead.
type takeover struct {
	giver, taker int32
	year         int16
	share        float32
}

// endings sorts those who leave their number behind, or part of their staff, in
// a year.
type endings struct {
	renamed  []int32 // continue under a new number
	absorbed []int32 // are taken over by another employer
	split    []int32 // sell a part and go on
}

func (n *endings) clear() {
	n.renamed, n.absorbed, n.split = n.renamed[:0], n.absorbed[:0], n.split[:0]
}

// add says how an exit ends: under a new number, inside another employer, or
// for good.
func (n *endings) add(id int32, class int, x calibration.Exits, r *rng.Stream) {
	switch u := r.Float64(); {
	case u < x.Renamed[class]:
		n.renamed = append(n.renamed, id)
	case u < x.Renamed[class]+x.Absorbed[class]:
		n.absorbed = append(n.absorbed, id)
	}
}

// takeOver finds a taker for each giver among the employers of the same section
// that live on and are no smaller than what they take, in proportion to a power
// of their size, and moves latent size.
func (s *skeleton) takeOver(year int, living []int32, n *endings) {
	if len(n.absorbed)+len(n.split) == 0 {
		return
	}
	ids, cum := make([][]int32, len(s.c.Sectors)), make([][]float64, len(s.c.Sectors))
	for _, id := range living {
		e := &s.employers[id]
		last := 0.0
		if k := len(cum[e.sector]); k > 0 {
			last = cum[e.sector][k-1]
		}
		ids[e.sector] = append(ids[e.sector], id)
		cum[e.sector] = append(cum[e.sector], last+math.Pow(e.size(year), s.c.Takeovers.Attach))
	}
	var r rng.Stream
	busy := map[int32]bool{} // gives or takes this year already: one takeover at a time
	for _, id := range n.absorbed {
		busy[id] = true
	}
	move := func(id int32, share, size float64) {
		sector := s.employers[id].sector
		for range 40 {
			if len(ids[sector]) == 0 {
				return
			}
			to := ids[sector][pick(cum[sector], r.Float64())]
			if busy[to] || to == id || s.employers[to].size(year) < share*size {
				continue
			}
			busy[to] = true
			taker := &s.employers[to]
			at := year - int(taker.first)
			taker.latent[at] = float32(min(s.law.cap(), float64(taker.latent[at])+float64(share*size)))
			s.takeovers = append(s.takeovers, takeover{id, to, int16(year), float32(share)})
			return
		}
	}
	for _, id := range n.absorbed {
		s.key.Reseed(&r, stageTakeover, entityYear(id, year))
		move(id, 1, s.employers[id].size(year-1))
	}
	for _, id := range n.split {
		if busy[id] {
			continue
		}
		busy[id] = true
		s.key.Reseed(&r, stageTakeover, entityYear(id, year))
		x := s.c.Takeovers.Part
		share := x[0] + float64((x[1]-x[0])*r.Float64())
		e, before := &s.employers[id], len(s.takeovers)
		at := year - int(e.first)
		move(id, share, float64(e.latent[at]))
		if len(s.takeovers) > before {
			e.latent[at] = float32(max(s.law.bounds[0], float64(e.latent[at])*(1-share)))
		}
	}
}

// tenure is the completed years of service on a day.
func (a *stay) tenure(day int32) int { return int(a.senior) + max(0, int(day-a.from)/365) }

// moveTo carries a stay on with another employer from the next day on.
func (s *skeleton) moveTo(to, id int32, a *stay, day int32, b *batch) {
	b.ended = append(b.ended, ended{id, a.spell(day)})
	moved := *a
	moved.senior, moved.from = int16(a.tenure(day)), day+1
	s.active[to] = append(s.active[to], moved)
}

// moveStaff carries out the takeovers of a year, before anybody leaves: on one
// day of spring all staff of a giver that closes, or some drawn from one that
// goes on, works for the taker.
func (s *skeleton) moveStaff(year int, b *batch) {
	var r, w rng.Stream
	var now batch
	for _, x := range s.takeovers {
		if int(x.year) != year {
			continue
		}
		s.key.Reseed(&r, stageTakeover, entityYear(x.giver, year)|1<<63)
		day := s.day1(year) + 30 + int32(r.IntN(90))
		staff := s.active[x.giver]
		moving := int(math.Round(float64(x.share) * float64(len(staff))))
		if moving < len(staff) {
			rng.Sample(&r, staff, moving)
		}
		for i := range staff[:moving] {
			a := &staff[i]
			if other, has := s.seconds[a.worker]; a.second || has && other == x.taker { // nobody has two jobs with one employer
				s.leave(x.giver, a, year, day, &now, &w)
				continue
			}
			s.moveTo(x.taker, x.giver, a, day, b)
		}
		b.ended, b.later = append(b.ended, now.ended...), append(b.later, now.leavers...)
		now.ended, now.leavers = now.ended[:0], now.leavers[:0]
		s.active[x.giver] = append(staff[:0], staff[moving:]...)
	}
}
