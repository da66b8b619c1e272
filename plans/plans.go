// Package plans holds the plans that ship with the product. Each is an ordinary
// plan file: copy one and edit it.
package plans

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed *.yaml
var files embed.FS

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
