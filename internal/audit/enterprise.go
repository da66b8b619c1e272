package audit

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
)

// checkEnterpriseNumbers looks for ten digits with the check digits of the
// Belgian register of enterprises. It needs no escrow, which knows employers by
// the identifiers of the data alone.
func checkEnterpriseNumbers(f *folder) []Finding {
	const (
		remedy = "take it out of purpose, notes and labels and make the release again; if it is another figure, write it with fewer digits"
		what   = "ten digits with valid check digits, as an enterprise number has (and 1 % of other ten-digit numbers by chance)"
	)
	own := map[string]bool{} // sizes of files, which the manifest must state
	for _, x := range f.manifest.Files {
		own[strconv.FormatInt(x.Bytes, 10)] = true
	}
	var found []Finding
	for _, name := range f.names {
		if f.readTable(name) || strings.HasSuffix(name, ".parquet") {
			continue // its labels are looked at below
		}
		text := unescaped(f.files[name])
		if at := enterpriseNumber(text, own); at >= 0 {
			found = append(found, fail(remedy, "%s, line %d: %s", name, 1+bytes.Count(text[:at], []byte("\n")), what))
		}
	}
	if f.rel != nil {
		for _, t := range f.tables() {
			for _, c := range t.f.Columns() {
				if c.Coded() && enterpriseLabel(c) {
					found = append(found, fail(remedy, "a label of %s.%s: %s", t.name, c.Name, what))
				}
			}
		}
	}
	return or(found, "no ten-digit number with the check digits of an enterprise number in text or labels")
}

func enterpriseLabel(c frame.Column) bool {
	for _, l := range c.Dict.Labels() {
		if enterpriseNumber([]byte(l), nil) >= 0 {
			return true
		}
	}
	return false
}

var escapes = regexp.MustCompile(`\\(?:u[0-9A-Fa-f]{4}|[bfnrt])`)

// unescaped blanks the escapes of JSON, R and Python, whose letters would seem
// to belong to the word behind them. Positions stay.
func unescaped(b []byte) []byte {
	return escapes.ReplaceAllFunc(b, func(e []byte) []byte { return bytes.Repeat([]byte(" "), len(e)) })
}

// enterpriseNumber returns where a number of ten digits stands by itself whose
// last two are 97 minus the first eight modulo 97, or -1. It may be written
// 0400378485, 0400.378.485, with spaces or hyphens, and behind the letters BE.
// Numbers in own, written without separators, do not count.
func enterpriseNumber(b []byte, own map[string]bool) int {
	for at := range b {
		if !digit(b, at) || digit(b, at-1) || b[max(at-1, 0)] == '.' && digit(b, at-2) {
			continue
		}
		start := at
		if at >= 2 && bytes.EqualFold(b[at-2:at], []byte("BE")) {
			start -= 2
		}
		if start > 0 && wordByte(b[start-1]) {
			continue
		}
		for _, separator := range []string{"", ".", " ", "-"} {
			digits, end := tenDigits(b[at:], separator)
			end += at
			if digits == "" || end < len(b) && wordByte(b[end]) || end+1 < len(b) && b[end] == '.' && digit(b, end+1) {
				continue
			}
			n, err := strconv.Atoi(digits)
			if err == nil && n%100 == 97-n/100%97 && !(separator == "" && own[digits]) {
				return at
			}
		}
	}
	return -1
}

func digit(b []byte, at int) bool {
	return at >= 0 && at < len(b) && b[at] >= '0' && b[at] <= '9'
}

// tenDigits reads groups of four, three and three digits at the start of b, and
// returns them without separators and where they end; "" where they are not.
func tenDigits(b []byte, separator string) (digits string, end int) {
	for i, group := range []int{4, 3, 3} {
		if i > 0 {
			if !bytes.HasPrefix(b[end:], []byte(separator)) {
				return "", 0
			}
			end += len(separator)
		}
		for range group {
			if !digit(b, end) {
				return "", 0
			}
			digits += string(b[end])
			end++
		}
	}
	return digits, end
}
