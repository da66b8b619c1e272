package swap

import (
	"slices"

	"scramblelab/internal/rng"
)

// race finds donors in the order of their risk over an exponential.
type race struct {
	t     *targeted
	g     *stratum
	used  []bool
	delay []float32
	lists [][]line // by level and profile, then by cell of the profile; nil before the first use

	cells  [][]uint32 // by profile and unit: its cell, where codes are too many to count by; else nil
	starts []int32    // room for where the cells of a region begin
}

// pair gives u a donor, or says that there is none.
func (r *race) pair(h int, u int32, d *drawn) bool {
	r.used[u] = true
	region := r.t.region[h].codes[r.g.first[u]]
	for p := range r.t.profile {
		if v := r.line(h, p, u).take(r, r.t.region[h].codes, region); v >= 0 {
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
	codes := r.t.profile[p]()
	if *lines == nil {
		top := uint32(0)
		for _, row := range r.g.first {
			top = max(top, codes[row])
		}
		if int(top) > 2*r.g.n+64 { // a line for each would be mostly empty ones
			top = r.number(p, codes)
		}
		*lines = make([]line, top+1)
		count := make([]int32, top+2)
		for v := range r.g.first {
			count[r.cell(p, codes, int32(v))+1]++
		}
		for c := range top + 1 {
			count[c+1] += count[c]
		}
		all := make([]waiting, r.g.n)
		for c := range *lines {
			(*lines)[c].units = all[count[c]:count[c+1]]
		}
		for v := range r.g.first {
			c := r.cell(p, codes, int32(v))
			all[count[c]] = waiting{r.delay[v] * float32(r.t.countOf(h, r.g, int32(v))), int32(v)}
			count[c]++
		}
	}
	return &(*lines)[r.cell(p, codes, u)]
}

// cell is the cell of a profile that a unit lies in.
func (r *race) cell(p int, codes []uint32, u int32) uint32 {
	if own := r.cells[p]; own != nil {
		return own[u]
	}
	return codes[r.g.first[u]]
}

// number gives the cells that occur in the stratum numbers of their own, and
// returns the last one.
func (r *race) number(p int, codes []uint32) uint32 {
	keys := make([]uint32, r.g.n)
	for u, row := range r.g.first {
		keys[u] = codes[row]
	}
	own, last := make([]uint32, r.g.n), uint32(0)
	at := sortedPositions(keys)
	for i, u := range at {
		if i > 0 && keys[u] != keys[at[i-1]] {
			last++
		}
		own[u] = last
	}
	r.cells[p] = own
	return last
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
		k := min(len(rest), max(64, l.sorted, len(l.units)/16))
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
	g, region := r.g, r.t.region[len(r.t.region)-1]
	begun := make([]int32, region.k)
	for i := 0; i < len(d.pairs); i += 2 {
		begun[region.codes[g.first[d.pairs[i]]]]++
	}
	sorted, cells := r.byCell()
	var bounds [][2]int
	for lo := 0; lo < len(sorted); {
		hi := lo + 1
		code := region.codes[g.first[sorted[lo]]]
		for hi < len(sorted) && region.codes[g.first[sorted[hi]]] == code {
			hi++
		}
		bounds = append(bounds, [2]int{lo, hi})
		lo = hi
	}
	rng.Shuffle(s, bounds)
	carry := s.Float64()
	var room []waiting
	var chosen []int32
	for _, b := range bounds {
		carry += g.rate * float64(b[1]-b[0]) / 2
		share := int(carry)
		carry -= float64(share)
		n := min(share-int(begun[region.codes[g.first[sorted[b[0]]]]]), want-len(d.pairs)/2)
		if n <= 0 {
			continue
		}
		chosen = r.byCells(sorted[b[0]:b[1]], cells, n, chosen[:0], s)
		if len(chosen) < n {
			chosen, room = r.byRace(sorted[b[0]:b[1]], n, chosen, room, s)
		}
		for _, u := range chosen {
			if !r.pair(len(r.t.region)-1, u, d) {
				d.far++
			}
		}
	}
}

// byCell sorts the units by their cell of the table of the last level, regions
// together; cells is the cell of every unit. Where there is no such table, or
// units have several rows, units are sorted by region and cells is nil.
func (r *race) byCell() (sorted []int32, cells []uint32) {
	g, t := r.g, r.t
	region := t.region[len(t.region)-1]
	keys := make([]uint32, g.n)
	several := t.table[len(t.table)-1] == nil || t.e.units.start != nil
	width := uint32(t.risk.k)
	for u, row := range g.first {
		if keys[u] = region.codes[row]; !several {
			keys[u] = keys[u]*width + t.risk.codes[row]
		}
	}
	if sorted = sortedPositions(keys); several {
		return sorted, nil
	}
	return sorted, keys
}

// byCells draws up to n free units of a region one after another, in proportion
// to risk: risk is one over the size of the cell, so that every cell is as
// likely as the next one, and within it every unit. Whoever draws a used unit,
// or one that may not move, draws again; where that happens too often the rest
// is left to the race, whose law is the same.
func (r *race) byCells(units []int32, cells []uint32, n int, chosen []int32, s *rng.Stream) []int32 {
	if cells == nil || len(units) < 4*n {
		return chosen
	}
	r.starts = r.starts[:0]
	for i, u := range units {
		if i == 0 || cells[u] != cells[units[i-1]] {
			r.starts = append(r.starts, int32(i))
		}
	}
	r.starts = append(r.starts, int32(len(units)))
	table := r.t.table[len(r.t.table)-1]
	for range 2*n + 16 {
		if len(chosen) == n {
			break
		}
		k := s.IntN(len(r.starts) - 1)
		first := units[r.starts[k]]
		i := r.starts[k] + int32(s.IntN(int(table[cells[first]])))
		if i >= r.starts[k+1] {
			continue
		}
		if u := units[i]; !r.used[u] {
			r.used[u] = true
			chosen = append(chosen, u)
		}
	}
	return chosen
}

// byRace adds free units up to n: those whose exponentials over their risk are
// the least.
func (r *race) byRace(units []int32, n int, chosen []int32, free []waiting, s *rng.Stream) ([]int32, []waiting) {
	free = free[:0]
	for _, u := range units {
		if !r.used[u] {
			free = append(free, waiting{float32(s.QuickExp()) * float32(r.t.countOf(len(r.t.region)-1, r.g, u)), u})
		}
	}
	n = min(n-len(chosen), len(free))
	if n > 0 {
		selectBy(free, n-1, func(w waiting) float32 { return w.turn })
	}
	for _, w := range free[:n] {
		chosen = append(chosen, w.unit)
	}
	return chosen, free
}
