// Package plan reads the one file a user writes: what the data are, what leaves
// the building, how it is scrambled, who attacks it and which gates it must
// pass. Plans are strict: a misspelt key is an error with line, column and the
// key that was meant. Every key has a default that works.
package plan

// Plan is one study. The zero value is not usable; [Default] and [Load] are.
type Plan struct {
	Project     Project         `yaml:"project"`
	Data        Data            `yaml:"data"`
	Schema      map[string]Role `yaml:"schema,omitempty"` // by column of the user's files; not with a population
	Release     Release         `yaml:"release"`
	Scramble    Scramble        `yaml:"scramble"`
	Adversaries []string        `yaml:"adversaries"`
	Attack      Attack          `yaml:"attack"`
	Fidelity    *Fidelity       `yaml:"fidelity,omitempty"`
	Gates       string          `yaml:"gates"` // policy file, or the name of a built-in policy, such as ksz
	Tune        *Tune           `yaml:"tune,omitempty"`
}

// Project is what the manifest of a release says about why it exists.
type Project struct {
	Purpose     string            `yaml:"purpose"`
	Recipient   string            `yaml:"recipient"`
	LegalBasis  map[string]string `yaml:"legal_basis"`  // by source: accounts, warehouse
	DestroyWhen string            `yaml:"destroy_when"` // a sentence that ends in a date YYYY-MM-DD
	ExtendedBy  string            `yaml:"extended_by,omitempty"`
}

// Data says where the records come from: exactly one of Generate, Population
// and Jobs.
type Data struct {
	Generate   *Generate `yaml:"generate,omitempty"`   // make a population
	Population string    `yaml:"population,omitempty"` // a folder written by synth population
	Jobs       string    `yaml:"jobs,omitempty"`       // the user's own file: .csv, .csv.gz, .parquet
	// SampledWithin says that the rows are a sample of each employer's staff:
	// a match on head counts is then no match on reality.
	SampledWithin bool `yaml:"sampled_within,omitempty"`
}

// Generate says what population to make.
type Generate struct {
	Employers int    `yaml:"employers"` // per year
	From      int    `yaml:"from"`
	To        int    `yaml:"to"`
	World     string `yaml:"world"` // productivity, displacement, null, pretrend
}

// Role maps one column of the user's file.
type Role struct {
	Role      string   `yaml:"role"`                // employer, worker, period, category, ordinal, number, weight, ignore
	As        string   `yaml:"as,omitempty"`        // place in the release: level, field, wage, fte, age, sex, sector, region, size, group, event_year
	Known     bool     `yaml:"known,omitempty"`     // an intruder may know it
	Sensitive bool     `yaml:"sensitive,omitempty"` // what must not be found out
	Released  bool     `yaml:"released,omitempty"`  // leaves the building (in classes)
	Unit      string   `yaml:"unit,omitempty"`      // fte: fraction (default) or percent; wage: euro (default)
	Missing   []string `yaml:"missing,omitempty"`   // labels that mean missing, beside "" and NA
	Order     []string `yaml:"order,omitempty"`     // labels of an ordinal column from low to high; default sorted, intervals by their bounds
}

// Release says what leaves the building.
type Release struct {
	Unit        string   `yaml:"unit"`         // employer, employer-year or worker: what a record is
	Records     int      `yaml:"records"`      // how many
	Stratify    []string `yaml:"stratify"`     // the draw is stratified by these firm columns
	CountOn     string   `yaml:"count_on"`     // 31-12, any or average: what head count means
	FirmColumns []string `yaml:"firm_columns"` // group, event_year, supplier_share_class, size_class, design_weight, sector, region
	Classes     Classes  `yaml:"classes"`
}

// Classes are public constants.
type Classes struct {
	Wage Class `yaml:"wage"` // euro per year
	FTE  Class `yaml:"fte"`  // fraction
	Age  Class `yaml:"age"`  // years
}

// Class is a set of intervals [a,b): equal widths from From up to Top, bounds
// given one by one, or rounded quantiles. The class below the first bound and the one above
// the last are open.
type Class struct {
	Width  float64   `yaml:"width,omitempty"`
	From   float64   `yaml:"from,omitempty"`
	Top    float64   `yaml:"top,omitempty"`
	Bounds []float64 `yaml:"bounds,omitempty"`
	// Quantiles asks for as many classes with about equally many workers; their
	// bounds are rounded to two digits and published.
	Quantiles int `yaml:"quantiles,omitempty"`
}

// Scramble is an ordered list of steps and what they promise to keep.
type Scramble struct {
	Donors string `yaml:"donors"` // population or fragment
	Keep   []Kept `yaml:"keep"`   // tables of head counts and sums kept on the frame that is permuted
	Steps  []Step `yaml:"steps"`
}

// Step is one step. Which keys it takes depends on its method.
type Step struct {
	Method string `yaml:"method"` // a permutation (random-swap, …) or another step (sample-workers, …)

	// permutations: random-swap, rank-swap, targeted-swap, nearest-swap,
	// conditional-shuffle, full-shuffle
	Unit    string   `yaml:"unit,omitempty"`    // row (a job), person-year; random-swap also spell, person; employer-region (firm columns)
	Bundle  []string `yaml:"bundle,omitempty"`  // attributes exchanged
	Joint   *bool    `yaml:"joint,omitempty"`   // true (default): one draw for the whole bundle
	Rate    float64  `yaml:"rate,omitempty"`    // share of units touched, in [0, 1]; sample-workers, sample-employers: share kept
	Same    []string `yaml:"same,omitempty"`    // columns on which partners agree
	Scope   string   `yaml:"scope,omitempty"`   // any (default), across-employers, within-employer
	Missing string   `yaml:"missing,omitempty"` // exchange (default): a missing value travels; keep: it stays

	// rank-swap: reach as a share of the ranks of a stratum, and how the distance
	// in ranks is drawn: uniform (default), distribution, buckets
	Window float64 `yaml:"window,omitempty"`
	Law    string  `yaml:"law,omitempty"`

	// targeted-swap: who agrees on the risk columns with fewer than k others and
	// himself in a region of the hierarchy, the largest first, is given a partner
	// of another region, alike in the first profile that finds one; priority says
	// whether k (default) or the rate wins
	Hierarchy []string   `yaml:"hierarchy,omitempty"`
	Risk      []string   `yaml:"risk,omitempty"`
	K         int        `yaml:"k,omitempty"`
	Profiles  [][]string `yaml:"profiles,omitempty"`
	Priority  string     `yaml:"priority,omitempty"`

	// nearest-swap: columns by which partners are alike, the largest mean distance
	// in [0, 1] (0: none), and the least difference in the first attribute exchanged
	Near          []string `yaml:"near,omitempty"`
	Caliper       float64  `yaml:"caliper,omitempty"`
	MinDifference float64  `yaml:"min_difference,omitempty"`

	// conditional-shuffle: columns whose relation with the bundle is kept
	Given []string `yaml:"given,omitempty"`

	// coarsen-counts: lower bounds of the classes of head counts
	Classes []int `yaml:"classes,omitempty"`
	// merge-small-employers: employers under this head count (mean over their
	// years) are merged within strata of By until every group has it;
	// suppress-cells: cells under this head count are folded into one
	Minimum int      `yaml:"minimum,omitempty"`
	By      []string `yaml:"by,omitempty"`

	// recode: a file whose first column holds codes and whose next ones hold
	// broader and broader ones, and the column used, from 1 (the default)
	File  string `yaml:"file,omitempty"`
	Depth int    `yaml:"depth,omitempty"`
	// recode, top-code, noise, pram: the column whose values are replaced; noise, pram and
	// microaggregate work within strata of By
	Column string `yaml:"column,omitempty"`
	// top-code: values above and below are replaced by the bound (default) or by
	// the mean of the values beyond it
	Above   float64 `yaml:"above,omitempty"`
	Below   float64 `yaml:"below,omitempty"`
	Replace string  `yaml:"replace,omitempty"`
	// noise: standard deviation in the unit of the column, or as a share of the
	// value; additive (default) or multiplicative; whether the noise of a stratum
	// adds up to nothing; the values between which it stays (most 0: no bound)
	SD      float64 `yaml:"sd,omitempty"`
	Kind    string  `yaml:"kind,omitempty"`
	ZeroSum bool    `yaml:"zero_sum,omitempty"`
	Least   float64 `yaml:"least,omitempty"`
	Most    float64 `yaml:"most,omitempty"`
	// pram: diagonal of the first matrix, and the weight of the invariant matrix
	// against staying (default 1)
	Stay  float64 `yaml:"stay,omitempty"`
	Alpha float64 `yaml:"alpha,omitempty"`
	// microaggregate: numbers replaced by means of clusters of at least K
	Columns []string `yaml:"columns,omitempty"`
	// jitter-counts: variance of the noise of a head count and its largest change
	Variance float64 `yaml:"variance,omitempty"`
	Reach    int     `yaml:"reach,omitempty"`
	// round-counts: 3 or 5, at random (default, unbiased) or to the nearest
	Base     int    `yaml:"base,omitempty"`
	Rounding string `yaml:"rounding,omitempty"`
}

// Attack says what intruders work with.
type Attack struct {
	Public Public `yaml:"public"`
	// Targets is the number of workers attacked through their employer.
	Targets int `yaml:"targets"`
}

// Fidelity says what is measured of what the scramble keeps.
type Fidelity struct {
	Models   string    `yaml:"models,omitempty"`   // default: all built-in ones
	Analysis *Analysis `yaml:"analysis,omitempty"` // the researchers' own program
}

// Analysis is the researchers' own program, run on the unscrambled fragment and
// on the release.
type Analysis struct {
	// Command is the program and its arguments: "{data}" becomes a folder of CSV
	// files in the layout of phase two, "{out}" the file to which it writes the
	// columns term, estimate and std.error.
	Command []string `yaml:"command"`
	Minutes float64  `yaml:"minutes,omitempty"` // it may run on each; 10 where left out
}

// Public describes the public file where the data bring no annual accounts: it
// is derived from the original.
type Public struct {
	Columns []string `yaml:"columns"` // head_count, fte, wage_bill, level, age, group, event_year, sector, region, size
	Noise   float64  `yaml:"noise"`   // standard deviation of log errors on counts and amounts
}
