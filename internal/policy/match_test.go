package policy

import "testing"

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"a.b", "a.b", true},
		{"a.b", "a.bc", false},
		{"a.*.top1", "a.b.top1", true},
		{"a.*.top1", "a.b.c.top1", true}, // dots included
		{"a.*.top1", "a.top1", false},    // the parts may not overlap
		{"*", "", true},
		{"*.top1", "x.top5", false},
		{"a*b*c", "a1b2c", true},
		{"a*b*c", "ac", false},
		{"a*b*bc", "abc", false},
		{"size *", "size 1-4", true},
	}
	for _, tt := range tests {
		if got := Match(tt.pattern, tt.name); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
}
