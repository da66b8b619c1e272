package outputs

import (
	"strings"
	"testing"
)

// TestSiblings: two parts of one population tell each other's cells through the
// whole, and what is in neither.
func TestSiblings(t *testing.T) {
	const head = `
project: p
population: all
rules: {minimum-frequency: {n: 10}}
dimensions: [{name: level}]
populations: [{name: men, within: all, apart-from: [women]}, {name: women, within: all}]
tables:
`
	line := func(file, population string) string {
		return "  - {file: " + file + ", population: " + population + ", dimensions: [level], measures: [{column: workers, is: count}]}\n"
	}
	files := map[string]string{
		"all.csv": "level,workers\nTotal,155\nL1,60\nL2,62\nL3,33\n", "men.csv": "level,workers\nTotal,77\nL1,27\nL2,47\nL3,3\n", "women.csv": "level,workers\nTotal,78\nL1,33\nL2,15\nL3,30\n",
		"rules.yaml": head + line("all.csv", "all") + line("men.csv", "men") + line("women.csv", "women"),
	}
	held := func(r *Report, err error, want string) {
		t.Helper()
		if err != nil || r.Released || !strings.Contains(strings.Join(r.Held, "\n"), want) {
			t.Errorf("%v, held %q, want %q", err, r.Held, want)
		}
	}
	const both = `populations "men" and "women" are both parts of "all"`
	w := newWorld(t, files)
	r, err := w.run("out", "all.csv", "men.csv", "women.csv")
	held(r, err, both) // 60 less 33 women are 27 men at L1, and 77 - 27 - 47 are 3 at L3
	// The same one after the other.
	w.write(map[string]string{"rules.yaml": head + line("all.csv", "all") + line("men.csv", "men")})
	if r, err = w.run("first", "all.csv", "men.csv"); err != nil || !r.Released {
		t.Fatal(err, r.Held)
	}
	w.write(map[string]string{"rules.yaml": head + line("women.csv", "women")})
	r, err = w.run("second", "women.csv")
	held(r, err, `are both parts of "all"`)
	// Nothing is suppressed, and three are neither.
	w = newWorld(t, map[string]string{
		"all.csv": "level,workers\nTotal,155\nL1,60\nL2,95\n", "men.csv": "level,workers\nTotal,70\nL1,24\nL2,46\n", "women.csv": "level,workers\nTotal,82\nL1,36\nL2,46\n",
		"rules.yaml": files["rules.yaml"],
	})
	r, err = w.run("neither", "all.csv", "men.csv", "women.csv")
	held(r, err, "leaves 3 beside both")
	// Nobody shows the whole.
	w = newWorld(t, files)
	w.write(map[string]string{"rules.yaml": head + line("men.csv", "men") + line("women.csv", "women")})
	if r, err = w.run("parts", "men.csv", "women.csv"); err != nil || !r.Released {
		t.Errorf("%v, held %q", err, r.Held)
	}
	// All is well.
	w = newWorld(t, map[string]string{
		"all.csv": "level,workers\nTotal,155\nL1,60\nL2,95\n", "men.csv": "level,workers\nTotal,70\nL1,24\nL2,46\n", "women.csv": "level,workers\nTotal,85\nL1,36\nL2,49\n",
		"rules.yaml": files["rules.yaml"],
	})
	if r, err = w.run("well", "all.csv", "men.csv", "women.csv"); err != nil || !r.Released {
		t.Errorf("%v, held %q", err, r.Held)
	}
}
