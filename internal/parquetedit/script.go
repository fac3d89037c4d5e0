package parquetedit

import (
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// Script says what Rewrite changes. Rows are named by their ordinals in the file as it is.
// The columns of Replace and Append are those of the file, then those of Add.
type Script struct {
	Deletes  []int64           // rows to drop, ascending
	Replaces []int64           // rows to replace, ascending, none of them in Deletes
	Replace  [][]parquet.Value // Replace[c][i] is the new value of column c in row Replaces[i]
	Append   [][]parquet.Value // Append[c][i] is the value of column c in row i of those added at the end
	// ReplaceColumn gives the values of column c for Replaces[i:j], in the place of Replace, so that no more of them are in
	// memory than columns are at work. It is called from several goroutines, for each row group that has such rows.
	ReplaceColumn func(c, i, j int) ([]parquet.Value, error)
	Same          []int             // columns that hold the values of Replace already: nobody looks
	Add           []Column          // columns that the file lacks; they are NULL in the rows already there
	Metadata      map[string]string // key/value pairs to set in the footer

	// Empty drops every row and ignores the rest, except Metadata and Columns.
	Empty   bool
	Columns []Column // with Empty: the schema of the file without rows; nil keeps the file's own

	// Compression is the codec of a file that has no row group to take it from: as WriterOptions has it.
	// Otherwise every column keeps its codec, because parquet-go cannot read a column with two.
	Compression string

	MaxRowGroupRows  int64 // of the row groups that are encoded, if their pages are smaller; default 262,144
	MaxRowGroupBytes int64 // of those that Append makes, bytes before encoding, default 32 MiB
	Parallel         int   // columns at work at a time, default GOMAXPROCS
}

// Stats says what a Rewrite did.
type Stats struct {
	Rows               int64 // rows of the new file
	RowGroupsCopied    int
	RowGroupsRewritten int   // encoded again or new
	BytesCopied        int64 // by CopyRange
	BytesWritten       int64 // by Write
}

// appended is the number of rows that are added.
func (s *Script) appended() int {
	if len(s.Append) == 0 {
		return 0
	}
	return len(s.Append[0])
}

// validate holds the script against the file.
func (s *Script) validate(f *File) error {
	if err := ordinals(s.Deletes, f.rows); err != nil {
		return fmt.Errorf("%w: deletes: %w", ErrScript, err)
	}
	if err := ordinals(s.Replaces, f.rows); err != nil {
		return fmt.Errorf("%w: replaces: %w", ErrScript, err)
	}
	for i, j := 0, 0; i < len(s.Deletes) && j < len(s.Replaces); {
		switch {
		case s.Deletes[i] == s.Replaces[j]:
			return fmt.Errorf("%w: row %d is deleted and replaced", ErrScript, s.Deletes[i])
		case s.Deletes[i] < s.Replaces[j]:
			i++
		default:
			j++
		}
	}
	columns, err := s.columns(f)
	if err != nil {
		return err
	}
	if len(s.Replaces) > 0 && s.ReplaceColumn == nil {
		if err := values(s.Replace, columns, len(s.Replaces)); err != nil {
			return fmt.Errorf("replace: %w", err)
		}
	}
	if n := s.appended(); n > 0 {
		if err := values(s.Append, columns, n); err != nil {
			return fmt.Errorf("append: %w", err)
		}
	}
	return nil
}

// replace gives the values of a column for Replaces[i:j].
func (s *Script) replace(column Column, c, i, j int) ([]parquet.Value, error) {
	if s.ReplaceColumn == nil || i == j {
		if len(s.Replace) == 0 {
			return nil, nil
		}
		return s.Replace[c][i:j], nil
	}
	vs, err := s.ReplaceColumn(c, i, j)
	if err == nil && len(vs) != j-i {
		err = fmt.Errorf("%w: %d values of column %q, %d wanted", ErrScript, len(vs), column.Name, j-i)
	}
	if err == nil {
		err = newEncoder(column, coding{}).check(vs)
	}
	return vs, err
}

// columns gives the columns of the new file.
func (s *Script) columns(f *File) ([]Column, error) {
	columns := slices.Clone(f.columns)
	for _, c := range s.Add {
		if err := c.validate(); err != nil {
			return nil, err
		}
		if c.Required {
			return nil, fmt.Errorf("%w: added column %q is required", ErrScript, c.Name)
		}
		if slices.ContainsFunc(columns, func(o Column) bool { return o.Name == c.Name }) {
			return nil, fmt.Errorf("%w: column %q is there already", ErrScript, c.Name)
		}
		columns = append(columns, c)
	}
	if len(columns) > MaxColumns {
		return nil, fmt.Errorf("%w: %d columns, at most %d", ErrScript, len(columns), MaxColumns)
	}
	return columns, nil
}

func ordinals(rows []int64, n int64) error {
	last := int64(-1)
	for _, r := range rows {
		if r <= last {
			return fmt.Errorf("row %d behind row %d", r, last)
		}
		last = r
	}
	if last >= n {
		return fmt.Errorf("row %d of %d", last, n)
	}
	return nil
}

// values checks the shape and the types of new rows.
func values(vs [][]parquet.Value, columns []Column, n int) error {
	if len(vs) != len(columns) {
		return fmt.Errorf("%w: %d columns given, %d wanted", ErrScript, len(vs), len(columns))
	}
	for c := range vs {
		if len(vs[c]) != n {
			return fmt.Errorf("%w: %d values of column %q, %d wanted", ErrScript, len(vs[c]), columns[c].Name, n)
		}
		if err := newEncoder(columns[c], coding{}).check(vs[c]); err != nil {
			return err
		}
	}
	return nil
}

// edits are edits of one row group.
type edits struct {
	deletes  []int64 // file ordinals
	replaces []int64 // file ordinals
	first    int64   // ordinal of the row group's first row
	base     int     // Replaces index of the first of replaces
	from, to int64   // the rows of the row group that they are edits of
}

// of gives the edits as far as they change a column.
func (e edits) of(c int, same []int) edits {
	if slices.Contains(same, c) {
		e.replaces = nil
	}
	return e
}

func (e *edits) empty() bool { return len(e.deletes) == 0 && len(e.replaces) == 0 }

// within gives the edits of the rows [from, to) of a row group.
func (s *Script) within(g *group, from, to int64) edits {
	cut := func(rows []int64) (int, int) {
		i, _ := slices.BinarySearch(rows, g.first+from)
		j, _ := slices.BinarySearch(rows, g.first+to)
		return i, j
	}
	di, dj := cut(s.Deletes)
	ri, rj := cut(s.Replaces)
	return edits{deletes: s.Deletes[di:dj], replaces: s.Replaces[ri:rj], first: g.first, base: ri, from: from, to: to}
}
