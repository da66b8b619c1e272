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
		u := s.src.Uint64()
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
