package folder

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree lists the files below dir with their text.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		got[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestFolderIsCompleteOrAbsent(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "a", "b", "release")
	p, err := Create(out, Options{Mode: 0o700})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(p.Path(), "sub", "cells.csv"), "x\n")
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder stands under its name before it is whole")
	}
	stale, err := Stale(out)
	if diff := cmp.Diff([]string{p.Path()}, stale); err != nil || diff != "" {
		t.Errorf("left-over folders (-want +got):\n%s%v", diff, err)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := p.Abort(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"a/b/release/sub/cells.csv": "x\n"}, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if info, _ := os.Stat(out); info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, want 0700", info.Mode())
	}
	if err := p.Commit(); err == nil {
		t.Error("a second commit went through")
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	p, err := Create(filepath.Join(dir, "new", "release"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(p.Path(), "x"), "x")
	for range 2 {
		if err := p.Abort(); err != nil {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%v is left, want nothing", entries)
	}
}

func TestForceReplaces(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "release")
	put(t, filepath.Join(out, "report.json"), "old")
	put(t, filepath.Join(out, "sub", "cells.csv"), "old")
	before := tree(t, out)
	p, err := Create(out, Options{Force: true, Known: []string{"report.json", "sub/cells.csv", "sub/cells.parquet"}})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(p.Path(), "new"), "new")
	if diff := cmp.Diff(before, tree(t, out)); diff != "" {
		t.Errorf("the old folder changed before the new one was whole (-want +got):\n%s", diff)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"new": "new"}, tree(t, out)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if stale, err := Stale(out); err != nil || len(stale) != 0 {
		t.Errorf("left over: %v %v", stale, err)
	}
}

func TestForceReplacesAnEmptyFolder(t *testing.T) {
	out := filepath.Join(t.TempDir(), "release")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := Create(out, Options{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(p.Path(), "new"), "new")
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"new": "new"}, tree(t, out)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestForceKeepsWhatIsForeign: --force deletes an older output and nothing else.
func TestForceKeepsWhatIsForeign(t *testing.T) {
	known := []string{"report.json", "release/cells.csv"}
	tests := []struct {
		name, why string
		files     []string
		link      string // is made a link to a file outside
		known     []string
		want      string // of the message
	}{
		{"thesis", "the folder was never an output", []string{"thesis.txt"}, "", known, "out holds thesis.txt, which this command did not write: choose another output, or remove it yourself"},
		{"beside ours", "an output in which somebody keeps notes", []string{"report.json", "release/cells.csv", "todo"}, "", known, "out holds todo,"},
		{"first by name", "the message does not depend on the file system", []string{"z", "report.json", "b", "s"}, "", known, "out holds b,"},
		{"inside ours", "a common name such as release may be anybody's folder", []string{"release/thesis.txt"}, "", known, "out holds release/thesis.txt,"},
		{"runs inside", "-o t in place of -o t/run3", []string{"run1/report.json", "run2/report.json"}, "", known, "out holds run1,"},
		{"folder by the name of a file", "what lies in it is not ours", []string{"report.json/thesis.txt"}, "", known, "out holds report.json,"},
		{"file by the name of a folder", "we never wrote such a file", []string{"release"}, "", known, "out holds release,"},
		{"hidden", "a repository lives in a hidden folder", []string{".git/HEAD"}, "", known, "out holds .git,"},
		{"link inside", "we write no links", []string{"report.json"}, "release", known, "out holds release,"},
		{"known by none", "a caller who names nothing replaces nothing", []string{"report.json"}, "", nil, "out holds report.json,"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			put(t, "outside", "x")
			for _, f := range tt.files {
				put(t, filepath.Join("out", f), "precious")
			}
			if tt.link != "" {
				if err := os.Symlink("../outside", filepath.Join("out", tt.link)); err != nil {
					t.Fatal(err)
				}
			}
			before := tree(t, dir)
			for name, f := range map[string]func() error{
				"Create": func() error { _, err := Create("out", Options{Force: true, Known: tt.known}); return err },
				"Check":  func() error { return Check("out", Options{Force: true, Known: tt.known}) },
			} {
				if err := f(); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: error %v, want one that says %q: %s", name, err, tt.want, tt.why)
				}
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("a refusal changed something (-want +got):\n%s", diff)
			}
		})
	}
}

// TestForceLooksAgain: a file or link that came while the work went on is kept.
func TestForceLooksAgain(t *testing.T) {
	tests := []struct {
		name, why, want string
		meantime        func(out string) error
	}{
		{"file", "somebody saves a note into the old output", "holds thesis.txt", func(out string) error {
			return os.WriteFile(filepath.Join(out, "thesis.txt"), []byte("x"), 0o644)
		}},
		{"link", "the old output moved to another disk", "is a link to ", func(out string) error {
			return errors.Join(os.Rename(out, out+"2"), os.Symlink(out+"2", out))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			put(t, filepath.Join(out, "report.json"), "old")
			p, err := Create(out, Options{Force: true, Known: []string{"report.json"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.meantime(out); err != nil {
				t.Fatal(err)
			}
			if err := p.Commit(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q: %s", err, tt.want, tt.why)
			}
			if p.Committed() {
				t.Error("the folder stands after a refusal")
			}
			if b, err := os.ReadFile(filepath.Join(out, "report.json")); string(b) != "old" {
				t.Errorf("the old output reads %q, %v", b, err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "data", "jobs.csv"), "x")
	put(t, filepath.Join(dir, "file"), "x")
	for link, to := range map[string]string{"link": "data", "dangling": "nowhere", "tofile": "file"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "here"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "here"))
	at := func(s string) string { return filepath.Join(dir, s) }
	tests := []struct {
		name, why, path string
		o               Options
		want            string
	}{
		{"exists", "nothing is overwritten by accident", at("data"), Options{}, "--force replaces it"},
		{"file", "a file is not a folder", at("file"), Options{Force: true}, "is a file"},
		{"input", "reading and writing one place destroys the original", at("data"), Options{Force: true, Inputs: []string{at("data")}}, "is also an input"},
		{"input by link", "links are other names of the same place", at("link"), Options{Force: true, Inputs: []string{at("data")}}, "is also an input"},
		{"link", "what it points to may be anything, and the link would stay", at("link"), Options{Force: true, Known: []string{"jobs.csv"}}, "is a link to " + at("data") + " and is not replaced"},
		{"link with a slash", "the same place, written another way", at("link") + "/", Options{Force: true, Known: []string{"jobs.csv"}}, "is a link to " + at("data")},
		{"link without force", "no advice to force what force refuses", at("link"), Options{}, "is a link to " + at("data")},
		{"link to a file", "", at("tofile"), Options{Force: true}, "is a link to " + at("file")},
		{"inside", "a release inside the population would be read as part of it", at("link/out"), Options{Inputs: []string{at("data")}}, "lies inside the input"},
		{"inside a file", "the file's own path cannot be a folder", at("file/out"), Options{}, "not a directory"},
		{"contains", "replacing it would delete the input", at("data"), Options{Force: true, Inputs: []string{at("data/jobs.csv")}}, "contains the input"},
		{"working directory", "--force -o . would delete where the user works", ".", Options{Force: true}, "working directory"},
		{"above", "--force -o .. likewise", "..", Options{Force: true}, "working directory"},
		{"dangling", "a link to nowhere has no folder to replace", at("dangling"), Options{Force: true}, "no such file"},
		{"empty", "a forgotten argument", "", Options{}, "path is empty"},
	}
	before := tree(t, dir+"/data")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Create(tt.path, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q: %s", err, tt.want, tt.why)
			}
		})
	}
	if diff := cmp.Diff(before, tree(t, dir+"/data")); diff != "" {
		t.Errorf("a refusal changed the data (-want +got):\n%s", diff)
	}
	if _, err := Create(at("database"), Options{Inputs: []string{at("data")}}); err != nil {
		t.Errorf("a name that merely begins alike is refused: %v", err)
	}
}

func TestFolderMadeInTheMeantime(t *testing.T) {
	out := filepath.Join(t.TempDir(), "release")
	p, err := Create(out, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Abort()
	put(t, filepath.Join(out, "theirs"), "x")
	if err := p.Commit(); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("error %v, want a refusal", err)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "escrow")
	say := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	if err := WriteNewFile(path, 0o600, say("one")); err != nil {
		t.Fatal(err)
	}
	if err := WriteNewFile(path, 0o600, say("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want a refusal", err)
	}
	boom := errors.New("boom")
	if err := WriteFile(path, 0o600, func(w io.Writer) error { io.WriteString(w, "half"); return boom }); !errors.Is(err, boom) {
		t.Errorf("error %v, want the writer's own", err)
	}
	if diff := cmp.Diff(map[string]string{"escrow": "one"}, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if err := WriteFile(path, 0o600, say("three")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"escrow": "three"}, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	if err := WriteFile(dir, 0o600, say("x")); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("error %v, want a refusal", err)
	}
}

func TestSetAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "escrow")
	if aside, err := SetAside(path); aside != "" || err != nil {
		t.Errorf("no file: %q, %v", aside, err)
	}
	put(t, path, "old")
	aside, err := SetAside(path)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := Stale(path)
	if diff := cmp.Diff([]string{aside}, stale); err != nil || diff != "" {
		t.Errorf("left-over files (-want +got):\n%s%v", diff, err)
	}
	if diff := cmp.Diff(map[string]string{filepath.Base(aside): "old"}, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if _, err := SetAside(dir); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("error %v, want a refusal", err)
	}
}
