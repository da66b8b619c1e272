// Package source turns what a plan says about the data into data: it reads the
// user's own files under the roles of their schema, checks what the roles
// promise, and infers a first plan from files it has never seen.
//
// It refuses what cannot be repaired honestly: an employer without a name, two
// rows with one key, a firm column that differs within a firm.
package source

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/tabio"
)

// Files reads the user's own file of jobs, p.Data.Jobs, under p.Schema. Firm
// attributes stand in both tables, so that a scramble finds them beside the
// workers. Permuting the rows of the file leaves the result unchanged.
//
// Errors name the file and the line.
func Files(ctx context.Context, p plan.Plan) (*linked.Data, error) {
	if p.Data.Jobs == "" {
		return nil, fmt.Errorf("source: the plan has no data.jobs: name a .csv, .csv.gz or .parquet file")
	}
	raw, err := tabio.Read(ctx, p.Data.Jobs, schemaOf(p))
	if err != nil {
		return nil, err
	}
	if raw.Rows() == 0 {
		return nil, fmt.Errorf("source: %s has a header and no rows", p.Data.Jobs)
	}
	r := reader{path: p.Data.Jobs, plan: p, raw: raw}
	jobs, err := r.jobs()
	if err != nil {
		return nil, err
	}
	if err := r.uniqueKeys(jobs); err != nil {
		return nil, err
	}
	if err := r.constantFirms(jobs); err != nil {
		return nil, err
	}
	d := &linked.Data{
		Jobs:          linked.Canonical(jobs),
		Periods:       r.column(linked.Year) != "",
		SampledWithin: p.Data.SampledWithin,
	}
	d.Firms = firms(d)
	d.Notes = r.notesOn(d)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return d, d.Validate()
}

// columns are the columns of jobs in the order in which they are kept.
var columns = slices.Concat(
	[]string{linked.Employer, linked.Year, linked.Worker},
	linked.Attributes,
	[]string{linked.Weight},
	linked.FirmAttributes,
)

// schemaOf says how the columns that the plan names are stored in the file.
func schemaOf(p plan.Plan) tabio.Schema {
	var s tabio.Schema
	for _, name := range slices.Sorted(maps.Keys(p.Schema)) {
		role := p.Schema[name]
		c := tabio.ColumnSpec{Name: name, Required: true, Missing: append([]string{"NA"}, role.Missing...)}
		switch role.Role {
		case "period":
			c.Kind = frame.Int
		case "weight":
			c.Kind = frame.Float
		case "number":
			c.Kind = frame.Float
			if role.As == linked.EventYear || role.As == linked.Age {
				c.Kind = frame.Int
			}
		case "ordinal":
			c.Kind = frame.Ordinal
		default:
			c.Kind, c.Required = frame.Category, role.Role != "ignore"
		}
		if len(role.Order) > 0 {
			c.Dict = frame.MustDict(role.Order...) // distinct: the plan was validated
		}
		s.Columns = append(s.Columns, c)
	}
	return s
}

type reader struct {
	path  string
	plan  plan.Plan
	raw   *frame.Frame
	notes []string
}

// column returns the user's name of a column of package linked, for messages.
func (r *reader) column(name string) string {
	c, _ := r.plan.Place(name)
	return c
}

func (r *reader) role(name string) plan.Role { return r.plan.Schema[r.column(name)] }

// jobs converts the mapped columns, in the order of the file's rows.
func (r *reader) jobs() (*frame.Frame, error) {
	var cols []frame.Column
	for _, name := range columns {
		if r.column(name) == "" {
			if name == linked.Year {
				cols = append(cols, frame.Ints(name, make([]int32, r.raw.Rows())))
			}
			continue
		}
		c := r.raw.Col(r.column(name)).Renamed(name)
		var err error
		switch name {
		case linked.Employer, linked.Worker:
			if err = r.complete(c); err == nil {
				c = identifiers(c)
			}
		case linked.Year:
			err = r.complete(c)
		case linked.Age:
			c, err = r.age(c)
		case linked.Wage:
			c, err = r.wage(c)
		case linked.FTE:
			c, err = r.fte(c)
		case linked.Weight:
			err = r.weight(c)
		case linked.Group:
			c = groups(c)
		}
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
	return frame.New(cols...)
}

// fail makes an error about a row of the file.
func (r *reader) fail(row int, name, format string, args ...any) error {
	return fmt.Errorf("%s: %s, column %q: %s", r.path, r.where(row), r.column(name), fmt.Sprintf(format, args...))
}

// complete refuses rows without a value.
func (r *reader) complete(c frame.Column) error {
	for i := range c.Len() {
		if c.Missing(i) {
			return r.fail(i, c.Name, "the %s is missing: every row needs one; drop the row, or map another column", c.Name)
		}
	}
	return nil
}

// uniqueKeys refuses two rows of one worker at one employer in one year.
func (r *reader) uniqueKeys(jobs *frame.Frame) error {
	if !jobs.Has(linked.Worker) {
		return nil
	}
	key := []string{linked.Employer, linked.Year, linked.Worker}
	order := jobs.Order(key...)
	first, second := -1, -1 // the duplicate that comes first in the file
	for k := 1; k < len(order); k++ {
		a, b := int(order[k-1]), int(order[k])
		if same(jobs, key, a, b) && (second < 0 || b < second) {
			first, second = a, b
		}
	}
	if second < 0 {
		return nil
	}
	employer, worker := jobs.Col(linked.Employer), jobs.Col(linked.Worker)
	of := ""
	if r.column(linked.Year) != "" {
		of = fmt.Sprintf(" in %d", jobs.Col(linked.Year).I[second])
	}
	return fmt.Errorf("%s: %s and %s: worker %q stands twice at employer %q%s: keep one row for each worker, employer and year, with wage and FTE added up",
		r.path, r.where(first), r.where(second), worker.Dict.Label(worker.I[second]), employer.Dict.Label(employer.I[second]), of)
}

func same(f *frame.Frame, columns []string, a, b int) bool {
	for _, name := range columns {
		if f.Col(name).Compare(a, b) != 0 {
			return false
		}
	}
	return true
}

// constantFirms refuses firm columns that differ within an employer; the size
// class may change from year to year.
func (r *reader) constantFirms(jobs *frame.Frame) error {
	for _, name := range linked.FirmAttributes {
		c, ok := jobs.Lookup(name)
		if !ok {
			continue
		}
		within := []string{linked.Employer}
		if name == linked.Size {
			within = append(within, linked.Year)
		}
		order := jobs.Order(within...)
		for k := 1; k < len(order); k++ {
			a, b := int(order[k-1]), int(order[k])
			if same(jobs, within, a, b) && c.Compare(a, b) != 0 {
				employer := jobs.Col(linked.Employer)
				return fmt.Errorf("%s: %s and %s, column %q: employer %q has %s and %s, and %s must be the same for all its workers: correct the data, or write role: ignore",
					r.path, r.where(a), r.where(b), r.column(name), employer.Dict.Label(employer.I[a]), shown(c, a), shown(c, b), name)
			}
		}
	}
	return nil
}

func shown(c frame.Column, i int) string {
	switch {
	case c.Missing(i):
		return "no value"
	case c.Coded():
		return fmt.Sprintf("%q", c.Dict.Label(c.I[i]))
	}
	return fmt.Sprint(c.Value(i))
}
