package risk_test

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/risk"
	"scramblelab/internal/sharedtest"
)

func near(tolerance float64) cmp.Option { return cmpopts.EquateApprox(tolerance, tolerance) }

// keysOf codes rows of labels or numbers; null is missing.
func keysOf(tb testing.TB, rows [][]any, columns ...int) risk.Keys {
	tb.Helper()
	if columns == nil {
		for j := range rows[0] {
			columns = append(columns, j)
		}
	}
	var cols [][]int32
	for _, j := range columns {
		codes, col := map[any]int32{}, make([]int32, len(rows))
		for i, r := range rows {
			if col[i] = risk.Missing; r[j] != nil {
				if _, ok := codes[r[j]]; !ok {
					codes[r[j]] = int32(len(codes))
				}
				col[i] = codes[r[j]]
			}
		}
		cols = append(cols, col)
	}
	k, err := risk.NewKeys(cols...)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func count(f []int, n int) (k int) {
	for _, v := range f {
		if v == n {
			k++
		}
	}
	return k
}

func TestFrequenciesCase(t *testing.T) {
	// Keys fk and Fk differ in case only, which encoding/json does not tell apart.
	var raw struct {
		Cases []struct {
			Name     string
			Rows     [][]any
			Weight   []float64
			Expected map[string]any
		}
	}
	sharedtest.Case(t, "risk_freqcalc_basic", &raw)
	for _, tc := range raw.Cases {
		f, sum, err := risk.Frequencies(keysOf(t, tc.Rows), tc.Weight)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{"fk": floats(f), "Fk": list(sum), "n1": float64(count(f, 1)), "n2": float64(count(f, 2))}
		if diff := cmp.Diff(tc.Expected, got, near(1e-9)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.Name, diff)
		}
	}
}

func floats(v []int) []any {
	out := make([]any, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

func list(v []float64) []any {
	out := make([]any, len(v))
	for i, x := range v {
		out[i] = x
	}
	return out
}

func each(tb testing.TB, f []int, sum []float64, of func(int, float64) (float64, error)) []float64 {
	tb.Helper()
	out := make([]float64, len(f))
	for i := range f {
		var err error
		if out[i], err = of(f[i], sum[i]); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

func TestIndividualCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Name     string
			Rows     [][]any
			Weight   []float64
			Expected struct{ Approx, Exact, Population []float64 }
		}
		Tolerance float64
	}
	sharedtest.Case(t, "risk_individual_bf", &c)
	for _, tc := range c.Cases {
		f, sum, err := risk.Frequencies(keysOf(t, tc.Rows), tc.Weight)
		if err != nil {
			t.Fatal(err)
		}
		known := make([]float64, len(f))
		for i := range f {
			known[i] = float64(f[i])
		}
		got := [][]float64{each(t, f, sum, risk.IndividualApprox), each(t, f, sum, risk.Individual), each(t, f, known, risk.Individual)}
		want := [][]float64{tc.Expected.Approx, tc.Expected.Exact, tc.Expected.Population}
		if diff := cmp.Diff(want, got, near(c.Tolerance)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.Name, diff)
		}
	}
}

func TestFrancdatCase(t *testing.T) {
	var c struct {
		Input struct {
			Columns, Key []string
			Rows         [][]any
		}
		Expected  map[string]any
		Tolerance float64
	}
	sharedtest.Case(t, "risk_francdat_individual", &c)
	var cols []int
	for _, k := range c.Input.Key {
		cols = append(cols, slices.Index(c.Input.Columns, k))
	}
	weights := make([]float64, len(c.Input.Rows))
	for i, r := range c.Input.Rows {
		weights[i] = r[len(r)-1].(float64)
	}
	f, sum, err := risk.Frequencies(keysOf(t, c.Input.Rows, cols...), weights)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"fk": floats(f), "Fk": list(sum), "n_unique": float64(count(f, 1)), "n_double": float64(count(f, 2)),
		"rk_approx": list(each(t, f, sum, risk.IndividualApprox)), "rk_exact": list(each(t, f, sum, risk.Individual)),
	}
	if diff := cmp.Diff(c.Expected, got, near(c.Tolerance)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDiversityCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Input struct {
				Columns   []string
				Rows      [][]any
				Key       any
				Sensitive string
			}
			Expected []map[string]float64
		}
	}
	sharedtest.Case(t, "risk_ldiversity", &c)
	for _, tc := range c.Cases {
		last := len(tc.Input.Columns) - 1
		keyCols := make([]int, last)
		for j := range keyCols {
			keyCols[j] = j
		}
		got, err := risk.Diversities(keysOf(t, tc.Input.Rows, keyCols...), coded(tc.Input.Rows, last), 2)
		if err != nil {
			t.Fatal(err)
		}
		of := classOf(tc.Input.Rows, last)
		for i, want := range tc.Expected {
			d, name := got[of[i]], tc.Input.Columns[last]
			have := []float64{float64(d.Distinct), d.Entropy, float64(d.Recursive)}
			if diff := cmp.Diff([]float64{want[name+"_Distinct_Ldiversity"], want[name+"_Entropy_Ldiversity"], want[name+"_Recursive_Ldiversity"]}, have, near(1e-9)); diff != "" {
				t.Errorf("row %d (-want +got):\n%s", i, diff)
			}
		}
	}
}

// classOf numbers combinations of the first n columns as the package does.
func classOf(rows [][]any, n int) []int {
	at := map[string]int{}
	out := make([]int, len(rows))
	for i, r := range rows {
		k := ""
		for _, v := range r[:n] {
			k += v.(string) + "\x00"
		}
		if _, ok := at[k]; !ok {
			at[k] = len(at)
		}
		out[i] = at[k]
	}
	return out
}

// coded codes a column of labels.
func coded(rows [][]any, col int) []int32 {
	at := map[any]int32{}
	out := make([]int32, len(rows))
	for i, r := range rows {
		if _, ok := at[r[col]]; !ok {
			at[r[col]] = int32(len(at))
		}
		out[i] = at[r[col]]
	}
	return out
}

func TestHospitalCase(t *testing.T) {
	var c struct {
		Input     struct{ Rows [][]any }
		Expected  map[string]any
		Tolerance float64
	}
	sharedtest.Case(t, "risk_tcloseness_hospital", &c)
	k, sensitive := keysOf(t, c.Input.Rows, 0, 1, 2), coded(c.Input.Rows, 3)
	f, _, err := risk.Frequencies(k, nil)
	if err != nil {
		t.Fatal(err)
	}
	classes, err := risk.Diversities(k, sensitive, 2)
	if err != nil {
		t.Fatal(err)
	}
	close1, err := risk.NewCloseness(k, sensitive)
	if err != nil {
		t.Fatal(err)
	}
	distinct, entropy, homogeneous, inside := math.MaxInt, math.Inf(1), 0, 0
	for _, d := range classes {
		distinct, entropy = min(distinct, d.Distinct), min(entropy, math.Floor(d.Entropy))
		if d.Distinct == 1 {
			homogeneous++
			inside += d.Records
		}
	}
	got := map[string]any{
		"classes": float64(len(classes)), "k": float64(slices.Min(f)), "l_distinct": float64(distinct), "entropy_l_min": entropy, "alpha": close1.Alpha,
		"t_nominal": close1.Nominal, "homogeneous_classes": float64(homogeneous), "records_in_homogeneous_classes": float64(inside), "note": c.Expected["note"],
	}
	if diff := cmp.Diff(c.Expected, got, near(c.Tolerance)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStudentsCase(t *testing.T) {
	var c struct {
		Expected map[string]any
	}
	sharedtest.Case(t, "risk_pycanon_students", &c)
	file, err := os.Open(sharedtest.Path(t, "data/pycanon_students.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int { return slices.Index(records[0], name) }
	var rows [][]any
	var scores []float64
	for _, r := range records[1:] {
		rows = append(rows, []any{r[at("Teacher")], r[at("Gender")], r[at("Ethnic")], r[at("Freeredu")], r[at("wesson")]})
		v, err := strconv.ParseFloat(r[at("Score")], 64)
		if err != nil {
			t.Fatal(err)
		}
		scores = append(scores, v)
	}
	sorted := slices.Clone(scores)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	sensitive := make([]int32, len(scores)) // codes in the order of the scores
	for i, v := range scores {
		n, _ := slices.BinarySearch(sorted, v)
		sensitive[i] = int32(n)
	}
	k := keysOf(t, rows)
	f, _, err := risk.Frequencies(k, nil)
	if err != nil {
		t.Fatal(err)
	}
	classes, err := risk.Diversities(k, sensitive, 2)
	if err != nil {
		t.Fatal(err)
	}
	close1, err := risk.NewCloseness(k, sensitive)
	if err != nil {
		t.Fatal(err)
	}
	distinct, entropy := math.MaxInt, math.Inf(1)
	for _, d := range classes {
		distinct, entropy = min(distinct, d.Distinct), min(entropy, math.Floor(d.Entropy))
	}
	least := float64(slices.Min(f))
	got := map[string]any{
		"k": least, "l_distinct": float64(distinct), "entropy_l": entropy, "alpha_k": []any{close1.Alpha, least},
		"basic_beta": close1.Beta, "enhanced_beta": close1.EnhancedBeta, "delta_disclosure": close1.Delta, "t_closeness_ordered": close1.Ordered,
	}
	if diff := cmp.Diff(c.Expected, got, near(1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProsecutorCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Sizes    []int `json:"class_sizes"`
			Expected struct{ Average, Highest, Uniques float64 }
		}
	}
	sharedtest.Case(t, "risk_prosecutor_average", &c)
	for _, tc := range c.Cases {
		var f []int
		for _, n := range tc.Sizes {
			for range n {
				f = append(f, n)
			}
		}
		got, err := risk.Prosecutor(f)
		if err != nil {
			t.Fatal(err)
		}
		have := []float64{got.Average, got.Highest, float64(got.Uniques) / float64(got.Records)}
		if diff := cmp.Diff([]float64{tc.Expected.Average, tc.Expected.Highest, tc.Expected.Uniques}, have, near(1e-12)); diff != "" {
			t.Errorf("classes %v (-want +got):\n%s", tc.Sizes, diff)
		}
	}
}

func TestPoissonCase(t *testing.T) {
	var c struct {
		Cases []struct{ Lam, Pi, Expected float64 }
	}
	sharedtest.Case(t, "risk_poisson_individual", &c)
	for _, tc := range c.Cases {
		if got := risk.PoissonUnique(tc.Lam, tc.Pi); math.Abs(got-tc.Expected) > 1e-12 {
			t.Errorf("λ=%v, π=%v: %v, want %v", tc.Lam, tc.Pi, got, tc.Expected)
		}
	}
	if risk.PoissonUnique(3, 1) != 1 || risk.PoissonUnique(0, 0.1) != 1 {
		t.Error("a census, or a key that nobody else has: want certainty")
	}
}

func TestUniquenessCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Name               string
			Pi                 float64
			N1, N2             int
			Sample, Population [][]string
			Expected           any
		}
	}
	sharedtest.Case(t, "risk_uniqueness_binomial", &c)
	for _, tc := range c.Cases {
		if tc.Sample == nil {
			if got := risk.DIS(tc.Pi, tc.N1, tc.N2); math.Abs(got-tc.Expected.(float64)) > 1e-12 {
				t.Errorf("%s: %v, want %v", tc.Name, got, tc.Expected)
			}
			continue
		}
		code := map[string]int32{"a": 0, "b": 1}
		column := func(rows [][]string) []int32 {
			var out []int32
			for _, r := range rows {
				out = append(out, code[r[0]])
			}
			return out
		}
		sample, _ := risk.NewKeys(column(tc.Sample))
		population, _ := risk.NewKeys(column(tc.Population))
		n, _, err := risk.Matches(sample, population, nil)
		if err != nil {
			t.Fatal(err)
		}
		j, err := risk.Journalist(n)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{"k_map": float64(j.Minimum), "population_class": floats(n), "journalist_max_risk": j.Highest, "mean_1_over_Fk": j.Average}
		if diff := cmp.Diff(tc.Expected, any(got), near(1e-12)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.Name, diff)
		}
	}
}

// The case takes the fitted rate of the sample for that of the population and
// divides by the keys that occur; the sums are ours.
func TestLogLinearCase(t *testing.T) {
	var c struct {
		Input    struct{ Rows [][]any }
		Expected []struct {
			Method   string
			Gr1, Gr2 float64
		}
		Tolerance float64
	}
	sharedtest.Case(t, "risk_modrisk_loglinear", &c)
	k := keysOf(t, c.Input.Rows, 0, 1, 2)
	f, _, err := risk.Frequencies(k, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lambda []float64
	for i, l := range risk.Independence(k) {
		if f[i] == 1 {
			lambda = append(lambda, l)
		}
	}
	p, err := risk.Prosecutor(f)
	if err != nil {
		t.Fatal(err)
	}
	keys := p.Average * float64(p.Records)
	tau1, tau2 := risk.PoissonFile(lambda, 0.01)
	if got := []float64{tau1 / keys, tau2 / keys}; math.Abs(got[0]-c.Expected[0].Gr1) > c.Tolerance || math.Abs(got[1]-c.Expected[0].Gr2) > c.Tolerance {
		t.Errorf("%v, want %+v", got, c.Expected[0])
	}
}

func TestCAPCase(t *testing.T) {
	var c struct {
		Cases []struct {
			Name      string
			Synthetic any
			Expected  struct {
				Score    float64
				CAP      float64 `json:"cap_protection"`
				Baseline float64 `json:"baseline_protection"`
			}
		}
	}
	sharedtest.Case(t, "risk_cap_disclosure", &c)
	letters := func(s []string) []int32 {
		out := make([]int32, len(s))
		for i, l := range s {
			out[i] = int32(l[0] - 'a')
		}
		return out
	}
	hundred := func(cycle string) (out []int32, steps []float64) {
		for i := range 100 {
			out, steps = append(out, int32(cycle[i%5]-'a')), append(steps, float64(i))
		}
		return out, steps
	}
	keys := func(labels []int32, numbers []float64) risk.Keys {
		bins, err := risk.Bins(numbers, 10, 0, 99)
		if err != nil {
			t.Fatal(err)
		}
		k, err := risk.NewKeys(labels, bins)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	known, steps := hundred("abcde")
	real1 := keys(known, steps)
	for _, tc := range c.Cases {
		var synKeys, synSensitive risk.Keys
		if tc.Name == "bad" {
			wrong, _ := hundred("abced")
			synKeys, synSensitive = real1, keys(wrong, steps)
		} else {
			m := tc.Synthetic.(map[string]any)
			text := func(name string) (out []string) {
				for _, v := range m[name].([]any) {
					out = append(out, v.(string))
				}
				return out
			}
			numbers := func(name string) (out []float64) {
				for _, v := range m[name].([]any) {
					out = append(out, v.(float64))
				}
				return out
			}
			synKeys, synSensitive = keys(letters(text("key1")), numbers("key2")), keys(letters(text("sensitive1")), numbers("sensitive2"))
		}
		got, err := risk.NewCAP(real1, synKeys, real1, synSensitive, 50)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]float64{tc.Expected.CAP, tc.Expected.Baseline, tc.Expected.Score}, []float64{got.Protection, got.Baseline, got.Score}, near(1e-9)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.Name, diff)
		}
	}
}
