package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

// every is every method of the manual, and every unit, scope and form of it
// that another path through the program serves; %same, %level and %year stand
// for what the data have.
var every = []struct {
	name, yaml string
	panel      bool // needs years or workers
}{
	{"random swap", "{method: random-swap, bundle: [level, field], rate: 0.2, same: [%same], scope: across-employers}", false},
	{"random swap, apart", "{method: random-swap, bundle: [level, field], joint: false, rate: 0.2, same: [%same]}", false},
	{"random swap, within", "{method: random-swap, bundle: [wage, fte], rate: 1, same: [%same], scope: within-employer}", false},
	{"random swap, missing stay", "{method: random-swap, bundle: [level, field], rate: 1, same: [%same], missing: keep}", false},
	{"rows", "{method: random-swap, unit: row, bundle: [level], rate: 0.2, same: [%same]}", false},
	{"whole workers", "{method: random-swap, bundle: [employer], rate: 0.2, same: [%same]}", false},
	{"whole workers, per job", "{method: random-swap, unit: row, bundle: [employer], rate: 0.2, same: [%same]}", false},
	{"person-consistent", "{method: random-swap, unit: person, bundle: [level, field], rate: 0.3, same: [group]}", true},
	{"whole trajectories", "{method: random-swap, unit: person, bundle: [employer], rate: 0.2}", true},
	{"spells", "{method: random-swap, unit: spell, bundle: [level], rate: 0.2, scope: across-employers}", true},
	{"job spells to other employers", "{method: random-swap, unit: spell, bundle: [employer], rate: 0.2}", true},
	{"rank swap", "{method: rank-swap, bundle: [wage, fte, age], rate: 1, window: 0.05, same: [%same]}", false},
	{"rank swap, p-distribution", "{method: rank-swap, bundle: [wage], rate: 1, window: 0.05, law: distribution, same: [%same]}", false},
	{"rank swap, p-buckets", "{method: rank-swap, bundle: [wage], rate: 1, window: 0.05, law: buckets, same: [%same]}", false},
	{"targeted swap, k", "{method: targeted-swap, bundle: [level, field], rate: 0.05, same: [%same], hierarchy: [region, sector], risk: [level, field], k: 3, profiles: [[sex], [%same]]}", false},
	{"targeted swap, rate", "{method: targeted-swap, bundle: [level, field], rate: 0.05, same: [%same], hierarchy: [region, sector, employer], risk: [level, field], k: 3, profiles: [[sex], [%same]], priority: rate}", false},
	{"targeted swap, stay in region", "{method: targeted-swap, bundle: [employer], rate: 0.02, same: [%same, region], hierarchy: [sector, employer], risk: [level], k: 2, priority: rate}", false},
	{"nearest swap", "{method: nearest-swap, bundle: [level, field], rate: 0.2, same: [%same], near: [wage, sex], caliper: 0.1, scope: across-employers}", false},
	{"nearest swap, least difference", "{method: nearest-swap, bundle: [wage], rate: 0.2, same: [%same], near: [level, fte], min_difference: 1000}", false},
	{"conditional shuffle", "{method: conditional-shuffle, bundle: [wage, fte], rate: 1, same: [%same], given: [age]}", false},
	{"full shuffle", "{method: full-shuffle, bundle: [level, field], rate: 1, same: [%same]}", false},
	{"employer-region", "{method: random-swap, unit: employer-region, bundle: [region], rate: 0.3, same: [sector]}", false},
	{"recode", "{method: recode, column: level, file: %level, depth: 1}, {method: random-swap, bundle: [level, field], rate: 0.2, same: [%same]}", false},
	{"sample workers", "{method: sample-workers, rate: 0.8}", false},
	{"sample employers", "{method: sample-employers, rate: 0.8}", false},
	{"merge", "{method: merge-small-employers, minimum: 10, by: [sector]}", false},
	{"coarsen", "{method: coarsen-counts, classes: [1, 3, 5, 10, 20, 50]}", false},
	{"fresh serials", "{method: fresh-serials}", true},
	{"top-code", "{method: top-code, column: wage, above: 100000, below: 5000, replace: mean}", false},
	{"noise", "{method: noise, column: wage, sd: 0.05, kind: multiplicative, zero_sum: true, by: [employer%year]}", false},
	{"pram", "{method: pram, column: level, stay: 0.8, by: [%same]}", false},
	{"microaggregate", "{method: microaggregate, columns: [wage, fte], k: 3, by: [employer%year]}", false},
	{"jitter", "{method: jitter-counts, variance: 2, reach: 3}", false},
	{"round", "{method: round-counts, base: 3}", false},
	{"suppress", "{method: suppress-cells, minimum: 3}", false},
}

// TestEveryMethod: every method runs from a plan on a generated population (with
// EVERY_METHOD=default the default one, two minutes of processor time) and on a
// survey made by others, touches somebody, keeps what the plan promises
// and ends in tables that can be published.
func TestEveryMethod(t *testing.T) {
	if testing.Short() {
		t.Skip("two populations, one of them large")
	}
	levels := filepath.Join(t.TempDir(), "education.csv")
	const ses = "ISCED 0 and 1;primary\nISCED 2;secondary\nISCED 3 and 4;secondary\nISCED 5A;higher\nISCED 5B;higher\n"
	if err := os.WriteFile(levels, []byte(ses), 0o600); err != nil {
		t.Fatal(err)
	}
	survey, err := os.ReadFile("../../examples/ses/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(survey), "\nscramble:")
	before = strings.ReplaceAll(before, "../shared/data/ses.csv.gz", sharedtest.Path(t, "data/ses.csv.gz"))
	generated := "data: {generate: {employers: 2000, from: 2015, to: 2017}}\n"
	if os.Getenv("EVERY_METHOD") == "default" {
		generated = ""
	}
	for _, on := range []struct {
		name, base, same, keep, levels, year string
		panel                                bool
	}{
		{"ses", before, "sector", "[[sector, size]]", levels, "", false},
		{"default", generated + "release: {firm_columns: [group, region, sector, size_class]}", "year, group", "[[year, group]]", "shipped:level.csv", ", year", true},
	} {
		t.Run(on.name, func(t *testing.T) {
			p := parsed(t, on.base)
			data, err := Load(t.Context(), p, newKeys(seeded(1)).sim, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range every {
				if m.panel && !on.panel {
					continue
				}
				t.Run(m.name, func(t *testing.T) {
					yaml := strings.NewReplacer("%same", on.same, "%level", on.levels, "%year", on.year).Replace(m.yaml)
					p := parsed(t, on.base+"\nscramble: {keep: "+on.keep+", steps: ["+yaml+"]}\n")
					runsFrom(t, p, data)
				})
			}
		})
	}
}

func runsFrom(t *testing.T, p plan.Plan, data *linked.Data) {
	t.Helper()
	d, err := recode(p, data)
	if err != nil {
		t.Fatal(err)
	}
	key := rng.SecretFromSeed(2)
	s, err := scramble(t.Context(), p, d, key) // checks what the plan promises
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range s.steps {
		for _, g := range step.result.Report.Pairings {
			if g.Touched == 0 || g.Changed == 0 {
				t.Errorf("step %d touched %d and changed %d of %d units", step.number, g.Touched, g.Changed, g.Units)
			}
		}
	}
	for _, step := range s.steps {
		for _, g := range step.result.Pairings {
			if !g.Perm.IsBijection() {
				t.Error("no bijection")
			}
		}
	}
	for _, x := range s.masks {
		if x.report.Touched == 0 {
			t.Errorf("%s touched nothing", x.report.Step)
		}
	}
	o, err := s.publishOptions()
	if err != nil {
		t.Fatal(err)
	}
	v, err := publish.Publish(t.Context(), s.shown(s.drawn(s.published())), s.sample.Employers, o)
	if err != nil {
		t.Fatal(err)
	}
	tables, _, err := release.Serialise(v, key, release.Delivery{Phase: release.PhaseOne, Number: 1}, s.perYear)
	if err != nil {
		t.Fatal(err)
	}
	if tables.Employers.Rows() == 0 || tables.Cells.Rows() == 0 {
		t.Errorf("%d employers and %d cells are published", tables.Employers.Rows(), tables.Cells.Rows())
	}
}
