package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	svg "scramblelab/internal/chart"
	"scramblelab/internal/metric"
)

// picture is a plot with its title and caption.
type picture struct {
	ID, Title, Caption string
	SVG                template.HTML
}

// overYears draws, for every intruder, the employers named right as more years
// lie side by side; and the employers whose path of head counts nobody else
// has, where the report says it.
func (l Lang) overYears(r *metric.Report) (picture, bool) {
	p := svg.Plot{Title: l.say("chart.years"), Height: 300,
		X: svg.Axis{Label: l.say("chart.years.axis"), Step: 1, Text: func(x float64) string { return strconv.Itoa(int(x)) }},
		Y: svg.Axis{Label: l.say("attack.top1.what"), Low: 0, High: 1, Exact: true, Step: 0.25, Text: func(x float64) string { return l.shown(metric.Number(x), "share") }},
	}
	longest := 0
	add := func(name string, m metric.Metric, dashed bool) {
		s := svg.Series{Name: name, Colour: 1 + len(p.Series)%5, Dashed: dashed || len(p.Series) >= 5}
		for _, row := range m.By {
			n, ok := yearsOf(row)
			if !ok {
				continue
			}
			text := fmt.Sprintf("%s, %s: %s", name, l.groupWord(row.Group), l.shown(row.Value, "share"))
			if i := l.interval(row, "share"); i != "" {
				text += ", " + i
			}
			s.Points = append(s.Points, svg.Point{X: float64(n), Y: bounded(row.Value), Text: text})
			longest = max(longest, n)
		}
		slices.SortStableFunc(s.Points, func(a, b svg.Point) int { return cmp.Compare(a.X, b.X) })
		if len(s.Points) > 1 {
			p.Series = append(p.Series, s)
		}
	}
	for _, m := range r.Metrics {
		a, ok := parseAttack(m.Name)
		if !ok || a.target != "employer" || a.measure != "top1" || a.method != "nearest" && a.method != "assignment" {
			continue
		}
		if a.method == "nearest" && hasYears(r, strings.Replace(m.Name, ".nearest.", ".assignment.", 1)) {
			continue
		}
		add(l.intruder(a.adversary), m, false)
	}
	for _, m := range r.Metrics {
		if a, ok := parseAttack(m.Name); ok && a.method == "path" && a.measure == "unique" {
			add(l.say("chart.paths"), m, true)
		}
	}
	if len(p.Series) == 0 {
		return picture{}, false
	}
	if longest > 12 {
		p.X.Step = svg.NiceStep(float64(longest) / 8)
	}
	return picture{ID: "over-years", Title: p.Title, Caption: l.say("chart.years.caption"), SVG: p.SVG()}, true
}

// yearsOf reads a group "years=3" of a row that has a share.
func yearsOf(row metric.Row) (int, bool) {
	s, ok := strings.CutPrefix(row.Group, "years=")
	n, err := strconv.Atoi(s)
	return n, ok && err == nil && n > 0 && n < 1000 && row.Value >= 0 && row.Value <= 1
}

func hasYears(r *metric.Report, name string) bool {
	m, ok := r.Metric(name)
	return ok && slices.ContainsFunc(m.By, func(row metric.Row) bool { _, ok := yearsOf(row); return ok })
}

// Names of the tables in which a search leaves its map.
const (
	MapTable   = "map"   // a plan a row
	FreshTable = "fresh" // what was measured again
)

// MapColumns are the columns of [MapTable] and [FreshTable]: numbers as they are
// written in Go, shares in [0, 1]; standing lists front, recommended, knee and
// over a limit, as they hold.
var MapColumns = []string{"plan", "keys", "risk", "worst attack", "loss", "loss low", "loss high", "share of limit", "standing", "settings"}

// mapped is a row of a map.
type mapped struct {
	plan, standing, settings string
	risk, loss               float64
}

func readMap(r *metric.Report, name string) []mapped {
	var out []mapped
	for _, t := range r.Tables {
		if t.Name != name || !slices.Equal(t.Columns, MapColumns) {
			continue
		}
		for _, row := range t.Rows {
			if len(row) != len(MapColumns) {
				continue
			}
			risk, err1 := strconv.ParseFloat(row[2], 64)
			loss, err2 := strconv.ParseFloat(row[4], 64)
			if err1 == nil && err2 == nil && risk >= 0 && risk <= 1 && loss >= 0 && loss <= 1 {
				out = append(out, mapped{row[0], row[8], row[9], risk, loss})
			}
		}
	}
	return out
}

// riskMap draws the plans that a search tried, the front, and the one that it
// recommends.
func (l Lang) riskMap(r *metric.Report) (picture, bool) {
	all := readMap(r, MapTable)
	if len(all) == 0 {
		return picture{}, false
	}
	percent := func(x float64) string { return l.shown(metric.Number(x), "share") }
	p := svg.Plot{Title: l.say("map.title"), Height: 380,
		X: svg.Axis{Label: l.say("map.loss"), Text: func(x float64) string { return l.local(number(metric.Number(x))) }},
		Y: svg.Axis{Label: l.say("map.risk"), Text: percent},
	}
	point := func(m mapped) svg.Point {
		return svg.Point{X: m.loss, Y: m.risk, Text: l.say("map.plan", m.plan, percent(m.risk), l.local(number(metric.Number(m.loss))), m.settings)}
	}
	tried, front := svg.Series{Name: l.say("map.tried"), Dots: true, Colour: 1}, svg.Series{Name: l.say("map.front"), Colour: 1}
	chosen, fresh := svg.Series{Name: l.say("map.chosen"), Dots: true, Colour: 2}, svg.Series{Name: l.say("map.fresh"), Dots: true, Colour: 3}
	for _, m := range all {
		stands := strings.Split(m.standing, ", ")
		if slices.Contains(stands, "front") {
			q := point(m)
			q.Text = "" // the dot tells it
			front.Points = append(front.Points, q)
		}
		if slices.Contains(stands, "recommended") {
			chosen.Points = append(chosen.Points, point(m))
		} else {
			tried.Points = append(tried.Points, point(m))
		}
	}
	for _, m := range readMap(r, FreshTable) {
		if strings.Contains(m.standing, "recommended") {
			fresh.Points = append(fresh.Points, point(m))
		}
	}
	slices.SortStableFunc(front.Points, func(a, b svg.Point) int { return cmp.Compare(a.X, b.X) })
	for _, s := range []svg.Series{front, tried, chosen, fresh} {
		if len(s.Points) > 0 {
			p.Series = append(p.Series, s)
		}
	}
	return picture{ID: "map", Title: p.Title, Caption: l.say("map.intro"), SVG: p.SVG()}, true
}
