package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/metric"
)

// strength is how far an attack gets: the value, or outside the bound.
func strength(r metric.Row) metric.Number {
	if boundOnly(r) {
		return r.High
	}
	return r.Value
}

// strongest is the attack whose name begins and ends so that succeeds most
// often.
func strongest(r *metric.Report, prefix, suffix string) (metric.Metric, bool) {
	var best metric.Metric
	for _, m := range r.Metrics {
		if s := strength(m.Row); strings.HasPrefix(m.Name, prefix) && strings.HasSuffix(m.Name, suffix) && s.Valid() && (best.Name == "" || s > strength(best.Row)) {
			best = m
		}
	}
	return best, best.Name != ""
}

// intruders are the adversaries with what they know and what they got, and what
// any of them reaches without the release.
func (l Lang) intruders(r *metric.Report) (rows []intruderView, before string) {
	var order []string
	employers, workers := map[string]metric.Metric{}, map[string]metric.Metric{}
	for _, m := range r.Metrics {
		a, ok := parseAttack(m.Name)
		switch {
		case !ok:
			continue
		case a.target == "employer" && a.measure == "top1" && slices.Contains([]string{"assignment", "cv", "phase-two"}, a.method):
			employers[a.adversary] = m
		case a.target == "worker" && a.measure == "excess" && (a.method == "chain" || a.method == "cell-known-employer"):
			workers[a.adversary] = m
		default:
			continue
		}
		if !slices.Contains(order, a.adversary) {
			order = append(order, a.adversary)
		}
	}
	for _, who := range order {
		v := intruderView{Name: l.intruder(who), Knows: l.knows(who), Employers: none, Workers: none}
		if m, ok := employers[who]; ok {
			v.Employers, v.EmployersRange, v.Fails = l.success(r, m)
			if m.Baseline.Valid() && before == "" {
				before = l.say("risk.before", l.shown(m.Baseline, "share"))
			}
		}
		if m, ok := workers[who]; ok {
			v.Workers, v.WorkersRange, v.FailsToo = l.success(r, m)
		}
		rows = append(rows, v)
	}
	return rows, before
}

func (l Lang) success(r *metric.Report, m metric.Metric) (value, interval string, fails bool) {
	v := l.viewNumber(m, m.Row)
	g := limitOf(r, m.Name, "")
	fails = g != nil && g.Verdict == metric.Fail
	if v.Missing != "" {
		return none, "", fails
	}
	if v.Interval == none {
		v.Interval = ""
	}
	return v.Value, v.Interval, fails
}

// chain lays out the strongest attack on a worker step by step: the employer
// is found, the cell is read, both; and what of that a guess would have missed.
func (l Lang) chain(r *metric.Report) (links []link, says string) {
	whole, ok := l.wholeChain(r)
	if !ok {
		return nil, ""
	}
	a, _ := parseAttack(whole.Name)
	add := func(step, key string, m metric.Metric, row metric.Row) {
		row.Group = ""
		links = append(links, link{step, l.say("chain." + key), l.say("chain.chart." + key), l.viewNumber(m, row), m, row})
	}
	for _, method := range []string{"assignment", "cv"} {
		if m, ok := r.Metric("attack.employer." + method + "." + a.adversary + ".top1"); ok {
			add("1", "employer", m, m.Row)
		}
	}
	known, ok := r.Metric("attack.worker.cell-known-employer." + a.adversary + ".wage-class")
	if !ok {
		known, ok = strongest(r, "attack.worker.cell-known-employer.", ".wage-class")
	}
	if ok {
		add(fmt.Sprint(len(links)+1), "cell", known, known.Row)
		if row, ok := known.RowOf("one-person-cell"); ok {
			add("", "single", known, row)
		}
	}
	if a.measure == "wage-class" {
		add("=", "both", whole, whole.Row)
	}
	if m, ok := r.Metric("attack.worker.chain." + a.adversary + ".excess"); ok {
		add("→", "beyond", m, m.Row)
	}
	if whole.Value.Valid() && a.measure == "wage-class" {
		says = l.say("chain.says", l.intruder(a.adversary), fmt.Sprintf("%.0f", 1000*min(1, max(0, float64(whole.Value)))))
	}
	return links, says
}

// wholeChain is the strongest attack from the employer to the worker. Those by
// public accounts come first: all of them aim at the same workers, so that the
// steps of the chain can be compared, while CVs aim at their owners.
func (l Lang) wholeChain(r *metric.Report) (best metric.Metric, ok bool) {
	for _, measure := range []string{"wage-class", "excess"} {
		for _, method := range []string{"assignment", "cv"} {
			for _, m := range r.Metrics {
				a, is := parseAttack(m.Name)
				if !is || a.target != "worker" || a.method != "chain" || a.measure != measure || !strength(m.Row).Valid() {
					continue
				}
				if _, by := r.Metric("attack.employer." + method + "." + a.adversary + ".top1"); by && (!ok || strength(m.Row) > strength(best.Row)) {
					best, ok = m, true
				}
			}
			if ok {
				return best, ok
			}
		}
	}
	return strongest(r, "attack.worker.chain.", ".wage-class")
}

// informed is the measure of what each feature tells an intruder.
func informed(r *metric.Report) (metric.Metric, bool) {
	for _, m := range r.Metrics {
		if a, ok := parseAttack(m.Name); ok && a.method == "information" && a.measure == "bits" && m.Value > 0 {
			return m, true
		}
	}
	return metric.Metric{}, false
}

// why says in sentences which features identify an employer.
func (l Lang) why(r *metric.Report) []string {
	m, ok := informed(r)
	if !ok || m.M < 2 {
		return nil
	}
	a, _ := parseAttack(m.Name)
	bits := func(n metric.Number) string { return l.local(fmt.Sprintf("%.1f", float64(n))) }
	part := func(n metric.Number) string {
		return l.shown(metric.Number(math.Round(100*float64(n/m.Value))/100), "share")
	}
	out := []string{l.say("why.need", l.count(m.M), bits(metric.Number(math.Log2(float64(m.M)))), l.intruder(a.adversary), bits(m.Value), l.count(m.N), l.count(max(m.N, r.N["records"])))}
	first, others := "", []string{}
	for _, row := range m.By {
		f, ok := strings.CutPrefix(row.Group, "feature=")
		if !ok || !row.Value.Valid() {
			continue
		}
		if first == "" {
			first = f
			out = append(out, l.say("why.first", l.feature(f), bits(row.Value), part(row.Value)))
		} else if row.Value >= 0.02*m.Value {
			others = append(others, fmt.Sprintf("%s %s (%s)", l.feature(f), bits(row.Value), part(row.Value)))
		}
	}
	if len(others) > 0 {
		out = append(out, l.say("why.next", strings.Join(others, ", ")))
	}
	if row, ok := m.RowOf("without=" + first); ok && first != "" && row.Value.Valid() {
		left := math.Exp2(math.Max(0, math.Log2(float64(m.M))-float64(row.Value)))
		effect := l.say("why.not-enough")
		if left >= 2 {
			effect = l.say("why.enough", l.local(number(metric.Number(left))))
		}
		out = append(out, l.say("why.without", l.feature(first), bits(row.Value), effect))
	}
	return out
}
