package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"scramblelab/internal/folder"
	"scramblelab/internal/metric"
	"scramblelab/internal/strictyaml"
)

// Baseline is what was accepted for a scenario: a file under accepted/, beside
// the scenarios, one metric a line.
type Baseline struct {
	// Recipe is the digest of what must be equal for numbers to be compared:
	// population, adversaries, seeds and metrics. The plan may differ: its change
	// is what a benchmark judges.
	Recipe  string     `yaml:"recipe"`
	Seeds   int        `yaml:"seeds"` // that each value is the mean of
	Metrics []Accepted `yaml:"metrics"`
}

// Accepted is one metric of a baseline.
type Accepted struct {
	Metric string  `yaml:"metric"`
	Better string  `yaml:"better"` // lower or higher
	Value  float64 `yaml:"value"`
	// Tolerance is how far the mean of a check may lie on the wrong side.
	Tolerance float64 `yaml:"tolerance"`
	// Spread is the standard deviation between seeds, and N what one seed's value
	// rests on: attempts, employers, cells.
	Spread float64 `yaml:"spread"`
	N      int     `yaml:"n"`
}

// decimals of the numbers of a baseline.
const decimals = 6

// slack is what rounding may cost.
const slack = 1e-6

func baselinePath(scenario string) string {
	return filepath.Join(filepath.Dir(scenario), "accepted", filepath.Base(scenario))
}

// ParseBaseline reads what was accepted; file stands before the positions in
// errors, which are those of [strictyaml.Error].
func ParseBaseline(file string, b []byte) (Baseline, error) {
	d, err := strictyaml.Parse(file, "baseline", b)
	if err != nil {
		return Baseline{}, err
	}
	var x Baseline
	d.Decode(&x)
	if len(d.Bad) > 0 {
		return x, d.Err(file)
	}
	if x.Recipe == "" || x.Seeds < 2 || len(x.Metrics) == 0 {
		d.Fail("", "a baseline wants recipe, seeds (2 or more) and metrics: it is written by scramble bench --accept")
	}
	for i, m := range x.Metrics {
		at := fmt.Sprintf("metrics[%d]", i)
		switch {
		case m.Metric == "":
			d.Fail(at, "a line has no metric")
		case m.Better != string(metric.Lower) && m.Better != string(metric.Higher):
			d.Fail(at, "%s: better is %q, want lower or higher", m.Metric, m.Better)
		case math.IsNaN(m.Value) || math.IsInf(m.Value, 0):
			d.Fail(at, "%s: value is %v, want a finite number", m.Metric, m.Value)
		case !(m.Tolerance >= 0) || math.IsInf(m.Tolerance, 0) || !(m.Spread >= 0) || math.IsInf(m.Spread, 0):
			d.Fail(at, "%s: tolerance %v and spread %v, want finite numbers of 0 or more", m.Metric, m.Tolerance, m.Spread)
		case i > 0 && x.Metrics[i-1].Metric >= m.Metric:
			d.Fail(at, "%s does not come after the line before it: names stand in order, each once", m.Metric)
		}
	}
	return x, d.Err(file)
}

// readBaseline reads the baseline of a scenario file; ok is false where none was
// accepted yet.
func readBaseline(scenario string) (b Baseline, ok bool, err error) {
	path := baselinePath(scenario)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, false, nil
	case err != nil:
		return b, false, fmt.Errorf("bench: %w", err)
	}
	b, err = ParseBaseline(path, text)
	return b, err == nil, err
}

// Encode writes a baseline, the same for the same numbers to the last byte.
func (b Baseline) Encode(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintln(&out, "# Written by scramble bench --accept: look at the difference before you commit it.")
	fmt.Fprintf(&out, "recipe: %s\nseeds: %d\nmetrics:\n", b.Recipe, b.Seeds)
	for _, m := range b.Metrics {
		fmt.Fprintf(&out, "  - {metric: %s, better: %s, value: %s, tolerance: %s, spread: %s, n: %d}\n",
			m.Metric, m.Better, decimal(m.Value), decimal(m.Tolerance), decimal(m.Spread), m.N)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func decimal(x float64) string {
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if text == "-0.000000" {
		return "0.000000"
	}
	return text
}

func writeBaseline(scenario string, b Baseline) error {
	path := baselinePath(scenario)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return folder.WriteFile(path, 0o644, b.Encode)
}

// accept makes a baseline of replications, for checks on so many seeds.
func accept(recipe string, all []Replication, check int) Baseline {
	b := Baseline{Recipe: recipe, Seeds: len(all)}
	there := slices.DeleteFunc(means(all), func(m mean) bool { return m.Missing != "" })
	for _, m := range there {
		b.Metrics = append(b.Metrics, Accepted{
			Metric: m.Metric, Better: string(m.Better), Value: m.Value, Spread: m.spread, N: int(m.N),
			Tolerance: tolerance(m.spread, m.Half, len(all), check, len(there)),
		})
	}
	return b
}
