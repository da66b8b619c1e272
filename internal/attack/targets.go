package attack

import (
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
)

const stageTargets rng.Stage = 0xa77ac5

// DrawTargets draws at most limit rows of the jobs for which keep is true,
// uniformly, and returns them in order; limit 0 takes all. Persons who left
// during the year are not in the tables of a release that counts at 31
// December: let keep leave them out.
func DrawTargets(jobs *frame.Frame, keep func(row int) bool, limit int, key rng.Sim) []int32 {
	var rows []int32
	for i := range jobs.Rows() {
		if keep == nil || keep(i) {
			rows = append(rows, int32(i))
		}
	}
	if limit <= 0 || limit >= len(rows) {
		return rows
	}
	picked := rng.Sample(key.Stream(stageTargets, 0), rows, limit)
	kept := make([]bool, jobs.Rows())
	for _, r := range picked {
		kept[r] = true
	}
	out := make([]int32, 0, limit)
	for r, k := range kept {
		if k {
			out = append(out, int32(r))
		}
	}
	return out
}

// TargetsOf describes the persons of some rows of the jobs without error: who
// they work for and when, their level, field and age, their employer's sector.
func TargetsOf(d *linked.Data, rows []int32) []Target {
	employer, year := d.Jobs.Col(linked.Employer).I, d.Jobs.Col(linked.Year).I
	level, field, age := codes(d.Jobs, linked.Level), codes(d.Jobs, linked.Field), codes(d.Jobs, linked.Age)
	sector := SectorOf(d)
	out := make([]Target, len(rows))
	for i, r := range rows {
		e := employer[r]
		out[i] = Target{Employer: e, Year: year[r], Level: level(int(r)), Field: field(int(r)), Age: age(int(r)), Sector: sector[e]}
	}
	return out
}

// WageClasses returns the true wage class of some rows of the jobs in the
// classes of the release, -1 where the wage is missing. It is the truth against
// which claims are scored; no intruder reads it.
func WageClasses(jobs *frame.Frame, rows []int32, wageClass *frame.Dict) []int32 {
	return trueClasses(jobs, linked.Wage, rows, wageClass)
}

// FTEClasses is WageClasses for the FTE.
func FTEClasses(jobs *frame.Frame, rows []int32, fteClass *frame.Dict) []int32 {
	return trueClasses(jobs, linked.FTE, rows, fteClass)
}

func trueClasses(jobs *frame.Frame, name string, rows []int32, dict *frame.Dict) []int32 {
	out := make([]int32, len(rows))
	c, ok := jobs.Lookup(name)
	classes := classesOf(dict, false)
	for i, r := range rows {
		out[i] = -1
		if ok && !c.Missing(int(r)) {
			out[i] = classes.of(c.Value(int(r)))
		}
	}
	return out
}
