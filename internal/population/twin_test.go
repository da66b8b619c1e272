package population

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
)

// writePair writes a population and its twin and reads both.
func writePair(t *testing.T, o Options) (p, twin *Population) {
	t.Helper()
	ctx, dir := context.Background(), filepath.Join(t.TempDir(), "pop")
	if _, err := GenerateTo(ctx, dir, o, Shard{}, WriteOptions{Counterfactual: true}, nil); err != nil {
		t.Fatal(err)
	}
	p, err := Read(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if twin, err = Read(ctx, filepath.Join(dir, counterfactualName)); err != nil {
		t.Fatal(err)
	}
	return p, twin
}

// rowsOf returns the rows of an employer's table as texts, by employer.
func rowsOf(f *frame.Frame, key string, skip map[string]bool) map[int32]map[string]int {
	out := map[int32]map[string]int{}
	for i, id := range f.Col(key).I {
		row := ""
		for _, c := range f.Columns() {
			if !skip[c.Name] {
				switch {
				case c.Coded() && c.I[i] >= 0:
					row += "|" + c.Dict.Label(c.I[i])
				default:
					row += fmt.Sprint("|", c.Value(i))
				}
			}
		}
		if out[id] == nil {
			out[id] = map[string]int{}
		}
		out[id][row]++
	}
	return out
}

// What no event acts on is the same in the twin: births, exits, activity,
// links, head counts at year-ends, turnover and investment, always; workers, but
// for those whom other employers' openings drew away or let come.
func TestTwin(t *testing.T) {
	if testing.Short() {
		t.Skip("draws three populations")
	}
	p, twin := writePair(t, Options{Employers: 600, From: 2003, To: 2014, Seed: 4})
	skip := map[string]bool{"group": true, "role": true, "automation_year": true, "exposed_from": true, "clean_control": true}
	if diff := cmp.Diff(rowsOf(twin.Employers, "employer_id", skip), rowsOf(p.Employers, "employer_id", skip)); diff != "" {
		t.Errorf("employers (-twin +population):\n%s", diff)
	}
	if diff := cmp.Diff(rowsOf(twin.Suppliers, "supplier_id", nil), rowsOf(p.Suppliers, "supplier_id", nil)); diff != "" {
		t.Errorf("suppliers (-twin +population):\n%s", diff)
	}
	for _, name := range []string{"automation_year", "exposed_from"} {
		for i, y := range twin.Employers.Col(name).I {
			if y != frame.NoInt {
				t.Fatalf("employer %d of the twin has %s %d", i+1, name, y)
			}
		}
	}
	clean := p.Employers.Col("clean_control")
	isClean := func(id int32) bool { return clean.Dict.Label(clean.I[id-1]) == "yes" }
	// Head counts at year-ends.
	heads := func(p *Population) map[[2]int32]int {
		out := map[[2]int32]int{}
		left, year := p.Jobs.Col("left").I, p.Jobs.Col("year").I
		for i, id := range p.Jobs.Col("employer_id").I {
			if left[i] == frame.NoInt && isClean(id) {
				out[[2]int32{id, year[i]}]++
			}
		}
		return out
	}
	if diff := cmp.Diff(heads(twin), heads(p)); diff != "" {
		t.Errorf("head counts of clean controls (-twin +population):\n%s", diff)
	}
	// Rows of jobs, and employers with the very same ones.
	a, b := rowsOf(p.Jobs, "employer_id", nil), rowsOf(twin.Jobs, "employer_id", nil)
	var rows, same, employers, identical int
	for id, has := range a {
		if !isClean(id) {
			continue
		}
		employers++
		whole := len(has) == len(b[id])
		for row, n := range has {
			rows += n
			same += min(n, b[id][row])
			whole = whole && b[id][row] == n
		}
		if whole {
			identical++
		}
	}
	t.Logf("clean controls: %d of %d rows of jobs are the same in the twin, %d of %d employers have no other row", same, rows, identical, employers)
	if float64(same) < .85*float64(rows) || employers < 50 {
		t.Errorf("%d of %d rows of %d clean controls are the same in the twin, want 85 in a hundred", same, rows, employers)
	}
	// Accounts: what does not follow from who works there. The head count does
	// where the book year closes before December.
	keep := map[string]bool{"employer_id": true, "year": true, "tangible_investment": true, "tangible_assets": true}
	other := map[string]bool{}
	for _, name := range accountNames {
		other[name] = !keep[name]
	}
	x, y := rowsOf(p.Accounts, "employer_id", other), rowsOf(twin.Accounts, "employer_id", other)
	for id := range x {
		if diff := cmp.Diff(y[id], x[id]); isClean(id) && diff != "" {
			t.Fatalf("accounts of employer %d (-twin +population):\n%s", id, diff)
		}
	}
}

// In the null world an event moves nothing but investment.
func TestTwinOfTheNullWorld(t *testing.T) {
	if testing.Short() {
		t.Skip("draws three populations")
	}
	p, twin := writePair(t, Options{Employers: 300, From: 2003, To: 2012, World: "null", Seed: 4})
	if diff := cmp.Diff(rowsOf(twin.Jobs, "employer_id", nil), rowsOf(p.Jobs, "employer_id", nil)); diff != "" {
		t.Errorf("jobs (-twin +population):\n%s", diff[:min(len(diff), 2000)])
	}
	n := 0
	for _, c := range p.Truth.Effects {
		if c.Value != 0 {
			t.Errorf("%+v: an effect in the null world", c)
		}
		if c.Outcome == "log full-time wage" {
			n++
		}
	}
	if n == 0 {
		t.Error("no effects on wages in truth.json")
	}
}

// The effects on workers that were planted come out, as far as turnover allows and
// up to the few employers that weigh most; tolerances are wide, seeds are fixed.
func TestWorkerEffects(t *testing.T) {
	if testing.Short() {
		t.Skip("draws three large populations")
	}
	p, _ := writePair(t, Options{Employers: 4000, From: 2003, To: 2016, Seed: 9})
	for _, c := range []struct {
		outcome, of, why string
		k                int
		want, within     float64
	}{
		{"log full-time wage", "", "planted .006 at fixed composition; more graduates add to it", 2, .009, .008},
		{"age", "", "planted -.45 years", 2, -.45, .3},
		{"working time", "", "nothing planted so early", 2, 0, .006},
		{"share of staff", "masters", "planted .10 log points at a share of about a tenth", 2, .007, .006},
		{"share of hires who are young", "", "planted 4 points; a few large employers weigh most", 2, .04, .05},
	} {
		found := false
		for _, e := range p.Truth.Effects {
			if e.Outcome != c.outcome || e.Of != c.of || e.Group != groupAutomating || e.From != c.k || e.Through != c.k || e.Form != "level" || e.Spillovers != "own" || e.Weighting != "worker" {
				continue
			}
			found = true
			t.Logf("%s %s at %d: %.4f, %s", c.outcome, c.of, c.k, *e.SinceBase, c.why)
			if math.Abs(*e.SinceBase-c.want) > c.within {
				t.Errorf("%s %s at event time %d: %.4f, want %.3f within %.3f: %s", c.outcome, c.of, c.k, *e.SinceBase, c.want, c.within, c.why)
			}
		}
		if !found {
			t.Errorf("truth.json lacks %s %s", c.outcome, c.of)
		}
	}
}
