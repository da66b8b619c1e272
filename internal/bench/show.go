package bench

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"scramblelab/internal/metric"
)

// Text writes outcomes for a terminal: a line a scenario, and under those that
// failed a table of what was accepted, what is now, and what noise leaves open.
// With all, every metric has its line.
func Text(out io.Writer, all []Outcome, every bool) error {
	w := &bytes.Buffer{}
	measured, skipped, failed := 0, 0, 0
	for _, o := range all {
		measured += len(o.Replications)
		if o.Skipped != "" {
			skipped++
		}
		if !o.Passed() {
			failed++
		}
	}
	put(w, "Attack benchmarks: %d scenarios, %d measurements\n\n", len(all), measured)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range all {
		put(t, "%s\t%s\t%s\n", o.word(), o.Name, o.sentence())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, o := range all {
		if err := o.table(w, every); err != nil {
			return err
		}
	}
	switch {
	case failed > 0:
		put(w, "\n%d of %d scenarios failed. Where the change is wanted, run again with --accept and commit what that rewrites, with a reason.\n", failed, len(all))
	case skipped > 0:
		put(w, "\nNOT TRIED: %d of %d scenarios.\n", skipped, len(all))
	}
	_, err := out.Write(w.Bytes())
	return err
}

// put writes into a buffer, or aligns for one: neither fails.
func put(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func (o Outcome) word() string {
	switch {
	case o.Skipped != "":
		return "SKIPPED"
	case !o.Passed():
		return "FAILED"
	case o.Accepted:
		return "accepted"
	}
	return "ok"
}

func (o Outcome) sentence() string {
	switch {
	case o.Skipped != "":
		return o.Skipped
	case o.Failed != "":
		return o.Failed
	case o.Accepted:
		return fmt.Sprintf("%d seeds", len(o.Replications))
	}
	parts := []string{fmt.Sprintf("%d metrics", len(o.Changes))}
	leakier, duller := 0, 0
	for _, c := range o.Changes {
		if c.Verdict == Worse && c.Kind() == "leakier" {
			leakier++
		} else if c.Verdict == Worse {
			duller++
		}
	}
	for _, p := range []struct {
		n    int
		what string
	}{{leakier, "LEAKIER"}, {duller, "DULLER"}, {o.Count(Gone), "gone"}, {o.Count(Better), "better: accept them to hold on to it"}, {o.Count(New), "not accepted yet"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// table writes the metrics of a scenario that are not as they were.
func (o Outcome) table(w io.Writer, every bool) error {
	var shown []Change
	for _, c := range o.Changes {
		if every || c.Verdict != Same {
			shown = append(shown, c)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	put(w, "\n%s: %s\n", o.Name, o.About)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	put(t, "  metric\taccepted\tnow\twithin noise\t\n")
	for _, c := range shown {
		word := c.Verdict
		if c.Verdict == Worse {
			word = strings.ToUpper(c.Kind())
		}
		if c.Verdict == Gone {
			word = "GONE: " + c.Reason
		}
		between := ""
		if c.Low.Valid() {
			between = fmt.Sprintf("%s to %s", figure(c.Low), figure(c.High))
		}
		put(t, "  %s\t%s\t%s\t%s\t%s\n", c.Metric, figure(c.Old), figure(c.New), between, word)
	}
	return t.Flush()
}

func figure(n metric.Number) string {
	if !n.Valid() {
		return "-"
	}
	return fmt.Sprintf("%.4f", float64(n))
}

// Timings writes how long each measurement took, a line each in the format of Go
// benchmarks, which benchstat reads. Measurements that ran side by side share
// the processors.
func Timings(w io.Writer, all []Outcome) error {
	if _, err := fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: scramblelab/benchmarks\n", runtime.GOOS, runtime.GOARCH); err != nil {
		return err
	}
	for _, o := range all {
		for _, r := range o.Replications {
			if _, err := fmt.Fprintf(w, "BenchmarkAttack/%s-%d\t1\t%d ns/op\n", o.Name, runtime.GOMAXPROCS(0), int64(1e9*r.Seconds)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Report is what a run found in the shape of report.json: a metric and a gate for
// every metric of every scenario.
func Report(tool string, all []Outcome) (*metric.Report, error) {
	r := &metric.Report{Version: metric.Version, Tool: tool, Simulation: true, N: map[string]int64{"scenarios": int64(len(all))}, Metrics: []metric.Metric{}, Gates: []metric.Gate{}, Warnings: []string{}}
	for _, o := range all {
		r.N["measurements"] += int64(len(o.Replications))
		if o.Skipped != "" {
			r.Warnings = append(r.Warnings, fmt.Sprintf("scenario %s was not tried: %s", o.Name, o.Skipped))
		}
		if o.Failed != "" {
			r.Gates = append(r.Gates, metric.Gate{Metric: "bench." + o.Name, At: "value", Bound: "max", Limit: metric.None, Got: metric.None, Margin: metric.None, Verdict: metric.Fail, Why: o.Failed})
		}
		for _, c := range o.Changes {
			m, g := c.reported("bench."+o.Name+"."+c.Metric, len(o.Replications))
			r.Metrics = append(r.Metrics, m)
			if c.Verdict != New {
				r.Gates = append(r.Gates, g)
			}
		}
	}
	return r, r.Validate()
}

func (c Change) reported(name string, seeds int) (metric.Metric, metric.Gate) {
	m := metric.Metric{
		Name: name, Better: c.Better,
		Method: fmt.Sprintf("Mean over %d seeds, each another population, fragment, key and choice of targets; the baseline is what was accepted, the interval the tolerance around the value.", seeds),
	}
	g := metric.Gate{
		Metric: name, At: "value", Bound: "max", Limit: c.High, Got: c.New, Margin: c.High - c.New, Verdict: metric.Pass,
		Why: "the accepted value and its tolerance", Remedy: "find what made the release leakier or duller, or accept it: scramble bench --accept",
	}
	if c.Better == metric.Higher {
		g.Bound, g.Limit, g.Margin = "min", c.Low, c.New-c.Low
	}
	if c.Verdict == Worse || c.Verdict == Gone {
		g.Verdict = metric.Fail
	}
	if !c.New.Valid() {
		m.Row = metric.Missing("", c.Reason)
		g.Why = c.Reason
		return m, g
	}
	half := (c.High - c.Low) / 2
	m.Row = metric.Row{Value: c.New, Low: c.New - half, High: c.New + half, Level: level, N: c.N, Baseline: c.Old}
	if !half.Valid() {
		m.Low, m.High, m.Level, m.Reason = metric.None, metric.None, metric.None, c.Reason
	}
	return m, g
}
