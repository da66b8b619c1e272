package attack

import (
	"math"

	"scramblelab/internal/linked"
)

// FlowLaw is the law of a released head count given the public one, the
// released one of the year before, and entries less exits of the public file.
// The two predictions, the public head count and the count of the year before
// plus the flow, agree or not. An error of the head count that stays with the
// employer, such as an owner who is counted along, then costs once and not every
// year.
type FlowLaw struct {
	Agree  float64 // both predictions say one number: the chance that it is released
	Head   float64 // they differ: the chance of the public head count
	Change float64 // they differ: the chance of the one that entries and exits give
}

// fitFlow counts how often either prediction is right.
func fitFlow(p *Public, m NoiseModel) (law [9]FlowLaw) {
	var n [9][5]float64 // agree, right; differ, head right, change right
	for i := range p.Employer {
		if p.Flow == nil || !p.follows(i) || math.IsNaN(p.Flow[i]) || !(p.Head[i] > 0) || !(p.exact.head[i] > 0) || !(p.exact.head[i-1] > 0) {
			continue
		}
		c := linked.SizeCode(int32(min(1e9, p.exact.head[i])))
		if c < 0 {
			continue
		}
		head, change := p.Head[i] == p.exact.head[i], p.exact.head[i-1]+p.Flow[i] == p.exact.head[i]
		if p.exact.head[i-1]+p.Flow[i] == p.Head[i] {
			n[c][0]++
			n[c][1] += one(head)
		} else {
			n[c][2]++
			n[c][3] += one(head)
			n[c][4] += one(change)
		}
	}
	for c, v := range n {
		e := m.HeadEqual[c]
		law[c] = FlowLaw{(v[1] + e) / (v[0] + 1), (v[3] + 0.5*e) / (v[2] + 1), (v[4] + 0.01) / (v[2] + 1)}
	}
	return law
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func ratios(a, b []float64) []float64 {
	out := unknown(len(a))
	for i := range out {
		if b[i] > 0 {
			out[i] = a[i] / b[i]
		}
	}
	return out
}

// partShare is the share of part-timers among those whose working time the file
// tells.
func (p *Public) partShare(i int) float64 {
	if h := p.head(i); h > 0 {
		return min(1, at(p.PartTime, i)/h)
	}
	return math.NaN()
}

// excess is the FTE of a study level beyond the mean of all, per head.
func excess(education, fte [][]float64, i, c int) float64 {
	if len(fte) == 0 {
		return math.NaN()
	}
	n, f := 0.0, 0.0
	for k := range education {
		n += education[k][i]
		f += fte[k][i]
	}
	if !(n > 0) {
		return math.NaN()
	}
	return (fte[c][i] - f/n*education[c][i]) / n
}

// fitShares fits the errors of the shares of part-timers, of FTE by study level
// and of status.
func fitShares(p *Public, m NoiseModel) (part, fte, status ErrorModel) {
	part, fte, status = m.PartTime, m.EducationFTE, m.Status
	x, n := p.exact, len(p.Employer)
	if p.PartTime != nil {
		e := unknown(n)
		for i := range e {
			if x.head[i] > 0 {
				e[i] = p.partShare(i) - x.part[i]/x.head[i]
			}
		}
		part = fitErrors(p, e, part)
	}
	if len(p.EducationFTE) > 0 {
		e := unknown(n)
		for i := range e {
			c := min(1, len(p.EducationFTE)-1) // secondary, the most frequent one
			e[i] = excess(p.Education, p.EducationFTE, i, c) - excess(x.education, x.educationFTE, i, c)
		}
		fte = fitErrors(p, e, fte)
	}
	if p.status.known() {
		e := unknown(n)
		for i := range e {
			e[i] = p.status.rest(p, i, 1) - p.status.exact[1][i]
		}
		status = fitErrors(p, e, status)
	}
	return part, fte, status
}
