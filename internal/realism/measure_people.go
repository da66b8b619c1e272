package realism

import (
	"math"
	"slices"
	"strconv"
)

// cellsOf returns the staff of a year by level and field.
func (e evidence) cellsOf() []float64 { return row(e.sums.cell, e.y, levels*fields) }

func (e evidence) levelCounts() []float64 {
	out := make([]float64, levels)
	for c, n := range e.cellsOf() {
		out[c/fields] += n
	}
	return out
}

func (e evidence) fieldCounts() []float64 {
	out := make([]float64, fields)
	for c, n := range e.cellsOf() {
		out[c%fields] += n
	}
	return out
}

func share(counts []float64, names []string, name string) (float64, string) {
	k := slices.Index(names, name)
	if k < 0 {
		return unknown(Target{Group: name}, names...)
	}
	return ratio(counts[k], total(counts), noStaff)
}

func levelShare(e evidence, t Target) (float64, string) {
	return share(e.levelCounts(), levelNames, t.Group)
}

func levelGap(e evidence, t Target) (float64, string) {
	counts := e.levelCounts()
	return gap(t, func(name string) (float64, string) { return share(counts, levelNames, name) })
}

func fieldShare(e evidence, t Target) (float64, string) {
	return share(e.fieldCounts(), fieldNames, t.Group)
}

func fieldGap(e evidence, t Target) (float64, string) {
	counts := e.fieldCounts()
	return gap(t, func(name string) (float64, string) { return share(counts, fieldNames, name) })
}

var bandNames = []string{"low", "mid", "high"}

// educationShare is the share of low, mid or high education among the known.
func educationShare(e evidence, t Target) (float64, string) {
	k := slices.Index(bandNames, t.Group)
	if k < 0 {
		return unknown(t, bandNames...)
	}
	var n [bands]float64
	for l, x := range e.levelCounts() {
		if b := bandOf(int32(l)); b >= 0 {
			n[b] += x
		}
	}
	return ratio(n[k], n[0]+n[1]+n[2], "no known education")
}

// educationSex is the share of high education among men or women.
func educationSex(e evidence, t Target) (float64, string) {
	k := slices.Index([]string{"male", "female"}, t.Group)
	if k < 0 {
		return unknown(t, "male", "female")
	}
	b := row(e.sexBand, e.y*sexes+k, bands)
	return ratio(b[2], total(b), "no known education")
}

// educationRegion is the share of high education by region of the employer.
func educationRegion(e evidence, t Target) (float64, string) {
	c, ok := e.regions.Code(t.Group)
	if !ok {
		return unknown(t, e.regions.Labels()...)
	}
	b := row(e.regionBand, e.y*e.regions.Len()+int(c), bands)
	return ratio(b[2], total(b), "no known education")
}

// cohortSlope is the weighted least-squares slope of the logit of high
// education in the year of birth, 1945-1990 and 25 years or older.
func cohortSlope(e evidence, _ Target) (float64, string) {
	var n, x, u, xx, xu float64
	for year := 1945; year <= min(1990, e.from+e.y-25); year++ {
		b := row(e.birth, e.y*birthYears+year-firstBirth, sexes*2)
		known, high := b[0]+b[2], b[1]+b[3]
		if high < 5 || known-high < 5 {
			continue
		}
		p := high / known
		w, logit := known*p*(1-p), math.Log(p/(1-p))
		z := float64(year - 1970)
		n, x, u, xx, xu = n+w, x+w*z, u+w*logit, xx+w*z*z, xu+w*z*logit
	}
	if n <= 0 {
		return math.NaN(), "too few workers by year of birth"
	}
	return ratio(xu-x*u/n, xx-x*x/n, "only one year of birth")
}

func positiveCells(e evidence, _ Target) (float64, string) {
	n := 0.0
	for _, x := range e.cellsOf() {
		if x > 0.5 {
			n++
		}
	}
	return n, ""
}

// information returns the entropy of the cells and the mutual information of
// level and field, in nats.
func (e evidence) information() (entropy, mutual float64, reason string) {
	cells, l, f := e.cellsOf(), e.levelCounts(), e.fieldCounts()
	n := total(cells)
	if n <= 0 {
		return math.NaN(), math.NaN(), noStaff
	}
	for c, x := range cells {
		if x > 0 {
			p := x / n
			entropy -= p * math.Log(p)
			mutual += p * math.Log(p*n*n/l[c/fields]/f[c%fields])
		}
	}
	return entropy, mutual, ""
}

func mutualInformation(e evidence, _ Target) (float64, string) {
	_, m, reason := e.information()
	return m, reason
}

func effectiveCells(e evidence, _ Target) (float64, string) {
	h, _, reason := e.information()
	return math.Exp(h), reason
}

func cramersV(e evidence, _ Target) (float64, string) {
	cells, l, f := e.cellsOf(), e.levelCounts(), e.fieldCounts()
	n := total(cells)
	if n <= 0 {
		return math.NaN(), noStaff
	}
	chi, rows, columns := 0.0, 0, 0
	for c, x := range cells {
		if want := l[c/fields] * f[c%fields] / n; want > 0 {
			chi += (x - want) * (x - want) / want
		}
	}
	for _, x := range l {
		if x > 0 {
			rows++
		}
	}
	for _, x := range f {
		if x > 0 {
			columns++
		}
	}
	return ratio(math.Sqrt(chi), math.Sqrt(n*float64(min(rows, columns)-1)), "one level or one field only")
}

// genericField is the share of the basic programmes within a level.
func genericField(e evidence, t Target) (float64, string) {
	k := slices.Index(levelNames, t.Group)
	if k < 0 {
		return unknown(t, levelNames...)
	}
	c := e.cellsOf()[k*fields : (k+1)*fields]
	return ratio(c[fieldGeneric], total(c), "nobody has that level")
}

var cellSizeNames = []string{"5", "10", "20", "50", "200", "1000"}

// smallCell divides two of the sums over employers of a size.
func smallCell(of, by int) func(evidence, Target) (float64, string) {
	return func(e evidence, t Target) (float64, string) {
		k := slices.Index(cellSizeNames, t.Group)
		if k < 0 {
			return unknown(t, cellSizeNames...)
		}
		c := row(e.cells, k, cellFacts)
		return ratio(c[of], c[by], "no employer of that size")
	}
}

// ageCounts returns the staff of a year in ages [lo, hi].
func (e evidence) ageCounts(block []float64, lo, hi, sex int) float64 {
	n := 0.0
	for a := max(lo, 0); a <= min(hi, ages-1); a++ {
		for s := range sexes {
			if sex < 0 || s == sex {
				n += block[(e.y*ages+a)*sexes+s]
			}
		}
	}
	return n
}

// ageBounds reads "25-34", "<25" or "55+".
func ageBounds(group string) (lo, hi int, ok bool) {
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		ok = ok && err == nil
		return n
	}
	ok = true
	switch {
	case len(group) == 3 && group[0] == '<':
		return 0, number(group[1:]) - 1, ok
	case len(group) == 3 && group[2] == '+':
		return number(group[:2]), ages - 1, ok
	case len(group) == 5 && group[2] == '-':
		return number(group[:2]), number(group[3:]), ok
	}
	return 0, 0, false
}

func ageShare(e evidence, t Target) (float64, string) {
	lo, hi, ok := ageBounds(t.Group)
	if !ok {
		return unknown(t, "<25", "25-34", "55+")
	}
	return ratio(e.ageCounts(e.people, lo, hi, -1), e.ageCounts(e.people, 0, ages, -1), noStaff)
}

func meanAge(e evidence, _ Target) (float64, string) {
	sum := 0.0
	for a := range ages {
		sum += float64(a) * e.ageCounts(e.people, a, a, -1)
	}
	return ratio(sum, e.ageCounts(e.people, 0, ages, -1), noStaff)
}

var sizeBands = []string{"1-9", "10-49", "50-249", "250+"}

func employerAgeSD(e evidence, t Target) (float64, string) {
	k := slices.Index(sizeBands, t.Group)
	if k < 0 {
		return unknown(t, sizeBands...)
	}
	a := row(e.sums.meanAge, e.y*bandsOf50+k, 3)
	if a[0] < 10 {
		return math.NaN(), "fewer than ten employers of that size"
	}
	return math.Sqrt((a[2] - a[1]*a[1]/a[0]) / (a[0] - 1)), ""
}

// lastExitAge is the mean age of those who left at 55 or later and have no job
// at any later year-end.
func lastExitAge(e evidence, _ Target) (float64, string) {
	if e.y > e.years-3 {
		return math.NaN(), "fewer than two years are left in which somebody could come back"
	}
	a := row(e.lastExit, e.y, 2)
	return ratio(a[1], a[0], "nobody of 55 or older left for good")
}

// partTime is the share of staff below full time.
func partTime(e evidence, t Target) (float64, string) {
	sex := slices.Index([]string{"all", "male", "female"}, t.Group) - 1
	if sex < -1 {
		return unknown(t, "all", "male", "female")
	}
	return ratio(e.ageCounts(e.sums.partTime, 0, ages, sex), e.ageCounts(e.people, 0, ages, sex), noStaff)
}

// partTimeOlder is that of men from 55 or women from 50 years on.
func partTimeOlder(e evidence, t Target) (float64, string) {
	sex := slices.Index([]string{"male", "female"}, t.Group)
	if sex < 0 {
		return unknown(t, "male", "female")
	}
	least := [2]int{55, 50}[sex]
	return ratio(e.ageCounts(e.sums.partTime, least, ages, sex), e.ageCounts(e.people, least, ages, sex), noStaff)
}

// fractionShare is the share of a working time among part-timers.
func fractionShare(e evidence, t Target) (float64, string) {
	f := row(e.fraction, e.y, fractions)
	var part float64
	switch t.Group {
	case "0.8":
		part = total(f[76:86])
	case "0.5":
		part = total(f[50:56])
	case "0.6-0.75":
		part = total(f[56:76])
	case "below 0.5":
		part = total(f[:50])
	default:
		return unknown(t, "0.8", "0.5", "0.6-0.75", "below 0.5")
	}
	return ratio(part, total(f[:100]), "nobody works part-time")
}

// partYear is the share of the year's workers who were not there all year.
func partYear(e evidence, _ Target) (float64, string) {
	return ratio(e.sums.partYear[e.y], e.jobs[e.y], "no job in that year")
}
