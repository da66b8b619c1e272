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
