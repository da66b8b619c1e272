package fidelity

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

// TestEdgesHaveReasons: whatever a schema lacks, every metric is valid, and
// every name stands in the result with a number or a reason.
func TestEdgesHaveReasons(t *testing.T) {
	if testing.Short() {
		t.Skip("measures every edge")
	}
	w := tiny()
	ctx := context.Background()
	names := map[string]bool{}
	for _, m := range measured(t, w.input(w.fragment)).Metrics {
		names[m.Name] = true
	}
	publishBoth := func(change func(d *linked.Data, o *publish.Options)) Input {
		d, e := *w.data, *swapLevels(t, w.data, 0.3, 2)
		o := w.options
		change(&d, &o)
		change(&e, &o)
		in := Input{Periods: d.Periods, Key: 1}
		for _, x := range []struct {
			to        **publish.Tables
			d         *linked.Data
			employers []int32
		}{{&in.Fragment, &d, w.employers}, {&in.Release, &e, w.employers}, {&in.Population, &d, nil}} {
			var err error
			if *x.to, err = publish.Publish(ctx, x.d, x.employers, o); err != nil {
				t.Fatal(err)
			}
		}
		return in
	}
	withJobs := func(f func(*frame.Frame) *frame.Frame) Input {
		return publishBoth(func(d *linked.Data, _ *publish.Options) { d.Jobs = f(d.Jobs) })
	}
	without := func(columns ...string) Input {
		return withJobs(func(f *frame.Frame) *frame.Frame { return f.Without(columns...) })
	}
	coarse := w.input(w.fragment)
	o := w.options
	o.Counts = []int{1, 3, 5, 10, 20, 50, 100, 250}
	var err error
	if coarse.Release, err = publish.Publish(ctx, w.data, w.employers, o); err != nil {
		t.Fatal(err)
	}
	noPopulation := w.input(w.swapped(t, 0.3, 2))
	noPopulation.Population = nil
	fresh := w.input(w.swapped(t, 0.3, 2))
	fresh.NoPanel = "a fresh serial every year"
	lost := w.input(w.fragment)
	keep := w.fragment.Cells.Col(linked.Employer).I[0]
	lost.Fragment = &publish.Tables{Employers: w.fragment.Employers, Cells: w.fragment.Cells.Filter(func(i int) bool { return w.fragment.Cells.Col(linked.Employer).I[i] != keep })}
	empty := w.input(w.fragment)
	empty.Release = &publish.Tables{Employers: w.fragment.Employers, Cells: w.fragment.Cells.Filter(func(int) bool { return false })}
	one := publishBoth(func(d *linked.Data, o *publish.Options) {})
	for _, to := range []**publish.Tables{&one.Fragment, &one.Release} {
		is := func(f *frame.Frame) *frame.Frame {
			return f.Filter(func(i int) bool { return f.Col(linked.Employer).I[i] == w.employers[1] })
		}
		*to = &publish.Tables{Employers: is((*to).Employers), Cells: is((*to).Cells)}
	}
	for _, tt := range []struct {
		name, why string
		in        Input
		missing   map[string]string // metric: part of its reason
		share     float64           // of exact cells, 0 for any
	}{
		{name: "no field", why: "a schema may have levels alone", in: without(linked.Field)},
		{name: "no level", why: "or fields alone", in: without(linked.Level), missing: map[string]string{"fidelity.regression.wage-overlap": "no education level"}},
		{name: "neither", why: "then there is no table of margins", in: without(linked.Level, linked.Field), missing: map[string]string{"fidelity.margins.level-field-tv": "neither level nor field"}},
		{name: "no wage", why: "no wage measure makes sense", in: without(linked.Wage), missing: map[string]string{
			"fidelity.regression.wage-overlap": "has no wages", "fidelity.regression.wage-bias-se": "has no wages",
			"fidelity.fragment.wage-bias-se": "has no wages", "fidelity.wages.level-field-error": "has no wages",
			"fidelity.cells.wage-class-agreement": "no such class"}},
		{name: "no age and FTE", why: "agreement is missing", in: without(linked.Age, linked.FTE), missing: map[string]string{
			"fidelity.employers.age-class-agreement": "no class of the mean age", "fidelity.cells.fte-class-agreement": "no such class"}},
		{name: "no periods", why: "one cross-section", in: publishBoth(func(d *linked.Data, _ *publish.Options) {
			first := func(f *frame.Frame) *frame.Frame {
				return f.Filter(func(i int) bool { return f.Col(linked.Year).I[i] == 2015 })
			}
			d.Jobs, d.Firms, d.Periods = first(d.Jobs), first(d.Firms), false
		}), missing: map[string]string{"fidelity.did.overlap": "no periods", "fidelity.did.bias-se": "no periods", "fidelity.fragment.did-bias-se": "no periods"}},
		{name: "no event year", why: "firm columns are the plan's choice", in: publishBoth(func(_ *linked.Data, o *publish.Options) {
			o.FirmColumns = []string{linked.Group}
		}), missing: map[string]string{"fidelity.did.overlap": "does not carry group and event year"}},
		{name: "no event", why: "a world without automation", in: publishBoth(func(d *linked.Data, _ *publish.Options) {
			none := make([]int32, d.Firms.Rows())
			for i := range none {
				none[i] = frame.NoInt
			}
			d.Firms = d.Firms.With(frame.Ints(linked.EventYear, none))
		}), missing: map[string]string{"fidelity.did.overlap": "no employer of the fragment has an automation event"}},
		{name: "no control", why: "a user's own groups", in: publishBoth(func(d *linked.Data, _ *publish.Options) {
			c := d.Firms.Col(linked.Group)
			c.Dict = frame.MustDict("A", "B", "C")
			d.Firms = d.Firms.With(c)
		}), missing: map[string]string{"fidelity.did.bias-se": "labelled control"}},
		{name: "everybody treated at once", why: "post is a year effect", in: publishBoth(func(d *linked.Data, _ *publish.Options) {
			all := make([]int32, d.Firms.Rows())
			for i := range all {
				all[i] = 2016
			}
			d.Firms = d.Firms.With(frame.Ints(linked.EventYear, all))
		}), missing: map[string]string{"fidelity.did.overlap": "does not vary within the absorbed effects"}},
		{name: "one year", why: "periods in name only", in: publishBoth(func(d *linked.Data, _ *publish.Options) {
			last := func(f *frame.Frame) *frame.Frame {
				return f.Filter(func(i int) bool { return f.Col(linked.Year).I[i] == 2021 })
			}
			d.Jobs, d.Firms = last(d.Jobs), last(d.Firms)
		}), missing: map[string]string{"fidelity.did.overlap": "two years"}},
		{name: "ordinal level", why: "an ordinal level is one as well", in: withJobs(func(f *frame.Frame) *frame.Frame {
			c := f.Col(linked.Level)
			return f.With(frame.Ordered(c.Name, c.Dict, c.I))
		})},
		{name: "5,000 levels", why: "some codebooks are long", in: withJobs(func(f *frame.Frame) *frame.Frame {
			labels, codes := make([]string, 5000), make([]int32, f.Rows())
			for k := range labels {
				labels[k] = fmt.Sprintf("%04d", k)
			}
			for i := range codes {
				codes[i] = int32(i*7919) % 5000
				if codes[i] < 0 {
					codes[i] += 5000
				}
			}
			return f.With(frame.Codes(linked.Level, frame.MustDict(labels...), codes))
		}), missing: map[string]string{"fidelity.regression.wage-overlap": "levels are in use"}},
		{name: "coarse counts", why: "a class that holds the true count is true", in: coarse, share: 1},
		{name: "wages without midpoints", why: "a code is no wage", in: publishBothClasses(t, w, frame.MustDict("little", "much")), missing: map[string]string{"fidelity.wages.level-field-error": "stand for no numbers"}},
		{name: "no population", why: "fragment errors are left out", in: noPopulation},
		{name: "fresh serials", why: "nobody can follow an employer", in: fresh, missing: map[string]string{"fidelity.did.overlap": "fresh serial"}},
		{name: "a unit without cells in the fragment", why: "its released cells are false", in: lost},
		{name: "an empty release", why: "everything was suppressed", in: empty},
		{name: "one employer", why: "nothing varies between employers", in: one},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.Draws = 5
			r := measured(t, tt.in)
			seen := map[string]bool{}
			for _, m := range r.Metrics {
				seen[m.Name] = true
			}
			for n := range names {
				if strings.HasPrefix(n, "fidelity.fragment.") && tt.in.Population == nil {
					continue
				}
				if !seen[n] {
					t.Errorf("%s is not in the result (%s)", n, tt.why)
				}
			}
			for n, reason := range tt.missing {
				if m := r.get(t, n); m.Value.Valid() || !strings.Contains(m.Reason, reason) {
					t.Errorf("%s is %v with reason %q, want none and %q (%s)", n, m.Value, m.Reason, reason, tt.why)
				}
			}
			if m := r.get(t, "fidelity.cells.share-exact"); tt.share > 0 && float64(m.Value) != tt.share {
				t.Errorf("share of exact cells is %v, want %v (%s)", m.Value, tt.share, tt.why)
			}
			for _, e := range r.Effects {
				if e.Release.Dropped && e.Release.Reason == "" {
					t.Errorf("effect on %s is dropped without a reason", e.Outcome)
				}
			}
		})
	}
}

// publishBothClasses is a fragment whose wage classes have the labels given.
func publishBothClasses(tb testing.TB, w *world, dict *frame.Dict) Input {
	relabel := func(t *publish.Tables) *publish.Tables {
		codes := make([]int32, t.Cells.Rows())
		for i := range codes {
			codes[i] = int32(i % dict.Len())
		}
		return &publish.Tables{Employers: t.Employers, Cells: t.Cells.With(frame.Ordered(publish.WageClass, dict, codes))}
	}
	in := w.input(relabel(w.swapped(tb, 0.3, 2)))
	in.Fragment, in.Population = relabel(in.Fragment), relabel(in.Population)
	return in
}

// TestNonPositiveMidpoints: the log of a class that stands for no positive
// number is no wage, and the table says how many there were.
func TestNonPositiveMidpoints(t *testing.T) {
	dict, err := frame.NewDict([]string{"(,0)", "[0,30000)", "[30000,60000)", "[60000,)"}, []float64{-15000, 15000, 45000, math.Inf(1)})
	if err != nil {
		t.Fatal(err)
	}
	in := publishBothClasses(t, tiny(), dict)
	r := measured(t, in)
	note := ""
	for _, x := range r.Tables {
		if x.Name == "wage-regression" {
			note = x.Note
		}
	}
	want := fmt.Sprintf("%d cells of the fragment whose wage class stands for no positive number are left out", (in.Fragment.Cells.Rows()+3)/4)
	if !strings.Contains(note, want) {
		t.Errorf("note %q, want %q", note, want)
	}
	if m := r.get(t, "fidelity.regression.wage-overlap"); !m.Value.Valid() {
		t.Errorf("no wage regression on the other cells: %s", m.Reason)
	}
}

// TestRefusals: tables that cannot be compared are refused with what to do.
func TestRefusals(t *testing.T) {
	w := tiny()
	cells := func(change func(f *frame.Frame) *frame.Frame) *publish.Tables {
		return &publish.Tables{Employers: w.fragment.Employers, Cells: change(w.fragment.Cells)}
	}
	with := func(change func(in *Input)) Input {
		in := w.input(w.fragment)
		change(&in)
		return in
	}
	for _, tt := range []struct {
		name, why, want string
		in              Input
	}{
		{"nothing", "a release alone says nothing", "want a release", Input{Release: w.fragment}},
		{"one draw", "no spread", "draws is 1", with(func(in *Input) { in.Draws = 1 })},
		{"level", "a share", "level is 1.5", with(func(in *Input) { in.Level = 1.5 })},
		{"rate", "a share", "rate of the swap law is NaN", with(func(in *Input) { in.Swap = &SwapLaw{Rate: math.NaN()} })},
		{"other levels", "codes would mean something else", "different codebooks", with(func(in *Input) {
			in.Release = cells(func(f *frame.Frame) *frame.Frame {
				c := f.Col(linked.Level)
				labels := append([]string{"other"}, c.Dict.Labels()[1:]...)
				c.Dict = frame.MustDict(labels...)
				return f.With(c)
			})
		})},
		{"no level in the release", "layouts must be one", "one layout", with(func(in *Input) {
			in.Release = cells(func(f *frame.Frame) *frame.Frame { return f.Without(linked.Level) })
		})},
		{"out of order", "the join would lose cells silently", "out of order", with(func(in *Input) {
			in.Release = cells(func(f *frame.Frame) *frame.Frame { return f.Sorted(linked.Level) })
		})},
		{"cells without an employer row", "all later cells would lose their employer", "no row among the employers", with(func(in *Input) {
			year := w.fragment.Employers.Col(linked.Year).I
			in.Release = &publish.Tables{Cells: w.fragment.Cells, Employers: w.fragment.Employers.Filter(func(i int) bool { return year[i] != 2014 })}
		})},
		{"a unit outside", "it has no truth to compare with", "not among the units", with(func(in *Input) { in.Release = w.whole })},
		{"band", "a code outside", "band \"x\" holds level code 99", with(func(in *Input) { in.Bands = []Band{{"x", []int32{99}}} })},
		{"band twice", "groups are named once", "no other band", with(func(in *Input) { in.Bands = []Band{{"x", []int32{1}}, {"x", []int32{2}}} })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Measure(context.Background(), tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q (%s)", err, tt.want, tt.why)
			}
		})
	}
}
