package study

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scramblelab/internal/fidelity"
	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/policy"
	"scramblelab/internal/publish"
	"scramblelab/internal/report"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
)

// measured is what one stage adds to a report.
type measured struct {
	metrics  []metric.Metric
	tables   []metric.Table
	warnings []string
	records  []adversaryRecords // secret: they name employers
}

// add appends what was measured beside it.
func (m *measured) add(o measured) {
	m.metrics, m.tables = append(m.metrics, o.metrics...), append(m.tables, o.tables...)
	m.warnings, m.records = append(m.warnings, o.warnings...), append(m.records, o.records...)
}

// assemble puts the report together and judges it.
func (s *scrambled) assemble(ctx context.Context, v *versions, risk measured, use *fidelity.Result, pol policy.Policy, key rng.Secret) (*metric.Report, error) {
	r := s.emptyReport()
	r.N = s.counted(v)
	r.Metrics = slices.Concat(risk.metrics, use.Metrics, s.swapMetrics(), s.maskMetrics(v))
	if s.data.Periods {
		r.Metrics = append(r.Metrics, pathMetric(v))
	}
	if s.data.SampledWithin {
		sizeless(r.Metrics)
	}
	r.Tables = slices.Concat(risk.tables, use.Tables)
	r.Warnings = slices.Concat(s.sample.Warnings, s.data.Notes, s.warnings(), risk.warnings, s.entry.warnings())
	if n := s.entry.keysDrawn(); n > 0 {
		r.N["keys drawn"] = int64(n)
	}
	var err error
	if r.Facts, err = s.facts(ctx, v, use, key); err != nil {
		return nil, err
	}
	r.Gates = policy.Judge(pol, r)
	return r, r.Validate()
}

func (s *scrambled) emptyReport() *metric.Report {
	return &metric.Report{
		Version: metric.Version, Tool: Tool(), Simulation: s.data.Simulated, PlanDigest: s.plan.Digest(),
		DataDigest: s.dataDigest(), Plan: string(s.plan.YAML()), N: map[string]int64{}, Metrics: []metric.Metric{}, Gates: []metric.Gate{}, Warnings: []string{},
	}
}

// counted are the sizes beside which every risk must be read.
func (s *scrambled) counted(v *versions) map[string]int64 {
	n := map[string]int64{
		"selection": int64(s.sample.Population), "records": int64(s.sample.Records), "population employers": int64(s.data.Employers()),
		"employers": int64(len(s.sample.Employers)), "cells": int64(v.release.Cells.Rows()), "population jobs": int64(s.data.Jobs.Rows()),
		"years": 1,
	}
	if s.data.Periods {
		n["years"] = int64(len(s.data.Years()))
	}
	workers := v.counted
	if workers == nil {
		workers = v.release.Cells.Col(publish.Workers).I
	}
	for _, w := range workers {
		n["workers"] += int64(w)
	}
	return n
}

// swapMetrics say what each swap really did.
func (s *scrambled) swapMetrics() []metric.Metric {
	var out []metric.Metric
	for _, step := range s.steps {
		rep := step.result.Report
		name := func(measure, columns string) string {
			n := fmt.Sprintf("swap.step-%d.%s", step.number, measure)
			if len(rep.Pairings) > 1 {
				n += "-" + strings.ReplaceAll(columns, "_", "-")
			}
			return n
		}
		for _, p := range rep.Pairings {
			columns := strings.Join(p.Columns, "-")
			exact := func(measure, method string, value float64) metric.Metric {
				return metric.Metric{Name: name(measure, columns), Better: metric.Neither, Unit: "share", Method: method, Row: metric.Exact(value, p.Units)}
			}
			unswappable := int64(0)
			var why []string
			for _, u := range p.Unswappable {
				unswappable += u.Units
				if u.Units > 0 {
					why = append(why, fmt.Sprintf("%s: %d", u.Reason, u.Units))
				}
			}
			text := "Share of units that have no partner at any rate."
			if len(why) > 0 {
				text += " " + strings.Join(why, ", ") + "."
			}
			out = append(out,
				exact("touched", fmt.Sprintf("True rate of the swap of %s: share of units that received somebody's value; the plan asked for %.3f.", columns, rep.Wanted), p.TouchedShare()),
				exact("changed", "Effective rate: share of units whose value is really another one.", p.ChangedShare()),
				exact("unswappable", text, float64(unswappable)/float64(max(1, p.Units))))
			if rep.Method == swap.TargetedSwap {
				out = append(out,
					exact("at-risk", "Share of units that shared their risk columns with fewer than k in some region before the swap.", float64(p.AtRisk)/float64(max(1, p.Units))),
					metric.Metric{Name: name("at-risk-left", columns), Better: metric.Neither, Unit: "share", Row: metric.Exact(float64(p.AtRiskLeft)/float64(max(1, rep.Rows)), rep.Rows),
						Method: "Share of jobs that share their risk columns with fewer than k in the smallest region after the swap. Most are so by the swap itself, and no longer themselves."})
			}
			for _, d := range p.Displacements {
				out = append(out, displacements(step.number, d)...)
			}
		}
	}
	return out
}

// displacements say how far the values of a column went.
func displacements(step int, d swap.Displacement) []metric.Metric {
	var out []metric.Metric
	add := func(measure, method string, value float64) {
		if !math.IsNaN(value) {
			out = append(out, metric.Metric{Name: fmt.Sprintf("swap.step-%d.%s-%s", step, measure, strings.ReplaceAll(d.Column, "_", "-")),
				Better: metric.Neither, Unit: "share", Method: method, Row: metric.Exact(value, d.Rows)})
		}
	}
	add("rank-displacement", fmt.Sprintf("Mean difference between the ranks of %s before and after over touched rows, as a share of the ranks; a third is a random permutation.", d.Column), d.Ranks)
	add("rank-displacement-farthest", fmt.Sprintf("Largest difference between the ranks of %s before and after.", d.Column), d.Farthest)
	add("distance", fmt.Sprintf("Mean Gower distance between %s before and after over touched rows: a share of its range, 1 for other categories.", d.Column), d.Distance)
	return out
}

func (s *scrambled) warnings() []string {
	var out []string
	for _, step := range s.steps {
		out = append(out, step.result.Report.Warnings...)
	}
	out = append(out, s.maskWarnings()...)
	if s.plan.Scramble.Donors == "fragment" {
		out = append(out, "donors come from the fragment: its margins are exact, so what is missing from it can be subtracted from phase two")
	}
	if o, err := s.publishOptions(); err == nil {
		out = append(out, o.Warnings()...)
	}
	return out
}

// Files beside a release.
const (
	reportJSON  = "report.json"
	reportHTML  = "report.html"
	planYAML    = "plan.yaml"
	timingsJSON = "timings.json"
	claimsCSV   = "claims.csv"
)

// writeInternal writes what stays inside: the report for programs and for
// people, the plan, and how long each stage took.
func writeInternal(dir string, r *metric.Report, p plan.Plan, watch *stopwatch) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	watch.stop()
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{reportJSON, r.Encode},
		{reportHTML, func(w io.Writer) error { return report.HTML(w, r, report.Options{}) }},
		{planYAML, func(w io.Writer) error { _, err := w.Write(p.YAML()); return err }},
		{timingsJSON, func(w io.Writer) error { return json.NewEncoder(w).Encode(watch.stages) }},
	} {
		if err := folder.WriteFile(filepath.Join(dir, f.name), 0o600, f.write); err != nil {
			return err
		}
	}
	return nil
}

// Small words of the facts.

func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func percent(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

func listed(names []string) string { return strings.Join(names, " and ") }

func yearsOf(f *frame.Frame) []int32 {
	if c, ok := f.Lookup(linked.Year); ok {
		return c.I
	}
	return make([]int32, f.Rows())
}

func distinct(v []int32) []int32 {
	out := slices.Clone(v)
	slices.Sort(out)
	return slices.Compact(out)
}
