package report

import (
	"fmt"
	"math"
	"strings"

	"scramblelab/internal/metric"
)

// chart is a dot plot: a row per number with its interval, its baseline and,
// where a gate judges it, the limit.
type chart struct {
	ID, Section, Title, Caption string
	Rows                        []mark
	Share                       bool // the scale is in percent
	Width, Height, Left, Plot   float64
	Ticks                       []tick
	Desc                        string // for a screen reader
}

type mark struct {
	Label, Value         string
	Y, X, Low, High      float64
	HasInterval, Missing bool
	Baseline, Limit      float64
	HasBaseline          bool
	HasLimit, Failed     bool
	Reason               string
}

type tick struct {
	X    float64
	Text string
}

// charts draws what the report can show: risk by adversary, risk by size, what
// analysis keeps.
func charts(r *metric.Report) []chart {
	var out []chart
	add := func(c chart) {
		if len(c.Rows) > 0 {
			out = append(out, c)
		}
	}
	add(riskByAdversary(r))
	if m, ok := strongest(r); ok {
		add(bySize(r, m, "risk", "By size of employer: "+plain(m.Name),
			"Share of employers in a size class that the strongest attack names right. The tick is what the same intruder reaches without the release."))
	}
	if m, ok := r.Metric("fidelity.cells.share-exact"); ok {
		add(bySize(r, m, "use", "Cells that are exactly as in truth, by size of employer",
			"Higher is better. One-way totals are exact by construction; the cells are what a researcher sees."))
	}
	if m, ok := r.Metric("fidelity.did.overlap"); ok {
		add(byGroup(r, m, "outcome ", "use", "Difference-in-differences: overlap with the unscrambled fragment, by outcome",
			"1 is the same interval, 0 is side by side, negative is apart. The tick is what another fragment of this size would show."))
	}
	return out
}

func riskByAdversary(r *metric.Report) chart {
	c := chart{ID: "risk-by-adversary", Section: "risk", Title: "What an intruder gets", Share: true,
		Caption: "Each dot is the share of attempts that succeed, the line its 95 % interval, the tick what the same intruder reaches without the release, the dashed line the limit of the policy."}
	for _, m := range r.Metrics {
		if family(m.Name) == "attack" && m.Unit == "share" && (strings.HasSuffix(m.Name, ".top1") || strings.HasSuffix(m.Name, ".wage-class")) {
			c.Rows = append(c.Rows, newMark(plain(m.Name), m.Row, m.Unit, limitOf(r, m.Name, "")))
		}
	}
	return c.scaled()
}

// strongest is the attack on employers that succeeds most often.
func strongest(r *metric.Report) (metric.Metric, bool) {
	var best metric.Metric
	for _, m := range r.Metrics {
		if strings.HasPrefix(m.Name, "attack.employer.") && strings.HasSuffix(m.Name, ".top1") && m.Value.Valid() &&
			(best.Name == "" || m.Value > best.Value) {
			best = m
		}
	}
	return best, best.Name != ""
}

func bySize(r *metric.Report, m metric.Metric, section, title, caption string) chart {
	return byGroup(r, m, "size ", section, title, caption)
}

func byGroup(r *metric.Report, m metric.Metric, prefix, section, title, caption string) chart {
	c := chart{ID: anchor(m.Name) + "-by-" + strings.TrimSpace(prefix), Section: section, Title: title, Caption: caption, Share: m.Unit == "share" && !strings.HasSuffix(m.Name, "overlap")}
	for _, row := range m.By {
		if label, ok := strings.CutPrefix(row.Group, prefix); ok {
			unit := m.Unit
			if !c.Share {
				unit = ""
			}
			c.Rows = append(c.Rows, newMark(label, row, unit, limitOf(r, m.Name, row.Group)))
		}
	}
	return c.scaled()
}

func limitOf(r *metric.Report, name, group string) *metric.Gate {
	for i, g := range r.Gates {
		if g.Metric == name && g.Group == group {
			return &r.Gates[i]
		}
	}
	return nil
}

func newMark(label string, r metric.Row, unit string, g *metric.Gate) mark {
	m := mark{Label: label, Missing: !r.Value.Valid(), Reason: r.Reason}
	if m.Missing {
		m.Value = r.Reason
		return m
	}
	m.Value, m.X = shown(r.Value, unit), float64(r.Value)
	m.HasInterval = r.Low.Valid() && r.High.Valid() && r.Low != r.High
	m.Low, m.High = float64(r.Low), float64(r.High)
	if !m.HasInterval {
		m.Low, m.High = m.X, m.X
	}
	if m.HasBaseline = r.Baseline.Valid(); m.HasBaseline {
		m.Baseline = float64(r.Baseline)
	}
	if g != nil && g.Verdict != metric.Skip {
		m.HasLimit, m.Limit, m.Failed = true, float64(g.Limit), g.Verdict == metric.Fail
	}
	return m
}

const (
	chartWidth = 720.0
	rowHeight  = 30.0
	labelWidth = 300.0
	valueWidth = 80.0
	headroom   = 8.0
)

// scaled puts every mark on a common scale that holds all of them.
func (c chart) scaled() chart {
	lo, hi := 0.0, 0.0
	longest := 0
	for _, m := range c.Rows {
		longest = max(longest, len([]rune(m.Label)))
		if m.Missing {
			continue
		}
		for _, x := range []float64{m.Low, m.High, m.X} {
			lo, hi = math.Min(lo, x), math.Max(hi, x)
		}
		if m.HasLimit {
			hi = math.Max(hi, m.Limit)
		}
		if m.HasBaseline {
			hi = math.Max(hi, m.Baseline)
		}
	}
	if hi == lo {
		hi = lo + 1
	}
	step := niceStep((hi - lo) / 4)
	lo, hi = step*math.Floor(lo/step), step*math.Ceil(hi/step-1e-9)
	c.Width, c.Left = chartWidth, math.Min(labelWidth, 24+7.2*float64(longest))
	if longest > 40 { // long labels stand on a line of their own above the dot
		c.Left = 0
	}
	c.Plot = c.Width - c.Left - valueWidth - 16
	at := func(x float64) float64 { return c.Left + 8 + c.Plot*(x-lo)/(hi-lo) }
	height := c.RowHeight()
	for i := range c.Rows {
		m := &c.Rows[i]
		m.Y = headroom + height*(float64(i)+1) - rowHeight/2
		m.X, m.Low, m.High, m.Baseline, m.Limit = at(m.X), at(m.Low), at(m.High), at(m.Baseline), at(m.Limit)
		c.Desc += m.Label + ": " + m.Value + ". "
	}
	c.Height = headroom + height*float64(len(c.Rows)) + 28
	for x := lo; x <= hi+step/2; x += step {
		text := trimNumber(x)
		if c.Share {
			text = trimNumber(100*x) + " %"
		}
		c.Ticks = append(c.Ticks, tick{at(x), text})
	}
	return c
}

// RowHeight is the height of one row of the chart.
func (c chart) RowHeight() float64 {
	if c.Left == 0 {
		return rowHeight + 16
	}
	return rowHeight
}

// Bottom is where the axis stands.
func (c chart) Bottom() float64 { return c.Height - 26 }

// Right is where the values stand.
func (c chart) Right() float64 { return c.Left + c.Plot + 16 }

func niceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*p >= x {
			return m * p
		}
	}
	return 10 * p
}

func trimNumber(x float64) string {
	s := fmt.Sprintf("%.4f", x)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}
