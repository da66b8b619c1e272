package audit

import (
	"bytes"
	"os"
	"path/filepath"

	"scramblelab/internal/publish"
	"scramblelab/internal/release"
)

// checkBytes writes the tables that were read once more and compares the files:
// what no table accounts for (padding, statistics, row groups of another size, a
// second gzip member) is a place where the order or the size of the original may
// stand. Only the version that wrote a release writes the same bytes.
func checkBytes(f *folder) []Finding {
	if s := f.notWhole(); s != nil {
		return s
	}
	if f.tool != f.manifest.Tool {
		return skipped("written by %s, and this is %s: only the same version writes the same bytes", f.manifest.Tool, f.tool)
	}
	tmp, err := os.MkdirTemp("", "audit")
	if err != nil {
		return skipped("no room to write the tables again: %v", err)
	}
	defer os.RemoveAll(tmp)
	dir := filepath.Join(tmp, "release")
	if _, err := release.Write(f.ctx, dir, f.rel.Tables, f.manifest.Meta, release.Options{Format: f.manifest.Format}); err != nil {
		return []Finding{fail(again, "its tables cannot be written as a release: %v", err)}
	}
	var found []Finding
	n := 0
	for _, name := range release.Names(f.manifest.Format) {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return skipped("%v", err)
		}
		n += len(want)
		if got := f.raw[name]; !bytes.Equal(got, want) {
			found = append(found, fail(again, "%s has %d bytes and its tables make %d others: something beside them stands in it", name, len(got), len(want)))
		}
	}
	return or(found, "all %d bytes are those that the tables make: no padding, no order of writing, no size of the original", n)
}

// checkThreshold looks for cells below the minimum that the manifest promises.
func checkThreshold(f *folder) []Finding {
	least := f.manifest.MinimumCell
	if least <= 1 {
		return pass("the plan promises no least head count of a cell")
	}
	if s := f.notWhole(); s != nil {
		return s
	}
	c, ok := f.rel.Tables.Cells.Lookup(publish.Workers)
	if !ok {
		return skipped("cells have no head counts")
	}
	below := 0
	for i := range f.rel.Tables.Cells.Rows() {
		switch {
		case c.Missing(i):
		case c.Coded():
			if bounds, ok := publish.Contiguous([]string{c.Dict.Label(c.I[i])}); ok && bounds[0] < float64(least) {
				below++
			}
		case c.Value(i) < float64(least):
			below++
		}
	}
	if below > 0 {
		return []Finding{fail(again, "%d of %d cells count fewer than the %d workers that the plan promises", below, f.rel.Tables.Cells.Rows(), least)}
	}
	return pass("no cell counts fewer than the %d workers that the plan promises", least)
}
