package population

import (
	"math"
	"time"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// skeleton is all that crosses employers: their paths, events, links, spells,
// and who fills which opening. Traits, wages and accounts are emitted from it
// employer by employer.
type skeleton struct {
	o     Options
	c     *calibration.Figures
	key   rng.Sim
	world world
	law   *sizeLaw
	lives *lives
	cells *cellTables

	regionCum []float64
	price     []float64       // log wage index by year since the first of the figures
	days      []int32         // 1 January by year since longestPast before it
	sectorHaz []float64       // sector: factor on separation hazards
	tenures   [][]float64     // sector: cumulative distribution of tenures of a stock
	shorts    []float64       // sector: short spells per lasting hire
	stockCum  []float64       // cumulative shares of age bands as the window opens
	retire    [][ages]float64 // year of the window: hazard of leaving work by age
	stock     sorting         // of the staff with which the window opens,
	hires     sorting         // and of those hired later
	near      float32         // distance of worker effects at which nobody nearer is looked for
	normal    [1 << normalBits]float32
	staffCum  [2][]float64 // sex, sector: cumulative staff, for those who change sector

	employers    []employer
	sales        []float64   // euro, by employer and year-end first..last
	salesAt      []int32     // by employer: where they stand, less the first year
	takeovers    []takeover  // by year
	classCum     [][]float64 // sector: cumulative shares of its four-digit classes
	net          *network
	buyerSectors [][]float64    // seller's sector: cumulative shares of the sectors of its buyers
	exposure     [][][5]float64 // employer x year since first: sales shares by event time of the buyer
	outcome      outcome
	known        *numbers  // of workers of the factual population, in a twin
	cycle        []float64 // log, by year-end from the one before the window
	rivals       map[int32]*rivals
	exposedFrom  []int16 // employer: first year in which an event of another acts on it, 0 for none

	workers []worker
	seconds map[int32]int32 // worker: the employer of a lasting second job this year
	spells  [][]spell       // by employer, once the staff is drawn; in no order
	active  [][]stay        // by employer: who works there now
	leans   []*lean         // employer: nil where nothing is planted on its staff
	heirs   []bool          // employers that continue another
}

func newSkeleton(o Options) *skeleton {
	c := o.Figures
	s := &skeleton{o: o, c: c, outcome: factual, key: rng.Sim(rng.Mix(o.Seed, 0x706f70)), world: worldOf(c, o.World), cells: newCellTables(c)}
	shares := make([]float64, len(c.Regions))
	for i, r := range c.Regions {
		shares[i] = r.Share
	}
	s.regionCum = cumulate(shares)
	s.stock, s.hires = sortingOf(&c.Wage, c.Wage.Sorting), sortingOf(&c.Wage, c.Wage.SortingHires)
	s.near, s.normal = float32(c.Flows.Near*c.Wage.WorkerSD), normalQuantiles()
	level := 0.0
	for y := c.Window.First; y <= c.Window.Last; y++ {
		if y > c.Window.First {
			level += math.Log(1+c.Wage.Index[y]/100) + latest(c.Wage.Drift, y)/100
		}
		s.price = append(s.price, level)
	}
	for y := c.Window.First - longestPast; y <= o.To+1; y++ {
		s.days = append(s.days, int32(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).Unix()/86400))
	}
	s.stockCum = s.stockAges(o.From - 1)
	for y := o.From; y <= o.To; y++ {
		s.retire = append(s.retire, s.retirement(y))
	}
	mean, total := 0.0, 0.0
	men, women := make([]float64, len(c.Sectors)), make([]float64, len(c.Sectors))
	for i, x := range c.Sectors {
		men[i] = (x.Staff03 + x.Staff21) * (1 - x.Women/100)
		women[i] = (x.Staff03 + x.Staff21) * x.Women / 100
		mean, total = mean+float64(x.Hires*(x.Staff03+x.Staff21)), total+x.Staff03+x.Staff21
	}
	s.staffCum = [2][]float64{cumulate(men), cumulate(women)}
	for _, x := range c.Sectors {
		f := math.Pow(x.Hires/(mean/total), c.Flows.SectorPow)
		s.sectorHaz = append(s.sectorHaz, f)
		s.shorts = append(s.shorts, c.Flows.Short*math.Pow(x.Hires/(mean/total), c.Flows.ShortPow))
		survive, w := 1.0, make([]float64, c.Flows.TenureMost)
		for k := range w {
			w[k] = survive
			survive *= 1 - min(c.Flows.SeparationMost, f*c.Flows.Separation[min(k, 11)])
		}
		s.tenures = append(s.tenures, cumulate(w))
	}
	return s
}

// priceOf is the log index of wages and prices, 0 in the first year of the
// figures and constant outside them.
func (s *skeleton) priceOf(year int) float64 {
	return s.price[min(max(year-s.c.Window.First, 0), len(s.price)-1)]
}

// day1 is 1 January of a year in days since 1970-01-01.
func (s *skeleton) day1(year int) int32 { return s.days[year-s.c.Window.First+longestPast] }

// longestPast is how many years before the figures begin no spell began.
const longestPast = 60
