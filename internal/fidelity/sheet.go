package fidelity

import (
	"context"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/par"
	"scramblelab/internal/publish"
)

// The versions of the data, in this order wherever they stand side by side.
const (
	atFragment = iota
	atRelease
	atPopulation
	versions
)

// records are the rows of a version as codes over axes that all versions share.
type records struct {
	codes  [][]int32 // by axis, then row
	weight []float64
	unit   []int32 // whose rows belong together: the employer
}

// sheet is the data as tables of several columns see them: rows with a weight,
// columns with few values.
type sheet struct {
	axes    []axis
	version [versions]*records // population nil where there is none
	draws   [][]float64        // of the fragment's units, shared with the release
	times   []float64          // the same by unit, then draw
	parts   []float64          // how much of a unit's variation between draws counts; nil: all of it
	units   int
	kept    *Statistics // of the population
}

// cellColumns and firmColumns are the columns of the release that a table of
// several columns is made of, as far as the data have them.
var (
	cellColumns = []string{linked.Level, linked.Field, publish.WageClass, publish.FTEClass}
	firmColumns = []string{publish.AgeClass, linked.Year, linked.Group, linked.SizeClass, linked.Sector, linked.Size, linked.EventYear, linked.SupplierShare, linked.Region}
)

// newSheet lines up the released cells, one row each with its staff times design
// weight, and the columns of its employer. A column that the release lacks is in
// no axis; that it is lacking is a finding of the structure.
func (s *setting) newSheet() *sheet {
	views := [versions]*view{s.fragment, s.release, s.population}
	tables := [versions]*publish.Tables{s.Fragment, s.Release, s.Population}
	out := &sheet{kept: s.Statistics}
	out.resample(s.draws, s.fragment.units)
	if s.large {
		out.parts = s.parts(s.MostCells / 4)
	}
	for v, w := range views {
		if w != nil {
			out.version[v] = &records{weight: w.staff(nil), unit: w.cells.unit}
		}
	}
	add := func(name string, of func(v int) (frame.Column, bool)) {
		columns := make([]*frame.Column, versions)
		for v := range views {
			if views[v] == nil {
				continue
			}
			c, ok := of(v)
			if !ok {
				return
			}
			columns[v] = &c
		}
		out.add(name, columns)
	}
	for _, name := range cellColumns {
		add(name, func(v int) (frame.Column, bool) { return tables[v].Cells.Lookup(name) })
	}
	for _, name := range firmColumns {
		if name == linked.Year && !s.Periods {
			continue
		}
		add(name, func(v int) (frame.Column, bool) {
			c, ok := tables[v].Employers.Lookup(name)
			if !ok {
				return c, false
			}
			rows := make([]int32, len(views[v].cells.firm))
			for i, f := range views[v].cells.firm {
				rows[i] = views[v].firms.row[f]
			}
			return c.Take(rows), true
		})
	}
	if out.groupings()[0] < 0 { // as any reader can work it out
		columns := make([]*frame.Column, versions)
		for v, w := range views {
			if w == nil {
				continue
			}
			sizes, codes := w.sizes(), make([]int32, len(w.cells.firm))
			for i, f := range w.cells.firm {
				codes[i] = sizes[f]
			}
			c := frame.Ordered(linked.SizeClass, linked.SizeDict, codes)
			columns[v] = &c
		}
		out.add(linked.SizeClass, columns)
	}
	return out
}

// add makes an axis of a column that all versions have; a constant says nothing
// of anything and is left out.
func (t *sheet) add(name string, columns []*frame.Column) {
	a, codes := newAxis(name, columns)
	if a.size() < 2 {
		return
	}
	t.axes = append(t.axes, a)
	for v, c := range codes {
		if c != nil {
			t.version[v].codes = append(t.version[v].codes, c)
		}
	}
}

// counts are the same table in all versions, and in the resamples of two.
type counts struct {
	axes           []int
	radices        []int
	of             [versions][]float64
	drawnF, drawnR [][]float64
}

// mostCells is the size up to which a table is an array over all its cells.
const mostCells = 1 << 18

// cells is the number of cells of a table over axes, or false where they are too
// many for a table.
func (t *sheet) cells(axes []int, fine bool) (radices []int, n int, ok bool) {
	n = 1
	for _, k := range axes {
		r := t.axes[k].grouped()
		if fine {
			r = t.axes[k].size()
		}
		radices = append(radices, r)
		if n *= r; n > mostCells {
			return nil, 0, false
		}
	}
	return radices, n, true
}

// count fills the table over some axes; fine keeps the codes of long axes apart.
// Where resampled is false it leaves the resamples out.
func (t *sheet) count(axes []int, fine, resampled bool) (counts, bool) {
	radices, n, ok := t.cells(axes, fine)
	if !ok {
		return counts{}, false
	}
	out := counts{axes: axes, radices: radices}
	for v, r := range t.version {
		if r == nil {
			continue
		}
		var key []int32
		tally := func() []float64 {
			key = t.keys(r, axes, radices, fine)
			of := make([]float64, n)
			for i, k := range key {
				of[k] += r.weight[i]
			}
			return of
		}
		if v == atPopulation {
			out.of[v] = t.recalled(axes, fine, n, tally)
			continue
		}
		if out.of[v] = tally(); !resampled {
			continue
		}
		drawn := t.drawnTables(r, key, out.of[v])
		if v == atFragment {
			out.drawnF = drawn
		} else {
			out.drawnR = drawn
		}
	}
	return out, true
}

// resample sets the resamples of the units.
func (t *sheet) resample(draws [][]float64, units int) {
	t.draws, t.units = draws, units
	t.times = make([]float64, units*len(draws))
	for d, times := range draws {
		for u, x := range times {
			t.times[u*len(draws)+d] = x
		}
	}
}

// drawnTables are the tables of the resamples. All are filled in one pass over the
// rows, since the counts of a row's unit, and those of its cell, lie side by side.
//
// Where parts are given a table is the whole one plus what the parts vary: a cell
// that this would bring below 0 is empty.
func (t *sheet) drawnTables(r *records, key []int32, whole []float64) [][]float64 {
	draws := len(t.draws)
	flat := make([]float64, len(whole)*draws)
	for i, k := range key {
		w, less := r.weight[i], 0.0
		if t.parts != nil {
			if w, less = float64(w*t.parts[r.unit[i]]), 1; w == 0 {
				continue
			}
		}
		times, cell := t.times[int(r.unit[i])*draws:][:draws], flat[int(k)*draws:][:draws]
		for d, x := range times {
			cell[d] += float64(w * (x - less))
		}
	}
	out := make([][]float64, draws)
	for d := range out {
		out[d] = make([]float64, len(whole))
		for k := range out[d] {
			if out[d][k] = flat[k*draws+d]; t.parts != nil {
				out[d][k] = max(0, whole[k]+out[d][k])
			}
		}
	}
	return out
}

// recalled is the table of the population, from what was kept of it where that
// fits.
func (t *sheet) recalled(axes []int, fine bool, n int, compute func() []float64) []float64 {
	if t.kept == nil {
		return compute()
	}
	settings := []any{fine}
	name := "table of"
	for _, k := range axes {
		settings = append(settings, t.axes[k].settings())
		name += " " + t.axes[k].name
	}
	of, err := recallTable(t.kept, name, settings, compute)
	if err != nil || len(of) != n {
		return compute()
	}
	return of
}

// keys is the cell of every row.
func (t *sheet) keys(r *records, axes, radices []int, fine bool) []int32 {
	key := make([]int32, len(r.unit))
	for j, k := range axes {
		codes, radix := r.codes[k], int32(radices[j])
		if g := t.axes[k].group; g != nil && !fine {
			for i, c := range codes {
				key[i] = key[i]*radix + g[c]
			}
			continue
		}
		for i, c := range codes {
			key[i] = key[i]*radix + c
		}
	}
	return key
}

// cellLabel names a cell of a table.
func (t *sheet) cellLabel(c counts, cell int) string {
	parts := make([]string, len(c.axes))
	for j := len(c.axes) - 1; j >= 0; j-- {
		a := &t.axes[c.axes[j]]
		parts[j] = a.name + " " + a.groupLabel(cell%c.radices[j])
		cell /= c.radices[j]
	}
	return strings.Join(parts, ", ")
}

// subsets lists all choices of k of n axes.
func subsets(n, k int) [][]int {
	var out [][]int
	var choose func(from int, chosen []int)
	choose = func(from int, chosen []int) {
		if len(chosen) == k {
			out = append(out, append([]int(nil), chosen...))
			return
		}
		for i := from; i < n; i++ {
			choose(i+1, append(chosen, i))
		}
	}
	choose(0, nil)
	return out
}

// overTables calls f for every table of k of the first n axes, several at a
// time, and returns the results in order; tables that are too large are counted.
func overTables[T any](ctx context.Context, t *sheet, n, k int, f func(c counts) T) (out []T, tooLarge int, err error) {
	all := subsets(min(n, len(t.axes)), k)
	type result struct {
		value T
		ok    bool
	}
	results, err := par.Map(ctx, len(all), func(i int) (result, error) {
		c, ok := t.count(all[i], false, true)
		if !ok {
			return result{}, nil
		}
		return result{f(c), true}, nil
	})
	for _, r := range results {
		if r.ok {
			out = append(out, r.value)
		} else {
			tooLarge++
		}
	}
	return out, tooLarge, err
}
