package study

import (
	"cmp"
	"slices"

	"scramblelab/internal/attack"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/score"
)

// cellCount is a cell of the original: how many belong there.
type cellCount struct{ year, level, field int32 }

// stacks lets an intruder who knows the serials undo the swap, where it has years
// to stack and where it moves diplomas.
func (v *victims) stacks(out *measured) error {
	if v.held.SerialPerYear || !v.held.Tables.Cells.Has(linked.Level) || !v.movesDiplomas() {
		return nil
	}
	var stacked []attack.StackedCell
	if v.held.Periods && len(v.s.data.Years()) > 1 {
		paths, err := attack.NewStaffPaths(v.held, metric.KnowsParameters, nil)
		if err != nil {
			return err
		}
		stacked = paths.Stack()
		out.metrics = append(out.metrics, score.Placed(colleague, metric.KnowsParameters, v.placed(stacked), v.s.data.Jobs.Rows()))
	}
	if v.prior == nil {
		return nil // no wages
	}
	if stacked != nil {
		if _, err := v.read(out, score.StackedYears, colleague, v.known, func(r attack.Release) ([]attack.WorkerClaim, error) {
			return attack.StackedDisclosure(r, metric.KnowsParameters, v.serialOf, v.targets, stacked, v.prior)
		}); err != nil {
			return err
		}
	}
	suspects, err := attack.Suspect(v.held, metric.KnowsParameters, v.prior, stacked)
	if err != nil {
		return err
	}
	cells := v.originalCells()
	var cases []score.SuspectCase
	for _, c := range suspects {
		members := v.truth[score.Key{Serial: c.Serial}]
		if len(members) == 1 {
			cases = append(cases, score.SuspectCase{Employer: members[0], ByWage: c.ByWage, ByYears: c.ByYears, Swapped: cells[members[0]][cellCount{c.Year, c.Level, c.Field}] == 0})
		}
	}
	out.metrics = append(out.metrics, score.Suspected(colleague, metric.KnowsParameters, cases, v.s.data.Jobs.Rows()))
	return nil
}

// movesDiplomas reports whether a swap gives workers others' levels or fields.
func (v *victims) movesDiplomas() bool {
	for _, w := range v.held.Method.Swaps {
		for _, b := range w.Bundle {
			if w.Rate > 0 && (b == linked.Level || b == linked.Field || b == linked.Employer) {
				return true
			}
		}
	}
	return false
}

// originalCells counts the workers of drawn employers by employer and cell.
func (v *victims) originalCells() map[int32]map[cellCount]float64 {
	if v.original != nil {
		return v.original
	}
	jobs := v.s.data.Jobs
	employer, year := jobs.Col(linked.Employer).I, jobs.Col(linked.Year).I
	level, field := codes(jobs, linked.Level), codes(jobs, linked.Field)
	if !v.held.Tables.Cells.Has(linked.Field) {
		field = func(int) int32 { return -1 }
	}
	listed := v.listed()
	v.original = map[int32]map[cellCount]float64{}
	for i, e := range employer {
		if e < 0 || !v.inside[e] || !listed(i) {
			continue
		}
		if v.original[e] == nil {
			v.original[e] = map[cellCount]float64{}
		}
		k := cellCount{year[i], level(i), field(i)}
		if !v.held.Periods {
			k.year = 0
		}
		v.original[e][k]++
	}
	return v.original
}

// placed compares restored cells with the original, employer-year by
// employer-year.
func (v *victims) placed(stacked []attack.StackedCell) []score.PlacedCase {
	guess := newMix(stacked)
	cells := v.originalCells()
	var out []score.PlacedCase
	for lo := 0; lo < len(stacked); {
		hi := lo
		for hi < len(stacked) && stacked[hi].Serial == stacked[lo].Serial && stacked[hi].Year == stacked[lo].Year {
			hi++
		}
		rows := stacked[lo:hi]
		lo = hi
		members := v.truth[score.Key{Serial: rows[0].Serial}]
		if len(members) != 1 {
			continue
		}
		truth := cells[members[0]]
		p := score.PlacedCase{Employer: members[0]}
		for k, n := range truth { // whole numbers: their order does not matter
			if k.year == rows[0].Year {
				p.Staff += n
			}
		}
		for _, c := range rows {
			n := truth[cellCount{c.Year, c.Level, c.Field}]
			p.Restored += min(n, c.Restored)
			p.Released += min(n, c.Released)
		}
		p.Baseline = guess.right(int(p.Staff), rows[0].Year, truth)
		p.Groups = score.SizeGroups(int32(p.Staff))
		out = append(out, p)
	}
	return out
}

// mix are the diplomas of a release and what it would be to guess by them alone.
type mix struct {
	diplomas []cellCount // without a year, in order
	shares   []float64
	guesses  map[int][]float64 // by head count
}

func newMix(stacked []attack.StackedCell) *mix {
	heads, all := map[cellCount]float64{}, 0.0
	m := &mix{guesses: map[int][]float64{}}
	for _, c := range stacked {
		d := cellCount{0, c.Level, c.Field}
		if heads[d] == 0 && c.Released > 0 {
			m.diplomas = append(m.diplomas, d)
		}
		heads[d] += c.Released
		all += c.Released
	}
	slices.SortFunc(m.diplomas, func(a, b cellCount) int {
		return cmp.Or(cmp.Compare(a.level, b.level), cmp.Compare(a.field, b.field))
	})
	for _, d := range m.diplomas {
		m.shares = append(m.shares, heads[d]/all)
	}
	return m
}

// right is how many of the staff the guess puts in the right cell.
func (m *mix) right(staff int, year int32, truth map[cellCount]float64) float64 {
	guess, ok := m.guesses[staff]
	if !ok {
		guess = attack.GuessCells(staff, m.shares)
		m.guesses[staff] = guess
	}
	hits := 0.0
	for i, d := range m.diplomas {
		if guess[i] > 0 {
			hits += min(guess[i], truth[cellCount{year, d.level, d.field}])
		}
	}
	return hits
}
