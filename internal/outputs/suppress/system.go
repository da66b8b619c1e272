// Package suppress hides cells of linked and hierarchical tables so that no
// sensitive cell can be derived from what stays, and proves it.
//
// All tables over one population form one [System]: a cell that two tables share
// is one unknown, and every published sum is a [Relation]. A pattern of
// suppressed cells is *exactly safe* if no sensitive cell has the same value in
// all solutions of the relations: decided by a random null-space vector modulo
// 2^61-1 ([Eliminate]). It is *interval safe* if the solutions without negative
// values leave each sensitive cell the room that its rule asks for: proved by a
// [Move] where one is found, decided by a linear program where the block is
// small.
//
// Methods: Hundepool et al., Handbook on Statistical Disclosure Control, chapter
// 4; moves over boxes as in GHMITER's hypercubes (Giessing and Repsilber 2002).
package suppress

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Dimension is a classification: a tree of categories whose node 0 is the total
// and in which a parent comes before its children.
type Dimension struct {
	Name   string
	Labels []string
	Parent []int32 // -1 for node 0
}

// Validate names what is wrong with the tree.
func (d Dimension) Validate() error {
	if len(d.Parent) == 0 || len(d.Parent) != len(d.Labels) || d.Parent[0] != -1 {
		return fmt.Errorf("suppress: dimension %q: want a total as node 0, and a parent for every label", d.Name)
	}
	for i, p := range d.Parent[1:] {
		if p < 0 || int(p) > i {
			return fmt.Errorf("suppress: dimension %q: the parent of %q does not come before it", d.Name, d.Labels[i+1])
		}
	}
	return nil
}

// Table is a published table: for each row the node of each of its dimensions.
type Table struct {
	Name  string
	Dims  []int     // which dimensions of the system, ascending
	Nodes [][]int32 // one slice per dimension, one node per row
	Cells []int32   // set by [New]: the cell that each row shows
}

// System is a set of linked tables over one population.
type System struct {
	Dims   []Dimension
	Tables []Table
	N      int // distinct cells

	coord    []int32 // node of every dimension, cell by cell
	index    []lookup
	start    []int32 // relations: Relation(r) is cells[start[r]:start[r+1]]
	cells    []int32
	relStart []int32 // of a cell, the relations that it stands in
	relOf    []int32
	kids     [][][]int32 // per dimension and node, the nearest descendants that some table shows
	up       [][]int32   // per dimension and node, the nearest ancestor that some table shows, or 0
	shown    [][]bool    // per dimension and node: some table shows it

	linked    int      // links: the last cells and the last relations, in one order
	firstLink int32    // the first of these relations
	names     []string // of these cells
	stale     bool     // relOf lacks some link
}

// Relation is a published sum: Total equals the sum of Parts.
type Relation struct {
	Total int32
	Parts []int32
}

// Relations returns the number of relations.
func (s *System) Relations() int { return len(s.start) - 1 }

// Relation returns one of them; the caller must not change it.
func (s *System) Relation(r int) Relation {
	c := s.cells[s.start[r]:s.start[r+1]]
	return Relation{Total: c[0], Parts: c[1:]}
}

// Name writes a cell in words: nace=C, level=Total.
func (s *System) Name(cell int32) string {
	if i := int(cell) - (s.N - s.linked); s.linked > 0 && i >= 0 {
		return s.names[i]
	}
	var parts []string
	for d, dim := range s.Dims {
		if n := s.coord[int(cell)*len(s.Dims)+d]; n != 0 {
			parts = append(parts, dim.Name+"="+dim.Labels[n])
		}
	}
	if parts == nil {
		return "the grand total"
	}
	return strings.Join(parts, ", ")
}

// Coordinates returns the node of every dimension.
func (s *System) Coordinates(cell int32) []int32 {
	return s.coord[int(cell)*len(s.Dims) : (int(cell)+1)*len(s.Dims)]
}

// Fault is something wrong with the rows of a table.
type Fault struct {
	Table, Row int // Row is -1 where no single row is to blame
	Message    string
}

// lookup finds the cell of a table from its nodes.
type lookup struct {
	pos    [][]int32 // per dimension of the table and node: its position, -1 if the table lacks it
	nodes  [][]int32 // the nodes that it shows, ascending
	stride []int
	dense  []int32 // cell + 1
	sparse map[int]int32
	kids   [][][]int32 // per dimension of the table and node: nearest descendants that it shows
	up     [][]int32   // nearest ancestor that it shows, -1 if none
}

func (l *lookup) at(key int) int32 {
	if l.dense != nil {
		return l.dense[key] - 1
	}
	return l.sparse[key] - 1
}

// New links tables. Rows of different tables with the same categories, and
// totals elsewhere, are the same cell. The faults name rows that stand twice and
// totals that are missing beside their parts, at most 100; with any there is no
// system. A row that is absent while its total and some sister are there is a
// known zero.
func New(dims []Dimension, tables []Table) (*System, []Fault, error) {
	for _, d := range dims {
		if err := d.Validate(); err != nil {
			return nil, nil, err
		}
	}
	s := &System{Dims: dims, Tables: slices.Clone(tables), index: make([]lookup, len(tables))}
	s.shown = make([][]bool, len(dims))
	for d := range dims {
		s.shown[d] = make([]bool, len(dims[d].Parent))
		s.shown[d][0] = true
	}
	var faults []Fault
	for t := range s.Tables {
		more, err := s.addTable(t)
		if err != nil {
			return nil, nil, err
		}
		faults = append(faults, more...)
	}
	if faults != nil {
		return nil, faults[:min(len(faults), maxFaults)], nil
	}
	s.kids, s.up = make([][][]int32, len(dims)), make([][]int32, len(dims))
	for d := range dims {
		s.kids[d], s.up[d] = subtree(dims[d].Parent, s.shown[d])
	}
	for t := range s.Tables {
		faults = append(faults, s.relate(t)...)
		if len(tables) > 1 {
			faults = append(faults, s.untotalled(t)...)
		}
	}
	if faults != nil {
		return nil, faults[:min(len(faults), maxFaults)], nil
	}
	s.start = append(s.start, int32(len(s.cells)))
	s.transpose()
	return s, nil, nil
}

const maxFaults = 100

// addTable gives the rows of a table their cells.
func (s *System) addTable(t int) (faults []Fault, err error) {
	tab, D := &s.Tables[t], len(s.Dims)
	if len(tab.Nodes) != len(tab.Dims) || !slices.IsSorted(tab.Dims) {
		return nil, fmt.Errorf("suppress: table %q: want nodes for each dimension, in ascending order", tab.Name)
	}
	rows := 1
	if len(tab.Dims) > 0 {
		rows = len(tab.Nodes[0])
	}
	l := lookup{}
	size := 1
	for k, d := range tab.Dims {
		seen := make([]bool, len(s.Dims[d].Parent))
		for _, n := range tab.Nodes[k] {
			seen[n] = true
		}
		pos := make([]int32, len(seen))
		var nodes []int32
		for n, ok := range seen {
			if pos[n] = -1; ok {
				pos[n] = int32(len(nodes))
				nodes = append(nodes, int32(n))
				s.shown[d][n] = true
			}
		}
		kids, up := subtree(s.Dims[d].Parent, seen)
		l.pos, l.nodes, l.kids, l.up = append(l.pos, pos), append(l.nodes, nodes), append(l.kids, kids), append(l.up, up)
		l.stride = append(l.stride, size)
		if len(nodes) > 0 && size > math.MaxInt/len(nodes) {
			return nil, fmt.Errorf("suppress: table %q crosses too many categories", tab.Name)
		}
		size *= len(nodes)
	}
	if size <= 16*rows+1<<16 {
		l.dense = make([]int32, size)
	} else {
		l.sparse = make(map[int]int32, rows)
	}
	tab.Cells = make([]int32, rows)
	node := make([]int32, D)
	for i := range rows {
		key := 0
		clear(node)
		for k, d := range tab.Dims {
			node[d] = tab.Nodes[k][i]
			key += int(l.pos[k][node[d]]) * l.stride[k]
		}
		if l.at(key) >= 0 {
			faults = append(faults, Fault{t, i, "stands twice: " + nameOf(s.Dims, node)})
			continue
		}
		cell := s.shared(t, node)
		if cell < 0 {
			cell = int32(s.N)
			s.N++
			s.coord = append(s.coord, node...)
		}
		tab.Cells[i] = cell
		if l.dense != nil {
			l.dense[key] = cell + 1
		} else {
			l.sparse[key] = cell + 1
		}
	}
	s.index[t] = l
	return faults, nil
}

func nameOf(dims []Dimension, node []int32) string {
	s := System{Dims: dims, coord: node}
	return s.Name(0)
}

// shared finds a cell in the tables before t.
func (s *System) shared(t int, node []int32) int32 {
	for u := range t {
		if c := s.find(u, node); c >= 0 {
			return c
		}
	}
	return -1
}

// find returns the cell of table t at these nodes, or -1.
func (s *System) find(t int, node []int32) int32 {
	l, key, k := &s.index[t], 0, 0
	for d, n := range node {
		if k < len(s.Tables[t].Dims) && s.Tables[t].Dims[k] == d {
			p := l.pos[k][n]
			if p < 0 {
				return -1
			}
			key += int(p) * l.stride[k]
			k++
		} else if n != 0 {
			return -1
		}
	}
	return l.at(key)
}

// subtree returns, among the nodes shown, the nearest descendants and the
// nearest ancestor of each.
func subtree(parent []int32, shown []bool) (kids [][]int32, up []int32) {
	kids, up = make([][]int32, len(parent)), make([]int32, len(parent))
	for n := range parent {
		a := parent[n]
		for a >= 0 && !shown[a] {
			a = parent[a]
		}
		if up[n] = a; a >= 0 && shown[n] {
			kids[a] = append(kids[a], int32(n))
		}
	}
	return kids, up
}

// relate adds the relations of a table.
func (s *System) relate(t int) (faults []Fault) {
	tab, l := &s.Tables[t], &s.index[t]
	for i, cell := range tab.Cells {
		base := 0
		for k := range tab.Dims {
			base += int(l.pos[k][tab.Nodes[k][i]]) * l.stride[k]
		}
		for k := range tab.Dims {
			n := tab.Nodes[k][i]
			if u := l.up[k][n]; u >= 0 && l.at(base+int(l.pos[k][u]-l.pos[k][n])*l.stride[k]) < 0 && len(faults) < maxFaults {
				node := slices.Clone(s.Coordinates(cell))
				node[tab.Dims[k]] = u
				faults = append(faults, Fault{t, i, fmt.Sprintf("its total is missing: %s (%s)", nameOf(s.Dims, node), s.Dims[tab.Dims[k]].Name)})
			}
			first := len(s.cells)
			for _, c := range l.kids[k][n] {
				if child := l.at(base + int(l.pos[k][c]-l.pos[k][n])*l.stride[k]); child >= 0 {
					if len(s.cells) == first {
						s.start = append(s.start, int32(first))
						s.cells = append(s.cells, cell)
					}
					s.cells = append(s.cells, child)
				}
			}
		}
	}
	return faults
}

// transpose lists the relations of each cell.
func (s *System) transpose() {
	s.stale = false
	s.relStart = make([]int32, s.N+1)
	for _, c := range s.cells {
		s.relStart[c+1]++
	}
	for c := range s.N {
		s.relStart[c+1] += s.relStart[c]
	}
	s.relOf = make([]int32, len(s.cells))
	next := slices.Clone(s.relStart[:s.N])
	for r := range s.Relations() {
		for _, c := range s.cells[s.start[r]:s.start[r+1]] {
			s.relOf[next[c]] = int32(r)
			next[c]++
		}
	}
}

// relationsOf returns the relations that a cell stands in.
func (s *System) relationsOf(cell int32) []int32 {
	if s.stale {
		s.transpose()
	}
	return s.relOf[s.relStart[cell]:s.relStart[cell+1]]
}

// Discrepancies returns the relations whose total differs from the sum of its
// parts by more than tolerance per part, at most 100. Relations with a missing
// value (NaN) are left out.
func (s *System) Discrepancies(values []float64, tolerance float64) (at []int, difference []float64) {
	for r := range s.Relations() {
		rel := s.Relation(r)
		sum := 0.0
		for _, c := range rel.Parts {
			sum += values[c]
		}
		d := values[rel.Total] - sum
		if math.Abs(d) > tolerance*float64(1+len(rel.Parts))+1e-9*math.Abs(sum) && len(at) < maxFaults {
			at, difference = append(at, r), append(difference, d)
		}
	}
	return at, difference
}

// Cell returns the cell that a table shows at these nodes, one per dimension of
// the table, or -1.
func (s *System) Cell(t int, nodes []int32) int32 {
	l, key := &s.index[t], 0
	for k, n := range nodes {
		p := l.pos[k][n]
		if p < 0 {
			return -1
		}
		key += int(p) * l.stride[k]
	}
	return l.at(key)
}

// Shows reports whether a table shows a category of its k-th dimension.
func (s *System) Shows(t, k int, node int32) bool { return s.index[t].pos[k][node] >= 0 }
