package tabio

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
)

// Why a text is not a number of the kind wanted.
var (
	errNotNumber = errors.New("is not a number")
	errNotWhole  = errors.New("is not a whole number")
	errDecimals  = errors.New("has more decimals than the column")
	errRange     = errors.New("is too large for the column")
	errNotDate   = errors.New("is not a date like 2021-12-31")
)

var pow10 = [...]int64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// parseFixed reads a decimal number as an integer times 10^-decimals. Digits
// beyond the decimals must be zeros: nothing is rounded.
func parseFixed(s string, decimals uint8) (int64, error) {
	digits := s
	negative := false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		negative = digits[0] == '-'
		digits = digits[1:]
	}
	var v int64
	after, seen, beyond := -1, false, false // after: decimals read, -1 before the point
	for i := range len(digits) {
		c := digits[i]
		switch {
		case c >= '0' && c <= '9':
			seen = true
			if after >= int(decimals) {
				beyond = beyond || c != '0'
				continue
			}
			if v > (math.MaxInt64-int64(c-'0'))/10 {
				return 0, errRange
			}
			v = v*10 + int64(c-'0')
			if after >= 0 {
				after++
			}
		case c == '.' && after < 0:
			after = 0
		case (c == 'e' || c == 'E') && seen:
			return parseExponent(s, decimals)
		default:
			return 0, notNumber(decimals)
		}
	}
	switch {
	case !seen:
		return 0, notNumber(decimals)
	case beyond && decimals == 0:
		return 0, errNotWhole
	case beyond:
		return 0, errDecimals
	}
	for range int(decimals) - max(after, 0) {
		if v > math.MaxInt64/10 {
			return 0, errRange
		}
		v *= 10
	}
	if negative {
		v = -v
	}
	return v, nil
}

func notNumber(decimals uint8) error {
	if decimals == 0 {
		return errNotWhole
	}
	return errNotNumber
}

// parseExponent reads numbers such as 1e+05, which R writes for 100000.
func parseExponent(s string, decimals uint8) (int64, error) {
	v, err := parseFloat(s)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, notNumber(decimals)
	}
	return fixedOf(v, decimals, false)
}

// fixedOf converts a float that stands for a decimal number; single says that
// it was stored with 32 bits.
func fixedOf(v float64, decimals uint8, single bool) (int64, error) {
	scaled := math.Round(v * float64(pow10[decimals]))
	switch {
	case !(math.Abs(scaled) < 1<<53):
		return 0, errRange
	case scaled/float64(pow10[decimals]) == v,
		single && float32(scaled/float64(pow10[decimals])) == float32(v):
		return int64(scaled), nil
	case decimals == 0:
		return 0, errNotWhole
	}
	return 0, errDecimals
}

// parseFloat reads a decimal number; NaN is read as the missing value. Unlike
// strconv it takes no hexadecimal numbers, underscores or words.
func parseFloat(s string) (float64, error) {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default:
			switch s {
			case "NaN", "nan":
				return math.NaN(), nil
			case "Inf", "+Inf", "inf", "+inf":
				return math.Inf(1), nil
			case "-Inf", "-inf":
				return math.Inf(-1), nil
			}
			return 0, errNotNumber
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errRange
	case err != nil:
		return 0, errNotNumber
	}
	return v, nil
}

// parseDate reads an ISO date as days since 1970-01-01.
func parseDate(s string) (int32, error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, errNotDate
	}
	part := func(s string) int {
		v := 0
		for i := range len(s) {
			if s[i] < '0' || s[i] > '9' {
				return -1
			}
			v = v*10 + int(s[i]-'0')
		}
		return v
	}
	y, m, d := part(s[:4]), part(s[5:7]), part(s[8:])
	if y < 0 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return 0, errNotDate
	}
	return daysFromCivil(y, m, d), nil
}

func daysIn(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysFromCivil and civilFromDays count days of the proleptic Gregorian
// calendar in eras of 400 years that begin on 1 March (Hinnant, "chrono-
// compatible low-level date algorithms").
func daysFromCivil(y, m, d int) int32 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int32(era*146097 + doe - 719468)
}

func civilFromDays(days int32) (y, m, d int) {
	z := int(days) + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = (mp+2)%12 + 1
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// First and last day that an ISO date with four digits can tell.
var firstDay, lastDay = daysFromCivil(0, 1, 1), daysFromCivil(9999, 12, 31)

func appendDate(b []byte, days int32) []byte {
	y, m, d := civilFromDays(days)
	return append(b,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// appendFixed writes v times 10^-decimals with exactly that many decimals.
func appendFixed(b []byte, v int64, decimals uint8) []byte {
	if decimals == 0 {
		return strconv.AppendInt(b, v, 10)
	}
	u := uint64(v)
	if v < 0 {
		b = append(b, '-')
		u = -u
	}
	unit := uint64(pow10[decimals])
	b = strconv.AppendUint(b, u/unit, 10)
	b = append(b, '.')
	fraction := u % unit
	for unit /= 10; unit > 0; unit /= 10 {
		b = append(b, byte('0'+fraction/unit%10))
	}
	return b
}

// appendFloat writes the shortest text that reads back as v, without an
// exponent for whole numbers of ordinary size.
func appendFloat(b []byte, v float64) []byte {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// intOf narrows a number to 32 bits; the smallest one stands for missing.
func intOf(v int64) (int32, error) {
	if v <= math.MinInt32 || v > math.MaxInt32 {
		return 0, errRange
	}
	return int32(v), nil
}

// cellError says why a value does not fit its column.
func cellError(c ColumnSpec, value string, why error) error {
	hint := ""
	switch {
	case why == errRange && c.Kind == frame.Int:
		hint = ": read it as long"
	case why == errDecimals:
		hint = fmt.Sprintf(" (%d): allow more, or round the data", c.Decimals)
	case (why == errNotWhole || why == errNotNumber) && strings.Contains(value, ","):
		hint = ": write the decimal point as a point and leave out separators of thousands"
	}
	return fmt.Errorf("%s %w%s", quoteShort(value), why, hint)
}
