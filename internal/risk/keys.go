// Package risk measures what a file gives away by itself, whoever attacks it:
// how many records share a combination of key values, in the file and in the
// population, and what those who share it have in common (METHODS 2, A1 and A2,
// and 2.7). It makes no claims about anybody: package attack does.
//
// A missing key value is a wildcard that matches every value, on both sides, so
// that suppression makes classes larger and never smaller. A missing sensitive
// value is a value of its own. Rows that match nothing but themselves count 1.
package risk

import (
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
)

// Missing is the code of a missing key value: it matches every other.
const Missing = int32(-1)

// Keys are the combinations of key values of some rows: codes by column, then
// by row, Missing where the value is missing.
type Keys struct {
	rows int
	cols [][]int32
}

// NewKeys makes keys of columns of codes that are equally long and not negative
// but for Missing.
func NewKeys(cols ...[]int32) (Keys, error) {
	k := Keys{cols: cols}
	if len(cols) == 0 {
		return k, fmt.Errorf("risk: no key columns: name what an intruder may know")
	}
	k.rows = len(cols[0])
	for _, c := range cols {
		if len(c) != k.rows {
			return k, fmt.Errorf("risk: key columns have %d and %d rows, want equally many", k.rows, len(c))
		}
		for _, v := range c {
			if v < Missing {
				return k, fmt.Errorf("risk: key code %d, want a code from 0 or %d for missing", v, Missing)
			}
		}
	}
	return k, nil
}

// KeysOf reads key columns of several tables in one code, so that rows of one
// can be found in another; the columns must be of the same kind in all. Coded
// columns compare by label, numbers by value.
func KeysOf(names []string, tables ...*frame.Frame) ([]Keys, error) {
	cols := make([][][]int32, len(tables))
	for _, name := range names {
		labels, numbers := map[string]int32{}, map[float64]int32{}
		for t, f := range tables {
			c, ok := f.Lookup(name)
			if !ok {
				return nil, fmt.Errorf("risk: no column %q among %q", name, f.Names())
			}
			codes := make([]int32, f.Rows())
			var byCode []int32
			if c.Coded() {
				for _, l := range c.Dict.Labels() {
					byCode = append(byCode, codeOf(labels, l))
				}
			}
			last, code := math.NaN(), Missing // numbers often follow their like
			for i := range codes {
				switch {
				case c.Missing(i):
					codes[i] = Missing
				case c.Coded():
					codes[i] = byCode[c.I[i]]
				default:
					if v := c.Value(i); v != last {
						last, code = v, codeOf(numbers, v)
					}
					codes[i] = code
				}
			}
			if len(labels) > 0 && len(numbers) > 0 {
				return nil, fmt.Errorf("risk: column %q is coded in one table and a number in another: give it one kind", name)
			}
			cols[t] = append(cols[t], codes)
		}
	}
	out := make([]Keys, len(tables))
	for t := range tables {
		var err error
		if out[t], err = NewKeys(cols[t]...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func codeOf[T comparable](codes map[T]int32, v T) int32 {
	code, ok := codes[v]
	if !ok {
		code = int32(len(codes))
		codes[v] = code
	}
	return code
}

// Plain returns the keys with missing as a value like any other: where it means
// that there is nothing (no event) rather than that nobody knows.
func (k Keys) Plain() Keys {
	out := Keys{rows: k.rows}
	for _, c := range k.cols {
		if slices.Contains(c, Missing) {
			c = slices.Clone(c)
			for i, v := range c {
				if v == Missing {
					c[i] = math.MaxInt32 // in every table the same
				}
			}
		}
		out.cols = append(out.cols, c)
	}
	return out
}

// Rows returns the number of rows.
func (k Keys) Rows() int { return k.rows }

// classes numbers the distinct combinations in order of first appearance and
// says which have a missing value. Missing is a value here.
type classes struct {
	of      []int32   // [row] its combination
	values  [][]int32 // [combination][column]
	partial []int     // combinations with a missing value
	whole   map[string]int32
}

func (k Keys) classes() *classes {
	c := &classes{of: make([]int32, k.rows), whole: map[string]int32{}}
	b := make([]byte, 0, 4*len(k.cols))
	for i := range k.rows {
		b = k.append(b[:0], i)
		at, ok := c.whole[string(b)]
		if !ok {
			at = int32(len(c.values))
			c.whole[string(b)] = at
			v := make([]int32, len(k.cols))
			for j, col := range k.cols {
				v[j] = col[i]
			}
			c.values = append(c.values, v)
			if slices.Contains(v, Missing) {
				c.partial = append(c.partial, int(at))
			}
		}
		c.of[i] = at
	}
	return c
}

func (k Keys) append(b []byte, row int) []byte {
	for _, col := range k.cols {
		v := uint32(col[row])
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return b
}

func matches(a, b []int32) bool {
	for j, v := range a {
		if v != b[j] && v != Missing && b[j] != Missing {
			return false
		}
	}
	return true
}

// Frequencies returns for every row how many rows of the same file match its
// key, itself included, and the sum of their weights; nil weights are ones.
// Missing values match everything (sdcMicro freqCalc).
func Frequencies(k Keys, weights []float64) (f []int, sum []float64, err error) {
	return Matches(k, k, weights)
}

// Matches returns for every row of keys how many rows of in match it, and the
// sum of their weights. Both must come from the same [KeysOf]. The cost is that
// of hashing, and of comparing every combination that has a missing value with
// all others.
func Matches(keys, in Keys, weights []float64) (f []int, sum []float64, err error) {
	if len(keys.cols) != len(in.cols) {
		return nil, nil, fmt.Errorf("risk: keys of %d and of %d columns cannot be compared", len(keys.cols), len(in.cols))
	}
	if weights != nil && len(weights) != in.rows {
		return nil, nil, fmt.Errorf("risk: %d weights for %d rows, want one each", len(weights), in.rows)
	}
	a, b := keys.classes(), in.classes()
	n, w := make([]int, len(b.values)), make([]float64, len(b.values))
	for i, c := range b.of {
		n[c]++
		if weights == nil {
			w[c]++
			continue
		}
		if !(weights[i] >= 0) || math.IsInf(weights[i], 1) {
			return nil, nil, fmt.Errorf("risk: weight of row %d is %v, want a number from 0", i, weights[i])
		}
		w[c] += weights[i]
	}
	count, total := make([]int, len(a.values)), make([]float64, len(a.values))
	buffer := make([]byte, 0, 4*len(keys.cols))
	for c, v := range a.values {
		add := func(o int) {
			count[c] += n[o]
			total[c] += w[o]
		}
		if slices.Contains(v, Missing) {
			for o, u := range b.values {
				if matches(v, u) {
					add(o)
				}
			}
			continue
		}
		buffer = buffer[:0]
		for _, x := range v {
			buffer = append(buffer, byte(x), byte(x>>8), byte(x>>16), byte(x>>24))
		}
		if o, ok := b.whole[string(buffer)]; ok {
			add(int(o))
		}
		for _, o := range b.partial {
			if matches(v, b.values[o]) {
				add(o)
			}
		}
	}
	f, sum = make([]int, keys.rows), make([]float64, keys.rows)
	for i, c := range a.of {
		f[i], sum[i] = count[c], total[c]
	}
	return f, sum, nil
}
