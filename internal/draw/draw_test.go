package draw

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// data makes employers with the given head counts in every year; every second
// one is in the intervention group.
func data(staff []int, years ...int32) *linked.Data {
	labels := make([]string, len(staff))
	for e := range staff {
		labels[e] = fmt.Sprintf("E%05d", e)
	}
	dict := frame.MustDict(labels...)
	var firmE, firmY, group, jobE, jobY, worker []int32
	id := int32(0)
	for e, n := range staff {
		for _, y := range years {
			firmE, firmY, group = append(firmE, int32(e)), append(firmY, y), append(group, int32(e%2))
			for k := range n {
				jobE, jobY, worker = append(jobE, int32(e)), append(jobY, y), append(worker, id+int32(k))
			}
		}
		id += int32(n)
	}
	return &linked.Data{
		Jobs: frame.Must(frame.Codes(linked.Employer, dict, jobE), frame.Ints(linked.Year, jobY), frame.Ints(linked.Worker, worker)),
		Firms: frame.Must(frame.Codes(linked.Employer, dict, firmE), frame.Ints(linked.Year, firmY),
			frame.Codes(linked.Group, linked.GroupDict, group)),
		Periods: true,
	}
}

func sizes(n int, s ...int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = s[i%len(s)]
	}
	return out
}

func TestNumberDrawn(t *testing.T) {
	tests := []struct {
		name, why           string
		population, records int
		want                int
		warning             string
	}{
		{"third", "a fragment must not come near to the selection", 500, 3000, 166,
			"the selection has 500 employers, fewer than 9,000: 166 are released instead of 3,000"},
		{"user's own", "a smaller number that the user set is respected", 500, 100, 100, ""},
		{"large", "from 9,000 on the number asked for is drawn", 9000, 3000, 3000, ""},
		{"just below", "8,999 employers: a third is 2,999", 8999, 3000, 2999,
			"the selection has 8,999 employers, fewer than 9,000: 2,999 are released instead of 3,000"},
		{"two", "a third of two is none, and a release needs one", 2, 3000, 1,
			"the selection has 2 employers, fewer than 9,000: 1 are released instead of 3,000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Draw(data(sizes(tt.population, 1), 0), Options{Records: tt.records}, rng.SecretFromSeed(1))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.Warnings, "; "); s.Records != tt.want || len(s.Employers) != tt.want || got != tt.warning {
				t.Errorf("%s: drew %d (%d employers) with warning %q, want %d with %q", tt.why, s.Records, len(s.Employers), got, tt.want, tt.warning)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name, why string
		o         Options
		want      string
	}{
		{"zero", "the zero value draws nothing", Options{}, "records is 0"},
		{"unit", "a unit must be known", Options{Unit: "firm", Records: 1}, `unit is "firm"`},
		{"column", "strata are firm columns", Options{Records: 1, Stratify: []string{"wage"}}, `by "wage"`},
		{"merged workers", "a worker is not merged", Options{Unit: UnitWorker, Records: 1, Merge: []int32{}}, "employers are merged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.o.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
			}
		})
	}
	if _, err := Draw(data([]int{1}, 0), Options{Records: 1}, rng.Secret{}); err == nil {
		t.Error("a zero key was accepted")
	}
}

// Laws: the total is hit, each stratum gets its share rounded up or down and at
// least one, weights add up to the population.
func TestDrawLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		staff := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 2, 4, 5, 9, 10, 30, 60}), 1, 120).Draw(t, "staff")
		unit := rapid.SampledFrom([]string{UnitEmployer, UnitEmployerYear, UnitWorker}).Draw(t, "unit")
		if slices.Max(staff) == 0 {
			staff[0] = 3
		}
		d := data(staff, 2010, 2011)
		o := Options{Unit: unit, Records: rapid.IntRange(1, 40).Draw(t, "records")}
		s, err := Draw(d, o, rng.SecretFromSeed(rapid.Uint64().Draw(t, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		drawn, population := 0, 0
		for _, h := range s.Strata {
			e := float64(h.Population) * float64(s.Records) / float64(s.Population)
			if h.Drawn < 1 || math.Abs(float64(h.Drawn)-e) >= 1 {
				t.Fatalf("stratum %v expects %v", h, e)
			}
			drawn, population = drawn+h.Drawn, population+h.Population
		}
		if drawn != s.Records || population != s.Population {
			t.Fatalf("drew %d of %d, want %d of %d", drawn, population, s.Records, s.Population)
		}
		total := 0.0
		for _, w := range s.Weight {
			total += w
		}
		if unit == UnitWorker {
			total /= 2 // each person has two rows
		}
		if math.Abs(total-float64(population)) > 1e-6 {
			t.Fatalf("weights add up to %v, want %d", total, population)
		}
		if !slices.IsSorted(s.Employers) || len(slices.Compact(slices.Clone(s.Employers))) != len(s.Employers) {
			t.Fatalf("employers are not ascending: %v", s.Employers)
		}
		r := s.Restrict(d)
		if err := r.Validate(); err != nil && r.Jobs.Rows() > 0 {
			t.Fatal(err)
		}
	})
}

// Two merged units are drawn whole.
func TestDrawKeepsMergedUnitsWhole(t *testing.T) {
	d := data(sizes(60, 1, 2, 3), 2010, 2011)
	to := make([]int32, 60)
	for e := range to {
		to[e] = int32(e / 4 * 4)
	}
	s, err := Draw(d, Options{Records: 5, Merge: to}, rng.SecretFromSeed(3))
	if err != nil {
		t.Fatal(err)
	}
	if s.Population != 15 || s.Records != 5 || len(s.Employers) != 20 {
		t.Fatalf("drew %d of %d units with %d employers, want 5 of 15 with 20", s.Records, s.Population, len(s.Employers))
	}
	for i, e := range s.Employers {
		if w, _ := s.WeightOf(e, 2010); e != to[s.Employers[i/4*4]]+int32(i%4) || w != 3 {
			t.Fatalf("employer %d (weight %v) stands without its unit in %v", e, w, s.Employers)
		}
	}
}

func TestDrawIsKeyed(t *testing.T) {
	d := data(sizes(300, 1, 6, 12), 2010)
	draw := func(seed uint64) *Sample {
		s, err := Draw(d, Options{Records: 50}, rng.SecretFromSeed(seed))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if diff := cmp.Diff(draw(1), draw(1)); diff != "" {
		t.Errorf("one key drew twice (-first +second):\n%s", diff)
	}
	if slices.Equal(draw(1).Employers, draw(2).Employers) {
		t.Error("two keys drew the same employers")
	}
}

// Every employer has the same chance n/N: 4,000 draws of 10 of 40, of which 33
// stand in one stratum, 5 and 2 in small ones. With 40 employers and a bound of
// 5 standard errors the false-alarm rate is below 1 in 30,000.
func TestInclusionProbability(t *testing.T) {
	if testing.Short() {
		t.Skip("4,000 draws")
	}
	staff := append(append(sizes(33, 2), sizes(5, 60)...), 2000, 2000)
	d := data(staff, 2010)
	const draws = 4000
	hits := make([]int, len(staff))
	for seed := range uint64(draws) {
		s, err := Draw(d, Options{Records: 10, Stratify: []string{linked.SizeClass}}, rng.SecretFromSeed(seed))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range s.Employers {
			hits[e]++
		}
	}
	bound := 5 * math.Sqrt(.25*.75/draws)
	for e, h := range hits {
		if p := float64(h) / draws; math.Abs(p-.25) > bound {
			t.Errorf("employer %d with %d staff is drawn with frequency %v, want 0.25 ± %.3f", e, staff[e], p, bound)
		}
	}
}

func TestMergedStrataLabels(t *testing.T) {
	s, err := Draw(data(append(sizes(28, 1), 7, 30), 0), Options{Records: 5, Stratify: []string{linked.SizeClass, linked.Region}}, rng.SecretFromSeed(1))
	if err != nil {
		t.Fatal(err)
	}
	want := []Stratum{{"size_class=1-4 + size_class=5-9 + size_class=20-49", 30, 5}}
	if diff := cmp.Diff(want, s.Strata); diff != "" {
		t.Errorf("strata of one are merged (-want +got):\n%s", diff)
	}
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], `no column "region"`) {
		t.Errorf("warnings %q, want one on region", s.Warnings)
	}
}
