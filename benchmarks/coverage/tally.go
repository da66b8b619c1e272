package coverage

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/infer"
)

// Tally counts how often the intervals of one coefficient held the truth.
type Tally struct {
	Name      string
	N, Hits   int
	Truth     float64 // mean
	Bias      float64 // mean of estimate less truth
	RMSE      float64 // of estimate against truth
	StdErr    float64 // root mean square
	Low, High int     // of the band: hits outside have a probability of at most Alarm
	P         float64 // exact, two-sided, that coverage is the nominal one
	Holm      float64 // adjusted for the coefficients of the table
}

// Nominal is the level of the intervals, Alarm the rate of false alarms.
const (
	Nominal = .95
	Alarm   = .001
)

// Add counts one population: its estimate with interval and standard error, and its
// truth.
func (t *Tally) Add(estimate, low, high, stdErr, truth float64) {
	t.N++
	if low <= truth && truth <= high {
		t.Hits++
	}
	d := estimate - truth
	t.Truth, t.Bias, t.RMSE, t.StdErr = t.Truth+truth, t.Bias+d, t.RMSE+float64(d*d), t.StdErr+float64(stdErr*stdErr)
}

// Judge turns sums into means, and hits into verdicts.
func Judge(table []*Tally) {
	for _, t := range table {
		n := float64(t.N)
		t.Truth, t.Bias, t.RMSE, t.StdErr = t.Truth/n, t.Bias/n, math.Sqrt(t.RMSE/n), math.Sqrt(t.StdErr/n)
		t.Low, t.High = infer.BinomialBand(t.N, Nominal, Alarm)
		t.P = binomial(t.Hits, t.N, Nominal)
	}
	// Holm 1979.
	byP := slices.Clone(table)
	slices.SortStableFunc(byP, func(a, b *Tally) int {
		switch {
		case a.P < b.P:
			return -1
		case a.P > b.P:
			return 1
		}
		return 0
	})
	worst := 0.0
	for i, t := range byP {
		worst = max(worst, min(1, float64(len(byP)-i)*t.P))
		t.Holm = worst
	}
}

// Outside says that the hits lie outside the band.
func (t *Tally) Outside() bool { return t.Hits < t.Low || t.Hits > t.High }

// binomial is twice the smaller tail of an exact binomial test, at most 1.
func binomial(k, n int, p float64) float64 {
	lower, upper := 0.0, 0.0
	for j := range n + 1 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(j + 1))
		c, _ := math.Lgamma(float64(n - j + 1))
		mass := math.Exp(a - b - c + float64(j)*math.Log(p) + float64(n-j)*math.Log1p(-p))
		if j <= k {
			lower += mass
		}
		if j >= k {
			upper += mass
		}
	}
	return min(1, 2*min(lower, upper))
}

// Table prints coverage, band and bias by coefficient.
func Table(title string, table []*Tally) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%-14s %5s %9s %16s %9s %9s %9s %9s %9s %9s\n", title, "coefficient", "n", "coverage", "band", "p", "Holm p", "truth", "bias", "rmse", "std.err.")
	for _, t := range table {
		n, flag := float64(t.N), ""
		if t.Outside() {
			flag = "  outside"
		}
		fmt.Fprintf(&b, "%-14s %5d %9.3f [%6.3f, %6.3f] %9.2g %9.2g %9.4f %9.4f %9.4f %9.4f%s\n", t.Name, t.N, float64(t.Hits)/n,
			float64(t.Low)/n, float64(t.High)/n, t.P, t.Holm, t.Truth, t.Bias, t.RMSE, t.StdErr, flag)
	}
	return b.String()
}
