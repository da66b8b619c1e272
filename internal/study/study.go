// Package study is the one call of a whole study: read or generate the data,
// scramble, draw, publish, attack, measure, judge. Commands only choose which
// of its stages they want.
package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"scramblelab/internal/fidelity"
	"scramblelab/internal/folder"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/policy"
	"scramblelab/internal/population"
	"scramblelab/internal/progress"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
	"scramblelab/internal/source"
	"scramblelab/plans"
	"scramblelab/policies"
)

// Options say where a study writes and what fixes its draws.
type Options struct {
	Out    string  // folder to write
	Force  bool    // replace an output of the same kind that stands there, and nothing else
	Format string  // parquet or csv
	Seed   *uint64 // simulations only; nil draws keys from the system
	// EscrowRecipients are age recipients to whom the escrow is encrypted.
	EscrowRecipients []string
	// Ledger is the file that keys are entered in; "" is escrow-ledger.jsonl
	// beside the escrow.
	Ledger  string
	Approve []string // names of who approve a second key; Release only
	Reuse   string   // escrow whose key is used again, under other serials; Release only
	// Identities are age identity files that open Reuse.
	Identities []string
	// TrustProgram runs the researchers' own program on real data even where the
	// kernel cannot keep it from the network.
	TrustProgram bool
	// Statistics is a file of what was computed on the original before, by
	// Fidelity on the same plan and data; "" computes. SaveStatistics is the file
	// to write it to.
	Statistics, SaveStatistics string

	Keys      int           // other keys to scramble under, for the expectation over keys; Attack, and Fidelity from 2
	PerRecord bool          // write the risk of every serial; Run and Attack
	Progress  progress.Func // may be nil
}

// keys are the two kinds of randomness of a study: the secret that scrambles,
// and the simulation's, which generates data and resamples.
type keys struct {
	secret rng.Secret
	sim    rng.Sim
}

func newKeys(seed *uint64) keys {
	if seed != nil {
		return keys{rng.SecretFromSeed(*seed), rng.Sim(*seed)}
	}
	return keys{rng.NewSecret(), rng.Sim(rng.NewSecret().Stream("simulation", 0).Uint64())}
}

// Tool names the program and its version in manifests and reports.
func Tool() string {
	version := "devel"
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		version = b.Main.Version
	}
	return "scramblelab " + version
}

// stopwatch keeps the seconds of each stage for timings.json; they never enter
// the report.
type stopwatch struct {
	progress progress.Func
	stages   []stage
	started  time.Time
}

type stage struct {
	Name    string  `json:"stage"`
	Seconds float64 `json:"seconds"`
}

func (s *stopwatch) start(name string) {
	s.stop()
	s.progress.Step(name, 0, 0)
	s.stages, s.started = append(s.stages, stage{Name: name}), time.Now()
}

func (s *stopwatch) stop() {
	if n := len(s.stages); n > 0 && s.stages[n-1].Seconds == 0 {
		s.stages[n-1].Seconds = time.Since(s.started).Seconds()
	}
}

// Load reads the plan's data, or generates them.
//
// Columns that the plan recodes are recoded.
func Load(ctx context.Context, p plan.Plan, seed rng.Sim, show progress.Func) (*linked.Data, error) {
	d, err := load(ctx, p, seed, show)
	if err != nil {
		return nil, err
	}
	return recode(p, d)
}

func load(ctx context.Context, p plan.Plan, seed rng.Sim, show progress.Func) (*linked.Data, error) {
	switch {
	case p.Data.Generate != nil:
		g := p.Data.Generate
		pop, err := population.Generate(ctx, population.Options{
			Employers: g.Employers, From: g.From, To: g.To, World: g.World, Suppliers: "main", Seed: uint64(seed),
		}, show)
		if err != nil {
			return nil, err
		}
		return pop.Linked()
	case p.Data.Population != "":
		pop, err := population.Read(ctx, p.Data.Population)
		if err != nil {
			return nil, err
		}
		return pop.Linked()
	}
	return source.Files(ctx, p)
}

// Run does the whole loop and writes Out/release, Out/internal and Out.escrow.
// A report that fails its gates is no error.
func Run(ctx context.Context, p plan.Plan, o Options) (*metric.Report, error) {
	pol, err := loadPolicy(p.Gates)
	if err != nil {
		return nil, err
	}
	out, err := create(o, inputs(p), runNames())
	if err != nil {
		return nil, err
	}
	defer out.Abort()

	watch := &stopwatch{progress: o.Progress}
	k := newKeys(o.Seed)
	watch.start("data")
	data, err := Load(ctx, p, k.sim, o.Progress)
	if err != nil {
		return nil, err
	}
	if err := refuseProgram(p.Fidelity != nil && p.Fidelity.Analysis != nil, data.Simulated, o); err != nil {
		return nil, err
	}
	e, err := enter(p, data, &k, commandRun, o)
	if err != nil {
		return nil, err
	}
	watch.start("scramble")
	s, err := scramble(ctx, p, data, k.secret)
	if err != nil {
		return nil, err
	}
	s.entry, s.delivery = e, e.delivery()
	watch.start("publish")
	v, err := s.publish(ctx)
	if err != nil {
		return nil, err
	}
	watch.start("release")
	tables, serials, err := release.Serialise(v.release, k.secret, s.delivery, s.perYear)
	if err != nil {
		return nil, err
	}
	if err := s.writeRelease(ctx, filepath.Join(out.Path(), "release"), tables, serials.PerYear, o); err != nil {
		return nil, err
	}
	// The intruder reads what was written, not what we remember.
	rel, err := release.Open(ctx, filepath.Join(out.Path(), "release"))
	if err != nil {
		return nil, err
	}
	watch.start("fidelity")
	ran, err := s.analyse(ctx, v, tables, o)
	if err != nil {
		return nil, err
	}
	in := v.input(s, k.sim)
	in.Program = ran.found
	watch.start("attack")
	held := s.held(rel)
	var use *fidelity.Result
	var risk, file measured
	// What analysis keeps and what intruders get are measured side by side: each
	// has stretches that keep one processor busy.
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		use, err = fidelity.Measure(both, in)
		return err
	})
	g.Go(func() error {
		found, err := s.claims(both, held, k.sim, nil, o.Progress)
		if err != nil {
			return err
		}
		if risk, err = s.score(both, held, found, serials, k.sim); err != nil {
			return err
		}
		why, err := s.explain(both, held, risk.metrics, pol)
		risk.metrics = append(risk.metrics, why...)
		return err
	})
	g.Go(func() error { return s.attackFile(both, &file, held, serials, v.population) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	risk.add(file)
	watch.start("report")
	r, err := s.assemble(ctx, v, risk, use, pol, k.secret)
	if err != nil {
		return nil, err
	}
	if err := writeInternal(filepath.Join(out.Path(), "internal"), r, p, watch); err != nil {
		return nil, err
	}
	if err := s.writeRisks(filepath.Join(out.Path(), "internal"), risk.records, o.PerRecord); err != nil {
		return nil, err
	}
	if err := ran.write(filepath.Join(out.Path(), "internal")); err != nil {
		return nil, err
	}
	return r, s.commit(ctx, out, k.secret, serials, o)
}

func loadPolicy(name string) (policy.Policy, error) {
	b, err := policies.Read(name)
	if err != nil {
		return policy.Policy{}, err
	}
	return policy.Parse(name, b)
}

// runNames are the files of a folder that Run writes, in any format.
func runNames() []string {
	var names []string
	for _, n := range release.AllNames() {
		names = append(names, "release/"+n)
	}
	for _, n := range []string{reportJSON, reportHTML, planYAML, timingsJSON, worstCSV, riskCSV, printedOriginal, printedRelease} {
		names = append(names, "internal/"+n)
	}
	return names
}

// create starts the folder o.Out, which may replace one that holds nothing but
// known.
func create(o Options, inputs, known []string) (*folder.Pending, error) {
	if err := vacantEscrow(o); err != nil {
		return nil, err
	}
	return folder.Create(o.Out, folder.Options{Force: o.Force, Inputs: inputs, Known: known})
}

// vacantEscrow refuses a place where an escrow stands: it may be the only thing
// that can still check a release.
func vacantEscrow(o Options) error {
	path := o.Out + ".escrow"
	if _, err := os.Lstat(path); err != nil || o.Force {
		return nil
	}
	if _, err := os.Lstat(o.Out); err == nil {
		return fmt.Errorf("%s exists already, with its escrow: name another output, or --force replaces both", o.Out)
	}
	return fmt.Errorf("%s exists, and %s does not: a run was cut off before its release had a name, or the release was moved; if no release belongs to the escrow, remove it or add --force, otherwise name another output", path, o.Out)
}

func inputs(p plan.Plan) []string {
	var in []string
	for _, path := range []string{p.Data.Jobs, p.Data.Population} {
		if path != "" {
			in = append(in, path)
		}
	}
	for _, s := range p.Scramble.Steps {
		if s.File != "" && !plans.Shipped(s.File) {
			in = append(in, s.File)
		}
	}
	return in
}
