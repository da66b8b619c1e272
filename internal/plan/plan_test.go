package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scramblelab/plans"
)

const sesSchema = `data: {jobs: ses.csv.gz}
schema:
  id: {role: employer}
  edu: {role: ordinal, as: level, released: true}
`

func TestDefault(t *testing.T) {
	p := Default()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	if p.Release.Records != 3000 || p.Data.Generate.Employers != 20000 || p.Scramble.Steps[0].Rate != 0.2 {
		t.Errorf("the built-in plan lost a number: %+v", p)
	}
	p.Release.FirmColumns[0] = "changed"
	if Default().Release.FirmColumns[0] == "changed" {
		t.Error("two calls of Default share a list")
	}
}

func TestShippedPlans(t *testing.T) {
	for _, name := range plans.Names() {
		b, err := plans.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Parse(name+".yaml", b)
		if err != nil {
			t.Error(err)
		}
		got, err := Load(name)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("loaded by name (-want +got, %v):\n%s", err, diff)
		}
		for _, s := range want.Scramble.Steps {
			if s.File == "" {
				continue
			}
			f, err := plans.Open(s.File)
			if err != nil || !plans.Shipped(s.File) {
				t.Fatalf("%s: a shipped plan must recode by a shipped hierarchy: %v", name, err)
			}
			f.Close()
		}
	}
	if _, err := Load("nonesuch"); err == nil || !strings.Contains(err.Error(), "ksz-default") {
		t.Errorf("no file and no plan of that name must list the shipped plans, got %v", err)
	}
	if _, err := plans.Open("shipped:nonesuch"); err == nil || !strings.Contains(err.Error(), "shipped:level.csv") {
		t.Errorf("an unknown hierarchy must list the shipped ones, got %v", err)
	}
	if _, err := plans.Read("nonesuch"); err == nil || !strings.Contains(err.Error(), "ksz-default") {
		t.Errorf("an unknown name must list the shipped plans, got %v", err)
	}
}

func TestDefaultsFillIn(t *testing.T) {
	tests := []struct {
		name, why, yaml string
		want            func(*Plan)
	}{
		{"one key", "an absent key of a section takes its default",
			"release: {records: 10}", func(p *Plan) { p.Release.Records = 10 }},
		{"byte-order mark and Windows line ends", "editors on Windows write both",
			"\ufeffrelease:\r\n  records: 10\r\n", func(p *Plan) { p.Release.Records = 10 }},
		{"part of generate", "the years keep their default",
			"data: {generate: {employers: 5}}", func(p *Plan) { p.Data.Generate.Employers = 5 }},
		{"population", "another source replaces the default one",
			"data: {population: pop}", func(p *Plan) { p.Data = Data{Population: "pop"} }},
		{"width of a class", "from and top keep their default",
			"release: {classes: {wage: {width: 10000}}}", func(p *Plan) { p.Release.Classes.Wage.Width = 10000 }},
		{"bounds of a class", "bounds replace the default width",
			"release: {classes: {wage: {bounds: [1, 2]}}}", func(p *Plan) { p.Release.Classes.Wage = Class{Bounds: []float64{1, 2}} }},
		{"width for bounds", "a width replaces the default bounds",
			"release: {classes: {age: {width: 5, from: 20, top: 65}}}", func(p *Plan) { p.Release.Classes.Age = Class{Width: 5, From: 20, Top: 65} }},
		{"empty list", "an empty list is a list, not the default",
			"scramble: {keep: [], steps: []}", func(p *Plan) { p.Scramble.Keep, p.Scramble.Steps = nil, nil }},
		{"number as text", "labels may look like numbers",
			"project: {recipient: 007}", func(p *Plan) { p.Project.Recipient = "007" }},
		{"step", "a step's own keys have defaults",
			"scramble: {steps: [{method: random-swap, bundle: [level], rate: 0, same: [year, group]}]}", func(p *Plan) {
				yes := true
				p.Scramble.Steps = []Step{{Method: RandomSwap, Unit: "person-year", Bundle: []string{"level"}, Joint: &yes, Same: []string{"year", "group"}, Scope: "any"}}
			}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse("plan.yaml", []byte(test.yaml))
			if err != nil {
				t.Fatal(err)
			}
			want := Default()
			test.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.why, diff)
			}
		})
	}
}

func TestDataAndSchemaSuffice(t *testing.T) {
	p, err := Parse("plan.yaml", []byte(sesSchema+`  nace: {role: category, as: sector, released: true, known: true}
  pay: {role: number, as: wage, sensitive: true, released: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if diff := cmp.Diff([]Step{{Method: RandomSwap, Unit: "row", Bundle: []string{"level"}, Joint: &yes, Rate: 0.2, Same: []string{"sector"}, Scope: "across-employers"}}, p.Scramble.Steps); diff != "" {
		t.Errorf("the default step must fit the schema (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Kept{{"employer"}, {"sector", "level"}}, p.Scramble.Keep); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sector", "size_class", "design_weight"}, p.Release.FirmColumns); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"head_count", "wage_bill", "level", "sector"}, p.Attack.Public.Columns); diff != "" {
		t.Errorf("an intruder has the accounts and what the schema says is known (-want +got):\n%s", diff)
	}
	if p.Releases("employer") || !p.Releases("wage") || p.Releases("fte") {
		t.Error("Releases must follow the schema")
	}
}

func TestErrors(t *testing.T) {
	step := "scramble: {steps: [{method: random-swap, bundle: [level], rate: 0.1, same: [year, group]%s}]}"
	with := func(more string) string { return strings.Replace(step, "%s", more, 1) }
	tests := []struct{ name, why, yaml, want string }{
		{"misspelt key", "the key that was meant is named, at its place",
			"scramble:\n  steps:\n    - method: random-swap\n      bundle: [level]\n      rat: 0.2\n",
			"p.yaml:5:7: unknown key \"rat\" (did you mean \"rate\"?)"},
		{"misspelt section", "the top level is strict too",
			"relaese: {}", "p.yaml:1:1: unknown key \"relaese\" (did you mean \"release\"?)"},
		{"unknown key", "far from any key, those known are listed",
			"project: {zzzzzz: 1}", "p.yaml:1:11: unknown key \"zzzzzz\" (known: purpose, recipient, legal_basis, destroy_when, extended_by)"},
		{"key twice", "the second would silently win",
			"gates: ksz\ngates: ksz", "p.yaml:2:1: mapping key \"gates\" already defined at [1:1]"},
		{"not YAML", "syntax errors have a place", "a: [1", "p.yaml:1:4: sequence end token ']' not found"},
		{"empty", "a cut-off file is no plan", "# only a comment\n", "p.yaml:1:1: the plan is empty: give at least data, or run without a plan for the built-in one"},
		{"no value", "a key without a value is an accident", "gates:\n", "p.yaml:1:8: gates has no value: give one, or leave it out"},
		{"anchor", "what a reader sees is what runs", "gates: &g ksz", "p.yaml:1:8: anchors, aliases and tags are not read in a plan: write the value out"},
		{"two documents", "only the first would be read", "gates: ksz\n---\ngates: ksz", "p.yaml:3:1: a second document: a file holds one plan"},
		{"list for mapping", "types are named", "release: [a]", "p.yaml:1:10: release is a list, want a mapping with the keys unit, records, stratify, count_on, firm_columns, classes"},
		{"text for list", "a list of one needs brackets", "adversaries: outsider", "p.yaml:1:14: adversaries is \"outsider\", want a list such as [a, b]"},
		{"program without data", "it must be told where they are", "fidelity: {analysis: {command: [sh, a.sh, \"{out}\"]}}", "p.yaml:1:32: no argument holds {data}: the program must be told where the data are and where to write"},
		{"no program", "", "fidelity: {analysis: {command: []}}", "p.yaml:1:32: command is empty, want the program and its arguments, such as [Rscript, analysis.R, \"{data}\", \"{out}\"]"},
		{"endless program", "", "fidelity: {analysis: {command: [sh, \"{data}\", \"{out}\"], minutes: 1e9}}", "p.yaml:1:66: minutes is 1e+09, want from 0 (which means 10) to 1440"},
		{"unknown models", "", "fidelity: {models: all}", "p.yaml:1:20: models is \"all\", want default"},
		{"mapping for number", "types are named", "attack: {targets: {a: 1}}", "p.yaml:1:19: targets is a mapping, want a whole number"},
		{"fraction of a record", "counts are whole", "release: {records: 1.5}", "p.yaml:1:20: records is \"1.5\", want a whole number"},
		{"quoted number", "a text is no number", "release: {records: \"5\"}", "p.yaml:1:20: records is \"5\", want a whole number"},
		{"yes for true", "only true and false are read", with(", joint: yes"), "p.yaml:1:98: joint is \"yes\", want true or false"},
		{"rate of 2", "a rate is a share", "scramble: {steps: [{method: random-swap, bundle: [level], rate: 2, same: [year, group]}]}", "p.yaml:1:65: rate is 2, want a share in [0, 1]"},
		{"rate NaN", "NaN passes naive comparisons", "scramble: {steps: [{method: random-swap, bundle: [level], rate: .nan, same: [year, group]}]}", "p.yaml:1:65: rate is NaN, want a share in [0, 1]"},
		{"rate infinite", "so does an infinity", "scramble: {steps: [{method: random-swap, bundle: [level], rate: -.inf, same: [year, group]}]}", "p.yaml:1:65: rate is -Inf, want a share in [0, 1]"},
		{"no rate", "a swap of unsaid strength is no default", "scramble: {keep: [], steps: [{method: random-swap, bundle: [level]}]}", "p.yaml:1:30: rate is missing, want a share in [0, 1]"},
		{"empty bundle", "nothing would be swapped", "scramble: {steps: [{method: random-swap, bundle: [], rate: 0.1}]}", "p.yaml:1:50: bundle is empty: name the attributes exchanged, such as [level, field]"},
		{"nothing kept", "a sample of nobody", "scramble: {steps: [{method: sample-workers, rate: 0}]}", "p.yaml:1:51: rate is 0, and nobody would be left: want the share of workers kept"},
		{"reversed years", "", "data: {generate: {from: 2020, to: 2010}}", "p.yaml:1:35: from 2020 to 2010: the years are reversed"},
		{"no records", "", "release: {records: 0}", "p.yaml:1:20: records is 0, want at least 1"},
		{"negative count", "", "data: {generate: {employers: -4}}", "p.yaml:1:30: employers is -4, want at least 1"},
		{"bounds not increasing", "", "release: {classes: {age: {bounds: [30, 30]}}}", "p.yaml:1:40: bounds are not increasing: 30 comes after 30"},
		{"width 0", "", "release: {classes: {wage: {width: 0}}}", "p.yaml:1:35: width is 0, want more than 0 (or give bounds)"},
		{"top below from", "", "release: {classes: {wage: {from: 200000}}}", "p.yaml:1:27: top is 150000, want more than from, which is 200000"},
		{"uneven top", "the last class would be narrower than it says", "release: {classes: {wage: {top: 12345}}}", "p.yaml:1:33: top is 12345, want a whole number of widths of 5000 above 0"},
		{"bounds and width", "one of the two would be ignored", "release: {classes: {age: {width: 5, bounds: [30]}}}", "p.yaml:1:26: age has bounds and a width: want one of the two"},
		{"unknown column in same", "", "scramble: {steps: [{method: random-swap, bundle: [level], rate: 0.1, same: [year, grup]}], keep: []}", "p.yaml:1:83: unknown column \"grup\" in same (did you mean \"group\"?)"},
		{"unknown column in bundle", "", "scramble: {steps: [{method: random-swap, bundle: [lvel], rate: 0.1, same: [year, group]}]}", "p.yaml:1:51: unknown column \"lvel\" in bundle (did you mean \"level\"?)"},
		{"column that is no attribute", "an employer's sector is no attribute of a worker", "scramble: {steps: [{method: random-swap, bundle: [sector], rate: 0.1, same: [year]}]}", "p.yaml:1:51: column \"sector\" cannot stand in bundle, want level, field, sex, age, wage, fte, employer"},
		{"unknown column in keep", "", "scramble: {keep: [[yaer]]}", "p.yaml:1:20: unknown column \"yaer\" in keep[0] (did you mean \"year\"?)"},
		{"unknown column in stratify", "", "release: {stratify: [region, nace]}", "p.yaml:1:30: unknown column \"nace\" in stratify (known: group, supplier_share_class, size_class, sector, region, size)"},
		{"accounts variable", "DESIGN 2: exact accounts are refused", "release: {firm_columns: [turnover]}", "p.yaml:1:26: \"turnover\" is refused: an exact accounts variable identifies the employer at once; use size_class"},
		{"identifier", "", "release: {firm_columns: [enterprise_number]}", "p.yaml:1:26: \"enterprise_number\" is refused: it names the employer; a release carries a serial number"},
		{"promise that cannot be kept", "METHODS 1.9: the strata must hold the other columns of the table", "scramble: {keep: [[year, region, level]]}", "p.yaml:1:19: [year, region, level] cannot be kept: steps[0] moves level between units that differ in region; add that to its same, or take the table out"},
		{"default promise that cannot be kept", "the file has no keep: the step stands for it, after what the file says wrongly",
			"data: {population: pop}\nscramble:\n  steps:\n    - {method: random-swap, bundle: [level, field], rate: 2}\n",
			"p.yaml:4:59: rate is 2, want a share in [0, 1]\np.yaml:4:7: the default keep [year, group, level] cannot be kept: steps[0] moves level between units that differ in year, group; add that to its same, or set scramble.keep: []"},
		{"default promise to own data", "it is of the schema's columns", sesSchema + "  s: {role: category, as: sector}\nscramble: {steps: [{method: random-swap, bundle: [level], rate: 0.1}]}",
			"p.yaml:6:20: the default keep [sector, level] cannot be kept: steps[0] moves level between units that differ in sector; add that to its same, or set scramble.keep: []"},
		{"merging without employers", "a worker's record has no employer to merge", "release: {unit: worker}\nscramble:\n  steps:\n    - {method: merge-small-employers, minimum: 5, by: [sector]}\n",
			"p.yaml:4:16: merge-small-employers merges employers, and release.unit is worker, which draws single jobs: use unit employer or employer-year, or take the step out"},
		{"joint table of independent swaps", "METHODS 1.9", "scramble: {keep: [[level, field]], steps: [{method: random-swap, bundle: [level, field], joint: false, rate: 1}]}", "p.yaml:1:19: [level, field] cannot be kept: steps[0] moves level and field independently; use joint: true, or take the table out"},
		{"whole workers across years", "they would land in years without that employer", "scramble: {keep: [], steps: [{method: random-swap, bundle: [employer], rate: 0.1}]}", "p.yaml:1:60: bundle holds employer without year in same: workers would land in years without that employer; add year to same"},
		{"firm columns travel", "whole workers take the sector of their employer along", "scramble: {keep: [[sector, level]], steps: [{method: random-swap, bundle: [employer], rate: 0.1, same: [year]}]}", "p.yaml:1:19: [sector, level] cannot be kept: steps[0] moves sector between units that differ in level; add that to its same, or take the table out"},
		{"window of a random swap", "it would be ignored silently", "scramble: {steps: [{method: coarsen-counts, classes: [1, 3], rate: 0.5}]}", "p.yaml:1:68: coarsen-counts takes no rate: it takes classes"},
		{"window", "no reach is no default", "scramble: {keep: [], steps: [{method: rank-swap, bundle: [wage], rate: 1}]}", "p.yaml:1:30: window is 0, want a share of the ranks in (0, 1], such as 0.05"},
		{"rank of a category", "fields have no order", "scramble: {keep: [], steps: [{method: rank-swap, bundle: [field], rate: 1, window: 0.1}]}", "p.yaml:1:59: column \"field\" cannot stand in bundle, want level, age, wage, fte"},
		{"window of a random swap", "it would be ignored", "scramble: {keep: [], steps: [{method: random-swap, bundle: [wage], rate: 1, window: 0.1}]}", "p.yaml:1:85: random-swap takes no window: it takes joint, unit, bundle, rate, same, scope, missing"},
		{"nobody near", "", "scramble: {keep: [], steps: [{method: nearest-swap, bundle: [wage], rate: 1}]}", "p.yaml:1:30: near is empty: name the columns by which partners are alike, such as [age, wage]"},
		{"near the bundle", "", "scramble: {keep: [], steps: [{method: nearest-swap, bundle: [wage], rate: 1, near: [wage]}]}", "p.yaml:1:85: wage stands in near and in bundle: take it out of one"},
		{"given nothing", "", "scramble: {keep: [], steps: [{method: conditional-shuffle, bundle: [wage], rate: 1}]}", "p.yaml:1:30: given is empty: name the columns whose relation with the bundle is kept, such as [age, fte]"},
		{"shuffle across", "", "scramble: {keep: [], steps: [{method: full-shuffle, bundle: [wage], rate: 1, scope: across-employers}]}", "p.yaml:1:85: full-shuffle deals values to anybody in the stratum, colleagues included: use scope any or within-employer"},
		{"no hierarchy", "", "scramble: {keep: [], steps: [{method: targeted-swap, bundle: [level], rate: 0.1, risk: [level], k: 3}]}", "p.yaml:1:30: hierarchy is empty: name nested regions from large to small, such as [region, sector, employer]"},
		{"k of one", "everybody agrees with himself", "scramble: {keep: [], steps: [{method: targeted-swap, bundle: [level], rate: 0.1, hierarchy: [employer], risk: [level], k: 1}]}", "p.yaml:1:123: k is 1, want at least 2: who agrees on risk with fewer than k in a region is at risk"},
		{"spells of another method", "", "scramble: {keep: [], steps: [{method: nearest-swap, unit: spell, bundle: [wage], near: [age], rate: 1}]}", "p.yaml:1:59: unit is spell, which only random-swap can move: use row or person-year"},
		{"pram of a number", "noise is for numbers", "scramble: {keep: [], steps: [{method: pram, column: wage, stay: 0.8}]}", "p.yaml:1:53: pram cannot replace values of wage, want one of level, field, sex, age"},
		{"noise without column", "", "scramble: {keep: [], steps: [{method: noise, sd: 1}]}", "p.yaml:1:30: noise has no column, want one of wage, fte, age"},
		{"noise without sd", "", "scramble: {keep: [], steps: [{method: noise, column: wage}]}", "p.yaml:1:30: sd is 0, want a standard deviation above 0"},
		{"yearly sums", "a sum over all years is not what is released", "scramble: {keep: [], steps: [{method: noise, column: wage, sd: 1, zero_sum: true, by: [employer]}]}", "p.yaml:1:87: by names employer without year: noise that adds up to nothing over all years leaves the yearly sums noisy; add year"},
		{"no bound", "", "scramble: {keep: [], steps: [{method: top-code, column: wage}]}", "p.yaml:1:30: top-code has no bound: give above, below or both"},
		{"cluster of one", "", "scramble: {keep: [], steps: [{method: microaggregate, columns: [wage], k: 1}]}", "p.yaml:1:75: k is 1, want clusters of at least 2"},
		{"strata of what is replaced", "", "scramble: {keep: [], steps: [{method: microaggregate, columns: [age], k: 3, by: [age]}]}", "p.yaml:1:82: by names age, whose values are replaced: take it out"},
		{"variance beyond the reach", "", "scramble: {keep: [], steps: [{method: jitter-counts, variance: 9, reach: 2}]}", "p.yaml:1:64: variance is 9, want more than 0 and at most 2, which is reach·(reach+1)/3"},
		{"base", "", "scramble: {keep: [], steps: [{method: round-counts, base: 4}]}", "p.yaml:1:59: base is 4, want 3 or 5"},
		{"two steps on counts", "noise on rounded counts promises neither", "scramble: {keep: [], steps: [{method: round-counts, base: 3}, {method: suppress-cells, minimum: 3}]}", "p.yaml:1:72: suppress-cells and steps[0] (round-counts) both change the head counts of cells: keep one of them"},
		{"swap of replaced values", "promises are checked before", "scramble: {keep: [], steps: [{method: top-code, column: wage, above: 9}, {method: random-swap, bundle: [wage], rate: 0.1}]}", "p.yaml:1:74: a permutation stands after steps[0] (top-code), which replaces values: put permutations first, so that what they keep can be checked"},
		{"promise on a replaced column", "", "scramble: {keep: [[year, level]], steps: [{method: pram, column: level, stay: 0.8}]}", "p.yaml:1:19: [year, level] cannot be kept: steps[0] (pram) replaces values of level; take the step out, or take the table out"},
		{"sum without cells", "", "scramble: {keep: [sum(wage)], steps: []}", "p.yaml:1:19: \"sum(wage)\" is no sum: write it as sum(wage) by employer, or sum(wage) by [employer, year] within 1%"},
		{"sum of categories", "", "scramble: {keep: [sum(level) by employer], steps: []}", "p.yaml:1:19: \"sum(level) by employer\" sums level, want one of wage, fte, age"},
		{"sum by unknown", "", "scramble: {keep: ['sum(wage) by [employer, yaer]'], steps: []}", "p.yaml:1:19: unknown column \"yaer\" in keep (did you mean \"year\"?)"},
		{"tolerance", "", "scramble: {keep: [sum(wage) by employer within 200%], steps: []}", "p.yaml:1:19: \"sum(wage) by employer within 200%\": the tolerance is 200%, want more than 0 and at most 100%"},
		{"sum that is not kept", "wages move across employers", "scramble: {keep: [sum(wage) by employer], steps: [{method: random-swap, bundle: [wage], rate: 1, same: [year]}]}", "p.yaml:1:19: \"sum(wage) by employer\" cannot be kept: steps[0] moves wage between units that differ in employer; add that to its same, give a tolerance (within 1%), or take the sum out"},
		{"sum of a shuffle", "there are no pairs to take back", "scramble: {keep: [sum(wage) by employer within 1%], steps: [{method: full-shuffle, bundle: [wage], rate: 1, same: [year]}]}", "p.yaml:1:19: \"sum(wage) by employer within 1%\" cannot be kept: steps[0] (full-shuffle) deals values to no pairs that could be taken back; use rank-swap, nearest-swap or random-swap, or take the sum out"},
		{"sum by what moves", "", "scramble: {keep: [sum(wage) by level within 1%], steps: [{method: random-swap, bundle: [level], rate: 1, same: [year]}]}", "p.yaml:1:19: \"sum(wage) by level within 1%\" cannot be kept: steps[0] moves level between units that differ in wage; add that to its same, or take the sum out"},
		{"sum of noise", "", "scramble: {keep: [sum(wage) by employer], steps: [{method: noise, column: wage, sd: 100}]}", "p.yaml:1:19: \"sum(wage) by employer\" cannot be kept: steps[0] (noise) replaces values of wage; take the step out, or take the sum out"},
		{"region of workers", "a unit moves what is its own", "scramble: {keep: [], steps: [{method: random-swap, unit: employer-region, bundle: [level], rate: 0.1}]}", "p.yaml:1:84: column \"level\" cannot stand in bundle, want sector, region, size, group, event_year, supplier_share_class"},
		{"region by level", "", "scramble: {keep: [], steps: [{method: random-swap, unit: employer-region, bundle: [region], rate: 0.1, same: [level]}]}", "p.yaml:1:111: unit is employer-region, and level is no property of an employer: want sector, region, size, group, event_year, supplier_share_class, size_class, year"},
		{"region within", "", "scramble: {keep: [], steps: [{method: random-swap, unit: employer-region, bundle: [region], rate: 0.1, scope: within-employer}]}", "p.yaml:1:111: unit is employer-region, and no two of them are of one employer: use scope any"},
		{"ranks of regions", "", "scramble: {keep: [], steps: [{method: rank-swap, unit: employer-region, bundle: [region], rate: 0.1, window: 0.1}]}", "p.yaml:1:56: unit is employer-region, and rank-swap ranks values of workers: use random-swap, targeted-swap, nearest-swap or full-shuffle"},
		{"region promised", "", "scramble: {keep: [[year, region]], steps: [{method: random-swap, unit: employer-region, bundle: [region], rate: 0.1}]}", "p.yaml:1:19: [year, region] cannot be kept: steps[0] moves region between employers with other workers; take the table out"},
		{"recode without file", "", "scramble: {keep: [], steps: [{method: recode, column: level}]}", "p.yaml:1:30: recode has no file: name one whose lines are code;broader;broader still"},
		{"recode a number", "", "scramble: {keep: [], steps: [{method: recode, column: wage, file: a.csv}]}", "p.yaml:1:55: recode cannot replace values of wage, want one of level, field, sex, age, sector, region, size"},
		{"recode late", "everything works on the broader codes", "scramble: {keep: [], steps: [{method: random-swap, bundle: [level], rate: 0.1}, {method: recode, column: level, file: a.csv}]}", "p.yaml:1:81: recode stands after steps[0] (random-swap): everything works on the broader codes, so put it first"},
		{"recode twice", "", "scramble: {keep: [], steps: [{method: recode, column: level, file: a.csv}, {method: recode, column: level, file: b.csv}]}", "p.yaml:1:101: steps[0] recodes level already: keep one of them, with the depth you want"},
		{"no employers", "", "scramble: {keep: [], steps: [{method: sample-employers, rate: 0}]}", "p.yaml:1:63: rate is 0, and nobody would be left: want the share of employers kept"},
		{"employers of worker records", "", "release: {unit: worker}\nscramble: {keep: [], steps: [{method: sample-employers, rate: 0.5}]}", "p.yaml:2:39: sample-employers leaves out employers, and release.unit is worker: use sample-workers, or unit employer or employer-year"},
		{"quantiles and a width", "", "release: {classes: {wage: {quantiles: 4, width: 5}}}", "p.yaml:1:39: wage has quantiles and a width or bounds: want one of them"},
		{"one quantile", "", "release: {classes: {wage: {quantiles: 1}}}", "p.yaml:1:39: quantiles is 1, want from 2 to 100 classes"},
		{"unknown method", "", "scramble: {steps: [{method: random-swop}]}", "p.yaml:1:29: method is \"random-swop\", want random-swap, rank-swap, targeted-swap, nearest-swap, conditional-shuffle, full-shuffle, recode, sample-workers, sample-employers, coarsen-counts, merge-small-employers, fresh-serials, top-code, noise, pram, microaggregate, jitter-counts, round-counts, suppress-cells (did you mean \"random-swap\"?)"},
		{"unknown world", "known values are listed", "data: {generate: {world: zzz}}", "p.yaml:1:26: world is \"zzz\", want productivity, displacement, null, pretrend"},
		{"unknown adversary", "", "adversaries: [outsiders]", "p.yaml:1:15: adversaries[0] is \"outsiders\", want outsider, competitor, research-team, source-holder, head-count-only, colleague, neighbour, cv-1, cv-3, cv-5 (did you mean \"outsider\"?)"},
		{"two sources", "", "data: {generate: {}, population: pop}", "p.yaml:1:34: data has generate and population: want one source"},
		{"schema without data", "", "schema: {a: {role: employer}}", "p.yaml:1:9: a schema maps the columns of data.jobs, which is not given: a population needs none"},
		{"no employer", "", "data: {jobs: a.csv}\nschema:\n  edu: {role: ordinal, as: level, released: true}\n", "p.yaml:3:3: schema has no employer: map the column that tells employers apart: COLUMN: {role: employer}"},
		{"no schema at all", "", "data: {jobs: a.csv}\n", "p.yaml:1:1: schema has no employer: map the column that tells employers apart: COLUMN: {role: employer}\np.yaml:1:1: schema has no level: the release counts workers by level: COLUMN: {role: ordinal, as: level, released: true}"},
		{"two columns in one place", "", sesSchema + "  edu2: {role: ordinal, as: level}\n", "p.yaml:5:9: columns \"edu\" and \"edu2\" are both mapped to level: keep one and write role: ignore for the other"},
		{"two employers", "", sesSchema + "  id2: {role: employer}\n", "p.yaml:5:8: columns \"id\" and \"id2\" are both mapped to employer: keep one and write role: ignore for the other"},
		{"unknown role", "", sesSchema + "  x: {role: nummer, as: wage}\n", "p.yaml:5:13: role is \"nummer\", want employer, worker, period, category, ordinal, number, weight, ignore (did you mean \"number\"?)"},
		{"no place", "a column that goes nowhere is a mistake", sesSchema + "  x: {role: number}\n", "p.yaml:5:6: column \"x\" has no place: add as: wage | fte | age | event_year, or write role: ignore"},
		{"released worker", "identifiers never leave", sesSchema + "  x: {role: worker, released: true}\n", "p.yaml:5:31: column \"x\" has the role worker, which is never released: leave released out"},
		{"unit of fte", "", sesSchema + "  x: {role: number, as: fte, unit: percents}\n", "p.yaml:5:36: unit is \"percents\", want fraction, percent (did you mean \"percent\"?)"},
		{"no group in the data", "the column is known, but not here", sesSchema + "scramble: {keep: [[group, level]]}", "p.yaml:5:20: no column of the schema is mapped to group: map one (as: group), or take it out"},
		{"person without worker", "", sesSchema + "scramble: {keep: [], steps: [{method: random-swap, bundle: [level], rate: 0.1, unit: person}]}", "p.yaml:5:86: unit is person, and the data do not tell workers apart: use row, or map a column (role: worker)"},
		{"fresh serials without years", "", sesSchema + "scramble: {steps: [{method: fresh-serials}]}", "p.yaml:5:20: fresh-serials draws a serial for every year, and the data have no year: take the step out"},
		{"head counts on a day", "a schema has no dates", sesSchema + "release: {count_on: 31-12}", "p.yaml:5:21: count_on is 31-12, which needs dates of hiring and leaving that a schema cannot map: use any"},
		{"unreleased firm column", "released is the word that counts", sesSchema + "  n: {role: category, as: sector}\nrelease: {firm_columns: [sector]}", "p.yaml:6:26: sector is column \"n\", which the schema does not release: add released: true there, or take it out"},
		{"no such day", "", "project: {destroy_when: at latest 2027-02-30}", "p.yaml:1:25: destroy_when \"at latest 2027-02-30\": there is no such day"},
		{"no date", "", "project: {destroy_when: later}", "p.yaml:1:25: destroy_when is \"later\", want a sentence that ends in a date such as 2027-12-31"},
		{"several", "all problems at once, in the order of the file", "release:\n  records: 0\nattack:\n  targets: 0\n",
			"p.yaml:2:12: records is 0, want at least 1\np.yaml:4:12: targets is 0, want at least 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("p.yaml", []byte(test.yaml))
			if err == nil {
				t.Fatalf("no error; %s", test.why)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.why, diff)
			}
		})
	}
}

func TestIntervalLabelsAreNoNesting(t *testing.T) {
	var labels []string
	for i := range 200 {
		labels = append(labels, fmt.Sprintf(`"[%d,%d)"`, i, i+1))
	}
	yaml := strings.Replace(sesSchema, "released: true}", "released: true, order: ["+strings.Join(labels, ", ")+"]}", 1)
	if _, err := Parse("p.yaml", []byte(yaml)); err != nil {
		t.Errorf("labels that open brackets in quotes are no nesting: %v", err)
	}
}

func TestNoPlanAtAll(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"deep", strings.Repeat("[", 3000), "nested more than 2000 deep"},
		{"long", strings.Repeat("a", 1<<18+1), "want at most 262144"},
		{"one long word", strings.Repeat("a", 1<<17), "…"},
		{"not text", "\xff\xfe\x00", "is not UTF-8 text"},
	} {
		_, err := Parse("p.yaml", []byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 300 {
			t.Errorf("%s: got %.300v, want … %s …", test.name, err, test.want)
		}
	}
}

func TestValidateWithoutFile(t *testing.T) {
	p := Default()
	p.Scramble.Steps[0].Rate = 2
	want := "plan: scramble.steps[0].rate: rate is 2, want a share in [0, 1]"
	if err := p.Validate(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, test := range []struct{ name, yaml string }{
		{"default", "gates: ksz"},
		{"own data", sesSchema + "  \"a: #b\": {role: category, as: field, missing: [\"NA\", \"\", \"yes\", \"1.0\", \"é\\t\"], known: true}\n"},
		{"every method", "scramble:\n  steps:\n    - {method: random-swap, bundle: [wage], rate: 0}\n    - {method: sample-workers, rate: 0.5}\n    - {method: coarsen-counts, classes: [1, 3]}\n    - {method: merge-small-employers, minimum: 5, by: [sector]}\n    - {method: fresh-serials}\n" +
			"    - {method: rank-swap, bundle: [wage, age], rate: 1, window: 0.05, law: buckets, missing: keep}\n    - {method: full-shuffle, bundle: [fte], rate: 0.1, scope: within-employer}\n" +
			"    - {method: targeted-swap, bundle: [wage], rate: 0.05, hierarchy: [region, employer], risk: [level, age], k: 3, profiles: [[size_class, year], [year], []], priority: rate}\n" +
			"    - {method: nearest-swap, bundle: [wage], rate: 0.05, near: [age, level], caliper: 0.1, min_difference: 1000}\n" +
			"    - {method: conditional-shuffle, bundle: [wage], rate: 1, given: [age, fte]}\n    - {method: random-swap, unit: spell, bundle: [wage], rate: 0.1}\n"},
		{"every other step", "scramble:\n  keep: []\n  steps:\n    - {method: top-code, column: wage, above: 1e5, replace: mean}\n    - {method: noise, column: fte, sd: 0.05, kind: multiplicative, zero_sum: true, by: [employer, year], most: 1}\n" +
			"    - {method: pram, column: level, stay: 0.8, by: [year]}\n    - {method: microaggregate, columns: [wage, age], k: 3}\n    - {method: jitter-counts, variance: 2, reach: 3}\n"},
		{"employers", "scramble:\n  keep: []\n  steps:\n    - {method: recode, column: level, file: h.csv, depth: 2}\n    - {method: sample-employers, rate: 0.5}\n    - {method: random-swap, unit: employer-region, bundle: [region], rate: 0.1}\n"},
		{"quantiles", "release: {classes: {wage: {quantiles: 4}, age: {quantiles: 3}}}"},
		{"sums", "scramble: {keep: [[year, group, level], sum(wage) by employer within 0.5%, 'sum(fte) by [employer, year]'], steps: [{method: random-swap, bundle: [wage], rate: 0.1, same: [year]}]}"},
		{"rounded", "scramble: {steps: [{method: round-counts, base: 5, rounding: nearest}]}"}, {"suppressed", "scramble: {steps: [{method: suppress-cells, minimum: 3}]}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Parse("p.yaml", []byte(test.yaml))
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse("again.yaml", p.YAML())
			if err != nil {
				t.Fatalf("%v\n%s", err, p.YAML())
			}
			if diff := cmp.Diff(p, again); diff != "" {
				t.Errorf("a plan written and read is another plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	digest := func(yaml string) string {
		t.Helper()
		p, err := Parse("p.yaml", []byte(yaml))
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest()
	}
	base := digest("data: {population: a}\nrelease: {records: 10, unit: employer}")
	for _, same := range []string{
		"# comment\nrelease:\n  unit: employer\n  records: 10\ndata:\n  population: elsewhere/b\n",
		"data: {population: a}\nrelease: {records: 10}\ngates: ksz",
	} {
		if digest(same) != base {
			t.Errorf("comments, order, paths and written-out defaults must not count:\n%s", same)
		}
	}
	if digest("scramble: {steps: [{method: recode, column: level, file: a/h.csv}]}") != digest("scramble: {steps: [{method: recode, column: level, file: b/g.csv}]}") {
		t.Error("the path of a hierarchy file must not count")
	}
	if digest("data: {population: a}\nrelease: {records: 11}") == base {
		t.Error("the number of records must count")
	}
	if p := Default(); p.Digest() != digest("gates: ksz") {
		t.Error("a plan that says nothing new is the default")
	}
}

func TestDestroyBy(t *testing.T) {
	got, ok := Default().DestroyBy()
	if want := time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC); !ok || !got.Equal(want) {
		t.Errorf("got %v %v, want %v", got, ok, want)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if _, err := Load(path); err == nil {
		t.Error("a file that is not there must be an error")
	}
	if err := os.WriteFile(path, []byte("gates: ksz\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range plans.Names() {
		b, _ := plans.Read(name)
		f.Add(b)
	}
	f.Add([]byte(sesSchema))
	f.Add([]byte("scramble: {steps: [{method: random-swap, bundle: [wage], rate: .nan}]}"))
	f.Add([]byte("scramble: {keep: [[year], sum(wage) by employer within 0.5%], steps: [{method: pram, column: level, stay: 0.8}]}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse("p.yaml", b)
		if err != nil {
			return
		}
		again, err := Parse("again.yaml", p.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, p.YAML())
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
