package population

// calibration holds every figure that makes the population look like Belgium.
// Nothing else in this package states a number about the world. Each entry
// carries the status of its source: S sourced, D derived from sourced figures,
// E expert knowledge (h, m, l: high, medium, low confidence), A assumption.
// Shares are in [0,1], rates per year, logs natural, money in euro.
type calibration struct {
	size     sizeFacts
	exits    exitFacts
	sectors  []sectorFacts
	regions  []regionFacts
	levels   []levelFacts
	fields   []fieldFacts
	fieldOf  [][]share // per level: field shares, zero where structural
	tilts    map[string]map[string]float64
	cluster  clusterFacts
	flows    flowFacts
	age      ageFacts
	hours    hoursFacts
	wage     wageFacts
	accounts accountFacts
	network  networkFacts
	adopt    adoptFacts
	cycle    map[int]float64 // net growth of head counts by year
}

type share struct {
	code string
	p    float64
}

type sizeFacts struct {
	shares           [9]float64 // of the nine RSZ classes among employers that file accounts
	mean1            float64    // mean size in the class 1-4
	tail             float64    // Pareto exponent of the CCDF from 5 staff on
	cap              float64    // largest employer
	capPer, capFloor float64    // largest employer per employer of the population, and at least: one giant must not be the whole
	growthSD         float64    // sd of log growth at five staff
	growthEx         float64    // sd is proportional to size^-growthEx
}

type exitFacts struct {
	hazard    [9]float64 // exits per year by size class
	breakFrom float64    // from this size on an exit may be a new number for the same firm
	breakRate float64    // share of such exits that are
	founded   float64    // mean years before the window that an employer was founded
}

type sectorFacts struct {
	code                 string
	staff03, staff21     float64 // share of employment, %
	employers            float64 // share of employers 2021, %
	low, mid, high       float64 // education of staff 2021, %
	women                float64 // %
	partTimeM, partTimeW float64 // %
	age03, age21         float64 // mean age
	wage                 float64 // full-time wage, all = 100
	hires                float64 // hire rate, %
	sales                float64 // turnover per head, thousand euro of 2012
	network              float64 // share of employers that sell to employers of the frame
	automation           float64 // multiplier on the hazard of an automation event
}

type regionFacts struct {
	code  string
	share float64
	wage  float64 // log premium
}

type levelFacts struct {
	code           string
	label          [3]string // en, nl, fr
	y03, y12, y21  float64   // share of staff, %
	premium        float64   // log full-time wage against upper secondary
	group          int       // groupLow …
	minAge         int       // youngest age at which the diploma is held
	ageSlope       float64   // steepness of the age profile of wages
	reported       [4]float64
	manager, clerk float64 // shares of managers and of other white-collar staff
	riseTo         string  // diploma of those who study on, "" for none
}

type fieldFacts struct {
	code    string
	label   string
	premium float64 // log wage within a level
	women   float64 // odds of being a woman against the sector's own
}

// Groups of levels within which markets clear and effects are planted.
const (
	groupLow = iota
	groupMid
	groupBachelor
	groupMaster
	groupUnknown
	groups
)

type clusterFacts struct {
	small, large, perLog float64 // concentration: at one head, at most, per log head count
	tries                int     // colleagues looked at for one whose level suits the cohort
}

type flowFacts struct {
	separation [12]float64 // hazard by completed years of tenure, the last one for longer
	sectorPow  float64     // how hire rates of sectors translate to hazards
	short      float64     // short spells within a year, per hire
	intoPool   float64     // leavers who stay available for another employer of the frame
	sameSector float64     // of those, who look for work in their own sector
	fresh      float64     // openings that never look into the pool
	poolYears  int         // years after which a leaver without a job is gone
	tries      int         // candidates looked at per opening
	fromSchool float64     // new workers who come from school
}

type ageFacts struct {
	bands         [6]int // bounds of the five age bands
	y03, y12, y21 [5]float64
	retire        [4]float64 // extra hazard at 55-59, 60-61, 62-64, 65+
	firmSD        float64    // sd of the mean age that an employer prefers
	youngHire     int        // "young" in hiring: below this age
	lastMove      int        // leavers of that age or more look for no other job
	youngShare    float64    // of hires, share below youngHire
	hireAge       int        // typical age at hire
	school        float64    // mean years between the diploma and the first job
	reenter       [2]float64 // ages of other newcomers
}

type fractionFacts struct {
	hundredths int32
	share      float64
}

type hoursFacts struct {
	fractions []fractionFacts // of part-timers, hundredths of a full-time job
	olderFrom int
	older     float64 // factor on the part-time rate from that age on
	rise      float64 // part-time rate in 2003 relative to 2021
}

type wageFacts struct {
	median2021  float64 // intercept: full-time full-year gross taxable wage
	intercept   float64 // log offset that brings the realised median there
	index       map[int]float64
	drift       map[int]float64
	ageAt       [][2]float64
	sectorPart  float64
	womenGap    [2]float64 // log gap in 2003 and 2021, all else equal
	workerSD    float64
	firmSD      float64
	firmAR      float64
	sizePremium float64
	sorting     float64 // correlation of worker and firm effect
	noiseSD     float64
	topShare    float64
	topAlpha    float64
	minimum2021 float64
	riseShare   float64 // of workers whose level can rise, share who study on
	riseAge     [2]int  // ages at which they do
}

type accountFacts struct {
	neverFile, skipYear  float64
	employeeRSZ          float64
	contribution         map[int]float64 // employer's cost per euro of gross wage, from that year on
	costNoise            float64
	hoursPerFTE, hoursSD float64
	machineryRate        float64 // machinery investment per euro of turnover
	machineryMix         float64 // machinery in all tangible investment
	rateSD, yearSD       float64
	depreciation         float64
	assetsPerSales       float64
	assetsSD, salesSD    float64
	spikeMedian, spikeSD float64 // multiple of normal machinery investment in an event year
	spikeMin             float64
	schema               []schemaRule
	inertia              float64 // weight of an employer's mean turnover, against that of the year, in normal investment (log)
	spread               float64 // log half-width of yearly turnover around its path
	kernelStay           float64
}

type schemaRule struct {
	from                    int
	staff, turnover, total  float64
	always                  float64 // average staff above which a schema is always full
	micro                   bool
	mStaff, mTurnover, mTot float64
}

type networkFacts struct {
	topShare, topSD float64
	decay           float64
	buyers          [5]float64 // distribution of the number of main buyers, 1 to 5
	sameRegion      float64
	keep            float64 // yearly survival of a main link
	attach          float64 // exponent of the buyer's size
	mainBuyer       float64 // share of sales that makes a buyer count for the group
}

type adoptFacts struct {
	first, last int
	bySize      [9]float64 // share with an event over the years first..last
	firmEffect  float64    // mean firm effect of adopters, log
	growth      float64    // slope on lagged log growth
}
