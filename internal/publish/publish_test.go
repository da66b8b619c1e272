package publish

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

func must(t testing.TB, s Spec) Classes {
	t.Helper()
	c, err := NewClasses(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClasses(t *testing.T) {
	wage := Spec{Width: 5000, From: 10000, Top: 30000}
	tests := []struct {
		name, why  string
		spec       Spec
		sum, count int64
		decimals   uint8
		want       string
	}{
		{"bound", "an interval holds its lower bound", wage, 25000, 1, 0, "[25000,30000)"},
		{"mean on bound", "three wages with a mean of exactly 25000", wage, 75000, 3, 0, "[25000,30000)"},
		{"mean below bound", "24999.999999998 is below 25000, whatever floats say", wage, 25000*500000000000 - 1, 500000000000, 0, "[20000,25000)"},
		{"cents", "money in cents", wage, 2499999, 1, 2, "[20000,25000)"},
		{"open above", "the top bound opens the last class", wage, 30000, 1, 0, "[30000,)"},
		{"open below", "below the first bound", wage, 9999, 1, 0, "(,10000)"},
		{"negative", "a correction below zero has a class", Spec{Bounds: []float64{-100, 0}}, -201, 2, 0, "(,-100)"},
		{"negative on bound", "-100 itself is inside", Spec{Bounds: []float64{-100, 0}}, -200, 2, 0, "[-100,0)"},
		{"fte", "0.7 is no binary fraction", Spec{Width: .1, Top: 1}, 210, 3, 2, "[0.7,0.8)"},
		{"fte below", "2.09/3 is below 0.7", Spec{Width: .1, Top: 1}, 209, 3, 2, "[0.6,0.7)"},
		{"narrow last", "the last class ends at top", Spec{Width: 4, Top: 10}, 9, 1, 0, "[8,10)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := must(t, tt.spec)
			if got := c.Dict().Label(c.Mean(tt.sum, tt.count, tt.decimals)); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.why, got, tt.want)
			}
		})
	}
	got := must(t, wage).Dict()
	want := []float64{7500, 12500, 17500, 22500, 27500, 32500}
	for i, w := range want {
		if got.Value(int32(i)) != w {
			t.Errorf("midpoint of %s is %v, want %v", got.Label(int32(i)), got.Value(int32(i)), w)
		}
	}
}

func TestClassesRefuse(t *testing.T) {
	for name, s := range map[string]Spec{
		"width below 0": {Width: -1, Top: 10}, "NaN": {Width: math.NaN(), Top: 10}, "top below from": {Width: 1, From: 5, Top: 5},
		"infinite": {Width: 1, Top: math.Inf(1)}, "too many": {Width: 1e-4, Top: 1e9}, "order": {Bounds: []float64{1, 1}},
		"both": {Width: 1, Bounds: []float64{1}}, "too fine": {Bounds: []float64{1e-7}}, "top alone": {Top: 5},
		"NaN bound": {Bounds: []float64{math.NaN()}}, "tiny width": {Width: 1e-9, Top: 1e-8},
	} {
		if c, err := NewClasses(s); err == nil {
			t.Errorf("%s: %+v gave %v, want an error", name, s, c.Dict().Labels())
		}
	}
	if c, err := NewClasses(Spec{}); err != nil || c.Dict() != nil {
		t.Errorf("the zero spec gave %v, %v, want no classes", c, err)
	}
}

// The class of a mean holds the exact rational mean.
func TestClassHoldsExactMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfNDistinct(rapid.IntRange(-50000, 50000), 1, 9, rapid.ID).Draw(t, "bounds")
		slices.Sort(b)
		s := Spec{}
		for _, v := range b {
			s.Bounds = append(s.Bounds, float64(v)/100)
		}
		c, err := NewClasses(s)
		if err != nil {
			t.Fatal(err)
		}
		count := rapid.Int64Range(1, 1e9).Draw(t, "count")
		at := rapid.SampledFrom(b).Draw(t, "near")
		sum := int64(at)*count + rapid.Int64Range(-3, 3).Draw(t, "off")
		m := new(big.Rat).Mul(big.NewRat(sum, count), big.NewRat(1, 100))
		lo, hi, err := Interval(c.Dict().Label(c.Mean(sum, count, 2)))
		if err != nil {
			t.Fatal(err)
		}
		rat := func(f float64) *big.Rat { return big.NewRat(int64(math.Round(f*100)), 100) }
		if !math.IsInf(lo, -1) && m.Cmp(rat(lo)) < 0 || !math.IsInf(hi, 1) && m.Cmp(rat(hi)) >= 0 {
			t.Fatalf("mean %v is not in [%v,%v)", m, lo, hi)
		}
	})
}

func FuzzInterval(f *testing.F) {
	for _, s := range []string{"[25000,30000)", "(,0)", "[150000,)", "(,)", "[1,0)", "", "[,)", "[NaN,1)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lo, hi, err := Interval(s)
		if err == nil && !(lo < hi) {
			t.Errorf("%q gave [%v,%v)", s, lo, hi)
		}
	})
}

// randomData makes canonical data with periods; missing values occur.
func randomData(t *rapid.T) *linked.Data {
	employers := rapid.IntRange(1, 8).Draw(t, "employers")
	s := rng.Sim(rapid.Uint64().Draw(t, "seed")).Stream(1, 0)
	dict, labels := (*frame.Dict)(nil), []string{}
	for e := range employers {
		labels = append(labels, fmt.Sprintf("E%04d", e))
	}
	dict = frame.MustDict(labels...)
	var firm, job [9][]int32
	for e := range employers {
		for y := int32(2010); y < 2013; y++ {
			add(&firm, int32(e), y, int32(s.IntN(4)), int32(s.IntN(3)), missing(s, 2011))
			for w := range s.IntN(30) {
				left := frame.NoInt
				if s.IntN(5) == 0 {
					first, days := yearDays(y)
					left = int32(first) + int32(s.IntN(int(days)))
				}
				add(&job, int32(e), y, int32(w), int32(s.IntN(4)-1), int32(s.IntN(3)), missing(s, int32(s.IntN(60000))), missing(s, int32(s.IntN(101))), int32(18+s.IntN(48)), left)
			}
		}
	}
	return &linked.Data{
		Jobs: linked.Canonical(frame.Must(frame.Codes(linked.Employer, dict, job[0]), frame.Ints(linked.Year, job[1]), frame.Ints(linked.Worker, job[2]),
			frame.Ordered(linked.Level, frame.MustDict("low", "mid", "high"), job[3]), frame.Codes(linked.Field, frame.MustDict("a", "b", "c"), job[4]),
			frame.Ints(linked.Wage, job[5]), frame.Fixed(linked.FTE, 2, job[6]), frame.Ints(linked.Age, job[7]), frame.Dates(linked.Left, job[8]))),
		Firms: frame.Must(frame.Codes(linked.Employer, dict, firm[0]), frame.Ints(linked.Year, firm[1]),
			frame.Codes(linked.Present, linked.PresentDict, firm[2]), frame.Codes(linked.Group, linked.GroupDict, firm[3]), frame.Ints(linked.EventYear, firm[4])),
		Periods: true,
	}
}

func missing(s *rng.Stream, v int32) int32 {
	if s.IntN(8) == 0 {
		return frame.NoInt
	}
	return v
}

func add(cols *[9][]int32, v ...int32) {
	for i, x := range v {
		cols[i] = append(cols[i], x)
	}
}

func options(t testing.TB) Options {
	return Options{
		FirmColumns: []string{linked.Group, linked.EventYear, linked.SizeClass, linked.SupplierShare},
		Wage:        must(t, Spec{Width: 5000, Top: 50000}), FTE: must(t, Spec{Width: .1, Top: 1}), Age: must(t, Spec{Width: 5, From: 20, Top: 60}),
	}
}

// Laws: the cells of an employer sum to its jobs that count, every cell's
// classes hold the exact mean recomputed row by row, and present is staff
// exactly where there are cells.
func TestPublishLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := randomData(rt)
		o := options(t)
		o.CountOn = rapid.SampledFrom([]string{"", CountAny}).Draw(rt, "count_on")
		got, err := Publish(context.Background(), d, nil, o)
		if err != nil {
			rt.Fatal(err)
		}
		type key struct{ e, y, l, f int32 }
		heads := map[key]int{}
		wages := map[key][]int64{}
		j := d.Jobs
		for i := range j.Rows() {
			if o.CountOn == "" && !j.Col(linked.Left).Missing(i) {
				continue
			}
			k := key{j.Col(linked.Employer).I[i], j.Col(linked.Year).I[i], j.Col(linked.Level).I[i], j.Col(linked.Field).I[i]}
			heads[k]++
			if w := j.Col(linked.Wage); !w.Missing(i) {
				wages[k] = append(wages[k], int64(w.I[i]))
			}
		}
		c := got.Cells
		if c.Rows() != len(heads) {
			rt.Fatalf("%d cells, want %d", c.Rows(), len(heads))
		}
		staff := map[[2]int32]int32{}
		for i := range c.Rows() {
			k := key{c.Col(linked.Employer).I[i], c.Col(linked.Year).I[i], c.Col(linked.Level).I[i], c.Col(linked.Field).I[i]}
			n := c.Col(Workers).I[i]
			if int(n) != heads[k] {
				rt.Fatalf("cell %v has %d workers, want %d", k, n, heads[k])
			}
			staff[[2]int32{k.e, k.y}] += n
			label := c.Col(WageClass).Dict.Label(c.Col(WageClass).I[i])
			if len(wages[k]) == 0 {
				if label != "" {
					rt.Fatalf("cell %v without wages has class %s", k, label)
				}
				continue
			}
			sum := int64(0)
			for _, w := range wages[k] {
				sum += w
			}
			m := float64(sum) / float64(len(wages[k]))
			if lo, hi, _ := Interval(label); m < lo || m >= hi {
				rt.Fatalf("cell %v with mean %v has class %s", k, m, label)
			}
		}
		e := got.Employers
		if e.Rows() != d.Firms.Rows() || e.Has(linked.SupplierShare) {
			rt.Fatalf("employers has %d rows and columns %q", e.Rows(), e.Names())
		}
		for i := range e.Rows() {
			n := staff[[2]int32{e.Col(linked.Employer).I[i], e.Col(linked.Year).I[i]}]
			p := linked.PresentDict.Label(e.Col(linked.Present).I[i])
			if (p == "none" || p == "closed") && n > 0 || p == "staff" && n == 0 {
				rt.Fatalf("present is %q with %d staff", p, n)
			}
			if s := e.Col(linked.SizeClass).I[i]; s != linked.SizeCode(n) {
				rt.Fatalf("size class %d with %d staff", s, n)
			}
		}
		if !slices.Equal(c.Order(c.Names()[:4]...), c.Sorted(c.Names()[:4]...).Order(c.Names()[:4]...)) {
			rt.Fatal("cells are not in canonical order")
		}
	})
}

// toy has two employers: A with 3 jobs in 2010, B with 1, and nobody in 2011.
func toy() *linked.Data {
	dict := frame.MustDict("A", "B")
	mid := int32(14610 + 181) // 2010-07-01
	return &linked.Data{
		Jobs: frame.Must(frame.Codes(linked.Employer, dict, []int32{0, 0, 0, 1}), frame.Ints(linked.Year, []int32{2010, 2010, 2010, 2010}),
			frame.Codes(linked.Level, frame.MustDict("low", "high"), []int32{0, 0, 1, 1}),
			frame.Ints(linked.Wage, []int32{20000, 29999, 40000, 26000}), frame.Fixed(linked.FTE, 2, []int32{100, 50, 80, 100}),
			frame.Ints(linked.Age, []int32{30, 40, 50, 61}),
			frame.Dates(linked.Left, []int32{frame.NoInt, mid, frame.NoInt, frame.NoInt})),
		Firms: frame.Must(frame.Codes(linked.Employer, dict, []int32{0, 0, 1, 1}), frame.Ints(linked.Year, []int32{2010, 2011, 2010, 2011}),
			frame.Codes(linked.Present, linked.PresentDict, []int32{0, 1, 0, 2}),
			frame.Codes(linked.Group, linked.GroupDict, []int32{0, 0, 1, 0}),
			frame.Ints(linked.EventYear, []int32{frame.NoInt, frame.NoInt, 2008, 2008})),
		Periods: true,
	}
}

// rows writes a table as text.
func rows(f *frame.Frame) []string {
	var out []string
	for i := range f.Rows() {
		var cells []string
		for _, c := range f.Columns() {
			s := fmt.Sprint(c.Value(i))
			if c.Coded() {
				s = c.Dict.Label(c.I[i])
			}
			cells = append(cells, s)
		}
		out = append(out, strings.Join(cells, " "))
	}
	return out
}

func TestPublishToy(t *testing.T) {
	tests := []struct {
		name, why        string
		change           func(*Options)
		employers, cells []string
	}{
		{"year end", "who left in July is not there on 31 December", func(*Options) {},
			[]string{"A 2010 staff [40,45) control NaN 1-4", "A 2011 none  control NaN ", "B 2010 staff [60,) intervention 2008 1-4", "B 2011 closed  control 2008 "},
			[]string{"A 2010 low 1 [20000,25000) [1,)", "A 2010 high 1 [40000,45000) [0.8,0.9)", "B 2010 high 1 [25000,30000) [1,)"}},
		{"any", "everybody counts; 49999/2 is below 25000", func(o *Options) { o.CountOn = CountAny },
			[]string{"A 2010 staff [40,45) control NaN 1-4", "A 2011 none  control NaN ", "B 2010 staff [60,) intervention 2008 1-4", "B 2011 closed  control 2008 "},
			[]string{"A 2010 low 2 [20000,25000) [0.7,0.8)", "A 2010 high 1 [40000,45000) [0.8,0.9)", "B 2010 high 1 [25000,30000) [1,)"}},
		{"average", "365 + 182 days are 1.5 heads, rounded up; wages weigh by days", func(o *Options) { o.CountOn = CountAverage },
			[]string{"A 2010 staff [40,45) control NaN 1-4", "A 2011 none  control NaN ", "B 2010 staff [60,) intervention 2008 1-4", "B 2011 closed  control 2008 "},
			[]string{"A 2010 low 1 [20000,25000) [0.8,0.9)", "A 2010 high 1 [40000,45000) [0.8,0.9)", "B 2010 high 1 [25000,30000) [1,)"}},
		{"merged", "members that differ lose the firm column, equal ones keep it", func(o *Options) { o.Merge = []int32{0, 0} },
			[]string{"A 2010 staff [45,50)  NaN 1-4", "A 2011 none  control NaN "},
			[]string{"A 2010 low 1 [20000,25000) [1,)", "A 2010 high 2 [30000,35000) [0.9,1)"}},
		{"coarse counts", "head counts in classes", func(o *Options) { o.CountOn, o.Counts = CountAny, []int{2, 5} },
			[]string{"A 2010 staff [40,45) control NaN 1-4", "A 2011 none  control NaN ", "B 2010 staff [60,) intervention 2008 1-4", "B 2011 closed  control 2008 "},
			[]string{"A 2010 low [2,5) [20000,25000) [0.7,0.8)", "A 2010 high [1,2) [40000,45000) [0.8,0.9)", "B 2010 high [1,2) [25000,30000) [1,)"}},
		{"nothing exact", "without classes there is no wage, FTE or age", func(o *Options) { *o = Options{} },
			[]string{"A 2010 staff", "A 2011 none", "B 2010 staff", "B 2011 closed"},
			[]string{"A 2010 low 1", "A 2010 high 1", "B 2010 high 1"}},
		{"weights", "two decimals", func(o *Options) {
			*o = Options{FirmColumns: []string{linked.DesignWeight}, Weight: func(e, y int32) (float64, bool) { return 30.127, e == 0 }}
		},
			[]string{"A 2010 staff 30.13", "A 2011 none 30.13", "B 2010 staff NaN", "B 2011 closed NaN"},
			[]string{"A 2010 low 1", "A 2010 high 1", "B 2010 high 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t)
			tt.change(&o)
			got, err := Publish(context.Background(), toy(), nil, o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.employers, rows(got.Employers)); diff != "" {
				t.Errorf("%s: employers (-want +got):\n%s", tt.why, diff)
			}
			if diff := cmp.Diff(tt.cells, rows(got.Cells)); diff != "" {
				t.Errorf("%s: cells (-want +got):\n%s", tt.why, diff)
			}
		})
	}
}

func TestPublishLeavesOutWhatIsNotThere(t *testing.T) {
	d := toy()
	d.Periods = false
	d.Jobs = d.Jobs.Without(linked.Level, linked.FTE, linked.Left).With(frame.Ints(linked.Year, make([]int32, 4)))
	d.Firms = d.Firms.Select(linked.Employer, linked.Year).Take([]int32{0, 2}).With(frame.Ints(linked.Year, make([]int32, 2)))
	got, err := Publish(context.Background(), d, []int32{1}, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"B staff [60,) 1-4"}, rows(got.Employers)); diff != "" {
		t.Errorf("employers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"B 1 [25000,30000)"}, rows(got.Cells)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

func TestPublishRefuses(t *testing.T) {
	tests := []struct {
		name, why string
		o         Options
		employers []int32
		want      string
	}{
		{"count_on", "a misspelt rule", Options{CountOn: "january"}, nil, `count_on is "january"`},
		{"accounts", "exact accounts are public: they would identify", Options{FirmColumns: []string{"turnover"}}, nil, `"turnover" cannot be released`},
		{"counts", "bounds in order", Options{Counts: []int{3, 2}}, nil, "from low to high"},
		{"half a unit", "half a merged unit is a smaller unit than promised", Options{Merge: []int32{0, 0}}, []int32{1}, "drawn in part"},
		{"no code", "a code beyond the codebook", Options{}, []int32{7}, "employer code 7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Publish(context.Background(), toy(), tt.employers, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
			}
		})
	}
}

// Cells that are too many for an array over all of them are counted alike.
func TestCompressedCells(t *testing.T) {
	d := toy()
	want, err := Publish(context.Background(), d, nil, options(t))
	if err != nil {
		t.Fatal(err)
	}
	labels := []string{"low", "high"}
	for i := range denseCells {
		labels = append(labels, fmt.Sprint("x", i))
	}
	d.Jobs = d.Jobs.With(frame.Codes(linked.Level, frame.MustDict(labels...), d.Jobs.Col(linked.Level).I))
	got, err := Publish(context.Background(), d, nil, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows(want.Cells), rows(got.Cells)); diff != "" {
		t.Errorf("cells (-dense +compressed):\n%s", diff)
	}
}

func TestWageBillCase(t *testing.T) {
	var c struct {
		Input struct {
			Cells []struct {
				N     int32     `json:"n"`
				Class []float64 `json:"mean_wage_class"`
			} `json:"cells"`
		} `json:"input"`
		Expected struct {
			Lower, Upper  float64
			RelativeWidth float64 `json:"relative_width"`
		} `json:"expected"`
	}
	sharedtest.Case(t, "attack_interval_wagebill", &c)
	// The case has classes of two widths: each cell is bounded by its own.
	var lower, upper float64
	for _, cell := range c.Input.Cells {
		classes := must(t, Spec{Bounds: cell.Class})
		bills, err := WageBill(frame.Must(frame.Ints(Serial, []int32{1}), frame.Ints(Workers, []int32{cell.N}),
			frame.Ordered(WageClass, classes.Dict(), []int32{classes.Code(int64(cell.Class[0]), 0)})))
		if err != nil {
			t.Fatal(err)
		}
		lower, upper = lower+bills[0].Lower, upper+bills[0].Upper
	}
	got := Bill{Lower: lower, Upper: upper}
	if lower != c.Expected.Lower || upper != c.Expected.Upper || math.Abs(got.RelativeWidth()-c.Expected.RelativeWidth) > 1e-15 {
		t.Errorf("wage bill in [%v,%v), width %v, want [%v,%v), %v", lower, upper, got.RelativeWidth(), c.Expected.Lower, c.Expected.Upper, c.Expected.RelativeWidth)
	}
}

// The true wage bill lies inside its interval.
func TestWageBillHoldsTruth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := randomData(rt)
		d.Jobs = d.Jobs.Filter(func(i int) bool { return !d.Jobs.Col(linked.Wage).Missing(i) })
		o := options(t)
		o.CountOn = CountAny
		if rapid.Bool().Draw(rt, "coarse") {
			o.Counts = []int{1, 2, 4, 9}
		}
		got, err := Publish(context.Background(), d, nil, o)
		if err != nil {
			rt.Fatal(err)
		}
		bills, err := WageBill(got.Cells)
		if err != nil {
			rt.Fatal(err)
		}
		truth := map[[2]int32]float64{}
		for i := range d.Jobs.Rows() {
			truth[[2]int32{d.Jobs.Col(linked.Employer).I[i], d.Jobs.Col(linked.Year).I[i]}] += d.Jobs.Col(linked.Wage).Value(i)
		}
		if len(bills) != len(truth) {
			rt.Fatalf("%d bills, want %d", len(bills), len(truth))
		}
		for _, b := range bills {
			if w := truth[[2]int32{b.Unit, b.Year}]; w < b.Lower || w >= b.Upper {
				rt.Fatalf("wage bill %v is outside [%v,%v)", w, b.Lower, b.Upper)
			}
		}
	})
}

// BenchmarkPublish: employers of 10 over 10 years, 15 levels x 30 fields.
func BenchmarkPublish(b *testing.B) {
	const employers, years, staff = 48000, 10, 10
	labels := make([]string, employers)
	for i := range labels {
		labels[i] = fmt.Sprintf("E%06d", i)
	}
	dict := frame.MustDict(labels...)
	n := employers * years * staff
	col := func() []int32 { return make([]int32, 0, n) }
	emp, year, level, field, wage, fte, age := col(), col(), col(), col(), col(), col(), col()
	var fe, fy []int32
	s := rng.Sim(1).Stream(1, 1)
	for e := range int32(employers) {
		for y := range int32(years) {
			fe, fy = append(fe, e), append(fy, 2010+y)
			for range staff {
				emp, year, level, field = append(emp, e), append(year, 2010+y), append(level, int32(s.IntN(15))), append(field, int32(s.IntN(30)))
				wage, fte, age = append(wage, int32(20000+s.IntN(80000))), append(fte, int32(20+s.IntN(81))), append(age, int32(18+s.IntN(48)))
			}
		}
	}
	names := func(n int) *frame.Dict {
		l := make([]string, n)
		for i := range l {
			l[i] = fmt.Sprint(i)
		}
		return frame.MustDict(l...)
	}
	d := &linked.Data{
		Jobs: frame.Must(frame.Codes(linked.Employer, dict, emp), frame.Ints(linked.Year, year), frame.Ordered(linked.Level, names(15), level),
			frame.Codes(linked.Field, names(30), field), frame.Ints(linked.Wage, wage), frame.Fixed(linked.FTE, 2, fte), frame.Ints(linked.Age, age)),
		Firms:   frame.Must(frame.Codes(linked.Employer, dict, fe), frame.Ints(linked.Year, fy)),
		Periods: true,
	}
	o := options(b)
	b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Publish(context.Background(), d, nil, o); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
