package realism

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"sync/atomic"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
	"scramblelab/internal/population"
	"scramblelab/internal/progress"
	"scramblelab/internal/spike"
)

// view is a population as vectors, with what crosses employers: head counts by
// employer and year, who was in work at each year-end, takeovers.
type view struct {
	p        *population.Population
	from, to int
	years, n int // years, employers

	sectors, regions *frame.Dict
	sector, region   []int32 // by employer
	closed, event    []int32
	founded          []int32
	effect           []float64
	numbers          frame.Column // enterprise numbers
	twice            []bool       // an employer before has the same enterprise number
	suppliers        []int32      // sellers by buyer and year
	manufacturing    int32

	worker, year, level, field, sex, age, wage, fte, hired, left []int32 // jobs
	levelCode, fieldCode                                         []int32 // of the fixed order of levelNames and fieldNames, by code
	female                                                       int32
	firstDay                                                     []int32 // 1 January by year, and of the year after the last

	jobsOf, accountsOf, linksOf []int32 // bounds of an employer's rows
	heads                       []int32 // at 31-12, employer x year
	absorbed                    []int32 // heads that came by a takeover, employer x year
	moved                       []int32 // of these, workers who moved in the year
	gone                        []bool  // taken over in that year, employer x year
	atWork                      []uint32
	seen                        []int32 // year of the spike that the accounts show, by employer; 0 none
	judged                      []bool  // accounts long enough for a spike
	full                        bool    // the network has all links
}

var (
	levelNames = []string{"U", "L01", "L02", "L03", "L04", "L05", "L06", "L07", "L08", "L09", "L10", "L11", "L12", "L13", "L14", "L15"}
	fieldNames = []string{"001", "002", "003", "011", "021", "022", "023", "031", "032", "041", "042", "051", "052", "053", "054", "061", "071", "072",
		"073", "081", "082", "083", "084", "091", "092", "101", "102", "103", "104", "099"}
)

const (
	fieldGeneric = 0
	fieldUnknown = 29
)

// bandOf returns 0 low, 1 mid, 2 high education, -1 unknown.
func bandOf(level int32) int {
	switch {
	case level <= 0:
		return -1
	case level <= 5:
		return 0
	case level <= 9:
		return 1
	}
	return 2
}

func newView(ctx context.Context, p *population.Population, tell progress.Func) (*view, error) {
	v := &view{p: p, from: p.Options.From, to: p.Options.To, n: p.Employers.Rows()}
	v.years = v.to - v.from + 1
	e, j := p.Employers, p.Jobs
	v.sectors, v.sector = e.Col("nace").Dict, e.Col("nace").I
	v.regions, v.region = e.Col("region").Dict, e.Col("region").I
	v.closed, v.event, v.effect = e.Col("closed").I, e.Col("automation_year").I, e.Col("firm_effect").F
	v.founded, v.numbers = e.Col("founded").I, e.Col("enterprise_number")
	v.twice = make([]bool, v.n)
	used := make([]bool, v.numbers.Dict.Len()+1)
	for i, c := range v.numbers.I {
		v.twice[i], used[c+1] = used[c+1], true
	}
	v.manufacturing = -1
	if c, ok := v.sectors.Code("C"); ok {
		v.manufacturing = c
	}
	v.worker, v.year, v.level, v.field = j.Col("worker_id").I, j.Col("year").I, j.Col("level").I, j.Col("field").I
	v.sex, v.age, v.wage, v.fte = j.Col("sex").I, j.Col("age").I, j.Col("wage").I, j.Col("fte").I
	v.hired, v.left = j.Col("hired").I, j.Col("left").I
	v.female, _ = j.Col("sex").Dict.Code("female")
	var err error
	if v.levelCode, err = recode(j.Col("level"), levelNames); err != nil {
		return nil, err
	}
	if v.fieldCode, err = recode(j.Col("field"), fieldNames); err != nil {
		return nil, err
	}
	for y := v.from; y <= v.to+1; y++ {
		v.firstDay = append(v.firstDay, daysTo(y))
	}
	v.jobsOf = boundsOf(j.Col("employer_id").I, v.n)
	v.accountsOf = boundsOf(p.Accounts.Col("employer_id").I, v.n)
	v.linksOf = boundsOf(p.Suppliers.Col("supplier_id").I, v.n)
	v.full = p.Options.Suppliers == "full"
	v.suppliers = make([]int32, v.n*v.years)
	buyer, bought := p.Suppliers.Col("customer_id").I, p.Suppliers.Col("year").I
	for row, c := range buyer {
		v.suppliers[int(c-1)*v.years+int(bought[row])-v.from]++
	}
	if err := v.countHeads(ctx, tell); err != nil {
		return nil, err
	}
	v.findTakeovers()
	v.seen, v.judged = make([]int32, v.n), make([]bool, v.n)
	for _, x := range spike.FromAccounts(p.Accounts, spike.Columns{}) {
		v.seen[x.Employer-1] = x.Year
	}
	tangible := p.Accounts.Col("tangible_investment").L
	for i := range v.n {
		filed := 0
		for _, a := range tangible[v.accountsOf[i]:v.accountsOf[i+1]] {
			if a != frame.NoLong {
				filed++
			}
		}
		v.judged[i] = filed >= spike.MinYears
	}
	return v, nil
}

// recode maps the codes of a column to positions in names.
func recode(c frame.Column, names []string) ([]int32, error) {
	out := make([]int32, c.Dict.Len())
	for code, label := range c.Dict.Labels() {
		k := slices.Index(names, label)
		if k < 0 {
			return nil, fmt.Errorf("realism: %s has a code %q, want one of %q", c.Name, label, names)
		}
		out[code] = int32(k)
	}
	return out, nil
}

// daysTo returns the day number of 1 January, from 1970-01-01.
func daysTo(year int) int32 {
	y := year - 1
	return int32(365*(year-1970) + (y/4 - y/100 + y/400) - (1969/4 - 1969/100 + 1969/400))
}

// boundsOf returns where the rows of employer k+1 begin in a sorted column.
func boundsOf(ids []int32, n int) []int32 {
	bounds := make([]int32, n+1)
	row := 0
	for k := range n {
		for row < len(ids) && ids[row] <= int32(k) {
			row++
		}
		bounds[k] = int32(row)
	}
	bounds[n] = int32(len(ids))
	return bounds
}

const employersAtOnce = 1024

// countHeads counts staff at every year-end and marks who is in work then.
func (v *view) countHeads(ctx context.Context, tell progress.Func) error {
	last := int32(0)
	for _, w := range v.worker {
		last = max(last, w)
	}
	if len(v.worker) > 0 && (slices.Min(v.worker) < 0 || v.years > 32) {
		return fmt.Errorf("realism: worker keys below 0 or more than 32 years cannot be checked")
	}
	v.heads, v.atWork = make([]int32, v.n*v.years), make([]uint32, int(last)+1)
	var done atomic.Int64
	return par.Chunks(ctx, v.n, employersAtOnce, func(_, lo, hi int) error {
		for i := lo; i < hi; i++ {
			for row := v.jobsOf[i]; row < v.jobsOf[i+1]; row++ {
				if v.left[row] == frame.NoInt {
					y := int(v.year[row]) - v.from
					v.heads[i*v.years+y]++
					atomic.OrUint32(&v.atWork[v.worker[row]], 1<<y)
				}
			}
		}
		tell.Step("head counts", int(done.Add(int64(hi-lo))), v.n)
		return nil
	})
}

// employed reports whether a worker had a job at the end of a year, counted
// from the first.
func (v *view) employed(worker int32, y int) bool { return v.atWork[worker]>>y&1 == 1 }

// neverAgain reports whether a worker has no job at any year-end from y on.
func (v *view) neverAgain(worker int32, y int) bool {
	return bits.LeadingZeros32(v.atWork[worker]) >= 32-y
}

// leaver is a worker of an employer that has no staff any more at the end of
// the year.
type leaver struct {
	worker, year, source int32
}

// findTakeovers marks employers whose staff went on together: at least five at
// one year-end, none at the next, and at least half of them hired in that year
// by one and the same employer. It is the clustered worker flow by which
// labour economists tell a new number from a closure (Geurts 2016), and the
// only trace that the tables show.
func (v *view) findTakeovers() {
	v.absorbed, v.moved, v.gone = make([]int32, len(v.heads)), make([]int32, len(v.heads)), make([]bool, len(v.heads))
	const least = 5
	var leavers []leaver
	for i := range v.n {
		for y := 1; y < v.years; y++ {
			if v.heads[i*v.years+y-1] < least || v.heads[i*v.years+y] > 0 {
				continue
			}
			for row := v.jobsOf[i]; row < v.jobsOf[i+1]; row++ {
				if int(v.year[row])-v.from == y-1 && v.left[row] == frame.NoInt {
					leavers = append(leavers, leaver{v.worker[row], int32(y), int32(i)})
				}
			}
		}
	}
	slices.SortFunc(leavers, func(a, b leaver) int {
		if a.worker != b.worker {
			return int(a.worker) - int(b.worker)
		}
		return int(a.year) - int(b.year)
	})
	first := make([]int32, len(v.atWork)) // 1 + place among leavers
	for k := len(leavers) - 1; k >= 0; k-- {
		first[leavers[k].worker] = int32(k + 1)
	}
	type move struct{ source, year, target int32 }
	var moves []move
	for i := range v.n {
		for row := v.jobsOf[i]; row < v.jobsOf[i+1]; row++ {
			if v.hired[row] == frame.NoInt || v.left[row] != frame.NoInt || first[v.worker[row]] == 0 {
				continue
			}
			y := v.year[row] - int32(v.from)
			for k := first[v.worker[row]] - 1; int(k) < len(leavers) && leavers[k].worker == v.worker[row]; k++ {
				if leavers[k].year == y {
					moves = append(moves, move{leavers[k].source, y, int32(i)})
				}
			}
		}
	}
	slices.SortFunc(moves, func(a, b move) int {
		switch {
		case a.source != b.source:
			return int(a.source) - int(b.source)
		case a.year != b.year:
			return int(a.year) - int(b.year)
		}
		return int(a.target) - int(b.target)
	})
	for k := 0; k < len(moves); {
		same := k
		for same < len(moves) && moves[same] == moves[k] {
			same++
		}
		m, together := moves[k], int32(same-k)
		before := v.heads[int(m.source)*v.years+int(m.year)-1]
		if at := int(m.source)*v.years + int(m.year); 2*together >= before && !v.gone[at] {
			v.gone[at] = true
			to := int(m.target)*v.years + int(m.year)
			v.absorbed[to] += before
			v.moved[to] += together
			v.moved[at] = together
		}
		k = same
	}
}
