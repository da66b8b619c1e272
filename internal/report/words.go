package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"scramblelab/internal/metric"
)

// number shows a number with a sensible count of digits; a dash where it is
// absent.
func number(n metric.Number) string {
	if !n.Valid() {
		return "–"
	}
	x := math.Abs(float64(n))
	switch {
	case x == 0:
		return "0"
	case x >= 1000:
		return count(int64(math.Round(float64(n))))
	case x >= 100:
		return strconv.FormatFloat(float64(n), 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(float64(n), 'f', 1, 64)
	case x < 0.001:
		return strconv.FormatFloat(float64(n), 'g', 2, 64)
	}
	return strconv.FormatFloat(float64(n), 'f', 3, 64)
}

// shown shows a number in its unit; shares are percentages.
func shown(n metric.Number, unit string) string {
	if !n.Valid() {
		return "–"
	}
	if unit != "share" {
		return number(n)
	}
	x := 100 * float64(n)
	switch a := math.Abs(x); {
	case a == 0:
		return "0 %"
	case a < 0.01:
		return "< 0.01 %"
	case a < 1:
		return fmt.Sprintf("%.2f %%", x)
	case a < 99.95 || a == 100:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") + " %"
	}
	return fmt.Sprintf("%.2f %%", x)
}

// interval shows the bounds of a row, or the reason why there are none.
func interval(r metric.Row, unit string) string {
	if !r.Low.Valid() || !r.High.Valid() {
		return ""
	}
	if r.Low == r.High {
		return "exact"
	}
	return shown(r.Low, unit) + " to " + shown(r.High, unit)
}

func rowNumber(r metric.Row, unit string) string {
	if !r.Value.Valid() {
		return "not measured: " + r.Reason
	}
	if i := interval(r, unit); i != "" && i != "exact" {
		return shown(r.Value, unit) + " (" + i + ")"
	}
	return shown(r.Value, unit)
}

func metricNumber(m metric.Metric) string { return rowNumber(m.Row, m.Unit) }

func direction(d metric.Direction) string {
	switch d {
	case metric.Lower:
		return "lower is better"
	case metric.Higher:
		return "higher is better"
	}
	return "describes"
}

func verdictWord(v string) string {
	return map[string]string{metric.Pass: "passed", metric.Fail: "FAILED", metric.Skip: "skipped"}[v]
}

func gateLimit(g metric.Gate) string {
	side := map[string]string{"max": "at most ", "min": "at least "}[g.Bound]
	return side + number(g.Limit)
}

// count shows a whole number with thousands apart.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plain says what a metric is, in words that its dotted name hides.
func plain(name string) string {
	parts := strings.Split(name, ".")
	if parts[0] == "attack" && len(parts) == 5 {
		adversary := map[string]string{
			"outsider": "an outsider with the public accounts", "research-team": "the research team, with the firm columns of the release",
			"head-count-only": "somebody who looks at head counts alone",
		}[parts[3]]
		if adversary == "" {
			adversary = strings.ReplaceAll(parts[3], "-", " ")
		}
		what := map[string]string{
			"top1": "names the employer right", "top5": "has the employer among five", "wage-class": "has the worker's wage class right",
			"precision90": "is right when nine tenths sure", "anonymity-set": "is left with this many employers",
		}[parts[4]]
		if what == "" {
			what = strings.ReplaceAll(parts[4], "-", " ")
		}
		how := map[string]string{
			"nearest": "nearest", "assignment": "one-to-one", "posterior": "posterior", "chain": "employer found, then the cell",
			"cell-known-employer": "employer known, then the cell",
		}[parts[2]]
		if how == "" {
			how = strings.ReplaceAll(parts[2], "-", " ")
		}
		return fmt.Sprintf("%s %s (%s)", adversary, what, how)
	}
	if words, ok := fidelityWords[name]; ok {
		return words
	}
	return strings.ReplaceAll(strings.Join(parts[1:], ", "), "-", " ")
}

var fidelityWords = map[string]string{
	"fidelity.cells.share-exact":                "cells that are exactly as in truth",
	"fidelity.cells.workers-mae":                "mean error of the head count of a cell",
	"fidelity.cells.false-zero-share":           "true cells that the release lacks",
	"fidelity.cells.false-nonzero-share":        "released cells that do not exist",
	"fidelity.cells.wage-class-agreement":       "cells whose wage class is right",
	"fidelity.cells.fte-class-agreement":        "cells whose FTE class is right",
	"fidelity.employers.age-class-agreement":    "employers whose age class is right",
	"fidelity.margins.level-field-tv":           "staff in a wrong education cell of the whole fragment",
	"fidelity.fragment.level-field-tv":          "the same, from drawing a fragment at all",
	"fidelity.wages.level-field-error":          "error of mean wages by education",
	"fidelity.fragment.level-field-error":       "the same, from drawing a fragment at all",
	"fidelity.regression.wage-overlap":          "wage regression: overlap of intervals",
	"fidelity.regression.wage-bias-se":          "wage regression: shift in standard errors",
	"fidelity.fragment.wage-bias-se":            "the same, from drawing a fragment at all",
	"fidelity.did.overlap":                      "difference-in-differences: overlap of intervals",
	"fidelity.did.bias-se":                      "difference-in-differences: shift in standard errors",
	"fidelity.fragment.did-bias-se":             "the same, from drawing a fragment at all",
}
