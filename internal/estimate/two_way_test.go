package estimate_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/estimate"
	"scramblelab/internal/rng"
)

// wages draws workers over years who move between employers now and then, with
// worker effects of sd 1, employer effects of sd .5 and sorting.
func wages(seed uint64, workers, employers, years int, noise float64) (t estimate.TwoWay, alpha, psi []float64) {
	t.X, t.Names = make([][]float64, 1), []string{"age"}
	effect := make([]float64, employers)
	for e := range effect {
		effect[e] = .5 * rng.Sim(seed).Stream(2, uint64(e)).Normal()
	}
	for w := range workers {
		g := rng.Sim(seed).Stream(1, uint64(w))
		a := g.Normal()
		pick := func() int {
			e := g.IntN(employers)
			for range 3 { // better workers try for better employers
				if o := g.IntN(employers); (effect[o]-effect[e])*a > 0 {
					e = o
				}
			}
			return e
		}
		e := pick()
		for y := range years {
			if g.Bool(.2) {
				e = pick()
			}
			age := float64(y) + 10*g.Float64()
			t.Y = append(t.Y, 3+a+effect[e]+.02*age+noise*g.Normal())
			t.Worker, t.Employer, t.X[0] = append(t.Worker, int32(w)), append(t.Employer, int32(e)), append(t.X[0], age)
			alpha, psi = append(alpha, a), append(psi, effect[e])
		}
	}
	return t, alpha, psi
}

func TestTwoWayRecoversEffects(t *testing.T) {
	d, alpha, psi := wages(1, 800, 40, 6, 0)
	f, err := estimate.TwoWayEffects(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	if f.Employers != 40 || f.Workers != 800 || math.Abs(f.Coef[0].Estimate-.02) > 1e-10 {
		t.Errorf("%d employers, %d workers, slope %v", f.Employers, f.Workers, f.Coef[0].Estimate)
	}
	for i := range alpha { // up to a constant, exactly: there is no noise
		if math.Abs(f.WorkerEffect[i]-f.WorkerEffect[0]-alpha[i]+alpha[0]) > 1e-8 || math.Abs(f.EmployerEffect[i]-f.EmployerEffect[0]-psi[i]+psi[0]) > 1e-8 {
			t.Fatalf("row %d: effects %v and %v, want %v and %v up to a constant", i, f.WorkerEffect[i], f.EmployerEffect[i], alpha[i], psi[i])
		}
	}
	if f.Correlation < .2 || !strings.Contains(strings.Join(f.Warnings, " "), "plug-in") {
		t.Errorf("correlation %v, warnings %q", f.Correlation, f.Warnings)
	}
}

// TestTwoWayAgainstOLS: residuals are those of least squares with both sets
// absorbed, and the shares those of the identity.
func TestTwoWayAgainstOLS(t *testing.T) {
	d, _, _ := wages(2, 300, 30, 4, .5)
	f, err := estimate.TwoWayEffects(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	want, err := estimate.OLS(ctx, estimate.Spec{Y: d.Y, X: d.X, Names: d.Names, Absorb: [][]int32{d.Worker, d.Employer}, Cluster: d.Worker, KeepResiduals: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range want.Residuals {
		if !math.IsNaN(e) && math.Abs(e-f.Residual[i]) > 1e-8 {
			t.Fatalf("row %d: residual %v, want %v", i, f.Residual[i], e)
		}
	}
	s := f.Shares
	if sum := s.Worker + s.Employer + s.Sorting + s.Observables + s.WithEffects + s.Error; math.Abs(sum-1) > 1e-12 || math.Abs(s.Error-(1-f.R2)) > 1e-9 {
		t.Errorf("shares %+v sum to %v; 1-R² is %v", s, sum, 1-f.R2)
	}
}

func TestTwoWayConnectedSet(t *testing.T) {
	// Employers 0, 1 linked by worker 1; employers 7, 8 by worker 9; 7 and 8 have
	// fewer rows.
	d := estimate.TwoWay{
		Y:        []float64{1, 2, 3, 4, 5, 1, 2, math.NaN()},
		Worker:   []int32{0, 1, 1, 2, 2, 9, 9, 0},
		Employer: []int32{0, 0, 1, 1, 1, 7, 8, 1},
	}
	f, err := estimate.TwoWayEffects(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	got := []int{f.N, f.Workers, f.Employers, f.Movers, f.AllRows, f.AllWorkers, f.AllEmployers}
	if diff := cmp.Diff([]int{5, 3, 2, 1, 7, 4, 4}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if gap := f.EmployerEffect[2] - f.EmployerEffect[0]; math.Abs(gap-1) > 1e-10 || !math.IsNaN(f.WorkerEffect[5]) || !math.IsNaN(f.WorkerEffect[7]) {
		t.Errorf("gap %v, want 1: what worker 1 gained by moving; effects %v", gap, f.WorkerEffect)
	}
}

func TestTwoWayLaws(t *testing.T) {
	d, _, _ := wages(3, 4000, 120, 5, .3)
	f, err := estimate.TwoWayEffects(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	old := runtime.GOMAXPROCS(5)
	g, err := estimate.TwoWayEffects(ctx, d)
	runtime.GOMAXPROCS(old)
	if diff := cmp.Diff(f, g, cmpopts.EquateNaNs()); err != nil || diff != "" {
		t.Errorf("at other numbers of processors: %v (-want +got):\n%s", err, diff)
	}
	order := make([]int, len(d.Y))
	for i := range order {
		order[i] = i
	}
	rng.Shuffle(rng.Sim(1).Stream(1, 1), order)
	var p estimate.TwoWay
	p.X, p.Names = make([][]float64, 1), d.Names
	for _, i := range order {
		p.Y, p.Worker, p.Employer, p.X[0] = append(p.Y, 2*d.Y[i]+9), append(p.Worker, d.Worker[i]), append(p.Employer, d.Employer[i]), append(p.X[0], d.X[0][i])
	}
	g, err = estimate.TwoWayEffects(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	near := cmpopts.EquateApprox(0, 1e-9)
	if diff := cmp.Diff(f.Shares, g.Shares, near) + cmp.Diff(f.Correlation, g.Correlation, near); diff != "" {
		t.Errorf("in another order and scale (-want +got):\n%s", diff)
	}
	for k, i := range order {
		if math.Abs(g.EmployerEffect[k]-2*f.EmployerEffect[i]) > 1e-8 {
			t.Fatalf("employer effect %v, want twice %v", g.EmployerEffect[k], f.EmployerEffect[i])
		}
	}
}

func BenchmarkTwoWayEffects(b *testing.B) {
	for _, workers := range []int{10_000, 100_000, 400_000} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			if testing.Short() && workers > 10_000 {
				b.Skip("large")
			}
			d, _, _ := wages(1, workers, workers/20, 5, .3)
			d.X, d.Names = nil, nil
			b.ResetTimer()
			for b.Loop() {
				if _, err := estimate.TwoWayEffects(ctx, d); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(d.Y))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
