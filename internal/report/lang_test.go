package report

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/metric"
)

func TestNoPhraseIsMissing(t *testing.T) {
	holes := regexp.MustCompile(`\{[0-9]\}`)
	if len(phrases()) < 300 {
		t.Fatalf("%d phrases: the file was not read", len(phrases()))
	}
	for key, said := range phrases() {
		for _, l := range langs {
			if strings.TrimSpace(said[l]) == "" {
				t.Errorf("%s has no text in %s", key, l)
			}
			got, want := holes.FindAllString(said[l], -1), holes.FindAllString(said[English], -1)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(slices.Compact(got), slices.Compact(want)) {
				t.Errorf("%s: %s fills in %v, English %v", key, l, got, want)
			}
		}
		if len(said) != len(langs) {
			t.Errorf("%s has texts in %d languages, want %v", key, len(said), langs)
		}
		if said[Dutch] == said[English] && said[French] == said[English] && strings.Count(said[English], " ") > 2 {
			t.Errorf("%s was not translated", key)
		}
	}
	for _, key := range regexp.MustCompile(`say "([^"]+)"`).FindAllStringSubmatch(templates(t), -1) {
		if phrases()[key[1]] == nil {
			t.Errorf("a template says %s, which is no phrase", key[1])
		}
	}
}

func templates(t *testing.T) string {
	t.Helper()
	var all string
	for _, name := range []string{"page.html", "parts.html"} {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	return all
}

// unsaid are the words for a release that nothing here may claim of it.
var unsaid = regexp.MustCompile(`(?i)\b(anonym(ous|ised|ized|ity)?|anonymi[sz]\w*|geanonimiseerd\w*|anoniem\w*|anonimiteit|anonym(e|es|isée?s?|at))\b`)

func TestNothingIsCalledAnonymous(t *testing.T) {
	for _, s := range []string{"anonymous", "Anonymised", "anoniem", "anonieme", "geanonimiseerde", "anonyme", "anonymisées"} {
		if !unsaid.MatchString(s) {
			t.Fatalf("the test does not know %q", s)
		}
	}
	metricName := regexp.MustCompile(`anonymity-set|k-anonymity`)
	for key, said := range phrases() {
		for l, text := range said {
			if unsaid.MatchString(text) {
				t.Errorf("%s in %s: %q", key, l, text)
			}
		}
	}
	for _, l := range langs {
		for _, a := range audiences {
			page := metricName.ReplaceAllString(pageFor(t, measuredAs(), Options{Lang: l, Audience: a}), "")
			if s := unsaid.FindString(page); s != "" {
				t.Errorf("%s, %s: the page says %q", l, a, s)
			}
			if !strings.Contains(page, `<html lang="`+string(l)+`">`) {
				t.Errorf("%s: the page does not say its language", l)
			}
		}
	}
}

func TestNumbersInTheirLanguage(t *testing.T) {
	for _, c := range []struct {
		l    Lang
		want string
	}{{English, "1,234,567 12.5 %"}, {Dutch, "1.234.567 12,5 %"}, {French, "1\u202f234\u202f567 12,5 %"}, {"", "1,234,567 12.5 %"}} {
		if got := c.l.count(1234567) + " " + c.l.shown(metric.Number(0.125), "share"); got != c.want {
			t.Errorf("%s: %q, want %q", c.l, got, c.want)
		}
	}
	if _, err := ParseLang("de"); err == nil {
		t.Error("German is taken for a language of the page")
	}
}
