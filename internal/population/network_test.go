package population

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"scramblelab/internal/frame"
)

// networkOnly draws employers and links of a population.
func networkOnly(t *testing.T, o Options) (*skeleton, *frame.Frame) {
	t.Helper()
	ctx := context.Background()
	start := time.Now()
	s, err := drawSkeleton(ctx, o.Normal())
	if err != nil {
		t.Fatal(err)
	}
	drawn := time.Since(start)
	f, err := s.suppliersFrame(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("skeleton %v, links %v, %d rows", drawn, time.Since(start)-drawn, f.Rows())
	return s, f
}

// topology is what the links of one year show, and what is left of them a year
// later.
type topology struct {
	degree, seller, median float64   // links per employer; per seller, mean and median
	customers, suppliers   float64   // exponents of the CCDF of degrees, maximum likelihood in the upper tail
	top1, top5             float64   // shares in sales of the average seller
	area, region           float64   // of links within one
	kept, keptValue        float64   // a year later
	mainKept               float64   // the link to the largest buyer
	mutual                 float64   // links that are answered
	assort                 float64   // slope of log mean buyers' number of suppliers on log number of customers
	mix                    []float64 // sectors among links into manufacturing
	meanLink               float64
}

func (s *skeleton) topology(f *frame.Frame, year int) topology {
	supplier, customer, years, amount := f.Col("supplier_id").I, f.Col("customer_id").I, f.Col("year").I, f.Col("amount").L
	type pair struct{ a, b int32 }
	now, next := map[pair]int64{}, map[pair]bool{}
	sales := map[int32][]int64{}
	best := map[int32]pair{}
	in := map[int32]float64{}
	g := topology{mix: make([]float64, len(s.c.Sectors))}
	into, value := 0.0, 0.0
	for i := range supplier {
		p := pair{supplier[i], customer[i]}
		if int(years[i]) == year+1 {
			next[p] = true
		}
		if int(years[i]) != year {
			continue
		}
		now[p] = amount[i]
		value += float64(amount[i])
		if b, ok := best[p.a]; !ok || now[b] < amount[i] {
			best[p.a] = p
		}
		sales[p.a] = append(sales[p.a], amount[i])
		in[p.b]++
		a, b := &s.employers[p.a-1], &s.employers[p.b-1]
		if a.province == b.province {
			g.area++
		}
		if a.region == b.region {
			g.region++
		}
		if s.c.Sectors[b.sector].Code == "C" {
			g.mix[a.sector]++
			into++
		}
	}
	links := float64(len(now))
	g.meanLink = value / links
	g.degree, g.seller = links/float64(s.presentIn(year)), links/float64(len(sales))
	g.area, g.region = g.area/links, g.region/links
	for k := range g.mix {
		g.mix[k] /= into
	}
	for p, a := range now {
		if next[p] {
			g.kept += 1 / links
			g.keptValue += float64(a) / value
		}
		if _, ok := now[pair{p.b, p.a}]; ok {
			g.mutual += 1 / links
		}
	}
	for _, p := range best {
		if next[p] {
			g.mainKept += 1 / float64(len(best))
		}
	}
	var out, of []float64
	var sx, sy, sxx, sxy, n float64
	buyersDegree := map[int32]float64{}
	for p := range now {
		buyersDegree[p.a] += in[p.b]
	}
	for id, v := range sales {
		slices.SortFunc(v, func(a, b int64) int { return cmp.Compare(b, a) })
		total, five := 0.0, 0.0
		for k, a := range v {
			total += float64(a)
			if k < 5 {
				five += float64(a)
			}
		}
		g.top1 += float64(v[0]) / total / float64(len(sales))
		g.top5 += five / total / float64(len(sales))
		out = append(out, float64(len(v)))
		x, y := math.Log(float64(len(v))), math.Log(buyersDegree[id]/float64(len(v)))
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	g.assort = (n*sxy - sx*sy) / (n*sxx - sx*sx)
	for _, d := range in {
		of = append(of, d)
	}
	slices.Sort(out)
	slices.Sort(of)
	g.median = out[len(out)/2]
	tail := func(v []float64) float64 {
		v = v[len(v)*95/100:]
		sum := 0.0
		for _, d := range v {
			sum += math.Log((d + .5) / (v[0] - .5))
		}
		return float64(len(v)) / sum
	}
	g.customers, g.suppliers = tail(out), tail(of)
	return g
}

func TestNetworkFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("draws all links of 20,000 employers")
	}
	s, f := networkOnly(t, Options{Employers: 20000, From: 2010, To: 2014, Suppliers: "full", World: "null", Seed: 1})
	g := s.topology(f, 2012)
	t.Logf("%+v", g)
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance) {
			t.Errorf("%s is %.3f, want %.3f within %.3f", what, got, want, tolerance)
		}
	}
	near("links per employer", g.degree, 30, 3)
	near("exponent of customers", g.customers, 1.3, .2)   // El
	near("share of the largest buyer", g.top1, .63, .03)  // S*
	near("share of the five largest", g.top5, .87, .03)   // S*
	near("links within a NUTS 2 area", g.area, .475, .02) // S*
	near("links kept", g.kept, .575, .03)                 // A
	near("value kept", g.keptValue, .875, .03)            // A
	near("main links kept", g.mainKept, .92, .03)         // S: Japan
	near("links answered", g.mutual, .03, .01)            // Em
	near("assortativity", g.assort, -.2, .07)             // Em
	for code, want := range map[string]float64{"G": .35, "C": .2, "H": .1, "F": .06, "J": .05} {
		k, _ := sectorDict(s.c).Code(code)
		near("share of "+code+" among a manufacturer's suppliers", g.mix[k], want, .1*want+.005)
	}
	if g.suppliers < g.customers+.2 {
		t.Errorf("exponent of suppliers is %.2f, of customers %.2f: want a thinner tail of suppliers", g.suppliers, g.customers)
	}
}

// The main links are the full ones that go to one of the seller's five largest
// buyers of the year, or are at least 5 % of what the buyer buys in it.
func TestMainLinksAreAFilterOfAll(t *testing.T) {
	o := Options{Employers: 800, From: 2010, To: 2013, Suppliers: "full", Seed: 3}
	_, full := networkOnly(t, o)
	o.Suppliers = "main"
	_, main := networkOnly(t, o)
	type key struct{ employer, year int32 }
	supplier, customer, year, amount := full.Col("supplier_id").I, full.Col("customer_id").I, full.Col("year").I, full.Col("amount").L
	bought, sold := map[key]int64{}, map[key][]int{} // rows
	for i := range supplier {
		bought[key{customer[i], year[i]}] += amount[i]
		sold[key{supplier[i], year[i]}] = append(sold[key{supplier[i], year[i]}], i)
	}
	var rows []int32
	large := 0
	for i := range supplier {
		bigger := 0
		for _, k := range sold[key{supplier[i], year[i]}] {
			if amount[k] > amount[i] || amount[k] == amount[i] && customer[k] < customer[i] {
				bigger++
			}
		}
		top, part := bigger < 5, float64(amount[i]) >= .05*float64(bought[key{customer[i], year[i]}])
		if part && !top {
			large++
		}
		if part || top {
			rows = append(rows, int32(i))
		}
		if supplier[i] == customer[i] || amount[i] < 250 {
			t.Fatalf("row %d: employer %d sells %d euro to %d", i, supplier[i], amount[i], customer[i])
		}
		if i > 0 && (supplier[i] < supplier[i-1] || supplier[i] == supplier[i-1] && (customer[i] < customer[i-1] || customer[i] == customer[i-1] && year[i] <= year[i-1])) {
			t.Fatalf("rows %d and %d are not in order, or a link stands twice in a year", i-1, i)
		}
	}
	for _, name := range full.Names() {
		want, got := full.Col(name).Take(rows), main.Col(name)
		if !slices.Equal(want.I, got.I) || !slices.Equal(want.L, got.L) {
			t.Fatalf("column %s: %d main links, want %d of %d", name, main.Rows(), len(rows), full.Rows())
		}
	}
	if large == 0 || main.Rows() == full.Rows() {
		t.Errorf("%d of %d links are main ones, %d only because the buyer buys much by them: want a part, and some such", main.Rows(), full.Rows(), large)
	}
}

// Both sides of a link have staff in its year.
func TestLinksJoinEmployersThatExist(t *testing.T) {
	s, f := networkOnly(t, Options{Employers: 300, Suppliers: "full", Seed: 4})
	supplier, customer, year := f.Col("supplier_id").I, f.Col("customer_id").I, f.Col("year").I
	for i := range supplier {
		for _, id := range []int32{supplier[i], customer[i]} {
			if !s.employers[id-1].present(int(year[i])) {
				t.Fatalf("row %d: employer %d has no staff in %d", i, id, year[i])
			}
		}
	}
	if d := float64(f.Rows()) / 19 / 300; d < 8 {
		t.Errorf("%.1f links per employer and year among 300 employers, want at least 8", d)
	}
}

// Splits of sales fall from the first place on and sum to one.
func TestSplit(t *testing.T) {
	s := firmsOnly(50, 1)
	for _, buyers := range []int{1, 2, 3, 5, 6, 10, 100, 5000} {
		for _, luck := range []float64{-4, -1, 0, 1, 4} {
			places, others := s.split(buyers, luck)
			sum := others
			for j, p := range places {
				sum += p
				if (p > 0) != (j < buyers) || j > 0 && p > places[j-1]+1e-12 {
					t.Errorf("%d buyers, luck %v: places %.4f", buyers, luck, places)
				}
			}
			if math.Abs(sum-1) > 1e-9 || (others > 0) != (buyers > 5) {
				t.Errorf("%d buyers, luck %v: places %.4f and others %.4f sum to %v", buyers, luck, places, others, sum)
			}
		}
	}
}
