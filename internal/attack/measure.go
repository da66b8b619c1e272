package attack

import (
	"math"
	"slices"
	"time"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

// measure computes on the jobs what the public file is about, counting persons
// as CountOn says: under average by days employed.
func measure(d *linked.Data, p *Public) *exactPanel {
	n := len(p.Employer)
	x := &exactPanel{head: unknown(n), fte: unknown(n), wage: unknown(n), age: unknown(n), part: unknown(n)}
	for range p.Education {
		x.education, x.educationFTE = append(x.education, unknown(n)), append(x.educationFTE, unknown(n))
	}
	employer, year := d.Jobs.Col(linked.Employer), d.Jobs.Col(linked.Year)
	wage, hasWage := d.Jobs.Lookup(linked.Wage)
	fte, hasFTE := d.Jobs.Lookup(linked.FTE)
	age, hasAge := d.Jobs.Lookup(linked.Age)
	weight := weightOf(d, p.CountOn)
	level, field := codes(d.Jobs, linked.Level), codes(d.Jobs, linked.Field)
	cells := map[[2]int32]float64{} // heads of the current row by cell
	last := -1
	average := p.CountOn == publish.CountAverage
	round := func() {
		if last >= 0 && average {
			x.round(last, cells, p.LevelMap)
			clear(cells)
		}
	}
	row := 0
	for i := range d.Jobs.Rows() {
		e, t := employer.I[i], year.I[i]
		for row < n && (p.Employer[row] < e || p.Employer[row] == e && p.Year[row] < t) {
			row++
		}
		if row == n {
			break
		}
		if p.Employer[row] != e || p.Year[row] != t {
			continue
		}
		w := weight(i)
		if w <= 0 {
			continue
		}
		if math.IsNaN(x.head[row]) {
			x.head[row], x.age[row] = 0, 0
			if hasFTE {
				x.fte[row], x.part[row] = 0, 0
			}
			if hasWage {
				x.wage[row] = 0
			}
			for c := range x.education {
				x.education[c][row], x.educationFTE[c][row] = 0, 0
			}
		}
		if row != last {
			round()
			last = row
		}
		if average {
			cells[[2]int32{level(i), field(i)}] += w
		}
		x.head[row] += w
		add(x.fte, row, fte, hasFTE, i, w)
		add(x.wage, row, wage, hasWage, i, w)
		add(x.age, row, age, hasAge, i, w)
		if hasFTE && !fte.Missing(i) && fte.Value(i) < 1 {
			x.part[row] += w
		}
		if l := level(i); p.LevelMap != nil && len(x.education) > 0 && l >= 0 {
			if c := p.LevelMap[l]; c >= 0 {
				x.education[c][row] += w
				add(x.educationFTE[c], row, fte, hasFTE, i, w)
			}
		}
	}
	round()
	for i := range x.age {
		if x.age[i] /= x.head[i]; !hasAge {
			x.age[i] = math.NaN()
		}
	}
	return x
}

// round makes whole heads of a row's cells as a release does that counts on
// average: rounded, at least one a cell. Sums of FTE and wages keep their mean.
func (x *exactPanel) round(row int, cells map[[2]int32]float64, levelMap []int8) {
	head, education := 0.0, make([]float64, len(x.education))
	for cell, w := range cells { // whole numbers: their order does not matter
		n := max(1, math.Floor(w+0.5))
		head += n
		if cell[0] >= 0 && len(education) > 0 && levelMap != nil {
			if c := levelMap[cell[0]]; c >= 0 {
				education[c] += n
			}
		}
	}
	for _, v := range slices.Concat([][]float64{x.fte, x.wage, x.age, x.part}, x.educationFTE) { // age is divided by heads later
		v[row] *= head / x.head[row]
	}
	x.head[row] = head
	for c := range education {
		x.education[c][row] = education[c]
	}
}

// weightOf says how many heads a job stands for.
func weightOf(d *linked.Data, countOn string) func(i int) float64 {
	left, hasLeft := d.Jobs.Lookup(linked.Left)
	hired, hasHired := d.Jobs.Lookup(linked.Hired)
	year := d.Jobs.Col(linked.Year).I
	switch countOn {
	case publish.CountAny:
		return func(int) float64 { return 1 }
	case publish.CountAverage:
		return func(i int) float64 {
			const day = 24 * 60 * 60
			start := time.Date(int(year[i]), 1, 1, 0, 0, 0, 0, time.UTC).Unix() / day
			end := time.Date(int(year[i])+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / day
			from, to := start, end
			if hasHired && !hired.Missing(i) {
				from = max(from, int64(hired.I[i]))
			}
			if hasLeft && !left.Missing(i) {
				to = min(to, int64(left.I[i])+1)
			}
			return max(0, float64(to-from)/float64(end-start))
		}
	}
	return func(i int) float64 {
		if hasLeft && !left.Missing(i) {
			return 0
		}
		return 1
	}
}

func add(sum []float64, row int, c frame.Column, has bool, i int, weight float64) {
	if has && !c.Missing(i) {
		sum[row] += float64(weight * c.Value(i))
	}
}
