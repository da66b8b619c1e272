package swap

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// edgeOptions are options with which a method runs on one-column frames.
func edgeOptions(m Method) Options {
	o := Options{Method: m.Name, Bundle: []string{linked.Wage}, Rate: 1, Same: []string{linked.Year}, Window: 0.5,
		Near: []string{linked.Age}, Given: []string{linked.Age}, Hierarchy: []string{linked.Employer}, Risk: []string{linked.Wage}, K: 2}
	return o
}

// TestEveryMethodAtTheEdge: what is impossible is said, never an error and never
// a swap that was not asked for.
func TestEveryMethodAtTheEdge(t *testing.T) {
	of := func(employer []string, year, wage []int32, more ...frame.Column) *frame.Frame {
		age := make([]int32, len(wage))
		for i := range age {
			age[i] = int32(20 + i%3)
		}
		return linked.Canonical(frame.Must(append([]frame.Column{frame.Strings(linked.Employer, employer), frame.Ints(linked.Year, year),
			frame.Ints(linked.Wage, wage), frame.Ints(linked.Age, age)}, more...)...))
	}
	no := frame.NoInt
	many := func() *frame.Frame { // 1e5 employers and as many wages
		n := 100_000
		names, wage := make([]string, n), rng.Sample(rng.Sim(1).Stream(1, 1), Identity(n), n)
		for i := range names {
			names[i] = fmt.Sprintf("E%06d", i)
		}
		return of(names, make([]int32, n), wage)
	}
	tests := []struct {
		name, why string
		f         *frame.Frame
		change    func(o *Options)
		most      int64 // units touched at most
		least     int64 // and at least
		warning   string
	}{
		{"rate 0", "nobody, silently", of([]string{"a", "b"}, []int32{1, 1}, []int32{1, 2}), func(o *Options) { o.Rate = 0 }, 0, 0, ""},
		{"strata of one", "nobody, and the reachable rate is 0", of([]string{"a", "b", "c"}, []int32{1, 2, 3}, []int32{1, 2, 3}), nil, 0, 0, "is not reached: 0 of the 3 rows"},
		{"odd stratum", "one is left over by pairs", of([]string{"a", "b", "c"}, []int32{1, 1, 1}, []int32{1, 2, 3}), nil, 3, 2, ""},
		{"one employer", "nobody works elsewhere", of([]string{"a", "a"}, []int32{1, 1}, []int32{1, 2}), func(o *Options) { o.Scope = AcrossEmployers }, 0, 0, "is not reached: 0 of the 2 rows"},
		{"all equal", "touched, and nothing is protected", of([]string{"a", "b", "c", "d"}, []int32{1, 1, 1, 1}, []int32{7, 7, 7, 7}), nil, 4, 0, ""},
		{"all missing, exchanged", "missing is a value like any other", of([]string{"a", "b"}, []int32{1, 1}, []int32{no, no}), nil, 2, 0, ""},
		{"all missing, kept", "never swapped", of([]string{"a", "b"}, []int32{1, 1}, []int32{no, no}), func(o *Options) { o.FixMissing = true }, 0, 0, "is not reached: 0 of the 2 rows"},
		{"1e5 categories", "a table of all of them is not worth its room", many(), func(o *Options) {
			o.Hierarchy, o.Risk = []string{linked.Employer}, []string{linked.Wage, linked.Employer}
		}, 100_000, 99_990, ""},
		{"weights", "weighted counts are kept on average only", of([]string{"a", "b", "c", "d"}, []int32{1, 1, 1, 1}, []int32{1, 2, 3, 4}, frame.Floats(linked.Weight, []float64{1, 2, 3, 4})), nil, 4, 0, "weighted counts only on average"},
		{"no rows", "an empty frame is a frame", of(nil, nil, nil), nil, 0, 0, ""},
	}
	for _, m := range Methods() {
		for _, tt := range tests {
			t.Run(m.Name+"/"+tt.name, func(t *testing.T) {
				o := edgeOptions(m)
				if tt.change != nil {
					tt.change(&o)
				}
				if !m.Pairs && o.Scope == AcrossEmployers {
					return // refused: it deals values to anybody
				}
				r := must(t, tt.f, o)
				if tt.f.Rows() < 1000 {
					checkContract(t, tt.f, o, r)
				}
				touched := int64(0)
				for _, p := range r.Report.Pairings {
					touched += p.Touched
				}
				if touched > tt.most || touched < tt.least && m.Name != ConditionalShuffle { // which leaves alone what the given column tells
					t.Errorf("touched %d, want %d to %d: %s", touched, tt.least, tt.most, tt.why)
				}
				if tt.warning != "" && !slices.ContainsFunc(r.Report.Warnings, func(w string) bool { return strings.Contains(w, tt.warning) }) {
					t.Errorf("warnings %q, want … %s …", r.Report.Warnings, tt.warning)
				}
			})
		}
	}
}
