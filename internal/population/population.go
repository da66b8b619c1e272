// Package population generates linked employer-worker data as a Belgian
// warehouse would hold them: legal-person employers with public annual
// accounts, their main buyers, and one row per worker, employer and year, with
// automation events whose effects are known because they were planted.
//
// It works in two steps. The skeleton holds all that crosses employers: size
// paths, births, exits, new numbers for the same firm, events, links, spells,
// and who fills which opening (a keyed shuffle per market and year). Then every
// employer is emitted by itself, in parallel, from streams addressed by worker
// and by worker and year. So the same seed gives the same tables whatever the
// number of threads, and a block of employers can be emitted anywhere.
//
// The figures behind it stand in a calibration file, each with its source and
// that source's status; Belgium's is built in. It
// claims no likeness beyond the figures that its tests check, and it declares
// no effect that was not planted.
package population

import (
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/calibration"
	"scramblelab/internal/frame"
	"scramblelab/internal/progress"
)

// Limits of [Options].
const (
	MinEmployers     = 50
	DefaultEmployers = 20000
)

// Worlds returns the names of planted worlds, the default first.
func Worlds() []string { return worldNames(calibration.Belgium()) }

// Options says which population to generate. The zero value of a field means
// its default; [Options.Normal] writes the defaults out.
type Options struct {
	Employers int    `json:"employers"` // present at year-end, mean over the years, at least 50; default 20000
	From      int    `json:"from"`      // first year of the window, by default the first of the figures
	To        int    `json:"to"`        // last year of the window, by default the last of the figures
	World     string `json:"world"`     // planted world, one of the figures', by default their first
	Suppliers string `json:"suppliers"` // main (default): links to main buyers or of main suppliers; full; none
	Seed      uint64 `json:"seed"`

	// Figures is the calibration; nil is that of Belgium.
	Figures *calibration.Figures `json:"-"`
}

// Normal returns the options with defaults in place of zero values.
func (o Options) Normal() Options {
	if o.Employers == 0 {
		o.Employers = DefaultEmployers
	}
	if o.Figures == nil {
		o.Figures = calibration.Belgium()
	}
	if o.From == 0 {
		o.From = o.Figures.Window.First
	}
	if o.To == 0 {
		o.To = o.Figures.Window.Last
	}
	if names := worldNames(o.Figures); o.World == "" && len(names) > 0 {
		o.World = names[0]
	}
	if o.Suppliers == "" {
		o.Suppliers = "main"
	}
	return o
}

// Validate names the first field that cannot be, and what it may be. Zero
// values are fine.
func (o Options) Validate() error {
	if o.Figures != nil && o.Figures != calibration.Belgium() {
		if err := o.Figures.Validate(); err != nil {
			return fmt.Errorf("population: %w", err)
		}
	}
	n := o.Normal()
	first, last := n.Figures.Window.First, n.Figures.Window.Last
	switch {
	case n.Employers < MinEmployers:
		return fmt.Errorf("population: employers is %d, want at least %d, below which size classes are empty", o.Employers, MinEmployers)
	case n.Employers > 1_000_000:
		return fmt.Errorf("population: employers is %d, want at most 1000000", o.Employers)
	case n.From < first || n.From > last:
		return fmt.Errorf("population: from is %d, want a year in %d..%d", o.From, first, last)
	case n.To < first || n.To > last:
		return fmt.Errorf("population: to is %d, want a year in %d..%d", o.To, first, last)
	case n.To < n.From:
		return fmt.Errorf("population: years %d to %d are reversed, exchange from and to", n.From, n.To)
	case !slices.Contains(worldNames(n.Figures), n.World):
		return fmt.Errorf("population: world is %q, want one of %q", o.World, worldNames(n.Figures))
	case n.Suppliers != "main" && n.Suppliers != "full" && n.Suppliers != "none":
		return fmt.Errorf("population: suppliers is %q, want main, full or none", o.Suppliers)
	}
	return nil
}

// Population is a generated population: the four tables of a population folder
// and what was planted into them. Rows are sorted by their identifiers.
type Population struct {
	Options Options
	// Employers has one row per employer ever present.
	Employers *frame.Frame
	// Accounts has one row per employer and year filed; what a schema does
	// not publish is missing.
	Accounts *frame.Frame
	// Suppliers has one row per supplier, customer and year; it is empty
	// without a network.
	Suppliers *frame.Frame
	// Jobs has one row per worker, employer and year.
	Jobs  *frame.Frame
	Truth Truth
}

// Generate draws a population. Equal options give equal tables. tell may be
// nil. It stops early, with the context's error, when ctx is done.
func Generate(ctx context.Context, o Options, tell progress.Func) (*Population, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s, err := drawAll(ctx, o.Normal(), tell)
	if err != nil {
		return nil, err
	}
	p := &Population{Options: s.o}
	if err := s.emit(ctx, p, tell); err != nil {
		return nil, err
	}
	if p.Suppliers, err = s.suppliersFrame(ctx); err != nil {
		return nil, err
	}
	p.Employers = s.employersFrame(deriveSides(len(s.employers), p.Accounts, p.Suppliers, s.c.Network.MainBuyer), 0, len(s.employers))
	if p.Truth, err = s.truth(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// drawAll draws the skeleton, workers included.
func drawAll(ctx context.Context, o Options, tell progress.Func) (*skeleton, error) {
	s, err := drawOutcome(ctx, o, factual, tell)
	if err != nil {
		return nil, err
	}
	return s, s.drawStaff(ctx, tell)
}
