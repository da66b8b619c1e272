package bench

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/metric"
	"scramblelab/internal/rng"
)

func replication(values ...float64) Replication {
	names := []string{"attack.employer.assignment.outsider.top1", "fidelity.did.overlap", "fidelity.margins.level-field-tv"}
	better := []metric.Direction{metric.Lower, metric.Higher, metric.Lower}
	var r Replication
	for i, v := range values {
		r.Rows = append(r.Rows, Row{Metric: names[i], Better: better[i], Value: v, N: 500})
	}
	return r
}

func TestJudge(t *testing.T) {
	var accepted []Replication
	for k := range 8 {
		d := .01 * float64(k%2)
		accepted = append(accepted, replication(.4+d, .8-d, .1+d))
	}
	b := accept("recipe", accepted, 3)
	if b.Seeds != 8 || len(b.Metrics) != 3 {
		t.Fatalf("baseline of %d seeds and %d metrics", b.Seeds, len(b.Metrics))
	}
	// By hand: Student's quantile of 7 degrees at 1 - .01/3 is 3.75 (tables give
	// 3.50 at .995 and 4.03 at .9975), spread .00535, root of 1/8 + 1/3 is .677.
	if got := b.Metrics[0].Tolerance; math.Abs(got-.0136) > .0004 {
		t.Errorf("tolerance %v, want about .0136", got)
	}
	tests := []struct {
		name, why string
		now       []float64
		want      map[string]string
	}{
		{"as it was", "the mean of other seeds is not the same number", []float64{.41, .79, .11}, nil},
		{"leakier", "more successes", []float64{.43, .795, .105}, map[string]string{"attack.employer.assignment.outsider.top1": Worse}},
		{"duller by less overlap", "higher is better there", []float64{.405, .7, .105}, map[string]string{"fidelity.did.overlap": Worse}},
		{"duller by more error", "lower is better there", []float64{.405, .795, .15}, map[string]string{"fidelity.margins.level-field-tv": Worse}},
		{"better", "it is shown, and does not fail", []float64{.3, .9, .05}, map[string]string{
			"attack.employer.assignment.outsider.top1": Better, "fidelity.did.overlap": Better, "fidelity.margins.level-field-tv": Better}},
		{"gone", "a number that is no longer measured is no good number", []float64{.405, .795}, map[string]string{"fidelity.margins.level-field-tv": Gone}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := map[string]string{}
			changes := Judge(b, []Replication{replication(tt.now...), replication(tt.now...), replication(tt.now...)})
			for _, c := range changes {
				if c.Verdict != Same {
					got[c.Metric] = c.Verdict
				}
			}
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
			o := Outcome{Name: "x", Changes: changes}
			r, err := Report("tool", []Outcome{o})
			if err != nil {
				t.Fatal(err)
			}
			if r.Passed() != o.Passed() {
				t.Errorf("the report passed %v, the outcome %v", r.Passed(), o.Passed())
			}
		})
	}
}

// A metric's own interval counts where the seeds happen to agree.
func TestToleranceKnowsTheOwnInterval(t *testing.T) {
	var all []Replication
	for range 8 {
		r := replication(.4)
		r.Rows[0].Half = .02
		all = append(all, r)
	}
	if got := accept("r", all, 3).Metrics[0].Tolerance; got < .02 {
		t.Errorf("tolerance %v of seeds that agree, want more than a standard error of .02", got)
	}
}

// Where a change draws everything anew and changes nothing else, at most one
// scenario in a hundred fails: 4,000 draws of 20 metrics, up to 3.3 standard
// errors (one false alarm in two thousand).
func TestFalseAlarms(t *testing.T) {
	r := rng.Sim(5).Stream(1, 0)
	const draws, metrics = 4000, 20
	draw := func(n int) []Replication {
		out := make([]Replication, n)
		for k := range out {
			for m := range metrics {
				out[k].Rows = append(out[k].Rows, Row{Metric: "attack.x." + string(rune('a'+m)), Better: metric.Lower, Value: .3 + .02*r.Normal()})
			}
		}
		return out
	}
	alarms := 0
	for range draws {
		for _, c := range Judge(accept("r", draw(8), 3), draw(3)) {
			if c.Verdict == Worse {
				alarms++
				break
			}
		}
	}
	if limit := .01*draws + 3.3*math.Sqrt(draws*.01*.99); float64(alarms) > limit || alarms < 10 {
		t.Errorf("%d of %d scenarios failed, want about 1 %%, at most %.0f", alarms, draws, limit)
	}
}

func TestBaselineRoundTrip(t *testing.T) {
	var all []Replication
	for k := range 4 {
		all = append(all, replication(.4+.001*float64(k), .8, 1.0/3))
	}
	b := accept("0123", all, 3)
	var first, second bytes.Buffer
	if err := b.Encode(&first); err != nil {
		t.Fatal(err)
	}
	read, err := ParseBaseline("b.yaml", first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Encode(&second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Errorf("written again (-want +got):\n%s", diff)
	}
	if n := strings.Count(first.String(), "\n"); n != 4+3 {
		t.Errorf("%d lines, want four and one for each of 3 metrics:\n%s", n, first.String())
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, why, in, want string }{
		{"unknown key", "the key that was meant", "about: a\nplan: b\nseed: 3\n", `s.yaml:3:1: unknown key "seed" (did you mean "seeds"?)`},
		{"no plan", "", "about: a\n", "plan is missing"},
		{"no sentence", "whoever reads a failure must know what it guards", "plan: ksz-default\n", "about is missing"},
		{"no seeds", "", "about: a\nplan: b\nseeds: 0\n", "s.yaml:3:8: seeds is 0"},
		{"few to accept", "the spread between two seeds says nothing", "about: a\nplan: b\naccept: 2\n", "accept is 2"},
		{"population", "", "about: a\nplan: b\npopulation: {employers: 0, from: 2014, to: 2017}\n", "s.yaml:3:"},
		{"metric", "", "about: a\nplan: b\nmetrics: [\"attack employer\"]\n", "s.yaml:3:"},
		{"path twice", "", "about: a\nplan: b\nset:\n  a.b: 1\n  a.b: 2\n", "already defined"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse("s.yaml", []byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: error %v does not contain %q", tt.why, err, tt.want)
			}
		})
	}
	for _, tt := range []struct{ name, in, want string }{
		{"no metrics", "recipe: a\nseeds: 8\n", "written by scramble bench"},
		{"order", "recipe: a\nseeds: 8\nmetrics:\n  - {metric: b.c, better: lower, value: 1, tolerance: 0, spread: 0, n: 1}\n  - {metric: b.a, better: lower, value: 1, tolerance: 0, spread: 0, n: 1}\n", "b.yaml:5:"},
		{"tolerance", "recipe: a\nseeds: 8\nmetrics: [{metric: b.c, better: lower, value: 1, tolerance: .nan, spread: 0, n: 1}]\n", "finite"},
		{"direction", "recipe: a\nseeds: 8\nmetrics: [{metric: b.c, better: up, value: 1, tolerance: 0, spread: 0, n: 1}]\n", "lower or higher"},
	} {
		t.Run("baseline "+tt.name, func(t *testing.T) {
			if _, err := ParseBaseline("b.yaml", []byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v does not contain %q", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("about: a\nplan: ksz-default\npopulation: {employers: 10, from: 2014, to: 2015}\nset: {release.records: 5, steps.0.rate: 0.1}\n"))
	f.Add([]byte("about: a\nplan: b\nseeds: 3\naccept: 8\nmetrics: [attack.*]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse("s.yaml", b)
		if err == nil && (s.Plan == "" || s.Seeds < 1 || s.Accept < s.Seeds || len(s.Metrics) == 0) {
			t.Fatalf("accepted %+v", s)
		}
	})
}

func FuzzParseBaseline(f *testing.F) {
	f.Add([]byte("recipe: a\nseeds: 8\nmetrics: [{metric: b.c, better: lower, value: 1, tolerance: 0.1, spread: 0, n: 1}]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := ParseBaseline("b.yaml", b)
		if err != nil {
			return
		}
		for _, c := range Judge(x, nil) {
			if c.Verdict != Gone {
				t.Fatalf("nothing was measured, and %s is %s", c.Metric, c.Verdict)
			}
		}
	})
}
