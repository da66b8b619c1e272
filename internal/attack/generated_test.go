package attack

import (
	"context"
	"strings"
	"testing"

	"scramblelab/internal/infer"
	"scramblelab/internal/linked"
	"scramblelab/internal/population"
	"scramblelab/internal/publish"
)

func smallPopulation(tb testing.TB, employers int) *linked.Data {
	tb.Helper()
	p, err := population.Generate(context.Background(), population.Options{Employers: employers, From: 2017, To: 2021, Seed: 5}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := p.Linked()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// On a swapped release the intruder who knows the rate names as many employers
// as the one who knows nothing of the swap, or more: he is the one to report.
// The same serials are compared: the paired difference may fall below zero by
// three standard errors, a false alarm of about 1e-3.
func TestKnowledgeIsNoDisadvantage(t *testing.T) {
	if testing.Short() {
		t.Skip("a population of 2,000 employers")
	}
	d := smallPopulation(t, 2000)
	p, err := FromAccounts(d)
	if err != nil {
		t.Fatal(err)
	}
	r := released(t, swapped(d, 9, 0.4, linked.Level, linked.Field), 800, publish.Options{})
	r.Method = Method{Swaps: []Swap{{Rate: 0.4, Bundle: []string{linked.Level, linked.Field}}}}
	named := map[string][]Claim{}
	for _, k := range Knowledge {
		if named[k], err = fingerprint(t, r, p, "outsider", Options{Knowledge: k}).Assignment(); err != nil {
			t.Fatal(err)
		}
		t.Logf("knowledge %s: %d of %d named", k, hits(named[k]), len(named[k]))
	}
	one := make([]float64, len(named["none"]))
	gain := make([]float64, len(one))
	for i := range one {
		one[i] = 1
		gain[i] = float64(hits(named["method+parameters"][i:i+1]) - hits(named["none"][i:i+1]))
	}
	iv, err := infer.MeanCluster(gain, one, 0.997)
	if err != nil {
		t.Fatal(err)
	}
	if iv.High < 0 {
		t.Errorf("knowing the rate names %v [%v, %v] more, want at least 0 within three standard errors", iv.Value, iv.Low, iv.High)
	}
}

func TestHeadCountDefinition(t *testing.T) {
	d := smallPopulation(t, 300)
	p, err := FromAccounts(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		countOn, why string
		biased       bool
	}{
		{publish.CountYearEnd, "the definition of the accounts", false},
		{publish.CountAny, "leavers count in the release and not in the accounts", true},
		{publish.CountAverage, "every cell counts at least one, more than the accounts", true},
	} {
		r := released(t, d, 100, publish.Options{CountOn: test.countOn})
		r.Method.CountOn = test.countOn
		q, err := p.Recount(d, test.countOn)
		if err != nil {
			t.Fatal(err)
		}
		got := hits(fingerprint(t, r, q, "outsider", Options{}).Nearest())
		// Whoever takes the counts for those of the year-end is no better off.
		r.Method.CountOn = ""
		naive := hits(fingerprint(t, r, p, "outsider", Options{}).Nearest())
		t.Logf("%s: bias %.3f, equal %.2f, %d named, %d by the naive intruder", test.countOn, q.Noise.Head.Bias, q.Noise.HeadEqual[0], got, naive)
		if got < naive-2 {
			t.Errorf("%s: %d named, %d without the definition (%s)", test.countOn, got, naive, test.why)
		}
		if test.biased != (q.Noise.Head.Bias < -0.01) {
			t.Errorf("%s: log bias of head counts is %v (%s)", test.countOn, q.Noise.Head.Bias, test.why)
		}
	}
	r := released(t, d, 10, publish.Options{CountOn: publish.CountAny})
	r.Method.CountOn = publish.CountAny
	if _, err := Fingerprint(context.Background(), r, p, preset(t, "outsider"), Options{}); err == nil || !strings.Contains(err.Error(), "Recount") {
		t.Errorf("two definitions of a head count are compared: %v", err)
	}
}
