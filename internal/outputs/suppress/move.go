package suppress

import (
	"cmp"
	"math"
	"slices"
)

// Move is a way to change suppressed cells that no published sum notices: every
// cell of Plus up and every cell of Minus down by one amount. A move through a
// sensitive cell, which is then Plus[0], proves that it is not derivable.
type Move struct {
	Plus, Minus []int32
}

// Room returns by how much the move can be made forwards and backwards before a
// cell becomes negative. Cells without a value (NaN) set no limit.
func (m Move) Room(values []float64) (up, down float64) {
	return least(values, m.Minus), least(values, m.Plus)
}

func least(values []float64, cells []int32) float64 {
	low := math.Inf(1)
	for _, c := range cells {
		if v := values[c]; v < low {
			low = v
		}
	}
	return low
}

// Holds reports whether the move keeps every relation and stays within the
// suppressed cells. It looks at the relations alone, not at how the move was
// found.
func (m Move) Holds(s *System, suppressed []bool) bool {
	x := map[int32]int{}
	for _, c := range m.Plus {
		x[c]++
	}
	for _, c := range m.Minus {
		x[c]--
	}
	for _, cells := range [][]int32{m.Plus, m.Minus} {
		for _, c := range cells {
			if !suppressed[c] {
				return false
			}
			for _, r := range s.relationsOf(c) {
				rel := s.Relation(int(r))
				sum := -x[rel.Total]
				if len(rel.Parts) <= len(x) {
					for _, part := range rel.Parts {
						sum += x[part]
					}
				} else {
					sum += s.among(x, r, rel.Total)
				}
				if sum != 0 {
					return false
				}
			}
		}
	}
	return true
}

// among adds up x over the parts of a relation, for relations that are longer
// than the move.
func (s *System) among(x map[int32]int, r, total int32) int {
	sum := 0
	for c, v := range x { // integers: the order does not matter
		if c != total && slices.Contains(s.relationsOf(c), r) {
			sum += v
		}
	}
	return sum
}

// ask is what a move is wanted for.
type ask struct {
	cell     int32
	up, down []float64 // room per magnitude; nil asks for none
	avoid    int32     // contributor whose own cells the move may not touch, or -1
	within   bool      // only through cells that are suppressed already
}

// A contrast is the part of a move in one dimension: a path of categories that
// go up and, unless it is rooted, one of categories that go down, so that their
// common ancestors do not change. The product of contrasts, one per dimension,
// keeps every relation of every table, because each relation runs along one
// dimension.
type contrast struct {
	plus, minus []int32
	score       float64
}

// searcher finds cheap moves. It is not safe for concurrent use.
type searcher struct {
	s      *System
	p      *Problem
	hidden []bool
	width  int                  // contrasts tried per dimension
	served map[[2]int32][]int32 // sisters that served last, by dimension and category above, where there are many

	ask      ask
	node     []int32
	home     []int // tables that show every dimension in which the cell is no total
	contrast []*contrast
	options  [][]contrast
	cut      bool // some contrasts were left out
	best     float64
	bestPick []*contrast
	seen     []int32
	epoch    int32
	stack    []int32
	plus     []int32
	minus    []int32
	scratch  []int32
}

func newSearcher(p *Problem, hidden []bool) *searcher {
	D := len(p.System.Dims)
	return &searcher{
		s: p.System, p: p, hidden: hidden, node: make([]int32, D), contrast: make([]*contrast, D), bestPick: make([]*contrast, D),
		options: make([][]contrast, D), seen: make([]int32, p.System.N), stack: make([]int32, D), scratch: make([]int32, D), width: 1 << 10, served: map[[2]int32][]int32{},
	}
}

// widths bounds the work per cell: about a thousand boxes.
func widthFor(dims int) int {
	return []int{1 << 10, 1 << 10, 32, 10, 5, 4}[min(dims, 5)]
}

// find returns the cheapest move that it sees for a, and what it costs to
// suppress the cells that are still published.
func (x *searcher) find(a ask) (Move, float64, bool) {
	x.ask = a
	copy(x.node, x.s.Coordinates(a.cell))
	x.home = x.home[:0]
	free := 0
	for t := range x.s.Tables {
		if x.s.find(t, x.node) >= 0 {
			x.home = append(x.home, t)
		}
	}
	for d := range x.node {
		if x.node[d] != 0 {
			free++
		}
	}
	if !x.again() {
		x.best = math.Inf(1)
		for _, width := range [2]int{min(x.width, widthFor(free)), 6 * widthFor(free)} {
			x.cut = false
			for d := range x.node {
				x.options[d] = x.candidates(d, x.options[d][:0], width)
				if len(x.options[d]) == 0 {
					return Move{}, 0, false
				}
			}
			if x.choose(0, 0); !math.IsInf(x.best, 1) || !x.cut {
				break
			}
		}
		if math.IsInf(x.best, 1) {
			return Move{}, 0, false
		}
	}
	copy(x.contrast, x.bestPick)
	x.remember()
	x.collect(math.Inf(1))
	m := Move{Plus: slices.Clone(x.plus), Minus: slices.Clone(x.minus)}
	if i := slices.Index(m.Plus, a.cell); i > 0 {
		m.Plus[0], m.Plus[i] = m.Plus[i], m.Plus[0]
	}
	return m, x.best, true
}

// many sisters are not looked through for every cell: those that served others
// come first, and once time is up only some of the rest.
const (
	many       = 512
	remembered = 64
	glance     = 2048
)

// sisters returns the categories beside one, itself included, and the one above.
func (x *searcher) sisters(d int) (up int32, all []int32) {
	top := x.node[d]
	for x.s.up[d][top] > 0 && len(x.s.kids[d][x.s.up[d][top]]) == 1 {
		top = x.s.up[d][top]
	}
	if up = x.s.up[d][top]; up < 0 {
		return up, nil
	}
	return up, x.s.kids[d][up]
}

// again tries the sisters that served before, where there are many, and keeps what
// costs nothing.
func (x *searcher) again() bool {
	wide := false
	for d, n := range x.node {
		x.options[d] = x.options[d][:0]
		if n != 0 {
			if up, all := x.sisters(d); len(all) > many {
				wide = true
				x.options[d] = x.against(d, x.served[[2]int32{int32(d), up}], x.options[d], remembered)
				continue
			}
		}
		x.options[d] = x.candidates(d, x.options[d], widthFor(len(x.node)))
	}
	if !wide {
		return false
	}
	x.best = math.Inf(1)
	x.choose(0, 0)
	return x.best == 0
}

// remember keeps the sisters that served.
func (x *searcher) remember() {
	for d, c := range x.contrast {
		if c.minus == nil {
			continue
		}
		up, all := x.sisters(d)
		if len(all) <= many {
			continue
		}
		key := [2]int32{int32(d), up}
		list := x.served[key]
		if i := slices.Index(list, c.minus[0]); i > 0 {
			list = slices.Delete(list, i, i+1)
		} else if i == 0 {
			continue
		}
		x.served[key] = slices.Insert(list, 0, c.minus[0])[:min(remembered, len(list)+1)]
	}
}

// price is what it costs that a cell changes; infinite where it cannot.
func (x *searcher) price(c int32, down bool) float64 {
	if x.p.Fixed != nil && x.p.Fixed[c] {
		return math.Inf(1)
	}
	need := x.ask.down
	if down {
		need = x.ask.up
	}
	for m, n := range need {
		if x.p.Values[m][c] < n { // false for NaN
			return math.Inf(1)
		}
	}
	if x.ask.avoid >= 0 && x.p.Single[c] == x.ask.avoid && c != x.ask.cell {
		return math.Inf(1)
	}
	switch {
	case x.hidden[c]:
		return 0
	case x.ask.within:
		return math.Inf(1)
	}
	return x.p.Cost[c]
}

// priceAt is the price of the cell itself with another category in one
// dimension, in the tables given.
func (x *searcher) priceAt(tables []int, d int, n int32, down bool) float64 {
	copy(x.scratch, x.node)
	x.scratch[d] = n
	sum, last := 0.0, int32(-1)
	for _, t := range tables {
		if !slices.Contains(x.s.Tables[t].Dims, d) {
			continue
		}
		l := &x.s.index[t]
		k := slices.Index(x.s.Tables[t].Dims, d)
		if l.pos[k][n] < 0 {
			continue // the table does not show this category
		}
		c := x.s.find(t, x.scratch)
		if c < 0 {
			return math.Inf(1)
		}
		if c != last {
			sum += x.price(c, down)
		}
		last = c
	}
	return sum
}

// chain goes from a category down to a finest one, at each step to the cheapest.
func (x *searcher) chain(path []int32, d int, n int32, down bool) []int32 {
	for {
		kids := x.s.kids[d][n]
		if len(kids) == 0 {
			return path
		}
		best, low := kids[0], math.Inf(1)
		for _, k := range kids {
			if p := x.priceAt(x.home, d, k, down); p < low {
				if best, low = k, p; low == 0 {
					break
				}
			}
		}
		path = append(path, best)
		n = best
	}
}

// candidates lists contrasts of a dimension, cheapest first: against each sister
// of the category, and the one that changes the total.
func (x *searcher) candidates(d int, out []contrast, width int) []contrast {
	n := x.node[d]
	if n == 0 {
		return append(out, contrast{plus: x.chain([]int32{0}, d, 0, false)})
	}
	_, all := x.sisters(d)
	out = x.against(d, all, out, width)
	plus, top := x.upward(d)
	rooted := contrast{plus: plus}
	for up := x.s.up[d][top]; up >= 0; up = x.s.up[d][up] {
		rooted.plus = append(rooted.plus, up)
		if up > 0 && !x.shownAtHome(d, up) {
			continue
		}
		rooted.score += x.priceAt(x.home, d, up, false)
	}
	if !math.IsInf(rooted.score, 1) {
		out = append(out, rooted)
	}
	return out
}

// upward is the path from a category down to a finest one, and up as long as it
// is all there is; top is where it ends.
func (x *searcher) upward(d int) (plus []int32, top int32) {
	top = x.node[d]
	plus = x.chain([]int32{top}, d, top, false)
	for x.s.up[d][top] > 0 && len(x.s.kids[d][x.s.up[d][top]]) == 1 {
		top = x.s.up[d][top]
		plus = append(plus, top)
	}
	return plus, top
}

// against appends the contrasts with some sisters, cheapest first.
func (x *searcher) against(d int, sisters []int32, out []contrast, width int) []contrast {
	plus, top := x.upward(d)
	begin := 0
	if x.width == 1 && len(sisters) > many {
		begin = int(top) % len(sisters) // in a hurry: not all at the same few
	}
	for i := range sisters {
		sister := sisters[(begin+i)%len(sisters)]
		if sister == top {
			continue
		}
		if score := x.priceAt(x.home, d, sister, true); !math.IsInf(score, 1) {
			out = append(out, contrast{plus: plus, minus: []int32{sister}, score: score})
		}
		if x.width == 1 && i > glance && len(out) > 0 {
			x.cut = true
			break
		}
	}
	slices.SortStableFunc(out, func(a, b contrast) int { return cmp.Compare(a.score, b.score) })
	if len(out) > width {
		out, x.cut = out[:width], true
	}
	for i := range out {
		out[i].minus = x.chain(out[i].minus, d, out[i].minus[0], true)
	}
	return out
}

func (x *searcher) shownAtHome(d int, n int32) bool {
	for _, t := range x.home {
		if k := slices.Index(x.s.Tables[t].Dims, d); k >= 0 && x.s.index[t].pos[k][n] >= 0 {
			return true
		}
	}
	return false
}

// choose tries the products of contrasts.
func (x *searcher) choose(d int, sum float64) {
	if d == len(x.options) {
		if cost, ok := x.collect(x.best); ok && cost < x.best {
			x.best = cost
			copy(x.bestPick, x.contrast)
		}
		return
	}
	for i := range x.options[d] {
		c := &x.options[d][i]
		if x.best == 0 || sum+c.score >= x.best {
			if c.minus == nil {
				continue
			}
			if x.best == 0 {
				return
			}
			continue
		}
		x.contrast[d] = c
		x.choose(d+1, sum+c.score)
	}
}

// collect walks over the cells of the chosen product and adds up their prices,
// as long as they stay below limit.
func (x *searcher) collect(limit float64) (float64, bool) {
	x.epoch++
	x.plus, x.minus = x.plus[:0], x.minus[:0]
	cost := 0.0
	for t := range x.s.Tables {
		touched, k := true, 0
		for d := range x.contrast {
			if k < len(x.s.Tables[t].Dims) && x.s.Tables[t].Dims[k] == d {
				k++
			} else if x.contrast[d].minus != nil {
				touched = false
				break
			}
		}
		if !touched {
			continue
		}
		var ok bool
		if cost, ok = x.walk(t, 0, 0, false, cost, limit); !ok {
			return 0, false
		}
	}
	up, down, ok := x.s.balance(x.plus, x.minus)
	for side, cells := range [2][]int32{up, down} {
		for _, c := range cells {
			if cost += x.price(c, side == 1); !(cost < limit) {
				return 0, false
			}
		}
	}
	x.plus, x.minus = append(x.plus, up...), append(x.minus, down...)
	return cost, ok
}

func (x *searcher) walk(t, k, key int, down bool, cost, limit float64) (float64, bool) {
	l := &x.s.index[t]
	if k == len(x.s.Tables[t].Dims) {
		c := l.at(key)
		if c < 0 {
			return cost, x.unpublished(t, slices.Clone(x.stack[:k]))
		}
		if x.seen[c] == x.epoch {
			return cost, true
		}
		x.seen[c] = x.epoch
		if cost += x.price(c, down); !(cost < limit) {
			return cost, false
		}
		if down {
			x.minus = append(x.minus, c)
		} else {
			x.plus = append(x.plus, c)
		}
		return cost, true
	}
	con := x.contrast[x.s.Tables[t].Dims[k]]
	for side, path := range [2][]int32{con.plus, con.minus} {
		for _, n := range path {
			p := l.pos[k][n]
			if p < 0 {
				continue
			}
			x.stack[k] = n
			var ok bool
			if cost, ok = x.walk(t, k+1, key+int(p)*l.stride[k], down != (side == 1), cost, limit); !ok {
				return cost, false
			}
		}
	}
	return cost, true
}

// unpublished reports whether an absent row is simply not told, because no
// published sum runs over it. Otherwise it is a known zero, which cannot change.
func (x *searcher) unpublished(t int, node []int32) bool {
	l := &x.s.index[t]
	key := 0
	for k, n := range node {
		key += int(l.pos[k][n]) * l.stride[k]
	}
	for k, n := range node {
		u := l.up[k][n]
		if u < 0 {
			continue
		}
		base := key - int(l.pos[k][n])*l.stride[k]
		if l.at(base+int(l.pos[k][u])*l.stride[k]) < 0 {
			above := slices.Clone(node)
			above[k] = u
			if !x.unpublished(t, above) {
				return false
			}
			continue
		}
		for _, sister := range l.kids[k][u] {
			if l.at(base+int(l.pos[k][sister])*l.stride[k]) >= 0 {
				return false
			}
		}
	}
	return true
}
