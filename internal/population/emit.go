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
)

// workerIDs gives every worker a number that says nothing of when and where
// the worker was first seen: a keyed permutation of 1..n.
func (s *skeleton) workerIDs() []int32 {
	ids := make([]int32, len(s.birth))
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
	ids       []int32
	jobs      *jobColumns
	accounts  *accountColumns
	base      float64     // log full-time wage of 2021 before any premium
	premium   []float64   // by cell
	ages      [][]float64 // level x age: log wage
	sectors   []float64   // log wage
	floor     []float64   // by year of the window: minimum wage
	gap       []float64   // by year of the window: log wage of women
	partTime  []float64   // by year of the window: part-time rates against 2021
	fractions []fraction
}

// fraction is a part-timer's working time and its cumulative share.
type fraction struct {
	hundredths int32
	upTo       float64
}

func newEmitter(s *skeleton, jobs, accounts int) *emitter {
	e := &emitter{skeleton: s, ids: s.workerIDs(), jobs: newJobColumns(jobs), accounts: newAccountColumns(accounts)}
	x := s.c.Wage
	e.base = math.Log(x.Median2021) + x.Intercept
	for _, lv := range s.c.Levels {
		for _, f := range s.c.Fields {
			e.premium = append(e.premium, lv.Premium+f.Premium)
		}
		profile := make([]float64, 80)
		for a := range profile {
			profile[a] = lv.AgeSlope * interpolate(x.AgeAt, float64(a))
		}
		e.ages = append(e.ages, profile)
	}
	for _, sec := range s.c.Sectors {
		e.sectors = append(e.sectors, x.SectorPart*math.Log(sec.Wage/100))
	}
	for y := s.o.From; y <= s.o.To; y++ {
		e.floor = append(e.floor, x.Minimum2021*math.Exp(s.priceOf(y)-s.priceOf(2021)))
		e.gap = append(e.gap, between(x.WomenGap[0], (x.WomenGap[0]+x.WomenGap[1])/2, x.WomenGap[1], float64(y)))
		e.partTime = append(e.partTime, between(s.c.Hours.Rise, (1+s.c.Hours.Rise)/2, 1, float64(y)))
	}
	sum := 0.0
	for _, f := range s.c.Hours.Fractions {
		sum += f.Share
		e.fractions = append(e.fractions, fraction{int32(f.Hundredths), sum})
	}
	return e
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

// traits are what a worker keeps.
type traits struct {
	effect     float64 // log wage
	hoursRank  float64 // works part-time where this is below the rate
	fraction   int32
	riseYear   int
	birth      int
	cell, rose uint16
	woman      bool
}

func (e *emitter) traits(worker int32, r *rng.Stream) traits {
	e.key.Reseed(r, stageEffect, uint64(worker))
	w := e.c.Wage
	first := &e.employers[e.origin[worker]]
	t := traits{birth: int(e.birth[worker]), cell: e.cell[worker], woman: e.woman[worker], riseYear: math.MaxInt32}
	z := r.Normal()
	t.effect = w.WorkerSD * (float64(w.Sorting*float64(first.psi)/w.FirmSD) + float64(math.Sqrt(1-w.Sorting*w.Sorting)*z))
	if r.Float64() < w.TopShare {
		t.effect += r.Exp() / w.TopAlpha
	}
	t.hoursRank = r.Float64()
	u := r.Float64()
	for _, f := range e.fractions {
		if t.fraction = f.hundredths; u < f.upTo {
			break
		}
	}
	l, f := e.cells.level(t.cell), e.cells.field(t.cell)
	if up := e.cells.rise[l]; up >= 0 && e.cells.allowed[up][f] && r.Bool(w.RiseShare) {
		age := max(w.RiseAge[0]+r.IntN(w.RiseAge[1]-w.RiseAge[0]), e.c.Levels[up].MinAge)
		t.riseYear, t.rose = t.birth+age, uint16(up*e.cells.fields+f)
	}
	return t
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
		t := w.traits(sp.worker, &w.r)
		for y, hi := s.yearsOf(sp); y <= hi; y++ {
			w.job(id, e, sp, &t, y, w.cursor[y-s.o.From])
			w.cursor[y-s.o.From]++
		}
	}
	w.file(id, e, accountAt)
}

// firmEffects draws the path of the employer's wage effect: first-order
// autoregressive with constant variance, plus the size premium.
func (w *writer) firmEffects(id int32, e *employer) {
	x := w.c.Wage
	w.key.Reseed(&w.r, stageFirmEffect, uint64(id))
	w.psi = w.psi[:0]
	sd := x.FirmSD * math.Sqrt(1-x.FirmAR*x.FirmAR)
	psi := float64(e.psi)
	for y := w.o.From; y <= w.o.To; y++ {
		size := e.size(min(max(y, int(e.first)), int(e.last)))
		w.psi = append(w.psi, psi+float64(x.SizePremium*math.Log(size/5)))
		psi = float64(x.FirmAR*psi) + float64(sd*w.r.Normal())
	}
}

func (w *writer) job(id int32, e *employer, sp spell, t *traits, year, row int) {
	j, x, start, end := w.jobs, &w.c.Wage, w.day1(year), w.day1(year+1)
	w.key.Reseed(&w.y, stageYear, entityYear(sp.worker, year))
	age := year - t.birth
	cell := t.cell
	if year >= t.riseYear {
		cell = t.rose
	}
	level := w.cells.level(cell)
	fte := int32(100)
	if t.hoursRank < w.partTimeRate(&w.c.Sectors[e.sector], t.woman, age, year) {
		fte = t.fraction
	}
	log := w.base + w.priceOf(year) - w.priceOf(2021) + w.premium[cell] + w.ages[level][min(age, 79)] + w.sectors[e.sector] +
		w.c.Regions[e.region].Wage + t.effect + w.psi[year-w.o.From] + float64(x.NoiseSD*w.y.Normal())
	if t.woman {
		log -= w.gap[year-w.o.From]
	}
	if k, ok := at(year, int(e.event)); ok {
		log += w.world.wage[k]
		if w.c.Levels[level].Group == calibration.GroupMaster {
			log += w.world.masterWage[k]
		}
	}
	full := math.Exp(log)
	if floor := w.floor[year-w.o.From]; full < floor {
		full = floor * (1 + float64(.04*w.y.Float64()))
	}
	from, to := max(sp.from, start), min(sp.to, end-1)
	days := to - from + 1
	wage := int32(math.Round(full * float64(fte) / 100 * float64(days) / float64(end-start)))
	hired, left := frame.NoInt, frame.NoInt
	if sp.from >= start {
		hired = sp.from
	}
	if sp.to < end {
		left = sp.to
	}
	sex := int32(0)
	if t.woman {
		sex = 1
	}
	j.worker[row], j.employer[row], j.year[row] = w.ids[sp.worker], id+1, int32(year)
	j.level[row], j.field[row], j.sex[row], j.age[row] = int32(level), int32(w.cells.field(cell)), sex, int32(age)
	j.wage[row], j.fte[row], j.hired[row], j.left[row] = wage, fte, hired, left
	w.sums[year-w.o.From].add(w, sp.worker, id, level, t.woman, fte, wage, days, hired != frame.NoInt, left != frame.NoInt)
}

func (e *emitter) partTimeRate(x *calibration.Sector, woman bool, age, year int) float64 {
	p := x.PartTimeM
	if woman {
		p = x.PartTimeW
	}
	h := &e.c.Hours
	p *= e.partTime[year-e.o.From] / 100
	if age >= h.OlderFrom {
		p *= h.Older
	}
	return p
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
