package estimate

import (
	"math"
)

// tilt gives controls the weights w·exp(x'γ+α_group) under which the sums of
// weights and of columns by and over groups are those of the treated: inverse
// probability tilting, the dual of entropy balancing. The convex
//
//	Σ_g T_g·log Σ_{j in g} w_j·exp(x_j'γ) - Σ_i w_i·x_i'γ
//
// is minimised by Newton steps with halving.
func (s *stack) tilt() {
	total := make([]float64, s.groups)
	var all float64
	for i, g := range s.treated.group {
		total[g] += s.treated.w[i]
		all += s.treated.w[i]
	}
	// Controls of groups without treated weigh nothing.
	ok := make([]bool, len(s.control.unit))
	for i, g := range s.control.group {
		ok[i] = total[g] > 0
	}
	s.control.keep(ok)
	s.score = s.control.w
	p := len(s.control.x)
	location, scale := make([]float64, p), make([]float64, p)
	for j, x := range s.control.x {
		location[j], scale[j] = locate(x)
	}
	n := len(s.control.unit)
	z := make([][]float64, p) // standardised columns
	target := make([]float64, p)
	for j := range p {
		z[j] = make([]float64, n)
		for i, v := range s.control.x[j] {
			z[j][i] = (v - location[j]) / scale[j]
		}
		for i, v := range s.treated.x[j] {
			target[j] += float64(s.treated.w[i] * (v - location[j]) / scale[j])
		}
	}
	weights := make([]float64, n)
	lin := make([]float64, n)
	value := func(gamma []float64) float64 {
		top := make([]float64, s.groups)
		for g := range top {
			top[g] = math.Inf(-1)
		}
		for i, g := range s.control.group {
			v := 0.0
			for j := range p {
				v += float64(gamma[j] * z[j][i])
			}
			lin[i] = v
			top[g] = max(top[g], v)
		}
		sum := make([]float64, s.groups)
		for i, g := range s.control.group {
			weights[i] = s.control.w[i] * math.Exp(lin[i]-top[g])
			sum[g] += weights[i]
		}
		f := 0.0
		for g, t := range total {
			if t > 0 {
				f += float64(t * (math.Log(sum[g]) + top[g]))
			}
		}
		for i, g := range s.control.group {
			weights[i] *= total[g] / sum[g]
		}
		for j := range p {
			f -= float64(gamma[j] * target[j])
		}
		return f
	}
	gamma := make([]float64, p)
	f := value(gamma)
	for range 100 {
		gradient, hessian := make([]float64, p), make([][]float64, p)
		mean := make([][]float64, p)
		for j := range p {
			mean[j] = make([]float64, s.groups)
			for i, g := range s.control.group {
				mean[j][g] += float64(weights[i] * z[j][i])
			}
			for g, v := range mean[j] {
				gradient[j] += v
				if total[g] > 0 {
					mean[j][g] = v / total[g]
				}
			}
			gradient[j] -= target[j]
		}
		worst := 0.0
		for _, v := range gradient {
			worst = max(worst, math.Abs(v))
		}
		if worst <= 1e-9*all {
			s.score = weights
			return
		}
		fac, kept := &factor{}, []int{}
		for j := range p {
			hessian[j] = make([]float64, p)
			for k := range j + 1 {
				for i, g := range s.control.group {
					hessian[j][k] += float64(weights[i] * (z[j][i] - mean[j][g]) * (z[k][i] - mean[k][g]))
				}
			}
			cross := make([]float64, 0, len(kept)+1)
			for _, k := range kept {
				cross = append(cross, hessian[j][k])
			}
			if hessian[j][j] > 1e-12*all && fac.take(append(cross, hessian[j][j])) {
				kept = append(kept, j)
			}
		}
		right := make([]float64, len(kept))
		for a, j := range kept {
			right[a] = gradient[j]
		}
		step := fac.solve(right)
		slope := dot(step, right)
		improved := false
		for shrink := 1.0; shrink > 1e-6; shrink /= 2 {
			next := append([]float64(nil), gamma...)
			for a, j := range kept {
				next[j] -= float64(shrink * step[a])
			}
			if v := value(next); v <= f-1e-4*shrink*slope || shrink == 1 && slope < 1e-10*all {
				gamma, f, improved = next, v, true
				break
			}
		}
		if !improved {
			break
		}
	}
	s.reason = "controls cannot be weighted to the covariate means of the treated: no overlap"
}

// locate returns mean and standard deviation of a column, 1 where it is flat.
func locate(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v
	}
	mean /= math.Max(1, float64(len(x)))
	for _, v := range x {
		sd += float64((v - mean) * (v - mean))
	}
	sd = math.Sqrt(sd / math.Max(1, float64(len(x))))
	if sd <= 1e-12*math.Abs(mean) || sd == 0 {
		sd = 1
	}
	return mean, sd
}
