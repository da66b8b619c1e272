package attack

import (
	"context"
	"math"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

const stageWorld rng.Stage = 1

// world is a small linked selection made for these tests: employers of skewed
// size over some years, workers with level, field and wage. Row order is
// canonical.
func world(seed rng.Sim, employers, years int) *linked.Data {
	s := seed.Stream(stageWorld, 0)
	names := make([]string, employers)
	for e := range names {
		names[e] = string(rune('a'+e/676%26)) + string(rune('a'+e/26%26)) + string(rune('a'+e%26))
	}
	dict := frame.MustDict(names...)
	levels := frame.MustDict("L01", "L03", "L08", "L11", "L14")
	fields := frame.MustDict("f0", "f1", "f2", "f3", "f4", "f5")
	sectors := frame.MustDict("s0", "s1", "s2", "s3")
	var employer, year, worker, level, field, wage, fte, fe, fy, sector []int32
	next := int32(0)
	for e := range employers {
		size := 1 + int(math.Exp(1.6+1.2*s.Normal()))
		effect, sec := 0.15*s.Normal(), int32(s.IntN(4))
		type person struct{ id, level, field, wage int32 }
		var staff []person
		for t := range years {
			kept := staff[:0]
			for _, p := range staff {
				if !s.Bool(0.15) {
					kept = append(kept, p)
				}
			}
			staff = kept
			size = max(1, int(math.Round(float64(size)*math.Exp(0.08*s.Normal()))))
			for len(staff) < size {
				l := int32(s.IntN(5))
				staff = append(staff, person{next, l, int32(s.IntN(6)), int32(math.Round(25000 * math.Exp(0.15*float64(l)+effect+0.2*s.Normal())))})
				next++
			}
			for _, p := range staff {
				employer, year, worker = append(employer, int32(e)), append(year, int32(2010+t)), append(worker, p.id)
				level, field, wage, fte = append(level, p.level), append(field, p.field), append(wage, p.wage), append(fte, int32(50+s.IntN(51)))
			}
			fe, fy, sector = append(fe, int32(e)), append(fy, int32(2010+t)), append(sector, sec)
		}
	}
	return &linked.Data{
		Jobs: linked.Canonical(frame.Must(frame.Codes(linked.Employer, dict, employer), frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker),
			frame.Ordered(linked.Level, levels, level), frame.Codes(linked.Field, fields, field), frame.Ints(linked.Wage, wage), frame.Fixed(linked.FTE, 2, fte))),
		Firms:   frame.Must(frame.Codes(linked.Employer, dict, fe), frame.Ints(linked.Year, fy), frame.Codes(linked.Sector, sectors, sector)),
		Periods: true, Simulated: true,
	}
}

// serialFor is a bijection that stands for the keyed serials.
func serialFor(employer int32) int32 { return (employer*7919 + 13) % 100003 }

func withSerials(f *frame.Frame) *frame.Frame {
	old := f.Col(linked.Employer).I
	serial := make([]int32, len(old))
	for i, e := range old {
		serial[i] = serialFor(e)
	}
	cols := append([]frame.Column{frame.Ints(publish.Serial, serial)}, f.Without(linked.Employer).Columns()...)
	return frame.Must(cols...).Sorted(publish.Serial, linked.Year)
}

// released publishes the first n employers.
func released(tb testing.TB, d *linked.Data, n int, o publish.Options) Release {
	tb.Helper()
	var err error
	if o.Wage, err = publish.NewClasses(publish.Spec{Width: 5000, From: 10000, Top: 90000}); err != nil {
		tb.Fatal(err)
	}
	if o.FTE, err = publish.NewClasses(publish.Spec{Width: 0.1, From: 0.1, Top: 1}); err != nil {
		tb.Fatal(err)
	}
	codes := make([]int32, n)
	for i := range codes {
		codes[i] = int32(i)
	}
	t, err := publish.Publish(context.Background(), d, codes, o)
	if err != nil {
		tb.Fatal(err)
	}
	return Release{Tables: &publish.Tables{Employers: withSerials(t.Employers), Cells: withSerials(t.Cells)}, Periods: true}
}

var derived = []string{"head_count", "fte", "wage_bill", "level"}

func publicFile(tb testing.TB, d *linked.Data, noise float64) *Public {
	tb.Helper()
	p, err := Derive(d, derived, noise, 5)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func preset(tb testing.TB, name string) Adversary {
	tb.Helper()
	a, err := Find(name)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func fingerprint(tb testing.TB, r Release, p *Public, adversary string, o Options) *Fingerprints {
	tb.Helper()
	f, err := Fingerprint(context.Background(), r, p, preset(tb, adversary), o)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func hits(claims []Claim) int {
	n := 0
	for _, c := range claims {
		if c.Employer >= 0 && serialFor(c.Employer) == c.Serial {
			n++
		}
	}
	return n
}

// swapped exchanges a bundle between random jobs of one year, whoever employs
// them.
func swapped(d *linked.Data, seed rng.Sim, rate float64, bundle ...string) *linked.Data {
	s := seed.Stream(stageWorld, 1)
	year := d.Jobs.Col(linked.Year).I
	byYear := map[int32][]int32{}
	for i, y := range year {
		byYear[y] = append(byYear[y], int32(i))
	}
	from := make([]int32, len(year))
	for i := range from {
		from[i] = int32(i)
	}
	for _, y := range d.Years() {
		rows := byYear[y]
		touched := rng.Sample(s, rows, int(rate*float64(len(rows)))/2*2)
		for i := 0; i < len(touched); i += 2 {
			a, b := touched[i], touched[i+1]
			from[a], from[b] = b, a
		}
	}
	out := *d
	for _, name := range bundle {
		out.Jobs = out.Jobs.With(d.Jobs.Col(name).Take(from))
	}
	out.Jobs = linked.Canonical(out.Jobs)
	return &out
}
