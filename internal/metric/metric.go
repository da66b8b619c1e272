// Package metric is the shape of a measured number: never bare, always with an
// interval or the reason why there is none, the count it rests on, the baseline
// it must be read against and the direction that is good. It is also the shape
// of report.json, version 1, whose names and meanings never change.
package metric

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
)

// Direction says which values are good.
type Direction string

// The directions; [Lower] means that lower is better.
const (
	Lower   Direction = "lower"
	Higher  Direction = "higher"
	Neither Direction = "none" // a description, such as a rate that was asked for
)

// Number is a value that may be absent: NaN is written as null.
type Number float64

// None is the absent number.
var None = Number(math.NaN())

// Valid reports whether the number is there.
func (n Number) Valid() bool { return !math.IsNaN(float64(n)) }

// Equal reports whether two numbers are the same or both absent.
func (n Number) Equal(m Number) bool { return n == m || !n.Valid() && !m.Valid() }

// MarshalJSON writes null for an absent number; infinities are refused.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Valid() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as an absent number.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = None
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// Knowledge says how much of the method an intruder knows (Kerckhoffs: only
// the key is secret).
const (
	KnowsNothing    = "none"
	KnowsMethod     = "method"
	KnowsParameters = "method+parameters"
)

// Row is one number with what it takes to read it. In a Metric's By list it
// describes a subgroup, another state of knowledge or another noise level.
type Row struct {
	Group    string `json:"group,omitempty"` // "size 1-4", "knowledge=none", "noise=2"; empty at the top
	Value    Number `json:"value"`
	Low      Number `json:"low"`
	High     Number `json:"high"`
	Level    Number `json:"level"`    // coverage of [Low, High], such as 0.95
	N        int64  `json:"n"`        // what the value rests on: attempts, cells, employers
	M        int64  `json:"m"`        // size of the population or of the public file, 0 if not defined
	Baseline Number `json:"baseline"` // the same without the release, or the noise floor
	Reason   string `json:"reason,omitempty"`
}

// Metric is a named number of a report.
type Metric struct {
	Name string `json:"name"` // attack.<target>.<method>.<adversary>.<measure>, fidelity.<family>.<measure>, swap.<measure>
	Row
	Better    Direction `json:"better"`
	Unit      string    `json:"unit,omitempty"` // "share", "euro", "log points", "employers"
	Method    string    `json:"method"`         // one sentence: what was done, with its source
	Knowledge string    `json:"knowledge,omitempty"`
	By        []Row     `json:"by,omitempty"`
}

var namePattern = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// Validate checks the contract of a metric: a well-formed name, a reason where
// a number is missing, an interval that holds its value, no infinities.
func (m Metric) Validate() error {
	if !namePattern.MatchString(m.Name) {
		return fmt.Errorf("metric: name %q: want dotted parts of [a-z0-9-]", m.Name)
	}
	if m.Better != Lower && m.Better != Higher && m.Better != Neither {
		return fmt.Errorf("metric: %s: direction is %q, want lower, higher or none", m.Name, m.Better)
	}
	if m.Group != "" {
		return fmt.Errorf("metric: %s: the top row carries no group", m.Name)
	}
	seen := map[string]bool{}
	for i, r := range append([]Row{m.Row}, m.By...) {
		if err := r.validate(); err != nil {
			return fmt.Errorf("metric: %s: row %q: %w", m.Name, r.Group, err)
		}
		if i > 0 && (r.Group == "" || seen[r.Group]) {
			return fmt.Errorf("metric: %s: group %q is empty or stands twice", m.Name, r.Group)
		}
		seen[r.Group] = true
	}
	return nil
}

func (r Row) validate() error {
	for _, n := range []Number{r.Value, r.Low, r.High, r.Baseline, r.Level} {
		if math.IsInf(float64(n), 0) {
			return fmt.Errorf("an infinite number: write null and a reason")
		}
	}
	if (!r.Value.Valid() || !r.Low.Valid() || !r.High.Valid()) && r.Reason == "" {
		return fmt.Errorf("a value or bound is missing without a reason")
	}
	if r.Low.Valid() && r.High.Valid() && r.Low > r.High {
		return fmt.Errorf("interval [%v, %v] is reversed", r.Low, r.High)
	}
	if slack := rounding * max(1, math.Abs(float64(r.Value))); float64(r.Low-r.Value) > slack || float64(r.Value-r.High) > slack {
		return fmt.Errorf("value %v lies outside its interval [%v, %v]", r.Value, r.Low, r.High)
	}
	return nil
}

// rounding is how far, relative to a value, floating point may push a bound
// past it: Wilson's lower bound of no success at all is not always exactly 0.
const rounding = 1e-9

// Missing makes a row that says why there is no number.
func Missing(group, reason string) Row {
	return Row{Group: group, Value: None, Low: None, High: None, Level: None, Baseline: None, Reason: reason}
}

// Exact makes a row whose value is a count or a share of the realised release,
// known without error.
func Exact(value float64, n int64) Row {
	return Row{Value: Number(value), Low: Number(value), High: Number(value), Level: 1, N: n, Baseline: None}
}
