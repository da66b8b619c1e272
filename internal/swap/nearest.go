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

func validateNearest(o Options, f *frame.Frame) error {
	switch {
	case len(o.Near) == 0:
		return fmt.Errorf("swap: near is empty: name the columns by which partners are alike, such as %q", linked.Age)
	case !(o.Caliper >= 0 && o.Caliper <= 1):
		return fmt.Errorf("swap: caliper is %v, want a distance in [0, 1], 0 for none", o.Caliper)
	case !(o.MinDifference >= 0) || math.IsInf(o.MinDifference, 0):
		return fmt.Errorf("swap: min_difference is %v, want at least 0", o.MinDifference)
	}
	for _, n := range o.Near {
		if slices.Contains(o.Bundle, n) {
			return fmt.Errorf("swap: %q stands in bundle and in near: partners would be those with the same value; take it out of one", n)
		}
		if f != nil && !f.Has(n) {
			return fmt.Errorf("swap: near names %q, which is not among %q: take it out", n, f.Names())
		}
	}
	return nil
}

// coordinates places every row so that the distance in one column is
// min(1, |a-b|): numbers are scaled to [0, 1] by their range, codes of a
// category are whole numbers, and a missing value is far from all others but
// near another missing one (Gower 1971).
func coordinates(c frame.Column) []float32 {
	out := make([]float32, c.Len())
	low, high := math.Inf(1), math.Inf(-1)
	value := c.Value
	if c.Kind == frame.Ordinal {
		value = func(i int) float64 { return float64(c.I[i]) }
	}
	for i := range out {
		if !c.Missing(i) {
			v := value(i)
			low, high = min(low, v), max(high, v)
		}
	}
	for i := range out {
		switch {
		case c.Missing(i):
			out[i] = -1
		case c.Kind == frame.Category:
			out[i] = float32(c.I[i])
		case high > low:
			out[i] = float32((value(i) - low) / (high - low))
		}
	}
	return out
}

func prepareNearest(_ context.Context, e *engine, cols []string) (drawer, error) {
	var at [][]float32
	for _, n := range e.o.Near {
		at = append(at, coordinates(e.f.Col(n)))
	}
	limit := float32(math.Inf(1))
	if e.o.Caliper > 0 {
		limit = float32(e.o.Caliper * float64(len(at)))
	}
	first, least := e.f.Col(cols[0]), e.o.MinDifference
	differ := func(a, b int32) bool {
		switch {
		case least == 0:
			return true
		case first.Missing(int(a)) || first.Missing(int(b)):
			return first.Missing(int(a)) != first.Missing(int(b))
		case first.Kind == frame.Category:
			return first.I[a] != first.I[b]
		case first.Kind == frame.Ordinal:
			return math.Abs(float64(first.I[a])-float64(first.I[b])) >= least
		}
		return math.Abs(first.Value(int(a))-first.Value(int(b))) >= least
	}
	return func(g *stratum, s *rng.Stream) drawn {
		units := rng.Sample(s, g.index(), g.n)
		want := s.Round(g.rate * float64(g.n) / 2)
		t := newTree(g, at, units)
		d := drawn{odd: int64(g.n % 2)}
		for _, u := range units {
			if len(d.pairs) == 2*want {
				break
			}
			if t.gone[u] {
				continue
			}
			t.remove(u)
			v := t.nearest(u, limit, func(v int32) bool {
				return (!g.across || g.employer[u] != g.employer[v]) && differ(g.row(u), g.row(v))
			})
			if v < 0 {
				d.far++
				continue
			}
			t.remove(v)
			d.pairs = append(d.pairs, u, v)
		}
		d.expected = float64(len(d.pairs))
		return d
	}, nil
}

// tree is a k-d tree over the units of a stratum from which units are removed.
// Children of node k are 2k+1 and 2k+2; leaves hold up to leafUnits units.
type tree struct {
	at    [][]float32 // by column and unit
	units []int32
	gone  []bool  // by unit
	leaf  []int32 // by unit: its leaf
	place []int32 // by unit: where it stands in units
	nodes []node
	boxes []float32 // by node and column: low, high
}

// A node spans units[lo:hi]; those of a leaf that are left come first. All
// units of a flat leaf are in one place.
type node struct {
	lo, hi, alive int32
	flat          bool
}

const leafUnits = 16

func newTree(g *stratum, at [][]float32, units []int32) *tree {
	own := make([][]float32, len(at)) // near each other in memory
	for c, x := range at {
		if own[c] = x; g.whole {
			continue
		}
		own[c] = make([]float32, g.n)
		for u := range own[c] {
			own[c][u] = x[g.row(int32(u))]
		}
	}
	t := &tree{at: own, units: slices.Clone(units), gone: make([]bool, g.n), leaf: make([]int32, g.n), place: make([]int32, g.n)}
	t.build(0, 0, len(units))
	return t
}

func (t *tree) build(k, lo, hi int) {
	for len(t.nodes) <= k {
		t.nodes = append(t.nodes, node{})
		t.boxes = append(t.boxes, make([]float32, 2*len(t.at))...)
	}
	t.nodes[k] = node{lo: int32(lo), hi: int32(hi), alive: int32(hi - lo)}
	widest, width := 0, float32(0)
	for c, x := range t.at {
		low, high := float32(math.Inf(1)), float32(math.Inf(-1))
		for _, u := range t.units[lo:hi] {
			v := x[u]
			low, high = min(low, v), max(high, v)
		}
		t.boxes[2*(k*len(t.at)+c)], t.boxes[2*(k*len(t.at)+c)+1] = low, high
		if high-low > width {
			widest, width = c, high-low
		}
	}
	if hi-lo <= leafUnits || width == 0 {
		for i, u := range t.units[lo:hi] {
			t.leaf[u], t.place[u] = int32(k), int32(lo+i)
		}
		t.nodes[k].flat = width == 0
		return
	}
	mid, x := (lo+hi)/2, t.at[widest]
	selectBy(t.units[lo:hi], mid-lo, func(u int32) float32 { return x[u] })
	t.build(2*k+1, lo, mid)
	t.build(2*k+2, mid, hi)
}

// selectBy puts what belongs at place k there, and what is smaller before it (Hoare 1961).
func selectBy[T any](units []T, k int, key func(T) float32) {
	for lo, hi := 0, len(units)-1; lo < hi; {
		pivot := key(units[(lo+hi)/2])
		i, j := lo, hi
		for i <= j {
			for key(units[i]) < pivot {
				i++
			}
			for key(units[j]) > pivot {
				j--
			}
			if i <= j {
				units[i], units[j] = units[j], units[i]
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

func (t *tree) remove(u int32) {
	t.gone[u] = true
	n := t.nodes[t.leaf[u]]
	last := t.units[n.lo+n.alive-1]
	t.units[t.place[u]], t.units[t.place[last]] = last, u
	t.place[u], t.place[last] = t.place[last], t.place[u]
	for k := int(t.leaf[u]); ; k = (k - 1) / 2 {
		t.nodes[k].alive--
		if k == 0 {
			return
		}
	}
}

// nearest returns the nearest unit that fits and is not further than the limit,
// -1 if there is none. Among equally near ones it is the first met, in an order
// that is random because the tree was built from a random one.
func (t *tree) nearest(u int32, limit float32, fits func(int32) bool) int32 {
	best := int32(-1)
	distance := func(v int32) (d float32) {
		for _, x := range t.at {
			d += min(1, abs32(x[u]-x[v]))
		}
		return d
	}
	gap := func(k int) (d float32) {
		for c, x := range t.at {
			box := t.boxes[2*(k*len(t.at)+c):]
			d += min(1, max(0, box[0]-x[u], x[u]-box[1]))
		}
		return d
	}
	var visit func(k int)
	visit = func(k int) {
		n := t.nodes[k]
		if n.alive == 0 {
			return
		}
		if k == int(t.leaf[t.units[n.lo]]) {
			for _, v := range t.units[n.lo : n.lo+n.alive] {
				if d := distance(v); (d < limit || best < 0 && d == limit) && fits(v) {
					if best, limit = v, d; n.flat {
						return // the others are as far
					}
				}
			}
			return
		}
		a, b := 2*k+1, 2*k+2
		da, db := gap(a), gap(b)
		if db < da {
			a, b, da, db = b, a, db, da
		}
		for _, c := range []struct {
			k int
			d float32
		}{{a, da}, {b, db}} {
			if c.d < limit || best < 0 && c.d == limit {
				visit(c.k)
			}
		}
	}
	visit(0)
	return best
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
