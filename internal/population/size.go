package population

import (
	"math"

	"scramblelab/internal/calibration"
)

// sizeLaw is the stationary distribution of an employer's latent size: the
// class shares of the calibration with a power law inside each class, Zipf-like
// above the first. A latent size s and a fixed u in [0,1) give the head count
// floor(s+u), so that heads are whole and their mean is s.
type sizeLaw struct {
	bounds []float64 // latent bounds of the classes, the last one the cap
	mass   []float64
	alpha  []float64 // the density of s in class c is proportional to s^-(alpha+1)
	span   []float64 // lower^-alpha - upper^-alpha
	sd5    float64
	ex     float64
}

// newSizeLaw fits the law; employers is the number drawn at a time, which
// bounds the largest: at most about one employer in two such populations would
// be larger than the cap, and none holds more than a fixed share of all staff.
func newSizeLaw(f calibration.Size, employers int) *sizeLaw {
	bounds := []float64{1}
	for _, least := range f.Classes[1:] {
		bounds = append(bounds, float64(least)-.5)
	}
	l := &sizeLaw{bounds: bounds, sd5: f.GrowthSD, ex: f.GrowthEx}
	tail := func(c int) float64 {
		if c == len(f.Shares)-1 {
			return f.TopTail
		}
		return f.Tail
	}
	limit, above := min(f.Cap, max(f.CapFloor, f.CapPer*float64(employers))), 0.0
	for c := len(f.Shares) - 1; c >= 0; c-- {
		if want := .5 / float64(employers); above+f.Shares[c] > want {
			if s := l.bounds[c] * math.Pow(f.Shares[c]/(want-above), 1/tail(c)); s < limit {
				limit = s
			}
			break
		}
		above += f.Shares[c]
	}
	total := 0.0
	for c, m := range f.Shares {
		if l.bounds[c] >= limit {
			break
		}
		l.mass = append(l.mass, m)
		total += m
	}
	l.bounds = append(l.bounds[:len(l.mass)], max(limit, l.bounds[len(l.mass)-1]*1.2))
	for c := range l.mass {
		l.mass[c] /= total
		a := tail(c)
		if c == 0 {
			a = exponentOfMean(l.bounds[0], l.bounds[1], f.Mean1)
		}
		l.alpha = append(l.alpha, a)
		l.span = append(l.span, math.Pow(l.bounds[c], -a)-math.Pow(l.bounds[c+1], -a))
	}
	return l
}

// exponentOfMean returns the exponent of a power law on [lo, hi) with that mean.
func exponentOfMean(lo, hi, mean float64) float64 {
	a, b := -5.0, 20.0
	for range 60 {
		m := (a + b) / 2
		if powerMean(lo, hi, m) > mean {
			a = m
		} else {
			b = m
		}
	}
	return (a + b) / 2
}

func powerMean(lo, hi, a float64) float64 {
	if math.Abs(a) < 1e-6 || math.Abs(a-1) < 1e-6 {
		a += 1e-5
	}
	return a / (a - 1) * (math.Pow(lo, 1-a) - math.Pow(hi, 1-a)) / (math.Pow(lo, -a) - math.Pow(hi, -a))
}

// quantile returns the latent size below which a share p of employers lies.
func (l *sizeLaw) quantile(p float64) float64 {
	c := 0
	for c < len(l.mass)-1 && p >= l.mass[c] {
		p -= l.mass[c]
		c++
	}
	return l.within(c, p/l.mass[c])
}

// within returns the size below which a share q of the employers of class c lies.
func (l *sizeLaw) within(c int, q float64) float64 {
	return math.Pow(math.Pow(l.bounds[c], -l.alpha[c])-float64(min(q, 1-1e-12)*l.span[c]), -1/l.alpha[c])
}

// below returns the share of employers with a latent size below s.
func (l *sizeLaw) below(s float64) float64 {
	c, p := l.class(s), 0.0
	for _, m := range l.mass[:c] {
		p += m
	}
	return p + l.mass[c]*max(0, min(1, (math.Pow(l.bounds[c], -l.alpha[c])-math.Pow(s, -l.alpha[c]))/l.span[c]))
}

func (l *sizeLaw) class(s float64) int {
	c := len(l.mass) - 1
	for c > 0 && s < l.bounds[c] {
		c--
	}
	return c
}

// mean returns the mean latent size of class c.
func (l *sizeLaw) mean(c int) float64 { return powerMean(l.bounds[c], l.bounds[c+1], l.alpha[c]) }

func (l *sizeLaw) cap() float64 { return l.bounds[len(l.bounds)-1] }

// spread is the standard deviation of a year's log growth at a log size: it falls
// with a power of size (Stanley et al. 1996).
func (l *sizeLaw) spread(logS float64) float64 {
	return l.sd5 * math.Exp(-l.ex*(logS-ln5))
}

const ln5 = 1.6094379124341003
