package swap

import (
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// values renders a frame row by row, so that frames can be compared.
func values(f *frame.Frame) [][]float64 {
	out := make([][]float64, f.Rows())
	for i := range out {
		for _, n := range slices.Sorted(slices.Values(f.Names())) {
			v := f.Col(n).Value(i)
			if math.IsNaN(v) {
				v = -1e9
			}
			out[i] = append(out[i], v)
		}
	}
	return out
}

func multiset(c frame.Column) map[float64]int {
	m := map[float64]int{}
	for i := range c.Len() {
		if c.Missing(i) {
			m[-1e9]++
			continue
		}
		m[c.Value(i)]++
	}
	return m
}

// checkContract checks on the result, without the package's own checks, what
// every method promises.
func checkContract(t interface {
	Helper()
	Fatalf(string, ...any)
}, f *frame.Frame, o Options, r *Result) {
	t.Helper()
	for _, g := range r.Pairings {
		if !g.Perm.IsBijection() {
			t.Fatalf("%v: no bijection", g.Columns)
		}
		inverse := g.Perm.Inverse()
		for _, n := range g.Columns {
			was, now := f.Col(n), r.Frame.Col(n)
			if d := cmp.Diff(multiset(was), multiset(now)); d != "" {
				t.Fatalf("column %q lost its multiset (-want +got):\n%s", n, d)
			}
			if d := cmp.Diff(was.I, inverse.Apply(now).I); d != "" {
				t.Fatalf("column %q is not undone by the inverse (-want +got):\n%s", n, d)
			}
		}
		for i, j := range g.Perm {
			if int32(i) == j {
				continue
			}
			for _, n := range o.Same {
				if f.Col(n).Compare(i, int(j)) != 0 {
					t.Fatalf("rows %d and %d differ in %q, which is in same", i, j, n)
				}
			}
			if o.Unit.overYears() && f.Col(linked.Year).I[i] != f.Col(linked.Year).I[j] {
				t.Fatalf("a person's values move from year to year")
			}
			together := f.Col(linked.Employer).I[i] == f.Col(linked.Employer).I[j]
			if together && o.Scope == AcrossEmployers || !together && o.Scope == WithinEmployer {
				t.Fatalf("rows %d and %d break scope %v", i, j, o.Scope)
			}
			if m, _ := lookupMethod(o.Method); !o.Unit.overYears() && m.Pairs && g.Perm[j] != int32(i) {
				t.Fatalf("rows %d and %d are no pair", i, j)
			}
		}
	}
	for _, n := range f.Names() {
		if slices.ContainsFunc(r.Pairings, func(g Pairing) bool { return slices.Contains(g.Columns, n) }) {
			continue
		}
		if a, b := f.Col(n), r.Frame.Col(n); len(a.I) > 0 && &a.I[0] != &b.I[0] {
			t.Fatalf("column %q was not in the bundle but is not shared", n)
		}
	}
	if w, ok := r.Frame.Lookup(linked.Worker); ok {
		seen := map[[3]int32]bool{}
		for i := range r.Frame.Rows() {
			k := [3]int32{w.I[i], r.Frame.Col(linked.Employer).I[i], r.Frame.Col(linked.Year).I[i]}
			if seen[k] {
				t.Fatalf("key %v stands twice", k)
			}
			seen[k] = true
		}
	}
	for _, p := range r.Report.Pairings {
		if p.Changed > p.Touched || p.Touched > p.Units {
			t.Fatalf("changed %d, touched %d, units %d", p.Changed, p.Touched, p.Units)
		}
	}
}

func TestMethodContract(t *testing.T) {
	for _, m := range Methods() {
		t.Run(m.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				raw := drawFrame(t, rapid.Bool().Draw(t, "with worker"))
				f := linked.Canonical(raw)
				o := drawOptions(t, m)
				if err := o.Validate(f); err != nil {
					if !strings.HasPrefix(err.Error(), "swap: ") {
						t.Fatal(err)
					}
					return
				}
				before := values(f)
				r, err := Run(t.Context(), f, o, seed, 1)
				if err != nil {
					if strings.Contains(err.Error(), "determines") {
						return
					}
					t.Fatal(err)
				}
				checkContract(t, f, o, r)
				if d := cmp.Diff(before, values(f)); d != "" {
					t.Fatalf("the input was written to (-want +got):\n%s", d)
				}
				if o.Rate == 0 && len(r.Pairings) > 0 {
					t.Fatalf("rate 0 swapped")
				}
				// Row order: only rows without a worker may tie, and those are identical.
				rows := rapid.Permutation(slices.Collect(maps.Keys(index(raw.Rows())))).Draw(t, "order")
				again, err := Run(t.Context(), linked.Canonical(raw.Take(rows)), o, seed, 1)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(values(r.Frame), values(again.Frame)); d != "" {
					t.Fatalf("the order of rows matters (-want +got):\n%s", d)
				}
			})
		})
	}
}

func index(n int) map[int32]bool {
	m := map[int32]bool{}
	for i := range n {
		m[int32(i)] = true
	}
	return m
}

func TestThreadsDoNotMatter(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	f := population(1, 3000, 4, 90)
	for _, m := range Methods() {
		for _, o := range []Options{
			{Method: m.Name, Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: 0.4, Same: []string{linked.Year, linked.Group}, Scope: AcrossEmployers},
			{Method: m.Name, Bundle: []string{linked.Wage}, Rate: 1, Same: []string{linked.Year}, Scope: WithinEmployer},
			{Method: m.Name, Unit: Person, Bundle: []string{linked.Level}, Rate: 0.4, Same: []string{linked.Group}, Scope: AcrossEmployers},
			{Method: m.Name, Unit: Spell, Bundle: []string{linked.Level}, Rate: 0.4, Same: []string{linked.Group}, Scope: AcrossEmployers},
			{Method: m.Name, Bundle: []string{linked.Wage}, Rate: 0.5, Same: []string{linked.Year}, FixMissing: true},
		} {
			o.Window, o.Near, o.Caliper, o.Given = 0.1, []string{linked.FTE, linked.Sex}, 0.3, []string{linked.FTE}
			o.Hierarchy, o.Risk, o.K, o.Profiles = []string{linked.Group, linked.Employer}, []string{linked.Sex, linked.Field}, 3, [][]string{{linked.FTE}}
			if o.Validate(f) != nil {
				continue
			}
			var want *Result
			for _, threads := range []int{1, 2, 8} {
				runtime.GOMAXPROCS(threads)
				got := must(t, f, o)
				if want == nil {
					want = got
				}
				if !slices.Equal(want.Pairings[0].Perm, got.Pairings[0].Perm) {
					t.Errorf("%s %v: %d threads give another permutation", m.Name, o.Unit, threads)
				}
				if d := cmp.Diff(want.Report, got.Report); d != "" {
					t.Errorf("%s %v: %d threads give another report (-want +got):\n%s", m.Name, o.Unit, threads, d)
				}
			}
		}
	}
}

func TestKeysAndStepsMatter(t *testing.T) {
	f := population(1, 200, 2, 40)
	o := Options{Bundle: []string{linked.Wage}, Joint: true, Rate: 0.5, Same: []string{linked.Year}}
	base := must(t, f, o).Pairings[0].Perm
	otherStep, err := Run(t.Context(), f, o, seed, 2)
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := Run(t.Context(), f, o, rng.SecretFromSeed(8), 1)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(base, otherStep.Pairings[0].Perm) || slices.Equal(base, otherKey.Pairings[0].Perm) {
		t.Error("another step or key draws the same pairs")
	}
	if _, err := Run(t.Context(), f, o, rng.Secret{}, 1); err == nil {
		t.Error("the zero key was accepted")
	}
}

func TestEdges(t *testing.T) {
	one := func(employer []string, level []string) *frame.Frame {
		years := make([]int32, len(level))
		return linked.Canonical(frame.Must(frame.Strings(linked.Employer, employer), frame.Ints(linked.Year, years), frame.Strings(linked.Level, level)))
	}
	tests := []struct {
		name, why       string
		f               *frame.Frame
		o               Options
		touched, change int64
		reasons         []Unswappable
		warns           bool
	}{
		{"rate 0", "the zero value swaps nobody", one([]string{"a", "b"}, []string{"x", "y"}), Options{Bundle: []string{linked.Level}}, 0, 0, nil, false},
		{"one row", "a stratum of one has no partner", one([]string{"a"}, []string{"x"}), Options{Bundle: []string{linked.Level}, Rate: 1}, 0, 0,
			[]Unswappable{{AloneInStratum, 1}}, true},
		{"odd", "rate 1 leaves one over", one([]string{"a", "b", "c"}, []string{"x", "y", "z"}), Options{Bundle: []string{linked.Level}, Rate: 1}, 2, 2,
			[]Unswappable{{OddOneLeft, 1}}, true},
		{"one employer across", "nobody works elsewhere", one([]string{"a", "a"}, []string{"x", "y"}), Options{Bundle: []string{linked.Level}, Rate: 1, Scope: AcrossEmployers}, 0, 0,
			[]Unswappable{{NoPartnerOutside, 2}}, true},
		{"dominant employer", "two of four colleagues find partners", one([]string{"a", "a", "a", "a", "b", "c"}, []string{"1", "2", "3", "4", "5", "6"}),
			Options{Bundle: []string{linked.Level}, Rate: 1, Scope: AcrossEmployers}, 4, 4, []Unswappable{{NoPartnerOutside, 2}}, true},
		{"exactly half", "feasible, hence reached", one([]string{"a", "a", "a", "b", "c", "c"}, []string{"1", "2", "3", "4", "5", "6"}),
			Options{Bundle: []string{linked.Level}, Rate: 1, Scope: AcrossEmployers}, 6, 6, nil, false},
		{"all equal", "touched but not changed", one([]string{"a", "b"}, []string{"x", "x"}), Options{Bundle: []string{linked.Level}, Rate: 1}, 2, 0, nil, true},
		{"missing", "a missing value is exchanged like any other", one([]string{"a", "b"}, []string{"x", ""}), Options{Bundle: []string{linked.Level}, Rate: 1}, 2, 2, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := must(t, tt.f, tt.o)
			var got PairingReport
			if len(r.Report.Pairings) > 0 {
				got = r.Report.Pairings[0]
			}
			if got.Touched != tt.touched || got.Changed != tt.change {
				t.Errorf("touched %d, changed %d, want %d and %d: %s", got.Touched, got.Changed, tt.touched, tt.change, tt.why)
			}
			if d := cmp.Diff(tt.reasons, got.Unswappable); d != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, d)
			}
			if warns := len(r.Report.Warnings) > 0; warns != tt.warns {
				t.Errorf("warnings %q, want some: %v", r.Report.Warnings, tt.warns)
			}
		})
	}
}

func TestMissingIsAStratumOfItsOwn(t *testing.T) {
	f := frame.Must(frame.Strings(linked.Employer, []string{"a", "b", "c", "d"}), frame.Ints(linked.Year, make([]int32, 4)),
		frame.Strings(linked.Field, []string{"", "x", "", "x"}), frame.Ints(linked.Wage, []int32{1, 2, 3, 4}))
	r := must(t, f, Options{Bundle: []string{linked.Wage}, Rate: 1, Same: []string{linked.Field}})
	if d := cmp.Diff([]int32{3, 4, 1, 2}, r.Frame.Col(linked.Wage).I); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestValidate(t *testing.T) {
	f := population(1, 5, 2, 5)
	tests := []struct {
		name string
		o    Options
		want string // "" where the options are fine
	}{
		{"zero", Options{}, ""},
		{"rate 2", Options{Bundle: []string{linked.Level}, Rate: 2}, "want a share in [0, 1]"},
		{"rate NaN", Options{Bundle: []string{linked.Level}, Rate: math.NaN()}, "want a share in [0, 1]"},
		{"no bundle", Options{Rate: 0.1}, "bundle is empty"},
		{"year", Options{Rate: 0.1, Bundle: []string{linked.Year}}, "identifies"},
		{"unknown column", Options{Rate: 0.1, Bundle: []string{"lvl"}}, `no column "lvl"`},
		{"unknown same", Options{Rate: 0.1, Bundle: []string{linked.Level}, Same: []string{"sector"}}, "same names"},
		{"bundle and same", Options{Rate: 0.1, Bundle: []string{linked.Level}, Same: []string{linked.Level}}, "in bundle and in same"},
		{"firm attribute alone", Options{Rate: 0.1, Bundle: []string{linked.Group}}, "travels along"},
		{"employer over years", Options{Rate: 0.1, Bundle: []string{linked.Employer}}, "add it to same"},
		{"employer within", Options{Rate: 0.1, Bundle: []string{linked.Employer}, Same: []string{linked.Year}, Scope: WithinEmployer}, "exchange nothing"},
		{"employer in same", Options{Rate: 0.1, Bundle: []string{linked.Level}, Same: []string{linked.Employer}, Scope: AcrossEmployers}, "take one out"},
		{"method", Options{Rate: 0.1, Bundle: []string{linked.Level}, Method: "rank"}, RandomSwap},
		{"region of a worker", Options{Rate: 0.1, Unit: EmployerRegion, Bundle: []string{linked.Level}}, "properties of employers"},
		{"region within", Options{Rate: 0.1, Unit: EmployerRegion, Bundle: []string{linked.Group}, Scope: WithinEmployer}, "no two of them are of one employer"},
		{"twice", Options{Rate: 0.1, Bundle: []string{linked.Level, linked.Level}}, "twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.o.Validate(f)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	rows := make([]int32, f.Rows())
	for i := range rows {
		rows[i] = int32(f.Rows() - 1 - i)
	}
	if err := (Options{Rate: 0.1, Bundle: []string{linked.Level}}).Validate(f.Take(rows)); err == nil || !strings.Contains(err.Error(), "canonical") {
		t.Errorf("rows in another order: got %v", err)
	}
}

func TestNames(t *testing.T) {
	for _, u := range []Unit{Row, PersonYear, Person, Spell, EmployerRegion} {
		if got, err := ParseUnit(u.String()); err != nil || got != u {
			t.Errorf("ParseUnit(%q) = %v, %v", u, got, err)
		}
	}
	for _, s := range []Scope{Any, AcrossEmployers, WithinEmployer} {
		if got, err := ParseScope(s.String()); err != nil || got != s {
			t.Errorf("ParseScope(%q) = %v, %v", s, got, err)
		}
	}
	if _, err := ParseScope("across"); err == nil {
		t.Error("scope across was accepted")
	}
}

// TestFloatsAndLongsMove: bundles may hold any kind of column.
func TestFloatsAndLongsMove(t *testing.T) {
	f := frame.Must(frame.Strings(linked.Employer, []string{"a", "b"}), frame.Ints(linked.Year, []int32{0, 0}),
		frame.Floats("bonus", []float64{1.5, math.NaN()}), frame.Longs("capital", []int64{1 << 40, frame.NoLong}))
	r := must(t, f, Options{Bundle: []string{"bonus", "capital"}, Joint: true, Rate: 1})
	if v := r.Frame.Col("bonus").F; !math.IsNaN(v[0]) || v[1] != 1.5 {
		t.Errorf("bonus is %v", v)
	}
	if d := cmp.Diff([]int64{frame.NoLong, 1 << 40}, r.Frame.Col("capital").L); d != "" {
		t.Errorf("capital (-want +got):\n%s", d)
	}
	if p := r.Report.Pairings[0]; p.TouchedShare() != 1 || p.ChangedShare() != 1 || p.RowsChanged[1] != (ColumnChange{"capital", 2}) {
		t.Errorf("report %+v", p)
	}
}
