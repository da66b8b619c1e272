package attack

import "math"

// chain is how the released head count of one diploma at one employer comes
// about, year by year: who has the diploma stays with probability retain,
// newcomers are Poisson; each of them is listed with probability listed, and a
// swap lists Poisson(noise) others in their place. The number of residents is
// hidden, the head count is seen.
type chain struct {
	most   int                          // residents that are considered
	right  [mostResidents + 4][]float64 // [residents][listed rightly]
	others []float64                    // listed in the place of others, P(0), P(1) …, scaled
	first  [mostResidents + 3]float64
	step   [mostResidents + 3][mostResidents + 3]float64 // [before][after]
	emit   [mostResidents + 1][mostResidents + 4]float64 // [head count][residents]
}

// mostResidents is the largest head count for which the chain is worth its
// time: where more people share a diploma one of them hardly shows.
const mostResidents = 12

// newChain makes the chain of a diploma of which expected are listed, a share
// swapped of them by a swap, for head counts up to highest.
func newChain(expected, retain, listed, swapped float64, highest int) *chain {
	expected = max(1e-7, expected)
	residents, noise := expected*(1-swapped)/max(1e-9, listed), float64(expected*swapped)
	c := &chain{most: highest + 2}
	in := max(1e-12, residents*(1-retain))
	copy(c.first[:], poissonMass(residents, c.most+1))
	for m := 0; m <= c.most; m++ {
		for n := 0; n <= c.most; n++ {
			c.step[m][n] = stepMass(float64(m), float64(n), retain, in)
		}
	}
	c.others = poissonMass(noise, highest+1)
	for m := 0; m <= c.most+1; m++ {
		c.right[m] = binomialMass(m, listed)
		for n := 0; n <= highest; n++ {
			for j := 0; j <= min(m, n); j++ {
				c.emit[n][m] += float64(c.right[m][j] * c.others[n-j])
			}
		}
	}
	return c
}

// likelihood is the probability of the head counts if extra[t] residents are
// known to be there beside the others, up to a factor that does not depend on
// extra.
func (c *chain) likelihood(counts, extra []int) float64 {
	now := c.first
	for t, n := range counts {
		if t > 0 {
			var next [mostResidents + 3]float64
			for from, w := range now[:c.most+1] {
				for to, p := range c.step[from][:c.most+1] {
					next[to] += float64(w * p)
				}
			}
			now = next
		}
		for m, p := range c.emit[n][extra[t] : extra[t]+c.most+1] {
			now[m] *= p
		}
	}
	return sum(now[:c.most+1])
}

// stepMass is P(Binomial(m, r) + Poisson(in) = n) times e^in.
func stepMass(m, n, r, in float64) float64 {
	// The term j of survivors, from j = 0: (1-r)^m · in^n/n!.
	term := math.Pow(1-r, m)
	for k := 1.0; k <= n; k++ {
		term *= in / k
	}
	total := term
	for j := 1.0; j <= min(m, n); j++ {
		term *= (m - j + 1) / j * r / (1 - r) * (n - j + 1) / in
		total += term
	}
	return total
}

// poissonMass returns P(0) … P(n-1) times e^mean.
func poissonMass(mean float64, n int) []float64 {
	out := make([]float64, n)
	p := 1.0
	for k := range out {
		out[k] = p
		p *= mean / float64(k+1)
	}
	return out
}

func binomialMass(n int, p float64) []float64 {
	out := make([]float64, n+1)
	for k := range out {
		out[k] = math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
		for j := range k {
			out[k] *= float64(n-j) / float64(j+1)
		}
	}
	return out
}
