package population

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// figures are what a population realises, for comparison with the calibration.
type figures struct {
	sizeShare       [9]float64 // last year-end
	sizeFirst       [9]float64 // first year-end
	meanSize        float64
	zipf            [2]float64 // CCDF slopes 10-50 and 50-250
	hireRate        float64    // of those there at 31-12, not there a year before
	exitRate        float64
	deathRate       float64 // employers closing per employer present
	present         []int   // employers at 31-12 by year
	median, d1, d9  float64 // full-time full-year wage of the last year
	mean            float64
	levels          [16]float64 // shares at 31-12 of the last year
	cramersV        float64
	ages            [5]float64 // shares <25, 25-34, 35-44, 45-54, 55+ in the last year
	women, partTime float64
	cells           map[string][4]float64 // size label: cells per employer, share of cells = 1, <= 3, staff in cells = 1
	again           float64               // share of hires of workers seen before
	groups          [3]float64
	sector          map[string][2]float64 // share of employers and of staff
}

func measure(p *Population) figures {
	f := figures{cells: map[string][4]float64{}, sector: map[string][2]float64{}}
	years := p.Options.To - p.Options.From + 1
	n := p.Employers.Rows()
	heads := make([]int32, n*years)
	col := func(name string) []int32 { return p.Jobs.Col(name).I }
	employer, year, level, field, age := col("employer_id"), col("year"), col("level"), col("field"), col("age")
	wage, fte, hired, left, sex, worker := col("wage"), col("fte"), col("hired"), col("left"), col("sex"), col("worker_id")
	hires, exits, staff := 0, 0, 0
	var fullWages []float64
	joint := map[[2]int32]float64{}
	firstYear := map[int32]int32{}
	for i := range year {
		if y, ok := firstYear[worker[i]]; !ok || year[i] < y {
			firstYear[worker[i]] = year[i]
		}
	}
	seen, again := 0, 0
	last := int32(p.Options.To)
	for i := range employer {
		if hired[i] != frame.NoInt {
			if left[i] == frame.NoInt {
				hires++
			}
			if year[i] > int32(p.Options.From)+4 {
				seen++
				if firstYear[worker[i]] < year[i] {
					again++
				}
			}
		}
		if left[i] != frame.NoInt {
			if hired[i] == frame.NoInt {
				exits++
			}
			continue
		}
		staff++
		heads[int(employer[i]-1)*years+int(year[i])-p.Options.From]++
		if year[i] != last {
			continue
		}
		joint[[2]int32{level[i], field[i]}]++
		f.levels[level[i]]++
		if b := []int32{25, 35, 45, 55}; true {
			k := 0
			for k < 4 && age[i] >= b[k] {
				k++
			}
			f.ages[k]++
		}
		f.women += float64(sex[i])
		if fte[i] < 100 {
			f.partTime++
		} else if hired[i] == frame.NoInt {
			fullWages = append(fullWages, float64(wage[i]))
		}
	}
	f.again = float64(again) / float64(seen)
	f.hireRate, f.exitRate = float64(hires)/float64(staff), float64(exits)/float64(staff)
	total := 0.0
	for _, x := range f.levels {
		total += x
	}
	for i := range f.levels {
		f.levels[i] /= total
	}
	for i := range f.ages {
		f.ages[i] /= total
	}
	f.women, f.partTime = f.women/total, f.partTime/total
	slices.Sort(fullWages)
	q := func(p float64) float64 { return fullWages[int(p*float64(len(fullWages)))] }
	f.d1, f.median, f.d9 = q(.1), q(.5), q(.9)
	for _, w := range fullWages {
		f.mean += w / float64(len(fullWages))
	}
	f.cramersV = cramersV(joint)
	nace := p.Employers.Col("nace")
	count, big := 0.0, map[int]float64{}
	for y := range years {
		present := 0
		for e := range n {
			h := heads[e*years+y]
			if h == 0 {
				continue
			}
			present++
			if y == 0 {
				f.sizeFirst[linked.SizeCode(h)]++
			}
			if y == years-1 {
				f.sizeShare[linked.SizeCode(h)]++
				f.meanSize += float64(h)
				count++
				for _, b := range []int{10, 50, 250} {
					if int(h) >= b {
						big[b]++
					}
				}
				s := f.sector[nace.Dict.Label(nace.I[e])]
				f.sector[nace.Dict.Label(nace.I[e])] = [2]float64{s[0] + 1, s[1] + float64(h)}
			}
		}
		f.present = append(f.present, present)
	}
	for i := range f.sizeShare {
		f.sizeShare[i] /= count
		f.sizeFirst[i] /= float64(f.present[0])
	}
	for k, s := range f.sector {
		f.sector[k] = [2]float64{s[0] / count, s[1] / f.meanSize}
	}
	f.meanSize /= count
	f.zipf[0] = math.Log(big[10]/big[50]) / math.Log(5)
	f.zipf[1] = math.Log(big[50]/big[250]) / math.Log(5)
	closed := 0
	for _, c := range p.Employers.Col("closed").I {
		if c != frame.NoInt {
			closed++
		}
	}
	f.deathRate = float64(closed) / float64(years) / float64(p.Options.Employers)
	for _, g := range p.Employers.Col("group").I {
		f.groups[g] += 1 / float64(n)
	}
	f.countCells(employer, year, level, field, left, last)
	return f
}

// countCells fills the small-cell profile at 31-12 of the last year.
func (f *figures) countCells(employer, year, level, field, left []int32, last int32) {
	bands := []struct {
		label  string
		lo, hi int32
	}{{"5", 5, 5}, {"9-11", 9, 11}, {"18-22", 18, 22}, {"45-55", 45, 55}, {"170-230", 170, 230}, {"800-1200", 800, 1200}}
	sums := map[string][5]float64{}
	for lo := 0; lo < len(employer); {
		hi := lo
		cells, heads := map[int32]int32{}, int32(0)
		for ; hi < len(employer) && employer[hi] == employer[lo]; hi++ {
			if year[hi] == last && left[hi] == frame.NoInt {
				cells[level[hi]*100+field[hi]]++
				heads++
			}
		}
		for _, b := range bands {
			if heads < b.lo || heads > b.hi {
				continue
			}
			s := sums[b.label]
			s[0]++
			s[1] += float64(len(cells))
			for _, c := range cells {
				if c == 1 {
					s[2]++
				}
				if c <= 3 {
					s[3]++
				}
			}
			s[4] += float64(heads)
			sums[b.label] = s
		}
		lo = hi
	}
	for l, s := range sums {
		f.cells[l] = [4]float64{s[1] / s[0], s[2] / s[1], s[3] / s[1], s[2] / s[4]}
	}
}

func cramersV(joint map[[2]int32]float64) float64 {
	rows, cols, n := map[int32]float64{}, map[int32]float64{}, 0.0
	for k, c := range joint {
		rows[k[0]] += c
		cols[k[1]] += c
		n += c
	}
	chi := -n
	for k, c := range joint {
		chi += n * c * c / (rows[k[0]] * cols[k[1]])
	}
	// Empty cells add their expected counts, which the sum of c*c/e - n holds already.
	return math.Sqrt(chi / n / float64(min(len(rows), len(cols))-1))
}

// hits returns the share of planted events, with at least four filed years,
// whose year was detected, and the share of other employers flagged at all.
func hits(p *Population) (hit, wrongYear, falseRate float64, events, others int) {
	filed := map[int32]int{}
	for _, e := range p.Accounts.Col("employer_id").I {
		filed[e]++
	}
	sides := deriveSides(p.Employers.Rows(), p.Accounts, p.Suppliers, .1)
	for i, planted := range p.Employers.Col("automation_year").I {
		if filed[int32(i+1)] < 4 {
			continue
		}
		got := sides.event[i]
		if planted == frame.NoInt {
			others++
			if got != frame.NoInt {
				falseRate++
			}
			continue
		}
		events++
		if got == planted {
			hit++
		} else if got != frame.NoInt {
			wrongYear++
		}
	}
	return hit / float64(events), wrongYear / float64(events), falseRate / float64(others), events, others
}

func (f figures) print(t *testing.T, p *Population) {
	t.Logf("size shares last %.4f", f.sizeShare)
	t.Logf("size shares first %.4f", f.sizeFirst)
	t.Logf("mean size %.1f zipf %.3f present %v", f.meanSize, f.zipf, f.present)
	t.Logf("hires %.3f exits %.3f deaths %.4f again %.3f", f.hireRate, f.exitRate, f.deathRate, f.again)
	t.Logf("wage d1 %.0f median %.0f mean %.0f d9 %.0f logsd %.3f", f.d1, f.median, f.mean, f.d9, math.Log(f.d9/f.d1)/2.563)
	t.Logf("levels %.3f", f.levels)
	t.Logf("V %.3f ages %.3f women %.3f part-time %.3f groups %.3f", f.cramersV, f.ages, f.women, f.partTime, f.groups)
	for _, k := range []string{"5", "9-11", "18-22", "45-55", "170-230", "800-1200"} {
		t.Logf("cells at %s: %.2f", k, f.cells[k])
	}
	t.Log("sector employers, staff:", fmt.Sprint(f.sector))
	hit, wrong, falsely, events, others := hits(p)
	t.Logf("detection: hit %.3f wrong year %.3f of %d, false %.4f of %d", hit, wrong, events, falsely, others)
	schemas := map[string]int{}
	for _, s := range p.Accounts.Col("schema").I {
		schemas[SchemaDict.Label(s)]++
	}
	t.Log("schemas", schemas, "links", p.Suppliers.Rows())
}
