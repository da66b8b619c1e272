package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	svg "scramblelab/internal/chart"
	"scramblelab/internal/metric"
	"scramblelab/internal/policy"
)

// chart is a dot plot: a row per number with its interval, its baseline and,
// where a gate judges it, the limit. Positions across are in percent of the
// width and heights in pixels, so that letters keep their size on a telephone.
type chart struct {
	ID, Section, Title, Caption string
	BaseWord                    string // what the tick means
	Rows                        []mark
	Ticks                       []tick
	Height, Bottom              float64 // of the whole, of the axis
	Left                        float64 // where the plot begins; 0 puts labels above the dots
	Desc                        string  // for a screen reader
	Better                      string
	Up                          bool // higher is good

	lang Lang
	unit string
}

type mark struct {
	Label, Full, Value, Reason    string
	LabelY, Y                     float64
	X, Low, High, Baseline, Limit float64
	HasInterval, HasBaseline      bool
	HasLimit, Failed, Missing     bool
	Bound                         bool // somewhere up to High
	HasTwin                       bool // the fragment error beside the scramble error
	Twin                          float64
}

// Top is where the tick and the limit of a row begin.
func (m mark) Top() float64 { return m.Y - 10 }

// Foot is where they end.
func (m mark) Foot() float64 { return m.Y + 10 }

type tick struct {
	X      float64
	Text   string
	Anchor string
}

// HasBaseline reports whether some row has a tick, for the legend.
func (c chart) HasBaseline() bool { return c.any(func(m mark) bool { return m.HasBaseline }) }

// HasInterval reports whether some row has an interval, for the legend.
func (c chart) HasInterval() bool { return c.any(func(m mark) bool { return m.HasInterval }) }

// HasLimit reports whether some row has a limit, for the legend.
func (c chart) HasLimit() bool { return c.any(func(m mark) bool { return m.HasLimit }) }

// HasFailed reports whether some row is over its limit, for the legend.
func (c chart) HasFailed() bool { return c.any(func(m mark) bool { return m.Failed }) }

// HasDot reports whether some row has a dot, for the legend.
func (c chart) HasDot() bool { return c.any(func(m mark) bool { return !m.Missing && !m.Bound }) }

// HasTwin reports whether some row has a second dot, for the legend.
func (c chart) HasTwin() bool { return c.any(func(m mark) bool { return m.HasTwin }) }

// HasBound reports whether some row is a range, for the legend.
func (c chart) HasBound() bool { return c.any(func(m mark) bool { return m.Bound }) }

func (c chart) any(is func(mark) bool) bool {
	for _, m := range c.Rows {
		if is(m) {
			return true
		}
	}
	return false
}

// limitOf is the gate that limits a number: one of that name, or the pattern of
// one that judged the worst of several, with the verdict that this number would
// have had.
func limitOf(r *metric.Report, name, group string) *metric.Gate {
	for i, g := range r.Gates {
		if g.Metric == name && g.Group == group {
			return &r.Gates[i]
		}
	}
	for _, g := range r.Gates {
		if patterned(g, name, group) {
			g.Verdict = individually(r, g, name, group)
			return &g
		}
	}
	return nil
}

// patterned reports whether a gate judged the worst of several numbers, and this
// is one of them.
func patterned(g metric.Gate, name, group string) bool {
	if g.Pattern == "" {
		return false
	}
	m, of, _ := strings.Cut(g.Pattern, " ")
	return policy.Match(m, name) && (of == "") == (group == "") && policy.Match(of, group)
}

func individually(r *metric.Report, g metric.Gate, name, group string) string {
	m, _ := r.Metric(name)
	row, ok := m.RowOf(group)
	got := map[string]metric.Number{"upper": row.High, "lower": row.Low}[g.At]
	if g.At == "value" {
		got = row.Value
	}
	switch {
	case !ok || !got.Valid() || g.Verdict == metric.Skip:
		return metric.Skip
	case g.Bound == "min" && got < g.Limit, g.Bound != "min" && got > g.Limit:
		return metric.Fail
	}
	return metric.Pass
}

// newMark makes the mark of a row, whose label is a text of the page.
func (l Lang) newMark(label string, metr metric.Metric, r metric.Row, g *metric.Gate) mark {
	unit := unitOf(metr)
	m := mark{Label: clip(label, longestLabel), Full: label, Missing: !r.Value.Valid()}
	if boundOnly(r) { // for others than those inside
		m.Missing, m.Bound, m.HasInterval = false, true, true
		if m.Value, m.Low, m.High = "≤ "+l.shown(r.High, unit), 0, bounded(r.High); !r.High.Valid() {
			m.Value, m.Low, m.High = "≥ "+l.shown(r.Low, unit), bounded(r.Low), 1
		}
		m.X = m.High
		m.Full += ": " + l.bound(r, unit)
		return m
	}
	if m.Missing {
		m.Value, m.Reason = none, clip(l.say("missing", r.Reason), longestLabel)
		m.Full += ": " + l.say("missing", r.Reason)
		return m
	}
	m.Value, m.X = l.shown(r.Value, unit), bounded(r.Value)
	m.Full += ": " + m.Value
	if m.HasInterval = r.Low.Valid() && r.High.Valid() && r.Low != r.High; m.HasInterval {
		m.Low, m.High = bounded(r.Low), bounded(r.High)
		m.Full += ", " + l.interval(r, unit)
	}
	if m.HasBaseline = r.Baseline.Valid(); m.HasBaseline {
		m.Baseline = bounded(r.Baseline)
	}
	if g != nil && g.Verdict != metric.Skip && g.Limit.Valid() {
		m.HasLimit, m.Limit, m.Failed = true, bounded(g.Limit), g.Verdict == metric.Fail
	}
	return m
}

// bounded keeps the arithmetic of a scale finite.
func bounded(n metric.Number) float64 { return math.Max(-1e300, math.Min(1e300, float64(n))) }

const (
	longestLabel = 52   // letters that fit the width of a telephone
	narrowLabel  = 9    // letters that fit beside the dots on a telephone
	besideLeft   = 20.0 // percent of the width for labels beside the dots
	valueShare   = 19.0 // percent of the width for the values
	edge         = 1.5
	headroom     = 6.0
	axisHeight   = 26.0
)

// scaled puts every mark on a common scale that holds all of them and 0.
func (c chart) scaled() chart {
	lo, hi, longest := c.extent()
	step := svg.NiceStep((hi - lo) / 4)
	first, last := math.Floor(lo/step), math.Ceil(hi/step-1e-9)
	if last <= first {
		last = first + 1
	}
	lo, hi = step*first, step*last
	rowHeight := 26.0
	if c.Left = besideLeft; longest > narrowLabel { // long labels stand above the dot
		c.Left, rowHeight = 0, 46
	}
	plot := 100 - c.Left - valueShare - 2*edge
	at := func(x float64) float64 { return svg.Round(c.Left + edge + plot*((x-lo)/(hi-lo))) }
	for i := range c.Rows {
		m := &c.Rows[i]
		bottom := headroom + rowHeight*float64(i+1)
		m.Y, m.LabelY = bottom-13, bottom-9
		if c.Left == 0 {
			m.LabelY = bottom - 30
		}
		m.X, m.Low, m.High, m.Baseline, m.Limit, m.Twin = at(m.X), at(m.Low), at(m.High), at(m.Baseline), at(m.Limit), at(m.Twin)
		c.Desc += m.Full + ". "
	}
	c.Bottom = headroom + rowHeight*float64(len(c.Rows)) + 2
	c.Height = c.Bottom + axisHeight
	for i := 0; i <= int(last-first); i++ {
		x := lo + step*float64(i)
		t := tick{at(x), c.lang.local(axisNumber(x, c.unit)), "middle"}
		if i == 0 && c.Left == 0 {
			t.X, t.Anchor = svg.Round(edge), "start"
		}
		c.Ticks = append(c.Ticks, t)
	}
	return c
}

func (c chart) extent() (lo, hi float64, longest int) {
	for _, m := range c.Rows {
		longest = max(longest, len([]rune(m.Label)))
		if m.Missing {
			continue
		}
		in := []float64{m.X}
		if m.HasInterval {
			in = append(in, m.Low, m.High)
		}
		if m.HasLimit {
			in = append(in, m.Limit)
		}
		if m.HasBaseline {
			in = append(in, m.Baseline)
		}
		if m.HasTwin {
			in = append(in, m.Twin)
		}
		for _, x := range in {
			lo, hi = math.Min(lo, x), math.Max(hi, x)
		}
	}
	if hi-lo < 1e-300 {
		hi = lo + 1
	}
	return lo, hi, longest
}

// PlotEnd is where the plot ends, in percent of the width.
func (c chart) PlotEnd() float64 { return 100 - valueShare - edge }

// axisNumber shows a round number of an axis.
func axisNumber(x float64, unit string) string {
	suffix := ""
	if unit == "share" {
		x, suffix = 100*x, " %"
	}
	if a := math.Abs(x); a >= 1e5 || a > 0 && a < 1e-3 {
		return strconv.FormatFloat(x, 'g', 2, 64) + suffix
	}
	s := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.4f", x), "0"), ".")
	if s == "-0" {
		s = "0"
	}
	return s + suffix
}
