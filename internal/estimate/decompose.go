package estimate

import (
	"fmt"
	"math"
)

// Measure is an index of dispersion that falls apart exactly into what lies
// between groups and within them.
type Measure string

// Measures of dispersion.
const (
	Variance Measure = "variance" // Σw(y-ȳ)²/Σw
	Theil    Measure = "theil"    // Theil's T, Σw(y/ȳ)·ln(y/ȳ)/Σw, for y >= 0
	LogMean  Measure = "log-mean" // Theil's L, Σw·ln(ȳ/y)/Σw, for y > 0
)

// Grouping is a partition of the rows: employers, employer-years.
type Grouping struct {
	Name  string
	Codes []int32 // below 0: the row is left out
}

// Part is a component of a decomposition.
type Part struct {
	Name  string  // the grouping's, then "within"
	Value float64 // in units of the measure
	Share float64 // of the total
	Cells int     // groups; for "within" rows
}

// Decomposition is a total and the parts that add up to it.
type Decomposition struct {
	Measure Measure
	Total   float64
	Mean    float64
	Parts   []Part // between the groups of each grouping within those of the one before; within the last
	N       int    // rows used
}

// Decompose takes the dispersion of an outcome apart by nested groupings,
// coarsest first: between employers, between the years of an employer, within
// employer-years. A row belongs to the group of its codes in a grouping and all
// coarser ones, so years may be given instead of employer-years. weights may be
// nil; rows with a missing outcome or code or weight 0 are left out. Shares are
// NaN-free: an outcome that does not vary is [ErrNoVariation].
//
// For the variance the parts are weighted variances of group means about the
// mean of their coarser group; for Theil's T (L) group totals take the place of
// persons, with shares of the outcome (of weights): Theil 1967, Shorrocks 1980.
// In contrast to [AnalyseOneWay] nothing is corrected for the number of groups:
// parts are exact and biased towards between.
func Decompose(y, weights []float64, groupings []Grouping, m Measure) (Decomposition, error) {
	d := Decomposition{Measure: m}
	if m != Variance && m != Theil && m != LogMean {
		return d, fmt.Errorf("estimate: measure is %q, want %q, %q or %q", m, Variance, Theil, LogMean)
	}
	if weights != nil && len(weights) != len(y) {
		return d, fmt.Errorf("estimate: %d weights for %d outcomes", len(weights), len(y))
	}
	for _, g := range groupings {
		if len(g.Codes) != len(y) {
			return d, fmt.Errorf("estimate: %d outcomes with %d codes of %q", len(y), len(g.Codes), g.Name)
		}
	}
	values, w, rows, err := usable(y, weights, groupings, m)
	if err != nil {
		return d, err
	}
	d.N = len(values)
	if d.N == 0 {
		return d, fmt.Errorf("estimate: of %d rows, %w", len(y), ErrNoRows)
	}
	codes := make([]int32, d.N) // the coarsest group: everybody
	mean := groupMeans(values, w, codes, 1)
	d.Mean = mean[0]
	for _, g := range groupings {
		own := make([]int32, d.N)
		for i, r := range rows {
			own[i] = g.Codes[r]
		}
		finer, n := crossed(codes, own)
		means := groupMeans(values, w, finer, n)
		d.Parts = append(d.Parts, Part{Name: g.Name, Value: gap(m, w, d.Mean, codes, mean, func(i int) float64 { return means[finer[i]] }), Cells: n})
		codes, mean = finer, means
	}
	d.Parts = append(d.Parts, Part{Name: "within", Value: gap(m, w, d.Mean, codes, mean, func(i int) float64 { return values[i] }), Cells: d.N})
	size := 0.0
	for _, p := range d.Parts {
		d.Total += p.Value
	}
	for _, v := range values {
		size = max(size, math.Abs(v))
	}
	floor := 1e-14 // of an index of inequality
	if m == Variance {
		floor = rounding * size * size
	}
	if !(d.Total > floor) {
		return d, fmt.Errorf("estimate: all %d values are %v: %w", d.N, values[0], ErrNoVariation)
	}
	for k := range d.Parts {
		d.Parts[k].Share = d.Parts[k].Value / d.Total
	}
	return d, nil
}

func usable(y, weights []float64, groupings []Grouping, m Measure) (values, w []float64, rows []int32, err error) {
	for i, v := range y {
		weight := 1.0
		if weights != nil {
			weight = weights[i]
		}
		if weight < 0 || math.IsInf(weight, 0) || math.IsInf(v, 0) {
			return nil, nil, nil, fmt.Errorf("estimate: row %d has outcome %v and weight %v, want finite numbers and a weight >= 0", i, v, weight)
		}
		ok := !math.IsNaN(v) && weight > 0
		for _, g := range groupings {
			ok = ok && g.Codes[i] >= 0
		}
		if !ok {
			continue
		}
		if m == Theil && v < 0 || m == LogMean && v <= 0 {
			return nil, nil, nil, fmt.Errorf("estimate: outcome of row %d is %v; the measure %q wants it positive: use %q", i, v, m, Variance)
		}
		values, w, rows = append(values, v), append(w, weight), append(rows, int32(i))
	}
	return values, w, rows, nil
}

// crossed numbers the pairs of codes from 0.
func crossed(a, b []int32) ([]int32, int) {
	seen := make(map[[2]int32]int32, len(a)/4)
	out := make([]int32, len(a))
	for i := range a {
		key := [2]int32{a[i], b[i]}
		k, ok := seen[key]
		if !ok {
			k = int32(len(seen))
			seen[key] = k
		}
		out[i] = k
	}
	return out, len(seen)
}

func groupMeans(v, w []float64, codes []int32, n int) []float64 {
	sum, weights, mean := make([]float64, n), make([]float64, n), make([]float64, n)
	for range 2 { // the second time about the first mean
		clear(sum)
		clear(weights)
		for i, c := range codes {
			sum[c] += float64(w[i] * (v[i] - mean[c]))
			weights[c] += w[i]
		}
		for c := range mean {
			mean[c] += sum[c] / weights[c]
		}
	}
	return mean
}

// gap is how far fine values lie from their coarse means, in a measure.
func gap(m Measure, w []float64, grand float64, codes []int32, coarse []float64, fine func(i int) float64) float64 {
	var sum, weights float64
	for i, c := range codes {
		x, mean := fine(i), coarse[c]
		weights += w[i]
		switch {
		case m == Variance:
			sum += float64(w[i] * float64((x-mean)*(x-mean)))
		case m == Theil && x > 0:
			sum += float64(w[i] * float64(x/grand*math.Log(x/mean)))
		case m == LogMean:
			sum += float64(w[i] * math.Log(mean/x))
		}
	}
	return sum / weights
}
