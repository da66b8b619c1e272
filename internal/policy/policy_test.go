package policy

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/metric"
)

func TestJudge(t *testing.T) {
	row := func(group string, v, lo, hi float64) metric.Row {
		return metric.Row{Group: group, Value: metric.Number(v), Low: metric.Number(lo), High: metric.Number(hi), Level: .95, N: 100, Baseline: metric.None}
	}
	risk := metric.Metric{Name: "attack.x", Better: metric.Lower, Row: row("", .04, .02, .08), By: []metric.Row{
		row("size 1-4", .5, .4, .6), metric.Missing("size 1000+", "no such employers"),
	}}
	use := metric.Metric{Name: "fidelity.y", Better: metric.Higher, Row: row("", .9, .7, .95)}
	report := &metric.Report{Metrics: []metric.Metric{risk, use, {Name: "attack.w", Better: metric.Lower, Row: row("", .3, .25, .35)}}}
	tests := []struct {
		name, gate, want, why string
	}{
		{"upper bound above the limit", "{metric: attack.x, max: 0.05}", "fail", "the value .04 passes but its interval reaches .08"},
		{"value judged on request", "{metric: attack.x, max: 0.05, at: value}", "pass", "at: value looks at .04"},
		{"equal to the limit", "{metric: attack.x, max: 0.08}", "pass", "a limit is allowed to be reached"},
		{"lower bound of a minimum", "{metric: fidelity.y, min: 0.8}", "fail", "the interval starts at .7"},
		{"group", "{metric: attack.x, max: 0.5, group: size 1-4}", "fail", "the group's own bound is judged"},
		{"missing group", "{metric: attack.x, max: 0.5, group: size 9}", "fail", "missing fails by default"},
		{"missing value", "{metric: attack.x, max: 0.5, group: size 1000+}", "fail", "a reason instead of a number is no pass"},
		{"worst of a pattern", "{metric: 'attack.*', max: 0.3}", "fail", "attack.w stands at .35"},
		{"all of a pattern", "{metric: 'attack.*', max: 0.4}", "pass", "none exceeds .4"},
		{"groups of a pattern", "{metric: attack.x, group: 'size 1-*', max: 0.7}", "pass", "the missing size 1000+ is not meant"},
		{"missing group of a pattern", "{metric: attack.x, group: 'size *', max: 0.7}", "fail", "one of them has no number"},
		{"missing group of a pattern skipped", "{metric: attack.x, group: 'size *', max: 0.7, if_missing: skip}", "pass", "the others are judged"},
		{"pattern of nothing", "{metric: 'attack.z*', max: 1}", "fail", "what is not there did not pass"},
		{"pattern of nothing skipped", "{metric: 'attack.z*', max: 1, if_missing: skip}", "skip", ""},
		{"missing metric skipped", "{metric: attack.z, max: 0.5, if_missing: skip}", "skip", "skipped is not passed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse("p.yaml", []byte("gates: ["+tt.gate+"]"))
			if err != nil {
				t.Fatal(err)
			}
			got := Judge(p, report)[0]
			if diff := cmp.Diff(tt.want, got.Verdict); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
			if got.Verdict != metric.Pass && got.Why == "" && got.Got.Valid() == false {
				t.Error("a verdict without a number must say why")
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, in, want, why string }{
		{"unknown key", "gates:\n  - {metric: a.b, maxx: 1}\n", `p.yaml:2:19: unknown key "maxx" (did you mean "max"?)`, "line, column and the key that was meant"},
		{"both bounds", "gates: [{metric: a.b, max: 1, min: 0}]", "exactly one", "a gate is one-sided"},
		{"no bound", "gates: [{metric: a.b}]", "exactly one", "a gate without a limit passes everything"},
		{"nan", "gates: [{metric: a.b, max: .nan}]", "finite", "every comparison with NaN is false"},
		{"no gates", "name: x", "no gates", "an empty policy would pass everything"},
		{"bad at", "gates: [{metric: a.b, max: 1, at: top}]", "upper, lower or value", "names the choices"},
		{"not yaml", "gates: [", "p.yaml", "names the file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("p.yaml", []byte(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: error %v does not contain %q", tt.why, err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("gates: [{metric: a.b, max: 1}]"))
	f.Add([]byte("gates: [{metric: a.b, max: .nan}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse("p.yaml", b)
		if err != nil {
			return
		}
		for _, g := range Judge(p, &metric.Report{}) {
			if g.Verdict == metric.Pass || math.IsInf(float64(g.Limit), 0) {
				t.Fatalf("an empty report passed %+v", g)
			}
		}
	})
}
