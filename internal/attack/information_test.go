package attack

import (
	"math"
	"slices"
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

// The parts add up to the likelihood of the attack itself: what they tell
// together is what the anonymity set of every serial leaves.
func TestInformationAddsUp(t *testing.T) {
	d := world(3, 250, 4)
	for _, c := range []struct {
		name, why, adversary string
		options              publish.Options
		with                 Options
	}{
		{"all years", "a serial for all years", "outsider", publish.Options{}, Options{}},
		{"one feature", "head counts and years alone", "head-count-only", publish.Options{}, Options{}},
		{"sampled, fewer years", "as a study asks", "research-team", publish.Options{}, Options{Sample: 20, Years: []int32{2010, 2012}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, p := released(t, d, 60, c.options), publicFile(t, d, 0.1)
			info, err := NewCabinet(p).Information(t.Context(), r, preset(t, c.adversary), c.with)
			if err != nil {
				t.Fatal(err)
			}
			f := fingerprint(t, r, p, c.adversary, c.with)
			want := 0.0
			for _, u := range f.Units {
				want += (math.Log2(float64(info.M)) - math.Log2(u.AnonymitySet)) / float64(len(f.Units))
			}
			if math.Abs(info.Total.Mean-want) > 1e-3 {
				t.Errorf("%.6f bits together, the attack leaves %.6f: %s", info.Total.Mean, want, c.why)
			}
			sum, last := 0.0, ""
			for i, x := range info.Features {
				sum += x.Gain.Mean
				if i == 0 && math.Abs(x.Gain.Mean-x.Alone.Mean) > 1e-9 {
					t.Errorf("the first feature gains %.3f and tells %.3f alone", x.Gain.Mean, x.Alone.Mean)
				}
				if x.Alone.Mean > info.Features[0].Alone.Mean+1e-9 {
					t.Errorf("%s tells more than %s, which comes first", x.Feature, info.Features[0].Feature)
				}
				last = x.Feature
			}
			if math.Abs(sum-info.Total.Mean) > 1e-9 {
				t.Errorf("gains add up to %.6f, want %.6f", sum, info.Total.Mean)
			}
			if k := len(info.Features) - 1; math.Abs(info.Features[k].Without.Mean+info.Features[k].Gain.Mean-info.Total.Mean) > 1e-9 {
				t.Errorf("without %s, the last one, %.3f bits are left, want the total less its gain", last, info.Features[k].Without.Mean)
			}
			if c.with.Sample > 0 && info.N != c.with.Sample {
				t.Errorf("%d serials, want %d", info.N, c.with.Sample)
			}
		})
	}
}

// Exact head counts of a file without errors are nearly all of it where nothing
// else is released; a swap of diplomas takes from what diplomas tell.
func TestInformationOfASwap(t *testing.T) {
	d := world(5, 300, 3)
	of := func(d2 *linked.Data, feature string) float64 {
		r := released(t, d2, 80, publish.Options{})
		if d2 != d {
			r.Method.Swaps = []Swap{{Bundle: []string{linked.Level, linked.Field}, Rate: 0.9}}
		}
		info, err := NewCabinet(publicFile(t, d, 0.1)).Information(t.Context(), r, preset(t, "outsider"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		k := slices.IndexFunc(info.Features, func(x FeatureInformation) bool { return x.Feature == feature })
		if k < 0 {
			t.Fatalf("no feature %s", feature)
		}
		return info.Features[k].Alone.Mean
	}
	scrambled := swapped(d, 7, 0.9, linked.Level, linked.Field)
	if a, b := of(d, ColumnHead), of(scrambled, ColumnHead); math.Abs(a-b) > 1e-6 {
		t.Errorf("head counts told %.3f bits before the swap and %.3f after: no attribute swap touches them", a, b)
	}
	if a, b := of(d, ColumnEducation), of(scrambled, ColumnEducation); b > 0.5*a {
		t.Errorf("diplomas told %.3f bits before a swap of nine in ten and %.3f after", a, b)
	}
}

func TestInformationOfNobody(t *testing.T) {
	d := world(3, 20, 2)
	one := firstEmployers(publicFile(t, d, 0.1), 1)
	info, err := NewCabinet(one).Information(t.Context(), released(t, d, 5, publish.Options{}), preset(t, "outsider"), Options{})
	if err != nil || len(info.Features) != 0 {
		t.Errorf("%v, %v: with one candidate nobody has to be told apart", info, err)
	}
}

// BenchmarkInformation looks at as many serials as a study does.
func BenchmarkInformation(b *testing.B) {
	d, err := populationOf(4500, 2003)
	if err != nil {
		b.Fatal(err)
	}
	p, err := FromAccounts(d)
	if err != nil {
		b.Fatal(err)
	}
	r, cabinet := fragment(b, d, 300, false, false), NewCabinet(p)
	if _, err := cabinet.open(preset(b, "outsider"), 1); err != nil {
		b.Fatal(err)
	}
	cpu := cpuSeconds(b)
	for b.Loop() {
		if _, err := cabinet.Information(b.Context(), r, preset(b, "outsider"), Options{Sample: 40}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.Employers), "candidates")
	b.ReportMetric((cpuSeconds(b)-cpu)/float64(b.N), "cpu-s/op")
}
