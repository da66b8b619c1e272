package suppress

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"scramblelab/internal/progress"
	"scramblelab/internal/rng"
)

// Need is a sensitive cell and the room it must keep: an intruder's interval
// must reach Up above and Down below its value, per magnitude.
type Need struct {
	Cell     int32
	Up, Down []float64
}

// Problem is what a pattern is wanted for.
type Problem struct {
	System *System
	Values [][]float64 // per magnitude, a value per cell, none negative; NaN where it is not published
	Counts []bool      // per magnitude: its values are whole numbers, and an intruder knows it
	Cost   []float64   // of suppressing each cell, not negative
	Needs  []Need
	Fixed  []bool  // cells that cannot be suppressed, such as those published before; nil: none
	Hidden []bool  // cells that are not published anyway; nil: none
	Single []int32 // the contributor of a cell that has exactly one, else -1; nil: not known
}

// Validate names what does not fit.
func (p *Problem) Validate() error {
	n := p.System.N
	for m, v := range p.Values {
		if len(v) != n {
			return fmt.Errorf("suppress: magnitude %d has %d values for %d cells", m, len(v), n)
		}
		for c, x := range v {
			if x < 0 || math.IsInf(x, 0) {
				return fmt.Errorf("suppress: %s has the value %v, want a finite number that is not negative", p.System.Name(int32(c)), x)
			}
		}
	}
	if len(p.Counts) != len(p.Values) || len(p.Cost) != n || p.Fixed != nil && len(p.Fixed) != n ||
		p.Hidden != nil && len(p.Hidden) != n || p.Single != nil && len(p.Single) != n {
		return fmt.Errorf("suppress: counts, cost, fixed, hidden and single want one entry per magnitude or per cell")
	}
	for _, need := range p.Needs {
		if len(need.Up) != len(p.Values) || len(need.Down) != len(p.Values) {
			return fmt.Errorf("suppress: %s wants room for each of %d magnitudes", p.System.Name(need.Cell), len(p.Values))
		}
	}
	return nil
}

// Options bound the search. The zero value is the default.
type Options struct {
	Search  time.Duration // for a cheap pattern; then a valid, larger one is returned, and after as long again, at least 5 s, none for what is left. 0 means 10 s, and 25 s above 300,000 cells
	Starts  int           // orders tried at most, the cheapest pattern wins; 0 means 24, 4 above 3,000 cells and 1 above 30,000
	Program time.Duration // for linear programs in a check; 0 means 5 s
	Block   int           // largest block, in suppressed cells, given to a linear program; 0 means 500
	Solve   time.Duration // for an elimination; 0 means 30 s
	// Proofs are moves that a search found, per need. A check holds each against
	// the relations before it relies on it, and looks for others where it fails.
	Proofs   [][]Move
	Progress progress.Func
}

func (o Options) withDefaults(cells int) Options {
	switch {
	case cells > 300_000:
		o.Search, o.Starts = cmp.Or(o.Search, 25*time.Second), cmp.Or(o.Starts, 1)
	case cells > 30_000:
		o.Search, o.Starts = cmp.Or(o.Search, 10*time.Second), cmp.Or(o.Starts, 1)
	case cells > 3000:
		o.Search, o.Starts = cmp.Or(o.Search, 10*time.Second), cmp.Or(o.Starts, 4)
	}
	o.Search = cmp.Or(o.Search, 10*time.Second)
	o.Starts = cmp.Or(o.Starts, 24)
	o.Program = cmp.Or(o.Program, 5*time.Second)
	o.Block = cmp.Or(o.Block, 500)
	o.Solve = cmp.Or(o.Solve, 30*time.Second)
	return o
}

// Pattern is a set of suppressed cells.
type Pattern struct {
	Suppressed []bool // sensitive cells, their partners, and what was hidden before
	Primary    int    // sensitive cells
	Secondary  int    // partners
	Loss       float64
	HurriedOn  bool     // the time limit came first: valid, but larger than need be
	Proofs     [][]Move // per need, the moves that it relies on, for [Options.Proofs]
}

// Find looks for a cheap pattern. Each sensitive cell gets a box or a path of
// partners with enough room, the cheapest among those tried; partners that turn
// out to be needed by no one are published again. Where the time limit comes
// first, the remaining cells take the first partners that do.
//
// The pattern is valid as far as one exists; [Check] says, cell by cell, what
// holds.
func Find(ctx context.Context, p *Problem, o Options) (*Pattern, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults(p.System.N)
	deadline := time.Now().Add(o.Search)
	var best *plan
	for i := range o.Starts {
		if best != nil && time.Now().After(deadline) {
			break
		}
		q := newPlan(p, o, deadline)
		if i == 2 {
			q.hideAll()
		}
		if err := q.build(ctx, order(p, i)); err != nil {
			return nil, err
		}
		if p.System.N <= polishable {
			if err := q.polish(ctx); err != nil {
				return nil, err
			}
		}
		if best == nil || q.better(best) {
			best = q
		}
	}
	best, err := exchange(ctx, p, o, deadline, best)
	if err != nil {
		return nil, err
	}
	out := &Pattern{Suppressed: best.hidden, HurriedOn: best.hurried, Proofs: make([][]Move, len(p.Needs))}
	for _, c := range best.claims {
		out.Proofs[c.need] = append(out.Proofs[c.need], c.move)
	}
	sensitive := map[int32]bool{}
	for _, n := range p.Needs {
		sensitive[n.Cell] = true
	}
	out.Primary = len(sensitive)
	for c, h := range best.hidden {
		if h && !sensitive[int32(c)] && !(p.Hidden != nil && p.Hidden[c]) {
			out.Secondary++
			out.Loss += p.Cost[c]
		}
	}
	return out, nil
}

// order returns the i-th order in which sensitive cells are served: the dearest
// first, the cheapest first, then at random.
func order(p *Problem, i int) []int32 {
	out := make([]int32, len(p.Needs))
	for k := range out {
		out[k] = int32(k)
	}
	sign := 1
	switch i {
	case 0:
		sign = -1
	case 1:
	default:
		rng.Shuffle(rng.Sim(i).Stream(0x6f726472, 0), out)
		return out
	}
	slices.SortStableFunc(out, func(a, b int32) int {
		return sign * cmp.Compare(p.Cost[p.Needs[a].Cell], p.Cost[p.Needs[b].Cell])
	})
	return out
}

// claim is a move that a sensitive cell relies on.
type claim struct {
	need int32
	ask  ask
	move Move
}

// grace is the least time for partners that are not chosen for their price.
const grace = 5 * time.Second

// plan is a pattern in the making.
type plan struct {
	p        *Problem
	o        Options
	deadline time.Time
	hidden   []bool
	forced   []bool // not to be published again
	x        *searcher
	claims   []claim
	weak     int // sensitive cells without enough room
	hurried  bool
}

func newPlan(p *Problem, o Options, deadline time.Time) *plan {
	q := &plan{p: p, o: o, deadline: deadline, hidden: make([]bool, p.System.N), forced: make([]bool, p.System.N)}
	copy(q.hidden, p.Hidden)
	copy(q.forced, p.Hidden)
	for _, n := range p.Needs {
		q.hidden[n.Cell], q.forced[n.Cell] = true, true
	}
	q.x = newSearcher(p, q.hidden)
	return q
}

// hideAll starts from the other end: everything is suppressed, and published
// again where nobody needs it.
func (q *plan) hideAll() {
	for c := range q.hidden {
		q.hidden[c] = q.hidden[c] || q.p.Fixed == nil || !q.p.Fixed[c]
	}
}

// exchangeable is the size up to which every partner is tried without, so that
// others take its place.
const exchangeable = 60

// exchange looks for a cheaper pattern without one partner of the best one, as
// long as it finds one.
func exchange(ctx context.Context, p *Problem, o Options, deadline time.Time, best *plan) (*plan, error) {
	if p.System.N > exchangeable {
		return best, nil
	}
	for found := true; found; {
		found = false
		for _, c := range best.partners() {
			without := *p
			without.Fixed = make([]bool, p.System.N)
			copy(without.Fixed, p.Fixed)
			without.Fixed[c] = true
			for i := range 2 {
				if time.Now().After(deadline) {
					return best, nil
				}
				q := newPlan(&without, o, deadline)
				if err := q.build(ctx, order(p, i)); err != nil {
					return nil, err
				}
				if q.weak > best.weak || q.loss() >= 2*best.loss() {
					continue
				}
				if err := q.polish(ctx); err != nil {
					return nil, err
				}
				if q.better(best) {
					best, found = q, true
				}
			}
			if found {
				break
			}
		}
	}
	return best, nil
}

// polishable is the size up to which partners are tested by a full check.
const polishable = 400

// polish publishes partners again, the dearest first, where a full check finds
// every sensitive cell as safe as before: by several moves together, or by a
// linear program, where no single move shows it.
func (q *plan) polish(ctx context.Context) error {
	before, err := Check(ctx, q.p, q.hidden, q.o)
	if err != nil {
		return err
	}
	for _, c := range q.partners() {
		if q.late() {
			return nil
		}
		q.hidden[c] = false
		after, err := Check(ctx, q.p, q.hidden, q.o)
		if err != nil {
			return err
		}
		for i := range after.Findings {
			if after.Findings[i].Safety < before.Findings[i].Safety {
				q.hidden[c] = true
				break
			}
		}
	}
	return nil
}

// partners lists the suppressed cells that may be published again, the dearest
// first.
func (q *plan) partners() []int32 {
	var out []int32
	for c, h := range q.hidden {
		if h && !q.forced[c] {
			out = append(out, int32(c))
		}
	}
	slices.SortStableFunc(out, func(a, b int32) int { return cmp.Compare(q.p.Cost[b], q.p.Cost[a]) })
	return out
}

func (q *plan) loss() float64 {
	sum := 0.0
	for c, h := range q.hidden {
		if h {
			sum += q.p.Cost[c]
		}
	}
	return sum
}

func (q *plan) better(o *plan) bool {
	if q.weak != o.weak {
		return q.weak < o.weak
	}
	return q.loss() < o.loss()
}

// late reports whether the time is up, and from then on takes the first partners
// that do.
func (q *plan) late() bool {
	if !q.hurried && time.Now().After(q.deadline) {
		q.hurried = true
		q.x.width = 1
	}
	return q.hurried
}

func (q *plan) build(ctx context.Context, order []int32) error {
	for i, k := range order {
		if i%256 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			q.late()
			q.o.Progress.Step("suppress", i, 2*len(order))
		}
		if i%16 == 0 && time.Now().After(q.deadline.Add(max(q.o.Search, grace))) {
			q.hurried = true
			q.weak += len(order) - i // suppressed without partners: a check says what that is worth
			return nil
		}
		q.serve(k)
	}
	if err := q.separate(ctx); err != nil {
		return err
	}
	return q.publishAgain(ctx)
}

// serve gives a sensitive cell its moves: one with room both ways, or one for
// each way, or one whatever its room.
func (q *plan) serve(k int32) {
	n := q.p.Needs[k]
	both := ask{cell: n.Cell, up: n.Up, down: n.Down, avoid: -1}
	if q.take(k, both) {
		return
	}
	up, down := both, both
	up.down, down.up = nil, nil
	if q.take(k, up) && q.take(k, down) {
		return
	}
	q.weak++
	q.take(k, ask{cell: n.Cell, avoid: -1})
}

// take suppresses what the cheapest move for a needs.
func (q *plan) take(k int32, a ask) bool {
	m, _, ok := q.x.find(a)
	if !ok {
		return false
	}
	for _, cells := range [][]int32{m.Plus, m.Minus} {
		for _, c := range cells {
			q.hidden[c] = true
		}
	}
	q.claims = append(q.claims, claim{k, a, m})
	return true
}

// separate sees to it that nobody who is alone in a suppressed cell, and so
// knows it, derives that of another.
func (q *plan) separate(ctx context.Context) error {
	if q.p.Single == nil {
		return nil
	}
	claims := q.claims
	for i, c := range claims {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		q.late()
		for _, who := range knowers(q.p, c.move) {
			alone := ask{cell: c.ask.cell, avoid: who, within: true}
			if m, _, ok := q.x.find(alone); ok {
				alone.within = false
				q.claims = append(q.claims, claim{c.need, alone, m})
				continue
			}
			alone.within = false
			if !q.take(c.need, alone) {
				q.weak++
			}
		}
	}
	return nil
}

// knowers returns who is alone in a cell of a move other than its first.
func knowers(p *Problem, m Move) []int32 {
	var out []int32
	own := p.Single[m.Plus[0]]
	for _, cells := range [][]int32{m.Plus[1:], m.Minus} {
		for _, c := range cells {
			if who := p.Single[c]; who >= 0 && who != own && !slices.Contains(out, who) {
				out = append(out, who)
			}
		}
	}
	return out
}

// publishAgain takes partners out of the pattern, the dearest first, where every
// sensitive cell that relied on them finds another move through what is left.
func (q *plan) publishAgain(ctx context.Context) error {
	users := make([][]int32, q.p.System.N)
	use := func(i int32) {
		for _, cells := range [][]int32{q.claims[i].move.Plus, q.claims[i].move.Minus} {
			for _, c := range cells {
				if !q.forced[c] {
					users[c] = append(users[c], i)
				}
			}
		}
	}
	for i := range q.claims {
		use(int32(i))
	}
	partners := q.partners()
	var moved []Move
	var of []int32
	for n, c := range partners {
		if n%64 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if q.late() {
				return nil
			}
			q.o.Progress.Step("suppress", len(partners)+n, 2*len(partners))
		}
		q.hidden[c] = false
		moved, of = moved[:0], of[:0]
		ok := true
		for _, i := range users[c] {
			if cl := &q.claims[i]; slices.Contains(cl.move.Plus, c) || slices.Contains(cl.move.Minus, c) {
				a := cl.ask
				a.within = true
				m, _, found := q.x.find(a)
				if ok = found && q.stillSeparate(cl, m); !ok {
					break
				}
				moved, of = append(moved, m), append(of, i)
			}
		}
		if !ok {
			q.hidden[c] = true
			continue
		}
		for j, i := range of {
			q.claims[i].move = moved[j]
			use(i)
		}
	}
	return nil
}

// stillSeparate reports whether another move for a claim brings in nobody who is
// alone in one of its cells, except where the claim is about one such already.
func (q *plan) stillSeparate(c *claim, m Move) bool {
	if q.p.Single == nil || c.ask.avoid >= 0 {
		return true
	}
	before := knowers(q.p, c.move)
	for _, who := range knowers(q.p, m) {
		if !slices.Contains(before, who) {
			return false
		}
	}
	return true
}
