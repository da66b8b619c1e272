package study

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"scramblelab/internal/audit"
	"scramblelab/internal/draw"
	"scramblelab/internal/escrow"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
)

// Audit looks for what a release must not carry; see [audit.Release]. With the
// escrow and the plan it also proves that the release is the plan applied to its
// data: first by the permutations that the escrow kept, which any version can
// check, then by making it again from the key, where the version is the same.
func Audit(ctx context.Context, p *plan.Plan, at Opened, o Options) ([]audit.Finding, error) {
	known := audit.Options{Tool: Tool()}
	var err error
	if at.Escrow != "" {
		if known.Escrow, err = escrow.Load(at.Escrow, at.Identities...); err != nil {
			return nil, err
		}
	}
	if p == nil {
		return audit.Release(ctx, at.Release, known)
	}
	if known.Escrow == nil {
		return nil, fmt.Errorf("a proof that a release is its plan applied to the data needs the escrow: name it with --escrow")
	}
	if p.Data.Generate != nil && o.Seed == nil {
		return nil, fmt.Errorf("the plan generates its data, and a population made without a number cannot be made again: give the --seed of the release")
	}
	if known.Original, err = Load(ctx, *p, newKeys(o.Seed).sim, o.Progress); err != nil {
		return nil, err
	}
	found, err := audit.Release(ctx, at.Release, known)
	if err != nil {
		return nil, err
	}
	proof, err := prove(ctx, *p, at, known.Escrow, known.Original)
	return append(found, proof...), err
}

func prove(ctx context.Context, p plan.Plan, at Opened, e *escrow.Escrow, data *linked.Data) ([]audit.Finding, error) {
	failed := func(check, remedy, format string, a ...any) audit.Finding {
		return audit.Finding{Check: check, Severity: audit.Fail, Detail: fmt.Sprintf(format, a...), Remedy: remedy}
	}
	rel, err := release.Open(ctx, at.Release)
	if err != nil {
		return []audit.Finding{{Check: "permutation", Severity: audit.Skipped, Detail: "the tables cannot be read, see check whole"}}, nil
	}
	switch {
	case rel.Manifest.PlanDigest != p.Digest() || e.PlanDigest != p.Digest():
		return []audit.Finding{failed("plan", "name the plan the release was made from", "manifest %.12s, escrow %.12s and plan %.12s are not of one plan", rel.Manifest.PlanDigest, e.PlanDigest, p.Digest())}, nil
	case e.DataDigest != escrow.Digest(data):
		return []audit.Finding{failed("plan", "restore the data of that day", "the escrow was made from other data than the plan reads now")}, nil
	}
	var out []audit.Finding
	s := &scrambled{plan: p, data: data, public: describe(p)}
	if why := s.notByPermutation(e); why != "" {
		out = append(out, audit.Finding{Check: "permutation", Severity: audit.Skipped, Detail: why + ": only making the release again can tell"})
	} else if what, err := s.byPermutation(ctx, e, rel); err != nil {
		return nil, err
	} else if what != "" {
		out = append(out, failed("permutation", "do not use this release: find out who changed it, and make it again", "the permutations of the escrow applied to the data give other tables: %s", what))
	} else {
		out = append(out, audit.Finding{Check: "permutation", Severity: audit.Pass, Detail: fmt.Sprintf("the %d permutations of the escrow, applied to the data, give every value of both tables but the design weights", len(e.Permutations))})
	}
	_, _, err = replay(ctx, p, data, e, rel)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil:
		out = append(out, audit.Finding{Check: "replay", Severity: audit.Pass, Detail: "the key makes the same release again, value by value"})
	case e.Tool != Tool() || e.GOARCH != runtime.GOARCH:
		out = append(out, audit.Finding{Check: "replay", Severity: audit.Skipped, Detail: fmt.Sprintf("made by %s on %s, and this is %s on %s", e.Tool, e.GOARCH, Tool(), runtime.GOARCH)})
	default:
		out = append(out, failed("replay", "name the escrow that was written beside this release; if it is that one, find out who changed the release", "%v", err))
	}
	return out, nil
}

// notByPermutation says what of a plan the permutations of its escrow do not
// settle.
func (s *scrambled) notByPermutation(e *escrow.Escrow) string {
	if e.Unit == draw.UnitWorker {
		return "the records are workers, whose draw is in the key alone"
	}
	for i, step := range s.plan.Scramble.Steps {
		switch step.Method {
		case plan.CoarsenCounts, plan.MergeSmallEmployers, plan.FreshSerials, plan.SuppressCells, plan.Recode, plan.SampleEmployers:
		default:
			if !step.Permutes() {
				return fmt.Sprintf("step %d (%s) is no permutation", i+1, step.Method)
			}
		}
	}
	return ""
}

// byPermutation publishes the original under the permutations and serials of the
// escrow, without drawing anything, and says where a release differs from it; ""
// where it does not.
func (s *scrambled) byPermutation(ctx context.Context, e *escrow.Escrow, rel *release.Release) (string, error) {
	codes := s.data.Jobs.Col(linked.Employer).Dict
	s.sample = &draw.Sample{Unit: e.Unit}
	serials := release.SerialMap{PerYear: rel.Manifest.SerialPerYear}
	var units [][]int32
	for i, x := range e.Serials {
		code, ok := codes.Code(x.Employer)
		if !ok {
			return fmt.Sprintf("serial %d stands for an employer that the data lack", i+1), nil
		}
		serials.Employers, serials.Years = append(serials.Employers, code), append(serials.Years, x.Year)
		members := []int32{code}
		if len(x.Members) > 0 {
			members = members[:0]
			for _, label := range x.Members {
				if code, ok = codes.Code(label); !ok {
					return fmt.Sprintf("serial %d stands for an employer that the data lack", i+1), nil
				}
				members = append(members, code)
			}
			units = append(units, members)
		}
		s.sample.Employers = append(s.sample.Employers, members...)
	}
	s.sample.Employers = distinct(s.sample.Employers)
	if units != nil {
		s.setUnits(units)
	}
	for _, f := range []*frame.Frame{rel.Tables.Employers, rel.Tables.Cells} {
		for _, n := range f.Col(publish.Serial).I {
			if n < 1 || int(n) > len(serials.Employers) {
				return fmt.Sprintf("serial %d is not in the escrow", n), nil
			}
		}
	}
	got := unserialise(rel.Tables, serials, s.data)
	if e.Unit == draw.UnitEmployerYear {
		employer, year := got.Employers.Col(linked.Employer).I, got.Employers.Col(linked.Year).I
		for i := range employer {
			for _, m := range s.membersOf(employer[i]) {
				s.sample.EmployerYears = append(s.sample.EmployerYears, [2]int32{m, year[i]})
			}
		}
		slices.SortFunc(s.sample.EmployerYears, func(a, b [2]int32) int { return slices.Compare(a[:], b[:]) })
	}
	s.swappedFrom = s.data.Jobs
	if s.plan.Scramble.Donors == "fragment" {
		s.swappedFrom = s.swappedFrom.Take(s.fragmentRows())
	}
	ofFirms := func(p escrow.Permutation) bool { return movesFirms(p.Bundle) }
	firmRows := s.firmRowsPermuted()
	firms, err := permuted(s.data.Firms.Take(firmRows), slices.DeleteFunc(slices.Clone(e.Permutations), func(p escrow.Permutation) bool { return !ofFirms(p) }))
	if err != nil {
		return err.Error(), nil
	}
	s.firms = s.data.Firms
	for _, name := range movedFirmColumns(e.Permutations) {
		s.firms = s.firms.With(put(s.firms.Col(name), firmRows, firms.Col(name)))
	}
	if s.permuted, err = permuted(s.swappedFrom, slices.DeleteFunc(slices.Clone(e.Permutations), ofFirms)); err != nil {
		return err.Error(), nil
	}
	o, err := s.publishOptions()
	if err != nil {
		return "", err
	}
	o.Weight = nil
	o.Cells.Key = rng.Secret{}
	o.FirmColumns = slices.DeleteFunc(slices.Clone(o.FirmColumns), func(c string) bool { return c == linked.DesignWeight })
	want, err := publish.Publish(ctx, s.shown(s.drawn(s.published())), s.sample.Employers, o)
	if err != nil {
		return "", err
	}
	if what := difference(want.Employers, got.Employers); what != "" {
		return "employers: " + what, nil
	}
	if what := difference(want.Cells, got.Cells); what != "" {
		return "cells: " + what, nil
	}
	return "", nil
}

// movesFirms reports whether a permutation is one of firms, which exchange
// their properties, rather than of jobs.
func movesFirms(bundle []string) bool {
	return !slices.Contains(bundle, linked.Employer) && slices.ContainsFunc(bundle, func(n string) bool { return slices.Contains(linked.FirmAttributes, n) })
}

func movedFirmColumns(permutations []escrow.Permutation) []string {
	var out []string
	for _, p := range permutations {
		if movesFirms(p.Bundle) {
			out = append(out, p.Bundle...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// permuted applies the permutations of an escrow, step by step. After a step
// that moved whole workers the rows are put in canonical order, as the scramble
// did.
func permuted(jobs *frame.Frame, permutations []escrow.Permutation) (*frame.Frame, error) {
	for i, p := range permutations {
		if int(p.Rows) != jobs.Rows() {
			return nil, fmt.Errorf("%s permutes %d rows, and there are %d jobs", p.Name, p.Rows, jobs.Rows())
		}
		moved := jobs.Columns()
		dense := p.Dense()
		for k, c := range moved {
			if slices.Contains(p.Bundle, c.Name) {
				moved = slices.Clone(moved)
				moved[k] = c.Take(dense)
			}
		}
		jobs = frame.Must(moved...)
		last := i+1 == len(permutations) || permutations[i+1].Name != p.Name
		if last && slices.ContainsFunc(permutations[:i+1], func(q escrow.Permutation) bool {
			return q.Name == p.Name && slices.Contains(q.Bundle, linked.Employer)
		}) {
			jobs = linked.Canonical(jobs)
		}
	}
	return jobs, nil
}

// difference says in which column and how often a table differs from what it
// should be, design weights aside; "" where it does not. It names no value.
func difference(want, got *frame.Frame) string {
	if got.Has(linked.DesignWeight) {
		got = got.Without(linked.DesignWeight)
	}
	if want.Rows() != got.Rows() || !slices.Equal(want.Names(), got.Names()) {
		return fmt.Sprintf("%d rows of %s, want %d rows of %s", got.Rows(), strings.Join(got.Names(), ", "), want.Rows(), strings.Join(want.Names(), ", "))
	}
	var out []string
	for k, name := range want.Names() {
		a, b := want.Columns()[k], got.Columns()[k]
		n := 0
		for i := range want.Rows() {
			if !sameValue(a, b, i) {
				n++
			}
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("%s in %d of %d rows", name, n, want.Rows()))
		}
	}
	return strings.Join(out, ", ")
}
