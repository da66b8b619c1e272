package population

import (
	"context"
	"math"
	"testing"

	"scramblelab/internal/calibration"
	"scramblelab/internal/linked"
)

// firmsOnly draws the employers of the null world: no staff, no network.
func firmsOnly(employers int, seed uint64) *skeleton {
	s := newSkeleton(Options{Employers: employers, World: "null", Seed: seed}.Normal())
	s.drawEmployers()
	s.drawEvents()
	s.plantHeads()
	return s
}

// demography is what paths of employers show.
type demography struct {
	shares, lastShares  [9]float64 // over all year-ends; at the last
	slope               [2]float64 // of the CCDF of head counts, 10-50 and 50-250
	mean                [3]float64 // head count in 2005, 2012, 2020
	top                 float64    // mean of employers with 1,000 or more
	entry, exit         float64    // of employers, a year
	entryJobs, exitJobs float64    // of jobs
	created, destroyed  float64    // of jobs, all employers
	hazard              [12]float64
	growthSD            [3]float64 // of latent log growth around 5, 50, 500
	autocorrelation     float64
	young, old          [2]float64 // mean log growth of survivors aged 1-2 and 10+, at 2-5 and 10-50
	touched             float64    // share of staff of 2010 in takeovers to 2015
	entrantBelow5       float64
}

func (s *skeleton) demography() demography {
	var d demography
	count, last := 0.0, 0.0
	var big [3]float64
	var n, ends, begins float64
	var hazN, hazX [12]float64
	var g [3][3]float64
	var pairs [5]float64
	var gr [2][2][2]float64
	var tops [2]float64
	var totals [3][2]float64
	var entryJobs, exitJobs, created, destroyed, jobs float64
	below5, entrants := 0.0, 0.0
	for i := range s.employers {
		e := &s.employers[i]
		for y := max(int(e.first), s.o.From); y <= int(e.last); y++ {
			h := e.count(y)
			c := linked.SizeCode(int32(h))
			d.shares[c]++
			count++
			if y == s.o.To {
				d.lastShares[c]++
				last++
			}
			for k, b := range []int{10, 50, 250} {
				if h >= b {
					big[k]++
				}
			}
			if h >= 1000 {
				tops[0]++
				tops[1] += float64(h)
			}
			for k, at := range []int{2005, 2012, 2020} {
				if y == at {
					totals[k][0]++
					totals[k][1] += float64(h)
				}
			}
			jobs += float64(h)
			if int(e.first) == y && y >= s.o.From {
				begins++
				entryJobs += float64(h)
				if e.born == e.first {
					entrants++
					if h < 5 {
						below5++
					}
				}
			}
		}
		for y := max(int(e.first), s.o.From-1); y <= min(int(e.last), s.o.To-1); y++ {
			n++
			age := min(y-int(e.born), 11)
			hazN[age]++
			if int(e.exit) == y+1 {
				ends++
				exitJobs += float64(e.count(y))
				hazX[age]++
				continue
			}
			delta := float64(e.count(y+1) - e.count(y))
			created += max(0, delta)
			destroyed += max(0, -delta)
			a, b := e.size(y), e.size(y+1)
			growth := math.Log(b / a)
			for k, at := range []float64{5, 50, 500} {
				if a > at*.8 && a < at*1.25 {
					g[k][0]++
					g[k][1] += growth
					g[k][2] += growth * growth
				}
			}
			if y+2 <= int(e.last) && a > 10 {
				next := math.Log(e.size(y+2) / b)
				pairs[0]++
				pairs[1] += growth
				pairs[2] += next
				pairs[3] += growth * next
				pairs[4] += growth * growth
			}
			old := y-int(e.born) >= 10
			if !old && y-int(e.born) > 1 {
				continue
			}
			k, z := 0, -1
			if old {
				k = 1
			}
			if a >= 2 && a < 5 {
				z = 0
			} else if a >= 10 && a < 50 {
				z = 1
			}
			if z >= 0 {
				gr[k][z][0]++
				gr[k][z][1] += growth
			}
		}
	}
	for c := range d.shares {
		d.shares[c] /= count
		d.lastShares[c] /= last
	}
	d.slope = [2]float64{math.Log(big[0]/big[1]) / math.Log(5), math.Log(big[1]/big[2]) / math.Log(5)}
	for k := range totals {
		d.mean[k] = totals[k][1] / totals[k][0]
	}
	d.top = tops[1] / tops[0]
	d.entry, d.exit = begins/count, ends/n
	d.entryJobs, d.exitJobs = entryJobs/jobs, exitJobs/jobs
	d.created, d.destroyed = (created+entryJobs)/jobs, (destroyed+exitJobs)/jobs
	for a := range hazN {
		d.hazard[a] = hazX[a] / hazN[a]
	}
	for k := range g {
		m := g[k][1] / g[k][0]
		d.growthSD[k] = math.Sqrt(g[k][2]/g[k][0] - m*m)
	}
	m0, m1 := pairs[1]/pairs[0], pairs[2]/pairs[0]
	d.autocorrelation = (pairs[3]/pairs[0] - m0*m1) / (pairs[4]/pairs[0] - m0*m0)
	for z := range 2 {
		d.young[z], d.old[z] = gr[0][z][1]/gr[0][z][0], gr[1][z][1]/gr[1][z][0]
	}
	d.entrantBelow5 = below5 / entrants
	touched := map[int32]bool{}
	for _, t := range s.takeovers {
		if t.year > 2010 && t.year <= 2015 {
			touched[t.giver], touched[t.taker] = true, true
		}
	}
	var all, part float64
	for i := range s.employers {
		e := &s.employers[i]
		h := float64(e.count(2010))
		all += h
		if touched[int32(i)] || e.heir >= 0 && e.exit > 2010 && e.exit <= 2015 {
			part += h
		}
	}
	d.touched = part / all
	return d
}

// The figures of facts 1 and 2a over 19 years. Tolerances are about four
// standard deviations over seeds at 20,000 employers, and wider for figures of
// which the facts give a range.
func TestDemography(t *testing.T) {
	s := firmsOnly(20000, 1)
	d, c := s.demography(), calibration.Belgium()
	t.Logf("%+v", d)
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance) {
			t.Errorf("%s is %.4f, want %.4f within %.4f", what, got, want, tolerance)
		}
	}
	for k, want := range c.Size.Shares {
		near("share of size class "+linked.SizeDict.Label(int32(k)), d.shares[k], want, .0007+.06*want)
		near("share at the end of size class "+linked.SizeDict.Label(int32(k)), d.lastShares[k], want, .002+.08*want)
	}
	near("CCDF slope 10-50", d.slope[0], 1.016, .07)
	near("CCDF slope 50-250", d.slope[1], 1.038, .1)
	near("mean head count 2012", d.mean[1], 22.3, 2)
	near("entry rate", d.entry, .07, .005)     // Em: 6.5 to 7.5 %
	near("exit rate", d.exit, .065, .005)      // Em: 6 to 7 %
	near("job creation", d.created, .057, .01) // S: DynaM 2016-17
	near("job destruction", d.destroyed, .043, .01)
	near("entrants with less than five staff", d.entrantBelow5, .84, .02)
	for k, want := range []float64{.21, .125, .075} { // D: what creation and destruction leave
		near("sd of log growth", d.growthSD[k], want, .02)
	}
	near("autocorrelation of growth", d.autocorrelation, 0, .03)
	near("staff touched by takeovers in five years", d.touched, .17, .06) // S: Geurts and Van Biesebroeck
	if h := d.hazard; !(h[0] < h[1] && h[1] < h[2]) || h[2] < h[11] || math.Abs(h[4]/h[2]-1) > .2 {
		t.Errorf("exit hazards by age %.3f: want a rise to the third year, little change after, and less for the old", h)
	}
	if !(d.young[0] > d.old[0] && d.young[1] > d.old[1] && d.young[1] > d.young[0]) {
		t.Errorf("growth of the young %.3f, of the old %.3f at 2-4 and 10-49: want more for the young, and more for the larger of them", d.young, d.old)
	}
	byClass := map[int][2]float64{}
	for i := range s.employers {
		e := &s.employers[i]
		for y := s.o.From; y < int(e.last); y++ {
			if e.present(y) {
				k := int(linked.SizeCode(int32(e.count(y))))
				byClass[k] = [2]float64{byClass[k][0] + 1, byClass[k][1]}
			}
		}
		if e.exit > int16(s.o.From) {
			k := int(linked.SizeCode(int32(e.count(int(e.exit) - 1))))
			byClass[k] = [2]float64{byClass[k][0], byClass[k][1] + 1}
		}
	}
	for k := range 4 {
		if a, b := byClass[k], byClass[k+1]; a[1]/a[0] < b[1]/b[0] {
			t.Errorf("exit rate %.4f in size class %d, %.4f in the next: want it to fall", a[1]/a[0], k, b[1]/b[0])
		}
	}
}

// The business cycle and the trend in the number of employers add up to the
// growth of jobs, and the cycle leaves the size classes of the window alone.
func TestCycle(t *testing.T) {
	s := firmsOnly(50, 2)
	level, jobs, mean := s.cycle, 0.0, 0.0
	for y := s.o.From; y <= s.o.To; y++ {
		jobs += s.c.Cycle[y]
		mean += level[y-s.o.From+1]
	}
	if got := level[len(level)-1] - level[0] + float64(s.o.To-s.o.From+1)*s.c.Size.Growth; math.Abs(got-jobs) > 1e-9 {
		t.Errorf("cycle and trend add up to %.4f, want %.4f", got, jobs)
	}
	if math.Abs(mean) > 1e-9 {
		t.Errorf("the cycle sums to %v over the window, want 0", mean)
	}
}

// The number of employers grows by the calibration's rate around the mean asked
// for, at any number.
func TestNumberOfEmployers(t *testing.T) {
	for _, n := range []int{50, 3000} {
		s := firmsOnly(n, 3)
		total := 0
		for y := s.o.From; y <= s.o.To; y++ {
			present := 0
			for i := range s.employers {
				if s.employers[i].present(y) {
					present++
				}
			}
			if present != s.presentIn(y) {
				t.Errorf("%d employers in %d, want %d", present, y, s.presentIn(y))
			}
			total += present
		}
		if mean := float64(total) / float64(s.o.To-s.o.From+1); math.Abs(mean-float64(n)) > 1 {
			t.Errorf("%.2f employers a year, want %d", mean, n)
		}
	}
}

func TestTraitsOfEmployers(t *testing.T) {
	s := firmsOnly(20000, 4)
	for i := range s.employers {
		e := &s.employers[i]
		if h := e.heir; h >= 0 {
			n := &s.employers[h]
			if n.sector != e.sector || n.class4 != e.class4 || n.province != e.province || n.born != e.born || n.founded != e.exit {
				t.Fatalf("employer %d has the heir %+v, want the same traits under a new number", i, n)
			}
		}
		if int(e.class4) >= max(1, len(s.c.Classes[s.c.Sectors[e.sector].Code])) {
			t.Fatalf("employer %d has four-digit class %d of section %d", i, e.class4, e.sector)
		}
		at := 0
		for _, r := range s.c.Regions[:e.region] {
			at += max(1, len(r.Provinces))
		}
		if int(e.province) < at || int(e.province) >= at+len(s.c.Regions[e.region].Provinces) {
			t.Fatalf("employer %d of region %d has province %d", i, e.region, e.province)
		}
	}
	for _, x := range s.takeovers {
		giver, taker := &s.employers[x.giver], &s.employers[x.taker]
		year := int(x.year)
		if giver.sector != taker.sector || !taker.present(year) || !taker.present(year-1) || !giver.present(year-1) || (x.share == 1) != (int(giver.exit) == year) {
			t.Fatalf("takeover %+v of %+v by %+v", x, giver, taker)
		}
	}
	if len(s.takeovers) == 0 {
		t.Error("no takeovers")
	}
}

// Staff follows takeovers: most of the staff of an employer that was absorbed
// works for the taker on the next day, and no seniority is lost by it.
func TestStaffFollowsTakeovers(t *testing.T) {
	s := newSkeleton(Options{Employers: 3000, From: 2010, To: 2014, Suppliers: "none", World: "null", Seed: 6}.Normal())
	s.drawEmployers()
	s.drawEvents()
	s.plantHeads()
	if err := s.drawStaff(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	absorbed, parts := 0, 0
	for _, x := range s.takeovers {
		began := map[[2]int32]bool{} // worker and first day with the taker
		both := map[int32]bool{}     // had a second job with the taker
		for _, sp := range s.spells[x.taker] {
			began[[2]int32{sp.who(), sp.from}] = true
			both[sp.who()] = both[sp.who()] || sp.second()
		}
		left, moved := 0, 0
		for _, sp := range s.spells[x.giver] {
			if !sp.second() && !both[sp.who()] && sp.to >= s.day1(int(x.year)) && sp.from < s.day1(int(x.year)) {
				left++
				if began[[2]int32{sp.who(), sp.to + 1}] {
					moved++
				}
			}
		}
		want := math.Round(float64(x.share) * float64(left))
		if math.Abs(float64(moved)-want) > 1 {
			t.Errorf("takeover %+v moved %d of %d workers, want %.0f", x, moved, left, want)
		}
		if x.share == 1 {
			absorbed++
		} else {
			parts++
		}
	}
	if absorbed == 0 || parts == 0 {
		t.Errorf("%d mergers and %d sales of parts, want some of both", absorbed, parts)
	}
}
