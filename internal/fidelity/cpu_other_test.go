//go:build !unix

package fidelity

// cpuSeconds is not known here.
func cpuSeconds() float64 { return 0 }
