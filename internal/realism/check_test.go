package realism

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
	"scramblelab/internal/population"

	"github.com/google/go-cmp/cmp"
)

// TestTargetsAndMeasures is the contract of the two lists: every target names a
// measure (the parser refuses another), and every measure is used.
func TestTargetsAndMeasures(t *testing.T) {
	used := map[string]bool{}
	judged, sections := 0, 0
	for _, s := range Default().Sections {
		sections++
		for _, one := range s.Targets {
			used[one.Measure] = true
			if one.Frame != Context {
				judged++
			}
			if n := utf8.RuneCountInString(one.Name); n > nameWidth {
				t.Errorf("%q has %d letters, want at most %d, the width of its column", one.Name, n, nameWidth)
			}
			if one.Frame == Context && one.Reason == "" {
				t.Errorf("%q is context and does not say of what", one.Name)
			}
		}
	}
	if judged < 60 || sections < 8 {
		t.Errorf("%d judged targets in %d sections, want at least 60 in 8", judged, sections)
	}
	for i, m := range measures {
		if !used[m.name] {
			t.Errorf("no target uses measure %q", m.name)
		}
		if first, _ := measureNamed(m.name); first.name == m.name && len(measureNames()) != len(measures) {
			t.Errorf("measure %d is not listed", i)
		}
	}
	if len(rules) != numberOfBreaches {
		t.Errorf("%d names for %d rules", len(rules), numberOfBreaches)
	}
}

func TestJudge(t *testing.T) {
	three, zero := 3.0, 0.0
	tests := []struct {
		name, why string
		target    Target
		value     float64
		noise     float64
		employers int
		want      string
		fails     bool
	}{
		{"inside", "a value within the tolerance", Target{Value: &three, Abs: .5, Status: "S"}, 3.4, 0, 100, Met, false},
		{"conflict", "one that other figures exclude is shown and fails nothing", Target{Value: &three, Abs: .5, Status: "S", Conflict: "why"}, 3.6, 0, 100, Missed, false},
		{"outside", "a sourced target beyond it fails", Target{Value: &three, Abs: .5, Status: "S"}, 3.6, 0, 100, Missed, true},
		{"relative", "10 % of 3", Target{Value: &three, Rel: .1, Status: "D"}, 3.31, 0, 100, Missed, true},
		{"noise", "sampling error widens the tolerance", Target{Value: &three, Abs: .5, Status: "S"}, 3.6, .2, 100, Met, false},
		{"expert", "expert knowledge is missed and does not fail", Target{Value: &three, Abs: .5, Status: "Em"}, 9, 0, 100, Missed, false},
		{"context", "another frame is never judged", Target{Value: &three, Status: "S", Frame: Context}, 9, 0, 100, Shown, false},
		{"too noisy", "a target that would pass anyway is not passed", Target{Value: &three, Abs: .5, Status: "S"}, 3, 1.1, 100, NotJudged, false},
		{"noisy and far", "a clear miss is one however noisy", Target{Value: &three, Abs: .5, Status: "S"}, 9, 1.1, 100, Missed, true},
		{"too small", "the target says from which size on it holds", Target{Value: &three, Status: "S", Least: 200}, 9, 0, 100, NotJudged, false},
		{"range", "inside the range without tolerance", Target{Range: []float64{2, 4}, Status: "S"}, 4, 0, 100, Met, false},
		{"rule", "one breach of a rule of structure fails", Target{Value: &zero, Status: "C"}, 1, 0, 100, Missed, true},
		{"undefined error", "no sampling error, no verdict", Target{Value: &three, Status: "S"}, 3, math.NaN(), 100, NotJudged, false},
		{"no value", "what could not be computed is not passed", Target{Value: &three, Status: "S"}, math.NaN(), 0, 100, NotJudged, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := judge(Result{Value: metric.Number(tt.value)}, tt.target, tt.noise, tt.employers)
			if r.Verdict != tt.want || r.Fails != tt.fails {
				t.Errorf("%s: got %q, fails %v; want %q, %v", tt.why, r.Verdict, r.Fails, tt.want, tt.fails)
			}
		})
	}
}

func TestParse(t *testing.T) {
	const head = "month: {payments: 13.92, contributions: 0.1307}\nsections:\n- title: x\n  targets:\n"
	tests := []struct{ name, why, file, want string }{
		{"measure", "a misspelt measure is named with its line", head + "  - {name: a, measure: mean-sise, year: 2012, value: 1, status: S, source: b}", `5:24: there is no measure "mean-sise" (did you mean "mean-size"?)`},
		{"status", "a status that does not exist", head + "  - {name: a, measure: mean-size, year: 2012, value: 1, status: X, source: b}", `5:65: status is "X", want one of S, S*`},
		{"value", "neither value nor range", head + "  - {name: a, measure: mean-size, year: 2012, status: S, source: b}", "needs a value, or a range"},
		{"both", "value and range", head + "  - {name: a, measure: mean-size, year: 2012, value: 1, range: [1, 2], status: S, source: b}", "needs a value, or a range"},
		{"reversed", "a range in the wrong order", head + "  - {name: a, measure: mean-size, year: 2012, range: [2, 1], status: S, source: b}", "two numbers in order"},
		{"year", "a measure of one year without it", head + "  - {name: a, measure: mean-size, value: 1, status: S, source: b}", "measure mean-size needs a year"},
		{"pooled", "a measure of all years with one", head + "  - {name: a, measure: growth-shape, year: 2012, value: 1, status: S, source: b}", "reads all years: remove year"},
		{"group", "a measure that needs a group", head + "  - {name: a, measure: size-share, year: 2012, value: 1, status: S, source: b}", "needs a group (size class)"},
		{"series", "a measure that needs a series", head + "  - {name: a, measure: level-gap, year: 2012, value: 1, status: S, source: b}", "needs a series (series of levels)"},
		{"twice", "two targets of one name", head + "  - {name: a, measure: mean-size, year: 2012, value: 1, status: S, source: b}\n  - {name: a, measure: mean-size, year: 2013, value: 1, status: S, source: b}", `two targets are named "a"`},
		{"tolerance", "a negative tolerance", head + "  - {name: a, measure: mean-size, year: 2012, value: 1, abs: -1, status: S, source: b}", "want numbers of at least 0"},
		{"month", "a month that is no month", "sections:\n- title: x\n  targets:\n  - {name: a, measure: mean-size, year: 2012, value: 1, status: S, source: b}", "month is 0 payments"},
		{"empty", "nothing to check", "month: {payments: 13, contributions: 0}", "there are no sections"},
		{"key", "an unknown key", head + "  - {name: a, measures: mean-size}", `unknown key "measures" (did you mean "measure"?)`},
		{"number", "not a number", head + "  - {name: a, measure: mean-size, year: 2012, value: .nan, status: S, source: b}", "is not a number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("t.yaml", []byte(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got error %v, want %q", tt.why, err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("month: {payments: 13, contributions: 0}\nsections: [{title: a, targets: [{name: b, measure: mean-size, year: 2012, value: 1, status: S, source: c}]}]"))
	f.Add([]byte("sections: [[]]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		targets, err := Parse("t.yaml", b)
		if err != nil {
			return
		}
		for _, s := range targets.Sections {
			for _, one := range s.Targets {
				if low, high := one.bounds(); !(low <= high) || !(one.tolerance() >= 0) {
					t.Errorf("accepted %+v", one)
				}
			}
		}
	})
}

// card checks a small population of a few years.
func card(t *testing.T, o population.Options) *Scorecard {
	t.Helper()
	p, err := population.Generate(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Check(context.Background(), p, Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func find(t *testing.T, c *Scorecard, name string) Result {
	t.Helper()
	for _, s := range c.Sections {
		for _, r := range s.Lines {
			if r.Name == name {
				return r
			}
		}
	}
	t.Fatalf("no target %q", name)
	return Result{}
}

// TestSmall checks a population at the size of a few minutes of reading: every
// target has a verdict with a reason, absent years are not judged, the same
// population gives the same card, and the text fits a terminal.
func TestSmall(t *testing.T) {
	o := population.Options{Employers: 150, From: 2010, To: 2014, Seed: 3}
	c := card(t, o)
	n := 0
	for _, s := range c.Sections {
		for _, r := range s.Lines {
			n++
			if r.Verdict == NotJudged && r.Reason == "" {
				t.Errorf("%q is not judged and does not say why", r.Name)
			}
			if r.Verdict != NotJudged && !r.Value.Valid() {
				t.Errorf("%q is %s without a figure", r.Name, r.Verdict)
			}
			if r.Status == "C" && r.Verdict != Met {
				t.Errorf("rule %q is %s: %v breaches", r.Name, r.Verdict, r.Value)
			}
		}
	}
	if s := c.Summary; n != s.Targets || s.Met+s.Missed+s.NotJudged+s.Context != n {
		t.Errorf("%d targets, summary %+v", n, s)
	}
	if r := find(t, c, "mean age 2021"); r.Verdict != NotJudged || !strings.Contains(r.Reason, "needs the year 2021, the folder has 2010 to 2014") {
		t.Errorf("a target of an absent year is %s: %s", r.Verdict, r.Reason)
	}
	var a, b bytes.Buffer
	for _, x := range []struct {
		c  *Scorecard
		to *bytes.Buffer
	}{{c, &a}, {card(t, o), &b}} {
		if err := json.NewEncoder(x.to).Encode(x.c); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(a.String(), b.String()); diff != "" {
		t.Errorf("equal populations, different cards (-want +got):\n%s", diff)
	}
	var text bytes.Buffer
	if err := Text(&text, c); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(text.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestNoise compares the sampling errors with what another seed gives: over a
// dozen populations, the figures spread about as much as one card says. The
// band of a factor of three is far outside what 11 degrees of freedom allow.
func TestNoise(t *testing.T) {
	if testing.Short() {
		t.Skip("generates twelve populations")
	}
	names := []string{"employers with 10-19 staff", "mean age 2012", "high education 2012, known only", "sd of employers' mean age, below 10 staff"}
	values := make(map[string][]float64)
	errors := make(map[string]float64)
	const draws = 12
	for seed := range uint64(draws) {
		c := card(t, population.Options{Employers: 400, From: 2011, To: 2012, Seed: seed})
		for _, name := range names {
			r := find(t, c, name)
			values[name] = append(values[name], float64(r.Value))
			errors[name] += float64(r.Noise) / infer.TQuantile(groups-1, (1+level)/2) / draws
		}
	}
	for _, name := range names {
		mean, squares := 0.0, 0.0
		for _, x := range values[name] {
			mean += x / draws
		}
		for _, x := range values[name] {
			squares += (x - mean) * (x - mean)
		}
		sd := math.Sqrt(squares / (draws - 1))
		t.Logf("%s: sd over seeds %.4g, jackknife %.4g", name, sd, errors[name])
		// Shares of size classes are stratified in the generator: their spread
		// may be smaller than that of a sample, never much larger.
		if sd > 3*errors[name] {
			t.Errorf("%s: sd %v over seeds, the jackknife says %v", name, sd, errors[name])
		}
	}
}
