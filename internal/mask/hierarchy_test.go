package mask

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
)

func TestReadHierarchy(t *testing.T) {
	want := Hierarchy{Depth: 2, Parent: map[string][]string{"a": {"x", "all"}, "b": {"x", "all"}, "c d": {"y", "all"}}}
	tests := []struct{ name, why, text, err string }{
		{"semicolons", "as sdcMicro and ARX write it", "a;x;all\nb;x;all\nc d;y;all\n", ""},
		{"commas", "", "a,x,all\nb,x,all\nc d,y,all", ""},
		{"tabs, quotes, comments", "", "# codes\n\n\"a\"\tx\tall\r\nb\tx\tall\nc d\ty\tall\n", ""},
		{"mark of Excel", "files begin with one", "\ufeffa;x;all\nb;x;all\nc d;y;all\n", ""},
		{"empty", "", "# nothing\n", "h.csv: no codes: want lines of code;broader;broader still"},
		{"no parent", "", "a\n", "h.csv:1: \"a\" has no broader code: want code;broader;broader still"},
		{"ragged", "", "a;x;all\nb;x\n", "h.csv:2: \"b\" has 1 broader codes, want 2 as in the lines before"},
		{"empty field", "", "a;;all\n", "h.csv:1: field 2 is empty: want a code and its broader codes"},
		{"twice", "", "a;x;all\na;y;all\n", "h.csv:2: code \"a\" stands in two lines: remove one"},
		{"no tree", "a broader code has one that is broader still", "a;x;all\nb;x;none\n", "h.csv:2: \"x\" belongs to \"none\" here and to \"all\" before: a code has one broader code"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadHierarchy("h.csv", strings.NewReader(tt.text))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("%v (-want +got):\n%s", err, d)
			}
		})
	}
}

func FuzzReadHierarchy(f *testing.F) {
	f.Add("a;x;all\nb;x;all\n")
	f.Add("a,\"x\"\n#\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ReadHierarchy("h.csv", strings.NewReader(text))
		if err != nil {
			return
		}
		for code, parents := range h.Parent {
			if code == "" || len(parents) != h.Depth {
				t.Fatalf("code %q has %d broader codes of %d", code, len(parents), h.Depth)
			}
		}
	})
}

func TestRecode(t *testing.T) {
	dict, err := frame.NewDict([]string{"p1", "p2", "s1", "u1", "u2"}, []float64{1, 2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	codes := []int32{0, 1, frame.NoCode, 2, 4, 4}
	h := func(parents ...string) Hierarchy {
		out := Hierarchy{Depth: 1, Parent: map[string][]string{}}
		for k, p := range parents {
			if p != "" {
				out.Parent[dict.Label(int32(k))] = []string{p}
			}
		}
		return out
	}
	now, r, err := Recode(frame.Ordered("level", dict, codes), h("low", "low", "mid", "high", "high"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"low", "mid", "high"}, now.Dict.Labels()); d != "" {
		t.Errorf("broader codes stand in the order of their members (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]int32{0, 0, frame.NoCode, 1, 2, 2}, now.I); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if now.Kind != frame.Ordinal || now.Dict.Value(0) != 1.5 || now.Dict.Value(2) != 4.5 {
		t.Errorf("%v stands for %v and %v", now.Kind, now.Dict.Value(0), now.Dict.Value(2))
	}
	if r.Before != 4 || r.After != 3 || math.Abs(r.Left-1.5219) > 1e-4 || math.Abs(r.Bits-1.9219) > 1e-4 {
		t.Errorf("%+v", r)
	}
	if codes[5] != 4 {
		t.Error("the input was written to")
	}
	if now, r, err = Recode(frame.Ordered("level", dict, codes), h("low", "mid", "low", "high", "high"), 1); err != nil || now.Kind != frame.Category || len(r.Split) != 1 {
		t.Errorf("members that are no neighbours have no order: %v, %+v, %v", now.Kind, r, err)
	}
	for _, bad := range []struct {
		want string
		err  error
	}{
		{"lacks [\"u2\"]", second(Recode(frame.Codes("level", dict, codes), h("a", "a", "a", "a", ""), 1))},
		{"from 1 to 1", second(Recode(frame.Codes("level", dict, codes), h("a", "a", "a", "a", "a"), 2))},
		{"needs codes", second(Recode(frame.Ints("wage", codes), h("a"), 1))},
	} {
		if bad.err == nil || !strings.Contains(bad.err.Error(), bad.want) {
			t.Errorf("got %v, want %s", bad.err, bad.want)
		}
	}
}

func second(_ frame.Column, _ Recoding, err error) error { return err }

func TestSampleEmployers(t *testing.T) {
	keep, r, err := SampleEmployers(4000, 0.3, key, 1)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, yes := range keep {
		if yes {
			kept++
		}
	}
	if kept < 1055 || kept > 1345 || r.Touched != int64(4000-kept) || r.Units != 4000 { // five standard errors
		t.Errorf("%d of 4000 kept, report %+v", kept, r)
	}
	if keep, _, err := SampleEmployers(3, 1, key, 1); err != nil || !cmp.Equal(keep, []bool{true, true, true}) {
		t.Errorf("rate 1 keeps everybody: %v, %v", keep, err)
	}
	if _, _, err := SampleEmployers(3, 0, key, 1); err == nil || !strings.Contains(err.Error(), "keep a larger share") {
		t.Errorf("nobody left: %v", err)
	}
	if _, _, err := SampleEmployers(3, math.NaN(), key, 1); err == nil {
		t.Error("NaN was accepted")
	}
}
