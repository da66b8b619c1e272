package attack

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/linked"
)

// candidates are the employers of a public file as a dense table of employer x
// year, for the inner loop. Candidates are ordered by the years that they filed
// and by mean head count, so that neighbours in memory are alike.
type candidates struct {
	employer []int32 // code of candidate c
	years    []int32
	k        int       // study levels
	flows    []tie     // [candidate][year] beside logHead
	stride   int       // numbers per candidate and year
	logHead  []float32 // [candidate][year], apart for it decides most pairs; NaN unknown
	patterns []uint8   // what can be known of a row, bits of knowsFTE and so on
	pattern  []uint8   // [candidate][year] index of patterns
	cell     []float32 // [candidate][year][stride]: see atLogFTE and so on; NaN unknown
	usual    uint8     // index of the most frequent pattern
	even     []bool    // candidate: every row that it filed has that pattern
	profile  []float32 // [candidate][stride]: mean of its rows, where they are even
	spans    []span

	q         []float64   // shares of study levels in the whole file
	headShare [10]float64 // of size classes
	fteRatio  ratio       // log(FTE / head) and so on over the whole file
	wageRatio ratio
	ageRatio  ratio
	part      ratio    // of the share of part-timers
	rest      [2]ratio // of status beyond study levels
	excess    []ratio  // of FTE by study level
}

// span is a run of candidates that filed accounts in the same years, so that
// what their missing years cost is one number.
type span struct {
	filed  uint64 // bit t: year slot t
	lo, hi int32
	byHead [][]int32   // by year slot: candidates with a head count, in its order
	heads  [][]float32 // their log head counts
	others [][]int32   // by year slot: candidates with a row but no head count
}

// maxYears is the width of span.filed.
const maxYears = 64

// ratio is a normal law of what is unknown about a single employer.
type ratio struct{ mean, variance float64 }

// Places in a row of cell; from atShares on the shares by study level, and then
// the FTE by study level beyond the mean (see excess).
const (
	atLogFTE = iota
	atLogWage
	atAge
	atPart
	atStatus // two
	atShares = atStatus + 2
)

// tie holds what entries and exits say of a row.
type tie struct {
	flow   float32 // entries less exits; NaN unknown
	before float32 // the head count less the flow: that of the year before
}

// Bits of what is known of a row beside its head count.
const (
	knowsFTE uint8 = 1 << iota
	knowsWage
	knowsAge
	knowsShares
	knowsPart
	knowsStatus
	knowsExcess
)

func newCandidates(p *Public) (*candidates, error) {
	c := &candidates{k: len(p.Education), years: slices.Clone(p.Year)}
	c.stride = atShares + c.k
	if len(p.EducationFTE) > 0 {
		c.stride += c.k
	}
	c.stride = (c.stride + 7) / 8 * 8 // see squares
	slices.Sort(c.years)
	c.years = slices.Compact(c.years)
	if len(c.years) > maxYears {
		return nil, fmt.Errorf("attack: the public file has %d years, want at most %d; name some in Options.Years", len(c.years), maxYears)
	}
	slot := map[int32]int{}
	for t, y := range c.years {
		slot[y] = t
	}
	type sized struct {
		employer int32
		lo, hi   int
		size     float64
		filed    uint64
	}
	var list []sized
	for lo := 0; lo < len(p.Employer); {
		hi, sum, n, filed := lo, 0.0, 0.0, uint64(0)
		for ; hi < len(p.Employer) && p.Employer[hi] == p.Employer[lo]; hi++ {
			filed |= 1 << slot[p.Year[hi]]
			if h := p.head(hi); h > 0 {
				sum += h
				n++
			}
		}
		if p.Employer[lo] >= 0 {
			list = append(list, sized{p.Employer[lo], lo, hi, sum / max(1, n), filed})
		}
		lo = hi
	}
	slices.SortStableFunc(list, func(a, b sized) int {
		return cmp.Or(cmp.Compare(a.filed, b.filed), cmp.Compare(a.size, b.size), cmp.Compare(a.employer, b.employer))
	})
	nan := float32(math.NaN())
	c.cell = make([]float32, len(list)*len(c.years)*c.stride)
	for i := range c.cell {
		c.cell[i] = nan
	}
	c.logHead = make([]float32, len(list)*len(c.years))
	c.flows = make([]tie, len(c.logHead))
	for i := range c.logHead {
		c.logHead[i], c.flows[i] = nan, tie{nan, nan}
	}
	c.employer = make([]int32, len(list))
	for k, s := range list {
		c.employer[k] = s.employer
		if k == 0 || list[k-1].filed != s.filed {
			c.spans = append(c.spans, span{filed: s.filed, lo: int32(k)})
		}
		c.spans[len(c.spans)-1].hi = int32(k + 1)
		for i := s.lo; i < s.hi; i++ {
			t := slot[p.Year[i]]
			c.logHead[k*len(c.years)+t] = p.logHead(i)
			if f := at(p.Flow, i); f == f && p.Head[i] > 0 {
				c.flows[k*len(c.years)+t] = tie{float32(f), float32(p.Head[i] - f)}
			}
			c.fill(p, i, c.at(int32(k), t))
		}
	}
	c.q = categoryShares(p.Education)
	c.population(p)
	c.known(len(p.EducationFTE) > 0)
	c.index()
	c.average()
	return c, nil
}

// head is the staff at the closing date, or on average where that is unknown.
func (p *Public) head(i int) float64 {
	if h := p.Head[i]; h > 0 {
		return h
	}
	return math.Round(p.HeadAverage[i])
}

// logHead is the log head count as candidates store it. One that is known on
// average only is pushed off the whole numbers: it never counts as equal.
func (p *Public) logHead(i int) float32 {
	switch {
	case p.Head[i] > 0:
		return float32(math.Log(p.Head[i]))
	case p.HeadAverage[i] > 0:
		return float32(math.Log(p.HeadAverage[i]) - p.Noise.HeadAverage.Bias + 1e-4)
	}
	return float32(math.NaN())
}

// at is the row of candidate k in year slot t.
func (c *candidates) at(k int32, t int) []float32 {
	i := (int(k)*len(c.years) + t) * c.stride
	return c.cell[i : i+c.stride : i+c.stride]
}

func (c *candidates) head(k int32, t int) float32 { return c.logHead[int(k)*len(c.years)+t] }

func (c *candidates) fill(p *Public, i int, to []float32) {
	logOf := func(v float64) float32 {
		if v > 0 {
			return float32(math.Log(v))
		}
		return float32(math.NaN())
	}
	to[atLogFTE], to[atLogWage], to[atAge] = logOf(p.FTE[i]), logOf(p.WageBill[i]), logOf(p.Age[i])
	if p.Noise.FTEPerHead {
		to[atLogFTE] = logOf(p.FTE[i] / p.HeadAverage[i])
	}
	to[atPart] = float32(p.partShare(i))
	if p.status.known() {
		to[atStatus], to[atStatus+1] = float32(p.status.rest(p, i, 0)), float32(p.status.rest(p, i, 1))
	}
	if total := sumAt(p.Education, i); total > 0 {
		for k := range p.Education {
			to[atShares+k] = float32(orZero(p.Education[k][i]) / total)
		}
	}
	for k := range p.EducationFTE {
		to[atShares+c.k+k] = float32(excess(p.Education, p.EducationFTE, i, k))
	}
}

// known sorts rows by what is known of them. What is not becomes 0, and in no
// form counts.
func (c *candidates) known(excess bool) {
	var index [128]int
	columns := []int{atLogFTE, atLogWage, atAge, atShares, atPart, atStatus}
	if excess {
		columns = append(columns, atShares+c.k)
	}
	c.pattern = make([]uint8, len(c.logHead))
	for i := range c.pattern {
		row, p := c.cell[i*c.stride:(i+1)*c.stride], uint8(0)
		for b, k := range columns {
			if row[k] == row[k] {
				p |= 1 << b
			}
		}
		if index[p] == 0 {
			c.patterns = append(c.patterns, p)
			index[p] = len(c.patterns)
		}
		c.pattern[i] = uint8(index[p] - 1)
		for k, x := range row {
			if x != x {
				row[k] = 0
			}
		}
	}
}

// average computes the mean rows of candidates who filed the usual columns in
// every year that they filed.
func (c *candidates) average() {
	times := make([]int, len(c.patterns))
	for i := range c.spans {
		for k := c.spans[i].lo; k < c.spans[i].hi; k++ {
			for t := range c.years {
				if c.spans[i].filed>>t&1 == 1 {
					times[c.pattern[int(k)*len(c.years)+t]]++
				}
			}
		}
	}
	for p, n := range times {
		if n > times[c.usual] {
			c.usual = uint8(p)
		}
	}
	c.even, c.profile = make([]bool, len(c.employer)), make([]float32, len(c.employer)*c.stride)
	sum := make([]float64, c.stride)
	for i := range c.spans {
		s := &c.spans[i]
		for k := s.lo; k < s.hi; k++ {
			clear(sum)
			years := 0.0
			c.even[k] = true
			for t := range c.years {
				if s.filed>>t&1 == 0 {
					continue
				}
				c.even[k] = c.even[k] && c.pattern[int(k)*len(c.years)+t] == c.usual
				years++
				for j, x := range c.at(k, t) {
					sum[j] += float64(x)
				}
			}
			for j, x := range sum {
				c.profile[int(k)*c.stride+j] = float32(x / max(1, years))
			}
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
			if a := p.HeadAverage[i]; p.Noise.FTEPerHead && a > 0 {
				fte = append(fte, math.Log(v/a))
			} else {
				fte = append(fte, math.Log(v/h))
			}
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
	column := func(k int) ratio { // before known
		var v []float64
		for i := k; i < len(c.cell); i += c.stride {
			if x := float64(c.cell[i]); x == x {
				v = append(v, x)
			}
		}
		return normalOf(v)
	}
	c.part, c.rest = column(atPart), [2]ratio{column(atStatus), column(atStatus + 1)}
	for k := range p.EducationFTE {
		c.excess = append(c.excess, column(atShares+c.k+k))
	}
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

// index sorts every span by head count, year by year.
func (c *candidates) index() {
	for i := range c.spans {
		s := &c.spans[i]
		s.byHead, s.others, s.heads = make([][]int32, len(c.years)), make([][]int32, len(c.years)), make([][]float32, len(c.years))
		for t := range c.years {
			if s.filed>>t&1 == 0 {
				continue
			}
			for k := s.lo; k < s.hi; k++ {
				if x := c.head(k, t); x == x {
					s.byHead[t] = append(s.byHead[t], k)
				} else {
					s.others[t] = append(s.others[t], k)
				}
			}
			slices.SortStableFunc(s.byHead[t], func(a, b int32) int {
				return cmp.Compare(c.head(a, t), c.head(b, t))
			})
			s.heads[t] = make([]float32, len(s.byHead[t]))
			for i, k := range s.byHead[t] {
				s.heads[t][i] = c.head(k, t)
			}
		}
	}
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
