package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"scramblelab/internal/metric"
)

// Gates writes a table of judged gates for a terminal, failures with what to
// change.
func Gates(w io.Writer, gates []metric.Gate) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, g := range gates {
		name := g.Metric
		if g.Group != "" {
			name += " [" + g.Group + "]"
		}
		detail := fmt.Sprintf("%s %s, %s bound %s, margin %s", g.Bound, number(g.Limit), g.At, number(g.Got), number(g.Margin))
		if !g.Got.Valid() {
			detail = g.Why
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", verdictWord(g.Verdict), name, detail)
	}
	t.Flush()
	for _, g := range gates {
		if g.Verdict == metric.Fail && g.Remedy != "" {
			fmt.Fprintf(w, "  to change: %s\n", g.Remedy)
		}
	}
}

// Summary writes one screen: what was released and what fraction that is, what
// an intruder got, what the analysis lost, which gate failed and what to
// change. out is the folder that was written.
func Summary(w io.Writer, r *metric.Report, out string) {
	n := r.N
	what := "a sample of the workers"
	if n["selection"] > 0 {
		what = fmt.Sprintf("%.1f %% of the %s in the selection", 100*float64(n["records"])/float64(n["selection"]), count(n["selection"]))
	}
	fmt.Fprintf(w, "Released   %s records (%s): %s cells, %s workers, %s years\n", count(n["records"]), what, count(n["cells"]), count(n["workers"]), count(max(1, n["years"])))
	section := func(title string, unit bool, pick func(metric.Metric) bool, limit int) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		lead := title
		for _, m := range r.Metrics {
			if limit == 0 || !pick(m) {
				continue
			}
			limit--
			base := ""
			if m.Baseline.Valid() {
				base = map[bool]string{true: "without the release ", false: "floor "}[unit] + shown(m.Baseline, m.Unit)
			}
			value := shown(m.Value, m.Unit)
			if i := interval(m.Row, m.Unit); i != "" && i != "exact" {
				value += "  [" + i + "]"
			}
			if !m.Value.Valid() {
				value, base = "not measured", clip(m.Reason, 60)
			}
			fmt.Fprintf(t, "%-10s %s\t%s\t%s\n", lead, plain(m.Name), value, base)
			lead = ""
		}
		t.Flush()
	}
	section("Intruders", true, func(m metric.Metric) bool {
		return strings.HasSuffix(m.Name, ".top1") && strings.Contains(m.Name, ".assignment.") || strings.HasSuffix(m.Name, ".wage-class") && strings.HasPrefix(m.Name, "attack.worker.")
	}, 6)
	section("Analysis", false, func(m metric.Metric) bool {
		switch m.Name {
		case "fidelity.cells.share-exact", "fidelity.margins.level-field-tv", "fidelity.wages.level-field-error", "fidelity.regression.wage-overlap", "fidelity.did.overlap":
			return true
		}
		return false
	}, 5)
	fmt.Fprintln(w, "Gates      "+headline(r))
	Gates(w, r.Gates)
	fmt.Fprintf(w, "Report     %s/internal/report.html (confidential)\nRelease    %s/release\nEscrow     %s.escrow (whoever has it can undo everything)\n", out, out, out)
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
