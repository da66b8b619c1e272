package graph_test

import (
	"math"
	"testing"

	"scramblelab/internal/attack/graph"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

func TestThresholdCase(t *testing.T) {
	var c struct {
		Cases []struct {
			N    int
			P, S float64
			R    int
			T    float64 `json:"t_c"`
			A    float64 `json:"a_c"`
		}
	}
	sharedtest.Case(t, "attack_percolation_threshold", &c)
	for _, tc := range c.Cases {
		got, seeds, err := graph.Critical(tc.N, tc.P, tc.S, tc.R)
		if err != nil || math.Abs(got/tc.T-1) > 1e-9 || math.Abs(seeds/tc.A-1) > 1e-9 {
			t.Errorf("n=%d, r=%d: %v, %v, %v, want %v and %v", tc.N, tc.R, got, seeds, err, tc.T, tc.A)
		}
	}
}

// two samples of one random graph, whose edges each shows with probability s;
// released node i is known node perm[i].
func two(tb testing.TB, n int, p, s float64, id uint64) (released, known *graph.Graph, perm []int32) {
	tb.Helper()
	g := rng.Sim(6).Stream(1, id)
	perm = make([]int32, n)
	for i := range perm {
		perm[i] = int32(i)
	}
	rng.Shuffle(g, perm)
	var a, b []graph.Edge
	for i := range int32(n) {
		for j := range int32(n) {
			if i != j && g.Bool(p/2) {
				if g.Bool(s) {
					a = append(a, graph.Edge{From: i, To: j})
				}
				if g.Bool(s) {
					b = append(b, graph.Edge{From: perm[i], To: perm[j]})
				}
			}
		}
	}
	var err error
	if released, err = graph.New(n, a); err != nil {
		tb.Fatal(err)
	}
	if known, err = graph.New(n, b); err != nil {
		tb.Fatal(err)
	}
	return released, known, perm
}

func right(m []graph.Match, perm []int32) (n int) {
	for _, x := range m {
		if perm[x.Released] == x.Known {
			n++
		}
	}
	return n
}

func seeded(n int, perm []int32) []graph.Match {
	out := make([]graph.Match, n)
	for i := range out {
		out[i] = graph.Match{Released: int32(i), Known: perm[i]}
	}
	return out
}

// With many seeds both attacks name nearly the whole network and are nearly
// always right; with the network of other firms they name at most chance beside
// the seeds; degrees alone name a few.
func TestNetworkIsNamed(t *testing.T) {
	const n, seeds = 400, 40
	released, known, perm := two(t, n, 0.06, 0.9, 0)
	_, other, _ := two(t, n, 0.06, 0.9, 1)
	attacks := map[string]func(*graph.Graph) ([]graph.Match, error){
		"percolation": func(k *graph.Graph) ([]graph.Match, error) {
			return graph.Percolate(released, k, seeded(seeds, perm), 4)
		},
		"propagation": func(k *graph.Graph) ([]graph.Match, error) {
			return graph.Propagate(released, k, seeded(seeds, perm), 0.5)
		},
	}
	base := right(graph.ByDegree(released, known), perm)
	for name, attack := range attacks {
		m, err := attack(known)
		if err != nil {
			t.Fatal(err)
		}
		hits := right(m, perm)
		t.Logf("%s: %d of %d named, %d right; by degree %d", name, len(m), n, hits, base)
		if hits < 9*n/10 || 20*hits < 19*len(m) || hits < 5*base {
			t.Errorf("%s: %d named, %d right of %d, want nine in ten; by degree %d", name, len(m), hits, n, base)
		}
		if m, err = attack(other); err != nil {
			t.Fatal(err)
		}
		// Beside the seeds one of n is right by chance; P(Poisson(1) > 7) < 1e-5.
		if hits = right(m, perm) - seeds; hits > 7 {
			t.Errorf("%s: %d named rightly in the network of other firms", name, hits)
		}
	}
}

func TestRefusals(t *testing.T) {
	g, err := graph.New(2, []graph.Edge{{From: 0, To: 1}, {From: 0, To: 1}, {From: 1, To: 1}})
	if err != nil || len(g.Out[0]) != 1 || len(g.In[1]) != 1 {
		t.Fatalf("loops and repeated edges are left out: %+v, %v", g, err)
	}
	if _, err := graph.New(1, []graph.Edge{{From: 0, To: 4}}); err == nil {
		t.Error("an edge to nowhere: want an error")
	}
	if _, err := graph.Percolate(g, g, nil, 1); err == nil {
		t.Error("one mark: want an error")
	}
	if _, err := graph.Propagate(g, g, []graph.Match{{Released: 0, Known: 0}, {Released: 1, Known: 0}}, 0.5); err == nil {
		t.Error("one known node twice: want an error")
	}
	m, err := graph.Percolate(g, g, nil, 2)
	if err != nil || len(m) != 0 {
		t.Errorf("without seeds %v is named, %v", m, err)
	}
}
