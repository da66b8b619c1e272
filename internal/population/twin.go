package population

import (
	"cmp"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"

	"scramblelab/internal/progress"
)

// counterfactualName is the folder of the twin within that of a population.
const counterfactualName = "counterfactual"

// numbers are the numbers that workers have in a population, by the address at
// which their streams are found, so that who is in its twin as well has the
// same number there.
type numbers struct {
	addresses []uint64 // sorted
	ids       []int32
}

func numbersOf(e *emitter) *numbers {
	order := make([]int32, len(e.workers))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(e.workers[a].address(), e.workers[b].address()) })
	n := &numbers{make([]uint64, len(order)), make([]int32, len(order))}
	for k, i := range order {
		n.addresses[k], n.ids[k] = e.workers[i].address(), e.workers[i].id
	}
	return n
}

// number gives the workers of a twin their numbers: those of the population, and
// above them a keyed permutation for workers who are in the twin alone. It returns
// the last.
func (n *numbers) number(s *skeleton) (last int32) {
	var fresh []int32
	for i := range s.workers {
		if k, ok := slices.BinarySearch(n.addresses, s.workers[i].address()); ok {
			s.workers[i].id = n.ids[k]
			last = max(last, n.ids[k])
		} else {
			fresh = append(fresh, int32(i))
		}
	}
	of := newPermutation(s.key, stageWorkerID, max(1, len(fresh)))
	for k, i := range fresh {
		s.workers[i].id = int32(len(n.ids)+of.at(k)) + 1
		last = max(last, s.workers[i].id)
	}
	return last
}

// writeTwin writes the population without events into a folder within dir, and
// returns the effects on workers that follow from the comparison. A third
// outcome, in which events act on the employer that automates alone, is drawn
// and tallied, and not written.
func (d *delivery) writeTwin(ctx context.Context, dir string, w WriteOptions, block int, truth Truth, tell progress.Func) ([]Computed, error) {
	known := numbersOf(d.emitter)
	own, err := drawTwin(ctx, d.o, ownOnly, known, tell)
	if err != nil {
		return nil, err
	}
	if err := own.emitAway(ctx, block, tell); err != nil {
		return nil, err
	}
	ownTally := own.tally
	twin, err := drawTwin(ctx, d.o, untreated, known, tell)
	if err != nil {
		return nil, err
	}
	to := filepath.Join(dir, counterfactualName)
	if err := os.Mkdir(to, 0o755); err != nil {
		return nil, err
	}
	t, err := newDelivery(twin, to, w, twin.blocks(block), Shard{})
	if err != nil {
		return nil, err
	}
	defer t.abandon()
	if err := t.write(ctx, tell); err != nil {
		return nil, err
	}
	truth.Counterfactual, truth.Declared, truth.Effects, truth.Events = true, nil, nil, 0
	truth.Notes = []string{"the twin of the population in the folder above: the same streams without any event"}
	if err := writeDocuments(to, t.ext, d.c, truth); err != nil {
		return nil, err
	}
	return slices.Concat(
		d.workerEffects(groupAutomating, factual, d.tally, twin.tally),
		d.workerEffects(groupAutomating, ownOnly, ownTally, twin.tally),
		d.workerEffects(groupSupplier, factual, d.tally, twin.tally)), nil
}

func drawTwin(ctx context.Context, o Options, under outcome, known *numbers, tell progress.Func) (*emitter, error) {
	s, err := drawOutcome(ctx, o, under, nil)
	if err != nil {
		return nil, err
	}
	s.known = known
	if err := s.drawStaff(ctx, tell); err != nil {
		return nil, err
	}
	e, err := newEmitter(ctx, s)
	if err == nil {
		e.tally = newTally(s)
	}
	return e, err
}

// emitAway emits all employers for the sake of the tally.
func (e *emitter) emitAway(ctx context.Context, block int, tell progress.Func) error {
	at := e.blocks(block)
	done := counter(tell, "workers", len(e.employers))
	to := &sheet{jobs: &jobColumns{}}
	for b := range len(at) - 1 {
		lo, hi := at[b], at[b+1]
		to.jobs.resize(e.jobAt[hi] - e.jobAt[lo])
		to.accounts = newAccountColumns(e.accountAt[hi] - e.accountAt[lo])
		if err := e.emit(ctx, lo, hi, to, done); err != nil {
			return err
		}
	}
	return nil
}

// tally adds up what is emitted of employers with an event and of suppliers of
// such, by year, for the comparison of potential outcomes.
type tally struct {
	young int32   // age below which a hire counts as young
	at    []int32 // by employer: place of its first year, -1 where none is kept
	first []int32 // by employer: that year
	cells []tallied
}

// tallied is the staff of an employer at a year-end, and who came and went.
type tallied struct {
	staff, hires, young, left int32
	age, fte, paid            int32
	wage                      float64 // sum of log full-time wages
	byClass                   []int32
}

func newTally(s *skeleton) *tally {
	t := &tally{young: int32(s.c.Age.YoungHire), at: make([]int32, len(s.employers)), first: make([]int32, len(s.employers))}
	n := 0
	for id := range s.employers {
		e := &s.employers[id]
		t.first[id], t.at[id] = int32(max(int(e.first), s.o.From)), -1
		if (e.event != 0 || s.exposure != nil && s.exposure[id] != nil) && int(e.last) >= int(t.first[id]) {
			t.at[id] = int32(n)
			n += int(e.last) - int(t.first[id]) + 1
		}
	}
	t.cells = make([]tallied, n)
	classes := len(s.world.tilt)
	all := make([]int32, classes*n)
	for i := range t.cells {
		t.cells[i].byClass = all[i*classes : (i+1)*classes]
	}
	return t
}

func (t *tally) of(id int32, year int) *tallied {
	return &t.cells[int(t.at[id])+year-int(t.first[id])]
}

// add counts a row. Rows of one employer come one after the other.
func (t *tally) add(id int32, year int, x *work, class int, hired, left bool) {
	if t.at[id] < 0 {
		return
	}
	c := t.of(id, year)
	if hired {
		c.hires++
		if x.age < t.young {
			c.young++
		}
	}
	if left {
		c.left++
		return
	}
	c.staff++
	c.age += x.age
	c.fte += x.fte
	if x.full > 0 { // some contracts pay nothing
		c.paid++
		c.wage += math.Log(x.full)
	}
	c.byClass[class]++
}

// reading is an outcome of an employer at a year-end; ok false where there is
// none.
type reading struct {
	outcome, of string
	totals      bool
	read        func(c *tallied) (float64, bool)
}

func (s *skeleton) readings() []reading {
	perHead := func(sum func(c *tallied) float64) func(c *tallied) (float64, bool) {
		return func(c *tallied) (float64, bool) { return sum(c) / float64(c.staff), c.staff > 0 }
	}
	out := []reading{
		{"log full-time wage", "", false, func(c *tallied) (float64, bool) { return c.wage / float64(c.paid), c.paid > 0 }},
		{"age", "", false, perHead(func(c *tallied) float64 { return float64(c.age) })},
		{"working time", "", false, perHead(func(c *tallied) float64 { return float64(c.fte) / 100 })},
		{"share of hires who are young", "", false, func(c *tallied) (float64, bool) { return float64(c.young) / float64(c.hires), c.hires > 0 }},
		{"share that left", "", false, func(c *tallied) (float64, bool) {
			return float64(c.left) / float64(c.left+c.staff), c.staff > 0
		}},
	}
	for k, class := range s.c.Worlds.Classes {
		out = append(out,
			reading{"head count", class.Name, true, func(c *tallied) (float64, bool) { return float64(c.byClass[k]), c.staff > 0 }},
			reading{"share of staff", class.Name, false, perHead(func(c *tallied) float64 { return float64(c.byClass[k]) })})
	}
	return out
}

// workerEffects compares what was tallied of a group under two potential
// outcomes.
func (s *skeleton) workerEffects(group string, under outcome, with, without *tally) []Computed {
	var out []Computed
	on := s.cohort(group)
	for _, m := range s.readings() {
		out = append(out, s.effectsByTime(Computed{Outcome: m.outcome, Of: m.of, Group: group, Spillovers: under.spillovers()}, on, m.totals,
			func(id int32, year int) (float64, float64, bool) {
				if year < s.o.From {
					return 0, 0, false
				}
				y1, ok1 := m.read(with.of(id, year))
				y0, ok0 := m.read(without.of(id, year))
				return y1, y0, ok1 && ok0
			})...)
	}
	return out
}
