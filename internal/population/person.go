package population

import (
	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// people holds what is constant while the rows of workers are drawn: tables
// read from the calibration once. Its methods are pure: a row depends on the
// worker, the stream and the job that are passed in.
type people struct {
	c         *calibration.Figures
	cells     *cellTables
	from      int            // first year of the window
	partTime  [][2][]float64 // sector, sex: part-time rate by year of the window
	partAge   [2][]float64   // sex: factor on it by age
	fractions []fraction
	abroad    [][]float64                 // sector, region: share that lives abroad
	missing   [calibration.Groups]float64 // group of levels: share the register does not find at once
	hides     bool                        // whether the register may not know a level
	unknown   uint16                      // cell of those whose level is not in the register
	shorter   float64                     // mean working time that a part-timer lacks to a full one
	wages     wageTables
}

// fraction is a part-timer's working time and its cumulative share.
type fraction struct {
	hundredths int32
	upTo       float64
}

// newPeople reads the tables; price is the log index of wages by year from
// the first year on.
func newPeople(o Options, c *calibration.Figures, cells *cellTables, price func(year int) float64) *people {
	p := &people{c: c, cells: cells, from: o.From, wages: newWageTables(o, c, price)}
	p.unknown, p.hides = unknownCell(c, cells)
	h := &c.Hours
	rise := [2][][2]float64{h.RiseMen, h.RiseWomen}
	for _, x := range c.Sectors {
		var rates [2][]float64
		for sex, rate := range [2]float64{x.PartTimeM, x.PartTimeW} {
			for y := o.From; y <= o.To; y++ {
				rates[sex] = append(rates[sex], rate/100*interpolate(rise[sex], float64(y)))
			}
		}
		p.partTime = append(p.partTime, rates)
		p.abroad = append(p.abroad, abroadOf(c, x.Code))
	}
	for g := range p.missing {
		p.missing[g] = c.Register.Missing[calibration.Group(g).String()]
	}
	for sex, profile := range [2][][2]float64{h.AgeMen, h.AgeWomen} {
		for a := range ages {
			p.partAge[sex] = append(p.partAge[sex], interpolate(profile, float64(a)))
		}
	}
	sum := 0.0
	for _, f := range c.Hours.Fractions {
		sum += f.Share
		p.fractions = append(p.fractions, fraction{int32(f.Hundredths), sum})
		p.shorter += float64(f.Share * (1 - float64(f.Hundredths)/100))
	}
	return p
}

// person is what the skeleton knows of a worker.
type person struct {
	birth, since   int    // years of birth and of the first job
	cell           uint16 // true level and field, when first seen
	woman          bool
	sector, region uint8   // of the first employer
	effect         float64 // log wage, without the Pareto top
	surveyed       bool    // still had a job when the education register began
	rank           float64 // in [0, 1): works part-time where the rate is above it
}

// traits are what a worker keeps.
type traits struct {
	person
	fraction int32
	unpaid   bool // a director without pay
	riseYear int  // from that year on the true cell is rose
	rose     uint16
	registration
}

// traits draws what a worker keeps; r is the stream of the worker.
func (p *people) traits(x person, r *rng.Stream) traits {
	t := traits{person: x, riseYear: never}
	t.effect += p.wages.top(r)
	u := r.Float64()
	for _, f := range p.fractions {
		if t.fraction = f.hundredths; u < f.upTo {
			break
		}
	}
	l, f := p.cells.level(t.cell), p.cells.field(t.cell)
	w := &p.c.Wage
	if up := p.cells.rise[l]; up >= 0 && p.cells.allowed[up][f] && r.Bool(w.RiseShare) {
		age := max(w.RiseAge[0]+r.IntN(w.RiseAge[1]-w.RiseAge[0]), p.c.Levels[up].MinAge)
		t.riseYear, t.rose = t.birth+age, uint16(up*p.cells.fields+f)
	}
	t.registration = p.registered(&t, x.surveyed, r)
	t.unpaid = r.Bool(w.Unpaid)
	return t
}

// place is a job as its employer makes it, in one year.
type place struct {
	year           int
	second         bool // beside another job, or begins and ends in the year
	sector, region uint8
	psi            float64 // wage effect of the employer in the year
	wage           float64 // planted effect on the log wage of everybody
	masterWage     float64 // planted on top of it for masters
	fte            float64 // planted on the mean working time
}

// work is what a worker does in one year at a place.
type work struct {
	level, field int32 // as registered
	held         int32 // true level
	age          int32
	fte          int32   // hundredths
	full         float64 // full-time wage of a whole year, 0 for those without pay
}

// ages are those of the tables by age; whoever is older counts as the oldest.
const ages = 80

// work draws a row; r is the stream of the worker in the year.
func (p *people) work(t *traits, here *place, r *rng.Stream) work {
	age, cell, shown := here.year-t.birth, t.cell, p.shown(t, here.year)
	if here.year >= t.riseYear {
		cell = t.rose
	}
	w := work{
		level: int32(p.cells.level(shown)), field: int32(p.cells.field(shown)), held: int32(p.cells.level(cell)),
		age: int32(age), fte: 100,
	}
	if t.rank < p.partTimeRate(here.sector, t.woman, age, here.year)-here.fte/p.shorter {
		w.fte = t.fraction
	}
	if t.rank < p.c.Flows.Moonlighters {
		w.fte = p.besideAnother(t.fraction, here.second)
	}
	w.full = p.wages.full(t, here, cell, int(w.held), age, r) * p.wages.paid(t, r)
	return w
}

// besideAnother is the working time of somebody who takes second jobs: nowhere a
// full-time job, and never more than one together with the second, whose time is
// what the first leaves, up to a limit.
func (p *people) besideAnother(fraction int32, second bool) int32 {
	h := &p.c.Hours
	first := min(fraction, 100-int32(h.Second))
	if second {
		return min(100-first, int32(h.SecondMost))
	}
	return first
}

// partTimeRate is the share that works part-time.
func (p *people) partTimeRate(sector uint8, woman bool, age, year int) float64 {
	sex := sexOf(woman)
	return p.partTime[sector][sex][year-p.from] * p.partAge[sex][min(age, ages-1)]
}

// sexOf is the code of a sex in SexDict.
func sexOf(woman bool) int32 {
	if woman {
		return 1
	}
	return 0
}
