package study

import (
	"context"
	"fmt"
	"math"
	"strings"

	"scramblelab/internal/attack"
	"scramblelab/internal/frame"
	"scramblelab/internal/mask"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/rng"
)

// mask does a step that is no permutation, on the jobs as the steps before left
// them.
func (s *scrambled) mask(ctx context.Context, step plan.Step, number int, key rng.Secret) error {
	from := s.jobs
	if from == nil {
		from = s.permuted
	}
	from, joined, err := withFirmColumns(from, s.currentFirms(), step.By)
	if err != nil {
		return err
	}
	var jobs *frame.Frame
	var r mask.Report
	switch step.Method {
	case plan.SampleWorkers:
		jobs, r, err = mask.SampleWorkers(from, step.Rate, key, number)
	case plan.TopCode:
		jobs, r, err = mask.TopCode(from, mask.TopCoder{Column: step.Column, Above: step.Above, Below: step.Below, Mean: step.Replace == "mean"})
	case plan.Noise:
		jobs, r, err = mask.AddNoise(ctx, from, mask.Noise{Column: step.Column, SD: step.SD, Relative: step.Kind == "multiplicative",
			ZeroSum: step.ZeroSum, By: step.By, Least: step.Least, Most: step.Most}, key, number)
	case plan.PRAM:
		jobs, r, err = mask.Pram(ctx, from, mask.PRAM{Column: step.Column, By: step.By, Stay: step.Stay, Alpha: step.Alpha}, key, number)
	case plan.Microaggregate:
		jobs, r, err = mask.Microaggregate(ctx, from, mask.Microaggregation{Columns: step.Columns, K: step.K, By: step.By}, key, number)
	}
	if err != nil {
		return err
	}
	s.jobs = jobs.Without(joined...)
	s.masks = append(s.masks, maskStep{number, r})
	s.tellMask(step, r)
	return nil
}

// tellMask lets the intruder know how far values were moved: who knows the
// method can simulate it on data like these.
func (s *scrambled) tellMask(step plan.Step, r mask.Report) {
	if step.Method == plan.PRAM {
		for i, w := range s.method.Swaps {
			if w.Redrawn && w.Bundle[0] == step.Column {
				s.method.Swaps[i].Rate = r.Redrawn
			}
		}
		return
	}
	for _, c := range r.Changes {
		v := attack.Value{Attribute: c.Column, RMS: c.RMS}
		known := false
		for i, x := range s.method.Values {
			if known = x.Attribute == c.Column; known {
				s.method.Values[i].RMS = max(v.RMS, x.RMS)
				break
			}
		}
		if !known {
			s.method.Values = append(s.method.Values, v)
		}
	}
}

// maskMetrics say what each step that is no permutation really did.
func (s *scrambled) maskMetrics(v *versions) []metric.Metric {
	var out []metric.Metric
	add := func(number int, measure, unit, method string, value float64, n int64) {
		m := metric.Metric{Name: fmt.Sprintf("swap.step-%d.%s", number, measure), Better: metric.Neither, Unit: unit, Method: method}
		if m.Row = metric.Exact(value, n); math.IsNaN(value) || math.IsInf(value, 0) {
			m.Row = metric.Missing("", "the column has no spread or no mean to compare with")
		}
		out = append(out, m)
	}
	for _, x := range s.masks {
		r := x.report
		lost := "Not kept: " + strings.Join(r.NotKept, "; ") + "."
		add(x.number, "touched", "share", fmt.Sprintf("Share of %s that the step %s touched. Protects %s. %s", r.Unit, r.Step, r.Protects, lost), r.TouchedShare(), r.Units)
		for _, c := range r.Changes {
			name := func(measure string) string {
				if len(r.Changes) > 1 {
					return measure + "-" + strings.ReplaceAll(c.Column, "_", "-")
				}
				return measure
			}
			add(x.number, name("changed"), "share", fmt.Sprintf("Share of jobs whose %s is really another one.", c.Column), float64(c.Rows)/float64(max(1, c.Of)), c.Of)
			if !math.IsNaN(c.RMS) {
				add(x.number, name("mean-shift"), "share", fmt.Sprintf("Relative change of the mean %s over all jobs.", c.Column), c.Mean, c.Of)
				add(x.number, name("variance-ratio"), "ratio", fmt.Sprintf("Variance of %s after the step over that before.", c.Column), c.Variance, c.Of)
			}
		}
	}
	did := v.release.Protected
	for i, step := range s.plan.Scramble.Steps {
		cells := func(n int64) float64 { return float64(n) / float64(max(1, did.Cells)) }
		switch step.Method {
		case plan.JitterCounts, plan.RoundCounts:
			add(i+1, "touched", "share", "Share of cells whose released head count is another one; cells that came to zero included.", cells(did.Changed+did.Vanished), did.Cells)
			add(i+1, "vanished", "share", "Share of cells whose released head count came to zero, so that they are not in the table.", cells(did.Vanished), did.Cells)
			add(i+1, "total-shift", "share", "Relative change of the sum of all head counts.", float64(did.After)/float64(max(1, did.Workers))-1, did.Cells)
		case plan.SuppressCells:
			add(i+1, "touched", "share", "Share of cells that were folded into the row without level and field of their employer.", cells(did.Folded), did.Cells)
			add(i+1, "hidden", "share", "Share of workers at employers below the minimum, of whom no cell is released.", 1-float64(did.After)/float64(max(1, did.Workers)), did.Cells)
		}
	}
	return out
}

// maskWarnings are what the steps that are no permutations must say.
func (s *scrambled) maskWarnings() []string {
	var out []string
	for _, x := range s.masks {
		for _, w := range x.report.Warnings {
			out = append(out, fmt.Sprintf("step %d: %s", x.number, w))
		}
	}
	return out
}
