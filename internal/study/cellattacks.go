package study

import (
	"math"

	"scramblelab/internal/attack"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
	"scramblelab/internal/score"
)

// coworkersKnown is how many others of the cell a colleague knows the wages of.
const coworkersKnown = 2

// neighbours reads the cells of a level by somebody who does not know the
// field, and those of a diploma by a colleague who knows what some others earn.
func (v *victims) neighbours(out *measured) error {
	classes := v.held.Tables.Cells.Col(publish.WageClass)
	prior, err := attack.NewAgePrior(v.s.data, classes.Dict, v.outside)
	if err != nil {
		return err
	}
	ages := agesOf(v.s.data.Jobs, v.rows)
	if _, err := v.read(out, score.KnownEmployer, neighbour, v.known, func(r attack.Release) ([]attack.WorkerClaim, error) {
		return attack.LevelDisclosure(r, metric.KnowsParameters, v.serialOf, v.targets, ages, prior)
	}); err != nil {
		return err
	}
	known := attack.Coworkers(v.s.data, v.rows, coworkersKnown, v.key)
	_, err = v.read(out, score.KnownCoworkers, colleague, v.known, func(r attack.Release) ([]attack.WorkerClaim, error) {
		return attack.CoworkerDisclosure(r, metric.KnowsParameters, v.serialOf, v.targets, known, v.prior)
	})
	return err
}

func agesOf(jobs *frame.Frame, rows []int32) []float64 {
	out := make([]float64, len(rows))
	c, ok := jobs.Lookup(linked.Age)
	for i, r := range rows {
		out[i] = math.NaN()
		if ok && !c.Missing(int(r)) {
			out[i] = c.Value(int(r))
		}
	}
	return out
}

// joiners subtracts one year from the next.
func (v *victims) joiners(out *measured) error {
	claims, err := attack.YearDifference(v.held)
	if err != nil {
		return err
	}
	jobs := v.s.data.Jobs
	year, level, field := jobs.Col(linked.Year).I, jobs.Col(linked.Level).I, codes(jobs, linked.Field)
	listed, wage := v.listed(), jobs.Col(linked.Wage)
	worker, named := jobs.Lookup(linked.Worker)
	sector := attack.SectorOf(v.s.data)
	runs := v.employerRows()
	cases := make([]score.JoinerCase, 0, len(claims))
	for _, c := range claims {
		members := v.truth[score.Key{Serial: c.Serial}]
		if len(members) != 1 || !named {
			continue // the cells of several employers have no one newcomer
		}
		e := members[0]
		j := score.JoinerCase{Claim: c, Employer: e, Wage: math.NaN()}
		before, joined := map[int64]bool{}, []int{}
		for i := runs[e][0]; i < runs[e][1]; i++ {
			switch {
			case year[i] != c.Year-1 && year[i] != c.Year || !listed(int(i)):
			case year[i] == c.Year-1:
				before[id(worker, int(i))] = true
			case year[i] == c.Year && level[i] == c.Level && field(int(i)) == c.Field && !before[id(worker, int(i))]:
				joined = append(joined, int(i))
			}
		}
		if len(joined) == 1 && !wage.Missing(joined[0]) {
			j.Joined, j.Wage = true, wage.Value(joined[0])
			j.Guess = v.prior.MedianWage(c.Level, c.Field, sector[e])
			rows := []int32{int32(joined[0])}
			j.Groups = v.parts.Groups(rows, v.s.staffOf(rows))[0]
		}
		cases = append(cases, j)
	}
	out.metrics = append(out.metrics, score.Joiners(colleague, metric.KnowsParameters, cases, jobs.Rows()))
	return nil
}

func codes(f *frame.Frame, name string) func(i int) int32 {
	c, ok := f.Lookup(name)
	if !ok {
		return func(int) int32 { return -1 }
	}
	return func(i int) int32 { return c.I[i] }
}

func id(c frame.Column, i int) int64 {
	if c.L != nil {
		return c.L[i]
	}
	return int64(c.I[i])
}

// employerRows are the rows of the jobs of each employer, [from, to).
func (v *victims) employerRows() [][2]int32 {
	out := make([][2]int32, v.s.data.Employers())
	employer := v.s.data.Jobs.Col(linked.Employer).I
	for i, e := range employer {
		if e >= 0 {
			if i == 0 || employer[i-1] != e {
				out[e][0] = int32(i)
			}
			out[e][1] = int32(i) + 1
		}
	}
	return out
}
