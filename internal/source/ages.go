package source

import (
	"fmt"
	"math"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/tabio"
)

// ageClasses makes the codebook of age classes. Each stands for its midpoint,
// but the youngest and the oldest class, where it is open or more than twice as
// wide as its neighbour, counts as wide as that neighbour: the midpoint of
// (59,120] is no worker's age.
func (r *reader) ageClasses(labels []string) (*frame.Dict, error) {
	d, err := tabio.IntervalDict(labels)
	if err != nil {
		return nil, err
	}
	n := d.Len()
	if n == 0 {
		return d, nil
	}
	values := make([]float64, n)
	for i := range n {
		values[i] = d.Value(int32(i))
	}
	var changed []string
	for _, end := range []struct{ at, next int }{{0, 1}, {n - 1, n - 2}} {
		lo, hi, _, _, _ := tabio.ParseInterval(d.Label(int32(end.at)))
		width := float64(defaultAgeWidth)
		if end.next >= 0 && end.next < n {
			a, b, _, _, _ := tabio.ParseInterval(d.Label(int32(end.next)))
			if !math.IsInf(b-a, 0) {
				width = b - a
			}
		}
		if !(hi-lo > 2*width) { // also false for nothing, true for an open end
			continue
		}
		switch {
		case math.IsInf(lo, -1), end.at == 0 && !math.IsInf(hi, 1):
			values[end.at] = hi - width/2
		default:
			values[end.at] = lo + width/2
		}
		changed = append(changed, fmt.Sprintf("%q stands for %v years", d.Label(int32(end.at)), values[end.at]))
		if n == 1 {
			break
		}
	}
	if len(changed) > 0 {
		r.notes = append(r.notes, "age classes stand for their midpoints, except a youngest or oldest class that is open or more than twice as wide as its neighbour, which counts as wide as that: "+strings.Join(changed, ", "))
	}
	return frame.NewDict(d.Labels(), values)
}

// defaultAgeWidth is the width in years of an open class without a neighbour.
const defaultAgeWidth = 10
