package attack

import (
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/publish"
)

// JoinerClaim says what somebody earns who joined a cell of one.
type JoinerClaim struct {
	Serial, Year, Level, Field int32
	Wage                       float64 // euro per year
}

// YearDifference reads every released cell that goes from one worker to two
// within the same serial: the newcomer earns twice the mean of the two less what
// the first one earned a year ago, grown with the wages of everybody
// (2·class(t) - class(t-1)·index, METHODS 2.5). The index is the mean wage of
// cells of one that stay cells of one, year by year, from the release itself.
// Claims stand in the order of serial, year, level and field. A release without
// years, wages or whole head counts gives none.
func YearDifference(r Release) ([]JoinerClaim, error) {
	if r.Tables == nil || r.Tables.Cells == nil || !r.Tables.Cells.Has(publish.Serial) {
		return nil, fmt.Errorf("attack: the release has no cells with serials; publish and draw serials first")
	}
	wage, ok := r.Tables.Cells.Lookup(publish.WageClass)
	if !ok || !r.Periods || r.SerialPerYear || r.Method.CountClasses {
		return nil, nil
	}
	cells, _ := indexCells(r)
	wages := classesOf(wage.Dict, false)
	keys := make([]cellKey, 0, len(cells))
	for k := range cells {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareCells)
	type growth struct{ before, after float64 }
	index := map[int32]*growth{}
	for _, k := range keys {
		before, ok := cells[k.yearsAgo(1)]
		if c := cells[k]; ok && c.n == 1 && before.n == 1 && c.wage >= 0 && before.wage >= 0 {
			g := index[k.year]
			if g == nil {
				g = &growth{}
				index[k.year] = g
			}
			g.before += wages.mid[before.wage]
			g.after += wages.mid[c.wage]
		}
	}
	var out []JoinerClaim
	for _, k := range keys {
		before, ok := cells[k.yearsAgo(1)]
		c := cells[k]
		if !ok || c.n != 2 || before.n != 1 || c.wage < 0 || before.wage < 0 {
			continue
		}
		grown := 1.0
		if g := index[k.year]; g != nil && g.before > 0 {
			grown = g.after / g.before
		}
		estimate := 2*wages.mid[c.wage] - float64(wages.mid[before.wage]*grown)
		out = append(out, JoinerClaim{k.serial, k.year, k.level, k.field, max(0, estimate)})
	}
	return out, nil
}

func (k cellKey) yearsAgo(n int32) cellKey {
	k.year -= n
	return k
}

func compareCells(a, b cellKey) int {
	for _, d := range [4]int32{a.serial - b.serial, a.year - b.year, a.level - b.level, a.field - b.field} {
		if d != 0 {
			return int(d)
		}
	}
	return 0
}

// MedianWage is the wage that somebody guesses without a release: the median of
// the prior, interpolated inside its class.
func (p *Prior) MedianWage(level, field, sector int32) float64 {
	c := classesOf(p.dict, false)
	below := 0.0
	for b, s := range p.WageClass(level, field, sector) {
		if below+s >= 0.5 {
			return c.lo[b] + float64((c.hi[b]-c.lo[b])*(0.5-below)/s)
		}
		below += s
	}
	return math.NaN()
}
