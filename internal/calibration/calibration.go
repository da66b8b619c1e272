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
	BasedOn   string                        `yaml:"based_on,omitempty"` // belgium: sections that the file leaves out are Belgium's
	Name      string                        `yaml:"name"`               // of the country
	Window    Window                        `yaml:"window"`
	Size      Size                          `yaml:"size"`
	Exits     Exits                         `yaml:"exits"`
	Entrants  Entrants                      `yaml:"entrants"`
	Takeovers Takeovers                     `yaml:"takeovers"`
	Sectors   []Sector                      `yaml:"sectors"`
	Classes   map[string][]string           `yaml:"nace_classes"` // sector: its four-digit classes, the largest first; one if absent
	Regions   []Region                      `yaml:"regions"`
	Levels    []Level                       `yaml:"levels"`
	Fields    []Field                       `yaml:"fields"`
	FieldOf   []LevelFields                 `yaml:"fields_of_levels"`                        // one per level, in the order of Levels
	Tilts     map[string]map[string]float64 `yaml:"field_tilts" want:"between 0.0001 10000"` // sector, field: factor on the field's odds
	Cohorts   Cohorts                       `yaml:"cohorts"`
	Cluster   Clustering                    `yaml:"clustering"`
	Register  Register                      `yaml:"register"`
	Flows     Flows                         `yaml:"flows"`
	Age       Age                           `yaml:"age"`
	Hours     Hours                         `yaml:"hours"`
	Wage      Wages                         `yaml:"wages"`
	Accounts  Accounts                      `yaml:"accounts"`
	Network   Network                       `yaml:"network"`
	Adopt     Adoption                      `yaml:"automation"`
	Cycle     map[int]float64               `yaml:"cycle" want:"log"` // net growth of head counts by year
	Worlds    Worlds                        `yaml:"worlds"`
	Labels    Labels                        `yaml:"labels"`

	source []byte // the file, where it was whole
}

// Window says which years the figures cover.
type Window struct {
	First   int    `yaml:"first" want:"year"`
	Last    int    `yaml:"last" want:"year"`
	Anchors [3]int `yaml:"anchors" want:"year"` // start, mid, end: years for which shares and rates are given
}

// Between reads a figure given for the three anchor years: on the lines between
// them, constant outside.
func (w Window) Between(start, mid, end, year float64) float64 {
	a, b, c := float64(w.Anchors[0]), float64(w.Anchors[1]), float64(w.Anchors[2])
	switch {
	case year <= a:
		return start
	case year <= b:
		return start + float64((mid-start)*(year-a)/(b-a))
	case year <= c:
		return mid + float64((end-mid)*(year-b)/(c-b))
	}
	return end
}

// Line reads a figure given for the first and the last anchor year.
func (w Window) Line(start, end, year float64) float64 {
	a, c := float64(w.Anchors[0]), float64(w.Anchors[2])
	return start + float64((end-start)*(min(max(year, a), c)-a)/(c-a))
}

// Share is one part of a distribution.
type Share struct {
	Code string  `yaml:",key"`
	P    float64 `yaml:",value" want:"share"`
}

// LevelFields are the shares of fields within a level; a field that is absent
// does not occur with it.
type LevelFields struct {
	Level  string  `yaml:"level"`
	Fields []Share `yaml:"fields"`
}

// Size is the distribution of employers by head count and how it moves.
type Size struct {
	Classes   [9]int     `yaml:"classes" want:"between 1 100000"`       // least head count of each of the nine size classes
	Shares    [9]float64 `yaml:"shares" want:"positive share"`          // of the classes among employers that file accounts
	Mean1     float64    `yaml:"mean_smallest" want:"between 1.1 1000"` // mean size in the smallest class
	Tail      float64    `yaml:"tail" want:"between 0.2 5"`             // Pareto exponent of the CCDF from 5 staff on
	TopTail   float64    `yaml:"top_tail" want:"between 0.2 5"`         // the same in the last class
	Cap       float64    `yaml:"cap" want:"between 1000 1000000"`       // largest employer, heads
	CapPer    float64    `yaml:"cap_per" want:"between 0 100000"`       // largest employer per employer of the population:
	CapFloor  float64    `yaml:"cap_floor" want:"between 10 1000000"`   // one giant must not be the whole; but at least this
	GrowthSD  float64    `yaml:"growth_sd" want:"positive sd"`          // sd of log growth at five staff
	GrowthEx  float64    `yaml:"growth_ex" want:"between -1 1"`         // sd is proportional to size to the power minus this
	Growth    float64    `yaml:"growth" want:"between -0.1 0.1"`        // of the number of employers, a year
	ClassZipf float64    `yaml:"class_zipf" want:"between 0 5"`         // share of a four-digit class in its sector: its place to the power minus this
}

// Exits says how employers end.
type Exits struct {
	Hazard   [9]float64  `yaml:"hazard" want:"share"`               // exits per year by size class
	ByAge    [11]float64 `yaml:"by_age" want:"between 0.01 100"`    // relative hazard by age in years, the last one for older
	Renamed  [9]float64  `yaml:"renamed" want:"share"`              // share of exits that are a new number for the same firm, by size class
	Absorbed [9]float64  `yaml:"absorbed" want:"share"`             // share of exits that are mergers into another employer, by size class
	Days     [2]int      `yaml:"closing_days" want:"between 0 364"` // first and last day of the year on which one closes
	Founded  float64     `yaml:"founded" want:"between 0 100"`      // mean age beyond the last entry of ByAge of employers older than it, years
}

// Entrants are new employers.
type Entrants struct {
	Shares       [9]float64 `yaml:"shares" want:"share"`                 // by size class at the first year-end
	Growth       []float64  `yaml:"growth" want:"log"`                   // mean growth beyond that of the old, by age in years, at one head
	GrowthBySize float64    `yaml:"growth_by_size" want:"between -1 10"` // added to a factor of 1 on it per log head
}

// Takeovers are mergers and sales of parts between employers.
type Takeovers struct {
	Attach   float64    `yaml:"attach" want:"between -1 2"`         // takers are drawn in proportion to size to this power
	PartFrom float64    `yaml:"part_from" want:"between 1 1000000"` // smallest size that sells a part
	PartRate float64    `yaml:"part_rate" want:"share"`             // share of employers that do in a year
	Part     [2]float64 `yaml:"part" want:"share"`                  // least and largest share of staff sold
}

// Sector is a NACE section.
type Sector struct {
	Code       string  `yaml:"code"`
	Staff03    float64 `yaml:"staff_start" want:"positive percent"` // share of employment, %
	Staff21    float64 `yaml:"staff_end" want:"positive percent"`
	Employers  float64 `yaml:"employers" want:"positive percent"` // share of employers, %
	Low        float64 `yaml:"low" want:"percent"`                // education of known staff, %: up to lower secondary,
	Mid        float64 `yaml:"mid" want:"percent"`                // upper and post-secondary,
	High       float64 `yaml:"high" want:"percent"`               // tertiary
	Women      float64 `yaml:"women" want:"percent"`              // %
	PartTimeM  float64 `yaml:"part_time_men" want:"percent"`
	PartTimeW  float64 `yaml:"part_time_women" want:"percent"` // %
	Age03      float64 `yaml:"age_start" want:"age"`           // mean age
	Age21      float64 `yaml:"age_end" want:"age"`
	Wage       float64 `yaml:"wage" want:"between 10 1000"`      // full-time wage, all = 100
	Hires      float64 `yaml:"hires" want:"between 0.1 200"`     // hire rate, %
	Sales      float64 `yaml:"sales" want:"between 0.01 100000"` // turnover per head, thousand euro of the mid anchor year
	Network    float64 `yaml:"network" want:"share"`             // share of employers that sell to employers of the frame
	Automation float64 `yaml:"automation" want:"between 0 1000"` // multiplier on the hazard of an automation event
}

// Region is where an employer has its registered office.
type Region struct {
	Code      string  `yaml:"code"`
	Share     float64 `yaml:"share" want:"positive share"`
	Wage      float64 `yaml:"wage" want:"log"`     // log premium
	Provinces []Share `yaml:"provinces,omitempty"` // NUTS 2 areas, shares within the region; one if absent
}

// Level is a level of education.
type Level struct {
	Code     string     `yaml:"code"`
	Y03      float64    `yaml:"share_start" want:"percent"` // share of staff, %
	Y12      float64    `yaml:"share_mid" want:"percent"`
	Y21      float64    `yaml:"share_end" want:"percent"`
	Premium  float64    `yaml:"premium" want:"log"` // log full-time wage against upper secondary
	Group    Group      `yaml:"group"`
	MinAge   int        `yaml:"min_age" want:"between 14 40"`    // youngest age at which the diploma is held
	AgeSlope float64    `yaml:"age_slope" want:"between 0 5"`    // steepness of the age profile of wages
	Reported [4]float64 `yaml:"reported" want:"share"`           // study level that employers write down: primary, secondary, higher, university
	Manager  float64    `yaml:"manager" want:"share"`            // share of managers
	Clerk    float64    `yaml:"clerk" want:"share"`              // share of other white-collar staff
	Women    float64    `yaml:"women" want:"between 0.001 1000"` // odds of being a woman, at equal field and sector
	RiseTo   string     `yaml:"rise_to,omitempty"`               // diploma of those who study on, "" for none
}

// Field is a field of education.
type Field struct {
	Code    string  `yaml:"code"`
	Premium float64 `yaml:"premium" want:"log"`              // log wage within a level
	Women   float64 `yaml:"women" want:"between 0.001 1000"` // odds of being a woman against the sector's own
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
	Survey      int                `yaml:"survey" want:"year"`                       // year of the census with which it begins
	Missing     map[string]float64 `yaml:"missing" want:"share"`                     // group of levels: workers who are found later than they come, if at all
	Filled      float64            `yaml:"filled" want:"share"`                      // of those still missing, share found per year
	Gone        float64            `yaml:"gone" want:"share"`                        // of those whose last job ended before the survey, share missing because of it
	CrossBorder map[string]float64 `yaml:"cross_border" want:"share"`                // region: workers who live abroad, never in the register
	BySector    map[string]float64 `yaml:"cross_border_sector" want:"between 0 100"` // factor on it, 1 where absent
	Late        [2]int             `yaml:"late" want:"between 0 20"`                 // years between a diploma and its registration, at least and at most
}

// Cohorts say how the levels of a birth cohort follow from those of all staff.
type Cohorts struct {
	Age   int     `yaml:"age" want:"age"`     // a cohort has the shares of the year in which it was that old
	Trend float64 `yaml:"trend" want:"share"` // slope before the first anchor and after the last, against that within
	Least float64 `yaml:"least" want:"share"` // share of a level at least, against the lower of start and end
}

// Clustering says how much colleagues resemble each other: the concentration of
// a Dirichlet-multinomial.
type Clustering struct {
	Small  float64 `yaml:"small" want:"between 0.01 10000"`   // at one head
	Large  float64 `yaml:"large" want:"between 0.01 10000"`   // at most
	PerLog float64 `yaml:"per_log" want:"between 0 1000"`     // per log head count
	Follow float64 `yaml:"follow_limit" want:"between 1 100"` // ratio of shares of two cohorts up to which copies keep the shares of both
	Tries  int     `yaml:"tries" want:"between 1 1000"`       // colleagues looked at for one whose level suits the cohort
}

// Flows are hires, separations and moves.
type Flows struct {
	Separation     [12]float64 `yaml:"separation" want:"share"`         // hazard by completed years of tenure, the last one for longer
	SeparationMost float64     `yaml:"separation_most" want:"share"`    // the most of such a hazard times that of a sector, where the tenures of a stock are reckoned,
	TenureMost     int         `yaml:"tenure_most" want:"between 1 60"` // which has none longer than so many years
	SectorPow      float64     `yaml:"sector_pow" want:"between 0 3"`   // how hire rates of sectors translate to hazards
	Short          float64     `yaml:"short" want:"between 0 10"`       // spells that end within their year, per hire that lasts
	ShortPow       float64     `yaml:"short_pow" want:"between 0 3"`    // how hire rates of sectors translate to them
	ShortDays      float64     `yaml:"short_days" want:"between 1 365"` // their mean length
	LastIn         int         `yaml:"last_in" want:"between 1 1000"`   // layoffs: the shortest tenure of that many goes first
	IntoPool       float64     `yaml:"into_pool" want:"share"`          // leavers who stay available for another employer of the frame
	SameSector     float64     `yaml:"same_sector" want:"share"`        // of those, who look for work in their own sector
	Fresh          float64     `yaml:"fresh" want:"share"`              // openings that never look into the pool
	PoolYears      int         `yaml:"pool_years" want:"between 1 50"`  // years after which a leaver without a job is gone
	Tries          int         `yaml:"tries" want:"between 1 1000"`     // candidates looked at per opening
	FromSchool     float64     `yaml:"from_school" want:"share"`        // new workers who come from school
	Unseen         float64     `yaml:"unseen" want:"share"`             // of the new workers of the first year, share with the ages of staff: they come from jobs that nobody saw
	Near           float64     `yaml:"near" want:"sd"`                  // sd of worker effects within which the first suitable candidate is taken

	Moonlighters float64    `yaml:"moonlighters" want:"share"`        // workers who take second jobs
	SecondRate   float64    `yaml:"second_rate" want:"share"`         // of their years with one employer, share with a second job
	SecondDays   [2]float64 `yaml:"second_days" want:"between 1 363"` // its length in a year, at least and at most
	SecondSeek   float64    `yaml:"second_seek" want:"share"`         // of those without one, share that looks for a lasting second job in a year
	SecondYears  int        `yaml:"second_years" want:"between 1 50"` // years after which another employer gives it
}

// Age is the age structure of staff.
type Age struct {
	Bands      [6]int        `yaml:"bands" want:"age"`         // bounds of the five age bands
	Y03        [5]float64    `yaml:"share_start" want:"share"` // shares of the bands
	Y12        [5]float64    `yaml:"share_mid" want:"share"`
	Y21        [5]float64    `yaml:"share_end" want:"share"`
	RetireFrom [4]int        `yaml:"retire_from" want:"between 15 100"` // ages from which on a hazard of retirement holds
	Retire     [4][2]float64 `yaml:"retire" want:"share"`               // the hazards, at start and end
	Mean       [3]float64    `yaml:"mean" want:"age"`                   // mean age of all staff at the anchors, against which a sector is older or younger
	FirmSD     float64       `yaml:"firm_sd" want:"between 0 20"`       // sd of the mean age that an employer prefers, years
	YoungHire  int           `yaml:"young_hire" want:"age"`             // "young" in hiring: below this age
	LastMove   int           `yaml:"last_move" want:"age"`              // leavers of that age or more look for no other job
	YoungShare float64       `yaml:"young_share" want:"between 0 0.95"` // of hires, share below YoungHire
	HireAge    int           `yaml:"hire_age" want:"age"`               // typical age at hire
	School     float64       `yaml:"school" want:"between 0 40"`        // mean years between the diploma and the first job
	Limits     [2]int        `yaml:"limits" want:"age"`                 // youngest and oldest of the staff at the start
	Oldest     int           `yaml:"newcomer_oldest" want:"age"`        // oldest of those who come later
	OldFrom    int           `yaml:"old_from" want:"age"`               // hires that make a staff younger take nobody from this age on
	YoungGap   float64       `yaml:"young_gap" want:"between 0.1 60"`   // years by which hires below YoungHire are younger than all hires
	OldGap     float64       `yaml:"old_gap" want:"between 0.1 60"`     // years by which hires below OldFrom are
	Reenter    [2]float64    `yaml:"reenter" want:"age"`                // ages of other newcomers,
	ReenterPow float64       `yaml:"reenter_pow" want:"between 0.1 10"` // power to which a uniform draw is raised between them: above 1 most are young
}

// Fraction is a part-timer's working time.
type Fraction struct {
	Hundredths int     `yaml:"hundredths" want:"between 1 99"` // of a full-time job
	Share      float64 `yaml:"share" want:"share"`
}

// Hours is working time.
type Hours struct {
	Fractions  []Fraction   `yaml:"fractions"`                             // of part-timers
	Second     int          `yaml:"second" want:"between 1 50"`            // least working time of a second job, hundredths
	SecondMost int          `yaml:"second_most" want:"between 1 100"`      // and the most
	RiseMen    [][2]float64 `yaml:"rise_men" want:"points between 0 10"`   // year, part-time rate of men relative to that of the sector's column
	RiseWomen  [][2]float64 `yaml:"rise_women" want:"points between 0 10"` // the same of women
	AgeMen     [][2]float64 `yaml:"age_men" want:"points between 0 10"`    // age, factor on the part-time rate of men
	AgeWomen   [][2]float64 `yaml:"age_women" want:"points between 0 10"`  // the same of women
}

// Wages are gross taxable wages of a full year in full-time work.
type Wages struct {
	Median2021   float64         `yaml:"median" want:"between 100 1000000"`       // at the end anchor
	Intercept    float64         `yaml:"intercept" want:"log"`                    // log offset that brings the realised median there
	Index        map[int]float64 `yaml:"index" want:"growth"`                     // growth of prices and wages on the year before, %
	Drift        map[int]float64 `yaml:"drift" want:"growth"`                     // growth above the index, % a year, from that year on
	AgeAt        [][2]float64    `yaml:"age_profile" want:"points log"`           // age, log wage
	SectorPart   float64         `yaml:"sector_part" want:"share"`                // share of a sector's log wage gap that is an effect of the sector
	WomenGap     [][2]float64    `yaml:"women_gap" want:"points log"`             // year, log gap at equal age, level, field and employer
	GapAge       [][2]float64    `yaml:"women_gap_age" want:"points log"`         // age, log gap on top of it
	Below        [][2]float64    `yaml:"spread_below" want:"points between 0 10"` // year, factor on log distances below the median
	Above        [][2]float64    `yaml:"spread_above" want:"points between 0 10"` // year, factor on those above it
	WorkerSD     float64         `yaml:"worker_sd" want:"sd"`                     // sd of the worker effect, log
	FirmSD       float64         `yaml:"firm_sd" want:"positive sd"`              // sd of the firm effect, log
	FirmAR       float64         `yaml:"firm_ar" want:"share"`                    // its correlation from year to year
	SizePremium  float64         `yaml:"size_premium" want:"log"`                 // per log head count
	Sorting      float64         `yaml:"sorting" want:"between -1 1"`             // correlation of worker and firm effect among those employed as the window opens
	SortingHires float64         `yaml:"sorting_hires" want:"between -1 1"`       // the same among those whom employers hire and nobody had before
	NoiseSD      float64         `yaml:"noise_sd" want:"sd"`                      // sd of the yearly residual, log
	TopShare     float64         `yaml:"top_share" want:"share"`                  // share of workers with a Pareto tail
	TopAlpha     float64         `yaml:"top_alpha" want:"between 1.5 1000"`       // its exponent
	Minimum2021  float64         `yaml:"minimum" want:"between 0 1000000"`        // at the end anchor
	FloorSpread  float64         `yaml:"minimum_spread" want:"between 0 10"`      // those below the minimum get up to that share more than it
	Unpaid       float64         `yaml:"unpaid" want:"share"`                     // workers without any pay: directors
	Leave        float64         `yaml:"leave" want:"share"`                      // years without pay: unpaid leave
	Correction   float64         `yaml:"correction" want:"share"`                 // years whose wage is a correction of another year
	Corrected    [2]float64      `yaml:"corrected" want:"share"`                  // such a correction as a share of the wage, at least and at most
	RiseShare    float64         `yaml:"rise_share" want:"share"`                 // of workers whose level can rise, share who study on
	RiseAge      [2]int          `yaml:"rise_age" want:"age"`                     // ages at which they do
}

// Accounts are the public annual accounts.
type Accounts struct {
	NeverFile      float64         `yaml:"never_file" want:"between 0 0.9"`
	SkipYear       float64         `yaml:"skip_year" want:"between 0 0.9"`
	EmployeeRSZ    float64         `yaml:"employee_contribution" want:"between 0 0.9"` // worker's share of gross pay
	Contribution   map[int]float64 `yaml:"employer_cost" want:"between 1 10"`          // employer's cost per euro of gross wage, from that year on
	CostNoise      float64         `yaml:"cost_noise" want:"sd"`
	HoursPerFTE    float64         `yaml:"hours_per_fte" want:"between 100 8784"`
	HoursSD        float64         `yaml:"hours_sd" want:"sd"`
	MachineryRate  float64         `yaml:"machinery_rate" want:"between 0.00001 10"` // machinery investment per euro of turnover
	MachineryMix   float64         `yaml:"machinery_mix" want:"between 0.01 1"`      // machinery in all tangible investment
	RateSD         float64         `yaml:"rate_sd" want:"sd"`
	YearSD         float64         `yaml:"year_sd" want:"sd"`
	Inertia        float64         `yaml:"inertia" want:"share"` // weight of mean turnover, against that of the year, in normal investment (log)
	Depreciation   float64         `yaml:"depreciation" want:"between 0.001 1"`
	AssetsPerSales float64         `yaml:"assets_per_sales" want:"between 0 1000"`
	AssetsSD       float64         `yaml:"assets_sd" want:"sd"`
	SalesSD        float64         `yaml:"sales_sd" want:"sd"`                  // log spread of sales per head among the employers of a sector, whose mean it leaves
	SalesLeast     float64         `yaml:"sales_least" want:"between 0 100000"` // thousand euro per head of the mid anchor year; those of the sector come on top,
	SalesBySize    float64         `yaml:"sales_by_size" want:"between -1 1"`   // exponent of size in sales per head,
	SalesAt        float64         `yaml:"sales_at" want:"between 1 1000000"`   // which are the sector's at this head count
	SpikeMedian    float64         `yaml:"spike_median" want:"between 0 1000"`  // multiple of normal machinery investment in an event year
	SpikeSD        float64         `yaml:"spike_sd" want:"sd"`
	SpikeMin       float64         `yaml:"spike_min" want:"between 0 1000"`
	Schema         []SchemaRule    `yaml:"schema"`
	Spread         float64         `yaml:"spread" want:"sd"`                      // log half-width of yearly turnover around its path
	KernelStay     float64         `yaml:"kernel_stay" want:"share"`              // share whose study level the employer reports as the register has it
	Late           float64         `yaml:"late" want:"share"`                     // of employers whose accounts of the last year are not there yet
	Closing        []Closing       `yaml:"closing"`                               // book years that do not close in December
	Extra          float64         `yaml:"extra" want:"share"`                    // of employers that count one more than the register: an owner, an intern
	Branch         float64         `yaml:"branch" want:"share"`                   // of employers with staff abroad,
	BranchFrom     float64         `yaml:"branch_from" want:"between 1 1000000"`  // from this size on,
	BranchPart     float64         `yaml:"branch_part" want:"between 0 10"`       // at most so much of their staff
	CountRoot      float64         `yaml:"count_root" want:"sd"`                  // other differences of heads: sd per root of heads,
	CountBase      float64         `yaml:"count_base" want:"sd"`                  // and per head;
	CountStays     float64         `yaml:"count_stays" want:"share"`              // part of their variance that stays from year to year
	Affiliated     float64         `yaml:"affiliated" want:"share"`               // of employers with one head that have a parent or a subsidiary,
	AffiliatedBy   float64         `yaml:"affiliated_by_size" want:"between 0 1"` // added per log head,
	AffiliatedMost float64         `yaml:"affiliated_most" want:"share"`          // at most
	Parent         float64         `yaml:"parent" want:"share"`                   // of these that are parents
	GroupSD        float64         `yaml:"group_sd" want:"sd"`                    // log size of the group against the member's own: absolute normal
}

// Closing is a month, other than December, in which book years close.
type Closing struct {
	Month int     `yaml:"month" want:"between 1 12"`
	Share float64 `yaml:"share" want:"share"`
}

// SchemaRule says from which size on accounts are fuller, from a year on: who
// exceeds more than one of three thresholds files the fuller schema.
type SchemaRule struct {
	From      int     `yaml:"from" want:"year"`
	Staff     float64 `yaml:"staff" want:"between 0 1e12"`
	Turnover  float64 `yaml:"turnover" want:"between 0 1e15"`
	Total     float64 `yaml:"total" want:"between 0 1e15"`  // assets
	Always    float64 `yaml:"always" want:"between 0 1e12"` // average staff above which a schema is always full
	Group     bool    `yaml:"group"`                        // whether all members of a group are judged by its size, or parents alone
	Micro     bool    `yaml:"micro"`                        // whether there is a schema for the smallest
	MStaff    float64 `yaml:"micro_staff" want:"between 0 1e12"`
	MTurnover float64 `yaml:"micro_turnover" want:"between 0 1e15"`
	MTot      float64 `yaml:"micro_total" want:"between 0 1e15"`
}

// Network is who buys from whom.
type Network struct {
	Sales       float64            `yaml:"sales" want:"share"`                // share of turnover that goes to employers of the frame
	Least       float64            `yaml:"least" want:"between 0 1e12"`       // smallest yearly amount that is reported, euro
	Degree      float64            `yaml:"degree" want:"between 1 1000"`      // links per employer and year
	DegreeBy    float64            `yaml:"degree_by_size" want:"between 0 3"` // exponent of the seller's size in its number of buyers
	DegreeSD    float64            `yaml:"degree_sd" want:"sd"`               // log spread of that number at a size
	TopShare    float64            `yaml:"top_share" want:"share"`            // share of the largest buyer in sales, at TopAt buyers
	TopAt       float64            `yaml:"top_at" want:"between 1 1000"`
	TopByDegree float64            `yaml:"top_by_degree" want:"log"` // added to it per log number of buyers
	TopSD       float64            `yaml:"top_sd" want:"sd"`
	TopLimits   [2]float64         `yaml:"top_limits" want:"share"`             // its least and most
	OthersMost  float64            `yaml:"others_most" want:"share"`            // mean sales to a buyer beside the five largest, against those to the fifth, at most
	Next        float64            `yaml:"next" want:"share"`                   // share of the second to fifth buyer in the rest
	Decay       float64            `yaml:"decay" want:"share"`                  // share of each of these against the one before
	SmallSD     float64            `yaml:"small_sd" want:"sd"`                  // log spread of sales to other buyers
	BuyBySize   float64            `yaml:"buy_by_size" want:"between 0 2"`      // exponent of the buyer's size in them
	SameArea    float64            `yaml:"same_area" want:"share"`              // of links that are drawn within the seller's NUTS 2 area
	KeepTop     float64            `yaml:"keep_top" want:"share"`               // yearly survival of the link to the largest buyer,
	KeepMain    float64            `yaml:"keep_main" want:"share"`              // to the second to fifth,
	KeepSmall   [2]float64         `yaml:"keep_small" want:"between 0 0.95"`    // to the smallest and the largest of the others; exits come on top
	AttachMain  float64            `yaml:"attach_main" want:"between 0 3"`      // exponent of the buyer's size in main links
	AttachSmall float64            `yaml:"attach_small" want:"between 0 3"`     // in others
	Large       float64            `yaml:"large" want:"share"`                  // of other links that follow the first exponent, at TopAt buyers
	LargeBy     float64            `yaml:"large_by_degree" want:"between -3 3"` // exponent of the number of buyers in it
	Tries       int                `yaml:"tries" want:"between 1 1000"`         // buyers looked at for one that can take a main link
	Return      float64            `yaml:"return" want:"share"`                 // main links that the buyer answers with sales of its own
	Mix         map[string]float64 `yaml:"supplier_mix" want:"share"`           // sector: share of the suppliers of a buyer
	Own         map[string]float64 `yaml:"own_sector" want:"share"`             // buyer's sector: share of suppliers moved to its own sector
	MainBuyer   float64            `yaml:"main_buyer" want:"share"`             // share of sales that makes a buyer count for the group
	MainPart    float64            `yaml:"main_part" want:"share"`              // share of the buyer's purchases that makes a link a main one
}

// Adoption is who automates when.
type Adoption struct {
	First      int        `yaml:"first" want:"year"`
	Last       int        `yaml:"last" want:"year"`
	BySize     [9]float64 `yaml:"by_size" want:"share"`           // share with an event over the years first to last, by the largest size of those years
	AtRisk     [9]float64 `yaml:"at_risk" want:"between 0.5 100"` // years by which a share is divided to be the hazard of one year
	FirmEffect float64    `yaml:"firm_effect" want:"log"`         // mean firm effect of adopters, log
	GrowthCap  float64    `yaml:"growth_cap" want:"between 0 10"` // log growth counts up to this, either way
	Growth     float64    `yaml:"growth" want:"between -20 20"`   // slope on lagged log growth
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
	HeadCount    [5]float64            `yaml:"head_count" want:"log"`             // log
	Composition  map[string][5]float64 `yaml:"composition" want:"log"`            // class: log shift of its wanted share before normalisation; 0 where absent
	Wage         [5]float64            `yaml:"wage" want:"log"`                   // log full-time wage of every worker
	MasterWage   [5]float64            `yaml:"master_wage" want:"log"`            // on top of it for masters
	YoungHires   [5]float64            `yaml:"young_hires" want:"between -1 1"`   // share of hires below Age.YoungHire
	Separation   [5]float64            `yaml:"separation" want:"between -1 1"`    // added to the hazard
	Factor       [5]float64            `yaml:"factor" want:"between 0 10"`        // factor on the hazard
	Age          [5]float64            `yaml:"age" want:"between -20 20"`         // mean age of the staff, years
	FTE          [5]float64            `yaml:"fte" want:"between -1 1"`           // mean working time, full-time equivalents
	Supplier     [5]float64            `yaml:"supplier" want:"log"`               // log head count per unit of sales share to automating buyers
	SupplierHigh [5]float64            `yaml:"supplier_high" want:"between -1 1"` // share of staff who are bachelors or masters, per unit of it
	Rival        float64               `yaml:"rival" want:"log"`                  // log head count per unit of the sales of the four-digit class that other employers make who automated
	PreTrend     float64               `yaml:"pre_trend" want:"log"`              // log points a year, for employers that ever automate
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
