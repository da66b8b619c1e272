package calibration

import (
	"fmt"

	"scramblelab/internal/strictyaml"
)

// Figures holds every figure that makes a population look like a country.
// Shares are in [0,1] and percentages in [0,100] as each field says, rates and
// hazards per year, logs natural, money in euro. "Start", "mid" and "end" are
// the years of Window.Anchors; figures between them are interpolated.
//
// Each figure's source and its status stand beside it in the file.
type Figures struct {
	BasedOn  string                        `yaml:"based_on,omitempty"` // belgium: sections that the file leaves out are Belgium's
	Name     string                        `yaml:"name"`               // of the country
	Window   Window                        `yaml:"window"`
	Size     Size                          `yaml:"size"`
	Exits    Exits                         `yaml:"exits"`
	Sectors  []Sector                      `yaml:"sectors"`
	Regions  []Region                      `yaml:"regions"`
	Levels   []Level                       `yaml:"levels"`
	Fields   []Field                       `yaml:"fields"`
	FieldOf  []LevelFields                 `yaml:"fields_of_levels"` // one per level, in the order of Levels
	Tilts    map[string]map[string]float64 `yaml:"field_tilts"`      // sector, field: factor on the field's odds
	Cluster  Clustering                    `yaml:"clustering"`
	Register Register                      `yaml:"register"`
	Flows    Flows                         `yaml:"flows"`
	Age      Age                           `yaml:"age"`
	Hours    Hours                         `yaml:"hours"`
	Wage     Wages                         `yaml:"wages"`
	Accounts Accounts                      `yaml:"accounts"`
	Network  Network                       `yaml:"network"`
	Adopt    Adoption                      `yaml:"automation"`
	Cycle    map[int]float64               `yaml:"cycle"` // net growth of head counts by year
	Worlds   Worlds                        `yaml:"worlds"`
	Labels   Labels                        `yaml:"labels"`

	source []byte // the file, where it was whole
}

// Window says which years the figures cover.
type Window struct {
	First   int    `yaml:"first"`
	Last    int    `yaml:"last"`
	Anchors [3]int `yaml:"anchors"` // start, mid, end: years for which shares and rates are given
}

// Share is one part of a distribution.
type Share struct {
	Code string  `yaml:",key"`
	P    float64 `yaml:",value"`
}

// LevelFields are the shares of fields within a level; a field that is absent
// does not occur with it.
type LevelFields struct {
	Level  string  `yaml:"level"`
	Fields []Share `yaml:"fields"`
}

// Size is the distribution of employers by head count and how it moves.
type Size struct {
	Shares   [9]float64 `yaml:"shares"`    // of the nine size classes among employers that file accounts
	Mean1    float64    `yaml:"mean_1_4"`  // mean size in the class 1-4
	Tail     float64    `yaml:"tail"`      // Pareto exponent of the CCDF from 5 staff on
	Cap      float64    `yaml:"cap"`       // largest employer, heads
	CapPer   float64    `yaml:"cap_per"`   // largest employer per employer of the population:
	CapFloor float64    `yaml:"cap_floor"` // one giant must not be the whole; but at least this
	GrowthSD float64    `yaml:"growth_sd"` // sd of log growth at five staff
	GrowthEx float64    `yaml:"growth_ex"` // sd is proportional to size to the power minus this
}

// Exits says how employers end.
type Exits struct {
	Hazard    [9]float64 `yaml:"hazard"`     // exits per year by size class
	BreakFrom float64    `yaml:"break_from"` // from this size on an exit may be a new number for the same firm
	BreakRate float64    `yaml:"break_rate"` // share of such exits that are
	Founded   float64    `yaml:"founded"`    // mean years before the window that an employer was founded
}

// Sector is a NACE section.
type Sector struct {
	Code       string  `yaml:"code"`
	Staff03    float64 `yaml:"staff_start"` // share of employment, %
	Staff21    float64 `yaml:"staff_end"`
	Employers  float64 `yaml:"employers"` // share of employers, %
	Low        float64 `yaml:"low"`       // education of known staff, %: up to lower secondary,
	Mid        float64 `yaml:"mid"`       // upper and post-secondary,
	High       float64 `yaml:"high"`      // tertiary
	Women      float64 `yaml:"women"`     // %
	PartTimeM  float64 `yaml:"part_time_men"`
	PartTimeW  float64 `yaml:"part_time_women"` // %
	Age03      float64 `yaml:"age_start"`       // mean age
	Age21      float64 `yaml:"age_end"`
	Wage       float64 `yaml:"wage"`       // full-time wage, all = 100
	Hires      float64 `yaml:"hires"`      // hire rate, %
	Sales      float64 `yaml:"sales"`      // turnover per head, thousand euro of the mid anchor year
	Network    float64 `yaml:"network"`    // share of employers that sell to employers of the frame
	Automation float64 `yaml:"automation"` // multiplier on the hazard of an automation event
}

// Region is where an employer has its registered office.
type Region struct {
	Code  string  `yaml:"code"`
	Share float64 `yaml:"share"`
	Wage  float64 `yaml:"wage"` // log premium
}

// Level is a level of education.
type Level struct {
	Code     string     `yaml:"code"`
	Y03      float64    `yaml:"share_start"` // share of staff, %
	Y12      float64    `yaml:"share_mid"`
	Y21      float64    `yaml:"share_end"`
	Premium  float64    `yaml:"premium"` // log full-time wage against upper secondary
	Group    Group      `yaml:"group"`
	MinAge   int        `yaml:"min_age"`           // youngest age at which the diploma is held
	AgeSlope float64    `yaml:"age_slope"`         // steepness of the age profile of wages
	Reported [4]float64 `yaml:"reported"`          // study level that employers write down: primary, secondary, higher, university
	Manager  float64    `yaml:"manager"`           // share of managers
	Clerk    float64    `yaml:"clerk"`             // share of other white-collar staff
	Women    float64    `yaml:"women"`             // odds of being a woman, at equal field and sector
	RiseTo   string     `yaml:"rise_to,omitempty"` // diploma of those who study on, "" for none
}

// Field is a field of education.
type Field struct {
	Code    string  `yaml:"code"`
	Premium float64 `yaml:"premium"` // log wage within a level
	Women   float64 `yaml:"women"`   // odds of being a woman against the sector's own
}

// Group is a set of levels within which markets clear and effects are planted.
type Group int

// The groups of levels.
const (
	GroupLow Group = iota
	GroupMid
	GroupBachelor
	GroupMaster
	GroupUnknown
)

// Groups is how many groups of levels there are.
const Groups = 5

var groupNames = [Groups]string{"low", "mid", "bachelor", "master", "unknown"}

// String returns the name that files use.
func (g Group) String() string { return groupNames[g] }

// MarshalText returns the group's name.
func (g Group) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads a group's name.
func (g *Group) UnmarshalText(b []byte) error {
	for k, name := range groupNames {
		if name == string(b) {
			*g = Group(k)
			return nil
		}
	}
	return fmt.Errorf("unknown group %q%s", b, strictyaml.Suggest(string(b), groupNames[:]))
}

// Register is what the education register holds.
type Register struct {
	Survey      int                `yaml:"survey"`              // year of the census with which it begins
	Missing     map[string]float64 `yaml:"missing"`             // group of levels: workers who are found later than they come, if at all
	Filled      float64            `yaml:"filled"`              // of those still missing, share found per year
	Gone        float64            `yaml:"gone"`                // of those whose last job ended before the survey, share missing because of it
	CrossBorder map[string]float64 `yaml:"cross_border"`        // region: workers who live abroad, never in the register
	BySector    map[string]float64 `yaml:"cross_border_sector"` // factor on it, 1 where absent
	Late        [2]int             `yaml:"late"`                // years between a diploma and its registration, at least and at most
}

// Clustering says how much colleagues resemble each other: the concentration of
// a Dirichlet-multinomial.
type Clustering struct {
	Small  float64 `yaml:"small"`   // at one head
	Large  float64 `yaml:"large"`   // at most
	PerLog float64 `yaml:"per_log"` // per log head count
	Tries  int     `yaml:"tries"`   // colleagues looked at for one whose level suits the cohort
}

// Flows are hires, separations and moves.
type Flows struct {
	Separation [12]float64 `yaml:"separation"`  // hazard by completed years of tenure, the last one for longer
	SectorPow  float64     `yaml:"sector_pow"`  // how hire rates of sectors translate to hazards
	Short      float64     `yaml:"short"`       // spells that end within their year, per hire that lasts
	ShortPow   float64     `yaml:"short_pow"`   // how hire rates of sectors translate to them
	ShortDays  float64     `yaml:"short_days"`  // their mean length
	LastIn     int         `yaml:"last_in"`     // layoffs: the shortest tenure of that many goes first
	IntoPool   float64     `yaml:"into_pool"`   // leavers who stay available for another employer of the frame
	SameSector float64     `yaml:"same_sector"` // of those, who look for work in their own sector
	Fresh      float64     `yaml:"fresh"`       // openings that never look into the pool
	PoolYears  int         `yaml:"pool_years"`  // years after which a leaver without a job is gone
	Tries      int         `yaml:"tries"`       // candidates looked at per opening
	FromSchool float64     `yaml:"from_school"` // new workers who come from school
}

// Age is the age structure of staff.
type Age struct {
	Bands      [6]int     `yaml:"bands"`       // bounds of the five age bands
	Y03        [5]float64 `yaml:"share_start"` // shares of the bands
	Y12        [5]float64 `yaml:"share_mid"`
	Y21        [5]float64 `yaml:"share_end"`
	Retire     [4]float64 `yaml:"retire"`      // extra hazard at 55-59, 60-61, 62-64, 65+
	FirmSD     float64    `yaml:"firm_sd"`     // sd of the mean age that an employer prefers, years
	YoungHire  int        `yaml:"young_hire"`  // "young" in hiring: below this age
	LastMove   int        `yaml:"last_move"`   // leavers of that age or more look for no other job
	YoungShare float64    `yaml:"young_share"` // of hires, share below YoungHire
	HireAge    int        `yaml:"hire_age"`    // typical age at hire
	School     float64    `yaml:"school"`      // mean years between the diploma and the first job
	Reenter    [2]float64 `yaml:"reenter"`     // ages of other newcomers
}

// Fraction is a part-timer's working time.
type Fraction struct {
	Hundredths int     `yaml:"hundredths"` // of a full-time job
	Share      float64 `yaml:"share"`
}

// Hours is working time.
type Hours struct {
	Fractions []Fraction   `yaml:"fractions"`  // of part-timers
	RiseMen   [][2]float64 `yaml:"rise_men"`   // year, part-time rate of men relative to that of the sector's column
	RiseWomen [][2]float64 `yaml:"rise_women"` // the same of women
	AgeMen    [][2]float64 `yaml:"age_men"`    // age, factor on the part-time rate of men
	AgeWomen  [][2]float64 `yaml:"age_women"`  // the same of women
}

// Wages are gross taxable wages of a full year in full-time work.
type Wages struct {
	Median2021  float64         `yaml:"median"`         // at the end anchor
	Intercept   float64         `yaml:"intercept"`      // log offset that brings the realised median there
	Index       map[int]float64 `yaml:"index"`          // growth of prices and wages on the year before, %
	Drift       map[int]float64 `yaml:"drift"`          // growth above the index, % a year, from that year on
	AgeAt       [][2]float64    `yaml:"age_profile"`    // age, log wage
	SectorPart  float64         `yaml:"sector_part"`    // share of a sector's log wage gap that is an effect of the sector
	WomenGap    [][2]float64    `yaml:"women_gap"`      // year, log gap at equal age, level, field and employer
	GapAge      [][2]float64    `yaml:"women_gap_age"`  // age, log gap on top of it
	Below       [][2]float64    `yaml:"spread_below"`   // year, factor on log distances below the median
	Above       [][2]float64    `yaml:"spread_above"`   // year, factor on those above it
	WorkerSD    float64         `yaml:"worker_sd"`      // sd of the worker effect, log
	FirmSD      float64         `yaml:"firm_sd"`        // sd of the firm effect, log
	FirmAR      float64         `yaml:"firm_ar"`        // its correlation from year to year
	SizePremium float64         `yaml:"size_premium"`   // per log head count
	Sorting     float64         `yaml:"sorting"`        // correlation of worker and firm effect
	NoiseSD     float64         `yaml:"noise_sd"`       // sd of the yearly residual, log
	TopShare    float64         `yaml:"top_share"`      // share of workers with a Pareto tail
	TopAlpha    float64         `yaml:"top_alpha"`      // its exponent
	Minimum2021 float64         `yaml:"minimum"`        // at the end anchor
	FloorSpread float64         `yaml:"minimum_spread"` // those below the minimum get up to that share more than it
	Unpaid      float64         `yaml:"unpaid"`         // workers without any pay: directors
	Leave       float64         `yaml:"leave"`          // years without pay: unpaid leave
	Correction  float64         `yaml:"correction"`     // years whose wage is a correction of another year
	Corrected   float64         `yaml:"corrected"`      // such a correction, at most, as a share of the wage
	RiseShare   float64         `yaml:"rise_share"`     // of workers whose level can rise, share who study on
	RiseAge     [2]int          `yaml:"rise_age"`       // ages at which they do
}

// Accounts are the public annual accounts.
type Accounts struct {
	NeverFile      float64         `yaml:"never_file"`
	SkipYear       float64         `yaml:"skip_year"`
	EmployeeRSZ    float64         `yaml:"employee_contribution"` // worker's share of gross pay
	Contribution   map[int]float64 `yaml:"employer_cost"`         // employer's cost per euro of gross wage, from that year on
	CostNoise      float64         `yaml:"cost_noise"`
	HoursPerFTE    float64         `yaml:"hours_per_fte"`
	HoursSD        float64         `yaml:"hours_sd"`
	MachineryRate  float64         `yaml:"machinery_rate"` // machinery investment per euro of turnover
	MachineryMix   float64         `yaml:"machinery_mix"`  // machinery in all tangible investment
	RateSD         float64         `yaml:"rate_sd"`
	YearSD         float64         `yaml:"year_sd"`
	Inertia        float64         `yaml:"inertia"` // weight of mean turnover, against that of the year, in normal investment (log)
	Depreciation   float64         `yaml:"depreciation"`
	AssetsPerSales float64         `yaml:"assets_per_sales"`
	AssetsSD       float64         `yaml:"assets_sd"`
	SalesSD        float64         `yaml:"sales_sd"`
	SpikeMedian    float64         `yaml:"spike_median"` // multiple of normal machinery investment in an event year
	SpikeSD        float64         `yaml:"spike_sd"`
	SpikeMin       float64         `yaml:"spike_min"`
	Schema         []SchemaRule    `yaml:"schema"`
	Spread         float64         `yaml:"spread"`      // log half-width of yearly turnover around its path
	KernelStay     float64         `yaml:"kernel_stay"` // share whose study level the employer reports as the register has it
}

// SchemaRule says from which size on accounts are fuller, from a year on: who
// exceeds more than one of three thresholds files the fuller schema.
type SchemaRule struct {
	From      int     `yaml:"from"`
	Staff     float64 `yaml:"staff"`
	Turnover  float64 `yaml:"turnover"`
	Total     float64 `yaml:"total"`  // assets
	Always    float64 `yaml:"always"` // average staff above which a schema is always full
	Micro     bool    `yaml:"micro"`  // whether there is a schema for the smallest; staff is then in full-time equivalents
	MStaff    float64 `yaml:"micro_staff"`
	MTurnover float64 `yaml:"micro_turnover"`
	MTot      float64 `yaml:"micro_total"`
}

// Network is who buys from whom.
type Network struct {
	TopShare   float64    `yaml:"top_share"` // share of the largest buyer in sales
	TopSD      float64    `yaml:"top_sd"`
	Decay      float64    `yaml:"decay"`  // share of each next buyer against the one before
	Buyers     [5]float64 `yaml:"buyers"` // distribution of the number of main buyers, 1 to 5
	SameRegion float64    `yaml:"same_region"`
	Keep       float64    `yaml:"keep"`       // yearly survival of a main link
	Attach     float64    `yaml:"attach"`     // exponent of the buyer's size
	MainBuyer  float64    `yaml:"main_buyer"` // share of sales that makes a buyer count for the group
}

// Adoption is who automates when.
type Adoption struct {
	First      int        `yaml:"first"`
	Last       int        `yaml:"last"`
	BySize     [9]float64 `yaml:"by_size"`     // share with an event over the years first to last
	FirmEffect float64    `yaml:"firm_effect"` // mean firm effect of adopters, log
	Growth     float64    `yaml:"growth"`      // slope on lagged log growth
}

// Worlds are the planted effects to choose from.
type Worlds struct {
	Classes []CellClass `yaml:"classes"` // of cells that shift together; a cell is in the first that it fits
	Planted []World     `yaml:"planted"` // the first is the default
}

// CellClass is a set of cells: all of these groups and, where given, fields.
type CellClass struct {
	Name   string   `yaml:"name"`
	Groups []Group  `yaml:"groups"`
	Fields []string `yaml:"fields,omitempty"` // empty for all
}

// World holds planted effects of an automation event by event time 0, 1, 2, 3
// and 4 or later.
type World struct {
	Name         string                `yaml:"name"`
	HeadCount    [5]float64            `yaml:"head_count"`    // log
	Composition  map[string][5]float64 `yaml:"composition"`   // class: log shift of its wanted share before normalisation; 0 where absent
	Wage         [5]float64            `yaml:"wage"`          // log full-time wage of every worker
	MasterWage   [5]float64            `yaml:"master_wage"`   // on top of it for masters
	YoungHires   [5]float64            `yaml:"young_hires"`   // share of hires below Age.YoungHire
	Separation   [5]float64            `yaml:"separation"`    // added to the hazard
	Factor       [5]float64            `yaml:"factor"`        // factor on the hazard
	Age          [5]float64            `yaml:"age"`           // mean age of the staff, years
	FTE          [5]float64            `yaml:"fte"`           // mean working time, full-time equivalents
	Supplier     [5]float64            `yaml:"supplier"`      // log head count per unit of sales share to automating buyers
	SupplierHigh [5]float64            `yaml:"supplier_high"` // share of staff who are bachelors or masters, per unit of it
	Rival        float64               `yaml:"rival"`         // log head count per unit of the sales of the four-digit class that other employers make who automated
	PreTrend     float64               `yaml:"pre_trend"`     // log points a year, for employers that ever automate
}

// Label is a text by language: en, and nl and fr where they are sure.
type Label map[string]string

// Labels are the texts behind codes.
type Labels struct {
	Levels  map[string]Label `yaml:"levels"`
	Fields  map[string]Label `yaml:"fields"`
	Sectors map[string]Label `yaml:"sectors"`
	Regions map[string]Label `yaml:"regions"`
}
