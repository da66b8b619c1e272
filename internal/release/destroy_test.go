package release

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var newYear = time.Date(2028, 1, 1, 9, 0, 0, 0, time.UTC)

// delivered writes a release and a file beside it that stands for its escrow.
func delivered(t *testing.T) (dir, escrow string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "delivery")
	tabs, _ := serialised(t, data(40, 1), 1, false)
	if _, err := Write(context.Background(), dir, tabs, meta, Options{Format: CSV}); err != nil {
		t.Fatal(err)
	}
	escrow = dir + ".escrow"
	if err := os.WriteFile(escrow, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, escrow
}

func certificate(t *testing.T, dir string) Certificate {
	t.Helper()
	b, err := os.ReadFile(CertificateName(dir))
	if err != nil {
		t.Fatal(err)
	}
	var c Certificate
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDestroy(t *testing.T) {
	dir, escrow := delivered(t)
	man, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Destroy(dir, DestroyOptions{Now: newYear, By: "Mia Claes", Tool: "scramblelab 0"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list(t, filepath.Dir(dir)), []string{"delivery.destroyed.json", "delivery.escrow"}); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	c := certificate(t, dir)
	if diff := cmp.Diff(got, c); diff != "" {
		t.Errorf("the certificate on disk (-want +got):\n%s", diff)
	}
	if c.Status != "done" || c.Purpose != meta.Purpose || c.Recipient != meta.Recipient || c.By != "Mia Claes" || c.Finished != "2028-01-01T09:00:00Z" || c.EscrowState != "kept or elsewhere" || len(c.Manifest) != 64 {
		t.Errorf("certificate %+v", c)
	}
	sums := map[string]string{}
	for _, f := range c.Files {
		if f.State != AsManifest && f.Name != ManifestName {
			t.Errorf("%s: %s", f.Name, f.State)
		}
		sums[f.Name] = f.SHA256
	}
	for _, f := range man.Files {
		if sums[f.Name] != f.SHA256 {
			t.Errorf("%s: checksum %s, the manifest says %s", f.Name, sums[f.Name], f.SHA256)
		}
	}
	if again, err := Destroy(dir, DestroyOptions{Now: newYear.AddDate(1, 0, 0)}); err != nil || again.Finished != c.Finished {
		t.Errorf("a second call: %v, %v", again.Finished, err)
	}
	if _, err := os.Stat(escrow); err != nil {
		t.Error("the escrow went without being named")
	}
	// Another release of that name does not replace the certificate.
	tabs, _ := serialised(t, data(40, 1), 2, false)
	if _, err := Write(context.Background(), dir, tabs, meta, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Destroy(dir, DestroyOptions{Now: newYear}); err == nil || !strings.Contains(err.Error(), "earlier release of this name") {
		t.Errorf("a certificate was to be replaced: %v", err)
	}
}

// Killed before any step, the second call finishes and certifies the same.
func TestDestroyIsFinished(t *testing.T) {
	steps := append(Names(CSV), "the folder", "the escrow", "the end")
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			dir, escrow := delivered(t)
			killed := errors.New("killed")
			o := DestroyOptions{Escrow: escrow, Now: newYear, hook: func(before string) error {
				if before == step {
					return killed
				}
				return nil
			}}
			if _, err := Destroy(dir, o); !errors.Is(err, killed) {
				t.Fatalf("not stopped before %s: %v", step, err)
			}
			if c := certificate(t, dir); c.Status != "begun" || c.Finished != "" {
				t.Errorf("a certificate of what is not finished says %s", c.Status)
			}
			if entries := list(t, filepath.Dir(dir)); step != steps[0] && len(entries) == 3 {
				if _, err := Open(context.Background(), dir); err == nil && step != "cells.csv" {
					t.Error("half a release was opened")
				}
			}
			o.hook = nil
			o.Now = newYear.AddDate(0, 0, 1)
			c, err := Destroy(dir, o)
			if err != nil {
				t.Fatal(err)
			}
			if c.Status != "done" || c.Begun != "2028-01-01T09:00:00Z" || c.Finished != "2028-01-02T09:00:00Z" || c.EscrowState != "destroyed" || len(c.Escrow.SHA256) != 64 {
				t.Errorf("certificate %+v", c)
			}
			if diff := cmp.Diff([]string{"delivery.destroyed.json"}, list(t, filepath.Dir(dir))); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDestroyRefuses(t *testing.T) {
	link := func(t *testing.T, to, at string) {
		t.Helper()
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, why string
		change    func(t *testing.T, dir string) (name string)
		want      string
	}{
		{"a link", "whatever it points to", func(t *testing.T, dir string) string { link(t, dir, dir+"2"); return dir + "2" }, "is a link"},
		{"a link with a slash", "a slash follows links elsewhere", func(t *testing.T, dir string) string { link(t, dir, dir+"2"); return dir + "2/" }, "is a link"},
		{"no folder", "a wrong name", func(_ *testing.T, dir string) string { return dir + "3" }, "does not exist"},
		{"a file", "the escrow by mistake", func(_ *testing.T, dir string) string { return dir + ".escrow" }, "is no release, but a file"},
		{"no release", "a folder of the user's", func(t *testing.T, dir string) string {
			if err := os.Remove(filepath.Join(dir, ManifestName)); err != nil {
				t.Fatal(err)
			}
			return dir
		}, "is no release"},
		{"a thesis", "somebody's work is in it", func(t *testing.T, dir string) string {
			if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		}, "holds thesis.txt"},
		{"a linked table", "the table of somebody else", func(t *testing.T, dir string) string {
			cells := filepath.Join(dir, "cells.csv")
			if err := os.Rename(cells, dir+".csv"); err != nil {
				t.Fatal(err)
			}
			link(t, dir+".csv", cells)
			return dir
		}, "holds cells.csv"},
		{"a linked manifest", "the manifest of another", func(t *testing.T, dir string) string {
			man := filepath.Join(dir, ManifestName)
			if err := os.Rename(man, dir+".json"); err != nil {
				t.Fatal(err)
			}
			link(t, dir+".json", man)
			return dir
		}, "links are not followed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := delivered(t)
			name := tt.change(t, dir)
			before := list(t, dir)
			_, err := Destroy(name, DestroyOptions{Now: newYear})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
			}
			if diff := cmp.Diff(before, list(t, dir)); diff != "" {
				t.Errorf("something went (-want +got):\n%s", diff)
			}
			if _, err := os.Lstat(CertificateName(name)); err == nil {
				t.Error("a certificate was written")
			}
		})
	}
}

// What was put in the place of a release whose destruction was begun stays.
func TestDestroyKeepsWhatIsNew(t *testing.T) {
	dir, _ := delivered(t)
	killed := errors.New("killed")
	if _, err := Destroy(dir, DestroyOptions{Now: newYear, hook: func(step string) error {
		if step == "employers.csv" {
			return killed
		}
		return nil
	}}); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	cells := filepath.Join(dir, "cells.csv")
	if err := os.WriteFile(cells, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Destroy(dir, DestroyOptions{Now: newYear}); err == nil || !strings.Contains(err.Error(), "is not what it was") {
		t.Errorf("got %v", err)
	}
	if b, err := os.ReadFile(cells); err != nil || string(b) != "new" {
		t.Errorf("a new file went: %v", err)
	}
}

// A release that is damaged is removed too, and certified as what it was.
func TestDestroyDamaged(t *testing.T) {
	dir, _ := delivered(t)
	if err := errors.Join(os.Remove(filepath.Join(dir, "cells.csv")), edit(dir, "read.R", func(b []byte) []byte { return b[:9] })); err != nil {
		t.Fatal(err)
	}
	c, err := Destroy(dir, DestroyOptions{Now: newYear})
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, f := range c.Files {
		states[f.Name] = f.State
	}
	if states["cells.csv"] != Absent || states["read.R"] != Altered || states["read.py"] != AsManifest {
		t.Errorf("states %v", states)
	}
}
