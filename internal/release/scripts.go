package release

import (
	"scramblelab/internal/importer"
	"scramblelab/internal/publish"
)

// scripts are ready-made imports into R, Stata and Python.
func scripts(t *publish.Tables, format string) map[string][]byte {
	return importer.Scripts(importer.Folder{What: "release", CSV: "ask for the release with --format csv", Format: format,
		Tables: []importer.Table{importer.TableOf("employers", t.Employers), importer.TableOf("cells", t.Cells)}})
}
