package dmsgen

import (
	"fmt"
	"strings"
	"time"
)

// LoadKey returns the key of a table's n-th LOAD file, counted from 1: the
// counter has eight upper-case hexadecimal digits, and date folders do not
// apply (user guide, "Using Amazon S3 as a target").
func (s Settings) LoadKey(t Table, n int) string {
	folder, prefix := s.Folder+t.Folder(), ""
	if s.SegmentFolder != "" {
		folder += s.SegmentFolder + "/"
	}
	if s.Segment > 0 {
		prefix = fmt.Sprintf("SEGMENT%d_", s.Segment)
	}
	return fmt.Sprintf("%s%sLOAD%08X%s", folder, prefix, n, s.extension())
}

// ChangeKey returns the key of the CDC file that is made at a time:
// YYYYMMDD-HHMMSSmmm in the settings' location, below date folders if there are any.
func (s Settings) ChangeKey(t Table, at time.Time) string {
	at = at.In(s.location())
	name := strings.Replace(at.Format("20060102-150405.000"), ".", "", 1)
	return s.Folder + t.Folder() + s.dateFolder(at) + name + s.extension()
}

func (s Settings) location() *time.Location {
	if s.Location == nil {
		return time.UTC
	}
	return s.Location
}

func (s Settings) dateFolder(at time.Time) string {
	if s.DateFolders == "" {
		return ""
	}
	var parts []string
	for _, layout := range dateParts(s.DateFolders) {
		parts = append(parts, at.Format(layout))
	}
	return strings.Join(parts, delimiters()[s.DateDelimiter]) + "/"
}

// dateParts returns the layouts of a DatePartitionSequence, nil for an unknown one.
func dateParts(sequence string) []string {
	return map[string][]string{
		"YYYYMMDD":   {"2006", "01", "02"},
		"YYYYMMDDHH": {"2006", "01", "02", "15"},
		"YYYYMM":     {"2006", "01"},
		"MMYYYYDD":   {"01", "2006", "02"},
		"DDMMYYYY":   {"02", "01", "2006"},
	}[sequence]
}

func delimiters() map[string]string {
	return map[string]string{"": "/", "SLASH": "/", "UNDERSCORE": "_", "DASH": "-", "NONE": ""}
}
