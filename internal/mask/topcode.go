package mask

import (
	"fmt"

	"scramblelab/internal/frame"
)

// TopCoder says which values of a number are cut off.
type TopCoder struct {
	Column string
	Above  float64 // values above are replaced; 0 is none; in the unit of the column (euro, fraction, years)
	Below  float64 // values below are replaced; 0 is none
	Mean   bool    // by the mean of the values replaced on that side, else by the bound
}

// leastBehindMean is the number of values below which a mean would tell them.
const leastBehindMean = 10

// TopCode replaces what lies beyond a bound by the bound, or by the mean of all
// values beyond it on the frame handed in, rounded to the unit of the column
// (top and bottom coding, Hundepool et al. 2012, 3.4.3). Missing values stay.
//
// With the bound, sums and means shrink; with the mean, the sum over the whole
// frame is kept up to half a unit per value replaced, and no other sum is. A
// side with fewer than 10 values beyond the bound takes the bound instead,
// since their mean would tell them, and says so.
//
// It protects nothing below the bound: whoever is not extreme is as exposed as
// before, and who is extreme is known to lie beyond the bound.
func TopCode(jobs *frame.Frame, o TopCoder) (*frame.Frame, Report, error) {
	r := Report{Step: StepTopCode, Unit: "jobs", Protects: "values beyond the bounds; nothing between them",
		NotKept: []string{"maxima, variances and upper quantiles of " + o.Column, "sums by employer or cell that hold a value replaced"}}
	c, err := number(jobs, o.Column)
	if err != nil {
		return nil, r, err
	}
	if !(o.Above >= 0 && o.Below >= 0) || o.Above == 0 && o.Below == 0 || o.Above > 0 && o.Below >= o.Above {
		return nil, r, fmt.Errorf("mask: %s above %v and below %v: want at least one bound above 0, and below under above", o.Column, o.Above, o.Below)
	}
	now := c
	now.I = append([]int32(nil), c.I...)
	for _, side := range []struct {
		name   string
		bound  float64
		beyond func(v, bound int32) bool
	}{
		{"above", o.Above, func(v, bound int32) bool { return v > bound }},
		{"below", o.Below, func(v, bound int32) bool { return v < bound }},
	} {
		if side.bound == 0 {
			continue
		}
		at, err := stored(c, side.bound)
		if err != nil {
			return nil, r, err
		}
		bound, n, sum := int32(at), int64(0), int64(0)
		for i, v := range c.I {
			if !c.Missing(i) && side.beyond(v, bound) {
				n, sum = n+1, sum+int64(v)
			}
		}
		to := bound
		switch {
		case o.Mean && n >= leastBehindMean:
			to = int32(roundedMean(sum, n))
		case o.Mean && n > 0:
			r.Warnings = append(r.Warnings, fmt.Sprintf("only %d values of %s lie %s %v: they take the bound, since their mean would tell them", n, o.Column, side.name, side.bound))
		}
		for i, v := range c.I {
			if !c.Missing(i) && side.beyond(v, bound) {
				now.I[i] = to
			}
		}
	}
	r.compare(c, now)
	return jobs.With(now), r, nil
}

// roundedMean is sum/n rounded to the nearest integer, halves upwards.
func roundedMean(sum, n int64) int64 {
	double := 2*sum + n
	q := double / (2 * n)
	if double%(2*n) < 0 {
		q--
	}
	return q
}
