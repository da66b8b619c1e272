package metric_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"scramblelab/internal/metric"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// good is a metric that passes; tests break one thing of it.
func good() metric.Metric {
	return metric.Metric{
		Name:   "attack.employer.nearest.outsider.top1",
		Row:    metric.Row{Value: 0.4, Low: 0.35, High: 0.45, Level: 0.95, N: 3000, M: 20000, Baseline: 0.01},
		Better: metric.Lower,
		Method: "nearest neighbour on staff and wage bill",
		By: []metric.Row{
			{Group: "size 1-4", Value: 0.3, Low: 0.2, High: 0.4, Level: 0.95, N: 100, Baseline: metric.None},
			metric.Missing("size 1000+", "no employer of this size was drawn"),
		},
	}
}

func TestValidate(t *testing.T) {
	inf := metric.Number(math.Inf(1))
	tests := []struct {
		name, why string
		change    func(m *metric.Metric)
		want      string // part of the error, "" for none
	}{
		{"good", "", func(*metric.Metric) {}, ""},
		{"no dot", "a family is the least that a name says", func(m *metric.Metric) { m.Name = "top1" }, "dotted"},
		{"capitals", "names are typed into policies", func(m *metric.Metric) { m.Name = "attack.Employer" }, "dotted"},
		{"empty part", "", func(m *metric.Metric) { m.Name = "attack..top1" }, "dotted"},
		{"newline", "the pattern holds for the whole name", func(m *metric.Metric) { m.Name += "\n" }, "dotted"},
		{"no name", "", func(m *metric.Metric) { m.Name = "" }, "dotted"},
		{"no direction", "a number without a good side cannot be judged", func(m *metric.Metric) { m.Better = "" }, "direction"},
		{"no good side on purpose", "a description", func(m *metric.Metric) { m.Better = metric.Neither }, ""},
		{"missing value", "never a bare gap", func(m *metric.Metric) { m.Value = metric.None }, "without a reason"},
		{"missing bound", "a gate judges bounds", func(m *metric.Metric) { m.High = metric.None }, "without a reason"},
		{"missing with a reason", "", func(m *metric.Metric) { m.Row = metric.Missing("", "no periods") }, ""},
		{"missing baseline", "not every number has one", func(m *metric.Metric) { m.Baseline = metric.None }, ""},
		{"infinite", "JSON cannot hold it", func(m *metric.Metric) { m.High = inf }, "infinite"},
		{"infinite baseline", "", func(m *metric.Metric) { m.Baseline = -inf }, "infinite"},
		{"reversed", "", func(m *metric.Metric) { m.Low, m.High = 0.45, 0.35 }, "reversed"},
		{"value below its interval", "an interval of something else", func(m *metric.Metric) { m.Value = 0.3 }, "outside"},
		{"value above its interval", "", func(m *metric.Metric) { m.Value = 0.5 }, "outside"},
		{"rounding", "Wilson's bound of 0 successes is not always 0", func(m *metric.Metric) { m.Value, m.Low = 0, 1e-17 }, ""},
		{"rounding, large", "a wage bill", func(m *metric.Metric) { m.Value, m.Low, m.High = 1e12, 1e12+0.001, 2e12 }, ""},
		{"exact", "", func(m *metric.Metric) { m.Row = metric.Exact(12, 12) }, ""},
		{"group at the top", "", func(m *metric.Metric) { m.Group = "size 1-4" }, "no group"},
		{"group twice", "", func(m *metric.Metric) { m.By[1].Group = m.By[0].Group }, "twice"},
		{"group without a name", "", func(m *metric.Metric) { m.By[1].Group = "" }, "empty"},
		{"broken group", "rows below are held to the same", func(m *metric.Metric) { m.By[0].Low = metric.None }, `"size 1-4"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			tt.change(&m)
			checkError(t, m.Validate(), tt.want, tt.why)
		})
	}
}

func checkError(t *testing.T, err error, want, why string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error is %v, want none: %s", err, why)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error is %v, want one with %q: %s", err, want, why)
	}
}

func report() *metric.Report {
	return &metric.Report{
		Version: metric.Version, Tool: "scramble 0.1", PlanDigest: "sha256:00", N: map[string]int64{"employers": 3000, "cells": 9},
		Metrics:  []metric.Metric{good(), {Name: "swap.rate", Row: metric.Exact(0.2, 5), Better: metric.Neither}},
		Gates:    []metric.Gate{{Metric: "swap.rate", At: "value", Bound: "max", Limit: 0.5, Got: 0.2, Margin: metric.None, Verdict: metric.Skip}},
		Warnings: []string{"a < b & c"},
		Tables:   []metric.Table{{Name: "chain", Columns: []string{"a"}, Rows: [][]string{{"1"}}}},
		Facts:    []metric.Fact{{ID: "1", Holds: true}},
	}
}

func TestReportValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *metric.Report)
		want   string
	}{
		{"good", func(*metric.Report) {}, ""},
		{"later version", func(r *metric.Report) { r.Version = 2 }, "version is 2"},
		{"no version", func(r *metric.Report) { r.Version = 0 }, "version is 0"},
		{"name twice", func(r *metric.Report) { r.Metrics = append(r.Metrics, good()) }, "twice"},
		{"broken metric", func(r *metric.Report) { r.Metrics[0].Better = "up" }, "direction"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := report()
			tt.change(r)
			checkError(t, r.Validate(), tt.want, "")
		})
	}
}

func TestReportRoundTrip(t *testing.T) {
	var a, b bytes.Buffer
	if err := report().Encode(&a); err != nil {
		t.Fatal(err)
	}
	got, err := metric.Decode(a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(report(), got); diff != "" {
		t.Errorf("a report changed on its way (-want +got):\n%s", diff)
	}
	if err := got.Encode(&b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.String(), b.String()); diff != "" {
		t.Errorf("encoding again gives other bytes (-want +got):\n%s", diff)
	}
	if !strings.Contains(a.String(), `"baseline": null`) || !strings.Contains(a.String(), "a < b & c") {
		t.Errorf("want null for an absent number and texts as written, got:\n%s", a.String())
	}
}

func TestNumber(t *testing.T) {
	tests := []struct {
		name string
		n    metric.Number
		want string
	}{
		{"absent", metric.None, "null"},
		{"zero", 0, "0"},
		{"share", 0.25, "0.25"},
		{"smallest", metric.Number(math.SmallestNonzeroFloat64), "5e-324"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := json.Marshal(tt.n)
			if err != nil || string(b) != tt.want {
				t.Fatalf("Marshal gives %s, %v, want %s", b, err, tt.want)
			}
			back := metric.Number(7)
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.n, back); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := json.Marshal(metric.Number(math.Inf(-1))); err == nil {
		t.Error("an infinite number was written, want an error")
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ name, why, in, want string }{
		{"empty", "", "", "line 1: "},
		{"syntax", "the line of the comma", "{\n\"version\": 1,\n,\n}", "line 3: "},
		{"truncated", "", "{\n\"version\": 1,\n\"tool\": \"a", "line 3: "},
		{"wrong kind", "", "{\n\n\"tool\": 7}", "line 3: "},
		{"wrong number", "numbers are decoded apart, and keep their line", "{\"version\": 1, \"metrics\": [{\n\"name\": \"a.b\",\n\"value\": \"0.5\"}]}", "line 3: "},
		{"wrong number in a group", "", "{\"version\": 1, \"metrics\": [{\n\"by\": [\n{\"low\": []}]}]}", "line 3: "},
		{"wrong number in a gate", "", "{\"version\": 1, \"gates\": [\n{\"limit\": true}]}", "line 2: "},
		{"no object", "", "[]", "line 1: "},
		{"not version 1", "", `{"version": 3}`, "version is 3"},
		{"absent value", "a key that is left out is a missing number, not 0", `{"version": 1, "metrics": [{"name": "a.b", "better": "lower", "value": 0.5}]}`, "without a reason"},
		{"interval left out", "", `{"version": 1, "metrics": [{"name": "a.b", "better": "lower", "value": 0, "low": 0}]}`, "without a reason"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := metric.Decode([]byte(tt.in))
			checkError(t, err, tt.want, tt.why)
		})
	}
}

func TestDecodeReadsAbsentAsAbsent(t *testing.T) {
	r, err := metric.Decode([]byte(`{"version": 1, "unknown": {"ignored": true},
		"metrics": [{"name": "a.b", "better": "lower", "value": 0, "low": 0, "high": 0, "by": [{"group": "g", "reason": "none drawn"}]}],
		"gates": [{"metric": "a.b", "limit": 0}]}`))
	if err != nil {
		t.Fatal(err)
	}
	m := r.Metrics[0]
	want := metric.Row{Baseline: metric.None, Level: metric.None}
	if diff := cmp.Diff(want, m.Row); diff != "" {
		t.Errorf("top row (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(metric.Missing("g", "none drawn"), m.By[0]); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	if g := r.Gates[0]; g.Limit != 0 || g.Got.Valid() || g.Margin.Valid() {
		t.Errorf("gate is %+v, want a limit of 0 and nothing else", g)
	}
}

func TestLookups(t *testing.T) {
	r := report()
	m, ok := r.Metric(good().Name)
	if !ok {
		t.Fatal("metric not found")
	}
	if row, ok := m.RowOf(""); !ok || row.N != 3000 {
		t.Errorf("the top row is %+v, %v", row, ok)
	}
	if row, ok := m.RowOf("size 1-4"); !ok || row.N != 100 {
		t.Errorf("the row of a group is %+v, %v", row, ok)
	}
	if _, ok := m.RowOf("size 5-9"); ok {
		t.Error("found a group that is not there")
	}
	if _, ok := r.Metric("a.b"); ok {
		t.Error("found a metric that is not there")
	}
	if !r.Passed() {
		t.Error("a skipped gate must not fail a report")
	}
	r.Gates[0].Verdict = metric.Fail
	if r.Passed() {
		t.Error("a failed gate must fail a report")
	}
}

func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := report().Encode(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"version": 1, "metrics": [null, {"by": [null]}], "gates": [null]}`))
	f.Add([]byte(`{"version": 1, "metrics": [{"by": [{}, {}]}], "Metrics": [{"by": [{}]}, {}]}`))
	f.Add([]byte(`{"version": 1, "metrics": [{"name": "a.b", "better": "none", "reason": "x", "value": null}]}`))
	f.Add([]byte(`{"version": 1e999}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := metric.Decode(in)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := r.Encode(&out); err != nil {
			t.Fatalf("a report that was read cannot be written: %v", err)
		}
		again, err := metric.Decode(out.Bytes())
		if err != nil {
			t.Fatalf("a report that was written cannot be read: %v\n%s", err, out.String())
		}
		if diff := cmp.Diff(r, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("a report changed on its way (-want +got):\n%s", diff)
		}
	})
}
