package population

import (
	"context"
	"math"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// Some workers hold a second job beside the first in some years: a few hours a
// week with another employer of the region, for part of the year, with the same
// employer for a few years on. Their first job is never full-time, so that the
// two together are no more than one full-time job. A second job is a spell
// beside those of the markets: it fills no opening and frees nobody.

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
	return par.Chunks(ctx, len(s.employers), staffChunk, func(chunk, lo, hi int) error {
		var r rng.Stream
		b := &batches[chunk]
		for id := lo; id < hi; id++ {
			for i := range s.active[id] {
				a := &s.active[id][i]
				if a.from >= start || !a.moonlights {
					continue
				}
				s.key.Reseed(&r, stageSecond, workerYear(a.address, year))
				if !r.Bool(f.SecondRate) {
					continue
				}
				days := int32(math.Min(363, f.SecondDays[0]+float64((f.SecondDays[1]-f.SecondDays[0])*r.Float64())))
				from := start + 1 + int32(r.IntN(int(364-days)))
				if other := s.secondJob(g, a.address, int32(id), year, &r); other >= 0 {
					b.ended = append(b.ended, ended{other, spell{a.worker, from, from + days - 1}})
				}
			}
		}
		return nil
	})
}
