package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// people holds what is constant while the rows of workers are drawn: tables
// read from the calibration once. Its methods are pure: a row depends on the
// worker, the stream and the job that are passed in.
type people struct {
	c         *calibration.Figures
	cells     *cellTables
	from      int       // first year of the window
	partTime  []float64 // by year of the window: part-time rates against 2021
	fractions []fraction
	shorter   float64 // mean working time that a part-timer lacks to a full one
	wages     wageTables
}

// fraction is a part-timer's working time and its cumulative share.
type fraction struct {
	hundredths int32
	upTo       float64
}

// newPeople reads the tables; price is the log index of wages by year from
// FirstYear on.
func newPeople(o Options, c *calibration.Figures, cells *cellTables, price func(year int) float64) *people {
	p := &people{c: c, cells: cells, from: o.From, wages: newWageTables(o, c, price)}
	for y := o.From; y <= o.To; y++ {
		p.partTime = append(p.partTime, between(c.Hours.Rise, (1+c.Hours.Rise)/2, 1, float64(y)))
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
	birth int
	cell  uint16
	woman bool
	psi   float64 // wage effect of the first employer
}

// traits are what a worker keeps.
type traits struct {
	person
	effect    float64 // log wage
	hoursRank float64 // works part-time where this is below the rate
	fraction  int32
	riseYear  int
	rose      uint16
}

// traits draws what a worker keeps; r is the stream of the worker.
func (p *people) traits(x person, r *rng.Stream) traits {
	t := traits{person: x, riseYear: math.MaxInt32}
	t.effect = p.wages.workerEffect(x.psi, r)
	t.hoursRank = r.Float64()
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
	return t
}

// place is a job as its employer makes it, in one year.
type place struct {
	year           int
	sector, region uint8
	psi            float64 // wage effect of the employer in the year
	wage           float64 // planted effect on the log wage of everybody
	masterWage     float64 // planted on top of it for masters
	fte            float64 // planted on the mean working time
}

// work is what a worker does in one year at a place.
type work struct {
	level, field, age int32
	fte               int32   // hundredths
	full              float64 // full-time wage of a whole year
}

// work draws a row; r is the stream of the worker in the year.
func (p *people) work(t *traits, here *place, r *rng.Stream) work {
	age, cell := here.year-t.birth, t.cell
	if here.year >= t.riseYear {
		cell = t.rose
	}
	w := work{level: int32(p.cells.level(cell)), field: int32(p.cells.field(cell)), age: int32(age), fte: 100}
	if t.hoursRank < p.partTimeRate(here.sector, t.woman, age, here.year)-here.fte/p.shorter {
		w.fte = t.fraction
	}
	w.full = p.wages.full(t, here, cell, int(w.level), age, r)
	if floor := p.wages.floor[here.year-p.from]; w.full < floor {
		w.full = floor * (1 + float64(.04*r.Float64()))
	}
	return w
}

// partTimeRate is the share that works part-time.
func (p *people) partTimeRate(sector uint8, woman bool, age, year int) float64 {
	x, h := &p.c.Sectors[sector], &p.c.Hours
	rate := x.PartTimeM
	if woman {
		rate = x.PartTimeW
	}
	rate *= p.partTime[year-p.from] / 100
	if age >= h.OlderFrom {
		rate *= h.Older
	}
	return rate
}
