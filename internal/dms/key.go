package dms

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// Kind says what a file in a table's folder is.
type Kind int

// The kinds of files.
const (
	Other  Kind = iota // not written by DMS: ignored and counted
	Load               // part of the full load: LOAD and a hexadecimal counter
	Change             // CDC file: named after a time
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case Other:
		return "other"
	case Load:
		return "load"
	case Change:
		return "change"
	}
	return "unknown"
}

// Format is how the rows of a file are written, by its extension.
type Format int

// The formats that DMS writes (DataFormat, SDK), CSV with GZIP too.
const (
	Unknown Format = iota
	Parquet
	CSV
)

// Key is an object key, classified. The zero value is of kind [Other] and lower than every CDC file.
type Key struct {
	Kind    Kind
	Name    string // the whole object key
	Segment string // of a Load: the text between the table's folder and LOAD, as "p1/" or "SEGMENT1_"
	Counter uint64 // of a Load: the hexadecimal counter, from 1
	Layout  Layout // of a Change: the scheme of its date folder
	Format  Format
	Gzip    bool // the whole file is compressed: it ends in .gz

	// order is the order key of a Change: YYYYMMDDHHMMSS and the digits behind
	// them without trailing zeros. As these digits are a decimal fraction and the rest has
	// a fixed length, the order of bytes is the order of times.
	order string
}

const (
	dateDigits    = len("20060102")
	clockDigits   = len("150405")
	loadDigits    = 8 // at least: LOAD00000001
	secondLayout  = "20060102150405"
	nanoDigits    = 9
	leastFraction = 3 // digits of a CDC name behind its seconds, at least: it counts milliseconds
)

// ParseKey classifies an object key of the table whose folder is given, which ends in "/" (as
// "prefix/schema/table/"). What is not known is of kind [Other]: no key is an error.
//
// A full load is LOAD and a counter of eight or more digits, hexadecimal and in capitals, directly
// in the folder, in a subfolder of a parallel load's partition or segment, or behind
// "SEGMENT1_" (UG). A CDC file is YYYYMMDD-HHMMSS and three or more digits, as AWS shows both
// 20211123-013830913 and 20141029-1134010000, directly in the folder or in a
// date folder (UG, "Using date-based folder partitioning"). A date that no calendar has makes it Other.
func ParseKey(folder, key string) Key {
	other := Key{Name: key}
	rest, ok := strings.CutPrefix(key, folder)
	if !ok {
		return other
	}
	slash := strings.LastIndexByte(rest, '/') + 1
	if k, ok := parseLoad(rest[:slash], rest[slash:]); ok {
		k.Name = key
		return k
	}
	if k, ok := parseChange(rest[:slash], rest[slash:]); ok {
		k.Name = key
		return k
	}
	return other
}

// parseLoad reads the name of a full load's file in a subfolder, "" or ending in "/".
func parseLoad(sub, name string) (Key, bool) {
	if strings.Count(sub, "/") > 1 || sub == "/" {
		return Key{}, false
	}
	segment := sub
	if number, rest, ok := strings.Cut(name, "_"); ok {
		if digits, ok := strings.CutPrefix(number, "SEGMENT"); ok && digits != "" && prefixOf(digits, isDigit) == len(digits) {
			segment, name = sub+number+"_", rest
		}
	}
	name, ok := strings.CutPrefix(name, "LOAD")
	if !ok {
		return Key{}, false
	}
	n := prefixOf(name, isHex)
	counter, err := strconv.ParseUint(name[:n], 16, 64)
	if n < loadDigits || err != nil || n < len(name) && name[n] != '.' {
		return Key{}, false
	}
	k := Key{Kind: Load, Segment: segment, Counter: counter}
	k.Format, k.Gzip = formatOf(name[n:])
	return k, true
}

// parseChange reads the name of a CDC file in a subfolder. What follows the
// digits is not looked at but for the extension: a change must not be lost over a suffix.
func parseChange(sub, name string) (Key, bool) {
	if prefixOf(name, isDigit) != dateDigits || len(name) == dateDigits || name[dateDigits] != '-' {
		return Key{}, false
	}
	clock := name[dateDigits+1:]
	n := prefixOf(clock, isDigit)
	if n < clockDigits+leastFraction {
		return Key{}, false
	}
	order := name[:dateDigits] + clock[:n]
	at, err := time.Parse(secondLayout, order[:dateDigits+clockDigits])
	if err != nil {
		return Key{}, false
	}
	layout, ok := layoutOf(sub, at)
	if !ok {
		return Key{}, false
	}
	k := Key{Kind: Change, Layout: layout, order: order[:len(secondLayout)] + strings.TrimRight(order[len(secondLayout):], "0")}
	k.Format, k.Gzip = formatOf(clock[n:])
	return k, true
}

// formatOf reads an extension such as ".parquet" or ".csv.gz". A bare ".gz" is
// CSV: Parquet is compressed inside the file.
func formatOf(ext string) (f Format, gzip bool) {
	ext, gzip = strings.CutSuffix(strings.ToLower(ext), ".gz")
	switch {
	case strings.HasSuffix(ext, ".parquet") && !gzip:
		return Parquet, false
	case strings.HasSuffix(ext, ".csv") || gzip && ext == "":
		return CSV, gzip
	}
	return Unknown, gzip
}

// Time returns the time in the name of a CDC file, in the zone that the names are in: UTC unless
// DatePartitionTimezone says otherwise (SDK). It is the zero time for other kinds.
func (k Key) Time(loc *time.Location) time.Time {
	if k.Kind != Change {
		return time.Time{}
	}
	at, err := time.ParseInLocation(secondLayout, k.order[:len(secondLayout)], loc)
	if err != nil {
		return time.Time{}
	}
	fraction := k.order[len(secondLayout):]
	fraction = fraction[:min(len(fraction), nanoDigits)]
	nanos, err := strconv.Atoi("0" + fraction + strings.Repeat("0", nanoDigits-len(fraction)))
	if err != nil {
		return time.Time{}
	}
	return at.Add(time.Duration(nanos))
}

// Compare orders CDC files: by date, HHMMSS, the digits behind them as a decimal fraction
// (…-1134010000 is 11:34:01.0000), then by the bytes of the whole key. Date folders never
// decide. Keys of other kinds are lower, among each other by their bytes.
func Compare(a, b Key) int {
	return cmp.Or(strings.Compare(a.order, b.order), strings.Compare(a.Name, b.Name))
}

// prefixOf returns how many bytes at the beginning of s are of a kind.
func prefixOf(s string, is func(byte) bool) int {
	for i := range len(s) {
		if !is(s[i]) {
			return i
		}
	}
	return len(s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'A' <= c && c <= 'F' }
