package realism

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"scramblelab/internal/metric"
)

const nameWidth = 46 // letters of a target's name on the terminal

// Text writes the scorecard for a terminal, at most 100 columns wide: every
// target by section, and the misses at the end, those that fail first.
func Text(w io.Writer, c *Scorecard) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-*s %-9s %13s %9s %8s  %s\n", nameWidth+2, "target", "source", "wanted", "realised", "within", "verdict")
	for _, s := range c.Sections {
		fmt.Fprintf(&b, "\n%s\n", s.Title)
		for _, r := range s.Lines {
			fmt.Fprintf(&b, "  %-*s %-9s %13s %9s %8s  %s\n", nameWidth, clip(r.Name, nameWidth), reference(r), r.Wanted(), r.Realised(), r.Within(), word(r))
		}
	}
	b.WriteString(legend)
	c.summary(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

const legend = `
Source: status and number in the list of calibration facts. Status S read in the source, S* in a
summary of it, D derived; Eh, Em, El expert knowledge; A assumed; C rule of structure. Within: the
tolerance plus the sampling error at this size. Context: figures of another frame, never judged.
Open: not judged. FAILS: a sourced or structural target that is missed.
`

// summary lists what is missed and counts verdicts.
func (c *Scorecard) summary(b *strings.Builder) {
	list := func(title string, keep func(Result) bool) {
		first := true
		for _, s := range c.Sections {
			for _, r := range s.Lines {
				if !keep(r) {
					continue
				}
				if first {
					fmt.Fprintf(b, "\n%s\n", title)
					first = false
				}
				fmt.Fprintf(b, "  %-*s %-9s %13s %9s\n", nameWidth, clip(r.Name, nameWidth), reference(r), r.Wanted(), r.Realised())
				if r.Reason != "" {
					wrapped(b, "    because ", r.Reason)
				}
			}
		}
	}
	list("Missed, and sourced: this fails the check", func(r Result) bool { return r.Fails })
	list("Missed, and sourced, but in conflict with another figure", func(r Result) bool { return r.Conflict })
	list("Missed, by expert knowledge or assumption", func(r Result) bool { return r.Verdict == Missed && !r.Fails && !r.Conflict })
	reasons := map[string]int{}
	var order []string
	for _, s := range c.Sections {
		for _, r := range s.Lines {
			if r.Verdict == NotJudged {
				if reasons[r.Reason] == 0 {
					order = append(order, r.Reason)
				}
				reasons[r.Reason]++
			}
		}
	}
	if len(order) > 0 {
		b.WriteString("\nNot judged\n")
		for _, why := range order {
			wrapped(b, fmt.Sprintf("%4d  ", reasons[why]), why)
		}
	}
	s := c.Summary
	sourced := fmt.Sprintf("%d sourced", s.Failed)
	if s.Conflicts > 0 {
		sourced += fmt.Sprintf(", %d in conflict", s.Conflicts)
	}
	fmt.Fprintf(b, "\n%d targets: %d met, %d missed (%s), %d not judged, %d context\n",
		s.Targets, s.Met, s.Missed, sourced, s.NotJudged, s.Context)
}

// wrapped writes a text in lines of at most 98 letters.
func wrapped(b *strings.Builder, lead, text string) {
	const width = 98
	line := lead
	for _, word := range strings.Fields(text) {
		if len([]rune(line))+len([]rune(word))+1 > width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = strings.Repeat(" ", len([]rune(lead)))
		}
		line += word + " "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// reference is the status and the number of the source: "S [20]", "A 3c".
func reference(r Result) string {
	number := ""
	if words := strings.Fields(r.Source); strings.HasPrefix(r.Source, "[") {
		number = words[0]
	} else if len(words) > 1 && words[0] == "FACTS" {
		number = words[1]
	}
	return strings.TrimSpace(r.Status + " " + strings.TrimRight(number, ",;:"))
}

func word(r Result) string {
	switch {
	case r.Fails:
		return "FAILS"
	case r.Verdict == NotJudged:
		return "open"
	}
	return r.Verdict
}

// Wanted shows the figure of the target.
func (r Result) Wanted() string {
	if r.Low == r.High {
		return shown(r.Low, r.Unit)
	}
	return strings.TrimSuffix(shown(r.Low, r.Unit), "%") + "–" + shown(r.High, r.Unit)
}

// Realised shows the population's figure, "–" where there is none.
func (r Result) Realised() string { return number(r.Value, r.Unit) }

// Within shows the tolerance plus the sampling error.
func (r Result) Within() string {
	if r.Verdict == Shown || !r.Noise.Valid() {
		return "–"
	}
	x := r.Tolerance + float64(r.Noise)
	if x == 0 {
		return "exactly"
	}
	return "±" + strings.TrimPrefix(shown(x, r.Unit), "+")
}

func number(n metric.Number, unit string) string {
	if !n.Valid() {
		return "–"
	}
	return shown(float64(n), unit)
}

// shown writes a figure with three or so digits that mean something.
func shown(x float64, unit string) string {
	digits := func(x float64) string {
		switch a := math.Abs(x); {
		case x == 0:
			return "0"
		case a >= 100 || a >= 20 && x == math.Trunc(x):
			return strconv.FormatFloat(x, 'f', 0, 64)
		case a >= 10:
			return strconv.FormatFloat(x, 'f', 1, 64)
		case a >= 1:
			return strconv.FormatFloat(x, 'f', 2, 64)
		}
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
	if unit != "%" {
		return digits(x)
	}
	x *= 100
	switch a := math.Abs(x); {
	case x == 0:
		return "0%"
	case a < 1:
		return strconv.FormatFloat(x, 'f', 2, 64) + "%"
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + "%"
}
