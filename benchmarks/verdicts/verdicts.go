// Package verdicts measures every ready plan on a generated population, and what of
// it applies on a survey of one year, and makes a table of the verdicts in Markdown;
// and it measures a release of a whole population, to see what that takes:
//
//	go test ./benchmarks/verdicts -v -run ReadyPlans -employers 6000
//	go test ./benchmarks/verdicts -v -run Survey -survey examples/ses/plan.yaml
//	go test ./benchmarks/verdicts -v -run Panel -panel POPULATION -timeout 1h
//
// The plans are those of folder plans; the survey's plan gives its data and schema,
// and the steps of the ready plans are put in its place as far as a file of one
// period without events has what they name.
package verdicts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/study"
	"scramblelab/plans"
)

// Table measures all ready plans on a generated population of so many employers a
// year, or on the data of a survey's plan, in folders within dir.
func Table(ctx context.Context, dir string, employers int, survey string, seed uint64) (string, error) {
	lines := []string{
		fmt.Sprintf("| plan | cells as they were | %s | wages worth a sample of | tree's area |", strings.Join(titles(), " | ")),
		"|---|---|" + strings.Repeat("---|", len(models)) + "---|---|",
	}
	for _, name := range ready() {
		p, err := planned(name, employers, survey)
		if err != nil {
			return "", err
		}
		r, err := measure(ctx, filepath.Join(dir, name), p, seed)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		lines = append(lines, line(name, r))
	}
	return strings.Join(lines, "\n"), nil
}

// ready are the plans that release something.
func ready() []string {
	var out []string
	for _, n := range plans.Names() {
		if n != "tune" {
			out = append(out, n)
		}
	}
	return out
}

// onSurvey are the steps of the ready plans where there are sectors in place of
// groups, and neither years nor events.
var onSurvey = map[string]string{
	"census-targeted": "{method: targeted-swap, bundle: [level, field], rate: 0.1, same: [sector], hierarchy: [region, sector, employer], risk: [level, field, sex], k: 3, profiles: [[size, sex], [sex]], priority: rate}",
	"did-preserving":  "{method: random-swap, bundle: [level, field], joint: true, rate: 0.2, same: [sector], scope: across-employers}",
	"employer-safe":   "{method: random-swap, bundle: [level, field], joint: true, rate: 0.2, same: [sector], scope: across-employers}, {method: coarsen-counts, classes: [1, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]}",
	"ksz-default":     "{method: random-swap, bundle: [level, field], joint: true, rate: 0.2, same: [sector], scope: across-employers}",
	"naive":           "{method: random-swap, bundle: [level, field], joint: true, rate: 1, scope: within-employer}",
}

// planned is a ready plan on the data that were asked for.
func planned(name string, employers int, survey string) (plan.Plan, error) {
	if survey == "" {
		text, err := plans.Read(name)
		if err != nil {
			return plan.Plan{}, err
		}
		p, err := plan.Parse(name+".yaml", text)
		if err != nil {
			return plan.Plan{}, err
		}
		g := *p.Data.Generate
		g.Employers = employers
		p.Data.Generate = &g
		return p, nil
	}
	steps, ok := onSurvey[name]
	if !ok {
		return plan.Plan{}, fmt.Errorf("no steps of plan %q for a survey: want some of %q", name, ready())
	}
	text, err := os.ReadFile(survey)
	if err != nil {
		return plan.Plan{}, err
	}
	before, _, found := strings.Cut(string(text), "\nscramble:")
	if !found {
		return plan.Plan{}, fmt.Errorf("%s has no line that begins with %q", survey, "scramble:")
	}
	return plan.Parse(survey, []byte(before+"\nscramble: {donors: population, keep: [], steps: ["+steps+"]}\n"))
}

// measure makes a release in a folder, and compares it with its original.
func measure(ctx context.Context, dir string, p plan.Plan, seed uint64) (*metric.Report, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	at := study.Opened{Release: filepath.Join(dir, "release"), Escrow: filepath.Join(dir, "release.escrow")}
	o := study.Options{Out: at.Release, Seed: &seed}
	if _, err := study.Release(ctx, p, o); err != nil {
		return nil, err
	}
	o.Out = filepath.Join(dir, "fidelity")
	return study.Fidelity(ctx, p, at, o)
}

// models are the tables with a verdict by coefficient, in the order shown.
var models = []struct{ table, title string }{
	{"wage-regression", "wage regression"}, {"heads", "head counts"}, {"did", "diff-in-diff"}, {"event-study", "event study"},
}

func titles() []string {
	var out []string
	for _, m := range models {
		out = append(out, m.title)
	}
	return out
}

func line(name string, r *metric.Report) string {
	cells := []string{name, percent(r, "fidelity.cells.share-exact")}
	for _, m := range models {
		cells = append(cells, verdicts(r, m.table))
	}
	cells = append(cells, percent(r, "fidelity.regression.wage-subsample"), number(r, "fidelity.propensity.auc"))
	return "| " + strings.Join(cells, " | ") + " |"
}

// verdicts counts those of a table of coefficients.
func verdicts(r *metric.Report, table string) string {
	count := map[string]int{}
	n := 0
	for _, t := range r.Tables {
		if t.Name != table {
			continue
		}
		for _, row := range t.Rows {
			if v := row[len(row)-1]; v != "not estimated" {
				count[v]++
				n++
			}
		}
	}
	if n == 0 {
		return "cannot be estimated"
	}
	var out []string
	for _, v := range []string{"same", "weaker", "lost", "gained", "flipped", "unknown"} {
		if count[v] > 0 {
			out = append(out, fmt.Sprintf("%d %s", count[v], v))
		}
	}
	return strings.Join(out, ", ")
}

func percent(r *metric.Report, name string) string {
	m, ok := r.Metric(name)
	switch {
	case !ok || !m.Value.Valid() && !strings.HasPrefix(m.Reason, "never"):
		return "-"
	case !m.Value.Valid():
		return "never"
	case m.Value > 0.99 && m.Value < 1:
		return "> 99 %"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(m.Value))
}

func number(r *metric.Report, name string) string {
	if m, ok := r.Metric(name); ok && m.Value.Valid() {
		return fmt.Sprintf("%.2f", float64(m.Value))
	}
	return "-"
}
