package plan

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"scramblelab/internal/strictyaml"
)

// Tune is a space of plans around this one, for scramble tune.
type Tune struct {
	// Space says what varies, one place in the plan a line; see [Vary].
	Space  []Vary `yaml:"space"`
	Points int    `yaml:"points"` // plans that the search starts with
	Seeds  int    `yaml:"seeds"`  // keys on which those that are left are measured
}

// Vary is one place in a plan and what may stand there. The path is that of the
// plan with dots and numbers from 0, and may leave out "scramble.": steps.0.rate,
// release.classes.wage.width; steps.1 alone switches a step on and off. The
// values are a list (same: [[year], [year, group]], steps.1: [on, off]) or an
// interval: {from: 0.02, to: 0.6, scale: log}, or for short [0.02 .. 0.6 log].
type Vary struct {
	Path   string         `yaml:",key"`
	Values strictyaml.Raw `yaml:",value"`
}

// Range is what a [Vary] says: an interval of numbers, or choices as they are
// written in YAML.
type Range struct {
	From    float64 `yaml:"from"`
	To      float64 `yaml:"to"`
	Scale   string  `yaml:"scale"` // linear (default) or log
	Choices []string
}

var interval = regexp.MustCompile(`^\[\s*"?\s*([-+.0-9eE]+)\s*\.\.\s*([-+.0-9eE]+)(\s+log)?\s*"?\s*\]$`)

// Range reads the values. The errors say what to write instead.
func (v Vary) Range() (Range, error) {
	text := string(v.Values)
	if m := interval.FindStringSubmatch(text); m != nil {
		from, err1 := strconv.ParseFloat(m[1], 64)
		to, err2 := strconv.ParseFloat(m[2], 64)
		if err1 != nil || err2 != nil {
			return Range{}, fmt.Errorf("%s is no interval, write [0.02 .. 0.6] or [0.02 .. 0.6 log]", text)
		}
		return Range{From: from, To: to, Scale: strings.TrimSpace(m[3])}.checked()
	}
	if strings.HasPrefix(text, "{") {
		d, err := strictyaml.Parse(v.Path, "range", []byte(text))
		if err != nil {
			return Range{}, err
		}
		var r struct {
			From  float64 `yaml:"from"`
			To    float64 `yaml:"to"`
			Scale string  `yaml:"scale"`
		}
		d.Decode(&r)
		if len(d.Bad) > 0 {
			return Range{}, fmt.Errorf("%s: %s; write {from: 0.02, to: 0.6, scale: log}", v.Path, d.Bad[0].Message)
		}
		return Range{From: r.From, To: r.To, Scale: r.Scale}.checked()
	}
	d, err := strictyaml.Parse(v.Path, "list", []byte("values: "+text))
	if err != nil {
		return Range{}, err
	}
	var list struct {
		Values []strictyaml.Raw `yaml:"values"`
	}
	if d.Decode(&list); len(d.Bad) > 0 || len(list.Values) == 0 {
		return Range{}, fmt.Errorf("%s is %s, want a list of values, or an interval such as {from: 0.02, to: 0.6, scale: log}", v.Path, text)
	}
	r := Range{}
	for _, x := range list.Values {
		if slices.Contains(r.Choices, string(x)) {
			return Range{}, fmt.Errorf("%s has the value %s twice: remove one", v.Path, x)
		}
		r.Choices = append(r.Choices, string(x))
	}
	return r, nil
}

func (r Range) checked() (Range, error) {
	switch {
	case r.Scale != "" && r.Scale != "log" && r.Scale != "linear":
		return r, fmt.Errorf("scale is %q, want log or linear", r.Scale)
	case !(r.From < r.To):
		return r, fmt.Errorf("from %v to %v is no interval: from must be below to", r.From, r.To)
	case r.Scale == "log" && r.From <= 0:
		return r, fmt.Errorf("a logarithmic scale from %v: it must start above 0", r.From)
	}
	return r, nil
}

// Setting puts a value, as it is written in YAML, at a path of a plan.
type Setting struct{ Path, Value string }

// With returns the plan with other values at some places, and without its space.
// The error is that of [Parse] where the result is no plan that can be run.
func (p Plan) With(settings []Setting) (Plan, error) {
	p.Tune = nil
	var tree any
	if err := yaml.Unmarshal(p.YAML(), &tree); err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	off := map[int]bool{}
	for _, s := range settings {
		keys := split(s.Path)
		if k, ok := stepAlone(keys); ok {
			on, err := switched(s.Value)
			if err != nil || k >= len(p.Scramble.Steps) {
				return Plan{}, fmt.Errorf("%s: %s is no step that can be switched to %s: write on or off", s.Path, s.Path, s.Value)
			}
			off[k] = !on
			continue
		}
		var value any
		if err := yaml.Unmarshal([]byte(s.Value), &value); err != nil {
			return Plan{}, fmt.Errorf("%s: %w", s.Path, err)
		}
		if err := put(tree, keys, value); err != nil {
			return Plan{}, fmt.Errorf("%s: %w", s.Path, err)
		}
	}
	if len(off) > 0 {
		scramble := tree.(map[string]any)["scramble"].(map[string]any)
		kept := []any{}
		for i, step := range scramble["steps"].([]any) {
			if !off[i] {
				kept = append(kept, step)
			}
		}
		scramble["steps"] = kept
	}
	text, err := yaml.MarshalWithOptions(tree, yaml.Flow(false))
	if err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	return Parse("the plan with these settings", text)
}

// split takes a path apart and writes it out.
func split(path string) []string {
	path = strings.NewReplacer("[", ".", "]", "").Replace(path)
	keys := strings.Split(path, ".")
	if keys[0] == "steps" || keys[0] == "donors" || keys[0] == "keep" {
		keys = append([]string{"scramble"}, keys...)
	}
	return keys
}

// stepAlone returns the number of the step that a path names as a whole.
func stepAlone(keys []string) (int, bool) {
	if len(keys) != 3 || keys[0] != "scramble" || keys[1] != "steps" {
		return 0, false
	}
	k, err := strconv.Atoi(keys[2])
	return k, err == nil && k >= 0
}

func switched(value string) (bool, error) {
	switch value {
	case "on", "true":
		return true, nil
	case "off", "false":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither on nor off", value)
}

// put writes a value into a tree of maps and lists; a key of a map may be new,
// what leads to it may not.
func put(tree any, keys []string, value any) error {
	for i, k := range keys {
		last := i == len(keys)-1
		switch t := tree.(type) {
		case map[string]any:
			if last {
				t[k] = value
				return nil
			}
			next, ok := t[k]
			if !ok {
				return fmt.Errorf("the plan has no %s", strings.Join(keys[:i+1], "."))
			}
			tree = next
		case []any:
			n, err := strconv.Atoi(k)
			if err != nil || n < 0 || n >= len(t) {
				return fmt.Errorf("%s has %d entries, numbered from 0: there is no %s", strings.Join(keys[:i], "."), len(t), k)
			}
			if last {
				t[n] = value
				return nil
			}
			tree = t[n]
		default:
			return fmt.Errorf("%s holds a single value, nothing stands below it", strings.Join(keys[:i], "."))
		}
	}
	return nil
}

// tune checks a space: every value, by itself, must make a plan.
func (c *checker) tune() {
	t := c.plan.Tune
	if t == nil {
		return
	}
	if t.Points < 1 {
		c.fail("tune.points", "points is %d, want at least 1", t.Points)
	}
	if t.Seeds < 2 {
		c.fail("tune.seeds", "seeds is %d, want at least 2: one key says nothing of the next", t.Seeds)
	}
	if len(t.Space) == 0 {
		c.fail("tune.space", "space is empty: say what may vary, such as steps.0.rate: {from: 0.02, to: 0.6, scale: log}")
	}
	for _, v := range t.Space {
		path := strictyaml.Element("tune.space", v.Path)
		r, err := v.Range()
		if err != nil {
			c.fail(path, "%v", err)
			continue
		}
		values := r.Choices
		if values == nil {
			values = []string{strconv.FormatFloat(r.From, 'f', -1, 64), strconv.FormatFloat(r.To, 'f', -1, 64)}
		}
		for _, x := range values {
			// A value may need another one beside it, such as a promise to be given
			// up; what can be no plan at all is a path or a type that is wrong.
			if err := c.plan.settable(Setting{v.Path, x}); err != nil {
				c.fail(path, "%v", err)
				break
			}
		}
	}
}

// settable says whether a value can stand at a path, whatever else may then be
// missing: what is wrong elsewhere, another setting may put right.
func (p Plan) settable(s Setting) error {
	_, err := p.With([]Setting{s})
	var bad *strictyaml.Error
	if err == nil || !errors.As(err, &bad) {
		return err
	}
	keys := split(s.Path)
	at := ""
	for _, k := range keys {
		if _, err := strconv.Atoi(k); err == nil {
			at += "[" + k + "]"
		} else {
			at = strictyaml.Join(at, k)
		}
	}
	for _, b := range bad.Problems {
		below := strings.HasPrefix(b.Path+".", at+".") || strings.HasPrefix(b.Path, at+"[")
		if below || strings.Contains(b.Message, fmt.Sprintf("unknown key %q", keys[len(keys)-1])) {
			return fmt.Errorf("%s = %s: %s", s.Path, s.Value, b.Message)
		}
	}
	return nil
}
