package attack

import (
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/publish"
)

// Suspicion is how likely the person of a cell of one does not belong there.
type Suspicion struct {
	Serial, Year, Level, Field int32
	ByWage                     float64 // from the wage class alone
	ByYears                    float64 // from the years as well; as ByWage without them
}

// Suspect says of every released cell of one how implausible it is that its
// person belongs there: a doctorate at a low wage class, a diploma seen for one
// year. A person who belongs there earns as people of that level and field do
// outside the fragment; one whose level and field were swapped earns as the pool
// does:
//
//	P(swapped | class) = s·pool/(s·pool + (1-s)·prior)
//
// with s the rate, or, with stacked cells, one minus their chance of being
// genuine. Cells stand in the order of serial, year, level and field.
func Suspect(r Release, knowledge string, prior *Prior, stacked []StackedCell) ([]Suspicion, error) {
	if r.Tables == nil || r.Tables.Cells == nil || !r.Tables.Cells.Has(publish.Serial) || !r.Tables.Cells.Has(publish.WageClass) || prior == nil {
		return nil, fmt.Errorf("attack: no cells with serials and wage classes, or no prior, to judge cells by")
	}
	cells, pool := indexCells(r)
	genuine := make(map[cellKey]float64, len(stacked))
	for _, c := range stacked {
		year := c.Year
		if !r.Periods {
			year = 0
		}
		genuine[cellKey{c.Serial, year, c.Level, c.Field}] = c.Genuine
	}
	keys := make([]cellKey, 0, len(cells))
	for k, c := range cells {
		if c.n == 1 && c.wage >= 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, compareCells)
	s := r.Method.displaced(knowledge)
	out := make([]Suspicion, len(keys))
	for i, k := range keys {
		w := cells[k].wage
		own, others := max(1e-6, prior.WageClass(k.level, k.field, anything)[w]), max(1e-6, pool[w])
		swapped := func(s float64) float64 {
			return float64(s*others) / (float64(s*others) + float64((1-s)*own))
		}
		out[i] = Suspicion{k.serial, k.year, k.level, k.field, swapped(s), 0}
		out[i].ByYears = out[i].ByWage
		if g, ok := genuine[k]; ok && !math.IsNaN(g) {
			out[i].ByYears = swapped(1 - g)
		}
	}
	return out, nil
}
