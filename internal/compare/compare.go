// Package compare sets two reports side by side and says which numbers got
// better or worse beyond what their intervals leave open.
//
// The interval of a difference is that of Zou and Donner (2008): from the bounds
// of the two, taken as independent. Two reports on the same population share
// part of their error, so that the interval is then too wide, never too narrow:
// "same" means not told apart. Bounds are widened so that the chance of any
// false "better" or "worse" in the whole comparison is at most one less the
// level (Bonferroni).
package compare

import (
	"fmt"
	"math"

	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
)

// Verdicts on a number, from the old report to the new one.
const (
	Better  = "better"
	Worse   = "worse"
	Changed = "changed" // beyond noise, of a number that is neither good nor bad
	Same    = "same"    // not told apart
	Unknown = "unknown" // one of the two is missing, or has no interval
)

// Options say what is compared. The zero value compares the top rows at 95 %.
type Options struct {
	Groups bool    // rows of subgroups as well
	Level  float64 // of the whole comparison, in (0, 1); 0 means 0.95
}

// Validate names the first option that cannot be.
func (o Options) Validate() error {
	if !(o.Level >= 0 && o.Level < 1) {
		return fmt.Errorf("compare: level is %v, want a number in (0, 1), such as 0.95", o.Level)
	}
	return nil
}

// Change is one number in both reports.
type Change struct {
	Metric  string           `json:"metric"`
	Group   string           `json:"group,omitempty"`
	Unit    string           `json:"unit,omitempty"`
	Better  metric.Direction `json:"better_when"`
	Old     metric.Number    `json:"old"`
	New     metric.Number    `json:"new"`
	Low     metric.Number    `json:"low"`  // of new less old
	High    metric.Number    `json:"high"` // of new less old
	Verdict string           `json:"verdict"`
	// Reason says why there is no verdict, or that the two rest on files or on
	// numbers of attempts of different size.
	Reason string `json:"reason,omitempty"`
}

// GateChange is a gate whose verdict differs; a side that had no such gate is
// empty.
type GateChange struct {
	Metric string `json:"metric"`
	Group  string `json:"group,omitempty"`
	Old    string `json:"old"`
	New    string `json:"new"`
}

// Comparison is two reports side by side.
type Comparison struct {
	Level    float64      `json:"level"`
	Changes  []Change     `json:"changes"` // in the order of the new report
	Gates    []GateChange `json:"gates"`   // those that differ
	OnlyOld  []string     `json:"only_old"`
	OnlyNew  []string     `json:"only_new"`
	Warnings []string     `json:"warnings"` // what makes the two hard to compare
}

// Count returns how many numbers got that verdict.
func (c *Comparison) Count(verdict string) int {
	n := 0
	for _, x := range c.Changes {
		if x.Verdict == verdict {
			n++
		}
	}
	return n
}

// Reports compares a new report with an old one.
func Reports(old, now *metric.Report, o Options) (*Comparison, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c := &Comparison{Level: o.Level, Changes: []Change{}, Gates: []GateChange{}, OnlyOld: []string{}, OnlyNew: []string{}, Warnings: differences(old, now)}
	if c.Level == 0 {
		c.Level = .95
	}
	rows := paired(old, now, o.Groups, c)
	tests := 0
	for _, p := range rows {
		if p.judged() {
			tests++
		}
	}
	wide := infer.Quantile(1 - (1-c.Level)/float64(max(1, tests)))
	for _, p := range rows {
		c.Changes = append(c.Changes, p.change(wide))
	}
	c.Gates = append(c.Gates, gateChanges(old.Gates, now.Gates)...)
	return c, nil
}

// pair is a row of both reports.
type pair struct {
	m        metric.Metric
	old, now metric.Row
}

// paired lists the rows that both reports have, and names metrics that one lacks.
func paired(old, now *metric.Report, groups bool, c *Comparison) []pair {
	var out []pair
	for _, m := range now.Metrics {
		before, ok := old.Metric(m.Name)
		if !ok {
			c.OnlyNew = append(c.OnlyNew, m.Name)
			continue
		}
		out = append(out, pair{m, before.Row, m.Row})
		if !groups {
			continue
		}
		for _, row := range m.By {
			if was, ok := before.RowOf(row.Group); ok && row.Group != "" {
				out = append(out, pair{m, was, row})
			}
		}
	}
	for _, m := range old.Metrics {
		if _, ok := now.Metric(m.Name); !ok {
			c.OnlyOld = append(c.OnlyOld, m.Name)
		}
	}
	return out
}

func bounded(r metric.Row) bool {
	return r.Value.Valid() && r.Low.Valid() && r.High.Valid() && r.Level > 0
}

// judged says that the pair needs a test: both have intervals, and they are not
// both known without error.
func (p pair) judged() bool {
	return bounded(p.old) && bounded(p.now) && !(exact(p.old) && exact(p.now))
}

func exact(r metric.Row) bool { return r.Level == 1 || r.Low == r.High }

// half returns how far the bounds lie below and above the value at the width of
// a normal quantile.
func half(r metric.Row, wide float64) (below, above float64) {
	if exact(r) {
		return 0, 0
	}
	factor := wide / infer.Quantile(float64(r.Level))
	return float64(r.Value-r.Low) * factor, float64(r.High-r.Value) * factor
}

func (p pair) change(wide float64) Change {
	c := Change{
		Metric: p.m.Name, Group: p.now.Group, Unit: p.m.Unit, Better: p.m.Better, Old: p.old.Value, New: p.now.Value,
		Low: metric.None, High: metric.None, Verdict: Unknown,
	}
	switch {
	case !p.old.Value.Valid() && !p.now.Value.Valid():
		c.Reason = "measured in neither: " + p.now.Reason
		return c
	case !p.old.Value.Valid():
		c.Reason = "not measured in the old report: " + p.old.Reason
		return c
	case !p.now.Value.Valid():
		c.Reason = "not measured in the new report: " + p.now.Reason
		return c
	case !bounded(p.old) || !bounded(p.now):
		c.Reason = "no interval, so that noise cannot be told from change"
		return c
	}
	oldBelow, oldAbove := half(p.old, wide)
	newBelow, newAbove := half(p.now, wide)
	d := float64(p.now.Value - p.old.Value)
	low, high := d-math.Hypot(newBelow, oldAbove), d+math.Hypot(newAbove, oldBelow)
	c.Low, c.High = metric.Number(low), metric.Number(high)
	switch {
	case low <= 0 && high >= 0:
		c.Verdict = Same
	case p.m.Better != metric.Lower && p.m.Better != metric.Higher:
		c.Verdict = Changed
	case (high < 0) == (p.m.Better == metric.Lower):
		c.Verdict = Better
	default:
		c.Verdict = Worse
	}
	switch {
	case apart(p.old.M, p.now.M):
		c.Reason = fmt.Sprintf("%d in %d, was %d in %d", p.now.N, p.now.M, p.old.N, p.old.M)
	case apart(p.old.N, p.now.N):
		c.Reason = fmt.Sprintf("n %d, was %d", p.now.N, p.old.N)
	}
	return c
}

// apart says that two sizes differ by more than a tenth.
func apart(a, b int64) bool { return 10*max(a-b, b-a) > max(a, b) }

// differences names what makes two reports hard to compare.
func differences(old, now *metric.Report) []string {
	out := []string{}
	if old.Tool != now.Tool {
		out = append(out, fmt.Sprintf("measured by different versions: %s and %s", old.Tool, now.Tool))
	}
	if old.Simulation != now.Simulation {
		out = append(out, "one of the two is a simulation")
	}
	if old.DataDigest != "" && now.DataDigest != "" && old.DataDigest != now.DataDigest {
		out = append(out, "the data differ, not only the plan")
	}
	for _, k := range []string{"population employers", "selection", "records", "years"} {
		if a, b := old.N[k], now.N[k]; a != 0 && b != 0 && apart(a, b) {
			out = append(out, fmt.Sprintf("%s: %d before, %d now; risks of files of different size are not the same question", k, a, b))
		}
	}
	return out
}

func gateChanges(old, now []metric.Gate) []GateChange {
	type key struct{ metric, group, bound string }
	before := map[key]string{}
	for _, g := range old {
		before[key{g.Metric, g.Group, g.Bound}] = g.Verdict
	}
	var out []GateChange
	seen := map[key]bool{}
	for _, g := range now {
		k := key{g.Metric, g.Group, g.Bound}
		seen[k] = true
		if before[k] != g.Verdict {
			out = append(out, GateChange{g.Metric, g.Group, before[k], g.Verdict})
		}
	}
	for _, g := range old {
		if k := (key{g.Metric, g.Group, g.Bound}); !seen[k] {
			seen[k] = true
			out = append(out, GateChange{g.Metric, g.Group, g.Verdict, ""})
		}
	}
	return out
}
