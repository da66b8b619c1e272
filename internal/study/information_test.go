package study

import (
	"math"
	"strings"
	"testing"

	"scramblelab/internal/attack"
	"scramblelab/internal/metric"
	"scramblelab/internal/policy"
)

func TestBindingAdversary(t *testing.T) {
	limit := 0.1
	m := func(who string, value metric.Number) metric.Metric {
		return metric.Metric{Name: "attack.employer.assignment." + who + ".top1", Row: metric.Row{Value: value, Low: value, High: value}, By: []metric.Row{{Group: "size 1-4", Value: value, Low: value, High: value * 1.5}}}
	}
	risk := []metric.Metric{m("outsider", .2), m("competitor", .9), m("research-team", .15)}
	for _, c := range []struct {
		name, why, want string
		gates           []policy.Gate
	}{
		{"no gate", "the strongest speaks for all", "competitor", nil},
		{"gate on use", "it limits no intruder", "competitor", []policy.Gate{{Metric: "fidelity.did.overlap", Min: &limit}}},
		{"one gate", "what binds is what a plan has to change", "outsider", []policy.Gate{{Metric: risk[0].Name, Max: &limit}}},
		{"gate on a group", "a group binds before the whole", "research-team", []policy.Gate{{Metric: risk[0].Name, Max: &limit}, {Metric: risk[2].Name, Group: "size 1-4", Max: &limit}}},
		{"a pattern", "the policy limits whoever gets furthest", "competitor", []policy.Gate{{Metric: "attack.employer.assignment.*.top1", Max: &limit}}},
		{"a pattern of groups", "", "competitor", []policy.Gate{{Metric: "attack.employer.assignment.*.top1", Group: "size *", Max: &limit}, {Metric: risk[0].Name, Max: &limit}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := binding(risk, policy.Policy{Gates: c.gates}); got != c.want {
				t.Errorf("binding is %q, want %q: %s", got, c.want, c.why)
			}
		})
	}
	if got := binding(nil, policy.Policy{}); got != "" {
		t.Errorf("without an attack binding is %q", got)
	}
}

func TestInformationMetric(t *testing.T) {
	info := &attack.Information{
		Adversary: attack.Adversary{Name: "outsider", Knows: "accounts"}, Knowledge: metric.KnowsParameters, M: 1000, N: 50, Total: attack.Bits{Mean: 5, Error: 0.2},
		Features: []attack.FeatureInformation{
			{Feature: "head", Gain: attack.Bits{Mean: 5.1, Error: 0.3}, Alone: attack.Bits{Mean: 5.1}, Without: attack.Bits{Mean: 1}},
			{Feature: "age"}, // not in the file
			{Feature: "fte", Gain: attack.Bits{Mean: -0.1, Error: 0.01}, Alone: attack.Bits{Mean: 1}, Without: attack.Bits{Mean: 5.1}},
		},
	}
	m := informationMetric(info)
	if err := m.Validate(); err != nil {
		t.Fatal(err) // a feature may tell less than nothing to somebody whose model is wrong
	}
	var groups []string
	sum := 0.0
	for _, r := range m.By {
		groups = append(groups, r.Group)
		if strings.HasPrefix(r.Group, "feature=") {
			sum += float64(r.Value)
		}
	}
	if got := strings.Join(groups, " "); got != "feature=head feature=fte alone=head without=head alone=fte without=fte" {
		t.Errorf("groups are %s", got)
	}
	if math.Abs(sum-float64(m.Value)) > 1e-9 {
		t.Errorf("gains add up to %v, want %v", sum, m.Value)
	}
}
