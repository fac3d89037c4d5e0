package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"sluice/internal/parquetedit"
)

func isEnough(err error) bool { return errors.Is(err, errEnough) }

// FileOptions say how lake files are written.
type FileOptions struct {
	Compression string            // codec of new files
	Metadata    map[string]string // set in the footer: what makes this body this op's

	Parallel int                 // columns at work at a time; 0 = as many as there are cores
	Memory   *parquetedit.Memory // for new files; nil = their own

	Columns []parquetedit.Column // of a file that is emptied; nil keeps its own
}

// Create writes the slice's rows as a new lake file: Op first, the table's
// columns without the partition columns. The body is complete only when the error is nil.
func (s *Slice) Create(w io.Writer, o FileOptions) (rows int64, err error) {
	columns := s.schema.FileColumns()
	out, err := parquetedit.NewWriter(w, columns, parquetedit.WriterOptions{Compression: o.Compression, Metadata: o.Metadata, Parallel: o.Parallel, Memory: o.Memory})
	if err != nil {
		return 0, err
	}
	values := make([][]value, len(columns))
	for from := s.from + len(s.replaces); from < s.to; from += sliceChunkRows {
		for i, c := range columns {
			if values[i], err = s.column(c, from, min(from+sliceChunkRows, s.to)); err != nil {
				return 0, err
			}
		}
		if err := out.Write(values); err != nil {
			return 0, err
		}
	}
	return out.Rows(), out.Close()
}

// Rewrite writes a lake file again with the slice applied: rows keep their
// place, values are converted to the file's own types, columns that the file lacks are added
// at its end, and row groups that no row of the slice touches are copied as they are.
func (s *Slice) Rewrite(ctx context.Context, open *parquetedit.File, out parquetedit.Output, o FileOptions) (parquetedit.Stats, error) {
	script := parquetedit.Script{
		Deletes: s.deletes, Replaces: s.replaces,
		Metadata: o.Metadata, Compression: o.Compression, Parallel: o.Parallel,
	}
	if s.to > s.from {
		script.Add = s.schema.lacking(open.Columns())
	}
	columns := slices.Concat(open.Columns(), script.Add)
	script.Same = s.schema.unchanging(open.Columns())
	script.ReplaceColumn = func(c, i, j int) ([]value, error) { return s.column(columns[c], s.from+i, s.from+j) }
	for _, c := range columns {
		added, err := s.column(c, s.from+len(s.replaces), s.to)
		if err != nil {
			return parquetedit.Stats{}, err
		}
		script.Append = append(script.Append, added)
	}
	return parquetedit.Rewrite(ctx, open, script, out)
}

// Empty writes a lake file again without any row.
func Empty(ctx context.Context, open *parquetedit.File, out parquetedit.Output, o FileOptions) (parquetedit.Stats, error) {
	script := parquetedit.Script{Empty: true, Columns: o.Columns, Metadata: o.Metadata, Compression: o.Compression}
	return parquetedit.Rewrite(ctx, open, script, out)
}

// Refresh writes a lake file again with the same rows and another footer.
func Refresh(ctx context.Context, open *parquetedit.File, out parquetedit.Output, o FileOptions) (parquetedit.Stats, error) {
	return parquetedit.Rewrite(ctx, open, parquetedit.Script{Metadata: o.Metadata, Compression: o.Compression}, out)
}

// unchanging returns the columns of a lake file whose bytes are the same in rows of one key: those of the key, where there
// is one way to write a value. Of a partition column the directory counts, whatever the file has.
func (s *Schema) unchanging(columns []parquetedit.Column) []int {
	var same []int
	for i, c := range columns {
		if at := s.Index(c.Name); at >= 0 && slices.Contains(s.Key, c.Name) && !slices.Contains(s.Partition, c.Name) {
			t := s.Columns[at].Type
			if convert, err := Converter(t, c.Type); err == nil && convert == nil && (isInt(t) || isPlainText(t)) {
				same = append(same, i)
			}
		}
	}
	return same
}

// lacking returns the table's columns that a lake file does not have, partition columns aside.
func (s *Schema) lacking(columns []parquetedit.Column) []parquetedit.Column {
	var add []parquetedit.Column
	for _, c := range s.Columns {
		if find(columns, c.Name) < 0 && !slices.Contains(s.Partition, c.Name) {
			add = append(add, c)
		}
	}
	return add
}

// column returns the values of a file's column in the slice's rows [from, to), in the file's type.
func (s *Slice) column(c parquetedit.Column, from, to int) ([]value, error) {
	cells := &s.op
	var convert convertFunc
	if c.Name != OpColumn {
		at := s.schema.Index(c.Name)
		if at < 0 {
			return nil, fmt.Errorf("column %q is not in the plan's schema", c.Name)
		}
		var err error
		if convert, err = Converter(s.schema.Columns[at].Type, c.Type); err != nil {
			return nil, err
		}
		cells = &s.cells[at]
	}
	values := make([]value, to-from)
	slots := make([]int32, len(values))
	for i := range slots {
		slots[i] = int32(from + i)
	}
	cells.fill(values, slots)
	if convert == nil {
		return values, nil
	}
	for i := range values {
		var err error
		if values[i], err = convert(values[i]); err != nil {
			return nil, err
		}
	}
	return values, nil
}
