package report

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	svg "scramblelab/internal/chart"
	"scramblelab/internal/metric"
)

// everyPage is every kind of page: what a run writes for each audience and in
// each language, what a search writes, and a report with nothing in it.
func everyPage(t *testing.T) map[string]string {
	out := map[string]string{}
	for _, l := range langs {
		for _, a := range audiences {
			out[string(l)+" "+string(a)] = pageFor(t, measuredAs(), Options{Lang: l, Audience: a})
		}
	}
	out["a search"] = pageFor(t, searched(), Options{})
	out["nothing"] = pageFor(t, &metric.Report{Version: 1}, Options{})
	return out
}

// searched is a report of a search.
func searched() *metric.Report {
	row := func(plan string, risk, loss float64, standing string) []string {
		return []string{plan, "4", fmt.Sprint(risk), "attack.employer.assignment.outsider.top1", fmt.Sprint(loss), "0.1", "0.3", "1.2", standing, "scramble.steps[0].rate = 0.2"}
	}
	return &metric.Report{
		Version: 1, Tool: "scramblelab devel", Simulation: true, N: map[string]int64{"plans": 4, "measurements": 11}, Warnings: []string{"Plan 2 is recommended."},
		Metrics: []metric.Metric{{Name: "tune.map.hypervolume", Better: metric.Higher, Unit: "share", Method: "Area.", Row: metric.Exact(0.41, 4)}},
		Tables: []metric.Table{
			{Name: MapTable, Title: "The map", Columns: MapColumns, Rows: [][]string{row("0", .8, .1, "front"), row("1", .7, .5, ""), row("2", .08, .3, "front, recommended, knee"), row("3", 0.02, 0.6, "front, over a limit")}},
			{Name: FreshTable, Title: "Measured again", Columns: MapColumns, Rows: [][]string{row("2", .085, .31, "recommended")}},
		},
	}
}

// TestAccessible checks what can be seen in the text of a page: landmarks, the
// order of headings, names of tables and charts, heads of columns, links that
// arrive (WCAG 2.2: 1.1.1, 1.3.1, 2.4.1, 2.4.2, 2.4.6, 3.1.1).
func TestAccessible(t *testing.T) {
	for name, page := range everyPage(t) {
		elements, err := tags(page)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n, ids, links, level := map[string]int{}, map[string]bool{}, []string{}, 0
		captions, tables := 0, 0
		for _, e := range elements {
			at := map[string]string{}
			for _, a := range e.Attr {
				at[a.Name.Local] = a.Value
			}
			ids[at["id"]] = true
			n[e.Name.Local]++
			switch e.Name.Local {
			case "html":
				if at["lang"] == "" {
					t.Errorf("%s: no language", name)
				}
			case "h1", "h2", "h3", "h4":
				l := int(e.Name.Local[1] - '0')
				if l > level+1 {
					t.Errorf("%s: a heading of level %d follows one of level %d", name, l, level)
				}
				level = l
			case "table":
				tables++
			case "caption":
				captions++
			case "th":
				if at["scope"] != "col" && at["scope"] != "row" {
					t.Errorf("%s: the head of a column or row does not say of which", name)
				}
			case "svg":
				if at["aria-hidden"] != "true" && (at["role"] != "img" || len(at["aria-label"]) < 20) {
					t.Errorf("%s: a chart says nothing to a screen reader: %v", name, e.Attr)
				}
			case "a":
				links = append(links, strings.TrimPrefix(at["href"], "#"))
			case "section":
				links = append(links, at["aria-labelledby"])
			case "nav":
				if at["aria-label"] == "" {
					t.Errorf("%s: the list of sections has no name", name)
				}
			}
		}
		for tag, want := range map[string]int{"h1": 1, "main": 1, "nav": 1, "header": 1, "footer": 1, "title": n["title"]} {
			if n[tag] != want {
				t.Errorf("%s: %d of <%s>, want %d", name, n[tag], tag, want)
			}
		}
		if captions != tables {
			t.Errorf("%s: %d captions for %d tables", name, captions, tables)
		}
		for _, l := range links {
			if l == "" || !ids[l] {
				t.Errorf("%s: nothing is called %q", name, l)
			}
		}
		if !strings.Contains(page, `<a class="skip`) {
			t.Errorf("%s: the keyboard must walk through the sections to reach the report", name)
		}
	}
}

func luminance(hex string) float64 {
	if len(hex) == 4 {
		hex = "#" + strings.Repeat(hex[1:2], 2) + strings.Repeat(hex[2:3], 2) + strings.Repeat(hex[3:4], 2)
	}
	v, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		return math.NaN()
	}
	part := func(shift uint) float64 {
		c := float64(v>>shift&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast computes the contrast of the colours of the page, in light, dark
// and on paper (WCAG 2.2: 1.4.3 text 4.5, 1.4.11 marks 3).
func TestContrast(t *testing.T) {
	if c := contrast("#000", "#fff"); math.Abs(c-21) > 1e-9 {
		t.Fatalf("black on white is %v, want 21", c)
	}
	schemes := map[string]map[string]string{}
	for _, sheet := range []string{svg.Style, svg.PlotStyle} {
		for _, c := range []struct{ scheme, begin string }{{"light", `^:root \{`}, {"dark", `prefers-color-scheme: dark\) \{ :root \{`}, {"paper", `@media print \{\s*:root \{`}} {
			m := regexp.MustCompile(`(?m)` + c.begin + `([^}]*)\}`).FindStringSubmatch(sheet)
			if m == nil {
				t.Fatalf("no colours for %s", c.scheme)
			}
			if schemes[c.scheme] == nil {
				schemes[c.scheme] = map[string]string{}
			}
			for _, v := range regexp.MustCompile(`--([a-z0-9]+):(#[0-9a-f]+)`).FindAllStringSubmatch(m[1], -1) {
				schemes[c.scheme][v[1]] = v[2]
			}
		}
	}
	for scheme, is := range schemes {
		for _, p := range []struct {
			front, back string
			least       float64
		}{
			{"ink", "paper", 4.5}, {"ink", "wash", 4.5}, {"ink", "badwash", 4.5}, {"ink", "goodwash", 4.5}, {"ink", "skipwash", 4.5},
			{"soft", "paper", 4.5}, {"soft", "wash", 4.5}, {"soft", "badwash", 4.5}, {"soft", "goodwash", 4.5}, {"soft", "skipwash", 4.5},
			{"bad", "paper", 4.5}, {"bad", "badwash", 4.5}, {"good", "badwash", 4.5}, {"skip", "badwash", 4.5}, {"good", "paper", 4.5}, {"good", "goodwash", 4.5},
			{"skip", "paper", 4.5}, {"skip", "skipwash", 4.5}, {"skip", "goodwash", 4.5}, {"good", "skipwash", 4.5},
			{"dot", "paper", 4.5}, {"c1", "paper", 3}, {"c2", "paper", 3}, {"c3", "paper", 3}, {"c4", "paper", 3}, {"c5", "paper", 3},
		} {
			if c := contrast(is[p.front], is[p.back]); !(c >= p.least) {
				t.Errorf("%s: %s on %s has contrast %.2f, want %v", scheme, p.front, p.back, c, p.least)
			}
		}
	}
}

// measuredContrast finds texts whose contrast, as the browser has painted them,
// is under 4.5, or 3 where they are large.
const measuredContrast = `(() => {
  const lum = c => { const f = c.map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const rgb = s => { const m = s.match(/[\d.]+/g).map(Number); return { c: m.slice(0, 3), a: m.length > 3 ? m[3] : 1 }; };
  const back = e => { for (; e; e = e.parentElement) { const b = rgb(getComputedStyle(e).backgroundColor); if (b.a > 0.99) return b.c; } return [255, 255, 255]; };
  const bad = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || e.closest("script,style") || !e.checkVisibility()) continue;
    const s = getComputedStyle(e), front = rgb(e.closest("svg") ? s.fill : s.color);
    const a = lum(front.c), b = lum(back(e)), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const px = parseFloat(s.fontSize), large = px >= 24 || px >= 18.66 && Number(s.fontWeight) >= 700;
    seen++;
    if (ratio < (large ? 3 : 4.5)) bad.push(n.data.trim().slice(0, 40) + " " + ratio.toFixed(2));
  }
  return { seen, bad: bad.slice(0, 10) };
})()`

// TestInBrowser opens the pages in headless Chromium, at the width of a desk and
// of a telephone, in light and in dark: nothing on the console, nothing wider
// than the window, contrast as painted, and a picture with something in it.
func TestInBrowser(t *testing.T) {
	b := newBrowser(t)
	for _, c := range []struct {
		name, page, scheme string
		width              int
	}{
		{"desk", pageFor(t, measuredAs(), Options{}), "light", 1200},
		{"dark", pageFor(t, measuredAs(), Options{Lang: Dutch}), "dark", 1200},
		{"phone", pageFor(t, measuredAs(), Options{Lang: French}), "light", 390},
		{"phone, dark", pageFor(t, measuredAs(), Options{Lang: Dutch, Audience: Recipient}), "dark", 390},
		{"a search", pageFor(t, searched(), Options{}), "light", 390},
	} {
		b.open(c.page, c.width, 1400, c.scheme)
		if len(b.console) > 0 {
			t.Fatalf("%s: the console says %v", c.name, b.console)
		}
		var wide struct{ Page, Window int }
		b.eval(`({Page: document.documentElement.scrollWidth, Window: innerWidth})`, &wide)
		if wide.Page > wide.Window {
			t.Errorf("%s: the page is %d pixels wide in a window of %d", c.name, wide.Page, wide.Window)
		}
		b.eval(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil)
		var painted struct {
			Seen int
			Bad  []string
		}
		b.eval(measuredContrast, &painted)
		if painted.Seen < 50 || len(painted.Bad) > 0 {
			t.Errorf("%s: of %d texts these are hard to read: %q", c.name, painted.Seen, painted.Bad)
		}
		picture, err := png.Decode(bytes.NewReader(b.shot(0, c.width, 1400)))
		if err != nil {
			t.Fatal(err)
		}
		colours := map[color.Color]bool{}
		for y := 0; y < picture.Bounds().Dy(); y += 3 {
			for x := 0; x < picture.Bounds().Dx(); x += 3 {
				colours[picture.At(x, y)] = true
			}
		}
		if len(colours) < 20 {
			t.Errorf("%s: the picture has %d colours: an empty page", c.name, len(colours))
		}
	}
}

// TestAccessibleInBrowser reads the tree that a screen reader gets, and uses the
// page by keyboard alone.
func TestAccessibleInBrowser(t *testing.T) {
	b := newBrowser(t)
	b.open(pageFor(t, measuredAs(), Options{}), 1200, 900, "light")
	var tree struct {
		Nodes []struct {
			Ignored    bool
			Role, Name struct{ Value any }
		}
	}
	b.call("Accessibility.getFullAXTree", nil, &tree)
	roles := map[string]int{}
	for _, n := range tree.Nodes {
		if n.Ignored {
			continue
		}
		role, name := fmt.Sprint(n.Role.Value), fmt.Sprint(n.Name.Value)
		roles[role]++
		switch role {
		case "image", "table", "button", "link", "heading", "region", "navigation", "searchbox", "columnheader":
			if n.Name.Value == nil || strings.TrimSpace(name) == "" {
				t.Errorf("a %s without a name", role)
			}
		}
	}
	for role, least := range map[string]int{"main": 1, "banner": 1, "navigation": 1, "contentinfo": 1, "region": 8, "table": 6, "image": 5, "button": 10, "columnheader": 10, "searchbox": 1} {
		if roles[role] < least {
			t.Errorf("%d of role %s, want at least %d; roles are %v", roles[role], role, least, roles)
		}
	}
	// The first Tab offers to skip, and shows where it is.
	b.press("Tab", 9)
	var focus string
	b.eval(`document.activeElement.className + " " + getComputedStyle(document.activeElement).outlineStyle`, &focus)
	if !strings.HasPrefix(focus, "skip") || !strings.HasSuffix(focus, "solid") {
		t.Errorf("the first Tab reaches %q, want the way past the sections, with a line round it", focus)
	}
	// Every stop of the keyboard is seen.
	var hidden []string
	b.eval(`[...document.querySelectorAll("a,button,summary,input,svg[tabindex],pre[tabindex]")].filter(e => e.checkVisibility()).filter(e => { e.focus({focusVisible: true}); const s = getComputedStyle(e); return s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2; }).map(e => e.outerHTML.slice(0, 80))`, &hidden)
	if len(hidden) > 0 {
		t.Errorf("no line shows the focus of %q", hidden)
	}
	// Arrow keys read a chart.
	var said string
	b.eval(`document.querySelector("svg.chart").focus()`, nil)
	b.press("ArrowRight", 39)
	b.eval(`document.getElementById("tip").textContent`, &said)
	if !strings.Contains(said, "%") {
		t.Errorf("the first mark of a chart says %q", said)
	}
	b.press("ArrowRight", 39)
	var next string
	b.eval(`document.getElementById("tip").textContent`, &next)
	if next == "" || next == said {
		t.Errorf("the second mark says %q as the first", next)
	}
	b.press("Escape", 27)
	b.eval(`document.getElementById("tip").textContent`, &said)
	if said != "" {
		t.Errorf("Escape leaves %q", said)
	}
	// A head sorts by its column, missing numbers last, and says so.
	const values = `[...document.querySelector("#numbers ~ .scroll table.sort").tBodies[0].rows].map(r => r.cells[1].dataset.v || "")`
	for _, want := range []string{"ascending", "descending"} {
		b.eval(`document.querySelectorAll("#numbers ~ .scroll table.sort th button")[1].focus()`, nil)
		b.press("Enter", 13)
		var got struct {
			Sort string
			V    []string
		}
		b.eval(`({Sort: document.querySelectorAll("#numbers ~ .scroll table.sort th")[1].getAttribute("aria-sort"), V: `+values+`})`, &got)
		if got.Sort != want {
			t.Errorf("the column is sorted %q, want %q", got.Sort, want)
		}
		last, ended := math.Inf(-1), false
		for _, s := range got.V {
			x, err := strconv.ParseFloat(s, 64)
			if want == "descending" {
				x = -x
			}
			if s == "" {
				ended = true
				continue
			}
			if err != nil || x < last || ended {
				t.Errorf("%s: the values are %v", want, got.V)
				break
			}
			last = x
		}
	}
	// The field above a table keeps rows.
	var rows struct{ Before, After int }
	b.eval(`(() => { const table = document.querySelector("table.find"), seen = () => [...table.tBodies[0].rows].filter(r => !r.hidden).length;
		const before = seen(), field = document.querySelector(".finder input"); field.value = "outsider top1"; field.dispatchEvent(new Event("input")); return {Before: before, After: seen()}; })()`, &rows)
	if rows.After == 0 || rows.After >= rows.Before {
		t.Errorf("the filter keeps %d of %d rows", rows.After, rows.Before)
	}
	if len(b.console) > 0 {
		t.Errorf("the console says %v", b.console)
	}
}

func TestOnPaper(t *testing.T) {
	b := newBrowser(t)
	b.open(pageFor(t, measuredAs(), Options{}), 800, 1000, "dark")
	b.media("print", "dark")
	var at struct {
		Background, Ink string
		Hidden          bool
	}
	b.eval(`({Background: getComputedStyle(document.body).backgroundColor, Ink: getComputedStyle(document.body).color, Hidden: [...document.querySelectorAll(".no-print,.finder")].every(e => !e.checkVisibility())})`, &at)
	if at.Background != "rgb(255, 255, 255)" || at.Ink != "rgb(0, 0, 0)" {
		t.Errorf("paper is %s with letters of %s, want black on white whatever the screen", at.Background, at.Ink)
	}
	if !at.Hidden {
		t.Error("what only a screen can use is printed")
	}
	if pdf := b.paper(); !bytes.HasPrefix(pdf, []byte("%PDF")) || len(pdf) < 20000 {
		t.Errorf("a PDF of %d bytes", len(pdf))
	}
}
