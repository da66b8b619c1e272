package attack

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"scramblelab/internal/linked"
)

// candidates are the employers of a public file as a dense table of employer x
// year, for the inner loop. They are ordered so that neighbours in memory are
// alike: see arrange.
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
	filed    []uint64  // candidate: bit t, year slot t
	size     []float32 // [candidate][spells]: mean log head count by spell of the years filed; 0 unknown

	leaves       []leaf
	headBoxes    []headBox // [leaf][year]
	profileBoxes []float32 // [leaf][2][stride]: see profileBox

	q         []float64   // shares of study levels in the whole file
	headShare [10]float64 // of size classes
	fteRatio  ratio       // log(FTE / head) and so on over the whole file
	wageRatio ratio
	ageRatio  ratio
	part      ratio    // of the share of part-timers
	rest      [2]ratio // of status beyond study levels
	excess    []ratio  // of FTE by study level
}

// maxYears is the width of candidates.filed.
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
	type rows struct {
		employer int32
		lo, hi   int
		filed    uint64
	}
	var list []rows
	for lo := 0; lo < len(p.Employer); {
		hi, filed := lo, uint64(0)
		for ; hi < len(p.Employer) && p.Employer[hi] == p.Employer[lo]; hi++ {
			filed |= 1 << slot[p.Year[hi]]
		}
		if p.Employer[lo] >= 0 {
			list = append(list, rows{p.Employer[lo], lo, hi, filed})
		}
		lo = hi
	}
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
	c.employer, c.filed = make([]int32, len(list)), make([]uint64, len(list))
	for k, s := range list {
		c.employer[k], c.filed[k] = s.employer, s.filed
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
	c.average()
	c.arrange(p.Noise)
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

// spells is into how many parts the years of a candidate are cut to tell the
// course of its head count.
const spells = 3

// average computes mean rows and head counts, and who filed the usual columns
// in every year that he filed.
func (c *candidates) average() {
	years, times := len(c.years), make([]int, len(c.patterns))
	for k, filed := range c.filed {
		for t := range years {
			if filed>>t&1 == 1 {
				times[c.pattern[k*years+t]]++
			}
		}
	}
	for p, n := range times {
		if n > times[c.usual] {
			c.usual = uint8(p)
		}
	}
	c.even, c.profile, c.size = make([]bool, len(c.employer)), make([]float32, len(c.employer)*c.stride), make([]float32, len(c.employer)*spells)
	sum := make([]float64, c.stride)
	for k, filed := range c.filed {
		clear(sum)
		rows, total := 0.0, float64(bits.OnesCount64(filed))
		var size, heads [spells]float64
		c.even[k] = true
		for t := range years {
			if filed>>t&1 == 0 {
				continue
			}
			c.even[k] = c.even[k] && c.pattern[k*years+t] == c.usual
			if x := c.logHead[k*years+t]; x == x {
				s := int(rows / total * spells)
				size[s] += float64(x)
				heads[s]++
			}
			rows++
			for j, x := range c.at(int32(k), t) {
				sum[j] += float64(x)
			}
		}
		for s := range size {
			c.size[k*spells+s] = float32(size[s] / max(1, heads[s]))
		}
		for j, x := range sum {
			c.profile[k*c.stride+j] = float32(x / max(1, rows))
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
