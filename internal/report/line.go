package report

import (
	"math"
	"sort"
	"strconv"
	"strings"

	svg "scramblelab/internal/chart"
	"scramblelab/internal/metric"
)

// line is a line chart of a metric over the years that an intruder may lay
// side by side. Across is in percent of the width, down in pixels.
type line struct {
	ID, Title, Caption, Desc string
	Points                   []point
	Joints                   []joint
	Ticks                    []level
	Height, Bottom           float64
}

type point struct {
	Years, Value, Full string
	X, Y, Low, High    float64
	HasInterval        bool
}

type joint struct{ X1, Y1, X2, Y2 float64 }

type level struct {
	Y    float64
	Text string
}

// overYears makes the line of a metric whose By rows are "years=1",
// "years=2", …; there is none with fewer than two measured years.
func overYears(m metric.Metric) (line, bool) {
	type year struct {
		n   int
		row metric.Row
	}
	var rows []year
	for _, r := range m.By {
		if s, ok := strings.CutPrefix(r.Group, "years="); ok && r.Value.Valid() {
			if n, err := strconv.Atoi(s); err == nil && n >= 0 {
				rows = append(rows, year{n, r})
			}
		}
	}
	if len(rows) < 2 {
		return line{}, false
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].n < rows[j].n })
	unit := unitOf(m)
	lo, hi := 0.0, 0.0
	for _, y := range rows {
		for _, x := range []metric.Number{y.row.Value, y.row.Low, y.row.High} {
			if x.Valid() {
				lo, hi = math.Min(lo, bounded(x)), math.Max(hi, bounded(x))
			}
		}
	}
	if hi-lo < 1e-300 {
		hi = lo + 1
	}
	step := svg.NiceStep((hi - lo) / 4)
	first, last := math.Floor(lo/step), math.Ceil(hi/step-1e-9)
	const top, bottom, left, right = 22.0, 222.0, 14.0, 96.0
	down := func(n metric.Number) float64 {
		return svg.Round(bottom - (bottom-top)*((bounded(n)-step*first)/(step*last-step*first)))
	}
	l := line{ID: anchor(m.Name) + "-over-years", Title: "Year after year: " + plain(m.Name), Bottom: bottom, Height: bottom + 44,
		Caption: "How the number changes with the years that the intruder may lay side by side; " + direction(m.Better, family(m.Name) == "attack") + "."}
	for i := 0; i <= int(last-first); i++ {
		x := step * (first + float64(i))
		l.Ticks = append(l.Ticks, level{down(metric.Number(x)), axisNumber(x, unit)})
	}
	every := 1 + (len(rows)-1)/10 // labels of at most ten points
	from, span := float64(rows[0].n), math.Max(1, float64(rows[len(rows)-1].n)-float64(rows[0].n))
	for i, y := range rows {
		p := point{X: svg.Round(left + 4 + (right-left-8)*((float64(y.n)-from)/span)), Y: down(y.row.Value), Full: plural(y.n, "year") + ": " + shown(y.row.Value, unit)}
		if i%every == 0 || i == len(rows)-1 {
			p.Years = strconv.Itoa(y.n)
		}
		if i == 0 || i == len(rows)-1 {
			p.Value = shown(y.row.Value, unit)
		}
		if p.HasInterval = y.row.Low.Valid() && y.row.High.Valid() && y.row.Low != y.row.High; p.HasInterval {
			p.Low, p.High = down(y.row.Low), down(y.row.High)
			p.Full += ", interval " + interval(y.row, unit)
		}
		if i > 0 {
			l.Joints = append(l.Joints, joint{l.Points[i-1].X, l.Points[i-1].Y, p.X, p.Y})
		}
		l.Points = append(l.Points, p)
		l.Desc += p.Full + ". "
	}
	return l, true
}
