package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scramblelab/internal/metric"
)

func render(t interface{ Fatal(...any) }, r *metric.Report) string {
	var b bytes.Buffer
	if err := HTML(&b, r, Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tags walks a page and returns its elements, or why it is not well formed.
// Void elements of HTML need no end, all others must nest.
func tags(page string) ([]xml.StartElement, error) {
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	var out []xml.StartElement
	var open []string
	for {
		tok, err := d.RawToken() // does not mend the nesting
		if errors.Is(err, io.EOF) {
			if len(open) > 0 {
				return nil, fmt.Errorf("never closed: %v", open)
			}
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch e := tok.(type) {
		case xml.StartElement:
			out = append(out, e.Copy())
			if e.Name.Local != "meta" && e.Name.Local != "br" {
				open = append(open, e.Name.Local)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				return nil, fmt.Errorf("</%s> closes %v", e.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// sound checks what must hold of every page: well formed, self-contained, no
// script, every coordinate of a chart a number inside its drawing.
func sound(page string) error {
	elements, err := tags(page)
	if err != nil {
		return err
	}
	ids, data := map[string]bool{}, 0
	for _, e := range elements {
		switch name := e.Name.Local; name {
		case "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "h3", "div", "strong", "b", "em", "span", "ul", "ol", "li", "nav", "a", "dl", "dt", "dd",
			"section", "header", "footer", "caption", "h4", "rect", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "code", "pre", "figure", "figcaption", "svg", "g", "line", "circle", "text", "br", "script":
		default:
			return fmt.Errorf("element <%s> is not one of the page's", name)
		}
		for _, a := range e.Attr {
			switch a.Name.Local {
			case "src", "srcset", "action", "onclick", "onload", "onerror", "xlink:href":
				return fmt.Errorf("<%s %s> reaches out of the page", e.Name.Local, a.Name.Local)
			case "href":
				if !strings.HasPrefix(a.Value, "#") {
					return fmt.Errorf("link to %q", a.Value)
				}
			case "id":
				if ids[a.Value] {
					return fmt.Errorf("id %q stands twice", a.Value)
				}
				ids[a.Value] = true
			case "type":
				if e.Name.Local == "script" && a.Value != "application/json" {
					return fmt.Errorf("a script of type %q", a.Value)
				}
				data++
			case "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "height":
				x, err := strconv.ParseFloat(strings.TrimSuffix(a.Value, "%"), 64)
				if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || x < 0 || strings.HasSuffix(a.Value, "%") && x > 100 {
					return fmt.Errorf("<%s %s=%q> lies outside the chart", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
	style := page[strings.Index(page, "<style>"):strings.Index(page, "</style>")]
	for _, s := range []string{"http:", "https:", "@import", "url("} {
		if strings.Contains(style, s) {
			return fmt.Errorf("the style holds %q", s)
		}
	}
	if n := strings.Count(page, "<script"); n != 2 || data != 1 || strings.Count(page, "<script>"+script+"</script>") != 1 {
		return fmt.Errorf("%d script elements, want the data and our own script", n)
	}
	return nil
}

// embedded reads back the report that the page carries for programs.
func embedded(page string) (*metric.Report, error) {
	_, rest, _ := strings.Cut(page, `<script type="application/json" id="report" data-find="Show only rows with">`)
	data, _, ok := strings.Cut(rest, "</script>")
	if !ok {
		return nil, fmt.Errorf("no data in the page")
	}
	return metric.Decode([]byte(data))
}

func TestSoundFindsFaults(t *testing.T) {
	good := render(t, madeUp())
	for _, c := range []struct{ old, new, why string }{
		{"</main>", "<img src=x></main>", "an element from outside"},
		{"</main>", "<script>1</script></main>", "a script"},
		{`href="#what"`, `href="https://example.org"`, "a link to the network"},
		{"</figure>", "", "wrong nesting"},
		{"</style>", "@import 'x';</style>", "a style from outside"},
		{`cx="`, `cx="NaN`, "a coordinate that is no number"},
		{`id="risk"`, `id="use"`, "an id that stands twice"},
	} {
		if sound(strings.Replace(good, c.old, c.new, 1)) == nil {
			t.Errorf("the checker does not see %s", c.why)
		}
	}
}

func TestPageShowsEverything(t *testing.T) {
	r := madeUp()
	page := render(t, r)
	if err := sound(page); err != nil {
		t.Fatal(err)
	}
	visible, _, _ := strings.Cut(strings.ReplaceAll(page, "\u00a0%", " %"), "<script type")
	want := []string{"pseudonymised", "CONFIDENTIAL", "The release fails 2 of 4 gates", "Content-Security-Policy", "zebras", r.Warnings[0], "donors: population"}
	for _, m := range r.Metrics {
		want = append(want, "<code>"+m.Name+"</code>", m.Method)
		for _, b := range m.By {
			want = append(want, English.groupWord(b.Group))
		}
	}
	for _, g := range r.Gates {
		want = append(want, g.Why, g.Remedy)
	}
	for _, f := range r.Facts {
		want = append(want, f.Title, f.Sentence)
	}
	for _, tb := range r.Tables {
		want = append(want, tb.Title, tb.Note, tb.Rows[0][0])
	}
	for _, s := range want {
		if !strings.Contains(visible, strings.ReplaceAll(s, "+", "&#43;")) {
			t.Errorf("the page does not show %q", s)
		}
	}
	if n := strings.Count(page, `<svg class="chart"`); n < 5 {
		t.Errorf("%d charts, want at least 5", n)
	}
	if regexp.MustCompile(`(?i)anonymous|anonymis|anonymiz`).MatchString(page) {
		t.Error("the page calls something anonymous")
	}
	if regexp.MustCompile(`(?i)https?:`).MatchString(page) {
		t.Error("the page names a network address")
	}
	if team, outsider := strings.Index(page, "Chain of the team"), strings.Index(page, "Chain of the outsider"); team > outsider {
		t.Error("the chain of the strongest intruder does not come first")
	}
	back, err := embedded(page)
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	if err := errors.Join(r.Encode(&a), back.Encode(&b)); err != nil || a.String() != b.String() {
		t.Errorf("the page carries other data than the report: %v", err)
	}
	if again := render(t, madeUp()); again != page {
		t.Error("the same report gave other bytes")
	}
}

// Labels come from the files of a user: they may hold anything.
func TestPageEscapes(t *testing.T) {
	for _, evil := range []string{
		`<script>alert(1)</script>`, `</script><img src=x onerror=alert(1)>`, `<!--<script>`, `"><svg onload=alert(1)>`, `]]>`, "\u2028", `{{.Plan}}`, "`${1}`", "</style><b>",
	} {
		r := madeUp()
		r.Plan, r.Tool, r.PlanDigest, r.N[evil] = evil, evil, evil, 3
		r.Warnings = append(r.Warnings, evil)
		r.Metrics[0].By[0].Group = evil
		r.Metrics[0].Method, r.Metrics[0].Knowledge, r.Metrics[0].Unit = evil, evil, evil
		r.Metrics[9].Reason = evil
		r.Gates[0].Why, r.Gates[0].Remedy, r.Gates[0].Group, r.Gates[2].Metric, r.Gates[0].At = evil, evil, evil, evil, evil
		r.Tables[0] = metric.Table{Name: evil, Title: evil, Note: evil, Columns: []string{evil}, Rows: [][]string{{evil}}}
		r.Facts[0] = metric.Fact{ID: evil, Title: evil, Sentence: evil}
		page := render(t, r)
		if err := sound(page); err != nil {
			t.Errorf("%q: %v", evil, err)
		}
		back, err := embedded(page)
		if err != nil {
			t.Errorf("%q: %v", evil, err)
		} else if back.Plan != evil {
			t.Errorf("plan came back as %q, want %q", back.Plan, evil)
		}
	}
}

// anyReport draws reports with missing, zero, huge and negative numbers.
func anyReport(t *rapid.T) *metric.Report {
	value := rapid.OneOf(
		rapid.SampledFrom([]float64{0, 1, -1, .5, .09, 1e-320, -1e-9, 1e-4, 99.999, 1e18, math.MaxFloat64, -math.MaxFloat64}),
		rapid.Float64Range(-2, 2), rapid.Float64().Filter(func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }))
	number := func(label string) metric.Number { return metric.Number(value.Draw(t, label)) }
	row := func(group string) metric.Row {
		if rapid.IntRange(0, 4).Draw(t, "missing") == 0 {
			return metric.Missing(group, rapid.SampledFrom([]string{"none", "a very long reason that nobody thought would ever fit on the screen of a telephone"}).Draw(t, "reason"))
		}
		r := metric.Row{Group: group, Value: number("value"), Level: .95, N: rapid.Int64Range(0, 1<<50).Draw(t, "n"), M: rapid.Int64Range(0, 1<<50).Draw(t, "m"), Baseline: metric.None}
		r.Low, r.High = min(r.Value, number("low")), max(r.Value, number("high"))
		if rapid.Bool().Draw(t, "baseline?") {
			r.Baseline = number("baseline")
		}
		return r
	}
	r := &metric.Report{Version: 1, Tool: "t", N: map[string]int64{"records": rapid.Int64Range(0, 9).Draw(t, "records"), "selection": rapid.Int64Range(0, 9).Draw(t, "selection")}}
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"attack.employer.assignment.outsider.top1", "attack.employer.nearest.cv-3.top1", "attack.worker.chain.outsider.wage-class",
		"attack.worker.cell-known-employer.outsider.wage-class", "attack.x", "attack.a.b.c.d", "fidelity.cells.share-exact", "fidelity.did.overlap",
		"fidelity.wages.level-field-error", "fidelity.fragment.level-field-error", "fidelity.new", "swap.step-1.touched", "swap.step-2.changed-level", "other.thing",
	}), 0, 8, rapid.ID).Draw(t, "names")
	groups := []string{"size 1-4", "size 1000+", "noise=2", "knowledge=none", "years=1", "years=2", "years=30", "years=x", "outcome wage", "one-person-cell", "else"}
	for _, name := range names {
		m := metric.Metric{Name: name, Row: row(""), Better: rapid.SampledFrom([]metric.Direction{metric.Lower, metric.Higher, metric.Neither}).Draw(t, "better"),
			Unit: rapid.SampledFrom([]string{"share", "", "euro"}).Draw(t, "unit")}
		for _, g := range rapid.SliceOfNDistinct(rapid.SampledFrom(groups), 0, 6, rapid.ID).Draw(t, "groups") {
			m.By = append(m.By, row(g))
		}
		r.Metrics = append(r.Metrics, m)
		if rapid.Bool().Draw(t, "gate?") {
			r.Gates = append(r.Gates, metric.Gate{Metric: name, Bound: rapid.SampledFrom([]string{"max", "min"}).Draw(t, "bound"), At: "upper", Limit: number("limit"), Got: m.High, Margin: metric.None,
				Verdict: rapid.SampledFrom([]string{metric.Pass, metric.Fail, metric.Skip}).Draw(t, "verdict"), Remedy: "change it"})
		}
	}
	return r
}

func TestAnyReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyReport(t)
		if err := r.Validate(); err != nil {
			t.Fatalf("the generator is wrong: %v", err)
		}
		page := render(t, r)
		if err := sound(page); err != nil {
			t.Fatal(err)
		}
		if again := render(t, r); again != page {
			t.Fatal("the same report gave other bytes")
		}
		var b bytes.Buffer
		Summary(&b, r, "out")
		if n := strings.Count(b.String(), "\n"); n > 36 {
			t.Fatalf("the summary has %d lines:\n%s", n, &b)
		}
		Gates(&b, r.Gates)
		Numbers(&b, r)
		if strings.Contains(b.String(), "NaN") {
			t.Fatalf("NaN on the terminal:\n%s", &b)
		}
	})
}

func FuzzHTML(f *testing.F) {
	var b bytes.Buffer
	if err := madeUp().Encode(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":1,"metrics":[{"name":"attack.a.b.c.top1","value":0,"low":0,"high":0,"better":"lower","by":[{"group":"years=1","value":1e308,"low":-1e308,"high":1e308}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := metric.Decode(b)
		if err != nil {
			return
		}
		page := render(t, r)
		if !json.Valid(b) || xmlCannot(page) {
			return
		}
		if err := sound(page); err != nil {
			t.Fatalf("%v\n%s", err, page)
		}
	})
}

// xmlCannot reports letters that HTML carries and the checker of [tags] does
// not read.
func xmlCannot(page string) bool {
	for _, r := range page {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xFFFD || r == 0xFFFE || r == 0xFFFF {
			return true
		}
	}
	return false
}
