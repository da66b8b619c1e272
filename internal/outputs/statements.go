package outputs

import (
	"fmt"
	"slices"
	"strings"
)

// Statement is something that the rules file says, that this run relied on and
// that nothing proves.
type Statement struct {
	What   string `json:"what"`
	Key    string `json:"key" jsonschema:"where the rules file says so"`
	Who    string `json:"who" jsonschema:"who answers for it: the supervisor of the rules file"`
	Reason string `json:"reason"`
}

// Nobody and no reason, in words.
const (
	nobody   = "nobody named"
	noReason = "no reason given"
)

// state lists what the rules file says and this run took at its word.
func (c *check) state() {
	r := c.rules
	add := func(key, because, format string, args ...any) {
		c.report.Statements = append(c.report.Statements, Statement{fmt.Sprintf(format, args...), key, or(r.Supervisor, nobody), or(because, noReason)})
	}
	if r.Accept == "exactly-safe" {
		add("accept", r.Because, "exactly safe is enough: %d suppressed rows whose interval could not be bounded do not hold the release back", c.accepted)
	}
	if c.micro == nil {
		add("microdata", "", "no microdata: counts, employers and largest contributions of the tables are as the files say")
	}
	for i, d := range r.Dimensions {
		if len(d.Not) > 0 {
			add(fmt.Sprintf("dimensions[%d].not", i), d.Because, "%s is not %s, though it looks like it: the two are not subtracted", d.Name, strings.Join(d.Not, ", "))
		}
		if len(d.Was) > 0 {
			add(fmt.Sprintf("dimensions[%d].was", i), d.Because, "%s is what was called %s", d.Name, strings.Join(d.Was, ", "))
		}
	}
	for i, p := range r.Populations {
		if len(p.Apart) > 0 {
			add(fmt.Sprintf("populations[%d].apart-from", i), p.Because, "nobody of %q is of %s: their results are not subtracted", p.Name, strings.Join(p.Apart, ", "))
		}
		if p.Within != "" {
			add(fmt.Sprintf("populations[%d].within", i), p.Because, "everybody of %q is of %q, and is classified alike in both", p.Name, p.Within)
		}
	}
	for i, t := range r.Tables {
		if t.Tolerance > 0 {
			add(fmt.Sprintf("tables[%d].tolerance", i), t.Because, "%s: sums may be off by %v a cell", t.File, t.Tolerance)
		}
	}
	for i, e := range r.Estimates {
		if len(e.Variables) > 0 {
			add(fmt.Sprintf("estimates[%d].variables", i), e.Because, "%s: %s are numbers of more than two values, no categories", e.File, strings.Join(e.Variables, ", "))
		}
		if e.Design == "other" {
			add(fmt.Sprintf("estimates[%d].design", i), e.Because, "%s: some regressor is no dummy, and the outcome no category", e.File)
		}
		if e.Reviewed != "" {
			add(fmt.Sprintf("estimates[%d].reviewed", i), e.Reviewed, "%s: rows that could not be judged leave all the same%s", e.File, c.passed(i))
		}
	}
	unnamed, silent := 0, 0
	for _, s := range c.report.Statements {
		if s.Key == "microdata" {
			continue
		}
		if s.Who == nobody {
			unnamed++
		}
		if s.Reason == noReason {
			silent++
		}
	}
	if unnamed > 0 {
		c.report.warn("%d statements of the rules file are taken at their word and nobody answers for them: name the supervisor in the rules", unnamed)
	}
	if silent > 0 {
		c.report.warn("%d statements of the rules file have no reason: say because beside them", silent)
	}
}

// passed lists the rows of a file that left because of a supervisor's word.
func (c *check) passed(i int) string {
	e := c.others[i]
	if len(e.passed) == 0 {
		return ": none did"
	}
	var names []string
	for _, row := range e.passed[:min(len(e.passed), 20)] {
		names = append(names, fmt.Sprintf("row %d (%s)", row+1, e.label(row)))
	}
	if len(e.passed) > 20 {
		names = append(names, fmt.Sprintf("and %d more", len(e.passed)-20))
	}
	return ": " + strings.Join(names, ", ")
}

// checkStated names statements about populations that the microdata contradict,
// where today's tables say by where whom they are about.
func (c *check) checkStated() {
	rows := map[string][]bool{}
	for _, t := range c.tables {
		if _, ok := rows[t.spec.Population]; !ok && (len(t.spec.Where) > 0 || t.spec.Population == c.rules.Population) {
			if rows[t.spec.Population] = c.keepOf(t); rows[t.spec.Population] == nil {
				rows[t.spec.Population] = slices.Repeat([]bool{true}, len(c.micro.contributor))
			}
		}
	}
	for _, p := range c.rules.Populations {
		own := rows[p.Name]
		for _, a := range p.Apart {
			both := 0
			for i, x := range rows[a] {
				if own != nil && x && own[i] {
					both++
				}
			}
			if both > 0 {
				c.fault("populations %q and %q are said to be apart, and %d rows of %s are of both", p.Name, a, both, c.rules.Microdata.File)
			}
		}
		if wide := rows[p.Within]; own != nil && wide != nil {
			outside := 0
			for i, x := range own {
				if x && !wide[i] {
					outside++
				}
			}
			if outside > 0 {
				c.fault("population %q is said to be within %q, and %d of its rows of %s are not", p.Name, p.Within, outside, c.rules.Microdata.File)
			}
		}
	}
}
