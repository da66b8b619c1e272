package truth

import (
	"context"
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"scramblelab/benchmarks/coverage"
	"scramblelab/internal/par"
)

var (
	populations = flag.Int("populations", 1, "populations: 100 for the benchmark")
	world       = flag.String("world", "displacement", "world of the populations")
	employers   = flag.Int("employers", 400, "employers per year: 1000 for the benchmark")
)

// The effects on composition that were planted are found on the original, and what
// a swap makes of them is what its law says. With few populations, as in an
// ordinary test run, single estimates are looked at: four and a half standard
// errors are a false alarm in a thousand for the thirty estimates of each. From 20
// on, coverage is judged (Holm 1979, one false alarm in a thousand), and the mean
// distance between scrambled and expected.
func TestKnownTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("a population and its scrambles")
	}
	ctx := context.Background()
	scrambles := Scrambles()
	dir := t.TempDir()
	treated := 0
	draws, err := par.Map(ctx, *populations, func(k int) ([]Estimates, error) {
		s, err := Draw(ctx, filepath.Join(dir, fmt.Sprint(k)), coverage.Options(*employers, *world, 1.25, uint64(k+1)))
		if err != nil {
			return nil, err
		}
		if k == 0 {
			treated = s.Treated
		}
		return s.Measure(ctx, scrambles, uint64(k+1))
	})
	if err != nil {
		t.Fatal(err)
	}
	var original []*coverage.Tally
	scrambled := make([][]*coverage.Tally, len(scrambles))
	distance, squares := make([][]float64, len(scrambles)), make([][]float64, len(scrambles))
	for _, estimates := range draws {
		for i, e := range estimates {
			name := fmt.Sprintf("%s %d", e.Outcome, e.Event)
			if i == len(original) {
				original = append(original, &coverage.Tally{Name: name})
				for c := range scrambles {
					scrambled[c] = append(scrambled[c], &coverage.Tally{Name: name})
					distance[c], squares[c] = append(distance[c], 0), append(squares[c], 0)
				}
			}
			x := e.Original
			if math.IsNaN(x.StdErr) { // too few of a class to compare employers by
				continue
			}
			original[i].Add(x.Estimate, x.Low, x.High, x.StdErr, e.Truth)
			if *populations < 20 && !(math.Abs(x.Estimate-e.Truth) < 4.5*x.StdErr) {
				t.Errorf("%s: %.4f (%.4f) on the original, true %.4f", name, x.Estimate, x.StdErr, e.Truth)
			}
			for c := range scrambles {
				y := e.Scrambled[c]
				if math.IsNaN(y.StdErr) {
					continue
				}
				scrambled[c][i].Add(y.Estimate, y.Low, y.High, y.StdErr, e.Truth)
				d := y.Estimate - e.Expected[c]
				distance[c][i] += d
				squares[c][i] += d * d
				if *populations < 20 && !(math.Abs(d) <= 4.5*y.StdErr) {
					t.Errorf("%s, %s: %.4f (%.4f), the law expects %.4f", scrambles[c].Name, name, y.Estimate, y.StdErr, e.Expected[c])
				}
			}
		}
	}
	coverage.Judge(original)
	t.Logf("%s", coverage.Table(fmt.Sprintf("%s, %d populations of %d employers a year, %d treated in the first: original", *world, *populations, *employers, treated), original))
	for c, table := range scrambled {
		coverage.Judge(table)
		t.Logf("%s", coverage.Table(scrambles[c].Name, table))
	}
	if *populations < 20 {
		return
	}
	for _, c := range original {
		if c.Holm < coverage.Alarm && c.Hits < c.Low {
			t.Errorf("%s: intervals hold the truth %d times of %d, outside [%d, %d] (Holm p %.2g)", c.Name, c.Hits, c.N, c.Low, c.High, c.Holm)
		}
	}
	for c := range scrambles {
		for i, d := range distance[c] {
			n := float64(scrambled[c][i].N)
			sd := math.Sqrt(max(0, squares[c][i]/n-d/n*d/n) / (n - 1))
			// 4.5: as above. A ratio is not linear in the head counts.
			if z := d / n / sd; math.Abs(z) > 4.5 && draws[0][i].Outcome.Class != "" && !draws[0][i].Outcome.Ratio {
				t.Errorf("%s, %s: %.5f from what the law expects, %.1f standard errors", scrambles[c].Name, original[i].Name, d/n, z)
			}
		}
	}
}
