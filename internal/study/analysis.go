package study

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"scramblelab/internal/estimate"
	"scramblelab/internal/fidelity"
	"scramblelab/internal/fidelity/program"
	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/tabio"
)

// Files that hold what the researchers' program printed on each version. What it
// printed on the original is confidential.
const (
	printedOriginal = "analysis-original.log"
	printedRelease  = "analysis-release.log"
)

// analysed is what the researchers' own program found, and what it printed by
// the name of the file that keeps it.
type analysed struct {
	found   *fidelity.Outside
	printed map[string][]byte
}

// write keeps what the program printed beside the report, for its owner alone.
func (a analysed) write(dir string) error {
	for _, name := range []string{printedOriginal, printedRelease} {
		if b, ok := a.printed[name]; ok {
			if err := folder.WriteFile(filepath.Join(dir, name), 0o600, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseProgram says, before anything else is done, why the plan's program may
// not run: what cannot be kept from the network sees no real data unless it is
// trusted.
func refuseProgram(analysis bool, simulated bool, o Options) error {
	if !analysis || simulated || o.TrustProgram || program.CanConfine() {
		return nil
	}
	return fmt.Errorf("fidelity.analysis: %w, and the data are real: run where user namespaces are allowed, leave the program out of the plan, or add --trust-program if you have read it", program.ErrUnconfined)
}

// hasProgram reports whether the plan names a program.
func (s *scrambled) hasProgram() bool {
	return s.plan.Fidelity != nil && s.plan.Fidelity.Analysis != nil
}

// analyse runs the researchers' own program on the unscrambled fragment and on
// the release. A program that fails is a finding, not an error of the study.
func (s *scrambled) analyse(ctx context.Context, v *versions, released *publish.Tables, o Options) (analysed, error) {
	if !s.hasProgram() {
		return analysed{}, nil
	}
	if err := refuseProgram(true, s.data.Simulated, o); err != nil {
		return analysed{}, err
	}
	a := s.plan.Fidelity.Analysis
	out := analysed{printed: map[string][]byte{}}
	var terms [2][]estimate.Coefficient
	for i, version := range []struct {
		name, log string
		tables    *publish.Tables
	}{{"the unscrambled fragment", printedOriginal, numbered(v.fragment)}, {"the release", printedRelease, released}} {
		o.Progress.Step("the researchers' program on "+version.name, 0, 0)
		r, err := program.Run(ctx, program.Options{Command: a.Command, Limit: time.Duration(a.Minutes * float64(time.Minute)), Trust: o.TrustProgram || s.data.Simulated}, func(dir string) error {
			return writeTables(ctx, dir, version.tables)
		})
		if r.Printed != nil {
			out.printed[version.log] = r.Printed
		}
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			reason := fmt.Sprintf("on %s %v", version.name, err)
			if len(r.Printed) > 0 {
				reason += " (what it printed is in " + version.log + ")"
			}
			out.found = &fidelity.Outside{Missing: reason}
			return out, nil
		}
		for _, t := range r.Terms {
			terms[i] = append(terms[i], fidelity.Outsider(t.Name, t.Estimate, t.StdErr, 0.95))
		}
	}
	out.found = &fidelity.Outside{Fragment: terms[0], Release: terms[1], Note: confinement(o.TrustProgram || s.data.Simulated)}
	return out, nil
}

func confinement(trusted bool) string {
	how := "It ran without a network, unable to write outside its scratch folder."
	switch {
	case !program.CanConfine() && trusted:
		how = "It ran unconfined: the kernel gives no user namespaces."
	case !program.ConfinesFiles():
		how = "It ran without a network; the kernel lacks Landlock, so its files were not confined."
	}
	return "Release against unscrambled fragment, by the same program. " + how
}

// writeTables writes tables as CSV in the layout of phase two.
func writeTables(ctx context.Context, dir string, t *publish.Tables) error {
	return errors.Join(
		tabio.Write(ctx, filepath.Join(dir, "employers.csv"), t.Employers),
		tabio.Write(ctx, filepath.Join(dir, "cells.csv"), t.Cells))
}

// numbered gives employers the serials 1, 2, … in the order of their codes: a
// program must run as it will in phase two, and need not know who is who.
func numbered(t *publish.Tables) *publish.Tables {
	serial := map[int32]int32{}
	for _, e := range t.Employers.Col(linked.Employer).I {
		if _, ok := serial[e]; !ok {
			serial[e] = int32(len(serial) + 1)
		}
	}
	with := func(f *frame.Frame) *frame.Frame {
		codes := f.Col(linked.Employer).I
		numbers := make([]int32, len(codes))
		for i, e := range codes {
			numbers[i] = serial[e]
		}
		return frame.Must(append([]frame.Column{frame.Ints(publish.Serial, numbers)}, f.Without(linked.Employer).Columns()...)...)
	}
	return &publish.Tables{Employers: with(t.Employers), Cells: with(t.Cells)}
}
