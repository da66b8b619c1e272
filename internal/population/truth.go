package population

// TruthVersion is the version of the layout of truth.json.
const TruthVersion = 1

// Effect is one planted effect on employers that automate (or on their
// suppliers), by event time: 0 is the year of the event, 4 stands for four
// years or more.
type Effect struct {
	Outcome   string  `json:"outcome"`
	Of        string  `json:"of,omitempty"` // class of workers, empty for all
	EventTime int     `json:"event_time"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
}

// Truth says what was planted. It holds parameters of the generator, not
// effects computed on this population.
type Truth struct {
	Version int     `json:"version"`
	World   string  `json:"world"`
	Seed    uint64  `json:"seed"`
	Options Options `json:"options"`
	// Calibration is the digest of the figures, see [calibration.Figures.Digest].
	Calibration string `json:"calibration"`
	// Events counts employers with an automation event.
	Events int `json:"events"`
	// PreTrend is the differential growth of ever-automating employers in all
	// years, log points a year, zero at the event.
	PreTrend float64  `json:"pre_trend"`
	Effects  []Effect `json:"effects"`
	Notes    []string `json:"notes"`
}

// truth lists every planted parameter, zeros included, and nothing else.
func (s *skeleton) truth() Truth {
	t := Truth{Version: TruthVersion, World: s.o.World, Seed: s.o.Seed, Options: s.o, Calibration: s.c.Digest(), PreTrend: s.world.PreTrend, Notes: []string{
		"effects are parameters of the generator; finite-population effects are not computed in this version",
		"head counts are whole: the planted log effect holds for the mean over a constant rounding draw, with a floor of one",
		"composition: log shift of the wanted stock of a class before shares are normalised, reached through hires as far as turnover allows, each year's lean of hires within 1.5",
		"supplier head count is per unit of the share of listed sales that goes to buyers at that event time",
		"no effect is planted on working time, age as such, or competitors",
	}}
	t.Options.Figures = nil
	for i := range s.employers {
		if s.employers[i].event != 0 {
			t.Events++
		}
	}
	add := func(outcome, of, unit string, row [5]float64) {
		for k, v := range row {
			t.Effects = append(t.Effects, Effect{outcome, of, k, v, unit})
		}
	}
	w := &s.world
	add("head count", "", "log points", w.HeadCount)
	for c, row := range w.tilt {
		add("composition", s.c.Worlds.Classes[c].Name, "log shift of the wanted share", row)
	}
	add("wage", "", "log points of the full-time wage", w.Wage)
	add("wage", "masters, on top", "log points of the full-time wage", w.MasterWage)
	add("hires below 30", "", "share of openings reserved, corrected for those filled so anyway", w.YoungHires)
	add("separation", "", "added to the yearly hazard", w.Separation)
	add("separation", "tenure part", "factor on the yearly hazard", w.Factor)
	add("age", "", "years, mean of the staff", w.Age)
	add("working time", "", "full-time equivalents, mean of the staff", w.FTE)
	add("supplier head count", "", "log points per unit of sales share", w.Supplier)
	add("supplier graduates", "", "share of staff per unit of sales share", w.SupplierHigh)
	t.Effects = append(t.Effects, Effect{"competitor head count", "", 0, w.Rival, "log points per unit of the sales of the class that others automated"})
	return t
}
