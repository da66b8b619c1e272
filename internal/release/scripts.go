package release

import (
	"fmt"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/publish"
)

// scripts are ready-made imports into R, Stata and Python. Text is in ASCII,
// with escapes that the language knows, so that no editor's encoding harms the
// labels.
func scripts(t *publish.Tables, format string) map[string][]byte {
	tables := []namedTable{{"employers", t.Employers}, {"cells", t.Cells}}
	return map[string][]byte{
		"read.R":  []byte(scriptR(tables, format)),
		"read.do": []byte(scriptStata(tables, format)),
		"read.py": []byte(scriptPython(tables, format)),
	}
}

type namedTable struct {
	name string
	f    *frame.Frame
}

func quoted(labels []string) string {
	q := make([]string, len(labels))
	for i, l := range labels {
		q[i] = strconv.QuoteToASCII(l)
	}
	return strings.Join(q, ", ")
}

func scriptR(tables []namedTable, format string) string {
	var b strings.Builder
	b.WriteString("# Reads the release into data frames employers and cells; run it in the release folder:\n#   source(\"read.R\")\n")
	if format == Parquet {
		b.WriteString("if (!requireNamespace(\"arrow\", quietly = TRUE))\n  stop(\"R reads Parquet with the package arrow: install.packages(\\\"arrow\\\"), or ask for the release with --format csv\", call. = FALSE)\n")
	}
	for _, t := range tables {
		file := t.name + "." + format
		if format == Parquet {
			fmt.Fprintf(&b, "%s <- as.data.frame(arrow::read_parquet(%q))\n", t.name, file)
		} else {
			fmt.Fprintf(&b, "%s <- read.csv(%q, colClasses = \"character\", na.strings = \"\", fileEncoding = \"UTF-8\")\n", t.name, file)
		}
		for _, c := range t.f.Columns() {
			name := t.name + "$" + c.Name
			switch {
			case c.Coded():
				ordered := "FALSE"
				if c.Kind == frame.Ordinal {
					ordered = "TRUE"
				}
				fmt.Fprintf(&b, "%s <- factor(%s, levels = c(%s), ordered = %s)\n", name, name, quoted(c.Dict.Labels()), ordered)
			case c.Kind == frame.Date:
				fmt.Fprintf(&b, "%s <- as.Date(%s)\n", name, name)
			case c.Kind == frame.Int && c.Decimals == 0:
				fmt.Fprintf(&b, "%s <- as.integer(%s)\n", name, name)
			default:
				fmt.Fprintf(&b, "%s <- as.numeric(%s)\n", name, name)
			}
		}
	}
	return b.String()
}

func scriptPython(tables []namedTable, format string) string {
	var b strings.Builder
	b.WriteString("\"\"\"Reads the release into pandas tables employers and cells.\"\"\"\nimport sys\nfrom pathlib import Path\n\n")
	if format == Parquet {
		b.WriteString(pythonNeeds("import pandas as pd", "pandas", "pip install pandas pyarrow, or ask for the release with --format csv"))
		b.WriteString(pythonNeeds("import pyarrow  # pandas reads Parquet with it", "pyarrow", "pip install pyarrow, or ask for the release with --format csv"))
	} else {
		with := "the csv module"
		if format == CSVGzip {
			with = "the gzip and csv modules"
		}
		b.WriteString(pythonNeeds("import pandas as pd", "pandas", fmt.Sprintf("pip install pandas, or read employers.%s and cells.%s with %s", format, format, with)))
	}
	b.WriteString("\nhere = Path(__file__).parent\n")
	for _, t := range tables {
		file := t.name + "." + format
		if format == Parquet {
			fmt.Fprintf(&b, "\n%s = pd.read_parquet(here / %q)\n", t.name, file)
		} else {
			fmt.Fprintf(&b, "\n%s = pd.read_csv(here / %q, dtype=str, keep_default_na=False, na_values=[\"\"])\n", t.name, file)
		}
		for _, c := range t.f.Columns() {
			name := fmt.Sprintf("%s[%q]", t.name, c.Name)
			switch {
			case c.Coded():
				ordered := "False"
				if c.Kind == frame.Ordinal {
					ordered = "True"
				}
				fmt.Fprintf(&b, "%s = pd.Categorical(%s, categories=[%s], ordered=%s)\n", name, name, quoted(c.Dict.Labels()), ordered)
			case c.Kind == frame.Date:
				fmt.Fprintf(&b, "%s = pd.to_datetime(%s)\n", name, name)
			case c.Kind == frame.Int && c.Decimals == 0:
				fmt.Fprintf(&b, "%s = pd.to_numeric(%s).astype(\"Int64\")\n", name, name)
			default:
				fmt.Fprintf(&b, "%s = pd.to_numeric(%s)\n", name, name)
			}
		}
	}
	return b.String()
}

// pythonNeeds is an import that ends the script with one sentence, on standard
// error and with exit status 1, where the package is missing.
func pythonNeeds(statement, name, remedy string) string {
	return fmt.Sprintf("try:\n    %s\nexcept ImportError as missing:\n    sys.exit(f\"read.py needs %s ({missing}): %s\")\n", statement, name, remedy)
}

func scriptStata(tables []namedTable, format string) string {
	var b strings.Builder
	b.WriteString("* Reads the release into employers.dta and cells.dta; run it in the release folder:\n*   do read.do\n")
	if format != CSV {
		fmt.Fprintf(&b, "* The tables are %s files, which Stata does not read by itself.\n", format)
		b.WriteString("display as error \"ask for the release with --format csv, or convert the tables to CSV in R or Python (read.R, read.py)\"\n")
		b.WriteString("display as error \"and take this line and the next out of read.do\"\nexit 601\n")
	}
	b.WriteString("version 16\n")
	for _, t := range tables {
		fmt.Fprintf(&b, "import delimited using %q, clear varnames(1) stringcols(_all) encoding(\"utf-8\") bindquote(strict)\n", t.name+".csv")
		for _, c := range t.f.Columns() {
			switch {
			case c.Coded():
				fmt.Fprintf(&b, "capture label drop %s\n", c.Name)
				for k, l := range c.Dict.Labels() {
					fmt.Fprintf(&b, "label define %s %d %s, add\n", c.Name, k+1, stataQuote(l))
				}
				fmt.Fprintf(&b, "encode %s, generate(coded_) label(%s) noextend\ndrop %s\nrename coded_ %s\n", c.Name, c.Name, c.Name, c.Name)
			case c.Kind == frame.Date:
				fmt.Fprintf(&b, "generate date_ = daily(%s, \"YMD\")\nformat date_ %%td\ndrop %s\nrename date_ %s\n", c.Name, c.Name, c.Name)
			default:
				fmt.Fprintf(&b, "destring %s, replace\n", c.Name)
			}
		}
		fmt.Fprintf(&b, "save %s.dta, replace\n", t.name)
	}
	return b.String()
}

// stataQuote writes a label in compound quotes; macros in it are not expanded.
func stataQuote(s string) string {
	return "`\"" + strings.NewReplacer("`", "\\`", "$", "\\$", "\r", " ", "\n", " ").Replace(s) + "\"'"
}
