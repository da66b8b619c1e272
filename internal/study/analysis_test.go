package study

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAnalysis: the researchers' own program runs on both versions; what it
// printed stays beside the report and nowhere else.
func TestAnalysis(t *testing.T) {
	if testing.Short() {
		t.Skip("several whole studies")
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh to write a researcher's program in")
	}
	dir := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return small + fmt.Sprintf("fidelity: {analysis: {command: [sh, %q, \"{data}\", \"{out}\"]}}\n", path)
	}
	counts := script("count.sh", "n=$(wc -l < $1/cells.csv)\necho first: $(sed -n 2p $1/cells.csv)\nprintf 'term,estimate,std.error\\ncells,%s,10\\nconstant,1,0.5\\n' $n > $2\n")
	whole, out := studied(t, counts, seeded(5), "")
	m, ok := whole.Metric("fidelity.program.terms-kept")
	if !ok || m.Value != 1 {
		t.Fatalf("terms kept are %v, want all", m.Value)
	}
	if m, _ = whole.Metric("fidelity.program.overlap"); !(m.Value < 1) || math.IsNaN(float64(m.Value)) {
		t.Errorf("a swap changes the number of cells, yet the overlap is %v", m.Value)
	}
	printed, err := os.ReadFile(filepath.Join(out, "internal", printedOriginal))
	if err != nil || !strings.HasPrefix(string(printed), "first: 1,") {
		t.Errorf("the program printed %q, %v: want its first cell", printed, err)
	}
	for name, text := range tree(t, out) {
		if strings.Contains(text, strings.TrimSpace(string(printed))) && !strings.Contains(name, "analysis-") {
			t.Errorf("%s quotes what the program printed", name)
		}
	}
	// The stage alone measures the same.
	r, err := Fidelity(t.Context(), parsed(t, counts), Opened{Release: filepath.Join(out, "release"), Escrow: out + ".escrow"}, Options{Out: filepath.Join(t.TempDir(), "measured"), Seed: seeded(5)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values(whole, "fidelity.program."), values(r, "fidelity.program.")); diff != "" {
		t.Errorf("of the whole study (-) and of the stage alone (+):\n%s", diff)
	}

	failing, out := studied(t, script("fail.sh", "echo secret; exit 3\n"), seeded(5), "")
	if m, _ = failing.Metric("fidelity.program.overlap"); m.Value.Valid() || !strings.Contains(m.Reason, "exit status 3") || strings.Contains(m.Reason, "secret") {
		t.Errorf("a program that fails gives %v, %q", m.Value, m.Reason)
	}
	if b, err := os.ReadFile(filepath.Join(out, "internal", printedOriginal)); err != nil || string(b) != "secret\n" {
		t.Errorf("what it printed is %q, %v", b, err)
	}
}

// TestProgramComesLater: a program added to a plan leaves the release that was
// made from it the plan's own.
func TestProgramComesLater(t *testing.T) {
	with := small + "fidelity: {models: default, analysis: {command: [sh, a.sh, \"{data}\", \"{out}\"], minutes: 5}}\n"
	a, b := parsed(t, small), parsed(t, with)
	if a.Digest() != b.Digest() || a.ScrambleDigest() != b.ScrambleDigest() {
		t.Error("the digest of a plan changes with the researchers' program")
	}
	if again := parsed(t, string(b.YAML())); again.Fidelity == nil || cmp.Diff(b.Fidelity, again.Fidelity) != "" {
		t.Errorf("written and read, the program is %+v", again.Fidelity)
	}
}
