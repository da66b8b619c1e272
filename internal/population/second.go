package population

import (
	"context"
	"math"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// Some workers hold a second job beside the first: they never work full-time, so
// that the two together are no more than one full-time job. Some take one on the
// market like those who left a job, keep the first, and have both at year-ends
// until one of them ends. Others work for part of a year with another employer of
// the region, the same for a few years on: such a job fills no opening and frees
// nobody.

// secondJobs draws employers that give second jobs.
type secondJobs struct {
	employers [][]int32 // by region
	weights   []guided
}

// hoursRank is where a worker stands among all by the wish for a full-time
// job, in [0, 1): those below a rate work part-time where the rate is that.
func (s *skeleton) hoursRank(address uint64) float64 {
	return float64(s.key.Uint64(stageSecond, address)>>11) * 0x1p-53
}

// moonlights tells whether a worker is one of those who take second jobs: they
// are the ones who nowhere work full-time.
func (s *skeleton) moonlights(address uint64) bool {
	return s.hoursRank(address) < s.c.Flows.Moonlighters
}

func (s *skeleton) newSecondJobs() *secondJobs {
	n := len(s.c.Regions)
	g := &secondJobs{employers: make([][]int32, n), weights: make([]guided, n)}
	weights := make([][]float64, n)
	for id := range s.employers {
		e := &s.employers[id]
		size := 0
		for y := int(e.first); y <= int(e.last); y++ {
			size = max(size, e.count(y))
		}
		g.employers[e.region] = append(g.employers[e.region], int32(id))
		weights[e.region] = append(weights[e.region], float64(size)*s.shorts[e.sector])
	}
	for k, w := range weights {
		g.weights[k] = guide(cumulate(w))
	}
	return g
}

// secondJob returns the employer with whom a worker of another one has a second
// job in a year, or -1; r is free to use.
func (s *skeleton) secondJob(g *secondJobs, address uint64, own int32, year int, r *rng.Stream) int32 {
	f := &s.c.Flows
	period := (year + int(address)&0xff) / f.SecondYears
	s.key.Reseed(r, stageSecond, workerYear(address, period)|1<<63)
	region := s.employers[own].region
	for range f.Tries {
		id := g.employers[region][g.weights[region].pick(r.Float64())]
		if e := &s.employers[id]; id != own && e.present(year-1) && e.present(year) {
			return id
		}
	}
	return -1
}

// takeSeconds lets those who were with one employer all year have a second job
// in it.
func (s *skeleton) takeSeconds(ctx context.Context, g *secondJobs, year int, batches []batch) error {
	f := &s.c.Flows
	start := s.day1(year)
	for k := range batches {
		for _, x := range batches[k].begun {
			s.seconds[x.worker] = x.employer
		}
		batches[k].begun = batches[k].begun[:0]
	}
	return par.Chunks(ctx, len(s.employers), staffChunk, func(chunk, lo, hi int) error {
		var r rng.Stream
		b := &batches[chunk]
		for id := lo; id < hi; id++ {
			for i := range s.active[id] {
				a := &s.active[id][i]
				if a.from >= start || !a.moonlights || a.second {
					continue
				}
				if _, has := s.seconds[a.worker]; has {
					continue
				}
				s.key.Reseed(&r, stageSecond, workerYear(a.address, year))
				if !r.Bool(f.SecondRate) {
					continue
				}
				days := int32(math.Min(363, f.SecondDays[0]+float64((f.SecondDays[1]-f.SecondDays[0])*r.Float64())))
				from := start + 1 + int32(r.IntN(int(364-days)))
				if other := s.secondJob(g, a.address, int32(id), year, &r); other >= 0 {
					b.ended = append(b.ended, ended{other, spell{^a.worker, from, from + days - 1}})
				}
			}
		}
		return nil
	})
}

// secondJob is a worker's lasting second job.
type secondJob struct{ worker, employer int32 }

// listSeconds lists who has a lasting second job as a year begins.
func (s *skeleton) listSeconds(ctx context.Context, batches []batch) error {
	err := par.Chunks(ctx, len(s.employers), staffChunk, func(chunk, lo, hi int) error {
		b := &batches[chunk]
		b.begun = b.begun[:0]
		for id := lo; id < hi; id++ {
			for i := range s.active[id] {
				if a := &s.active[id][i]; a.second {
					b.begun = append(b.begun, secondJob{a.worker, int32(id)})
				}
			}
		}
		return nil
	})
	s.seconds = map[int32]int32{}
	for k := range batches {
		for _, x := range batches[k].begun {
			s.seconds[x.worker] = x.employer
		}
		batches[k].begun = batches[k].begun[:0]
	}
	return err
}

// seekSecond lets somebody who stays look for a lasting second job.
func (s *skeleton) seekSecond(id int32, a *stay, year int, b *batch, r *rng.Stream) {
	if !a.moonlights || a.second || a.from >= s.day1(year) || year-int(a.birth) >= s.c.Age.LastMove {
		return
	}
	if _, has := s.seconds[a.worker]; has {
		return
	}
	s.key.Reseed(r, stageSecond, workerYear(a.address, year)|1<<62)
	if !r.Bool(s.c.Flows.SecondSeek) {
		return
	}
	e := &s.employers[id]
	l := leaver{stay: *a, employer: id, day: s.day1(year) + int32(r.IntN(300)), year: int16(year)}
	l.second = true
	sector := e.sector
	if !r.Bool(s.c.Flows.SameSector) {
		sector = uint8(pick(s.staffCum[sexOf(s.workers[l.worker].woman)], r.Float64()))
	}
	l.market, l.effect = int16(s.marketOf(sector, e.region, l.cell)), s.workers[l.worker].effect
	b.leavers = append(b.leavers, l)
}
