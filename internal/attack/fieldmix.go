package attack

import (
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// fieldMix says which fields of education the staff of a sector has, as a
// labour force survey tells. An intruder who has the sector of every employer
// from the public register compares it with the fields of a serial even where no
// sector is released.
type fieldMix struct {
	sector []string // by employer code, "" unknown
	fields *frame.Dict
	share  map[string][]float64 // by sector; "" is everybody
	order  []string             // sectors in order
	// weight tempers the likelihood of a head: the staff of one employer are
	// alike, and stay from year to year.
	weight float64
}

func fieldsOf(d *linked.Data) *fieldMix {
	field, ok := d.Jobs.Lookup(linked.Field)
	sector := firmLabels(d, linked.Sector)
	if !ok || !field.Coded() || sector == nil {
		return nil
	}
	k := field.Dict.Len()
	m := &fieldMix{sector: sector, fields: field.Dict, share: map[string][]float64{"": make([]float64, k)}}
	employer, years := d.Jobs.Col(linked.Employer).I, float64(max(1, len(d.Years())))
	mean := make(map[int32][]float64) // heads by field in a mean year, of a sample of employers
	step := int32(max(1, d.Employers()/2000))
	for i, f := range field.I {
		if f < 0 {
			continue
		}
		e := employer[i]
		s := m.share[sector[e]]
		if s == nil {
			s = make([]float64, k)
			m.share[sector[e]] = s
		}
		s[f]++
		if sector[e] != "" {
			m.share[""][f]++
		}
		if e%step == 0 {
			if mean[e] == nil {
				mean[e] = make([]float64, k)
			}
			mean[e][f] += 1 / years
		}
	}
	all := m.share[""]
	normalise(all, nil)
	for _, label := range distinctLabels(sector) {
		if label != "" && m.share[label] != nil {
			normalise(m.share[label], all)
			m.order = append(m.order, label)
		}
	}
	m.weight = m.calibrate(mean, int32(d.Employers()), step)
	return m
}

// normalise makes shares of counts; those of a sector are shrunk to all by ten
// heads.
func normalise(v, all []float64) {
	total := 0.0
	for f := range v {
		if all != nil {
			v[f] += 10 * all[f]
		} else {
			v[f] += 0.5
		}
		total += v[f]
	}
	for f := range v {
		v[f] /= total
	}
}

func distinctLabels(labels []string) []string {
	d := frame.Strings("", labels).Dict
	out := make([]string, d.Len())
	for i := range out {
		out[i] = d.Label(int32(i))
	}
	return out
}

// calibrate takes the weight under which the fields of employers predict their
// sector best.
func (m *fieldMix) calibrate(mean map[int32][]float64, employers, step int32) float64 {
	best, weight := math.Inf(-1), 0.0
	prior := map[string]float64{}
	for e := int32(0); e < employers; e += step {
		prior[m.sector[e]]++
	}
	ll := make([]float64, len(m.order))
	for _, w := range []float64{0, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5} {
		score := 0.0
		for e := int32(0); e < employers; e += step {
			if mean[e] == nil || m.sector[e] == "" {
				continue
			}
			top, own := math.Inf(-1), 0.0
			for s, label := range m.order {
				ll[s] = math.Log(prior[label]+0.5) + w*m.log(mean[e], label, 1)
				top = max(top, ll[s])
				if label == m.sector[e] {
					own = ll[s]
				}
			}
			sum := 0.0
			for _, v := range ll {
				sum += math.Exp(v - top)
			}
			score += own - top - math.Log(sum)
		}
		if score > best {
			best, weight = score, w
		}
	}
	return weight
}

// log is the log likelihood of heads by field in a sector against everybody,
// when a share kept of the staff has its own field.
func (m *fieldMix) log(heads []float64, sector string, kept float64) float64 {
	own, all, ll := m.share[sector], m.share[""], 0.0
	if own == nil || sector == "" {
		return 0
	}
	total := 0.0
	for f, n := range heads {
		if n > 0 {
			ll += n * math.Log(kept*own[f]/all[f]+1-kept)
			total += n
		}
	}
	return ll / (1 + alike*max(0, total-1))
}

// alike is how much the fields of two people of one employer have in common
// beyond their sector: a thousand of them tell as much as fifty.
const alike = 0.02
