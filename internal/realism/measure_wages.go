package realism

import (
	"math"
	"slices"
	"strconv"
)

const nobodyFullTime = "nobody at an employer of ten or more worked full-time all year"

// quantileOf reads a quantile from a histogram, linearly within its bin.
func quantileOf(bins []float64, p float64) (float64, string) {
	n := total(bins)
	if n < 20 {
		return math.NaN(), nobodyFullTime
	}
	at, sum := p*n, 0.0
	for b, x := range bins {
		if sum+x >= at && x > 0 {
			if b == len(bins)-1 {
				return math.NaN(), "above the largest wage that is counted"
			}
			return wageStep * (float64(b) + (at-sum)/x), ""
		}
		sum += x
	}
	return math.NaN(), nobodyFullTime
}

// monthly turns a yearly taxable wage into a gross monthly one.
func (e evidence) monthly(x float64, reason string) (float64, string) { return x / e.month, reason }

var decileNames = []string{"D1", "D5", "D9"}

// monthQuantile is a decile of full-time full-year workers at employers of ten
// or more staff, as the wage survey reports it.
func monthQuantile(e evidence, t Target) (float64, string) {
	k := slices.Index(decileNames, t.Group)
	if k < 0 {
		return unknown(t, decileNames...)
	}
	return e.monthly(quantileOf(row(e.largeFullTime, e.y, wageBins), []float64{.1, .5, .9}[k]))
}

func monthMean(e evidence, _ Target) (float64, string) {
	s := row(e.largeSum, e.y, 2)
	return e.monthly(ratio(s[1], s[0], nobodyFullTime))
}

func (e evidence) deciles() (d1, d5, d9 float64, reason string) {
	h := row(e.largeFullTime, e.y, wageBins)
	d1, reason = quantileOf(h, .1)
	d5, _ = quantileOf(h, .5)
	d9, r := quantileOf(h, .9)
	if reason == "" {
		reason = r
	}
	return d1, d5, d9, reason
}

// normalDeciles is the distance of D1 and D9 of a standard normal law.
const normalDeciles = 2 * 1.2815515655446004

func logSDDeciles(e evidence, _ Target) (float64, string) {
	d1, _, d9, reason := e.deciles()
	return math.Log(d9/d1) / normalDeciles, reason
}

func halfSpread(e evidence, t Target) (float64, string) {
	d1, d5, d9, reason := e.deciles()
	switch t.Group {
	case "upper":
		return 2 * math.Log(d9/d5) / normalDeciles, reason
	case "lower":
		return 2 * math.Log(d5/d1) / normalDeciles, reason
	}
	return unknown(t, "upper", "lower")
}

func meanToMedian(e evidence, _ Target) (float64, string) {
	mean, reason := monthMean(e, Target{})
	median, r := monthQuantile(e, Target{Group: "D5"})
	if reason == "" {
		reason = r
	}
	return mean / median, reason
}

// medianGrowth is the median over that of an earlier year, the group.
func medianGrowth(e evidence, t Target) (float64, string) {
	first, err := strconv.Atoi(t.Group)
	if err != nil || first >= e.from+e.y {
		return unknown(t, "an earlier year")
	}
	if first < e.from {
		return math.NaN(), "the window begins later"
	}
	now, reason := quantileOf(row(e.largeFullTime, e.y, wageBins), .5)
	then, r := quantileOf(row(e.largeFullTime, first-e.from, wageBins), .5)
	if reason == "" {
		reason = r
	}
	return now / then, reason
}

func yearMedianAll(e evidence, _ Target) (float64, string) {
	return quantileOf(row(e.anyWage, e.y, wageBins), .5)
}

func logSDAll(e evidence, _ Target) (float64, string) {
	l := row(e.anyLog, e.y, 3)
	v, reason := ratio(l[2]-l[1]*l[1]/l[0], l[0], "no wage in that year")
	return math.Sqrt(v), reason
}

// logsOf adds the counts, logs and euros of a set of workers.
func (e evidence) logsOf(keep func(age, level, sex int) bool) (n, x, euro float64) {
	for a := range ages {
		for l := range levels {
			for s := range sexes {
				if keep(a, l, s) {
					b := row(e.logs, ((e.y*ages+a)*levels+l)*sexes+s, logWage)
					n, x, euro = n+b[0], x+b[1], euro+b[2]
				}
			}
		}
	}
	return n, x, euro
}

func levelsOf(group string) (lo, hi int, ok bool) {
	switch group {
	case "low":
		return 1, 5, true
	case "mid":
		return 6, 9, true
	case "bachelor":
		return 10, 12, true
	case "master":
		return 13, 15, true
	}
	return 0, 0, false
}

// educationPremium is the raw difference of mean log wages from upper
// secondary, ages 25-64.
func educationPremium(e evidence, t Target) (float64, string) {
	lo, hi, ok := levelsOf(t.Group)
	if !ok {
		return unknown(t, "low", "bachelor", "master")
	}
	mean := func(lo, hi int) float64 {
		n, x, _ := e.logsOf(func(a, l, _ int) bool { return a >= 25 && a <= 64 && l >= lo && l <= hi })
		return x / n
	}
	d := mean(lo, hi) - mean(6, 9)
	if math.IsNaN(d) {
		return d, nobodyFullTime
	}
	return d, ""
}

// levelPremium is the difference of mean log wages from the levels of upper
// secondary school (L06-L08) at equal age and sex: cells of five years of age
// by sex, weighted by the level's own workers.
func levelPremium(e evidence, t Target) (float64, string) {
	k := slices.Index(levelNames, t.Group)
	if k < 0 {
		return unknown(t, levelNames...)
	}
	var weight, sum float64
	for a := 20; a < 65; a += 5 {
		for s := range sexes {
			in := func(lo, hi int) (float64, float64) {
				n, x, _ := e.logsOf(func(age, l, sex int) bool { return age >= a && age < a+5 && l >= lo && l <= hi && sex == s })
				return n, x
			}
			n, x := in(k, k)
			m, u := in(6, 8)
			if n > 0 && m > 0 {
				weight, sum = weight+n, sum+n*(x/n-u/m)
			}
		}
	}
	return ratio(sum, weight, "nobody has that level")
}

// educationRatio is the mean wage of an education over that of all.
func educationRatio(e evidence, t Target) (float64, string) {
	lo, hi, ok := levelsOf(t.Group)
	if !ok {
		return unknown(t, "low", "bachelor", "master")
	}
	n, _, euro := e.logsOf(func(_, l, _ int) bool { return l >= lo && l <= hi })
	s := row(e.largeSum, e.y, 2)
	return ratio(euro*s[0], n*s[1], nobodyFullTime)
}

// ageProfile is the mean log wage at an age (two years around it) relative to
// 40, with the education of all workers held fixed.
func ageProfile(e evidence, t Target) (float64, string) {
	at, err := strconv.Atoi(t.Group)
	if err != nil {
		return unknown(t, "an age")
	}
	var weight, sum float64
	for l := range levels {
		near := func(age int) (float64, float64) {
			n, x, _ := e.logsOf(func(a, level, _ int) bool { return level == l && a >= age-1 && a <= age+1 })
			return n, x
		}
		n, x := near(at)
		m, u := near(40)
		if n > 0 && m > 0 {
			w, _, _ := e.logsOf(func(_, level, _ int) bool { return level == l })
			weight, sum = weight+w, sum+w*(x/n-u/m)
		}
	}
	return ratio(sum, weight, nobodyFullTime)
}

// ageCrossing is the age at which the least-squares line through wages by age,
// 25 to 60, is the mean of all: a smooth figure, where the first age above the
// mean would jump by years from one sample to the next.
func ageCrossing(e evidence, _ Target) (float64, string) {
	var n, x, u, xx, xu float64
	for age := 25; age <= 60; age++ {
		w, _, euro := e.logsOf(func(a, _, _ int) bool { return a == age })
		z := float64(age - 40)
		n, x, u, xx, xu = n+w, x+w*z, u+euro, xx+w*z*z, xu+z*euro
	}
	s := row(e.largeSum, e.y, 2)
	if n <= 0 || s[0] <= 0 {
		return math.NaN(), nobodyFullTime
	}
	slope := (xu - x*u/n) / (xx - x*x/n)
	if !(slope > 0) {
		return math.NaN(), "wages do not rise with age"
	}
	return 40 + x/n + (s[1]/s[0]-u/n)/slope, ""
}

func ageRatio(e evidence, t Target) (float64, string) {
	least, err := strconv.Atoi(t.Group)
	if err != nil {
		return unknown(t, "an age")
	}
	n, _, euro := e.logsOf(func(a, _, _ int) bool { return a >= least })
	s := row(e.largeSum, e.y, 2)
	return ratio(euro*s[0], n*s[1], nobodyFullTime)
}

// sexGap is one minus the mean wage of women over that of men, full-time.
func sexGap(e evidence, _ Target) (float64, string) {
	n, _, women := e.logsOf(func(_, _, s int) bool { return s == 1 })
	m, _, men := e.logsOf(func(_, _, s int) bool { return s == 0 })
	r, reason := ratio(women*m, n*men, nobodyFullTime)
	return 1 - r, reason
}

func regionWage(e evidence, t Target) (float64, string) {
	c, ok := e.regions.Code(t.Group)
	if !ok {
		return unknown(t, e.regions.Labels()...)
	}
	w, s := row(e.sums.regionWage, e.y*e.regions.Len()+int(c), 2), row(e.largeSum, e.y, 2)
	return ratio(w[1]*s[0], w[0]*s[1], nobodyFullTime)
}

// betweenShare is the share of the variance of log full-time wages between
// employers, by one-way analysis of variance with its correction for few
// workers (unequal groups, Searle, Casella and McCulloch 1992, section 3.6).
func betweenShare(e evidence, _ Target) (float64, string) {
	b := row(e.between, e.y, 5)
	n, f := b[0], b[4]
	if f < 2 || n <= f {
		return math.NaN(), "too few employers with full-time workers"
	}
	within := (b[2] - b[3]) / (n - f)
	all := (b[2] - b[1]*b[1]/n) / n
	return ratio(all-within, all, "no variation of wages")
}

// firmEffectShare is the staff-weighted variance of the planted wage effects
// of employers over the variance of log full-time wages.
func firmEffectShare(e evidence, _ Target) (float64, string) {
	f, b := row(e.sums.effect, e.y, 3), row(e.between, e.y, 5)
	if f[0] <= 0 || b[0] <= 0 {
		return math.NaN(), noStaff
	}
	return ratio(f[2]/f[0]-f[1]*f[1]/f[0]/f[0], b[2]/b[0]-b[1]*b[1]/b[0]/b[0], "no variation of wages")
}

// sizeElasticity is the slope of log wages in log head counts, no controls.
func sizeElasticity(e evidence, _ Target) (float64, string) {
	m := row(e.slope, e.y, moments)
	return ratio(m[4]-m[1]*m[2]/m[0], m[3]-m[1]*m[1]/m[0], "all employers are equally large")
}
