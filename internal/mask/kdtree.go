package mask

import "math"

// points is a k-d tree from which points are taken out. Boxes shrink with every
// point, so that both the nearest and the farthest point are found in few nodes;
// answers are those of a scan over all points, ties included, because the
// distance to a box is computed in the same order as that to a point and cannot
// be rounded past it.
type points struct {
	dim   int
	xs    []float64 // standardised, point by point
	raw   [][]int32
	sum   []int64
	scale []float64 // 1/standard deviation; 0 where all values are equal
	left  int
	order []int32
	leaf  []int32 // of each point
	gone  []bool
	nodes []node
	boxes []float64 // by node: low and high of each dimension
	mid   []float64 // room for the centroid
}

type node struct {
	lo, hi      int32 // points of a leaf: order[lo:hi]
	left, right int32 // children, 0 for a leaf
	parent      int32
	alive       int32
	first       int32 // least point that is left
}

const leafSize = 8

func newPoints(v [][]int32) *points {
	n := len(v[0])
	t := &points{dim: len(v), raw: v, left: n, sum: make([]int64, len(v)), scale: make([]float64, len(v)), mid: make([]float64, len(v)),
		xs: make([]float64, n*len(v)), order: make([]int32, n), leaf: make([]int32, n), gone: make([]bool, n)}
	for c, col := range v {
		for _, x := range col {
			t.sum[c] += int64(x)
		}
		mean, square := float64(t.sum[c])/float64(n), 0.0
		for _, x := range col {
			square += float64((float64(x) - mean) * (float64(x) - mean))
		}
		if square > 0 {
			t.scale[c] = 1 / math.Sqrt(square/float64(n))
		}
		for i, x := range col {
			t.xs[i*t.dim+c] = float64(float64(x) * t.scale[c])
		}
	}
	for i := range t.order {
		t.order[i] = int32(i)
	}
	t.build(0, int32(n), -1)
	return t
}

func (t *points) at(i int32) []float64 { return t.xs[int(i)*t.dim : int(i+1)*t.dim] }

func (t *points) box(k int32) (low, high []float64) {
	b := t.boxes[2*t.dim*int(k) : 2*t.dim*int(k+1)]
	return b[:t.dim], b[t.dim:]
}

// centroid is the mean of the points that are left, from exact sums.
func (t *points) centroid() []float64 {
	for c := range t.mid {
		t.mid[c] = float64(float64(t.sum[c]) / float64(t.left) * t.scale[c])
	}
	return t.mid
}

func (t *points) build(lo, hi, parent int32) int32 {
	k := int32(len(t.nodes))
	t.nodes = append(t.nodes, node{lo: lo, hi: hi, parent: parent})
	t.boxes = append(t.boxes, make([]float64, 2*t.dim)...)
	if hi-lo <= leafSize {
		for _, i := range t.order[lo:hi] {
			t.leaf[i] = k
		}
		t.shrink(k)
		return k
	}
	widest, width := 0, -1.0
	for c := range t.dim {
		least, most := math.Inf(1), math.Inf(-1)
		for _, i := range t.order[lo:hi] {
			x := t.xs[int(i)*t.dim+c]
			least, most = min(least, x), max(most, x)
		}
		if most-least > width {
			widest, width = c, most-least
		}
	}
	half := (lo + hi) / 2
	t.split(t.order[lo:hi], int(half-lo), widest)
	left := t.build(lo, half, k)
	right := t.build(half, hi, k)
	t.nodes[k].left, t.nodes[k].right = left, right
	t.shrink(k)
	return k
}

// split puts the point of rank k of a dimension in its place, ties by number,
// with what is less before it (Hoare 1961).
func (t *points) split(list []int32, k, c int) {
	less := func(a, b int32) bool {
		x, y := t.xs[int(a)*t.dim+c], t.xs[int(b)*t.dim+c]
		return x < y || x == y && a < b
	}
	for lo, hi := 0, len(list)-1; lo < hi; {
		pivot := list[(lo+hi)/2]
		i, j := lo, hi
		for i <= j {
			for less(list[i], pivot) {
				i++
			}
			for less(pivot, list[j]) {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}

// shrink computes a node from what is left below it, and reports whether
// something of its box or first point changed.
func (t *points) shrink(k int32) bool {
	n := &t.nodes[k]
	low, high := t.box(k)
	was, changed := n.first, false
	n.alive, n.first = 0, math.MaxInt32
	if n.left == 0 {
		for c := range low {
			least, most := math.Inf(1), math.Inf(-1)
			for _, i := range t.order[n.lo:n.hi] {
				if !t.gone[i] {
					x := t.xs[int(i)*t.dim+c]
					least, most = min(least, x), max(most, x)
				}
			}
			changed = changed || low[c] != least || high[c] != most
			low[c], high[c] = least, most
		}
		for _, i := range t.order[n.lo:n.hi] {
			if !t.gone[i] {
				n.alive++
				n.first = min(n.first, i)
			}
		}
		return changed || n.first != was
	}
	a, b := &t.nodes[n.left], &t.nodes[n.right]
	n.alive, n.first = a.alive+b.alive, min(a.first, b.first)
	aLow, aHigh := t.box(n.left)
	bLow, bHigh := t.box(n.right)
	for c := range low {
		least, most := min(aLow[c], bLow[c]), max(aHigh[c], bHigh[c])
		changed = changed || low[c] != least || high[c] != most
		low[c], high[c] = least, most
	}
	return changed || n.first != was
}

// remove takes a point out.
func (t *points) remove(i int32) {
	t.gone[i] = true
	t.left--
	for c := range t.sum {
		t.sum[c] -= int64(t.raw[c][i])
	}
	k := t.leaf[i]
	for grows := true; k >= 0; k = t.nodes[k].parent {
		if grows {
			grows = t.shrink(k)
		} else {
			t.nodes[k].alive--
		}
	}
}

func distance(a, b []float64) float64 {
	d := 0.0
	for c, x := range a {
		d += float64((x - b[c]) * (x - b[c]))
	}
	return d
}

// nearest returns the nearest point that is left, the first of equals.
func (t *points) nearest(q []float64) int32 {
	best := answer{math.Inf(1), math.MaxInt32}
	t.closer(0, q, t.least(0, q), &best)
	return best.point
}

type answer struct {
	distance float64
	point    int32
}

// least is the distance from q to the box of a node.
func (t *points) least(k int32, q []float64) float64 {
	low, high := t.box(k)
	d := 0.0
	for c, x := range q {
		switch {
		case x < low[c]:
			d += float64((x - low[c]) * (x - low[c]))
		case x > high[c]:
			d += float64((x - high[c]) * (x - high[c]))
		}
	}
	return d
}

// most is the distance from q to the farthest corner of the box of a node.
func (t *points) most(k int32, q []float64) float64 {
	low, high := t.box(k)
	d := 0.0
	for c, x := range q {
		w := max(math.Abs(x-low[c]), math.Abs(x-high[c]))
		d += float64(w * w)
	}
	return d
}

func (t *points) closer(k int32, q []float64, bound float64, best *answer) {
	n := &t.nodes[k]
	if n.alive == 0 || bound > best.distance || bound == best.distance && n.first > best.point {
		return
	}
	if n.left == 0 {
		for _, i := range t.order[n.lo:n.hi] {
			if t.gone[i] {
				continue
			}
			if d := distance(q, t.at(i)); d < best.distance || d == best.distance && i < best.point {
				*best = answer{d, i}
			}
		}
		return
	}
	a, b := n.left, n.right
	da, db := t.least(a, q), t.least(b, q)
	if db < da || db == da && t.nodes[b].first < t.nodes[a].first {
		a, b, da, db = b, a, db, da
	}
	t.closer(a, q, da, best)
	t.closer(b, q, db, best)
}

// farthest returns the farthest point that is left, the first of equals.
func (t *points) farthest(q []float64) int32 {
	best := answer{-1, math.MaxInt32}
	t.further(0, q, t.most(0, q), &best)
	return best.point
}

func (t *points) further(k int32, q []float64, bound float64, best *answer) {
	n := &t.nodes[k]
	if n.alive == 0 || bound < best.distance || bound == best.distance && n.first > best.point {
		return
	}
	if n.left == 0 {
		for _, i := range t.order[n.lo:n.hi] {
			if t.gone[i] {
				continue
			}
			if d := distance(q, t.at(i)); d > best.distance || d == best.distance && i < best.point {
				*best = answer{d, i}
			}
		}
		return
	}
	a, b := n.left, n.right
	da, db := math.Inf(-1), math.Inf(-1)
	if t.nodes[a].alive > 0 {
		da = t.most(a, q)
	}
	if t.nodes[b].alive > 0 {
		db = t.most(b, q)
	}
	if db > da || db == da && t.nodes[b].first < t.nodes[a].first {
		a, b, da, db = b, a, db, da
	}
	t.further(a, q, da, best)
	t.further(b, q, db, best)
}
