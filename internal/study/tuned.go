package study

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"scramblelab/internal/folder"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/policy"
	"scramblelab/internal/report"
	"scramblelab/internal/tune"
)

// Files of a search.
const (
	tuneJSON         = "tune.json"
	measurementsFile = "measurements.jsonl"
)

// BookOf is the file beside an output that keeps what a search under way has
// measured.
func BookOf(out string) string { return filepath.Clean(out) + ".measurements.jsonl" }

// TunedNames are the files of a folder that [WriteTuned] writes.
func TunedNames() []string {
	return []string{tuneJSON, reportJSON, reportHTML, planYAML, measurementsFile}
}

// WriteTuned writes a folder with what was found: tune.json, report.json with the
// figures of the recommended plan on fresh keys, report.html, which draws the map,
// that plan as plan.yaml, and the measurements, which it takes from beside the
// folder.
func WriteTuned(t *tune.Result, base plan.Plan, book string, o Options) (*metric.Report, error) {
	out, err := folder.Create(o.Out, folder.Options{Force: o.Force, Mode: 0o700, Inputs: inputs(base), Known: TunedNames()})
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	write := func(name string, f func(io.Writer) error) error {
		return folder.WriteFile(filepath.Join(out.Path(), name), 0o600, f)
	}
	if err := write(tuneJSON, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(t)
	}); err != nil {
		return nil, err
	}
	r, err := tunedReport(t, base)
	if err != nil {
		return nil, err
	}
	if err := write(reportJSON, r.Encode); err != nil {
		return nil, err
	}
	if err := write(reportHTML, func(w io.Writer) error { return report.HTML(w, r, report.Options{}) }); err != nil {
		return nil, err
	}
	if p, ok, err := TunedPlan(t, base); err != nil {
		return nil, err
	} else if ok {
		if err := write(planYAML, func(w io.Writer) error {
			_, err := w.Write(p.Annotated(plan.Annotations{Head: t.Why, Sections: true}))
			return err
		}); err != nil {
			return nil, err
		}
	}
	b, err := os.ReadFile(book)
	if err != nil {
		return nil, err
	}
	if err := write(measurementsFile, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		return nil, err
	}
	if err := out.Commit(); err != nil {
		return nil, err
	}
	return r, os.Remove(book)
}

// TunedPlan is the recommended plan, ok false where there is none.
func TunedPlan(t *tune.Result, base plan.Plan) (p plan.Plan, ok bool, err error) {
	if t.Recommended < 0 {
		return p, false, nil
	}
	p, err = base.With(settings(t.Tried[len(t.Tried)-1].Search.Point))
	return p, err == nil, err
}

// tunedReport holds the recommended plan's figures on fresh keys under the names of
// the metrics that were checked, judged by the policy of the plan.
func tunedReport(t *tune.Result, base plan.Plan) (*metric.Report, error) {
	r := &metric.Report{
		Version: metric.Version, Tool: Tool(), Simulation: true, PlanDigest: base.Digest(), Plan: string(base.YAML()), N: map[string]int64{"plans": int64(len(t.Map.Points)), "measurements": int64(t.Map.Measurements)},
		Gates: []metric.Gate{}, Warnings: t.Why, Tables: mapTables(t),
	}
	r.Metrics = append(r.Metrics, metric.Metric{
		Name: "tune.map.hypervolume", Better: metric.Higher, Unit: "share",
		Method: "Area of the risk-utility map that the front of the plans dominates, up to a risk and a loss of 1. Risk is the largest simultaneous upper bound over attacks, loss the mean over what analysis loses.",
		Row:    metric.Exact(t.Map.Hypervolume, int64(len(t.Map.Points))),
	})
	p, ok, err := TunedPlan(t, base)
	if err != nil || !ok {
		return r, err
	}
	r.PlanDigest, r.Plan = p.Digest(), string(p.YAML())
	fresh := t.Tried[len(t.Tried)-1].Fresh
	pol, err := loadPolicy(base.Gates)
	if err != nil {
		return nil, err
	}
	for i, g := range pol.Gates {
		c := fresh.Checks[i]
		half := c.Upper - c.Value
		row := metric.Row{
			Group: byWorst(g.Group), Value: metric.Number(c.Value), Low: metric.Number(c.Value - half), High: metric.Number(c.Upper),
			Level: .95, N: int64(fresh.Keys), Baseline: metric.None,
		}
		better := metric.Lower
		if g.Max == nil {
			better, row.Value, row.Low, row.High = metric.Higher, 1-row.Value, 1-row.High, 1-row.Low
		}
		if c.Attack {
			row.Low = max(0, row.Low)
		}
		place(r, metric.Metric{
			Name: byWorst(g.Metric), Better: better,
			Method: fmt.Sprintf("Expectation over %d fresh keys; bounds hold together for all %d gates (Bonferroni).", fresh.Keys, len(pol.Gates)),
		}, row)
	}
	r.Gates = policy.Judge(pol, r)
	return r, r.Validate()
}

// byWorst names what a pattern of a policy was measured by: the worst of all that
// it means.
func byWorst(pattern string) string { return strings.ReplaceAll(pattern, "*", "worst") }

// place adds a row to the metric of that name, which it makes if need be.
func place(r *metric.Report, like metric.Metric, row metric.Row) {
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Name == like.Name {
			if row.Group == "" {
				m.Row = row
			} else {
				m.By = append(m.By, row)
			}
			return
		}
	}
	if strings.HasPrefix(like.Name, "attack.") {
		like.Unit = "share"
	}
	like.Row = row
	if row.Group != "" {
		like.Row = metric.Missing("", "only groups were checked")
		like.By = []metric.Row{row}
	}
	r.Metrics = append(r.Metrics, like)
}
