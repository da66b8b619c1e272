// Package policies holds the policies that ship with the product.
package policies

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

//go:embed *.yaml
var shipped embed.FS

// Read returns a policy by file name, or a built-in one by its bare name (ksz). A
// file on disk wins.
func Read(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err == nil {
		return b, nil
	}
	if built, inner := shipped.ReadFile(name + ".yaml"); inner == nil {
		return built, nil
	}
	return nil, fmt.Errorf("policy: %w (built-in policies: %s)", err, strings.Join(Names(), ", "))
}

// Names returns the names of the built-in policies in order, without extension.
func Names() []string {
	paths, _ := fs.Glob(shipped, "*.yaml") // sorted; the pattern is well formed
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(p, ".yaml")
	}
	return paths
}
