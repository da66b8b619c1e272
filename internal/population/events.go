package population

import (
	"context"
	"math"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// outcome is one of the potential outcomes of a population: on whom events act.
// All latent paths and streams are the same in each.
type outcome uint8

const (
	actsOnOwner     outcome = 1 << iota // the employer that automates
	actsOnSuppliers                     // those of its main suppliers
	actsOnRivals                        // employers of its class of activity

	untreated outcome = 0 // the twin
	ownOnly           = actsOnOwner
	factual           = actsOnOwner | actsOnSuppliers | actsOnRivals
)

// drawEvents plants automation events: one at most per employer, with a hazard
// by what is published for the year before (size class and growth of the head
// count, sector) and by the firm effect, which moves no trend.
func (s *skeleton) drawEvents() {
	x := s.c.Adopt
	first, last := max(x.First, s.o.From+1), min(x.Last, s.o.To-1)
	slope := x.FirmEffect / float64(s.c.Wage.FirmSD*s.c.Wage.FirmSD)
	norm := .5 * slope * x.FirmEffect
	s.drawCycle()
	_ = par.Chunks(context.Background(), len(s.employers), networkChunk, func(_, lo, hi int) error {
		var r rng.Stream
		for id := lo; id < hi; id++ {
			s.drawEvent(int32(id), first, last, slope, norm, &r)
		}
		return nil
	})
}

// drawEvent plants the event of an employer in a year from first to last, if it
// has one.
func (s *skeleton) drawEvent(id int32, first, last int, slope, norm float64, r *rng.Stream) {
	x, e := s.c.Adopt, &s.employers[id]
	for year := max(first, int(e.first)+1); year <= min(last, int(e.last)); year++ {
		s.key.Reseed(r, stageEvent, entityYear(id, year))
		heads, growth := s.headsAt(e, year-1, 0), 0.0
		if e.present(year - 2) {
			growth = min(x.GrowthCap, max(-x.GrowthCap, math.Log(float64(heads)/float64(s.headsAt(e, year-2, 0)))))
		}
		class := s.c.Size.Class(int(heads))
		h := x.BySize[class] / x.AtRisk[class] * s.c.Sectors[e.sector].Automation *
			math.Exp(float64(slope*float64(e.psi))-norm+float64(x.Growth*growth))
		if r.Bool(h) {
			e.event = int16(year)
			return
		}
	}
}

// drawCycle adds up the growth of jobs less that of the number of employers: the
// log level of head counts around their path by year, from the year before the
// window on, with mean zero over the window.
func (s *skeleton) drawCycle() {
	s.cycle = []float64{0}
	mean, years := 0.0, float64(s.o.To-s.o.From+1)
	for y := s.o.From; y <= s.o.To; y++ {
		s.cycle = append(s.cycle, s.cycle[y-s.o.From]+s.c.Cycle[y]-s.c.Size.Growth)
		mean += s.cycle[y-s.o.From+1] / years
	}
	for k := range s.cycle {
		s.cycle[k] -= mean
	}
}

// headsAt is an employer's head count at a year-end under a log effect: latent
// size, business cycle and effect, rounded with the employer's own constant so
// that the mean is kept, and never below one.
func (s *skeleton) headsAt(e *employer, year int, effect float64) int32 {
	return int32(max(1, math.Floor(float64(e.size(year)*math.Exp(s.cycle[year-s.o.From+1]+effect))+float64(e.heads))))
}

// plantHeads turns latent sizes into the head counts of the outcome that this
// skeleton draws.
func (s *skeleton) plantHeads() {
	s.drawRivals()
	s.exposedFrom = s.firstExposures()
	// The work of a moment is not worth a way out.
	_ = par.Chunks(context.Background(), len(s.employers), networkChunk, func(_, lo, hi int) error {
		for id := lo; id < hi; id++ {
			e := &s.employers[id]
			e.staff = make([]int32, len(e.latent))
			for y := int(e.first); y <= int(e.last); y++ {
				e.staff[y-int(e.first)] = s.headsUnder(int32(id), y, s.outcome)
			}
		}
		return nil
	})
}

// headsUnder is the head count of an employer under a potential outcome. The
// differential trend of the pretrend world is no effect: it is in all of them.
func (s *skeleton) headsUnder(id int32, year int, o outcome) int32 {
	e, w := &s.employers[id], &s.world
	x := 0.0
	if e.event != 0 {
		x = w.PreTrend * float64(year-int(e.event))
	}
	if k, ok := at(year, int(e.event)); ok && o&actsOnOwner != 0 {
		x += w.HeadCount[k]
	}
	if shares := s.exposureOf(id, year); shares != nil && o&actsOnSuppliers != 0 {
		for k, share := range shares {
			x += float64(w.Supplier[k] * share)
		}
	}
	if o&actsOnRivals != 0 {
		x += float64(w.Rival * s.rivalShare(id, year))
	}
	return s.headsAt(e, year, x)
}

// own returns the event time of an employer in the outcome that is drawn, ok
// false before its event and where events do not act.
func (s *skeleton) own(e *employer, year int) (k int, ok bool) {
	if s.outcome&actsOnOwner == 0 {
		return 0, false
	}
	return at(year, int(e.event))
}

// buyers returns the sales shares of an employer's buyers by event time in the
// outcome that is drawn, nil where there are none.
func (s *skeleton) buyers(id int32, year int) *[5]float64 {
	if s.outcome&actsOnSuppliers == 0 {
		return nil
	}
	return s.exposureOf(id, year)
}

// rivals are the sales of a class of activity, and those of its employers that
// have automated.
type rivals struct{ sales, automated []float64 } // by year of the window

// drawRivals adds up sales by four-digit class of activity, from latent sizes.
// Classes without an event are left out.
func (s *skeleton) drawRivals() {
	s.rivals = map[int32]*rivals{}
	years := s.o.To - s.o.From + 1
	for id := range s.employers {
		if k := s.classOf(int32(id)); s.employers[id].event != 0 && s.rivals[k] == nil {
			s.rivals[k] = &rivals{make([]float64, years), make([]float64, years)}
		}
	}
	for id := range s.employers {
		e, c := &s.employers[id], s.rivals[s.classOf(int32(id))]
		if c == nil {
			continue
		}
		for y := max(s.o.From, int(e.first)); y <= int(e.last); y++ {
			sales := s.turnover(int32(id), y)
			c.sales[y-s.o.From] += sales
			if _, ok := at(y, int(e.event)); ok {
				c.automated[y-s.o.From] += sales
			}
		}
	}
}

// rivalShare is the share of the sales of an employer's class of activity that
// other employers make which have automated, in [0, 1].
func (s *skeleton) rivalShare(id int32, year int) float64 {
	c := s.rivals[s.classOf(id)]
	if c == nil || year < s.o.From || c.automated[year-s.o.From] == 0 {
		return 0
	}
	others := c.automated[year-s.o.From]
	if _, ok := at(year, int(s.employers[id].event)); ok {
		others -= s.turnover(id, year)
	}
	if others < 1 { // euro: the rounding of a sum of one
		return 0
	}
	return others / c.sales[year-s.o.From]
}

// classOf is an employer's four-digit class of activity.
func (s *skeleton) classOf(id int32) int32 {
	e := &s.employers[id]
	return int32(e.sector)<<16 | int32(e.class4)
}

// firstExposures returns the first year in which an event of another employer acts
// on this one, as a supplier, as a competitor, or through the employer that it
// continues under a new number; 0 if none does.
func (s *skeleton) firstExposures() []int16 {
	out := make([]int16, len(s.employers))
	for id := range s.employers { // an heir comes after the one it continues
		e := &s.employers[id]
		for y := max(s.o.From, int(e.first)); y <= int(e.last) && out[id] == 0; y++ {
			if s.exposed(int32(id), y) {
				out[id] = int16(y)
			}
		}
		if h := e.heir; h >= 0 && (e.event != 0 || out[id] != 0) {
			out[h] = s.employers[h].first
		}
	}
	return out
}

// exposed reports whether the events of others act on an employer in a year. In
// a world that plants nothing on suppliers or competitors they do not.
func (s *skeleton) exposed(id int32, year int) bool {
	w := &s.world
	if shares := s.exposureOf(id, year); shares != nil {
		for k, x := range shares {
			if x > 0 && (w.Supplier[k] != 0 || w.SupplierHigh[k] != 0) {
				return true
			}
		}
	}
	return w.Rival != 0 && s.rivalShare(id, year) > 0
}
