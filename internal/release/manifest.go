package release

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Meta is what a manifest says about why a release exists and how it was made.
// None of it may name the original: no seed, key, digest of the data, original
// identifier, path or time.
type Meta struct {
	Purpose     string            `json:"purpose"`
	Recipient   string            `json:"recipient"`
	LegalBasis  map[string]string `json:"legal_basis,omitempty"` // by source
	DestroyWhen string            `json:"destroy_when"`          // a sentence that ends in a date YYYY-MM-DD
	ExtendedBy  string            `json:"extended_by,omitempty"`
	PlanDigest  string            `json:"plan_digest"`
	Tool        string            `json:"tool"`       // software and version
	Simulation  bool              `json:"simulation"` // true: made from a known seed, must not hold real data
	Unit        string            `json:"unit"`       // employer, employer-year or worker
	Records     int               `json:"records"`    // records released
	// Selection is the number of records they were drawn from. It is written
	// only where design weights are released, whose sum gives it away anyhow;
	// otherwise leave it 0.
	Selection     int     `json:"selection,omitempty"`
	SerialPerYear bool    `json:"serial_per_year,omitempty"` // another serial each year
	SampleShare   float64 `json:"sample_share,omitempty"`    // share of each employer's workers that is counted, where they were sampled
	// Phase and Delivery say which serials these are. KeysDrawn is the number of
	// keys that were drawn for this scramble of this population up to this one:
	// above 1, the release may have been chosen by its result. 0: not counted, a
	// simulation.
	Phase     string `json:"phase,omitempty"`
	Delivery  int    `json:"delivery,omitempty"`
	KeysDrawn int    `json:"keys_drawn,omitempty"`
	// MinimumCell is the least head count of a released cell, where the plan
	// promises one.
	MinimumCell int      `json:"minimum_cell,omitempty"`
	Notes       []string `json:"notes,omitempty"`
}

// Manifest is manifest.json.
type Manifest struct {
	Version int `json:"version"`
	Meta
	Format string `json:"format"` // csv, csv.gz or parquet
	Files  []File `json:"files"`  // by name; every file but the manifest
}

// File is one file of a release.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Rows   *int   `json:"rows,omitempty"` // tables only
}

// ManifestName is the file that makes a folder a release.
const ManifestName = "manifest.json"

const version = 1

// Formats of the tables.
const (
	Parquet = "parquet"
	CSV     = "csv"
	CSVGzip = "csv.gz"
)

// Names returns the files of a release in the given format, sorted.
func Names(format string) []string {
	names := []string{"cells." + format, "codebook.json", "datapackage.json", "employers." + format, ManifestName, "read.R", "read.do", "read.py"}
	slices.Sort(names)
	return names
}

// AllNames returns the files that a release may hold in one format or another,
// sorted.
func AllNames() []string {
	names := slices.Concat(Names(Parquet), Names(CSV), Names(CSVGzip))
	slices.Sort(names)
	return slices.Compact(names)
}

var isoDate = regexp.MustCompile(`\b(\d{4}-\d{2}-\d{2})\b`)

// Deadline returns the last date that DestroyWhen names.
func (m Meta) Deadline() (time.Time, bool) {
	found := isoDate.FindAllString(m.DestroyWhen, -1)
	if len(found) == 0 {
		return time.Time{}, false
	}
	at, err := time.Parse(time.DateOnly, found[len(found)-1])
	return at, err == nil
}

// Overdue says that the day of destruction is past at now, or cannot be told.
func (m Meta) Overdue(now time.Time) []string {
	at, ok := m.Deadline()
	switch {
	case !ok:
		return []string{fmt.Sprintf("the release names no day of destruction (destroy_when is %q): ask its maker for a manifest that ends in a date", m.DestroyWhen)}
	case now.UTC().Before(at.AddDate(0, 0, 1)):
		return nil
	case m.ExtendedBy != "":
		return []string{fmt.Sprintf("this release was to be destroyed by %s; extended by: %s", at.Format(time.DateOnly), m.ExtendedBy)}
	}
	return []string{fmt.Sprintf("this release was to be destroyed by %s: destroy it and keep a record, or have the extension decided (project.extended_by)", at.Format(time.DateOnly))}
}
