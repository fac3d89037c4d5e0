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

// Layouts returns every scheme that DMS offers, the one without folders first.
func Layouts() []Layout {
	all := []Layout{{}}
	for _, s := range []Sequence{YYYYMMDD, YYYYMMDDHH, YYYYMM, MMYYYYDD, DDMMYYYY} {
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
	var parts []string
	switch l.Sequence {
	case NoFolder:
	case YYYYMMDD:
		parts = []string{"2006", "01", "02"}
	case YYYYMMDDHH:
		parts = []string{"2006", "01", "02", "15"}
	case YYYYMM:
		parts = []string{"2006", "01"}
	case MMYYYYDD:
		parts = []string{"01", "2006", "02"}
	case DDMMYYYY:
		parts = []string{"02", "01", "2006"}
	}
	return strings.Join(parts, l.Delimiter.text())
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
	var best Layout
	var least time.Duration
	found := false
	for _, l := range Layouts()[1:] {
		pattern := l.pattern()
		if len(pattern) != len(sub)-1 {
			continue
		}
		day, err := time.Parse(pattern, sub[:len(pattern)])
		if err != nil || l.Folder(day) != sub {
			continue
		}
		if away := day.Sub(at).Abs(); !found || away < least {
			best, least, found = l, away, true
		}
	}
	return best, found
}
