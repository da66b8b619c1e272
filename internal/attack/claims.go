package attack

import (
	"math"
	"slices"
	"sync"

	"scramblelab/internal/assign"
)

// Claim says which employer a serial is.
type Claim struct {
	Serial    int32
	Year      int32   // 0: all years
	Employer  int32   // -1: the intruder abstains
	Posterior float64 // the intruder's own confidence, in [0, 1]
	Method    string  // nearest, assignment or posterior
}

// Methods of making claims.
const (
	Nearest    = "nearest"
	Assignment = "assignment"
	Posterior  = "posterior"
)

// Nearest claims the likeliest employer of every serial by itself; several
// serials may get the same one. Claims stand in the order of Units.
func (f *Fingerprints) Nearest() []Claim {
	out := make([]Claim, len(f.Units))
	for i, u := range f.Units {
		out[i] = Claim{Serial: u.Serial, Year: u.Year, Employer: -1, Method: Nearest}
		if len(u.Candidates) > 0 {
			out[i].Employer, out[i].Posterior = u.Candidates[0].Employer, u.Candidates[0].Posterior
		}
	}
	return out
}

// unmatched is the cost of leaving a serial without an employer, above any that
// the slack lets through.
const unmatched = 60

// Assignment claims the one-to-one assignment of largest total likelihood:
// exact over the candidates that were kept, which are at most MaxCandidates for
// a serial. Posteriors are those of [Fingerprints.Posterior]. Where serials are
// drawn per year, every year is assigned by itself.
//
// It is computed once, as are the posteriors; the caller may change the slice.
// Units must not change after the first call.
func (f *Fingerprints) Assignment() ([]Claim, error) {
	f.known.assign.Do(func() { f.known.assigned, f.known.err = f.assignment() })
	return slices.Clone(f.known.assigned), f.known.err
}

// oneToOne is what is computed at most once about one-to-one links.
type oneToOne struct {
	assign, scale sync.Once
	assigned      []Claim
	err           error
	posterior     [][]float64 // [unit][candidate]
}

func (f *Fingerprints) assignment() ([]Claim, error) {
	out := make([]Claim, len(f.Units))
	posterior := f.posteriors()
	for _, g := range f.groups() {
		edges := make([][]assign.Edge, len(g.units))
		for i, k := range g.units {
			u := f.Units[k]
			for j, c := range u.Candidates {
				edges[i] = append(edges[i], assign.Edge{Col: g.cols[i][j], Cost: u.Candidates[0].LogLikelihood - c.LogLikelihood})
			}
		}
		colOf, _, err := assign.Sparse(len(g.units), len(g.employers), edges, unmatched)
		if err != nil {
			return nil, err
		}
		for i, k := range g.units {
			u := f.Units[k]
			out[k] = Claim{Serial: u.Serial, Year: u.Year, Employer: -1, Method: Assignment}
			if colOf[i] < 0 {
				continue
			}
			out[k].Employer = g.employers[colOf[i]]
			out[k].Posterior = posterior[k][slices.Index(g.cols[i], colOf[i])]
		}
	}
	return out, nil
}

// Posterior claims for every serial the employer with the largest probability
// under one-to-one links: the likelihoods scaled so that every serial is one
// employer and no employer is more than one serial (Sinkhorn 1967). The
// employers that are in the file but not in the fragment take what is left, all
// alike. An intruder who abstains below a threshold uses Claim.Posterior.
func (f *Fingerprints) Posterior() []Claim {
	out := make([]Claim, len(f.Units))
	for k, posterior := range f.posteriors() {
		u := f.Units[k]
		out[k] = Claim{Serial: u.Serial, Year: u.Year, Employer: -1, Method: Posterior}
		for j, p := range posterior {
			if out[k].Employer < 0 || p > out[k].Posterior {
				out[k].Employer, out[k].Posterior = u.Candidates[j].Employer, p
			}
		}
	}
	return out
}

// Posteriors are the probabilities of [Fingerprints.Posterior], along Units and
// their Candidates. The caller must not change them.
func (f *Fingerprints) Posteriors() [][]float64 { return f.posteriors() }

func (f *Fingerprints) posteriors() [][]float64 {
	f.known.scale.Do(func() {
		f.known.posterior = make([][]float64, len(f.Units))
		for _, g := range f.groups() {
			for i, p := range f.scale(g) {
				f.known.posterior[g.units[i]] = p
			}
		}
	})
	return f.known.posterior
}

// group is a set of serials that are different employers.
type group struct {
	units     []int
	employers []int32   // by column
	cols      [][]int32 // [unit][candidate] column
}

func (f *Fingerprints) groups() []group {
	years := []int32{}
	for _, u := range f.Units {
		years = append(years, u.Year)
	}
	slices.Sort(years)
	years = slices.Compact(years)
	out := make([]group, len(years))
	for i, u := range f.Units {
		g, _ := slices.BinarySearch(years, u.Year)
		out[g].units = append(out[g].units, i)
	}
	for g := range out {
		col := map[int32]int32{}
		for _, i := range out[g].units {
			cols := make([]int32, len(f.Units[i].Candidates))
			for j, c := range f.Units[i].Candidates {
				k, ok := col[c.Employer]
				if !ok {
					k = int32(len(out[g].employers))
					col[c.Employer] = k
					out[g].employers = append(out[g].employers, c.Employer)
				}
				cols[j] = k
			}
			out[g].cols = append(out[g].cols, cols)
		}
	}
	return out
}

// scale computes the posterior of [Fingerprints.Posterior] for one group.
func (f *Fingerprints) scale(g group) [][]float64 {
	kernel, elsewhere := make([][]float64, len(g.units)), make([]float64, len(g.units))
	released := 0
	for i, k := range g.units {
		u := f.Units[k]
		elsewhere[i] = u.elsewhere
		if len(u.Candidates) > 0 {
			released++
		}
		for _, c := range u.Candidates {
			kernel[i] = append(kernel[i], math.Exp(c.LogLikelihood-u.Candidates[0].LogLikelihood))
		}
	}
	return sinkhorn(kernel, g.cols, elsewhere, len(g.employers), max(0, f.M-released))
}

// sinkhorn scales sparse likelihoods: rows sum to 1; columns to 1 together with
// spare further rows, alike for all columns. elsewhere is the likelihood of a
// row in columns that are not listed. It stops after 200 rounds: where a few
// rows want the same column, convergence is slow, and 20,000 rounds move the sum
// of the posteriors of 1,000 serials by 0.3 %. Without spare rows and with as many
// columns as rows it is the balanced scaling of package assign.
func sinkhorn(kernel [][]float64, cols [][]int32, elsewhere []float64, columns, spare int) [][]float64 {
	const rounds, tolerance = 200, 1e-7
	// One run of memory for all lists: every round goes through it twice.
	start := make([]int, len(kernel)+1)
	for i := range kernel {
		start[i+1] = start[i] + len(kernel[i])
	}
	edges := make([]edge, 0, start[len(kernel)])
	for i := range kernel {
		for j, k := range kernel[i] {
			edges = append(edges, edge{k, cols[i][j]})
		}
	}
	r, v, sum := make([]float64, len(kernel)), make([]float64, columns), make([]float64, columns)
	for j := range v {
		v[j] = 1
	}
	sigma, other := 0.0, 1.0
	if spare > 0 {
		sigma = 1
	}
	for range rounds {
		change := 0.0
		clear(sum)
		for i := range r {
			row := edges[start[i]:start[i+1]]
			total := elsewhere[i] * other
			for _, e := range row {
				total += float64(e.k * v[e.col])
			}
			next := 0.0
			if total > 0 {
				next = 1 / total
			}
			if r[i] > 0 {
				change = max(change, math.Abs(next/r[i]-1))
			} else if next > 0 {
				change = 1
			}
			r[i] = next
			for _, e := range row {
				sum[e.col] += float64(next * e.k)
			}
		}
		if change < tolerance {
			break
		}
		// Columns outside every list take part in what the spare rows need.
		taken := 0.0
		for j := range v {
			v[j] = 1 / max(sum[j]+sigma, 1e-300)
			taken += v[j]
		}
		if spare > 0 {
			outside := max(0, float64(spare+len(kernel)-columns))
			sigma = float64(spare) / (taken + outside/sigma)
			other = 1 / sigma
		}
	}
	out, flat := make([][]float64, len(kernel)), make([]float64, len(edges))
	for i := range kernel {
		out[i] = flat[start[i]:start[i+1]:start[i+1]]
		for j, e := range edges[start[i]:start[i+1]] {
			out[i][j] = r[i] * e.k * v[e.col]
		}
	}
	return out
}

type edge struct {
	k   float64
	col int32
}
