package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/metric"
)

var update = flag.Bool("update", false, "write the golden files")

func share(name string, value, low, high, baseline metric.Number, n, m int64, better metric.Direction) metric.Metric {
	return metric.Metric{
		Name: name, Better: better, Unit: "share", Method: "Method of " + name + ".",
		Row: metric.Row{Value: value, Low: low, High: high, Level: 0.95, N: n, M: m, Baseline: baseline},
	}
}

func grouped(m metric.Metric, groups ...string) metric.Metric {
	for i, g := range groups {
		r := m.Row
		r.Group = g
		r.N /= int64(i + 1)
		m.By = append(m.By, r)
	}
	return m
}

// madeUp is a report as a run writes it, with every kind of metric.
func madeUp() *metric.Report {
	guess := metric.Number(1.0 / 31832)
	missing := share("fidelity.regression.wage-bias-se", metric.None, metric.None, metric.None, metric.None, 0, 0, metric.Lower)
	missing.Unit, missing.Reason = "standard errors", "the regression has no cell with two levels"
	paths := grouped(share("attack.employer.assignment.head-count-only.top1", .43, .41, .45, guess, 3000, 31832, metric.Lower), "years=1", "years=2", "years=5")
	for i, v := range []metric.Number{.02, .11, .32} {
		paths.By[i].Value, paths.By[i].Low, paths.By[i].High = v, v-.01, v+.01
	}
	chainOf := share("attack.worker.chain.research-team.wage-class", .24, .21, .27, .17, 1000, 558370, metric.Lower)
	chainOf.Knowledge = metric.KnowsParameters
	return &metric.Report{
		Version: 1, Tool: "scramblelab test", Simulation: true, PlanDigest: "0123456789abcdef",
		N: map[string]int64{"records": 3000, "employers": 3000, "selection": 31832, "years": 10, "cells": 130320, "workers": 558370, "zebras": 7},
		Metrics: []metric.Metric{
			grouped(share("attack.employer.assignment.outsider.top1", .61, .592, .627, guess, 3000, 31832, metric.Lower), "size 1-4", "size 1000+", "noise=0.5", "noise=2", "knowledge=none"),
			share("attack.employer.assignment.research-team.top1", .74, .724, .755, guess, 3000, 31832, metric.Lower),
			paths,
			{Name: "attack.employer.nearest.outsider.anonymity-set", Unit: "employers", Better: metric.Higher, Method: "Entropy.",
				Row: metric.Row{Value: 3.2, Low: 2.9, High: 3.6, Level: .95, N: 3000, M: 31832, Baseline: 31832}},
			grouped(share("attack.worker.cell-known-employer.research-team.wage-class", .38, .35, .41, .17, 1000, 558370, metric.Lower), "one-person-cell", "size 1-4"),
			chainOf,
			grouped(share("fidelity.cells.share-exact", .464, .443, .484, 1, 143030, 0, metric.Higher), "size 1-4", "size 1000+"),
			share("fidelity.margins.level-field-tv", .023, .015, .031, .081, 3000, 0, metric.Lower),
			share("fidelity.fragment.level-field-tv", .106, .072, .141, .081, 3000, 31832, metric.Lower),
			missing,
			grouped(share("fidelity.did.overlap", .964, .899, 1, .812, 2164, 0, metric.Higher), "outcome head-count-low"),
			{Name: "swap.step-1.touched", Unit: "share", Better: metric.Neither, Method: "True rate.", Row: metric.Exact(.2, 5568130)},
		},
		Gates: []metric.Gate{
			{Metric: "attack.employer.assignment.outsider.top1", At: "upper", Bound: "max", Limit: .09, Got: .627, Margin: -.537, Verdict: metric.Fail, Why: "EMA policy 0070", Remedy: "give a fresh serial every year (method fresh-serials) and classes instead of head counts (coarsen-counts)"},
			{Metric: "attack.employer.assignment.outsider.top1", Group: "size 1000+", At: "value", Bound: "max", Limit: .9, Got: .61, Margin: .29, Verdict: metric.Pass, Why: "large employers"},
			{Metric: "attack.worker.chain.research-team.excess", At: "upper", Bound: "max", Limit: .05, Got: metric.None, Margin: metric.None, Verdict: metric.Fail, Why: "the report has no such metric", Remedy: "protect the employer first"},
			{Metric: "fidelity.did.overlap", At: "lower", Bound: "min", Limit: .3, Got: .899, Margin: .599, Verdict: metric.Pass, Why: "half the overlap of two fragments"},
			{Metric: "fidelity.regression.wage-bias-se", At: "upper", Bound: "max", Limit: 2, Got: metric.None, Margin: metric.None, Verdict: metric.Skip, Why: "the regression has no cell with two levels"},
		},
		Warnings: []string{"a generated population: no worker and no employer exists"},
		Tables: []metric.Table{
			{Name: "did", Title: "Effects", Columns: []string{"outcome", "release"}, Rows: [][]string{{"head-count", "+0.069 (0.057)"}}},
			{Name: "chain-outsider", Title: "Chain of the outsider", Columns: []string{"employer", "workers"}, Rows: [][]string{{"found", "610"}}},
			{Name: "chain-research-team", Title: "Chain of the team", Note: "Counted.", Columns: []string{"employer", "workers"}, Rows: [][]string{{"found", "740"}}},
		},
		Facts: []metric.Fact{{ID: "1", Title: "No swap touches the head count", Sentence: "All 209,970 stayed.", Holds: true}, {ID: "6", Title: "Signs flip", Sentence: "None did.", Holds: false}},
		Plan:  "scramble:\n  donors: population\n",
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got); go test -update writes it anew:\n%s", path, d)
	}
}

func TestTerminal(t *testing.T) {
	var b bytes.Buffer
	Summary(&b, madeUp(), "out")
	golden(t, "summary.txt", b.Bytes())
	if n := bytes.Count(b.Bytes(), []byte("\n")); n > 30 {
		t.Errorf("the summary has %d lines: more than a screen", n)
	}
	b.Reset()
	Gates(&b, madeUp().Gates)
	golden(t, "gates.txt", b.Bytes())
	b.Reset()
	Numbers(&b, madeUp())
	golden(t, "numbers.txt", b.Bytes())
	Summary(&b, madeUp(), "out")
	for _, line := range strings.Split(b.String(), "\n") {
		if utf8.RuneCountInString(line) > screen {
			t.Errorf("wider than a terminal: %s", line)
		}
	}
	b.Reset()
	Summary(&b, &metric.Report{Version: 1}, "out")
	golden(t, "summary-empty.txt", b.Bytes())
}

func TestNumbersInWords(t *testing.T) {
	for _, c := range []struct {
		value metric.Number
		unit  string
		want  string
		why   string
	}{
		{0, "share", "0 %", "nothing"},
		{1, "share", "100 %", "everything"},
		{0.00003, "share", "< 0.01 %", "nearly nothing is not nothing"},
		{-0.00003, "share", "> -0.01 %", "the sign stays"},
		{0.99996, "share", "> 99.99 %", "nearly everything is not everything"},
		{0.9996, "share", "99.96 %", "nearly everything"},
		{0.00994, "share", "0.99 %", "two digits below one"},
		{0.6174, "share", "61.7 %", "a digit above one"},
		{-0.25, "share", "-25 %", "an excess below nothing"},
		{1e300, "share", "1e+302 %", "no line of zeros"},
		{metric.None, "share", "–", "absent"},
		{31832, "employers", "31,832", "thousands apart"},
		{999.7, "", "1,000", "rounded before the comma is set"},
		{-1234567, "", "-1,234,567", "negative thousands"},
		{1e18, "", "1e+18", "no overflow"},
		{99.97, "", "100", "rounded"},
		{0.0396, "log points", "0.040", "three digits where small"},
		{0.633, "", "0.63", "two digits"},
		{0.00001, "", "1e-05", "tiny"},
	} {
		if got := shown(c.value, c.unit); got != c.want {
			t.Errorf("shown(%v, %q) = %q, want %q: %s", float64(c.value), c.unit, got, c.want, c.why)
		}
	}
}
