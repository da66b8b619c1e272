package source

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/tabio"
)

// identifiers sorts a codebook of numbers by value, as people do: by length,
// then by text.
func identifiers(c frame.Column) frame.Column {
	labels := slices.Clone(c.Dict.Labels())
	if slices.ContainsFunc(labels, func(l string) bool { return strings.Trim(l, "0123456789") != "" }) {
		return c
	}
	slices.SortFunc(labels, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return recoded(c, frame.MustDict(labels...))
}

// recoded expresses a coded column in another codebook of the same labels.
func recoded(c frame.Column, d *frame.Dict) frame.Column {
	to := make([]int32, c.Dict.Len())
	for i, l := range c.Dict.Labels() {
		to[i], _ = d.Code(l)
	}
	codes := make([]int32, len(c.I))
	for i, k := range c.I {
		codes[i] = k
		if k >= 0 {
			codes[i] = to[k]
		}
	}
	c.Dict, c.I = d, codes
	return c
}

// groups uses the product's own codebook where the labels are its own.
func groups(c frame.Column) frame.Column {
	for _, l := range c.Dict.Labels() {
		if _, ok := linked.GroupDict.Code(l); !ok {
			return c
		}
	}
	c = recoded(c, linked.GroupDict)
	c.Kind = frame.Category
	return c
}

// wage rounds to whole euro, halves to even.
func (r *reader) wage(c frame.Column) (frame.Column, error) {
	out := make([]int32, c.Len())
	for i, v := range c.F {
		switch {
		case math.IsNaN(v):
			out[i] = frame.NoInt
		case v < 0:
			return c, r.fail(i, linked.Wage, "the wage %v is negative: correct it, or list the value under missing", v)
		case v > math.MaxInt32:
			return c, r.fail(i, linked.Wage, "the wage %v is no yearly wage in euro: want at most %d", v, math.MaxInt32)
		default:
			out[i] = int32(math.RoundToEven(v))
		}
	}
	return frame.Ints(linked.Wage, out), nil
}

// maxFTE is the most that is read as a full-time equivalent. Somebody may work
// more than full time; a hundred is a percentage.
const maxFTE = 10

// fte rounds to hundredths, halves to even.
func (r *reader) fte(c frame.Column) (frame.Column, error) {
	percent := r.role(linked.FTE).Unit == "percent"
	out := make([]int32, c.Len())
	for i, v := range c.F {
		hundredths := v
		if !percent {
			hundredths = float64(v * 100)
		}
		switch {
		case math.IsNaN(v):
			out[i] = frame.NoInt
		case v < 0:
			return c, r.fail(i, linked.FTE, "the FTE %v is negative: correct it, or list the value under missing", v)
		case hundredths > 100*maxFTE && !percent:
			return c, r.fail(i, linked.FTE, "the FTE %v is no fraction: if it is in percent, add unit: percent", v)
		case hundredths > 100*maxFTE:
			return c, r.fail(i, linked.FTE, "the FTE is %v percent, want at most %d", v, 100*maxFTE)
		default:
			out[i] = int32(math.RoundToEven(hundredths))
		}
	}
	return frame.Fixed(linked.FTE, 2, out), nil
}

func (r *reader) weight(c frame.Column) error {
	for i, v := range c.F {
		if v < 0 || math.IsInf(v, 0) {
			return r.fail(i, linked.Weight, "the weight is %v, want a number from 0", v)
		}
	}
	return nil
}

// maxAge is the highest age that is read as one, in years.
const maxAge = 130

// age takes whole years or interval labels, which stand for their midpoints.
func (r *reader) age(c frame.Column) (frame.Column, error) {
	if !c.Coded() {
		for i, v := range c.I {
			if v != frame.NoInt && (v < 0 || v > maxAge) {
				return c, r.fail(i, linked.Age, "the age %d is not between 0 and %d: correct it, or list the value under missing", v, maxAge)
			}
		}
		return c, nil
	}
	labels := c.Dict.Labels()
	if !slices.ContainsFunc(labels, func(l string) bool { _, _, _, _, ok := tabio.ParseInterval(l); return !ok }) {
		d, err := r.ageClasses(labels)
		if err != nil {
			return c, err
		}
		c = recoded(c, d)
		c.Kind = frame.Ordinal
		return c, nil
	}
	if c.Dict.HasValues() {
		return c, nil // an ordinal column of numbers
	}
	for i := range c.Len() {
		if c.Missing(i) {
			continue
		}
		if _, _, _, _, ok := tabio.ParseInterval(c.Dict.Label(c.I[i])); !ok {
			return c, r.fail(i, linked.Age, "%q is neither an age nor a class like (39,49]: write classes that way, or list the label under missing", c.Dict.Label(c.I[i]))
		}
	}
	return c, nil
}
