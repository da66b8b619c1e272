package population

import (
	"context"
	"math"
	"sync/atomic"

	"scramblelab/internal/calibration"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// registration is what the education register holds of a worker. It begins
// with a survey: who was there has the level found then in earlier years too,
// who had left before is missing more often, and what is found later is not
// carried back. Level and field are missing or known together.
type registration struct {
	knownFrom int // first year in which the level is known
	riseFrom  int // first year in which the register shows the higher level
}

const (
	always = math.MinInt32
	never  = math.MaxInt32
)

// registered draws what the register holds of a worker; surveyed says whether
// the worker still had a job at the survey or later.
func (p *people) registered(t *traits, surveyed bool, r *rng.Stream) registration {
	x := &p.c.Register
	g := registration{knownFrom: always, riseFrom: never}
	group := p.c.Levels[p.cells.level(t.cell)].Group
	u, v := r.Float64(), r.Float64()
	abroad := p.abroad[t.sector][t.region]
	switch found := p.missing[group]; {
	case !p.hides:
	case u < abroad:
		g.knownFrom = never // lives abroad
	case u < abroad+found:
		// The later the worker came, the later the diploma is found.
		g.knownFrom = max(x.Survey, t.since) + 1 + int(min(-math.Log(1-v)/x.Filled, 1000))
	case !surveyed && u < abroad+found+x.Gone:
		g.knownFrom = never
	}
	if t.riseYear != never {
		g.riseFrom = t.riseYear + x.Late[0] + r.IntN(max(0, x.Late[1]-x.Late[0])+1)
		if g.riseFrom <= x.Survey { // carried back as far as the age allows
			g.riseFrom = t.birth + p.c.Levels[p.cells.level(t.rose)].MinAge
		}
	}
	return g
}

// shown returns the registered cell of a worker in a year.
func (p *people) shown(t *traits, year int) uint16 {
	switch {
	case year < t.knownFrom:
		return p.unknown
	case year >= t.riseFrom:
		return t.rose
	}
	return t.cell
}

// unknownCell is the cell of those whose level is not in the register; has is
// false in a country without a level for them.
func unknownCell(c *calibration.Figures, cells *cellTables) (cell uint16, has bool) {
	for l, x := range c.Levels {
		if x.Group == calibration.GroupUnknown {
			return uint16(l*cells.fields + int(cells.fieldAt[l][0])), true
		}
	}
	return 0, false
}

// abroadOf returns the share of workers who live abroad, by region, of a sector.
func abroadOf(c *calibration.Figures, sector string) []float64 {
	factor, has := c.Register.BySector[sector]
	if !has {
		factor = 1
	}
	var shares []float64
	for _, r := range c.Regions {
		shares = append(shares, factor*c.Register.CrossBorder[r.Code])
	}
	return shares
}

// survey marks the workers who had a job at the survey or later, or at the end
// of a window that ends before it.
func (e *emitter) survey(ctx context.Context) error {
	day := e.day1(min(e.c.Register.Survey, e.o.To+1)) - 1
	e.surveyed = make([]uint32, (len(e.workers)+31)/32)
	return par.Chunks(ctx, len(e.spells), emitChunk, func(_, lo, hi int) error {
		for _, spells := range e.spells[lo:hi] {
			for _, sp := range spells {
				if sp.to >= day {
					atomic.OrUint32(&e.surveyed[sp.who()/32], 1<<(sp.who()%32))
				}
			}
		}
		return nil
	})
}
