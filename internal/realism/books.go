package realism

import (
	"math"
	"slices"

	"scramblelab/internal/frame"
)

// Structural rules that a population never breaks.
const (
	duplicateJobs = iota
	datesOutside
	brokenSpells
	ageSteps
	sexChanges
	fteOutside
	unknownWithField
	levelFalls
	staffOutsideLife
	duplicateAccounts
	accountsOfNobody
	accountSums
	unpublished
	microTooEarly
	schemaTooShort
	duplicateLinks
	selfLinks
	wrongCheckDigits
	issuedNumbers
	duplicateNumbers
	numberOfBreaches
)

// thresholds are the limits of the small and of the micro schema in euro, by
// first year; a company is small that exceeds no more than one of three.
var thresholds = []struct {
	from                   int
	staff, turnover, total float64
	micro                  [3]float64 // zero: there is no micro schema
}{
	{2003, 50, 6.25e6, 3.125e6, [3]float64{}},
	{2005, 50, 7.3e6, 3.65e6, [3]float64{}},
	{2016, 50, 9e6, 4.5e6, [3]float64{10, 7e5, 3.5e5}},
}

// accounts counts the annual accounts of an employer.
func (w *collector) accounts(i int) {
	s, a := w.s, w.p.Accounts
	year, schema := a.Col("year").I, a.Col("schema")
	ints := func(name string) []int32 { return a.Col(name).I }
	heads, full, part := ints("staff_year_end"), ints("full_time"), ints("part_time")
	men, women := ints("men"), ints("women")
	study := [4][]int32{ints("staff_primary"), ints("staff_secondary"), ints("staff_higher"), ints("staff_university")}
	turnover, machinery := a.Col("turnover").L, a.Col("machinery_investment").L
	last := -2
	exceeded := false
	for row := int(w.accountsOf[i]); row < int(w.accountsOf[i+1]); row++ {
		y := int(year[row]) - w.from
		kind := slices.Index([]string{"full", "abbreviated", "micro"}, schema.Dict.Label(schema.I[row]))
		if y == last {
			s.breach[duplicateAccounts]++
		}
		real := w.heads[i*w.years+y]
		if real > 0 {
			s.filed[y]++
			s.headsAgree[y*2]++
			if d := heads[row] - real; math.Abs(float64(d)) <= max(1, .1*float64(real)) {
				s.headsAgree[y*2+1]++
			}
		}
		if real == 0 && heads[row] > 0 {
			s.breach[accountsOfNobody]++
		}
		if kind >= 0 && real > 0 {
			s.schema[y*schemas+kind]++
			s.schemaStaff[y*schemas+kind] += float64(real)
		}
		if n := heads[row]; n != frame.NoInt {
			if !adds(n, full[row], part[row]) || !adds(n, men[row], women[row]) || !adds(n, study[0][row], study[1][row], study[2][row], study[3][row]) {
				s.breach[accountSums]++
			}
		}
		if kind > 0 && (turnover[row] != frame.NoLong || machinery[row] != frame.NoLong) {
			s.breach[unpublished]++
		}
		if kind == 2 && year[row] < 2016 {
			s.breach[microTooEarly]++
		}
		// A limit binds once it is exceeded in two years that follow.
		now := w.exceeds(row, kind)
		if now && exceeded && last == y-1 {
			s.breach[schemaTooShort]++
		}
		exceeded, last = now, y
	}
}

// adds reports whether parts sum to the total; a part that is not published
// leaves the question open.
func adds(total int32, parts ...int32) bool {
	sum := int32(0)
	for _, x := range parts {
		if x == frame.NoInt {
			return true
		}
		sum += x
	}
	return sum == total
}

// exceeds reports whether staff and total assets alone show that accounts are
// too large for their short schema.
func (w *collector) exceeds(row, kind int) bool {
	if kind <= 0 {
		return false
	}
	a := w.p.Accounts
	year := int(a.Col("year").I[row])
	rule := thresholds[0]
	for _, r := range thresholds {
		if r.from <= year {
			rule = r
		}
	}
	heads := a.Col("staff_average")
	if year >= 2016 {
		heads = a.Col("fte_average")
	}
	staff := float64(heads.I[row]) / math.Pow10(int(heads.Decimals))
	total := float64(a.Col("total_assets").L[row])
	limit := [2]float64{rule.staff, rule.total}
	if kind == 2 {
		limit = [2]float64{rule.micro[0], rule.micro[2]}
	}
	return staff > limit[0] && total > limit[1] || kind == 1 && year < 2016 && staff > 100
}

// network counts the sales of an employer to others.
func (w *collector) network(i int) {
	s, f := w.s, w.p.Suppliers
	lo, hi := int(w.linksOf[i]), int(w.linksOf[i+1])
	for y := range w.years {
		addDegree(s.degree[(y*sides+1)*2:], w.suppliers[i*w.years+y])
	}
	if lo == hi {
		return
	}
	customer, year, amount := f.Col("customer_id").I, f.Col("year").I, f.Col("amount").L
	n := make([]int32, w.years)
	total := make([]float64, w.years)
	top := make([][5]float64, w.years)
	for row := lo; row < hi; row++ {
		y, c, x := int(year[row])-w.from, int(customer[row])-1, float64(amount[row])
		if c == i {
			s.breach[selfLinks]++
		}
		if row > lo && customer[row-1] == customer[row] && year[row-1] == year[row] {
			s.breach[duplicateLinks]++
		}
		n[y]++
		total[y] += x
		for k := range top[y] {
			if x > top[y][k] {
				x, top[y][k] = top[y][k], x
			}
		}
		x = float64(amount[row])
		s.links[y]++
		s.value[y] += x
		if w.region[i] == w.region[c] {
			s.sameRegion[y]++
		}
		if w.sector[c] == w.manufacturing {
			s.madeFrom[y*w.sectors.Len()+int(w.sector[i])]++
		}
		if y+1 < w.years {
			s.keptBase[y+1]++
			s.keptValueBase[y+1] += x
			if row+1 < hi && customer[row+1] == customer[row] && year[row+1] == year[row]+1 {
				s.kept[y+1]++
				s.keptValue[y+1] += x
			}
		}
	}
	for y := range w.years {
		if n[y] == 0 {
			continue
		}
		s.sellers[y]++
		s.topShare[y] += top[y][0] / total[y]
		five := 0.0
		for _, x := range top[y] {
			five += x
		}
		s.top5Share[y] += five / total[y]
		addDegree(s.degree[y*sides*2:], n[y])
	}
}

// addDegree adds to the sums behind the exponent of a tail of degrees.
func addDegree(d []float64, n int32) {
	if n >= degreeFrom {
		d[0]++
		d[1] += math.Log(float64(n) / (degreeFrom - .5))
	}
}

// identity checks the numbers and the life span of an employer.
func (w *collector) identity(i int) {
	s := w.s
	number := w.numbers.Dict.Label(w.numbers.I[i])
	if !validNumber(number) {
		s.breach[wrongCheckDigits]++
	}
	if len(number) == 0 || number[0] != '9' {
		s.breach[issuedNumbers]++
	}
	if w.twice[i] {
		s.breach[duplicateNumbers]++
	}
	for y := range w.years {
		year := int32(y + w.from)
		if w.heads[i*w.years+y] > 0 && (year < w.founded[i] || w.closed[i] != frame.NoInt && year >= w.closed[i]) {
			s.breach[staffOutsideLife]++
		}
	}
}

// validNumber reports whether a number has ten digits of which the last two
// are 97 minus the first eight modulo 97.
func validNumber(number string) bool {
	if len(number) != 10 {
		return false
	}
	n := 0
	for _, d := range number {
		if d < '0' || d > '9' {
			return false
		}
		n = 10*n + int(d-'0')
	}
	return n%100 == 97-n/100%97
}
