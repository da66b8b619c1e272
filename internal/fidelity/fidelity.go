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

	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
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
	Swap  *SwapLaw
	Key   rng.Sim // of the resamples
	Draws int     // resamples; 0 takes 20
	Level float64 // of intervals; 0 takes 0.95
}

// SwapLaw describes a random swap of education levels across employers: in
// expectation it replaces an employer's staff n of a level by
// (1-s) n + s q N, where s is the share touched, N the employer's head count
// and q the level's share in the stratum (METHODS 3.1, laws 1 and 3).
type SwapLaw struct {
	Rate   float64  // share of jobs touched, in [0, 1]
	Strata []string // firm columns on which partners agree: year, group, event_year
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
}

// Effect is one coefficient on the three versions of the data.
type Effect struct {
	Outcome    string
	Population *estimate.Coefficient // nil where it was not estimated
	Fragment   estimate.Coefficient
	Release    estimate.Coefficient
	Share      float64 // of the pool's staff in this band, 1 for all
	// Predicted is the coefficient on the fragment's expectation under the
	// swap law, nil where the law does not apply.
	Predicted *estimate.Coefficient
}

// Measure runs every measure of the visible list, in its order.
func Measure(ctx context.Context, in Input) (*Result, error) {
	if in.Release == nil || in.Fragment == nil {
		return nil, fmt.Errorf("fidelity: want a release and its unscrambled fragment")
	}
	if in.Draws == 0 {
		in.Draws = 20
	}
	if in.Level == 0 {
		in.Level = 0.95
	}
	s, err := newSetting(in)
	if err != nil {
		return nil, err
	}
	parts, err := par.Map(ctx, len(measures), func(i int) (Result, error) {
		r, err := measures[i].run(ctx, s)
		if err != nil {
			return Result{}, fmt.Errorf("fidelity: %s: %w", measures[i].name, err)
		}
		return r, nil
	})
	if err != nil {
		return nil, err
	}
	out := &Result{}
	for _, p := range parts {
		out.Metrics = append(out.Metrics, p.Metrics...)
		out.Tables = append(out.Tables, p.Tables...)
		out.Effects = append(out.Effects, p.Effects...)
	}
	return out, nil
}

// setting is the input made ready: the three versions as vectors, and the
// resamples of the fragment's employers, which all measures share.
type setting struct {
	Input
	release, fragment, population *view
	levels                        *frame.Dict
	draws                         [][]float64 // multiplicity of each unit, per resample
}

func newSetting(in Input) (*setting, error) {
	s := &setting{Input: in}
	units := newUnits(in.Fragment)
	var err error
	if s.fragment, err = newView(in.Fragment, units); err != nil {
		return nil, fmt.Errorf("fidelity: fragment: %w", err)
	}
	if s.release, err = newView(in.Release, units); err != nil {
		return nil, fmt.Errorf("fidelity: release: %w", err)
	}
	if in.Population != nil {
		if s.population, err = newView(in.Population, newUnits(in.Population)); err != nil {
			return nil, fmt.Errorf("fidelity: population: %w", err)
		}
	}
	s.levels = in.Fragment.Cells.Col("level").Dict
	if s.Bands == nil {
		s.Bands = thirds(s.fragment, s.levels)
	}
	s.draws = resamples(in.Key, units.n, in.Draws)
	return s, nil
}
