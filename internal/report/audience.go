package report

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
)

// Audience is who may read a page (DESIGN 5).
type Audience string

// The audiences, from the one that may see everything. The zero value is
// [Internal].
const (
	Internal  Audience = "internal"  // everything; the page is confidential
	Recipient Audience = "recipient" // who gets the release
	Public    Audience = "public"    // anybody
)

var audiences = []Audience{Internal, Recipient, Public}

// ParseAudience reads the name of an audience.
func ParseAudience(s string) (Audience, error) {
	if slices.Contains(audiences, Audience(s)) {
		return Audience(s), nil
	}
	return "", fmt.Errorf("audience is %q, want internal, recipient or public", s)
}

// stricter is the audience of the two that may see less.
func (a Audience) stricter(b Audience) Audience {
	return audiences[max(slices.Index(audiences, a), slices.Index(audiences, b), 0)]
}

// Threshold is the least number of units that anything shown outside may tell
// apart: the ten of the guidelines for output checking (Bond, Brandt and de
// Wolf, DwB D11.8, 2015).
const Threshold = 10

// Others see no more than what this list allows; whatever a report holds
// besides, now or later, is left out. For each number they see the end of its
// interval that a gate would judge, rounded outward to a grid.
//
// No two numbers of the list are the same figure read from two sides, such as
// the share of right names and that of false ones: two roundings of a figure
// would close in on it. None weighs employers by their staff: a single large one
// would show.
var shownOutside = []allowed{
	{family: "attack", target: "employer", method: "assignment", measure: "top1", sizes: true},
	{family: "attack", target: "employer", method: "cv", measure: "top1"},
	{family: "attack", target: "worker", method: "cell-known-employer", measure: "wage-class", baseline: true},
	{family: "attack", target: "worker", method: "cell-known-coworkers", measure: "wage-class"},
	{family: "attack", target: "worker", method: "chain", measure: "excess"},
	{family: "attack", target: "membership", method: "fingerprint", measure: "auc"},
	{family: "fidelity", target: "structure", measure: "columns-same"},
	{family: "fidelity", target: "cells", measure: "share-exact"},
	{family: "fidelity", target: "margins", measure: "level-field-tv"},
	{family: "fidelity", target: "wages", measure: "level-field-error", unit: "log points"},
	{family: "fidelity", target: "regression", measure: "wage-overlap"},
	{family: "fidelity", target: "did", measure: "overlap"},
	{family: "fidelity", target: "program", measure: "overlap"},
}

// allowed is a number that others may see; attacks have it for every intruder
// that the page has words for.
type allowed struct {
	family, target, method, measure string
	unit                            string // "" for a share
	sizes                           bool   // also by size of employer, for the recipient
	baseline                        bool   // with what a guess without the release reaches
}

func (a allowed) is(name string) bool {
	if a.family == "attack" {
		n, ok := parseAttack(name)
		if n.target == "worker" && strings.HasPrefix(n.adversary, "cv-") {
			return false // a few workers of each of a few employers
		}
		return ok && n.target == a.target && n.method == a.method && n.measure == a.measure && knownIntruder(n.adversary)
	}
	return name == a.family+"."+a.target+"."+a.measure
}

func outside(name string) (allowed, bool) {
	for _, a := range shownOutside {
		if a.is(name) {
			return a, true
		}
	}
	return allowed{}, false
}

var (
	cvIntruder = regexp.MustCompile(`^cv-[1-9][0-9]?$`)
	sizeGroup  = regexp.MustCompile(`^size [0-9]{1,4}(-[0-9]{1,4}|\+)$`)
	toolName   = regexp.MustCompile(`^scramblelab (devel|v[0-9]+\.[0-9]+\.[0-9]+)$`)
	// What methodsOf leaves of a plan.
	methodsOnly = regexp.MustCompile(`^scramble:\n  steps:\n(    - \{method: (` + strings.Join(plan.Methods(), "|") + `)\}\n)+$`)
	digest      = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func knownIntruder(name string) bool {
	return slices.Contains([]string{"outsider", "competitor", "research-team", "source-holder", "head-count-only", "colleague", "neighbour"}, name) || cvIntruder.MatchString(name)
}

// Redacted is what an audience may see of a report: verdicts, and bounds of the
// numbers on a list. It holds no exact figure that was taken from the original,
// no group of which fewer than [Threshold] units could be told apart, no text
// that a run has written, no digest of the data and no seed.
//
// A bound is shown where each step of its grid holds at least twice [Threshold]
// of the units that it rests on, so that a bound fits ten successes or more,
// and so does what is left when shown groups are taken off their whole. Where
// a gate judges the number, its limit is a second rounding: a bound is shown
// only where the limit lies outside its step. A second gate on the same number
// is counted and not named.
//
// For [Internal] it is the report itself.
func Redacted(r *metric.Report, a Audience) *metric.Report {
	a = a.stricter(Audience(r.Audience))
	if a == Internal {
		return r
	}
	out := &metric.Report{
		Version: r.Version, Audience: string(a), Simulation: r.Simulation, N: map[string]int64{},
		Metrics: []metric.Metric{}, Gates: []metric.Gate{}, Warnings: []string{}, Plan: methodsOf(r.Plan),
	}
	if toolName.MatchString(r.Tool) {
		out.Tool = r.Tool
	}
	if a == Recipient && digest.MatchString(r.PlanDigest) { // it stands in his manifest
		out.PlanDigest = r.PlanDigest
	}
	for _, k := range []string{"records", "employers", "selection"} {
		if n := r.N[k]; n >= Threshold {
			out.N[k] = roundCount(n)
		}
	}
	if n := r.N["years"]; n > 0 && n < 100 {
		out.N["years"] = n // a fact of the purpose, not of the data
	}
	for _, m := range r.Metrics {
		if w, ok := outside(m.Name); ok {
			out.Metrics = append(out.Metrics, redactedMetric(r, m, w, a))
		}
	}
	judged := map[string]bool{}
	for _, g := range r.Gates {
		out.Gates = append(out.Gates, redactedGate(out, g, judged))
	}
	return out
}

// Why a number of a redacted report is not whole.
const (
	roundedReason = "rounded outward: the figure itself stays inside"
	gateReason    = "told by its gate"
	hiddenReason  = "not shown outside"
)

func redactedMetric(r *metric.Report, m metric.Metric, w allowed, a Audience) metric.Metric {
	out := metric.Metric{Name: m.Name, Better: m.Better, Unit: "share", Row: redactedRow(r, m, m.Row, w)}
	if w.unit != "" {
		out.Unit = w.unit
	}
	if slices.Contains([]string{metric.KnowsNothing, metric.KnowsMethod, metric.KnowsParameters}, m.Knowledge) {
		out.Knowledge = m.Knowledge
	}
	if !w.sizes || a != Recipient {
		return out
	}
	for _, b := range m.By {
		if !sizeGroup.MatchString(b.Group) || slices.ContainsFunc(out.By, func(o metric.Row) bool { return o.Group == b.Group }) {
			continue
		}
		if row := redactedRow(r, m, b, w); row.N > 0 {
			row.Group = b.Group
			out.By = append(out.By, row)
		}
	}
	return out
}

// redactedRow keeps the end of an interval that is bad, rounded outward. Workers
// and cells come in employers, so that no row rests on more units than there are
// records.
func redactedRow(r *metric.Report, m metric.Metric, row metric.Row, w allowed) metric.Row {
	out := metric.Missing("", hiddenReason)
	step := gridOf(min(row.N, r.N["records"]))
	bad := row.High
	if m.Better == metric.Higher {
		bad = row.Low
	}
	if step == 0 || !bad.Valid() || m.Better == metric.Neither {
		return out
	}
	out.N, out.M, out.Reason = roundCount(row.N), roundCount(row.M), roundedReason
	if row.M < Threshold {
		out.M = 0
	}
	out.Level = 0.95
	if w.baseline && row.Baseline.Valid() {
		out.Baseline = metric.Number(outward(float64(row.Baseline), step, true))
	}
	bound := outward(float64(bad), step, m.Better == metric.Lower)
	end := "upper"
	if m.Better == metric.Higher {
		end = "lower"
	}
	for _, g := range r.Gates {
		if (g.Metric != m.Name || g.Group != row.Group) && !patterned(g, m.Name, row.Group) {
			continue
		}
		if d := (float64(g.Limit) - bound) / step; g.At != end || !(math.Abs(d) > 1-1e-9) { // bound and limit would close in on the figure
			out.Reason = gateReason
			return out
		}
	}
	if m.Better == metric.Lower {
		out.High = metric.Number(bound)
	} else {
		out.Low = metric.Number(bound)
	}
	return out
}

// gridOf is the step that bounds resting on n units are rounded to; 0 shows
// none.
func gridOf(n int64) float64 {
	for _, step := range []float64{0.05, 0.1, 0.25} {
		if float64(n)*step >= 2*Threshold-1e-9 {
			return step
		}
	}
	return 0
}

// outward rounds x up, or down, to a multiple of step.
func outward(x, step float64, up bool) float64 {
	k := x / step
	if up {
		k = math.Ceil(k - 1e-9)
	} else {
		k = math.Floor(k + 1e-9)
	}
	return math.Round(k*step*100) / 100
}

// roundCount keeps one digit that counts.
func roundCount(n int64) int64 {
	if n <= 0 {
		return 0
	}
	p := int64(1)
	for n/p >= 10 {
		p *= 10
	}
	return (n + p/2) / p * p
}

// redactedGate keeps the verdict, and where its number is shown also its name
// and limit.
func redactedGate(out *metric.Report, g metric.Gate, judged map[string]bool) metric.Gate {
	v := metric.Gate{Metric: "other", Limit: metric.None, Got: metric.None, Margin: metric.None, Verdict: metric.Fail}
	if g.Verdict == metric.Pass || g.Verdict == metric.Skip {
		v.Verdict = g.Verdict
	}
	// The family says which of the verdicts the gate belongs to.
	for _, s := range []string{"attack.employer.", "attack.worker.", "fidelity."} {
		if strings.HasPrefix(g.Metric, s) {
			v.Metric = s + "other"
		}
	}
	m, ok := out.Metric(g.Metric)
	if !ok || judged[g.Metric+"\x00"+g.Group] {
		return v
	}
	row, ok := m.RowOf(g.Group)
	if !ok || row.N == 0 {
		return v
	}
	judged[g.Metric+"\x00"+g.Group] = true
	v.Metric, v.Group = g.Metric, g.Group
	if g.Limit.Valid() && g.Verdict != metric.Skip {
		v.Limit = g.Limit
	}
	for _, s := range []string{"upper", "lower", "value"} {
		if g.At == s {
			v.At = s
		}
	}
	v.Bound = "max"
	if g.Bound == "min" {
		v.Bound = "min"
	}
	if v.At == "upper" && m.Better == metric.Lower {
		v.Got = row.High
	} else if v.At == "lower" && m.Better == metric.Higher {
		v.Got = row.Low
	}
	return v
}

// methodsOf keeps the names of the steps of a plan, in their order, and nothing
// of a text that does not parse.
func methodsOf(text string) string {
	if methodsOnly.MatchString(text) {
		return text // was read before
	}
	p, err := plan.Parse("plan", []byte(text))
	if err != nil || len(p.Scramble.Steps) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("scramble:\n  steps:\n")
	for _, s := range p.Scramble.Steps {
		fmt.Fprintf(&b, "    - {method: %s}\n", s.Method)
	}
	return b.String()
}

// methodNames are the methods of a plan that [methodsOf] wrote.
func methodNames(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if _, rest, ok := strings.Cut(line, "{method: "); ok {
			out = append(out, strings.TrimSuffix(strings.TrimSpace(rest), "}"))
		}
	}
	return out
}
