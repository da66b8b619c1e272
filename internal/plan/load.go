package plan

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"time"

	"scramblelab/plans"
)

// Default returns the built-in plan, the shipped plans/ksz-default.yaml.
func Default() Plan {
	b, err := plans.Read("ksz-default")
	if err != nil {
		panic(err)
	}
	var p Plan
	d, bad := parse(b)
	if bad != nil {
		panic(bad.Message)
	}
	d.decode(d.root, "", reflect.ValueOf(&p).Elem())
	p.normalise()
	if len(d.bad) > 0 {
		panic((&Error{Name: "ksz-default.yaml", Problems: d.bad}).Error())
	}
	return p
}

// Load reads a plan file; see [Parse].
func Load(path string) (Plan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	return Parse(path, b)
}

// Parse reads a plan; name stands before the positions in errors. What the plan
// does not say is taken from [Default], and for a user's own files from [For].
// The error is an [*Error] that holds everything that is wrong.
func Parse(name string, b []byte) (Plan, error) {
	d, bad := parse(b)
	if bad != nil {
		return Plan{}, &Error{Name: name, Problems: []Problem{*bad}}
	}
	if d.root == nil {
		return Plan{}, &Error{Name: name, Problems: []Problem{{Line: 1, Column: 1,
			Message: "the plan is empty: give at least data, or run without a plan for the built-in one"}}}
	}
	// The defaults depend on what the data hold, so these are read first.
	base := Default()
	d.decode(d.root, "", reflect.ValueOf(&base).Elem())
	source := d.source(base.Data)
	if source.Jobs != "" && len(base.Schema) > 0 {
		base = For(source, base.Schema)
	} else {
		base = Default()
		base.Data = source
	}
	p := base
	d.bad, d.at = nil, map[string]position{}
	d.decode(d.root, "", reflect.ValueOf(&p).Elem())
	p.Data = d.source(p.Data)
	d.settle("release.classes.wage", &p.Release.Classes.Wage)
	d.settle("release.classes.fte", &p.Release.Classes.FTE)
	d.settle("release.classes.age", &p.Release.Classes.Age)
	p.normalise()
	if len(d.bad) == 0 {
		c := checker{plan: p, at: d.at}
		c.check()
		d.bad = c.bad
	}
	if len(d.bad) > 0 {
		slices.SortStableFunc(d.bad, func(a, b Problem) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		})
		return Plan{}, &Error{Name: name, Problems: d.bad}
	}
	return p, nil
}

// source drops the default source of data where the plan names another.
func (d *document) source(data Data) Data {
	_, generate := d.at["data.generate"]
	if !generate && (data.Jobs != "" || data.Population != "") {
		data.Generate = nil
	}
	return data
}

// settle drops the default form of a class where the plan uses the other one.
func (d *document) settle(path string, c *Class) {
	_, bounds := d.at[path+".bounds"]
	equal := false
	for _, key := range []string{"width", "from", "top"} {
		_, given := d.at[path+"."+key]
		equal = equal || given
	}
	switch {
	case bounds && !equal:
		c.Width, c.From, c.Top = 0, 0, 0
	case equal && !bounds:
		c.Bounds = nil
	}
}

// Validate checks a plan that was made or changed by a program. The error is an
// [*Error] with paths in place of positions.
func (p Plan) Validate() error {
	p.normalise()
	c := checker{plan: p}
	c.check()
	if len(c.bad) > 0 {
		return &Error{Name: "plan", Problems: c.bad}
	}
	return nil
}

// normalise writes out the defaults of steps and roles.
func (p *Plan) normalise() {
	p.Scramble.Steps = slices.Clone(p.Scramble.Steps)
	for i := range p.Scramble.Steps {
		s := &p.Scramble.Steps[i]
		if s.Method != RandomSwap {
			continue
		}
		if s.Unit == "" {
			s.Unit = p.unit()
		}
		if s.Joint == nil {
			joint := true
			s.Joint = &joint
		}
		if s.Scope == "" {
			s.Scope = "any"
		}
	}
	if p.Schema == nil {
		return
	}
	schema := make(map[string]Role, len(p.Schema))
	for name, r := range p.Schema {
		if r.Unit == "" {
			r.Unit = defaultUnit[r.As]
		}
		schema[name] = r
	}
	p.Schema = schema
}

var defaultUnit = map[string]string{"fte": "fraction", "wage": "euro"}

// unit returns what a swap moves where the plan does not say: a person's year,
// and the row where persons are not told apart.
func (p Plan) unit() string {
	if p.Data.Jobs != "" && !p.has("worker") {
		return "row"
	}
	return "person-year"
}

var datePattern = regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)

// DestroyBy returns the last date that destroy_when names, the day at whose end
// the data must be gone, and whether there is one.
func (p Plan) DestroyBy() (time.Time, bool) {
	dates := datePattern.FindAllString(p.Project.DestroyWhen, -1)
	if len(dates) == 0 {
		return time.Time{}, false
	}
	t, err := time.Parse(time.DateOnly, dates[len(dates)-1])
	return t, err == nil
}
