package realism

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"

	"scramblelab/internal/chart"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// page is what the template reads.
type page struct {
	*Scorecard
	Style    template.CSS
	Figures  []figure
	Headline string
	Verdict  string
	Failed   []Result
	Conflict []Result // missed and sourced, but excluded by other figures
	Off      []Result // missed, by expert knowledge or assumption
}

// HTML writes the scorecard and its pictures as one self-contained page, which
// needs no network and runs no script.
func HTML(w io.Writer, c *Scorecard) error {
	p := page{Scorecard: c, Style: template.CSS(chart.Style + chart.PlotStyle + pageStyle), Figures: c.pictures.figures, Verdict: "pass"}
	for _, s := range c.Sections {
		for _, r := range s.Lines {
			switch {
			case r.Fails:
				p.Failed = append(p.Failed, r)
			case r.Conflict:
				p.Conflict = append(p.Conflict, r)
			case r.Verdict == Missed:
				p.Off = append(p.Off, r)
			}
		}
	}
	switch {
	case len(p.Failed) == 1:
		p.Verdict, p.Headline = "fail", "One sourced figure is missed."
	case len(p.Failed) > 1:
		p.Verdict, p.Headline = "fail", fmt.Sprintf("%d sourced figures are missed.", len(p.Failed))
	case c.Summary.Met == 0:
		p.Verdict, p.Headline = "skip", "No target could be judged."
	case len(p.Conflict) > 0:
		p.Headline = fmt.Sprintf("No sourced figure is missed, but for %d that contradict others.", len(p.Conflict))
	default:
		p.Headline = "No sourced figure is missed."
	}
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("realism: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("realism: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// Judged reports whether the target has a verdict of its own.
func (r Result) Judged() bool { return r.Verdict == Met || r.Verdict == Missed }

// Class is the style of the verdict.
func (r Result) Class() string {
	switch {
	case r.Fails:
		return "fail"
	case r.Verdict == Missed:
		return "skip"
	case r.Verdict == Met:
		return "pass"
	}
	return ""
}

// Word is the verdict for the page.
func (r Result) Word() string {
	switch {
	case r.Fails:
		return "fails"
	case r.Conflict:
		return "conflict"
	}
	return r.Verdict
}

// Place is where the realised figure lies in a strip of 100: 50 is the middle
// of what is wanted, 25 and 75 are the ends of what is allowed.
func (r Result) Place() float64 {
	half := (r.High-r.Low)/2 + r.Tolerance + float64(r.Noise)
	x := float64(r.Value) - (r.High+r.Low)/2
	if half <= 0 {
		if x == 0 {
			return 50
		}
		return 97
	}
	return chart.Round(math.Max(3, math.Min(97, 50+25*x/half)))
}
