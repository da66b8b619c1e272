package swap

import (
	"cmp"
	"context"
	"slices"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// cycle draws persons and puts them on a random cycle; in each cell (stratum
// and year) a person's donor is the next one of the cycle who is present there.
// A second job in one cell takes its donor among second jobs. Across employers,
// a donor at the receiver's own employer is exchanged with that of a random
// third person; where one employer holds more than half of a cell, its last
// persons on the cycle stay as they are.
func (e *engine) cycle(ctx context.Context, p Permutation, pr *PairingReport, key rng.Secret, stage string) error {
	s := key.Stream(stage+" persons", 0)
	want := s.Round(e.o.Rate * float64(e.units.n))
	persons := Identity(e.units.n)
	picked := slices.DeleteFunc(rng.Sample(s, persons, want), func(u int32) bool { return !e.complete(u) })

	c := coding{k: e.rowCodes.k}
	n := 0
	for _, u := range picked {
		n += len(e.units.of(u))
	}
	c.codes = make([]uint32, 0, n)
	rows := make([]int32, 0, n)
	jobs := make([]uint8, 0, n) // which of a person's rows in this cell
	later := map[[2]uint32]uint32{}
	for _, u := range picked {
		own := e.units.of(u)
		for i, r := range own {
			code, job := e.rowCodes.codes[r], uint8(0)
			for _, q := range own[:i] {
				if e.rowCodes.codes[q] == code && job < 255 {
					job++
				}
			}
			if job > 0 {
				at := [2]uint32{code, uint32(job)}
				if _, ok := later[at]; !ok {
					later[at] = uint32(c.k)
					c.k++
				}
				code = later[at]
			}
			rows, jobs, c.codes = append(rows, r), append(jobs, job), append(c.codes, code)
		}
	}
	cells, err := sortByCode(ctx, c)
	if err != nil {
		return err
	}
	work := batches(cells.bounds)
	err = par.Do(ctx, len(work), func(w int) error {
		for k := work[w][0]; k < work[w][1]; k++ {
			members := cells.items[cells.bounds[k]:cells.bounds[k+1]]
			if len(members) == 1 {
				continue
			}
			first, job := rows[members[0]], jobs[members[0]]
			for i, at := range members {
				members[i] = rows[at] // from positions to rows, in place
			}
			if e.o.Scope != AcrossEmployers {
				for i, r := range members {
					p[r] = members[(i+1)%len(members)]
				}
				continue
			}
			e.cycleAcross(p, members, func() *rng.Stream {
				return key.Stream(stage, rng.Mix(address(e.cols, first), uint64(job)))
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	pr.Strata = int64(cells.len())
	moved, alone, outside := 0, int64(0), int64(0)
	for _, u := range picked {
		switch still := slices.ContainsFunc(e.units.of(u), func(r int32) bool { return p[r] != r }); {
		case still:
			moved++
		case e.o.Scope == AcrossEmployers:
			outside++
		default:
			alone++
		}
	}
	pr.Expected = e.o.Rate * share(int64(moved), int64(len(picked)))
	pr.unswappable(AloneInStratum, alone)
	pr.unswappable(NoPartnerOutside, outside)
	return nil
}

// cycleAcross is the cycle in one cell without donors at the own employer.
func (e *engine) cycleAcross(p Permutation, rows []int32, stream func() *rng.Stream) {
	if big, count := majority(e.employer, rows); 2*count > len(rows) {
		keep, room := rows[:0], len(rows)-count
		for _, r := range rows {
			if e.employer[r] == big {
				if room == 0 {
					continue
				}
				room--
			}
			keep = append(keep, r)
		}
		rows = keep
	}
	n := len(rows)
	donor := make([]int32, n)
	for i := range donor {
		donor[i] = rows[(i+1)%n]
	}
	own := func(i int) bool { return e.employer[rows[i]] == e.employer[donor[i]] }
	fits := func(i, k int) bool {
		emp := e.employer[rows[i]]
		return e.employer[rows[k]] != emp && e.employer[donor[k]] != emp
	}
	var s *rng.Stream
	var left []int
	for i := range rows {
		if !own(i) {
			continue
		}
		if s == nil {
			s = stream()
		}
		done := false
		for range tries {
			if k := s.IntN(n); fits(i, k) {
				donor[i], donor[k] = donor[k], donor[i]
				done = true
				break
			}
		}
		if !done {
			left = append(left, i)
		}
	}
	slices.SortStableFunc(left, func(a, b int) int { return cmp.Compare(e.employer[rows[a]], e.employer[rows[b]]) })
	var fit []int
	for at, i := range left {
		if at == 0 || e.employer[rows[left[at-1]]] != e.employer[rows[i]] {
			fit = fit[:0]
			for k := range rows {
				if fits(i, k) {
					fit = append(fit, k)
				}
			}
			rng.Shuffle(s, fit)
		}
		if !own(i) {
			continue
		}
		k := fit[0]
		fit = fit[1:]
		donor[i], donor[k] = donor[k], donor[i]
	}
	for i, r := range rows {
		p[r] = donor[i]
	}
}
