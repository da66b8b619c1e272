// Package audit looks into a release folder for what it must not carry: files
// that do not belong, original identifiers or their hashes, enterprise numbers,
// keys and seeds, paths and times, an order that follows the original's, exact
// values where classes were promised, labels outside the codebook.
//
// Without the escrow it checks what any reader could check. With it, it also
// looks for the originals and the key themselves. It finds careless leaks, not
// hidden ones: a figure that was altered on purpose to carry a message passes.
package audit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"scramblelab/internal/escrow"
	"scramblelab/internal/linked"
	"scramblelab/internal/release"
)

// Severity says how a check ended.
type Severity string

// How a check ends.
const (
	Pass    Severity = "pass"
	Fail    Severity = "fail"
	Warn    Severity = "warn"
	Skipped Severity = "skipped"
)

// Finding is the outcome of one check, or one of several failures of it.
type Finding struct {
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	Detail   string   `json:"detail"`
	Remedy   string   `json:"remedy,omitempty"` // what to do about a failure or warning
}

// Failed reports whether any check failed.
func Failed(f []Finding) bool {
	return slices.ContainsFunc(f, func(x Finding) bool { return x.Severity == Fail })
}

// checks is the one list of checks, in the order of the report.
var checks = []struct {
	name string
	run  func(*folder) []Finding
}{
	{"files", checkFiles},
	{"whole", checkWhole},
	{"columns", checkColumns},
	{"classes", checkClasses},
	{"threshold", checkThreshold},
	{"sorted", checkSorted},
	{"size-order", checkSizeOrder},
	{"words", checkWords},
	{"paths", checkPaths},
	{"times", checkTimes},
	{"check-digits", checkEnterpriseNumbers},
	{"metadata", checkMetadata},
	{"bytes", checkBytes},
	{"destruction", checkDestruction},
	{"simulation", checkSimulation},
	{"key", checkKey},
	{"identifiers", checkIdentifiers},
	{"original-order", checkOriginalOrder},
}

// folder is a release as it lies on disk, and what is known about it.
type folder struct {
	ctx      context.Context
	tool     string
	dir      string
	manifest release.Manifest
	extra    []string
	files    map[string][]byte // by name, decompressed text or raw bytes
	raw      map[string][]byte
	names    []string // sorted
	whole    error    // why it could not be opened
	rel      *release.Release
	escrow   *escrow.Escrow
	original *linked.Data
}

// Options is what an audit knows beside the folder. The zero value knows
// nothing; checks that need more are then skipped and say so.
type Options struct {
	Escrow   *escrow.Escrow
	Original *linked.Data // what the release was made from
	Tool     string       // this program and its version: files of the same must be the same, byte for byte
}

// Release audits the folder dir. The error is for folders that cannot be read at
// all.
func Release(ctx context.Context, dir string, o Options) ([]Finding, error) {
	f := &folder{ctx: ctx, dir: dir, files: map[string][]byte{}, raw: map[string][]byte{}, escrow: o.Escrow, original: o.Original, tool: o.Tool}
	var err error
	if f.manifest, err = release.ReadManifest(dir); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if f.extra, err = release.Extra(dir, f.manifest); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if err := f.load(); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	f.rel, f.whole = release.Open(ctx, dir)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var out []Finding
	for _, c := range checks {
		found := c.run(f)
		for i := range found {
			found[i].Check = c.name
		}
		out = append(out, found...)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// load reads every regular file of the folder and of folders in it.
func (f *folder) load() error {
	err := filepath.WalkDir(f.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(f.dir, path)
		if err != nil {
			return err
		}
		f.names = append(f.names, name)
		f.raw[name], f.files[name] = b, readable(name, b)
		return nil
	})
	slices.Sort(f.names)
	return err
}

func pass(format string, a ...any) []Finding {
	return []Finding{{Severity: Pass, Detail: fmt.Sprintf(format, a...)}}
}

func skipped(format string, a ...any) []Finding {
	return []Finding{{Severity: Skipped, Detail: fmt.Sprintf(format, a...)}}
}

func fail(remedy, format string, a ...any) Finding {
	return Finding{Severity: Fail, Detail: fmt.Sprintf(format, a...), Remedy: remedy}
}

// or returns the failures, or a pass where there are none.
func or(found []Finding, format string, a ...any) []Finding {
	if len(found) > 0 {
		return found
	}
	return pass(format, a...)
}
