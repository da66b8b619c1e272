package attack

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/population"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
)

const stageFragment rng.Stage = 2

// fragment publishes n employers under serials, in the classes of the default
// plan, with head counts in classes where coarse.
func fragment(tb testing.TB, d *linked.Data, n int, perYear, coarse bool) Release {
	tb.Helper()
	r, _ := fragmentOf(tb, d, n, perYear, coarse)
	return r
}

// fragmentOf is fragment with the employer of every serial.
func fragmentOf(tb testing.TB, d *linked.Data, n int, perYear, coarse bool) (Release, release.SerialMap) {
	tb.Helper()
	o := publish.Options{FirmColumns: []string{linked.Group, linked.EventYear, linked.SupplierShare, linked.SizeClass}}
	for _, c := range []struct {
		to   *publish.Classes
		spec publish.Spec
	}{
		{&o.Wage, publish.Spec{Width: 5000, Top: 100000}},
		{&o.FTE, publish.Spec{Width: 0.2, Top: 1}},
		{&o.Age, publish.Spec{Bounds: []float64{30, 40, 50}}},
	} {
		var err error
		if *c.to, err = publish.NewClasses(c.spec); err != nil {
			tb.Fatal(err)
		}
	}
	if coarse {
		o.Counts = []int{1, 3, 5, 10, 20, 50, 100, 250}
		o.FirmColumns = []string{linked.Group}
	}
	all := make([]int32, d.Employers())
	for e := range all {
		all[e] = int32(e)
	}
	s := rng.Sim(3).Stream(stageFragment, 0)
	t, err := publish.Publish(context.Background(), d, rng.Sample(s, all, n), o)
	if err != nil {
		tb.Fatal(err)
	}
	t, m, err := release.Serialise(t, rng.SecretFromSeed(4), release.Delivery{}, perYear)
	if err != nil {
		tb.Fatal(err)
	}
	r := Release{Tables: t, Periods: true, SerialPerYear: perYear}
	r.Method = Method{Swaps: []Swap{{Rate: 0.2, Bundle: []string{linked.Level, linked.Field}}}, CountClasses: coarse}
	return r, m
}

// firstRows keeps some rows of the released employers: serials are a random
// permutation, so that they are a random sample.
func firstRows(r Release, n int) Release {
	emp := r.Tables.Employers
	n = min(n, emp.Rows())
	r.Tables = &publish.Tables{Employers: emp.Filter(func(i int) bool { return i < n }), Cells: r.Tables.Cells}
	return r
}

// BenchmarkFingerprint lets all presets loose on fragments of growing
// populations of 19 years, with the gain per extra year, one-to-one claims and
// posteriors included. The largest has about 90,000 candidates; it takes a
// minute to generate.
func BenchmarkFingerprint(b *testing.B) {
	for _, size := range []struct{ employers, serials int }{{4500, 300}, {13500, 1000}, {42500, 3000}} {
		b.Run(fmt.Sprintf("serials=%d", size.serials), func(b *testing.B) {
			d, err := populationOf(size.employers, 2003)
			if err != nil {
				b.Fatal(err)
			}
			p, err := FromAccounts(d)
			if err != nil {
				b.Fatal(err)
			}
			r := fragment(b, swapped(d, 9, 0.2, linked.Level, linked.Field), size.serials, false, false)
			debug.FreeOSMemory()
			peak, pairs, cpu := newPeak(), 0.0, cpuSeconds(b)
			for b.Loop() {
				cabinet := NewCabinet(p)
				found, err := cabinet.FingerprintAll(b.Context(), r, Adversaries(), Options{})
				if err != nil {
					b.Fatal(err)
				}
				peak.look()
				for _, f := range found {
					if _, err := f.Assignment(); err != nil {
						b.Fatal(err)
					}
					pairs += float64(len(f.Units)) * float64(f.M)
				}
				years := d.Years()
				for _, k := range []int{1, 2, 3, 5, 10, 15, 19} {
					if _, err := cabinet.FingerprintAll(b.Context(), r, Adversaries(), Options{Years: years[:k], Sample: 300}); err != nil {
						b.Fatal(err)
					}
				}
				peak.look()
			}
			cpu = cpuSeconds(b) - cpu
			b.ReportMetric(float64(p.Employers), "candidates")
			b.ReportMetric(pairs/b.Elapsed().Seconds(), "pairs/s")
			b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
			b.ReportMetric(cpu/pairs*1e9, "cpu-ns/pair")
			b.ReportMetric(peak.mb(), "peak-MB")
		})
	}
}

func populationOf(employers, from int) (*linked.Data, error) {
	p, err := population.Generate(context.Background(), population.Options{Employers: employers, From: from, To: 2021, Seed: 1}, nil)
	if err != nil {
		return nil, err
	}
	return p.Linked()
}

// BenchmarkSerialYears attacks serials that are fresh every year.
func BenchmarkSerialYears(b *testing.B) {
	d, err := populationOf(20000, 2012)
	if err != nil {
		b.Fatal(err)
	}
	p, err := FromAccounts(d)
	if err != nil {
		b.Fatal(err)
	}
	yearly := fragment(b, d, 3000, true, true)
	for _, n := range []int{3000, 10000, 30000} {
		r := firstRows(yearly, n)
		b.Run(fmt.Sprintf("serial-years=%d", n), func(b *testing.B) {
			pairs := 0.0
			for b.Loop() {
				found, err := FingerprintAll(b.Context(), r, p, Adversaries(), Options{})
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range found {
					pairs += float64(len(f.Units)) * float64(f.M)
				}
			}
			b.ReportMetric(pairs/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}

// peak is the memory held from the system at the moments it looked.
type peak struct {
	most    uint64
	samples []metrics.Sample
}

func newPeak() *peak {
	return &peak{samples: []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}}
}

func (p *peak) look() {
	metrics.Read(p.samples)
	p.most = max(p.most, p.samples[0].Value.Uint64()-p.samples[1].Value.Uint64())
}

func (p *peak) mb() float64 { return float64(p.most) / 1e6 }

// cpuSeconds is the processor time that this process has used.
func cpuSeconds(tb testing.TB) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
