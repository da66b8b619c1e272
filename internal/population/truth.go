package population

import "context"

// TruthVersion is the version of the layout of truth.json.
const TruthVersion = 3

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

// Truth says what was planted and what came of it.
type Truth struct {
	Version int     `json:"version"`
	World   string  `json:"world"`
	Seed    uint64  `json:"seed"`
	Options Options `json:"options"`
	// Shard is the part of the population that the folder holds, "K/N"; empty
	// for the whole. The truth is that of the whole in any case.
	Shard string `json:"shard,omitempty"`
	// Calibration is the digest of the figures, see [calibration.Figures.Digest].
	Calibration string `json:"calibration"`
	// Counterfactual marks a twin without events.
	Counterfactual bool `json:"counterfactual,omitempty"`
	// Events counts employers with an automation event.
	Events int `json:"events"`
	// PreTrend is the differential growth of ever-automating employers in all
	// years, log points a year, zero at the event.
	PreTrend float64 `json:"pre_trend"`
	// Declared are parameters of the generator: what was asked for.
	Declared []Effect `json:"declared"`
	// Effects are computed on this population: what an estimator is judged by.
	Effects []Computed `json:"effects"`
	Notes   []string   `json:"notes"`
}

// truth lists every planted parameter, zeros included, and nothing else.
func (s *skeleton) truth(ctx context.Context) (Truth, error) {
	t := Truth{Version: TruthVersion, World: s.o.World, Seed: s.o.Seed, Options: s.o, Calibration: s.c.Digest(), PreTrend: s.world.PreTrend, Notes: []string{
		"declared: parameters of the generator; effects: finite-population effects, computed from potential outcomes of the same employers, streams and rounding draws",
		"effects on head counts are exact; those on wages, age, working time, composition and turnover need the twin and stand here only if it was generated (--counterfactual)",
		"head counts are whole: the planted log effect holds for the mean over a constant rounding draw, with a floor of one",
		"composition: log shift of the wanted stock of a class before shares are normalised, reached through hires as far as turnover allows, each year's lean of hires within 1.5",
		"supplier head count is per unit of the share of the sales to the frame that goes to main buyers at that event time",
		"mean age is shifted by whom automating employers hire, as far as turnover allows",
		"a competitor has the same four-digit class of activity; its head count falls with the share of that class's sales that others have automated",
		"groups supplier and competitor have no event of their own: event time counts from the first year in which a main buyer, or another employer of the class, has automated; exposure is the mean share behind the effect",
		"the differential trend of the pretrend world is selection, not effect: it is in the twin too",
	}}
	t.Options.Figures = nil
	for i := range s.employers {
		if s.employers[i].event != 0 {
			t.Events++
		}
	}
	add := func(outcome, of, unit string, row [5]float64) {
		for k, v := range row {
			t.Declared = append(t.Declared, Effect{outcome, of, k, v, unit})
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
	t.Declared = append(t.Declared, Effect{"competitor head count", "", 0, w.Rival, "log points per unit of the sales of the class that others automated"})
	var err error
	t.Effects, err = s.headCountEffects(ctx)
	return t, err
}
