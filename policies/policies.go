// Package policies holds the policies that ship with the product.
package policies

import (
	"embed"
	"fmt"
	"os"
	"strings"
)

//go:embed *.yaml
var shipped embed.FS

// Read returns a policy by file name, or a built-in one by its bare name
// (ksz). A file on disk wins.
func Read(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err == nil {
		return b, nil
	}
	if built, inner := shipped.ReadFile(strings.TrimSuffix(name, ".yaml") + ".yaml"); inner == nil && !strings.ContainsAny(name, "/\\") {
		return built, nil
	}
	return nil, fmt.Errorf("policy: %w (built-in policies: ksz)", err)
}
