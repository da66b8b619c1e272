package population

import (
	"context"
	"math/bits"
	"slices"

	"scramblelab/internal/par"
	"scramblelab/internal/progress"
	"scramblelab/internal/rng"
)

// leaver is a worker who left, and where the next job is looked for.
type leaver struct {
	stay
	employer, day int32
	year          int16
	market        int16   // -1 for none
	effect        float32 // what the worker earns everywhere, log
}

// ended is a spell that is over.
type ended struct {
	employer int32
	spell
}

// batch is what a chunk of employers has to do with the markets of a year, and
// the spells that ended there so far.
type batch struct {
	openings []opening
	hires    []stay // who fills the openings; worker -1 for somebody new
	leavers  []leaver
	later    []leaver // of spells within the year, free from the next one on
	ended    []ended
	begun    []secondJob
	first    int // place of the first opening among those of all batches
}

const staffChunk = 512

// drawStaff fills all jobs of all years: first the staff at the start, then
// year by year separations and openings employer by employer, the markets that
// match them, and the hires that follow. Employers and markets run in parallel;
// what one of them does depends on no other of its kind.
func (s *skeleton) drawStaff(ctx context.Context, tell progress.Func) error {
	n := len(s.employers)
	years := s.o.To - s.o.From + 1
	tell.Step("staff", 0, years+2)
	s.leans, s.heirs = make([]*lean, n), make([]bool, n)
	for id := range s.employers {
		if h := s.employers[id].heir; h >= 0 {
			s.heirs[h] = true
		}
	}
	s.makeRoom()
	if err := s.drawInitial(ctx); err != nil {
		return err
	}
	tell.Step("staff", 1, years+2)
	seconds := s.newSecondJobs()
	m, batches := newMarkets(s), make([]batch, par.Count(n, staffChunk))
	for year := s.o.From; year <= s.o.To; year++ {
		if err := s.listSeconds(ctx, batches); err != nil {
			return err
		}
		s.moveStaff(year, &batches[0])
		err := par.Chunks(ctx, n, staffChunk, func(chunk, lo, hi int) error {
			b := &batches[chunk]
			b.openings = b.openings[:0]
			if n, gone := len(b.ended), year-s.o.From; gone > 0 && n+n/gone > cap(b.ended) { // years are alike
				b.ended = slices.Grow(b.ended, n/gone*(years-gone)*17/16)
			}
			b.leavers, b.later = append(b.leavers[:0], b.later...), b.later[:0]
			for id := lo; id < hi; id++ {
				s.passYear(int32(id), year, b)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := m.clear(ctx, year, batches); err != nil {
			return err
		}
		if err := s.welcome(ctx, year, batches); err != nil {
			return err
		}
		if err := s.takeSeconds(ctx, seconds, year, batches); err != nil {
			return err
		}
		tell.Step("staff", year-s.o.From+2, years+2)
	}
	if err := s.gatherSpells(ctx, batches); err != nil {
		return err
	}
	tell.Step("staff", years+2, years+2)
	return nil
}

// makeRoom reserves for every employer as many stays as it ever has at a
// year-end, in one vector.
func (s *skeleton) makeRoom() {
	most := func(e *employer) int {
		k := 0
		for y := max(int(e.first), s.o.From-1); y <= int(e.last); y++ {
			k = max(k, e.count(y))
		}
		return k
	}
	total := 0
	for id := range s.employers {
		total += most(&s.employers[id])
	}
	all := make([]stay, total)
	s.active = make([][]stay, len(s.employers))
	for id := range s.employers {
		k := most(&s.employers[id])
		s.active[id], all = all[:0:k], all[k:]
	}
}

// welcome lets the hires of a year begin, and makes those who were never seen.
func (s *skeleton) welcome(ctx context.Context, year int, batches []batch) error {
	next := make([]int, len(batches))
	total := len(s.workers)
	for k := range batches {
		next[k] = total
		for i := range batches[k].hires {
			if batches[k].hires[i].worker < 0 {
				total++
			}
		}
	}
	if fresh := total - len(s.workers); total > cap(s.workers) { // years are alike
		s.workers = slices.Grow(s.workers, fresh*(s.o.To-year+1)*9/8)
	}
	s.workers = s.workers[:total]
	return par.Do(ctx, len(batches), func(k int) error {
		b := &batches[k]
		var r rng.Stream
		ordinal, shorts := 0, 0
		for i := range b.openings {
			o, h := &b.openings[i], &b.hires[i]
			if i == 0 || b.openings[i-1].employer != o.employer {
				ordinal, shorts = 0, 0
			}
			nth := &ordinal
			if o.to != stillThere {
				nth = &shorts
			}
			if h.worker < 0 {
				h.worker = int32(next[k])
				next[k]++
				at := *nth
				if o.to != stillThere {
					at += entryShort
				}
				s.newcomer(h, o, year, at, &r)
			}
			*nth++
			h.senior = 0
			if h.second {
				b.begun = append(b.begun, secondJob{h.worker, o.employer})
			}
			if o.to == stillThere {
				s.active[o.employer] = append(s.active[o.employer], *h)
				continue
			}
			b.ended = append(b.ended, ended{o.employer, h.spell(o.to)})
			l := leaver{stay: *h, employer: o.employer, day: o.to, year: int16(year)}
			if s.seek(&l, &r) {
				b.later = append(b.later, l)
			}
		}
		return nil
	})
}

// gatherSpells sorts all spells by employer, those that still last included.
func (s *skeleton) gatherSpells(ctx context.Context, batches []batch) error {
	n := len(s.employers)
	chunkOf := func(id int32) int { return int(id) / staffChunk }
	var foreign []ended // heirs may stand in another chunk than those they continue
	for k := range batches {
		for _, e := range batches[k].ended {
			if chunkOf(e.employer) != k {
				foreign = append(foreign, e)
			}
		}
	}
	for _, e := range foreign {
		b := &batches[chunkOf(e.employer)]
		b.ended = append(b.ended, e)
	}
	s.spells = make([][]spell, n)
	err := par.Chunks(ctx, n, staffChunk, func(chunk, lo, hi int) error {
		var count [staffChunk]int
		b, total := &batches[chunk], 0
		for _, e := range b.ended {
			if chunkOf(e.employer) == chunk {
				count[int(e.employer)-lo]++
			}
		}
		for id := lo; id < hi; id++ {
			count[id-lo] += len(s.active[id])
			total += count[id-lo]
		}
		all := make([]spell, total)
		for id := lo; id < hi; id++ {
			k := count[id-lo]
			s.spells[id], all = all[:0:k], all[k:]
		}
		for _, e := range b.ended {
			if chunkOf(e.employer) == chunk {
				s.spells[e.employer] = append(s.spells[e.employer], e.spell)
			}
		}
		for id := lo; id < hi; id++ {
			for _, a := range s.active[id] {
				s.spells[id] = append(s.spells[id], a.spell(stillThere))
			}
		}
		b.ended = nil
		return nil
	})
	s.active = nil
	return err
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

// leave ends a stay and sends the worker to a market.
func (s *skeleton) leave(id int32, a *stay, year int, day int32, b *batch, r *rng.Stream) {
	day = max(day, a.from) // of those whom a takeover brought this year
	b.ended = append(b.ended, ended{id, a.spell(day)})
	if a.second {
		return
	}
	l := leaver{stay: *a, employer: id, day: day, year: int16(year)}
	if s.seek(&l, r) {
		b.leavers = append(b.leavers, l)
	}
}

// closeDown ends all jobs on one day; an heir takes everybody over on the next.
func (s *skeleton) closeDown(id int32, year int, b *batch) {
	var r, w rng.Stream
	s.key.Reseed(&r, stageSeparation, entityYear(id, year)|1<<63)
	e := &s.employers[id]
	days := s.c.Exits.Days
	day := s.day1(year) + int32(days[0]+r.IntN(max(0, days[1]-days[0])+1))
	taken := 0
	if e.heir >= 0 {
		taken = min(len(s.active[id]), s.employers[e.heir].count(year))
	}
	for i := range s.active[id] {
		a := &s.active[id][i]
		if i >= taken || a.second { // a second job does not outlast its employer
			s.leave(id, a, year, day, b, &w)
			continue
		}
		s.moveTo(e.heir, id, a, day, b)
	}
	if e.heir >= 0 {
		s.openFrom(e.heir, year, s.employers[e.heir].count(year)-len(s.active[e.heir]), int(day-s.day1(year))+1, b)
	}
	s.active[id] = s.active[id][:0]
}

// turnOver draws separations by tenure and age, layoffs down to the year-end
// head count, and openings up to it. Who goes is decided by a draw of the
// worker's own.
func (s *skeleton) turnOver(id int32, year int, b *batch) {
	e := &s.employers[id]
	var r, w rng.Stream
	factor, extra := s.sectorHaz[e.sector], 0.0
	if k, ok := s.own(e, year); ok {
		factor, extra = factor*s.world.Factor[k], s.world.Separation[k]
	}
	start := s.day1(year)
	var hazard [len(s.c.Flows.Separation)]float64
	retire := &s.retire[year-s.o.From]
	for t, h := range s.c.Flows.Separation {
		hazard[t] = float64(factor*h) + extra
	}
	staff, kept := s.active[id], 0
	draws := s.key.At(stageSeparation)
	for i := range staff {
		a := &staff[i]
		h := hazard[min(a.tenure(start), len(hazard)-1)] + retire[min(year-int(a.birth), ages-1)]
		u := draws.Uint64(workerYear(a.address, year))
		if a.second {
			u = rng.Mix(u, 2)
		}
		if float64(u>>11)*0x1p-53 >= h {
			if kept < i {
				staff[kept] = *a
			}
			kept++
			continue
		}
		day, _ := bits.Mul64(rng.Mix(u, 1), 362)
		s.leave(id, a, year, start+1+int32(day), b, &w)
	}
	stay, want := staff[:kept], e.count(year)
	if len(stay) > want {
		s.key.Reseed(&r, stageSeparation, entityYear(id, year)|1<<63)
	}
	for len(stay) > want { // the shortest tenure of some goes first
		i := r.IntN(len(stay))
		for range s.c.Flows.LastIn - 1 {
			if j := r.IntN(len(stay)); stay[j].from > stay[i].from {
				i = j
			}
		}
		s.leave(id, &stay[i], year, start+1+int32(r.IntN(362)), b, &w)
		stay[i] = stay[len(stay)-1]
		stay = stay[:len(stay)-1]
	}
	for i := range stay {
		s.seekSecond(id, &stay[i], year, b, &w)
	}
	s.active[id] = stay
	s.open(id, year, want-len(stay), b)
}

// retirement returns the hazard by age of leaving work for good in a year.
func (s *skeleton) retirement(year int) (hazard [ages]float64) {
	x := &s.c.Age
	for a := range hazard {
		for k, from := range x.RetireFrom {
			if a >= from {
				h := x.Retire[k]
				hazard[a] = s.c.Window.Line(h[0], h[1], float64(year))
			}
		}
	}
	return hazard
}
