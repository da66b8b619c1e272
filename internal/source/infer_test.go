package source_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/sharedtest"
	"scramblelab/internal/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestInferSES reads the structure-of-earnings survey, which others made.
func TestInferSES(t *testing.T) {
	path := sharedtest.Path(t, "data/ses.csv.gz")
	r, err := source.Infer(context.Background(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range r.Columns {
		if c.Role.Role != "ignore" {
			got[c.Column] = strings.TrimSpace(c.Role.Role + " " + c.Role.As + " " + c.Role.Unit)
		}
	}
	want := map[string]string{
		"IDunit": "employer", "education": "ordinal level", "occupation": "category field", "earnings": "number wage",
		"shareNormalHours": "number fte percent", "age": "ordinal age", "sex": "category sex",
		"NACE1": "category sector", "location": "category region", "size": "ordinal size", "weights": "weight",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("roles guessed for ses (-want +got):\n%s", diff)
	}
	p, err := plan.Parse("plan.yaml", r.YAML())
	if err != nil {
		t.Fatalf("the inferred plan must load: %v", err)
	}
	if diff := cmp.Diff(r.Plan.Digest(), p.Digest()); diff != "" {
		t.Errorf("the plan as written is another plan (-want +got):\n%s", diff)
	}
	if p.Release.Records != 166 || !p.Data.SampledWithin {
		t.Errorf("records %d, sampled within %v; want a third of 500 employers, 166, and a sample", p.Release.Records, p.Data.SampledWithin)
	}
	if !strings.Contains(string(r.YAML()), "500 employers: fewer than 9000, so a third, 166.") {
		t.Error("the arithmetic of the records must stand in the plan")
	}

	d, err := source.Files(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if d.Jobs.Rows() != 15691 || d.Employers() != 500 || d.Firms.Rows() != 500 || d.Periods || !d.SampledWithin || d.Jobs.Has(linked.Worker) {
		t.Errorf("ses has 15,691 rows, 500 employers, one period, no workers; got %d, %d, %v", d.Jobs.Rows(), d.Employers(), d.Periods)
	}
	if err := sharedPlan(t, p.Data.Jobs); err != nil {
		t.Error(err)
	}
}

// sharedPlan loads the hand-finished example and reads its data under it.
func sharedPlan(t *testing.T, path string) error {
	p, err := plan.Load(filepath.FromSlash("../../examples/ses/plan.yaml"))
	if err != nil {
		return err
	}
	p.Data.Jobs = path // the example names it from the root of the repository
	_, err = source.Files(context.Background(), p)
	return err
}

const dutch = "\xef\xbb\xbfWerknemer,Ondernemingsnummer,Jaar,Opleidingsniveau,Studiegebied,Geslacht,Leeftijd,Brutojaarloon,VTE,NACE,Grootteklasse,Opmerking\r\n"

// dutchFile makes a small panel with Dutch names.
func dutchFile(t *testing.T) string {
	var b strings.Builder
	b.WriteString(dutch)
	levels, fields := []string{"laag", "midden", "hoog"}, []string{"kunst, taal", "techniek"}
	for i := range 240 {
		firm, year := i%12, 2018+i/12%2
		worker := i/24*12 + firm
		for _, cell := range []string{
			"w" + strconv.Itoa(worker), "0" + strconv.Itoa(100+firm), strconv.Itoa(year), levels[(i/24+i)%3], `"` + fields[i/7%2] + `"`, []string{"m", "v"}[i/24%2],
			strconv.Itoa(20 + worker%45), strconv.Itoa(20000 + 371*i), []string{"1", "0.5", "0.8"}[i%3], "C" + strconv.Itoa(firm%3), []string{"1-49", "50-199"}[firm%2], "",
		} {
			b.WriteString(cell + ",")
		}
		b.WriteString("\r\n")
	}
	path := filepath.Join(t.TempDir(), "jobs.csv")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(b.String(), ",\r\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInferGolden(t *testing.T) {
	path := dutchFile(t)
	r, err := source.Infer(context.Background(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	r.Plan.Data.Jobs = "jobs.csv"
	const golden = "testdata/init.golden.yaml"
	if *update {
		if err := os.WriteFile(golden, r.YAML(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(r.YAML())); diff != "" {
		t.Errorf("the plan inferred for a small file changed; run with -update if that is meant (-want +got):\n%s", diff)
	}
	if _, err := plan.Parse("plan.yaml", r.YAML()); err != nil {
		t.Error(err)
	}
	r.Plan.Data.Jobs = path
	if _, err := source.Files(context.Background(), r.Plan); err != nil {
		t.Error(err)
	}
}

func TestInferRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	firms := "employer,isced,nace\n1,a,C\n1,b,C\n2,a,D\n2,b,D\n"
	tests := []struct {
		name, why string
		paths     []string
		want      string
	}{
		{"no file", "", nil, "no file to infer a plan from"},
		{"two files", "a plan takes one table", []string{"a.csv", "b.csv"}, "join the files first"},
		{"file lacking", "", []string{filepath.Join(dir, "none.csv")}, "none.csv"},
		{"empty folder", "", []string{dir}, "holds no table of jobs"},
		{"header only", "", []string{write("head.csv", "a,b\n")}, "a header and no rows"},
		{"no level", "an employer alone is not enough", []string{write("level.csv", strings.ReplaceAll(firms, "isced", "x"))}, "no column is an education level"},
		{"no employer", "the way out is shown", []string{write("firm.csv", "a,isced\n1,x\n2,y\n")}, "write the schema by hand"},
		{"census", "public-use files of persons have no employer", []string{sharedtest.Path(t, "data/CASCrefmicrodata.csv")}, "no column tells employers apart"},
		{"utilities", "sellers of electricity by month have no workers", []string{sharedtest.Path(t, "data/EIA.csv")}, "write the schema by hand"},
		{"companies", "companies without workers", []string{sharedtest.Path(t, "data/Tarragona.csv")}, "no column tells employers apart"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := source.Infer(context.Background(), test.paths)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s\ngot  %v\nwant … %s …", test.why, err, test.want)
			}
		})
	}
	if _, err := source.Infer(context.Background(), []string{write("good.csv", firms)}); err != nil {
		t.Errorf("an employer and a level suffice: %v", err)
	}
}

func TestInferPopulation(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jobs.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := source.Infer(context.Background(), []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := plan.Parse("plan.yaml", r.YAML()); err != nil || p.Data.Population != dir {
		t.Errorf("a folder with a table of jobs is a population, got %q, %v", p.Data.Population, err)
	}
}
