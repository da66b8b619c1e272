package score

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/attack"
	"scramblelab/internal/metric"
)

// fingerprints of four serials among five employers: right, wrong, right only
// among five, abstaining.
func fingerprints() *attack.Fingerprints {
	unit := func(serial int32, staff float64, employers ...int32) attack.Unit {
		u := attack.Unit{Serial: serial, Staff: staff, AnonymitySet: float64(max(1, len(employers))), Ties: 1}
		for k, e := range employers {
			p := 0.0
			if k == 0 {
				p = 1
			}
			u.Candidates = append(u.Candidates, attack.Candidate{Employer: e, LogLikelihood: -30 * float64(k), Posterior: p})
		}
		return u
	}
	return &attack.Fingerprints{Adversary: attack.Adversaries()[0], Knowledge: metric.KnowsParameters, NoiseScale: 1, M: 5, Units: []attack.Unit{
		unit(10, 60, 0), unit(11, 3, 4), unit(12, 7, 1, 2), unit(13, 2),
	}}
}

var truth = Truth{{10, 0}: {0, 7}, {11, 0}: {1}, {12, 0}: {2}, {13, 0}: {3}}

func TestEmployers(t *testing.T) {
	f := fingerprints()
	got, err := Employers(truth, []Variant{{Fingerprints: f}, {Group: "noise=2", Fingerprints: f}})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][3]float64{}
	for _, m := range got {
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
		values[m.Name] = [3]float64{float64(m.Value), float64(m.N), float64(m.Baseline)}
		if _, ok := m.RowOf("noise=2"); !ok {
			t.Errorf("%s lacks the row noise=2", m.Name)
		}
		group := "size 1-4"
		if strings.HasSuffix(m.Name, ".precision") || strings.HasSuffix(m.Name, ".recall") {
			group = "threshold=0.5"
		}
		if _, ok := m.RowOf(group); !ok {
			t.Errorf("%s lacks the row %s", m.Name, group)
		}
	}
	want := map[string][3]float64{
		"attack.employer.nearest.outsider.top1":               {0.25, 4, 0.25}, // employer 0 is a member of the merged unit
		"attack.employer.nearest.outsider.top5":               {0.5, 4, 1},
		"attack.employer.nearest.outsider.anonymity-set":      {1, 3, 5},
		"attack.employer.assignment.outsider.top1":            {0.25, 4, 0.25},
		"attack.employer.assignment.outsider.workers-exposed": {60.0 / 72, 72, 0.25},
		"attack.employer.assignment.outsider.claims":          {0.75, 4, 1},
		"attack.employer.assignment.outsider.false-claims":    {2.0 / 3, 3, 0.75},
		"attack.employer.posterior.outsider.precision50":      {1.0 / 3, 3, 0.25},
		"attack.employer.posterior.outsider.named50":          {0.25, 4, 0.25},
		"attack.employer.posterior.outsider.precision":        {1.0 / 3, 3, 0.25},
		"attack.employer.posterior.outsider.recall":           {0.25, 4, 0.25},
		"attack.employer.posterior.outsider.precision90":      {1.0 / 3, 3, 0.25},
		"attack.employer.posterior.outsider.claims90":         {0.75, 4, 0},
		"attack.employer.posterior.outsider.named90":          {0.25, 4, 0.25},
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("value, n and baseline (-want +got):\n%s", diff)
	}
	decoys, err := FalseClaims(truth, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range decoys {
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
	}
	if decoys[0].Value != metric.Number(1.0/3) {
		t.Errorf("false claims are %v of the claims, want a third: employer 4 is a decoy", decoys[0].Value)
	}
}

func TestNothingToScore(t *testing.T) {
	f := fingerprints()
	f.Units = nil
	got, err := Employers(truth, []Variant{{Fingerprints: f}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
		if m.Value.Valid() || m.Reason == "" {
			t.Errorf("%s of no serials is %v, want nothing with a reason", m.Name, m.Value)
		}
	}
	workers, err := Workers(Chain, "outsider", metric.KnowsParameters, nil, WorkerTruth{}, 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range workers {
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Employers(truth, nil); err == nil {
		t.Error("an attack without a top row is accepted")
	}
}

func TestWorkers(t *testing.T) {
	targets := []attack.Target{{Employer: 0}, {Employer: 0}, {Employer: 1}, {Employer: 2}}
	claims := []attack.WorkerClaim{
		{Target: 0, Serial: 10, Found: true, WageClass: 3, CellSize: 1, Baseline: 2},
		{Target: 1, Serial: 10, Found: true, WageClass: 1, CellSize: 4, Baseline: 1},
		{Target: 2, Serial: 12, Found: true, WageClass: 5, CellSize: 1, Baseline: 2}, // wrong serial, right class
		{Target: 3, Serial: -1, WageClass: 2, Baseline: 2},
	}
	wt := WorkerTruth{WageClass: []int32{3, 2, 5, -1}, Targets: targets}
	_, right := truth.SerialOf()
	for _, test := range []struct {
		variant, why           string
		value, single, benefit float64
		group                  string
	}{
		{KnownEmployer, "two of three classes are right; the fourth wage is unknown", 2.0 / 3, 1, 2.0 / 3, "one-person-cell"},
		{Chain, "the second right class came from a wrong serial, and is known all the same", 1.0 / 3, 0.5, 2.0 / 3, "claimed-one-person-cell"},
	} {
		got, err := Workers(test.variant, "outsider", metric.KnowsParameters, claims, wt, 5, right)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got {
			if err := m.Validate(); err != nil {
				t.Error(err)
			}
		}
		single, _ := got[0].RowOf(test.group)
		if diff := cmp.Diff([]float64{test.value, test.single, test.benefit}, []float64{float64(got[0].Value), float64(single.Value), float64(got[1].Value)}); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", test.variant, test.why, diff)
		}
	}
	table := ChainTable("outsider", claims, wt, right)
	want := [][]string{{"found", "1", "1", "2", "66.7 %"}, {"not found", "1", "0", "1", "33.3 %"}, {"all", "2", "1", "3", "100.0 %"}}
	if diff := cmp.Diff(want, table.Rows); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
}

func TestSerialFinder(t *testing.T) {
	find := SerialFinder([]attack.Claim{
		{Serial: 1, Employer: 5, Posterior: 0.4}, {Serial: 2, Employer: 5, Posterior: 0.9}, {Serial: 3, Employer: -1}, {Serial: 4, Year: 2015, Employer: 6, Posterior: 0.1},
	})
	for _, test := range []struct {
		name           string
		employer, year int32
		serial         int32
		ok             bool
	}{
		{"the surer claim wins", 5, 2012, 2, true},
		{"serial of that year", 6, 2015, 4, true},
		{"serial of another year", 6, 2016, -1, false},
		{"an abstention names nobody", -1, 2015, -1, false},
	} {
		if s, ok := find(test.employer, test.year); s != test.serial || ok != test.ok {
			t.Errorf("%s: %d, %v, want %d, %v", test.name, s, ok, test.serial, test.ok)
		}
	}
}

func TestExcess(t *testing.T) {
	of := func(pairs ...[3]int32) *workers {
		w := newWorkers()
		for _, p := range pairs {
			w.add(p[0], p[1] == 1, p[1] == 1, p[2] == 1)
		}
		return w
	}
	for _, test := range []struct {
		name, why string
		w         *workers
		value     float64
		wide      bool
	}{
		{"gains", "two of four are known only from the release", of([3]int32{0, 1, 0}, [3]int32{1, 1, 1}, [3]int32{2, 1, 0}, [3]int32{3, 0, 0}), 0.5, false},
		{"misled", "a wrong cell is worse than the guess", of([3]int32{0, 0, 1}, [3]int32{1, 0, 1}, [3]int32{2, 1, 1}), -2.0 / 3, false},
		{"one employer", "one cluster has no spread of its own", of([3]int32{0, 1, 0}, [3]int32{0, 0, 0}), 0.5, true},
		{"no difference", "no spread is not no error", of([3]int32{0, 1, 1}, [3]int32{1, 0, 0}), 0, true},
	} {
		r := test.w.excess("", 5)
		if diff := cmp.Diff(test.value, float64(r.Value)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", test.name, test.why, diff)
		}
		if !(r.Low < r.Value && r.Value < r.High) || r.Low < -1 || r.High > 1 || test.wide && r.High-r.Low < 0.5 {
			t.Errorf("%s: interval [%v, %v] of %v: %s", test.name, r.Low, r.High, r.Value, test.why)
		}
	}
}

// A fragment that takes every large employer: who knows the design guesses a
// large one, and who counts people exposes most by guessing the largest.
func TestBaselineKnowsTheDesign(t *testing.T) {
	f := fingerprints()
	frag := Fragment{Truth: truth, Favour: 3, Staff: []float64{60, 3, 7, 2, 1}, Sector: []string{"C", "C", "F", "", "G"}}
	got, err := frag.Employers([]Variant{{Fingerprints: f}, {Group: "years=1", Fingerprints: f, Sampled: true}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
		_, sampled := m.RowOf("years=1")
		if want := strings.Contains(m.Name, ".nearest."); sampled != want {
			t.Errorf("%s has a row of a sample of serials: %v, want %v: one-to-one claims of a sample lack their rivals", m.Name, sampled, want)
		}
		switch m.Name {
		case "attack.employer.nearest.outsider.top1":
			if m.Baseline != 0.75 {
				t.Errorf("best guess is right with %v, want 3/5 of 1.25 members", m.Baseline)
			}
		case "attack.employer.assignment.outsider.top1":
			for group, n := range map[string]int64{"sector C": 2, "sector F": 1} {
				if r, ok := m.RowOf(group); !ok || r.N != n {
					t.Errorf("row %s has n = %d, want %d", group, r.N, n)
				}
			}
		case "attack.employer.assignment.outsider.workers-exposed":
			if m.Baseline < 0.75 {
				t.Errorf("staff exposed without the release is %v, want no less than the best guess", m.Baseline)
			}
		}
	}
	records, err := frag.Records(f)
	if err != nil {
		t.Fatal(err)
	}
	if w := Worst(records, 1); len(records) != 4 || len(w) != 1 || w[0].Posterior < records[3].Posterior {
		t.Errorf("worst of %d records is %+v", len(records), w)
	}
}
