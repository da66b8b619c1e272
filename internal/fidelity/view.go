package fidelity

import (
	"fmt"
	"math"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// units numbers the published units 0 … n-1 in the order of their key.
type units struct {
	index []int32 // employer code -> unit, -1 for employers outside
	n     int
}

func newUnits(t *publish.Tables) units {
	key := t.Employers.Col(linked.Employer)
	u := units{index: make([]int32, key.Dict.Len())}
	for i := range u.index {
		u.index[i] = -1
	}
	for _, e := range key.I {
		if u.index[e] < 0 {
			u.index[e] = int32(u.n)
			u.n++
		}
	}
	return u
}

// view is a pair of release tables as vectors. Counts and class means are
// numbers: the midpoint where the release gives a class.
type view struct {
	units int
	cells cells
	firms firms
}

// cells has one entry per unit, year, level and field with staff.
type cells struct {
	unit, year, level, field []int32 // field -1 where the data have none
	workers                  []float64
	wage, fte                frame.Column
}

// firms has one entry per unit and year with staff.
type firms struct {
	unit, year, age []int32
	group, event    []int32
	weight          []float64
	head            []float64 // staff, summed over the cells
	wageSum         []float64 // staff times class midpoint, summed
}

func newView(t *publish.Tables, u units) (*view, error) {
	n := t.Cells.Rows()
	v := &view{units: u.n}
	c := &v.cells
	key, workers := t.Cells.Col(linked.Employer), t.Cells.Col(publish.Workers)
	c.unit, c.workers = make([]int32, n), make([]float64, n)
	for i := range n {
		if c.unit[i] = u.index[key.I[i]]; c.unit[i] < 0 {
			return nil, fmt.Errorf("a cell belongs to employer %q, who is not among the units compared", key.Dict.Label(key.I[i]))
		}
		c.workers[i] = workers.Value(i)
	}
	c.year = intsOr(t.Cells, linked.Year, 0)
	c.level = intsOr(t.Cells, linked.Level, frame.NoCode)
	c.field = intsOr(t.Cells, linked.Field, frame.NoCode)
	c.wage, _ = t.Cells.Lookup(publish.WageClass)
	c.fte, _ = t.Cells.Lookup(publish.FTEClass)
	v.fillFirms(t, u)
	return v, nil
}

// fillFirms lines up the employer rows with the cells; both are sorted by
// employer and year.
func (v *view) fillFirms(t *publish.Tables, u units) {
	f, c := &v.firms, &v.cells
	e := t.Employers
	key, year := e.Col(linked.Employer), intsOr(e, linked.Year, 0)
	age := intsOr(e, publish.AgeClass, frame.NoCode)
	group, event := intsOr(e, linked.Group, frame.NoCode), intsOr(e, linked.EventYear, frame.NoInt)
	weight, weighted := e.Lookup(linked.DesignWeight)
	k := 0
	for i := range e.Rows() {
		unit, first := u.index[key.I[i]], k
		head, wages := 0.0, 0.0
		for ; k < len(c.unit) && c.unit[k] == unit && c.year[k] == year[i]; k++ {
			head += c.workers[k]
			if c.wage.Dict != nil && !c.wage.Missing(k) {
				wages += float64(c.workers[k] * c.wage.Value(k))
			}
		}
		if k == first {
			continue
		}
		w := 1.0
		if weighted && !weight.Missing(i) {
			w = weight.Value(i)
		}
		f.unit, f.year, f.age = append(f.unit, unit), append(f.year, year[i]), append(f.age, age[i])
		f.group, f.event = append(f.group, group[i]), append(f.event, event[i])
		f.weight, f.head, f.wageSum = append(f.weight, w), append(f.head, head), append(f.wageSum, wages)
	}
}

// staffIn returns, for every firm row, the staff in a group of levels.
func (v *view) staffIn(b Band, levels *frame.Dict) []float64 {
	in := make([]bool, levels.Len())
	for _, l := range b.Codes {
		in[l] = true
	}
	out := make([]float64, len(v.firms.unit))
	k := 0
	for i := range out {
		for ; k < len(v.cells.unit) && v.cells.unit[k] == v.firms.unit[i] && v.cells.year[k] == v.firms.year[i]; k++ {
			if l := v.cells.level[k]; l >= 0 && in[l] {
				out[i] += v.cells.workers[k]
			}
		}
	}
	return out
}

// weightOfCell returns each cell's design weight.
func (v *view) weightOfCell() []float64 {
	out := make([]float64, len(v.cells.unit))
	k := 0
	for i := range v.firms.unit {
		for ; k < len(out) && v.cells.unit[k] == v.firms.unit[i] && v.cells.year[k] == v.firms.year[i]; k++ {
			out[k] = v.firms.weight[i]
		}
	}
	return out
}

func intsOr(f *frame.Frame, name string, otherwise int32) []int32 {
	if c, ok := f.Lookup(name); ok {
		return c.I
	}
	out := make([]int32, f.Rows())
	for i := range out {
		out[i] = otherwise
	}
	return out
}

// thirds groups levels, in codebook order, into three bands of about equal
// staff; a level whose label says that it is unknown joins none.
func thirds(v *view, levels *frame.Dict) []Band {
	staff := make([]float64, levels.Len())
	total := 0.0
	for i, l := range v.cells.level {
		if l >= 0 && !unknown(levels.Label(l)) {
			staff[l] += v.cells.workers[i]
			total += v.cells.workers[i]
		}
	}
	bands := []Band{{Name: "low"}, {Name: "mid"}, {Name: "high"}}
	below := 0.0
	for l := range staff {
		if staff[l] == 0 || unknown(levels.Label(int32(l))) {
			continue
		}
		// A level belongs where its middle worker stands.
		b := min(2, int(3*(below+staff[l]/2)/math.Max(total, 1)))
		bands[b].Codes = append(bands[b].Codes, int32(l))
		below += staff[l]
	}
	kept := bands[:0]
	for _, b := range bands {
		if len(b.Codes) > 0 {
			kept = append(kept, b)
		}
	}
	return kept
}

func unknown(label string) bool {
	l := strings.ToLower(label)
	return l == "u" || strings.Contains(l, "unknown") || strings.Contains(l, "onbekend") || strings.Contains(l, "inconnu")
}

const stageResample rng.Stage = 0x46494401

// resamples draws units with replacement: how often each unit stands in each
// resample.
func resamples(key rng.Sim, units, draws int) [][]float64 {
	out := make([][]float64, draws)
	for b := range out {
		s := key.Stream(stageResample, uint64(b))
		out[b] = make([]float64, units)
		for range units {
			out[b][s.IntN(units)]++
		}
	}
	return out
}
