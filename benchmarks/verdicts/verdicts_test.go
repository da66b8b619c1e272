package verdicts

import (
	"context"
	"flag"
	"strings"
	"testing"

	"scramblelab/internal/metric"
)

var (
	employers = flag.Int("employers", 0, "employers per year of the generated population; 0 skips it")
	survey    = flag.String("survey", "", "plan of a survey to measure the ready plans on, from the root of the repository")
	whole     = flag.String("panel", "", "population folder of which a release of everybody is measured")
	mostCells = flag.Int("cells", 0, "cells up to which resamples take all employers; 0 takes a million")
	seed      = flag.Uint64("seed", 1, "number that fixes population, keys and resamples")
)

func TestReadyPlansOnPopulation(t *testing.T) {
	if *employers == 0 {
		t.Skip("ask for it with -employers 6000")
	}
	table, err := Table(context.Background(), t.TempDir(), *employers, "", *seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table)
}

func TestSurvey(t *testing.T) {
	if *survey == "" {
		t.Skip("ask for it with -survey examples/ses/plan.yaml")
	}
	t.Chdir("../..") // paths in a plan are relative to the working directory
	table, err := Table(context.Background(), t.TempDir(), 0, *survey, *seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table)
}

func TestPanel(t *testing.T) {
	if *whole == "" {
		t.Skip("ask for it with -panel POPULATION, a folder that synth population wrote")
	}
	if err := Panel(context.Background(), *whole, *seed, *mostCells, t.Logf); err != nil {
		t.Fatal(err)
	}
}

// Every ready plan has steps for a survey, and can be planned on a population.
func TestReadyPlans(t *testing.T) {
	for _, n := range ready() {
		if onSurvey[n] == "" {
			t.Errorf("plan %s has no steps for a survey", n)
		}
		p, err := planned(n, 500, "")
		if err != nil || p.Data.Generate.Employers != 500 {
			t.Errorf("%s: %+v, %v", n, p.Data.Generate, err)
		}
	}
	if _, err := planned("no-such", 1, ""); err == nil {
		t.Error("a plan that does not exist was planned")
	}
	if _, err := planned("tune", 1, "x"); err == nil || !strings.Contains(err.Error(), "no steps") {
		t.Errorf("the tuner's space on a survey: %v", err)
	}
}

func TestLine(t *testing.T) {
	r := &metric.Report{
		Metrics: []metric.Metric{
			{Name: "fidelity.cells.share-exact", Row: metric.Row{Value: 0.125}}, {Name: "fidelity.propensity.auc", Row: metric.Row{Value: 0.5}},
			{Name: "fidelity.regression.wage-subsample", Row: metric.Missing("", "never: not even a sample of two")},
		},
		Tables: []metric.Table{{Name: "did", Rows: [][]string{{"a", "same"}, {"b", "flipped"}, {"c", "same"}, {"d", "not estimated"}}}},
	}
	want := "| x | 12 % | cannot be estimated | cannot be estimated | 2 same, 1 flipped | cannot be estimated | never | 0.50 |"
	if got := line("x", r); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
