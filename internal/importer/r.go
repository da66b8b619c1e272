package importer

import (
	"fmt"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
)

const codedR = `coded <- function(name, x, codes, texts = list(), ordered = FALSE) {
  x <- as.character(x)
  bad <- setdiff(unique(x[!is.na(x)]), codes)
  if (length(bad) > 0)
    stop(name, " holds ", bad[1], ", which the codebook lacks: get the folder again", call. = FALSE)
  text <- texts[[language]]
  if (!is.null(text)) {
    word <- if (is.null(texts$en)) rep(FALSE, length(codes)) else texts$en == codes
    text <- ifelse(text == "" | text == codes, codes, ifelse(word, text, paste(codes, text)))
  }
  factor(x, levels = codes, labels = if (is.null(text)) codes else text, ordered = ordered)
}
`

func scriptR(o Folder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Reads the %s into data frames %s; run it in its folder:\n#   source(\"read.R\")\n", o.What, o.names())
	if o.Format == Parquet {
		fmt.Fprintf(&b, "if (!requireNamespace(\"arrow\", quietly = TRUE))\n  stop(%s, call. = FALSE)\n",
			strconv.QuoteToASCII("R reads Parquet with the package arrow: install.packages(\"arrow\"), or "+o.CSV))
	}
	if o.labelled() {
		b.WriteString("\n# Labels in en, nl or fr; \"codes\" shows the codes alone.\nif (!exists(\"language\")) language <- \"en\"\n\n")
	} else {
		b.WriteString("\nlanguage <- \"codes\"\n\n")
	}
	b.WriteString(codedR)
	for _, t := range o.Tables {
		file := t.Name + "." + o.Format
		if o.Format == Parquet {
			fmt.Fprintf(&b, "\n%s <- as.data.frame(arrow::read_parquet(%q))\n", t.Name, file)
		} else {
			fmt.Fprintf(&b, "\n%s <- read.csv(%q, colClasses = \"character\", na.strings = \"\", fileEncoding = \"UTF-8\", check.names = FALSE)\n", t.Name, file)
		}
		for _, c := range t.Columns {
			name := t.Name + "$" + c.Name
			switch {
			case c.coded():
				fmt.Fprintf(&b, "%s <- coded(%q, %s,\n  c(%s)", name, name, name, quoted(c.Codes))
				if len(c.Texts) > 0 {
					var texts []string
					for _, l := range c.languages() {
						texts = append(texts, fmt.Sprintf("\n    %s = c(%s)", l, quoted(c.Texts[l])))
					}
					fmt.Fprintf(&b, ",\n  list(%s)", strings.Join(texts, ","))
				}
				if c.Kind == frame.Ordinal {
					b.WriteString(", ordered = TRUE")
				}
				b.WriteString(")\n")
			case c.text():
				fmt.Fprintf(&b, "%s <- as.character(%s)\n", name, name)
			case c.Kind == frame.Date:
				fmt.Fprintf(&b, "%s <- as.Date(%s)\n", name, name)
			case c.whole():
				fmt.Fprintf(&b, "%s <- as.integer(%s)\n", name, name)
			default:
				fmt.Fprintf(&b, "%s <- as.numeric(%s)\n", name, name)
			}
		}
	}
	return b.String()
}
