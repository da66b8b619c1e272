package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// lives says how employers enter, grow, age and exit, so that the size law
// stays what it is although entrants are small, the young grow and exit more,
// and sizes diffuse. Every year an employer exits with a hazard by size and
// age, drifts while it is young, takes a Laplace step (tent-shaped growth
// rates, Stanley et al. 1996; Bottazzi and Secchi), and moves along the one
// increasing map that carries the sizes of survivors to those the law wants
// beside the entrants. The map is computed on a grid of log sizes by iterating
// the population to its steady state; it is close to the identity.
type lives struct {
	law   *sizeLaw
	exits calibration.Exits
	entry calibration.Entrants

	low, step float64   // of the grid of log sizes
	shift     []float64 // by grid edge: log size after the map less that before
	ages      [][]float64
	scale     float64 // factor on hazards by age, so that hazards by size are means over ages
	entryMass []float64
	// Entry and Exit are the steady shares of employers that enter and exit.
	entryRate, exitRate float64
}

const (
	gridCells   = 180
	growRounds  = 40 // years after which the age structure stands still to three digits
	adultFrom   = len(calibration.Exits{}.ByAge) - 1
	narrowTails = 9.0 // Laplace scales after which a step is cut off on the grid
)

// newLives solves for the map; growth is the yearly growth of the number of
// employers.
func newLives(law *sizeLaw, c *calibration.Figures) *lives {
	v := &lives{law: law, exits: c.Exits, entry: c.Entrants, low: math.Log(law.bounds[0])}
	v.step = (math.Log(law.cap()) - v.low) / gridCells
	v.entryMass = cumulate(c.Entrants.Shares[:min(len(law.mass), len(c.Entrants.Shares))])
	g := newGrid(v, c)
	for range growRounds {
		g.pass()
	}
	v.shift, v.entryRate, v.exitRate, v.scale = g.shift, g.entry, g.exit, g.scale
	v.ages = make([][]float64, gridCells)
	for k := range v.ages {
		w := make([]float64, len(g.mass))
		for a := range g.mass {
			w[a] = g.mass[a][k] + 1e-15
		}
		v.ages[k] = cumulate(w)
	}
	return v
}

func (v *lives) cell(logS float64) int {
	return max(0, min(gridCells-1, int((logS-v.low)/v.step)))
}

// hazard is the chance that an employer of that size and age exits in a year.
func (v *lives) hazard(s float64, age int) float64 {
	return min(.9, v.scale*v.exits.ByAge[min(age, adultFrom)]*v.exits.Hazard[v.law.class(s)])
}

// grow moves a latent size by one year.
func (v *lives) grow(s float64, age int, r *rng.Stream) float64 {
	logS := math.Log(s)
	return math.Exp(v.carry(v.reflect(logS + v.drift(logS, age) + r.Laplace(v.law.spread(logS)))))
}

// drift is the mean log growth of the young beyond that of the old: it falls
// with age and rises with size (Geurts and Van Biesebroeck 2014).
func (v *lives) drift(logS float64, age int) float64 {
	if age >= len(v.entry.Growth) {
		return 0
	}
	return v.entry.Growth[age] * (1 + float64(v.entry.GrowthBySize*logS))
}

// reflect keeps a log size on the grid.
func (v *lives) reflect(x float64) float64 {
	high := v.low + gridCells*v.step
	if x < v.low {
		x = 2*v.low - x
	}
	if x > high {
		x = 2*high - x
	}
	return max(v.low, min(high, x))
}

// carry applies the map to a log size.
func (v *lives) carry(x float64) float64 {
	at := (x - v.low) / v.step
	k := max(0, min(gridCells-1, int(at)))
	f := at - float64(k)
	return max(v.low, min(v.low+gridCells*v.step, x+float64((1-f)*v.shift[k])+float64(f*v.shift[k+1])))
}

// entrant draws the size of a new employer.
func (v *lives) entrant(r *rng.Stream) float64 {
	return v.law.within(pick(v.entryMass, r.Float64()), r.Float64())
}

// age draws the age of an employer of that size in the steady state; from
// adultFrom years on, mean further years.
func (v *lives) age(s, mean float64, r *rng.Stream) int {
	a := pick(v.ages[v.cell(math.Log(s))], r.Float64())
	if more := r.Exp(); a == adultFrom {
		a += int(min(120, more*mean))
	}
	return a
}

// grid is a population of employers by age and cell of log size, with total
// mass one, that is moved year by year.
type grid struct {
	v                         *lives
	growth                    float64
	want, births, hazard, mid []float64
	kernel                    [][]float64 // cell: shares of the cells from reach below on
	from                      []int
	mergers                   []float64 // by cell: mean log growth by taking others over
	mass                      [][]float64
	shift                     []float64
	entry, exit, scale        float64
}

func newGrid(v *lives, c *calibration.Figures) *grid {
	g := &grid{v: v, growth: c.Size.Growth, scale: 1, shift: make([]float64, gridCells+1)}
	edge := func(k int) float64 { return v.low + float64(k)*v.step }
	last, lastBirth := 0.0, 0.0
	total := v.entryMass[len(v.entryMass)-1]
	for k := range gridCells {
		s := math.Exp(edge(k + 1))
		p, b := v.law.below(s), 0.0
		if c := v.law.class(s); c >= len(v.entryMass) {
			b = 1
		} else {
			inside := (math.Pow(v.law.bounds[c], -v.law.alpha[c]) - math.Pow(s, -v.law.alpha[c])) / v.law.span[c]
			b = v.entryMass[c] / total * min(1, inside)
			if c > 0 {
				b = (v.entryMass[c-1] + (v.entryMass[c]-v.entryMass[c-1])*min(1, inside)) / total
			}
		}
		if k == gridCells-1 {
			p, b = 1, 1
		}
		m := edge(k) + v.step/2
		g.want, g.births, g.mid = append(g.want, p-last), append(g.births, b-lastBirth), append(g.mid, m)
		g.hazard = append(g.hazard, v.exits.Hazard[v.law.class(math.Exp(m))])
		last, lastBirth = p, b
	}
	for k := range gridCells {
		g.addKernel(k)
	}
	g.addMergers(c)
	g.mass = make([][]float64, adultFrom+1)
	for a := range g.mass {
		g.mass[a] = make([]float64, gridCells)
		for k := range g.mass[a] {
			g.mass[a][k] = g.want[k] * .05
			if a == adultFrom {
				g.mass[a][k] = g.want[k] * (1 - .05*float64(adultFrom))
			}
		}
	}
	return g
}

// addKernel spreads the mass of cell k by a Laplace step, reflected at the ends.
func (g *grid) addKernel(k int) {
	v := g.v
	b := v.law.spread(g.mid[k]) / math.Sqrt2
	cdf := func(x float64) float64 {
		if x < 0 {
			return math.Exp(x/b) / 2
		}
		return 1 - math.Exp(-x/b)/2
	}
	reach := int(narrowTails*b/v.step) + 1
	lo, hi := max(0, k-reach), min(gridCells-1, k+reach)
	row := make([]float64, hi-lo+1)
	for j := -reach; j <= reach; j++ {
		p := cdf((float64(j)+.5)*v.step) - cdf((float64(j)-.5)*v.step)
		at := k + j
		if at < 0 {
			at = -at - 1
		}
		if at >= gridCells {
			at = 2*gridCells - 1 - at
		}
		row[max(0, min(len(row)-1, at-lo))] += p
	}
	sum := 0.0
	for _, p := range row {
		sum += p
	}
	for i := range row {
		row[i] /= sum
	}
	g.kernel, g.from = append(g.kernel, row), append(g.from, lo)
}

// addMergers finds the mean log growth of those who take others over, who are
// no smaller than these and drawn in proportion to a power of their size.
func (g *grid) addMergers(c *calibration.Figures) {
	g.mergers = make([]float64, gridCells)
	weight, above := make([]float64, gridCells), make([]float64, gridCells+1)
	for k := gridCells - 1; k >= 0; k-- {
		weight[k] = math.Exp(c.Takeovers.Attach * g.mid[k])
		above[k] = above[k+1] + g.want[k]*weight[k]
	}
	for j := range gridCells {
		absorbed := g.want[j] * g.hazard[j] * c.Exits.Absorbed[g.v.law.class(math.Exp(g.mid[j]))]
		for k := j; k < gridCells; k++ {
			g.mergers[k] += absorbed * weight[k] / above[j] * math.Log1p(math.Exp(g.mid[j]-g.mid[k]))
		}
	}
}

// pass moves the population by a year and fits the map anew.
func (g *grid) pass() {
	moved := make([][]float64, len(g.mass))
	survivors, weighted, plain := 0.0, 0.0, 0.0
	for a, m := range g.mass {
		for k, x := range m {
			weighted += x * g.hazard[k] * g.v.exits.ByAge[a]
			plain += x * g.hazard[k]
		}
	}
	g.scale = plain / weighted
	for a, m := range g.mass {
		moved[a] = make([]float64, gridCells)
		for k, x := range m {
			left := x * (1 - min(.9, g.scale*g.v.exits.ByAge[a]*g.hazard[k]))
			survivors += left
			drift := (g.v.drift(g.mid[k], a) + g.mergers[k]) / g.v.step
			whole := math.Floor(drift)
			for i, w := range [2]float64{1 - (drift - whole), drift - whole} {
				if w == 0 {
					continue
				}
				at := max(0, min(gridCells-1, k+int(whole)+i))
				for j, p := range g.kernel[at] {
					moved[a][g.from[at]+j] += left * w * p
				}
			}
		}
	}
	total := 1 + g.growth
	g.exit, g.entry = 1-survivors, total-survivors
	g.fit(moved, survivors, total)
	next := make([][]float64, len(g.mass))
	for a := range next {
		next[a] = make([]float64, gridCells)
	}
	for k := range gridCells {
		next[0][k] = g.births[k] * g.entry / total
	}
	for a := range moved {
		g.carry(moved[a], next[min(a+1, adultFrom)], 1/total)
	}
	g.mass = next
}

// fit finds the map from the survivors' sizes to those wanted of them.
func (g *grid) fit(moved [][]float64, survivors, total float64) {
	have, want := make([]float64, gridCells+1), make([]float64, gridCells+1)
	for k := range gridCells {
		h := 0.0
		for a := range moved {
			h += moved[a][k]
		}
		have[k+1] = have[k] + h/survivors
		want[k+1] = want[k] + max(1e-12, total*g.want[k]-g.entry*g.births[k])/survivors
	}
	for k := range want {
		want[k] /= want[gridCells]
		have[k] = min(1, have[k])
	}
	j := 0
	for k := 1; k < gridCells; k++ {
		// By shares above in the upper half, where those below are close to one.
		for j < gridCells-1 && want[j+1] < have[k] {
			j++
		}
		f := (have[k] - want[j]) / (want[j+1] - want[j])
		g.shift[k] = (float64(j) + max(0, min(1, f)) - float64(k)) * g.v.step
	}
}

// carry adds factor times the mass from, moved by the map, to into.
func (g *grid) carry(from, into []float64, factor float64) {
	for k, x := range from {
		if x == 0 {
			continue
		}
		lo := float64(k) + g.shift[k]/g.v.step
		hi := float64(k+1) + g.shift[k+1]/g.v.step
		if hi-lo < 1e-9 {
			hi = lo + 1e-9
		}
		for c := max(0, int(lo)); c < gridCells && float64(c) < hi; c++ {
			part := min(hi, float64(c+1)) - max(lo, float64(c))
			into[c] += factor * x * part / (hi - lo)
		}
	}
}
