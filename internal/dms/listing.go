package dms

import "time"

// Anchor returns the key after which a listing of the table's folder finds every CDC file of
// the layout whose name is not earlier than t (StartAfter of ListObjectsV2, which lists
// general purpose buckets in the order of bytes). LOAD files are found too: "L" sorts after
// digits. It is false for a layout that is not [Layout.Sorted]; those need [Layout.Prefixes].
//
// t is taken in its own zone, which has to be that of the names, and to whole seconds. A file's
// folder must not be older than that of t: folders are named after commits (UG), which
// precede the file, so t has to be as much earlier as commits may lag; likewise an hour where clocks are turned back.
//
// Why nothing is missed: let s be the second of t. A name is YYYYMMDD-HHMMSS and at least three
// more digits, all of fixed width up to the second. Without folders a name not earlier
// than s begins with the anchor's text and is longer, or has a larger digit at the first difference; either way
// it sorts behind. With folders, parts of fixed width from year downwards compare like their times,
// whatever the delimiter. So a folder newer than that of s differs first by a larger digit; in the same
// folder the names decide as before.
func (l Layout) Anchor(folder string, t time.Time) (key string, ok bool) {
	if !l.Sorted() {
		return "", false
	}
	return folder + l.Folder(t) + t.Format("20060102-150405"), true
}

// Prefixes returns what to list for the CDC files whose folders lie between two
// times: one prefix a day, both ends included, in the order of time and in the zone of from. A
// layout of months has one a month; one of hours one a day, which its hours begin with;
// without folders they are the days in the names. LOAD files are not found.
//
// Why nothing is missed: a folder's text is made of its day (and hour, which comes last) alone, and every day is visited.
func (l Layout) Prefixes(folder string, from, to time.Time) []string {
	daily := l
	if l.Sequence == YYYYMMDDHH {
		daily.Sequence = YYYYMMDD
	}
	var prefixes []string
	last := noon(to.In(from.Location()))
	for day := noon(from); !day.After(last); day = day.AddDate(0, 0, 1) {
		p := folder + daily.dayPrefix(l, day)
		if len(prefixes) == 0 || prefixes[len(prefixes)-1] != p {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes
}

// dayPrefix is the beginning of the keys of a day. The last part of a day's folder is
// followed by an hour in a layout of hours, else by "/".
func (l Layout) dayPrefix(of Layout, day time.Time) string {
	switch {
	case l.Sequence == NoFolder:
		return day.Format("20060102-")
	case l != of:
		return day.Format(l.pattern()) + l.Delimiter.text()
	default:
		return l.Folder(day)
	}
}

// noon is the middle of a time's day. Every day has one, while clocks that are turned
// at midnight would make AddDate skip or repeat a day.
func noon(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, t.Location())
}
