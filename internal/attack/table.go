package attack

import (
	"cmp"
	"slices"
)

// yearTable is what candidates filed in one year, laid out for serials that
// have that year only: rows in which the same is known stand together, in the
// order of head count, so that a scan runs through memory. Candidates without a
// row are counted by combination of traits.
type yearTable struct {
	blocks []block
	cand   []int32
	head   []float32
	cell   []float32   // [row][stride]; what is unknown is 0 and in no form
	absent [][][]int32 // by adversary and combination of traits
}

// block is a run of rows in which the same is known.
type block struct {
	lo, hi  int
	pattern uint8
	headed  bool // rows have a head count
}

func newYearTables(c *candidates, t []*traits) []yearTable {
	tables := make([]yearTable, len(c.years))
	for slot := range tables {
		tables[slot] = newYearTable(c, t, slot)
	}
	return tables
}

func newYearTable(c *candidates, t []*traits, slot int) yearTable {
	y := yearTable{absent: make([][][]int32, len(t))}
	for a := range t {
		y.absent[a] = make([][]int32, len(t[a].kinds))
	}
	for k, filed := range c.filed {
		if filed>>slot&1 == 1 {
			y.cand = append(y.cand, int32(k))
			continue
		}
		for a := range t {
			of := &y.absent[a][t[a].kind[k]]
			*of = append(*of, int32(k))
		}
	}
	at := func(k int32) int { return int(k)*len(c.years) + slot }
	headed := func(k int32) bool { return c.logHead[at(k)] == c.logHead[at(k)] }
	same := func(a, b int32) bool { return headed(a) == headed(b) && c.pattern[at(a)] == c.pattern[at(b)] }
	slices.SortStableFunc(y.cand, func(a, b int32) int {
		if headed(a) != headed(b) {
			if headed(a) {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(c.pattern[at(a)], c.pattern[at(b)]), cmp.Compare(c.logHead[at(a)], c.logHead[at(b)]))
	})
	y.head = make([]float32, len(y.cand))
	y.cell = make([]float32, len(y.cand)*c.stride)
	for i, k := range y.cand {
		y.head[i] = c.logHead[at(k)]
		copy(y.cell[i*c.stride:], c.at(k, slot))
		if i == 0 || !same(y.cand[i-1], k) {
			y.blocks = append(y.blocks, block{lo: i, pattern: c.pattern[at(k)], headed: headed(k)})
		}
		y.blocks[len(y.blocks)-1].hi = i + 1
	}
	return y
}

// chunk is how many neighbours are scored between looks at the bound.
const chunk = 64

// nearby keeps a scan from ending before the equal counts, whatever rounding
// does.
const nearby = 1e-5

// year scores candidates by the one year that a serial has.
func (sc *scan) year(m *yearModel, t *yearTable) {
	sc.order = sc.order[:0]
	for i := range t.blocks {
		b := &t.blocks[i]
		head := m.head.blank
		if b.headed {
			head = m.head.most()
		}
		sc.order = append(sc.order, reach{i, head + m.forms[b.pattern].base})
	}
	slices.SortStableFunc(sc.order, func(a, b reach) int { return cmp.Compare(b.bound, a.bound) })
	for _, r := range sc.order {
		if r.bound+sc.room() < 0 {
			break
		}
		b := &t.blocks[r.leaf]
		form := &m.forms[b.pattern]
		if !b.headed {
			sc.rows(t, b.lo, b.hi, &m.head, form)
			continue
		}
		besides := form.base
		from, _ := slices.BinarySearch(t.head[b.lo:b.hi], float32(m.head.at-nearby))
		up, down := b.lo+from, b.lo+from
		for up < b.hi || down > b.lo {
			if up < b.hi {
				if sc.beyond(&m.head, t.head[up], besides) {
					up = b.hi
				}
				to := min(up+chunk, b.hi)
				sc.rows(t, up, to, &m.head, form)
				up = to
			}
			if down > b.lo {
				if sc.beyond(&m.head, t.head[down-1], besides) {
					down = b.lo
				}
				to := max(down-chunk, b.lo)
				sc.rows(t, to, down, &m.head, form)
				down = to
			}
		}
	}
	for a := range sc.lanes {
		l := &sc.lanes[a]
		for kind, list := range t.absent[a] {
			ll := m.absent + l.kinds[kind]
			if len(list) == 0 || ll < l.limit {
				continue
			}
			l.weigh(ll, len(list))
			for _, k := range list {
				if ll < l.worst {
					break
				}
				l.offer(ll, k)
			}
		}
	}
}

// rows scores rows lo to hi of a table, all of one form.
func (sc *scan) rows(t *yearTable, lo, hi int, h *headTerm, f *form) {
	stride := sc.c.stride
	heads, cands := t.head[lo:hi], t.cand[lo:hi]
	cell := t.cell[lo*stride : hi*stride]
	for i, x := range heads {
		ll, room := h.log(x), sc.roomOf(cands[i])
		if ll+f.base+room < 0 {
			continue
		}
		if ll += f.log(cell[i*stride : (i+1)*stride]); ll+room >= 0 {
			sc.count(ll, cands[i])
		}
	}
}
