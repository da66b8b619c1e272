package study

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"scramblelab/internal/attack"
	"scramblelab/internal/draw"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/mask"
	"scramblelab/internal/plan"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
	"scramblelab/plans"
)

// recode makes codes broader before anything else looks at them, so that
// strata, risks, promises, intruders and comparisons all work on the broader
// ones; what that costs stands in the notes.
func recode(p plan.Plan, d *linked.Data) (*linked.Data, error) {
	for i, step := range p.Scramble.Steps {
		if step.Method != plan.Recode {
			continue
		}
		note, now, err := recodeBy(step, d)
		if err != nil {
			return nil, stepError(step, i, err)
		}
		d = now
		d.Notes = append(slices.Clone(d.Notes), fmt.Sprintf("step %d: %s", i+1, note))
	}
	return d, nil
}

func recodeBy(step plan.Step, d *linked.Data) (note string, out *linked.Data, err error) {
	file, err := plans.Open(step.File)
	if err != nil {
		return "", nil, err
	}
	defer file.Close()
	h, err := mask.ReadHierarchy(step.File, file)
	if err != nil {
		return "", nil, err
	}
	now := *d
	var r mask.Recoding
	var was, made frame.Column
	for _, f := range []**frame.Frame{&now.Jobs, &now.Firms} {
		c, ok := (*f).Lookup(step.Column)
		if !ok {
			continue
		}
		was = c
		if made, r, err = mask.Recode(c, h, step.Depth); err != nil {
			return "", nil, err
		}
		*f = (*f).With(made)
	}
	if was.Dict == nil {
		return "", nil, fmt.Errorf("no column %q in jobs or firms", step.Column)
	}
	now.Jobs = linked.Canonical(now.Jobs) // rows that were told apart may tie now
	note = fmt.Sprintf("%s is recoded by %s: %d codes become %d, and of %.2f bits that a code told %.2f are left; every figure of this report is about the broader codes",
		step.Column, filepath.Base(step.File), r.Before, r.After, r.Bits, r.Left)
	if len(r.Split) > 0 && was.Kind == frame.Ordinal {
		note += fmt.Sprintf("; %s has no order any more, since %q are no runs of neighbours", step.Column, r.Split)
	}
	if step.Column == linked.Level {
		if lost := unread(was.Dict, made.Dict, r.Members); len(lost) > 0 {
			note += fmt.Sprintf("; the intruder cannot tell which study level of the accounts %q are, so the risk is understated: use labels with words such as primary, secondary, higher or university", lost)
		}
	}
	return note, &now, nil
}

// unread are the new labels of which an intruder cannot tell the study level,
// while he could of the old ones.
func unread(was, now *frame.Dict, members [][]int32) []string {
	var out []string
	for k, codes := range members {
		if attack.StudyLevel(now.Label(int32(k))) < 0 && slices.ContainsFunc(codes, func(v int32) bool { return attack.StudyLevel(was.Label(v)) >= 0 }) {
			out = append(out, now.Label(int32(k)))
		}
	}
	return out
}

// sampleEmployers leaves out records of the draw, merged employers together.
func (s *scrambled) sampleEmployers(step plan.Step, number int, key rng.Secret) error {
	unit := func(e int32) int32 {
		if s.merge != nil {
			return s.merge[e]
		}
		return e
	}
	var units []int32
	for _, e := range s.sample.Employers {
		units = append(units, unit(e))
	}
	units = distinct(units)
	keep, r, err := mask.SampleEmployers(len(units), step.Rate, key, number)
	if err != nil {
		return err
	}
	stays := func(e int32) bool {
		at, _ := slices.BinarySearch(units, unit(e))
		return keep[at]
	}
	out := *s.sample
	out.Employers, out.EmployerYears, out.Weight = nil, nil, nil
	weigh := func(i int) { out.Weight = append(out.Weight, s.sample.Weight[i]/step.Rate) }
	for i, e := range s.sample.Employers {
		if !stays(e) {
			continue
		}
		out.Employers = append(out.Employers, e)
		if s.sample.Unit == draw.UnitEmployer {
			weigh(i)
		}
	}
	for i, x := range s.sample.EmployerYears {
		if stays(x[0]) {
			out.EmployerYears = append(out.EmployerYears, x)
			weigh(i)
		}
	}
	if out.Records = len(out.EmployerYears); s.sample.Unit == draw.UnitEmployer {
		out.Records = len(units) - int(r.Touched)
	}
	s.sample = &out
	s.masks = append(s.masks, maskStep{number, r})
	return nil
}

// currentFirms are the firms as the steps so far left them.
func (s *scrambled) currentFirms() *frame.Frame {
	if s.firms != nil {
		return s.firms
	}
	return s.data.Firms
}

// swapFirms exchanges properties of employers. With donors from the fragment
// these are the firms drawn.
func (s *scrambled) swapFirms(ctx context.Context, o swap.Options, step plan.Step, number int, key rng.Secret) error {
	tables, _, _ := s.promises()
	for _, p := range tables {
		if ok, why := swap.Keeps(o, p); !ok {
			return fmt.Errorf("cannot keep %v: %s", p.Columns, why)
		}
	}
	all := s.currentFirms()
	rows := s.firmRowsPermuted()
	open := all.Take(rows)
	r, err := swap.Run(ctx, open, o, key.Derive("swap"), number)
	if err != nil {
		return err
	}
	if err := r.Displace(ctx, open); err != nil {
		return err
	}
	for _, p := range r.Pairings {
		for _, name := range p.Columns {
			all = all.With(put(all.Col(name), rows, r.Frame.Col(name)))
		}
	}
	s.firms = all
	s.steps = append(s.steps, swapStep{number, r})
	s.tell(step, number, r.Report)
	return nil
}

// firmRowsPermuted are the rows of firms that exchange properties.
func (s *scrambled) firmRowsPermuted() []int32 {
	employer := s.data.Firms.Col(linked.Employer).I
	var rows []int32
	for i, e := range employer {
		if s.plan.Scramble.Donors == "fragment" {
			if _, drawn := slices.BinarySearch(s.sample.Employers, e); !drawn {
				continue
			}
		}
		rows = append(rows, int32(i))
	}
	return rows
}

// put returns a column with the values of another one in some of its rows.
func put(c frame.Column, rows []int32, from frame.Column) frame.Column {
	c.I = slices.Clone(c.I)
	for k, r := range rows {
		c.I[r] = from.I[k]
	}
	return c
}

// quantiles are the bounds of as many classes with about equally many of the
// values of a column, rounded to two digits, and the mean of the values in the
// open top class, rounded likewise: public constants that no single value
// decides. Bounds that round to the same number are one.
func quantiles(c frame.Column, classes int) (bounds []float64, top float64, err error) {
	var values []float64
	for i := range c.Len() {
		if !c.Missing(i) {
			values = append(values, c.Value(i))
		}
	}
	if len(values) < 10*classes {
		return nil, 0, fmt.Errorf("quantiles is %d, and %s has %d values: want at least 10 a class", classes, c.Name, len(values))
	}
	slices.Sort(values)
	for k := 1; k < classes; k++ {
		b := twoDigits(values[k*len(values)/classes])
		if len(bounds) == 0 || b > bounds[len(bounds)-1] {
			bounds = append(bounds, b)
		}
	}
	last, sum, n := bounds[len(bounds)-1], 0.0, 0
	for _, v := range values {
		if v >= last {
			sum, n = sum+v, n+1
		}
	}
	if n > 0 {
		top = max(last, twoDigits(sum/float64(n)))
	}
	return bounds, top, nil
}

// twoDigits rounds to two significant digits.
func twoDigits(v float64) float64 {
	if v == 0 {
		return 0
	}
	unit := math.Floor(math.Log10(math.Abs(v))) - 1
	if unit < 0 {
		scale := math.Pow10(int(-unit))
		return math.Round(v*scale) / scale
	}
	scale := math.Pow10(int(unit))
	return math.Round(v/scale) * scale
}
