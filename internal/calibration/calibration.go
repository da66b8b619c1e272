// Package calibration holds the figures that make a generated population look
// like a country.
package calibration

// Figures holds every figure that makes the population look like Belgium.
// Nothing else in this package states a number about the world. Each entry
// carries the status of its source: S sourced, D derived from sourced figures,
// E expert knowledge (h, m, l: high, medium, low confidence), A assumption.
// Shares are in [0,1], rates per year, logs natural, money in euro.
type Figures struct {
	Size      Size
	Exits     Exits
	Entrants  Entrants
	Takeovers Takeovers
	Classes   map[string][]string // section: its four-digit classes, the largest first
	Sectors   []Sector
	Regions   []Region
	Levels    []Level
	Fields    []Field
	FieldOf   [][]Share // per level: field shares, zero where structural
	Tilts     map[string]map[string]float64
	Cluster   Clustering
	Flows     Flows
	Age       Age
	Hours     Hours
	Wage      Wages
	Accounts  Accounts
	Network   Network
	Adopt     Adoption
	Cycle     map[int]float64 // net growth of head counts by year
}

type Share struct {
	Code string
	P    float64
}

type Size struct {
	Shares           [9]float64 // of the nine RSZ classes among employers that file accounts
	Mean1            float64    // mean size in the class 1-4
	TopTail          float64    // the same in the last class
	Growth           float64    // yearly growth of the number of employers
	ClassZipf        float64    // share of a four-digit class in its section: its place to the power minus this
	Tail             float64    // Pareto exponent of the CCDF from 5 staff on
	Cap              float64    // largest employer
	CapPer, CapFloor float64    // largest employer per employer of the population, and at least: one giant must not be the whole
	GrowthSD         float64    // sd of log growth at five staff
	GrowthEx         float64    // sd is proportional to size^-growthEx
}

type Exits struct {
	Hazard   [9]float64  // exits per year by size class
	ByAge    [11]float64 // relative hazard by age in years, the last one for older
	Renamed  [9]float64  // share of exits that are a new number for the same firm, by size class
	Absorbed [9]float64  // share of exits that are mergers into another employer, by size class
	Founded  float64     // mean age of employers older than the last entry of ByAge, beyond it, years
}

// Entrants are new employers.
type Entrants struct {
	Shares       [9]float64 // by size class at the first year-end
	Growth       []float64  // mean log growth beyond that of the old, by age in years, at one head
	GrowthBySize float64    // factor on it, added per log head
}

// Takeovers are mergers and sales of parts between employers.
type Takeovers struct {
	Attach   float64    // takers are drawn in proportion to size to this power
	PartFrom float64    // smallest size that sells a part
	PartRate float64    // share of employers that do in a year
	Part     [2]float64 // least and largest share of staff sold
}

type Sector struct {
	Code                 string
	Staff03, Staff21     float64 // share of employment, %
	Employers            float64 // share of employers 2021, %
	Low, Mid, High       float64 // education of staff 2021, %
	Women                float64 // %
	PartTimeM, PartTimeW float64 // %
	Age03, Age21         float64 // mean age
	Wage                 float64 // full-time wage, all = 100
	Hires                float64 // hire rate, %
	Sales                float64 // turnover per head, thousand euro of 2012
	Network              float64 // share of employers that sell to employers of the frame
	Automation           float64 // multiplier on the hazard of an automation event
}

type Region struct {
	Code      string
	Share     float64
	Wage      float64 // log premium
	Provinces []Share // NUTS 2 areas, shares within the region
}

type Level struct {
	Code           string
	Label          [3]string // en, nl, fr
	Y03, Y12, Y21  float64   // share of staff, %
	Premium        float64   // log full-time wage against upper secondary
	Group          int       // groupLow …
	MinAge         int       // youngest age at which the diploma is held
	AgeSlope       float64   // steepness of the age profile of wages
	Reported       [4]float64
	Manager, Clerk float64 // shares of managers and of other white-collar staff
	RiseTo         string  // diploma of those who study on, "" for none
}

type Field struct {
	Code    string
	Label   string
	Premium float64 // log wage within a level
	Women   float64 // odds of being a woman against the sector's own
}

// Groups of levels within which markets clear and effects are planted.
const (
	GroupLow = iota
	GroupMid
	GroupBachelor
	GroupMaster
	GroupUnknown
	Groups
)

type Clustering struct {
	Small, Large, PerLog float64 // concentration: at one head, at most, per log head count
	Tries                int     // colleagues looked at for one whose level suits the cohort
}

type Flows struct {
	Separation [12]float64 // hazard by completed years of tenure, the last one for longer
	SectorPow  float64     // how hire rates of sectors translate to hazards
	Short      float64     // short spells within a year, per hire
	IntoPool   float64     // leavers who stay available for another employer of the frame
	SameSector float64     // of those, who look for work in their own sector
	Fresh      float64     // openings that never look into the pool
	PoolYears  int         // years after which a leaver without a job is gone
	Tries      int         // candidates looked at per opening
	FromSchool float64     // new workers who come from school
}

type Age struct {
	Bands         [6]int // bounds of the five age bands
	Y03, Y12, Y21 [5]float64
	Retire        [4]float64 // extra hazard at 55-59, 60-61, 62-64, 65+
	FirmSD        float64    // sd of the mean age that an employer prefers
	YoungHire     int        // "young" in hiring: below this age
	LastMove      int        // leavers of that age or more look for no other job
	YoungShare    float64    // of hires, share below youngHire
	HireAge       int        // typical age at hire
	School        float64    // mean years between the diploma and the first job
	Reenter       [2]float64 // ages of other newcomers
}

type Fraction struct {
	Hundredths int32
	Share      float64
}

type Hours struct {
	Fractions []Fraction // of part-timers, hundredths of a full-time job
	OlderFrom int
	Older     float64 // factor on the part-time rate from that age on
	Rise      float64 // part-time rate in 2003 relative to 2021
}

type Wages struct {
	Median2021  float64 // intercept: full-time full-year gross taxable wage
	Intercept   float64 // log offset that brings the realised median there
	Index       map[int]float64
	Drift       map[int]float64
	AgeAt       [][2]float64
	SectorPart  float64
	WomenGap    [2]float64 // log gap in 2003 and 2021, all else equal
	WorkerSD    float64
	FirmSD      float64
	FirmAR      float64
	SizePremium float64
	Sorting     float64 // correlation of worker and firm effect
	NoiseSD     float64
	TopShare    float64
	TopAlpha    float64
	Minimum2021 float64
	RiseShare   float64 // of workers whose level can rise, share who study on
	RiseAge     [2]int  // ages at which they do
}

type Accounts struct {
	NeverFile, SkipYear  float64
	EmployeeRSZ          float64
	Contribution         map[int]float64 // employer's cost per euro of gross wage, from that year on
	CostNoise            float64
	HoursPerFTE, HoursSD float64
	MachineryRate        float64 // machinery investment per euro of turnover
	MachineryMix         float64 // machinery in all tangible investment
	RateSD, YearSD       float64
	Depreciation         float64
	AssetsPerSales       float64
	AssetsSD, SalesSD    float64
	SpikeMedian, SpikeSD float64 // multiple of normal machinery investment in an event year
	SpikeMin             float64
	Schema               []SchemaRule
	Inertia              float64 // weight of an employer's mean turnover, against that of the year, in normal investment (log)
	Spread               float64 // log half-width of yearly turnover around its path
	KernelStay           float64
}

type SchemaRule struct {
	From                    int
	Staff, Turnover, Total  float64
	Always                  float64 // average staff above which a schema is always full
	Micro                   bool
	MStaff, MTurnover, MTot float64
}

type Network struct {
	TopShare, TopSD float64
	Decay           float64
	Buyers          [5]float64 // distribution of the number of main buyers, 1 to 5
	SameRegion      float64
	Keep            float64 // yearly survival of a main link
	Attach          float64 // exponent of the buyer's size
	MainBuyer       float64 // share of sales that makes a buyer count for the group
}

type Adoption struct {
	First, Last int
	BySize      [9]float64 // share with an event over the years first..last
	FirmEffect  float64    // mean firm effect of adopters, log
	Growth      float64    // slope on lagged log growth
}
