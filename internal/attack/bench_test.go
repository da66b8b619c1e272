package attack

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/population"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
)

const stageFragment rng.Stage = 2

// generated is a population of 20,000 employers a year over ten years, some
// 32,000 in all, and its accounts: made once for all benchmarks.
var generated = sync.OnceValues(func() (*linked.Data, error) {
	p, err := population.Generate(context.Background(), population.Options{Employers: 20000, From: 2012, To: 2021, Seed: 1}, nil)
	if err != nil {
		return nil, err
	}
	return p.Linked()
})

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

func BenchmarkFingerprint(b *testing.B) {
	d, err := generated()
	if err != nil {
		b.Fatal(err)
	}
	p, err := FromAccounts(d)
	if err != nil {
		b.Fatal(err)
	}
	a, err := Find("research-team")
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, r Release) {
		b.Run(name, func(b *testing.B) {
			units := 0
			for b.Loop() {
				f, err := Fingerprint(context.Background(), r, p, a, Options{})
				if err != nil {
					b.Fatal(err)
				}
				units += len(f.Units)
			}
			b.ReportMetric(float64(units)/b.Elapsed().Seconds(), "serials/s")
		})
	}
	for _, n := range []int{300, 1000, 3000} {
		run(fmt.Sprintf("serials=%d", n), fragment(b, d, n, false, false))
	}
	yearly := fragment(b, d, 3000, true, true)
	for _, n := range []int{3000, 10000, 30000} {
		run(fmt.Sprintf("serial-years=%d", n), firstRows(yearly, n))
	}
}
