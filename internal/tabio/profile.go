package tabio

import (
	"cmp"
	"context"
	"math"
	"slices"

	"scramblelab/internal/frame"
)

// Profile says what a file holds, for inferring a plan from it.
type Profile struct {
	Rows    int
	Columns []ColumnProfile // in the order of the file
}

// ColumnProfile describes one column. Min, Max and Mean are over the rows that
// have a number, intervals counting as their midpoints and dates as days since
// 1970-01-01; they are NaN where no row has one.
type ColumnProfile struct {
	Name           string
	Kind           frame.Kind // as inferred, see [Read]
	Decimals       int        // most decimals of any number, at most 9; -1 where a number has more
	Distinct       int        // different values, the missing one not counted
	Missing        int        // rows without a value
	Min, Max, Mean float64
	Whole          float64      // share of integers among the numbers, in [0, 1]; NaN without numbers
	IntervalLabels int          // labels that are intervals; fewer than Distinct but not 0 asks for a decision
	Top            []LabelCount // the ten most frequent values, equally frequent ones in codebook or number order
}

// LabelCount is a value, as it is written in a file, and its number of rows.
type LabelCount struct {
	Label string
	Rows  int
}

// Inspect reads a table with the zero schema and describes it.
func Inspect(ctx context.Context, path string) (Profile, error) {
	f, err := Read(ctx, path, Schema{})
	if err != nil {
		return Profile{}, err
	}
	p := Profile{Rows: f.Rows()}
	for _, c := range f.Columns() {
		if err := ctx.Err(); err != nil {
			return Profile{}, err
		}
		p.Columns = append(p.Columns, describe(c))
	}
	return p, nil
}

func describe(c frame.Column) ColumnProfile {
	p := ColumnProfile{Name: c.Name, Kind: c.Kind}
	p.describeNumbers(c)
	if c.Coded() {
		for _, l := range c.Dict.Labels() {
			if isInterval(l) {
				p.IntervalLabels++
			}
		}
	}
	type seen struct{ row, rows int }
	values := map[uint64]*seen{}
	for i := range c.Len() {
		if c.Missing(i) {
			p.Missing++
			continue
		}
		key := keyOf(c, i)
		if s := values[key]; s != nil {
			s.rows++
		} else {
			values[key] = &seen{row: i, rows: 1}
		}
	}
	p.Distinct = len(values)
	var tops []seen
	for _, s := range values {
		tops = append(tops, *s)
	}
	slices.SortFunc(tops, func(a, b seen) int { return cmp.Or(cmp.Compare(b.rows, a.rows), c.Compare(a.row, b.row)) })
	for _, s := range tops[:min(len(tops), 10)] {
		p.Top = append(p.Top, LabelCount{labelAt(c, s.row), s.rows})
	}
	return p
}

func (p *ColumnProfile) describeNumbers(c frame.Column) {
	p.Min, p.Max, p.Mean, p.Whole = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if c.Coded() && !c.Dict.HasValues() {
		return
	}
	n, whole, sum := 0, 0, 0.0
	for i := range c.Len() {
		v := c.Value(i)
		if v != v {
			continue
		}
		if n == 0 {
			p.Min, p.Max = v, v
		}
		n++
		p.Min, p.Max = min(p.Min, v), max(p.Max, v)
		sum += v
		if v == math.Trunc(v) && !math.IsInf(v, 0) {
			whole++
		} else if p.Decimals >= 0 {
			p.Decimals = decimalsOf(v, p.Decimals)
		}
	}
	if n > 0 {
		p.Mean, p.Whole = sum/float64(n), float64(whole)/float64(n)
	}
}

// decimalsOf returns how many decimals v needs, at least known, -1 beyond 9.
func decimalsOf(v float64, known int) int {
	for d := known; d < len(pow10); d++ {
		if _, err := fixedOf(v, uint8(d), false); err == nil {
			return d
		}
	}
	return -1
}

func keyOf(c frame.Column, i int) uint64 {
	switch c.Kind {
	case frame.Float:
		return math.Float64bits(c.F[i] + 0) // one zero, not two
	case frame.Long:
		return uint64(c.L[i])
	}
	return uint64(c.I[i])
}

func labelAt(c frame.Column, i int) string {
	switch {
	case c.Coded():
		return c.Dict.Label(c.I[i])
	case c.Kind == frame.Float:
		return string(appendFloat(nil, c.F[i]))
	case c.Kind == frame.Long:
		return string(appendFixed(nil, c.L[i], c.Decimals))
	case c.Kind == frame.Date:
		return string(appendDate(nil, c.I[i]))
	}
	return string(appendFixed(nil, int64(c.I[i]), c.Decimals))
}
