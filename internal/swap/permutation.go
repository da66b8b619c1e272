package swap

import (
	"fmt"

	"scramblelab/internal/frame"
)

// Permutation moves rows: v'[i] = v[p[i]], so p[i] is the donor of row i.
type Permutation []int32

// Identity returns the permutation of n rows that moves none.
func Identity(n int) Permutation {
	p := make(Permutation, n)
	for i := range p {
		p[i] = int32(i)
	}
	return p
}

// Pairs returns the permutation of n rows that exchanges each pair. It refuses
// pairs that share a row.
func Pairs(n int, pairs [][2]int32) (Permutation, error) {
	p := Identity(n)
	for _, q := range pairs {
		for _, r := range q {
			if r < 0 || int(r) >= n {
				return nil, fmt.Errorf("swap: pair %v names row %d of %d", q, r, n)
			}
			if p[r] != r {
				return nil, fmt.Errorf("swap: row %d stands in two pairs", r)
			}
		}
		p[q[0]], p[q[1]] = q[1], q[0]
	}
	return p, nil
}

// Apply returns the column with its values moved.
func (p Permutation) Apply(c frame.Column) frame.Column { return c.Take(p) }

// Compose returns p followed by q: Compose(q).Apply(c) = q.Apply(p.Apply(c)).
func (p Permutation) Compose(q Permutation) Permutation {
	out := make(Permutation, len(p))
	for i, j := range q {
		out[i] = p[j]
	}
	return out
}

// Inverse returns the permutation that undoes p, which must be a bijection.
func (p Permutation) Inverse() Permutation {
	out := make(Permutation, len(p))
	for i, j := range p {
		out[j] = int32(i)
	}
	return out
}

// IsBijection reports whether every row is the donor of exactly one row.
func (p Permutation) IsBijection() bool {
	seen := make([]uint64, (len(p)+63)/64)
	for _, j := range p {
		if j < 0 || int(j) >= len(p) {
			return false
		}
		w, b := j>>6, uint64(1)<<(j&63)
		if seen[w]&b != 0 {
			return false
		}
		seen[w] |= b
	}
	return true
}

// Touched returns the number of rows whose donor is another row.
func (p Permutation) Touched() int {
	n := 0
	for i, j := range p {
		if int32(i) != j {
			n++
		}
	}
	return n
}

// Moves returns the touched rows in order and their donors: what an escrow
// keeps.
func (p Permutation) Moves() (rows, donors []int32) {
	for i, j := range p {
		if int32(i) != j {
			rows, donors = append(rows, int32(i)), append(donors, j)
		}
	}
	return rows, donors
}

// FromMoves restores a permutation of n rows from its moves. It refuses moves
// that are no bijection.
func FromMoves(n int, rows, donors []int32) (Permutation, error) {
	if len(rows) != len(donors) {
		return nil, fmt.Errorf("swap: %d rows with %d donors", len(rows), len(donors))
	}
	p := Identity(n)
	for k, r := range rows {
		if r < 0 || int(r) >= n {
			return nil, fmt.Errorf("swap: move %d names row %d of %d", k, r, n)
		}
		p[r] = donors[k]
	}
	if !p.IsBijection() {
		return nil, fmt.Errorf("swap: the moves are not one to one: the permutation is damaged")
	}
	return p, nil
}
