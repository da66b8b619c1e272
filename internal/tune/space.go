package tune

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/rng"
)

// Axis is one thing that varies: a number in an interval, or a choice.
type Axis struct {
	Path string // what is set, such as scramble.steps[0].rate
	// From and To bound a number, From < To; Log spreads it evenly in its
	// logarithm and needs From > 0.
	From, To float64
	Log      bool
	// Choices are values, each as it is written in YAML; with any, From and To
	// are not used.
	Choices []string
}

// Validate says what is wrong with an axis.
func (a Axis) Validate() error {
	switch {
	case len(a.Choices) > 0:
		return nil
	case !(a.From < a.To) || math.IsInf(a.From, 0) || math.IsInf(a.To, 0):
		return fmt.Errorf("%s: from %v to %v, want a finite interval with from below to", a.Path, a.From, a.To)
	case a.Log && a.From <= 0:
		return fmt.Errorf("%s: a logarithmic scale from %v, want from above 0", a.Path, a.From)
	}
	return nil
}

// at returns the value at u in [0, 1), as it is written in YAML. Numbers have
// three significant digits: nobody sets a rate of .2137094.
func (a Axis) at(u float64) string {
	if n := len(a.Choices); n > 0 {
		return a.Choices[min(n-1, int(u*float64(n)))]
	}
	x := a.From + u*(a.To-a.From)
	if a.Log {
		x = a.From * math.Pow(a.To/a.From, u)
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		r = x
	}
	return strconv.FormatFloat(min(a.To, max(a.From, r)), 'f', -1, 64)
}

// Setting is one value of a point.
type Setting struct {
	Path  string `json:"path"`
	Value string `json:"value"` // as it is written in YAML
}

// Point is one plan of the space.
type Point struct {
	ID       int       `json:"id"` // from 0, in the order of the sequence
	Settings []Setting `json:"settings"`
}

// String writes a point on a line.
func (p Point) String() string {
	parts := make([]string, len(p.Settings))
	for i, s := range p.Settings {
		parts[i] = s.Path + " = " + s.Value
	}
	return strings.Join(parts, ", ")
}

// Spread returns n different points of the space, or all where it has fewer: the
// first n of a sequence of low discrepancy, turned by a draw, so that more
// points fill the gaps between fewer.
//
// It is the sequence of Halton (1960) with a random turn of each axis (Cranley and
// Patterson 1976).
func Spread(axes []Axis, n int, key rng.Sim) []Point {
	r := key.Stream(0x74756e65, 0)
	start := make([]float64, len(axes))
	for i := range start {
		start[i] = r.Float64()
	}
	bases := primes(len(axes))
	seen := map[string]bool{}
	var out []Point
	// A space of few choices repeats itself: stop once nothing new turns up.
	for k, idle := 0, 0; len(out) < n && idle < 50*(n+len(axes)+10); k++ {
		p := Point{ID: len(out), Settings: make([]Setting, len(axes))}
		for i, a := range axes {
			u := start[i] + mirrored(k, bases[i])
			p.Settings[i] = Setting{a.Path, a.at(u - math.Floor(u))}
		}
		if name := p.String(); seen[name] {
			idle++
		} else {
			seen[name], idle = true, 0
			out = append(out, p)
		}
	}
	return out
}

// mirrored writes k in a base behind the point, the last digit first: in [0, 1).
func mirrored(k, base int) float64 {
	x, digit := 0.0, 1.0
	for ; k > 0; k /= base {
		digit /= float64(base)
		x += digit * float64(k%base)
	}
	return x
}

// primes are the first n.
func primes(n int) []int {
	var out []int
	for x := 2; len(out) < n; x++ {
		if !slices.ContainsFunc(out, func(p int) bool { return x%p == 0 }) {
			out = append(out, x)
		}
	}
	return out
}
