package attack

// Membership returns for every employer of the selection the probability that
// it is in the fragment, as the intruder sees it: the posterior of the serial
// that most looks like it, under one-to-one links. employers is their number.
// Those who are in nobody's list of candidates get 0.
func (f *Fingerprints) Membership(employers int) []float64 {
	out := make([]float64, employers)
	for k, posterior := range f.posteriors() {
		for j, p := range posterior {
			e := f.Units[k].Candidates[j].Employer
			out[e] = max(out[e], p)
		}
	}
	return out
}
