//go:build unix

package outputs

import (
	"syscall"
	"testing"
	"time"
)

// reportCPU reports the processor time since begin: on a shared machine it says
// more than the time on the clock.
func reportCPU(b *testing.B, begin time.Duration) {
	b.ReportMetric((processor(b)-begin).Seconds()/float64(b.N), "cpu-s/op")
}

func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
