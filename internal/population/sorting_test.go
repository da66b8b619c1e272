package population

import (
	"context"
	"math"
	"slices"
	"testing"

	"scramblelab/internal/rng"
)

// The correlation of worker and firm effects lasts although workers move and
// employers' effects drift, and some workers have two jobs at every year-end.
func TestSortingAndSecondJobsLast(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 3,000 employers over nineteen years")
	}
	s, err := drawAll(context.Background(), Options{Employers: 3000, Seed: 5, Suppliers: "none", World: "null"}.Normal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var r rng.Stream
	for _, year := range []int{2003, 2009, 2015, 2021} {
		var n, x, y, xx, yy, xy, two float64
		day, seen := s.day1(year+1)-1, map[int32]bool{}
		for id := range s.employers {
			psi := s.effect(&s.employers[id], year)
			for _, sp := range s.spells[id] {
				if sp.from > day || sp.to <= day {
					continue
				}
				a := float64(s.effectOf(&s.workers[sp.who()], &r))
				n, x, y, xx, yy, xy = n+1, x+a, y+psi, xx+a*a, yy+psi*psi, xy+a*psi
				if seen[sp.who()] {
					two++
				}
				seen[sp.who()] = true
			}
		}
		got := (xy/n - x/n*y/n) / math.Sqrt((xx/n-x/n*x/n)*(yy/n-y/n*y/n))
		t.Logf("%d: correlation %.3f, %.4f with two jobs", year, got, two/n)
		if want := s.c.Wage.Sorting; math.Abs(got-want) > .09 { // a few large employers weigh most
			t.Errorf("%d: the correlation of worker and firm effects is %.3f, want %.2f within .09", year, got, want)
		}
		if two/n < .004 || two/n > .03 { // A: of the 4-5 % that RSZ counts (Em), those with two employers of the frame
			t.Errorf("%d: %.4f of jobs at the year-end are second ones, want .004 to .03", year, two/n)
		}
	}
}

// Even fifty employers have the sectors' shares of employers but for rounding.
func TestSectorsOfFewEmployers(t *testing.T) {
	for seed := range uint64(5) {
		s := firmsOnly(50, seed)
		have := make([]float64, len(s.c.Sectors))
		n := 0.0
		for id := range s.employers {
			if e := &s.employers[id]; e.present(s.o.From - 1) {
				have[e.sector]++
				n++
			}
		}
		total := 0.0
		for _, x := range s.c.Sectors {
			total += x.Employers
		}
		for k, x := range s.c.Sectors {
			if want := n * x.Employers / total; math.Abs(have[k]-want) > 3 {
				t.Errorf("seed %d: %v employers in section %s of %v, want %.1f within 3", seed, have[k], x.Code, n, want)
			}
		}
		if !slices.ContainsFunc(have, func(x float64) bool { return x > 0 }) {
			t.Fatal("no employers")
		}
	}
}
