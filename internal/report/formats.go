package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"scramblelab/internal/metric"
)

// judged says in one sentence what a gate found.
func judged(r *metric.Report, g metric.Gate) string {
	v := English.viewGate(r, g)
	if v.Missing {
		return "no number: " + g.Why + "; want " + v.Limit
	}
	return fmt.Sprintf("%s %s, want %s (margin %s)", v.At, v.Got, v.Limit, number(g.Margin))
}

// GatesJUnit writes judged gates as a JUnit file, a test case per gate, as CI
// systems show them. The suite is named after the policy.
func GatesJUnit(w io.Writer, r *metric.Report, policy string) error {
	type message struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Failure *message `xml:"failure,omitempty"`
		Skipped *message `xml:"skipped,omitempty"`
		Out     string   `xml:"system-out,omitempty"`
	}
	type testsuite struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	t := tallied(r.Gates)
	s := testsuite{Name: "scramble gate " + policy, Tests: len(r.Gates), Failures: t.failed, Skipped: t.skipped}
	for _, g := range r.Gates {
		v := English.viewGate(r, g)
		c := testcase{Name: strings.TrimSpace(v.Name + " " + English.gateSide(g)), Class: family(g.Metric), Out: judged(r, g)}
		switch v.Verdict {
		case metric.Fail:
			c.Failure = &message{judged(r, g), "why: " + g.Why + "\nchange: " + v.Remedy}
			c.Out = ""
		case metric.Skip:
			c.Skipped = &message{Message: g.Why}
			c.Out = ""
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// GatesMarkdown writes judged gates as a table, for a comment on a change.
func GatesMarkdown(w io.Writer, r *metric.Report) {
	fmt.Fprintf(w, "**%s**\n\n| verdict | gate | judged | limit | got | margin |\n|---|---|---|---|---|---|\n", English.headline(tallied(r.Gates)))
	for _, g := range r.Gates {
		v := English.viewGate(r, g)
		fmt.Fprintf(w, "| %s | %s (`%s`) | %s | %s | %s | %s |\n", v.Word, cell(v.What), cell(v.Name), v.At, v.Limit, v.Got, number(g.Margin))
	}
	for _, g := range r.Gates {
		if v := English.viewGate(r, g); v.Verdict == metric.Fail && v.Remedy != "" {
			fmt.Fprintf(w, "\n- `%s`: %s", cell(v.Name), v.Remedy)
		}
	}
	fmt.Fprintln(w)
}

// cell escapes what would end a cell of a Markdown table.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }

// GatesGitHub writes failed gates as workflow commands, which GitHub Actions
// shows at the head of a run: an error each, a warning for what was skipped.
func GatesGitHub(w io.Writer, r *metric.Report, file string) {
	for _, g := range r.Gates {
		v := English.viewGate(r, g)
		level, text := "", judged(r, g)
		switch v.Verdict {
		case metric.Fail:
			level = "error"
			if v.Remedy != "" {
				text += ". Change: " + v.Remedy
			}
		case metric.Skip:
			level = "warning"
		default:
			continue
		}
		fmt.Fprintf(w, "::%s file=%s,title=%s::%s\n", level, property.Replace(file), property.Replace(v.What), data.Replace(text))
	}
	fmt.Fprintf(w, "::notice title=scramble gate::%s\n", data.Replace(English.headline(tallied(r.Gates))))
}

// Letters that end a workflow command or a property of it.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
