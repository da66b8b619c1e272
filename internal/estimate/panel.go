package estimate

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// ErrNoComparison says that a difference-in-differences lacks one of its four
// cells.
var ErrNoComparison = errors.New("nothing to compare with")

// Panel is one row per unit and period, in any order. Every slice has n
// entries; slices are read, never written.
type Panel struct {
	Y       []float64 // outcome; NaN is left out
	Unit    []int32   // employer
	Time    []int32   // period, in steps of 1; negative periods are missing
	Treated []bool    // the unit is treated at some time: constant within a unit
	Post    []bool    // the period lies at or after treatment, for controls at any date chosen for them
	Weights []float64 // nil: 1
	Cluster []int32   // nil: Unit
	Level   float64   // 0 means 0.95
}

func (p Panel) validate() error {
	n := len(p.Y)
	if len(p.Unit) != n || len(p.Time) != n || len(p.Treated) != n || len(p.Post) != n {
		return fmt.Errorf("estimate: a panel of %d outcomes has %d units, %d times, %d treated and %d post", n, len(p.Unit), len(p.Time), len(p.Treated), len(p.Post))
	}
	first := map[int32]int{}
	for i, u := range p.Unit {
		if k, ok := first[u]; !ok {
			first[u] = i
		} else if p.Treated[k] != p.Treated[i] {
			return fmt.Errorf("estimate: unit %d is treated in row %d but not in row %d; treated says whether it ever is, post says when", u, max(i, k), min(i, k))
		}
	}
	return nil
}

func (p Panel) cluster() []int32 {
	if p.Cluster != nil {
		return p.Cluster
	}
	return p.Unit
}

// staggered counts the periods in which some units that are ever treated are
// treated already and others not yet.
func (p Panel) staggered() int {
	before, after := map[int32]bool{}, map[int32]bool{}
	for i, t := range p.Time {
		if p.Treated[i] && p.Post[i] {
			after[t] = true
		} else if p.Treated[i] {
			before[t] = true
		}
	}
	n := 0
	for t := range before {
		if after[t] {
			n++
		}
	}
	return n
}

// DiD is the two-way fixed effects difference-in-differences
//
//	y_it = a_i + g_t + β·(treated_i and post_it) + e_it
//
// with standard errors clustered by unit; its coefficient is named "did". Where
// treatment starts in several periods, β is a weighted mean of two-by-two
// comparisons, some of them with units already treated (Goodman-Bacon 2021),
// and a warning says so.
func DiD(ctx context.Context, p Panel) (Fit, error) {
	if err := p.validate(); err != nil {
		return Fit{}, err
	}
	d := make([]float64, len(p.Y))
	for i := range d {
		if p.Treated[i] && p.Post[i] {
			d[i] = 1
		}
	}
	f, err := OLS(ctx, Spec{
		Y: p.Y, X: [][]float64{d}, Names: []string{"did"}, Absorb: [][]int32{p.Unit, p.Time},
		Cluster: p.cluster(), Weights: p.Weights, Level: p.Level,
	})
	if n := p.staggered(); err == nil && n > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("treatment starts at different times: in %d periods two-way fixed effects compare with units already treated", n))
	}
	return f, err
}

// TwoByTwo is a difference-in-differences of four means.
type TwoByTwo struct {
	TreatedChange, ControlChange float64
	DiD                          Coefficient
	N, Clusters                  int
	Warnings                     []string
}

// Difference returns the change of the (weighted) mean outcome of treated rows
// less that of control rows, with a standard error clustered by unit from the
// regression on treated, post and their product. A cell without rows is
// [ErrNoComparison].
func Difference(ctx context.Context, p Panel) (TwoByTwo, error) {
	if err := p.validate(); err != nil {
		return TwoByTwo{}, err
	}
	var rows [2][2]int
	treated, post, both := make([]float64, len(p.Y)), make([]float64, len(p.Y)), make([]float64, len(p.Y))
	for i := range p.Y {
		var t, o int
		if p.Treated[i] {
			t, treated[i] = 1, 1
		}
		if p.Post[i] {
			o, post[i] = 1, 1
		}
		both[i] = treated[i] * post[i]
		if !math.IsNaN(p.Y[i]) && (p.Weights == nil || p.Weights[i] > 0) {
			rows[t][o]++
		}
	}
	for t, name := range []string{"control", "treated"} {
		for o, when := range []string{"before", "after"} {
			if rows[t][o] == 0 {
				return TwoByTwo{}, fmt.Errorf("estimate: no %s row %s: %w", name, when, ErrNoComparison)
			}
		}
	}
	f, err := OLS(ctx, Spec{
		Y: p.Y, X: [][]float64{treated, post, both}, Names: []string{"treated", "post", "did"},
		Cluster: p.cluster(), Weights: p.Weights, Level: p.Level,
	})
	if err != nil {
		return TwoByTwo{}, err
	}
	control := f.Coef[1].Estimate
	return TwoByTwo{control + f.Coef[2].Estimate, control, f.Coef[2], f.N, f.Clusters, f.Warnings}, nil
}

// NeverTreated is the event time of rows of units that are never treated.
const NeverTreated = int32(math.MinInt32)

// EventStudy estimates y_it = a_i + g_t + Σ_k β_k·1[event_it = k] + e_it over
// event times from first to last, relative to -1: coefficients are named "k-2",
// "k0", "k3". Event times before first and after last are counted with the
// outermost; event is [NeverTreated] for controls.
func EventStudy(ctx context.Context, p Panel, event []int32, first, last int32) (Fit, error) {
	if len(event) != len(p.Y) || len(p.Unit) != len(p.Y) || len(p.Time) != len(p.Y) {
		return Fit{}, fmt.Errorf("estimate: a panel of %d outcomes has %d units, %d times and %d event times", len(p.Y), len(p.Unit), len(p.Time), len(event))
	}
	if first >= -1 || last < 0 || last-first > 200 {
		return Fit{}, fmt.Errorf("estimate: event times from %d to %d, want first < -1 and last >= 0, at most 200 of them", first, last)
	}
	s := Spec{Y: p.Y, Absorb: [][]int32{p.Unit, p.Time}, Cluster: p.cluster(), Weights: p.Weights, Level: p.Level}
	at := make([]int, last-first+1)
	for k := first; k <= last; k++ {
		if k == -1 {
			continue
		}
		at[k-first] = len(s.X)
		s.X, s.Names = append(s.X, make([]float64, len(p.Y))), append(s.Names, fmt.Sprintf("k%d", k))
	}
	for i, k := range event {
		if k = max(first, min(last, k)); event[i] != NeverTreated && k != -1 {
			s.X[at[k-first]][i] = 1
		}
	}
	return OLS(ctx, s)
}
