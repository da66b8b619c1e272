package attack

import (
	"cmp"
	"math"
	"slices"
)

// leaf is a run of candidates that are alike, so that what bounds all of them
// says much of each.
type leaf struct {
	lo, hi   int32
	all, any uint64 // years that all of them filed, and that at least one did
	even     bool   // all are: see candidates.even
}

// headBox bounds the head counts of a leaf in one year.
type headBox struct {
	lo, hi float32 // of the logarithms; NaN where no row has any
	few    uint64  // bit n: a row has the count n, below 64; bit 0: one has a larger one
	blank  bool    // a row has none
}

// leafSize is the largest number of candidates of a leaf, and crowd the least
// number of employers with the same years filed who get leaves of their own.
const leafSize, crowd = 48, 64

// within is the largest value of log over the rows of a box.
func (h *headTerm) within(b *headBox) float64 {
	v := math.Inf(-1)
	if b.blank {
		v = h.blank
	}
	if b.lo != b.lo {
		return v
	}
	d := 0.0
	if at := h.at; at < float64(b.lo) {
		d = float64(b.lo) - at
	} else if at > float64(b.hi) {
		d = at - float64(b.hi)
	}
	flow := h.flow == h.flow
	top := h.top
	if flow {
		top = max(top, h.lost, h.missed)
		if d < h.reach {
			v = max(v, h.change)
		}
	}
	v = max(v, top-float64(h.curve*d*d))
	if b.lo <= h.n && h.n <= b.hi && b.few&h.few != 0 {
		v = max(v, h.equal)
		if flow {
			v = max(v, h.agree, h.differ)
		}
	}
	return v
}

// fewBit is the bit of a head count in headBox.few.
func fewBit(n float64) uint64 {
	if n < 63.5 {
		return 1 << uint64(max(0, n)+0.5)
	}
	return 1
}

// arrange puts candidates who filed the same years, and are alike, beside each
// other, and cuts them into leaves: always in two halves along the quantity in
// which they differ most, counted in the errors of the public file.
func (c *candidates) arrange(m NoiseModel) {
	sizes := map[uint64]int{}
	for _, f := range c.filed {
		sizes[f]++
	}
	crowded := func(k int32) uint64 {
		if f := c.filed[k]; sizes[f] >= crowd {
			return f
		}
		return 0
	}
	order := make([]int32, len(c.employer))
	for k := range order {
		order[k] = int32(k)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(crowded(a), crowded(b)), cmp.Compare(c.spot(a), c.spot(b)))
	})
	scale := c.scales(m)
	var cut func(part []int32)
	cut = func(part []int32) {
		if len(part) <= leafSize {
			c.leaves = append(c.leaves, leaf{hi: int32(len(part))})
			return
		}
		by, most := 0, -1.0
		for j, s := range scale {
			if s == 0 {
				continue
			}
			sum, square := 0.0, 0.0
			for _, k := range part {
				x := float64(c.coordinate(k, j))
				sum += x
				square += float64(x * x)
			}
			n := float64(len(part))
			if v := (square/n - float64(sum/n)*float64(sum/n)) * s; v > most {
				by, most = j, v
			}
		}
		slices.SortStableFunc(part, func(a, b int32) int { return cmp.Compare(c.coordinate(a, by), c.coordinate(b, by)) })
		cut(part[:len(part)/2])
		cut(part[len(part)/2:])
	}
	for lo := 0; lo < len(order); {
		hi := lo
		for hi < len(order) && crowded(order[hi]) == crowded(order[lo]) && c.spot(order[hi]) == c.spot(order[lo]) {
			hi++
		}
		cut(order[lo:hi])
		lo = hi
	}
	c.reorder(order)
	at := int32(0)
	for i := range c.leaves {
		l := &c.leaves[i]
		l.lo, l.hi = at, at+l.hi
		at = l.hi
	}
	c.boxes()
}

// spot tells even candidates, whose mean rows can be compared, from others.
func (c *candidates) spot(k int32) int {
	if c.even[k] {
		return 1
	}
	return 0
}

// coordinate j of a candidate is column j of its mean row, or past them its
// mean log head count in a spell of years.
func (c *candidates) coordinate(k int32, j int) float32 {
	if j >= c.stride {
		return c.size[int(k)*spells+j-c.stride]
	}
	return c.profile[int(k)*c.stride+j]
}

// scales are how much a unit of a coordinate tells, as one over the variance of
// its error at an employer of five; 0 for columns that are not compared.
func (c *candidates) scales(m NoiseModel) []float64 {
	const five = 5
	out := make([]float64, c.stride+spells)
	for j, e := range map[int]ErrorModel{atLogFTE: m.FTE, atLogWage: m.WageBill, atAge: m.Age, atPart: m.PartTime, atStatus: m.Status, atStatus + 1: m.Status} {
		out[j] = 1 / max(1e-3, e.variance(five))
	}
	for j := atShares; j < c.stride; j++ {
		out[j] = 1 / (0.02 + m.Misreported/five) // the swap and the small number blur them
	}
	for s := range spells {
		out[c.stride+s] = 1 / max(1e-3, m.Head.variance(five)/10) // most are equal
	}
	return out
}

// reorder moves candidate order[i] to place i.
func (c *candidates) reorder(order []int32) {
	years := len(c.years)
	c.employer, c.filed, c.even, c.size = moved(c.employer, order, 1), moved(c.filed, order, 1), moved(c.even, order, 1), moved(c.size, order, spells)
	c.logHead, c.flows, c.pattern = moved(c.logHead, order, years), moved(c.flows, order, years), moved(c.pattern, order, years)
	c.profile, c.cell = moved(c.profile, order, c.stride), moved(c.cell, order, years*c.stride)
}

func moved[T any](v []T, order []int32, width int) []T {
	out := make([]T, len(v))
	for i, k := range order {
		copy(out[i*width:(i+1)*width], v[int(k)*width:(int(k)+1)*width])
	}
	return out
}

// boxes computes what bounds the candidates of every leaf.
func (c *candidates) boxes() {
	years, nan := len(c.years), float32(math.NaN())
	c.headBoxes = make([]headBox, len(c.leaves)*years)
	c.profileBoxes = make([]float32, 2*len(c.leaves)*c.stride)
	for i := range c.leaves {
		l := &c.leaves[i]
		l.all, l.even = math.MaxUint64, true
		boxes := c.headBoxes[i*years : (i+1)*years]
		for t := range boxes {
			boxes[t].lo, boxes[t].hi = nan, nan
		}
		low, high := c.profileBox(i)
		for k := l.lo; k < l.hi; k++ {
			l.all, l.any, l.even = l.all&c.filed[k], l.any|c.filed[k], l.even && c.even[k]
			for t := range boxes {
				b, x := &boxes[t], c.logHead[int(k)*years+t]
				switch {
				case c.filed[k]>>t&1 == 0:
				case x != x:
					b.blank = true
				default:
					if !(x >= b.lo) {
						b.lo = x
					}
					if !(x <= b.hi) {
						b.hi = x
					}
					b.few |= fewBit(math.Exp(float64(x)))
				}
			}
			for j, x := range c.profile[int(k)*c.stride : (int(k)+1)*c.stride] {
				if k == l.lo {
					low[j], high[j] = x, x
				}
				low[j], high[j] = min(low[j], x), max(high[j], x)
			}
		}
	}
}

// profileBox are the smallest and the largest mean rows of a leaf.
func (c *candidates) profileBox(i int) (low, high []float32) {
	at := 2 * i * c.stride
	return c.profileBoxes[at : at+c.stride], c.profileBoxes[at+c.stride : at+2*c.stride]
}

// apart is the least value of squares over rows between low and high.
func apart(low, high, at, curve []float32) float64 {
	var s float32
	for j, c := range curve {
		d := max(low[j]-at[j], at[j]-high[j], 0)
		s += float32(c * d * d)
	}
	return float64(s)
}
