package report

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
)

func pageFor(t *testing.T, r *metric.Report, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// measuredAs is a report of the sizes of a real run.
func measuredAs() *metric.Report {
	r := madeUp()
	r.N["records"], r.N["selection"], r.N["years"] = 3011, 31832, 10
	r.Plan = "data: {generate: {employers: 20000}}\nscramble:\n  steps:\n    - {method: random-swap, unit: person-year, bundle: [level], rate: 0.2137, same: [year, group], scope: any}\n"
	r.PlanDigest = strings.Repeat("ab", 32)
	r.DataDigest, r.Seeds, r.Tool = "digest-of-the-original", []string{"seed-77"}, "scramblelab devel"
	return r
}

// fill puts a marker into every text of a value, whatever it is called: a field
// that is added to a report one day is filled as well.
func fill(v reflect.Value, mark string, n *int) {
	switch v.Kind() {
	case reflect.Pointer:
		fill(v.Elem(), mark, n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), mark, n)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			fill(v.Index(i), mark, n)
		}
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String && v.Type().Elem().Kind() == reflect.Int64 {
			*n++
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("%s%d", mark, *n)), reflect.ValueOf(int64(777)))
		}
	case reflect.String:
		*n++
		v.SetString(fmt.Sprintf("%s%d", mark, *n))
	}
}

func TestOthersSeeNoTextOfARun(t *testing.T) {
	const mark = "Zq7leak"
	everything := func() *metric.Report {
		r := measuredAs()
		n := 0
		fill(reflect.ValueOf(r), mark, &n)
		r.Version, r.Audience = metric.Version, ""
		return r
	}
	texts := func() *metric.Report { // names as they should be, so that numbers are shown
		r := everything()
		for i, m := range measuredAs().Metrics {
			r.Metrics[i].Name, r.Metrics[i].Better = m.Name, m.Better
			for j, b := range m.By {
				if j%2 == 0 {
					r.Metrics[i].By[j].Group = b.Group
				}
			}
		}
		for i, g := range measuredAs().Gates {
			r.Gates[i].Metric, r.Gates[i].Group = g.Metric, g.Group
		}
		return r
	}
	for _, c := range []struct {
		name, why string
		report    *metric.Report
	}{
		{"everything", "names are texts of a run as well", everything()},
		{"texts", "what is shown carries no text with it", texts()},
		{"names that begin well", "a name is on the list as a whole or not at all", func() *metric.Report {
			r := measuredAs()
			for i := range r.Metrics {
				r.Metrics[i].Name += "-" + strings.ToLower(mark)
			}
			for i := range r.Gates {
				r.Gates[i].Metric += "-" + strings.ToLower(mark)
			}
			return r
		}()},
		{"intruders of that name", "an intruder may be called after a person", func() *metric.Report {
			r := measuredAs()
			for i, m := range r.Metrics {
				if a, ok := parseAttack(m.Name); ok {
					r.Metrics[i].Name = strings.Join([]string{"attack", a.target, a.method, strings.ToLower(mark), a.measure}, ".")
				}
			}
			return r
		}()},
		{"groups", "a group may be called after an employer", func() *metric.Report {
			r := measuredAs()
			for i := range r.Metrics {
				for j := range r.Metrics[i].By {
					r.Metrics[i].By[j].Group += mark
				}
			}
			return r
		}()},
	} {
		for _, a := range []Audience{Recipient, Public} {
			page := pageFor(t, c.report, Options{Audience: a})
			if i := strings.Index(strings.ToLower(page), strings.ToLower(mark)); i >= 0 {
				t.Errorf("%s, %s: the page holds …%s…: %s", c.name, a, page[max(0, i-60):i+20], c.why)
			}
			if err := sound(page); err != nil {
				t.Errorf("%s, %s: %v", c.name, a, err)
			}
		}
	}
}

// Whoever cannot tell two reports apart learns nothing of what differs between
// them: figures move inside their steps, and everything else at will.
func TestOthersCannotTellFiguresApart(t *testing.T) {
	other := measuredAs()
	other.DataDigest, other.Seeds, other.Warnings, other.Tables, other.Facts = "another", nil, []string{"a", "b"}, nil, nil
	other.N = map[string]int64{"records": 2990, "employers": 2996, "selection": 28765, "years": 10, "cells": 5, "zebras": 1}
	other.Plan = strings.Replace(other.Plan, "0.2137", "0.33", 1)
	for i := range other.Metrics {
		m := &other.Metrics[i]
		m.Method = "another"
		rows := []*metric.Row{&m.Row}
		for j := range m.By {
			rows = append(rows, &m.By[j])
		}
		for _, r := range rows {
			// Every figure goes half-way to the next number of a grid of hundredths:
			// steps are multiples of that.
			for _, x := range []*metric.Number{&r.Value, &r.Low, &r.High} {
				if x.Valid() {
					lo := math.Floor(float64(*x)*100+1e-9) / 100
					if up := lo + 0.005; float64(*x) > lo+1e-9 {
						*x = metric.Number(up)
					}
				}
			}
			r.Low, r.High = min(r.Low, r.Value), max(r.High, r.Value)
			if r.Baseline.Valid() && r.Baseline < 0.01 {
				r.Baseline /= 2
			}
		}
		if _, ok := outside(m.Name); !ok {
			m.Value, m.Low, m.High = 0.123, 0.1, 0.2
			m.Reason = ""
		}
	}
	for i := range other.Gates {
		g := &other.Gates[i]
		g.Got, g.Margin, g.Why, g.Remedy = 0.0123, 0.001, "other reasons", "other remedies"
	}
	if err := other.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, a := range []Audience{Recipient, Public} {
		if d := cmp.Diff(pageFor(t, measuredAs(), Options{Audience: a}), pageFor(t, other, Options{Audience: a})); d != "" {
			t.Errorf("%s: two reports are told apart (-one +other):\n%s", a, d)
		}
	}
	if pageFor(t, measuredAs(), Options{}) == pageFor(t, other, Options{}) {
		t.Error("the test changes nothing")
	}
}

// A bound, alone or with the verdict of its gate, fits many counts of successes.
func TestBoundFitsManyCounts(t *testing.T) {
	for _, n := range []int64{80, 95, 199, 200, 301, 400, 999, 3000} {
		for _, limit := range []float64{-1, 0.05, 0.09, 0.1, 0.26, 0.5, 0.93, 1} {
			seen := map[string]int{}
			for k := range n + 1 {
				w, err := infer.Wilson(float64(k), float64(n), 0.95)
				if err != nil {
					t.Fatal(err)
				}
				r := &metric.Report{Version: 1, N: map[string]int64{"records": 3000}}
				m := share("attack.employer.assignment.outsider.top1", metric.Number(w.Value), metric.Number(w.Low), metric.Number(w.High), metric.None, n, 30000, metric.Lower)
				r.Metrics = append(r.Metrics, m)
				if limit >= 0 {
					g := metric.Gate{Metric: m.Name, At: "upper", Bound: "max", Limit: metric.Number(limit), Got: m.High, Verdict: metric.Pass}
					if float64(m.High) > limit {
						g.Verdict = metric.Fail
					}
					r.Gates = append(r.Gates, g)
				}
				var b bytes.Buffer
				if err := Redacted(r, Public).Encode(&b); err != nil {
					t.Fatal(err)
				}
				seen[b.String()]++
			}
			for page, counts := range seen {
				// What a limit alone tells is the verdict, which is meant to be told.
				if counts < Threshold && strings.Contains(page, `"high": 0`) {
					t.Errorf("n %d, limit %v: a page fits %d counts only:\n%s", n, limit, counts, page)
				}
			}
		}
	}
}

func TestRedacted(t *testing.T) {
	r := measuredAs()
	if Redacted(r, Internal) != r || Redacted(r, "") != r {
		t.Error("those inside do not see the report itself")
	}
	public := Redacted(r, Public)
	if err := public.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, a := range audiences {
		if got := Redacted(public, a); got.Audience != string(Public) {
			t.Errorf("a public report became one for %q", got.Audience)
		}
	}
	if d := cmp.Diff(public, Redacted(public, Public)); d != "" {
		t.Errorf("rounding twice changes a report (-once +twice):\n%s", d)
	}
	top := func(r *metric.Report) metric.Metric {
		m, ok := r.Metric("attack.employer.assignment.outsider.top1")
		if !ok {
			t.Fatal("the headline is gone")
		}
		return m
	}
	if m := top(public); m.High != 0.65 || m.Value.Valid() || m.Low.Valid() || m.Baseline.Valid() || len(m.By) != 0 {
		t.Errorf("the public sees %+v", m)
	}
	var groups []string
	for _, b := range top(Redacted(r, Recipient)).By {
		groups = append(groups, b.Group)
	}
	if d := cmp.Diff([]string{"size 1-4", "size 1000+"}, groups); d != "" {
		t.Errorf("groups that the recipient sees (-want +got):\n%s", d)
	}
	small := measuredAs()
	for i := range small.Metrics[0].By {
		small.Metrics[0].By[i].N = 79 // one step of a quarter would hold 19
	}
	if m := top(Redacted(small, Recipient)); len(m.By) != 0 {
		t.Errorf("small groups are shown: %+v", m.By)
	}
	if g := tallied(public.Gates); g != tallied(r.Gates) {
		t.Errorf("%+v verdicts, want %+v: no gate may vanish", g, tallied(r.Gates))
	}
	if d := cmp.Diff("scramble:\n  steps:\n    - {method: random-swap}\n", public.Plan); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
	if public.PlanDigest != "" || public.DataDigest != "" || public.Seeds != nil || public.Facts != nil || public.Tables != nil || len(public.Warnings) > 0 {
		t.Error("the public sees more than verdicts and bounds")
	}
}

func TestShownOutside(t *testing.T) {
	for _, c := range []struct {
		name string
		want bool
		why  string
	}{
		{"attack.employer.assignment.outsider.top1", true, "the headline"},
		{"attack.employer.cv.cv-5.top1", true, "an intruder with CVs"},
		{"attack.employer.cv.cv-x.top1", false, "not an intruder of ours"},
		{"attack.employer.assignment.jan-janssens.top1", false, "a name"},
		{"attack.worker.chain.outsider.excess", true, ""},
		{"attack.worker.chain.cv-5.excess", false, "575 workers of 115 employers: a step holds six of these"},
		{"attack.employer.assignment.outsider.workers-exposed", false, "a large employer would show"},
		{"attack.employer.assignment.outsider.false-claims", false, "the headline from the other side"},
		{"attack.employer.information.outsider.bits", false, "not on the list"},
		{"fidelity.did.overlap", true, ""},
		{"fidelity.did.overlap.x", false, "a longer name"},
		{"fidelity.sums.wage-bill-error", false, "a sum of the original, less one of the release"},
		{"swap.step-1.touched", false, "a setting"},
	} {
		if _, got := outside(c.name); got != c.want {
			t.Errorf("%s is shown outside: %v, want %v: %s", c.name, got, c.want, c.why)
		}
	}
}

func TestParseAudience(t *testing.T) {
	for _, s := range []string{"", "Public", "everybody", "internal "} {
		if _, err := ParseAudience(s); err == nil {
			t.Errorf("%q is taken for an audience", s)
		}
	}
	var b bytes.Buffer
	if err := HTML(&b, madeUp(), Options{Audience: "everybody"}); err == nil || b.Len() > 0 {
		t.Errorf("a page for an unknown audience: %v", err)
	}
}

// A gate on the worst of several limits all of them: its verdict is a second
// rounding of each, and its pattern is a text of the policy.
func TestPatternsOutside(t *testing.T) {
	r := &metric.Report{Version: 1, N: map[string]int64{"records": 3000}, Metrics: []metric.Metric{
		share("attack.employer.assignment.outsider.top1", .06, .05, .07, metric.None, 3000, 30000, metric.Lower),
		share("attack.employer.assignment.competitor.top1", .3, .28, .32, metric.None, 3000, 30000, metric.Lower),
	}, Gates: []metric.Gate{{Metric: "attack.employer.assignment.competitor.top1", Pattern: "attack.employer.assignment.*.top1", At: "upper", Bound: "max", Limit: .09, Got: .32, Verdict: metric.Fail}}}
	out := Redacted(r, Public)
	if m := out.Metrics[0]; m.High.Valid() {
		t.Errorf("the outsider is shown up to %v, and the limit of 0.09 lies in that step", m.High)
	}
	if m := out.Metrics[1]; m.High != .35 {
		t.Errorf("the competitor is shown up to %v, want 0.35", m.High)
	}
	if g := out.Gates[0]; g.Pattern != "" || g.Limit != .09 {
		t.Errorf("gate is %+v, want its limit and no pattern", g)
	}
	if g := limitOf(r, "attack.employer.assignment.outsider.top1", ""); g == nil || g.Verdict != metric.Pass {
		t.Errorf("the outsider stands under the limit of the pattern, got %+v", g)
	}
	if g := limitOf(r, "attack.employer.assignment.outsider.top1", "size 1-4"); g != nil {
		t.Errorf("a pattern without groups limits a group: %+v", g)
	}
}
