package outputs

import (
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/outputs/primary"
)

// countsInDisguise finds the sums that are counts of a part of the units: in
// every table that shows one it is a whole number not above the count, and the
// mean of such a variable is between 0 and 1.
func (c *check) countsInDisguise() map[string]bool {
	out := map[string]bool{}
	if c.bad != nil {
		return out
	}
	not := map[string]bool{}
	for _, t := range c.tables {
		count := t.column(isCount, "")
		for _, m := range t.spec.Measures {
			if m.Is != isSum && m.Is != isMean {
				continue
			}
			name := "sum of " + or(m.Of, m.Column)
			most := slices.Repeat([]float64{1}, len(t.rows)) // of a mean
			if m.Is == isSum {
				most = count
			}
			for row, v := range valuesOf(t.f.Col(m.Column)) {
				if m.Is == isSum && v != math.Trunc(v) || most != nil && v > most[row] {
					not[name] = true
				}
			}
			out[name] = out[name] || most != nil
		}
	}
	for name := range not {
		delete(out, name)
	}
	return out
}

// twoValues returns the values of a variable in the rows that contribute; ok is
// false where they are not two.
func twoValues(values []float64, combination []int32) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for i, v := range values {
		if combination[i] >= 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	for i, v := range values {
		if combination[i] >= 0 && v != low && v != high {
			return low, high, false
		}
	}
	return low, high, low < high
}

// disguised applies the minimum frequency to sums and means that are counts of a
// part of the units: few of them, or all but few.
func (j *judge) disguised(row int, unsafe func(string, map[string][2]float64)) {
	s := j.rules
	f := primary.Frequency{N: int64(s.Frequency.N)}
	var done []string
	for _, m := range j.t.spec.Measures {
		name := "sum of " + or(m.Of, m.Column)
		if m.Is != isSum && m.Is != isMean || !j.c.disguises[name] || slices.Contains(done, name) {
			continue
		}
		done = append(done, name)
		all := math.NaN()
		if j.count != nil {
			all = j.count[row]
		}
		v := j.t.f.Col(m.Column).Value(row)
		if m.Is == isMean {
			if m.Over != "" {
				all = j.t.f.Col(m.Over).Value(row)
			}
			if math.IsNaN(all) {
				j.lacks(fmt.Sprintf("minimum-frequency: %s is between 0 and 1 and may be the share of a part of its units, and nobody says of how many: name their count with over", m.Column))
				continue
			}
			if v *= all; all == 0 {
				v = 0
			}
		}
		n := int64(math.Round(v))
		few := func(n int64, what string, up bool) {
			if !f.Unsafe(n) {
				return
			}
			room := j.byRange(row)
			if room[name] = [2]float64{f.Protection(n), 0}; !up {
				room[name] = [2]float64{0, f.Protection(n)}
			}
			unsafe(fmt.Sprintf("minimum-frequency%s: %s counts units, and %s %d, want at least %d", norm(s, s.Frequency.Norm), m.Column, what, n, f.N), room)
		}
		few(n, "has", true)
		if !math.IsNaN(all) {
			few(int64(all)-n, "leaves", false)
		}
	}
}

// fewOnes returns how many rows of the microdata have the rarer value of a
// variable of two values, where they are fewer than the minimum frequency; else 0.
func (c *check) fewOnes(term string) int {
	if c.micro == nil || c.rules.Rules.Frequency == nil {
		return 0
	}
	col, ok := c.micro.f.Lookup(term)
	if !ok || col.Coded() || col.Kind == frame.Date {
		return 0
	}
	of := c.rowsByValue(col)
	few := 0
	for _, n := range of {
		if len(of) == 2 && n < c.rules.Rules.Frequency.N && (few == 0 || n < few) {
			few = n
		}
	}
	return few
}

func (j *judge) lacks(why string) {
	if !slices.Contains(j.missing, why) {
		j.missing = append(j.missing, why)
	}
}
