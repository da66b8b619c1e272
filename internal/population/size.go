package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
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
	limit, above := min(f.Cap, max(f.CapFloor, f.CapPer*float64(employers))), 0.0
	for c := len(f.Shares) - 1; c >= 0; c-- {
		if want := .5 / float64(employers); above+f.Shares[c] > want {
			if s := l.bounds[c] * math.Pow(f.Shares[c]/(want-above), 1/f.Tail); s < limit {
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
		a := f.Tail
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
	q := min(p/l.mass[c], 1-1e-12)
	return math.Pow(math.Pow(l.bounds[c], -l.alpha[c])-float64(q*l.span[c]), -1/l.alpha[c])
}

func (l *sizeLaw) class(s float64) int {
	c := len(l.mass) - 1
	for c > 0 && s < l.bounds[c] {
		c--
	}
	return c
}

// logDensity is that of log s, up to nothing.
func (l *sizeLaw) logDensity(s, logS float64) float64 {
	c := l.class(s)
	return math.Log(l.mass[c]*math.Abs(l.alpha[c]/l.span[c])) - float64(l.alpha[c]*logS)
}

func (l *sizeLaw) spread(s float64) float64 { return l.sd5 * math.Pow(s/5, -l.ex) }

// grow moves a latent size by one year: a Laplace step of log size whose spread
// falls with size (Stanley et al. 1996), accepted by the rule of Metropolis and
// Hastings, so that the law is exactly stationary. Refused steps are years
// without growth, which small employers do have.
func (l *sizeLaw) grow(s float64, r *rng.Stream) float64 {
	logS, sd := math.Log(s), l.spread(s)
	step, u := r.Laplace(sd), r.Float64()
	logTo := logS + step
	to := math.Exp(logTo)
	if to < l.bounds[0] || to >= l.bounds[len(l.bounds)-1] {
		return s
	}
	back, d := l.spread(to), math.Abs(step)*math.Sqrt2
	ratio := l.logDensity(to, logTo) - l.logDensity(s, logS) + math.Log(sd/back) - d/back + d/sd
	if math.Log(u) < ratio {
		return to
	}
	return s
}
