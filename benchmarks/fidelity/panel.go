package main

import (
	"context"
	"fmt"
	"io"
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

// panel measures a release of a whole population, every employer in every year, as
// one would be in phase two: a fifth of the staff of a year and group swap level
// and field. It prints the seconds that each family of measures takes, all resources
// of the process included, and the memory that the operating system has given.
func panel(ctx context.Context, w io.Writer, dir string, seed uint64, mostCells int) error {
	original, released, workers, err := versions(ctx, w, dir, seed)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	memory(w, "tables ready")
	all := time.Now()
	in := fidelity.Input{Release: released, Fragment: original, Periods: true, Key: rng.Sim(seed), MostCells: mostCells, Workers: workers}
	for _, name := range fidelity.Measures() {
		in.Only = []string{name}
		start := time.Now()
		r, err := fidelity.Measure(ctx, in)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-30s %6.1f s, %d metrics\n", name, time.Since(start).Seconds(), len(r.Metrics))
		for _, m := range r.Metrics {
			if strings.HasSuffix(m.Name, "-error") || strings.HasSuffix(m.Name, "tv") || strings.HasSuffix(m.Name, "overlap") {
				fmt.Fprintf(w, "    %-50s %.5f [%.5f, %.5f], floor %.5f\n", m.Name, float64(m.Value), float64(m.Low), float64(m.High), float64(m.Baseline))
			}
		}
		memory(w, "")
	}
	fmt.Fprintf(w, "all: %.1f s\n", time.Since(all).Seconds())
	return nil
}

// versions reads a population and publishes it as it is and swapped; jobs are
// needed no longer then, but for what worker effects look at.
func versions(ctx context.Context, w io.Writer, dir string, seed uint64) (original, released *publish.Tables, workers *fidelity.Workers, err error) {
	p, err := population.Read(ctx, dir)
	if err != nil {
		return nil, nil, nil, err
	}
	d, err := p.Linked()
	if err != nil {
		return nil, nil, nil, err
	}
	fmt.Fprintf(w, "%d jobs of %d employers\n", d.Jobs.Rows(), d.Employers())
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

func memory(w io.Writer, what string) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, "%30s %.1f GB in use, %.1f GB of the system", what, float64(m.HeapAlloc)/1e9, float64(m.Sys-m.HeapReleased)/1e9)
	if b, err := os.ReadFile("/proc/self/status"); err == nil { // Linux: the most it ever had
		for _, l := range strings.Split(string(b), "\n") {
			if strings.HasPrefix(l, "VmHWM:") {
				fmt.Fprintf(w, ", at most %s", strings.TrimSpace(strings.TrimPrefix(l, "VmHWM:")))
			}
		}
	}
	fmt.Fprintln(w)
}
