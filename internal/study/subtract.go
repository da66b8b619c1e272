package study

import (
	"fmt"

	subtraction "scramblelab/internal/attack/difference"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
)

// leastPublished is the smallest head count that a table of phase two shows: the
// minimum of handbooks.
const leastPublished = 3

// subtract takes the fragment off the head counts by year, level and field that
// a phase two could publish for the whole selection: what is left are the workers
// of the employers outside the fragment, and few of them in a cell are a small
// cell that no output check saw.
func (s *scrambled) subtract(out *measured, tables, population *publish.Tables) error {
	m := metric.Metric{
		Name: "attack.file.subtraction.researcher.small-cells", Better: metric.Lower, Unit: "share", Knowledge: metric.KnowsParameters,
		Method: fmt.Sprintf("Share of the workers outside the fragment whom subtraction shows rightly as a cell of fewer than %d: head counts of the selection by year, level and field, of which phase two publishes those of at least %d, less those of the fragment. Rows: small cells shown, right or wrong, among all of at least %d. Lower is safer.",
			leastPublished, leastPublished, leastPublished),
	}
	if why := s.noSubtraction(tables, population); why != "" {
		m.Row = metric.Missing("", why)
		out.metrics = append(out.metrics, m)
		return nil
	}
	grid := newGrid(population.Cells)
	inside := make([]bool, s.data.Employers())
	for _, e := range s.sample.Employers {
		inside[e] = true
	}
	employer := population.Cells.Col(linked.Employer).I
	all := grid.counts(population.Cells, nil)
	truth := grid.counts(population.Cells, func(i int) bool { return !inside[employer[i]] })
	rest, _, err := subtraction.Complement(all, grid.counts(tables.Cells, nil))
	if err != nil {
		return err
	}
	outside, known, shown, published := int64(0), int64(0), int64(0), int64(0)
	for i, n := range all {
		outside += truth[i]
		if n < leastPublished {
			continue
		}
		published++
		if rest[i] > 0 && rest[i] < leastPublished {
			shown++
			if rest[i] == truth[i] {
				known += rest[i]
			}
		}
	}
	if outside == 0 {
		m.Row = metric.Missing("", "the fragment is the whole selection: nobody is outside")
		out.metrics = append(out.metrics, m)
		return nil
	}
	m.Row = metric.Exact(float64(known)/float64(outside), outside)
	m.M = int64(s.data.Jobs.Rows())
	row := metric.Exact(float64(shown)/float64(max(1, published)), published)
	row.Group, row.M = "small cells shown", m.M
	m.By = append(m.By, row)
	out.metrics = append(out.metrics, m)
	return nil
}

// noSubtraction says why the fragment cannot be taken off exact tables.
func (s *scrambled) noSubtraction(tables, population *publish.Tables) string {
	switch {
	case population == nil || !tables.Cells.Has(linked.Level):
		return "there are no two tables by level to subtract"
	case tables.Cells.Col(publish.Workers).Coded():
		return "head counts are classes, which cannot be subtracted"
	case s.merge != nil:
		return "employers are published in units"
	}
	return ""
}

// grid numbers the cells of a selection by year, level and field.
type grid struct {
	years         []int32
	level, field  *frame.Dict
	levels, width int
}

func newGrid(cells *frame.Frame) *grid {
	g := &grid{years: distinct(yearsOf(cells)), level: cells.Col(linked.Level).Dict}
	if c, ok := cells.Lookup(linked.Field); ok {
		g.field = c.Dict
	}
	g.levels, g.width = dictLen(g.level)+1, dictLen(g.field)+1
	return g
}

func dictLen(d *frame.Dict) int {
	if d == nil {
		return 0
	}
	return d.Len()
}

// counts adds up the workers of the rows that keep names, nil for all. A table
// may number its labels in its own way; what the selection lacks is left out.
func (g *grid) counts(cells *frame.Frame, keep func(i int) bool) []int64 {
	out := make([]int64, len(g.years)*g.levels*g.width)
	year, workers := yearsOf(cells), cells.Col(publish.Workers)
	level, field := g.coded(cells, linked.Level, g.level), g.coded(cells, linked.Field, g.field)
	slot := map[int32]int{}
	for k, y := range g.years {
		slot[y] = k
	}
	for i := range cells.Rows() {
		t, ok := slot[year[i]]
		if l, f := level(i), field(i); ok && l >= 0 && f >= 0 && !workers.Missing(i) && (keep == nil || keep(i)) {
			out[(t*g.levels+l)*g.width+f] += int64(workers.Value(i) + 0.5)
		}
	}
	return out
}

// coded reads a column in the codes of d, from 1; 0 is missing and -1 unknown.
func (g *grid) coded(cells *frame.Frame, name string, d *frame.Dict) func(i int) int {
	c, ok := cells.Lookup(name)
	if !ok || d == nil || !c.Coded() {
		return func(int) int { return 0 }
	}
	to := make([]int, c.Dict.Len())
	for k, label := range c.Dict.Labels() {
		to[k] = -1
		if code, ok := d.Code(label); ok {
			to[k] = int(code) + 1
		}
	}
	return func(i int) int {
		if c.I[i] < 0 {
			return 0
		}
		return to[c.I[i]]
	}
}
