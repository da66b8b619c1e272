package tabio

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
)

// ParseInterval reads the label of a class of numbers: "(39,49]",
// "[25000,30000)", and with an open end "[150000,)", "(,18)" or "[60,Inf)". An
// open end is infinite. ok is false for everything else, such as bounds in the
// wrong order.
func ParseInterval(label string) (lo, hi float64, loClosed, hiClosed bool, ok bool) {
	if len(label) < 3 {
		return 0, 0, false, false, false
	}
	first, last := label[0], label[len(label)-1]
	if first != '(' && first != '[' || last != ')' && last != ']' {
		return 0, 0, false, false, false
	}
	left, right, found := strings.Cut(label[1:len(label)-1], ",")
	if !found {
		return 0, 0, false, false, false
	}
	lo, okLo := bound(left, math.Inf(-1))
	hi, okHi := bound(right, math.Inf(1))
	loClosed, hiClosed = first == '[' && !math.IsInf(lo, 0), last == ']' && !math.IsInf(hi, 0)
	if !okLo || !okHi || !(lo < hi || lo == hi && loClosed && hiClosed) || math.IsInf(lo, -1) && math.IsInf(hi, 1) {
		return 0, 0, false, false, false
	}
	return lo, hi, loClosed, hiClosed, true
}

// bound reads one bound; an empty one, or the word for it, is open.
func bound(s string, open float64) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return open, true
	}
	v, err := parseFloat(s)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) && v != open {
		return 0, false
	}
	return v, true
}

func isInterval(label string) bool {
	_, _, _, _, ok := ParseInterval(label)
	return ok
}

// IntervalDict makes the codebook of interval labels: sorted by bounds, each
// standing for its midpoint. An open top class [a,) stands for 1.25 a, the
// customary guess for wages where the mean of the class is not published, and
// an open bottom class (,b) for b/2, as of quantities that begin at zero; where
// such a bound is not above zero the class has no number (NaN). A label that is
// not an interval is an error that names it.
func IntervalDict(labels []string) (*frame.Dict, error) {
	type class struct {
		label        string
		lo, hi       float64
		loOut, hiOut int // 1 where the bound lies outside, 0 inside
	}
	var classes []class
	var others []string
	for _, l := range sortedCopy(labels) {
		lo, hi, loClosed, hiClosed, ok := ParseInterval(l)
		if !ok {
			others = append(others, quoteShort(l))
			continue
		}
		c := class{label: l, lo: lo, hi: hi, loOut: 1}
		if loClosed {
			c.loOut = 0
		}
		if !hiClosed {
			c.hiOut = 1
		}
		classes = append(classes, c)
	}
	if len(others) > 0 {
		shown := others[:min(len(others), 10)]
		return nil, fmt.Errorf("not all labels are intervals like (39,49]: %s; list them as missing, or give the codebook", strings.Join(shown, ", "))
	}
	slices.SortStableFunc(classes, func(a, b class) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.loOut, b.loOut), cmp.Compare(a.hi, b.hi), cmp.Compare(b.hiOut, a.hiOut))
	})
	sorted, values := make([]string, len(classes)), make([]float64, len(classes))
	for i, c := range classes {
		sorted[i], values[i] = c.label, midpoint(c.lo, c.hi)
	}
	return frame.NewDict(sorted, values)
}

func midpoint(lo, hi float64) float64 {
	switch {
	case math.IsInf(hi, 1) && lo > 0:
		return float64(lo * 1.25)
	case math.IsInf(lo, -1) && hi > 0:
		return float64(hi / 2)
	case math.IsInf(hi, 1), math.IsInf(lo, -1):
		return math.NaN()
	}
	return float64(lo/2) + float64(hi/2)
}
