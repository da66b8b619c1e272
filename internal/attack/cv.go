package attack

import (
	"context"
	"fmt"
	"math"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// CVOptions say how an intruder searches with CVs.
type CVOptions struct {
	Known     []int   // how many CVs of each target are used: one search each
	Miscoding float64 // share of the CVs whose diploma is coded otherwise in the register, in [0, 1)
	Selection int     // employers among which the fragment was drawn, at least the serials released
}

// CVFind is what a search with some CVs of one employer says.
type CVFind struct {
	Serial    int32   // the likeliest; one of the equally likely, drawn by hash
	Posterior float64 // of that serial, the employer may be outside the fragment
	Inside    float64 // log likelihood ratio of the employer being in the fragment
	Ties      int     // serials that are equally likely
}

// doubt is the share of CVs that the intruder always takes for miscoded: people
// earn a diploma after they were hired.
const doubt = 0.02

// Search looks for the serial of every target by the CVs of its staff, and
// returns the finds by number of CVs known and by target. A target with fewer
// CVs is searched with those that it has.
//
// The head counts of a diploma at one employer over the years are taken for a
// chain of residents of whom a fifth leaves every year and newcomers who are Poisson;
// a swap hides some of them and lists others instead. The evidence for an
// employer is how much likelier its head counts are with the person of the CV
// among the residents during the spell, by a forward pass over the hidden number
// of the others; the CVs of an employer multiply (naive Bayes). In a single year
// without a swap it is n/λ, λ the expected head count.
func (p *StaffPaths) Search(ctx context.Context, targets []CVTarget, o CVOptions) ([][]CVFind, error) {
	if !(o.Miscoding >= 0 && o.Miscoding < 1) || len(o.Known) == 0 || o.Selection < len(p.serials) {
		return nil, fmt.Errorf("attack: search with %v CVs, miscoding %v, a selection of %d for %d serials: want numbers of CVs, a share below 1 and a selection that holds the fragment", o.Known, o.Miscoding, o.Selection, len(p.serials))
	}
	out := make([][]CVFind, len(o.Known))
	for i := range out {
		out[i] = make([]CVFind, len(targets))
	}
	err := par.Do(ctx, len(targets), func(t int) error {
		log := make([]float64, len(p.serials))
		known := 0
		for done := false; !done; {
			done = true
			for i, k := range o.Known {
				if k == known || known == len(targets[t].CVs) && k > known {
					out[i][t] = p.find(log, t, o.Selection)
				}
				done = done && k <= known
			}
			if known == len(targets[t].CVs) {
				break
			}
			p.weigh(targets[t].CVs[known], max(doubt, o.Miscoding), log)
			known++
		}
		return nil
	})
	return out, err
}

// weigh adds the log evidence of one CV for every serial.
func (p *StaffPaths) weigh(c CV, miscoding float64, to []float64) {
	first, last := len(p.years), -1
	for s, y := range p.years {
		if y >= c.Start && y <= c.End {
			first, last = min(first, s), s
		}
	}
	if last < 0 {
		return // outside the years released: no evidence
	}
	absent := (1 - p.lasting) + p.lasting*math.Pow(1-p.yearly, float64(last-first+1))
	nobody := math.Log((1-miscoding)*absent + miscoding)
	for u := range to {
		to[u] += nobody
		for s := first; s <= last; s++ {
			if p.staff[u][s] == 0 {
				to[u] += closed - nobody
				break
			}
		}
	}
	d := diploma{c.Level, c.Field}
	path := make([]float64, len(p.years))
	for v := p.visits[d]; len(v) > 0; {
		u := v[0].unit
		clear(path)
		there := false
		for len(v) > 0 && v[0].unit == u {
			path[v[0].slot] = v[0].n
			there = there || int(v[0].slot) >= first && int(v[0].slot) <= last
			v = v[1:]
		}
		open := true
		for s := first; s <= last; s++ {
			open = open && p.staff[u][s] > 0
		}
		if there && open {
			ratio := (1 - p.lasting) + float64(p.lasting*p.evidence(path, p.staff[u], p.share[d], first, last))
			to[u] += math.Log(float64((1-miscoding)*ratio)+miscoding) - nobody
		}
	}
}

// closed is the log evidence of a serial without staff in a year in which the
// CV says that somebody worked there.
const closed = -12

// evidence is how much likelier a path of head counts is if the person works
// there from slot first to slot last. Years beyond the one before and the one
// after tell nothing of him.
func (p *StaffPaths) evidence(path, staff []float64, share float64, first, last int) float64 {
	lo, hi := first, last
	if lo > 0 && staff[lo-1] > 0 {
		lo--
	}
	if hi+1 < len(staff) && staff[hi+1] > 0 {
		hi++
	}
	var space [3][32]int
	counts, extra, none := space[0][:0], space[1][:0], space[2][:0]
	for range hi - lo + 1 {
		counts, extra, none = append(counts, 0), append(extra, 0), append(none, 0)
	}
	highest, expected := 0, 0.0
	for t := range counts {
		counts[t] = int(path[lo+t])
		highest = max(highest, counts[t])
		expected += share * staff[lo+t] / float64(len(counts))
		if lo+t >= first && lo+t <= last {
			extra[t] = 1
		}
	}
	if highest > mostResidents {
		n := 0.0
		for _, c := range counts {
			n += float64(c) / float64(len(counts))
		}
		return float64(p.yearly*n/expected) + 1 - p.yearly
	}
	c := p.chain(expected, highest, 1-turnover)
	return c.likelihood(counts, extra) / c.likelihood(counts, none)
}

// chain returns the chain of an expected head count to within 5 %, made once.
func (p *StaffPaths) chain(expected float64, highest int, retain float64) *chain {
	k := chainKey{int(math.Round(10 * math.Log(max(1e-7, expected)))), highest, retain}
	p.lock.Lock()
	defer p.lock.Unlock()
	c := p.chains[k]
	if c == nil {
		c = newChain(math.Exp(float64(k.expected)/10), retain, p.yearly, p.swapped, highest)
		p.chains[k] = c
	}
	return c
}

type chainKey struct {
	expected, highest int
	retain            float64
}

// find sums the evidence up.
func (p *StaffPaths) find(log []float64, target, selection int) CVFind {
	f := CVFind{Serial: -1, Inside: math.Inf(-1)}
	if len(log) == 0 {
		return f
	}
	best, hash := math.Inf(-1), uint64(0)
	for _, l := range log {
		best = max(best, l)
	}
	mass := 0.0
	for u, l := range log {
		mass += math.Exp(l - best)
		if l < best-1e-9 {
			continue
		}
		f.Ties++
		if h := rng.Mix(uint64(target), uint64(uint32(p.serials[u]))); f.Serial < 0 || h < hash {
			f.Serial, hash = p.serials[u], h
		}
	}
	outside := float64(selection - len(log))
	f.Posterior = 1 / (mass + float64(outside*math.Exp(-best)))
	f.Inside = best + math.Log(mass/float64(len(log)))
	return f
}

// CVKnown lists how many CVs the presets cv-1, cv-3 and cv-5 know of an
// employer, in ascending order.
func CVKnown() []int { return []int{1, 3, 5} }

// StaffAdversaries names the intruders who know people and not accounts. They
// are always tried, whether a plan names them or not.
func StaffAdversaries() []string {
	out := []string{"colleague", "neighbour"}
	for _, k := range CVKnown() {
		out = append(out, fmt.Sprintf("cv-%d", k))
	}
	return out
}
