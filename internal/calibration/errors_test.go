package calibration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestErrors(t *testing.T) {
	cases := []struct {
		name, why string
		edit      func(string) string // of the built-in file; nil: text is the file
		at        string              // of an edited file: what stands on the line reported
		text      string
		want      string // of an edited file: without position
	}{
		{name: "shares", at: `0.6276`, why: "an employer has one size", edit: replace("shares: [0.5276,", "shares: [0.6276,"),
			want: `shares sums to 1.1, want 1: change one of its 9 figures by -0.1`},
		{name: "unknown level", at: `rise_to: L31`, why: "a diploma nobody has", edit: replace("rise_to: L13", "rise_to: L31"),
			want: `unknown level "L31" (did you mean "L01"?)`},
		{name: "level of fields", at: `level: L03, fields`, why: "rows belong to levels by order", edit: replace("{level: L02, fields", "{level: L03, fields"),
			want: `level is "L03", want "L02": the rows are in the order of levels`},
		{name: "unknown field", at: `"077"`, why: "a typing error would be a structural zero", edit: replace(`C: {"071": 1.8`, `C: {"077": 1.8`),
			want: `unknown field "077" (did you mean "071"?)`},
		{name: "unknown sector", why: "the tilt would act nowhere", text: "based_on: belgium\nfield_tilts:\n  Z: {\"071\": 2}\n",
			want: `my.yaml:3:3: unknown sector "Z" (known: A, B, C, D, E, F, G, H, I, J, K, L, M, N, P, Q, R, S)`},
		{name: "unknown group", at: `group: lo,`, why: "markets are by group", edit: replace("group: low", "group: lo"),
			want: `group: unknown group "lo" (did you mean "low"?)`},
		{name: "negative sd", why: "a spread has no sign", text: "based_on: belgium\nwages:\n  noise_sd: -0.1\n",
			want: `my.yaml:3:13: noise_sd is -0.1, want a standard deviation in [0, 3]`},
		{name: "probability", why: "a percentage for a share", text: "based_on: belgium\nflows:\n  fresh: 25\n",
			want: `my.yaml:3:10: fresh is 25, want a share in [0, 1]`},
		{name: "years reversed", why: "exchange them", text: "based_on: belgium\nwindow: {first: 2021, last: 2003}\n",
			want: `my.yaml:2:29: years 2021 to 2003 are reversed: exchange first and last`},
		{name: "missing years", why: "no index, no wage", text: "based_on: belgium\nwages:\n  index: {2003: 0, 2005: 2.2, 2006: 1.8, 2007: 1.8, 2008: 4.2, 2009: 0.6, 2010: 1.7, 2011: 3.1, 2012: 2.65, 2013: 1.24, 2015: 1.05, 2016: 2.1, 2017: 1.84, 2018: 1.84, 2019: 1.46, 2020: 0.99, 2021: 2.01}\n",
			want: `my.yaml:3:10: index lacks 2004, 2014: it must have every year from 2003 to 2021`},
		{name: "year that is none", why: "keys of an index are years", text: "based_on: belgium\ncycle: {second: 0.1}\n",
			want: `my.yaml:2:9: key "second" of cycle is no whole number: write one such as 2003`},
		{name: "bounds", why: "bands of ages ascend", text: "based_on: belgium\nage:\n  bands: [18, 25, 25, 45, 55, 64]\n",
			want: `my.yaml:3:19: bands has 25 after 25, want bounds that ascend`},
		{name: "size bounds", why: "classes of size ascend", text: "based_on: belgium\nsize:\n  classes: [1, 5, 10, 20, 20, 100, 200, 500, 1000]\n",
			want: `my.yaml:3:27: classes has 20 after 20, want lower bounds that ascend`},
		{name: "not a number", why: "it would spread to every wage", text: "based_on: belgium\nwages: {median: .nan}\n",
			want: `my.yaml:2:17: median is NaN, want a number`},
		{name: "infinite", why: "as above", text: "based_on: belgium\naccounts: {cost_noise: .inf}\n",
			want: `my.yaml:2:24: cost_noise is +Inf, want a number`},
		{name: "empty list", why: "employers have a sector", text: "based_on: belgium\nregions: []\n",
			want: `my.yaml:2:10: regions is empty: list at least one`},
		{name: "duplicate", why: "codes name one thing", text: "based_on: belgium\nregions:\n  - {code: North, share: 0.5, wage: 0}\n  - {code: North, share: 0.5, wage: 0}\nlabels:\n  regions: {North: {en: north}}\n",
			want: `my.yaml:4:12: code "North" stands twice: remove one`},
		{name: "too few", why: "a class was forgotten", text: "based_on: belgium\nexits: {hazard: [0.1, 0.1]}\n",
			want: `my.yaml:2:17: hazard has 2 items, want 9`},
		{name: "misspelt key", why: "it would keep its default unseen", text: "based_on: belgium\nwages: {medain: 40000}\n",
			want: `my.yaml:2:9: unknown key "medain" (did you mean "median"?)`},
		{name: "missing key", at: `classes: [1, 5`, why: "a whole file has every figure", edit: replace("  tail: 1.03", "  # tail: 1.03"),
			want: `size lacks the key "tail": add it`},
		{name: "missing sections", why: "a file is whole, or says on what it is built", text: "name: Elsewhere\nwindow: {first: 2003, last: 2004, anchors: [2003, 2004, 2005]}\n",
			want: `my.yaml:1:1: the file lacks @: add what is missing, or begin with based_on: belgium, which takes it from there`},
		{name: "missing key of a row", why: "rows of a list inherit nothing", text: "based_on: belgium\nregions:\n  - {code: North, share: 1}\n",
			want: `my.yaml:3:5: regions[0] lacks the key "wage": add it`},
		{name: "no label", why: "a codebook explains every code", text: "based_on: belgium\nregions:\n  - {code: North, share: 1, wage: 0}\nregister: {cross_border: {North: 0}}\nlabels: {regions: {North: {nl: noord}}}\n",
			want: `my.yaml:5:19: regions lacks region "North": add "North": {en: …}`},
		{name: "inherited", why: "Belgian regions are left where others were expected", text: "based_on: belgium\nregions:\n  - {code: North, share: 1, wage: 0}\nlabels: {regions: {North: {en: north}}}\n",
			want: `my.yaml:1:1: register, inherited: unknown region "Brussels" (known: North)` + "\n" +
				`my.yaml:1:1: register, inherited: unknown region "Flanders" (known: North)` + "\n" +
				`my.yaml:1:1: register, inherited: unknown region "Wallonia" (known: North)`},
		{name: "other base", why: "only one file is built in", text: "based_on: france\n",
			want: `my.yaml:1:11: based_on is "france", want belgium: only the built-in file can be built upon`},
		{name: "empty", why: "nothing to go by", text: "# nothing\n",
			want: `my.yaml: has no figures: begin with based_on: belgium, or with a copy of the built-in file (synth config)`},
		{name: "class", at: `name: low`, why: "a shift of nobody", edit: replace("    - {name: unknown, groups: [unknown]}\n", ""),
			want: `no class holds level U in every field: add one with groups: [unknown] and no fields`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := c.text
			if c.edit != nil {
				text = c.edit(string(BelgiumYAML()))
			}
			_, err := Parse("my.yaml", []byte(text))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if _, message, ok := strings.Cut(got, ": "); ok && c.edit != nil {
				var line int
				if _, err := fmt.Sscanf(got, "my.yaml:%d", &line); err != nil || !strings.Contains(strings.Split(text, "\n")[line-1], c.at) {
					t.Errorf("%s: %s: want the line with %s", c.why, got, c.at)
				}
				got = message
			}
			// What follows from the first mistake is not the point here.
			if c.edit != nil || c.name == "other base" || c.name == "years reversed" {
				got, _, _ = strings.Cut(got, "\n")
			}
			if before, after, ok := strings.Cut(got, "lacks size, "); ok { // and every section that is added
				_, after, _ = strings.Cut(after, ": ")
				got = before + "lacks @: " + after
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.why, d)
			}
		})
	}
}

func replace(old, new string) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, old) {
			panic("the built-in file has no " + old)
		}
		return strings.Replace(s, old, new, 1)
	}
}
