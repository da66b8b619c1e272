// Package policy judges a report: every gate compares the bound of an interval,
// never the bare value, with a limit whose origin it names. A number that is
// missing fails its gate unless the policy says otherwise, and a skipped gate
// is shown as skipped.
package policy

import (
	"fmt"
	"math"
	"strings"

	"github.com/goccy/go-yaml"

	"scramblelab/internal/metric"
)

// Policy is a list of gates.
type Policy struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"`
	Gates []Gate `yaml:"gates"`
}

// Gate limits one metric, or one group of it. Exactly one of Max and Min is
// given.
type Gate struct {
	Metric    string   `yaml:"metric"`
	Group     string   `yaml:"group"`
	Max       *float64 `yaml:"max"`
	Min       *float64 `yaml:"min"`
	At        string   `yaml:"at"`         // upper (default for max), lower (default for min) or value
	IfMissing string   `yaml:"if_missing"` // fail (default) or skip
	Why       string   `yaml:"why"`        // where the limit comes from
	Remedy    string   `yaml:"remedy"`     // what to change in the plan when it fails
}

// Which number of a row a gate judges.
const (
	AtUpper = "upper"
	AtLower = "lower"
	AtValue = "value"
)

// Parse reads a policy. Unknown keys are errors with line and column; name is
// the file's name in messages.
func Parse(name string, b []byte) (Policy, error) {
	var p Policy
	if err := yaml.UnmarshalWithOptions(b, &p, yaml.Strict()); err != nil {
		return Policy{}, fmt.Errorf("%s:%s", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	for i := range p.Gates {
		if err := p.Gates[i].complete(); err != nil {
			return Policy{}, fmt.Errorf("%s: gate %d: %w", name, i+1, err)
		}
	}
	if len(p.Gates) == 0 {
		return Policy{}, fmt.Errorf("%s: no gates: want at least one under \"gates:\", such as {metric: attack.employer.assignment.outsider.top1, max: 0.05}", name)
	}
	return p, nil
}

func (g *Gate) complete() error {
	switch {
	case g.Metric == "":
		return fmt.Errorf("no metric: name one as it stands in report.json")
	case (g.Max == nil) == (g.Min == nil):
		return fmt.Errorf("%s: want exactly one of max and min", g.Metric)
	}
	if l := g.limit(); math.IsNaN(l) || math.IsInf(l, 0) {
		return fmt.Errorf("%s: limit is %v, want a finite number", g.Metric, l)
	}
	if g.At == "" {
		g.At = AtUpper
		if g.Min != nil {
			g.At = AtLower
		}
	}
	if g.At != AtUpper && g.At != AtLower && g.At != AtValue {
		return fmt.Errorf("%s: at is %q, want upper, lower or value", g.Metric, g.At)
	}
	if g.IfMissing == "" {
		g.IfMissing = metric.Fail
	}
	if g.IfMissing != metric.Fail && g.IfMissing != metric.Skip {
		return fmt.Errorf("%s: if_missing is %q, want fail or skip", g.Metric, g.IfMissing)
	}
	return nil
}

func (g Gate) limit() float64 {
	if g.Max != nil {
		return *g.Max
	}
	return *g.Min
}

// Judge applies every gate to a report, in the policy's order.
func Judge(p Policy, r *metric.Report) []metric.Gate {
	out := make([]metric.Gate, len(p.Gates))
	for i, g := range p.Gates {
		out[i] = g.judge(r)
	}
	return out
}

func (g Gate) judge(r *metric.Report) metric.Gate {
	v := metric.Gate{
		Metric: g.Metric, Group: g.Group, At: g.At, Bound: "max", Limit: metric.Number(g.limit()),
		Got: metric.None, Margin: metric.None, Why: g.Why, Remedy: g.Remedy,
	}
	if g.Min != nil {
		v.Bound = "min"
	}
	missing := func(why string) metric.Gate {
		v.Verdict, v.Why = g.IfMissing, why
		return v
	}
	m, ok := r.Metric(g.Metric)
	if !ok {
		return missing("the report has no such metric")
	}
	row, ok := m.RowOf(g.Group)
	if !ok {
		return missing(fmt.Sprintf("the metric has no group %q", g.Group))
	}
	v.Got = map[string]metric.Number{AtUpper: row.High, AtLower: row.Low, AtValue: row.Value}[g.At]
	if !v.Got.Valid() {
		return missing(row.Reason)
	}
	if g.Max != nil {
		v.Margin = v.Limit - v.Got
	} else {
		v.Margin = v.Got - v.Limit
	}
	v.Verdict = metric.Pass
	if v.Margin < 0 {
		v.Verdict = metric.Fail
	}
	return v
}
