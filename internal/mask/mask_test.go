package mask

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

var key = rng.SecretFromSeed(3)

// panel has the given head counts by employer and year; workers stay.
func panel(counts [][]int32) (firms, jobs *frame.Frame) {
	names := make([]string, len(counts))
	var fe, fy, group, je, jy, jw []int32
	for e, path := range counts {
		names[e] = fmt.Sprintf("E%03d", e)
		for y, n := range path {
			fe, fy, group = append(fe, int32(e)), append(fy, int32(2010+y)), append(group, int32(e%2))
			for k := range n {
				je, jy, jw = append(je, int32(e)), append(jy, int32(2010+y)), append(jw, int32(1000*e)+k)
			}
		}
	}
	d, err := frame.NewDict(names, nil)
	if err != nil {
		panic(err)
	}
	firms = frame.Must(frame.Codes(linked.Employer, d, fe), frame.Ints(linked.Year, fy), frame.Codes(linked.Group, linked.GroupDict, group))
	jobs = linked.Canonical(frame.Must(frame.Codes(linked.Employer, d, je), frame.Ints(linked.Year, jy), frame.Ints(linked.Worker, jw)))
	return firms, jobs
}

func TestSampleWorkers(t *testing.T) {
	var counts [][]int32
	for e := range 200 {
		counts = append(counts, []int32{int32(e%40 + 1), int32(e%40 + 2)})
	}
	_, jobs := panel(counts)
	tests := []struct {
		share     float64
		low, high float64 // share of workers kept; 5 standard errors at n = 4300
	}{{0, 0, 0}, {0.3, 0.265, 0.335}, {0.5, 0.462, 0.538}, {1, 1, 1}}
	for _, tt := range tests {
		got, r, err := SampleWorkers(jobs, tt.share, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		if kept := 1 - r.TouchedShare(); kept < tt.low || kept > tt.high {
			t.Errorf("share %v kept %v of %d workers", tt.share, kept, r.Units)
		}
		if (len(r.Warnings) > 0) != (tt.share == 0) {
			t.Errorf("share %v: warnings %q", tt.share, r.Warnings)
		}
		if linked.Canonical(got) != got {
			t.Errorf("share %v: not in canonical order", tt.share)
		}
	}
	for _, bad := range []float64{-0.1, 1.1, math.NaN()} {
		if _, _, err := SampleWorkers(jobs, bad, key, 1); err == nil {
			t.Errorf("share %v was accepted", bad)
		}
	}
	if _, _, err := SampleWorkers(jobs, 0.5, rng.Secret{}, 1); err == nil {
		t.Error("the zero key was accepted")
	}
}

// TestSampleKeepsWholeWorkers: a worker is there with all rows or with none,
// whatever the order in which rows were read, and a table without workers is
// sampled by row.
func TestSampleKeepsWholeWorkers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "rows")
		draw := func(name string, low, high int32) []int32 {
			return rapid.SliceOfN(rapid.Int32Range(low, high), n, n).Draw(t, name)
		}
		worker := draw("worker", 0, 20)
		if rapid.Bool().Draw(t, "sparse") {
			for i := range worker {
				worker[i] *= 100_000_000 // far apart: sorted and searched instead of tabled
			}
		}
		f := frame.Must(frame.Codes(linked.Employer, frame.MustDict("a", "b", "c"), draw("employer", 0, 2)),
			frame.Ints(linked.Year, draw("year", 0, 3)), frame.Ints(linked.Worker, worker))
		got, r, err := SampleWorkers(linked.Canonical(f), 0.5, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		was, now := map[int32]int{}, map[int32]int{}
		for _, w := range f.Col(linked.Worker).I {
			was[w]++
		}
		for _, w := range got.Col(linked.Worker).I {
			now[w]++
		}
		for w, k := range now {
			if was[w] != k {
				t.Fatalf("worker %d has %d of %d rows", w, k, was[w])
			}
		}
		if int(r.Units) != len(was) || int(r.Units-r.Touched) != len(now) {
			t.Fatalf("report %+v, want %d of %d workers", r, len(now), len(was))
		}
		rows := make([]int32, n)
		for i := range rows {
			rows[i] = int32(n - 1 - i)
		}
		again, _, err := SampleWorkers(linked.Canonical(f.Take(rows)), 0.5, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(got.Col(linked.Worker).I, again.Col(linked.Worker).I); d != "" {
			t.Fatalf("the order of rows matters (-want +got):\n%s", d)
		}
	})
	_, jobs := panel([][]int32{{300}})
	_, r, err := SampleWorkers(jobs.Without(linked.Worker), 0.5, key, 1)
	if err != nil || r.Unit != "jobs" || r.Touched < 100 || r.Touched > 200 {
		t.Errorf("without workers: %+v, %v", r, err)
	}
}

// TestSampleHidesHeadCounts: employers of equal size keep differing numbers of
// workers, with the variance n·p·(1-p) = 5 of a binomial draw (400 employers,
// standard error 0.35; 5 of them allowed).
func TestSampleHidesHeadCounts(t *testing.T) {
	var counts [][]int32
	for range 400 {
		counts = append(counts, []int32{20})
	}
	_, jobs := panel(counts)
	got, _, err := SampleWorkers(jobs, 0.5, key, 1)
	if err != nil {
		t.Fatal(err)
	}
	kept := make([]float64, 400)
	for _, e := range got.Col(linked.Employer).I {
		kept[e]++
	}
	mean, square := 0.0, 0.0
	for _, k := range kept {
		mean, square = mean+k/400, square+k*k/400
	}
	if v := square - mean*mean; v < 3.2 || v > 6.8 {
		t.Errorf("variance of the kept count is %.2f, want about 5", v)
	}
}

func TestMergeSmallEmployers(t *testing.T) {
	tests := []struct {
		name, why string
		counts    [][]int32
		m         Merger
		units     []int // sizes in employers, sorted
		below     int
	}{
		{"minimum 0", "merges nobody", [][]int32{{1}, {2}, {3}}, Merger{}, []int{1, 1, 1}, 0},
		{"one employer", "nobody is left to join", [][]int32{{2}}, Merger{Minimum: 5}, []int{1}, 1},
		{"all large", "large employers stay alone", [][]int32{{5}, {6}, {7}}, Merger{Minimum: 5}, []int{1, 1, 1}, 0},
		{"pairs", "equal ones merge until the minimum", [][]int32{{3}, {3}, {3}, {3}}, Merger{Minimum: 5}, []int{2, 2}, 0},
		{"rest", "an incomplete rest joins the unit before it", [][]int32{{3}, {3}, {3}, {3}, {3}}, Merger{Minimum: 5}, []int{2, 3}, 0},
		{"strata", "groups are not mixed: each has one large and one small", [][]int32{{9}, {9}, {1}, {1}}, Merger{Minimum: 5, By: []string{linked.Group}}, []int{1, 1, 1, 1}, 2},
		{"nobody at all", "an employer without workers is small", [][]int32{{0, 0}, {4, 4}, {1, 1}}, Merger{Minimum: 5}, []int{3}, 0},
		{"mean over years present", "6 in one of two years is enough", [][]int32{{6, 0}, {1, 1}, {4, 4}}, Merger{Minimum: 5}, []int{1, 2}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			firms, jobs := panel(tt.counts)
			got, err := MergeSmallEmployers(firms, jobs, tt.m, key, 1)
			if err != nil {
				t.Fatal(err)
			}
			var sizes []int
			for _, u := range got.Members {
				sizes = append(sizes, len(u))
			}
			slices.Sort(sizes)
			if d := cmp.Diff(tt.units, sizes); d != "" || len(got.Below) != tt.below {
				t.Errorf("%s: %d below, want %d (-want +got):\n%s", tt.why, len(got.Below), tt.below, d)
			}
			if (len(got.Report.Warnings) > 0) != (tt.below > 0) {
				t.Errorf("warnings %q", got.Report.Warnings)
			}
		})
	}
}

func TestMergedUnitsHaveTheMinimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.SliceOfN(rapid.Int32Range(0, 9), 3, 3), 1, 25).Draw(t, "counts")
		m := Merger{Minimum: rapid.IntRange(0, 12).Draw(t, "minimum")}
		if rapid.Bool().Draw(t, "by group") {
			m.By = []string{linked.Group}
		}
		firms, jobs := panel(counts)
		got, err := MergeSmallEmployers(firms, jobs, m, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for k, u := range got.Members {
			total, years := int32(0), map[int]bool{}
			for _, e := range u {
				seen++
				if got.Group[e] != int32(k) {
					t.Fatalf("employer %d is in unit %d and in %d", e, k, got.Group[e])
				}
				if len(m.By) > 0 && e%2 != u[0]%2 {
					t.Fatalf("unit %d mixes groups", k)
				}
				for y, n := range counts[e] {
					total += n
					if n > 0 {
						years[y] = true
					}
				}
			}
			enough := m.Minimum <= 1 || total > 0 && int(total) >= m.Minimum*len(years)
			if below := slices.Contains(got.Below, int32(k)); enough == below {
				t.Fatalf("unit %d of %d jobs in %d years: below %v at minimum %d", k, total, len(years), below, m.Minimum)
			}
		}
		if seen != len(counts) {
			t.Fatalf("%d of %d employers have a unit", seen, len(counts))
		}
	})
}

func TestMergeRefuses(t *testing.T) {
	firms, jobs := panel([][]int32{{1, 1}, {2, 2}})
	changing := firms.With(frame.Codes(linked.SizeClass, linked.SizeDict, []int32{0, 1, 0, 0}))
	tests := []struct {
		name  string
		firms *frame.Frame
		m     Merger
		want  string
	}{
		{"negative", firms, Merger{Minimum: -1}, "minimum is -1"},
		{"unknown", firms, Merger{Minimum: 5, By: []string{"nace"}}, `"nace"`},
		{"employer", firms, Merger{Minimum: 5, By: []string{linked.Employer}}, "take it out"},
		{"changing", changing, Merger{Minimum: 5, By: []string{linked.SizeClass}}, "changes over the years"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := MergeSmallEmployers(tt.firms, jobs, tt.m, key, 1); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
