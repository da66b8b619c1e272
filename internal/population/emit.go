package population

import (
	"context"
	"math"
	"math/bits"
	"sync"

	"scramblelab/internal/calibration"
	"scramblelab/internal/frame"
	"scramblelab/internal/par"
	"scramblelab/internal/progress"
	"scramblelab/internal/rng"
)

// Codebooks of the coded columns of jobs and employers.
var (
	SexDict  = frame.MustDict("male", "female")
	RoleDict = frame.MustDict("automating", "supplier", "other")
	// CleanDict says whether an employer is a clean control.
	CleanDict = frame.MustDict("no", "yes")
)

// numberWorkers gives every worker a number that says nothing of when and where
// the worker was first seen: a keyed permutation of 1..n. It returns the last.
func (s *skeleton) numberWorkers(ctx context.Context) (last int32, err error) {
	if s.known != nil {
		return s.known.number(s), nil
	}
	n := len(s.workers)
	of := newPermutation(s.key, stageWorkerID, n)
	return int32(n), par.Chunks(ctx, n, 1<<16, func(_, lo, hi int) error {
		for i := lo; i < hi; i++ {
			s.workers[i].id = int32(of.at(i)) + 1
		}
		return nil
	})
}

// permutation is one of 0..n-1 whose places can be computed one by one: a
// Feistel network over the next even number of bits, walked until it falls
// inside (Black and Rogaway 2002).
type permutation struct {
	n, mask uint64
	half    int
	keys    [6]uint64
}

func newPermutation(key rng.Sim, stage rng.Stage, n int) permutation {
	p := permutation{n: uint64(n), half: (bits.Len(uint(max(n-1, 1))) + 1) / 2}
	p.mask = 1<<p.half - 1
	for i := range p.keys {
		p.keys[i] = key.Uint64(stage, uint64(i))
	}
	return p
}

func (p *permutation) at(i int) int {
	x := uint64(i)
	for {
		left, right := x>>p.half, x&p.mask
		for _, k := range p.keys {
			left, right = right, left^rng.Mix(k, right)>>32&p.mask
		}
		if x = left<<p.half | right; x < p.n {
			return int(x)
		}
	}
}

const (
	emitChunk = 256
	blockRows = 1 << 20 // jobs in an output block
)

// sheet holds the rows of a range of employers while they are filled in.
type sheet struct {
	jobs     *jobColumns
	accounts *accountColumns
}

// jobColumns are the vectors of the jobs table while it is being filled.
type jobColumns struct {
	worker, employer, year, level, field, sex, age, wage, fte, hired, left []int32
}

func newJobColumns(n int) *jobColumns {
	c := &jobColumns{}
	c.resize(n)
	return c
}

// resize makes room for n rows; what they hold is undefined.
func (c *jobColumns) resize(n int) {
	for _, v := range c.all() {
		*v = sized(*v, n)
	}
}

func (c *jobColumns) all() []*[]int32 {
	return []*[]int32{&c.worker, &c.employer, &c.year, &c.level, &c.field, &c.sex, &c.age, &c.wage, &c.fte, &c.hired, &c.left}
}

// emitter holds what is constant while employers are emitted.
type emitter struct {
	*skeleton
	last      int32    // number of a worker
	surveyed  []uint32 // bits by worker: whether there at the survey or later
	people    *people
	jobAt     []int // by employer: its first row of jobs, and one more
	accountAt []int
	tally     *tally // nil: none is kept

	effects, years, reports rng.SimStage
	origins                 []origin  // by employer
	contributions           []float64 // by year of the window
}

// origin is what workers keep of their first employer, in little room, for it is
// looked up once a spell.
type origin struct{ sector, region uint8 }

func newEmitter(ctx context.Context, s *skeleton) (*emitter, error) {
	n := len(s.employers)
	e := &emitter{
		skeleton: s, people: newPeople(s.o, s.c, s.cells, s.priceOf),
		jobAt: make([]int, n+1), accountAt: make([]int, n+1),
		effects: s.key.At(stageEffect), years: s.key.At(stageYear), reports: s.key.At(stageReport),
	}
	for y := s.o.From; y <= s.o.To; y++ {
		e.contributions = append(e.contributions, s.contribution(y))
	}
	e.origins = make([]origin, n)
	for id := range s.employers {
		x := &s.employers[id]
		e.origins[id] = origin{x.sector, x.region}
	}
	err := e.survey(ctx)
	if err != nil {
		return nil, err
	}
	if e.last, err = s.numberWorkers(ctx); err != nil {
		return nil, err
	}
	err = par.Chunks(ctx, n, emitChunk, func(_, lo, hi int) error {
		for id := lo; id < hi; id++ {
			for _, sp := range s.spells[id] {
				first, last := s.yearsOf(sp)
				e.jobAt[id+1] += max(0, last-first+1)
			}
			for y := s.o.From; y <= s.o.To; y++ {
				if s.files(int32(id), y) {
					e.accountAt[id+1]++
				}
			}
		}
		return nil
	})
	for id := range n {
		e.jobAt[id+1] += e.jobAt[id]
		e.accountAt[id+1] += e.accountAt[id]
	}
	return e, err
}

// emit fills a sheet with the rows of employers [lo, hi), several at a time.
// done is told how many employers were emitted.
func (e *emitter) emit(ctx context.Context, lo, hi int, to *sheet, done func(employers int)) error {
	return par.Chunks(ctx, hi-lo, emitChunk, func(_, a, b int) error {
		w := &writer{emitter: e, sheet: to}
		for id := lo + a; id < lo+b; id++ {
			w.employer(int32(id), e.jobAt[id]-e.jobAt[lo], e.accountAt[id]-e.accountAt[lo])
		}
		done(b - a)
		return nil
	})
}

// counter tells how far several goroutines have come with a stage.
func counter(tell progress.Func, stage string, total int) func(n int) {
	var mu sync.Mutex
	done := 0
	tell.Step(stage, 0, total)
	return func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		tell.Step(stage, done, total)
	}
}

// emit fills jobs and accounts.
func (s *skeleton) emit(ctx context.Context, p *Population, tell progress.Func) error {
	e, err := newEmitter(ctx, s)
	if err != nil {
		return err
	}
	n := len(s.employers)
	all := &sheet{newJobColumns(e.jobAt[n]), newAccountColumns(e.accountAt[n])}
	if err := e.emit(ctx, 0, n, all, counter(tell, "workers", n)); err != nil {
		return err
	}
	p.Jobs, p.Accounts = s.jobsFrame(all.jobs), frame.Must(all.accounts.cols...)
	return nil
}

// yearsOf returns the first and last year of the window that a spell touches.
func (s *skeleton) yearsOf(sp spell) (lo, hi int) {
	lo, hi = s.o.From, s.o.To
	if sp.from >= s.day1(lo+1) {
		lo = s.yearOf(sp.from)
	}
	if sp.to < s.day1(hi) {
		hi = s.yearOf(sp.to)
	}
	return lo, hi
}

// yearOf is the calendar year of a day, the one after the window for all later
// days.
func (s *skeleton) yearOf(day int32) int {
	if day >= s.day1(s.o.To+1) {
		return s.o.To + 1
	}
	year := 1970 + int(day)*400/146097 // the mean length of a year, rounded towards 1970
	for year < s.o.To && day >= s.day1(year+1) {
		year++
	}
	for day < s.day1(year) {
		year--
	}
	return year
}

// person is what the skeleton knows of a worker.
func (e *emitter) person(sp *numbered) person {
	x := &sp.who
	first := &e.origins[x.origin]
	return person{
		birth: int(e.birth(x)), cell: x.cell, woman: x.woman, since: e.since(x), effect: float64(x.effect),
		sector: first.sector, region: first.region, rank: e.hoursRank(x.address()),
		surveyed: e.surveyed[sp.spell.who()/32]>>(sp.spell.who()%32)&1 != 0,
	}
}

// writer emits employers one after the other, with its own buffers.
type writer struct {
	*emitter
	*sheet
	r, y    rng.Stream
	sorted  []numbered
	keys    []uint64
	buckets buckets
	at      []employerYear
	sums    []yearSums
	room    [4][]int64
	psi     []float64
}

// employerYear is what all jobs of an employer in a year have in common, and the
// row of the next of them.
type employerYear struct {
	place
	start, end int32 // 1 January, and that of the next year
	row        int
}

// numbered is a spell and its worker. They are looked up in one go, since each
// look-up waits for memory.
type numbered struct {
	spell
	who worker
}

// employer writes the job rows of an employer, by year and worker, and its
// accounts.
func (w *writer) employer(id int32, jobAt, accountAt int) {
	e := &w.employers[id]
	w.sort(w.spells[id])
	w.sums = append(w.sums[:0], make([]yearSums, w.o.To-w.o.From+1)...)
	w.firmEffects(e)
	w.open(e, jobAt)
	for i := range w.sorted {
		w.stay(id, e, &w.sorted[i])
	}
	w.file(id, e, accountAt)
}

// open readies the years of an employer whose first row is given.
func (w *writer) open(e *employer, row int) {
	w.at = sized(w.at, w.o.To-w.o.From+1)
	for k := range w.at {
		year := w.o.From + k
		w.at[k] = employerYear{place{year: year, sector: e.sector, region: e.region, psi: w.psi[k]}, w.day1(year), w.day1(year + 1), 0}
		if x, ok := w.own(e, year); ok {
			w.at[k].wage, w.at[k].masterWage, w.at[k].fte = w.world.Wage[x], w.world.MasterWage[x], w.world.FTE[x]
		}
	}
	for i := range w.sorted {
		for lo, hi := w.yearsOf(w.sorted[i].spell); lo <= hi; lo++ {
			w.at[lo-w.o.From].row++
		}
	}
	for k := range w.at {
		w.at[k].row, row = row, row+w.at[k].row
	}
}

// firmEffects lists the employer's wage effects by year, the premium of its size
// included.
func (w *writer) firmEffects(e *employer) {
	w.psi = w.psi[:0]
	for y := w.o.From; y <= w.o.To; y++ {
		size := e.size(min(max(y, int(e.first)), int(e.last)))
		w.psi = append(w.psi, w.effect(e, y)+w.people.wages.sizePremium(size))
	}
}

// sort lists the spells of an employer by number, then time.
func (w *writer) sort(spells []spell) {
	w.keys, w.sorted = sized(w.keys, len(spells)), sized(w.sorted, len(spells))
	scale := math.MaxUint64 / (uint64(w.last) + 1)
	for i, sp := range spells {
		w.keys[i] = uint64(w.workers[sp.who()].id) * scale
	}
	w.buckets.sort(w.keys, func(i int, place int32) {
		sp := spells[i]
		w.sorted[place] = numbered{sp, w.workers[sp.who()]}
	})
	finish(w.sorted, func(a, b *numbered) bool { return a.who.id < b.who.id || a.who.id == b.who.id && a.from < b.from })
}

// stay writes the rows of a spell, one a year.
func (w *writer) stay(id int32, e *employer, sp *numbered) {
	lo, hi := w.yearsOf(sp.spell)
	if lo > hi {
		return
	}
	j, address := w.jobs, sp.who.address()
	w.effects.Reseed(&w.r, address)
	t := w.people.traits(w.person(sp), &w.r)
	sex := sexOf(t.woman)
	answer := answer{draw: w.reports.Uint64(rng.Mix(address, uint64(id))), level: -1}
	for y := lo - w.o.From; y <= hi-w.o.From; y++ {
		at := &w.at[y]
		at.second = sp.second() || sp.from >= at.start && sp.to < at.end
		w.years.Reseed(&w.y, workerYear(address, at.year))
		x := w.people.work(&t, &at.place, &w.y)
		from, to, hired, left := at.start, at.end-1, frame.NoInt, frame.NoInt
		if sp.from >= at.start {
			from, hired = sp.from, sp.from
		}
		if sp.to < at.end {
			to, left = sp.to, sp.to
		}
		days, wage := to-from+1, int32(0)
		if x.full != 0 {
			wage = rounded(x.full * float64(x.fte) / 100 * float64(days) / float64(at.end-at.start))
		}
		row := at.row
		at.row++
		j.worker[row], j.employer[row], j.year[row] = sp.who.id, id+1, int32(at.year)
		j.level[row], j.field[row], j.sex[row], j.age[row] = x.level, x.field, sex, x.age
		j.wage[row], j.fte[row], j.hired[row], j.left[row] = wage, x.fte, hired, left
		if w.tally != nil {
			w.tally.add(id, at.year, &x, int(w.cells.tilt[int(x.level)*w.cells.fields+int(x.field)]), hired != frame.NoInt, left != frame.NoInt)
		}
		if answer.level != x.held {
			w.answer(&answer, x.held)
		}
		w.sums[y].add(&answer, t.woman, x.fte, wage, days, hired != frame.NoInt, left != frame.NoInt)
	}
}

func (s *skeleton) jobsFrame(j *jobColumns) *frame.Frame {
	return frame.Must(
		frame.Ints("worker_id", j.worker),
		frame.Ints("employer_id", j.employer),
		frame.Ints("year", j.year),
		frame.Codes("level", levelDict(s.c), j.level),
		frame.Codes("field", fieldDict(s.c), j.field),
		frame.Codes("sex", SexDict, j.sex),
		frame.Ints("age", j.age),
		frame.Ints("wage", j.wage),
		frame.Fixed("fte", 2, j.fte),
		frame.Dates("hired", j.hired),
		frame.Dates("left", j.left),
	)
}

func levelDict(c *calibration.Figures) *frame.Dict {
	var labels []string
	for _, l := range c.Levels {
		labels = append(labels, l.Code)
	}
	return frame.MustDict(labels...)
}

func fieldDict(c *calibration.Figures) *frame.Dict {
	var labels []string
	for _, f := range c.Fields {
		labels = append(labels, f.Code)
	}
	return frame.MustDict(labels...)
}

func sectorDict(c *calibration.Figures) *frame.Dict {
	var labels []string
	for _, x := range c.Sectors {
		labels = append(labels, x.Code)
	}
	return frame.MustDict(labels...)
}

func regionDict(c *calibration.Figures) *frame.Dict {
	var labels []string
	for _, x := range c.Regions {
		labels = append(labels, x.Code)
	}
	return frame.MustDict(labels...)
}
