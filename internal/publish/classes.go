package publish

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
)

// Spec describes classes as a plan does: equal widths from From up to Top, or
// Bounds one by one, in the unit of the column (euro per year, fraction, years).
type Spec struct {
	Width  float64
	From   float64
	Top    float64
	Bounds []float64
}

// boundDecimals is how fine a bound may be: 0.0001.
const boundDecimals = 4

// maxClasses keeps a misspelt width from filling the memory.
const maxClasses = 10000

// Classes are intervals [a,b) that cover every number: below the first bound
// and from the last one on they are open. The zero value has no classes, and a
// column without classes is not published.
type Classes struct {
	dict   *frame.Dict
	bounds []int64 // times 10^boundDecimals, ascending
}

// NewClasses makes classes from a plan's description; the zero Spec gives the
// zero Classes. Labels are `(,10000)`, `[25000,30000)` and `[150000,)`. An open
// class stands for the number in the middle of an interval as wide as its
// neighbour (but not below half the first bound where that is positive).
func NewClasses(s Spec) (Classes, error) {
	values := s.Bounds
	switch {
	case len(s.Bounds) > 0 && (s.Width != 0 || s.From != 0 || s.Top != 0):
		return Classes{}, fmt.Errorf("publish: classes have both bounds and a width: give one of them")
	case len(s.Bounds) > 0:
	case s.Width == 0 && s.From == 0 && s.Top == 0:
		return Classes{}, nil
	case !(s.Width > 0) || !(s.Top > s.From) || math.IsInf(s.Top, 0):
		return Classes{}, fmt.Errorf("publish: classes of width %v from %v to %v: want a width above 0 and a top above from", s.Width, s.From, s.Top)
	case (s.Top-s.From)/s.Width > maxClasses:
		return Classes{}, fmt.Errorf("publish: classes of width %v from %v to %v are more than %d: want them wider", s.Width, s.From, s.Top, maxClasses)
	}
	if len(s.Bounds) == 0 {
		// Steps in integers: 0.1 added ten times is not 1.
		from, width, top, err := fixed3(s.From, s.Width, s.Top)
		if err != nil {
			return Classes{}, err
		}
		var b []int64
		for v := from; v < top; v += width {
			b = append(b, v)
		}
		return build(append(b, top)), nil
	}
	b := make([]int64, len(values))
	for i, v := range values {
		var err error
		if b[i], err = fixed(v); err != nil {
			return Classes{}, err
		}
		if i > 0 && b[i] <= b[i-1] {
			return Classes{}, fmt.Errorf("publish: class bound %v does not lie above %v: give bounds from low to high", v, values[i-1])
		}
	}
	return build(b), nil
}

func fixed3(a, b, c float64) (x, y, z int64, err error) {
	if x, err = fixed(a); err != nil {
		return
	}
	if y, err = fixed(b); err != nil {
		return
	}
	z, err = fixed(c)
	return
}

func fixed(v float64) (int64, error) {
	s := v * 1e4
	r := math.Round(s)
	if math.IsNaN(v) || math.Abs(s) > 1e15 || math.Abs(s-r) > 1e-6*max(1, math.Abs(s)) {
		return 0, fmt.Errorf("publish: class bound %v: want a number with at most %d decimals, below 1e11", v, boundDecimals)
	}
	return int64(r), nil
}

func build(b []int64) Classes {
	labels := []string{"(," + number(b[0]) + ")"}
	for i := 1; i < len(b); i++ {
		labels = append(labels, "["+number(b[i-1])+","+number(b[i])+")")
	}
	labels = append(labels, "["+number(b[len(b)-1])+",)")
	return Classes{dict: IntervalDict(labels), bounds: b}
}

// number writes a bound without float rounding.
func number(v int64) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	s := fmt.Sprintf("%s%d.%04d", sign, v/1e4, v%1e4)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// Dict returns the codebook, nil for the zero Classes.
func (c Classes) Dict() *frame.Dict { return c.dict }

// Code returns the class of a number v * 10^-decimals.
func (c Classes) Code(v int64, decimals uint8) int32 { return c.Mean(v, 1, decimals) }

// Mean returns the class of the mean sum/count * 10^-decimals, count >= 1,
// decided in integers: a mean of exactly 25000 is in [25000,30000), and one of
// 24999.999… is not.
func (c Classes) Mean(sum, count int64, decimals uint8) int32 {
	// sum/count >= b*10^-4 * 10^d  <=>  sum*10^4 >= b*count*10^d
	at := sort.Search(len(c.bounds), func(i int) bool {
		return less(sum, 1e4, c.bounds[i], count*pow10[decimals])
	})
	return int32(at)
}

var pow10 = [...]int64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// less reports whether a*x < b*y for positive x and y, without overflow.
func less(a, x, b, y int64) bool {
	if (a < 0) != (b < 0) {
		return a < 0
	}
	negative := a < 0
	if negative {
		a, b = -a, -b
	}
	ah, al := bits.Mul64(uint64(a), uint64(x))
	bh, bl := bits.Mul64(uint64(b), uint64(y))
	if negative {
		return ah > bh || ah == bh && al > bl
	}
	return ah < bh || ah == bh && al < bl
}

// Interval parses a class label into its bounds [lo, hi); an open side is
// infinite.
func Interval(label string) (lo, hi float64, err error) {
	n := len(label)
	comma := strings.IndexByte(label, ',')
	if n < 4 || comma < 0 || label[n-1] != ')' || label[0] != '[' && !(label[0] == '(' && comma == 1) {
		return 0, 0, fmt.Errorf("publish: %q is no class label such as [25000,30000), (,0) or [150000,)", label)
	}
	lo, hi = math.Inf(-1), math.Inf(1)
	if comma > 1 {
		lo, err = strconv.ParseFloat(label[1:comma], 64)
	}
	if err == nil && comma < n-2 {
		hi, err = strconv.ParseFloat(label[comma+1:n-1], 64)
	}
	if err != nil || !(lo < hi) || comma == 1 && comma == n-2 {
		return 0, 0, fmt.Errorf("publish: %q is no class label such as [25000,30000), (,0) or [150000,)", label)
	}
	return lo, hi, nil
}

// IntervalDict makes the codebook of class labels in order, with midpoints by
// the rule of [NewClasses]. Labels that are no intervals, or do not follow one
// another without a gap, get no numbers; they must be distinct.
func IntervalDict(labels []string) *frame.Dict { return intervalDict(labels, midpoint) }

// CountDict is [IntervalDict] for classes of head counts: [3,5) holds 3 and 4
// and stands for 3.5.
func CountDict(labels []string) *frame.Dict {
	return intervalDict(labels, func(lo, hi float64) float64 { return (lo + hi - 1) / 2 })
}

func midpoint(lo, hi float64) float64 { return (lo + hi) / 2 }

func intervalDict(labels []string, mid func(lo, hi float64) float64) *frame.Dict {
	bounds, ok := Contiguous(labels)
	if !ok {
		return frame.MustDict(labels...)
	}
	values := make([]float64, len(labels))
	for i := range labels {
		lo, hi := bounds[i], bounds[i+1]
		if math.IsInf(hi, 1) {
			hi = lo + 1
			if i > 0 && !math.IsInf(bounds[i-1], -1) {
				hi = lo + (lo - bounds[i-1])
			}
		}
		if math.IsInf(lo, -1) {
			width := 1.0
			if len(labels) > 1 && !math.IsInf(bounds[2], 1) {
				width = bounds[2] - bounds[1]
			}
			lo = hi - width
			if hi > 0 {
				lo = max(lo, 0)
			}
		}
		values[i] = mid(lo, hi)
	}
	d, err := frame.NewDict(labels, values)
	if err != nil {
		panic(err)
	}
	return d
}

// Contiguous returns the bounds of labels that are intervals, each beginning
// where the one before it ends: label i is [bounds[i], bounds[i+1]).
func Contiguous(labels []string) (bounds []float64, ok bool) {
	for i, l := range labels {
		lo, hi, err := Interval(l)
		if err != nil || i > 0 && lo != bounds[i] {
			return nil, false
		}
		if i == 0 {
			bounds = append(bounds, lo)
		}
		bounds = append(bounds, hi)
	}
	return bounds, len(labels) > 0
}

// countClasses are the classes of head counts with the given lower bounds.
type countClasses struct {
	dict   *frame.Dict
	bounds []int32
}

func newCountClasses(lower []int) (countClasses, error) {
	lower = slices.Clone(lower)
	if len(lower) > 0 && lower[0] > 1 {
		lower = slices.Insert(lower, 0, 1)
	}
	c := countClasses{}
	var labels []string
	for i, b := range lower {
		if b < 1 || b > math.MaxInt32 || i > 0 && b <= lower[i-1] {
			return c, fmt.Errorf("publish: classes of head counts %v: want lower bounds from 1 on, from low to high", lower)
		}
		c.bounds = append(c.bounds, int32(b))
		if i+1 < len(lower) {
			labels = append(labels, fmt.Sprintf("[%d,%d)", b, lower[i+1]))
		} else {
			labels = append(labels, fmt.Sprintf("[%d,)", b))
		}
	}
	if len(labels) > 0 {
		c.dict = CountDict(labels)
	}
	return c, nil
}

func (c countClasses) code(n int32) int32 {
	code := int32(-1)
	for _, b := range c.bounds {
		if n >= b {
			code++
		}
	}
	return code
}
