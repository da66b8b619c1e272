package attack

import (
	"math"
	"slices"
	"sort"

	"scramblelab/internal/linked"
)

// candidates are the employers of a public file as a dense table of employer x
// year, for the inner loop. Candidates are ordered by mean head count, so that
// neighbours in memory are neighbours in size.
type candidates struct {
	employer []int32 // code of candidate c
	years    []int32
	k        int       // study levels
	stride   int       // numbers per candidate and year
	cell     []float32 // [candidate][year][stride]: log head, head, log FTE, log wage bill, mean age, shares by study level; NaN unknown
	byHead   [][]int32 // by year: candidates with a head count, in its order
	others   [][]int32 // by year: candidates without one

	q         []float64   // shares of study levels in the whole file
	headShare [10]float64 // of size classes
	fteRatio  ratio       // log(FTE / head) and so on over the whole file
	wageRatio ratio
	ageRatio  ratio
}

// ratio is a normal law of what is unknown about a single employer.
type ratio struct{ mean, variance float64 }

const (
	atLogHead = iota
	atHead
	atLogFTE
	atLogWage
	atAge
	atShares
)

func newCandidates(p *Public) *candidates {
	c := &candidates{k: len(p.Education), years: slices.Clone(p.Year)}
	c.stride = atShares + c.k
	slices.Sort(c.years)
	c.years = slices.Compact(c.years)
	slot := map[int32]int{}
	for t, y := range c.years {
		slot[y] = t
	}
	type sized struct {
		employer int32
		lo, hi   int
		size     float64
	}
	var list []sized
	for lo := 0; lo < len(p.Employer); {
		hi, sum, n := lo, 0.0, 0.0
		for ; hi < len(p.Employer) && p.Employer[hi] == p.Employer[lo]; hi++ {
			if h := p.head(hi); h > 0 {
				sum += h
				n++
			}
		}
		if p.Employer[lo] >= 0 {
			list = append(list, sized{p.Employer[lo], lo, hi, sum / max(1, n)})
		}
		lo = hi
	}
	slices.SortStableFunc(list, func(a, b sized) int {
		switch {
		case a.size < b.size:
			return -1
		case a.size > b.size:
			return 1
		}
		return int(a.employer) - int(b.employer)
	})
	nan := float32(math.NaN())
	c.cell = make([]float32, len(list)*len(c.years)*c.stride)
	for i := range c.cell {
		c.cell[i] = nan
	}
	c.employer = make([]int32, len(list))
	for k, s := range list {
		c.employer[k] = s.employer
		for i := s.lo; i < s.hi; i++ {
			c.fill(p, i, c.at(int32(k), slot[p.Year[i]]))
		}
	}
	c.q = categoryShares(p.Education)
	c.population(p)
	c.index()
	return c
}

// head is the staff at the closing date, or on average where that is unknown.
func (p *Public) head(i int) float64 {
	if h := p.Head[i]; h > 0 {
		return h
	}
	return math.Round(p.HeadAverage[i])
}

// at is the row of candidate k in year slot t.
func (c *candidates) at(k int32, t int) []float32 {
	i := (int(k)*len(c.years) + t) * c.stride
	return c.cell[i : i+c.stride : i+c.stride]
}

func (c *candidates) fill(p *Public, i int, to []float32) {
	logOf := func(v float64) float32 {
		if v > 0 {
			return float32(math.Log(v))
		}
		return float32(math.NaN())
	}
	to[atHead] = -1 // a row without a head count: the employer filed
	if h := p.head(i); h > 0 {
		to[atLogHead], to[atHead] = logOf(h), float32(h)
		if !(p.Head[i] > 0) {
			to[atHead] = 0 // only the average is known: it never counts as equal
			to[atLogHead] = float32(math.Log(p.HeadAverage[i]) - p.Noise.HeadAverage.Bias)
		}
	}
	to[atLogFTE], to[atLogWage], to[atAge] = logOf(p.FTE[i]), logOf(p.WageBill[i]), logOf(p.Age[i])
	if total := sumAt(p.Education, i); total > 0 {
		for k := range p.Education {
			to[atShares+k] = float32(orZero(p.Education[k][i]) / total)
		}
	}
}

func (c *candidates) population(p *Public) {
	var fte, wage, age []float64
	total := 0.0
	for i := range p.Employer {
		h := p.head(i)
		if !(h > 0) {
			continue
		}
		c.headShare[1+linked.SizeCode(int32(min(1e9, h)))]++
		total++
		if v := p.FTE[i]; v > 0 {
			fte = append(fte, math.Log(v/h))
		}
		if v := p.WageBill[i]; v > 0 {
			wage = append(wage, math.Log(v/h))
		}
		if v := p.Age[i]; v > 0 {
			age = append(age, math.Log(v))
		}
	}
	for i := range c.headShare {
		c.headShare[i] = (c.headShare[i] + 0.1) / (total + 1)
	}
	c.fteRatio, c.wageRatio, c.ageRatio = normalOf(fte), normalOf(wage), normalOf(age)
}

func normalOf(v []float64) ratio {
	if len(v) < 2 {
		return ratio{0, 1}
	}
	var s, q float64
	for _, x := range v {
		s += x
	}
	s /= float64(len(v))
	for _, x := range v {
		q += float64((x - s) * (x - s))
	}
	return ratio{s, q/float64(len(v)) + 1e-4}
}

func (c *candidates) index() {
	c.byHead, c.others = make([][]int32, len(c.years)), make([][]int32, len(c.years))
	for t := range c.years {
		for k := range c.employer {
			row := c.at(int32(k), t)
			if row[atLogHead] == row[atLogHead] {
				c.byHead[t] = append(c.byHead[t], int32(k))
			} else {
				c.others[t] = append(c.others[t], int32(k))
			}
		}
		slices.SortStableFunc(c.byHead[t], func(a, b int32) int {
			x, y := c.at(a, t)[atLogHead], c.at(b, t)[atLogHead]
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
	}
}

// nearest returns the place in byHead[t] of the first candidate that is not
// smaller.
func (c *candidates) nearest(t int, logHead float64) int {
	list := c.byHead[t]
	return sort.Search(len(list), func(i int) bool { return float64(c.at(list[i], t)[atLogHead]) >= logHead })
}

// headMass is the chance that an employer of the file has a head count like n.
func (c *candidates) headMass(n float64) float64 {
	code := linked.SizeCode(int32(max(1, min(1e9, math.Round(n)))))
	low := float64(linked.SizeBounds[code])
	width := low
	if int(code)+1 < len(linked.SizeBounds) {
		width = float64(linked.SizeBounds[code+1]) - low
	}
	return c.headShare[1+code] / width
}
