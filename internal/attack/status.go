package attack

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"scramblelab/internal/linked"
)

// statusLaw says how the status of staff (managers; employees who are no manual
// workers) depends on the education level, as labour force surveys tell: by
// level, and by the study levels of the accounts. What a status tells beyond the
// study levels is its rest.
type statusLaw struct {
	level [2][]float64 // chance of a status by level code of Public.Levels
	study [2][]float64 // by study level
	exact [2][]float64 // by row: the rest that the registered levels predict
}

func (s statusLaw) known() bool { return s.level[0] != nil }

// statusOf regresses staff by status on staff by level over the selection,
// weighted by one over the head count.
func statusOf(d *linked.Data, p *Public) statusLaw {
	var law statusLaw
	if p.LevelMap == nil || p.Status[0] == nil || p.Levels == nil {
		return law
	}
	k, n := p.Levels.Len(), len(p.Employer)
	counts := levelCounts(d, p)
	cross, y := mat.NewSymDense(k, nil), mat.NewDense(k, 2, nil)
	study := make([]float64, k)
	for i := range n {
		row, total := counts[i*k:(i+1)*k], 0.0
		for _, v := range row {
			total += float64(v)
		}
		if total == 0 || math.IsNaN(p.Status[0][i]) || math.IsNaN(p.Status[1][i]) {
			continue
		}
		for a, va := range row {
			if va == 0 {
				continue
			}
			study[a] += float64(va)
			for b := a; b < k; b++ {
				cross.SetSym(a, b, cross.At(a, b)+float64(float64(va)*float64(row[b]))/total)
			}
			for s := range 2 {
				y.Set(a, s, y.At(a, s)+float64(float64(va)*p.Status[s][i])/total)
			}
		}
	}
	for a := range k {
		cross.SetSym(a, a, cross.At(a, a)+1) // a level that nobody has
	}
	var beta mat.Dense
	if err := beta.Solve(cross, y); err != nil {
		return law
	}
	for s := range 2 {
		law.level[s], law.study[s] = make([]float64, k), make([]float64, len(p.Education))
		weight := make([]float64, len(p.Education))
		for a := range k {
			law.level[s][a] = max(0, min(1, beta.At(a, s)))
			if c := p.LevelMap[a]; c >= 0 {
				law.study[s][c] += law.level[s][a] * study[a]
				weight[c] += study[a]
			}
		}
		for c := range weight {
			law.study[s][c] /= max(1, weight[c])
		}
		law.exact[s] = unknown(n)
		for i := range n {
			rest, total := 0.0, 0.0
			for a, v := range counts[i*k : (i+1)*k] {
				if c := p.LevelMap[a]; c >= 0 {
					rest += float64(v) * (law.level[s][a] - law.study[s][c])
					total += float64(v)
				}
			}
			if total > 0 {
				law.exact[s][i] = rest / total
			}
		}
	}
	return law
}

// levelCounts are the heads by row of the file and level, counted as CountOn
// says.
func levelCounts(d *linked.Data, p *Public) []float32 {
	k := p.Levels.Len()
	out := make([]float32, len(p.Employer)*k)
	employer, year, level := d.Jobs.Col(linked.Employer).I, d.Jobs.Col(linked.Year).I, codes(d.Jobs, linked.Level)
	weight := weightOf(d, p.CountOn)
	row, n := 0, len(p.Employer)
	for i := range employer {
		for row < n && (p.Employer[row] < employer[i] || p.Employer[row] == employer[i] && p.Year[row] < year[i]) {
			row++
		}
		if row == n {
			break
		}
		if l := level(i); l >= 0 && p.Employer[row] == employer[i] && p.Year[row] == year[i] {
			out[row*k+int(l)] += float32(weight(i))
		}
	}
	return out
}

// rest is what the file says of a status beyond its study levels, as a share of
// the staff.
func (s statusLaw) rest(p *Public, i, status int) float64 {
	total, by := 0.0, 0.0
	for c := range p.Education {
		total += p.Education[c][i]
		by += float64(p.Education[c][i] * s.study[status][c])
	}
	head := p.head(i)
	if !(total > 0) || !(head > 0) {
		return math.NaN()
	}
	return p.Status[status][i]/head - by/total
}
