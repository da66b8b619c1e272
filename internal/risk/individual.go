package risk

import (
	"fmt"
	"math"
)

// Individual is the risk of one record of a sample of which f match its key and
// whose weights sum to weight, an estimate of the matching population
// (Benedetti and Franconi 1998): the mean of 1/F when F - f is negative binomial
// with p = f/weight,
//
//	r(1) = p/(1-p)·ln(1/p),  r(f) = p/((1-p)(f-1)) - p/(1-p)·r(f-1)
//
// which is (p^f/f)·2F1(f, f; f+1; 1-p). Where weight = f the file is the
// population and the risk 1/f.
func Individual(f int, weight float64) (float64, error) {
	p, known, err := share(f, weight)
	if err != nil || known {
		return p, err
	}
	q := 1 - p
	if p > 0.4 {
		// The recursion loses digits where p/(1-p) is not small; the series of
		// negative binomial probabilities over their size converges fast here.
		term := math.Pow(p, float64(f))
		r := 0.0
		for h := f; term/float64(h) > 1e-18; h++ {
			r += term / float64(h)
			term *= q * float64(h) / float64(h-f+1)
		}
		return r, nil
	}
	r := p / q * math.Log(1/p)
	for k := 2; k <= f; k++ {
		r = p/(q*float64(k-1)) - float64(p/q*r)
	}
	return r, nil
}

// IndividualApprox is [Individual] with p/(f-(1-p)) from three matching records
// on, as sdcMicro and μ-Argus compute it.
func IndividualApprox(f int, weight float64) (float64, error) {
	if f <= 2 {
		return Individual(f, weight)
	}
	p, known, err := share(f, weight)
	if err != nil || known {
		return p, err
	}
	return p / (float64(f) - (1 - p)), nil
}

// share returns p = f/weight, or the risk 1/f itself where the population is
// known.
func share(f int, weight float64) (p float64, known bool, err error) {
	if f < 1 || !(weight >= float64(f)) {
		return 0, false, fmt.Errorf("risk: %d matching records with weights that sum to %v: want at least one, and weights from 1", f, weight)
	}
	if weight == float64(f) {
		return 1 / float64(f), true, nil
	}
	return float64(f) / weight, false, nil
}

// PoissonUnique is the probability that a sample unique is matched rightly if
// the population count of its key is Poisson with mean lambda and the sampling
// share is pi (Skinner and Elamir 2006): (1-exp(-λ(1-π)))/(λ(1-π)), 1 in the
// limits of no rest.
func PoissonUnique(lambda, pi float64) float64 {
	rest := lambda * (1 - pi)
	if rest < 1e-12 {
		return 1
	}
	return -math.Expm1(-rest) / rest
}

// PoissonPopulationUnique is the probability that a sample unique is unique in
// the population: exp(-λ(1-π)).
func PoissonPopulationUnique(lambda, pi float64) float64 { return math.Exp(-lambda * (1 - pi)) }

// PoissonFile sums [PoissonPopulationUnique] and [PoissonUnique] over sample
// uniques: the expected numbers of population uniques and of correct matches
// among them. lambda holds their means.
func PoissonFile(lambda []float64, pi float64) (tau1, tau2 float64) {
	for _, l := range lambda {
		tau1 += PoissonPopulationUnique(l, pi)
		tau2 += PoissonUnique(l, pi)
	}
	return tau1, tau2
}

// Independence returns for every row the expected number of rows with its key
// if the key columns were independent: the fit of a log-linear model with main
// effects. Rows with a missing value get the product over the others.
func Independence(k Keys) []float64 {
	out := make([]float64, k.rows)
	for i := range out {
		out[i] = float64(k.rows)
	}
	for _, col := range k.cols {
		count, known := map[int32]float64{}, 0.0
		for _, v := range col {
			if v != Missing {
				count[v]++
				known++
			}
		}
		for i, v := range col {
			if v != Missing {
				out[i] *= count[v] / known
			}
		}
	}
	return out
}
