package population

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

func TestAccountsAgreeWithJobs(t *testing.T) {
	p := need(t)
	type sums struct{ end, women, full, entries, exits, wages int64 }
	books := map[[2]int32]*sums{}
	col := func(name string) []int32 { return p.Jobs.Col(name).I }
	employer, year, hired, left, sex, wage, fte := col("employer_id"), col("year"), col("hired"), col("left"), col("sex"), col("wage"), col("fte")
	for i := range employer {
		k := [2]int32{employer[i], year[i]}
		if books[k] == nil {
			books[k] = &sums{}
		}
		b := books[k]
		b.wages += int64(wage[i])
		if hired[i] != frame.NoInt {
			b.entries++
		}
		if left[i] != frame.NoInt {
			b.exits++
			continue
		}
		b.end++
		b.women += int64(sex[i])
		if fte[i] == 100 {
			b.full++
		}
	}
	acc := func(row int, name string) int64 {
		c := p.Accounts.Col(name)
		if c.Kind == frame.Long {
			return c.L[row]
		}
		return int64(c.I[row])
	}
	differ := 0
	var equal, all, rows [9]float64
	var log2, flows, cost []float64
	for i := range p.Accounts.Rows() {
		b := books[[2]int32{int32(acc(i, "employer_id")), int32(acc(i, "year"))}]
		if b == nil {
			t.Fatalf("accounts row %d has no jobs", i)
		}
		end := acc(i, "staff_year_end")
		study := acc(i, "staff_primary") + acc(i, "staff_secondary") + acc(i, "staff_higher") + acc(i, "staff_university")
		if study != end || acc(i, "men")+acc(i, "women") != end || acc(i, "full_time")+acc(i, "part_time") != end ||
			acc(i, "managers")+acc(i, "employees")+acc(i, "workers") != end {
			t.Fatalf("accounts row %d: parts do not sum to the %d staff at the closing date", i, end)
		}
		class := linked.SizeCode(int32(b.end))
		all[class]++
		if end == b.end {
			equal[class]++
			if acc(i, "women") == b.women && acc(i, "full_time") == b.full {
				rows[class]++
			}
		}
		if b.end >= 50 && end > 0 {
			log2 = append(log2, math.Abs(math.Log(float64(end)/float64(b.end))))
			flows = append(flows, math.Abs(float64(acc(i, "entries")-b.entries))/float64(b.end))
			cost = append(cost, float64(acc(i, "personnel_cost"))/float64(b.wages))
		}
		if acc(i, "staff_average") != end*10 {
			differ++
		}
		full := acc(i, "schema") == schemaFull
		for _, name := range []string{"turnover", "machinery_investment"} {
			if missing := acc(i, name) == frame.NoLong; missing == full {
				t.Fatalf("accounts row %d: schema %d, %s missing %v", i, acc(i, "schema"), name, missing)
			}
		}
	}
	if share := float64(differ) / float64(p.Accounts.Rows()); share < .3 {
		t.Errorf("average and year-end staff differ in %.3f of the accounts, want at least .3", share)
	}
	for c := range all {
		equal[c] /= all[c]
		rows[c] /= all[c]
	}
	median := func(v []float64) float64 { slices.Sort(v); return v[len(v)/2] }
	t.Logf("head counts equal by size class %.3f, with women and full-time %.3f; at 50 staff and more median difference %.4f log, entries %.4f per head, cost %.3f times wages",
		equal, rows, median(log2), median(flows), median(cost))
	// The sd of differences grows with size and falls relative to it.
	if equal[0] < .8 || equal[0] > .97 || equal[3] < .35 || equal[3] > .75 || equal[5] > .4 || equal[7] > .25 {
		t.Errorf("shares of equal head counts by size class %.3f: want most of the small, few of the large", equal)
	}
	if m := median(log2); m < .003 || m > .03 {
		t.Errorf("median log difference of head counts from 50 staff on is %.4f, want .003 to .03", m)
	}
	if m := median(cost); m < 1.25 || m > 1.6 {
		t.Errorf("personnel cost is %.2f times wages, want 1.25 to 1.6", m)
	}
	if m := median(flows); m > .02 {
		t.Errorf("entries differ by %.3f of staff, want those who close in December to agree", m)
	}
}

// Consequences of size follow after two years in a row, those of a new rule at
// once; members of groups are never micro.
func TestSchemaWaitsForTwoYears(t *testing.T) {
	small, large := size{micro: true, rule: true}, size{large: true, rule: true}
	mid, old := size{rule: true}, size{}
	cases := []struct {
		name, why string
		years     []size
		want      []int
	}{
		{"first year", "nothing came before", []size{large, large}, []int{0, 0}},
		{"one year over", "one year has no consequence", []size{mid, large, mid}, []int{1, 1, 1}},
		{"two years over", "the second year has", []size{mid, large, large, mid, mid}, []int{1, 1, 0, 0, 1}},
		{"micro", "the same in the other direction", []size{small, mid, small, mid, mid}, []int{2, 2, 2, 2, 1}},
		{"new rule", "micro begins with the rule", []size{old, old, small}, []int{1, 1, 2}},
	}
	for _, c := range cases {
		var s schemas
		var got []int
		for _, y := range c.years {
			got = append(got, s.next(y))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", c.name, c.why, diff)
		}
	}
	s := firmsOnly(50, 1)
	for _, c := range []struct {
		name, why            string
		year                 int
		h                    habits
		fte, turnover, total float64
		want                 size
	}{
		{"always large", "more than 100 before 2016", 2010, habits{group: 1}, 101, 1e6, 1e6, size{large: true}},
		{"one threshold", "one may be exceeded", 2010, habits{group: 1}, 60, 1e6, 1e6, size{}},
		{"two thresholds", "not two", 2010, habits{group: 1}, 60, 8e6, 1e6, size{large: true}},
		{"group before 2016", "members are judged by the group", 2010, habits{affiliated: true, group: 10}, 6, 1e6, 1e6, size{large: true}},
		{"group since 2016", "parents alone are", 2016, habits{affiliated: true, group: 10}, 6, 1e6, 1e6, size{rule: true}},
		{"parent since 2016", "parents alone are", 2016, habits{affiliated: true, parent: true, group: 10}, 6, 1e6, 1e6, size{large: true, rule: true}},
		{"micro", "one threshold may be exceeded", 2018, habits{group: 1}, 6, 8e5, 3e5, size{micro: true, rule: true}},
		{"not micro", "a subsidiary", 2018, habits{affiliated: true, group: 1}, 6, 8e5, 3e5, size{rule: true}},
	} {
		if got := s.schema(c.year, &c.h, c.fte, c.fte, c.turnover, c.total); got != c.want {
			t.Errorf("%s: %s: %+v, want %+v", c.name, c.why, got, c.want)
		}
	}
}

// Full-format filers of 2012: about a tenth of the employers, and most of the
// staff (S: 8,862 with 1,095,616 staff, of about 84,000 with 1.96 million).
func TestFullFormatFilers(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large population")
	}
	p := need(t)
	schema, year, staff := p.Accounts.Col("schema").I, p.Accounts.Col("year").I, p.Accounts.Col("staff_average").I
	var n, full, heads, fullHeads float64
	for i := range schema {
		if year[i] != 2012 {
			continue
		}
		n, heads = n+1, heads+float64(staff[i])/10
		if schema[i] == schemaFull {
			full, fullHeads = full+1, fullHeads+float64(staff[i])/10
		}
	}
	t.Logf("full format: %.4f of employers, %.3f of staff, mean %.1f", full/n, fullHeads/heads, fullHeads/full)
	if share := full / n; math.Abs(share-.105) > .02 {
		t.Errorf("%.4f of the employers file the full format, want .105", share)
	}
	if mean := fullHeads / full; math.Abs(mean-124) > 30 {
		t.Errorf("full-format filers have %.0f staff on average, want 124", mean)
	}
}

func TestNumbersHaveCheckDigits(t *testing.T) {
	p := need(t)
	for _, label := range p.Employers.Col("enterprise_number").Dict.Labels() {
		n, err := strconv.Atoi(label)
		if err != nil || len(label) != 10 || label[0] != '9' || n%100 != 97-n/100%97 {
			t.Fatalf("enterprise number %q: want ten digits that start with 9, the last two 97 minus the others modulo 97", label)
		}
	}
	for _, name := range []string{"enterprise_number", "registration_number"} {
		c := p.Employers.Col(name)
		if c.Dict.Len() != p.Employers.Rows() {
			t.Errorf("%d distinct values of %s for %d employers", c.Dict.Len(), name, p.Employers.Rows())
		}
	}
	for _, label := range p.Employers.Col("registration_number").Dict.Labels() {
		if len(label) != 9 {
			t.Fatalf("registration number %q, want nine digits", label)
		}
	}
}
