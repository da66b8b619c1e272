package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"scramblelab/internal/attack"
	"scramblelab/internal/draw"
	"scramblelab/internal/escrow"
	"scramblelab/internal/folder"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
)

// writeRelease writes the folder that may leave the building.
func (s *scrambled) writeRelease(ctx context.Context, dir string, t *publish.Tables, perYear bool, o Options) error {
	p := s.plan.Project
	meta := release.Meta{
		Purpose: p.Purpose, Recipient: p.Recipient, LegalBasis: p.LegalBasis, DestroyWhen: p.DestroyWhen, ExtendedBy: p.ExtendedBy,
		PlanDigest: s.plan.Digest(), Tool: Tool(), Simulation: o.Seed != nil || s.data.Simulated,
		Unit: s.sample.Unit, Records: s.sample.Records, SerialPerYear: perYear, Notes: s.notesForRecipient(),
		Phase: s.delivery.Phase, Delivery: s.delivery.Number,
	}
	for _, step := range s.plan.Scramble.Steps {
		if step.Method == plan.SuppressCells {
			meta.MinimumCell = step.Minimum
		}
	}
	if s.entry != nil {
		meta.KeysDrawn = s.entry.keysDrawn()
		meta.Simulation = meta.Simulation || s.entry.drawing.Simulation
	}
	if t.Employers.Has(linked.DesignWeight) {
		meta.Selection = s.sample.Population
	}
	if s.method.WorkerShare < 1 {
		meta.SampleShare = s.method.WorkerShare
	}
	_, err := release.Write(ctx, dir, t, meta, release.Options{Format: o.Format, Force: o.Force, Inputs: inputs(s.plan)})
	return err
}

// writeAlone writes a release that is all of the folder o.Out.
func (s *scrambled) writeAlone(ctx context.Context, out *folder.Pending, t *publish.Tables, key rng.Secret, m release.SerialMap, o Options) error {
	inside := o
	inside.Force = true // the folder to be, which is empty
	if err := s.writeRelease(ctx, out.Path(), t, m.PerYear, inside); err != nil {
		return err
	}
	return s.commit(ctx, out, key, m, o)
}

// commit writes Out.escrow and gives the folder its name. The escrow goes first:
// a release without one could never be checked. The key is recorded before the
// folder stands: nobody may have a release that the ledger does not know. An escrow that is replaced is
// kept until the folder stands, and put back where it cannot.
func (s *scrambled) commit(ctx context.Context, out *folder.Pending, key rng.Secret, m release.SerialMap, o Options) error {
	e, err := s.escrow(key, m, o.Seed != nil)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	path := o.Out + ".escrow"
	old := ""
	if o.Force {
		if old, err = folder.SetAside(path); err != nil {
			return err
		}
	}
	err = escrow.Save(path, e, escrow.Options{Recipients: o.EscrowRecipients, Releases: []string{o.Out}})
	saved := err == nil
	recorded := false
	if err == nil && s.entry != nil {
		err = s.entry.record()
		recorded = err == nil
	}
	if err == nil {
		err = out.Commit()
	}
	if err != nil && recorded && !out.Committed() {
		err = errors.Join(err, s.entry.withdraw())
	}
	switch {
	case err == nil && old != "":
		return os.Remove(old)
	case err == nil:
		return nil
	case out.Committed():
		return err // the folder stands, so its escrow stays
	case old != "":
		return errors.Join(err, os.Rename(old, path))
	case saved:
		return errors.Join(err, os.Remove(path))
	}
	return err
}

// notesForRecipient say what a user of the tables must know.
func (s *scrambled) notesForRecipient() []string {
	notes := []string{"Some properties of one person were given to another. The tables serve to write and try programs; conclusions wait for phase two."}
	if s.data.SampledWithin {
		notes = append(notes, "The workers are a sample of each employer's staff: head counts are those of the sample.")
	}
	if s.merge != nil {
		notes = append(notes, fmt.Sprintf("Employers below a head count of %d were merged: a serial may stand for several.", s.method.MergedMinimum))
	}
	if s.method.WorkerShare < 1 {
		notes = append(notes, fmt.Sprintf("A share of %.2f of the workers is counted.", s.method.WorkerShare))
	}
	for i, step := range s.plan.Scramble.Steps {
		switch step.Method {
		case plan.JitterCounts:
			notes = append(notes, fmt.Sprintf("Head counts of cells carry noise with mean 0 and variance %v, at most %d either way; a cell whose count came to zero is left out.", step.Variance, step.Reach))
		case plan.RoundCounts:
			notes = append(notes, fmt.Sprintf("Head counts of cells are rounded to multiples of %d (%s); a cell whose count came to zero is left out.", step.Base, step.Rounding))
		case plan.SuppressCells:
			notes = append(notes, fmt.Sprintf("Cells under %d workers are folded into a row without level and field; an employer-year under %d workers has no cell.", step.Minimum, step.Minimum))
		case plan.Recode:
			notes = append(notes, fmt.Sprintf("Codes of %s are broader than in phase two.", step.Column))
		case plan.SampleEmployers:
			notes = append(notes, fmt.Sprintf("A share of %.2f of the records drawn is released, each by its own draw.", step.Rate))
		case plan.TopCode, plan.Noise, plan.PRAM, plan.Microaggregate:
			columns, _ := step.ReplacesValues()
			notes = append(notes, fmt.Sprintf("Step %d (%s) replaced values of %s before they were counted or put in classes.", i+1, step.Method, strings.Join(columns, " and ")))
		}
		if step.Unit == plan.EmployerRegion {
			notes = append(notes, fmt.Sprintf("Employers exchanged %s with other employers.", strings.Join(step.Bundle, " and ")))
		}
	}
	return notes
}

// escrow is the secret side of the release.
func (s *scrambled) escrow(key rng.Secret, m release.SerialMap, simulation bool) (*escrow.Escrow, error) {
	e := &escrow.Escrow{
		Key: key, Simulation: simulation || s.data.Simulated, Tool: Tool(), PlanDigest: s.plan.Digest(),
		DataDigest: s.dataDigest(), Unit: s.sample.Unit, Scramble: s.plan.ScrambleDigest(), Seeded: simulation,
		Phase: s.delivery.Phase, Recipient: s.delivery.Recipient, Delivery: s.delivery.Number,
	}
	if s.entry != nil && s.entry.drawing.Simulation {
		e.Simulation, e.Seeded = true, true
	}
	label := s.data.Jobs.Col(linked.Employer).Dict.Label
	for i, code := range m.Employers {
		serial := escrow.Serial{Employer: label(code)}
		if m.PerYear {
			serial.Year = m.Years[i]
		}
		if members := s.membersOf(code); len(members) > 1 {
			for _, c := range members {
				serial.Members = append(serial.Members, label(c))
			}
		}
		e.Serials = append(e.Serials, serial)
	}
	for _, step := range s.steps {
		for _, p := range step.result.Pairings {
			e.Permutations = append(e.Permutations, escrow.Sparse(fmt.Sprintf("step %d: %s", step.number, step.result.Report.Method), p.Columns, p.Perm))
		}
	}
	design, err := json.Marshal(struct {
		Unit    string         `json:"unit"`
		Records int            `json:"records"`
		Of      int            `json:"of"`
		Strata  []draw.Stratum `json:"strata"`
	}{s.sample.Unit, s.sample.Records, s.sample.Population, s.sample.Strata})
	e.Design = design
	return e, err
}

// dataDigest is the digest of the original.
func (s *scrambled) dataDigest() string {
	if s.entry != nil {
		return s.entry.population.Digest
	}
	return escrow.Digest(s.data)
}

// membersOf returns the employers that are published under a code.
func (s *scrambled) membersOf(code int32) []int32 {
	if m, merged := s.members[code]; merged {
		return m
	}
	return []int32{code}
}

// held is the release as an intruder holds it: the tables that were read back
// and the public description of the method.
func (s *scrambled) held(r *release.Release) attack.Release {
	return attack.Release{Tables: r.Tables, SerialPerYear: r.Manifest.SerialPerYear, Periods: r.Tables.Cells.Has(linked.Year), Method: s.method}
}
