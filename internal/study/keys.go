package study

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/attack"
	"scramblelab/internal/fidelity"
	"scramblelab/internal/infer"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
)

// overKeys scrambles and draws the same data under n other keys, attacks each
// release as the headline does, and adds to every metric of employers the mean
// over keys and the standard deviation between them, in rows keys=N and
// keys=N-sd. Nothing of these releases is kept.
func overKeys(ctx context.Context, p plan.Plan, d *linked.Data, k keys, seed *uint64, n int, ms []metric.Metric) error {
	values := make([][]float64, len(ms))
	for r := range n {
		again, err := attackedUnder(ctx, p, d, otherKey(seed, r), k.sim)
		if err != nil {
			return fmt.Errorf("key %d of %d: %w", r+1, n, err)
		}
		for i, m := range ms {
			for _, x := range again {
				if x.Name == m.Name && x.Value.Valid() {
					values[i] = append(values[i], float64(x.Value))
				}
			}
		}
	}
	for i := range ms {
		if len(values[i]) > 0 {
			ms[i].By = append(ms[i].By, betweenKeys(n, values[i], ms[i].Row)...)
		}
	}
	return nil
}

// otherKey is the r-th of other keys for the same data.
func otherKey(seed *uint64, r int) rng.Secret {
	if seed == nil {
		return rng.NewSecret()
	}
	return rng.SecretFromSeed(rng.Mix(*seed, uint64(r)+1))
}

// distinguishedUnder scrambles and draws the same data under o.Keys other keys and
// tells each release from its own fragment. Nothing of these releases is kept.
func distinguishedUnder(ctx context.Context, p plan.Plan, d *linked.Data, k keys, o Options) ([]fidelity.Distinction, error) {
	var out []fidelity.Distinction
	for r := range o.Keys {
		o.Progress.Step("other keys", r, o.Keys)
		fail := func(err error) ([]fidelity.Distinction, error) {
			return nil, fmt.Errorf("key %d of %d: %w", r+1, o.Keys, err)
		}
		s, err := scramble(ctx, p, d, otherKey(o.Seed, r))
		if err != nil {
			return fail(err)
		}
		v, err := s.publish(ctx)
		if err != nil {
			return fail(err)
		}
		told, err := fidelity.Distinguish(ctx, v.input(s, k.sim))
		if err != nil {
			return fail(err)
		}
		out = append(out, told)
	}
	return out, nil
}

// attackedUnder returns the metrics of the attacks on employers of a release
// under another key.
func attackedUnder(ctx context.Context, p plan.Plan, d *linked.Data, secret rng.Secret, sim rng.Sim) ([]metric.Metric, error) {
	s, err := scramble(ctx, p, d, secret)
	if err != nil {
		return nil, err
	}
	v, err := s.publish(ctx)
	if err != nil {
		return nil, err
	}
	tables, serials, err := release.Serialise(v.release, secret, release.Delivery{Phase: release.PhaseOne, Number: 1}, s.perYear)
	if err != nil {
		return nil, err
	}
	held := attack.Release{Tables: tables, SerialPerYear: serials.PerYear, Periods: tables.Cells.Has(linked.Year), Method: s.method}
	found, err := s.fingerprints(ctx, held, sim, nil, nil)
	if err != nil {
		return nil, err
	}
	risk, err := s.scoreEmployers(ctx, found, s.truth(serials))
	return risk.metrics, err
}

// betweenKeys are the mean over keys with its t interval, and the standard
// deviation between keys.
func betweenKeys(n int, v []float64, of metric.Row) []metric.Row {
	mean, ss := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		ss += float64((x - mean) * (x - mean))
	}
	group := fmt.Sprintf("keys=%d", n)
	if len(v) < 2 {
		const why = "one key says nothing of the spread between keys"
		row := metric.Missing(group, why)
		row.Value, row.N, row.M, row.Baseline = metric.Number(mean), int64(len(v)), of.M, of.Baseline
		return []metric.Row{row, metric.Missing(group+"-sd", why)}
	}
	sd := math.Sqrt(ss / float64(len(v)-1))
	half := infer.TQuantile(float64(len(v)-1), 0.975) * sd / math.Sqrt(float64(len(v)))
	spread := metric.Exact(sd, int64(len(v)))
	spread.Group, spread.M = group+"-sd", of.M
	return []metric.Row{{
		Group: group, Value: metric.Number(mean), Low: metric.Number(max(0, mean-half)), High: metric.Number(mean + half), Level: 0.95,
		N: int64(len(v)), M: of.M, Baseline: of.Baseline,
	}, spread}
}
