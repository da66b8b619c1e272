package score_test

import (
	"context"
	"testing"

	"scramblelab/internal/attack"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/population"
	"scramblelab/internal/publish"
	"scramblelab/internal/release"
	"scramblelab/internal/rng"
	"scramblelab/internal/score"
)

// Whatever a release lacks, every metric keeps its contract: a number with an
// interval that holds it, or a reason.
func TestOddReleases(t *testing.T) {
	p, err := population.Generate(context.Background(), population.Options{Employers: 80, From: 2019, To: 2021, Seed: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := p.Linked()
	if err != nil {
		t.Fatal(err)
	}
	wage, err := publish.NewClasses(publish.Spec{Width: 5000, Top: 100000})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, why string
		employers int
		perYear   bool
		data      func(d *linked.Data)
		options   func(o *publish.Options)
		tables    func(t *publish.Tables)
		method    attack.Method
	}{
		{name: "whole", why: "nothing odd", employers: 30},
		{name: "per year", why: "serial-years cluster by employer", employers: 30, perYear: true},
		{name: "one employer", why: "one cluster has no spread", employers: 1},
		{name: "two employers", why: "two clusters have one degree of freedom", employers: 2},
		{name: "no cells in a year", why: "rows without staff", employers: 20, tables: func(t *publish.Tables) {
			year := t.Cells.Col(linked.Year).I
			t.Cells = t.Cells.Filter(func(i int) bool { return year[i] != 2020 })
		}},
		{name: "no cells", why: "nothing to compare", employers: 5, perYear: true, tables: func(t *publish.Tables) {
			t.Cells = t.Cells.Filter(func(int) bool { return false })
		}},
		{name: "no wage", why: "no class to claim", employers: 20, options: func(o *publish.Options) { o.Wage = publish.Classes{} }},
		{name: "no field", why: "cells by level alone", employers: 20, data: func(d *linked.Data) { d.Jobs = d.Jobs.Without(linked.Field) }},
		{name: "coarse counts", why: "no exact head count", employers: 20, options: func(o *publish.Options) { o.Counts = []int{1, 1000} }, method: attack.Method{CountClasses: true}},
		{name: "half of the workers", why: "the public head counts are larger", employers: 20, method: attack.Method{WorkerShare: 0.5}},
		{name: "merged", why: "serials of several employers have a row of their own", employers: 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := *whole
			if test.data != nil {
				test.data(&d)
			}
			o := publish.Options{Wage: wage}
			if test.options != nil {
				test.options(&o)
			}
			codes := make([]int32, test.employers)
			for i := range codes {
				codes[i] = int32(i)
			}
			tables, err := publish.Publish(context.Background(), &d, codes, o)
			if err != nil {
				t.Fatal(err)
			}
			tables, serials, err := release.Serialise(tables, rng.SecretFromSeed(1), release.Delivery{}, test.perYear)
			if err != nil {
				t.Fatal(err)
			}
			if test.tables != nil {
				test.tables(tables)
			}
			truth := score.Truth{}
			for i, e := range serials.Employers {
				k := score.Key{Serial: int32(i) + 1}
				if test.perYear {
					k.Year = serials.Years[i]
				}
				truth[k] = []int32{e}
				if test.name == "merged" && i%3 == 0 {
					truth[k] = []int32{e, int32(40 + i)}
				}
			}
			public, err := attack.FromAccounts(&d)
			if err != nil {
				t.Fatal(err)
			}
			held := attack.Release{Tables: tables, SerialPerYear: test.perYear, Periods: true, Method: test.method}
			var all []metric.Metric
			for _, a := range attack.Adversaries() {
				f, err := attack.Fingerprint(context.Background(), held, public, a, attack.Options{})
				if err != nil {
					t.Fatal(err)
				}
				ms, err := score.Employers(truth, []score.Variant{{Fingerprints: f}, {Group: "noise=1", Fingerprints: f}})
				if err != nil {
					t.Fatal(err)
				}
				decoys, err := score.FalseClaims(truth, f)
				if err != nil {
					t.Fatal(err)
				}
				all = append(append(all, ms...), decoys...)
				if ms, err = workers(&d, held, truth, f); err != nil {
					t.Fatal(err)
				}
				all = append(all, ms...)
			}
			for _, m := range all {
				if err := m.Validate(); err != nil {
					t.Errorf("%s: %v", test.why, err)
				}
			}
			if _, ok := all[0].RowOf("merged"); ok != (test.name == "merged") {
				t.Errorf("%s: row merged is there: %v", test.why, ok)
			}
		})
	}
}

func workers(d *linked.Data, held attack.Release, truth score.Truth, f *attack.Fingerprints) ([]metric.Metric, error) {
	classes, ok := held.Tables.Cells.Lookup(publish.WageClass)
	if !ok {
		return nil, nil
	}
	serialOf, right := truth.SerialOf()
	employer, year := d.Jobs.Col(linked.Employer).I, d.Jobs.Col(linked.Year).I
	rows := attack.DrawTargets(d.Jobs, func(i int) bool { _, ok := serialOf(employer[i], year[i]); return ok }, 200, 1)
	prior, err := attack.NewPrior(d, classes.Dict, func(e int32) bool { return e >= 30 })
	if err != nil {
		return nil, err
	}
	claims, err := f.Assignment()
	if err != nil {
		return nil, err
	}
	targets := attack.TargetsOf(d, rows)
	known := score.WorkerTruth{WageClass: attack.WageClasses(d.Jobs, rows, classes.Dict), Targets: targets}
	var out []metric.Metric
	for variant, lookup := range map[string]func(int32, int32) (int32, bool){score.KnownEmployer: serialOf, score.Chain: score.SerialFinder(claims)} {
		made, err := attack.CellDisclosure(held, metric.KnowsParameters, lookup, targets, prior)
		if err != nil {
			return nil, err
		}
		ms, err := score.Workers(variant, f.Adversary.Name, metric.KnowsParameters, made, known, f.M, right)
		if err != nil {
			return nil, err
		}
		out = append(out, ms...)
	}
	return out, nil
}
