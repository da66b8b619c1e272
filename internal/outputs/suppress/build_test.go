package suppress

import (
	"fmt"
	"math"

	"scramblelab/internal/rng"
)

// flat makes a dimension of n categories below a total.
func flat(name string, n int) Dimension {
	d := Dimension{Name: name, Labels: []string{"Total"}, Parent: []int32{-1}}
	for i := range n {
		d.Labels, d.Parent = append(d.Labels, fmt.Sprint(i+1)), append(d.Parent, 0)
	}
	return d
}

// tree makes a dimension of groups with equally many leaves.
func tree(name string, groups, leaves int) Dimension {
	d := flat(name, groups)
	for g := range groups {
		for l := range leaves {
			d.Labels, d.Parent = append(d.Labels, fmt.Sprintf("%d.%d", g+1, l+1)), append(d.Parent, int32(g+1))
		}
	}
	return d
}

// cross makes the full table over some dimensions, its totals from leaf, which
// gives the values of finest cells.
func cross(dims []Dimension, use []int, leaf func(node []int32) float64) (Table, []float64) {
	t := Table{Dims: use, Nodes: make([][]int32, len(use))}
	isParent := make([][]bool, len(dims))
	for d := range dims {
		isParent[d] = make([]bool, len(dims[d].Parent))
		for _, p := range dims[d].Parent[1:] {
			isParent[d][p] = true
		}
	}
	size := 1
	for _, d := range use {
		size *= len(dims[d].Parent)
	}
	at := func(i int) []int32 {
		node := make([]int32, len(use))
		for k, d := range use {
			node[k] = int32(i % len(dims[d].Parent))
			i /= len(dims[d].Parent)
		}
		return node
	}
	values := make([]float64, size)
	for i := range size {
		node := at(i)
		fine := true
		for k, d := range use {
			t.Nodes[k] = append(t.Nodes[k], node[k])
			fine = fine && !isParent[d][node[k]]
		}
		if fine {
			values[i] = leaf(node)
		}
	}
	// Add up one dimension after another, children before parents.
	stride := 1
	for _, d := range use {
		n := len(dims[d].Parent)
		for i := size - 1; i >= 0; i-- {
			c := i / stride % n
			if p := dims[d].Parent[c]; p >= 0 {
				values[i-(c-int(p))*stride] += values[i]
			}
		}
		stride *= n
	}
	return t, values
}

// must links tables without faults.
func must(dims []Dimension, tables ...Table) *System {
	s, faults, err := New(dims, tables)
	if err != nil || faults != nil {
		panic(fmt.Sprint(err, faults))
	}
	return s
}

// frequencies makes the problem of a frequency table with threshold n: room up
// to the threshold, and cells of one are somebody's own.
func frequencies(s *System, counts []float64, n float64, singles bool) *Problem {
	p := &Problem{System: s, Values: [][]float64{counts}, Counts: []bool{true}, Cost: make([]float64, s.N)}
	for c, v := range counts {
		p.Cost[c] = v + 1
		if v > 0 && v < n {
			p.Needs = append(p.Needs, Need{Cell: int32(c), Up: []float64{n - v}, Down: []float64{0}})
		}
	}
	if singles {
		p.Single = make([]int32, s.N)
		for c, v := range counts {
			if p.Single[c] = -1; v == 1 {
				p.Single[c] = int32(c)
			}
		}
	}
	return p
}

// sparse draws counts as research tables have them: many zeros, many small ones
// and a few large.
func sparse(seed uint64) func([]int32) float64 {
	s := rng.Sim(seed).Stream(1, 0)
	return func([]int32) float64 {
		if s.Bool(0.2) {
			return 0
		}
		return math.Floor(math.Exp(1.6*s.Normal()*1.2) * 12)
	}
}
