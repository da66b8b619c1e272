package population

import (
	"slices"

	"scramblelab/internal/calibration"
)

// world is a planted world with the shifts of composition in the order of the
// classes of the calibration.
type world struct {
	*calibration.World
	tilt [][5]float64 // by class
	high []bool       // class: bachelors and masters alone
}

// worldOf returns the world of that name, nil effects if there is none.
func worldOf(c *calibration.Figures, name string) world {
	w := world{World: &calibration.World{}}
	for i := range c.Worlds.Planted {
		if c.Worlds.Planted[i].Name == name {
			w.World = &c.Worlds.Planted[i]
		}
	}
	for _, class := range c.Worlds.Classes {
		w.tilt = append(w.tilt, w.Composition[class.Name])
		high := len(class.Groups) > 0
		for _, g := range class.Groups {
			high = high && (g == calibration.GroupBachelor || g == calibration.GroupMaster)
		}
		w.high = append(w.high, high)
	}
	return w
}

func worldNames(c *calibration.Figures) []string {
	var names []string
	for _, w := range c.Worlds.Planted {
		names = append(names, w.Name)
	}
	return names
}

// at returns the row of an event time, ok false before the event.
func at(year, event int) (k int, ok bool) {
	if event == 0 || year < event {
		return 0, false
	}
	return min(year-event, 4), true
}

// tiltClassOf returns the first class that a cell fits; a cell that fits none
// shares the last.
func tiltClassOf(c *calibration.Figures, level, field int) uint8 {
	for k, class := range c.Worlds.Classes {
		if slices.Contains(class.Groups, c.Levels[level].Group) &&
			(len(class.Fields) == 0 || slices.Contains(class.Fields, c.Fields[field].Code)) {
			return uint8(k)
		}
	}
	return uint8(len(c.Worlds.Classes) - 1)
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
