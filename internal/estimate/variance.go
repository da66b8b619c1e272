package estimate

import (
	"errors"
	"fmt"
	"math"
)

// ErrNoVariation says that an outcome does not vary, or that groups do not let
// between and within be told apart.
var ErrNoVariation = errors.New("no variation to take apart")

// OneWay is the analysis of variance of an outcome by groups (employers).
type OneWay struct {
	BetweenSS, WithinSS float64
	BetweenDF, WithinDF int     // groups-1, n-groups
	N0                  float64 // (n - Σn_g²/n)/(groups-1), the size of an average group
	Between             float64 // component (MSB-MSW)/N0; can be negative, and is left so
	Within              float64 // component MSW
	ICC                 float64 // Between/(Between+Within)
	Eta2                float64 // BetweenSS over total
	N, Groups           int
}

// AnalyseOneWay computes the one-way analysis of variance with the ANOVA
// estimator of the components for unbalanced groups (Searle, Casella and
// McCulloch 1992, section 3.6). Rows with a missing outcome (NaN) or a group
// below 0 are left out. Fewer than two groups, no group of two or an outcome
// without variation is [ErrNoVariation].
func AnalyseOneWay(y []float64, group []int32) (OneWay, error) {
	if len(y) != len(group) {
		return OneWay{}, fmt.Errorf("estimate: %d outcomes with %d groups", len(y), len(group))
	}
	var values []float64
	var codes []int32
	for i, v := range y {
		if math.IsInf(v, 0) {
			return OneWay{}, fmt.Errorf("estimate: outcome of row %d is %v, want a finite number", i, v)
		}
		if !math.IsNaN(v) && group[i] >= 0 {
			values, codes = append(values, v), append(codes, group[i])
		}
	}
	codes, groups := number(codes)
	a := OneWay{N: len(values), Groups: groups}
	a.BetweenDF, a.WithinDF = groups-1, a.N-groups
	if a.BetweenDF < 1 || a.WithinDF < 1 {
		return a, fmt.Errorf("estimate: %d values in %d groups: %w", a.N, groups, ErrNoVariation)
	}
	n := float64(a.N)
	var grand, size float64
	for _, v := range values {
		grand += v
		size = max(size, math.Abs(v))
	}
	grand /= n
	count, mean := make([]float64, groups), make([]float64, groups)
	for i, v := range values {
		count[codes[i]]++
		mean[codes[i]] += v - grand
	}
	var squares float64
	for g, c := range count {
		mean[g] /= c
		squares += float64(c * c)
		a.BetweenSS += float64(c * float64(mean[g]*mean[g]))
	}
	for i, v := range values {
		d := v - grand - mean[codes[i]]
		a.WithinSS += float64(d * d)
	}
	total := a.BetweenSS + a.WithinSS
	if total <= rounding*n*float64(size*size) {
		return a, fmt.Errorf("estimate: all %d values are %v: %w", a.N, values[0], ErrNoVariation)
	}
	a.N0 = (n - squares/n) / float64(a.BetweenDF)
	a.Within = a.WithinSS / float64(a.WithinDF)
	a.Between = (a.BetweenSS/float64(a.BetweenDF) - a.Within) / a.N0
	a.ICC = a.Between / (a.Between + a.Within)
	a.Eta2 = a.BetweenSS / total
	return a, nil
}

// VarianceComponents returns the variance of group means, the variance within
// groups and the intraclass correlation; see [AnalyseOneWay]. The first and the
// last can be negative where groups differ less than chance would have it.
func VarianceComponents(y []float64, group []int32) (between, within, icc float64, err error) {
	a, err := AnalyseOneWay(y, group)
	if err != nil {
		nan := math.NaN()
		return nan, nan, nan, err
	}
	return a.Between, a.Within, a.ICC, nil
}
