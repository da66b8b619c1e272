package mask

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// Noise says what is added to a number.
type Noise struct {
	Column   string
	SD       float64  // standard deviation, in the unit of the column, or where Relative as a share of the value
	Relative bool     // multiplicative noise: the deviation grows with the value
	ZeroSum  bool     // the noise of a stratum adds up to nothing
	By       []string // strata, coded or integer columns; none is one stratum
	Least    float64  // no value falls below, in the unit of the column
	Most     float64  // no value rises above; 0 is none
}

// AddNoise adds independent normal noise, cut off symmetrically where it would
// leave the bounds, and rounded at random to the unit of the column so that no
// rounding error has a direction: the expectation of every value is the value
// (additive and multiplicative noise, Hundepool et al. 2012, 3.4.1). A value at
// a bound, or outside, therefore stays as it is. Missing values stay.
//
// With ZeroSum the sum of every stratum is exact: what the noise adds up to is
// taken back in equal parts, and from those who have room left where a part
// would cross a bound. A stratum of one then keeps its value; the report counts
// such rows.
//
// Sums are kept on average otherwise, with a standard deviation of sd·sqrt(n);
// variances grow by sd², correlations shrink, ranks near each other change
// places, and a regression on the noisy column is attenuated.
func AddNoise(ctx context.Context, jobs *frame.Frame, o Noise, key rng.Secret, step int) (*frame.Frame, Report, error) {
	r := Report{Step: StepNoise, Unit: "jobs", Protects: "exact values of " + o.Column + "; not their size",
		NotKept: []string{"the distribution of " + o.Column + ": its variance grows by that of the noise", "correlations and regressions on it, which are attenuated"}}
	if !o.ZeroSum {
		r.NotKept = append(r.NotKept, "sums, which are kept on average only")
	}
	c, err := number(jobs, o.Column)
	if err != nil {
		return nil, r, err
	}
	if err := checkKey(key); err != nil {
		return nil, r, err
	}
	if !(o.SD > 0 && o.SD <= math.MaxInt32) {
		return nil, r, fmt.Errorf("mask: sd is %v, want a standard deviation above 0 and at most %d", o.SD, math.MaxInt32)
	}
	n := bounds{most: math.MaxInt32, sd: o.SD, relative: o.Relative}
	if n.least, err = stored(c, o.Least); err != nil {
		return nil, r, err
	}
	if o.Most != 0 {
		if n.most, err = stored(c, o.Most); err != nil {
			return nil, r, err
		}
	}
	if n.most <= n.least {
		return nil, r, fmt.Errorf("mask: values from %v to %v: want a least below the most", o.Least, o.Most)
	}
	if !o.Relative {
		for range c.Decimals {
			n.sd *= 10
		}
	}
	groups, err := strataBy(jobs, o.By, func(i int) bool { return !c.Missing(i) })
	if err != nil {
		return nil, r, err
	}
	key = key.Derive("mask step " + strconv.Itoa(step))
	now := c
	now.I = append([]int32(nil), c.I...)
	alone := make([]int64, groups.len())
	err = par.Do(ctx, groups.len(), func(k int) error {
		rows := groups.of(k)
		s := key.Stream(StepNoise, groups.address[k])
		if len(rows) == 1 && o.ZeroSum {
			alone[k] = 1
			return nil
		}
		total := int64(0)
		for _, i := range rows {
			d := n.draw(s, int64(c.I[i]))
			now.I[i] += int32(d)
			total += d
		}
		if o.ZeroSum {
			n.takeBack(s, now.I, c.I, rows, total)
		}
		return nil
	})
	if err != nil {
		return nil, r, err
	}
	left := int64(0)
	for _, a := range alone {
		left += a
	}
	if left > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d rows are alone in their stratum of %q and keep their %s: use fewer columns in by, or leave zero_sum out", left, o.By, o.Column))
	}
	r.compare(c, now)
	return jobs.With(now), r, nil
}

// bounds are the limits of noisy values, in stored units.
type bounds struct {
	least, most int64
	sd          float64
	relative    bool
}

// draw is the noise of a value: normal, cut off at the distance to the nearer
// bound on both sides, and rounded without bias.
func (b bounds) draw(s *rng.Stream, v int64) int64 {
	room := min(v-b.least, b.most-v)
	if room <= 0 {
		return 0
	}
	sd := b.sd
	if b.relative {
		sd *= float64(v)
	}
	for {
		if x := float64(sd * s.Normal()); math.Abs(x) <= float64(room) {
			return int64(s.Round(x))
		}
		if sd > 4*float64(room) { // nearly flat inside: few draws would fit
			sd = 4 * float64(room)
		}
	}
}

// takeBack removes total from the rows, in equal parts as far as bounds allow.
// Values outside the bounds keep their place, as they do without noise.
func (b bounds) takeBack(s *rng.Stream, v, was []int32, rows []int32, total int64) {
	open := make([]int32, 0, len(rows))
	for _, i := range rows {
		if x := int64(was[i]); x > b.least && x < b.most {
			open = append(open, i)
		}
	}
	rng.Shuffle(s, open)
	for total != 0 && len(open) > 0 {
		part, more := total/int64(len(open)), total%int64(len(open))
		still := open[:0]
		for k, i := range open {
			d := part
			switch {
			case more > 0 && int64(k) < more:
				d++
			case more < 0 && int64(k) < -more:
				d--
			}
			want := int64(v[i]) - d
			to := min(b.most, max(b.least, want))
			total -= int64(v[i]) - to
			v[i] = int32(to)
			if to == want {
				still = append(still, i)
			}
		}
		open = still
	}
}
