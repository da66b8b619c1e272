package compare

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/metric"
)

func share(name string, better metric.Direction, value, low, high float64) metric.Metric {
	return metric.Metric{Name: name, Better: better, Method: "test", Row: metric.Row{Value: metric.Number(value), Low: metric.Number(low), High: metric.Number(high), Level: .95, N: 100, Baseline: metric.None}}
}

func of(ms ...metric.Metric) *metric.Report { return &metric.Report{Version: 1, Metrics: ms} }

func TestVerdicts(t *testing.T) {
	risk := func(v, l, h float64) metric.Metric {
		return share("attack.employer.nearest.outsider.top1", metric.Lower, v, l, h)
	}
	known := func(v float64) metric.Metric {
		m := share("swap.step-1.changed", metric.Neither, v, v, v)
		m.Level = 1
		return m
	}
	missing := risk(0, 0, 0)
	missing.Value, missing.Low, missing.High, missing.Reason = metric.None, metric.None, metric.None, "no panel"
	bare := risk(.2, 0, 0)
	bare.Low, bare.High = metric.None, metric.None
	for _, c := range []struct {
		name, why, want string
		old, now        metric.Metric
	}{
		{"apart", "intervals far from each other, and lower is safer", Better, risk(.5, .48, .52), risk(.3, .28, .32)},
		{"leakier", "the same the other way round", Worse, risk(.3, .28, .32), risk(.5, .48, .52)},
		{"touching", "half-widths .02 and .02 add to .028 in a difference of .02", Same, risk(.30, .28, .32), risk(.32, .30, .34)},
		{"overlapping", "two intervals overlap, and yet the difference .035 exceeds .028", Worse, risk(.300, .28, .32), risk(.335, .315, .355)},
		{"duller", "higher is better, and it fell", Worse, share("fidelity.did.overlap", metric.Higher, .9, .88, .92), share("fidelity.did.overlap", metric.Higher, .5, .48, .52)},
		{"description", "a rate is neither good nor bad, and known without error", Changed, known(.1), known(.1001)},
		{"equal", "known without error, and equal", Same, known(.1), known(.1)},
		{"gone", "a number that is missing is no verdict", Unknown, risk(.5, .48, .52), missing},
		{"bare", "nor is one without an interval", Unknown, bare, risk(.5, .48, .52)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Reports(of(c.old), of(c.now), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Changes[0].Verdict != c.want {
				t.Errorf("%s: %+v, want %s", c.why, got.Changes[0], c.want)
			}
		})
	}
}

// With many numbers a difference must be larger to count, so that the whole
// comparison keeps its level.
func TestManyNumbersNeedMore(t *testing.T) {
	var old, now []metric.Metric
	for _, name := range strings.Fields("a b c d e f g h i j k l m n o p q r s t") {
		old = append(old, share("attack.employer."+name+".outsider.top1", metric.Lower, .30, .28, .32))
		now = append(now, share("attack.employer."+name+".outsider.top1", metric.Lower, .335, .315, .355))
	}
	one, err := Reports(of(old[:1]...), of(now[:1]...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := Reports(of(old...), of(now...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if one.Count(Worse) != 1 || all.Count(Worse) != 0 {
		t.Errorf("worse: %d of 1 and %d of 20, want 1 and 0", one.Count(Worse), all.Count(Worse))
	}
}

func TestWhatOnlyOneHas(t *testing.T) {
	old := of(share("a.b.c", metric.Lower, .1, 0, .2), share("a.b.d", metric.Lower, .1, 0, .2))
	now := of(share("a.b.d", metric.Lower, .1, 0, .2), share("a.b.e", metric.Lower, .1, 0, .2))
	old.N, now.N = map[string]int64{"records": 3000}, map[string]int64{"records": 300}
	old.Gates = []metric.Gate{{Metric: "a.b.d", Bound: "max", Verdict: metric.Pass}, {Metric: "a.b.c", Bound: "max", Verdict: metric.Fail}}
	now.Gates = []metric.Gate{{Metric: "a.b.d", Bound: "max", Verdict: metric.Fail}}
	got, err := Reports(old, now, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Comparison{
		Level: .95, OnlyOld: []string{"a.b.c"}, OnlyNew: []string{"a.b.e"},
		Gates:    []GateChange{{"a.b.d", "", metric.Pass, metric.Fail}, {"a.b.c", "", metric.Fail, ""}},
		Warnings: []string{"records: 3000 before, 300 now; risks of files of different size are not the same question"},
	}
	want.Changes = got.Changes
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("comparison (-want +got):\n%s", diff)
	}
	if _, err := Reports(old, now, Options{Level: 1}); err == nil {
		t.Error("level 1 was accepted")
	}
}

// Swapping the reports swaps better and worse, and nothing else.
func TestAntisymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := func(label string) metric.Metric {
			v := rapid.Float64Range(0, 1).Draw(t, label)
			return share("attack.employer.nearest.outsider.top1", metric.Lower, v, v-rapid.Float64Range(0, .2).Draw(t, label+" below"), v+rapid.Float64Range(0, .2).Draw(t, label+" above"))
		}
		a, b := row("a"), row("b")
		there, err := Reports(of(a), of(b), Options{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Reports(of(b), of(a), Options{})
		if err != nil {
			t.Fatal(err)
		}
		x, y := there.Changes[0], back.Changes[0]
		if math.Abs(float64(x.Low+y.High)) > 1e-12 || (x.Verdict == Better) != (y.Verdict == Worse) || (x.Verdict == Same) != (y.Verdict == Same) {
			t.Fatalf("%+v and back %+v", x, y)
		}
	})
}
