package attack

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

// SerialPair says that two serials of two deliveries are one employer.
type SerialPair struct{ First, Second int32 }

// LinkDeliveries finds the employers that two deliveries of one population have
// in common, whose serials differ: no swap of attributes touches head counts, so
// that both show the same path, and where several do the shared cells decide (see
// [PhaseTwo]). A pair counts if each is the only best one for the other. Pairs
// stand in the order of the first serial.
//
// It needs exact head counts in both; releases with a fresh serial every year
// have no path to be linked by.
func LinkDeliveries(ctx context.Context, a, b Release) ([]SerialPair, error) {
	for _, r := range []Release{a, b} {
		if m := r.Method; r.SerialPerYear || m.CountClasses || m.CountNoise > 0 || m.CountReach > 0 || m.CountFloor > 0 || m.share() < 1 {
			return nil, fmt.Errorf("attack: deliveries are linked by paths of exact head counts; this one has fresh serials, changed counts or a sample of workers")
		}
	}
	there, err := closestIn(ctx, a, b)
	if err != nil {
		return nil, err
	}
	back, err := closestIn(ctx, b, a)
	if err != nil {
		return nil, err
	}
	var out []SerialPair
	for first, second := range there {
		if k, ok := back[second]; ok && k == first {
			out = append(out, SerialPair{first, second})
		}
	}
	slices.SortFunc(out, func(a, b SerialPair) int { return cmp.Compare(a.First, b.First) })
	return out, nil
}

// closestIn claims a serial of b for each one of a that has one best.
func closestIn(ctx context.Context, a, b Release) (map[int32]int32, error) {
	if b.Tables == nil || b.Tables.Cells == nil || !b.Tables.Cells.Has(publish.Serial) {
		return nil, fmt.Errorf("attack: want released cells with serials")
	}
	cells := b.Tables.Cells
	claims, err := PhaseTwo(ctx, a, &publish.Tables{Cells: cells.With(frame.Ints(linked.Employer, cells.Col(publish.Serial).I))})
	if err != nil {
		return nil, err
	}
	out := map[int32]int32{}
	for _, c := range claims {
		if c.Employer >= 0 && c.Posterior == 1 {
			out[c.Serial] = c.Employer
		}
	}
	return out, nil
}

// Intersect judges the cells of a by a second delivery of the same population
// under another key: who belongs to a cell is listed in both, a stranger in one.
// It is [StaffPaths.Stack] with two draws of one year in the place of two years,
// year by year, and works for swaps that last as well. What both show is as good
// as certain (Genuine); what one shows alone is a toss-up, for two witnesses have
// no majority, so that Restored is hardly better than Released. Cells are those of linked
// employers with a released or a restored head count, in the order of serial,
// year, level and field; Released is that of a.
//
// Two deliveries under one key are one draw and tell no more than one: see the
// ledger of keys.
func Intersect(ctx context.Context, a, b Release, knowledge string) ([]StackedCell, error) {
	pairs, err := LinkDeliveries(ctx, a, b)
	if err != nil {
		return nil, err
	}
	first, err := NewStaffPaths(a, knowledge, nil)
	if err != nil {
		return nil, err
	}
	second, err := NewStaffPaths(b, knowledge, nil)
	if err != nil {
		return nil, err
	}
	// Every swap of a delivery is drawn anew for the next one.
	first.yearly, first.lasting = first.yearly*first.lasting, 1
	first.swapped = 1 - first.yearly/a.Method.share()
	mine, theirs := first.byUnit(), second.byUnit()
	at := map[int32]int{}
	for k, s := range second.serials {
		at[s] = k
	}
	with := map[int32]int{}
	for _, p := range pairs {
		with[p.First] = at[p.Second]
	}
	var out []StackedCell
	for u, serial := range first.serials {
		v, ok := with[serial]
		if !ok {
			continue
		}
		for slot, year := range first.years {
			cells := first.meet(u, slot, mine[u], theirs[v], year)
			deal(cells)
			for _, c := range cells {
				if c.Released > 0 || c.Restored > 0 {
					c.Serial, c.Year = serial, year
					out = append(out, c.StackedCell)
				}
			}
		}
	}
	return out, nil
}

// byUnit are the head counts of each unit by year and diploma.
func (p *StaffPaths) byUnit() []map[yearDiploma]int {
	out := make([]map[yearDiploma]int, len(p.serials))
	for k := range out {
		out[k] = map[yearDiploma]int{}
	}
	for d, visits := range p.visits {
		for _, v := range visits {
			out[v.unit][yearDiploma{p.years[v.slot], d}] = int(v.n)
		}
	}
	return out
}

// remains is the persistence of a chain of two draws of one year: everybody does.
const remains = 0.999

// meet are the cells of a unit in one year with the chances of their residents.
func (p *StaffPaths) meet(u, slot int, mine, theirs map[yearDiploma]int, year int32) []restored {
	var keys []yearDiploma
	for k := range mine {
		if k.year == year {
			keys = append(keys, k)
		}
	}
	for k := range theirs {
		if _, both := mine[k]; k.year == year && !both {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, yearDiploma.compare)
	out := make([]restored, len(keys))
	for i, k := range keys {
		n, m := mine[k], theirs[k]
		var c *chain
		if highest := max(n, m); highest <= mostResidents {
			c = p.chain(float64(p.share[k.diploma]*p.staff[u][slot]), highest, remains)
		}
		out[i] = p.smooth(c, []int{n, m}, p.share[k.diploma])[0]
		out[i].Released, out[i].Level, out[i].Field = float64(n), k.level, k.field
	}
	return out
}
