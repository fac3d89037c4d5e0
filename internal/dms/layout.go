package dms

import (
	"strings"
	"time"
)

// Sequence is the order of year, month, day and hour in a date folder
// (DatePartitionSequence, SDK).
type Sequence string

// The sequences that DMS offers; the last two do not sort by time.
const (
	NoFolder   Sequence = "" // DatePartitionEnabled is off
	YYYYMMDD   Sequence = "YYYYMMDD"
	YYYYMMDDHH Sequence = "YYYYMMDDHH"
	YYYYMM     Sequence = "YYYYMM"
	MMYYYYDD   Sequence = "MMYYYYDD"
	DDMMYYYY   Sequence = "DDMMYYYY"
)

// Delimiter is what stands between the parts of a date folder
// (DatePartitionDelimiter, SDK).
type Delimiter string

// The delimiters that DMS offers; with Slash each part is a folder of its own.
const (
	None       Delimiter = "NONE"
	Slash      Delimiter = "SLASH"
	Dash       Delimiter = "DASH"
	Underscore Delimiter = "UNDERSCORE"
)

// Layout is the scheme of the date folders of CDC files. The zero value has none. It is comparable,
// and goes through JSON unchanged.
type Layout struct {
	Sequence  Sequence  `json:"sequence,omitempty"`
	Delimiter Delimiter `json:"delimiter,omitempty"`
}

// sequences returns those that make folders.
func sequences() [5]Sequence {
	return [...]Sequence{YYYYMMDD, YYYYMMDDHH, YYYYMM, MMYYYYDD, DDMMYYYY}
}

// Layouts returns every scheme that DMS offers, the one without folders first.
func Layouts() []Layout {
	all := []Layout{{}}
	for _, s := range sequences() {
		for _, d := range []Delimiter{Slash, Dash, Underscore, None} {
			all = append(all, Layout{s, d})
		}
	}
	return all
}

// Sorted says whether keys of the layout sort by time, as far as their folders tell it.
func (l Layout) Sorted() bool {
	switch l.Sequence {
	case NoFolder, YYYYMMDD, YYYYMMDDHH, YYYYMM:
		return true
	case MMYYYYDD, DDMMYYYY:
		return false
	}
	return false
}

// Folder returns the date folder of a time, in the time's own zone: "2021/11/23/", "" without folders.
func (l Layout) Folder(t time.Time) string {
	if l.Sequence == NoFolder {
		return ""
	}
	return t.Format(l.pattern()) + "/"
}

// pattern is the layout for package time.
func (l Layout) pattern() string {
	var pattern string
	switch l.Sequence {
	case NoFolder:
	case YYYYMMDD:
		pattern = "2006/01/02"
	case YYYYMMDDHH:
		pattern = "2006/01/02/15"
	case YYYYMM:
		pattern = "2006/01"
	case MMYYYYDD:
		pattern = "01/2006/02"
	case DDMMYYYY:
		pattern = "02/01/2006"
	}
	if l.Delimiter == Slash {
		return pattern
	}
	return strings.ReplaceAll(pattern, "/", l.Delimiter.text())
}

func (d Delimiter) text() string {
	switch d {
	case None:
		return ""
	case Slash:
		return "/"
	case Dash:
		return "-"
	case Underscore:
		return "_"
	}
	return ""
}

// layoutOf finds the layout of a subfolder, "" or ending in "/". Eight digits
// without delimiter can be read as three sequences; the one whose date is nearest to the
// file's time is meant, as a folder is named after the commits in the file.
func layoutOf(sub string, at time.Time) (Layout, bool) {
	if sub == "" {
		return Layout{}, true
	}
	sub = sub[:len(sub)-1]
	d, ok := delimiterOf(sub)
	if !ok {
		return Layout{}, false
	}
	var best Layout
	var least time.Duration
	found := false
	for _, s := range sequences() {
		l := Layout{s, d}
		day, ok := l.parse(sub)
		if !ok {
			continue
		}
		if away := day.Sub(at).Abs(); !found || away < least {
			best, least, found = l, away, true
		}
	}
	return best, found
}

// delimiterOf returns what stands behind the first digits of a date folder.
func delimiterOf(sub string) (Delimiter, bool) {
	n := prefixOf(sub, isDigit)
	if n == len(sub) {
		return None, true
	}
	switch sub[n] {
	case '/':
		return Slash, true
	case '-':
		return Dash, true
	case '_':
		return Underscore, true
	}
	return None, false
}

// parse reads a date folder, without its last "/".
func (l Layout) parse(sub string) (time.Time, bool) {
	pattern := l.pattern()
	if len(pattern) != len(sub) {
		return time.Time{}, false
	}
	for i := range len(sub) {
		if isDigit(pattern[i]) != isDigit(sub[i]) {
			return time.Time{}, false
		}
	}
	day, err := time.Parse(pattern, sub)
	return day, err == nil
}
