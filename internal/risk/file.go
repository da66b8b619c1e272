package risk

import (
	"fmt"
	"math"
)

// File sums up how exposed the records of a file are by the number f of records
// that match each of them: in the file for a prosecutor, who knows that his
// target is in it; in the population for a journalist, who does not and who
// wants anybody; the marketer wants as many as he can get.
type File struct {
	Records int
	Minimum int     // smallest number of matching records: k of k-anonymity, or of a k-map
	Uniques int     // records that nothing else matches
	Average float64 // mean of 1/f: the share an intruder gets right who links every record
	Highest float64 // largest 1/f
}

// Prosecutor takes the matching records of the same file ([Frequencies]): f and
// 1/f as k-anonymity has it. Average is classes/records where no value is
// missing.
func Prosecutor(f []int) (File, error) { return file(f) }

// Journalist takes the matching records of the population ([Matches] of the
// file in the population), each of which must match at least the record itself:
// Minimum is that of a k-map (Sweeney 2002), Average the marketer's rate.
func Journalist(inPopulation []int) (File, error) { return file(inPopulation) }

func file(f []int) (File, error) {
	out := File{Records: len(f)}
	if len(f) == 0 {
		return out, fmt.Errorf("risk: a file without records has no risk")
	}
	out.Minimum = f[0]
	for i, n := range f {
		if n < 1 {
			return out, fmt.Errorf("risk: record %d matches nothing, not even itself: are the population and the file the same people?", i)
		}
		out.Minimum = min(out.Minimum, n)
		if n == 1 {
			out.Uniques++
		}
		out.Average += 1 / float64(n)
	}
	out.Average /= float64(len(f))
	out.Highest = 1 / float64(out.Minimum)
	return out, nil
}

// AtRisk is the share of records whose risk 1/f exceeds the threshold, a
// probability.
func AtRisk(f []int, threshold float64) float64 {
	n := 0
	for _, k := range f {
		if 1/float64(k) > threshold {
			n++
		}
	}
	return float64(n) / float64(max(1, len(f)))
}

// Uniques counts sample uniques (f = 1), population uniques (F = 1), and what
// becomes of the sample uniques in the population.
type Uniques struct {
	Sample     int
	Population int     // records of the file whose key nobody else in the population has
	Tau1       int     // sample uniques that are population uniques
	Tau2       float64 // Σ 1/F over sample uniques: expected correct matches of them
}

// NewUniques takes the matching records of each record in the file and in the
// population.
func NewUniques(sample, population []int) (Uniques, error) {
	var u Uniques
	if len(sample) != len(population) {
		return u, fmt.Errorf("risk: %d and %d frequencies, want one each per record", len(sample), len(population))
	}
	for i, f := range sample {
		if population[i] < 1 {
			return u, fmt.Errorf("risk: record %d matches nobody in the population", i)
		}
		if population[i] == 1 {
			u.Population++
		}
		if f == 1 {
			u.Sample++
			u.Tau2 += 1 / float64(population[i])
			if population[i] == 1 {
				u.Tau1++
			}
		}
	}
	return u, nil
}

// DIS is the probability that a unique match between a target and a file is
// correct (Skinner and Elliot 2002): πn1/(πn1 + 2(1-π)n2), with π the sampling
// share in [0, 1], n1 and n2 the numbers of uniques and of records in pairs
// divided by two (combinations that occur twice). Without either it is NaN.
func DIS(share float64, uniques, pairs int) float64 {
	right := share * float64(uniques)
	total := right + float64(2*(1-share)*float64(pairs))
	if total == 0 {
		return math.NaN()
	}
	return right / total
}

// Together is the probability that at least one of several records is
// re-identified, 1-Π(1-r), as for an employer with all its staff; risks are
// taken to be independent, and their sum is an upper bound.
func Together(risks []float64) float64 {
	safe := 1.0
	for _, r := range risks {
		safe *= 1 - r
	}
	return 1 - safe
}
