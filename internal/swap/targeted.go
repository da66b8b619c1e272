package swap

import (
	"context"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// Priority says what wins where protecting everybody at risk touches more units
// than the rate.
type Priority uint8

const (
	// KWins swaps everybody at risk, and more units up to the rate.
	KWins Priority = iota
	// RateWins swaps those at the highest risk only, up to the rate.
	RateWins
)

var priorityNames = []string{"k", "rate"}

func (p Priority) String() string { return nameOf(priorityNames, int(p), "Priority") }

// ParsePriority reads what a plan says wins; "" is [KWins].
func ParsePriority(s string) (Priority, error) {
	i, err := parseName(priorityNames, s, "priority")
	return Priority(i), err
}

func validateTargeted(o Options, f *frame.Frame) error {
	switch {
	case len(o.Hierarchy) == 0:
		return fmt.Errorf("swap: hierarchy is empty: name nested regions from large to small, such as %q and %q", linked.Region, linked.Employer)
	case len(o.Risk) == 0:
		return fmt.Errorf("swap: risk is empty: name the columns by which somebody may be singled out, such as %q and %q", linked.Level, linked.Age)
	case o.K < 2:
		return fmt.Errorf("swap: k is %d, want at least 2: units that share their values with fewer than k are at risk", o.K)
	case int(o.Priority) >= len(priorityNames):
		return fmt.Errorf("swap: priority is %v, want one of %q", o.Priority, priorityNames)
	case o.Scope == WithinEmployer:
		return fmt.Errorf("swap: scope is %v, and %s looks for partners in other regions: use %v", o.Scope, TargetedSwap, Any)
	}
	for _, n := range slices.Concat(append([][]string{o.Hierarchy, o.Risk}, o.Profiles...)...) {
		if f == nil {
			break
		}
		c, ok := f.Lookup(n)
		if !ok {
			return fmt.Errorf("swap: %s names %q, which is not among %q: join it in or take it out", TargetedSwap, n, f.Names())
		}
		if c.Kind == frame.Float || c.Kind == frame.Long {
			return fmt.Errorf("swap: %s names %q, which is %v: it counts classes; cut it into classes first", TargetedSwap, n, c.Kind)
		}
	}
	if o.Scope == AcrossEmployers {
		for _, n := range o.Hierarchy {
			if n != linked.Employer && !slices.Contains(linked.FirmAttributes, n) || !slices.Contains(o.Same, linked.Year) {
				return fmt.Errorf("swap: scope is %v, but colleagues may differ in %q: use scope %v", o.Scope, n, Any)
			}
		}
	}
	return nil
}

// targeted swaps those who are few in their region for their risk columns.
type targeted struct {
	e       *engine
	region  [][]uint32 // by level and row: nested region
	count   [][]int32  // by level and row: rows of the stratum and region that agree on the risk columns
	profile [][]uint32 // by profile and row
}

func prepareTargeted(ctx context.Context, e *engine, _ []string) (drawer, error) {
	t := &targeted{e: e}
	strata := e.strataNames()
	for h := range e.o.Hierarchy {
		c, err := encode(ctx, []*frame.Frame{e.f}, e.o.Hierarchy[:h+1])
		if err != nil {
			return nil, err
		}
		t.region = append(t.region, c.codes)
		counts, err := countsOf(ctx, e.f, slices.Concat(strata, e.o.Hierarchy[:h+1], e.o.Risk))
		if err != nil {
			return nil, err
		}
		t.count = append(t.count, counts)
	}
	for _, names := range append(slices.Clone(e.o.Profiles), nil) { // at last, anybody
		c, err := encode(ctx, []*frame.Frame{e.f}, names)
		if err != nil {
			return nil, err
		}
		t.profile = append(t.profile, c.codes)
	}
	if len(e.o.Profiles) > 0 {
		t.profile = t.profile[:len(e.o.Profiles)]
	}
	return t.draw, nil
}

// countsOf returns, for every row, how many rows agree with it on the columns.
func countsOf(ctx context.Context, f *frame.Frame, names []string) ([]int32, error) {
	c, err := encode(ctx, []*frame.Frame{f}, dedupe(names))
	if err != nil {
		return nil, err
	}
	table := make([]int32, c.k)
	for _, v := range c.codes {
		table[v]++
	}
	out := make([]int32, len(c.codes))
	for i, v := range c.codes {
		out[i] = table[v]
	}
	return out, nil
}

// dedupe leaves out names that came before.
func dedupe(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// riskLeft measures the risk anew after the swap.
func (e *engine) riskLeft(ctx context.Context, res *Result) error {
	counts, err := countsOf(ctx, res.Frame, slices.Concat(e.strataNames(), e.o.Hierarchy, e.o.Risk))
	left := int64(0)
	for _, c := range counts {
		if c < int32(e.o.K) {
			left++
		}
	}
	for i := range res.Report.Pairings {
		res.Report.Pairings[i].AtRiskLeft = left
	}
	return err
}

// countOf is the least count of a unit's rows: a group is at the risk of its
// riskiest member.
func (t *targeted) countOf(h int, g *stratum, u int32) int32 {
	if t.e.units.start == nil {
		return t.count[h][g.first[u]]
	}
	least := int32(math.MaxInt32)
	for _, r := range t.e.units.of(g.members[u]) {
		least = min(least, t.count[h][r])
	}
	return least
}

// draw swaps level by level from the largest regions to the smallest: first
// those at risk at that level, and at the last level more units, drawn with
// probabilities proportional to risk, up to the rate. A donor is the first unit
// in the order of risk over a standard exponential, which draws without
// replacement in proportion to risk, that is free, of the same profile and of
// another region.
func (t *targeted) draw(g *stratum, s *rng.Stream) drawn {
	levels := len(t.region)
	r := &race{t: t, g: g, used: make([]bool, g.n), delay: make([]float32, g.n), lists: make([][]line, levels*len(t.profile))}
	for u := range r.delay {
		r.delay[u] = float32(s.QuickExp())
	}
	var d drawn
	atRisk := make([][]int32, levels)
	for _, u := range g.index {
		for h := range levels {
			if t.countOf(h, g, u) < int32(t.e.o.K) {
				atRisk[h] = append(atRisk[h], u)
				break
			}
		}
	}
	want := s.Round(g.rate * float64(g.n) / 2)
	for h, units := range atRisk {
		d.atRisk += int64(len(units))
		rng.Shuffle(s, units)
		slices.SortStableFunc(units, func(a, b int32) int { return int(t.countOf(h, g, a)) - int(t.countOf(h, g, b)) })
		for _, u := range units {
			if r.used[u] || t.e.o.Priority == RateWins && len(d.pairs) >= 2*want {
				continue
			}
			if !r.pair(h, u, &d) {
				d.far++
			}
		}
	}
	r.fill(want, &d, s)
	d.expected = float64(len(d.pairs))
	return d
}

// race finds donors in the order of their risk over an exponential.
type race struct {
	t     *targeted
	g     *stratum
	used  []bool
	delay []float32
	lists [][]line // by level and profile, then by cell of the profile; nil before the first use
}

// pair gives u a donor, or says that there is none.
func (r *race) pair(h int, u int32, d *drawn) bool {
	r.used[u] = true
	region := r.t.region[h][r.g.first[u]]
	for p := range r.t.profile {
		if v := r.line(h, p, u).take(r, r.t.region[h], region); v >= 0 {
			r.used[v] = true
			d.pairs = append(d.pairs, u, v)
			return true
		}
	}
	return false
}

// line returns the units of u's cell of a profile, in the order of level h.
func (r *race) line(h, p int, u int32) *line {
	lines := &r.lists[h*len(r.t.profile)+p]
	codes := r.t.profile[p]
	if *lines == nil {
		top := uint32(0)
		for _, row := range r.g.first {
			top = max(top, codes[row])
		}
		*lines = make([]line, top+1)
		count := make([]int32, top+2)
		for _, row := range r.g.first {
			count[codes[row]+1]++
		}
		for c := range top + 1 {
			count[c+1] += count[c]
		}
		all := make([]waiting, r.g.n)
		for c := range *lines {
			(*lines)[c].units = all[count[c]:count[c+1]]
		}
		for v, row := range r.g.first {
			c := codes[row]
			all[count[c]] = waiting{r.delay[v] * float32(r.t.countOf(h, r.g, int32(v))), int32(v)}
			count[c]++
		}
	}
	return &(*lines)[codes[r.g.first[u]]]
}

// waiting is a unit and when its turn comes.
type waiting struct {
	turn float32
	unit int32
}

// line is a queue of units from which a region can be left out. It is sorted
// only as far as it was read. head is the first free unit; every free unit
// between head and other lies in the region of head.
type line struct {
	units       []waiting
	sorted      int
	head, other int
}

// take returns the first free unit outside a region, -1 if there is none. Both
// places only move forward, so that all calls together take linear time.
func (l *line) take(r *race, regions []uint32, region uint32) int32 {
	for l.has(l.head) && r.used[l.units[l.head].unit] {
		l.head++
	}
	if !l.has(l.head) {
		return -1
	}
	if u := l.units[l.head].unit; regions[r.g.first[u]] != region {
		return u
	}
	for l.other = max(l.other, l.head+1); l.has(l.other); l.other++ {
		if u := l.units[l.other].unit; !r.used[u] && regions[r.g.first[u]] != region {
			return u
		}
	}
	return -1
}

// has reports whether there is a unit at place i, which is sorted then.
func (l *line) has(i int) bool {
	for i >= l.sorted && l.sorted < len(l.units) {
		rest := l.units[l.sorted:]
		k := min(len(rest), max(64, l.sorted))
		selectBy(rest, k-1, func(w waiting) float32 { return w.turn })
		slices.SortFunc(rest[:k], func(a, b waiting) int {
			switch {
			case a.turn < b.turn:
				return -1
			case a.turn > b.turn:
				return 1
			}
			return int(a.unit - b.unit)
		})
		l.sorted += k
	}
	return i < len(l.units)
}

// fill swaps units beyond those at risk: in each of the smallest regions its
// share of the pairs wanted, less those begun there, with probabilities
// proportional to risk. Regions come in random order; each is drawn from the
// units that are free by then, none of which can be a donor to another one.
func (r *race) fill(want int, d *drawn, s *rng.Stream) {
	if len(d.pairs) >= 2*want {
		return
	}
	g, last := r.g, len(r.t.region)-1
	keys := make([]uint32, g.n)
	for i, u := range g.index {
		keys[i] = r.t.region[last][g.first[u]]
	}
	begun := map[uint32]int{}
	for i := 0; i < len(d.pairs); i += 2 {
		begun[r.t.region[last][g.first[d.pairs[i]]]]++
	}
	at := sortedPositions(keys)
	var bounds [][2]int
	for lo := 0; lo < len(at); {
		hi := lo
		for hi < len(at) && keys[at[hi]] == keys[at[lo]] {
			hi++
		}
		bounds = append(bounds, [2]int{lo, hi})
		lo = hi
	}
	rng.Shuffle(s, bounds)
	carry := s.Float64()
	var free []waiting
	for _, b := range bounds {
		carry += g.rate * float64(b[1]-b[0]) / 2
		share := int(carry)
		carry -= float64(share)
		free = free[:0]
		for _, i := range at[b[0]:b[1]] {
			if u := g.index[i]; !r.used[u] {
				free = append(free, waiting{float32(s.QuickExp()) * float32(r.t.countOf(last, g, u)), u})
			}
		}
		n := min(share-begun[keys[at[b[0]]]], want-len(d.pairs)/2, len(free))
		if n <= 0 {
			continue
		}
		selectBy(free, n-1, func(w waiting) float32 { return w.turn })
		for _, w := range free[:n] {
			if !r.pair(last, w.unit, d) {
				d.far++
			}
		}
	}
}
