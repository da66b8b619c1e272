package estimate_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/estimate"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// truth is the worker and employer variance and their covariance over the rows of
// a set.
func truth(d estimate.TwoWay, alpha, psi []float64, f estimate.Components) (out [3]float64) {
	in := map[int32]bool{}
	for _, e := range f.Codes {
		in[e] = true
	}
	var n, a, b, aa, bb, ab float64
	for i := range d.Y {
		if in[d.Employer[i]] { // but for the few rows of bridges and of workers seen once
			n++
			a, b, aa, bb, ab = a+alpha[i], b+psi[i], aa+alpha[i]*alpha[i], bb+psi[i]*psi[i], ab+alpha[i]*psi[i]
		}
	}
	return [3]float64{aa/n - a*a/n/n, bb/n - b*b/n/n, ab/n - a*b/n/n}
}

func parts(f estimate.Components) [3]estimate.Component {
	return [3]estimate.Component{f.Worker, f.Employer, f.Covariance}
}

// TestComponentsAreUnbiased: where the plug-in is off by many standard errors, the
// corrected components hit the truth on average over populations. Four standard
// errors of that average: a false alarm in five thousand for the three together.
// The standard error takes employers for draws, so it may not be smaller than the
// spread of the error on given employers.
func TestComponentsAreUnbiased(t *testing.T) {
	seeds := 24
	if testing.Short() {
		seeds = 6
	}
	type draw struct{ corrected, plug, se [3]float64 }
	draws, err := par.Map(ctx, seeds, func(k int) (draw, error) {
		d, alpha, psi := wages(uint64(100+k), 1500, 150, 5, 1)
		f, err := estimate.TwoWayComponents(ctx, d, estimate.LeaveOut{Key: rng.Sim(k)})
		if err != nil {
			return draw{}, err
		}
		var out draw
		want := truth(d, alpha, psi, f)
		for j, c := range parts(f) {
			out.corrected[j], out.plug[j], out.se[j] = c.Corrected-want[j], c.PlugIn-want[j], c.StdErr
		}
		if f.ProbeStdErr > .2*f.Employer.StdErr {
			t.Errorf("seed %d: probes add %v to a standard error of %v", k, f.ProbeStdErr, f.Employer.StdErr)
		}
		return out, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for j, name := range []string{"worker variance", "employer variance", "covariance"} {
		moments := func(of func(draw) float64) (mean, sd float64) {
			for _, d := range draws {
				mean += of(d) / float64(seeds)
			}
			for _, d := range draws {
				sd += (of(d) - mean) * (of(d) - mean) / float64(seeds-1)
			}
			return mean, math.Sqrt(sd)
		}
		bias, sd := moments(func(d draw) float64 { return d.corrected[j] })
		plug, plugSD := moments(func(d draw) float64 { return d.plug[j] })
		se, _ := moments(func(d draw) float64 { return d.se[j] })
		t.Logf("%s: corrected off by %.4f (sd %.4f), plug-in by %.4f; mean standard error %.4f", name, bias, sd, plug, se)
		if root := math.Sqrt(float64(seeds)); math.Abs(bias) > 4*sd/root || math.Abs(plug) < 4*plugSD/root {
			t.Errorf("%s: corrected is off by %v, plug-in by %v, with standard deviation %v", name, bias, plug, sd)
		}
		if !testing.Short() && se < .7*sd {
			t.Errorf("%s: standard error %v, spread of the error %v", name, se, sd)
		}
	}
}

// exact returns traces by brute force, on a set without workers who stay.
func exact(d estimate.TwoWay, workers, employers int) (employer float64) {
	type pair struct{ w, e int32 }
	rows, sum := map[pair]float64{}, map[pair]float64{}
	n, mean := float64(len(d.Y)), 0.0
	for _, y := range d.Y {
		mean += y / n
	}
	var order []pair
	total, staff := make([]float64, workers), make([]float64, employers)
	for i, y := range d.Y {
		p := pair{d.Worker[i], d.Employer[i]}
		if rows[p] == 0 {
			order = append(order, p)
		}
		rows[p]++
		sum[p] += y - mean
		total[p.w]++
		staff[p.e]++
	}
	// One employer is the reference; invert by Gauss-Jordan.
	k := employers - 1
	within := func(p pair) []float64 {
		out := make([]float64, employers)
		out[p.e]++
		for _, q := range order {
			if q.w == p.w {
				out[q.e] -= rows[q] / total[p.w]
			}
		}
		return out[:k]
	}
	m := make([][]float64, k)
	for i := range m {
		m[i] = make([]float64, 2*k)
		m[i][k+i] = 1
	}
	right := make([]float64, k)
	for _, p := range order {
		v := within(p)
		for i := range v {
			right[i] += sum[p] * v[i]
			for j := range v {
				m[i][j] += rows[p] * v[i] * v[j]
			}
		}
	}
	for c := range k {
		for j := 2*k - 1; j >= 0; j-- {
			m[c][j] /= m[c][c]
		}
		for i := range m {
			if x := m[i][c]; i != c && x != 0 {
				for j := range m[i] {
					m[i][j] -= x * m[c][j]
				}
			}
		}
	}
	times := func(v []float64) []float64 {
		out := make([]float64, employers)
		for i := range k {
			for j := range k {
				out[i] += m[i][k+j] * v[j]
			}
		}
		return out
	}
	variance := func(x []float64) float64 {
		var a, b float64
		for e, w := range staff {
			a, b = a+w*x[e]/n, b+w*x[e]*x[e]/n
		}
		return b - a*a
	}
	psi := times(right)
	employer = variance(psi)
	for _, p := range order {
		v := within(p)
		solved := times(v)
		leverage := rows[p] / total[p.w]
		for i := range v {
			leverage += rows[p] * v[i] * solved[i]
		}
		alpha := 0.0
		for _, q := range order {
			if q.w == p.w {
				alpha += (sum[q] - rows[q]*psi[q.e]) / total[p.w]
			}
		}
		y := sum[p] / rows[p]
		employer -= rows[p] * rows[p] * variance(solved) * y * (y - alpha - psi[p.e]) / (1 - leverage)
	}
	return employer
}

// TestComponentsAgainstDense: with many probes the corrected employer variance is
// that of dense algebra, within five standard errors of the probes.
func TestComponentsAgainstDense(t *testing.T) {
	var d estimate.TwoWay
	s := rng.Sim(5).Stream(1, 1)
	for w := range int32(60) { // all move, so nobody is seen once
		for _, e := range rng.Sample(s, []int32{0, 1, 2, 3, 4, 5, 6, 7}, 2+s.IntN(2)) {
			for range 1 + s.IntN(3) {
				d.Y, d.Worker, d.Employer = append(d.Y, float64(w%7)+float64(e)/3+s.Normal()), append(d.Worker, w), append(d.Employer, e)
			}
		}
	}
	f, err := estimate.TwoWayComponents(ctx, d, estimate.LeaveOut{Probes: 20000})
	if err != nil {
		t.Fatal(err)
	}
	want := exact(d, 60, 8)
	t.Logf("%v, dense %v, plug-in %v, probes %v", f.Employer.Corrected, want, f.Employer.PlugIn, f.ProbeStdErr)
	if math.Abs(f.Employer.Corrected-want) > 5*f.ProbeStdErr+1e-4 {
		t.Errorf("%v, want %v", f.Employer.Corrected, want)
	}
}

func TestComponentsLaws(t *testing.T) {
	d, alpha, psi := wages(7, 600, 40, 5, 0)
	f, err := estimate.TwoWayComponents(ctx, d, estimate.LeaveOut{})
	if err != nil {
		t.Fatal(err)
	}
	for j, c := range parts(f) {
		if math.Abs(c.Corrected-c.PlugIn) > 1e-9 || math.Abs(c.Corrected-truth(d, alpha, psi, f)[j]) > .02 {
			t.Errorf("component %d without noise: %v, plug-in %v", j, c.Corrected, c.PlugIn)
		}
		sum := 0.0
		for _, x := range c.Draw {
			sum += x
		}
		if math.Abs(sum) > 1e-9 {
			t.Errorf("component %d: draws sum to %v", j, sum)
		}
	}
	d, _, _ = wages(8, 2000, 120, 4, .5)
	f, err = estimate.TwoWayComponents(ctx, d, estimate.LeaveOut{})
	if err != nil {
		t.Fatal(err)
	}
	old := runtime.GOMAXPROCS(5)
	g, err := estimate.TwoWayComponents(ctx, d, estimate.LeaveOut{})
	runtime.GOMAXPROCS(old)
	if diff := cmp.Diff(f, g); err != nil || diff != "" {
		t.Errorf("at other numbers of processors: %v (-want +got):\n%s", err, diff)
	}
	for i := range d.Y {
		d.Y[i] = 9 - 2*d.Y[i]
	}
	if g, err = estimate.TwoWayComponents(ctx, d, estimate.LeaveOut{}); err != nil {
		t.Fatal(err)
	}
	for j, c := range parts(g) {
		if diff := cmp.Diff(4*parts(f)[j].Corrected, c.Corrected, cmpopts.EquateApprox(1e-6, 1e-9)); diff != "" {
			t.Errorf("component %d in another scale (-want +got):\n%s", j, diff)
		}
	}
}

func TestLeaveOutSet(t *testing.T) {
	tests := []struct {
		name, why        string
		worker, employer []int32
		n, employers     int
		err              error
	}{
		{"two links", "either mover may go", []int32{0, 0, 1, 1}, []int32{0, 1, 0, 1}, 4, 2, nil},
		{"one link", "without it nothing ties the employers", []int32{0, 0, 1, 1, 2, 2}, []int32{0, 1, 0, 0, 1, 1}, 0, 0, estimate.ErrNoMovers},
		{"a triangle", "every link has a way round", []int32{0, 0, 1, 1, 2, 2}, []int32{0, 1, 1, 2, 2, 0}, 6, 3, nil},
		{"a tail", "employer 2 hangs on worker 2 alone, whose other rows make him one who stays", []int32{0, 0, 1, 1, 2, 2, 2}, []int32{0, 1, 0, 1, 1, 1, 2}, 6, 2, nil},
		{"seen once", "a worker with one row says nothing of noise", []int32{0, 0, 1, 1, 2}, []int32{0, 1, 0, 1, 1}, 4, 2, nil},
		{"one employer", "nobody moves", []int32{0, 0, 1}, []int32{4, 4, 4}, 0, 0, estimate.ErrNoMovers},
		{"the larger half", "two sets that only a bridge joins", []int32{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5}, []int32{0, 1, 0, 1, 1, 2, 2, 3, 2, 3, 3, 3, 3}, 7, 2, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			y := make([]float64, len(tt.worker))
			for i := range y {
				y[i] = float64(i * i % 7)
			}
			f, err := estimate.TwoWayComponents(ctx, estimate.TwoWay{Y: y, Worker: tt.worker, Employer: tt.employer}, estimate.LeaveOut{})
			if !errors.Is(err, tt.err) {
				t.Fatalf("%v, want %v: %s", err, tt.err, tt.why)
			}
			if err == nil && (f.N != tt.n || f.Employers != tt.employers) {
				t.Errorf("%d rows of %d employers, want %d of %d: %s", f.N, f.Employers, tt.n, tt.employers, tt.why)
			}
		})
	}
	if _, err := estimate.TwoWayComponents(ctx, estimate.TwoWay{}, estimate.LeaveOut{Probes: -1}); err == nil {
		t.Error("-1 probes were taken")
	}
}

func BenchmarkTwoWayComponents(b *testing.B) {
	for _, workers := range []int{10_000, 200_000} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			if testing.Short() && workers > 10_000 {
				b.Skip("large")
			}
			d, _, _ := wages(1, workers, workers/20, 5, .3)
			d.X, d.Names = nil, nil
			for b.Loop() {
				f, err := estimate.TwoWayComponents(ctx, d, estimate.LeaveOut{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(f.Iterations), "iterations")
			}
		})
	}
}
