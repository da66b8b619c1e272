package importer

import (
	"fmt"
	"strings"

	"scramblelab/internal/frame"
)

// The parts of read.py that every folder shares.
const (
	plainPython = `
def rows(name):
    """The columns of a CSV table as lists of texts, None where empty."""
    with OPEN as f:
        lines = csv.reader(f)
        header = next(lines)
        columns = [list(c) for c in zip(*lines)] or [[] for _ in header]
    return {n: [v if v != "" else None for v in c] for n, c in zip(header, columns)}


`
	arrowPython = `
def rows(name):
    """The columns of a Parquet table as lists, None where empty."""
    return parquet.read_table(here / (name + ".parquet")).to_pydict()


`
	helpPython = `def shown(codes, texts):
    words = texts.get(language, codes)
    english = texts.get("en", words)  # a code that is its own English word is replaced by the text
    return [c if w in ("", c) else w if c == e else c + " " + w for c, w, e in zip(codes, words, english)]


def check(name, column, values, codes):
    bad = sorted(set(values) - set(codes))
    if bad:
        sys.exit(f"{name}: {column} holds {bad[0]}, which the codebook lacks: get the folder again")


def series(name, column, x, kind, codes=None, texts=None):
    """One column of a data frame."""
    if kind in ("code", "ordinal"):
        x = x.astype(object)
        check(name, column, x.dropna().unique(), codes)
        x = pd.Categorical(x, categories=codes, ordered=kind == "ordinal")
        return x.rename_categories(shown(codes, texts or {}))
    if kind == "date":
        return pd.to_datetime(x)
    if kind == "integer":
        return pd.to_numeric(x).astype("Int64")
    if kind == "number":
        return pd.to_numeric(x.astype(float) if x.dtype == object else x)
    return x


def plain(name, column, x, kind, codes=None, texts=None):
    """One column as a list."""
    if kind in ("code", "ordinal"):
        check(name, column, {v for v in x if v is not None}, codes)
        label = dict(zip(codes, shown(codes, texts or {})))
        return [label.get(v) for v in x]
    to = {"integer": int, "number": float, "date": day}.get(kind, str)
    return [None if v is None else to(v) for v in x]


def day(x):
    return x if isinstance(x, date) else date.fromisoformat(x)


def table(name, columns):
    if pd is None:
        data = rows(name)
        return {c: plain(name, c, data[c], *spec) for c, spec in columns.items()}
    data = FRAME
    for c, spec in columns.items():
        data[c] = series(name, c, data[c], *spec)
    return data

`
)

func scriptPython(o Folder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\"\"\"Reads the %s: tables %s.\n\nThey are data frames where pandas is installed, else lists by column:\n%s[%q].\n\"\"\"\n",
		o.What, o.names(), o.Tables[0].Name, o.Tables[0].Columns[0].Name)
	modules := []string{"import csv"}
	if o.Format == CSVGzip {
		modules = append(modules, "import gzip")
	}
	if o.Format == Parquet {
		modules = nil
	}
	b.WriteString(strings.Join(append(modules, "import sys", "from datetime import date", "from pathlib import Path", ""), "\n"))
	b.WriteString("\ntry:\n    import pandas as pd\nexcept ImportError:\n    pd = None\n")
	if o.Format == Parquet {
		fmt.Fprintf(&b, "try:\n    import pyarrow.parquet as parquet\nexcept ImportError as missing:\n    sys.exit(f\"read.py needs pyarrow ({missing}): pip install pyarrow, or %s\")\n", o.CSV)
	}
	b.WriteString("\nhere = Path(__file__).resolve().parent\n")
	if o.labelled() {
		b.WriteString("language = \"en\"  # of the labels: en, nl or fr; \"codes\" shows the codes alone\n\n")
	} else {
		b.WriteString("language = \"codes\"\n\n")
	}
	read := `pd.read_csv(here / (name + ".` + o.Format + `"), dtype=str, keep_default_na=False, na_values=[""])`
	switch o.Format {
	case Parquet:
		b.WriteString(arrowPython)
		read = `pd.read_parquet(here / (name + ".parquet"), engine="pyarrow")`
	case CSVGzip:
		b.WriteString(strings.Replace(plainPython, "OPEN", `gzip.open(here / (name + ".csv.gz"), "rt", encoding="utf-8", newline="")`, 1))
	default:
		b.WriteString(strings.Replace(plainPython, "OPEN", `open(here / (name + ".csv"), encoding="utf-8", newline="")`, 1))
	}
	b.WriteString(strings.Replace(helpPython, "FRAME", read, 1))
	for _, t := range o.Tables {
		fmt.Fprintf(&b, "\n%s = table(%q, {\n", t.Name, t.Name)
		for _, c := range t.Columns {
			fmt.Fprintf(&b, "    %q: (%s),\n", c.Name, c.python())
		}
		b.WriteString("})\n")
	}
	return b.String()
}

// python is a column's kind and, where it is coded, its codes and labels.
func (c Column) python() string {
	switch {
	case c.coded():
		kind := "code"
		if c.Kind == frame.Ordinal {
			kind = "ordinal"
		}
		var texts []string
		for _, l := range c.languages() {
			texts = append(texts, fmt.Sprintf("\n        %q: [%s]", l, quoted(c.Texts[l])))
		}
		return fmt.Sprintf("%q, [%s], {%s}", kind, quoted(c.Codes), strings.Join(texts, ","))
	case c.text():
		return `"text",`
	case c.Kind == frame.Date:
		return `"date",`
	case c.whole():
		return `"integer",`
	}
	return `"number",`
}
