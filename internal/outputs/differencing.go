package outputs

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/tabio"
)

// Complement subtracts two counts of the same cells over populations that
// overlap: what one has and the other has not. small lists the cells in which
// from 1 to k-1 units make the difference, so that they are disclosed.
func Complement(a, b []float64, k float64) (difference []float64, small []int) {
	difference = make([]float64, len(a))
	for i := range a {
		difference[i] = a[i] - b[i]
		if d := math.Abs(difference[i]); d > 0 && d < k {
			small = append(small, i)
		}
	}
	return difference, small
}

// Moved is a lower bound on how many units a scramble moved between cells, for
// somebody who knows the exact counts: half the sum of absolute differences.
func Moved(exact, scrambled []float64) float64 {
	sum := 0.0
	for i := range exact {
		sum += math.Abs(exact[i] - scrambled[i])
	}
	return sum / 2
}

// published is a set of counts by cell that somebody outside has.
type published struct {
	name       string
	population string
	exact      bool
	counts     map[string]map[string]float64 // by magnitude, by cell
	cells      map[string]bool               // that it shows
	staff      map[string]float64            // employers by cell, where they are known
}

// keyOf identifies a cell across tables by its categories.
func keyOf(node []int32) string {
	last := len(node)
	for last > 0 && node[last-1] == 0 {
		last--
	}
	b := make([]byte, 0, 4*last)
	for _, n := range node[:last] {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return string(b)
}

func (c *check) keys(dims []int, nodes [][]int32, rows int) []string {
	out := make([]string, rows)
	node := make([]int32, len(c.dims))
	for i := range out {
		for k, d := range dims {
			node[d] = nodes[k][i]
		}
		out[i] = keyOf(node)
	}
	return out
}

// difference compares every table with what is known on populations of which the
// rules do not say how they stand to its own: earlier releases, the tables before
// it, and the fragment of phase one. Cells that differ by a few units become
// sensitive; where most do, the two populations are nearly the same, which
// cell-by-cell subtraction cannot judge, and a supervisor must look.
func (c *check) difference(ctx context.Context) error {
	k := float64(c.rules.Differencing.N)
	var others []published
	for _, p := range c.before {
		if p.comparable {
			o := c.publish(p.counted(), p.hidden)
			o.name += ", population " + p.population
			others = append(others, o)
		}
	}
	others = append(others, c.publishStats()...)
	c.sameFigures()
	for _, t := range c.tables {
		fragment, err := c.fragment(ctx, t)
		if err != nil {
			return err
		}
		several := len(c.tables)+len(c.others) > 1
		if len(others) == 0 && fragment == nil && !several {
			return nil
		}
		names, values, counts := t.additive()
		keys := c.keys(t.dims, t.nodes, len(t.rows))
		for _, o := range others {
			if o.population == t.spec.Population && !shareCount(names, counts, o) && c.sharesCell(keys, o) {
				c.report.hold("%s: %s is about the same population and has no count in common with it, so that nobody can tell whether it still is: give both a count, with the same of", t.path, o.name)
			}
			if !c.strangers(t.spec.Population, o.population) {
				continue
			}
			switch {
			case !shareCount(names, counts, o):
				if c.sharesCell(keys, o) {
					c.report.hold("%s: %s is about another population and has no count in common with it, so that the two cannot be subtracted: give both a count, with the same of", t.path, o.name)
				}
			case nearly(names, values, counts, keys, o, k):
				c.report.hold("%s: population %q is nearly that of %s: say under populations that one is within the other, or that they are apart-from each other", t.path, t.spec.Population, o.name)
			}
			for m, name := range names {
				if counts[m] {
					c.subtract(t, name, values[m], keys, o, k)
				}
			}
		}
		if fragment != nil {
			for m, name := range names {
				if counts[m] {
					fragment.counts = map[string]map[string]float64{name: fragment.counts[""], "": fragment.counts[""]}
					c.subtract(t, name, values[m], keys, *fragment, k)
				}
			}
		}
		if several {
			own := counted{filepath.Base(t.path), t.spec.Population, t.dims, t.nodes, names, values, counts, t.contributors(), len(t.rows)}
			o := c.publish(own, nil)
			o.name += ", population " + t.spec.Population
			others = append(others, o)
		}
	}
	c.differenceEstimates(others, k)
	return nil
}

// strangers reports whether nobody says how two populations stand to each other.
func (c *check) strangers(a, b string) bool {
	r := c.relatives
	return a != b && !r.nested(a, b) && !r.apart[[2]string{a, b}]
}

func (c *check) sharesCell(keys []string, o published) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return o.cells[key] })
}

// publish is what somebody outside has of a table.
func (c *check) publish(t counted, hidden []bool) published {
	o := published{name: t.name, population: t.population, exact: true, counts: map[string]map[string]float64{}, cells: map[string]bool{}, staff: map[string]float64{}}
	keys := c.keys(t.dims, t.nodes, t.rows)
	for i, key := range keys {
		if o.cells[key] = hidden == nil || !hidden[i]; t.staff != nil {
			o.staff[key] = t.staff[i]
		}
	}
	for m, name := range t.names {
		if !t.counts[m] {
			continue
		}
		o.counts[name] = map[string]float64{}
		for i, key := range keys {
			if o.cells[key] {
				o.counts[name][key] = t.values[m][i]
			}
		}
	}
	return o
}

// publishStats is what earlier estimates told, one for each row that is about
// one cell.
func (c *check) publishStats() (out []published) {
	for _, p := range c.stats {
		if p.hidden || p.about == nil || p.counts == countsEmployers {
			continue
		}
		o := published{name: p.name + ", population " + p.population, population: p.population, exact: true, counts: map[string]map[string]float64{}, cells: map[string]bool{}, staff: map[string]float64{}}
		o.counts["count of "+p.counts] = map[string]float64{}
		for k, v := range map[int]float64{0: p.n, len(p.tells) - 1: p.exact} {
			if node, ok := p.tells[k].single(len(c.dims)); ok && !math.IsNaN(v) {
				o.counts["count of "+p.counts][keyOf(node)] = v
				o.cells[keyOf(node)] = true
			}
		}
		out = append(out, o)
	}
	return out
}

// differenceEstimates compares what estimates count with tables and estimates on
// other populations.
func (c *check) differenceEstimates(others []published, k float64) {
	type told struct {
		population, counts, who string
		key                     string
		n                       float64
	}
	var before []told
	for _, p := range c.stats {
		if p.hidden || p.about == nil || p.counts != countsEmployers {
			continue
		}
		if node, ok := p.about.single(len(c.dims)); ok {
			before = append(before, told{p.population, p.counts, p.name, keyOf(node), p.n})
		}
	}
	for _, o := range others {
		for key, n := range o.staff {
			if o.cells[key] {
				before = append(before, told{o.population, countsEmployers, o.name, key, n})
			}
		}
	}
	slices.SortFunc(before, func(a, b told) int { return cmp.Or(strings.Compare(a.who, b.who), strings.Compare(a.key, b.key)) })
	for _, e := range c.others {
		for row := range e.shown {
			s := &e.shown[row]
			node, ok := s.about.single(len(c.dims))
			if s.why != "" || !ok || math.IsNaN(s.n) {
				continue
			}
			key := keyOf(node)
			against := func(who string, n, few float64) {
				d := math.Abs(n - s.n)
				if d == 0 && n > 0 && s.why == "" {
					s.why = fmt.Sprintf("it is about as many %s as %s: say under populations how %q stands to that one", e.spec.Counts, who, e.spec.Population)
				}
				if d > 0 && d < few {
					sentence := fmt.Sprintf("it is about %v %s and %s about %v: %v are in one and not in the other", s.n, e.spec.Counts, who, n, d)
					c.report.Differences = append(c.report.Differences, Difference{File: filepath.Base(e.path), Cell: e.label(row), Against: who, Units: d, Exact: true, Sentence: sentence})
					e.primary(row, "differencing: "+sentence)
				}
			}
			for _, o := range others {
				if !c.strangers(e.spec.Population, o.population) {
					continue
				}
				for _, name := range slices.Sorted(maps.Keys(o.counts)) {
					if own := "count of " + e.spec.Counts; name == own || o.counts[own] == nil && e.spec.Counts != countsEmployers {
						if n, ok := o.counts[name][key]; ok {
							against(o.name, n, k)
						}
					}
				}
			}
			few := k
			if e.spec.Counts == countsEmployers {
				few = c.fewEmployers()
			}
			for _, b := range before {
				if b.key == key && b.counts == e.spec.Counts && c.strangers(e.spec.Population, b.population) {
					against(b.who, b.n, few)
				}
			}
			before = append(before, told{e.spec.Population, e.spec.Counts, filepath.Base(e.path) + ", " + e.label(row), key, s.n})
		}
	}
}

// nearly reports whether most of what two populations show of cells that are not
// small is the same but for a few units, so that a cell of one tells that of the
// other.
func nearly(names []string, values [][]float64, counts []bool, keys []string, o published, k float64) bool {
	both, large, near := 0, 0, 0
	for m, name := range names {
		if !counts[m] || o.counts[name] == nil {
			continue
		}
		for row, key := range keys {
			other, ok := o.counts[name][key]
			if !ok {
				continue
			}
			both++
			if v := values[m][row]; max(v, other) >= 3*k {
				large++
				if math.Abs(v-other) < k {
					near++
				}
			}
		}
	}
	return both > 0 && 2*near >= large
}

func shareCount(names []string, counts []bool, o published) bool {
	for m, name := range names {
		if counts[m] && o.counts[name] != nil {
			return true
		}
	}
	return false
}

// fewEmployers is from how many employers on a difference discloses none.
func (c *check) fewEmployers() float64 {
	if r := c.rules.Rules.Contributors; r != nil {
		return float64(max(2, r.Employers))
	}
	return 3
}

// subtract looks for cells in which two populations differ by a few units, and
// makes them sensitive.
func (c *check) subtract(t *table, name string, values []float64, keys []string, o published, k float64) {
	counts, employers := o.counts[name], t.contributors()
	for row, key := range keys {
		other, ok := counts[key]
		if !ok {
			continue
		}
		d := math.Abs(values[row] - other)
		who := 0.0 // employers that make a difference of many units, where they are few
		if n, ok := o.staff[key]; ok && employers != nil {
			if who = math.Abs(employers[row] - n); who >= c.fewEmployers() {
				who = 0
			}
		}
		if d == 0 || d >= k && who == 0 || math.IsNaN(d) {
			continue
		}
		about := ""
		if !o.exact {
			if values[row] < other {
				continue // a scramble moved them; the complement is not known
			}
			about = "about "
		}
		cell := t.group.system.Tables[t.index].Cells[row]
		sentence := fmt.Sprintf("%s is %v here and %v in %s: %s%v units are in one and not in the other", name, values[row], other, o.name, about, d)
		room := map[string][2]float64{name: {k - d, 0}}
		if d >= k {
			sentence += fmt.Sprintf(", of %v employers", who)
			safe := math.Ceil(c.rules.Rules.SafetyRange / 100 * d)
			room[name] = [2]float64{safe, min(safe, values[row])}
		}
		c.report.Differences = append(c.report.Differences, Difference{
			File: filepath.Base(t.path), Cell: c.cellName(t, row), Against: o.name, Units: d, Exact: o.exact, Sentence: sentence,
		})
		v := &t.rows[row]
		if v.reason != "" {
			v.reason += "; "
		}
		v.reason += "differencing: " + sentence
		t.group.want(cell, "differencing: "+sentence, room)
	}
}

// fragment adds up the staff of the phase-one release by the categories of a
// table, as far as the release has them. nil where there is nothing to compare.
func (c *check) fragment(ctx context.Context, t *table) (*published, error) {
	dir := c.rules.Differencing.Fragment
	if dir == "" {
		return nil, nil
	}
	cells, err := readAny(ctx, dir, "cells")
	if err != nil {
		return nil, err
	}
	employers, err := readAny(ctx, dir, "employers")
	if err != nil {
		return nil, err
	}
	workers, ok := cells.Lookup("workers")
	if !ok || workers.Coded() {
		c.report.warn("%s: head counts are in classes, so that the fragment cannot be subtracted", dir)
		return nil, nil
	}
	for _, name := range []string{"serial", "year"} {
		if !cells.Has(name) || !employers.Has(name) {
			return nil, fmt.Errorf("differencing: the tables cells and employers of %s want a column %s: name the release folder of phase one", dir, name)
		}
	}
	serial, year := cells.Col("serial"), cells.Col("year")
	at := map[[2]float64]int{}
	for i := range employers.Rows() {
		at[[2]float64{employers.Col("serial").Value(i), employers.Col("year").Value(i)}] = i
	}
	row := make([]int, cells.Rows())
	for i := range row {
		var ok bool
		if row[i], ok = at[[2]float64{serial.Value(i), year.Value(i)}]; !ok {
			return nil, fmt.Errorf("differencing: %s: row %d of cells is of an employer that employers lacks", dir, i+1)
		}
	}
	label := func(column string) (func(i int) string, bool) {
		if col, ok := cells.Lookup(column); ok {
			return func(i int) string { return text(col, i) }, true
		}
		if col, ok := employers.Lookup(column); ok {
			return func(i int) string { return text(col, row[i]) }, true
		}
		return nil, false
	}
	where := t.spec.Where
	if c.rules.Microdata != nil {
		where = append(where[:len(where):len(where)], c.rules.Microdata.Where...)
	}
	keep := make([]bool, cells.Rows())
	for i := range keep {
		keep[i] = true
	}
	for _, w := range where {
		of, ok := label(w.Column)
		if !ok {
			c.report.warn("%s: the fragment has no column %q, so that it was not subtracted from %s", dir, w.Column, t.spec.File)
			return nil, nil
		}
		for i := range keep {
			pass := false
			for _, l := range w.Is {
				pass = pass || of(i) == l
			}
			keep[i] = keep[i] && pass
		}
	}
	return c.addUp(t, dir, workers, keep, label), nil
}

// addUp adds the staff of a fragment up over all totals of a table.
func (c *check) addUp(t *table, dir string, workers frame.Column, keep []bool, label func(string) (func(int) string, bool)) *published {
	codes := make([]map[string]int32, len(t.dims))
	of := make([]func(int) string, len(t.dims))
	for k, d := range t.dims {
		for _, spec := range c.rules.Dimensions {
			if spec.Name != c.dims[d].Name {
				continue
			}
			if f, ok := label(spec.Microdata); ok {
				of[k], codes[k] = f, map[string]int32{}
				for n, l := range c.dims[d].Labels {
					codes[k][l] = int32(n)
				}
			}
		}
	}
	sums := map[string]float64{}
	node := make([]int32, len(c.dims))
	var add func(k, i int, n float64)
	add = func(k, i int, n float64) {
		if k == len(t.dims) {
			sums[keyOf(node)] += n
			return
		}
		at := int32(0)
		if of[k] != nil {
			at = codes[k][of[k](i)] // a category that the table lacks counts in the total
		}
		for ; at >= 0; at = c.dims[t.dims[k]].Parent[at] {
			node[t.dims[k]] = at
			add(k+1, i, n)
		}
		node[t.dims[k]] = 0
	}
	for i, ok := range keep {
		if ok {
			add(0, i, workers.Value(i))
		}
	}
	return &published{name: "the fragment of phase one, " + dir, counts: map[string]map[string]float64{"": sums}}
}

// text writes a value as a label.
func text(col frame.Column, i int) string {
	if col.Coded() {
		return col.Dict.Label(col.I[i])
	}
	return fmt.Sprint(col.Value(i))
}

// readAny reads a table of a folder in whatever format it is there.
func readAny(ctx context.Context, dir, name string) (*frame.Frame, error) {
	for _, ext := range tabio.Extensions() {
		path := filepath.Join(dir, name+ext)
		if _, err := os.Stat(path); err == nil {
			return tabio.Read(ctx, path, tabio.Schema{})
		}
	}
	return nil, fmt.Errorf("differencing: %s holds no table %s: name the release folder of phase one", dir, name)
}
