package suppress

import "math/bits"

// Arithmetic modulo the Mersenne prime 2^61-1.
const prime = 1<<61 - 1

func add(a, b uint64) uint64 {
	s := a + b
	if s >= prime {
		s -= prime
	}
	return s
}

func neg(a uint64) uint64 {
	if a == 0 {
		return 0
	}
	return prime - a
}

func mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	s := lo&prime + (lo>>61 | hi<<3)
	if s >= prime {
		s -= prime
	}
	return s
}

// inverse returns 1/a for a other than 0, as a^(p-2).
func inverse(a uint64) uint64 {
	switch a {
	case 1, prime - 1:
		return a
	}
	out := uint64(1)
	for e := uint64(prime - 2); e > 0; e >>= 1 {
		if e&1 == 1 {
			out = mul(out, a)
		}
		a = mul(a, a)
	}
	return out
}
