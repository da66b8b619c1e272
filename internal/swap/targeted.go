package swap

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/par"
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
	for i, p := range o.Profiles {
		if len(p) == 0 && i < len(o.Profiles)-1 {
			return fmt.Errorf("swap: profile %d of %d is empty, which is anybody: put it last", i+1, len(o.Profiles))
		}
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
	region  []coding          // by level: nested region of each row
	risk    coding            // of each row: stratum and risk columns
	table   [][]int32         // by level, region and risk: rows of the stratum and region that agree on the risk columns; nil where that would be too large
	count   [][]int32         // the same by level and row, where there is no table
	least   [][]int32         // by level and unit: the least of its rows' counts; nil where units are rows, or nobody asks
	safe    []bool            // by level: nobody is at risk
	profile []func() []uint32 // of each row; all but the first are made when somebody asks
}

func prepareTargeted(ctx context.Context, e *engine, _ []string) (drawer, error) {
	t := &targeted{e: e}
	k, err := newCoder(e.f)
	if err != nil {
		return nil, err
	}
	if t.risk, err = k.encode(ctx, dedupe(slices.Concat(e.strataNames(), e.o.Risk))); err != nil {
		return nil, err
	}
	region := coding{codes: make([]uint32, e.f.Rows()), k: 1}
	for h, name := range e.o.Hierarchy {
		if h > 0 {
			if t.safe[h-1] { // nobody asks for the regions of that level
				t.region[h-1], t.table[h-1], t.count[h-1] = coding{}, nil, nil
			} else {
				region.codes = slices.Clone(region.codes)
			}
		}
		if err := k.extend(ctx, &region, name); err != nil {
			return nil, err
		}
		region.renumber()
		t.region = append(t.region, region)
		counts, table, err := countsOf(ctx, region, t.risk, k.limit())
		if err != nil {
			return nil, err
		}
		few := func(n int32) bool { return n > 0 && n < int32(e.o.K) }
		t.table, t.count = append(t.table, table), append(t.count, counts)
		t.safe = append(t.safe, !slices.ContainsFunc(table, few) && !slices.ContainsFunc(counts, few))
	}
	if err := t.leastOfUnits(ctx); err != nil {
		return nil, err
	}
	profiles := e.o.Profiles
	if len(profiles) == 0 {
		profiles = [][]string{nil} // anybody
	}
	for _, names := range profiles {
		codes := sync.OnceValue(func() []uint32 {
			c, err := encode(ctx, []*frame.Frame{e.f}, names)
			if err != nil { // ctx is done, and so is the draw: columns were checked
				return make([]uint32, e.f.Rows())
			}
			return c.codes
		})
		if len(t.profile) == 0 {
			codes()
		}
		t.profile = append(t.profile, codes)
	}
	e.targeted = t
	return t.draw, nil
}

// countsOf returns how many rows agree on both codings: the table by both of
// them where it has at most limit cells, and the number for every row otherwise.
func countsOf(ctx context.Context, a, b coding, limit uint64) (counts, table []int32, err error) {
	other := b.codes[:len(a.codes)]
	if uint64(a.k)*uint64(b.k) > limit {
		counts = make([]int32, len(a.codes))
		b, err := sortByCode(ctx, a)
		if err != nil {
			return nil, nil, err
		}
		work := batches(b.bounds)
		err = par.Do(ctx, len(work), func(w int) error {
			var keys []uint64
			for k := work[w][0]; k < work[w][1]; k++ {
				keys = keys[:0]
				for _, row := range b.items[b.bounds[k]:b.bounds[k+1]] {
					keys = append(keys, uint64(other[row])<<32|uint64(row))
				}
				slices.Sort(keys)
				for lo, hi := 0, 0; lo < len(keys); lo = hi {
					for hi = lo; hi < len(keys) && keys[hi]>>32 == keys[lo]>>32; hi++ {
					}
					for _, key := range keys[lo:hi] {
						counts[uint32(key)] = int32(hi - lo)
					}
				}
			}
			return nil
		})
		return counts, nil, err
	}
	table = make([]int32, a.k*b.k)
	width := uint32(b.k)
	for i, v := range a.codes {
		table[v*width+other[i]]++
	}
	return nil, table, ctx.Err()
}

// countAt is the number of rows that agree with a row at a level.
func (t *targeted) countAt(h int, row int32) int32 {
	if table := t.table[h]; table != nil {
		return table[t.region[h].codes[row]*uint32(t.risk.k)+t.risk.codes[row]]
	}
	return t.count[h][row]
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
	left := int64(0)
	if table := e.targeted.tableAfter(res); table != nil {
		for _, c := range table {
			if c < int32(e.o.K) {
				left += int64(c)
			}
		}
	} else {
		c, err := encode(ctx, []*frame.Frame{res.Frame}, dedupe(slices.Concat(e.strataNames(), e.o.Hierarchy, e.o.Risk)))
		if err != nil {
			return err
		}
		c.renumber()
		counts := make([]int32, c.k)
		for _, v := range c.codes {
			counts[v]++
		}
		for _, n := range counts {
			if n < int32(e.o.K) {
				left += int64(n)
			}
		}
	}
	for i := range res.Report.Pairings {
		res.Report.Pairings[i].AtRiskLeft = left
	}
	return nil
}

// tableAfter moves the touched rows from cell to cell of the table of the last
// level; nil where a swap made regions or risks that no row had before.
func (t *targeted) tableAfter(res *Result) []int32 {
	last := t.table[len(t.table)-1]
	if last == nil || len(res.Pairings) != 1 {
		return nil
	}
	p := res.Pairings[0].Perm
	region, risk := t.region[len(t.region)-1], t.risk
	travels := func(names []string) (all, none bool) {
		all, none = true, true
		for _, n := range names {
			// Partners agree on the strata, so that these need not travel.
			if slices.Contains(res.Pairings[0].Columns, n) {
				none = false
			} else if !slices.Contains(t.e.o.Same, n) {
				all = false
			}
		}
		return all, none
	}
	regions, regionsStay := travels(t.e.o.Hierarchy)
	risks, risksStay := travels(t.e.o.Risk)
	if !regions && !regionsStay || !risks && !risksStay {
		return nil
	}
	table, width := slices.Clone(last), uint32(risk.k)
	for i, j := range p {
		if int(j) == i {
			continue
		}
		a, b := region.codes[i], risk.codes[i]
		table[a*width+b]--
		if regions {
			a = region.codes[j]
		}
		if risks {
			b = risk.codes[j]
		}
		table[a*width+b]++
	}
	return table
}

// countOf is the least count of a unit's rows: a group is at the risk of its
// riskiest member.
func (t *targeted) countOf(h int, g *stratum, u int32) int32 {
	if t.e.units.start == nil {
		return t.countAt(h, g.row(u))
	}
	return t.least[h][g.members[u]]
}

// leastOfUnits looks once at the rows of every unit, which may lie far apart.
func (t *targeted) leastOfUnits(ctx context.Context) error {
	t.least = make([][]int32, len(t.region))
	if t.e.units.start == nil {
		return nil
	}
	for h := range t.least {
		if t.safe[h] && h < len(t.least)-1 {
			continue // of this level nobody asks
		}
		least := make([]int32, t.e.units.n)
		err := par.Chunks(ctx, len(least), chunkRows, func(_, lo, hi int) error {
			for u := lo; u < hi; u++ {
				n := int32(math.MaxInt32)
				for _, r := range t.e.units.of(int32(u)) {
					n = min(n, t.countAt(h, r))
				}
				least[u] = n
			}
			return nil
		})
		if err != nil {
			return err
		}
		t.least[h] = least
	}
	return nil
}

// draw swaps level by level from the largest regions to the smallest: first
// those at risk at that level, and at the last level more units, drawn with
// probabilities proportional to risk, up to the rate. A donor is drawn in
// proportion to risk among those that are free, of the same profile and of
// another region.
func (t *targeted) draw(g *stratum, s *rng.Stream) drawn {
	levels := len(t.region)
	r := newRace(t, g, s)
	var d drawn
	atRisk := make([][]int32, levels)
	for u := range int32(g.n) {
		if !slices.Contains(t.safe, false) {
			break
		}
		for h := range levels {
			if !t.safe[h] && t.countOf(h, g, u) < int32(t.e.o.K) {
				atRisk[h] = append(atRisk[h], u)
				break
			}
		}
	}
	want := s.Round(g.rate * float64(g.n) / 2)
	for h, units := range atRisk {
		d.atRisk += int64(len(units))
		rng.Shuffle(s, units)
		units = t.riskiestFirst(h, g, units)
		for _, u := range units {
			if r.taken(u) || t.e.o.Priority == RateWins && len(d.pairs) >= 2*want {
				continue
			}
			if !r.pair(h, u, &d) {
				d.far++
			}
		}
	}
	r.fill(want, &d)
	d.expected = float64(len(d.pairs))
	return d
}

// riskiestFirst sorts units at risk, whose counts are below K, and keeps the
// order of equals.
func (t *targeted) riskiestFirst(h int, g *stratum, units []int32) []int32 {
	k := t.e.o.K
	if len(units) < k {
		slices.SortStableFunc(units, func(a, b int32) int { return int(t.countOf(h, g, a)) - int(t.countOf(h, g, b)) })
		return units
	}
	next := make([]int32, k+1)
	for _, u := range units {
		next[t.countOf(h, g, u)+1]++
	}
	for c := range k {
		next[c+1] += next[c]
	}
	out := make([]int32, len(units))
	for _, u := range units {
		c := t.countOf(h, g, u)
		out[next[c]] = u
		next[c]++
	}
	return out
}
