package lake

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// File is what is known of one lake file without opening it. Bounds are a
// cache: nil means unknown, never "no rows".
type File struct {
	Key     string // object key
	Dir     string // partition directory, "" or ending in "/"
	ETag    string
	Size    int64 // bytes
	Rows    int64
	Columns []parquetedit.Column // as the file has them; nil when it was not opened yet
	Min     []byte               // lower bound of the first key column, by AppendKey
	Max     []byte               // upper bound of the first key column, by AppendKey
}

// FileError is what went wrong while a lake file was read.
type FileError struct {
	File string // its key
	Err  error
}

// Error names the file, unless what went wrong does.
func (e *FileError) Error() string {
	if text := e.Err.Error(); strings.Contains(text, e.File) {
		return text
	}
	return "lake file " + e.File + ": " + e.Err.Error()
}

// Unwrap returns what went wrong.
func (e *FileError) Unwrap() error { return e.Err }

// Live says whether the file holds rows. A file without rows is never the target of an op again.
func (f *File) Live() bool { return f.Rows > 0 }

// within says whether a key whose first column's encoding begins at key may lie between the bounds.
func within(key string, low, high []byte) bool {
	if low != nil && key < string(low) {
		return false
	}
	return high == nil || key <= string(high) || strings.HasPrefix(key, string(high))
}

// Observe fills what only the open file tells: rows, columns and the bounds of the first
// key column, where the file's statistics can be trusted.
func (f *File) Observe(open *parquetedit.File, s *Schema) {
	f.Rows, f.Columns, f.Min, f.Max = open.NumRows(), open.Columns(), nil, nil
	if len(s.Key) == 0 {
		return
	}
	at, place := find(f.Columns, s.Key[0]), s.Index(s.Key[0])
	if f.boundByDir(s); f.Min != nil || at < 0 || place < 0 {
		return
	}
	bounds := newBounder(f.Columns[at].Type, s.Columns[place].Type)
	for group := range open.RowGroups() {
		low, high, ok := bounds.of(open, group, at)
		if !ok {
			f.Min, f.Max = nil, nil
			return
		}
		f.Min, f.Max = lower(f.Min, low), upper(f.Max, high)
	}
}

// boundByDir sets unknown bounds where the first key column is a partition column: the directory tells.
func (f *File) boundByDir(s *Schema) {
	if f.Min != nil || len(s.Key) == 0 || !slices.Contains(s.Partition, s.Key[0]) {
		return
	}
	first := s.Index(s.Key[0])
	values, err := s.dirValues(f.Dir)
	if v, ok := values[first]; ok && err == nil {
		f.Min = dirKey(s.Columns[first].Type, v)
		f.Max = f.Min
	}
}

// lower returns the lower of two lower bounds; a first column alone is lower than a whole key that begins so.
func lower(a, b []byte) []byte {
	if a == nil || bytes.Compare(b, a) < 0 {
		return b
	}
	return a
}

// upper returns the higher of two upper bounds. One that begins with the other is the
// lower: it bounds a whole key, the other bounds all keys that begin so.
func upper(a, b []byte) []byte {
	switch {
	case a == nil || bytes.HasPrefix(a, b):
		return b
	case bytes.HasPrefix(b, a) || bytes.Compare(b, a) < 0:
		return a
	}
	return b
}

// bounder turns a row group's trusted statistics into encoded key bounds of the table's type.
type bounder struct {
	convert func(value) (value, error)
	table   parquetedit.Type
}

func newBounder(file, table parquetedit.Type) *bounder {
	convert, err := Converter(file, table)
	if err != nil {
		return nil
	}
	if file.Physical == parquet.ByteArray && familyOf(table) == famUUID {
		return nil // text in letters of either case is not in the order of the UUIDs
	}
	return &bounder{convert: convert, table: table}
}

// of returns the encoded bounds of a column in a row group; ok is false where
// the statistics are absent or cannot be trusted.
func (b *bounder) of(open *parquetedit.File, group, column int) (low, high []byte, ok bool) {
	if b == nil {
		return nil, nil, false
	}
	stats, ok := open.Bounds(group, column)
	if !ok {
		return nil, nil, false
	}
	return b.encode(stats)
}

// encode encodes bounds; ok is false where the table's type does not hold them.
func (b *bounder) encode(stats parquetedit.Bounds) (low, high []byte, ok bool) {
	from, to := stats.Min, stats.Max
	if b.convert != nil {
		var err error
		if from, err = b.convert(from); err != nil {
			return nil, nil, false
		}
		if to, err = b.convert(to); err != nil {
			return nil, nil, false
		}
	}
	if familyOf(b.table) == famFloat {
		to = parquet.DoubleValue(math.NaN()) // which statistics leave out, and which is the highest key
	}
	return AppendKey(nil, b.table, from), AppendKey(nil, b.table, to), true
}
