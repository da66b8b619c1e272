package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
	"scramblelab/internal/policy"
)

// level is the chance that a scenario raises no false alarm where a change
// draws everything anew and changes nothing else.
const level = 0.99

// Row is one metric of a scenario on one seed.
type Row struct {
	Metric string           `json:"metric"`
	Better metric.Direction `json:"better"`
	Value  float64          `json:"value"`
	Half   float64          `json:"half"` // standard error that the metric's own interval states, 0 where the release is known exactly
	N      int64            `json:"n"`
	// Missing says why there is no number.
	Missing string `json:"missing,omitempty"`
}

// Replication is a scenario measured on one seed.
type Replication struct {
	Rows    []Row   `json:"rows"`
	Seconds float64 `json:"seconds"` // by the clock, with whatever ran beside it
	// Failed says why the scenario could not be measured.
	Failed string `json:"failed,omitempty"`
}

// mean is a row over several seeds.
type mean struct {
	Row
	spread float64 // standard deviation between seeds
}

// means averages every metric over replications, by name. A metric that is
// missing on one seed is missing.
func means(all []Replication) []mean {
	byName := map[string][]Row{}
	for _, r := range all {
		for _, row := range r.Rows {
			byName[row.Metric] = append(byName[row.Metric], row)
		}
	}
	var out []mean
	for _, rows := range byName {
		m := mean{Row: rows[0]}
		m.Value, m.Half, m.N = 0, 0, 0
		n, total := float64(len(rows)), int64(0)
		for _, r := range rows {
			m.Value += r.Value / n
			m.Half += r.Half / n
			total += r.N
			if r.Missing != "" {
				m.Missing = r.Missing
			}
		}
		m.N = total / int64(len(rows))
		if len(rows) < len(all) && m.Missing == "" {
			m.Missing = fmt.Sprintf("measured on %d of %d seeds", len(rows), len(all))
		}
		for _, r := range rows {
			m.spread += (r.Value - m.Value) * (r.Value - m.Value)
		}
		m.spread = math.Sqrt(m.spread / max(1, n-1))
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b mean) int { return cmp.Compare(a.Metric, b.Metric) })
	return out
}

// tolerance is how far a mean over check seeds may lie on the wrong side of one
// over accepted seeds, one-sided and together for all metrics of a scenario: by
// the spread between seeds and Student's quantile, or by the standard error that
// the metric's own interval states and the normal one, whichever is more. The
// latter guards against seeds that happen to agree.
func tolerance(spread, half float64, accepted, check, metrics int) float64 {
	tail := (1 - level) / float64(max(1, metrics))
	width := max(infer.TQuantile(float64(accepted-1), 1-tail)*spread, infer.Quantile(1-2*tail)*half)
	return width * math.Sqrt(1/float64(accepted)+1/float64(check))
}

// Verdicts on a metric.
const (
	Same   = "same"   // within its tolerance
	Worse  = "worse"  // leakier or duller beyond it
	Better = "better" // beyond it on the good side
	Gone   = "gone"   // accepted, and no longer measured
	New    = "new"    // measured, and not accepted yet
)

// Change is one metric against what was accepted.
type Change struct {
	Metric string           `json:"metric"`
	Better metric.Direction `json:"better_when"`
	Old    metric.Number    `json:"old"`
	New    metric.Number    `json:"new"`
	// Low and High are what the accepted value and its tolerance leave open.
	Low     metric.Number `json:"low"`
	High    metric.Number `json:"high"`
	N       int64         `json:"n"`
	Verdict string        `json:"verdict"`
	Reason  string        `json:"reason,omitempty"`
}

// Kind says in a word what a metric that got worse makes of a release.
func (c Change) Kind() string {
	if strings.HasPrefix(c.Metric, "attack.") {
		return "leakier"
	}
	return "duller"
}

// Judge holds replications against a baseline, in the order of names.
func Judge(b Baseline, all []Replication) []Change {
	now := map[string]mean{}
	for _, m := range means(all) {
		now[m.Metric] = m
	}
	var out []Change
	for _, was := range b.Metrics {
		tol := was.Tolerance + slack*max(1, math.Abs(was.Value))
		c := Change{
			Metric: was.Metric, Better: metric.Direction(was.Better), Old: metric.Number(was.Value), New: metric.None, N: int64(was.N),
			Low: metric.Number(was.Value - tol), High: metric.Number(was.Value + tol), Verdict: Gone,
		}
		m, ok := now[was.Metric]
		delete(now, was.Metric)
		switch {
		case !ok:
			c.Reason = "the report has no such metric any more"
		case m.Missing != "":
			c.Reason = m.Missing
		default:
			c.New, c.Verdict = metric.Number(m.Value), Same
			switch higher := c.Better == metric.Higher; {
			case c.New > c.High && !higher, c.New < c.Low && higher:
				c.Verdict = Worse
			case c.New > c.High, c.New < c.Low:
				c.Verdict = Better
			}
		}
		out = append(out, c)
	}
	for _, m := range means(all) { // what is left is new
		if _, left := now[m.Metric]; left && m.Missing == "" {
			out = append(out, Change{Metric: m.Metric, Better: m.Better, Old: metric.None, New: metric.Number(m.Value), Low: metric.None, High: metric.None, N: m.N, Verdict: New, Reason: "not accepted yet"})
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return cmp.Compare(a.Metric, b.Metric) })
	return out
}

// rows picks the metrics of a report that a scenario holds against its baseline.
func rows(r *metric.Report, patterns []string) []Row {
	var out []Row
	for _, m := range r.Metrics {
		if m.Better != metric.Lower && m.Better != metric.Higher {
			continue
		}
		if !slices.ContainsFunc(patterns, func(p string) bool { return policy.Match(p, m.Name) }) {
			continue
		}
		row := Row{Metric: m.Name, Better: m.Better, N: m.N}
		switch {
		case !m.Value.Valid():
			row.Missing = m.Reason
		default:
			row.Value = float64(m.Value)
			if m.Low.Valid() && m.High.Valid() && m.Level > 0 && m.Level < 1 {
				row.Half = float64(m.High-m.Low) / 2 / infer.Quantile(float64(m.Level))
			}
		}
		out = append(out, row)
	}
	return out
}
