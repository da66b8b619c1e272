package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// cellTables draw a level and a field for a worker of a sector and a birth
// cohort, and a sex given the field. A cell is level*len(fields)+field.
type cellTables struct {
	fields   int
	levelOf  []uint8 // by cell
	fieldOf  []uint8 // by cell
	cohort0  int
	shares   [][]float64   // cohort x level: share of each level, all sectors
	levelCum [][][]float64 // sector x cohort x level
	fieldCum [][][]float64 // sector x level x position
	fieldAt  [][]uint8     // level x position: field code
	peak     []float64     // level: its largest share in any cohort
	women    [][]float64   // sector x cell: probability of a woman
	tilt     []uint8       // cell: class of planted tilts
	allowed  [][]bool      // level x field
	rise     []int         // level: level after further study, -1
	limit    float64       // see follow_limit of the calibration
}

// Ages that bound the cohorts of which shares are kept, and the age of the cohort
// for which the odds of women are fitted, at the mid anchor year.
const oldestAge, youngestAge, typicalAge = 73, 16, 37

func newCellTables(c *calibration.Figures) *cellTables {
	t := &cellTables{limit: c.Cluster.Follow, fields: len(c.Fields), cohort0: c.Window.First - oldestAge}
	fieldCode, levelCode := map[string]int{}, map[string]int{}
	for i, f := range c.Fields {
		fieldCode[f.Code] = i
	}
	for i, l := range c.Levels {
		levelCode[l.Code] = i
	}
	for birth := t.cohort0; birth <= c.Window.Last-youngestAge; birth++ {
		t.shares = append(t.shares, cohortShares(c, birth))
	}
	mean := [3]float64{}
	total := 0.0
	for _, s := range c.Sectors {
		w := s.Staff03 + s.Staff21
		total += w
		mean[0], mean[1], mean[2] = mean[0]+float64(w*s.Low), mean[1]+float64(w*s.Mid), mean[2]+float64(w*s.High)
	}
	for l := range c.Levels {
		var at []uint8
		ok := make([]bool, t.fields)
		for _, f := range c.FieldOf[l].Fields {
			at = append(at, uint8(fieldCode[f.Code]))
			ok[fieldCode[f.Code]] = true
		}
		t.fieldAt, t.allowed = append(t.fieldAt, at), append(t.allowed, ok)
		to := -1
		if code, has := levelCode[c.Levels[l].RiseTo]; has {
			to = code
		}
		t.rise = append(t.rise, to)
		for f := range t.fields {
			t.tilt = append(t.tilt, tiltClassOf(c, l, f))
			t.levelOf, t.fieldOf = append(t.levelOf, uint8(l)), append(t.fieldOf, uint8(f))
		}
	}
	var ratios []groupWeights
	for _, s := range c.Sectors {
		r := groupWeights{calibration.GroupUnknown: 1}
		r[calibration.GroupLow], r[calibration.GroupMid] = s.Low/mean[0]*total, s.Mid/mean[1]*total
		r[calibration.GroupBachelor] = s.High / mean[2] * total
		r[calibration.GroupMaster] = r[calibration.GroupBachelor]
		ratios = append(ratios, r)
	}
	t.levelCum = make([][][]float64, len(c.Sectors))
	for _, shares := range t.shares {
		common := rake(c, shares, ratios)
		for k := range c.Sectors {
			w := make([]float64, len(shares))
			for l, p := range shares {
				w[l] = p * ratios[k][c.Levels[l].Group] * common[c.Levels[l].Group]
			}
			t.levelCum[k] = append(t.levelCum[k], cumulate(w))
		}
	}
	t.peak = make([]float64, len(c.Levels))
	for _, shares := range t.shares {
		for l, p := range shares {
			t.peak[l] = max(t.peak[l], p)
		}
	}
	for _, s := range c.Sectors {
		byLevel := make([][]float64, len(c.Levels))
		for l := range c.Levels {
			var w []float64
			for _, f := range c.FieldOf[l].Fields {
				x := f.P
				if k, has := c.Tilts[s.Code][f.Code]; has {
					x *= k
				}
				w = append(w, x)
			}
			byLevel[l] = cumulate(w)
		}
		t.fieldCum = append(t.fieldCum, byLevel)
	}
	for k := range c.Sectors {
		t.women = append(t.women, t.womenByCell(c, k))
	}
	return t
}

// groupWeights are factors by group of levels.
type groupWeights [calibration.Groups]float64

// rake returns the factors by group with which the sectors' shares of a cohort
// average to the cohort's own, by iterative proportional fitting.
func rake(c *calibration.Figures, shares []float64, ratios []groupWeights) groupWeights {
	want, common := groupWeights{}, groupWeights{}
	for g := range common {
		common[g] = 1
	}
	for l, p := range shares {
		want[c.Levels[l].Group] += p
	}
	for range 30 {
		got, staff := groupWeights{}, 0.0
		for k, s := range c.Sectors {
			sum := 0.0
			for g, p := range want {
				sum += float64(p * ratios[k][g] * common[g])
			}
			weight := s.Staff03 + s.Staff21
			staff += weight
			for g, p := range want {
				got[g] += float64(weight * p * ratios[k][g] * common[g] / sum)
			}
		}
		for g, p := range want {
			if p > 0 {
				common[g] *= p * staff / got[g]
			}
		}
	}
	return common
}

// cohortShares reads the shares of levels in the year in which the cohort has
// the age of calibration.Cohorts: the stock of a year averages over cohorts
// around that one. Before the first anchor and after the last the trend goes on
// at a part of its slope. The figures are shares in the register; nobody's true level is unknown, and those missing there are
// spread over the others as the register misses them.
func cohortShares(c *calibration.Figures, birth int) []float64 {
	w, sum, unknown := make([]float64, len(c.Levels)), 0.0, 0.0
	year, anchor := float64(birth+c.Cohorts.Age), c.Window.Anchors
	start, mid, end := float64(anchor[0]), float64(anchor[1]), float64(anchor[2])
	for l, x := range c.Levels {
		switch {
		case year < start:
			w[l] = x.Y03 + float64((x.Y03-x.Y12)/(mid-start)*(start-year)*c.Cohorts.Trend)
		case year > end:
			w[l] = x.Y21 + float64((x.Y21-x.Y12)/(end-mid)*(year-end)*c.Cohorts.Trend)
		default:
			w[l] = c.Window.Between(x.Y03, x.Y12, x.Y21, year)
		}
		w[l] = max(w[l], c.Cohorts.Least*min(x.Y03, x.Y21))
		if x.Group == calibration.GroupUnknown {
			unknown += w[l]
			w[l] = 0
		}
		sum += w[l]
	}
	missing := 0.0
	for l, x := range c.Levels {
		missing += float64(w[l] / sum * c.Register.Missing[x.Group.String()])
	}
	share, total := unknown/(sum+unknown), 0.0
	for l, x := range c.Levels {
		if missing > 0 {
			w[l] /= 1 - min(.9, share*c.Register.Missing[x.Group.String()]/missing)
		}
		total += w[l]
	}
	for l := range w {
		w[l] /= total
	}
	return w
}

// womenByCell solves for the intercept at which the odds by level and field
// average to the sector's share of women.
func (t *cellTables) womenByCell(c *calibration.Figures, k int) []float64 {
	out := make([]float64, len(c.Levels)*t.fields)
	weight := make([]float64, len(out))
	lc := t.levelCum[k][t.cohort(c.Window.Anchors[1]-typicalAge)]
	for l := range c.Levels {
		p := lc[l]
		if l > 0 {
			p -= lc[l-1]
		}
		fc := t.fieldCum[k][l]
		for i, f := range t.fieldAt[l] {
			q := fc[i]
			if i > 0 {
				q -= fc[i-1]
			}
			weight[l*t.fields+int(f)] += p / lc[len(lc)-1] * q / fc[len(fc)-1]
		}
	}
	lo, hi := -8.0, 8.0
	for range 50 {
		mid, got := (lo+hi)/2, 0.0
		for cell := range out {
			odds := math.Exp(mid) * c.Levels[t.level(uint16(cell))].Women * c.Fields[t.field(uint16(cell))].Women
			out[cell] = odds / (1 + odds)
			got += float64(weight[cell] * out[cell])
		}
		if got < c.Sectors[k].Women/100 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return out
}

func (t *cellTables) cohort(birth int) int {
	return min(max(birth-t.cohort0, 0), len(t.shares)-1)
}

// draw returns a cell of a sector and cohort.
func (t *cellTables) draw(sector uint8, birth int, r *rng.Stream) uint16 {
	l := pick(t.levelCum[sector][t.cohort(birth)], r.Float64())
	f := t.fieldAt[l][pick(t.fieldCum[sector][l], r.Float64())]
	return uint16(l*t.fields + int(f))
}

// follows decides whether a worker born in birth takes the cell of a colleague
// born in other, with odds of the ratio of their cohorts' shares of its level.
func (t *cellTables) follows(cell uint16, birth, other int, r *rng.Stream) bool {
	l := t.level(cell)
	ratio := t.shares[t.cohort(birth)][l] / t.shares[t.cohort(other)][l]
	return r.Float64()*t.limit < ratio
}

// suits decides whether somebody born in birth is as likely to have the level
// of a cell as the cohort in which it is most common.
func (t *cellTables) suits(cell uint16, birth int, r *rng.Stream) bool {
	l := t.level(cell)
	return r.Float64()*t.peak[l] < t.shares[t.cohort(birth)][l]
}

func (t *cellTables) level(cell uint16) int { return int(t.levelOf[cell]) }
func (t *cellTables) field(cell uint16) int { return int(t.fieldOf[cell]) }
