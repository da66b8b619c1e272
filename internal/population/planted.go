package population

import (
	"math"

	"scramblelab/internal/calibration"
)

// Worlds are the names of planted worlds, the first one the default.
var worlds = []string{"productivity", "displacement", "null", "pretrend"}

// tiltClass says which planted shift of composition a cell belongs to.
const (
	tiltLow = iota
	tiltClerical
	tiltTechnical
	tiltMid
	tiltBachelor
	tiltMasterTech
	tiltMaster
	tiltNone
	tilts
)

var tiltNames = [tilts]string{"L01-L05", "L06-L09 in 041 or 101", "L06-L09 in 071", "L06-L09 in other fields",
	"L10-L12", "L13-L15 in 053, 061 or 071", "L13-L15 in other fields", "U"}

// world holds planted effects by event time 0, 1, 2, 3 and 4 or later (A, from
// facts 7c; own-firm rows in log points).
type world struct {
	headCount  [5]float64
	tilt       [tilts][5]float64 // log shift of the wanted composition, before normalisation
	wage       [5]float64        // log full-time wage of every worker
	masterWage [5]float64        // on top of it for L13-L15
	youngHires [5]float64        // share of hires below 30
	separation [5]float64        // added to the hazard
	factor     [5]float64        // factor on the hazard
	age        [5]float64        // mean age of the staff, years
	fte        [5]float64        // mean working time of the staff, full-time equivalents
	supplier   [5]float64        // log head count per unit of sales share to automating buyers
	supplierUp [5]float64        // share of staff with L10-L15 per unit of it
	rival      float64           // log head count per unit of the class's sales that others automated
	preTrend   float64           // log points a year, for employers that ever automate
}

func worldOf(name string) world {
	one := [5]float64{1, 1, 1, 1, 1}
	up := world{
		headCount: [5]float64{.01, .03, .05, .07, .09},
		tilt: [tilts][5]float64{
			tiltLow:        {0, -.01, -.02, -.02, -.02},
			tiltClerical:   {.01, .01, .02, .03, .04},
			tiltTechnical:  {.01, .03, .06, .09, .11},
			tiltMid:        {.01, .02, .04, .06, .07},
			tiltBachelor:   {.01, .05, .08, .10, .12},
			tiltMasterTech: {.02, .08, .14, .19, .24},
			tiltMaster:     {.02, .06, .10, .13, .16},
			tiltNone:       {.01, .03, .05, .07, .09},
		},
		wage:       [5]float64{0, .003, .006, .010, .012},
		masterWage: [5]float64{0, 0, 0, 0, .02},
		youngHires: [5]float64{0, .04, .04, .04, 0},
		factor:     [5]float64{.95, 1, 1, 1, 1},
		age:        [5]float64{-.15, -.30, -.45, -.55, -.60},
		fte:        [5]float64{0, 0, 0, 0, .002},
		supplier:   [5]float64{.025, .05, .075, .10, .10},
		supplierUp: [5]float64{.01 / .3, .01 / .3, .01 / .3, .01 / .3, .01 / .3},
		rival:      -.15,
	}
	switch name {
	case "displacement":
		return world{
			headCount: [5]float64{0, -.02, -.035, -.045, -.05},
			tilt: [tilts][5]float64{
				tiltLow:        {-.01, -.05, -.08, -.10, -.11},
				tiltClerical:   {0, -.03, -.06, -.09, -.11},
				tiltTechnical:  {0, -.01, -.03, -.04, -.04},
				tiltMid:        {0, -.02, -.04, -.05, -.06},
				tiltBachelor:   {0, .01, .02, .02, .02},
				tiltMasterTech: {0, .02, .03, .04, .04},
				tiltMaster:     {0, .02, .03, .04, .04},
				tiltNone:       {0, -.02, -.035, -.045, -.05},
			},
			wage:       [5]float64{0, 0, 0, -.002, -.004},
			masterWage: [5]float64{0, 0, 0, 0, .015},
			youngHires: [5]float64{0, .01, .01, .01, 0},
			separation: [5]float64{.02, .018, .017, .016, .014}, factor: one, // 8.5 points in five years
			age:        [5]float64{-.05, -.09, -.13, -.17, -.20},
			fte:        [5]float64{0, 0, 0, 0, -.004},
			supplier:   [5]float64{-.03, -.06, -.09, -.12, -.12},
			supplierUp: [5]float64{.015 / .3, .015 / .3, .015 / .3, .015 / .3, .015 / .3},
			rival:      -.25,
		}
	case "null":
		return world{factor: one}
	case "pretrend":
		up.preTrend = .005
	}
	return up
}

// at returns the row of an event time, ok false before the event.
func at(year, event int) (k int, ok bool) {
	if event == 0 || year < event {
		return 0, false
	}
	return min(year-event, 4), true
}

// tiltWeights returns the wanted log shift of each class at an event time.
func (w *world) tiltWeights(k int) (t [tilts]float64) {
	for c := range t {
		t[c] = w.tilt[c][k]
	}
	return t
}

func tiltClassOf(c *calibration.Figures, level, field int) uint8 {
	f := c.Fields[field].Code
	switch c.Levels[level].Group {
	case calibration.GroupLow:
		return tiltLow
	case calibration.GroupMid:
		switch f {
		case "041", "101":
			return tiltClerical
		case "071":
			return tiltTechnical
		}
		return tiltMid
	case calibration.GroupBachelor:
		return tiltBachelor
	case calibration.GroupMaster:
		if f == "053" || f == "061" || f == "071" {
			return tiltMasterTech
		}
		return tiltMaster
	}
	return tiltNone
}

// interpolate reads a piecewise linear function given by ascending points.
func interpolate(points [][2]float64, x float64) float64 {
	if x <= points[0][0] {
		return points[0][1]
	}
	for i := 1; i < len(points); i++ {
		if a, b := points[i-1], points[i]; x <= b[0] {
			return a[1] + float64((b[1]-a[1])*(x-a[0])/(b[0]-a[0]))
		}
	}
	return points[len(points)-1][1]
}

// between reads a figure known for 2003, 2012 and 2021.
func between(y03, y12, y21, year float64) float64 {
	return interpolate([][2]float64{{2003, y03}, {2012, y12}, {2021, y21}}, math.Min(math.Max(year, 2003), 2021))
}
