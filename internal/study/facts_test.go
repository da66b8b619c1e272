package study

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/metric"
	"scramblelab/internal/rng"
)

// growthFile makes 120 employers over six years. From 2018 on, half of them
// grow by ten people: five fewer of level S0 and fifteen more of level S2. The
// true effect on the low is negative, on everybody positive.
func growthFile() table {
	f := table{header: "firm,person,jaar,schooling,study,pay,part,arm,event"}
	person := 0
	for e := range 120 {
		s := rng.Sim(9).Stream(4, uint64(e))
		arm, event := "control", ""
		if e%2 == 0 {
			arm, event = "intervention", "2018"
		}
		for year := 2015; year <= 2020; year++ {
			staff := [3]int{22 + s.IntN(3), 9 + s.IntN(3), 9 + s.IntN(3)}
			if event != "" && year >= 2018 {
				staff[0], staff[2] = staff[0]-5, staff[2]+15
			}
			for level, n := range staff {
				for range n {
					person++
					f.rows = append(f.rows, fmt.Sprintf("E%d,W%d,%d,S%d,F%d,%d,%.2f,%s,%s", e, person, year, level, s.IntN(3), 20_000+8000*level+10*s.IntN(800), 0.5+0.5*float64(s.IntN(2)), arm, event))
				}
			}
		}
	}
	return f
}

const growthPlan = `data: {jobs: %q}
schema:
  firm:      {role: employer}
  person:    {role: worker}
  jaar:      {role: period, released: true}
  schooling: {role: ordinal, as: level, known: true, released: true}
  study:     {role: category, as: field, released: true}
  pay:       {role: number, as: wage, sensitive: true, released: true}
  part:      {role: number, as: fte, released: true}
  arm:       {role: category, as: group, known: true, released: true}
  event:     {role: number, as: event_year, released: true}
release: {records: 120}
scramble: {keep: [], steps: [{method: random-swap, bundle: [level, field], rate: 0.8, same: [year]}]}
adversaries: []
`

func facts(t *testing.T, r *metric.Report) map[string]metric.Fact {
	t.Helper()
	out := map[string]metric.Fact{}
	for _, f := range r.Facts {
		if f.Title == "" || strings.ContainsAny(f.Sentence, "\n") || strings.Contains(f.Sentence, "NaN") || !strings.HasSuffix(f.Sentence, ".") {
			t.Errorf("fact %s is %q: %q", f.ID, f.Title, f.Sentence)
		}
		out[f.ID] = f
	}
	return out
}

// TestFactsOnAPopulation: facts 1, 2, 3, 4 and 7 of the design hold on any
// population under the built-in plan, with numbers that add up.
func TestFactsOnAPopulation(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole study")
	}
	r, _ := studied(t, "data: {generate: {employers: 300, from: 2015, to: 2021}}\nadversaries: []\n", seeded(2), "")
	got := facts(t, r)
	for id, want := range map[string]string{
		"1": `After the swap ([\d,]+) of ([\d,]+) employer-years .* over 5 years, .* for [\d.]+ % of employers; over 7 years for [\d.]+ %\.$`,
		"2": `leaves all [\d,]+ cells of the fragment`,
		"3": `wage bill of ([\d,]+) of ([\d,]+) employer-years exactly .* misses it by ([\d.]+) % on average`,
		"4": `are ([\d.]+) % of all cells .*: ([\d.]+) % at 1-4 staff, ([\d.]+) % at 20-49`,
		"7": `totals by level and field are exactly as before, yet only ([\d.]+) %`,
	} {
		f := got[id]
		found := regexp.MustCompile(want).FindStringSubmatch(f.Sentence)
		switch {
		case !f.Holds:
			t.Errorf("fact %s does not hold: %s", id, f.Sentence)
		case found == nil:
			t.Errorf("fact %s says %q, want %s", id, f.Sentence, want)
		case (id == "1" || id == "3") && found[1] != found[2]:
			t.Errorf("fact %s: %s of %s employer-years", id, found[1], found[2])
		case id == "4" && !(number(t, found[2]) > number(t, found[1]) && number(t, found[1]) > number(t, found[3])/2 && number(t, found[2]) > 95):
			t.Errorf("fact 4: %s", f.Sentence)
		case id == "3" && !(number(t, found[3]) > 0.5 && number(t, found[3]) < 20): // classes of 5,000 euro; small employers with a job of a few weeks miss by far more
			t.Errorf("fact 3: %s", f.Sentence)
		}
	}
	share, _ := r.Metric("fidelity.cells.share-exact")
	if f := got["7"]; !strings.Contains(f.Sentence, percent(float64(share.Value))) {
		t.Errorf("fact 7 and fidelity.cells.share-exact (%v) disagree: %s", share.Value, f.Sentence)
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	var v float64
	if _, err := fmt.Sscan(strings.ReplaceAll(s, ",", ""), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSignChanges: fact 6. Five of 22 low workers leave an employer that grows
// by ten; after a swap of four in five the effect on the low reads as growth,
// as the law (1-s) b + s q B says, and the effect on the total has not moved.
func TestSignChanges(t *testing.T) {
	r, _ := studied(t, fmt.Sprintf(growthPlan, growthFile().write(t)), seeded(4), "csv")
	f := facts(t, r)["6"]
	low := regexp.MustCompile(`head-count-(?:low|[\w-]*1): ([-+.\d]+) before, ([-+.\d]+) after \(the law of swapping predicts ([-+.\d]+)\), a changed sign`).FindStringSubmatch(f.Sentence)
	all := regexp.MustCompile(`head-count: ([-+.\d]+) before, ([-+.\d]+) after`).FindStringSubmatch(f.Sentence)
	if !f.Holds || low == nil || all == nil {
		t.Fatalf("no sign changed: %s", f.Sentence)
	}
	before, after, law := number(t, low[1]), number(t, low[2]), number(t, low[3])
	if !(before < -0.05 && after > 0.02 && law > 0.02 && after-law < 0.02 && law-after < 0.02) {
		t.Errorf("the effect on the low went from %v to %v, the law says %v", before, after, law)
	}
	if diff := cmp.Diff(all[1], all[2]); diff != "" || number(t, all[1]) < 0.1 {
		t.Errorf("the effect on all staff (-before +after):\n%s", diff)
	}
}

// TestFactsThatDoNotHold: a fact is reported by what the run shows, not by what
// the design says of another scramble.
func TestFactsThatDoNotHold(t *testing.T) {
	file := panelFile().write(t)
	for _, test := range []struct{ name, steps, fact, want string }{
		{"wages move", "{method: random-swap, bundle: [wage], rate: 1, same: [year], scope: across-employers}", "3", "The swap left the wage bill of"},
		{"whole workers move", "{method: random-swap, bundle: [employer], rate: 1, same: [year]}", "3", "The swap left the wage bill of"},
		{"no wages", "", "3", "The data have no wages"},
		{"no events", "{method: random-swap, bundle: [level], rate: 1, same: [year]}", "6", "no effect to compare"},
	} {
		t.Run(test.name, func(t *testing.T) {
			yaml := fmt.Sprintf(panelSchema, file) + "scramble: {keep: [], steps: [" + test.steps + "]}\nadversaries: []\n"
			if test.name == "no wages" {
				yaml = strings.Replace(yaml, "  pay:       {role: number, as: wage, sensitive: true, released: true}\n", "", 1)
			}
			r, _ := studied(t, yaml, seeded(1), "csv")
			if f := facts(t, r)[test.fact]; f.Holds || !strings.Contains(f.Sentence, test.want) {
				t.Errorf("fact %s, holds %v: %s", f.ID, f.Holds, f.Sentence)
			}
		})
	}
}
