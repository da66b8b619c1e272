package publish

import (
	"fmt"
	"hash/fnv"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/rng"
)

// Protection says how head counts are changed on their way into the table. At
// most one of Jitter, Round and Suppress is set; the zero value publishes them
// as they are.
//
// The draw of a cell depends on the key and on the labels of the cell alone
// (employer, year, level, field), so that the same cell has the same noise in
// every table made under that key, and asking twice averages nothing out
// (cell-key method; Fraser and Wooton 2005; Thompson, Broadfoot and Elazar 2013).
type Protection struct {
	Variance float64 // jitter: variance of the noise; 0 is no jitter
	Reach    int     // jitter: largest change, from 1 to 20
	Base     int     // rounding: 3 or 5; 0 is no rounding
	Nearest  bool    // rounding: conventional, to the nearest multiple, else at random without bias
	Suppress int     // least head count of a cell; 0 and 1 suppress nothing
	Key      rng.Secret
}

const maxReach = 20

// Validate names the field that is wrong and what to write instead.
func (p Protection) Validate() error {
	set := 0
	for _, on := range []bool{p.Variance != 0, p.Base != 0, p.Suppress != 0} {
		if on {
			set++
		}
	}
	switch {
	case set > 1:
		return fmt.Errorf("publish: head counts are to be jittered, rounded and suppressed at once: want one of them")
	case p.Variance != 0 && (p.Reach < 1 || p.Reach > maxReach):
		return fmt.Errorf("publish: reach is %d, want the largest change of a count, from 1 to %d", p.Reach, maxReach)
	case p.Variance != 0 && !(p.Variance > 0 && p.Variance <= float64(p.Reach*(p.Reach+1))/3):
		return fmt.Errorf("publish: variance is %v, want more than 0 and at most reach·(reach+1)/3, which is %v", p.Variance, float64(p.Reach*(p.Reach+1))/3)
	case p.Base != 0 && p.Base != 3 && p.Base != 5:
		return fmt.Errorf("publish: base is %d, want 3 or 5", p.Base)
	case p.Suppress < 0:
		return fmt.Errorf("publish: minimum is %d, want a head count of 0 or more", p.Suppress)
	case (p.Variance != 0 || p.Base != 0 && !p.Nearest) && p.Key.IsZero():
		return fmt.Errorf("publish: no key to draw the noise of head counts from: use rng.NewSecret")
	}
	return nil
}

// Protected says what a protection did to the cells.
type Protected struct {
	Cells    int64 // of the jobs, before
	Changed  int64 // cells whose head count is another one, without those that vanished or were folded
	Vanished int64 // cells that a zero count made disappear
	Folded   int64 // cells folded into the row without level and field
	Hidden   int64 // employer-years below the minimum, of which no cell is published
	Workers  int64 // sum of head counts before
	After    int64 // sum of head counts published
}

func (p *Protected) add(q Protected) {
	p.Cells, p.Changed, p.Vanished, p.Folded = p.Cells+q.Cells, p.Changed+q.Changed, p.Vanished+q.Vanished, p.Folded+q.Folded
	p.Hidden, p.Workers, p.After = p.Hidden+q.Hidden, p.Workers+q.Workers, p.After+q.After
}

// Noise returns the variance of what a protection adds to a head count, on
// average over counts, and the largest change.
func (p Protection) Noise() (variance float64, reach int) {
	switch {
	case p.Variance != 0:
		return p.Variance, p.Reach
	case p.Base == 3 && p.Nearest:
		return 2.0 / 3, 1
	case p.Base == 5 && p.Nearest:
		return 2, 2
	case p.Base == 3: // r(3-r) over r = 0, 1, 2
		return 4.0 / 3, 2
	case p.Base == 5:
		return 4, 4
	}
	return 0, 0
}

// Perturbation returns, for a head count n >= 1, the chances of the changes
// -reach … reach: the law of largest entropy with mean zero and the variance
// wanted that leaves no count below zero (Marley and Leaver 2011). For n below
// the reach a variance that no such law has is replaced by 0.9·n·reach.
func Perturbation(n, reach int, variance float64) []float64 {
	least := -min(n, reach)
	variance = min(variance, 0.9*float64(-least*reach))
	law := func(a, b float64) (p []float64, mean, square float64) {
		p = make([]float64, 2*reach+1)
		top, sum := math.Inf(-1), 0.0
		for d := least; d <= reach; d++ {
			p[d+reach] = float64(a*float64(d)) + float64(b*float64(d*d))
			top = max(top, p[d+reach])
		}
		for d := least; d <= reach; d++ {
			p[d+reach] = math.Exp(p[d+reach] - top)
			sum += p[d+reach]
		}
		for d := least; d <= reach; d++ {
			p[d+reach] /= sum
			mean += float64(p[d+reach] * float64(d))
			square += float64(p[d+reach] * float64(d*d))
		}
		return p, mean, square
	}
	// The mean rises with a, and at mean zero the variance with b.
	centred := func(b float64) (p []float64, square float64) {
		low, high := -400.0, 400.0
		for range 100 {
			a := (low + high) / 2
			var mean float64
			if p, mean, square = law(a, b); mean < 0 {
				low = a
			} else {
				high = a
			}
		}
		return p, square
	}
	low, high := -60.0, 20.0
	var p []float64
	for range 100 {
		b := (low + high) / 2
		var square float64
		if p, square = centred(b); square < variance {
			low = b
		} else {
			high = b
		}
	}
	return p
}

// protector changes the head counts of one table.
type protector struct {
	Protection
	table [][]float64 // by count up to the reach: cumulated chances
	key   rng.Secret
	names []uint64 // hashes of the labels of units, of use where there are draws
	cells []uint64 // hashes of the labels of cells
}

func newProtector(p Protection, unit *frame.Dict, c *counter) *protector {
	out := &protector{Protection: p}
	if p.Variance == 0 && (p.Base == 0 || p.Nearest) {
		return out
	}
	out.key = p.Key.Derive("head counts of cells")
	for n := 1; n <= p.Reach; n++ {
		chances := Perturbation(n, p.Reach, p.Variance)
		sum := 0.0
		for i, x := range chances {
			sum += x
			chances[i] = sum
		}
		out.table = append(out.table, chances)
	}
	for _, l := range unit.Labels() {
		out.names = append(out.names, hash(l))
	}
	label := func(c *frame.Column, code int32) uint64 {
		if c == nil {
			return 1
		}
		return rng.Mix(2, hash(c.Dict.Label(code)))
	}
	for _, k := range c.cells {
		out.cells = append(out.cells, rng.Mix(label(c.level, k[0]), label(c.field, k[1])))
	}
	return out
}

func hash(label string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(label))
	return h.Sum64()
}

// change returns the published head count of a cell.
func (p *protector) change(n int32, unit, year, cell int32) int32 {
	if p.Base != 0 && p.Nearest {
		b := int32(p.Base) // odd, so that there are no halves
		return (n + b/2) / b * b
	}
	if p.Variance == 0 && p.Base == 0 {
		return n
	}
	u := p.key.Stream("cell", rng.Mix(rng.Mix(p.names[unit], uint64(int64(year))), p.cells[cell])).Float64()
	if p.Base != 0 {
		b := int32(p.Base)
		down := n / b * b
		if u*float64(b) < float64(n-down) {
			return down + b
		}
		return down
	}
	chances := p.table[min(int(n), p.Reach)-1]
	for i, c := range chances {
		if u < c {
			return n + int32(i-p.Reach)
		}
	}
	return n
}

// counted is one cell of a group and its head count.
type counted struct{ cell, n int32 }

// fold moves the cells below the minimum into cell 0, which has neither level
// nor field, and the next smallest ones until that has the minimum; where all
// of a group is below it, nothing is left. It returns the cells left.
func (p *protector) fold(cells []counted, tallies []tally, did *Protected) []counted {
	least := int32(p.Suppress)
	other, folds := int32(0), 0
	for i := range cells {
		if cells[i].n < least {
			folds++
		}
	}
	if folds == 0 {
		return cells
	}
	into := func(i int) {
		if k := cells[i].cell; k != 0 {
			t := &tallies[0]
			t.add(tallies[k])
			tallies[k] = tally{}
			did.Folded++
		}
		other += cells[i].n
		cells[i].n = 0
	}
	for i := range cells {
		if cells[i].cell == 0 || cells[i].n < least {
			into(i)
		}
	}
	for other < least {
		small := -1
		for i, c := range cells {
			if c.n > 0 && (small < 0 || c.n < cells[small].n) {
				small = i
			}
		}
		if small < 0 {
			break
		}
		into(small)
	}
	if other < least {
		tallies[0] = tally{}
		did.Hidden++
		return cells[:0]
	}
	left := []counted{{0, other}}
	for _, c := range cells {
		if c.n > 0 {
			left = append(left, c)
		}
	}
	return left
}

func (t *tally) add(o tally) {
	t.weight += o.weight
	t.wage.sum, t.wage.weight = t.wage.sum+o.wage.sum, t.wage.weight+o.wage.weight
	t.fte.sum, t.fte.weight = t.fte.sum+o.fte.sum, t.fte.weight+o.fte.weight
}
