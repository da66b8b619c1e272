package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"scramblelab/internal/strictyaml"
	"scramblelab/plans"
)

// Default returns the built-in plan, the shipped plans/ksz-default.yaml.
func Default() Plan {
	b, err := plans.Read("ksz-default")
	if err != nil {
		panic(err)
	}
	var p Plan
	d, err := strictyaml.Parse("ksz-default.yaml", "plan", b)
	if err != nil {
		panic(err)
	}
	d.Decode(&p)
	if err := d.Err("ksz-default.yaml"); err != nil {
		panic(err)
	}
	p.normalise()
	return p
}

// Load reads a plan file, or the shipped plan of that name, such as
// employer-safe; see [Parse]. A file goes before a shipped plan.
func Load(path string) (Plan, error) {
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(path, `./\`):
		if b, err = plans.Read(path); err != nil {
			return Plan{}, fmt.Errorf("plan: no file %q, and %w", path, err)
		}
		path += ".yaml"
	default:
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	return Parse(path, b)
}

// Parse reads a plan; name stands before the positions in errors. What the plan
// does not say is taken from [Default], and for a user's own files from [For].
// The error is an [*strictyaml.Error] that holds everything that is wrong.
func Parse(name string, b []byte) (Plan, error) {
	d, err := strictyaml.Parse(name, "plan", b)
	if err != nil {
		return Plan{}, err
	}
	if d.Empty() {
		return Plan{}, &strictyaml.Error{Name: name, Problems: []strictyaml.Problem{{Line: 1, Column: 1,
			Message: "the plan is empty: give at least data, or run without a plan for the built-in one"}}}
	}
	// The defaults depend on what the data hold, so these are read first.
	base := Default()
	d.Decode(&base)
	source := sourceOf(d, base.Data)
	if source.Jobs != "" && len(base.Schema) > 0 {
		base = For(source, base.Schema)
	} else {
		base = Default()
		base.Data = source
	}
	p := base
	d.Decode(&p)
	p.Data = sourceOf(d, p.Data)
	settle(d, "release.classes.wage", &p.Release.Classes.Wage)
	settle(d, "release.classes.fte", &p.Release.Classes.FTE)
	settle(d, "release.classes.age", &p.Release.Classes.Age)
	p.normalise()
	if err := d.Err(name); err != nil {
		return Plan{}, err
	}
	c := checker{plan: p, at: d.At}
	c.check()
	d.Bad = c.bad
	if d.Err(name) != nil || len(c.last) > 0 { // Err puts them in the order of the file
		return Plan{}, &strictyaml.Error{Name: name, Problems: append(d.Bad, c.last...)}
	}
	return p, nil
}

// sourceOf drops the default source of data where the plan names another.
func sourceOf(d *strictyaml.Document, data Data) Data {
	_, generate := d.At["data.generate"]
	if !generate && (data.Jobs != "" || data.Population != "") {
		data.Generate = nil
	}
	return data
}

// settle drops the default form of a class where the plan uses the other one.
func settle(d *strictyaml.Document, path string, c *Class) {
	_, bounds := d.At[path+".bounds"]
	_, quantiles := d.At[path+".quantiles"]
	equal := false
	for _, key := range []string{"width", "from", "top"} {
		_, given := d.At[path+"."+key]
		equal = equal || given
	}
	switch {
	case quantiles && !equal && !bounds:
		c.Width, c.From, c.Top, c.Bounds = 0, 0, 0, nil
	case bounds && !equal:
		c.Width, c.From, c.Top = 0, 0, 0
	case equal && !bounds:
		c.Bounds = nil
	}
}

// Validate checks a plan that was made or changed by a program. The error is an
// [*strictyaml.Error] with paths in place of positions.
func (p Plan) Validate() error {
	p.normalise()
	c := checker{plan: p}
	c.check()
	if len(c.bad) > 0 {
		return &strictyaml.Error{Name: "plan", Problems: c.bad}
	}
	return nil
}

// normalise writes out the defaults of steps and roles.
func (p *Plan) normalise() {
	p.Scramble.Steps = slices.Clone(p.Scramble.Steps)
	for i := range p.Scramble.Steps {
		s := &p.Scramble.Steps[i]
		s.fillValues()
		if !s.Permutes() {
			continue
		}
		if s.Unit == "" {
			s.Unit = p.unit()
		}
		if s.Joint == nil && slices.Contains(methodKeys[s.Method], "joint") {
			joint := true
			s.Joint = &joint
		}
		if s.Scope == "" {
			s.Scope = "any"
		}
		if s.Missing == "exchange" {
			s.Missing = ""
		}
		if s.Law == "" && s.Method == RankSwap {
			s.Law = "uniform"
		}
		if s.Priority == "" && s.Method == TargetedSwap {
			s.Priority = "k"
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

// fillValues writes out the defaults of steps that are no permutations.
func (s *Step) fillValues() {
	switch {
	case s.Method == TopCode && s.Replace == "":
		s.Replace = replace[0]
	case s.Method == Noise && s.Kind == "":
		s.Kind = kinds[0]
	case s.Method == PRAM && s.Alpha == 0:
		s.Alpha = 1
	case s.Method == Recode && s.Depth == 0:
		s.Depth = 1
	case s.Method == RoundCounts && s.Rounding == "":
		s.Rounding = roundings[0]
	}
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
