package dms

import (
	"bytes"
	"fmt"
)

// splitter parts text into rows and fields. A field that begins with a quote ends with the next one that is not doubled
// (RFC 4180); in any other field a quote is a byte like any other.
type splitter struct {
	delimiter, row []byte
	quotes         bool
}

// span is where a field lies in its block: from and to, and whether it was quoted, and holds doubled quotes.
type span struct{ from, to uint32 }

const (
	spanQuoted  = 1 << 31
	spanDoubled = 1 << 30
	spanEnd     = spanDoubled - 1 // of the bits that are the end
)

func (s span) bytes(text []byte) []byte { return text[s.from : s.to&spanEnd] }

func (s span) quoted() bool { return s.to&spanQuoted != 0 }

func (s span) doubled() bool { return s.to&spanDoubled != 0 }

// unquoted returns the text of a field, with its quotes single.
func (s span) unquoted(text []byte) []byte {
	b := s.bytes(text)
	if !s.doubled() {
		return b
	}
	return bytes.ReplaceAll(b, []byte(`""`), []byte(`"`))
}

// record appends the fields of the row that begins at the given place, and returns where the next one begins, or -1 where
// the text ends before the row does.
func (s *splitter) record(text []byte, at int, fields []span) ([]span, int, error) {
	for first := len(fields); ; {
		if len(fields)-first > maxCSVColumns {
			return fields, -1, fmt.Errorf("it has more than %d fields, which is no table", maxCSVColumns)
		}
		if s.quotes && at < len(text) && text[at] == '"' {
			at++
			end, flags := closing(text, at)
			if end < 0 {
				return fields, -1, nil
			}
			next := end + 1
			fields = append(fields, span{uint32(at), uint32(end) | flags})
			switch rest := text[next:]; {
			case bytes.HasPrefix(rest, s.row):
				return fields, next + len(s.row), nil
			case bytes.HasPrefix(rest, s.delimiter):
				at = next + len(s.delimiter)
				continue
			case len(rest) < max(len(s.row), len(s.delimiter)) && (bytes.HasPrefix(s.row, rest) || bytes.HasPrefix(s.delimiter, rest)):
				return fields, -1, nil
			}
			return fields, -1, fmt.Errorf("text follows the closing quote of field %d", len(fields)-1)
		}
		end, last := s.end(text, at)
		if end < 0 {
			return fields, -1, nil
		}
		fields = append(fields, span{uint32(at), uint32(end)})
		if last {
			return fields, end + len(s.row), nil
		}
		at = end + len(s.delimiter)
	}
}

// end finds where a field without quotes ends, and whether it is the last of its row; -1 where the text ends before it.
func (s *splitter) end(text []byte, at int) (end int, last bool) {
	d, r := s.delimiter[0], s.row[0]
	single := len(s.delimiter)+len(s.row) == 2
	for i, b := range text[at:] {
		if b != d && b != r {
			continue
		}
		switch {
		case single:
			return at + i, b == r
		case b == r && bytes.HasPrefix(text[at+i:], s.row):
			return at + i, true
		case b == d && bytes.HasPrefix(text[at+i:], s.delimiter):
			return at + i, false
		}
	}
	return -1, false
}

// closing finds the quote that ends a field; -1 where the text ends before it, or behind a quote that may be doubled.
func closing(text []byte, at int) (end int, flags uint32) {
	flags = spanQuoted
	for {
		n := bytes.IndexByte(text[at:], '"')
		if n < 0 || at+n+1 == len(text) {
			return -1, 0
		}
		if at += n; text[at+1] != '"' {
			return at, flags
		}
		at, flags = at+2, flags|spanDoubled
	}
}
