package verdicts

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"scramblelab/internal/fidelity"
	"scramblelab/internal/linked"
	"scramblelab/internal/population"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
)

// Panel measures a release of a whole population, every employer in every year, as
// one would be in phase two: a fifth of the staff of a year swap level and field. It
// tells how long each family of measures takes and how much memory is in use.
func Panel(ctx context.Context, dir string, seed uint64, mostCells int, tell func(format string, args ...any)) error {
	original, released, workers, err := versions(ctx, dir, seed, tell)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	tell("tables ready: %s", memory())
	all := time.Now()
	in := fidelity.Input{Release: released, Fragment: original, Periods: true, Key: rng.Sim(seed), MostCells: mostCells, Workers: workers}
	for _, name := range fidelity.Measures() {
		in.Only = []string{name}
		start := time.Now()
		r, err := fidelity.Measure(ctx, in)
		if err != nil {
			return err
		}
		tell("%-30s %6.1f s, %d metrics", name, time.Since(start).Seconds(), len(r.Metrics))
		for _, m := range r.Metrics {
			if strings.HasSuffix(m.Name, "-error") || strings.HasSuffix(m.Name, "tv") || strings.HasSuffix(m.Name, "overlap") {
				tell("    %-50s %.5f [%.5f, %.5f], floor %.5f", m.Name, float64(m.Value), float64(m.Low), float64(m.High), float64(m.Baseline))
			}
		}
		tell("    %s", memory())
	}
	tell("all: %.1f s", time.Since(all).Seconds())
	return nil
}

// versions reads a population and publishes it as it is and swapped; jobs are
// needed no longer then, but for what worker effects look at.
func versions(ctx context.Context, dir string, seed uint64, tell func(format string, args ...any)) (original, released *publish.Tables, workers *fidelity.Workers, err error) {
	p, err := population.Read(ctx, dir)
	if err != nil {
		return nil, nil, nil, err
	}
	d, err := p.Linked()
	if err != nil {
		return nil, nil, nil, err
	}
	tell("%d jobs of %d employers", d.Jobs.Rows(), d.Employers())
	o := publish.Options{FirmColumns: []string{linked.Group, linked.EventYear, linked.SizeClass}}
	for _, c := range []struct {
		to   *publish.Classes
		spec publish.Spec
	}{{&o.Wage, publish.Spec{Width: 5000, Top: 150000}}, {&o.FTE, publish.Spec{Width: .1, Top: 1}}, {&o.Age, publish.Spec{Width: 5, From: 20, Top: 65}}} {
		if *c.to, err = publish.NewClasses(c.spec); err != nil {
			return nil, nil, nil, err
		}
	}
	if original, err = publish.Publish(ctx, d, nil, o); err != nil {
		return nil, nil, nil, err
	}
	needed := []string{linked.Employer, linked.Year, linked.Worker, linked.Wage}
	workers = &fidelity.Workers{Fragment: d.Jobs.Select(needed...)}
	r, err := swap.Run(ctx, d.Jobs, swap.Options{Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: .2, Same: []string{linked.Year}, Unit: swap.PersonYear, Scope: swap.AcrossEmployers}, rng.SecretFromSeed(seed), 1)
	if err != nil {
		return nil, nil, nil, err
	}
	scrambled := *d
	scrambled.Jobs = r.Frame
	workers.Release = r.Frame.Select(needed...)
	released, err = publish.Publish(ctx, &scrambled, nil, o)
	return original, released, workers, err
}

// memory is what is in use, and the most that the process ever had.
func memory() string {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	out := fmt.Sprintf("%.1f GB in use", float64(m.HeapAlloc)/1e9)
	if b, err := os.ReadFile("/proc/self/status"); err == nil { // Linux
		for _, l := range strings.Split(string(b), "\n") {
			if peak, found := strings.CutPrefix(l, "VmHWM:"); found {
				out += ", at most " + strings.TrimSpace(peak)
			}
		}
	}
	return out
}
