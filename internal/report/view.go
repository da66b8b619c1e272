package report

import (
	"fmt"
	"html/template"
	"sort"
	"strings"

	"scramblelab/internal/metric"
)

// view is the whole page as the template shows it: texts, no numbers.
type view struct {
	*metric.Report
	Title, Verdict, Headline, Advice string
	Reasons                          []gateView
	Sides                            []side
	Released                         string
	Tiles                            []tile
	Judged                           []gateView
	Risk, Use                        []block
	Plans                            block
	Chain                            []link
	ChainOf, ChainSays               string
	ChainTables, UseTables           []metric.Table
	Charts                           map[string][]chart
	Lines                            []line
	Groups                           []groups
	Glossary                         []term
	JSON                             template.JS
	Style                            template.CSS
}

// side is one of the verdicts: firm secrecy, personal data, use for research.
type side struct{ Title, Verdict, Word, Text string }

type tile struct{ Label, Value string }

// gateView is a gate in words.
type gateView struct {
	What, Name, Verdict, Word, Limit, Got, At, Why, Remedy string
	Missing                                                bool
}

// block is a table of numbers under one heading.
type block struct {
	Title, Intro, Success, Base string
	Topics                      []topic
}

// topic is a measure that several intruders may have: explained once, with a
// row for each.
type topic struct {
	What, Means, Better string
	Rows                []numberView
	rank                int
}

// Single reports whether the measure has one row, which then bears its name.
func (t topic) Single() bool { return len(t.Rows) == 1 && t.rank == 0 }

// numberView is a metric in words.
type numberView struct {
	ID, What, Name, Value, Unit, Interval, Base, Sizes, Means, Better, Method, Knowledge, Missing string
}

// link is a step of the chain.
type link struct {
	Step, What string
	numberView
}

// groups is a metric by group, for the annex.
type groups struct {
	numberView
	By []numberView
}

func newView(r *metric.Report) *view {
	t := tallied(r.Gates)
	v := &view{
		Report: r, Title: "Scramble report", Verdict: t.verdict(), Headline: t.headline(), Advice: t.advice(),
		Sides: sides(r), Released: released(r), Tiles: tiles(r.N), Glossary: glossary, Charts: map[string][]chart{},
	}
	for _, g := range r.Gates {
		gv := viewGate(r, g)
		v.Judged = append(v.Judged, gv)
		if gv.Verdict == metric.Fail {
			v.Reasons = append(v.Reasons, gv)
		}
	}
	v.Risk, v.Use, v.Plans = blocks(r)
	v.Chain, v.ChainOf, v.ChainSays = chain(r)
	for _, t := range r.Tables {
		if strings.HasPrefix(t.Name, "chain") {
			v.ChainTables = append(v.ChainTables, t)
		} else {
			v.UseTables = append(v.UseTables, t)
		}
	}
	sort.SliceStable(v.ChainTables, func(i, j int) bool { // the strongest attack first
		return v.ChainTables[i].Name == "chain-"+v.ChainOf && v.ChainTables[j].Name != "chain-"+v.ChainOf
	})
	for _, c := range charts(r) {
		v.Charts[c.Section] = append(v.Charts[c.Section], c)
	}
	for _, m := range r.Metrics {
		if l, ok := overYears(m); ok {
			v.Lines = append(v.Lines, l)
		}
		if len(m.By) == 0 {
			continue
		}
		g := groups{numberView: viewNumber(m, m.Row)}
		for _, row := range m.By {
			g.By = append(g.By, viewNumber(m, row))
		}
		v.Groups = append(v.Groups, g)
	}
	return v
}

// sides are the verdicts on firm secrecy, on personal data and on usefulness.
func sides(r *metric.Report) []side {
	kinds := []struct{ title, prefix string }{
		{"Firm secrecy", "attack.employer."}, {"Personal data", "attack.worker."}, {"Use for research", "fidelity."}, {"Other gates", ""},
	}
	of := make([][]metric.Gate, len(kinds))
	for _, g := range r.Gates {
		for i, k := range kinds {
			if strings.HasPrefix(g.Metric, k.prefix) {
				of[i] = append(of[i], g)
				break
			}
		}
	}
	var out []side
	for i, k := range kinds {
		t := tallied(of[i])
		s := side{Title: k.title, Verdict: t.verdict()}
		switch {
		case len(of[i]) == 0 && k.prefix == "":
			continue
		case s.Verdict == metric.Fail:
			s.Word, s.Text = "FAILED", fmt.Sprintf("%d of %s", t.failed, plural(t.judged(), "gate"))
		case s.Verdict == metric.Pass:
			s.Word, s.Text = "passed", plural(t.passed, "gate")
		default:
			s.Word, s.Text = "not judged", "no gate"
		}
		if t.skipped > 0 {
			s.Text += fmt.Sprintf(", %d skipped", t.skipped)
		}
		out = append(out, s)
	}
	return out
}

// released says in one sentence what leaves and what part of the whole it is.
func released(r *metric.Report) string {
	n := r.N
	s, what := count(n["records"]), "records"
	if n["records"] == n["employers"] {
		what = "employers"
	}
	if all := n["selection"]; all > 0 {
		s += fmt.Sprintf(" of %s %s (%s)", count(all), what, shown(metric.Number(float64(n["records"])/float64(all)), "share"))
	} else {
		s += " " + what
	}
	if n["years"] > 1 {
		return s + fmt.Sprintf(", %d years: %s cells, %s worker-years", n["years"], count(n["cells"]), count(n["workers"]))
	}
	return s + fmt.Sprintf(", of one period: %s cells, %s workers", count(n["cells"]), count(n["workers"]))
}

// tiles shows the sizes, those that the program knows first, in a fixed order.
func tiles(n map[string]int64) []tile {
	words := []struct{ key, label string }{
		{"records", "records released"}, {"employers", "employers released"}, {"selection", "records in the selection"}, {"years", "years"},
		{"cells", "cells released"}, {"workers", "workers counted in them"}, {"population employers", "employers in the population"}, {"population jobs", "jobs in the population"},
	}
	var out []tile
	known := map[string]bool{}
	for _, w := range words {
		known[w.key] = true
		if w.key == "records" && n["records"] == n["employers"] {
			continue // said once
		}
		if v, ok := n[w.key]; ok {
			if w.key == "workers" && n["years"] > 1 {
				w.label = "worker-years counted in them"
			}
			out = append(out, tile{w.label, count(v)})
		}
	}
	var rest []string
	for k := range n {
		if !known[k] {
			rest = append(rest, k)
		}
	}
	sort.Strings(rest)
	for _, k := range rest {
		out = append(out, tile{k, count(n[k])})
	}
	return out
}

// gateUnit is the unit of what a gate limits, also where the number is missing.
func gateUnit(r *metric.Report, g metric.Gate) string {
	if m, ok := r.Metric(g.Metric); ok {
		return unitOf(m)
	}
	if family(g.Metric) == "attack" {
		return "share"
	}
	return ""
}

func viewGate(r *metric.Report, g metric.Gate) gateView {
	unit := gateUnit(r, g)
	v := gateView{
		What: plain(g.Metric), Name: g.Metric, Verdict: g.Verdict, Word: verdictWord(g.Verdict), Why: g.Why, Remedy: strings.TrimSuffix(g.Remedy, "."),
		Limit: gateSide(g) + " " + limit(g.Limit, unit), Got: shown(g.Got, unit), At: gateAt(g), Missing: !g.Got.Valid(),
	}
	if v.Verdict != metric.Pass && v.Verdict != metric.Skip {
		v.Verdict = metric.Fail
	}
	if g.Group != "" {
		v.What += ", " + groupWord(g.Group)
		v.Name += " [" + g.Group + "]"
	}
	return v
}

func gateSide(g metric.Gate) string {
	if g.Bound == "min" {
		return "at least"
	}
	return "at most"
}

// gateAt says which number of the interval was judged.
func gateAt(g metric.Gate) string {
	switch g.At {
	case "upper":
		return "upper end"
	case "lower":
		return "lower end"
	}
	return "the value itself"
}

func viewNumber(m metric.Metric, r metric.Row) numberView {
	unit := unitOf(m)
	v := numberView{
		ID: anchor(m.Name), What: plain(m.Name), Name: m.Name, Value: shown(r.Value, unit), Unit: unitWord(m), Interval: interval(r, unit), Base: shown(r.Baseline, unit),
		Sizes: sizes(r), Means: means(m.Name), Better: capital(direction(m.Better, family(m.Name) == "attack")), Method: m.Method, Knowledge: knowledge(m.Knowledge),
	}
	if r.Group != "" {
		v.What = groupWord(r.Group)
	}
	switch { // one end of the interval, for others than those inside
	case !r.Value.Valid() && r.High.Valid():
		v.Value, v.Interval = "at most "+shown(r.High, unit), none
	case !r.Value.Valid() && r.Low.Valid():
		v.Value, v.Interval = "at least "+shown(r.Low, unit), none
	}
	if r.Reason != "" && (!r.Value.Valid() || v.Interval == "") && v.Interval != none {
		v.Missing = r.Reason
	}
	return v
}

func knowledge(k string) string {
	switch k {
	case "":
		return ""
	case metric.KnowsNothing:
		return "The intruder knows nothing of the method."
	case metric.KnowsMethod:
		return "The intruder knows the method, not its settings."
	case metric.KnowsParameters:
		return "The intruder knows the method and its settings, not the key."
	}
	return "The intruder knows: " + k + "."
}

// blocks sorts the metrics under headings; every metric stands in one.
func blocks(r *metric.Report) (risk, use []block, plans block) {
	risk = []block{
		{Title: "Which employer stands behind a serial number", Intro: "Firm secrecy. The intruder compares the release with the public accounts of every employer in the selection.", Success: "succeeds", Base: "without the release"},
		{Title: "What a cell gives away about a worker", Intro: "Personal data. The intruder knows where somebody works and with what education, and reads the wage class of that cell.", Success: "succeeds", Base: "without the release"},
		{Title: "Other attacks", Success: "value", Base: "without the release"},
	}
	use = []block{
		{Title: "Cells and employers", Intro: "Each released cell against the true cell of the same employer. The floor is what an unscrambled release would show.", Success: "value", Base: "noise floor"},
		{Title: "Totals and mean wages", Intro: "Weighted to the whole selection.", Success: "value", Base: "noise floor"},
		{Title: "What a researcher would estimate", Intro: "The same program run before and after the scramble.", Success: "value", Base: "noise floor"},
		{Title: "Other measures", Success: "value", Base: "noise floor"},
	}
	plans = block{Success: "value", Base: "baseline"}
	for _, m := range r.Metrics {
		v := viewNumber(m, m.Row)
		parts := strings.Split(m.Name, ".")
		i := 0
		switch parts[0] {
		case "attack":
			switch parts[1] {
			case "employer":
			case "worker":
				i = 1
			default:
				i = 2
			}
			risk[i].addAttack(m.Name, v)
		case "fidelity":
			switch {
			case parts[1] == "cells" || parts[1] == "employers":
			case strings.Contains(m.Name, "level-field"):
				i = 1
			case parts[1] == "regression" || parts[1] == "did" || parts[1] == "fragment":
				i = 2
			default:
				i = 3
			}
			use[i].add(v)
		default:
			plans.add(v)
		}
	}
	return filled(risk), filled(use), plans
}

func (b *block) add(v numberView) {
	b.Topics = append(b.Topics, topic{What: v.What, Means: v.Means, Better: v.Better, Rows: []numberView{v}})
}

// attackOrder puts what matters most first.
var attackOrder = []string{
	"assignment.top1", "assignment.workers-exposed", "posterior.named90", "posterior.precision90", "posterior.claims90", "nearest.top1", "nearest.top5",
	"nearest.anonymity-set", "assignment.decoys", "cell-known-employer.wage-class", "cell-known-employer.excess", "chain.wage-class", "chain.excess",
}

func (b *block) addAttack(name string, v numberView) {
	a, ok := parseAttack(name)
	if !ok {
		b.add(v)
		return
	}
	rank := 1 + len(attackOrder)
	for i, s := range attackOrder {
		if s == a.method+"."+a.measure {
			rank = 1 + i
		}
	}
	what := capital(attackMeaning(a).what) + " (" + how(a.method) + ")"
	v.What = intruder(a.adversary)
	for i, t := range b.Topics {
		if t.What == what && t.Better == v.Better {
			b.Topics[i].Rows = append(b.Topics[i].Rows, v)
			return
		}
	}
	b.Topics = append(b.Topics, topic{What: what, Means: v.Means, Better: v.Better, Rows: []numberView{v}, rank: rank})
}

func filled(bs []block) []block {
	var out []block
	for _, b := range bs {
		if len(b.Topics) > 0 {
			sort.SliceStable(b.Topics, func(i, j int) bool { return b.Topics[i].rank < b.Topics[j].rank })
			out = append(out, b)
		}
	}
	return out
}

// strongest is the attack whose name begins and ends so that succeeds most
// often.
func strongest(r *metric.Report, prefix, suffix string) (metric.Metric, bool) {
	var best metric.Metric
	for _, m := range r.Metrics {
		if strings.HasPrefix(m.Name, prefix) && strings.HasSuffix(m.Name, suffix) && m.Value.Valid() && (best.Name == "" || m.Value > best.Value) {
			best = m
		}
	}
	return best, best.Name != ""
}

// chain lays out the strongest attack on a worker step by step: the employer
// is found, the cell is read, both.
func chain(r *metric.Report) (links []link, adversary, says string) {
	whole, ok := strongest(r, "attack.worker.chain.", ".wage-class")
	if !ok {
		return nil, "", ""
	}
	a, _ := parseAttack(whole.Name)
	adversary = a.adversary
	add := func(what string, m metric.Metric, row metric.Row) {
		row.Group = ""
		links = append(links, link{fmt.Sprintf("%d", len(links)+1), what, viewNumber(m, row)})
	}
	if m, ok := r.Metric("attack.employer.assignment." + adversary + ".top1"); ok {
		add("From the public accounts, the intruder names the employer behind a serial number, and is right.", m, m.Row)
	}
	known, ok := r.Metric("attack.worker.cell-known-employer." + adversary + ".wage-class")
	if !ok {
		known, ok = strongest(r, "attack.worker.cell-known-employer.", ".wage-class")
	}
	if ok {
		add("Knowing the employer, the intruder looks up a worker's cell, and the wage class is right.", known, known.Row)
		if row, ok := known.RowOf("one-person-cell"); ok {
			links = append(links, link{"", "The same where the cell holds one person: the class is that person's own.", viewNumber(known, row)})
		}
	}
	links = append(links, link{"=", "Both: the employer is found and the worker's wage class is right.", viewNumber(whole, whole.Row)})
	says = fmt.Sprintf("The strongest intruder here: %s. Of 1,000 workers who are targets, about %.0f have their employer found and their wage class stated rightly.",
		spaced(adversary), 1000*min(1, max(0, float64(whole.Value))))
	return links, adversary, says
}
