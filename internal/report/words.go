package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"scramblelab/internal/metric"
)

const none = "–" // an absent number

// number shows a number with a sensible count of digits; a dash where it is
// absent.
func number(n metric.Number) string {
	if !n.Valid() {
		return none
	}
	v := float64(n)
	x := math.Abs(v)
	switch {
	case x == 0:
		return "0"
	case x >= 1e12:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case x >= 999.5:
		return count(int64(math.Round(v)))
	case x >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case x >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case x < 0.001:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case x < 0.0995:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// shown shows a number in its unit. Shares are percentages; one that is nearly,
// but not exactly, nothing or everything says so.
func shown(n metric.Number, unit string) string {
	if !n.Valid() {
		return none
	}
	if unit != "share" {
		return number(n)
	}
	x := 100 * float64(n)
	a := math.Abs(x)
	switch {
	case a == 0:
		return "0 %"
	case a < 0.01 && x > 0:
		return "< 0.01 %"
	case a < 0.01:
		return "> -0.01 %"
	case a < 0.995:
		return fmt.Sprintf("%.2f %%", x)
	case x > 99.99 && x < 100:
		return "> 99.99 %"
	case x >= 99.95 && x < 100:
		return fmt.Sprintf("%.2f %%", x)
	case a >= 1e6:
		return fmt.Sprintf("%.3g %%", x)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") + " %"
}

// unitOf is the unit in which a metric is shown: an overlap of intervals is
// written as a number, since it may be negative and is no share of anything.
func unitOf(m metric.Metric) string {
	if strings.HasSuffix(m.Name, "overlap") {
		return ""
	}
	return m.Unit
}

// unitWord stands behind a value that is not a percentage.
func unitWord(m metric.Metric) string {
	if m.Unit == "share" {
		return ""
	}
	return m.Unit
}

// interval shows the bounds of a row; "exact" where the value is known without
// error, nothing where there are no bounds.
func interval(r metric.Row, unit string) string {
	if !r.Low.Valid() || !r.High.Valid() {
		return ""
	}
	if r.Low == r.High && r.Level == 1 {
		return "exact"
	}
	s := shown(r.Low, unit)
	if unit == "share" {
		s = strings.TrimSuffix(s, " %")
	}
	s += " to " + shown(r.High, unit)
	if r.Level.Valid() && r.Level != 0.95 && r.Level != 1 && r.Level != 0 {
		s += " (" + shown(r.Level, "share") + ")"
	}
	return s
}

// sizes shows what a row rests on: attempts, and the size of the population or
// public file they were made in.
func sizes(r metric.Row) string {
	switch {
	case r.M > 0:
		return count(r.N) + " in " + count(r.M)
	case r.N > 0:
		return count(r.N)
	}
	return none
}

func direction(d metric.Direction, risk bool) string {
	switch {
	case d == metric.Lower && risk:
		return "lower is safer"
	case d == metric.Higher && risk:
		return "higher is safer"
	case d == metric.Lower:
		return "lower is better"
	case d == metric.Higher:
		return "higher is better"
	}
	return "describes, neither good nor bad"
}

func verdictWord(v string) string {
	switch v {
	case metric.Pass:
		return "passed"
	case metric.Skip:
		return "skipped"
	}
	return "FAILED"
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

// limit shows a limit as the policy wrote it.
func limit(n metric.Number, unit string) string {
	if !n.Valid() || unit == "share" {
		return shown(n, unit)
	}
	return strconv.FormatFloat(float64(n), 'g', -1, 64)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// clip shortens a text to n letters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimRight(string(r[:n-1]), " ") + "…"
	}
	return s
}

func capital(s string) string {
	if s == "" || s[0] >= utf8.RuneSelf {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func spaced(s string) string { return strings.ReplaceAll(s, "-", " ") }

// family is the first part of a metric's name.
func family(name string) string { return name[:strings.IndexByte(name+".", '.')] }

func anchor(name string) string { return strings.ReplaceAll(name, ".", "-") }

// attackName is the name of an attack metric, taken apart:
// attack.<target>.<method>.<adversary>.<measure>.
type attackName struct{ target, method, adversary, measure string }

func parseAttack(name string) (attackName, bool) {
	p := strings.Split(name, ".")
	if len(p) != 5 || p[0] != "attack" {
		return attackName{}, false
	}
	return attackName{p[1], p[2], p[3], p[4]}, true
}

func intruder(adversary string) string {
	switch adversary {
	case "outsider":
		return "Outsider"
	case "research-team":
		return "Research team"
	case "head-count-only":
		return "Head counts alone"
	}
	return capital(spaced(adversary))
}

// how names a method of attack as it stands behind the intruder.
func how(method string) string {
	switch method {
	case "assignment":
		return "one-to-one"
	case "nearest":
		return "likeliest match"
	case "posterior":
		return "90 % sure"
	case "path":
		return "path over the years"
	case "chain":
		return "employer found"
	case "cell-known-employer":
		return "employer known"
	case "cell-known-coworkers":
		return "employer and two colleagues' wages known"
	case "cv":
		return "by CVs of the staff"
	case "phase-two":
		return "with the exact tables"
	}
	return spaced(method)
}

// plain says what a metric is, in words that its dotted name hides.
func plain(name string) string {
	if a, ok := parseAttack(name); ok {
		return fmt.Sprintf("%s: %s (%s)", intruder(a.adversary), attackMeaning(a).what, how(a.method))
	}
	if w, ok := fidelityMeanings[name]; ok {
		return w.what
	}
	parts := strings.Split(name, ".")
	if len(parts) == 3 && parts[0] == "swap" {
		step := capital(spaced(parts[1]))
		for _, w := range swapMeanings {
			if rest, ok := strings.CutPrefix(parts[2], w.measure); ok {
				if rest = strings.TrimPrefix(rest, "-"); rest != "" {
					rest = " (" + spaced(rest) + ")"
				}
				return step + ": " + w.what + rest
			}
		}
	}
	return capital(spaced(strings.Join(parts[1:], ", ")))
}

// means explains a metric to somebody who was not there; empty where the
// method sentence has to do.
func means(name string) string {
	if a, ok := parseAttack(name); ok {
		return attackMeaning(a).means
	}
	if w, ok := fidelityMeanings[name]; ok {
		return w.means
	}
	if family(name) == "swap" {
		last := name[strings.LastIndexByte(name, '.')+1:]
		for _, w := range swapMeanings {
			if strings.HasPrefix(last, w.measure) {
				return w.means
			}
		}
	}
	return ""
}

// groupWord says what a group of a metric's By list is.
func groupWord(group string) string {
	switch group {
	case "":
		return "all"
	case "knowledge=none":
		return "intruder knows nothing of the method"
	case "knowledge=method":
		return "intruder knows the method, not its rates"
	case "one-person-cell":
		return "cells of one person"
	case "cell-found":
		return "workers whose cell was released"
	}
	if s, ok := strings.CutPrefix(group, "size "); ok {
		return s + " staff"
	}
	if s, ok := strings.CutPrefix(group, "noise="); ok {
		switch s {
		case "0":
			return "public figures without any error"
		case "0.5":
			return "public figures half as noisy"
		case "2":
			return "public figures twice as noisy"
		}
		return "public figures " + s + " times as noisy"
	}
	if s, ok := strings.CutPrefix(group, "years="); ok {
		if s == "1" {
			return "1 year"
		}
		return s + " years"
	}
	if s, ok := strings.CutPrefix(group, "outcome "); ok {
		return spaced(s)
	}
	return group
}
