package study

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"

	"scramblelab/internal/draw"
	"scramblelab/internal/escrow"
	"scramblelab/internal/fidelity"
	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
)

// Opened names a release that was written before.
type Opened struct {
	Release    string   // folder
	Escrow     string   // file; "" attacks without scoring
	Identities []string // age identity files
}

// Stage is a part of a study that runs on an opened release.
type Stage func(ctx context.Context, p plan.Plan, at Opened, o Options) (*metric.Report, error)

// Release writes only what leaves the building, and the escrow beside it. It
// returns the warnings.
func Release(ctx context.Context, p plan.Plan, o Options) ([]string, error) {
	out, err := create(o, inputs(p), release.AllNames())
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	k := newKeys(o.Seed)
	data, err := Load(ctx, p, k.sim, o.Progress)
	if err != nil {
		return nil, err
	}
	e, err := enter(p, data, &k, commandRelease, o)
	if err != nil {
		return nil, err
	}
	s, err := scramble(ctx, p, data, k.secret)
	if err != nil {
		return nil, err
	}
	s.entry, s.delivery = e, e.delivery()
	v, err := s.publish(ctx)
	if err != nil {
		return nil, err
	}
	tables, serials, err := release.Serialise(v.release, k.secret, s.delivery, s.perYear)
	if err != nil {
		return nil, err
	}
	notes := e.warnings()
	if err := s.writeAlone(ctx, out, tables, k.secret, serials, o); err != nil {
		return nil, err
	}
	return slices.Concat(s.sample.Warnings, data.Notes, s.warnings(), notes), nil
}

// open reads the data of the plan and the release, and restores from the
// escrow what the other stages need.
func open(ctx context.Context, p plan.Plan, at Opened, o Options) (*scrambled, *release.Release, release.SerialMap, keys, error) {
	fail := func(err error) (*scrambled, *release.Release, release.SerialMap, keys, error) {
		return nil, nil, release.SerialMap{}, keys{}, err
	}
	if p.Data.Generate != nil && o.Seed == nil {
		return fail(fmt.Errorf("the plan generates its data, and a population made without a number cannot be made again: give the --seed of the release, or write the population first (synth population -o pop) and name it in the plan"))
	}
	rel, err := release.Open(ctx, at.Release)
	if err != nil {
		return fail(err)
	}
	if rel.Manifest.PlanDigest != p.Digest() {
		return fail(fmt.Errorf("%s was made from another plan (digest %.12s, this plan %.12s): name the plan it was made from", at.Release, rel.Manifest.PlanDigest, p.Digest()))
	}
	k := newKeys(o.Seed)
	data, err := Load(ctx, p, k.sim, o.Progress)
	if err != nil {
		return fail(err)
	}
	s := &scrambled{plan: p, data: data, public: describe(p),
		sample: &draw.Sample{Unit: rel.Manifest.Unit, Records: rel.Manifest.Records, Population: data.Employers(), Warnings: rel.Warnings}}
	if share := rel.Manifest.SampleShare; share > 0 {
		s.method.WorkerShare = share
	}
	if at.Escrow == "" {
		return s, rel, release.SerialMap{}, k, nil
	}
	e, err := escrow.Load(at.Escrow, at.Identities...)
	if err != nil {
		return fail(err)
	}
	if e.PlanDigest != p.Digest() {
		return fail(fmt.Errorf("%s belongs to another plan than %s", at.Escrow, at.Release))
	}
	if e.DataDigest != escrow.Digest(data) {
		return fail(fmt.Errorf("%s was made from other data than this plan reads now: restore the data of that day", at.Escrow))
	}
	s, m, err := replay(ctx, p, data, e, rel)
	if err != nil {
		return fail(fmt.Errorf("%s and %s: %w", at.Escrow, at.Release, err))
	}
	return s, rel, m, k, nil
}

// replay makes the release again from the key in its escrow: that restores the
// draw and its weights, the merged units and the workers, and proves that the
// two belong together. Escrows of other releases of the same plan and data look
// alike, and would give numbers about somebody else's serials.
func replay(ctx context.Context, p plan.Plan, data *linked.Data, e *escrow.Escrow, rel *release.Release) (*scrambled, release.SerialMap, error) {
	fail := func(err error) (*scrambled, release.SerialMap, error) { return nil, release.SerialMap{}, err }
	s, err := scramble(ctx, p, data, e.Key)
	if err != nil {
		return fail(err)
	}
	v, err := s.publish(ctx)
	if err != nil {
		return fail(err)
	}
	tables, serials, err := release.Serialise(v.release, e.Key, release.Delivery{Phase: e.Phase, Recipient: e.Recipient, Number: e.Delivery}, s.perYear)
	if err != nil {
		return fail(err)
	}
	if alike(tables.Employers, rel.Tables.Employers) && alike(tables.Cells, rel.Tables.Cells) {
		return s, serials, nil
	}
	if e.Tool != Tool() || e.GOARCH != runtime.GOARCH {
		return fail(fmt.Errorf("made by %s on %s, this is %s on %s, which cannot make the release again: measure with that version, and with the escrow that was written beside the release", e.Tool, e.GOARCH, Tool(), runtime.GOARCH))
	}
	return fail(fmt.Errorf("the key makes another release: name the escrow that was written beside this one"))
}

// alike reports whether two tables show the same columns and values.
func alike(a, b *frame.Frame) bool {
	if a.Rows() != b.Rows() || !slices.Equal(a.Names(), b.Names()) {
		return false
	}
	for k, x := range a.Columns() {
		y := b.Columns()[k]
		for i := range a.Rows() {
			if !sameValue(x, y, i) {
				return false
			}
		}
	}
	return true
}

// sameValue reports whether two columns show the same in a row.
func sameValue(x, y frame.Column, i int) bool {
	switch {
	case x.Missing(i) || y.Missing(i):
		return x.Missing(i) && y.Missing(i)
	case x.Coded() != y.Coded():
		return false
	case x.Coded():
		return x.Dict.Label(x.I[i]) == y.Dict.Label(y.I[i])
	}
	return x.Value(i) == y.Value(i)
}

// Fidelity measures a release against its original and writes report.json.
func Fidelity(ctx context.Context, p plan.Plan, at Opened, o Options) (*metric.Report, error) {
	out, err := folder.Create(o.Out, folder.Options{Force: o.Force, Mode: 0o700, Inputs: append(inputs(p), at.Release), Known: []string{reportJSON, printedOriginal, printedRelease}})
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	if err := vacantStatistics(o); err != nil {
		return nil, err
	}
	s, rel, serials, k, err := open(ctx, p, at, o)
	if err != nil {
		return nil, err
	}
	v, err := s.publishOriginals(ctx)
	if err != nil {
		return nil, err
	}
	v.release = unserialise(rel.Tables, serials, s.data)
	ran, err := s.analyse(ctx, v, rel.Tables, o)
	if err != nil {
		return nil, err
	}
	in := v.input(s, k.sim)
	in.Program = ran.found
	if in.Null, err = distinguishedUnder(ctx, p, s.data, k, o); err != nil {
		return nil, err
	}
	if in.Statistics, err = s.statistics(o); err != nil {
		return nil, err
	}
	use, err := fidelity.Measure(ctx, in)
	if err != nil {
		return nil, err
	}
	if o.SaveStatistics != "" {
		if err := folder.WriteFile(o.SaveStatistics, 0o600, in.Statistics.Encode); err != nil {
			return nil, err
		}
	}
	if err := ran.write(out.Path()); err != nil {
		return nil, err
	}
	r := s.emptyReport()
	r.N = s.counted(v)
	r.Metrics, r.Tables = use.Metrics, use.Tables
	r.Warnings = slices.Concat(rel.Warnings, s.data.Notes)
	return r, finish(out, r)
}

// finish writes report.json and puts the folder in its place.
func finish(out *folder.Pending, r *metric.Report) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := folder.WriteFile(filepath.Join(out.Path(), reportJSON), 0o600, func(w io.Writer) error { return r.Encode(w) }); err != nil {
		return err
	}
	return out.Commit()
}

// unserialise puts employers back in the place of serials, in canonical order.
func unserialise(t *publish.Tables, m release.SerialMap, d *linked.Data) *publish.Tables {
	back := func(f *frame.Frame) *frame.Frame {
		serial := f.Col(publish.Serial)
		codes := make([]int32, f.Rows())
		for i, n := range serial.I {
			codes[i] = m.Employers[n-1]
		}
		key := frame.Codes(linked.Employer, d.Jobs.Col(linked.Employer).Dict, codes)
		out := frame.Must(append([]frame.Column{key}, f.Without(publish.Serial).Columns()...)...)
		by := []string{linked.Employer}
		for _, n := range []string{linked.Year, linked.Level, linked.Field} {
			if out.Has(n) {
				by = append(by, n)
			}
		}
		return out.Sorted(by...)
	}
	return &publish.Tables{Employers: back(t.Employers), Cells: back(t.Cells)}
}
