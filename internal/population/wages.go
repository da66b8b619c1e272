package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// wageTables hold the log full-time wage in parts that add up.
type wageTables struct {
	c        *calibration.Figures
	from     int         // first year of the window
	base     float64     // log full-time wage of 2021 before any premium
	premium  []float64   // by cell
	ages     [][]float64 // level x age
	sectors  []float64
	price    []float64 // by year of the window: index and drift, 0 in 2021
	floor    []float64 // by year of the window: minimum wage, euro
	gap      []float64 // by year of the window: what women lack
	sortOn   float64   // worker effect per unit of the employer's effect
	sortedSD float64   // sd of the worker effect given that
}

func newWageTables(o Options, c *calibration.Figures, price func(year int) float64) wageTables {
	x := &c.Wage
	t := wageTables{c: c, from: o.From, base: math.Log(x.Median2021) + x.Intercept}
	for _, lv := range c.Levels {
		for _, f := range c.Fields {
			t.premium = append(t.premium, lv.Premium+f.Premium)
		}
		profile := make([]float64, 80)
		for a := range profile {
			profile[a] = lv.AgeSlope * interpolate(x.AgeAt, float64(a))
		}
		t.ages = append(t.ages, profile)
	}
	for _, sec := range c.Sectors {
		t.sectors = append(t.sectors, x.SectorPart*math.Log(sec.Wage/100))
	}
	for y := o.From; y <= o.To; y++ {
		p := price(y) - price(2021)
		t.price = append(t.price, p)
		t.floor = append(t.floor, x.Minimum2021*math.Exp(p))
		t.gap = append(t.gap, between(x.WomenGap[0], (x.WomenGap[0]+x.WomenGap[1])/2, x.WomenGap[1], float64(y)))
	}
	t.sortOn = x.WorkerSD * x.Sorting / x.FirmSD
	t.sortedSD = x.WorkerSD * math.Sqrt(1-x.Sorting*x.Sorting)
	return t
}

// workerEffect draws what a worker earns everywhere, given the wage effect of
// the first employer.
func (t *wageTables) workerEffect(psi float64, r *rng.Stream) float64 {
	x := &t.c.Wage
	effect := float64(t.sortOn*psi) + float64(t.sortedSD*r.Normal())
	if r.Float64() < x.TopShare {
		effect += r.Exp() / x.TopAlpha
	}
	return effect
}

// full draws the full-time wage of a year, in euro.
func (t *wageTables) full(x *traits, here *place, cell uint16, level, age int, r *rng.Stream) float64 {
	y := here.year - t.from
	log := t.base + t.price[y] + t.premium[cell] + t.ages[level][min(age, len(t.ages[level])-1)] + t.sectors[here.sector] +
		t.c.Regions[here.region].Wage + x.effect + here.psi + float64(t.c.Wage.NoiseSD*r.Normal())
	if x.woman {
		log -= t.gap[y]
	}
	log += here.wage
	if here.masterWage != 0 && t.c.Levels[level].Group == calibration.GroupMaster {
		log += here.masterWage
	}
	return math.Exp(log)
}

// firmPath appends an employer's wage effect by year: first-order
// autoregressive from psi on with constant variance, plus the size premium;
// size gives the head count of a year, r is the stream of the employer.
func (t *wageTables) firmPath(dst []float64, psi float64, years int, size func(year int) float64, r *rng.Stream) []float64 {
	x := &t.c.Wage
	sd := x.FirmSD * math.Sqrt(1-x.FirmAR*x.FirmAR)
	for y := range years {
		dst = append(dst, psi+float64(x.SizePremium*math.Log(size(t.from+y)/5)))
		psi = float64(x.FirmAR*psi) + float64(sd*r.Normal())
	}
	return dst
}
