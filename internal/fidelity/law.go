package fidelity

import "scramblelab/internal/linked"

// stratum is the value of up to three firm columns.
type stratum [3]int32

// strata returns the stratum of every firm row, or false where partners agree
// on something else than firm columns of the panel.
func (l *SwapLaw) strata(v *view) ([]stratum, bool) {
	columns := map[string][]int32{linked.Year: v.firms.year, linked.Group: v.firms.group, linked.EventYear: v.firms.event}
	out := make([]stratum, len(v.firms.unit))
	for k, name := range l.Strata {
		values, ok := columns[name]
		if !ok || k >= len(stratum{}) {
			return nil, false
		}
		for i := range out {
			out[i][k] = values[i]
		}
	}
	return out, true
}

// expected is the staff of a band, firm row by firm row, that the swap law
// expects of the fragment in the release: staff is what the fragment has. The
// band's share in a stratum is that among the donors.
func (s *setting) expected(b Band, staff []float64) ([]float64, bool) {
	if s.Swap == nil {
		return nil, false
	}
	donors, donorStaff, weight := s.fragment, staff, s.fragment.firms.weight
	switch {
	case s.Swap.Closed:
		weight = nil
	case s.population != nil:
		donors, donorStaff, weight = s.population, s.population.staffIn(b, s.levels), nil
	}
	of, ok := s.Swap.strata(donors)
	if !ok {
		return nil, false
	}
	in, all := map[stratum]float64{}, map[stratum]float64{}
	for i, k := range of {
		w := 1.0
		if weight != nil {
			w = weight[i]
		}
		in[k] += float64(w * donorStaff[i])
		all[k] += float64(w * donors.firms.head[i])
	}
	own, _ := s.Swap.strata(s.fragment)
	out := make([]float64, len(staff))
	for i, k := range own {
		if all[k] == 0 {
			return nil, false // the selection lacks a stratum of the fragment
		}
		out[i] = float64((1-s.Swap.Rate)*staff[i]) + float64(s.Swap.Rate*in[k]/all[k]*s.fragment.firms.head[i])
	}
	return out, true
}
