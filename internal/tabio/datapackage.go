package tabio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"scramblelab/internal/frame"
)

// File is a table that a data package describes.
type File struct {
	Path        string            // relative to the package, with forward slashes
	Frame       *frame.Frame      // its columns; the rows are not looked at
	Description map[string]string // by column
}

// enumMax is the size of codebook from which labels are not listed.
const enumMax = 100

type dataPackage struct {
	Profile   string     `json:"profile"`
	Name      string     `json:"name"`
	Resources []resource `json:"resources"`
}

type resource struct {
	Name        string      `json:"name"`
	Path        string      `json:"path"`
	Profile     string      `json:"profile"`
	Format      string      `json:"format"`
	Mediatype   string      `json:"mediatype"`
	Compression string      `json:"compression,omitempty"`
	Encoding    string      `json:"encoding,omitempty"`
	Schema      tableSchema `json:"schema"`
}

type tableSchema struct {
	Fields        []schemaField `json:"fields"`
	MissingValues []string      `json:"missingValues"`
}

type schemaField struct {
	Name        string       `json:"name"`
	Type        string       `json:"type"`
	Format      string       `json:"format"`
	Description string       `json:"description,omitempty"`
	Constraints *constraints `json:"constraints,omitempty"`
}

type constraints struct {
	Enum []string `json:"enum"`
}

// DataPackage returns the text of datapackage.json, the Frictionless descriptor
// (version 1) of a folder of tables. It holds names, types and codebooks of
// fewer than 100 labels, and nothing that depends on rows beyond them. name and
// file names must be lower-case letters, digits and "-._".
func DataPackage(name string, files []File) ([]byte, error) {
	if !isSlug(name) {
		return nil, fmt.Errorf("tabio: data package name %q: use lower-case letters, digits, \"-\", \".\" and \"_\"", name)
	}
	p := dataPackage{Profile: "tabular-data-package", Name: name, Resources: []resource{}}
	seen := map[string]bool{}
	for _, f := range files {
		r, err := describeFile(f)
		if err != nil {
			return nil, fmt.Errorf("tabio: data package: %s: %w", f.Path, err)
		}
		if seen[r.Name] {
			return nil, fmt.Errorf("tabio: data package: two files are named %q: rename one", r.Name)
		}
		seen[r.Name] = true
		if r.Format != "csv" {
			p.Profile = "data-package" // the tabular profile is for CSV alone
		}
		p.Resources = append(p.Resources, r)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return nil, fmt.Errorf("tabio: data package: %w", err)
	}
	return b.Bytes(), nil
}

func describeFile(f File) (resource, error) {
	if path.IsAbs(f.Path) || f.Path != path.Clean(f.Path) || strings.HasPrefix(f.Path, "../") || strings.ContainsAny(f.Path, `\:`) {
		return resource{}, errors.New("want a path inside the package, with forward slashes")
	}
	kind, err := formatOf(f.Path)
	if err != nil {
		return resource{}, err
	}
	base, _, _ := strings.Cut(path.Base(f.Path), ".")
	if !isSlug(base) {
		return resource{}, errors.New(`name files in lower-case letters, digits, "-" and "_"`)
	}
	r := resource{Name: base, Path: f.Path, Profile: "tabular-data-resource", Format: "csv", Mediatype: "text/csv", Encoding: "utf-8"}
	switch kind {
	case formatCSVGzip:
		r.Compression = "gz"
	case formatParquet:
		r.Profile, r.Format, r.Mediatype, r.Encoding = "data-resource", "parquet", "application/vnd.apache.parquet", ""
	}
	r.Schema = tableSchema{Fields: []schemaField{}, MissingValues: []string{""}}
	for _, c := range f.Frame.Columns() {
		s := schemaField{Name: c.Name, Type: typeOf(c), Format: "default", Description: f.Description[c.Name]}
		if c.Coded() && c.Dict.Len() > 0 && c.Dict.Len() < enumMax {
			s.Constraints = &constraints{Enum: c.Dict.Labels()}
		}
		r.Schema.Fields = append(r.Schema.Fields, s)
	}
	for name := range f.Description {
		if !f.Frame.Has(name) {
			return resource{}, fmt.Errorf("a description is given for column %q, which is not there", name)
		}
	}
	return r, nil
}

func typeOf(c frame.Column) string {
	switch {
	case c.Coded():
		return "string"
	case c.Kind == frame.Date:
		return "date"
	case c.Kind == frame.Float, c.Decimals > 0:
		return "number"
	}
	return "integer"
}

func isSlug(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return s != ""
}

// Checksum returns the SHA-256 of a file in hexadecimal, and its size in bytes.
func Checksum(path string) (sum string, size int64, err error) {
	f, err := open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, fmt.Errorf("tabio: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}
