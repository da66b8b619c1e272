package swap

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/sharedtest"
)

func keeps(t testing.TB, before, after *frame.Frame, cols ...string) bool {
	t.Helper()
	return Check(t.Context(), before, after, []Promise{{cols}}) == nil
}

// sums returns the sums of a column by the cells of others, cells by label.
func sums(f *frame.Frame, of string, by ...string) map[string]float64 {
	m := map[string]float64{}
	for i := range f.Rows() {
		m[cell(f, by, i)] += f.Col(of).Value(i)
	}
	return m
}

func TestToyInvariants(t *testing.T) {
	type person struct {
		ID, Year          int32
		Emp, Level, Field string
		Age, Wage         int32
		FTE               float64
	}
	var c struct {
		Input []person
		Cases []struct {
			Name       string
			Operations []struct {
				Vars  []string
				Pairs [][2]int32
			}
			Masked    []person
			Preserved map[string]bool
		}
	}
	sharedtest.Case(t, "swap_linked_invariants_toy", &c)
	build := func(rows []person) *frame.Frame {
		var emp, level, field []string
		var year, age, wage, fte []int32
		for _, p := range rows {
			emp, level, field = append(emp, p.Emp), append(level, p.Level), append(field, p.Field)
			year, age, wage, fte = append(year, p.Year), append(age, p.Age), append(wage, p.Wage), append(fte, int32(100*p.FTE+0.5))
		}
		return frame.Must(frame.Strings("employer", emp), frame.Ints("year", year), frame.Strings("level", level), frame.Strings("field", field),
			frame.Ints("age", age), frame.Ints("wage", wage), frame.Fixed("fte", 2, fte))
	}
	before := build(c.Input)
	for _, tt := range c.Cases {
		t.Run(tt.Name, func(t *testing.T) {
			after := before
			for _, op := range tt.Operations {
				p, err := Pairs(before.Rows(), op.Pairs)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range op.Vars {
					if n == "emp" {
						n = linked.Employer
					}
					after = after.With(p.Apply(after.Col(n)))
				}
			}
			if d := cmp.Diff(values(build(tt.Masked)), values(after)); d != "" {
				t.Fatalf("masked rows (-want +got):\n%s", d)
			}
			sameSum := func(of string, by ...string) bool {
				return cmp.Equal(sums(before, of, by...), sums(after, of, by...))
			}
			got := map[string]bool{
				"headcount_by_employer":             keeps(t, before, after, "employer"),
				"wagesum_by_employer":               sameSum("wage", "employer"),
				"fte_by_employer":                   sameSum("fte", "employer"),
				"agesum_by_employer":                sameSum("age", "employer"),
				"level_x_field_by_employer":         keeps(t, before, after, "employer", "level", "field"),
				"level_by_employer":                 keeps(t, before, after, "employer", "level"),
				"field_by_employer":                 keeps(t, before, after, "employer", "field"),
				"level_x_field_national":            keeps(t, before, after, "level", "field"),
				"level_national":                    keeps(t, before, after, "level"),
				"wage_multiset":                     keeps(t, before, after, "wage"),
				"wage_by_level_x_field_national":    keeps(t, before, after, "level", "field", "wage"),
				"wage_by_level_x_field_by_employer": keeps(t, before, after, "employer", "level", "field", "wage"),
				"wage_by_level_national":            keeps(t, before, after, "level", "wage"),
			}
			if d := cmp.Diff(tt.Preserved, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestTableOfInvariants runs the variants of METHODS 1.9: the static rule says
// what the table says, the data agree, and what is not kept differs in fact.
func TestTableOfInvariants(t *testing.T) {
	f := population(5, 300, 2, 60)
	lf := []string{linked.Level, linked.Field}
	year := []string{linked.Year}
	tables := [][]string{
		{linked.Employer}, {linked.Employer, linked.Level, linked.Field}, {linked.Employer, linked.Level},
		{linked.Level, linked.Field}, {linked.Level, linked.Field, linked.Wage}, {linked.Wage},
	}
	tests := []struct {
		name    string
		o       Options
		kept    string // one letter per table: y or n
		wageSum bool   // by employer
	}{
		{"within, wage", Options{Bundle: []string{linked.Wage}, Scope: WithinEmployer, Same: year}, "yyyyny", true},
		{"within, joint level and field", Options{Bundle: lf, Joint: true, Scope: WithinEmployer, Same: year}, "yyyyny", true},
		{"within, level", Options{Bundle: lf[:1], Scope: WithinEmployer, Same: year}, "ynynny", true},
		{"across, wage", Options{Bundle: []string{linked.Wage}, Scope: AcrossEmployers, Same: year}, "yyyyny", false},
		{"across, wage, matched", Options{Bundle: []string{linked.Wage}, Scope: AcrossEmployers, Same: slices.Concat(year, lf)}, "yyyyyy", false},
		{"across, joint level and field", Options{Bundle: lf, Joint: true, Scope: AcrossEmployers, Same: year}, "ynnyny", true},
		{"across, whole worker", Options{Bundle: []string{linked.Employer}, Joint: true, Scope: AcrossEmployers, Same: year}, "ynnyyy", false},
		{"across, whole worker, matched", Options{Bundle: []string{linked.Employer}, Joint: true, Scope: AcrossEmployers, Same: slices.Concat(year, lf)}, "yyyyyy", false},
		{"across, apart", Options{Bundle: []string{linked.Level, linked.Field, linked.Wage}, Scope: AcrossEmployers, Same: year}, "ynnnny", false},
	}
	for _, tt := range tests {
		for _, unit := range []Unit{Row, PersonYear, Person} {
			t.Run(fmt.Sprint(tt.name, " by ", unit), func(t *testing.T) {
				o := tt.o
				o.Unit, o.Rate = unit, 0.5
				after := must(t, f, o).Frame
				for k, table := range tables {
					ok, why := Keeps(o, Promise{table})
					if want := tt.kept[k] == 'y'; ok != want {
						t.Errorf("table %v: the rule says %v (%s), want %v", table, ok, why, want)
					}
					if got := keeps(t, f, after, table...); got != ok {
						t.Errorf("table %v: the rule says %v, the data %v", table, ok, got)
					}
				}
				if got := cmp.Equal(sums(f, linked.Wage, linked.Employer), sums(after, linked.Wage, linked.Employer)); got != tt.wageSum {
					t.Errorf("wage sums by employer kept: %v, want %v", got, tt.wageSum)
				}
			})
		}
	}
}

// TestKeepsIsSound: what the static rule promises holds on every frame.
func TestKeepsIsSound(t *testing.T) {
	held := 0
	rapid.Check(t, func(t *rapid.T) {
		f := linked.Canonical(drawFrame(t, rapid.Bool().Draw(t, "with worker")))
		o := drawOptions(t, methods[0])
		if o.Validate(f) != nil {
			return
		}
		r, err := Run(t.Context(), f, o, seed, 1)
		if err != nil {
			return
		}
		names := slices.DeleteFunc(f.Names(), func(n string) bool { return !rapid.Bool().Draw(t, "table "+n) })
		p := Promise{names}
		if ok, why := Keeps(o, p); ok {
			if err := Check(t.Context(), f, r.Frame, []Promise{p}); err != nil {
				t.Fatalf("%v\nbut the rule says: %s", err, why)
			}
			held++
		}
	})
	t.Logf("%d promises checked", held)
}

func TestKeepsSaysWhatToAdd(t *testing.T) {
	o := Options{Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: 0.2, Same: []string{linked.Year}, Scope: AcrossEmployers}
	apart := o
	apart.Joint = false
	tests := []struct {
		name  string
		o     Options
		table []string
		want  string // "" where kept
	}{
		{"arm missing", o, []string{linked.Year, linked.Group, linked.Level}, `add "group" to same`},
		{"employer", o, []string{linked.Year, linked.Employer, linked.Level}, "set scope to within-employer"},
		{"apart", apart, []string{linked.Level, linked.Field}, "set joint to true"},
		{"one of two", apart, []string{linked.Year, linked.Level}, ""},
		{"untouched", o, []string{linked.Employer, linked.Year, linked.Sex}, ""},
		{"together", o, []string{linked.Level, linked.Field}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ok, why := Keeps(tt.o, Promise{tt.table})
			if ok != (tt.want == "") || !strings.Contains(why, tt.want) {
				t.Errorf("kept %v: %s; want %q", ok, why, tt.want)
			}
		})
	}
}

func TestCheckNamesTheFirstCell(t *testing.T) {
	before := frame.Must(frame.Strings(linked.Employer, []string{"a", "a", "b"}), frame.Ints(linked.Year, []int32{1, 1, 2}), frame.Strings(linked.Level, []string{"x", "y", ""}))
	after := before.With(before.Col(linked.Level).Take([]int32{0, 2, 1}))
	err := Check(t.Context(), before, after, []Promise{{[]string{linked.Level}}, {[]string{linked.Year, linked.Level}}})
	want := "swap: promised table year x level is not kept: cell (year 1, level missing) had 0, has 1"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := Check(t.Context(), before, after, []Promise{{[]string{"sector"}}}); err == nil {
		t.Error("a missing column was accepted")
	}
	// Numbers too far apart for an array of counts are sorted instead.
	wide := before.With(frame.Ints(linked.Wage, []int32{-2e9, 2e9, 0}), frame.Ints(linked.Age, []int32{-2e9, 2e9, 5}))
	if err := Check(t.Context(), wide, wide, []Promise{{[]string{linked.Wage, linked.Age, linked.Level}}}); err != nil {
		t.Error(err)
	}
	if err := Check(t.Context(), wide, wide.With(frame.Ints(linked.Age, []int32{2e9, -2e9, 5})), []Promise{{[]string{linked.Wage, linked.Age}}}); err == nil {
		t.Error("two ages changed places unnoticed")
	}
}

func TestBundleClosure(t *testing.T) {
	n := 400
	level, broad, sex := make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range n {
		level[i], broad[i], sex[i] = int32(i%4), int32(i%4/2), int32(i/4%5)
	}
	f := frame.Must(frame.Strings(linked.Employer, make([]string, n)), frame.Ints(linked.Year, make([]int32, n)),
		frame.Ordered(linked.Level, levelDict, level), frame.Codes(linked.Field, frame.MustDict("low", "high"), broad),
		frame.Codes(linked.Sex, fieldDict, sex))
	small := f.Take([]int32{0, 1, 2, 3, 4, 5, 6, 7})
	tests := []struct {
		name, why string
		f         *frame.Frame
		o         Options
		want      string
	}{
		{"torn apart", "the broad level would contradict the level", f, Options{Bundle: []string{linked.Level}, Rate: 0.5}, `"level" determines "field": add "field"`},
		{"apart in the bundle", "independent pairings contradict each other too", f, Options{Bundle: []string{linked.Level, linked.Field}, Rate: 0.5}, "set joint to true"},
		{"together", "travels along", f, Options{Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: 0.5}, ""},
		{"agreed on", "partners agree on it", f, Options{Bundle: []string{linked.Level}, Same: []string{linked.Field}, Rate: 0.5}, ""},
		{"other way", "the broad level does not determine the level", f, Options{Bundle: []string{linked.Field}, Rate: 0.5}, ""},
		{"eight rows", "may be chance", small, Options{Bundle: []string{linked.Level}, Rate: 0.5}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Run(t.Context(), tt.f, tt.o, seed, 1)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q: %s", err, tt.want, tt.why)
			}
		})
	}
}

func TestPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "n")
		p, q := Permutation(rapid.Permutation(Identity(n)).Draw(t, "p")), Permutation(rapid.Permutation(Identity(n)).Draw(t, "q"))
		c := frame.Ints("x", rapid.SliceOfN(rapid.Int32(), n, n).Draw(t, "x"))
		if d := cmp.Diff(q.Apply(p.Apply(c)).I, p.Compose(q).Apply(c).I); d != "" {
			t.Fatalf("composition (-want +got):\n%s", d)
		}
		if d := cmp.Diff(Identity(n), p.Compose(p.Inverse())); d != "" {
			t.Fatalf("inverse (-want +got):\n%s", d)
		}
		rows, donors := p.Moves()
		back, err := FromMoves(n, rows, donors)
		if err != nil || len(rows) != p.Touched() {
			t.Fatalf("%d moves of %d rows, %v", len(rows), p.Touched(), err)
		}
		if d := cmp.Diff(p, back); d != "" {
			t.Fatalf("moves (-want +got):\n%s", d)
		}
	})
	if (Permutation{0, 0}).IsBijection() || (Permutation{2, 0}).IsBijection() || !(Permutation{}).IsBijection() {
		t.Error("IsBijection is wrong")
	}
	for _, bad := range [][2][]int32{{{0}, {1}}, {{5}, {0}}, {{0}, nil}} {
		if _, err := FromMoves(2, bad[0], bad[1]); err == nil {
			t.Errorf("moves %v were accepted", bad)
		}
	}
	if _, err := Pairs(3, [][2]int32{{0, 1}, {1, 2}}); err == nil {
		t.Error("overlapping pairs were accepted")
	}
}
