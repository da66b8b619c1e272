package attack

import (
	"context"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

func TestExactAccountsNameNearlyEverybody(t *testing.T) {
	d := world(1, 300, 5)
	r := released(t, d, 100, publish.Options{})
	f := fingerprint(t, r, publicFile(t, d, 0), "outsider", Options{})
	a, err := f.Assignment()
	if err != nil {
		t.Fatal(err)
	}
	for name, claims := range map[string][]Claim{"nearest": f.Nearest(), "assignment": a, "posterior": f.Posterior()} {
		if h := hits(claims); h < 95 {
			t.Errorf("%s names %d of 100, want at least 95: five years of exact counts by level are nearly unique", name, h)
		}
	}
	if f.M != 300 || len(f.Units) != 100 {
		t.Errorf("M = %d, units = %d, want 300 and 100", f.M, len(f.Units))
	}
}

func TestNoiseLowersHits(t *testing.T) {
	d := world(2, 400, 4)
	r := released(t, d, 150, publish.Options{})
	p := publicFile(t, d, 0.15)
	last := math.MaxInt
	for _, o := range []Options{{Exact: true}, {NoiseScale: 0.5}, {}, {NoiseScale: 2}} {
		h := hits(fingerprint(t, r, p, "outsider", o).Nearest())
		if h > last {
			t.Errorf("noise scale %v: %d hits, more than the %d with less noise", o.NoiseScale, h, last)
		}
		last = h
	}
	if last > 120 {
		t.Errorf("twice the noise still names %d of 150: noise does not arrive in the file", last)
	}
}

// Fact 1: no exchange of attributes moves a head count.
func TestHeadCountOnlyIgnoresSwaps(t *testing.T) {
	d := world(3, 300, 5)
	p := publicFile(t, d, 0.05)
	before := fingerprint(t, released(t, d, 100, publish.Options{}), p, "head-count-only", Options{})
	after := fingerprint(t, released(t, swapped(d, 9, 0.8, linked.Level, linked.Field, linked.Wage), 100, publish.Options{}), p, "head-count-only", Options{})
	if diff := cmp.Diff(before.Nearest(), after.Nearest()); diff != "" {
		t.Errorf("claims from head counts changed with the attributes (-before +after):\n%s", diff)
	}
	if h := hits(before.Nearest()); h < 20 {
		t.Errorf("the path of head counts names %d of 100, want the ceiling to be worth quoting", h)
	}
}

// A swap across employers hides the study levels, and knowing its rate helps.
func TestKnowingTheSwapHelps(t *testing.T) {
	d := world(4, 500, 5)
	p := publicFile(t, d, 0.1)
	r := released(t, swapped(d, 9, 0.5, linked.Level, linked.Field), 250, publish.Options{})
	r.Method = Method{Swaps: []Swap{{Rate: 0.5, Bundle: []string{linked.Level, linked.Field}}}}
	plain := hits(fingerprint(t, released(t, d, 250, publish.Options{}), p, "outsider", Options{}).Nearest())
	knows := hits(fingerprint(t, r, p, "outsider", Options{}).Nearest())
	naive := hits(fingerprint(t, r, p, "outsider", Options{Knowledge: "none"}).Nearest())
	if !(plain >= knows && knows >= naive) {
		t.Errorf("hits unscrambled %d, swapped and known %d, swapped and unknown %d: want them falling", plain, knows, naive)
	}
}

// Giving pairs up early must not change a posterior: without any slack to
// exploit, brute force over all candidates finds the same.
func TestPruningIsExact(t *testing.T) {
	d := world(5, 200, 4)
	p := publicFile(t, d, 0.1)
	r := released(t, d, 60, publish.Options{})
	for _, test := range []struct {
		name  string
		years []int32
	}{{"outsider", nil}, {"head-count-only", nil}, {"outsider", []int32{2011}}, {"head-count-only", []int32{2011}}} {
		name := test.name
		a := preset(t, name)
		units, err := observe(r, test.years)
		if err != nil {
			t.Fatal(err)
		}
		c, err := newCandidates(p)
		if err != nil {
			t.Fatal(err)
		}
		build := func(slack float64) *search {
			s := newSearch(newModeller(c, p, a, r, "method+parameters", units), []*traits{newTraits(p, a, r, "method+parameters", c, units)}, units, 10)
			s.slack = slack
			return s
		}
		pruned, brute := build(math.Log(200/lostMass)), build(math.Inf(1))
		fast, full := pruned, brute
		for _, u := range units {
			x, y := fast.unit(u)[0], full.unit(u)[0]
			if y.Kept != 200 {
				t.Fatalf("brute force kept %d of 200 candidates", y.Kept)
			}
			for i := range min(len(x.Candidates), len(y.Candidates)) {
				if d := math.Abs(x.Candidates[i].Posterior - y.Candidates[i].Posterior); d > 2*lostMass {
					t.Errorf("%s: serial %d candidate %d: posterior is off by %v, want below %v", name, u.serial, i, d, lostMass)
				}
			}
			if math.Abs(x.AnonymitySet/y.AnonymitySet-1) > 1e-3 {
				t.Errorf("%s: serial %d: anonymity set %v, brute force %v", name, u.serial, x.AnonymitySet, y.AnonymitySet)
			}
		}
	}
}

func TestRemedies(t *testing.T) {
	d := world(6, 300, 4)
	p := publicFile(t, d, 0.05)
	exact := hits(fingerprint(t, released(t, d, 100, publish.Options{}), p, "outsider", Options{}).Nearest())
	coarse := released(t, d, 100, publish.Options{Counts: []int{1, 3, 5, 10, 20, 50}})
	coarse.Method.CountClasses = true
	if h := hits(fingerprint(t, coarse, p, "outsider", Options{}).Nearest()); h > exact {
		t.Errorf("coarse counts give %d hits, exact ones %d", h, exact)
	}
	s := rng.Sim(1).Stream(stageWorld, 3)
	half := *d
	half.Jobs = d.Jobs.Filter(func(int) bool { return s.Bool(0.5) })
	sampled := released(t, &half, 100, publish.Options{})
	sampled.Method.WorkerShare = 0.5
	if h := hits(fingerprint(t, sampled, p, "outsider", Options{}).Nearest()); h > exact {
		t.Errorf("a sample of workers gives %d hits, all of them %d", h, exact)
	}
}

func TestFreshSerialsPerYear(t *testing.T) {
	d := world(7, 200, 3)
	r := released(t, d, 60, publish.Options{})
	perYear := Release{SerialPerYear: true, Periods: true, Tables: &publish.Tables{}}
	perYear.Tables.Employers, perYear.Tables.Cells = yearly(r.Tables.Employers), yearly(r.Tables.Cells)
	p := publicFile(t, d, 0.05)
	f := fingerprint(t, perYear, p, "outsider", Options{})
	if len(f.Units) != 180 {
		t.Fatalf("%d units, want 180 serial-years", len(f.Units))
	}
	claims, err := f.Assignment()
	if err != nil {
		t.Fatal(err)
	}
	seen, right := map[[2]int32]bool{}, 0
	for _, c := range claims {
		k := [2]int32{c.Year, c.Employer}
		if c.Employer >= 0 && seen[k] {
			t.Errorf("year %d: employer %d is claimed twice", c.Year, c.Employer)
		}
		seen[k] = true
		if c.Employer >= 0 && serialFor(c.Employer) == c.Serial/10 {
			right++
		}
	}
	panel := hits(fingerprint(t, r, p, "outsider", Options{}).Nearest())
	if float64(right)/180 >= float64(panel)/60 {
		t.Errorf("a fresh serial per year gives %d of 180, one for all years %d of 60: want fewer", right, panel)
	}
}

// What is found does not depend on how many work on it.
func TestSameOnAnyNumberOfCores(t *testing.T) {
	d := world(9, 300, 3)
	p := publicFile(t, d, 0.05)
	r := released(t, d, 200, publish.Options{})
	perYear := Release{SerialPerYear: true, Periods: true, Tables: &publish.Tables{Employers: yearly(r.Tables.Employers), Cells: yearly(r.Tables.Cells)}}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for name, r := range map[string]Release{"panel": r, "per year": perYear} {
		var want *Fingerprints
		for _, n := range []int{1, 2, 8} {
			runtime.GOMAXPROCS(n)
			got := fingerprint(t, r, p, "outsider", Options{})
			if _, err := got.Assignment(); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			exactly := cmp.AllowUnexported(Unit{})
			if diff := cmp.Diff(want.Units, got.Units, exactly); diff != "" {
				t.Errorf("%s: units differ on %d cores (-1 core +%d):\n%s", name, n, n, diff)
			}
			if diff := cmp.Diff(want.Posterior(), got.Posterior()); diff != "" {
				t.Errorf("%s: claims differ on %d cores (-1 core +%d):\n%s", name, n, n, diff)
			}
		}
	}
}

// The exponential of the tally is that of package math.
func TestPowers(t *testing.T) {
	p := newPowers()
	for x := 0.0; x > -750; x -= 0.0137 {
		want, got := math.Exp(x), p.exp(x)
		if math.Abs(got-want) > 1e-13*want {
			t.Fatalf("e^%v = %v, want %v", x, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	d := world(8, 20, 2)
	p, r := publicFile(t, d, 0.1), released(t, d, 5, publish.Options{})
	tables, err := publish.Publish(context.Background(), d, nil, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, why, want string
		release         Release
		public          *Public
		options         Options
	}{
		{"original identifiers", "a release before serials is none", `lacks the column "serial"`, Release{Tables: tables}, p, Options{}},
		{"no tables", "nothing to attack", "no tables", Release{}, p, Options{}},
		{"no public file", "nothing to match with", "public file is empty", r, &Public{}, Options{}},
		{"noise", "NaN is no scale", "noise scale is NaN", r, p, Options{NoiseScale: math.NaN()}},
		{"knowledge", "a misspelt state of knowledge", "knowledge is", r, p, Options{Knowledge: "all"}},
		{"rate", "a swap rate of two", "swap rate is 2", Release{Tables: r.Tables, Method: Method{Swaps: []Swap{{Rate: 2}}}}, p, Options{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Fingerprint(context.Background(), test.release, test.public, Adversaries()[0], test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: error %v, want one that says %q", test.why, err, test.want)
			}
		})
	}
}

func TestThinKnowledge(t *testing.T) {
	d := world(8, 30, 2)
	r := released(t, d, 10, publish.Options{})
	for _, test := range []struct {
		name, why string
		columns   []string
		employers int
	}{
		{"nothing known", "all features missing: all employers tie", nil, 30},
		{"one employer", "a public file of one", derived, 1},
		{"file smaller than fragment", "M < N leaves serials unmatched", derived, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Derive(d, test.columns, 0.1, 1)
			if err != nil {
				t.Fatal(err)
			}
			p = firstEmployers(p, test.employers)
			f := fingerprint(t, r, p, "outsider", Options{})
			claims, err := f.Assignment()
			if err != nil {
				t.Fatal(err)
			}
			made := 0
			for _, c := range claims {
				if c.Employer >= 0 {
					made++
				}
				if math.IsNaN(c.Posterior) || c.Posterior < 0 || c.Posterior > 1+1e-9 {
					t.Errorf("%s: posterior %v", test.why, c.Posterior)
				}
			}
			if made > test.employers {
				t.Errorf("%s: %d claims for %d employers", test.why, made, test.employers)
			}
			if test.columns == nil && f.Units[0].Ties != 30 {
				t.Errorf("%s: %d ties, want 30", test.why, f.Units[0].Ties)
			}
		})
	}
}

func firstEmployers(p *Public, n int) *Public {
	q := *p
	rows := 0
	for rows < len(p.Employer) && int(p.Employer[rows]) < n {
		rows++
	}
	q.Employers, q.Employer, q.Year = n, p.Employer[:rows], p.Year[:rows]
	q.exact = nil
	return &q
}

// yearly gives every year its own serial.
func yearly(f *frame.Frame) *frame.Frame {
	old, year := f.Col(publish.Serial).I, f.Col(linked.Year).I
	serial := make([]int32, len(old))
	for i := range old {
		serial[i] = old[i]*10 + year[i]%10
	}
	return f.With(frame.Ints(publish.Serial, serial)).Sorted(publish.Serial, linked.Year)
}
