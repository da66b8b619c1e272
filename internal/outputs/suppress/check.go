package suppress

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Safety says what was shown of a sensitive cell.
type Safety uint8

// From worst to best.
const (
	Derivable    Safety = iota // follows exactly from what is published
	Known                      // follows for somebody who is alone in another suppressed cell
	Narrow                     // not derivable, but its interval is narrower than its rule asks
	ExactlySafe                // not derivable; its interval could not be bounded
	IntervalSafe               // not derivable, and its interval is wide enough
)

func (s Safety) String() string {
	return [...]string{"derivable", "known to a contributor", "too narrow", "exactly safe", "interval safe"}[s]
}

// Finding is what a check shows of one sensitive cell.
type Finding struct {
	Need      int // index into the problem's needs
	Safety    Safety
	Reason    string    // in words
	Moves     []Move    // the proof, where it is by moves: with room up, with room down
	Low, High []float64 // per magnitude, where a linear program ran: the intruder's interval
}

// Verdict is what a check shows of a pattern.
type Verdict struct {
	Findings  []Finding // one per need, in their order
	Blocks    int       // of suppressed cells that hang together
	Largest   int       // cells of the largest block
	Rank      int       // of the relations among the suppressed cells; -1 if not known
	Solved    bool      // derivability was decided by elimination; else by moves alone
	Programs  int       // linear programs solved
	ErrorRate float64   // bound on the chance of a wrong "derivable"
}

// Worst returns the least safety of all, IntervalSafe where there is no need.
func (v *Verdict) Worst() Safety {
	worst := IntervalSafe
	for _, f := range v.Findings {
		worst = min(worst, f.Safety)
	}
	return worst
}

// vectors is how many null-space vectors a check draws: enough for somebody who
// is alone in as many cells less one.
const vectors = 6

// Check decides, for each sensitive cell, what an intruder can learn of it from
// everything that a pattern leaves published. It knows nothing of how the
// pattern came about. Every move that it reports has been held against the
// relations.
func Check(ctx context.Context, p *Problem, suppressed []bool, o Options) (*Verdict, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if len(suppressed) != p.System.N {
		return nil, fmt.Errorf("suppress: a pattern of %d cells for %d", len(suppressed), p.System.N)
	}
	o = o.withDefaults(p.System.N)
	v := &Verdict{Findings: make([]Finding, len(p.Needs)), Rank: -1}
	block, sizes := blocks(p.System, suppressed)
	v.Blocks = len(sizes)
	if len(sizes) > 0 {
		v.Largest = slices.Max(sizes)
	}
	k := 1
	if p.Single != nil {
		k = vectors
	}
	timed, cancel := context.WithTimeout(ctx, o.Solve)
	defer cancel()
	o.Progress.Step("check", 0, len(p.Needs))
	solved, err := Eliminate(timed, p.System, suppressed, k)
	switch {
	case err == nil:
		v.Solved, v.Rank = true, solved.Rank
		n := 0
		for _, h := range suppressed {
			if h {
				n++
			}
		}
		v.ErrorRate = float64(n) / prime
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !errors.Is(err, context.DeadlineExceeded):
		return nil, err
	}
	c := &checker{until: time.Now().Add(o.Solve), p: p, o: o, hidden: suppressed, solved: solved, x: newSearcher(p, suppressed), v: v}
	c.listSingles()
	for i := range p.Needs {
		if i%256 == 0 {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			o.Progress.Step("check", i, len(p.Needs))
		}
		var proofs []Move
		if i < len(o.Proofs) {
			proofs = o.Proofs[i]
		}
		v.Findings[i] = c.judge(i, proofs)
	}
	return v, c.programs(ctx, block, sizes)
}

type checker struct {
	until  time.Time // for moves that a search did not find
	p      *Problem
	o      Options
	hidden []bool
	solved *Elimination // nil if it took too long
	x      *searcher
	v      *Verdict
	alone  map[int32][]int32 // suppressed cells of which somebody is the only contributor
}

func (c *checker) listSingles() {
	c.alone = map[int32][]int32{}
	for cell, who := range c.p.Single {
		if who >= 0 && c.hidden[cell] {
			c.alone[who] = append(c.alone[who], int32(cell))
		}
	}
}

// judge decides one sensitive cell by elimination and by moves.
func (c *checker) judge(i int, proofs []Move) Finding {
	n := c.p.Needs[i]
	f := Finding{Need: i}
	if !c.hidden[n.Cell] {
		f.Reason = "it is published"
		return f
	}
	moves, wide := c.proven(n, proofs)
	if !wide && (len(moves) > 0 || c.solved == nil || !c.solved.Derivable(n.Cell)) && time.Now().Before(c.until) {
		moves, wide = c.moves(n)
	}
	f.Moves = moves
	if len(moves) == 0 {
		switch {
		case c.solved == nil:
			f.Reason = "no move through it was found, and the elimination took too long to decide"
			return f
		case c.solved.Derivable(n.Cell):
			f.Reason = "it follows from published cells by adding and subtracting"
			return f
		}
	}
	if who, cells := c.knownTo(n.Cell, moves); cells > 0 {
		f.Safety = Known
		f.Reason = fmt.Sprintf("the only contributor of %s (%d suppressed cells are theirs alone) can derive it", c.p.System.Name(c.alone[who][0]), cells)
		return f
	}
	if wide {
		f.Safety, f.Reason = IntervalSafe, "other suppressed cells can make up for a change as large as its rule asks"
		return f
	}
	f.Safety, f.Reason = ExactlySafe, "it is not derivable, but no single move has the room that its rule asks"
	return f
}

// proven keeps the moves that hold, and reports whether they have the room that
// the need asks for.
func (c *checker) proven(n Need, proofs []Move) (moves []Move, wide bool) {
	up, down := false, false
	for _, m := range proofs {
		if len(m.Plus) == 0 || m.Plus[0] != n.Cell || !m.Holds(c.p.System, c.hidden) {
			continue
		}
		roomUp, roomDown := true, true
		for k, values := range c.p.Values {
			u, d := m.Room(values)
			roomUp, roomDown = roomUp && u >= n.Up[k], roomDown && d >= n.Down[k]
		}
		if roomUp && !up || roomDown && !down || !c.clear(moves, m) {
			moves = append(moves, m)
		}
		up, down = up || roomUp, down || roomDown
	}
	return moves, up && down
}

// clear reports whether nobody who is alone in some cell of every move found so
// far is missing from another one, so that it would add nothing.
func (c *checker) clear(moves []Move, m Move) bool {
	if c.p.Single == nil {
		return true
	}
	other := knowers(c.p, m)
	for _, who := range c.common(moves) {
		if !slices.Contains(other, who) {
			return false
		}
	}
	return true
}

// common returns who is alone in some cell of every move, and so might tell that
// none of them was made.
func (c *checker) common(moves []Move) []int32 {
	if len(moves) == 0 {
		return nil
	}
	list := knowers(c.p, moves[0])
	for _, m := range moves[1:] {
		also := knowers(c.p, m)
		list = slices.DeleteFunc(list, func(w int32) bool { return !slices.Contains(also, w) })
	}
	return list
}

// moves finds proofs within the pattern and reports whether they have the room
// that the need asks for.
func (c *checker) moves(n Need) (moves []Move, wide bool) {
	a := ask{cell: n.Cell, up: n.Up, down: n.Down, avoid: -1, within: true}
	try := func(a ask) bool {
		m, _, ok := c.x.find(a)
		if ok = ok && m.Plus[0] == n.Cell && m.Holds(c.p.System, c.hidden); ok {
			moves = append(moves, m)
		}
		return ok
	}
	if try(a) {
		return moves, true
	}
	up, down := a, a
	up.down, down.up = nil, nil
	if try(up) && try(down) {
		return moves, true
	}
	if len(moves) == 0 {
		try(ask{cell: n.Cell, avoid: -1, within: true})
	}
	return moves, false
}

// knownTo names somebody who, alone in other suppressed cells, can derive this
// one, and in how many cells they are alone.
func (c *checker) knownTo(cell int32, moves []Move) (who int32, cells int) {
	if c.p.Single == nil {
		return -1, 0
	}
	suspects := map[int32]bool{}
	var list []int32
	if len(moves) > 0 {
		// Who is alone in no cell of one move cannot tell whether it was made.
		list = c.common(moves)
	} else {
		for other, who := range c.p.Single {
			if who >= 0 && who != c.p.Single[cell] && c.hidden[other] && !suspects[who] {
				suspects[who] = true
				list = append(list, who)
			}
		}
	}
	for _, who := range list {
		if c.solved != nil {
			if reveals, decided := c.solved.Reveals(c.alone[who], cell); decided {
				if reveals {
					return who, len(c.alone[who])
				}
				continue
			}
		}
		if m, _, ok := c.x.find(ask{cell: cell, avoid: who, within: true}); !ok || !m.Holds(c.p.System, c.hidden) {
			return who, len(c.alone[who])
		}
	}
	return -1, 0
}

// blocks numbers the suppressed cells that hang together through relations; -1
// for published ones.
func blocks(s *System, suppressed []bool) (block []int32, sizes []int) {
	parent := make([]int32, s.N)
	for i := range parent {
		parent[i] = int32(i)
	}
	root := func(c int32) int32 {
		for parent[c] != c {
			parent[c] = parent[parent[c]]
			c = parent[c]
		}
		return c
	}
	for r := range s.Relations() {
		first := int32(-1)
		for _, c := range s.cells[s.start[r]:s.start[r+1]] {
			if !suppressed[c] {
				continue
			}
			if first < 0 {
				first = root(c)
			} else {
				parent[root(c)] = first
			}
		}
	}
	block = make([]int32, s.N)
	number := map[int32]int32{}
	for c := range s.N {
		if block[c] = -1; suppressed[c] {
			r := root(int32(c))
			b, ok := number[r]
			if !ok {
				b = int32(len(sizes))
				number[r] = b
				sizes = append(sizes, 0)
			}
			sizes[b]++
			block[c] = b
		}
	}
	return block, sizes
}

// covers reports whether an interval reaches far enough around a value.
func covers(value, low, high, down, up float64) bool {
	slack := 1e-7 * max(1, math.Abs(value))
	return value-low >= down-slack && high-value >= up-slack
}
