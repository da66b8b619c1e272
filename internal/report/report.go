// Package report shows a metric.Report to people: one self-contained HTML file
// that needs no network, a summary for the terminal, and a table of gates.
//
// Charts are inline SVG drawn here, because they must take their colours from
// the page (light, dark, paper), carry intervals, baselines and limits, and be
// readable by a screen reader; they are dots on a line, nothing more.
package report

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"scramblelab/internal/metric"
)

//go:embed page.html
var files embed.FS

// page is what the template shows.
type page struct {
	*metric.Report
	Title    string
	Verdict  string // pass or fail
	Headline string
	Failed   []metric.Gate
	Risk     []metric.Metric
	Use      []metric.Metric
	Swap     []metric.Metric
	Chain    []metric.Table
	Other    []metric.Table
	Charts   []chart
	JSON     template.JS
}

// HTML writes the whole report as one file. It contains confidential figures
// and says so.
func HTML(w io.Writer, r *metric.Report) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	p := page{Report: r, Title: "Scramble report", Verdict: metric.Pass, Headline: headline(r), JSON: template.JS(bytes.ReplaceAll(b, []byte("</"), []byte(`<\/`)))}
	for _, g := range r.Gates {
		if g.Verdict == metric.Fail {
			p.Failed, p.Verdict = append(p.Failed, g), metric.Fail
		}
	}
	for _, m := range r.Metrics {
		switch family(m.Name) {
		case "attack":
			p.Risk = append(p.Risk, m)
		case "fidelity":
			p.Use = append(p.Use, m)
		default:
			p.Swap = append(p.Swap, m)
		}
	}
	for _, t := range r.Tables {
		if strings.HasPrefix(t.Name, "chain") {
			p.Chain = append(p.Chain, t)
		} else {
			p.Other = append(p.Other, t)
		}
	}
	p.Charts = charts(r)
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"number": number, "interval": interval, "limit": func(g metric.Gate) string { return gateLimit(g) }, "metricNumber": metricNumber,
		"metricBaseline": func(m metric.Metric) string { return shown(m.Baseline, m.Unit) }, "plain": plain,
		"rowNumber": func(m metric.Metric, r metric.Row) string { return rowNumber(r, m.Unit) },
		"rowBaseline": func(m metric.Metric, r metric.Row) string { return shown(r.Baseline, m.Unit) },
		"direction": direction, "verdictWord": verdictWord, "count": count, "anchor": anchor, "chartOf": func(cs []chart, id string) []chart {
			var out []chart
			for _, c := range cs {
				if c.Section == id {
					out = append(out, c)
				}
			}
			return out
		},
	}).ParseFS(files, "page.html")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// headline says in one sentence what was found.
func headline(r *metric.Report) string {
	failed, judged := 0, 0
	for _, g := range r.Gates {
		if g.Verdict != metric.Skip {
			judged++
		}
		if g.Verdict == metric.Fail {
			failed++
		}
	}
	if failed == 0 {
		return fmt.Sprintf("The release passes all %d gates that could be judged.", judged)
	}
	return fmt.Sprintf("The release fails %d of %d gates.", failed, judged)
}

func family(name string) string { return name[:strings.IndexByte(name+".", '.')] }

func anchor(name string) string { return strings.ReplaceAll(name, ".", "-") }
