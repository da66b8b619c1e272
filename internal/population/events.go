package population

import (
	"math"

	"scramblelab/internal/rng"
)

// drawEvents plants automation events: one at most per employer, with a hazard
// by size, sector, firm effect and lagged growth, all of the year before.
func (s *skeleton) drawEvents() {
	x := s.c.Adopt
	first, last := max(x.First, s.o.From+1), min(x.Last, s.o.To-1)
	slope := x.FirmEffect / float64(s.c.Wage.FirmSD*s.c.Wage.FirmSD)
	norm := .5 * slope * x.FirmEffect
	var r rng.Stream
	for id := range s.employers {
		e := &s.employers[id]
		for year := max(first, int(e.first)+1); year <= min(last, int(e.last)); year++ {
			s.key.Reseed(&r, stageEvent, entityYear(int32(id), year))
			size, growth := e.size(year-1), 0.0
			if e.present(year - 2) {
				growth = min(.7, max(-.7, math.Log(size/e.size(year-2))))
			}
			h := x.BySize[s.law.class(size)] / float64(x.Last-x.First+1) * s.c.Sectors[e.sector].Automation *
				math.Exp(float64(slope*float64(e.psi))-norm+float64(x.Growth*growth))
			if r.Bool(h) {
				e.event = int16(year)
				break
			}
		}
	}
}

// plantHeads turns latent sizes into head counts: business cycle and planted
// effects, rounded with the employer's own constant so that the mean is kept.
func (s *skeleton) plantHeads() {
	cycle := s.cycle()
	for id := range s.employers {
		e := &s.employers[id]
		e.staff = make([]int32, len(e.latent))
		for y := int(e.first); y <= int(e.last); y++ {
			effect := s.world.headCountEffect(y, int(e.event), s.exposureOf(int32(id), y))
			e.staff[y-int(e.first)] = int32(max(1, math.Floor(float64(e.size(y)*math.Exp(cycle[y-s.o.From+1]+effect))+float64(e.heads))))
		}
	}
}
