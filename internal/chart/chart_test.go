package chart_test

import (
	"encoding/xml"
	"math"
	"strings"
	"testing"

	"scramblelab/internal/chart"
)

func TestNiceStep(t *testing.T) {
	for _, tt := range []struct{ x, want float64 }{{1, 1}, {1.01, 2}, {3, 5}, {7, 10}, {.03, .05}, {1200, 2000}} {
		if got := chart.NiceStep(tt.x); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("NiceStep(%v) = %v, want %v", tt.x, got, tt.want)
		}
	}
}

// TestPictures checks that pictures are well-formed, that texts are escaped,
// and that what cannot be drawn is left out.
func TestPictures(t *testing.T) {
	const label = `<b>&"x"`
	pictures := map[string]string{
		"plot": string(chart.Plot{Title: label, X: chart.Axis{Log: true, Label: label}, Y: chart.Axis{Label: label}, Series: []chart.Series{
			{Name: label, Colour: 1, Points: []chart.Point{{X: 1, Y: 2, Text: label}, {X: math.NaN(), Y: 1}, {X: 0, Y: 1}, {X: 100, Y: 3}, {X: 1000, Y: math.Inf(1)}}},
			{Name: "dots", Dots: true, Colour: 2, Points: []chart.Point{{X: 10, Y: 2.5, Text: label}}},
		}}.SVG()),
		"pyramid": string(chart.Pyramid{Title: label, Classes: []string{label}, Left: []float64{.1}, Right: []float64{.2}, Most: .2}.SVG()),
		"heat": string(chart.Heat{Title: label, Rows: []string{label}, Columns: []string{label, "b"}, Share: [][]float64{{.5, 0}},
			Text: func(int, int, float64) string { return label }}.SVG()),
	}
	for name, s := range pictures {
		for _, bad := range []string{"NaN", "Inf", "<b>", "%!"} {
			if strings.Contains(s, bad) {
				t.Errorf("%s holds %q:\n%s", name, bad, s)
			}
		}
		d := xml.NewDecoder(strings.NewReader("<all>" + s + "</all>"))
		for {
			if _, err := d.Token(); err != nil {
				if err.Error() != "EOF" {
					t.Errorf("%s is not well-formed: %v\n%s", name, err, s)
				}
				break
			}
		}
	}
	if s := (chart.Plot{Series: []chart.Series{{Points: []chart.Point{{X: math.NaN(), Y: 1}}}}}).SVG(); s != "" {
		t.Errorf("a plot without a point is drawn:\n%s", s)
	}
}
