package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// Point is a place in a plot; Text is read out and shown under the pointer.
type Point struct {
	X, Y float64
	Text string
}

// Series is a set of points of one look.
type Series struct {
	Name   string
	Points []Point
	Dots   bool // dots alone, hollow: figures from outside; else a line
	Dashed bool // a line to compare with
	Colour int  // 1 to 5
}

// Plot is a plane with lines and dots. Points that are not finite, or not
// positive on a logarithmic axis, are left out and break a line.
type Plot struct {
	Title  string
	X, Y   Axis
	Series []Series
	Height float64 // pixels; 0 takes 280
}

const (
	plotLeft, plotRight = 11.0, 98.5 // percent
	plotTop, axisFoot   = 12.0, 44.0 // pixels
)

func (p *Plot) fit() bool {
	p.X.min, p.Y.min = math.Inf(1), math.Inf(1)
	p.X.max, p.Y.max = math.Inf(-1), math.Inf(-1)
	any := false
	for _, s := range p.Series {
		for _, q := range s.Points {
			if p.shows(q) {
				any = true
				p.X.min, p.X.max = math.Min(p.X.min, q.X), math.Max(p.X.max, q.X)
				p.Y.min, p.Y.max = math.Min(p.Y.min, q.Y), math.Max(p.Y.max, q.Y)
			}
		}
	}
	if any {
		p.X.fit(6)
		p.Y.fit(5)
	}
	return any
}

func (p *Plot) shows(q Point) bool {
	ok := func(a Axis, x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) && (!a.Log || x > 0) }
	return ok(p.X, q.X) && ok(p.Y, q.Y)
}

// SVG draws the plot with its legend; it is empty where there is no point.
func (p Plot) SVG() template.HTML {
	if !p.fit() {
		return ""
	}
	if p.Height == 0 {
		p.Height = 280
	}
	bottom := p.Height - axisFoot
	across := func(x float64) float64 { return plotLeft + (plotRight-plotLeft)*p.X.at(x) }
	down := func(y float64) float64 { return bottom - (bottom-plotTop)*p.Y.at(y) }
	var b strings.Builder
	p.legend(&b)
	fmt.Fprintf(&b, `<svg class="chart" height="%s" role="img" aria-label="%s">`+"\n", number(p.Height), html.EscapeString(p.description()))
	for _, y := range p.Y.tick {
		fmt.Fprintf(&b, `<line class="grid" x1="%s%%" x2="%s%%" y1="%[3]s" y2="%[3]s"/><text class="tick" x="%[1]s%%" y="%[3]s" dx="-6" dy="4" text-anchor="end">%[4]s</text>`+"\n",
			number(plotLeft), number(plotRight), number(down(y)), html.EscapeString(p.Y.text(y)))
	}
	for _, x := range p.X.tick {
		anchor, dx := "middle", 0
		if p.X.at(x) > .97 { // keep the label on the page
			anchor, dx = "end", 8
		}
		fmt.Fprintf(&b, `<line class="grid" x1="%[1]s%%" x2="%[1]s%%" y1="%[2]s" y2="%[3]s"/><text class="tick" x="%[1]s%%" y="%[3]s" dx="%[6]d" dy="16" text-anchor="%[5]s">%[4]s</text>`+"\n",
			number(across(x)), number(plotTop), number(bottom), html.EscapeString(p.X.text(x)), anchor, dx)
	}
	fmt.Fprintf(&b, `<text class="tick" x="%s%%" y="%s" text-anchor="middle">%s</text>`+"\n", number((plotLeft+plotRight)/2), number(p.Height-8), html.EscapeString(p.X.Label))
	for _, s := range p.Series {
		class := fmt.Sprintf("c%d", s.Colour)
		if s.Dashed {
			class += " dashed"
		}
		fmt.Fprintf(&b, `<g class="%s">`, class)
		var last *Point
		for i, q := range s.Points {
			if !p.shows(q) || p.X.at(q.X) < -1e-9 || p.X.at(q.X) > 1+1e-9 {
				last = nil
				continue
			}
			if last != nil && !s.Dots {
				fmt.Fprintf(&b, `<line x1="%s%%" x2="%s%%" y1="%s" y2="%s"/>`, number(across(last.X)), number(across(q.X)), number(down(last.Y)), number(down(q.Y)))
			}
			if s.Dots {
				fmt.Fprintf(&b, `<circle class="given" cx="%s%%" cy="%s" r="4.5"><title>%s</title></circle>`, number(across(q.X)), number(down(q.Y)), html.EscapeString(q.Text))
			} else if q.Text != "" {
				fmt.Fprintf(&b, `<circle class="spot" cx="%s%%" cy="%s" r="6"><title>%s</title></circle>`, number(across(q.X)), number(down(q.Y)), html.EscapeString(q.Text))
			}
			last = &s.Points[i]
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) // every text above was escaped
}

func (p *Plot) legend(b *strings.Builder) {
	b.WriteString(`<ul class="legend"><li>` + html.EscapeString(p.Y.Label) + `:</li>`)
	for _, s := range p.Series {
		if s.Name == "" {
			continue
		}
		mark := `<line x1="2" x2="24" y1="8" y2="8"/>`
		if s.Dots {
			mark = `<circle class="given" cx="13" cy="8" r="4.5"/>`
		}
		dashed := ""
		if s.Dashed {
			dashed = " dashed"
		}
		fmt.Fprintf(b, `<li><svg aria-hidden="true"><g class="c%d%s">%s</g></svg>%s</li>`, s.Colour, dashed, mark, html.EscapeString(s.Name))
	}
	b.WriteString("</ul>\n")
}

// description is what a screen reader says: the first and last point of every
// series, all of those with dots.
func (p *Plot) description() string {
	parts := []string{p.Title}
	for _, s := range p.Series {
		var shown []Point
		for _, q := range s.Points {
			if p.shows(q) {
				shown = append(shown, q)
			}
		}
		if len(shown) == 0 {
			continue
		}
		if !s.Dots && len(shown) > 2 {
			shown = []Point{shown[0], shown[len(shown)-1]}
		}
		var at []string
		for _, q := range shown {
			at = append(at, fmt.Sprintf("%s at %s", p.Y.text(round3(q.Y)), p.X.text(round3(q.X))))
		}
		parts = append(parts, s.Name+": "+strings.Join(at, ", "))
	}
	return strings.Join(parts, ". ") + "."
}

// round3 keeps three digits that count.
func round3(x float64) float64 {
	if x == 0 {
		return 0
	}
	p := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(x))))
	return math.Round(x*p) / p
}
