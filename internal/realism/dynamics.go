package realism

import (
	"math"

	"scramblelab/internal/frame"
)

// dynamics counts what an employer's head count did in a year. Staff that came
// by a takeover count on both sides of the year, as the official flow
// statistics do after they have linked the two numbers.
func (w *collector) dynamics(i, y int) {
	if y == 0 {
		return
	}
	s, at := w.s, i*w.years+y
	before, now := w.heads[at-1], w.heads[at]
	for k := range min(5, y) {
		if w.absorbed[at-k] > 0 {
			s.touched[y] += float64(now)
			break
		}
	}
	switch {
	case before == 0 && now > 0:
		s.entrants[y]++
		s.entryJobs[y] += float64(now)
	case before > 0 && now == 0:
		s.closers[y]++
		s.closingJobs[y] += float64(before)
	}
	moved := float64(w.moved[at])
	if w.gone[at] {
		s.takenOver[y] += float64(before)
		s.exits[y] -= moved
		return // its change is that of the buyer
	}
	if w.absorbed[at] > 0 {
		s.hires[y] -= moved
		s.fromJob[y] -= moved
		s.sectorHires[y*w.sectors.Len()+int(w.sector[i])] -= moved
		before += w.absorbed[at]
	}
	if now > before {
		s.created[y] += float64(now - before)
	} else {
		s.destroyed[y] += float64(before - now)
	}
	if before <= 0 || now <= 0 || w.absorbed[at] > 0 {
		return
	}
	x := math.Log(float64(now) / float64(before))
	for k, r := range [growthSize][2]int32{{5, 5}, {40, 62}, {400, 625}, {50, 249}} {
		if before >= r[0] && before <= r[1] {
			g := s.growth[(y*growthSize+k)*growthSums:]
			g[0]++
			g[1] += x
			g[2] += x * x
			g[3] += math.Abs(x)
		}
	}
	if y < 2 || before < 20 || w.heads[at-2] == 0 || w.absorbed[at-1] > 0 {
		return
	}
	u := math.Log(float64(w.heads[at-1]) / float64(w.heads[at-2]))
	c := s.serial[y*6:]
	c[0]++
	c[1] += x
	c[2] += u
	c[3] += x * x
	c[4] += u * u
	c[5] += x * u
}

// automation counts an employer's planted event and what its accounts show.
func (w *collector) automation(i int) {
	s := w.s
	most, last := int32(0), -1
	for y := range w.years {
		h := w.heads[i*w.years+y]
		most = max(most, h)
		if h > 0 {
			last = y
		}
	}
	if most == 0 {
		return
	}
	has := w.event[i] != frame.NoInt
	life := s.life[sizeBand(most)*2:]
	life[0]++
	if has {
		life[1]++
	}
	for y := 0; y <= last; y++ {
		h := float64(w.heads[i*w.years+y])
		e := s.exposed[y*3:]
		e[0] += h
		if has {
			e[1] += h
		}
		if int(w.seen[i]) == y+w.from {
			e[2] += h
		}
	}
	switch {
	case has && w.judged[i]:
		s.events[planted]++
		if w.seen[i] == w.event[i] {
			s.events[plantedSeen]++
		}
	case !has && w.judged[i]:
		s.events[unplanted]++
		if w.seen[i] != 0 {
			s.events[unplantedSeen]++
		}
	}
}
