package rng

import (
	"math"
	"math/bits"
	randv2 "math/rand/v2"
)

// Stream is a sequence of draws. It serves as a math/rand/v2 Source and as
// such wherever gonum wants one. It is not safe for concurrent use: give each
// entity its own.
type Stream struct {
	low, high uint64          // state of the generator of a [Sim] stream
	secret    *randv2.ChaCha8 // of a [Secret] stream, else nil
	spare     float64
	hasSpare  bool
}

// Uint64 returns 64 random bits: of a [Sim] stream by PCG XSL RR 128/64 (O'Neill
// 2014), with the constants of golang.org/x/exp/rand. The generator stands here,
// and not behind an interface, because simulations spend much of their time in it.
func (s *Stream) Uint64() uint64 {
	if s.secret != nil {
		return s.secret.Uint64()
	}
	const (
		timesHigh, timesLow = 0x2360ed051fc65da4, 0x4385df649fccf645
		plusHigh, plusLow   = 0x5851f42d4c957f2d, 0x14057b7ef767814f
	)
	high, low := bits.Mul64(s.low, timesLow)
	high += s.high*timesLow + s.low*timesHigh
	low, carry := bits.Add64(low, plusLow, 0)
	high, _ = bits.Add64(high, plusHigh, carry)
	s.low, s.high = low, high
	return bits.RotateLeft64(high^low, -int(high>>58))
}

// Float64 returns a uniform number in [0, 1) with 53 random bits.
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// IntN returns a uniform integer in [0, n), without bias (Lemire 2019). It
// panics if n < 1.
func (s *Stream) IntN(n int) int {
	if n < 1 {
		panic("rng: IntN wants n >= 1")
	}
	hi, lo := bits.Mul64(s.Uint64(), uint64(n))
	if lo < uint64(n) {
		for threshold := -uint64(n) % uint64(n); lo < threshold; {
			hi, lo = bits.Mul64(s.Uint64(), uint64(n))
		}
	}
	return int(hi)
}

// Bool returns true with probability p.
func (s *Stream) Bool(p float64) bool { return s.Float64() < p }

// Normal returns a standard normal draw (polar method, Marsaglia and Bray
// 1964).
func (s *Stream) Normal() float64 {
	if s.hasSpare {
		s.hasSpare = false
		return s.spare
	}
	for {
		u, v := 2*s.Float64()-1, 2*s.Float64()-1
		q := float64(u*u) + float64(v*v)
		if q >= 1 || q == 0 {
			continue
		}
		f := math.Sqrt(-2 * math.Log(q) / q)
		s.spare, s.hasSpare = v*f, true
		return u * f
	}
}

// Exp returns a standard exponential draw.
func (s *Stream) Exp() float64 { return -math.Log(1 - s.Float64()) }

// Laplace returns a Laplace draw with mean zero and the given standard
// deviation.
func (s *Stream) Laplace(sd float64) float64 {
	x := sd / math.Sqrt2 * s.Exp()
	if s.Uint64()&1 == 0 {
		return -x
	}
	return x
}

// Gamma returns a draw with the given shape and scale 1 (Marsaglia and Tsang
// 2000). It panics unless shape > 0.
func (s *Stream) Gamma(shape float64) float64 {
	if !(shape > 0) || math.IsInf(shape, 1) {
		panic("rng: Gamma wants a finite shape > 0") // it would never return
	}
	if shape < 1 {
		return s.Gamma(shape+1) * math.Pow(1-s.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.Normal()
		v := 1 + float64(c*x)
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-s.Float64()) < float64(0.5*x*x)+d-float64(d*v)+float64(d*math.Log(v)) {
			return d * v
		}
	}
}

// Poisson returns a draw with the given mean: by inversion below 30, by a
// rounded normal, never negative, above.
func (s *Stream) Poisson(mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 30 {
		return max(0, int(math.Round(mean+float64(math.Sqrt(mean)*s.Normal()))))
	}
	limit, p, k := math.Exp(-mean), s.Float64(), 0
	for ; p > limit; k++ {
		p *= s.Float64()
	}
	return k
}

// Shuffle puts xs in a uniformly random order (Fisher and Yates 1938).
func Shuffle[T any](s *Stream, xs []T) {
	for i := len(xs) - 1; i > 0; i-- {
		j := s.IntN(i + 1)
		xs[i], xs[j] = xs[j], xs[i]
	}
}

// Sample puts k uniformly drawn elements of xs, k <= len(xs), in front, in
// random order, and returns them. The rest of xs is permuted.
func Sample[T any](s *Stream, xs []T, k int) []T {
	for i := 0; i < k; i++ {
		j := i + s.IntN(len(xs)-i)
		xs[i], xs[j] = xs[j], xs[i]
	}
	return xs[:k]
}

// Round returns x rounded to one of its two neighbouring integers so that the
// expectation is x.
func (s *Stream) Round(x float64) int {
	f := math.Floor(x)
	if s.Float64() < x-f {
		f++
	}
	return int(f)
}
