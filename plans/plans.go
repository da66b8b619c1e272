// Package plans holds the plans that ship with the product, and the hierarchies
// of codes by which they recode. Each is an ordinary file: copy one and edit it.
package plans

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

//go:embed *.yaml hierarchies/*.csv
var files embed.FS

// prefix marks a hierarchy that ships with the product.
const prefix = "shipped:"

// Shipped reports whether a plan means a hierarchy that ships with the product,
// such as "shipped:level.csv", and no file of the user's.
func Shipped(name string) bool { return strings.HasPrefix(name, prefix) }

// Open opens a hierarchy that a plan names: a shipped one, or a path.
func Open(name string) (io.ReadCloser, error) {
	if !Shipped(name) {
		return os.Open(name)
	}
	f, err := files.Open("hierarchies/" + strings.TrimPrefix(name, prefix))
	if err != nil {
		return nil, fmt.Errorf("plans: no shipped hierarchy %q: shipped are %s", name, strings.Join(hierarchies(), ", "))
	}
	return f, nil
}

func hierarchies() []string {
	paths, _ := fs.Glob(files, "hierarchies/*.csv")
	for i, p := range paths {
		paths[i] = prefix + strings.TrimPrefix(p, "hierarchies/")
	}
	return paths
}

// Read returns a shipped plan by name, such as "ksz-default" or
// "ksz-default.yaml".
func Read(name string) ([]byte, error) {
	b, err := files.ReadFile(strings.TrimSuffix(name, ".yaml") + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("plans: no shipped plan %q: shipped are %s", name, strings.Join(Names(), ", "))
	}
	return b, nil
}

// Names returns the names of the shipped plans in order, without extension.
func Names() []string {
	paths, _ := fs.Glob(files, "*.yaml") // sorted; the pattern is well formed
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(p, ".yaml")
	}
	return paths
}
