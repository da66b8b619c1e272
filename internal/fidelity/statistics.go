package fidelity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"scramblelab/internal/estimate"
	"scramblelab/internal/metric"
)

// StatisticsVersion is the version of the layout of a file of statistics.
const StatisticsVersion = 1

// Origin is what statistics were computed from, and by what: all must be the same
// for them to be used again.
type Origin struct {
	Tool string `json:"tool"`        // program and version
	Arch string `json:"arch"`        // processor architecture, on which last digits depend
	Plan string `json:"plan_digest"` // of the plan
	Data string `json:"data_digest"` // of the original
}

// Statistics are what was computed on the whole selection: coefficients, sums,
// and counts of tables of one to three columns, by what they were computed with.
// They hold no records, but cells of few people, and so are as confidential as
// the original. They are safe for concurrent use.
type Statistics struct {
	Origin
	mu     sync.Mutex
	values map[string]json.RawMessage
}

// NewStatistics holds none yet.
func NewStatistics(from Origin) *Statistics {
	return &Statistics{Origin: from, values: map[string]json.RawMessage{}}
}

// Len is the number of statistics held.
func (s *Statistics) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.values)
}

type statisticsFile struct {
	Version int    `json:"version"`
	Note    string `json:"note"`
	Origin
	Statistics map[string]json.RawMessage `json:"statistics"`
	Checksum   string                     `json:"sha256"` // of the file with this one empty
}

const statisticsNote = "aggregates of confidential data, small cells among them: never let this file leave the building"

func (f statisticsFile) encode() ([]byte, error) {
	b, err := json.Marshal(f)
	return append(b, '\n'), err
}

// Encode writes the statistics with a checksum.
func (s *Statistics) Encode(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := statisticsFile{Version: StatisticsVersion, Note: statisticsNote, Origin: s.Origin, Statistics: s.values}
	b, err := f.encode()
	if err != nil {
		return fmt.Errorf("fidelity: statistics: %w", err)
	}
	sum := sha256.Sum256(b)
	f.Checksum = hex.EncodeToString(sum[:])
	if b, err = f.encode(); err != nil {
		return fmt.Errorf("fidelity: statistics: %w", err)
	}
	_, err = w.Write(b)
	return err
}

// ReadStatistics reads what [Statistics.Encode] wrote of the same plan and data,
// and refuses everything else.
func ReadStatistics(r io.Reader, from Origin) (*Statistics, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	const again = "measure once more with --save-statistics"
	var f statisticsFile
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("not a file of statistics, or damaged (%w): %s", err, again)
	}
	if f.Version != StatisticsVersion {
		return nil, fmt.Errorf("statistics of version %d, want %d: %s", f.Version, StatisticsVersion, again)
	}
	sum := f.Checksum
	f.Checksum = ""
	plain, err := f.encode()
	if err != nil {
		return nil, fmt.Errorf("damaged (%w): %s", err, again)
	}
	if is := sha256.Sum256(plain); hex.EncodeToString(is[:]) != sum {
		return nil, errors.New("the checksum is wrong: the file was changed or cut off; " + again)
	}
	for _, x := range []struct{ what, is, want string }{
		{"plan", f.Plan, from.Plan}, {"original", f.Data, from.Data}, {"program", f.Tool, from.Tool}, {"processor", f.Arch, from.Arch},
	} {
		if x.is != x.want {
			return nil, fmt.Errorf("statistics of another %s (%.24s, here it is %.24s): %s", x.what, x.is, x.want, again)
		}
	}
	if f.Statistics == nil {
		f.Statistics = map[string]json.RawMessage{}
	}
	return &Statistics{Origin: f.Origin, values: f.Statistics}, nil
}

// recall returns what was computed before under a name and with the same settings
// (bands, groups of long columns, reference level), or computes and keeps it.
// Numbers come back with every bit. A nil store computes.
func recall[T any](s *Statistics, name string, settings any, compute func() (T, error)) (T, error) {
	if s == nil {
		return compute()
	}
	b, err := json.Marshal(settings)
	if err != nil {
		var none T
		return none, err
	}
	sum := sha256.Sum256(b)
	key := name + " " + hex.EncodeToString(sum[:8])
	s.mu.Lock()
	kept, ok := s.values[key]
	s.mu.Unlock()
	if ok {
		var v T
		if err := json.Unmarshal(kept, &v); err != nil {
			return v, fmt.Errorf("statistics: %s is not what it should be: %w", name, err)
		}
		return v, nil
	}
	v, err := compute()
	if err != nil {
		return v, err
	}
	if b, err = json.Marshal(v); err != nil {
		return v, err
	}
	s.mu.Lock()
	s.values[key] = b
	s.mu.Unlock()
	return v, nil
}

// keptNumbers are numbers of which some may be missing.
type keptNumbers []metric.Number

func keep(x []float64) keptNumbers {
	out := make(keptNumbers, len(x))
	for i, v := range x {
		out[i] = metric.Number(v)
	}
	return out
}

func (k keptNumbers) floats() []float64 {
	if k == nil {
		return nil
	}
	out := make([]float64, len(k))
	for i, v := range k {
		out[i] = float64(v)
	}
	return out
}

// keptCoefficient is a coefficient as it is saved.
type keptCoefficient struct {
	Name    string      `json:"name"`
	Numbers keptNumbers `json:"numbers"` // estimate, standard error, t, p, bounds
	Dropped bool        `json:"dropped,omitempty"`
	Reason  string      `json:"reason,omitempty"`
}

func keepCoefficients(all []estimate.Coefficient) []keptCoefficient {
	out := make([]keptCoefficient, len(all))
	for i, c := range all {
		out[i] = keptCoefficient{c.Name, keep([]float64{c.Estimate, c.StdErr, c.T, c.P, c.Low, c.High}), c.Dropped, c.Reason}
	}
	return out
}

func coefficientsOf(all []keptCoefficient) ([]estimate.Coefficient, error) {
	out := make([]estimate.Coefficient, len(all))
	for i, k := range all {
		x := k.Numbers.floats()
		if len(x) != 6 {
			return nil, fmt.Errorf("statistics: %s has %d numbers, want 6", k.Name, len(x))
		}
		out[i] = estimate.Coefficient{Name: k.Name, Estimate: x[0], StdErr: x[1], T: x[2], P: x[3], Low: x[4], High: x[5], Dropped: k.Dropped, Reason: k.Reason}
	}
	return out, nil
}

// recallCoefficients is [recall] for coefficients and a number of clusters.
func recallCoefficients(s *Statistics, name string, settings any, compute func() ([]estimate.Coefficient, int, error)) ([]estimate.Coefficient, int, error) {
	if s == nil {
		return compute()
	}
	type kept struct {
		Coefficients []keptCoefficient `json:"coefficients"`
		Clusters     int               `json:"clusters"`
	}
	k, err := recall(s, name, settings, func() (kept, error) {
		c, n, err := compute()
		return kept{keepCoefficients(c), n}, err
	})
	if err != nil {
		return nil, 0, err
	}
	c, err := coefficientsOf(k.Coefficients)
	return c, k.Clusters, err
}

// sparse is a table of counts, most of which are 0.
type sparse struct {
	Cells  int         `json:"cells"`
	At     []int       `json:"at"`
	Counts keptNumbers `json:"counts"`
}

// recallTable is [recall] for a table.
func recallTable(s *Statistics, name string, settings any, compute func() []float64) ([]float64, error) {
	if s == nil {
		return compute(), nil
	}
	k, err := recall(s, name, settings, func() (sparse, error) {
		all := compute()
		out := sparse{Cells: len(all), At: []int{}, Counts: keptNumbers{}}
		for i, x := range all {
			if x != 0 {
				out.At, out.Counts = append(out.At, i), append(out.Counts, metric.Number(x))
			}
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	if len(k.At) != len(k.Counts) || k.Cells < 0 || k.Cells > mostCells || slices.ContainsFunc(k.At, func(i int) bool { return i < 0 || i >= k.Cells }) {
		return nil, fmt.Errorf("statistics: %s is no table", name)
	}
	out := make([]float64, k.Cells)
	for j, i := range k.At {
		out[i] = float64(k.Counts[j])
	}
	return out, nil
}

// settings say what an axis is.
func (a *axis) settings() any {
	return struct {
		Labels  []string
		Missing int32
		Group   []int32
	}{a.labels, a.missing, a.group}
}
