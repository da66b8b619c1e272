package fidelity

import (
	"math"
	"sort"

	"scramblelab/internal/rng"
)

const (
	cartDepth = 6
	cartLeaf  = 0.002 // least share of the weight in a leaf
)

// labelled are rows of which each counts w0 for the first file and w1 for the
// second.
type labelled struct {
	codes  [][]int32 // by axis, in the categories of tables of several columns
	unit   []int32
	w0, w1 []float64
}

// split sends the rows whose code of an axis is in left to the left.
type split struct {
	axis int // -1: a leaf
	left []bool
	rate float64 // of the second file among the training rows of a leaf
}

// tree is a classification tree of fixed depth: node k has the children 2k+1
// and 2k+2.
type tree []split

// grow grows a tree by the decrease of Gini impurity (Breiman et al. 1984) on
// the rows for which in is true. A column of names is split by the rates of its
// codes, which is the best of all ways to split it in two for two classes.
func grow(d labelled, radices []int, ordered []bool, in []bool) tree {
	t := make(tree, 1<<(cartDepth+1)-1)
	at := make([]int32, len(d.unit)) // node of each row
	total := 0.0
	for i, w := range d.w0 {
		if in[i] {
			total += w + d.w1[i]
		}
	}
	for k := range t {
		t[k].axis = -1
	}
	width := 0
	offset := make([]int, len(radices))
	for a, r := range radices {
		offset[a] = width
		width += r
	}
	for depth := range cartDepth {
		first, nodes := 1<<depth-1, 1<<depth
		hist := make([][2]float64, nodes*width)
		for a, codes := range d.codes {
			for i, c := range codes {
				if k := int(at[i]) - first; k >= 0 && in[i] {
					h := &hist[k*width+offset[a]+int(c)]
					h[0] += d.w0[i]
					h[1] += d.w1[i]
				}
			}
		}
		grown := false
		for k := range nodes {
			if s, ok := best(hist[k*width:(k+1)*width], radices, offset, ordered, cartLeaf*total); ok {
				t[first+k] = s
				grown = true
			}
		}
		if !grown {
			break
		}
		for i := range at {
			if k := int(at[i]); k >= first {
				at[i] = int32(t.step(k, d.codes, i))
			}
		}
	}
	sums := make([][2]float64, len(t))
	for i, k := range at {
		if in[i] {
			sums[k][0] += d.w0[i]
			sums[k][1] += d.w1[i]
		}
	}
	for k, s := range sums {
		if n := s[0] + s[1]; n > 0 {
			t[k].rate = s[1] / n
		}
	}
	return t
}

// step moves a row from a node to a child, or leaves it where the node is a leaf.
func (t tree) step(k int, codes [][]int32, i int) int {
	s := &t[k]
	switch {
	case s.axis < 0:
		return k
	case s.left[codes[s.axis][i]]:
		return 2*k + 1
	}
	return 2*k + 2
}

// best is the split of a node that decreases impurity most, if any does.
func best(hist [][2]float64, radices, offset []int, ordered []bool, least float64) (split, bool) {
	out, most := split{axis: -1}, 0.0
	for a, r := range radices {
		h := hist[offset[a] : offset[a]+r]
		order := make([]int, r)
		var n0, n1 float64
		for c := range h {
			order[c] = c
			n0, n1 = n0+h[c][0], n1+h[c][1]
		}
		if n0+n1 < 2*least {
			return out, false
		}
		if !ordered[a] {
			rate := func(c int) float64 { return h[c][1] / max(h[c][0]+h[c][1], math.SmallestNonzeroFloat64) }
			sort.SliceStable(order, func(i, j int) bool { return rate(order[i]) < rate(order[j]) })
		}
		whole := float64(n1*n1) / (n0 + n1)
		l0, l1 := 0.0, 0.0
		for k, c := range order[:max(0, r-1)] {
			l0, l1 = l0+h[c][0], l1+h[c][1]
			l, rest := l0+l1, n0+n1-l0-l1
			if l < least || rest < least {
				continue
			}
			gain := float64(l1*l1)/l + float64((n1-l1)*(n1-l1))/rest - whole
			if gain > most*(1+1e-9) && gain > 1e-12*(n0+n1) {
				most, out.axis, out.left = gain, a, make([]bool, r)
				for _, c := range order[:k+1] {
					out.left[c] = true
				}
			}
		}
	}
	return out, out.axis >= 0
}

// told is how well two files are told apart out of sample.
type told struct{ pmse, auc float64 }

// firstHalf puts about every second employer in one of the halves on which scores
// are learnt and used in turn.
func firstHalf(unit int32) bool { return rng.Mix(uint64(unit), 0x666f6c64)&1 == 0 }

// tellApart grows a tree on every second employer and tries it on the others,
// and the other way round. AUC counts ties one half: 0.5 is no difference.
func tellApart(d labelled, radices []int, ordered []bool) told {
	fold := make([]bool, len(d.unit))
	for i, u := range d.unit {
		fold[i] = firstHalf(u)
	}
	n, n1 := 0.0, 0.0
	for i := range d.w0 {
		n, n1 = n+d.w0[i]+d.w1[i], n1+d.w1[i]
	}
	share := n1 / n
	squares, auc, weight := 0.0, 0.0, 0.0
	for range 2 {
		t := grow(d, radices, ordered, fold)
		leaves := make([][2]float64, len(t))
		for i := range fold {
			if fold[i] = !fold[i]; fold[i] { // the other half
				k := 0
				for t[k].axis >= 0 {
					k = t.step(k, d.codes, i)
				}
				leaves[k][0] += d.w0[i]
				leaves[k][1] += d.w1[i]
			}
		}
		order := make([]int, 0, len(t))
		a0, a1 := 0.0, 0.0
		for k, s := range leaves {
			if s[0]+s[1] > 0 {
				order = append(order, k)
				squares += float64((s[0] + s[1]) * (t[k].rate - share) * (t[k].rate - share))
				a0, a1 = a0+s[0], a1+s[1]
			}
		}
		sort.SliceStable(order, func(i, j int) bool { return t[order[i]].rate < t[order[j]].rate })
		below, area := 0.0, 0.0
		for i := 0; i < len(order); {
			var s0, s1 float64
			j := i
			for ; j < len(order) && t[order[j]].rate == t[order[i]].rate; j++ {
				s0, s1 = s0+leaves[order[j]][0], s1+leaves[order[j]][1]
			}
			area += float64(s1 * (below + s0/2))
			below += s0
			i = j
		}
		if a0 > 0 && a1 > 0 {
			auc += area / a0 / a1 * (a0 + a1)
			weight += a0 + a1
		}
	}
	return told{pmse: squares / n, auc: auc / weight}
}
