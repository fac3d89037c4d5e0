package lake

import (
	"fmt"
	"strings"
)

// escaped are the printable characters that Hive writes as %XX, beside the
// control characters 01 … 1F and 7F (FileUtils.escapePathName in Hive,
// ExternalCatalogUtils.escapePathName in Spark; "}" is not among them).
const escaped = "\"#%'*/:=?\\{[]^"

// EscapePath escapes a column name or a value for a directory name, exactly as
// Hive and Spark do it: upper-case %XX; space and everything beyond ASCII stay.
func EscapePath(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	from := 0
	for i := range len(s) {
		if c := s[i]; mustEscape(c) {
			b.WriteString(s[from:i])
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
			from = i + 1
		}
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

func mustEscape(c byte) bool {
	return c != 0 && c < ' ' || c == 0x7F || strings.IndexByte(escaped, c) >= 0
}

// UnescapePath is the inverse of [EscapePath]. As in Hive and Spark it takes hexadecimal digits of
// either case, leaves a % that does not begin %XX as it is, and takes XX above 7F for a character of Latin-1.
func UnescapePath(s string) string {
	at := strings.IndexByte(s, '%')
	if at < 0 {
		return s
	}
	var b strings.Builder
	for ; at >= 0; at = strings.IndexByte(s, '%') {
		b.WriteString(s[:at])
		c, ok := unhex(s[at+1:])
		if ok {
			b.WriteRune(c)
			s = s[at+3:]
		} else {
			b.WriteByte('%')
			s = s[at+1:]
		}
	}
	b.WriteString(s)
	return b.String()
}

func unhex(s string) (rune, bool) {
	if len(s) < 2 {
		return 0, false
	}
	var c rune
	for i := range 2 {
		switch d := s[i]; {
		case '0' <= d && d <= '9':
			c = c<<4 | rune(d-'0')
		case 'A' <= d && d <= 'F':
			c = c<<4 | rune(d-'A'+10)
		case 'a' <= d && d <= 'f':
			c = c<<4 | rune(d-'a'+10)
		default:
			return 0, false
		}
	}
	return c, true
}

// PartitionDir returns the directory of a partition, "a=1/b=x/": column names and
// the texts of [FormatPartition], escaped. Without names it is "".
func PartitionDir(names, values []string) string {
	var b strings.Builder
	for i, name := range names {
		b.WriteString(EscapePath(name))
		b.WriteByte('=')
		if values[i] == "" {
			b.WriteString(NullPartition)
		} else {
			b.WriteString(EscapePath(values[i]))
		}
		b.WriteByte('/')
	}
	return b.String()
}

// DirValue is one level of a partition directory, both parts unescaped; the
// value is a text for [ParsePartition].
type DirValue struct {
	Name, Value string
}

// ParsePartitionDir is the inverse of [PartitionDir]. It returns [ErrPartitionValue]
// for anything but "" and levels of the form name=value that each end in "/".
func ParsePartitionDir(dir string) ([]DirValue, error) {
	var parts []DirValue
	for rest := dir; rest != ""; {
		level, after, closed := strings.Cut(rest, "/")
		name, text, ok := strings.Cut(level, "=")
		if !ok || !closed || name == "" {
			return nil, fmt.Errorf("%w: directory %q", ErrPartitionValue, dir)
		}
		parts = append(parts, DirValue{UnescapePath(name), UnescapePath(text)})
		rest = after
	}
	return parts, nil
}
