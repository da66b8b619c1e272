package study

import (
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/attack"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
	"scramblelab/internal/score"
)

// colleague is the name of the intruder who knows the employer's serial, from
// having worked there or from one recognised cell; neighbour knows as much of
// the employer, and the level and the age of the worker, but not the field.
const (
	colleague = "colleague"
	neighbour = "neighbour"
)

// victims are what attacks on workers share.
type victims struct {
	s        *scrambled
	held     attack.Release
	truth    score.Truth
	serialOf func(employer, year int32) (int32, bool)
	right    func(serial, employer, year int32) bool
	inside   []bool // by employer: drawn
	key      rng.Sim

	rows    []int32 // of the jobs
	targets []attack.Target
	known   score.WorkerTruth
	prior   *attack.Prior
	parts   *score.Breakdown

	original map[int32]map[cellCount]float64 // see originalCells
}

// attackWorkers goes through the employer to the worker: with the serial known,
// with the serial that each adversary found, and by what is known of the staff.
func (s *scrambled) attackWorkers(ctx context.Context, out *measured, held attack.Release, found []fingerprinted, truth score.Truth, key rng.Sim) error {
	names := []string{colleague}
	for _, f := range found {
		names = append(names, f.adversary.Name)
	}
	v := &victims{s: s, held: held, truth: truth, key: key, parts: score.NewBreakdown(s.data), inside: make([]bool, s.data.Employers())}
	v.serialOf, v.right = truth.SerialOf()
	for _, e := range s.sample.Employers {
		v.inside[e] = true
	}
	var steps []func(*measured) error
	if classes, released := held.Tables.Cells.Lookup(publish.WageClass); released {
		if err := v.draw(classes); err != nil {
			return err
		}
		steps = append(steps, func(out *measured) error { return v.cells(out, names, found) }, v.neighbours, v.joiners)
	} else {
		for _, n := range names {
			out.metrics = append(out.metrics, metric.Metric{
				Name: fmt.Sprintf("attack.worker.%s.%s.wage-class", variantOf(n), n), Better: metric.Lower, Unit: "share", Knowledge: metric.KnowsParameters,
				Method: "Wage class of a worker read from the released cell. Lower is safer.", Row: metric.Missing("", "the release has no wages, so there is no wage class to claim"),
			})
		}
	}
	steps = append(steps, v.stacks, func(out *measured) error { v.membership(out, found); return nil }, func(out *measured) error { return v.cvs(ctx, out) })
	parts, err := par.Map(ctx, len(steps), func(i int) (part measured, err error) {
		return part, steps[i](&part)
	})
	for _, part := range parts {
		out.add(part)
	}
	return err
}

func variantOf(adversary string) string {
	if adversary == colleague {
		return score.KnownEmployer
	}
	return score.Chain
}

// listed reports whether a job is in the tables: counted on the day, in a year
// that is attacked, of a drawn employer.
func (v *victims) listed() func(row int) bool {
	employer, year := v.s.data.Jobs.Col(linked.Employer).I, v.s.data.Jobs.Col(linked.Year).I
	left, dated := v.s.data.Jobs.Lookup(linked.Left)
	counted := v.s.plan.Release.CountOn == publish.CountYearEnd && dated
	attacked := v.s.attackedYears()
	return func(i int) bool {
		if !v.inside[employer[i]] || counted && !left.Missing(i) || attacked != nil && !slices.Contains(attacked, year[i]) {
			return false
		}
		_, ok := v.serialOf(employer[i], year[i])
		return ok
	}
}

// draw chooses the workers who are attacked.
func (v *victims) draw(classes frame.Column) error {
	s := v.s
	v.rows = attack.DrawTargets(s.data.Jobs, v.listed(), s.plan.Attack.Targets, v.key)
	var err error
	if v.prior, err = attack.NewPrior(s.data, classes.Dict, v.outside); err != nil {
		return err
	}
	v.targets = attack.TargetsOf(s.data, v.rows)
	v.known = score.WorkerTruth{WageClass: attack.WageClasses(s.data.Jobs, v.rows, classes.Dict), Targets: v.targets, Groups: v.parts.Groups(v.rows, s.staffOf(v.rows))}
	return nil
}

func (v *victims) outside(e int32) bool { return !v.inside[e] }

// cells lets the intruders read cells of employers that they know or found.
func (v *victims) cells(out *measured, names []string, found []fingerprinted) error {
	for i, n := range names {
		lookup := v.serialOf
		if n != colleague {
			claims, err := found[i-1].variants[0].Fingerprints.Assignment()
			if err != nil {
				return err
			}
			lookup = score.SerialFinder(claims)
		}
		claims, err := v.read(out, variantOf(n), n, v.known, func(r attack.Release) ([]attack.WorkerClaim, error) {
			return attack.CellDisclosure(r, metric.KnowsParameters, lookup, v.targets, v.prior)
		})
		if err != nil {
			return err
		}
		if n != colleague {
			out.tables = append(out.tables, score.ChainTable(n, claims, v.known, v.right))
		}
	}
	return nil
}

// read scores claims about wage classes, made by two readings of the method
// where it has two.
func (v *victims) read(out *measured, variant, name string, known score.WorkerTruth, claim func(attack.Release) ([]attack.WorkerClaim, error)) ([]attack.WorkerClaim, error) {
	var claims, byFace []attack.WorkerClaim
	ms, err := better(func(plain bool) ([]metric.Metric, error) {
		r, into := v.held, &claims
		if plain {
			method, noisy := v.held.Method.AsItStands()
			if !noisy {
				return nil, nil
			}
			r.Method, into = method, &byFace
		}
		var err error
		if *into, err = claim(r); err != nil {
			return nil, err
		}
		return score.Workers(variant, name, metric.KnowsParameters, *into, known, v.s.data.Jobs.Rows(), v.right)
	}, fmt.Sprintf("attack.worker.%s.%s.wage-class", variant, name), func() { claims = byFace })
	out.metrics = append(out.metrics, ms...)
	return claims, err
}

// staffOf returns the head count of each row's employer in its year.
func (s *scrambled) staffOf(rows []int32) []int32 {
	employer, year := s.data.Jobs.Col(linked.Employer).I, s.data.Jobs.Col(linked.Year).I
	out := make([]int32, len(rows))
	for i, r := range rows {
		lo, hi := r, r+1
		for lo > 0 && employer[lo-1] == employer[r] && year[lo-1] == year[r] {
			lo--
		}
		for int(hi) < len(employer) && employer[hi] == employer[r] && year[hi] == year[r] {
			hi++
		}
		out[i] = hi - lo
	}
	return out
}

// membership asks every adversary which employers are in the fragment.
func (v *victims) membership(out *measured, found []fingerprinted) {
	for _, f := range found {
		prints := f.variants[0].Fingerprints
		var in, rest []float64
		for e, p := range prints.Membership(v.s.data.Employers()) {
			if v.inside[e] {
				in = append(in, p)
			} else {
				rest = append(rest, p)
			}
		}
		out.metrics = append(out.metrics, score.Membership("fingerprint", f.adversary.Name, prints.Knowledge,
			"Is an employer in the fragment? Asked of every employer of the selection: the posterior of the serial that most looks like it.", in, rest, prints.M)...)
	}
}
