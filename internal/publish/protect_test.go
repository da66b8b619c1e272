package publish

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

var cellKey = rng.SecretFromSeed(9)

// TestPerturbation: chances add up to one, the mean is zero, the variance the
// one wanted (or the largest feasible share of it), and no count falls below 0.
func TestPerturbation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reach := rapid.IntRange(1, 20).Draw(t, "reach")
		n := rapid.IntRange(1, 30).Draw(t, "n")
		want := rapid.Float64Range(0.02, 1).Draw(t, "share") * float64(reach*(reach+1)) / 3
		p := Perturbation(n, reach, want)
		want = min(want, 0.9*float64(min(n, reach)*reach))
		sum, mean, square := 0.0, 0.0, 0.0
		for i, x := range p {
			d := float64(i - reach)
			if x > 0 && float64(n)+d < 0 || x < 0 {
				t.Fatalf("count %d changes by %v with chance %v", n, d, x)
			}
			sum, mean, square = sum+x, mean+x*d, square+x*d*d
		}
		if math.Abs(sum-1) > 1e-9 || math.Abs(mean) > 1e-6 || math.Abs(square-want) > 1e-4*want {
			t.Fatalf("n %d, reach %d: sum %v, mean %v, variance %v, want %v", n, reach, sum, mean, square, want)
		}
	})
}

type cellName struct{ unit, year, level, field string }

func heads(f *frame.Frame) map[cellName]int32 {
	label := func(n string, i int) string {
		c := f.Col(n)
		if c.Coded() {
			return c.Dict.Label(c.I[i])
		}
		return fmt.Sprint(c.I[i])
	}
	out := map[cellName]int32{}
	for i := range f.Rows() {
		out[cellName{label(linked.Employer, i), label(linked.Year, i), label(linked.Level, i), label(linked.Field, i)}] = f.Col(Workers).I[i]
	}
	return out
}

// TestNoisyCounts: no cell appears, none is negative or changes by more than it
// may, rounded counts are multiples, sums in the other table follow, and a cell
// has the same noise when fewer employers are published.
func TestNoisyCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := randomData(t)
		p := rapid.SampledFrom([]Protection{{Variance: 2, Reach: 3}, {Variance: 5, Reach: 5}, {Base: 3}, {Base: 5}, {Base: 3, Nearest: true}, {Base: 5, Nearest: true}}).Draw(t, "protection")
		p.Key = cellKey
		o := Options{CountOn: CountAny, FirmColumns: []string{linked.SizeClass}}
		exact, err := Publish(context.Background(), d, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		o.Cells = p
		all, err := Publish(context.Background(), d, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		some, err := Publish(context.Background(), d, []int32{0}, o)
		if err != nil {
			t.Fatal(err)
		}
		_, reach := p.Noise()
		was, now := heads(exact.Cells), heads(all.Cells)
		for k, n := range now {
			if was[k] == 0 || n <= 0 || int(max(n-was[k], was[k]-n)) > reach || p.Base != 0 && int(n)%p.Base != 0 {
				t.Fatalf("%v has %d workers, published as %d", k, was[k], n)
			}
		}
		for k, n := range heads(some.Cells) {
			if now[k] != n {
				t.Fatalf("%v is %d among all and %d alone", k, now[k], n)
			}
		}
		staff := map[[2]int32]int32{}
		for i, e := range all.Cells.Col(linked.Employer).I {
			staff[[2]int32{e, all.Cells.Col(linked.Year).I[i]}] += all.Cells.Col(Workers).I[i]
		}
		e := all.Employers
		for i, c := range e.Col(linked.SizeClass).I {
			n := staff[[2]int32{e.Col(linked.Employer).I[i], e.Col(linked.Year).I[i]}]
			if c != linked.SizeCode(n) || (linked.PresentDict.Label(e.Col(linked.Present).I[i]) == "staff") != (n > 0) && linked.PresentDict.Label(e.Col(linked.Present).I[i]) != "no accounts" {
				t.Fatalf("row %d: size class %d, present %d with %d published staff", i, c, e.Col(linked.Present).I[i], n)
			}
		}
		did := all.Protected
		if did.Cells != int64(len(was)) || did.Vanished != int64(len(was)-len(now)) {
			t.Fatalf("report %+v of %d cells, %d published", did, len(was), len(now))
		}
	})
}

// TestNoiseIsUnbiased publishes 20,000 cells of each size from 1 to 6; the mean
// error is zero within 5 standard errors.
func TestNoiseIsUnbiased(t *testing.T) {
	const employers = 20000
	labels := make([]string, employers)
	for i := range labels {
		labels[i] = fmt.Sprintf("E%05d", i)
	}
	dict := frame.MustDict(labels...)
	c := &counter{cells: [][2]int32{{-1, -1}}}
	for _, p := range []Protection{{Variance: 2, Reach: 3}, {Variance: 3, Reach: 5}, {Base: 3}, {Base: 5}} {
		p.Key = cellKey
		draw := newProtector(p, dict, c)
		for n := int32(1); n <= 6; n++ {
			sum, square := 0.0, 0.0
			for e := range int32(employers) {
				d := float64(draw.change(n, e, 2010, 0) - n)
				sum, square = sum+d, square+d*d
			}
			if se := math.Sqrt(square); math.Abs(sum) > 5*se {
				t.Errorf("%+v: cells of %d change by %v on average, standard error %v", p, n, sum/employers, se/employers)
			}
		}
	}
}

// TestFoldedCells: no cell below the minimum is published, the head count of
// an employer-year is kept or all of it hidden, and a hidden one still has staff.
func TestFoldedCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := randomData(t)
		minimum := rapid.IntRange(2, 12).Draw(t, "minimum")
		o := Options{CountOn: CountAny, FirmColumns: []string{linked.SizeClass}}
		exact, err := Publish(context.Background(), d, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		o.Cells.Suppress = minimum
		got, err := Publish(context.Background(), d, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		was, now := map[[2]string]int32{}, map[[2]string]int32{}
		for k, n := range heads(exact.Cells) {
			was[[2]string{k.unit, k.year}] += n
		}
		for k, n := range heads(got.Cells) {
			if int(n) < minimum {
				t.Fatalf("%v has %d workers, minimum %d", k, n, minimum)
			}
			now[[2]string{k.unit, k.year}] += n
		}
		hidden := int64(0)
		for k, n := range was {
			if now[k] == 0 && int(n) < minimum {
				hidden++
			} else if now[k] != n {
				t.Fatalf("%v had %d workers, has %d", k, n, now[k])
			}
		}
		if got.Protected.Hidden != hidden {
			t.Fatalf("%d hidden, report %+v", hidden, got.Protected)
		}
		for i := range got.Employers.Rows() {
			if a, b := got.Employers.Col(linked.Present).I[i], exact.Employers.Col(linked.Present).I[i]; a != b {
				t.Fatalf("row %d: present is %d, was %d", i, a, b)
			}
		}
	})
}

func TestProtectionRefuses(t *testing.T) {
	tests := []struct {
		p    Protection
		want string
	}{
		{Protection{Variance: 1, Reach: 2, Base: 3, Key: cellKey}, "one of them"},
		{Protection{Variance: 1, Key: cellKey}, "reach is 0"},
		{Protection{Variance: 3, Reach: 2, Key: cellKey}, "variance is 3"},
		{Protection{Variance: math.NaN(), Reach: 2, Key: cellKey}, "variance is NaN"},
		{Protection{Base: 4}, "base is 4"},
		{Protection{Base: 3}, "no key"},
		{Protection{Suppress: -1}, "minimum is -1"},
	}
	for _, tt := range tests {
		if err := (Options{Cells: tt.p}).Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.p, err, tt.want)
		}
	}
	for _, p := range []Protection{{}, {Base: 3, Nearest: true}, {Suppress: 3}, {Variance: 2, Reach: 2, Key: cellKey}} {
		if err := p.Validate(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
