package fidelity

import (
	"context"
	"fmt"
	"testing"

	"scramblelab/internal/linked"
)

// BenchmarkMeasure measures a fragment of a selection of 20,000 employers over
// ten years.
func BenchmarkMeasure(b *testing.B) {
	w := newWorld(b, 20000, 1)
	all := w.employers
	for _, units := range []int{300, 1000, 3000} {
		w.employers = nil
		for k := range units {
			w.employers = append(w.employers, all[k*len(all)/units])
		}
		w.fragment = w.publish(b, w.data, w.employers)
		in := w.input(w.swapped(b, 0.2, 1))
		in.Swap = &SwapLaw{Rate: 0.2, Strata: []string{linked.Year}}
		b.Run(fmt.Sprintf("units=%d", units), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Measure(context.Background(), in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(in.Fragment.Cells.Rows()), "cells")
			b.ReportMetric(float64(in.Population.Cells.Rows()), "population-cells")
		})
	}
}
