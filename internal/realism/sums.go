package realism

// Dimensions of the counters.
const (
	ages       = 100 // 0..99 years
	levels     = 16
	fields     = 30
	sizes      = 9 // RSZ classes
	sexes      = 2
	bands      = 3                 // low, mid, high
	wageBins   = 2500              // of wageStep
	wageStep   = 100               // euro
	maxTenure  = 21                // years; the last bin holds the longer ones and those from before the window
	hazards    = 13                // years of tenure; the last bin holds the rest
	bandsOf50  = 4                 // <10, 10-49, 50-249, 250+
	cellSizes  = 6                 // about 5, 10, 20, 50, 200, 1000 staff
	logWage    = 3                 // count, sum of logs, sum of euros
	tailFrom   = 2                 // Pareto tails from 10 and from 50 staff
	growthSize = 4                 // about 5, 50, 500 staff, and 50-249
	schemas    = 3                 // full, abbreviated, micro
	moments    = 5                 // n, x, y, xx, xy or the like
	birthYears = 100               // 1920..2019
	firstBirth = 1920              // year of birth of the first bin
	cellFacts  = 7                 // see cells
	fractions  = 101               // hundredths of a full-time equivalent
	degreeFrom = 50                // least degree of the tail of the network, beyond twice the mean
	over       = 4                 // head counts of at least 10, 50, 250, 1000
	growthSums = 4                 // n, x, xx, |x|
	breaches   = numberOfBreaches  // structural rules
	sides      = 2                 // sellers' customers, buyers' suppliers
	lifeSizes  = 4                 // largest head count 1-9, 10-49, 50-249, 250+
	eventFacts = numberOfEventSums // see events
)

// sums are the additive counts of a part of the employers: those of two parts
// add up to those of the whole. All stand in one vector, so that adding and
// taking away are one loop; counts are exact below 2^53.
type sums struct {
	all []float64

	// By year.
	employers, filed                                              []float64
	size, sizeStaff                                               []float64 // x sizes
	reach                                                         []float64 // x over
	tail                                                          []float64 // x tailFrom x (n, sum of log(n/least))
	region, regionStaff                                           []float64 // x regions
	sector, sectorStaff                                           []float64 // x sectors
	base, hires, exits, created, destroyed, fromJob               []float64
	entrants, closers, entryJobs, closingJobs, takenOver, touched []float64
	sectorBase, sectorHires                                       []float64 // x sectors
	growth                                                        []float64 // x growthSize x growthSums
	serial                                                        []float64 // x (n, x, y, xx, yy, xy): growth and growth a year before
	tenure                                                        []float64 // x maxTenure, staff at 31-12
	exposure, leaving                                             []float64 // hazards, all years: person-years, exits
	people                                                        []float64 // x ages x sexes, staff at 31-12
	partTime                                                      []float64 // x ages x sexes
	sectorSex, sectorPart                                         []float64 // x sectors x sexes
	sectorAge                                                     []float64 // x sectors: sum of ages
	sectorBand                                                    []float64 // x sectors x bands
	regionBand                                                    []float64 // x regions x bands
	sexBand                                                       []float64 // x sexes x bands
	cell                                                          []float64 // x levels x fields, staff at 31-12
	birth                                                         []float64 // x birthYears x sexes x (known, high)
	fraction                                                      []float64 // x fractions, staff at 31-12
	jobs, partYear                                                []float64
	fullTime, largeFullTime, anyWage                              []float64 // x wageBins
	logs                                                          []float64 // x ages x levels x sexes x logWage, firms of 10+
	largeSum                                                      []float64 // x (n, euros), firms of 10+
	anyLog                                                        []float64 // x (n, x, xx)
	sectorWage, regionWage                                        []float64 // x sectors, x regions: (n, euros)
	between                                                       []float64 // x (jobs, x, xx, sum of squares between, employers)
	slope                                                         []float64 // x moments: log staff, mean log wage
	effect                                                        []float64 // x (staff, x, xx): planted wage effect
	meanAge                                                       []float64 // x bandsOf50 x (n, x, xx)
	lastExit                                                      []float64 // x (n, ages)
	cells                                                         []float64 // cellSizes x cellFacts, all years
	schema, schemaStaff                                           []float64 // x schemas
	headsAgree                                                    []float64 // x (accounts, agreeing)
	sellers, topShare, top5Share, links, sameRegion, value        []float64
	kept, keptBase, keptValue, keptValueBase                      []float64
	madeFrom                                                      []float64 // x sectors: links into manufacturing by the seller's sector
	degree                                                        []float64 // x sides x (n, sum of log(d/least))
	life                                                          []float64 // lifeSizes x (employers, with a planted event)
	events                                                        []float64 // see eventFacts
	exposed                                                       []float64 // x (staff, in employers with an event ever, with a spike this year)
	robots                                                        []float64 // x (employers of 10+, with an event by then)
	breach                                                        []float64 // breaches
}

// Event sums: planted events, those seen in their year, employers without an
// event that could be judged, those seen nevertheless.
const (
	planted = iota
	plantedSeen
	unplanted
	unplantedSeen
	numberOfEventSums
)

func newSums(v *view) *sums {
	s := &sums{}
	y, sec, reg := v.years, v.sectors.Len(), v.regions.Len()
	type block struct {
		to   *[]float64
		size int
	}
	blocks := []block{
		{&s.size, y * sizes}, {&s.sizeStaff, y * sizes}, {&s.reach, y * over}, {&s.tail, y * tailFrom * 2},
		{&s.region, y * reg}, {&s.regionStaff, y * reg}, {&s.sector, y * sec}, {&s.sectorStaff, y * sec},
		{&s.sectorBase, y * sec}, {&s.sectorHires, y * sec},
		{&s.growth, y * growthSize * growthSums}, {&s.serial, y * 6}, {&s.tenure, y * maxTenure},
		{&s.exposure, hazards}, {&s.leaving, hazards},
		{&s.people, y * ages * sexes}, {&s.partTime, y * ages * sexes},
		{&s.sectorSex, y * sec * sexes}, {&s.sectorPart, y * sec * sexes}, {&s.sectorAge, y * sec}, {&s.sectorBand, y * sec * bands},
		{&s.regionBand, y * reg * bands}, {&s.sexBand, y * sexes * bands}, {&s.cell, y * levels * fields},
		{&s.birth, y * birthYears * sexes * 2}, {&s.fraction, y * fractions},
		{&s.fullTime, y * wageBins}, {&s.largeFullTime, y * wageBins}, {&s.anyWage, y * wageBins},
		{&s.logs, y * ages * levels * sexes * logWage}, {&s.largeSum, y * 2}, {&s.anyLog, y * 3},
		{&s.sectorWage, y * sec * 2}, {&s.regionWage, y * reg * 2}, {&s.between, y * 5}, {&s.slope, y * moments}, {&s.effect, y * 3},
		{&s.meanAge, y * bandsOf50 * 3}, {&s.lastExit, y * 2}, {&s.cells, cellSizes * cellFacts},
		{&s.schema, y * schemas}, {&s.schemaStaff, y * schemas}, {&s.headsAgree, y * 2},
		{&s.madeFrom, y * sec}, {&s.degree, y * sides * 2}, {&s.life, lifeSizes * 2}, {&s.events, eventFacts},
		{&s.exposed, y * 3}, {&s.robots, y * 2}, {&s.breach, breaches},
	}
	for _, one := range []*[]float64{&s.employers, &s.filed, &s.base, &s.hires, &s.exits, &s.created, &s.destroyed, &s.fromJob,
		&s.entrants, &s.closers, &s.entryJobs, &s.closingJobs, &s.takenOver, &s.touched, &s.jobs, &s.partYear,
		&s.sellers, &s.topShare, &s.top5Share, &s.links, &s.sameRegion, &s.value, &s.kept, &s.keptBase, &s.keptValue, &s.keptValueBase} {
		blocks = append(blocks, block{one, y})
	}
	total := 0
	for _, b := range blocks {
		total += b.size
	}
	s.all = make([]float64, total)
	at := 0
	for _, b := range blocks {
		*b.to = s.all[at : at+b.size : at+b.size]
		at += b.size
	}
	return s
}

func (s *sums) add(o *sums) {
	for i, x := range o.all {
		s.all[i] += x
	}
}

// without writes whole - part into s.
func (s *sums) without(whole, part *sums) {
	for i, x := range whole.all {
		s.all[i] = x - part.all[i]
	}
}
