package study

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/attack"
	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
	"scramblelab/internal/plan"
	"scramblelab/internal/progress"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
	"scramblelab/internal/score"
)

// variants of an attack beside its top row, which is noise 1 and full knowledge
// of the method: the errors of the public file are an assumption, and so is
// what the intruder knows.
var variants = []variant{
	{"noise=0", attack.Options{Exact: true}, false},
	{"noise=0.5", attack.Options{NoiseScale: 0.5}, false},
	{"noise=2", attack.Options{NoiseScale: 2}, false},
	{"knowledge=method", attack.Options{Knowledge: metric.KnowsMethod}, true},
	{"knowledge=none", attack.Options{Knowledge: metric.KnowsNothing}, true},
}

type variant struct {
	group   string
	options attack.Options
	method  bool // differs only for intruders who look at what was swapped
}

// curveSample is the number of serials that the gain per extra year is measured
// on.
const curveSample = 100

// curve are the variants that show what each extra year tells.
func (s *scrambled) curve() []variant {
	years := s.data.Years()
	if s.perYear || !s.data.Periods || len(years) < 2 {
		return nil
	}
	var out []variant
	for _, k := range []int{1, 2, 3, 5, 10, 15, len(years)} {
		if k < len(years) || k == len(years) && (len(out) == 0 || out[len(out)-1].group != fmt.Sprintf("years=%d", k)) {
			out = append(out, variant{group: fmt.Sprintf("years=%d", k), options: attack.Options{Years: years[:k], Sample: curveSample}})
		}
	}
	return out
}

// fingerprinted is what one adversary found, variant by variant.
type fingerprinted struct {
	adversary attack.Adversary
	variants  []score.Variant
	plain     []score.Variant // with noisy values taken at their face, where there are any
}

// claims lets every adversary of the plan match serials to the public file, with
// the variants named and with a growing number of years.
func (s *scrambled) claims(ctx context.Context, held attack.Release, key rng.Sim, vs []variant, show progress.Func) ([]fingerprinted, error) {
	return s.fingerprints(ctx, held, key, slices.Concat(vs, s.curve()), show)
}

// fingerprints is claims with the variants named alone.
func (s *scrambled) fingerprints(ctx context.Context, held attack.Release, key rng.Sim, vs []variant, show progress.Func) ([]fingerprinted, error) {
	public, err := s.publicFile(key)
	if err != nil {
		return nil, err
	}
	if public, err = public.Recount(s.data, held.Method.CountOn); err != nil {
		return nil, err
	}
	var all []attack.Adversary
	var out []fingerprinted
	for _, name := range s.plan.Adversaries {
		if slices.Contains(attack.StaffAdversaries(), name) {
			continue // knows people, not accounts: see attackWorkers
		}
		a, err := attack.Find(name)
		if err != nil {
			return nil, err
		}
		all, out = append(all, a), append(out, fingerprinted{adversary: a})
	}
	cabinet, face := attack.NewCabinet(public), held
	s.cabinet = cabinet
	plain, noisy := held.Method.AsItStands()
	face.Method = plain
	for k, v := range append([]variant{{}}, vs...) {
		show.Step("attack", k, 1+len(vs))
		var which []int
		var as []attack.Adversary
		for i, a := range all {
			if !v.method || a.Uses(attack.ColumnEducation) && len(held.Method.Swaps) > 0 {
				which, as = append(which, i), append(as, a)
			}
		}
		if len(as) == 0 {
			continue
		}
		if v.options.Years == nil {
			v.options.Years = s.attackedYears()
		}
		found, err := cabinet.FingerprintAll(ctx, held, as, v.options)
		if err != nil {
			return nil, err
		}
		for n, i := range which {
			out[i].variants = append(out[i].variants, score.Variant{Group: v.group, Fingerprints: found[n], Sampled: v.options.Sample > 0})
		}
		if !noisy {
			continue
		}
		if found, err = cabinet.FingerprintAll(ctx, face, as, v.options); err != nil {
			return nil, err
		}
		for n, i := range which {
			out[i].plain = append(out[i].plain, score.Variant{Group: v.group, Fingerprints: found[n], Sampled: v.options.Sample > 0})
		}
	}
	return out, nil
}

// attackedYears are the years that are attacked, nil for all. With a fresh
// serial every year each year is a riddle of its own and as hard as any other,
// so the first, the middle and the last one speak for all.
func (s *scrambled) attackedYears() []int32 {
	years := s.data.Years()
	if !s.perYear || len(years) <= 3 {
		return nil
	}
	return []int32{years[0], years[len(years)/2], years[len(years)-1]}
}

// publicFile is the annual accounts, or what the plan says the public knows.
func (s *scrambled) publicFile(key rng.Sim) (*attack.Public, error) {
	if s.data.Accounts != nil {
		return attack.FromAccounts(s.data)
	}
	return attack.Derive(s.data, s.plan.Attack.Public.Columns, s.plan.Attack.Public.Noise, key)
}

// score joins the claims of the intruders with the truth, and sends them on to
// the workers.
func (s *scrambled) score(ctx context.Context, held attack.Release, found []fingerprinted, serials release.SerialMap, key rng.Sim) (measured, error) {
	truth := s.truth(serials)
	out, err := s.scoreEmployers(ctx, found, truth)
	if err != nil {
		return out, err
	}
	if years := s.attackedYears(); years != nil {
		out.warnings = append(out.warnings, fmt.Sprintf("serials are fresh every year, so the years %v were attacked, each by itself, and speak for the others", years))
	}
	err = s.attackWorkers(ctx, &out, held, found, truth, key)
	return out, err
}

// scoreEmployers joins the claims about employers with the truth.
func (s *scrambled) scoreEmployers(ctx context.Context, found []fingerprinted, truth score.Truth) (measured, error) {
	fragment := s.fragment(truth)
	parts, err := par.Map(ctx, len(found), func(i int) (measured, error) { return scoreEmployer(fragment, &found[i]) })
	if err != nil {
		return measured{}, err
	}
	var out measured
	for i, part := range parts {
		out.add(part)
		for _, n := range found[i].variants[0].Fingerprints.Notes {
			if !slices.Contains(out.warnings, n) {
				out.warnings = append(out.warnings, n)
			}
		}
	}
	return out, nil
}

// scoreEmployer scores the claims of one adversary.
func scoreEmployer(fragment score.Fragment, f *fingerprinted) (measured, error) {
	var out measured
	ms, err := better(func(plain bool) ([]metric.Metric, error) {
		if !plain {
			return fragment.Employers(f.variants)
		}
		if f.plain == nil {
			return nil, nil
		}
		return fragment.Employers(f.plain)
	}, fmt.Sprintf("attack.employer.%s.%s.top1", attack.Assignment, f.adversary.Name), func() { f.variants = f.plain })
	if err != nil {
		return out, err
	}
	records, err := fragment.Records(f.variants[0].Fingerprints)
	if err != nil {
		return out, err
	}
	out.records = append(out.records, adversaryRecords{f.adversary.Name, records})
	decoys, err := score.FalseClaims(fragment.Truth, f.variants[0].Fingerprints)
	if err != nil {
		return out, err
	}
	out.metrics = slices.Concat(ms, decoys)
	return out, nil
}

// better measures an attack by two readings of values that the method made
// noisy, with the noise in the likelihood and at their face, and returns the
// metrics of the one that succeeds more often by the headline named: the
// likelihood knows such noise approximately, and an approximation must not make
// a risk look smaller. There may be no second reading.
func better(measure func(plain bool) ([]metric.Metric, error), headline string, tookPlain func()) ([]metric.Metric, error) {
	ms, err := measure(false)
	if err != nil {
		return nil, err
	}
	plain, err := measure(true)
	if err != nil || plain == nil {
		return ms, err
	}
	value := func(ms []metric.Metric) float64 {
		for _, m := range ms {
			if m.Name == headline && m.Value.Valid() {
				return float64(m.Value)
			}
		}
		return -1
	}
	reading := " Values that the method made noisy were read in two ways, with the noise modelled and at their face; the more successful attack is reported."
	if value(plain) > value(ms) {
		tookPlain()
		ms = plain
	}
	for i := range ms {
		ms[i].Method += reading
	}
	return ms, nil
}

// sizeless takes the rows by size of employer and of one-person employers out, where head counts are those
// of a sample and say nothing of size.
func sizeless(ms []metric.Metric) {
	for i := range ms {
		ms[i].By = slices.DeleteFunc(ms[i].By, func(r metric.Row) bool {
			return strings.HasPrefix(r.Group, "size ") || r.Group == "one-person employers"
		})
	}
}

// fragment is what scoring knows of the employers behind the serials.
func (s *scrambled) fragment(truth score.Truth) score.Fragment {
	f := score.Fragment{Truth: truth, Sector: sectorLabels(s.data), Favour: 1}
	for _, h := range s.sample.Strata {
		if h.Population > 0 && s.sample.Records > 0 {
			f.Favour = max(f.Favour, float64(h.Drawn)/float64(h.Population)*float64(s.sample.Population)/float64(s.sample.Records))
		}
	}
	if s.merge != nil {
		return f // employers are drawn and published in units
	}
	f.Staff = make([]float64, s.data.Employers())
	for _, e := range s.data.Jobs.Col(linked.Employer).I {
		f.Staff[e]++
	}
	return f
}

// sectorLabels are the sectors by employer code, nil where the data have none.
func sectorLabels(d *linked.Data) []string {
	for _, f := range []*frame.Frame{d.Firms, d.Jobs} {
		c, ok := f.Lookup(linked.Sector)
		if !ok || !c.Coded() {
			continue
		}
		out := make([]string, d.Employers())
		for e, code := range attack.SectorOf(d) {
			if code >= 0 {
				out[e] = c.Dict.Label(code)
			}
		}
		return out
	}
	return nil
}

// truth says which employers each serial stands for.
func (s *scrambled) truth(m release.SerialMap) score.Truth {
	t := score.Truth{}
	for i, code := range m.Employers {
		k := score.Key{Serial: int32(i) + 1}
		if m.PerYear {
			k.Year = m.Years[i]
		}
		t[k] = s.membersOf(code)
	}
	return t
}

// pathMetric says how many employers have a head-count path of their own: the
// ceiling that no swap of attributes can lower.
func pathMetric(v *versions) metric.Metric {
	m := metric.Metric{Name: "attack.employer.path.head-count-only.unique", Better: metric.Lower, Unit: "share", Knowledge: metric.KnowsNothing,
		Method: "Share of all employers of the selection whose exact head counts over the window nobody else has; every attribute swap leaves it as it is. Rows: over the first years only. Lower is safer."}
	paths := uniquePaths(v.population)
	for k, p := range paths {
		row := metric.Exact(p.share(), int64(p.employers))
		row.M = int64(p.employers)
		if k == len(paths)-1 {
			m.Row = row
		}
		row.Group = fmt.Sprintf("years=%d", k+1)
		m.By = append(m.By, row)
	}
	return m
}

// Attack attacks a release that was written before. It writes claims.csv, and
// with the escrow report.json.
func Attack(ctx context.Context, p plan.Plan, at Opened, o Options) (*metric.Report, error) {
	in := append(inputs(p), at.Release)
	if at.Escrow != "" {
		in = append(in, at.Escrow)
	}
	out, err := folder.Create(o.Out, folder.Options{Force: o.Force, Mode: 0o700, Inputs: in, Known: []string{claimsCSV, reportJSON, worstCSV, riskCSV}})
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	s, rel, serials, k, err := open(ctx, p, at, o)
	if err != nil {
		return nil, err
	}
	held := s.held(rel)
	found, err := s.claims(ctx, held, k.sim, variants, o.Progress)
	if err != nil {
		return nil, err
	}
	if err := folder.WriteFile(filepath.Join(out.Path(), claimsCSV), 0o600, func(w io.Writer) error { return s.writeClaims(w, found) }); err != nil {
		return nil, err
	}
	r := s.emptyReport()
	r.N = map[string]int64{
		"selection": int64(s.sample.Population), "records": int64(rel.Manifest.Records), "cells": int64(rel.Tables.Cells.Rows()),
		"population employers": int64(s.data.Employers()), "population jobs": int64(s.data.Jobs.Rows()),
	}
	r.Warnings = slices.Concat(rel.Warnings, s.data.Notes)
	if at.Escrow == "" {
		r.Warnings = append(r.Warnings, "without --escrow the claims are not scored: they stand in claims.csv")
		return r, finish(out, r)
	}
	risk, err := s.score(ctx, held, found, serials, k.sim)
	if err != nil {
		return nil, err
	}
	pol, err := loadPolicy(p.Gates)
	if err != nil {
		return nil, err
	}
	why, err := s.explain(ctx, held, risk.metrics, pol)
	if err != nil {
		return nil, err
	}
	risk.metrics = append(risk.metrics, why...)
	v, err := s.publishOriginals(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.attackFile(ctx, &risk, held, serials, v.population); err != nil {
		return nil, err
	}
	if o.Keys > 0 {
		if err := overKeys(ctx, p, s.data, k, o.Seed, o.Keys, employerMetrics(risk.metrics)); err != nil {
			return nil, err
		}
	}
	if err := s.writeRisks(out.Path(), risk.records, o.PerRecord); err != nil {
		return nil, err
	}
	r.Metrics, r.Tables, r.Warnings = risk.metrics, risk.tables, append(r.Warnings, risk.warnings...)
	return r, finish(out, r)
}

// employerMetrics are the leading metrics, those of attacks on employers: the
// slice is that of ms.
func employerMetrics(ms []metric.Metric) []metric.Metric {
	n := 0
	for n < len(ms) && strings.HasPrefix(ms[n].Name, "attack.employer.") {
		n++
	}
	return ms[:n]
}

// writeRisks writes the units at the highest risk, and on request all.
func (s *scrambled) writeRisks(dir string, all []adversaryRecords, every bool) error {
	err := folder.WriteFile(filepath.Join(dir, worstCSV), 0o600, func(w io.Writer) error { return s.writeRecords(w, worstOf(all), false) })
	if err != nil || !every {
		return err
	}
	return folder.WriteFile(filepath.Join(dir, riskCSV), 0o600, func(w io.Writer) error { return s.writeRecords(w, all, true) })
}

// writeClaims writes what the intruders say, best claim first: the posterior
// is theirs, the truth is not in it.
func (s *scrambled) writeClaims(w io.Writer, found []fingerprinted) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"adversary", "serial", "year", "employer", "posterior"}); err != nil {
		return err
	}
	label := s.data.Jobs.Col(linked.Employer).Dict.Label
	for _, f := range found {
		claims, err := f.variants[0].Fingerprints.Assignment()
		if err != nil {
			return err
		}
		for _, c := range claims {
			year := ""
			if c.Year != 0 && c.Year != frame.NoInt {
				year = strconv.Itoa(int(c.Year))
			}
			if err := out.Write([]string{f.adversary.Name, strconv.Itoa(int(c.Serial)), year, label(c.Employer), strconv.FormatFloat(c.Posterior, 'f', 6, 64)}); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}
