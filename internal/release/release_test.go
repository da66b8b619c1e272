package release

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// data has n employers over two years; employer e has e%5 workers. Rows come in
// the order of jobs given by shuffle before they are made canonical.
func data(n int, shuffle uint64) *linked.Data {
	labels := make([]string, n)
	for e := range labels {
		labels[e] = fmt.Sprintf("BE-%07d", e*7919)
	}
	dict := frame.MustDict(labels...)
	var emp, year, level, field, wage, fte, age, fe, fy, group []int32
	for e := range int32(n) {
		for y := int32(2010); y < 2012; y++ {
			fe, fy, group = append(fe, e), append(fy, y), append(group, e%3)
			for w := range e % 5 {
				emp, year, level, field = append(emp, e), append(year, y), append(level, (e+w)%3-1), append(field, w%2)
				wage, fte, age = append(wage, 20000+997*(e%31)+w), append(fte, 50+w), append(age, 20+w+e%30)
			}
		}
	}
	jobs := frame.Must(frame.Codes(linked.Employer, dict, emp), frame.Ints(linked.Year, year),
		frame.Ordered(linked.Level, frame.MustDict("ISCED 3 and 4", "tertiary, \"long\"\nénd"), level), frame.Codes(linked.Field, frame.MustDict("a,b", "NA"), field),
		frame.Ints(linked.Wage, wage), frame.Fixed(linked.FTE, 2, fte), frame.Ints(linked.Age, age))
	order := make([]int32, jobs.Rows())
	for i := range order {
		order[i] = int32(i)
	}
	rng.Shuffle(rng.Sim(shuffle).Stream(1, 1), order)
	return &linked.Data{Jobs: linked.Canonical(jobs.Take(order)),
		Firms:   frame.Must(frame.Codes(linked.Employer, dict, fe), frame.Ints(linked.Year, fy), frame.Codes(linked.Group, linked.GroupDict, group)),
		Periods: true}
}

func tables(t testing.TB, d *linked.Data) *publish.Tables {
	t.Helper()
	o := publish.Options{CountOn: publish.CountAny, FirmColumns: []string{linked.Group, linked.SizeClass, linked.DesignWeight},
		Weight: func(e, y int32) (float64, bool) { return 3, true }}
	for _, x := range []struct {
		to *publish.Classes
		s  publish.Spec
	}{{&o.Wage, publish.Spec{Width: 5000, Top: 50000}}, {&o.FTE, publish.Spec{Width: .1, Top: 1}}, {&o.Age, publish.Spec{Width: 5, From: 20, Top: 60}}} {
		c, err := publish.NewClasses(x.s)
		if err != nil {
			t.Fatal(err)
		}
		*x.to = c
	}
	got, err := publish.Publish(context.Background(), d, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func serialised(t testing.TB, d *linked.Data, seed uint64, perYear bool) (*publish.Tables, SerialMap) {
	t.Helper()
	out, m, err := Serialise(tables(t, d), rng.SecretFromSeed(seed), Delivery{}, perYear)
	if err != nil {
		t.Fatal(err)
	}
	return out, m
}

var meta = Meta{Purpose: "test of programs", Recipient: "a university", LegalBasis: map[string]string{"warehouse": "deliberation", "accounts": "public"},
	DestroyWhen: "no longer needed, at latest 2027-12-31", PlanDigest: "abc", Tool: "scramblelab 0", Simulation: true, Unit: "employer", Records: 40}

func rows(f *frame.Frame) []string {
	out := []string{strings.Join(f.Names(), "|")}
	for i := range f.Rows() {
		var s []string
		for _, c := range f.Columns() {
			if c.Coded() {
				s = append(s, fmt.Sprint(c.Kind, c.Dict.Label(c.I[i]), c.Dict.Value(c.I[i])))
			} else {
				s = append(s, fmt.Sprint(c.Kind, c.Value(i)))
			}
		}
		out = append(out, strings.Join(s, "|"))
	}
	return out
}

func TestOpenReadsWhatWriteWrote(t *testing.T) {
	for _, format := range []string{"", CSV, CSVGzip} {
		for _, perYear := range []bool{false, true} {
			t.Run(fmt.Sprint(format, perYear), func(t *testing.T) {
				tabs, _ := serialised(t, data(40, 1), 1, perYear)
				dir := filepath.Join(t.TempDir(), "release")
				man, err := Write(context.Background(), dir, tabs, meta, Options{Format: format})
				if err != nil {
					t.Fatal(err)
				}
				got, err := openAt(context.Background(), dir, time.Date(2027, 12, 31, 23, 0, 0, 0, time.UTC))
				if err != nil {
					t.Fatal(err)
				}
				for name, f := range map[string][2]*frame.Frame{"employers": {tabs.Employers, got.Tables.Employers}, "cells": {tabs.Cells, got.Tables.Cells}} {
					if diff := cmp.Diff(rows(f[0]), rows(f[1])); diff != "" {
						t.Errorf("%s (-want +got):\n%s", name, diff)
					}
				}
				if diff := cmp.Diff(man, got.Manifest); diff != "" {
					t.Errorf("manifest (-want +got):\n%s", diff)
				}
				if len(got.Warnings) > 0 {
					t.Errorf("warnings on the last day: %q", got.Warnings)
				}
				if names, want := list(t, dir), Names(man.Format); !slices.Equal(names, want) {
					t.Errorf("files %q, want %q", names, want)
				}
			})
		}
	}
}

func list(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func contents(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, n := range list(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		out[n] = b
	}
	return out
}

// Law: permuted input rows give the same bytes, and so does writing twice.
func TestReleaseDoesNotDependOnRowOrder(t *testing.T) {
	for _, format := range []string{Parquet, CSV} {
		var first map[string][]byte
		for shuffle := range uint64(3) {
			tabs, _ := serialised(t, data(60, shuffle), 5, false)
			dir := filepath.Join(t.TempDir(), "release")
			if _, err := Write(context.Background(), dir, tabs, meta, Options{Format: format}); err != nil {
				t.Fatal(err)
			}
			got := contents(t, dir)
			if first == nil {
				first = got
			}
			for name := range first {
				if !bytes.Equal(first[name], got[name]) {
					t.Errorf("%s differs under another order of rows", name)
				}
			}
		}
	}
}

// Laws of serials: 1..n without gaps, each stands for the rows of one employer
// (and year), rows are sorted, nothing else changed.
func TestSerialise(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		perYear := rapid.Bool().Draw(rt, "perYear")
		before := tables(t, data(rapid.IntRange(1, 60).Draw(rt, "n"), 1))
		after, m, err := Serialise(before, rng.SecretFromSeed(rapid.Uint64().Draw(rt, "seed")), Delivery{}, perYear)
		if err != nil {
			rt.Fatal(err)
		}
		back := func(f *frame.Frame, want *frame.Frame) {
			serial := f.Col(publish.Serial).I
			emp := make([]int32, len(serial))
			for i, s := range serial {
				if i > 0 && s < serial[i-1] {
					rt.Fatal("serials are not sorted")
				}
				emp[i] = m.Employers[s-1]
				if perYear && f.Col(linked.Year).I[i] != m.Years[s-1] {
					rt.Fatal("a serial stands for another year")
				}
			}
			e := want.Col(linked.Employer)
			e.I = emp
			got := frame.Must(append([]frame.Column{e}, f.Without(publish.Serial).Columns()...)...)
			keys := []string{linked.Employer, linked.Year}
			if got.Has(linked.Level) {
				keys = append(keys, linked.Level, linked.Field)
			}
			if diff := cmp.Diff(rows(want), rows(got.Sorted(keys...))); diff != "" {
				rt.Fatalf("serials changed the table (-want +got):\n%s", diff)
			}
		}
		back(after.Employers, before.Employers)
		back(after.Cells, before.Cells)
		n := before.Employers.Rows()
		if !perYear {
			n /= 2
		}
		if s := after.Employers.Col(publish.Serial).I; len(m.Employers) != n || s[0] != 1 || s[len(s)-1] != int32(n) {
			rt.Fatalf("%d serials from %d to %d, want 1 to %d", len(m.Employers), s[0], s[len(s)-1], n)
		}
	})
}

func TestSerialiseRefuses(t *testing.T) {
	tabs := tables(t, data(10, 1))
	if _, _, err := Serialise(tabs, rng.Secret{}, Delivery{}, false); err == nil {
		t.Error("a zero key was accepted")
	}
	last := tabs.Employers.Filter(func(i int) bool { return tabs.Employers.Col(linked.Employer).I[i] < 9 })
	if _, _, err := Serialise(&publish.Tables{Employers: last, Cells: tabs.Cells}, rng.SecretFromSeed(1), Delivery{}, false); err == nil {
		t.Error("cells without an employer were accepted")
	}
	if _, err := Write(context.Background(), filepath.Join(t.TempDir(), "r"), tabs, meta, Options{}); err == nil {
		t.Error("tables with original employers were written")
	}
}

func TestOpenRefusesDamage(t *testing.T) {
	tests := []struct {
		name, why string
		damage    func(dir string) error
		want      string
	}{
		{"no manifest", "a folder without a manifest may be half a release", func(dir string) error { return os.Remove(filepath.Join(dir, ManifestName)) }, "half a one"},
		{"no folder", "a wrong name", os.RemoveAll, "is no release"},
		{"a table is gone", "files get lost", func(dir string) error { return os.Remove(filepath.Join(dir, "cells.csv")) }, "lacks cells.csv"},
		{"one byte", "a changed figure is a wrong figure", func(dir string) error {
			return edit(dir, "cells.csv", func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, "checksum of"},
		{"cut off", "a copy that was interrupted", func(dir string) error {
			return edit(dir, "employers.csv", func(b []byte) []byte { return b[:len(b)-7] })
		}, "copy the release again"},
		{"codebook", "labels are checked too", func(dir string) error {
			return edit(dir, "codebook.json", func(b []byte) []byte { return append(b, ' ') })
		}, "codebook.json"},
		{"manifest", "a manifest that is no JSON", func(dir string) error {
			return edit(dir, ManifestName, func(b []byte) []byte { return b[:len(b)/2] })
		}, "manifest.json is damaged"},
		{"later version", "a later program's release", func(dir string) error {
			return edit(dir, ManifestName, func(b []byte) []byte { return bytes.Replace(b, []byte(`"version": 1`), []byte(`"version": 9`), 1) })
		}, "version 9"},
		{"rows", "a manifest that counts other rows", func(dir string) error {
			return edit(dir, ManifestName, func(b []byte) []byte { return bytes.Replace(b, []byte(`"rows": 80`), []byte(`"rows": 81`), 1) })
		}, "has 80 rows"},
		{"unlisted", "a manifest that lists nothing proves nothing", func(dir string) error {
			return edit(dir, ManifestName, func(b []byte) []byte {
				var m Manifest
				if err := json.Unmarshal(b, &m); err != nil {
					return nil
				}
				m.Files = nil
				b, _ = json.Marshal(m)
				return b
			})
		}, "does not list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tabs, _ := serialised(t, data(40, 1), 1, false)
			dir := filepath.Join(t.TempDir(), "release")
			if _, err := Write(context.Background(), dir, tabs, meta, Options{Format: CSV}); err != nil {
				t.Fatal(err)
			}
			if err := tt.damage(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Open(context.Background(), dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
			}
		})
	}
}

func edit(dir, name string, change func([]byte) []byte) error {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, change(b), 0o644)
}

// A run that is cut off leaves nothing under the name, and what it leaves
// beside is no release.
func TestHalfARelease(t *testing.T) {
	tabs, _ := serialised(t, data(40, 1), 1, false)
	dir := filepath.Join(t.TempDir(), "release")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Write(ctx, dir, tabs, meta, Options{}); err == nil {
		t.Error("a cancelled run wrote a release")
	}
	if got := list(t, filepath.Dir(dir)); len(got) > 0 {
		t.Errorf("a cancelled run left %q", got)
	}
	p, err := folder.Create(dir, folder.Options{}) // the process is killed before Commit
	if err != nil {
		t.Fatal(err)
	}
	man := Manifest{Version: version, Meta: meta, Format: CSV}
	if err := writeFiles(context.Background(), p.Path(), tabs, &man); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), dir); err == nil {
		t.Error("a release that was never committed was opened")
	}
	// Killed earlier still: any file missing, wherever it lies.
	for _, name := range Names(CSV) {
		path := filepath.Join(p.Path(), name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(path)
		if _, err := Open(context.Background(), p.Path()); err == nil {
			t.Errorf("a release without %s was opened", name)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := list(t, filepath.Dir(dir)); len(got) > 0 {
		t.Errorf("abort left %q", got)
	}
	if _, err := Write(context.Background(), dir, tabs, meta, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), dir, tabs, meta, Options{}); err == nil {
		t.Error("a release was overwritten without force")
	}
	for _, format := range []string{CSV, CSVGzip, Parquet, ""} {
		if _, err := Write(context.Background(), dir, tabs, meta, Options{Format: format, Force: true}); err != nil {
			t.Errorf("force, %q: %v", format, err)
		}
	}
	thesis := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(thesis, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), dir, tabs, meta, Options{Force: true}); err == nil || !strings.Contains(err.Error(), "holds thesis.txt") {
		t.Errorf("error %v, want a refusal to delete thesis.txt", err)
	}
	if _, err := os.Stat(thesis); err != nil {
		t.Error(err)
	}
}

func TestDestroyWhen(t *testing.T) {
	at := time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct{ name, why, when, extended, want string }{
		{"past", "every command that opens it says so", "at latest 2027-12-31", "", "was to be destroyed by 2027-12-31: destroy it"},
		{"extended", "a decision keeps it, and is named", "at latest 2027-12-31", "decision 24/1", "extended by: decision 24/1"},
		{"later", "still allowed", "after 2020-01-01, at latest 2028-01-01", "", ""},
		{"never", "a release without an end", "when we are done", "", "names no day of destruction"},
		{"no date", "a day that does not exist", "2027-02-31", "", "names no day"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(Meta{DestroyWhen: tt.when, ExtendedBy: tt.extended}.Overdue(at), ";")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("%s: got %q, want %q", tt.why, got, tt.want)
			}
		})
	}
}

func TestExtraFilesAreNamed(t *testing.T) {
	tabs, _ := serialised(t, data(5, 1), 1, false)
	dir := filepath.Join(t.TempDir(), "release")
	if _, err := Write(context.Background(), dir, tabs, meta, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := openAt(context.Background(), dir, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "notes.txt") {
		t.Errorf("warnings %q, want one on notes.txt", got.Warnings)
	}
}

// Two deliveries under one key, and the two phases and two recipients, have
// serials that say nothing of each other: the rank correlation stays in the band
// that independent permutations leave with probability 1 in 10,000 per pair, and
// as few serials agree as by chance (one on average, six or fewer nearly always).
func TestDeliveriesShareNoSerials(t *testing.T) {
	const n = 400
	before, key := tables(t, data(n, 1)), rng.SecretFromSeed(3)
	deliveries := []Delivery{
		{PhaseOne, "a university", 1}, {PhaseOne, "a university", 2}, {PhaseOne, "a university", 3}, {PhaseOne, "a university", 11},
		{PhaseTwo, "a university", 1}, {PhaseOne, "another university", 1}, {PhaseOne, "", 1}, {},
	}
	serials := make([][]int32, len(deliveries)) // by employer
	for k, d := range deliveries {
		_, m, err := Serialise(before, key, d, false)
		if err != nil {
			t.Fatal(err)
		}
		serials[k] = make([]int32, n)
		for s, e := range m.Employers {
			serials[k][e] = int32(s)
		}
		if _, again, err := Serialise(before, key, d, false); err != nil || !cmp.Equal(m, again) {
			t.Errorf("%+v: the same delivery has other serials (%v)", d, err)
		}
	}
	for a := range serials {
		for b := range a {
			agree, sum := 0, 0.0
			for e := range n {
				if serials[a][e] == serials[b][e] {
					agree++
				}
				d := float64(serials[a][e] - serials[b][e])
				sum += float64(d * d)
			}
			rho := 1 - 6*sum/float64(n*(n*n-1))
			if band := 3.89 / math.Sqrt(n-1); math.Abs(rho) > band || agree > 6 {
				t.Errorf("%+v and %+v: Spearman %.3f (band %.3f), %d serials agree", deliveries[a], deliveries[b], rho, band, agree)
			}
		}
	}
}
