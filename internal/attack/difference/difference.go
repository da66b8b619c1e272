// Package difference reconstructs what two published tables, or a table and its
// margins, leave open: an employer by subtraction of two totals that differ by
// it, the complement of a released fragment, the bounds of a cell. The intruder
// has nothing but what was published (METHODS 2, A14 and A15).
package difference

import (
	"fmt"
	"math"
)

// Complement returns the counts of those who are in all and not in part, cell by
// cell: tables with the same cells in the same order. ok is false where a count
// is negative, so that part is not a part of all.
func Complement(all, part []int64) (rest []int64, ok bool, err error) {
	if len(all) != len(part) {
		return nil, false, fmt.Errorf("difference: tables of %d and %d cells cannot be subtracted", len(all), len(part))
	}
	rest, ok = make([]int64, len(all)), true
	for i, n := range all {
		rest[i] = n - part[i]
		ok = ok && rest[i] >= 0
	}
	return rest, ok, nil
}

// Small lists the cells with at least one and fewer than k people: exactly known
// persons.
func Small(counts []int64, k int64) []int {
	var out []int
	for i, n := range counts {
		if n > 0 && n < k {
			out = append(out, i)
		}
	}
	return out
}

// TooClose reports whether two published populations differ by at least one and
// fewer than k people, so that their tables must not both be published.
func TooClose(all, part []int64, k int64) (bool, error) {
	rest, ok, err := Complement(all, part)
	if err != nil {
		return false, err
	}
	n := int64(0)
	for _, r := range rest {
		n += max(r, -r)
	}
	return n > 0 && n < k && ok, nil
}

// Moved is the least number of people whose cell differs between an exact table
// and a scrambled one of the same people: half the sum of the differences. An
// intruder who gets the exact table by subtraction learns that as many were
// touched.
func Moved(exact, scrambled []int64) (int64, error) {
	if len(exact) != len(scrambled) {
		return 0, fmt.Errorf("difference: tables of %d and %d cells cannot be compared", len(exact), len(scrambled))
	}
	more, less := int64(0), int64(0)
	for i, n := range exact {
		more += max(0, scrambled[i]-n)
		less += max(0, n-scrambled[i])
	}
	return max(more, less), nil
}

// Bounds are what is known of a cell: Low <= count <= High.
type Bounds struct{ Low, High int64 }

// Exact reports whether the cell is known.
func (b Bounds) Exact() bool { return b.Low == b.High }

// Frechet returns the bounds of every cell of a two-way table from its margins:
// max(0, r+c-n) <= x <= min(r, c). Cells are by row, then column.
func Frechet(rows, cols []int64) ([]Bounds, error) {
	n, m := int64(0), int64(0)
	for _, r := range rows {
		n += r
	}
	for _, c := range cols {
		m += c
	}
	if n != m {
		return nil, fmt.Errorf("difference: rows add up to %d and columns to %d: want margins of one table", n, m)
	}
	out := make([]Bounds, 0, len(rows)*len(cols))
	for _, r := range rows {
		for _, c := range cols {
			if r < 0 || c < 0 {
				return nil, fmt.Errorf("difference: a margin is negative (%d, %d)", r, c)
			}
			out = append(out, Bounds{max(0, r+c-n), min(r, c)})
		}
	}
	return out, nil
}

// Sum is a published total: the counts of Cells add up to Total.
type Sum struct {
	Cells []int
	Total int64
}

// Unbounded is the High of a cell of which nothing is known.
const Unbounded = int64(math.MaxInt64 / 4)

// Propagate tightens the bounds of cells by sums until nothing changes: a cell is
// at least the total less what the others can be at most, and at most the total
// less what they must be. It is exact where sums do not overlap in loops and
// otherwise may leave bounds wider than they are; they always hold. start is not
// changed; contradictory sums are an error.
func Propagate(start []Bounds, sums []Sum) ([]Bounds, error) {
	out := append([]Bounds(nil), start...)
	for _, s := range sums {
		for _, c := range s.Cells {
			if c < 0 || c >= len(out) {
				return nil, fmt.Errorf("difference: a sum names cell %d of %d", c, len(out))
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, s := range sums {
			low, high, open := int64(0), int64(0), 0
			for _, c := range s.Cells {
				low += out[c].Low
				if out[c].High >= Unbounded {
					open++
				} else {
					high += out[c].High
				}
			}
			for _, c := range s.Cells {
				b := &out[c]
				if top := s.Total - (low - b.Low); top < b.High {
					if b.High >= Unbounded {
						open--
						high += top
					} else {
						high += top - b.High
					}
					b.High, changed = top, true
				}
				others, unknown := high, open
				if b.High >= Unbounded {
					unknown--
				} else {
					others -= b.High
				}
				if unknown == 0 {
					if bottom := s.Total - others; bottom > b.Low {
						low += bottom - b.Low
						b.Low, changed = bottom, true
					}
				}
				if b.Low > b.High {
					return nil, fmt.Errorf("difference: a total of %d cannot be: cell %d would be between %d and %d", s.Total, c, b.Low, b.High)
				}
			}
		}
	}
	return out, nil
}
