package score

import (
	"math"
	"testing"

	"scramblelab/internal/attack"
	"scramblelab/internal/metric"
)

// Zero successes, a baseline above the attack and empty groups give sensible
// numbers or a reason, never a crash.
func TestEmptyAttacks(t *testing.T) {
	var ms []metric.Metric
	ms = append(ms, CVs(CVTruth{Known: 3, Knowledge: metric.KnowsParameters, M: 10})...)
	ms = append(ms, CVs(CVTruth{Known: 1, M: 10, Serials: 5, Inside: []CVCase{{Employer: 1, Right: 2, Find: attack.CVFind{Serial: 3}}}})...)
	ms = append(ms, Membership("cv", "cv-3", "", "", nil, nil, 0)[0], Joiners("colleague", "", nil, 0), Placed("colleague", "", nil, 0), Suspected("colleague", "", nil, 0))
	ms = append(ms, Joiners("neighbour", "", []JoinerCase{{Employer: 1, Wage: math.NaN()}}, 5), PhaseTwo(Truth{}, nil, "", 0))
	for _, m := range ms {
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
	}
	if r := ms[len(ms)-2].Row; r.Value != 0 || !(r.High > 0.5) {
		t.Errorf("one claim, no success: %+v, want 0 with a wide interval", r)
	}
}

func TestMembershipRow(t *testing.T) {
	ramp := func(n int, from float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = from + float64(i)
		}
		return out
	}
	tests := []struct {
		name, why       string
		inside, outside []float64
		auc, tpr        float64
	}{
		{"certain", "all members score above all others", ramp(50, 1000), ramp(200, 0), 1, 1},
		{"same", "equal scores are a coin, and nobody is above the threshold", make([]float64, 50), make([]float64, 200), 0.5, 0},
		{"above two of 200", "1 % of 200 may be mistaken: the third highest is the threshold", []float64{197.5, 196.5}, ramp(200, 0), (198.0/200 + 197.0/200) / 2, 0.5},
	}
	for _, tt := range tests {
		ms := Membership("cv", "cv-1", "", "Asked.", tt.inside, tt.outside, 250)
		for _, m := range ms {
			if err := m.Validate(); err != nil {
				t.Error(err)
			}
		}
		if got := [2]float64{float64(ms[0].Value), float64(ms[1].Value)}; math.Abs(got[0]-tt.auc) > 1e-12 || math.Abs(got[1]-tt.tpr) > 1e-12 {
			t.Errorf("%s: %v, want %v and %v (%s)", tt.name, got, tt.auc, tt.tpr, tt.why)
		}
		if ms[2].Value.Valid() || ms[2].Reason == "" {
			t.Errorf("%s: 200 others cannot show a rate of one in 1,000: %+v", tt.name, ms[2].Row)
		}
	}
}

func TestJoinersAndPlaced(t *testing.T) {
	j := Joiners("colleague", "", []JoinerCase{
		{Claim: attack.JoinerClaim{Wage: 30000}, Employer: 1, Joined: true, Wage: 34000, Guess: 20000},
		{Claim: attack.JoinerClaim{Wage: 30000}, Employer: 2, Joined: true, Wage: 36000, Guess: 35000},
		{Claim: attack.JoinerClaim{Wage: 30000}, Employer: 3, Wage: math.NaN()},
	}, 9)
	joined, _ := j.RowOf("somebody joined")
	if math.Abs(float64(j.Value)-1.0/3) > 1e-12 || joined.Value != 0.5 || joined.Baseline != 0.5 {
		t.Errorf("joiners: %+v, of those who joined %+v: want 1/3 and one half each", j.Row, joined)
	}
	p := Placed("colleague", "", []PlacedCase{{Employer: 1, Staff: 10, Restored: 9, Released: 7, Baseline: 3}, {Employer: 2, Staff: 10, Restored: 8, Released: 8, Baseline: 3}}, 20)
	face, _ := p.RowOf("as released")
	if p.Value != 0.85 || face.Value != 0.75 || math.Abs(float64(p.Baseline)-0.3) > 1e-12 {
		t.Errorf("placed %+v, as released %+v: want .85 and .75 beside .3", p.Row, face)
	}
}
