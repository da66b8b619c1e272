// Package bench runs attack benchmarks: scenarios, each a plan on a population,
// whose risks and losses are held against values that were accepted before. A
// change of the program or of a plan that makes a release leakier or duller
// beyond noise fails.
//
// Every seed of a scenario is a replication of the whole study: another
// population (where it is generated), fragment, key and choice of targets. What
// is accepted is the mean over many seeds, and a check measures the first few.
// The tolerance of a metric is that of the difference of the two means, by the
// spread between seeds or by the error that the metric's own interval states,
// whichever is more; one-sided, and together for all metrics of a scenario
// (Bonferroni). Where nothing changed the same seeds give the same
// numbers, so that nothing fails by chance twice.
//
// The package refuses baselines of another recipe, records of measurements that
// were changed, and a scenario without a baseline; it never takes a missing
// number for a good one.
package bench

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"scramblelab/internal/plan"
	"scramblelab/internal/strictyaml"
)

// Seeds of a scenario that does not say how many.
const (
	checkSeeds  = 3
	acceptSeeds = 8
)

// Scenario is an attack benchmark: a file of the folder benchmarks.
type Scenario struct {
	About string `yaml:"about"` // what it guards, in a sentence
	// Plan is the name of a shipped plan, or a file relative to the working
	// directory.
	Plan string `yaml:"plan"`
	// Population is generated in place of the plan's own data.
	Population *plan.Generate `yaml:"population"`
	// Set puts other values at places of the plan, as in a tuned space:
	// release.records: 400, steps.0.rate: 0.1.
	Set []Setting `yaml:"set"`
	// Adversaries are who attacks, in place of the plan's own.
	Adversaries []string `yaml:"adversaries"`
	// Seeds is how many replications a check measures, and Accept how many an
	// accepted value rests on; 0 means 3 and 8.
	Seeds  int `yaml:"seeds"`
	Accept int `yaml:"accept"`
	// Metrics are the names that are held against the baseline, where * stands for
	// anything; none means the headline risks and losses.
	Metrics []string `yaml:"metrics"`
}

// Setting is a place in a plan and what stands there, as written in YAML.
type Setting struct {
	Path  string         `yaml:",key"`
	Value strictyaml.Raw `yaml:",value"`
}

// headline are the metrics of a scenario that names none: how often an intruder
// is right, and what analysis loses.
var headline = []string{
	"attack.employer.assignment.*.top1",
	"attack.employer.cv.*.top1",
	"attack.worker.chain.*.excess",
	"attack.worker.cell-known-employer.*.excess",
	"attack.membership.fingerprint.*.auc",
	"fidelity.cells.share-exact",
	"fidelity.margins.level-field-tv",
	"fidelity.wages.level-field-error",
	"fidelity.distribution.tv",
	"fidelity.regression.wage-overlap",
	"fidelity.heads.overlap",
	"fidelity.did.overlap",
}

// name is what a scenario may be called: it becomes part of metric names.
var name = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// NameOf is the name of the scenario in a file: its base name without extension.
func NameOf(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// Parse reads a scenario; file stands before the positions in errors. The error
// is a [*strictyaml.Error] that holds everything that is wrong.
func Parse(file string, b []byte) (Scenario, error) {
	d, err := strictyaml.Parse(file, "scenario", b)
	if err != nil {
		return Scenario{}, err
	}
	s := Scenario{Seeds: checkSeeds, Accept: acceptSeeds}
	d.Decode(&s)
	if len(d.Bad) > 0 {
		return s, d.Err(file)
	}
	if s.About == "" {
		d.Fail("about", "about is missing: say in a sentence what the scenario guards")
	}
	if s.Plan == "" {
		d.Fail("plan", "plan is missing: name a shipped plan such as ksz-default, or a file")
	}
	if s.Seeds < 1 {
		d.Fail("seeds", "seeds is %d, want at least 1", s.Seeds)
	}
	if s.Accept < max(4, s.Seeds) {
		d.Fail("accept", "accept is %d, want at least 4 and at least seeds (%d): fewer say little of the spread between them", s.Accept, s.Seeds)
	}
	if s.Accept > 1000 {
		d.Fail("accept", "accept is %d, want at most 1000", s.Accept)
	}
	if p := s.Population; p != nil && (p.Employers < 1 || p.From == 0 || p.To < p.From) {
		d.Fail("population", "population has %d employers from %d to %d, want such as {employers: 1500, from: 2014, to: 2017, world: productivity}", p.Employers, p.From, p.To)
	}
	for i, m := range s.Metrics {
		if m == "" || strings.Trim(m, "*.-abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			d.Fail(fmt.Sprintf("metrics[%d]", i), "%q is no metric: write a name of report.json, such as attack.employer.assignment.*.top1", m)
		}
	}
	if s.Metrics == nil {
		s.Metrics = headline
	}
	return s, d.Err(file)
}
