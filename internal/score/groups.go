package score

import (
	"fmt"

	"scramblelab/internal/attack"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// Ranks of the families of groups.
const (
	rankOne    = iota << 16 // one-person employers
	rankSize                // size of the employer
	rankSector              //
	rankLevel               // of the worker
	rankField               //
	rankAge                 //
	rankRare                // diplomas that few have
)

// rare is the share of all workers below which a diploma (level x field) is a
// rare one.
const rare = 0.001

// Breakdown says to which rows of a breakdown workers belong.
type Breakdown struct {
	data                    *linked.Data
	sector                  []int32
	sectors, levels, fields *frame.Dict
	rare                    []bool // by level and field
}

// NewBreakdown counts how rare the diplomas of the data are.
func NewBreakdown(d *linked.Data) *Breakdown {
	b := &Breakdown{data: d, sector: attack.SectorOf(d), sectors: dictOf(d.Firms, linked.Sector), levels: dictOf(d.Jobs, linked.Level), fields: dictOf(d.Jobs, linked.Field)}
	if b.sectors == nil {
		b.sectors = dictOf(d.Jobs, linked.Sector)
	}
	level, field := codesOf(d.Jobs, linked.Level), codesOf(d.Jobs, linked.Field)
	count := make([]int, (size(b.levels)+1)*(size(b.fields)+1))
	for i := range d.Jobs.Rows() {
		count[b.diploma(level(i), field(i))]++
	}
	b.rare = make([]bool, len(count))
	for i, n := range count {
		b.rare[i] = len(count) > 1 && float64(n) < rare*float64(d.Jobs.Rows())
	}
	return b
}

func size(d *frame.Dict) int {
	if d == nil {
		return 0
	}
	return d.Len()
}

func (b *Breakdown) diploma(level, field int32) int {
	return int(level+1)*(size(b.fields)+1) + int(field+1)
}

// Groups returns the rows that some rows of the jobs belong to: size and sector
// of the employer, level, field and age of the worker, whether the diploma is
// rare. Workers of one-person employers, whose age class is a person's age, have
// a row of their own. staff is the head count of the employer along the rows, nil
// where it is unknown.
func (b *Breakdown) Groups(rows, staff []int32) [][]Group {
	jobs := b.data.Jobs
	employer := jobs.Col(linked.Employer).I
	level, field := codesOf(jobs, linked.Level), codesOf(jobs, linked.Field)
	age, hasAge := jobs.Lookup(linked.Age)
	out := make([][]Group, len(rows))
	for k, r := range rows {
		i := int(r)
		add := func(rank, code int32, name string) { out[k] = append(out[k], Group{rank + code, name}) }
		if staff != nil {
			out[k] = append(out[k], SizeGroups(staff[k])...)
		}
		for _, g := range []struct {
			rank, code int32
			dict       *frame.Dict
			word       string
		}{{rankSector, b.sector[employer[i]], b.sectors, "sector"}, {rankLevel, level(i), b.levels, "level"}, {rankField, field(i), b.fields, "field"}} {
			if g.dict != nil && g.code >= 0 {
				add(g.rank, g.code, g.word+" "+g.dict.Label(g.code))
			}
		}
		if hasAge && !age.Missing(i) {
			if band := attack.AgeBand(age.Value(i)); band >= 0 {
				add(rankAge, band, "age "+attack.AgeBandLabel(band))
			}
		}
		if b.rare[b.diploma(level(i), field(i))] {
			add(rankRare, 0, fmt.Sprintf("diplomas of under %v in 1,000", 1000*rare))
		}
	}
	return out
}

// SizeGroups are the groups of an employer with that head count.
func SizeGroups(staff int32) []Group {
	var out []Group
	if staff == 1 {
		out = append(out, Group{rankOne, "one-person employers"})
	}
	if s := linked.SizeCode(staff); s >= 0 {
		out = append(out, Group{rankSize + s, "size " + linked.SizeDict.Label(s)})
	}
	return out
}

func dictOf(f *frame.Frame, name string) *frame.Dict {
	if c, ok := f.Lookup(name); ok && c.Coded() {
		return c.Dict
	}
	return nil
}

func codesOf(f *frame.Frame, name string) func(i int) int32 {
	c, ok := f.Lookup(name)
	if !ok || !c.Coded() {
		return func(int) int32 { return -1 }
	}
	return func(i int) int32 { return c.I[i] }
}
