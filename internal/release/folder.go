package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/publish"
	"scramblelab/internal/tabio"
)

// Options says how a release is written. The zero value writes Parquet and
// replaces nothing.
type Options struct {
	Format string   // parquet (also ""), csv or csv.gz
	Force  bool     // replace the release that stands there, in any format
	Inputs []string // what the run reads: the release may not be written over, into or around it
}

// Write writes a release folder, complete or not at all, and returns its
// manifest. The same tables and meta give the same bytes.
func Write(ctx context.Context, dir string, t *publish.Tables, m Meta, o Options) (Manifest, error) {
	if o.Format == "" {
		o.Format = Parquet
	}
	if !slices.Contains([]string{Parquet, CSV, CSVGzip}, o.Format) {
		return Manifest{}, fmt.Errorf("release: format is %q, want parquet, csv or csv.gz", o.Format)
	}
	for _, f := range []*frame.Frame{t.Employers, t.Cells} {
		if f.Has("employer") || len(f.Columns()) == 0 || f.Names()[0] != publish.Serial {
			return Manifest{}, fmt.Errorf("release: a table has columns %q: want serials in place of employers (Serialise)", f.Names())
		}
	}
	p, err := folder.Create(dir, folder.Options{Force: o.Force, Inputs: o.Inputs, Known: AllNames()})
	if err != nil {
		return Manifest{}, fmt.Errorf("release: %w", err)
	}
	defer p.Abort()
	man := Manifest{Version: version, Meta: m, Format: o.Format}
	if err := writeFiles(ctx, p.Path(), t, &man); err != nil {
		return Manifest{}, fmt.Errorf("release: %s: %w", dir, err)
	}
	if err := ctx.Err(); err != nil {
		return Manifest{}, err
	}
	if err := p.Commit(); err != nil {
		return Manifest{}, fmt.Errorf("release: %w", err)
	}
	return man, nil
}

func writeFiles(ctx context.Context, dir string, t *publish.Tables, man *Manifest) error {
	rows := map[string]int{"employers": t.Employers.Rows(), "cells": t.Cells.Rows()}
	for name, f := range map[string]*frame.Frame{"employers": t.Employers, "cells": t.Cells} {
		if err := tabio.Write(ctx, filepath.Join(dir, name+"."+man.Format), f); err != nil {
			return err
		}
	}
	book, err := marshal(newCodebook(t))
	if err != nil {
		return err
	}
	pack, err := dataPackage(t, man.Format)
	if err != nil {
		return err
	}
	text := scripts(t, man.Format)
	text["codebook.json"], text["datapackage.json"] = book, pack
	for name, b := range text {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	for _, name := range Names(man.Format) {
		if name == ManifestName {
			continue
		}
		f := File{Name: name}
		if f.SHA256, f.Bytes, err = tabio.Checksum(filepath.Join(dir, name)); err != nil {
			return err
		}
		if n, ok := rows[strings.TrimSuffix(name, "."+man.Format)]; ok {
			f.Rows = &n
		}
		man.Files = append(man.Files, f)
	}
	b, err := marshal(man)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ManifestName), b, 0o644)
}

// Release is a folder that was opened and found whole.
type Release struct {
	Tables   *publish.Tables
	Manifest Manifest
	Warnings []string // the day of destruction is past; files that do not belong
}

// Open reads a release. A folder without a manifest, with a file that is
// missing, damaged or of another length than the manifest says, or with labels
// outside its codebook is refused.
func Open(ctx context.Context, dir string) (*Release, error) { return openAt(ctx, dir, time.Now()) }

func openAt(ctx context.Context, dir string, now time.Time) (*Release, error) {
	man, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	r := &Release{Manifest: man, Warnings: man.Overdue(now)}
	if err := Verify(dir, man); err != nil {
		return nil, err
	}
	extra, err := Extra(dir, man)
	if err != nil {
		return nil, err
	}
	if len(extra) > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the release folder holds files that do not belong to it: %s", strings.Join(extra, ", ")))
	}
	if r.Tables, err = readTables(ctx, dir, man); err != nil {
		return nil, fmt.Errorf("release: %s: %w", dir, err)
	}
	return r, nil
}

// ReadManifest reads manifest.json alone.
func ReadManifest(dir string) (Manifest, error) {
	var man Manifest
	b, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return man, fmt.Errorf("release: %s is no release, or half a one: it has no %s; name the folder that scramble release wrote, or make it again", dir, ManifestName)
	}
	if err != nil {
		return man, fmt.Errorf("release: %w", err)
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&man); err != nil {
		return man, fmt.Errorf("release: %s is damaged: %w: copy the release again", filepath.Join(dir, ManifestName), err)
	}
	if man.Version != version {
		return man, fmt.Errorf("release: %s has version %d, this program reads %d", filepath.Join(dir, ManifestName), man.Version, version)
	}
	if !slices.Contains([]string{Parquet, CSV, CSVGzip}, man.Format) {
		return man, fmt.Errorf("release: %s has format %q, want parquet, csv or csv.gz: copy the release again", filepath.Join(dir, ManifestName), man.Format)
	}
	return man, nil
}

// Verify compares every file with the size and checksum of the manifest.
func Verify(dir string, man Manifest) error {
	listed := map[string]File{}
	for _, f := range man.Files {
		listed[f.Name] = f
	}
	for _, name := range Names(man.Format) {
		if name == ManifestName {
			continue
		}
		f, ok := listed[name]
		if !ok {
			return fmt.Errorf("release: the manifest of %s does not list %s: the release is not whole, make or copy it again", dir, name)
		}
		sum, size, err := tabio.Checksum(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("release: %s lacks %s: the release is not whole, make or copy it again", dir, name)
		case err != nil:
			return fmt.Errorf("release: %w", err)
		case size != f.Bytes:
			return fmt.Errorf("release: %s has %d bytes, the manifest says %d: it is damaged or was changed, copy the release again", filepath.Join(dir, name), size, f.Bytes)
		case sum != f.SHA256:
			return fmt.Errorf("release: the checksum of %s differs from the manifest's: it is damaged or was changed, copy the release again", filepath.Join(dir, name))
		}
	}
	return nil
}

// Extra lists what lies in the folder and does not belong to a release.
func Extra(dir string, man Manifest) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	known := Names(man.Format)
	var extra []string
	for _, e := range entries {
		if !slices.Contains(known, e.Name()) || !e.Type().IsRegular() {
			extra = append(extra, e.Name())
		}
	}
	return extra, nil
}

// ReadCodebook reads codebook.json alone.
func ReadCodebook(dir string) (Codebook, error) {
	var book Codebook
	b, err := os.ReadFile(filepath.Join(dir, "codebook.json"))
	if err == nil {
		err = json.Unmarshal(b, &book)
	}
	if err != nil {
		return book, fmt.Errorf("codebook.json: %w", err)
	}
	return book, nil
}

func readTables(ctx context.Context, dir string, man Manifest) (*publish.Tables, error) {
	book, err := ReadCodebook(dir)
	if err != nil {
		return nil, err
	}
	read := func(name string, cols []Column) (*frame.Frame, error) {
		s, err := schema(cols)
		if err != nil {
			return nil, fmt.Errorf("codebook.json: %w", err)
		}
		file := name + "." + man.Format
		f, err := tabio.Read(ctx, filepath.Join(dir, file), s)
		if err != nil {
			return nil, err
		}
		for _, x := range man.Files {
			if x.Name == file && (x.Rows == nil || *x.Rows != f.Rows()) {
				return nil, fmt.Errorf("%s has %d rows, not as many as the manifest says: copy the release again", file, f.Rows())
			}
		}
		if f.Names()[0] != publish.Serial {
			return nil, fmt.Errorf("%s begins with column %q, want %q", file, f.Names()[0], publish.Serial)
		}
		return f, nil
	}
	t := &publish.Tables{}
	if t.Employers, err = read("employers", book.Employers); err != nil {
		return nil, err
	}
	t.Cells, err = read("cells", book.Cells)
	return t, err
}
