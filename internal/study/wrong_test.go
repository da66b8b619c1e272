package study

import (
	"regexp"
	"strings"
	"testing"

	"scramblelab/internal/plan"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// TestWrongValues puts wrong values into every key of every step: the plan is
// refused with line, column and a remedy, or it runs. Nothing panics, and no
// error comes without a position but those that only the data can show.
func TestWrongValues(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of plans")
	}
	wrong := []string{"-1", "0", "1", "2", "0.5", "1e300", ".nan", ".inf", "9999999999", "x", "''", "[]", "[x]", "[level]", "[wage]", "[year]", "[employer]", "[region]", "[level, level]", "[[]]", "true", "null", "{}", "{a: b}", "region", "employer-region", "spell"}
	if testing.Short() {
		wrong = []string{"-1", "2", ".nan", "x", "[]", "[employer]", "null", "{a: b}"}
	}
	data, err := Load(t.Context(), parsed(t, "data: {generate: {employers: 60, from: 2019, to: 2020}}\n"), newKeys(seeded(1)).sim, nil)
	if err != nil {
		t.Fatal(err)
	}
	value := regexp.MustCompile(`(\w+): (\[[^\]]*\](?:\])?|[^,}]+)`)
	position := regexp.MustCompile(`^plan\.yaml:\d+:\d+: .{15,}`)
	tried, ran := 0, 0
	for _, m := range every {
		yaml := strings.NewReplacer("%same", "year, group", "%level", "shipped:level.csv", "%year", ", year").Replace(m.yaml)
		for _, at := range value.FindAllStringSubmatchIndex(yaml, -1) {
			for _, w := range wrong {
				tried++
				steps := yaml[:at[4]] + w + yaml[at[5]:]
				p, err := plan.Parse("plan.yaml", []byte("data: {generate: {employers: 60, from: 2019, to: 2020}}\nscramble: {keep: [], steps: ["+steps+"]}\n"))
				if err != nil {
					for _, line := range strings.Split(err.Error(), "\n") {
						if strings.HasPrefix(line, "plan.yaml:") && !position.MatchString(line) {
							t.Errorf("%s\n%s", steps, line)
						}
					}
					continue
				}
				ran++
				d, err := recode(p, data)
				if err == nil {
					var s *scrambled
					if s, err = scramble(t.Context(), p, d, rng.SecretFromSeed(2)); err == nil {
						o, err2 := s.publishOptions()
						if err = err2; err == nil {
							_, err = publish.Publish(t.Context(), s.shown(s.drawn(s.published())), s.sample.Employers, o)
						}
					}
				}
				if err != nil {
					t.Logf("only the data show it: %s\n\t%v", steps, err)
					if !strings.HasPrefix(err.Error(), "step ") || strings.Contains(err.Error(), "internal error") {
						t.Errorf("%s\n\t%v", steps, err)
					}
				}
			}
		}
	}
	t.Logf("%d plans tried, %d ran", tried, ran)
}
