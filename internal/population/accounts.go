package population

import (
	"math"
	"slices"

	"scramblelab/internal/calibration"
	"scramblelab/internal/frame"
)

// SchemaDict is the codebook of the schema under which accounts are filed.
var SchemaDict = frame.MustDict("full", "abbreviated", "micro")

const (
	schemaFull = iota
	schemaAbbreviated
	schemaMicro
)

// yearSums are what an employer's books know of its staff in a year.
type yearSums struct {
	days, fteDays, wages          int64
	staff, full, part, men, women int32
	study, fteStudy               [4]int32
	status                        [3]int32 // managers, clerks, workers
	entries, exits                int32
}

// answer is what an employer reports of a worker: a study level and a status.
type answer struct {
	draw          uint64
	level         int32 // true level, on which both depend
	study, status uint8
}

// answer fixes what is reported of a true level.
func (s *skeleton) answer(a *answer, level int32) {
	h := a.draw
	a.level, a.study = level, uint8(s.reported(int(level), float64(uint16(h))/65536, float64(uint16(h>>16))/65536))
	switch x, u := &s.c.Levels[level], float64(uint16(h>>32))/65536; {
	case u < x.Manager:
		a.status = 0
	case u < x.Manager+x.Clerk:
		a.status = 1
	default:
		a.status = 2
	}
}

func (b *yearSums) add(a *answer, woman bool, fte, wage, days int32, hired, left bool) {
	b.days += int64(days)
	b.fteDays += int64(days) * int64(fte)
	b.wages += int64(wage)
	if hired {
		b.entries++
	}
	if left {
		b.exits++
		return
	}
	b.staff++
	if fte == 100 {
		b.full++
	} else {
		b.part++
	}
	if woman {
		b.women++
	} else {
		b.men++
	}
	b.study[a.study&3]++
	b.fteStudy[a.study&3] += fte
	b.status[a.status]++
}

// reported is the study level that the employer writes down for a register
// level: mostly the right one, else its neighbour. u and v are uniform.
func (s *skeleton) reported(level int, u, v float64) int {
	k := 0
	for t := s.c.Levels[level].Reported; k < 3 && u >= t[k]; k++ {
		u -= t[k]
	}
	switch stay := s.c.Accounts.KernelStay; {
	case v < stay:
		return k
	case k == 0 || k < 3 && v < (1+stay)/2:
		return k + 1
	}
	return k - 1
}

// files reports whether an employer files accounts for a year: those who never
// do, those who skip one, those who are late in the last year of the figures, and
// the year of closing are the exceptions.
func (s *skeleton) files(id int32, year int) bool {
	if !s.employers[id].present(year) {
		return false
	}
	a := s.c.Accounts
	skip := a.SkipYear
	if year == s.c.Window.Last {
		skip += a.Late
	}
	return s.key.Uint64(stageReport, uint64(id)+1<<62)>>11 >= uint64(a.NeverFile*0x1p53) &&
		s.key.Uint64(stageReport, entityYear(id, year)+1<<61)>>11 >= uint64(skip*0x1p53)
}

// accountNames are the columns of accounts in their order; accountTenths marks
// those with one decimal, accountLong those stored as long integers.
var (
	accountNames = []string{"employer_id", "year", "schema", "staff_average", "fte_average", "staff_year_end", "full_time", "part_time",
		"personnel_cost", "hours", "men", "women", "staff_primary", "staff_secondary", "staff_higher", "staff_university",
		"fte_primary", "fte_secondary", "fte_higher", "fte_university", "managers", "employees", "workers", "entries", "exits",
		"tangible_assets", "tangible_investment", "machinery_investment", "turnover", "total_assets"}
	accountTenths = []string{"staff_average", "fte_average", "fte_primary", "fte_secondary", "fte_higher", "fte_university"}
	accountLong   = []string{"personnel_cost", "hours", "tangible_assets", "tangible_investment", "machinery_investment", "turnover", "total_assets"}
)

// accountColumns are the vectors of the accounts table while it is filled, in
// the order of accountNames.
type accountColumns struct{ cols []frame.Column }

func newAccountColumns(n int) *accountColumns {
	c := &accountColumns{}
	for _, name := range accountNames {
		switch {
		case name == "schema":
			c.cols = append(c.cols, frame.Codes(name, SchemaDict, make([]int32, n)))
		case slices.Contains(accountLong, name):
			c.cols = append(c.cols, frame.Longs(name, make([]int64, n)))
		case slices.Contains(accountTenths, name):
			c.cols = append(c.cols, frame.Fixed(name, 1, make([]int32, n)))
		default:
			c.cols = append(c.cols, frame.Ints(name, make([]int32, n)))
		}
	}
	return c
}

// write fills a row with values in the order of accountNames.
func (c *accountColumns) write(row int, v [30]int64) {
	for k := range c.cols {
		if col := &c.cols[k]; col.Kind == frame.Long {
			col.L[row] = v[k]
		} else {
			col.I[row] = int32(v[k])
		}
	}
}

// file writes the accounts of an employer. Investment and assets follow their
// own path from its first year-end, filed or not.
func (w *writer) file(id int32, e *employer, row int) {
	a := &w.c.Accounts
	r := &w.r
	h := w.habitsOf(id, r)
	filing := schemas{}
	w.key.Reseed(r, stageAccounts, uint64(id)+1<<40)
	rate := a.MachineryRate * math.Exp(float64(a.RateSD*r.QuickNormal())-float64(a.RateSD*a.RateSD/2))
	other := (1 - a.MachineryMix) / a.MachineryMix
	assets := math.Exp(a.AssetsSD * r.QuickNormal())
	stock, usual := 0.0, 0.0
	for year := max(int(e.first), w.o.From); year <= int(e.last); year++ {
		usual += math.Log(w.turnover(id, year)) / float64(int(e.last)-max(int(e.first), w.o.From)+1)
	}
	for year := max(int(e.first), w.o.From); year <= int(e.last); year++ {
		turnover := w.turnover(id, year)
		normal := rate * math.Exp(float64(a.Inertia*usual)+float64((1-a.Inertia)*math.Log(turnover)))
		machinery := normal * math.Exp(float64(a.YearSD*r.QuickNormal()))
		rest := normal * other * math.Exp(float64(a.YearSD*r.QuickNormal()))
		spike := max(a.SpikeMin, a.SpikeMedian*math.Exp(a.SpikeSD*r.QuickNormal()))
		cost, hours := a.CostNoise*r.QuickNormal(), a.HoursSD*r.QuickNormal()
		if year == int(e.event) && w.outcome&actsOnOwner != 0 {
			machinery *= spike
		}
		if stock == 0 {
			stock = normal * (1 + other) / a.Depreciation
		}
		stock = float64(stock*(1-a.Depreciation)) + machinery + rest
		total := stock + turnover*a.AssetsPerSales*assets
		w.key.Reseed(&w.y, stageBooks, entityYear(id, year))
		y := w.book(e, &h, year, &w.y)
		schema := filing.next(w.schema(year, &h, y.average, y.fte, turnover, total))
		if !w.files(id, year) {
			continue
		}
		gross := y.wages / (1 - a.EmployeeRSZ)
		published, plant := euro(turnover), euro(machinery)
		if schema != schemaFull { // the short schemas show one line of tangible investment, and no turnover
			published, plant = frame.NoLong, frame.NoLong
		}
		v := [30]int64{int64(id + 1), int64(year), int64(schema), tenths(y.average), tenths(y.fte), y.staff, y.parts[0][0], y.parts[0][1],
			euro(gross * w.contributions[year-w.o.From] * math.Exp(cost)), euro(y.fte * a.HoursPerFTE * math.Exp(hours)), y.parts[1][0], y.parts[1][1]}
		for k, fte := range y.fteStudy {
			v[12+k], v[16+k] = y.parts[2][k], (fte+5)/10
		}
		copy(v[20:], []int64{y.parts[3][0], y.parts[3][1], y.parts[3][2], y.entries, y.exits,
			euro(stock), euro(machinery + rest), plant, published, euro(total)})
		w.accounts.write(row, v)
		row++
	}
}

func tenths(x float64) int64 { return int64(math.Round(x * 10)) }
func euro(x float64) int64   { return int64(math.Round(x)) }

// contribution is the employer's cost per euro of gross wage.
func (s *skeleton) contribution(year int) float64 { return latest(s.c.Accounts.Contribution, year) }

// latest reads a figure that holds from a year on, 0 before the first.
func latest(m map[int]float64, year int) float64 {
	last, v := math.MinInt, 0.0
	for y, x := range m {
		if y <= year && y > last {
			last, v = y, x
		}
	}
	return v
}

// schemas is the schema of an employer through the years: its size has
// consequences only after two years in a row.
type schemas struct {
	now, before size
	begun       bool
}

// size says which thresholds a year exceeds; micro does not exist before it does.
type size struct{ large, micro, rule bool }

func (s *schemas) next(year size) int {
	if !s.begun {
		s.now, s.begun = year, true
	}
	if year.large == s.before.large {
		s.now.large = year.large
	}
	if year.micro == s.before.micro || year.rule != s.before.rule {
		s.now.micro = year.micro
	}
	s.before = year
	switch {
	case s.now.large:
		return schemaFull
	case s.now.micro:
		return schemaMicro
	}
	return schemaAbbreviated
}

// schema applies the size rules of a year: small companies exceed no more than
// one of the three thresholds. Average head counts are compared until there is a
// micro schema, then full-time equivalents. Members of a group are
// judged by the group's size where a rule says so, and are never micro.
func (s *skeleton) schema(year int, h *habits, staff, fte, turnover, total float64) size {
	var rule calibration.SchemaRule
	for _, x := range s.c.Accounts.Schema {
		if x.From <= year {
			rule = x
		}
	}
	if rule.Micro {
		staff = fte
	}
	over := func(a, b, c, group float64) int {
		n := 0
		for _, x := range [3]bool{staff*group > a, turnover*group > b, total*group > c} {
			if x {
				n++
			}
		}
		return n
	}
	group := 1.0
	if h.affiliated && (rule.Group || h.parent) {
		group = h.group
	}
	return size{
		large: staff > rule.Always || over(rule.Staff, rule.Turnover, rule.Total, group) > 1,
		micro: rule.Micro && !h.affiliated && over(rule.MStaff, rule.MTurnover, rule.MTot, 1) <= 1,
		rule:  rule.Micro,
	}
}
