package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// wageTables hold the log full-time wage in parts that add up.
type wageTables struct {
	c       *calibration.Figures
	from    int         // first year of the window
	base    float64     // log full-time wage before any premium, against the median
	premium []float64   // by cell
	ages    [][]float64 // level x age
	sectors []float64
	floor   []float64 // by year of the window: minimum wage, euro
	gap     []float64 // by year of the window: what women lack
	gapAge  []float64 // by age: what older women lack on top of it
	middle  []float64 // by year of the window: log wage around which the spread changes
	below   []float64 // by year of the window: factor on what lies below
	above   []float64 // and above
}

func newWageTables(o Options, c *calibration.Figures, price func(year int) float64) wageTables {
	x := &c.Wage
	t := wageTables{c: c, from: o.From, base: x.Intercept}
	for _, lv := range c.Levels {
		for _, f := range c.Fields {
			t.premium = append(t.premium, lv.Premium+f.Premium)
		}
		profile := make([]float64, ages)
		for a := range profile {
			profile[a] = lv.AgeSlope * interpolate(x.AgeAt, float64(a))
		}
		t.ages = append(t.ages, profile)
	}
	for _, sec := range c.Sectors {
		t.sectors = append(t.sectors, x.SectorPart*math.Log(sec.Wage/100))
	}
	for y := o.From; y <= o.To; y++ {
		p := price(y) - price(c.Window.Anchors[2])
		t.middle = append(t.middle, math.Log(x.Median2021)+p)
		t.below = append(t.below, interpolate(x.Below, float64(y)))
		t.above = append(t.above, interpolate(x.Above, float64(y)))
		t.floor = append(t.floor, x.Minimum2021*math.Exp(p))
		t.gap = append(t.gap, interpolate(x.WomenGap, float64(y)))
	}
	for a := range ages {
		t.gapAge = append(t.gapAge, interpolate(x.GapAge, float64(a)))
	}
	return t
}

// top draws what a worker earns everywhere beyond a normal effect: the Pareto top.
func (t *wageTables) top(r *rng.Stream) float64 {
	if x := &t.c.Wage; r.Float64() < x.TopShare {
		return r.Exp() / x.TopAlpha
	}
	return 0
}

// full draws the full-time wage of a year, in euro. Collective agreements
// narrow the lower half of wages, in some years more than in others; planted
// effects come on top, unchanged.
func (t *wageTables) full(x *traits, here *place, cell uint16, level, age int, r *rng.Stream) float64 {
	y, age := here.year-t.from, min(age, ages-1)
	z := t.base + t.premium[cell] + t.ages[level][age] + t.sectors[here.sector] + t.c.Regions[here.region].Wage +
		x.effect + here.psi + float64(t.c.Wage.NoiseSD*r.QuickNormal())
	if x.woman {
		z -= t.gap[y] + t.gapAge[age]
	}
	if z < 0 {
		z *= t.below[y]
	} else {
		z *= t.above[y]
	}
	z += here.wage
	if here.masterWage != 0 && t.c.Levels[level].Group == calibration.GroupMaster {
		z += here.masterWage
	}
	full := exp(t.middle[y] + z)
	if floor := t.floor[y]; full < floor {
		full = floor * (1 + float64(t.c.Wage.FloorSpread*r.Float64()))
	}
	return full
}

// paid is the share of the wage that reaches the worker: all but for directors
// without pay, years of unpaid leave, and corrections of an earlier year.
func (t *wageTables) paid(x *traits, r *rng.Stream) float64 {
	w := &t.c.Wage
	switch u := r.Float64(); {
	case x.unpaid || u < w.Leave:
		return 0
	case u < w.Leave+w.Correction:
		return w.Corrected[0] + float64((w.Corrected[1]-w.Corrected[0])*r.Float64())
	}
	return 1
}

// sizePremium is the log wage that an employer of that size pays on top.
func (t *wageTables) sizePremium(size float64) float64 {
	return t.c.Wage.SizePremium * math.Log(size/5)
}
