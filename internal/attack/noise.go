package attack

import (
	"math"
	"slices"

	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

// ErrorModel is the log-normal error of a public amount: log(public / true) is
// normal with mean Bias and variance Base² + Root²/head, for small employers
// are hit harder by joiners and leavers. Persistence is the correlation of an
// employer's errors between years: 1 means that more years teach nothing new.
type ErrorModel struct {
	Bias, Base, Root float64
	Persistence      float64
}

// NoiseModel is what the intruder believes of the errors of his file.
type NoiseModel struct {
	HeadEqual   [9]float64 // chance that the head count agrees exactly, by size class (linked.SizeBounds)
	Flow        [9]FlowLaw // the same where entries and exits are known, by size class
	Head        ErrorModel // where it does not
	HeadAverage ErrorModel
	FTE         ErrorModel
	WageBill    ErrorModel // Bias holds the employer's contributions
	FTEPerHead  bool       // FTE is of FTE per average head, which is the more exact
	Age         ErrorModel
	PartTime    ErrorModel // of the share of part-timers, not in logs
	Status      ErrorModel // of shares by status beyond what study levels tell, not in logs
	// EducationFTE is the error of FTE by study level beyond what heads tell,
	// per head of the staff, not in logs.
	EducationFTE ErrorModel
	Misreported  float64 // share of the staff whose public study level is not the registered one
	// EducationPersistence is the Persistence of study levels.
	EducationPersistence float64
	Gap                  float64 // chance that an employer with staff filed no account that year
}

// defaults are what an intruder assumes who can calibrate nothing.
func defaults() NoiseModel {
	m := NoiseModel{
		Head: ErrorModel{Base: 0.08, Root: 0.3}, HeadAverage: ErrorModel{Base: 0.08, Root: 0.3},
		FTE: ErrorModel{Base: 0.08, Root: 0.3}, WageBill: ErrorModel{Bias: math.Log(1.3), Base: 0.1, Root: 0.3},
		Age: ErrorModel{Base: 0.02}, Misreported: 0.1, EducationPersistence: 0.5, Gap: 0.02,
	}
	for i := range m.HeadEqual {
		m.HeadEqual[i] = 0.7
		m.Flow[i] = FlowLaw{0.7, 0.7, 1e-6}
	}
	m.PartTime, m.Status, m.EducationFTE = ErrorModel{Base: 0.05, Root: 0.5}, ErrorModel{Base: 0.05, Root: 0.5}, ErrorModel{Base: 0.02, Root: 0.2}
	return m
}

// calibrate fits the noise model to the differences between the file and the
// exact panel; features without both keep their defaults.
func calibrate(p *Public) NoiseModel {
	m, x := defaults(), p.exact
	if x == nil {
		return m
	}
	var equal, all [9]float64
	unequal := unknown(len(p.Head))
	for i, h := range p.Head {
		if c := linked.SizeCode(int32(min(1e9, orZero(x.head[i])))); c >= 0 && h > 0 {
			all[c]++
			if h == x.head[i] {
				equal[c]++
			} else {
				unequal[i] = h
			}
		}
	}
	for c := range all {
		m.HeadEqual[c] = (equal[c] + 0.7) / (all[c] + 1)
	}
	m.Head = fitError(p, unequal, x.head, m.Head)
	if p.CountOn == "" || p.CountOn == publish.CountYearEnd {
		m.Head.Bias = 0 // the same definition on both sides
	}
	m.HeadAverage = fitError(p, p.HeadAverage, x.head, m.HeadAverage)
	m.Flow = fitFlow(p, m)
	m.FTE = fitError(p, p.FTE, x.fte, m.FTE)
	perHead, exactPerHead := ratios(p.FTE, p.HeadAverage), ratios(x.fte, x.head)
	if e := fitError(p, perHead, exactPerHead, ErrorModel{Base: math.Inf(1)}); e.variance(5) < m.FTE.variance(5) {
		m.FTE, m.FTEPerHead = e, true
	}
	m.PartTime, m.EducationFTE, m.Status = fitShares(p, m)
	m.WageBill = fitError(p, p.WageBill, x.wage, m.WageBill)
	m.Age = fitError(p, p.Age, x.age, m.Age)
	m.Misreported, m.EducationPersistence = fitMisreported(p, m)
	return m
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// Errors below these are rounding, which the classes of a release hide anyway;
// they keep every density bounded.
const (
	leastBase = 0.002
	leastRoot = 0.01
)

// fitError is least squares of squared errors on 1/head after cutting them off
// at fifty robust standard deviations, so that no takeover sets the scale. Errors
// have long tails: cut off earlier, the normal law would make true pairs of an odd
// year impossible.
func fitError(p *Public, public, exact []float64, fallback ErrorModel) ErrorModel {
	errors := unknown(len(public))
	for i, v := range public {
		if v > 0 && exact[i] > 0 {
			errors[i] = math.Log(v / exact[i])
		}
	}
	return fitErrors(p, errors, fallback)
}

// fitErrors is fitError for errors row by row, NaN where there is none.
func fitErrors(p *Public, errors []float64, fallback ErrorModel) ErrorModel {
	var logs, heads []float64
	var who []int32
	for i, v := range errors {
		if !math.IsNaN(v) && p.exact.head[i] > 0 {
			logs = append(logs, v)
			heads = append(heads, p.exact.head[i])
			who = append(who, p.Employer[i])
		}
	}
	if len(logs) < 30 {
		return fallback
	}
	m := ErrorModel{Bias: median(logs)}
	scaled := make([]float64, len(logs))
	for i, l := range logs {
		scaled[i] = math.Abs(l-m.Bias) * math.Sqrt(heads[i])
	}
	cut := 50 * 1.4826 * median(scaled)
	if cut == 0 { // most errors are none: what is left is all there is to see
		cut = math.Inf(1)
	}
	var n, sx, sy, sxx, sxy float64
	for i, l := range logs {
		y := min(math.Abs(l-m.Bias), max(cut/math.Sqrt(heads[i]), 4*leastBase))
		y *= y
		x := 1 / heads[i]
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+float64(x*x), sxy+float64(x*y)
	}
	base, root := sy/n, 0.0
	if det := float64(n*sxx) - float64(sx*sx); det > 1e-12 {
		root = (float64(n*sxy) - float64(sx*sy)) / det
		base = (sy - float64(root*sx)) / n
	}
	if root < 0 {
		root, base = 0, sy/n
	}
	if base < 0 {
		base, root = 0, sy/max(sx, 1e-12)
	}
	m.Base, m.Root = max(math.Sqrt(base), leastBase), max(math.Sqrt(root), leastRoot)
	z := make([]float64, len(logs))
	for i, l := range logs {
		z[i] = max(-4, min(4, (l-m.Bias)/math.Sqrt(m.variance(heads[i]))))
	}
	m.Persistence = persistence(who, z)
	return m
}

func (m ErrorModel) variance(head float64) float64 {
	return float64(m.Base*m.Base) + float64(m.Root*m.Root)/max(1, head)
}

// persistence is the correlation between residuals of one employer, from the
// analysis of variance with clusters of unequal size, in [0, 1].
func persistence(who []int32, z []float64) float64 {
	var pairs, products, n, squares, mean float64
	for _, v := range z {
		mean += v
	}
	mean /= float64(max(1, len(z)))
	for lo := 0; lo < len(z); {
		hi, sum, sq := lo, 0.0, 0.0
		for ; hi < len(z) && who[hi] == who[lo]; hi++ {
			e := z[hi] - mean
			sum += e
			sq += float64(e * e)
		}
		k := float64(hi - lo)
		products += float64(sum*sum) - sq
		pairs += k * (k - 1)
		squares += sq
		n += k
		lo = hi
	}
	if pairs == 0 || squares == 0 {
		return 0
	}
	return max(0, min(1, products/pairs/(squares/n)))
}

// fitMisreported takes the share of misreported study levels that explains the
// mean squared difference between public and registered numbers, and how much
// of it stays from year to year.
func fitMisreported(p *Public, m NoiseModel) (share, stays float64) {
	k := len(p.Education)
	if k == 0 {
		return m.Misreported, m.EducationPersistence
	}
	q := categoryShares(p.Education)
	var rows []int
	for i := range p.Employer {
		if !math.IsNaN(p.Education[0][i]) && p.exact.head[i] > 0 {
			rows = append(rows, i)
		}
	}
	if len(rows) < 30 {
		return m.Misreported, m.EducationPersistence
	}
	rows = rows[:min(len(rows), 20000)] // whole employers, enough for two decimals
	var z []float64
	var who []int32
	best := math.Inf(-1)
	for _, rho := range []float64{0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5} {
		ll := 0.0
		var res []float64
		for _, i := range rows {
			for c := range k {
				got, pub, total := p.exact.education[c][i], p.Education[c][i], sumAt(p.Education, i)
				mean, v := mixed(pub, total, q[c], rho)
				e := got - mean
				ll -= float64(e*e)/(2*v) + math.Log(v)/2
				if c == k-1 {
					res = append(res, max(-4, min(4, e/math.Sqrt(v))))
				}
			}
		}
		if ll > best {
			best, share, z = ll, rho, res
		}
	}
	for _, i := range rows {
		who = append(who, p.Employer[i])
	}
	return share, persistence(who, z)
}

// mixed returns mean and variance of the number of registered staff of one
// study level, when own of total staff have it publicly, and every person is
// redrawn from shares q with the given chance (METHODS 2.5, independent
// touching). The twelfth is the width of a count.
func mixed(own, total, q, redrawn float64) (mean, variance float64) {
	other := max(0, total-own)
	mean = float64((1-redrawn)*own) + float64(redrawn*total*q)
	variance = float64(redrawn*total*q*(1-q)) + float64(redrawn*(1-redrawn))*(float64((1-q)*(1-q)*own)+float64(q*q*other)) + 1.0/12
	return mean, variance
}

func categoryShares(education [][]float64) []float64 {
	q := make([]float64, len(education))
	total := 0.0
	for c := range education {
		for _, v := range education[c] {
			q[c] += orZero(v)
		}
		total += q[c]
	}
	for c := range q {
		if q[c] = (q[c] + 1) / (total + float64(len(q))); total == 0 {
			q[c] = 1 / float64(len(q))
		}
	}
	return q
}

func sumAt(education [][]float64, i int) float64 {
	s := 0.0
	for c := range education {
		s += orZero(education[c][i])
	}
	return s
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Clone(v)
	k := (len(s) - 1) / 2
	settle(s, k)
	if len(s)%2 == 1 {
		return s[k]
	}
	return (s[k] + slices.Min(s[k+1:])) / 2
}

// settle puts the value that would stand at k in order there, no larger one
// before it and no smaller one behind it (Hoare 1961).
func settle(s []float64, k int) {
	for lo, hi := 0, len(s)-1; lo < hi; {
		pivot := max(min(s[lo], s[hi]), min(max(s[lo], s[hi]), s[lo+(hi-lo)/2])) // median of three
		i, j := lo, hi
		for i <= j {
			for s[i] < pivot {
				i++
			}
			for s[j] > pivot {
				j--
			}
			if i <= j {
				s[i], s[j] = s[j], s[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}
