package rng

import "math"

// ziggurat cuts the exponential density into 256 layers of equal area; layer 0
// holds the tail beyond r (Marsaglia and Tsang 2000).
type ziggurat struct{ x, f [257]float64 }

var layers = func() (z ziggurat) {
	const r, area = 7.69711747013104972, 3.949659822581572e-3
	z.x[0], z.x[1] = area*math.Exp(r), r
	for i := 1; i < 255; i++ {
		z.x[i+1] = -math.Log(area/z.x[i] + math.Exp(-z.x[i]))
	}
	for i, x := range z.x {
		z.f[i] = math.Exp(-x)
	}
	return z
}()

// QuickExp returns a standard exponential draw, as [Stream.Exp] does but without
// a logarithm for 49 draws in 50. It is kept apart because it would change every
// population of a seed.
func (s *Stream) QuickExp() float64 {
	for {
		u := s.Uint64()
		i := u & 255
		x := float64(u>>11) * 0x1p-53 * layers.x[i]
		switch {
		case x < layers.x[i+1]:
			return x
		case i == 0:
			return layers.x[1] + s.Exp()
		case layers.f[i]+float64(s.Float64()*(layers.f[i+1]-layers.f[i])) < math.Exp(-x):
			return x
		}
	}
}

// bell cuts half of the normal density into 256 layers of equal area; layer 0
// holds the tail beyond r (Marsaglia and Tsang 2000).
var bell = func() (z ziggurat) {
	const r, area = 3.6541528853610088, 4.92867323399e-3
	z.x[0], z.x[1] = area*math.Exp(r*r/2), r
	for i := 1; i < 255; i++ {
		z.x[i+1] = math.Sqrt(-2 * math.Log(area/z.x[i]+math.Exp(-z.x[i]*z.x[i]/2)))
	}
	for i, x := range z.x {
		z.f[i] = math.Exp(-x * x / 2)
	}
	return z
}()

// QuickNormal returns a standard normal draw, as [Stream.Normal] does but from
// one word, with neither logarithm nor root, for 49 draws in 50. It keeps no spare.
func (s *Stream) QuickNormal() float64 {
	for {
		u := s.Uint64()
		i := u & 255
		x := float64(u>>11) * 0x1p-53 * bell.x[i]
		switch {
		case x < bell.x[i+1]:
		case i == 0:
			x = s.normalTail(bell.x[1])
		case bell.f[i]+float64(s.Float64()*(bell.f[i+1]-bell.f[i])) >= math.Exp(-x*x/2):
			continue
		}
		if u&256 != 0 {
			return -x
		}
		return x
	}
}

// normalTail returns a normal draw given that it exceeds r (Marsaglia 1964).
func (s *Stream) normalTail(r float64) float64 {
	for {
		x := s.Exp() / r
		if 2*s.Exp() > x*x {
			return r + x
		}
	}
}
