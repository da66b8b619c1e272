package fidelity

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/sharedtest"
)

func TestInfoLossCase(t *testing.T) {
	var c struct {
		Input struct {
			Original, Swapped [][]string
		}
		Expected struct {
			Overview []struct {
				Noise int
				Cnt   int
			}
			Measures []struct {
				What                    string
				AbsD, AbssqrtD, RelabsD float64
			}
			FalseZero    int `json:"false_zero"`
			FalseNonzero int `json:"false_nonzero"`
		}
	}
	sharedtest.Case(t, "utility_infoloss_small", &c)
	var labels [2][]string
	for _, file := range [][][]string{c.Input.Original, c.Input.Swapped} {
		for _, row := range file {
			for k, l := range row {
				if !slices.Contains(labels[k], l) {
					labels[k] = append(labels[k], l)
				}
			}
		}
	}
	counted := func(rows [][]string) []float64 {
		out := make([]float64, len(labels[0])*len(labels[1]))
		for _, r := range rows {
			out[slices.Index(labels[0], r[0])*len(labels[1])+slices.Index(labels[1], r[1])]++
		}
		return out
	}
	l, err := NewInfoLoss([]int{len(labels[0]), len(labels[1])}, counted(c.Input.Original), counted(c.Input.Swapped))
	if err != nil {
		t.Fatal(err)
	}
	cells, same := 0, 0
	for _, o := range c.Expected.Overview {
		cells += o.Cnt
		if o.Noise == 0 {
			same = o.Cnt
		}
	}
	if got, want := [4]int{l.Cells, l.Same, l.FalseZeros, l.FalseCounts}, [4]int{cells, same, c.Expected.FalseZero, c.Expected.FalseNonzero}; got != want {
		t.Errorf("cells, same, false zeros and non-zeros are %v, want %v", got, want)
	}
	near := cmpopts.EquateApprox(0, 1e-9)
	for _, m := range c.Expected.Measures {
		var of func(x []float64) float64
		switch m.What {
		case "Mean":
			of = func(x []float64) float64 { return sum(x) / float64(len(x)) }
		case "Median":
			of = func(x []float64) float64 { s := slices.Sorted(slices.Values(x)); return s[len(s)/2] }
		case "Max":
			of = slices.Max[[]float64]
		default:
			continue
		}
		if diff := cmp.Diff([]float64{m.AbsD, m.AbssqrtD, m.RelabsD}, []float64{of(l.Absolute), of(l.Root), of(l.Relative)}, near); diff != "" {
			t.Errorf("%s of absolute, root and relative distance (-want +got):\n%s", m.What, diff)
		}
	}
}

func TestInfoLossRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, why string
		radices   []int
		a, b      []float64
		want      string
	}{
		{"no columns", "nothing to compare", nil, nil, nil, "cells"},
		{"other sizes", "not the same table", []int{2}, []float64{1, 2}, []float64{1}, "cells"},
		{"negative", "no count", []int{1}, []float64{-1}, []float64{1}, "from 0 on"},
		{"too large", "", []int{1 << 20}, nil, nil, "categories"},
	} {
		if _, err := NewInfoLoss(tt.radices, tt.a, tt.b); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q: %s", tt.name, err, tt.want, tt.why)
		}
	}
}
