package source_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/source"
)

const panel = `data: {jobs: PATH}
schema:
  firm: {role: employer}
  who: {role: worker}
  jaar: {role: period}
  edu: {role: ordinal, as: level, released: true, order: [low, high]}
  pay: {role: number, as: wage, released: true}
  part: {role: number, as: fte, unit: percent, released: true}
  nace: {role: category, as: sector, released: true}
  old: {role: ordinal, as: age}
`

const section = `data: {jobs: PATH, sampled_within: true}
schema:
  firm: {role: employer}
  edu: {role: category, as: level, released: true}
  w: {role: weight}
`

// read writes the text beside a plan and reads it under that plan.
func read(tb interface {
	Helper()
	Fatal(args ...any)
}, yaml, name, csv string) (*linked.Data, error) {
	tb.Helper()
	dir, err := os.MkdirTemp("", "source")
	if err != nil {
		tb.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(csv), 0o600); err != nil {
		tb.Fatal(err)
	}
	p, err := plan.Parse("p.yaml", []byte(strings.Replace(yaml, "PATH", path, 1)))
	if err != nil {
		tb.Fatal(err)
	}
	d, err := source.Files(context.Background(), p)
	if err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))
	}
	return d, nil
}

// text shows a table as lines of labels and numbers.
func text(f *frame.Frame) []string {
	lines := []string{strings.Join(f.Names(), " ")}
	for i := range f.Rows() {
		var cells []string
		for _, c := range f.Columns() {
			switch {
			case c.Missing(i):
				cells = append(cells, "-")
			case c.Coded():
				cells = append(cells, c.Dict.Label(c.I[i]))
			default:
				cells = append(cells, fmt.Sprint(c.Value(i)))
			}
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return lines
}

const panelCSV = "who,firm,jaar,edu,pay,part,nace,old,wage\r\n" +
	"a,10,2019,high,1000.5,100,C,\"(39,49]\",x\r\n" +
	"b,9,2019,low,1001.5,50.5,\"D, E\",\"(49,120]\",x\r\n" +
	"a,10,2021,,NA,33.333,C,\"(39,49]\",x\r\n" +
	"c,9,2018,low,0,0,\"D, E\",NA,x\r\n" +
	"d,9,2020,low,5,0,\"D, E\",NA,x\r\n"

func TestFilesPanel(t *testing.T) {
	d, err := read(t, panel, "jobs.csv", "\xef\xbb\xbf"+panelCSV)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"employer year worker level age wage fte sector",
		"9 2018 c low - 0 0 D, E",
		"9 2019 b low (49,120] 1002 0.5 D, E",
		"9 2020 d low - 5 0 D, E",
		"10 2019 a high (39,49] 1000 1 C",
		"10 2021 a - (39,49] - 0.33 C",
	}
	if diff := cmp.Diff(want, text(d.Jobs)); diff != "" {
		t.Errorf("employers by number, wages and FTE rounded half to even (-want +got):\n%s", diff)
	}
	want = []string{
		"employer year present sector size_class",
		"9 2018 staff D, E 1-4",
		"9 2019 staff D, E 1-4",
		"9 2020 staff D, E 1-4",
		"9 2021 closed D, E -",
		"10 2019 staff C 1-4",
		"10 2020 none C -",
		"10 2021 staff C 1-4",
	}
	if diff := cmp.Diff(want, text(d.Firms)); diff != "" {
		t.Errorf("a gap is none, the years after the last are closed (-want +got):\n%s", diff)
	}
	if !d.Periods || d.SampledWithin {
		t.Errorf("periods %v, sampled within %v; want true and false", d.Periods, d.SampledWithin)
	}
	if age := d.Jobs.Col(linked.Age); age.Kind != frame.Ordinal || age.Value(3) != 44 || age.Value(1) != 54 {
		t.Errorf("age classes stand for midpoints, the wide oldest one for that of a class as wide as its neighbour; got %v and %v", age.Value(3), age.Value(1))
	}
	if got := d.Jobs.Col(linked.Level).Dict.Labels(); !slices.Equal(got, []string{"low", "high"}) {
		t.Errorf("levels are in the order of the plan, got %q", got)
	}
}

func TestFilesCrossSection(t *testing.T) {
	d, err := read(t, section, "jobs.csv", "firm,edu,w\nA,x,1\nA,x,2\nB,y,\n")
	if err != nil {
		t.Fatal(err)
	}
	if d.Periods || !d.SampledWithin || d.Jobs.Has(linked.Worker) {
		t.Errorf("want no periods, a sample, no workers; got %v %v", d.Periods, d.SampledWithin)
	}
	if c := d.Firms.Col(linked.SizeClass); !c.Missing(0) {
		t.Error("a sample of the staff gives no size class")
	}
	notes := strings.Join(d.Notes, "\n")
	for _, want := range []string{"panel measures are skipped", "no real risk", `column "w" (1 to 2)`, "not used in attack rates", "1 rows have no weight"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
}

func TestFilesErrors(t *testing.T) {
	head := "who,firm,jaar,edu,pay,part,nace,old\n"
	good := "a,1,2019,low,1,1,C,30\n"
	tests := []struct{ name, why, csv, want string }{
		{"column lacking", "a renamed column must not vanish silently", "who,frm,jaar,edu,pay,part,nace,old\n" + good, `there is no column "firm": did you mean "frm"?`},
		{"no employer", "its line is named", head + good + "b,,2019,low,1,1,C,30\n", `jobs.csv: line 3, column "firm": the employer is missing`},
		{"no year", "", head + good + "b,1,NA,low,1,1,C,30\n", `jobs.csv: line 3, column "jaar": the year is missing`},
		{"duplicate key", "both lines are named", head + good + "b,1,2019,low,1,1,C,30\n" + "a,1,2019,high,2,1,C,30\n", `jobs.csv: line 2 and line 4: worker "a" stands twice at employer "1" in 2019`},
		{"line breaks in fields", "lines are those of the file", head + "\"a\nz\",1,2019,low,1,1,C,30\n" + good + good, `jobs.csv: line 4 and line 5: worker "a"`},
		{"two sectors", "the employer and both values are named", head + good + "b,1,2020,low,1,1,D,30\n", `jobs.csv: line 2 and line 3, column "nace": employer "1" has "C" and "D"`},
		{"wrong type", "line and column", head + "a,1,2019,low,abc,1,C,30\n", `line 2, column "pay": "abc" is not a number`},
		{"unknown label", "an order is a codebook", head + "a,1,2019,lw,1,1,C,30\n", `line 2, column "edu": "lw" is not a label of the codebook: did you mean "low"?`},
		{"negative wage", "", head + "a,1,2019,low,-5,1,C,30\n", `jobs.csv: line 2, column "pay": the wage -5 is negative`},
		{"infinite wage", "", head + "a,1,2019,low,Inf,1,C,30\n", `jobs.csv: line 2, column "pay": the wage +Inf is no yearly wage`},
		{"age in words", "", head + "a,1,2019,low,1,1,C,young\n", `jobs.csv: line 2, column "old": "young" is neither an age nor a class`},
		{"header only", "", head, "jobs.csv has a header and no rows"},
		{"empty", "", "", "is empty"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(t, panel, "jobs.csv", test.csv)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s\ngot  %v\nwant … %s …", test.why, err, test.want)
			}
		})
	}
}

func TestPercentForFraction(t *testing.T) {
	yaml := strings.Replace(panel, "unit: percent, ", "", 1)
	_, err := read(t, yaml, "jobs.csv", panelCSV)
	if want := "add unit: percent"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a percentage read as a fraction must be refused, got %v", err)
	}
}

func TestRowOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "rows")
		lines := make([]string, n)
		for i := range lines {
			firm := rapid.IntRange(8, 12).Draw(t, "firm")
			lines[i] = strings.Join([]string{
				strconv.Itoa(i), strconv.Itoa(firm), strconv.Itoa(rapid.IntRange(2018, 2020).Draw(t, "year")),
				rapid.SampledFrom([]string{"low", "high", ""}).Draw(t, "edu"),
				strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "pay")), "100", "s" + strconv.Itoa(firm%2),
				rapid.SampledFrom([]string{"30", "40", "NA"}).Draw(t, "old"),
			}, ",")
		}
		head := "who,firm,jaar,edu,pay,part,nace,old\n"
		one, err := read(t, panel, "jobs.csv", head+strings.Join(lines, "\n")+"\n")
		if err != nil {
			t.Fatal(err)
		}
		two, err := read(t, panel, "jobs.csv", head+strings.Join(rapid.Permutation(lines).Draw(t, "order"), "\n")+"\n")
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2]*frame.Frame{{one.Jobs, two.Jobs}, {one.Firms, two.Firms}} {
			if diff := cmp.Diff(text(pair[0]), text(pair[1])); diff != "" {
				t.Fatalf("permuted rows give other data (-want +got):\n%s", diff)
			}
			for _, c := range pair[0].Columns() {
				if c.Coded() && !slices.Equal(c.Dict.Labels(), pair[1].Col(c.Name).Dict.Labels()) {
					t.Fatalf("the codebook of %s depends on the order of rows", c.Name)
				}
			}
		}
		if diff := cmp.Diff(one.Notes, two.Notes); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}
