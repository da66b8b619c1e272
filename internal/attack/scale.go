package attack

import (
	"math"
	"slices"

	"scramblelab/internal/rng"
)

// as returns the file as an adversary has it when the errors of accounts are
// scale times what they are: every count and amount moves along the line, in
// logs, from its exact value through its present one, by scale times the factor
// that the adversary declares for its column. A file of which nothing exact is
// known keeps its values; then only the belief about its errors is scaled.
func (p *Public) as(a Adversary, scale float64) *Public {
	plain := scale == 1
	for _, k := range a.Columns {
		plain = plain && k.plain()
	}
	if plain {
		return p
	}
	if p.exact == nil {
		q := *p
		q.Noise = p.Noise.scaled(scale, a)
		return &q
	}
	q := *p
	x, by := p.exact, func(column string) float64 { return scale * a.noise(column) }
	q.Head = move(p.Head, x.head, 0, by(ColumnHead), true)
	q.HeadAverage = move(p.HeadAverage, x.head, p.Noise.HeadAverage.Bias, by(ColumnHead), false)
	q.Flow = p.flowAt(by(ColumnFlow))
	q.FTE = move(p.FTE, x.fte, p.Noise.FTE.Bias, by(ColumnFTE), false)
	q.WageBill = move(p.WageBill, x.wage, p.Noise.WageBill.Bias, by(ColumnWageBill), false)
	q.Age = move(p.Age, x.age, 0, by(ColumnAge), false)
	q.PartTime = shift(p.PartTime, x.part, by(ColumnPartTime))
	q.Education, q.EducationFTE = make([][]float64, len(p.Education)), nil
	for c := range p.Education {
		q.Education[c] = shift(p.Education[c], x.education[c], by(ColumnEducation))
		if p.EducationFTE != nil {
			q.EducationFTE = append(q.EducationFTE, shift(p.EducationFTE[c], x.educationFTE[c], by(ColumnEducationFTE)))
		}
	}
	q.learn(a, scale)
	q.cover(a)
	q.Noise = calibrate(&q)
	return &q
}

// move carries amounts along the line from their exact value in logs.
func move(v, exact []float64, bias, scale float64, whole bool) []float64 {
	out := slices.Clone(v)
	for i := range out {
		if !(out[i] > 0) || !(exact[i] > 0) {
			continue
		}
		out[i] = exact[i] * math.Exp(bias+float64(scale*(math.Log(v[i]/exact[i])-bias)))
		if whole {
			out[i] = max(1, math.Round(out[i]))
		}
	}
	return out
}

// shift is move for counts that may be zero.
func shift(v, exact []float64, scale float64) []float64 {
	out := slices.Clone(v)
	for i := range out {
		if e := exact[i]; !math.IsNaN(v[i]) && !math.IsNaN(e) {
			out[i] = max(0, e+float64(scale*(v[i]-e)))
		}
	}
	return out
}

// flowAt moves entries less exits between the change of the exact head count
// and what the file says.
func (p *Public) flowAt(scale float64) []float64 {
	out := slices.Clone(p.Flow)
	for i := range out {
		if i > 0 && p.follows(i) && p.exact.head[i] > 0 && p.exact.head[i-1] > 0 {
			change := p.exact.head[i] - p.exact.head[i-1]
			out[i] = change + math.Round(scale*(p.Flow[i]-change))
		}
	}
	return out
}

// follows reports whether row i is the year after row i-1 of one employer.
func (p *Public) follows(i int) bool {
	return i > 0 && p.Employer[i] == p.Employer[i-1] && p.Year[i] == p.Year[i-1]+1
}

const stageLearn rng.Stage = 0xa77ac6

// learn adds what accounts do not say and the adversary knows from elsewhere:
// the mean age, with an error of Noise·scale·2 % that stays with the employer.
func (p *Public) learn(a Adversary, scale float64) {
	k, ok := a.column(ColumnAge)
	if !ok || !k.Learned || p.exact == nil || slices.ContainsFunc(p.Age, func(v float64) bool { return !math.IsNaN(v) }) {
		return
	}
	p.Age = slices.Clone(p.exact.age)
	var s rng.Stream
	for i, e := range p.Employer {
		rng.Sim(ageSeed).Reseed(&s, stageLearn, uint64(uint32(e)))
		p.Age[i] *= math.Exp(ageError * scale * k.Noise * s.Normal())
	}
}

const (
	ageSeed  = 1    // the same error whoever asks
	ageError = 0.02 // of a mean age of 40: ten months
)

// cover blanks what the adversary knows of some employers or recent years only.
func (p *Public) cover(a Adversary) {
	last := int32(math.MinInt32)
	for _, y := range p.Year {
		last = max(last, y)
	}
	var s rng.Stream
	for _, k := range a.Columns {
		if k.plain() || k.Coverage == 0 && k.Years == 0 {
			continue
		}
		for _, v := range p.named(k.Column) {
			if *v == nil {
				continue
			}
			*v = slices.Clone(*v)
			for i, e := range p.Employer {
				rng.Sim(ageSeed).Reseed(&s, stageLearn, uint64(uint32(e))|1<<40)
				if k.Coverage > 0 && s.Float64() >= k.Coverage || k.Years > 0 && p.Year[i] <= last-int32(k.Years) {
					(*v)[i] = math.NaN()
				}
			}
		}
	}
}

// named are the columns of the file that a name of the adversary's list stands
// for.
func (p *Public) named(column string) []*[]float64 {
	lists := func(v [][]float64) (out []*[]float64) {
		for i := range v {
			out = append(out, &v[i])
		}
		return out
	}
	switch column {
	case ColumnHead:
		return []*[]float64{&p.Head, &p.HeadAverage}
	case ColumnFlow:
		return []*[]float64{&p.Flow}
	case ColumnFTE:
		return []*[]float64{&p.FTE}
	case ColumnWageBill:
		return []*[]float64{&p.WageBill}
	case ColumnAge:
		return []*[]float64{&p.Age}
	case ColumnPartTime:
		return []*[]float64{&p.PartTime}
	case ColumnStatus:
		return []*[]float64{&p.Status[0], &p.Status[1]}
	case ColumnEducation:
		p.Education = slices.Clone(p.Education)
		return lists(p.Education)
	case ColumnEducationFTE:
		p.EducationFTE = slices.Clone(p.EducationFTE)
		return lists(p.EducationFTE)
	}
	return nil
}
