package fidelity

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
	"scramblelab/internal/tally"
)

// structure asks whether code written on the release runs on phase two: the
// same columns and types, unique keys, cells that find their employer, the same
// patterns of missing values, the same length of panels, and which codes a
// researcher will meet in phase two for the first time.
func structure(_ context.Context, s *setting) (Result, error) {
	var out Result
	for _, f := range []func() (metric.Metric, *metric.Table){s.sameColumns, s.uniqueKeys, s.references, s.missingPatterns, s.panelShape, s.panelKept} {
		m, t := f()
		out.Metrics = append(out.Metrics, m)
		if t != nil {
			out.Tables = append(out.Tables, *t)
		}
	}
	out.words = s.structureWords(out.Metrics)
	codes := s.codes()
	if s.Population != nil {
		if m := codes.Metrics[len(codes.Metrics)-1]; m.Value.Valid() && m.Value < 1 {
			out.words = append(out.words, word{"Codes", fmt.Sprintf("%.1f %% of the codes and combinations in use in phase two never occur in the fragment: code is never tried on them.", 100*(1-float64(m.Value)))})
		}
	}
	out.Metrics, out.Tables = append(out.Metrics, codes.Metrics...), append(out.Tables, codes.Tables...)
	return out, nil
}

// structureWords says whether code written on the release will run.
func (s *setting) structureWords(ms []metric.Metric) []word {
	var broken []string
	for _, m := range ms {
		if m.Value.Valid() && m.Better == metric.Higher && m.Value < 1 {
			broken = append(broken, fmt.Sprintf("%s is %.1f %%", strings.TrimPrefix(m.Name, "fidelity.structure."), 100*float64(m.Value)))
		}
	}
	text := "columns, types, keys and joins are those of phase two: code written on the release runs unchanged"
	if len(broken) > 0 {
		text = "code written on the release has to be changed for phase two: " + strings.Join(broken, ", ")
	}
	if s.Periods && s.NoPanel != "" {
		text += "; panels cannot be tried at all: " + s.NoPanel
	}
	return []word{{"Structure", text + "."}}
}

// phaseTwo is the layout that code will meet: that of the whole selection, of
// the fragment where there is none.
func (s *setting) phaseTwo() (*publish.Tables, string) {
	if s.Population != nil {
		return s.Population, "the whole selection"
	}
	return s.Fragment, "the unscrambled fragment"
}

// exactly is a row known without error whose perfect value is floor.
func exactly(value float64, n int, floor float64) metric.Row {
	r := metric.Exact(value, int64(n))
	r.Baseline = metric.Number(floor)
	return r
}

// sameColumns compares columns and their types.
func (s *setting) sameColumns() (metric.Metric, *metric.Table) {
	two, what := s.phaseTwo()
	m := metric.Metric{Name: "fidelity.structure.columns-same", Better: metric.Higher, Unit: "share",
		Method: "Share of the columns of the release and of " + what + ", in the layout of phase two, that both have with the same type; the key and the design weight, which only a sample has, are left out. Where it is below 1, code written on the release has to be changed."}
	t := &metric.Table{Name: "structure-columns", Title: "Columns that differ between phase one and phase two", Note: m.Method, Columns: []string{"table", "column", "release", what}}
	same, all := 0, 0
	for _, pair := range []struct {
		name     string
		one, two *frame.Frame
	}{{"employers", s.Release.Employers, two.Employers}, {"cells", s.Release.Cells, two.Cells}} {
		names := slices.Clone(pair.two.Names())
		for _, n := range pair.one.Names() {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		for _, n := range names {
			if n == linked.DesignWeight || n == linked.Employer || n == publish.Serial {
				continue
			}
			a, inOne := pair.one.Lookup(n)
			b, inTwo := pair.two.Lookup(n)
			all++
			if inOne && inTwo && a.Kind == b.Kind {
				same++
				continue
			}
			t.Rows = append(t.Rows, []string{pair.name, n, kindOf(a, inOne), kindOf(b, inTwo)})
		}
	}
	m.Row = exactly(float64(same)/float64(max(1, all)), all, 1)
	if len(t.Rows) == 0 {
		t = nil
	}
	return m, t
}

func kindOf(c frame.Column, there bool) string {
	if !there {
		return "absent"
	}
	if c.Coded() && c.Dict.HasValues() {
		return "classes"
	}
	return c.Kind.String()
}

// uniqueKeys checks the keys of both tables of the release.
func (s *setting) uniqueKeys() (metric.Metric, *metric.Table) {
	cells, n := unique(s.Release.Cells, linked.Employer, linked.Year, linked.Level, linked.Field)
	firms, k := unique(s.Release.Employers, linked.Employer, linked.Year)
	m := metric.Metric{Name: "fidelity.structure.key-unique", Better: metric.Higher, Unit: "share",
		Method: "Share of rows of the release that no other row shares its key with: employer x year, and employer x year x level x field.",
		Row:    exactly(float64(cells+firms)/float64(max(1, n+k)), n+k, 1)}
	return m, nil
}

// unique counts the rows whose key nobody else has, and all rows.
func unique(f *frame.Frame, by ...string) (alone, rows int) {
	by = slices.DeleteFunc(by, func(n string) bool { return !f.Has(n) })
	g := f.Sorted(by...)
	b := g.Runs(by...)
	for k := 0; k+1 < len(b); k++ {
		if b[k+1]-b[k] == 1 {
			alone++
		}
	}
	return alone, f.Rows()
}

// references checks that every cell of the release finds its employer.
func (s *setting) references() (metric.Metric, *metric.Table) {
	type key struct{ employer, year int32 }
	there := map[key]bool{}
	e := s.Release.Employers
	years := intsOr(e, linked.Year, 0)
	for i, code := range e.Col(linked.Employer).I {
		there[key{code, years[i]}] = true
	}
	c := s.Release.Cells
	years = intsOr(c, linked.Year, 0)
	found := 0
	for i, code := range c.Col(linked.Employer).I {
		found += int(indicator(there[key{code, years[i]}]))
	}
	m := metric.Metric{Name: "fidelity.structure.references-found", Better: metric.Higher, Unit: "share",
		Method: "Share of the cells of the release whose employer and year have a row in the table of employers, so that joins lose nothing.",
		Row:    exactly(float64(found)/float64(max(1, c.Rows())), c.Rows(), 1)}
	if c.Rows() == 0 {
		m.Row = metric.Missing("", "the release has no cells")
	}
	return m, nil
}

// missingPatterns compares which columns are missing together.
func (s *setting) missingPatterns() (metric.Metric, *metric.Table) {
	m := metric.Metric{Name: "fidelity.structure.missing-tv", Better: metric.Lower, Unit: "share",
		Method: "Total variation distance between release and unscrambled fragment of the patterns of missing values, which of a cell's columns lack a value together; employer-years count apart. Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."}
	number := map[string]int{}
	of := func(v *view, t *publish.Tables) (pattern, unit []int32) {
		add := func(f *frame.Frame, table byte, rows, units []int32) {
			names := slices.Clone(f.Names())
			slices.Sort(names)
			var lacking []frame.Column
			for _, n := range names {
				c := f.Col(n)
				if slices.ContainsFunc(rows, func(r int32) bool { return c.Missing(int(r)) }) {
					lacking = append(lacking, c)
				}
			}
			var b strings.Builder
			for i, r := range rows {
				b.Reset()
				b.WriteByte(table)
				for _, c := range lacking {
					if c.Missing(int(r)) {
						b.WriteByte(' ')
						b.WriteString(c.Name)
					}
				}
				k, ok := number[b.String()]
				if !ok {
					k = len(number)
					number[b.String()] = k
				}
				pattern, unit = append(pattern, int32(k)), append(unit, units[i])
			}
		}
		rows := make([]int32, len(v.cells.unit))
		for i := range rows {
			rows[i] = int32(i)
		}
		add(t.Cells, 'c', rows, v.cells.unit)
		add(t.Employers, 'e', v.firms.row, v.firms.unit)
		return pattern, unit
	}
	onF, unitF := of(s.fragment, s.Fragment)
	onR, unitR := of(s.release, s.Release)
	m.Row = s.distanceRow(oneWay(len(number), onF, unitF, onR, unitR, s.draws), totalVariationOf, "neither has rows")
	return m, nil
}

// oneWay counts one column of fragment and release, and of their resamples, row
// by row without weights.
func oneWay(codes int, onF, unitF, onR, unitR []int32, draws [][]float64) counts {
	count := func(code, unit []int32, times []float64) []float64 {
		out := make([]float64, codes)
		for i, k := range code {
			if times == nil {
				out[k]++
			} else {
				out[k] += times[unit[i]]
			}
		}
		return out
	}
	var c counts
	c.of[atFragment], c.of[atRelease] = count(onF, unitF, nil), count(onR, unitR, nil)
	for _, times := range draws {
		c.drawnF, c.drawnR = append(c.drawnF, count(onF, unitF, times)), append(c.drawnR, count(onR, unitR, times))
	}
	return c
}

// panelShape compares for how many years employers are seen.
func (s *setting) panelShape() (metric.Metric, *metric.Table) {
	m := metric.Metric{Name: "fidelity.structure.panel-length-tv", Better: metric.Lower, Unit: "share",
		Method: "Total variation distance between release and unscrambled fragment of the number of years in which an employer has staff: does code that follows employers meet panels of the same length? Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."}
	if !s.Periods {
		m.Row = metric.Missing("", "the data have no periods, so there is no panel")
		return m, nil
	}
	length := func(v *view) (years, unit []int32) {
		n := make([]int32, v.units)
		for _, u := range v.firms.unit {
			n[u]++
		}
		for u, k := range n {
			if k > 0 {
				years, unit = append(years, k), append(unit, int32(u))
			}
		}
		return years, unit
	}
	onF, unitF := length(s.fragment)
	onR, unitR := length(s.release)
	if s.NoPanel != "" { // every employer-year stands alone
		onR, unitR = nil, nil
		for _, u := range s.release.firms.unit {
			onR, unitR = append(onR, 1), append(unitR, u)
		}
		m.Method += " Here " + s.NoPanel + "."
	}
	most := int32(0)
	for _, k := range slices.Concat(onF, onR) {
		most = max(most, k)
	}
	m.Row = s.distanceRow(oneWay(int(most)+1, onF, unitF, onR, unitR, s.draws), totalVariationOf, "neither has employers with staff")
	return m, nil
}

// panelKept counts the employer-years of the fragment that the release has.
func (s *setting) panelKept() (metric.Metric, *metric.Table) {
	m := metric.Metric{Name: "fidelity.structure.employer-years-kept", Better: metric.Higher, Unit: "share",
		Method: "Share of the unscrambled fragment's employer-years with staff that have staff in the release. Paired; interval from the variation between employers."}
	a, b := &s.fragment.firms, &s.release.firms
	r := newRatio(s.fragment.units, true)
	size := s.fragment.sizes()
	j := 0
	for i := range a.unit {
		for j < len(b.unit) && (b.unit[j] < a.unit[i] || b.unit[j] == a.unit[i] && b.year[j] < a.year[i]) {
			j++
		}
		r.add(a.unit[i], size[i], indicator(j < len(b.unit) && b.unit[j] == a.unit[i] && b.year[j] == a.year[i]))
	}
	return r.metric(m, s.Level, 1), nil
}

// codes lists the codes that researchers will not meet in the fragment, and
// those of the release that nothing true has.
func (s *setting) codes() Result {
	two, what := s.phaseTwo()
	inFragment := metric.Metric{Name: "fidelity.fragment.codes-met", Better: metric.Higher, Unit: "share",
		Method: "Share of the codes in use in " + what + " (columns of cells and employers, and combinations of level and field) that occur in the unscrambled fragment: code is never tried on the others."}
	inRelease := metric.Metric{Name: "fidelity.structure.codes-met", Better: metric.Higher, Unit: "share",
		Method: "Share of the codes in use in the unscrambled fragment that occur in the release."}
	strange := metric.Metric{Name: "fidelity.structure.codes-strange", Better: metric.Lower, Unit: "share",
		Method: "Share of the codes in use in the release that " + what + " never uses in that column: code written for them is never needed."}
	t := metric.Table{Name: "structure-codes", Title: "Codes that never occur in the fragment", Columns: []string{"column", "in use", "in the fragment", "in the release", "never in the fragment"},
		Note: "Codes in use in " + what + ". Phase two will show the last column's codes for the first time: write code for them all the same."}
	type tallied struct{ two, fragment, release, metFragment, metRelease, strange int }
	var all tallied
	add := func(name string, two, fragment, release []string) {
		inF, inR, inTwo := set(fragment), set(release), set(two)
		c := tallied{two: len(two), fragment: len(fragment), release: len(release)}
		var never []string
		for _, l := range two {
			if inF[l] {
				c.metFragment++
			} else {
				never = append(never, l)
			}
		}
		for _, l := range fragment {
			c.metRelease += int(indicator(inR[l]))
		}
		for _, l := range release {
			c.strange += int(indicator(!inTwo[l]))
		}
		share := func(a, b int, floor float64) metric.Row {
			r := exactly(float64(a)/float64(max(1, b)), b, floor)
			if b == 0 {
				r = metric.Missing("", "no code is in use")
			}
			r.Group = "column " + name
			return r
		}
		if s.Population != nil {
			inFragment.By = append(inFragment.By, share(c.metFragment, c.two, 1))
		}
		inRelease.By, strange.By = append(inRelease.By, share(c.metRelease, c.fragment, 1)), append(strange.By, share(c.strange, c.release, 0))
		all.two, all.fragment, all.release = all.two+c.two, all.fragment+c.fragment, all.release+c.release
		all.metFragment, all.metRelease, all.strange = all.metFragment+c.metFragment, all.metRelease+c.metRelease, all.strange+c.strange
		const most = 20
		text := strings.Join(never[:min(most, len(never))], ", ")
		if len(never) > most {
			text += fmt.Sprintf(" and %d more", len(never)-most)
		}
		if len(never) == 0 {
			text = "none"
		}
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(c.two), fmt.Sprint(c.fragment), fmt.Sprint(c.release), text})
	}
	for _, pair := range []struct{ two, fragment, release *frame.Frame }{
		{two.Cells, s.Fragment.Cells, s.Release.Cells}, {two.Employers, s.Fragment.Employers, s.Release.Employers}} {
		for _, c := range pair.two.Columns() {
			f, inF := pair.fragment.Lookup(c.Name)
			r, inR := pair.release.Lookup(c.Name)
			if c.Name == linked.Employer || !c.Coded() || !inF || !inR || !f.Coded() || !r.Coded() {
				continue
			}
			add(c.Name, usedLabels(c), usedLabels(f), usedLabels(r))
		}
	}
	if s.levels.Len() > 0 && s.fields.Len() > 0 {
		views := s.views()
		add("level x field", s.combinations(views[2]), s.combinations(views[0]), s.combinations(views[1]))
	}
	inFragment.Row = exactly(float64(all.metFragment)/float64(max(1, all.two)), all.two, 1)
	inRelease.Row = exactly(float64(all.metRelease)/float64(max(1, all.fragment)), all.fragment, 1)
	strange.Row = exactly(float64(all.strange)/float64(max(1, all.release)), all.release, 0)
	if len(t.Rows) == 0 {
		none := metric.Missing("", "no column has codes")
		inFragment.Row, inRelease.Row, strange.Row = none, none, none
	}
	out := Result{Metrics: []metric.Metric{inRelease, strange}}
	if s.Population != nil {
		out.Metrics = append(out.Metrics, inFragment)
	}
	if len(t.Rows) > 0 {
		out.Tables = append(out.Tables, t)
	}
	return out
}

// views are fragment, release and what phase two shows.
func (s *setting) views() [3]*view {
	if s.population == nil {
		return [3]*view{s.fragment, s.release, s.fragment}
	}
	return [3]*view{s.fragment, s.release, s.population}
}

// usedLabels are the labels in use, in codebook order.
func usedLabels(c frame.Column) []string {
	used := make([]bool, c.Dict.Len())
	for _, k := range c.I {
		if k >= 0 {
			used[k] = true
		}
	}
	var out []string
	for k, l := range c.Dict.Labels() {
		if used[k] {
			out = append(out, l)
		}
	}
	return out
}

// combinations are the pairs of level and field in use.
func (s *setting) combinations(v *view) []string {
	used := make([]bool, (s.levels.Len()+1)*(s.fields.Len()+1))
	for i, l := range v.cells.level {
		used[int(l+1)*(s.fields.Len()+1)+int(v.cells.field[i]+1)] = true
	}
	name := func(d *frame.Dict, k int) string {
		if k == 0 {
			return "missing"
		}
		return d.Label(int32(k - 1))
	}
	var out []string
	for k, u := range used {
		if u {
			out = append(out, name(s.levels, k/(s.fields.Len()+1))+" x "+name(s.fields, k%(s.fields.Len()+1)))
		}
	}
	return out
}

func set(labels []string) map[string]bool {
	out := make(map[string]bool, len(labels))
	for _, l := range labels {
		out[l] = true
	}
	return out
}

// totalVariationOf is the total variation distance of two tables, NaN where one
// is empty.
func totalVariationOf(a, b []float64) float64 { return orNaN(tally.TotalVariation(a, b)) }

// orNaN is a distance that is not defined where it is an error.
func orNaN(d float64, err error) float64 {
	if err != nil {
		return math.NaN()
	}
	return d
}

// distanceRow measures how far a table of the release is from that of the
// fragment, with its interval and floor.
func (s *setting) distanceRow(c counts, d func(a, b []float64) float64, undefined string) metric.Row {
	floor, _ := spread(s.Draws, func(b int) float64 { return d(c.of[atFragment], c.drawnF[b]) })
	_, sd := spread(s.Draws, func(b int) float64 { return d(c.drawnF[b], c.drawnR[b]) })
	return within(s.around(d(c.of[atFragment], c.of[atRelease]), sd, floor, s.units, undefined), 0, math.Inf(1))
}
