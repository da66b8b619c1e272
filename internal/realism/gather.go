package realism

import (
	"context"
	"math"
	"sync/atomic"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/par"
	"scramblelab/internal/progress"
)

// groups is the number of random groups of employers from which sampling
// errors are estimated.
const groups = 32

// groupOf deals employers out to the groups by a multiplicative hash, so that
// neighbours in the table (births of one year) go to different ones.
func groupOf(employer int) int { return int(uint32(employer+1) * 0x9E3779B1 >> 27) }

// gather counts everything in one pass over each table, by group.
func gather(ctx context.Context, v *view, tell progress.Func) ([]*sums, error) {
	members := make([][]int32, groups)
	for i := range v.n {
		g := groupOf(i)
		members[g] = append(members[g], int32(i))
	}
	var done atomic.Int64
	return par.Map(ctx, groups, func(g int) (*sums, error) {
		w := &collector{view: v, s: newSums(v), cells: make([]int32, levels*fields)}
		for k, i := range members[g] {
			if k%1024 == 0 {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
			}
			w.employer(int(i))
		}
		tell.Step("counting", int(done.Add(1)), groups)
		return w.s, nil
	})
}

// collector counts employers one by one.
type collector struct {
	*view
	s       *sums
	cells   []int32 // staff of an employer and year by level and field
	touched []int32
	before  []spell // present at the last year-end, sorted by worker
	now     []spell
}

// spell is a worker at an employer.
type spell struct {
	worker, hired, age, sex, level int32 // hired: NoInt before the window
}

func (w *collector) employer(i int) {
	w.before = w.before[:0]
	rows := [2]int32{w.jobsOf[i], w.jobsOf[i+1]}
	for y := range w.years {
		lo := rows[0]
		for rows[0] < rows[1] && int(w.year[rows[0]])-w.from == y {
			rows[0]++
		}
		w.staff(i, y, int(lo), int(rows[0]))
		w.dynamics(i, y)
	}
	w.accounts(i)
	w.network(i)
	w.automation(i)
	w.identity(i)
}

// staff counts the jobs [lo, hi) of an employer in a year.
func (w *collector) staff(i, y, lo, hi int) {
	s, heads := w.s, w.heads[i*w.years+y]
	sec, reg := y*w.sectors.Len()+int(w.sector[i]), y*w.regions.Len()+int(w.region[i])
	jan1, next := w.firstDay[y], w.firstDay[y+1]
	w.now = w.now[:0]
	var logSum, logSquares, ageSum float64
	var paid float64
	k := 0
	for row := lo; row < hi; row++ {
		worker, hired, left, age, sex := w.worker[row], w.hired[row], w.left[row], min(max(w.age[row], 0), ages-1), w.sexOf(row)
		level := w.levelCode[w.level[row]]
		if row > lo && w.worker[row-1] == worker {
			s.breach[duplicateJobs]++
		}
		s.jobs[y]++
		if hired != frame.NoInt || left != frame.NoInt {
			s.partYear[y]++
		}
		if hired != frame.NoInt && (hired < jan1 || hired >= next) || left != frame.NoInt && (left < jan1 || left >= next) ||
			hired != frame.NoInt && left != frame.NoInt && left < hired {
			s.breach[datesOutside]++
		}
		if w.fte[row] <= 0 || w.fte[row] > 100 {
			s.breach[fteOutside]++
		}
		// The same worker a year ago.
		for k < len(w.before) && w.before[k].worker < worker {
			s.breach[brokenSpells]++
			k++
		}
		since := hired
		if known := k < len(w.before) && w.before[k].worker == worker; known {
			b := w.before[k]
			k++
			if hired == frame.NoInt {
				since = b.hired
			} else {
				s.breach[brokenSpells]++
			}
			if w.age[row] != b.age+1 {
				s.breach[ageSteps]++
			}
			if sex != b.sex {
				s.breach[sexChanges]++
			}
			if level > 0 && b.level > level {
				s.breach[levelFalls]++
			}
		} else if hired == frame.NoInt && y > 0 {
			s.breach[brokenSpells]++
		}
		w.tenureDays(since, max(hired, jan1), left, next)
		if hired == frame.NoInt {
			s.base[y]++
			s.sectorBase[sec]++
			if left != frame.NoInt {
				s.exits[y]++
				if age >= 55 && w.neverAgain(worker, y) {
					s.lastExit[y*2]++
					s.lastExit[y*2+1] += float64(age)
				}
			}
		} else if left == frame.NoInt {
			s.hires[y]++
			s.sectorHires[sec]++
			if y > 0 && w.employed(worker, y-1) {
				s.fromJob[y]++
			}
		}
		if wage := w.wage[row]; wage > 0 {
			w.wages(y, sec, reg, row, heads, int(age), int(level), int(sex), wage, &paid, &logSum, &logSquares)
		}
		if left != frame.NoInt {
			continue
		}
		w.now = append(w.now, spell{worker, since, w.age[row], sex, level})
		tenure := maxTenure - 1
		if since != frame.NoInt {
			tenure = min(int(float64(next-since)/365.25), maxTenure-2)
		}
		s.tenure[y*maxTenure+tenure]++
		w.person(y, sec, reg, row, int(age), level, int(sex))
		ageSum += float64(age)
	}
	for ; k < len(w.before); k++ {
		s.breach[brokenSpells]++
	}
	w.before, w.now = w.now, w.before
	if paid > 0 {
		b := s.between[y*5:]
		b[0] += paid
		b[1] += logSum
		b[2] += logSquares
		b[3] += logSum * logSum / paid
		b[4]++
		size, mean := math.Log(float64(max(heads, 1))), logSum/paid
		m := s.slope[y*moments:]
		m[0] += paid
		m[1] += paid * size
		m[2] += paid * mean
		m[3] += paid * size * size
		m[4] += paid * size * mean
	}
	if heads > 0 {
		w.company(i, y, heads, ageSum/float64(heads))
	}
	w.smallCells(heads)
}

func (w *collector) sexOf(row int) int32 {
	if w.sex[row] == w.female {
		return 1
	}
	return 0
}

// tenureDays adds the days of a year by year of tenure, and an exit.
func (w *collector) tenureDays(since, from, left, next int32) {
	if since == frame.NoInt {
		return
	}
	until := next
	if left != frame.NoInt {
		until = left + 1
	}
	for a := from; a < until; {
		k := int(a-since) / 365
		b := min(until, since+int32(k+1)*365)
		w.s.exposure[min(k, hazards-1)] += float64(b-a) / 365
		a = b
	}
	if left != frame.NoInt {
		w.s.leaving[min(int(left-since)/365, hazards-1)]++
	}
}

// wages counts the wage of a job.
func (w *collector) wages(y, sec, reg, row int, heads int32, age, level, sex int, wage int32, paid, logSum, logSquares *float64) {
	s := w.s
	bin := min(int(wage)/wageStep, wageBins-1)
	x := math.Log(float64(wage))
	s.anyWage[y*wageBins+bin]++
	s.anyLog[y*3]++
	s.anyLog[y*3+1] += x
	s.anyLog[y*3+2] += x * x
	if w.fte[row] != 100 || w.hired[row] != frame.NoInt || w.left[row] != frame.NoInt {
		return
	}
	s.fullTime[y*wageBins+bin]++
	s.sectorWage[sec*2]++
	s.sectorWage[sec*2+1] += float64(wage)
	*paid++
	*logSum += x
	*logSquares += x * x
	if heads < 10 {
		return
	}
	s.largeFullTime[y*wageBins+bin]++
	s.largeSum[y*2]++
	s.largeSum[y*2+1] += float64(wage)
	s.regionWage[reg*2]++
	s.regionWage[reg*2+1] += float64(wage)
	at := (((y*ages+age)*levels+level)*sexes + sex) * logWage
	s.logs[at]++
	s.logs[at+1] += x
	s.logs[at+2] += float64(wage)
}

// person counts a worker at 31 December.
func (w *collector) person(y, sec, reg, row, age int, level int32, sex int) {
	s := w.s
	field := w.fieldCode[w.field[row]]
	s.people[(y*ages+age)*sexes+sex]++
	s.sectorSex[sec*sexes+sex]++
	s.sectorAge[sec] += float64(age)
	if fte := w.fte[row]; fte < 100 {
		s.partTime[(y*ages+age)*sexes+sex]++
		s.sectorPart[sec*sexes+sex]++
		s.fraction[y*fractions+int(max(fte, 0))]++
	} else {
		s.fraction[y*fractions+100]++
	}
	c := level*fields + field
	s.cell[y*levels*fields+int(c)]++
	if level == 0 && field != fieldUnknown {
		s.breach[unknownWithField]++
	}
	if w.cells[c] == 0 {
		w.touched = append(w.touched, c)
	}
	w.cells[c]++
	if b := bandOf(level); b >= 0 {
		s.sectorBand[sec*bands+b]++
		s.regionBand[reg*bands+b]++
		s.sexBand[(y*sexes+sex)*bands+b]++
		if year := y + w.from - age - firstBirth; year >= 0 && year < birthYears {
			at := ((y*birthYears+year)*sexes + sex) * 2
			s.birth[at]++
			if b == 2 {
				s.birth[at+1]++
			}
		}
	}
}

// company counts an employer with staff at 31 December.
func (w *collector) company(i, y int, heads int32, meanAge float64) {
	s, n := w.s, float64(heads)
	sec, reg := y*w.sectors.Len()+int(w.sector[i]), y*w.regions.Len()+int(w.region[i])
	class := int(linked.SizeCode(heads))
	s.employers[y]++
	s.size[y*sizes+class]++
	s.sizeStaff[y*sizes+class] += n
	for k, least := range [over]int32{10, 50, 250, 1000} {
		if heads >= least {
			s.reach[y*over+k]++
		}
	}
	for k, least := range [tailFrom]int32{10, 50} {
		if heads >= least {
			// Half a unit below the least: head counts are whole numbers
			// (Clauset, Shalizi and Newman 2009, eq. 3.7).
			s.tail[(y*tailFrom+k)*2]++
			s.tail[(y*tailFrom+k)*2+1] += math.Log(n / (float64(least) - .5))
		}
	}
	s.sector[sec]++
	s.sectorStaff[sec] += n
	s.region[reg]++
	s.regionStaff[reg] += n
	s.effect[y*3] += n
	s.effect[y*3+1] += n * w.effect[i]
	s.effect[y*3+2] += n * w.effect[i] * w.effect[i]
	a := s.meanAge[(y*bandsOf50+sizeBand(heads))*3:]
	a[0]++
	a[1] += meanAge
	a[2] += meanAge * meanAge
	if heads >= 10 {
		s.robots[y*2]++
		if w.event[i] != frame.NoInt && int(w.event[i]) <= y+w.from {
			s.robots[y*2+1]++
		}
	}
}

// sizeBand returns 0 for less than 10 staff, 1 for 10-49, 2 for 50-249, 3.
func sizeBand(heads int32) int {
	switch {
	case heads < 10:
		return 0
	case heads < 50:
		return 1
	case heads < 250:
		return 2
	}
	return 3
}

// cellRanges are the head counts of the table of small cells.
var cellRanges = [cellSizes][2]int32{{5, 5}, {9, 11}, {18, 22}, {45, 55}, {180, 220}, {800, 1250}}

// smallCells counts the cells of an employer and empties them.
func (w *collector) smallCells(heads int32) {
	for k, r := range cellRanges {
		if heads < r[0] || heads > r[1] {
			continue
		}
		f := w.s.cells[k*cellFacts:]
		f[0]++
		f[1] += float64(heads)
		f[2] += float64(len(w.touched))
		for _, c := range w.touched {
			n := float64(w.cells[c])
			if n == 1 {
				f[3]++
				f[5]++
			}
			if n <= 3 {
				f[4]++
				f[6] += n
			}
		}
	}
	for _, c := range w.touched {
		w.cells[c] = 0
	}
	w.touched = w.touched[:0]
}
