package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSavedStatistics: what was saved of the original gives the same report, is
// for its owner alone, and is refused for another plan and for other data.
func TestSavedStatistics(t *testing.T) {
	if testing.Short() {
		t.Skip("several whole studies")
	}
	_, out := studied(t, small, seeded(5), "")
	file := filepath.Join(t.TempDir(), "original.json")
	measure := func(out, yaml string, seed uint64, o Options) (string, error) {
		o.Out, o.Seed = filepath.Join(t.TempDir(), "measured"), seeded(seed)
		_, err := Fidelity(t.Context(), parsed(t, yaml), Opened{Release: filepath.Join(out, "release"), Escrow: out + ".escrow"}, o)
		if err != nil {
			return "", err
		}
		b, err := os.ReadFile(filepath.Join(o.Out, reportJSON))
		return string(b), err
	}
	var reports []string
	for _, o := range []Options{{}, {SaveStatistics: file}, {Statistics: file}, {Statistics: file, SaveStatistics: file}} {
		r, err := measure(out, small, 5, o)
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, r)
		if diff := cmp.Diff(reports[0], r); diff != "" {
			t.Errorf("with %+v the report differs:\n%s", o, diff)
		}
	}
	// Copies under other keys leave everything else as it was.
	r, err := Fidelity(t.Context(), parsed(t, small), Opened{Release: filepath.Join(out, "release"), Escrow: out + ".escrow"},
		Options{Out: filepath.Join(t.TempDir(), "measured"), Seed: seeded(5), Keys: 3, Statistics: file})
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := r.Metric("fidelity.propensity.same-method"); !ok || m.N != 3 {
		t.Errorf("among three copies the release is at %+v", m)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	if _, err := measure(out, small, 5, Options{SaveStatistics: file}); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("written over what stood there: %v", err)
	}
	if _, err := measure(out, small, 5, Options{Statistics: file + ".no"}); err == nil || !strings.Contains(err.Error(), "--save-statistics") {
		t.Errorf("no file: %v", err)
	}
	other := small + "release: {records: 50}\n"
	_, elsewhere := studied(t, other, seeded(5), "")
	if _, err := measure(elsewhere, other, 5, Options{Statistics: file}); err == nil || !strings.Contains(err.Error(), "another plan") {
		t.Errorf("another plan: %v", err)
	}
	_, later := studied(t, small, seeded(6), "")
	if _, err := measure(later, small, 6, Options{Statistics: file}); err == nil || !strings.Contains(err.Error(), "another original") {
		t.Errorf("other data: %v", err)
	}
}
