package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// Pyramid shows shares of two groups by class, the lowest class at the bottom.
type Pyramid struct {
	Title       string
	Classes     []string
	Left, Right []float64 // shares of the whole
	Most        float64   // share at the end of either axis, so that several compare
}

// SVG draws the pyramid.
func (p Pyramid) SVG() template.HTML {
	const row, top = 17.0, 20.0
	var b strings.Builder
	height := top + row*float64(len(p.Classes)) + 4
	var said []string
	for i, c := range p.Classes {
		said = append(said, fmt.Sprintf("%s: men %.1f %%, women %.1f %%", c, 100*p.Left[i], 100*p.Right[i]))
	}
	fmt.Fprintf(&b, `<svg class="chart pyramid" height="%s" role="img" aria-label="%s. %s.">`+"\n", number(height), html.EscapeString(p.Title), html.EscapeString(strings.Join(said, "; ")))
	b.WriteString(`<text class="tick" x="42%" y="12" text-anchor="end">men</text><text class="tick" x="58%" y="12">women</text>` + "\n")
	const side, gap = 41.0, 9.0 // percent of the width for a side, half the middle
	for i, c := range p.Classes {
		y := top + row*float64(len(p.Classes)-1-i)
		l, r := side*math.Min(1, p.Left[i]/p.Most), side*math.Min(1, p.Right[i]/p.Most)
		fmt.Fprintf(&b, `<g><title>%s</title><rect class="b1" x="%s%%" y="%s" width="%s%%" height="14"/><rect class="b2" x="%s%%" y="%[3]s" width="%[6]s%%" height="14"/><text class="tick" x="50%%" y="%[7]s" text-anchor="middle">%[8]s</text></g>`+"\n",
			html.EscapeString(said[i]), number(50-gap-l), number(y), number(l), number(50+gap), number(r), number(y+11.5), html.EscapeString(c))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// Heat is a table of shares, the darker the larger, by the logarithm. Cells
// with nothing stay empty.
type Heat struct {
	Title         string
	Rows, Columns []string
	Share         [][]float64 // by row and column
	Text          func(row, column int, share float64) string
}

// SVG draws the table.
func (h Heat) SVG() template.HTML {
	const cell, top, left = 19.0, 34.0, 9.0
	least, most := math.Inf(1), 0.0
	for _, r := range h.Share {
		for _, x := range r {
			if x > 0 {
				least, most = math.Min(least, x), math.Max(most, x)
			}
		}
	}
	least = math.Max(least, most/1e4)
	width := (100 - left) / float64(len(h.Columns))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart heat" height="%s" role="img" aria-label="%s">`+"\n", number(top+cell*float64(len(h.Rows))+2), html.EscapeString(h.Title))
	for j, c := range h.Columns {
		fmt.Fprintf(&b, `<svg x="%s%%" y="%s" overflow="visible"><text class="tick" transform="rotate(-90)" dy="4">%s</text></svg>`, number(left+width*(float64(j)+.5)), number(top-4), html.EscapeString(c))
	}
	b.WriteString("\n")
	for i, r := range h.Rows {
		y := top + cell*float64(i)
		fmt.Fprintf(&b, `<text class="tick" x="%s%%" y="%s" dx="-5" text-anchor="end">%s</text>`, number(left), number(y+13), html.EscapeString(r))
		for j := range h.Columns {
			x := h.Share[i][j]
			opacity := 0.0
			if x > 0 {
				opacity = .06 + .94*math.Max(0, math.Log(x/least)/math.Log(math.Max(most/least, 1.0001)))
			}
			fmt.Fprintf(&b, `<rect x="%s%%" y="%s" width="%s%%" height="%s" fill-opacity="%s"><title>%s</title></rect>`, number(left+width*float64(j)), number(y), number(width-.15), number(cell-1.5),
				number(opacity), html.EscapeString(h.Text(i, j, x)))
		}
		b.WriteString("\n")
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
