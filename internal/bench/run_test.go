package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// folderOf writes scenarios into a folder of their own.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for n, text := range files {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// small is a scenario that takes a fraction of a second a seed.
func small(more string) string {
	return `about: a small one
plan: ksz-default
population: {employers: 150, from: 2016, to: 2018, world: productivity}
adversaries: [research-team]
seeds: 3
accept: 4
metrics: [attack.employer.assignment.*.top1, fidelity.margins.level-field-tv, fidelity.cells.share-exact]
set:
  release.records: 100
  attack.targets: 50
` + more
}

func bench(t *testing.T, dir string, o Options) []Outcome {
	t.Helper()
	files, err := Files([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(t.Context(), files, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A plan that is deliberately leakier fails, and so does one that is duller; the
// plan as it was passes, and what was accepted is the same file again.
func TestLeakierAndDullerPlansFail(t *testing.T) {
	if testing.Short() {
		t.Skip("runs some twenty small studies")
	}
	safe := "  scramble.keep: []\n  scramble.steps: [{method: random-swap, unit: person-year, bundle: [level, field], rate: 0.2, same: [year]}, {method: coarsen-counts, classes: [1, 3, 5, 10, 20, 50, 100, 250, 1000]}, {method: fresh-serials}]\n"
	dir := folderOf(t, map[string]string{"one.yaml": small(safe)})
	path := filepath.Join(dir, "one.yaml")
	bench(t, dir, Options{Accept: true})
	before, err := os.ReadFile(baselinePath(path))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, why, more string
		failed          map[string]string
	}{
		{"as it was", "", safe, nil},
		{"leakier", "exact head counts and serials that last give their path back", strings.Split(safe, ", {method: coarsen")[0] + "]\n",
			map[string]string{"attack.employer.assignment.research-team.top1": "leakier"}},
		{"duller", "far more is swapped", strings.Replace(safe, "rate: 0.2", "rate: 0.9", 1),
			map[string]string{"fidelity.margins.level-field-tv": "duller", "fidelity.cells.share-exact": "duller"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(small(tt.more)), 0o600); err != nil {
				t.Fatal(err)
			}
			o := bench(t, dir, Options{})
			var got map[string]string
			for _, c := range o[0].Changes {
				if c.Verdict == Worse {
					if got == nil {
						got = map[string]string{}
					}
					got[c.Metric] = c.Kind()
				}
			}
			if diff := cmp.Diff(tt.failed, got); diff != "" || o[0].Passed() != (tt.failed == nil) {
				t.Errorf("%s: failed %q (-want +got):\n%s", tt.why, o[0].Failed, diff)
			}
			var text bytes.Buffer
			if err := Text(&text, o, false); err != nil {
				t.Fatal(err)
			}
			for m := range tt.failed {
				if !strings.Contains(text.String(), m) {
					t.Errorf("the table lacks %s:\n%s", m, text.String())
				}
			}
		})
	}
	if err := os.WriteFile(path, []byte(small(safe)), 0o600); err != nil {
		t.Fatal(err)
	}
	bench(t, dir, Options{Accept: true})
	if after, err := os.ReadFile(baselinePath(path)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("accepting the same twice gives another file (%v)", err)
	}
	// Another recipe cannot be compared.
	if err := os.WriteFile(path, []byte(strings.Replace(small(safe), "employers: 150", "employers: 100", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := bench(t, dir, Options{}); o[0].Passed() || !strings.Contains(o[0].Failed, "not those of the baseline") {
		t.Errorf("another population: %+v", o[0])
	}
}

var quick = strings.Replace(strings.Replace(small(""), "employers: 150", "employers: 50", 1), "release.records: 100", "release.records: 20", 1)

// A run that is cut off goes on where it was, and ends like one that was not,
// whatever runs side by side.
func TestResume(t *testing.T) {
	if testing.Short() {
		t.Skip("several runs of whole studies")
	}
	dir := folderOf(t, map[string]string{"one.yaml": quick, "two.yaml": quick + "  steps.0.rate: 0.5\n"})
	bench(t, dir, Options{Accept: true})
	want := bench(t, dir, Options{})
	files, err := Files([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	book := filepath.Join(t.TempDir(), "book.jsonl")
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Run(ctx, files, Options{Book: book, Build: "this", Progress: func(_ string, n, _ int) {
		if n >= 2 {
			cancel()
		}
	}})
	var cut *Interrupted
	if !errors.Is(err, context.Canceled) || !errors.As(err, &cut) || cut.Kept < 2 || cut.Kept > 5 {
		t.Fatalf("cut off: %v, %+v", err, cut)
	}
	kept, err := os.ReadFile(book)
	if err != nil {
		t.Fatal(err)
	}

	// A record that was changed is refused, not trusted.
	if err := os.WriteFile(book, bytes.Replace(kept, []byte(`"value":0.`), []byte(`"value":0.9`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), files, Options{Book: book, Build: "this"}); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a changed record: %v", err)
	}

	// Measurements of another build are what is being judged: begun anew.
	if err := os.WriteFile(book, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := openBook(book, "another"); err != nil || b.len() != 0 {
		t.Errorf("%d measurements of another build were taken over (%v)", b.len(), err)
	}

	if err := os.WriteFile(book, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	first := -1
	got, err := Run(t.Context(), files, Options{Book: book, Build: "this", Progress: func(_ string, n, _ int) {
		if first < 0 {
			first = n
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if first != cut.Kept {
		t.Errorf("it went on from %d measurements, want %d", first, cut.Kept)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Replication{}, "Seconds")); diff != "" {
		t.Errorf("after a cut (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(book); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the record of a finished run is left (%v)", err)
	}
}

func TestRunSaysWhatCannotBeRun(t *testing.T) {
	tests := []struct {
		name, why, text, skipped, failed, wrong string
	}{
		{"absent data", "loud, and no failure", "about: a\nplan: absent.yaml\n", "absent.csv", "", ""},
		{"no baseline", "a scenario that nobody accepted guards nothing", quick, "", "nothing was accepted yet", ""},
		{"unknown plan", "", "about: a\nplan: nosuch\n", "", "", "no shipped plan"},
		{"setting that cannot be", "", quick + "  steps.0.rat: 1\n", "", "", "rat"},
	}
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("absent.yaml", []byte("data: {jobs: absent.csv}\nschema:\n  e: {role: employer}\n  l: {role: category, as: level, released: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "one.yaml")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			o, err := Run(t.Context(), []string{file}, Options{})
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("%s: error %v, want %q", tt.why, err, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(o[0].Skipped, tt.skipped) || !strings.Contains(o[0].Failed, tt.failed) || o[0].Passed() != (tt.failed == "") {
				t.Errorf("%s: %+v", tt.why, o[0])
			}
			if (tt.skipped == "") != (o[0].Skipped == "") {
				t.Errorf("skipped: %q", o[0].Skipped)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	dir := folderOf(t, map[string]string{"b.yaml": "", "a.yaml": "", "note.md": ""})
	got, err := Files([]string{dir})
	if err != nil || len(got) != 2 || NameOf(got[0]) != "a" {
		t.Errorf("%v, %v", got, err)
	}
	for _, args := range [][]string{{dir, filepath.Join(dir, "a.yaml")}, {t.TempDir()}, {filepath.Join(dir, "nosuch")}, {filepath.Join(dir, "note.md")}} {
		if _, err := Files(args); (err == nil) != (strings.HasSuffix(args[len(args)-1], "note.md")) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestTimingsAreReadByBenchstat(t *testing.T) {
	var b bytes.Buffer
	if err := Timings(&b, []Outcome{{Name: "a-b", Replications: []Replication{{Seconds: 1.5}}}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\t1\t1500000000 ns/op\n") || !strings.Contains(b.String(), "\nBenchmarkAttack/a-b-") {
		t.Errorf("%s", b.String())
	}
}
