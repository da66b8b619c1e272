package population

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/calibration"
	"scramblelab/internal/frame"
)

// An invented country with other codes, years, size classes and worlds, and
// without an unknown level: generated, written, read, and like its own figures.
func TestAnotherCountry(t *testing.T) {
	c, err := calibration.Load(filepath.Join("testdata", "ruritania.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Generate(context.Background(), Options{Employers: 600, Seed: 3, Figures: c}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Options.From != 2010 || p.Options.To != 2018 || p.Options.World != "duel" {
		t.Errorf("defaults are %d-%d, %s: want those of the file", p.Options.From, p.Options.To, p.Options.World)
	}
	dir := filepath.Join(t.TempDir(), "ruritania")
	if err := p.Write(context.Background(), dir, WriteOptions{Format: "csv"}, nil); err != nil {
		t.Fatal(err)
	}
	back, err := Read(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if back.Options.Figures.Digest() != c.Digest() {
		t.Error("the folder does not hold the calibration that it was made with")
	}
	for _, name := range tableNames {
		if d := cmp.Diff((*p.table(name)).Names(), (*back.table(name)).Names()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if got, want := (*back.table(name)).Rows(), (*p.table(name)).Rows(); got != want {
			t.Errorf("%s has %d rows after reading, want %d", name, got, want)
		}
	}
	for col, want := range map[string][]string{"nace": c.SectorCodes(), "region": c.RegionCodes()} {
		if d := cmp.Diff(want, back.Employers.Col(col).Dict.Labels()); d != "" {
			t.Errorf("%s (-want +got):\n%s", col, d)
		}
	}
	for col, want := range map[string][]string{"level": c.LevelCodes(), "field": c.FieldCodes()} {
		if d := cmp.Diff(want, back.Jobs.Col(col).Dict.Labels()); d != "" {
			t.Errorf("%s (-want +got):\n%s", col, d)
		}
	}
	if _, err := back.Linked(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "codebook.json"))
	if err != nil || !json.Valid(text) {
		t.Fatal("codebook.json is not JSON", err)
	}
	for _, belgian := range []string{"L01", "Flanders", "manufacturing", "\"099\""} {
		if strings.Contains(string(text), belgian) {
			t.Errorf("the codebook of Ruritania speaks of %s", belgian)
		}
	}
	likeRuritania(t, c, back)
}

// likeRuritania checks shares with a tolerance of 4.4 standard errors for
// employers (one false alarm in a hundred thousand each) and 6 points for staff,
// which cluster by employer.
func likeRuritania(t *testing.T, c *calibration.Figures, p *Population) {
	t.Helper()
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if math.IsNaN(got) || math.Abs(got-want) > tolerance {
			t.Errorf("%s is %.3f, want %.3f within %.3f", what, got, want, tolerance)
		}
	}
	heads, first := map[int32]int{}, int32(c.Window.First)
	levels, fields := p.Jobs.Col("level"), p.Jobs.Col("field")
	level, jobs := make([]float64, len(c.Levels)), 0.0
	field := map[string]bool{}
	for i, y := range p.Jobs.Col("year").I {
		if y == first && p.Jobs.Col("left").Missing(i) {
			heads[p.Jobs.Col("employer_id").I[i]]++
		}
		level[levels.I[i]]++
		jobs++
		field[levels.Dict.Label(levels.I[i])+" "+fields.Dict.Label(fields.I[i])] = true
	}
	classes := make([]float64, len(c.Size.Classes))
	for _, n := range heads {
		classes[c.Size.Class(n)]++
	}
	n := float64(len(heads))
	for k, share := range c.Size.Shares[:5] {
		near(fmt.Sprintf("share of size class %d", c.Size.Classes[k]), classes[k]/n, share, 4.4*math.Sqrt(share*(1-share)/n)+.02)
	}
	sectors := make([]float64, len(c.Sectors))
	for _, k := range p.Employers.Col("nace").I {
		sectors[k] += 100 / float64(p.Employers.Rows())
	}
	for k, s := range c.Sectors {
		near("share of "+s.Code, sectors[k], s.Employers, 7)
	}
	for k, l := range c.Levels {
		near("share of "+l.Code, level[k]/jobs*100, c.Window.Between(l.Y03, l.Y12, l.Y21, 2014), 6)
	}
	if field["village crafts"] || field["court none"] {
		t.Error("a cell that the figures exclude occurs")
	}
}

// What the calibration accepts can be generated, written down to the last
// figure: the seeds are figures at the ends of their ranges.
func FuzzFigures(f *testing.F) {
	if testing.Short() {
		f.Skip("a population for every seed")
	}
	for _, text := range []string{
		"size: {shares: [0.992, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001], cap: 1000, cap_floor: 10, cap_per: 0, growth_sd: 3, growth_ex: -1}",
		"size: {shares: [0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.992], cap: 1500, tail: 0.2}",
		"exits: {hazard: [1, 1, 1, 1, 1, 1, 1, 1, 1], renamed: [1, 1, 1, 1, 1, 1, 1, 1, 1], absorbed: [0, 0, 0, 0, 0, 0, 0, 0, 0], founded: 100}",
		"exits: {hazard: [0.0001, 1, 1, 1, 1, 1, 1, 1, 1]}",
		"entrants: {shares: [0.01, 0, 0, 0, 0, 0, 0, 0, 0.99], growth: [], growth_by_size: 10}",
		"exits: {renamed: [0, 0, 0, 0, 0, 0, 0, 0, 0], absorbed: [1, 1, 1, 1, 1, 1, 1, 1, 1]}\ntakeovers: {attach: 2, part_from: 1, part_rate: 1, part: [0, 1]}",
		"flows: {separation: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], short: 10, into_pool: 1, same_sector: 0, fresh: 0, tries: 1, pool_years: 50}",
		"entrants: {shares: [0.01, 0, 0, 0, 0, 0, 0, 0, 0.99], growth: [], growth_by_size: 10}",
		"exits: {renamed: [0, 0, 0, 0, 0, 0, 0, 0, 0], absorbed: [1, 1, 1, 1, 1, 1, 1, 1, 1]}\ntakeovers: {attach: 2, part_from: 1, part_rate: 1, part: [0, 1]}",
		"flows: {separation: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], short: 0, into_pool: 0}",
		"age: {bands: [14, 15, 16, 17, 18, 80], retire: [[0, 0], [0, 0], [0, 0], [0, 0]], firm_sd: 20, reenter: [80, 80], young_share: 0.95, school: 40}",
		"age: {retire: [[1, 1], [1, 1], [1, 1], [1, 1]], last_move: 14, hire_age: 80, young_hire: 14}",
		"wages: {worker_sd: 3, firm_sd: 3, noise_sd: 3, top_share: 1, top_alpha: 1.5, median: 1000000, intercept: 2, sorting: 1}",
		"wages: {minimum: 1000000, firm_ar: 1, sorting: -1, rise_share: 1, rise_age: [14, 80]}",
		"accounts: {never_file: 0.9, employer_cost: {1999: 10}}",
		"accounts: {never_file: 0, skip_year: 0, employee_contribution: 0.9, rate_sd: 3, year_sd: 3, assets_sd: 3, sales_sd: 3, spread: 3}",
		"network: {top_share: 1, top_sd: 3, decay: 1, next: 1, keep_top: 0, keep_main: 0, keep_small: [0, 0], attach_main: 3, attach_small: 3, main_buyer: 0, degree: 1000, degree_by_size: 3, degree_sd: 3}",
		"network: {top_share: 0, decay: 0, next: 0, keep_top: 1, keep_main: 1, keep_small: [0.95, 0.95], same_area: 1, attach_main: 0, large: 1, return: 1, least: 0, sales: 0, degree: 1}",
		"automation: {first: 2003, last: 2003, by_size: [1, 1, 1, 1, 1, 1, 1, 1, 1], growth: 20, firm_effect: 2}",
		"automation: {first: 2190, last: 2200}",
		"clustering: {small: 0.01, large: 0.01, tries: 1}",
		"register: {survey: 2200, filled: 0, gone: 1, late: [20, 20]}",
		"register: {missing: {low: 1, mid: 1, bachelor: 1, master: 1}, gone: 1, cross_border: {Brussels: 1}}",
		"window: {first: 2005, last: 2006, anchors: [1900, 1901, 2200]}",
		"window: {first: 2010, last: 2012, anchors: [2019, 2020, 2021]}",
	} {
		if _, err := calibration.Parse("seed.yaml", []byte("based_on: belgium\n"+text+"\n")); err != nil {
			f.Error(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := calibration.Parse("fuzz.yaml", []byte("based_on: belgium\n"+text+"\n"))
		if err != nil {
			return
		}
		p, err := Generate(context.Background(), Options{Employers: MinEmployers, From: c.Window.First, To: min(c.Window.First+3, c.Window.Last), Seed: 1, Figures: c}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range p.Jobs.Col("wage").I {
			if w < -1<<20 && w != frame.NoInt {
				t.Fatalf("row %d has wage %d", i, w)
			}
		}
		if _, err := p.Linked(); err != nil {
			t.Error(err)
		}
	})
}
