// Package importer writes the scripts that load the tables of a folder into R,
// Stata and Python: read.R, read.do and read.py. They give every column its
// type and every coded column its codes, in codebook order, with labels; a code
// that the codebook lacks stops them.
//
// CSV is read by what each program has itself; Python makes data frames where
// pandas is installed and lists by column where it is not. Parquet needs arrow
// in R and pyarrow in Python; Stata cannot read it. What is missing is named
// with the remedy. Text is in ASCII, with escapes that the language knows, so
// that no editor's encoding harms the labels.
package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
)

// Names are the scripts' file names, sorted.
func Names() []string { return []string{"read.R", "read.do", "read.py"} }

// Formats of the tables, which are the ends of their file names.
const (
	Parquet = "parquet"
	CSV     = "csv"
	CSVGzip = "csv.gz"
)

// Folder is what the scripts of a folder load.
type Folder struct {
	What   string // what the folder holds, such as release
	CSV    string // how to get it as CSV, such as: ask for the release with --format csv
	Format string
	Tables []Table
}

// Table is one file: its name without the format, and its columns in order.
type Table struct {
	Name    string
	Columns []Column
}

// Column says how a column is read.
type Column struct {
	Name     string
	Kind     frame.Kind
	Decimals uint8
	// Codes are those of a category or ordinal, in codebook order; a category
	// without codes is text.
	Codes []string
	// Texts are labels by language, in the order of Codes; "" shows the code.
	Texts map[string][]string
}

// TableOf describes a frame; its codes are their own labels.
func TableOf(name string, f *frame.Frame) Table {
	t := Table{Name: name}
	for _, c := range f.Columns() {
		x := Column{Name: c.Name, Kind: c.Kind, Decimals: c.Decimals}
		if c.Coded() {
			x.Codes = c.Dict.Labels()
		}
		t.Columns = append(t.Columns, x)
	}
	return t
}

// Scripts returns the scripts by file name.
func Scripts(o Folder) map[string][]byte {
	return map[string][]byte{"read.R": []byte(scriptR(o)), "read.do": []byte(scriptStata(o)), "read.py": []byte(scriptPython(o))}
}

// labelled reports whether any column has labels besides its codes.
func (o Folder) labelled() bool {
	return slices.ContainsFunc(o.Tables, func(t Table) bool {
		return slices.ContainsFunc(t.Columns, func(c Column) bool { return len(c.Texts) > 0 })
	})
}

// names lists the tables for a sentence.
func (o Folder) names() string {
	var names []string
	for _, t := range o.Tables {
		names = append(names, t.Name)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// languages of a column's labels, sorted.
func (c Column) languages() []string {
	var out []string
	for l := range c.Texts {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}

// shown is the label of a code in a language: code and text, the code alone where
// it has no text, and the text alone where the code is an English word.
func (c Column) shown(language string, k int) string {
	code := c.Codes[k]
	if texts := c.Texts[language]; k < len(texts) && texts[k] != "" && texts[k] != code {
		if en := c.Texts["en"]; k < len(en) && en[k] == code {
			return texts[k]
		}
		return code + " " + texts[k]
	}
	return code
}

// coded reports whether a column has codes to check.
func (c Column) coded() bool { return len(c.Codes) > 0 }

// text reports whether a column is read as it stands.
func (c Column) text() bool {
	return len(c.Codes) == 0 && (c.Kind == frame.Category || c.Kind == frame.Ordinal)
}

func (c Column) whole() bool { return c.Kind == frame.Int && c.Decimals == 0 }

func quoted(labels []string) string {
	q := make([]string, len(labels))
	for i, l := range labels {
		q[i] = strconv.QuoteToASCII(l)
	}
	return strings.Join(q, ", ")
}

// stataQuote writes a label in compound quotes; macros in it are not expanded.
func stataQuote(s string) string {
	return "`\"" + strings.NewReplacer("`", "\\`", "$", "\\$", "\r", " ", "\n", " ").Replace(s) + "\"'"
}

func scriptStata(o Folder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "* Reads the %s into .dta files of %s; run it in its folder:\n*   do read.do\n", o.What, o.names())
	if o.Format != CSV {
		fmt.Fprintf(&b, "* The tables are %s files, which Stata does not read by itself.\n", o.Format)
		fmt.Fprintf(&b, "display as error \"%s, or convert the tables to CSV in R or Python (read.R, read.py)\"\n", o.CSV)
		b.WriteString("display as error \"and take this line and the next out of read.do\"\nexit 601\n")
	}
	b.WriteString("version 16\n")
	for _, t := range o.Tables {
		fmt.Fprintf(&b, "import delimited using %q, clear varnames(1) stringcols(_all) encoding(\"utf-8\") bindquote(strict)\n", t.Name+".csv")
		for _, c := range t.Columns {
			switch {
			case c.coded():
				fmt.Fprintf(&b, "capture label drop %s\n", c.Name)
				for k, code := range c.Codes {
					fmt.Fprintf(&b, "label define %s %d %s, add\n", c.Name, k+1, stataQuote(code))
				}
				// noextend stops at a code that is not defined.
				fmt.Fprintf(&b, "encode %s, generate(coded_) label(%s) noextend\ndrop %s\nrename coded_ %s\n", c.Name, c.Name, c.Name, c.Name)
				if len(c.Texts) > 0 {
					for k := range c.Codes {
						fmt.Fprintf(&b, "label define %s %d %s, modify\n", c.Name, k+1, stataQuote(c.shown("en", k)))
					}
				}
			case c.text():
			case c.Kind == frame.Date:
				fmt.Fprintf(&b, "generate date_ = daily(%s, \"YMD\")\nformat date_ %%td\ndrop %s\nrename date_ %s\n", c.Name, c.Name, c.Name)
			default:
				fmt.Fprintf(&b, "destring %s, replace\n", c.Name)
			}
		}
		fmt.Fprintf(&b, "save %s.dta, replace\n", t.Name)
	}
	return b.String()
}
