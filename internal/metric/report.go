package metric

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Version is the version of report.json.
const Version = 1

// Report is report.json: what was measured on one release, and the verdict. It
// compares with confidential originals and is therefore itself confidential.
type Report struct {
	Version int    `json:"version"`
	Tool    string `json:"tool"`
	// Audience is who may read it: empty or internal, recipient, public.
	Audience   string           `json:"audience,omitempty"`
	Simulation bool             `json:"simulation"`
	PlanDigest string           `json:"plan_digest"`
	DataDigest string           `json:"data_digest,omitempty"` // internal audience only
	Seeds      []string         `json:"seeds,omitempty"`       // internal audience only, and only of simulations
	N          map[string]int64 `json:"n"`                     // employers, records, workers, cells, years, population
	Metrics    []Metric         `json:"metrics"`
	Gates      []Gate           `json:"gates"`
	Warnings   []string         `json:"warnings"`
	// Tables and plan are what the HTML report shows beside the metrics.
	Tables []Table `json:"tables,omitempty"`
	Facts  []Fact  `json:"facts,omitempty"`
	Plan   string  `json:"plan,omitempty"`
}

// Gate is the judgement of one gate of a policy.
type Gate struct {
	Metric  string `json:"metric"`
	Group   string `json:"group,omitempty"`
	Pattern string `json:"pattern,omitempty"` // of a policy that judges the worst of several: this one
	At      string `json:"at"`                // upper, lower or value: the number that was judged
	Bound   string `json:"bound"`             // max or min
	Limit   Number `json:"limit"`
	Got     Number `json:"got"`
	Margin  Number `json:"margin"` // how far on the right side; negative is a failure
	Verdict string `json:"verdict"`
	Why     string `json:"why"`    // where the limit comes from, or why it was skipped
	Remedy  string `json:"remedy"` // what to change in the plan
}

// Verdicts of a gate.
const (
	Pass = "pass"
	Fail = "fail"
	Skip = "skip"
)

// Table is a small table of a report, such as the chain employer found x cell
// right. Cells are texts or numbers as they should be shown.
type Table struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Note    string     `json:"note"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Fact is a structural fact (DESIGN 3) with this run's own numbers.
type Fact struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Sentence string `json:"sentence"`
	Holds    bool   `json:"holds"` // the run's numbers show the fact
}

// Passed reports whether no gate failed.
func (r *Report) Passed() bool {
	for _, g := range r.Gates {
		if g.Verdict == Fail {
			return false
		}
	}
	return true
}

// Metric returns the metric of that name.
func (r *Report) Metric(name string) (Metric, bool) {
	for _, m := range r.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

// RowOf returns the top row of a metric for group "", or the row of that group.
func (m Metric) RowOf(group string) (Row, bool) {
	if group == "" {
		return m.Row, true
	}
	for _, r := range m.By {
		if r.Group == group {
			return r, true
		}
	}
	return Row{}, false
}

// Validate checks every metric and that no name stands twice.
func (r *Report) Validate() error {
	if r.Version != Version {
		return fmt.Errorf("report: version is %d, this program reads version %d", r.Version, Version)
	}
	seen := map[string]bool{}
	for _, m := range r.Metrics {
		if err := m.Validate(); err != nil {
			return err
		}
		if seen[m.Name] {
			return fmt.Errorf("report: metric %s stands twice", m.Name)
		}
		seen[m.Name] = true
	}
	return nil
}

// Encode writes the report as indented JSON; the same report gives the same
// bytes.
func (r *Report) Encode(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// Decode reads a report and validates it. Unknown keys are ignored, as the
// format promises; a number whose key is left out is absent, never 0; errors
// name the line.
func Decode(b []byte) (*Report, error) {
	var r Report
	var n numbers
	for _, v := range []any{&n, &r} {
		if err := json.Unmarshal(b, v); err != nil {
			return nil, notReport(b, err)
		}
	}
	n.clear(&r)
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return &r, nil
}

func notReport(b []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var offset int64
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return fmt.Errorf("not a report: %w", err)
	}
	line := 1 + bytes.Count(b[:min(int(offset), len(b))], []byte("\n"))
	return fmt.Errorf("line %d: not a report: %w", line, err)
}

// numbers is every [Number] of a report once more, as a pointer: it tells an
// absent key from 0, which Number cannot, and keeps the position of errors,
// which the decoder loses inside Number.UnmarshalJSON.
type numbers struct {
	Metrics []struct {
		rowNumbers
		By []rowNumbers
	}
	Gates []struct{ Limit, Got, Margin *float64 }
}

type rowNumbers struct{ Value, Low, High, Level, Baseline *float64 }

// clear sets to None what is absent from the file that n was read from.
func (n *numbers) clear(r *Report) {
	absent := func(p *float64, to *Number) {
		if p == nil {
			*to = None
		}
	}
	row := func(p rowNumbers, to *Row) {
		absent(p.Value, &to.Value)
		absent(p.Low, &to.Low)
		absent(p.High, &to.High)
		absent(p.Level, &to.Level)
		absent(p.Baseline, &to.Baseline)
	}
	for i, m := range n.Metrics {
		row(m.rowNumbers, &r.Metrics[i].Row)
		for j, by := range m.By {
			row(by, &r.Metrics[i].By[j])
		}
	}
	for i, g := range n.Gates {
		absent(g.Limit, &r.Gates[i].Limit)
		absent(g.Got, &r.Gates[i].Got)
		absent(g.Margin, &r.Gates[i].Margin)
	}
}
