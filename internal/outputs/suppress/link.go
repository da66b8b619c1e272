package suppress

import "slices"

// At returns the cell that some table shows at the node of every dimension, or
// -1.
func (s *System) At(node []int32) int32 { return s.shared(len(s.Tables), node) }

// Link adds a number that is published beside the tables and is the sum of some
// of their cells, such as the n of a regression on two sectors. It returns its
// cell, which must be fixed: a move must leave the sum as it is.
func (s *System) Link(name string, parts []int32) int32 {
	total := s.link(name)
	s.relateLink(append([]int32{total}, parts...))
	return total
}

// Bound adds that some cells are parts of another one without being all of it.
// It returns the cell of what they leave, which must be hidden: nobody publishes
// it, but it is not negative.
func (s *System) Bound(name string, total int32, parts []int32) int32 {
	left := s.link(name)
	s.relateLink(append(append([]int32{total}, parts...), left))
	return left
}

func (s *System) link(name string) int32 {
	if s.linked == 0 {
		s.firstLink = int32(s.Relations())
	}
	s.N++
	s.linked++
	s.coord = append(s.coord, make([]int32, len(s.Dims))...)
	s.names = append(s.names, name)
	return int32(s.N - 1)
}

func (s *System) relateLink(cells []int32) {
	s.cells = append(s.cells, cells...)
	s.start = append(s.start, int32(len(s.cells)))
	s.stale = true
}

// Unlink takes the last link back.
func (s *System) Unlink() {
	s.N--
	s.linked--
	s.coord = s.coord[:len(s.coord)-len(s.Dims)]
	s.names = s.names[:s.linked]
	s.start = s.start[:len(s.start)-1]
	s.cells = s.cells[:s.start[len(s.start)-1]]
	s.stale = true
}

// balance says what a change of some cells does to the links: which of their own
// cells go up and down with it; ok is false where a linked sum would change, or
// what parts leave by more than the others.
func (s *System) balance(plus, minus []int32) (up, down []int32, ok bool) {
	if s.linked == 0 {
		return nil, nil, true
	}
	change := map[int32]int{} // of parts less total, by relation
	var touched []int32
	for side, cells := range [2][]int32{plus, minus} {
		for _, c := range cells {
			for _, r := range s.relationsOf(c) {
				if r < s.firstLink {
					continue
				}
				d := 1 - 2*side
				if s.cells[s.start[r]] == c {
					d = -d
				}
				if _, seen := change[r]; !seen {
					touched = append(touched, r)
				}
				change[r] += d
			}
		}
	}
	slices.Sort(touched)
	for _, r := range touched {
		own := int32(s.N-s.linked) + r - s.firstLink
		switch d := change[r]; {
		case d == 0:
		case s.cells[s.start[r]] == own || d > 1 || d < -1:
			return nil, nil, false
		case d < 0:
			up = append(up, own)
		default:
			down = append(down, own)
		}
	}
	return up, down, true
}
