package population

import (
	"math"
	"testing"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// tables returns the tables of workers' rows for the whole window.
func tables() (*skeleton, *people) {
	s := newSkeleton(Options{}.Normal())
	return s, newPeople(s.o, s.c, s.cells, s.priceOf)
}

// someone draws a worker of a sector and region.
func someone(s *skeleton, k uint64, surveyed bool) person {
	r := s.key.Stream(stageWorker, k)
	sector, region := uint8(r.IntN(len(s.c.Sectors))), uint8(r.IntN(len(s.c.Regions)))
	x := person{birth: 1945 + r.IntN(55), since: s.c.Window.First - 1, sector: sector, region: region, surveyed: surveyed, rank: r.Float64()}
	x.cell = s.cells.draw(sector, x.birth, r)
	x.woman = r.Bool(s.cells.women[sector][x.cell])
	x.effect = s.c.Wage.WorkerSD * r.Normal()
	return x
}

// What the register shows never contradicts itself, whoever the worker is.
func TestRegisterLaws(t *testing.T) {
	s, p := tables()
	unknown, has := unknownCell(s.c, s.cells)
	if !has {
		t.Fatal("Belgium has a level for those whose level is unknown")
	}
	missing, late, before := [2]float64{}, 0, 0
	for k := range uint64(20000) {
		surveyed := k%2 == 0
		x := p.traits(someone(s, k, surveyed), s.key.Stream(stageEffect, k))
		last := unknown
		for y := s.o.From; y <= s.o.To; y++ {
			cell, age := p.shown(&x, y), y-x.birth
			level := s.cells.level(cell)
			if !s.cells.allowed[level][s.cells.field(cell)] {
				t.Fatalf("worker %d, %d: cell %d is a structural zero", k, y, cell)
			}
			if last != unknown && (cell == unknown || level < s.cells.level(last)) {
				t.Fatalf("worker %d, %d: cell fell from %d to %d", k, y, last, cell)
			}
			if cell == x.rose && x.riseYear != never && age < s.c.Levels[level].MinAge {
				t.Fatalf("worker %d has level %s at %d", k, s.c.Levels[level].Code, age)
			}
			if x.riseYear != never && cell == x.rose {
				if y > s.c.Register.Survey && y < x.riseYear+s.c.Register.Late[0] && last != x.rose {
					t.Fatalf("worker %d: rise of %d shown in %d, sooner than the register knows", k, x.riseYear, y)
				}
			} else if x.riseYear <= y && cell != unknown {
				late++
			}
			last = cell
		}
		if p.shown(&x, s.o.From) == unknown {
			missing[k%2]++
			if s.c.Register.Survey-s.o.From > 0 && p.shown(&x, s.c.Register.Survey) != unknown {
				before++
			}
		}
	}
	if before > 0 {
		t.Errorf("%d workers are unknown at the start and known at the survey, which is carried back", before)
	}
	if late == 0 {
		t.Error("every rise is in the register at once")
	}
	if !(missing[1] > 1.7*missing[0]) { // .21 against .1
		t.Errorf("%v of 10000 who had left before the survey are unknown, %v of the others: want survivor bias", missing[1], missing[0])
	}
}

// Two jobs at a time are no more than one full-time job.
func TestSecondJobsFit(t *testing.T) {
	s, p := tables()
	for k := range uint64(4000) {
		x := someone(s, k, true)
		x.rank *= s.c.Flows.Moonlighters
		tr := p.traits(x, s.key.Stream(stageEffect, k))
		main := p.work(&tr, &place{year: 2015, sector: x.sector}, s.key.Stream(stageYear, k))
		second := p.work(&tr, &place{year: 2015, sector: uint8(k % uint64(len(s.c.Sectors))), second: true}, s.key.Stream(stageYear, k))
		if main.fte < 1 || second.fte < 1 || main.fte+second.fte > 100 {
			t.Fatalf("worker %d works %d and %d hundredths at a time", k, main.fte, second.fte)
		}
	}
}

// Planted wage effects add to the log wage whatever the spread of the year.
func TestPlantedWageAddsUp(t *testing.T) {
	s, p := tables()
	for k := range uint64(500) {
		x := p.traits(someone(s, k, true), s.key.Stream(stageEffect, k))
		here := place{year: 2003 + int(k%19), sector: x.sector, region: x.region}
		without := p.wages.full(&x, &here, x.cell, s.cells.level(x.cell), here.year-x.birth, s.key.Stream(stageYear, k))
		here.wage = .05
		with := p.wages.full(&x, &here, x.cell, s.cells.level(x.cell), here.year-x.birth, s.key.Stream(stageYear, k))
		if floor := p.wages.floor[here.year-p.from]; without < floor*1.05 {
			continue
		}
		if d := math.Log(with / without); math.Abs(d-.05) > 1e-12 {
			t.Fatalf("worker %d: log wage rose by %v, want .05", k, d)
		}
	}
}

// Raked factors bring the sectors' shares of a group back to those of the
// cohort, whatever the sectors' own.
func TestRakeKeepsTheCohort(t *testing.T) {
	s, _ := tables()
	for b, shares := range s.cells.shares {
		want, got, staff := groupWeights{}, groupWeights{}, 0.0
		for l, q := range shares {
			want[s.c.Levels[l].Group] += q
		}
		for k, x := range s.c.Sectors {
			cum := s.cells.levelCum[k][b]
			w := x.Staff03 + x.Staff21
			staff += w
			for l := range cum {
				q := cum[l]
				if l > 0 {
					q -= cum[l-1]
				}
				got[s.c.Levels[l].Group] += w * q / cum[len(cum)-1]
			}
		}
		for g := range want {
			if math.Abs(got[g]/staff-want[g]) > .002 {
				t.Fatalf("cohort %d: share of group %s is %.4f, want %.4f", s.cells.cohort0+b, calibration.Group(g), got[g]/staff, want[g])
			}
		}
	}
}

func BenchmarkWork(b *testing.B) {
	s, p := tables()
	var r rng.Stream
	x := p.traits(someone(s, 1, true), s.key.Stream(stageEffect, 1))
	here := place{year: 2015, sector: x.sector, region: x.region}
	for i := range b.N {
		s.key.Reseed(&r, stageYear, uint64(i))
		p.work(&x, &here, &r)
	}
}

func BenchmarkTraits(b *testing.B) {
	s, p := tables()
	var r rng.Stream
	x := someone(s, 1, true)
	for i := range b.N {
		s.key.Reseed(&r, stageEffect, uint64(i))
		p.traits(x, &r)
	}
}
