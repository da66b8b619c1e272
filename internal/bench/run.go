package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"scramblelab/internal/par"
	"scramblelab/internal/plan"
	"scramblelab/internal/policy"
	"scramblelab/internal/progress"
	"scramblelab/internal/strictyaml"
	"scramblelab/internal/study"
)

// Options of a run. The zero value checks and keeps nothing.
type Options struct {
	// Accept rewrites the baselines in place of judging by them.
	Accept bool
	// Book is the file that keeps measurements of a run under way, "" for none, and
	// Build names the program: measurements of another one are not taken over.
	Book, Build string
	Progress    progress.Func // may be nil
}

// Outcome is what became of a scenario.
type Outcome struct {
	Name  string `json:"scenario"`
	File  string `json:"file"`
	About string `json:"about"`
	// Skipped says why it was not run, and Failed why it could not be judged.
	Skipped string `json:"skipped,omitempty"`
	Failed  string `json:"failed,omitempty"`
	// Changes are its metrics against the baseline, none with Accept.
	Changes      []Change      `json:"changes"`
	Replications []Replication `json:"-"`
	// Accepted says that a baseline was written.
	Accepted bool `json:"accepted,omitempty"`
}

// Count returns how many metrics got that verdict.
func (o Outcome) Count(verdict string) int {
	n := 0
	for _, c := range o.Changes {
		if c.Verdict == verdict {
			n++
		}
	}
	return n
}

// Passed says that nothing got worse and nothing is missing. A scenario that was
// skipped has passed nothing and failed nothing.
func (o Outcome) Passed() bool { return o.Failed == "" && o.Count(Worse) == 0 && o.Count(Gone) == 0 }

// scenario is one with its plan, ready to run.
type scenario struct {
	Scenario
	plan   plan.Plan
	recipe string // digest of what must be equal
	digest string // of recipe and plan
	out    *Outcome
}

// Files lists the scenario files among arguments: files as they are, and the
// *.yaml files of folders, by name. Names must differ.
func Files(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		info, err := os.Stat(a)
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		if !info.IsDir() {
			out = append(out, a)
			continue
		}
		found, err := filepath.Glob(filepath.Join(a, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("bench: %s holds no scenario: want files NAME.yaml, as in the folder benchmarks of the project", a)
		}
		out = append(out, found...)
	}
	seen := map[string]string{}
	for _, f := range out {
		n := NameOf(f)
		switch other, ok := seen[n]; {
		case !name.MatchString(n):
			return nil, fmt.Errorf("bench: %s: a scenario is named by small letters, digits and hyphens, such as employer-safe.yaml", f)
		case ok:
			return nil, fmt.Errorf("bench: %s and %s have the same name: rename one", other, f)
		}
		seen[n] = f
	}
	return out, nil
}

// Run measures the scenarios in these files, several at a time, and judges each
// by its baseline, or writes that. What is wrong with a file is an error before
// anything is measured; a scenario whose data are absent is skipped, and one
// that cannot be measured has failed. The results do not depend on how many run
// side by side.
func Run(ctx context.Context, files []string, o Options) ([]Outcome, error) {
	outcomes := make([]Outcome, len(files))
	var run []*scenario
	var wrong []error
	for i, f := range files {
		s, err := load(f, &outcomes[i])
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case outcomes[i].Skipped == "":
			run = append(run, s)
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	book, err := openBook(o.Book, o.Build)
	if err != nil {
		return nil, err
	}
	if err := measure(ctx, run, o, book); err != nil {
		return nil, &Interrupted{Err: err, Kept: book.len(), Book: o.Book}
	}
	for _, s := range run {
		if err := s.settle(o.Accept); err != nil {
			return nil, err
		}
	}
	return outcomes, book.remove()
}

// Interrupted is the error of a run that did not end: what it measured is kept.
type Interrupted struct {
	Err  error
	Kept int    // measurements in the book
	Book string // the file, "" for none
}

func (e *Interrupted) Error() string { return e.Err.Error() }

// Unwrap returns what ended the run.
func (e *Interrupted) Unwrap() error { return e.Err }

// load reads a scenario and its plan.
func load(file string, out *Outcome) (*scenario, error) {
	*out = Outcome{Name: NameOf(file), File: file, Changes: []Change{}}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	spec, err := Parse(file, b)
	if err != nil {
		return nil, err
	}
	out.About = spec.About
	s := &scenario{Scenario: spec, out: out}
	if s.plan, err = spec.planned(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, path := range []string{s.plan.Data.Jobs, s.plan.Data.Population} {
		if _, err := os.Stat(path); path != "" && errors.Is(err, fs.ErrNotExist) {
			out.Skipped = fmt.Sprintf("its data are not there: %s", path)
		}
	}
	recipe, err := json.Marshal(struct {
		Data        plan.Data
		Adversaries []string
		Seeds, Of   int
		Metrics     []string
	}{s.plan.Data, s.plan.Adversaries, s.Seeds, s.Accept, s.Metrics})
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	s.recipe = digest(recipe)
	s.digest = digest(append(recipe, s.plan.YAML()...))
	return s, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// planned is the plan of a scenario with its population and settings.
func (s Scenario) planned() (plan.Plan, error) {
	p, err := plan.Load(s.Plan)
	if err != nil {
		return p, err
	}
	if s.Population != nil {
		p.Data = plan.Data{Generate: s.Population}
	}
	var settings []plan.Setting
	for _, v := range s.Set {
		settings = append(settings, plan.Setting{Path: v.Path, Value: string(v.Value)})
	}
	if s.Adversaries != nil {
		settings = append(settings, plan.Setting{Path: "adversaries", Value: "[" + strings.Join(s.Adversaries, ", ") + "]"})
	}
	p, err = p.With(settings)
	var bad *strictyaml.Error
	if errors.As(err, &bad) {
		bad.Name = "the plan with the scenario's settings"
		for i := range bad.Problems {
			bad.Problems[i].Line = 0 // of a text that nobody wrote
		}
	}
	return p, err
}

// unit is a scenario on a seed.
type unit struct {
	s    *scenario
	seed int
}

// measure fills in the replications of scenarios.
func measure(ctx context.Context, all []*scenario, o Options, book *book) error {
	var todo []unit
	total := 0
	for _, s := range all {
		n := s.Seeds
		if o.Accept {
			n = s.Scenario.Accept
		}
		total += n
		s.out.Replications = make([]Replication, n)
		for k := range n {
			if r, ok := book.get(s.digest, k+1); ok {
				s.out.Replications[k] = r
			} else {
				todo = append(todo, unit{s, k + 1})
			}
		}
	}
	o.Progress.Step("scenarios", total-len(todo), total)
	done := make(chan struct{}, len(todo))
	return par.Do(ctx, len(todo), func(i int) error {
		u := todo[i]
		r, err := u.s.replicate(ctx, u.seed)
		if err != nil {
			return err
		}
		u.s.out.Replications[u.seed-1] = r
		if r.Failed == "" {
			if err := book.put(u.s.out.Name, u.s.digest, u.seed, r); err != nil {
				return err
			}
		}
		done <- struct{}{}
		o.Progress.Step("scenarios", total-len(todo)+len(done), total)
		return nil
	})
}

// replicate measures a scenario on a seed: population, key and targets are all
// drawn anew. Only the end of the context is an error.
func (s *scenario) replicate(ctx context.Context, seed int) (Replication, error) {
	start := time.Now()
	r, err := func() (Replication, error) {
		lab, err := study.OpenLab(ctx, s.plan, uint64(seed), nil)
		if err != nil {
			return Replication{}, err
		}
		r, err := lab.Measure(ctx, s.plan, policy.Policy{}, uint64(seed))
		if err != nil {
			return Replication{}, err
		}
		return Replication{Rows: rows(r, s.Metrics)}, nil
	}()
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if err != nil {
		r.Failed = fmt.Sprintf("seed %d: %v", seed, err)
	}
	r.Seconds = time.Since(start).Seconds()
	return r, nil
}

// settle judges a scenario that was measured, or writes its baseline.
func (s *scenario) settle(rewrite bool) error {
	for _, r := range s.out.Replications {
		if r.Failed != "" {
			s.out.Failed = r.Failed
			return nil
		}
	}
	if rewrite {
		b := accept(s.recipe, s.out.Replications, s.Seeds)
		if len(b.Metrics) == 0 {
			s.out.Failed = "none of its metrics was measured: name others under metrics"
			return nil
		}
		s.out.Accepted = true
		return writeBaseline(s.out.File, b)
	}
	b, ok, err := readBaseline(s.out.File)
	switch {
	case err != nil:
		return err
	case !ok:
		s.out.Failed = "nothing was accepted yet: run scramble bench --accept and look at " + baselinePath(s.out.File)
	case b.Recipe != s.recipe:
		s.out.Failed = "population, adversaries, seeds or metrics are not those of the baseline: run scramble bench --accept, and look at what it changes"
	default:
		s.out.Changes = append(s.out.Changes, Judge(b, s.out.Replications)...)
	}
	return nil
}

// Passed says that no scenario failed.
func Passed(all []Outcome) bool {
	return !slices.ContainsFunc(all, func(o Outcome) bool { return !o.Passed() })
}
