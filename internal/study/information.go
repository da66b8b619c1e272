package study

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"scramblelab/internal/attack"
	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
	"scramblelab/internal/policy"
)

// informationSample is the number of serials on which it is measured what each
// feature tells: every candidate is compared in full.
const informationSample = 40

// explain says which features identify employers, for the intruder whose gate
// binds, or who gets furthest where no gate judges one.
func (s *scrambled) explain(ctx context.Context, held attack.Release, risk []metric.Metric, pol policy.Policy) ([]metric.Metric, error) {
	name := binding(risk, pol)
	if name == "" || s.cabinet == nil {
		return nil, nil
	}
	a, err := attack.Find(name)
	if err != nil {
		return nil, err
	}
	info, err := s.cabinet.Information(ctx, held, a, attack.Options{Years: s.attackedYears(), Sample: informationSample})
	if err != nil || len(info.Features) == 0 {
		return nil, err
	}
	return []metric.Metric{informationMetric(info)}, nil
}

// binding is the adversary with accounts whose success stands furthest over its
// limit, or is largest where no gate limits any.
func binding(risk []metric.Metric, pol policy.Policy) string {
	best, share := "", -1.0
	strongest, success := "", -1.0
	for _, m := range risk {
		p := strings.Split(m.Name, ".")
		if len(p) != 5 || p[0] != "attack" || p[1] != "employer" || p[2] != attack.Assignment || p[4] != "top1" || !m.Value.Valid() {
			continue
		}
		if float64(m.Value) > success {
			strongest, success = p[3], float64(m.Value)
		}
		for _, g := range pol.Gates {
			if g.Max == nil || *g.Max <= 0 || !policy.Match(g.Metric, m.Name) {
				continue
			}
			for _, row := range append([]metric.Row{m.Row}, m.By...) {
				if v := float64(row.High) / *g.Max; (g.Group == "") == (row.Group == "") && policy.Match(g.Group, row.Group) && v > share { // not where High is missing
					best, share = p[3], v
				}
			}
		}
	}
	if best == "" {
		return strongest
	}
	return best
}

func informationMetric(info *attack.Information) metric.Metric {
	row := func(group string, b attack.Bits, baseline metric.Number) metric.Row {
		half := infer.Quantile(.95) * b.Error
		return metric.Row{
			Group: group, Value: metric.Number(b.Mean), Low: metric.Number(b.Mean - half), High: metric.Number(b.Mean + half),
			Level: .95, N: int64(info.N), M: int64(info.M), Baseline: baseline,
		}
	}
	m := metric.Metric{
		Name: fmt.Sprintf("attack.employer.information.%s.bits", info.Adversary.Name), Better: metric.Lower, Unit: "bits", Knowledge: info.Knowledge, Row: row("", info.Total, 0),
		Method: fmt.Sprintf("Mutual information of employer and released features, as an intruder sees it who knows %s: log2 of the %d candidates less the mean entropy of the posterior over %d serials. "+
			"Rows feature=: what each adds to those before it, most telling first (chain rule), which add up to the whole; alone=: by itself; without=: all others together. Lower is safer.",
			info.Adversary.Knows, info.M, info.N),
	}
	telling := slices.DeleteFunc(slices.Clone(info.Features), func(f attack.FeatureInformation) bool { // the file lacks it
		return f.Alone == attack.Bits{} && f.Gain == attack.Bits{}
	})
	for _, f := range telling {
		m.By = append(m.By, row("feature="+f.Feature, f.Gain, metric.None))
	}
	for _, f := range telling {
		m.By = append(m.By, row("alone="+f.Feature, f.Alone, metric.None), row("without="+f.Feature, f.Without, metric.None))
	}
	return m
}
