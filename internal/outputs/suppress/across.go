package suppress

import "slices"

// Across looks for sums that run over several tables: a total that one table
// shows and parts that others do, such as the sexes of a table without totals
// beside a table of the totals, or sectors beside groups of sectors. holds says
// whether the parts make up the total; complete is true where no category that
// some table shows is missing among at least two parts. It is called once per
// sum, in a fixed order.
func (s *System) Across(holds func(total int32, parts []int32, complete bool) bool) {
	if len(s.Tables) < 2 {
		return
	}
	added := false
	end := s.start[:len(s.start)-1]
	node := make([]int32, len(s.Dims))
	for cell := range int32(s.N) {
		copy(node, s.Coordinates(cell))
		for d, n := range node {
			parts, complete := s.parts(node, d, n, nil)
			node[d] = n
			if len(parts) == 0 || s.known(cell, parts) || !holds(cell, parts, complete && len(parts) > 1) {
				continue
			}
			end = append(end, int32(len(s.cells)))
			s.cells = append(append(s.cells, cell), parts...)
			added = true
		}
	}
	end = append(end, int32(len(s.cells)))
	s.start = end
	if added {
		s.transpose()
	}
}

// parts lists the cells below a node of one dimension, the nearest that some
// table shows; complete is false where one is shown by none.
func (s *System) parts(node []int32, d int, n int32, out []int32) (parts []int32, complete bool) {
	complete = len(s.kids[d][n]) > 0
	for _, k := range s.kids[d][n] {
		node[d] = k
		if c := s.shared(len(s.Tables), node); c >= 0 {
			out = append(out, c)
			continue
		}
		var all bool
		out, all = s.parts(node, d, k, out)
		complete = complete && all
	}
	return out, complete
}

// known reports whether a sum is a relation already.
func (s *System) known(total int32, parts []int32) bool {
	for _, r := range s.relationsOf(total) {
		if rel := s.Relation(int(r)); rel.Total == total && len(rel.Parts) == len(parts) {
			same := true
			for _, p := range rel.Parts {
				same = same && slices.Contains(parts, p)
			}
			if same {
				return true
			}
		}
	}
	return false
}

// untotalled names rows of several categories side by side of which no table
// shows the total, while other tables on the same population may tell it.
func (s *System) untotalled(t int) (faults []Fault) {
	tab, l := &s.Tables[t], &s.index[t]
	node := make([]int32, len(s.Dims))
	for k, d := range tab.Dims {
		tops := 0
		for _, n := range l.nodes[k] {
			if l.up[k][n] < 0 {
				tops++
			}
		}
		if tops < 2 {
			continue
		}
		for i, cell := range tab.Cells {
			if l.up[k][tab.Nodes[k][i]] >= 0 {
				continue
			}
			copy(node, s.Coordinates(cell))
			node[d] = 0
			if s.shared(len(s.Tables), node) < 0 && len(faults) < maxFaults {
				faults = append(faults, Fault{t, i, "its total over " + s.Dims[d].Name +
					" is in no table, and other tables on the same population may tell it: add " + nameOf(s.Dims, node)})
			}
		}
	}
	return faults
}
