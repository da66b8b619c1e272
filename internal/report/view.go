package report

import (
	"fmt"
	"html/template"
	"slices"
	"sort"
	"strconv"
	"strings"

	"scramblelab/internal/metric"
)

// view is the whole page as the template shows it: texts, no numbers.
type view struct {
	*metric.Report
	Lang                             Lang
	Outside, Searched                bool // for others than those inside; of a search, not of a release
	Title, Verdict, Headline, Advice string
	Reasons                          []gateView
	Sides                            []side
	Released                         string
	Tiles                            []tile
	Judged                           []gateView
	Intruders                        []intruderView
	Before                           string
	Why                              []string
	Chain                            []link
	ChainSays                        string
	ChainTables, Tables              []metric.Table
	Lost                             *metric.Table
	Heads                            []numberView
	Years, Map                       *picture
	Methods                          []string // of the steps, for others
	Notes                            []string
	Facts                            []factView
	Numbers                          []block
	Charts                           map[string][]chart
	Groups                           []groups
	Glossary                         []term
	JSON, Script                     template.JS
	ScriptHash                       string
	Style                            template.CSS

	lang Lang
}

// side is one of the verdicts: firm secrecy, personal data, use for research.
type side struct{ Title, About, Verdict, Word, Text string }

type tile struct{ Label, Value string }

type factView struct {
	ID, Title, Sentence string
	Holds               bool
}

// gateView is a gate in words.
type gateView struct {
	What, Name, Verdict, Word, Limit, Got, At, End, Why, Remedy string
	Pattern                                                     string // of which it is the worst
	Bound                                                       string // outside, in place of what it got
	Missing                                                     bool
}

// intruderView is a row of the table of intruders.
type intruderView struct {
	Name, Knows               string
	Employers, EmployersRange string
	Workers, WorkersRange     string
	Fails, FailsToo           bool
}

// block is a table of numbers under one heading.
type block struct {
	ID, Title, Base string
	Rows            []numberView
}

// numberView is a metric in words; Sort… are what its columns are sorted by.
type numberView struct {
	ID, What, Name, Value, Unit, Interval, Base, Sizes, Means, Better, Good, Method, Knowledge, Missing string
	SortValue, SortLow, SortBase, SortN                                                                 string
}

// link is a step of the chain.
type link struct {
	Step, What, Short string
	numberView

	metric metric.Metric
	row    metric.Row
}

// groups is a metric by group, for the annex.
type groups struct {
	numberView
	By []numberView
}

func newView(r *metric.Report, l Lang) *view {
	t := tallied(r.Gates)
	v := &view{
		Report: r, Lang: l, lang: l, Outside: r.Audience != "" && r.Audience != string(Internal), Title: l.say("title"),
		Verdict: t.verdict(), Headline: l.headline(t), Advice: l.say("advice." + t.verdict()),
		Sides: l.sides(r), Released: l.released(r), Tiles: l.tiles(r.N), Glossary: l.glossary(), Charts: map[string][]chart{},
	}
	if v.Outside && v.Verdict == metric.Fail {
		v.Advice = l.say("advice.fail.outside")
	}
	if _, v.Searched = r.N["plans"]; v.Searched && !v.Outside {
		v.Title = l.say("title.map")
	}
	remedies := map[string]bool{} // a remedy that serves several gates is said once
	for _, g := range r.Gates {
		gv := l.viewGate(r, g)
		v.Judged = append(v.Judged, gv)
		if gv.Verdict != metric.Fail {
			continue
		}
		if remedies[gv.Remedy] {
			gv.Remedy = ""
		}
		remedies[gv.Remedy] = true
		v.Reasons = append(v.Reasons, gv)
	}
	v.Intruders, v.Before = l.intruders(r)
	v.Why = l.why(r)
	v.Chain, v.ChainSays = l.chain(r)
	for i, t := range r.Tables {
		switch {
		case strings.HasPrefix(t.Name, "chain"):
			v.ChainTables = append(v.ChainTables, t)
		case t.Name == "lost":
			v.Lost = &r.Tables[i]
		default:
			v.Tables = append(v.Tables, t)
		}
	}
	if n := len(v.Chain); n > 0 { // the strongest attack first
		a, _ := parseAttack(v.Chain[n-1].Name)
		sort.SliceStable(v.ChainTables, func(i, j int) bool {
			return v.ChainTables[i].Name == "chain-"+a.adversary && v.ChainTables[j].Name != "chain-"+a.adversary
		})
	}
	v.Heads = l.heads(r)
	for _, c := range l.charts(r) {
		v.Charts[c.Section] = append(v.Charts[c.Section], c)
	}
	if p, ok := l.overYears(r); ok {
		v.Years = &p
	}
	if p, ok := l.riskMap(r); ok {
		v.Map = &p
	}
	if v.Outside {
		v.Methods = methodNames(r.Plan)
	}
	for _, k := range noteKeys {
		v.Notes = append(v.Notes, l.say(k))
	}
	v.Facts = l.facts(r, v.Outside)
	v.Numbers = l.blocks(r)
	for _, m := range r.Metrics {
		if len(m.By) == 0 {
			continue
		}
		g := groups{numberView: l.viewNumber(m, m.Row)}
		for _, row := range m.By {
			g.By = append(g.By, l.viewNumber(m, row))
		}
		v.Groups = append(v.Groups, g)
	}
	return v
}

var noteKeys = []string{
	"method.claims", "method.fingerprint", "method.intervals", "method.information", "method.swap", "method.overlap", "method.map", "method.rounding",
}

// sides are the verdicts on firm secrecy, on personal data and on usefulness.
func (l Lang) sides(r *metric.Report) []side {
	kinds := []struct{ name, prefix string }{{"firms", "attack.employer."}, {"persons", "attack.worker."}, {"use", "fidelity."}, {"other", ""}}
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
		s := side{Title: l.say("side." + k.name), About: l.say("side." + k.name + ".about"), Verdict: t.verdict()}
		switch {
		case len(of[i]) == 0 && k.prefix == "":
			continue
		case s.Verdict == metric.Fail:
			s.Word, s.Text = l.say("word.fail"), l.say("gate.of", fmt.Sprint(t.failed), l.gates(t.judged()))
		case s.Verdict == metric.Pass:
			s.Word, s.Text = l.say("word.pass"), l.gates(t.passed)
		default:
			s.Word, s.Text = l.say("word.unjudged"), l.say("gate.none")
		}
		if t.skipped > 0 {
			s.Text += l.say("gate.skipped", fmt.Sprint(t.skipped))
		}
		out = append(out, s)
	}
	return out
}

// released says in one sentence what leaves and what part of the whole it is;
// outside the sizes are round.
func (l Lang) released(r *metric.Report) string {
	n := r.N
	about := ""
	if r.Audience != "" && r.Audience != string(Internal) {
		about = "about"
	}
	what := l.say("released.records")
	if n["records"] == n["employers"] {
		what = l.say("released.employers")
	}
	s := ""
	switch all := n["selection"]; {
	case n["records"] == 0 && about != "":
		return ""
	case about != "" && all > 0:
		return l.say("released.about", l.count(n["records"]), l.count(all), what) + l.inYears(n)
	case about != "":
		return l.say("released.about-alone", l.count(n["records"]), what) + l.inYears(n)
	case all > 0:
		s = l.say("released.of", l.count(n["records"]), l.count(all), what, l.shown(metric.Number(float64(n["records"])/float64(all)), "share"))
	default:
		s = l.say("released.alone", l.count(n["records"]), what)
	}
	if n["years"] > 1 {
		return s + l.say("released.panel", l.count(n["years"]), l.count(n["cells"]), l.count(n["workers"]))
	}
	return s + l.say("released.one", l.count(n["cells"]), l.count(n["workers"]))
}

func (l Lang) inYears(n map[string]int64) string {
	if n["years"] > 1 {
		return l.say("released.years", l.count(n["years"]))
	}
	return ""
}

// tiles shows the sizes, those that the program knows first, in a fixed order.
func (l Lang) tiles(n map[string]int64) []tile {
	var out []tile
	known := map[string]bool{}
	for _, key := range []string{"records", "employers", "selection", "years", "cells", "workers", "population employers", "population jobs", "plans", "measurements", "keys drawn"} {
		known[key] = true
		if key == "records" && n["records"] == n["employers"] {
			continue // said once
		}
		if v, ok := n[key]; ok {
			label := "tile." + strings.ReplaceAll(key, " ", "-")
			if key == "workers" && n["years"] > 1 {
				label = "tile.worker-years"
			}
			out = append(out, tile{l.say(label), l.count(v)})
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
		out = append(out, tile{k, l.count(n[k])})
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

func (l Lang) viewGate(r *metric.Report, g metric.Gate) gateView {
	unit := gateUnit(r, g)
	v := gateView{
		What: l.plain(g.Metric), Name: g.Metric, Pattern: g.Pattern, Verdict: g.Verdict, Word: l.verdictWord(g.Verdict), Why: g.Why, Remedy: strings.TrimSuffix(g.Remedy, "."),
		Limit: l.gateSide(g) + " " + l.limit(g.Limit, unit), Got: l.shown(g.Got, unit), At: l.say("at.value"), End: l.say("at.value"), Missing: !g.Got.Valid(),
	}
	if g.At == "upper" || g.At == "lower" {
		v.At, v.End = l.say("at."+g.At), l.say("at."+g.At+".interval")
	}
	if v.Verdict != metric.Pass && v.Verdict != metric.Skip {
		v.Verdict = metric.Fail
	}
	if !g.Limit.Valid() {
		v.Limit = none
	}
	if r.Audience != "" && r.Audience != string(Internal) && g.Metric[strings.LastIndexByte(g.Metric, '.')+1:] == "other" {
		v.What, v.Name = capital(l.say("gate.hidden")), ""
	}
	if !v.Missing {
		v.Bound = l.bound(metric.Row{Value: metric.None, Low: metric.None, High: g.Got}, unit)
		if g.At == "lower" {
			v.Bound = l.bound(metric.Row{Value: metric.None, Low: g.Got, High: metric.None}, unit)
		}
	}
	if g.Group != "" {
		v.What += ", " + l.groupWord(g.Group)
		v.Name += " [" + g.Group + "]"
	}
	return v
}

func (l Lang) gateSide(g metric.Gate) string {
	if g.Bound == "min" {
		return l.say("limit.min")
	}
	return l.say("limit.max")
}

func (l Lang) viewNumber(m metric.Metric, r metric.Row) numberView {
	unit, risk := unitOf(m), family(m.Name) == "attack"
	v := numberView{
		ID: anchor(m.Name), What: l.plain(m.Name), Name: m.Name, Value: l.shown(r.Value, unit), Unit: unitWord(m), Interval: l.interval(r, unit), Base: l.shown(r.Baseline, unit),
		Sizes: l.sizes(r), Means: l.means(m.Name), Better: capital(l.direction(m.Better, risk)), Good: l.say("better." + string(m.Better)), Method: m.Method, Knowledge: l.knowledge(m.Knowledge),
		SortValue: sortable(r.Value), SortLow: sortable(r.Low), SortBase: sortable(r.Baseline), SortN: strconv.FormatInt(r.N, 10),
	}
	if r.Group != "" {
		v.What = l.groupWord(r.Group)
	}
	switch {
	case boundOnly(r): // for others than those inside
		v.Value, v.Interval, v.SortValue = l.bound(r, unit), none, sortable(r.High)
		if !r.High.Valid() {
			v.SortValue = sortable(r.Low)
		}
	case r.Reason == roundedReason || r.Reason == hiddenReason || r.Reason == gateReason:
		v.Missing = l.say("missing.outside")
	case r.Reason != "" && (!r.Value.Valid() || v.Interval == ""):
		v.Missing = l.say("missing", r.Reason)
	}
	return v
}

// sortable writes a number for the script that sorts tables.
func sortable(n metric.Number) string {
	if !n.Valid() {
		return ""
	}
	return strconv.FormatFloat(float64(n), 'g', 5, 64)
}

// blocks sorts the metrics under headings; every metric stands in one.
func (l Lang) blocks(r *metric.Report) []block {
	all := []block{
		{ID: "numbers-risk", Title: l.say("numbers.risk"), Base: l.say("col.without")},
		{ID: "numbers-use", Title: l.say("numbers.use"), Base: l.say("col.floor")},
		{ID: "numbers-other", Title: l.say("numbers.other"), Base: l.say("col.baseline")},
	}
	for _, m := range r.Metrics {
		i := slices.Index([]string{"attack", "fidelity"}, family(m.Name))
		if i < 0 {
			i = 2
		}
		all[i].Rows = append(all[i].Rows, l.viewNumber(m, m.Row))
	}
	return slices.DeleteFunc(all, func(b block) bool { return len(b.Rows) == 0 })
}

// heads are the figures of use to look at first.
func (l Lang) heads(r *metric.Report) []numberView {
	var out []numberView
	for _, name := range headlines {
		if m, ok := r.Metric(name); ok {
			out = append(out, l.viewNumber(m, m.Row))
		}
	}
	return out
}

var headlines = []string{"fidelity.cells.share-exact", "fidelity.margins.level-field-tv", "fidelity.wages.level-field-error", "fidelity.regression.wage-overlap", "fidelity.did.overlap"}

// facts are the structural facts with the numbers of the run; outside without.
func (l Lang) facts(r *metric.Report, outside bool) []factView {
	var out []factView
	if outside {
		for _, id := range []string{"1", "2", "3", "4", "6", "7"} {
			out = append(out, factView{ID: id, Sentence: l.say("fact." + id), Holds: true})
		}
		return out
	}
	for _, f := range r.Facts {
		out = append(out, factView{f.ID, f.Title, f.Sentence, f.Holds})
	}
	return out
}

type term struct{ Word, Means string }

// glossary explains the words of the page, in the order of the alphabet.
func (l Lang) glossary() []term {
	var out []term
	for key := range phrases() {
		if word, ok := strings.CutSuffix(key, ".word"); ok && strings.HasPrefix(key, "glossary.") {
			out = append(out, term{l.say(key), l.say(word)})
		}
	}
	slices.SortFunc(out, func(a, b term) int { return strings.Compare(strings.ToLower(a.Word), strings.ToLower(b.Word)) })
	return out
}
