package lake

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// Span is a run of rows of a changes object, from From up to but not including To.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// The kinds of row in a changes object.
const (
	editDelete  = 0
	editReplace = 1
	editAdd     = 2
)

// The columns of a changes object that stand before the table's own.
const (
	editColumn = "_sluice_edit" // INT32: editDelete, editReplace, editAdd
	rowColumn  = "_sluice_row"  // INT64: row ordinal in the lake file; NULL for editAdd, -1 for a key that is not there
)

const (
	sliceChunk    = 16 << 10 // rows gathered at a time
	sliceRowGroup = 8 << 10  // rows after which the next op begins a row group, so that reading a slice reads little else
)

func changesColumns(s *Schema) []parquetedit.Column {
	columns := []parquetedit.Column{
		{Name: editColumn, Type: parquetedit.Type{Physical: parquet.Int32}},
		{Name: rowColumn, Type: parquetedit.Type{Physical: parquet.Int64}},
		opColumn(),
	}
	return append(columns, s.Columns...)
}

// Slice is the rows of one op, read back from a changes object.
type Slice struct {
	schema   *Schema
	deletes  []int64
	replaces []int64
	from     int       // where the rows with an after-image begin
	op       []value   // by row of the slice
	cells    [][]value // by column of the table, then row
}

// ReadSlice reads a span of a changes object; the schema must be the one it was written with.
func ReadSlice(ctx context.Context, changes *parquetedit.File, s *Schema, span Span) (*Slice, error) {
	columns := make([][]value, 3+len(s.Columns))
	for c := range columns {
		var err error
		if columns[c], err = readSpan(ctx, changes, c, span); err != nil {
			return nil, err
		}
		if int64(len(columns[c])) != span.To-span.From {
			return nil, fmt.Errorf("changes object ends before row %d", span.To)
		}
	}
	slice := &Slice{schema: s, op: columns[2], cells: columns[3:]}
	for i, edit := range columns[0] {
		switch edit.Int32() {
		case editDelete:
			slice.deletes = append(slice.deletes, columns[1][i].Int64())
			slice.from = i + 1
		case editReplace:
			slice.replaces = append(slice.replaces, columns[1][i].Int64())
		}
	}
	return slice, nil
}

// readSpan reads the rows of a span of one column; the values are the caller's.
func readSpan(ctx context.Context, f *parquetedit.File, column int, span Span) ([]value, error) {
	values := make([]value, 0, span.To-span.From)
	var kept texts
	for group, info := range f.RowGroups() {
		if info.FirstRow >= span.To || info.FirstRow+info.Rows <= span.From {
			continue
		}
		err := f.ReadColumn(ctx, group, column, func(first int64, page []value) error {
			first += info.FirstRow
			low := min(max(span.From-first, 0), int64(len(page)))
			high := min(max(span.To-first, 0), int64(len(page)))
			for _, v := range page[low:high] {
				values = append(values, kept.own(v))
			}
			if first+int64(len(page)) >= span.To {
				return errEnough
			}
			return nil
		})
		if err != nil && !isEnough(err) {
			return nil, err
		}
	}
	return values, nil
}
