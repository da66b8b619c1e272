package swap

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
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

// measure runs a step and reports rows and processor seconds, and how much
// memory the process needs at most for it, in sizes of the frame itself.
func measure(b *testing.B, f *frame.Frame, o Options) {
	b.Helper()
	size := 0
	for _, c := range f.Columns() {
		size += 4*len(c.I) + 8*len(c.L) + 8*len(c.F)
	}
	debug.FreeOSMemory()
	before := residentKB("VmRSS:")
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // forget the peak so far, where that can be done
	cpu, peak := cpuSeconds(), 0
	for b.Loop() {
		if _, err := Run(b.Context(), f, o, seed, 1); err != nil {
			b.Fatal(err)
		}
		if peak == 0 { // later rounds hold the garbage of earlier ones
			peak = residentKB("VmHWM:")
		}
	}
	b.ReportMetric((cpuSeconds()-cpu)/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(f.Rows())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	if peak > 0 && size > 1<<24 { // below that the program itself counts
		b.ReportMetric(1+float64(peak-before)*1024/float64(size), "peak/frame")
	}
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// residentKB reads a line of /proc/self/status, 0 where there is none.
func residentKB(line string) int {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), line)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.Atoi(fields[0])
	return kb
}

func BenchmarkRandomSwap(b *testing.B) {
	base := Options{Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: 0.2, Same: []string{linked.Year, linked.Group}}
	across, all, within, year, person := base, base, base, base, base
	across.Scope, all.Rate, within.Scope, year.Unit, person.Unit = AcrossEmployers, 1, WithinEmployer, PersonYear, Person
	across.Rate = 0.2
	for _, rows := range []int{1e5, 1e6, 1e7, 4e7} { // 4e7 worker-years are all of Belgium
		f := benchFrame(rows)
		for _, o := range []struct {
			name string
			Options
		}{{"any", base}, {"across", across}, {"any-all", all}, {"within", within}, {"person-year", year}, {"person", person}} {
			b.Run(fmt.Sprintf("%s/rows=%.0e", o.name, float64(rows)), func(b *testing.B) {
				measure(b, f, o.Options)
			})
		}
	}
}

// BenchmarkMethods shows what each method costs on one stratum: the first two up
// to all of Belgium, which do not look for neighbours.
func BenchmarkMethods(b *testing.B) {
	for _, rows := range []int{1e5, 1e6, 5e6, 4e7} {
		f := benchFrame(rows)
		s := rng.Sim(2).Stream(1, 0)
		wage := make([]int32, rows)
		age, hours := make([]int32, rows), make([]int32, rows)
		for i := range wage {
			wage[i], age[i], hours[i] = int32(20000+s.IntN(40000)), int32(18+s.IntN(48)), int32(20+s.IntN(81))
		}
		f = f.With(frame.Ints(linked.Wage, wage), frame.Ints(linked.Age, age), frame.Fixed(linked.FTE, 2, hours))
		base := Options{Bundle: []string{linked.Wage, linked.Age, linked.FTE}, Rate: 1}
		rank, shuffle, given, near := base, base, base, base
		rank.Method, rank.Window = RankSwap, 0.05
		shuffle.Method = FullShuffle
		given.Method, given.Bundle, given.Given = ConditionalShuffle, []string{linked.Wage}, []string{linked.Age, linked.FTE}
		near.Method, near.Bundle, near.Near, near.Rate = NearestSwap, []string{linked.Wage}, []string{linked.Age, linked.FTE}, 0.2
		methods := []Options{rank, shuffle, given, near}
		if rows > 1e6 {
			methods = methods[:2]
		}
		for _, o := range methods {
			b.Run(fmt.Sprintf("%s/columns=%d/rows=%.0e", o.Method, len(o.Bundle), float64(rows)), func(b *testing.B) {
				measure(b, f, o)
			})
		}
	}
}

// BenchmarkTargetedSwap is the case by which record swapping is compared: three
// nested levels of 8, 40 and 400 regions, k = 3, rate .05.
func BenchmarkTargetedSwap(b *testing.B) {
	for _, rows := range []int{1e5, 1e6, 5e6, 4e7} {
		region := make([][]int32, 3)
		for h, k := range []int{8, 40, 400} {
			region[h] = make([]int32, rows)
			for i := range rows {
				region[h][i] = int32(i * k / rows)
			}
		}
		pairs := make([]int32, rows) // two rows are a group
		for i := range pairs {
			pairs[i] = int32(i / 2)
		}
		f := frame.Must(frame.Ints(linked.Employer, Identity(rows)), frame.Ints(linked.Year, make([]int32, rows)), frame.Ints(linked.Worker, Identity(rows)),
			frame.Ints("nuts1", region[0]), frame.Ints("nuts2", region[1]), frame.Ints("nuts3", region[2]), frame.Ints("house", region[2]),
			frame.Ints("sector", uniform(1, rows, 20)), frame.Ints("size", uniform(2, rows, 9)), frame.Ints("trade", uniform(3, rows, 600)),
			frame.Ints("age", uniform(4, rows, 12)), frame.Ints("level", uniform(5, rows, 15)))
		base := Options{Method: TargetedSwap, Bundle: []string{"nuts1", "nuts2", "nuts3", "house"}, Joint: true, Rate: 0.05,
			Hierarchy: []string{"nuts1", "nuts2", "nuts3"}, Risk: []string{"age", "level"}, K: 3, Profiles: [][]string{{"sector", "size"}, {"size"}}}
		exact, groups := base, base
		exact.Profiles = [][]string{{"trade", "size", "sector"}}
		groups.Unit = PersonYear
		for _, o := range []struct {
			name string
			f    *frame.Frame
			Options
		}{{"profiles", f, base}, {"exact-profile", f, exact}, {"groups", f.With(frame.Ints(linked.Worker, pairs)), groups}} {
			b.Run(fmt.Sprintf("%s/rows=%.0e", o.name, float64(rows)), func(b *testing.B) {
				measure(b, o.f, o.Options)
			})
		}
	}
}
