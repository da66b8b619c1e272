package study

import (
	"fmt"
	"os"
	"runtime"

	"scramblelab/internal/fidelity"
)

// statistics are what was computed on the original before, or a store for what
// will be; nil where nobody wants either.
func (s *scrambled) statistics(o Options) (*fidelity.Statistics, error) {
	if o.Statistics == "" && o.SaveStatistics == "" {
		return nil, nil
	}
	from := fidelity.Origin{Tool: Tool(), Arch: runtime.GOARCH, Plan: s.plan.Digest(), Data: s.dataDigest()}
	if o.Statistics == "" {
		return fidelity.NewStatistics(from), nil
	}
	f, err := os.Open(o.Statistics)
	if err != nil {
		return nil, fmt.Errorf("%w: name the file that --save-statistics wrote", err)
	}
	defer f.Close()
	kept, err := fidelity.ReadStatistics(f, from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Statistics, err)
	}
	return kept, nil
}

// vacantStatistics refuses to write statistics over another file.
func vacantStatistics(o Options) error {
	if o.SaveStatistics == "" || o.Force || o.SaveStatistics == o.Statistics {
		return nil
	}
	if _, err := os.Lstat(o.SaveStatistics); err == nil {
		return fmt.Errorf("%s exists: name another file for the statistics, or add --force", o.SaveStatistics)
	}
	return nil
}
