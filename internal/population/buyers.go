package population

import (
	"math"
	"math/bits"
)

// buyerMarkets are the buyers of a year by sector, once by NUTS 2 area and once in
// the whole country, for each of the two exponents of size with which they are
// drawn.
type buyerMarkets struct {
	buyers      int // employers present
	main, small *buyerTable
	// sectorOf reads the buyer's sector from sectorBits random bits, by the
	// seller's sector.
	sectorOf [][]uint8
	ownArea  uint32 // chance that a buyer is of the seller's area, of 2^16
}

const sectorBits = 12

// buyerTable holds alias tables (Walker 1977, Vose 1991), one after the other.
type buyerTable struct {
	start       []int32 // by sector x (area, the country last): first entry; one more at the end
	entries     []aliasEntry
	areas, each int // areas, and tables by sector
}

// aliasEntry stands together, for a draw reads all of it.
type aliasEntry struct {
	id, alias int32
	own       uint32 // chance of the entry itself against its alias, of 2^32
}

// areas is the number of NUTS 2 areas.
func (s *skeleton) areas() int {
	n := 0
	for _, r := range s.c.Regions {
		n += max(1, len(r.Provinces))
	}
	return n
}

// newBuyerTable makes the tables of a year for one exponent of size.
func (s *skeleton) newBuyerTable(year int, exponent float64) *buyerTable {
	t := &buyerTable{areas: s.areas()}
	t.each = t.areas + 1
	t.start = make([]int32, len(s.c.Sectors)*t.each+1)
	tables := func(e *employer) [2]int {
		return [2]int{int(e.sector)*t.each + int(e.province), int(e.sector)*t.each + t.areas}
	}
	present := 0
	for id := range s.employers {
		if e := &s.employers[id]; e.present(year) {
			present++
			for _, c := range tables(e) {
				t.start[c+1]++
			}
		}
	}
	for c := range len(t.start) - 1 {
		t.start[c+1] += t.start[c]
	}
	next := append([]int32(nil), t.start...)
	t.entries = make([]aliasEntry, 2*present)
	weight := make([]float64, 2*present)
	for id := range s.employers {
		e := &s.employers[id]
		if !e.present(year) {
			continue
		}
		w := math.Exp(exponent * math.Log(e.size(year)))
		for _, c := range tables(e) {
			t.entries[next[c]].id, weight[next[c]] = int32(id), w
			next[c]++
		}
	}
	var small, large []int32
	for c := range len(t.start) - 1 {
		small, large = t.fit(int(t.start[c]), int(t.start[c+1]), weight, small, large)
	}
	return t
}

// sectorBits lists, by the seller's sector, the buyer's sector for each value of
// so many random bits.
func (s *skeleton) sectorBits() [][]uint8 {
	rows := make([][]uint8, len(s.c.Sectors))
	for a, cum := range s.buyerSectors {
		rows[a] = make([]uint8, 1<<sectorBits)
		for u := range rows[a] {
			rows[a][u] = uint8(pick(cum, (float64(u)+.5)/float64(1<<sectorBits)))
		}
	}
	return rows
}

// fit makes entries lo to hi an alias table.
func (t *buyerTable) fit(lo, hi int, weight []float64, small, large []int32) ([]int32, []int32) {
	sum := 0.0
	for _, w := range weight[lo:hi] {
		sum += w
	}
	small, large = small[:0], large[:0]
	for i := lo; i < hi; i++ {
		weight[i] *= float64(hi-lo) / sum
		t.entries[i].alias, t.entries[i].own = t.entries[i].id, math.MaxUint32
		if weight[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		i, j := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		t.entries[i].alias, t.entries[i].own = t.entries[j].id, uint32(weight[i]*math.MaxUint32)
		if weight[j] -= 1 - weight[i]; weight[j] < 1 {
			large = large[:len(large)-1]
			small = append(small, j)
		}
	}
	return small, large
}

// draw returns a buyer for a seller, of its own area with a fixed probability,
// from two words of random bits; -1 where the market is empty. It leaves the
// upper half of a alone.
func (m *buyerMarkets) draw(e *employer, main bool, a, b uint64) int32 {
	var d drawnBuyer
	d.find(m, e, main, a, b)
	d.look()
	return d.buyer
}

// drawBatch is how many buyers are drawn at a time where many are.
const drawBatch = 32

// drawnBuyer is a draw of [buyerMarkets.draw] in two steps, so that the tables
// can be read for many at once.
type drawnBuyer struct {
	entry *aliasEntry
	coin  uint32
	buyer int32 // -1 for none
	seen  int32
	bits  uint64
}

// find draws the place in a table.
func (d *drawnBuyer) find(m *buyerMarkets, e *employer, main bool, a, b uint64) {
	t := m.small
	if main {
		t = m.main
	}
	c := int(m.sectorOf[e.sector][a&(1<<sectorBits-1)]) * t.each
	lo, hi := t.start[c+t.areas], t.start[c+t.areas+1]
	if uint32(a>>sectorBits&0xffff) < m.ownArea {
		if l, h := t.start[c+int(e.province)], t.start[c+int(e.province)+1]; l < h {
			lo, hi = l, h
		}
	}
	if lo == hi {
		d.entry = nil
		return
	}
	k, rest := bits.Mul64(b, uint64(hi-lo))
	d.entry, d.coin = &t.entries[lo+int32(k)], uint32(rest>>32)
}

// look reads the table there.
func (d *drawnBuyer) look() {
	if d.entry == nil {
		d.buyer = -1
		return
	}
	x := *d.entry
	if d.coin >= x.own {
		x.id = x.alias
	}
	d.buyer = x.id
}
