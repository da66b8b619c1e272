package calibration

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/strictyaml"
)

// Most codes of a kind: cells and markets are numbered with two bytes.
const maxCodes = 200

// Most years of a window: openings are numbered within it by five bits.
const maxYears = 30

// Validate names everything that a population could not be generated from.
func (f *Figures) Validate() error {
	c := &checker{f: f}
	c.all()
	if len(c.bad) == 0 {
		return nil
	}
	return &strictyaml.Error{Name: "calibration", Problems: c.bad}
}

// checker collects problems by path.
type checker struct {
	f   *Figures
	bad []strictyaml.Problem
}

func (c *checker) fail(path, format string, args ...any) {
	c.bad = append(c.bad, strictyaml.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// all checks first each figure by itself, then codes; relations are looked at
// only between figures that are possible.
func (c *checker) all() {
	c.ranges("", reflect.ValueOf(c.f).Elem(), "")
	if len(c.bad) > 0 {
		return
	}
	c.window()
	c.codes()
	if len(c.bad) > 0 {
		return
	}
	c.education()
	c.employers()
	c.workers()
	c.worlds()
	c.labels()
}

// sums wants numbers to sum to about total.
func (c *checker) sums(path string, total, tolerance float64, numbers ...float64) {
	sum := 0.0
	for _, x := range numbers {
		sum += x
	}
	if math.Abs(sum-total) > tolerance {
		c.fail(path, "%s sums to %.4g, want %v: change one of its %d figures by %.4g", strictyaml.LastKey(path), sum, total, len(numbers), total-sum)
	}
}

// window checks years, and that what is given by year covers them.
func (c *checker) window() {
	w := c.f.Window
	if w.Last < w.First {
		c.fail("window.last", "years %d to %d are reversed: exchange first and last", w.First, w.Last)
	}
	if w.Last-w.First >= maxYears {
		c.fail("window.last", "the window has %d years, want at most %d", w.Last-w.First+1, maxYears)
	}
	if s := c.f.Register.Survey; s < w.First-maxYears {
		c.fail("register.survey", "survey is %d, want at least %d: before that it is as if it always was", s, w.First-maxYears)
	}
	if a := w.Anchors; !(a[0] < a[1] && a[1] < a[2]) {
		c.fail("window.anchors", "anchors are %d, want three years that ascend", a)
	}
	for _, s := range []struct {
		path string
		m    map[int]float64
	}{{"wages.index", c.f.Wage.Index}, {"cycle", c.f.Cycle}} {
		var lacks []string
		for y := w.First; y <= w.Last; y++ {
			if _, ok := s.m[y]; !ok {
				lacks = append(lacks, strconv.Itoa(y))
			}
		}
		if len(lacks) > 0 {
			c.fail(s.path, "%s lacks %s: it must have every year from %d to %d", strictyaml.LastKey(s.path), strings.Join(lacks, ", "), w.First, w.Last)
		}
	}
	if !slices.ContainsFunc(years(c.f.Accounts.Contribution), func(y int) bool { return y <= w.First }) {
		c.fail("accounts.employer_cost", "employer_cost begins after %d: it must say what holds from %d on", w.First, w.First)
	}
	if a := c.f.Adopt; a.Last < a.First {
		c.fail("automation.last", "years %d to %d are reversed: exchange first and last", a.First, a.Last)
	}
	rules := c.f.Accounts.Schema
	if len(rules) == 0 {
		c.fail("accounts.schema", "schema is empty: add the size rules that hold from %d on", w.First)
		return
	}
	if rules[0].From > w.First {
		c.fail("accounts.schema[0].from", "the first size rules hold from %d: they must hold from %d on", rules[0].From, w.First)
	}
	for i := 1; i < len(rules); i++ {
		if rules[i].From <= rules[i-1].From {
			c.fail(fmt.Sprintf("accounts.schema[%d].from", i), "from is %d after %d: put the rules in the order of their years", rules[i].From, rules[i-1].From)
		}
	}
}

func years(m map[int]float64) []int {
	var out []int
	for y := range m {
		out = append(out, y)
	}
	slices.Sort(out)
	return out
}

// list checks the codes of a list: there, few, distinct, and fit for a table.
func (c *checker) list(path string, codes []string) {
	switch {
	case len(codes) == 0:
		c.fail(path, "%s is empty: list at least one", strictyaml.LastKey(path))
	case len(codes) > maxCodes:
		c.fail(path, "%s has %d entries, want at most %d", strictyaml.LastKey(path), len(codes), maxCodes)
	}
	for i, code := range codes {
		at := fmt.Sprintf("%s[%d].code", path, i)
		if c.code(at, code) && slices.Index(codes, code) < i {
			c.fail(at, "code %q stands twice: remove one", code)
		}
	}
}

// code checks that a code fits a table.
func (c *checker) code(path, code string) bool {
	ok := code != "" && code == strings.TrimSpace(code) && len(code) <= 64 && !strings.ContainsFunc(code, func(r rune) bool { return r < ' ' })
	if !ok {
		c.fail(path, "code is %q, want a short text without blanks around it", code)
	}
	return ok
}

func (c *checker) known(path, what, code string, codes []string) bool {
	if slices.Contains(codes, code) {
		return true
	}
	hint := strictyaml.Suggest(code, codes)
	if len(code) < 2 { // any other letter would be near
		hint = fmt.Sprintf(" (known: %s)", strings.Join(codes, ", "))
	}
	c.fail(path, "unknown %s %q%s", what, code, hint)
	return false
}

// codes checks the code lists and what refers to them.
func (c *checker) codes() {
	f := c.f
	c.list("sectors", f.SectorCodes())
	c.list("regions", f.RegionCodes())
	c.list("levels", f.LevelCodes())
	c.list("fields", f.FieldCodes())
	if len(c.bad) > 0 {
		return
	}
	for _, sector := range sortedKeys(f.Tilts) {
		c.known("field_tilts", "sector", sector, f.SectorCodes())
		for _, field := range sortedKeys(f.Tilts[sector]) {
			c.known(strictyaml.Element("field_tilts", sector), "field", field, f.FieldCodes())
		}
	}
	for i, l := range f.Levels {
		at := fmt.Sprintf("levels[%d].rise_to", i)
		if l.RiseTo != "" && c.known(at, "level", l.RiseTo, f.LevelCodes()) && l.RiseTo == l.Code {
			c.fail(at, "level %s rises to itself: name another, or leave rise_to out", l.Code)
		}
	}
	for _, group := range sortedKeys(f.Register.Missing) {
		c.known("register.missing", "group", group, groupNames[:])
	}
	for _, region := range sortedKeys(f.Register.CrossBorder) {
		c.known("register.cross_border", "region", region, f.RegionCodes())
	}
	for _, sector := range sortedKeys(f.Register.BySector) {
		c.known("register.cross_border_sector", "sector", sector, f.SectorCodes())
	}
	for _, sector := range sortedKeys(f.Classes) {
		at := strictyaml.Element("nace_classes", sector)
		c.known("nace_classes", "sector", sector, f.SectorCodes())
		if len(f.Classes[sector]) == 0 {
			c.fail(at, "nace_classes of %s is empty: list at least one, or leave the sector out", sector)
		}
		for i, code := range f.Classes[sector] {
			c.code(fmt.Sprintf("%s[%d]", at, i), code)
		}
	}
	if late := f.Register.Late; late[1] < late[0] {
		c.fail("register.late", "late is %d, want at least and at most: exchange them", late)
	}
	if len(f.FieldOf) != len(f.Levels) {
		c.fail("fields_of_levels", "fields_of_levels has %d rows for %d levels: write one per level, in their order", len(f.FieldOf), len(f.Levels))
		return
	}
	for i, row := range f.FieldOf {
		at := fmt.Sprintf("fields_of_levels[%d]", i)
		if want := f.Levels[i].Code; row.Level != want {
			c.fail(at+".level", "level is %q, want %q: the rows are in the order of levels", row.Level, want)
		}
		var shares []float64
		for _, s := range row.Fields {
			c.known(strictyaml.Element(at+".fields", s.Code), "field", s.Code, f.FieldCodes())
			shares = append(shares, s.P)
		}
		c.sums(at+".fields", 1, .005, shares...)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// education checks the shares of levels and that every sector finds staff.
func (c *checker) education() {
	f := c.f
	var share [3][]float64
	var group [Groups]float64
	for i, l := range f.Levels {
		at := fmt.Sprintf("levels[%d]", i)
		share[0], share[1], share[2] = append(share[0], l.Y03), append(share[1], l.Y12), append(share[2], l.Y21)
		group[l.Group] += min(l.Y03, l.Y21)
		c.sums(at+".reported", 1, .001, l.Reported[:]...)
		if l.Manager+l.Clerk > 1 {
			c.fail(at+".clerk", "managers and clerks of level %s are %v of its staff, want at most 1", l.Code, l.Manager+l.Clerk)
		}
	}
	for k, name := range []string{"share_start", "share_mid", "share_end"} {
		sum := 0.0
		for _, x := range share[k] {
			sum += x
		}
		if math.Abs(sum-100) > .5 {
			c.fail("levels", "%s of all levels sums to %.4g, want 100", name, sum)
		}
	}
	unknown, known := false, 0.0
	for _, l := range f.Levels {
		if l.Group == GroupUnknown {
			unknown = true
		} else {
			known += min(l.Y03, l.Y12, l.Y21)
		}
	}
	if known == 0 {
		c.fail("levels", "no level with a known group has a share at start, mid and end: give one")
	}
	if x := f.Register; !unknown && (x.Gone > 0 || len(x.Missing) > 0 || len(x.CrossBorder) > 0) {
		c.fail("register", "the register misses workers, but no level is of the group unknown: add one, or write missing: {}, gone: 0 and cross_border: {}")
	}
	for i, s := range f.Sectors {
		at := fmt.Sprintf("sectors[%d]", i)
		if sum := s.Low + s.Mid + s.High; math.Abs(sum-100) > .5 {
			c.fail(at+".low", "low, mid and high of sector %s sum to %.4g, want 100", s.Code, sum)
		}
		for _, g := range []struct {
			key     string
			percent float64
			has     float64
		}{{"low", s.Low, group[GroupLow]}, {"mid", s.Mid, group[GroupMid]}, {"high", s.High, group[GroupBachelor] + group[GroupMaster]}} {
			if g.percent > 0 && g.has == 0 {
				c.fail(at+"."+g.key, "%s of sector %s is %v %%, but no level of that group has staff at the start and the end: set it to 0, or give a level a share", g.key, s.Code, g.percent)
			}
		}
	}
}

// employers checks the distributions of employers.
func (c *checker) employers() {
	f := c.f
	c.sums("size.shares", 1, .001, f.Size.Shares[:]...)
	for i, at := range f.Size.Classes {
		switch {
		case i == 0 && at != 1:
			c.fail("size.classes[0]", "the smallest size class begins at %d, want 1", at)
		case i > 0 && at <= f.Size.Classes[i-1]:
			c.fail(fmt.Sprintf("size.classes[%d]", i), "classes has %d after %d, want lower bounds that ascend", at, f.Size.Classes[i-1])
		}
	}
	if next := f.Size.Classes[1]; f.Size.Mean1 > float64(next)-.6 {
		c.fail("size.mean_smallest", "mean_smallest is %v, want at most %v: the next class begins at %d", f.Size.Mean1, float64(next)-.6, next)
	}
	if f.Size.CapFloor > f.Size.Cap {
		c.fail("size.cap_floor", "cap_floor is %v, want at most cap, %v", f.Size.CapFloor, f.Size.Cap)
	}
	c.firms()
	var start, end, employers, regions float64
	for _, s := range f.Sectors {
		start, end, employers = start+s.Staff03, end+s.Staff21, employers+s.Employers
	}
	for _, r := range f.Regions {
		regions += r.Share
	}
	for _, s := range []struct {
		name string
		sum  float64
	}{{"staff_start", start}, {"staff_end", end}, {"employers", employers}} {
		if math.Abs(s.sum-100) > 10 {
			c.fail("sectors", "%s of all sectors sums to %.4g, want about 100 (90 to 110; it is rescaled)", s.name, s.sum)
		}
	}
	if math.Abs(regions-1) > .005 {
		c.fail("regions", "share of all regions sums to %.4g, want 1", regions)
	}
}

// firms checks how employers enter, end and differ.
func (c *checker) firms() {
	f := c.f
	c.sums("entrants.shares", 1, .005, f.Entrants.Shares[:]...)
	if f.Entrants.Shares[0] == 0 {
		c.fail("entrants.shares[0]", "no entrant is in the smallest size class, want some: in small populations there is no other")
	}
	for i := range f.Exits.Renamed {
		if sum := f.Exits.Renamed[i] + f.Exits.Absorbed[i]; sum > 1 {
			c.fail(fmt.Sprintf("exits.absorbed[%d]", i), "renamed and absorbed sum to %.4g, want at most 1: the other exits are closures", sum)
		}
	}
	if p := f.Takeovers.Part; p[0] > p[1] {
		c.fail("takeovers.part", "part is from %v to %v, exchange them", p[0], p[1])
	}
	for i, r := range f.Regions {
		var shares []float64
		for _, p := range r.Provinces {
			shares = append(shares, p.P)
		}
		if len(shares) > 0 {
			c.sums(fmt.Sprintf("regions[%d].provinces", i), 1, .005, shares...)
		}
	}
	var mix []float64
	for _, s := range f.Sectors {
		mix = append(mix, f.Network.Mix[s.Code])
	}
	for _, sector := range sortedKeys(f.Network.Mix) {
		c.known("network.supplier_mix", "sector", sector, f.SectorCodes())
	}
	for _, sector := range sortedKeys(f.Network.Own) {
		c.known("network.own_sector", "sector", sector, f.SectorCodes())
	}
	c.sums("network.supplier_mix", 1, .005, mix...)
}

// workers checks ages, hours and wages.
func (c *checker) workers() {
	a, h, w := c.f.Age, c.f.Hours, c.f.Wage
	for i := 1; i < len(a.Bands); i++ {
		if a.Bands[i] <= a.Bands[i-1] {
			c.fail(fmt.Sprintf("age.bands[%d]", i), "bands has %d after %d, want bounds that ascend", a.Bands[i], a.Bands[i-1])
		}
	}
	c.sums("age.share_start", 1, .005, a.Y03[:]...)
	c.sums("age.share_mid", 1, .005, a.Y12[:]...)
	c.sums("age.share_end", 1, .005, a.Y21[:]...)
	if a.Limits[1] <= a.Limits[0] {
		c.fail("age.limits", "limits are %d, want the youngest and the oldest age", a.Limits)
	}
	if a.Reenter[1] < a.Reenter[0] {
		c.fail("age.reenter", "ages %v to %v are reversed: exchange them", a.Reenter[0], a.Reenter[1])
	}
	if w.RiseAge[1] <= w.RiseAge[0] {
		c.fail("wages.rise_age", "ages are %d, want a first and a later last one", w.RiseAge)
	}
	if c.f.Cluster.Large < c.f.Cluster.Small {
		c.fail("clustering.large", "large is %v, want at least small, %v", c.f.Cluster.Large, c.f.Cluster.Small)
	}
	var shares []float64
	for _, x := range h.Fractions {
		shares = append(shares, x.Share)
	}
	if len(shares) == 0 {
		c.fail("hours.fractions", "fractions is empty: list the working times of part-timers")
	} else {
		c.sums("hours.fractions", 1, .005, shares...)
	}
}

// worlds checks that every cell is in a class and every class known.
func (c *checker) worlds() {
	w := c.f.Worlds
	var names []string
	whole := [Groups]bool{}
	for i, class := range w.Classes {
		at := fmt.Sprintf("worlds.classes[%d]", i)
		if class.Name == "" || slices.Contains(names, class.Name) {
			c.fail(at+".name", "class %q has no name, or stands twice: give it one of its own", class.Name)
		}
		names = append(names, class.Name)
		for k, field := range class.Fields {
			c.known(fmt.Sprintf("%s.fields[%d]", at, k), "field", field, c.f.FieldCodes())
		}
		for _, g := range class.Groups {
			whole[g] = whole[g] || len(class.Fields) == 0
		}
	}
	for i, l := range c.f.Levels {
		if !whole[l.Group] {
			c.fail("worlds.classes", "no class holds level %s in every field: add one with groups: [%s] and no fields", c.f.Levels[i].Code, l.Group)
			break
		}
	}
	if len(w.Planted) == 0 {
		c.fail("worlds.planted", "planted is empty: add a world, of zeros if nothing is to be planted")
	}
	var worlds []string
	for i, x := range w.Planted {
		at := fmt.Sprintf("worlds.planted[%d]", i)
		if x.Name == "" || slices.Contains(worlds, x.Name) {
			c.fail(at+".name", "world %q has no name, or stands twice: give it one of its own", x.Name)
		}
		worlds = append(worlds, x.Name)
		for _, class := range sortedKeys(x.Composition) {
			c.known(at+".composition", "class", class, names)
		}
	}
}

// labels wants an English text for every code, and no text for others.
func (c *checker) labels() {
	f := c.f
	for _, list := range []struct {
		path, what string
		codes      []string
		labels     map[string]Label
	}{{"labels.levels", "level", f.LevelCodes(), f.Labels.Levels}, {"labels.fields", "field", f.FieldCodes(), f.Labels.Fields},
		{"labels.sectors", "sector", f.SectorCodes(), f.Labels.Sectors}, {"labels.regions", "region", f.RegionCodes(), f.Labels.Regions}} {
		for _, code := range list.codes {
			if list.labels[code]["en"] == "" {
				c.fail(list.path, "%s lacks %s %q: add %q: {en: …}", strictyaml.LastKey(list.path), list.what, code, code)
			}
		}
		for _, code := range sortedKeys(list.labels) {
			c.known(strictyaml.Element(list.path, code), list.what, code, list.codes)
		}
	}
}
