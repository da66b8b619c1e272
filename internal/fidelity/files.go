package fidelity

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// Files are two files of records of any kind, the second one made from the
// first. The zero value of the options compares all columns that both have.
type Files struct {
	Original, Released *frame.Frame
	Columns            []string // to compare; nil takes all that both have
	Unit               string   // column whose rows belong together, the employer; "" takes each row for itself, matched by position
	Weight             string   // column of weights; "" weighs all rows alike
	Key                rng.Sim  // of the resamples
	Draws              int      // resamples of the units; 0 takes 20
	Level              float64  // of intervals; 0 takes 0.95
}

// Validate names the field that is wrong and what to write instead.
func (f Files) Validate() error {
	if f.Original == nil || f.Released == nil {
		return fmt.Errorf("fidelity: want an original and a released file")
	}
	for _, c := range []struct{ field, name string }{{"unit", f.Unit}, {"weight", f.Weight}} {
		if c.name != "" && (!f.Original.Has(c.name) || !f.Released.Has(c.name)) {
			return fmt.Errorf("fidelity: %s is column %q, which only one of the files has or neither: the original has %q", c.field, c.name, f.Original.Names())
		}
	}
	for _, n := range f.Columns {
		if !f.Original.Has(n) || !f.Released.Has(n) {
			return fmt.Errorf("fidelity: columns names %q, which only one of the files has or neither: the original has %q", n, f.Original.Names())
		}
	}
	return Input{Draws: f.Draws, Level: f.Level, Release: &publish.Tables{}, Fragment: &publish.Tables{}}.Validate()
}

// MeasureFiles compares two files column by column, pair by pair and three by
// three, and the dependence between columns: the measures that need neither
// employers nor models. Numbers of more than 1,000 values are taken in as many
// groups of about equal size, and in 20 in tables of several columns.
func MeasureFiles(ctx context.Context, f Files) (*Result, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	s := &setting{Input: Input{Key: f.Key, Draws: f.Draws, Level: f.Level}}
	if s.Draws == 0 {
		s.Draws = defaultDraws
	}
	if s.Level == 0 {
		s.Level = 0.95
	}
	t, err := f.sheet(s)
	if err != nil {
		return nil, err
	}
	r, err := s.overSheet(ctx, t)
	if err != nil {
		return nil, err
	}
	r.Metrics = append(r.Metrics, f.lambdas(f.names()))
	return &r, nil
}

// sheet makes the two files ready.
func (f Files) sheet(s *setting) (*sheet, error) {
	t := &sheet{}
	files := [2]*frame.Frame{f.Original, f.Released}
	units, n := f.units()
	for v, file := range files {
		r := &records{unit: units[v], weight: make([]float64, file.Rows())}
		for i := range r.weight {
			r.weight[i] = 1
		}
		if f.Weight != "" {
			c := file.Col(f.Weight)
			for i := range r.weight {
				if r.weight[i] = c.Value(i); !(r.weight[i] >= 0) {
					return nil, fmt.Errorf("fidelity: row %d of the %s file has weight %v: want a number from 0 on", i+1, [2]string{"original", "released"}[v], r.weight[i])
				}
			}
		}
		t.version[v] = r
	}
	s.units, s.draws = n, resamples(s.Key, n, s.Draws)
	t.resample(s.draws, s.units)
	for _, name := range f.names() {
		a, b := f.Original.Col(name), f.Released.Col(name)
		if a.Coded() != b.Coded() {
			return nil, fmt.Errorf("fidelity: column %q is a %v in the original and a %v in the released file: read both alike, or leave it out of columns", name, a.Kind, b.Kind)
		}
		t.add(name, []*frame.Column{&a, &b, nil})
	}
	return t, nil
}

// names are the columns to compare.
func (f Files) names() []string {
	if f.Columns != nil {
		return f.Columns
	}
	return slices.DeleteFunc(slices.Clone(f.Original.Names()), func(n string) bool {
		return !f.Released.Has(n) || n == f.Unit || n == f.Weight
	})
}

// units numbers the units of both files alike.
func (f Files) units() (of [2][]int32, n int) {
	if f.Unit == "" {
		for v, file := range [2]*frame.Frame{f.Original, f.Released} {
			of[v] = make([]int32, file.Rows())
			for i := range of[v] {
				of[v][i] = int32(i)
			}
			n = max(n, file.Rows())
		}
		return of, n
	}
	number := map[string]int32{}
	for v, file := range [2]*frame.Frame{f.Original, f.Released} {
		c := file.Col(f.Unit)
		of[v] = make([]int32, c.Len())
		byCode := map[int64]int32{}
		for i := range of[v] {
			k := rawCode(c, i)
			u, ok := byCode[k]
			if !ok {
				label := labelOf(c, i)
				if u, ok = number[label]; !ok {
					u = int32(len(number))
					number[label] = u
				}
				byCode[k] = u
			}
			of[v][i] = u
		}
	}
	return of, len(number)
}

// rawCode tells the values of a column apart.
func rawCode(c frame.Column, i int) int64 {
	switch {
	case c.I != nil:
		return int64(c.I[i])
	case c.L != nil:
		return c.L[i]
	}
	return int64(math.Float64bits(c.F[i]))
}

// labelOf writes a value so that equal ones of two files are written alike.
func labelOf(c frame.Column, i int) string {
	if c.Coded() {
		return c.Dict.Label(c.I[i])
	}
	return strconv.FormatFloat(c.Value(i), 'g', -1, 64)
}
