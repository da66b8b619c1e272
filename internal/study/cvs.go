package study

import (
	"context"
	"fmt"

	"scramblelab/internal/attack"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
	"scramblelab/internal/score"
)

const stageCVs rng.Stage = 0x57cd1

// cvTargets is how many employers are looked for by CVs inside the fragment: about
// one in four has five people to know, and fewer would leave an interval too wide
// to be judged. cvDecoys is how many are looked for outside it.
const (
	cvTargets = 1500
	cvDecoys  = 400
)

// miscoded is the share of wrong diplomas in the row of intruders whose CVs and
// the register differ.
const miscoded = 0.05

// cvs lets intruders look for employers by the CVs of some of their staff, and
// read the wages of those people in the cells of the serial that they find.
func (v *victims) cvs(ctx context.Context, out *measured) error {
	s := v.s
	ks := attack.CVKnown()
	if why := v.noCVs(); why != "" {
		for _, k := range ks {
			out.metrics = append(out.metrics, metric.Metric{Name: fmt.Sprintf("attack.employer.cv.cv-%d.top1", k), Better: metric.Lower, Unit: "share",
				Knowledge: metric.KnowsParameters, Method: "Employers looked for by the CVs of some of their staff. Lower is safer.", Row: metric.Missing("", why)})
		}
		return nil
	}
	years := s.attackedYears()
	if years == nil && s.perYear {
		years = s.data.Years()
	}
	if years != nil {
		years = years[len(years)/2 : len(years)/2+1] // a serial has one year: one is looked for
	}
	o := attack.StaffOptions{Most: ks[len(ks)-1], CountOn: v.held.Method.CountOn, Years: years, Field: v.held.Tables.Cells.Has(linked.Field)}
	inside, outside := v.lookedFor(years)
	in, decoys := attack.DrawStaff(s.data, inside, o, v.key), attack.DrawStaff(s.data, outside, o, v.key)
	paths, err := attack.NewStaffPaths(v.held, metric.KnowsParameters, years)
	if err != nil {
		return err
	}
	search := func(p *attack.StaffPaths, t []attack.CVTarget, miscoding float64) ([][]attack.CVFind, error) {
		return p.Search(ctx, t, attack.CVOptions{Known: ks, Miscoding: miscoding, Selection: max(s.sample.Population, p.Units())})
	}
	found, err := search(paths, in, 0)
	if err != nil {
		return err
	}
	false1, err := search(paths, decoys, 0)
	if err != nil {
		return err
	}
	wrong := attack.Miscode(in, miscoded, v.key)
	byWrong, err := search(paths, wrong, miscoded)
	if err != nil {
		return err
	}
	variants := map[string][][]attack.CVFind{fmt.Sprintf("miscoding=%v", miscoded): byWrong}
	names := []string{fmt.Sprintf("miscoding=%v", miscoded)}
	if len(v.held.Method.Swaps) > 0 {
		naive, err := attack.NewStaffPaths(v.held, metric.KnowsNothing, years)
		if err != nil {
			return err
		}
		if variants["knowledge=none"], err = search(naive, in, 0); err != nil {
			return err
		}
		names = append(names, "knowledge=none")
	}
	groups := v.sizeGroups(in)
	for i, k := range ks {
		t := score.CVTruth{Known: k, Knowledge: metric.KnowsParameters, M: s.sample.Population, Serials: paths.Units()}
		lookup := map[int32]int32{}
		for j, target := range in {
			if len(target.CVs) < k {
				continue
			}
			right, _ := v.serialOf(target.Employer, yearOf(years))
			t.Inside = append(t.Inside, score.CVCase{Employer: target.Employer, Right: right, Find: found[i][j], Groups: groups[j]})
			for _, n := range names {
				t.Inside = append(t.Inside, score.CVCase{Employer: target.Employer, Right: right, Find: variants[n][i][j], Variant: n})
			}
			lookup[target.Employer] = found[i][j].Serial
		}
		for j, target := range decoys {
			if len(target.CVs) >= k {
				t.Outside = append(t.Outside, score.CVCase{Employer: target.Employer, Right: -1, Find: false1[i][j]})
			}
		}
		out.metrics = append(out.metrics, score.CVs(t)...)
		if err := v.cvWages(out, k, in, lookup); err != nil {
			return err
		}
	}
	return nil
}

// noCVs says why nobody can be looked for by CVs.
func (v *victims) noCVs() string {
	switch {
	case !v.s.data.Jobs.Has(linked.Worker):
		return "the data name no workers, so that a person cannot be followed over the years"
	case !v.held.Tables.Cells.Has(linked.Level):
		return "the release has no levels to compare CVs with"
	}
	return ""
}

func yearOf(years []int32) int32 {
	if len(years) == 0 {
		return 0
	}
	return years[0]
}

// lookedFor draws employers of the fragment and of the rest of the selection.
func (v *victims) lookedFor(years []int32) (inside, outside []int32) {
	for e, in := range v.inside {
		_, ok := v.serialOf(int32(e), yearOf(years))
		switch {
		case in && ok:
			inside = append(inside, int32(e))
		case !in:
			outside = append(outside, int32(e))
		}
	}
	some := func(id uint64, of []int32, most int) []int32 {
		return rng.Sample(v.key.Stream(stageCVs, id), of, min(most, len(of)))
	}
	return some(0, inside, cvTargets), some(1, outside, cvDecoys)
}

// sizeGroups are the size classes of employers in the year of a known person.
func (v *victims) sizeGroups(targets []attack.CVTarget) [][]score.Group {
	out := make([][]score.Group, len(targets))
	for i, t := range targets {
		if len(t.Rows) > 0 {
			out[i] = score.SizeGroups(v.s.staffOf(t.Rows[:1])[0])
		}
	}
	return out
}

// cvWages reads the wages of the people whose CVs are known.
func (v *victims) cvWages(out *measured, k int, targets []attack.CVTarget, serial map[int32]int32) error {
	if v.prior == nil {
		return nil // no wages are released
	}
	var rows []int32
	for _, t := range targets {
		if len(t.CVs) >= k {
			rows = append(rows, t.Rows[:k]...)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	people := attack.TargetsOf(v.s.data, rows)
	classes := v.held.Tables.Cells.Col(publish.WageClass)
	known := score.WorkerTruth{WageClass: attack.WageClasses(v.s.data.Jobs, rows, classes.Dict), Targets: people, Groups: v.parts.Groups(rows, v.s.staffOf(rows))}
	_, err := v.read(out, score.Chain, fmt.Sprintf("cv-%d", k), known, func(r attack.Release) ([]attack.WorkerClaim, error) {
		return attack.CellDisclosure(r, metric.KnowsParameters, func(e, _ int32) (int32, bool) {
			n, ok := serial[e]
			return n, ok && n >= 0
		}, people, v.prior)
	})
	return err
}
