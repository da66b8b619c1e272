package attack

import (
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// traits compares firm columns, which are constant within an employer.
type traits struct {
	names []string
	codes [][]int32              // [trait][candidate] code of what the intruder thinks
	table []map[string][]float64 // [trait] released label -> log chance by code
	label [][]string             // [trait][unit] released label, by row of the employers
	kind  []int32                // [candidate] which combination of codes it has
	kinds [][]int32              // [combination][trait] codes
	mix   *fieldMix              // the last trait, if not nil: fields of education by sector
	mixed []string               // its labels by code
	field []int32                // codes of mix by those of the release
}

// newTraits prepares the firm columns that are released and that the adversary
// knows.
func newTraits(p *Public, a Adversary, r Release, knowledge string, c *candidates, units []unit) *traits {
	emp, fields := r.Tables.Employers, fieldDict(r)
	t := &traits{}
	exact := len(units) > 0
	for _, u := range units {
		for _, o := range u.years {
			exact = exact && (o.exact || o.n == 0)
		}
	}
	for _, tr := range p.Traits {
		col, released := emp.Lookup(tr.Name)
		// An exact head count says all that a class of it says.
		if !released || !slices.Contains(a.Traits, tr.Name) || tr.Name == linked.SizeClass && exact {
			continue
		}
		thinks, exact := tr.Label, a.Delivered && tr.Exact != nil
		if exact {
			thinks = tr.Exact
		}
		codes, labels := coded(thinks, c.employer)
		moved, shares := r.Method.moved(tr.Name, knowledge), map[string]float64{}
		for i := range emp.Rows() {
			shares[labelOf(col, i)] += 1 / float64(emp.Rows())
		}
		table := map[string][]float64{}
		for i := range emp.Rows() {
			got := labelOf(col, i)
			if table[got] != nil {
				continue
			}
			chance := make([]float64, len(labels))
			for code, l := range labels {
				truth := tr.Truth[[2]string{l, got}]
				if exact {
					truth = one(l == got)
				}
				chance[code] = math.Log(float64((1-moved)*truth) + float64(moved*shares[got]) + tr.Floor)
			}
			table[got] = chance
		}
		shown := make([]string, emp.Rows())
		for i := range shown {
			shown[i] = labelOf(col, i)
		}
		t.names, t.codes, t.table, t.label = append(t.names, tr.Name), append(t.codes, codes), append(t.table, table), append(t.label, shown)
	}
	t.addMix(p, a, emp, fields, c)
	t.combine(len(c.employer))
	return t
}

func fieldDict(r Release) *frame.Dict {
	c, ok := r.Tables.Cells.Lookup(linked.Field)
	if !ok || !c.Coded() {
		return nil
	}
	return c.Dict
}

// coded gives the labels of some employers codes in the order in which they
// appear.
func coded(label []string, employers []int32) (codes []int32, labels []string) {
	codeOf := map[string]int32{}
	codes = make([]int32, len(employers))
	for k, e := range employers {
		l := label[e]
		code, ok := codeOf[l]
		if !ok {
			code = int32(len(labels))
			codeOf[l] = code
			labels = append(labels, l)
		}
		codes[k] = code
	}
	return codes, labels
}

// addMix lets the fields of education tell the sector, where it is not released
// itself.
func (t *traits) addMix(p *Public, a Adversary, emp *frame.Frame, fields *frame.Dict, c *candidates) {
	if p.fields == nil || fields == nil || emp.Has(linked.Sector) || !a.Uses(ColumnSector) || p.fields.weight == 0 {
		return
	}
	t.mix = p.fields
	var codes []int32
	codes, t.mixed = coded(p.fields.sector, c.employer)
	t.codes = append(t.codes, codes)
	t.field = make([]int32, fields.Len())
	for f, label := range fields.Labels() {
		t.field[f] = -1
		if k, ok := p.fields.fields.Code(label); ok {
			t.field[f] = k
		}
	}
}

// sectors is the log likelihood of a serial's fields by label of mixed.
func (t *traits) sectors(u unit, m *modeller) []float64 {
	heads, years := make([]float64, t.mix.fields.Len()), 0.0
	for _, o := range u.years {
		if o.n > 0 {
			years++
		}
		for f, n := range o.fields {
			if k := t.field[f]; k >= 0 {
				heads[k] += n
			}
		}
	}
	for f := range heads {
		heads[f] /= max(1, years)
	}
	kept, out := 1-m.method.touched(linked.Field, m.knowledge), make([]float64, len(t.mixed))
	for s, label := range t.mixed {
		out[s] = t.mix.weight * t.mix.log(heads, label, min(0.999, kept))
	}
	return out
}

// moved is the share of employers that show another one's value of a firm
// column: the intruder takes it for a draw from all values released.
func (m Method) moved(column, knowledge string) float64 {
	kept := 1.0
	for _, w := range m.Swaps {
		if slices.Contains(w.Bundle, column) {
			kept *= 1 - w.rate(knowledge)
		}
	}
	return 1 - kept
}

// combine numbers the combinations of codes, so that a candidate's traits are
// one number.
func (t *traits) combine(candidates int) {
	t.kind = make([]int32, candidates)
	t.kinds = [][]int32{{}}
	for _, codes := range t.codes {
		index, next := map[[2]int32]int32{}, [][]int32{}
		for k, code := range codes {
			key := [2]int32{t.kind[k], code}
			at, ok := index[key]
			if !ok {
				at = int32(len(next))
				index[key] = at
				next = append(next, append(slices.Clone(t.kinds[key[0]]), code))
			}
			t.kind[k] = at
		}
		if candidates > 0 {
			t.kinds = next
		}
	}
}

// of returns the log chance of a serial's released labels by combination of
// what the intruder thinks, and the largest. A label is that of the first year
// in which the serial has one. to is scratch space.
func (t *traits) of(u unit, m *modeller, to []float64) (chance []float64, most float64) {
	byCode := make([][]float64, len(t.codes))
	for k := range t.names {
		label := ""
		for _, o := range u.years { // never empty: see observe
			if label = t.label[k][o.row]; label != "" {
				break
			}
		}
		byCode[k] = t.table[k][label]
	}
	if t.mix != nil {
		byCode[len(t.names)] = t.sectors(u, m)
	}
	to, most = to[:0], math.Inf(-1)
	for _, codes := range t.kinds {
		ll := 0.0
		for k, code := range codes {
			ll += byCode[k][code]
		}
		to = append(to, ll)
		most = max(most, ll)
	}
	return to, most
}
