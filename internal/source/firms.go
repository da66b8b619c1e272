package source

import (
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// firms makes the table of employers: a row for every year of the data from an
// employer's first year with staff on. A year without staff between two with is
// none, one after the last is closed. Attributes are those of the employer's
// workers; in a year without staff those of the year before.
func firms(d *linked.Data) *frame.Frame {
	jobs := d.Jobs
	employer, year := jobs.Col(linked.Employer).I, jobs.Col(linked.Year).I
	years := slices.Clone(year)
	slices.Sort(years)
	years = slices.Compact(years)

	var from, firmYear, present, size []int32 // from: a row of jobs that has the attributes
	runs := jobs.Runs(linked.Employer, linked.Year)
	for k := 0; k+1 < len(runs); {
		e := employer[runs[k]]
		last := k
		for last+2 < len(runs) && employer[runs[last+1]] == e {
			last++
		}
		at, _ := slices.BinarySearch(years, year[runs[k]])
		for _, y := range years[at:] {
			status, staff := int32(1), int32(0) // none
			if k <= last && year[runs[k]] == y {
				status, staff = 0, runs[k+1]-runs[k]
				from = append(from, runs[k])
				k++
			} else {
				if k > last {
					status = 2 // closed
				}
				from = append(from, from[len(from)-1])
			}
			if d.SampledWithin {
				staff = 0 // the sampled rows are not the head count
			}
			firmYear, present, size = append(firmYear, y), append(present, status), append(size, linked.SizeCode(staff))
		}
	}
	cols := []frame.Column{
		jobs.Col(linked.Employer).Take(from),
		frame.Ints(linked.Year, firmYear),
		frame.Codes(linked.Present, linked.PresentDict, present),
	}
	for _, name := range linked.FirmAttributes {
		if c, ok := jobs.Lookup(name); ok {
			cols = append(cols, c.Take(from))
		}
	}
	return frame.Must(append(cols, frame.Ordered(linked.SizeClass, linked.SizeDict, size))...)
}

// notesOn collects the remarks that every report must show.
func (r *reader) notesOn(d *linked.Data) []string {
	notes := r.notes
	if !d.Periods {
		notes = append(notes, "the data have no period: they are one cross-section, and panel measures are skipped")
	}
	if d.SampledWithin {
		notes = append(notes, "the rows are a sample of each employer's staff: a match on sampled counts is no real risk, since no public file holds them, and head counts give no size class")
	}
	if !d.Jobs.Has(linked.Worker) {
		notes = append(notes, "the data do not tell workers apart: the row is the unit, and several rows may be one person")
	}
	if w, ok := d.Jobs.Lookup(linked.Weight); ok {
		least, most, missing := math.Inf(1), math.Inf(-1), 0
		for _, v := range w.F {
			if math.IsNaN(v) {
				missing++
				continue
			}
			least, most = min(least, v), max(most, v)
		}
		if missing < w.Len() && (least != most || missing > 0) {
			note := fmt.Sprintf("weights in column %q (%v to %v) are carried along and not used in attack rates: these hold for the rows of the file, not for the population that the rows stand for",
				r.column(linked.Weight), least, most)
			if missing > 0 {
				note += fmt.Sprintf("; %d rows have no weight", missing)
			}
			notes = append(notes, note)
		}
	}
	for _, name := range slices.Concat(linked.Attributes, linked.FirmAttributes) {
		c, ok := d.Jobs.Lookup(name)
		if !ok {
			continue
		}
		missing := 0
		for i := range c.Len() {
			if c.Missing(i) {
				missing++
			}
		}
		if missing > 0 {
			notes = append(notes, fmt.Sprintf("%s (column %q) is missing in %d of %d rows", name, r.column(name), missing, c.Len()))
		}
	}
	return notes
}
