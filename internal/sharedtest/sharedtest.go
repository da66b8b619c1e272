// Package sharedtest is what tests of several packages share. It finds reference
// cases and data sets that are kept beside the checkout, in ../shared, and skips
// a test where they are absent; and it keeps the tables of the manual that tests
// measure.
package sharedtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a shared file such as "cases/attack_swap_posterior.json",
// or skips the test with a message that says which file is missing.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	p := filepath.Join(root(tb), "..", "shared", filepath.FromSlash(name))
	if _, err := os.Stat(p); err != nil {
		tb.Skipf("shared/%s is not beside this checkout; skipping", name)
	}
	return p
}

// Case decodes a shared JSON case into v, or skips the test.
func Case(tb testing.TB, name string, v any) {
	tb.Helper()
	b, err := os.ReadFile(Path(tb, "cases/"+name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		tb.Fatalf("shared/cases/%s.json: %v", name, err)
	}
}

func root(tb testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
		if d == filepath.Dir(d) {
			tb.Fatalf("no go.mod above %s", dir)
		}
	}
}
