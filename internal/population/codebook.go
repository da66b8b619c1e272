package population

import (
	"slices"

	"scramblelab/internal/calibration"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// label is a text in three languages; what we are not sure of stays empty.
type label struct {
	EN string `json:"en"`
	NL string `json:"nl,omitempty"`
	FR string `json:"fr,omitempty"`
}

// column documents one column of a table.
type column struct {
	Name        string  `json:"name"`
	Label       label   `json:"label"`
	Type        string  `json:"type"`
	Description string  `json:"description"`
	Unit        string  `json:"unit,omitempty"`
	Rubric      string  `json:"nbb_rubric,omitempty"`
	Published   string  `json:"published_in,omitempty"`
	Codes       []codes `json:"codes,omitempty"`

	kind     frame.Kind
	decimals uint8
	dict     *frame.Dict
}

type codes struct {
	Code  string `json:"code"`
	Label label  `json:"label"`
}

type codebook struct {
	Version int                 `json:"version"`
	Tables  map[string][]column `json:"tables"`
	Classes map[string][]string `json:"classes"`
	Notes   []string            `json:"notes"`
}

func newCodebook(c *calibration.Figures) codebook {
	b := codebook{Version: 1, Tables: map[string][]column{}, Classes: map[string][]string{
		linked.SizeClass: linked.SizeDict.Labels(), linked.SupplierShare: SupplierShareDict.Labels(),
	}, Notes: []string{
		"a generated population: no person and no employer exists",
		"an empty field is missing: not published, or does not apply",
		"rubrics of the National Bank's standard model stand as row and column: 1203 is row 1203 (men with a university degree) in one place and column 3 of row 120 (men, full-time equivalents) in another, so a program that reads accounts must match row and column, never the digits alone",
		"the level of staff in accounts is what the employer reports, that of jobs what the register holds",
		"enterprise numbers start with 9, a range never issued, and have valid check digits",
	}}
	for _, t := range tableNames {
		b.Tables[t] = columnsOf(c, t)
	}
	return b
}

func descriptions(c *calibration.Figures, table string) map[string]string {
	out := map[string]string{}
	for _, x := range columnsOf(c, table) {
		out[x.Name] = x.Description
	}
	return out
}

// columnsOf returns the columns of a table in their order: the contract of the
// population folder.
func columnsOf(c *calibration.Figures, table string) []column {
	cols := bareColumnsOf(c, table)
	for i := range cols {
		cols[i].Label = columnWords[cols[i].Name]
	}
	return cols
}

func bareColumnsOf(c *calibration.Figures, table string) []column {
	var cols []column
	integer := func(name, unit, text string) {
		cols = append(cols, column{Name: name, Type: "integer", Unit: unit, Description: text, kind: frame.Int})
	}
	coded := func(name, text string, d *frame.Dict, labels []codes) {
		cols = append(cols, column{Name: name, Type: "code", Description: text, kind: frame.Category, dict: d, Codes: labels})
	}
	switch table {
	case "employers":
		integer("employer_id", "", "key of the employer, 1 to n")
		coded("enterprise_number", "ten digits with check digits; never in a release", nil, nil)
		coded("registration_number", "nine digits; never in a release", nil, nil)
		coded("nace", "NACE-BEL section of the main activity", sectorDict(c), labelled(sectorDict(c), c.Labels.Sectors))
		coded("region", "region of the registered office", regionDict(c), labelled(regionDict(c), c.Labels.Regions))
		integer("founded", "year", "year of first staff, or of foundation where that lies before the window")
		integer("closed", "year", "year in which the employer closed or changed its number; missing if it did not")
		coded("group", "group that follows from accounts and network", linked.GroupDict, plain(linked.GroupDict))
		coded("role", "why it is in that group: its own detected event, sales to an automating buyer, neither", RoleDict, plain(RoleDict))
		integer("automation_year", "year", "planted year of the automation event (truth; not always detectable); missing if none")
		cols = append(cols, column{Name: "firm_effect", Type: "number", Unit: "log points", Description: "planted wage effect of the employer in its first year (truth)", kind: frame.Float})
		integer("exposed_from", "year", "first year in which the event of a buyer, of a competitor or of the employer that it continues acts on it (truth); missing if none does")
		coded("clean_control", "no event acts on it in any year, its own or another's (truth)", CleanDict, plain(CleanDict))
	case "accounts":
		for _, name := range accountNames {
			cols = append(cols, accountColumn(name))
		}
	case "suppliers":
		integer("supplier_id", "", "employer that sells")
		integer("customer_id", "", "employer that buys; with main links alone one of the five largest buyers, or one that buys at least 5 % of its purchases from the seller")
		integer("year", "year", "year of the sales")
		cols = append(cols, column{Name: "amount", Type: "integer", Unit: "euro", Description: "sales of the year to that buyer", kind: frame.Long})
	case "jobs":
		integer("worker_id", "", "key of the worker, constant over years and employers")
		integer("employer_id", "", "employer")
		integer("year", "year", "calendar year")
		var levels, fields []codes
		for _, l := range c.Levels {
			levels = append(levels, codes{l.Code, textOf(c.Labels.Levels[l.Code])})
		}
		for _, f := range c.Fields {
			fields = append(fields, codes{f.Code, textOf(c.Labels.Fields[f.Code])})
		}
		coded("level", "highest level of education in the register", levelDict(c), levels)
		coded("field", "field of education, narrow fields of ISCED-F 2013", fieldDict(c), fields)
		coded("sex", "sex in the register", SexDict, plain(SexDict))
		integer("age", "years", "age reached in the year")
		integer("wage", "euro", "gross taxable wage of the year with this employer, as paid")
		cols = append(cols, column{Name: "fte", Type: "decimal", Unit: "full-time equivalent", Description: "contractual working time", kind: frame.Int, decimals: 2})
		for _, d := range [][2]string{{"hired", "first day, missing if before the year"}, {"left", "last day, missing if after the year"}} {
			cols = append(cols, column{Name: d[0], Type: "date", Description: d[1], kind: frame.Date})
		}
	}
	return cols
}

func textOf(l calibration.Label) label { return label{l["en"], l["nl"], l["fr"]} }

func labelled(d *frame.Dict, texts map[string]calibration.Label) []codes {
	var out []codes
	for _, code := range d.Labels() {
		out = append(out, codes{code, textOf(texts[code])})
	}
	return out
}

func plain(d *frame.Dict) []codes {
	var out []codes
	for _, l := range d.Labels() {
		words, known := codeWords[l]
		if !known {
			words = label{EN: l}
		}
		out = append(out, codes{l, words})
	}
	return out
}

// accountColumn documents a column of the accounts, with the rubric of the
// National Bank's standard model where there is one.
func accountColumn(name string) column {
	info := map[string][3]string{ // text, unit, rubric
		"employer_id":          {"employer", "", ""},
		"year":                 {"year in which the book year closes", "year", ""},
		"schema":               {"schema of the accounts, by the size rules of the year", "", ""},
		"staff_average":        {"average head count of the book year", "heads", "1001+1002"},
		"fte_average":          {"average full-time equivalents of the book year", "full-time equivalent", "1003 / 9087"},
		"staff_year_end":       {"head count at the closing date of the book year, as the employer counts", "heads", "1051+1052 / 9086"},
		"full_time":            {"full-time staff at the closing date", "heads", "1051"},
		"part_time":            {"part-time staff at the closing date", "heads", "1052"},
		"personnel_cost":       {"personnel cost of the year, employer contributions included", "euro", "1023"},
		"hours":                {"hours worked in the year", "hours", "1013 / 9088"},
		"men":                  {"men at the closing date", "heads", "120 (columns 1 and 2)"},
		"women":                {"women at the closing date", "heads", "121 (columns 1 and 2)"},
		"managers":             {"managers at the closing date", "heads", "130 (columns 1 and 2)"},
		"employees":            {"other white-collar staff at the closing date", "heads", "134 (columns 1 and 2)"},
		"workers":              {"blue-collar staff at the closing date", "heads", "132 (columns 1 and 2)"},
		"entries":              {"persons hired in the book year", "heads", "205 (columns 1 and 2)"},
		"exits":                {"persons who left in the book year", "heads", "305 (columns 1 and 2)"},
		"tangible_assets":      {"tangible fixed assets at the closing date", "euro", "22/27"},
		"tangible_investment":  {"acquisitions of tangible fixed assets", "euro", "8161+8162+8163 / 8169"},
		"machinery_investment": {"acquisitions of plant, machinery and equipment", "euro", "8162"},
		"turnover":             {"turnover", "euro", "70"},
		"total_assets":         {"total assets", "euro", "20/58"},
	}
	for k, study := range []string{"primary", "secondary", "higher", "university"} {
		rubric := "120" + string(rune('0'+k)) + " and 121" + string(rune('0'+k))
		info["staff_"+study] = [3]string{"staff at the closing date with that study level, as the employer reports it", "heads", rubric + " (columns 1 and 2)"}
		info["fte_"+study] = [3]string{"full-time equivalents at the closing date with that study level, as the employer reports it", "full-time equivalent", rubric + " (column 3)"}
	}
	x := info[name]
	c := column{Name: name, Type: "integer", Description: x[0], Unit: x[1], Rubric: x[2], kind: frame.Int}
	switch {
	case name == "schema":
		c.Type, c.kind, c.dict, c.Codes = "code", frame.Category, SchemaDict, plain(SchemaDict)
	case slices.Contains(accountLong, name):
		c.kind = frame.Long
	case slices.Contains(accountTenths, name):
		c.Type, c.decimals = "decimal", 1
	}
	if name == "turnover" || name == "machinery_investment" {
		c.Published = "full"
	}
	return c
}
