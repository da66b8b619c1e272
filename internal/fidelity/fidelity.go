// Package fidelity measures what a scramble did to the numbers that people
// compute: the released cells, the tables and wages by education, a wage
// regression and a difference-in-differences on the employer panel.
//
// Three versions of the data are compared, all in the layout of the release,
// and two errors are kept apart:
//
//   - scramble error: the release against the same fragment, unscrambled;
//   - fragment error: the unscrambled fragment against the whole selection.
//
// Every measure carries its noise floor, the same measure on resamples of the
// fragment's own employers: what another fragment of this size would show. The
// promise of a scramble is the same code path; the same conclusion is measured,
// never assumed.
//
// One-way margins are exact inside a donor pool whatever the damage, so no
// headline rests on them.
package fidelity

import (
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// Input is what is compared. Tables are keyed by linked.Employer (before
// serials), and Release and Fragment share one key: the published unit.
type Input struct {
	Release    *publish.Tables // as it leaves the building
	Fragment   *publish.Tables // the same units, unscrambled, with exact counts
	Population *publish.Tables // the whole selection, unscrambled; nil leaves fragment errors out
	Bands      []Band          // levels of education grouped for employer panels; nil takes thirds of the staff
	Periods    bool            // the data form a panel
	// NoPanel is the reason why a release of panel data cannot be followed
	// over the years (a fresh serial every year), "" where it can.
	NoPanel string
	// Swap is the law of the swap that was applied to levels, for the
	// prediction of what it does to effects; nil where there is none.
	Swap *SwapLaw
	// Workers are the records behind the cells, nil where they cannot be followed:
	// NoWorkers says why.
	Workers   *Workers
	NoWorkers string
	// Program is what the researchers' own program found, nil where none ran.
	Program *Outside
	// Null is [Distinguish] of copies scrambled by the same method under other
	// keys; nil leaves the comparison with them out.
	Null []Distinction
	// Statistics are what was computed on the same selection before; what is not
	// among them is computed and added. nil keeps nothing.
	Statistics *Statistics
	Only       []string // measures to run, by their names in [Measures]; nil runs all
	// MostCells is the number of cells up to which resamples take all employers;
	// 0 takes 1,000,000. Beyond, values are of every row, and floors and intervals
	// are scaled from resamples of some of the employers.
	MostCells int
	Key       rng.Sim // of the resamples
	Draws     int     // resamples; 0 takes 20
	Level     float64 // of intervals; 0 takes 0.95
}

// SwapLaw describes a random swap of education levels across employers: in
// expectation it replaces an employer's staff n of a level by
// (1-s) n + s q N, where s is the share touched, N the employer's head count
// and q the level's share in the stratum (METHODS 3.1, laws 1 and 3).
type SwapLaw struct {
	Rate   float64  // share of jobs touched, in [0, 1]
	Strata []string // firm columns on which partners agree: year, group, event_year
	Bundle []string // columns that travel together, level among them; nil where that differs between swaps
	// Closed is true where donors come from the fragment alone. Otherwise they
	// come from the whole selection, whose level shares the fragment's design
	// weights stand in for where it is not given.
	Closed bool
}

// Band is a group of education levels.
type Band struct {
	Name  string  // [a-z0-9-]+
	Codes []int32 // of the level codebook
}

// Result is what was measured.
type Result struct {
	Metrics []metric.Metric
	Tables  []metric.Table
	Effects []Effect // of the difference-in-differences, by outcome
	words   []word   // the same for people; [Measure] makes a table of them
}

// Effect is one coefficient on the three versions of the data.
type Effect struct {
	Outcome    string
	Population *estimate.Coefficient // nil where it was not estimated
	Fragment   estimate.Coefficient
	Release    estimate.Coefficient // dropped, with a reason, where the release cannot give it
	Share      float64              // of the fragment's weighted staff in this band, 1 for all
	// Predicted is the coefficient on the fragment's expectation under the
	// swap law, nil where the law does not apply.
	Predicted *estimate.Coefficient
}

// Validate names the field that is wrong and what to write instead.
func (in Input) Validate() error {
	switch {
	case in.Release == nil || in.Fragment == nil:
		return fmt.Errorf("fidelity: want a release and its unscrambled fragment")
	case in.MostCells < 0:
		return fmt.Errorf("fidelity: most cells is %d, want at least 1, or 0 for %d", in.MostCells, mostCellRows)
	case in.Draws < 0 || in.Draws == 1:
		return fmt.Errorf("fidelity: draws is %d, want at least 2, or 0 for %d", in.Draws, defaultDraws)
	case !(in.Level >= 0 && in.Level < 1):
		return fmt.Errorf("fidelity: level is %v, want a share in [0, 1); 0 means 0.95", in.Level)
	case in.Swap != nil && !(in.Swap.Rate >= 0 && in.Swap.Rate <= 1):
		return fmt.Errorf("fidelity: rate of the swap law is %v, want a share in [0, 1]", in.Swap.Rate)
	}
	if len(in.Null) == 1 {
		return fmt.Errorf("fidelity: null has one copy, want at least 2 to know the spread between keys, or none")
	}
	for _, n := range in.Only {
		if !slices.Contains(Measures(), n) {
			return fmt.Errorf("fidelity: only names %q: want some of %q", n, Measures())
		}
	}
	return nil
}

// Measures names the families of measures, in the order in which they run.
func Measures() []string {
	var names []string
	for _, m := range measures() {
		names = append(names, m.name)
	}
	return names
}

const defaultDraws = 20

// Measure runs every measure of the visible list, in its order. Every name of
// the list is in the result, with a reason where there is no number; those that
// compare with a whole selection are left out where there is none.
//
// It refuses tables that cannot be compared: other codebooks, cells without a
// row among the employers, units that the fragment does not know.
func Measure(ctx context.Context, in Input) (*Result, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	s, err := newSetting(withDefaults(in))
	if err != nil {
		return nil, fmt.Errorf("fidelity: %w", err)
	}
	var out *Result
	if len(s.fragment.cells.unit) > s.MostCells {
		out, err = s.measureLarge(ctx)
	} else {
		out, err = s.run(ctx, in.Only)
	}
	if err != nil {
		return nil, err
	}
	if len(out.words) > 0 {
		out.Tables = append([]metric.Table{wordsTable(out.words)}, out.Tables...)
	}
	return out, nil
}

// run runs some measures, nil for all.
func (s *setting) run(ctx context.Context, only []string) (*Result, error) {
	out := &Result{}
	for _, m := range measures() {
		if only != nil && !slices.Contains(only, m.name) {
			continue
		}
		r, err := m.run(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("fidelity: %s: %w", m.name, err)
		}
		out.Metrics = append(out.Metrics, r.Metrics...)
		out.Tables = append(out.Tables, r.Tables...)
		out.Effects = append(out.Effects, r.Effects...)
		out.words = append(out.words, r.words...)
	}
	return out, nil
}

func withDefaults(in Input) Input {
	if in.Draws == 0 {
		in.Draws = defaultDraws
	}
	if in.Level == 0 {
		in.Level = 0.95
	}
	if in.MostCells == 0 {
		in.MostCells = mostCellRows
	}
	return in
}

// setting is the input made ready: the three versions as vectors, and the
// resamples of the fragment's employers, which all measures share.
type setting struct {
	Input
	release, fragment, population *view
	levels, fields                *frame.Dict // without labels where the data lack the column
	draws                         [][]float64 // multiplicity of each unit, per resample
	large                         bool        // some resamples are taken of a part of the employers
	units, populationUnits        int         // of fragment and release, and of the whole selection (0 where there is none)
}

func newSetting(in Input) (*setting, error) {
	s := &setting{Input: in, levels: codebook(in.Fragment.Cells, linked.Level), fields: codebook(in.Fragment.Cells, linked.Field)}
	if err := comparable(in.Fragment, in.Release, "release", linked.Employer); err != nil {
		return nil, err
	}
	units, err := newUnits(in.Fragment)
	if err != nil {
		return nil, fmt.Errorf("fragment: %w", err)
	}
	if s.fragment, err = newView(in.Fragment, units); err != nil {
		return nil, fmt.Errorf("fragment: %w", err)
	}
	if s.release, err = newView(in.Release, units); err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	if in.Population != nil {
		if err := comparable(in.Fragment, in.Population, "population", ""); err != nil {
			return nil, err
		}
		all, err := newUnits(in.Population)
		if err != nil {
			return nil, fmt.Errorf("population: %w", err)
		}
		if s.population, err = newView(in.Population, all); err != nil {
			return nil, fmt.Errorf("population: %w", err)
		}
		s.populationUnits = all.n
	}
	if s.Bands == nil {
		s.Bands = thirds(s.fragment, s.levels)
	}
	if err := validateBands(s.Bands, s.levels); err != nil {
		return nil, err
	}
	s.units, s.draws = units.n, resamples(in.Key, units.n, in.Draws)
	return s, nil
}

// comparable refuses two versions whose codes do not mean the same.
func comparable(fragment, other *publish.Tables, name, employer string) error {
	for _, pair := range [][2]*frame.Frame{{fragment.Cells, other.Cells}, {fragment.Employers, other.Employers}} {
		for _, column := range []string{employer, linked.Level, linked.Field, publish.WageClass, publish.FTEClass, publish.AgeClass, linked.Group} {
			a, inA := pair[0].Lookup(column)
			b, inB := pair[1].Lookup(column)
			cell := column == linked.Level || column == linked.Field
			if inA != inB && (cell || column == employer) {
				return fmt.Errorf("only one of fragment and %s has a column %q: publish both in one layout", name, column)
			}
			if inA && inB && !sameCodebook(a, b) {
				return fmt.Errorf("fragment and %s have different codebooks of %q: publish both with the same classes", name, column)
			}
		}
	}
	return nil
}

func sameCodebook(a, b frame.Column) bool {
	return a.Coded() == b.Coded() && (a.Dict == b.Dict || slices.Equal(a.Dict.Labels(), b.Dict.Labels()))
}

// codebook is the codebook of a coded column, an empty one where there is no
// such column.
func codebook(f *frame.Frame, name string) *frame.Dict {
	if c, ok := f.Lookup(name); ok && c.Coded() {
		return c.Dict
	}
	return frame.MustDict()
}
