package release

import (
	"encoding/json"
	"fmt"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/tabio"
)

// Codebook is codebook.json: every column of both tables with its labels.
type Codebook struct {
	Version   int      `json:"version"`
	Employers []Column `json:"employers"`
	Cells     []Column `json:"cells"`
}

// Column describes one column. Values are the numbers that labels stand for
// (midpoints of classes), null where a label has none.
type Column struct {
	Name        string     `json:"name"`
	Kind        string     `json:"kind"` // category, ordinal, integer, long, float or date
	Decimals    uint8      `json:"decimals,omitempty"`
	Description string     `json:"description,omitempty"`
	Labels      []string   `json:"labels,omitempty"`
	Values      []*float64 `json:"values,omitempty"`
}

var descriptions = map[string]string{
	publish.Serial:       "meaningless number of the employer; another one in every delivery",
	linked.Year:          "calendar year",
	linked.Present:       "whether the employer has counted staff in the year",
	publish.AgeClass:     "class of the mean age of the staff counted, in years",
	linked.Group:         "intervention (automating or supplying automating firms), control, or both",
	linked.EventYear:     "year of the employer's own automation event; missing if none",
	linked.SupplierShare: "class of the share of sales to automating buyers",
	linked.SizeClass:     "class of the head count published in the year",
	linked.DesignWeight:  "inverse probability of being drawn",
	linked.Level:         "education level",
	linked.Field:         "education field",
	publish.Workers:      "head count of the cell",
	publish.WageClass:    "class of the cell's mean gross taxable yearly wage, in euro",
	publish.FTEClass:     "class of the cell's mean full-time equivalent",
}

func newCodebook(t *publish.Tables) Codebook {
	return Codebook{Version: version, Employers: describe(t.Employers), Cells: describe(t.Cells)}
}

func describe(f *frame.Frame) []Column {
	out := make([]Column, 0, len(f.Columns()))
	for _, c := range f.Columns() {
		col := Column{Name: c.Name, Kind: c.Kind.String(), Decimals: c.Decimals, Description: descriptions[c.Name]}
		if c.Coded() {
			col.Labels = c.Dict.Labels()
			for k := 0; c.Dict.HasValues() && k < c.Dict.Len(); k++ {
				var v *float64
				if x := c.Dict.Value(int32(k)); !math.IsNaN(x) && !math.IsInf(x, 0) {
					v = &x
				}
				col.Values = append(col.Values, v)
			}
		}
		out = append(out, col)
	}
	return out
}

// schema says how a table is read back.
func schema(cols []Column) (tabio.Schema, error) {
	s := tabio.Schema{Strict: true}
	for _, c := range cols {
		spec := tabio.ColumnSpec{Name: c.Name, Decimals: c.Decimals, Missing: []string{}, Required: true}
		for k := frame.Category; k <= frame.Date; k++ {
			if k.String() == c.Kind {
				spec.Kind = k
			}
		}
		if spec.Kind == 0 {
			return s, fmt.Errorf("column %q is of unknown kind %q", c.Name, c.Kind)
		}
		if spec.Kind == frame.Category || spec.Kind == frame.Ordinal {
			var values []float64
			for _, v := range c.Values {
				if v == nil {
					values = append(values, math.NaN())
				} else {
					values = append(values, *v)
				}
			}
			var err error
			if spec.Dict, err = frame.NewDict(c.Labels, values); err != nil {
				return s, err
			}
		}
		s.Columns = append(s.Columns, spec)
	}
	return s, nil
}

// dataPackage is the Frictionless descriptor of both tables.
func dataPackage(t *publish.Tables, format string) ([]byte, error) {
	file := func(name string, f *frame.Frame) tabio.File {
		known := map[string]string{}
		for _, c := range f.Names() {
			if d, ok := descriptions[c]; ok {
				known[c] = d
			}
		}
		return tabio.File{Path: name + "." + format, Frame: f, Description: known}
	}
	return tabio.DataPackage("release", []tabio.File{file("employers", t.Employers), file("cells", t.Cells)})
}

func marshal(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}
