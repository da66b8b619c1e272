package estimate

import (
	"context"
	"math"
	"slices"
)

// poisson fits E[Y_t] = Y_base·exp(α_group + x'β) to the controls by iteratively
// reweighted least squares and predicts the treated.
func (s *stack) poisson(ctx context.Context) error {
	n := len(s.control.unit)
	lin, mu := make([]float64, n), make([]float64, n)
	level := make([]float64, s.groups)
	s.e, s.hess = make([]float64, n), make([]float64, n)
	// place chooses the intercepts for given slopes, so that sums by group
	// agree, and returns the log-likelihood.
	place := func() float64 {
		up, down := make([]float64, s.groups), make([]float64, s.groups)
		for i, g := range s.control.group {
			mu[i] = s.control.base[i] * math.Exp(lin[i])
			up[g] += float64(s.score[i] * s.control.y[i])
			down[g] += float64(s.score[i] * mu[i])
		}
		for g := range level {
			if level[g] = 0; up[g] > 0 && down[g] > 0 {
				level[g] = math.Log(up[g] / down[g])
			}
		}
		var l float64
		for i, g := range s.control.group {
			mu[i] *= math.Exp(level[g])
			s.e[i] = s.control.y[i]/mu[i] - 1
			s.hess[i] = s.score[i] * mu[i]
			l -= s.hess[i]
			if y := s.control.y[i]; y > 0 {
				l += float64(s.score[i] * y * math.Log(mu[i]))
			}
		}
		return l
	}
	likelihood := place()
	beta := make([]float64, len(s.control.x))
	converged := false
	for round := 0; round < 50 && !converged; round++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.design(ctx, round == 0); err != nil || s.reason != "" {
			return err
		}
		right := make([]float64, len(s.kept))
		for a, j := range s.kept {
			for i, e := range s.e {
				right[a] += float64(float64(s.hess[i]*e) * s.control.z[j][i])
			}
		}
		step := s.f.solve(right)
		if converged = dot(step, right) <= 1e-20*(1+math.Abs(likelihood)); converged {
			break
		}
		old := slices.Clone(beta)
		accepted := false
		for shrink := 1.0; shrink > 1e-5 && !accepted; shrink /= 2 {
			for a, j := range s.kept {
				beta[j] = old[j] + float64(shrink*step[a])
			}
			clear(lin)
			for _, j := range s.kept {
				for i, x := range s.control.x[j] {
					lin[i] += float64(beta[j] * x)
				}
			}
			l := place()
			if accepted = l >= likelihood-1e-13*math.Abs(likelihood); accepted {
				// Rounding stops the search before the steps do.
				converged = l-likelihood <= 1e-14*math.Abs(likelihood) && dot(step, right) <= 1e-12*(1+math.Abs(likelihood))
				likelihood = l
			}
		}
		if !accepted {
			break
		}
	}
	if !converged {
		s.reason = "the Poisson regression of the controls does not converge: a covariate separates zeros"
		return nil
	}
	for i, h := range s.hess {
		s.total += float64(h * float64((1+s.e[i])*(1+s.e[i])))
	}
	s.treated.fit = make([]float64, len(s.treated.unit))
	for i, g := range s.treated.group {
		v := level[g]
		for _, j := range s.kept {
			v += float64(beta[j] * s.treated.x[j][i])
		}
		s.treated.fit[i] = s.treated.base[i] * math.Exp(v)
	}
	return nil
}
