package attack

import (
	"context"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/par"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// PhaseTwo claims the employer of every serial by the exact tables of the whole
// selection, which carry employers instead of serials: what the researcher can
// do who works on them in phase two and remembers the fragment, and what somebody
// could do who knows the original file, the upper bound of every intruder who
// knows less of employers.
//
// Candidates are the employers with the same head count in every year, where the
// release counts everybody; where nobody has it, or the counts were changed, those
// who share one of the serial's rarest cells. Among them the one wins that shares
// most workers cell by cell, a worker weighing the more the rarer the diploma
// (the log of its share). Equal ones are drawn from by hash; Posterior is one over
// their number. Claims stand in the order of serial and year. Where counts were
// changed the first 1,000 serials alone are looked for, which are a sample, since
// serials are random.
func PhaseTwo(ctx context.Context, r Release, exact *publish.Tables) ([]Claim, error) {
	if r.Tables == nil || r.Tables.Cells == nil || !r.Tables.Cells.Has(publish.Serial) || exact == nil || !exact.Cells.Has(linked.Employer) {
		return nil, fmt.Errorf("attack: want released cells with serials and exact cells with employers")
	}
	known := newExactCells(exact.Cells, linked.Employer, r.Periods)
	released := newExactCells(r.Tables.Cells, publish.Serial, r.Periods)
	counted := r.Method.share() == 1 && !r.Method.CountClasses && r.Method.CountNoise == 0 && r.Method.CountReach == 0 && r.Method.CountFloor == 0
	byPath := map[uint64][]int32{}
	for e, u := range known.units {
		h := u.path(r.SerialPerYear)
		for _, k := range h {
			byPath[k] = append(byPath[k], int32(e))
		}
	}
	byCell := map[yearDiploma][]int32{}
	if !counted {
		for e, u := range known.units {
			for _, c := range u.cells {
				byCell[c.at] = append(byCell[c.at], int32(e))
			}
		}
	}
	units := released.units
	if !counted { // every candidate must be compared: serials are random, so that the first are a sample
		units = units[:min(len(units), phaseTwoSample)]
	}
	out := make([]Claim, len(units))
	err := par.Chunks(ctx, len(units), 64, func(_, lo, hi int) error {
		for i, u := range units[lo:hi] {
			var candidates []int32
			if counted {
				candidates = byPath[u.path(false)[0]]
			}
			if len(candidates) == 0 {
				candidates = rarest(u, byCell)
			}
			out[lo+i] = known.closest(u, candidates)
			if r.SerialPerYear && len(u.cells) > 0 {
				out[lo+i].Year = u.cells[0].at.year
			}
		}
		return nil
	})
	return out, err
}

// closest claims the candidate who shares most with a serial.
func (x *exactCells) closest(u exactUnit, candidates []int32) Claim {
	c := Claim{Serial: u.id, Employer: -1, Method: Nearest}
	best, hash, ties := math.Inf(-1), uint64(0), 0
	for _, e := range candidates {
		s := 2*shared(u, x.units[e], x) - x.units[e].total
		h := rng.Mix(uint64(uint32(u.id)), uint64(uint32(x.units[e].id)))
		switch {
		case s > best:
			best, hash, ties, c.Employer = s, h, 1, x.units[e].id
		case s == best:
			if ties++; h < hash {
				hash, c.Employer = h, x.units[e].id
			}
		}
	}
	if ties > 0 {
		c.Posterior = 1 / float64(ties)
	}
	return c
}

// phaseTwoSample is the number of serials that are looked for where head counts
// are not exact.
const phaseTwoSample = 1000

type yearDiploma struct {
	year int32
	diploma
}

type exactCell struct {
	at yearDiploma
	n  float64
}

// exactUnit is one employer or serial with its cells by year and diploma.
type exactUnit struct {
	id    int32
	cells []exactCell
	total float64 // weight of all its workers
}

type exactCells struct {
	units  []exactUnit
	weight map[diploma]float64
}

func newExactCells(f *frame.Frame, id string, periods bool) *exactCells {
	key, workers := f.Col(id), f.Col(publish.Workers)
	level, field, year := codes(f, linked.Level), codes(f, linked.Field), codes(f, linked.Year)
	var counts classes
	if workers.Coded() {
		counts = classesOf(workers.Dict, true)
	}
	out, total := &exactCells{weight: map[diploma]float64{}}, 0.0
	at := map[int32]int{}
	for i := range f.Rows() {
		n := workers.Value(i)
		if workers.Coded() && workers.I[i] >= 0 {
			n = counts.mid[workers.I[i]]
		}
		if !(n > 0) {
			continue
		}
		k, ok := at[key.I[i]]
		if !ok {
			k = len(out.units)
			at[key.I[i]] = k
			out.units = append(out.units, exactUnit{id: key.I[i]})
		}
		c := exactCell{yearDiploma{0, diploma{level(i), field(i)}}, n}
		if periods {
			c.at.year = year(i)
		}
		out.units[k].cells = append(out.units[k].cells, c)
		out.weight[c.at.diploma] += n
		total += n
	}
	for d, n := range out.weight {
		out.weight[d] = 1 - math.Log(n/total)
	}
	for k := range out.units {
		for _, c := range out.units[k].cells {
			out.units[k].total += float64(c.n * out.weight[c.at.diploma])
		}
		slices.SortFunc(out.units[k].cells, func(a, b exactCell) int { return a.at.compare(b.at) })
	}
	return out
}

func (a yearDiploma) compare(b yearDiploma) int {
	for _, d := range [3]int32{a.year - b.year, a.level - b.level, a.field - b.field} {
		if d != 0 {
			return int(d)
		}
	}
	return 0
}

// path is a hash of the head counts of all years, or one of each year.
func (u exactUnit) path(perYear bool) []uint64 {
	var out []uint64
	h := uint64(1)
	for i := 0; i < len(u.cells); {
		y, n := u.cells[i].at.year, 0.0
		for ; i < len(u.cells) && u.cells[i].at.year == y; i++ {
			n += u.cells[i].n
		}
		h = rng.Mix(h, rng.Mix(uint64(uint32(y)), uint64(n+0.5)))
		if perYear {
			out, h = append(out, h), 1
		}
	}
	if !perYear {
		out = append(out, h)
	}
	return out
}

// rarest lists who shares one of the eight cells of u that fewest have.
func rarest(u exactUnit, byCell map[yearDiploma][]int32) []int32 {
	cells := slices.Clone(u.cells)
	slices.SortStableFunc(cells, func(a, b exactCell) int { return len(byCell[a.at]) - len(byCell[b.at]) })
	var out []int32
	for _, c := range cells[:min(8, len(cells))] {
		out = append(out, byCell[c.at]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shared is the weight of the workers that two units share; both are in order.
func shared(u, v exactUnit, known *exactCells) float64 {
	if len(u.cells) == 0 {
		return 0
	}
	// A serial of one year is compared with that year alone.
	j, _ := slices.BinarySearchFunc(v.cells, u.cells[0].at, func(c exactCell, at yearDiploma) int { return c.at.compare(at) })
	s := 0.0
	for _, c := range u.cells {
		if j == len(v.cells) {
			break
		}
		for j < len(v.cells) && v.cells[j].at.compare(c.at) < 0 {
			j++
		}
		if j < len(v.cells) && v.cells[j].at == c.at {
			s += float64(min(c.n, v.cells[j].n) * known.weight[c.at.diploma])
		}
	}
	return s
}
