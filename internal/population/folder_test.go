package population

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolderRoundTrip(t *testing.T) {
	ctx := context.Background()
	for _, o := range []Options{
		{Employers: 60, From: 2009, To: 2012, Seed: 3},
		{Employers: 50, From: 2012, To: 2012, Seed: 3, Suppliers: "none", World: "null"},
	} {
		p, err := Generate(ctx, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"parquet", "csv"} {
			dir := filepath.Join(t.TempDir(), "pop")
			if err := p.Write(ctx, dir, WriteOptions{Format: format}, nil); err != nil {
				t.Fatal(err)
			}
			got, err := Read(ctx, dir)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, p)
			if err := p.Write(ctx, dir, WriteOptions{Format: format}, nil); err == nil {
				t.Error("a folder that exists was replaced without Force")
			}
			for _, other := range []string{format, "csv", "parquet"} {
				if err := p.Write(ctx, dir, WriteOptions{Format: other, Force: true}, nil); err != nil {
					t.Errorf("force, %s: %v", other, err)
				}
			}
			thesis := filepath.Join(dir, "thesis.txt")
			if err := os.WriteFile(thesis, []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
			for name, err := range map[string]error{
				"Check": WriteOptions{Force: true}.Check(dir),
				"Write": p.Write(ctx, dir, WriteOptions{Format: format, Force: true}, nil),
			} {
				if err == nil || !strings.Contains(err.Error(), "holds thesis.txt") {
					t.Errorf("%s: error %v, want a refusal to delete thesis.txt", name, err)
				}
			}
			if _, err := os.Stat(thesis); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := Read(ctx, t.TempDir()); err == nil || !strings.Contains(err.Error(), "synth population") {
		t.Errorf("reading an empty folder: %v, want advice", err)
	}
}

func TestReadRefuses(t *testing.T) {
	ctx := context.Background()
	p, err := Generate(ctx, Options{Employers: 50, From: 2012, To: 2013, Seed: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, why, file, old, new, want string }{
		{"version", "a later layout", "truth.json", `"version": 3`, `"version": 9`, "version 9"},
		{"options", "years out of range", "truth.json", `"from": 2012`, `"from": 1912`, "from is 1912"},
		{"no json", "cut off", "truth.json", "}", "", "truth.json"},
		{"order", "rows are addressed by employer_id", "employers.csv", "\n2,", "\n7,", "row 2 of employers has employer_id 7"},
		{"unknown employer", "tables of two populations", "accounts.csv", "\n1,2012,", "\n9999,2012,", "which employers lacks"},
		{"unknown year", "tables of two windows", "accounts.csv", "\n1,2012,", "\n1,2003,", "year 2003, want 2012..2013"},
		{"unknown level", "another codebook", "jobs.csv", ",L08,", ",L99,", "L99"},
		{"missing column", "an export that lost it", "jobs.csv", ",wage,", ",pay,", "wage"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "pop")
			if err := p.Write(ctx, dir, WriteOptions{Format: "csv"}, nil); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			b, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(b), c.old) {
				t.Fatalf("%s lacks %q (%v)", c.file, c.old, err)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(b), c.old, c.new, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(ctx, dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want one with %q", c.why, err, c.want)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "pop")
	if err := p.Write(ctx, dir, WriteOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "jobs.parquet")); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(ctx, dir); err == nil || !strings.Contains(err.Error(), "has no jobs.parquet") {
		t.Errorf("a folder without jobs: error %v, want one that names the file", err)
	}
}
