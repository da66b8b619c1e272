package study

import (
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/draw"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/population"
	"scramblelab/internal/release"
)

// Tables writes the phase-two layout of a whole population: the same two tables
// as a release of phase one, of every employer of the selection, unscrambled
// and with exact counts. It writes a folder of the same shape and an escrow
// beside it. The plan gives classes and firm columns; its steps are not applied.
// It returns the number of employers and of cells.
func Tables(ctx context.Context, dir string, p plan.Plan, o Options) (employers, cells int, err error) {
	out, err := create(o, []string{dir}, release.AllNames())
	if err != nil {
		return 0, 0, err
	}
	defer out.Abort()
	p.Data = plan.Data{Population: dir}
	p.Scramble.Steps, p.Scramble.Keep = nil, nil
	p.Project.Purpose = "programs in the layout of phase two, on a generated population"
	p.Project.Recipient = "anybody: nobody in it exists"
	p.Release.FirmColumns = slices.DeleteFunc(slices.Clone(p.Release.FirmColumns), func(c string) bool { return c == linked.DesignWeight })
	o.Progress.Step("read", 0, 0)
	pop, err := population.Read(ctx, dir)
	if err != nil {
		return 0, 0, err
	}
	data, err := pop.Linked()
	if err != nil {
		return 0, 0, err
	}
	s := &scrambled{plan: p, data: data, permuted: data.Jobs, public: describe(p),
		sample: &draw.Sample{Unit: draw.UnitEmployer, Records: data.Employers(), Population: data.Employers()}}
	v, err := s.publishOriginals(ctx)
	if err != nil {
		return 0, 0, err
	}
	key := newKeys(o.Seed).secret
	s.delivery = release.Delivery{Phase: release.PhaseTwo, Recipient: p.Project.Recipient, Number: 1}
	tables, serials, err := release.Serialise(v.population, key, s.delivery, false)
	if err != nil {
		return 0, 0, fmt.Errorf("phase-two tables: %w", err)
	}
	return data.Employers(), tables.Cells.Rows(), s.writeAlone(ctx, out, tables, key, serials, o)
}
