package fidelity

import (
	"math"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/metric"
	"scramblelab/internal/sharedtest"
)

func TestLambdaCase(t *testing.T) {
	type row struct {
		V1, V4 *string
		V2     *float64
	}
	var c struct {
		Input struct {
			X, XM   []row
			Ordered []string `json:"ordered_levels"`
		}
		Expected struct {
			Lambda float64
			Per    map[string]float64 `json:"per_variable"`
		}
	}
	sharedtest.Case(t, "utility_IL_variables", &c)
	ordered := frame.MustDict(c.Input.Ordered...)
	file := func(rows []row) *frame.Frame {
		var v1 []string
		var v2 []float64
		var v4 []int32
		for _, r := range rows {
			text, number, code := "", math.NaN(), frame.NoCode
			if r.V1 != nil {
				text = *r.V1
			}
			if r.V2 != nil {
				number = *r.V2
			}
			if r.V4 != nil {
				code, _ = ordered.Code(*r.V4)
			}
			v1, v2, v4 = append(v1, text), append(v2, number), append(v4, code)
		}
		return frame.Must(frame.Strings("v1", v1), frame.Floats("v2", v2), frame.Ordered("v4", ordered, v4))
	}
	a, b := file(c.Input.X), file(c.Input.XM)
	for name, want := range c.Expected.Per {
		near(t, name, metric.Number(Lambda(a.Col(name), b.Col(name))), want)
	}
	m := compared(t, Files{Original: a, Released: b, Key: 1}).get(t, "fidelity.records.lambda")
	near(t, "λ", m.Value, c.Expected.Lambda)
}
