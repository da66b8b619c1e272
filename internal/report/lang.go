package report

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"scramblelab/internal/metric"
)

// Lang is the language of the fixed texts of a page. Texts that a run has
// written, such as how a number was measured, are English in all of them.
type Lang string

// The languages. The zero value is English.
const (
	English Lang = "en"
	Dutch   Lang = "nl"
	French  Lang = "fr"
)

var langs = []Lang{English, Dutch, French}

// ParseLang reads the code of a language.
func ParseLang(s string) (Lang, error) {
	if slices.Contains(langs, Lang(s)) {
		return Lang(s), nil
	}
	return "", fmt.Errorf("language is %q, want en, nl or fr", s)
}

//go:embed phrases.txt
var phraseFile string

// phrases are the fixed texts by key and language.
var phrases = sync.OnceValue(func() map[string]map[Lang]string { return parsePhrases(phraseFile) })

// parsePhrases reads keys at the start of a line, and below each its texts, each
// after the code of its language. Lines that begin with # are left out.
func parsePhrases(file string) map[string]map[Lang]string {
	out := map[string]map[Lang]string{}
	key := ""
	for line := range strings.Lines(file) {
		line = strings.TrimRight(line, "\n")
		text, indented := strings.CutPrefix(line, "  ")
		switch {
		case line == "" || line[0] == '#':
		case !indented:
			key = line
			if out[key] != nil {
				panic("report: phrase " + key + " stands twice")
			}
			out[key] = map[Lang]string{}
		default:
			l, said, _ := strings.Cut(text, " ")
			out[key][Lang(l)] = said
		}
	}
	return out
}

// say returns a fixed text with {1}, {2}, … filled in.
func (l Lang) say(key string, args ...string) string {
	if l == "" {
		l = English
	}
	text, ok := phrases()[key][l]
	if !ok {
		panic("report: no phrase " + key + " in " + string(l))
	}
	for i, a := range args {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), a)
	}
	return text
}

// said is say, empty where there is no such text.
func (l Lang) said(key string, args ...string) string {
	if phrases()[key] == nil {
		return ""
	}
	return l.say(key, args...)
}

// local sets the signs of a number that was written with a comma between
// thousands and a point before decimals.
func (l Lang) local(s string) string {
	switch l {
	case Dutch:
		return strings.NewReplacer(",", ".", ".", ",").Replace(s)
	case French:
		return strings.NewReplacer(",", "\u202f", ".", ",").Replace(s)
	}
	return s
}

func (l Lang) shown(n metric.Number, unit string) string { return l.local(shown(n, unit)) }
func (l Lang) count(n int64) string                      { return l.local(count(n)) }
func (l Lang) limit(n metric.Number, unit string) string { return l.local(limit(n, unit)) }

// gates counts gates in words.
func (l Lang) gates(n int) string {
	if n == 1 {
		return l.say("gate.one")
	}
	return l.say("gate.many", fmt.Sprint(n))
}

// interval shows the bounds of a row; "exact" where the value is known without
// error, nothing where there are no bounds.
func (l Lang) interval(r metric.Row, unit string) string {
	if !r.Low.Valid() || !r.High.Valid() {
		return ""
	}
	if r.Low == r.High && r.Level == 1 {
		return l.say("exact")
	}
	low := l.shown(r.Low, unit)
	if unit == "share" {
		low = strings.TrimSuffix(low, " %")
	}
	s := l.say("range", low, l.shown(r.High, unit))
	if r.Level.Valid() && r.Level != 0.95 && r.Level != 1 && r.Level != 0 {
		s += " (" + l.shown(r.Level, "share") + ")"
	}
	return s
}

// sizes shows what a row rests on: attempts, and the size of the population or
// public file they were made in.
func (l Lang) sizes(r metric.Row) string {
	switch {
	case r.M > 0:
		return l.say("sizes", l.count(r.N), l.count(r.M))
	case r.N > 0:
		return l.count(r.N)
	}
	return none
}

// bound shows a row of which one end of the interval is there.
func (l Lang) bound(r metric.Row, unit string) string {
	if r.High.Valid() {
		return l.say("bound.most", l.shown(r.High, unit))
	}
	return l.say("bound.least", l.shown(r.Low, unit))
}

// boundOnly reports a row of which others see one end of the interval only.
func boundOnly(r metric.Row) bool {
	return !r.Value.Valid() && r.High.Valid() != r.Low.Valid()
}

func (l Lang) direction(d metric.Direction, risk bool) string {
	switch {
	case d == metric.Lower && risk:
		return l.say("safer.lower")
	case d == metric.Higher && risk:
		return l.say("safer.higher")
	case d == metric.Lower:
		return l.say("good.lower")
	case d == metric.Higher:
		return l.say("good.higher")
	}
	return l.say("good.none")
}

func (l Lang) verdictWord(v string) string {
	switch v {
	case metric.Pass:
		return l.say("word.pass")
	case metric.Skip:
		return l.say("word.skip")
	}
	return l.say("word.fail")
}

func (l Lang) intruder(adversary string) string {
	if n, ok := strings.CutPrefix(adversary, "cv-"); ok {
		if n == "1" {
			return l.say("intruder.cv.one")
		}
		return l.say("intruder.cv", n)
	}
	if s := l.said("intruder." + adversary); s != "" {
		return s
	}
	return capital(spaced(adversary))
}

// knows says what an intruder knows, where there are words for it.
func (l Lang) knows(adversary string) string {
	if n, ok := strings.CutPrefix(adversary, "cv-"); ok {
		if n == "1" {
			return l.say("knows.cv.one")
		}
		return l.say("knows.cv", n)
	}
	return l.said("knows." + adversary)
}

// how names a method of attack as it stands behind the intruder.
func (l Lang) how(method string) string {
	if s := l.said("how." + method); s != "" {
		return s
	}
	return spaced(method)
}

// attackWhat says what a measure of an attack is, and attackMeans what it tells.
func (l Lang) attackWhat(a attackName) string {
	for _, key := range []string{"attack." + a.method + "." + a.measure + ".what", "attack." + a.measure + ".what"} {
		if s := l.said(key); s != "" {
			return s
		}
	}
	return spaced(a.measure)
}

func (l Lang) attackMeans(a attackName) string {
	for _, key := range []string{"attack." + a.method + "." + a.measure + ".means", "attack." + a.measure + ".means"} {
		if s := l.said(key); s != "" {
			return s
		}
	}
	return ""
}

// swapKey is the key of a swap's measure, and what stands behind it.
func swapKey(measure string) (key, rest string) {
	for _, k := range []string{"touched", "changed", "unswappable"} {
		if rest, ok := strings.CutPrefix(measure, k); ok {
			return "swap." + k, strings.TrimPrefix(rest, "-")
		}
	}
	return "", ""
}

// plain says what a metric is, in words that its dotted name hides.
func (l Lang) plain(name string) string {
	if a, ok := parseAttack(name); ok {
		how := a.method
		if how == "posterior" && !strings.HasSuffix(a.measure, "90") {
			how = "posterior-any"
			if strings.HasSuffix(a.measure, "50") {
				how = "posterior50"
			}
		}
		return fmt.Sprintf("%s: %s (%s)", l.intruder(a.adversary), l.attackWhat(a), l.how(how))
	}
	if s := l.said(name + ".what"); s != "" {
		return s
	}
	parts := strings.Split(name, ".")
	if len(parts) == 3 && parts[0] == "swap" {
		if key, rest := swapKey(parts[2]); key != "" {
			if rest != "" {
				rest = " (" + spaced(rest) + ")"
			}
			step := capital(spaced(parts[1]))
			if n, ok := strings.CutPrefix(parts[1], "step-"); ok {
				step = l.say("swap.step", n)
			}
			return step + ": " + l.say(key+".what") + rest
		}
	}
	return capital(spaced(strings.Join(parts[1:], ", ")))
}

// means explains a metric to somebody who was not there; empty where the
// method sentence has to do.
func (l Lang) means(name string) string {
	if a, ok := parseAttack(name); ok {
		return l.attackMeans(a)
	}
	if family(name) == "swap" {
		if key, _ := swapKey(name[strings.LastIndexByte(name, '.')+1:]); key != "" {
			return l.say(key + ".means")
		}
		return ""
	}
	return l.said(name + ".means")
}

// feature names what an intruder compares.
func (l Lang) feature(name string) string {
	if s := l.said("feature." + name); s != "" {
		return s
	}
	return spaced(name)
}

// groupWord says what a group of a metric's By list is.
func (l Lang) groupWord(group string) string {
	switch group {
	case "":
		return l.say("group.all")
	case "knowledge=none", "knowledge=method", "one-person-cell", "cell-found":
		return l.say("group." + group)
	}
	if group == "size worst" {
		return l.say("group.size.worst")
	}
	if s, ok := strings.CutPrefix(group, "size "); ok {
		return l.say("group.size", s)
	}
	for _, k := range []string{"feature", "alone", "without"} {
		if s, ok := strings.CutPrefix(group, k+"="); ok {
			return capital(l.say("group."+k, l.feature(s)))
		}
	}
	if s, ok := strings.CutPrefix(group, "noise="); ok {
		switch s {
		case "0", "2":
			return l.say("group.noise." + s)
		case "0.5":
			return l.say("group.noise.half")
		}
		return l.say("group.noise", s)
	}
	if s, ok := strings.CutPrefix(group, "years="); ok {
		if s == "1" {
			return l.say("year.one")
		}
		return l.say("year.many", s)
	}
	if s, ok := strings.CutPrefix(group, "outcome "); ok {
		return spaced(s)
	}
	return group
}

func (l Lang) knowledge(k string) string {
	switch k {
	case "":
		return ""
	case metric.KnowsNothing:
		return l.say("knowledge.none")
	case metric.KnowsMethod:
		return l.say("knowledge.method")
	case metric.KnowsParameters:
		return l.say("knowledge.parameters")
	}
	return l.say("knowledge.other", k)
}
