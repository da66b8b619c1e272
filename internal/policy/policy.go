// Package policy judges a report: every gate compares the bound of an interval,
// never the bare value, with a limit whose origin it names. A number that is
// missing fails its gate unless the policy says otherwise, and a skipped gate
// is shown as skipped.
package policy

import (
	"fmt"
	"math"
	"strings"

	"scramblelab/internal/metric"
	"scramblelab/internal/strictyaml"
)

// Policy is a list of gates.
type Policy struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"`
	Gates []Gate `yaml:"gates"`
}

// Gate limits one metric, or one group of it. Exactly one of Max and Min is
// given. Metric and Group may hold *, for any run of characters
// (attack.employer.assignment.*.top1, size *): then the worst of all that are
// meant is judged.
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

// Parse reads a policy; name stands before the positions in errors. The error
// is a [*strictyaml.Error] that holds everything that is wrong.
func Parse(name string, b []byte) (Policy, error) {
	d, err := strictyaml.Parse(name, "policy", b)
	if err != nil {
		return Policy{}, err
	}
	var p Policy
	d.Decode(&p)
	if len(d.Bad) == 0 && len(p.Gates) == 0 {
		d.Fail("", "no gates: want at least one under gates:, such as {metric: attack.employer.assignment.outsider.top1, max: 0.05}")
	}
	if len(d.Bad) == 0 {
		for i := range p.Gates {
			if why := p.Gates[i].complete(); why != "" {
				d.Fail(fmt.Sprintf("gates[%d]", i), "%s", why)
			}
		}
	}
	return p, d.Err(name)
}

// complete fills in the defaults of a gate, or says what is wrong with it.
func (g *Gate) complete() (why string) {
	switch {
	case g.Metric == "":
		return "a gate has no metric: name one as it stands in report.json"
	case (g.Max == nil) == (g.Min == nil):
		return g.Metric + ": want exactly one of max and min"
	}
	if l := g.Bound(); math.IsNaN(l) || math.IsInf(l, 0) {
		return fmt.Sprintf("%s: limit is %v, want a finite number", g.Metric, l)
	}
	if g.At == "" {
		g.At = AtUpper
		if g.Min != nil {
			g.At = AtLower
		}
	}
	if g.At != AtUpper && g.At != AtLower && g.At != AtValue {
		return fmt.Sprintf("%s: at is %q, want upper, lower or value", g.Metric, g.At)
	}
	if g.IfMissing == "" {
		g.IfMissing = metric.Fail
	}
	if g.IfMissing != metric.Fail && g.IfMissing != metric.Skip {
		return fmt.Sprintf("%s: if_missing is %q, want fail or skip", g.Metric, g.IfMissing)
	}
	return ""
}

// Bound is the limit, whichever side it is on.
func (g Gate) Bound() float64 {
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
	if !strings.Contains(g.Metric+g.Group, "*") {
		return g.judgeOne(r)
	}
	var worst metric.Gate
	n := 0
	for _, m := range r.Metrics {
		if !Match(g.Metric, m.Name) {
			continue
		}
		for _, row := range append([]metric.Row{m.Row}, m.By...) {
			if (g.Group == "") != (row.Group == "") || !Match(g.Group, row.Group) {
				continue
			}
			one := g
			one.Metric, one.Group = m.Name, row.Group
			if v := one.judgeOne(r); n == 0 || worse(v, worst) {
				worst = v
			}
			n++
		}
	}
	worst.Pattern = strings.TrimSpace(g.Metric + " " + g.Group)
	if n == 0 {
		worst = g.judgeOne(r)
		worst.Why = "the report has nothing of that name"
	}
	return worst
}

// worse says that a verdict comes before another as that of a pattern: a failure
// before a pass before what was skipped, and among these the lesser margin.
func worse(a, b metric.Gate) bool {
	rank := map[string]int{metric.Fail: 0, metric.Pass: 1, metric.Skip: 2}
	switch {
	case a.Verdict != b.Verdict:
		return rank[a.Verdict] < rank[b.Verdict]
	case a.Margin.Valid() != b.Margin.Valid():
		return !a.Margin.Valid()
	}
	return a.Margin < b.Margin
}

func (g Gate) judgeOne(r *metric.Report) metric.Gate {
	v := metric.Gate{
		Metric: g.Metric, Group: g.Group, At: g.At, Bound: "max", Limit: metric.Number(g.Bound()),
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
