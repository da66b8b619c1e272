package population

import (
	"context"

	"scramblelab/internal/frame"
	"scramblelab/internal/progress"
)

// HeadCounts is a population without its workers: head counts of all employers
// under three potential outcomes, and what is published of the employers. It is
// what a study of head counts over many populations needs, for a thousandth of
// the work; its numbers are those of [Generate] with the same options.
type HeadCounts struct {
	Options Options
	// By employer-year, present at that year-end, sorted by employer and year.
	Employer []int32 // index of the employer
	Year     []int32
	Staff    []int32 // as generated
	OwnOnly  []int32 // were events to act on the employer that automates alone
	Without  []int32 // were there no events
	// By employer.
	Event       []int32 // planted year, frame.NoInt for none
	ExposedFrom []int32 // first year in which an event of another employer acts on it, frame.NoInt for none
	Sector      []int32 // code of the sector
	Truth       Truth
}

// DrawHeadCounts draws the employers of a population. It is the same population
// as that of [Generate], without workers, jobs and accounts.
func DrawHeadCounts(ctx context.Context, o Options) (*HeadCounts, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s, err := drawSkeleton(ctx, o.Normal())
	if err != nil {
		return nil, err
	}
	truth, err := s.truth(ctx)
	if err != nil {
		return nil, err
	}
	h := &HeadCounts{Options: s.o, Truth: truth}
	for id := range s.employers {
		e := &s.employers[id]
		h.Event, h.ExposedFrom = append(h.Event, yearOrNone(e.event)), append(h.ExposedFrom, yearOrNone(s.exposedFrom[id]))
		h.Sector = append(h.Sector, int32(e.sector))
		for y := max(int(e.first), s.o.From); y <= int(e.last); y++ {
			h.Employer, h.Year, h.Staff = append(h.Employer, int32(id)), append(h.Year, int32(y)), append(h.Staff, int32(e.count(y)))
			h.OwnOnly = append(h.OwnOnly, s.headsUnder(int32(id), y, ownOnly))
			h.Without = append(h.Without, s.headsUnder(int32(id), y, untreated))
		}
	}
	return h, nil
}

// drawSkeleton draws all that comes before the workers.
func drawSkeleton(ctx context.Context, o Options) (*skeleton, error) {
	return drawOutcome(ctx, o, factual, nil)
}

// drawOutcome draws all that comes before the workers under one potential
// outcome. tell may be nil.
func drawOutcome(ctx context.Context, o Options, under outcome, tell progress.Func) (*skeleton, error) {
	const steps = 4
	tell.Step("employers", 0, steps)
	s := newSkeleton(o)
	s.outcome = under
	s.drawEmployers()
	tell.Step("employers", 1, steps)
	s.drawFirmEffects()
	s.drawEvents()
	tell.Step("employers", 2, steps)
	if err := s.drawNetwork(ctx); err != nil {
		return nil, err
	}
	tell.Step("employers", 3, steps)
	s.plantHeads()
	return s, nil
}

func yearOrNone(year int16) int32 {
	if year == 0 {
		return frame.NoInt
	}
	return int32(year)
}
