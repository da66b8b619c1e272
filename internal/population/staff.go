package population

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"time"

	"scramblelab/internal/calibration"
	"scramblelab/internal/par"
	"scramblelab/internal/progress"
	"scramblelab/internal/rng"
)

// worker is what the skeleton knows of a worker.
type worker struct {
	origin int32  // first employer
	entry  uint32 // year and ordinal of the opening in which it was first seen
	id     int32  // in the tables, once workers are numbered
	cell   uint16
	age    uint8 // then
	woman  bool
	effect float32 // log wage everywhere, but for the Pareto top
}

// address is where a worker's streams are found. It names the opening in which
// the worker was first seen, not its turn among workers, so that the same
// opening of another world brings the same person.
func (w *worker) address() uint64 { return addressOf(w.origin, w.entry) }

func addressOf(employer int32, entry uint32) uint64 {
	return uint64(employer)<<(entryYearBits+entryBits) | uint64(entry)
}

const (
	entryBits     = 24 // openings of one employer in one year
	entryYearBits = 5
	entryShort    = 1 << (entryBits - 1) // from here on, those of a few weeks
)

// entryOf numbers an opening of an employer; those of the staff with which the
// window opens are of the year before.
func (s *skeleton) entryOf(year, ordinal int) uint32 {
	return uint32(year-s.firstEntry())<<entryBits | uint32(ordinal)
}

func (s *skeleton) firstEntry() int { return s.c.Window.First - 1 }

// since is the year in which the worker was first seen.
func (s *skeleton) since(w *worker) int { return s.firstEntry() + int(w.entry>>entryBits) }

// birth is the year in which the worker was born.
func (s *skeleton) birth(w *worker) int16 { return int16(s.since(w) - int(w.age)) }

// workerYear is the address of a worker's year.
func workerYear(address uint64, year int) uint64 { return address<<12 | uint64(year) }

// spell is one worker's uninterrupted stay with one employer, in days since
// 1970-01-01, both included. worker is the complement of the worker's number
// where the job is a second one.
type spell struct{ worker, from, to int32 }

func (s spell) who() int32   { return max(s.worker, ^s.worker) }
func (s spell) second() bool { return s.worker < 0 }

const stillThere = int32(math.MaxInt32)

// skeleton is all that crosses employers: their paths, events, links, spells,
// and who fills which opening. Traits, wages and accounts are emitted from it
// employer by employer.
type skeleton struct {
	o     Options
	c     *calibration.Figures
	key   rng.Sim
	world world
	law   *sizeLaw
	lives *lives
	cells *cellTables

	regionCum []float64
	price     []float64       // log wage index by year since the first of the figures
	days      []int32         // 1 January by year since longestPast before it
	sectorHaz []float64       // sector: factor on separation hazards
	tenures   [][]float64     // sector: cumulative distribution of tenures of a stock
	shorts    []float64       // sector: short spells per lasting hire
	stockCum  []float64       // cumulative shares of age bands as the window opens
	retire    [][ages]float64 // year of the window: hazard of leaving work by age
	stock     sorting         // of the staff with which the window opens,
	hires     sorting         // and of those hired later
	near      float32         // distance of worker effects at which nobody nearer is looked for
	normal    [1 << normalBits]float32
	staffCum  [2][]float64 // sex, sector: cumulative staff, for those who change sector

	employers    []employer
	sales        []float64   // euro, by employer and year-end first..last
	salesAt      []int32     // by employer: where they stand, less the first year
	takeovers    []takeover  // by year
	classCum     [][]float64 // sector: cumulative shares of its four-digit classes
	net          *network
	buyerSectors [][]float64    // seller's sector: cumulative shares of the sectors of its buyers
	exposure     [][][5]float64 // employer x year since first: sales shares by event time of the buyer
	outcome      outcome
	known        *numbers  // of workers of the factual population, in a twin
	cycle        []float64 // log, by year-end from the one before the window
	rivals       map[int32]*rivals
	exposedFrom  []int16 // employer: first year in which an event of another acts on it, 0 for none

	workers []worker
	seconds map[int32]int32 // worker: the employer of a lasting second job this year
	spells  [][]spell       // by employer, once the staff is drawn; in no order
	active  [][]stay        // by employer: who works there now
	leans   []*lean         // employer: nil where nothing is planted on its staff
	heirs   []bool          // employers that continue another
}

// stay is a spell that lasts, beside what its end depends on.
type stay struct {
	address uint64
	worker  int32
	from    int32
	birth   int16
	cell    uint16
	senior  int16 // years of service that a takeover carried over
	second  bool  // beside another job

	moonlights bool // takes second jobs
}

// spell is the stay as it ends on a day.
func (a *stay) spell(to int32) spell {
	if a.second {
		return spell{^a.worker, a.from, to}
	}
	return spell{a.worker, a.from, to}
}

func newSkeleton(o Options) *skeleton {
	c := o.Figures
	s := &skeleton{o: o, c: c, outcome: factual, key: rng.Sim(rng.Mix(o.Seed, 0x706f70)), world: worldOf(c, o.World), cells: newCellTables(c)}
	shares := make([]float64, len(c.Regions))
	for i, r := range c.Regions {
		shares[i] = r.Share
	}
	s.regionCum = cumulate(shares)
	s.stock, s.hires = sortingOf(&c.Wage, c.Wage.Sorting), sortingOf(&c.Wage, c.Wage.SortingHires)
	s.near, s.normal = float32(c.Flows.Near*c.Wage.WorkerSD), normalQuantiles()
	level := 0.0
	for y := c.Window.First; y <= c.Window.Last; y++ {
		if y > c.Window.First {
			level += math.Log(1+c.Wage.Index[y]/100) + latest(c.Wage.Drift, y)/100
		}
		s.price = append(s.price, level)
	}
	for y := c.Window.First - longestPast; y <= o.To+1; y++ {
		s.days = append(s.days, int32(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).Unix()/86400))
	}
	s.stockCum = s.stockAges(o.From - 1)
	for y := o.From; y <= o.To; y++ {
		s.retire = append(s.retire, s.retirement(y))
	}
	mean, total := 0.0, 0.0
	men, women := make([]float64, len(c.Sectors)), make([]float64, len(c.Sectors))
	for i, x := range c.Sectors {
		men[i] = (x.Staff03 + x.Staff21) * (1 - x.Women/100)
		women[i] = (x.Staff03 + x.Staff21) * x.Women / 100
		mean, total = mean+float64(x.Hires*(x.Staff03+x.Staff21)), total+x.Staff03+x.Staff21
	}
	s.staffCum = [2][]float64{cumulate(men), cumulate(women)}
	for _, x := range c.Sectors {
		f := math.Pow(x.Hires/(mean/total), c.Flows.SectorPow)
		s.sectorHaz = append(s.sectorHaz, f)
		s.shorts = append(s.shorts, c.Flows.Short*math.Pow(x.Hires/(mean/total), c.Flows.ShortPow))
		survive, w := 1.0, make([]float64, c.Flows.TenureMost)
		for k := range w {
			w[k] = survive
			survive *= 1 - min(c.Flows.SeparationMost, f*c.Flows.Separation[min(k, 11)])
		}
		s.tenures = append(s.tenures, cumulate(w))
	}
	return s
}

// priceOf is the log index of wages and prices, 0 in the first year of the
// figures and constant outside them.
func (s *skeleton) priceOf(year int) float64 {
	return s.price[min(max(year-s.c.Window.First, 0), len(s.price)-1)]
}

// day1 is 1 January of a year in days since 1970-01-01.
func (s *skeleton) day1(year int) int32 { return s.days[year-s.c.Window.First+longestPast] }

// longestPast is how many years before the figures begin no spell began.
const longestPast = 60

// opening is a job to be filled in the course of a year.
type opening struct {
	employer, day, to int32
	cell              uint16
	under             uint8   // age from which nobody is taken, 0 for none
	wanted            float32 // worker effect
	rank              uint64  // its place in the market, and whom it sees there: its own draw, the same in the twin
}

// leaver is a worker who left, and where the next job is looked for.
type leaver struct {
	stay
	employer, day int32
	year          int16
	market        int16   // -1 for none
	effect        float32 // what the worker earns everywhere, log
}

// ended is a spell that is over.
type ended struct {
	employer int32
	spell
}

// batch is what a chunk of employers has to do with the markets of a year, and
// the spells that ended there so far.
type batch struct {
	openings []opening
	hires    []stay // who fills the openings; worker -1 for somebody new
	leavers  []leaver
	later    []leaver // of spells within the year, free from the next one on
	ended    []ended
	begun    []secondJob
	first    int // place of the first opening among those of all batches
}

const staffChunk = 512

// drawStaff fills all jobs of all years: first the staff at the start, then
// year by year separations and openings employer by employer, the markets that
// match them, and the hires that follow. Employers and markets run in parallel;
// what one of them does depends on no other of its kind.
func (s *skeleton) drawStaff(ctx context.Context, tell progress.Func) error {
	n := len(s.employers)
	years := s.o.To - s.o.From + 1
	tell.Step("staff", 0, years+2)
	s.leans, s.heirs = make([]*lean, n), make([]bool, n)
	for id := range s.employers {
		if h := s.employers[id].heir; h >= 0 {
			s.heirs[h] = true
		}
	}
	s.makeRoom()
	if err := s.drawInitial(ctx); err != nil {
		return err
	}
	tell.Step("staff", 1, years+2)
	seconds := s.newSecondJobs()
	m, batches := newMarkets(s), make([]batch, par.Count(n, staffChunk))
	for year := s.o.From; year <= s.o.To; year++ {
		if err := s.listSeconds(ctx, batches); err != nil {
			return err
		}
		s.moveStaff(year, &batches[0])
		err := par.Chunks(ctx, n, staffChunk, func(chunk, lo, hi int) error {
			b := &batches[chunk]
			b.openings = b.openings[:0]
			if n, gone := len(b.ended), year-s.o.From; gone > 0 && n+n/gone > cap(b.ended) { // years are alike
				b.ended = slices.Grow(b.ended, n/gone*(years-gone)*17/16)
			}
			b.leavers, b.later = append(b.leavers[:0], b.later...), b.later[:0]
			for id := lo; id < hi; id++ {
				s.passYear(int32(id), year, b)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := m.clear(ctx, year, batches); err != nil {
			return err
		}
		if err := s.welcome(ctx, year, batches); err != nil {
			return err
		}
		if err := s.takeSeconds(ctx, seconds, year, batches); err != nil {
			return err
		}
		tell.Step("staff", year-s.o.From+2, years+2)
	}
	if err := s.gatherSpells(ctx, batches); err != nil {
		return err
	}
	tell.Step("staff", years+2, years+2)
	return nil
}

// makeRoom reserves for every employer as many stays as it ever has at a
// year-end, in one vector.
func (s *skeleton) makeRoom() {
	most := func(e *employer) int {
		k := 0
		for y := max(int(e.first), s.o.From-1); y <= int(e.last); y++ {
			k = max(k, e.count(y))
		}
		return k
	}
	total := 0
	for id := range s.employers {
		total += most(&s.employers[id])
	}
	all := make([]stay, total)
	s.active = make([][]stay, len(s.employers))
	for id := range s.employers {
		k := most(&s.employers[id])
		s.active[id], all = all[:0:k], all[k:]
	}
}

// welcome lets the hires of a year begin, and makes those who were never seen.
func (s *skeleton) welcome(ctx context.Context, year int, batches []batch) error {
	next := make([]int, len(batches))
	total := len(s.workers)
	for k := range batches {
		next[k] = total
		for i := range batches[k].hires {
			if batches[k].hires[i].worker < 0 {
				total++
			}
		}
	}
	if fresh := total - len(s.workers); total > cap(s.workers) { // years are alike
		s.workers = slices.Grow(s.workers, fresh*(s.o.To-year+1)*9/8)
	}
	s.workers = s.workers[:total]
	return par.Do(ctx, len(batches), func(k int) error {
		b := &batches[k]
		var r rng.Stream
		ordinal, shorts := 0, 0
		for i := range b.openings {
			o, h := &b.openings[i], &b.hires[i]
			if i == 0 || b.openings[i-1].employer != o.employer {
				ordinal, shorts = 0, 0
			}
			nth := &ordinal
			if o.to != stillThere {
				nth = &shorts
			}
			if h.worker < 0 {
				h.worker = int32(next[k])
				next[k]++
				at := *nth
				if o.to != stillThere {
					at += entryShort
				}
				s.newcomer(h, o, year, at, &r)
			}
			*nth++
			h.senior = 0
			if h.second {
				b.begun = append(b.begun, secondJob{h.worker, o.employer})
			}
			if o.to == stillThere {
				s.active[o.employer] = append(s.active[o.employer], *h)
				continue
			}
			b.ended = append(b.ended, ended{o.employer, h.spell(o.to)})
			l := leaver{stay: *h, employer: o.employer, day: o.to, year: int16(year)}
			if s.seek(&l, &r) {
				b.later = append(b.later, l)
			}
		}
		return nil
	})
}

// gatherSpells sorts all spells by employer, those that still last included.
func (s *skeleton) gatherSpells(ctx context.Context, batches []batch) error {
	n := len(s.employers)
	chunkOf := func(id int32) int { return int(id) / staffChunk }
	var foreign []ended // heirs may stand in another chunk than those they continue
	for k := range batches {
		for _, e := range batches[k].ended {
			if chunkOf(e.employer) != k {
				foreign = append(foreign, e)
			}
		}
	}
	for _, e := range foreign {
		b := &batches[chunkOf(e.employer)]
		b.ended = append(b.ended, e)
	}
	s.spells = make([][]spell, n)
	err := par.Chunks(ctx, n, staffChunk, func(chunk, lo, hi int) error {
		var count [staffChunk]int
		b, total := &batches[chunk], 0
		for _, e := range b.ended {
			if chunkOf(e.employer) == chunk {
				count[int(e.employer)-lo]++
			}
		}
		for id := lo; id < hi; id++ {
			count[id-lo] += len(s.active[id])
			total += count[id-lo]
		}
		all := make([]spell, total)
		for id := lo; id < hi; id++ {
			k := count[id-lo]
			s.spells[id], all = all[:0:k], all[k:]
		}
		for _, e := range b.ended {
			if chunkOf(e.employer) == chunk {
				s.spells[e.employer] = append(s.spells[e.employer], e.spell)
			}
		}
		for id := lo; id < hi; id++ {
			for _, a := range s.active[id] {
				s.spells[id] = append(s.spells[id], a.spell(stillThere))
			}
		}
		b.ended = nil
		return nil
	})
	s.active = nil
	return err
}

// drawInitial creates the workers present when the window opens.
func (s *skeleton) drawInitial(ctx context.Context) error {
	start := []int32{0}
	for id := range s.employers {
		start = append(start, start[id]+int32(s.employers[id].count(s.o.From-1)))
	}
	s.workers = make([]worker, start[len(start)-1])
	return par.Chunks(ctx, len(s.employers), staffChunk, func(_, lo, hi int) error {
		var r, w rng.Stream
		for id := lo; id < hi; id++ {
			count := int(start[id+1] - start[id])
			if count == 0 {
				continue
			}
			e := &s.employers[id]
			s.key.Reseed(&r, stageInitial, uint64(id))
			shift, conc, cum := s.ageShift(e, s.o.From-1), s.concentration(count), s.tenures[e.sector]
			staff := s.active[id]
			for i := range count {
				number := start[id] + int32(i)
				x := &s.workers[number]
				x.origin, x.entry = int32(id), s.entryOf(s.o.From-1, i)
				s.key.Reseed(&w, stageWorker, x.address())
				age := s.stockAge(s.stockCum, shift, &w)
				birth := s.o.From - 1 - age
				cell := s.cells.draw(e.sector, birth, &r)
				if r.Float64() >= conc/(conc+float64(i)) { // Polya urn: Dirichlet-multinomial
					for range s.c.Cluster.Tries {
						other := &staff[r.IntN(i)]
						cell = other.cell
						if s.cells.follows(cell, birth, int(other.birth), &r) {
							break
						}
					}
				}
				age = max(age, s.c.Levels[s.cells.level(cell)].MinAge)
				s.settle(x, cell, s.o.From-1-age, e, &w)
				limit := min(age-s.c.Age.Limits[0]+1, len(cum)) // a firm may be older than its number
				tenure := pick(cum[:max(1, limit)], r.Float64())
				day := s.day1(s.o.From-1-tenure) + int32(1+r.IntN(362))
				staff = append(staff, stay{x.address(), number, day, s.birth(x), x.cell, 0, false, s.moonlights(x.address())})
			}
			s.active[id] = staff
		}
		return nil
	})
}

// settle fixes what a worker keeps; w is the worker's stream, and free to use afterwards.
func (s *skeleton) settle(x *worker, cell uint16, birth int, e *employer, w *rng.Stream) {
	x.age, x.cell = uint8(s.since(x)-birth), cell
	x.woman = w.Bool(s.cells.women[e.sector][cell])
	x.effect = s.effectOf(x, w)
}

// concentration is that of the Dirichlet-multinomial by which the staff of an
// employer of that size resembles itself.
func (s *skeleton) concentration(staff int) float64 {
	c := s.c.Cluster
	return min(c.Large, c.Small+float64(c.PerLog*math.Log(float64(staff))))
}

// stockAges returns the cumulative shares of age bands among those employed in
// a year.
func (s *skeleton) stockAges(year int) []float64 {
	a := s.c.Age
	shares := make([]float64, len(a.Y03))
	for i := range shares {
		shares[i] = s.c.Window.Between(a.Y03[i], a.Y12[i], a.Y21[i], float64(year))
	}
	return cumulate(shares)
}

// stockAge draws the age of somebody employed; shift is what the employer
// differs by.
func (s *skeleton) stockAge(cum []float64, shift float64, w *rng.Stream) int {
	bands := &s.c.Age.Bands
	b := pick(cum, w.Float64())
	age := float64(bands[b]) + float64(w.Float64()*float64(bands[b+1]-bands[b]))
	limits := s.c.Age.Limits
	return int(min(float64(limits[1]), max(float64(limits[0]), age+shift)))
}

func (s *skeleton) ageShift(e *employer, year int) float64 {
	x := s.c.Sectors[e.sector]
	w, m := s.c.Window, s.c.Age.Mean
	return w.Line(x.Age03, x.Age21, float64(year)) - w.Between(m[0], m[1], m[2], float64(year)) + float64(e.ageShift)
}

// passYear lets an employer lose, close, and ask for staff in a year.
func (s *skeleton) passYear(id int32, year int, b *batch) {
	e := &s.employers[id]
	switch {
	case int(e.exit) == year:
		s.closeDown(id, year, b)
	case int(e.first) == year && !s.heirs[id]: // an heir opens when the other closes
		s.open(id, year, e.count(year), b)
	case e.present(year) && int(e.first) < year:
		s.turnOver(id, year, b)
	}
}

// leave ends a stay and sends the worker to a market.
func (s *skeleton) leave(id int32, a *stay, year int, day int32, b *batch, r *rng.Stream) {
	day = max(day, a.from) // of those whom a takeover brought this year
	b.ended = append(b.ended, ended{id, a.spell(day)})
	if a.second {
		return
	}
	l := leaver{stay: *a, employer: id, day: day, year: int16(year)}
	if s.seek(&l, r) {
		b.leavers = append(b.leavers, l)
	}
}

// closeDown ends all jobs on one day; an heir takes everybody over on the next.
func (s *skeleton) closeDown(id int32, year int, b *batch) {
	var r, w rng.Stream
	s.key.Reseed(&r, stageSeparation, entityYear(id, year)|1<<63)
	e := &s.employers[id]
	days := s.c.Exits.Days
	day := s.day1(year) + int32(days[0]+r.IntN(max(0, days[1]-days[0])+1))
	taken := 0
	if e.heir >= 0 {
		taken = min(len(s.active[id]), s.employers[e.heir].count(year))
	}
	for i := range s.active[id] {
		a := &s.active[id][i]
		if i >= taken || a.second { // a second job does not outlast its employer
			s.leave(id, a, year, day, b, &w)
			continue
		}
		s.moveTo(e.heir, id, a, day, b)
	}
	if e.heir >= 0 {
		s.openFrom(e.heir, year, s.employers[e.heir].count(year)-len(s.active[e.heir]), int(day-s.day1(year))+1, b)
	}
	s.active[id] = s.active[id][:0]
}

// turnOver draws separations by tenure and age, layoffs down to the year-end
// head count, and openings up to it. Who goes is decided by a draw of the
// worker's own.
func (s *skeleton) turnOver(id int32, year int, b *batch) {
	e := &s.employers[id]
	var r, w rng.Stream
	factor, extra := s.sectorHaz[e.sector], 0.0
	if k, ok := s.own(e, year); ok {
		factor, extra = factor*s.world.Factor[k], s.world.Separation[k]
	}
	start := s.day1(year)
	var hazard [len(s.c.Flows.Separation)]float64
	retire := &s.retire[year-s.o.From]
	for t, h := range s.c.Flows.Separation {
		hazard[t] = float64(factor*h) + extra
	}
	staff, kept := s.active[id], 0
	draws := s.key.At(stageSeparation)
	for i := range staff {
		a := &staff[i]
		h := hazard[min(a.tenure(start), len(hazard)-1)] + retire[min(year-int(a.birth), ages-1)]
		u := draws.Uint64(workerYear(a.address, year))
		if a.second {
			u = rng.Mix(u, 2)
		}
		if float64(u>>11)*0x1p-53 >= h {
			if kept < i {
				staff[kept] = *a
			}
			kept++
			continue
		}
		day, _ := bits.Mul64(rng.Mix(u, 1), 362)
		s.leave(id, a, year, start+1+int32(day), b, &w)
	}
	stay, want := staff[:kept], e.count(year)
	if len(stay) > want {
		s.key.Reseed(&r, stageSeparation, entityYear(id, year)|1<<63)
	}
	for len(stay) > want { // the shortest tenure of some goes first
		i := r.IntN(len(stay))
		for range s.c.Flows.LastIn - 1 {
			if j := r.IntN(len(stay)); stay[j].from > stay[i].from {
				i = j
			}
		}
		s.leave(id, &stay[i], year, start+1+int32(r.IntN(362)), b, &w)
		stay[i] = stay[len(stay)-1]
		stay = stay[:len(stay)-1]
	}
	for i := range stay {
		s.seekSecond(id, &stay[i], year, b, &w)
	}
	s.active[id] = stay
	s.open(id, year, want-len(stay), b)
}

// retirement returns the hazard by age of leaving work for good in a year.
func (s *skeleton) retirement(year int) (hazard [ages]float64) {
	x := &s.c.Age
	for a := range hazard {
		for k, from := range x.RetireFrom {
			if a >= from {
				h := x.Retire[k]
				hazard[a] = s.c.Window.Line(h[0], h[1], float64(year))
			}
		}
	}
	return hazard
}

func (s *skeleton) open(id int32, year, count int, b *batch) { s.openFrom(id, year, count, 1, b) }

// openFrom announces openings on days of the year from the one given on, and
// some that end within it. Every opening draws from a stream of its own. The
// wanted cell is the sector's with probability c/(c+n), else a colleague's: a
// Moran process, whose stationary composition is Dirichlet-multinomial with
// concentration c.
func (s *skeleton) openFrom(id int32, year, count, first int, b *batch) {
	if count == 0 {
		return
	}
	e := &s.employers[id]
	var r rng.Stream
	s.key.Reseed(&r, stageOpening, entityYear(id, year)|1<<63)
	stayers := len(s.active[id])
	wish := s.lean(id, year, stayers, count)
	conc := s.concentration(stayers + count)
	short := r.Poisson(float64(count) * s.shorts[e.sector])
	begun := len(b.openings)
	for i := range count + short {
		ordinal := i
		if i >= count {
			ordinal += entryShort - count
		}
		at := addressOf(id, s.entryOf(year, ordinal))
		s.key.Reseed(&r, stageOpening, at)
		to, last := stillThere, 363
		if i >= count {
			to = int32(min(s.c.Flows.ShortDays*r.Exp(), float64(last-first)))
			last -= int(to)
		}
		day := s.day1(year) + int32(first+r.IntN(max(1, last-first)))
		if i >= count {
			to += day
		}
		cell := uint16(0)
		for range 12 {
			cell = s.wantedCell(id, e, year, conc, b.openings[begun:], &r)
			if wish == nil || r.Float64() < math.Exp(wish.shift[s.cells.tilt[cell]]-wish.peak) {
				break
			}
		}
		rank := s.key.Uint64(stageMarket, at)
		b.openings = append(b.openings, opening{id, day, to, cell, wish.under(&s.c.Age, &r), s.wantedEffect(e, year, rank), rank})
	}
}

// wantedCell copies a stayer, or an opening of the same year, or draws anew.
func (s *skeleton) wantedCell(id int32, e *employer, year int, conc float64, sofar []opening, r *rng.Stream) uint16 {
	stayers := len(s.active[id])
	birth := year - s.c.Age.HireAge
	have := stayers + len(sofar)
	if have == 0 || r.Float64() < conc/(conc+float64(have)) {
		return s.cells.draw(e.sector, birth, r)
	}
	var cell uint16
	for range s.c.Cluster.Tries {
		i := r.IntN(have)
		if i >= stayers {
			return sofar[i-stayers].cell
		}
		other := &s.active[id][i]
		cell = other.cell
		if s.cells.follows(cell, birth, int(other.birth), r) {
			break
		}
	}
	return cell
}
