package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"scramblelab/internal/metric"
)

// charts draws what the report can show, each in the section that it belongs to.
func (l Lang) charts(r *metric.Report) []chart {
	var out []chart
	add := func(c chart) {
		if len(c.Rows) > 0 {
			c.lang = l
			out = append(out, c.scaled())
		}
	}
	add(l.byIntruder(r, "employer", "top1"))
	if m, ok := strongest(r, "attack.employer.", ".top1"); ok {
		add(l.bySize(r, m, "risk", "chart.by-size.employers"))
		add(l.whatIf(r, m))
	}
	add(l.features(r))
	add(l.chainChart(r))
	add(l.byIntruder(r, "worker", "wage-class"))
	if m, ok := l.wholeChain(r); ok {
		add(l.bySize(r, m, "chain", "chart.by-size.workers"))
	}
	add(l.errorsInFloors(r))
	add(l.overlaps(r))
	if m, ok := r.Metric("fidelity.cells.share-exact"); ok {
		add(l.bySize(r, m, "use", "chart.by-size.cells"))
	}
	if m, ok := r.Metric("fidelity.did.overlap"); ok {
		add(l.byGroup(r, m, "by-outcome", "use", "outcome ", l.say("chart.outcomes"), l.say("chart.outcomes.caption")))
	}
	return out
}

// byIntruder shows the success of every intruder: one-to-one where there is
// such a number, since the likeliest match says nearly the same.
func (l Lang) byIntruder(r *metric.Report, target, measure string) chart {
	c := chart{ID: "by-intruder-" + target, Section: "risk", Title: l.say("chart." + target + "s"), BaseWord: l.say("legend.without"), Better: l.say("safer.lower"), unit: "share",
		Caption: l.say("chart." + target + "s.caption")}
	if target == "worker" {
		c.Section = "chain"
	}
	for _, m := range r.Metrics {
		a, ok := parseAttack(m.Name)
		if !ok || a.target != target || a.measure != measure {
			continue
		}
		if _, better := r.Metric(strings.Join([]string{"attack", a.target, "assignment", a.adversary, a.measure}, ".")); better && a.method == "nearest" {
			continue
		}
		label := l.intruder(a.adversary)
		if a.method != "assignment" {
			label += " (" + l.how(a.method) + ")"
		}
		c.Rows = append(c.Rows, l.newMark(label, m, m.Row, limitOf(r, m.Name, "")))
	}
	slices.SortStableFunc(c.Rows, func(a, b mark) int { return cmp.Compare(b.X, a.X) })
	return c
}

// bySize shows a metric by size of employer.
func (l Lang) bySize(r *metric.Report, m metric.Metric, section, caption string) chart {
	return l.byGroup(r, m, "by-size", section, "size ", l.say("chart.by-size", l.plain(m.Name)), l.say(caption))
}

// byGroup shows the rows of a metric whose group begins with prefix.
func (l Lang) byGroup(r *metric.Report, m metric.Metric, id, section, prefix, title, caption string) chart {
	risk := family(m.Name) == "attack"
	c := chart{ID: anchor(m.Name) + "-" + id, Section: section, Title: title, Caption: caption, BaseWord: l.say("legend.floor"), Better: l.direction(m.Better, risk),
		Up: m.Better == metric.Higher, unit: unitOf(m)}
	if risk {
		c.BaseWord = l.say("legend.without")
	}
	for _, row := range m.By {
		if label, ok := strings.CutPrefix(row.Group, prefix); ok {
			if prefix != "size " { // the hyphen of a size class is a range
				label = spaced(label)
			}
			c.Rows = append(c.Rows, l.newMark(label, m, row, limitOf(r, m.Name, row.Group)))
		}
	}
	return c
}

// whatIf shows how the strongest attack fares when the intruder knows more or
// less than assumed.
func (l Lang) whatIf(r *metric.Report, m metric.Metric) chart {
	c := l.byGroup(r, m, "what-if", "risk", "\x00", l.say("chart.what-if", l.plain(m.Name)), l.say("chart.what-if.caption"))
	c.Rows = []mark{l.newMark(l.say("chart.what-if.assumed"), m, m.Row, limitOf(r, m.Name, ""))}
	for _, row := range m.By {
		if strings.HasPrefix(row.Group, "noise=") || strings.HasPrefix(row.Group, "knowledge=") {
			c.Rows = append(c.Rows, l.newMark(l.groupWord(row.Group), m, row, limitOf(r, m.Name, row.Group)))
		}
	}
	if len(c.Rows) == 1 {
		c.Rows = nil
	}
	return c
}

// features shows how many bits each feature tells, after those above it.
func (l Lang) features(r *metric.Report) chart {
	m, ok := informed(r)
	if !ok {
		return chart{}
	}
	c := chart{ID: "features", Section: "why", Title: l.say("why.chart"), Caption: l.say("why.caption"), Better: l.say("safer.lower"), unit: unitOf(m)}
	for _, row := range m.By {
		if f, ok := strings.CutPrefix(row.Group, "feature="); ok && row.Value >= 0.01*m.Value {
			row.Baseline, row.Low = metric.None, max(0, row.Low) // nothing tells less than nothing
			c.Rows = append(c.Rows, l.newMark(capital(l.feature(f)), m, row, nil))
		}
	}
	return c
}

// chainChart shows the chain of the strongest intruder, step by step.
func (l Lang) chainChart(r *metric.Report) chart {
	links, _ := l.chain(r)
	c := chart{ID: "chain-steps", Section: "chain-steps", Title: l.say("chain.chart"), Caption: l.say("chain.caption"), BaseWord: l.say("legend.without"), Better: l.say("safer.lower"), unit: "share"}
	for _, k := range links {
		c.Rows = append(c.Rows, l.newMark(k.Short, k.metric, k.row, limitOf(r, k.metric.Name, "")))
	}
	return c
}

// mostFloors is how many errors are drawn; the rest stands in a table.
const mostFloors = 12

// errorsInFloors shows errors of different units on one scale: as multiples of
// what another fragment of the same size would show by chance. The cost of
// drawing the fragment stands in the same row.
func (l Lang) errorsInFloors(r *metric.Report) chart {
	c := chart{ID: "errors-in-noise-floors", Section: "use", Title: l.say("chart.floors"), Better: l.say("good.lower"), BaseWord: l.say("legend.floor"), Caption: l.say("chart.floors.caption")}
	for _, m := range r.Metrics {
		if family(m.Name) != "fidelity" || m.Better != metric.Lower || !m.Value.Valid() || !m.Baseline.Valid() || m.Baseline <= 0 || strings.HasPrefix(m.Name, "fidelity.fragment.") {
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
		row := l.newMark(l.plain(m.Name), metric.Metric{}, ratio, limit)
		if twin, ok := twinOf(r, m.Name); ok {
			row.HasTwin, row.Twin = true, bounded(twin.Value/m.Baseline)
			row.Full += "; " + l.say("legend.fragment") + ": " + l.shown(twin.Value/m.Baseline, "")
		}
		c.Rows = append(c.Rows, row)
	}
	slices.SortStableFunc(c.Rows, func(a, b mark) int { return cmp.Compare(b.X, a.X) })
	if len(c.Rows) > mostFloors {
		c.Rows = c.Rows[:mostFloors]
		c.Caption += " " + l.say("chart.floors.more", fmt.Sprint(mostFloors))
	}
	return c
}

// twinOf is the cost of drawing a fragment that belongs to a scramble error.
func twinOf(r *metric.Report, name string) (metric.Metric, bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 {
		return metric.Metric{}, false
	}
	for _, measure := range []string{parts[2], parts[1] + "-" + parts[2]} {
		if m, ok := r.Metric("fidelity.fragment." + measure); ok && m.Value.Valid() {
			return m, true
		}
	}
	return metric.Metric{}, false
}

// overlaps shows what researchers would conclude, estimate by estimate.
func (l Lang) overlaps(r *metric.Report) chart {
	c := chart{ID: "overlaps", Section: "use", Title: l.say("chart.overlap"), Caption: l.say("chart.overlap.caption"), BaseWord: l.say("legend.floor"), Better: l.say("good.higher"), Up: true}
	for _, m := range r.Metrics {
		if family(m.Name) == "fidelity" && strings.HasSuffix(m.Name, "overlap") {
			label, _, _ := strings.Cut(l.plain(m.Name), ":")
			c.Rows = append(c.Rows, l.newMark(strings.TrimSpace(label), m, m.Row, limitOf(r, m.Name, "")))
		}
	}
	return c
}
