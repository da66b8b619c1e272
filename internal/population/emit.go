package population

import (
	"context"
	"math"
	"slices"
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

// workerIDs gives every worker a number that says nothing of when and where
// the worker was first seen: a keyed permutation of 1..n.
func (s *skeleton) workerIDs() []int32 {
	ids := make([]int32, len(s.workers))
	for i := range ids {
		ids[i] = int32(i + 1)
	}
	rng.Shuffle(s.key.Stream(stageWorkerID, 0), ids)
	return ids
}

const emitChunk = 256

// jobColumns are the vectors of the jobs table while it is being filled.
type jobColumns struct {
	worker, employer, year, level, field, sex, age, wage, fte, hired, left []int32
}

func newJobColumns(n int) *jobColumns {
	c := &jobColumns{}
	for _, v := range c.all() {
		*v = make([]int32, n)
	}
	return c
}

func (c *jobColumns) all() []*[]int32 {
	return []*[]int32{&c.worker, &c.employer, &c.year, &c.level, &c.field, &c.sex, &c.age, &c.wage, &c.fte, &c.hired, &c.left}
}

// emitter holds what is constant while employers are emitted.
type emitter struct {
	*skeleton
	ids      []int32
	jobs     *jobColumns
	accounts *accountColumns
	people   *people
	surveyed []bool // by worker: still had a job when the education register began
}

func newEmitter(s *skeleton, jobs, accounts int) *emitter {
	return &emitter{
		skeleton: s, ids: s.workerIDs(), jobs: newJobColumns(jobs), accounts: newAccountColumns(accounts),
		people: newPeople(s.o, s.c, s.cells, s.priceOf), surveyed: s.surveyed(),
	}
}

// emit fills jobs and accounts, employers in fixed blocks.
func (s *skeleton) emit(ctx context.Context, p *Population, tell progress.Func) error {
	n := len(s.employers)
	jobAt, accountAt := make([]int, n+1), make([]int, n+1)
	for id := range s.employers {
		rows := 0
		for _, sp := range s.spells[id] {
			lo, hi := s.yearsOf(sp)
			rows += max(0, hi-lo+1)
		}
		jobAt[id+1] = jobAt[id] + rows
		accountAt[id+1] = accountAt[id]
		for y := s.o.From; y <= s.o.To; y++ {
			if s.files(int32(id), y) {
				accountAt[id+1]++
			}
		}
	}
	e := newEmitter(s, jobAt[n], accountAt[n])
	var mu sync.Mutex
	done, chunks := 0, par.Count(n, emitChunk)
	err := par.Chunks(ctx, n, emitChunk, func(_, lo, hi int) error {
		w := &writer{emitter: e}
		for id := lo; id < hi; id++ {
			w.employer(int32(id), jobAt[id], accountAt[id])
		}
		mu.Lock()
		defer mu.Unlock()
		done++
		tell.Step("workers", done, chunks)
		return nil
	})
	if err != nil {
		return err
	}
	p.Jobs, p.Accounts = e.jobsFrame(), frame.Must(e.accounts.cols...)
	return nil
}

// yearsOf returns the first and last year of the window that a spell touches.
func (s *skeleton) yearsOf(sp spell) (lo, hi int) {
	lo, hi = s.o.From, s.o.To
	for sp.from >= s.day1(lo+1) {
		lo++
	}
	for hi >= lo && sp.to < s.day1(hi) {
		hi--
	}
	return lo, hi
}

// person looks up a worker in the skeleton.
func (e *emitter) person(worker int32) person {
	x := &e.workers[worker]
	first := &e.employers[x.origin]
	return person{
		birth: int(x.birth), cell: x.cell, woman: x.woman, since: e.since(x),
		sector: first.sector, region: first.region, psi: float64(first.psi), surveyed: e.surveyed[worker], second: e.moonlights(x.address()),
	}
}

// writer emits employers one after the other, with its own buffers.
type writer struct {
	*emitter
	r, y   rng.Stream
	sorted []spell
	cursor []int
	sums   []yearSums
	psi    []float64
}

// employer writes the job rows of an employer, by year and worker, and its
// accounts.
func (w *writer) employer(id int32, jobAt, accountAt int) {
	e, s := &w.employers[id], w.skeleton
	years := s.o.To - s.o.From + 1
	w.sorted = append(w.sorted[:0], s.spells[id]...)
	slices.SortFunc(w.sorted, func(a, b spell) int {
		if d := w.ids[a.worker] - w.ids[b.worker]; d != 0 {
			return int(d)
		}
		return int(a.from - b.from)
	})
	w.cursor = append(w.cursor[:0], make([]int, years+1)...)
	w.sums = append(w.sums[:0], make([]yearSums, years)...)
	for _, sp := range w.sorted {
		for lo, hi := s.yearsOf(sp); lo <= hi; lo++ {
			w.cursor[lo-s.o.From+1]++
		}
	}
	w.cursor[0] = jobAt
	for y := range years {
		w.cursor[y+1] += w.cursor[y]
	}
	w.firmEffects(id, e)
	for _, sp := range w.sorted {
		address := w.workers[sp.worker].address()
		w.key.Reseed(&w.r, stageEffect, address)
		t := w.people.traits(w.person(sp.worker), &w.r)
		for y, hi := s.yearsOf(sp); y <= hi; y++ {
			w.job(id, e, sp, address, &t, y, w.cursor[y-s.o.From])
			w.cursor[y-s.o.From]++
		}
	}
	w.file(id, e, accountAt)
}

// firmEffects draws the path of the employer's wage effect.
func (w *writer) firmEffects(id int32, e *employer) {
	w.key.Reseed(&w.r, stageFirmEffect, uint64(id))
	size := func(year int) float64 { return e.size(min(max(year, int(e.first)), int(e.last))) }
	w.psi = w.people.wages.firmPath(w.psi[:0], float64(e.psi), w.o.To-w.o.From+1, size, &w.r)
}

func (w *writer) job(id int32, e *employer, sp spell, address uint64, t *traits, year, row int) {
	j, start, end := w.jobs, w.day1(year), w.day1(year+1)
	here := place{year: year, within: sp.from >= start && sp.to < end, sector: e.sector, region: e.region, psi: w.psi[year-w.o.From]}
	if k, ok := w.own(e, year); ok {
		here.wage, here.masterWage, here.fte = w.world.Wage[k], w.world.MasterWage[k], w.world.FTE[k]
	}
	w.key.Reseed(&w.y, stageYear, workerYear(address, year))
	x := w.people.work(t, &here, &w.y)
	from, to := max(sp.from, start), min(sp.to, end-1)
	days := to - from + 1
	wage := int32(math.Round(x.full * float64(x.fte) / 100 * float64(days) / float64(end-start)))
	hired, left := frame.NoInt, frame.NoInt
	if sp.from >= start {
		hired = sp.from
	}
	if sp.to < end {
		left = sp.to
	}
	sex := sexOf(t.woman)
	j.worker[row], j.employer[row], j.year[row] = w.ids[sp.worker], id+1, int32(year)
	j.level[row], j.field[row], j.sex[row], j.age[row] = x.level, x.field, sex, x.age
	j.wage[row], j.fte[row], j.hired[row], j.left[row] = wage, x.fte, hired, left
	w.sums[year-w.o.From].add(w, address, id, int(x.held), t.woman, x.fte, wage, days, hired != frame.NoInt, left != frame.NoInt)
}

func (e *emitter) jobsFrame() *frame.Frame {
	j := e.jobs
	return frame.Must(
		frame.Ints("worker_id", j.worker),
		frame.Ints("employer_id", j.employer),
		frame.Ints("year", j.year),
		frame.Codes("level", levelDict(e.c), j.level),
		frame.Codes("field", fieldDict(e.c), j.field),
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
