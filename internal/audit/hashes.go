package audit

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// salts are what people put before or behind an identifier before they hash it.
// A salt that was chosen at random is not among them, and such a hash is not
// found.
func (f *folder) salts() []string {
	out := []string{"", "salt", "pepper", "secret", "ksz", "bcss", "KSZ", "BCSS", "nbb", "NBB", "scramblelab"}
	return append(out, f.manifest.Recipient, f.manifest.Purpose, f.manifest.PlanDigest)
}

var between = []string{"", ":", "-"}

// shapes are the words that look like a hash: hexadecimals of MD5, SHA-1,
// SHA-256 and SHA-512 and of the first half of SHA-256, their base64, and the
// eight hexadecimals of CRC-32.
var shapes = regexp.MustCompile(`[0-9A-Za-z+/_-]{8,128}`)

// suspects are words of the files that look like a hash and are none of the
// manifest's own, with the file that holds each.
func (f *folder) suspects() (hashes map[string]string, sums map[uint32]string) {
	own := map[string]bool{strings.ToLower(f.manifest.PlanDigest): true}
	for _, x := range f.manifest.Files {
		own[x.SHA256] = true
	}
	hashes, sums = map[string]string{}, map[uint32]string{}
	add := func(name, w string) {
		lower := strings.ToLower(w)
		switch n := len(w); {
		case own[lower]:
		case isHex(lower) && (n == 32 || n == 40 || n == 64 || n == 128):
			hashes[lower] = name
		case isHex(lower) && n == 8 && strings.ContainsAny(lower, "abcdef"):
			if v, err := strconv.ParseUint(lower, 16, 32); err == nil {
				sums[uint32(v)] = name
			}
		case (n == 22 || n == 27 || n == 43 || n == 86) && strings.ContainsAny(w, "0123456789") && w != lower && w != strings.ToUpper(w):
			hashes[strings.NewReplacer("-", "+", "_", "/").Replace(w)] = name
		}
	}
	for _, name := range f.names {
		if f.readTable(name) {
			continue // numbers, and labels that stand in codebook.json too
		}
		for _, at := range shapes.FindAllIndex(f.files[name], -1) {
			add(name, string(f.files[name][at[0]:at[1]]))
		}
		for lo, hi := range words(f.files[name]) {
			add(name, string(f.files[name][lo:hi]))
		}
	}
	return hashes, sums
}

// hashes compares every word that looks like a hash with the hashes of the
// identifiers, plain and under common salts.
func (f *folder) hashes(ids []string, remedy string) []Finding {
	suspects, sums := f.suspects()
	leaks, checks := map[string]string{}, map[string]int{}
	if len(suspects) > 0 {
		look := func(what string, sum []byte) {
			for _, form := range []string{hex.EncodeToString(sum), base64.RawStdEncoding.EncodeToString(sum)} {
				if name, ok := suspects[form]; ok {
					leaks[name] = what
				}
			}
		}
		one := func(what string, text []byte) {
			m, s1, s2, s5 := md5.Sum(text), sha1.Sum(text), sha256.Sum256(text), sha512.Sum512(text)
			for _, sum := range [][]byte{m[:], s1[:], s2[:], s2[:16], s5[:]} {
				look(what, sum)
			}
		}
		salts := f.salts()
		if len(ids) > maxSalted {
			salts = salts[:1]
		}
		for _, id := range ids {
			for _, salt := range salts {
				if salt == "" {
					one("the plain hash", []byte(id))
					continue
				}
				for _, sep := range between {
					one("the hash, under a common salt,", []byte(salt+sep+id))
					one("the hash, under a common salt,", []byte(id+sep+salt))
				}
			}
		}
	}
	if len(sums) > 0 {
		for _, id := range ids {
			if name, ok := sums[crc32.ChecksumIEEE([]byte(id))]; ok {
				checks[name]++
			}
		}
	}
	// One CRC-32 agrees by chance with probability identifiers x words / 2^32.
	chance := float64(len(ids)) * float64(len(sums)) / math.Exp2(32)
	var found []Finding
	for _, name := range f.names {
		if what, ok := leaks[name]; ok {
			found = append(found, fail(remedy, "%s holds %s of an original identifier", name, what))
		}
		if n := checks[name]; n > 1 || n == 1 && chance < 1e-3 {
			found = append(found, fail(remedy, "%s holds the CRC-32 of %d original identifiers (by chance %.1e are expected)", name, n, chance))
		}
	}
	return found
}

// Above maxSalted identifiers only plain hashes are computed: 80 salted forms
// of a million identifiers would take minutes.
const maxSalted = 200_000

// hashesSought says what was looked for, for a pass.
func hashesSought(ids int) string {
	if ids > maxSalted {
		return "their plain MD5, SHA-1, SHA-2 and CRC-32 as well, salted ones not: there are too many"
	}
	return "their MD5, SHA-1, SHA-2 and CRC-32 as well, plain and under common salts; one under a random salt cannot be found"
}
