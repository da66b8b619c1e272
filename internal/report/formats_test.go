package report

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/compare"
	"scramblelab/internal/metric"
)

func gated() *metric.Report {
	number := func(name string, v, low, high metric.Number) metric.Metric {
		return metric.Metric{Name: name, Unit: "share", Better: metric.Lower, Method: "test", Row: metric.Row{Value: v, Low: low, High: high, Level: .95, N: 10, M: 20, Baseline: metric.None}}
	}
	return &metric.Report{
		Metrics: []metric.Metric{number("attack.employer.assignment.outsider.top1", .5, .4, .6), number("fidelity.margins.level-field-tv", .02, .01, .03)},
		Gates: []metric.Gate{
			{Metric: "attack.employer.assignment.outsider.top1", Group: "size 1-4", At: "upper", Bound: "max", Limit: .09, Got: .6, Margin: -.51, Verdict: metric.Fail, Why: "a norm, <50 %>", Remedy: "swap | more"},
			{Metric: "fidelity.margins.level-field-tv", At: "upper", Bound: "max", Limit: .15, Got: .03, Margin: .12, Verdict: metric.Pass, Why: "a norm"},
			{Metric: "fidelity.did.overlap", At: "lower", Bound: "min", Limit: .3, Got: metric.None, Margin: metric.None, Verdict: metric.Skip, Why: "the report has no such metric"},
		},
	}
}

func TestGatesJUnit(t *testing.T) {
	var b strings.Builder
	if err := GatesJUnit(&b, gated(), "ksz"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatalf("%v:\n%s", err, b.String())
	}
	if got.Name != "scramble gate ksz" || got.Tests != 3 || got.Failures != 1 || got.Skipped != 1 || len(got.Cases) != 3 {
		t.Errorf("%+v, want one failure and one skipped of three", got)
	}
	if f := got.Cases[0].Failure; f == nil || f.Message != "upper end 60 %, want at most 9 % (margin -0.51)" || got.Cases[1].Failure != nil || got.Cases[2].Skipped == nil {
		t.Errorf("cases %+v", got.Cases)
	}
}

func TestGatesMarkdown(t *testing.T) {
	var b strings.Builder
	GatesMarkdown(&b, gated())
	want := "**The release fails 1 of 2 gates; 1 could not be judged.**\n\n" +
		"| verdict | gate | judged | limit | got | margin |\n|---|---|---|---|---|---|\n" +
		"| FAILED | Outsider: employer named right (one-to-one), 1-4 staff (`attack.employer.assignment.outsider.top1 [size 1-4]`) | upper end | at most 9 % | 60 % | -0.51 |\n" +
		"| passed | Staff in a wrong education cell (`fidelity.margins.level-field-tv`) | upper end | at most 15 % | 3 % | 0.12 |\n" +
		"| skipped | Effect of automation: overlap of intervals (`fidelity.did.overlap`) | lower end | at least 0.3 | – | – |\n\n" +
		"- `attack.employer.assignment.outsider.top1 [size 1-4]`: swap | more\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Letters that would end a property or a command are escaped.
func TestGatesGitHub(t *testing.T) {
	var b strings.Builder
	GatesGitHub(&b, gated(), "out/report,1.json")
	want := "::error file=out/report%2C1.json,title=Outsider%3A employer named right (one-to-one)%2C 1-4 staff::upper end 60 %25, want at most 9 %25 (margin -0.51). Change: swap | more\n" +
		"::warning file=out/report%2C1.json,title=Effect of automation%3A overlap of intervals::no number: the report has no such metric; want at least 0.3\n" +
		"::notice title=scramble gate::The release fails 1 of 2 gates; 1 could not be judged.\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestComparison(t *testing.T) {
	old, now := gated(), gated()
	x := &now.Metrics[0]
	x.Value, x.Low, x.High, x.N = .1, .08, .12, 1000
	now.Gates[0].Verdict = metric.Pass
	c, err := compare.Reports(old, now, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	Comparison(&b, c, false)
	want := "1 better, 0 worse, 1 not told apart, 0 without a verdict, at 95 % for the whole comparison.\n\n" +
		"Better\n" +
		"                                             old   new          difference\n" +
		"  attack.employer.assignment.outsider.top1  50 %  10 %  -51.7 % to -28.3 %  n 1000, was 10\n\n" +
		"Gate attack.employer.assignment.outsider.top1 [size 1-4]: passed, was FAILED\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Reset()
	ComparisonMarkdown(&b, c, true)
	for _, part := range []string{"| attack.employer.assignment.outsider.top1 | 50 % | 10 % | -51.7 % to -28.3 % | n 1000, was 10 |", "| not told apart | old |", "- gate `attack"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("Markdown lacks %q:\n%s", part, b.String())
		}
	}
}
