package report

import (
	"fmt"
	"io"
	"strings"

	"scramblelab/internal/compare"
	"scramblelab/internal/metric"
)

// Comparison writes what got better or worse for a terminal; all shows what
// stayed the same as well.
func Comparison(w io.Writer, c *compare.Comparison, all bool) {
	for _, s := range c.Warnings {
		wrapped(w, "note: ", s)
	}
	fmt.Fprintln(w, comparisonHead(c))
	head := grid{{"", "old", "new", "difference", ""}}
	for _, part := range comparisonParts(c, all) {
		fmt.Fprintf(w, "\n%s\n", capital(part.title))
		var rows [][]string
		for _, x := range part.changes {
			rows = append(rows, changeRow(x))
		}
		head.write(w, rows, "  ")
	}
	for _, g := range c.Gates {
		fmt.Fprintf(w, "\nGate %s: %s, was %s", gateName(g), gateVerdict(g.New), gateVerdict(g.Old))
	}
	if len(c.Gates) > 0 {
		fmt.Fprintln(w)
	}
	list := func(title string, names []string) {
		if len(names) > 0 {
			fmt.Fprintln(w)
			wrapped(w, title, strings.Join(names, ", "))
		}
	}
	list("Only in the old report: ", c.OnlyOld)
	list("Only in the new report: ", c.OnlyNew)
}

// ComparisonMarkdown writes the same for a comment on a change.
func ComparisonMarkdown(w io.Writer, c *compare.Comparison, all bool) {
	for _, s := range c.Warnings {
		fmt.Fprintf(w, "> %s\n\n", s)
	}
	fmt.Fprintf(w, "**%s**\n", comparisonHead(c))
	for _, part := range comparisonParts(c, all) {
		fmt.Fprintf(w, "\n| %s | old | new | difference | |\n|---|---|---|---|---|\n", part.title)
		for _, x := range part.changes {
			row := changeRow(x)
			for i := range row {
				row[i] = cell(row[i])
			}
			fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
		}
	}
	for _, g := range c.Gates {
		fmt.Fprintf(w, "\n- gate `%s`: %s, was %s", gateName(g), gateVerdict(g.New), gateVerdict(g.Old))
	}
	fmt.Fprintln(w)
}

func comparisonHead(c *compare.Comparison) string {
	return fmt.Sprintf("%d better, %d worse, %d not told apart, %d without a verdict, at %s for the whole comparison.",
		c.Count(compare.Better), c.Count(compare.Worse), c.Count(compare.Same), c.Count(compare.Unknown)+c.Count(compare.Changed), shown(metric.Number(c.Level), "share"))
}

type comparisonPart struct {
	title   string
	changes []compare.Change
}

// comparisonParts groups changes by verdict, bad news first.
func comparisonParts(c *compare.Comparison, all bool) []comparisonPart {
	var out []comparisonPart
	for _, v := range []struct{ verdict, title string }{
		{compare.Worse, "worse"}, {compare.Better, "better"}, {compare.Changed, "changed, neither good nor bad"},
		{compare.Unknown, "no verdict"}, {compare.Same, "not told apart"},
	} {
		p := comparisonPart{title: v.title}
		for _, x := range c.Changes {
			if x.Verdict == v.verdict {
				p.changes = append(p.changes, x)
			}
		}
		if len(p.changes) > 0 && (all || v.verdict != compare.Same) {
			out = append(out, p)
		}
	}
	return out
}

func changeRow(x compare.Change) []string {
	name := x.Metric
	if x.Group != "" {
		name += " [" + x.Group + "]"
	}
	unit := x.Unit
	if strings.HasSuffix(x.Metric, "overlap") {
		unit = ""
	}
	if !x.Low.Valid() {
		return []string{name, shown(x.Old, unit), shown(x.New, unit), x.Reason}
	}
	between := shown(x.Low, unit) + " to " + shown(x.High, unit)
	if x.Low == x.High {
		between = shown(x.Low, unit)
	}
	return []string{name, shown(x.Old, unit), shown(x.New, unit), between, x.Reason}
}

func gateName(g compare.GateChange) string {
	if g.Group != "" {
		return g.Metric + " [" + g.Group + "]"
	}
	return g.Metric
}

func gateVerdict(v string) string {
	if v == "" {
		return "not there"
	}
	return English.verdictWord(v)
}
