package attack

import (
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/publish"
)

// classes are the bounds of the labels of a class column. Labels that are no
// intervals have NaN bounds.
type classes struct {
	lo, hi, mid, spread []float64 // spread: variance of a value inside the class
	openBelow           bool
}

// classesOf reads labels such as "[25000,30000)" and "[150000,)". An open class
// takes the number that the codebook publishes for it (its mean), and is as
// wide as that puts it in the middle; without one it is as wide as its
// neighbour. integer classes hold counts, which are far more often small than
// large: inside a class a count k is taken to have weight 1/(k(k+1)).
func classesOf(d *frame.Dict, integer bool) classes {
	n := d.Len()
	c := classes{lo: make([]float64, n), hi: make([]float64, n), mid: make([]float64, n), spread: make([]float64, n)}
	for i, label := range d.Labels() {
		lo, hi, err := publish.Interval(label)
		if err != nil {
			lo, hi = math.NaN(), math.NaN()
		}
		c.lo[i], c.hi[i] = lo, hi
	}
	for i := range n {
		value := math.NaN()
		if d.HasValues() {
			value = d.Value(int32(i))
		}
		width := 0.0
		switch {
		case i > 0 && !math.IsInf(c.hi[i-1]-c.lo[i-1], 0):
			width = c.hi[i-1] - c.lo[i-1]
		case i+1 < n && !math.IsInf(c.hi[i+1]-c.lo[i+1], 0):
			width = c.hi[i+1] - c.lo[i+1]
		}
		if math.IsInf(c.hi[i], 1) {
			c.hi[i] = c.lo[i] + width
			if value > c.lo[i] {
				c.hi[i] = 2*value - c.lo[i]
			}
		}
		if math.IsInf(c.lo[i], -1) {
			c.openBelow = c.openBelow || i == 0
			c.lo[i] = max(0, c.hi[i]-width)
		}
		w := c.hi[i] - c.lo[i]
		c.mid[i], c.spread[i] = (c.lo[i]+c.hi[i])/2, float64(w*w)/12
		if integer {
			c.mid[i], c.spread[i] = countMoments(c.lo[i], c.hi[i])
		}
	}
	return c
}

// variance of a value known to lie in class c.
func (c classes) variance(code int32) float64 { return c.spread[code] }

func countMoments(lo, hi float64) (mean, variance float64) {
	if math.IsNaN(lo) || math.IsNaN(hi) {
		return math.NaN(), math.NaN()
	}
	var w, s, q float64
	for k := max(1, math.Ceil(lo)); k < hi; k++ {
		p := 1 / (k * (k + 1))
		w += p
		s += float64(p * k)
		q += float64(p * k * k)
	}
	if w == 0 {
		return lo, 0
	}
	mean = s / w
	return mean, max(0, q/w-float64(mean*mean))
}

// of returns the class that holds a value, -1 for none.
func (c classes) of(v float64) int32 {
	for i := range c.lo {
		top := i == len(c.lo)-1
		if (v >= c.lo[i] || i == 0 && c.openBelow) && (v < c.hi[i] || top) {
			return int32(i)
		}
	}
	return -1
}
