package realism

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"

	"scramblelab/internal/chart"
)

// pictures are those of the page.
type pictures struct{ figures []figure }

// figure is one picture, or several side by side.
type figure struct {
	ID, Title, Caption string
	Parts              []panel
	Wide               bool
}

type panel struct {
	Title string
	SVG   template.HTML
}

func newPictures(v *view, s *sums, targets *Targets, month float64) pictures {
	g := gallery{v, s, targets, month}
	var p pictures
	for _, f := range []figure{g.sizes(), g.flows(), g.wages(), g.pyramids(), g.cells(), g.degrees()} {
		parts := f.Parts[:0]
		for _, x := range f.Parts {
			if x.SVG != "" {
				parts = append(parts, x)
			}
		}
		if f.Parts = parts; len(parts) > 0 {
			p.figures = append(p.figures, f)
		}
	}
	return p
}

type gallery struct {
	*view
	s       *sums
	targets *Targets
	month   float64
}

// given returns what the targets say of a measure and group, by year.
func (g gallery) given(measure, group string) []chart.Point {
	var out []chart.Point
	for _, s := range g.targets.Sections {
		for _, t := range s.Targets {
			if t.Measure == measure && t.Group == group && t.Frame != Context && t.Year >= g.from && t.Year <= g.to {
				low, high := t.bounds()
				out = append(out, chart.Point{X: float64(t.Year), Y: (low + high) / 2, Text: t.Name + ": " + shown((low+high)/2, t.Unit) + ", " + t.Status + " " + t.Source})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b chart.Point) int { return int(a.X - b.X) })
	return out
}

// yearsShown are up to three years of the window, those of the facts where the
// window has them.
func (g gallery) yearsShown() []int {
	years := []int{g.from, (g.from + g.to) / 2, g.to}
	return slices.Compact(years)
}

func percent(x float64) string { return shown(x, "%") }

// power writes a tick of a logarithmic axis.
func power(x float64) string {
	if x >= 1 && x < 1e6 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	if x >= 1e6 {
		return strconv.FormatFloat(x/1e6, 'f', -1, 64) + " M"
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// sharePower writes a share on a logarithmic axis.
func sharePower(x float64) string {
	return strconv.FormatFloat(math.Round(x*1e9)/1e7, 'f', -1, 64) + "%"
}

// ccdf returns the share of values of at least each of the sizes that occur,
// a few per power of ten.
func ccdf(values []int32) []chart.Point {
	slices.Sort(values)
	n := len(values)
	var out []chart.Point
	for at := 1.0; n > 0; at *= 1.15 {
		k, _ := slices.BinarySearch(values, int32(math.Ceil(at)))
		if k == n {
			break
		}
		if x := math.Ceil(at); len(out) == 0 || out[len(out)-1].X < x {
			p := float64(n-k) / float64(n)
			out = append(out, chart.Point{X: x, Y: p, Text: fmt.Sprintf("at least %.0f: %s", x, percent(p))})
		}
	}
	return out
}

func (g gallery) sizes() figure {
	f := figure{ID: "sizes", Title: "How large employers are",
		Caption: "Share of employers with at least so many staff at 31 December. Zipf's law is a straight line of slope -1.03 through ten staff. The dots are all private employers, among whom the small are more common than among those that file accounts."}
	p := chart.Plot{Title: f.Title, Height: 330, X: chart.Axis{Log: true, Label: "staff", Text: power}, Y: chart.Axis{Log: true, Label: "share of employers", Text: sharePower}}
	var zipf chart.Series
	for k, year := range g.yearsShown() {
		var heads []int32
		for i := range g.n {
			if h := g.heads[i*g.years+year-g.from]; h > 0 {
				heads = append(heads, h)
			}
		}
		points := ccdf(heads)
		p.Series = append(p.Series, chart.Series{Name: strconv.Itoa(year), Colour: k + 1, Points: points})
		for _, q := range points {
			if year == g.to && q.X == 10 || year == g.to && zipf.Points == nil && q.X >= 10 {
				end := points[len(points)-1].X
				zipf = chart.Series{Name: "Zipf", Dashed: true, Colour: 5, Points: []chart.Point{q, {X: end, Y: q.Y * math.Pow(end/q.X, -1.03)}}}
				zipf.Points[0].Text = ""
			}
		}
	}
	p.Series = append(p.Series, zipf)
	given := chart.Series{Name: "all private employers 2020", Dots: true, Colour: 4}
	for _, s := range g.targets.Sections {
		for _, t := range s.Targets {
			if x, err := strconv.Atoi(t.Group); t.Measure == "reach-share" && err == nil {
				low, high := t.bounds()
				given.Points = append(given.Points, chart.Point{X: float64(x), Y: (low + high) / 2, Text: t.Name + ": " + percent((low+high)/2)})
			}
		}
	}
	p.Series = append(p.Series, given)
	f.Parts = []panel{{"", p.SVG()}}
	return f
}

// flows draws the rates of the measures, by the same twelve months.
func (g gallery) flows() figure {
	f := figure{ID: "flows", Title: "Hires, exits, jobs created and destroyed",
		Caption: "Per head of staff, over the twelve months that end in the middle of the year. Dots are the official flow statistics; takeovers are taken out of both."}
	p := chart.Plot{Title: f.Title, X: g.yearAxis(), Y: chart.Axis{Label: "share of staff", Text: sharePower, High: .1}}
	for k, m := range []struct{ name, measure string }{{"hires", "hire-rate"}, {"exits", "exit-rate"}, {"jobs created", "job-creation"}, {"jobs destroyed", "job-destruction"}} {
		s := chart.Series{Name: m.name, Colour: k + 1}
		one, _ := measureNamed(m.measure)
		for year := g.from + one.before; year <= g.to; year++ {
			if x, reason := one.run(evidence{g.view, g.s, year - g.from, g.month}, Target{}); reason == "" {
				s.Points = append(s.Points, chart.Point{X: float64(year), Y: x, Text: fmt.Sprintf("%s %d: %s", m.name, year, percent(x))})
			}
		}
		p.Series = append(p.Series, s, chart.Series{Dots: true, Colour: k + 1, Points: g.given(m.measure, "")})
	}
	p.Series = append(p.Series, chart.Series{Name: "sourced", Dots: true, Colour: 5})
	f.Parts = []panel{{"", p.SVG()}}
	return f
}

func (g gallery) yearAxis() chart.Axis {
	step := 1.0
	if g.years > 8 {
		step = 3
	}
	return chart.Axis{Label: "year", Low: float64(g.from), High: math.Max(float64(g.to), float64(g.from)+1), Exact: true, Step: step}
}

func (g gallery) wages() figure {
	f := figure{ID: "wages", Title: "Full-time wages by year",
		Caption: "Gross euro per month of full-time full-year workers at employers of ten or more staff. Dots are the Belgian wage surveys."}
	p := chart.Plot{Title: f.Title, Height: 320, X: g.yearAxis(), Y: chart.Axis{Label: "euro per month", Low: 0, High: 6000}}
	for k, d := range decileNames {
		name := []string{"first decile", "median", "ninth decile"}[k]
		s := chart.Series{Name: name, Colour: k + 1}
		for y := range g.years {
			if x, reason := monthQuantile(evidence{g.view, g.s, y, g.month}, Target{Group: d}); reason == "" {
				s.Points = append(s.Points, chart.Point{X: float64(g.from + y), Y: x, Text: fmt.Sprintf("%s %d: %.0f euro", name, g.from+y, x)})
			}
		}
		p.Series = append(p.Series, s, chart.Series{Dots: true, Colour: k + 1, Points: g.given("month-quantile", d)})
	}
	p.Series = append(p.Series, chart.Series{Name: "sourced", Dots: true, Colour: 5})
	f.Parts = []panel{{"", p.SVG()}}
	return f
}

func (g gallery) pyramids() figure {
	f := figure{ID: "ages", Title: "Age and sex of staff", Caption: "Share of staff at 31 December by five years of age. All three have the same scale."}
	most := 0.0
	var all []chart.Pyramid
	for _, year := range g.yearsShown() {
		e := evidence{g.view, g.s, year - g.from, g.month}
		n := e.ageCounts(e.people, 0, ages, -1)
		if n <= 0 {
			continue
		}
		p := chart.Pyramid{Title: fmt.Sprintf("Staff by age and sex, %d", year)}
		for a := 15; a < 70; a += 5 {
			p.Classes = append(p.Classes, fmt.Sprintf("%d-%d", a, a+4))
			men, women := e.ageCounts(e.people, a, a+4, 0)/n, e.ageCounts(e.people, a, a+4, 1)/n
			p.Left, p.Right = append(p.Left, men), append(p.Right, women)
			most = math.Max(most, math.Max(men, women))
		}
		all = append(all, p)
		f.Parts = append(f.Parts, panel{Title: strconv.Itoa(year)})
	}
	for i, p := range all {
		p.Most = most
		f.Parts[i].SVG = p.SVG()
	}
	return f
}

func (g gallery) cells() figure {
	f := figure{ID: "education", Title: fmt.Sprintf("Level and field of education, %d", g.to), Wide: true,
		Caption: "Share of staff at 31 December by level (rows) and narrow field of ISCED-F 2013 (columns), by the logarithm: the strongest colour is the largest cell, what is a ten-thousandth of it or less is faintest, and an empty cell holds nobody."}
	e := evidence{g.view, g.s, g.years - 1, g.month}
	cells := e.cellsOf()
	n := total(cells)
	if n <= 0 {
		return f
	}
	h := chart.Heat{Title: f.Title, Rows: levelNames, Columns: fieldNames, Text: func(i, j int, x float64) string {
		return fmt.Sprintf("%s, %s: %s", levelNames[i], fieldNames[j], percent(x))
	}}
	for l := range levels {
		r := make([]float64, fields)
		for k := range fields {
			r[k] = cells[l*fields+k] / n
		}
		h.Share = append(h.Share, r)
	}
	f.Parts = []panel{{"", h.SVG()}}
	return f
}

func (g gallery) degrees() figure {
	f := figure{ID: "network", Title: fmt.Sprintf("Partners in the supplier network, %d", g.to),
		Caption: "Share of employers with a link that have at least so many."}
	if !g.full {
		f.Caption += " The folder has the main buyers alone: nobody sells to more than its listed ones."
	}
	sold := make([]int32, g.n)
	supplier, year := g.p.Suppliers.Col("supplier_id").I, g.p.Suppliers.Col("year").I
	for row, s := range supplier {
		if int(year[row]) == g.to {
			sold[s-1]++
		}
	}
	var customers, suppliers []int32
	for i := range g.n {
		if sold[i] > 0 {
			customers = append(customers, sold[i])
		}
		if n := g.suppliers[i*g.years+g.years-1]; n > 0 {
			suppliers = append(suppliers, n)
		}
	}
	p := chart.Plot{Title: f.Title, Height: 300, X: chart.Axis{Log: true, Label: "partners", Text: power}, Y: chart.Axis{Log: true, Label: "share of employers", Text: sharePower},
		Series: []chart.Series{{Name: "customers of a seller", Colour: 1, Points: ccdf(customers)}, {Name: "suppliers of a buyer", Colour: 2, Points: ccdf(suppliers)}}}
	f.Parts = []panel{{"", p.SVG()}}
	return f
}
