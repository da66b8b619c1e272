package spike

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/frame"
)

const no = frame.NoLong

func TestDetect(t *testing.T) {
	years := []int32{2010, 2011, 2012, 2013, 2014}
	cases := []struct {
		name, why           string
		machinery, tangible []int64
		years               []int32
		want                int32 // 0 for none
	}{
		{"flat", "nothing stands out", []int64{5, 5, 5, 5, 5}, nil, years, 0},
		{"spike", "thirty against a mean of five elsewhere", []int64{5, 5, 30, 5, 5}, nil, years, 2012},
		{"exactly three", "the threshold counts", []int64{10, 10, 30, 10, 10}, nil, years, 2012},
		{"just below", "29.9 against 10 would not round up", []int64{100, 100, 299, 100, 100}, nil, years, 0},
		{"own year left out", "the mean of all five years is 16, under which 30 would not be a spike", []int64{10, 10, 40, 10, 10}, nil, years, 2012},
		{"largest of two", "one main event", []int64{1, 40, 1, 90, 1}, nil, years, 2013},
		{"earliest of equal ones", "ties must not depend on anything else", []int64{0, 50, 50, 0, 0}, nil, years, 2011},
		{"tangible instead", "no year publishes machinery", []int64{no, no, no, no, no}, []int64{5, 5, 5, 50, 5}, years, 2013},
		{"machinery has gaps", "a schema changed: one line for all years", []int64{no, 5, 50, 5, 5}, []int64{9, 9, 9, 9, 90}, years, 2014},
		{"too few years", "three years say nothing", nil, []int64{1, 1, 90}, years[:3], 0},
		{"too few published", "missing years do not count", nil, []int64{1, no, 90, 1, no}, years, 0},
		{"never invests", "no event without investment", nil, []int64{0, 0, 0, 0, 0}, years, 0},
		{"invests once", "against nothing in all other years", nil, []int64{0, 0, 9, 0, 0}, years, 2012},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := Detect(Series{c.years, c.machinery, c.tangible})
			if ok != (c.want != 0) || got != c.want {
				t.Errorf("%s: year %d, found %v, want %d", c.why, got, ok, c.want)
			}
		})
	}
}

func TestDetectIgnoresUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(MinYears, 12).Draw(t, "years")
		s := Series{}
		scaled := Series{}
		k := int64(rapid.IntRange(2, 1000).Draw(t, "unit"))
		for i := range n {
			v := int64(rapid.IntRange(1, 1_000_000).Draw(t, "amount")) * 1000 // far from the floor of one euro
			s.Years, scaled.Years = append(s.Years, int32(2000+i)), append(scaled.Years, int32(2000+i))
			s.Tangible, scaled.Tangible = append(s.Tangible, v), append(scaled.Tangible, v*k)
		}
		y, ok := Detect(s)
		y2, ok2 := Detect(scaled)
		if y != y2 || ok != ok2 {
			t.Fatalf("in another unit: %d %v, want %d %v", y2, ok2, y, ok)
		}
	})
}

func TestFromAccounts(t *testing.T) {
	accounts := frame.Must(
		frame.Ints("employer_id", []int32{7, 7, 3, 3, 3, 3, 7, 7}),
		frame.Ints("year", []int32{2013, 2012, 2010, 2011, 2012, 2013, 2011, 2010}),
		frame.Longs("tangible_investment", []int64{1, 60, 5, 5, 5, 5, 1, 1}),
	)
	want := []Event{{7, 2012}}
	if diff := cmp.Diff(want, FromAccounts(accounts, Columns{})); diff != "" {
		t.Errorf("events of unsorted accounts (-want +got):\n%s", diff)
	}
	d := frame.MustDict("a", "b")
	coded := frame.Must(
		frame.Codes("employer", d, []int32{1, 1, 1, 1}),
		frame.Ints("year", []int32{2010, 2011, 2012, 2013}),
		frame.Longs("machinery_investment", []int64{1, 1, 1, 60}),
	)
	want = []Event{{1, 2013}}
	if diff := cmp.Diff(want, FromAccounts(coded, Columns{Employer: "employer"})); diff != "" {
		t.Errorf("events under other names (-want +got):\n%s", diff)
	}
}
