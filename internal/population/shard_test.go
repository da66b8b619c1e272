package population

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"scramblelab/internal/frame"
	"scramblelab/internal/tabio"
)

func TestParseShard(t *testing.T) {
	cases := []struct {
		name, why, text string
		want            Shard
		err             string // part of the error, "" for none
	}{
		{"first", "parts run from 1", "1/4", Shard{1, 4}, ""},
		{"last", "to N", "4/4", Shard{4, 4}, ""},
		{"only", "the whole, said otherwise", "1/1", Shard{1, 1}, ""},
		{"none", "they do not run from 0", "0/4", Shard{}, "want a part from 1 to 4"},
		{"beyond", "nor past N", "5/4", Shard{}, "want a part from 1 to 4"},
		{"no parts", "nothing to take one of", "0/0", Shard{}, "want K/N"},
		{"one number", "part of how many", "3", Shard{}, "want K/N"},
		{"words", "no numbers", "one/two", Shard{}, "want K/N"},
		{"too many", "a zero too much", "1/100000", Shard{}, "1 to 10000"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseShard(c.text)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want one with %q", c.why, err, c.err)
			}
			if c.err == "" && got != c.want {
				t.Errorf("%s: %v, want %v", c.why, got, c.want)
			}
		})
	}
}

// table is what a file of a folder holds: rows, and where row groups begin.
type table struct {
	rows   *frame.Frame
	groups []int64
}

func readTable(t *testing.T, dir, name string) table {
	t.Helper()
	path := filepath.Join(dir, name+".parquet")
	f, err := tabio.Read(context.Background(), path, schemaOf(Options{}.Normal().Figures, name))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	out := table{rows: f}
	for _, g := range p.RowGroups() {
		out.groups = append(out.groups, g.NumRows())
	}
	return out
}

// texts returns every row as a text: what is compared does not depend on
// codebooks.
func texts(f *frame.Frame) []string {
	out := make([]string, f.Rows())
	for i := range out {
		var b strings.Builder
		for _, c := range f.Columns() {
			switch {
			case c.Missing(i):
				b.WriteString("-|")
			case c.Coded():
				fmt.Fprintf(&b, "%s|", c.Dict.Label(c.I[i]))
			default:
				fmt.Fprintf(&b, "%v|", c.Value(i))
			}
		}
		out[i] = b.String()
	}
	return out
}

// The shards one after the other are the whole: rows, their order, and row
// groups, however many shards there are and more of them than blocks.
func TestShardsAreTheWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("many folders")
	}
	ctx := context.Background()
	o := Options{Employers: 200, From: 2011, To: 2015, Seed: 8}
	const block = 2000 // jobs; about a dozen blocks
	write := func(shard Shard, threads int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		dir := filepath.Join(t.TempDir(), "pop")
		if _, err := generateTo(ctx, dir, o, shard, WriteOptions{}, block, nil); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	whole := write(Shard{}, 2)
	want := map[string]table{}
	for _, name := range tableNames {
		want[name] = readTable(t, whole, name)
	}
	blocks := len(want["jobs"].groups)
	if blocks < 8 {
		t.Fatalf("%d blocks are too few for the test", blocks)
	}
	crossings(t, want, blocks)
	for _, n := range []int{1, 2, 3, 7, blocks + 3} {
		var dirs []string
		for k := 1; k <= n; k++ {
			dirs = append(dirs, write(Shard{k, n}, []int{1, 2, 8}[k%3]))
		}
		for _, name := range tableNames {
			var rows []string
			var groups []int64
			for _, dir := range dirs {
				part := readTable(t, dir, name)
				rows, groups = append(rows, texts(part.rows)...), append(groups, part.groups...)
			}
			if diff := cmp.Diff(want[name].groups, groups); diff != "" {
				t.Errorf("%d shards: row groups of %s (-whole +shards):\n%s", n, name, diff)
			}
			if diff := cmp.Diff(texts(want[name].rows), rows); diff != "" {
				t.Fatalf("%d shards: rows of %s (-whole +shards):\n%s", n, name, diff)
			}
		}
	}
}

// crossings makes sure that the test looks at what crosses blocks: workers who
// change employer, employers that continue another, and links.
func crossings(t *testing.T, of map[string]table, blocks int) {
	t.Helper()
	jobs := of["jobs"]
	employer, worker, hired, left := jobs.rows.Col("employer_id").I, jobs.rows.Col("worker_id").I, jobs.rows.Col("hired").I, jobs.rows.Col("left").I
	blockOf := map[int32]int{}
	row := 0
	for b, n := range jobs.groups {
		for range n {
			if k, known := blockOf[employer[row]]; known && k != b {
				t.Fatalf("employer %d has jobs in blocks %d and %d", employer[row], k, b)
			}
			blockOf[employer[row]] = b
			row++
		}
	}
	at := map[int32]int32{}
	ended := map[[2]int32]int32{} // worker and day: employer left
	moves, takeovers := 0, 0
	for i, w := range worker {
		if e, seen := at[w]; seen && blockOf[e] != blockOf[employer[i]] {
			moves++
		}
		at[w] = employer[i]
		if left[i] != frame.NoInt {
			ended[[2]int32{w, left[i]}] = employer[i]
		}
	}
	for i, w := range worker {
		if hired[i] == frame.NoInt {
			continue
		}
		if e, ok := ended[[2]int32{w, hired[i] - 1}]; ok && blockOf[e] != blockOf[employer[i]] {
			takeovers++
		}
	}
	links := 0
	seller, buyer := of["suppliers"].rows.Col("supplier_id").I, of["suppliers"].rows.Col("customer_id").I
	for i := range seller {
		if blockOf[seller[i]] != blockOf[buyer[i]] {
			links++
		}
	}
	t.Logf("%d blocks; across blocks %d moves, %d taken over the next day, %d links", blocks, moves, takeovers, links)
	if moves == 0 || takeovers == 0 || links == 0 {
		t.Error("want moves, takeovers and links across blocks")
	}
}

// A folder written block by block holds what Generate draws.
func TestGenerateToIsGenerate(t *testing.T) {
	ctx := context.Background()
	for _, format := range []string{"parquet", "csv"} {
		o := Options{Employers: 120, From: 2011, To: 2014, Seed: 5}
		dir := filepath.Join(t.TempDir(), "pop")
		n, err := generateTo(ctx, dir, o, Shard{}, WriteOptions{Format: format}, 700, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Generate(ctx, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
		counts := Written{got.Employers.Rows(), got.Accounts.Rows(), got.Suppliers.Rows(), got.Jobs.Rows(), got.Truth.Events}
		if *n != counts {
			t.Errorf("counts %+v, want %+v", *n, counts)
		}
	}
}

// All shards are read as the whole, and nothing less.
func TestReadShards(t *testing.T) {
	ctx := context.Background()
	o := Options{Employers: 60, From: 2011, To: 2013, Seed: 5}
	write := func(o Options, s Shard) string {
		dir := filepath.Join(t.TempDir(), "pop")
		if _, err := generateTo(ctx, dir, o, s, WriteOptions{}, 400, nil); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	first, second, third := write(o, Shard{1, 3}), write(o, Shard{2, 3}), write(o, Shard{3, 3})
	other, whole := write(Options{Employers: 60, From: 2011, To: 2013, Seed: 6}, Shard{2, 3}), write(o, Shard{1, 1})
	want, err := Generate(ctx, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(ctx, third, first, second)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
	cases := []struct {
		name, why string
		dirs      []string
		want      string
	}{
		{"one", "a part is no population", []string{second}, "holds shard 2/3"},
		{"remedy", "it says what to do", []string{second}, "all 3 shards, or generate without --shard"},
		{"missing", "employers would be lacking", []string{first, third}, "shard 2/3 is missing"},
		{"twice", "rows would be doubled", []string{first, second, second}, "both hold shard 2/3"},
		{"foreign", "another seed", []string{first, other, third}, "two populations"},
		{"whole", "it has those rows already", []string{first, second, third, whole}, "whole population"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Read(ctx, c.dirs[0], c.dirs[1:]...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want one with %q", c.why, err, c.want)
			}
		})
	}
}
