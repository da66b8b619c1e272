package fidelity

import (
	"fmt"
	"regexp"
	"strings"

	"scramblelab/internal/frame"
)

var bandName = regexp.MustCompile(`^[a-z0-9-]+$`)

func validateBands(bands []Band, levels *frame.Dict) error {
	seen := map[string]bool{}
	for _, b := range bands {
		if !bandName.MatchString(b.Name) || seen[b.Name] {
			return fmt.Errorf("band %q: want a name of [a-z0-9-] that no other band has", b.Name)
		}
		seen[b.Name] = true
		for _, c := range b.Codes {
			if c < 0 || int(c) >= levels.Len() {
				return fmt.Errorf("band %q holds level code %d: want codes from 0 to %d", b.Name, c, levels.Len()-1)
			}
		}
	}
	return nil
}

// thirds groups levels, in codebook order, into three bands of about equal
// staff; a level whose label says that it is unknown joins none.
func thirds(v *view, levels *frame.Dict) []Band {
	staff := make([]float64, levels.Len())
	known := make([]bool, levels.Len())
	for l := range known {
		known[l] = !unknown(levels.Label(int32(l)))
	}
	total := 0.0
	for i, l := range v.cells.level {
		if l >= 0 && known[l] {
			staff[l] += v.cells.workers[i]
			total += v.cells.workers[i]
		}
	}
	bands := []Band{{Name: "low"}, {Name: "mid"}, {Name: "high"}}
	below := 0.0
	for l, n := range staff {
		if n > 0 {
			// A level belongs where its middle worker stands.
			b := min(2, int(3*(below+n/2)/total))
			bands[b].Codes = append(bands[b].Codes, int32(l))
			below += n
		}
	}
	kept := bands[:0]
	for _, b := range bands {
		if len(b.Codes) > 0 {
			kept = append(kept, b)
		}
	}
	return kept
}

func unknown(label string) bool {
	l := strings.ToLower(label)
	return l == "u" || strings.Contains(l, "unknown") || strings.Contains(l, "onbekend") || strings.Contains(l, "inconnu")
}

// bandNote says which levels a band holds.
func (s *setting) bandNote() string {
	if len(s.Bands) == 0 {
		return ""
	}
	var parts []string
	for _, b := range s.Bands {
		const most = 20
		var labels []string
		for i, c := range b.Codes {
			if i == most {
				labels = append(labels, fmt.Sprintf("and %d more", len(b.Codes)-most))
				break
			}
			labels = append(labels, s.levels.Label(c))
		}
		parts = append(parts, b.Name+" = "+strings.Join(labels, ", "))
	}
	return " Levels, in the order of the codebook: " + strings.Join(parts, "; ") + "."
}
