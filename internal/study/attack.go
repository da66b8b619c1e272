package study

import (
	"context"

	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
)

func (s *scrambled) attack(ctx context.Context, rel *release.Release, serials *release.SerialMap, key rng.Sim) (measured, error) {
	return measured{}, nil
}

func Attack(ctx context.Context, p plan.Plan, at Opened, o Options) (*metric.Report, error) { return nil, nil }
