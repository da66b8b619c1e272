package attack

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/publish"
)

// StackedCell is what an intruder who stacks the years believes of a cell.
type StackedCell struct {
	Serial, Year, Level, Field int32
	Released                   float64 // head count in the release
	Restored                   float64 // number of residents, those who belong there, that agrees best with all years
	Genuine                    float64 // chance that one of those listed belongs there; NaN where nobody is listed
}

// Stack undoes a scramble that is drawn anew every year by looking at all years
// of a serial at once: who belongs to a cell is listed there year after year, a
// stranger once. The head counts of a diploma are the chain of
// [StaffPaths.Search]; a forward-backward pass gives the chance of each number of
// residents in each year (METHODS 2.7), and the staff of the year, which is known,
// is dealt to the cells so that as many as can be expected are in the right one.
// How persistent a cell is comes from the release itself, since an
// employer who lost a welder hires one. Persistence takes the place of the rule
// that levels never fall, which needs persons: see [Ascend]. A swap that gives
// the same partner in all years is not undone: Restored is then the released
// count.
//
// Cells are those with a released or a restored head count, in the order of
// serial, year, level and field. Counts above a dozen are returned as released.
func (p *StaffPaths) Stack() []StackedCell {
	var cells []restored
	for _, d := range p.diplomas() {
		for v := p.visits[d]; len(v) > 0; {
			n := 1
			for n < len(v) && v[n].unit == v[0].unit {
				n++
			}
			cells = p.stack(cells, d, v[:n])
			v = v[n:]
		}
	}
	slices.SortFunc(cells, func(a, b restored) int {
		return cmp.Or(cmp.Compare(a.Serial, b.Serial), cmp.Compare(a.Year, b.Year), cmp.Compare(a.Level, b.Level), cmp.Compare(a.Field, b.Field))
	})
	for lo := 0; lo < len(cells); {
		hi := lo
		for hi < len(cells) && cells[hi].Serial == cells[lo].Serial && cells[hi].Year == cells[lo].Year {
			hi++
		}
		deal(cells[lo:hi])
		lo = hi
	}
	out := make([]StackedCell, 0, len(cells))
	for _, c := range cells {
		if c.Released > 0 || c.Restored > 0 {
			out = append(out, c.StackedCell)
		}
	}
	return out
}

// restored is a cell with the chances that it has at least 1, 2 … residents.
type restored struct {
	StackedCell
	atLeast []float64
}

// deal gives the staff of one serial and year to its cells: each next resident
// to the cell that likeliest has one more.
func deal(cells []restored) {
	type seat struct {
		chance float64
		cell   int
	}
	var seats []seat
	staff := 0
	for i, c := range cells {
		staff += int(c.Released)
		for _, p := range c.atLeast {
			seats = append(seats, seat{p, i})
		}
	}
	slices.SortStableFunc(seats, func(a, b seat) int { return cmp.Compare(b.chance, a.chance) })
	for _, s := range seats[:min(staff, len(seats))] {
		cells[s.cell].Restored++
	}
}

// stack adds the cells of one diploma at one unit.
func (p *StaffPaths) stack(to []restored, d diploma, v []visit) []restored {
	u := v[0].unit
	counts := make([]int, len(p.years))
	highest := 0
	for _, x := range v {
		counts[x.slot] = int(x.n)
		highest = max(highest, counts[x.slot])
	}
	for lo := 0; lo < len(counts); {
		hi, expected := lo, 0.0
		for hi < len(counts) && p.staff[u][hi] > 0 {
			expected += float64(p.share[d] * p.staff[u][hi])
			hi++
		}
		if hi == lo {
			lo++
			continue
		}
		var c *chain
		if highest <= mostResidents && p.lasting == 1 {
			c = p.chain(expected/float64(hi-lo), highest, p.persist)
		}
		for s, x := range p.smooth(c, counts[lo:hi], p.share[d]) {
			if x.Released = float64(counts[lo+s]); x.Released > 0 || len(x.atLeast) > 0 {
				x.Serial, x.Year, x.Level, x.Field = p.serials[u], p.years[lo+s], d.level, d.field
				to = append(to, x)
			}
		}
		lo = hi
	}
	return to
}

// smooth restores the cells of a run of years; without a chain, of many people
// or under a swap that lasts, they are taken as they stand.
func (p *StaffPaths) smooth(c *chain, counts []int, share float64) []restored {
	out := make([]restored, len(counts))
	if c != nil {
		chances, genuine := c.smooth(counts)
		for t := range out {
			out[t].atLeast, out[t].Genuine = chances[t], genuine[t]
		}
		return out
	}
	right := float64(p.lasting * p.yearly)
	for t, n := range counts {
		out[t].Genuine = right + float64((1-right)*share)
		// Strangers come as others go: the count is right up to their number.
		sd := math.Sqrt(2*float64(n)*(1-right)) + 1e-9
		for k := 1; k <= n+int(2*sd); k++ {
			if p.lasting < 1 && k > n {
				break
			}
			chance := math.Erfc((float64(k)-0.5-float64(n))/(sd*math.Sqrt2)) / 2
			if p.lasting < 1 {
				chance = 1
			}
			out[t].atLeast = append(out[t].atLeast, chance)
		}
	}
	return out
}

// smooth returns the chances of at least 1, 2 … residents in each year given all
// head counts, and the expected share of those listed who are residents.
func (c *chain) smooth(counts []int) (atLeast [][]float64, genuine []float64) {
	size := c.most + 1
	type weights = [mostResidents + 3]float64
	forward, backward := make([]weights, len(counts)), make([]weights, len(counts))
	for t, n := range counts {
		if t == 0 {
			forward[t] = c.first
		} else {
			for from, w := range forward[t-1][:size] {
				for to, s := range c.step[from][:size] {
					forward[t][to] += float64(w * s)
				}
			}
		}
		total := 0.0
		for m := range size {
			forward[t][m] *= c.emit[n][m]
			total += forward[t][m]
		}
		for m := range size {
			forward[t][m] /= total
		}
	}
	for t := len(counts) - 1; t >= 0; t-- {
		if t == len(counts)-1 {
			for m := range size {
				backward[t][m] = 1
			}
			continue
		}
		total := 0.0
		for from := range size {
			for to, s := range c.step[from][:size] {
				backward[t][from] += float64(s * c.emit[counts[t+1]][to] * backward[t+1][to])
			}
			total += backward[t][from]
		}
		for m := range size {
			backward[t][m] /= total
		}
	}
	atLeast, genuine = make([][]float64, len(counts)), make([]float64, len(counts))
	for t, n := range counts {
		var w weights
		total, listed := 0.0, 0.0
		for m := range size {
			w[m] = float64(forward[t][m] * backward[t][m])
			total += w[m]
			listed += float64(w[m] * c.rightly(m, n))
		}
		above := total
		for m := range size - 1 {
			if above -= w[m]; above < 0.02*total {
				break
			}
			atLeast[t] = append(atLeast[t], above/total)
		}
		genuine[t] = math.NaN()
		if n > 0 {
			genuine[t] = listed / total / float64(n)
		}
	}
	return atLeast, genuine
}

// rightly is the expected number of residents among n listed if there are m.
func (c *chain) rightly(m, n int) float64 {
	right, total := 0.0, 0.0
	for j := 0; j <= min(m, n); j++ {
		w := float64(c.right[m][j] * c.others[n-j])
		total += w
		right += float64(w * float64(j))
	}
	if total == 0 {
		return 0
	}
	return right / total
}

// GuessCells is how many of an employer's staff an intruder without the release
// puts in each of the diplomas with these shares of the pool, so that as many as
// can be expected are in the right one: each next person where the chance is
// largest that one more is there, the staff being independent draws. It is the
// baseline of [StaffPaths.Stack]. Beyond 200 people the expectations are close
// enough.
func GuessCells(staff int, shares []float64) []float64 {
	out := make([]float64, len(shares))
	if staff > 200 {
		for d, q := range shares {
			out[d] = float64(float64(staff) * q)
		}
		return out
	}
	// chance[d] is that of more than out[d] people; some[d] that of exactly so many.
	chance, some := make([]float64, len(shares)), make([]float64, len(shares))
	for d, q := range shares {
		some[d] = math.Pow(1-q, float64(staff))
		chance[d] = 1 - some[d]
	}
	for range staff {
		best := 0
		for d := range chance {
			if chance[d] > chance[best] {
				best = d
			}
		}
		if len(chance) == 0 {
			break
		}
		k, q := out[best], shares[best]
		some[best] *= (float64(staff) - k) / (k + 1) * q / max(1e-12, 1-q)
		chance[best] -= some[best]
		out[best]++
	}
	return out
}

// StackedDisclosure is [CellDisclosure] by an intruder who stacked the years: he
// trusts a cell as much as its years speak for it, and where the cell of the
// year is missing or doubtful he reads that of a year nearby, the more so the
// nearer. stacked are the cells of [StaffPaths.Stack] of the same release.
func StackedDisclosure(r Release, knowledge string, serialOf func(employer, year int32) (serial int32, ok bool), targets []Target, stacked []StackedCell, prior *Prior) ([]WorkerClaim, error) {
	if r.SerialPerYear || !r.Periods {
		return nil, fmt.Errorf("attack: a release whose serials have one year each has no years to stack")
	}
	out, err := CellDisclosure(r, knowledge, serialOf, targets, prior)
	if err != nil {
		return nil, err
	}
	genuine := make(map[cellKey]float64, len(stacked))
	for _, c := range stacked {
		if c.Released > 0 {
			genuine[cellKey{c.Serial, c.Year, c.Level, c.Field}] = c.Genuine
		}
	}
	cells, pool := indexCells(r)
	wages := classesOf(r.Tables.Cells.Col(publish.WageClass).Dict, false)
	// How far he looks, and the trust left with every year: the person may not
	// have been there yet, and the wage was another.
	const years, away = 3, 0.65
	usual := r.Method.share() * (1 - r.Method.displaced(knowledge))
	for i, t := range targets {
		if out[i].Serial < 0 {
			continue
		}
		var best cellAt
		trust := 0.0
		for dt := int32(-years); dt <= years; dt++ {
			k := cellKey{out[i].Serial, t.Year + dt, t.Level, t.Field}
			c, found := cells[k]
			g, known := genuine[k]
			if !found || !known || c.wage < 0 {
				continue
			}
			v := g * math.Pow(away, math.Abs(float64(dt)))
			if dt == 0 {
				v = max(v, usual) // he works there: the cell is no less his than any
			}
			// A cell of many says less of one of them than its trust promises.
			if v/math.Sqrt(c.n) > trust {
				best, trust = c, v/math.Sqrt(c.n)
			}
		}
		if trust == 0 {
			continue
		}
		stay := min(1, trust*math.Sqrt(best.n))
		best.n = max(min(best.n, 1), best.n-float64(r.Method.CountReach))
		post := inCell(prior.WageClass(t.Level, t.Field, t.Sector), pool, wages, best, stay)
		out[i].Found, out[i].CellSize, out[i].WageClass = true, best.n, mode(post)
		out[i].Confidence = post[out[i].WageClass]
	}
	return out, nil
}
