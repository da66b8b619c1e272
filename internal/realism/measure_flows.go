package realism

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// flow is a rate of the twelve months that end in the middle of the target's
// year, as the official flow statistics count them: half of the calendar year
// before and half of this one. Flows compare two dates: who came and left in
// between is in neither.
func flow(part func(s *sums, y int) float64) func(evidence, Target) (float64, string) {
	return func(e evidence, _ Target) (float64, string) {
		return ratio(part(e.sums, e.y-1)+part(e.sums, e.y), e.base[e.y-1]+e.base[e.y], noStaff)
	}
}

func yearGrowth(e evidence, _ Target) (float64, string) {
	return ratio(e.created[e.y]-e.destroyed[e.y], e.base[e.y], noStaff)
}

// cycleCorrelation is Pearson's correlation of net growth with a series.
func cycleCorrelation(e evidence, t Target) (float64, string) {
	var n, x, u, xx, uu, xu float64
	for y := 1; y < e.years; y++ {
		want, ok := t.Series[strconv.Itoa(e.from+y)]
		if !ok || e.base[y] <= 0 {
			continue
		}
		got := (e.created[y] - e.destroyed[y]) / e.base[y]
		n, x, u, xx, uu, xu = n+1, x+got, u+want, xx+got*got, uu+want*want, xu+got*want
	}
	if n < 5 {
		return math.NaN(), "fewer than five years of growth"
	}
	return ratio(xu-x*u/n, math.Sqrt((xx-x*x/n)*(uu-u*u/n)), "growth is the same in every year")
}

func jobToJob(e evidence, _ Target) (float64, string) {
	return ratio(e.fromJob[e.y], e.sums.hires[e.y], "nobody was hired")
}

func employerEntry(e evidence, _ Target) (float64, string) {
	return ratio(e.entrants[e.y], e.employers[e.y-1], noEmployers)
}

func employerExit(e evidence, _ Target) (float64, string) {
	return ratio(e.closers[e.y], e.employers[e.y-1], noEmployers)
}

func entrantJobs(e evidence, _ Target) (float64, string) {
	return ratio(e.entryJobs[e.y], total(row(e.sizeStaff, e.y, sizes)), noStaff)
}

func entrantSize(e evidence, _ Target) (float64, string) {
	return ratio(e.entryJobs[e.y], e.entrants[e.y], "no new employer")
}

func entryOfCreation(e evidence, _ Target) (float64, string) {
	return ratio(e.entryJobs[e.y], e.created[e.y], "no job was created")
}

func exitOfDestruction(e evidence, _ Target) (float64, string) {
	return ratio(e.closingJobs[e.y]-e.takenOver[e.y], e.destroyed[e.y], "no job was destroyed")
}

var growthSizes = []string{"5", "50", "500", "50-249"}

// growthOf pools the growth rates of a size over the years, as deviations from
// each year's mean.
func growthOf(e evidence, k int) (n, variance, absolute float64) {
	for y := 1; y < e.years; y++ {
		g := row(e.growth, y*growthSize+k, growthSums)
		if g[0] < 2 {
			continue
		}
		n += g[0]
		variance += g[2] - g[1]*g[1]/g[0]
		absolute += g[3]
	}
	return n, variance / n, absolute / n
}

func growthSD(e evidence, t Target) (float64, string) {
	k := slices.Index(growthSizes, t.Group)
	if k < 0 {
		return unknown(t, growthSizes...)
	}
	n, variance, _ := growthOf(e, k)
	if n < 30 {
		return math.NaN(), fmt.Sprintf("%.0f growth rates at that size, want at least 30", n)
	}
	return math.Sqrt(variance), ""
}

// growthSpread is the exponent b of sd ~ size^b between 50 and 500 staff.
func growthSpread(e evidence, _ Target) (float64, string) {
	n, mid, _ := growthOf(e, 1)
	m, large, _ := growthOf(e, 2)
	if n < 30 || m < 30 {
		return math.NaN(), "fewer than 30 growth rates at 50 or at 500 staff"
	}
	return math.Log(large/mid) / 2 / math.Log(10), ""
}

// growthShape is the mean absolute growth over its standard deviation: .707
// for a Laplace law, .798 for a normal one (Geary's ratio).
func growthShape(e evidence, _ Target) (float64, string) {
	n, variance, absolute := growthOf(e, 3)
	if n < 100 {
		return math.NaN(), fmt.Sprintf("%.0f growth rates, want at least 100", n)
	}
	return ratio(absolute, math.Sqrt(variance), "growth is the same everywhere")
}

func growthSerial(e evidence, _ Target) (float64, string) {
	var n, xx, uu, xu float64
	for y := 2; y < e.years; y++ {
		c := row(e.serial, y, 6)
		if c[0] < 2 {
			continue
		}
		n += c[0]
		xx, uu, xu = xx+c[3]-c[1]*c[1]/c[0], uu+c[4]-c[2]*c[2]/c[0], xu+c[5]-c[1]*c[2]/c[0]
	}
	if n < 100 {
		return math.NaN(), fmt.Sprintf("%.0f pairs of growth rates, want at least 100", n)
	}
	return ratio(xu, math.Sqrt(xx*uu), "growth is the same everywhere")
}

func tenureBelow1(e evidence, _ Target) (float64, string) {
	t := row(e.tenure, e.y, maxTenure)
	return ratio(t[0], total(t), noStaff)
}

func tenureAbove10(e evidence, _ Target) (float64, string) {
	if e.y < 10 {
		return math.NaN(), "the window begins less than ten years before"
	}
	t := row(e.tenure, e.y, maxTenure)
	return ratio(total(t[10:]), total(t), noStaff)
}

// separation is the probability of leaving within a year of tenure: one minus
// exp(-exits per person-year), over all spells that began in the window.
func separation(e evidence, t Target) (float64, string) {
	from, to := 0, 0
	switch t.Group {
	case "10+":
		from, to = 9, hazards
	default:
		k, err := strconv.Atoi(t.Group)
		if err != nil || k < 1 || k > hazards-1 {
			return unknown(t, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10+")
		}
		from, to = k-1, k
	}
	rate, reason := ratio(total(e.leaving[from:to]), total(e.exposure[from:to]), "no spell lasted that long in the window")
	return 1 - math.Exp(-rate), reason
}

// takenOver is the share of staff in employers that got staff by a takeover
// in the last five years.
func takenOver(e evidence, _ Target) (float64, string) {
	return ratio(e.touched[e.y], total(row(e.sizeStaff, e.y, sizes)), noStaff)
}

func (e evidence) sectorCode(t Target) (int, bool) {
	c, ok := e.sectors.Code(t.Group)
	return int(c) + e.y*e.sectors.Len(), ok
}

func sectorStaff(e evidence, t Target) (float64, string) {
	c, ok := e.sectorCode(t)
	if !ok {
		return unknown(t, e.sectors.Labels()...)
	}
	return ratio(e.sectorStaff[c], total(row(e.sectorStaff, e.y, e.sectors.Len())), noStaff)
}

func sectorEmployers(e evidence, t Target) (float64, string) {
	c, ok := e.sectorCode(t)
	if !ok {
		return unknown(t, e.sectors.Labels()...)
	}
	return ratio(e.sums.sector[c], e.employers[e.y], noEmployers)
}

func sectorWomen(e evidence, t Target) (float64, string) {
	c, ok := e.sectorCode(t)
	if !ok {
		return unknown(t, e.sectors.Labels()...)
	}
	return ratio(e.sectorSex[c*sexes+1], total(row(e.sectorSex, c, sexes)), "no staff in that sector")
}

func sectorPart(sex int) func(evidence, Target) (float64, string) {
	return func(e evidence, t Target) (float64, string) {
		c, ok := e.sectorCode(t)
		if !ok {
			return unknown(t, e.sectors.Labels()...)
		}
		return ratio(e.sums.sectorPart[c*sexes+sex], e.sectorSex[c*sexes+sex], "no staff of that sex in that sector")
	}
}

func sectorAge(e evidence, t Target) (float64, string) {
	c, ok := e.sectorCode(t)
	if !ok {
		return unknown(t, e.sectors.Labels()...)
	}
	return ratio(e.sums.sectorAge[c], total(row(e.sectorSex, c, sexes)), "no staff in that sector")
}

// sectorWage is the mean full-time full-year wage of a sector over that of all.
func sectorWage(e evidence, t Target) (float64, string) {
	c, ok := e.sectorCode(t)
	if !ok {
		return unknown(t, e.sectors.Labels()...)
	}
	var n, sum float64
	for k := range e.sectors.Len() {
		w := row(e.sums.sectorWage, e.y*e.sectors.Len()+k, 2)
		n, sum = n+w[0], sum+w[1]
	}
	if n <= 0 || sum <= 0 {
		return math.NaN(), "nobody worked full-time all year"
	}
	w := row(e.sums.sectorWage, c, 2)
	return ratio(w[1]*n/sum, w[0], "nobody in that sector worked full-time all year")
}

func sectorHires(e evidence, t Target) (float64, string) {
	c, ok := e.sectorCode(t)
	if !ok {
		return unknown(t, e.sectors.Labels()...)
	}
	return ratio(e.sums.sectorHires[c], e.sectorBase[c], "no staff in that sector")
}

func sectorBand(band int) func(evidence, Target) (float64, string) {
	return func(e evidence, t Target) (float64, string) {
		c, ok := e.sectorCode(t)
		if !ok {
			return unknown(t, e.sectors.Labels()...)
		}
		b := row(e.sums.sectorBand, c, bands)
		return ratio(b[band], total(b), "no known education in that sector")
	}
}

// sectorGap is the mean absolute deviation from a series over its sectors.
// Sectors without a figure in the population are left out.
func sectorGap(run func(evidence, Target) (float64, string)) func(evidence, Target) (float64, string) {
	return func(e evidence, t Target) (float64, string) {
		return gap(t, func(name string) (float64, string) {
			return run(e, Target{Group: name})
		})
	}
}

// gap is the mean absolute deviation of figures by name from the target's
// series, in the order of the names.
func gap(t Target, figure func(name string) (float64, string)) (float64, string) {
	sum, n := 0.0, 0.0
	for _, name := range t.names() {
		x, reason := figure(name)
		if strings.HasPrefix(reason, "there is no group") {
			return math.NaN(), reason
		}
		if reason == "" {
			sum, n = sum+math.Abs(x-t.Series[name]), n+1
		}
	}
	return ratio(sum, n, "none of the groups has a figure")
}

// goodsShare is the share of staff in industry and construction.
func goodsShare(e evidence, _ Target) (float64, string) {
	sum := 0.0
	for _, name := range []string{"B", "C", "D", "E", "F"} {
		if x, reason := sectorStaff(e, Target{Group: name}); reason == "" {
			sum += x
		}
	}
	return ratio(sum, 1, "")
}
