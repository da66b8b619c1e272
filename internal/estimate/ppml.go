package estimate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Count is a multiplicative model of n rows: E[Y] = exp(offset + Xb + absorbed
// effects).
type Count struct {
	Spec             // Y >= 0, not necessarily counts
	Offset []float64 // nil: 0; the log of an exposure
}

// CountFit is an estimated multiplicative model. Its coefficients are logs of
// ratios; see [Coefficient.Ratio].
type CountFit struct {
	Fit
	Deviance   float64
	Iterations int
	Separated  []Separation // rows that were left out because they have no bearing on the estimates
}

// Separation names rows whose outcome of 0 the model can fit perfectly, by
// sending something to minus infinity.
type Separation struct {
	Rows int
	By   string // `absorbed set 0`, or the regressors
}

// PPML fits a multiplicative model by Poisson pseudo maximum likelihood: right
// whatever the distribution as long as the mean is (Gourieroux, Monfort and
// Trognon 1984; Santos Silva and Tenreyro 2006).
//
// Least squares with absorbed effects is iterated on the working outcome with
// weights μ (Correia, Guimarães and Zylkin 2020), to a relative change of the
// deviance below 1e-12; clustered errors are those of the last step, CR1 as in
// [OLS]. R2 is the squared correlation of outcome and prediction.
//
// Before, zeros that make estimates infinite are left out and named: again and
// again levels of absorbed effects without a positive outcome, then rows that a
// combination of regressors and effects separates, found by the iterative
// rectifier (Correia, Guimarães and Zylkin 2019). A regressor that separates
// keeps what the other rows say of it.
func PPML(ctx context.Context, c Count) (CountFit, error) {
	if err := c.validate(); err != nil {
		return CountFit{}, err
	}
	if c.Level == 0 {
		c.Level = 0.95
	}
	p := &poissonModel{Count: c, y: slices.Clone(c.Y)}
	p.dropMissing()
	p.dropEmpty()
	if err := p.rectify(ctx); err != nil {
		return CountFit{}, err
	}
	p.dropEmpty()
	return p.iterate(ctx)
}

func (c Count) validate() error {
	if err := c.Spec.Validate(); err != nil {
		return err
	}
	if c.Offset != nil && len(c.Offset) != len(c.Y) {
		return fmt.Errorf("estimate: %d offsets for %d outcomes", len(c.Offset), len(c.Y))
	}
	for i, y := range c.Y {
		if y < 0 {
			return fmt.Errorf("estimate: outcome of row %d is %v, and a Poisson model wants outcomes >= 0", i, y)
		}
	}
	return nil
}

type poissonModel struct {
	Count
	y         []float64 // NaN: left out
	missing   LeftOut
	separated []Separation
}

func (p *poissonModel) offset(i int) float64 {
	if p.Offset == nil {
		return 0
	}
	return p.Offset[i]
}

func (p *poissonModel) weight(i int) float64 {
	if p.Weights == nil {
		return 1
	}
	return p.Weights[i]
}

func (p *poissonModel) dropMissing() {
	m := &model{spec: p.Spec}
	for i := range p.y {
		o := p.offset(i)
		switch {
		case !m.present(i) || o-o != 0:
			p.y[i] = math.NaN()
			p.missing.Missing++
		case p.weight(i) == 0:
			p.y[i] = math.NaN()
			p.missing.Unweighted++
		}
	}
}

// dropEmpty drops levels of absorbed effects without a positive outcome.
func (p *poissonModel) dropEmpty() {
	for again := true; again; {
		again = false
		for k, set := range p.Absorb {
			positive := map[int32]bool{}
			for i, c := range set {
				if p.y[i] > 0 {
					positive[c] = true
				}
			}
			dropped := 0
			for i, c := range set {
				if !math.IsNaN(p.y[i]) && !positive[c] {
					p.y[i] = math.NaN()
					dropped++
				}
			}
			if dropped > 0 {
				again = len(p.Absorb) > 1
				p.note(Separation{dropped, fmt.Sprintf("absorbed set %d", k)})
			}
		}
	}
}

func (p *poissonModel) note(s Separation) {
	for k := range p.separated {
		if p.separated[k].By == s.By {
			p.separated[k].Rows += s.Rows
			return
		}
	}
	p.separated = append(p.separated, s)
}

// rectify looks for a combination of regressors and effects that is 0 where the
// outcome is positive and nowhere negative where it is 0: rows where it is
// positive are separated. Regressing the positive part of the last prediction,
// with large weights where it must be 0, converges to one if there is one.
func (p *poissonModel) rectify(ctx context.Context) error {
	const heavy, small = 1e6, 1e-3
	u, w := make([]float64, len(p.y)), make([]float64, len(p.y))
	zeros := 0
	for i, y := range p.y {
		switch {
		case math.IsNaN(y):
			u[i] = math.NaN()
		case y > 0:
			w[i] = heavy
		default:
			u[i], w[i] = 1, 1
			zeros++
		}
	}
	if zeros == 0 || zeros == len(p.y) {
		return nil
	}
	for range 200 {
		f, err := OLS(ctx, Spec{Y: u, X: p.X, Names: p.Names, Absorb: p.Absorb, Weights: w, KeepResiduals: true})
		if err != nil {
			return fmt.Errorf("estimate: looking for separated rows: %w", err)
		}
		done, separated := true, 0
		next := slices.Clone(u)
		for i, y := range p.y {
			if math.IsNaN(y) || math.IsNaN(f.Residuals[i]) {
				continue
			}
			v := u[i] - f.Residuals[i]
			if math.Abs(v) < small {
				v = 0
			}
			if y == 0 {
				next[i] = max(v, 0)
				if v < 0 {
					done = false
				}
				if v > 0 {
					separated++
				}
			}
		}
		if separated == 0 {
			return nil
		}
		if !done {
			u = next
			continue
		}
		var by []string
		for _, c := range f.Coef {
			if c.Name != Constant && math.Abs(c.Estimate) > small {
				by = append(by, fmt.Sprintf("%q", c.Name))
			}
		}
		if by == nil {
			by = []string{"absorbed effects together"}
		}
		for i, y := range p.y {
			if y == 0 && next[i] > 0 {
				p.y[i] = math.NaN()
			}
		}
		p.note(Separation{separated, strings.Join(by, " with ")})
		return nil
	}
	return nil
}

// iterate is the reweighted least squares.
func (p *poissonModel) iterate(ctx context.Context) (CountFit, error) {
	n := len(p.y)
	var sum, weights float64
	for i, y := range p.y {
		if !math.IsNaN(y) {
			sum += float64(p.weight(i) * y)
			weights += p.weight(i)
		}
	}
	out := CountFit{Separated: p.separated}
	if !(sum > 0) {
		return out, fmt.Errorf("estimate: no row has a positive outcome and all regressors: %w", ErrNoRows)
	}
	mean := sum / weights
	mu, eta := make([]float64, n), make([]float64, n)
	for i, y := range p.y {
		mu[i] = (y + mean) / 2
		eta[i] = math.Log(mu[i])
	}
	z, w := make([]float64, n), make([]float64, n)
	last := math.Inf(1)
	converged := false
	for out.Iterations = 1; out.Iterations <= 100; out.Iterations++ {
		for i, y := range p.y {
			if z[i] = math.NaN(); !math.IsNaN(y) {
				z[i] = eta[i] - p.offset(i) + (y-mu[i])/mu[i]
				w[i] = p.weight(i) * mu[i]
			}
		}
		s := p.Spec
		s.Y, s.Weights, s.KeepResiduals = z, w, true
		f, err := OLS(ctx, s)
		if err != nil {
			return out, err
		}
		out.Fit = f
		if converged {
			break
		}
		old := slices.Clone(eta)
		deviance := 0.0
		for shrink := 1.0; shrink > 1e-4; shrink /= 2 {
			deviance = 0
			for i, y := range p.y {
				if e := f.Residuals[i]; !math.IsNaN(e) {
					eta[i] = old[i] + shrink*(p.offset(i)+z[i]-e-old[i])
					mu[i] = math.Exp(eta[i])
					if y > 0 {
						deviance += 2 * float64(p.weight(i)*y) * (math.Log(y) - eta[i])
					}
					deviance -= 2 * float64(p.weight(i)*(y-mu[i]))
				}
			}
			if deviance <= last*(1+1e-12) {
				break
			}
		}
		converged = math.Abs(last-deviance) <= 1e-12*(1e-3*sum+deviance)
		last = deviance
	}
	p.finish(&out, mu, last, converged)
	return out, nil
}

// finish puts the last step into the terms of the model.
func (p *poissonModel) finish(out *CountFit, mu []float64, deviance float64, converged bool) {
	out.Deviance = deviance
	out.LeftOut = LeftOut{Missing: p.missing.Missing, Unweighted: p.missing.Unweighted, Singletons: out.LeftOut.Singletons}
	out.WithinR2, out.R2 = math.NaN(), p.correlation(out.Fit, mu)
	// Warnings of least squares count separated rows as missing; say it anew.
	out.Warnings = slices.DeleteFunc(out.Warnings, func(w string) bool { return strings.Contains(w, "rows left out") })
	if l := out.LeftOut; l != (LeftOut{}) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d of %d rows left out: %d lack a value, %d have weight 0, %d stand alone in an absorbed effect",
			l.Missing+l.Unweighted+l.Singletons, len(p.y), l.Missing, l.Unweighted, l.Singletons))
	}
	for _, s := range out.Separated {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d rows with outcome 0 left out: separated by %s", s.Rows, s.By))
	}
	if !converged {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the Poisson regression did not converge in %d steps: the estimates are not to be used", out.Iterations-1))
		nan := math.NaN()
		for k, c := range out.Coef {
			if !c.Dropped {
				out.Coef[k] = Coefficient{Name: c.Name, Estimate: nan, StdErr: nan, T: nan, P: nan, Low: nan, High: nan, Dropped: true, Reason: "dropped: the Poisson regression did not converge"}
			}
		}
	}
	if p.KeepResiduals {
		for i := range out.Residuals {
			if !math.IsNaN(out.Residuals[i]) {
				out.Residuals[i] = p.y[i] - mu[i]
			}
		}
	} else {
		out.Residuals = nil
	}
}

func (p *poissonModel) correlation(f Fit, mu []float64) float64 {
	var w, sy, sm, yy, mm, ym float64
	for i, e := range f.Residuals {
		if !math.IsNaN(e) {
			k := p.weight(i)
			w, sy, sm = w+k, sy+k*p.y[i], sm+k*mu[i]
		}
	}
	for i, e := range f.Residuals {
		if !math.IsNaN(e) {
			k, a, b := p.weight(i), p.y[i]-sy/w, mu[i]-sm/w
			yy, mm, ym = yy+k*a*a, mm+k*b*b, ym+k*a*b
		}
	}
	if !(yy > 0 && mm > 0) {
		return math.NaN()
	}
	return ym * ym / (yy * mm)
}
