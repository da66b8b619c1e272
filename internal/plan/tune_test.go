package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/strictyaml"
)

const tuned = `
scramble:
  keep: [[employer]]
  steps:
    - {method: random-swap, unit: person-year, bundle: [level, field], rate: 0.2, same: [year]}
    - {method: coarsen-counts, classes: [1, 5, 10]}
tune:
  points: 20
  seeds: 3
  space:
    steps.0.rate: {from: 0.02, to: 0.6, scale: log}
    scramble.steps[0].same: [[year], [year, group]]
    steps.1: [on, off]
    release.classes.wage.width: [5000 .. 20000]
    release.firm_columns: [[group, size_class], []]
    donors: [population, fragment]
`

func TestTune(t *testing.T) {
	p, err := Parse("tuned.yaml", []byte(tuned))
	if err != nil {
		t.Fatal(err)
	}
	want := []Range{
		{From: .02, To: .6, Scale: "log"},
		{Choices: []string{"[year]", "[year, group]"}},
		{Choices: []string{"on", "off"}},
		{From: 5000, To: 20000},
		{Choices: []string{"[group, size_class]", "[]"}},
		{Choices: []string{"population", "fragment"}},
	}
	for i, v := range p.Tune.Space {
		got, err := v.Range()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", v.Path, diff)
		}
	}
	back, err := Parse("again.yaml", p.YAML())
	if err != nil {
		t.Fatalf("%v:\n%s", err, p.YAML())
	}
	if diff := cmp.Diff(p, back); diff != "" {
		t.Errorf("the plan read back (-want +got):\n%s", diff)
	}

	q, err := p.With([]Setting{
		{"steps.0.rate", "0.3"}, {"scramble.steps[0].same", "[year, group]"}, {"steps.1", "off"},
		{"release.classes.wage.width", "7500"}, {"release.firm_columns", "[]"}, {"donors", "fragment"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := q.Scramble.Steps; len(s) != 1 || s[0].Rate != .3 || len(s[0].Same) != 2 || q.Release.Classes.Wage.Width != 7500 ||
		len(q.Release.FirmColumns) != 0 || q.Scramble.Donors != "fragment" || q.Tune != nil {
		t.Errorf("the plan with settings is\n%s", q.YAML())
	}
	if p.Scramble.Steps[0].Rate != .2 || p.ScrambleDigest() == q.ScrambleDigest() {
		t.Error("the plan that was varied changed")
	}
	p.Tune.Points = 21
	if plain, err := p.With(nil); err != nil || plain.ScrambleDigest() != p.ScrambleDigest() {
		t.Errorf("a space changes what the plan does to the data (%v)", err)
	}
}

func TestTuneRefuses(t *testing.T) {
	for _, c := range []struct{ name, why, old, new, want string }{
		{"path", "no such key", "steps.0.rate", "steps.0.rat", `unknown key "rat"`},
		{"step", "there are two steps", "steps.1: [on", "steps.2: [on", "no step that can be switched"},
		{"entry", "nothing stands in a third step", "steps.0.rate", "steps.5.rate", "there is no 5"},
		{"value", "a rate is at most 1", "to: 0.6", "to: 6", "rate is 6"},
		{"type", "a rate is a number", "{from: 0.02, to: 0.6, scale: log}", "[high]", "want a number"},
		{"interval", "from is above to", "from: 0.02", "from: 0.7", "from must be below to"},
		{"scale", "a logarithm of 0", "from: 0.02", "from: 0", "must start above 0"},
		{"scale name", "not a scale", "scale: log", "scale: lg", `scale is "lg"`},
		{"no list", "a single value is no choice", "[on, off]", "on", "want a list"},
		{"twice", "the same value", "[on, off]", "[on, on]", "twice"},
		{"seeds", "one key", "seeds: 3", "seeds: 1", "seeds is 1"},
		{"points", "none", "points: 20", "points: 0", "points is 0"},
		{"key", "an interval has no such key", "scale: log", "steps: 5", `unknown key "steps"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("tuned.yaml", []byte(strings.Replace(tuned, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "tuned.yaml:") {
				t.Errorf("%s: %v, want %q with a position", c.why, err, c.want)
			}
		})
	}
}

func FuzzVary(f *testing.F) {
	for _, s := range []string{"[a, b]", "{from: 1, to: 2}", "[1 .. 2 log]", "[[x], []]", "on", "{from: 1", "[.. ]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Vary{"steps.0.rate", strictyaml.Raw(s)}.Range()
		if err == nil && len(r.Choices) == 0 && !(r.From < r.To) {
			t.Errorf("%q is read as %+v", s, r)
		}
	})
}
