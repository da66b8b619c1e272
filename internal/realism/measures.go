package realism

import (
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/linked"
)

// measure computes one figure of a population. To add one, write the function
// in the file of its subject and add a line here; a target in targets.yaml
// then names it.
type measure struct {
	name string
	what string // of the group or series that the target must give; "" for none
	// before is the number of years before the target's that it reads as well.
	before int
	pooled bool // reads all years: the target names none
	// census is true where the figure has no sampling error: rules and counts
	// of the whole folder.
	census bool
	run    func(e evidence, t Target) (value float64, reason string)
}

// evidence is what a measure reads: the counts of all employers, or of all but
// one group.
type evidence struct {
	*view
	*sums
	y     int // the target's year, from the first
	month float64
}

var measures = []measure{
	// 1. Employers.
	{name: "size-share", what: "size class", run: sizeShare},
	{name: "size-staff-share", what: "size class", run: sizeStaffShare},
	{name: "ccdf-slope", what: "lower and upper size, such as 10-50", run: ccdfSlope},
	{name: "reach-share", what: "least size: 10, 50, 250 or 1000", run: reachShare},
	{name: "tail-exponent", what: "least size: 10 or 50", run: tailExponent},
	{name: "employers-scaled", census: true, run: employersScaled},
	{name: "employers-ever-scaled", pooled: true, census: true, run: employersEver},
	{name: "mean-size", run: meanSize},
	{name: "filing-share", run: filingShare},
	{name: "schema-share", what: "schema", run: schemaShare},
	{name: "schema-staff-share", what: "schema", run: schemaStaffShare},
	{name: "schema-mean-size", what: "schema", run: schemaMeanSize},
	{name: "region-share", what: "region", run: regionShare},
	// 1c. The public accounts as a fingerprint.
	{name: "unique-share", what: "signature, or signature and size class", census: true, run: uniqueShare},
	{name: "heads-agree", run: headsAgree},
	// 2. Flows and sectors.
	{name: "hire-rate", before: 1, run: flow(func(s *sums, y int) float64 { return s.hires[y] })},
	{name: "exit-rate", before: 1, run: flow(func(s *sums, y int) float64 { return s.exits[y] })},
	{name: "job-creation", before: 2, run: flow(func(s *sums, y int) float64 { return s.created[y] })},
	{name: "job-destruction", before: 2, run: flow(func(s *sums, y int) float64 { return s.destroyed[y] })},
	{name: "churning", before: 2, run: flow(func(s *sums, y int) float64 { return s.hires[y] + s.exits[y] - s.created[y] - s.destroyed[y] })},
	{name: "net-growth", before: 2, run: flow(func(s *sums, y int) float64 { return s.created[y] - s.destroyed[y] })},
	{name: "year-growth", before: 1, run: yearGrowth},
	{name: "cycle-correlation", what: "series of years", pooled: true, run: cycleCorrelation},
	{name: "job-to-job-share", before: 1, run: jobToJob},
	{name: "employer-entry", before: 1, run: employerEntry},
	{name: "employer-exit", before: 1, run: employerExit},
	{name: "entrant-jobs", before: 1, run: entrantJobs},
	{name: "entrant-size", before: 1, run: entrantSize},
	{name: "entry-part-of-creation", before: 1, run: entryOfCreation},
	{name: "exit-part-of-destruction", before: 1, run: exitOfDestruction},
	{name: "growth-sd", what: "size: 5, 50, 500 or 50-249", pooled: true, run: growthSD},
	{name: "growth-spread-exponent", pooled: true, run: growthSpread},
	{name: "growth-shape", pooled: true, run: growthShape},
	{name: "growth-autocorrelation", pooled: true, run: growthSerial},
	{name: "tenure-below-1", run: tenureBelow1},
	{name: "tenure-above-10", run: tenureAbove10},
	{name: "separation", what: "year of tenure", pooled: true, run: separation},
	{name: "taken-over", before: 4, run: takenOver},
	{name: "sector-staff", what: "sector", run: sectorStaff},
	{name: "sector-staff-gap", what: "series of sectors", run: sectorGap(sectorStaff)},
	{name: "sector-employers-gap", what: "series of sectors", run: sectorGap(sectorEmployers)},
	{name: "sector-women", what: "sector", run: sectorWomen},
	{name: "sector-women-gap", what: "series of sectors", run: sectorGap(sectorWomen)},
	{name: "sector-part-time-men", what: "sector", run: sectorPart(0)},
	{name: "sector-part-time-men-gap", what: "series of sectors", run: sectorGap(sectorPart(0))},
	{name: "sector-part-time-women", what: "sector", run: sectorPart(1)},
	{name: "sector-part-time-women-gap", what: "series of sectors", run: sectorGap(sectorPart(1))},
	{name: "sector-age", what: "sector", run: sectorAge},
	{name: "sector-age-gap", what: "series of sectors", run: sectorGap(sectorAge)},
	{name: "sector-wage", what: "sector", run: sectorWage},
	{name: "sector-wage-gap", what: "series of sectors", run: sectorGap(sectorWage)},
	{name: "sector-hires", what: "sector", before: 1, run: sectorHires},
	{name: "sector-hires-gap", what: "series of sectors", before: 1, run: sectorGap(sectorHires)},
	{name: "sector-high", what: "sector", run: sectorBand(2)},
	{name: "sector-high-gap", what: "series of sectors", run: sectorGap(sectorBand(2))},
	{name: "sector-low", what: "sector", run: sectorBand(0)},
	{name: "sector-low-gap", what: "series of sectors", run: sectorGap(sectorBand(0))},
	{name: "goods-share", run: goodsShare},
	// 3. Education.
	{name: "level-share", what: "level", run: levelShare},
	{name: "level-gap", what: "series of levels", run: levelGap},
	{name: "field-share", what: "field", run: fieldShare},
	{name: "field-gap", what: "series of fields", run: fieldGap},
	{name: "education-share", what: "low, mid or high", run: educationShare},
	{name: "education-sex", what: "male or female", run: educationSex},
	{name: "education-region", what: "region", run: educationRegion},
	{name: "cohort-slope", run: cohortSlope},
	{name: "positive-cells", census: true, run: positiveCells},
	{name: "cramers-v", run: cramersV},
	{name: "mutual-information", run: mutualInformation},
	{name: "effective-cells", run: effectiveCells},
	{name: "generic-field", what: "level", run: genericField},
	{name: "cells-per-employer", what: "size: 5, 10, 20, 50, 200 or 1000", pooled: true, run: smallCell(2, 0)},
	{name: "cells-of-one", what: "size: 5, 10, 20, 50, 200 or 1000", pooled: true, run: smallCell(3, 2)},
	{name: "cells-to-three", what: "size: 5, 10, 20, 50, 200 or 1000", pooled: true, run: smallCell(4, 2)},
	{name: "staff-in-cells-of-one", what: "size: 5, 10, 20, 50, 200 or 1000", pooled: true, run: smallCell(5, 1)},
	// 4. Wages and hours.
	{name: "month-quantile", what: "D1, D5 or D9", run: monthQuantile},
	{name: "month-mean", run: monthMean},
	{name: "log-sd-deciles", run: logSDDeciles},
	{name: "mean-to-median", run: meanToMedian},
	{name: "half-spread", what: "upper or lower", run: halfSpread},
	{name: "median-growth", what: "first year", run: medianGrowth},
	{name: "year-median-all", run: yearMedianAll},
	{name: "log-sd-all", run: logSDAll},
	{name: "education-premium", what: "bachelor or master", run: educationPremium},
	{name: "level-premium", what: "level", run: levelPremium},
	{name: "education-ratio", what: "bachelor, master or low", run: educationRatio},
	{name: "age-profile", what: "age", run: ageProfile},
	{name: "age-crossing", run: ageCrossing},
	{name: "age-ratio", what: "least age", run: ageRatio},
	{name: "sex-gap", run: sexGap},
	{name: "region-wage", what: "region", run: regionWage},
	{name: "between-share", run: betweenShare},
	{name: "firm-effect-share", run: firmEffectShare},
	{name: "size-elasticity", run: sizeElasticity},
	{name: "part-time", what: "all, male or female", run: partTime},
	{name: "part-time-older", what: "male or female", run: partTimeOlder},
	{name: "fraction-share", what: "0.8, 0.5, 0.6-0.75 or below 0.5", run: fractionShare},
	{name: "part-year", run: partYear},
	// 5. Age.
	{name: "age-share", what: "age band", run: ageShare},
	{name: "mean-age", run: meanAge},
	{name: "employer-age-sd", what: "size: 1-9, 10-49, 50-249 or 250+", run: employerAgeSD},
	{name: "last-exit-age", run: lastExitAge},
	// 6. Network.
	{name: "top-buyer-share", run: topBuyer},
	{name: "top-five-share", run: topFive},
	{name: "top-of-five", run: topOfFive},
	{name: "same-region", run: sameRegion},
	{name: "mean-degree", run: meanDegree},
	{name: "mean-link", run: meanLink},
	{name: "customers-exponent", run: degreeExponent(0)},
	{name: "suppliers-exponent", run: degreeExponent(1)},
	{name: "links-kept", before: 1, run: linksKept(true)},
	{name: "main-links-kept", before: 1, run: linksKept(false)},
	{name: "value-kept", before: 1, run: valueKept},
	{name: "manufacturing-suppliers", what: "sectors, such as N+M", run: madeFrom},
	// 7. Automation.
	{name: "event-share", what: "size: 1-9, 10-49, 50-249 or 250+", pooled: true, run: eventShare},
	{name: "event-share-all", pooled: true, run: eventShareAll},
	{name: "event-staff", run: eventStaff},
	{name: "spike-staff", pooled: true, run: spikeStaff},
	{name: "event-share-10", run: eventShare10},
	{name: "events-seen", pooled: true, run: eventsSeen},
	{name: "false-spikes", pooled: true, run: falseSpikes},
	// Structure.
	{name: "breaches", what: "rule", pooled: true, census: true, run: breachesOf},
}

func measureNamed(name string) (measure, bool) {
	i := slices.IndexFunc(measures, func(m measure) bool { return m.name == name })
	if i < 0 {
		return measure{}, false
	}
	return measures[i], true
}

func measureNames() []string {
	names := make([]string, len(measures))
	for i, m := range measures {
		names[i] = m.name
	}
	return names
}

// ratio is a/b with the reason why it is not defined.
func ratio(a, b float64, nothing string) (float64, string) {
	if b <= 0 {
		return math.NaN(), nothing
	}
	return a / b, ""
}

func total(v []float64) float64 {
	t := 0.0
	for _, x := range v {
		t += x
	}
	return t
}

// row is the part of a block that belongs to a year, or to another index.
func row(block []float64, k, width int) []float64 { return block[k*width : (k+1)*width] }

func unknown(t Target, choices ...string) (float64, string) {
	return math.NaN(), fmt.Sprintf("there is no group %q, only %q", t.Group, choices)
}

const (
	noEmployers = "no employer with staff in that year"
	noStaff     = "no staff in that year"
)

func sizeClass(t Target) (int, bool) {
	c, ok := linked.SizeDict.Code(t.Group)
	return int(c), ok
}

func sizeShare(e evidence, t Target) (float64, string) {
	k, ok := sizeClass(t)
	if !ok {
		return unknown(t, linked.SizeDict.Labels()...)
	}
	return ratio(e.size[e.y*sizes+k], e.employers[e.y], noEmployers)
}

func sizeStaffShare(e evidence, t Target) (float64, string) {
	k, ok := sizeClass(t)
	if !ok {
		return unknown(t, linked.SizeDict.Labels()...)
	}
	return ratio(e.sizeStaff[e.y*sizes+k], total(row(e.sizeStaff, e.y, sizes)), noStaff)
}

var reaches = []string{"10", "50", "250", "1000"}

func reachShare(e evidence, t Target) (float64, string) {
	k := slices.Index(reaches, t.Group)
	if k < 0 {
		return unknown(t, reaches...)
	}
	return ratio(e.reach[e.y*over+k], e.employers[e.y], noEmployers)
}

// ccdfSlope is minus the slope of the log share of larger employers in log
// size, between two sizes.
func ccdfSlope(e evidence, t Target) (float64, string) {
	var a, b int
	var step float64
	switch t.Group {
	case "10-50":
		a, b, step = 0, 1, 5
	case "50-250":
		a, b, step = 1, 2, 5
	case "250-1000":
		a, b, step = 2, 3, 4
	default:
		return unknown(t, "10-50", "50-250", "250-1000")
	}
	r := row(e.reach, e.y, over)
	if r[b] <= 0 {
		return math.NaN(), "no employer above the upper size"
	}
	return math.Log(r[a]/r[b]) / math.Log(step), ""
}

// tailExponent is the maximum-likelihood exponent of a Pareto tail of the
// CCDF, for whole numbers (Clauset, Shalizi and Newman 2009, eq. 3.7).
func tailExponent(e evidence, t Target) (float64, string) {
	k := slices.Index([]string{"10", "50"}, t.Group)
	if k < 0 {
		return unknown(t, "10", "50")
	}
	r := row(e.tail, e.y*tailFrom+k, 2)
	return ratio(r[0], r[1], "no employer above that size")
}

// employersScaled is the number of employers with staff, as if the folder held
// the 90,000 a year of the full frame.
func employersScaled(e evidence, _ Target) (float64, string) {
	return ratio(e.employers[e.y]*fullFrame, float64(e.p.Options.Employers), "the folder does not say how many employers were asked for")
}

// employersEver is the number of employers that ever had staff at a year-end
// of the window, as if the folder held the full frame.
func employersEver(e evidence, _ Target) (float64, string) {
	if e.from > firstYear || e.to < lastYear {
		return math.NaN(), fmt.Sprintf("needs the years %d to %d, the folder has %d to %d", firstYear, lastYear, e.from, e.to)
	}
	ever := 0.0
	for k := range lifeSizes {
		ever += e.life[k*2]
	}
	return ratio(ever*fullFrame, float64(e.p.Options.Employers), "the folder does not say how many employers were asked for")
}

// firstYear and lastYear are those of the study's selection.
const firstYear, lastYear = 2003, 2021

// fullFrame is the number of employers a year at full scale.
const fullFrame = 90000

func meanSize(e evidence, _ Target) (float64, string) {
	return ratio(total(row(e.sizeStaff, e.y, sizes)), e.employers[e.y], noEmployers)
}

func filingShare(e evidence, _ Target) (float64, string) {
	return ratio(e.filed[e.y], e.employers[e.y], noEmployers)
}

func schemaNamed(t Target) int {
	return slices.Index([]string{"full", "abbreviated", "micro"}, t.Group)
}

func schemaShare(e evidence, t Target) (float64, string) {
	k := schemaNamed(t)
	if k < 0 {
		return unknown(t, "full", "abbreviated", "micro")
	}
	return ratio(e.schema[e.y*schemas+k], total(row(e.schema, e.y, schemas)), "no accounts of that year")
}

func schemaStaffShare(e evidence, t Target) (float64, string) {
	k := schemaNamed(t)
	if k < 0 {
		return unknown(t, "full", "abbreviated", "micro")
	}
	return ratio(e.schemaStaff[e.y*schemas+k], total(row(e.schemaStaff, e.y, schemas)), "no accounts of that year")
}

func schemaMeanSize(e evidence, t Target) (float64, string) {
	k := schemaNamed(t)
	if k < 0 {
		return unknown(t, "full", "abbreviated", "micro")
	}
	return ratio(e.schemaStaff[e.y*schemas+k], e.schema[e.y*schemas+k], "nobody filed in that schema")
}

func regionShare(e evidence, t Target) (float64, string) {
	c, ok := e.regions.Code(t.Group)
	if !ok {
		return unknown(t, e.regions.Labels()...)
	}
	return ratio(e.sums.region[e.y*e.regions.Len()+int(c)], e.employers[e.y], noEmployers)
}

func headsAgree(e evidence, _ Target) (float64, string) {
	return ratio(e.sums.headsAgree[e.y*2+1], e.sums.headsAgree[e.y*2], "no accounts of that year")
}

func breachesOf(e evidence, t Target) (float64, string) {
	k := slices.Index(rules, t.Group)
	if k < 0 {
		return unknown(t, rules...)
	}
	return e.breach[k], ""
}

// rules names the structural rules in the order of their constants.
var rules = []string{"duplicate jobs", "dates outside the year", "broken spells", "age steps", "sex changes", "fte outside (0,1]",
	"unknown level with a field", "levels that fall", "staff outside the employer's life", "duplicate accounts", "staff in accounts only",
	"account sums", "unpublished figures", "micro before 2016", "schema too short", "duplicate links", "links to oneself",
	"wrong check digits", "numbers that do not start with 9", "duplicate enterprise numbers"}
