package swap

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/frame"
)

// TestEncodeSeparatesExactly: two rows have one code if and only if they agree
// on every column, also where numbers are so far apart that codes are sorted.
func TestEncodeSeparatesExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 50).Draw(t, "rows")
		column := func(name string) frame.Column {
			if rapid.Bool().Draw(t, name+" coded") {
				return frame.Codes(name, levelDict, rapid.SliceOfN(rapid.Int32Range(-1, 3), n, n).Draw(t, name))
			}
			some := rapid.SampledFrom([]int32{frame.NoInt, frame.NoInt + 1, -7, 0, 1, 5, 1 << 20, 1<<31 - 1})
			return frame.Ints(name, rapid.SliceOfN(some, n, n).Draw(t, name))
		}
		f := frame.Must(column("a"), column("b"), column("c"))
		names := []string{"a", "b", "c"}
		c, err := encode(t.Context(), []*frame.Frame{f}, names)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if int(c.codes[i]) >= c.k {
				t.Fatalf("code %d of %d", c.codes[i], c.k)
			}
			for j := range i {
				equal := !slices.ContainsFunc(names, func(x string) bool { return f.Col(x).Compare(i, j) != 0 })
				if equal != (c.codes[i] == c.codes[j]) {
					t.Fatalf("rows %d and %d: equal %v, codes %d and %d", i, j, equal, c.codes[i], c.codes[j])
				}
			}
		}
		b, err := sortByCode(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		var all []int32
		for k := range b.len() {
			rows := b.items[b.bounds[k]:b.bounds[k+1]]
			if len(rows) == 0 || !slices.IsSorted(rows) {
				t.Fatalf("bucket %d is %v", k, rows)
			}
			for _, r := range rows {
				if c.codes[r] != c.codes[rows[0]] {
					t.Fatalf("bucket %d mixes codes", k)
				}
			}
			all = append(all, rows...)
		}
		if slices.Sort(all); !slices.Equal(all, Identity(n)) {
			t.Fatalf("buckets hold %v", all)
		}
	})
}

// TestAddressesAreOfLabels: a stratum's stream does not depend on the codes of
// its labels, so that more employers in a codebook move nobody else.
func TestAddressesAreOfLabels(t *testing.T) {
	a := frame.Codes("level", frame.MustDict("x", "y"), []int32{1})
	b := frame.Codes("level", frame.MustDict("w", "x", "y"), []int32{2})
	other := frame.Codes("level", frame.MustDict("x", "y"), []int32{0})
	if address([]frame.Column{a}, 0) != address([]frame.Column{b}, 0) {
		t.Error("the same label has two addresses")
	}
	if address([]frame.Column{a}, 0) == address([]frame.Column{other}, 0) {
		t.Error("two labels have one address")
	}
}
