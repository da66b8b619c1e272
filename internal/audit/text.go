package audit

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/release"
)

// readable is the text of a file: unpacked where it is gzip, the footer alone
// where it is Parquet (its pages are compressed, and their labels stand in the
// codebook).
func readable(name string, b []byte) []byte {
	switch {
	case strings.HasSuffix(name, ".gz"):
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return b
		}
		text, _ := io.ReadAll(z) // a damaged end is for check whole to find
		return text
	case strings.HasSuffix(name, ".parquet") && len(b) > 12 && string(b[len(b)-4:]) == "PAR1":
		if n := int(binary.LittleEndian.Uint32(b[len(b)-8:])); n < len(b)-8 {
			return b[len(b)-8-n : len(b)-8]
		}
	}
	return b
}

var (
	secretWords = regexp.MustCompile(`(?i)(?:^|[^a-z])(seed|secret|password|passphrase|salt|(?:private|secret|encryption)[ _-]?key)["']?\s*[:=]|AGE-SECRET-KEY-1`)
	absolute    = regexp.MustCompile(`(?:^|["'\s=:(,;])((?:/[A-Za-z0-9._~-]+){2,}|[A-Za-z]:\\{1,2}[A-Za-z0-9._~-]+|\\\\{1,3}[A-Za-z0-9._~-]+\\|file://\S+)`)
	dateTime    = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}`)
)

// search reports the first match of a pattern in each file. The match itself is
// not repeated: a finding may be read by people who must not see it. A CSV table
// that was read under its codebook holds numbers and labels, and the labels
// stand in codebook.json too: it is left out, for it may be large.
func (f *folder) search(p *regexp.Regexp, remedy, what string) []Finding {
	var found []Finding
	for _, name := range f.names {
		if f.readTable(name) {
			continue
		}
		if at := p.FindIndex(f.files[name]); at != nil {
			line := 1 + bytes.Count(f.files[name][:at[1]-1], []byte("\n"))
			found = append(found, fail(remedy, "%s, line %d: %s", name, line, what))
		}
	}
	return found
}

// readTable reports whether a file is a CSV table that was read under its
// codebook.
func (f *folder) readTable(name string) bool {
	return f.whole == nil && (name == "employers."+f.manifest.Format || name == "cells."+f.manifest.Format) && f.manifest.Format != release.Parquet
}

func checkWords(f *folder) []Finding {
	return or(f.search(secretWords, again, "a seed, key or password is named"), "no seed, key or password is named")
}

func checkPaths(f *folder) []Finding {
	return or(f.search(absolute, "take paths out of purpose, notes and labels, and make the release again", "a path of the machine that made it"), "no path of a machine")
}

func checkTimes(f *folder) []Finding {
	return or(f.search(dateTime, again, "a time of day"), "no time of day")
}

// checkMetadata looks at what writers put into files beside the data.
func checkMetadata(f *folder) []Finding {
	var found []Finding
	n := 0
	for _, name := range f.names {
		b := f.raw[name]
		switch {
		case strings.HasSuffix(name, ".gz") && len(b) > 10:
			n++
			if binary.LittleEndian.Uint32(b[4:8]) != 0 || b[3]&^1 != 0 {
				found = append(found, fail(again, "%s carries a time, name or comment in its gzip header", name))
			}
		case strings.HasSuffix(name, ".parquet"):
			n++
			p, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				found = append(found, fail(again, "%s is no Parquet file that can be read", name))
				continue
			}
			m := p.Metadata()
			if len(m.KeyValueMetadata) > 0 {
				found = append(found, fail(again, "%s carries %d entries of metadata in its footer, the first named %q", name, len(m.KeyValueMetadata), m.KeyValueMetadata[0].Key))
			}
			if !strings.HasPrefix(m.CreatedBy, "scramblelab") {
				found = append(found, fail(again, "%s was written by another program, whose footer may tell version and machine", name))
			}
		}
	}
	return or(found, "%d files with a header or footer, none carries anything of its own", n)
}

// checkKey looks for the key and for the digest of the original, in the forms
// in which they would be written.
func checkKey(f *folder) []Finding {
	if f.escrow == nil {
		return skipped("needs the escrow")
	}
	key := f.escrow.Key.Bytes()
	forms := []struct {
		what string
		form []byte
	}{
		{"the raw key", key},
		{"the key in base64", []byte(base64.RawStdEncoding.EncodeToString(key))},
		{"the key in base64", []byte(base64.RawURLEncoding.EncodeToString(key))},
		{"the key in hexadecimals", []byte(hex.EncodeToString(key))},
		{"the key in hexadecimals", []byte(strings.ToUpper(hex.EncodeToString(key)))},
		{"the digest of the original data", []byte(f.escrow.DataDigest)},
	}
	var found []Finding
	for _, name := range f.names {
		for _, x := range forms {
			if len(x.form) >= 16 && (bytes.Contains(f.raw[name], x.form) || f.packed(name) && bytes.Contains(f.files[name], x.form)) {
				found = append(found, fail("destroy this folder: whoever has seen it can undo or confirm the scramble; make the release again under a new key", "%s holds %s", name, x.what))
			}
		}
	}
	if f.rel != nil {
		if what := checkSerialCount(f); what != "" {
			found = append(found, fail("audit with the escrow beside this release", "%s", what))
		}
	}
	return or(found, "neither the key nor the digest of the original stands in any file")
}

// Identifiers shorter than minLabel, and numbers under minDigits digits, also
// stand for ordinary things: they are not looked for in running text. Shorter
// numbers are looked for among the labels of the codebook.
const (
	minLabel  = 6
	minDigits = 9
	minBinary = 8 // in compressed bytes, where short words arise by chance
)

// checkIdentifiers looks for the original identifiers, and for their plain
// hashes, as whole words in any file.
func checkIdentifiers(f *folder) []Finding {
	ids := f.identifiers()
	if ids == nil {
		return skipped("needs the escrow or the original data")
	}
	const remedy = "destroy this folder and make the release again; a hash of an identifier is undone by hashing all identifiers"
	var found []Finding
	index := newIndex(ids)
	for _, name := range f.names {
		if at := index.find(f.files[name], minLabel); at >= 0 {
			found = append(found, fail(remedy, "%s holds an original identifier (byte %d of its text)", name, at))
			continue
		}
		if !f.packed(name) {
			continue
		}
		if at := index.find(f.raw[name], minBinary); at >= 0 {
			found = append(found, fail(remedy, "%s holds an original identifier (byte %d)", name, at))
		}
	}
	found = append(found, f.hashes(ids, remedy)...)
	numbers := 0
	if f.rel != nil {
		set := map[string]bool{}
		for _, id := range ids {
			if len(id) >= minLabel {
				set[id] = true
				numbers++
			}
		}
		for _, t := range f.tables() {
			for _, c := range t.f.Columns() {
				if c.Coded() && slices.ContainsFunc(c.Dict.Labels(), func(l string) bool { return set[l] }) {
					found = append(found, fail(remedy, "a label of %s.%s is an original identifier", t.name, c.Name))
				}
			}
		}
	}
	reason := fmt.Sprintf("a text of under %d characters, a number of under %d digits or a plain word also stands for ordinary things", minLabel, minDigits)
	switch {
	case len(found) > 0:
		return found
	case index.size == 0:
		const byHand = "read purpose, notes and labels in manifest.json and codebook.json yourself for what names an employer or worker"
		return []Finding{{Severity: Warn, Remedy: byHand, Detail: fmt.Sprintf(
			"none of %d original identifiers could be looked for in text (%d were looked for as labels): %s; %s", len(ids), numbers, reason, byHand)}}
	case index.size < len(ids):
		return pass("%d of %d original identifiers looked for in text, %d as labels; the other %d were not looked for in text: %s; %s", index.size, len(ids), numbers, len(ids)-index.size, reason, hashesSought(len(ids)))
	}
	return pass("all %d original identifiers looked for in text, %d as labels; %s", len(ids), numbers, hashesSought(len(ids)))
}

// packed reports whether the text of a file is not its bytes.
func (f *folder) packed(name string) bool {
	return strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".parquet")
}

// identifiers lists original employers and workers; nil where none is known.
func (f *folder) identifiers() []string {
	var ids []string
	if f.escrow != nil {
		for _, s := range f.escrow.Serials {
			ids = append(append(ids, s.Employer), s.Members...)
		}
	}
	if f.original != nil {
		ids = append(ids, f.original.Jobs.Col(linked.Employer).Dict.Labels()...)
		if w, ok := f.original.Jobs.Lookup(linked.Worker); ok {
			switch {
			case w.Coded():
				ids = append(ids, w.Dict.Labels()...)
			case w.Kind == frame.Int:
				for _, v := range distinct(w.I) { // many years of few workers
					ids = append(ids, strconv.Itoa(int(v)))
				}
			case w.Kind == frame.Long:
				for _, v := range distinct(w.L) {
					ids = append(ids, strconv.FormatInt(v, 10))
				}
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

func distinct[T int32 | int64](v []T) []T {
	v = slices.Clone(v)
	slices.Sort(v)
	return slices.Compact(v)
}

// words yields the bounds of runs of letters and digits.
func words(b []byte) func(yield func(lo, hi int) bool) {
	return func(yield func(lo, hi int) bool) {
		for lo := 0; lo < len(b); lo++ {
			if !wordByte(b[lo]) {
				continue
			}
			hi := lo + 1
			for hi < len(b) && wordByte(b[hi]) {
				hi++
			}
			if !yield(lo, hi) {
				return
			}
			lo = hi
		}
	}
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// index finds identifiers by their longest word.
type index struct {
	at   map[string][]anchored
	size int
}

type anchored struct {
	id     string
	offset int // of the word in the identifier
}

func newIndex(ids []string) *index {
	x := &index{at: make(map[string][]anchored, len(ids))}
	for _, id := range ids {
		digits := 0
		for i := range len(id) {
			if id[i] >= '0' && id[i] <= '9' {
				digits++
			}
		}
		letters := strings.ContainsFunc(id, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80 })
		if len(id) < minLabel || !letters && digits < minDigits {
			continue
		}
		best, offset := "", 0
		for lo, hi := range words([]byte(id)) {
			if hi-lo > len(best) {
				best, offset = id[lo:hi], lo
			}
		}
		if best == "" || digits == 0 && !strings.ContainsAny(id, "-_./") && len(id) < 2*minLabel {
			// A plain word without a digit may be any word of the language.
			continue
		}
		x.at[best] = append(x.at[best], anchored{id, offset})
		x.size++
	}
	return x
}

// find returns where an identifier of at least shortest bytes stands as a whole
// word, or -1.
func (x *index) find(b []byte, shortest int) int {
	for lo, hi := range words(b) {
		for _, a := range x.at[string(b[lo:hi])] {
			from := lo - a.offset
			to := from + len(a.id)
			if len(a.id) < shortest || from < 0 || to > len(b) || string(b[from:to]) != a.id {
				continue
			}
			if (from == 0 || !wordByte(b[from-1])) && (to == len(b) || !wordByte(b[to])) {
				return from
			}
		}
	}
	return -1
}
