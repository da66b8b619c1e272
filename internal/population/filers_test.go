package population

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"scramblelab/internal/calibration"
	"scramblelab/internal/frame"
)

// Two sources cannot both hold: the sizes of the built-in file, and the staff of
// full-format filers in 2012. The example keeps the second, the built-in file as
// much of it as the law leaves.
func TestFilersOf2012(t *testing.T) {
	if testing.Short() {
		t.Skip("draws two populations of 8,000 employers")
	}
	example, err := calibration.Load(filepath.Join("..", "..", "examples", "population", "filers-2012.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, why          string
		figures            *calibration.Figures
		full, count, brief [2]float64 // least and most
	}{
		{"example", "56 % of staff, 10.5 % of filers and 11.5 staff elsewhere, within the tolerances of the targets", example,
			[2]float64{.51, .61}, [2]float64{.09, .12}, [2]float64{10, 13}},
		{"built in", "employers of 100 and more have 57-58 % of staff by themselves", calibration.Belgium(),
			[2]float64{.58, .68}, [2]float64{.09, .12}, [2]float64{7.5, 9.3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Generate(context.Background(), Options{Employers: 8000, From: 2010, To: 2012, Suppliers: "none", World: "null", Seed: 5, Figures: c.figures}, nil)
			if err != nil {
				t.Fatal(err)
			}
			heads := map[int32]float64{}
			for row, id := range p.Jobs.Col("employer_id").I {
				if p.Jobs.Col("year").I[row] == 2012 && p.Jobs.Col("left").I[row] == frame.NoInt {
					heads[id]++
				}
			}
			var filers, staff [3]float64
			schema := p.Accounts.Col("schema").I
			for row, id := range p.Accounts.Col("employer_id").I {
				if p.Accounts.Col("year").I[row] == 2012 && heads[id] > 0 {
					filers[schema[row]]++
					staff[schema[row]] += heads[id]
				}
			}
			for _, x := range []struct {
				what  string
				value float64
				want  [2]float64
			}{
				{"staff of full filers", staff[schemaFull] / (staff[schemaFull] + staff[schemaAbbreviated]), c.full},
				{"full filers", filers[schemaFull] / (filers[schemaFull] + filers[schemaAbbreviated]), c.count},
				{"mean staff of the others", staff[schemaAbbreviated] / filers[schemaAbbreviated], c.brief},
			} {
				t.Logf("%s: %.4f", x.what, x.value)
				if math.IsNaN(x.value) || x.value < x.want[0] || x.value > x.want[1] {
					t.Errorf("%s: %.4f, want %v: %s", x.what, x.value, x.want, c.why)
				}
			}
		})
	}
}
