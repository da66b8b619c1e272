// Package graph names the nodes of a released supplier network from another
// network of the same firms, such as customer lists, and a few seeds that the
// intruder knows: propagation (Narayanan and Shmatikov 2009) and percolation
// (Yartseva and Grossglauser 2013). It works on directed graphs of numbered nodes
// and never sees who they are.
package graph

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Graph is a directed graph without weights; node i supplies Out[i].
type Graph struct {
	Out, In [][]int32 // ascending, without duplicates
}

// Edge goes from a supplier to a customer.
type Edge struct{ From, To int32 }

// New makes a graph of nodes 0 … n-1. Loops and repeated edges are left out.
func New(n int, edges []Edge) (*Graph, error) {
	g := &Graph{Out: make([][]int32, n), In: make([][]int32, n)}
	for _, e := range edges {
		if e.From < 0 || int(e.From) >= n || e.To < 0 || int(e.To) >= n {
			return nil, fmt.Errorf("graph: edge from %d to %d among %d nodes", e.From, e.To, n)
		}
		if e.From != e.To {
			g.Out[e.From] = append(g.Out[e.From], e.To)
			g.In[e.To] = append(g.In[e.To], e.From)
		}
	}
	for _, lists := range [][][]int32{g.Out, g.In} {
		for i := range lists {
			slices.Sort(lists[i])
			lists[i] = slices.Compact(lists[i])
		}
	}
	return g, nil
}

// Nodes returns the number of nodes.
func (g *Graph) Nodes() int { return len(g.Out) }

func (g *Graph) degree(i int32) int { return len(g.Out[i]) + len(g.In[i]) }

// Match says that a released node is a known one.
type Match struct{ Released, Known int32 }

// matching is a partial one-to-one map.
type matching struct{ of, back []int32 }

func newMatching(released, known int, seeds []Match) (*matching, error) {
	m := &matching{of: make([]int32, released), back: make([]int32, known)}
	for i := range m.of {
		m.of[i] = -1
	}
	for i := range m.back {
		m.back[i] = -1
	}
	for _, s := range seeds {
		if s.Released < 0 || int(s.Released) >= released || s.Known < 0 || int(s.Known) >= known || m.of[s.Released] >= 0 || m.back[s.Known] >= 0 {
			return nil, fmt.Errorf("graph: seed %v: want nodes of both graphs, each once", s)
		}
		m.of[s.Released], m.back[s.Known] = s.Known, s.Released
	}
	return m, nil
}

func (m *matching) list() []Match {
	var out []Match
	for i, k := range m.of {
		if k >= 0 {
			out = append(out, Match{int32(i), k})
		}
	}
	return out
}

// Propagate names nodes from seeds by their neighbours: the score of a pair is
// the number of named neighbours that they share, suppliers and customers alike,
// over the root of the known node's degree. The best one is taken if it stands
// out by threshold standard deviations of all scores (eccentricity, 0.5 in the
// paper) and if the released node is also the best for it; rounds go on until no
// name changes, at most 20. Seeds stay. Matches come in the order of released
// nodes, seeds among them.
func Propagate(released, known *Graph, seeds []Match, threshold float64) ([]Match, error) {
	if !(threshold >= 0) {
		return nil, fmt.Errorf("graph: eccentricity threshold is %v, want a number from 0", threshold)
	}
	m, err := newMatching(released.Nodes(), known.Nodes(), seeds)
	if err != nil {
		return nil, err
	}
	seed := map[int32]bool{}
	for _, s := range seeds {
		seed[s.Released] = true
	}
	for range 20 {
		changed := false
		for i := range released.Nodes() {
			u := int32(i)
			if seed[u] {
				continue
			}
			v := best(released, known, m.of, u, threshold)
			if v < 0 || best(known, released, m.back, v, threshold) != u || m.of[u] == v {
				continue
			}
			if old := m.back[v]; old >= 0 {
				if seed[old] {
					continue
				}
				m.of[old] = -1
			}
			if old := m.of[u]; old >= 0 {
				m.back[old] = -1
			}
			m.of[u], m.back[v], changed = v, u, true
		}
		if !changed {
			break
		}
	}
	return m.list(), nil
}

// best is the node of b that stands out for node u of a, -1 if none does.
func best(a, b *Graph, of []int32, u int32, threshold float64) int32 {
	score := map[int32]float64{}
	count := func(neighbours []int32, side [][]int32) {
		for _, w := range neighbours {
			if k := of[w]; k >= 0 {
				for _, v := range side[k] {
					score[v]++
				}
			}
		}
	}
	count(a.Out[u], b.In) // who supplies whom u supplies
	count(a.In[u], b.Out)
	if len(score) == 0 {
		return -1
	}
	nodes := make([]int32, 0, len(score))
	for v := range score {
		nodes = append(nodes, v)
	}
	slices.Sort(nodes)
	top, second, at := 0.0, 0.0, int32(-1)
	sum, square := 0.0, 0.0
	for _, v := range nodes {
		s := score[v] / math.Sqrt(float64(b.degree(v)))
		sum += s
		square += float64(s * s)
		if s > top {
			top, second, at = s, top, v
		} else {
			second = max(second, s)
		}
	}
	// Nodes without a score have score 0 and belong to the spread.
	n := float64(b.Nodes())
	sd := math.Sqrt(max(0, square/n-float64(sum/n*sum/n)))
	if sd == 0 || (top-second)/sd <= threshold {
		return -1
	}
	return at
}

// Percolate names nodes from seeds by marks: every named pair gives one mark to
// each pair of its suppliers and of its customers; a pair with r marks whose nodes
// are both free is named, the one with most marks first and lower numbers before
// higher ones. Two directed neighbours count by direction. r is at least 2.
func Percolate(released, known *Graph, seeds []Match, r int) ([]Match, error) {
	if r < 2 {
		return nil, fmt.Errorf("graph: %d marks name a pair, want at least 2", r)
	}
	m, err := newMatching(released.Nodes(), known.Nodes(), seeds)
	if err != nil {
		return nil, err
	}
	marks := map[Match]int{}
	waiting := slices.Clone(seeds)
	slices.SortFunc(waiting, compare)
	var ready []Match
	spread := func(p Match) {
		for _, side := range [2][2][]int32{{released.Out[p.Released], known.Out[p.Known]}, {released.In[p.Released], known.In[p.Known]}} {
			for _, u := range side[0] {
				if m.of[u] >= 0 {
					continue
				}
				for _, v := range side[1] {
					if m.back[v] >= 0 {
						continue
					}
					q := Match{u, v}
					if marks[q]++; marks[q] == r {
						ready = append(ready, q)
					}
				}
			}
		}
	}
	for len(waiting) > 0 {
		for _, p := range waiting {
			spread(p)
		}
		waiting = waiting[:0]
		slices.SortFunc(ready, func(a, b Match) int { return cmp.Or(cmp.Compare(marks[b], marks[a]), compare(a, b)) })
		for _, p := range ready {
			if m.of[p.Released] < 0 && m.back[p.Known] < 0 {
				m.of[p.Released], m.back[p.Known] = p.Known, p.Released
				waiting = append(waiting, p)
			}
		}
		ready = ready[:0]
	}
	return m.list(), nil
}

func compare(a, b Match) int {
	return cmp.Or(cmp.Compare(a.Released, b.Released), cmp.Compare(a.Known, b.Known))
}

// Critical is the number of seeds from which percolation of two samples of a
// random graph names nearly everybody: n nodes with edge probability p, of whose
// edges each graph shows a share s, named at r marks (Yartseva and Grossglauser
// 2013):
//
//	t = ((r-1)!/(n(ps²)^r))^(1/(r-1)),  seeds = (1-1/r)·t
func Critical(n int, p, s float64, r int) (t, seeds float64, err error) {
	if n < 1 || !(p > 0 && p <= 1) || !(s > 0 && s <= 1) || r < 2 {
		return 0, 0, fmt.Errorf("graph: %d nodes, edge probability %v, share %v, %d marks: want nodes, shares in (0, 1] and at least 2 marks", n, p, s, r)
	}
	log, _ := math.Lgamma(float64(r))
	t = math.Exp((log - math.Log(float64(n)) - float64(r)*math.Log(p*s*s)) / float64(r-1))
	return t, (1 - 1/float64(r)) * t, nil
}

// ByDegree names the i-th largest released node by its degrees as the i-th
// largest known one: the baseline of an intruder without seeds. Equal degrees
// are ordered by number.
func ByDegree(released, known *Graph) []Match {
	order := func(g *Graph) []int32 {
		out := make([]int32, g.Nodes())
		for i := range out {
			out[i] = int32(i)
		}
		slices.SortStableFunc(out, func(a, b int32) int {
			return cmp.Or(cmp.Compare(g.degree(b), g.degree(a)), cmp.Compare(len(g.Out[b]), len(g.Out[a])))
		})
		return out
	}
	a, b := order(released), order(known)
	out := make([]Match, min(len(a), len(b)))
	for i := range out {
		out[i] = Match{a[i], b[i]}
	}
	slices.SortFunc(out, compare)
	return out
}
