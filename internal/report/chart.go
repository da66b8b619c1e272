package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	svg "scramblelab/internal/chart"
	"scramblelab/internal/metric"
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

	unit string
}

type mark struct {
	Label, Full, Value, Reason    string
	LabelY, Y                     float64
	X, Low, High, Baseline, Limit float64
	HasInterval, HasBaseline      bool
	HasLimit, Failed, Missing     bool
	Bound                         bool // somewhere up to High
	Hollow                        bool // beside the point: the fragment error next to the scramble error
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

// HasHollow reports whether some row is a hollow dot, for the legend.
func (c chart) HasHollow() bool { return c.any(func(m mark) bool { return m.Hollow }) }

func (c chart) any(is func(mark) bool) bool {
	for _, m := range c.Rows {
		if is(m) {
			return true
		}
	}
	return false
}

// charts draws what the report can show.
func charts(r *metric.Report) []chart {
	var out []chart
	add := func(c chart) {
		if len(c.Rows) > 0 {
			out = append(out, c.scaled())
		}
	}
	add(riskByAdversary(r))
	if m, ok := strongest(r, "attack.employer.", ".top1"); ok {
		add(byGroup(r, m, "by-size", "risk", "size ", plain(m.Name)+", by size of employer",
			"The strongest attack on employers, by number of staff. Large employers are few, and their figures rare."))
		add(whatIf(r, m))
	}
	if m, ok := strongest(r, "attack.worker.", ".wage-class"); ok {
		add(byGroup(r, m, "by-size", "chain", "size ", plain(m.Name)+", by size of employer",
			"The strongest attack on workers, by number of staff of the employer. The tick is the guess of the wage class without the release."))
	}
	add(errorsInFloors(r))
	if m, ok := r.Metric("fidelity.cells.share-exact"); ok {
		add(byGroup(r, m, "by-size", "use", "size ", "Cells exactly as in truth, by size of employer",
			"What a researcher sees of a single employer. One-way totals are exact by construction and would not show this."))
	}
	if m, ok := r.Metric("fidelity.did.overlap"); ok {
		c := byGroup(r, m, "by-outcome", "use", "outcome ", "Effect of automation: overlap with the unscrambled fragment, by outcome",
			"1 is the same interval, 0 is side by side, negative is apart.")
		add(c)
	}
	return out
}

// riskByAdversary shows the success of every intruder: one-to-one where there
// is such a number, since the likeliest match says nearly the same.
func riskByAdversary(r *metric.Report) chart {
	c := chart{ID: "risk-by-adversary", Section: "risk", Title: "Success of each intruder", BaseWord: "without the release", Better: "lower is safer", unit: "share",
		Caption: "Share of attempts that succeed: employers named right, and workers whose wage class is stated rightly."}
	for _, m := range r.Metrics {
		a, ok := parseAttack(m.Name)
		if !ok || a.target != "employer" && a.target != "worker" || a.measure != "top1" && a.measure != "wage-class" {
			continue
		}
		if _, better := r.Metric(strings.Join([]string{"attack", a.target, "assignment", a.adversary, a.measure}, ".")); better && a.method == "nearest" {
			continue
		}
		c.Rows = append(c.Rows, newMark(plain(m.Name), m, m.Row, limitOf(r, m.Name, "")))
	}
	return c
}

// byGroup shows the rows of a metric whose group begins with prefix.
func byGroup(r *metric.Report, m metric.Metric, id, section, prefix, title, caption string) chart {
	risk := family(m.Name) == "attack"
	c := chart{ID: anchor(m.Name) + "-" + id, Section: section, Title: title, Caption: caption, BaseWord: "noise floor", Better: direction(m.Better, risk), unit: unitOf(m)}
	if risk {
		c.BaseWord = "without the release"
	}
	for _, row := range m.By {
		if label, ok := strings.CutPrefix(row.Group, prefix); ok {
			c.Rows = append(c.Rows, newMark(spaced2(label, prefix), m, row, limitOf(r, m.Name, row.Group)))
		}
	}
	return c
}

// spaced2 keeps the hyphen of a size class, which is a range.
func spaced2(label, prefix string) string {
	if prefix == "size " {
		return label
	}
	return spaced(label)
}

// whatIf shows how the strongest attack fares when the intruder knows more or
// less than assumed.
func whatIf(r *metric.Report, m metric.Metric) chart {
	c := byGroup(r, m, "what-if", "risk", "", plain(m.Name)+", if the intruder knows more or less",
		"The same attack, when the public figures are better or worse than assumed, or the intruder does not know the method.")
	c.Rows = []mark{newMark("as assumed", m, m.Row, limitOf(r, m.Name, ""))}
	for _, row := range m.By {
		if strings.HasPrefix(row.Group, "noise=") || strings.HasPrefix(row.Group, "knowledge=") {
			c.Rows = append(c.Rows, newMark(groupWord(row.Group), m, row, limitOf(r, m.Name, row.Group)))
		}
	}
	if len(c.Rows) == 1 {
		c.Rows = nil
	}
	return c
}

// errorsInFloors shows errors of different units on one scale: as multiples of
// what another fragment of the same size would show by chance.
func errorsInFloors(r *metric.Report) chart {
	c := chart{ID: "errors-in-noise-floors", Section: "use", Title: "Damage of the scramble, next to the cost of drawing a fragment", Better: "lower is better",
		Caption: "Errors in multiples of the noise floor: 1 is as much as another fragment of this size would differ by chance, so damage below 1 is smaller than the luck of the draw. The floor is taken as exact."}
	for _, m := range r.Metrics {
		if family(m.Name) != "fidelity" || m.Better != metric.Lower || !m.Value.Valid() || !m.Baseline.Valid() || m.Baseline <= 0 {
			continue
		}
		ratio := m.Row
		ratio.Value, ratio.Low, ratio.High, ratio.Baseline = m.Value/m.Baseline, m.Low/m.Baseline, m.High/m.Baseline, 1
		limit := limitOf(r, m.Name, "")
		if limit != nil {
			g := *limit
			g.Limit /= m.Baseline
			limit = &g
		}
		row := newMark(plain(m.Name), metric.Metric{}, ratio, limit)
		row.Hollow = strings.HasPrefix(m.Name, "fidelity.fragment.")
		c.Rows = append(c.Rows, row)
	}
	c.BaseWord = "noise floor"
	return c
}

func limitOf(r *metric.Report, name, group string) *metric.Gate {
	for i, g := range r.Gates {
		if g.Metric == name && g.Group == group {
			return &r.Gates[i]
		}
	}
	return nil
}

func newMark(label string, metr metric.Metric, r metric.Row, g *metric.Gate) mark {
	unit := unitOf(metr)
	m := mark{Label: clip(label, longestLabel), Full: label, Missing: !r.Value.Valid()}
	if m.Missing && r.High.Valid() { // a bound for others than those inside
		m.Missing, m.Bound, m.HasInterval = false, true, true
		m.Value, m.X, m.Low, m.High = "≤ "+shown(r.High, unit), bounded(r.High), 0, bounded(r.High)
		m.Full += ": at most " + shown(r.High, unit)
		return m
	}
	if m.Missing {
		m.Value, m.Reason = none, clip("not measured: "+r.Reason, longestLabel)
		m.Full += ": not measured, " + r.Reason
		return m
	}
	m.Value, m.X = shown(r.Value, unit), bounded(r.Value)
	m.Full += ": " + m.Value
	if m.HasInterval = r.Low.Valid() && r.High.Valid() && r.Low != r.High; m.HasInterval {
		m.Low, m.High = bounded(r.Low), bounded(r.High)
		m.Full += ", interval " + interval(r, unit)
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
		m.X, m.Low, m.High, m.Baseline, m.Limit = at(m.X), at(m.Low), at(m.High), at(m.Baseline), at(m.Limit)
		c.Desc += m.Full + ". "
	}
	c.Bottom = headroom + rowHeight*float64(len(c.Rows)) + 2
	c.Height = c.Bottom + axisHeight
	for i := 0; i <= int(last-first); i++ {
		x := lo + step*float64(i)
		t := tick{at(x), axisNumber(x, c.unit), "middle"}
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
