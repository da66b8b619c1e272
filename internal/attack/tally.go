package attack

import (
	"cmp"
	"math"
	"slices"

	"scramblelab/internal/rng"
)

// tally adds up the likelihoods of the candidates of one serial as they come,
// relative to the best so far.
type tally struct {
	serial       int32
	employer     []int32 // by candidate
	max          int     // of list
	slack        float64 // a pair further than this behind all pairs together is given up
	pow          *powers
	best         float64
	limit        float64 // log likelihood below which pairs are given up
	mass, moment float64 // Σ e^d and Σ d·e^d, d = log likelihood - best
	raise        float64 // mass at which the limit is raised
	ties, kept   int
	list         []ranked
	worst        float64 // log likelihood that the list asks for
}

func (t *tally) reset(serial int32) {
	t.serial, t.best, t.limit, t.worst = serial, math.Inf(-1), math.Inf(-1), math.Inf(-1)
	t.mass, t.moment, t.ties, t.kept, t.list = 0, 0, 0, 0, t.list[:0]
}

// add counts a candidate.
func (t *tally) add(ll float64, candidate int32) {
	t.weigh(ll, 1)
	if ll >= t.worst {
		t.offer(ll, candidate)
	}
}

// weigh counts n candidates that are equally likely.
func (t *tally) weigh(ll float64, n int) {
	d := ll - t.best
	if d > 0 {
		// Everything so far moves away from the new best.
		if t.mass > 0 {
			e := t.pow.exp(-d)
			t.moment = e * (t.moment - float64(d*t.mass))
			t.mass *= e
		}
		t.best, t.ties, d, t.raise = ll, 0, 0, 0
	}
	e := t.pow.exp(d) * float64(n)
	t.mass += e
	t.moment += float64(e * d)
	if t.mass >= t.raise {
		// What is there only grows, so that what is given up stays small beside it.
		t.limit, t.raise = t.best+math.Log(t.mass)-t.slack, 1.25*t.mass
	}
	if d == 0 {
		t.ties += n
	}
	t.kept += n
}

func (t *tally) offer(ll float64, candidate int32) {
	e := t.employer[candidate]
	t.list = append(t.list, ranked{ll, rng.Mix(uint64(uint32(t.serial)), uint64(uint32(e))), e})
	if len(t.list) >= 2*t.max {
		t.cut()
		t.worst = t.list[len(t.list)-1].ll
	}
}

func (t *tally) cut() {
	slices.SortFunc(t.list, byRank)
	t.list = t.list[:min(len(t.list), t.max)]
}

// sum turns the tally into posterior, anonymity set and the list of best
// candidates.
func (t *tally) sum(out *Unit) {
	t.cut()
	// The first ones came before there was a limit.
	for len(t.list) > 1 && t.list[len(t.list)-1].ll < t.limit {
		t.list = t.list[:len(t.list)-1]
	}
	out.Ties, out.Kept = t.ties, t.kept
	out.Candidates = make([]Candidate, len(t.list))
	listed := 0.0
	for i, r := range t.list {
		e := t.pow.exp(r.ll - t.best)
		listed += e
		out.Candidates[i] = Candidate{r.employer, r.ll, e / t.mass}
	}
	out.elsewhere = max(0, t.mass-listed)
	if out.elsewhere < 1e-12*t.mass || len(t.list) < t.max {
		out.elsewhere = 0
	}
	out.AnonymitySet = math.Exp(math.Log(t.mass) - t.moment/t.mass)
}

type ranked struct {
	ll       float64
	hash     uint64
	employer int32
}

func byRank(a, b ranked) int {
	if c := cmp.Compare(b.ll, a.ll); c != 0 {
		return c
	}
	return cmp.Compare(a.hash, b.hash)
}

// powers are 2^(k/256), as bits. They make an exponential that is right to
// 1e-13 and takes a third of the time of math.Exp.
type powers [256]uint64

func newPowers() *powers {
	p := &powers{}
	for k := range p {
		p[k] = math.Float64bits(math.Exp2(float64(k) / 256))
	}
	return p
}

// exp is e^x for x <= 0.
func (p *powers) exp(x float64) float64 {
	if !(x > -700) {
		return math.Exp(x)
	}
	const step = math.Ln2 / 256
	k := int64(x * (1 / step))
	r := x - float64(float64(k)*step) // in (-step, 0]: the series ends at r^5/120 < 2e-15
	s := 1 + r*(1+float64(r*(1.0/2+float64(r*(1.0/6+float64(r*(1.0/24)))))))
	return math.Float64frombits(p[k&255]+uint64(k>>8)<<52) * s
}
