package swap

import (
	"fmt"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

// benchFrame is a panel of about 20 workers per employer, 20 years and 5
// groups, hence 100 strata of year x group.
func benchFrame(rows int) *frame.Frame {
	s := rng.Sim(1).Stream(1, 0)
	employers := max(1, rows/400)
	names := make([]string, employers)
	for i := range names {
		names[i] = fmt.Sprintf("E%07d", i)
	}
	dict := frame.MustDict(names...)
	groups := frame.MustDict("a", "b", "c", "d", "e")
	employer, year, worker := make([]int32, rows), make([]int32, rows), make([]int32, rows)
	level, field, group := make([]int32, rows), make([]int32, rows), make([]int32, rows)
	for i := range rows {
		e := min(i/400, employers-1)
		employer[i], year[i], worker[i] = int32(e), int32(2000+i/20%20), int32(e*20+i%20)
		if i >= employers*400 {
			year[i], worker[i] = 2019, int32(i)
		}
		level[i], field[i], group[i] = int32(s.IntN(4)), int32(s.IntN(5)), int32(e%5)
	}
	return frame.Must(frame.Codes(linked.Employer, dict, employer), frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker),
		frame.Ordered(linked.Level, levelDict, level), frame.Codes(linked.Field, fieldDict, field), frame.Codes(linked.Group, groups, group))
}

func BenchmarkRandomSwap(b *testing.B) {
	base := Options{Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: 0.2, Same: []string{linked.Year, linked.Group}}
	across, all, within, year, person := base, base, base, base, base
	across.Scope, all.Rate, within.Scope, year.Unit, person.Unit = AcrossEmployers, 1, WithinEmployer, PersonYear, Person
	across.Rate = 0.2
	for _, rows := range []int{1e5, 1e6, 1e7} {
		f := benchFrame(rows)
		for _, o := range []struct {
			name string
			Options
		}{{"any", base}, {"across", across}, {"any-all", all}, {"within", within}, {"person-year", year}, {"person", person}} {
			b.Run(fmt.Sprintf("%s/rows=%.0e", o.name, float64(rows)), func(b *testing.B) {
				for b.Loop() {
					if _, err := Run(b.Context(), f, o.Options, seed, 1); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
