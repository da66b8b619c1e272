package realism

import (
	"context"
	"fmt"
	"math"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/population"

	"github.com/google/go-cmp/cmp"
)

// job is a row of the toy population; hired and left are days of the year, 0
// for missing.
type job struct {
	employer, worker, year int
	hired, left            int
	wage, fte, age         int
	female                 bool
	level, field           string
}

// toy makes a population of four employers, 2010 to 2012, of jobs in their
// order and accounts that change nothing unless given.
func toy(t *testing.T, jobs []job, accounts []account, links [][4]int) *population.Population {
	t.Helper()
	const n = 4
	p := &population.Population{Options: population.Options{Employers: n, From: 2010, To: 2012, Suppliers: "main"}}
	numbers := frame.MustDict("9000000092", "9000000191", "9000000290", "9000000389")
	none := func(k int) []int32 {
		v := make([]int32, k)
		for i := range v {
			v[i] = frame.NoInt
		}
		return v
	}
	p.Employers = frame.Must(frame.Ints("employer_id", []int32{1, 2, 3, 4}), frame.Codes("enterprise_number", numbers, []int32{0, 1, 2, 3}),
		frame.Codes("nace", frame.MustDict("C", "G"), []int32{0, 0, 1, 1}), frame.Codes("region", frame.MustDict("Flanders"), []int32{0, 0, 0, 0}),
		frame.Ints("founded", []int32{2000, 2000, 2000, 2000}), frame.Ints("closed", []int32{2011, frame.NoInt, frame.NoInt, frame.NoInt}),
		frame.Ints("automation_year", none(n)), frame.Floats("firm_effect", make([]float64, n)))
	var cols [11][]int32
	levelDict, fieldDict := frame.MustDict(levelNames...), frame.MustDict(fieldNames...)
	for _, j := range jobs {
		day := func(d int) int32 {
			if d == 0 {
				return frame.NoInt
			}
			return daysTo(j.year) + int32(d) - 1
		}
		level, field, wage, fte, age := j.level, j.field, j.wage, j.fte, j.age
		if level == "" {
			level, field = "L11", "041"
		}
		if wage == 0 {
			wage = 30000
		}
		if fte == 0 {
			fte = 100
		}
		if age == 0 {
			age = 30 + j.year - 2010
		}
		l, _ := levelDict.Code(level)
		f, _ := fieldDict.Code(field)
		sex := int32(0)
		if j.female {
			sex = 1
		}
		for k, x := range []int32{int32(j.worker), int32(j.employer), int32(j.year), l, f, sex, int32(age), int32(wage), int32(fte), day(j.hired), day(j.left)} {
			cols[k] = append(cols[k], x)
		}
	}
	p.Jobs = frame.Must(frame.Ints("worker_id", cols[0]), frame.Ints("employer_id", cols[1]), frame.Ints("year", cols[2]),
		frame.Codes("level", levelDict, cols[3]), frame.Codes("field", fieldDict, cols[4]), frame.Codes("sex", frame.MustDict("male", "female"), cols[5]),
		frame.Ints("age", cols[6]), frame.Ints("wage", cols[7]), frame.Fixed("fte", 2, cols[8]), frame.Dates("hired", cols[9]), frame.Dates("left", cols[10])).
		Sorted("employer_id", "year", "worker_id")
	p.Accounts = accountsOf(accounts)
	var seller, buyer, year []int32
	var amount []int64
	for _, l := range links {
		seller, buyer, year, amount = append(seller, int32(l[0])), append(buyer, int32(l[1])), append(year, int32(l[2])), append(amount, int64(l[3]))
	}
	p.Suppliers = frame.Must(frame.Ints("supplier_id", seller), frame.Ints("customer_id", buyer), frame.Ints("year", year), frame.Longs("amount", amount)).
		Sorted("supplier_id", "customer_id", "year")
	return p
}

// account is a row of the toy's accounts: head count, its part-timers and
// women, staff average and the rest, in euro; missing where -1.
type account struct {
	employer, year     int
	schema             string
	heads, part, women int
	average            float64
	turnover, total    int64
}

func accountsOf(rows []account) *frame.Frame {
	ints := map[string][]int32{}
	longs := map[string][]int64{}
	var schema []int32
	put := func(name string, x int) { ints[name] = append(ints[name], int32(x)) }
	for _, a := range rows {
		code, _ := population.SchemaDict.Code(a.schema)
		schema = append(schema, code)
		put("employer_id", a.employer)
		put("year", a.year)
		put("staff_average", int(a.average*10))
		put("fte_average", int(a.average*10))
		put("staff_year_end", a.heads)
		put("full_time", a.heads-a.part)
		put("part_time", a.part)
		put("men", a.heads-a.women)
		put("women", a.women)
		put("staff_primary", 0)
		put("staff_secondary", 0)
		put("staff_higher", a.heads)
		put("staff_university", 0)
		put("entries", 0)
		put("exits", 0)
		turnover := a.turnover
		if turnover < 0 {
			turnover = frame.NoLong
		}
		longs["turnover"] = append(longs["turnover"], turnover)
		longs["machinery_investment"] = append(longs["machinery_investment"], frame.NoLong)
		longs["tangible_investment"] = append(longs["tangible_investment"], 1000)
		longs["total_assets"] = append(longs["total_assets"], a.total)
	}
	cols := []frame.Column{frame.Codes("schema", population.SchemaDict, schema)}
	for _, name := range []string{"employer_id", "year", "staff_year_end", "full_time", "part_time", "men", "women", "staff_primary", "staff_secondary",
		"staff_higher", "staff_university", "entries", "exits"} {
		cols = append(cols, frame.Ints(name, ints[name]))
	}
	for _, name := range []string{"staff_average", "fte_average"} {
		cols = append(cols, frame.Fixed(name, 1, ints[name]))
	}
	for _, name := range []string{"turnover", "machinery_investment", "tangible_investment", "total_assets"} {
		cols = append(cols, frame.Longs(name, longs[name]))
	}
	return frame.Must(cols...).Sorted("employer_id", "year")
}

// counted gathers a toy and returns the sums over all groups.
func counted(t *testing.T, p *population.Population) (*view, *sums) {
	t.Helper()
	v, err := newView(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := gather(context.Background(), v, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := newSums(v)
	for _, s := range parts {
		whole.add(s)
	}
	return v, whole
}

// takeover is the story of the toy: employer 1 has six workers who all go to
// employer 2 in 2011, with one who was not in work; employer 3 exchanges its
// only worker, who goes to the new employer 4.
func takeover() []job {
	var jobs []job
	for w := 1; w <= 6; w++ {
		jobs = append(jobs, job{employer: 1, worker: w, year: 2010}, job{employer: 1, worker: w, year: 2011, left: 181},
			job{employer: 2, worker: w, year: 2011, hired: 182}, job{employer: 2, worker: w, year: 2012})
	}
	for w := 7; w <= 8; w++ {
		jobs = append(jobs, job{employer: 2, worker: w, year: 2010}, job{employer: 2, worker: w, year: 2011}, job{employer: 2, worker: w, year: 2012})
	}
	return append(jobs, job{employer: 2, worker: 9, year: 2011, hired: 10}, job{employer: 2, worker: 9, year: 2012, left: 100},
		job{employer: 3, worker: 10, year: 2010}, job{employer: 3, worker: 10, year: 2011, left: 31},
		job{employer: 3, worker: 11, year: 2011, hired: 40}, job{employer: 3, worker: 11, year: 2012},
		job{employer: 4, worker: 10, year: 2011, hired: 32}, job{employer: 4, worker: 10, year: 2012})
}

func TestFlowsOfATakeover(t *testing.T) {
	v, s := counted(t, toy(t, takeover(), nil, nil))
	got := map[string][]float64{"base": s.base, "hires": s.hires, "exits": s.exits, "created": s.created, "destroyed": s.destroyed, "from another job": s.fromJob,
		"entrants": s.entrants, "closers": s.closers, "taken over": s.takenOver, "staff touched": s.touched}
	want := map[string][]float64{
		"base":             {9, 9, 11},
		"hires":            {0, 3, 0}, // nine less the six who moved together
		"exits":            {0, 1, 1},
		"created":          {0, 2, 0}, // employer 2 has one more than both had, employer 4 is new
		"destroyed":        {0, 0, 1},
		"from another job": {0, 1, 0},
		"entrants":         {0, 1, 0},
		"closers":          {0, 1, 0},
		"taken over":       {0, 6, 0},
		"staff touched":    {0, 9, 8},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
	for k, n := range s.breach {
		if n != 0 {
			t.Errorf("rule %q has %v breaches in a sound population", rules[k], n)
		}
	}
	e := evidence{v, s, 1, 12}
	for _, tt := range []struct {
		name string
		run  func(evidence, Target) (float64, string)
		t    Target
		want float64
	}{
		{"hire-rate", measures[indexOf("hire-rate")].run, Target{}, 3.0 / 18}, // with the calendar year before
		{"job-to-job-share", jobToJob, Target{}, 1.0 / 3},
		{"mean-size", meanSize, Target{}, 11.0 / 3},
		{"employer-entry", employerEntry, Target{}, 1.0 / 3},
		{"sector-staff", sectorStaff, Target{Group: "C"}, 9.0 / 11},
		{"mean-age", meanAge, Target{}, 31},
		{"tenure-below-1", tenureBelow1, Target{}, 9.0 / 11},
		{"part-year", partYear, Target{}, 16.0 / 18},
		{"leave in the first year", separation, Target{Group: "1"}, 0},
		{"leave in the second year", separation, Target{Group: "2"}, 1 - math.Exp(-1/secondYears())},
	} {
		got, reason := tt.run(e, tt.t)
		if reason != "" || math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s is %v (%s), want %v", tt.name, got, reason, tt.want)
		}
	}
}

// secondYears is the time that the toy's hired workers spent in their second
// year of tenure, in years of 365 days. It begins on the day of 2012, which has
// 366, on which they were hired in 2011; one leaves on day 100.
func secondYears() float64 {
	return (6*(367-182) + (100 - 10 + 1) + (367 - 32) + (367 - 40)) / 365.0
}

func indexOf(name string) int {
	for i, m := range measures {
		if m.name == name {
			return i
		}
	}
	panic(name)
}

func TestBreaches(t *testing.T) {
	change := func(k int, f func(*job)) []job {
		jobs := takeover()
		f(&jobs[k])
		return jobs
	}
	sound := []account{{employer: 2, year: 2011, schema: "abbreviated", heads: 9, turnover: -1}}
	tests := []struct {
		rule     string
		jobs     []job
		accounts []account
		links    [][4]int
	}{
		{"duplicate jobs", append(takeover(), job{employer: 2, worker: 7, year: 2011}), nil, nil},
		{"dates outside the year", change(1, func(j *job) { j.left = 400 }), nil, nil},
		{"broken spells", takeover()[1:], nil, nil},
		{"age steps", change(1, func(j *job) { j.age = 33 }), nil, nil},
		{"sex changes", change(1, func(j *job) { j.female = true }), nil, nil},
		{"fte outside (0,1]", change(0, func(j *job) { j.fte = 101 }), nil, nil},
		{"unknown level with a field", change(0, func(j *job) { j.level, j.field = "U", "041" }), nil, nil},
		{"levels that fall", change(0, func(j *job) { j.level, j.field = "L14", "041" }), nil, nil},
		{"staff outside the employer's life", append(takeover(), job{employer: 1, worker: 20, year: 2012, hired: 3}), nil, nil},
		{"duplicate accounts", takeover(), append(sound, sound...), nil},
		{"staff in accounts only", takeover(), []account{{employer: 1, year: 2012, schema: "micro", heads: 3}}, nil},
		{"unpublished figures", takeover(), []account{{employer: 2, year: 2011, schema: "abbreviated", heads: 9, turnover: 5}}, nil},
		{"micro before 2016", takeover(), []account{{employer: 2, year: 2011, schema: "micro", heads: 9, turnover: -1}}, nil},
		{"schema too short", takeover(), []account{{employer: 2, year: 2011, schema: "abbreviated", heads: 9, turnover: -1, average: 60, total: 4e6},
			{employer: 2, year: 2012, schema: "abbreviated", heads: 8, turnover: -1, average: 60, total: 4e6}}, nil},
		{"duplicate links", takeover(), nil, [][4]int{{2, 3, 2011, 10}, {2, 3, 2011, 20}}},
		{"links to oneself", takeover(), nil, [][4]int{{2, 2, 2011, 10}}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			_, s := counted(t, toy(t, tt.jobs, tt.accounts, tt.links))
			for k, n := range s.breach {
				if rules[k] == tt.rule && n == 0 {
					t.Errorf("nothing was found")
				}
			}
		})
	}
	if !validNumber("9000000092") || validNumber("9000000093") || validNumber("900000009") || validNumber("9A00000097") {
		t.Error("check digits: want 97 minus the first eight digits modulo 97")
	}
}

func TestWagesAndNetwork(t *testing.T) {
	var jobs []job
	for w := 1; w <= 40; w++ { // 1,000 to 40,000 euro at an employer of forty
		jobs = append(jobs, job{employer: 2, worker: w, year: 2010, wage: 1000 * w, female: w%2 == 0})
	}
	jobs = append(jobs, job{employer: 3, worker: 50, year: 2010, wage: 999_000}) // too small an employer to be surveyed
	v, s := counted(t, toy(t, jobs, nil, [][4]int{{2, 1, 2010, 60}, {2, 3, 2010, 30}, {2, 4, 2010, 10}, {3, 4, 2010, 5}, {2, 1, 2011, 70}}))
	e := evidence{v, s, 0, 10}
	for _, tt := range []struct {
		name string
		run  func(evidence, Target) (float64, string)
		y    int
		t    Target
		want float64
		off  float64
	}{
		{"median of the forty, per month", monthQuantile, 0, Target{Group: "D5"}, 2005, 10},
		{"ninth decile", monthQuantile, 0, Target{Group: "D9"}, 3605, 10},
		{"mean", monthMean, 0, Target{}, 2050, 1e-9},
		{"gap of women, who earn more here", sexGap, 0, Target{}, 1 - 21.0/20, 1e-12},
		{"elasticity", sizeElasticity, 0, Target{}, slopeByHand(), 1e-12},
		{"top buyer of five", topOfFive, 0, Target{}, (.6 + 1) / 2, 1e-12},
		{"links kept", linksKept(false), 1, Target{}, 1.0 / 4, 1e-12},
		{"value kept", valueKept, 1, Target{}, 60.0 / 105, 1e-12},
	} {
		e.y = tt.y
		got, reason := tt.run(e, tt.t)
		if reason != "" || math.Abs(got-tt.want) > tt.off {
			t.Errorf("%s is %v (%s), want %v", tt.name, got, reason, tt.want)
		}
	}
	e.y = 0
	if _, reason := topBuyer(e, Target{}); reason != mainOnly {
		t.Errorf("top buyer of the main network: reason %q, want %q", reason, mainOnly)
	}
}

// slopeByHand is the least-squares slope over two employers: the difference of
// their mean logs over that of log sizes.
func slopeByHand() float64 {
	mean := 0.0
	for w := 1; w <= 40; w++ {
		mean += math.Log(float64(1000*w)) / 40
	}
	return (mean - math.Log(999_000)) / math.Log(40)
}

func TestUnique(t *testing.T) {
	p := toy(t, takeover(), []account{
		{employer: 1, year: 2010, schema: "micro", heads: 6, part: 1, women: 2}, {employer: 2, year: 2010, schema: "micro", heads: 6, part: 1, women: 3},
		{employer: 3, year: 2010, schema: "micro", heads: 6, part: 2, women: 3}, {employer: 4, year: 2010, schema: "micro", heads: 7, part: 2, women: 3},
	}, nil)
	v, s := counted(t, p)
	for group, want := range map[string]float64{"head count": .25, "full-time and part-time": .5, "sex": 1, "sex, 5-9": 1} {
		if got, reason := uniqueShare(evidence{v, s, 0, 1}, Target{Group: group}); got != want || reason != "" {
			t.Errorf("%s: %v alone (%s), want %v", group, got, reason, want)
		}
	}
	if _, reason := uniqueShare(evidence{v, s, 0, 1}, Target{Group: "shoe size"}); reason == "" {
		t.Error("an unknown signature has a figure")
	}
}

// TestTailExponent draws the quantiles of a Pareto law of exponent 1.03 and
// wants it back.
func TestTailExponent(t *testing.T) {
	n, logs := 0.0, 0.0
	for i := 1; i < 200_000; i++ {
		u := float64(i) / 200_000
		if x := math.Floor(49.5*math.Pow(u, -1/1.03) + .5); x < 1e7 {
			n, logs = n+1, logs+math.Log(x/49.5)
		}
	}
	if got := n / logs; math.Abs(got-1.03) > .01 {
		t.Errorf("exponent %v, want 1.03", got)
	}
}

func TestDays(t *testing.T) {
	for year, want := range map[int]int32{1970: 0, 1971: 365, 2000: 10957, 2001: 11323, 2021: 18628} {
		if got := daysTo(year); got != want {
			t.Errorf("1 January %d is day %d, want %d", year, got, want)
		}
	}
	for heads, want := range map[int32]int{1: 0, 9: 0, 10: 1, 49: 1, 50: 2, 249: 2, 250: 3} {
		if got := sizeBand(heads); got != want {
			t.Errorf("%d staff are in band %d, want %d", heads, got, want)
		}
	}
	if fmt.Sprint(linked.SizeDict.Len()) != fmt.Sprint(sizes) {
		t.Errorf("%d size classes, want %d", linked.SizeDict.Len(), sizes)
	}
}
