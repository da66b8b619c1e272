package mask

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/rng"
)

// number returns a column whose values are whole multiples of a unit (a euro, a
// hundredth of an FTE, a year), so that sums are exact.
func number(f *frame.Frame, name string) (frame.Column, error) {
	c, ok := f.Lookup(name)
	switch {
	case !ok:
		return c, fmt.Errorf("mask: no column %q among %q", name, f.Names())
	case c.Kind != frame.Int:
		return c, fmt.Errorf("mask: column %q is %v: this step needs numbers; for classes use another step, such as %s", name, c.Kind, StepPRAM)
	}
	return c, nil
}

// stored is a value of a column as it is stored, rounded to the nearest unit.
func stored(c frame.Column, v float64) (int64, error) {
	for range c.Decimals {
		v *= 10
	}
	if v = math.Round(v); !(math.Abs(v) <= math.MaxInt32) {
		return 0, fmt.Errorf("mask: %v is no value of column %q", v, c.Name)
	}
	return int64(v), nil
}

// strata are the rows of a frame by the values of some columns, missing being a
// value: rows[bounds[k]:bounds[k+1]], in their order, have address[k].
type strata struct {
	rows    []int32
	bounds  []int
	address []uint64
}

func (s strata) len() int         { return len(s.address) }
func (s strata) of(k int) []int32 { return s.rows[s.bounds[k]:s.bounds[k+1]] }

// strataBy groups the rows for which in is true. The order of strata is that of
// their first rows; draws go by address, which depends on labels and values
// alone.
func strataBy(f *frame.Frame, by []string, in func(i int) bool) (strata, error) {
	cols := make([]frame.Column, len(by))
	labels := make([][]uint64, len(by))
	for k, n := range by {
		c, ok := f.Lookup(n)
		switch {
		case !ok:
			return strata{}, fmt.Errorf("mask: by names %q, which is not among %q: join it in or take it out", n, f.Names())
		case c.Kind == frame.Float || c.Kind == frame.Long:
			return strata{}, fmt.Errorf("mask: by names %q, which is %v, want a coded or integer column", n, c.Kind)
		case slices.Contains(by[:k], n):
			return strata{}, fmt.Errorf("mask: by names %q twice", n)
		}
		cols[k] = c
		if c.Coded() {
			for _, l := range c.Dict.Labels() {
				h := fnv.New64a()
				h.Write([]byte(l))
				labels[k] = append(labels[k], h.Sum64())
			}
		}
	}
	var s strata
	at := map[uint64]int32{}
	number := make([]int32, f.Rows())
	var counts []int
	last, lastAt := uint64(0), int32(-1)
	for i := range number {
		if number[i] = -1; !in(i) {
			continue
		}
		h := uint64(len(cols))
		for k := range cols {
			switch c := &cols[k]; {
			case c.Missing(i):
				h = rng.Mix(h, 1)
			case labels[k] != nil:
				h = rng.Mix(rng.Mix(h, 2), labels[k][c.I[i]])
			default:
				h = rng.Mix(rng.Mix(h, 3), uint64(int64(c.I[i])))
			}
		}
		if lastAt < 0 || h != last {
			k, ok := at[h]
			if !ok {
				k = int32(len(s.address))
				at[h] = k
				s.address, counts = append(s.address, h), append(counts, 0)
			}
			last, lastAt = h, k
		}
		number[i] = lastAt
		counts[lastAt]++
	}
	s.bounds = append(s.bounds, 0)
	for k, n := range counts {
		s.bounds = append(s.bounds, s.bounds[k]+n)
		counts[k] = s.bounds[k]
	}
	s.rows = make([]int32, s.bounds[len(s.bounds)-1])
	for i, k := range number {
		if k >= 0 {
			s.rows[counts[k]] = int32(i)
			counts[k]++
		}
	}
	return s, nil
}

// compare fills in what a step did to a number: how many rows have another
// value, and what became of mean and variance.
func (r *Report) compare(was, now frame.Column) {
	type moments struct{ n, mean, square float64 }
	add := func(m *moments, v float64) {
		m.n++
		d := v - m.mean
		m.mean += d / m.n
		m.square += float64(d * (v - m.mean))
	}
	var a, b moments
	changed, moved := int64(0), 0.0
	for i, v := range was.I {
		if was.Missing(i) {
			continue
		}
		if now.I[i] != v {
			changed++
		}
		d := float64(now.I[i]) - float64(v)
		moved += float64(d * d)
		add(&a, float64(v))
		add(&b, float64(now.I[i]))
	}
	r.Units, r.Touched = r.Units+int64(a.n), r.Touched+changed
	c := Change{Column: was.Name, Rows: changed, Of: int64(a.n), Mean: math.NaN(), Variance: math.NaN()}
	if c.RMS = math.Sqrt(moved / max(1, a.n)); was.Decimals > 0 {
		c.RMS /= math.Pow10(int(was.Decimals))
	}
	if a.mean != 0 {
		c.Mean = b.mean/a.mean - 1
	}
	if a.square > 0 {
		c.Variance = b.square / a.square
	}
	r.Changes = append(r.Changes, c)
	if changed == 0 && a.n > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("no value of %s changed: the step protects nothing", was.Name))
	}
}

func joined(names []string) string { return strings.Join(names, " and ") }
