// Package report shows a metric.Report to people: one self-contained HTML file
// that needs no network and runs no script, a summary for the terminal, and
// tables of gates and numbers.
//
// Charts are inline SVG drawn here, because they must take their colours from
// the page (light, dark, paper), keep their letters readable on a telephone,
// carry intervals, baselines and limits, and be readable by a screen reader.
//
// No text of this package calls a release anonymous: it is pseudonymised and
// was tested against named intruders.
package report

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	svg "scramblelab/internal/chart"
	"scramblelab/internal/metric"
)

//go:embed page.html parts.html
var files embed.FS

// Options say for whom a page is written. The zero value is for those inside.
type Options struct {
	Audience Audience
}

// HTML writes a report as one file. For those inside it holds everything, is
// confidential and says so; for others it holds what [Redacted] leaves. The
// same report gives the same bytes.
func HTML(w io.Writer, r *metric.Report, o Options) error {
	if o.Audience == "" {
		o.Audience = Internal
	}
	if _, err := ParseAudience(string(o.Audience)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	r = Redacted(r, o.Audience) // nothing below sees more
	b, err := json.Marshal(r)   // escapes <, > and &: no label can end the script element
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	v := newView(r)
	v.JSON, v.Style = template.JS(b), template.CSS(svg.Style)
	t, err := template.New("page.html").Funcs(template.FuncMap{"count": count}).ParseFS(files, "page.html", "parts.html")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var page bytes.Buffer // a template that fails half-way leaves nothing behind
	if err := t.Execute(&page, v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(page.Bytes())
	return err
}

// tally counts gates by verdict.
type tally struct{ passed, failed, skipped int }

func tallied(gates []metric.Gate) tally {
	var t tally
	for _, g := range gates {
		switch g.Verdict {
		case metric.Pass:
			t.passed++
		case metric.Skip:
			t.skipped++
		default:
			t.failed++
		}
	}
	return t
}

func (t tally) judged() int { return t.passed + t.failed }

// verdict is pass, fail, or skip where nothing was judged.
func (t tally) verdict() string {
	switch {
	case t.failed > 0:
		return metric.Fail
	case t.passed > 0:
		return metric.Pass
	}
	return metric.Skip
}

// headline says in one sentence what was found.
func (t tally) headline() string {
	skipped := ""
	if t.skipped > 0 {
		skipped = fmt.Sprintf("; %d could not be judged", t.skipped)
	}
	switch t.verdict() {
	case metric.Fail:
		return fmt.Sprintf("The release fails %d of %s%s.", t.failed, plural(t.judged(), "gate"), skipped)
	case metric.Pass:
		if t.passed == 1 {
			return "The release passes the one gate that was judged" + skipped + "."
		}
		return fmt.Sprintf("The release passes all %d gates%s.", t.passed, skipped)
	}
	return "No gate was judged: this report gives numbers, not a verdict."
}

// advice says what follows from the verdict.
func (t tally) advice() string {
	switch t.verdict() {
	case metric.Fail:
		return "It is pseudonymised and was tested; it should not leave the building as it is. The reasons, and what to change:"
	case metric.Pass:
		return "It is pseudonymised, tested against the intruders below. Nobody can test against all, so handle it as personal data."
	}
	return "The release is pseudonymised. Handle it as personal data until a policy has judged it."
}
