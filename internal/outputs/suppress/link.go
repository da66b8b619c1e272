package suppress

// At returns the cell that some table shows at the node of every dimension, or
// -1.
func (s *System) At(node []int32) int32 { return s.shared(len(s.Tables), node) }

// Link adds a number that is published beside the tables and is the sum of some
// of their cells, such as the n of a regression on two sectors. It returns its
// cell, which is never suppressed: a move must leave the sum as it is.
func (s *System) Link(name string, parts []int32) int32 {
	total := int32(s.N)
	s.N++
	s.coord = append(s.coord, make([]int32, len(s.Dims))...)
	if s.linked == 0 {
		s.firstLink = int32(s.Relations())
	}
	s.linked++
	s.names = append(s.names, name)
	s.cells = append(append(s.cells, total), parts...)
	s.start = append(s.start, int32(len(s.cells)))
	s.transpose()
	return total
}

// Unlink takes the last linked number back.
func (s *System) Unlink() {
	s.N--
	s.linked--
	s.coord = s.coord[:len(s.coord)-len(s.Dims)]
	s.names = s.names[:s.linked]
	s.start = s.start[:len(s.start)-1]
	s.cells = s.cells[:s.start[len(s.start)-1]]
	s.transpose()
}

// unnoticed reports whether the linked numbers stay as they are where the cells
// of plus go up and those of minus go down.
func (s *System) unnoticed(plus, minus []int32) bool {
	if s.linked == 0 {
		return true
	}
	change := make([]int, s.linked)
	for side, cells := range [2][]int32{plus, minus} {
		for _, c := range cells {
			for _, r := range s.relationsOf(c) {
				if r >= s.firstLink {
					change[r-s.firstLink] += 1 - 2*side
				}
			}
		}
	}
	for _, d := range change {
		if d != 0 {
			return false
		}
	}
	return true
}
