package linked_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// row is a job as a user's file has it.
type row struct {
	Employer, Worker, Level string
	Year, Wage              int32
}

// table turns rows of labels and numbers into a frame, as a reader would: its
// codebooks come from the values alone.
func table(rows []row, withWorker bool) *frame.Frame {
	column := func(name string, of func(row) string) frame.Column {
		v := make([]string, len(rows))
		for i, r := range rows {
			v[i] = of(r)
		}
		return frame.Strings(name, v)
	}
	years, wages := make([]int32, len(rows)), make([]int32, len(rows))
	for i, r := range rows {
		years[i], wages[i] = r.Year, r.Wage
	}
	f := frame.Must(
		frame.Ints(linked.Wage, wages),
		column(linked.Level, func(r row) string { return r.Level }),
		frame.Ints(linked.Year, years),
		column(linked.Employer, func(r row) string { return r.Employer }),
	)
	if withWorker {
		f = f.With(column(linked.Worker, func(r row) string { return r.Worker }))
	}
	return f
}

func lines(f *frame.Frame) []string {
	out := make([]string, f.Rows())
	for i := range out {
		var b strings.Builder
		for _, c := range f.Columns() {
			if c.Coded() {
				fmt.Fprintf(&b, "%s=%q ", c.Name, c.Dict.Label(c.I[i]))
			} else {
				fmt.Fprintf(&b, "%s=%v ", c.Name, c.Value(i))
			}
		}
		out[i] = b.String()
	}
	return out
}

var anyRow = rapid.Custom(func(t *rapid.T) row {
	return row{
		Employer: rapid.SampledFrom([]string{"e10", "e2", "e1"}).Draw(t, "employer"),
		Worker:   rapid.SampledFrom([]string{"w1", "w2", ""}).Draw(t, "worker"),
		Level:    rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "level"),
		Year:     rapid.Int32Range(2003, 2004).Draw(t, "year"),
		Wage:     rapid.SampledFrom([]int32{10, 20, frame.NoInt}).Draw(t, "wage"),
	}
})

func TestCanonicalForgetsTheOrderOfRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(anyRow).Draw(t, "rows")
		permuted := rapid.Permutation(rows).Draw(t, "permuted")
		withWorker := rapid.Bool().Draw(t, "with worker")
		a, b := linked.Canonical(table(rows, withWorker)), linked.Canonical(table(permuted, withWorker))
		if diff := cmp.Diff(lines(a), lines(b)); diff != "" {
			t.Fatalf("permuted input gives another table (-first +second):\n%s", diff)
		}
		for i, c := range a.Columns() {
			if d := b.Columns()[i]; !slices.Equal(c.I, d.I) {
				t.Fatalf("codes or integers of %q differ: %v and %v", c.Name, c.I, d.I)
			}
		}
		if linked.Canonical(a) != a {
			t.Fatal("a canonical table was sorted again, want the table itself")
		}
	})
}

func TestCanonicalOrder(t *testing.T) {
	f := linked.Canonical(table([]row{
		{"b", "w1", "x", 2003, 1}, {"a", "w2", "x", 2004, 1}, {"a", "w2", "x", 2003, 2}, {"a", "w2", "y", 2003, 1}, {"a", "w1", "y", 2003, 9},
	}, true))
	var got []string
	for i := range f.Rows() {
		got = append(got, fmt.Sprintf("%s %d %s %d",
			f.Col(linked.Employer).Dict.Label(f.Col(linked.Employer).I[i]), f.Col(linked.Year).I[i],
			f.Col(linked.Worker).Dict.Label(f.Col(linked.Worker).I[i]), f.Col(linked.Wage).I[i]))
	}
	want := []string{"a 2003 w1 9", "a 2003 w2 1", "a 2003 w2 2", "a 2004 w2 1", "b 2003 w1 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want employer, year, worker, then the other columns (-want +got):\n%s", diff)
	}
}

func data() *linked.Data {
	d := frame.MustDict("e1", "e2")
	jobs := frame.Must(
		frame.Codes(linked.Employer, d, []int32{0, 0, 0, 1}),
		frame.Ints(linked.Year, []int32{2003, 2003, 2005, 2003}),
		frame.Ints(linked.Worker, []int32{1, 2, 1, 3}),
	)
	firms := frame.Must(
		frame.Codes(linked.Employer, d, []int32{0, 0, 1}),
		frame.Ints(linked.Year, []int32{2003, 2005, 2003}),
	)
	return &linked.Data{Jobs: jobs, Firms: firms, Accounts: firms, Periods: true}
}

func TestValidate(t *testing.T) {
	other := frame.MustDict("e1", "e2")
	tests := []struct {
		name, why string
		change    func(d *linked.Data)
		want      string // part of the error, "" for none
	}{
		{"good", "", func(*linked.Data) {}, ""},
		{"no accounts", "most data of others have none", func(d *linked.Data) { d.Accounts = nil }, ""},
		{"no worker", "the row is the unit", func(d *linked.Data) { d.Jobs = d.Jobs.Without(linked.Worker) }, ""},
		{"no jobs", "", func(d *linked.Data) { d.Jobs = nil }, "no jobs"},
		{"empty jobs", "", func(d *linked.Data) { d.Jobs = d.Jobs.Take(nil) }, "no jobs"},
		{"no firms", "", func(d *linked.Data) { d.Firms = nil }, `"employer"`},
		{"jobs without employer", "", func(d *linked.Data) { d.Jobs = d.Jobs.Without(linked.Employer) }, `"employer"`},
		{"jobs without year", "", func(d *linked.Data) { d.Jobs = d.Jobs.Without(linked.Year) }, `"year"`},
		{"firms without year", "", func(d *linked.Data) { d.Firms = d.Firms.Without(linked.Year) }, `"year"`},
		{"accounts without employer", "an error, not a panic", func(d *linked.Data) { d.Accounts = d.Accounts.Without(linked.Employer) }, "accounts need"},
		{"accounts without year", "", func(d *linked.Data) { d.Accounts = d.Accounts.Without(linked.Year) }, "accounts need"},
		{"employer as a number", "codes run over the whole selection", func(d *linked.Data) {
			d.Jobs = d.Jobs.With(frame.Ints(linked.Employer, []int32{0, 0, 0, 1}))
		}, "codes of one codebook"},
		{"year as a label", "", func(d *linked.Data) {
			d.Firms = d.Firms.With(frame.Strings(linked.Year, []string{"2003", "2004", "2003"}))
		}, "integers"},
		{"firms with a codebook of their own", "equal codes must mean equal employers", func(d *linked.Data) {
			d.Firms = d.Firms.With(frame.Codes(linked.Employer, other, []int32{0, 0, 1}))
		}, "firms must share"},
		{"accounts with a codebook of their own", "", func(d *linked.Data) {
			d.Accounts = d.Accounts.With(frame.Codes(linked.Employer, other, []int32{0, 0, 1}))
		}, "accounts must share"},
		{"jobs out of order by employer", "", func(d *linked.Data) { d.Jobs = d.Jobs.Take([]int32{3, 0, 1, 2}) }, "canonical order"},
		{"jobs out of order by worker", "", func(d *linked.Data) { d.Jobs = d.Jobs.Take([]int32{1, 0, 2, 3}) }, "canonical order"},
		{"firms out of order by year", "", func(d *linked.Data) { d.Firms = d.Firms.Take([]int32{1, 0, 2}) }, "canonical order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := data()
			tt.change(d)
			err := d.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error is %v, want none: %s", err, tt.why)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error is %v, want one with %q: %s", err, tt.want, tt.why)
			}
		})
	}
}

func TestEmployersAndYears(t *testing.T) {
	d := data()
	if got := d.Employers(); got != 2 {
		t.Errorf("%d employers, want 2", got)
	}
	if diff := cmp.Diff([]int32{2003, 2005}, d.Years()); diff != "" {
		t.Errorf("years (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int32{2003, 2005, 2003}, d.Firms.Col(linked.Year).I); diff != "" {
		t.Errorf("asking for the years changed the firms (-want +got):\n%s", diff)
	}
}

func TestSizeCode(t *testing.T) {
	tests := []struct {
		staff int32
		want  string
	}{
		{-1, ""}, {0, ""}, {1, "1-4"}, {4, "1-4"}, {5, "5-9"}, {9, "5-9"}, {10, "10-19"}, {19, "10-19"}, {20, "20-49"},
		{49, "20-49"}, {50, "50-99"}, {100, "100-199"}, {200, "200-499"}, {500, "500-999"}, {999, "500-999"}, {1000, "1000+"}, {250000, "1000+"},
		{frame.NoInt, ""},
	}
	for _, tt := range tests {
		if got := linked.SizeDict.Label(linked.SizeCode(tt.staff)); got != tt.want {
			t.Errorf("a staff of %d is of class %q, want %q", tt.staff, got, tt.want)
		}
	}
	if len(linked.SizeBounds) != linked.SizeDict.Len() {
		t.Errorf("%d bounds for %d classes", len(linked.SizeBounds), linked.SizeDict.Len())
	}
}
