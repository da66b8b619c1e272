package policies_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/policy"
	"scramblelab/policies"
)

// Every policy that ships is one, and every gate says where its limit comes from
// and what to do.
func TestShipped(t *testing.T) {
	if diff := cmp.Diff([]string{"ema-0070", "eurostat", "ksz", "strict"}, policies.Names()); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	for _, name := range policies.Names() {
		b, err := policies.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := policy.Parse(name, b)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.Name != name || p.About == "" {
			t.Errorf("%s calls itself %q, about %q", name, p.Name, p.About)
		}
		for _, g := range p.Gates {
			if len(g.Why) < 20 || g.Remedy == "" {
				t.Errorf("%s: %s has no reason or no remedy", name, g.Metric)
			}
			if !strings.Contains(g.Why, "ASSUMPTION") && !strings.Contains(g.Why, "guidance") && !strings.Contains(g.Why, "minimum frequency") {
				t.Errorf("%s: %s neither names a norm nor is marked as an assumption: %s", name, g.Metric, g.Why)
			}
		}
	}
	t.Chdir(t.TempDir())
	if _, err := policies.Read("ksz.yaml"); err == nil {
		t.Error("a file that is not there was replaced by a built-in policy of that name")
	}
}
