package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"scramblelab/internal/metric"
)

// screen is the width of a terminal in letters.
const screen = 100

// Gates writes a table of judged gates for a terminal: a failure says what was
// got, what is allowed and what to change.
func Gates(w io.Writer, gates []metric.Gate) {
	r := &metric.Report{}
	fmt.Fprintln(w, English.headline(tallied(gates)))
	for _, g := range gates {
		v := English.viewGate(r, g)
		if v.Missing {
			fmt.Fprintf(w, "  %-8s %s\n", v.Word, v.Name)
			wrapped(w, "           ", "no number: "+g.Why+"; the policy wants "+English.gateSide(g)+" "+limit(g.Limit, ""))
		} else {
			fmt.Fprintf(w, "  %-8s %s\n           %s %s, got %s (%s), margin %s\n", v.Word, v.Name, English.gateSide(g), limit(g.Limit, ""), number(g.Got), v.At, number(g.Margin))
		}
		if v.Verdict == metric.Fail && v.Remedy != "" {
			wrapped(w, "           ", "change: "+v.Remedy)
		}
	}
}

// Summary writes one screen of 100 columns: what was released and what fraction
// that is, what an intruder got, what the analysis lost, which gate failed and
// what to change, where to look next. out is the folder that was written.
func Summary(w io.Writer, r *metric.Report, out string) {
	fmt.Fprintf(w, "Released   %s\n\n", English.released(r))
	if rows := intruders(r); len(rows) > 0 {
		grid{{"What an intruder gets", "who", "right", "95 % interval", "without", "N in M"}}.write(w, rows, "  ")
	} else {
		fmt.Fprintln(w, "What an intruder gets: not measured")
	}
	fmt.Fprintln(w)
	if rows := losses(r); len(rows) > 0 {
		grid{{"What the analysis keeps", "value", "95 % interval", "floor", ""}}.write(w, rows, "  ")
	} else {
		fmt.Fprintln(w, "What the analysis keeps: not measured")
	}
	fmt.Fprintln(w)
	verdicts(w, r)
	fmt.Fprintf(w, "\nReport     %s/internal/report.html (confidential: open it in a browser)\nRelease    %s/release (what may leave once every gate passes)\nEscrow     %s.escrow (undoes everything: keep it inside)\n", out, out, out)
}

// intruders are the rows of a summary: who names employers, and how far the
// strongest gets with a worker.
func intruders(r *metric.Report) [][]string {
	const most = 5
	var rows [][]string
	lead := "employer named right"
	for _, m := range r.Metrics {
		a, ok := parseAttack(m.Name)
		if ok && a.target == "employer" && a.method == "assignment" && a.measure == "top1" && len(rows) < most {
			rows = append(rows, intruderRow(lead, m))
			lead = ""
		}
	}
	for _, v := range []struct{ prefix, suffix, label string }{
		{"attack.employer.assignment.", ".workers-exposed", "their share of the staff"},
		{"attack.worker.cell-known-employer.", ".wage-class", "wage class, employer known"},
		{"attack.worker.chain.", ".excess", "wage class beyond a guess"},
	} {
		if m, ok := strongest(r, v.prefix, v.suffix); ok {
			rows = append(rows, intruderRow(v.label, m))
		}
	}
	return rows
}

func intruderRow(label string, m metric.Metric) []string {
	a, _ := parseAttack(m.Name)
	if !m.Value.Valid() {
		return []string{label, clip(a.adversary, 20), none, "not measured: " + clip(m.Reason, 30)}
	}
	return []string{label, clip(a.adversary, 20), shown(m.Value, m.Unit), English.interval(m.Row, m.Unit), shown(m.Baseline, m.Unit), English.sizes(m.Row)}
}

func losses(r *metric.Report) [][]string {
	var rows [][]string
	for _, name := range []string{"fidelity.cells.share-exact", "fidelity.margins.level-field-tv", "fidelity.wages.level-field-error", "fidelity.regression.wage-overlap", "fidelity.did.overlap"} {
		m, ok := r.Metric(name)
		if !ok {
			continue
		}
		v := English.viewNumber(m, m.Row)
		if v.Missing != "" && !m.Value.Valid() {
			rows = append(rows, []string{v.What, none, "not measured: " + clip(m.Reason, 35)})
			continue
		}
		rows = append(rows, []string{v.What, v.Value, v.Interval, v.Base, strings.ToLower(v.Better)})
	}
	return rows
}

// verdicts says which gates failed and what to change. A remedy that serves
// several gates is said once.
func verdicts(w io.Writer, r *metric.Report) {
	const most = 4
	t := tallied(r.Gates)
	fmt.Fprintf(w, "Gates      %s\n", English.headline(t))
	failed, said := 0, map[string]bool{}
	for _, g := range r.Gates {
		v := English.viewGate(r, g)
		if v.Verdict != metric.Fail {
			continue
		}
		if failed++; failed > most {
			continue
		}
		got := map[string]string{"upper": "up to ", "lower": "down to "}[g.At] + v.Got + ", want " + v.Limit
		if v.Missing {
			got = "no number to judge"
		}
		wrapped(w, "  FAILED   ", v.What+": "+got)
		if v.Remedy != "" && !said[v.Remedy] {
			wrapped(w, "           ", "change: "+v.Remedy)
		}
		said[v.Remedy] = true
	}
	if failed > most {
		fmt.Fprintf(w, "  and %d more: see the report\n", failed-most)
	}
	if t.passed+t.skipped > 0 && t.failed > 0 {
		var names []string
		for _, g := range r.Gates {
			if g.Verdict == metric.Pass {
				names = append(names, short(g))
			}
		}
		if len(names) > 0 {
			fmt.Fprintf(w, "  passed   %s\n", clip(strings.Join(names, ", "), screen-11))
		}
	}
	var skipped []string
	for _, g := range r.Gates {
		if g.Verdict == metric.Skip {
			skipped = append(skipped, short(g))
		}
	}
	if len(skipped) > 0 {
		fmt.Fprintf(w, "  skipped  %s\n", clip(strings.Join(skipped, ", "), screen-11))
	}
}

// short names what a gate limits without its family.
func short(g metric.Gate) string {
	_, rest, _ := strings.Cut(g.Metric, ".")
	return rest
}

// Numbers writes every metric of a report in a line each under the part of the
// name that they share, with interval, baseline, size and direction.
func Numbers(w io.Writer, r *metric.Report) {
	var rows [][]string
	head := ""
	for _, m := range r.Metrics {
		i := strings.LastIndexByte(m.Name, '.')
		if h := m.Name[:max(0, i)]; h != head {
			head = h
			rows = append(rows, []string{h})
		}
		v := English.viewNumber(m, m.Row)
		if !m.Value.Valid() {
			rows = append(rows, []string{"  " + m.Name[i+1:], none, "not measured: " + clip(m.Reason, 60)})
			continue
		}
		base := ""
		if m.Baseline.Valid() {
			base = map[bool]string{true: "without ", false: "floor "}[family(m.Name) == "attack"] + v.Base
		}
		rows = append(rows, []string{"  " + m.Name[i+1:], strings.TrimSpace(v.Value + " " + strings.ReplaceAll(clip(v.Unit, 16), "standard errors", "SE")), v.Interval, base, v.Sizes, string(m.Better)})
	}
	grid{{"metric", "value", "95 % interval", "baseline", "N in M", "better"}}.write(w, rows, "")
}

// grid is a table for a terminal: columns of numbers stand to the right, words
// to the left. A row with fewer cells than the head says why there is no
// number: its last cell runs on.
type grid [][]string

func (g grid) write(w io.Writer, rows [][]string, indent string) {
	head := g[0]
	width, right := make([]int, len(head)), make([]bool, len(head))
	for i, h := range head {
		width[i] = utf8.RuneCountInString(h)
	}
	rows = append([][]string{head}, rows...)
	for k, r := range rows {
		if k > 0 {
			r = append([]string{indent + r[0]}, r[1:]...)
			rows[k] = r
		}
		for i, s := range r {
			if len(r) == len(head) || i < len(r)-1 {
				width[i] = max(width[i], utf8.RuneCountInString(s))
				right[i] = right[i] || i > 0 && k > 0 && numeric(s)
			}
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, s := range r {
			pad := strings.Repeat(" ", max(0, width[i]-utf8.RuneCountInString(s)))
			if right[i] && (len(r) == len(head) || i < len(r)-1) {
				s = pad + s
			} else {
				s += pad
			}
			b.WriteString(s + "  ")
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

func numeric(s string) bool {
	return s != "" && (s[0] >= '0' && s[0] <= '9' || strings.ContainsAny(s[:1], "-<>"))
}

// wrapped writes a text in lines of a screen; lead stands before the first
// line, as many blanks before the others.
func wrapped(w io.Writer, lead, text string) {
	const tie = "\x00" // a number stays with its sign
	words := strings.Split(strings.ReplaceAll(text, " %", tie+"%"), " ")
	line := lead
	fresh := true
	for _, word := range words {
		if !fresh && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > screen {
			fmt.Fprintln(w, line)
			line, fresh = strings.Repeat(" ", utf8.RuneCountInString(lead)), true
		}
		if !fresh {
			line += " "
		}
		line += strings.ReplaceAll(word, tie, " ")
		fresh = false
	}
	fmt.Fprintln(w, strings.TrimRight(line, " "))
}
