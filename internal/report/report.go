// Package report shows a metric.Report to people: one self-contained HTML file
// that needs no network, a summary for the terminal, and tables of gates and
// numbers.
//
// Charts are inline SVG drawn here, because they must take their colours from
// the page (light, dark, paper), keep their letters readable on a telephone,
// carry intervals, baselines and limits, and be readable by a screen reader. The
// one script of the page sorts its tables and reads out its charts; the page
// names it by its hash, and lets no other run.
//
// No text of this package calls a release anonymous: it is pseudonymised and
// was tested against named intruders.
package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"

	svg "scramblelab/internal/chart"
	"scramblelab/internal/metric"
)

//go:embed page.html parts.html
var files embed.FS

//go:embed page.css
var style string

// script sorts tables, filters them and shows what lies under the pointer or
// the arrow keys; without it the page lacks nothing else.
//
//go:embed page.js
var script string

// Options say for whom a page is written. The zero value is English, for those
// inside.
type Options struct {
	Audience Audience
	Lang     Lang
}

// HTML writes a report as one file. For those inside it holds everything, is
// confidential and says so; for others it holds what [Redacted] leaves. The
// same report gives the same bytes.
func HTML(w io.Writer, r *metric.Report, o Options) error {
	if _, err := ParseAudience(string(cmp.Or(o.Audience, Internal))); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if _, err := ParseLang(string(cmp.Or(o.Lang, English))); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	r = Redacted(r, o.Audience) // nothing below sees more
	b, err := json.Marshal(r)   // escapes <, > and &: no label can end the script element
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	v := newView(r, cmp.Or(o.Lang, English))
	sum := sha256.Sum256([]byte(script))
	v.JSON, v.Style = template.JS(b), template.CSS(svg.Style+svg.PlotStyle+style)
	v.Script, v.ScriptHash = template.JS(script), base64.StdEncoding.EncodeToString(sum[:])
	t, err := template.New("page.html").Funcs(template.FuncMap{"say": v.lang.say}).ParseFS(files, "page.html", "parts.html")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var page bytes.Buffer // a template that fails half-way leaves nothing behind
	if err := t.Execute(&page, v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(tied(page.Bytes()))
	return err
}

// tied keeps numbers and their signs on one line, in what people read.
func tied(page []byte) []byte {
	head, data, ok := bytes.Cut(page, []byte("<script type"))
	head = bytes.ReplaceAll(head, []byte(" %"), []byte("\u00a0%"))
	if !ok {
		return head
	}
	return slices.Concat(head, []byte("<script type"), data)
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
func (l Lang) headline(t tally) string {
	skipped := ""
	if t.skipped > 0 {
		skipped = l.say("headline.skipped", fmt.Sprint(t.skipped))
	}
	switch t.verdict() {
	case metric.Fail:
		return l.say("headline.fail", fmt.Sprint(t.failed), l.gates(t.judged()), skipped)
	case metric.Pass:
		if t.passed == 1 {
			return l.say("headline.pass-one", skipped)
		}
		return l.say("headline.pass", fmt.Sprint(t.passed), skipped)
	}
	return l.say("headline.skip")
}
