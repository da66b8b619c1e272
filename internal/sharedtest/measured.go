package sharedtest

import (
	"os"
	"strings"
	"testing"
)

// Measured compares a table that a test measured with the one in a document,
// between the comments <!-- NAME: begin --> and <!-- NAME: end -->. With
// UPDATE_DOCS=1 it writes it there.
func Measured(tb testing.TB, document, name, table string) {
	tb.Helper()
	doc, err := os.ReadFile(document)
	if err != nil {
		tb.Fatal(err)
	}
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->"
	head, rest, ok := strings.Cut(string(doc), begin)
	was, tail, ok2 := strings.Cut(rest, end)
	switch {
	case !ok || !ok2:
		tb.Fatalf("%s has no place for the measured table between %q and %q", document, begin, end)
	case was == table:
	case os.Getenv("UPDATE_DOCS") == "":
		tb.Fatalf("%s does not show what was measured; write it with UPDATE_DOCS=1 and this test (%s)\n%s", document, tb.Name(), table)
	default:
		if err := os.WriteFile(document, []byte(head+begin+table+end+tail), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}
